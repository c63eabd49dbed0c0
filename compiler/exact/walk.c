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
 *	claims		(rule, packets) of rules that are not quick, in order
 *
 * A quick rule's packets leave `left'; another rule's only enter `claims'.  At
 * the end the last claim on a packet counts: the claims are gone through
 * backwards, each gets of its packets what is not given away yet.  So a rule
 * costs a few operations, however many there are.
 *
 * Worlds are not trimmed when packets leave: a packet that has been decided
 * never changes its world again, so that in the end its world tells what match
 * rules did to it.
 *
 * Anchors.  Their rules see the packets that fit the anchor rule; afterwards
 * everything goes on.  `anchor quick' keeps those whose last claim was made by
 * one of its own rules (not of an anchor inside of it), which is what pf does.
 */
#include <string.h>

#include "compiler/exact/exact_int.h"

#define MAX_WORLDS	4096	/* more are refused */
#define MAX_CALLS	100000	/* of anchors, as the engine's for one packet:
				   as long as no walk needs more, no packet
				   does; more are refused */

struct world {
	struct context	 context;
	dd		 set;
};
struct claim {
	uint32_t	 rule;
	dd		 set;
};

struct pfk_verdicts {
	struct pfk_exact *x;
	struct ximage	*xi;
	struct arena	 arena;
	jmp_buf		 oom;
	dd		*reaches, *matches, *decides;	/* by rule */
	dd		 passed, dropped;
	VEC(struct pfk_region) regions;
};

struct walk {
	struct pfk_exact *x;
	struct ximage	*xi;
	struct pfk_verdicts *v;
	struct arena	*arena;
	const bool	*skip;
	dd		 among;		/* packets that it is about */
	dd		 left, kept;	/* kept: by `anchor quick' */
	dd		 touched;	/* not in the first world */
	VEC(struct world) worlds;
	VEC(struct claim) claims;
	VEC(struct match_item) items;
	unsigned	 depth, calls;
	bool		 too_many;
};

/* ---- contexts ---- */

