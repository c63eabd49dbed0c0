/*
 * Blocks: rules in a row that only decide.
 *
 * Rule after rule, each would have to be cut out of all that is left, and what
 * is left of ten thousand rules is large.  So a block's rules are put together
 * in pairs, the pairs in pairs, and so on, as sorting by merging does: every
 * rule takes part in few operations, and most of these are on few rules.
 *
 *	quick		the first one that fits counts, and its packets leave
 *	others		the last one counts, of what no quick rule took; they
 *			are kept as one claim until the end of the walk
 *
 * It does not matter for a claim whether a packet has left before, or leaves
 * later on in the same block: at the end only what is left is given away.  By
 * treatment, the same is so of quick rules: what has been given away stays.
 * But packets that are kept are not decided, and must not be any more.
 */
#include <string.h>

#include "compiler/exact/walk.h"

void
block_add(struct walk *w, uint32_t rule, dd set)
{
	struct entry *e;

	if (set == DD_FALSE)
		return;
	e = vec_add(w->arena, &w->block);
	e->rule = rule;
	e->set = dd_keep(set);
	e->quick = (w->xi->im->rules[rule].flags & IMG_R_QUICK) != 0;
}

/* Only callers of anchors ask. */
static void
note_claimed(struct walk *w, dd set)
{
	if (w->depth == 0)
		return;
	dd_or_to(&w->own, set);
	dd_or_to(&w->any, set);
}

/* ---- by treatment ---- */

/* The quick rules, or the others, as one part. */
static struct part
fold(struct walk *w, const struct entry *e, size_t n, bool quick)
{
	struct part a, b;

	if (n == 1) {
		if (e->quick == quick)
			return treatment_part(w, e->rule, dd_keep(e->set));
		return (struct part){ DD_FALSE, DD_FALSE, 0 };
	}
	a = fold(w, e, n / 2, quick);
	b = fold(w, e + n / 2, n - n / 2, quick);
	return quick ? part_first(w, a, b) : part_first(w, b, a);
}

static void
claim_part(struct walk *w, struct part p)
{
	struct claim *c;

	if (p.dom == DD_FALSE) {
		part_drop(&p);
		return;
	}
	c = vec_add(w->arena, &w->claims);
	memset(c, 0, sizeof(*c));
	c->part = p;
}

static void
treat_block(struct walk *w, const struct entry *e, size_t n)
{
	struct part quick = fold(w, e, n, true);
	struct part others = fold(w, e, n, false);

	if (w->kept != DD_FALSE) {
		part_narrow(&quick, w->left);
		part_narrow(&others, w->left);
	}
	note_claimed(w, others.dom);
	claim_part(w, others);
	dd_minus_to(&w->left, quick.dom);
	w->total = part_first(w, w->total, quick);
}

/* ---- rule by rule ---- */

static void
narrow_entries(struct walk *w, struct entry *e, size_t n)
{
	for (size_t i = 0; i < n && w->kept != DD_FALSE; i++)
		dd_and_to(&e[i].set, w->left);
}

static void
claim_entries(struct walk *w, const struct entry *e, size_t n)
{
	struct claim *c = vec_add(w->arena, &w->claims);

	memset(c, 0, sizeof(*c));
	c->entries = arena_alloc(w->arena, (n + 1) * sizeof(*e));
	for (size_t i = 0; i < n; i++) {
		if (e[i].quick || e[i].set == DD_FALSE)
			continue;
		(void)dd_keep(e[i].set);
		c->entries[c->n++] = e[i];
		note_claimed(w, e[i].set);
	}
}

void
block_flush(struct walk *w)
{
	size_t n = w->block.n;

	if (n == 0)
		return;
	if (w->v == NULL)
		treat_block(w, w->block.v, n);
	else {
		narrow_entries(w, w->block.v, n);
		verdicts_block(w, w->block.v, n);
		claim_entries(w, w->block.v, n);
	}
	for (size_t i = 0; i < n; i++)
		dd_drop(w->block.v[i].set);
	w->block.n = 0;
}
