/*
 * All rules over all packets.
 *
 * The walk goes through the rules once, in their order, as a packet does, with
 * everything that is still under way:
 *
 *	left		the packets that no quick rule has decided yet
 *	worlds		a partition of the packets by context: by what match
 *			rules have made of them.  Most packets are in the
 *			first one, where nothing has happened; `touched' are
 *			those that are not, and few rules meet any of them
 *	claims		rules that are not quick, and their packets, in order
 *
 * A quick rule's packets leave `left'; another rule's only enter `claims'.  At
 * the end the last claim on a packet counts: the claims are gone through
 * backwards, each gets of its packets what is not given away yet.
 *
 * Rules that only decide are not settled one by one but in blocks (blocks.c):
 * what fits them depends on nothing that happens between them.
 *
 * Anchors.  Their rules see the packets that fit the anchor rule; afterwards
 * everything goes on.  `anchor quick' keeps those whose last claim was made by
 * one of its own rules (not of an anchor inside of it), which is what pf does.
 */
#include <string.h>

#include "compiler/exact/walk.h"

#define MAX_CALLS	100000	/* of anchors, as the engine's for one packet:
				   as long as no walk needs more, no packet
				   does; more are refused */

static bool
lost(const struct walk *w)
{
	return w->x->limit || dd_failed() != DD_FINE;
}

/* Those of `set' in a world, by what the rule's tests say there. */
static dd
matching_in(struct walk *w, uint32_t rule, const struct world *o, dd set)
{
	const struct rule_tests *rt = rule_tests(w->x, w->xi, rule);
	dd here = dd_and(set, o->set), fit;

	if (here == DD_FALSE)
		return DD_FALSE;
	fit = rule_needs_context(rt, &o->context) ? rule_in_context(w->x,
	    w->xi, rule, &o->context) : dd_keep(rt->set);
	dd_and_to(&here, fit);
	dd_drop(fit);
	return here;
}

/* Packets of `from' that fit the rule in their world. */
static dd
matching(struct walk *w, uint32_t rule, dd from)
{
	const struct rule_tests *rt;
	bool known = w->xi->rules[rule].known;
	dd other, all, fit;

	if (!rule_may_fit(w->x, w->xi, rule, from))
		return DD_FALSE;
	rt = rule_tests(w->x, w->xi, rule);
	all = dd_and(from, rt->set);
	if (all == DD_FALSE && !known && w->everything != w->x->universe)
		rule_forget(w->xi, rule);
	if (!rt->views && !rt->tagged)
		return all;
	other = dd_and(rt->loose, w->touched);
	dd_and_to(&other, from);
	if (other != DD_FALSE)
		dd_minus_to(&all, w->touched);
	for (size_t i = 1; i < w->worlds.n && other != DD_FALSE; i++) {
		fit = matching_in(w, rule, &w->worlds.v[i], other);
		dd_or_to(&all, fit);
		dd_drop(fit);
	}
	dd_drop(other);
	return all;
}

/* ---- anchors ---- */

static void walk_anchor(struct walk *, uint32_t anchor);

/* Packets whose last claim is the anchor's own are kept, by `quick'. */
static void
keep_own(struct walk *w)
{
	dd out = dd_and(w->left, w->own);

	dd_or_to(&w->kept, out);
	dd_minus_to(&w->left, out);
	dd_drop(out);
}

static void
walk_inside(struct walk *w, const struct img_rule *r)
{
	const struct img_anchor *a = &w->xi->im->anchors[r->call];
	bool wildcard = (r->flags & IMG_R_WILDCARD) != 0;
	uint32_t n = wildcard ? a->nchildren : 1;

	for (uint32_t i = 0; i < n && !lost(w); i++) {
		if (w->calls++ == MAX_CALLS)
			w->x->limit = true;
		walk_anchor(w, wildcard ? a->child0 + i : r->call);
		if (r->flags & IMG_R_QUICK)
			keep_own(w);
	}
}

static bool
leads_nowhere(const struct walk *w, const struct img_rule *r)
{
	return w->depth == CALL_DEPTH && (!(r->flags & IMG_R_WILDCARD) ||
	    w->xi->im->anchors[r->call].nchildren > 0);
}

