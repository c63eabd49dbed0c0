/*
 * The checks beyond what is printed: memory per rule, where messages point,
 * what they suggest.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/compile.h>

static struct pfk_host *host;
static size_t bytes, peak;

static void *
counted(void *ctx, void *p, size_t osize, size_t nsize)
{
	(void)ctx;
	bytes = bytes - osize + nsize;
	if (bytes > peak)
		peak = bytes;
	if (nsize == 0) {
		free(p);
		return NULL;
	}
	return realloc(p, nsize);
}

static const struct pfk_allocator counting = { counted, NULL };

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	(void)path;
	*len = strlen(ctx);
	*text = a->fn(a->ctx, NULL, 0, *len);
	if (*text == NULL)
		return 12;		/* ENOMEM */
	memcpy(*text, ctx, *len);
	return 0;
}

static struct pfk_ruleset *
compile(char *text)
{
	struct pfk_files files = { read_text, text };
	struct pfk_ruleset *rs = NULL;

	(void)pfk_compile(&(struct pfk_compile_options){ .host = host,
	    .files = &files, .path = "pf.conf", .allocator = &counting }, &rs);
	ck_assert_ptr_nonnull(rs);
	return rs;
}

static void
setup(void)
{
	host = pfk_host_new(NULL);
	bytes = peak = 0;
}

static void
teardown(void)
{
	pfk_host_free(host);
	ck_assert_uint_eq(bytes, 0);
}

/* Ports of one rule after the other, so that none is like another. */
static size_t
peak_of_rules(unsigned n)
{
	char *text = malloc((size_t)n * 100 + 1), *p = text;

	ck_assert_ptr_nonnull(text);
	for (unsigned i = 0; i < n; i++)
		p += sprintf(p, "pass in quick on em0 inet proto { tcp udp } "
		    "from 10.%u.%u.0/24 to 192.168.0.1 port %u\n", i / 256,
		    i % 256, i + 1);
	peak = 0;
	pfk_ruleset_free(compile(text));
	free(text);
	return peak;
}

START_TEST(memory_per_rule)
{
	size_t few = peak_of_rules(2000), many = peak_of_rules(22000);

	/* 40,000 flat rules more: each its own size and a little of the rest */
	ck_assert_uint_lt((many - few) / 40000, 800);
}
END_TEST

/* The report of a text as JSON must have all of these, in this order. */
static void
expect(const char *text, const char *const *want)
{
	char *copy = strdup(text);
	struct pfk_ruleset *rs = compile(copy);
	size_t len;
	const char *p = pfk_ruleset_diagnostics(rs, PFK_RENDER_JSON, &len);

	for (; *want != NULL; want++) {
		const char *found = strstr(p, *want);

		ck_assert_msg(found != NULL, "no %s in %s", *want, p);
		p = found + strlen(*want);
	}
	pfk_ruleset_free(rs);
	free(copy);
}

START_TEST(word_of_a_statement)
{
	expect("set timeout tcp.frst 10\n", (const char *const[]){
	    "unknown timeout tcp.frst", "\"column\": 13",
	    "\"column\": 21", "tcp.first", NULL });
	expect("pass keep state (max 1, tcp.frst 10)\n",
	    (const char *const[]){ "illegal timeout name",
	    "\"column\": 25", "\"column\": 33", "tcp.first", NULL });
}
END_TEST

START_TEST(word_out_of_a_macro)
{
	expect("t = \"tcp.frst 10\"\nset timeout $t\n",
	    (const char *const[]){ "unknown timeout tcp.frst", NULL });
}
END_TEST

START_TEST(earlier_option)
{
	expect("pass label a flags any label b\n", (const char *const[]){
	    "label cannot be redefined", "\"column\": 24",
	    "given here before", NULL });
}
END_TEST

START_TEST(tables)
{
	expect("table <spam> persist\nblock from <span>\n",
	    (const char *const[]){ "<spam> is not used",
	    "<span> is never defined", "<spam>", NULL });
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sema");
	TCase *tc = tcase_create("sema");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, memory_per_rule);
	tcase_add_test(tc, word_of_a_statement);
	tcase_add_test(tc, word_out_of_a_macro);
	tcase_add_test(tc, earlier_option);
	tcase_add_test(tc, tables);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
