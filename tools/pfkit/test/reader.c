/*
 * The lines of a test file.
 *
 *	ruleset FILE		the tests that follow are about this one
 *	host DIR		and its firewall
 *	dialect openbsd		(there is no other yet)
 *	-D NAME=VALUE, -o LEVEL, -a ANCHOR, -N, --interfaces FILE ...
 *				options of the command line
 *	group NAME [skip WHY]	of the tests that follow
 *	NAME = VALUE, table <NAME> ...
 *				as in pf.conf
 *	[skip WHY] pass ...	tests
 *	[skip WHY] block ...
 *	[skip WHY] replay ...
 *
 * What stands before the first `ruleset' holds for all rulesets of the file.
 * Macros and tables hold for all tests of their ruleset.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "test.h"

struct reader {
	struct tests	*tests;
	const char	*path;
	struct source	*source;
	struct words	 words;
	struct setting	 common;	/* before the first `ruleset' */
	struct setting	*setting;	/* of the tests that follow; NULL: none
					   yet */
	const char	*group, *group_skip;
	size_t		 ntests, ngroup;	/* of the file, of the group */
	size_t		 group_off;
};

/* ---- tests ---- */

struct test *
test_new(struct tests *all, const char *file)
{
	struct test *t = xcalloc(1, sizeof(*t));

	t->file = file;
	t->group = "";
	*all->last = t;
	all->last = &t->next;
	return t;
}

static void
test_free_results(struct test *t)
{
	textbuf_free(&t->why);
	textbuf_free(&t->detail);
	textbuf_free(&t->packet);
	textbuf_free(&t->trace);
	textbuf_free(&t->rule_file);
	textbuf_free(&t->rule_text);
	textbuf_free(&t->notes);
}

void
test_free(struct test *t)
{
	test_free_results(t);
	replay_line_free(&t->replay);
	free(t->want.label);
	free(t->want.line_file);
	free(t->blanks);
	free(t->text);
	free(t->skip);
	free(t);
}

void
test_wrong(struct test *t, size_t off, const char *fmt, ...)
{
	va_list ap;

	if (t->status == TEST_WRONG)
		return;
	t->status = TEST_WRONG;
	t->at = off;
	textbuf_free(&t->why);
	va_start(ap, fmt);
	textbuf_vprintf(&t->why, fmt, ap);
	va_end(ap);
}

/* A mistake of the file itself, in a test made for it. */
static void
file_wrong(struct reader *r, size_t off, const char *fmt, ...)
{
	struct test *t = test_new(r->tests, r->source->name);
	va_list ap;

	t->kind = TEST_FILE;
	t->source = r->source;
	t->off = t->end = off;
	source_place(r->source, off, &t->line, &t->column);
	t->text = xstrdup("(the file)");
	t->status = TEST_WRONG;
	t->at = off;
	va_start(ap, fmt);
	textbuf_vprintf(&t->why, fmt, ap);
	va_end(ap);
}

/* ---- settings ---- */

static void
add_header(struct setting *s, int option, const char *value)
{
	s->headers = xrealloc(s->headers, (s->nheaders + 1) *
	    sizeof(*s->headers));
	s->headers[s->nheaders++] = (struct header){ option,
	    value != NULL ? xstrdup(value) : NULL };
}

static void
add_span(struct setting *s, size_t off, size_t end)
{
	s->spans = xrealloc(s->spans, (s->nspans + 1) * sizeof(*s->spans));
	s->spans[s->nspans++] = (struct span){ off, end };
}

static struct setting *
new_setting(struct reader *r)
{
	struct setting *s = xcalloc(1, sizeof(*s)), **last;

	s->source = r->source;
	s->optimize = r->common.optimize;
	s->numeric = r->common.numeric;
	if (r->common.anchor != NULL)
		s->anchor = xstrdup(r->common.anchor);
	for (size_t i = 0; i < r->common.nheaders; i++)
		add_header(s, r->common.headers[i].option,
		    r->common.headers[i].value);
	for (size_t i = 0; i < r->common.nspans; i++)
		add_span(s, r->common.spans[i].off, r->common.spans[i].end);
	for (last = &r->tests->settings; *last != NULL; last = &(*last)->next)
		;
	*last = s;
	r->setting = s;
	return s;
}

static void
clear_setting(struct setting *s)
{
	for (size_t i = 0; i < s->nheaders; i++)
		free(s->headers[i].value);
	free(s->headers);
	free(s->spans);
	free(s->ruleset);
	free(s->anchor);
}

/* Where headers go now. */
static struct setting *
target(struct reader *r)
{
	return r->setting != NULL ? r->setting : &r->common;
}

