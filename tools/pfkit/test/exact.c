/*
 * The universe of a setting: the ruleset and, behind it, the rules that its
 * tests are.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "exact.h"

struct sum {
	struct sum	*next;
	enum sum_kind	 kind;
	char		*label, *file;
	uint32_t	 line;
	pfk_set		 set;
};

/* ---- sets in place ---- */

void
set_to(struct exact *e, pfk_set *a, pfk_set with)
{
	pfk_set_free(e->x, *a);
	*a = with;
}

void
set_and(struct exact *e, pfk_set *a, pfk_set b)
{
	set_to(e, a, pfk_set_and(e->x, *a, b));
}

void
set_or(struct exact *e, pfk_set *a, pfk_set b)
{
	set_to(e, a, pfk_set_or(e->x, *a, b));
}

void
set_minus(struct exact *e, pfk_set *a, pfk_set b)
{
	set_to(e, a, pfk_set_minus(e->x, *a, b));
}

/* ---- packets that count ---- */

static void
without(struct exact *e, pfk_set *a, pfk_set b)
{
	set_minus(e, a, b);
	pfk_set_free(e->x, b);
}

/*
 * Errors of ICMP belong to connections, and are no first packets; those who
 * listen to groups are asked in packets with options.
 */
static void
without_icmp(struct exact *e, pfk_set *a)
{
	static const struct { uint8_t af, first, last; } out[] = {
		{ 4, 3, 5 }, { 4, 11, 12 }, { 6, 1, 4 }, { 6, 130, 132 },
		{ 6, 143, 143 },
	};

	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		without(e, a, pfk_set_icmp(e->x, out[i].af, out[i].first,
		    out[i].last));
}

struct martian { uint8_t sides, af, bits, addr[16]; };
#define SRC	1
#define DST	2

static pfk_set
martian_set(struct exact *e, const struct martian *m, size_t n)
{
	pfk_set all = PFK_SET_NONE, one;

	for (size_t i = 0; i < n; i++)
		for (unsigned side = 0; side < 2; side++) {
			if ((m[i].sides & 1u << side) == 0)
				continue;
			one = pfk_set_network(e->x, side, m[i].af, m[i].addr,
			    m[i].bits);
			set_or(e, &all, one);
			pfk_set_free(e->x, one);
		}
	return all;
}

/* Addresses in ::/96 that are more than the unspecified one. */
static pfk_set
compatible(struct exact *e, unsigned side, bool loopback)
{
	static const uint8_t zero[16], one[16] = { [15] = 1 };
	pfk_set all = pfk_set_network(e->x, side, 6, zero, 96);

	without(e, &all, pfk_set_network(e->x, side, 6, zero, 128));
	if (loopback)
		without(e, &all, pfk_set_network(e->x, side, 6, one, 128));
	return all;
}

/*
 * What the host throws away before pf sees it: addresses of loopback from
 * elsewhere; in IPv6 also the unspecified address, those that hold one of IPv4,
 * and senders that are multicast.
 */
static pfk_set
martians(struct exact *e, bool loopback)
{
	static const struct martian list[] = {
		{ DST, 6, 128, { 0 } },
		{ SRC | DST, 6, 96, { [10] = 0xff, [11] = 0xff } },
		{ SRC, 6, 8, { 0xff } },
		{ SRC | DST, 4, 8, { 127 } },
	};
	const size_t n = sizeof(list) / sizeof(list[0]);
	pfk_set all = martian_set(e, list, loopback ? n - 1 : n), one;

	for (unsigned side = 0; side < 2; side++) {
		one = compatible(e, side, loopback);
		set_or(e, &all, one);
		pfk_set_free(e->x, one);
	}
	return all;
}

static pfk_set
interfaces(struct run *r, bool loopback)
{
	struct exact *e = r->exact;
	pfk_set all = PFK_SET_NONE, one;

	for (size_t i = 0; i < r->nifs; i++) {
		if (((r->ifs[i].flags & PFK_IFF_LOOPBACK) != 0) != loopback)
			continue;
		one = pfk_set_interface(e->x, RULES, r->ifs[i].name);
		set_or(e, &all, one);
		pfk_set_free(e->x, one);
	}
	return all;
}

static void
without_martians(struct run *r, pfk_set *a, bool loopback)
{
	struct exact *e = r->exact;
	pfk_set out = martians(e, loopback);
	pfk_set there = interfaces(r, loopback);

	set_and(e, &out, there);
	pfk_set_free(e->x, there);
	without(e, a, out);
}

