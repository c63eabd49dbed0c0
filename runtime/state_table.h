/*
 * Inside of the state table: state.c, state_table.c,
 * state_find.c, purge.c, state_save.c and the lane see it.
 */
#ifndef RUNTIME_STATE_TABLE_H
#define RUNTIME_STATE_TABLE_H

#include "runtime/normalize.h"
#include "runtime/state.h"

#define BUCKET	7			/* entries of a bucket */

struct bucket {
	struct { uint32_t hash, ref; } entry[BUCKET];
	uint32_t	past;
	uint32_t	unused;
};

struct state_table {
	uint32_t	 nslabs, slabs_room;
	uint32_t	 fresh;		/* first index never used; 0 at first */
	uint32_t	 free_list;
	uint32_t	 taken;		/* records in use */

	struct bucket	*buckets;
	void		*buckets_raw;
	uint32_t	 nbuckets;	/* a power of two */
	uint64_t	 entries;
	uint64_t	 changes;	/* entries put and taken out so far */

	uint32_t	 oldest, newest, listed;
	uint32_t	 cursor;	/* where the sweep goes on; 0: oldest */
	uint64_t	 next_id;
};

/* state.c: memory at the beginning of a cache line; *raw is to be freed. */
void	*state_alloc_aligned(const struct pfk_engine *, size_t, void **raw);
void	 state_free_aligned(const struct pfk_engine *, void *raw, size_t);
/* state_table.c: entries (ref: index * 2 + side). */
bool	state_table_room(struct pfk_engine *);	/* for two more */
void	state_entry_put(struct state_table *, uint32_t hash, uint32_t ref);
void	state_entry_remove(struct state_table *, uint32_t hash, uint32_t ref);
/*
 * state_find.c: makes room for a key of the state; a TCP connection that is
 * over gives way.  false: another state has it.
 */
bool	state_key_clear(struct pfk_engine *, uint32_t,
	    const struct state_key *);
/* For restoring: all states away, one back. */
void	states_flush(struct pfk_engine *);
bool	state_relist(struct pfk_engine *, uint32_t);

#endif
