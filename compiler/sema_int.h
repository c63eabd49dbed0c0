/*
 * What the rooms for rules share: sema_host.c, sema_head.c, sema_opt.c,
 * sema_apply.c, sema_state.c, sema_pool.c, sema_rule.c and sema_anchor.c.
 *
 * What an event made of its node stands in the node's `sem`:
 *
 *	HOST*, XHOST, PEER	struct host_list
 *	INTERFACE		struct stmt_if
 *	PROTO			struct stmt_proto
 *	PORT_RANGE		struct port_range
 *	PORT_EQ, _UNARY, _BINARY struct stmt_port
 *	OS			struct stmt_os
 *	ID_EQ, _UNARY, _BINARY	struct stmt_id
 *	ICMP_ITEM		struct stmt_icmp
 *	PROBABILITY		double
 *	POOL, ROUTESPEC		struct stmt_pool
 *	OPT_DIVERT_TO		struct host_list
 *
 * Numbers go to num2: ID, ICMP_TYPE, TOS, FLAGS, RETURN_ICMP, RETURN_ICMP6,
 * LOG_OPT, OPT_PROBABILITY, OPT_DIVERT_PACKET, STATE_OPT_TIMEOUT (index).
 */
#ifndef COMPILER_SEMA_INT_H
#define COMPILER_SEMA_INT_H

#include "compiler/statement.h"

/* Filter options by kind: the last of each that a rule has, or NULL. */
#define OPT_FIRST	AST_OPT_USER
#define OPT_LAST	AST_OPT_SET_DELAY
#define OPT_COUNT	(OPT_LAST - OPT_FIRST + 1)

struct rule_opts {
	const struct ast *by_kind[OPT_COUNT];
};

/* The option of that kind; `kind` is an AST_OPT_*. */
static inline const struct ast *
rule_opt(const struct rule_opts *o, enum ast_kind kind)
{
	return o->by_kind[kind - OPT_FIRST];
}

struct sema_rules {
	struct rule_opts given;	/* options of the open rule, so far */
	bool	 pool_given[AST_POOL_STICKY - AST_POOL + 1];
	bool	 scrub_given[AST_SCRUB_RANDOM_ID - AST_SCRUB_BEGIN + 1];
	const struct rule_timeouts *last_timeouts;	/* to be shared */
};

struct sema_rules *sema_rules(struct sema *);

#define SEMA_ICMP	1	/* protocols that the language knows itself */
#define SEMA_TCP	6
#define SEMA_ICMP6	58

/* ICMP's "unreachable", whose codes return-icmp takes. */
#define SEMA_UNREACH(af)	((af) == PFK_AF_INET6 ? 1u : 3u)

/* The `sem`s of the elements of a list (or NULL), linked by their `next`. */
#define SEMA_CHAIN(type, list, head) do {				\
	const struct ast *l_ = (list);					\
	type *last_ = NULL;						\
									\
	(head) = NULL;							\
	for (const struct ast *e_ = l_ ? l_->first : NULL; e_ != NULL;	\
	    e_ = e_->next) {						\
		if (last_ == NULL)					\
			(head) = e_->sem;				\
		else							\
			last_->next = e_->sem;				\
		last_ = e_->sem;					\
	}								\
} while (0)

/* Whether no port, or every port, is in the range (pfctl refuses both). */
bool	 sema_port_range_empty(uint8_t op, uint16_t a, uint16_t b);

/* All hosts of a list; NULL if it is NULL or `any` is among them. */
struct host_list *sema_join_hosts(const struct ast *);

/*
 * The part of RULE and ANCHOR that stands before the options: direction,
 * family, log, quick, interfaces, protocols, hosts, ports and systems.
 */
void	 sema_head_to_statement(const struct ast *, struct statement *);
/* The options of a RULE or ANCHOR, by kind. */
void	 sema_collect_opts(const struct ast *list, struct rule_opts *);
/* expand_origin.c: where rules of the statement have them from. */
void	 sema_option_parts(const struct rule_opts *, struct statement *);
/*
 * What they say, but for states, routing and diversion; fills *o as well.
 * The statement's action, direction and anchor must be set.
 * => false: the message has been queued.
 */
bool	 sema_opts_to_statement(struct sema *, const struct ast *,
	    struct rule_opts *, struct statement *);
/* "flags only apply to tcp" and the like: false, message queued. */
bool	 sema_check_tcp_only(struct sema *, const struct rule_opts *,
	    const struct statement *, const char *os_text);
/* The family of all hosts, if they agree and *af is not yet known. */
void	 sema_decide_af(const struct host_list *, uint8_t *af);
/* `keep state` and the like, or the defaults: false, message queued. */
bool	 sema_keep_state(struct sema *, const struct rule_opts *,
	    struct statement *);
/* The label of a rule: false if it is too long, message queued. */
bool	 sema_label(struct sema *, const struct ast *opt_label,
	    struct rule *);

#endif
