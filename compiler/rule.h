/*
 * Flat rules: what a pf.conf means once macros, lists and names are gone.
 *
 * One statement becomes as many flat rules as its lists ask for, in pfctl's
 * order.  Flat rules are what is printed, optimised, lowered to bytecode and
 * compared; printing one gives pfctl's text, and that text compiles to the
 * same rule.
 *
 * Everything lives in the compilation's arena and is immutable once the
 * ruleset is finished, so strings and pools may be shared between rules.
 * Strings are never "", absent ones are NULL.  Ports and addresses: ports in
 * host order, addresses in network order (base/addr.h).
 */
#ifndef COMPILER_RULE_H
#define COMPILER_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/source.h"
#include "base/vec.h"

/* Sizes of pf's fixed arrays; names longer than SIZE - 1 are errors. */
#define RULE_IFNAMSIZ		16
#define RULE_LABEL_SIZE		64
#define RULE_TABLE_NAME_SIZE	32
#define RULE_TAG_NAME_SIZE	64
#define RULE_QNAME_SIZE		64
#define RULE_RTLABEL_LEN	32
#define RULE_PATH_MAX		1024
#define RULE_ANCHOR_NAME_SIZE	64
#define RULE_RTABLE_MAX		255
#define RULE_ANCHOR_DEPTH	64	/* nesting of inline anchors */
#define RULE_PRIO_ZERO		0xff

enum rule_action { RULE_PASS, RULE_BLOCK, RULE_MATCH };
enum rule_block { RULE_DROP, RULE_RETURN, RULE_RETURN_RST, RULE_RETURN_ICMP };
enum rule_dir { RULE_INOUT, RULE_IN, RULE_OUT };
enum rule_log { RULE_LOG = 1, RULE_LOG_ALL = 2, RULE_LOG_MATCHES = 4,
    RULE_LOG_USER = 8 };
enum rule_state { RULE_NO_STATE, RULE_KEEP_STATE, RULE_MODULATE_STATE,
    RULE_SYNPROXY_STATE };
enum rule_srctrack { RULE_TRACK_NONE, RULE_TRACK_GLOBAL, RULE_TRACK_RULE };
enum rule_route { RULE_RT_NONE, RULE_ROUTE_TO, RULE_REPLY_TO, RULE_DUP_TO };
enum rule_divert { RULE_DIVERT_NONE, RULE_DIVERT_TO, RULE_DIVERT_REPLY,
    RULE_DIVERT_PACKET };
enum rule_pooltype { RULE_POOL_NONE, RULE_POOL_BITMASK, RULE_POOL_RANDOM,
    RULE_POOL_SOURCE_HASH, RULE_POOL_ROUND_ROBIN, RULE_POOL_LEAST_STATES };

/* Operators; the same numbers as enum ast_op (static_assert'ed in rule.c). */
enum rule_op { RULE_OP_NONE, RULE_OP_IRG, RULE_OP_XRG, RULE_OP_EQ, RULE_OP_NE,
    RULE_OP_LT, RULE_OP_LE, RULE_OP_GT, RULE_OP_GE, RULE_OP_RRG };

enum rule_addrkind {
	RULE_ADDR_ANY,		/* 0.0.0.0/0 or ::/0, or nothing given */
	RULE_ADDR_MASK,		/* addr, mask */
	RULE_ADDR_RANGE,	/* addr - mask (the upper end) */
	RULE_ADDR_DYNAMIC,	/* (name:modifiers), bits in mask */
	RULE_ADDR_TABLE,	/* <name> */
	RULE_ADDR_NO_ROUTE,
	RULE_ADDR_URPF_FAILED,
	RULE_ADDR_ROUTE_LABEL,	/* route name */
	RULE_ADDR_NONE		/* pools only: no pool */
};

/* Modifiers of an interface name used as an address. */
enum rule_ifmod { RULE_IF_NETWORK = 1, RULE_IF_BROADCAST = 2, RULE_IF_PEER = 4,
    RULE_IF_NOALIAS = 8 };

