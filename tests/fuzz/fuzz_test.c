/*
 * Any text as a test file: read, compiled behind a ruleset, decided, and told
 * in every form.
 *
 * The text goes through a file.  Rulesets that it names become the one beside
 * it, hosts the one of the golden cases; tests that replay captures are read
 * and no more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/usage.h"
#include "tools/common/host_options.h"
#include "tools/pfkit/test/test.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

const char program_name[] = "fuzz_test";

#define TESTS_MAX	6	/* decided, of one text */

static const char ruleset[] =
	"lan = \"10.0.0.0/24\"\ntable <t> { 10.0.0.0/8 !10.0.0.1 }\n"
	"block log label \"no\"\n"
	"pass in on em1 proto tcp from $lan to any port { 22 80 } tag A\n"
	"pass out on em0 inet from $lan nat-to 192.0.2.2\n"
	"pass in on em0 inet proto tcp to port 80 rdr-to 10.0.0.9\n"
	"block return in quick proto udp from <t>\n"
	"anchor \"a\" in {\npass inet proto icmp icmp-type echoreq once\n}\n";

static char folder[] = "/tmp/fuzz-test.XXXXXX";
static char rules_path[64], test_path[64];

static void
remove_files(void)
{
	unlink(rules_path);
	unlink(test_path);
	rmdir(folder);
}

static void
write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static void
set_up(void)
{
	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(rules_path, sizeof(rules_path), "%s/pf.conf", folder);
	snprintf(test_path, sizeof(test_path), "%s/it.test", folder);
	write_file(rules_path, ruleset, sizeof(ruleset) - 1);
	atexit(remove_files);
	if (getenv("FUZZ_QUIET") != NULL &&	/* diagnostics */
	    freopen("/dev/null", "w", stderr) == NULL)
		abort();
}

/* Of a setting: macros only, and the host. */
static void
choose_headers(struct setting *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nheaders; i++)
		if (s->headers[i].option == 'D')
			s->headers[n++] = s->headers[i];
		else
			free(s->headers[i].value);
	s->headers = realloc(s->headers, (n + 1) * sizeof(*s->headers));
	if (s->headers == NULL)
		abort();
	s->headers[n] = (struct header){ OPT_HOST,
	    strdup("tests/golden/host") };
	s->nheaders = n + 1;
}

static void
run_setting(const struct test_options *o, struct setting *s,
    struct test *first)
{
	unsigned left = TESTS_MAX;

	free(s->ruleset);
	s->ruleset = strdup(rules_path);
	choose_headers(s);
	if (!run_start(s, o, first)) {
		run_end(s);
		return;
	}
	for (struct test *t = first; t != NULL; t = t->next)
		if (t->setting == s && t->status == TEST_WAITS &&
		    t->kind != TEST_REPLAY && left-- > 0)
			decide(t);
	run_end(s);
}

static void
tell(const struct test_options *o, const struct tests *all)
{
	static void (*const writers[])(struct out *,
	    const struct test_options *, const struct tests *,
	    const struct summary *) = { write_text, write_tap, write_junit,
	    write_github, write_json };
	struct summary s = { .all = 0 };

	for (const struct test *t = all->first; t != NULL; t = t->next) {
		s.all++;
		s.of[t->status]++;
	}
	for (size_t i = 0; i < sizeof(writers) / sizeof(*writers); i++) {
		struct out *out = out_memory();

		writers[i](out, o, all, &s);
		(void)out_close(out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct test_options o = { .verbose = true };
	struct tests all = { .first = NULL };

	if (rules_path[0] == '\0')
		set_up();
	write_file(test_path, data, size);
	all.last = &all.first;
	ruleset_options_init(&o.ruleset, TEST_COMMAND, 1);
	tests_read(&all, test_path);
	for (struct setting *s = all.settings; s != NULL; s = s->next) {
		run_setting(&o, s, all.first);
		pfk_image_free(s->kept);
	}
	tell(&o, &all);
	tests_free(&all);
	ruleset_options_free(&o.ruleset);
	return 0;
}
