/*
 * From frames to decisions: link headers, and packets that are broken in one
 * way each, with what pf says of them.
 */
#include <stdio.h>

#include "engine_kit.h"

static const char rules[] = "pass no state allow-opts\n";

/* Hex digits and blanks; a blank ends a byte. */
static uint32_t
unhex(const char *s, uint8_t *out)
{
	uint32_t n = 0;
	unsigned v;

	for (; *s != '\0'; s += *s == ' ' ? 1 : 2)
		if (*s != ' ' && sscanf(s, "%2x", &v) == 1)
			out[n++] = (uint8_t)v;
	return n;
}

#define UDP4	"4500001c000000004011af1cc0000209 0a000009 0001003500080000"

START_TEST(links)
{
	static const struct {
		uint16_t linktype;
		const char *header;
		bool ip;
	} v[] = {
		{ 1, "000000000001 000000000002 0800", true },
		{ 1, "000000000001 000000000002 8100 0005 0800", true },
		{ 1, "000000000001 000000000002 88a8 0005 8100 0006 8100 "
		    "0007 0800", true },
		{ 1, "000000000001 000000000002 0806", false },
		{ 1, "000000000001 000000000002 0030", false },
		{ 101, "", true },
		{ 0, "02000000", true },
		{ 0, "00000002", true },
		{ 0, "1e000000", false },	/* says it is IPv6 */
		{ 108, "00000002", true },
		{ 113, "0000 0001 0006 0000000000000000 0800", true },
		{ 113, "0000 0001 0006 0000000000000000 8100 0001 0800",
		    true },
		{ 276, "0800 0000 00000001 0001 00 06 0000000000000000",
		    true },
		{ 276, "0806 0000 00000001 0001 00 06 0000000000000000",
		    false },
		{ 147, "", false },
	};
	char text[200];
	uint8_t frame[200];
	uint32_t n;
	struct kit k;

	kit_open(&k, rules);
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		snprintf(text, sizeof(text), "%s %s", v[i].header, UDP4);
		n = unhex(text, frame);
		/* the sum is not that of this text: outgoing is not checked */
		kit_frame(&k, "em0", PFK_OUT, frame, n, n, v[i].linktype);
		ck_assert_msg(k.d.verdict == (v[i].ip ? PFK_PASS :
		    PFK_IGNORE), "link %zu: %d", i, k.d.verdict);
		/* any cut is survived */
		for (uint32_t cut = 0; cut < n; cut++)
			kit_frame(&k, "em0", PFK_OUT, frame, cut, n,
			    v[i].linktype);
	}
	kit_close(&k);
}
END_TEST

/* An IPv4 packet that is right, and one byte of it changed. */
START_TEST(broken4)
{
	static const struct {
		uint32_t off;
		uint8_t value;
		enum pfk_verdict verdict;
		enum pfk_reason reason;
	} v[] = {
		{ 0, 0x45, PFK_PASS, PFK_REASON_MATCH },
		{ 0, 0x65, PFK_IGNORE, 0 },		/* version */
		{ 0, 0x44, PFK_IGNORE, 0 },		/* header length */
		{ 0, 0x4f, PFK_IGNORE, 0 },
		{ 3, 200, PFK_IGNORE, 0 },		/* total length */
		{ 3, 19, PFK_IGNORE, 0 },
		{ 3, 27, PFK_DROP, PFK_REASON_SHORT },	/* half a header */
		{ 25, 7, PFK_DROP, PFK_REASON_SHORT },	/* UDP length */
		{ 25, 9, PFK_DROP, PFK_REASON_SHORT },
		{ 23, 0, PFK_DROP, PFK_REASON_SHORT },	/* to port 0 */
		{ 9, 6, PFK_DROP, PFK_REASON_SHORT },	/* no TCP header */
		{ 9, 58, PFK_DROP, PFK_REASON_NORM },	/* ICMPv6 in IPv4 */
		{ 16, 127, PFK_IGNORE, 0 },
	};
	struct kit_packet p;
	struct kit k;

	kit_open(&k, rules);
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		p = kit_udp(0xc0000209, 1, 0x0a000009, 53);
		p.b[v[i].off] = v[i].value;
		kit_put16(p.b + 10, 0);
		kit_put16(p.b + 10, kit_sum(p.b, 20, 0));
		kit_run(&k, "em0", PFK_IN, p);
		ck_assert_msg(k.d.verdict == v[i].verdict && k.d.reason ==
		    v[i].reason, "%zu: %d %d", i, k.d.verdict, k.d.reason);
	}
	/* a wrong sum of the header */
	p = kit_udp(0xc0000209, 1, 0x0a000009, 53);
	p.b[10] ^= 1;
	ck_assert_int_eq(kit_run(&k, "em0", PFK_IN, p)->verdict, PFK_IGNORE);
	ck_assert_int_eq(kit_run(&k, "em0", PFK_OUT, p)->verdict, PFK_PASS);
	kit_close(&k);
}
END_TEST

