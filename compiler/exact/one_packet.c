/*
 * Rules that describe one packet: hosts, ports and numbers, one of each.
 *
 * No sets are needed for that, so that it works where there are no diagrams.
 */
#include <string.h>

#include "compiler/exact/exact_int.h"

static bool
one_address(const struct img_addr *a, uint8_t *af, uint8_t addr[16])
{
	unsigned bits = a->af == PFK_AF_INET6 ? 128 : 32;

	if (a->kind != IMG_ADDR_MASK || a->neg || a->af == 0 ||
	    addr_mask_bits(&a->mask) < bits)
		return false;
	*af = a->af;
	memset(addr, 0, 16);
	memcpy(addr, a->addr.b, bits / 8);
	return true;
}

bool
pfk_rule_address(const struct pfk_image *im, uint32_t rule, unsigned side,
    uint8_t *af, uint8_t addr[16])
{
	const struct img_rule *r = &im->rules[rule];

	return one_address(side == SIDE_SRC ? &r->src : &r->dst, af, addr);
}

/* Nothing that a packet's bytes do not tell. */
static bool
asks_for_packets_only(const struct img_rule *r)
{
	return r->os == 0 && r->uid_op == 0 && r->gid_op == 0 &&
	    r->match_tag == 0 && r->rcv_ifname == 0 && r->prob == 0 &&
	    r->pktrate[0] == 0 && r->onrdomain < 0 &&
	    (r->flags & (IMG_R_FRAGMENT | IMG_R_IFNOT)) == 0;
}

static bool
one_place(const struct pfk_image *im, const struct img_rule *r,
    struct pfk_exact_packet *p)
{
	p->dir = r->direction;
	p->ifname = image_string(im, r->ifname);
	return r->ifname != 0 && (r->direction == IMG_IN ||
	    r->direction == IMG_OUT);
}

static bool
one_transport(const struct img_rule *r, struct pfk_exact_packet *p)
{
	p->proto = r->proto;
	switch (r->proto) {
	case 0:
		return false;
	case PROTO_TCP:
		p->flags = r->tcp_flagset != 0 ? r->tcp_flags : TCP_SYN;
		/* FALLTHROUGH */
	case PROTO_UDP:
		p->sport = r->src_port[0];
		p->dport = r->dst_port[0];
		return r->src_port_op == IMG_OP_EQ &&
		    r->dst_port_op == IMG_OP_EQ;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		p->icmp_type = (uint8_t)(r->icmp_type - 1);
		p->icmp_code = r->icmp_code != 0 ?
		    (uint8_t)(r->icmp_code - 1) : 0;
		return r->icmp_type != 0;
	default:
		return true;
	}
}

bool
pfk_rule_packet(const struct pfk_image *im, uint32_t rule,
    struct pfk_exact_packet *out)
{
	const struct img_rule *r = &im->rules[rule];
	struct pfk_exact_packet p;
	uint8_t af;

	memset(&p, 0, sizeof(p));
	if (!asks_for_packets_only(r) || !one_place(im, r, &p) ||
	    !one_transport(r, &p) || !one_address(&r->src, &p.af, p.src) ||
	    !one_address(&r->dst, &af, p.dst) || af != p.af)
		return false;
	if (p.dir == IMG_IN)
		p.received_on = p.ifname;
	p.tos = r->tos;
	p.prio = 3;
	*out = p;
	return true;
}
