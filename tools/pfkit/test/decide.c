/*
 * Whether an expectation holds: of the packets that it describes, those that
 * the ruleset treats otherwise are taken; if there are none, it does.
 *
 * What is told of an expectation that does not hold is what the engine did
 * with one of those packets.  Engine and analysis must agree about it: if they
 * do not, that is said, and is a fault of ours.  Only where the engine cannot
 * be given all that matters (a tag, the operating system of a sender) the
 * analysis stands alone.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "exact.h"

/* ---- engine and analysis ---- */

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

void
outcome_of(const struct ruled *u, size_t region, struct outcome *o)
{
	const struct pfk_outcome *x = &u->region[region].outcome;

	memset(o, 0, sizeof(*o));
	o->verdict = x->pass ? PFK_PASS : PFK_BLOCK;
	o->rule = x->rule;
	o->logged = x->log;
	o->state = x->state ? PFK_STATE_NEW : PFK_STATE_NONE;
}

/* A cookie, or a proxy's answer: the rules are asked when that comes back. */
static bool
is_intercepted(const struct outcome *o)
{
	return o->verdict == PFK_DROP && o->nreplies > 0 &&
	    o->replies[0] == PFK_REPLY_SYNACK;
}

bool
agree(const struct pfk_outcome *x, const struct outcome *o)
{
	if (o->verdict == PFK_SKIP)
		return x->pass && x->rule == PFK_EXACT_DEFAULT;
	if (o->verdict == PFK_DROP)	/* not by a rule */
		return o->reason != PFK_REASON_MATCH;
	return x->pass == (o->verdict == PFK_PASS) && x->rule == o->rule;
}

void
contradiction(struct decision *d, const struct packet *k,
    const struct outcome *o)
{
	failure(d->run, d->test, k, o,
	    "pfkit contradicts itself about this packet: please report this");
	d->test->status = TEST_WRONG;
	d->test->at = d->test->off;
}

/* Packets of a crossing that came from nowhere. */
void
lost_packets(struct decision *d)
{
	test_wrong(d->test, d->test->off, "pfkit contradicts itself about what "
	    "packets become: please report this");
}

/* ---- the packet that breaks it ---- */

struct own { struct decision *d; const char *name; bool found; };

static void
is_it(void *ctx, const char *name)
{
	struct own *o = ctx;

	o->found |= strcmp(name, o->name) == 0;
}

/* The line's own questions are answered as it wants; others with no. */
static bool
is_of_others(void *ctx, const char *name)
{
	struct own o = { ctx, name, false };

	if (!o.d->asks)
		return true;
	pfk_set_questions(o.d->e->x, o.d->set, is_it, &o);
	return !o.found;
}

/* Packets of the set, whatever chance does; or (rests) if it does so. */
static pfk_set
settled(struct decision *d, pfk_set set, bool rests)
{
	struct pfk_exact *x = d->e->x;
	pfk_set one = rests ? pfk_set_copy(x, set) :
	    pfk_set_whatever(x, set, is_of_others, d), any;

	any = pfk_set_possible(x, one);
	pfk_set_free(x, one);
	return any;
}

/*
 * A region that the packet may be in and that is so; n: there is none.  That it
 * is in one whatever chance does is seen without making sets.
 */
static size_t
region_of(struct decision *d, const struct ruled *u, pfk_set set,
    const struct pfk_exact_packet *p,
    bool (*is)(struct decision *, const struct pfk_outcome *, const void *),
    const void *ctx)
{
	struct pfk_exact *x = d->e->x;
	size_t found = u->n;

	for (size_t i = 0; i < u->n && !d->asks; i++)
		if (is(d, &u->region[i].outcome, ctx) &&
		    pfk_set_has(x, u->region[i].set, p) &&
		    pfk_set_has(x, set, p))
			return i;
	for (size_t i = 0; i < u->n && found == u->n; i++) {
		pfk_set part, any;

		if (!is(d, &u->region[i].outcome, ctx))
			continue;
		part = pfk_set_and(x, u->region[i].set, set);
		set_to(d->e, &part, exact_as_filled(d->run, part));
		any = pfk_set_possible(x, part);
		if (pfk_set_has(x, any, p))
			found = i;
		pfk_set_free(x, part);
		pfk_set_free(x, any);
	}
	return found;
}

static bool
is_any(struct decision *d, const struct pfk_outcome *o, const void *ctx)
{
	(void)d;
	(void)ctx;
	return o != NULL;
}

