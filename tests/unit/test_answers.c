/*
 * What the firewall itself sends, SYN cookies, source tracking, scrubbing.
 */
#include "tests/unit/firewall.h"

#include "runtime/engine_int.h"

/* ---- block return ---- */

START_TEST(returns)
{
	struct firewall *f = firewall_new("block return\n"
	    "block return-rst (ttl 9) in proto tcp to port 9\n"
	    "block return-icmp (host-unr) in inet proto udp to port 9\n");
	struct packet p;
	const uint8_t *th = f->answer[0] + 20;

	packet_tcp(&p, "198.51.100.7", 4000, "192.0.2.2", 80, TCP_SYN, 100, 0,
	    10);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_BLOCK);
	ck_assert_uint_eq(f->last.nreplies, 1);
	ck_assert_int_eq(f->reply[0].kind, PFK_REPLY_RST);
	ck_assert_uint_eq(f->reply[0].ttl, 64);
	ck_assert(cksums_right(f->answer[0], f->reply[0].iplen));
	ck_assert_uint_eq(get32(th + 8), 111);	/* data and SYN */
	ck_assert_uint_eq(th[13], TCP_RST | TCP_ACK);
	packet_tcp(&p, "198.51.100.7", 4000, "192.0.2.2", 9, TCP_SYN, 1, 0, 0);
	firewall_send(f, "em0", PFK_IN, &p);
	ck_assert_uint_eq(f->reply[0].ttl, 9);
	/* a wrong checksum gets nothing */
	p.b[36] ^= 1;
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_DROP);
	ck_assert_int_eq(f->last.reason, PFK_REASON_PROTCKSUM);
	ck_assert_uint_eq(f->last.nreplies, 0);
	packet_udp(&p, "198.51.100.7", 4000, "192.0.2.2", 9, 30);
	firewall_send(f, "em0", PFK_IN, &p);
	ck_assert_int_eq(f->reply[0].kind, PFK_REPLY_ICMP);
	ck_assert_uint_eq(f->reply[0].icmp_code, 1);
	ck_assert(cksums_right(f->answer[0], f->reply[0].iplen));
	ck_assert_int_eq(memcmp(f->answer[0] + 28, p.b, 28), 0);
	packet_udp(&p, "2001:db8:9::7", 4000, "2001:db8::2", 9, 3000);
	firewall_send(f, "em0", PFK_IN, &p);
	ck_assert_int_eq(f->reply[0].kind, PFK_REPLY_ICMP6);
	ck_assert_uint_eq(f->reply[0].iplen, 1280);
	ck_assert(cksums_right(f->answer[0], f->reply[0].iplen));
	/* no error about an error */
	packet_error(&p, "198.51.100.7", "192.0.2.2", 3, 1, p.b, 20);
	firewall_send(f, "em0", PFK_IN, &p);
	ck_assert_uint_eq(f->last.nreplies, 0);
	firewall_free(f);
}
END_TEST

/* ---- SYN cookies ---- */

static void
answer_cookie(const struct firewall *f, struct packet *p, const char *src,
    uint32_t seq, uint32_t off)
{
	const uint8_t *th = f->answer[0] + 20;

	packet_tcp(p, src, 4000, "192.0.2.2", 80, TCP_ACK, seq + 1,
	    get32(th + 4) + 1 + off, 0);
}

START_TEST(cookie_redeemed)
{
	struct firewall *f = firewall_new("set syncookies always\n"
	    "pass in proto tcp to port 80\n");
	struct pfk_counters c;
	struct packet p;

	packet_tcp(&p, "198.51.100.7", 4000, "192.0.2.2", 80, TCP_SYN, 1000,
	    0, 0);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_DROP);
	ck_assert_int_eq(f->reply[0].kind, PFK_REPLY_SYNACK);
	ck_assert(cksums_right(f->answer[0], f->reply[0].iplen));
	ck_assert_uint_eq(pfk_engine_nstates(f->e), 0);
	/* one who guesses */
	answer_cookie(f, &p, "198.51.100.7", 1000, 0x1000);
	firewall_send(f, "em0", PFK_IN, &p);
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.limits[LIMIT_COUNTER_COOKIES_VALID], 0);
	/* the cookie of another */
	answer_cookie(f, &p, "198.51.100.8", 1000, 0);
	firewall_send(f, "em0", PFK_IN, &p);
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.limits[LIMIT_COUNTER_COOKIES_VALID], 0);
	answer_cookie(f, &p, "198.51.100.7", 1000, 0);
	firewall_send(f, "em0", PFK_IN, &p);
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.limits[LIMIT_COUNTER_COOKIES_VALID], 1);
	ck_assert_uint_eq(c.limits[LIMIT_COUNTER_COOKIES_SENT], 1);
	firewall_free(f);
}
END_TEST

