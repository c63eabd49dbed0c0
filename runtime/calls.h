/*
 * Where a packet is among the anchors: calls.c goes in and out, vm.c and way.c
 * run what is inside.
 *
 * An anchor may call itself (pf allows it, and drops the packet when the stack
 * is full), and anchors that call others twice each could keep a packet busy
 * for ages: after MAX_CALLS the packet is dropped as well.
 */
#ifndef RUNTIME_CALLS_H
#define RUNTIME_CALLS_H

#include "runtime/bytecode.h"
#include "runtime/rules.h"

#define MAX_CALLS	100000

struct call_frame {
	const struct anchor_rt *anchor;	/* where the call stands */
	const uint32_t	*pc;		/* after the call */
	uint32_t	 here;		/* of the caller */
	uint32_t	 rule;		/* the anchor rule */
	uint32_t	 child;		/* of a wildcard: the one it is in */
};

struct calls {
	const struct anchor_rt *anchor;	/* whose rules are being asked */
	uint32_t	 here;		/* the rule that called it, or
					   IMG_NONE */
	unsigned	 depth, n;	/* frames; calls so far */
	struct call_frame stack[CALL_DEPTH];
};

/* The beginning: the main ruleset.  The stack is left as it is. */
static inline void
calls_begin(struct calls *c, const struct pfk_engine *e)
{
	c->anchor = &e->anchors[0];
	c->here = IMG_NONE;
	c->depth = c->n = 0;
}

enum called {
	CALL_ENTERED,		/* c->anchor's code is next */
	CALL_PASSED,		/* there is nothing to enter */
	CALL_BACK,		/* behind the call: *pc */
	CALL_QUICK,		/* a quick anchor has decided: that is all */
	CALL_END,		/* the main ruleset has ended */
	CALL_TOO_MANY		/* the packet is lost */
};
/* The anchor rule fits; after: what stands behind it. */
enum called calls_enter(const struct pfk_engine *, struct calls *,
	    uint32_t rule, const uint32_t *after);
/*
 * The anchor's end: the next one of a wildcard, or the caller.  decided: the
 * call inside of which the rule stands that decides so far.
 */
enum called calls_leave(const struct pfk_engine *, struct calls *,
	    uint32_t decided, const uint32_t **pc);

/* A rule that calls an anchor: */
enum call_kind {
	CALL_NOTHING,		/* a wildcard without anchors */
	CALL_EMPTY,		/* one without rules: it is only counted */
	CALL_RULES
};
enum call_kind call_kind(const struct pfk_engine *, const struct rt_rule *);

#endif
