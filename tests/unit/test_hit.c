/*
 * The short way (runtime/hit.c) beside the long one: the same packets, once in
 * Ethernet and once bare, which the short way does not take.  Every decision,
 * and everything that an engine saves, must be the same.
 */
#include "tests/unit/engine_kit.h"

#define BURST	20

static uint64_t seed;

static unsigned
pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

struct seen { struct pfk_decision d[2 * BURST]; unsigned n, hits; };
struct side {
	struct kit	 k;
	struct seen	 seen;
	struct pfk_packet packets[BURST];
	uint8_t		 frames[BURST][300];
	uint32_t	 link;		/* bytes of its header */
	uint16_t	 em0;
};

static void
keep(void *ctx, const struct pfk_decision *d)
{
	struct seen *s = ctx;

	ck_assert_uint_lt(s->n, 2 * BURST);
	s->d[s->n] = *d;
	s->d[s->n].ip = NULL;
	s->d[s->n++].replies = NULL;
	s->hits += d->state == PFK_STATE_MATCH && d->verdict == PFK_PASS;
}

static void
open_side(struct side *s, const char *rules, bool ether, bool sink)
{
	struct pfk_sink to = { .ctx = &s->seen, .decision = keep };
	struct pfk_engine_options o = { .interfaces = kit_ifs,
	    .ninterfaces = 3, .sink = sink ? &to : NULL, .seed = 3,
	    .debug = -1 };

	memset(s, 0, sizeof(*s));
	o.image = s->k.image = kit_image(rules);
	ck_assert_int_eq(pfk_engine_new(&o, &s->k.e), PFK_OK);
	s->link = ether ? 14 : 0;
	s->em0 = (uint16_t)pfk_engine_interface(s->k.e, "em0");
}

/* A packet of few connections, with numbers that often fit. */
static struct kit_packet
any_packet(bool out)
{
	static const uint8_t flags[] = { 0x10, 0x18, 0x10, 0x18, 0x10, 0x02,
	    0x12, 0x11, 0x04, 0x30, 0xd0, 0x10, 0x18, 0x10, 0x00, 0x14 };
	uint32_t client = 0xc0000200 + 2 + pick(3), server = 0x0a000002;
	uint16_t cport = (uint16_t)(1000 + pick(2)), sport;
	uint8_t f = flags[pick(pick(12) ? 5 : 16)];
	uint32_t seq = 1000 + (pick(40) ? pick(4) : pick(100000));
	uint32_t ack = 1000 + (pick(40) ? pick(4) : pick(100000));
	struct kit_packet p;

	sport = (uint16_t)(1 + pick(8));
	if (pick(3) == 0)
		p = out ? kit_udp(server, sport, client, cport) :
		    kit_udp(client, cport, server, sport);
	else
		p = out ? kit_tcp(server, sport, client, cport, f, seq, ack,
		    pick(3)) : kit_tcp(client, cport, server, sport, f, seq,
		    ack, pick(3));
	/* now and then something is odd */
	if (pick(60) == 0)
		p.b[1 + pick(39)] ^= (uint8_t)(1u << pick(8));
	if (pick(90) == 0)
		p.b[0] = (uint8_t)(0x40 + pick(16));
	if (pick(60) == 0)
		p.b[38] = 1;		/* urgent, or of the UDP data */
	return p;
}

static void
put_packet(struct side *s, unsigned i, const struct kit_packet *p, uint8_t dir,
    uint16_t ifid, uint32_t cut, uint64_t time)
{
	uint8_t *frame = s->frames[i];

	memset(frame, 0, 14);
	frame[12] = 0x08;
	memcpy(frame + s->link, p->b, p->len);
	s->packets[i] = (struct pfk_packet){ .time = time, .data = frame,
	    .caplen = s->link + p->len - cut, .wirelen = s->link + p->len,
	    .linktype = s->link ? 1 : 101, .ifid = ifid, .dir = dir,
	    .number = i };
}

