/*
 * In and out of anchors (calls.h).
 */
#include "runtime/calls.h"

static bool
is_wildcard(const struct rt_rule *rr)
{
	return (rr->r->flags & IMG_R_WILDCARD) != 0;
}

enum call_kind
call_kind(const struct pfk_engine *e, const struct rt_rule *rr)
{
	const struct anchor_rt *a = &e->anchors[rr->calls];

	if (is_wildcard(rr))
		return a->nchildren == 0 ? CALL_NOTHING : CALL_RULES;
	return insn_op(*a->code) == OP_END ? CALL_EMPTY : CALL_RULES;
}

enum called
calls_enter(const struct pfk_engine *e, struct calls *c, uint32_t rule,
    const uint32_t *after)
{
	const struct rt_rule *rr = &e->rules[rule];
	const struct anchor_rt *a = &e->anchors[rr->calls];
	bool wildcard = is_wildcard(rr);

	if (wildcard && a->nchildren == 0)
		return CALL_PASSED;
	if (c->depth == CALL_DEPTH || c->n++ == MAX_CALLS)
		return CALL_TOO_MANY;
	c->stack[c->depth++] = (struct call_frame){ c->anchor, after, c->here,
	    rule, 0 };
	c->here = rule;
	c->anchor = wildcard ? &e->anchors[a->children[0]] : a;
	return CALL_ENTERED;
}

enum called
calls_leave(const struct pfk_engine *e, struct calls *c, uint32_t decided,
    const uint32_t **pc)
{
	const struct anchor_rt *a;
	const struct rt_rule *rr;
	struct call_frame *top;

	if (c->depth == 0)
		return CALL_END;
	top = &c->stack[c->depth - 1];
	rr = &e->rules[top->rule];
	/* quick: some rule of the anchor itself was the last to match */
	if ((rr->r->flags & IMG_R_QUICK) && decided == top->rule)
		return CALL_QUICK;
	a = &e->anchors[rr->calls];
	if (is_wildcard(rr) && ++top->child < a->nchildren) {
		if (c->n++ == MAX_CALLS)
			return CALL_TOO_MANY;
		c->anchor = &e->anchors[a->children[top->child]];
		return CALL_ENTERED;
	}
	c->here = top->here;
	c->anchor = top->anchor;
	*pc = top->pc;
	c->depth--;
	return CALL_BACK;
}
