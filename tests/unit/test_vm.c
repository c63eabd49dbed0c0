/*
 * The bytecode against a direct walk over the rules: random rulesets with
 * anchors, random packets of a small world, and the same answer from both:
 * what decides, which match rules acted, the tag, and how often each rule was
 * evaluated.
 */
#include <check.h>

#include "direct.h"
#include "flat_rules.h"
#include "runtime/block.h"
#include "runtime/structures.h"

static const char *const wan_groups[] = { "wan", NULL };
static const struct pfk_ifaddr em0_addrs[] = {
	{ .af = PFK_AF_INET, .prefixlen = 30, .addr = { 10, 0, 0, 1 } },
	{ .af = PFK_AF_INET6, .prefixlen = 126, .addr = { [0] = 0x20,
	    [15] = 1 } },
};
static const struct pfk_ifaddr em1_addrs[] = {
	{ .af = PFK_AF_INET, .prefixlen = 24, .addr = { 10, 0, 1, 1 } },
};
static const struct pfk_interface ifs[] = {
	{ .name = "lo0", .flags = PFK_IFF_LOOPBACK },
	{ .name = "em0", .groups = wan_groups, .addrs = em0_addrs,
	    .naddrs = 2 },
	{ .name = "em1", .rdomain = 1, .addrs = em1_addrs, .naddrs = 1 },
};
static const struct world_route routes[] = {
	{ PFK_AF_INET, 24, { { 10, 0, 0, 0 } }, "em0", "wan" },
	{ PFK_AF_INET, 31, { { 10, 0, 0, 2 } }, "em1", "lan" },
	{ PFK_AF_INET, 31, { { 10, 0, 1, 4 } }, "em1", NULL },
	{ PFK_AF_INET6, 127, { { [0] = 0x20 } }, "em0", "wan" },
};
#define NROUTES	(sizeof(routes) / sizeof(routes[0]))
static const struct world world = { ifs, 3, routes, NROUTES };

/* Blocks have hash tables; have vectors that are not compared widely. */
static bool no_vectors, narrow;

static void
engine_set_up(struct pfk_engine *e, const struct pfk_image *im)
{
	struct pfk_route v[NROUTES] = { { 0 } };

	memset(e, 0, sizeof(*e));
	e->alloc = pfk_allocator_libc;
	e->no_vectors = no_vectors;
	e->narrow = narrow;
	e->image = im;
	e->opts = *im->options;
	for (size_t i = 0; i < NROUTES; i++) {
		v[i].af = routes[i].af;
		v[i].prefixlen = routes[i].bits;
		memcpy(v[i].dst, &routes[i].dst, 16);
		v[i].ifname = routes[i].ifname;
		v[i].label = routes[i].label;
	}
	ck_assert_int_eq(tables_init(e), 0);
	ck_assert_int_eq(ifaces_init(e, ifs, 3), 0);
	ck_assert_int_eq(routes_init(e, v, NROUTES), 0);
	ck_assert_int_eq(osfp_init(e, ""), 0);
	ck_assert_int_eq(rules_init(e), 0);
}

static void
engine_tear_down(struct pfk_engine *e)
{
	rules_free(e);
	osfp_free(e);
	routes_free(e);
	ifaces_free(e);
	tables_free(e);
	e_free(e, e->match_items, e->nmatch_items * sizeof(*e->match_items));
}

static void
pick_packet(struct flat *f, struct direct_packet *p)
{
	static const uint8_t protos[] = { 6, 6, 17, 1, 58, 50 };
	static const uint8_t types[] = { 8, 0, 3, 128, 129, 136 };
	static const char *const names[] = { "em0", "em1", "lo0", "tun9" };
	static const char *const tags[] = { NULL, NULL, "a", "b" };

	*p = (struct direct_packet){
		.ifname = names[flat_pick(f, 4)],
		.rcvif = flat_pick(f, 2) ? names[flat_pick(f, 2)] : NULL,
		.tag = tags[flat_pick(f, 4)],
		.rdomain = flat_pick(f, 2),
		.af = flat_pick(f, 3) ? PFK_AF_INET : PFK_AF_INET6,
		.dir = (uint8_t)(1 + flat_pick(f, 2)),
		.proto = protos[flat_pick(f, 6)],
		.tos = (uint8_t)(flat_pick(f, 3) ? 0 : 0x10),
		.flags = (uint8_t)(flat_pick(f, 2) ? 2 : flat_pick(f, 64)),
		.prio = (uint8_t)(flat_pick(f, 2) ? 3 : 0),
		.fragment = flat_pick(f, 12) == 0,
		.port = { (uint16_t)(19 + flat_pick(f, 8)),
		    (uint16_t)(19 + flat_pick(f, 8)) },
		.icmp_type = types[flat_pick(f, 6)],
		.icmp_code = (uint8_t)flat_pick(f, 2),
		.icmp_answer = flat_pick(f, 2),
		.icmp_error = flat_pick(f, 4) == 0,
		.second = p->second + (flat_pick(f, 4) == 0),
	};
	flat_pick_addr(f, &p->addr[0], p->af);
	flat_pick_addr(f, &p->addr[1], p->af);
}