/* An anchor rule: its rules see `set'. */
static void
call(struct walk *w, uint32_t rule, dd set)
{
	const struct img_rule *r = &w->xi->im->rules[rule];
	dd rest = dd_minus(w->left, set), scope = w->scope;
	dd own = w->own, any = w->any;

	if (leads_nowhere(w, r)) {
		dd_or_to(&w->dropped, set);
		dd_to(&w->left, rest);
		return;
	}
	w->depth++;
	dd_to(&w->left, dd_keep(set));
	w->scope = set;
	w->own = w->any = DD_FALSE;
	walk_inside(w, r);
	w->depth--;
	w->scope = scope;
	dd_or_to(&w->left, rest);
	dd_drop(rest);
	/* the last claim of these was not made in the caller */
	dd_minus_to(&own, w->any);
	dd_or_to(&any, w->any);
	dd_drop(w->own);
	dd_drop(w->any);
	w->own = own;
	w->any = any;
}

/* ---- rules ---- */

static void
act(struct walk *w, uint32_t rule, dd set)
{
	const struct img_rule *r = &w->xi->im->rules[rule];

	if (changes_context(r))
		move(w, rule, set);
	if (r->flags & IMG_R_ANCHOR)
		call(w, rule, set);
	else if (r->action != IMG_MATCH)
		block_add(w, rule, set);
	else if (r->flags & IMG_R_QUICK) {
		dd_or_to(&w->kept, set);
		dd_minus_to(&w->left, set);
	}
}

static bool
only_decides(const struct img_rule *r)
{
	return r->action != IMG_MATCH && !(r->flags & IMG_R_ANCHOR) &&
	    !changes_context(r);
}

static void
walk_rule(struct walk *w, uint32_t rule)
{
	bool simple = only_decides(&w->xi->im->rules[rule]);
	dd set;

	if (w->skip != NULL && w->skip[rule])
		return;
	if (!simple)
		block_flush(w);
	set = matching(w, rule, simple ? w->scope : w->left);
	if (simple)
		block_add(w, rule, set);
	else {
		if (w->v != NULL)
			verdicts_matched(w, rule, set);
		act(w, rule, set);
	}
	dd_drop(set);
}

static void
walk_anchor(struct walk *w, uint32_t anchor)
{
	const struct img_anchor *a = &w->xi->im->anchors[anchor];

	for (uint32_t i = 0; i < a->nrules && w->left != DD_FALSE && !lost(w);
	    i++)
		walk_rule(w, a->rule0 + i);
	block_flush(w);
}

/* Padding counts, too: contexts are compared byte for byte. */
void
begin_context(struct context *c)
{
	memset(c, 0, sizeof(*c));
	c->rtable = c->set_tos = c->delay = -1;
	c->nat = c->rdr = IMG_NONE;
}

void
walk_begin(struct walk *w, dd within)
{
	struct context c;

	begin_context(&c);
	w->scope = dd_and(w->x->universe, within);
	w->skipped = skipped_set(w->x, w->xi);
	dd_and_to(&w->skipped, w->scope);
	dd_minus_to(&w->scope, w->skipped);
	w->everything = dd_keep(w->scope);
	w->left = dd_keep(w->scope);
	w->kept = w->touched = w->own = w->any = w->dropped = DD_FALSE;
	w->total = (struct part){ DD_FALSE, DD_FALSE, 0 };
	add_world(w, &c, dd_keep(w->scope));
	if (w->scope == DD_FALSE)	/* and no world */
		return;
	if (w->tag != 0)
		begin_with_tag(w, &c);
	else if (w->xi->o.tagged)
		begin_all_tagged(w, &c);
}

void
walk_run(struct walk *w)
{
	walk_anchor(w, 0);
}

void
walk_end(struct walk *w)
{
	dd_drop(w->everything);
	dd_drop(w->scope);
	dd_drop(w->left);
	dd_drop(w->kept);
	dd_drop(w->touched);
	dd_drop(w->own);
	dd_drop(w->any);
	for (size_t i = 0; i < w->worlds.n; i++)
		dd_drop(w->worlds.v[i].set);
}
