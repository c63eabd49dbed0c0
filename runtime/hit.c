/*
 * A TCP packet of a state that it changes (hit.h).
 */
#include "runtime/hit.h"
#include "runtime/plain.h"
#include "runtime/translate.h"

/* It is the packet's, as it is in its key; synproxy is done with. */
static inline bool
state_simple(const struct state *s, const struct pfk_packet *f,
    const struct lane_packet *l)
{
	return lane_key_fits(&s->key, l) && s->lane && !s->translated &&
	    s->timeout < TIMEOUT_PURGE &&
	    (s->ifid == IF_NONE || s->ifid == f->ifid) &&
	    s->src.state < TCPS_PROXY_SRC;
}

bool
hit_take(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l)
{
	struct pkt p;
	uint32_t state = l->ref / 2;
	int peer;

	if (!l->tcp || (l->hdr[13] & (TCP_SYN | TCP_ACK)) == TCP_SYN ||
	    !state_simple(state_get(e, state), f, l) ||
	    !packet_is_plain(e, f, l))
		return false;
	replies_reset(e);
	e->counters.searches++;
	packet_make(e, f, l, &p);
	peer = p.dir == state_get(e, state)->direction ? PEER_SRC : PEER_DST;
	run_behind_state(&p, state, tcp_track(&p, state, peer));
	return true;
}
