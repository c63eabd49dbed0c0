/*
 * TCP that resets its connection, or is not quite in the window: a short way
 * between the fast lane (lane.h), which takes what is, and the ordinary path
 * (engine.c), which stays the truth.
 *
 * The packet is plain (plain.h) and has the only state with its hash; nothing
 * need be looked for, and tcp_track() does as ever.  If it lets the packet
 * pass, that is counted and told as in the lane.  A bare SYN, which may begin
 * anew, and states that translate or ask for anything else (state.lane) are
 * left to that path as a whole.
 */
#ifndef RUNTIME_HIT_H
#define RUNTIME_HIT_H

#include "runtime/lane.h"

/*
 * All of the packet, or false: nothing was done.  => Its ref is what the table
 * says now, and not 0.
 */
bool	hit_take(struct pfk_engine *, struct lane_run *,
	    const struct pfk_packet *, const struct lane_packet *);

#endif