/*
 * Of one whose last connection is over: it has a state yet, into whose windows
 * the answer fits.
 */
START_TEST(cookie_over_a_state)
{
	static const struct { bool back; uint8_t flags; uint16_t seq, ack; }
	    steps[] = { { false, TCP_ACK, 0, 0 },
	    { true, TCP_FIN | TCP_ACK, 0, 0 },
	    { false, TCP_FIN | TCP_ACK, 0, 1 }, { true, TCP_ACK, 1, 1 } };
	struct firewall *f = firewall_new("set syncookies always\n"
	    "pass in proto tcp to port 80 flags any\n");
	struct pfk_counters c;
	struct packet p, answer;
	uint32_t cookie;

	packet_tcp(&p, "198.51.100.7", 4000, "192.0.2.2", 80, TCP_SYN, 1000,
	    0, 0);
	firewall_send(f, "em0", PFK_IN, &p);
	answer_cookie(f, &answer, "198.51.100.7", 1000, 0);
	cookie = get32(f->answer[0] + 24);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t mine = 900, its = cookie - 10;

		if (steps[i].back)
			packet_tcp(&p, "192.0.2.2", 80, "198.51.100.7", 4000,
			    steps[i].flags, its + steps[i].seq,
			    mine + steps[i].ack, 0);
		else
			packet_tcp(&p, "198.51.100.7", 4000, "192.0.2.2", 80,
			    steps[i].flags, mine + steps[i].seq,
			    its + steps[i].ack, 0);
		ck_assert_int_eq(firewall_send(f, "em0", steps[i].back ?
		    PFK_OUT : PFK_IN, &p), PFK_PASS);
	}
	ck_assert_uint_eq(pfk_engine_nstates(f->e), 1);
	firewall_send(f, "em0", PFK_IN, &answer);
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.limits[LIMIT_COUNTER_COOKIES_VALID], 1);
	firewall_free(f);
}
END_TEST

START_TEST(cookies_of_old_keys)
{
	struct firewall *f = firewall_new("set syncookies always\n"
	    "pass in proto tcp to port 80\n");
	struct pfk_counters c;
	struct packet p;

	packet_tcp(&p, "198.51.100.7", 4000, "192.0.2.2", 80, TCP_SYN, 1000,
	    0, 0);
	firewall_send(f, "em0", PFK_IN, &p);
	answer_cookie(f, &p, "198.51.100.7", 1000, 0);
	f->now += 40000000000u;
	firewall_send(f, "em0", PFK_IN, &p);
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.limits[LIMIT_COUNTER_COOKIES_VALID], 0);
	firewall_free(f);
}
END_TEST

START_TEST(cookies_adaptive)
{
	struct firewall *f = firewall_new("set limit states 100\n"
	    "set syncookies adaptive (start 20%, end 10%)\n"
	    "pass in proto tcp to port 80\n");
	struct pfk_counters c;
	struct packet p;
	unsigned cookies = 0;

	for (unsigned i = 0; i < 60; i++) {
		packet_tcp(&p, "198.51.100.7", 4000 + i, "192.0.2.2", 80,
		    TCP_SYN, 1000, 0, 0);
		if (firewall_send(f, "em0", PFK_IN, &p) == PFK_DROP)
			cookies++;
	}
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.limits[LIMIT_COUNTER_SYNFLOODS], 1);
	ck_assert_uint_eq(cookies, 60 - 21);
	ck_assert_uint_eq(pfk_engine_nstates(f->e), 21);
	firewall_free(f);
}
END_TEST

/* ---- source tracking ---- */

START_TEST(node_flood)
{
	struct firewall *f = firewall_new("set limit src-nodes 100\n"
	    "set timeout udp.first 1\n"
	    "pass in proto udp keep state (source-track rule, "
	    "max-src-states 2)\n");
	struct pfk_counters c;
	struct packet p;

	for (uint32_t i = 0; i < 5000; i++) {
		packet_udp(&p, "198.51.100.7", 5, "192.0.2.2", 53, 9);
		put32(p.b + 12, 0x0b000000 + i);
		packet_seal(&p);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p),
		    i < 100 ? PFK_PASS : PFK_DROP);
		f->now -= 999000;
		if (i >= 100)
			ck_assert_int_eq(f->last.reason,
			    PFK_REASON_SRCLIMIT);
	}
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.src_nodes, 100);
	/* when the states are gone so are they, at the next interval */
	pfk_engine_advance(f->e, f->now + 30000000000u);
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.src_nodes, 0);
	firewall_free(f);
}
END_TEST

