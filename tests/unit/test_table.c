/*
 * Tables against a list that is looked through from one end to the other.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/prefix_int.h"
#include "runtime/table.h"

#define MAX	2000

struct listed { struct pfk_addr addr; uint8_t af, bits; bool neg; };
struct list { struct listed v[MAX]; unsigned n; };

static uint64_t seed;

static unsigned
pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* An engine with nothing but tables. */
static const struct img_options options;
static const char strings[2];
static const struct pfk_image empty = { .strings = strings, .nstrings = 2,
    .options = &options };

static void
engine_set_up(struct pfk_engine *e)
{
	memset(e, 0, sizeof(*e));
	e->alloc = pfk_allocator_libc;
	e->image = &empty;
	ck_assert_int_eq(tables_init(e), 0);
}

/* Close together, so that the trie gets arrays (runtime/prefix_index.c). */
static bool dense;

static void
pick_prefix(struct listed *p)
{
	struct pfk_addr mask;
	unsigned all;

	memset(p, 0, sizeof(*p));
	p->af = pick(3) ? PFK_AF_INET : PFK_AF_INET6;
	all = addr_bits((enum pfk_af)p->af);
	for (unsigned i = 0; i < all / 8; i++)
		p->addr.b[i] = (uint8_t)(pick(3) ? 0 : pick(4) * 85);
	p->bits = (uint8_t)(pick(3) ? all - pick(12) : pick(all + 1));
	if (dense && pick(50)) {
		memset(&p->addr, 0, sizeof(p->addr));
		p->addr.b[0] = 0x20;
		p->addr.b[all / 8 - 2] = (uint8_t)(pick(2) ? 0 : pick(4));
		p->addr.b[all / 8 - 1] = (uint8_t)pick(256);
		p->bits = (uint8_t)(pick(9) ? all - pick(3) : all - pick(12));
	}
	p->neg = pick(4) == 0;
	addr_prefix_mask(&mask, p->bits);
	addr_and(&p->addr, &mask);
}

static int
list_find(const struct list *l, const struct listed *p)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->v[i].af == p->af && l->v[i].bits == p->bits &&
		    addr_equal(&l->v[i].addr, &p->addr,
		    (enum pfk_af)p->af))
			return (int)i;
	return -1;
}

static bool
list_match(const struct list *l, const struct listed *a)
{
	struct pfk_addr mask;
	int best = -1;

	for (unsigned i = 0; i < l->n; i++) {
		addr_prefix_mask(&mask, l->v[i].bits);
		if (l->v[i].af == a->af && addr_match_mask(&l->v[i].addr,
		    &mask, &a->addr, (enum pfk_af)a->af) &&
		    (best < 0 || l->v[i].bits > l->v[best].bits))
			best = (int)i;
	}
	return best >= 0 && !l->v[best].neg;
}

static void
change(struct pfk_engine *e, uint32_t t, struct list *l)
{
	struct listed p;
	int at;

	pick_prefix(&p);
	at = list_find(l, &p);
	if (pick(3) == 0) {
		ck_assert_int_eq(table_remove(e, t, p.af, p.bits, &p.addr),
		    at >= 0);
		if (at >= 0)
			l->v[at] = l->v[--l->n];
		return;
	}
	if (l->n == MAX)
		return;
	ck_assert_int_eq(table_add(e, t, p.af, p.bits, p.neg, &p.addr),
	    at < 0);
	if (at < 0)
		l->v[l->n++] = p;
}

START_TEST(like_a_list)
{
	static struct list l;
	struct pfk_engine e;
	struct listed a;
	uint32_t t;

	seed = (uint64_t)_i + 1;
	dense = _i % 2 == 1;
	l.n = 0;
	engine_set_up(&e);
	t = table_make(&e, "", "t");
	e.tables[t].flags = IMG_T_DEFINED;
	for (unsigned i = 0; i < 3000; i++) {
		change(&e, t, &l);
		pick_prefix(&a);
		ck_assert_int_eq(table_match(&e, t, a.af, &a.addr),
		    list_match(&l, &a));
		ck_assert_uint_eq(table_count_addrs(&e, t, 0), l.n);
	}
	if (dense)
		ck_assert_uint_gt(e.tables[t].tree[0].index.n, 20);
	tables_free(&e);
}
END_TEST