static bool
is_engines(struct decision *d, const struct pfk_outcome *o, const void *ctx)
{
	(void)d;
	return agree(o, ctx);
}

static bool
is_by_chance(struct decision *d, const struct pfk_outcome *o, const void *ctx)
{
	struct pfk_rule_info info;

	(void)ctx;
	if (o->rule == PFK_EXACT_DEFAULT)
		return false;
	pfk_image_rule(d->run->image, o->rule, &info);
	return asked_for(info.text) != NULL;
}

bool
find_breaker(struct decision *d, const struct ruled *u, pfk_set set,
    struct breaker *b)
{
	struct pfk_exact *x = d->e->x;
	pfk_set any = settled(d, set, false);
	bool found;

	b->rests = any == PFK_SET_NONE;
	if (b->rests)
		set_to(d->e, &any, settled(d, set, true));
	found = pfk_exact_example(x, any, &b->p);
	pfk_set_free(x, any);
	if (!found)
		return false;
	b->region = u->n;
	if (b->rests)
		b->region = region_of(d, u, pfk_exact_universe(x), &b->p,
		    is_by_chance, NULL);
	return true;
}

size_t
breaker_region(struct decision *d, const struct ruled *u, pfk_set set,
    struct breaker *b)
{
	if (b->region == u->n)
		b->region = region_of(d, u, set, &b->p, is_any, NULL);
	return b->region;
}

/* Whether all that matters about the packet is in its bytes. */
static bool
engine_knows(const struct decision *d, const struct pfk_exact_packet *p)
{
	return !d->asks && d->ruled->tag == NULL && (p->dir == PFK_IN ||
	    p->received_on == NULL || !d->e->beyond);
}

/* The first question of others that a set rests on. */
struct asked { struct decision *d; char *name; };

static void
keep_first(void *ctx, const char *name)
{
	struct asked *a = ctx;

	if (a->name == NULL && !is_about_table(NULL, name) &&
	    is_of_others(a->d, name))
		a->name = xstrdup(name);
}

