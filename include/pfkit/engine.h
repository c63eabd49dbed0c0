/*
 * The packet filter: packets in, decisions out, as OpenBSD 7.8's pf decides.
 *
 *	struct pfk_engine *e;
 *
 *	pfk_engine_new(&(struct pfk_engine_options){ .image = image,
 *	    .interfaces = ifs, .ninterfaces = n, .sink = &sink }, &e);
 *	pfk_engine_run(e, packets, npackets);	... as often as wanted
 *	pfk_engine_free(e);
 *
 * An engine has no globals and no clock of its own: time is what the packets
 * say, and never goes back; chance comes from the seed.  So the same packets
 * give the same answers.  An engine belongs to one thread at a time.
 *
 * Byte order: addresses and ports in structures are in network order unless
 * said otherwise; everything else in host order.
 *
 * Memory: all of it comes from the allocator, most of it when the engine is
 * made or when tables grow; states come from a pool that grows up to `set
 * limit states`.  An allocation that fails drops the packet with pf's reason
 * `memory` and leaves the engine usable.
 */
#ifndef PFKIT_ENGINE_H
#define PFKIT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/alloc.h>
#include <pfkit/host.h>
#include <pfkit/image.h>

struct pfk_engine;

/* pf's reasons, in the order in which `pfctl -si` prints the counters. */
enum pfk_reason {
#define REASON(id, name)	PFK_REASON_##id,
#include <pfkit/reasons.def>
#undef REASON
	PFK_NREASONS
};
const char *pfk_reason_name(enum pfk_reason);

enum pfk_dir { PFK_IN = 1, PFK_OUT = 2,
    PFK_FWD = 3 };	/* arrives here, and leaves where the routes say */

enum pfk_verdict {
	PFK_PASS,
	PFK_BLOCK,		/* a rule of the ruleset blocked it */
	PFK_DROP,		/* dropped for another reason */
	PFK_HOLD,		/* a fragment that waits for the rest */
	PFK_SKIP,		/* interface under `set skip` */
	PFK_IGNORE		/* never reaches pf (not IP, broken header...) */
};
const char *pfk_verdict_name(enum pfk_verdict);

enum pfk_state_use { PFK_STATE_NONE, PFK_STATE_NEW, PFK_STATE_MATCH };

/* A packet as captured: a whole frame of a link type. */
struct pfk_packet {
	uint64_t	 time;		/* ns since 1970 */
	const uint8_t	*data;		/* from the link header on */
	uint32_t	 caplen;	/* bytes at data */
	uint32_t	 wirelen;	/* bytes it had on the wire */
	uint16_t	 linktype;	/* LINKTYPE_* of the pcap file format */
	uint16_t	 ifid;		/* from pfk_engine_interface() */
	uint8_t		 dir;		/* enum pfk_dir */
	uint64_t	 number;	/* the caller's; comes back in decisions */
};

/* An end of a packet: address and, where the protocol has one, port. */
struct pfk_endpoint {
	uint8_t		 addr[16];
	uint16_t	 port;		/* network order; ICMP: id */
};
struct pfk_flow {
	uint8_t		 af;		/* 4 or 6 */
	uint8_t		 proto;
	bool		 has_ports;
	struct pfk_endpoint src, dst;
};

/* pfk_decision.changed */
#define PFK_CHANGED_FLOW	0x01	/* an address or port */
#define PFK_CHANGED_TTL		0x02
#define PFK_CHANGED_TOS		0x04
#define PFK_CHANGED_DF		0x08
#define PFK_CHANGED_MSS		0x10
#define PFK_CHANGED_QUOTE	0x20	/* the packet quoted by an ICMP error */
#define PFK_CHANGED_AF		0x40	/* af-to: `flow` is of the other family */

#define PFK_RULE_DEFAULT	UINT32_MAX	/* no rule of the ruleset */
#define PFK_RULE_NONE		(UINT32_MAX - 1) /* none was asked */