/*
 * An address as rules and pools hold it.  ANY is kept apart from a MASK of
 * length 0: what prints as `any`, and what as `0.0.0.0/0`, is decided by
 * pfctl through the address family (see print_addr()).
 */
struct rule_addr {
	uint8_t		 kind;		/* enum rule_addrkind */
	uint8_t		 af;		/* of MASK and RANGE; may be UNSPEC */
	uint8_t		 ifmods;	/* of DYNAMIC: enum rule_ifmod bits */
	struct pfk_addr	 addr, mask;
	const char	*name;		/* of DYNAMIC, TABLE, ROUTE_LABEL */
};

struct rule_peer_addr { struct rule_addr addr; uint8_t neg; };
struct rule_ports { uint8_t op; uint16_t port[2]; };	/* enum rule_op */
struct rule_ids { uint8_t op; uint32_t id[2]; };  /* UINT32_MAX: unknown */
struct rule_rate { uint32_t limit, seconds; };
struct rule_prio_pair { uint8_t prio[2]; };
struct rule_divert_spec { uint8_t type; uint8_t af; struct pfk_addr addr;
    uint16_t port; };

/*
 * nat-to, rdr-to, af-to, route-to ...  Most rules have none: they point to
 * rule_no_pool, whose kind is NONE.
 */
struct rule_pool {
	struct rule_addr addr;
	uint8_t		 type;		/* enum rule_pooltype */
	uint8_t		 sticky;
	uint8_t		 static_port;
	uint8_t		 port_op;	/* enum rule_op */
	uint16_t	 port[2];	/* proxy ports, 0 0: none */
	uint16_t	 weight;
	const char	*ifname;
	uint32_t	 key[4];	/* of source-hash */
};

/* pf's timeouts, in the order in which pf numbers them. */
enum rule_timeout {
#define TIMEOUT(id, name, dflt)	TMO_##id,
#include "base/timeouts.def"
#undef TIMEOUT
	TMO_COUNT
};
struct rule_timeouts { uint32_t v[TMO_COUNT]; };	/* 0: not set */

/* What rules point to that have no pool, or no timeouts of their own. */
extern const struct rule_pool rule_no_pool;
extern const struct rule_timeouts rule_no_timeouts;

/*
 * Where a rule comes from: its statement, and of each part that it has the
 * element.  Elements are shared by the rules of a statement.
 */
struct rule_element {
	struct span	 span;
	bool		 listed;	/* one of several */
	const struct expansion *via;
	const struct span *value;	/* if only this part of it came out of
					   macros: via is its; else NULL */
};
struct rule_origin {
	struct rule_origin *next, *last; /* of other rules that the optimiser
					   made part of this one; the first
					   has the last */
	uint8_t		 how;		/* enum pfk_origin_how */
	uint32_t	 parts;		/* 1 << enum pfk_part */
	const struct rule_element *statement;
	const struct rule_element *element[]; /* of each part, in order */
};

/* FIELD()'s names for types */
typedef uint8_t			rule_t_u8;
typedef uint16_t		rule_t_u16;
typedef uint32_t		rule_t_u32;
typedef int32_t			rule_t_i32;
typedef const char		*rule_t_str;
typedef struct rule_peer_addr	rule_t_peer_addr;
typedef struct rule_ports	rule_t_ports;
typedef struct rule_ids		rule_t_ids;
typedef struct rule_rate	rule_t_rate;
typedef struct rule_prio_pair	rule_t_prio_pair;
typedef const struct rule_timeouts *rule_t_timeouts;	/* never NULL */
typedef struct rule_divert_spec	rule_t_divert;
typedef const struct rule_pool	*rule_t_pool;		/* never NULL */
typedef struct span		rule_t_span;
typedef const struct expansion	*rule_t_via;
typedef struct rule_origin	*rule_t_origin;		/* or NULL */

/* An anchor rule: which anchor it calls. */
struct rule_anchor_ref {
	const char	*call;	/* as pfctl prints it; NULL: not an anchor rule */
	struct anchor	*body;	/* rules to print in { }, or the named anchor */
	uint8_t		 wildcard;	/* ends in / * */
	uint8_t		 inlined;	/* printed with a { } body */
};
typedef struct rule_anchor_ref	rule_t_anchor_ref;