static const char *
asked_in_words(const char *question)
{
	static const struct { const char *begin, *what; } words[] = {
		{ "the probability", "its probability" },
		{ "too high a rate", "its rate of packets" },
		{ "the operating system", "the operating system of the "
		    "sender" },
		{ "the user", "the user or group of a socket" },
		{ "the group", "the user or group of a socket" },
		{ "the translated", "which address or port a translation "
		    "gives" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(question, words[i].begin,
		    strlen(words[i].begin)) == 0)
			return words[i].what;
	return "what a packet does not tell";
}

/* The rule that a question is about, by its text; otherwise `rule'. */
static uint32_t
asking_rule(const struct run *r, const char *question, uint32_t rule)
{
	const char *quote = strchr(question, '`');
	struct pfk_rule_info info;
	size_t len;

	for (uint32_t i = 0; quote != NULL && i < pfk_image_rules(r->image);
	    i++) {
		pfk_image_rule(r->image, i, &info);
		len = strlen(info.text);
		if (strncmp(quote + 1, info.text, len) == 0 &&
		    quote[len + 1] == '\'')
			return i;
	}
	return rule;
}

void
fails_perhaps(struct decision *d, const struct ruled *u, pfk_set set,
    struct breaker *b, const struct pfk_exact_packet *p, const char *where)
{
	struct asked asked = { d, NULL };
	struct textbuf more = { NULL, 0, 0 };
	uint32_t rule = PFK_EXACT_DEFAULT;
	struct pfk_rule_info info;
	struct test *t = d->test;
	struct packet k;

	pfk_set_questions(d->e->x, set, keep_first, &asked);
	if (breaker_region(d, u, set, b) < u->n)
		rule = u->region[b->region].outcome.rule;
	if (asked.name != NULL)
		rule = asking_rule(d->run, asked.name, rule);
	t->status = TEST_FAILS;
	textbuf_printf(&t->why, "%sthat rests on %s", where,
	    asked.name != NULL ? asked_in_words(asked.name) : "chance");
	if (rule != PFK_EXACT_DEFAULT) {
		pfk_image_rule(d->run->image, rule, &info);
		textbuf_printf(&t->why, ": the rule of %s:%u may decide "
		    "otherwise", info.file, (unsigned)info.line);
	}
	packet_of_set(&k, p);
	packet_words(d->run, &k, &t->packet);
	textbuf_printf(&more, "%s%s", t->through ? "--through " : "",
	    t->packet.text);
	trace_line(d->run, more.text, &t->trace);
	textbuf_free(&more);
	free(asked.name);
}

static void
fail(struct decision *d, const struct packet *k, const struct outcome *o,
    const char *why)
{
	struct textbuf b = { NULL, 0, 0 };

	textbuf_printf(&b, "%s%s", d->test->through ? "coming in: " : "",
	    why);
	failure(d->run, d->test, k, o, b.text);
	textbuf_free(&b);
}

/*
 * What the engine does; where it is not told all, what the analysis says.
 * false: they differ.
 */
static bool
engine_says(struct decision *d, struct breaker *b, pfk_set set,
    struct outcome *o, bool *alone)
{
	const struct ruled *u = d->ruled;
	struct packet k;

	packet_of_set(&k, &b->p);
	*o = *probe(d->run, &k, k.dir);
	probe_forget(d->run);
	*alone = is_intercepted(o) || !engine_knows(d, &b->p);
	if (!*alone && region_of(d, u, set, &b->p, is_engines, o) < u->n)
		return true;
	if (breaker_region(d, u, set, b) == u->n)
		return true;
	if (*alone)
		outcome_of(u, b->region, o);
	return *alone;
}

/* What is not in the words of the packet. */
static void
tell_beyond(struct decision *d, const struct pfk_exact_packet *p)
{
	struct textbuf *b = &d->test->detail;

	if (d->ruled->tag != NULL)
		textbuf_printf(b, "it has the tag %s\n", d->ruled->tag);
	if (p->dir == PFK_OUT && p->received_on != NULL)
		textbuf_printf(b, "it was received on %s\n", p->received_on);
}

static void
fails_by(struct decision *d, struct breaker *b, pfk_set set,
    const char *why)
{
	struct textbuf words = { NULL, 0, 0 };
	const char *seen = NULL;
	struct outcome o;
	struct packet k;
	bool alone;

	packet_of_set(&k, &b->p);
	if (!engine_says(d, b, set, &o, &alone)) {
		contradiction(d, &k, &o);
		return;
	}
	if (alone)
		tell_beyond(d, &b->p);
	if (!alone && (seen = verdict_wrong(d->test, &o)) == NULL)
		seen = effects_missing(d->run, d->test, &o, &words);
	fail(d, &k, &o, seen != NULL ? seen : why);
	textbuf_free(&words);
}

bool
broken_by(struct decision *d, pfk_set set, const char *why)
{
	struct breaker b;
	bool broken;

	set_to(d->e, &set, exact_as_filled(d->run, set));
	broken = set != PFK_SET_NONE && find_breaker(d, d->ruled, set, &b);
	if (broken && b.rests)
		fails_perhaps(d, d->ruled, set, &b, &b.p, d->test->through ?
		    "coming in: " : "");
	else if (broken)
		fails_by(d, &b, set, why);
	pfk_set_free(d->e->x, set);
	return broken;
}

/* ---- what the line describes ---- */

/* Why no packet fits a rule of the expectation. */
static void
tell_empty(struct decision *d, uint32_t rule)
{
	struct run *r = d->run;
	struct pfk_rule_info info;
	pfk_set open = pfk_set_rule_open(d->e->x, WANTED, rule);
	pfk_set there = pfk_set_rule(d->e->x, WANTED, rule);
	static const char empty[] = ", the table has no addresses";
	const char *why = "";

	if (there != PFK_SET_NONE && !pfk_set_meets(d->e->x, there,
	    d->e->there))
		why = ", the host has no such interface";
	set_to(d->e, &there, exact_as_filled(r, there));
	if (there == PFK_SET_NONE && open != PFK_SET_NONE)
		why = empty;
	pfk_set_free(d->e->x, open);
	pfk_set_free(d->e->x, there);
	pfk_image_rule(r->wanted, rule, &info);
	test_wrong(d->test, d->test->off, "this could not fail: no packet is "
	    "described by it%s (%s)%s", why, info.text, why == empty ?
	    "; a line `table <...> { ... }' here supposes some" : "");
}

/* Packets that cannot be answered say nothing about answers. */
static void
without_unanswerable(struct decision *d)
{
	pfk_set rst;

	if (d->test->want.sends != SENDS_RST &&
	    d->test->want.sends != SENDS_ICMP)
		return;
	rst = pfk_set_flags(d->e->x, 0x04, 0x04);
	set_minus(d->e, &d->set, rst);
	pfk_set_free(d->e->x, rst);
}

/* All that the line's rules describe; each of them must describe some. */
static bool
describe(struct decision *d)
{
	const struct run *r = d->run;
	const char *tag = NULL;
	pfk_set any;
	uint32_t i = r->first[TEXT_FIRST][d->test->line];

	if (i == 0)
		test_wrong(d->test, d->test->off,
		    "this could not fail: no rule comes of it");
	for (; i != 0; i = r->next[i - 1]) {
		pfk_set one = exact_rule(d->run, i - 1, &tag);
		bool empty = one == PFK_SET_NONE;

		set_or(d->e, &d->set, one);
		pfk_set_free(d->e->x, one);
		if (empty && pfk_exact_error(d->e->x) == PFK_OK) {
			tell_empty(d, i - 1);
			return false;
		}
	}
	without_unanswerable(d);
	any = pfk_set_possible(d->e->x, d->set);
	d->asks = any != d->set;
	pfk_set_free(d->e->x, any);
	d->ruled = exact_ruled(d->run, tag, d->set);
	return d->test->status == TEST_WAITS && d->ruled != NULL;
}

/* ---- the tests ---- */

static void
decide_set(struct decision *d)
{
	pfk_set passed = pfk_verdicts_passed(d->ruled->v);

	if (d->test->kind == TEST_PASS ?
	    broken_by(d, pfk_set_minus(d->e->x, d->set, passed),
	    "this packet is blocked") :
	    broken_by(d, pfk_set_and(d->e->x, d->set, passed),
	    "this packet passes"))
		return;
	(void)wanted_hold(d, d->set);
}

static void
too_much(struct test *t)
{
	t->status = TEST_FAILS;
	textbuf_free(&t->why);
	textbuf_str(&t->why, "not decided: it is too much for an exact "
	    "analysis (1 GB, or too many ways through match rules and "
	    "anchors)");
}

/* For coverage: of each region a packet, one that chance does not rule. */
static void
visit_regions(struct decision *d)
{
	struct pfk_exact_packet p;
	struct packet k;

	for (size_t i = 0; i < d->ruled->n; i++) {
		pfk_set part = pfk_set_and(d->e->x, d->set,
		    d->ruled->region[i].set), any = settled(d, part, false);

		if (any == PFK_SET_NONE)
			any = settled(d, part, true);
		if (pfk_exact_example(d->e->x, any, &p)) {
			packet_of_set(&k, &p);
			(void)probe(d->run, &k, k.dir);
			probe_forget(d->run);
		}
		pfk_set_free(d->e->x, part);
		pfk_set_free(d->e->x, any);
	}
}

static void
decide_exactly(struct test *t)
{
	struct decision d = { .run = t->setting->run, .test = t,
	    .e = t->setting->run->exact, .set = PFK_SET_NONE };

	if (describe(&d)) {
		if (d.run->cover != NULL)
			visit_regions(&d);
		if (t->through)
			through(&d);
		else
			decide_set(&d);
		note_all(&d);
	}
	pfk_set_free(d.e->x, d.set);
	if (pfk_exact_error(d.e->x) != PFK_OK) {
		too_much(t);
		exact_end(d.run);	/* with sets that are not what they seem */
	}
	if (t->status == TEST_WAITS)
		t->status = TEST_HOLDS;
}

/* What `by' names may not be there at all: it was renamed, or misspelt. */
static void
tell_missing(struct test *t)
{
	const struct run *r = t->setting->run;
	const struct wants *want = &t->want;
	bool label = want->label == NULL, line = want->line == 0;
	uint32_t n = (uint32_t)pfk_image_rules(r->image);
	struct pfk_rule_info info;

	for (uint32_t i = 0; i < n && !(label && line); i++) {
		pfk_image_rule(r->image, i, &info);
		label |= info.label != NULL && want->label != NULL &&
		    strcmp(info.label, want->label) == 0;
		line |= want->line != 0 && rule_is_of_line(r, i, want);
	}
	if (!label)
		textbuf_printf(&t->why, "; no rule has the label %s",
		    want->label);
	if (!line)
		textbuf_printf(&t->why, "; no rule is written in line %u",
		    (unsigned)want->line);
}

void
decide(struct test *t)
{
	if (!pfk_exact_available())
		decide_one(t);
	else if (exact_start(t->setting->run))
		decide_exactly(t);
	else
		too_much(t);
	if (t->status == TEST_FAILS)
		tell_missing(t);
}
