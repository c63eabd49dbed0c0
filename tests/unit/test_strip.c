/*
 * Rules that are compared side by side (runtime/strip.h) against the same
 * rules one by one: an engine that explains does the latter.  Decisions and
 * all counters of all rules must be the same.
 *
 * Rulesets are made to have neighbours that are alike, so that pf jumps, and
 * some have more rules than one strip; and the ways to compare columns are held
 * against each other.  Whether sheets (runtime/strip_sheet.h) of all kinds have
 * come about is looked at, where the processor can have them.
 */
#include <stdio.h>

#include <pfkit/compile.h>
#include <pfkit/explain.h>

#include "runtime/rules_int.h"
#include "runtime/strip_sheet.h"
#include "tests/unit/engine_kit.h"

#define PACKETS	600

static uint64_t seed;

static uint32_t
chance(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % n);
}

static const char *
one_of(const char *const *v)
{
	uint32_t n = 0;

	while (v[n] != NULL)
		n++;
	return v[chance(n)];
}

/* ---- rules ---- */

static const char *const actions[] = { "pass", "block", "block", NULL };
static const char *const dirs[] = { "", " in", " in", " in", " out", NULL };
static const char *const quicks[] = { "", "", "", " quick", NULL };
static const char *const ifs[] = { "", "", "", " on em0", " on ! em0",
    " on em1", NULL };
static const char *const hosts4[] = { "any", "any", "10.0.0.1", "10.0.0.2",
    "! 10.0.0.1", "10.0.0.0/30", "10.0.0.4/31", "! 10.0.0.0/29", "<t>",
    "! <t>", "<u>", "(em1)", "! (em1)", NULL };
static const char *const hosts6[] = { "any", "2001:db8::1", "2001:db8::/127",
    "! 2001:db8::2", "2001:db8::4/126", "<t>", "! <t>", NULL };
/* The same without those that must be asked when pf comes to them. */
static const char *const plain4[] = { "any", "any", "10.0.0.1", "10.0.0.2",
    "! 10.0.0.1", "10.0.0.0/30", "10.0.0.4/31", "! 10.0.0.0/29", NULL };
static const char *const plain6[] = { "any", "2001:db8::1", "2001:db8::/127",
    "! 2001:db8::2", "2001:db8::4/126", NULL };
static bool only_plain, with_others;

static const char *
host(bool v6)
{
	return one_of(v6 ? (only_plain ? plain6 : hosts6) :
	    (only_plain ? plain4 : hosts4));
}

static const char tables[] =
    "table <t> counters { 10.0.0.1, 10.0.0.4/31, 2001:db8::2 }\n"
    "table <u> { 10.0.0.0/30, ! 10.0.0.2 }\n";
static const char *const ports[] = { "", "", "", " port 2", " port != 2",
    " port 1:3", " port 1 >< 3", " port 2 <> 4", " port < 3", " port <= 2",
    " port > 3", " port >= 4", " port 3", NULL };
static const char *const icmps[] = { "", " icmp-type echoreq",
    " icmp-type echorep", " icmp-type unreach", " icmp-type 8 code 1", NULL };
static const char *const icmps6[] = { "", " icmp6-type echoreq",
    " icmp6-type 129", " icmp6-type 1 code 1", NULL };
static const char *const flags[] = { " no state", " no state", " flags any",
    " flags A/A no state", " flags S/SA no state", NULL };

/* As the rule before it, but for some fields. */
struct line { const char *field[9]; };

