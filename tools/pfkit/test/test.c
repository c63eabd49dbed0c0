/*
 * pfkit test: files, their tests, and a status.
 */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../cover/data.h"
#include "../pfkit.h"
#include "test.h"

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- which tests ---- */

/* Those that --run does not mean are taken out. */
static void
choose(struct tests *all, const char *pattern)
{
	char why[128], *name;
	struct test **p = &all->first, *t;
	regex_t re;
	int error;

	error = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);
	if (error != 0) {
		regerror(error, &re, why, sizeof(why));
		usage_error(TEST_COMMAND, "--run: %s", why);
	}
	while ((t = *p) != NULL) {
		name = test_name(t);
		if (t->kind == TEST_FILE ||
		    regexec(&re, name, 0, NULL, 0) == 0) {
			p = &t->next;
		} else {
			*p = t->next;
			test_free(t);
		}
		free(name);
	}
	all->last = p;
	regfree(&re);
}

static bool
waits(const struct test *t, const struct setting *s)
{
	return t->setting == s && t->status == TEST_WAITS;
}

static void
skip(struct test *t, const char *why)
{
	t->status = TEST_SKIPPED;
	textbuf_free(&t->why);
	textbuf_str(&t->why, why);
}

static void
skip_marked(struct tests *all)
{
	for (struct test *t = all->first; t != NULL; t = t->next)
		if (t->skip != NULL && t->status == TEST_WAITS)
			skip(t, t->skip);
}

/* ---- running ---- */

static void
run_one(struct test *t)
{
	if (t->kind == TEST_REPLAY)
		replay_test(t);
	else
		decide(t);
}

/* false: a test did not hold, and that ends it. */
static bool
run_setting(const struct test_options *o, struct setting *s,
    struct test *first)
{
	struct test *t;
	bool good = true, ready;

	for (t = first; t != NULL && !waits(t, s); t = t->next)
		;
	if (t == NULL)
		return true;
	ready = run_start(s, o, first);
	for (t = first; t != NULL && good; t = t->next) {
		if (!waits(t, s))
			continue;
		if (ready)
			run_one(t);
		else
			test_wrong(t, s->off, "%s", s->unusable.len > 0 ?
			    s->unusable.text : "its ruleset cannot be used");
		good = !o->fail_fast || t->status == TEST_HOLDS;
	}
	run_end(s);
	return good;
}

static void
run_all(const struct test_options *o, struct tests *all)
{
	bool good = true;

	for (struct setting *s = all->settings; s != NULL && good; s = s->next)
		good = run_setting(o, s, all->first);
	for (struct test *t = all->first; t != NULL; t = t->next)
		if (t->status == TEST_WAITS)
			skip(t, "not run: another one failed (--fail-fast)");
}

static int
list(const struct test_options *o, const struct tests *all)
{
	struct out *out = out_open("-");

	if (o->formats[FORMAT_JSON] != NULL) {
		write_json(out, o, all, NULL);
		return out_close(out) != 0 ? TEST_ERROR : TEST_GOOD;
	}
	for (const struct test *t = all->first; t != NULL; t = t->next) {
		char *name = test_name(t);

		out_printf(out, "%s:%u: %s%s%s\n", t->file, (unsigned)t->line,
		    name, t->skip != NULL ? " # skip " : "", t->skip != NULL ?
		    t->skip : "");
		free(name);
	}
	return out_close(out) != 0 ? TEST_ERROR : TEST_GOOD;
}

static void
sum_up(const struct tests *all, struct summary *s)
{
	for (const struct test *t = all->first; t != NULL; t = t->next) {
		s->all++;
		s->of[t->status]++;
	}
}

static int
status_of(const struct summary *s)
{
	return s->of[TEST_WRONG] > 0 ? TEST_ERROR :
	    s->of[TEST_FAILS] > 0 ? TEST_BAD : TEST_GOOD;
}

static int
run(struct test_options *o, struct tests *all)
{
	struct summary s = { .all = 0 };
	double started = seconds();
	int status = 0;

	if (o->cover_out != NULL)
		o->cover = cover_new("test", o->files[0]);
	run_all(o, all);
	s.seconds = seconds() - started;
	sum_up(all, &s);
	write_tests(o, all, &s);
	if (o->cover != NULL)
		status = cover_write(o->cover, o->cover_out);
	return status != 0 ? TEST_ERROR : status_of(&s);
}

static int
test(struct test_options *o)
{
	struct tests all = { .first = NULL };
	int status;

	all.last = &all.first;
	for (size_t i = 0; i < o->nfiles; i++)
		tests_read(&all, o->files[i]);
	if (o->run != NULL)
		choose(&all, o->run);
	if (all.first == NULL) {
		warning("--run %s: there is no such test", o->run);
		status = TEST_ERROR;
	} else if (o->list) {
		status = list(o, &all);
	} else {
		skip_marked(&all);
		status = run(o, &all);
	}
	cover_free(o->cover);
	for (struct setting *s = all.settings; s != NULL; s = s->next)
		pfk_image_free(s->kept);
	tests_free(&all);
	return status;
}

int
command_test(int argc, char **argv)
{
	struct test_options o;
	int status;

	fatal_exits_with(TEST_ERROR);
	status = test_options_parse(&o, argc, argv);
	if (status == -1)
		status = test(&o);
	test_options_free(&o);
	return status;
}
