/*
 * The routing tables: longest prefix, for each family and table.
 *
 * A table is a trie from the destination to a route.  Routes to the same
 * prefix form a chain in the order in which they were listed: the first is
 * used, all count for the check of reverse paths.  Tables 1 to 3 of which no
 * route is known are the same as table 0.
 */
#include <string.h>

#include "runtime/bytecode.h"
#include "runtime/rules_int.h"

#define NTABLES		256
#define NCOPIES		3	/* tables 1 to 3 */

struct route {
	struct pfk_addr	gateway;
	char		*label;
	uint32_t	next;		/* of the same prefix; or PREFIX_NONE */
	uint16_t	ifid;
	uint8_t		af, flags;
	bool		has_gateway;
};

struct routes {
	struct route	*v;
	size_t		 n, cap;
	/* by table and family; no tables but 0 are the rule */
	struct prefix_tree (*trees[NTABLES])[2];
};

static bool
add_label(struct pfk_engine *e, struct route *r, const char *label)
{
	size_t size;

	if (label == NULL || *label == '\0')
		return true;
	size = strlen(label) + 1;
	r->label = e_alloc(e, size);
	if (r->label == NULL)
		return false;
	memcpy(r->label, label, size);
	return true;
}

static bool
add_route(struct pfk_engine *e, struct routes *rs, const struct pfk_route *from)
{
	struct route *r = &rs->v[rs->n], *last;
	struct prefix_tree *tree;
	struct pfk_addr dst;
	uint32_t i;
	int id;

	if (from->rtable >= NTABLES)
		return true;
	if (rs->trees[from->rtable] == NULL)
		rs->trees[from->rtable] = e_alloc(e, sizeof(*rs->trees[0]));
	id = from->ifname != NULL ? pfk_engine_interface(e, from->ifname) :
	    IF_NONE;
	if (rs->trees[from->rtable] == NULL || id < 0 ||
	    !add_label(e, r, from->label))
		return false;
	memcpy(&r->gateway, from->gateway, sizeof(r->gateway));
	memcpy(&dst, from->dst, sizeof(dst));
	r->next = PREFIX_NONE;
	r->ifid = (uint16_t)id;
	r->af = from->af;
	r->flags = (uint8_t)from->flags;
	r->has_gateway = from->has_gateway != 0;
	rs->n++;
	tree = &(*rs->trees[from->rtable])[from->af == PFK_AF_INET6];
	i = prefix_get(tree, from->af, &dst, from->prefixlen);
	if (i == PREFIX_NONE)
		return prefix_set(e, tree, from->af, &dst, from->prefixlen,
		    (uint32_t)rs->n - 1);
	for (last = &rs->v[i]; last->next != PREFIX_NONE;)
		last = &rs->v[last->next];
	last->next = (uint32_t)rs->n - 1;
	return true;
}

int
routes_init(struct pfk_engine *e, const struct pfk_route *v, size_t n)
{
	struct routes *rs = e_alloc(e, sizeof(*rs));

	if (rs == NULL)
		return -1;
	e->routes = rs;
	if (n == 0)
		return 0;
	rs->v = e_alloc(e, n * sizeof(*rs->v));
	if (rs->v == NULL)
		return -1;
	rs->cap = n;
	for (size_t i = 0; i < n; i++)
		if (!add_route(e, rs, &v[i]))
			return -1;
	return 0;
}

void
routes_free(struct pfk_engine *e)
{
	struct routes *rs = e->routes;

	if (rs == NULL)
		return;
	for (unsigned i = 0; i < NTABLES; i++) {
		if (rs->trees[i] == NULL)
			continue;
		prefix_free(e, &(*rs->trees[i])[0]);
		prefix_free(e, &(*rs->trees[i])[1]);
		e_free(e, rs->trees[i], sizeof(*rs->trees[i]));
	}
	for (size_t i = 0; i < rs->cap; i++)
		if (rs->v[i].label != NULL)
			e_free(e, rs->v[i].label, strlen(rs->v[i].label) + 1);
	e_free(e, rs->v, rs->cap * sizeof(*rs->v));
	e_free(e, rs, sizeof(*rs));
	e->routes = NULL;
}

/* The first route of the chain that fits best, or NULL. */
static const struct route *
find_route(const struct pfk_engine *e, uint8_t af, const struct pfk_addr *a,
    unsigned rtable)
{
	const struct routes *rs = e->routes;
	uint32_t i;

	if (rtable >= NTABLES)
		return NULL;
	if (rs->trees[rtable] == NULL && rtable <= NCOPIES)
		rtable = 0;
	if (rs->trees[rtable] == NULL)
		return NULL;
	i = prefix_match(&(*rs->trees[rtable])[af == PFK_AF_INET6], af, a);
	return i == PREFIX_NONE ? NULL : &rs->v[i];
}

bool
route_lookup(const struct pfk_engine *e, uint8_t af, const struct pfk_addr *a,
    unsigned rtable, struct route_entry *out)
{
	const struct route *r = find_route(e, af, a, rtable);

	if (r == NULL)
		return false;
	*out = (struct route_entry){
		.ifid = r->ifid,
		.has_gateway = r->has_gateway,
		.reject = (r->flags &
		    (PFK_RTF_BLACKHOLE | PFK_RTF_REJECT)) != 0,
		.af = r->af,
		.gateway = r->gateway,
		.label = r->label,
	};
	return true;
}

bool
route_urpf_ok(const struct pfk_engine *e, uint8_t af, const struct pfk_addr *a,
    uint16_t ifid, unsigned rtable)
{
	const struct route *r = find_route(e, af, a, rtable);

	while (r != NULL && r->ifid != ifid)
		r = r->next == PREFIX_NONE ? NULL : &e->routes->v[r->next];
	return r != NULL;
}

/* ---- rules ---- */

/* pf does not ask the routes about link-local addresses. */
static bool
is_scoped(uint8_t af, const uint8_t *b)
{
	return af == PFK_AF_INET6 &&
	    ((b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
	    (b[0] == 0xff && ((b[1] & 0x0f) == 1 || (b[1] & 0x0f) == 2)));
}

static bool
has_label(const struct route *r, const struct rt_rule *rr, unsigned side)
{
	const struct img_addr *a = side == SRC ? &rr->r->src : &rr->r->dst;

	return r != NULL && r->label != NULL &&
	    strcmp(r->label, image_string(rr->image, a->ref)) == 0;
}

bool
route_asked(const struct pfk_engine *e, unsigned op, unsigned side,
    uint8_t af, const struct pfk_addr *a, uint16_t ifid, unsigned rtable,
    const struct rt_rule *rr)
{
	if (op == OP_RTLABEL)
		return has_label(find_route(e, af, a, rtable), rr, side);
	/* of a destination pf only pretends to check where it came from */
	if (op == OP_URPF && side == DST)
		return true;
	if (is_scoped(af, a->b))
		return false;
	return op == OP_NOROUTE ? find_route(e, af, a, rtable) == NULL :
	    !route_urpf_ok(e, af, a, ifid, rtable);
}
