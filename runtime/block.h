/*
 * Blocks of rules that are looked up: block.c builds and asks, vm.c runs.
 */
#ifndef RUNTIME_BLOCK_H
#define RUNTIME_BLOCK_H

#include "runtime/rules_int.h"

/* Fields of a packet that a block is about; addresses as big words. */
struct block_key {
	uint64_t	src[2], dst[2];
	uint16_t	port[2];	/* host order */
};

/* Makes the blocks of code that has been added. */
bool	 blocks_add(struct pfk_engine *, const uint32_t *code, uint32_t ncode,
	    uint32_t base);
void	 blocks_free(struct pfk_engine *);

enum block_answer {
	BLOCK_UNKNOWN,		/* ask the rules one by one */
	BLOCK_NONE,		/* no rule matches; all were evaluated */
	BLOCK_RULE,		/* it matches, and decides in the block */
	BLOCK_GO		/* go on with that rule: it leads out of here */
};
struct block_result { uint32_t rule; const uint32_t *go; };
/* => The packet is TCP or UDP, whole, and has not changed its family. */
enum block_answer block_ask(const struct pfk_engine *, uint32_t block,
	    const struct pkt *, const struct pfk_addr *src,
	    const struct pfk_addr *dst, const uint16_t port[2],
	    struct block_result *);

#endif
