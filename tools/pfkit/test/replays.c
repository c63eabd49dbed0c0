/*
 * A capture as an expectation: run through the ruleset, its decisions counted,
 * or held line by line against a file as `pfkit replay --verdicts' writes it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../pfkit.h"
#include "../replay/replay.h"
#include "run.h"

#define SHOWN_MAX	5	/* lines that differ */

struct counted {
	struct output	 o;		/* first */
	uint64_t	 counts[NCOUNTS];
	struct output	*verdicts;	/* NULL: not wanted */
	struct cover	*cover;
};

static void
decided(struct output *o, const struct pfk_decision *d)
{
	static const enum count of[] = { [PFK_PASS] = COUNT_PASSED,
	    [PFK_BLOCK] = COUNT_BLOCKED, [PFK_DROP] = COUNT_DROPPED,
	    [PFK_HOLD] = COUNT_HELD, [PFK_SKIP] = COUNT_SKIPPED,
	    [PFK_IGNORE] = COUNT_IGNORED };
	struct counted *c = (struct counted *)o;

	c->counts[of[d->verdict]]++;
	c->counts[COUNT_PACKETS] += !d->second;
	c->counts[COUNT_TRANSLATED] += (d->changed & PFK_CHANGED_FLOW) != 0;
	if (c->verdicts != NULL)
		c->verdicts->decision(c->verdicts, d);
	if (c->cover != NULL)
		cover_decided(c->cover, o->replay->engine, d);
}

static void
logged(struct output *o, const struct pfk_log *l)
{
	(void)l;
	((struct counted *)o)->counts[COUNT_LOGGED]++;
}

static void
pass_decision(void *arg, const struct pfk_decision *d)
{
	struct replay *r = arg;

	decided(r->outputs[0], d);
}

static void
pass_log(void *arg, const struct pfk_log *l)
{
	struct replay *r = arg;

	logged(r->outputs[0], l);
}

/* ---- what is expected ---- */

static bool
holds(const struct bound *b, uint64_t n)
{
	switch (b->compare) {
	case CMP_EQ:
		return n == b->value;
	case CMP_NE:
		return n != b->value;
	case CMP_LT:
		return n < b->value;
	case CMP_LE:
		return n <= b->value;
	case CMP_GT:
		return n > b->value;
	case CMP_GE:
		return n >= b->value;
	}
	return false;
}

static void
check_counts(struct test *t, const struct counted *c)
{
	for (size_t i = 0; i < t->replay.nbounds; i++) {
		const struct bound *b = &t->replay.bounds[i];

		if (holds(b, c->counts[b->count]))
			continue;
		t->status = TEST_FAILS;
		textbuf_printf(&t->why, "%s%s: %" PRIu64 ", not %s %" PRIu64,
		    t->why.len > 0 ? "; " : "", count_name(b->count),
		    c->counts[b->count], compare_name(b->compare), b->value);
	}
}

/* The next line of a text that is no comment; NULL: there is none. */
static const char *
next_line(const char **p, const char *end, size_t *len)
{
	const char *line, *nl;

	while (*p < end) {
		line = *p;
		nl = memchr(line, '\n', (size_t)(end - line));
		*len = (size_t)((nl != NULL ? nl : end) - line);
		*p = nl != NULL ? nl + 1 : end;
		if (*len > 0 && line[*len - 1] == '\r')
			--*len;
		if (*len > 0 && line[0] != '#')
			return line;
	}
	return NULL;
}

static void
tell_difference(struct test *t, const char *want, size_t wlen,
    const char *have, size_t hlen)
{
	textbuf_printf(&t->detail, "- %.*s\n+ %.*s\n", want != NULL ?
	    (int)wlen : 0, want != NULL ? want : "", have != NULL ?
	    (int)hlen : 0, have != NULL ? have : "");
}

static void
trace_packet_line(struct run *r, struct test *t, const char *line)
{
	struct textbuf more = { NULL, 0, 0 };

	if (t->replay.interface != NULL)
		textbuf_printf(&more, "-i %s ", t->replay.interface);
	if (t->replay.dir != 0)
		textbuf_printf(&more, "-d %s ", t->replay.dir == PFK_IN ? "in" :
		    t->replay.dir == PFK_OUT ? "out" : "fwd");
	if (t->replay.directions != NULL)
		textbuf_printf(&more, "--directions %s ",
		    t->replay.directions);
	textbuf_printf(&more, "--packet %lu", strtoul(line, NULL, 10));
	for (size_t i = 0; i < t->replay.ncaptures; i++)
		textbuf_printf(&more, " %s", t->replay.captures[i]);
	trace_line(r, more.text, &t->trace);
	textbuf_free(&more);
}

