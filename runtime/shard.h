/*
 * Engines that share one stream of packets: shard*.c and purge.c.
 *
 * While they do, e->shards is set, and states' ids are provisional until the
 * clock's next step: PFK_SHARDS_PROVISIONAL and the packet's number, so that
 * lists of states by age can be merged.
 */
#ifndef RUNTIME_SHARD_H
#define RUNTIME_SHARD_H

#include <pfkit/shard.h>

#include "runtime/image.h"
#include "runtime/state_table.h"

/* shard_nets.c: networks whose addresses are dealt as one, by their kind. */
#define SHARD_NETS	16u
struct shard_net {
	struct pfk_addr	addr, mask;
	uint8_t		af, kind;
};
struct shard_nets { unsigned n; struct shard_net net[SHARD_NETS]; };
/* Why packets cannot be dealt where a rule translates; NULL: they can. */
const char *shard_translation(const struct pfk_image *,
	    const struct img_rule *);
/* false: there are too many. */
bool	 shard_nets_init(struct shard_nets *, const struct pfk_image *);
/* What an address is dealt by: its kind's number, or `other'. */
uint64_t shard_nets_ask(const struct shard_nets *, uint8_t af,
	    const uint8_t *addr, uint64_t other);

struct pfk_shards {
	struct pfk_allocator alloc;
	unsigned	 n;
	struct pfk_engine *e[PFK_SHARDS_MAX];
	struct shard_nets nets;
	uint32_t	 states;	/* of all, since the last step */
	uint64_t	 parts, part_bytes; /* of fragments, at the last step */
	uint64_t	 next_id;
	/* where the sweep goes on: the next state of each; all 0: at the
	   oldest */
	uint32_t	 cursor[PFK_SHARDS_MAX];
	uint32_t	 newest[PFK_SHARDS_MAX]; /* at the last step */
	uint32_t	 told[PFK_SHARDS_MAX];	/* pfk_shards_made() */
};

/* A state of one of the engines. */
struct state_ref { struct pfk_engine *e; uint32_t i; };

/*
 * A walk through the states of all engines, or of one that is alone, the
 * oldest first.
 */
struct state_walk {
	struct pfk_engine *const *e;
	struct pfk_engine *alone;
	unsigned	 n;
	unsigned	 k;		/* whose turn it is; n: the end */
	uint32_t	 at[PFK_SHARDS_MAX];	/* next one of each */
};
void	 state_walk_start(struct state_walk *, struct pfk_engine *);
void	 state_walk_pick(struct state_walk *);
static inline bool
state_walk_ended(const struct state_walk *w)
{
	return w->k == w->n;
}
static inline struct state_ref
state_walk_here(const struct state_walk *w)
{
	return (struct state_ref){ w->e[w->k], w->at[w->k] };
}
/* false: that was the last one. */
static inline bool
state_walk_next(struct state_walk *w)
{
	w->at[w->k] = state_next(w->e[w->k], w->at[w->k]);
	state_walk_pick(w);
	return !state_walk_ended(w);
}

/* The next id is one for a state that the packet makes. */
static inline void
shard_new_id(struct pfk_engine *e, const struct pfk_packet *p)
{
	uint64_t first = PFK_SHARDS_PROVISIONAL | p->number << 8;

	if (e->states->next_id < first)
		e->states->next_id = first;
}

/* How many states there are; of shards as the clock saw it last. */
static inline uint32_t
states_of_all(const struct pfk_engine *e)
{
	return e->shards != NULL ? e->shards->states :
	    (uint32_t)states_count(e);
}

#endif
