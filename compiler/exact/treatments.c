/*
 * Treatments: what is done with packets, whichever rule does it.
 *
 * Every text of effects (outcome.c) that there is in the universe has a
 * number.  What a ruleset does is a relation of packets and numbers: a diagram
 * over the packets' variables and, last of all, those of the number.  However
 * many rules there are, there are few treatments, and so the diagram is not
 * much larger than that of the packets which pass.
 *
 * While all packets of a part are treated alike the number stands beside it:
 * then rules are put together by one union.
 */
#include <string.h>

#include "base/hash.h"
#include "compiler/exact/walk.h"

struct pfk_treatments {
	struct pfk_exact *x;
	struct arena	 arena;
	jmp_buf		 oom;
	struct part	 all;
};

/* ---- numbers ---- */

static void
grow_index(struct pfk_exact *x)
{
	size_t size = x->effect_slots == 0 ? 64 : x->effect_slots * 2, at;

	x->effect_index = arena_alloc(&x->arena, size *
	    sizeof(*x->effect_index));
	x->effect_slots = size;
	for (uint32_t i = 0; i < x->effects.n; i++) {
		at = x->effects.v[i].hash & (size - 1);
		while (x->effect_index[at] != 0)
			at = (at + 1) & (size - 1);
		x->effect_index[at] = i + 1;
	}
}

/* Its number; the same text has the same one.  => the text stays */
static uint32_t
number_of(struct pfk_exact *x, const char *text)
{
	uint32_t hash = hash_fnv1a(text, strlen(text)), i;
	struct effect *e;
	size_t at;

	if (x->effects.n * 2 >= x->effect_slots)
		grow_index(x);
	at = hash & (x->effect_slots - 1);
	for (; (i = x->effect_index[at]) != 0;
	    at = (at + 1) & (x->effect_slots - 1))
		if (strcmp(x->effects.v[i - 1].text, text) == 0)
			return i - 1;
	if (x->effects.n >> x->effect_bits != 0) {
		x->limit = true;
		return 0;
	}
	e = vec_add(&x->arena, &x->effects);
	*e = (struct effect){ text, hash };
	x->effect_index[at] = (uint32_t)x->effects.n;
	return (uint32_t)x->effects.n - 1;
}

static uint32_t
effect_of(struct pfk_exact *x, const struct outcome_in *in)
{
	struct pfk_outcome o;

	if (in->rule == RULE_DROPPED)
		return number_of(x, "drop: anchors without end");
	if (in->rule == RULE_SKIPPED)
		return number_of(x, EFFECT_SKIPPED);
	outcome_make(&x->arena, in, &o);
	return number_of(x, o.effects);
}

uint32_t
rule_effect(struct pfk_exact *x, struct ximage *xi, uint32_t rule)
{
	struct outcome_in in = { .xi = xi, .rule = rule };
	struct context c;
	uint32_t n;

	if (rule < xi->im->nrules && xi->effect[rule] != 0)
		return xi->effect[rule] - 1;
	begin_context(&c);
	in.context = &c;
	n = effect_of(x, &in);
	if (rule < xi->im->nrules)
		xi->effect[rule] = n + 1;
	return n;
}

static bool
makes_worlds(const struct ximage *xi)
{
	for (uint32_t i = 0; i < xi->im->nrules; i++)
		if (changes_context(&xi->im->rules[i]))
			return true;
	return false;
}

/*
 * The bits of a number: as few as it takes, since many sets have them all.
 * What is done without match rules is known beforehand.
 */
static void
choose_bits(struct pfk_exact *x)
{
	bool worlds = false;
	unsigned bits = 1;

	if (x->bits_chosen)
		return;
	for (size_t i = 0; i < x->nimages; i++) {
		struct ximage *xi = &x->images[i];

		for (uint32_t k = 0; k < xi->im->nrules; k++)
			(void)rule_effect(x, xi, k);
		(void)rule_effect(x, xi, PFK_EXACT_DEFAULT);
		(void)rule_effect(x, xi, RULE_DROPPED);
		(void)rule_effect(x, xi, RULE_SKIPPED);
		worlds |= makes_worlds(xi);
	}
	while (bits < EFFECT_BITS && x->effects.n > (size_t)1 << bits)
		bits++;
	if (!worlds)
		x->effect_bits = bits;
	x->bits_chosen = true;
}

/* The number, as a diagram. */
static dd
cube(const struct pfk_exact *x, uint32_t number)
{
	dd f = DD_TRUE, v;

	for (unsigned i = x->effect_bits; i-- > 0;) {
		v = dd_var(x->first_effect + i,
		    (number >> (x->effect_bits - 1 - i) & 1) != 0);
		dd_and_to(&f, v);
		dd_drop(v);
	}
	return f;
}

