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
	return lane_key_fits(l) && s->lane && !s->translated &&
	    (s->ifid == IF_NONE || s->ifid == f->ifid) &&
	    s->src.state < TCPS_PROXY_SRC;
}

bool
hit_take(struct pfk_engine *e, struct lane_run *run,
    const struct pfk_packet *f, const struct lane_packet *l)
{
	const struct state *s = l->state;
	uint32_t state = l->ref / 2;
	enum outcome out;
	struct pkt p;

	if (!l->tcp || (l->hdr[13] & (TCP_SYN | TCP_ACK)) == TCP_SYN ||
	    !state_simple(s, f, l) || !packet_is_plain(e, f, l))
		return false;
	replies_reset(e);
	packet_make(e, f, l, &p);
	out = tcp_track(&p, state, p.dir == s->direction ? PEER_SRC :
	    PEER_DST);
	if (out == PKT_PASS && !p.writable && f->dir != PFK_FWD)
		lane_passed(e, run, f, l);
	else {
		e->counters.searches++;
		run_behind_state(&p, state, out);
	}
	return true;
}
