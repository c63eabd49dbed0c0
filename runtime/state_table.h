/*
 * Inside of the state table: state.c, purge.c and state_save.c see it.
 */
#ifndef RUNTIME_STATE_TABLE_H
#define RUNTIME_STATE_TABLE_H

#include "runtime/normalize.h"
#include "runtime/state.h"

#define SLAB	1024u			/* records in a slab */
#define BUCKET	7			/* entries of a bucket */

struct bucket {
	struct { uint32_t hash, ref; } entry[BUCKET];
	uint32_t	past;
	uint32_t	unused;
};

struct slab {
	struct state	*hot;
	void		*hot_raw;
	struct state_cold *cold;
};

struct state_table {
	struct slab	*slabs;
	uint32_t	 nslabs, slabs_room;
	uint32_t	 fresh;		/* first index never used; 0 at first */
	uint32_t	 free_list;
	uint32_t	 taken;		/* records in use */

	struct bucket	*buckets;
	void		*buckets_raw;
	uint32_t	 nbuckets;	/* a power of two */
	uint64_t	 entries;

	uint32_t	 oldest, newest, listed;
	uint32_t	 cursor;	/* where the sweep goes on; 0: oldest */
	uint64_t	 next_id;
};

/* For restoring: all states away, one back. */
void	states_flush(struct pfk_engine *);
bool	state_relist(struct pfk_engine *, uint32_t);
uint32_t state_hash(const struct pfk_engine *, const struct state_key *);

#endif
