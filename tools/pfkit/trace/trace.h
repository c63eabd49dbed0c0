/*
 * pfkit trace: one packet, and why it goes the way it goes.
 *
 *	trace.c		the command: an engine, one packet or more, a status
 *	trace_options.c	the command line
 *	packet_words.c	a packet in pf.conf's words
 *	packet_fill.c	what was left out of it
 *	packet_text.c	and back into words
 *	packet_exact.c	or as sets of packets have it
 *	packet_build.c	its bytes
 *	trace_capture.c	packet N of a capture, after those before it
 *	through.c	--through: all crossings of a connection
 *	steps.c		what the engine tells, kept until the decision
 *	trace_text.c	for people		trace_json.c  for programs
 *	trace_short.c	for people, in few lines: for `pfkit diff'
 *	written.c	what was written: pf.conf's lines, elements, macros
 *	why_not.c	--why-not
 *
 * The engine tells steps, log lines, then the decision; steps.c keeps the
 * first two and has everything shown at the third.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <pfkit/explain.h>

#include "../../common/quote.h"
#include "../cover/data.h"
#include "../replay/inputs.h"
#include "../replay/options.h"
#include "../replay/out.h"
#include "../replay/replay.h"
#include "../routes.h"
#include "../ruleset.h"

#define TRACE_COMMAND		"trace"
#define TRACE_PASS		0	/* exit status */
#define TRACE_BLOCK		1
#define TRACE_ERROR		2

struct trace_options {
	struct ruleset_options ruleset;
	struct replay_options where;	/* -i, -d, --local, --directions, --at,
					   --state-in */
	uint64_t	 packet;	/* --packet; 0: in words */
	bool		 every;		/* --packet all */
	bool		 all, json, through;
	const char	*why_not;
	const char	*cover_out;
	char		**words;	/* the packet, or the captures */
	size_t		 nwords;
};

/* A packet in words; what was not given is noted. */
struct packet {
	uint8_t		 dir;		/* PFK_IN, PFK_OUT */
	char		 ifname[17];
	uint8_t		 af, proto;
	struct pfk_endpoint src, dst;	/* ports: network order */
	uint8_t		 tcp_flags, icmp_type, icmp_code, ttl, tos;
	uint32_t	 seq, ack;
	bool		 fragment;	/* not the first one */
	bool		 options;	/* of IP, or a header that counts as such */
	unsigned	 given;		/* PACKET_* */
};
#define PACKET_DIR	0x001
#define PACKET_IF	0x002
#define PACKET_AF	0x004
#define PACKET_PROTO	0x008
#define PACKET_SRC	0x010
#define PACKET_DST	0x020
#define PACKET_SPORT	0x040
#define PACKET_DPORT	0x080
#define PACKET_FLAGS	0x100
#define PACKET_ICMP	0x200

#define PACKET_TTL	64
#define PACKET_SIZE	80	/* bytes that one has at most */

struct step {
	struct pfk_explain x;
	struct pfk_state state;		/* that x.state points at */
};

struct logged { uint8_t logif, action; uint32_t rule; };
#define MAX_LOGGED	64

/* Of a TCP header. */
struct segment {
	uint8_t		 af, flags;
	struct pfk_endpoint src, dst;
	uint32_t	 seq, ack;
};

struct trace {
	const struct trace_options *o;
	struct pfk_host	*host;
	const struct packet *asked;	/* in words, or NULL */
	struct routes	 assumed;	/* for --through */
	struct pfk_image *image;
	struct pfk_engine *engine;
	struct out	*out;
	struct quotes	*quotes;
	struct cover	*cover;		/* --cover-out, or NULL */
	struct replay	 replay;	/* for --at and --state-in: lent */
	size_t		 next_at;	/* of o->where.at */
	struct step	*steps;
	size_t		 nsteps, room;
	struct logged	 logged[MAX_LOGGED];
	unsigned	 nlogged;
	bool		 colour;
	unsigned	 nmisses;	/* near ones of this decision */
	/* what is shown of a decision; NULL: as the options say */
	void		 (*show)(struct trace *, const struct pfk_decision *);
	const struct pfk_flow *seen;	/* the packet as rules see it, while
					   steps are shown */
	/* of what has been shown */
	unsigned	 ndecisions, contradictions;
	bool		 passed;	/* every one of them */
	bool		 forwarded;	/* the last one went out again */
	bool		 proxied;	/* pf answered the last one itself, in the
					   place of whom it is for */
	struct pfk_flow	 after;		/* of the last one */
	uint16_t	 icmp_id;	/* as it went on; network order */
	struct segment	 segment;	/* likewise */
	struct segment	 proxy;		/* what a proxied one was answered */
	uint16_t	 ifid;
	uint8_t		 dir;
};

