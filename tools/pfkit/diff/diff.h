/*
 * pfkit diff: what changed for packets, not for text.
 *
 *	diff.c		the order of work
 *	diff_options.c	the command line
 *	compare.c	which packets are treated differently: all of them, or
 *			part after part
 *	part.c		parts of all packets, and their names
 *	regions.c	packets as lines
 *	example.c	one packet of a difference, through both rulesets
 *	diff_text.c, diff_json.c	what is said of them
 *
 * Both rulesets are run over all packets (pfkit/exact.h) in one universe.
 * Packets are put together by what comes of them in the old and in the new
 * one; what is told are the pairs that are not equal.
 *
 * What is too much at once is cut in two, again and again; what is too much
 * even then, or does not get done in time, is left out, and named.
 */
#ifndef DIFF_DIFF_H
#define DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <pfkit/engine.h>
#include <pfkit/exact.h>

#include "../replay/out.h"
#include "../ruleset.h"

#define DIFF_COMMAND	"diff"
#define DIFF_SAME	0	/* exit status */
#define DIFF_DIFFERENT	1
#define DIFF_ERROR	2
#define DIFF_UNKNOWN	3	/* no difference found, but a part left out */

enum { OLD, NEW };

struct diff_options {
	struct ruleset_options ruleset;	/* of both; path: the old one's */
	const char	*path[2];
	const char	*new_host;	/* a folder; NULL: as the old one's */
	int		 optimize[2];	/* enum pfk_optimize, or NOT_GIVEN */
	struct pfk_exact_map *map;	/* from: old names, to: new names */
	size_t		 nmap;
	size_t		 lines;		/* of a region, at most */
	unsigned	 seconds;	/* of the processor, for all of it */
	size_t		 memory;	/* bytes */
	bool		 json, every, trace;
};
#define NOT_GIVEN	(-2)
/* -1: go on; otherwise the exit status. */
int	 diff_options_parse(struct diff_options *, int argc, char **argv);
void	 diff_options_free(struct diff_options *);

/* Packets of which the two make different things. */
struct difference {
	const char	*effects[2];	/* the universe's */
	pfk_set		 set;
};

/* Packets that were not looked at, and why not. */
struct left_out {
	char		*what;
	const char	*why;
};

/* What tables must have so that the example is one. */
struct supposed {
	char		*name;		/* of a table */
	unsigned	 side;		/* 0 the source, 1 the destination */
};

struct diff {
	const struct diff_options *o;
	struct pfk_host	*host[2];
	struct pfk_image *image[2];
	struct pfk_exact *exact;
	struct out	*out;
	struct supposed	*supposed;	/* of the last example */
	size_t		 nsupposed;
	pfk_set		 scope;		/* packets that count */
	struct difference *found;
	size_t		 nfound;
	struct left_out	*left_out;
	size_t		 nleft_out;
	size_t		 ndone;		/* parts that were compared */
	clock_t		 deadline;
	bool		 late;
};

/* compare.c: fills found and left_out. */
void	 diff_compare(struct diff *);

/* ---- part.c ---- */

/* What it is cut by, one after the other. */
enum cut { CUT_FAMILY, CUT_PROTOCOL, CUT_DIRECTION, CUT_INTERFACE,
    CUT_ADDRESSES, NCUTS };
#define PART_BITS	12	/* of each address, at most */

struct part {
	pfk_set		 set;		/* of the scope */
	enum cut	 next;
	unsigned	 family;	/* 4, 6; 0 both */
	const char	*protocol;	/* NULL: all */
	unsigned	 dir;		/* 0 both */
	const char	*ifname;	/* NULL: all, "": those without a name */
	uint8_t		 addr[2][16];
	unsigned	 bits[2];	/* of source, destination */
};
/*
 * The part, cut: calls fn for each piece that is not empty, whose set goes
 * afterwards.  False: it cannot be cut any more, or not everything was given
 * to fn.
 */
bool	 part_cut(struct diff *, const struct part *,
	    void (*fn)(struct diff *, const struct part *));
/* "in on em0 inet proto tcp from 0.0.0.0/1 to any"; to be freed. */
char	*part_name(const struct part *);

/* ---- regions.c ---- */

/* The packets as lines; true: there are more than wanted. */
bool	 diff_lines(struct diff *, pfk_set, void (*fn)(void *, const char *),
	    void *);

/* ---- example.c ---- */

/*
 * A packet of the set that takes as little as may be for granted; false: there
 * is none.  d->supposed is what it does.
 */
bool	 diff_example(struct diff *, pfk_set, struct pfk_exact_packet *);
void	 diff_suppose_nothing(struct diff *);
/*
 * The packet through a ruleset, by the engine that `pfkit trace' uses; text
 * or an object of JSON.
 */
void	 diff_trace(struct diff *, unsigned which,
	    const struct pfk_exact_packet *);

void	 diff_text(struct diff *, const struct difference *);
void	 diff_json(struct diff *, const struct difference *);
void	 diff_text_left_out(struct diff *, const struct left_out *);
void	 diff_json_left_out(struct diff *, const struct left_out *);

#endif
