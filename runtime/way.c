/*
 * Through the rules, between strips and blocks (way.h).
 */
#include "runtime/strip.h"
#include "runtime/way.h"

enum { GO_ON = -1 };			/* else an enum way_end */

static int
went(struct way *w, enum called what)
{
	switch (what) {
	case CALL_ENTERED:
		w->pc = w->calls.anchor->code;
		return GO_ON;
	case CALL_PASSED: case CALL_BACK:
		return GO_ON;
	case CALL_QUICK: case CALL_END:
		return WAY_DECIDED;
	case CALL_TOO_MANY:
		break;
	}
	return WAY_LOST;
}

/* The rule at which a strip was left: its last instruction stands at w->pc. */
static int
run_stop(struct pfk_engine *e, struct way *w)
{
	uint32_t rule = w->q->stop;
	bool calls = insn_op(*w->pc) == OP_CALL;

	w->pc += op_info[insn_op(*w->pc)].length;
	if ((!calls || e->rules[rule].tag != 0) &&
	    !w->h->act(w->h->ctx, rule))
		return WAY_LOST;
	return calls ? went(w, calls_enter(e, &w->calls, rule, w->pc)) : GO_ON;
}

static int
act(struct pfk_engine *e, struct way *w)
{
	const struct strip_ask *q = w->q;

	w->calls.n += q->calls;
	for (uint64_t rows = q->acts; rows != 0; rows &= rows - 1)
		if (!w->h->act(w->h->ctx, q->first + lowest_bit(rows)))
			return WAY_LOST;
	if (q->quick)
		return WAY_QUICK;
	return q->stop == IMG_NONE ? GO_ON : run_stop(e, w);
}

enum way_end
way_go_on(struct pfk_engine *e, struct way *w, enum walked walked)
{
	int end = GO_ON;

	for (;; walked = strips_walk(e, w)) {
		switch (walked) {
		case WALK_END:
			end = went(w, calls_leave(e, &w->calls, w->anchor,
			    &w->pc));
			break;
		case WALK_QUICK:
			return WAY_QUICK;
		case WALK_STUCK:
			return WAY_STUCK;
		case WALK_ACT:
			end = act(e, w);
			break;
		}
		if (end != GO_ON)
			return (enum way_end)end;
	}
}
