/*
 * Interfaces, and the names by which rules mean them.
 *
 * Every name that a rule or packet uses has one entry here, whether it is an
 * interface, a group, both or nothing on this host: `on em7` is no error, it
 * fits no packet.  An entry's index is the interface's number (ifid); rules
 * hold index + 1, so that 0 is "any interface".
 *
 * `all` is the group of all interfaces, `any` stands for those that are no
 * loopback, and `(self)` for the addresses of all.
 *
 * `(name:mods)/bits` is worked out when it is asked for: there are few
 * addresses, and this is exact.  Addresses do not change after ifaces_init(),
 * so that each name knows where those lie that it can mean.
 */
#include <string.h>

#include "runtime/rules_int.h"

struct iface {
	char		*name;
	bool		 exists;	/* is an interface, not only a name */
	bool		 any, self;	/* is the name `any`, `self` */
	bool		 skipped;	/* `set skip on` it or its group */
	unsigned	 flags;		/* PFK_IFF_* */
	unsigned	 rdomain;
	uint32_t	*groups;	/* indexes */
	size_t		 ngroups;
	struct pfk_ifaddr *addrs;
	size_t		 naddrs;
	/* those that the name means, and that have addresses, are among
	   e->ifaces[first ... end - 1] */
	uint32_t	 first, end;
};

static const char any_name[] = "any", all_name[] = "all", self_name[] = "self";

static bool
in_group(const struct iface *f, uint32_t group)
{
	for (size_t i = 0; i < f->ngroups; i++)
		if (f->groups[i] == group)
			return true;
	return false;
}

/* Whether the name means the interface: `any' is not asked. */
static bool
is_member(const struct pfk_engine *e, uint32_t ifid, uint32_t name)
{
	const struct iface *f = &e->ifaces[ifid];

	return f->exists && (ifid == name || in_group(f, name) ||
	    e->ifaces[name].self);
}

static void
find_members(struct pfk_engine *e, uint32_t name)
{
	struct iface *f = &e->ifaces[name];

	f->first = f->end = 0;
	for (uint32_t i = 0; i < e->nifaces; i++) {
		if (e->ifaces[i].naddrs == 0 || !is_member(e, i, name))
			continue;
		if (f->end == 0)
			f->first = i;
		f->end = i + 1;
	}
}

static uint32_t
find_name(const struct pfk_engine *e, const char *name)
{
	uint32_t i;

	for (i = 0; i < e->nifaces; i++)
		if (strcmp(e->ifaces[i].name, name) == 0)
			break;
	return i;
}

/* Grows at powers of two. */
static bool
reserve(struct pfk_engine *e)
{
	uint32_t n = e->nifaces, cap = n == 0 ? 8 : n * 2;
	struct iface *v;

	if (n != 0 && (n < 8 || (n & (n - 1)) != 0))
		return true;
	v = e_realloc(e, e->ifaces, n * sizeof(*v), cap * sizeof(*v));
	if (v == NULL)
		return false;
	e->ifaces = v;
	return true;
}

int
iface_intern(struct pfk_engine *e, const char *name)
{
	uint32_t i = find_name(e, name);
	size_t size = strlen(name) + 1;
	struct iface *f;

	if (i < e->nifaces)
		return (int)i + 1;
	if (i >= IF_NONE - 1 || !reserve(e))
		return -1;
	f = &e->ifaces[i];
	memset(f, 0, sizeof(*f));
	f->name = e_alloc(e, size);
	if (f->name == NULL)
		return -1;
	memcpy(f->name, name, size);
	f->any = strcmp(name, any_name) == 0;
	f->self = strcmp(name, self_name) == 0;
	e->nifaces++;
	find_members(e, i);
	return (int)i + 1;
}

uint32_t
iface_find(const struct pfk_engine *e, const char *name)
{
	uint32_t i = find_name(e, name);

	return i < e->nifaces ? i + 1 : 0;
}