/* Chains of IPv6 headers behind the first; `next` is the first one's type. */
START_TEST(chains6)
{
	static const struct {
		uint8_t next;
		const char *rest;
		enum pfk_verdict verdict;
		enum pfk_reason reason;
	} v[] = {
		{ 17, "0001003500080000", PFK_PASS, 0 },
		{ 60, "1100010400000000 0001003500080000", PFK_PASS, 0 },
		/* hop-by-hop first only */
		{ 0, "1100010400000000 0001003500080000", PFK_PASS, 0 },
		{ 60, "0000010400000000 1100010400000000 0001003500080000",
		    PFK_DROP, PFK_REASON_IPOPTIONS },
		/* an option longer than its header */
		{ 0, "1100010900000000 0001003500080000", PFK_DROP,
		    PFK_REASON_IPOPTIONS },
		/* routing: type 0, two of them, one */
		{ 43, "1100000000000000 0001003500080000", PFK_DROP,
		    PFK_REASON_IPOPTIONS },
		{ 43, "2b00020000000000 1100020000000000 0001003500080000",
		    PFK_DROP, PFK_REASON_IPOPTIONS },
		{ 43, "1100020000000000 0001003500080000", PFK_PASS, 0 },
		/* two fragment headers; one that is none */
		{ 44, "2c00000100000001 1100000100000002 0001003500080000",
		    PFK_DROP, PFK_REASON_FRAG },
		{ 44, "1100000000000001 0001003500080000", PFK_PASS, 0 },
		/* the chain leaves the packet */
		{ 60, "11ff010400000000 0001003500080000", PFK_DROP,
		    PFK_REASON_SHORT },
		/* MLD with a hop limit that it must not have */
		{ 58, "8300000000000000 ff020000000000000000000000000001",
		    PFK_DROP, PFK_REASON_IPOPTIONS },
		/* neighbour discovery from afar */
		{ 58, "8700000000000000 fe800000000000000000000000000001",
		    PFK_DROP, PFK_REASON_NORM },
		{ 58, "80000000", PFK_DROP, PFK_REASON_SHORT },
	};
	uint8_t b[200];
	char text[300];
	uint32_t n;
	struct kit k;

	kit_open(&k, rules);
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		snprintf(text, sizeof(text), "6000000000000040"
		    "20010db8000000000000000000000001"
		    "20010db8000000000000000000000002 %s", v[i].rest);
		n = unhex(text, b);
		kit_put16(b + 4, (uint16_t)(n - 40));
		b[6] = v[i].next;
		kit_frame(&k, "em0", PFK_IN, b, n, n, 101);
		ck_assert_msg(k.d.verdict == v[i].verdict && k.d.reason ==
		    v[i].reason, "%zu: %s %s", i,
		    pfk_verdict_name(k.d.verdict),
		    pfk_reason_name(k.d.reason));
	}
	kit_close(&k);
}
END_TEST

/* pf looks for a quoted packet in an answer of neighbour discovery. */
START_TEST(neighbour_answer)
{
	static const struct {
		const char *rules;
		enum pfk_verdict verdict;
		enum pfk_reason reason;
	} v[] = {
		{ "pass\n", PFK_PASS, PFK_REASON_MATCH },
		{ "block\n", PFK_DROP, PFK_REASON_SHORT },
	};
	uint8_t b[200];
	uint32_t n = unhex("6000000000183aff"
	    "fe800000000000000000000000000001"
	    "fe800000000000000000000000000002 88000000 60000000"
	    "fe800000000000000000000000000001", b);
	struct kit k;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		kit_open(&k, v[i].rules);
		kit_frame(&k, "em0", PFK_IN, b, n, n, 101);
		ck_assert_int_eq(k.d.verdict, v[i].verdict);
		ck_assert_int_eq(k.d.reason, v[i].reason);
		ck_assert_int_eq(k.d.state, PFK_STATE_NONE);
		kit_close(&k);
	}
}
END_TEST

START_TEST(pflog_header)
{
	uint8_t b[100] = { 100, 2, 1, 0, 'e', 'm', '0' };
	struct pfk_pflog h;

	b[39] = 7;
	b[60] = 2;
	ck_assert(pfk_pflog_decode(b, sizeof(b), &h));
	ck_assert_str_eq(h.ifname, "em0");
	ck_assert_uint_eq(h.dir, PFK_OUT);
	ck_assert_uint_eq(h.action, 1);
	ck_assert_uint_eq(h.rule, 7);
	ck_assert(!pfk_pflog_decode(b, 60, &h));
}
END_TEST

/* What the capture cut off is taken for zeros, never read. */
START_TEST(cut_off)
{
	struct kit_packet p = kit_tcp(0xc0000209, 1, 0x0a000009, 80, 2, 9, 0,
	    100);
	struct kit k;
	uint8_t *exact;

	kit_open(&k, "pass\n");
	for (uint32_t n = 0; n <= p.len; n++) {
		exact = malloc(n + 1);
		memcpy(exact, p.b, n);
		kit_frame(&k, "em0", PFK_OUT, exact, n, p.len, 101);
		free(exact);
	}
	kit_close(&k);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { links, broken4, chains6,
	    neighbour_answer, pflog_header, cut_off };

	return kit_main("decode", tests, sizeof(tests) / sizeof(*tests));
}
