/*
 * Tables that are asked about a burst's packets ahead (runtime/table_ahead.c)
 * against the same packets one by one, by an engine that explains and so asks
 * each table when it comes to the rule: all counters must be the same.
 */
#include <stdio.h>

#include <pfkit/compile.h>
#include <pfkit/explain.h>

#include "runtime/prefix_bucket.h"
#include "runtime/prefix_int.h"
#include "runtime/table.h"
#include "tests/unit/engine_kit.h"

#define BURST	40

static uint64_t seed;

static uint32_t
chance(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % n);
}

static void
explained(void *ctx, const struct pfk_explain *x)
{
	(void)ctx;
	(void)x;
}

static void
open_both(struct kit k[2], const char *rules)
{
	kit_open(&k[0], rules);
	kit_open(&k[1], rules);
	ck_assert_int_eq(pfk_explain_start(k[1].e, explained, NULL), PFK_OK);
}

static void
run_both(struct kit k[2], const struct pfk_packet *p, size_t n)
{
	pfk_engine_run(k[0].e, p, n);
	for (size_t i = 0; i < n; i++)
		pfk_engine_run(k[1].e, &p[i], 1);
}

static void
same_tables(const struct kit k[2])
{
	struct pfk_table_info x, y;

	for (size_t i = 0; i < pfk_engine_tables(k[0].e); i++) {
		pfk_engine_table(k[0].e, i, &x);
		pfk_engine_table(k[1].e, i, &y);
		ck_assert_uint_eq(x.match, y.match);
		ck_assert_uint_eq(x.nomatch, y.nomatch);
		ck_assert_mem_eq(x.packets, y.packets, sizeof(x.packets));
		ck_assert_mem_eq(x.bytes, y.bytes, sizeof(x.bytes));
	}
}

static void
same_counters(const struct kit k[2])
{
	struct pfk_rule_counters x, y;

	for (uint32_t r = 0; r < pfk_image_rules(k[0].image); r++) {
		pfk_engine_rule_counters(k[0].e, r, &x);
		pfk_engine_rule_counters(k[1].e, r, &y);
		ck_assert_mem_eq(&x, &y, sizeof(x));
	}
	same_tables(k);
}

static void
close_both(struct kit k[2])
{
	kit_close(&k[0]);
	kit_close(&k[1]);
}

/* More tables than are told apart, on both sides, negated, in anchors. */
static const char *const rulesets[] = {
	"table <a> { 10.0.0.0/30, ! 10.0.0.2, 2001:db8::1 }\n"
	"block in quick from <a>\npass no state\n",

	"table <a> { 10.0.0.1 10.0.0.4/30 2001:db8::/126 }\n"
	"table <b> { 10.0.0.2 ! 10.0.0.5 10.0.0.4/31 }\n"
	"table <c> counters { 10.0.0.0/29 ! 10.0.0.3 2001:db8::4 }\n"
	"table <d> persist\n"
	"block in\npass in quick from <a> to <b> no state\n"
	"pass in from ! <b> to <c> no state\n"
	"block in quick proto udp from <d>\n"
	"block in quick proto udp from any port 2 to ! <a>\n"
	"pass in quick from <c> to <c> no state\n"
	"pass in quick proto tcp from (em1) to <d> no state\n"
	"pass in proto tcp from <b> to (em1) no state\n"
	"anchor one from <b> {\npass quick from <a> no state\n"
	"block to <c>\n}\n",

	"table <a> { 10.0.0.1 }\ntable <b> { 10.0.0.2 }\n"
	"table <c> { 10.0.0.3 }\ntable <d> { 10.0.0.4 }\n"
	"table <e> { 10.0.0.5 }\ntable <f> { 10.0.0.6 }\n"
	"table <g> { 10.0.0.7 }\ntable <h> { 10.0.0.8 10.0.0.1 }\n"
	"table <i> { 10.0.0.1/30 }\ntable <j> { 10.0.0.2/31 }\n"
	"pass from <a> to <b> no state\npass from <c> to <d> no state\n"
	"block from <e> to ! <f>\npass from <g> to <h> no state\n"
	"pass quick from <i> to <j> no state\n"
	"block quick from <j> to <i>\npass quick from <h> no state\n",

	/* the answer was about an address that it has no more */
	"table <a> { 10.0.0.1 }\n"
	"match in inet proto udp to 10.0.0.8 rdr-to 10.0.0.1\n"
	"block in quick proto udp to <a>\nblock in from <a>\n",

	/* what leads further is asked behind the table, of a few rows */
	"table <a> { 10.0.0.1 10.0.0.4/31 }\n"
	"block in inet from <a> to 10.0.0.1\n"
	"block in quick on ! em0 inet from any to 10.0.0.1\n"
	"pass in quick inet from any to 10.0.0.1 no state\n"
	"block in quick inet proto udp from ! <a> port > 2 to ! 10.0.0.1\n",
};

