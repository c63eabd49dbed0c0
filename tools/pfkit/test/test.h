/*
 * pfkit test: expectations that run.
 *
 *	test.c		the command: files, their tests, a status
 *	test_options.c	the command line
 *	source.c	a test file's text, cut into words
 *	reader.c	its lines: headers, groups, tests
 *	expect.c	a line that expects: the rule in it, and what it adds
 *	replay_line.c	a line that replays
 *	setting.c	a ruleset and its host: images, engine, exact answers
 *	compile.c	from expectations to sets of packets
 *	decide.c	whether an expectation holds
 *	through.c	the same over two crossings
 *	effects.c	labels, lines, logs, states, translation of decisions
 *	probe.c		one packet through the engine
 *	replays.c	captures
 *	failure.c	what is said of one that does not hold
 *	write.c		what comes out; write_text.c, write_tap.c, write_junit.c,
 *			write_github.c, write_json.c
 *
 * An expectation without what it adds is a rule of pf.conf.  All of a file
 * that are about one ruleset are compiled behind that ruleset, by the same
 * compiler, so that macros, tables, names and lists mean what they mean there;
 * every line stays where it is in its file, and with it the place of every
 * mistake.  The packets that such a rule's tests let through are the
 * expectation's; the exact analysis says what is done with them.
 */
#ifndef TEST_TEST_H
#define TEST_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../common/textbuf.h"
#include "../replay/options.h"
#include "../replay/out.h"
#include "../ruleset.h"

#define TEST_COMMAND	"test"
#define TEST_GOOD	0	/* exit status */
#define TEST_BAD	1
#define TEST_ERROR	2

/* ---- a file's text ---- */

struct source {
	char		*name;		/* as given */
	char		*text;		/* ends in a NUL */
	size_t		 len;
	uint32_t	*lines;		/* where each begins */
	uint32_t	 nlines;
};

struct source *source_read(const char *name);	/* NULL: errno says why */
void	 source_free(struct source *);
void	 source_place(const struct source *, size_t off, uint32_t *line,
	    uint32_t *column);		/* from 1 */
/* The file that is meant by a name in it: relative to the file's folder. */
char	*source_path(const struct source *, const char *name);

enum word_kind { WORD_PLAIN, WORD_STRING, WORD_SIGN, WORD_END };
struct word {
	enum word_kind	 kind;
	size_t		 off, len;	/* with its quotes */
	unsigned	 depth;		/* of braces and parentheses */
	char		*text;		/* without quotes */
};
/* A statement: a line with those that continue it. */
struct words {
	const struct source *source;
	struct word	*word;		/* one of WORD_END follows the last */
	size_t		 n, room;
	size_t		 at;		/* of those who read */
	size_t		 off, end;	/* of the whole text */
};
/*
 * The statement at or behind *off, which is moved on; false: there is none.
 * *wrong is set, and *wrong_at, if a quote or brace is never closed.
 */
bool	 words_next(struct words *, size_t *off, const char **wrong,
	    size_t *wrong_at);
void	 words_free(struct words *);
bool	 word_is(const struct word *, const char *);
/* Blanks and comments taken out. */
char	*words_text(const struct words *, size_t from);

/* ---- what a file says ---- */

/* The name of an option of the command line, or "" (a file), and its value. */
struct header { int option; char *value; };

/* A ruleset, and all that is said about it. */
struct setting {
	struct setting	*next;
	const struct source *source;
	char		*ruleset;	/* path; NULL: none is named */
	size_t		 off;		/* of the line that names it */
	struct header	*headers;
	size_t		 nheaders;
	char		*anchor;	/* values of headers */
	int		 optimize;	/* enum pfk_optimize */
	bool		 numeric;
	/* statements that are for the compiler: macros, tables */
	struct span { size_t off, end; } *spans;
	size_t		 nspans;
	struct run	*run;		/* while its tests run */
	struct textbuf	 unusable;	/* why it cannot be used, if that is known */
	struct pfk_image *kept;		/* that coverage refers to */
};

enum test_kind { TEST_PASS, TEST_BLOCK, TEST_REPLAY, TEST_FILE };
enum test_status { TEST_WAITS, TEST_HOLDS, TEST_FAILS, TEST_SKIPPED,
    TEST_WRONG /* an error in the test file */ };
const char *test_status_name(enum test_status);

enum sends { SENDS_UNSAID, SENDS_NOTHING, SENDS_RST, SENDS_ICMP };
enum yes_no { UNSAID, YES, NO };

/* nat-to or rdr-to, as wanted */
struct translation {
	enum yes_no	 wanted;
	size_t		 off, end;	/* its address */
	uint16_t	 port[2];	/* 0: unsaid */
};
enum { NAT, RDR };

