/*
 * Translations that leave packets where they can be dealt.
 *
 * Packets are dealt by a number made of their two addresses (shard_deal.c).
 * Where a rule translates addresses of one network into those of another one,
 * all of both are taken for the same in that: they are a class, as are
 * networks that overlap.  So whatever translations make of a packet, and of
 * its answers, on either side of the host, goes to one engine; and so does
 * every state that has a key with such addresses, which is all that a
 * translation asks of other connections (pool_port.c).
 *
 * It must be told before which networks these are, and nothing of the choice
 * may come from chance or in turn: a network to a network or an address, by
 * the address itself or a hash of it, with the packet's own port or a fixed
 * one.  Networks are looked at one by one for each packet, so they are few.
 */
#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/shard.h"

static bool
is_network(const struct img_addr *a)
{
	return a->kind == IMG_ADDR_MASK && !a->neg && a->af != 0 &&
	    !addr_is_zero(&a->mask, (enum pfk_af)a->af);
}

static const char *
pool_random(const struct img_pool *p, bool nat)
{
	if (nat && p->port[0] != p->port[1])
		return "translation: ports by chance";
	if (p->sticky || p->addr.kind != IMG_ADDR_MASK ||
	    (p->type != IMG_POOL_NONE && p->type != IMG_POOL_BITMASK &&
	    p->type != IMG_POOL_SOURCE_HASH))
		return "translation: addresses of a pool";
	return NULL;
}

static const char *
side_shared(const struct img_pool *p, const struct img_addr *from, bool nat)
{
	const char *what = pool_random(p, nat);

	return what != NULL ? what : is_network(from) &&
	    is_network(&p->addr) && p->addr.af == from->af ? NULL :
	    "translation of addresses that are no network";
}

const char *
shard_translation(const struct pfk_image *im, const struct img_rule *r)
{
	const char *what = NULL;

	if (r->flags & IMG_R_AFTO)
		return "af-to";
	if (r->nat != IMG_NONE)
		what = side_shared(&im->pools[r->nat], &r->src, true);
	if (what == NULL && r->rdr != IMG_NONE)
		what = side_shared(&im->pools[r->rdr], &r->dst, false);
	return what;
}

/* ---- which there are ---- */

static bool
same_mask(const struct shard_net *n, const struct img_addr *a)
{
	return n->af == a->af && memcmp(&n->mask, &a->mask,
	    sizeof(n->mask)) == 0 && addr_match_mask(&n->addr, &n->mask,
	    &a->addr, (enum pfk_af)n->af);
}

static bool
overlap(const struct shard_net *a, const struct shard_net *b)
{
	enum pfk_af af = (enum pfk_af)a->af;

	return a->af == b->af &&
	    (addr_match_mask(&a->addr, &a->mask, &b->addr, af) ||
	    addr_match_mask(&b->addr, &b->mask, &a->addr, af));
}

static void
unite(struct shard_nets *s, uint8_t a, uint8_t b)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->net[i].kind == b)
			s->net[i].kind = a;
}

/* The network's place; SHARD_NETS: there is no room. */
static unsigned
add_net(struct shard_nets *s, const struct img_addr *a)
{
	struct shard_net *n;
	unsigned i;

	for (i = 0; i < s->n; i++)
		if (same_mask(&s->net[i], a))
			return i;
	if (i == SHARD_NETS)
		return i;
	n = &s->net[s->n++];
	*n = (struct shard_net){ .af = a->af, .kind = (uint8_t)i,
	    .addr = a->addr, .mask = a->mask };
	for (unsigned k = 0; k < i; k++)
		if (overlap(&s->net[k], n))
			unite(s, s->net[k].kind, n->kind);
	return i;
}

static bool
add_side(struct shard_nets *s, const struct img_addr *from,
    const struct img_addr *to)
{
	unsigned a = add_net(s, from), b = add_net(s, to);

	if (a == SHARD_NETS || b == SHARD_NETS)
		return false;
	unite(s, s->net[a].kind, s->net[b].kind);
	return true;
}

bool
shard_nets_init(struct shard_nets *s, const struct pfk_image *im)
{
	memset(s, 0, sizeof(*s));
	for (uint32_t i = 0; i < im->nrules; i++) {
		const struct img_rule *r = &im->rules[i];

		if ((r->nat == IMG_NONE && r->rdr == IMG_NONE) ||
		    shard_translation(im, r) != NULL)
			continue;
		if ((r->nat != IMG_NONE && !add_side(s, &r->src,
		    &im->pools[r->nat].addr)) || (r->rdr != IMG_NONE &&
		    !add_side(s, &r->dst, &im->pools[r->rdr].addr)))
			return false;
	}
	return true;
}

uint64_t
shard_nets_ask(const struct shard_nets *s, uint8_t af, const uint8_t *addr,
    uint64_t other)
{
	struct pfk_addr a;

	memset(&a, 0, sizeof(a));
	memcpy(a.b, addr, af == PFK_AF_INET6 ? 16 : 4);
	for (unsigned i = 0; i < s->n; i++)
		if (s->net[i].af == af && addr_match_mask(&s->net[i].addr,
		    &s->net[i].mask, &a, (enum pfk_af)af))
			return s->net[i].kind + UINT64_C(1);
	return other;
}
