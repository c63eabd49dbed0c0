/*
 * A packet that belongs to a state (ICMP apart: icmp.c): what the state says
 * of it, what it says of the state, and its translation.
 */
#include "runtime/tcp_states.h"
#include "runtime/translate.h"

/* Protocols without a state machine of their own are given a small one. */
static const struct pseudo { uint8_t proto, single, multiple; } pseudos[] = {
	{ PROTO_UDP, IMG_TMO_UDP_SINGLE, IMG_TMO_UDP_MULTIPLE },
	{ 0, IMG_TMO_OTHER_SINGLE, IMG_TMO_OTHER_MULTIPLE },	/* others */
};

static void
pseudo_track(struct pkt *p, uint32_t state, int peer)
{
	const struct pseudo *m = p->vproto == PROTO_UDP ? &pseudos[0] :
	    &pseudos[1];
	struct state *s = state_get(p->e, state);
	struct state_peer *src = peer == PEER_SRC ? &s->src : &s->dst;
	struct state_peer *dst = peer == PEER_SRC ? &s->dst : &s->src;

	if (src->state < SINGLE_FIRST)
		src->state = SINGLE_FIRST;
	if (dst->state == SINGLE_FIRST)
		dst->state = SINGLE_MULTIPLE;
	s->expire = p->e->uptime;
	s->timeout = src->state == SINGLE_MULTIPLE &&
	    dst->state == SINGLE_MULTIPLE ? m->multiple : m->single;
}

/* To a SYN within a connection: whoever sent it shall say what it means. */
static void
challenge(struct pkt *p, uint32_t state, int peer)
{
	const struct state *s = state_get(p->e, state);
	const struct img_rule *r = p->e->rules[s->rule].r;
	const struct state_peer *src = peer == PEER_SRC ? &s->src : &s->dst;
	const struct state_peer *dst = peer == PEER_SRC ? &s->dst : &s->src;
	struct tcp_reply t = { .af = p->af, .src = p->addr[DST],
	    .dst = p->addr[SRC], .sport = p->port[DST],
	    .dport = p->port[SRC], .seq = dst->seqlo, .ack = src->seqlo,
	    .flags = TCP_ACK, .ttl = r != NULL ? r->return_ttl : 0,
	    .wscale = 0xff };

	reply_tcp(p, &t);
}

/* A bare SYN.  PKT_PASS: go on. */
static enum outcome
syn_in_state(struct pkt *p, uint32_t *state, int peer)
{
	struct state *s = state_get(p->e, *state);
	char text[STATE_TEXTLEN];

	if (s->src.state >= TCPS_FIN_WAIT_2 &&
	    s->dst.state >= TCPS_FIN_WAIT_2) {
		if (e_debugging(p->e, DEBUG_NOTICE))
			e_debug(p->e, DEBUG_NOTICE, "pf: state reuse %s S",
			    state_text(p->e, *state, text));
		state_over(s, TIMEOUT_PURGE);
		*state = 0;
		return PKT_DROP;
	}
	if (s->src.state >= TCPS_ESTABLISHED &&
	    s->dst.state >= TCPS_ESTABLISHED) {
		challenge(p, *state, peer);
		p->reason = PFK_REASON_MATCH;
		return PKT_DROP;
	}
	return PKT_PASS;
}

static enum outcome
tcp_packet(struct pkt *p, uint32_t *state)
{
	struct state *s = state_get(p->e, *state);
	bool forth = p->dir == s->direction;
	int peer = forth ? PEER_SRC : PEER_DST;
	enum outcome out;

	if ((out = synproxy_packet(p, *state)) != PKT_PASS)
		return out;
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	    (out = syn_in_state(p, state, peer)) != PKT_PASS)
		return out;
	if (s->flags & PFK_STATE_F_SLOPPY)
		return tcp_track_sloppy(p, *state, peer);
	/* both ways of an af-to connection come in */
	if (state_reversed(p->e, *state, p->af))
		peer ^= PEER_BOTH;
	return tcp_track(p, *state, peer);
}

/* The key of the side on which a packet leaves that came by the other. */
struct state_key
state_key_beyond(const struct pkt *p, uint32_t state)
{
	bool stack = (p->dir == PFK_IN) !=
	    state_reversed(p->e, state, p->af);

	return state_key(p->e, state, stack ? KEY_STACK : KEY_WIRE);
}

static enum outcome
translate(struct pkt *p, uint32_t state)
{
	const struct state_key key = state_key_beyond(p, state), *k = &key;
	int first = p->dir == PFK_IN ? 0 : 1;
	bool changed;

	p->rtable = k->rdomain;
	if (k->af != p->af) {
		first = !first;
		p->naf = k->af;
		p->naddr[SRC] = k->addr[first];
		p->naddr[DST] = k->addr[!first];
		p->nport[SRC] = k->port[first];
		p->nport[DST] = k->port[!first];
		return PKT_AFTO;
	}
	if (!rewrite_flow(p, &k->addr[first], k->port[first],
	    &k->addr[!first], k->port[!first], &changed)) {
		p->reason = PFK_REASON_MEMORY;
		return PKT_DROP;
	}
	return PKT_PASS;
}

enum outcome
track_packet(struct pkt *p, uint32_t *state)
{
	const struct state *s = state_get(p->e, *state);
	enum outcome out = PKT_PASS;

	if (p->vproto == PROTO_TCP)
		out = tcp_packet(p, state);
	else
		pseudo_track(p, *state,
		    p->dir == s->direction ? PEER_SRC : PEER_DST);
	if (out == PKT_PASS && s->translated)
		out = translate(p, *state);
	return out;
}
