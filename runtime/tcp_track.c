/*
 * TCP windows: whether a segment belongs into its connection.
 *
 * Each peer has what it may send: from seqlo, the highest sequence number that
 * it sent, back over one window of the other, and up to seqhi, which the other
 * acknowledged plus its window (Guido van Rooij, "Real stateful TCP packet
 * filtering in IP Filter").  A segment
 *
 *	- in the window moves the connection on, and its timeout starts again;
 *	- near it (MAX_ACK_WINDOW) may pass while the connection is not yet
 *	  or no longer whole: one half has not been seen, or both may be gone;
 *	- elsewhere is dropped (state-mismatch), and during a simultaneous open
 *	  it is answered with a RST.
 *
 * Sequence numbers of modulated connections differ by the peer's seqdiff
 * between the two sides; they are compared as the peer itself numbers them.
 */
#include <string.h>

#include "runtime/explain.h"
#include "runtime/normalize.h"
#include "runtime/tcp_states.h"
#include "runtime/translate.h"

#define MAX_WINDOW	65535u

struct segment {
	uint32_t	seq, end;	/* bytes it takes, SYN and FIN too */
	uint32_t	data_end;	/* without the FIN */
	uint32_t	first;		/* seq as it stands there */
	uint32_t	ack;
	uint32_t	datalen;
	int32_t		ackskew;
	uint16_t	win;
	uint8_t		flags;
	uint8_t		sws, dws;	/* scale of the sender's, receiver's */
};

/* The connection as this segment sees it. */
struct view {
	struct pkt	*p;
	struct pfk_engine *e;
	uint32_t	 state;
	struct state	*s;
	int		 from;		/* PEER_SRC or PEER_DST */
	struct state_peer *src, *dst;	/* sender, receiver */
	struct segment	 g;
};

static bool
seq_gt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static uint32_t
scaled(uint32_t win, unsigned shift)
{
	return win << shift;
}

static uint32_t
at_least_1(uint32_t n)
{
	return n > 0 ? n : 1;
}

static void
segment_read(struct view *v)
{
	const uint8_t *th = v->p->ip + v->p->hdrlen;
	struct segment *g = &v->g;
	bool both = v->src->wscale != 0 && v->dst->wscale != 0;

	memset(g, 0, sizeof(*g));
	g->seq = g->first = get32(th + 4);
	g->ack = get32(th + 8);
	g->win = get16(th + 14);
	g->flags = v->p->tcp_flags;
	g->datalen = tcp_datalen(v->p);
	if (both && !(g->flags & TCP_SYN)) {
		g->sws = v->src->wscale & WSCALE_MASK;
		g->dws = v->dst->wscale & WSCALE_MASK;
	}
}

static void
segment_measure(struct segment *g)
{
	g->end = g->seq + g->datalen + ((g->flags & TCP_SYN) != 0);
	g->data_end = g->end;
	g->end += (g->flags & TCP_FIN) != 0;
}

uint8_t
tcp_wscale(const uint8_t *th)
{
	const uint8_t *opt = tcp_option(th, 3, 3);

	if (opt == NULL)
		return 0;
	return (uint8_t)((opt[2] < 14 ? opt[2] : 14) | WSCALE_FLAG);
}

/* Writes sequence numbers into the header. */
static bool
put_numbers(struct pkt *p, uint32_t seq, uint32_t ack)
{
	uint8_t b[8];

	put32(b, seq);
	put32(b + 4, ack);
	return rewrite_transport(p, p->hdrlen + 4, b, sizeof(b));
}

/* The answering SYN tells whether windows are scaled at all. */
static void
settle_scaling(struct view *v)
{
	struct state_peer *src = v->src, *dst = v->dst;
	struct segment *g = &v->g;
	uint32_t win;

	if (!(dst->wscale & WSCALE_FLAG))
		return;
	src->wscale = tcp_wscale(v->p->ip + v->p->hdrlen);
	if (src->wscale & WSCALE_FLAG) {
		/* a SYN's own window is not scaled: round it up */
		g->sws = src->wscale & WSCALE_MASK;
		g->dws = dst->wscale & WSCALE_MASK;
		g->win = (uint16_t)((g->win + (1u << g->sws) - 1) >> g->sws);
		return;
	}
	win = scaled(dst->max_win, dst->wscale & WSCALE_MASK);
	dst->max_win = (uint16_t)(win < MAX_WINDOW ? win : MAX_WINDOW);
	dst->wscale = 0;
}

