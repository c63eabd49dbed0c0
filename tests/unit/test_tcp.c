/*
 * TCP connections through the engine: states and timeouts of a life, what lies
 * in the window and what does not, and pf's words about it.
 */
#include "engine_kit.h"

#define C	0xc0000209u		/* 192.0.2.9 */
#define S	0x0a000009u		/* 10.0.0.9 */
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
enum { ST_CLOSED = 0, ST_SYN_SENT = 2, ST_ESTABLISHED = 4, ST_CLOSING = 7,
    ST_FIN_WAIT_2 = 9, ST_TIME_WAIT = 10 };
enum { TMO_FIRST, TMO_OPENING, TMO_ESTABLISHED, TMO_CLOSING, TMO_FINWAIT,
    TMO_CLOSED };

static const struct pfk_decision *
from_client(struct kit *k, uint8_t flags, uint32_t seq, uint32_t ack,
    uint32_t len)
{
	return kit_run(k, "em0", PFK_IN,
	    kit_tcp(C, 4000, S, 80, flags, seq, ack, len));
}

static const struct pfk_decision *
from_server(struct kit *k, uint8_t flags, uint32_t seq, uint32_t ack,
    uint32_t len)
{
	return kit_run(k, "em0", PFK_OUT,
	    kit_tcp(S, 80, C, 4000, flags, seq, ack, len));
}

static void
handshake(struct kit *k)
{
	from_client(k, SYN, 1000, 0, 0);
	from_server(k, SYN | ACK, 5000, 1001, 0);
	from_client(k, ACK, 1001, 5001, 0);
	ck_assert_int_eq(k->d.verdict, PFK_PASS);
}

/* A line of a connection's life: who sends what, and what it comes to. */
START_TEST(life)
{
	static const struct {
		bool client;
		uint8_t flags;
		uint32_t seq, ack, len;
		uint8_t src, dst, timeout;
	} steps[] = {
		{ true, SYN, 1000, 0, 0, ST_SYN_SENT, ST_CLOSED, TMO_FIRST },
		{ false, SYN | ACK, 5000, 1001, 0, ST_ESTABLISHED,
		    ST_SYN_SENT, TMO_OPENING },
		{ true, ACK, 1001, 5001, 0, ST_ESTABLISHED, ST_ESTABLISHED,
		    TMO_ESTABLISHED },
		{ true, ACK, 1001, 5001, 100, ST_ESTABLISHED,
		    ST_ESTABLISHED, TMO_ESTABLISHED },
		{ false, ACK, 5001, 1101, 0, ST_ESTABLISHED,
		    ST_ESTABLISHED, TMO_ESTABLISHED },
		{ true, FIN | ACK, 1101, 5001, 0, ST_CLOSING,
		    ST_ESTABLISHED, TMO_CLOSING },
		{ false, ACK, 5001, 1102, 0, ST_FIN_WAIT_2, ST_ESTABLISHED,
		    TMO_CLOSING },
		{ false, FIN | ACK, 5001, 1102, 0, ST_FIN_WAIT_2,
		    ST_CLOSING, TMO_FINWAIT },
		{ true, ACK, 1102, 5002, 0, ST_FIN_WAIT_2, ST_FIN_WAIT_2,
		    TMO_CLOSED },
	};
	struct kit k;
	struct pfk_state s;

	kit_open(&k, "pass in proto tcp\n");
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		(steps[i].client ? from_client : from_server)(&k,
		    steps[i].flags, steps[i].seq, steps[i].ack, steps[i].len);
		ck_assert_int_eq(k.d.verdict, PFK_PASS);
		s = kit_state(&k, 1);
		ck_assert_uint_eq(s.src.state, steps[i].src);
		ck_assert_uint_eq(s.dst.state, steps[i].dst);
		ck_assert_uint_eq(s.timeout, steps[i].timeout);
	}
	/* a SYN now begins anew */
	from_client(&k, SYN, 900000, 0, 0);
	ck_assert_int_eq(k.d.state, PFK_STATE_NEW);
	kit_close(&k);
}
END_TEST