static void
change(struct line *l, uint32_t odds)
{
	static const char *const protos[] = { " proto tcp", " proto tcp",
	    " proto udp", " proto udp", " proto icmp", " proto icmp6", "",
	    " proto 50", NULL };
	const char *const *choices[] = { actions, dirs, quicks, ifs };
	bool v6 = chance(4) == 0;

	for (unsigned i = 0; i < 4; i++)
		if (chance(odds) == 0)
			l->field[i] = one_of(choices[i]);
	if (chance(odds) == 0) {
		l->field[4] = v6 ? " inet6" : " inet";
		l->field[6] = host(v6);
		l->field[8] = host(v6);
	}
	if (chance(odds) == 0)
		l->field[5] = one_of(protos);
	if (strcmp(l->field[5], strcmp(l->field[4], " inet6") == 0 ?
	    " proto icmp" : " proto icmp6") == 0)
		l->field[5] = "";
	v6 = strcmp(l->field[4], " inet6") == 0;
	if (chance(odds) == 0)
		l->field[6] = host(v6);
	if (chance(odds) == 0)
		l->field[7] = one_of(ports);
	if (chance(odds) == 0)
		l->field[8] = host(v6);
}

/* Rules that do more than decide, some of which matters to those behind. */
static const char *
other_rule(void)
{
	static const char *const rule[] = { "match in scrub (no-df)",
	    "match proto tcp set prio 3", "match in inet from 10.0.0.0/30 "
	    "scrub (max-mss 1400)", "anchor a", "anchor \"b/*\" in proto tcp",
	    "match out inet from 10.0.0.1 nat-to 10.0.0.7",
	    "anchor in proto udp {\n block in inet from 10.0.0.3\n}",
	    "pass in proto udp no state tag t", NULL };

	return one_of(rule);
}

static void
make_rules(char *text, size_t size, uint32_t n)
{
	struct line l = { { "pass", "", "", "", " inet", " proto tcp", "any",
	    "", "any" } };
	uint32_t odds = 1 + chance(5);
	size_t len = (size_t)snprintf(text, size, "%s", tables);

	for (; n > 0 && len + 300 < size; n--) {
		const char *icmp = "";
		bool tcp, with_ports;

		if (with_others && chance(9) == 0)
			len += (size_t)snprintf(text + len, size - len,
			    "%s\n", other_rule());
		change(&l, odds);
		tcp = strcmp(l.field[5], " proto tcp") == 0;
		with_ports = tcp || strcmp(l.field[5], " proto udp") == 0;
		if (strcmp(l.field[5], " proto icmp") == 0)
			icmp = one_of(icmps);
		if (strcmp(l.field[5], " proto icmp6") == 0)
			icmp = one_of(icmps6);
		len += (size_t)snprintf(text + len, size - len,
		    "%s%s%s%s%s%s from %s%s to %s%s%s%s%s\n", l.field[0],
		    l.field[1], l.field[2], l.field[3], l.field[4],
		    l.field[5], l.field[6], with_ports ? l.field[7] : "",
		    l.field[8], with_ports ? one_of(ports) : "", icmp,
		    chance(40) == 0 ? " tos 4" : "",
		    l.field[0][0] != 'p' ? "" : tcp ? one_of(flags) :
		    chance(9) == 0 ? "" : " no state");
	}
}

/* ---- packets ---- */

static uint32_t
make_packet(uint8_t *b)
{
	bool v6 = chance(4) == 0, tcp = chance(2);
	uint32_t hlen = v6 ? 40 : 20, plen = tcp ? 20 : 8;
	uint8_t *th = b + hlen;

	memset(b, 0, 64);
	if (v6) {
		b[0] = 0x60;
		b[5] = (uint8_t)plen;
		b[6] = tcp ? 6 : 17;
		b[7] = 64;
		for (unsigned i = 0; i < 2; i++) {
			b[8 + 16 * i] = 0x20;
			b[9 + 16 * i] = 1;
			b[10 + 16 * i] = 0x0d;
			b[11 + 16 * i] = 0xb8;
			b[23 + 16 * i] = (uint8_t)(1 + chance(8));
		}
	} else {
		b[0] = 0x45;
		b[3] = (uint8_t)(hlen + plen);
		b[8] = 64;
		b[9] = tcp ? 6 : 17;
		b[12] = b[16] = 10;
		b[15] = (uint8_t)chance(9);
		b[19] = (uint8_t)chance(9);
		kit_put16(b + 10, kit_sum(b, 20, 0));
	}
	if (!tcp && chance(3) == 0) {	/* echo, its answer, errors, ESP */
		b[v6 ? 6 : 9] = chance(3) == 0 ? 50 : v6 ? 58 : 1;
		b[v6 ? 7 : 8] = 64;
		if (!v6) {
			b[10] = b[11] = 0;
			kit_put16(b + 10, kit_sum(b, 20, 0));
		}
		th[0] = (uint8_t)(chance(4) == 0 ? (v6 ? 1 : 3) :
		    (v6 ? 128 : 0) + chance(2) * (v6 ? 1 : 8));
		th[1] = (uint8_t)chance(2);
		return hlen + plen;
	}
	kit_put16(th, (uint16_t)chance(6));
	kit_put16(th + 2, (uint16_t)(1 + chance(5)));
	if (tcp) {
		th[12] = 0x50;
		th[13] = chance(2) ? 0x02 : chance(2) ? 0x12 : 0x10;
	} else
		kit_put16(th + 4, 8);
	return hlen + plen;
}

