/*
 * pfkit cover: what was exercised of a ruleset.
 *
 *	data.c, data_file.c	counting, and the files that it is kept in
 *	model.c		from counts of flat rules to those of what is written
 *	cover.c		the command
 *	text.c, json.c, lcov.c	reports
 *	page*.c		the page: head and style, lines, chart
 *
 * The model is about text: statements, the elements of their lists, the values
 * of macros.  A statement has the sum of its rules; an element that of the
 * rules that were made of it; a macro's value that of all elements that are
 * it, whatever statement uses the macro.  An entry of a table has what rules
 * did with packets whose address was found by it; an entry with `!' has matched
 * when it kept an address out that a rule looked for.
 */
#ifndef COVER_MODEL_H
#define COVER_MODEL_H

#include "data_int.h"

/* In the order of badness. */
enum cover_status {
	STATUS_DECIDED,		/* or, of match rules and anchors, matched */
	STATUS_PARTLY,		/* some values of what stands there did */
	STATUS_OVERRULED,	/* matched, but another one decided each time */
	STATUS_NEVER_MATCHED,	/* evaluated, never matched */
	STATUS_NEVER_EVALUATED,
	STATUS_DROPPED,		/* by the optimiser: others cover it */
	NSTATUS
};
extern const char *const status_names[NSTATUS];	/* "never-matched" */

struct model_counts {
	struct cover_counts all, by[COVER_BYS];
	uint64_t	 evaluations;
};
/* The same on one interface, by one of the two. */
struct model_on {
	uint32_t	 interface;
	enum cover_by	 by;
	struct cover_counts counts;
};

/* A statement, an element of one, or a value of macros. */
struct model_item {
	uint32_t	 source;	/* of the model */
	uint32_t	 off, len;
	uint32_t	 line, column, end_line;
	enum cover_status status;
	bool		 acts;		/* match, anchor: need not decide */
	bool		 dropped;	/* as far as is known */
	struct model_counts counts;
	struct model_on	*on;
	uint32_t	 non;
	/* statements */
	const char	*anchor;	/* path */
	uint32_t	 nrules;
	uint32_t	 element0, nelements;
	/* elements and values */
	uint32_t	 statement;
	enum pfk_part	 part;
	bool		 listed;
	const char	*macro;		/* name, or NULL */
	const char	*table;		/* entries: name of theirs */
	/* where it stands in the statement: itself, or a macro's use */
	uint32_t	 use_source, use_off, use_len;
};

struct model_items { struct model_item *v; uint32_t n, room; };

struct model_source {
	const char	*name;
	const char	*text;		/* NULL: it is not to be had */
	size_t		 len;
	uint64_t	 hash;
};

struct model_total { uint32_t covered, all, dropped, by[COVER_BYS]; };

struct model {
	struct cover	*cover;
	struct quotes	*quotes;
	struct model_source *sources;
	uint32_t	 nsources;
	struct model_items statements;	/* by place */
	struct model_items elements;	/* by statement, then by place */
	struct model_items values;	/* by place */
	struct model_items entries;	/* of tables; by place */
	struct model_total lines, parts, macros, tables;
	bool		 both;		/* there are tests, and traffic */
};

/*
 * Reads the files; NULL: one is no file of coverage or of another ruleset, and
 * that has been told.
 */
struct model *model_new(char **files, size_t n);
void	 model_free(struct model *);
/* Of 100, and 100 if there is nothing to cover. */
double	 model_percent(const struct model_total *);
/*
 * The anchors that have statements, by path; the main ruleset comes first, "".
 * *v is the caller's.
 */
struct model_anchor { const char *name; struct model_total lines; };
uint32_t model_anchors(const struct model *, struct model_anchor **v);
/* The item's text in memory of its own. */
char	*model_text(const struct model *, const struct model_item *);
/* What counts as covered: decisions, those of states; of some rules matches. */
uint64_t model_hits(const struct model_item *);
uint64_t model_hits_by(const struct model_item *, enum cover_by);
/* "tests", "traffic", "both"; "": neither covers it. */
const char *model_by(const struct model_item *);

void	 report_text(const struct model *, bool all);
int	 report_json(const struct model *);
int	 report_lcov(const struct model *, const char *path);
int	 report_page(const struct model *, const char *path);

#endif
