/*
 * States: what pf remembers of connections.
 *
 * A state has two keys: the addresses on the wire and those that the host's
 * stack sees; they differ only where something is translated.  Keys are in
 * pf's order for the direction in which the state was made, so that
 * addr[sidx] of a packet is
 *
 *			wire key	stack key
 *	state is IN	 src, dst	 src, dst	of an incoming packet
 *	state is OUT	 dst, src	 dst, src	of an outgoing packet
 *
 * A state is split in two records of the same index: `struct state`, two
 * cache lines, has all that a hit reads and writes; `struct state_cold`, one
 * line, the rest that every state has.  What few have is in a third one,
 * `struct state_extra`, if there is need; a stack key of IPv4 is not among
 * it (state_key()).  They come from pools that grow up
 * to `set limit states`.  Index 0 is "no state", and "no extra".
 *
 * Time in states is whole seconds since the engine started, as pf's.
 */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include "runtime/engine_int.h"

enum { KEY_WIRE, KEY_STACK };

struct state_key {
	struct pfk_addr	addr[2];
	uint16_t	port[2];	/* network order; ICMP: id, type;
					   others 0 */
	uint16_t	rdomain;
	uint8_t		af, proto;
};

struct state_peer {
	uint32_t	seqlo, seqhi;	/* max seq sent; max seq ACKed + win */
	uint32_t	seqdiff;	/* of modulated sequence numbers */
	uint16_t	max_win;
	uint8_t		state;		/* TCPS_*, PFUDPS_*, ... */
	uint8_t		wscale;		/* shift; WSCALE_* flags */
};
#define WSCALE_MASK	0x0f
#define WSCALE_FLAG	0x80
#define WSCALE_UNKNOWN	0x40

/* TCP's states as pf numbers them, and the ones of its own. */
enum { TCPS_CLOSED, TCPS_LISTEN, TCPS_SYN_SENT, TCPS_SYN_RECEIVED,
    TCPS_ESTABLISHED, TCPS_CLOSE_WAIT, TCPS_FIN_WAIT_1, TCPS_CLOSING,
    TCPS_LAST_ACK, TCPS_FIN_WAIT_2, TCPS_TIME_WAIT,
    TCPS_PROXY_SRC, TCPS_PROXY_DST };
enum { SINGLE_NONE, SINGLE_FIRST, SINGLE_MULTIPLE };
#define TIMEOUT_PURGE	IMG_TMO_COUNT		/* waits for the sweep */
#define TIMEOUT_UNLINKED (IMG_TMO_COUNT + 1)

struct state {
	struct state_key key;		/* KEY_WIRE */
	struct state_peer src, dst;	/* who opened it, the other */
	uint64_t	packets[2], bytes[2];	/* [0]: state's direction */
	uint64_t	id;
	uint32_t	expire;		/* last used; the timeout counts from */
	uint32_t	rule;		/* of the engine's rules, or IMG_NONE */
	uint16_t	ifid;		/* IF_NONE: floating */
	uint16_t	flags;		/* PFK_STATE_F_* and below */
	uint8_t		timeout;	/* enum img_timeout, TIMEOUT_* */
	uint8_t		direction;	/* PFK_IN, PFK_OUT */
	bool		translated : 1;	/* the stack key differs */
	bool		packed : 1;	/* ... and is in key: state_key() */
	bool		lane : 1;	/* lane_suits(), and not over */
	bool		busy : 1;	/* per_packet is not 0 */
	bool		plain : 1;	/* lane, and none of: translated, busy,
					   bound to an interface, anchored */
	uint8_t		per_packet;	/* work beyond the window checks:
					   PER_* */
};
/* state.flags, besides PFK_STATE_F_*: made by a rule in an anchor */
#define STATE_ANCHORED	0x8000
/* state.per_packet: hints that keep the cold record untouched on a hit */
#define PER_MATCH	0x01	/* match rules whose counters move */
#define PER_NODES	0x02	/* source nodes */
#define PER_ACTIONS	0x04	/* scrub, tos, prio, tag, rtable, log, mss */
#define PER_TABLES	0x08	/* tables with counters */
#define PER_ROUTE	0x10	/* route-to, reply-to, dup-to */
#define PER_TSCRUB	0x20	/* reassemble tcp */
#define PER_RATE	0x40	/* max-pkt-rate of its rule */
#define PER_LOG		0x80	/* log all */