static void
make_scope(struct run *r)
{
	struct exact *e = r->exact;
	pfk_set some = pfk_set_plain(e->x), here, out;

	without_icmp(e, &some);
	here = interfaces(r, false);
	out = interfaces(r, true);
	set_or(e, &here, out);
	set_and(e, &some, here);
	e->there = here;
	pfk_set_free(e->x, out);
	out = pfk_set_direction(e->x, PFK_OUT);
	set_and(e, &out, some);
	without_martians(r, &some, false);
	without_martians(r, &some, true);
	here = pfk_set_direction(e->x, PFK_IN);
	set_and(e, &some, here);
	pfk_set_free(e->x, here);
	set_or(e, &some, out);
	pfk_set_free(e->x, out);
	e->scope = some;
}

/* ---- life ---- */

static bool
asks_beyond(const struct run *r)
{
	struct pfk_rule_info info;

	for (size_t i = 0; i < pfk_image_rules(r->image); i++) {
		pfk_image_rule(r->image, i, &info);
		if (strstr(info.text, " tagged ") != NULL ||
		    strstr(info.text, " received-on ") != NULL)
			return true;
	}
	return false;
}

bool
exact_start(struct run *r)
{
	struct pfk_exact_image im[2] = { 0 };
	struct exact *e = r->exact;

	if (e != NULL)
		return e->x != NULL;
	e = r->exact = xcalloc(1, sizeof(*e));
	for (int i = RULES; i <= WANTED; i++) {
		im[i].image = i == RULES ? r->image : r->wanted;
		im[i].interfaces = r->ifs;
		im[i].ninterfaces = r->nifs;
		im[i].routes = pfk_host_routes(r->host, &im[i].nroutes);
	}
	if (pfk_exact_new(&(struct pfk_exact_options){ .images = im,
	    .nimages = 2 }, &e->x) != PFK_OK) {
		e->x = NULL;
		return false;
	}
	make_scope(r);
	e->beyond = asks_beyond(r);
	return true;
}

static void
ruled_free(struct exact *e, struct ruled *u)
{
	for (struct sum *s = u->sums, *next; s != NULL; s = next) {
		next = s->next;
		pfk_set_free(e->x, s->set);
		free(s->label);
		free(s->file);
		free(s);
	}
	pfk_verdicts_free(u->v);
	pfk_set_free(e->x, u->among);
	free(u->tag);
	free(u);
}

void
exact_end(struct run *r)
{
	struct exact *e = r->exact;

	if (e == NULL)
		return;
	for (struct ruled *u = e->ruled, *next; u != NULL; u = next) {
		next = u->next;
		ruled_free(e, u);
	}
	notes_end(e);
	pfk_exact_free(e->x);
	free(e);
	r->exact = NULL;
}

/* ---- the ruleset ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Sets (taken) as one: two by two, so that each is put together seldom. */
static pfk_set
sum_of(struct exact *e, pfk_set *v, size_t n)
{
	pfk_set all = n > 0 ? v[0] : PFK_SET_NONE;

	for (size_t step = 1; step < n; step *= 2)
		for (size_t i = 0; i + step < n; i += 2 * step) {
			set_or(e, &v[i], v[i + step]);
			pfk_set_free(e->x, v[i + step]);
			all = v[0];
		}
	return all;
}

/* All that the setting's lines describe. */
static pfk_set
described(struct run *r)
{
	uint32_t nlines = r->setting->source->nlines;
	size_t room = pfk_image_rules(r->wanted), n = 0;
	pfk_set *v = xcalloc(room + 1, sizeof(*v)), all;
	const char *tag;

	for (uint32_t line = 0; line <= nlines; line++)
		for (uint32_t i = r->first[TEXT_FIRST][line]; i != 0;
		    i = r->next[i - 1])
			v[n++] = exact_rule(r, i - 1, &tag);
	all = sum_of(r->exact, v, n);
	free(v);
	return all;
}

#define MANY_RULES	200

/*
 * The packets that the rules are run over, for the sake of a set: all, or of
 * large rulesets only those that tests are about; if that is too much, the set.
 */
static pfk_set
choose_among(struct run *r, const char *tag, pfk_set set)
{
	struct exact *e = r->exact;

	if (r->too_large)
		return pfk_set_copy(e->x, set);
	if (tag != NULL || pfk_image_rules(r->image) <= MANY_RULES)
		return PFK_SET_ALL;
	if (!e->described_made) {
		e->described = described(r);
		e->described_made = true;
	}
	return pfk_set_within(e->x, set, e->described) ?
	    pfk_set_copy(e->x, e->described) : PFK_SET_ALL;
}