static void
check_verdicts(struct run *r, struct test *t, struct out *out)
{
	struct source *file = source_read(t->replay.verdicts);
	const char *want, *have, *w, *h;
	size_t len, wlen, hlen, ndiff = 0;

	if (file == NULL) {
		test_wrong(t, t->off, "%s: %s", t->replay.verdicts,
		    strerror(errno));
		return;
	}
	want = file->text;
	have = out_collected(out, &len);
	for (const char *end = have + len;;) {
		w = next_line(&want, file->text + file->len, &wlen);
		h = next_line(&have, end, &hlen);
		if (w == NULL && h == NULL)
			break;
		if (w != NULL && h != NULL && wlen == hlen &&
		    memcmp(w, h, wlen) == 0)
			continue;
		if (ndiff == 0 && h != NULL)
			trace_packet_line(r, t, h);
		if (ndiff++ < SHOWN_MAX)
			tell_difference(t, w, wlen, h, hlen);
	}
	source_free(file);
	if (ndiff == 0)
		return;
	t->status = TEST_FAILS;
	textbuf_printf(&t->why, "%s%zu verdict%s", t->why.len > 0 ? "; " : "",
	    ndiff, ndiff == 1 ? " differs" : "s differ");
}

/* ---- running ---- */

static bool
can_read(struct test *t)
{
	for (size_t i = 0; i < t->replay.ncaptures; i++) {
		const char *word = t->replay.captures[i];
		size_t len = strcspn(word, "=/");
		const char *path = word[len] == '=' ? word + len + 1 : word;

		if (access(path, R_OK) != 0) {
			test_wrong(t, t->off, "%s: %s", path, strerror(errno));
			return false;
		}
	}
	return true;
}

static bool
set_local(struct test *t, struct replay_options *o)
{
	char *list = xstrdup(t->replay.local), *at = list, *word;
	bool good = true;

	o->have_local = true;
	while ((word = strsep(&at, ",")) != NULL && good) {
		o->local = xrealloc(o->local, (o->nlocal + 1) *
		    sizeof(*o->local));
		good = parse_net(word, &o->local[o->nlocal++]);
	}
	free(list);
	if (!good)
		test_wrong(t, t->off, "`local' wants networks");
	return good;
}

static void
run_replay(struct run *r, struct test *t, struct replay_options *o)
{
	struct counted c = { .verdicts = NULL, .cover = r->cover };
	struct replay p = { .o = o, .host = r->host, .image = r->image };
	struct pfk_sink sink = { .ctx = &p, .decision = pass_decision,
	    .log = pass_log };
	int status;

	p.outputs[0] = &c.o;
	p.noutputs = 1;
	c.o.replay = &p;
	c.o.out = out_memory();
	if (t->replay.verdicts != NULL) {
		c.verdicts = verdicts_new();
		c.verdicts->replay = &p;
		c.verdicts->out = c.o.out;
	}
	p.engine = replay_engine(&p, &sink);
	if (c.cover != NULL)
		cover_attach(c.cover, p.engine);
	p.inputs = inputs_open(o->captures, o->ncaptures);
	status = replay_run(&p);
	c.counts[COUNT_STATES] = pfk_engine_nstates(p.engine);
	if (c.cover != NULL)
		cover_evaluations(c.cover, p.engine);
	if (status != 0)
		test_wrong(t, t->off, "the capture cannot be replayed");
	check_counts(t, &c);
	if (c.verdicts != NULL)
		check_verdicts(r, t, c.o.out);
	inputs_close(p.inputs);
	pfk_engine_free(p.engine);
	(void)out_close(c.o.out);
	free(c.verdicts);
}

void
replay_test(struct test *t)
{
	struct run *r = t->setting->run;
	struct replay_options o = { .debug = -1, .quiet = true };

	o.ruleset = r->o;
	o.interface = t->replay.interface;
	o.dir = t->replay.dir;
	o.directions = t->replay.directions;
	o.captures = t->replay.captures;
	o.ncaptures = t->replay.ncaptures;
	if (can_read(t) && (t->replay.local == NULL || set_local(t, &o)))
		run_replay(r, t, &o);
	free(o.local);
	if (t->status == TEST_WAITS)
		t->status = TEST_HOLDS;
}