struct state_cold {
	uint32_t	created;
	uint32_t	anchor;		/* rule that called the anchor, or
					   IMG_NONE */
	uint32_t	nat_rule;	/* rule that translated, or IMG_NONE */
	uint32_t	match_list;	/* e->match_items chain, or 0 */
	uint32_t	tscrub;		/* e->tscrubs, or 0 */
	uint32_t	prev, next;	/* by age; sweep order */
	uint32_t	extra;		/* of the pool of them, or 0 */
	struct actions	actions;	/* rtable: of the state's direction */
	uint16_t	tag;
	uint16_t	mss;		/* that its opener offered: synproxy */
	uint16_t	rt_ifid;
	uint8_t		rt, rt_af;	/* enum img_route */
	uint8_t		tcp_est;	/* counted by max-src-conn */
	uint8_t		live;		/* in the table */
};

struct state_extra {			/* a cache line */
	struct state_key stack;		/* KEY_STACK, if translated */
	uint32_t	nodes[4];	/* source nodes by type, or 0 */
	uint32_t	route;		/* another one, or 0: its stack.addr[0]
					   is the next hop of route-to, ... */
	uint32_t	unused;
};

/* Records lie in slabs that never move (state_mem.c). */
#define STATE_SLAB	16384u
#define EXTRA_SLAB	1024u
struct state_slab {
	struct state	*hot;
	struct state_cold *cold;
};
static inline struct state *
state_get(const struct pfk_engine *e, uint32_t i)
{
	return &e->state_slabs[i / STATE_SLAB].hot[i % STATE_SLAB];
}
static inline struct state_cold *
state_cold(const struct pfk_engine *e, uint32_t i)
{
	return &e->state_slabs[i / STATE_SLAB].cold[i % STATE_SLAB];
}
/* What few have; NULL if it does not.  state_extra_need() makes it. */
static inline struct state_extra *
state_extra(const struct pfk_engine *e, uint32_t i)
{
	uint32_t x = state_cold(e, i)->extra;

	return x == 0 ? NULL :
	    &e->extra_slabs[x / EXTRA_SLAB][x % EXTRA_SLAB];
}
struct state_extra *state_extra_need(struct pfk_engine *, uint32_t);
/*
 * The next hop of its route-to, reply-to, dup-to; zeros if it has none.
 * state_set_route() is false if there is no memory.
 */
const struct pfk_addr *state_route(const struct pfk_engine *, uint32_t);
bool	state_set_route(struct pfk_engine *, uint32_t,
	    const struct pfk_addr *);
/*
 * A key of the state, as such.  IPv4 leaves room in a state's key: a stack key
 * of that family is packed into it, so that neither memory nor a hit needs an
 * extra record.
 *
 *	addr[0]	 0 addr[0]   4 stack addr[0]   8 stack addr[1]  12 zero
 *	addr[1]	16 addr[1]  20 zero  24 stack ports, rdomain, af, proto
 *	ports	32 ports, rdomain, af, proto
 */
#define PACKED_ADDR	4u
#define PACKED_PORT	24u
struct state_key state_unpack(const struct state_key *, int side);
static inline struct state_key
state_key(const struct pfk_engine *e, uint32_t index, int side)
{
	const struct state *s = state_get(e, index);

	if (s->packed)
		return state_unpack(&s->key, side);
	return side == KEY_STACK && s->translated ?
	    state_extra(e, index)->stack : s->key;
}

/*
 * Key for a packet (or a quoted one, which went the other way): `first` is the
 * index of its source, 0 for an incoming packet, 1 for an outgoing one.
 */
void	state_key_set(struct state_key *, uint8_t af, uint8_t proto,
	    uint16_t rdomain, int first, const struct pfk_addr addr[2],
	    const uint16_t port[2]);

/*
 * The state for the packet's key: bound ones before floating ones, of the
 * side that the packet's direction asks for.  Counts the search, and the
 * rule's max-pkt-rate: over it there is no state.  0: none.
 */
uint32_t state_find(struct pkt *, const struct state_key *);
uint32_t state_hash(const struct pfk_engine *, const struct state_key *);
/* The packet goes in the family of the stack key of an af-to state. */
bool	state_reversed(const struct pfk_engine *, uint32_t, uint8_t af);