/* The same packet as the engine has it. */
static void
to_engine(struct pfk_engine *e, const struct direct_packet *from,
    struct pkt *p, struct filter *f)
{
	memset(p, 0, sizeof(*p));
	p->e = e;
	p->af = p->naf = from->af;
	p->dir = from->dir;
	p->proto = from->proto;
	p->vproto = from->fragment ? VPROTO_FRAGMENT : from->proto;
	p->tos = from->tos;
	p->tcp_flags = from->flags;
	p->prio = from->prio;
	p->rdomain = (uint16_t)from->rdomain;
	p->ifid = (uint16_t)pfk_engine_interface(e, from->ifname);
	p->rcvif = from->rcvif == NULL ? IF_NONE :
	    (uint16_t)pfk_engine_interface(e, from->rcvif);
	p->tag = from->tag == NULL ? 0 : tag_intern(e, from->tag);
	memcpy(p->addr, from->addr, sizeof(p->addr));
	for (unsigned i = 0; i < 2; i++)
		p->port[i] = port_net(from->port[i]);
	e->uptime = from->second;
	memset(f, 0, sizeof(*f));
	f->p = p;
	f->rule = e->default_rule;
	f->anchor = f->here = f->nat_rule = IMG_NONE;
	f->icmp_type = from->icmp_type;
	f->icmp_code = from->icmp_code;
	f->icmp_dir = from->icmp_answer ? PFK_OUT : PFK_IN;
	f->state_icmp = from->icmp_error;
}

static void
compare(struct pfk_engine *e, struct direct *d, const struct filter *f)
{
	uint32_t item = f->match_list;

	rules_settle(e);
	ck_assert_uint_eq(f->rule, d->rule == IMG_NONE ? e->default_rule :
	    d->rule);
	ck_assert_uint_eq(f->anchor, d->anchor);
	for (unsigned i = d->nmatches; i-- > 0;) {
		ck_assert_uint_ne(item, 0);
		ck_assert_uint_eq(e->match_items[item].rule, d->matches[i]);
		item = e->match_items[item].next;
	}
	ck_assert_uint_eq(item, 0);
	ck_assert_uint_eq(f->tag, d->tag == NULL ? 0 :
	    tag_intern(e, d->tag));
	for (uint32_t i = 0; i < e->nrules; i++) {
		ck_assert_uint_eq(e->rules[i].n.evaluations,
		    d->rules[i].evaluations);
		ck_assert_int_eq(e->rules[i].n.expired, d->rules[i].expired);
	}
}

typedef void (*pick_rules)(struct flat *, struct anchor *, unsigned);

static void
run_both(uint64_t seed, unsigned nrules, unsigned npackets,
    enum pfk_lowering lowering, pick_rules pick)
{
	struct direct_packet dp = { 0 };
	static struct direct d;
	struct pfk_engine e;
	struct pfk_image *im;
	struct filter f;
	struct flat flat;
	struct pkt p;
	enum outcome outcome;
	enum direct_end end;

	flat_init(&flat, seed);
	flat_random(&flat, pick != NULL ? 3 : nrules);
	if (pick != NULL)
		pick(&flat, &flat.root, nrules);
	im = flat_image_as(&flat, lowering);
	engine_set_up(&e, im);
	memset(&d, 0, sizeof(d));
	d.im = im;
	d.world = &world;
	d.rules = calloc(im->nrules + 1, sizeof(*d.rules));
	for (unsigned i = 0; i < npackets; i++) {
		pick_packet(&flat, &dp);
		to_engine(&e, &dp, &p, &f);
		outcome = ruleset_run(&e, &f);
		end = direct_run(&d, &dp);
		ck_assert_int_eq(outcome == PKT_DROP, end == DIRECT_FAIL);
		compare(&e, &d, &f);
		match_items_free(&e, f.match_list);
	}
	free(d.rules);
	engine_tear_down(&e);
	pfk_image_free(im);
	flat_free(&flat);
}

/* --- both lowerings --- */

static bool
blocks_used(const struct pfk_engine *e)
{
	return e->nblocks != 0;
}

static void
compare_counts(struct pfk_engine *e)
{
	for (unsigned i = 0; i < 2; i++)
		rules_settle(&e[i]);
	for (uint32_t i = 0; i < e[0].nrules; i++)
		ck_assert_uint_eq(e[0].rules[i].n.evaluations,
		    e[1].rules[i].n.evaluations);
}

static void
compare_answers(struct pfk_engine *e, struct filter *f)
{
	for (unsigned i = 0; i < 2; i++)
		match_items_free(&e[i], f[i].match_list);
	ck_assert_uint_eq(f[0].rule, f[1].rule);
	ck_assert_uint_eq(f[0].anchor, f[1].anchor);
	ck_assert_uint_eq(f[0].tag, f[1].tag);
}

