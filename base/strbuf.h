/*
 * Text that grows, in an arena.  Always NUL-terminated once touched.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/arena.h"

struct strbuf {
	struct arena	*arena;
	char		*s;
	size_t		 len, cap;
};

void	 strbuf_init(struct strbuf *, struct arena *);
void	 strbuf_putc(struct strbuf *, char);
void	 strbuf_puts(struct strbuf *, const char *);
void	 strbuf_add(struct strbuf *, const char *, size_t);
void	 strbuf_printf(struct strbuf *, const char *, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
const char *strbuf_str(struct strbuf *);	/* "" if nothing was added */

#endif
