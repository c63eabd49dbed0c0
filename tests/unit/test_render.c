/*
 * What people read: the mistakes that everyone makes once, and the forms of
 * a diagnostic.
 */
#include "parse_text.h"

static struct parsed t;

static void
setup(void)
{
	parse_begin(&t);
}

static void
teardown(void)
{
	parse_end(&t);
}

static void
rich(const char *text, const char *want)
{
	parse_text(&t, text);
	ck_assert_str_eq(rich_of(&t), want);
}

START_TEST(test_misspelt)
{
	rich("pass in on em0 kep state\n",
	    "pf.conf:1:16: error: syntax error: unexpected word `kep`; "
	    "expected `inet`, `inet6`, `proto`, `all`, `from`, `os`, `to`, "
	    "an option of the rule or the end of the line\n"
	    "    1 | pass in on em0 kep state\n"
	    "      |                ^~~\n"
	    "help: did you mean `keep`?\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_order)
{
	rich("pass in inet on em0\n",
	    "pf.conf:1:14: error: `on` must stand before the address family "
	    "(`inet`)\n"
	    "    1 | pass in inet on em0\n"
	    "      |              ^~\n"
	    "note: here is `inet`\n"
	    "    1 | pass in inet on em0\n"
	    "      |         ^~~~\n"
	    "note: the order is: pass in log quick on IF inet proto P from A "
	    "to B options\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_two_words)
{
	rich("int_if = \"fxp 0\"\npass on $int_if\n",
	    "pf.conf:2:9: error: unexpected number `0`: the value of "
	    "$int_if, \"fxp 0\", is more than one word here\n"
	    "    2 | pass on $int_if\n"
	    "      |         ^~~~~~~\n"
	    "note: expanded from $int_if, defined at pf.conf:1\n"
	    "    1 | int_if = \"fxp 0\"\n"
	    "      |               ^\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_backslash_space)
{
	rich("pass in on em0 \\ \n\tfrom any\n",
	    "pf.conf:2:2: error: the statement is cut in two: white space "
	    "follows the backslash that was to continue the line\n"
	    "    2 | \tfrom any\n"
	    "      | \t^~~~\n"
	    "note: the backslash must be the last character of its line\n"
	    "    1 | pass in on em0 \\ \n"
	    "      |                ^\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_comment_continues)
{
	rich("# was: pass \\\nblock all\npass\n",
	    "pf.conf:2:1: warning: this line is part of the comment above, "
	    "which ends in a backslash\n"
	    "    2 | block all\n"
	    "      | ^~~~~~~~~\n"
	    "\n1 warning\n");
	ck_assert_str_eq(plain_of(&t), "");
}
END_TEST

START_TEST(test_lone_port)
{
	rich("pass in proto tcp port 80\n",
	    "pf.conf:1:19: error: a port belongs to `from` or `to`\n"
	    "    1 | pass in proto tcp port 80\n"
	    "      |                   ^~~~\n"
	    "help: did you mean `to port`?\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_macro)
{
	rich("ext_if = em0\nblock on $extif\n",
	    "pf.conf:2:10: error: macro 'extif' not defined\n"
	    "    2 | block on $extif\n"
	    "      |          ^~~~~~\n"
	    "help: did you mean `$ext_if`?\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_macro_chain)
{
	rich("a = \"b ; c\"\nm = $a\npass from { $m }\n",
	    "pf.conf:2:5: error: syntax error: unexpected character `;`; "
	    "expected a word or number or the end of the line\n"
	    "    2 | m = $a\n"
	    "      |     ^~\n"
	    "note: expanded from $a, defined at pf.conf:1\n"
	    "    1 | a = \"b ; c\"\n"
	    "      |        ^\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_macro_of_macro)
{
	t.refuse = AST_HOST;
	rich("a = \"x y\"\nm = \"{\" $a \"}\"\npass from $m\n",
	    "pf.conf:3:11: error: refused\n"
	    "    3 | pass from $m\n"
	    "      |           ^~\n"
	    "note: expanded from $a, defined at pf.conf:1\n"
	    "    1 | a = \"x y\"\n"
	    "      |      ^\n"
	    "note: expanded from $m, defined at pf.conf:2\n"
	    "    2 | m = \"{\" $a \"}\"\n"
	    "      |         ^~\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_old)
{
	rich("\nnat on em0 from any to any\n",
	    "pf.conf:2:1: error: there are no `nat` statements in this "
	    "version of pf\n"
	    "    2 | nat on em0 from any to any\n"
	    "      | ^~~\n"
	    "note: write `match out on ... nat-to ...` (since OpenBSD 4.7)\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_unclosed)
{
	rich("pass from { a, b keep state\n",
	    "pf.conf:1:18: error: unexpected `keep` in a list: `}` is missing "
	    "before it\n"
	    "    1 | pass from { a, b keep state\n"
	    "      |                  ^~~~\n"
	    "note: the list begins here\n"
	    "    1 | pass from { a, b keep state\n"
	    "      |           ^\n"
	    "\n1 error\n");
}
END_TEST

static void
message(const char *text, const char *want)
{
	parse_end(&t);
	parse_begin(&t);
	parse_text(&t, text);
	if (strstr(rich_of(&t), want) == NULL)
		ck_abort_msg("%s", rich_of(&t));
}

START_TEST(test_hints)
{
	message("pass to port 80, 443\n",
	    "1:16: error: unexpected `,`: a list must stand in braces");
	message("net = 10.0.0.0/8\n", "1:15: error: unexpected `/`: a value "
	    "with more than plain words must stand in quotes");
	message("anchor a {\n pass\n", "the file ends inside the braces of an "
	    "anchor\n");
	message("anchor a {\n set debug err\n}\n", "2:2: error: `set` cannot "
	    "stand inside the braces of an anchor\n");
	message("anchor a {\n x = 1\n}\n", "2:2: error: macro `x` cannot be "
	    "defined inside the braces of an anchor\n");
	message("pass in in\n", "`in` is given twice");
	message("pass quick quick\n", "`quick` is given twice");
	message("pass keep state proto tcp\n",
	    "`proto` must stand before the option `keep`");
	message("log = 1\n", "`log` is a keyword: a macro needs another name");
	message("pass label queue\n", "as a name it must stand in quotes");
	message("pass in on em0 proto\n", "unexpected end of line; expected "
	    "a word or number or `{`");
}
END_TEST

/* Nothing but printable text reaches the terminal; columns still fit. */
START_TEST(test_strange_text)
{
	rich("pass label \"\033[31m\xc3\xa4\" \xc3\xa4 ;\n",
	    "pf.conf:1:22: error: syntax error: unexpected byte 0xc3; "
	    "expected an option of the rule or the end of the line\n"
	    "    1 | pass label \"?[31m\xc3\xa4\" \xc3\xa4 ;\n"
	    "      |                     ^\n"
	    "\n1 error\n");
}
END_TEST

START_TEST(test_long_line)
{
	struct strbuf sb;
	const char *text;

	strbuf_init(&sb, &t.arena);
	strbuf_puts(&sb, "pass from {");
	for (int i = 0; i < 500; i++)
		strbuf_puts(&sb, " 10.0.0.1");
	strbuf_puts(&sb, " ; }\n");
	parse_text(&t, strbuf_str(&sb));
	text = rich_of(&t);
	ck_assert_ptr_nonnull(strstr(text, "pf.conf:1:4513: error"));
	ck_assert_uint_lt(strlen(text), 600);
}
END_TEST

START_TEST(test_json)
{
	struct strbuf sb;

	parse_text(&t, "pass all kep\n");
	strbuf_init(&sb, &t.arena);
	render_json(&t.diags, &t.sources, false, &sb);
	ck_assert_str_eq(strbuf_str(&sb),
	    "{ \"format_version\": 1,\n"
	    "  \"valid\": false,\n"
	    "  \"error_count\": 1,\n"
	    "  \"warning_count\": 0,\n"
	    "  \"diagnostics\": [\n"
	    "    { \"severity\": \"error\",\n"
	    "      \"code\": \"syntax\",\n"
	    "      \"message\": \"syntax error: unexpected word `kep`; "
	    "expected an option of the rule or the end of the line\",\n"
	    "      \"file\": \"pf.conf\", \"range\": { \"start\": "
	    "{ \"line\": 1, \"column\": 10, \"byte\": 9 }, "
	    "\"end\": { \"line\": 1, \"column\": 13, \"byte\": 12 } },\n"
	    "      \"notes\": [],\n"
	    "      \"suggestion\": \"keep\",\n"
	    "      \"rendered\": \"pf.conf:1:10: error: syntax error: "
	    "unexpected word `kep`; expected an option of the rule or the "
	    "end of the line\\n    1 | pass all kep\\n"
	    "      |          ^~~\\nhelp: did you mean `keep`?\\n\" } ]\n}\n");
}
END_TEST

START_TEST(test_json_strings)
{
	struct strbuf sb;

	(void)diag_add(&t.diags, DIAG_WARNING, "x", "a\"\\\n\001\xff\xc3\xa4"
	    "\xed\xa0\x80");
	strbuf_init(&sb, &t.arena);
	render_json(&t.diags, &t.sources, true, &sb);
	ck_assert_ptr_nonnull(strstr(strbuf_str(&sb), "\"message\": "
	    "\"a\\\"\\\\\\n\\u0001\\ufffd\xc3\xa4\\ufffd\\ufffd\\ufffd\""));
	ck_assert_ptr_nonnull(strstr(strbuf_str(&sb),
	    "\"file\": null, \"range\": null"));
}
END_TEST

START_TEST(test_json_empty)
{
	struct strbuf sb;

	parse_text(&t, "pass\n");
	strbuf_init(&sb, &t.arena);
	render_json(&t.diags, &t.sources, true, &sb);
	ck_assert_str_eq(strbuf_str(&sb), "{ \"format_version\": 1,\n"
	    "  \"valid\": true,\n  \"error_count\": 0,\n"
	    "  \"warning_count\": 0,\n  \"diagnostics\": []\n}\n");
	ck_assert_str_eq(rich_of(&t), "");
}
END_TEST

/* Repetitions at one place are one cause. */
START_TEST(test_root_causes)
{
	struct diag *d;

	for (int i = 0; i < 3; i++)
		(void)diag_add(&t.diags, DIAG_ERROR, "x", "same");
	d = diag_add(&t.diags, DIAG_ERROR, "x", "follows");
	d->cascade = true;
	ck_assert_str_eq(rich_of(&t), "pfctl: error: same\n\n1 error\n");
}
END_TEST

START_TEST(test_suggest)
{
	static const char *const words[] = { "keep", "key", "in", "log",
	    "quick", NULL };

	ck_assert_str_eq(suggest("kep", words), "keep");
	ck_assert_str_eq(suggest("qiuck", words), "quick");
	ck_assert_str_eq(suggest("lgo", words), "log");
	ck_assert_ptr_null(suggest("foo", words));
	ck_assert_ptr_null(suggest("i", words));
	ck_assert_ptr_null(suggest("", words));
	ck_assert_ptr_null(suggest("keep", words));
}
END_TEST

START_TEST(test_positions)
{
	uint32_t file = source_add(&t.sources, "f", "ab\n\ncd", 6,
	    (struct span){ 0, 0, 0 }), len;
	struct position pos = source_position(&t.sources, file, 4);

	ck_assert_uint_eq(pos.line, 3);
	ck_assert_uint_eq(pos.column, 1);
	pos = source_position(&t.sources, file, 2);
	ck_assert_uint_eq(pos.line, 1);
	ck_assert_uint_eq(pos.column, 3);
	ck_assert_ptr_nonnull(source_line(&t.sources, file, 2, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(strncmp(source_line(&t.sources, file, 3, &len), "cd",
	    2), 0);
	ck_assert_uint_eq(len, 2);
	source_line(&t.sources, file, 4, &len);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(source_position(&t.sources, 99, 0).line, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("render");
	TCase *tc = tcase_create("render");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_misspelt);
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_two_words);
	tcase_add_test(tc, test_backslash_space);
	tcase_add_test(tc, test_comment_continues);
	tcase_add_test(tc, test_lone_port);
	tcase_add_test(tc, test_macro);
	tcase_add_test(tc, test_macro_chain);
	tcase_add_test(tc, test_macro_of_macro);
	tcase_add_test(tc, test_old);
	tcase_add_test(tc, test_unclosed);
	tcase_add_test(tc, test_hints);
	tcase_add_test(tc, test_strange_text);
	tcase_add_test(tc, test_long_line);
	tcase_add_test(tc, test_json);
	tcase_add_test(tc, test_json_strings);
	tcase_add_test(tc, test_json_empty);
	tcase_add_test(tc, test_root_causes);
	tcase_add_test(tc, test_suggest);
	tcase_add_test(tc, test_positions);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