/* Many prefixes, short ones among them: the tree begins in the middle. */
START_TEST(large)
{
	static struct list l;
	struct pfk_engine e;
	struct pfk_addr mask;
	struct listed p;
	uint32_t t;
	int at;

	seed = 9;
	l.n = 0;
	engine_set_up(&e);
	t = table_make(&e, "", "t");
	e.tables[t].flags = IMG_T_DEFINED;
	for (unsigned i = 0; i < 6000; i++) {
		memset(&p, 0, sizeof(p));
		p.af = PFK_AF_INET;
		p.addr.b[0] = (uint8_t)pick(4);
		p.addr.b[1] = (uint8_t)pick(4);
		p.addr.b[2] = (uint8_t)pick(256);
		p.addr.b[3] = (uint8_t)pick(256);
		ck_assert_int_eq(table_match(&e, t, p.af, &p.addr),
		    list_match(&l, &p));
		p.bits = (uint8_t)(pick(3) ? 20 + pick(13) : 6 + pick(14));
		p.neg = pick(2) == 0;
		addr_prefix_mask(&mask, p.bits);
		addr_and(&p.addr, &mask);
		at = list_find(&l, &p);
		if (at < 0 && l.n < MAX && pick(8) != 0) {
			ck_assert_int_eq(table_add(&e, t, p.af, p.bits,
			    p.neg, &p.addr), 1);
			l.v[l.n++] = p;
			continue;
		}
		at = at < 0 && l.n > 0 ? (int)pick(l.n) : at;
		if (at >= 0) {
			ck_assert_int_eq(table_remove(&e, t, p.af,
			    l.v[at].bits, &l.v[at].addr), 1);
			l.v[at] = l.v[--l.n];
		}
	}
	tables_free(&e);
}
END_TEST

/*
 * Larger ones, of several shapes, against exact prefixes asked one by one from
 * the longest to the shortest.  Asked are the ends of prefixes, and their
 * neighbours.
 */
enum { SHAPE_ROUTES, SHAPE_HOSTS, SHAPE_NESTED, SHAPE_NETWORK, NSHAPES };
#define HELD	4000

static void
shaped_prefix(struct listed *p, unsigned shape, uint8_t af)
{
	unsigned all = addr_bits((enum pfk_af)af);
	struct pfk_addr mask;

	memset(p, 0, sizeof(*p));
	p->af = af;
	for (unsigned i = 0; i < all / 8; i++)
		p->addr.b[i] = (uint8_t)pick(256);
	p->bits = (uint8_t)all;
	if (shape == SHAPE_ROUTES) {
		p->bits = (uint8_t)(af == PFK_AF_INET ? 12 + pick(13) :
		    24 + pick(41));
		p->addr.b[0] &= 0x23;
	} else if (shape == SHAPE_NESTED) {	/* about four addresses */
		memset(&p->addr, pick(2) ? 0 : 0x80, sizeof(p->addr));
		p->addr.b[pick(all / 8)] |= (uint8_t)(1u << pick(8));
		p->bits = (uint8_t)(pick(all + 1));
	} else if (shape == SHAPE_NETWORK) {	/* one, and what is below */
		memset(&p->addr, 0x20, all / 8 - 2);
		p->bits = (uint8_t)(all - pick(pick(6) ? 3 : 17));
	}
	if (pick(500) == 0)
		p->bits = (uint8_t)pick(9);
	p->neg = pick(3) == 0;
	addr_prefix_mask(&mask, p->bits);
	addr_and(&p->addr, &mask);
}

static bool
by_lengths(const struct prefix_tree *t, uint8_t af, const struct pfk_addr *a)
{
	for (unsigned bits = addr_bits((enum pfk_af)af) + 1; bits-- > 0;) {
		uint32_t v = prefix_get(t, af, a, (uint8_t)bits);

		if (v != PREFIX_NONE)
			return (v & 1) == 0;
	}
	return false;
}