/* What pf did with a packet on one interface. */
struct pfk_decision {
	uint64_t	 number;	/* of the packet */
	uint64_t	 time;
	bool		 second;	/* after forwarding or route-to */
	uint8_t		 dir;		/* PFK_IN, PFK_OUT */
	uint16_t	 ifid;
	enum pfk_verdict verdict;
	enum pfk_reason	 reason;
	uint32_t	 rule;		/* pfk_image_rule(), or PFK_RULE_* */
	enum pfk_state_use state;
	uint64_t	 state_id;	/* 0: none */
	unsigned	 changed;	/* PFK_CHANGED_* */
	struct pfk_flow	 before, after;	/* as it came, as it went on */
	struct pfk_flow	 quote;		/* if PFK_CHANGED_QUOTE: as it is now */
	uint8_t		 ttl, tos, df;	/* as they are now */
	uint16_t	 mss;
	unsigned	 nreplies;	/* what pf sends back */
	const struct pfk_reply *replies;
	/* the packet as pf leaves it, from the IP header on */
	const uint8_t	*ip;
	uint32_t	 iplen;		/* bytes there are (zeros stand for
					   what the capture cut off) */
};

/* A packet that pf itself sends. */
enum pfk_reply_kind { PFK_REPLY_RST, PFK_REPLY_SYNACK, PFK_REPLY_ACK,
    PFK_REPLY_SYN, PFK_REPLY_ICMP, PFK_REPLY_ICMP6 };
struct pfk_reply {
	enum pfk_reply_kind kind;
	uint8_t		 icmp_type, icmp_code;
	uint8_t		 ttl;
	uint16_t	 ifid;		/* the interface of the decision */
	const uint8_t	*ip;		/* the packet, checksums and all */
	uint32_t	 iplen;
};

/* What pflog(4) would show. */
struct pfk_log {
	uint64_t	 time, number;
	uint8_t		 logif;		/* N of pflogN */
	uint8_t		 action;	/* 0 pass, 1 block, 2 match: pf's own */
	uint8_t		 reason, dir, af;
	bool		 rewritten;
	uint16_t	 ifid;
	uint32_t	 rule;		/* pfk_image_rule() or PFK_RULE_DEFAULT */
	uint32_t	 subrule;	/* or PFK_RULE_NONE: rule is not an anchor */
	struct pfk_flow	 flow;
	const uint8_t	*ip;
	uint32_t	 iplen;
};

/*
 * Where answers go.  Functions may be NULL; what they are given is valid only
 * during the call.  They must not call the engine.
 */
struct pfk_sink {
	void	*ctx;
	void	(*decision)(void *, const struct pfk_decision *);
	void	(*log)(void *, const struct pfk_log *);
	/* Lines of `set debug` ("pf: BAD state: ..."), without newline. */
	void	(*debug)(void *, int level, const char *text);
};

struct pfk_engine_options {
	const struct pfk_image *image;		/* required */
	const struct pfk_allocator *allocator;	/* NULL: libc */
	const struct pfk_interface *interfaces;	/* copied */
	size_t		 ninterfaces;
	const struct pfk_route *routes;		/* copied */
	size_t		 nroutes;
	const struct pfk_sink *sink;		/* copied; NULL: none */
	uint64_t	 seed;			/* of chance and hash key */
	int		 debug;			/* syslog level; -1: the ruleset's */
	/*
	 * Every packet goes the long way, also one that only moves a state
	 * on.  The same comes of it, later: for tests of just that.
	 */
	bool		 no_lane;
};

/* PFK_OK or PFK_ERR_NOMEM. */
int	 pfk_engine_new(const struct pfk_engine_options *,
	    struct pfk_engine **);
void	 pfk_engine_free(struct pfk_engine *);	/* NULL is fine */

/*
 * The number of an interface for pfk_packet.ifid; names that the host does not
 * have are added (an interface without addresses and groups).  -1: no memory.
 */
int	 pfk_engine_interface(struct pfk_engine *, const char *name);
const char *pfk_engine_ifname(const struct pfk_engine *, unsigned ifid);
/* Whether the address (network order) is one of the host's own. */
bool	 pfk_engine_is_local(const struct pfk_engine *, uint8_t af,
	    const uint8_t *addr);

/*
 * Decides about a burst: work that was due before each packet's time is done
 * first (timeouts), then the packet.  Every packet gives one decision; with
 * PFK_FWD or route-to a second one may follow it at once.
 */
void	 pfk_engine_run(struct pfk_engine *, const struct pfk_packet *,
	    size_t n);
/* Lets time pass without a packet. */
void	 pfk_engine_advance(struct pfk_engine *, uint64_t time);

