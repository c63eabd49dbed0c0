/*
 * Whether docs/BYTECODE.md is what ops.def says now.
 */
#include <check.h>
#include <stdlib.h>

#include "bytecode_doc.h"

#define PATH	"docs/BYTECODE.md"

START_TEST(fresh)
{
	static char want[65536], have[65536];
	FILE *f = tmpfile();
	size_t n, m;

	ck_assert_ptr_nonnull(f);
	write_bytecode_doc(f);
	rewind(f);
	n = fread(want, 1, sizeof(want) - 1, f);
	(void)fclose(f);
	f = fopen(PATH, "r");
	ck_assert_msg(f != NULL, "no %s: run `make %s'", PATH, PATH);
	m = fread(have, 1, sizeof(have) - 1, f);
	(void)fclose(f);
	ck_assert_msg(n == m && memcmp(want, have, n) == 0,
	    "%s is stale: run `make %s'", PATH, PATH);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s = suite_create("bytecode_doc");
	TCase *tc = tcase_create("bytecode_doc");
	SRunner *sr;
	int failed;

	if (argc > 1 && strcmp(argv[1], "write") == 0) {
		write_bytecode_doc(stdout);
		return EXIT_SUCCESS;
	}
	tcase_add_test(tc, fresh);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
