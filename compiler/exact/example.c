/*
 * Packets of a set: a usual one, whether one is in it, one in words.
 *
 * Of many packets the one that people understand best is wanted: TCP, a SYN,
 * from a high port to a known one.  The wishes are granted one by one, as far
 * as packets are left; then every bit that is still open becomes 0.
 */
#include <stdio.h>
#include <string.h>

#include "compiler/exact/exact_int.h"

#define DIR_IN		1	/* enum pfk_dir */
#define DIR_OUT		2

/* Whether it is granted. */
static bool
wish(dd *set, dd wanted)
{
	dd both = dd_and(*set, wanted);

	dd_drop(wanted);
	if (both == DD_FALSE)
		return false;
	dd_to(set, both);
	return true;
}

/* The last byte of the address (of IPv4: of the first four). */
static dd
host_byte(const struct pfk_exact *x, unsigned side, uint8_t value, bool v6)
{
	uint8_t v[16] = { 0 }, mask[16] = { 0 };
	dd f;

	v[v6 ? 15 : 3] = value;
	mask[v6 ? 15 : 3] = 255;
	f = field_bits(x, addr_field(side), v, mask, 16);
	dd_to(&f, v6 ? dd_minus(f, x->v4) : dd_and(f, x->v4));
	return f;
}

static dd
network(const struct pfk_exact *x, unsigned side, const uint8_t net[3])
{
	static const uint8_t mask[3] = { 255, 255, 255 };
	dd f = field_bits(x, addr_field(side), net, mask, 3);

	dd_and_to(&f, x->v4);
	return f;
}

/* Addresses kept for documentation (RFC 5737), if any will do. */
static void
wish_addresses(const struct pfk_exact *x, dd *set)
{
	static const uint8_t near[3] = { 192, 0, 2 }, far[3] = { 203, 0, 113 };
	static const uint8_t ours[3] = { 198, 51, 100 };

	wish(set, dd_keep(x->v4));
	wish(set, network(x, SIDE_SRC, far));
	if (!wish(set, network(x, SIDE_DST, near)))
		wish(set, network(x, SIDE_DST, ours));
	for (unsigned side = 0; side < 2; side++) {
		uint8_t last = side == SIDE_SRC ? 77 : 10;

		wish(set, host_byte(x, side, last, false));
		wish(set, host_byte(x, side, last, true));
	}
}

static void
wish_protocol(const struct pfk_exact *x, dd *set)
{
	static const uint16_t known[] = { 443, 80, 22, 53, 25 };
	dd echo = field_is(x, F_TYPE, 8), echo6 = field_is(x, F_TYPE, 128);
	bool granted = false;
	size_t i;

	wish(set, dd_keep(x->tcp));
	wish(set, dd_keep(x->ported));
	wish(set, dd_and(echo, x->icmp));
	wish(set, dd_and(echo6, x->icmp6));
	dd_drop(echo);
	dd_drop(echo6);
	wish(set, field_is(x, F_FLAGS, TCP_SYN));
	for (i = 0; i < sizeof(known) / sizeof(known[0]) && !granted; i++)
		granted = wish(set, field_is(x, F_DPORT, known[i]));
	if (!granted && !wish(set, field_between(x, F_DPORT, 1024, 0xffff)))
		wish(set, field_between(x, F_DPORT, 1, 0xffff));
	if (!wish(set, field_is(x, F_SPORT, 50000)) &&
	    !wish(set, field_between(x, F_SPORT, 1024, 0xffff)))
		wish(set, field_between(x, F_SPORT, 1, 0xffff));
}

static void
wish_interface(const struct pfk_exact *x, dd *set)
{
	uint32_t n = (uint32_t)x->ifaces.n;
	bool granted = false;

	wish(set, dd_keep(x->is[0]));
	for (uint32_t i = 0; i < n && !granted; i++)
		if (x->ifaces.v[i].exists &&
		    strncmp(x->ifaces.v[i].name, "lo", 2) != 0)
			granted = wish(set, field_is(x, F_IF, i));
	if (n > 0 && !granted)
		wish(set, field_between(x, F_IF, 0, n - 1));
	wish(set, field_is(x, F_RECEIVED, n + 1));
}

/* What narrows most comes first: the wishes after it cost less. */
static void
wish_all(const struct pfk_exact *x, dd *set)
{
	wish_interface(x, set);
	wish(set, field_is(x, F_FRAGMENT, 0));
	wish_protocol(x, set);
	wish_addresses(x, set);
	for (size_t i = 0; i < x->questions.n; i++)
		wish(set, dd_var(x->nvars + (unsigned)i, false));
	wish(set, field_is(x, F_OPTIONS, 0));
	wish(set, field_is(x, F_TOS, 0));
	wish(set, field_is(x, F_PRIO, 3));
}

/* ---- bits ---- */


typedef uint8_t bits[PACKET_BITS];

