/*
 * Inside of the engine: what the rooms of runtime/ share.
 *
 *	engine.c	the order of work	burst.c    bursts, looking ahead
 *	lane*.c		the usual packet of a state, in front of all this
 *	life.c		made and ended		util.c     memory, chance, words
 *	link.c		link headers		decode.c   IP and transport
 *	walk.c		options, chains		view.c     what has changed
 *	normalize.c	header checks, scrub	fragment*.c  reassembly
 *	tscrub.c	`reassemble tcp`
 *	state.c		states by age		state_mem.c  their records
 *	purge.c		sweeps, timeouts
 *	state_table.c	keys and buckets	state_hash.c  their hash
 *	state_find.c	which state
 *	tcp_track.c	windows			tcp_states.c  transitions
 *	state_track.c	a packet of a state	synproxy.c
 *	icmp.c, icmp_map.c	messages, and the states that errors quote
 *	filter.c	a miss: rules, then a new state or an answer
 *	vm.c		runs the bytecode	match.c    what a matching rule does
 *	calls.c		into anchors, and out
 *	block*.c	looks up rules of one kind
 *	strip*.c	compares rules side by side
 *	miss.c		the usual packet without a state
 *	rules.c, anchors.c			rules of images, also loaded later
 *	table*.c	<tables>		iface.c    interfaces, (dynamic)
 *	route.c		routing table		osfp_match.c  fingerprints
 *	pool*.c		nat-to, rdr-to, af-to, route-to: address and port
 *	rewrite*.c	changing packets	afto*.c    other address family
 *	srcnode*.c	source tracking, max-src-*, overload
 *	reply.c		RST, ICMP, SYN+ACK	syncookie.c
 *	counters.c, inspect.c, *_public.c	reading everything from outside
 *	log.c		lines of pflog		*save.c    saving and restoring
 *	explain*.c	how a decision comes about
 *	shard*.c	engines that share one stream of packets
 *
 * A packet:	engine.c -> decode -> normalize/fragment -> state_find
 *		  hit:  track -> rewrite -> counters
 *		  miss: filter -> vm/match -> pool -> state_insert -> rewrite
 *		-> decision
 *
 * Indexes instead of pointers wherever there may be many (states, nodes,
 * match items): 0 is "none".  Rules are indexes into e->rules; the default
 * rule is the last one, e->default_rule.
 */
#ifndef RUNTIME_ENGINE_INT_H
#define RUNTIME_ENGINE_INT_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>

#include "runtime/image.h"
#include "runtime/pkt.h"
#include "runtime/state_hash.h"

/* pf's events per time: count decays linearly (max-pkt-rate and others). */
struct rate {
	uint32_t	limit;		/* scaled by 1000 */
	uint32_t	seconds;
	uint32_t	count;		/* scaled by 1000 */
	uint32_t	last;		/* s since start */
};
void	rate_init(struct rate *, uint32_t limit, uint32_t seconds);
void	rate_add(struct rate *, uint32_t now);
bool	rate_over(const struct rate *);

/*
 * A rule at run time.  What usual packets need stands in front, packets and
 * bytes of its counters last, so that it comes in one line of the cache.
 */
struct rt_rule {
	alignas(64)			/* a line of the cache */
	const struct img_rule *r;	/* the image's record */
	uint32_t	src_table, dst_table; /* e->tables, or IMG_NONE */
	uint8_t		plain;		/* miss.h */
	bool		replaced;	/* others were loaded in its place */
	uint16_t	state_flags;	/* PFK_STATE_F_* of its states */
	uint16_t	tag, match_tag;	/* e->tags, or 0 */
	struct pfk_rule_counters n;
	const struct pfk_image *image;	/* whose strings r's offsets mean */
	struct rate	rate;		/* max-pkt-rate */
	uint32_t	overload;	/* e->tables, or IMG_NONE */
	uint32_t	nat, rdr, route; /* e->pools, or IMG_NONE */
	uint16_t	qid, pqid;
	uint16_t	if_index, rcvif_index;	/* interned names: iface.c; 0
						   any */
	uint16_t	src_if, dst_if;	/* interned names of (interfaces) */
	uint32_t	os;		/* osfp_name(); 0: any */
	uint32_t	anchor;		/* e->anchors: where it stands */
	uint32_t	calls;		/* e->anchors: what it calls */
	uint32_t	block;		/* e->blocks + 1: begins there; or 0 */
	uint32_t	strip;		/* e->strips + 1: is in there; or 0 */
};
static_assert(offsetof(struct rt_rule, n.states_total) == 64,
    "what usual packets need is a line");

