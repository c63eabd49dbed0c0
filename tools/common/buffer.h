/*
 * Text that grows.  A buffer of zeros is empty; text is NULL or ends in a NUL,
 * and is the owner's to free.
 */
#ifndef COMMON_BUFFER_H
#define COMMON_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct buffer { char *text; size_t len, room; };

void	 buffer_bytes(struct buffer *, const void *, size_t);
void	 buffer_str(struct buffer *, const char *);
void	 buffer_vprintf(struct buffer *, const char *, va_list)
	    __attribute__((__format__(__printf__, 2, 0)));
void	 buffer_printf(struct buffer *, const char *, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
void	 buffer_free(struct buffer *);		/* empty again */

#endif
