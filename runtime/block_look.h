/*
 * Looking up packets in a block (block_look.c).
 */
#ifndef RUNTIME_BLOCK_LOOK_H
#define RUNTIME_BLOCK_LOOK_H

#include "runtime/block_int.h"

void	block_look_up(struct pfk_engine *, struct block *,
	    const struct strip_ask *, const struct block_help *,
	    struct block_found *);

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