struct rule {
#define FIELD(type, name, print, opt)	rule_t_##type name;
#include "compiler/rule_fields.def"
#undef FIELD
	struct rule	*next;
};

/* A rule that matches everything and sets nothing. */
void	rule_init(struct rule *);
/* The rule stands for the other one as well (enum pfk_origin_how). */
void	rule_stands_for(struct rule *, const struct rule *, uint8_t how);

struct table_addr {
	struct pfk_addr	 addr;
	uint16_t	 weight;	/* in pools; 0: none was given */
	uint8_t		 af, bits, neg;
};

/* So many addresses in a row were written as this element. */
struct table_run { uint32_t n; struct rule_element element; };

struct table {
	const char	*name;
	struct anchor	*anchor;	/* where it is defined */
	bool		 is_const, persist, counters;
	bool		 has_init;	/* { ... } or file was given */
	bool		 automatic;	/* made by the optimiser or a pool */
	VEC(struct table_addr) addrs;
	VEC(struct table_run) runs;	/* where they come from */
	struct span	 span;
	const struct expansion *via;
	struct table	*next;
};

/* Tables by name, of a list as far as it has been looked at (sema_table.c). */
struct table_index {
	struct table	**slots, *last;
	uint32_t	 n, nslots;	/* nslots: a power of two, or 0 */
};

/*
 * A ruleset at a place in the anchor tree.  The main ruleset is the anchor
 * with path "".
 */
struct anchor {
	const char	*name;		/* last component; "_1" if unnamed */
	const char	*path;		/* "a/b" */
	struct anchor	*parent;
	struct anchor	*children, **children_tail, *sibling; /* by creation */
	struct rule	*rules, **rules_tail;
	uint32_t	 nrules;
	struct table	*tables, **tables_tail;
	struct table_index named;
	bool		 loaded;	/* came from `load anchor` */
	const struct rule *shown_by;	/* of its calls the first: prints the
					   body (load_rules() sets it) */
};

/* One bandwidth curve of a queue: m1 for d ms, then m2 (bits per second). */
struct queue_curve { uint64_t m1, m2; uint32_t d; };

struct queue {
	const char	*name, *parent;		/* parent NULL: root */
	const char	*ifname;		/* NULL: any */
	struct queue_curve linkshare, realtime, upperlimit;
	uint32_t	 flows, quantum;
	uint32_t	 qlimit;		/* 0: default */
	bool		 is_default, is_flowqueue, is_root;
	struct span	 span;
	struct queue	*next;
};

enum limit_id {		/* the pools of `set limit`, in pfctl's order */
	LIMIT_STATES, LIMIT_SRC_NODES, LIMIT_FRAGS, LIMIT_TABLES,
	LIMIT_TABLE_ENTRIES, LIMIT_PKTDELAY_PKTS, LIMIT_ANCHORS, LIMIT_COUNT
};

enum rule_syncookies { SYNCOOKIES_NEVER, SYNCOOKIES_ALWAYS, SYNCOOKIES_ADAPTIVE };

/* What `set` says, or pf's defaults. */
struct ruleset_options {
	uint32_t	 timeout[TMO_COUNT];
	uint32_t	 limit[LIMIT_COUNT];
	uint32_t	 hostid;		/* 0: random */
	int		 debug;			/* syslog level */
	bool		 reassemble, reassemble_no_df;
	uint8_t		 syncookies;
	uint8_t		 syncookies_hi, syncookies_lo;	/* percent */
	const char	*loginterface;
	const char	*fingerprints;		/* file named, or NULL */
	VEC(const char *) skip;			/* interfaces and groups */
	int		 optimize;		/* enum optimize_level */
};

enum optimize_level { OPTIMIZE_NONE, OPTIMIZE_BASIC, OPTIMIZE_PROFILE };

/*
 * A finished compilation.
 */
struct flat_ruleset {
	struct anchor	*root;
	struct anchor	*loaded;	/* chain (sibling) of `load anchor`s
					   in the order in which pfctl
					   would load and print them */
	struct queue	*queues;
	struct ruleset_options opts;
};

#endif