static void
set_bit(bits b, unsigned i)
{
	b[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static bool
get_bit(const bits b, unsigned i)
{
	return (b[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* => set is not false, and lies in the universe */
static void
pick_bits(const struct pfk_exact *x, dd set, bits b)
{
	memset(b, 0, sizeof(bits));
	while (!dd_is_constant(set)) {
		unsigned v = dd_node_var(set);
		dd low = dd_node_low(set);

		if (low == DD_FALSE && v < x->nvars)
			set_bit(b, v);
		set = low != DD_FALSE ? low : dd_node_high(set);
	}
}

static uint32_t
read_field(const struct pfk_exact *x, const bits b, enum field f)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < x->place[f].bits; i++)
		v = v << 1 | get_bit(b, x->place[f].first + i);
	return v;
}

static void
write_field(const struct pfk_exact *x, bits b, enum field f, uint32_t v)
{
	unsigned n = x->place[f].bits;

	for (unsigned i = 0; i < n; i++)
		if (v >> (n - 1 - i) & 1)
			set_bit(b, x->place[f].first + i);
}

static void
read_addr(const struct pfk_exact *x, const bits b, enum field f,
    uint8_t addr[16])
{
	memset(addr, 0, 16);
	for (unsigned i = 0; i < 128; i++)
		if (get_bit(b, x->place[f].first + i))
			addr[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static void
write_addr(const struct pfk_exact *x, bits b, enum field f,
    const uint8_t addr[16], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (addr[i / 8] >> (7 - i % 8) & 1)
			set_bit(b, x->place[f].first + i);
}

/* Fields that such a packet does not have: no set depends on them. */
static void
clear_meaningless(struct pfk_exact_packet *p)
{
	bool icmp = p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6;
	bool tcp = p->proto == PROTO_TCP;

	if (p->fragment || !icmp)
		p->icmp_type = p->icmp_code = 0;
	if (p->fragment || !tcp)
		p->flags = 0;
	if (p->fragment || (!tcp && p->proto != PROTO_UDP))
		p->sport = p->dport = 0;
	if (p->af == PFK_AF_INET) {
		memset(p->src + 4, 0, 12);
		memset(p->dst + 4, 0, 12);
	}
}

bool
pfk_exact_example(struct pfk_exact *x, pfk_set of, struct pfk_exact_packet *p)
{
	dd set = dd_and(of, x->universe);
	uint32_t i;
	bits b;

	if (set == DD_FALSE)
		return false;
	wish_all(x, &set);
	pick_bits(x, set, b);
	dd_drop(set);
	memset(p, 0, sizeof(*p));
	p->dir = read_field(x, b, F_DIR) == 0 ? DIR_IN : DIR_OUT;
	i = read_field(x, b, F_IF);
	p->other_if = i >= x->ifaces.n;
	p->ifname = p->other_if ? "other0" : x->ifaces.v[i].name;
	i = read_field(x, b, F_RECEIVED);
	p->received_on = i < x->ifaces.n ? x->ifaces.v[i].name :
	    i == x->ifaces.n ? "other0" : NULL;
	p->af = read_field(x, b, F_AF) == 0 ? PFK_AF_INET : PFK_AF_INET6;
	p->proto = (uint8_t)read_field(x, b, F_PROTO);
	read_addr(x, b, F_SRC, p->src);
	read_addr(x, b, F_DST, p->dst);
	p->sport = (uint16_t)read_field(x, b, F_SPORT);
	p->dport = (uint16_t)read_field(x, b, F_DPORT);
	p->flags = (uint8_t)read_field(x, b, F_FLAGS);
	p->icmp_type = (uint8_t)read_field(x, b, F_TYPE);
	p->icmp_code = (uint8_t)read_field(x, b, F_CODE);
	p->tos = (uint8_t)read_field(x, b, F_TOS);
	p->prio = (uint8_t)read_field(x, b, F_PRIO);
	p->fragment = read_field(x, b, F_FRAGMENT) != 0;
	p->options = read_field(x, b, F_OPTIONS) != 0;
	clear_meaningless(p);
	return true;
}

/* ---- whether a packet is in a set ---- */

static uint32_t
iface_number(const struct pfk_exact *x, const char *name)
{
	for (size_t i = 0; name != NULL && i < x->ifaces.n; i++)
		if (strcmp(x->ifaces.v[i].name, name) == 0)
			return (uint32_t)i;
	return (uint32_t)x->ifaces.n + (name == NULL);
}

/* Names may have changed where they are. */
static bool
same_name(const char *kept, const char *name)
{
	return strcmp(kept, name != NULL ? name : "") == 0;
}

static void
keep_name(char kept[IFNAME_SIZE], const char *name)
{
	kept[0] = '\0';
	if (name != NULL)
		strncat(kept, name, IFNAME_SIZE - 1);
}

static bool
is_asked(const struct pfk_exact *x, const struct pfk_exact_packet *p)
{
	return x->asked.any && memcmp(&x->asked.packet, p, sizeof(*p)) == 0 &&
	    same_name(x->asked.ifname, p->ifname) &&
	    same_name(x->asked.received_on, p->received_on);
}

/* Many sets are asked about one packet: its bits are kept. */
static const uint8_t *
bits_of(struct pfk_exact *x, const struct pfk_exact_packet *p)
{
	unsigned n = p->af == PFK_AF_INET6 ? 128 : 32;
	uint8_t *b = x->asked.b;

	if (is_asked(x, p))
		return b;
	memcpy(&x->asked.packet, p, sizeof(*p));
	keep_name(x->asked.ifname, p->ifname);
	keep_name(x->asked.received_on, p->received_on);
	x->asked.any = true;
	memset(b, 0, sizeof(x->asked.b));
	write_field(x, b, F_DIR, p->dir == DIR_OUT);
	write_field(x, b, F_IF, iface_number(x, p->ifname));
	write_field(x, b, F_RECEIVED, iface_number(x, p->dir == DIR_IN ?
	    p->ifname : p->received_on));
	write_field(x, b, F_AF, p->af == PFK_AF_INET6);
	write_field(x, b, F_PROTO, p->proto);
	write_addr(x, b, F_SRC, p->src, n);
	write_addr(x, b, F_DST, p->dst, n);
	write_field(x, b, F_SPORT, p->sport);
	write_field(x, b, F_DPORT, p->dport);
	write_field(x, b, F_FLAGS, p->flags);
	write_field(x, b, F_TYPE, p->icmp_type);
	write_field(x, b, F_CODE, p->icmp_code);
	write_field(x, b, F_TOS, p->tos & 0xfc);
	write_field(x, b, F_PRIO, p->prio);
	write_field(x, b, F_FRAGMENT, p->fragment);
	write_field(x, b, F_OPTIONS, p->options);
	return b;
}

bool
pfk_set_has(struct pfk_exact *x, pfk_set set, const struct pfk_exact_packet *p)
{
	const uint8_t *b = bits_of(x, p);

	while (!dd_is_constant(set)) {
		unsigned v = dd_node_var(set);

		set = v < x->nvars && get_bit(b, v) ? dd_node_high(set) :
		    dd_node_low(set);
	}
	return set == DD_TRUE;
}

/* ---- in words ---- */

static size_t
flags_text(uint8_t flags, char *text, size_t size)
{
	static const char letters[] = "FSRPAUEW";
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		if (flags >> i & 1 && n + 1 < size)
			text[n++] = letters[i];
	text[n] = '\0';
	return n;
}

static const char *
protocol_text(uint8_t proto, char *text, size_t size)
{
	switch (proto) {
	case PROTO_TCP:
		return "tcp";
	case PROTO_UDP:
		return "udp";
	case PROTO_ICMP:
		return "icmp";
	case PROTO_ICMPV6:
		return "icmp6";
	}
	snprintf(text, size, "%u", proto);
	return text;
}

static void
transport_text(const struct pfk_exact_packet *p, char *from, char *to,
    size_t size)
{
	char flags[10];
	int n;

	*from = *to = '\0';
	if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6) {
		snprintf(to, size, " icmp%s-type %u code %u",
		    p->proto == PROTO_ICMPV6 ? "6" : "", p->icmp_type,
		    p->icmp_code);
		return;
	}
	if (p->proto != PROTO_TCP && p->proto != PROTO_UDP)
		return;
	snprintf(from, size, " port %u", p->sport);
	n = snprintf(to, size, " port %u", p->dport);
	if (p->proto == PROTO_TCP && flags_text(p->flags, flags,
	    sizeof(flags)) > 0)
		snprintf(to + n, size - (size_t)n, " flags %s", flags);
}

size_t
pfk_exact_packet_text(const struct pfk_exact_packet *p, char *text,
    size_t size)
{
	char src[PFK_ADDRSTRLEN], dst[PFK_ADDRSTRLEN], proto[8];
	char from[48], to[48], rest[96];
	enum pfk_af af = (enum pfk_af)p->af;
	struct pfk_addr a, b;
	int n = 0;

	memcpy(&a, p->src, sizeof(a));
	memcpy(&b, p->dst, sizeof(b));
	transport_text(p, from, to, sizeof(from));
	*rest = '\0';
	if (p->tos != 0)
		n += snprintf(rest, sizeof(rest), " tos 0x%02x", p->tos);
	if (p->prio != 3)
		n += snprintf(rest + n, sizeof(rest) - (size_t)n,
		    " prio %u", p->prio);
	if (p->dir == DIR_OUT && p->received_on != NULL)
		n += snprintf(rest + n, sizeof(rest) - (size_t)n,
		    " received-on %.16s", p->received_on);
	if (p->fragment)
		n += snprintf(rest + n, sizeof(rest) - (size_t)n,
		    " fragment");
	if (p->options)
		snprintf(rest + n, sizeof(rest) - (size_t)n,
		    " with IP options");
	n = snprintf(text, size, "%s on %s %s proto %s from %s%s to %s%s%s",
	    p->dir == DIR_OUT ? "out" : "in", p->ifname,
	    af == PFK_AF_INET6 ? "inet6" : "inet",
	    protocol_text(p->proto, proto, sizeof(proto)),
	    addr_format(&a, af, src), p->fragment ? "" : from,
	    addr_format(&b, af, dst), p->fragment ? "" : to, rest);
	return (size_t)n;
}