/* trace_options.c: -1, or the exit status if there is nothing to do. */
int	 trace_options_parse(struct trace_options *, int argc, char **argv);
void	 trace_options_free(struct trace_options *);

/*
 * packet_words.c: ends the program if the words are wrong.
 */
void	 packet_parse(struct packet *, char **words, size_t n,
	    const struct pfk_host *);
/*
 * packet_fill.c: the name of a part that was not given, from *i on, which is
 * set to its number; NULL: no more.
 */
const char *packet_chosen(const struct packet *, size_t *i);
/* packet_text.c */
void	 out_packet_words(struct out *, const struct packet *,
	    const struct pfk_host *);
void	 out_tcp_flags(struct out *, uint8_t flags);
void	 out_flow_words(struct out *, const struct pfk_flow *,
	    const struct pfk_host *);
/* packet_exact.c: one of a set. */
struct pfk_exact_packet;
void	 packet_of_set(struct packet *, const struct pfk_exact_packet *);
/* packet_build.c: its length. */
uint32_t packet_build(const struct packet *, uint8_t bytes[PACKET_SIZE]);
/* What one that was built, or pf's answer to one, says of TCP; else zeros. */
struct segment packet_segment(const uint8_t *ip, uint32_t len);

/* steps.c */
void	 steps_sink(struct trace *, struct pfk_sink *);
void	 steps_start(struct trace *);	/* from now on everything is told */
void	 steps_free(struct trace *);
/* The rule that the steps say has decided, as struct pfk_decision.rule. */
uint32_t steps_decided(const struct trace *);
/* Whether the rules were asked at all. */
bool	 steps_asked(const struct trace *);
/* A pass or block rule that matched, not an anchor, not `match`. */
bool	 step_decides(const struct step *);
unsigned count_bits(unsigned);

/* trace.c: the host's routes, or what --through takes for them. */
const struct pfk_route *trace_routes(struct trace *, size_t *n);
/* An engine for image and host. */
void	 trace_engine(struct trace *);
/* One packet in words through the engine. */
void	 trace_packet(struct trace *, const struct packet *, uint8_t dir,
	    uint64_t number);
/* through.c, trace_capture.c: 0, or TRACE_ERROR (told). */
int	 trace_through(struct trace *, struct packet *);
int	 trace_capture(struct trace *);

void	 trace_text(struct trace *, const struct pfk_decision *);
void	 trace_short(struct trace *, const struct pfk_decision *);
void	 trace_json(struct trace *, const struct pfk_decision *);
/* Without the end of the line; a comma comes before all but the first. */
void	 trace_json_object(struct trace *, const struct pfk_decision *);
void	 trace_why_not(struct trace *, const struct pfk_decision *);
void	 trace_json_why_not(struct trace *, const struct pfk_decision *);
/* trace_json.c: ,"name":{ ... }, and ,"failed":[ ... ] */
void	 json_rule(struct trace *, const char *name, uint32_t rule);
void	 json_failed(struct trace *, uint32_t rule, unsigned failed,
	    const struct pfk_flow *);

/* written.c: the rule's lines, with carets under the elements that matched. */
void	 written_quote(struct trace *, uint32_t rule, const struct pfk_flow *);
/* The element that the test failed in, if any: " (wants 80, from $web)". */
void	 written_test(struct trace *, uint32_t rule, enum pfk_explain_test,
	    const struct pfk_flow *);
/* For programs: ,"origin":{ ... }, and ,"element":{ ... } */
void	 written_json(struct trace *, uint32_t rule, const struct pfk_flow *);
void	 written_json_test(struct trace *, uint32_t rule, enum pfk_explain_test,
	    const struct pfk_flow *);

/* trace_text.c: "@3 pf.conf:4", and the rule's text. */
void	 out_rule_place(struct out *, const struct pfk_engine *, uint32_t);

#endif
