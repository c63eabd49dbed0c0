/*
 * pfkit lint: what is legal and surely wrong.
 *
 *	codes.def	kinds of findings
 *	findings.c	what has been found, in order
 *	silence.c	comments that allow findings
 *	check_*.c	the checks, a file for each part of the language
 *	statements.c	rules that do nothing, told as they were written
 *	impossible.c	why no packet can fit a rule
 *	redundant.c	rules without which the same would be done
 *	lint_text.c, lint_json.c, lint_sarif.c	findings in each form
 *	lint_options.c	the command line
 *	stages.c	checks of packets: as far as time and memory go
 *	lint.c		the order of work
 *
 * A finding about packets is exact: it comes out of sets of packets
 * (pfkit/exact.h), never out of how rules look.  What rests on more than the
 * packet is not reported.
 */
#ifndef LINT_LINT_H
#define LINT_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <pfkit/exact.h>
#include <pfkit/host.h>
#include <pfkit/image.h>
#include <pfkit/origin.h>

#include "../../common/quote.h"
#include "../replay/out.h"
#include "../routes.h"
#include "../ruleset.h"

#define LINT_COMMAND	"lint"

/* Exit status. */
#define LINT_CLEAN	0
#define LINT_FOUND	1
#define LINT_ERROR	2
#define LINT_LEFT_OUT	3	/* nothing, but not all was looked at */

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

enum lint_id {
#define LINT(id, code, name, severity, summary, explanation)	LINT_##id,
#include "codes.def"
#undef LINT
	NLINTS
};
struct lint_code {
	const char	*code, *name, *summary, *explanation;
	enum severity	 severity;
};
extern const struct lint_code lint_codes[NLINTS];
/* By code or name; NULL: there is none. */
const struct lint_code *lint_code_find(const char *word, size_t len);
const char *lint_severity_name(enum severity);

struct note {
	char		*text;
	uint32_t	 rule;		/* what it is about, or LINT_NO_RULE */
};
#define LINT_NO_RULE	UINT32_MAX

struct finding {
	enum lint_id	 id;
	enum severity	 severity;	/* the code's, or milder */
	uint32_t	 rule;		/* or LINT_NO_RULE */
	struct pfk_element at;		/* PFK_NO_SOURCE: about the whole */
	enum about { ABOUT_LINE, ABOUT_ELEMENT, ABOUT_RULES, ABOUT_RULESET }
			 about;		/* ABOUT_RULES: some of the line's */
	char		*text;
	struct note	*notes;
	size_t		 nnotes;
	bool		 silenced;
};

struct lint_options {
	struct ruleset_options ruleset;
	enum severity	 least;
	enum { LINT_TEXT, LINT_JSON, LINT_SARIF } form;
	const char	**must_pass;
	size_t		 nmust_pass;
	bool		 show_silenced;
	unsigned	 seconds;	/* of the processor; 0: any */
	size_t		 memory;
};
/* -1: go on; otherwise the exit status. */
int	 lint_options_parse(struct lint_options *, int argc, char **argv);
void	 lint_options_free(struct lint_options *);

/* What becomes of a rule; of those of a line, the greater one is told. */
enum fate {
	FATE_ACTS,
	FATE_TOLD,		/* nothing, and that is told elsewhere */
	FATE_FRAGMENTS, FATE_IMPOSSIBLE, FATE_SKIPPED, FATE_UNTAGGED,
	FATE_UNREACHABLE,
	FATE_UNTRANSLATED, FATE_PASS_OVERRULED, FATE_OVERRULED,
	NFATES
};
/* Packets that count: those that begin something, or all; that pass. */
struct scope { pfk_set all, passed; };
struct judged {
	enum fate	 fate;
	pfk_set		 all;		/* pfk_set_rule() */
	const struct scope *scope;
	bool		 fits, matches, decides;	/* some that count */
	bool		 skipped;
};

#define LINT_STAGES	8

struct lint {
	const struct lint_options *o;
	struct pfk_host	*host;
	struct pfk_image *image;
	struct pfk_image **wanted;	/* of --must-pass */
	struct pfk_exact *exact;
	struct pfk_verdicts *verdicts;
	struct quotes	*quotes;
	struct out	*out;
	struct finding	*findings;
	size_t		 nfindings;
	bool		 colour;
	clock_t		 deadline;
	const char	*left_out[LINT_STAGES];	/* stages.c */
	size_t		 nleft_out;
	bool		 blind;		/* --must-pass is not known */
	struct judged	*judged;	/* by rule */
	const char	*anchor;	/* that was asked about last */
	bool		 called;	/* whether some rule leads there */
	pfk_set		 skipped;	/* all on interfaces under `set skip' */
	char		*warnings;	/* of the compiler, as JSON; or NULL */
	struct scope	 scope[2];
	struct routes	 assumed;	/* those of the host are not known */
	/* redundant.c */
	char		*action;	/* by rule: p, b, m, a; P: quick */
	uint32_t	 nrules;	/* rules */
	bool		 anchors;	/* there are some */
	uint32_t	*changing, nchanging;	/* rules that translate or tag */
	size_t		 steps;
};

