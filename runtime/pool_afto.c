/*
 * af-to: the addresses of the other family.
 *
 * The source comes from the first pool.  The destination: from the second
 * (`to`), with the packet's own embedded in it or laid over it; without one an
 * IPv4 destination is what the IPv6 one has embedded, and an IPv6 destination
 * is the IPv4 one embedded behind the prefix of the new source.
 *
 * Embedding is RFC 6052's: the four bytes follow a prefix of 32, 40, 48, 56,
 * 64 or 96 bits, and pass over the byte behind the 64th bit.  Prefixes of 97
 * to 128 bits leave the rest of the last 32 for the address's own end.
 */
#include <string.h>

#include "runtime/pool.h"

enum { ICMP_ECHOREPLY = 0, ICMP_ECHO = 8, ICMP6_ECHO = 128,
    ICMP6_ECHOREPLY = 129 };

static bool
is_rfc6052(unsigned bits)
{
	return bits == 32 || bits == 40 || bits == 48 || bits == 56 ||
	    bits == 64 || bits == 96;
}

/* The first bits of prefix, the rest of addr; 0 bits: addr. */
static uint32_t
lay_over(const uint8_t *addr, const uint8_t *prefix, unsigned bits)
{
	uint32_t mask = bits == 0 ? 0 : bits >= 32 ? UINT32_MAX :
	    ~(UINT32_MAX >> bits);

	return (get32(addr) & ~mask) | (get32(prefix) & mask);
}

bool
afto_extract(struct pfk_addr *to4, const struct pfk_addr *from6,
    unsigned bits)
{
	unsigned at = bits / 8;

	if (is_rfc6052(bits)) {
		for (int i = 0; i < 4; i++, at++) {
			if (at == 8)
				at++;
			to4->b[i] = from6->b[at];
		}
		return true;
	}
	if (bits < 96 || bits > 128)
		return false;
	memcpy(to4->b, from6->b + 12, 4);
	return true;
}

bool
afto_embed(struct pfk_addr *to6, const struct pfk_addr *from4,
    const struct pfk_addr *prefix, unsigned bits)
{
	struct pfk_addr from = *from4;
	unsigned at = bits / 8;

	*to6 = *prefix;
	if (is_rfc6052(bits)) {
		to6->b[8] = 0;
		for (int i = 0; i < 4; i++, at++) {
			if (at == 8)
				at++;
			to6->b[at] = from.b[i];
		}
		return true;
	}
	if (bits < 96 || bits > 128)
		return false;
	put32(to6->b + 12, lay_over(from.b, prefix->b + 12, bits - 96));
	return true;
}

/* The key's type of an echo, as the other family numbers it. */
static uint16_t
other_type(uint16_t type, uint8_t from_proto)
{
	if (from_proto == PROTO_ICMPV6) {
		if (type == port_net(ICMP6_ECHO))
			return port_net(ICMP_ECHO);
		if (type == port_net(ICMP6_ECHOREPLY))
			return port_net(ICMP_ECHOREPLY);
	} else {
		if (type == port_net(ICMP_ECHO))
			return port_net(ICMP6_ECHO);
		if (type == port_net(ICMP_ECHOREPLY))
			return port_net(ICMP6_ECHOREPLY);
	}
	return type;
}

/* With `to`: its address, and the packet's. */
static bool
destination_of_pool(struct pfk_engine *e, struct filter *f, uint32_t rule,
    const struct pfk_addr *src, struct pfk_addr *to)
{
	struct pkt *p = f->p;
	struct pool *q = rule_pool(e, e->rules[rule].rdr);
	struct choice c = { .e = e, .f = f, .rule = rule, .pool = q,
	    .type = NODE_RDR, .af = p->naf, .src = src };
	unsigned bits = addr_mask_bits(&q->p->addr.mask);

	if (!pool_choose(&c))
		return false;
	if (q->p->port[0] != 0)
		p->nport[DST] = port_net(q->p->port[0]);
	if (p->naf == PFK_AF_INET)
		put32(to->b, lay_over(p->addr[DST].b + 12, c.addr.b,
		    bits > 32 ? 32 : bits));
	else
		(void)afto_embed(to, &p->addr[DST], &c.addr, bits);
	return true;
}

static void
destination_of_packet(const struct pkt *p, const struct rt_rule *rr,
    const struct img_pool *nat, const struct pfk_addr *src,
    struct pfk_addr *to)
{
	unsigned bits;

	if (p->naf == PFK_AF_INET) {
		bits = addr_mask_bits(&rr->r->dst.mask);
		(void)afto_extract(to, &p->addr[DST], bits < 32 ? 96 : bits);
	} else {
		bits = addr_mask_bits(&nat->addr.mask);
		(void)afto_embed(to, &p->addr[DST], src, bits > 96 ? 96 : bits);
	}
}

bool
pool_translate_af(struct pfk_engine *e, struct filter *f, uint32_t rule)
{
	const struct rt_rule *rr = &e->rules[rule];
	struct pkt *p = f->p;
	struct choice c = { .e = e, .f = f, .rule = rule,
	    .pool = rule_pool(e, rr->nat), .type = NODE_NAT, .af = p->naf,
	    .src = &p->addr[SRC] };
	int typeside = p->dir == PFK_IN ? DST : SRC;
	struct pfk_addr to;

	memset(&to, 0, sizeof(to));
	if (c.pool == NULL || !pool_choose_port(&c, &p->nport[SRC]))
		return false;
	p->nport[DST] = p->port[DST];
	if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6)
		p->nport[typeside] = other_type(p->nport[typeside], p->proto);
	if (rr->rdr == IMG_NONE)
		destination_of_packet(p, rr, c.pool->p, &c.addr, &to);
	else if (!destination_of_pool(e, f, rule, &c.addr, &to))
		return false;
	memset(p->naddr, 0, sizeof(p->naddr));
	memcpy(p->naddr[SRC].b, c.addr.b, p->naf == PFK_AF_INET6 ? 16 : 4);
	p->naddr[DST] = to;
	return true;
}
