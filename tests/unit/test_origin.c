/*
 * Where rules come from: what was written is pointed at, through macros, lists,
 * files, anchors and what the optimiser does with it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/host.h>
#include <pfkit/origin.h>

#include "base/hash.h"
#include "runtime/image.h"

struct files { const char *main, *other; };

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	const struct files *f = ctx;
	const char *from = strcmp(path, "pf.conf") == 0 ? f->main : f->other;

	if (from == NULL)
		return 2;
	*len = strlen(from);
	*text = a->fn(a->ctx, NULL, 0, *len + 1);
	memcpy(*text, from, *len + 1);
	return 0;
}

static struct pfk_image *
compile(const char *text, const char *other, enum pfk_optimize level)
{
	struct files f = { text, other };
	struct pfk_files files = { read_text, &f };
	struct pfk_host *host = pfk_host_new(NULL);
	struct pfk_compile_options o = { .files = &files, .host = host,
	    .path = "pf.conf", .optimize = level };
	struct pfk_ruleset *rs = NULL;
	struct pfk_image *image = NULL;

	ck_assert_int_eq(pfk_compile(&o, &rs), PFK_OK);
	ck_assert_int_eq(pfk_ruleset_image(rs, PFK_LOWER_AUTO, &image),
	    PFK_OK);
	pfk_ruleset_free(rs);
	pfk_host_free(host);
	return image;
}

/* "source 2:11-2:18 10.0.0.1* <srv@3:4" */
static const char *
said(const struct pfk_image *im, const struct pfk_element *e, char buf[200])
{
	struct pfk_source s;
	struct pfk_macro m;
	int n;

	pfk_image_source(im, e->at.source, &s);
	n = snprintf(buf, 200, "%s %u:%u-%u:%u %.*s%s",
	    pfk_part_name(e->part), e->at.line, e->at.column, e->at.end_line,
	    e->at.end_column, (int)e->at.len, s.text + e->at.off,
	    e->listed ? "*" : "");
	for (uint32_t i = e->macro; i != PFK_NO_MACRO; i = m.outer) {
		pfk_image_macro(im, i, &m);
		n += snprintf(buf + n, (size_t)(200 - n), " <%s@%u:%u",
		    m.name, m.use.line, m.use.column);
	}
	return buf;
}

static void
nth(const struct pfk_image *im, size_t rule, unsigned n, struct pfk_origin *o)
{
	struct pfk_origins all;

	pfk_image_origins(im, rule, &all);
	do
		ck_assert(pfk_image_next_origin(&all, o));
	while (n-- > 0);
}

#define SAYS(im, e, text) do {						\
	char buf_[200];							\
	ck_assert_str_eq(said((im), (e), buf_), text);			\
} while (0)

START_TEST(parts)
{
	struct pfk_image *im = compile("a = \"10.0.0.1\"\n"
	    "l = \"{\" $a \"10.0.0.2 }\"\n"
	    "pass in on ! em0 proto tcp \\\n"
	    "	from any to $l port { 22 www } flags S/SA label \"x\"\n"
	    "block\n", NULL, PFK_OPT_NONE);
	struct pfk_origin o;

	nth(im, 1, 0, &o);
	ck_assert_int_eq(o.how, PFK_ORIGIN_OWN);
	ck_assert_uint_eq(o.statement.at.line, 3);
	ck_assert_uint_eq(o.statement.at.end_line, 4);
	ck_assert_uint_eq(o.nelements, 6);
	SAYS(im, &o.element[0], "interface 3:12-3:16 ! em0");
	SAYS(im, &o.element[1], "protocol 3:24-3:26 tcp");
	SAYS(im, &o.element[2],
	    "destination 1:6-1:13 10.0.0.1* <a@2:9 <l@4:14");
	SAYS(im, &o.element[3], "destination port 4:27-4:29 www*");
	SAYS(im, &o.element[4], "flags 4:33-4:42 flags S/SA");
	SAYS(im, &o.element[5], "label 4:44-4:52 label \"x\"");
	nth(im, 2, 0, &o);
	SAYS(im, &o.element[2], "destination 2:13-2:20 10.0.0.2* <l@4:14");
	nth(im, 4, 0, &o);
	ck_assert_uint_eq(o.nelements, 0);
	ck_assert_uint_eq(o.statement.at.line, 5);
	pfk_image_free(im);
}
END_TEST