START_TEST(windows)
{
	struct kit k;

	kit_open(&k, "pass in proto tcp\n");
	handshake(&k);
	/* behind the window of what was sent, and far ahead of it */
	from_client(&k, ACK, 1001u - 70000u, 5001, 10);
	ck_assert_int_eq(k.d.reason, PFK_REASON_BADSTATE);
	ck_assert_int_eq(k.d.rule, PFK_RULE_DEFAULT);
	ck_assert_int_eq(k.d.state, PFK_STATE_MATCH);
	from_client(&k, ACK, 1001 + 70000, 5001, 10);
	ck_assert_int_eq(k.d.verdict, PFK_DROP);
	/* the last byte of the window, and the one after it */
	from_client(&k, ACK, 1001 + 65535 - 10, 5001, 10);
	ck_assert_int_eq(k.d.verdict, PFK_PASS);
	from_client(&k, ACK, 1001 + 65535 - 9, 5001, 10);
	ck_assert_int_eq(k.d.verdict, PFK_DROP);
	/* a RST must fit to the byte */
	from_server(&k, RST, 5005, 0, 0);
	ck_assert_int_eq(k.d.verdict, PFK_DROP);
	from_server(&k, RST, 4900, 0, 0);
	ck_assert_int_eq(k.d.verdict, PFK_DROP);
	from_server(&k, RST | ACK, 4900, 1001, 0);	/* not what was sent */
	ck_assert_int_eq(k.d.verdict, PFK_DROP);
	from_server(&k, RST, 5001, 0, 0);
	ck_assert_int_eq(k.d.verdict, PFK_PASS);
	ck_assert_uint_eq(kit_state(&k, 1).src.state, ST_TIME_WAIT);
	kit_close(&k);
}
END_TEST

/* An old number will do for a RST that acknowledges all there is. */
START_TEST(reset_with_ack)
{
	struct kit k;

	kit_open(&k, "pass in proto tcp\n");
	handshake(&k);
	from_client(&k, ACK, 1001, 5001, 100);
	from_server(&k, ACK, 5001, 1101, 50);
	from_server(&k, RST | ACK, 5001 - 70000u, 1101, 0);
	ck_assert_int_eq(k.d.verdict, PFK_DROP);
	from_server(&k, RST | ACK, 5010, 1100, 0);
	ck_assert_int_eq(k.d.verdict, PFK_DROP);
	from_server(&k, RST | ACK, 5010, 1101, 0);
	ck_assert_int_eq(k.d.verdict, PFK_PASS);
	kit_close(&k);
}
END_TEST

START_TEST(words)
{
	struct kit k;

	kit_open(&k, "pass in proto tcp\n");
	handshake(&k);
	from_client(&k, ACK, 1001 + 70000, 5001, 10);
	ck_assert_str_eq(k.debug[0], "pf: BAD state: TCP in wire: (0) "
	    "192.0.2.9:4000 10.0.0.9:80 stack: (0) - "
	    "[lo=1000 high=66536 win=65535 modulator=0] "
	    "[lo=5001 high=70536 win=65535 modulator=0] 4:4 @0 A "
	    "seq=71001 (71001) ack=5001 len=10 ackskew=0 pkts=2:1 "
	    "dir=in,fwd");
	ck_assert_str_eq(k.debug[1], "pf: State failure on: 1       |    ");
	kit_close(&k);
}
END_TEST

START_TEST(challenge_ack)
{
	struct kit k;

	kit_open(&k, "pass in proto tcp\n");
	handshake(&k);
	from_client(&k, SYN, 7777, 0, 0);
	ck_assert_int_eq(k.d.verdict, PFK_DROP);
	ck_assert_int_eq(k.d.reason, PFK_REASON_MATCH);
	ck_assert_uint_eq(k.nreplies, 1);
	kit_close(&k);
}
END_TEST