static uint32_t
make_packet(uint8_t *b)
{
	bool v6 = chance(3) == 0, tcp = chance(2);
	struct kit_packet p = tcp ? kit_tcp(0x0a000000 + chance(9),
	    (uint16_t)chance(4), 0x0a000000 + chance(9), 5, 0x10, 1, 2, 0) :
	    kit_udp(0x0a000000 + chance(9), (uint16_t)chance(4),
	    0x0a000000 + chance(9), 5);
	static const uint8_t net[] = { 0x20, 1, 0x0d, 0xb8 };
	uint32_t plen = p.len - 20;

	memcpy(b, p.b, p.len);
	if (!v6)
		return p.len;
	memset(b, 0, 40);
	memcpy(b + 40, p.b + 20, plen);
	b[0] = 0x60;
	b[5] = (uint8_t)plen;
	b[6] = tcp ? 6 : 17;
	b[7] = 64;
	memcpy(b + 8, net, sizeof(net));
	memcpy(b + 24, net, sizeof(net));
	b[23] = (uint8_t)(1 + chance(6));
	b[39] = (uint8_t)(1 + chance(6));
	return 40 + plen;
}

static void
change_table(struct kit k[2])
{
	size_t t = chance((uint32_t)pfk_engine_tables(k[0].e));
	struct pfk_table_entry e = { .af = 4,
	    .bits = (uint8_t)(28 + chance(5)), .neg = chance(4) == 0,
	    .addr = { 10, 0, 0, (uint8_t)chance(9) } };
	bool add = chance(2);

	for (unsigned i = 0; i < 2; i++)
		if (add)
			pfk_engine_table_add(k[i].e, t, &e);
		else
			pfk_engine_table_delete(k[i].e, t, &e);
}

START_TEST(bursts)
{
	static uint8_t bytes[BURST][128];
	struct pfk_packet p[BURST];
	static struct kit k[2];

	seed = 21 + (uint64_t)_i;
	open_both(k, rulesets[_i]);
	for (unsigned i = 0; i < 400; i++) {
		size_t n = 1 + chance(BURST);

		for (size_t x = 0; x < n; x++) {
			p[x] = (struct pfk_packet){ .time = KIT_START,
			    .data = bytes[x], .linktype = 101,
			    .ifid = (uint16_t)(1 + chance(2)),
			    .dir = (uint8_t)(1 + (chance(4) == 0)) };
			p[x].caplen = p[x].wirelen = make_packet(bytes[x]);
		}
		run_both(k, p, n);
		if (chance(3) == 0)
			change_table(k);
	}
	same_counters(k);
	close_both(k);
}
END_TEST

/* Segments of connections that come from one host, all in one burst. */
static size_t
add_handshake(struct pfk_packet *p, uint8_t (*b)[128], size_t n,
    uint16_t sport)
{
	const uint32_t src = 0xc6336407, dst = 0xc0000202;
	const struct kit_packet v[3] = {
		kit_tcp(src, sport, dst, 22, 0x02, 100, 0, 0),
		kit_tcp(dst, 22, src, sport, 0x12, 500, 101, 0),
		kit_tcp(src, sport, dst, 22, 0x10, 101, 501, 0) };

	for (unsigned i = 0; i < 3; i++, n++) {
		memcpy(b[n], v[i].b, v[i].len);
		p[n] = (struct pfk_packet){ .time = KIT_START, .data = b[n],
		    .linktype = 101, .ifid = 1, .caplen = v[i].len,
		    .wirelen = v[i].len, .dir = i == 1 ? PFK_OUT : PFK_IN };
	}
	return n;
}

/*
 * What was known of the table is not true any more behind the second one: of
 * the same group, or of those behind it, too.
 */
START_TEST(changed_by_burst)
{
	static uint8_t bytes[BURST][128];
	struct pfk_packet p[BURST];
	static struct kit k[2];
	struct pfk_table_info t;
	size_t n = 0;

	open_both(k, "table <bad> persist\nblock in quick from <bad>\n"
	    "pass in proto tcp to port 22 keep state (max-src-conn 1, "
	    "overload <bad>)\npass out\n");
	for (uint16_t sport = 1; sport <= (_i == 0 ? 4 : BURST / 3); sport++)
		n = add_handshake(p, bytes, n, sport);
	run_both(k, p, n);
	pfk_engine_table(k[0].e, 0, &t);
	ck_assert_uint_eq(t.naddrs, 1);
	ck_assert_uint_gt(t.match, 0);
	ck_assert_uint_gt(t.nomatch, 0);
	same_counters(k);
	close_both(k);
}
END_TEST

