/*
 * Walking from an IP header to the header behind its options or extension
 * headers: of a packet (decode.c) and of one quoted by an ICMP error (icmp.c).
 */
#ifndef RUNTIME_WALK_H
#define RUNTIME_WALK_H

#include "runtime/pkt.h"

enum { OPT_OTHER = 1, OPT_JUMBO = 2, OPT_ROUTER_ALERT = 4 };

struct walk {
	const uint8_t	*p;		/* the outer packet */
	uint32_t	 limit;		/* its length */
	uint32_t	 off;		/* in: of the IP header; out: of the
					   header that was reached */
	uint8_t		 proto;		/* of that header */
	uint8_t		 opts;		/* OPT_*: options that rules allow */
	uint32_t	 end;		/* where the inner packet ends */
	uint32_t	 fragoff;	/* IPv6: fragment header, or 0 */
	uint32_t	 extoff;	/* IPv6: last extension before it */
	bool		 jumbo;
	enum pfk_reason	 reason;
};

/* false: the chain is broken, or of a kind that pf never lets through. */
bool	walk_ip4(struct walk *);
bool	walk_ip6(struct walk *);

#endif
