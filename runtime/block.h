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
/* Of the main ruleset, the first block that packets may be asked about ahead,
 * or 0.  => There are strips. */
uint32_t block_first(const struct pfk_engine *, const uint32_t *code,
	    uint32_t ncode, uint32_t base);

/* What has been looked up: neither states nor earlier packets change it. */
struct block_class;
struct block_found {
	uint32_t	block;		/* which one, or 0: nothing */
	bool		sure;		/* else it has to be looked up again */
	struct block_class *class;	/* NULL: to be asked one by one */
	uint32_t	quick, last;	/* ranks of those that match */
	uint32_t	list[4];	/* of rules to be asked, */
	uint32_t	asked;		/* and the first of them */
	/* a quick rule of a block in front of all others decides, */
	uint32_t	rule;		/* e->rules */
	/* and this is counted: block_decides() */
	uint32_t	*end;		/* or NULL: that is not known */
	uint32_t	*unsettled;
	int64_t		*less, *more;
};
/* Whether the rule is known; then all is counted. */
static inline bool
block_decides(const struct block_found *r)
{
	if (r->end == NULL)
		return false;
	++*r->end;
	++*r->unsettled;
	--*r->less;
	++*r->more;
	return true;
}

/* Who answers what a block does not know itself, and what is known ahead. */
struct block_help {
	/*
	 * Runs the tests of the rule whose RULE stands there: NULL, it fits,
	 * or where the first misfit leads.
	 */
	const uint32_t	*(*misfit)(void *ctx, uint32_t rule,
	    const uint32_t *pc);
	/*
	 * Of strips, on the way (way.h): what a rule does that the packet fits;
	 * false: the packet is lost.  The question may be another one then.
	 */
	bool		(*act)(void *ctx, uint32_t rule);
	void		*ctx;
	const struct block_found *found; /* or NULL */
};

/*
 * Where to go on, or NULL: ask the rules one by one, nothing was counted.
 * => The packet is whole, and has not changed its family.  The question's row
 *    does not matter.
 */
const uint32_t *block_run(struct pfk_engine *, uint32_t block,
	    struct strip_ask *, const struct block_help *);

/*
 * Answers to a group's packets without a state, as far as they can be known
 * ahead; what block_run() will touch is on its way.
 */
#define BLOCK_AHEAD	16	/* not more at a time */
struct lane_if;
struct lane_packet;
struct block_ahead { struct block_found found; };
void	 block_look_ahead(struct pfk_engine *, uint32_t block,
	    const struct lane_if *, const struct pfk_packet *,
	    const struct lane_packet *, struct block_ahead *, size_t n);

#endif
