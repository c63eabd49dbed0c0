/*
 * Segments with which a connection opens or closes, on the fast lane: the
 * answering SYN, the ACK that finishes the handshake, FINs and what follows
 * them.  It is tcp_track.c and tcp_states.c for what the lane knows of such a
 * segment: it has an ACK and no RST, the state modulates nothing and has no
 * work beyond its windows, and the segment is in the window.
 *
 * All is done to copies of the peers, until it is sure.
 */
#include "runtime/lane.h"
#include "runtime/tcp_states.h"

#define MAX_WINDOW	65535u

struct turn {
	struct state_peer src, dst;	/* of the segment: sender, receiver */
	const uint8_t	*th;
	uint32_t	seq, end, ack;
	uint32_t	win;		/* as it stands there */
	unsigned	sws, dws;	/* scale of the sender's, receiver's */
	uint8_t		flags;
};

/* synproxy and modulation are not for the lane, nor is a connection that is
 * over: its packets may answer a cookie. */
static bool
may_turn(const struct state *s)
{
	const struct state_peer *a = &s->src, *b = &s->dst;

	return a->state >= TCPS_SYN_SENT && a->state <= TCPS_TIME_WAIT &&
	    b->state <= TCPS_TIME_WAIT &&
	    (a->state < TCPS_FIN_WAIT_2 || b->state < TCPS_FIN_WAIT_2) &&
	    (a->seqdiff | b->seqdiff) == 0;
}

static void
turn_read(struct turn *t, const struct lane_packet *l)
{
	const uint8_t *th = l->hdr;

	t->th = th;
	t->flags = th[13];
	t->seq = get32(th + 4);
	t->ack = get32(th + 8);
	t->win = get16(th + 14);
	t->end = t->seq + l->datalen + ((t->flags & TCP_SYN) != 0) +
	    ((t->flags & TCP_FIN) != 0);
	t->sws = t->dws = 0;
	if (t->src.wscale == 0 || t->dst.wscale == 0 || t->flags & TCP_SYN)
		return;
	t->sws = t->src.wscale & WSCALE_MASK;
	t->dws = t->dst.wscale & WSCALE_MASK;
}

/* The answering SYN tells whether windows are scaled at all. */
static void
settle_scaling(struct turn *t)
{
	uint32_t win;

	if (!(t->dst.wscale & WSCALE_FLAG))
		return;
	t->src.wscale = tcp_wscale(t->th);
	if (t->src.wscale & WSCALE_FLAG) {
		t->sws = t->src.wscale & WSCALE_MASK;
		t->dws = t->dst.wscale & WSCALE_MASK;
		t->win = (uint16_t)((t->win + (1u << t->sws) - 1) >> t->sws);
		return;
	}
	win = (uint32_t)t->dst.max_win << (t->dst.wscale & WSCALE_MASK);
	t->dst.max_win = (uint16_t)(win < MAX_WINDOW ? win : MAX_WINDOW);
	t->dst.wscale = 0;
}

/* The first segment of this peer. */
static void
turn_first(struct turn *t)
{
	struct state_peer *src = &t->src;
	uint32_t room;

	if (t->flags & TCP_SYN)
		settle_scaling(t);
	src->seqlo = t->seq;
	if (src->state < TCPS_SYN_SENT)
		src->state = TCPS_SYN_SENT;
	room = (uint32_t)t->dst.max_win << t->dws;
	room = t->end + (room > 0 ? room : 1);
	if (src->seqhi == 1 || seq_geq(room, src->seqhi))
		src->seqhi = room;
	if (t->win > src->max_win)
		src->max_win = (uint16_t)t->win;
}

static bool
turn_in_window(struct turn *t)
{
	uint32_t low = t->src.seqlo, data_end, skew, out;

	if (t->dst.state < TCPS_SYN_SENT)
		t->ack = t->dst.seqlo;
	data_end = t->end - ((t->flags & TCP_FIN) != 0);
	if (t->seq == t->end)
		t->seq = t->end = data_end = low;
	skew = t->dst.seqlo - t->ack;
	/* differences that must not be negative, the four conditions */
	out = (t->src.seqhi - data_end) |
	    (t->seq - low + ((uint32_t)t->dst.max_win << t->dws)) |
	    (skew + MAX_ACK_WINDOW) |
	    (((uint32_t)MAX_ACK_WINDOW << t->sws) - skew);
	return (int32_t)out >= 0;
}

static void
turn_windows(struct turn *t)
{
	uint32_t win = t->win << t->sws, high = t->ack + win;

	if (t->src.max_win < t->win)
		t->src.max_win = (uint16_t)t->win;
	if (!seq_geq(t->src.seqlo, t->end))
		t->src.seqlo = t->end;
	if (seq_geq(high, t->dst.seqhi))
		t->dst.seqhi = high + (win == 0);
}

/* The arcs of a segment in the window that has an ACK. */
static void
turn_states(struct turn *t)
{
	if (t->flags & TCP_SYN && t->src.state < TCPS_SYN_SENT)
		t->src.state = TCPS_SYN_SENT;
	if (t->flags & TCP_FIN && t->src.state < TCPS_CLOSING)
		t->src.state = TCPS_CLOSING;
	if (t->dst.state == TCPS_SYN_SENT)
		t->dst.state = TCPS_ESTABLISHED;
	else if (t->dst.state == TCPS_CLOSING)
		t->dst.state = TCPS_FIN_WAIT_2;
}

/* The peers' states move by themselves: somebody counts. */
static void
turn_done(struct pfk_engine *e, const struct lane_packet *l, struct turn *t,
    bool back)
{
	struct state *s = l->state;
	struct state_peer *src = back ? &t->dst : &t->src;
	struct state_peer *dst = back ? &t->src : &t->dst;
	uint8_t state = src->state;

	src->state = s->src.state;
	s->src = *src;
	s->dst = *dst;
	state_set_peer(e, l->ref / 2, PEER_SRC, state);
	s->timeout = tcp_timeout(s);
}

bool
lane_turn(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l, bool back)
{
	const struct state *s = l->state;
	struct turn t;

	if (!may_turn(s) || !lane_tcp_whole(f, l))
		return false;
	t.src = back ? s->dst : s->src;
	t.dst = back ? s->src : s->dst;
	turn_read(&t, l);
	if (t.src.seqlo == 0)
		turn_first(&t);
	if (!turn_in_window(&t))
		return false;
	turn_windows(&t);
	turn_states(&t);
	turn_done(e, l, &t, back);
	return true;
}