/* Of `! $if' and the like the macro gave a part. */
START_TEST(parts_of_elements)
{
	struct pfk_image *im = compile("if = \"em0\"\np = \"1024\"\n"
	    "pass on ! $if proto tcp from !($if) port > $p\n",
	    NULL, PFK_OPT_NONE);
	struct pfk_element e;
	struct pfk_origin o;
	static const char *const whole[] = { "interface 3:9-3:13 ! $if",
	    "source 3:30-3:35 !($if)", "source port 3:42-3:45 > $p" };
	static const char *const value[] = { "em0", "em0", "1024" };
	static const size_t at[] = { 0, 2, 3 };

	nth(im, 0, 0, &o);
	for (size_t i = 0; i < 3; i++) {
		char buf[200], *macros;

		e = o.element[at[i]];
		macros = strstr(said(im, &e, buf), " <");
		ck_assert_ptr_nonnull(macros);
		*macros = '\0';
		ck_assert_str_eq(buf, whole[i]);
		e.at = e.value;
		ck_assert_ptr_nonnull(strstr(said(im, &e, buf), value[i]));
		ck_assert_uint_eq(e.at.line, i < 2 ? 1 : 2);
	}
	pfk_image_free(im);
}
END_TEST

START_TEST(files_and_anchors)
{
	struct pfk_image *im = compile("include \"f\"\nanchor \"a\" in {\n"
	    "	block\n}\n", "\npass from 10.0.0.1\n", PFK_OPT_NONE);
	struct pfk_origin o;
	struct pfk_source s;

	nth(im, 0, 0, &o);
	pfk_image_source(im, o.statement.at.source, &s);
	ck_assert_str_eq(s.name, "f");
	ck_assert_uint_eq(s.included_at.line, 1);
	SAYS(im, &o.element[0], "source 2:11-2:18 10.0.0.1");
	ck_assert_uint_eq(s.hash, pfk_source_hash(s.text, s.len));
	nth(im, 1, 0, &o);		/* without its body */
	ck_assert_uint_eq(o.statement.at.len, strlen("anchor \"a\" in {"));
	nth(im, 2, 0, &o);
	ck_assert_uint_eq(o.statement.at.line, 3);
	pfk_image_free(im);
}
END_TEST

START_TEST(optimised)
{
	struct pfk_image *im = compile(
	    "pass in from { 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 "
	    "10.0.0.6 10.0.0.3 }\n"
	    "pass in from 10.0.0.2 to 192.0.2.1\n", NULL, PFK_OPT_BASIC);
	struct pfk_origins all;
	struct pfk_origin o;
	unsigned merged = 0, covered = 0;

	ck_assert_uint_eq(pfk_image_rules(im), 1);
	pfk_image_origins(im, 0, &all);
	while (pfk_image_next_origin(&all, &o))
		if (o.how == PFK_ORIGIN_SOURCE) {
			ck_assert_uint_eq(o.bits, 32);
			ck_assert_uint_eq(o.addr[3], ++merged);
		} else {
			ck_assert_int_eq(o.how, PFK_ORIGIN_COVERED);
			covered++;
		}
	ck_assert_uint_eq(merged, 6);
	ck_assert_uint_eq(covered, 2);
	pfk_image_free(im);
}
END_TEST

static bool
count_address(void *ctx, const struct pfk_table_address *a)
{
	unsigned *lines = ctx;

	*lines = *lines * 10 + a->element.at.column % 10;
	return true;
}

