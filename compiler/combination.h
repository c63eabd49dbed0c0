/*
 * One combination of the elements of a statement's lists, from which a flat
 * rule is made: what expand.c goes through and check.c points at.
 *
 * Elements are never NULL; where the statement has no list it is one that
 * says nothing.
 */
#ifndef COMPILER_COMBINATION_H
#define COMPILER_COMBINATION_H

#include "compiler/statement.h"

struct combination {
	const struct statement	*st;
	const struct stmt_if	*iface;
	const struct stmt_proto	*proto;
	const struct stmt_icmp	*icmp;
	const struct host_item	*src, *dst;
	const struct stmt_port	*src_port, *dst_port;
	const struct stmt_os	*os;
	const struct stmt_id	*uid, *gid;
};

/*
 * How many of pfctl's conditions the flat rule breaks; a message for each has
 * been queued.
 */
unsigned check_rule(struct sema *, const struct rule *,
	    const struct combination *);

/*
 * What binat-to asks of the rule's source and of the pool's address.
 * af: of the statement, before a combination decides it.
 * => false: messages have been queued.
 */
bool	 check_binat(struct sema *, const struct combination *,
	    const struct rule *, uint8_t af, const struct rule_addr *nat);

/*
 * sema_error() about a combination.  Combinations of one statement often
 * share a mistake: pfctl repeats itself, people are told once.
 */
struct diag *combination_error(struct sema *, const struct ast *,
	    const char *code, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));

/*
 * "$if", "$srcaddr" ... in labels and tags (label.c); `size` is that of the
 * array in which pf keeps the text.
 * => NULL if nothing is left, or if it grew too long: s->fatal is set then.
 */
const char *label_expand(struct sema *, const struct combination *,
	    const struct rule *, const char *text, size_t size);

/*
 * The pool as it is used by the rule in this combination (expand_pool.c): its
 * addresses of the rule's family, of which there may be a table.  May decide
 * the rule's family, if it has none yet.
 * => false: the message has been queued, and the pool is as it was.
 */
enum pool_use { POOL_NAT, POOL_RDR, POOL_ROUTE, POOL_USES };
bool	 pool_chosen(struct sema *, struct rule *, const struct stmt_pool *,
	    enum pool_use, struct rule_pool *);
/* Its ports and options: false, message queued. */
bool	 pool_apply(struct sema *, const struct combination *,
	    const struct stmt_pool *, enum pool_use, struct rule_pool *);

/*
 * Where the combination's rule comes from (expand_origin.c).  listed: 1 <<
 * enum pfk_part of the lists that have several elements.
 */
struct rule_origin *combination_origin(struct sema *,
	    const struct combination *, uint32_t listed);
/* What rules and tables keep of a node. */
const struct rule_element *node_element(struct sema *, const struct ast *,
	    bool listed);
/* The table's addresses from that one on were written as the node (or NULL). */
void	 table_note_element(struct sema *, struct table *, const struct ast *,
	    size_t before);

/* "(em0)" may be many addresses, "(em0:0)" is one. */
bool	 is_multi_address(const struct rule_addr *);

#endif
