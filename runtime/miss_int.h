/*
 * Inside of miss.c, miss_count.c and miss_acts.c.
 */
#ifndef RUNTIME_MISS_INT_H
#define RUNTIME_MISS_INT_H

#include "runtime/block.h"
#include "runtime/lane_head.h"
#include "runtime/miss.h"

/* What the first rules have said: as far as can be known with little ado. */
struct start {
	const uint32_t	*from;		/* where to go on; NULL: that was all */
	uint32_t	 rule;		/* that decides so far ... */
	bool		 quick;		/* ... a quick one */
};

/* Those of a group's packets that are still to be decided. */
struct queue {
	const struct pfk_packet *f;
	struct lane_packet *l;
	struct block_ahead *ahead;	/* or NULL */
	size_t		 n;
};
static inline void
queue_pass(struct queue *q, size_t n)
{
	q->f += n;
	q->l += n;
	q->ahead = q->ahead == NULL ? NULL : q->ahead + n;
	q->n -= n;
}

/* All that the rule wants is that the packet is counted; its tables have. */
static ALWAYS_INLINE bool
only_counts(struct pfk_engine *e, const struct rt_rule *rr,
    const struct lane_packet *l)
{
	return rule_counts(rr) &&
	    ((rr->src_table & rr->dst_table) == IMG_NONE ||
	    tables_count_fit(e, rr, l->len, l->out));
}

/*
 * miss_count.c: packets from the first one on as long as nothing is due at
 * their time and their first rules block or pass them without more ado.  Those
 * have left the queue; whether the next one's rules have been asked, too: *s.
 * => Nobody is told; what was looked up still holds; TCP need not be asked for
 *    cookies.
 */
bool	miss_count(struct pfk_engine *, struct lane_run *, struct lane_clock *,
	    struct queue *, struct start *s);

/* A rule that was put off, and the anchor's rule that called it. */
struct act { uint32_t rule, here; };
/*
 * miss_acts.c: whether all that they do to a state is done there; their items
 * (in that order, or false: no memory); and it is done, when the state has
 * been made as if they were not there.
 */
bool	acts_suit(const struct pfk_engine *, const struct act *, unsigned n,
	    const struct lane_packet *);
bool	acts_list(struct pfk_engine *, const struct act *, unsigned n,
	    uint32_t *list);
void	acts_settle(struct pfk_engine *, uint32_t state, const struct act *,
	    unsigned n, uint32_t list);

#endif
