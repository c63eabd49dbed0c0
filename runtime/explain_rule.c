/*
 * Why a rule does not match: every test of its record, one after the other,
 * and nothing counted.
 *
 * A test looks at one criterion of the rule and says whether the packet has
 * it; the table below is in the order of enum pfk_explain_test, which is
 * pf's.  The machine (vm.c) is what decides; this must come to the same.
 */
#include <string.h>

#include "runtime/explain.h"

#define ND_NEIGHBOR_ADVERT	136
#define PRIO_ZERO		0xff

struct question {
	struct pfk_engine *e;
	const struct filter *f;
	struct pkt	*p;
	const struct rt_rule *rr;
	const struct img_rule *r;
	bool		 other;		/* af-to: of another family by now */
};

static bool
is_icmp(const struct pkt *p)
{
	return p->vproto == PROTO_ICMP || p->vproto == PROTO_ICMPV6;
}

static bool
has_ports(const struct pkt *p)
{
	return p->vproto == PROTO_TCP || p->vproto == PROTO_UDP;
}

/* ---- who and where ---- */

static bool
not_used_up(const struct question *q)
{
	return !q->rr->n.expired;
}

static bool
interface(const struct question *q)
{
	bool not = (q->r->flags & IMG_R_IFNOT) != 0;

	return q->r->ifname == 0 ||
	    iface_is(q->e, q->p->ifid, q->rr->if_index) != not;
}

static bool
direction(const struct question *q)
{
	return q->r->direction == IMG_INOUT || q->r->direction == q->p->dir;
}

static bool
rdomain(const struct question *q)
{
	bool not = (q->r->flags & IMG_R_IFNOT) != 0;

	return q->r->onrdomain < 0 ||
	    (q->p->rdomain == (unsigned)q->r->onrdomain) != not;
}

static bool
family(const struct question *q)
{
	return q->r->af == 0 || q->r->af == q->p->af;
}

static bool
protocol(const struct question *q)
{
	return q->r->proto == 0 || q->r->proto == q->p->proto;
}

/* ---- addresses ---- */

struct end {
	const struct pfk_addr *addr;
	uint8_t		 af;
	unsigned	 side;
};

static bool
under_mask(const struct img_addr *a, const struct end *n)
{
	unsigned bytes = n->af == PFK_AF_INET ? 4 : 16;

	for (unsigned i = 0; i < bytes; i++)
		if (((n->addr->b[i] ^ a->addr.b[i]) & a->mask.b[i]) != 0)
			return false;
	return true;
}

static bool
in_range(const struct question *q, const struct img_addr *a,
    const struct end *n)
{
	enum pfk_af af = (enum pfk_af)n->af;

	if (af == PFK_AF_INET6 && (a->af == 4 || q->r->af == 4))
		return false;
	return addr_cmp(&a->addr, n->addr, af) <= 0 &&
	    addr_cmp(n->addr, &a->mask, af) <= 0;
}

/* The routes are not asked about link-local addresses. */
static bool
is_scoped(const struct end *n)
{
	const uint8_t *b = n->addr->b;

	return n->af == PFK_AF_INET6 && ((b[0] == 0xfe &&
	    (b[1] & 0xc0) == 0x80) || (b[0] == 0xff &&
	    ((b[1] & 0x0f) == 1 || (b[1] & 0x0f) == 2)));
}

static unsigned
rtable(const struct question *q)
{
	return q->f->actions.rtable >= 0 ? (unsigned)q->f->actions.rtable :
	    q->p->rdomain;
}

static bool
by_route(const struct question *q, const struct img_addr *a,
    const struct end *n)
{
	struct route_entry route;
	bool known;

	if (a->kind == IMG_ADDR_URPF_FAILED)
		return n->side == DST || (!is_scoped(n) &&
		    !route_urpf_ok(q->e, n->af, n->addr, q->p->ifid,
		    rtable(q)));
	known = route_lookup(q->e, n->af, n->addr, rtable(q), &route);
	if (a->kind == IMG_ADDR_NO_ROUTE)
		return !is_scoped(n) && !known;
	return known && route.label != NULL && strcmp(route.label,
	    image_string(q->rr->image, a->ref)) == 0;
}

