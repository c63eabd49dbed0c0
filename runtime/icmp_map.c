/*
 * What a message of ICMP or ICMPv6 is to pf: a query or its answer, which make
 * up a connection by their id, or an error, which belongs to the connection
 * that it quotes.
 */
#include <string.h>

#include "runtime/icmp.h"

enum id_from { ID_NONE, ID_FIELD, ID_TARGET };

/*
 * Queries and answers.  The type of the query stands for both; where there is
 * no id to go by it is 0, or made of the address that is asked about.  MLD's
 * reports come unasked, too, so that they count as queries.
 */
static const struct icmp_query {
	uint8_t		af, query, answer;
	enum id_from	id;
} queries[] = {
	{ PFK_AF_INET,	8,   0,	  ID_FIELD },	/* echo */
	{ PFK_AF_INET,	13,  14,  ID_FIELD },	/* timestamp */
	{ PFK_AF_INET,	15,  16,  ID_FIELD },	/* information */
	{ PFK_AF_INET,	17,  18,  ID_FIELD },	/* address mask */
	{ PFK_AF_INET,	33,  34,  ID_NONE },	/* where are you */
	{ PFK_AF_INET,	35,  36,  ID_NONE },	/* mobile registration */
	{ PFK_AF_INET,	10,  9,	  ID_NONE },	/* router solicitation */
	{ PFK_AF_INET6,	128, 129, ID_FIELD },	/* echo */
	{ PFK_AF_INET6,	139, 140, ID_NONE },	/* who are you */
	{ PFK_AF_INET6,	201, 200, ID_NONE },	/* multicast traceroute */
	{ PFK_AF_INET6,	135, 135, ID_TARGET },	/* neighbour solicitation */
};
#define NQUERIES	(sizeof(queries) / sizeof(*queries))

static bool
is_error(uint8_t af, uint8_t type)
{
	if (af == PFK_AF_INET6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 5 || type == 11 ||
	    type == 12;
}

/* The address in ND and MLD messages, folded. */
static uint16_t
target_id(const uint8_t *hdr, uint32_t hdrlen)
{
	uint16_t id = 0, word;

	if (hdrlen < 24)
		return 0;
	for (int i = 8; i < 24; i += 2) {
		memcpy(&word, hdr + i, 2);
		id ^= word;
	}
	return id;
}

static uint16_t
message_id(enum id_from from, const uint8_t *hdr, uint32_t hdrlen)
{
	uint16_t id = 0;

	if (from == ID_TARGET)
		return target_id(hdr, hdrlen);
	if (from == ID_FIELD)
		memcpy(&id, hdr + 4, 2);
	return id;
}

/* => hdr has at least 8 bytes. */
bool
icmp_classify(uint8_t af, const uint8_t *hdr, uint32_t hdrlen,
    struct icmp_kind *k)
{
	const struct icmp_query *q;
	uint8_t type = hdr[0];

	k->type = type;
	k->dir = PFK_IN;
	k->vtype = port_net(type);
	k->id = 0;
	k->echo = false;
	if (is_error(af, type))
		return true;
	if (af == PFK_AF_INET6 && (type == 130 || type == 131)) {
		k->vtype = port_net(130);
		k->id = target_id(hdr, hdrlen);
		return false;
	}
	for (q = queries; q < queries + NQUERIES; q++) {
		if (q->af != af || (q->query != type && q->answer != type))
			continue;
		k->dir = type == q->query ? PFK_IN : PFK_OUT;
		k->vtype = port_net(q->query);
		k->id = message_id(q->id, hdr, hdrlen);
		k->echo = q->query == (af == PFK_AF_INET6 ? 128 : 8);
		break;
	}
	/* may come unasked: pf makes no state of it, and takes it for an error */
	return af == PFK_AF_INET6 && type == 136;
}

/* Neighbour discovery is about its target, whoever is asked. */
static bool
neighbour_addrs(uint8_t type, const uint8_t *hdr, uint32_t hdrlen,
    struct pfk_addr addr[2])
{
	struct pfk_addr target = { { 0 } };

	if (type != 135 && type != 136)
		return false;
	if (hdrlen >= 24)
		memcpy(&target, hdr + 8, 16);
	if (type == 135) {
		addr[DST] = target;
		return true;
	}
	addr[SRC] = target;
	if (addr[DST].b[0] == 0xff)
		memset(&addr[DST], 0, sizeof(addr[DST]));
	return true;
}

bool
icmp_addrs(uint8_t af, uint8_t type, const uint8_t *hdr, uint32_t hdrlen,
    bool multicast, struct pfk_addr addr[2])
{
	static const struct pfk_addr all_nodes = { { 0xff, 2, 0, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 0, 0, 0, 1 } };

	if (af != PFK_AF_INET6)
		return true;
	if (neighbour_addrs(type, hdr, hdrlen, addr))
		return !multicast;
	if (multicast)
		addr[SRC] = all_nodes;
	return true;
}

void
icmp_ports(const struct icmp_kind *k, uint16_t port[2])
{
	port[SRC] = k->dir == PFK_IN ? k->id : k->vtype;
	port[DST] = k->dir == PFK_IN ? k->vtype : k->id;
}
