/*
 * Whether an expectation holds: every cell of its rules, and of each the
 * engine's answer.
 *
 * The answer is the cell's only if the cell was cut right; so a second packet
 * of it, from its other end, is asked about, too.  If the two differ, that is
 * said, and is a fault of ours.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "decide.h"

#define CELLS_MAX	200000	/* of one expectation */

/* ---- what an answer rests on ---- */

void
note(struct test *t, const char *fmt, ...)
{
	struct textbuf b = { NULL, 0, 0 };
	va_list ap;

	va_start(ap, fmt);
	textbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	textbuf_str(&b, "\n");
	if (t->notes.text == NULL || strstr(t->notes.text, b.text) == NULL)
		textbuf_str(&t->notes, b.text);
	textbuf_free(&b);
}

static void
rule_place(const struct run *r, uint32_t rule, struct textbuf *b)
{
	struct pfk_rule_info info;

	pfk_image_rule(r->image, rule, &info);
	textbuf_printf(b, "%s:%u", info.file, (unsigned)info.line);
}

static void
depends(void *ctx, const struct rule_tests *rule)
{
	struct decision *d = ctx;
	struct textbuf b = { NULL, 0, 0 };

	if (rule->block == (d->test->kind == TEST_BLOCK))
		return;
	rule_place(d->run, rule->rule, &b);
	note(d->test, "the contents of the table in %s", b.text);
	textbuf_free(&b);
}

/* A rule that chance or the like rules: whether it may spoil the answer. */
static bool
question(void *ctx, const struct rule_tests *rule, const struct cell *c)
{
	struct decision *d = ctx;
	struct textbuf b = { NULL, 0, 0 };

	rule_place(d->run, rule->rule, &b);
	note(d->test, "%s (%s)", b.text, rule->question);
	if (rule->decides && rule->block != (d->test->kind == TEST_BLOCK)) {
		struct packet k;

		cell_packet(&d->run->rules, c, &k);
		d->test->status = TEST_FAILS;
		textbuf_printf(&d->test->why, "that rests on %s: the rule of %s "
		    "may decide otherwise", rule->question, b.text);
		packet_words(d->run, &k, &d->test->packet);
		trace_line(d->run, d->test->packet.text, &d->test->trace);
	}
	textbuf_free(&b);
	return d->test->status == TEST_WAITS;
}

/* "(max 10, ...)": as long as that is not reached */
static void
note_limits(struct decision *d, uint32_t rule)
{
	struct pfk_rule_info info;
	struct textbuf b = { NULL, 0, 0 };

	if (rule == PFK_RULE_DEFAULT || rule == PFK_RULE_NONE)
		return;
	pfk_image_rule(d->run->image, rule, &info);
	if (strstr(info.text, "(max ") == NULL &&
	    strstr(info.text, " max-src-") == NULL &&
	    strstr(info.text, "(max-src-") == NULL)
		return;
	rule_place(d->run, rule, &b);
	note(d->test, "the limits of the rule in %s", b.text);
	textbuf_free(&b);
}

/* ---- cells ---- */

/* The other end of the cell. */
static void
other_packet(const struct decision *d, const struct cell *c,
    const struct packet *k, struct packet *other)
{
	struct cell end = *c;

	for (unsigned i = DIM_SRC; i <= DIM_DPORT; i++)
		if (num_compare(c->dim[i].from, c->dim[i].to) != 0)
			end.dim[i].from = c->dim[i].to;
	cell_packet(&d->run->rules, &end, other);
	other->dir = k->dir;
	memcpy(other->ifname, k->ifname, sizeof(k->ifname));
}

static bool
is_decided_by_rules(const struct outcome *o)
{
	return o->verdict == PFK_PASS || o->verdict == PFK_BLOCK;
}

/* Whether the cell is one: its other end is decided alike. */
static bool
is_sound(struct decision *d, const struct cell *c, const struct packet *k,
    const struct outcome *o)
{
	struct packet other;
	struct outcome first = *o;
	const struct outcome *second;

	if (d->has_questions)
		return true;
	other_packet(d, c, k, &other);
	if (memcmp(&other, k, sizeof(other)) == 0)
		return true;
	probe_forget(d->run);
	second = probe(d->run, &other, other.dir);
	probe_forget(d->run);
	if (!is_decided_by_rules(&first) || !is_decided_by_rules(second) ||
	    (first.verdict == second->verdict && first.rule == second->rule)) {
		d->run->outcome = first;
		return true;
	}
	failure(d->run, d->test, &other, second,
	    "pfkit contradicts itself about this packet: please report this");
	d->test->status = TEST_WRONG;
	d->test->at = d->test->off;
	return false;
}

/*
 * Not a packet that TCP sends, or one that needs options of IP (MLD): pf drops
 * it before any rule; or one that never comes to pf.
 */
static bool
cannot_be(const struct outcome *o, const struct packet *k)
{
	if (o->verdict == PFK_DROP)
		return o->reason == PFK_REASON_IPOPTIONS ||
		    (k->proto == 6 && o->reason == PFK_REASON_NORM);
	return o->verdict == PFK_IGNORE;
}

const char *
verdict_wrong(const struct test *t, const struct outcome *o)
{
	if (t->kind == TEST_PASS && !outcome_passes(o))
		return o->verdict == PFK_BLOCK ? "this packet is blocked" :
		    o->verdict == PFK_DROP ? "this packet is dropped" :
		    "pf never decides about this packet";
	if (t->kind == TEST_BLOCK && outcome_passes(o))
		return o->verdict == PFK_SKIP ? "this packet passes: the "
		    "interface is under `set skip'" : "this packet passes";
	return NULL;
}

