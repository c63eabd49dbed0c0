/*
 * af-to: packets of the one family become packets of the other (pool_afto.c).
 *
 * The source is one of the pool's.  Of the destination some bits are those of
 * the packet's own, in other places: bit i of the IPv4 address is bit place[i]
 * of the IPv6 one.  The others are the pool's; behind a short prefix they are
 * not followed, and may be anything.
 */
#include <string.h>

#include "compiler/exact/exact_int.h"

#define V4_BITS	32

struct places {
	unsigned first;			/* bits before it come from the pool */
	unsigned place[V4_BITS];
};

static bool
is_rfc6052(unsigned bits)
{
	return bits == 32 || bits == 40 || bits == 48 || bits == 56 ||
	    bits == 64 || bits == 96;
}

/* Behind a prefix of that length, the byte behind the 64th bit left out. */
static void
behind_prefix(struct places *p, unsigned bits)
{
	unsigned at = bits / 8;

	p->first = 0;
	for (unsigned i = 0; i < V4_BITS; i += 8, at++) {
		if (at == 8)
			at++;
		for (unsigned k = 0; k < 8; k++)
			p->place[i + k] = at * 8 + k;
	}
}

static void
last_bits(struct places *p, unsigned first)
{
	p->first = first;
	for (unsigned i = 0; i < V4_BITS; i++)
		p->place[i] = 96 + i;
}

/* The first bits are the pool's. */
static dd
prefix_set(const struct chain *c, const struct img_addr *a, unsigned bits)
{
	struct pfk_addr mask;
	dd f;

	if (a->kind != IMG_ADDR_MASK)
		return DD_TRUE;
	addr_prefix_mask(&mask, bits);
	f = field_bits(c->x, F_DST, a->addr.b, mask.b,
	    a->af == PFK_AF_INET6 ? 16 : 4);
	return f;
}

/* Where the bits are; what is true of the new destination besides. */
static dd
find_places(const struct chain *c, const struct img_rule *r, struct places *p)
{
	const struct img_pool *pools = c->xi->im->pools;
	const struct img_addr *a = &pools[r->rdr != IMG_NONE ? r->rdr :
	    r->nat].addr;
	unsigned bits = addr_mask_bits(&a->mask);

	if (r->naf == PFK_AF_INET && r->rdr != IMG_NONE) {
		last_bits(p, bits > V4_BITS ? V4_BITS : bits);
		return prefix_set(c, a, p->first);
	}
	if (r->naf == PFK_AF_INET) {
		bits = addr_mask_bits(&r->dst.mask);
		if (bits < V4_BITS)
			bits = 96;
		if (is_rfc6052(bits))
			behind_prefix(p, bits);
		else
			last_bits(p, 0);
		return DD_TRUE;
	}
	if (r->rdr == IMG_NONE && bits > 96)
		bits = 96;
	if (is_rfc6052(bits))
		behind_prefix(p, bits);
	else
		last_bits(p, bits > 96 ? bits - 96 : 0);
	return prefix_set(c, a, bits);
}

/* ---- destinations ---- */

static bool
is_kept(const struct places *p, unsigned bit)
{
	for (unsigned i = p->first; i < V4_BITS; i++)
		if (p->place[i] == bit)
			return true;
	return false;
}

/* Of an address of that family, all bits that do not go over. */
static void
forget_others(struct chain *c, const struct places *p, bool v6)
{
	unsigned var = c->x->place[F_DST].first;

	for (unsigned i = 0; i < (v6 ? 128 : p->first); i++)
		if (!v6 || !is_kept(p, i))
			dd_to(&c->set, dd_some(c->set, var + i, var + i + 1));
}

static void
move_bits(struct chain *c, const struct places *p, bool to_v6)
{
	unsigned v4[V4_BITS], v6[V4_BITS], n = 0;
	unsigned var = c->x->place[F_DST].first;

	for (unsigned i = p->first; i < V4_BITS; i++, n++) {
		v4[n] = var + i;
		v6[n] = var + p->place[i];
	}
	dd_to(&c->set, to_v6 ? dd_move(c->set, v4, v6, n) :
	    dd_move(c->set, v6, v4, n));
}

