/*
 * What fits each rule: made when it is first wanted, and kept.
 */
#include "compiler/exact/exact_int.h"

void
index_code(struct pfk_exact *x, struct ximage *xi)
{
	const struct pfk_image *im = xi->im;

	xi->code = arena_alloc(&x->arena, (im->nrules + 1) *
	    sizeof(*xi->code));
	for (uint32_t i = 0; i < im->nanchors; i++) {
		const struct img_anchor *a = &im->anchors[i];
		const uint32_t *pc = im->code + a->code, *end = pc + a->ncode;

		for (; pc < end; pc += op_info[insn_op(*pc)].length)
			if (insn_op(*pc) == OP_RULE)
				xi->code[pc[2]] = pc;
	}
}

static void
note_needs(const struct ximage *xi, uint32_t rule, struct rule_tests *rt)
{
	const uint32_t *pc = xi->code[rule];

	if (pc == NULL)
		return;
	for (;;) {
		pc += op_info[insn_op(*pc)].length;
		switch ((unsigned)insn_op(*pc)) {
		case OP_DECIDE: case OP_MATCH: case OP_CALL: case OP_END:
			return;
		case OP_NOROUTE: case OP_URPF: case OP_RTLABEL:
			rt->routes = true;
			/* FALLTHROUGH */
		case OP_ADDR4: case OP_ADDR6: case OP_RANGE4: case OP_RANGE6:
		case OP_TABLE: case OP_IFADDR: case OP_PORT:
			rt->views = true;
			break;
		case OP_TAGGED:
			rt->tagged = true;
			break;
		default:
			break;
		}
	}
}

/* Without what was lost on the way. */
static bool
kept(dd *set)
{
	if (dd_failed() == DD_FINE)
		return true;
	dd_to(set, DD_FALSE);
	return false;
}

bool
rule_may_fit(struct pfk_exact *x, struct ximage *xi, uint32_t rule, dd among)
{
	struct rule_tests *rt = &xi->rules[rule];

	if (!rt->loose_known) {
		note_needs(xi, rule, rt);
		rt->loose = tests_of_rule(x, xi, rule, NULL, false, false);
		dd_and_to(&rt->loose, x->universe);
		rt->loose_known = kept(&rt->loose);
	}
	return dd_meets(rt->loose, among);
}

const struct rule_tests *
rule_tests(struct pfk_exact *x, struct ximage *xi, uint32_t rule)
{
	struct rule_tests *rt = &xi->rules[rule];

	if (rt->known)
		return rt;
	(void)rule_may_fit(x, xi, rule, DD_FALSE);
	rt->set = tests_of_rule(x, xi, rule, NULL, false, true);
	dd_and_to(&rt->set, rt->loose);
	rt->known = kept(&rt->set);
	return rt;
}

void
rule_forget(struct ximage *xi, uint32_t rule)
{
	struct rule_tests *rt = &xi->rules[rule];

	dd_to(&rt->set, DD_FALSE);
	rt->known = false;
}

bool
rule_needs_context(const struct rule_tests *rt, const struct context *c)
{
	return (rt->tagged && c->tag != 0) || (rt->routes && c->rtable >= 0) ||
	    (rt->views && (c->view[0].addr != VIEW_PACKET ||
	    c->view[1].addr != VIEW_PACKET || c->view[0].port != VIEW_PACKET ||
	    c->view[1].port != VIEW_PACKET));
}

dd
rule_in_context(struct pfk_exact *x, struct ximage *xi, uint32_t rule,
    const struct context *c)
{
	return tests_of_rule(x, xi, rule, c, false, true);
}

dd
rule_set_open(struct pfk_exact *x, struct ximage *xi, uint32_t rule)
{
	dd set = tests_of_rule(x, xi, rule, NULL, true, true);

	dd_and_to(&set, rule_tests(x, xi, rule)->loose);
	return set;
}
