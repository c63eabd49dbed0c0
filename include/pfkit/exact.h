/*
 * Exact answers about rulesets: sets of packets, and what the rules decide
 * about each of them.
 *
 * A set of packets is a binary decision diagram over the bits of what rules
 * look at (Bryant, "Graph-Based Algorithms for Boolean Function Manipulation",
 * 1986).  The rules of images are run over whole sets instead of packets: what
 * comes out is a partition of all first packets (those without a state) into
 * regions that are decided alike.
 *
 *	struct pfk_exact_image im = { .image = image, .interfaces = ifs,
 *	    .ninterfaces = n, .routes = routes, .nroutes = m };
 *	struct pfk_exact *x;
 *	struct pfk_verdicts *v;
 *	pfk_set ssh, lost;
 *	struct pfk_exact_packet p;
 *
 *	pfk_exact_new(&(struct pfk_exact_options){ .images = &im,
 *	    .nimages = 1 }, &x);
 *	pfk_exact_decide(x, 0, &v);
 *	ssh = ...;			all packets to port 22, say
 *	lost = pfk_set_minus(x, ssh, pfk_verdicts_passed(v));
 *	if (pfk_exact_example(x, lost, &p))
 *		... p is one that does not get through
 *	pfk_set_free(x, lost);
 *
 * Sets.  A pfk_set that a function returns is the caller's and goes with
 * pfk_set_free(), or with the universe; arguments stay the caller's.  Equal
 * sets are equal numbers.  PFK_SET_NONE has no packet and PFK_SET_ALL every
 * one; neither needs to be freed.
 *
 * What the packet alone does not decide (probability, the fingerprint of an
 * operating system, a rate) is a *question*: a bit of its own in the sets,
 * whose name pfk_set_questions() gives.  A set that depends on questions is
 * certain only as far as pfk_set_certain() goes.
 *
 * Errors.  When memory or the limit of nodes is exhausted, or stop() says so,
 * sets become PFK_SET_NONE and pfk_exact_error() tells why, from then on: look
 * once, at the end, before an answer is believed.  After PFK_ERR_LIMIT and
 * PFK_ERR_STOPPED pfk_exact_resume() goes on: sets from before the failure are
 * as good as ever, those that were made since are nothing, to be freed.  So
 * who has asked too much can ask for parts (pfk_exact_treat()).
 *
 * One universe at a time in a process, in one thread: the diagrams are
 * BuDDy's, which has one table of nodes.
 */
#ifndef PFKIT_EXACT_H
#define PFKIT_EXACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/host.h>
#include <pfkit/image.h>

struct pfk_exact;		/* a universe: its images and its sets */

typedef int pfk_set;
#define PFK_SET_NONE	0
#define PFK_SET_ALL	1

/* An interface of that ruleset's host is another one's of the universe. */
struct pfk_exact_map { const char *from, *to; };

struct pfk_exact_image {
	const struct pfk_image *image;
	const struct pfk_interface *interfaces;
	size_t		 ninterfaces;
	const struct pfk_route *routes;
	size_t		 nroutes;
	const struct pfk_exact_map *map;	/* NULL: equal names are equal */
	size_t		 nmap;
	bool		 tagged;	/* packets that go out may have a tag
					   from where they came in: a question
					   for each that rules ask about */
};

struct pfk_exact_options {
	const struct pfk_allocator *allocator;	/* NULL: libc */
	const struct pfk_exact_image *images;	/* copied; what they refer to
						   must outlive the universe */
	size_t		 nimages;
	size_t		 max_memory;		/* of nodes; 0: 1 GB */
	/* Asked now and then; true: no more work.  NULL: never. */
	bool		 (*stop)(void *);
	void		*stop_ctx;
};

/* Whether this build has it at all. */
bool	 pfk_exact_available(void);
/*
 * PFK_OK, PFK_ERR_NOMEM, PFK_ERR_LIMIT (not even the universe fits into
 * max_memory), PFK_ERR_STOPPED, or PFK_ERR_INVALID if there is another universe
 * or the build has no diagrams.
 */
int	 pfk_exact_new(const struct pfk_exact_options *, struct pfk_exact **);
void	 pfk_exact_free(struct pfk_exact *);	/* NULL is fine */
/*
 * From the moment when an answer was lost: PFK_ERR_NOMEM (the allocator),
 * PFK_ERR_LIMIT (max_memory; more worlds of tags and translations, or calls of
 * anchors, than are followed), PFK_ERR_STOPPED (stop()); else PFK_OK.
 */
