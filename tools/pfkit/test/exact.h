/*
 * What the exact analysis knows of a setting: the packets that rules describe,
 * and what the ruleset does with them, as sets.
 *
 *	exact.c		the universe, and sets that many tests ask for
 *	decide.c	whether an expectation holds
 *	wanted.c	what a line adds to its rule, as sets
 *	through.c	the same over two crossings
 *	notes.c		what an answer rests on
 *	one.c		where there is no exact analysis
 *
 * It is made when the first test needs it, and kept for the others: regions,
 * and sums of them (all that some line's rules decide, say).
 */
#ifndef TEST_EXACT_H
#define TEST_EXACT_H

#include "run.h"

/* Regions of packets that come with a tag, or without one. */
struct ruled {
	struct ruled	*next;
	char		*tag;		/* NULL: none */
	pfk_set		 among;		/* only packets of it */
	struct pfk_verdicts *v;
	const struct pfk_region *region;
	size_t		 n;
	struct sum	*sums;
};

enum sum_kind { SUM_LABEL, SUM_LINE, SUM_LOG, SUM_STATE, SUM_RST, SUM_ICMP };

struct exact {
	struct pfk_exact *x;
	struct ruled	*ruled;
	pfk_set		 scope;		/* packets that count */
	pfk_set		 there;		/* on an interface of the host */
	struct noted	*noted;		/* notes.c */
	size_t		 nnoted;
	bool		 noted_made;
	pfk_set		 described;	/* by all lines */
	bool		 described_made;
	bool		 beyond;	/* some rule asks for a tag, or where a
					   packet was received: what is not in
					   its bytes */
};

/* false: this build has none, or the ruleset is too much for it. */
bool	 exact_start(struct run *);
void	 exact_end(struct run *);
/* The rules over packets of the set, at least; NULL: it was too much. */
struct ruled *exact_ruled(struct run *, const char *tag, pfk_set);
/* Regions that are so; do not free it. */
pfk_set	 exact_sum(struct run *, struct ruled *, enum sum_kind,
	    const struct wants *);
/* What the rules of a text on a line describe; *tag: that they ask for. */
pfk_set	 exact_rule(struct run *, uint32_t rule, const char **tag);
/* Its questions about tables are answered with no: as the tables are. */
pfk_set	 exact_as_filled(struct run *, pfk_set);
bool	 is_about_table(void *, const char *question);
/* The region that the packet is in; n: none (it rests on a question). */
size_t	 exact_region(struct run *, const struct ruled *,
	    const struct pfk_exact_packet *);

/* a becomes what the operation gives; b stays. */
void	 set_and(struct exact *, pfk_set *a, pfk_set b);
void	 set_or(struct exact *, pfk_set *a, pfk_set b);
void	 set_minus(struct exact *, pfk_set *a, pfk_set b);
void	 set_to(struct exact *, pfk_set *a, pfk_set with);	/* taken */

/* ---- one expectation ---- */

struct decision {
	struct run	*run;
	struct exact	*e;
	struct test	*test;
	struct ruled	*ruled;		/* of the first crossing */
	pfk_set		 set;		/* what the line describes */
	bool		 asks;		/* ... for more than packets tell */
};

/* A packet that breaks it, and how sure that is. */
struct breaker {
	struct pfk_exact_packet p;
	size_t		 region;	/* of the ruled; its n: not known */
	bool		 rests;		/* on a question: it may pass or not */
};
/*
 * One of the set, as usual as there is one, that needs no answers to questions
 * but those that the line itself asks, if there is one; false: none at all.
 */
bool	 find_breaker(struct decision *, const struct ruled *, pfk_set,
	    struct breaker *);
/* Some region that it is in; n: none. */
size_t	 breaker_region(struct decision *, const struct ruled *, pfk_set,
	    struct breaker *);
/* If the set (taken) has a packet, the test fails by it; whether it does. */
bool	 broken_by(struct decision *, pfk_set set, const char *why);
/* It fails, or not, by chance: the breaker of the set, told as packet p. */
void	 fails_perhaps(struct decision *, const struct ruled *, pfk_set set,
	    struct breaker *, const struct pfk_exact_packet *p,
	    const char *where);
/* Engine and analysis differ. */
void	 contradiction(struct decision *, const struct packet *,
	    const struct outcome *);
/* The analysis differs from itself. */
void	 lost_packets(struct decision *);
/* Whether they say the same. */
bool	 agree(const struct pfk_outcome *, const struct outcome *);
/* What the analysis says, as if the engine had. */
void	 outcome_of(const struct ruled *, size_t region, struct outcome *);
/* What is wrong with the verdict; NULL: nothing. */
const char *verdict_wrong(const struct test *, const struct outcome *);

/* wanted.c: whether the line's additions hold for the set; if not, it failed. */
bool	 wanted_hold(struct decision *, pfk_set);
/*
 * Those of the set that are not as wanted, but for translation; PFK_SET_NONE:
 * there are none.  *why: in what.
 */
pfk_set	 wanted_broken(struct decision *, struct ruled *, pfk_set,
	    const struct wants *, const char **why);
/* Packets whose source (NAT) or destination is one that the line names. */
pfk_set	 wanted_addresses(struct decision *, int kind);
/* "its source may become 10.0.0.1" */
void	 becomes_words(const struct pfk_exact_packet *, int kind,
	    const char *verb, struct textbuf *);

/* notes.c */
void	 note(struct test *, const char *, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
/* All that the answer rests on, if anybody will read it. */
void	 note_all(struct decision *);
void	 notes_end(struct exact *);
/* What the rule asks for that the packet does not tell; NULL: nothing. */
const char *asked_for(const char *text);

/* through.c */
void	 through(struct decision *);
/* One packet and its answer by the engine alone, out on that interface. */
void	 through_one(struct decision *, const char *out,
	    const struct packet *);

/* one.c: expectations about one packet only, where there are no sets. */
void	 decide_one(struct test *);

#endif