static void
same_decisions(const struct side *a, const struct side *b)
{
	ck_assert_uint_eq(a->seen.n, b->seen.n);
	for (unsigned i = 0; i < a->seen.n; i++) {
		const struct pfk_decision *x = &a->seen.d[i];
		const struct pfk_decision *y = &b->seen.d[i];

		ck_assert_int_eq(x->verdict, y->verdict);
		ck_assert_int_eq(x->reason, y->reason);
		ck_assert_uint_eq(x->rule, y->rule);
		ck_assert_int_eq(x->state, y->state);
		ck_assert_uint_eq(x->state_id, y->state_id);
		ck_assert_uint_eq(x->changed, y->changed);
		ck_assert_uint_eq(x->nreplies, y->nreplies);
		ck_assert_uint_eq(x->iplen, y->iplen);
		ck_assert_uint_eq(x->ttl, y->ttl);
		ck_assert_uint_eq(x->tos, y->tos);
		ck_assert_uint_eq(x->df, y->df);
		ck_assert_uint_eq(x->mss, y->mss);
		ck_assert_mem_eq(&x->before, &y->before, sizeof(x->before));
		ck_assert_mem_eq(&x->after, &y->after, sizeof(x->after));
	}
}

static void
same_engines(const struct side *a, const struct side *b)
{
	void *x, *y;
	size_t n, m;

	ck_assert_int_eq(pfk_engine_save(a->k.e, &x, &n), PFK_OK);
	ck_assert_int_eq(pfk_engine_save(b->k.e, &y, &m), PFK_OK);
	ck_assert_uint_eq(n, m);
	ck_assert_mem_eq(x, y, n);
	pfk_engine_free_data(a->k.e, x, n);
	pfk_engine_free_data(b->k.e, y, m);
}

static void
run_both(struct side *a, struct side *b, uint64_t *time)
{
	unsigned n = 1 + pick(BURST);

	a->seen.n = b->seen.n = 0;
	for (unsigned i = 0; i < n; i++) {
		bool out = pick(2);
		struct kit_packet p = any_packet(out);
		uint16_t ifid = pick(9) ? a->em0 :
		    (uint16_t)pick(5);
		uint8_t dir = pick(50) ? out ? PFK_OUT : PFK_IN : PFK_FWD;
		uint32_t cut = pick(30) ? 0 : pick(9);

		*time += pick(20) ? 1000 : pick(2000000000);
		put_packet(a, i, &p, dir, ifid, cut, *time);
		put_packet(b, i, &p, dir, ifid, cut, *time);
	}
	pfk_engine_run(a->k.e, a->packets, n);
	pfk_engine_run(b->k.e, b->packets, n);
}

static const char *const rulesets[] = {
	"pass flags any\n",
	"set timeout { tcp.established 9, udp.multiple 4, interval 1 }\n"
	"block\npass in on em0 proto { tcp udp } to port 1:3\n"
	"pass in proto tcp to port 4 flags any keep state (sloppy)\n"
	"pass in proto tcp to port 5 flags any modulate state\n"
	"match in proto tcp to port 6 scrub (min-ttl 70 max-mss 500)\n"
	"pass in log (all) proto tcp to port 6 flags any\n"
	"anchor \"a\" {\npass in proto tcp to port 7 flags any\n}\n"
	"pass in proto udp to port 4:8 label udp\n",
	"set state-policy if-bound\nset skip on em1\n"
	"pass on em0 flags any\n"
	"pass in on em0 inet proto tcp to port 2 rdr-to 10.0.0.2 port 3\n"
	"pass in on em0 inet proto udp to port 2 rdr-to 10.0.0.9\n"
	"pass in on em0 proto tcp to port 4 flags any "
	"keep state (max-src-states 2)\n"
	"pass in on em0 proto udp to port 5 max-pkt-rate 3/1\n"
	"pass in on em0 proto tcp to port 6 divert-packet port 700\n"
};

START_TEST(same_as_the_long_way)
{
	static struct side a, b;
	uint64_t time = KIT_START;
	bool sink = _i % 4 != 3;

	seed = (uint64_t)_i + 1;
	open_side(&a, rulesets[_i % 3], true, sink);
	open_side(&b, rulesets[_i % 3], false, sink);
	for (unsigned i = 0; i < 1500; i++) {
		run_both(&a, &b, &time);
		same_decisions(&a, &b);
		if (i % 100 == 0)
			same_engines(&a, &b);
	}
	same_engines(&a, &b);
	if (sink)
		ck_assert_uint_gt(a.seen.hits, 1000);
	kit_close(&a.k);
	kit_close(&b.k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hit");
	TCase *c = tcase_create("hit");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, c);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, same_as_the_long_way, 0, 12);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