int	 pfk_exact_error(const struct pfk_exact *);
/* PFK_ERR_NOMEM stays. */
void	 pfk_exact_resume(struct pfk_exact *);
/* A lower max_memory from now on, as far as it can be; 0: the options'. */
void	 pfk_exact_bound(struct pfk_exact *, size_t max_memory);

/* ---- sets ---- */

pfk_set	 pfk_set_and(struct pfk_exact *, pfk_set, pfk_set);
pfk_set	 pfk_set_or(struct pfk_exact *, pfk_set, pfk_set);
pfk_set	 pfk_set_minus(struct pfk_exact *, pfk_set, pfk_set);
pfk_set	 pfk_set_not(struct pfk_exact *, pfk_set);
pfk_set	 pfk_set_copy(struct pfk_exact *, pfk_set);
void	 pfk_set_free(struct pfk_exact *, pfk_set);
/* Whether a lies in b. */
bool	 pfk_set_within(struct pfk_exact *, pfk_set a, pfk_set b);
bool	 pfk_set_meets(struct pfk_exact *, pfk_set, pfk_set);
/* The packets that are in it whatever the answers to questions. */
pfk_set	 pfk_set_certain(struct pfk_exact *, pfk_set);
/* Those that are in it with some answers. */
pfk_set	 pfk_set_possible(struct pfk_exact *, pfk_set);
/*
 * The questions that the set rests on, in words: "the probability of rule @3",
 * "the contents of table <bad>".
 */
void	 pfk_set_questions(struct pfk_exact *, pfk_set,
	    void (*fn)(void *, const char *), void *);

/* What is left of it if the answer to those that `is' names is no. */
pfk_set	 pfk_set_unless(struct pfk_exact *, pfk_set,
	    bool (*is)(void *, const char *question), void *);
/* What is in it whatever the answer to them is. */
pfk_set	 pfk_set_whatever(struct pfk_exact *, pfk_set,
	    bool (*is)(void *, const char *question), void *);

/* The same packets with any address (side 0: source, 1: destination). */
pfk_set	 pfk_set_any_address(struct pfk_exact *, pfk_set, unsigned side);

/* Simple sets. */
pfk_set	 pfk_set_direction(struct pfk_exact *, unsigned dir); /* PFK_IN ... */
/* An interface or group of an image's host; also a name it does not have. */
pfk_set	 pfk_set_interface(struct pfk_exact *, size_t image, const char *);
/* The interfaces that are told apart, by number; NULL behind the last. */
const char *pfk_exact_interface(const struct pfk_exact *, size_t);
pfk_set	 pfk_set_family(struct pfk_exact *, unsigned af);	/* 4, 6 */
pfk_set	 pfk_set_protocol(struct pfk_exact *, unsigned proto);
/* side: 0 source, 1 destination. */
pfk_set	 pfk_set_network(struct pfk_exact *, unsigned side, unsigned af,
	    const uint8_t *addr, unsigned bits);
pfk_set	 pfk_set_ports(struct pfk_exact *, unsigned side, uint16_t first,
	    uint16_t last);		/* host order */
/* The best route to the address leaves by that interface of the host. */
pfk_set	 pfk_set_routed(struct pfk_exact *, size_t image, unsigned side,
	    const char *ifname);
/*
 * The packets that fit all tests of a rule, as they come: before any
 * translation, and without those of the anchor around it.
 */
pfk_set	 pfk_set_rule(struct pfk_exact *, size_t image, uint32_t rule);
/* The same, if tables that may change could have any addresses. */
pfk_set	 pfk_set_rule_open(struct pfk_exact *, size_t image, uint32_t rule);
/*
 * The same for packets with the tag that the rule's `tagged' asks for, which
 * *tag becomes; NULL: it asks for none.
 */
pfk_set	 pfk_set_rule_tagged(struct pfk_exact *, size_t image, uint32_t rule,
	    const char **tag);
/* Answers to queries of ICMP: rules that keep state do not match them. */
pfk_set	 pfk_set_answers(struct pfk_exact *);
/* TCP packets that may begin a connection (SYN, no ACK), and all others. */
pfk_set	 pfk_set_beginning(struct pfk_exact *);
/* Whole packets without IP options, of the usual priority (3). */
pfk_set	 pfk_set_plain(struct pfk_exact *);
/* Packets of TCP whose flags under the mask are these. */
pfk_set	 pfk_set_flags(struct pfk_exact *, uint8_t flags, uint8_t mask);
/* Packets of ICMP of these types, by either family's numbers. */
pfk_set	 pfk_set_icmp(struct pfk_exact *, unsigned af, unsigned first,
	    unsigned last);

