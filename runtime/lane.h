/*
 * The fast lane: the usual packet of a state that exists, in front of the
 * ordinary path (engine.c), which stays the truth.
 *
 *	burst.c		the packets of a burst, in order
 *	lane_read.c	frames into struct lane_packet: what the lane needs of
 *			their headers, and which of them are usual
 *	lane.c		the state, and everything that the ordinary path would
 *			do with such a packet
 *
 * The lane is sure before it changes anything; what is not usual in any way
 * is left untouched and takes the ordinary path.  A usual packet is
 *
 *	- IPv4 without options or fragments, IPv6 without extension headers,
 *	  that a host would take in and that is not forwarded;
 *	- UDP, or TCP with ACK and no other flag that says something;
 *	- of a state that asks for no more than its windows to be looked at,
 *	  does not translate, and (TCP) is open on both sides and stays so.
 *
 * What is read of frames holds; what is seen of states while others of the
 * burst are still to come is only good for fetching memory early.
 */
#ifndef RUNTIME_LANE_H
#define RUNTIME_LANE_H

#include "runtime/state_table.h"

#define LANE_BURST	32	/* packets looked at together */

struct lane_packet {
	uint64_t	 key[5];	/* as struct state_key; IPv4: [0] both
					   addresses, [4] the rest */
	const uint8_t	*ip, *hdr;	/* transport header */
	uint32_t	 hash;
	uint32_t	 ref;		/* lane_look_up()'s */
	uint32_t	 len;		/* of the packet, by its IP header */
	uint32_t	 datalen;	/* TCP */
	uint8_t		 dir;
	bool		 v6, tcp;
	bool		 known;		/* there is a key, and its hash */
	bool		 usual;		/* as far as headers tell */
};

/*
 * An interface as packets' keys and the lane need it; packets that follow
 * each other mostly have the same.
 */
struct lane_if {
	uint16_t	 ifid;
	bool		 usable;
	uint32_t	 tail[2][2];	/* [v6][tcp]: the key's last word */
};

/*
 * Fills the packet and, where another one is asked for, the interface (ifid
 * is IF_NONE at first).  before: the packet before it in the burst, or NULL.
 */
void	lane_read(const struct pfk_engine *, const struct pfk_packet *,
	    struct lane_if *, const struct lane_packet *before,
	    struct lane_packet *);
/*
 * The table's only reference (index * 2 + side) with the hash; 0 if there is
 * none, or perhaps more than one.
 */
uint32_t lane_look_up(const struct state_table *, uint32_t hash);
/* All of the packet, if it is usual; false: nothing was done. */
bool	lane_take(struct pfk_engine *, const struct pfk_packet *,
	    const struct lane_packet *);

#endif