/* Any state with that key and side (port searches of nat-to); 0: none. */
uint32_t state_find_any(struct pfk_engine *, const struct state_key *,
	    int dir);

/* Takes a record from the pool: 0 if the limit or memory forbids. */
uint32_t state_alloc(struct pfk_engine *);
/*
 * Puts a filled record into the table.  wire and stack may be the same.
 * false: a key exists already (reason STATEINS); the record is still the
 * caller's.
 */
bool	state_insert(struct pfk_engine *, uint32_t, const struct state_key *wire,
	    const struct state_key *stack, uint16_t ifid);
/*
 * The same when both keys are the same and in the record, no entry has their
 * hash, and there is room (state_table_room()).
 */
void	state_insert_new(struct pfk_engine *, uint32_t, uint32_t hash);
void	state_free(struct pfk_engine *, uint32_t);	/* never inserted */
/*
 * Out of the table now, as TIMEOUT_UNLINKED; it stays in the list, and counts,
 * until the sweep comes by.
 */
void	state_unlink(struct pfk_engine *, uint32_t);
/* What the sweep does: unlinked if it is not yet, then freed. */
void	state_remove(struct pfk_engine *, uint32_t);
/* States by age: the oldest (0: none), the next one. */
uint32_t state_first(const struct pfk_engine *);
uint32_t state_next(const struct pfk_engine *, uint32_t);
int	states_init(struct pfk_engine *);	/* 0, -1: no memory */
void	states_free(struct pfk_engine *);
size_t	states_count(const struct pfk_engine *); /* linked or not */

struct saver;
void	states_save(const struct pfk_engine *, struct saver *);
bool	states_restore(struct pfk_engine *, struct saver *);

/* Peers change state by these, which count half-open connections. */
enum { PEER_SRC = 1, PEER_DST = 2, PEER_BOTH = 3 };
void	state_set_peer(struct pfk_engine *, uint32_t, int which, uint8_t to);

/* When it ends, in seconds since start, with adaptive timeouts as of now. */
uint32_t state_expires(const struct pfk_engine *, uint32_t);
/* Work that is due up to this time (sweeps: REPLAY conventions). */
void	purge_until(struct pfk_engine *, uint64_t now);

/*
 * A packet that belongs to a state.  track_packet() (state_track.c) does all:
 * synproxy, windows and transitions, translation.  PKT_PASS, PKT_AFTO,
 * PKT_SYNPROXY_DROP, or PKT_DROP with p->reason; *state becomes 0 if the
 * state ended and the packet is to be judged by the rules.
 */
enum outcome track_packet(struct pkt *, uint32_t *state);
/* tcp_track.c: peer is PEER_SRC if the state's opener sent it. */
enum outcome tcp_track(struct pkt *, uint32_t state, int peer);
enum outcome tcp_track_sloppy(struct pkt *, uint32_t state, int peer);
/*
 * The first packet of a new state (th: its header, whole), and what `modulate
 * state' then makes of both; the window scale that a SYN offers.
 */
void	tcp_start(struct pfk_engine *, struct state *, const uint8_t *th,
	    uint8_t flags, uint32_t datalen);
void	tcp_modulate(struct pkt *, struct state *);
uint8_t	tcp_wscale(const uint8_t *th);
/* The key on the other side of the host, where the packet is going. */
struct state_key state_key_beyond(const struct pkt *, uint32_t state);
/* lane.c: nothing of the state itself keeps its packets off the lane. */
bool	lane_suits(const struct pfk_engine *, uint32_t);
/* Its lane, busy and plain are what the rest of it says. */
void	state_settle(const struct pfk_engine *, uint32_t);
static inline bool
state_is_plain(const struct state *s)
{
	return s->lane && !s->translated && !s->busy && s->ifid == IF_NONE &&
	    !(s->flags & STATE_ANCHORED);
}
/* It is over: TIMEOUT_PURGE or TIMEOUT_UNLINKED. */
static inline void
state_over(struct state *s, uint8_t timeout)
{
	s->timeout = timeout;
	s->lane = s->plain = false;
}
/* synproxy.c */
enum outcome synproxy_packet(struct pkt *, uint32_t state);
void	synproxy_start(struct pkt *, uint32_t state);
/* A text of the state for debug messages; buf of STATE_TEXTLEN. */
#define STATE_TEXTLEN	400
const char *state_text(const struct pfk_engine *, uint32_t, char *buf);

#endif