/* The first segment from this peer: all that is known of it comes from here. */
static bool
first_segment(struct view *v)
{
	struct state_peer *src = v->src, *dst = v->dst;
	struct segment *g = &v->g;
	uint32_t room;

	if (v->s->per_packet & PER_TSCRUB)
		tscrub_first(v->p, v->state, v->from);
	if (dst->seqdiff != 0 && src->seqdiff == 0) {
		while ((src->seqdiff = e_random(v->e) - g->seq) == 0)
			;
		g->ack -= dst->seqdiff;
		if (!put_numbers(v->p, g->seq + src->seqdiff, g->ack))
			return false;
	}
	if (g->flags & TCP_SYN)
		settle_scaling(v);
	segment_measure(g);
	src->seqlo = g->seq;
	if (src->state < TCPS_SYN_SENT)
		state_set_peer(v->e, v->state, v->from, TCPS_SYN_SENT);
	/* the other's window may be known already (a connection picked up) */
	room = g->end + at_least_1(scaled(dst->max_win, g->dws));
	if (src->seqhi == 1 || seq_geq(room, src->seqhi))
		src->seqhi = room;
	if (g->win > src->max_win)
		src->max_win = g->win;
	return true;
}

static bool
later_segment(struct view *v)
{
	struct segment *g = &v->g;

	g->ack -= v->dst->seqdiff;
	if (v->src->seqdiff != 0 &&
	    !put_numbers(v->p, g->seq + v->src->seqdiff, g->ack))
		return false;
	segment_measure(g);
	return true;
}

/* What the segment acknowledges, where that can be told; and its place. */
static void
segment_place(struct view *v)
{
	struct segment *g = &v->g;

	/* none, none that means anything, or none that could be checked */
	if (!(g->flags & TCP_ACK) ||
	    (g->ack == 0 && g->flags & TCP_RST) ||
	    v->dst->state < TCPS_SYN_SENT)
		g->ack = v->dst->seqlo;
	/* without data it may stand anywhere */
	if (g->seq == g->end)
		g->seq = g->data_end = g->end = v->src->seqlo;
	g->ackskew = (int32_t)(v->dst->seqlo - g->ack);
}

/* SACK blocks name the receiver's sequence numbers. */
static bool
modulate_sack(struct view *v)
{
	struct pkt *p = v->p;
	uint32_t end = p->hdrlen + (p->ip[p->hdrlen + 12] >> 4) * 4u;
	uint32_t i = p->hdrlen + 20, j, n;
	uint8_t b[4];

	while (i + 1 < end) {
		if (p->ip[i] <= 1) {
			i++;
			continue;
		}
		n = p->ip[i + 1] > 2 ? p->ip[i + 1] : 2;
		if (p->ip[i] == 5 && i + n <= end && n >= 10)
			for (j = i + 2; j + 4 <= i + n; j += 4) {
				put32(b, get32(p->ip + j) - v->dst->seqdiff);
				if (!rewrite_transport(p, j, b, 4))
					return false;
			}
		i += n;
	}
	return true;
}

/* The four conditions of "in the window", as pf numbers them. */
static bool
end_in_window(const struct view *v)
{
	return seq_geq(v->src->seqhi, v->g.data_end);
}

static bool
start_in_window(const struct view *v)
{
	return seq_geq(v->g.seq, v->src->seqlo -
	    scaled(v->dst->max_win, v->g.dws));
}

static bool
ack_not_ahead(const struct view *v)
{
	return v->g.ackskew >= -MAX_ACK_WINDOW;
}

static bool
ack_not_behind(const struct view *v)
{
	return v->g.ackskew <= (MAX_ACK_WINDOW << v->g.sws);
}

/*
 * A RST must have the very number that is expected, give or take one; or one
 * that was sent already, if it acknowledges exactly what the other sent.
 */
static bool
reset_exact(const struct view *v)
{
	const struct segment *g = &v->g;
	uint32_t behind = scaled(v->dst->max_win, g->dws);

	if (!(g->flags & TCP_RST) || g->first - v->src->seqlo + 1 <= 2)
		return true;
	return g->flags & TCP_ACK && g->ackskew == 0 &&
	    seq_geq(g->first, v->src->seqlo - behind) &&
	    seq_geq(v->src->seqlo + 1, g->first);
}

static bool
in_window(const struct view *v)
{
	return end_in_window(v) && start_in_window(v) && ack_not_ahead(v) &&
	    ack_not_behind(v) && reset_exact(v);
}

