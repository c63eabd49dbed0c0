/*
 * Splitting cells until no rule that can matter cuts them.
 *
 * Of all rules that match, the last one decides, or the first quick one.  So
 * when a rule that holds for the whole cell may decide, what the rules before
 * it do to the cell is of no interest, unless they are quick; and nothing
 * behind a quick one that holds is.  Rules that do something for those behind
 * them (tags, translations of match rules) always matter.
 *
 * A match rule that translates changes what later rules see: their tests of
 * those parts are left to the engine then.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "cells.h"
#include "icmp_names.h"

enum { TCP = 6 };
enum relation { APART, CUT, MAYBE, HOLDS };

struct split {
	bool		 flag;		/* of a flag of TCP ... */
	uint8_t		 bit;
	enum dim	 dim;		/* ... or here: */
	struct num	 at;		/* the second half begins so */
};

struct work {
	struct partition *p;
	const struct rule_tests **rule;	/* that may matter */
	uint8_t		*relation;
	size_t		 nrules;
	struct cell	*cells;		/* still to be looked at */
	size_t		 ncells, room;
};

/* ---- a cell and a test ---- */

/* The range that holds n or is the first behind it. */
static size_t
find_range(const struct ranges *s, struct num n)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (num_compare(s->r[mid].to, n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static enum relation
in_ranges(const struct ranges *s, const struct range *c, struct num *at)
{
	size_t i = find_range(s, c->from);
	const struct range *r = &s->r[i];

	if (i == s->n || num_compare(r->from, c->to) > 0)
		return APART;
	if (num_compare(r->from, c->from) > 0) {
		*at = r->from;
		return CUT;
	}
	if (num_compare(r->to, c->to) >= 0)
		return HOLDS;
	*at = num_next(r->to);
	return CUT;
}

/* What is unknown is the same for the whole cell if nothing cuts it. */
static enum relation
in_cuts(const struct ranges *s, const struct range *c, struct num *at)
{
	size_t i;

	if (num_compare(c->from, c->to) == 0)
		return MAYBE;
	i = find_range(s, num_next(c->from));
	if (i == s->n)
		return MAYBE;
	*at = s->r[i].from;
	if (num_compare(*at, c->from) <= 0)
		*at = num_next(c->from);	/* within a run of cuts */
	return num_compare(*at, c->to) > 0 ? MAYBE : CUT;
}

static enum relation
in_dim(const struct rule_tests *t, const struct cell *c, enum dim d,
    uint8_t loose, struct split *s)
{
	const struct dim_test *test = &t->dim[d];
	struct range one = { c->fixed[d], c->fixed[d] };
	bool fixed = (c->set & 1u << d) != 0;

	if (test->how == TEST_ALL)
		return HOLDS;
	if (loose & 1u << d)
		return MAYBE;
	s->dim = d;
	s->flag = false;
	if (test->how == TEST_CUTS)
		return in_cuts(&test->set, fixed ? &one : &c->dim[d], &s->at);
	return in_ranges(&test->set, fixed ? &one : &c->dim[d], &s->at);
}

static enum relation
in_flags(const struct rule_tests *t, const struct cell *c, struct split *s)
{
	uint8_t left = t->mask & (uint8_t)~c->known;

	if (t->mask == 0 || c->dim[DIM_PROTO].from.lo != TCP)
		return HOLDS;
	if ((c->flags ^ t->flags) & t->mask & c->known)
		return APART;
	if (left == 0)
		return HOLDS;
	s->flag = true;
	s->bit = left & (uint8_t)-left;
	return CUT;
}

/* pf makes no state for an answer: a rule that would does not match it. */
static bool
makes_no_state(const struct rule_tests *t, const struct cell *c)
{
	uint64_t proto = c->dim[DIM_PROTO].from.lo;

	return t->decides && !t->block && (proto == 1 || proto == 58) &&
	    icmp_kind(c->af, (uint8_t)c->dim[DIM_TYPE].from.lo) == ICMP_ANSWER;
}

/* The weakest of all its tests; the first cut is in *s. */
static enum relation
relation_of(const struct rule_tests *t, const struct cell *c, uint8_t loose,
    struct split *s)
{
	enum relation all = t->maybe || makes_no_state(t, c) ? MAYBE : HOLDS, r;
	struct split here;

	if (t->never || t->af != c->af || (t->dir != 0 && t->dir != c->dir) ||
	    (t->ifaces != NULL && !t->ifaces[c->iface]))
		return APART;
	for (unsigned d = 0; d <= NDIMS; d++) {
		r = d == NDIMS ? in_flags(t, c, &here) : in_dim(t, c,
		    (enum dim)d, loose, &here);
		if (r == APART)
			return APART;
		if (r == CUT && all != CUT)
			*s = here;
		if (r < all)
			all = r;
	}
	if (t->in == NULL)
		return all;
	r = relation_of(t->in, c, loose, &here);
	if (r == CUT && all != CUT)
		*s = here;
	return r < all ? r : all;
}

/* ---- a cell and the rules ---- */

static uint8_t
loosened(const struct rule_tests *t)
{
	uint8_t loose = 0;

	if (t->translates[0])
		loose |= 1u << DIM_SRC | 1u << DIM_SPORT;
	if (t->translates[1])
		loose |= 1u << DIM_DST | 1u << DIM_DPORT;
	return loose;
}

/*
 * The relations of all rules; where the last one is that holds and decides,
 * and the first behind a quick one.
 */
static void
relate(struct work *w, const struct cell *c, size_t *last, size_t *end)
{
	struct split s;
	uint8_t loose = 0;

	*last = 0;
	*end = w->nrules;
	for (size_t i = 0; i < *end; i++) {
		const struct rule_tests *t = w->rule[i];
		enum relation r = relation_of(t, c, loose, &s);

		w->relation[i] = (uint8_t)r;
		if (r != APART)
			loose |= loosened(t);
		if (r != HOLDS || !t->decides)
			continue;
		*last = i;
		if (t->quick)
			*end = i + 1;
	}
}

static bool
matters(const struct work *w, size_t i, size_t last)
{
	const struct rule_tests *t = w->rule[i];

	return i >= last || t->quick || t->keep ||
	    (w->p->care && !t->decides && t->log);
}

/* The first cut that matters; false: there is none. */
static bool
find_split(const struct work *w, const struct cell *c, size_t last, size_t end,
    struct split *s)
{
	uint8_t loose = 0;

	for (size_t i = 0; i < end; i++) {
		const struct rule_tests *t = w->rule[i];

		if (w->relation[i] == CUT && matters(w, i, last)) {
			(void)relation_of(t, c, loose, s);
			return true;
		}
		if (w->relation[i] != APART)
			loose |= loosened(t);
	}
	return false;
}

static void
push(struct work *w, const struct cell *c)
{
	if (w->ncells == w->room) {
		w->room = w->room * 2 + 16;
		w->cells = xrealloc(w->cells, w->room * sizeof(*w->cells));
	}
	w->cells[w->ncells++] = *c;
}

static void
split(struct work *w, const struct cell *c, const struct split *s)
{
	struct cell a = *c, b = *c;

	if (s->flag) {
		a.known |= s->bit;
		b.known |= s->bit;
		b.flags |= s->bit;
	} else {
		a.dim[s->dim].to = num_before(s->at);
		b.dim[s->dim].from = s->at;
	}
	/* the half with ordinary packets first: they make better examples */
	if (!s->flag && num_compare(s->at, cell_usual(c, s->dim)) <= 0) {
		push(w, &a);
		push(w, &b);
	} else {
		push(w, &b);
		push(w, &a);
	}
}

/* A whole cell: questions that it rests on, then what comes of it. */
static bool
whole(struct work *w, const struct cell *c, size_t last, size_t end)
{
	for (size_t i = 0; i < end; i++)
		if (w->rule[i]->question != NULL && w->relation[i] != APART &&
		    (i >= last || w->rule[i]->quick) &&
		    !w->p->question(w->p->ctx, w->rule[i], c))
			return false;
	return w->p->visit(w->p->ctx, c);
}

static bool
loop(struct work *w)
{
	struct split s = { false, 0, DIM_PROTO, { 0, 0 } };
	size_t last, end;
	struct cell c;

	while (w->ncells > 0) {
		c = w->cells[--w->ncells];
		relate(w, &c, &last, &end);
		if (find_split(w, &c, last, end, &s)) {
			split(w, &c, &s);
			continue;
		}
		if (w->p->left == 0)
			return false;
		w->p->left--;
		if (!whole(w, &c, last, end))
			return false;
	}
	return true;
}

/* Whether it would match some if its tables had other addresses. */
static bool
is_kept_away(const struct rule_tests *t, const struct cell *c, uint8_t loose)
{
	uint8_t ends = 0;
	struct split s;

	for (unsigned d = DIM_SRC; d <= DIM_DST; d++)
		if (t->dim[d].table && !t->dim[d].fixed)
			ends |= (uint8_t)(1u << d);
	return ends != 0 && t->decides &&
	    relation_of(t, c, loose | ends, &s) != APART;
}

/* Rules that have nothing to do with the cell are not looked at again. */
static void
choose_rules(struct work *w, const struct cell *c)
{
	const struct rule_list *list = rules_of(w->p->rules, c);
	uint8_t loose = 0;
	struct split s;

	w->rule = xcalloc(list->n + 1, sizeof(struct rule_tests *));
	w->relation = xcalloc(list->n + 1, 1);
	for (size_t i = 0; i < list->n; i++) {
		struct rule_tests *t = list->rule[i];

		if (is_kept_away(t, c, loose) && !c->second)
			w->p->depends(w->p->ctx, t);
		if (relation_of(t, c, loose, &s) == APART)
			continue;
		loose |= loosened(t);
		w->rule[w->nrules++] = t;
	}
}

bool
partition(struct partition *p, const struct cell *c)
{
	struct work w = { .p = p };
	bool good;

	choose_rules(&w, c);
	push(&w, c);
	good = loop(&w);
	free(w.cells);
	free(w.rule);
	free(w.relation);
	return good;
}
