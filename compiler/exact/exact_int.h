/*
 * Exact answers, inside:
 *
 *	dd.c		diagrams, on top of BuDDy
 *	dd_meets.c	whether they have anything in common
 *	space.c		which bits of a packet are which variables
 *	addrs.c		sets of addresses: tables, interfaces, routes
 *	tests.c		one rule's tests as a set
 *	fits.c		what fits each rule
 *	views.c		tests of what has been translated
 *	walk.c		all rules over all packets
 *	verdicts.c	what that gives, shares.c for rules in a row
 *	outcome.c	what a rule and match rules before it do, in words
 *	example.c	a usual packet of a set; packets as text
 *	describe.c	sets as few lines
 *	one_packet.c	the packet of a rule that describes one
 *	onward.c	what packets become, and where they go then
 *	onward_family.c	... by af-to
 *	sets.c		the operations of the public header
 *
 * The variables, in their order.  What decides most comes first, so that rules
 * of different interfaces or protocols share little; questions (what the
 * packet does not decide) come last.
 *
 *	dir | interface | received on | family | protocol | fragment |
 *	ICMP type, code | source | destination | destination port |
 *	source port | flags | options | tos | prio | questions ...
 *
 * Fields that depend on each other stand side by side: a diagram has to keep
 * in mind what it has seen of one until it has seen the other.
 *
 * An IPv4 address has the first 32 variables of an address.  The others, and
 * fields that a packet does not have (ports of ICMP), are never looked at: no
 * set depends on them, and so none needs nodes to say that they are 0.
 */
#ifndef EXACT_INT_H
#define EXACT_INT_H

#include <pfkit/exact.h>

#include "base/addr.h"
#include "base/vec.h"
#include "compiler/exact/dd.h"
#include "runtime/bytecode.h"
#include "runtime/image.h"

#define SIDE_SRC	0
#define SIDE_DST	1

#define PROTO_ICMP	1
#define PROTO_TCP	6
#define PROTO_UDP	17
#define PROTO_FRAGMENT	44	/* of IPv6 */
#define PROTO_ICMPV6	58

#define TCP_FIN		0x01
#define TCP_SYN		0x02
#define TCP_RST		0x04
#define TCP_PUSH	0x08
#define TCP_ACK		0x10
#define TCP_URG		0x20

enum field {
	F_DIR, F_IF, F_RECEIVED, F_AF, F_PROTO, F_FRAGMENT, F_TYPE, F_CODE,
	F_SRC, F_DST, F_DPORT, F_SPORT, F_FLAGS, F_OPTIONS, F_TOS, F_PRIO,
	NFIELDS
};
struct field_place { unsigned first, bits; };

/* An interface of the universe: of some host, or only of rules. */
struct xiface {
	const char	*name;
	bool		 exists;	/* on a host */
};

struct question {
	const char	*name;
};

struct xtable_sets {			/* built when first wanted */
	bool		 known;
	dd		 set[2];		/* by side */
};

struct ximage {
	struct pfk_exact_image o;
	const struct pfk_image *im;
	const struct pfk_interface **ifs; /* by interface of the universe;
					   NULL: that host has it not */
	struct xtable_sets *tables;
	struct rule_tests *rules;	/* by rule, built when first wanted */
	const uint32_t	**code;		/* the RULE of each */
	uint32_t	*effect;	/* of each: its number + 1, 0 not known */
};

/* A text of effects; its place is its number in diagrams. */
struct effect {
	const char	*text;
	uint32_t	 hash;
};
#define EFFECT_SKIPPED	"pass, `set skip'"
#define EFFECT_BITS	20		/* of a number, at most */
#define PACKET_BITS	64	/* bytes for a bit for each variable */

/* The packet that pfk_set_has() was asked about last. */
#define IFNAME_SIZE	32
struct asked {
	bool		 any;
	struct pfk_exact_packet packet;
	char		 ifname[IFNAME_SIZE], received_on[IFNAME_SIZE];
	uint8_t		 b[PACKET_BITS];	/* the first is high */
};