static bool
end_near_window(const struct view *v)
{
	return seq_geq(v->src->seqhi + MAX_ACK_WINDOW, v->g.data_end);
}

static bool
start_near_window(const struct view *v)
{
	return seq_geq(v->g.seq, v->src->seqlo - MAX_ACK_WINDOW);
}

/* One half unseen, or one half gone. */
static bool
not_whole(const struct view *v)
{
	return v->dst->state < TCPS_SYN_SENT ||
	    v->dst->state >= TCPS_FIN_WAIT_2 ||
	    v->src->state >= TCPS_FIN_WAIT_2;
}

/* What the segment says of both windows. */
static void
move_windows(struct view *v)
{
	const struct segment *g = &v->g;
	uint32_t win = scaled(g->win, g->sws);

	if (v->src->max_win < g->win)
		v->src->max_win = g->win;
	if (seq_gt(g->end, v->src->seqlo))
		v->src->seqlo = g->end;
	if (seq_geq(g->ack + win, v->dst->seqhi))
		v->dst->seqhi = g->ack + at_least_1(win);
}

static const char *
flags_text(uint8_t flags, char buf[10])
{
	static const char letters[] = "FSRPAUEW";
	char *o = buf;

	if (flags != 0)
		*o++ = ' ';
	for (int i = 0; i < 8; i++)
		if (flags & 1u << i)
			*o++ = letters[i];
	*o = '\0';
	return buf;
}

static void
debug_segment(const struct view *v, const char *what)
{
	const struct segment *g = &v->g;
	char text[STATE_TEXTLEN], flags[10];

	if (!e_debugging(v->e, DEBUG_NOTICE))
		return;
	e_debug(v->e, DEBUG_NOTICE, "pf: %s: %s%s seq=%u (%u) ack=%u len=%u "
	    "ackskew=%d pkts=%llu:%llu dir=%s,%s", what,
	    state_text(v->e, v->state, text), flags_text(g->flags, flags),
	    g->seq, g->first, g->ack, g->datalen, g->ackskew,
	    (unsigned long long)v->s->packets[0],
	    (unsigned long long)v->s->packets[1],
	    v->p->dir == PFK_IN ? "in" : "out",
	    v->p->dir == v->s->direction ? "fwd" : "rev");
}

static void
debug_checks(const struct view *v)
{
	e_debug(v->e, DEBUG_NOTICE,
	    "pf: State failure on: %c %c %c %c | %c %c",
	    end_in_window(v) ? ' ' : '1', start_in_window(v) ? ' ' : '2',
	    ack_not_ahead(v) ? ' ' : '3', ack_not_behind(v) ? ' ' : '4',
	    end_near_window(v) ? ' ' : '5', start_near_window(v) ? ' ' : '6');
}

static void
explain_segment(const struct view *v, bool loose, bool accepted)
{
	const struct segment *g = &v->g;
	struct pfk_segment x = { .seq = g->seq, .end = g->data_end,
	    .ack = g->ack, .len = g->datalen, .ackskew = g->ackskew,
	    .low = v->src->seqlo - scaled(v->dst->max_win, g->dws),
	    .high = v->src->seqhi, .loose = loose, .accepted = accepted };
	const bool fits[PFK_NWINDOW_CHECKS] = { end_in_window(v),
	    start_in_window(v), ack_not_ahead(v), ack_not_behind(v),
	    reset_exact(v) };

	for (unsigned i = 0; i < PFK_NWINDOW_CHECKS; i++)
		x.failed |= fits[i] ? 0 : 1u << i;
	explain_window(v->p, &x);
}

static enum outcome
drop(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return PKT_DROP;
}

static enum outcome
accept_segment(struct view *v, enum tcp_mode mode)
{
	struct pkt *p = v->p;
	bool changed;

	if (v->s->per_packet & PER_TSCRUB &&
	    tscrub_packet(p, v->state, v->from, &changed) == PKT_DROP)
		return PKT_DROP;
	move_windows(v);
	if (tcp_transition(v->e, v->state, mode, v->from, v->g.flags) &&
	    v->s->per_packet & PER_NODES && !node_connected(p, v->state))
		return drop(p, PFK_REASON_SRCLIMIT);
	if (mode == TCP_MODE_FULL) {
		v->s->expire = v->e->uptime;
		v->s->timeout = tcp_timeout(v->s);
	}
	return PKT_PASS;
}

