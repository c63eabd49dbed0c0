/*
 * Tokens: words, numbers, quotes, macros, continued lines, and their limits.
 * The values of a macro definition show them as the grammar gets them.
 */
#include "parse_text.h"

static struct parsed t;

static void
setup(void)
{
	parse_begin(&t);
	t.want = AST_MACRO;
}

static void
teardown(void)
{
	parse_end(&t);
}

/* What `x = TEXT` holds: [words] and numbers. */
static void
same(const char *text, const char *want)
{
	t.values.len = 0;
	parse_text(&t, arena_printf(&t.arena, "x = %s\n", text));
	ck_assert_str_eq(strbuf_str(&t.values), want);
}

START_TEST(test_words)
{
	same("foo", "[foo]");
	same("foo-bar.baz_1:x", "[foo-bar.baz_1:x]");
	same(":network", "[:network]");
	same("_a b", "[_a] [b]");
	same("10.0.0.1", "[10.0.0.1]");
	same("12abc", "[12abc]");
	same("10-20", "[10-20]");
	same("a$b", "[a$b]");
	same("a\"b\"", "[a\"b\"]");
	same("25%", "[25%]");
}
END_TEST

START_TEST(test_numbers)
{
	same("12", "12");
	same("-5", "-5");
	same("007", "7");
	same("9223372036854775807", "9223372036854775807");
	same("1 # comment", "1");
}
END_TEST

START_TEST(test_number_range)
{
	parse_text(&t, "x = 9223372036854775808\nx = -9223372036854775809\n"
	    "y = 1\n");
	ck_assert_str_eq(plain_of(&t),
	    "pf.conf:1: \"9223372036854775808\" invalid number: too large\n"
	    "pf.conf:1: syntax error\n"
	    "pf.conf:2: \"-9223372036854775809\" invalid number: "
	    "too small\n");
	/* Each error took a newline with it, so that is one statement. */
	ck_assert_str_eq(strbuf_str(&t.dump), "");
}
END_TEST

START_TEST(test_quotes)
{
	same("\"a b\"", "[a b]");
	same("'a \"b'", "[a \"b]");
	same("\"a\\\"b\"", "[a\"b]");
	same("\"a\\ b\\\tc\"", "[a b\tc]");
	same("\"a\\nb\"", "[a\\nb]");
	same("\"a\\'b\"", "[a\\'b]");
	same("\"a\nb\\\nc\"", "[abc]");
	same("\"\"", "[]");
	same("\"pass\"", "[pass]");
	same("\"# no comment\"", "[# no comment]");
}
END_TEST

START_TEST(test_continued)
{
	same("a \\\n b", "[a] [b]");
	same("a\\\nb", "[ab]");
	same("12\\\n34", "1234");
	same("a\\b", "[ab]");
	same("a\\\\b", "[a\\b]");
	same("a # comment \\\n b", "[a]");
}
END_TEST

START_TEST(test_macros)
{
	parse_text(&t, "a = em0\nx = $a\nx = $a:network\nx = $a$a\n"
	    "b = \"{ $a, 'b c' }\"\nx = \"$a\"\npass from $b\n");
	ck_assert_str_eq(strbuf_str(&t.dump),
	    "(MACRO \"a\" \"em0\" 0:(LIST (WORD \"em0\")))\n"
	    "(MACRO \"x\" \"em0\" 0:(LIST (WORD \"em0\")))\n"
	    "(MACRO \"x\" \"em0:network\" 0:(LIST (WORD \"em0:network\")))\n"
	    "(MACRO \"x\" \"em0$a\" 0:(LIST (WORD \"em0$a\")))\n"
	    "(MACRO \"b\" \"{ $a, 'b c' }\" "
	    "0:(LIST (WORD \"{ $a, 'b c' }\")))\n"
	    "(MACRO \"x\" \"$a\" 0:(LIST (WORD \"$a\")))");
	/* In a value no macro is expanded. */
	ck_assert_str_eq(plain_of(&t), "pf.conf:7: syntax error\n");
}
END_TEST

