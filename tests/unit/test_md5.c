/*
 * MD5 against digests that are known, at the lengths where padding changes.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "compiler/md5.h"

static void
expect(const char *text, size_t len, const char *want)
{
	char hex[33];
	uint8_t digest[16];

	md5(text, len, digest);
	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	ck_assert_str_eq(hex, want);
}

START_TEST(known)
{
	expect("", 0, "d41d8cd98f00b204e9800998ecf8427e");
	expect("abc", 3, "900150983cd24fb0d6963f7d28e17f72");
	expect("message digest", 14, "f96b697d7cb7938d525a2f31aaf161d0");
	expect("abcdefghijklmnopqrstuvwxyz", 26,
	    "c3fcd3d76192e4007dfb496cca67e13b");
}
END_TEST

START_TEST(padding)
{
	static const struct { size_t len; const char *want; } cases[] = {
		{ 55, "04364420e25c512fd958a70738aa8f72" },
		{ 56, "668a72d5ba17f08e62dabcafad6db14b" },
		{ 63, "7dc2ca208106a2f703567bdff99d8981" },
		{ 64, "c1bb4f81d892b2d57947682aeb252456" },
		{ 65, "1bc932052302d074bdec39795fe00cf6" },
		{ 119, "ab347a5f68c8a443cfcddc633f12c24f" },
		{ 120, "fb98667f98096de92620b64f46e1c5b5" },
		{ 128, "d69cb61a6ee87200676eb0d4b90edbcb" },
		{ 200, "30a83621ce5422fbdfdd539777458c78" },
	};
	char text[200];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect(text, cases[i].len, cases[i].want);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("md5");
	TCase *tc = tcase_create("digests");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, known);
	tcase_add_test(tc, padding);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
