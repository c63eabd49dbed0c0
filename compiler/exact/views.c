/*
 * Tests of addresses that match rules have translated before.
 *
 * What is always the same address is looked up.  Of a pool it is enough if all
 * that it gives fit, or nothing does; of an interface with a few addresses it
 * is asked once which one it is; else whether it fits is a question, and of
 * each rule another one: the address that fits one need not fit the next.
 */
#include <stdio.h>
#include <string.h>

#include "compiler/exact/tests.h"

/*
 * Packets that get that one address, whatever they had: all or none; of the
 * routes it may depend on the interface.
 */
static dd
holds_for(const struct tester *t, const uint32_t *pc, const struct view *v)
{
	static const uint8_t all[16] = { 255, 255, 255, 255, 255, 255, 255,
	    255, 255, 255, 255, 255, 255, 255, 255, 255 };
	unsigned side = insn_b(*pc);
	const struct field_place *place = &t->x->place[addr_field(side)];
	dd set = addr_test(t, pc), one;

	one = field_bits(t->x, addr_field(side), v->fixed.b, all,
	    v->af == PFK_AF_INET6 ? 16 : 4);
	if (v->af == PFK_AF_INET6)
		dd_minus_to(&one, t->x->v4);
	else
		dd_and_to(&one, t->x->v4);
	dd_and_to(&one, set);
	dd_drop(set);
	if (asks_routes(pc))
		dd_to(&one, dd_some(one, place->first, place->first +
		    place->bits));
	else
		dd_to(&one, one != DD_FALSE ? DD_TRUE : DD_FALSE);
	return one;
}

/* The addresses that the view's may be: any, if that is not known. */
static dd
view_set(const struct tester *t, const struct view *v, unsigned side)
{
	const struct img_rule *r = &t->xi->im->rules[v->by];
	const struct chain c = { t->x, t->xi, DD_TRUE, false };
	uint32_t pool = side == SIDE_SRC ? r->nat : r->rdr;

	if ((r->flags & IMG_R_AFTO) || pool == IMG_NONE)
		return DD_TRUE;
	return pool_set(&c, &t->xi->im->pools[pool], side);
}

/* Whether the interface's own address fits. */
static bool
fits_one(const struct tester *t, unsigned side, dd set,
    const struct pfk_ifaddr *a)
{
	static const uint8_t all[16] = { 255, 255, 255, 255, 255, 255, 255,
	    255, 255, 255, 255, 255, 255, 255, 255, 255 };
	dd one = field_bits(t->x, addr_field(side), a->addr, all,
	    a->af == PFK_AF_INET6 ? 16 : 4);
	dd both;

	dd_to(&one, a->af == PFK_AF_INET6 ? dd_minus(one, t->x->v4) :
	    dd_and(one, t->x->v4));
	both = dd_and(one, set);
	dd_drop(one);
	dd_drop(both);
	return both != DD_FALSE;
}

/*
 * The interface's addresses of a family, one of which it is: which one is asked
 * once for all rules.  A chain of questions from the last one up.
 */
static dd
chosen(const struct tester *t, unsigned side, dd set,
    const struct pfk_interface *ifp, uint8_t af, uint32_t by)
{
	char what[PFK_ADDRSTRLEN + 48], text[PFK_ADDRSTRLEN];
	struct pfk_addr addr;
	dd f = DD_FALSE;
	bool any = false;

	for (size_t i = ifp->naddrs; i-- > 0;) {
		const struct pfk_ifaddr *a = &ifp->addrs[i];
		dd fit, q;

		if (a->af != af)
			continue;
		fit = fits_one(t, side, set, a) ? DD_TRUE : DD_FALSE;
		if (any) {
			memcpy(&addr, a->addr, sizeof(addr));
			snprintf(what, sizeof(what), "that it becomes %s, by",
			    addr_format(&addr, (enum pfk_af)af, text));
			q = ask(t, what, rule_text(t, by));
			dd_to(&f, dd_ite(q, fit, f));
			dd_drop(q);
		} else
			f = fit;
		any = true;
	}
	return f;
}

/* The pool is an interface with few addresses. */
static bool
is_chosen(const struct tester *t, const uint32_t *pc, const struct view *v,
    dd *f)
{
	const struct img_rule *r = &t->xi->im->rules[v->by];
	unsigned side = insn_b(*pc);
	const struct img_pool *p;
	const struct pfk_interface *ifp;
	dd set, four, six;

	if (asks_routes(pc) || (r->flags & IMG_R_AFTO))
		return false;
	p = &t->xi->im->pools[side == SIDE_SRC ? r->nat : r->rdr];
	if ((ifp = pool_interface(t->xi, p)) == NULL)
		return false;
	set = addr_test(t, pc);
	four = chosen(t, side, set, ifp, PFK_AF_INET, v->by);
	six = chosen(t, side, set, ifp, PFK_AF_INET6, v->by);
	*f = dd_ite(t->x->v4, four, six);
	dd_drop(set);
	dd_drop(four);
	dd_drop(six);
	return true;
}

/* One of several addresses: if the test holds for all, or none, it is known. */
static dd
some_addr(const struct tester *t, const uint32_t *pc, const struct view *v)
{
	unsigned side = insn_b(*pc);
	dd may = view_set(t, v, side), fits = addr_test(t, pc);
	bool none = !dd_meets(may, fits);
	dd f;

	dd_minus_to(&may, fits);
	dd_drop(fits);
	dd_drop(may);
	if (none || may == DD_FALSE)
		return none ? DD_FALSE : DD_TRUE;
	if (is_chosen(t, pc, v, &f))
		return f;
	return ask(t, side == SIDE_SRC ? "the translated source, for" :
	    "the translated destination, for", rule_text(t, t->rule));
}

dd
translated_addr(const struct tester *t, const uint32_t *pc,
    const struct view *v)
{
	return v->addr == VIEW_UNKNOWN ? some_addr(t, pc, v) :
	    holds_for(t, pc, v);
}