/* The prefix's first or last address, or one beside. */
static void
ask_around(struct pfk_engine *e, uint32_t t, const struct listed *p)
{
	const struct prefix_tree *tree =
	    &e->tables[t].tree[p->af == PFK_AF_INET6];
	unsigned n = addr_bits((enum pfk_af)p->af) / 8, step = pick(3), i;
	struct pfk_addr a = p->addr, mask;

	addr_prefix_mask(&mask, p->bits);
	for (i = 0; step != 1 && i < n; i++)
		a.b[i] |= (uint8_t)~mask.b[i];
	for (i = n; step == 2 && i-- > 0 && ++a.b[i] == 0;)
		;
	for (i = n; step == 1 && pick(2) && i-- > 0 && a.b[i]-- == 0;)
		;
	ck_assert_int_eq(table_contains(e, t, p->af, &a),
	    by_lengths(tree, p->af, &a));
	ck_assert_uint_eq(prefix_index_state_portable(&tree->index,
	    key_of(p->af, &a)), prefix_index_state(&tree->index,
	    key_of(p->af, &a)));
}

static void
grow_and_shrink(struct pfk_engine *e, uint32_t t, struct listed *held,
    unsigned shape, uint8_t af)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 5 * HELD; i++) {
		bool grow = i < 2 * HELD || pick(3) == 0;
		struct listed p;

		shaped_prefix(&p, shape, af);
		ask_around(e, t, &p);
		if (grow && n < HELD && table_add(e, t, af, p.bits, p.neg,
		    &p.addr) == 1)
			held[n++] = p;
		else if (n > 0) {
			unsigned k = pick(n);

			p = held[k];
			ck_assert_int_eq(table_remove(e, t, af, p.bits,
			    &p.addr), 1);
			held[k] = held[--n];
		}
		ask_around(e, t, &p);
	}
}

START_TEST(like_lengths)
{
	uint8_t af = _i % 2 ? PFK_AF_INET6 : PFK_AF_INET;
	static struct listed held[HELD];
	struct pfk_engine e;
	uint32_t t;

	seed = (uint64_t)_i + 123;
	engine_set_up(&e);
	t = table_make(&e, "", "t");
	e.tables[t].flags = IMG_T_DEFINED;
	grow_and_shrink(&e, t, held, (unsigned)_i / 2, af);
	tables_free(&e);
}
END_TEST

/*
 * An index has no more than so many units, because a slot has 23 bits for them
 * (256 MB).  What is in it up to there is used; behind it the trie is asked,
 * and the answers are the same.
 */
#define LIMITED		3000

static uint32_t
fill_limited(struct pfk_engine *e, struct listed *held, uint8_t af,
    uint32_t units)
{
	uint32_t t = table_make(e, "", "t");
	struct prefix_tree *tree = &e->tables[t].tree[af == PFK_AF_INET6];

	e->tables[t].flags = IMG_T_DEFINED;
	tree->index.limit = units;
	seed = 77;
	for (unsigned i = 0; i < LIMITED; i++) {
		shaped_prefix(&held[i], SHAPE_HOSTS, af);
		ck_assert_int_ge(table_add(e, t, af, held[i].bits,
		    held[i].neg, &held[i].addr), 0);
	}
	return t;
}

/* How many of them the index does not know of. */
static unsigned
unknown(const struct prefix_tree *tree, const struct listed *held, uint8_t af)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LIMITED; i++)
		n += prefix_index_state(&tree->index, key_of(af,
		    &held[i].addr)) == PREFIX_WALK;
	return n;
}

static void
at_limit(uint8_t af, uint32_t units, bool enough)
{
	static struct listed held[LIMITED];
	struct prefix_tree *tree;
	struct pfk_engine e;
	struct listed more;
	uint32_t t;

	engine_set_up(&e);
	t = fill_limited(&e, held, af, units);
	tree = &e.tables[t].tree[af == PFK_AF_INET6];
	ck_assert_uint_le(tree->index.n, units);
	ck_assert_uint_le(tree->index.cap, units);
	ck_assert_int_eq(unknown(tree, held, af) == 0, enough);
	for (unsigned i = 0; i < LIMITED; i++)
		ask_around(&e, t, &held[i]);
	/* and while it changes, also down to where there is room again */
	for (unsigned i = 0; i < LIMITED; i++) {
		ck_assert_int_ge(table_remove(&e, t, af, held[i].bits,
		    &held[i].addr), 0);
		shaped_prefix(&more, SHAPE_NETWORK, af);
		(void)table_add(&e, t, af, more.bits, more.neg, &more.addr);
		ask_around(&e, t, &more);
		ask_around(&e, t, &held[i]);
	}
	ck_assert_uint_le(tree->index.cap, units);
	tables_free(&e);
}

