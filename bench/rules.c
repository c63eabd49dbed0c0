/*
 * Rulesets.
 *
 *	hosts	one source host each
 *	fields	each asks for other fields than the one before it
 *	ports	one port each
 *	acl, fw, ipc
 *		drawn from distributions of the kind that ClassBench (Taylor
 *		and Turner, 2005) found in access lists, firewalls and
 *		chains: protocols, prefix lengths, classes of ports; and
 *		addresses that lie in each other's networks, because each is a
 *		walk down a tree whose branches have unequal weight
 *	chain	as ipc, cut into anchors that are entered by destination
 *	real	as fw, behind what most people's rulesets begin with: match
 *		rules that scrub, translate and set, anchors for other programs,
 *		which are empty, and what is blocked early
 *	hosts6, acl6, ipc6, fw6
 *		the same rules for IPv6: a network of n bits becomes one of
 *		32 + n, a host one of 128
 *
 * The distributions are our own, of the published shape; no seed files are
 * needed.  No rule is there twice, and narrow ones tend to stand first.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

const char *const shape_names[NSHAPES] = { "hosts", "fields", "ports",
    "hosts6", "acl", "ipc", "fw", "chain", "acl6", "ipc6", "fw6", "real" };

/* Classes of ports: any, 1024 and up, below it, some range, one. */
enum ports { PORTS_ANY, PORTS_HIGH, PORTS_LOW, PORTS_RANGE, PORTS_ONE,
    NPORTS };

/* Percents; prefix lengths by groups of eight: 0, 1-8, ..., 25-31, 32. */
struct profile {
	uint8_t		 proto[4];		/* tcp, udp, icmp, any */
	uint8_t		 bits[2][6];
	uint8_t		 ports[2][NPORTS];
	uint8_t		 even[2];	/* how often, on average, the lighter
					   branch is taken */
};
static const struct profile acl = {
	{ 78, 14, 3, 5 },
	{ { 6, 1, 8, 27, 20, 38 }, { 2, 1, 4, 14, 15, 64 } },
	{ { 97, 1, 0, 1, 1 }, { 14, 5, 1, 18, 62 } },
	{ 14, 12 }
};
static const struct profile fw = {
	{ 62, 22, 6, 10 },
	{ { 36, 1, 6, 9, 10, 38 }, { 26, 1, 5, 10, 12, 46 } },
	{ { 78, 8, 2, 3, 9 }, { 32, 10, 3, 13, 42 } },
	{ 18, 18 }
};
static const struct profile ipc = {
	{ 66, 18, 5, 11 },
	{ { 12, 2, 10, 20, 16, 40 }, { 9, 2, 9, 18, 16, 46 } },
	{ { 84, 5, 1, 3, 7 }, { 34, 7, 2, 12, 45 } },
	{ 16, 16 }
};
static const struct profile *const profiles[NSHAPES] = {
	[SHAPE_ACL] = &acl, [SHAPE_IPC] = &ipc, [SHAPE_FW] = &fw,
	[SHAPE_CHAIN] = &ipc, [SHAPE_ACL6] = &acl, [SHAPE_IPC6] = &ipc,
	[SHAPE_FW6] = &fw, [SHAPE_REAL] = &fw
};

bool
shape_is_v6(enum shape shape)
{
	return shape == SHAPE_HOSTS6 || (shape >= SHAPE_ACL6 &&
	    shape != SHAPE_REAL);
}

static unsigned
pick(struct random *r, const uint8_t *percent)
{
	unsigned at = random_below(r, 100), i = 0;

	for (; at >= percent[i]; i++)
		at -= percent[i];
	return i;
}

static uint32_t
mask_of(unsigned bits)
{
	return bits == 0 ? 0 : ~(uint32_t)0 << (32 - bits);
}

/* Below each network one half is the heavier: which, its address says. */
static uint32_t
walk(struct random *r, unsigned bits, unsigned even, uint64_t tree)
{
	uint32_t a = 0;

	for (unsigned i = 0; i < bits; i++) {
		uint64_t m = mix64(a ^ (uint64_t)i << 32 ^ tree << 40);
		unsigned lesser = (unsigned)(m >> 8) % (2 * even);
		bool heavy = random_below(r, 100) >= lesser;

		a |= (uint32_t)((m & 1) ^ (heavy ? 0 : 1)) << (31 - i);
	}
	return a;
}

