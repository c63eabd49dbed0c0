/*
 * Printing flat rules: each field alone, and how fields depend on each other.
 */
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/print.h"

static struct arena arena;
static jmp_buf oom;
static struct pfk_host *host;
static struct rule r;

static void
setup(void)
{
	arena_init(&arena, NULL, &oom);
	host = pfk_host_new(NULL);
	rule_init(&r);
	r.keep_state = RULE_KEEP_STATE;
	r.flags = 0x02;
	r.flagset = 0x12;
}

static void
teardown(void)
{
	pfk_host_free(host);
	arena_free(&arena);
}

static void
expect_flags(unsigned flags, const char *want)
{
	struct strbuf sb;

	strbuf_init(&sb, &arena);
	print_rule(&sb, host, &r, flags);
	ck_assert_str_eq(strbuf_str(&sb), want);
}

static void
expect(const char *want)
{
	expect_flags(0, want);
}

static struct rule_addr
network(enum pfk_af af, const char *text, unsigned bits)
{
	struct rule_addr a;

	memset(&a, 0, sizeof(a));
	a.kind = RULE_ADDR_MASK;
	a.af = (uint8_t)af;
	ck_assert(addr_parse(text, af, &a.addr));
	addr_prefix_mask(&a.mask, bits);
	return a;
}

static struct rule_addr
named(enum rule_addrkind kind, const char *name)
{
	struct rule_addr a;

	memset(&a, 0, sizeof(a));
	a.kind = (uint8_t)kind;
	a.name = name;
	addr_prefix_mask(&a.mask, 128);
	return a;
}

START_TEST(actions)
{
	expect("pass all flags S/SA");
	r.action = RULE_MATCH;
	expect("match all flags S/SA");
	r.keep_state = RULE_NO_STATE;
	r.flags = r.flagset = 0;
	expect("match all");
	r.action = RULE_PASS;
	expect("pass all no state");
	r.action = RULE_BLOCK;
	expect("block drop all");
	r.block = RULE_RETURN;
	expect("block return all");
	r.block = RULE_RETURN_RST;
	expect("block return-rst all");
	r.return_ttl = 9;
	expect("block return-rst(ttl 9) all");
}
END_TEST

START_TEST(return_icmp)
{
	r.action = RULE_BLOCK;
	r.block = RULE_RETURN_ICMP;
	r.keep_state = r.flags = r.flagset = 0;
	r.return_icmp = 3 << 8 | 3;
	r.return_icmp6 = 1 << 8 | 4;
	expect("block return-icmp(port-unr, port-unr) all");
	r.af = PFK_AF_INET;
	expect("block return-icmp(port-unr) inet all");
	r.return_icmp = 3 << 8 | 99;
	expect("block return-icmp(99) inet all");
	r.af = PFK_AF_INET6;
	expect("block return-icmp6(port-unr) inet6 all");
}
END_TEST

START_TEST(head)
{
	r.direction = RULE_IN;
	r.log = RULE_LOG;
	r.quick = 1;
	r.ifname = "em0";
	expect("pass in log quick on em0 all flags S/SA");
	r.log |= RULE_LOG_ALL | RULE_LOG_USER;
	r.logif = 2;
	r.ifnot = 1;
	r.direction = RULE_OUT;
	expect("pass out log (all, user, to pflog2) quick on ! em0 all "
	    "flags S/SA");
	r.log = RULE_LOG;
	r.logif = 0;
	r.ifname = NULL;
	r.onrdomain = 3;
	expect("pass out log quick on ! rdomain 3 all flags S/SA");
}
END_TEST

