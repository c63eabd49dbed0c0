/*
 * The firewall's routes.  Where they are not known (there is no netstat-rn in
 * the folder of --host), what every firewall has can be assumed: routes to its
 * interfaces' networks, and default routes by the interfaces of the group
 * `egress', which is what that group means, or else by the first that has an
 * address.
 */
#include <stdlib.h>
#include <string.h>

#include "pfkit.h"
#include "routes.h"

static void
add(struct routes *l, uint8_t af, const uint8_t *addr, uint8_t bits,
    const struct pfk_interface *i)
{
	struct pfk_route *r;

	l->v = xrealloc(l->v, (l->n + 1) * sizeof(*r));
	r = &l->v[l->n++];
	memset(r, 0, sizeof(*r));
	r->af = af;
	r->prefixlen = bits;
	for (unsigned k = 0; k < bits; k++)
		r->dst[k / 8] |= (uint8_t)(addr[k / 8] & 0x80 >> k % 8);
	r->ifname = i->name;
}

static void
add_networks(struct routes *l, const struct pfk_interface *i)
{
	for (size_t k = 0; k < i->naddrs; k++) {
		const struct pfk_ifaddr *a = &i->addrs[k];

		if (a->has_peer)
			add(l, a->af, a->peer, a->af == 4 ? 32 : 128, i);
		else
			add(l, a->af, a->addr, a->prefixlen, i);
	}
}

static void
add_defaults(struct routes *l, const struct pfk_interface *i)
{
	static const uint8_t any[16];

	add(l, 4, any, 0, i);
	add(l, 6, any, 0, i);
}

/* The first that leads anywhere. */
static const struct pfk_interface *
outer(const struct pfk_interface *ifs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(ifs[i].flags & PFK_IFF_LOOPBACK) && ifs[i].naddrs > 0)
			return &ifs[i];
	return NULL;
}

static void
assume(struct routes *l, const struct pfk_host *host)
{
	size_t n;
	const struct pfk_interface *ifs = pfk_host_interfaces(host, &n);
	const struct pfk_interface *out = outer(ifs, n);
	bool egress = false;

	for (size_t i = 0; i < n; i++) {
		add_networks(l, &ifs[i]);
		if (pfk_host_in_group(&ifs[i], "egress")) {
			add_defaults(l, &ifs[i]);
			egress = true;
		}
	}
	if (!egress && out != NULL)
		add_defaults(l, out);
}

const struct pfk_route *
routes_of_host(struct routes *l, const struct pfk_host *host, size_t *n)
{
	const struct pfk_route *r = pfk_host_routes(host, n);

	if (*n > 0)
		return r;
	if (l->v == NULL)
		assume(l, host);
	*n = l->n;
	return l->v;
}