static unsigned
prefix_length(struct random *r, unsigned group)
{
	if (group == 0)
		return 0;
	if (group == 5)
		return 32;
	if (random_below(r, 2) == 0 && group < 4)
		return group * 8;	/* whole bytes are what people write */
	return group * 8 - 7 + random_below(r, group == 4 ? 7 : 8);
}

static void
set_ports(struct random *r, enum ports class, uint16_t port[2])
{
	static const uint16_t known[] = { 80, 443, 22, 25, 53, 1521, 3306,
	    8080, 110, 143, 21, 23, 123, 161, 389, 445, 1433, 3389, 5060,
	    5432 };
	static const uint16_t ranges[][2] = { { 135, 139 }, { 20, 21 },
	    { 6000, 6063 }, { 1024, 5000 }, { 161, 162 }, { 7000, 7009 },
	    { 1713, 1717 }, { 8000, 8999 }, { 1300, 1399 }, { 0, 2000 } };

	port[0] = 0;
	port[1] = 65535;
	switch (class) {
	case PORTS_HIGH:
		port[0] = 1024;
		break;
	case PORTS_LOW:
		port[1] = 1023;
		break;
	case PORTS_RANGE:
		if (random_below(r, 3) != 0) {
			memcpy(port, ranges[random_below(r, 10)], 4);
			break;
		}
		port[0] = (uint16_t)(1 + random_below(r, 60000));
		port[1] = (uint16_t)(port[0] + 1 + random_below(r, 2000));
		break;
	case PORTS_ONE:
		port[0] = (uint16_t)(random_below(r, 3) != 0 ?
		    known[random_below(r, 20)] :
		    1 + random_below(r, random_below(r, 4) ? 1100 : 65534));
		port[1] = port[0];
		break;
	case PORTS_ANY:
	case NPORTS:
		break;
	}
}

static void
any_rule(struct rule *r, uint8_t proto)
{
	memset(r, 0, sizeof(*r));
	r->proto = proto;
	r->port[0][1] = r->port[1][1] = 65535;
}

static void
host(struct rule *r, unsigned side, uint32_t addr)
{
	r->addr[side] = addr;
	r->bits[side] = 32;
}

static void
drawn_rule(struct rule *r, const struct profile *p, struct random *random)
{
	static const uint8_t protos[] = { 6, 17, 1, 0 };

	any_rule(r, protos[pick(random, p->proto)]);
	for (unsigned side = 0; side < 2; side++) {
		unsigned bits = prefix_length(random, pick(random,
		    p->bits[side]));

		r->bits[side] = (uint8_t)bits;
		do
			r->addr[side] = walk(random, bits, p->even[side],
			    side + 1);
		while (r->addr[side] >> 24 == 127);
		if (r->proto == 6 || r->proto == 17)
			set_ports(random, (enum ports)pick(random,
			    p->ports[side]), r->port[side]);
	}
}

/* In each of four rules other fields say no. */
static void
fields_rule(struct rule *r, uint32_t i)
{
	any_rule(r, i % 8 < 4 ? 6 : 17);
	if (i % 4 == 0)
		host(r, 0, 0x0a000000 + i / 4);
	else if (i % 4 == 1)
		host(r, 1, 0xc0a80000 + i / 4);
	else if (i % 4 == 2)
		r->port[1][0] = r->port[1][1] = (uint16_t)(1 + i / 4 % 65000);
	if (i % 4 == 2 || i % 4 == 3) {
		r->addr[0] = 0xac100000 + ((i / 4) << 4);
		r->bits[0] = 28;
	}
}

