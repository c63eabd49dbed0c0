/*
 * Where the rooms of a packet's way tell what they do, if e->explain is set.
 * Who calls these has looked at it; explain.c and explain_rule.c answer.
 */
#ifndef RUNTIME_EXPLAIN_H
#define RUNTIME_EXPLAIN_H

#include <pfkit/explain.h>

#include "runtime/rules.h"

struct state_key;

struct explain_frame {
	uint32_t	 anchor;	/* e->anchors */
	uint32_t	 next;		/* its first rule not told yet */
	uint32_t	 caller;	/* the rule that called it */
};

#define EXPLAIN_DEPTH	65		/* calls of the machine, and one */

struct explain {
	pfk_explain_fn	 fn;
	void		*ctx;
	unsigned	 kinds;		/* 1 << enum pfk_explain_kind: told */
	struct explain_frame stack[EXPLAIN_DEPTH];
	unsigned	 depth;
};

/* engine.c: the headers are read, fragments put together. */
void	 explain_headers(struct pkt *, enum outcome);
/* state_find.c */
void	 explain_state(struct pkt *, const struct state_key *, uint32_t state);
/* icmp.c */
void	 explain_quote(struct pkt *, const struct quote *);
void	 explain_unfit(struct pkt *, const char *why);
/* tcp_track.c */
void	 explain_window(struct pkt *, const struct pfk_segment *);
/* vm.c, match.c: the walk begins; into an anchor; to its end; a match. */
void	 explain_rules(struct pfk_engine *, struct filter *);
void	 explain_enter(struct pfk_engine *, struct filter *,
	    const struct anchor_rt *, uint32_t caller);
void	 explain_leave(struct pfk_engine *, struct filter *);
void	 explain_match(struct pfk_engine *, struct filter *, uint32_t rule);

/*
 * explain_rule.c: the tests that the packet fails, 1 << enum
 * pfk_explain_test.  Chance and rates are not asked again: such a rule passes
 * them here.
 */
unsigned explain_failures(struct pfk_engine *, const struct filter *,
	    uint32_t rule);

/* inspect.c */
void	 state_export(const struct pfk_engine *, uint32_t state,
	    struct pfk_state *);

#endif