/* Finding the network layer of a frame (also used by the engine itself). */
struct pfk_network { uint8_t af; uint32_t off; uint32_t caplen, wirelen; };
/* Whether frames of the link type can be read at all. */
bool	 pfk_link_known(uint16_t linktype);
/* What pflog's header (LINKTYPE_PFLOG) says of its packet; false: too short. */
struct pfk_pflog {
	char		 ifname[17];
	uint8_t		 dir;		/* PFK_IN, PFK_OUT */
	uint8_t		 action, reason; /* pf's numbers */
	uint32_t	 rule;		/* number in its ruleset */
};
bool	 pfk_pflog_decode(const uint8_t *, uint32_t len, struct pfk_pflog *);
/* false: not IP, or too short. */
bool	 pfk_link_decode(uint16_t linktype, const uint8_t *, uint32_t caplen,
	    uint32_t wirelen, struct pfk_network *);
/*
 * Addresses of an IP packet, and of its ports if it has any; false if it is
 * too short or broken.
 */
bool	 pfk_flow_decode(const uint8_t *ip, uint32_t len, struct pfk_flow *);

/* States. */
struct pfk_peer {
	uint8_t		 state;		/* pf's number; names: pfk_state_name */
	uint8_t		 wscale;	/* 0x80: seen */
	uint16_t	 max_win, mss;
	uint32_t	 seqlo, seqhi, seqdiff;
};
struct pfk_key {
	uint8_t		 af;
	struct pfk_endpoint addr[2];	/* pf's order */
	uint16_t	 rdomain;
};
struct pfk_state {
	uint64_t	 id;
	uint32_t	 creatorid;
	const char	*ifname;	/* "all": floating */
	uint8_t		 proto, dir;
	struct pfk_key	 wire, stack;
	struct pfk_peer	 src, dst;
	uint32_t	 age, expires;	/* seconds */
	uint64_t	 packets[2], bytes[2];	/* pf's order */
	uint32_t	 rule, anchor;	/* pfk_image_rule() or PFK_RULE_* */
	uint8_t		 timeout;	/* index of `set timeout` */
	unsigned	 flags;		/* PFK_STATE_F_* */
	uint32_t	 rtable[2];
	uint8_t		 set_tos, min_ttl;
	uint16_t	 max_mss;
	uint8_t		 set_prio[2];
	uint8_t		 rt;		/* 0, 1 route-to, 2 reply-to, 3 dup-to */
	struct pfk_endpoint rt_addr;
	bool		 src_node;	/* has a source-tracking entry */
};
#define PFK_STATE_F_ALLOW_OPTS	0x0001
#define PFK_STATE_F_SLOPPY	0x0002
#define PFK_STATE_F_PFLOW	0x0004
#define PFK_STATE_F_NOSYNC	0x0008
#define PFK_STATE_F_NODF	0x0020
#define PFK_STATE_F_SETTOS	0x0040
#define PFK_STATE_F_RANDOMID	0x0080
#define PFK_STATE_F_SCRUB_TCP	0x0100
#define PFK_STATE_F_SETPRIO	0x0200

/* All states, oldest first; stops when fn returns false. */
void	 pfk_engine_states(const struct pfk_engine *,
	    bool (*fn)(void *, const struct pfk_state *), void *);
size_t	 pfk_engine_nstates(const struct pfk_engine *);

/* Counters. */
struct pfk_rule_counters {
	uint64_t	 evaluations, packets[2], bytes[2];	/* in, out */
	uint64_t	 states_total;
	uint32_t	 states, source_nodes;
	bool		 expired;	/* a `once` rule that has matched */
};
void	 pfk_engine_rule_counters(const struct pfk_engine *, uint32_t rule,
	    struct pfk_rule_counters *);
struct pfk_counters {		/* pfctl -si -v */
	uint64_t	 packets, bytes;		/* seen by pf */
	uint64_t	 reasons[PFK_NREASONS];
	uint64_t	 limits[10];	/* pfk_limit_counter_name() */
	uint64_t	 searches, inserts, removals;	/* states */
	uint64_t	 halfopen;
	uint64_t	 src_searches, src_inserts, src_removals;
	uint64_t	 fragment_searches, fragment_inserts,
			 fragment_removals;
	uint32_t	 states, src_nodes, fragments;
	uint64_t	 started, now;		/* ns since 1970 */
};
void	 pfk_engine_counters(const struct pfk_engine *, struct pfk_counters *);
const char *pfk_limit_counter_name(unsigned);
struct pfk_if_counters {	/* [in/out][pass/block][IPv4/IPv6] */
	uint64_t	 packets[2][2][2], bytes[2][2][2];
};
void	 pfk_engine_if_counters(const struct pfk_engine *, unsigned ifid,
	    struct pfk_if_counters *);