/* Rules of any shape, as plain and as fast code. */
static void
run_lowerings(uint64_t seed, unsigned nrules, unsigned npackets)
{
	struct direct_packet dp = { 0 };
	struct pfk_engine e[2];
	struct pfk_image *im[2];
	struct filter f[2];
	struct flat flat;
	struct pkt p[2];

	flat_init(&flat, seed);
	flat_random(&flat, 3);
	flat_pick_mixed(&flat, &flat.root, nrules);
	for (unsigned i = 0; i < 2; i++) {
		im[i] = flat_image_as(&flat, i == 0 ? PFK_LOWER_PLAIN :
		    PFK_LOWER_FAST);
		engine_set_up(&e[i], im[i]);
	}
	ck_assert(nrules < 500 || blocks_used(&e[1]));
	for (unsigned k = 0; k < npackets; k++) {
		enum outcome outcome[2];

		pick_packet(&flat, &dp);
		for (unsigned i = 0; i < 2; i++) {
			to_engine(&e[i], &dp, &p[i], &f[i]);
			outcome[i] = ruleset_run(&e[i], &f[i]);
		}
		ck_assert_int_eq(outcome[0], outcome[1]);
		compare_answers(e, f);
		if (k % 50 == 0 || k + 1 == npackets)
			compare_counts(e);
	}
	for (unsigned i = 0; i < 2; i++) {
		engine_tear_down(&e[i]);
		pfk_image_free(im[i]);
	}
	flat_free(&flat);
}

START_TEST(same_answers)
{
	for (unsigned i = 0; i < 25; i++)
		run_both((uint64_t)(_i * 25) + i, 1 + (i * 8 + (unsigned)_i) %
		    40, 300, PFK_LOWER_PLAIN, NULL);
}
END_TEST

START_TEST(fast)
{
	no_vectors = _i % 2;
	narrow = _i % 4 == 2;
	for (unsigned i = 0; i < 10; i++)
		run_both((uint64_t)(_i * 10) + i, 9 + i * 19, 150,
		    PFK_LOWER_FAST, flat_pick_blocks);
}
END_TEST

START_TEST(fast_mixed)
{
	no_vectors = _i % 2;
	narrow = _i % 4 == 2;
	for (unsigned i = 0; i < 12; i++)
		run_lowerings((uint64_t)(_i * 12) + i + 1000, 20 + i * 41,
		    200);
}
END_TEST

/* Each rule takes some fields from the one before: the steps are long. */
START_TEST(mixed)
{
	for (unsigned i = 0; i < 20; i++)
		run_both((uint64_t)(_i * 20) + i + 7000, 1 + i * 15, 100,
		    i % 2 ? PFK_LOWER_PLAIN : PFK_LOWER_FAST,
		    flat_pick_mixed);
}
END_TEST

START_TEST(many_rules)
{
	run_both((uint64_t)_i + 5, 300, 150, PFK_LOWER_PLAIN, NULL);
}
END_TEST

/* --- what is told of blocks and strips --- */

static size_t held;		/* bytes */

static void *
count_memory(void *ctx, void *p, size_t old, size_t size)
{
	(void)ctx;
	held += size - old;
	return pfk_allocator_libc.fn(pfk_allocator_libc.ctx, p, old, size);
}

static void
sum_bytes(void *ctx, const struct structure *s)
{
	*(size_t *)ctx += s->bytes;
}

/* It is all the memory that they take, but for what is around arrays. */
START_TEST(structures)
{
	static const struct pfk_allocator counting = { count_memory, NULL };
	size_t told = 0, all = 0, before;
	struct pfk_engine e;
	struct pfk_image *im;
	struct flat flat;

	no_vectors = _i % 2;
	flat_init(&flat, (uint64_t)_i + 40);
	flat_random(&flat, 3);
	flat_pick_mixed(&flat, &flat.root, 40 + (unsigned)_i * 300);
	im = flat_image_as(&flat, PFK_LOWER_FAST);
	engine_set_up(&e, im);
	for (uint32_t i = 0; i < e.nblocks; i++)
		all += block_structures(e.blocks[i], sum_bytes, &told);
	for (uint32_t i = 0; i < e.nstrips; i++)
		all += strip_structures(e.strips[i], sum_bytes, &told);
	ck_assert_uint_eq(told, all);
	ck_assert_uint_ne(all, 0);
	all += e.nblocks * sizeof(*e.blocks) + e.nstrips * sizeof(*e.strips);
	for (uint32_t i = 0; i < e.nblocks; i++)
		all += block_around_arrays(e.blocks[i]);
	e.alloc = counting;
	before = held;
	blocks_free(&e);
	strips_free(&e);
	ck_assert_uint_eq(before - held, all);
	engine_tear_down(&e);
	pfk_image_free(im);
	flat_free(&flat);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("vm");
	TCase *tc = tcase_create("vm");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, same_answers, 0, 8);
	tcase_add_loop_test(tc, fast, 0, 10);
	tcase_add_loop_test(tc, fast_mixed, 0, 10);
	tcase_add_loop_test(tc, mixed, 0, 8);
	tcase_add_loop_test(tc, many_rules, 0, 5);
	tcase_add_loop_test(tc, structures, 0, 5);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
