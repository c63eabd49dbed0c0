/*
 * Growing text: see strbuf.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

void
strbuf_init(struct strbuf *b, struct arena *a)
{
	memset(b, 0, sizeof(*b));
	b->arena = a;
}

/* Room for len more bytes and the NUL. */
static void
strbuf_room(struct strbuf *b, size_t len)
{
	size_t cap = b->cap == 0 ? 64 : b->cap;

	if (len >= SIZE_MAX / 2 - b->len)
		longjmp(*b->arena->oom, 1);
	if (b->s != NULL && b->cap - b->len > len)
		return;
	while (cap - b->len <= len)
		cap *= 2;
	b->s = arena_grow(b->arena, b->s, b->len, cap);
	b->cap = cap;
}

void
strbuf_add(struct strbuf *b, const char *s, size_t len)
{
	strbuf_room(b, len);
	if (len != 0)
		memcpy(b->s + b->len, s, len);
	b->len += len;
	b->s[b->len] = '\0';
}

void
strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void
strbuf_putc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void
strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	strbuf_room(b, 128);
	va_start(ap, fmt);
	n = vsnprintf(b->s + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= b->cap - b->len) {
		strbuf_room(b, (size_t)n);
		va_start(ap, fmt);
		vsnprintf(b->s + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

const char *
strbuf_str(struct strbuf *b)
{
	return b->s != NULL ? b->s : "";
}