static bool
same_context(const struct context *a, const struct context *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void
add_world(struct walk *w, const struct context *c, dd set)
{
	struct world *o;

	if (set == DD_FALSE)
		return;
	for (size_t i = 0; i < w->worlds.n; i++)
		if (same_context(&w->worlds.v[i].context, c)) {
			dd_or_to(&w->worlds.v[i].set, set);
			if (i == 0)
				dd_minus_to(&w->touched, set);
			dd_drop(set);
			return;
		}
	if (w->worlds.n >= MAX_WORLDS) {
		w->too_many = true;
		dd_drop(set);
		return;
	}
	o = vec_add(w->arena, &w->worlds);
	o->context = *c;
	o->set = set;
}

/* One address that the pool always gives. */
static bool
only_address(const struct walk *w, const struct img_pool *p, uint8_t af,
    struct pfk_addr *addr)
{
	unsigned n = 0;

	if (p->addr.kind == IMG_ADDR_MASK && p->type != IMG_POOL_BITMASK) {
		*addr = p->addr.addr;
		return addr_mask_bits(&p->addr.mask) >=
		    (p->addr.af == PFK_AF_INET6 ? 128 : 32) &&
		    (af == 0 || af == p->addr.af);
	}
	if (p->addr.kind != IMG_ADDR_DYNAMIC || af == 0 ||
	    p->addr.ifmods != 0 || addr_mask_bits(&p->addr.mask) < 128)
		return false;
	for (size_t i = 0; i < w->xi->o.ninterfaces; i++) {
		const struct pfk_interface *f = &w->xi->o.interfaces[i];

		if (strcmp(f->name, image_string(w->xi->im, p->addr.ref)) != 0)
			continue;
		for (size_t k = 0; k < f->naddrs; k++)
			if (f->addrs[k].af == af && n++ == 0)
				memcpy(addr, f->addrs[k].addr, sizeof(*addr));
	}
	return n == 1;
}

static void
view_address(const struct walk *w, struct view *v, const struct img_rule *r,
    const struct img_pool *p)
{
	v->af = r->af != 0 ? r->af : p->addr.af;
	memset(&v->fixed, 0, sizeof(v->fixed));
	v->addr = only_address(w, p, v->af, &v->fixed) ? VIEW_FIXED :
	    VIEW_UNKNOWN;
}

static void
view_source(const struct walk *w, struct view *v, uint32_t rule)
{
	const struct img_rule *r = &w->xi->im->rules[rule];
	const struct img_pool *p = &w->xi->im->pools[r->nat];

	view_address(w, v, r, p);
	v->by = rule;
	if (p->port[0] == 0 && p->port[1] == 0)
		return;
	v->port = p->port[0] == p->port[1] ? VIEW_FIXED : VIEW_UNKNOWN;
	v->fixed_port = v->port == VIEW_FIXED ? p->port[0] : 0;
}

static void
view_destination(const struct walk *w, struct view *v, uint32_t rule)
{
	const struct img_rule *r = &w->xi->im->rules[rule];
	const struct img_pool *p = &w->xi->im->pools[r->rdr];

	view_address(w, v, r, p);
	v->by = rule;
	if (p->port[0] == 0)
		return;
	v->port = p->port[1] == 0 ? VIEW_FIXED : VIEW_UNKNOWN;
	v->fixed_port = v->port == VIEW_FIXED ? p->port[0] : 0;
}

/* Translation; both addresses are another family's with af-to. */
static void
translate(const struct walk *w, struct context *c, uint32_t rule)
{
	const struct img_rule *r = &w->xi->im->rules[rule];

	if (r->flags & IMG_R_AFTO) {
		c->naf = r->naf;
		for (unsigned i = 0; i < 2; i++) {
			c->view[i].addr = c->view[i].port = VIEW_UNKNOWN;
			c->view[i].by = rule;
		}
	} else {
		if (r->nat != IMG_NONE)
			view_source(w, &c->view[SIDE_SRC], rule);
		if (r->rdr != IMG_NONE)
			view_destination(w, &c->view[SIDE_DST], rule);
	}
	if (r->nat != IMG_NONE)
		c->nat = rule;
	if (r->rdr != IMG_NONE)
		c->rdr = rule;
}

#define SCRUB_FLAGS	(IMG_R_NODF | IMG_R_RANDOMID | IMG_R_REASSEMBLE_TCP)

static uint32_t
add_item(struct walk *w, uint32_t rule, uint32_t before)
{
	struct match_item *m;

	if (w->items.n == 0)
		(void)vec_add(w->arena, &w->items);	/* 0 is none */
	for (uint32_t i = 1; i < w->items.n; i++)
		if (w->items.v[i].rule == rule && w->items.v[i].before ==
		    before)
			return i;
	m = vec_add(w->arena, &w->items);
	m->rule = rule;
	m->before = before;
	return (uint32_t)w->items.n - 1;
}

void
context_add(struct context *c, const struct img_rule *r)
{
	if (r->qname != 0)
		c->qname = r->qname;
	if (r->pqname != 0)
		c->pqname = r->pqname;
	if (r->rtable >= 0)
		c->rtable = r->rtable;
	if (r->flags & IMG_R_SET_TOS)
		c->set_tos = r->set_tos;
	if (r->min_ttl != 0)
		c->min_ttl = r->min_ttl;
	if (r->max_mss != 0)
		c->max_mss = r->max_mss;
	if (r->flags & IMG_R_SET_PRIO)
		c->set_prio = r->set_prio[0] | (uint32_t)r->set_prio[1] << 8 |
		    1u << 16;
	if (r->flags & IMG_R_SET_DELAY)
		c->delay = r->delay;
	c->flags |= r->flags & SCRUB_FLAGS;
}

/* What the rule, if it matches, makes of the context. */
static struct context
after(struct walk *w, const struct context *before, uint32_t rule)
{
	const struct img_rule *r = &w->xi->im->rules[rule];
	struct context c = *before;

	if (r->tag != 0)
		c.tag = r->tag;
	if (r->action != IMG_MATCH || (r->flags & IMG_R_ANCHOR))
		return c;
	context_add(&c, r);
	c.log |= r->log & IMG_LOG_MATCHES;
	translate(w, &c, rule);
	if (r->log != 0 || r->label != 0)
		c.list = add_item(w, rule, c.list);
	return c;
}

static bool
changes_context(const struct img_rule *r)
{
	return r->tag != 0 || (r->action == IMG_MATCH &&
	    !(r->flags & IMG_R_ANCHOR));
}

/* The packets of `set' change their worlds as the rule says. */
static void
move(struct walk *w, uint32_t rule, dd set)
{
	size_t n = w->worlds.n;

	for (size_t i = 0; i < n; i++) {
		struct context c = after(w, &w->worlds.v[i].context, rule);
		dd moved;

		if (same_context(&c, &w->worlds.v[i].context))
			continue;
		moved = dd_and(w->worlds.v[i].set, set);
		if (moved == DD_FALSE)
			continue;
		dd_minus_to(&w->worlds.v[i].set, moved);
		if (i == 0)
			dd_or_to(&w->touched, moved);
		add_world(w, &c, moved);
	}
}

/* ---- rules ---- */

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

/* Packets of `left' that fit the rule in their world. */
static dd
matching(struct walk *w, uint32_t rule)
{
	const struct rule_tests *rt = rule_tests(w->x, w->xi, rule);
	dd other, all, fit;

	if (!rt->views && !rt->tagged)
		return dd_and(w->left, rt->set);
	other = dd_and(rt->loose, w->touched);
	dd_and_to(&other, w->left);
	all = dd_and(w->left, rt->set);
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

static void walk_anchor(struct walk *, uint32_t anchor, dd *own, dd *any);

/* An anchor rule: its rules see `set'; own and any are the caller's. */
static void
call(struct walk *w, uint32_t rule, dd set, dd *own, dd *any)
{
	const struct img_rule *r = &w->xi->im->rules[rule];
	const struct img_anchor *a = &w->xi->im->anchors[r->call];
	dd rest = dd_minus(w->left, set), mine = DD_FALSE, inside = DD_FALSE;
	bool wildcard = (r->flags & IMG_R_WILDCARD) != 0;
	uint32_t n = wildcard ? a->nchildren : 1;

	if (n > 0 && w->depth == CALL_DEPTH) {
		dd_or_to(&w->v->dropped, set);
		dd_to(&w->left, rest);
		return;
	}
	w->depth++;
	dd_to(&w->left, dd_keep(set));
	for (uint32_t i = 0; i < n && !w->too_many; i++) {
		if (w->calls++ == MAX_CALLS)
			w->too_many = true;
		walk_anchor(w, wildcard ? a->child0 + i : r->call, &mine,
		    &inside);
		if (r->flags & IMG_R_QUICK) {
			dd out = dd_and(w->left, mine);

			dd_or_to(&w->kept, out);
			dd_minus_to(&w->left, out);
			dd_drop(out);
		}
	}
	w->depth--;
	dd_or_to(&w->left, rest);
	dd_drop(rest);
	/* the last claim of these was not made in the caller */
	dd_minus_to(own, inside);
	dd_or_to(any, inside);
	dd_drop(mine);
	dd_drop(inside);
}

static void
claim(struct walk *w, uint32_t rule, dd set, dd *own, dd *any)
{
	struct claim *c = vec_add(w->arena, &w->claims);

	c->rule = rule;
	c->set = dd_keep(set);
	dd_or_to(own, set);
	dd_or_to(any, set);
}

static void
act(struct walk *w, uint32_t rule, dd set, dd *own, dd *any)
{
	const struct img_rule *r = &w->xi->im->rules[rule];

	if (changes_context(r))
		move(w, rule, set);
	if (r->flags & IMG_R_ANCHOR) {
		call(w, rule, set, own, any);
		return;
	}
	if (r->action == IMG_MATCH) {
		if (r->flags & IMG_R_QUICK) {
			dd_or_to(&w->kept, set);
			dd_minus_to(&w->left, set);
		}
		return;
	}
	if (r->flags & IMG_R_QUICK) {
		dd_or_to(&w->v->decides[rule], set);
		dd_minus_to(&w->left, set);
	} else
		claim(w, rule, set, own, any);
}

static void
walk_rule(struct walk *w, uint32_t rule, dd *own, dd *any)
{
	dd set;

	if (w->skip != NULL && w->skip[rule])
		return;
	dd_or_to(&w->v->reaches[rule], w->left);
	set = matching(w, rule);
	dd_or_to(&w->v->matches[rule], set);
	if (set != DD_FALSE)
		act(w, rule, set, own, any);
	dd_drop(set);
}

static void
walk_anchor(struct walk *w, uint32_t anchor, dd *own, dd *any)
{
	const struct img_anchor *a = &w->xi->im->anchors[anchor];

	for (uint32_t i = 0; i < a->nrules && w->left != DD_FALSE &&
	    !w->too_many && !dd_failed(); i++)
		walk_rule(w, a->rule0 + i, own, any);
}

/* ---- the end ---- */

/* Backwards: the last claim counts.  What nobody claims is returned. */
static dd
settle(struct walk *w)
{
	dd open = dd_or(w->left, w->kept), got;

	for (size_t i = w->claims.n; i-- > 0;) {
		struct claim *c = &w->claims.v[i];

		got = dd_and(c->set, open);
		dd_or_to(&w->v->decides[c->rule], got);
		dd_minus_to(&open, got);
		dd_drop(got);
		dd_drop(c->set);
	}
	return open;
}

static void
add_region(struct walk *w, const struct world *o, uint32_t rule, dd set)
{
	struct outcome_in in = { w->xi, &o->context, w->items.v, rule };
	struct pfk_region *r = vec_add(w->arena, &w->v->regions);

	outcome_make(w->arena, &in, &r->outcome);
	r->set = set;
	if (r->outcome.pass)
		dd_or_to(&w->v->passed, set);
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
		dd part = dd_and(set, w->worlds.v[i].set);

		if (part == DD_FALSE)
			continue;
		add_region(w, &w->worlds.v[i], rule, part);
	}
}

static bool
some_rule_sets(const struct walk *w, uint32_t tag)
{
	for (uint32_t i = 0; i < w->xi->im->nrules; i++)
		if (w->xi->im->rules[i].tag == tag)
			return true;
	return false;
}

static bool
has_world_of(const struct walk *w, uint32_t tag)
{
	for (size_t i = 0; i < w->worlds.n; i++)
		if (w->worlds.v[i].context.tag == tag)
			return true;
	return false;
}

/* A world for packets of `rest' that had the tag when they came in. */
static void
begin_tagged(struct walk *w, struct context *c, uint32_t tag, dd *rest)
{
	struct pfk_exact *x = w->x;
	const char *name = arena_printf(&x->arena, "the tag %s, from where it "
	    "came in", image_string(w->xi->im, tag));
	dd has = question(x, name), set = dd_and(*rest, has);

	dd_drop(has);
	dd_minus_to(rest, set);
	dd_minus_to(&w->worlds.v[0].set, set);
	dd_or_to(&w->touched, set);
	c->tag = tag;
	add_world(w, c, set);
}

static void
begin_all_tagged(struct walk *w, struct context *c)
{
	dd rest = dd_and(w->left, w->x->is[SIDE_DST]);

	for (uint32_t i = 0; i < w->xi->im->nrules; i++) {
		uint32_t tag = w->xi->im->rules[i].match_tag;

		if (tag != 0 && !has_world_of(w, tag) &&
		    some_rule_sets(w, tag))
			begin_tagged(w, c, tag, &rest);
	}
	dd_drop(rest);
}

static void
begin(struct walk *w)
{
	struct context c;

	memset(&c, 0, sizeof(c));	/* padding too: they are compared */
	c.rtable = c.set_tos = c.delay = -1;
	c.nat = c.rdr = IMG_NONE;
	w->left = dd_and(w->x->universe, w->among);
	w->kept = w->touched = DD_FALSE;
	add_world(w, &c, dd_keep(w->left));
	if (w->xi->o.tagged)
		begin_all_tagged(w, &c);
}

static void
run(struct walk *w)
{
	dd own = DD_FALSE, any = DD_FALSE, rest;
	uint32_t n = w->xi->im->nrules;

	begin(w);
	walk_anchor(w, 0, &own, &any);
	rest = settle(w);
	for (uint32_t i = 0; i < n; i++)
		split(w, i, w->v->decides[i]);
	split(w, PFK_EXACT_DEFAULT, rest);
	dd_drop(rest);
	dd_drop(own);
	dd_drop(any);
	dd_drop(w->left);
	dd_drop(w->kept);
	dd_drop(w->touched);
	for (size_t i = 0; i < w->worlds.n; i++)
		dd_drop(w->worlds.v[i].set);
}

static dd *
new_sets(struct arena *a, uint32_t n)
{
	return arena_alloc(a, (n + 1) * sizeof(dd));	/* DD_FALSE is 0 */
}

int
pfk_exact_decide_among(struct pfk_exact *x, size_t image, pfk_set among,
    const bool *skip, struct pfk_verdicts **out)
{
	struct pfk_verdicts *v = x->alloc.fn(x->alloc.ctx, NULL, 0,
	    sizeof(*v));
	struct walk w = { .x = x, .xi = &x->images[image], .skip = skip,
	    .among = among };

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
	v->reaches = new_sets(&v->arena, w.xi->im->nrules);
	v->matches = new_sets(&v->arena, w.xi->im->nrules);
	v->decides = new_sets(&v->arena, w.xi->im->nrules);
	w.v = v;
	w.arena = &v->arena;
	run(&w);
	if (dd_failed() || w.too_many) {
		x->nomem = true;
		pfk_verdicts_free(v);
		return PFK_ERR_NOMEM;
	}
	*out = v;
	return PFK_OK;
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

/* ---- reading ---- */

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
	drop_sets(v->reaches, v->xi->im->nrules);
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
pfk_verdicts_reaches(const struct pfk_verdicts *v, uint32_t rule)
{
	return v->reaches[rule];
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