/* ---- parts ---- */

/* The set is used up. */
static struct part
part_of(dd set, uint32_t number)
{
	return (struct part){ set, DD_FALSE, number };
}

struct part
treatment_part(struct walk *w, uint32_t rule, dd set)
{
	uint32_t n = rule_effect(w->x, w->xi, rule);

	while (w->doer.n <= n)
		vec_push(w->arena, &w->doer, IMG_NONE);
	w->doer.v[n] = rule;
	return part_of(set, n);
}

void
part_drop(struct part *p)
{
	dd_drop(p->dom);
	dd_drop(p->rel);
	p->dom = p->rel = DD_FALSE;
}

static void
make_relation(const struct pfk_exact *x, struct part *p)
{
	dd number;

	if (p->kind == SEVERAL)
		return;
	number = cube(x, p->kind);
	dd_to(&p->rel, dd_and(p->dom, number));
	dd_drop(number);
	p->kind = SEVERAL;
}

static struct part
first_of(const struct pfk_exact *x, struct part a, struct part b)
{
	struct part p = { DD_FALSE, DD_FALSE, a.kind };

	if (a.dom == DD_FALSE || b.dom == DD_FALSE) {
		p = a.dom == DD_FALSE ? b : a;
		part_drop(a.dom == DD_FALSE ? &a : &b);
		return p;
	}
	if (a.kind != b.kind || a.kind == SEVERAL) {
		make_relation(x, &a);
		make_relation(x, &b);
		p.rel = dd_ite(a.dom, a.rel, b.rel);
		p.kind = SEVERAL;
	}
	p.dom = dd_or(a.dom, b.dom);
	part_drop(&a);
	part_drop(&b);
	return p;
}

struct part
part_first(struct walk *w, struct part a, struct part b)
{
	return first_of(w->x, a, b);
}

void
part_narrow(struct part *p, dd set)
{
	dd_and_to(&p->dom, set);
	if (p->kind == SEVERAL)
		dd_and_to(&p->rel, set);
}

/* ---- one number after the other ---- */

struct visit {
	struct pfk_exact *x;
	void	(*fn)(void *, uint32_t, dd);
	void	*ctx;
};

/* Whether a text has a number that begins like this. */
static bool
has_number(const struct visit *v, unsigned bits, uint32_t number)
{
	return number << (v->x->effect_bits - bits) < v->x->effects.n;
}

/* The numbers of a relation whose first bits are known. */
static void
visit(const struct visit *v, dd rel, unsigned bit, uint32_t number)
{
	unsigned var = v->x->first_effect + bit;

	if (rel == DD_FALSE)
		return;
	if (bit == v->x->effect_bits) {
		v->fn(v->ctx, number, rel);
		return;
	}
	for (unsigned value = 0; value < 2; value++) {
		uint32_t next = number << 1 | value;
		dd is, rest;

		if (!has_number(v, bit + 1, next))
			return;
		is = dd_var(var, value != 0);
		rest = dd_and_some(rel, is, var, var + 1);
		visit(v, rest, bit + 1, next);
		dd_drop(rest);
		dd_drop(is);
	}
}

/* All of them.  Bits that are zero in each number are gone through at once. */
static void
visit_all(const struct visit *v, dd rel)
{
	unsigned zeros = 0;
	dd none = DD_TRUE, rest;

	while (zeros < v->x->effect_bits && !has_number(v, zeros + 1, 1)) {
		dd is = dd_var(v->x->first_effect + zeros++, false);

		dd_and_to(&none, is);
		dd_drop(is);
	}
	rest = dd_and_some(rel, none, v->x->first_effect,
	    v->x->first_effect + zeros);
	visit(v, rest, zeros, 0);
	dd_drop(rest);
	dd_drop(none);
}

/* Of the packets of `set'. */
static void
each_number(struct pfk_exact *x, const struct part *p, dd set,
    void (*fn)(void *, uint32_t, dd), void *ctx)
{
	struct visit v = { x, fn, ctx };
	dd all;

	if (p->kind == SEVERAL)
		all = dd_and(p->rel, set);
	else
		all = dd_and(p->dom, set);
	if (all != DD_FALSE && p->kind != SEVERAL)
		fn(ctx, p->kind, all);
	else
		visit_all(&v, all);
	dd_drop(all);
}

/* ---- worlds ---- */

struct retold {
	struct walk	*w;
	const struct context *context;
	struct part	 all;
};