static struct ruled *
run_rules(struct run *r, const char *tag, pfk_set among)
{
	struct exact *e = r->exact;
	struct ruled *u = xcalloc(1, sizeof(*u));
	int error;

	error = tag == NULL ? pfk_exact_decide_among(e->x, RULES, among, NULL,
	    &u->v) : pfk_exact_decide_tagged(e->x, RULES, tag, &u->v);
	if (error != PFK_OK) {
		free(u);
		pfk_set_free(e->x, among);
		return NULL;
	}
	u->tag = tag != NULL ? xstrdup(tag) : NULL;
	u->among = tag != NULL ? PFK_SET_ALL : among;
	u->region = pfk_verdicts_regions(u->v, &u->n);
	u->next = e->ruled;
	e->ruled = u;
	return u;
}

struct ruled *
exact_ruled(struct run *r, const char *tag, pfk_set set)
{
	struct exact *e = r->exact;
	struct ruled *u;

	for (u = e->ruled; u != NULL; u = u->next)
		if (same_text(u->tag, tag) && pfk_set_within(e->x, set,
		    u->among))
			return u;
	u = run_rules(r, tag, choose_among(r, tag, set));
	if (u != NULL || r->too_large ||
	    pfk_exact_error(e->x) == PFK_ERR_NOMEM)
		return u;
	pfk_exact_resume(e->x);
	r->too_large = true;
	return run_rules(r, tag, choose_among(r, tag, set));
}

static pfk_set
part_of_sum(struct run *r, const struct ruled *u, size_t i,
    const struct sum *s, const struct wants *want)
{
	const struct pfk_outcome *o = &u->region[i].outcome;
	bool in = false;

	switch (s->kind) {
	case SUM_LABEL:
		in = same_text(o->label, s->label);
		break;
	case SUM_LINE:
		in = o->rule != PFK_EXACT_DEFAULT &&
		    rule_is_of_line(r, o->rule, want);
		break;
	case SUM_LOG:
		in = o->log;
		break;
	case SUM_STATE:
		in = o->state;
		break;
	case SUM_RST:
	case SUM_ICMP:
		return pfk_verdicts_answered(u->v, i, s->kind == SUM_RST);
	}
	return in ? pfk_set_copy(r->exact->x, u->region[i].set) :
	    PFK_SET_NONE;
}

static bool
is_sum(const struct sum *s, enum sum_kind kind, const struct wants *want)
{
	return s->kind == kind && (kind != SUM_LABEL ||
	    same_text(s->label, want->label)) && (kind != SUM_LINE ||
	    (s->line == want->line && same_text(s->file, want->line_file)));
}

pfk_set
exact_sum(struct run *r, struct ruled *u, enum sum_kind kind,
    const struct wants *want)
{
	struct sum *s;

	for (s = u->sums; s != NULL; s = s->next)
		if (is_sum(s, kind, want))
			return s->set;
	s = xcalloc(1, sizeof(*s));
	s->kind = kind;
	if (kind == SUM_LABEL)
		s->label = xstrdup(want->label);
	s->line = want->line;
	if (want->line_file != NULL)
		s->file = xstrdup(want->line_file);
	s->set = PFK_SET_NONE;
	for (size_t i = 0; i < u->n; i++) {
		pfk_set part = part_of_sum(r, u, i, s, want);

		set_or(r->exact, &s->set, part);
		pfk_set_free(r->exact->x, part);
	}
	s->next = u->sums;
	u->sums = s;
	return s->set;
}

size_t
exact_region(struct run *r, const struct ruled *u,
    const struct pfk_exact_packet *p)
{
	size_t i;

	for (i = 0; i < u->n; i++)
		if (pfk_set_has(r->exact->x, u->region[i].set, p))
			break;
	return i;
}

/* ---- questions ---- */

bool
is_about_table(void *ctx, const char *question)
{
	(void)ctx;
	return strstr(question, " in the table `") != NULL;
}

pfk_set
exact_as_filled(struct run *r, pfk_set set)
{
	return pfk_set_unless(r->exact->x, set, is_about_table, NULL);
}

pfk_set
exact_rule(struct run *r, uint32_t rule, const char **tag)
{
	struct exact *e = r->exact;
	pfk_set set = pfk_set_rule_tagged(e->x, WANTED, rule, tag);

	set_and(e, &set, e->scope);
	set_to(e, &set, exact_as_filled(r, set));
	return set;
}
