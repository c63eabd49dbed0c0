/*
 * Statements: trees, recovery, includes, and at which line pfctl is when a
 * node is made.
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

/* The nodes of a kind that the text makes. */
static void
makes(enum ast_kind kind, const char *text, const char *want)
{
	t.want = kind;
	t.dump.len = 0;
	parse_text(&t, text);
	ck_assert_str_eq(plain_of(&t), "");
	ck_assert_str_eq(strbuf_str(&t.dump), want);
}

static void
says(const char *text, const char *want)
{
	parse_end(&t);
	parse_begin(&t);
	parse_text(&t, text);
	ck_assert_str_eq(plain_of(&t), want);
}

START_TEST(test_rule)
{
	makes(AST_RULE, "pass\n", "(RULE 0:(ACTION) 1:(LOGQUICK) "
	    "4:(FROMTO) 5:(LIST))");
	makes(AST_RULE, "block return-rst (ttl 5) in quick on { em0 !em1 }\n",
	    "(RULE 1 0:(ACTION 1 0:(BLOCK_SPEC 3 5)) 1:(LOGQUICK !) "
	    "2:(LIST (INTERFACE \"em0\") (INTERFACE ! \"em1\")) 4:(FROMTO) "
	    "5:(LIST))");
	makes(AST_LOGQUICK, "match log (all, matches, user) all\n",
	    "(LOGQUICK \"log\" 15)");
	makes(AST_RULE, "match out on rdomain 3 inet6 proto { tcp, 17 } all\n",
	    "(RULE 2 6 0:(ACTION 2) 1:(LOGQUICK) 2:(LIST (INTERFACE 3)) "
	    "3:(LIST (PROTO 0:(WORD \"tcp\")) (PROTO 0:(NUM \"17\" 17))) "
	    "4:(FROMTO 1) 5:(LIST))");
}
END_TEST

START_TEST(test_hosts)
{
	makes(AST_PEER, "pass from 10/8 to any\n",
	    "(PEER 0:(LIST (XHOST 0:(HOST \"10/8\"))))\n(PEER 1)");
	makes(AST_PEER, "pass to { !<a>, (em0:0)/24 { b - c } }\n",
	    "(PEER 1 0:(LIST (XHOST ! 0:(HOST_TABLE \"a\")) "
	    "(XHOST 0:(HOST_DYNAMIC_BITS 24 0:(HOST_DYNAMIC \"em0:0\"))) "
	    "(XHOST 0:(HOST_RANGE \"b\" \"c\"))))");
	makes(AST_PEER, "pass from { a, any, b }\n", "(PEER)");
	makes(AST_PEER, "pass from { no-route ! urpf-failed route x }\n",
	    "(PEER 0:(LIST (XHOST 0:(HOST_NO_ROUTE)) "
	    "(XHOST ! 0:(HOST_URPF_FAILED)) "
	    "(XHOST 0:(HOST_ROUTE \"x\"))))");
	makes(AST_HOST, "pass from 1.2.3.4/24\n", "(HOST \"1.2.3.4/24\")");
}
END_TEST

START_TEST(test_ports)
{
	makes(AST_PEER, "pass to port { 80, != www, 1 >< 5, 6:9, <= 3 }\n",
	    "(PEER 1 1:(LIST (PORT_EQ 0:(PORT_RANGE 1 0:(NUM \"80\" 80))) "
	    "(PORT_UNARY 4 0:(PORT_RANGE 1 0:(WORD \"www\"))) "
	    "(PORT_BINARY 1 0:(PORT_RANGE 1 0:(NUM \"1\" 1)) "
	    "1:(PORT_RANGE 1 0:(NUM \"5\" 5))) "
	    "(PORT_EQ 0:(PORT_RANGE 1 0:(WORD \"6:9\"))) "
	    "(PORT_UNARY 6 0:(PORT_RANGE 1 0:(NUM \"3\" 3)))))");
}
END_TEST

