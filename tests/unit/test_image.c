/*
 * Images: what is written is what is read, the same twice, and nothing that
 * was changed on the way is believed without being looked at.
 */
#include <check.h>
#include <unistd.h>

#include "base/hash.h"
#include "flat_rules.h"
#include "runtime/bytecode.h"

START_TEST(same_bytes)
{
	struct flat f, g;
	struct pfk_image *a, *b;
	const void *x, *y;
	size_t nx, ny;

	flat_init(&f, (uint64_t)_i);
	flat_init(&g, (uint64_t)_i);
	flat_random(&f, 20);
	flat_random(&g, 20);
	a = flat_image(&f);
	b = flat_image(&g);
	x = pfk_image_bytes(a, &nx);
	y = pfk_image_bytes(b, &ny);
	ck_assert_uint_eq(nx, ny);
	ck_assert_int_eq(memcmp(x, y, nx), 0);
	pfk_image_free(a);
	pfk_image_free(b);
	flat_free(&f);
	flat_free(&g);
}
END_TEST

START_TEST(file_round_trip)
{
	char path[] = "/tmp/pfkit-image-XXXXXX", err[PFK_IMAGE_ERRLEN];
	struct flat f;
	struct pfk_image *im, *again;
	const void *x, *y;
	size_t nx, ny;
	int fd = mkstemp(path);

	flat_init(&f, 7);
	flat_random(&f, 30);
	im = flat_image(&f);
	flat_free(&f);			/* the image needs no ruleset */
	x = pfk_image_bytes(im, &nx);
	ck_assert_int_eq(write(fd, x, nx), (ssize_t)nx);
	ck_assert_int_eq(pfk_image_open(path, NULL, &again, err), PFK_OK);
	y = pfk_image_bytes(again, &ny);
	ck_assert_uint_eq(nx, ny);
	ck_assert_int_eq(memcmp(x, y, nx), 0);
	ck_assert_uint_eq(pfk_image_rules(again), pfk_image_rules(im));
	pfk_image_free(again);
	ck_assert_int_eq(ftruncate(fd, (off_t)nx - 8), 0);
	ck_assert_int_eq(pfk_image_open(path, NULL, &again, err),
	    PFK_ERR_IMAGE);
	ck_assert_int_eq(pfk_image_open("/nowhere/x", NULL, &again, err),
	    PFK_ERR_IO);
	(void)close(fd);
	(void)unlink(path);
	pfk_image_free(im);
}
END_TEST

START_TEST(rule_text)
{
	struct flat f;
	struct pfk_image *im;
	struct pfk_rule_info info;
	struct anchor *sub;
	struct rule r;
	char *text;
	size_t len;

	flat_init(&f, 1);
	rule_init(&r);
	r.action = RULE_BLOCK;
	(void)flat_add(&f, &f.root, &r);
	sub = flat_anchor(&f, &f.root, "a");
	r.anchor.call = "a";
	r.anchor.body = sub;
	r.action = RULE_PASS;
	(void)flat_add(&f, &f.root, &r);
	rule_init(&r);
	r.quick = 1;
	r.label = "x";
	(void)flat_add(&f, sub, &r);
	im = flat_image(&f);
	ck_assert_uint_eq(pfk_image_rules(im), 3);
	pfk_image_rule(im, 0, &info);
	ck_assert_str_eq(info.text, "block drop all");
	ck_assert(!info.opens_anchor);
	pfk_image_rule(im, 1, &info);
	ck_assert(info.opens_anchor);
	ck_assert_str_eq(info.body, "a");
	pfk_image_rule(im, 2, &info);
	ck_assert_str_eq(info.anchor, "a");
	ck_assert_uint_eq(info.nr, 0);
	ck_assert_str_eq(info.label, "x");
	text = pfk_image_disassemble(im, &len);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, "call     a"));
	ck_assert_ptr_nonnull(strstr(text, "; anchor \"a\": 1 rules"));
	pfk_image_free_text(im, text);
	pfk_image_free(im);
	flat_free(&f);
}
END_TEST

/* A copy with one thing changed and a checksum that is right again. */
static int
load_changed(const struct pfk_image *im, size_t off, uint8_t value,
    struct pfk_image **out, char *err)
{
	size_t len;
	const void *bytes = pfk_image_bytes(im, &len);
	uint8_t *copy = malloc(len);
	uint32_t crc;
	int error;

	memcpy(copy, bytes, len);
	copy[off] = value;
	crc = crc32c(0, copy + sizeof(struct img_header),
	    len - sizeof(struct img_header));
	memcpy(copy + offsetof(struct img_header, crc), &crc, sizeof(crc));
	error = pfk_image_load(copy, len, NULL, out, err);
	free(copy);
	return error;
}

/*
 * Any byte may be anything: the image is refused with a message, or what is
 * left of it can be read whole.
 */
START_TEST(damaged)
{
	char err[PFK_IMAGE_ERRLEN];
	struct flat f;
	struct pfk_image *im, *bad;
	size_t len, refused = 0, tried = 0;

	flat_init(&f, (uint64_t)_i + 100);
	flat_random(&f, 8);
	im = flat_image(&f);
	(void)pfk_image_bytes(im, &len);
	for (size_t off = 0; off < len; off += 1 + flat_pick(&f, 5)) {
		char *text;
		size_t n;

		tried++;
		err[0] = '\0';
		if (load_changed(im, off, (uint8_t)flat_pick(&f, 256), &bad,
		    err) != PFK_OK) {
			ck_assert_str_ne(err, "");
			refused++;
			continue;
		}
		text = pfk_image_disassemble(bad, &n);
		ck_assert_ptr_nonnull(text);
		pfk_image_free_text(bad, text);
		pfk_image_free(bad);
	}
	ck_assert_uint_gt(refused, tried / 20);
	pfk_image_free(im);
	flat_free(&f);
}
END_TEST