START_TEST(tables)
{
	struct pfk_image *im = compile("table <t> { 10.0.0.1, !10.0.0.2 } "
	    "file \"f\"\npass from <t> to <u>\n", "192.0.2.1\n192.0.2.2\n",
	    PFK_OPT_NONE);
	struct pfk_table_origin t;
	unsigned columns = 0;

	ck_assert_uint_eq(pfk_image_tables(im), 2);
	pfk_image_table(im, 0, &t);
	ck_assert_str_eq(t.name, "t");
	ck_assert(t.defined);
	ck_assert_uint_eq(t.naddrs, 4);
	ck_assert_uint_eq(t.statement.at.line, 1);
	pfk_image_table_addresses(im, 0, count_address, &columns);
	ck_assert_uint_eq(columns, 3355);
	pfk_image_table(im, 1, &t);
	ck_assert(!t.defined);
	ck_assert_uint_eq(t.statement.at.source, PFK_NO_SOURCE);
	pfk_image_free(im);
}
END_TEST

/* Everything that may be asked, of any image that was let in. */
static void
read_all(const struct pfk_image *im)
{
	struct pfk_origins all;
	struct pfk_origin o;
	struct pfk_source s;
	struct pfk_macro m;
	unsigned columns = 0;

	for (size_t i = 0; i < pfk_image_sources(im); i++)
		pfk_image_source(im, i, &s);
	for (size_t i = 0; i < pfk_image_macros(im); i++)
		pfk_image_macro(im, (uint32_t)i, &m);
	for (size_t i = 0; i < pfk_image_rules(im); i++) {
		pfk_image_origins(im, i, &all);
		while (pfk_image_next_origin(&all, &o))
			for (size_t k = 0; k < o.nelements; k++)
				(void)pfk_part_name(o.element[k].part);
	}
	for (size_t i = 0; i < pfk_image_tables(im); i++)
		pfk_image_table_addresses(im, i, count_address, &columns);
}

/* Any byte behind the options is changed: refused, or good to be read. */
START_TEST(damaged)
{
	struct pfk_image *im = compile("t = \"10.0.0.2\"\n"
	    "table <t> { 10.0.0.1, !$t } file \"f\"\ninclude \"f2\"\n"
	    "anchor {\npass proto tcp from { <t> $t } to ! $t port { 1 2 }\n}\n"
	    "pass in from { 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 "
	    "10.0.0.6 10.0.0.3 }\n", "#\n", PFK_OPT_BASIC), *bad;
	const struct img_header *h;
	char err[PFK_IMAGE_ERRLEN];
	size_t len, refused = 0, from;
	const uint8_t *bytes = pfk_image_bytes(im, &len);
	uint8_t *copy = malloc(len);
	uint32_t crc;

	h = (const void *)bytes;
	from = h->section[IMG_SOURCES].off;
	for (size_t i = from; i < len; i++)
		for (unsigned v = 0; v < 256; v += 51) {
			memcpy(copy, bytes, len);
			copy[i] = (uint8_t)(copy[i] + v + 1);
			crc = crc32c(0, copy + sizeof(*h), len - sizeof(*h));
			memcpy(copy + offsetof(struct img_header, crc), &crc,
			    sizeof(crc));
			if (pfk_image_load(copy, len, NULL, &bad, err) !=
			    PFK_OK) {
				refused++;
				continue;
			}
			read_all(bad);
			pfk_image_free(bad);
		}
	ck_assert_uint_gt(refused, (len - from) / 2);
	read_all(im);
	free(copy);
	pfk_image_free(im);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("origin");
	TCase *tc = tcase_create("origin");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, parts);
	tcase_add_test(tc, parts_of_elements);
	tcase_add_test(tc, files_and_anchors);
	tcase_add_test(tc, optimised);
	tcase_add_test(tc, tables);
	tcase_add_test(tc, damaged);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