/* ---- packets ---- */

struct pfk_exact_packet {
	uint8_t		 dir;		/* PFK_IN, PFK_OUT */
	const char	*ifname;	/* as image 0 has it */
	bool		 other_if;	/* an interface that no rule names; ifname
					   is made up */
	const char	*received_on;	/* NULL: nowhere */
	uint8_t		 af, proto;
	uint8_t		 src[16], dst[16];
	uint16_t	 sport, dport;	/* host order */
	uint8_t		 flags;		/* of TCP */
	uint8_t		 icmp_type, icmp_code;
	uint8_t		 tos, prio;
	bool		 fragment;	/* not the first */
	bool		 options;	/* of IP, or that kind of IPv6 headers */
};
/* A usual one of the set; false: it is empty. */
bool	 pfk_exact_example(struct pfk_exact *, pfk_set,
	    struct pfk_exact_packet *);
/* Whether the packet is in the set; questions are answered with no. */
bool	 pfk_set_has(struct pfk_exact *, pfk_set,
	    const struct pfk_exact_packet *);
/* The packet in pf.conf's words: "in on em0 inet proto tcp from ...". */
size_t	 pfk_exact_packet_text(const struct pfk_exact_packet *, char *,
	    size_t size);

/*
 * The set in pf.conf's words, as few lines as its structure gives: each is a
 * product of lists ("in on { em0, em1 } inet proto tcp from 10.0.0.0/8 to any
 * port { 80, 443 }").  At most max lines, and `more' says that there are
 * others.  `within' is what is known of the packets anyway, and is not told.
 */
void	 pfk_set_describe(struct pfk_exact *, pfk_set, pfk_set within,
	    size_t max,
	    void (*fn)(void *, const char *line), void *, bool *more);
/* What the lines say where nothing is known of the packets. */
pfk_set	 pfk_set_said(struct pfk_exact *, pfk_set, pfk_set within);

/*
 * The one packet that a rule describes, by hosts, ports and numbers alone:
 * what nothing asks for has its usual value.  false: there are others.  And
 * the address of one side.  Neither needs a universe, or diagrams.
 */
bool	 pfk_rule_packet(const struct pfk_image *, uint32_t rule,
	    struct pfk_exact_packet *);
bool	 pfk_rule_address(const struct pfk_image *, uint32_t rule,
	    unsigned side, uint8_t *af, uint8_t addr[16]);

/* ---- decisions ---- */

#define PFK_EXACT_DEFAULT	UINT32_MAX	/* no rule: passes */

/* What is done with a packet. */
struct pfk_outcome {
	bool		 pass;
	uint32_t	 rule;		/* that decides, or PFK_EXACT_DEFAULT */
	const uint32_t	*matches;	/* match rules that act, in order */
	size_t		 nmatches;
	bool		 log, state, translated;
	bool		 nat, rdr;	/* which end is translated */
	const char	*label;		/* of the rule, or NULL */
	const char	*tag;		/* that the packet has then, or NULL */
	/*
	 * All that comes of it, in pf.conf's words and always in the same
	 * order: equal texts are equal treatment ("pass keep state nat-to
	 * 192.0.2.1").
	 */
	const char	*effects;
};
struct pfk_region {
	struct pfk_outcome outcome;
	pfk_set		 set;		/* the region's own; not empty */
};

struct pfk_verdicts;		/* of one image; goes before the universe */

/* PFK_OK, or as pfk_exact_error(). */
int	 pfk_exact_decide(struct pfk_exact *, size_t image,
	    struct pfk_verdicts **);
/* As if the rules with skip[rule] set were not there. */
int	 pfk_exact_decide_without(struct pfk_exact *, size_t image,
	    const bool *skip, struct pfk_verdicts **);
/* The same for packets of a set alone: regions are of these. */
int	 pfk_exact_decide_among(struct pfk_exact *, size_t image, pfk_set,
	    const bool *skip, struct pfk_verdicts **);
/* For packets that come with a tag (a rule of another crossing set it). */
int	 pfk_exact_decide_tagged(struct pfk_exact *, size_t image,
	    const char *tag, struct pfk_verdicts **);