START_TEST(test_options)
{
	makes(AST_OPT_STATE, "pass keep state (max 3, tcp.first 9 sloppy)\n",
	    "(OPT_STATE 1 (STATE_OPT_MAX 3) (STATE_OPT_TIMEOUT \"tcp.first\" "
	    "9) (STATE_OPT_SLOPPY))");
	makes(AST_OPT_FLAGS,
	    "pass flags S/SA\npass flags /R\npass flags any\n",
	    "(OPT_FLAGS 0:(FLAGS \"S\") 1:(FLAGS \"SA\"))\n"
	    "(OPT_FLAGS 1:(FLAGS \"R\"))\n(OPT_FLAGS)");
	makes(AST_OPT_ICMP, "pass icmp-type { 3 code 1, echoreq }\n",
	    "(OPT_ICMP 4 (ICMP_ITEM 4 0:(ICMP_TYPE 4 0:(NUM \"3\" 3)) "
	    "1:(NUM \"1\" 1)) (ICMP_ITEM 4 "
	    "0:(ICMP_TYPE 4 0:(WORD \"echoreq\"))))");
	makes(AST_RULE, "pass set (prio (1, 2), tos 4) tag a b !tagged c\n",
	    "(RULE 0:(ACTION) 1:(LOGQUICK) 4:(FROMTO) 5:(LIST "
	    "(OPT_SET_PRIO 0:(PRIO_PAIR 1 2)) (OPT_SET_TOS 0:(TOS "
	    "0:(NUM \"4\" 4))) (OPT_TAG \"a b\") (OPT_TAGGED ! \"c\")))");
}
END_TEST

START_TEST(test_pools)
{
	makes(AST_POOL, "pass nat-to { a, b weight 2 } port 1:* random\n",
	    "(POOL 1 0:(LIST 1 (POOL_HOST 0 1 0:(HOST \"a\")) "
	    "(POOL_HOST 2 2 0:(HOST \"b\"))) "
	    "1:(PORT_RANGE 3 0:(WORD \"1:*\")) 2:(LIST (POOL_RANDOM)))");
	makes(AST_ROUTESPEC,
	    "pass route-to (em0) source-hash k sticky-address\n",
	    "(ROUTESPEC 0:(LIST (POOL_HOST 0:(HOST_DYNAMIC \"em0\"))) "
	    "2:(LIST (POOL_SOURCE_HASH \"k\") (POOL_STICKY)))");
	makes(AST_OPT_AF_TO, "pass in inet6 af-to inet from a to b\n",
	    "(OPT_AF_TO 4 0:(POOL 0:(LIST (POOL_HOST 0:(HOST \"a\"))) "
	    "2:(LIST)) 1:(POOL 0:(LIST (POOL_HOST 0:(HOST \"b\"))) "
	    "2:(LIST)))");
}
END_TEST

START_TEST(test_statements)
{
	makes(AST_TABLE, "table <a> persist { 1.2.3.4 !b } file \"/f\"\n",
	    "(TABLE \"a\" 0:(LIST (TABLE_FLAG \"persist\") (TABLE_ADDRS 1 "
	    "(XHOST 0:(HOST \"1.2.3.4\")) (XHOST ! 0:(HOST \"b\"))) "
	    "(TABLE_FILE \"/f\")))");
	makes(AST_QUEUE, "queue q on em0 bandwidth 9M, max 10M default\n",
	    "(QUEUE \"q\" 0:(LIST (INTERFACE \"em0\")) 1:(LIST "
	    "(QUEUE_BANDWIDTH 0:(SCSPEC 0:(BANDWIDTH 0:(WORD \"9M\"))) "
	    "2:(SCSPEC 0:(BANDWIDTH 0:(WORD \"10M\")))) (QUEUE_DEFAULT)))");
	makes(AST_ANTISPOOF, "antispoof quick for { lo0, (em0) } inet "
	    "label x\n", "(ANTISPOOF 4 0:(LOGQUICK !) 1:(LIST "
	    "(INTERFACE \"lo0\") (INTERFACE \"em0\" 0 1)) 2:(LIST "
	    "(OPT_LABEL \"x\")))");
	makes(AST_SET_TIMEOUT, "set timeout { tcp.first 3\n interval 4 }\n",
	    "(SET_TIMEOUT (TIMEOUT \"tcp.first\" 3) (TIMEOUT \"interval\" "
	    "4))");
	makes(AST_SET_SYNCOOKIES, "set syncookies adaptive (start 5%, "
	    "end 2%)\n", "(SET_SYNCOOKIES 0:(SYNCOOKIE_MODE \"adaptive\") "
	    "1:(LIST (SYNCOOKIE_OPT \"start\" \"5%\") (SYNCOOKIE_OPT "
	    "\"end\" \"2%\")))");
}
END_TEST

