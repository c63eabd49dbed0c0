/*
 * The index of blocks (runtime/block_index.h) against a walk over its pieces:
 * at each end, beside it, and at both ends of all values; and what outlines are
 * made of.
 *
 * What blocks answer is held against rules one by one in test_vm.c and
 * tests/agree.
 */
#include <check.h>
#include <stdlib.h>

#include "runtime/block_index.h"
#include "runtime/block_looking.h"

static uint64_t seed;

static uint64_t
chance(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed ^ seed >> 29;
}

static void *
allocate(void *ctx, void *p, size_t osize, size_t nsize)
{
	void *v;

	(void)ctx;
	(void)osize;
	if (nsize == 0) {
		free(p);
		return NULL;
	}
	v = realloc(p, nsize);
	ck_assert_ptr_nonnull(v);
	return v;
}

/* Crowded places, and some anywhere. */
static struct value
some_value(bool six)
{
	static const uint64_t places[] = { 0, UINT64_MAX, 0x0a00000000000000,
	    0x20010db800000000, 0x20010db800010000 };
	uint64_t spread = chance() % 64, low = chance();
	struct value v = { { places[chance() % 5] ^
	    (chance() >> spread & chance()), six ? low : 0 } };

	if (!six)
		v.w[0] &= ~(uint64_t)UINT32_MAX;
	else if (chance() % 2 == 0)
		v.w[1] = chance() % 16 == 0 ? UINT64_MAX : 0;
	return v;
}

static int
compare(const void *a, const void *b)
{
	return value_less(b, a) - value_less(a, b);
}

static uint32_t
walk(const struct outline *o, const struct value *v)
{
	uint32_t list = 0;

	for (uint32_t i = 0; i < o->n && !value_less(v, &o->v[i].at); i++)
		list = o->v[i].k.list;
	return list;
}

static uint32_t
ask(const struct block_index *x, const struct value *v)
{
	return index_list(x, v->w);
}

static void
hold_against(const struct block_index *x, const struct outline *o,
    struct value v, bool six)
{
	uint32_t list;

	if (!six)
		v.w[0] &= ~(uint64_t)UINT32_MAX, v.w[1] = 0;
	list = walk(o, &v);
	if (!six)	/* what is behind an IPv4 address does not matter */
		v.w[0] |= chance() >> 32;
	ck_assert_uint_eq(ask(x, &v), list);
}

static void
hold_around(const struct block_index *x, const struct outline *o,
    struct value v, bool six)
{
	uint64_t one = six ? 1 : (uint64_t)1 << 32;
	unsigned w = six;
	struct value before = v, behind = v;

	hold_against(x, o, v, six);
	before.w[0] -= w == 1 && before.w[1] == 0;
	before.w[w] -= one;
	behind.w[w] += one;
	behind.w[0] += w == 1 && behind.w[1] == 0;
	hold_against(x, o, before, six);
	hold_against(x, o, behind, six);
}

/* Of several side by side: the places that they have one by one. */
static void
hold_together(const struct block_index *x, const struct outline *o, size_t n,
    bool six)
{
	struct block_family f = { .index = { *x, *x } };
	struct block b = { .wide = strip_wide() };
	struct look v[BLOCK_AHEAD];
	struct looking g = { .b = &b, .f = &f, .v = v, .n = n };

	memset(v, 0, sizeof(v));
	for (size_t i = 0; i < n; i++)
		for (unsigned side = 0; side < 2; side++) {
			struct value w = chance() % 3 == 0 ? some_value(six) :
			    o->v[chance() % o->n].at;

			if (six)
				memcpy(&v[i].k.w[2 * side], w.w, sizeof(w.w));
			else
				v[i].k.w[0] |= w.w[0] >> 32 << 32 * (1 - side);
		}
	if (!places_find(&g, six))
		return;
	for (size_t i = 0; i < n; i++)
		for (unsigned side = 0; side < 2; side++) {
			uint64_t w[2] = { v[i].k.w[0] << 32 * side, 0 };

			if (six)
				memcpy(w, &v[i].k.w[2 * side], sizeof(w));
			ck_assert_uint_eq(v[i].at[side], index_place(x, w,
			    index_begin(x, w[0])));
		}
}

/* Of pieces that begin at zero, and behind that at n values in order. */
static void
hold_index(const struct pfk_engine *e, const struct value *v, uint32_t n,
    bool six)
{
	static const struct table_sets none[SETS];
	static const uint32_t ids[4096];
	struct block_index x = { .n = 0 };
	struct outline o = { NULL, 0, 0 };

	for (uint32_t i = 0; i <= n; i++) {
		struct known k = { .list = 1 + i };

		ck_assert(outline_add(e, &o, &v[i], &k));
	}
	ck_assert(index_build(e, &x, &o, six, none, ids));
	for (uint32_t i = 0; i < o.n; i++)
		hold_around(&x, &o, o.v[i].at, six);
	for (uint32_t i = 0; i < 200; i++)
		hold_against(&x, &o, some_value(six), six);
	hold_against(&x, &o, (struct value){ { UINT64_MAX, UINT64_MAX } },
	    six);
	for (size_t i = 2; i <= BLOCK_AHEAD; i++)
		hold_together(&x, &o, i, six);
	index_free(e, &x);
	outline_free(e, &o);
}

static void
try_index(const struct pfk_engine *e, uint32_t n, bool six)
{
	struct value *v = calloc(n + 1, sizeof(*v));

	ck_assert_ptr_nonnull(v);
	for (uint32_t i = 1; i <= n; i++)
		v[i] = some_value(six);
	qsort(v, n + 1, sizeof(*v), compare);
	hold_index(e, v, n, six);
	free(v);
}

