/*
 * Coverage: what was exercised of a ruleset, gathered while packets are
 * decided or expectations are tested, and kept in a file.
 *
 *	c = cover_new("replay", "trace.pcap");
 *	cover_attach(c, engine);		it explains what matches
 *	... cover_decided(c, decision)		in the sink, for each of them
 *	cover_evaluations(c, engine);		at the end
 *	cover_write(c, "x.cover");
 *
 * What has no engine calls cover_hit() for what it finds.  Everything is
 * counted by origin (pfkit/origin.h): the elements of a statement's lists that
 * one flat rule was made of, and of a rule that the optimiser merged the one
 * that the packet would have met.  Of a table that the rule looked into the
 * entry is counted, too, that the packet's address was found by.  So runs with
 * other levels of optimisation, other hosts and other packets add up, as long
 * as the text is the same.
 *
 * The file (cover_write(), cover_read(); `--cover-out FILE') has lines of
 * words, then images:
 *
 *	pfkit-cover 2
 *	run KIND NAME			one or more, each with
 *	packets N
 *	verdicts START WIDTH		of what follows; ns since 1970, ns
 *	v PASS BLOCK DROP OTHER		decisions of that stretch of time
 *	interface NAME			numbered from 0 in their order
 *	image BYTES			numbered likewise
 *	rule IMAGE RULE EVALUATIONS
 *	hit IMAGE RULE ORIGIN INTERFACE BY DECIDED MATCHED STATES
 *	entry IMAGE TABLE ENTRY INTERFACE BY DECIDED MATCHED STATES
 *	end
 *	the images, one after the other, as they stand in a .pfi file
 *
 * NAME is the rest of the line, with \n, \\ for a newline and a backslash.
 * BY is an enum cover_by; in format 1 it is not there, and the first run tells.
 * What has no counts has no line.  A file of a later format is refused.
 */
#ifndef COVER_DATA_H
#define COVER_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/explain.h>
#include <pfkit/origin.h>

struct cover;
struct out;			/* ../replay/out.h */

/* What exercised it: packets that came by, or that somebody thought of. */
enum cover_by { COVER_TRAFFIC, COVER_TESTS, COVER_BYS };
extern const char *const cover_by_names[COVER_BYS];	/* "traffic" */

/*
 * kind: "replay", which is traffic; "test", "trace", which are tests.  name: of
 * what ran.
 */
struct cover *cover_new(const char *kind, const char *name);
void	 cover_free(struct cover *);		/* NULL is fine */

/*
 * The image's rules are to be covered, whether anything hits them or not.
 * => It must stay until cover_free().
 */
void	 cover_image(struct cover *, const struct pfk_image *);

/*
 * An engine whose decisions are to be counted.  Whoever explains already hands
 * the steps on to cover_explained() instead.
 */
void	 cover_attach(struct cover *, struct pfk_engine *);
void	 cover_explained(void *cover, const struct pfk_explain *);
/* => Behind the steps of the decision. */
void	 cover_decided(struct cover *, const struct pfk_engine *,
	    const struct pfk_decision *);
/* How often rules were evaluated; once, when all packets are decided. */
void	 cover_evaluations(struct cover *, const struct pfk_engine *);

enum cover_what {
	COVER_DECIDED,		/* the rule decided */
	COVER_MATCHED,		/* it matched (an anchor was entered, a match
				   rule acted), or another one overruled it */
	COVER_STATE		/* a state of the rule decided */
};
/*
 * n packets of the flow on the interface (either may be NULL) did that to the
 * image's rule.
 */
void	 cover_hit(struct cover *, const struct pfk_image *, size_t rule,
	    const struct pfk_flow *, const char *ifname, enum cover_what,
	    uint64_t n);
/* The rule was asked n times. */
void	 cover_evaluated(struct cover *, const struct pfk_image *, size_t rule,
	    uint64_t n);

/* The name of a text that `pfkit test' adds to a ruleset ends so. */
#define COVER_TEST_TABLES	" (tables)"

/* 0, or 1 and the error was told. */
int	 cover_write(const struct cover *, const char *path);
void	 cover_write_to(const struct cover *, struct out *);
/*
 * A file's content, added to what is there; its images belong to the cover.
 * 0, or 1 and the error was told.
 */
int	 cover_read(struct cover *, const char *path);

#endif
