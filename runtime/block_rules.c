/*
 * Which rules may be looked up as one block.
 *
 * A block is a run of pass or block rules that ask for nothing but interface,
 * direction, routing domain, family, protocol, prefixes, ports and TCP flags.
 * All but prefixes and ports are the same in all of them.  Of the four fields
 * with prefixes and ports each is either the same in all rules, or different
 * in each two neighbours; then a rule that does not fit in one of them sends
 * the packet to the very next rule, as pf's skip steps go, and the rules that
 * are evaluated are those up to the first one that matches.
 */
#include <string.h>

#include "runtime/image.h"

/* What a rule of a block may not have. */
#define NOT_SIMPLE (IMG_R_FRAGMENT | IMG_R_ONCE | IMG_R_ANCHOR)

static bool
simple_addr(const struct img_addr *a)
{
	struct pfk_addr run;

	if (a->neg)
		return false;
	if (a->kind == IMG_ADDR_ANY)
		return true;
	addr_prefix_mask(&run, addr_mask_bits(&a->mask));
	return a->kind == IMG_ADDR_MASK && (a->af == PFK_AF_INET6 ?
	    memcmp(&run, &a->mask, sizeof(run)) == 0 :
	    memcmp(&run, &a->mask, 4) == 0);
}

/* Ports that are one interval. */
static bool
simple_ports(uint8_t op)
{
	return op != IMG_OP_XRG && op != IMG_OP_NE;
}

static bool
has_addr(const struct img_rule *r)
{
	return r->src.kind == IMG_ADDR_MASK || r->dst.kind == IMG_ADDR_MASK;
}

static bool
simple_rule(const struct img_rule *r)
{
	return r->action != IMG_MATCH && (r->flags & NOT_SIMPLE) == 0 &&
	    simple_addr(&r->src) && simple_addr(&r->dst) &&
	    (r->af != 0 || !has_addr(r)) &&
	    simple_ports(r->src_port_op) && simple_ports(r->dst_port_op) &&
	    r->os == 0 && r->uid_op == 0 && r->gid_op == 0 &&
	    r->icmp_type == 0 && r->icmp_code == 0 && r->tos == 0 &&
	    r->prob == 0 && r->match_tag == 0 && r->tag == 0 &&
	    r->rcv_ifname == 0 && r->prio == 0 && r->pktrate[0] == 0;
}

/* What is tested once for all. */
static bool
same_head(const struct img_rule *a, const struct img_rule *b)
{
	return ((a->flags ^ b->flags) & (IMG_R_QUICK | IMG_R_IFNOT)) == 0 &&
	    a->ifname == b->ifname && a->direction == b->direction &&
	    a->onrdomain == b->onrdomain && a->af == b->af &&
	    a->proto == b->proto && a->tcp_flags == b->tcp_flags &&
	    a->tcp_flagset == b->tcp_flagset;
}

/* To pf a prefix of length 0 is `any', too. */
static bool
is_any(const struct img_addr *a)
{
	static const struct pfk_addr zero;

	return a->kind == IMG_ADDR_ANY || (a->kind == IMG_ADDR_MASK &&
	    memcmp(&a->mask, &zero, sizeof(zero)) == 0 &&
	    memcmp(&a->addr, &zero, sizeof(zero)) == 0);
}

static bool
same_addr(const struct img_addr *a, const struct img_addr *b)
{
	if (a->neg != b->neg)
		return false;
	if (is_any(a) || is_any(b))
		return is_any(a) && is_any(b);
	return a->kind == b->kind &&
	    memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0 &&
	    memcmp(&a->mask, &b->mask, sizeof(a->mask)) == 0;
}

static bool
same_ports(uint8_t op, const uint16_t p[2], uint8_t op2, const uint16_t p2[2])
{
	return op == op2 && p[0] == p2[0] && p[1] == p2[1];
}

unsigned
image_block_shared(const struct img_rule *a, const struct img_rule *b)
{
	return (unsigned)same_addr(&a->src, &b->src) |
	    (unsigned)same_addr(&a->dst, &b->dst) << 1 |
	    (unsigned)same_ports(a->src_port_op, a->src_port, b->src_port_op,
	    b->src_port) << 2 |
	    (unsigned)same_ports(a->dst_port_op, a->dst_port, b->dst_port_op,
	    b->dst_port) << 3;
}

uint32_t
image_block_length(const struct img_rule *r, uint32_t n)
{
	unsigned same = 0, now = 0;
	uint32_t i;

	if (n == 0 || !simple_rule(&r[0]))
		return 1;
	for (i = 1; i < n; i++) {
		now = image_block_shared(&r[i - 1], &r[i]);
		if (i == 1)
			same = now;
		if (now != same || now == 15 || !simple_rule(&r[i]) ||
		    !same_head(&r[0], &r[i]))
			break;
	}
	/*
	 * If the next rule has a field in common with the last one the way
	 * from there leads past it: that rule is no part of the block.
	 */
	if (i < n && (now & ~same) != 0)
		i--;
	return i > 1 ? i : 1;
}
