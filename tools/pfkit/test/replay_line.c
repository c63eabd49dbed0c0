/*
 * A line that replays:
 *
 *	replay [on IFACE] [in|out|fwd] [local NET[,NET]] [directions FILE]
 *	    [IFACE[:DIR]=]CAPTURE ... expect VERDICTS | COUNT [CMP] N ...
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "test.h"

static const char *const count_names[] = {
	[COUNT_PACKETS] = "packets",	[COUNT_PASSED] = "passed",
	[COUNT_BLOCKED] = "blocked",	[COUNT_DROPPED] = "dropped",
	[COUNT_HELD] = "held",		[COUNT_SKIPPED] = "skipped",
	[COUNT_IGNORED] = "ignored",	[COUNT_STATES] = "states",
	[COUNT_LOGGED] = "logged",	[COUNT_TRANSLATED] = "translated",
};
static const char *const compare_names[] = {
	[CMP_EQ] = "=", [CMP_NE] = "!=", [CMP_LT] = "<", [CMP_LE] = "<=",
	[CMP_GT] = ">", [CMP_GE] = ">=",
};

const char *
count_name(enum count c)
{
	return count_names[c];
}

const char *
compare_name(enum compare c)
{
	return compare_names[c];
}

void
replay_line_free(struct replay_line *r)
{
	for (size_t i = 0; i < r->ncaptures; i++)
		free(r->captures[i]);
	free(r->captures);
	free(r->verdicts);
	free(r->bounds);
	free(r->interface);
	free(r->directions);
	free(r->local);
}

static bool
is_value(const struct word *w)
{
	return w->kind == WORD_PLAIN || w->kind == WORD_STRING;
}

/* The value behind a word, in memory of its own. */
static void
take_value(struct test *t, struct words *w, char **value, bool path)
{
	const struct word *v = &w->word[w->at + 1];

	if (!is_value(v)) {
		test_wrong(t, v->off, "`%s' wants a word behind it",
		    w->word[w->at].text);
		w->at = w->n;
		return;
	}
	free(*value);
	*value = path ? source_path(t->source, v->text) : xstrdup(v->text);
	w->at += 2;
}

/* "trace.pcap", "em0:in=trace.pcap": cut into three words at the sign */
static void
take_capture(struct test *t, struct words *w)
{
	struct replay_line *r = &t->replay;
	struct textbuf b = { NULL, 0, 0 };
	char *path;

	if (word_is(&w->word[w->at + 1], "=") &&
	    is_value(&w->word[w->at + 2])) {
		textbuf_printf(&b, "%s=", w->word[w->at].text);
		w->at += 2;
	}
	path = source_path(t->source, w->word[w->at++].text);
	textbuf_str(&b, path);
	free(path);
	r->captures = xrealloc(r->captures, (r->ncaptures + 1) *
	    sizeof(char *));
	r->captures[r->ncaptures++] = b.text;
}

static void
take_where(struct test *t, struct words *w)
{
	const struct word *v = &w->word[w->at];
	uint8_t dir = v->kind == WORD_PLAIN ? parse_direction(v->text,
	    strlen(v->text)) : 0;

	if (dir != 0) {
		t->replay.dir = dir;
		w->at++;
	} else if (word_is(v, "on"))
		take_value(t, w, &t->replay.interface, false);
	else if (word_is(v, "directions"))
		take_value(t, w, &t->replay.directions, true);
	else if (word_is(v, "local"))
		take_value(t, w, &t->replay.local, false);
	else if (is_value(v))
		take_capture(t, w);
	else {
		test_wrong(t, v->off, "a capture is wanted here");
		w->at = w->n;
	}
}

/* ---- what is expected ---- */

static int
find(const char *const *names, int n, const struct word *w)
{
	for (int i = 0; i < n; i++)
		if (word_is(w, names[i]))
			return i;
	return -1;
}

/* "passed >= 100", "blocked 0" */
static void
take_bound(struct test *t, struct words *w, int count)
{
	struct replay_line *r = &t->replay;
	struct bound b = { (enum count)count, CMP_EQ, 0 };
	const struct word *v;
	char *end;
	int compare;

	compare = find(compare_names, CMP_GE + 1, &w->word[++w->at]);
	if (compare >= 0) {
		b.compare = (enum compare)compare;
		w->at++;
	}
	v = &w->word[w->at];
	errno = 0;
	b.value = v->kind == WORD_PLAIN ? strtoull(v->text, &end, 10) : 0;
	if (v->kind != WORD_PLAIN || *v->text < '0' || *v->text > '9' ||
	    *end != '\0' || errno != 0) {
		test_wrong(t, v->off, "a number is wanted here");
		w->at = w->n;
		return;
	}
	if (b.compare == CMP_GE && b.value == 0)
		test_wrong(t, v->off, "this cannot fail");
	if (b.compare == CMP_LT && b.value == 0)
		test_wrong(t, v->off, "this cannot hold");
	w->at++;
	r->bounds = xrealloc(r->bounds, (r->nbounds + 1) *
	    sizeof(*r->bounds));
	r->bounds[r->nbounds++] = b;
}

static void
take_expected(struct test *t, struct words *w)
{
	const struct word *v = &w->word[w->at];
	int count = find(count_names, NCOUNTS, v);

	if (count >= 0)
		take_bound(t, w, count);
	else if (is_value(v) && t->replay.verdicts == NULL) {
		t->replay.verdicts = source_path(t->source, v->text);
		w->at++;
	} else {
		test_wrong(t, v->off, "a file of verdicts, or a count as "
		    "`passed >= 1' is wanted here");
		w->at = w->n;
	}
}

void
replay_line(struct test *t, struct words *w)
{
	while (w->at < w->n && !word_is(&w->word[w->at], "expect"))
		take_where(t, w);
	if (t->replay.ncaptures == 0)
		test_wrong(t, w->word[w->at].off, "which capture?");
	if (w->at == w->n) {
		test_wrong(t, w->end, "what is expected? (expect ...)");
		return;
	}
	w->at++;
	if (w->at == w->n)
		test_wrong(t, w->end, "what is expected?");
	while (w->at < w->n)
		take_expected(t, w);
}
