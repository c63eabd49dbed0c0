/*
 * Arenas: a chain of chunks, each twice the last up to 1 MB.  Chunks come
 * zeroed and are zeroed again when a mark gives them back, so that every
 * object starts as zeros.
 *
 * An object too large for a chunk gets memory of its own, which can grow in
 * its place; a small header of it stands in a chunk.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define CHUNK_MIN	((size_t)4096)
#define CHUNK_MAX	((size_t)1 << 20)
#define LARGE		(CHUNK_MAX / 4)	/* beyond: not in a chunk */
#define ALIGN		_Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *older;
	size_t		 size;		/* of the whole, this header too */
	_Alignas(max_align_t) char data[];
};

struct arena_large {
	struct arena_large *older;
	void		*object;
	size_t		 size;
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

static void
large_free(struct arena *a, const struct arena_large *until)
{
	for (struct arena_large *l = a->large; l != until; l = l->older) {
		a->total -= l->size;
		a->alloc->fn(a->alloc->ctx, l->object, l->size, 0);
	}
}

void
arena_free(struct arena *a)
{
	struct arena_chunk *c, *older;

	large_free(a, NULL);
	a->large = NULL;
	for (c = a->chunks; c != NULL; c = older) {
		older = c->older;
		chunk_free(a, c);
	}
	a->chunks = NULL;
	a->cur = a->end = NULL;
}

/* realloc() that counts and keeps the limit. */
static void *
take(struct arena *a, void *old, size_t osize, size_t size)
{
	void *p = NULL;

	if (a->limit == 0 || (size <= a->limit &&
	    a->total - osize <= a->limit - size))
		p = a->alloc->fn(a->alloc->ctx, old, osize, size);
	if (p == NULL)
		longjmp(*a->oom, 1);
	a->total += size - osize;
	return p;
}

/* A chunk with room for `need` bytes becomes the newest. */
static void
chunk_add(struct arena *a, size_t need)
{
	struct arena_chunk *c;
	size_t size = CHUNK_MIN;

	if (a->chunks != NULL)
		size = a->chunks->size < CHUNK_MAX / 2 ?
		    a->chunks->size * 2 : CHUNK_MAX;
	while (size < need + sizeof(*c))
		size *= 2;
	c = take(a, NULL, 0, size);
	memset(c, 0, size);
	c->size = size;
	c->older = a->chunks;
	a->chunks = c;
	a->cur = c->data;
	a->end = (char *)c + size;
}

/* A new one, or one that grows; what is new in it is as it comes. */
static void *
large_take(struct arena *a, struct arena_large *l, size_t size)
{
	if (l == NULL) {
		l = arena_new(a, struct arena_large);
		l->object = take(a, NULL, 0, size);
		l->older = a->large;
		a->large = l;
	} else
		l->object = take(a, l->object, l->size, size);
	l->size = size;
	return l->object;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	char *p;

	if (size > LARGE)
		return memset(large_take(a, NULL, size), 0, size);
	size = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (size == 0)
		size = ALIGN;
	if (a->cur == NULL || (size_t)(a->end - a->cur) < size)
		chunk_add(a, size);
	p = a->cur;
	a->cur += size;
	return p;
}

void *
arena_grow(struct arena *a, void *old, size_t used, size_t size)
{
	struct arena_large *l = size > LARGE ? a->large : NULL;
	void *p;

	while (l != NULL && l->object != old)
		l = l->older;
	if (l != NULL)
		return large_take(a, l, size);
	p = size > LARGE ? large_take(a, NULL, size) : arena_alloc(a, size);
	if (used != 0)
		memcpy(p, old, used);
	return p;
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->chunks, a->cur, a->large };
}

void
arena_release(struct arena *a, struct arena_mark m)
{
	struct arena_chunk *c;
	char *used = a->cur;

	large_free(a, m.large);
	a->large = m.large;
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
