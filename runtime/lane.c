/*
 * What becomes of a usual packet (lane.h): its state moves on, everybody
 * counts, the sink is told.
 *
 * Each step says which room of the ordinary path does the same.
 */
#include <stddef.h>
#include <string.h>

#include "runtime/lane.h"
#include "runtime/rules_int.h"
#include "runtime/tcp_states.h"

/* ---- which state (state_find.c) ---- */

uint32_t
lane_look_up(const struct state_table *t, uint32_t hash)
{
	uint32_t b = hash & (t->nbuckets - 1), m;

	for (;; b = (b + 1) & (t->nbuckets - 1)) {
		const struct bucket *bu = &t->buckets[b];

		if ((m = bucket_match(bu, hash)) != 0)
			return (m & (bu->twins | (m - 1))) != 0 ? 0 :
			    bu->ref[bucket_first(m)];
		if (bu->past == 0)
			return 0;
	}
}

bool
lane_suits(const struct pfk_engine *e, uint32_t i)
{
	const struct state *s = state_get(e, i);

	/* its rule may want the packet for somebody else */
	return !s->translated && s->per_packet == 0 &&
	    !(s->flags & PFK_STATE_F_SLOPPY) &&
	    e->rules[s->rule].r->divert == IMG_DIVERT_NONE;
}

static inline bool
key_fits(const struct state *s, const struct lane_packet *l)
{
	const struct state_key *k = &s->key;
	uint64_t w[5];

	if (l->v6) {
		memcpy(w, k, sizeof(w));
		return ((w[0] ^ l->key[0]) | (w[1] ^ l->key[1]) |
		    (w[2] ^ l->key[2]) | (w[3] ^ l->key[3]) |
		    (w[4] ^ l->key[4])) == 0;
	}
	return memcmp(&k->addr[0], &l->key[0], 4) == 0 &&
	    memcmp(&k->addr[1], (const uint8_t *)&l->key[0] + 4, 4) == 0 &&
	    memcmp(k->port, &l->key[4], 8) == 0;
}

/* It is the packet's, and asks for nothing that is rare. */
static inline bool
state_usual(const struct state *s, const struct lane_packet *l, uint16_t ifid)
{
	return key_fits(s, l) && s->timeout < TIMEOUT_PURGE && s->lane &&
	    (s->ifid == IF_NONE || s->ifid == ifid);
}

/* ---- what the packet does to it (tcp_track.c, state_track.c) ---- */

struct segment {
	uint32_t	seq, end, ack;
	uint16_t	win;
	uint8_t		sws, dws;	/* scale of the sender's, receiver's */
};

static inline struct segment
segment_read(const struct lane_packet *l, const struct state_peer *src,
    const struct state_peer *dst)
{
	bool both = src->wscale != 0 && dst->wscale != 0;
	struct segment g = {
		.seq = get32(l->hdr + 4), .ack = get32(l->hdr + 8),
		.win = get16(l->hdr + 14),
		.sws = both ? src->wscale & WSCALE_MASK : 0,
		.dws = both ? dst->wscale & WSCALE_MASK : 0
	};

	/* without data it may stand anywhere */
	if (l->datalen == 0)
		g.seq = src->seqlo;
	g.end = g.seq + l->datalen;
	return g;
}

static inline bool
in_window(const struct segment *g, const struct state_peer *src,
    const struct state_peer *dst)
{
	int32_t skew = (int32_t)(dst->seqlo - g->ack);

	return seq_geq(src->seqhi, g->end) &&
	    seq_geq(g->seq, src->seqlo - ((uint32_t)dst->max_win << g->dws)) &&
	    skew >= -MAX_ACK_WINDOW && skew <= (MAX_ACK_WINDOW << g->sws);
}

static inline void
move_windows(const struct segment *g, struct state_peer *src,
    struct state_peer *dst)
{
	uint32_t win = (uint32_t)g->win << g->sws;

	if (src->max_win < g->win)
		src->max_win = g->win;
	if (!seq_geq(src->seqlo, g->end))
		src->seqlo = g->end;
	if (seq_geq(g->ack + win, dst->seqhi))
		dst->seqhi = g->ack + (win > 0 ? win : 1);
}

/* Both halves are open, and an ACK in the window leaves them so. */
static inline bool
track_tcp(struct state *s, const struct lane_packet *l,
    struct state_peer *src, struct state_peer *dst)
{
	struct segment g;

	if (src->state != TCPS_ESTABLISHED || dst->state != TCPS_ESTABLISHED ||
	    src->seqlo == 0 || (src->seqdiff | dst->seqdiff) != 0)
		return false;
	g = segment_read(l, src, dst);
	if (!in_window(&g, src, dst))
		return false;
	move_windows(&g, src, dst);
	s->timeout = IMG_TMO_TCP_ESTABLISHED;
	return true;
}

