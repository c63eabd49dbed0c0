/*
 * Memory of an index of prefixes: one block.
 *
 * Everything of an index lies in one block, so that few pages hold it: a
 * random question finds its page's translation in the processor, and where
 * the system has huge pages a block of some size is made of them.  Things
 * refer to each other by unit, since the block moves when it grows.
 *
 *	| 4 units of 0s | used ...		n | left		cap |
 *
 * Small things have 1, 2 or 4 units and lie at multiples of that, so that they
 * do not cross lines of cache without need; those given back are listed by
 * size (the first word leads to the next one) and larger ones are halved.
 * Large things are never given back: the index counts what is lost and is
 * made anew one day, which empties the block.
 */
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "runtime/prefix_int.h"

#define LINE		64
#define HUGE_PAGE	((size_t)2 << 20)
#define SMALLEST	16u			/* units of a block */

/* Aligned to a line, or to huge pages if it has any. */
static bool
block_new(const struct pfk_engine *e, struct prefix_index *x, uint32_t cap)
{
	size_t size = (size_t)cap * PREFIX_UNIT;
	size_t align = size >= HUGE_PAGE ? HUGE_PAGE : LINE;
	void *raw = e_realloc(e, NULL, 0, size + align - 1);

	if (raw == NULL)
		return false;
	x->raw = raw;
	x->raw_size = size + align - 1;
	x->mem = (uint8_t *)raw + (align - (uintptr_t)raw % align) % align;
	x->cap = cap;
#ifdef MADV_HUGEPAGE
	if (align == HUGE_PAGE)
		(void)madvise(x->mem, size / HUGE_PAGE * HUGE_PAGE,
		    MADV_HUGEPAGE);
#endif
	return true;
}

/* The same in a block of another size. */
static bool
block_move(const struct pfk_engine *e, struct prefix_index *x, uint32_t cap)
{
	struct prefix_index old = *x;

	if (!block_new(e, x, cap))
		return false;
	if (old.mem != NULL)
		memcpy(x->mem, old.mem, (size_t)old.n * PREFIX_UNIT);
	else
		x->n = PREFIX_UNIT0;
	memset(x->mem, 0, (size_t)PREFIX_UNIT0 * PREFIX_UNIT);
	e_free(e, old.raw, old.raw_size);
	return true;
}

static bool
reserve(const struct pfk_engine *e, struct prefix_index *x, uint32_t units)
{
	uint32_t need = (x->mem == NULL ? PREFIX_UNIT0 : x->n) + units;
	uint32_t cap = x->cap + x->cap / 2;
	uint32_t limit = x->limit != 0 ? x->limit : PREFIX_UNITS;

	if (x->mem != NULL && need <= x->cap)
		return true;
	if (units > limit || need > limit)
		return false;
	if (cap < need)
		cap = need < SMALLEST ? SMALLEST : need;
	if (cap > limit)
		cap = limit;
	return block_move(e, x, cap);
}

uint32_t
prefix_mem_new(const struct pfk_engine *e, struct prefix_index *x,
    uint32_t units)
{
	units = (units + 3) & ~3u;	/* what follows is aligned, too */
	if (!reserve(e, x, units))
		return 0;
	x->n += units;
	return x->n - units;
}

void
prefix_mem_put(struct prefix_index *x, uint32_t unit, unsigned size)
{
	memcpy(prefix_mem_at(x, unit), &x->free[size], sizeof(uint32_t));
	x->free[size] = unit;
}

uint32_t
prefix_mem_small(const struct pfk_engine *e, struct prefix_index *x,
    unsigned size)
{
	uint32_t unit = x->free[size];

	if (unit != 0) {
		memcpy(&x->free[size], prefix_mem_at(x, unit),
		    sizeof(uint32_t));
		return unit;
	}
	if (size == 2)
		return prefix_mem_new(e, x, 4);
	unit = prefix_mem_small(e, x, size + 1);
	if (unit != 0)
		prefix_mem_put(x, unit + (1u << size), size);
	return unit;
}

void
prefix_mem_empty(struct prefix_index *x)
{
	x->n = x->mem == NULL ? 0 : PREFIX_UNIT0;
	x->lost = x->top = 0;
	memset(x->free, 0, sizeof(x->free));
}

void
prefix_mem_trim(const struct pfk_engine *e, struct prefix_index *x)
{
	uint32_t want = x->n + x->n / 8;

	if (want >= SMALLEST && x->cap > want + want / 8)
		(void)block_move(e, x, want);
}

void
prefix_mem_free(const struct pfk_engine *e, struct prefix_index *x)
{
	e_free(e, x->raw, x->raw_size);
	memset(x, 0, sizeof(*x));
}
