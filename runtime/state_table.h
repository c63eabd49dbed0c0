/*
 * Inside of the state table: state.c, state_mem.c, state_table.c,
 * state_find.c, purge.c, state_save.c and the lane see it.
 */
#ifndef RUNTIME_STATE_TABLE_H
#define RUNTIME_STATE_TABLE_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/bits.h"
#include "runtime/normalize.h"
#include "runtime/state.h"

#define BUCKET	7			/* entries of a bucket */
#define BUCKET_ALL ((1u << BUCKET) - 1)

struct bucket {
	uint32_t	hash[BUCKET];
	uint32_t	past;
	uint32_t	ref[BUCKET];
	uint32_t	twins;
};

struct state_chunk { void *raw; uint32_t slabs; };

struct state_table {
	struct state_chunk *chunks;
	uint32_t	 nchunks, chunks_room;
	uint32_t	 nslabs, slabs_room;	/* e->state_slabs */
	uint32_t	 fresh;		/* first index never used; 0 at first */
	uint32_t	 free_list;
	uint32_t	 taken;		/* records in use */
	struct state_chunk *extra_chunks;
	uint32_t	 nextra_chunks, extra_chunks_room;
	uint32_t	 nextra_slabs, extra_room; /* e->extra_slabs */
	uint32_t	 extra_fresh, extra_free;

	struct bucket	*buckets;
	void		*buckets_raw;
	uint32_t	 nbuckets;	/* a power of two */
	uint64_t	 entries;
	uint64_t	 changes;	/* entries put and taken out so far */
	uint64_t	 losses;	/* ... that may have made a reference wrong
					   which lane_look_up() gave: taken
					   out, or a twin */

	uint32_t	 oldest, newest, listed;
	uint32_t	 cursor;	/* where the sweep goes on; 0: oldest */
	uint64_t	 next_id;
};

/* The entries of a bucket with the hash, a bit each. */
static inline uint32_t
bucket_match_plain(const struct bucket *b, uint32_t hash)
{
	uint32_t m = 0;

	for (unsigned i = 0; i < BUCKET; i++)
		m |= (uint32_t)(b->hash[i] == hash) << i;
	return m;
}

#ifdef __SSE2__
static inline uint32_t
bucket_match(const struct bucket *b, uint32_t hash)
{
	__m128i h = _mm_set1_epi32((int)hash);
	const __m128i *p = (const __m128i *)(const void *)b->hash;
	__m128i lo = _mm_cmpeq_epi32(_mm_load_si128(p), h);
	__m128i hi = _mm_cmpeq_epi32(_mm_load_si128(p + 1), h);

	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(
	    _mm_packs_epi32(lo, hi), _mm_setzero_si128())) & BUCKET_ALL;
}
#else
#define bucket_match	bucket_match_plain
#endif

/*
 * state_mem.c: memory that begins with two cache lines, not cleared; *raw is
 * to be freed.
 */
void	*state_alloc_aligned(const struct pfk_engine *, size_t, void **raw);
void	 state_free_aligned(const struct pfk_engine *, void *raw, size_t);
void	 state_mem_free(struct pfk_engine *);
/* state_table.c: entries (ref: index * 2 + side). */
struct bucket *state_buckets_new(const struct pfk_engine *, uint32_t,
	    void **raw);
bool	state_table_grow(struct pfk_engine *);
static inline bool
state_table_room(struct pfk_engine *e)		/* for two more */
{
	const struct state_table *t = e->states;

	return (t->entries + 2) * 8 <= (uint64_t)t->nbuckets * (BUCKET * 5) ||
	    state_table_grow(e);
}
void	state_entry_put(struct state_table *, uint32_t hash, uint32_t ref);
/* The same where no other entry has the hash. */
void	state_entry_put_alone(struct state_table *, uint32_t hash,
	    uint32_t ref);
void	state_entry_remove(struct state_table *, uint32_t hash, uint32_t ref);
/*
 * state_find.c: makes room for a key of the state; a TCP connection that is
 * over gives way.  false: another state has it.
 */
bool	state_key_clear(struct pfk_engine *, uint32_t,
	    const struct state_key *);
/* For restoring: all states away, one back. */
void	states_flush(struct pfk_engine *);
/* A record, at the end of the list by age. */
void	state_list_append(struct pfk_engine *, uint32_t);
bool	state_relist(struct pfk_engine *, uint32_t,
	    const struct state_key *wire, const struct state_key *stack);

#endif