static bool
add_groups(struct pfk_engine *e, uint32_t ifid, const char *const *groups)
{
	size_t n = 1, i;		/* `all` */
	uint32_t *v;
	int id;

	for (i = 0; groups != NULL && groups[i] != NULL; i++)
		n++;
	v = e_alloc(e, n * sizeof(*v));
	if (v == NULL)
		return false;
	e->ifaces[ifid].groups = v;
	e->ifaces[ifid].ngroups = n;
	for (i = 0; i < n; i++) {
		id = iface_intern(e, i == n - 1 ? all_name : groups[i]);
		if (id < 0)
			return false;
		v[i] = (uint32_t)id - 1;
	}
	return true;
}

static bool
add_interface(struct pfk_engine *e, const struct pfk_interface *from)
{
	int id = iface_intern(e, from->name);
	struct iface *f;

	if (id < 0)
		return false;
	f = &e->ifaces[id - 1];
	if (f->exists)			/* listed twice */
		return true;
	f->exists = true;
	f->flags = from->flags;
	f->rdomain = from->rdomain;
	if (from->naddrs != 0) {
		f->addrs = e_alloc(e, from->naddrs * sizeof(*f->addrs));
		if (f->addrs == NULL)
			return false;
		memcpy(f->addrs, from->addrs,
		    from->naddrs * sizeof(*f->addrs));
		f->naddrs = from->naddrs;
	}
	return add_groups(e, (uint32_t)id - 1, from->groups);
}

/* Which interfaces `set skip` means. */
static void
mark_skipped(struct pfk_engine *e, uint32_t ifid)
{
	uint32_t off = e->opts.skip;

	for (uint32_t i = 0; i < e->opts.nskip; i++) {
		const char *name = image_string(e->image, off);
		uint32_t id = find_name(e, name);

		if (id < e->nifaces && iface_is(e, (uint16_t)ifid, id + 1))
			e->ifaces[ifid].skipped = true;
		off += (uint32_t)strlen(name) + 1;
	}
}

static bool
intern_skipped(struct pfk_engine *e)
{
	uint32_t off = e->opts.skip;

	for (uint32_t i = 0; i < e->opts.nskip; i++) {
		const char *name = image_string(e->image, off);

		if (iface_intern(e, name) < 0)
			return false;
		off += (uint32_t)strlen(name) + 1;
	}
	return true;
}

int
ifaces_init(struct pfk_engine *e, const struct pfk_interface *ifs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!add_interface(e, &ifs[i]))
			return -1;
	if (!intern_skipped(e))
		return -1;
	for (uint32_t i = 0; i < e->nifaces; i++) {
		mark_skipped(e, i);
		find_members(e, i);
	}
	return 0;
}

void
ifaces_free(struct pfk_engine *e)
{
	uint32_t cap = 8;

	for (uint32_t i = 0; i < e->nifaces; i++) {
		struct iface *f = &e->ifaces[i];

		e_free(e, f->name, strlen(f->name) + 1);
		e_free(e, f->groups, f->ngroups * sizeof(*f->groups));
		e_free(e, f->addrs, f->naddrs * sizeof(*f->addrs));
	}
	while (cap < e->nifaces)
		cap *= 2;
	if (e->ifaces != NULL)
		e_free(e, e->ifaces, cap * sizeof(*e->ifaces));
	e->ifaces = NULL;
	e->nifaces = 0;
}

int
pfk_engine_interface(struct pfk_engine *e, const char *name)
{
	int id = iface_intern(e, name);

	if (id < 0)
		return -1;
	if (!e->ifaces[id - 1].exists) {
		if (!add_groups(e, (uint32_t)id - 1, NULL))
			return -1;
		e->ifaces[id - 1].exists = true;
		mark_skipped(e, (uint32_t)id - 1);
	}
	return id - 1;
}

const char *
pfk_engine_ifname(const struct pfk_engine *e, unsigned ifid)
{
	return ifid < e->nifaces ? e->ifaces[ifid].name : "";
}

const char *
iface_name(const struct pfk_engine *e, uint16_t ifid)
{
	return pfk_engine_ifname(e, ifid);
}

bool
iface_skipped(const struct pfk_engine *e, uint16_t ifid)
{
	return ifid < e->nifaces && e->ifaces[ifid].skipped;
}