/* Where pfctl's parser does not need the next token it has not read it. */
START_TEST(test_lines)
{
	parse_text(&t, "pass from { a\n b\n c }\nx = 1 \\\n 2\n");
	ck_assert_str_eq(strbuf_str(&t.events), "ACTION@1 LOGQUICK@1 "
	    "HOST@1 XHOST@1 HOST@2 XHOST@2 HOST@3 XHOST@3 PEER@3 FROMTO@3 "
	    "FILTER_OPTS_BEGIN@3 RULE@3 MACRO@5 ");
}
END_TEST

START_TEST(test_anchor)
{
	t.want = AST_ANCHOR;
	parse_text(&t, "anchor a in {\n pass\n anchor {\n  block\n }\n"
	    " table <x>\n}\nanchor b\n");
	ck_assert_str_eq(plain_of(&t), "");
	ck_assert_str_eq(strbuf_str(&t.dump),
	    "(ANCHOR \"{\" 1:(LOGQUICK) 4:(FROMTO) 5:(LIST))\n"
	    "(ANCHOR \"{\" 1 0:(ANCHOR_NAME \"a\") 1:(LOGQUICK) 4:(FROMTO) "
	    "5:(LIST))\n"
	    "(ANCHOR 0:(ANCHOR_NAME \"b\") 1:(LOGQUICK) 4:(FROMTO) "
	    "5:(LIST))");
	ck_assert_ptr_nonnull(strstr(strbuf_str(&t.events),
	    "ANCHOR_OPEN@1 ACTION@2"));
	ck_assert_ptr_nonnull(strstr(strbuf_str(&t.events),
	    "ANCHOR_CLOSE@5 ANCHOR@5"));
}
END_TEST

START_TEST(test_recovery)
{
	says("pass foo\npass\nblock bar\n", "pf.conf:1: syntax error\n"
	    "pf.conf:3: syntax error\n");
	/* Too near to the last error to be told. */
	says("\npass foo\nblock bar\npass in in\n",
	    "pf.conf:2: syntax error\npf.conf:4: syntax error\n");
	/* The rest of the line is skipped, braces or not. */
	says("\npass in { foo\n pass\n}\n", "pf.conf:2: syntax error\n"
	    "pf.conf:4: syntax error\n");
	/* An undefined macro takes the next line with it. */
	says("\npass $x\nfoo bar baz\npass\npass foo\n",
	    "pf.conf:2: macro 'x' not defined\npf.conf:2: syntax error\n"
	    "pf.conf:5: syntax error\n");
	/* Where the first token is wrong pfctl gives up. */
	says(")\npass foo\n", "pf.conf:1: syntax error\n");
	says("{ pass\nfoo bar\n", "pf.conf:1: syntax error\n");
	says("pass foo", "pf.conf:1: syntax error\n");
}
END_TEST