/* ---- both ways ---- */

static void
explained(void *ctx, const struct pfk_explain *x)
{
	(void)ctx;
	(void)x;
}

/* Tables, and what they counted of questions and packets. */
static void
same_tables(const struct kit *a, const struct kit *b, const char *text)
{
	struct pfk_table_info x, y;

	memset(&x, 0, sizeof(x));
	memset(&y, 0, sizeof(y));
	for (size_t i = 0; i < pfk_engine_tables(a->e); i++) {
		pfk_engine_table(a->e, i, &x);
		pfk_engine_table(b->e, i, &y);
		ck_assert_msg(x.match == y.match && x.nomatch == y.nomatch &&
		    memcmp(x.packets, y.packets, sizeof(x.packets)) == 0 &&
		    memcmp(x.bytes, y.bytes, sizeof(x.bytes)) == 0,
		    "<%s>: %llu and %llu, not %llu and %llu, of\n%.3000s", x.name,
		    (unsigned long long)x.match,
		    (unsigned long long)x.nomatch,
		    (unsigned long long)y.match,
		    (unsigned long long)y.nomatch, text);
	}
}

/* What there was of sheets. */
static struct seen {
	unsigned	sheets, words, six, odd, lead_on;
	unsigned	turns, themselves, strays;
	unsigned	tables, acts;
} seen;

static void
look_at_sheet(const struct strip_sheet *sh)
{
	seen.sheets++;
	seen.words += sh->nwords > 1;
	seen.six += sh->six;
	seen.lead_on += sh->next != NULL;
	seen.tables += sh->ntables != 0;
	seen.acts += sh->acts;
	for (uint32_t i = 0; i < sh->ndetours; i++)
		seen.themselves += sh->slots[sh->detours[i].slot].kind ==
		    SLOT_ROW;
	for (uint32_t i = 0; i < sheet_slots(sh); i++) {
		seen.odd += sh->slots[i].neg != 0;
		seen.turns += sh->slots[i].kind == SLOT_TURN;
		seen.strays += sh->slots[i].kind == SLOT_STRAY;
	}
}

static void
look_at_sheets(const struct pfk_engine *e)
{
	const struct strip_sheets *v = e->front == NULL ? NULL :
	    e->front->sheets;

	for (unsigned i = 0; v != NULL && i < SHEETS; i++)
		if (v->sheet[i] != NULL)
			look_at_sheet(v->sheet[i]);
}

/* As on a processor that has no wide columns. */
static void
make_narrow(struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->nstrips; i++)
		e->strips[i]->wide = false;
}

