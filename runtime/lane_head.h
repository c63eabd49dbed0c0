/*
 * The heads of packets that the lane has read, as strips know them:
 * strip_key() without a struct strip_head on the way.
 */
#ifndef RUNTIME_LANE_HEAD_H
#define RUNTIME_LANE_HEAD_H

#include "runtime/lane.h"
#include "runtime/strip.h"

/* What packets of an interface have in common ... */
static inline uint64_t
head_of_if(uint16_t ifid, uint16_t rdomain)
{
	return (uint64_t)ifid << 48 | (uint64_t)rdomain << 32;
}

/*
 * ... and the rest.  byte: TCP's flags, or the type of an echo, whose code it
 * is; else 0.
 */
static ALWAYS_INLINE uint64_t
head_of_packet(uint32_t byte, uint32_t proto, uint32_t code, bool echo,
    uint32_t af, bool out)
{
	return byte << STRIP_KEY_FLAGS | proto << 16 |
	    code << STRIP_KEY_CODE | (uint32_t)echo << 7 | af << 2 |
	    (PFK_IN + (PFK_OUT - PFK_IN) * (uint32_t)out);
}

/* What it is comes at random: no branches.  => It has a key. */
static inline uint64_t
lane_head(const struct lane_packet *l)
{
	uint32_t tcp = l->tcp, echo = l->echo, v6 = l->v6;
	/* as lane_proto() */
	uint32_t proto = PROTO_UDP - (PROTO_UDP - PROTO_TCP) * tcp - echo *
	    (PROTO_UDP - PROTO_ICMP - (PROTO_ICMPV6 - PROTO_ICMP) * v6);

	return head_of_packet(l->hdr[13 * tcp] & (0u - (tcp | echo)), proto,
	    l->hdr[1] & (0u - echo), l->echo,
	    PFK_AF_INET + (PFK_AF_INET6 - PFK_AF_INET) * v6, l->out);
}

/*
 * A question to the strips in front (strips_short()), but for tables.
 * => It has a key.
 */
static ALWAYS_INLINE void
lane_question(struct strip_ask *q, const struct pfk_engine *e,
    const struct lane_run *run, const struct pfk_packet *f,
    const struct lane_packet *l)
{
	size_t v6 = l->v6;	/* at random: no branches */

	q->key = l->hash == 0 ? l->key[0] : lane_head(l) |
	    head_of_if(f->ifid, lane_rdomain(e, &run->in, f->ifid));
	q->icmp = l->echo;
	q->addr[SRC] = l->hdr - 8 - 24 * v6;
	q->addr[DST] = l->hdr - 4 - 12 * v6;
	q->port[SRC] = get16(l->hdr);
	q->port[DST] = get16(l->hdr + 2);
}

#endif
