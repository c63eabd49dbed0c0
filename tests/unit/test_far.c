/*
 * Memory in huge pages (runtime/far.c): whatever the allocator hands out has
 * been written to, and so have its neighbours, which must not change.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/far.h"

#define AROUND	((size_t)3 * 4096 + 8)	/* in front of it, and behind */
#define DIRT	0xa5

struct lent {
	unsigned char	*p;		/* what lies around it included */
	size_t		 size;		/* of what is lent; 0: nothing */
	bool		 fails;
};

static void *
lend(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct lent *l = ctx;

	if (nsize == 0) {
		ck_assert_ptr_eq(p, l->p + AROUND);
		ck_assert_uint_eq(osize, l->size);
		l->size = 0;
		return NULL;
	}
	ck_assert_ptr_null(p);
	if (l->fails)
		return NULL;
	l->size = nsize;
	l->p = malloc(nsize + 2 * AROUND);
	ck_assert_ptr_nonnull(l->p);
	memset(l->p, DIRT, nsize + 2 * AROUND);
	return l->p + AROUND;
}

static void
check_all(const unsigned char *p, size_t n, int byte)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != byte)
			ck_abort_msg("byte %zu of %zu is %u", i, n, p[i]);
}

static const size_t sizes[] = { 1, 63, 4096, FAR_PAGE / 2 - 1, FAR_PAGE / 2,
    FAR_PAGE - 1, FAR_PAGE, FAR_PAGE + 1, FAR_PAGE + FAR_PAGE / 2 - 1,
    FAR_PAGE + FAR_PAGE / 2, 3 * FAR_PAGE };

START_TEST(of_a_size)
{
	size_t n = sizes[_i];
	struct lent lent = { .size = 0 };
	struct pfk_engine *e = calloc(1, sizeof(*e));
	unsigned char *p;

	ck_assert_ptr_nonnull(e);
	e->alloc = (struct pfk_allocator){ lend, &lent };
	p = far_alloc(e, n);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq((uintptr_t)p % FAR_LINE, 0);
	ck_assert_uint_eq((uintptr_t)p % FAR_PAGE == 0 || n < FAR_PAGE / 2, 1);
	ck_assert_uint_eq(lent.size, far_size(n));
	ck_assert(p > lent.p + AROUND &&
	    p + n <= lent.p + AROUND + lent.size);
	check_all(p, n, 0);
	memset(p, 1, n);
	check_all(lent.p, AROUND, DIRT);
	check_all(lent.p + AROUND + lent.size, AROUND, DIRT);
	far_free(e, p, n);
	ck_assert_uint_eq(lent.size, 0);
	free(lent.p);
	free(e);
}
END_TEST

START_TEST(none)
{
	struct lent lent = { .fails = true };
	struct pfk_engine *e = calloc(1, sizeof(*e));

	ck_assert_ptr_nonnull(e);
	e->alloc = (struct pfk_allocator){ lend, &lent };
	ck_assert_ptr_null(far_alloc(e, 100));
	far_free(e, NULL, 100);
	free(e);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("far");
	TCase *tc = tcase_create("far");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, of_a_size, 0,
	    (int)(sizeof(sizes) / sizeof(sizes[0])));
	tcase_add_test(tc, none);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
