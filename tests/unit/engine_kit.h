/*
 * For tests of the engine: a ruleset from text on a small host, packets made
 * by hand, the last decision kept.  Every function belongs to one test.
 */
#ifndef ENGINE_KIT_H
#define ENGINE_KIT_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/engine.h>

#define KIT_UNUSED	__attribute__((__unused__))
#define KIT_START	1000000000000u		/* ns: time of the first packet */

struct kit {
	struct pfk_image *image;
	struct pfk_engine *e;
	struct pfk_decision d;		/* the last one */
	unsigned ndecisions, nreplies;
	uint8_t	 reply[128];		/* the last one, as far as it fits */
	char debug[2][1400];		/* the last two lines */
	uint64_t now;			/* ns since the start */
};

static int
kit_read(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	(void)path;
	*len = strlen(ctx);
	*text = a->fn(a->ctx, NULL, 0, *len + 1);
	if (*text == NULL)
		return PFK_ERR_NOMEM;
	memcpy(*text, ctx, *len + 1);
	return 0;
}

KIT_UNUSED static struct pfk_image *
kit_image(const char *rules)
{
	struct pfk_host *host = pfk_host_new(NULL);
	char text[32768];
	struct pfk_files files = { kit_read, text };
	struct pfk_compile_options o = { .host = host, .files = &files,
	    .path = "pf.conf" };
	struct pfk_ruleset *rs = NULL;
	struct pfk_image *image = NULL;

	ck_assert(strlen(rules) < sizeof(text));
	strcpy(text, rules);
	ck_assert_int_eq(pfk_compile(&o, &rs), PFK_OK);
	ck_assert_int_eq(pfk_ruleset_image(rs, PFK_LOWER_PLAIN, &image),
	    PFK_OK);
	pfk_ruleset_free(rs);
	pfk_host_free(host);
	return image;
}

static void
kit_decision(void *ctx, const struct pfk_decision *d)
{
	struct kit *k = ctx;

	k->d = *d;
	k->ndecisions++;
	k->nreplies += d->nreplies;
	if (d->nreplies > 0) {
		const struct pfk_reply *r = &d->replies[d->nreplies - 1];

		memcpy(k->reply, r->ip, r->iplen < sizeof(k->reply) ?
		    r->iplen : sizeof(k->reply));
	}
}

static void
kit_debug(void *ctx, int level, const char *text)
{
	struct kit *k = ctx;

	(void)level;
	memcpy(k->debug[0], k->debug[1], sizeof(k->debug[0]));
	strncpy(k->debug[1], text, sizeof(k->debug[1]) - 1);
}

static const struct pfk_ifaddr kit_em0[] = {
	{ .af = 4, .prefixlen = 24, .addr = { 192, 0, 2, 1 } },
};
static const struct pfk_ifaddr kit_em1[] = {
	{ .af = 4, .prefixlen = 24, .addr = { 10, 0, 0, 1 } },
};
static const struct pfk_interface kit_ifs[] = {
	{ .name = "lo0", .flags = PFK_IFF_LOOPBACK },
	{ .name = "em0", .addrs = kit_em0, .naddrs = 1 },
	{ .name = "em1", .addrs = kit_em1, .naddrs = 1 },
};

static int
kit_engine(struct kit *k, const struct pfk_allocator *a)
{
	struct pfk_sink sink = { k, kit_decision, NULL, kit_debug };
	struct pfk_engine_options o = { .image = k->image, .allocator = a,
	    .interfaces = kit_ifs, .ninterfaces = 3, .sink = &sink,
	    .seed = 7, .debug = 7 };

	return pfk_engine_new(&o, &k->e);
}

KIT_UNUSED static void
kit_open(struct kit *k, const char *rules)
{
	memset(k, 0, sizeof(*k));
	k->image = kit_image(rules);
	ck_assert_int_eq(kit_engine(k, NULL), PFK_OK);
	pfk_engine_advance(k->e, KIT_START);
}

