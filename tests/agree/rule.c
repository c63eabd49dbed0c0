/*
 * A rule of any kind, by chance: valid, whatever it means.
 *
 * Addresses, ports, tags and tables are few, so that rules have much in common
 * with each other and packets meet several of them.
 */
#include "bench/bench.h"
#include "tests/agree/agree.h"

enum { PROTO_ANY = 0, PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17,
    PROTO_GRE = 47, PROTO_ICMP6 = 58 };

/* A rule in the making. */
struct making {
	struct author	*a;
	bool		 passes, matches, quick, states;
	uint8_t		 dir, af, proto;	/* 0: any */
};

static unsigned
pick(struct author *a, unsigned n)
{
	return random_below(a->r, n);
}

static void
put(struct author *a, const char *word)
{
	text_add(a->t, " %s", word);
}

#define ONE_OF(a, list)	((list)[pick((a), sizeof(list) / sizeof(*(list)))])

/* ---- addresses ---- */

static void
network4(struct author *a)
{
	static const uint32_t bases[] = { 0x0a000000, 0x0a000100, 0xc0000200,
	    0xcb007100, 0xac100a00, 0x0a800000 };
	static const uint8_t lengths[] = { 32, 32, 32, 31, 30, 29, 28, 25, 24,
	    23, 16, 9, 8 };
	uint32_t addr = ONE_OF(a, bases) + pick(a, 16) * (pick(a, 3) ? 1 :
	    37);
	unsigned bits = ONE_OF(a, lengths);

	addr &= ~(uint32_t)0 << (32 - bits);
	text_add(a->t, "%u.%u.%u.%u/%u", addr >> 24, addr >> 16 & 255,
	    addr >> 8 & 255, addr & 255, bits);
}

static void
network6(struct author *a)
{
	static const uint8_t lengths[] = { 128, 128, 128, 127, 126, 120, 96,
	    65, 64, 64, 63, 48, 33, 32 };
	unsigned bits = ONE_OF(a, lengths), net = pick(a, 4) << 1,
	    host = pick(a, 16);

	if (bits <= 112)
		host = 0;
	else if (bits < 128)
		host &= ~0u << (128 - bits);
	if (bits <= 63)
		net &= bits == 63 ? ~1u : 0;
	text_add(a->t, "2001:db8:0:%x::%x/%u", net, host, bits);
}

void
network_write(struct author *a, uint8_t af)
{
	if (af == 6)
		network6(a);
	else
		network4(a);
}

static void
range(struct author *a, uint8_t af)
{
	unsigned from = pick(a, 100), to = from + 1 + pick(a, 100);

	if (af == 4)
		text_add(a->t, "10.0.0.%u - 10.0.0.%u", from, to);
	else
		text_add(a->t, "2001:db8::%x - 2001:db8::%x", from, to);
}

static void
address(struct making *m, bool source)
{
	static const char *const tables[] = { "<t0>", "<t1>", "<t2>",
	    "! <t0>", "! <t2>", "<bad>" };
	static const char *const dynamic[] = { "(em0)", "(em1)", "(lan)",
	    "(em0:network)", "! (em1:network)", "(em0:0)" };
	struct author *a = m->a;

	put(a, source ? "from " : "to ");
	switch (pick(a, 12)) {
	case 0: case 1:
		text_add(a->t, "any");
		break;
	case 2:
		text_add(a->t, "%s", ONE_OF(a, tables));
		break;
	case 3:
		text_add(a->t, "%s", ONE_OF(a, dynamic));
		break;
	case 4:
		if (!once_in(a->r, 3))
			text_add(a->t, "%s", source && once_in(a->r, 2) ?
			    "urpf-failed" : "no-route");
		else if (m->af == 0)
			text_add(a->t, "self");
		else
			text_add(a->t, "any");
		break;
	case 5:
		if (m->af != 0) {
			range(a, m->af);
			break;
		}
		/* FALLTHROUGH */
	default:
		if (m->af == 0) {
			text_add(a->t, "any");
			break;
		}
		if (once_in(a->r, 10))
			text_add(a->t, "! ");
		network_write(a, m->af);
		break;
	}
}

static void
ports(struct making *m)
{
	static const uint16_t known[] = { 1, 20, 22, 53, 80, 443, 1023, 1024,
	    8080, 49151, 65534 };
	static const char *const unary[] = { "=", "!=", "<", "<=", ">", ">=" };
	static const char *const binary[] = { ":", " >< ", " <> " };
	struct author *a = m->a;
	unsigned port = ONE_OF(a, known);

	if ((m->proto != PROTO_TCP && m->proto != PROTO_UDP) ||
	    once_in(a->r, 2))
		return;
	if (once_in(a->r, 3))
		text_add(a->t, " port %u%s%u", port, ONE_OF(a, binary),
		    port + 1 + (65535 - port > 60 ? pick(a, 60) : 0));
	else
		text_add(a->t, " port %s %u", once_in(a->r, 2) ? "=" :
		    ONE_OF(a, unary), port);
}

