/*
 * Shares: rules of a block are asked one after the other, and each takes what
 * fits it of the packets that are open.  Which one gets which?
 *
 * A tree over the rules has the union of each half.  For all rules together,
 * what is open goes down, to each half only what that half could want.  For one
 * rule alone, the halves that are asked before it, one at each level, are taken
 * away from what fits it; and mostly no diagram is needed to see that something
 * is left.  So a question about few of many rules costs little: all shares of a
 * thousand rules that overlap are millions of nodes.
 */
#include "compiler/exact/shares.h"

#define MAX_LEVELS	(DD_TOGETHER - 3)	/* of a tree that is searched
						   without making diagrams */

static bool
passes(const struct walk *w, uint32_t rule)
{
	return w->xi->im->rules[rule].action == IMG_PASS;
}

/* ---- the tree ---- */

struct maker {
	struct walk	*w;
	struct arena	*arena;
	struct sharing	*s;
	struct entry	*first;
};

static void
make_leaf(const struct maker *m, struct share_node *t)
{
	bool takes = t->e->quick || m->s->backwards;

	t->all = dd_keep(t->e->set);
	t->taken = takes ? dd_keep(t->e->set) : DD_FALSE;
	t->passed = passes(m->w, t->e->rule) ? dd_keep(t->taken) : DD_FALSE;
	m->s->leaf[t->e - m->first] = t;
}

static struct share_node *
tree(const struct maker *m, struct entry *e, size_t n, struct share_node *up)
{
	struct share_node *t = arena_alloc(m->arena, sizeof(*t)), *a, *b;

	t->e = e;
	t->n = n;
	t->up = up;
	if (n == 1) {
		make_leaf(m, t);
		return t;
	}
	t->half[0] = tree(m, e, n / 2, t);
	t->half[1] = tree(m, e + n / 2, n - n / 2, t);
	a = t->half[m->s->backwards];
	b = t->half[!m->s->backwards];
	t->all = dd_or(a->all, b->all);
	t->taken = a->all == a->taken && b->all == b->taken ?
	    dd_keep(t->all) : dd_or(a->taken, b->taken);
	t->passed = a->passed == a->taken && b->passed == b->taken ?
	    dd_keep(t->taken) : dd_ite(a->taken, a->passed, b->passed);
	return t;
}

dd
sharing_make(struct walk *w, struct arena *arena, struct sharing *s,
    struct entry *e, size_t n, bool backwards, dd *open)
{
	const struct maker m = { w, arena, s, e };
	dd rest, passed;

	s->backwards = backwards;
	s->leaf = arena_alloc(arena, n * sizeof(struct share_node *));
	s->root = tree(&m, e, n, NULL);
	s->open = dd_and(*open, s->root->all);
	passed = dd_and(*open, s->root->passed);
	rest = dd_minus(*open, s->root->taken);
	dd_to(open, rest);
	return passed;
}

static void
drop_tree(struct share_node *t)
{
	if (t == NULL)
		return;
	dd_drop(t->all);
	dd_drop(t->taken);
	dd_drop(t->passed);
	drop_tree(t->half[0]);
	drop_tree(t->half[1]);
}

void
sharing_drop(struct sharing *s)
{
	drop_tree(s->root);
	dd_drop(s->open);
	s->root = NULL;
	s->open = DD_FALSE;
}

/* ---- all of them ---- */

struct giver {
	const struct sharing *s;
	void	(*fn)(void *, struct entry *, dd);
	void	*ctx;
};

/* => open lies in t->all; it is used up */
static void
give(const struct giver *g, const struct share_node *t, dd open)
{
	const struct share_node *a, *b;
	dd first, second;

	if (t->n == 1) {
		g->fn(g->ctx, t->e, open);
		return;
	}
	if (t->taken == DD_FALSE) {	/* none takes from another */
		for (size_t i = 0; i < t->n; i++)
			g->fn(g->ctx, &t->e[i], dd_and(t->e[i].set, open));
		dd_drop(open);
		return;
	}
	a = t->half[g->s->backwards];
	b = t->half[!g->s->backwards];
	first = dd_and(open, a->all);
	second = dd_minus(open, a->taken);
	if (a->taken != a->all)		/* else what is open is b's */
		dd_and_to(&second, b->all);
	dd_drop(open);
	give(g, a, first);
	give(g, b, second);
}

void
share_all(const struct sharing *s, void (*fn)(void *, struct entry *, dd),
    void *ctx)
{
	const struct giver g = { s, fn, ctx };

	give(&g, s->root, dd_keep(s->open));
}

/* ---- one of them ---- */

/* The half beside t if it is asked before, or NULL. */
static const struct share_node *
asked_before(const struct sharing *s, const struct share_node *t)
{
	const struct share_node *first = t->up->half[s->backwards];

	return first != t && first->taken != DD_FALSE ? first : NULL;
}

dd
share_of(const struct sharing *s, size_t i)
{
	const struct share_node *t = s->leaf[i], *other;
	dd set = dd_and(t->e->set, s->open);

	for (; t->up != NULL && set != DD_FALSE; t = t->up)
		if ((other = asked_before(s, t)) != NULL)
			dd_minus_to(&set, other->taken);
	return set;
}

bool
share_meets(const struct sharing *s, size_t i, dd set)
{
	const struct share_node *t = s->leaf[i], *other;
	dd in[] = { t->e->set, set, s->open }, out[MAX_LEVELS], share;
	unsigned n = 0;
	bool meets;

	for (; t->up != NULL && n < MAX_LEVELS; t = t->up)
		if ((other = asked_before(s, t)) != NULL)
			out[n++] = other->taken;
	if (t->up == NULL)
		return dd_common(in, 3, out, n);
	share = share_of(s, i);
	meets = dd_meets(share, set);
	dd_drop(share);
	return meets;
}

bool
share_holds(const struct sharing *s, size_t i, dd set)
{
	const struct share_node *t = s->leaf[i], *other;
	bool holds = dd_within(set, t->e->set) && dd_within(set, s->open);

	for (; t->up != NULL && holds; t = t->up)
		if ((other = asked_before(s, t)) != NULL)
			holds = !dd_meets(set, other->taken);
	return holds;
}

bool
share_has(struct pfk_exact *x, const struct sharing *s, size_t i,
    const struct pfk_exact_packet *p)
{
	const struct share_node *t = s->leaf[i], *other;
	bool has = pfk_set_has(x, t->e->set, p) &&
	    pfk_set_has(x, s->open, p);

	for (; t->up != NULL && has; t = t->up)
		if ((other = asked_before(s, t)) != NULL)
			has = !pfk_set_has(x, other->taken, p);
	return has;
}