START_TEST(peers)
{
	r.af = PFK_AF_INET;
	r.proto = IPPROTO_TCP;
	r.src.addr = network(PFK_AF_INET, "10.0.0.0", 8);
	r.src.neg = 1;
	r.dst.addr = network(PFK_AF_INET, "192.0.2.1", 32);
	r.dst_port = (struct rule_ports){ RULE_OP_EQ, { 22, 0 } };
	expect("pass inet proto tcp from ! 10.0.0.0/8 to 192.0.2.1 "
	    "port = 22 flags S/SA");
	expect_flags(PRINT_PORT_NAMES, "pass inet proto tcp from "
	    "! 10.0.0.0/8 to 192.0.2.1 port = ssh flags S/SA");
	r.dst_port = (struct rule_ports){ RULE_OP_RRG, { 22, 80 } };
	r.os = "OpenBSD";
	expect("pass inet proto tcp from ! 10.0.0.0/8 os \"OpenBSD\" to "
	    "192.0.2.1 port 22:80 flags S/SA");
	r.dst_port = (struct rule_ports){ RULE_OP_XRG, { 22, 80 } };
	expect("pass inet proto tcp from ! 10.0.0.0/8 os \"OpenBSD\" to "
	    "192.0.2.1 port 22 <> 80 flags S/SA");
}
END_TEST

START_TEST(address_kinds)
{
	r.src.addr = named(RULE_ADDR_DYNAMIC, "em0");
	r.src.addr.ifmods = RULE_IF_NETWORK | RULE_IF_NOALIAS;
	r.dst.addr = named(RULE_ADDR_TABLE, "t");
	expect("pass from (em0:network:0) to <t> flags S/SA");
	r.nr = 7;
	expect_flags(PRINT_NR,
	    "@7 pass from (em0:network:0:*) to <t:0> flags S/SA");
	r.src.addr = named(RULE_ADDR_NO_ROUTE, NULL);
	r.dst.addr = named(RULE_ADDR_ROUTE_LABEL, "x");
	expect("pass from no-route to route \"x\" flags S/SA");
	r.af = PFK_AF_INET6;
	r.src.addr = network(PFK_AF_INET6, "2001:db8::", 32);
	r.dst.addr = network(PFK_AF_INET6, "::", 0);
	expect("pass inet6 from 2001:db8::/32 to any flags S/SA");
}
END_TEST

START_TEST(state_flags)
{
	r.flags = r.flagset = 0;
	expect("pass all flags any");
	r.proto = IPPROTO_UDP;
	expect("pass proto udp all");
	r.keep_state = RULE_MODULATE_STATE;
	expect("pass proto udp all modulate state");
	r.proto = 0;
	r.fragment = 1;
	r.keep_state = RULE_NO_STATE;
	expect("pass all no state fragment");
}
END_TEST

START_TEST(state_options)
{
	struct rule_timeouts t;

	memset(&t, 0, sizeof(t));
	t.v[TMO_TCP_FIRST] = 5;
	r.timeout = &t;
	r.max_states = 10;
	r.no_sync = 1;
	r.src_track = RULE_TRACK_RULE;
	r.max_src_conn = 3;
	r.max_src_conn_rate = (struct rule_rate){ 4, 5 };
	r.overload = "bad";
	r.flush = 3;
	r.sloppy = 1;
	expect("pass all flags S/SA keep state (max 10, no-sync, "
	    "source-track rule, max-src-conn 3, max-src-conn-rate 4/5, "
	    "overload <bad> flush global, sloppy, tcp.first 5)");
}
END_TEST

START_TEST(probability)
{
	r.prob = 858993459;
	expect("pass all flags S/SA probability 20%");
	r.prob = 42949672;
	expect("pass all flags S/SA probability 1%");
	r.prob = 5368709;
	expect("pass all flags S/SA probability 0.125%");
	r.prob = UINT32_MAX;
	expect("pass all flags S/SA probability 100%");
}
END_TEST

START_TEST(tail)
{
	r.action = RULE_MATCH;
	r.keep_state = r.flags = r.flagset = 0;
	r.set_prio_on = 1;
	r.set_prio.prio[0] = 2;
	r.set_prio.prio[1] = 5;
	r.qname = "q";
	r.set_tos_on = 1;
	r.set_tos = 0x10;
	r.no_df = r.random_id = 1;
	r.max_mss = 1440;
	r.label = "l";
	r.tag = "T";
	r.match_tag = "U";
	r.match_tag_not = 1;
	r.rtable = 1;
	expect("match all set (prio(2, 5), queue q, tos 0x10) "
	    "scrub (no-df random-id max-mss 1440) label \"l\" tag T "
	    "! tagged U rtable 1");
}
END_TEST