static bool
addr_fits(const struct question *q, const struct img_addr *a,
    const struct end *n)
{
	const struct rt_rule *rr = q->rr;

	switch ((enum img_addrkind)a->kind) {
	case IMG_ADDR_ANY:
	case IMG_ADDR_NONE:
	case IMG_ADDR_MASK:
		return under_mask(a, n);
	case IMG_ADDR_RANGE:
		return in_range(q, a, n);
	case IMG_ADDR_DYNAMIC:
		return iface_addr_match(q->e, n->side == SRC ? rr->src_if :
		    rr->dst_if, a, n->af, n->addr);
	case IMG_ADDR_TABLE:
		return table_contains(q->e, n->side == SRC ? rr->src_table :
		    rr->dst_table, n->af, n->addr);
	case IMG_ADDR_NO_ROUTE:
	case IMG_ADDR_URPF_FAILED:
	case IMG_ADDR_ROUTE_LABEL:
		return by_route(q, a, n);
	}
	return false;
}

static bool
end_fits(const struct question *q, unsigned side)
{
	const struct pkt *p = q->p;
	const struct img_addr *a = side == SRC ? &q->r->src : &q->r->dst;
	struct end n = { .side = side,
	    .addr = q->other ? &p->naddr[side] : &p->addr[side],
	    .af = side == SRC ? p->naf : p->af };

	return addr_fits(q, a, &n) != (a->neg != 0);
}

static bool
source(const struct question *q)
{
	return end_fits(q, SRC);
}

static bool
destination(const struct question *q)
{
	return end_fits(q, DST);
}

/* ---- the protocol's own header ---- */

static bool
whole(const struct question *q)
{
	const struct img_rule *r = q->r;

	return q->p->vproto != VPROTO_FRAGMENT || (r->src_port_op == 0 &&
	    r->dst_port_op == 0 && r->icmp_type == 0 && r->icmp_code == 0 &&
	    r->uid_op == 0 && r->gid_op == 0);
}

static bool
flags(const struct question *q)
{
	const struct pkt *p = q->p;

	if (p->vproto == VPROTO_FRAGMENT)
		return p->proto != PROTO_TCP || q->r->tcp_flagset == 0;
	return p->vproto != PROTO_TCP ||
	    (p->tcp_flags & q->r->tcp_flagset) == q->r->tcp_flags;
}

static bool
os(const struct question *q)
{
	return q->r->os == 0 || q->p->vproto != PROTO_TCP ||
	    osfp_match(q->p, q->rr->os);
}

static bool
compare(uint8_t op, uint32_t a, uint32_t b, uint32_t v)
{
	const bool answers[] = { true, v > a && v < b, v < a || v > b, v == a,
	    v != a, v < a, v <= a, v > a, v >= a, v >= a && v <= b };

	return answers[op];
}

static bool
port_fits(const struct question *q, unsigned side, uint8_t op,
    const uint16_t port[2])
{
	const struct pkt *p = q->p;

	return !has_ports(p) || compare(op, port[0], port[1],
	    port_host(q->other ? p->nport[side] : p->port[side]));
}

static bool
source_port(const struct question *q)
{
	return port_fits(q, SRC, q->r->src_port_op, q->r->src_port);
}

static bool
destination_port(const struct question *q)
{
	return port_fits(q, DST, q->r->dst_port_op, q->r->dst_port);
}

/* There are no sockets: every owner is unknown. */
static bool
owner_fits(const struct question *q, uint8_t op, const uint32_t id[2])
{
	if (op == IMG_OP_NONE || !has_ports(q->p))
		return true;
	return (op == IMG_OP_EQ || op == IMG_OP_NE) &&
	    compare(op, id[0], id[1], UINT32_MAX);
}

static bool
user(const struct question *q)
{
	return owner_fits(q, q->r->uid_op, q->r->uid);
}

static bool
group(const struct question *q)
{
	return owner_fits(q, q->r->gid_op, q->r->gid);
}

static bool
icmp(const struct question *q)
{
	const struct img_rule *r = q->r;

	return !is_icmp(q->p) ||
	    ((r->icmp_type == 0 || r->icmp_type == q->f->icmp_type + 1) &&
	    (r->icmp_code == 0 || r->icmp_code == q->f->icmp_code + 1));
}