/* The client's numbers are other ones for the server, and back. */
START_TEST(modulated)
{
	struct kit k;
	uint32_t sent, answer = 123456;

	kit_open(&k, "pass in proto tcp modulate state\n");
	from_client(&k, SYN, 1000, 0, 0);
	sent = (uint32_t)k.d.ip[24] << 24 | (uint32_t)k.d.ip[25] << 16 |
	    (uint32_t)k.d.ip[26] << 8 | k.d.ip[27];
	ck_assert_uint_ne(sent, 1000);
	from_server(&k, SYN | ACK, answer, sent + 1, 0);
	ck_assert_int_eq(k.d.verdict, PFK_PASS);
	ck_assert_uint_eq((uint32_t)k.d.ip[28] << 24 |
	    (uint32_t)k.d.ip[29] << 16 | (uint32_t)k.d.ip[30] << 8 |
	    k.d.ip[31], 1001);
	sent = kit_state(&k, 1).dst.seqdiff;
	from_client(&k, ACK, 1001, answer + sent + 1, 0);
	ck_assert_int_eq(k.d.verdict, PFK_PASS);
	ck_assert_uint_eq(kit_state(&k, 1).timeout, TMO_ESTABLISHED);
	kit_close(&k);
}
END_TEST

/* Both halves of synproxy, and a connection through it. */
START_TEST(synproxy)
{
	struct kit k;
	struct pfk_state s;

	kit_open(&k, "pass in proto tcp synproxy state\n");
	from_client(&k, SYN, 1000, 0, 0);
	ck_assert_int_eq(k.d.reason, PFK_REASON_SYNPROXY);
	ck_assert_uint_eq(k.nreplies, 1);
	s = kit_state(&k, 1);
	from_client(&k, ACK, 1001, s.src.seqhi + 1, 0);
	ck_assert_uint_eq(k.nreplies, 1);		/* the SYN */
	s = kit_state(&k, 1);
	from_server(&k, SYN | ACK, 5000, s.dst.seqhi + 1, 0);
	ck_assert_uint_eq(k.nreplies, 2);
	s = kit_state(&k, 1);
	ck_assert_uint_eq(s.src.state, ST_ESTABLISHED);
	from_client(&k, ACK, 1001, 5001 + s.dst.seqdiff, 10);
	ck_assert_int_eq(k.d.verdict, PFK_PASS);
	from_server(&k, ACK, 5001, 1011 + s.src.seqdiff, 20);
	ck_assert_int_eq(k.d.verdict, PFK_PASS);
	kit_close(&k);
}
END_TEST

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* No state until the client has answered; then as synproxy's second half. */
START_TEST(syncookie)
{
	struct kit k;
	struct pfk_state s;
	uint32_t cookie;

	kit_open(&k, "set syncookies always\npass in proto tcp\n");
	from_client(&k, SYN, 1000, 0, 0);
	ck_assert_int_eq(k.d.verdict, PFK_DROP);
	ck_assert_uint_eq(pfk_engine_nstates(k.e), 0);
	cookie = be32(k.reply + 24);
	from_client(&k, ACK, 1001, cookie + 2, 0);	/* a wrong one */
	ck_assert_uint_eq(pfk_engine_nstates(k.e), 0);
	from_client(&k, ACK, 1001, cookie + 1, 0);
	s = kit_state(&k, 1);
	ck_assert_uint_eq(k.nreplies, 1);
	ck_assert_uint_eq(k.reply[33], SYN);
	from_server(&k, SYN | ACK, 5000, be32(k.reply + 24) + 1, 0);
	ck_assert_uint_eq(kit_state(&k, 1).src.state, ST_ESTABLISHED);
	s = kit_state(&k, 1);
	from_client(&k, ACK, 1001, 5001 + s.dst.seqdiff, 10);
	ck_assert_int_eq(k.d.verdict, PFK_PASS);
	kit_close(&k);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { life, windows,
	    reset_with_ack, words,
	    challenge_ack, modulated, synproxy, syncookie };

	return kit_main("tcp", tests, sizeof(tests) / sizeof(*tests));
}