START_TEST(node_limits)
{
	struct firewall *f = firewall_new(
	    "pass in proto udp to port 1 keep state (source-track rule, "
	    "max-src-states 2)\n"
	    "pass in proto udp to port 2 keep state (source-track rule, "
	    "max-src-nodes 2)\n");
	struct packet p;
	char src[32];

	for (unsigned i = 0; i < 3; i++) {
		packet_udp(&p, "198.51.100.7", 5 + i, "192.0.2.2", 1, 9);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p),
		    i < 2 ? PFK_PASS : PFK_DROP);
		snprintf(src, sizeof(src), "198.51.100.%u", 5 + i);
		packet_udp(&p, src, 5, "192.0.2.2", 2, 9);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p),
		    i < 2 ? PFK_PASS : PFK_DROP);
	}
	ck_assert_int_eq(f->last.reason, PFK_REASON_SRCLIMIT);
	firewall_free(f);
}
END_TEST

/* A handshake; the verdict about its last ACK. */
static enum pfk_verdict
handshake(struct firewall *f, const char *src, unsigned sport)
{
	struct packet p;

	packet_tcp(&p, src, sport, "192.0.2.2", 22, TCP_SYN, 100, 0, 0);
	if (firewall_send(f, "em0", PFK_IN, &p) != PFK_PASS)
		return f->last.verdict;
	packet_tcp(&p, "192.0.2.2", 22, src, sport, TCP_SYN | TCP_ACK, 500,
	    101, 0);
	firewall_send(f, "em0", PFK_OUT, &p);
	packet_tcp(&p, src, sport, "192.0.2.2", 22, TCP_ACK, 101, 501, 0);
	return firewall_send(f, "em0", PFK_IN, &p);
}

START_TEST(overload_and_flush)
{
	struct firewall *f = firewall_new("table <bad> persist\n"
	    "block in quick from <bad>\n"
	    "pass in proto tcp to port 22 keep state (max-src-conn 2, "
	    "overload <bad> flush global)\npass out\n");
	struct pfk_table_info t;
	long table;

	ck_assert_int_eq(handshake(f, "198.51.100.7", 1), PFK_PASS);
	ck_assert_int_eq(handshake(f, "198.51.100.7", 2), PFK_PASS);
	ck_assert_int_eq(handshake(f, "198.51.100.7", 3), PFK_DROP);
	ck_assert_int_eq(f->last.reason, PFK_REASON_SRCLIMIT);
	table = pfk_engine_find_table(f->e, "", "bad", false);
	ck_assert_int_ge(table, 0);
	pfk_engine_table(f->e, (size_t)table, &t);
	ck_assert_uint_eq(t.naddrs, 1);
	ck_assert_int_eq(handshake(f, "198.51.100.7", 4), PFK_BLOCK);
	ck_assert_int_eq(handshake(f, "198.51.100.8", 4), PFK_PASS);
	pfk_engine_advance(f->e, f->now + 3000000000u);
	ck_assert_uint_eq(pfk_engine_nstates(f->e), 1);
	firewall_free(f);
}
END_TEST

/* ---- scrub ---- */

START_TEST(tcp_flags)
{
	static const struct { uint8_t flags; bool ok; } cases[] = {
		{ TCP_SYN, true }, { TCP_SYN | TCP_FIN, true },
		{ TCP_SYN | TCP_RST, false }, { 0, false },
		{ TCP_PUSH, false }, { TCP_FIN, false }, { TCP_RST, true },
		{ TCP_ACK, true }, { TCP_ACK | TCP_FIN | TCP_PUSH, true },
		{ TCP_SYN | TCP_URG, false }, { TCP_RST | TCP_FIN, false },
	};
	struct firewall *f = firewall_new("pass no state\n");
	struct packet p;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		packet_tcp(&p, "198.51.100.7", 4000, "192.0.2.2", 80,
		    cases[i].flags, 1, 2, 0);
		p.b[32] |= 0x0a;		/* reserved */
		put16(p.b + 38, 7);		/* urgent */
		packet_seal(&p);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p) ==
		    PFK_PASS, cases[i].ok);
		if (!cases[i].ok) {
			ck_assert_int_eq(f->last.reason, PFK_REASON_NORM);
			continue;
		}
		ck_assert(cksums_right(f->ip, f->last.iplen));
		ck_assert_uint_eq(f->ip[32], 0x50);
		ck_assert_uint_eq(get16(f->ip + 38), 0);
		ck_assert(!(f->ip[33] & TCP_FIN) || !(f->ip[33] & TCP_SYN));
	}
	firewall_free(f);
}
END_TEST

