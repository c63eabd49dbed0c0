/*
 * An engine under attack, and one without memory.
 *
 * Floods: sources without end, fragments without end, more tracked sources
 * than allowed.  Memory stays within what the limits allow (measured by the
 * allocator), and a packet of somebody else still gets its decision.
 * FLOOD=N in the environment sets the number of packets.
 *
 * Memory: each allocation after the start fails once; the packet is dropped
 * with pf's reason `memory` or decided as usual, and the engine goes on.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/compile.h>
#include <pfkit/engine.h>

struct memory {
	size_t	 left;			/* allocations that succeed */
	size_t	 live, now, peak;	/* blocks; bytes */
	unsigned failed;
};

struct fixture {
	struct memory	 mem;
	struct pfk_allocator alloc;
	struct pfk_host	*host;
	struct pfk_image *image;
	struct pfk_engine *e;
	struct pfk_decision last;
	uint64_t	 now, number;
};

static void *
counted(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct memory *m = ctx;
	void *q;

	if (nsize == 0) {
		m->live -= p != NULL;
		m->now -= p != NULL ? osize : 0;
		free(p);
		return NULL;
	}
	if (m->left == 0) {
		m->failed++;
		return NULL;
	}
	m->left--;
	if ((q = realloc(p, nsize)) == NULL)
		return NULL;
	m->live += p == NULL;
	m->now += nsize - (p != NULL ? osize : 0);
	if (m->now > m->peak)
		m->peak = m->now;
	return q;
}

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	(void)path;
	*len = strlen(ctx);
	*text = a->fn(a->ctx, NULL, 0, *len + 1);
	if (*text == NULL)
		return 12;
	memcpy(*text, ctx, *len + 1);
	return 0;
}

static void
decided(void *ctx, const struct pfk_decision *d)
{
	struct fixture *f = ctx;

	f->last = *d;
}

static bool
start_engine(struct fixture *f)
{
	struct pfk_sink sink = { .ctx = f, .decision = decided };
	struct pfk_engine_options o = {
		.image = f->image, .allocator = &f->alloc, .sink = &sink,
		.seed = 1, .debug = -1
	};

	o.interfaces = pfk_host_interfaces(f->host, &o.ninterfaces);
	return pfk_engine_new(&o, &f->e) == PFK_OK;
}

static void
start(struct fixture *f, const char *rules)
{
	struct pfk_files files = { read_text, NULL };
	struct pfk_compile_options o = { .files = &files, .path = "pf.conf" };
	struct pfk_ruleset *rs = NULL;
	char error[PFK_HOST_ERRLEN], text[1024];

	memset(f, 0, sizeof(*f));
	f->mem.left = SIZE_MAX;
	f->alloc = (struct pfk_allocator){ counted, &f->mem };
	f->now = UINT64_C(1700000000000000000);
	f->host = pfk_host_new(NULL);
	ck_assert_ptr_nonnull(f->host);
	ck_assert_int_eq(pfk_host_load_dir(f->host, "tests/golden/host",
	    error), 0);
	strcpy(text, rules);
	files.ctx = text;
	o.host = f->host;
	ck_assert_int_eq(pfk_compile(&o, &rs), PFK_OK);
	ck_assert_int_eq(pfk_ruleset_image(rs, PFK_LOWER_AUTO, &f->image),
	    PFK_OK);
	pfk_ruleset_free(rs);
}

static void
finish(struct fixture *f)
{
	pfk_engine_free(f->e);
	ck_assert_uint_eq(f->mem.live, 0);
	pfk_image_free(f->image);
	pfk_host_free(f->host);
}

/* Packets: IPv4, 20 bytes of header, then what follows. */

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static size_t
ip4(uint8_t *b, uint8_t proto, uint32_t src, unsigned id, unsigned off,
    size_t payload)
{
	uint32_t sum = 0;

	memset(b, 0, 20 + payload);
	b[0] = 0x45;
	put16(b + 2, 20 + (unsigned)payload);
	put16(b + 4, id);
	put16(b + 6, off);
	b[8] = 64;
	b[9] = proto;
	put32(b + 12, src);
	put32(b + 16, 0xc0000202);	/* 192.0.2.2 */
	for (size_t i = 0; i < 20; i += 2)
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(b + 10, ~(sum + (sum >> 16)) & 0xffff);
	return 20 + payload;
}

static void
send_bytes(struct fixture *f, const uint8_t *b, size_t len)
{
	struct pfk_packet p = {
		.time = f->now += 1000, .data = b, .caplen = (uint32_t)len,
		.wirelen = (uint32_t)len, .linktype = 101, .dir = PFK_IN,
		.number = ++f->number
	};

	p.ifid = (uint16_t)pfk_engine_interface(f->e, "em0");
	pfk_engine_run(f->e, &p, 1);
}

static void
send_syn(struct fixture *f, uint32_t src, unsigned sport, unsigned dport)
{
	uint8_t b[64];
	size_t len = ip4(b, 6, src, 0, 0, 20);

	put16(b + 20, sport);
	put16(b + 22, dport);
	put32(b + 24, 1);
	put16(b + 32, 0x5002);
	put16(b + 34, 1000);
	send_bytes(f, b, len);
}

static void
send_udp(struct fixture *f, uint32_t src, unsigned sport)
{
	uint8_t b[64];
	size_t len = ip4(b, 17, src, 0, 0, 16);

	put16(b + 20, sport);
	put16(b + 22, 53);
	put16(b + 24, 16);
	send_bytes(f, b, len);
}

static void
send_fragment(struct fixture *f, uint32_t src, unsigned id, unsigned off)
{
	uint8_t b[64];

	send_bytes(f, b, ip4(b, 17, src, id, 0x2000 | off, 16));
}

