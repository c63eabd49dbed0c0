/*
 * Reassembly against the packets that were taken apart; limits; a flood.
 */
#include "tests/unit/firewall.h"

#include "runtime/engine_int.h"

static uint64_t seed = 99;

static unsigned
pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* The bytes [from, to) of the packet's IP payload, as a fragment. */
static void
cut(struct packet *f, const struct packet *p, uint32_t from, uint32_t to,
    uint32_t id)
{
	uint32_t at = p->at, n = to - from;
	bool more = at + to < p->len;

	memset(f, 0, sizeof(*f));
	f->af = p->af;
	memcpy(f->b, p->b, at);
	if (p->af == 4) {
		memcpy(f->b + at, p->b + at + from, n);
		put16(f->b + 4, (uint16_t)id);
		put16(f->b + 6, (uint16_t)((more ? 0x2000 : 0) | from / 8));
		f->len = at + n;
		put16(f->b + 2, (uint16_t)f->len);
		cksum_header(f->b);
		return;
	}
	f->b[6] = PROTO_FRAGMENT;
	f->b[at] = p->proto;
	put16(f->b + at + 2, (uint16_t)(from | more));
	put32(f->b + at + 4, id);
	memcpy(f->b + at + 8, p->b + at + from, n);
	f->len = at + 8 + n;
	put16(f->b + 4, (uint16_t)(f->len - 40));
}

static void
expect_whole(const struct firewall *f, const struct packet *p)
{
	ck_assert_uint_eq(f->last.iplen, p->len);
	ck_assert_int_eq(memcmp(f->ip + p->at, p->b + p->at,
	    p->len - p->at), 0);
	ck_assert(cksums_right(f->ip, f->last.iplen));
}

/* A packet in pieces, in any order. */
static void
scatter(struct firewall *f, const struct packet *p, uint32_t id)
{
	uint32_t start[64], n = 0, off = 0, total = p->len - p->at;
	struct packet part;
	enum pfk_verdict v;

	while (off < total && n < 63) {
		start[n++] = off;
		off += 8 * (1 + pick(30));
	}
	start[n] = total;
	if (n < 2)
		return;
	for (uint32_t left = n; left > 0; left--) {
		uint32_t k, i, seen = 0;

		/* the k-th of those not yet sent; sent ones are odd */
		k = pick(left);
		for (i = 0; i < n; i++)
			if (!(start[i] & 1) && seen++ == k)
				break;
		cut(&part, p, start[i], i + 1 < n ? start[i + 1] & ~1u :
		    total, id);
		start[i] |= 1;
		v = firewall_send(f, "em0", PFK_IN, &part);
		ck_assert_int_eq(v, left == 1 ? PFK_PASS : PFK_HOLD);
	}
	expect_whole(f, p);
}

START_TEST(any_order)
{
	struct firewall *f = firewall_new("pass\n");
	struct packet p;

	for (unsigned i = 0; i < 300; i++) {
		if (i % 2)
			packet_udp(&p, "198.51.100.7", 5, "192.0.2.2", 53,
			    100 + pick(3000));
		else
			packet_udp(&p, "2001:db8:9::1", 5, "2001:db8::2", 53,
			    100 + pick(3000));
		scatter(f, &p, i + 1);
	}
	firewall_free(f);
}
END_TEST

/* What is there stays, a new part's begin is believed. */
START_TEST(overlaps4)
{
	struct firewall *f = firewall_new("pass\n");
	struct packet p, a, b;

	packet_udp(&p, "198.51.100.7", 5, "192.0.2.2", 53, 56);	/* 64 */
	cut(&a, &p, 0, 32, 1);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &a), PFK_HOLD);
	/* inside of what is held: dropped, without a reason */
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &a), PFK_DROP);
	ck_assert_int_eq(f->last.reason, PFK_REASON_MATCH);
	/* [24, 64) with other bytes at 24..32: those are cut off */
	cut(&b, &p, 24, 64, 1);
	memset(b.b + 20, 0xee, 8);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &b), PFK_PASS);
	expect_whole(f, &p);
	/* the last first; then one that runs into it: the old one is cut */
	cut(&b, &p, 32, 64, 2);
	memset(b.b + 20, 0xee, 8);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &b), PFK_HOLD);
	cut(&a, &p, 0, 40, 2);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &a), PFK_PASS);
	expect_whole(f, &p);
	firewall_free(f);
}
END_TEST

