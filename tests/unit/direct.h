/*
 * The rules without a machine: a walk over an image's records, one field
 * after the other, in the plainest way.  What it decides, and what it counts
 * as evaluated, is what the bytecode must come to.
 *
 * It knows the little world of the tests (struct world) by heart and looks
 * through it from one end to the other; it shares nothing with the engine
 * but the records.
 */
#ifndef TESTS_DIRECT_H
#define TESTS_DIRECT_H

#include <stdlib.h>
#include <string.h>

#include "runtime/image.h"
#include "runtime/pkt.h"

struct world_route { uint8_t af, bits; struct pfk_addr dst; const char *ifname,
    *label; };
struct world {
	const struct pfk_interface *ifs;
	size_t		 nifs;
	const struct world_route *routes;
	size_t		 nroutes;
};

/* A packet, with names where the engine has numbers. */
struct direct_packet {
	const char	*ifname, *rcvif, *tag;
	unsigned	 rdomain;
	uint8_t		 af, dir, proto, tos, flags, prio;
	bool		 fragment;
	struct pfk_addr	 addr[2];
	uint16_t	 port[2];
	uint8_t		 icmp_type, icmp_code;
	bool		 icmp_answer, icmp_error;
	uint32_t	 second;
};

struct direct_rule { uint64_t evaluations; bool expired; uint32_t count,
    last; };
struct direct {
	const struct pfk_image *im;
	const struct world *world;
	struct direct_rule *rules;
	/* of one packet */
	const struct direct_packet *p;
	const char	*tag;
	uint32_t	 rule, anchor, here;
	uint32_t	 matches[4096];
	unsigned	 nmatches, depth;
};

static inline const struct pfk_interface *
world_interface(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->nifs; i++)
		if (strcmp(w->ifs[i].name, name) == 0)
			return &w->ifs[i];
	return NULL;
}

static inline bool
world_in_group(const struct pfk_interface *i, const char *group)
{
	for (size_t g = 0; i->groups != NULL && i->groups[g] != NULL; g++)
		if (strcmp(i->groups[g], group) == 0)
			return true;
	return false;
}

static inline bool
direct_iface(const struct direct *d, const char *packet, const char *rule)
{
	const struct pfk_interface *i = world_interface(d->world, packet);

	if (strcmp(packet, rule) == 0)
		return true;
	if (strcmp(rule, "any") == 0)
		return i == NULL || !(i->flags & PFK_IFF_LOOPBACK);
	return i != NULL && world_in_group(i, rule);
}

