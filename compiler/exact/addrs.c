/*
 * Sets of addresses that the ruleset or the host lists: tables, the addresses
 * of interfaces, what routes lead to.
 *
 * All of them are lists of prefixes where the longest one that fits says yes
 * or no.  The list is sorted and split at one bit after the other, as a trie
 * would be; a part without prefixes is what the prefix above it said.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/exact/exact_int.h"

struct prefix {
	struct pfk_addr	addr;
	uint8_t		bits;
	bool		in;
	unsigned	order;		/* of equal ones the first counts */
};
typedef VEC(struct prefix) prefixes;

static int
compare(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int c = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	if (c != 0)
		return c;
	if (x->bits != y->bits)
		return x->bits < y->bits ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool
bit_at(const struct pfk_addr *a, unsigned i)
{
	return (a->b[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* The prefixes v[0 .. n) share their first `depth` bits. */
static dd
split(unsigned first, const struct prefix *v, size_t n, unsigned depth, bool in)
{
	dd lo, hi, var, f;
	size_t k = 0;

	if (n > 0 && v[0].bits == depth) {
		in = v[0].in;
		while (n > 0 && v[0].bits == depth)	/* equal ones, too */
			v++, n--;
	}
	if (n == 0)
		return in ? DD_TRUE : DD_FALSE;
	while (k < n && !bit_at(&v[k].addr, depth))
		k++;
	lo = split(first, v, k, depth + 1, in);
	hi = split(first, v + k, n - k, depth + 1, in);
	var = dd_var(first + depth, true);
	f = dd_ite(var, hi, lo);
	dd_drop(var);
	dd_drop(lo);
	dd_drop(hi);
	return f;
}

static void
add(struct pfk_exact *x, prefixes *list, const void *addr, unsigned af,
    unsigned bits, bool in)
{
	struct prefix *p = vec_add(&x->arena, list);
	struct pfk_addr mask;

	memset(p, 0, sizeof(*p));
	memcpy(&p->addr, addr, af == PFK_AF_INET6 ? 16 : 4);
	addr_prefix_mask(&mask, bits);
	addr_and(&p->addr, &mask);
	p->bits = (uint8_t)bits;
	p->in = in;
	p->order = (unsigned)list->n;
}

/* Both families' lists as one set of packets. */
static dd
set_of(struct pfk_exact *x, prefixes list[2], unsigned side)
{
	unsigned first = x->place[addr_field(side)].first;
	dd part[2], f;

	for (int i = 0; i < 2; i++) {
		if (list[i].n > 1)
			qsort(list[i].v, list[i].n, sizeof(*list[i].v),
			    compare);
		part[i] = split(first, list[i].v, list[i].n, 0, false);
	}
	f = dd_ite(x->v4, part[0], part[1]);
	dd_drop(part[0]);
	dd_drop(part[1]);
	return f;
}

static prefixes *
list_of(prefixes list[2], unsigned af)
{
	return &list[af == PFK_AF_INET6];
}

/* ---- tables ---- */

static void
list_table(struct pfk_exact *x, const struct ximage *xi, uint32_t table,
    prefixes list[2])
{
	const struct img_table *t = &xi->im->tables[table];

	for (uint32_t i = 0; i < t->naddrs; i++) {
		const struct img_table_addr *a =
		    &xi->im->table_addrs[t->addr0 + i];

		add(x, list_of(list, a->af), &a->addr, a->af, a->bits,
		    !a->neg);
	}
}

/* An anchor's own that nobody defines is the main ruleset's (table.c). */
uint32_t
real_table(const struct pfk_image *im, uint32_t table)
{
	const struct img_table *t = &im->tables[table];
	const char *name;

	if (table >= im->ntables || (t->flags & IMG_T_DEFINED))
		return table;
	name = image_string(im, t->name);
	for (uint32_t i = 0; i < im->ntables; i++)
		if (image_string(im, im->anchors[im->tables[i].anchor].path)[0]
		    == '\0' && strcmp(image_string(im, im->tables[i].name),
		    name) == 0)
			return i;
	return table;
}

dd
table_set(struct pfk_exact *x, struct ximage *xi, uint32_t table,
    unsigned side)
{
	struct xtable_sets *t;
	dd f;

	if (table >= xi->im->ntables)
		return DD_FALSE;
	table = real_table(xi->im, table);
	t = &xi->tables[table];
	if (!t->known) {
		struct arena_mark mark = arena_mark(&x->arena);
		prefixes list[2] = { 0 };

		list_table(x, xi, table, list);
		t->set[SIDE_SRC] = set_of(x, list, SIDE_SRC);
		t->set[SIDE_DST] = set_of(x, list, SIDE_DST);
		t->known = true;
		arena_release(&x->arena, mark);
	}
	f = dd_keep(t->set[side]);
	if (dd_failed() != DD_FINE) {
		dd_to(&t->set[0], DD_FALSE);
		dd_to(&t->set[1], DD_FALSE);
		t->known = false;
	}
	return f;
}

/* ---- (interface) ---- */

static bool
link_local(const struct pfk_ifaddr *a)
{
	return a->af == PFK_AF_INET6 && a->addr[0] == 0xfe &&
	    (a->addr[1] & 0xc0) == 0x80;
}

static bool
modifiers_allow(const struct pfk_interface *f, const struct pfk_ifaddr *a,
    unsigned mods, bool *got)
{
	if ((mods & IMG_IF_BROADCAST) && (a->af == PFK_AF_INET6 ||
	    !(f->flags & PFK_IFF_BROADCAST)))
		return false;
	if ((mods & IMG_IF_PEER) && !(f->flags & PFK_IFF_POINTOPOINT))
		return false;
	if ((mods & IMG_IF_NETWORK) && link_local(a))
		return false;
	if ((mods & IMG_IF_NOALIAS) && *got)
		return false;
	*got = true;
	return true;
}

static void
add_ifaddr(struct pfk_exact *x, prefixes list[2], const struct img_addr *ia,
    const struct pfk_ifaddr *a)
{
	unsigned all = a->af == PFK_AF_INET6 ? 128 : 32;
	unsigned bits = addr_mask_bits(&ia->mask);

	if (bits == 128)		/* none was given */
		bits = ia->ifmods & IMG_IF_NETWORK ? a->prefixlen : all;
	add(x, list_of(list, a->af), ia->ifmods & IMG_IF_BROADCAST ?
	    a->broadcast : ia->ifmods & IMG_IF_PEER ? a->peer : a->addr,
	    a->af, bits > all ? all : bits, true);
}

dd
ifaddr_set(struct pfk_exact *x, const struct ximage *xi,
    const struct img_addr *ia, unsigned side)
{
	const char *name = image_string(xi->im, ia->ref);
	struct arena_mark mark = arena_mark(&x->arena);
	prefixes list[2] = { 0 };
	dd f;

	for (size_t i = 0; i < xi->o.ninterfaces; i++) {
		const struct pfk_interface *ifp = &xi->o.interfaces[i];
		bool got[2] = { false, false };

		if (strcmp(name, "self") != 0 && strcmp(name, "all") != 0 &&
		    strcmp(name, ifp->name) != 0 &&
		    !in_group(ifp, name))
			continue;
		for (size_t k = 0; k < ifp->naddrs; k++)
			if (modifiers_allow(ifp, &ifp->addrs[k], ia->ifmods,
			    &got[ifp->addrs[k].af == PFK_AF_INET6]))
				add_ifaddr(x, list, ia, &ifp->addrs[k]);
	}
	f = set_of(x, list, side);
	arena_release(&x->arena, mark);
	return f;
}

const struct pfk_interface *
pool_interface(const struct ximage *xi, const struct img_pool *p)
{
	const struct img_addr *a = &p->addr;

	if (a->kind != IMG_ADDR_DYNAMIC || a->ifmods != 0 ||
	    addr_mask_bits(&a->mask) < 128)
		return NULL;
	for (size_t i = 0; i < xi->o.ninterfaces; i++)
		if (strcmp(xi->o.interfaces[i].name, image_string(xi->im,
		    a->ref)) == 0)
			return xi->o.interfaces[i].naddrs <= MAX_CHOICES ?
			    &xi->o.interfaces[i] : NULL;
	return NULL;
}

/* ---- routes ---- */

#define COPIED_RTABLES	3	/* without routes of their own: as table 0 */

static unsigned
real_rtable(const struct ximage *xi, unsigned rtable)
{
	for (size_t i = 0; i < xi->o.nroutes; i++)
		if (xi->o.routes[i].rtable == rtable)
			return rtable;
	return rtable <= COPIED_RTABLES ? 0 : rtable;
}

struct route_want {
	const char	*label;		/* only routes with it */
	const char	*ifname;	/* some route to the prefix leaves there */
};

static bool
same_prefix(const struct pfk_route *a, const struct pfk_route *b)
{
	return a->af == b->af && a->rtable == b->rtable &&
	    a->prefixlen == b->prefixlen &&
	    memcmp(a->dst, b->dst, sizeof(a->dst)) == 0;
}

/* Of several routes to one prefix all count for an interface. */
static bool
some_leaves_by(const struct ximage *xi, size_t i, const char *ifname)
{
	for (size_t k = i; k < xi->o.nroutes; k++)
		if (same_prefix(&xi->o.routes[i], &xi->o.routes[k]) &&
		    xi->o.routes[k].ifname != NULL &&
		    strcmp(xi->o.routes[k].ifname, ifname) == 0)
			return true;
	return false;
}

static dd
route_set(struct pfk_exact *x, const struct ximage *xi, unsigned side,
    unsigned rtable, const struct route_want *w)
{
	struct arena_mark mark = arena_mark(&x->arena);
	unsigned table = real_rtable(xi, rtable);
	prefixes list[2] = { 0 };
	dd f;

	for (size_t i = 0; i < xi->o.nroutes; i++) {
		const struct pfk_route *r = &xi->o.routes[i];

		if (r->rtable == table)
			add(x, list_of(list, r->af), r->dst, r->af,
			    r->prefixlen, (w->label == NULL ||
			    (r->label != NULL && strcmp(r->label, w->label) ==
			    0)) && (w->ifname == NULL ||
			    some_leaves_by(xi, i, w->ifname)));
	}
	f = set_of(x, list, side);
	arena_release(&x->arena, mark);
	return f;
}

/* Link-local addresses, about which the routes are not asked. */
static dd
scoped_set(struct pfk_exact *x, unsigned side)
{
	static const uint8_t unicast[2] = { 0xfe, 0x80 }, first[2] = { 0xff,
	    0xc0 };
	static const uint8_t multicast[2] = { 0xff, 0x01 }, group[2] = { 0xff,
	    0x02 }, last[2] = { 0xff, 0x0f };
	enum field f = addr_field(side);
	dd set = field_bits(x, f, unicast, first, 2);
	dd node = field_bits(x, f, multicast, last, 2);
	dd link = field_bits(x, f, group, last, 2);

	dd_or_to(&set, node);
	dd_or_to(&set, link);
	dd_drop(node);
	dd_drop(link);
	dd_minus_to(&set, x->v4);
	return set;
}

static unsigned
rdomain_of(const struct ximage *xi, size_t iface)
{
	return xi->ifs[iface] != NULL ? xi->ifs[iface]->rdomain : 0;
}

/* The packets for which `ask' says yes of their interface's table. */
static dd
by_interface(struct pfk_exact *x, const struct ximage *xi, unsigned side,
    int rtable, struct route_want w, bool urpf)
{
	dd all = DD_FALSE;

	for (size_t i = 0; i <= x->ifaces.n; i++) {
		dd on = field_is(x, F_IF, (uint32_t)i), set;

		if (urpf)
			w.ifname = xi->ifs[i] != NULL ? xi->ifs[i]->name :
			    i < x->ifaces.n ? x->ifaces.v[i].name : "";
		set = route_set(x, xi, side, rtable >= 0 ? (unsigned)rtable :
		    rdomain_of(xi, i), &w);
		dd_and_to(&set, on);
		dd_or_to(&all, set);
		dd_drop(set);
		dd_drop(on);
	}
	return all;
}

static dd
unless_routed(struct pfk_exact *x, dd routed, unsigned side)
{
	dd scoped = scoped_set(x, side);

	dd_or_to(&routed, scoped);
	dd_drop(scoped);
	dd_to(&routed, dd_not(routed));
	return routed;
}

dd
noroute_set(struct pfk_exact *x, const struct ximage *xi, unsigned side,
    int rtable)
{
	return unless_routed(x, by_interface(x, xi, side, rtable,
	    (struct route_want){ NULL, NULL }, false), side);
}

dd
urpf_failed_set(struct pfk_exact *x, const struct ximage *xi, unsigned side,
    int rtable)
{
	if (side == SIDE_DST)		/* pf only pretends to check it */
		return DD_TRUE;
	return unless_routed(x, by_interface(x, xi, side, rtable,
	    (struct route_want){ NULL, NULL }, true), side);
}

dd
rtlabel_set(struct pfk_exact *x, const struct ximage *xi, unsigned side,
    const char *label, int rtable)
{
	return by_interface(x, xi, side, rtable,
	    (struct route_want){ label, NULL }, false);
}

dd
routed_set(struct pfk_exact *x, const struct ximage *xi, unsigned side,
    const char *ifname)
{
	return by_interface(x, xi, side, -1,
	    (struct route_want){ NULL, ifname }, false);
}
