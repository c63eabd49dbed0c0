/*
 * What was left out of a packet in words: values that such a packet usually
 * has on the interface.
 *
 *			source			destination
 *	in, outside	somebody		the firewall
 *	in, inside	a neighbour		somebody
 *	out, outside	the firewall		somebody
 *	out, inside	the firewall		a neighbour
 *
 * Outside is where the default route leads, or what is in the group egress;
 * if neither is known, everywhere.
 */
#include <arpa/inet.h>
#include <string.h>

#include "../pfkit.h"
#include "packet_int.h"

#define HOST_PART	77	/* of a neighbour, and of somebody */

/* ---- interfaces and their addresses ---- */

static const struct pfk_interface *
some_interface(const struct pfk_host *host)
{
	size_t n;
	const struct pfk_interface *ifs = pfk_host_interfaces(host, &n);

	for (size_t i = 0; i < n; i++)
		if ((ifs[i].flags & PFK_IFF_LOOPBACK) == 0 &&
		    ifs[i].naddrs > 0)
			return &ifs[i];
	return n > 0 ? &ifs[0] : NULL;
}

bool
names_interface(const struct pfk_host *host, const char *name)
{
	return strcmp(name, "self") == 0 || pfk_host_is_group(host, name) ||
	    pfk_host_interface(host, name) != NULL;
}

static bool
is_meant(const struct pfk_interface *i, const char *name)
{
	return strcmp(name, "self") == 0 || strcmp(name, i->name) == 0 ||
	    pfk_host_in_group(i, name);
}

/* The first address of the family, link-local ones aside; NULL: none. */
static const struct pfk_ifaddr *
address_of(const struct pfk_interface *i, uint8_t af)
{
	for (size_t n = 0; i != NULL && n < i->naddrs; n++)
		if (i->addrs[n].af == af && (af == 4 ||
		    i->addrs[n].addr[0] != 0xfe))
			return &i->addrs[n];
	return NULL;
}

/* That of the packet's own interface, if the name means it, goes first. */
static const struct pfk_ifaddr *
named_address(const struct words *w, const char *name, uint8_t af)
{
	size_t n;
	const struct pfk_interface *ifs = pfk_host_interfaces(w->host, &n);
	const struct pfk_interface *own = pfk_host_interface(w->host,
	    w->k->ifname);
	const struct pfk_ifaddr *a = NULL;

	if (own != NULL && is_meant(own, name))
		a = address_of(own, af);
	for (int loop = 0; loop < 2 && a == NULL; loop++)
		for (size_t i = 0; i < n && a == NULL; i++)
			if (is_meant(&ifs[i], name) && loop ==
			    ((ifs[i].flags & PFK_IFF_LOOPBACK) != 0))
				a = address_of(&ifs[i], af);
	return a;
}

static bool
leads_outside(const struct words *w, const char *ifname)
{
	size_t n, nifs;
	const struct pfk_route *r = pfk_host_routes(w->host, &n);
	const struct pfk_interface *ifs = pfk_host_interfaces(w->host, &nifs);
	bool known = false;

	for (size_t i = 0; i < n; i++) {
		if (r[i].prefixlen != 0 || r[i].ifname == NULL)
			continue;
		if (strcmp(r[i].ifname, ifname) == 0)
			return true;
		known = true;
	}
	for (size_t i = 0; i < nifs; i++) {
		if (!pfk_host_in_group(&ifs[i], "egress"))
			continue;
		if (strcmp(ifs[i].name, ifname) == 0)
			return true;
		known = true;
	}
	return !known;
}

/* ---- addresses ---- */

/* One that documents use, so that it is nobody's. */
static void
somebody(const struct packet *k, struct pfk_endpoint *e, unsigned last)
{
	static const uint8_t v4[4] = { 203, 0, 113 };
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0xff };

	memcpy(e->addr, k->af == 4 ? v4 : v6, k->af == 4 ? 4 : 16);
	e->addr[k->af == 4 ? 3 : 15] = (uint8_t)last;
}

/* Another one of the interface's network. */
static void
neighbour(const struct pfk_ifaddr *a, struct pfk_endpoint *e)
{
	unsigned last = a->af == 4 ? 3 : 15, room = (last + 1) * 8 -
	    a->prefixlen;

	memcpy(e->addr, a->has_peer ? a->peer : a->addr, 16);
	if (a->has_peer || room == 0)
		return;
	if (room >= 8) {
		e->addr[last] = HOST_PART;
		if (a->addr[last] == HOST_PART)
			e->addr[last]++;
	} else if (room == 1)
		e->addr[last] ^= 1;
	else
		e->addr[last] ^= 3;	/* neither its network nor its broadcast
					   address, if this is neither */
}

static void
fill_source(struct words *w, const struct pfk_ifaddr *own, bool outside,
    bool loop)
{
	struct packet *k = w->k;

	if (own != NULL && (k->dir == PFK_OUT || loop))
		memcpy(k->src.addr, own->addr, 16);
	else if (own != NULL && !outside)
		neighbour(own, &k->src);
	else
		somebody(k, &k->src, HOST_PART);
}