static inline bool
direct_prefix(const struct pfk_addr *a, const struct pfk_addr *b,
    unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if (((a->b[i / 8] ^ b->b[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static inline bool
direct_table(const struct direct *d, uint32_t table, const struct pfk_addr *a)
{
	const struct img_table *t = &d->im->tables[table];
	int best = -1;
	bool in = false;

	for (uint32_t i = 0; !(t->flags & IMG_T_DEFINED) && t->anchor != 0 &&
	    i < d->im->ntables; i++)
		if (d->im->tables[i].anchor == 0 &&
		    d->im->tables[i].name == t->name) {
			t = &d->im->tables[i];
			break;
		}
	for (uint32_t i = 0; i < t->naddrs; i++) {
		const struct img_table_addr *e =
		    &d->im->table_addrs[t->addr0 + i];

		if (e->af != d->p->af || (int)e->bits <= best ||
		    !direct_prefix(&e->addr, a, e->bits))
			continue;
		best = e->bits;
		in = !e->neg;
	}
	/* (the first of equal prefixes counts) */
	return in;
}

static inline bool
direct_dynamic(const struct direct *d, const struct img_addr *ra,
    const struct pfk_addr *a)
{
	const char *name = image_string(d->im, ra->ref);

	for (size_t i = 0; i < d->world->nifs; i++) {
		const struct pfk_interface *f = &d->world->ifs[i];

		if (strcmp(f->name, name) != 0 && !world_in_group(f, name))
			continue;
		for (size_t j = 0; j < f->naddrs; j++) {
			struct pfk_addr own;
			unsigned bits = addr_bits((enum pfk_af)d->p->af);

			if (f->addrs[j].af != d->p->af)
				continue;
			memcpy(&own, f->addrs[j].addr, sizeof(own));
			if (ra->ifmods & IMG_IF_NETWORK)
				bits = f->addrs[j].prefixlen;
			if (direct_prefix(&own, a, bits))
				return true;
		}
	}
	return false;
}

static inline const struct world_route *
direct_route(const struct direct *d, const struct pfk_addr *a)
{
	const struct world_route *best = NULL;

	for (size_t i = 0; i < d->world->nroutes; i++) {
		const struct world_route *r = &d->world->routes[i];

		if (r->af == d->p->af && (best == NULL || r->bits >
		    best->bits) && direct_prefix(&r->dst, a, r->bits))
			best = r;
	}
	return best;
}

static inline bool
direct_addr(const struct direct *d, const struct img_addr *ra, unsigned side)
{
	const struct pfk_addr *a = &d->p->addr[side];
	const struct world_route *r;
	unsigned len = addr_bits((enum pfk_af)d->p->af) / 8;

	switch ((enum img_addrkind)ra->kind) {
	case IMG_ADDR_MASK:
		for (unsigned i = 0; i < len; i++)
			if (((ra->addr.b[i] ^ a->b[i]) & ra->mask.b[i]) != 0)
				return false;
		return true;
	case IMG_ADDR_RANGE:
		return memcmp(&ra->addr, a, len) <= 0 &&
		    memcmp(a, &ra->mask, len) <= 0;
	case IMG_ADDR_DYNAMIC:
		return direct_dynamic(d, ra, a);
	case IMG_ADDR_TABLE:
		return direct_table(d, ra->ref, a);
	case IMG_ADDR_NO_ROUTE:
		return direct_route(d, a) == NULL;
	case IMG_ADDR_URPF_FAILED:
		r = direct_route(d, a);
		return side == 1 || r == NULL ||
		    strcmp(r->ifname, d->p->ifname) != 0;
	case IMG_ADDR_ROUTE_LABEL:
		r = direct_route(d, a);
		return r != NULL && r->label != NULL && strcmp(r->label,
		    image_string(d->im, ra->ref)) == 0;
	case IMG_ADDR_ANY:
	case IMG_ADDR_NONE:
		break;
	}
	return true;
}

static inline bool
direct_compare(uint8_t op, uint32_t a, uint32_t b, uint32_t v)
{
	const bool results[] = { true, v > a && v < b, v < a || v > b, v == a,
	    v != a, v < a, v <= a, v > a, v >= a, v >= a && v <= b };

	return results[op];
}

enum { F_IF, F_DIR, F_RDOM, F_AF, F_PROTO, F_SRC, F_DST, F_SPORT, F_DPORT,
    F_OTHER };

/*
 * As pf compares for its skip steps: only what the kind of address has; `any'
 * is 0/0.  What else stands in the records, of whatever was there before, is
 * not looked at.
 */
static inline bool
direct_same_addr(const struct img_addr *a, const struct img_addr *b)
{
	static const struct pfk_addr zero;
	bool any[2] = { a->kind == IMG_ADDR_ANY, b->kind == IMG_ADDR_ANY };
	const struct pfk_addr *x = any[0] ? &zero : &a->addr,
	    *y = any[1] ? &zero : &b->addr, *m = any[0] ? &zero : &a->mask,
	    *n = any[1] ? &zero : &b->mask;
	uint8_t kind = any[0] ? IMG_ADDR_MASK : a->kind;

	if (kind != (any[1] ? IMG_ADDR_MASK : b->kind) || a->neg != b->neg)
		return false;
	switch (kind) {
	case IMG_ADDR_MASK:
	case IMG_ADDR_RANGE:
		return memcmp(x, y, sizeof(*x)) == 0 &&
		    memcmp(m, n, sizeof(*m)) == 0;
	case IMG_ADDR_DYNAMIC:
		return a->ref == b->ref && a->ifmods == b->ifmods &&
		    memcmp(m, n, sizeof(*m)) == 0;
	case IMG_ADDR_TABLE:
	case IMG_ADDR_ROUTE_LABEL:
		return a->ref == b->ref;
	default:
		return true;
	}
}

static inline bool
direct_same(const struct img_rule *a, const struct img_rule *b, int field)
{
	bool neg = (a->flags & IMG_R_IFNOT) == (b->flags & IMG_R_IFNOT);

	switch (field) {
	case F_IF: return neg && a->ifname == b->ifname;
	case F_DIR: return a->direction == b->direction;
	case F_RDOM: return neg && a->onrdomain == b->onrdomain;
	case F_AF: return a->af == b->af;
	case F_PROTO: return a->proto == b->proto;
	case F_SRC: return direct_same_addr(&a->src, &b->src);
	case F_DST: return direct_same_addr(&a->dst, &b->dst);
	case F_SPORT: return a->src_port_op == b->src_port_op &&
	    memcmp(a->src_port, b->src_port, sizeof(a->src_port)) == 0;
	case F_DPORT: return a->dst_port_op == b->dst_port_op &&
	    memcmp(a->dst_port, b->dst_port, sizeof(a->dst_port)) == 0;
	default: return false;
	}
}

/* The field in which the packet fails the rule, or -1. */
static inline int
direct_transport(const struct direct *d, const struct img_rule *r)
{
	const struct direct_packet *p = d->p;
	bool tcp = p->proto == 6, udp = p->proto == 17;
	bool icmp = p->proto == 1 || p->proto == 58;

	if (p->fragment)
		return r->src_port_op != 0 || r->dst_port_op != 0 ||
		    (tcp && r->tcp_flagset != 0) || r->icmp_type != 0 ||
		    r->icmp_code != 0 || r->uid_op != 0 || r->gid_op != 0 ?
		    F_OTHER : -1;
	if (tcp && (p->flags & r->tcp_flagset) != r->tcp_flags)
		return F_OTHER;
	if ((tcp || udp) && !direct_compare(r->src_port_op, r->src_port[0],
	    r->src_port[1], p->port[0]))
		return F_SPORT;
	if ((tcp || udp) && !direct_compare(r->dst_port_op, r->dst_port[0],
	    r->dst_port[1], p->port[1]))
		return F_DPORT;
	if ((tcp || udp) && r->uid_op != 0 && ((r->uid_op != IMG_OP_EQ &&
	    r->uid_op != IMG_OP_NE) || !direct_compare(r->uid_op, r->uid[0],
	    r->uid[1], UINT32_MAX)))
		return F_OTHER;
	if (icmp && ((r->icmp_type != 0 && r->icmp_type != p->icmp_type + 1) ||
	    (r->icmp_code != 0 && r->icmp_code != p->icmp_code + 1)))
		return F_OTHER;
	if (icmp && r->keep_state != 0 && !(r->flags & IMG_R_SLOPPY) &&
	    p->icmp_answer && !p->icmp_error &&
	    !(p->proto == 58 && p->icmp_type == 136))
		return F_OTHER;
	return -1;
}

static inline bool
direct_rest(struct direct *d, const struct img_rule *r, struct direct_rule *n)
{
	const struct direct_packet *p = d->p;
	const char *tag = d->tag != NULL ? d->tag : p->tag;
	bool has;

	if ((r->flags & IMG_R_FRAGMENT) && !p->fragment)
		return false;
	if (r->tos != 0 && r->tos != p->tos)
		return false;
	has = tag != NULL && r->match_tag != 0 &&
	    strcmp(tag, image_string(d->im, r->match_tag)) == 0;
	if (r->match_tag != 0 && has == !!(r->flags & IMG_R_MATCH_TAG_NOT))
		return false;
	has = p->rcvif != NULL && r->rcv_ifname != 0 && direct_iface(d,
	    p->rcvif, image_string(d->im, r->rcv_ifname));
	if (r->rcv_ifname != 0 && has == !!(r->flags & IMG_R_RCVIFNOT))
		return false;
	if (r->prio != 0 && (r->prio == 0xff ? 0 : r->prio) != p->prio)
		return false;
	if (r->pktrate[0] == 0)
		return true;
	if (p->second - n->last >= r->pktrate[1])
		n->count = 0;
	else
		n->count -= n->count * (p->second - n->last) / r->pktrate[1];
	n->count += 1000;
	n->last = p->second;
	return n->count <= r->pktrate[0] * 1000;
}

static inline int
direct_fails(struct direct *d, const struct img_rule *r,
    struct direct_rule *n)
{
	const struct direct_packet *p = d->p;
	bool ifnot = (r->flags & IMG_R_IFNOT) != 0;
	int field;

	if ((r->ifname == 0 || direct_iface(d, p->ifname,
	    image_string(d->im, r->ifname))) == (r->ifname == 0 ? false :
	    ifnot))
		return F_IF;
	if (r->direction != 0 && r->direction != p->dir)
		return F_DIR;
	if (r->onrdomain >= 0 && ((unsigned)r->onrdomain == p->rdomain) ==
	    ifnot)
		return F_RDOM;
	if (r->af != 0 && r->af != p->af)
		return F_AF;
	if (r->proto != 0 && r->proto != p->proto)
		return F_PROTO;
	if (direct_addr(d, &r->src, 0) == (r->src.neg != 0))
		return F_SRC;
	if (direct_addr(d, &r->dst, 1) == (r->dst.neg != 0))
		return F_DST;
	if ((field = direct_transport(d, r)) >= 0)
		return field;
	return direct_rest(d, r, n) ? -1 : F_OTHER;
}

enum direct_end { DIRECT_ON, DIRECT_QUICK, DIRECT_FAIL };
static inline enum direct_end direct_anchor(struct direct *, uint32_t);

static inline enum direct_end
direct_call(struct direct *d, const struct img_rule *r, uint32_t rule)
{
	const struct img_anchor *a = &d->im->anchors[r->call];
	uint32_t above = d->here;
	enum direct_end end = DIRECT_ON;
	bool wild = (r->flags & IMG_R_WILDCARD) != 0;

	for (uint32_t i = 0; i < (wild ? a->nchildren : 1); i++) {
		if (d->depth == 63)
			return DIRECT_FAIL;
		d->depth++;
		d->here = rule;
		end = direct_anchor(d, wild ? a->child0 + i : r->call);
		d->here = above;
		d->depth--;
		if (end == DIRECT_ON && (r->flags & IMG_R_QUICK) &&
		    d->anchor == rule)
			end = DIRECT_QUICK;
		if (end != DIRECT_ON)
			break;
	}
	return end;
}

static inline enum direct_end
direct_anchor(struct direct *d, uint32_t anchor)
{
	const struct img_anchor *a = &d->im->anchors[anchor];
	enum direct_end end = DIRECT_ON;

	for (uint32_t i = 0; i < a->nrules && end == DIRECT_ON;) {
		uint32_t rule = a->rule0 + i, next = i + 1;
		const struct img_rule *r = &d->im->rules[rule];
		struct direct_rule *n = &d->rules[rule];
		int field;

		i++;
		if (n->expired)
			continue;
		n->evaluations++;
		field = direct_fails(d, r, n);
		if (field >= 0) {
			while (field != F_OTHER && next < a->nrules &&
			    direct_same(r, &d->im->rules[a->rule0 + next],
			    field))
				next++;
			i = next;
			continue;
		}
		if (r->tag != 0)
			d->tag = image_string(d->im, r->tag);
		if (r->flags & IMG_R_ANCHOR) {
			end = direct_call(d, r, rule);
			continue;
		}
		n->expired = (r->flags & IMG_R_ONCE) != 0;
		if (r->action == IMG_MATCH)
			d->matches[d->nmatches++] = rule;
		else {
			d->rule = rule;
			d->anchor = d->here;
		}
		if (r->flags & IMG_R_QUICK)
			end = DIRECT_QUICK;
	}
	return end;
}

static inline enum direct_end
direct_run(struct direct *d, const struct direct_packet *p)
{
	d->p = p;
	d->tag = NULL;
	d->rule = d->anchor = d->here = IMG_NONE;
	d->nmatches = d->depth = 0;
	return direct_anchor(d, 0);
}

#endif