KIT_UNUSED static void
kit_close(struct kit *k)
{
	pfk_engine_free(k->e);
	pfk_image_free(k->image);
}

/* ---- packets ---- */

struct kit_packet {
	uint8_t	 b[256];
	uint32_t len;
};

static uint16_t
kit_sum(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (n % 2)
		sum += (uint32_t)p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
kit_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

KIT_UNUSED static void
kit_put32(uint8_t *p, uint32_t v)
{
	kit_put16(p, (uint16_t)(v >> 16));
	kit_put16(p + 2, (uint16_t)v);
}

/* An IPv4 header; addresses as numbers, in host order. */
KIT_UNUSED static struct kit_packet
kit_ip(uint8_t proto, uint32_t src, uint32_t dst, uint32_t plen)
{
	struct kit_packet p = { .len = 20 + plen };

	p.b[0] = 0x45;
	kit_put16(p.b + 2, (uint16_t)p.len);
	p.b[8] = 64;
	p.b[9] = proto;
	kit_put32(p.b + 12, src);
	kit_put32(p.b + 16, dst);
	kit_put16(p.b + 10, kit_sum(p.b, 20, 0));
	return p;
}

KIT_UNUSED static struct kit_packet
kit_udp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
	struct kit_packet p = kit_ip(17, src, dst, 8);

	kit_put16(p.b + 20, sport);
	kit_put16(p.b + 22, dport);
	kit_put16(p.b + 24, 8);
	return p;
}

KIT_UNUSED static struct kit_packet
kit_tcp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
    uint8_t flags, uint32_t seq, uint32_t ack, uint32_t datalen)
{
	struct kit_packet p = kit_ip(6, src, dst, 20 + datalen);
	uint32_t len = 20 + datalen;

	kit_put16(p.b + 20, sport);
	kit_put16(p.b + 22, dport);
	kit_put32(p.b + 24, seq);
	kit_put32(p.b + 28, ack);
	p.b[32] = 0x50;
	p.b[33] = flags;
	kit_put16(p.b + 34, 0xffff);
	kit_put16(p.b + 36, kit_sum(p.b + 12, 8 + len, 6 + len));
	return p;
}

KIT_UNUSED static const struct pfk_decision *
kit_frame(struct kit *k, const char *ifname, enum pfk_dir dir,
    const void *data, uint32_t caplen, uint32_t wirelen, uint16_t linktype)
{
	struct pfk_packet f = { .time = KIT_START + k->now, .data = data,
	    .caplen = caplen, .wirelen = wirelen, .linktype = linktype,
	    .ifid = (uint16_t)pfk_engine_interface(k->e, ifname),
	    .dir = (uint8_t)dir };

	k->ndecisions = k->nreplies = 0;
	pfk_engine_run(k->e, &f, 1);
	ck_assert_uint_ge(k->ndecisions, 1);
	return &k->d;
}

KIT_UNUSED static const struct pfk_decision *
kit_run(struct kit *k, const char *ifname, enum pfk_dir dir,
    struct kit_packet p)
{
	return kit_frame(k, ifname, dir, p.b, p.len, p.len, 101);
}

/* The only state; *n: how many there are. */
static bool
kit_take_state(void *ctx, const struct pfk_state *s)
{
	*(struct pfk_state *)ctx = *s;
	return true;
}

KIT_UNUSED static struct pfk_state
kit_state(struct kit *k, size_t n)
{
	struct pfk_state s = { 0 };

	pfk_engine_states(k->e, kit_take_state, &s);
	ck_assert_uint_eq(pfk_engine_nstates(k->e), n);
	return s;
}

#define KIT_SECONDS(n)	((uint64_t)(n) * 1000000000u)

KIT_UNUSED static int
kit_main(const char *name, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *r;
	int failed;

	tcase_set_timeout(tc, 120);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
