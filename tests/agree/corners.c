/*
 * Packets out of a ruleset's corners.
 *
 * A rule is drawn, and a packet made that fits it or just does not: addresses
 * at both ends of its networks and ranges and one beyond, ports likewise,
 * flags with one bit turned.  What the rule leaves open comes from others.
 * Half of all packets have to do with recent ones: the same again, the same
 * but for one field, an answer, an error that quotes it; so states are met,
 * and whatever remembers packets.
 */
#include <string.h>

#include "runtime/image.h"
#include "tests/agree/agree.h"

/* ---- numbers ---- */

static unsigned
pick(struct corners *c, unsigned n)
{
	return random_below(c->r, n);
}

/* a + 1 or a - 1, over all bytes. */
static void
step(uint8_t *a, unsigned len, bool up)
{
	for (unsigned i = len; i-- > 0;) {
		a[i] = (uint8_t)(a[i] + (up ? 1 : 0xff));
		if (a[i] != (up ? 0 : 0xff))
			break;
	}
}

static unsigned
addr_len(uint8_t af)
{
	return af == 4 ? 4 : 16;
}

/* In the network or beside it. */
static void
near_network(struct corners *c, uint8_t af, const uint8_t *net,
    const uint8_t *mask, uint8_t *out)
{
	unsigned len = addr_len(af), how = pick(c, 8);

	for (unsigned i = 0; i < len; i++) {
		uint8_t host = how < 2 ? 0 : how < 4 ? 0xff :
		    (uint8_t)random_u64(c->r);

		out[i] = (uint8_t)((net[i] & mask[i]) | (host & ~mask[i]));
	}
	if (how == 1 || how == 3)
		step(out, len, how == 3);
	if (how == 7) {
		unsigned bit = pick(c, len * 8);

		out[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	}
}

static void
near_range(struct corners *c, uint8_t af, const uint8_t *low,
    const uint8_t *high, uint8_t *out)
{
	unsigned how = pick(c, 5);

	memcpy(out, how < 2 ? low : high, addr_len(af));
	if (how == 1 || how == 3)
		step(out, addr_len(af), how == 3);
	if (how == 4)
		step(out, addr_len(af), false);
}

static void
prefix_mask(unsigned bits, uint8_t mask[16])
{
	memset(mask, 0, 16);
	for (unsigned i = 0; i < bits; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

/* ---- addresses ---- */

static void
any_addr(struct corners *c, uint8_t af, uint8_t *out)
{
	static const uint8_t bases[4][16] = { { 10, 0, 0, 2 },
	    { 192, 0, 2, 2 }, { 203, 0, 113, 9 }, { 172, 16, 10, 5 } };
	static const uint8_t base6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 2 };

	memcpy(out, af == 4 ? bases[pick(c, 4)] : base6, 16);
	out[addr_len(af) - 1] = (uint8_t)pick(c, 8);
}

static bool
table_addr(struct corners *c, const struct img_table *t, uint8_t af,
    uint8_t *out)
{
	const struct img_table_addr *a;
	uint8_t mask[16];

	if (t->naddrs == 0)
		return false;
	a = &c->im->table_addrs[t->addr0 + pick(c, t->naddrs)];
	if (a->af != af)
		return false;
	prefix_mask(a->bits, mask);
	near_network(c, af, a->addr.b, mask, out);
	return true;
}

static bool
iface_addr(struct corners *c, uint8_t af, uint8_t *out)
{
	const struct pfk_interface *ifs;
	const struct pfk_ifaddr *a;
	uint8_t mask[16];
	size_t n;

	ifs = pfk_host_interfaces(c->host, &n);
	if (n == 0)
		return false;
	ifs += pick(c, (unsigned)n);
	if (ifs->naddrs == 0)
		return false;
	a = &ifs->addrs[pick(c, (unsigned)ifs->naddrs)];
	if (a->af != af)
		return false;
	prefix_mask(once_in(c->r, 2) ? af == 4 ? 32 : 128 : a->prefixlen,
	    mask);
	near_network(c, af, a->addr, mask, out);
	return true;
}

static bool
family_fits(const struct img_addr *a, uint8_t af)
{
	return a->af == 0 || a->af == af;
}

/* false: it says nothing about addresses of the family. */
static bool
near_addr(struct corners *c, const struct img_addr *a, uint8_t af,
    uint8_t *out)
{
	static const uint8_t none[16];

	switch ((enum img_addrkind)a->kind) {
	case IMG_ADDR_MASK:
		if (!family_fits(a, af) || memcmp(&a->mask, none, 16) == 0)
			return false;
		near_network(c, af, a->addr.b, a->mask.b, out);
		return true;
	case IMG_ADDR_RANGE:
		if (!family_fits(a, af))
			return false;
		near_range(c, af, a->addr.b, a->mask.b, out);
		return true;
	case IMG_ADDR_TABLE:
		return table_addr(c, &c->im->tables[a->ref], af, out);
	case IMG_ADDR_DYNAMIC:
		return iface_addr(c, af, out);
	case IMG_ADDR_ANY:
	case IMG_ADDR_NO_ROUTE:
	case IMG_ADDR_URPF_FAILED:
	case IMG_ADDR_ROUTE_LABEL:
	case IMG_ADDR_NONE:
		break;
	}
	return false;
}

static const struct img_rule *
some_rule(struct corners *c)
{
	return &c->im->rules[pick(c, c->im->nrules)];
}

/* What pools give is met again behind the translation. */
static bool
pool_addr(struct corners *c, uint8_t af, uint8_t *out)
{
	return c->im->npools != 0 && near_addr(c,
	    &c->im->pools[pick(c, c->im->npools)].addr, af, out);
}

void
corners_addr(struct corners *c, uint8_t af, uint8_t addr[16])
{
	memset(addr, 0, 16);
	for (unsigned tries = 0; tries < 4 && c->im->nrules != 0; tries++) {
		const struct img_rule *r = some_rule(c);

		if (near_addr(c, once_in(c->r, 2) ? &r->src : &r->dst, af,
		    addr))
			return;
	}
	if (once_in(c->r, 4) && pool_addr(c, af, addr))
		return;
	if (!once_in(c->r, 2) || !iface_addr(c, af, addr))
		any_addr(c, af, addr);
}

/* ---- the other fields ---- */

static uint16_t
any_port(struct corners *c)
{
	static const uint16_t known[] = { 20, 22, 53, 80, 443, 1023, 1024,
	    8080, 49151, 50001, 65535, 1 };

	return once_in(c->r, 5) ? (uint16_t)random_u64(c->r) :
	    known[pick(c, 12)];
}

static uint16_t
near_port(struct corners *c, uint8_t op, const uint16_t port[2])
{
	if (op == IMG_OP_NONE)
		return any_port(c);
	return (uint16_t)(port[op != IMG_OP_EQ && once_in(c->r, 2)] +
	    (once_in(c->r, 3) ? pick(c, 3) : 1) - 1);
}

static uint16_t
iface_of(struct corners *c, const char *name)
{
	const struct pfk_interface *i;

	for (unsigned tries = 0; tries < 6; tries++) {
		unsigned n = pick(c, c->nifaces);

		if (name[0] == '\0' || strcmp(c->ifnames[n], name) == 0)
			return (uint16_t)n;
		i = pfk_host_interface(c->host, c->ifnames[n]);
		if (i != NULL && pfk_host_in_group(i, name))
			return (uint16_t)n;
	}
	return (uint16_t)pick(c, c->nifaces);
}

static uint8_t
family(struct corners *c, const struct img_rule *r)
{
	uint8_t af = r->af != 0 ? r->af : r->src.af != 0 ? r->src.af :
	    r->dst.af;

	if (af == 0 || once_in(c->r, 40))
		af = once_in(c->r, 3) ? 6 : 4;
	return af;
}

static void
set_tcp(struct corners *c, const struct img_rule *r, struct brief *b)
{
	static const uint8_t usual[] = { 0x02, 0x02, 0x02, 0x12, 0x10, 0x18,
	    0x11, 0x04 };

	b->flags = once_in(c->r, 2) && r->tcp_flagset != 0 ? r->tcp_flags :
	    usual[pick(c, 8)];
	if (once_in(c->r, 8))
		b->flags ^= (uint8_t)(1 << pick(c, 8));
	b->seq = 1000 * (1 + pick(c, 3));
	b->ack = b->flags & 0x10 ? 1000 * (1 + pick(c, 3)) + 1 : 0;
	b->win = once_in(c->r, 8) ? 0 : 16384;
	b->mss = b->flags & 2 && once_in(c->r, 2) ? 1460 : 0;
}

static void
set_icmp(struct corners *c, const struct img_rule *r, struct brief *b)
{
	static const uint8_t v4[] = { 8, 0, 8, 3, 11, 13, 17, 5 };
	static const uint8_t v6[] = { 128, 129, 128, 135, 136, 1, 2, 133 };

	b->type = b->af == 4 ? v4[pick(c, 8)] : v6[pick(c, 8)];
	if (r->icmp_type != 0 && !once_in(c->r, 4))
		b->type = (uint8_t)(r->icmp_type - 1);
	if (r->icmp_code != 0 && !once_in(c->r, 4))
		b->code = (uint8_t)(r->icmp_code - 1);
	else
		b->code = (uint8_t)(once_in(c->r, 4) ? pick(c, 5) : 0);
	b->id = (uint16_t)pick(c, 4);
}

static void
set_transport(struct corners *c, const struct img_rule *r, struct brief *b)
{
	static const uint8_t others[] = { 6, 6, 17, 17, 1, 47, 50, 2 };

	b->proto = r->proto != 0 && !once_in(c->r, 12) ? r->proto :
	    others[pick(c, 8)];
	if (b->proto == 1 && b->af == 6 && !once_in(c->r, 20))
		b->proto = 58;
	if (b->proto == 58 && b->af == 4 && !once_in(c->r, 20))
		b->proto = 1;
	b->port[0] = near_port(c, r->src_port_op, r->src_port);
	b->port[1] = near_port(c, r->dst_port_op, r->dst_port);
	b->payload = (uint16_t)(once_in(c->r, 3) ? pick(c, 40) : 0);
	if (b->proto == 6)
		set_tcp(c, r, b);
	else if (b->proto == 1 || b->proto == 58)
		set_icmp(c, r, b);
}

static void
set_fragment(struct corners *c, struct brief *b)
{
	b->part = true;
	b->payload = 64;
	b->from = (uint16_t)(8 * pick(c, 5));
	b->to = (uint16_t)(b->from + 8 * (1 + pick(c, 5)));
	b->more = once_in(c->r, 2);
	b->ipid = (uint16_t)pick(c, 4);
}

static void
set_details(struct corners *c, const struct img_rule *r, struct brief *b)
{
	b->tos = r->tos != 0 && !once_in(c->r, 3) ? r->tos :
	    (uint8_t)(once_in(c->r, 6) ? 4 * pick(c, 64) : 0);
	b->ttl = (uint8_t)(once_in(c->r, 12) ? pick(c, 3) : 64);
	b->df = once_in(c->r, 4);
	b->ipid = (uint16_t)pick(c, 8);
	b->options = once_in(c->r, 40);
	b->extension = once_in(c->r, 60);
	b->wrong_sum = once_in(c->r, 100);
	b->cut = (uint16_t)(once_in(c->r, 200) ? 1 + pick(c, 30) : 0);
	b->link = (uint8_t)(once_in(c->r, 8) ? pick(c, 3) : 0);
	if (once_in(c->r, r->flags & IMG_R_FRAGMENT ? 2 : 40))
		set_fragment(c, b);
}

static void
set_place(struct corners *c, const struct img_rule *r, struct brief *b)
{
	b->ifid = iface_of(c, image_string(c->im, r->rcv_ifname != 0 &&
	    once_in(c->r, 2) ? r->rcv_ifname : r->ifname));
	b->dir = r->direction != 0 && !once_in(c->r, 8) ? r->direction :
	    (uint8_t)(1 + pick(c, 2));
	if (b->dir == PFK_IN && once_in(c->r, 12))
		b->dir = PFK_FWD;
}

/* One rule after another too, so that neighbours are met. */
static const struct img_rule *
next_rule(struct corners *c)
{
	static const struct img_rule any;
	uint32_t n = c->im->nrules;

	if (n == 0)
		return &any;
	c->rule = once_in(c->r, 4) ? (c->rule + 1) % n : pick(c, n);
	return &c->im->rules[c->rule];
}

static void
draw_new(struct corners *c, struct brief *b)
{
	const struct img_rule *r = next_rule(c);

	memset(b, 0, sizeof(*b));
	b->af = family(c, r);
	if (once_in(c->r, 12) || !near_addr(c, &r->src, b->af, b->src))
		corners_addr(c, b->af, b->src);
	if (once_in(c->r, 12) || !near_addr(c, &r->dst, b->af, b->dst))
		corners_addr(c, b->af, b->dst);
	set_transport(c, r, b);
	set_details(c, r, b);
	set_place(c, r, b);
}

/* ---- that have to do with recent ones ---- */

/* The same but for one field. */
static void
change_one(struct corners *c, struct brief *b)
{
	unsigned at = pick(c, addr_len(b->af) * 8);

	switch (pick(c, 12)) {
	case 0: b->src[at / 8] ^= (uint8_t)(0x80 >> at % 8); break;
	case 1: b->dst[at / 8] ^= (uint8_t)(0x80 >> at % 8); break;
	case 2: step(b->src, addr_len(b->af), once_in(c->r, 2)); break;
	case 3: step(b->dst, addr_len(b->af), once_in(c->r, 2)); break;
	case 4: b->port[0] = (uint16_t)(b->port[0] + 1); break;
	case 5: b->port[1] = (uint16_t)(b->port[1] - 1); break;
	case 6: b->flags ^= (uint8_t)(1 << pick(c, 8)); break;
	case 7: b->ifid = (uint16_t)pick(c, c->nifaces); break;
	case 8: b->dir = (uint8_t)(1 + pick(c, 3)); break;
	case 9: b->tos ^= 0x10; break;
	case 10: b->payload = (uint16_t)pick(c, 60); break;
	default: b->proto = b->proto == 6 ? 17 : 6; break;
	}
}

static void
turn_round(struct brief *b)
{
	uint8_t addr[16];
	uint16_t port = b->port[0];

	memcpy(addr, b->src, 16);
	memcpy(b->src, b->dst, 16);
	memcpy(b->dst, addr, 16);
	b->port[0] = b->port[1];
	b->port[1] = port;
	b->dir = b->dir == PFK_OUT ? PFK_IN : PFK_OUT;
}

static void
answer(struct corners *c, struct brief *b)
{
	uint32_t seq = b->seq;

	turn_round(b);
	if (b->proto == 1)
		b->type = 0;
	else if (b->proto == 58)
		b->type = 129;
	if (b->proto != 6)
		return;
	b->seq = b->flags & 0x10 ? b->ack : 5000;
	b->ack = seq + b->payload + ((b->flags & 3) != 0 ? 1u : 0u);
	b->flags = b->flags == 2 ? 0x12 : once_in(c->r, 6) ? 0x11 :
	    once_in(c->r, 12) ? 0x14 : 0x10;
	b->mss = 0;
}

/* What the same end sends next. */
static void
go_on(struct corners *c, struct brief *b)
{
	if (b->proto != 6)
		return;
	b->seq += b->payload + ((b->flags & 3) != 0 ? 1u : 0u);
	b->ack = b->ack != 0 ? b->ack : 5001;
	b->flags = once_in(c->r, 6) ? 0x11 : once_in(c->r, 12) ? 0x04 : 0x18;
	b->payload = (uint16_t)pick(c, 50);
	b->mss = 0;
}

static void
quote(struct corners *c, struct brief *b)
{
	uint8_t frame[FRAME_MAX];
	struct brief q = *b;
	size_t len;

	q.link = 0;
	len = frame_build(&q, frame);
	turn_round(b);
	b->part = false;
	b->payload = 0;
	b->proto = b->af == 4 ? 1 : 58;
	b->type = b->af == 4 ? 3 : 1;
	b->code = (uint8_t)(once_in(c->r, 4) ? 4 : 1);
	b->seq = 1280;
	b->nquote = (uint8_t)(len < QUOTE_MAX ? len : QUOTE_MAX);
	memcpy(b->quote, frame, b->nquote);
}

static void
draw_recent(struct corners *c, struct brief *b)
{
	*b = c->recent[pick(c, c->nrecent)];
	switch (pick(c, 8)) {
	case 0: case 1:
		change_one(c, b);
		break;
	case 2: case 3:
		answer(c, b);
		break;
	case 4:
		go_on(c, b);
		break;
	case 5:
		if (b->nquote == 0 && once_in(c->r, 2))
			quote(c, b);
		break;
	default:
		break;
	}
}

void
corners_draw(struct corners *c, struct brief *b)
{
	unsigned at;

	if (c->nrecent != 0 && once_in(c->r, 2))
		draw_recent(c, b);
	else
		draw_new(c, b);
	at = c->nrecent < RECENT ? c->nrecent++ : pick(c, RECENT);
	c->recent[at] = *b;
}

/* ---- set-up ---- */

static void
add_iface(struct corners *c, const char *name)
{
	for (unsigned i = 0; i < c->nifaces; i++)
		if (strcmp(c->ifnames[i], name) == 0)
			return;
	if (c->nifaces < IFACES_MAX)
		c->ifnames[c->nifaces++] = name;
}

void
corners_init(struct corners *c, const struct pfk_image *im,
    const struct pfk_host *host, struct random *r)
{
	const struct pfk_interface *ifs;
	size_t n;

	c->im = im;
	c->host = host;
	c->r = r;
	c->nifaces = c->nrecent = 0;
	c->rule = 0;
	ifs = pfk_host_interfaces(host, &n);
	for (size_t i = 0; i < n && i < IFACES_MAX / 2; i++)
		add_iface(c, ifs[i].name);
	add_iface(c, "tun9");
	for (uint32_t i = 0; i < im->nrules; i++) {
		const char *name = image_string(im, im->rules[i].ifname);

		if (name[0] != '\0' && strcmp(name, "any") != 0 &&
		    !pfk_host_is_group(host, name))
			add_iface(c, name);
	}
}
