/*
 * The fast lane: the usual packet of a state that exists, in front of the
 * ordinary path (engine.c), which stays the truth.
 *
 *	burst.c		the packets of a burst, in order
 *	lane_read.c	frames into struct lane_packet: what the lane needs of
 *			their headers, and which of them are usual
 *	lane_head.h	what strips are asked about them, if there is no state
 *	state_hash.c	their keys' hashes
 *	lane.c		the state, and everything that the ordinary path would
 *			do with such a packet
 *	lane_turn.c	segments with which a connection opens or closes
 *	lane_busy.c	what match rules have to do with it
 *	lane_forward.c	the same packet, as it leaves again
 *
 * The lane is sure before it changes anything; what is not usual in any way
 * is left untouched and takes the ordinary path.  A usual packet is
 *
 *	- IPv4 without options or fragments, IPv6 without extension headers,
 *	  that a host would take in;
 *	- UDP, an echo of ICMP or its answer, or TCP with ACK, and of the
 *	  other flags that say something at most SYN or FIN;
 *	- of a state that asks for no more than its windows to be looked at, or
 *	  what match rules do to every packet, and does not change the family;
 *	  and (TCP) in the window.
 *
 * What is read of frames holds; what is seen of states while others of the
 * burst are still to come is only good for fetching memory early.
 *
 * Each step is a loop over some packets, so that what one of them waits for
 * does not hold up the next one.
 */
#ifndef RUNTIME_LANE_H
#define RUNTIME_LANE_H

#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/state_table.h"

#define LANE_GROUP	16	/* packets looked at together */

#if defined(__GNUC__) || defined(__clang__)
#define NOINLINE	__attribute__((__noinline__))
#define ALWAYS_INLINE	inline __attribute__((__always_inline__))
#else
#define NOINLINE
#define ALWAYS_INLINE	inline
#endif

/* What a packet is, as far as headers tell: lane_packet.kind. */
enum {
	LANE_USUAL = 1,
	LANE_TURNS = 2,		/* but for SYN and ACK, FIN and ACK */
	LANE_BARE = 4		/* nothing but that it has no state, if so: it
				   may also be a bare SYN; and is no answer to
				   an echo */
};

struct lane_packet {
	/* IPv4: both addresses, the rest; IPv6: as struct state_key; if there
	   is no hash: [0] is what its interface and head are (lane_head.h) */
	uint64_t	 key[5];
	const uint8_t	*hdr;		/* transport header; NULL: no key */
	uint32_t	 hash;		/* 0: not known yet: lane_know() */
	uint32_t	 ref;		/* lane_look_up()'s */
	struct state	*state;		/* its, if it is not 0 */
	const struct state_key *at;	/* and, of IPv6, the key that it goes
					   by */
	uint32_t	 len;		/* of the packet, by its IP header */
	uint32_t	 datalen;	/* TCP */
	uint16_t	 tables;	/* TABLE_BIT() of those that it is in */
	bool		 told;		/* ... as far as anything is known */
	bool		 out;
	bool		 v6;
	bool		 tcp, echo;	/* neither: UDP */
	bool		 answer;	/* to an echo; its key has the id where
					   the question's has it */
	uint8_t		 kind;		/* LANE_USUAL ... */
};