static uint32_t
flood_size(void)
{
	const char *s = getenv("FLOOD");

	return s == NULL ? 300000 : (uint32_t)strtoul(s, NULL, 10);
}

/* 11.0.0.0 and on: addresses in no order. */
static uint32_t
source(uint32_t i)
{
	return 0x0b000000U + i * 2654435761U % 0x60000000U;
}

START_TEST(syn_flood)
{
	struct fixture f;
	uint32_t n = flood_size();
	size_t early = 0;

	start(&f, "set limit states 10000\npass\n");
	ck_assert(start_engine(&f));
	for (uint32_t i = 0; i < n; i++) {
		send_syn(&f, source(i), 1024 + i % 60000, 80);
		if (i == n / 4)
			early = f.mem.peak;
	}
	ck_assert_uint_le(pfk_engine_nstates(f.e), 10000);
	ck_assert_uint_eq(f.last.verdict, PFK_DROP);
	ck_assert_uint_eq(f.last.reason, PFK_REASON_MEMORY);
	ck_assert_uint_eq(f.mem.peak, early);
	ck_assert_uint_lt(f.mem.peak, 32 << 20);
	/* when the flood's states have gone, everybody is let in again */
	f.now += UINT64_C(1000000000) * 3600;
	send_udp(&f, 0xcb007109, 1);
	ck_assert_uint_eq(f.last.verdict, PFK_PASS);
	finish(&f);
}
END_TEST

START_TEST(fragment_flood)
{
	struct fixture f;
	uint32_t n = flood_size();
	size_t early = 0;
	struct pfk_counters c;

	start(&f, "set limit frags 1000\npass\n");
	ck_assert(start_engine(&f));
	for (uint32_t i = 0; i < n; i++) {
		send_fragment(&f, source(i), i & 0xffff, i & 7);
		if (i == n / 4)
			early = f.mem.peak;
	}
	pfk_engine_counters(f.e, &c);
	ck_assert_uint_le(c.fragments, 1000);
	ck_assert_uint_eq(f.mem.peak, early);
	send_udp(&f, 0xcb007109, 1);
	ck_assert_uint_eq(f.last.verdict, PFK_PASS);
	finish(&f);
}
END_TEST

START_TEST(source_nodes)
{
	struct fixture f;
	uint32_t n = flood_size() / 3;
	size_t early = 0;
	struct pfk_counters c;

	start(&f, "set limit { src-nodes 1000, states 5000 }\n"
	    "pass proto tcp keep state (source-track rule)\n"
	    "pass proto udp\n");
	ck_assert(start_engine(&f));
	for (uint32_t i = 0; i < n; i++) {
		send_syn(&f, source(i), 5, 80);
		if (i == n / 4)
			early = f.mem.peak;
	}
	pfk_engine_counters(f.e, &c);
	ck_assert_uint_le(c.src_nodes, 1000);
	ck_assert_uint_eq(f.last.reason, PFK_REASON_SRCLIMIT);
	ck_assert_uint_eq(f.mem.peak, early);
	send_udp(&f, 0xcb007109, 1);
	ck_assert_uint_eq(f.last.verdict, PFK_PASS);
	finish(&f);
}
END_TEST

static const char all_kinds[] =
    "table <bad> persist\n"
    "pass in proto tcp to port 80 rdr-to { 10.0.0.3 10.0.0.4 } "
    "round-robin sticky-address\n"
    "pass in proto tcp to port 81 keep state (source-track rule, "
    "max-src-states 2, max-src-conn-rate 1/5, overload <bad> flush)\n"
    "match in scrub (reassemble tcp)\n"
    "pass in proto udp\n";

/* Traffic for which the engine allocates whatever it ever does. */
static void
some_traffic(struct fixture *f)
{
	for (uint32_t i = 0; i < 20; i++) {
		send_syn(f, source(i), 1000, 80);
		send_syn(f, source(i & 1), 1000 + i, 81);
		send_udp(f, source(i), 2000);
		send_fragment(f, source(i / 2), i / 2, i & 1 ? 0 : 2);
	}
}

START_TEST(each_allocation_of_an_engine)
{
	struct fixture f;

	start(&f, all_kinds);
	for (size_t n = 0; ; n++) {
		bool ok;

		f.e = NULL;
		f.mem.left = n;
		ok = start_engine(&f);
		f.mem.left = SIZE_MAX;
		pfk_engine_free(f.e);
		ck_assert_uint_eq(f.mem.live, 0);
		if (ok)
			break;
		ck_assert_uint_gt(f.mem.failed, 0);
		ck_assert_ptr_null(f.e);
	}
	f.e = NULL;
	finish(&f);
}
END_TEST

START_TEST(each_allocation_of_a_packet)
{
	struct fixture f;
	unsigned before = 1;

	start(&f, all_kinds);
	for (size_t n = 0; f.mem.failed != before; n++) {
		before = f.mem.failed;
		ck_assert(start_engine(&f));
		f.mem.left = n;
		some_traffic(&f);
		f.mem.left = SIZE_MAX;
		send_udp(&f, 0xcb007109, 7);
		ck_assert_uint_eq(f.last.verdict, PFK_PASS);
		pfk_engine_free(f.e);
		ck_assert_uint_eq(f.mem.live, 0);
	}
	f.e = NULL;
	finish(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("flood");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, syn_flood);
	tcase_add_test(tc, fragment_flood);
	tcase_add_test(tc, source_nodes);
	tcase_add_test(tc, each_allocation_of_an_engine);
	tcase_add_test(tc, each_allocation_of_a_packet);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
