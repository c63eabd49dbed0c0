/*
 * Arenas: all memory of one compilation, freed at once.
 *
 * Nothing in the front end frees single objects.  An arena never returns
 * NULL: when memory (or the arena's own limit) runs out it longjmp()s to the
 * place that the owner prepared, which frees the whole arena and reports
 * PFK_ERR_NOMEM.  So no caller checks, and none can leak.
 *
 * => Nothing that must be closed (files) may be held across arena_alloc().
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <pfkit/alloc.h>

struct arena_chunk;
struct arena_large;

struct arena {
	const struct pfk_allocator *alloc;
	jmp_buf		*oom;		/* where to go when memory is out */
	struct arena_chunk *chunks;	/* newest first */
	char		*cur, *end;	/* free room in the newest chunk */
	struct arena_large *large;	/* objects that got memory of their own */
	size_t		 total;		/* bytes taken from the allocator */
	size_t		 limit;		/* 0: none */
};

/* => oom must stay valid as long as the arena is used. */
void	 arena_init(struct arena *, const struct pfk_allocator *, jmp_buf *);
void	 arena_free(struct arena *);

void	*arena_alloc(struct arena *, size_t);	/* zeroed, max-aligned */
/*
 * More room for an object, of which the first `used` bytes are kept; what
 * comes behind them is not zeroed.  old may be NULL, and is gone afterwards.
 */
void	*arena_grow(struct arena *, void *old, size_t used, size_t size);
void	*arena_memdup(struct arena *, const void *, size_t);
char	*arena_strdup(struct arena *, const char *);
char	*arena_strndup(struct arena *, const char *, size_t);
char	*arena_printf(struct arena *, const char *, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
char	*arena_vprintf(struct arena *, const char *, va_list)
	    __attribute__((__format__(__printf__, 2, 0)));

/*
 * Giving back: all that was allocated after the mark is gone, and the room is
 * used again.
 * => Nothing allocated after the mark may be referred to any more.
 */
struct arena_mark {
	struct arena_chunk *chunk;
	char		*cur;
	struct arena_large *large;
};
struct arena_mark arena_mark(const struct arena *);
void	 arena_release(struct arena *, struct arena_mark);

#define arena_new(a, type)	((type *)arena_alloc((a), sizeof(type)))

#endif