START_TEST(test_macro_numbers)
{
	parse_text(&t, "p = 80\nn = \"12 34\"\nx = $p\nx = $p$n\n"
	    "x = $n\nx = $p-90\n");
	ck_assert_str_eq(strstr(strbuf_str(&t.dump), "(MACRO \"x\""),
	    "(MACRO \"x\" \"80\" 0:(LIST (NUM \"80\" 80)))\n"
	    "(MACRO \"x\" \"80$n\" 0:(LIST (WORD \"80$n\")))\n"
	    "(MACRO \"x\" \"12 34\" 0:(LIST (NUM \"12\" 12) "
	    "(NUM \"34\" 34)))\n"
	    "(MACRO \"x\" \"80-90\" 0:(LIST (WORD \"80-90\")))");
}
END_TEST

START_TEST(test_macro_redefined)
{
	parse_text(&t, "a = 1\na = 2\nx = $a\n");
	ck_assert_ptr_nonnull(strstr(strbuf_str(&t.dump),
	    "(MACRO \"x\" \"2\""));
}
END_TEST

START_TEST(test_define)
{
	ck_assert(parser_define(t.parser, "a=b=c"));
	ck_assert(parser_define(t.parser, "e="));
	ck_assert(!parser_define(t.parser, "nothing"));
	parse_text(&t, "a = f\nx = $e a\n");
	ck_assert_ptr_nonnull(strstr(strbuf_str(&t.dump),
	    "(MACRO \"x\" \"a\""));
	ck_assert_str_eq(plain_of(&t),
	    "pfctl: could not parse macro definition nothing\n");
}
END_TEST

START_TEST(test_define_wins)
{
	ck_assert(parser_define(t.parser, "a=line"));
	parse_text(&t, "a = f\nx = $a\n");
	ck_assert_ptr_nonnull(strstr(strbuf_str(&t.dump),
	    "(MACRO \"x\" \"line\""));
}
END_TEST

START_TEST(test_unused)
{
	struct macro_use *unused;

	ck_assert(parser_define(t.parser, "c=1"));
	parse_text(&t, "a = 1\nb = $a\nd = 2\n");
	ck_assert_uint_eq(parser_unused_macros(t.parser, &unused), 3);
	ck_assert_str_eq(unused[0].name, "c");
	ck_assert(unused[0].command_line);
	ck_assert_str_eq(unused[1].name, "b");
	ck_assert_str_eq(unused[2].name, "d");
	/* Another file starts without any. */
	parse_text(&t, "pass on $a\n");
	ck_assert_ptr_nonnull(strstr(plain_of(&t), "macro 'a' not defined"));
}
END_TEST

START_TEST(test_macro_name)
{
	parse_text(&t, "\"a b\" = 1\npass\n");
	ck_assert_str_eq(plain_of(&t), "pf.conf:1: macro name cannot contain "
	    "whitespace\n");
}
END_TEST

/* `before` + n times c + `after` */
static const char *
repeated(const char *before, size_t n, char c, const char *after)
{
	char *s = arena_alloc(&t.arena, strlen(before) + n + strlen(after) +
	    1);

	strcpy(s, before);
	memset(s + strlen(before), c, n);
	strcat(s, after);
	return s;
}

START_TEST(test_long)
{
	parse_text(&t, repeated("x = ", 8095, 'a', "\n"));
	parse_text(&t, repeated("x = \"", 8094, 'a', "\"\n"));
	parse_text(&t, repeated("x = ", 8095, '0', "\n"));
	ck_assert_str_eq(plain_of(&t), "");
	parse_text(&t, repeated("x = ", 8096, 'a', "\n"));
	parse_text(&t, repeated("x = \"", 8095, 'a', "\"\n"));
	parse_text(&t, repeated("x = ", 8096, '0', "\n"));
	ck_assert_str_eq(plain_of(&t),
	    "pf.conf:1: string too long\npf.conf:1: syntax error\n"
	    "pf.conf:1: string too long\npf.conf:1: syntax error\n"
	    "pf.conf:1: string too long\npf.conf:1: syntax error\n");
}
END_TEST

