/*
 * TCP's transitions, as a table.
 *
 * An arc applies if its mode is the packet's, the packet has its flag, and
 * sender and receiver are in the states given; it then moves one peer or
 * both.  Arcs are tried from the top; one flag's arcs stand together, and the
 * first that applies is the flag's only one.
 *
 *	flag	sender		receiver	who	becomes
 */
#include "runtime/tcp_states.h"

#define FULL	(1u << TCP_MODE_FULL)
#define LOOSE	(1u << TCP_MODE_LOOSE)
#define SLOPPY	(1u << TCP_MODE_SLOPPY)

#define ANY	{ TCPS_CLOSED, TCPS_PROXY_DST }
#define BEFORE(s)	{ TCPS_CLOSED, (s) - 1 }
#define IN(s)	{ (s), (s) }

enum who { SENDER, RECEIVER, BOTH };

/* arc.then */
#define COUNTS		1	/* a handshake is finished by it ... */
#define COUNTS_IF_EST	2	/* ... if the sender is established, too */
#define UNHEARD		4	/* only if the receiver never sent */

struct arc {
	uint8_t	modes, flag;
	struct { uint8_t lo, hi; } sender, receiver;
	enum who who;
	uint8_t	to, then;
};

static const struct arc arcs[] = {
	/* a SYN opens its sender's half */
	{ FULL | SLOPPY, TCP_SYN, BEFORE(TCPS_SYN_SENT), ANY,
	    SENDER, TCPS_SYN_SENT, 0 },
	/* a FIN closes it */
	{ FULL | LOOSE | SLOPPY, TCP_FIN, BEFORE(TCPS_CLOSING), ANY,
	    SENDER, TCPS_CLOSING, 0 },
	/* an ACK confirms what the other sent: its SYN ... */
	{ FULL | SLOPPY, TCP_ACK, ANY, IN(TCPS_SYN_SENT),
	    RECEIVER, TCPS_ESTABLISHED, COUNTS_IF_EST },
	/* ... or its FIN */
	{ FULL | SLOPPY, TCP_ACK, ANY, IN(TCPS_CLOSING),
	    RECEIVER, TCPS_FIN_WAIT_2, 0 },
	/* only one half is seen: an ACK after the SYN, and the end of it */
	{ SLOPPY, TCP_ACK, IN(TCPS_SYN_SENT), BEFORE(TCPS_SYN_SENT),
	    BOTH, TCPS_ESTABLISHED, COUNTS },
	{ SLOPPY, TCP_ACK, IN(TCPS_CLOSING), IN(TCPS_ESTABLISHED),
	    RECEIVER, TCPS_CLOSING, UNHEARD },
	/* a RST ends all */
	{ FULL | LOOSE | SLOPPY, TCP_RST, ANY, ANY,
	    BOTH, TCPS_TIME_WAIT, 0 },
};
#define NARCS	(sizeof(arcs) / sizeof(*arcs))

static bool
arc_applies(const struct arc *a, uint8_t sender, const struct state_peer *rcv)
{
	return sender >= a->sender.lo && sender <= a->sender.hi &&
	    rcv->state >= a->receiver.lo && rcv->state <= a->receiver.hi &&
	    (!(a->then & UNHEARD) || rcv->seqlo == 0);
}

bool
tcp_transition(struct pfk_engine *e, uint32_t i, enum tcp_mode mode, int from,
    uint8_t flags)
{
	struct state *s = state_get(e, i);
	const struct state_peer *snd = from == PEER_SRC ? &s->src : &s->dst;
	const struct state_peer *rcv = from == PEER_SRC ? &s->dst : &s->src;
	uint8_t done = 0;
	bool finished = false;

	for (const struct arc *a = arcs; a < arcs + NARCS; a++) {
		if (!(a->modes & 1u << mode) || !(flags & a->flag) ||
		    done & a->flag || !arc_applies(a, snd->state, rcv))
			continue;
		done |= a->flag;
		state_set_peer(e, i, a->who == BOTH ? PEER_BOTH :
		    a->who == SENDER ? from : from ^ PEER_BOTH, a->to);
		if (a->then & COUNTS || (a->then & COUNTS_IF_EST &&
		    snd->state == TCPS_ESTABLISHED))
			finished = true;
	}
	return finished;
}

uint8_t
tcp_timeout(const struct state *s)
{
	uint8_t lo = s->src.state < s->dst.state ? s->src.state : s->dst.state;
	uint8_t hi = s->src.state < s->dst.state ? s->dst.state : s->src.state;

	if (lo >= TCPS_FIN_WAIT_2)
		return IMG_TMO_TCP_CLOSED;
	if (lo >= TCPS_CLOSING)
		return IMG_TMO_TCP_FINWAIT;
	if (lo < TCPS_ESTABLISHED)
		return IMG_TMO_TCP_OPENING;
	if (hi >= TCPS_CLOSING)
		return IMG_TMO_TCP_CLOSING;
	return IMG_TMO_TCP_ESTABLISHED;
}