static bool
query(const struct question *q)
{
	const struct filter *f = q->f;

	return q->r->keep_state == IMG_NO_STATE ||
	    q->r->flags & IMG_R_SLOPPY || !is_icmp(q->p) || f->state_icmp ||
	    f->icmp_dir == PFK_IN || (q->p->vproto == PROTO_ICMPV6 &&
	    f->icmp_type == ND_NEIGHBOR_ADVERT);
}

/* ---- the rest ---- */

static bool
fragment(const struct question *q)
{
	return !(q->r->flags & IMG_R_FRAGMENT) ||
	    q->p->vproto == VPROTO_FRAGMENT;
}

static bool
tos(const struct question *q)
{
	return q->r->tos == 0 || q->r->tos == q->p->tos;
}

static bool
tag(const struct question *q)
{
	uint16_t has = q->f->tag != 0 ? q->f->tag : q->p->tag;
	bool not = (q->r->flags & IMG_R_MATCH_TAG_NOT) != 0;

	return q->r->match_tag == 0 || (has == q->rr->match_tag) != not;
}

static bool
received_on(const struct question *q)
{
	bool not = (q->r->flags & IMG_R_RCVIFNOT) != 0;
	bool is;

	if (q->r->rcv_ifname == 0)
		return true;
	is = q->p->rcvif != IF_NONE &&
	    iface_is(q->e, q->p->rcvif, q->rr->rcvif_index);
	return is != not;
}

static bool
prio(const struct question *q)
{
	uint8_t want = q->r->prio == PRIO_ZERO ? 0 : q->r->prio;

	return q->r->prio == 0 || want == q->p->prio;
}

/* Chance, rates: asked once, by the machine. */
static bool
not_asked(const struct question *q)
{
	(void)q;
	return true;
}

static const struct test {
	const char	*name;
	bool		(*fits)(const struct question *);
} tests[] = {
	[PFK_TEST_ONCE] =		{ "once", not_used_up },
	[PFK_TEST_INTERFACE] =		{ "interface", interface },
	[PFK_TEST_DIRECTION] =		{ "direction", direction },
	[PFK_TEST_RDOMAIN] =		{ "rdomain", rdomain },
	[PFK_TEST_FAMILY] =		{ "address family", family },
	[PFK_TEST_PROTOCOL] =		{ "protocol", protocol },
	[PFK_TEST_SOURCE] =		{ "source address", source },
	[PFK_TEST_DESTINATION] =	{ "destination address", destination },
	[PFK_TEST_WHOLE] =		{ "not a fragment", whole },
	[PFK_TEST_FLAGS] =		{ "TCP flags", flags },
	[PFK_TEST_OS] =			{ "operating system", os },
	[PFK_TEST_SOURCE_PORT] =	{ "source port", source_port },
	[PFK_TEST_DESTINATION_PORT] =	{ "destination port",
	    destination_port },
	[PFK_TEST_USER] =		{ "user", user },
	[PFK_TEST_GROUP] =		{ "group", group },
	[PFK_TEST_ICMP] =		{ "ICMP type", icmp },
	[PFK_TEST_QUERY] =		{ "not an answer", query },
	[PFK_TEST_FRAGMENT] =		{ "fragment", fragment },
	[PFK_TEST_TOS] =		{ "tos", tos },
	[PFK_TEST_PROBABILITY] =	{ "probability", not_asked },
	[PFK_TEST_TAG] =		{ "tag", tag },
	[PFK_TEST_RECEIVED_ON] =	{ "received-on", received_on },
	[PFK_TEST_PRIO] =		{ "prio", prio },
	[PFK_TEST_RATE] =		{ "max-pkt-rate", not_asked },
};
_Static_assert(sizeof(tests) / sizeof(tests[0]) == PFK_NTESTS,
    "a test is missing");

const char *
pfk_explain_test_name(enum pfk_explain_test t)
{
	return tests[t].name;
}

unsigned
explain_failures(struct pfk_engine *e, const struct filter *f, uint32_t rule)
{
	struct question q = { .e = e, .f = f, .p = f->p,
	    .rr = &e->rules[rule], .r = e->rules[rule].r,
	    .other = f->p->naf != f->p->af };
	unsigned failed = 0;

	for (unsigned t = 0; t < PFK_NTESTS; t++)
		if (!tests[t].fits(&q))
			failed |= 1u << t;
	return failed;
}
