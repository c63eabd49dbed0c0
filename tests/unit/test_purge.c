/*
 * The clock: when states end, how much a sweep looks at, and that a long sleep
 * comes to the same as all its seconds one by one.
 */
#include "engine_kit.h"

static void
open_state(struct kit *k, uint16_t port)
{
	kit_run(k, "em0", PFK_IN, kit_udp(0xc0000209, port, 0x0a000009, 53));
}

static void
advance(struct kit *k, unsigned seconds)
{
	k->now = KIT_SECONDS(seconds);
	pfk_engine_advance(k->e, KIT_START + k->now);
}

START_TEST(ends_in_its_second)
{
	struct kit k;

	kit_open(&k, "set timeout udp.first 5\npass in proto udp\n");
	open_state(&k, 1);
	advance(&k, 4);
	ck_assert_uint_eq(pfk_engine_nstates(k.e), 1);
	ck_assert_uint_eq(kit_state(&k, 1).expires, 1);
	advance(&k, 5);
	ck_assert_uint_eq(pfk_engine_nstates(k.e), 0);
	kit_close(&k);
}
END_TEST

/* 200 states: 64 are looked at in a second, at the list's end it stops. */
START_TEST(sweeps_a_part)
{
	struct kit k;
	static const size_t left[] = { 200, 136, 72, 8, 0 };

	kit_open(&k, "set timeout { udp.first 1, interval 10 }\n"
	    "pass in proto udp\n");
	for (uint16_t i = 0; i < 200; i++)
		open_state(&k, (uint16_t)(i + 1));
	for (unsigned i = 0; i < 5; i++) {
		advance(&k, i);
		ck_assert_uint_eq(pfk_engine_nstates(k.e), left[i]);
	}
	kit_close(&k);
}
END_TEST

START_TEST(adaptive)
{
	struct kit k;

	kit_open(&k, "set timeout { adaptive.start 2, adaptive.end 6, "
	    "udp.first 100 }\npass in proto udp\n");
	for (uint16_t i = 1; i <= 4; i++)
		open_state(&k, i);
	ck_assert_uint_eq(kit_state(&k, 4).expires, 50);
	for (uint16_t i = 5; i <= 6; i++)
		open_state(&k, i);
	ck_assert_uint_eq(kit_state(&k, 6).expires, 0);
	kit_close(&k);
}
END_TEST

static uint64_t
next(uint64_t *x)
{
	return *x = *x * 6364136223846793005u + 1442695040888963407u;
}

/* Traffic with holes of up to an hour; `steps`: every second is told. */
static void
sleepy(struct kit *k, uint64_t seed, bool steps)
{
	uint64_t x = seed, to;

	for (int i = 0; i < 60; i++) {
		for (uint64_t n = next(&x) >> 57; n > 0; n--)
			open_state(k, (uint16_t)(next(&x) >> 48));
		to = k->now + KIT_SECONDS(next(&x) >> (i % 3 ? 60 : 52));
		for (; steps && k->now < to; k->now += KIT_SECONDS(1))
			pfk_engine_advance(k->e, KIT_START + k->now);
		k->now = to;
	}
	pfk_engine_advance(k->e, KIT_START + k->now);
}

START_TEST(sleeping_is_waiting)
{
	static const char rules[] = "set timeout { udp.first 300, "
	    "udp.single 2000, interval 7 }\npass in proto udp\n";
	struct kit a, b;
	void *sa, *sb;
	size_t na, nb;

	for (uint64_t seed = 1; seed < 6; seed++) {
		kit_open(&a, rules);
		kit_open(&b, rules);
		sleepy(&a, seed, false);
		sleepy(&b, seed, true);
		ck_assert_int_eq(pfk_engine_save(a.e, &sa, &na), PFK_OK);
		ck_assert_int_eq(pfk_engine_save(b.e, &sb, &nb), PFK_OK);
		ck_assert_uint_eq(na, nb);
		ck_assert_mem_eq(sa, sb, na);
		pfk_engine_free_data(a.e, sa, na);
		pfk_engine_free_data(b.e, sb, nb);
		kit_close(&a);
		kit_close(&b);
	}
}
END_TEST

/* A capture whose clock jumps by centuries does not keep us busy. */
START_TEST(centuries)
{
	struct kit k;

	kit_open(&k, "set timeout udp.first 2000000000\npass in proto udp\n");
	for (uint16_t i = 1; i < 300; i++)
		open_state(&k, i);
	pfk_engine_advance(k.e, UINT64_MAX);
	ck_assert_uint_eq(pfk_engine_nstates(k.e), 0);
	kit_close(&k);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { ends_in_its_second,
	    sweeps_a_part, adaptive, sleeping_is_waiting, centuries };

	return kit_main("purge", tests, sizeof(tests) / sizeof(*tests));
}
