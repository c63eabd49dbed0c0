/*
 * Reading captures: what the golden cases' captures do not have.  Files are
 * built here word by word, in both byte orders.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/engine.h>

#include "tools/pfkit/replay/capture.h"

#define S	UINT64_C(1000000000)

extern const char program_name[];
const char program_name[] = "test_capture";

struct file {
	uint8_t	 b[1 << 16];
	size_t	 len;
	bool	 big;			/* byte order */
};

static struct file f;

static void
put(unsigned bytes, uint64_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		f.b[f.len++] = (uint8_t)(v >> 8 * (f.big ? bytes - 1 - i : i));
}

static void
begin(bool big)
{
	memset(&f, 0, sizeof(f));
	f.big = big;
}

/* A block of pcapng: its body is written between these. */
static size_t
open_block(uint32_t type)
{
	size_t at = f.len;

	put(4, type);
	put(4, 0);
	return at;
}

static void
close_block(size_t at)
{
	size_t end;

	while (f.len % 4 != 0)
		put(1, 0);
	end = f.len + 4;
	f.len = at + 4;
	put(4, end - at);
	f.len = end - 4;
	put(4, end - at);
}

static void
option(unsigned code, unsigned len, const void *value)
{
	put(2, code);
	put(2, len);
	memcpy(f.b + f.len, value, len);
	f.len += (len + 3) / 4 * 4;
}

static void
section(void)
{
	size_t at = open_block(0x0a0d0d0a);

	put(4, 0x1a2b3c4d);
	put(2, 1);
	put(2, 0);
	put(8, UINT64_MAX);
	close_block(at);
}

/* resolution 0: not told */
static void
interface(unsigned link, const char *name, unsigned resolution,
    int64_t offset)
{
	size_t at = open_block(1);
	uint8_t b = (uint8_t)resolution, o[8];

	put(2, link);
	put(2, 0);
	put(4, 100);			/* snaplen */
	if (name != NULL)
		option(2, (unsigned)strlen(name), name);
	if (resolution != 0)
		option(9, 1, &b);
	if (offset != 0) {
		size_t keep = f.len;

		put(8, (uint64_t)offset);
		f.len = keep;
		memcpy(o, f.b + keep, sizeof(o));
		option(14, 8, o);
	}
	option(0, 0, "");
	close_block(at);
}

/* flags 0: not told */
static void
packet(uint32_t ifn, uint64_t units, const char *data, uint32_t wirelen,
    uint32_t flags)
{
	size_t at = open_block(6);
	uint32_t len = (uint32_t)strlen(data);

	put(4, ifn);
	put(4, units >> 32);
	put(4, units & UINT32_MAX);
	put(4, len);
	put(4, wirelen);
	memcpy(f.b + f.len, data, len);
	f.len += (len + 3) / 4 * 4;
	if (flags != 0) {
		put(2, 2);
		put(2, 4);
		put(4, flags);
		put(4, 0);
	}
	close_block(at);
}

static struct capture *
open_file(void)
{
	char error[CAPTURE_ERRLEN];
	struct stream *s = stream_memory(f.b, f.len, error);
	struct capture *c;

	ck_assert_ptr_nonnull(s);
	c = capture_open(s, error);
	ck_assert_msg(c != NULL, "%s", error);
	return c;
}

static struct record
next(struct capture *c)
{
	struct record r;

	ck_assert_msg(capture_next(c, true, &r) == CAPTURE_PACKET, "%s",
	    capture_error(c));
	return r;
}

static void
expect_end(struct capture *c)
{
	struct record r;

	ck_assert_msg(capture_next(c, true, &r) == CAPTURE_END, "%s",
	    capture_error(c));
	capture_close(c);
}

static void
expect_error(const char *text)
{
	struct capture *c = open_file();
	struct record r;
	enum capture_result result;

	do {
		result = capture_next(c, true, &r);
	} while (result == CAPTURE_PACKET);
	ck_assert_int_eq(result, CAPTURE_ERROR);
	ck_assert_msg(strstr(capture_error(c), text) != NULL, "%s",
	    capture_error(c));
	capture_close(c);
}

START_TEST(names_and_directions)
{
	struct capture *c;
	struct record r;

	begin(_i);
	section();
	interface(1, "lan", 0, 0);
	interface(101, NULL, 0, 0);
	packet(0, 1500000, "one", 60, 1);
	packet(1, 2500000, "second", 6, 2);
	packet(0, 3000000, "", 0, 0);
	c = open_file();
	r = next(c);
	ck_assert_uint_eq(r.time, S + S / 2);
	ck_assert_uint_eq(r.caplen, 3);
	ck_assert_uint_eq(r.wirelen, 60);
	ck_assert_uint_eq(r.linktype, 1);
	ck_assert_uint_eq(r.dir, PFK_IN);
	ck_assert_mem_eq(r.data, "one", 3);
	ck_assert_str_eq(capture_ifname(c, r.interface), "lan");
	r = next(c);
	ck_assert_uint_eq(r.linktype, 101);
	ck_assert_uint_eq(r.dir, PFK_OUT);
	ck_assert_ptr_null(capture_ifname(c, r.interface));
	r = next(c);
	ck_assert_uint_eq(r.dir, 0);
	ck_assert_uint_eq(r.caplen, 0);
	expect_end(c);
}
END_TEST