/* ---- lines ---- */

/* The word behind the one that is there, which ends the line if it must. */
static const char *
value(struct reader *r, bool last)
{
	struct words *w = &r->words;
	const struct word *name = &w->word[w->at], *v = &w->word[w->at + 1];

	if (v->kind != WORD_PLAIN && v->kind != WORD_STRING) {
		file_wrong(r, v->off, "`%s' wants a word behind it",
		    name->text);
		return NULL;
	}
	w->at += 2;
	if (last && w->word[w->at].kind != WORD_END) {
		file_wrong(r, w->word[w->at].off, "`%s' wants one word only",
		    name->text);
		return NULL;
	}
	return v->text;
}

static void
ruleset_header(struct reader *r)
{
	size_t off = r->words.off;
	const char *name = value(r, true);

	if (name == NULL)
		return;
	new_setting(r)->ruleset = source_path(r->source, name);
	r->setting->off = off;
}

static void
path_header(struct reader *r, int option)
{
	const char *name = value(r, true);
	char *path;

	if (name == NULL)
		return;
	path = source_path(r->source, name);
	add_header(target(r), option, path);
	free(path);
}

static void
host_header(struct reader *r)
{
	path_header(r, OPT_HOST);
}

static void
dialect_header(struct reader *r)
{
	size_t off = r->words.word[r->words.n > 1 ? 1 : 0].off;
	const char *name = value(r, true);

	if (name != NULL && strcmp(name, "openbsd") != 0)
		file_wrong(r, off, "no such dialect (there is openbsd)");
}

/* -D NAME=VALUE, which was cut into three words or more. */
static void
define_option(struct reader *r)
{
	const struct words *w = &r->words;
	struct textbuf b = { NULL, 0, 0 };

	if (w->n < 4 || !word_is(&w->word[2], "=") || w->n > 4) {
		file_wrong(r, w->off, "-D wants NAME=VALUE");
		return;
	}
	textbuf_printf(&b, "%s=%s", w->word[1].text, w->word[3].text);
	add_header(target(r), 'D', b.text);
	textbuf_free(&b);
}

static void
optimize_option(struct reader *r)
{
	static const char *const levels[] = { "none", "basic", "profile" };
	size_t off = r->words.word[r->words.n > 1 ? 1 : 0].off;
	const char *level = value(r, true);

	for (int i = 0; level != NULL && i < 3; i++)
		if (strcmp(level, levels[i]) == 0) {
			target(r)->optimize = i;
			return;
		}
	if (level != NULL)
		file_wrong(r, off, "-o: none, basic or profile");
}

static void
anchor_option(struct reader *r)
{
	const char *name = value(r, true);

	if (name == NULL)
		return;
	free(target(r)->anchor);
	target(r)->anchor = xstrdup(name);
}

static const struct { const char *word; int option; } path_options[] = {
	{ "--host", OPT_HOST },		{ "--interfaces", OPT_INTERFACES },
	{ "--routes", OPT_ROUTES },	{ "--hosts", OPT_HOSTS },
	{ "--services", OPT_SERVICES },	{ "--protocols", OPT_PROTOCOLS },
	{ "--passwd", OPT_PASSWD },	{ "--group", OPT_GROUP },
	{ "--fingerprints", OPT_FINGERPRINTS },
};

static void
option_line(struct reader *r)
{
	const struct word *w = &r->words.word[0];

	for (size_t i = 0; i < sizeof(path_options) / sizeof(path_options[0]);
	    i++)
		if (word_is(w, path_options[i].word)) {
			path_header(r, path_options[i].option);
			return;
		}
	if (word_is(w, "-D"))
		define_option(r);
	else if (word_is(w, "-o"))
		optimize_option(r);
	else if (word_is(w, "-a"))
		anchor_option(r);
	else if (word_is(w, "-N") && r->words.n == 1)
		target(r)->numeric = true;
	else
		file_wrong(r, w->off, "a test file has no such option");
}

static char *
keep(struct tests *all, const char *text)
{
	all->groups = xrealloc(all->groups, (all->ngroups + 1) *
	    sizeof(*all->groups));
	return all->groups[all->ngroups++] = xstrdup(text);
}

/* A group without tests tests nothing. */
static void
end_group(struct reader *r)
{
	if (r->group[0] != '\0' && r->ngroup == 0)
		file_wrong(r, r->group_off, "the group has no tests");
}