static void
change_destination(struct chain *c, const struct img_rule *r)
{
	struct places p;
	dd known = find_places(c, r, &p);
	bool to_v6 = (r->naf == PFK_AF_INET6) != c->back;

	if (c->back)
		dd_and_to(&c->set, known);
	forget_others(c, &p, !to_v6);
	move_bits(c, &p, to_v6);
	if (!c->back)
		dd_and_to(&c->set, known);
	dd_drop(known);
}

/* ---- the rest ---- */

static dd
echo(const struct chain *c, bool v6)
{
	dd f = field_is(c->x, F_TYPE, v6 ? 128 : 8);

	dd_and_to(&f, v6 ? c->x->icmp6 : c->x->icmp);
	return f;
}

static void
forget_field(struct chain *c, enum field f)
{
	const struct field_place *p = &c->x->place[f];

	dd_to(&c->set, dd_some(c->set, p->first, p->first + p->bits));
}

/* Echo requests change their protocol and type. */
static void
change_icmp(struct chain *c, bool to_v6)
{
	dd from = echo(c, !to_v6), to = echo(c, to_v6);
	dd rest = dd_minus(c->set, from);

	dd_and_to(&c->set, from);
	forget_field(c, F_PROTO);
	forget_field(c, F_TYPE);
	dd_and_to(&c->set, to);
	dd_or_to(&c->set, rest);
	dd_drop(rest);
	dd_drop(from);
	dd_drop(to);
}

static void
change_ports(struct chain *c, const struct img_rule *r)
{
	const struct img_pool *pools = c->xi->im->pools;
	dd rest;

	pin_source_port(c, &pools[r->nat]);
	if (r->rdr == IMG_NONE || pools[r->rdr].port[0] == 0)
		return;
	rest = dd_minus(c->set, c->x->ported);
	dd_and_to(&c->set, c->x->ported);
	pin_field(c, F_DPORT, field_is(c->x, F_DPORT,
	    pools[r->rdr].port[0]));
	dd_or_to(&c->set, rest);
	dd_drop(rest);
}

static dd
family(const struct chain *c, bool v6)
{
	return v6 ? dd_not(c->x->v4) : dd_keep(c->x->v4);
}

/*
 * pf changes the family of a first packet only if it changes something of its
 * transport header.  (That a port is chosen by chance that is the packet's own
 * is left out of account.)
 */
static dd
changed(const struct chain *c, const struct img_rule *r, bool v6)
{
	const struct img_pool *pools = c->xi->im->pools;
	const struct img_pool *nat = &pools[r->nat];
	dd f = echo(c, v6);

	if (nat->port[0] != 0 || nat->port[1] != 0 || (r->rdr != IMG_NONE &&
	    pools[r->rdr].port[0] != 0))
		dd_or_to(&f, c->x->ported);
	return f;
}

static void
change(struct chain *c, const struct img_rule *r, bool to_v6)
{
	const struct img_pool *nat = &c->xi->im->pools[r->nat];
	dd to = family(c, to_v6);

	change_ports(c, r);
	if (c->back)
		pin_field(c, F_SRC, pool_set(c, nat, SIDE_SRC));
	forget_field(c, F_AF);
	change_destination(c, r);
	change_icmp(c, to_v6);
	if (!c->back)
		pin_field(c, F_SRC, pool_set(c, nat, SIDE_SRC));
	dd_and_to(&c->set, to);
	dd_drop(to);
}

void
change_family(struct chain *c, const struct img_rule *r)
{
	bool v6 = r->naf == PFK_AF_INET;	/* as it comes */
	dd before = family(c, v6), stays, moves = changed(c, r, v6), gone;

	/* what stays as it is; what is changed, as it came or as it is now */
	stays = dd_and(c->set, before);
	dd_minus_to(&stays, moves);
	if (c->back) {
		gone = family(c, !v6);
		dd_and_to(&c->set, gone);
		dd_drop(gone);
	} else {
		dd_and_to(&c->set, before);
		dd_and_to(&c->set, moves);
	}
	change(c, r, v6 == c->back);
	if (c->back)
		dd_and_to(&c->set, moves);
	dd_or_to(&c->set, stays);
	dd_drop(stays);
	dd_drop(before);
	dd_drop(moves);
}
