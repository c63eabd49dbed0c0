/*
 * base/: memory, text, addresses, hashes, places in text, suggestions.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "base/vec.h"

static struct arena arena;
static jmp_buf oom;

static void
setup(void)
{
	arena_init(&arena, NULL, &oom);
}

static void
teardown(void)
{
	arena_free(&arena);
}

START_TEST(arena_gives_zeroed_aligned_memory)
{
	for (size_t size = 1; size < 100000; size = size * 3 + 1) {
		char *p = arena_alloc(&arena, size);

		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			ck_assert_int_eq(p[i], 0);
		memset(p, 0xff, size);
	}
}
END_TEST

START_TEST(arena_zeroes_what_is_given_back)
{
	struct arena_mark mark = arena_mark(&arena);

	for (int i = 0; i < 3; i++) {
		char *small = arena_alloc(&arena, 10);
		char *large = arena_alloc(&arena, 3000000);

		ck_assert_int_eq(small[0] | small[9], 0);
		ck_assert_int_eq(large[0] | large[2999999], 0);
		memset(small, 1, 10);
		memset(large, 1, 3000000);
		arena_release(&arena, mark);
	}
}
END_TEST

START_TEST(arena_keeps_its_limit)
{
	volatile int n = 0;

	arena.limit = 100000;
	if (setjmp(oom) == 0)
		for (;; n++)
			(void)arena_alloc(&arena, 1000);
	ck_assert_int_gt(n, 30);
	ck_assert_int_lt(n, 100);
	ck_assert_uint_le(arena.total, 100000);
}
END_TEST

START_TEST(vectors_grow)
{
	VEC(int) v = { NULL, 0, 0 };

	for (int i = 0; i < 1000; i++)
		vec_push(&arena, &v, i);
	*vec_add(&arena, &v) = 1000;
	ck_assert_uint_eq(v.n, 1001);
	for (int i = 0; i <= 1000; i++)
		ck_assert_int_eq(v.v[i], i);
}
END_TEST

START_TEST(text_grows)
{
	struct strbuf sb;

	strbuf_init(&sb, &arena);
	ck_assert_str_eq(strbuf_str(&sb), "");
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&sb, "%d,", i % 10);
	strbuf_puts(&sb, "end");
	strbuf_putc(&sb, '.');
	ck_assert_uint_eq(sb.len, 2004);
	ck_assert_str_eq(sb.s + 1996, "8,9,end.");
}
END_TEST

static void
net4(const char *text, const char *want, unsigned want_bits)
{
	struct pfk_addr a;
	char buf[PFK_ADDRSTRLEN];
	unsigned bits = 99;
	bool ok = addr_parse_net4(text, &a, &bits);

	ck_assert_msg(ok == (want != NULL), "%s", text);
	if (!ok)
		return;
	ck_assert_str_eq(addr_format(&a, PFK_AF_INET, buf), want);
	ck_assert_uint_eq(bits, want_bits);
}

START_TEST(short_networks)
{
	net4("10/8", "10.0.0.0", 8);
	net4("10.1/16", "10.1.0.0", 16);
	net4("10.1.2.3", "10.1.2.3", 32);
	net4("10", "10.0.0.0", 8);
	net4("172.16", "172.16.0.0", 16);
	net4("192.168.1", "192.168.1.0", 24);
	net4("0/0", "0.0.0.0", 0);
	net4("10.1.2.3/33", NULL, 0);
	net4("256.1", NULL, 0);
	net4("10.", NULL, 0);
	net4("10.1.2.3.4", NULL, 0);
	net4("10/8x", NULL, 0);
	net4("", NULL, 0);
	net4("-1", NULL, 0);
}
END_TEST

START_TEST(masks)
{
	struct pfk_addr m, a, b;

	for (unsigned bits = 0; bits <= 128; bits++) {
		addr_prefix_mask(&m, bits);
		ck_assert_uint_eq(addr_mask_bits(&m), bits);
		ck_assert(addr_mask_contiguous(&m, PFK_AF_INET6));
	}
	addr_prefix_mask(&m, 12);
	m.b[3] = 1;
	ck_assert(!addr_mask_contiguous(&m, PFK_AF_INET));
	ck_assert(addr_parse("10.1.2.3", PFK_AF_INET, &a));
	ck_assert(addr_parse("10.1.255.3", PFK_AF_INET, &b));
	addr_prefix_mask(&m, 16);
	ck_assert(addr_match_mask(&a, &m, &b, PFK_AF_INET));
	addr_prefix_mask(&m, 17);
	ck_assert(!addr_match_mask(&a, &m, &b, PFK_AF_INET));
	ck_assert_int_lt(addr_cmp(&a, &b, PFK_AF_INET), 0);
}
END_TEST

/* The vectors of the paper: key 00..0f, input 00, 00 01, ... */
START_TEST(siphash_as_published)
{
	struct siphash_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint8_t in[15];

	for (uint8_t i = 0; i < sizeof(in); i++)
		in[i] = i;
	ck_assert(siphash24(&key, in, 15) == 0xa129ca6149be45e5);
	ck_assert(siphash24(&key, in, 0) == 0x726fdb47dd0e0e31);
	ck_assert(siphash13(&key, in, 15) != siphash24(&key, in, 15));
}
END_TEST

START_TEST(crc_as_published)
{
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c(crc32c(0, "1234", 4), "56789", 5),
	    0xe3069283);
	ck_assert_uint_eq(hash_fnv1a("a", 1), 0xe40c292c);
}
END_TEST

START_TEST(places_in_text)
{
	static const char text[] = "one\ntwo\n\nfour";
	struct source_map map;
	struct position p;
	uint32_t file, len;

	source_map_init(&map, &arena);
	file = source_add(&map, "pf.conf", text, sizeof(text) - 1,
	    (struct span){ 0, 0, 0 });
	ck_assert_uint_gt(file, 0);
	p = source_position(&map, file, 0);
	ck_assert(p.line == 1 && p.column == 1);
	p = source_position(&map, file, 5);
	ck_assert(p.line == 2 && p.column == 2);
	p = source_position(&map, file, 13);
	ck_assert(p.line == 4 && p.column == 5);
	ck_assert(strncmp(source_line(&map, file, 2, &len), "two", 3) == 0);
	ck_assert_uint_eq(len, 3);
	(void)source_line(&map, file, 3, &len);
	ck_assert_uint_eq(len, 0);
	(void)source_line(&map, file, 4, &len);
	ck_assert_uint_eq(len, 4);
}
END_TEST

START_TEST(suggestions)
{
	static const char *const words[] = { "keep", "state", "modulate",
	    "synproxy", NULL };

	ck_assert_str_eq(suggest("kep", words), "keep");
	ck_assert_str_eq(suggest("sate", words), "state");
	ck_assert_str_eq(suggest("synporxy", words), "synproxy");
	ck_assert_ptr_null(suggest("flags", words));
	ck_assert_ptr_null(suggest("", words));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base");
	TCase *tc = tcase_create("all");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, arena_gives_zeroed_aligned_memory);
	tcase_add_test(tc, arena_zeroes_what_is_given_back);
	tcase_add_test(tc, arena_keeps_its_limit);
	tcase_add_test(tc, vectors_grow);
	tcase_add_test(tc, text_grows);
	tcase_add_test(tc, short_networks);
	tcase_add_test(tc, masks);
	tcase_add_test(tc, siphash_as_published);
	tcase_add_test(tc, crc_as_published);
	tcase_add_test(tc, places_in_text);
	tcase_add_test(tc, suggestions);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
