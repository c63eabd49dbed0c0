/*
 * A statement between the checks and the expansion: what no list decides, as
 * the prototype of a flat rule, and the lists that make many rules of it.
 *
 * sema_rule.c (pass, block, match) and sema_anchor.c (anchor, antispoof)
 * fill one; expand.c makes the flat rules, check.c looks at each of them.
 *
 * An empty list stands for one element that says nothing (any interface, any
 * protocol ...), so every list counts as at least one.  Elements keep the node
 * that they came from, so that a message about a combination can point at the
 * list element that made it.
 *
 * All of it is immutable and in the compilation's arena, but for the prototype
 * that is the caller's; rules may share strings, pools and timeouts with it.
 */
#ifndef COMPILER_STATEMENT_H
#define COMPILER_STATEMENT_H

#include <pfkit/origin.h>

#include "compiler/resolve.h"
#include "compiler/rule.h"
#include "compiler/sema.h"

struct stmt_if {
	const struct ast *node;
	const char	*name;		/* NULL: rdomain is meant, or `any` */
	int32_t		 rdomain;	/* -1: name is meant */
	bool		 neg;
	const struct stmt_if *next;
};

struct stmt_proto {
	const struct ast *node;
	uint8_t		 proto;
	const struct stmt_proto *next;
};

struct stmt_os {
	const struct ast *node;
	const char	*name;
	const struct stmt_os *next;
};

struct stmt_port {
	const struct ast *node;
	struct rule_ports ports;	/* op, host order */
	const struct stmt_port *next;
};

struct stmt_id {			/* user or group */
	const struct ast *node;
	struct rule_ids	 ids;
	const struct stmt_id *next;
};

struct stmt_icmp {
	const struct ast *node;
	uint8_t		 proto;		/* IPPROTO_ICMP or _ICMPV6 */
	uint16_t	 type, code;	/* + 1; 0: none, as in struct rule */
	const struct stmt_icmp *next;
};

/* nat-to, rdr-to, binat-to, af-to, route-to and the like. */
struct stmt_pool {
	const struct ast *node;		/* POOL, ROUTESPEC */
	const struct host_list *hosts;	/* NULL: of the `to` that an af-to
					   does not have */
	uint8_t		 af;		/* of af-to: the target; or UNSPEC */
	bool		 binat;		/* makes a rule for the way back */
	struct port_range ports;	/* a = b = type = 0: none written */
	uint8_t		 type;		/* enum rule_pooltype, as written */
	bool		 sticky, static_port;
	uint32_t	 key[4];	/* of source-hash: written, or drawn */
};

struct statement {
	const struct ast *node;		/* RULE, ANCHOR, ANTISPOOF */
	/*
	 * The rule that is the same in all combinations.  tag, match_tag and
	 * label are as written: their macros differ with the combination.
	 * af: written, or decided by the hosts (decide_address_family).
	 * flags, flagset, keep_state: as if the protocol were TCP.
	 */
	struct rule	 rule;
	const struct stmt_if	*ifs;
	const struct stmt_proto	*protos;
	const struct host_list	*src, *dst;	/* NULL: any */
	const struct stmt_port	*src_ports, *dst_ports;
	const struct stmt_os	*oses;		/* of the source */
	const struct stmt_id	*uids, *gids;
	const struct stmt_icmp	*icmps;
	const struct stmt_if	*received_on;	/* one at most */
	const struct stmt_pool	*nat, *rdr, *route;	/* NULL: none */
	const struct ast	*part[PFK_NPARTS]; /* options, as written */
	uint32_t		 listed; /* 1 << enum pfk_part: it is one of a
					   list that is not above */
};

/*
 * All flat rules of the statement, into sema->here.
 * => false: pfctl's messages have been queued; the rules that were right
 *    have been added all the same.
 */
bool	 expand_statement(struct sema *, const struct statement *);

#endif
