/*
 * What comes of packets once they are decided: what is sent back, what they
 * become, where they go.
 *
 * A translation is a chain of steps.  A step makes some variables anything,
 * and then what a pool gives; backwards, packets that could become one of a
 * set are found by the same step with its halves exchanged.  Steps touch
 * different variables, and none looks at what another one made.
 *
 * Which address of several a pool gives is not known here (turns, hashes,
 * chance): every one counts.
 */
#include <string.h>

#include "compiler/exact/exact_int.h"

#define EXACT_PORTS	256	/* as many are mapped one by one */

/* ---- answers ---- */

static dd
types(const struct pfk_exact *x, uint32_t first, uint32_t last)
{
	return field_between(x, F_TYPE, first, last);
}

/* Messages of ICMP that errors are sent about (reply.c). */
static dd
answerable(const struct pfk_exact *x, bool v6)
{
	dd f = v6 ? types(x, 128, 255) : types(x, 0, 0), one;

	if (v6) {
		one = types(x, 137, 137);
		dd_minus_to(&f, one);
	} else {
		one = types(x, 8, 10);
		dd_or_to(&f, one);
		dd_to(&one, types(x, 13, 18));
		dd_or_to(&f, one);
	}
	dd_drop(one);
	one = dd_not(v6 ? x->icmp6 : x->icmp);
	dd_or_to(&f, one);
	dd_drop(one);
	return f;
}

/* Of a family: about what an error of ICMP is sent. */
static dd
icmp_answered(const struct pfk_exact *x, const struct img_rule *r, bool v6)
{
	dd f;

	if ((v6 ? r->return_icmp6 : r->return_icmp) == 0)
		return DD_FALSE;
	f = answerable(x, v6);
	if (v6)
		dd_minus_to(&f, x->v4);
	else
		dd_and_to(&f, x->v4);
	return f;
}

static dd
rst_answered(const struct pfk_exact *x, const struct img_rule *r)
{
	static const uint8_t none = 0, rst = TCP_RST;
	dd f;

	if (r->block != IMG_RETURN && r->block != IMG_RETURN_RST)
		return DD_FALSE;
	f = field_bits(x, F_FLAGS, &none, &rst, 1);
	dd_and_to(&f, x->tcp);
	return f;
}

pfk_set
pfk_verdicts_answered(struct pfk_verdicts *v, size_t region, bool rst)
{
	struct region_in in;
	dd set, one, whole;

	region_in(v, region, &in);
	if (in.rule == NULL || in.rule->action != IMG_BLOCK ||
	    in.rule->block == IMG_DROP)
		return DD_FALSE;
	set = rst_answered(in.x, in.rule);
	if (!rst) {
		one = set;
		set = icmp_answered(in.x, in.rule, false);
		whole = icmp_answered(in.x, in.rule, true);
		dd_or_to(&set, whole);
		dd_drop(whole);
		dd_minus_to(&set, one);
		dd_drop(one);
	}
	whole = field_is(in.x, F_FRAGMENT, 0);
	dd_and_to(&set, whole);
	dd_and_to(&set, in.set);
	dd_drop(whole);
	return set;
}

/* ---- steps ---- */

void
pin(struct chain *c, unsigned first, unsigned n, dd to)
{
	if (c->back)
		dd_and_to(&c->set, to);
	dd_to(&c->set, dd_some(c->set, first, n));
	if (!c->back)
		dd_and_to(&c->set, to);
	dd_drop(to);
}

void
pin_field(struct chain *c, enum field f, dd to)
{
	const struct field_place *p = &c->x->place[f];

	pin(c, p->first, p->first + p->bits, to);
}

/* What of the set lies in `in' is put aside; *rest is what does not. */
static void
set_aside(struct chain *c, dd in, dd *rest)
{
	*rest = dd_minus(c->set, in);
	dd_and_to(&c->set, in);
}

static void
put_back(struct chain *c, dd rest)
{
	dd_or_to(&c->set, rest);
	dd_drop(rest);
}

/* ---- addresses ---- */

static dd
of_family(const struct chain *c, dd f, uint8_t af)
{
	if (af == PFK_AF_INET6)
		dd_minus_to(&f, c->x->v4);
	else
		dd_and_to(&f, c->x->v4);
	return f;
}

static dd
in_network(const struct chain *c, unsigned side, const struct img_addr *a,
    const struct pfk_addr *mask)
{
	return of_family(c, field_bits(c->x, addr_field(side), a->addr.b,
	    mask->b, a->af == PFK_AF_INET6 ? 16 : 4), a->af);
}

