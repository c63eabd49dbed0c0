/*
 * Looking up packets in a block (block_look.c).
 */
#ifndef RUNTIME_BLOCK_LOOK_H
#define RUNTIME_BLOCK_LOOK_H

#include "runtime/block_int.h"

void	block_look_up(struct pfk_engine *, struct block *,
	    const struct strip_ask *, const struct block_help *,
	    struct block_found *);

/*
 * How the packet comes to the quick rule, which matches: what is to be counted.
 * false: it is to be followed when its turn comes.
 */
bool	block_walk_ahead(struct block *, struct block_found *,
	    const struct strip_ask *);

static inline bool
is_icmp(uint8_t proto)
{
	return proto == PROTO_ICMP || proto == PROTO_ICMPV6;
}

/* Of a plain rule whose head fits: NULL, it fits, or where the first misfit
 * leads. */
const uint32_t *block_misfit(const struct block *, uint32_t rule,
	    const struct strip_ask *);

#endif