/* Tables: `pfctl -t name -T ...`.  anchor "" is the main ruleset. */
struct pfk_table_info {
	const char	*name, *anchor;
	bool		 is_const, persist, counters, active;
	size_t		 naddrs;
	uint32_t	 references;
	uint64_t	 match, nomatch;
	uint64_t	 packets[2][4], bytes[2][4];	/* in/out; block,
							   match, pass, xpass */
};
struct pfk_table_entry {
	uint8_t		 af, bits;
	bool		 neg;
	uint8_t		 addr[16];
	uint64_t	 since;			/* ns since 1970 */
	uint64_t	 packets[2][3], bytes[2][3];	/* without xpass */
};
size_t	 pfk_engine_tables(const struct pfk_engine *);
void	 pfk_engine_table(const struct pfk_engine *, size_t,
	    struct pfk_table_info *);
void	 pfk_engine_table_entries(const struct pfk_engine *, size_t,
	    bool (*fn)(void *, const struct pfk_table_entry *), void *);
/* Index of a table, or -1; created (persist) if create is set. */
long	 pfk_engine_find_table(struct pfk_engine *, const char *anchor,
	    const char *name, bool create);
/* 1 changed, 0 was so already, -1 no memory. */
int	 pfk_engine_table_add(struct pfk_engine *, size_t,
	    const struct pfk_table_entry *);
int	 pfk_engine_table_delete(struct pfk_engine *, size_t,
	    const struct pfk_table_entry *);
void	 pfk_engine_table_flush(struct pfk_engine *, size_t);

/* Source-tracking entries. */
struct pfk_src_node {
	uint8_t		 af;
	uint8_t		 type;		/* 0 filter, 1 nat, 2 rdr, 3 route */
	uint8_t		 addr[16], raddr[16];
	uint32_t	 states, connections;
	uint32_t	 rate_count, rate_limit, rate_seconds;
	uint32_t	 age, expires;
	uint64_t	 packets[2], bytes[2];
	uint32_t	 rule;
};
void	 pfk_engine_src_nodes(const struct pfk_engine *,
	    bool (*fn)(void *, const struct pfk_src_node *), void *);

/* Kills states whose source and destination lie in these; af 0: any. */
struct pfk_net { uint8_t af, bits; uint8_t addr[16]; };
size_t	 pfk_engine_kill_states(struct pfk_engine *, const struct pfk_net *src,
	    const struct pfk_net *dst, const char *ifname, const char *label);
void	 pfk_engine_flush_src_nodes(struct pfk_engine *);

/*
 * The rules of one anchor are replaced by those of the main ruleset of another
 * image (`pfctl -a anchor -f file`); states made by the old ones go on.  The
 * image must outlive the engine.  PFK_OK, PFK_ERR_NOMEM.
 */
int	 pfk_engine_load_anchor(struct pfk_engine *, const char *anchor,
	    const struct pfk_image *);
/*
 * The image's rules are those of pfk_image_rule(); those of images loaded into
 * anchors follow.  A rule whose anchor is NULL has been replaced by others.
 */
size_t	 pfk_engine_rules(const struct pfk_engine *);
void	 pfk_engine_rule(const struct pfk_engine *, size_t,
	    struct pfk_rule_info *);
/*
 * The image that the rule came from, and its number there: for what
 * pfkit/origin.h tells of it.
 */
const struct pfk_image *pfk_engine_rule_image(const struct pfk_engine *,
	    size_t, size_t *rule);
/*
 * The rule's text as `pfctl -vvsr` shows it, with the numbers of addresses
 * that tables and (interfaces) have now.  As snprintf: what fits is written,
 * the whole length is returned.
 */
size_t	 pfk_engine_rule_text(const struct pfk_engine *, size_t, char *buf,
	    size_t size);

/*
 * Saving and restoring everything that a packet may have changed: states,
 * source nodes, fragments, tables, counters, clock and chance, so that a
 * capture cut in two gives the decisions of the whole.  The text's form is
 * private; it is refused if it was saved under another ruleset.
 * Memory of *data is the engine's allocator's: pfk_engine_free_data().
 */
int	 pfk_engine_save(const struct pfk_engine *, void **data, size_t *len);
void	 pfk_engine_free_data(const struct pfk_engine *, void *, size_t);
/* PFK_OK, PFK_ERR_NOMEM, PFK_ERR_IMAGE with a message in errbuf. */
int	 pfk_engine_restore(struct pfk_engine *, const void *, size_t,
	    char *errbuf);

#endif