struct pfk_exact {
	struct pfk_allocator alloc;
	struct arena	 arena;
	jmp_buf		 oom;
	bool		 nomem, limit;
	struct ximage	*images;
	size_t		 nimages;
	VEC(struct xiface) ifaces;	/* and one more: some other */
	struct field_place place[NFIELDS];
	VEC(struct question) questions;
	unsigned	 nvars;		/* without questions */
	unsigned	 first_effect;	/* a number's first variable: they come
					   last of all, and in no set */
	VEC(struct effect) effects;
	uint32_t	*effect_index;	/* place + 1, by hash */
	size_t		 effect_slots;	/* a power of 2 */
	unsigned	 effect_bits;
	bool		 bits_chosen;
	dd		 universe;
	struct asked	 asked;
	dd		 is[2], v4, tcp, icmp, icmp6, ported; /* is: dir */
};

/* ---- space.c ---- */

bool	 space_make(struct pfk_exact *);
/* The field has that value; its first bits have. */
dd	 field_is(const struct pfk_exact *, enum field, uint32_t value);
dd	 field_between(const struct pfk_exact *, enum field, uint32_t lo,
	    uint32_t hi);
/* The bits under the mask are these. */
dd	 field_bits(const struct pfk_exact *, enum field, const uint8_t *value,
	    const uint8_t *mask, unsigned bytes);
/* As a number of that many bytes, the first ones of the field. */
dd	 field_range(const struct pfk_exact *, enum field, const uint8_t *lo,
	    const uint8_t *hi, unsigned bytes);
enum field addr_field(unsigned side);
enum field port_field(unsigned side);
/* A question by its name: the same name is the same question. */
dd	 question(struct pfk_exact *, const char *name);
unsigned all_vars(const struct pfk_exact *);
/* Packets on an interface, group or pseudo group of the image's host. */
dd	 interface_set(struct pfk_exact *, const struct ximage *, enum field,
	    const char *name);
bool	 iface_in(const struct pfk_exact *, const struct ximage *, size_t i,
	    const char *name);
/* The packets that `set skip' lets pass by all rules. */
dd	 skipped_set(struct pfk_exact *, const struct ximage *);
bool	 in_group(const struct pfk_interface *, const char *name);
/* The name in the universe of a name of the image's host. */
const char *map_name(const struct ximage *, const char *);

/* ---- addrs.c ---- */

/* The table that is asked where this one is named. */
uint32_t real_table(const struct pfk_image *, uint32_t table);
dd	 table_set(struct pfk_exact *, struct ximage *, uint32_t table,
	    unsigned side);
dd	 ifaddr_set(struct pfk_exact *, const struct ximage *,
	    const struct img_addr *, unsigned side);
dd	 noroute_set(struct pfk_exact *, const struct ximage *, unsigned side,
	    int rtable);
dd	 urpf_failed_set(struct pfk_exact *, const struct ximage *,
	    unsigned side, int rtable);
dd	 rtlabel_set(struct pfk_exact *, const struct ximage *, unsigned side,
	    const char *label, int rtable);

/* If all that the pool gives are this interface's addresses, and few. */
const struct pfk_interface *pool_interface(const struct ximage *,
	    const struct img_pool *);
#define MAX_CHOICES	8
dd	 routed_set(struct pfk_exact *, const struct ximage *, unsigned side,
	    const char *ifname);

/* ---- tests.c ---- */

/* What match rules have made of an end of the packet. */
struct view {
	enum view_kind { VIEW_PACKET, VIEW_FIXED, VIEW_UNKNOWN } addr, port;
	struct pfk_addr	 fixed;
	uint8_t		 af;
	uint16_t	 fixed_port;	/* host order */
	uint32_t	 by;		/* the rule */
};

/*
 * Everything about a packet that match rules have changed, and all that they
 * have asked for.  Contexts that are equal are one.
 */
