/*
 * Verdicts: which rule decides which packets.
 *
 * What fits a rule when it is asked, and what it decides in the end, is found
 * from above: a tree over the rules of a block has the union of each half, and
 * what is open goes down, to each half only what that half could want.
 */
#include <string.h>

#include "compiler/exact/walk.h"

struct pfk_verdicts {
	struct pfk_exact *x;
	struct ximage	*xi;
	struct arena	 arena;
	jmp_buf		 oom;
	dd		*matches, *decides;	/* by rule */
	dd		 passed, dropped;
	VEC(struct pfk_region) regions;
	VEC(struct context) contexts;	/* of regions */
};

void
verdicts_matched(struct walk *w, uint32_t rule, dd set)
{
	dd_or_to(&w->v->matches[rule], set);
}

/* ---- from above ---- */

struct node {
	dd		 all;		/* of the rules under it */
	dd		 taken;		/* that others do not get any more */
	dd		 passed;	/* of these, by a rule that passes */
	struct node	*half[2];
	struct entry	*e;
	size_t		 n;
};
struct sharing {
	struct walk	*w;
	bool		 backwards;	/* the last rule is asked first */
	/* takes the set over */
	void		(*got)(struct walk *, struct entry *, dd);
};

static bool
passes(const struct walk *w, uint32_t rule)
{
	return w->xi->im->rules[rule].action == IMG_PASS;
}

static struct node *
tree(struct sharing *s, struct entry *e, size_t n)
{
	struct node *t = arena_alloc(&s->w->x->arena, sizeof(*t)), *a, *b;

	t->e = e;
	t->n = n;
	if (n == 1) {
		t->all = dd_keep(e->set);
		t->taken = e->quick || s->backwards ? dd_keep(e->set) :
		    DD_FALSE;
		t->passed = passes(s->w, e->rule) ? dd_keep(t->taken) :
		    DD_FALSE;
		return t;
	}
	t->half[0] = tree(s, e, n / 2);
	t->half[1] = tree(s, e + n / 2, n - n / 2);
	a = t->half[s->backwards];
	b = t->half[!s->backwards];
	t->all = dd_or(a->all, b->all);
	t->taken = a->all == a->taken && b->all == b->taken ?
	    dd_keep(t->all) : dd_or(a->taken, b->taken);
	t->passed = a->passed == a->taken && b->passed == b->taken ?
	    dd_keep(t->taken) : dd_ite(a->taken, a->passed, b->passed);
	return t;
}

static void
forget(struct node *t)
{
	dd_drop(t->all);
	dd_drop(t->taken);
	dd_drop(t->passed);
	t->all = t->taken = t->passed = DD_FALSE;
}

static void
forget_all(struct node *t)
{
	if (t == NULL)
		return;
	forget(t);
	forget_all(t->half[0]);
	forget_all(t->half[1]);
}

/* None of these takes anything from another. */
static void
share_alike(struct sharing *s, struct node *t, dd open)
{
	for (size_t i = 0; i < t->n; i++)
		s->got(s->w, &t->e[i], dd_and(t->e[i].set, open));
	dd_drop(open);
	forget_all(t);
}

/* => open lies in t->all; it is used up */
static void
share(struct sharing *s, struct node *t, dd open)
{
	struct node *a, *b;
	dd first, second;

	if (t->n == 1) {
		s->got(s->w, t->e, open);
		forget(t);
		return;
	}
	if (t->taken == DD_FALSE) {
		share_alike(s, t, open);
		return;
	}
	a = t->half[s->backwards];
	b = t->half[!s->backwards];
	first = dd_and(open, a->all);
	second = dd_minus(open, a->taken);
	if (a->taken != a->all)		/* else what is open is b's */
		dd_and_to(&second, b->all);
	dd_drop(open);
	forget(t);
	share(s, a, first);
	share(s, b, second);
}

/* The set is used up. */
static void
add_passed(struct walk *w, dd set)
{
	dd_or_to(&w->v->passed, set);
	dd_drop(set);
}

