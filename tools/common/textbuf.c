/*
 * See textbuf.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "textbuf.h"
#include "report.h"

static void
reserve(struct textbuf *b, size_t len)
{
	if (b->len + len + 1 <= b->room)
		return;
	b->room = (b->len + len + 1) * 2;
	b->text = xrealloc(b->text, b->room);
}

void
textbuf_bytes(struct textbuf *b, const void *bytes, size_t len)
{
	reserve(b, len);
	memcpy(b->text + b->len, bytes, len);
	b->len += len;
	b->text[b->len] = '\0';
}

void
textbuf_str(struct textbuf *b, const char *s)
{
	textbuf_bytes(b, s, strlen(s));
}

void
textbuf_vprintf(struct textbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return;
	reserve(b, (size_t)n);
	(void)vsnprintf(b->text + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void
textbuf_printf(struct textbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	textbuf_vprintf(b, fmt, ap);
	va_end(ap);
}

void
textbuf_free(struct textbuf *b)
{
	free(b->text);
	memset(b, 0, sizeof(*b));
}