/* What a line adds to its rule. */
struct wants {
	char		*label, *line_file;
	uint32_t	 line;		/* 0: unsaid */
	enum yes_no	 log, state;
	enum sends	 sends;
	struct translation translation[2];
};

/* A comparison: "passed >= 100". */
enum count { COUNT_PACKETS, COUNT_PASSED, COUNT_BLOCKED, COUNT_DROPPED,
    COUNT_HELD, COUNT_SKIPPED, COUNT_IGNORED, COUNT_STATES, COUNT_LOGGED,
    COUNT_TRANSLATED, NCOUNTS };
enum compare { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };
struct bound { enum count count; enum compare compare; uint64_t value; };

struct replay_line {
	char		**captures;
	size_t		 ncaptures;
	char		*verdicts;	/* path, or NULL */
	struct bound	*bounds;
	size_t		 nbounds;
	char		*interface, *directions, *local;
	uint8_t		 dir;
};

struct test {
	struct test	*next;
	struct setting	*setting;	/* NULL: TEST_FILE */
	const char	*file;
	const struct source *source;	/* NULL: it could not be read */
	enum test_kind	 kind;
	size_t		 off, end;
	uint32_t	 line, column;
	const char	*group;		/* "": none */
	char		*text;
	char		*skip;		/* why, or NULL */
	/* the rule in it, and what is not of the rule */
	struct span	*blanks;
	size_t		 nblanks;
	bool		 through;
	struct span	 through_at, in_if, out_if;
	struct wants	 want;
	struct replay_line replay;
	/* what came of it */
	enum test_status status;
	size_t		 at;		/* TEST_WRONG: the place in the text */
	struct textbuf	 why;		/* a line */
	struct textbuf	 detail;	/* lines, each with its newline */
	struct textbuf	 packet, trace;	/* the packet, the command line */
	struct textbuf	 rule_file, rule_text;	/* of the rule that decided */
	uint32_t	 rule_line;
	struct textbuf	 notes;		/* lines: what the answer rests on */
};

struct tests {
	struct test	*first, **last;
	struct setting	*settings;
	struct source	**sources;
	size_t		 nsources;
	char		**groups;
	size_t		 ngroups;
};

/* reader.c: the tests of a file, appended; mistakes are tests that are wrong. */
void	 tests_read(struct tests *, const char *path);
void	 tests_free(struct tests *);
struct test *test_new(struct tests *, const char *file);
void	 test_free(struct test *);
/* A mistake at that place of the test's file.  The first one is kept. */
void	 test_wrong(struct test *, size_t off, const char *, ...)
	    __attribute__((__format__(__printf__, 3, 4)));

/* expect.c, replay_line.c: the rest of the line. */
void	 expect_line(struct test *, struct words *);
void	 replay_line(struct test *, struct words *);
void	 replay_line_free(struct replay_line *);
const char *count_name(enum count);
const char *compare_name(enum compare);

/* ---- the command ---- */

enum format { FORMAT_TEXT, FORMAT_TAP, FORMAT_JUNIT, FORMAT_GITHUB,
    FORMAT_JSON, NFORMATS };
struct test_options {
	struct ruleset_options ruleset;	/* what files do not name */
	const char	*formats[NFORMATS];	/* path, "-", or NULL */
	const char	*run;		/* --run */
	struct header	*facts;		/* host options, as given */
	size_t		 nfacts;
	const char	*cover_out;
	struct cover	*cover;
	bool		 list, fail_fast, verbose;
	char		**files;
	size_t		 nfiles;
};
int	 test_options_parse(struct test_options *, int argc, char **argv);
void	 test_options_free(struct test_options *);

/* ---- running ---- */

struct run;
/*
 * setting.c: what the setting's tests need.  false: the ruleset is wrong, which
 * has been told.
 */
bool	 run_start(struct setting *, const struct test_options *,
	    struct test *first);
void	 run_end(struct setting *);
/* decide.c, replays.c */
void	 decide(struct test *);
void	 replay_test(struct test *);

/* ---- writing ---- */

struct summary { size_t all, of[TEST_WRONG + 1]; double seconds; };
void	 write_tests(const struct test_options *, const struct tests *,
	    const struct summary *);
void	 write_text(struct out *, const struct test_options *,
	    const struct tests *, const struct summary *);
void	 write_tap(struct out *, const struct test_options *,
	    const struct tests *, const struct summary *);
void	 write_junit(struct out *, const struct test_options *,
	    const struct tests *, const struct summary *);
void	 write_github(struct out *, const struct test_options *,
	    const struct tests *, const struct summary *);
void	 write_json(struct out *, const struct test_options *,
	    const struct tests *, const struct summary *);
/* "group: text", in memory of its own. */
char	*test_name(const struct test *);
/* Everything that is said of it, as lines. */
void	 test_story(const struct test *, struct textbuf *, const char *indent);

#endif
