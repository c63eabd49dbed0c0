/*
 * What runs the tests of one setting.
 */
#ifndef TEST_RUN_H
#define TEST_RUN_H

#include <pfkit/exact.h>

#include "../../common/quote.h"
#include "../cover/data.h"
#include "../trace/trace.h"
#include "test.h"

/* The texts that are compiled behind the ruleset: what each line is there. */
enum text { TEXT_FIRST,		/* the rule of the line: of the first crossing */
    TEXT_SECOND,		/* ... of the second one, of `through' */
    TEXT_NAT, TEXT_RDR,		/* the addresses of nat-to, rdr-to */
    NTEXTS };

#define REPLIES_MAX	4

/* What the engine did with one packet. */
struct outcome {
	enum pfk_verdict verdict;
	enum pfk_reason	 reason;
	uint32_t	 rule;
	enum pfk_state_use state;
	bool		 logged;
	unsigned	 changed;
	uint16_t	 ifid;
	struct pfk_flow	 before, after;
	unsigned	 nreplies;
	enum pfk_reply_kind replies[REPLIES_MAX];
	uint16_t	 icmp_id;
	uint32_t	 seq;		/* of TCP, as it went on */
	uint8_t		 ip[128];
	uint32_t	 iplen;
};

/* The images of the universe. */
enum { RULES, WANTED };

struct run {
	struct setting	*setting;
	const struct test_options *options;
	struct ruleset_options o;	/* of the setting and the command line */
	struct pfk_host	*host;
	const struct pfk_interface *ifs;	/* the host's */
	size_t		 nifs;
	struct pfk_image *image;	/* the ruleset */
	struct pfk_image *wanted;	/* with the tests' rules behind it */
	struct header	*facts_of;	/* options that tell of the host */
	size_t		 nfacts;
	char		*names[NTEXTS];	/* of the texts */
	struct textbuf	 texts[NTEXTS], main_text, facts;
	char		*facts_name;
	struct pfk_files files;		/* all of these, and what is on disk */
	/* by text and line: the first rule of wanted, + 1; and the next one */
	uint32_t	*first[NTEXTS], *next;
	struct pfk_engine *engine;
	struct outcome	 outcome;	/* the engine's sink fills these in: */
	struct outcome	 second;	/* ... of a packet that was sent on */
	bool		 sent_on, logged;
	uint64_t	 packets;	/* that the engine was given */
	void		*unused;	/* the engine as it was; NULL: its rules do
					   not wear off (`once') */
	size_t		 unused_len;
	struct exact	*exact;		/* exact.h; NULL: not needed yet */
	bool		 too_large;	/* the rules over all packets */
	struct quotes	*quotes;
	struct cover	*cover;
};

/* compile.c: false: the ruleset is wrong (told). */
bool	 compile_ruleset(struct run *);
/* Mistakes become the tests'. */
void	 compile_tests(struct run *, struct test *first);

/* probe.c */
void	 probe_start(struct run *);
void	 probe_end(struct run *);
/* A packet as it is built, or (ip) as another crossing left it. */
const struct outcome *probe(struct run *, const struct packet *, uint8_t dir);
const struct outcome *probe_ip(struct run *, const struct outcome *,
	    const char *ifname, uint8_t dir);
void	 probe_forget(struct run *);	/* states, source nodes */
bool	 outcome_passes(const struct outcome *);

/* effects.c: NULL if all is as wanted; else what is not. */
const char *effects_missing(const struct run *, const struct test *,
	    const struct outcome *, struct textbuf *words);
/* Whether the rule stands in that line. */
bool	 rule_is_of_line(const struct run *, uint32_t rule,
	    const struct wants *);

/* failure.c */
void	 failure(struct run *, struct test *, const struct packet *,
	    const struct outcome *, const char *what);
void	 packet_words(const struct run *, const struct packet *,
	    struct textbuf *);
void	 trace_line(const struct run *, const char *more, struct textbuf *);

#endif
