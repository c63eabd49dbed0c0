/*
 * Plain packets: those that nobody will mend, refuse or answer for before a
 * state or the rules have been asked.  The lane has read their headers
 * (lane.h); for them link.c, decode.c and normalize.c have nothing to do.
 *
 * Whole IPv4 or IPv6 without options; TCP, UDP, or ICMP's echo; not forwarded.
 */
#ifndef RUNTIME_PLAIN_H
#define RUNTIME_PLAIN_H

#include "runtime/lane.h"

/*
 * Nothing of it is odd but what a bare SYN or its answer has: it is plain, if
 * (TCP) syncookies are idle.  => The lane found a key.
 */
static inline bool
packet_is_usual(const struct lane_packet *l)
{
	return (l->kind & LANE_BARE) != 0;
}
/* => The same. */
bool	packet_is_plain(const struct pfk_engine *, const struct pfk_packet *,
	    const struct lane_packet *);
/* As decode.c would fill it.  => It is plain. */
void	packet_make(struct pfk_engine *, const struct pfk_packet *,
	    const struct lane_packet *, struct pkt *);

#endif
