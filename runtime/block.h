/*
 * Blocks of rules that are looked up: block.c builds and asks, vm.c and
 * strip.c run.
 */
#ifndef RUNTIME_BLOCK_H
#define RUNTIME_BLOCK_H

#include "runtime/rules_int.h"
#include "runtime/strip.h"

/* Makes the blocks of code that has been added. */
bool	 blocks_add(struct pfk_engine *, const uint32_t *code, uint32_t ncode,
	    uint32_t base);
void	 blocks_free(struct pfk_engine *);

/* What has been looked up: neither states nor earlier packets change it. */
struct block_class;
struct block_found {
	uint32_t	block;		/* which one, or 0: nothing */
	bool		sure;		/* else it has to be looked up again */
	struct block_class *class;	/* NULL: to be asked one by one */
	uint32_t	quick, last;	/* ranks of those that match */
	uint32_t	list[4];	/* of rules to be asked */
};

struct block_ask {
	struct strip_head head;
	const uint8_t	*addr[2];	/* 4 bytes of IPv4 */
	uint16_t	port[2];	/* host order */
	/*
	 * Runs the tests of the rule whose RULE stands there: NULL, it fits,
	 * or where the first misfit leads.
	 */
	const uint32_t	*(*misfit)(void *ctx, uint32_t rule,
	    const uint32_t *pc);
	void		*ctx;
	const struct block_found *found; /* of this packet; or NULL */
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

/*
 * Some packets' answers, as far as they can be known ahead; what block_run()
 * will touch is on its way.  => misfit, ctx, found and the answer of the
 * questions are not looked at.
 */
#define BLOCK_AHEAD	8	/* not more at a time */
void	 block_look_ahead(struct pfk_engine *, uint32_t block,
	    const struct block_ask *, size_t n, struct block_found *);

#endif