/* pool_addr.c */
dd
pool_set(const struct chain *c, const struct img_pool *p, unsigned side)
{
	struct img_addr a = p->addr;
	struct pfk_addr all;

	switch ((enum img_addrkind)a.kind) {
	case IMG_ADDR_MASK:
		memset(&all, 0xff, sizeof(all));
		if (p->type == IMG_POOL_LEAST_STATES &&
		    addr_mask_bits(&a.mask) < (a.af == PFK_AF_INET6 ? 128u :
		    32u))
			return of_family(c, DD_TRUE, a.af);
		return in_network(c, side, &a, p->type == IMG_POOL_NONE ?
		    &all : &a.mask);
	case IMG_ADDR_TABLE:
		return table_set(c->x, c->xi, a.ref, side);
	case IMG_ADDR_DYNAMIC:
		if (p->type == IMG_POOL_NONE)
			a.ifmods |= IMG_IF_NOALIAS;
		return ifaddr_set(c->x, c->xi, &a, side);
	case IMG_ADDR_ANY: case IMG_ADDR_NONE: case IMG_ADDR_RANGE:
	case IMG_ADDR_NO_ROUTE: case IMG_ADDR_URPF_FAILED:
	case IMG_ADDR_ROUTE_LABEL:
		break;
	}
	return DD_TRUE;
}

/* bitmask: the network's bits change, the others stay. */
static void
pin_network(struct chain *c, const struct img_pool *p, unsigned side)
{
	unsigned first = c->x->place[addr_field(side)].first;
	unsigned n = addr_mask_bits(&p->addr.mask);

	pin(c, first, first + n, in_network(c, side, &p->addr,
	    &p->addr.mask));
}

static void
pin_address(struct chain *c, const struct img_pool *p, unsigned side)
{
	if (p->type == IMG_POOL_BITMASK && p->addr.kind == IMG_ADDR_MASK)
		pin_network(c, p, side);
	else
		pin_field(c, addr_field(side), pool_set(c, p, side));
}

/* ---- ports ---- */

static void
pin_ports(struct chain *c, enum field f, uint32_t low, uint32_t high)
{
	dd rest;

	set_aside(c, c->x->ported, &rest);
	pin_field(c, f, field_between(c->x, f, low, high));
	put_back(c, rest);
}

void
pin_source_port(struct chain *c, const struct img_pool *p)
{
	uint16_t a = p->port[0], b = p->port[1];

	if (a != 0 || b != 0)
		pin_ports(c, F_SPORT, a < b ? a : b, a < b ? b : a);
}

/* The port that the rule's own corresponds to (pool.c). */
static uint32_t
mapped(const struct img_rule *r, const struct img_pool *p, uint32_t port)
{
	int range = (uint16_t)(p->port[1] - p->port[0] + 1), n;

	if (range == 0)
		range = 1;
	n = ((int)port - r->dst_port[0]) % range + p->port[0];
	if ((uint32_t)n > 65535)
		n -= 65535;
	return n != 0 ? (uint32_t)n & 0xffff : port;
}

static void
map_ports(struct chain *c, const struct img_rule *r, const struct img_pool *p,
    uint32_t first, uint32_t last)
{
	dd from = c->set, all = DD_FALSE;

	for (uint32_t i = first; i <= last; i++) {
		dd own = field_is(c->x, F_DPORT, i);
		dd its = field_is(c->x, F_DPORT, mapped(r, p, i));

		c->set = dd_and(from, c->back ? its : own);
		pin_field(c, F_DPORT, dd_keep(its));
		if (c->back)
			dd_and_to(&c->set, own);
		dd_or_to(&all, c->set);
		dd_drop(c->set);
		dd_drop(own);
		dd_drop(its);
	}
	dd_drop(from);
	c->set = all;
}

static void
destination_port(struct chain *c, const struct img_rule *r,
    const struct img_pool *p)
{
	uint32_t first = r->dst_port[0], last = first;
	dd rest;

	if (p->port[1] == 0) {
		if (p->port[0] != 0)
			pin_ports(c, F_DPORT, p->port[0], p->port[0]);
		return;
	}
	if (r->dst_port_op == IMG_OP_RRG)
		last = r->dst_port[1];
	else if (r->dst_port_op != IMG_OP_EQ)
		last = 65535;
	if (last < first || last - first >= EXACT_PORTS) {
		pin_ports(c, F_DPORT, p->port[0], p->port[1]);
		return;
	}
	set_aside(c, c->x->ported, &rest);
	map_ports(c, r, p, first, last);
	put_back(c, rest);
}

/* ---- the chain ---- */

static const struct img_rule *
rule_at(const struct region_in *in, uint32_t rule)
{
	return rule == IMG_NONE ? NULL : &in->xi->im->rules[rule];
}

/* The rules whose pools count: the last one of each. */
static void
translators(const struct region_in *in, const struct img_rule **nat,
    const struct img_rule **rdr)
{
	*nat = rule_at(in, in->context->nat);
	*rdr = rule_at(in, in->context->rdr);
	if (in->rule != NULL && in->rule->nat != IMG_NONE)
		*nat = in->rule;
	if (in->rule != NULL && in->rule->rdr != IMG_NONE)
		*rdr = in->rule;
}

/* Without a state nothing is translated. */
static bool
makes_state(const struct region_in *in)
{
	return in->rule != NULL && in->rule->action == IMG_PASS &&
	    in->rule->keep_state != IMG_NO_STATE;
}

