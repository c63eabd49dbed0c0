/*
 * The short way through the rules: from strip to strip (strip.h), block to
 * block (block.h), into anchors and out of them, for a packet of which no more
 * is known than its question.  What it does not know it leaves to vm.c, which
 * goes on from there.
 */
#ifndef RUNTIME_WAY_H
#define RUNTIME_WAY_H

#include "runtime/block.h"
#include "runtime/calls.h"

struct way {
	struct strip_ask *q;
	const struct block_help *h;	/* with act() */
	const uint32_t	*pc;		/* where it is, in calls.anchor */
	uint32_t	 rule, anchor;	/* that decide so far */
	struct calls	 calls;
};

enum way_end {
	WAY_DECIDED,			/* by w->rule */
	WAY_QUICK,			/* the same, a quick one */
	WAY_STUCK,			/* vm.c goes on at w->pc */
	WAY_LOST			/* too many calls, or act() said so */
};

/* What follows when the main ruleset has been walked so far. */
enum way_end way_go_on(struct pfk_engine *, struct way *, enum walked);

/* The main ruleset from there on.  => All but pc and calls is set. */
static inline enum way_end
way_run(struct pfk_engine *e, struct way *w, const uint32_t *from)
{
	enum walked walked;

	calls_begin(&w->calls, e);
	w->pc = from;
	walked = strips_walk(e, w);
	return walked == WALK_QUICK ? WAY_QUICK : walked == WALK_END ?
	    WAY_DECIDED : way_go_on(e, w, walked);
}

#endif
