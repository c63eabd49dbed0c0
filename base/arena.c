/*
 * Arenas: a chain of chunks, each twice the last up to 1 MB; a request too
 * large for that gets a chunk of its own.  Chunks come zeroed and are zeroed
 * again when a mark gives them back, so that every object starts as zeros.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define CHUNK_MIN	((size_t)4096)
#define CHUNK_MAX	((size_t)1 << 20)
#define ALIGN		_Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *older;
	size_t		 size;		/* of the whole, this header too */
	_Alignas(max_align_t) char data[];
};

void
arena_init(struct arena *a, const struct pfk_allocator *alloc, jmp_buf *oom)
{
	memset(a, 0, sizeof(*a));
	a->alloc = alloc != NULL ? alloc : &pfk_allocator_libc;
	a->oom = oom;
}

static void
chunk_free(struct arena *a, struct arena_chunk *c)
{
	a->total -= c->size;
	a->alloc->fn(a->alloc->ctx, c, c->size, 0);
}

void
arena_free(struct arena *a)
{
	struct arena_chunk *c, *older;

	for (c = a->chunks; c != NULL; c = older) {
		older = c->older;
		chunk_free(a, c);
	}
	a->chunks = NULL;
	a->cur = a->end = NULL;
}

/* A chunk with room for `need` bytes becomes the newest. */
static void
chunk_add(struct arena *a, size_t need)
{
	struct arena_chunk *c = NULL;
	size_t size = CHUNK_MIN;

	if (a->chunks != NULL)
		size = a->chunks->size < CHUNK_MAX / 2 ?
		    a->chunks->size * 2 : CHUNK_MAX;
	if (need > SIZE_MAX - sizeof(*c))
		longjmp(*a->oom, 1);
	if (size < need + sizeof(*c))
		size = need + sizeof(*c);
	if (a->limit == 0 || (size <= a->limit && a->total <= a->limit - size))
		c = a->alloc->fn(a->alloc->ctx, NULL, 0, size);
	if (c == NULL)
		longjmp(*a->oom, 1);
	memset(c, 0, size);
	c->size = size;
	c->older = a->chunks;
	a->chunks = c;
	a->total += size;
	a->cur = c->data;
	a->end = (char *)c + size;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	char *p;

	if (size > SIZE_MAX - ALIGN)
		longjmp(*a->oom, 1);
	size = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (size == 0)
		size = ALIGN;
	if (a->cur == NULL || (size_t)(a->end - a->cur) < size)
		chunk_add(a, size);
	p = a->cur;
	a->cur += size;
	return p;
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->chunks, a->cur };
}

void
arena_release(struct arena *a, struct arena_mark m)
{
	struct arena_chunk *c;
	char *used = a->cur;

	while ((c = a->chunks) != m.chunk) {
		a->chunks = c->older;
		chunk_free(a, c);
		used = NULL;
	}
	a->cur = m.cur;
	a->end = c == NULL ? NULL : (char *)c + c->size;
	/* only what was handed out since; all of the rest if unknown */
	if (used == NULL)
		used = a->end;
	if (a->cur != NULL)
		memset(a->cur, 0, (size_t)(used - a->cur));
}

void *
arena_memdup(struct arena *a, const void *p, size_t len)
{
	void *copy = arena_alloc(a, len);

	if (len != 0)
		memcpy(copy, p, len);
	return copy;
}

char *
arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	if (len != 0)
		memcpy(copy, s, len);
	return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		n = 0;
	s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}
