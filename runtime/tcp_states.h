/*
 * The transitions of a TCP connection, as pf follows them: a table for each
 * way of tracking, and which timeout a pair of states has.
 */
#ifndef RUNTIME_TCP_STATES_H
#define RUNTIME_TCP_STATES_H

#include "runtime/state.h"

enum tcp_mode {
	TCP_MODE_FULL,		/* in the window */
	TCP_MODE_LOOSE,		/* near it, while opening or closing */
	TCP_MODE_SLOPPY		/* windows are not looked at */
};

/* How far an ACK may be off: a window and a fragment. */
#define MAX_ACK_WINDOW	(0xffff + 1500)

/* a >= b in the circle of sequence numbers */
static inline bool
seq_geq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

/*
 * What a packet with these flags, sent by `from` (PEER_SRC or PEER_DST), makes
 * of the peers.  True: the handshake has just been finished by it (what
 * max-src-conn counts).
 */
bool	tcp_transition(struct pfk_engine *, uint32_t state, enum tcp_mode,
	    int from, uint8_t flags);
/* Index of `set timeout` for the peers' states. */
uint8_t	tcp_timeout(const struct state *);

#endif