START_TEST(overlaps6)
{
	struct firewall *f = firewall_new("pass\n");
	struct pfk_counters c;
	struct packet p, a;

	packet_udp(&p, "2001:db8:9::1", 5, "2001:db8::2", 53, 56);
	cut(&a, &p, 0, 32, 1);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &a), PFK_HOLD);
	cut(&a, &p, 24, 64, 1);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &a), PFK_DROP);
	ck_assert_int_eq(f->last.reason, PFK_REASON_FRAG);
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.fragments, 0);
	firewall_free(f);
}
END_TEST

START_TEST(impossible_parts)
{
	struct firewall *f = firewall_new("pass\n");
	struct packet p, a;

	packet_udp(&p, "198.51.100.7", 5, "192.0.2.2", 53, 57);
	cut(&a, &p, 0, 12, 1);		/* more to come, not 8 bytes long */
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &a), PFK_DROP);
	ck_assert_int_eq(f->last.reason, PFK_REASON_FRAG);
	cut(&a, &p, 8, 8, 1);		/* nothing at all */
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &a), PFK_DROP);
	cut(&a, &p, 16, 32, 1);
	put16(a.b + 6, 0x1fff);		/* ends behind 65535 */
	cksum_header(a.b);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &a), PFK_DROP);
	ck_assert_int_eq(f->last.reason, PFK_REASON_FRAG);
	firewall_free(f);
}
END_TEST

START_TEST(time_runs_out)
{
	struct firewall *f = firewall_new("set timeout { frag 5, interval 2 }\n"
	    "pass\n");
	struct pfk_counters c;
	struct packet p, a;

	packet_udp(&p, "198.51.100.7", 5, "192.0.2.2", 53, 56);
	cut(&a, &p, 0, 32, 1);
	firewall_send(f, "em0", PFK_IN, &a);
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.fragments, 1);
	pfk_engine_advance(f->e, f->now + 10000000000u);
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_eq(c.fragments, 0);
	firewall_free(f);
}
END_TEST

/* An allocator that says how much is out. */
struct tally { size_t now, most; };

static void *
tally_fn(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct tally *t = ctx;
	void *v = pfk_allocator_libc.fn(NULL, p, osize, nsize);

	if (v == NULL && nsize != 0)
		return NULL;
	t->now += nsize;
	t->now -= p == NULL ? 0 : osize;
	if (t->now > t->most)
		t->most = t->now;
	return v;
}

START_TEST(flood)
{
	struct tally t = { 0, 0 };
	struct pfk_allocator a = { tally_fn, &t };
	struct firewall *f = calloc(1, sizeof(*f));
	struct pfk_counters c;
	struct packet p, part;
	size_t before;

	firewall_image(f, "set limit frags 500\npass\n");
	ck_assert_int_eq(firewall_engine(f, &a), PFK_OK);
	f->now = 1;
	before = t.now;
	packet_udp(&p, "198.51.100.7", 5, "192.0.2.2", 53, 1400);
	for (uint32_t i = 0; i < 100000; i++) {
		cut(&part, &p, 0, 1400, i);
		put32(part.b + 12, i * 2654435761u | 0x01000000u);
		if (part.b[12] == 127)
			part.b[12] = 126;
		cksum_header(part.b);
		firewall_send(f, "em0", PFK_IN, &part);
		f->now -= 999990;
	}
	pfk_engine_counters(f->e, &c);
	ck_assert_uint_le(c.fragments, 500);
	ck_assert_uint_gt(c.fragments, 400);
	ck_assert_uint_lt(t.most - before, 500 * 2200);
	/* and goes on */
	scatter(f, &p, 7);
	firewall_free(f);
	ck_assert_uint_eq(t.now, 0);
}
END_TEST

