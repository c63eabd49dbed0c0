/*
 * nat-to: an address and a port that no state has yet for the same peer.
 *
 * TCP, UDP and echo requests of ICMP take a port (an id) of a range, from a
 * random one upwards, then downwards; with static-port, and for other
 * protocols, it must be the packet's own.  When nothing is free at an address
 * pools that have a next one are asked for it, until they begin again.  Other
 * messages of ICMP lose their id: pf does not look at it.
 */
#include <string.h>

#include "runtime/pool.h"

enum { ICMP_ECHO = 8, ICMP6_ECHO = 128 };

/* A search for a port. */
struct search {
	struct choice	*c;
	struct state_key key;
	int		 first;		/* index of the source in key */
	int		 dir;		/* of states that would collide */
	uint16_t	 port;		/* found; network order */
};

/* Ports that a host does not take by itself (net.inet.*.baddynamic). */
static bool
reserved_port(uint16_t port, uint8_t proto)
{
	static const uint16_t tcp[] = { 587, 749, 750, 751, 853, 871, 2049,
	    6000, 6001, 6002, 6003, 6004, 6005, 6006, 6007, 6008, 6009, 6010,
	    0 };
	static const uint16_t udp[] = { 623, 664, 749, 750, 751, 2049, 3784,
	    3785, 7784, 0 };
	const uint16_t *list = tcp;

	if (proto == PROTO_UDP)
		list = udp;
	else if (proto != PROTO_TCP)
		return false;
	while (*list != 0 && *list != port)
		list++;
	return *list != 0;
}

static bool
is_free(struct search *s, uint16_t port)
{
	s->key.port[s->first] = port;
	return state_find_any(s->c->e, &s->key, s->dir) == 0;
}

static bool
take_if_free(struct search *s, uint16_t port)
{
	if (!is_free(s, port))
		return false;
	s->port = port;
	return true;
}

static bool
take_host_port(struct search *s, uint32_t port)
{
	if (!is_free(s, port_net((uint16_t)port)) ||
	    reserved_port((uint16_t)port, s->key.proto))
		return false;
	s->port = port_net((uint16_t)port);
	return true;
}

/* low < high */
static bool
take_of_range(struct search *s, uint32_t low, uint32_t high)
{
	uint32_t cut = low + e_random_below(s->c->e, high - low + 1), port;

	for (port = cut; port <= high; port++)
		if (take_host_port(s, port))
			return true;
	for (port = cut; port-- > low;)
		if (take_host_port(s, port))
			return true;
	return false;
}

static bool
search_address(struct search *s, uint16_t low, uint16_t high)
{
	const struct pkt *p = s->c->f->p;
	uint8_t proto = s->key.proto;

	s->key.addr[s->first] = s->c->addr;
	if (proto != PROTO_TCP && proto != PROTO_UDP && proto != PROTO_ICMP &&
	    proto != PROTO_ICMPV6)
		return take_if_free(s, p->port[SRC]);
	if (low == 0 && high == 0)
		return take_if_free(s, p->port[SRC]);
	if (low == high)
		return take_if_free(s, port_net(low));
	return low < high ? take_of_range(s, low, high) :
	    take_of_range(s, high, low);
}

static bool
has_next(const struct pool *q)
{
	return q->p->type == IMG_POOL_RANDOM ||
	    q->p->type == IMG_POOL_ROUND_ROBIN ||
	    q->p->type == IMG_POOL_LEAST_STATES;
}

static bool
is_echo(const struct pkt *p)
{
	return p->port[DST] == port_net(p->proto == PROTO_ICMP ? ICMP_ECHO :
	    ICMP6_ECHO);
}

static void
search_init(struct search *s, struct choice *c)
{
	const struct pkt *p = c->f->p;
	struct pfk_addr addr[2];
	uint16_t port[2] = { 0, p->port[DST] };

	memset(s, 0, sizeof(*s));
	memset(addr, 0, sizeof(addr));
	/* of an address of the other family its beginning: as pf has it */
	memcpy(addr[DST].b, p->addr[DST].b, c->af == PFK_AF_INET6 ? 16 : 4);
	s->c = c;
	s->first = p->dir == PFK_IN ? 0 : 1;
	s->dir = p->dir == PFK_IN ? PFK_OUT : PFK_IN;
	state_key_set(&s->key, c->af, p->proto, p->rdomain, s->first, addr,
	    port);
}

/* Addresses tried in one search that has no end: pf would go on. */
#define MAX_TRIES	1024

/* Whether the search has been everywhere; n: addresses tried. */
static bool
been_round(const struct choice *c, unsigned n)
{
	if (c->begun)
		return addr_equal(&c->begin, &c->addr, (enum pfk_af)c->af);
	return (c->pool->p->type != IMG_POOL_RANDOM &&
	    c->pool->p->type != IMG_POOL_ROUND_ROBIN) || n == MAX_TRIES;
}

bool
pool_choose_port(struct choice *c, uint16_t *port)
{
	const struct pkt *p = c->f->p;
	uint16_t low = c->pool->p->port[0], high = c->pool->p->port[1];
	struct search s;
	unsigned n = 0;

	c->rounds = true;
	if (!pool_choose(c))
		return false;
	*port = 0;
	if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6) {
		if (!is_echo(p))
			return true;
		low = 1;
		high = 65535;
	}
	search_init(&s, c);
	while (!search_address(&s, low, high))
		if (!has_next(c->pool) || !pool_choose(c) ||
		    been_round(c, ++n))
			return false;
	*port = s.port;
	return true;
}