static void
ends(struct making *m)
{
	if (once_in(m->a->r, 8) && m->proto == PROTO_ANY && m->af == 0) {
		put(m->a, "all");
		return;
	}
	address(m, true);
	ports(m);
	address(m, false);
	ports(m);
}

/* ---- what it is about ---- */

static void
where(struct making *m)
{
	static const char *const places[] = { "on em0", "on em1", "on ! em0",
	    "on lan", "on em2", "on any", "on tun0", "on ! lan" };
	struct author *a = m->a;

	if (!once_in(a->r, 3))
		put(a, ONE_OF(a, places));
	else if (once_in(a->r, 12))
		put(a, once_in(a->r, 2) ? "on rdomain 0" : "on rdomain 1");
}

static void
family(struct making *m)
{
	static const uint8_t families[] = { 0, 0, 4, 4, 4, 6, 6 };

	if (m->af == 0)
		m->af = ONE_OF(m->a, families);
	if (m->af != 0)
		put(m->a, m->af == 4 ? "inet" : "inet6");
}

static void
protocol(struct making *m)
{
	static const uint8_t protos[] = { 0, 0, 6, 6, 6, 17, 17, 1, 47 };
	struct author *a = m->a;

	if (m->proto == 0)
		m->proto = ONE_OF(a, protos);
	if (m->proto == PROTO_ICMP && m->af == 6)
		m->proto = PROTO_ICMP6;
	if (m->proto == PROTO_ICMP && m->af == 0)
		m->proto = PROTO_ANY;
	if (m->proto != 0)
		text_add(a->t, " proto %u", m->proto);
}

static void
transport(struct making *m)
{
	static const char *const flags[] = { "S/SA", "any", "A/A", "S/SAFR",
	    "/R", "SA/SA", "F/F", "/P" };
	static const char *const types[] = { "8", "8 code 0", "0", "3 code 1",
	    "11" };
	static const char *const types6[] = { "128", "128 code 0", "129",
	    "1 code 1", "136" };
	struct author *a = m->a;

	if (m->proto == PROTO_TCP && once_in(a->r, 2))
		text_add(a->t, " flags %s", ONE_OF(a, flags));
	if (m->proto == PROTO_ICMP && m->af == 4 && once_in(a->r, 2))
		text_add(a->t, " icmp-type %s", ONE_OF(a, types));
	if (m->proto == PROTO_ICMP6 && m->af == 6 && once_in(a->r, 2))
		text_add(a->t, " icmp6-type %s", ONE_OF(a, types6));
	if ((m->proto == PROTO_TCP || m->proto == PROTO_UDP) &&
	    once_in(a->r, 20))
		put(a, once_in(a->r, 2) ? "user unknown" : "user 0");
}

static void
other_tests(struct making *m)
{
	struct author *a = m->a;

	if (once_in(a->r, 14))
		put(a, once_in(a->r, 2) ? "tos 0x10" : "tos 0x20");
	if (once_in(a->r, 25) && m->proto == PROTO_ANY)
		put(a, "fragment");
	if (once_in(a->r, 12))
		put(a, once_in(a->r, 2) ? "tagged A" : "! tagged B");
	if (once_in(a->r, 20))
		put(a, once_in(a->r, 2) ? "received-on em1" :
		    "! received-on lan");
	if (once_in(a->r, 30))
		put(a, once_in(a->r, 2) ? "prio 3" : "prio 5");
}

/* ---- what it does on the way ---- */

static void
side_effects(struct making *m)
{
	struct author *a = m->a;

	if (once_in(a->r, 8))
		put(a, once_in(a->r, 2) ? "tag A" : "tag B");
	if (once_in(a->r, 12))
		put(a, once_in(a->r, 2) ? "probability 50%" :
		    "probability 3%");
	if (once_in(a->r, 12) && !m->matches)
		put(a, "once");
	if (once_in(a->r, 16))
		text_add(a->t, " max-pkt-rate %u/%u", 1 + pick(a, 20),
		    1 + pick(a, 3));
}

static void
changes(struct making *m)
{
	static const char *const all[] = { "set prio 5", "set prio (2, 6)",
	    "set tos 0x10", "label \"one\"", "label \"$nr\"",
	    "scrub (min-ttl 9)", "scrub (max-mss 900)",
	    "scrub (reassemble tcp)", "rtable 0", "rtable 1",
	    "scrub (no-df)", "scrub (random-id)" };
	struct author *a = m->a;
	unsigned n = sizeof(all) / sizeof(all[0]);

	if (once_in(a->r, 3))	/* the last two are of IPv4 */
		put(a, all[pick(a, m->af == 4 ? n : n - 2)]);
}

