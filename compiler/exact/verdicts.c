/*
 * Verdicts: which rule decides which packets.
 *
 * Of blocks of few rules every rule's share is made at once; of those of many
 * when somebody asks for it, or for all (shares.c).  What passes is known
 * without any.
 */
#include <string.h>

#include "compiler/exact/shares.h"

#ifndef FEW_RULES
#define FEW_RULES	32
#endif

/* What a rule gets of a large block. */
struct turn {
	const struct sharing *of;
	size_t		 i;
	struct turn	*next;
};
/* Of one rule; quick ones decide what they match. */
struct sum {
	dd		 set;		/* and what the turns give */
	struct turn	*turns;
};

struct pfk_verdicts {
	struct pfk_exact *x;
	struct ximage	*xi;
	struct arena	 arena;
	jmp_buf		 oom;
	struct walk	 walk;		/* as it ended */
	struct sum	*matches, *decides;	/* by rule */
	VEC(struct sharing *) large;
	dd		 passed, rest;	/* rest: no rule decides */
	bool		 split;		/* regions are there */
	VEC(struct pfk_region) regions;
	VEC(struct context) contexts;	/* of regions */
};

void
verdicts_matched(struct walk *w, uint32_t rule, dd set)
{
	dd_or_to(&w->v->matches[rule].set, set);
}

static bool
decides_all_matches(const struct img_rule *r)
{
	return (r->flags & IMG_R_QUICK) && !(r->flags & IMG_R_ANCHOR) &&
	    r->action != IMG_MATCH;
}

/* The set is used up. */
static void
add_passed(struct walk *w, dd set)
{
	dd_or_to(&w->v->passed, set);
	dd_drop(set);
}

/* ---- blocks of few rules ---- */

static void
got_match(void *ctx, struct entry *e, dd set)
{
	struct walk *w = ctx;

	dd_or_to(&w->v->matches[e->rule].set, set);
	dd_drop(set);
}

static void
got_decision(void *ctx, struct entry *e, dd set)
{
	struct walk *w = ctx;

	dd_or_to(&w->v->decides[e->rule].set, set);
	dd_drop(set);
}

static void
share_few(struct walk *w, struct entry *e, size_t n, bool backwards, dd *open)
{
	struct arena_mark mark = arena_mark(&w->x->arena);
	struct sharing s;

	add_passed(w, sharing_make(w, &w->x->arena, &s, e, n, backwards,
	    open));
	share_all(&s, backwards ? got_decision : got_match, w);
	sharing_drop(&s);
	arena_release(&w->x->arena, mark);
}

/* ---- blocks of many rules ---- */

static void
add_turn(struct walk *w, struct sum *to, const struct sharing *of, size_t i)
{
	struct turn *t = arena_alloc(w->arena, sizeof(*t));

	t->of = of;
	t->i = i;
	t->next = to->turns;
	to->turns = t;
}

static void
share_later(struct walk *w, const struct entry *e, size_t n, bool backwards,
    dd *open)
{
	struct sharing *s = arena_alloc(w->arena, sizeof(*s));
	struct entry *copy = arena_memdup(w->arena, e, n * sizeof(*e));
	struct sum *sums = backwards ? w->v->decides : w->v->matches;

	vec_push(w->arena, &w->v->large, s);
	add_passed(w, sharing_make(w, w->arena, s, copy, n, backwards, open));
	for (size_t i = 0; i < n; i++) {
		copy[i].set = s->leaf[i]->all;	/* which is kept */
		add_turn(w, &sums[e[i].rule], s, i);
	}
}

static void
share_out(struct walk *w, struct entry *e, size_t n, bool backwards, dd *open)
{
	if (n <= FEW_RULES)
		share_few(w, e, n, backwards, open);
	else
		share_later(w, e, n, backwards, open);
}

void
verdicts_block(struct walk *w, struct entry *e, size_t n)
{
	share_out(w, e, n, false, &w->left);
}

