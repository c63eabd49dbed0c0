/*
 * synproxy state: pf shakes hands with the client itself, and with the server
 * only when the client has proved that it is there.
 *
 *	client		pf			server
 *	  SYN ->
 *		   <- SYN ACK		PROXY_SRC
 *	  ACK ->
 *			SYN ->		PROXY_DST
 *				<- SYN ACK
 *		   <- ACK  ACK ->	ESTABLISHED
 *
 * From then on sequence numbers are modulated: each side counts from what pf
 * told the other.  seqhi of a peer is meanwhile the number that pf chose for
 * the other direction.
 */
#include "runtime/tcp_states.h"
#include "runtime/translate.h"

static enum outcome
drop(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return PKT_DROP;
}

static enum outcome
absorbed(struct pkt *p)
{
	p->reason = PFK_REASON_SYNPROXY;
	return PKT_SYNPROXY_DROP;
}

/* A segment back to where the packet came from. */
static void
answer(struct pkt *p, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t win,
    uint16_t mss)
{
	struct tcp_reply t = { .af = p->af, .src = p->addr[DST],
	    .dst = p->addr[SRC], .sport = p->port[DST],
	    .dport = p->port[SRC], .seq = seq, .ack = ack, .flags = flags,
	    .win = win, .mss = mss, .wscale = 0xff };

	reply_tcp(p, &t);
}

/* A segment onwards, as the other side of the state knows the connection. */
static void
forward(struct pkt *p, uint32_t state, uint32_t seq, uint32_t ack,
    uint8_t flags, uint16_t win, uint16_t mss)
{
	int first = p->dir == PFK_IN ? 0 : 1;
	const struct state_key key = state_key(p->e, state,
	    p->dir == PFK_IN ? KEY_STACK : KEY_WIRE), *k = &key;
	struct tcp_reply t = { .af = k->af, .src = k->addr[first],
	    .dst = k->addr[!first], .sport = k->port[first],
	    .dport = k->port[!first], .seq = seq, .ack = ack, .flags = flags,
	    .win = win, .mss = mss, .wscale = 0xff };

	reply_tcp(p, &t);
}

static uint16_t
offered_mss(const struct pkt *p)
{
	const uint8_t *opt = tcp_option(p->ip + p->hdrlen, 2, 4);
	bool room = (p->ip[p->hdrlen + 12] >> 4) * 4u >= 24;
	uint16_t mss = opt != NULL ? get16(opt + 2) : room ? 512 : 0;

	/* no more than an Ethernet takes, no less than options need */
	uint16_t most = p->af == PFK_AF_INET6 ? 1440 : 1460;

	mss = mss < most ? mss : most;
	return mss > 64 ? mss : 64;
}

/* A new state's SYN. */
void
synproxy_start(struct pkt *p, uint32_t state)
{
	struct state *s = state_get(p->e, state);

	state_set_peer(p->e, state, PEER_SRC, TCPS_PROXY_SRC);
	s->src.seqhi = e_random(p->e);
	state_cold(p->e, state)->mss = offered_mss(p);
	answer(p, s->src.seqhi, s->src.seqlo + 1, TCP_SYN | TCP_ACK, 0,
	    state_cold(p->e, state)->mss);
	p->reason = PFK_REASON_SYNPROXY;
}

struct numbers { uint32_t seq, ack; uint16_t win; };

static struct numbers
numbers(const struct pkt *p)
{
	const uint8_t *th = p->ip + p->hdrlen;

	return (struct numbers){ get32(th + 4), get32(th + 8),
	    get16(th + 14) };
}

static bool
answers_us(const struct state *s, struct numbers n)
{
	return n.ack == s->src.seqhi + 1 && n.seq == s->src.seqlo + 1;
}

/* The client is to send its ACK.  PKT_PASS: it did. */
static enum outcome
await_client(struct pkt *p, uint32_t state)
{
	struct state *s = state_get(p->e, state);
	struct numbers n = numbers(p);

	if (p->dir != s->direction)
		return absorbed(p);
	if (p->tcp_flags & TCP_SYN) {
		if (n.seq != s->src.seqlo)
			return drop(p, PFK_REASON_SYNPROXY);
		answer(p, s->src.seqhi, n.seq + 1, TCP_SYN | TCP_ACK, 0,
		    state_cold(p->e, state)->mss);
		return absorbed(p);
	}
	if ((p->tcp_flags & (TCP_ACK | TCP_RST | TCP_FIN)) != TCP_ACK ||
	    !answers_us(s, n))
		return drop(p, PFK_REASON_SYNPROXY);
	if (s->per_packet & PER_NODES && !node_connected(p, state))
		return drop(p, PFK_REASON_SRCLIMIT);
	state_set_peer(p->e, state, PEER_SRC, TCPS_PROXY_DST);
	return PKT_PASS;
}

/* The client's ACK, once or again: the server gets our SYN. */
static enum outcome
client_ack(struct pkt *p, uint32_t state)
{
	struct state *s = state_get(p->e, state);
	struct numbers n = numbers(p);

	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_ACK ||
	    !answers_us(s, n))
		return drop(p, PFK_REASON_SYNPROXY);
	s->src.max_win = n.win > 0 ? n.win : 1;
	if (s->dst.seqhi == 1)
		s->dst.seqhi = e_random(p->e);
	forward(p, state, s->dst.seqhi, 0, TCP_SYN, 0,
	    state_cold(p->e, state)->mss);
	return absorbed(p);
}

/* The server's SYN+ACK: both handshakes are finished. */
static enum outcome
server_synack(struct pkt *p, uint32_t state)
{
	struct state *s = state_get(p->e, state);
	struct numbers n = numbers(p);

	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) ||
	    n.ack != s->dst.seqhi + 1)
		return drop(p, PFK_REASON_SYNPROXY);
	s->dst.max_win = n.win > 0 ? n.win : 1;
	s->dst.seqlo = n.seq;
	answer(p, n.ack, n.seq + 1, TCP_ACK, s->src.max_win, 0);
	forward(p, state, s->src.seqhi + 1, s->src.seqlo + 1, TCP_ACK,
	    s->dst.max_win, 0);
	s->src.seqdiff = s->dst.seqhi - s->src.seqlo;
	s->dst.seqdiff = s->src.seqhi - s->dst.seqlo;
	s->src.seqhi = s->src.seqlo + s->dst.max_win;
	s->dst.seqhi = s->dst.seqlo + s->src.max_win;
	s->src.wscale = s->dst.wscale = 0;
	state_set_peer(p->e, state, PEER_BOTH, TCPS_ESTABLISHED);
	return absorbed(p);
}

enum outcome
synproxy_packet(struct pkt *p, uint32_t state)
{
	struct state *s = state_get(p->e, state);
	enum outcome out;

	if (s->src.state == TCPS_PROXY_SRC &&
	    (out = await_client(p, state)) != PKT_PASS)
		return out;
	if (s->src.state != TCPS_PROXY_DST)
		return PKT_PASS;
	return p->dir == s->direction ? client_ack(p, state) :
	    server_synack(p, state);
}
