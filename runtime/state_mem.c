/*
 * Memory of states: records that never move, found by index.
 *
 *	slab		STATE_SLAB hot records and as many cold ones
 *	chunk		some slabs side by side, one allocation
 *	extra slab	EXTRA_SLAB records of what few states have
 *
 * A chunk is an eighth of what there is, within limits: so little lies idle,
 * and a chunk is large.  Large memory is asked to be made of huge pages where
 * the system has them: a random state is then found without its page's
 * translation being read from memory first.  Records are cleared when they are
 * taken, so that a chunk is touched only as far as it is used.
 *
 * Free records are listed: states by state_cold.next, extras by nodes[0].
 */
#include <assert.h>
#include <string.h>

#include "runtime/state_table.h"

static_assert(sizeof(struct state) == 128, "a hot record: two cache lines");
static_assert(sizeof(struct state_cold) == 64, "a cold one: a cache line");
static_assert(sizeof(struct state_extra) == 64, "an extra one as well");

#define ALIGN		128u		/* both lines of a hot record */
#define CHUNK_LEAST	4u		/* slabs, but for the first chunk */
#define CHUNK_MOST	32u

/* ---- aligned memory ---- */

void *
state_alloc_aligned(const struct pfk_engine *e, size_t n, void **raw)
{
	if ((*raw = e_realloc(e, NULL, 0, n + ALIGN - 1)) == NULL)
		return NULL;
	e_ask_huge_pages(*raw, n + ALIGN - 1);
	return (void *)(((uintptr_t)*raw + ALIGN - 1) &
	    ~(uintptr_t)(ALIGN - 1));
}

void
state_free_aligned(const struct pfk_engine *e, void *raw, size_t n)
{
	if (raw != NULL)
		e_free(e, raw, n + ALIGN - 1);
}

/* Room for one more element of an array; NULL: no memory, nothing changed. */
static void *
array_room(const struct pfk_engine *e, void *array, uint32_t n,
    uint32_t *room, size_t size)
{
	uint32_t more = *room == 0 ? 4 : *room * 2;

	if (n < *room)
		return array;
	if ((array = e_realloc(e, array, *room * size, more * size)) != NULL)
		*room = more;
	return array;
}

/* ---- slabs of states ---- */

static size_t
chunk_size(uint32_t slabs)
{
	return (size_t)slabs * STATE_SLAB *
	    (sizeof(struct state) + sizeof(struct state_cold));
}

static size_t
extra_size(uint32_t slabs)
{
	return (size_t)slabs * EXTRA_SLAB * sizeof(struct state_extra);
}

static uint32_t
chunk_slabs(const struct state_table *t)
{
	uint32_t n = t->nslabs / 8;

	if (t->nslabs == 0)
		return 1;
	return n < CHUNK_LEAST ? CHUNK_LEAST : n < CHUNK_MOST ? n : CHUNK_MOST;
}

/* => There is room for their pointers. */
static void
slabs_of_chunk(struct pfk_engine *e, uint8_t *mem, uint32_t n)
{
	struct state_table *t = e->states;
	uint8_t *cold = mem + (size_t)n * STATE_SLAB * sizeof(struct state);

	for (uint32_t i = 0; i < n; i++) {
		e->state_slabs[t->nslabs++] = (struct state_slab){
		    (void *)mem, (void *)cold };
		mem += STATE_SLAB * sizeof(struct state);
		cold += STATE_SLAB * sizeof(struct state_cold);
	}
}

static bool
chunk_add(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint32_t n = chunk_slabs(t);
	struct state_slab *slabs = e->state_slabs;
	struct state_chunk *chunks;
	uint8_t *mem;
	void *raw;

	while (t->nslabs + n > t->slabs_room) {
		slabs = array_room(e, e->state_slabs, t->slabs_room,
		    &t->slabs_room, sizeof(*slabs));
		if (slabs == NULL)
			return false;
		e->state_slabs = slabs;
	}
	chunks = array_room(e, t->chunks, t->nchunks, &t->chunks_room,
	    sizeof(*chunks));
	if (chunks == NULL)
		return false;
	t->chunks = chunks;
	if ((mem = state_alloc_aligned(e, chunk_size(n), &raw)) == NULL)
		return false;
	t->chunks[t->nchunks++] = (struct state_chunk){ raw, n };
	slabs_of_chunk(e, mem, n);
	return true;
}

/* An index that is not in use, or 0. */
static uint32_t
index_take(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint32_t i = t->free_list;

	if (i != 0) {
		t->free_list = state_cold(e, i)->next;
		return i;
	}
	if (t->fresh == 0)
		t->fresh = 1;
	if (t->fresh >= t->nslabs * STATE_SLAB && !chunk_add(e))
		return 0;
	return t->fresh++;
}

