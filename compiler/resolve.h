/*
 * From names to addresses, ports and numbers: everything in a rule that
 * depends on the host (pfk_host) and not on the rule.
 *
 * The functions queue pfctl's own message when they fail; the caller adds
 * the one that pfctl's grammar adds ("could not parse host specification").
 */
#ifndef COMPILER_RESOLVE_H
#define COMPILER_RESOLVE_H

#include "compiler/compile.h"

/* One address that a host specification stands for. */
struct host_item {
	struct rule_addr addr;
	uint8_t		 af;		/* UNSPEC: either (tables, dynamic) */
	uint8_t		 neg;
	uint16_t	 weight;	/* of pools */
	const char	*ifname;	/* link-local IPv6: the interface that
					   it belongs to; else NULL */
	unsigned	 ifindex;	/* its index; 0: not link-local */
	bool		 ifa_loopback;	/* the interface is a loopback */
	const struct ast *node;		/* the list element, for diagnostics */
	struct host_item *next;
};

/*
 * In order; `first` NULL never: an empty result is NULL of the list.  Lists
 * and items are in rs->scratch; names in them stay.
 */
struct host_list {
	struct host_item *first, *last;
	size_t		 n;
};

/*
 * What pfctl's host() does: an interface with modifiers, an address or
 * network in any of its notations, a group, "self", or a host name.
 * NULL: nothing found, the message has been queued.
 */
struct host_list *resolve_host(struct pfk_ruleset *, const struct ast *,
	    const char *text);

/* The addresses of an interface or group (enum rule_ifmod bits), or NULL. */
struct host_list *resolve_interface(struct pfk_ruleset *, const char *name,
	    unsigned ifmods);

/* Whether pfctl knows the name as an interface (not a group). */
const struct pfk_interface *resolve_ifname(struct pfk_ruleset *,
	    const char *);
bool	 resolve_is_group(struct pfk_ruleset *, const char *);

/*
 * A port or port range in pfctl's notation ("80", "http", "1000:2000",
 * "1024:*"); form: enum ast_portform bits.  false: message queued.
 * type: 0 single, 1 range a:b, 2 a:*.
 */
struct port_range { uint16_t a, b; uint8_t type; };
bool	 resolve_port(struct pfk_ruleset *, const struct ast *,
	    const char *text, unsigned form, struct port_range *);

/* -1 if unknown; no message. */
int	 resolve_protocol(struct pfk_ruleset *, const char *);

#endif