START_TEST(clocks)
{
	struct capture *c;

	begin(_i);
	section();
	interface(1, NULL, 9, 0);		/* ns */
	interface(1, NULL, 0x80 | 10, 0);	/* 1/1024 s */
	interface(1, NULL, 3, 1000);		/* ms, from 1000 s on */
	interface(1, NULL, 12, 0);		/* ps */
	packet(0, 7, "x", 1, 0);
	packet(1, 1024 + 512, "x", 1, 0);
	packet(2, 2500, "x", 1, 0);
	packet(3, UINT64_C(5000000000000), "x", 1, 0);
	c = open_file();
	ck_assert_uint_eq(next(c).time, 7);
	ck_assert_uint_eq(next(c).time, S + S / 2);
	ck_assert_uint_eq(next(c).time, 1002 * S + S / 2);
	ck_assert_uint_eq(next(c).time, 5 * S);
	expect_end(c);
}
END_TEST

/* Each section has interfaces of its own, and a byte order. */
START_TEST(sections)
{
	struct capture *c;
	struct record a, b;

	begin(false);
	section();
	interface(1, "first", 0, 0);
	packet(0, 1, "x", 1, 0);
	f.big = true;
	section();
	interface(101, "second", 0, 0);
	packet(0, 2, "y", 1, 0);
	c = open_file();
	a = next(c);
	b = next(c);
	ck_assert_str_eq(capture_ifname(c, a.interface), "first");
	ck_assert_str_eq(capture_ifname(c, b.interface), "second");
	ck_assert_uint_eq(b.linktype, 101);
	ck_assert_uint_eq(b.time, 2000);
	expect_end(c);
}
END_TEST

START_TEST(simple_and_unknown_blocks)
{
	struct capture *c;
	struct record r;
	size_t at;

	begin(_i);
	section();
	interface(1, NULL, 0, 0);
	packet(0, 9, "x", 1, 0);
	at = open_block(5);			/* statistics */
	put(4, 0);
	close_block(at);
	at = open_block(3);			/* a simple packet */
	put(4, 4);
	put(4, 0x41414141);
	close_block(at);
	c = open_file();
	next(c);
	r = next(c);
	ck_assert_uint_eq(r.time, 9000);	/* that of the one before */
	ck_assert_uint_eq(r.caplen, 4);
	ck_assert_mem_eq(r.data, "AAAA", 4);
	expect_end(c);
}
END_TEST

START_TEST(wrong_files)
{
	begin(false);
	section();
	packet(0, 1, "x", 1, 0);
	expect_error("not described");

	begin(false);
	section();
	interface(1, NULL, 0, 0);
	packet(0, 1, "x", 1, 0);
	f.len -= 4;
	expect_error("ends within");

	begin(false);
	section();
	put(4, 6);
	put(4, 13);			/* not a multiple of 4 */
	put(4, 0);
	expect_error("cannot be");

	begin(true);
	put(4, 0xa1b2c3d4);
	put(4, 0x00020004);
	put(8, 0);
	put(4, 65535);
	put(4, 1);
	put(8, 0);
	put(4, 0x7fffffff);
	put(4, 1);
	expect_error("cannot be");
}
END_TEST

/* What was lent stays where it is until it may move. */
START_TEST(bursts)
{
	static struct record r[64];
	enum capture_result result = CAPTURE_PACKET;
	char text[1025];
	struct capture *c;
	size_t n = 0, all = 0;

	begin(false);
	section();
	interface(1, NULL, 0, 0);
	memset(text, 'q', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 50; i++)
		packet(0, 1, text, 1024, 0);
	c = open_file();
	while (result != CAPTURE_END) {
		result = capture_next(c, false, &r[n]);
		ck_assert_int_ne(result, CAPTURE_ERROR);
		n += result == CAPTURE_PACKET;
		if (result == CAPTURE_PACKET)
			continue;
		for (size_t i = 0; i < n; i++)
			ck_assert_mem_eq(r[i].data, text, 1024);
		all += n;
		n = 0;
		if (result == CAPTURE_FULL)
			n = capture_next(c, true, &r[0]) == CAPTURE_PACKET;
	}
	ck_assert_uint_eq(all, 50);
	capture_close(c);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("capture");
	TCase *tc = tcase_create("files");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, names_and_directions, 0, 2);
	tcase_add_loop_test(tc, clocks, 0, 2);
	tcase_add_test(tc, sections);
	tcase_add_loop_test(tc, simple_and_unknown_blocks, 0, 2);
	tcase_add_test(tc, wrong_files);
	tcase_add_test(tc, bursts);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
