/*
 * The engine as a whole: floods stay within limits, memory may fail anywhere,
 * the same packets give the same answers, and a saved engine goes on.
 */
#include "engine_kit.h"

/* ---- an allocator that counts and fails ---- */

struct meter {
	size_t	now, most;
	long	left;		/* allocations until they fail; < 0: never */
};

static void *
metered(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct meter *m = ctx;
	void *q;

	if (nsize == 0) {
		free(p);
		m->now -= osize;
		return NULL;
	}
	if (m->left == 0)
		return NULL;
	if (m->left > 0)
		m->left--;
	if ((q = realloc(p, nsize)) == NULL)
		return NULL;
	m->now += nsize - osize;
	if (m->now > m->most)
		m->most = m->now;
	return q;
}

/* ---- traffic ---- */

static uint64_t
next(uint64_t *x)
{
	*x = *x * 6364136223846793005u + 1442695040888963407u;
	return *x >> 33;
}

static void
random_packet(struct kit *k, uint64_t *x)
{
	static const uint8_t flags[] = { 2, 0x12, 0x10, 0x18, 0x11, 4 };
	uint32_t src = 0xc0000200u + (uint32_t)next(x) % 8;
	uint32_t dst = 0x0a000000u + (uint32_t)next(x) % 8;
	uint16_t port = (uint16_t)(1 + next(x) % 4);
	bool in = next(x) % 2 == 0;
	struct kit_packet p;

	if (next(x) % 2)
		p = kit_udp(in ? src : dst, port, in ? dst : src, 53);
	else
		p = kit_tcp(in ? src : dst, port, in ? dst : src, 80,
		    flags[next(x) % 6], (uint32_t)next(x) % 3 * 1000,
		    (uint32_t)next(x) % 3 * 1000, (uint32_t)next(x) % 9);
	if (next(x) % 9 == 0) {		/* a fragment */
		p.b[6] = 0x20;
		kit_put16(p.b + 10, 0);
		kit_put16(p.b + 10, kit_sum(p.b, 20, 0));
	}
	kit_run(k, "em0", in ? PFK_IN : next(x) % 2 ? PFK_OUT : PFK_FWD, p);
	k->now += next(x) % 8 * 100000000u;
}

static const char everything[] =
    "set limit { states 30, frags 9, src-nodes 5 }\n"
    "table <bad> persist counters\n"
    "match in scrub (random-id min-ttl 70 max-mss 900 reassemble tcp) "
    "tag T\n"
    "block return log (all)\nblock quick from <bad>\n"
    "pass in proto udp to port 53 keep state (max 9, source-track rule, "
    "max-src-states 3, max-src-nodes 4)\n"
    "pass in proto tcp modulate state (max-src-conn-rate 5/5, "
    "overload <bad> flush global)\n"
    "pass out proto tcp from 10.0.0.0/24 nat-to 192.0.2.77\n"
    "pass out tagged T\npass in proto tcp to port 1 synproxy state\n";

/* ---- tests ---- */

/* Every allocation fails once; what was made before goes on working. */
START_TEST(memory_fails)
{
	struct meter m = { 0, 0, -1 };
	const struct pfk_allocator a = { metered, &m };
	struct pfk_counters c;
	struct kit k = { .image = kit_image(everything) };
	uint64_t x, memory = 0;
	bool made = false;

	for (long n = 0; n < 400; n++) {
		m.left = n;
		x = 1;
		if (kit_engine(&k, &a) != PFK_OK)
			continue;
		made = true;
		for (int i = 0; i < 300; i++)
			random_packet(&k, &x);
		pfk_engine_counters(k.e, &c);
		memory += c.reasons[PFK_REASON_MEMORY];
		m.left = -1;			/* memory is there again */
		ck_assert_int_ge(pfk_engine_interface(k.e, "em7"), 0);
		for (int i = 0; i < 100; i++)
			random_packet(&k, &x);
		pfk_engine_free(k.e);
		ck_assert_uint_eq(m.now, 0);
		k.now = 0;
	}
	ck_assert(made);
	ck_assert_uint_gt(memory, 0);
	pfk_image_free(k.image);
}
END_TEST

/* Sources without end: the limit holds, memory too, answers go on. */
START_TEST(syn_flood)
{
	struct meter m = { 0, 0, -1 };
	const struct pfk_allocator a = { metered, &m };
	struct kit k = { .image = kit_image("set limit states 5000\n"
	    "pass in proto tcp keep state (source-track rule)\n") };
	struct pfk_counters c;
	size_t most = 0;

	ck_assert_int_eq(kit_engine(&k, &a), PFK_OK);
	for (uint32_t i = 0; i < 300000; i++) {
		kit_run(&k, "em0", PFK_IN, kit_tcp(0x0b000000u + i, 1000,
		    0x0a000001, 80, 2, i, 0, 0));
		ck_assert_uint_le(pfk_engine_nstates(k.e), 5000);
		k.now += 1000000;
		if (i == 100000)
			most = m.most;
	}
	ck_assert_uint_eq(m.most, most);
	pfk_engine_counters(k.e, &c);
	ck_assert_uint_gt(c.reasons[PFK_REASON_MEMORY], 0);
	pfk_engine_free(k.e);
	ck_assert_uint_eq(m.now, 0);
	pfk_image_free(k.image);
}
END_TEST