/* As it lies in memory. */
static ALWAYS_INLINE uint32_t
word_at(const void *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* The IP header.  => There is a key. */
static inline const uint8_t *
lane_ip(const struct lane_packet *l)
{
	return l->hdr - (l->v6 ? 40 : 20);
}

/* => There is a key. */
static inline uint8_t
lane_proto(const struct lane_packet *l)
{
	return l->tcp ? PROTO_TCP : !l->echo ? PROTO_UDP :
	    l->v6 ? PROTO_ICMPV6 : PROTO_ICMP;
}

/* Both addresses, the source's first.  => There is a key. */
static inline const uint8_t *
lane_addr(const struct lane_packet *l, int side)
{
	return l->hdr - (l->v6 ? 32 - 16 * side : 8 - 4 * side);
}

/*
 * Whether the ones' complement sum of an IPv4 header without options is not
 * zero, which is to say that the sum of its words, of any size, is no multiple
 * of 0xffff.  It is one if its product with the inverse (modulo 2^64) is no
 * more than the largest.
 */
static inline bool
sum4_wrong(const uint8_t *ip)
{
	uint64_t s, w;
	uint32_t last;

	memcpy(&s, ip, sizeof(s));
	memcpy(&w, ip + 8, sizeof(w));
	memcpy(&last, ip + 16, sizeof(last));
	s += w;
	s += s < w;
	s += last;
	s += s < last;
	return s * 0xfffefffefffeffff > UINT64_MAX / 0xffff;
}

/* TCP: no part of its header has been cut off.  => There is a key. */
static inline bool
lane_tcp_whole(const struct pfk_packet *f, const struct lane_packet *l)
{
	return f->caplen - (uint32_t)(l->hdr - f->data) >=
	    (l->hdr[12] >> 4) * 4u;
}

/*
 * An interface as packets' keys and the lane need it; packets that follow
 * each other mostly have the same.
 */
struct lane_if {
	uint16_t	 ifid;
	uint16_t	 rdomain;
	/* sign bit: its packets are not usual; nor are cut ones */
	uint32_t	 odd, whole;
	/* UDP, TCP: least length of a header; mask of what only TCP has */
	uint32_t	 least[2], tcp[2];
	uint64_t	 head;		/* lane_head.h */
	uint64_t	 tail[2][3];	/* the key's last word: [v6], and UDP,
					   TCP, echo */
};
/* The routing domain of one that need not be it. */
static inline uint16_t
lane_rdomain(const struct pfk_engine *e, const struct lane_if *in,
    uint16_t ifid)
{
	return in->ifid == ifid ? in->rdomain :
	    (uint16_t)iface_rdomain(e, ifid);
}

/* What all packets of one interface count, until it is handed in. */
struct lane_tally {
	uint64_t	 packets[8], bytes[8];	/* [blocked * 4 + out * 2 +
						   v6] */
	uint64_t	 judged;		/* by rules */
	uint16_t	 ifid;
};
/* => It is the interface's. */
static inline void
lane_count(struct lane_tally *t, const struct lane_packet *l, bool blocked)
{
	unsigned kind = blocked * 4u + l->out * 2u + l->v6;

	t->packets[kind]++;
	t->bytes[kind] += l->len;
}

static inline void
lane_count_rule(const struct pfk_engine *e, uint32_t rule,
    const struct lane_packet *l)
{
	struct pfk_rule_counters *n = &e->rules[rule].n;

	n->packets[l->out]++;
	n->bytes[l->out] += l->len;
}

/* What goes on from packet to packet of a burst. */
struct lane_run {
	struct lane_if	 in;
	struct lane_tally tally;
	struct lane_tally onward;	/* of packets that leave again */
};
static inline void
lane_begin(struct lane_run *r)
{
	memset(r, 0, sizeof(*r));
	r->in.ifid = r->tally.ifid = r->onward.ifid = IF_NONE;
}
/* The tallies are handed in: at the end, or the one if another follows. */
void	lane_end(struct pfk_engine *, struct lane_run *);
void	lane_hand_in(struct pfk_engine *, struct lane_tally *);
static inline void
lane_tally_for(struct pfk_engine *e, struct lane_tally *t, uint16_t ifid)
{
	if (ifid == t->ifid)
		return;
	lane_hand_in(e, t);
	t->ifid = ifid;
}

/*
 * The time of the last packet, and the one from which there is more to do than
 * to move on: pfk_engine_advance() for packets that follow each other.
 */
struct lane_clock { uint64_t last, end; };
static inline void
lane_clock_read(struct lane_clock *c, const struct pfk_engine *e)
{
	c->last = e->epoch + e->now;
	c->end = e->epoch + ((uint64_t)e->uptime + 1) * 1000000000u;
}
/* Where work is done, states may end. */
static inline void
lane_clock_move(struct lane_clock *c, struct pfk_engine *e, uint64_t time)
{
	if (time <= c->last)
		return;
	if (time < c->end) {
		c->last = time;
		return;
	}
	e->now = c->last - e->epoch;
	pfk_engine_advance(e, time);
	lane_clock_read(c, e);
}

/*
 * Fills the packets but for hash, ref, state, and, where another one is asked
 * for, the interface (ifid is IF_NONE at first).  bare: while there is no state
 * nobody asks for keys: they are put off, and ref is 0.
 */
void	lane_read(const struct pfk_engine *, const struct pfk_packet *,
	    size_t n, struct lane_if *, struct lane_packet *);
void	lane_read_bare(const struct pfk_engine *, const struct pfk_packet *,
	    size_t n, struct lane_if *, struct lane_packet *);
/* Key and hash, if they have been put off. */
void	lane_make_key(const struct pfk_engine *, struct lane_packet *);
static inline void
lane_know(const struct pfk_engine *e, struct lane_packet *l)
{
	if (l->hash == 0)
		lane_make_key(e, l);
}
/*
 * The table's only reference (index * 2 + side) with the hash; 0 if there is
 * none, LANE_SEVERAL if there is perhaps more than one.
 */
#define LANE_SEVERAL	1u	/* no state has the index 0 */
static inline uint32_t
lane_look_up(const struct state_table *t, uint32_t hash)
{
	uint32_t b = hash & (t->nbuckets - 1), m;

	for (;; b = (b + 1) & (t->nbuckets - 1)) {
		const struct bucket *bu = &t->buckets[b];

		if ((m = bucket_match(bu, hash)) != 0)
			return (m & (bu->twins | (m - 1))) != 0 ?
			    LANE_SEVERAL : bu->ref[lowest_bit(m)];
		if (bu->past == 0)
			return 0;
	}
}
/*
 * Whether the state's key by which it was found is the packet's; of IPv4 the
 * stack key must be packed, if it is that.  The side comes at random: no
 * branches.
 */
static inline bool
lane_key_fits(const struct lane_packet *l)
{
	const uint8_t *k = (const uint8_t *)&l->state->key;
	size_t stack = l->ref & KEY_STACK;
	uint32_t a[2], b[2];
	uint64_t w[5];

	if (l->v6) {
		memcpy(w, l->at, sizeof(w));
		return ((w[0] ^ l->key[0]) | (w[1] ^ l->key[1]) |
		    (w[2] ^ l->key[2]) | (w[3] ^ l->key[3]) |
		    (w[4] ^ l->key[4])) == 0;
	}
	memcpy(&a[0], k + stack * PACKED_ADDR, 4);
	memcpy(&a[1], k + 16 - stack * (16 - (PACKED_ADDR + 4)), 4);
	memcpy(&w[1], k + 32 - stack * (32 - PACKED_PORT), 8);
	memcpy(b, &l->key[0], 8);
	return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (w[1] ^ l->key[1])) == 0;
}
/* Where a key of IPv6 is; of IPv4 it does not matter. */
static inline const struct state_key *
lane_key_at(const struct pfk_engine *e, uint32_t ref)
{
	const struct state_extra *x;

	if ((ref & KEY_STACK) && (x = state_extra(e, ref / 2)) != NULL)
		return &x->stack;
	return &state_get(e, ref / 2)->key;
}
/* Several are as none for the lane; but it has a state, perhaps. */
static inline void
lane_refer(struct lane_packet *l, uint32_t ref)
{
	l->ref = ref;
	if (ref == LANE_SEVERAL) {
		l->ref = 0;
		l->kind &= (uint8_t)~LANE_BARE;
	}
}
/* The same for a packet of a burst whose table has changed since. */
static inline void
lane_look_again(const struct pfk_engine *e, struct lane_packet *l)
{
	lane_know(e, l);
	lane_refer(l, lane_look_up(e->states, l->hash));
	if (l->ref == 0)
		return;
	l->state = state_get(e, l->ref / 2);
	l->at = l->v6 ? lane_key_at(e, l->ref) : &l->state->key;
}
/* How far the table was when packets were looked up; what that says of one. */
struct lane_seen { uint64_t changes, losses; };
static inline bool
lane_stale(const struct state_table *t, const struct lane_packet *l,
    const struct lane_seen *seen)
{
	return l->ref == 0 ? t->changes != seen->changes :
	    t->losses != seen->losses;
}
/*
 * Packets from the first one on as long as they are usual, each at its time;
 * how many.  seen: the table when they were looked up.  Of the next one nothing
 * has been done.
 */
