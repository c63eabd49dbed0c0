/*
 * Where two images can differ at all.
 *
 * A packet that no rule fits which only one of the images has goes the same
 * way through both: it meets the same rules in the same order.  So what people
 * compare, a ruleset and what has become of it, is compared on few packets.
 *
 * Rules are the same if their printed text, the tables in them, and what they
 * do are the same, and the hosts are: then they test the same.  Which rules
 * the images have in common is found per anchor: from both ends, and between
 * them by the rules that are there once (as in patience sorting); any common
 * subsequence is right, a longer one only saves work.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "compiler/exact/walk.h"

#define MAX_PAIRS	10000	/* of anchors; more are not told apart */
#define WORTH		8	/* if a larger part of the rules than one in so
				   many differs, all packets may as well */
#define FEW		64	/* rules that differ are never too many */

struct anchors { uint32_t a, b; };
struct comparison {
	struct pfk_exact *x;
	struct ximage	*a, *b;
	uint32_t	*hash[2];	/* by rule, of its text */
	VEC(struct anchors) pairs;	/* compared, or to be */
	bool		 views;		/* match rules change what others see */
	VEC(dd)		 sets;		/* of rules that only one has */
};

/* ---- hosts ---- */

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_groups(const char *const *a, const char *const *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (; *a != NULL && *b != NULL; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return *a == *b;
}

static bool
same_ifaddr(const struct pfk_ifaddr *a, const struct pfk_ifaddr *b)
{
	return a->af == b->af && a->prefixlen == b->prefixlen &&
	    a->has_broadcast == b->has_broadcast &&
	    a->has_peer == b->has_peer && a->scope_id == b->scope_id &&
	    memcmp(a->addr, b->addr, sizeof(a->addr)) == 0 &&
	    memcmp(a->broadcast, b->broadcast, sizeof(a->broadcast)) == 0 &&
	    memcmp(a->peer, b->peer, sizeof(a->peer)) == 0;
}

static bool
same_interface(const struct pfk_interface *a, const struct pfk_interface *b)
{
	bool same = strcmp(a->name, b->name) == 0 && a->flags == b->flags &&
	    a->rdomain == b->rdomain && a->naddrs == b->naddrs &&
	    same_groups(a->groups, b->groups);

	for (size_t i = 0; same && i < a->naddrs; i++)
		same = same_ifaddr(&a->addrs[i], &b->addrs[i]);
	return same;
}

static bool
same_route(const struct pfk_route *a, const struct pfk_route *b)
{
	return a->af == b->af && a->prefixlen == b->prefixlen &&
	    a->rtable == b->rtable && a->flags == b->flags &&
	    memcmp(a->dst, b->dst, sizeof(a->dst)) == 0 &&
	    same_text(a->ifname, b->ifname) && same_text(a->label, b->label);
}

static bool
same_host(const struct pfk_exact_image *a, const struct pfk_exact_image *b)
{
	bool same = a->nmap == 0 && b->nmap == 0 &&
	    a->ninterfaces == b->ninterfaces && a->nroutes == b->nroutes;

	for (size_t i = 0; same && i < a->ninterfaces; i++)
		same = same_interface(&a->interfaces[i], &b->interfaces[i]);
	for (size_t i = 0; same && i < a->nroutes; i++)
		same = same_route(&a->routes[i], &b->routes[i]);
	return same;
}

/* ---- rules ---- */

static const char *
text_of(const struct ximage *xi, uint32_t rule)
{
	return image_string(xi->im, xi->im->rules[rule].text);
}

static bool
same_table(struct comparison *c, uint32_t a, uint32_t b)
{
	dd x, y;

	if (contents_asked(c->a->im, a) != contents_asked(c->b->im, b))
		return false;
	x = table_set(c->x, c->a, a, SIDE_SRC);
	y = table_set(c->x, c->b, b, SIDE_SRC);
	dd_drop(x);
	dd_drop(y);
	return x == y;
}

static bool
same_addr(struct comparison *c, const struct img_addr *a,
    const struct img_addr *b)
{
	return a->kind == b->kind && (a->kind != IMG_ADDR_TABLE ||
	    same_table(c, a->ref, b->ref));
}

static bool
same_rule(struct comparison *c, uint32_t a, uint32_t b)
{
	const struct img_rule *r = &c->a->im->rules[a];
	const struct img_rule *s = &c->b->im->rules[b];

	return c->hash[0][a] == c->hash[1][b] &&
	    strcmp(text_of(c->a, a), text_of(c->b, b)) == 0 &&
	    same_addr(c, &r->src, &s->src) && same_addr(c, &r->dst, &s->dst) &&
	    rule_effect(c->x, c->a, a) == rule_effect(c->x, c->b, b);
}

/* Packets that the rule may fit, whatever match rules made of them. */
static void
differs(struct comparison *c, struct ximage *xi, uint32_t rule)
{
	const struct rule_tests *rt = rule_tests(c->x, xi, rule);

	vec_push(&c->x->arena, &c->sets, dd_keep(c->views || rt->tagged ?
	    rt->loose : rt->set));
}

/* ---- anchors ---- */

static void
add_pair(struct comparison *c, uint32_t a, uint32_t b)
{
	for (size_t i = 0; i < c->pairs.n; i++)
		if (c->pairs.v[i].a == a && c->pairs.v[i].b == b)
			return;
	vec_push(&c->x->arena, &c->pairs, ((struct anchors){ a, b }));
}

/* Two anchor rules that are the same lead to rules that may differ. */
static bool
pair_calls(struct comparison *c, const struct img_rule *r,
    const struct img_rule *s)
{
	const struct img_anchor *a, *b;

	if (!(r->flags & IMG_R_ANCHOR))
		return true;
	a = &c->a->im->anchors[r->call];
	b = &c->b->im->anchors[s->call];
	if (c->pairs.n > MAX_PAIRS)
		return false;
	if (!(r->flags & IMG_R_WILDCARD)) {
		add_pair(c, r->call, s->call);
		return true;
	}
	if (a->nchildren != b->nchildren)
		return false;
	for (uint32_t i = 0; i < a->nchildren; i++)
		add_pair(c, a->child0 + i, b->child0 + i);
	return true;
}

/* => same_rule() */
static void
agree(struct comparison *c, uint32_t a, uint32_t b)
{
	if (!pair_calls(c, &c->a->im->rules[a], &c->b->im->rules[b])) {
		differs(c, c->a, a);
		differs(c, c->b, b);
	}
}

/* ---- what two sequences have in common ---- */

struct run { uint32_t a, na, b, nb; };	/* of rules */

/* From both ends; what is left between them. */
static void
trim(struct comparison *c, struct run *r)
{
	while (r->na > 0 && r->nb > 0 && same_rule(c, r->a, r->b)) {
		agree(c, r->a++, r->b++);
		r->na--, r->nb--;
	}
	while (r->na > 0 && r->nb > 0 && same_rule(c, r->a + r->na - 1,
	    r->b + r->nb - 1))
		agree(c, r->a + --r->na, r->b + --r->nb);
}

struct place { uint32_t hash, side, rule; };

static int
by_hash(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->side != b->side)
		return a->side < b->side ? -1 : 1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

/*
 * partner[i]: the one rule of the new sequence that is like rule a + i, if
 * there is one of either.
 */
static void
find_partners(struct comparison *c, const struct run *r, uint32_t *partner)
{
	size_t n = (size_t)r->na + r->nb, i, k;
	struct place *p = arena_alloc(&c->x->arena, (n + 1) * sizeof(*p));

	for (i = 0; i < r->na; i++)
		p[i] = (struct place){ c->hash[0][r->a + i], 0,
		    r->a + (uint32_t)i };
	for (i = 0; i < r->nb; i++)
		p[r->na + i] = (struct place){ c->hash[1][r->b + i], 1,
		    r->b + (uint32_t)i };
	qsort(p, n, sizeof(*p), by_hash);
	for (i = 0; i < n; i = k) {
		for (k = i; k < n && p[k].hash == p[i].hash; k++)
			;
		if (k - i == 2 && p[i].side == 0 && p[i + 1].side == 1)
			partner[p[i].rule - r->a] = p[i + 1].rule;
	}
}

/*
 * Keeps the longest sequence of partners that ascends: ends[k] is where one of
 * k + 1 rules ends lowest, before[] how each got there.
 */
static void
keep_ascending(struct comparison *c, const struct run *r, uint32_t *partner)
{
	uint32_t *ends = arena_alloc(&c->x->arena, (r->na + 1) * sizeof(*ends));
	uint32_t *before = arena_alloc(&c->x->arena, (r->na + 1) *
	    sizeof(*before));
	uint32_t n = 0, lo, hi, at;

	for (uint32_t i = 0; i < r->na; i++) {
		if (partner[i] == IMG_NONE)
			continue;
		for (lo = 0, hi = n; lo < hi;) {
			uint32_t mid = (lo + hi) / 2;

			if (partner[ends[mid]] < partner[i])
				lo = mid + 1;
			else
				hi = mid;
		}
		before[i] = lo > 0 ? ends[lo - 1] : IMG_NONE;
		ends[lo] = i;
		if (lo == n)
			n++;
	}
	at = n > 0 ? ends[n - 1] : IMG_NONE;
	for (uint32_t i = r->na; i-- > 0;)
		if (i == at)
			at = before[i];
		else
			partner[i] = IMG_NONE;
}

static void
all_differ(struct comparison *c, const struct run *r)
{
	for (uint32_t i = 0; i < r->na; i++)
		differs(c, c->a, r->a + i);
	for (uint32_t i = 0; i < r->nb; i++)
		differs(c, c->b, r->b + i);
}

static void
compare_run(struct comparison *c, struct run r)
{
	uint32_t *partner, a0, b0;

	trim(c, &r);
	if (r.na == 0 || r.nb == 0) {
		all_differ(c, &r);
		return;
	}
	partner = arena_alloc(&c->x->arena, r.na * sizeof(*partner));
	for (uint32_t i = 0; i < r.na; i++)
		partner[i] = IMG_NONE;
	find_partners(c, &r, partner);
	keep_ascending(c, &r, partner);
	a0 = r.a;
	b0 = r.b;
	for (uint32_t i = 0; i < r.na; i++) {
		uint32_t a = r.a + i, b = partner[i];
		struct run between = { a0, a - a0, b0, b - b0 };

		if (b == IMG_NONE || !same_rule(c, a, b))
			continue;
		trim(c, &between);
		all_differ(c, &between);
		agree(c, a, b);
		a0 = a + 1;
		b0 = b + 1;
	}
	r = (struct run){ a0, r.a + r.na - a0, b0, r.b + r.nb - b0 };
	trim(c, &r);
	all_differ(c, &r);
}

static void
compare(struct comparison *c)
{
	const struct img_anchor *a, *b;

	add_pair(c, 0, 0);
	for (size_t i = 0; i < c->pairs.n; i++) {
		a = &c->a->im->anchors[c->pairs.v[i].a];
		b = &c->b->im->anchors[c->pairs.v[i].b];
		compare_run(c, (struct run){ a->rule0, a->nrules, b->rule0,
		    b->nrules });
	}
}

/* ---- the whole ---- */

/* On interfaces that only one of them skips. */
static dd
skipped_by_one(const struct comparison *c)
{
	dd a = skipped_set(c->x, c->a), b = skipped_set(c->x, c->b);
	dd only = dd_minus(a, b);

	dd_minus_to(&b, a);
	dd_or_to(&only, b);
	dd_drop(a);
	dd_drop(b);
	return only;
}

static uint32_t *
hash_rules(struct pfk_exact *x, const struct ximage *xi)
{
	uint32_t *h = arena_alloc(&x->arena, (xi->im->nrules + 1) *
	    sizeof(*h));

	for (uint32_t i = 0; i < xi->im->nrules; i++)
		h[i] = hash_fnv1a(text_of(xi, i), strlen(text_of(xi, i)));
	return h;
}

static bool
changes_views(const struct pfk_image *im)
{
	for (uint32_t i = 0; i < im->nrules; i++)
		if (im->rules[i].action == IMG_MATCH &&
		    (im->rules[i].nat != IMG_NONE ||
		    im->rules[i].rdr != IMG_NONE || im->rules[i].rtable >= 0))
			return true;
	return false;
}

/* Of all of them, which are used up. */
static dd
union_of(const dd *v, size_t n)
{
	dd a, b, f;

	if (n == 0)
		return DD_FALSE;
	if (n == 1)
		return v[0];
	a = union_of(v, n / 2);
	b = union_of(v + n / 2, n - n / 2);
	f = dd_or(a, b);
	dd_drop(a);
	dd_drop(b);
	return f;
}

static dd
all_unlike(struct comparison *c)
{
	size_t rules = (size_t)c->a->im->nrules + c->b->im->nrules;

	if (c->sets.n > FEW && c->sets.n > rules / WORTH) {
		for (size_t i = 0; i < c->sets.n; i++)
			dd_drop(c->sets.v[i]);
		return dd_keep(c->x->universe);
	}
	return union_of(c->sets.v, c->sets.n);
}

pfk_set
pfk_exact_unlike(struct pfk_exact *x, size_t image, size_t other)
{
	struct comparison c = { .x = x, .a = &x->images[image],
	    .b = &x->images[other] };
	dd unlike;

	if (setjmp(x->oom) != 0) {
		x->nomem = true;
		return DD_FALSE;
	}
	if (!same_host(&c.a->o, &c.b->o))
		return dd_keep(x->universe);
	c.views = changes_views(c.a->im) || changes_views(c.b->im);
	c.hash[0] = hash_rules(x, c.a);
	c.hash[1] = hash_rules(x, c.b);
	vec_push(&x->arena, &c.sets, skipped_by_one(&c));
	compare(&c);
	unlike = all_unlike(&c);
	dd_and_to(&unlike, x->universe);
	return unlike;
}