static void
share_out(struct sharing *s, struct entry *e, size_t n, dd *open)
{
	struct arena_mark mark = arena_mark(&s->w->x->arena);
	struct node *t = tree(s, e, n);
	dd mine = dd_and(*open, t->all);

	add_passed(s->w, dd_and(*open, t->passed));
	dd_minus_to(open, t->taken);
	share(s, t, mine);
	arena_release(&s->w->x->arena, mark);
}

static void
got_match(struct walk *w, struct entry *e, dd set)
{
	dd_or_to(&w->v->matches[e->rule], set);
	if (e->quick)
		dd_or_to(&w->v->decides[e->rule], set);
	dd_to(&e->set, set);
}

void
verdicts_block(struct walk *w, struct entry *e, size_t n)
{
	struct sharing s = { w, false, got_match };

	share_out(&s, e, n, &w->left);
}

static void
got_decision(struct walk *w, struct entry *e, dd set)
{
	dd_or_to(&w->v->decides[e->rule], set);
	dd_drop(set);
}

/* ---- the end ---- */

/* Backwards: the last claim counts.  What nobody claims is returned. */
static dd
settle(struct walk *w)
{
	struct sharing s = { w, true, got_decision };
	dd open = dd_or(w->left, w->kept);

	for (size_t i = w->claims.n; i-- > 0;) {
		struct claim *c = &w->claims.v[i];

		if (c->n > 0)
			share_out(&s, c->entries, c->n, &open);
		for (size_t k = 0; k < c->n; k++)
			dd_drop(c->entries[k].set);
	}
	return open;
}

static void
add_region(struct walk *w, const struct world *o, uint32_t rule, dd set)
{
	struct outcome_in in = { w->xi, &o->context, w->items.v, rule };
	struct pfk_region *r = vec_add(w->arena, &w->v->regions);

	*vec_add(w->arena, &w->v->contexts) = o->context;
	outcome_make(w->arena, &in, &r->outcome);
	r->set = set;
}

/* The packets that a rule decides, by world. */
static void
split(struct walk *w, uint32_t rule, dd set)
{
	size_t n = w->worlds.n;

	if (set == DD_FALSE)
		return;
	if (!dd_meets(set, w->touched))
		n = 1;
	for (size_t i = 0; i < n; i++) {
		dd part = w->worlds.n == 1 ? dd_keep(set) :
		    dd_and(set, w->worlds.v[i].set);

		if (part == DD_FALSE)
			continue;
		add_region(w, &w->worlds.v[i], rule, part);
	}
}

static void
add_skipped(struct walk *w)
{
	struct pfk_region *r;

	if (w->skipped == DD_FALSE)
		return;
	r = vec_add(w->arena, &w->v->regions);
	begin_context(vec_add(w->arena, &w->v->contexts));
	memset(r, 0, sizeof(*r));
	r->outcome.pass = true;
	r->outcome.rule = PFK_EXACT_DEFAULT;
	r->outcome.effects = EFFECT_SKIPPED;
	r->set = w->skipped;
}

static void
run(struct walk *w, dd within)
{
	uint32_t n = w->xi->im->nrules;
	dd rest;

	walk_begin(w, within);
	walk_run(w);
	w->v->dropped = w->dropped;
	rest = settle(w);
	for (uint32_t i = 0; i < n; i++)
		split(w, i, w->v->decides[i]);
	split(w, PFK_EXACT_DEFAULT, rest);
	add_passed(w, rest);
	add_skipped(w);
	dd_or_to(&w->v->passed, w->skipped);
	walk_end(w);
}

static dd *
new_sets(struct arena *a, uint32_t n)
{
	return arena_alloc(a, (n + 1) * sizeof(dd));	/* DD_FALSE is 0 */
}