START_TEST(fragment_flood)
{
	struct meter m = { 0, 0, -1 };
	const struct pfk_allocator a = { metered, &m };
	struct kit k = { .image = kit_image("set limit frags 200\npass\n") };
	struct kit_packet p;
	size_t most = 0;

	ck_assert_int_eq(kit_engine(&k, &a), PFK_OK);
	for (uint32_t i = 0; i < 60000; i++) {
		p = kit_udp(0x0b000000u + i, 1, 0x0a000001, 2);
		p.b[6] = 0x20;
		kit_put16(p.b + 10, 0);
		kit_put16(p.b + 10, kit_sum(p.b, 20, 0));
		kit_run(&k, "em0", PFK_IN, p);
		if (i == 20000)
			most = m.most;
	}
	ck_assert_uint_le(m.most, most + most / 8);
	pfk_engine_free(k.e);
	ck_assert_uint_eq(m.now, 0);
	pfk_image_free(k.image);
}
END_TEST

static void *
saved_after(struct kit *k, uint64_t seed, int packets, size_t *len)
{
	void *data;

	for (int i = 0; i < packets; i++)
		random_packet(k, &seed);
	ck_assert_int_eq(pfk_engine_save(k->e, &data, len), PFK_OK);
	return data;
}

START_TEST(same_again)
{
	struct kit a, b;
	size_t na, nb;
	void *da, *db;

	kit_open(&a, everything);
	kit_open(&b, everything);
	da = saved_after(&a, 5, 2000, &na);
	db = saved_after(&b, 5, 2000, &nb);
	ck_assert_uint_eq(na, nb);
	ck_assert_mem_eq(da, db, na);
	/* restored and saved it is the same; and it goes on the same way */
	ck_assert_int_eq(pfk_engine_restore(b.e, da, na, NULL), PFK_OK);
	pfk_engine_free_data(a.e, da, na);
	pfk_engine_free_data(b.e, db, nb);
	da = saved_after(&a, 9, 500, &na);
	db = saved_after(&b, 9, 500, &nb);
	ck_assert_uint_eq(na, nb);
	ck_assert_mem_eq(da, db, na);
	pfk_engine_free_data(a.e, da, na);
	pfk_engine_free_data(b.e, db, nb);
	kit_close(&a);
	kit_close(&b);
}
END_TEST

/* Damaged in any byte, or cut anywhere: refused, and usable afterwards. */
START_TEST(damaged_is_refused)
{
	char error[PFK_IMAGE_ERRLEN];
	struct kit k;
	uint8_t *data;
	uint64_t x = 3;
	size_t n;

	kit_open(&k, everything);
	data = saved_after(&k, 5, 300, &n);
	for (size_t i = 0; i < n; i += 1 + n / 200) {
		data[i] ^= 0x41;
		ck_assert_int_eq(pfk_engine_restore(k.e, data, n, error),
		    PFK_ERR_IMAGE);
		data[i] ^= 0x41;
		ck_assert_int_eq(pfk_engine_restore(k.e, data, i, error),
		    PFK_ERR_IMAGE);
	}
	for (int i = 0; i < 100; i++)
		random_packet(&k, &x);
	pfk_engine_free_data(k.e, data, n);
	kit_close(&k);
}
END_TEST

/* Memory runs out while an intact text is restored: that is what is said. */
START_TEST(restored_without_memory)
{
	struct meter m = { 0, 0, -1 };
	const struct pfk_allocator a = { metered, &m };
	struct kit k, from;
	size_t n;
	long left = 0;
	void *data;
	int result;

	kit_open(&from, everything);
	data = saved_after(&from, 5, 300, &n);
	k.image = kit_image(everything);
	do {
		m.left = -1;
		ck_assert_int_eq(kit_engine(&k, &a), PFK_OK);
		m.left = left++;
		result = pfk_engine_restore(k.e, data, n, NULL);
		ck_assert(result == PFK_OK || result == PFK_ERR_NOMEM);
		pfk_engine_free(k.e);
		ck_assert_uint_eq(m.now, 0);
	} while (result != PFK_OK);
	ck_assert_int_gt(left, 1);
	pfk_engine_free_data(from.e, data, n);
	pfk_image_free(k.image);
	kit_close(&from);
}
END_TEST

START_TEST(killed_states)
{
	const struct pfk_net net = { 4, 24, { 192, 0, 2, 0 } };
	struct kit k;

	kit_open(&k, "pass in proto udp label L\n");
	kit_run(&k, "em0", PFK_IN, kit_udp(0xc0000209, 1, 0x0a000009, 53));
	kit_run(&k, "em0", PFK_IN, kit_udp(0xcb007109, 1, 0x0a000009, 53));
	ck_assert_uint_eq(pfk_engine_kill_states(k.e, &net, NULL, NULL,
	    "other"), 0);
	ck_assert_uint_eq(pfk_engine_kill_states(k.e, &net, NULL, NULL, "L"),
	    1);
	kit_run(&k, "em0", PFK_IN, kit_udp(0xc0000209, 1, 0x0a000009, 53));
	ck_assert_int_eq(k.d.state, PFK_STATE_NEW);
	kit_run(&k, "em0", PFK_IN, kit_udp(0xcb007109, 1, 0x0a000009, 53));
	ck_assert_int_eq(k.d.state, PFK_STATE_MATCH);
	kit_close(&k);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { memory_fails, syn_flood,
	    fragment_flood, same_again, damaged_is_refused,
	    restored_without_memory, killed_states };

	return kit_main("engine", tests, sizeof(tests) / sizeof(*tests));
}
