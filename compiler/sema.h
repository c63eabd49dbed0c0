/*
 * The checks: what pfctl does while it parses, done on the parser's events.
 *
 *	sema.c		takes each event, hands it to the room for its kind
 *	sema_set.c	set ...
 *	sema_table.c	table <...>
 *	sema_queue.c	queue ...
 *	sema_host.c	hosts and lists of them
 *	sema_head.c	actions, logging, interfaces, protocols, ports
 *	sema_opt.c	filter options, each as it is read
 *	sema_apply.c	filter options of a complete rule
 *	sema_state.c	state options
 *	sema_pool.c	translation and routing pools
 *	sema_rule.c	pass, block, match -> a rule with its lists
 *	sema_uses.c	tables: used and not defined, defined and not used
 *	sema_anchor.c	anchor, load anchor, antispoof
 *	expand.c	lists -> flat rules
 *	check.c		consistency of each flat rule
 *
 * Each sema_*() returns AST_REFUSED after it has queued the diagnostic, where
 * pfctl would abandon the statement; AST_OK where it would go on, even if a
 * message was printed.
 */
#ifndef COMPILER_SEMA_H
#define COMPILER_SEMA_H

#include "compiler/compile.h"

struct qname_set;

struct sema {
	struct pfk_ruleset *rs;
	struct parser	*parser;
	struct anchor	*here;		/* where rules and tables go now */
	/* defaults that `set` changes for later rules */
	uint8_t		 block_policy;	/* enum rule_block */
	bool		 if_bound;	/* set state-policy */
	struct ast	*state_defaults; /* LIST of STATE_OPT_*, or NULL */
	bool		 optimize_set;	/* -o or an earlier set decided */
	bool		 fatal;		/* pfctl would have exited: stop */
	uint64_t	 combinations;	/* of list elements tried so far */
	uint8_t		 room_of[AST_NKINDS];	/* of each kind: see sema.c */
	/* what scratch held where the open statements began: sema.c */
	struct arena_mark marks[RULE_ANCHOR_DEPTH + 2];
	unsigned	 open_anchors;
	struct sema_uses *uses;		/* private to sema_uses.c */
	struct sema_anchors *anchors;	/* private to sema_anchor.c */
	/* what has been said of the statement: combination_error() */
	const char	*told[8];
	unsigned	 ntold;
	struct sema_rules *rules;	/* private to sema_rule.c & friends */
	struct sema_queues *queues;	/* private to sema_queue.c */
	struct sema_settings *settings;	/* private to sema_set.c */
};

struct sema *sema_new(struct pfk_ruleset *);
enum ast_result sema_event(void *sema, struct parser *, struct ast *);

enum ast_result sema_set(struct sema *, struct ast *);	 /* SET_*, parts */
enum ast_result sema_table(struct sema *, struct ast *); /* TABLE, TABLE_*   */
enum ast_result sema_queue(struct sema *, struct ast *); /* QUEUE, its parts */
enum ast_result sema_host(struct sema *, struct ast *);	 /* HOST*, PEER ...  */
enum ast_result sema_head(struct sema *, struct ast *);	 /* ACTION ... PORT_* */
enum ast_result sema_option(struct sema *, struct ast *); /* OPT_*, parts */
enum ast_result sema_state(struct sema *, struct ast *); /* STATE_OPT_*      */
enum ast_result sema_pool(struct sema *, struct ast *);	 /* POOL, POOL_*     */
enum ast_result sema_rule(struct sema *, struct ast *);	 /* RULE             */
/* ANCHOR, ANCHOR_*, LOAD_ANCHOR, ANTISPOOF, ERROR */
enum ast_result sema_anchor(struct sema *, struct ast *);
/* Before each top-level file: rules go into this anchor. */
void	 sema_anchor_start(struct sema *, struct anchor *);
/* The `load anchor` statements so far, in their order. */
struct load_anchor {
	const char	*name, *file;
	struct span	 span;
	struct load_anchor *next;
};
const struct load_anchor *sema_load_anchors(const struct sema *);
/* What calls of anchors are named and lead to, once a file is read. */
void	 sema_anchor_finish(struct sema *, struct anchor *);
/* An anchor without rules, in no tree yet. */
struct anchor *anchor_new(struct arena *, const char *name, const char *path);
/* Whether the queue was defined above. */
bool	 sema_queue_exists(const struct sema *, const char *name);
/* All such names, NULL-terminated, for suggestions. */
const char *const *sema_queue_names(struct sema *);
/* After the last file: checks of the whole ("no root queue ..."). */
bool	 sema_queue_finish(struct sema *);
bool	 sema_set_finish(struct sema *);
/* Warnings about tables without use and uses without table, for rich. */
void	 sema_uses_finish(struct sema *);
void	 sema_use_table(struct sema *, const struct ast *, const char *name);
/* pf's defaults for all that `set` sets; sema_new() calls it. */
void	 sema_set_init(struct sema *);

struct host_list;
/*
 * What a HOST*, XHOST, POOL_HOST or PEER node stands for: sema_host.c keeps
 * it in `sem` (negation already applied to the items of an XHOST).  NULL of
 * a PEER: any.  Once a PEER is complete its elements' lists are joined.
 */
static inline const struct host_list *
sema_hosts(const struct ast *node)
{
	return node->sem;
}

/* parser_error() with the code; returns AST_REFUSED for `return`. */
enum ast_result sema_error(struct sema *, const struct ast *,
	    const char *code, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));
/*
 * The word, of a node with more words, is what the message is about; perhaps
 * `instead` was meant (NULL: nobody knows).
 */
void	 sema_blame(struct sema *, struct diag *, const char *word,
	    const char *instead);
/* A message that pfctl prints without file and line. */
struct diag *sema_message(struct sema *, const struct ast *, const char *code,
	    enum plain_form, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 5, 6)));

#endif