static void
run_both(const char *text, bool narrow)
{
	static struct kit fast, slow;
	struct pfk_rule_counters x, y;

	kit_open(&fast, text);
	kit_open(&slow, text);
	if (narrow)
		make_narrow(fast.e);
	ck_assert_int_eq(pfk_explain_start(slow.e, explained, NULL), PFK_OK);
	for (unsigned i = 0; i < PACKETS; i++) {
		uint8_t b[64];
		struct pfk_packet p = { .time = KIT_START, .data = b,
		    .linktype = 101, .ifid = (uint16_t)(1 + (chance(5) == 0)),
		    .dir = (uint8_t)(1 + (chance(5) == 0)) };

		p.caplen = p.wirelen = make_packet(b);
		pfk_engine_run(fast.e, &p, 1);
		pfk_engine_run(slow.e, &p, 1);
		ck_assert_msg(fast.d.rule == slow.d.rule &&
		    fast.d.verdict == slow.d.verdict, "rule %u, not %u of\n%.3000s",
		    fast.d.rule, slow.d.rule, text);
	}
	for (uint32_t r = 0; r < pfk_image_rules(fast.image); r++) {
		pfk_engine_rule_counters(fast.e, r, &x);
		pfk_engine_rule_counters(slow.e, r, &y);
		ck_assert_msg(memcmp(&x, &y, sizeof(x)) == 0,
		    "rule %u: %llu evaluations, not %llu, of\n%.3000s", r,
		    (unsigned long long)x.evaluations,
		    (unsigned long long)y.evaluations, text);
	}
	same_tables(&fast, &slow, text);
	look_at_sheets(fast.e);
	kit_close(&fast);
	kit_close(&slow);
}

static char rules[30000];

/* Neighbours that ask for the same address, and perhaps a port. */
static void
make_neighbours(uint32_t n)
{
	static const char *const more[] = { "", "", " port 1", " port 2:4",
	    " port != 3", NULL };
	size_t len = 0;

	for (uint32_t i = 0; i < n; i++) {
		unsigned same = 1 + chance(4), host = chance(8);
		const char *proto = chance(3) == 0 ? "udp" : "tcp";

		for (; same > 0; same--)
			len += (size_t)snprintf(rules + len,
			    sizeof(rules) - len, "block in%s inet proto %s from "
			    "10.0.0.%u to any%s\n", chance(4) == 0 ? "" : " quick", proto,
			    host, one_of(more));
	}
	ck_assert_uint_lt(len, sizeof(rules));
}

START_TEST(test_detours)
{
	seed = 15;
	memset(&seen, 0, sizeof(seen));
	for (unsigned i = 0; i < 40; i++) {
		make_neighbours(3 + i);
		run_both(rules, i % 6 == 5);
	}
	if (!strip_wide())
		return;
	ck_assert_uint_gt(seen.turns, 20);
	ck_assert_uint_gt(seen.themselves, 20);
}
END_TEST

START_TEST(test_same)
{
	seed = 11;
	memset(&seen, 0, sizeof(seen));
	for (unsigned i = 0; i < 200; i++) {
		only_plain = i % 2 == 0;
		with_others = i % 4 > 1;
		make_rules(rules, sizeof(rules),
		    1 + chance(chance(4) == 0 ? 150 : 45));
		run_both(rules, i % 8 < 2);
	}
	if (!strip_wide())
		return;
	ck_assert_uint_gt(seen.sheets, 50);
	ck_assert_uint_gt(seen.six, 20);
	ck_assert_uint_gt(seen.tables, 20);
	ck_assert_uint_gt(seen.acts, 20);
	ck_assert_uint_gt(seen.odd, 20);
	ck_assert_uint_gt(seen.turns, 20);
	ck_assert_uint_gt(seen.strays, 20);
}
END_TEST

/*
 * Rules for one head, more than there is room for; or for several, in more
 * strips than a sheet is made of.
 */
static void
make_long(uint32_t n, bool heads)
{
	size_t len = 0;

	for (uint32_t i = 0; i < n; i++) {
		bool tcp = !heads || chance(9) == 0;

		len += (size_t)snprintf(rules + len, sizeof(rules) - len,
		    "%s%s inet proto %s%s to 10.0.0.%u port %u\n",
		    chance(3) == 0 ? "block" : "block in",
		    chance(4) == 0 ? "" : " quick", tcp ? "tcp" : "udp",
		    chance(2) ? "" : " from 10.0.0.8/31", i * 5 % 256,
		    1 + chance(5));
	}
	ck_assert_uint_lt(len, sizeof(rules));
}