/* What a turn gives is added; false: it was lost. */
static bool
add_share(dd *to, dd share)
{
	dd sum = dd_or(*to, share);

	dd_drop(share);
	if (dd_failed() != DD_FINE) {
		dd_drop(sum);
		return false;
	}
	dd_to(to, sum);
	return true;
}

/* => a set that is lost is wanted again later */
static dd
whole(struct sum *s)
{
	while (s->turns != NULL) {
		if (!add_share(&s->set, share_of(s->turns->of, s->turns->i)))
			return DD_FALSE;
		s->turns = s->turns->next;
	}
	return s->set;
}

static bool
sum_meets(const struct sum *s, dd set)
{
	if (dd_meets(s->set, set))
		return true;
	for (const struct turn *t = s->turns; t != NULL; t = t->next)
		if (share_meets(t->of, t->i, set))
			return true;
	return false;
}

static bool
sum_holds(struct sum *s, dd set)
{
	if (s->set == DD_FALSE && s->turns != NULL && s->turns->next == NULL)
		return share_holds(s->turns->of, s->turns->i, set);
	return dd_within(set, whole(s));
}

static bool
sum_has(struct pfk_exact *x, const struct sum *s,
    const struct pfk_exact_packet *p)
{
	if (pfk_set_has(x, s->set, p))
		return true;
	for (const struct turn *t = s->turns; t != NULL; t = t->next)
		if (share_has(x, t->of, t->i, p))
			return true;
	return false;
}

struct all_shares { struct sum *sums; bool good; };

static void
got_share(void *ctx, struct entry *e, dd set)
{
	struct all_shares *a = ctx;

	a->good = add_share(&a->sums[e->rule].set, set) && a->good;
}

/* All that is left for later; false: some of it was lost. */
static bool
make_whole(struct pfk_verdicts *v)
{
	struct all_shares a = { .good = true };

	for (size_t i = 0; i < v->large.n && a.good; i++) {
		a.sums = v->large.v[i]->backwards ? v->decides : v->matches;
		share_all(v->large.v[i], got_share, &a);
	}
	for (uint32_t i = 0; i < v->xi->im->nrules && a.good; i++)
		v->matches[i].turns = v->decides[i].turns = NULL;
	return a.good;
}

/* ---- the end ---- */

/* Backwards: the last claim counts.  What nobody claims is returned. */
static dd
settle(struct walk *w)
{
	dd open = dd_or(w->left, w->kept);

	for (size_t i = w->claims.n; i-- > 0;) {
		struct claim *c = &w->claims.v[i];

		if (c->n > 0)
			share_out(w, c->entries, c->n, true, &open);
		for (size_t k = 0; k < c->n; k++)
			dd_drop(c->entries[k].set);
	}
	return open;
}

static void
run(struct walk *w, dd within)
{
	walk_begin(w, within);
	walk_run(w);
	w->v->rest = settle(w);
	dd_or_to(&w->v->passed, w->v->rest);
	dd_or_to(&w->v->passed, w->skipped);
}

static struct sum *
new_sums(struct arena *a, uint32_t n)
{
	return arena_alloc(a, (n + 1) * sizeof(struct sum));	/* empty */
}

static int
decide(struct pfk_exact *x, size_t image, pfk_set among, const bool *skip,
    uint32_t tag, struct pfk_verdicts **out)
{
	struct pfk_verdicts *v = x->alloc.fn(x->alloc.ctx, NULL, 0,
	    sizeof(*v));
	struct walk *w;

	if (v == NULL) {
		x->nomem = true;
		return PFK_ERR_NOMEM;
	}
	memset(v, 0, sizeof(*v));
	v->x = x;
	v->xi = &x->images[image];
	arena_init(&v->arena, &x->alloc, &v->oom);
	if (setjmp(v->oom) != 0 || setjmp(x->oom) != 0) {
		x->nomem = true;
		pfk_verdicts_free(v);
		return PFK_ERR_NOMEM;
	}
	v->matches = new_sums(&v->arena, v->xi->im->nrules);
	v->decides = new_sums(&v->arena, v->xi->im->nrules);
	w = &v->walk;
	*w = (struct walk){ .x = x, .xi = v->xi, .arena = &v->arena, .v = v,
	    .skip = skip, .tag = tag };
	run(w, among);
	w->skip = NULL;			/* the caller's */
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

/* ---- regions ---- */

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
	r->set = dd_keep(w->skipped);
}