static void
retell(void *ctx, uint32_t number, dd set)
{
	struct retold *r = ctx;
	struct outcome_in in = { r->w->xi, r->context, r->w->items.v,
	    r->w->doer.v[number] };

	r->all = first_of(r->w->x, r->all, part_of(dd_keep(set),
	    effect_of(r->w->x, &in)));
}

/* What match rules have made of packets belongs to what comes of them. */
static void
tell_worlds(struct walk *w, struct part *all)
{
	dd untouched;
	struct retold r;

	if (w->touched == DD_FALSE)
		return;
	r = (struct retold){ .w = w, .all = { DD_FALSE, DD_FALSE, 0 } };
	for (size_t i = 1; i < w->worlds.n; i++) {
		r.context = &w->worlds.v[i].context;
		each_number(w->x, all, w->worlds.v[i].set, retell, &r);
	}
	untouched = dd_not(w->touched);
	part_narrow(all, untouched);
	dd_drop(untouched);
	*all = first_of(w->x, *all, r.all);
}

/* ---- the end ---- */

/* Claims backwards, each of what is not given away yet; the rest passes. */
static struct part
settle(struct walk *w)
{
	struct part all = treatment_part(w, RULE_DROPPED, w->dropped);

	all = first_of(w->x, all, w->total);
	for (size_t i = w->claims.n; i-- > 0;)
		all = first_of(w->x, all, w->claims.v[i].part);
	all = first_of(w->x, all, treatment_part(w, PFK_EXACT_DEFAULT,
	    dd_minus(w->everything, all.dom)));
	return first_of(w->x, all, treatment_part(w, RULE_SKIPPED,
	    w->skipped));
}

static void
run(struct walk *w, dd within, struct part *all)
{
	walk_begin(w, within);
	walk_run(w);
	*all = settle(w);
	tell_worlds(w, all);
	walk_end(w);
}

int
pfk_exact_treat(struct pfk_exact *x, size_t image, pfk_set within,
    struct pfk_treatments **out)
{
	struct pfk_treatments *t = x->alloc.fn(x->alloc.ctx, NULL, 0,
	    sizeof(*t));
	struct walk w = { .x = x, .xi = &x->images[image] };

	if (t == NULL) {
		x->nomem = true;
		return PFK_ERR_NOMEM;
	}
	memset(t, 0, sizeof(*t));
	t->x = x;
	arena_init(&t->arena, &x->alloc, &t->oom);
	if (setjmp(t->oom) != 0 || setjmp(x->oom) != 0) {
		x->nomem = true;
		pfk_treatments_free(t);
		return PFK_ERR_NOMEM;
	}
	w.arena = &t->arena;
	choose_bits(x);
	run(&w, within, &t->all);
	if (pfk_exact_error(x) != PFK_OK) {
		pfk_treatments_free(t);
		return pfk_exact_error(x);
	}
	*out = t;
	return PFK_OK;
}

void
pfk_treatments_free(struct pfk_treatments *t)
{
	struct pfk_allocator a;

	if (t == NULL)
		return;
	a = t->x->alloc;
	part_drop(&t->all);
	arena_free(&t->arena);
	a.fn(a.ctx, t, sizeof(*t), 0);
}

/* ---- questions about them ---- */

/* A relation of its own. */
static dd
relation_of(const struct pfk_treatments *t)
{
	struct part p = { dd_keep(t->all.dom), dd_keep(t->all.rel),
	    t->all.kind };

	make_relation(t->x, &p);
	dd_drop(p.dom);
	return p.rel;
}

pfk_set
pfk_treatments_differ(const struct pfk_treatments *a,
    const struct pfk_treatments *b)
{
	unsigned first = a->x->first_effect;
	dd both = dd_and(a->all.dom, b->all.dom), r, s, same;

	if (a->all.kind == b->all.kind && a->all.kind != SEVERAL) {
		dd_drop(both);
		return DD_FALSE;
	}
	r = relation_of(a);
	s = relation_of(b);
	same = dd_and_some(r, s, first, first + a->x->effect_bits);
	dd_minus_to(&both, same);
	dd_drop(r);
	dd_drop(s);
	dd_drop(same);
	return both;
}

struct telling {
	struct pfk_exact *x;
	void	(*fn)(void *, const char *, pfk_set);
	void	*ctx;
};

static void
tell(void *ctx, uint32_t number, dd set)
{
	struct telling *t = ctx;

	t->fn(t->ctx, t->x->effects.v[number].text, set);
}

void
pfk_treatments_each(const struct pfk_treatments *t, pfk_set set,
    void (*fn)(void *, const char *, pfk_set), void *ctx)
{
	struct telling to = { t->x, fn, ctx };

	each_number(t->x, &t->all, set, tell, &to);
}