START_TEST(test_long)
{
	seed = 14;
	memset(&seen, 0, sizeof(seen));
	for (unsigned i = 0; i < 24; i++) {
		make_long(i % 2 == 0 ? 60 + 15 * i : 500, i % 2 != 0);
		run_both(rules, i % 6 == 5);
	}
	if (!strip_wide())
		return;
	ck_assert_uint_gt(seen.words, 10);
	ck_assert_uint_gt(seen.lead_on, 10);
}
END_TEST

static void
run_some(struct kit *fast, struct kit *slow, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t b[64];
		struct pfk_packet p = { .time = KIT_START, .data = b,
		    .linktype = 101, .ifid = 1, .dir = PFK_IN };

		p.caplen = p.wirelen = make_packet(b);
		pfk_engine_run(fast->e, &p, 1);
		pfk_engine_run(slow->e, &p, 1);
		ck_assert_uint_eq(fast->d.rule, slow->d.rule);
		ck_assert_int_eq((int)fast->d.verdict, (int)slow->d.verdict);
	}
}

/* An anchor was empty, which sheets are made for, and has rules then. */
START_TEST(test_anchor_changes)
{
	static struct kit fast, slow;
	struct pfk_rule_counters x, y;
	struct pfk_image *more = kit_image("block in quick proto udp to any "
	    "port 2\npass in inet proto tcp to any port 3 no state\n");
	const struct strip_sheets *v;

	seed = 16;
	kit_open(&fast, "block\nmatch in scrub (no-df)\nanchor a\npass in "
	    "inet from 10.0.0.0/30 no state\npass in quick inet proto tcp "
	    "to 10.0.0.4/31 no state\n");
	kit_open(&slow, "block\nmatch in scrub (no-df)\nanchor a\npass in "
	    "inet from 10.0.0.0/30 no state\npass in quick inet proto tcp "
	    "to 10.0.0.4/31 no state\n");
	ck_assert_int_eq(pfk_explain_start(slow.e, explained, NULL), PFK_OK);
	run_some(&fast, &slow, PACKETS);
	memset(&seen, 0, sizeof(seen));
	look_at_sheets(fast.e);
	if (strip_wide())
		ck_assert_uint_gt(seen.acts, 0);
	ck_assert_int_eq(pfk_engine_load_anchor(fast.e, "a", more), PFK_OK);
	ck_assert_int_eq(pfk_engine_load_anchor(slow.e, "a", more), PFK_OK);
	v = fast.e->front->sheets;
	for (unsigned i = 0; v != NULL && i < SHEETS; i++)
		ck_assert_ptr_null(v->sheet[i]);
	run_some(&fast, &slow, PACKETS);
	for (uint32_t r = 0; r < pfk_engine_rules(fast.e); r++) {
		pfk_engine_rule_counters(fast.e, r, &x);
		pfk_engine_rule_counters(slow.e, r, &y);
		ck_assert_msg(memcmp(&x, &y, sizeof(x)) == 0, "rule %u: %llu "
		    "evaluations, not %llu", r,
		    (unsigned long long)x.evaluations,
		    (unsigned long long)y.evaluations);
	}
	kit_close(&fast);
	kit_close(&slow);
	pfk_image_free(more);
}
END_TEST