bool
iface_loopback(const struct pfk_engine *e, uint16_t ifid)
{
	return ifid < e->nifaces &&
	    (e->ifaces[ifid].flags & PFK_IFF_LOOPBACK) != 0;
}

unsigned
iface_rdomain(const struct pfk_engine *e, uint16_t ifid)
{
	return ifid < e->nifaces ? e->ifaces[ifid].rdomain : 0;
}

bool
iface_is(const struct pfk_engine *e, uint16_t ifid, uint32_t name_id)
{
	uint32_t name = name_id - 1;

	if (ifid == name)
		return true;
	if (ifid >= e->nifaces)
		return false;
	return in_group(&e->ifaces[ifid], name) ||
	    (e->ifaces[name].any && !iface_loopback(e, ifid));
}

bool
pfk_engine_is_local(const struct pfk_engine *e, uint8_t af,
    const uint8_t *addr)
{
	size_t len = addr_bits((enum pfk_af)af) / 8;

	for (uint32_t i = 0; i < e->nifaces; i++)
		for (size_t j = 0; j < e->ifaces[i].naddrs; j++)
			if (e->ifaces[i].addrs[j].af == af &&
			    memcmp(e->ifaces[i].addrs[j].addr, addr, len) == 0)
				return true;
	return false;
}

/* --- (name:mods)/bits --- */

/* A walk over the prefixes that a dynamic address stands for. */
struct dynamic {
	const struct pfk_engine *e;
	uint32_t	 name;
	const struct img_addr *a;
	uint8_t		 af;		/* 0: both */
	uint8_t		 asked;		/* bits; 128: none were given */
	uint32_t	 iface, end;	/* the next one to look at: */
	size_t		 addr;
	bool		 got4, got6;	/* `:0`: the first has been given */
	/* the prefix found */
	struct pfk_addr	 found;
	uint8_t		 found_af, bits;
};

static bool
is_link_local(const struct pfk_ifaddr *a)
{
	return a->af == PFK_AF_INET6 && a->addr[0] == 0xfe &&
	    (a->addr[1] & 0xc0) == 0x80;
}

/* Whether the modifiers let the address through. */
static bool
modifiers_allow(struct dynamic *d, const struct iface *f,
    const struct pfk_ifaddr *a)
{
	bool *got = a->af == PFK_AF_INET ? &d->got4 : &d->got6;

	if ((d->a->ifmods & IMG_IF_BROADCAST) && (a->af == PFK_AF_INET6 ||
	    !(f->flags & PFK_IFF_BROADCAST)))
		return false;
	if ((d->a->ifmods & IMG_IF_PEER) &&
	    !(f->flags & PFK_IFF_POINTOPOINT))
		return false;
	if ((d->a->ifmods & IMG_IF_NETWORK) && is_link_local(a))
		return false;
	if ((d->a->ifmods & IMG_IF_NOALIAS) && *got)
		return false;
	*got = true;
	return true;
}

static void
take_address(struct dynamic *d, const struct pfk_ifaddr *a)
{
	unsigned all = addr_bits((enum pfk_af)a->af);
	unsigned bits = d->asked;
	struct pfk_addr mask;

	if (bits == 128)
		bits = d->a->ifmods & IMG_IF_NETWORK ? a->prefixlen : all;
	if (bits > all)
		bits = all;
	memset(&d->found, 0, sizeof(d->found));
	memcpy(&d->found, d->a->ifmods & IMG_IF_BROADCAST ? a->broadcast :
	    d->a->ifmods & IMG_IF_PEER ? a->peer : a->addr, all / 8);
	if (bits < all) {
		addr_prefix_mask(&mask, bits);
		addr_and(&d->found, &mask);
	}
	d->found_af = a->af;
	d->bits = (uint8_t)bits;
}