void	 pfk_verdicts_free(struct pfk_verdicts *);
/*
 * Regions are disjoint, and together all packets.  They are made when they are
 * first asked for, which of thousands of rules that overlap is most of the
 * work; after an error there are none.
 */
const struct pfk_region *pfk_verdicts_regions(struct pfk_verdicts *,
	    size_t *n);
/* Sets of the verdicts themselves; do not free them. */
pfk_set	 pfk_verdicts_passed(const struct pfk_verdicts *);
/* Of a rule: packets that match it when it is asked, that it decides. */
pfk_set	 pfk_verdicts_matches(struct pfk_verdicts *, uint32_t rule);
pfk_set	 pfk_verdicts_decides(struct pfk_verdicts *, uint32_t rule);
/* Whether some, or all, of a set of packets do: that costs far less. */
bool	 pfk_verdicts_match_some(struct pfk_verdicts *, uint32_t rule,
	    pfk_set);
bool	 pfk_verdicts_decide_some(struct pfk_verdicts *, uint32_t rule,
	    pfk_set);
bool	 pfk_verdicts_decide_all(struct pfk_verdicts *, uint32_t rule,
	    pfk_set);
/* The rule that decides about a packet, or PFK_EXACT_DEFAULT. */
uint32_t pfk_verdicts_decider(struct pfk_verdicts *,
	    const struct pfk_exact_packet *);
/* Packets that are dropped because the rules lead nowhere (63 anchors deep). */
pfk_set	 pfk_verdicts_dropped(const struct pfk_verdicts *);
/* Those of a region that pf answers with a RST (or else an error of ICMP). */
pfk_set	 pfk_verdicts_answered(struct pfk_verdicts *, size_t region,
	    bool rst);
/* All packets that can be (flags that TCP sends, ports where there are any). */
pfk_set	 pfk_exact_universe(const struct pfk_exact *);

/* ---- treatments: what is done, whichever rule does it ---- */

/*
 * For large rulesets: how all packets of a set are treated, without saying by
 * which rule.  The fewer kinds of treatment there are, the less it costs.
 */
struct pfk_treatments;			/* goes before the universe */

/* PFK_OK, or as pfk_exact_error(). */
int	 pfk_exact_treat(struct pfk_exact *, size_t image, pfk_set within,
	    struct pfk_treatments **);
void	 pfk_treatments_free(struct pfk_treatments *);
/* The packets, of both sets, that the two treat differently. */
pfk_set	 pfk_treatments_differ(const struct pfk_treatments *,
	    const struct pfk_treatments *);
/*
 * The packets of `set', apart by what is done with them (pfk_outcome.effects);
 * fn gets sets that are not empty, and does not free them.
 */
void	 pfk_treatments_each(const struct pfk_treatments *, pfk_set set,
	    void (*fn)(void *, const char *effects, pfk_set), void *);
/*
 * Packets that two images may treat differently: that some rule may fit which
 * the other image does not have at that place.  All others go the same way
 * through both.  Cheap where the images have most of their rules in common.
 */
pfk_set	 pfk_exact_unlike(struct pfk_exact *, size_t image, size_t other);

/* ---- onwards ---- */

/*
 * What the region's packets become: with every address and port that pools
 * may give them.  And back: those of the region that may become one of a set.
 * Neither knows which address a hash or a turn would give to whom.
 */
pfk_set	 pfk_set_translated(struct pfk_verdicts *, size_t region, pfk_set);
pfk_set	 pfk_set_untranslated(struct pfk_verdicts *, size_t region, pfk_set);
/*
 * What has come in, where it goes out: on that interface of the image's host,
 * received where it came in.  And back.
 */
pfk_set	 pfk_set_forwarded(struct pfk_exact *, size_t image, pfk_set,
	    const char *out);
pfk_set	 pfk_set_unforwarded(struct pfk_exact *, pfk_set);
/*
 * Whether route-to (reply-to) of the region sends packets (answers) out on the
 * interface, by the routes to its addresses; PFK_ROUTE_HOST: there is none.
 */
enum pfk_route_way { PFK_ROUTE_HOST, PFK_ROUTE_THERE, PFK_ROUTE_SOMETIMES,
    PFK_ROUTE_ELSEWHERE };
enum pfk_route_way pfk_verdicts_route(struct pfk_verdicts *, size_t region,
	    bool reply, const char *out);

#endif