static void
fill_destination(struct words *w, const struct pfk_ifaddr *own, bool outside,
    bool loop)
{
	struct packet *k = w->k;

	if (own != NULL && (loop || (k->dir == PFK_IN && outside)))
		memcpy(k->dst.addr, own->addr, 16);
	else if (own != NULL && k->dir == PFK_OUT && !outside)
		neighbour(own, &k->dst);
	else
		somebody(k, &k->dst, HOST_PART + 1);
}

static void
fill_named(struct words *w, enum packet_end end)
{
	struct pfk_endpoint *e = end == SOURCE ? &w->k->src : &w->k->dst;
	const struct pfk_ifaddr *a;

	if (w->name[end] == NULL)
		return;
	a = named_address(w, w->name[end], w->k->af);
	if (a == NULL)
		wrong_word(w, w->name_at[end], "%s has no address of %s",
		    w->name[end], w->k->af == 4 ? "inet" : "inet6");
	memcpy(e->addr, a->addr, 16);
}

static void
fill_addresses(struct words *w)
{
	struct packet *k = w->k;
	const struct pfk_interface *i = pfk_host_interface(w->host, k->ifname);
	const struct pfk_ifaddr *own = address_of(i, k->af);
	bool loop = i != NULL && (i->flags & PFK_IFF_LOOPBACK) != 0;
	bool outside = leads_outside(w, k->ifname);

	fill_named(w, SOURCE);
	fill_named(w, DESTINATION);
	if (!(k->given & PACKET_SRC))
		fill_source(w, own, outside, loop);
	if (!(k->given & PACKET_DST))
		fill_destination(w, own, outside, loop);
}

/* ---- the rest ---- */

/* Of a group the first interface; none: the firewall's first one. */
static void
fill_interface(struct words *w)
{
	struct packet *k = w->k;
	size_t n;
	const struct pfk_interface *ifs = pfk_host_interfaces(w->host, &n);
	const struct pfk_interface *i = some_interface(w->host);

	if (k->given & PACKET_IF) {
		if (!pfk_host_is_group(w->host, k->ifname) ||
		    pfk_host_interface(w->host, k->ifname) != NULL)
			return;
		for (i = ifs; i < ifs + n; i++)
			if (pfk_host_in_group(i, k->ifname))
				break;
		if (i == ifs + n)
			return;
		k->given &= ~(unsigned)PACKET_IF;
	}
	k->ifname[0] = '\0';
	strncat(k->ifname, i != NULL ? i->name : "em0",
	    sizeof(k->ifname) - 1);
}

/* Without any word of it: that of the addresses that are named. */
static void
fill_family(struct words *w)
{
	struct packet *k = w->k;

	if (k->af != 0)
		return;
	k->af = k->proto == ICMP6 ? 6 : 4;
	for (int end = SOURCE; end <= DESTINATION; end++)
		if (w->name[end] != NULL && k->proto == 0 &&
		    named_address(w, w->name[end], 4) == NULL)
			k->af = 6;
}

void
packet_fill(struct words *w)
{
	struct packet *k = w->k;

	if (k->dir == 0)
		k->dir = PFK_IN;
	fill_interface(w);
	fill_family(w);
	if (!(k->given & PACKET_PROTO))
		k->proto = !(k->given & PACKET_ICMP) ? TCP : k->af == 4 ?
		    ICMP : ICMP6;
	fill_addresses(w);
	if (!(k->given & PACKET_SPORT))
		k->src.port = htons(k->proto == TCP || k->proto == UDP ?
		    49152 : 1);
	if (!(k->given & PACKET_DPORT))
		k->dst.port = htons(k->proto == UDP ? 53 : 80);
	if (!(k->given & PACKET_FLAGS))
		k->tcp_flags = 0x02;
	if (!(k->given & PACKET_ICMP))
		k->icmp_type = k->af == 4 ? 8 : 128;
}

/* ---- what that was ---- */

static const struct { unsigned part; const char *name; } parts[] = {
	{ PACKET_DIR, "direction" }, { PACKET_IF, "interface" },
	{ PACKET_PROTO, "protocol" }, { PACKET_SRC, "source address" },
	{ PACKET_SPORT, "source port" }, { PACKET_DST, "destination address" },
	{ PACKET_DPORT, "destination port" }, { PACKET_FLAGS, "flags" },
	{ PACKET_ICMP, "ICMP type" },
};

static unsigned
parts_of(const struct packet *k)
{
	unsigned without = PACKET_AF;

	if ((k->proto != TCP && k->proto != UDP) || k->fragment)
		without |= PACKET_SPORT | PACKET_DPORT;
	if (k->proto != TCP || k->fragment)
		without |= PACKET_FLAGS;
	if ((k->proto != ICMP && k->proto != ICMP6) || k->fragment)
		without |= PACKET_ICMP;
	return ~without;
}

const char *
packet_chosen(const struct packet *k, size_t *i)
{
	unsigned filled = parts_of(k) & ~k->given;

	for (; *i < sizeof(parts) / sizeof(parts[0]); ++*i)
		if (filled & parts[*i].part)
			return parts[*i].name;
	return NULL;
}