/* A list item of a state's match rules (and of a decision in the making). */
struct match_item { uint32_t rule, next; };

struct table;			/* table.h */
struct iface;			/* iface.h */
struct pool;			/* pool.h: a pool with its turn */
struct routes;			/* route.h */
struct src_node;		/* srcnode.h */
struct frag_cache;		/* fragment.h */
struct state_table;		/* state.c */
struct tscrub;			/* tscrub.h */
struct osfp_db;			/* osfp_match.h */
struct anchor_rt;		/* rules.h */
struct attached;
struct block;			/* block.c */
struct strip;			/* strip.c */
struct explain;			/* explain.h */
struct pfk_shards;		/* shard.h */

#define TABLES_ASKED	8		/* not more of them are remembered */
#define TABLE_BIT(place, side)	(1u << (2 * (place) + (side)))
struct table_asked {
	uint32_t	table;
	uint8_t		sides;		/* 1 << SRC, 1 << DST */
	bool		by_strips;	/* who can be told the answer */
	bool		often;		/* worth it: of the last packets */
	uint32_t	packets;	/* since when */
	uint64_t	asks;		/* that it had answered by then */
};

struct pfk_engine {
	struct pfk_allocator alloc;
	const struct pfk_image *image;
	struct pfk_sink	 sink;
	struct img_options opts;	/* a copy: `set` may change */

	/* time: ns since 1970 of the start; all else counts from there */
	bool		 started;
	uint64_t	 epoch;
	uint64_t	 now;		/* ns since start, of the packet */
	uint32_t	 uptime;	/* whole seconds of now */

	/* chance: splitmix64/xoshiro from the seed */
	uint64_t	 random[4];
	struct siphash_key hash_key;
	struct state_hasher hasher;	/* of states' keys */

	struct rt_rule	*rules;
	uint32_t	 nrules;	/* without the default rule */
	uint32_t	 default_rule;	/* == nrules */
	struct anchor_rt *anchors;
	uint32_t	 nanchors;
	struct block	**blocks;	/* block.c */
	uint32_t	 nblocks;
	uint32_t	 ahead;		/* block + 1 that is asked ahead; or 0 */
	struct strip	**strips;	/* strip.c */
	uint32_t	 nstrips;
	struct strip	*front;		/* the main ruleset begins with it; or
					   NULL */
	struct attached	*attached;	/* images loaded into anchors */
	uint32_t	 nattached;

	struct table	*tables;
	uint32_t	 ntables;
	/* table_ahead.c: those that rules ask about packets' addresses */
	struct table_asked asked[TABLES_ASKED];
	uint32_t	 nasked;
	uint16_t	 tables_known;	/* TABLE_BIT() of what is known of a
					   group's packets, until a table
					   changes */
	uint64_t	 tables_changes;
	struct iface	*ifaces;
	uint32_t	 nifaces;
	struct pool	*pools;
	uint32_t	 npools;
	struct routes	*routes;
	struct osfp_db	*osfp;
	const char	**tags;		/* names; index 0 unused */
	uint32_t	 ntags;

	struct state_table *states;
	struct state_slab *state_slabs;	/* of the table: where states lie */
	struct state_extra **extra_slabs;
	struct src_node	*nodes;		/* pool; srcnode.c */
	struct src_nodes *node_table;
	struct frag_cache *frags;
	struct tscrub_pool *tscrubs;
	struct match_item *match_items;	/* pool, index 0 unused */
	uint32_t	 nmatch_items, match_free;

	struct pfk_if_counters *if_counters;	/* by ifid */
	uint32_t	 nif_counters;

	/* the clock's chores (purge.c) */
	uint32_t	 swept;		/* second of the last sweep */
	uint32_t	 next_chores;	/* fragments and source nodes */

	struct pfk_shards *shards;	/* shard.h; NULL: it is alone */
	bool		 no_lane;	/* lane.c is left out */
	bool		 no_vectors;	/* of blocks: only hash tables; */
	bool		 narrow;	/* as on any processor */
	bool		 groups_known;	/* the last packets that burst.c looked
					   up all had states */
	struct pfk_decision told;	/* lane.c's */
	struct pfk_counters counters;
	struct syncookies *syncookies;	/* syncookie.c */
	int		 debug;

	/* buffers for the packet under way */
	uint8_t		*work;		/* WORK_SIZE, WORK_HEAD before it */
	bool		 work_whole;	/* it has been moved behind its head */
	uint8_t		*scratch;	/* SCRATCH_SIZE */
	struct replies	*replies;	/* reply.c: of this decision */
	struct explain	*explain;	/* or NULL: nobody asks */
};