START_TEST(every_value)
{
	static const uint32_t sizes[] = { 0, 1, 2, INDEX_LEAF - 1, INDEX_LEAF,
	    INDEX_LEAF + 1, 40, 500, 3000 };
	struct pfk_engine *e = calloc(1, sizeof(*e));

	ck_assert_ptr_nonnull(e);
	e->alloc.fn = allocate;
	seed = (uint64_t)_i + 1;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		try_index(e, sizes[i], false);
		try_index(e, sizes[i], true);
	}
	free(e);
}
END_TEST

/* All pieces begin in one network, but the last, which begins right behind. */
START_TEST(behind_a_network)
{
	struct pfk_engine *e = calloc(1, sizeof(*e));
	uint64_t size = (uint64_t)1 << (64 - _i), low = 0x20010db8a0000000;

	ck_assert_ptr_nonnull(e);
	e->alloc.fn = allocate;
	low &= ~(size - 1);
	for (unsigned six = _i > 30; six < 2; six++) {
		const struct value v[] = { { { 0, 0 } }, { { low, 0 } },
		    { { low + size / 4, 0 } }, { { low + size / 2, 0 } },
		    { { low + size, 0 } } };

		hold_index(e, v, sizeof(v) / sizeof(v[0]) - 1, six);
	}
	free(e);
}
END_TEST

/* What both outlines say, wherever one of them changes. */
START_TEST(outlines_join)
{
	static const uint64_t at[2][3] = { { 0, 5, 9 }, { 0, 5, 7 } };
	static const uint64_t both[] = { 0, 5, 7, 9 };
	static const uint32_t list[] = { 1, 2, 2, 3 }, set[] = { 1, 2, 3, 3 };
	struct pfk_engine *e = calloc(1, sizeof(*e));
	struct outline o[2] = { { NULL, 0, 0 }, { NULL, 0, 0 } };

	ck_assert_ptr_nonnull(e);
	e->alloc.fn = allocate;
	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t k = 0; k < 3; k++) {
			struct value v = { { at[i][k], 0 } };
			struct known a = { .list = k + 1 }, b = { .list = 0 };

			b.set[SET_LAST] = (uint16_t)(k + 1);
			ck_assert(outline_add(e, &o[i], &v, i == 0 ? &a : &b));
		}
	ck_assert(outline_join(e, &o[0], &o[1]));
	ck_assert_uint_eq(o[0].n, 4);
	ck_assert_uint_eq(o[1].n, 0);
	for (uint32_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(o[0].v[i].at.w[0], both[i]);
		ck_assert_uint_eq(o[0].v[i].k.list, list[i]);
		ck_assert_uint_eq(o[0].v[i].k.set[SET_LAST], set[i]);
	}
	outline_free(e, &o[0]);
	free(e);
}
END_TEST

/* The rule that the address's piece lists, or NO_RULE; no more than one. */
static uint32_t
listed(const struct outline *o, const struct block *b, uint64_t w0,
    uint64_t w1)
{
	struct value v = { { w0, w1 } };
	uint32_t i = o->n;

	while (i > 0 && value_less(&v, &o->v[i - 1].at))
		i--;
	ck_assert_uint_ne(i, 0);
	ck_assert(b->ids[o->v[i - 1].k.list] == NO_RULE ||
	    b->ids[o->v[i - 1].k.list + 1] == NO_RULE);
	return b->ids[o->v[i - 1].k.list];
}

static void
add_host(const struct pfk_engine *e, struct span_list *l, uint64_t w0,
    uint64_t w1, uint32_t rule)
{
	struct value v = { { w0, w1 } };

	ck_assert(span_add(e, l, &v, &v, rule));
}

/* A host alone in its half is as good as all of that; of two, none is. */
START_TEST(alone_in_half)
{
	struct pfk_engine *e = calloc(1, sizeof(*e));
	struct block *b = calloc(1, sizeof(*b));
	struct span_list l = { NULL, 0, 0 };
	struct outline o = { NULL, 0, 0 };

	ck_assert(e != NULL && b != NULL);
	e->alloc.fn = allocate;
	b->ids = e_alloc(e, sizeof(*b->ids));
	b->capids = 1;
	b->ids[b->nids++] = NO_RULE;
	add_host(e, &l, 7, 1, 3);
	add_host(e, &l, 5, 9, 1);
	add_host(e, &l, 7, 3, 2);
	ck_assert(spans_make(e, b, &l, &o));
	ck_assert_uint_eq(listed(&o, b, 4, UINT64_MAX), NO_RULE);
	ck_assert_uint_eq(listed(&o, b, 5, 0), 1);
	ck_assert_uint_eq(listed(&o, b, 5, 9), 1);
	ck_assert_uint_eq(listed(&o, b, 5, UINT64_MAX), 1);
	ck_assert_uint_eq(listed(&o, b, 6, 0), NO_RULE);
	ck_assert_uint_eq(listed(&o, b, 7, 0), NO_RULE);
	ck_assert_uint_eq(listed(&o, b, 7, 1), 3);
	ck_assert_uint_eq(listed(&o, b, 7, 2), NO_RULE);
	ck_assert_uint_eq(listed(&o, b, 7, 3), 2);
	ck_assert_uint_eq(listed(&o, b, 7, 4), NO_RULE);
	outline_free(e, &o);
	e_free(e, l.v, l.cap * sizeof(*l.v));
	e_free(e, b->ids, b->capids * sizeof(*b->ids));
	free(b);
	free(e);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("block");
	TCase *tc = tcase_create("block");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, every_value, 0, 6);
	tcase_add_loop_test(tc, behind_a_network, 1, 60);
	tcase_add_test(tc, outlines_join);
	tcase_add_test(tc, alone_in_half);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