/* Many small parts of one packet: 64 for each sixteenth. */
START_TEST(too_many_parts)
{
	struct firewall *f = firewall_new("pass\n");
	struct packet p, part;
	unsigned held = 0;

	packet_udp(&p, "198.51.100.7", 5, "192.0.2.2", 53, 4000);
	for (uint32_t i = 0; i < 100; i++) {
		cut(&part, &p, i * 16, i * 16 + 8, 1);
		if (firewall_send(f, "em0", PFK_IN, &part) != PFK_HOLD)
			break;
		held++;
	}
	ck_assert_uint_eq(held, 64);
	ck_assert_int_eq(f->last.reason, PFK_REASON_FRAG);
	firewall_free(f);
}
END_TEST

/* Every allocation fails once: dropped, and the engine goes on. */
struct failing { unsigned at, n; };

static void *
failing_fn(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct failing *f = ctx;

	if (nsize != 0 && f->at != 0 && ++f->n == f->at)
		return NULL;
	return pfk_allocator_libc.fn(NULL, p, osize, nsize);
}

START_TEST(no_memory)
{
	struct failing g = { 0, 0 };
	struct pfk_allocator a = { failing_fn, &g };
	struct firewall *f = calloc(1, sizeof(*f));
	struct packet p, part;
	uint32_t id = 1;

	firewall_image(f, "pass in inet proto udp rdr-to { 10.0.0.2 10.0.0.3 } "
	    "round-robin sticky-address\npass out\n");
	ck_assert_int_eq(firewall_engine(f, &a), PFK_OK);
	f->now = 1;
	for (unsigned at = 1; at < 40; at++, id++) {
		packet_udp(&p, "198.51.100.7", at, "192.0.2.2", 53, 100);
		g.at = at;
		g.n = 0;
		cut(&part, &p, 0, 56, id);
		firewall_send(f, "em0", PFK_IN, &part);
		cut(&part, &p, 56, 108, id);
		firewall_send(f, "em0", PFK_IN, &part);
		g.at = 0;
		packet_udp(&p, "198.51.100.7", 1000 + at, "192.0.2.2", 53, 9);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p),
		    PFK_PASS);
	}
	firewall_free(f);
}
END_TEST

/* Saved while parts wait, restored in another engine. */
START_TEST(saved_and_restored)
{
	struct firewall *f = firewall_new("pass\n"), *g = firewall_new(
	    "pass\n");
	struct pfk_counters c;
	char error[PFK_IMAGE_ERRLEN];
	struct packet p, part;
	void *data;
	size_t len;

	packet_udp(&p, "2001:db8:9::1", 5, "2001:db8::2", 53, 56);
	cut(&part, &p, 32, 64, 1);
	firewall_send(f, "em0", PFK_IN, &part);
	ck_assert_int_eq(pfk_engine_save(f->e, &data, &len), PFK_OK);
	ck_assert_int_eq(pfk_engine_restore(g->e, data, len, error), PFK_OK);
	pfk_engine_free_data(f->e, data, len);
	pfk_engine_counters(g->e, &c);
	ck_assert_uint_eq(c.fragments, 1);
	g->now = f->now;
	cut(&part, &p, 0, 32, 1);
	ck_assert_int_eq(firewall_send(g, "em0", PFK_IN, &part), PFK_PASS);
	expect_whole(g, &p);
	firewall_free(f);
	firewall_free(g);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fragment");
	TCase *t = tcase_create("fragment");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, any_order);
	tcase_add_test(t, overlaps4);
	tcase_add_test(t, overlaps6);
	tcase_add_test(t, impossible_parts);
	tcase_add_test(t, time_runs_out);
	tcase_add_test(t, flood);
	tcase_add_test(t, too_many_parts);
	tcase_add_test(t, no_memory);
	tcase_add_test(t, saved_and_restored);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