static void
group_line(struct reader *r)
{
	struct words *w = &r->words;
	const char *name = value(r, false);

	if (name == NULL)
		return;
	end_group(r);
	r->group = keep(r->tests, name);
	r->group_off = w->off;
	r->group_skip = NULL;
	r->ngroup = 0;
	if (word_is(&w->word[w->at], "skip")) {
		name = value(r, false);
		r->group_skip = name != NULL ? keep(r->tests, name) : "";
	}
	if (w->word[w->at].kind != WORD_END)
		file_wrong(r, w->word[w->at].off,
		    "a group has a name, and may have `skip WHY'");
}

/* ---- tests ---- */

static void
no_kind(struct reader *r)
{
	const struct word *w = &r->words.word[r->words.at];

	file_wrong(r, w->off, "a test begins with pass, block or replay");
}

static void
add_test(struct reader *r, enum test_kind kind, const char *skip, size_t from)
{
	struct words *w = &r->words;
	struct test *t = test_new(r->tests, r->source->name);

	t->source = r->source;
	t->setting = r->setting != NULL ? r->setting : new_setting(r);
	t->kind = kind;
	t->off = w->word[from].off;
	t->end = w->end;
	source_place(r->source, t->off, &t->line, &t->column);
	t->group = r->group;
	t->text = words_text(w, from);
	if (skip == NULL)
		skip = r->group_skip;
	t->skip = skip != NULL ? xstrdup(skip) : NULL;
	if (kind == TEST_REPLAY)
		replay_line(t, w);
	else
		expect_line(t, w);
	r->ntests++;
	r->ngroup++;
}

static void
test_line(struct reader *r)
{
	struct words *w = &r->words;
	const char *skip = NULL;
	size_t from;

	if (word_is(&w->word[0], "skip") && (skip = value(r, false)) == NULL)
		return;
	from = w->at++;
	if (word_is(&w->word[from], "pass"))
		add_test(r, TEST_PASS, skip, from);
	else if (word_is(&w->word[from], "block"))
		add_test(r, TEST_BLOCK, skip, from);
	else if (word_is(&w->word[from], "replay"))
		add_test(r, TEST_REPLAY, skip, from);
	else {
		w->at = from;
		no_kind(r);
	}
}

static const struct { const char *word; void (*read)(struct reader *); }
    kinds[] = {
	{ "ruleset", ruleset_header },	{ "host", host_header },
	{ "dialect", dialect_header },	{ "group", group_line },
};

static void
line(struct reader *r)
{
	const struct words *w = &r->words;

	if (w->n > 1 && word_is(&w->word[1], "=")) {
		add_span(target(r), w->off, w->end);
		return;
	}
	if (word_is(&w->word[0], "table")) {
		add_span(target(r), w->off, w->end);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (word_is(&w->word[0], kinds[i].word)) {
			kinds[i].read(r);
			return;
		}
	if (w->word[0].text[0] == '-' && w->word[0].kind == WORD_PLAIN)
		option_line(r);
	else
		test_line(r);
}

/* ---- files ---- */

static void
read_lines(struct reader *r)
{
	size_t off = 0, wrong_at = 0;
	const char *wrong;

	r->words.source = r->source;
	while (words_next(&r->words, &off, &wrong, &wrong_at)) {
		if (wrong != NULL) {
			file_wrong(r, wrong_at, "%s", wrong);
			break;
		}
		line(r);
	}
	end_group(r);
	if (r->ntests == 0 && wrong == NULL)
		file_wrong(r, 0, "the file has no tests");
}

static void
unreadable(struct tests *all, const char *path)
{
	struct test *t = test_new(all, path);

	t->kind = TEST_FILE;
	t->text = xstrdup("(the file)");
	test_wrong(t, 0, "%s", strerror(errno));
}

void
tests_read(struct tests *all, const char *path)
{
	struct reader r = { .tests = all, .path = path, .group = "" };

	r.common.optimize = PFK_OPT_FROM_FILE;
	r.source = source_read(path);
	if (r.source == NULL) {
		unreadable(all, path);
		return;
	}
	all->sources = xrealloc(all->sources, (all->nsources + 1) *
	    sizeof(struct source *));
	all->sources[all->nsources++] = r.source;
	read_lines(&r);
	words_free(&r.words);
	clear_setting(&r.common);
}

void
tests_free(struct tests *all)
{
	struct setting *s;
	struct test *t;

	while ((t = all->first) != NULL) {
		all->first = t->next;
		test_free(t);
	}
	while ((s = all->settings) != NULL) {
		all->settings = s->next;
		textbuf_free(&s->unusable);
		clear_setting(s);
		free(s);
	}
	for (size_t i = 0; i < all->nsources; i++)
		source_free(all->sources[i]);
	for (size_t i = 0; i < all->ngroups; i++)
		free(all->groups[i]);
	free(all->sources);
	free(all->groups);
}
