/*
 * Every allocation of a compilation fails once: the result is "no memory",
 * nothing leaks, nothing is left half made.
 *
 * Which allocation fails is counted; each run lets one more succeed, until
 * the compilation gets through.  Sanitizers watch for what is lost.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/compile.h>

struct counter {
	size_t	 left;			/* allocations that succeed */
	size_t	 live;			/* blocks not freed */
	bool	 failed;
};

static void *
counted(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct counter *c = ctx;

	(void)osize;
	if (nsize == 0) {
		c->live -= p != NULL;
		free(p);
		return NULL;
	}
	if (c->left == 0) {
		c->failed = true;
		return NULL;
	}
	c->left--;
	c->live += p == NULL;
	return realloc(p, nsize);
}

static const char ruleset[] =
    "ext = \"em0\"\n"
    "nets = \"{ 10.0.0.0/8 172.16.0.0/12 2001:db8::/32 }\"\n"
    "set limit states 1000\n"
    "set timeout { tcp.first 10, udp.first 5 }\n"
    "set skip on lo\n"
    "table <t> persist { 10.0.0.1 !10.0.0.2 em1:network }\n"
    "queue q on em0 bandwidth 10M default\n"
    "antispoof quick for em1 label \"spoof $if\"\n"
    "match out on $ext inet from $nets nat-to em0\n"
    "block return log all\n"
    "anchor \"a\" in on em1 {\n"
    "\tpass proto { tcp udp } from <t> to port { 53 80 } label \"$nr\"\n"
    "\tpass proto tcp from any os \"OpenBSD\" keep state (max 5)\n"
    "}\n"
    "pass in proto tcp from { 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 } to port 1\n"
    "pass in proto tcp from { 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.4 } to port 1\n"
    "pass out proto tcp rdr-to 10.0.0.1 prot 5\n"
    "pass in on $nowhere kep state\n";

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	(void)ctx, (void)path;
	*len = sizeof(ruleset) - 1;
	*text = a->fn(a->ctx, NULL, 0, sizeof(ruleset));
	if (*text == NULL)
		return 12;		/* ENOMEM */
	memcpy(*text, ruleset, sizeof(ruleset));
	return 0;
}

static struct pfk_host *
load_host(const struct pfk_allocator *a)
{
	char error[PFK_HOST_ERRLEN];
	struct pfk_host *host = pfk_host_new(a);

	if (host != NULL && pfk_host_load_dir(host, "tests/golden/host",
	    error) != 0) {
		pfk_host_free(host);
		host = NULL;
	}
	return host;
}

/* Compiles with n allocations; whether none failed. */
static bool
try_compile(const struct pfk_host *host, size_t n)
{
	struct counter c = { .left = n };
	struct pfk_allocator a = { counted, &c };
	struct pfk_files files = { read_text, NULL };
	struct pfk_compile_options o = {
		.allocator = &a, .host = host, .files = &files,
		.path = "pf.conf", .verbose = 1, .optimize = PFK_OPT_BASIC
	};
	struct pfk_ruleset *rs = NULL;
	size_t len;
	int error = pfk_compile(&o, &rs);

	/* a file that cannot be read for want of memory is PFK_ERR_IO */
	if (error != PFK_ERR_NOMEM && error != PFK_ERR_IO)
		ck_assert_int_eq(error, PFK_ERR_INVALID);
	if (rs != NULL) {
		ck_assert_ptr_nonnull(pfk_ruleset_text(rs, &len));
		ck_assert_ptr_nonnull(pfk_ruleset_diagnostics(rs,
		    PFK_RENDER_RICH, &len));
		ck_assert_ptr_nonnull(pfk_ruleset_diagnostics(rs,
		    PFK_RENDER_JSON, &len));
	}
	if (!c.failed)
		ck_assert_int_eq(error, PFK_ERR_INVALID);
	pfk_ruleset_free(rs);
	ck_assert_uint_eq(c.live, 0);
	return !c.failed;
}

START_TEST(each_allocation_of_a_compilation)
{
	struct pfk_host *host = load_host(NULL);
	size_t n = 0;

	ck_assert_ptr_nonnull(host);
	while (!try_compile(host, n))
		n++;
	ck_assert_uint_gt(n, 0);
	pfk_host_free(host);
}
END_TEST

START_TEST(each_allocation_of_a_host)
{
	bool done = false;

	for (size_t n = 0; !done; n++) {
		struct counter c = { .left = n };
		struct pfk_allocator a = { counted, &c };
		struct pfk_host *host = load_host(&a);

		ck_assert(host != NULL || c.failed);
		done = !c.failed;
		pfk_host_free(host);
		ck_assert_uint_eq(c.live, 0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("alloc");
	TCase *tc = tcase_create("failures");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, each_allocation_of_a_host);
	tcase_add_test(tc, each_allocation_of_a_compilation);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