#define WORK_HEAD	64		/* for a longer header (af-to) */
#define WORK_SIZE	(65535 + 40 + 64)
/* e->scratch: small things in front, then room for a packet put aside */
#define SCRATCH_KEPT	256
#define SCRATCH_SIZE	(SCRATCH_KEPT + WORK_SIZE)

/* Memory of the engine; NULL when there is none. */
void	*e_alloc(const struct pfk_engine *, size_t);		/* zeroed */
void	*e_realloc(const struct pfk_engine *, void *, size_t osize,
	    size_t nsize);					/* not zeroed */
void	 e_free(const struct pfk_engine *, void *, size_t);
/* A hint, for large memory that has not been touched (e_alloc() gives it). */
void	 e_ask_huge_pages(void *, size_t);

void	 e_seed(struct pfk_engine *, uint64_t);
uint32_t e_random(struct pfk_engine *);			/* 32 bits */
uint32_t e_random_below(struct pfk_engine *, uint32_t);	/* uniform */

/*
 * Counts a reason and makes it the packet's.  Rooms that end a packet need
 * not call it: they set p->reason (f->reason) and say PKT_DROP, and it is
 * counted where that arrives.  It is for reasons that are only counted.
 */
void	pkt_reason(struct pkt *, enum pfk_reason);

/* Items of match lists: a new one in front of a list (0: no memory). */
uint32_t match_item_new(struct pfk_engine *, uint32_t rule, uint32_t next);
void	match_items_free(struct pfk_engine *, uint32_t list);

/* syslog's levels, which `set debug` names */
enum { DEBUG_ERR = 3, DEBUG_NOTICE = 5, DEBUG_DEBUG = 7 };
/* Debug messages (`set debug`): built only if the level asks for them. */
bool	 e_debugging(const struct pfk_engine *, int level);
void	 e_debug(struct pfk_engine *, int level, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));

/*
 * ---- rules (vm.c, match.c) ----
 * Runs the ruleset over a packet.  Match rules act while it runs (match list,
 * actions, tags, pool_translate(), logging); what decided is in the result.
 * The deciding rule has not acted yet when it comes back, its tag apart:
 * filter.c does its actions_of_rule(), pool_translate() and log_packet().
 *
 * filter.c gives it: p with ports of ICMP set, rule = default_rule, anchor =
 * here = nat_rule = IMG_NONE, actions all zero but rtable = p->rdomain, tag 0
 * (nothing known yet: what `tagged` asks for is then p->tag), icmp_*.
 */
struct filter {				/* one walk through the rules */
	struct pkt	*p;
	uint32_t	 rule;		/* that decided; default_rule if none */
	uint32_t	 anchor;	/* rule that called its anchor, or
					   IMG_NONE */
	uint32_t	 here;		/* anchor call being inside of */
	uint32_t	 match_list;	/* match rules, newest first */
	struct actions	 actions;
	uint16_t	 tag;		/* by rules so far; 0: none */
	uint32_t	 nodes[4];	/* source nodes so far */
	uint32_t	 nat_rule;	/* rule that translated, or IMG_NONE */
	/* what ICMP is about, as rules see it */
	bool		 state_icmp;	/* an ICMP error: makes no state */
	uint8_t		 icmp_type, icmp_code;
	uint8_t		 icmp_dir;	/* PFK_IN: a query, PFK_OUT: its
					   answer (makes no state) */
	enum pfk_reason	 reason;
};
/* PKT_PASS: f is filled (look at the rule's action); PKT_DROP: f->reason. */
enum outcome ruleset_run(struct pfk_engine *, struct filter *);
/* The same from a rule on, in that anchor; f->rule: decides so far. */
struct calls;
enum outcome ruleset_go_on(struct pfk_engine *, struct filter *,
	    struct calls *, const uint32_t *pc);
/* filter.c: at its beginning, what ICMP is about included. */
struct icmp_kind;
void	filter_begin(struct filter *, struct pkt *, struct icmp_kind *);
/* A rule of a block, which has its RULE there: NULL, it fits, or where the
 * first misfit leads. */
const uint32_t *ruleset_misfit(struct pfk_engine *, struct filter *,
	    uint32_t rule, const uint32_t *pc);
/* Of all but ICMP. */
static inline void
filter_start(struct filter *f, struct pkt *p)
{
	*f = (struct filter){ .p = p, .rule = p->e->default_rule,
	    .anchor = IMG_NONE, .here = IMG_NONE, .nat_rule = IMG_NONE,
	    .icmp_dir = PFK_IN, .actions = { .rtable = p->rdomain } };
}