static inline bool
track_udp(struct state *s, struct state_peer *src, struct state_peer *dst)
{
	if (src->state < SINGLE_FIRST)
		src->state = SINGLE_FIRST;
	if (dst->state == SINGLE_FIRST)
		dst->state = SINGLE_MULTIPLE;
	s->timeout = src->state == SINGLE_MULTIPLE &&
	    dst->state == SINGLE_MULTIPLE ? IMG_TMO_UDP_MULTIPLE :
	    IMG_TMO_UDP_SINGLE;
	return true;
}

static inline bool
track(struct state *s, const struct lane_packet *l, bool back)
{
	static const size_t at[] = { offsetof(struct state, src),
	    offsetof(struct state, dst) };
	/* which one is which comes at random: no branches */
	struct state_peer *src = (void *)((char *)s + at[back]);
	struct state_peer *dst = (void *)((char *)s + at[!back]);

	return l->tcp ? track_tcp(s, l, src, dst) : track_udp(s, src, dst);
}

/* ---- counting (counters.c) ---- */

static inline void
count_rule(struct pfk_engine *e, uint32_t rule, bool out, uint32_t len)
{
	struct pfk_rule_counters *n = &e->rules[rule].n;

	n->packets[out]++;
	n->bytes[out] += len;
}

static inline void
count(struct pfk_engine *e, uint32_t state, const struct lane_packet *l,
    uint16_t ifid, bool back)
{
	struct state *s = state_get(e, state);
	bool out = l->dir == PFK_OUT;
	struct pfk_if_counters *c = &e->if_counters[ifid];

	e->counters.searches++;
	e->counters.packets++;
	e->counters.bytes += l->len;
	c->packets[out][0][l->v6]++;
	c->bytes[out][0][l->v6] += l->len;
	count_rule(e, s->rule, out, l->len);
	if (s->flags & STATE_ANCHORED &&
	    state_cold(e, state)->anchor != IMG_NONE)
		count_rule(e, state_cold(e, state)->anchor, out, l->len);
	s->packets[back]++;
	s->bytes[back] += l->len;
}

/* ---- telling (engine.c, view.c) ---- */

static void
tell_flow(struct pfk_flow *flow, const struct lane_packet *l)
{
	const uint8_t *ip = l->ip;

	flow->af = l->v6 ? PFK_AF_INET6 : PFK_AF_INET;
	flow->proto = l->tcp ? PROTO_TCP : PROTO_UDP;
	flow->has_ports = true;
	if (l->v6) {
		memcpy(flow->src.addr, ip + 8, 16);
		memcpy(flow->dst.addr, ip + 24, 16);
	} else {
		memset(flow->src.addr + 4, 0, 12);
		memset(flow->dst.addr + 4, 0, 12);
		memcpy(flow->src.addr, ip + 12, 4);
		memcpy(flow->dst.addr, ip + 16, 4);
	}
	memcpy(&flow->src.port, l->hdr, 2);
	memcpy(&flow->dst.port, l->hdr + 2, 2);
}

/* e->told is all zero but for what is set here. */
static void
tell(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l, uint32_t state)
{
	struct pfk_decision *d = &e->told;
	uint32_t rule = state_get(e, state)->rule;

	d->number = f->number;
	d->time = f->time;
	d->dir = l->dir;
	d->ifid = f->ifid;
	d->rule = rule == e->default_rule ? PFK_RULE_DEFAULT : rule;
	d->verdict = PFK_PASS;
	d->reason = PFK_REASON_MATCH;
	d->state = PFK_STATE_MATCH;
	d->state_id = state_get(e, state)->id;
	tell_flow(&d->after, l);
	d->before = d->after;
	d->ttl = l->v6 ? l->ip[7] : l->ip[8];
	d->tos = l->v6 ? (uint8_t)(get16(l->ip) >> 4) : l->ip[1];
	d->df = !l->v6 && (l->ip[6] & 0x40) != 0;
	d->mss = l->tcp ? view_mss(l->hdr, l->len -
	    (uint32_t)(l->hdr - l->ip)) : 0;
	d->ip = l->ip;
	d->iplen = l->len;
	e->sink.decision(e->sink.ctx, d);
}

bool
lane_take(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l)
{
	uint32_t state = l->ref / 2;
	struct state *s;
	bool back;

	if (!l->usual || state == 0)
		return false;
	s = state_get(e, state);
	back = l->dir != s->direction;
	if (!state_usual(s, l, f->ifid) || !track(s, l, back))
		return false;
	s->expire = e->uptime;
	count(e, state, l, f->ifid, back);
	if (e->sink.decision != NULL)
		tell(e, f, l, state);
	return true;
}