static void
make_rule(struct rule *r, enum shape shape, uint32_t i, struct random *random)
{
	switch (shape) {
	case SHAPE_HOSTS:
	case SHAPE_HOSTS6:
		any_rule(r, 6);
		host(r, 0, 0x0a000000 + i * 3);
		break;
	case SHAPE_PORTS:
		any_rule(r, i % 2 == 0 ? 6 : 17);
		r->port[1][0] = r->port[1][1] = (uint16_t)(1 + i / 2);
		break;
	case SHAPE_FIELDS:
		fields_rule(r, i);
		break;
	case SHAPE_ACL:
	case SHAPE_IPC:
	case SHAPE_FW:
	case SHAPE_CHAIN:
	case SHAPE_ACL6:
	case SHAPE_IPC6:
	case SHAPE_FW6:
	case SHAPE_REAL:
	case NSHAPES:
		drawn_rule(r, profiles[shape], random);
		break;
	}
}

static uint64_t
hash(const struct rule *r)
{
	uint64_t h = mix64((uint64_t)r->addr[0] << 32 | r->addr[1]);

	h = mix64(h ^ (uint64_t)r->bits[0] << 16 ^ (uint64_t)r->bits[1] << 8 ^
	    r->proto);
	return mix64(h ^ (uint64_t)r->port[0][0] << 48 ^
	    (uint64_t)r->port[0][1] << 32 ^ (uint64_t)r->port[1][0] << 16 ^
	    r->port[1][1]);
}

/* How narrow it is, and some chance: the order of drawn rules. */
static unsigned
rank(const struct rule *r)
{
	unsigned n = (r->proto != 0 ? 4u : 0u) + r->bits[0] + r->bits[1];

	for (unsigned side = 0; side < 2; side++)
		for (unsigned w = 65536; w > 1 && w / 2 >= 1u +
		    r->port[side][1] - r->port[side][0]; w /= 2)
			n++;
	return n + (unsigned)(hash(r) % 24);
}

static int
narrow_first(const void *a, const void *b)
{
	unsigned x = rank(a), y = rank(b);
	uint64_t h = hash(a), i = hash(b);

	return x != y ? (x > y ? -1 : 1) : h < i ? -1 : h > i;
}

struct ruleset *
ruleset_new(enum shape shape, size_t n, uint64_t seed)
{
	struct ruleset *rules = malloc(sizeof(*rules));
	size_t size = 1, at;
	uint64_t *seen;
	struct random r;

	while (size < 2 * n)
		size *= 2;
	seen = calloc(size, sizeof(*seen));
	if (rules == NULL || seen == NULL ||
	    (rules->r = calloc(n, sizeof(*rules->r))) == NULL)
		die("no memory");
	rules->shape = shape;
	rules->n = 0;
	random_seed(&r, seed);
	while (rules->n < n) {
		struct rule *one = &rules->r[rules->n];
		uint64_t h;

		make_rule(one, shape, (uint32_t)rules->n, &r);
		h = hash(one) | 1;
		for (at = h & (size - 1); seen[at] != 0 && seen[at] != h;
		    at = (at + 1) & (size - 1))
			;
		rules->n += seen[at] == 0;
		seen[at] = h;
	}
	free(seen);
	if (profiles[shape] != NULL)
		qsort(rules->r, n, sizeof(*rules->r), narrow_first);
	return rules;
}

void
ruleset_free(struct ruleset *rules)
{
	free(rules->r);
	free(rules);
}

static void
network_text(struct text *t, uint32_t addr, unsigned bits, bool v6)
{
	uint8_t a[16];

	addr_v6(addr, a);
	if (bits == 0)
		text_add(t, "any");
	else if (!v6)
		text_add(t, "%u.%u.%u.%u/%u", addr >> 24, addr >> 16 & 255,
		    addr >> 8 & 255, addr & 255, bits);
	else if (bits < 32)
		text_add(t, "2001:db8:%x:%x::/%u", addr >> 16, addr & 0xffff,
		    bits + 32);
	else
		for (unsigned i = 0; i < 16; i += 2)
			text_add(t, "%x%s", a[i] << 8 | a[i + 1],
			    i < 14 ? ":" : "");
}

