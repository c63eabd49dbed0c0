/*
 * pfkit diff: what changed for packets, not for text.
 *
 *	diff.c		the order of work; which packets are treated differently
 *	diff_options.c	the command line
 *	diff_text.c, diff_json.c	what is said of them
 *
 * Both rulesets are run over all packets (pfkit/exact.h) in one universe.
 * Packets are put together by what comes of them in the old and in the new
 * one; what is told are the pairs that are not equal.
 */
#ifndef DIFF_DIFF_H
#define DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include <pfkit/exact.h>

#include "../replay/out.h"
#include "../ruleset.h"

#define DIFF_COMMAND	"diff"
#define DIFF_SAME	0	/* exit status */
#define DIFF_DIFFERENT	1
#define DIFF_ERROR	2

enum { OLD, NEW };

struct diff_options {
	struct ruleset_options ruleset;	/* of both; path: the old one's */
	const char	*path[2];
	const char	*new_host;	/* a folder; NULL: as the old one's */
	int		 optimize[2];	/* enum pfk_optimize, or NOT_GIVEN */
	struct pfk_exact_map *map;	/* from: old names, to: new names */
	size_t		 nmap;
	size_t		 lines;		/* of a region, at most */
	bool		 json, every;
};
#define NOT_GIVEN	(-2)
/* -1: go on; otherwise the exit status. */
int	 diff_options_parse(struct diff_options *, int argc, char **argv);
void	 diff_options_free(struct diff_options *);

struct diff {
	const struct diff_options *o;
	struct pfk_host	*host[2];
	struct pfk_image *image[2];
	struct pfk_exact *exact;
	struct pfk_verdicts *verdicts[2];
	struct out	*out;
	pfk_set		 scope;		/* packets that count */
	size_t		 found;
};

/* Packets of which the two make different things. */
struct difference {
	const char	*effects[2];
	pfk_set		 set;
	struct pfk_exact_packet example;
	const struct pfk_outcome *outcome[2];	/* of the example */
};

void	 diff_text(struct diff *, const struct difference *);
void	 diff_json(struct diff *, const struct difference *);

#endif