static void
translate(struct making *m)
{
	static const char *const out[] = { "nat-to 192.0.2.8",
	    "nat-to (em0)", "nat-to { 192.0.2.8, 192.0.2.9 } round-robin",
	    "nat-to 192.0.2.8/30 source-hash 0x1234567890abcdef1234567890abcdef",
	    "nat-to 192.0.2.8 static-port", "nat-to 192.0.2.16/30 bitmask",
	    "nat-to <pool> round-robin sticky-address",
	    "nat-to 192.0.2.8/31 random" };
	static const char *const in[] = { "rdr-to 10.0.0.3",
	    "rdr-to { 10.0.0.3, 10.0.0.4 } round-robin sticky-address",
	    "rdr-to <pool> least-states", "rdr-to 10.0.0.0/30 random" };
	struct author *a = m->a;

	if (m->af != 4 || m->dir == 0 || !once_in(a->r, 3))
		return;
	put(a, m->dir == PFK_OUT ? ONE_OF(a, out) : ONE_OF(a, in));
}

static void
route(struct making *m)
{
	struct author *a = m->a;

	if (m->dir == 0 || m->af != 4 || !once_in(a->r, 14))
		return;
	if (m->dir == PFK_IN && once_in(a->r, 2))
		put(a, "reply-to 198.51.100.9");
	else
		put(a, once_in(a->r, 3) ? "dup-to 10.0.0.9" :
		    "route-to { 192.0.2.1, 192.0.2.3 }");
}

static void
state_options(struct making *m)
{
	static const char *const all[] = { "max 3", "max 20", "sloppy",
	    "if-bound", "no-sync", "source-track rule, max-src-states 3",
	    "source-track rule, max-src-nodes 4",
	    "source-track global",
	    "max-src-conn 2, overload <bad>",
	    "max-src-conn-rate 3/5, overload <bad> flush global",
	    "udp.single 2", "tcp.first 4, tcp.established 20",
	    "adaptive.start 6, adaptive.end 12" };
	struct author *a = m->a;
	unsigned i = pick(a, 13);

	if ((i == 8 || i == 9) && m->proto != PROTO_TCP)
		i = 5;
	text_add(a->t, " (%s)", all[i]);
}

static void
keep_state(struct making *m)
{
	struct author *a = m->a;

	m->states = !a->stateless && !once_in(a->r, 6);
	if (!m->states) {
		put(a, "no state");
		return;
	}
	if (m->proto == PROTO_TCP && once_in(a->r, 12))
		put(a, m->dir == PFK_IN && once_in(a->r, 2) ?
		    "synproxy state" : "modulate state");
	else if (once_in(a->r, 5)) {
		put(a, "keep state");
		state_options(m);
	}
}

/* ---- the line ---- */

static void
action(struct making *m)
{
	static const char *const blocks[] = { "block", "block", "block return",
	    "block drop", "block return-icmp" };
	struct author *a = m->a;
	unsigned which = pick(a, a->simple ? 8 : 11);

	m->passes = which < 5;
	m->matches = which >= 8;
	text_add(a->t, "%s", m->passes ? "pass" : m->matches ? "match" :
	    a->simple && !once_in(a->r, 8) ? "block" : ONE_OF(a, blocks));
}

static void
log_words(struct making *m)
{
	static const char *const words[] = { "log", "log (all)",
	    "log (to pflog1)", "log (all, matches)", "log (matches)" };
	struct author *a = m->a;

	if (once_in(a->r, a->simple ? 60 : 12))
		put(a, ONE_OF(a, words));
}

static void
direction(struct making *m)
{
	m->dir = (uint8_t)pick(m->a, 3);
	if (m->dir != 0)
		put(m->a, m->dir == PFK_IN ? "in" : "out");
}

static void
line(struct author *a)
{
	struct making m = { .a = a };

	action(&m);
	direction(&m);
	log_words(&m);
	m.quick = !m.matches && once_in(a->r, 5);
	if (m.quick)
		put(a, "quick");
	where(&m);
	family(&m);
	protocol(&m);
	ends(&m);
	transport(&m);
	other_tests(&m);
	if (!a->simple)
		side_effects(&m);
	if (m.passes && once_in(a->r, 20))
		put(a, "allow-opts");
	if (m.passes || m.matches)
		changes(&m);
	if (m.passes)
		keep_state(&m);
	if (m.states || m.matches)
		translate(&m);
	if (m.states)
		route(&m);
	text_add(a->t, "\n");
}

