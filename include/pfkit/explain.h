/*
 * Explanations: how the filter comes to one decision, step by step.
 *
 *	pfk_explain_start(engine, fn, ctx);
 *	pfk_engine_run(engine, &packet, 1);	fn is called for each step
 *	pfk_explain_stop(engine);
 *
 * The steps of a packet come in pf's order; the decision itself, its log
 * lines and its answers come to the engine's sink as ever, after the steps
 * (what match rules log: between them).  Explaining changes no decision, no
 * counter and no chance.  Rules are asked one by one meanwhile, so it is
 * slow; an engine that explains nothing pays with a look at a pointer or two a
 * packet.
 *
 * Which rules match is what the machine found that decides.  Why the others
 * do not match is found out beside it, out of the rules' records.  If the two
 * ever contradict each other, the step says so (`contradiction`).
 */
#ifndef PFKIT_EXPLAIN_H
#define PFKIT_EXPLAIN_H

#include <pfkit/engine.h>

/* What a rule tests, in pf's order. */
enum pfk_explain_test {
	PFK_TEST_ONCE,		/* a `once` rule that has matched already */
	PFK_TEST_INTERFACE, PFK_TEST_DIRECTION, PFK_TEST_RDOMAIN,
	PFK_TEST_FAMILY, PFK_TEST_PROTOCOL, PFK_TEST_SOURCE,
	PFK_TEST_DESTINATION,
	PFK_TEST_WHOLE,		/* asks for what a fragment does not have */
	PFK_TEST_FLAGS, PFK_TEST_OS, PFK_TEST_SOURCE_PORT,
	PFK_TEST_DESTINATION_PORT, PFK_TEST_USER, PFK_TEST_GROUP,
	PFK_TEST_ICMP,
	PFK_TEST_QUERY,		/* the answer to a query makes no state */
	PFK_TEST_FRAGMENT, PFK_TEST_TOS, PFK_TEST_PROBABILITY,
	PFK_TEST_TAG, PFK_TEST_RECEIVED_ON, PFK_TEST_PRIO,
	PFK_TEST_RATE,
	PFK_NTESTS
};
/* "direction", "destination port". */
const char *pfk_explain_test_name(enum pfk_explain_test);

enum pfk_explain_kind {
	PFK_EXPLAIN_HEADERS,	/* read and normalised; or dropped, or held */
	PFK_EXPLAIN_QUOTE,	/* an ICMP error quotes a packet: that one's
				   state is looked for next */
	PFK_EXPLAIN_STATE,	/* a key was looked up */
	PFK_EXPLAIN_UNFIT,	/* what was found, or quoted, does not fit */
	PFK_EXPLAIN_WINDOW,	/* a TCP segment was held against its state */
	PFK_EXPLAIN_RULES,	/* the rules are asked */
	PFK_EXPLAIN_FAILS,	/* a rule does not match */
	PFK_EXPLAIN_MATCHES,	/* a rule matches */
	PFK_EXPLAIN_ENTER,	/* an anchor's rules are next */
	PFK_EXPLAIN_LEAVE	/* its rules are through */
};

/* Checks of a TCP segment against its state, in pf's order. */
enum pfk_window_check {
	PFK_WINDOW_END,		/* its end is not above what may be sent */
	PFK_WINDOW_START,	/* its start is not below the window */
	PFK_WINDOW_ACK_AHEAD,	/* it acknowledges what was sent */
	PFK_WINDOW_ACK_BEHIND,	/* it acknowledges nothing too old */
	PFK_WINDOW_RESET,	/* a RST has the number that is expected */
	PFK_NWINDOW_CHECKS
};
/* In words: "ends beyond what the other end has offered to take". */
const char *pfk_window_check_failed(enum pfk_window_check);

struct pfk_segment {
	uint32_t	 seq, end, ack, len;
	uint32_t	 low, high;	/* where it may begin and end */
	int32_t		 ackskew;
	unsigned	 failed;	/* 1 << enum pfk_window_check */
	bool		 loose;		/* let pass though: half a connection */
	bool		 accepted;
};

struct pfk_explain {
	enum pfk_explain_kind kind;
	uint64_t	 number;	/* of the packet */
	bool		 second;	/* as in its decision */
	/* HEADERS */
	enum pfk_verdict verdict;	/* PFK_PASS: goes on */
	enum pfk_reason	 reason;
	bool		 reassembled, fragment;
	uint8_t		 ttl, tos, tcp_flags, icmp_type, icmp_code;
	uint32_t	 len;
	/* HEADERS, RULES, MATCHES: the packet as the rules see it now;
	   QUOTE: the quoted one */
	struct pfk_flow	 flow;
	/* UNFIT: why, in words */
	const char	*why;
	/* STATE */
	struct pfk_key	 key;
	const struct pfk_state *state;	/* NULL: none has the key */
	/* WINDOW */
	struct pfk_segment segment;
	/* FAILS, MATCHES, ENTER, LEAVE */
	uint32_t	 rule;		/* pfk_engine_rule() */
	uint32_t	 caller;	/* the anchor rule it is inside of, or
					   PFK_RULE_NONE */
	unsigned	 depth;		/* anchors it is inside of */
	unsigned	 failed;	/* 1 << enum pfk_explain_test, all of
					   them */
	bool		 contradiction;	/* see above */
	bool		 quick;		/* the rule ends the walk */
	/* a match rule has these at once, a pass or block rule only if it
	   is the one that decides */
	const char	*action;	/* "pass", "block", "match", "anchor" */
	const char	*anchor;	/* ENTER, LEAVE: its path */
};

typedef void (*pfk_explain_fn)(void *ctx, const struct pfk_explain *);

/* PFK_OK or PFK_ERR_NOMEM.  fn must not call the engine. */
int	 pfk_explain_start(struct pfk_engine *, pfk_explain_fn, void *ctx);
void	 pfk_explain_stop(struct pfk_engine *);
/*
 * Only steps of these kinds are told (1 << enum pfk_explain_kind, or'ed), and
 * what the others cost is saved.  Rules that match are then not held against
 * their records.
 * => pfk_explain_start() has been called.
 */
void	 pfk_explain_only(struct pfk_engine *, unsigned kinds);

#endif