/* Timeouts of rules: kept once for those that share them, if there are any. */
START_TEST(timeouts)
{
	char err[PFK_IMAGE_ERRLEN];
	struct rule_timeouts own = { { 0 } };
	struct pfk_image *im, *bad;
	const uint8_t *bytes;
	struct flat f;
	struct rule r;
	size_t len;

	own.v[TMO_UDP_FIRST] = 7;
	flat_init(&f, 1);
	rule_init(&r);
	for (unsigned i = 0; i < 4; i++) {
		r.timeout = i % 3 == 0 ? &rule_no_timeouts : &own;
		(void)flat_add(&f, &f.root, &r);
	}
	im = flat_image(&f);
	ck_assert_uint_eq(im->ntimeouts, 1);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(image_timeout(im, &im->rules[i],
		    IMG_TMO_UDP_FIRST), i % 3 == 0 ? 0 : 7);
		ck_assert_uint_eq(image_timeout(im, &im->rules[i],
		    IMG_TMO_FRAG), 0);
	}
	bytes = pfk_image_bytes(im, &len);
	ck_assert_int_eq(load_changed(im, (size_t)((const uint8_t *)
	    &im->rules[0].timeouts - bytes), 1, &bad, err), PFK_OK);
	pfk_image_free(bad);
	ck_assert_int_eq(load_changed(im, (size_t)((const uint8_t *)
	    &im->rules[0].timeouts - bytes), 2, &bad, err), PFK_ERR_IMAGE);
	ck_assert_ptr_nonnull(strstr(err, "timeouts"));
	pfk_image_free(im);
	flat_free(&f);
}
END_TEST

/* Every word of code, changed to what the verifier is there to find. */
START_TEST(damaged_code)
{
	static const uint8_t values[] = { 0, 1, 2, 7, 40, 128, 255 };
	char err[PFK_IMAGE_ERRLEN];
	struct flat f;
	struct pfk_image *im, *bad;
	size_t base, refused = 0, tried = 0;

	flat_init(&f, 5);
	flat_random(&f, 10);
	im = flat_image(&f);
	base = (size_t)((const uint8_t *)im->code - im->bytes);
	for (size_t off = 0; off < im->ncode * 4; off++)
		for (size_t v = 0; v < sizeof(values); v++) {
			tried++;
			if (load_changed(im, base + off, values[v], &bad,
			    err) != PFK_OK)
				refused++;
			else
				pfk_image_free(bad);
		}
	ck_assert_uint_gt(refused, tried / 4);
	pfk_image_free(im);
	flat_free(&f);
}
END_TEST

/* Allocation fails once, at each place. */
struct failing { unsigned left; };

static void *
failing_fn(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct failing *f = ctx;

	if (nsize != 0 && f->left-- == 0)
		return NULL;
	return pfk_allocator_libc.fn(NULL, p, osize, nsize);
}

START_TEST(no_memory)
{
	struct failing state;
	struct pfk_allocator a = { failing_fn, &state };
	char err[PFK_IMAGE_ERRLEN];
	struct flat f;
	struct pfk_image *im, *again;
	const void *bytes;
	unsigned n = 0;
	size_t len;
	int error;

	flat_init(&f, 3);
	flat_random(&f, 10);
	im = flat_image(&f);
	bytes = pfk_image_bytes(im, &len);
	do {
		state.left = n++;
		error = pfk_image_load(bytes, len, &a, &again, err);
	} while (error != PFK_OK && n < 100);
	ck_assert_int_eq(error, PFK_OK);
	ck_assert_uint_gt(n, 2);
	state.left = 1000;
	pfk_image_free(again);
	pfk_image_free(im);
	flat_free(&f);
}
END_TEST

/* A checksum of a long text is that of its pieces. */
START_TEST(checksum)
{
	static uint8_t text[20011];
	uint32_t crc = 0;

	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * i >> 5);
	for (size_t i = 0; i < sizeof(text); i += 17)
		crc = crc32c(crc, text + i, sizeof(text) - i < 17 ?
		    sizeof(text) - i : 17);
	ck_assert_uint_eq(crc, crc32c(0, text, sizeof(text)));
}
END_TEST

/* Instructions are as long as bytecode.h says, and names are unique. */
START_TEST(instruction_set)
{
	for (unsigned i = 0; i < OP_COUNT; i++) {
		ck_assert_uint_eq(op_info[i].length,
		    strlen(op_info[i].operands) - 1);
		ck_assert_uint_le(strlen(op_info[i].name), 8);
		for (unsigned j = 0; j < i; j++)
			ck_assert_str_ne(op_info[i].name, op_info[j].name);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("image");
	TCase *tc = tcase_create("image");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, same_bytes, 0, 20);
	tcase_add_test(tc, file_round_trip);
	tcase_add_test(tc, rule_text);
	tcase_add_loop_test(tc, damaged, 0, 6);
	tcase_add_test(tc, timeouts);
	tcase_add_test(tc, damaged_code);
	tcase_add_test(tc, no_memory);
	tcase_add_test(tc, checksum);
	tcase_add_test(tc, instruction_set);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