uint32_t
state_alloc(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint32_t i;

	if (t->taken >= e->opts.limit[IMG_LIMIT_STATES] ||
	    (i = index_take(e)) == 0)
		return 0;
	t->taken++;
	memset(state_get(e, i), 0, sizeof(struct state));
	memset(state_cold(e, i), 0, sizeof(struct state_cold));
	state_get(e, i)->ifid = IF_NONE;
	return i;
}

/* ---- extras ---- */

/* Slabs of extras are as many at once as a chunk of states is large. */
static bool
extra_chunk_add(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint32_t n = t->nextra_slabs / 8 + 1;
	struct state_extra **slabs, *x;
	struct state_chunk *chunks;
	void *raw;

	while (t->nextra_slabs + n > t->extra_room) {
		slabs = array_room(e, e->extra_slabs, t->extra_room,
		    &t->extra_room, sizeof(*slabs));
		if (slabs == NULL)
			return false;
		e->extra_slabs = slabs;
	}
	chunks = array_room(e, t->extra_chunks, t->nextra_chunks,
	    &t->extra_chunks_room, sizeof(*chunks));
	if (chunks == NULL)
		return false;
	t->extra_chunks = chunks;
	if ((x = state_alloc_aligned(e, extra_size(n), &raw)) == NULL)
		return false;
	chunks[t->nextra_chunks++] = (struct state_chunk){ raw, n };
	for (uint32_t i = 0; i < n; i++, x += EXTRA_SLAB)
		e->extra_slabs[t->nextra_slabs++] = x;
	return true;
}

static struct state_extra *
extra_at(const struct pfk_engine *e, uint32_t x)
{
	return &e->extra_slabs[x / EXTRA_SLAB][x % EXTRA_SLAB];
}

/* One that is all zero, or 0. */
static uint32_t
extra_take(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint32_t x = t->extra_free;

	if (x != 0)
		t->extra_free = extra_at(e, x)->nodes[0];
	else {
		if (t->extra_fresh == 0)
			t->extra_fresh = 1;
		if (t->extra_fresh >= t->nextra_slabs * EXTRA_SLAB &&
		    !extra_chunk_add(e))
			return 0;
		x = t->extra_fresh++;
	}
	memset(extra_at(e, x), 0, sizeof(struct state_extra));
	return x;
}

static void
extra_free(struct pfk_engine *e, uint32_t x)
{
	if (x == 0)
		return;
	extra_free(e, extra_at(e, x)->route);
	extra_at(e, x)->nodes[0] = e->states->extra_free;
	extra_at(e, x)->route = 0;
	e->states->extra_free = x;
}

struct state_extra *
state_extra_need(struct pfk_engine *e, uint32_t i)
{
	struct state_cold *c = state_cold(e, i);

	if (c->extra == 0)
		c->extra = extra_take(e);
	return c->extra == 0 ? NULL : extra_at(e, c->extra);
}

const struct pfk_addr *
state_route(const struct pfk_engine *e, uint32_t i)
{
	static const struct pfk_addr none;
	const struct state_extra *x = state_extra(e, i);

	return x == NULL || x->route == 0 ? &none :
	    &extra_at(e, x->route)->stack.addr[0];
}

bool
state_set_route(struct pfk_engine *e, uint32_t i, const struct pfk_addr *addr)
{
	struct state_extra *x = state_extra_need(e, i);

	if (x == NULL || (x->route = extra_take(e)) == 0)
		return false;
	extra_at(e, x->route)->stack.addr[0] = *addr;
	return true;
}

/* ---- the end ---- */

void
state_free(struct pfk_engine *e, uint32_t i)
{
	struct state_table *t = e->states;
	struct state_cold *c = state_cold(e, i);

	extra_free(e, c->extra);
	c->next = t->free_list;
	t->free_list = i;
	t->taken--;
}

void
state_mem_free(struct pfk_engine *e)
{
	struct state_table *t = e->states;

	for (uint32_t i = 0; i < t->nchunks; i++)
		state_free_aligned(e, t->chunks[i].raw,
		    chunk_size(t->chunks[i].slabs));
	for (uint32_t i = 0; i < t->nextra_chunks; i++)
		state_free_aligned(e, t->extra_chunks[i].raw,
		    extra_size(t->extra_chunks[i].slabs));
	e_free(e, t->extra_chunks,
	    t->extra_chunks_room * sizeof(*t->extra_chunks));
	e_free(e, t->chunks, t->chunks_room * sizeof(*t->chunks));
	e_free(e, e->state_slabs, t->slabs_room * sizeof(*e->state_slabs));
	e_free(e, e->extra_slabs, t->extra_room * sizeof(*e->extra_slabs));
}