/* The most units that it has while it grows so. */
static uint32_t
units_needed(uint8_t af)
{
	static struct listed held[LIMITED];
	uint32_t few = 1, enough = PREFIX_UNITS, t;
	struct pfk_engine e;

	while (enough - few > 1) {
		uint32_t half = few + (enough - few) / 2;

		engine_set_up(&e);
		t = fill_limited(&e, held, af, half);
		if (unknown(&e.tables[t].tree[af == PFK_AF_INET6], held,
		    af) == 0)
			enough = half;
		else
			few = half;
		tables_free(&e);
	}
	return enough;
}

START_TEST(index_limit)
{
	uint8_t af = _i % 2 ? PFK_AF_INET6 : PFK_AF_INET;
	uint32_t units = units_needed(af);

	ck_assert_uint_lt(units, PREFIX_UNITS / 16);
	at_limit(af, units, true);
	at_limit(af, units - 1, false);
	at_limit(af, units / 2, false);
	at_limit(af, 16, false);
	at_limit(af, 1, false);
}
END_TEST

/*
 * An image's table, filled at once: as if its addresses were added one by one,
 * the first of those that are the same wins.
 */
#define FILLED	3000

static void
make_addrs(struct img_table_addr *v, unsigned shape)
{
	for (unsigned i = 0; i < FILLED; i++) {
		struct listed p;

		shaped_prefix(&p, shape, pick(2) ? PFK_AF_INET : PFK_AF_INET6);
		v[i] = (struct img_table_addr){ .addr = p.addr,
		    .weight = (uint16_t)(1 + i), .af = p.af, .bits = p.bits,
		    .neg = p.neg };
		if (i > 0 && pick(5) == 0) {	/* again, and it differs */
			v[i] = v[pick(i)];
			v[i].neg = !v[i].neg;
			v[i].weight = (uint16_t)(1 + i);
		}
	}
}

/* The same entry, with the same weight and sign, or none in either. */
static void
check_entry(const struct table *a, const struct table *b,
    const struct img_table_addr *x)
{
	bool v6 = x->af == PFK_AF_INET6;
	uint32_t i = prefix_get(&a->tree[v6], x->af, &x->addr, x->bits);
	uint32_t k = prefix_get(&b->tree[v6], x->af, &x->addr, x->bits);

	ck_assert_uint_ne(i, PREFIX_NONE);
	ck_assert_uint_ne(k, PREFIX_NONE);
	ck_assert_uint_eq(i & 1, k & 1);
	ck_assert_uint_eq(a->entries[i >> 1].weight, b->entries[k >> 1].weight);
	ck_assert_uint_eq(a->entries[i >> 1].neg, b->entries[k >> 1].neg);
}

START_TEST(filled)
{
	static struct img_table_addr v[FILLED];
	struct img_table from = { .addr0 = 0, .naddrs = FILLED };
	struct pfk_image im = empty;
	struct pfk_engine e;
	uint32_t all, one;

	seed = (uint64_t)_i + 5;
	make_addrs(v, (unsigned)_i);
	im.table_addrs = v;
	engine_set_up(&e);
	all = table_make(&e, "", "all");
	one = table_make(&e, "", "one");
	e.tables[all].flags = e.tables[one].flags = IMG_T_DEFINED;
	ck_assert(table_fill(&e, all, &im, &from));
	from.naddrs = 1;
	for (from.addr0 = 0; from.addr0 < FILLED; from.addr0++)
		ck_assert(table_fill(&e, one, &im, &from));
	for (unsigned i = 0; i < FILLED; i++) {
		struct listed p = { v[i].addr, v[i].af, v[i].bits, false };

		check_entry(&e.tables[all], &e.tables[one], &v[i]);
		ask_around(&e, all, &p);
		ask_around(&e, one, &p);
	}
	ck_assert_uint_eq(table_count_addrs(&e, all, 0),
	    table_count_addrs(&e, one, 0));
	tables_free(&e);
}
END_TEST

/* Sorted by family, address, and longer prefixes first. */
static bool
in_order(void *ctx, const struct pfk_table_entry *entry)
{
	struct pfk_table_entry *last = ctx;
	int c = memcmp(last->addr, entry->addr, 16);

	ck_assert(last->af < entry->af || (last->af == entry->af &&
	    (c < 0 || (c == 0 && last->bits > entry->bits))));
	*last = *entry;
	return true;
}