START_TEST(test_doubling)
{
	struct strbuf sb;

	strbuf_init(&sb, &t.arena);
	strbuf_puts(&sb, "a0 = \"0123456789\"\n");
	for (int i = 0; i < 40; i++)
		strbuf_printf(&sb, "a%d = $a%d $a%d\n", i + 1, i, i);
	parse_text(&t, strbuf_str(&sb));
	ck_assert_uint_gt(t.errors, 0);
	ck_assert_ptr_nonnull(strstr(rich_of(&t), "1048576 bytes"));
}
END_TEST

START_TEST(test_nul)
{
	static const char outside[] = "pass\n\0foo bar\n";
	static const char in_quotes[] = "x = \"a\0b\"\nfoo bar\npass\n";
	static const char in_comment[] = "# a\0b\npass\n";

	/* pfctl takes it for the end of the file. */
	parse_bytes(&t, outside, sizeof(outside) - 1);
	ck_assert_str_eq(plain_of(&t), "");
	parse_bytes(&t, in_comment, sizeof(in_comment) - 1);
	ck_assert_str_eq(plain_of(&t), "");
	parse_bytes(&t, in_quotes, sizeof(in_quotes) - 1);
	ck_assert_str_eq(plain_of(&t), "pf.conf:1: syntax error\n"
	    "pf.conf:1: syntax error\n");
}
END_TEST

START_TEST(test_open_quote)
{
	parse_text(&t, "pass\nx = \"abc\n\n");
	ck_assert_str_eq(plain_of(&t), "pf.conf:2: reached end of file while "
	    "parsing quoted string\npf.conf:2: syntax error\n");
}
END_TEST

START_TEST(test_no_newline)
{
	same("1", "1");
	parse_text(&t, "pass");
	parse_text(&t, "pass # comment");
	parse_text(&t, "pass # comment \\");
	parse_text(&t, "pass \\");
	ck_assert_str_eq(plain_of(&t), "");
	parse_text(&t, "pass on");
	ck_assert_str_eq(plain_of(&t), "pf.conf:1: syntax error\n");
}
END_TEST

/* Windows of a long file fall everywhere. */
START_TEST(test_long_file)
{
	struct strbuf sb;

	strbuf_init(&sb, &t.arena);
	for (int i = 0; i < 20000; i++)
		strbuf_puts(&sb, i % 3 == 0 ? "pass from 10.0.0.1\n" :
		    i % 3 == 1 ? "pass \\\n in \\\n quick\n" :
		    "# this \\\n is still a \\\n comment\n");
	strbuf_puts(&sb, "x = end\nbad line\n");
	parse_text(&t, strbuf_str(&sb));
	ck_assert_str_eq(plain_of(&t), "pf.conf:46668: syntax error\n");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("lexer");
	TCase *tc = tcase_create("lexer");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_words);
	tcase_add_test(tc, test_numbers);
	tcase_add_test(tc, test_number_range);
	tcase_add_test(tc, test_quotes);
	tcase_add_test(tc, test_continued);
	tcase_add_test(tc, test_macros);
	tcase_add_test(tc, test_macro_numbers);
	tcase_add_test(tc, test_macro_redefined);
	tcase_add_test(tc, test_define);
	tcase_add_test(tc, test_define_wins);
	tcase_add_test(tc, test_unused);
	tcase_add_test(tc, test_macro_name);
	tcase_add_test(tc, test_long);
	tcase_add_test(tc, test_doubling);
	tcase_add_test(tc, test_nul);
	tcase_add_test(tc, test_open_quote);
	tcase_add_test(tc, test_no_newline);
	tcase_add_test(tc, test_long_file);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
