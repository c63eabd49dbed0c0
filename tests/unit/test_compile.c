/*
 * pfk_compile(): what its options do, and what it keeps within its limits.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/compile.h>

struct text { const char *name, *text; };

static struct pfk_host *host;

static void
setup(void)
{
	host = pfk_host_new(NULL);
	ck_assert_ptr_nonnull(host);
}

static void
teardown(void)
{
	pfk_host_free(host);
}

/* Files by name, from a list that ends with a NULL name. */
static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	const struct text *t = ctx;

	while (t->name != NULL && strcmp(t->name, path) != 0)
		t++;
	if (t->name == NULL)
		return 2;		/* ENOENT */
	*len = strlen(t->text);
	*text = a->fn(a->ctx, NULL, 0, *len + 1);
	if (*text == NULL)
		return 12;		/* ENOMEM */
	memcpy(*text, t->text, *len + 1);
	return 0;
}

/* Compiles the first of the files; o holds what is not the usual. */
static struct pfk_ruleset *
compile(const struct text *texts, struct pfk_compile_options o, int expected)
{
	struct pfk_files files = { read_text, (void *)(uintptr_t)texts };
	struct pfk_ruleset *rs = NULL;

	o.host = host;
	o.files = &files;
	o.path = texts->name;
	ck_assert_int_eq(pfk_compile(&o, &rs), expected);
	ck_assert_ptr_nonnull(rs);
	return rs;
}

static const char *
text_of(struct pfk_ruleset *rs)
{
	size_t len;

	return pfk_ruleset_text(rs, &len);
}

static const char *
messages_of(struct pfk_ruleset *rs)
{
	size_t len;

	return pfk_ruleset_diagnostics(rs, PFK_RENDER_PLAIN, &len);
}

/* "pass from { 10.0.0.0 ... } to { ... }" with n addresses each */
static char *
square(unsigned n)
{
	char *s = malloc(64 + (size_t)n * 2 * 16), *p = s;

	ck_assert_ptr_nonnull(s);
	p += sprintf(p, "pass in\npass from {");
	for (unsigned i = 0; i < 2 * n; i++) {
		if (i == n)
			p += sprintf(p, " } to {");
		p += sprintf(p, " 10.0.%u.%u", i % n / 256, i % n % 256);
	}
	sprintf(p, " }\n");
	return s;
}

START_TEST(more_rules_than_allowed)
{
	char *s = square(100);
	const struct text texts[] = { { "pf.conf", s }, { NULL, NULL } };
	struct pfk_ruleset *rs;

	rs = compile(texts, (struct pfk_compile_options){ .max_rules = 1000 },
	    PFK_ERR_INVALID);
	ck_assert_str_eq(messages_of(rs), "pf.conf:2: rule expands to 10000 "
	    "rules, after 1 before it: more than the limit (max_rules) of "
	    "1000\n");
	pfk_ruleset_free(rs);
	rs = compile(texts, (struct pfk_compile_options){ .max_rules = 10001 },
	    PFK_OK);
	pfk_ruleset_free(rs);
	free(s);
}
END_TEST

START_TEST(more_memory_than_allowed)
{
	char *s = square(300);
	const struct text texts[] = { { "pf.conf", s }, { NULL, NULL } };
	struct pfk_ruleset *rs;

	rs = compile(texts, (struct pfk_compile_options){
	    .max_memory = 4 << 20 }, PFK_ERR_NOMEM);
	ck_assert_str_eq(messages_of(rs), "pfctl: pf.conf:2: out of memory "
	    "(max_memory is 4194304)\n");
	ck_assert_str_eq(text_of(rs), "");
	ck_assert_uint_eq(pfk_ruleset_errors(rs), 1);
	pfk_ruleset_free(rs);
	free(s);
}
END_TEST