START_TEST(sorted)
{
	static struct list l;
	struct pfk_table_entry last = { 0 };
	struct pfk_engine e;
	uint32_t t;

	seed = (uint64_t)_i + 77;
	l.n = 0;
	engine_set_up(&e);
	t = table_make(&e, "", "t");
	for (unsigned i = 0; i < 500; i++)
		change(&e, t, &l);
	pfk_engine_table_entries(&e, t, in_order, &last);
	tables_free(&e);
}
END_TEST

static void
add(struct pfk_engine *e, uint32_t t, const char *text, uint8_t bits, bool neg)
{
	struct pfk_addr a;

	ck_assert(addr_parse(text, PFK_AF_INET, &a));
	ck_assert_int_eq(table_add(e, t, PFK_AF_INET, bits, neg, &a), 1);
}

static bool
has(struct pfk_engine *e, uint32_t t, const char *text)
{
	struct pfk_addr a;

	ck_assert(addr_parse(text, PFK_AF_INET, &a));
	return table_match(e, t, PFK_AF_INET, &a);
}

START_TEST(anchors)
{
	struct pfk_engine e;
	uint32_t inner, main;

	engine_set_up(&e);
	inner = table_make(&e, "a/b", "t");
	main = table_find(&e, "", "t");
	ck_assert_uint_ne(main, IMG_NONE);
	add(&e, main, "10.0.0.0", 8, false);
	ck_assert(!has(&e, inner, "10.1.1.1"));	/* nobody defined either */
	e.tables[main].flags = IMG_T_DEFINED;
	ck_assert(has(&e, inner, "10.1.1.1"));
	ck_assert_int_eq(pfk_engine_find_table(&e, "a/b", "t", true),
	    (long)inner);
	ck_assert(!has(&e, inner, "10.1.1.1"));	/* its own one is empty */
	ck_assert_int_eq(pfk_engine_find_table(&e, "x", "t", false), -1);
	tables_free(&e);
}
END_TEST

/*
 * Blocks in order, longer prefixes first; an address that belongs to a longer
 * prefix is left to it, and negated ones are never given.  The caller moves
 * the turn on, as pf's pools do.
 */
START_TEST(turns)
{
	static const char *const want[] = { "10.0.0.0", "10.0.0.3",
	    "10.0.0.1", "10.0.0.9", "10.0.0.0", "10.0.0.3", "10.0.0.1" };
	struct table_turn turn = { 0 };
	struct pfk_addr addr, mask, expect;
	struct pfk_engine e;
	uint32_t t;

	engine_set_up(&e);
	t = table_make(&e, "", "t");
	e.tables[t].flags = IMG_T_DEFINED;
	add(&e, t, "10.0.0.0", 30, false);
	add(&e, t, "10.0.0.1", 32, false);
	add(&e, t, "10.0.0.2", 32, true);
	add(&e, t, "10.0.0.9", 32, false);
	ck_assert_int_eq(table_next(&e, t, PFK_AF_INET6, &turn, &addr,
	    &mask), -1);
	for (unsigned i = 0; i < 7; i++) {
		ck_assert_int_eq(table_next(&e, t, PFK_AF_INET, &turn, &addr,
		    &mask), 0);
		(void)addr_parse(want[i], PFK_AF_INET, &expect);
		ck_assert_int_eq(memcmp(&turn.counter, &expect, 4), 0);
		for (unsigned k = 4; k-- > 0 && ++turn.counter.b[k] == 0;)
			;
	}
	tables_free(&e);
}
END_TEST

START_TEST(limit)
{
	struct pfk_engine e;
	struct pfk_addr a = { { 10 } };
	uint32_t t;

	engine_set_up(&e);
	e.opts.limit[IMG_LIMIT_TABLE_ENTRIES] = 2;
	t = table_make(&e, "", "t");
	for (unsigned i = 0; i < 4; i++) {
		a.b[3] = (uint8_t)i;
		ck_assert_int_eq(table_add(&e, t, PFK_AF_INET, 32, false, &a),
		    i < 2 ? 1 : -1);
	}
	pfk_engine_table_flush(&e, t);
	ck_assert_int_eq(table_add(&e, t, PFK_AF_INET, 32, false, &a), 1);
	tables_free(&e);
}
END_TEST