struct context {
	struct view	 view[2];
	uint8_t		 naf;		/* af-to: the new family; 0 */
	uint32_t	 tag;		/* string of the image, 0 none */
	int32_t		 rtable;	/* -1: the interface's */
	uint32_t	 qname, pqname;	/* strings */
	int32_t		 set_tos, delay; /* -1: not set */
	uint32_t	 set_prio;	/* 0 none, else in | out << 8 | 1 << 16 */
	uint16_t	 max_mss;
	uint8_t		 min_ttl, log;
	uint32_t	 flags;		/* IMG_R_* of scrub */
	uint32_t	 nat, rdr;	/* the rules that translate, or IMG_NONE */
	uint32_t	 list;		/* match rules that log or count: index of
					   a chain, 0 none */
};

struct rule_tests {
	bool		 known, loose_known;
	bool		 views;		/* looks at addresses or ports */
	bool		 routes;	/* asks the routes */
	bool		 tagged;
	dd		 set;		/* as the packet comes; without tags */
	dd		 loose;		/* of the tests that no context changes */
};
/*
 * All tests of a rule that depend on contexts, or all others.  `open': tables
 * that may change could have any addresses.
 */
dd	 tests_of_rule(struct pfk_exact *, struct ximage *, uint32_t rule,
	    const struct context *, bool open, bool contextual);

/* ---- fits.c ---- */

/* Fills xi->code. */
void	 index_code(struct pfk_exact *, struct ximage *);
const struct rule_tests *rule_tests(struct pfk_exact *, struct ximage *,
	    uint32_t rule);
/* Whether the tests that no context changes let it fit any of these. */
bool	 rule_may_fit(struct pfk_exact *, struct ximage *, uint32_t rule,
	    dd among);
/* Its set takes no room until it is wanted again. */
void	 rule_forget(struct ximage *, uint32_t rule);
/* Whether it is a question what is in the table. */
bool	 contents_asked(const struct pfk_image *, uint32_t table);
/* The rule's set, if tables that may change have any addresses. */
dd	 rule_set_open(struct pfk_exact *, struct ximage *, uint32_t rule);
/* What the other tests say of packets with that context. */
dd	 rule_in_context(struct pfk_exact *, struct ximage *, uint32_t rule,
	    const struct context *);
/* Whether contexts can make a difference. */
bool	 rule_needs_context(const struct rule_tests *,
	    const struct context *);

/* All but answers to queries of ICMP, which make no state. */
dd	 no_answer_set(const struct pfk_exact *);

/* ---- walk.c ---- */

/* What the rule sets is added. */
void	 context_add(struct context *, const struct img_rule *);
/* verdicts.c */

/* What a region is. */
struct region_in {
	struct pfk_exact *x;
	struct ximage	*xi;
	const struct context *context;
	const struct img_rule *rule;	/* NULL: none decides */
	dd		 set;
};
void	 region_in(struct pfk_verdicts *, size_t region, struct region_in *);

/* ---- onward.c, onward_family.c ---- */

/* What a translation makes of a set, or (back) what may become one. */
struct chain {
	struct pfk_exact *x;
	struct ximage	*xi;
	dd		 set;
	bool		 back;
};
/* The variables first .. n - 1 become what `to' says; to is taken. */
void	 pin(struct chain *, unsigned first, unsigned n, dd to);
void	 pin_field(struct chain *, enum field, dd to);
/* Every address that the pool may give; a rule's source port after nat-to. */
dd	 pool_set(const struct chain *, const struct img_pool *,
	    unsigned side);
void	 pin_source_port(struct chain *, const struct img_pool *);
/* All of a translation by af-to. */
void	 change_family(struct chain *, const struct img_rule *);

/* ---- outcome.c ---- */

struct match_item { uint32_t rule, before; };	/* before: index, 0 none */
struct outcome_in {
	const struct ximage *xi;
	const struct context *context;
	const struct match_item *items;
	uint32_t	 rule;		/* or PFK_EXACT_DEFAULT */
};
void	 outcome_make(struct arena *, const struct outcome_in *,
	    struct pfk_outcome *);

#endif
