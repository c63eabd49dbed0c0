/*
 * The usual packet that has no state: a short way beside the ordinary one
 * (engine.c, filter.c), which stays the truth.
 *
 * The packet is plain (plain.h), not forwarded, and no answer to an echo.
 * If the table has no entry with its hash, it has no state, and the rules are
 * asked at once.  What they say is acted upon here if the rule that decides
 * asks for nothing rare (rt_rule.plain) and no match rule has acted; else the
 * ordinary path takes over behind the rules.
 */
#ifndef RUNTIME_MISS_H
#define RUNTIME_MISS_H

#include "runtime/lane.h"

/*
 * rt_rule.plain: what comes of a packet, if nothing else does.  LATER: it is a
 * match rule, or one that sets a tag, which may be told when all is decided.
 */
enum { PLAIN_NOT, PLAIN_LATER, PLAIN_BLOCK, PLAIN_PASS, PLAIN_STATE };

/* It wants no more than that the packet is counted, tables apart. */
static inline bool
rule_counts(const struct rt_rule *rr)
{
	return rr->plain == PLAIN_BLOCK || rr->plain == PLAIN_PASS;
}
/* => The rule's references have been resolved. */
uint8_t	rule_plain(const struct rt_rule *);

/*
 * Packets from the first one on as long as they are usual and have no state,
 * each at its time; how many.  seen: the table when they were looked up.
 * ahead: what is known of each of them already (block.h), or NULL.  Of the next
 * one nothing has been done.
 */
struct block_ahead;
size_t	miss_take(struct pfk_engine *, struct lane_run *,
	    const struct pfk_packet *, struct lane_packet *, size_t n,
	    const struct lane_seen *seen, struct block_ahead *ahead);

#endif