static void
set_class(struct chain *c, const struct region_in *in)
{
	struct context all = *in->context;
	dd prio, urgent;

	if (in->rule != NULL && in->rule->action == IMG_BLOCK)
		return;
	if (in->rule != NULL)
		context_add(&all, in->rule);
	if (all.set_tos >= 0)
		pin_field(c, F_TOS, field_is(c->x, F_TOS,
		    (uint32_t)all.set_tos & 0xfc));
	if (all.set_prio == 0)
		return;
	prio = field_is(c->x, F_PRIO, all.set_prio & 0xff);
	urgent = field_is(c->x, F_PRIO, all.set_prio >> 8 & 0xff);
	dd_or_to(&prio, urgent);
	dd_drop(urgent);
	pin_field(c, F_PRIO, prio);
}

static void
translate(struct chain *c, const struct region_in *in)
{
	const struct img_pool *pools = in->xi->im->pools;
	const struct img_rule *nat, *rdr;

	set_class(c, in);
	if (!makes_state(in))
		return;
	translators(in, &nat, &rdr);
	if (nat != NULL && (nat->flags & IMG_R_AFTO)) {
		change_family(c, nat);
		return;
	}
	if (nat != NULL) {
		pin_address(c, &pools[nat->nat], SIDE_SRC);
		pin_source_port(c, &pools[nat->nat]);
	}
	if (rdr != NULL) {
		pin_address(c, &pools[rdr->rdr], SIDE_DST);
		destination_port(c, rdr, &pools[rdr->rdr]);
	}
}

pfk_set
pfk_set_translated(struct pfk_verdicts *v, size_t region, pfk_set set)
{
	struct region_in in;
	struct chain c;

	region_in(v, region, &in);
	c = (struct chain){ in.x, in.xi, dd_and(set, in.set), false };
	if (setjmp(in.x->oom) != 0) {
		in.x->nomem = true;
		return DD_FALSE;
	}
	translate(&c, &in);
	dd_and_to(&c.set, in.x->universe);
	return c.set;
}

pfk_set
pfk_set_untranslated(struct pfk_verdicts *v, size_t region, pfk_set set)
{
	struct region_in in;
	struct chain c;

	region_in(v, region, &in);
	c = (struct chain){ in.x, in.xi, dd_keep(set), true };
	if (setjmp(in.x->oom) != 0) {
		in.x->nomem = true;
		return DD_FALSE;
	}
	translate(&c, &in);
	dd_and_to(&c.set, in.set);
	return c.set;
}

/* ---- forwarding ---- */

static void
forget_crossing(struct pfk_exact *x, dd *f)
{
	const struct field_place *dir = &x->place[F_DIR];
	const struct field_place *on = &x->place[F_IF];

	dd_to(f, dd_some(*f, dir->first, dir->first + dir->bits));
	dd_to(f, dd_some(*f, on->first, on->first + on->bits));
}

pfk_set
pfk_set_forwarded(struct pfk_exact *x, size_t image, pfk_set set,
    const char *out)
{
	dd f = dd_and(set, x->is[0]), on;

	forget_crossing(x, &f);
	on = interface_set(x, &x->images[image], F_IF, out);
	dd_and_to(&f, on);
	dd_and_to(&f, x->is[1]);
	dd_and_to(&f, x->universe);
	dd_drop(on);
	return f;
}

pfk_set
pfk_set_unforwarded(struct pfk_exact *x, pfk_set set)
{
	dd f = dd_and(set, x->is[1]);

	forget_crossing(x, &f);
	dd_and_to(&f, x->is[0]);
	dd_and_to(&f, x->universe);
	return f;
}

/* ---- routes ---- */

/* => c->set is the region: the routes are those of its interfaces */
static enum pfk_route_way
way_to(const struct chain *c, const struct img_pool *p, const char *out)
{
	const struct field_place *dst = &c->x->place[F_DST];
	dd hops = dd_some(c->set, dst->first, dst->first + dst->bits);
	dd pool = pool_set(c, p, SIDE_DST);
	dd there = routed_set(c->x, c->xi, SIDE_DST, out);
	enum pfk_route_way way;

	dd_and_to(&hops, pool);
	dd_drop(pool);
	way = !dd_meets(hops, there) ? PFK_ROUTE_ELSEWHERE :
	    PFK_ROUTE_SOMETIMES;
	dd_minus_to(&hops, there);
	if (hops == DD_FALSE)
		way = PFK_ROUTE_THERE;
	dd_drop(hops);
	dd_drop(there);
	return way;
}

enum pfk_route_way
pfk_verdicts_route(struct pfk_verdicts *v, size_t region, bool reply,
    const char *out)
{
	struct region_in in;
	struct chain c;

	region_in(v, region, &in);
	if (in.rule == NULL || in.rule->rt != (reply ? IMG_REPLY_TO :
	    IMG_ROUTE_TO) ||
	    in.rule->route == IMG_NONE)
		return PFK_ROUTE_HOST;
	c = (struct chain){ in.x, in.xi, in.set, false };
	if (setjmp(in.x->oom) != 0) {
		in.x->nomem = true;
		return PFK_ROUTE_HOST;
	}
	return way_to(&c, &in.xi->im->pools[in.rule->route], out);
}
