/*
 * ICMP and ICMPv6 as connections: icmp_map.c, icmp.c.
 */
#ifndef RUNTIME_ICMP_H
#define RUNTIME_ICMP_H

#include "runtime/pkt.h"

struct icmp_kind {
	uint8_t		type;
	uint8_t		dir;	/* PFK_IN: a query, PFK_OUT: an answer */
	uint16_t	id;	/* network order, as in keys */
	uint16_t	vtype;	/* type of the query; network order */
	bool		echo;	/* its id may be translated */
};

/* true: an error, which quotes another packet, or what pf takes for one. */
bool	icmp_classify(uint8_t af, const uint8_t *hdr, uint32_t hdrlen,
	    struct icmp_kind *);
/* The ports of the key: id and type where pf puts them. */
void	icmp_ports(const struct icmp_kind *, uint16_t port[2]);
/*
 * The addresses of the key, from the packet's: other ones for neighbour
 * discovery.  With multicast the source becomes ff02::1, to whom the question
 * went; false: not for this message.
 */
bool	icmp_addrs(uint8_t af, uint8_t type, const uint8_t *hdr,
	    uint32_t hdrlen, bool multicast, struct pfk_addr addr[2]);

#endif