static void
end_text(struct text *t, const struct rule *r, unsigned side, bool v6)
{
	const uint16_t *port = r->port[side];

	text_add(t, side == 0 ? " from " : " to ");
	network_text(t, r->addr[side], r->bits[side], v6);
	if (port[0] == port[1])
		text_add(t, " port %u", port[0]);
	else if (port[0] != 0 || port[1] != 65535)
		text_add(t, " port %u:%u", port[0], port[1]);
}

static void
rule_text(struct text *t, const struct rule *r, bool v6)
{
	text_add(t, v6 ? "pass in quick inet6" : "pass in quick inet");
	if (r->proto != 0)
		text_add(t, " proto %s", r->proto == 6 ? "tcp" :
		    r->proto == 17 ? "udp" : v6 ? "ipv6-icmp" : "icmp");
	if (r->bits[0] == 0 && r->bits[1] == 0 && hash(r) % 2 == 0 &&
	    r->port[0][1] - r->port[0][0] == 65535 &&
	    r->port[1][1] - r->port[1][0] == 65535)
		text_add(t, " all");
	else {
		end_text(t, r, 0, v6);
		end_text(t, r, 1, v6);
	}
	text_add(t, " no state\n");
}

/* The rule is in the anchor of its destination's first byte. */
static void
chain_text(const struct ruleset *rules, struct text *t)
{
	for (unsigned net = 0; net < 256; net++) {
		bool open = false;

		for (size_t i = 0; i < rules->n; i++) {
			const struct rule *r = &rules->r[i];

			if (r->bits[1] < 8 || r->addr[1] >> 24 != net)
				continue;
			if (!open)
				text_add(t, "anchor in inet to %u.0.0.0/8 {\n",
				    net);
			open = true;
			rule_text(t, r, false);
		}
		if (open)
			text_add(t, "}\n");
	}
	for (size_t i = 0; i < rules->n; i++)
		if (rules->r[i].bits[1] < 8)
			rule_text(t, &rules->r[i], false);
}

static const char beginning[] =
    "table <martians> { 10.255.0.0/16 127.0.0.0/8 192.168.77.0/24 }\n"
    "match in scrub (max-mss 1440)\n"
    "match in inet scrub (no-df)\n"
    "match out on em0 inet from 10.0.0.0/8 nat-to 192.0.2.1\n"
    "match proto tcp to port 22 set prio 6\n"
    "anchor \"ftp-proxy/*\"\n"
    "anchor \"relayd\" in proto tcp\n"
    "block in quick from <martians>\n"
    "block in quick on ! lo0 inet from 127.0.0.0/8\n"
    "block in quick on ! em1 inet from 10.1.0.0/16\n";

void
ruleset_text(const struct ruleset *rules, struct text *t)
{
	text_add(t, "%sblock in\n", rules->shape == SHAPE_REAL ? beginning : "");
	if (rules->shape == SHAPE_CHAIN)
		chain_text(rules, t);
	else
		for (size_t i = 0; i < rules->n; i++)
			rule_text(t, &rules->r[i], shape_is_v6(rules->shape));
}

/* The lowest, the highest, or one between. */
static uint32_t
between(struct random *r, uint32_t low, uint32_t high)
{
	switch (random_below(r, 3)) {
	case 0:
		return low;
	case 1:
		return high;
	default:
		return low + (uint32_t)(random_u64(r) %
		    ((uint64_t)high - low + 1));
	}
}

/* Port 0, 127.0.0.0/8: such packets do not come as far as the rules. */
void
rule_corner(const struct rule *rule, struct random *r, struct header *h)
{
	static const uint8_t protos[] = { 6, 17, 1, 6 };

	for (unsigned side = 0; side < 2; side++) {
		uint32_t a = rule->addr[side];

		h->addr[side] = between(r, a, a | ~mask_of(rule->bits[side]));
		if (h->addr[side] >> 24 == 127)
			h->addr[side] = a;
		h->port[side] = (uint16_t)between(r, rule->port[side][0],
		    rule->port[side][1]);
		if (h->port[side] == 0)
			h->port[side] = 1;
	}
	h->proto = rule->proto != 0 ? rule->proto : protos[random_below(r, 4)];
}