static bool
dynamic_next(struct dynamic *d)
{
	for (; d->iface < d->end; d->iface++, d->addr = 0) {
		const struct iface *f = &d->e->ifaces[d->iface];

		if (d->addr == 0) {
			d->got4 = d->got6 = false;
			if (!is_member(d->e, d->iface, d->name))
				continue;
		}
		while (d->addr < f->naddrs) {
			const struct pfk_ifaddr *a = &f->addrs[d->addr++];

			if (!modifiers_allow(d, f, a) ||
			    (d->af != 0 && d->af != a->af))
				continue;
			take_address(d, a);
			return true;
		}
	}
	return false;
}

static struct dynamic
dynamic_walk(const struct pfk_engine *e, uint32_t name_id,
    const struct img_addr *a, uint8_t af)
{
	struct dynamic d = { .e = e, .name = name_id - 1, .a = a, .af = af };

	if (name_id != 0) {
		d.asked = (uint8_t)addr_mask_bits(&a->mask);
		d.iface = e->ifaces[d.name].first;
		d.end = e->ifaces[d.name].end;
	}
	return d;
}

static bool
has_prefix(const struct pfk_addr *addr, const struct pfk_addr *prefix,
    unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(addr, prefix, whole) == 0 && (rest == 0 ||
	    ((addr->b[whole] ^ prefix->b[whole]) >> (8 - rest)) == 0);
}

bool
iface_addr_match(const struct pfk_engine *e, uint32_t name_id,
    const struct img_addr *a, uint8_t af, const struct pfk_addr *addr)
{
	struct dynamic d = dynamic_walk(e, name_id, a, af);

	while (dynamic_next(&d))
		if (has_prefix(addr, &d.found, d.bits))
			return true;
	return false;
}

/* pf's order: by family, by address, longer prefixes first. */
static int
compare(const struct dynamic *x, const struct dynamic *y)
{
	int c;

	if (x->found_af != y->found_af)
		return x->found_af < y->found_af ? -1 : 1;
	c = addr_cmp(&x->found, &y->found, (enum pfk_af)x->found_af);
	return c != 0 ? c : (int)y->bits - (int)x->bits;
}

/* The least prefix that is greater than `after` (NULL: the least). */
static bool
dynamic_after(const struct pfk_engine *e, uint32_t name_id,
    const struct img_addr *a, uint8_t af, const struct dynamic *after,
    struct dynamic *least)
{
	struct dynamic d = dynamic_walk(e, name_id, a, af);
	bool found = false;

	while (dynamic_next(&d)) {
		if ((after != NULL && compare(&d, after) <= 0) ||
		    (found && compare(&d, least) >= 0))
			continue;
		*least = d;
		found = true;
	}
	return found;
}

/* The interface's own addresses, as they were listed. */
static bool
iface_own_addr(const struct pfk_engine *e, uint32_t ifid, uint8_t af,
    unsigned place, struct pfk_addr *addr, struct pfk_addr *mask)
{
	const struct iface *f = &e->ifaces[ifid];

	for (size_t i = 0; ifid < e->nifaces && i < f->naddrs; i++) {
		if (f->addrs[i].af != af || place-- != 0)
			continue;
		memcpy(addr, f->addrs[i].addr, sizeof(*addr));
		addr_prefix_mask(mask, f->addrs[i].prefixlen);
		return true;
	}
	return false;
}

bool
iface_addr(const struct pfk_engine *e, uint32_t name_id,
    const struct img_addr *a, uint8_t af, unsigned place,
    struct pfk_addr *addr, struct pfk_addr *mask)
{
	struct dynamic now, before;

	if (a == NULL)
		return iface_own_addr(e, name_id - 1, af, place, addr, mask);
	if (!dynamic_after(e, name_id, a, af, NULL, &now))
		return false;
	for (; place > 0; place--) {
		before = now;
		if (!dynamic_after(e, name_id, a, af, &before, &now))
			return false;
	}
	*addr = now.found;
	addr_prefix_mask(mask, now.bits);
	return true;
}

unsigned
iface_addr_count(const struct pfk_engine *e, uint32_t name_id,
    const struct img_addr *a, uint8_t af)
{
	struct pfk_addr addr, mask;
	unsigned n = 0;

	while (iface_addr(e, name_id, a, af, n, &addr, &mask))
		n++;
	return n;
}