START_TEST(text_is_kept_until_the_error)
{
	const struct text texts[] = {
		{ "pf.conf", "a = \"b\"\nset limit states 5\nnonsense\n" },
		{ NULL, NULL } };
	struct pfk_ruleset *rs;

	rs = compile(texts, (struct pfk_compile_options){ .verbose = 1 },
	    PFK_ERR_INVALID);
	ck_assert_str_eq(text_of(rs), "a = \"b\"\nset limit states 5\n");
	ck_assert_str_eq(messages_of(rs), "pf.conf:3: syntax error\n");
	pfk_ruleset_free(rs);
}
END_TEST

START_TEST(a_seed_makes_the_same_key)
{
	const struct text texts[] = { { "pf.conf",
	    "pass out inet nat-to 10.0.0.0/8 source-hash\n" },
	    { NULL, NULL } };
	struct pfk_ruleset *a, *b, *c;
	struct pfk_compile_options o = { .verbose = 1, .seed = 1 };

	a = compile(texts, o, PFK_OK);
	b = compile(texts, o, PFK_OK);
	o.seed = 2;
	c = compile(texts, o, PFK_OK);
	ck_assert_str_eq(text_of(a), text_of(b));
	ck_assert_str_ne(text_of(a), text_of(c));
	pfk_ruleset_free(a);
	pfk_ruleset_free(b);
	pfk_ruleset_free(c);
}
END_TEST

START_TEST(no_main_file)
{
	const struct text texts[] = { { NULL, NULL } };
	struct pfk_files files = { read_text, (void *)(uintptr_t)texts };
	struct pfk_compile_options o = { .host = host, .files = &files,
	    .path = "pf.conf" };
	struct pfk_ruleset *rs = NULL;

	ck_assert_int_eq(pfk_compile(&o, &rs), PFK_ERR_IO);
	ck_assert_str_eq(messages_of(rs), "pfctl: pushfile: pf.conf: No such "
	    "file or directory\npfctl: cannot open the main config file!: No "
	    "such file or directory\n");
	pfk_ruleset_free(rs);
	pfk_ruleset_free(NULL);
}
END_TEST

START_TEST(loaded_anchors_load_others)
{
	const struct text texts[] = {
		{ "pf.conf", "set block-policy return\nanchor a\n"
		  "load anchor a from \"one\"\n" },
		{ "one", "block\nload anchor b from \"two\"\n" },
		{ "two", "pass\n" },
		{ NULL, NULL } };
	struct pfk_ruleset *rs;

	rs = compile(texts, (struct pfk_compile_options){ .verbose = 1 },
	    PFK_OK);
	ck_assert_str_eq(text_of(rs), "set block-policy return\n"
	    "anchor \"a\" all\nblock drop all\npass all flags S/SA\n");
	ck_assert_str_eq(messages_of(rs), "\nLoading anchor a from one\n"
	    "\nLoading anchor a/b from two\n");
	ck_assert_uint_eq(pfk_ruleset_errors(rs), 0);
	pfk_ruleset_free(rs);
}
END_TEST

START_TEST(anchors_too_deep)
{
	struct text texts[] = { { "pf.conf", NULL }, { NULL, NULL } };
	char buf[100 * 16] = "";
	struct pfk_ruleset *rs;

	for (int i = 0; i < 63; i++)
		strcat(buf, "anchor {\n");
	texts[0].text = buf;
	rs = compile(texts, (struct pfk_compile_options){ 0 },
	    PFK_ERR_INVALID);
	ck_assert_str_eq(messages_of(rs), "pf.conf:65: syntax error\n");
	pfk_ruleset_free(rs);
	strcat(buf, "anchor {\n");
	rs = compile(texts, (struct pfk_compile_options){ 0 },
	    PFK_ERR_INVALID);
	ck_assert_str_eq(messages_of(rs),
	    "pfctl: pfa_anchor: anchors too deep\n");
	pfk_ruleset_free(rs);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("compile");
	TCase *t = tcase_create("compile");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, more_rules_than_allowed);
	tcase_add_test(t, more_memory_than_allowed);
	tcase_add_test(t, text_is_kept_until_the_error);
	tcase_add_test(t, a_seed_makes_the_same_key);
	tcase_add_test(t, no_main_file);
	tcase_add_test(t, loaded_anchors_load_others);
	tcase_add_test(t, anchors_too_deep);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
