/*
 * Text that grows.  A buffer of zeros is empty; text is NULL or ends in a NUL,
 * and is the owner's to free.
 */
#ifndef COMMON_TEXTBUF_H
#define COMMON_TEXTBUF_H

#include <stdarg.h>
#include <stddef.h>

struct textbuf { char *text; size_t len, room; };

void	 textbuf_bytes(struct textbuf *, const void *, size_t);
void	 textbuf_str(struct textbuf *, const char *);
void	 textbuf_vprintf(struct textbuf *, const char *, va_list)
	    __attribute__((__format__(__printf__, 2, 0)));
void	 textbuf_printf(struct textbuf *, const char *, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
void	 textbuf_free(struct textbuf *);		/* empty again */

#endif
