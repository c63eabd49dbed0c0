/*
 * Packets under way through a look-up: what block_look.c and block_and.c share.
 */
#ifndef RUNTIME_BLOCK_LOOKING_H
#define RUNTIME_BLOCK_LOOKING_H

#include "runtime/block_look.h"

/* Vectors (block_vectors.h) of a packet. */
enum { V_SRC, V_DST, V_SPORT, V_DPORT, V_CLASS, V_COUNT };

struct look {
	const struct strip_ask *q;	/* or NULL: look_question() */
	const struct lane_packet *lane;
	uint64_t	 head;		/* strip_key() */
	bool		 icmp;
	struct block_found *r;
	struct block_key k;
	uint32_t	 at[2];		/* of both addresses: cells, places */
	const uint64_t	*v[V_COUNT];
	struct table_set left;		/* tables to be asked */
	uint32_t	 behind;	/* the next of those behind them */
	uint32_t	 best;		/* rank; 0: nobody need be asked */
};

/* What is alike for all of them. */
struct looking {
	struct pfk_engine *e;
	struct block	*b;
	const struct block_family *f;
	const struct block_help *h;	/* or NULL */
	struct look	*v;
	size_t		 n;
};

/* block_look.c: the packet as rules see it who are asked by themselves. */
const struct strip_ask *look_question(const struct look *,
	    struct strip_ask *room);
/* Whether the rule matches, of which not all is known. */
bool	look_is_match(const struct looking *, const struct look *,
	    uint32_t rule, enum block_check);

/* block_places.c: places of both addresses, before anything else; false: it
 * cannot. */
bool	places_find(const struct looking *, bool six);
/*
 * block.c: how the packet comes to the quick rule, which matches: what is to be
 * counted.  false: it is to be followed when its turn comes.
 */
bool	block_walk_ahead(struct block *, const struct look *);
/* block_and.c: the answers, of packets whose places are found. */
void	vectors_ask(const struct looking *);

#endif