/* pf's RST to the sender of a segment that fits nothing. */
static void
reset_sender(const struct view *v)
{
	const struct img_rule *r = v->e->rules[v->s->rule].r;
	struct tcp_reply t = { .af = v->p->af, .src = v->p->addr[DST],
	    .dst = v->p->addr[SRC], .sport = v->p->port[DST],
	    .dport = v->p->port[SRC],
	    .seq = get32(v->p->ip + v->p->hdrlen + 8), .flags = TCP_RST,
	    .ttl = r != NULL ? r->return_ttl : 0, .wscale = 0xff };

	reply_tcp(v->p, &t);
}

static enum outcome
refuse_segment(struct view *v)
{
	if (v->s->src.state == TCPS_SYN_SENT &&
	    v->s->dst.state == TCPS_SYN_SENT) {
		if (!(v->g.flags & TCP_RST))
			reset_sender(v);
		v->src->seqlo = 0;
		v->src->seqhi = 1;
		v->src->max_win = 1;
	} else if (e_debugging(v->e, DEBUG_NOTICE)) {
		debug_segment(v, "BAD state");
		debug_checks(v);
	}
	return drop(v->p, PFK_REASON_BADSTATE);
}

enum outcome
tcp_track(struct pkt *p, uint32_t state, int peer)
{
	struct state *s = state_get(p->e, state);
	struct view v = { .p = p, .e = p->e, .state = state, .s = s,
	    .from = peer,
	    .src = peer == PEER_SRC ? &s->src : &s->dst,
	    .dst = peer == PEER_SRC ? &s->dst : &s->src };
	bool ok, whole, loose;

	segment_read(&v);
	if (v.src->seqlo == 0 && v.s->per_packet & PER_TSCRUB)
		tscrub_first(p, state, v.from);
	ok = v.src->seqlo == 0 ? first_segment(&v) : later_segment(&v);
	segment_place(&v);
	if (ok && v.dst->seqdiff != 0)
		ok = modulate_sack(&v);
	if (!ok)
		return drop(p, PFK_REASON_MEMORY);
	whole = in_window(&v);
	loose = !whole && not_whole(&v) && end_near_window(&v) &&
	    start_near_window(&v);
	if (p->e->explain != NULL)
		explain_segment(&v, loose, whole || loose);
	if (whole)
		return accept_segment(&v, TCP_MODE_FULL);
	if (!loose)
		return refuse_segment(&v);
	debug_segment(&v, "loose state match");
	return accept_segment(&v, TCP_MODE_LOOSE);
}

enum outcome
tcp_track_sloppy(struct pkt *p, uint32_t state, int peer)
{
	struct state *s = state_get(p->e, state);

	if (tcp_transition(p->e, state, TCP_MODE_SLOPPY, peer,
	    p->tcp_flags) && s->per_packet & PER_NODES &&
	    !node_connected(p, state))
		return drop(p, PFK_REASON_SRCLIMIT);
	s->expire = p->e->uptime;
	s->timeout = tcp_timeout(s);
	return PKT_PASS;
}

/* ---- a new state ---- */

void
tcp_start(struct pfk_engine *e, struct state *s, const uint8_t *th,
    uint8_t flags, uint32_t datalen)
{
	unsigned shift;

	s->src.seqlo = get32(th + 4);
	s->src.seqhi = s->src.seqlo + datalen + 1;
	if (flags & TCP_SYN) {
		s->src.seqhi++;
		s->src.wscale = tcp_wscale(th);
	}
	if (flags & TCP_FIN)
		s->src.seqhi++;
	s->src.max_win = (uint16_t)at_least_1(get16(th + 14));
	shift = s->src.wscale & WSCALE_MASK;
	if (shift != 0)	/* not scaled yet: round up */
		s->src.max_win = (uint16_t)((s->src.max_win +
		    (1u << shift) - 1) >> shift);
	s->dst.seqhi = 1;
	s->dst.max_win = 1;
	s->src.state = TCPS_SYN_SENT;
	s->dst.state = TCPS_CLOSED;
	s->timeout = IMG_TMO_TCP_FIRST;
	e->counters.halfopen++;
}

void
tcp_modulate(struct pkt *p, struct state *s)
{
	const uint8_t *th = p->ip + p->hdrlen;

	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return;
	while ((s->src.seqdiff = e_random(p->e)) == 0)
		;
	put_numbers(p, s->src.seqlo + s->src.seqdiff, get32(th + 8));
}