/* The packets that it is for. */
static void
anchor_head(struct author *a)
{
	struct making m = { .a = a };

	direction(&m);
	if (once_in(a->r, 4))
		put(a, "quick");
	where(&m);
	family(&m);
	protocol(&m);
	ends(&m);
}

/*
 * One whose rules are elsewhere: in an anchor before it, in all those below
 * one, or nowhere yet.  It may be inside of what it calls.
 */
static void
anchor_call(struct author *a)
{
	unsigned which = pick(a, a->names + 1);

	text_add(a->t, "anchor");
	switch (pick(a, 8)) {
	case 0: case 1:
		text_add(a->t, " \"e%u\"", pick(a, 3));
		break;
	case 2:
		text_add(a->t, " \"e%u/*\"", pick(a, 3));
		break;
	case 3:
		text_add(a->t, " \"*\"");
		break;
	case 4: case 5:
		text_add(a->t, " \"a%u/*\"", which);
		break;
	case 6:
		text_add(a->t, " \"%sa%u\"", a->depth == 0 ||
		    once_in(a->r, 4) ? "/" : "", which);
		break;
	default:
		text_add(a->t, " \"/e%u/%u\"", pick(a, 3), pick(a, 3));
		break;
	}
	anchor_head(a);
	text_add(a->t, "\n");
}

static void
anchor(struct author *a)
{
	unsigned n = once_in(a->r, 4) ? 20 : 1 + pick(a, 6);

	text_add(a->t, "anchor");
	if (!once_in(a->r, 3))
		text_add(a->t, " \"a%u\"", a->names++);
	anchor_head(a);
	text_add(a->t, " {\n");
	a->depth++;
	while (n-- > 0)
		rule_write(a);
	a->depth--;
	text_add(a->t, "}\n");
}

void
rule_write(struct author *a)
{
	if (!a->simple && a->depth < 3 && once_in(a->r, 10))
		anchor(a);
	else if (!a->simple && once_in(a->r, 30))
		anchor_call(a);
	else
		line(a);
}

/* Of one network mostly, as who sorts his rules into anchors has them. */
static void
anchor_of_network(struct author *a)
{
	bool all = a->simple;
	unsigned n = once_in(a->r, 40) ? 250 : pick(a, 6);

	text_add(a->t, "anchor");
	if (once_in(a->r, 2))
		text_add(a->t, " \"a%u\"", a->names++);
	text_add(a->t, "%s%s inet %s ", once_in(a->r, 2) ? " in" : "",
	    once_in(a->r, 5) ? " quick" : "", once_in(a->r, 4) ?
	    "from" : "to");
	network4(a);
	text_add(a->t, " {\n");
	a->depth++;
	a->simple = !once_in(a->r, 6);
	while (n-- > 0)
		rule_write(a);
	line(a);
	a->simple = all;
	a->depth--;
	text_add(a->t, "}\n");
}

void
match_write(struct author *a)
{
	static const char *const all[] = {
	    "match in all scrub (no-df max-mss 1440)",
	    "match on em0 scrub (random-id min-ttl 9)",
	    "match out on em0 inet from 10.0.0.0/8 nat-to (em0)",
	    "match out on em1 inet nat-to 192.0.2.8",
	    "match out proto tcp set prio (2, 6)",
	    "match in proto tcp to port { 22 80 } set tos 0x10",
	    "match in inet proto tcp to port 80 rdr-to 10.0.0.3",
	    "match in on em1 tag A", "match from <t0> tag B",
	    "match log on em1", "match in inet6 set prio 5",
	    "match out inet to 10.0.0.0/24 rtable 1" };

	text_add(a->t, "%s\n", ONE_OF(a, all));
}

void
firewall_write(struct author *a)
{
	switch (pick(a, 6)) {
	case 0: case 1:
		anchor_of_network(a);
		break;
	case 2:
		if (once_in(a->r, 3))
			match_write(a);
		else
			anchor_call(a);
		break;
	case 3:
		a->simple = !once_in(a->r, 8);
		/* FALLTHROUGH */
	default:
		rule_write(a);
		break;
	}
	a->simple = true;
}

void
tables_write(struct author *a, unsigned entries)
{
	text_add(a->t, "table <pool> { 10.0.0.3 10.0.0.8/30 192.0.2.8 }\n"
	    "table <bad> persist counters\n");
	for (unsigned i = 0; i < 3; i++) {
		text_add(a->t, "table <t%u>%s {", i, i == 1 ? " counters" :
		    i == 2 ? " persist" : "");
		for (unsigned n = 1 + pick(a, entries); n > 0; n--) {
			text_add(a->t, once_in(a->r, 8) ? " ! " : " ");
			network_write(a, once_in(a->r, 3) ? 6 : 4);
		}
		text_add(a->t, " }\n");
	}
}