static void
split_all(struct pfk_verdicts *v)
{
	struct walk *w = &v->walk;

	if (!make_whole(v))
		return;
	for (uint32_t i = 0; i < v->xi->im->nrules; i++)
		split(w, i, decides_all_matches(&v->xi->im->rules[i]) ?
		    v->matches[i].set : v->decides[i].set);
	split(w, PFK_EXACT_DEFAULT, v->rest);
	add_skipped(w);
	v->split = dd_failed() == DD_FINE;
}

static void
drop_regions(struct pfk_verdicts *v)
{
	for (size_t i = 0; i < v->regions.n; i++)
		dd_drop(v->regions.v[i].set);
	v->regions.n = v->contexts.n = 0;
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
drop_sums(const struct sum *sums, uint32_t n)
{
	for (uint32_t i = 0; sums != NULL && i < n; i++)
		dd_drop(sums[i].set);
}

void
pfk_verdicts_free(struct pfk_verdicts *v)
{
	struct pfk_allocator a;

	if (v == NULL)
		return;
	a = v->x->alloc;
	drop_sums(v->matches, v->xi->im->nrules);
	drop_sums(v->decides, v->xi->im->nrules);
	for (size_t i = 0; i < v->large.n; i++)
		sharing_drop(v->large.v[i]);
	drop_regions(v);
	dd_drop(v->passed);
	dd_drop(v->rest);
	dd_drop(v->walk.dropped);
	dd_drop(v->walk.skipped);
	walk_end(&v->walk);
	arena_free(&v->arena);
	a.fn(a.ctx, v, sizeof(*v), 0);
}

const struct pfk_region *
pfk_verdicts_regions(struct pfk_verdicts *v, size_t *n)
{
	*n = 0;
	if (setjmp(v->oom) != 0 || setjmp(v->x->oom) != 0) {
		v->x->nomem = true;
		return NULL;
	}
	if (!v->split)
		split_all(v);
	if (!v->split)
		drop_regions(v);
	*n = v->regions.n;
	return v->regions.v;
}

pfk_set
pfk_verdicts_passed(const struct pfk_verdicts *v)
{
	return v->passed;
}

static struct sum *
decides(struct pfk_verdicts *v, uint32_t rule)
{
	return decides_all_matches(&v->xi->im->rules[rule]) ?
	    &v->matches[rule] : &v->decides[rule];
}

pfk_set
pfk_verdicts_matches(struct pfk_verdicts *v, uint32_t rule)
{
	return whole(&v->matches[rule]);
}

pfk_set
pfk_verdicts_decides(struct pfk_verdicts *v, uint32_t rule)
{
	return whole(decides(v, rule));
}

bool
pfk_verdicts_match_some(struct pfk_verdicts *v, uint32_t rule, pfk_set set)
{
	return sum_meets(&v->matches[rule], set);
}

bool
pfk_verdicts_decide_some(struct pfk_verdicts *v, uint32_t rule, pfk_set set)
{
	return sum_meets(decides(v, rule), set);
}

bool
pfk_verdicts_decide_all(struct pfk_verdicts *v, uint32_t rule, pfk_set set)
{
	return sum_holds(decides(v, rule), set);
}

uint32_t
pfk_verdicts_decider(struct pfk_verdicts *v, const struct pfk_exact_packet *p)
{
	for (uint32_t i = 0; i < v->xi->im->nrules; i++)
		if (sum_has(v->x, decides(v, i), p))
			return i;
	return PFK_EXACT_DEFAULT;
}

pfk_set
pfk_verdicts_dropped(const struct pfk_verdicts *v)
{
	return v->walk.dropped;
}