static int
decide(struct pfk_exact *x, size_t image, pfk_set among, const bool *skip,
    uint32_t tag, struct pfk_verdicts **out)
{
	struct pfk_verdicts *v = x->alloc.fn(x->alloc.ctx, NULL, 0,
	    sizeof(*v));
	struct walk w = { .x = x, .xi = &x->images[image], .skip = skip,
	    .tag = tag };

	if (v == NULL) {
		x->nomem = true;
		return PFK_ERR_NOMEM;
	}
	memset(v, 0, sizeof(*v));
	v->x = x;
	v->xi = w.xi;
	arena_init(&v->arena, &x->alloc, &v->oom);
	if (setjmp(v->oom) != 0 || setjmp(x->oom) != 0) {
		x->nomem = true;
		pfk_verdicts_free(v);
		return PFK_ERR_NOMEM;
	}
	v->matches = new_sets(&v->arena, w.xi->im->nrules);
	v->decides = new_sets(&v->arena, w.xi->im->nrules);
	w.v = v;
	w.arena = &v->arena;
	run(&w, among);
	if (pfk_exact_error(x) != PFK_OK) {
		pfk_verdicts_free(v);
		return pfk_exact_error(x);
	}
	*out = v;
	return PFK_OK;
}

int
pfk_exact_decide_among(struct pfk_exact *x, size_t image, pfk_set among,
    const bool *skip, struct pfk_verdicts **v)
{
	return decide(x, image, among, skip, 0, v);
}

int
pfk_exact_decide_without(struct pfk_exact *x, size_t image, const bool *skip,
    struct pfk_verdicts **v)
{
	return pfk_exact_decide_among(x, image, PFK_SET_ALL, skip, v);
}

int
pfk_exact_decide(struct pfk_exact *x, size_t image, struct pfk_verdicts **v)
{
	return pfk_exact_decide_without(x, image, NULL, v);
}

/* A tag that no rule has is none that any would ask for. */
int
pfk_exact_decide_tagged(struct pfk_exact *x, size_t image, const char *tag,
    struct pfk_verdicts **v)
{
	const struct pfk_image *im = x->images[image].im;
	uint32_t found = 0;

	for (uint32_t i = 0; i < im->nrules && found == 0; i++) {
		const struct img_rule *r = &im->rules[i];

		if (strcmp(image_string(im, r->tag), tag) == 0)
			found = r->tag;
		else if (strcmp(image_string(im, r->match_tag), tag) == 0)
			found = r->match_tag;
	}
	return decide(x, image, PFK_SET_ALL, NULL, found, v);
}

/* ---- reading ---- */

void
region_in(struct pfk_verdicts *v, size_t i, struct region_in *in)
{
	uint32_t rule = v->regions.v[i].outcome.rule;

	in->x = v->x;
	in->xi = v->xi;
	in->context = &v->contexts.v[i];
	in->rule = rule != PFK_EXACT_DEFAULT ? &v->xi->im->rules[rule] : NULL;
	in->set = v->regions.v[i].set;
}

static void
drop_sets(const dd *sets, uint32_t n)
{
	for (uint32_t i = 0; sets != NULL && i < n; i++)
		dd_drop(sets[i]);
}

void
pfk_verdicts_free(struct pfk_verdicts *v)
{
	struct pfk_allocator a;

	if (v == NULL)
		return;
	a = v->x->alloc;
	drop_sets(v->matches, v->xi->im->nrules);
	drop_sets(v->decides, v->xi->im->nrules);
	for (size_t i = 0; i < v->regions.n; i++)
		dd_drop(v->regions.v[i].set);
	dd_drop(v->passed);
	dd_drop(v->dropped);
	arena_free(&v->arena);
	a.fn(a.ctx, v, sizeof(*v), 0);
}

const struct pfk_region *
pfk_verdicts_regions(const struct pfk_verdicts *v, size_t *n)
{
	*n = v->regions.n;
	return v->regions.v;
}

pfk_set
pfk_verdicts_passed(const struct pfk_verdicts *v)
{
	return v->passed;
}

pfk_set
pfk_verdicts_matches(const struct pfk_verdicts *v, uint32_t rule)
{
	return v->matches[rule];
}

pfk_set
pfk_verdicts_decides(const struct pfk_verdicts *v, uint32_t rule)
{
	return v->decides[rule];
}

pfk_set
pfk_verdicts_dropped(const struct pfk_verdicts *v)
{
	return v->dropped;
}