START_TEST(test_recovery_anchor)
{
	t.want = AST_ERROR;
	parse_text(&t, "pass\nanchor a {\n pass foo\n pass\n}\npass\n");
	ck_assert_str_eq(plain_of(&t), "pf.conf:3: syntax error\n"
	    "pf.conf:5: syntax error\n");
	ck_assert_str_eq(strbuf_str(&t.dump), "(ERROR 1)\n(ERROR)");
	/* The brace is wrong only because of the rule. */
	ck_assert_ptr_nonnull(strstr(rich_of(&t), "\n1 error\n"));
}
END_TEST

START_TEST(test_refused)
{
	t.refuse = AST_HOST;
	parse_text(&t, "pass from a to b\npass from {\n a b }\npass\n");
	ck_assert_str_eq(plain_of(&t), "pf.conf:1: refused\n"
	    "pf.conf:3: refused\n");
}
END_TEST

START_TEST(test_include)
{
	static const struct test_file files[] = {
		{ "one", "pass foo" }, { "two", "x = 1\ninclude \"one\"\n" },
		{ "three", "pass from { a" }, { NULL, NULL }
	};

	t.files = files;
	parse_text(&t, "include \"two\"\npass bar\ninclude \"none\"\n"
	    "pass on $x\npass baz\ninclude \"three\"\n }\n");
	ck_assert_str_eq(plain_of(&t), "one:1: syntax error\n"
	    "pf.conf:2: syntax error\n"
	    "pfctl: pushfile: none: No such file or directory\n"
	    "pf.conf:3: failed to include file none\n"
	    "pf.conf:4: syntax error\n");
	ck_assert_ptr_nonnull(strstr(rich_of(&t), "one:1:6: error"));
	ck_assert_ptr_nonnull(strstr(rich_of(&t),
	    "one is included from two:2"));
	ck_assert_ptr_nonnull(strstr(rich_of(&t),
	    "two is included from pf.conf:1"));
}
END_TEST

START_TEST(test_include_depth)
{
	static const struct test_file files[] = {
		{ "self", "include \"self\"\n" }, { NULL, NULL }
	};

	t.files = files;
	parse_text(&t, "include \"self\"\n");
	ck_assert_str_eq(plain_of(&t),
	    "pfctl: pushfile: self: Too many open files\n"
	    "self:1: failed to include file self\n");
	ck_assert_ptr_nonnull(strstr(rich_of(&t), "64 deep"));
}
END_TEST

/* As deep as pfctl's parser goes, and no deeper. */
START_TEST(test_nesting)
{
	struct strbuf sb;

	strbuf_init(&sb, &t.arena);
	strbuf_puts(&sb, "pass from ");
	for (int i = 0; i < 20000; i++)
		strbuf_putc(&sb, '{');
	parse_text(&t, strbuf_str(&sb));
	ck_assert_str_eq(plain_of(&t), "pf.conf:1: yacc stack overflow\n");
}
END_TEST

/* Nodes are used again; many statements need no more room than few. */
START_TEST(test_room)
{
	struct strbuf sb;
	size_t before;

	strbuf_init(&sb, &t.arena);
	for (int i = 0; i < 20000; i++)
		strbuf_puts(&sb, "pass in on em0 from a to b port c\n");
	parse_text(&t, "pass in on em0 from a to b port c\n");
	t.events.len = 0;
	before = t.arena.total;
	t.quiet = true;
	parse_text(&t, strbuf_str(&sb));
	ck_assert_str_eq(plain_of(&t), "");
	ck_assert_uint_lt(t.arena.total, before + ((size_t)1 << 18));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("parser");
	TCase *tc = tcase_create("parser");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_rule);
	tcase_add_test(tc, test_hosts);
	tcase_add_test(tc, test_ports);
	tcase_add_test(tc, test_options);
	tcase_add_test(tc, test_pools);
	tcase_add_test(tc, test_statements);
	tcase_add_test(tc, test_lines);
	tcase_add_test(tc, test_anchor);
	tcase_add_test(tc, test_recovery);
	tcase_add_test(tc, test_recovery_anchor);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_include);
	tcase_add_test(tc, test_include_depth);
	tcase_add_test(tc, test_nesting);
	tcase_add_test(tc, test_room);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