/* More heads than there is room for. */
START_TEST(test_classes)
{
	static struct kit fast, slow;
	const char *few = "block\nblock on em1 inet proto udp from any to "
	    "10.0.0.1\nblock out inet proto tcp from 10.0.0.2\npass in on em0 "
	    "inet proto udp no state\npass inet proto tcp no state flags S/SA\n"
	    "pass inet proto tcp no state flags FUP/FUP\n"
	    "pass inet proto tcp no state flags P/PEW\n";
	uint8_t dir = 0, tcp_flags = 0;
	uint16_t ifid = 0;
	struct pfk_rule_counters x, y;

	seed = 12;
	kit_open(&fast, few);
	kit_open(&slow, few);
	for (unsigned i = 0; i < 20; i++) {
		char name[8];

		snprintf(name, sizeof(name), "vlan%u", i);
		ck_assert_int_gt(pfk_engine_interface(fast.e, name), 0);
		ck_assert_int_gt(pfk_engine_interface(slow.e, name), 0);
	}
	ck_assert_int_eq(pfk_explain_start(slow.e, explained, NULL), PFK_OK);
	for (unsigned i = 0; i < 80 * PACKETS; i++) {
		uint8_t b[64];
		struct pfk_packet p = { .time = KIT_START, .data = b,
		    .linktype = 101 };

		/* heads mixed for a while, then by themselves */
		if (i < 20 * PACKETS || i % 120 == 0) {
			ifid = (uint16_t)(1 + chance(20));
			dir = (uint8_t)(1 + chance(2));
			tcp_flags = (uint8_t)(0x10 | chance(256));
		}
		p.ifid = ifid;
		p.dir = dir;
		p.caplen = p.wirelen = make_packet(b);
		if (b[0] == 0x45 && b[9] == 6)
			b[33] = tcp_flags;
		pfk_engine_run(fast.e, &p, 1);
		pfk_engine_run(slow.e, &p, 1);
		ck_assert_uint_eq(fast.d.rule, slow.d.rule);
	}
	for (uint32_t r = 0; r < pfk_image_rules(fast.image); r++) {
		pfk_engine_rule_counters(fast.e, r, &x);
		pfk_engine_rule_counters(slow.e, r, &y);
		ck_assert_uint_eq(x.evaluations, y.evaluations);
	}
	if (strip_wide()) {
		memset(&seen, 0, sizeof(seen));
		look_at_sheets(fast.e);
		ck_assert_uint_gt(seen.sheets, SHEETS / 2);
	}
	kit_close(&fast);
	kit_close(&slow);
}
END_TEST

/* Of n rows; what a way says of others does not matter. */
static void
columns_agree(const uint32_t *addr, const uint32_t *mask, uint32_t a,
    const uint16_t *low, const uint16_t *high, uint16_t port, uint32_t n)
{
	uint64_t rows = UINT64_MAX >> (STRIP_MAX - n);
	uint64_t like = strip_addrs_plain(addr, mask, n, a);
	uint64_t in = strip_ports_plain(low, high, n, port);

	ck_assert_uint_eq(strip_addrs(addr, mask, n, a) & rows, like);
	ck_assert_uint_eq(strip_ports(low, high, n, port) & rows, in);
	if (!strip_wide())
		return;
	ck_assert_uint_eq(strip_addrs_wide(addr, mask, n, a) & rows, like);
	ck_assert_uint_eq(strip_ports_wide(low, high, n, port) & rows, in);
}

START_TEST(test_columns)
{
	uint32_t addr[STRIP_MAX], mask[STRIP_MAX];
	uint16_t low[STRIP_MAX], high[STRIP_MAX];

	seed = 13;
	for (unsigned n = 0; n < 2000; n++) {
		uint32_t a = chance(1u << 30) * 5;
		uint16_t port = (uint16_t)chance(65536);

		for (unsigned i = 0; i < STRIP_MAX; i++) {
			mask[i] = chance(3) == 0 ? 0xffffffff :
			    chance(1u << 30) & chance(1u << 30);
			addr[i] = (a ^ (1u << chance(32))) & mask[i];
			low[i] = (uint16_t)(port + chance(4) - 2);
			high[i] = (uint16_t)(port + chance(4) - 2);
			if (chance(8) == 0)
				low[i] = (uint16_t)chance(65536);
		}
		columns_agree(addr, mask, a, low, high, port,
		    1 + n % STRIP_MAX);
	}
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { test_same, test_detours, test_long,
	    test_anchor_changes, test_classes, test_columns };

	return kit_main("strip", tests, sizeof(tests) / sizeof(*tests));
}