static struct key
random_key(bool v6)
{
	struct key k = { (uint64_t)chance(1u << 30) << 34 |
	    chance(1u << 30), (uint64_t)chance(1u << 30) << 34 };

	return v6 ? k : (struct key){ k.hi >> 32 << 32, 0 };
}

/* A prefix's first or last address, or the one before or behind. */
static struct key
edge_key(const struct prefix_tree *t, bool v6)
{
	const struct prefix_node *node;
	struct key k;

	if (t->n < 2)
		return random_key(v6);
	node = &t->nodes[1 + chance(t->n - 1)];
	k = node_key(node);
	if (chance(2))
		k = key_last(k, node->bits);
	if (!v6)
		return (struct key){ ((k.hi >> 32) + chance(3) - 1) << 32, 0 };
	if (chance(2)) {
		k.lo += chance(2);
		k.hi += k.lo == 0;
	}
	return k;
}

/* Prefixes of a part of all addresses, and not shorter than that. */
static void
add_some(struct pfk_engine *e, bool v6, unsigned n)
{
	unsigned narrow = chance(3) * 12, most = v6 ? 128 : 32;

	while (n-- > 0) {
		struct pfk_addr a = { { 0 } };

		for (unsigned j = 0; j < 16; j++)
			a.b[j] = (uint8_t)chance(256);
		a.b[0] &= (uint8_t)(0xff >> narrow / 3);
		ck_assert_int_ge(table_add(e, 0, v6 ? PFK_AF_INET6 :
		    PFK_AF_INET, (uint8_t)(1 + narrow + chance(most -
		    narrow)), chance(4) == 0, &a), 0);
	}
}

static uint32_t
in_tree(const struct prefix_tree *t, const struct prefix_keys *key,
    unsigned n)
{
	uint32_t in = 0;

	for (unsigned x = 0; x < n; x++) {
		uint32_t v = prefix_match_key(t, (struct key){ key->hi[x],
		    key->lo[x] });

		in |= (uint32_t)(v != PREFIX_NONE && (v & t->out) == 0) << x;
	}
	return in;
}

static bool kinds[KINDS];	/* of buckets, that have been asked */

static void
see_kinds(const struct prefix_tree *t, const struct prefix_found *f,
    unsigned n)
{
	for (unsigned x = 0; x < n && t->index.mem != NULL; x++)
		kinds[((const uint8_t *)prefix_mem_at(&t->index,
		    f->slot[x] & (PREFIX_UNITS - 1)))[BUCKET_KIND]] = true;
}

/* By what the processor has to offer, and by what every one has. */
static void
ask_some(struct prefix_tree *tree, bool v6)
{
	unsigned n = 1 + chance(PREFIX_SOME);
	struct prefix_keys key;
	struct prefix_found found;
	bool wide = tree->index.wide;
	uint32_t in;

	for (unsigned x = 0; x < n; x++) {
		struct key k = chance(2) ? edge_key(tree, v6) : random_key(v6);

		key.hi[x] = k.hi;
		key.lo[x] = k.lo;
	}
	prefix_find_some(tree, &key, n, v6, &found);
	see_kinds(tree, &found, n);
	in = in_tree(tree, &key, n);
	ck_assert_uint_eq(prefix_contain_some(tree, &key, n, &found), in);
	tree->index.wide = false;
	ck_assert_uint_eq(prefix_contain_some(tree, &key, n, &found), in);
	tree->index.wide = wide;
	for (unsigned x = 0; x < n; x++)
		ck_assert_uint_eq(in >> x & 1,
		    prefix_index_state_portable(&tree->index, (struct key){
		    key.hi[x], key.lo[x] }) == PREFIX_IN);
}

/* Some keys at a time, in trees of all shapes. */
START_TEST(some_keys)
{
	static struct kit k;

	seed = 31;
	kit_open(&k, "table <t> persist\npass\n");
	for (unsigned round = 0; round < 30; round++) {
		bool v6 = round % 2;

		add_some(k.e, v6, 1u << chance(13));
		for (unsigned i = 0; i < 2000; i++)
			ask_some(&k.e->tables[0].tree[v6], v6);
		if (chance(4) == 0)
			table_clear(k.e, &k.e->tables[0]);
	}
	for (unsigned kind = KIND_NONE; kind <= KIND_128; kind++) {
		ck_assert(kinds[kind]);
		ck_assert(kind == KIND_NONE || kinds[kind + KIND_LONG]);
	}
	kit_close(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("table_ahead");
	TCase *tc = tcase_create("table_ahead");
	SRunner *r;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, bursts, 0,
	    sizeof(rulesets) / sizeof(*rulesets));
	tcase_add_loop_test(tc, changed_by_burst, 0, 2);
	tcase_add_test(tc, some_keys);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