/*
 * block.c: evaluations that were counted for a block of rules become those of
 * its rules; before they are shown or saved.
 */
void	 rules_settle(const struct pfk_engine *);

/* match.c: takes over what a rule sets (pf's order of precedence). */
void	 actions_of_rule(struct actions *, const struct rt_rule *);

/* ---- what engine.c does with a packet (struct pkt apart) ---- */
struct verdict {
	uint32_t	 rule, anchor;	/* default_rule, IMG_NONE at first */
	uint32_t	 state;		/* 0: none */
	bool		 created;	/* by this packet */
};

/* pfk_engine_advance(), of which most packets need little. */
static inline void
engine_advance(struct pfk_engine *e, uint64_t time)
{
	uint64_t second = e->epoch + (uint64_t)e->uptime * 1000000000u;

	if (!e->started || time >= second + 1000000000u)
		pfk_engine_advance(e, time);
	else if (time > e->epoch + e->now)
		e->now = time - e->epoch;
}

/* engine.c: one frame, whose time it is; burst.c calls it. */
void	run_frame(struct pfk_engine *, const struct pfk_packet *);
/* A packet as the frame gives it, nothing decoded; what quote and before of
 * it hold is not set. */
void	pkt_start(struct pfk_engine *, const struct pfk_packet *,
	    struct pkt *);
/*
 * A packet that has been decided where it came in goes on to the interface;
 * its addresses, bytes and rtable are as they were left.
 */
void	pkt_leave(struct pkt *, uint16_t ifid);
/* filter.c: ruleset, state creation, answers for a packet without a state. */
enum outcome filter_packet(struct pkt *, struct verdict *);
/* The same after ruleset_run(), of which the outcome is. */
enum outcome filter_run(struct filter *, struct verdict *, enum outcome);
/* Whether states of the rule count for tables' entries. */
bool	rule_counts_tables(const struct pfk_engine *, uint32_t rule);
uint16_t rule_state_flags(const struct img_rule *);
/* tell.c: a decision; a packet that pf has nothing to do with. */
void	tell_sink(struct pkt *, enum outcome, const struct verdict *);
void	tell_other(struct pkt *, enum pfk_verdict);
/*
 * engine.c, for miss.c: all that follows ruleset_run() with that outcome, of a
 * plain packet without a state.
 */
void	run_behind_rules(struct filter *, enum outcome);
/* And for hit.c: all that follows track_packet(), which left a state. */
void	run_behind_state(struct pkt *, uint32_t state, enum outcome);
/* icmp.c: a packet of ICMP or ICMPv6 and the state it belongs to; v->state 0:
 * ask the rules. */
enum outcome icmp_packet(struct pkt *, struct verdict *);
/* The routing domain that a routing table belongs to. */
uint16_t rtable_rdomain(const struct pfk_engine *, unsigned rtable);

/* ---- counters.c ---- */
/* counters.limits[], in pf's order */
enum { LIMIT_COUNTER_STATES, LIMIT_COUNTER_SRC_STATES,
    LIMIT_COUNTER_SRC_NODES, LIMIT_COUNTER_SRC_CONN,
    LIMIT_COUNTER_SRC_CONN_RATE, LIMIT_COUNTER_OVERLOAD,
    LIMIT_COUNTER_FLUSH, LIMIT_COUNTER_SYNFLOODS,
    LIMIT_COUNTER_COOKIES_SENT, LIMIT_COUNTER_COOKIES_VALID };
/* A packet that passed, or was blocked, without a state: the rule's tables. */
/* Of the rule that decides: tables that it names, for a packet of so many
 * bytes from src to dst. */
void	 count_rule_tables(struct pfk_engine *, uint32_t rule, uint8_t af,
	    const struct pfk_addr *src, const struct pfk_addr *dst,
	    uint64_t bytes, bool out);
void	 count_tables(struct pkt *, uint32_t rule);
/* Everything pf counts for a packet that has been decided. */
void	 count_packet(struct pkt *, enum outcome, const struct verdict *);

/* pkt.log: pf logs it whatever the rule says (malformed, options) */
#define LOG_FORCED	0x80
/* ---- log (log.c) ---- */
/* One line of pflog for a rule (its own logif); subrule of anchors from
 * the anchor call. */
void	 log_packet(struct pkt *, enum pfk_reason, uint32_t rule,
	    uint32_t anchor);
/* `log (matches)`: the rule, to the logs of match rules that ask for it. */
void	 log_matches(struct pkt *, uint32_t rule, uint32_t anchor,
	    uint32_t match_list);

#endif