/* With timestamps val and ecr. */
static void
packet_ts(struct packet *p, const char *src, const char *dst, uint8_t flags,
    uint32_t seq, uint32_t ack, uint32_t val, uint32_t ecr)
{
	bool client = src[0] == '1' && src[1] == '9' && src[2] == '8';

	packet_tcp(p, src, client ? 4000 : 80, dst, client ? 80 : 4000, flags,
	    seq, ack, 12);
	p->b[p->at + 12] = 0x80;
	p->b[p->at + 20] = 1;
	p->b[p->at + 21] = 1;
	p->b[p->at + 22] = 8;
	p->b[p->at + 23] = 10;
	put32(p->b + p->at + 24, val);
	put32(p->b + p->at + 28, ecr);
	packet_seal(p);
}

START_TEST(timestamps)
{
	struct firewall *f = firewall_new(
	    "pass in proto tcp scrub (reassemble tcp)\n");
	const char *c = "198.51.100.7", *s = "192.0.2.2";
	uint32_t client, server;
	struct packet p;

	packet_ts(&p, c, s, TCP_SYN, 100, 0, 1000, 0);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_PASS);
	client = get32(f->ip + 44) - 1000;	/* what was put on */
	ck_assert(cksums_right(f->ip, f->last.iplen));
	packet_ts(&p, s, c, TCP_SYN | TCP_ACK, 500, 101, 7000, 1000 + client);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p), PFK_PASS);
	server = get32(f->ip + 44) - 7000;
	ck_assert_uint_eq(get32(f->ip + 48), 1000);
	packet_ts(&p, c, s, TCP_ACK, 101, 501, 1001, 7000 + server);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_PASS);
	ck_assert_uint_eq(get32(f->ip + 48), 7000);
	ck_assert(cksums_right(f->ip, f->last.iplen));
	packet_ts(&p, s, c, TCP_ACK, 501, 101, 7001, 1001 + client);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p), PFK_PASS);
	/* an echo of what was never sent */
	packet_ts(&p, c, s, TCP_ACK, 101, 501, 1002, 9999 + server);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_DROP);
	ck_assert_int_eq(f->last.reason, PFK_REASON_TS);
	/* a value from the past */
	packet_ts(&p, c, s, TCP_ACK, 101, 501, 900, 7001 + server);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_DROP);
	/* and the TTL cannot fall */
	packet_ts(&p, c, s, TCP_ACK, 101, 501, 1003, 7001 + server);
	p.b[8] = 3;
	packet_seal(&p);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_PASS);
	ck_assert_uint_eq(f->ip[8], 64);
	firewall_free(f);
}
END_TEST

START_TEST(mss_and_header)
{
	struct firewall *f = firewall_new("match all scrub (max-mss 1000 "
	    "min-ttl 100 no-df) set tos 0x20\npass\n");
	struct packet p;

	packet_ip(&p, "198.51.100.7", "192.0.2.2", PROTO_TCP, 24, 0);
	put16(p.b + 20, 4000);
	put16(p.b + 22, 80);
	p.b[32] = 0x60;
	p.b[33] = TCP_SYN;
	p.b[40] = 2;
	p.b[41] = 4;
	put16(p.b + 42, 1460);
	put16(p.b + 6, 0x4000);
	p.b[1] = 3;			/* ECN */
	packet_seal(&p);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_PASS);
	ck_assert_uint_eq(get16(f->ip + 42), 1000);
	ck_assert_uint_eq(f->ip[8], 100);
	ck_assert_uint_eq(f->ip[1], 0x23);
	ck_assert_uint_eq(get16(f->ip + 6), 0);
	ck_assert(cksums_right(f->ip, f->last.iplen));
	ck_assert_uint_eq(f->last.changed, PFK_CHANGED_TTL | PFK_CHANGED_TOS |
	    PFK_CHANGED_DF | PFK_CHANGED_MSS);
	firewall_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("answers");
	TCase *t = tcase_create("answers");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, returns);
	tcase_add_test(t, cookie_redeemed);
	tcase_add_test(t, cookie_over_a_state);
	tcase_add_test(t, cookies_of_old_keys);
	tcase_add_test(t, cookies_adaptive);
	tcase_add_test(t, node_flood);
	tcase_add_test(t, node_limits);
	tcase_add_test(t, overload_and_flush);
	tcase_add_test(t, tcp_flags);
	tcase_add_test(t, timestamps);
	tcase_add_test(t, mss_and_header);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