size_t	lane_take(struct pfk_engine *, struct lane_run *,
	    const struct pfk_packet *, struct lane_packet *, size_t n,
	    const struct lane_seen *seen);

/* What follows for a packet that its state let pass as it came, all of which is
 * there. */
void	lane_passed(struct pfk_engine *, struct lane_run *,
	    const struct pfk_packet *, const struct lane_packet *);

/*
 * lane_turn.c: what a segment in the window does to its connection, whatever
 * comes of that; false: nothing has been done.  => lane_suits() its state.
 */
bool	lane_turn(struct pfk_engine *, const struct pfk_packet *,
	    const struct lane_packet *, bool back);

/* lane_busy.c: its state is busy; it counts, and the sink is told. */
void	lane_busy(struct pfk_engine *, const struct lane_packet *,
	    uint32_t state, bool back);
void	lane_tell_busy(struct pfk_engine *, const struct pfk_packet *,
	    const struct lane_packet *);
/* What its actions make of the packet's bytes. */
void	lane_scrub(struct pkt *, const struct state_cold *);

/*
 * lane_forward.c, for a packet that its state lets pass.  The packet as it is
 * then, for the ordinary path; whether it goes on, if it came in to be
 * forwarded; and as the lane has it when it leaves (but for ref, state, at).
 */
void	lane_translate(const struct pfk_engine *, const struct lane_packet *,
	    struct pkt *);
void	lane_make_pkt(struct pfk_engine *, const struct pfk_packet *,
	    const struct lane_packet *, struct pkt *);
bool	lane_leaves(const struct pfk_engine *, const struct lane_packet *,
	    uint16_t *ifid);
bool	lane_turn_around(const struct pfk_engine *, const struct lane_packet *,
	    uint16_t ifid, struct lane_packet *onward);

#endif
