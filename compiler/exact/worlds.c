/*
 * Worlds: the packets by what match rules have made of them.
 *
 * Worlds are not trimmed when packets leave: a packet that has been decided
 * never changes its world again, so that in the end its world tells what match
 * rules did to it.
 */
#include <string.h>

#include "compiler/exact/walk.h"

#define MAX_WORLDS	4096	/* more are refused */

static bool
same_context(const struct context *a, const struct context *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

void
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
		w->x->limit = true;
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

bool
changes_context(const struct img_rule *r)
{
	return r->tag != 0 || (r->action == IMG_MATCH &&
	    !(r->flags & IMG_R_ANCHOR));
}

void
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

/* ---- tags from before ---- */

/* In any of the rulesets: what they are asked about they are asked alike. */
static bool
some_rule_sets(const struct walk *w, uint32_t tag)
{
	const char *name = image_string(w->xi->im, tag);

	for (size_t i = 0; i < w->x->nimages; i++) {
		const struct pfk_image *im = w->x->images[i].im;

		for (uint32_t k = 0; k < im->nrules; k++)
			if (im->rules[k].tag != 0 && strcmp(image_string(im,
			    im->rules[k].tag), name) == 0)
				return true;
	}
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

/* The first world is left: it is the one where rules' own sets count. */
void
begin_with_tag(struct walk *w, struct context *c)
{
	c->tag = w->tag;
	dd_to(&w->touched, dd_keep(w->worlds.v[0].set));
	dd_to(&w->worlds.v[0].set, DD_FALSE);
	add_world(w, c, dd_keep(w->touched));
}

void
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