/* What pf does not answer says nothing about answers. */
static bool
is_unanswerable(const struct test *t, const struct packet *k)
{
	return (t->want.sends == SENDS_RST || t->want.sends == SENDS_ICMP) &&
	    k->proto == 6 && (k->tcp_flags & 0x04) != 0;
}

static bool
visit(void *ctx, const struct cell *c)
{
	struct decision *d = ctx;
	struct textbuf words = { NULL, 0, 0 };
	const struct outcome *o;
	const char *wrong;
	struct packet k;

	cell_packet(&d->run->rules, c, &k);
	o = probe(d->run, &k, k.dir);
	probe_forget(d->run);
	if (!is_sound(d, c, &k, o))
		return false;
	if (cannot_be(o, &k) || is_unanswerable(d->test, &k))
		return true;
	d->ncells++;
	if (d->test->through)
		return through(d, c, &k);
	wrong = verdict_wrong(d->test, o);
	if (wrong == NULL)
		wrong = effects_missing(d->run, d->test, o, &words);
	if (wrong != NULL)
		failure(d->run, d->test, &k, o, wrong);
	else
		note_limits(d, o->rule);
	textbuf_free(&words);
	return wrong == NULL;
}

bool
decide_cells(struct decision *d, const struct cell *c,
    bool (*fn)(void *, const struct cell *))
{
	const struct wants *want = &d->test->want;
	struct partition p = { .rules = &d->run->rules, .visit = fn,
	    .question = question, .depends = depends, .ctx = d,
	    .left = d->left };
	bool good;

	p.care = want->log != UNSAID;
	good = partition(&p, c);
	d->left = p.left;
	if (!good && d->test->status == TEST_WAITS && p.left == 0) {
		d->test->status = TEST_FAILS;
		textbuf_printf(&d->test->why, "not decided: the ruleset cuts it "
		    "into more than %u parts", CELLS_MAX);
	}
	return good && d->test->status == TEST_WAITS;
}

static bool
one_cell(void *ctx, const struct cell *c)
{
	struct decision *d = ctx;

	d->any = true;
	return decide_cells(d, c, visit);
}

/* ---- rules ---- */

/* Tests that are no description of packets. */
static bool
is_description(struct test *t, const struct rule_tests *w)
{
	const char *what = w->question;

	for (unsigned i = 0; i < NDIMS && what == NULL; i++)
		if (w->dim[i].how == TEST_CUTS)
			what = i == DIM_TYPE || i == DIM_CODE || i == DIM_TOS ?
			    "a value that is not known here (numbers are)" :
			    "what only the routes know";
	if (what == NULL && w->maybe)
		what = "more than a packet says";
	if (what != NULL && !w->never)
		test_wrong(t, t->off, "the expectation asks for %s", what);
	return what == NULL || w->never;
}

/* Why no packet fits a rule of the expectation. */
static void
tell_empty(struct run *r, struct test *t, const struct rule_tests *w)
{
	struct pfk_rule_info info;
	const char *why = "";

	for (unsigned i = DIM_SRC; i <= DIM_DST; i++)
		if (w->dim[i].table && w->dim[i].set.n == 0)
			why = ", the table has no addresses";
	for (size_t i = 0; w->ifaces != NULL && i <= r->rules.nifs; i++) {
		if (i == r->rules.nifs)
			why = ", the host has no such interface";
		else if (w->ifaces[i])
			break;
	}
	pfk_image_rule(r->wanted, w->rule, &info);
	test_wrong(t, t->off, "this could not fail: no packet is described by "
	    "it%s (%s)", why, info.text);
}

/*
 * All cells of the line's rules.  A rule is there for both families; it must
 * have packets in one of them.
 */
static bool
all_cells(struct decision *d, bool (*fn)(void *, const struct cell *))
{
	struct run *r = d->run;
	const struct rule_tests *a, *b;

	for (uint32_t i = r->first[TEXT_FIRST][d->test->line]; i != 0;
	    i = r->next[i - 1]) {
		a = r->wants.rules[i - 1];
		if (!is_description(d->test, a))
			return false;
		b = NULL;
		for (uint32_t k = r->first[TEXT_FIRST][d->test->line]; k != 0;
		    k = r->next[k - 1])
			if (k != i && r->wants.rules[k - 1]->rule == a->rule)
				b = r->wants.rules[k - 1];
		if (rule_is_empty(a) && (b == NULL || rule_is_empty(b))) {
			tell_empty(r, d->test, a);
			return false;
		}
	}
	for (uint32_t i = r->first[TEXT_FIRST][d->test->line]; i != 0;
	    i = r->next[i - 1])
		if (!cells_of_rule(&r->wants, r->wants.rules[i - 1], fn, d))
			return false;
	return true;
}

bool
rule_is_empty(const struct rule_tests *w)
{
	if (w->never)
		return true;
	for (unsigned i = 0; i < NDIMS; i++)
		if (w->dim[i].how == TEST_RANGES && w->dim[i].set.n == 0)
			return true;
	return false;
}

void
decide(struct test *t)
{
	struct decision d = { .run = t->setting->run, .test = t,
	    .left = CELLS_MAX };

	for (size_t i = 0; i < d.run->rules.nrules; i++)
		d.has_questions |= d.run->rules.rules[i]->question != NULL;
	if (!t->through || through_start(&d))
		(void)all_cells(&d, one_cell);
	free(d.out);
	if (t->status != TEST_WAITS)
		return;
	if (!d.any) {
		if (d.run->first[TEXT_FIRST][t->line] != 0)
			tell_empty(d.run, t, d.run->wants.rules[
			    d.run->first[TEXT_FIRST][t->line] - 1]);
		else
			test_wrong(t, t->off,
			    "this could not fail: no rule comes of it");
		return;
	}
	t->status = TEST_HOLDS;
}
