/*
 * Looking up packets in a block (block_look.c).
 */
#ifndef RUNTIME_BLOCK_LOOK_H
#define RUNTIME_BLOCK_LOOK_H

#include "runtime/block_int.h"

/* Up to BLOCK_AHEAD of them. */
void	block_look_up(struct pfk_engine *, struct block *,
	    const struct block_ask *, size_t n, struct block_found *);

#endif