START_TEST(pools)
{
	struct rule_pool nat = { .weight = 0 }, rdr = { .weight = 0 };

	r.af = PFK_AF_INET;
	nat.addr = named(RULE_ADDR_DYNAMIC, "em0");
	r.nat = &nat;
	expect("pass inet all flags S/SA nat-to (em0)");
	nat.port[0] = 50001;
	nat.port[1] = 65535;
	nat.type = RULE_POOL_ROUND_ROBIN;
	nat.sticky = 1;
	expect("pass inet all flags S/SA nat-to (em0) round-robin "
	    "sticky-address");
	nat.port[0] = 1024;
	nat.port[1] = 2048;
	nat.type = RULE_POOL_SOURCE_HASH;
	nat.sticky = 0;
	nat.key[3] = 0xabc;
	expect("pass inet all flags S/SA nat-to (em0) port 1024:2048 "
	    "source-hash 0x00000000000000000000000000000abc");
	r.nat = &rule_no_pool;
	rdr.addr = network(PFK_AF_INET, "127.0.0.1", 32);
	rdr.port[0] = 8080;
	r.rdr = &rdr;
	r.rt = RULE_ROUTE_TO;
	r.route = &nat;
	nat.type = RULE_POOL_NONE;
	nat.ifname = "em1";
	nat.addr.kind = RULE_ADDR_ANY;
	expect("pass inet all flags S/SA rdr-to 127.0.0.1 port 8080 "
	    "route-to em1");
	nat.addr = network(PFK_AF_INET, "10.0.0.1", 32);
	expect("pass inet all flags S/SA rdr-to 127.0.0.1 port 8080 "
	    "route-to 10.0.0.1@em1");
}
END_TEST

START_TEST(anchors)
{
	r.keep_state = r.flags = r.flagset = 0;
	r.anchor.call = "a/b";
	expect("anchor \"a/b\" all");
	r.anchor.call = "a/_1";
	r.direction = RULE_IN;
	expect("anchor in all");
}
END_TEST

START_TEST(definitions)
{
	struct table t = { .name = "t", .is_const = true, .has_init = true };
	struct host_item b = { .addr = network(PFK_AF_INET, "10.0.0.0", 8),
	    .af = PFK_AF_INET, .neg = 1 };
	struct host_item a = { .addr = network(PFK_AF_INET, "1.2.3.4", 32),
	    .af = PFK_AF_INET, .next = &b };
	struct table_init file = { "/f", NULL, NULL };
	struct table_init hosts = { NULL, &a, &file };
	struct queue q = { .name = "q", .ifname = "em0", .qlimit = 50,
	    .is_default = true };
	struct strbuf sb;

	q.linkshare.m2 = 10000000;
	q.upperlimit = (struct queue_curve){ 1500, 999, 20 };
	strbuf_init(&sb, &arena);
	print_table(&sb, &t, NULL);
	print_table(&sb, &t, &hosts);
	print_queue(&sb, &q);
	ck_assert_str_eq(strbuf_str(&sb), "table <t> const { }\n"
	    "table <t> const { 1.2.3.4 !10.0.0.0/8 } file \"/f\"\n"
	    "queue q on em0 bandwidth 10M, max 999  burst 1500  for 20ms "
	    "default qlimit 50\n");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("print");
	TCase *tc = tcase_create("rules");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, actions);
	tcase_add_test(tc, return_icmp);
	tcase_add_test(tc, head);
	tcase_add_test(tc, peers);
	tcase_add_test(tc, address_kinds);
	tcase_add_test(tc, state_flags);
	tcase_add_test(tc, state_options);
	tcase_add_test(tc, probability);
	tcase_add_test(tc, tail);
	tcase_add_test(tc, pools);
	tcase_add_test(tc, anchors);
	tcase_add_test(tc, definitions);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