/*
 * Adds a finding about a rule (its statement, or the part of it that is told)
 * or, without a rule, about an element.  The result holds until the next one
 * is added.
 */
struct finding *finding_rule(struct lint *, enum lint_id, uint32_t rule,
	    const char *, ...) __attribute__((__format__(__printf__, 4, 5)));
struct finding *finding_at(struct lint *, enum lint_id,
	    const struct pfk_element *, const char *, ...)
	    __attribute__((__format__(__printf__, 4, 5)));
/* The same; the format has one %s. */
struct finding *finding_named(struct lint *, enum lint_id, uint32_t rule,
	    const char *fmt, const char *name);
/* The finding is about the rule after all, if there is one. */
void	 finding_move(struct lint *, struct finding *, uint32_t rule);
/* The finding is about one part of the rule's statement, if it is there. */
void	 finding_part(struct lint *, struct finding *, enum pfk_part);
void	 finding_note(struct finding *, uint32_t rule, const char *, ...)
	    __attribute__((__format__(__printf__, 3, 4)));
/*
 * How many letters have to be put in, left out or changed for one name to be
 * the other; UINT_MAX if they are too long.
 */
unsigned letters_apart(const char *, const char *);
/* By place, then code; those that are the same but for the rule become one. */
void	 findings_sort(struct lint *);
void	 findings_free(struct lint *);
/* All but the first n. */
void	 findings_drop(struct lint *, size_t n);
/* Whether it is to be shown. */
bool	 finding_wanted(const struct lint *, const struct finding *);

/* Marks what comments allow; a comment that allows nothing is a finding. */
void	 findings_silence(struct lint *);

/* The checks; check_exactly() does all that are about packets. */
void	 check_exactly(struct lint *);
void	 check_text(struct lint *);
void	 check_names(struct lint *);
void	 check_rules(struct lint *);
/* The packets that count and fit the rule, or match it; to be freed. */
pfk_set	 judged_fits(struct lint *, uint32_t rule);
pfk_set	 judged_matches(struct lint *, uint32_t rule);
/* Whether some rule leads to the anchor, which is the image's string. */
bool	 anchor_is_called(struct lint *, const char *anchor);
void	 check_lists(struct lint *);
void	 check_host(struct lint *);
void	 check_states(struct lint *);
/*
 * Notes an example of the set and the rule that decides about it: returned, or
 * LINT_NO_RULE.
 */
uint32_t note_decision(struct lint *, struct finding *, pfk_set);

/* statements.c: => check_rules() has filled l->judged. */
void	 check_statements(struct lint *);
void	 note_example(struct lint *, struct finding *, pfk_set);
/* An element of a statement's list, and the rules that have it. */
struct element_rules {
	uint32_t	*rule;
	uint32_t	 n, first;	/* first: of the statement */
	struct pfk_element at;
	bool		*told;		/* by rule of the statement */
};
void	 each_element(struct lint *, uint32_t first, uint32_t n, bool *told,
	    void (*)(struct lint *, struct element_rules *, void *), void *);
void	 element_told(struct element_rules *);
/* check_options.c: of one line, and of the whole ruleset. */
void	 check_options(struct lint *, uint32_t first, uint32_t n);
/* check_sets.c: `set' lines. */
void	 check_sets(struct lint *);
/* impossible.c */
void	 note_impossible(struct lint *, struct finding *, uint32_t rule);
/* Whether there is such an interface or group, as far as is known. */
bool	 interface_known(struct lint *, const char *name);
/* The word after `what' in the rule's text; false: there is none. */
bool	 rule_word(const struct pfk_rule_info *, const char *what, char *word,
	    size_t size);
/* redundant.c */
void	 redundant_start(struct lint *);
void	 check_redundant(struct lint *, uint32_t first, uint32_t n,
	    bool *told);
void	 redundant_end(struct lint *);
/* What was written for a part of the rule; false: nothing. */
bool	 rule_part(struct lint *, uint32_t rule, enum pfk_part,
	    struct pfk_element *);
/* What the words of --must-pass stand for; NULL: that has been said. */
struct pfk_image *must_pass_image(struct lint *, const char *words);
void	 check_must_pass(struct lint *, size_t which);

void	 lint_text(struct lint *);
void	 lint_json(struct lint *);
void	 lint_sarif(struct lint *);

/* "@3 pf.conf:12: block in all" */
void	 out_lint_rule(struct lint *, uint32_t rule);

#endif