/* Counters of entries, and packets that are counted apart. */
START_TEST(counting)
{
	struct pfk_table_info info;
	struct pfk_engine e;
	struct pfk_addr a;
	uint32_t t;

	engine_set_up(&e);
	t = table_make(&e, "", "t");
	e.tables[t].flags = IMG_T_DEFINED | IMG_T_COUNTERS;
	ck_assert(table_has_counters(&e, t));
	add(&e, t, "10.0.0.0", 8, false);
	(void)addr_parse("10.1.1.1", PFK_AF_INET, &a);
	table_count(&e, t, PFK_AF_INET, &a, 40, false, IMG_PASS, false);
	table_count(&e, t, PFK_AF_INET, &a, 50, true, IMG_BLOCK, false);
	(void)addr_parse("11.1.1.1", PFK_AF_INET, &a);
	table_count(&e, t, PFK_AF_INET, &a, 60, false, IMG_PASS, false);
	pfk_engine_table(&e, t, &info);
	ck_assert_uint_eq(info.bytes[0][2], 40);
	ck_assert_uint_eq(info.bytes[1][0], 50);
	ck_assert_uint_eq(info.bytes[0][3], 60);
	ck_assert_uint_eq(table_entry_counters(&e.tables[t],
	    &e.tables[t].entries[0])->bytes[0][2], 40);
	tables_free(&e);
}
END_TEST

/* Allocation fails at each place: nothing is half there. */
struct failing { unsigned left; };

static void *
failing_fn(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct failing *f = ctx;

	if (nsize != 0 && f->left-- == 0)
		return NULL;
	return pfk_allocator_libc.fn(NULL, p, osize, nsize);
}

START_TEST(no_memory)
{
	static struct list l;
	struct failing f;
	struct pfk_engine e;
	struct listed p;
	uint32_t t;

	for (unsigned fail = 0; fail < 40; fail++) {
		seed = fail + 3;
		l.n = 0;
		f.left = 1000;
		engine_set_up(&e);
		e.alloc = (struct pfk_allocator){ failing_fn, &f };
		t = table_make(&e, "", "t");
		e.tables[t].flags = IMG_T_DEFINED;
		f.left = fail;
		for (unsigned i = 0; i < 200; i++) {
			pick_prefix(&p);
			if (list_find(&l, &p) < 0 && table_add(&e, t, p.af,
			    p.bits, p.neg, &p.addr) == 1)
				l.v[l.n++] = p;
			pick_prefix(&p);
			ck_assert_int_eq(table_match(&e, t, p.af, &p.addr),
			    list_match(&l, &p));
		}
		f.left = 1000;
		tables_free(&e);
	}
}
END_TEST

/* The same where a table is filled at once: it says no, or all is there. */
START_TEST(no_memory_to_fill)
{
	static struct img_table_addr v[FILLED];
	struct img_table from = { .addr0 = 0, .naddrs = FILLED };
	struct pfk_image im = empty;
	struct failing f;
	struct pfk_engine e;
	bool done = false;
	uint32_t t;

	make_addrs(v, SHAPE_NETWORK);
	im.table_addrs = v;
	for (unsigned fail = 0; fail < 200; fail++) {
		engine_set_up(&e);
		t = table_make(&e, "", "t");
		e.tables[t].flags = IMG_T_DEFINED;
		f.left = fail;
		e.alloc = (struct pfk_allocator){ failing_fn, &f };
		done = table_fill(&e, t, &im, &from);
		for (unsigned i = 0; i < FILLED; i += 50) {
			struct listed p = { v[i].addr, v[i].af, v[i].bits,
			    false };

			ask_around(&e, t, &p);
		}
		e.alloc = pfk_allocator_libc;
		tables_free(&e);
		if (done && f.left > 0)
			break;
	}
	ck_assert(done);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("table");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, like_a_list, 0, 10);
	tcase_add_test(tc, large);
	tcase_add_loop_test(tc, like_lengths, 0, 2 * NSHAPES);
	tcase_add_loop_test(tc, index_limit, 0, 2);
	tcase_add_loop_test(tc, filled, 0, NSHAPES);
	tcase_add_loop_test(tc, sorted, 0, 5);
	tcase_add_test(tc, anchors);
	tcase_add_test(tc, turns);
	tcase_add_test(tc, limit);
	tcase_add_test(tc, counting);
	tcase_add_test(tc, no_memory);
	tcase_add_test(tc, no_memory_to_fill);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
