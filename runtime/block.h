/*
 * Blocks of rules that are looked up: block.c builds and asks, vm.c runs.
 */
#ifndef RUNTIME_BLOCK_H
#define RUNTIME_BLOCK_H

#include "runtime/rules_int.h"

/* Makes the blocks of code that has been added. */
bool	 blocks_add(struct pfk_engine *, const uint32_t *code, uint32_t ncode,
	    uint32_t base);
void	 blocks_free(struct pfk_engine *);

struct block_ask {
	const struct pkt *p;
	const struct pfk_addr *addr[2];
	uint16_t	port[2];	/* host order */
	/*
	 * Runs the tests of the rule whose RULE stands there: NULL, it fits,
	 * or where the first misfit leads.
	 */
	const uint32_t	*(*misfit)(void *ctx, uint32_t rule,
	    const uint32_t *pc);
	void		*ctx;
	/* the answer */
	uint32_t	rule;		/* that matched, or IMG_NONE */
	bool		quick;
};

/*
 * Where to go on, or NULL: ask the rules one by one, nothing was counted.
 * => The packet is whole, and has not changed its family.
 */
const uint32_t *block_run(struct pfk_engine *, uint32_t block,
	    struct block_ask *);

#endif
