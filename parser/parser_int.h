/*
 * Inside the parser: what its rooms share.
 *
 *	parse.c		the driver: files, statements, errors
 *	lexer.c		frames: which text is read, where a token stands
 *	intern.c	words, each stored once; keywords are among them
 *	macro.c		definitions, -D, use
 *	ast.c		builders, which the grammar's actions call
 *	syntax.c	what a syntax error says to people
 *	grammar/	tokens and productions
 *
 * Text is read through a stack of frames: a file, a file that it includes,
 * ..., on top perhaps the value of a macro.  A word may begin in one frame
 * and end in the one below (`$if:network`).
 *
 * Nodes live until the statement they belong to has ended, then their room is
 * used again; words live as long as the arena.
 */
#ifndef PARSER_PARSER_INT_H
#define PARSER_PARSER_INT_H

#include "base/strbuf.h"
#include "parser/ast.h"

#define TOKEN_MAX		8095	/* longest word, in bytes */
#define ERRORS_EXPLAINED	1000	/* of a file; nobody reads more */
#define INCLUDE_DEPTH_MAX	64
#define MACRO_BYTES_MAX		((size_t)1 << 20)

/* Where a token or a node stands. */
struct place {
	struct span	 span;
	const struct expansion *via;
	/* of what is only in part out of a macro (`! $if'): the first such
	   part, or inner_via NULL */
	struct span	 inner;
	const struct expansion *inner_via;
};

/* A word.  Equal words are the same object. */
struct word {
	uint32_t	 hash, len;
	int		 token;		/* of a keyword; 0: any other word */
	struct macro	*macro;		/* of this name, or NULL */
	char		 text[];
};

struct words {
	struct arena	*arena;
	struct word	**slots;
	size_t		 nslots, n;	/* a power of two; at most half */
};

/*
 * A piece of a macro's value: one token of the definition.  If the piece
 * stands in the source as it stands in the value (no escapes), `linear` says
 * so and any part of it can be pointed at.
 */
struct piece {
	uint32_t	 at, len;	/* in the value */
	struct span	 span;		/* in the source: all of the token */
	uint32_t	 text;		/* if linear: where it begins */
	bool		 linear;
	const struct expansion *via;	/* if it came out of another macro */
};

struct macro {
	struct word	*word;
	const char	*name;		/* the word's text */
	const char	*text;
	char		*value;		/* the text with two NULs, for the
					   scanner, which writes into it */
	uint32_t	 len;
	struct span	 def;
	VEC(struct piece) pieces;
	bool		 used, misspelt, command_line;
	struct macro	*prev, *next;	/* order of definition */
};

struct macros {
	struct macro	*first, *last;
};

/*
 * A text that is read.  The scanner writes into what it reads, so a file is
 * copied to `base` window by window; a window ends at the end of a line.
 */
struct frame {
	struct frame	*below;
	char		*base;		/* what the scanner reads */
	uint32_t	 len;		/* without the two NULs behind */
	void		*buffer;	/* the scanner's own state of it */
	/* a file: */
	const char	*name;
	uint32_t	 file;		/* source number */
	const char	*text;
	uint32_t	 text_len, window, next; /* offsets in text */
	uint32_t	 skew;		/* bytes of base before the text */
	size_t		 room;		/* at base */
	bool		 ended;		/* the last newline is made up */
	uint32_t	 line;		/* as pfctl counts them */
	/* the value of a macro: */
	struct macro	*macro;		/* NULL: a file */
	const struct expansion *via;
	const struct piece *piece;	/* last one pointed at ... */
	const struct expansion *piece_via; /* ... and its chain */
};

/* Nodes, in blocks; `used` of them are taken. */
#define NODE_BLOCK	64
struct node_pool {
	VEC(struct ast *) blocks;
	size_t		 used;
	size_t		 kept;		/* never given back */
};

/* Tokens of the statement that is read: what a syntax error looks back at. */
#define RECENT_MAX	64
struct recent {
	int		 token;		/* a byte, or a token of the grammar */
	const char	*text;		/* of words and keywords */
	struct place	 place;
};

struct parser {
	struct parse_options opt;
	struct words	 words;
	struct macros	 macros;
	VEC(struct macro_use) unused;
	VEC(const char *) broken_macros; /* whose definitions were wrong */
	struct node_pool nodes;
	VEC(size_t)	 marks;		/* nodes to keep, per open anchor */
	VEC(struct place) opened;	/* the brace of each */
	enum ast_result	 verdict;	/* of the last event */

	/* lexer */
	void		*scanner;
	struct frame	*top;
	struct frame	*spare;		/* macro frames to use again */
	void		*spare_buffers;	/* the scanner's states of them */
	unsigned	 depth;		/* of includes */
	struct strbuf	 token;		/* a token in pieces */
	struct place	 start;		/* where it began */
	char		 quote;
	bool		 quoted;	/* the last token was */
	size_t		 expanded;	/* bytes of macros in this statement */
	uint32_t	 plain_line;
	const char	*plain_file;
	struct place	 last;		/* the last token */
	struct recent	 recent[RECENT_MAX]; /* token i at i % RECENT_MAX */
	size_t		 nrecent;
	struct span	 bad_backslash;	/* a backslash before white space */
	struct diag	*bad_backslash_warning;
	uint32_t	 bad_backslash_line;

	/* errors */
	unsigned	 errors;	/* of this top-level file */
	bool		 carriage_returns; /* that there are some was told */
	bool		 lexical;	/* the token read last is an error
					   that has been told */
	size_t		 stray_braces;	/* of anchors that errors ended */
	unsigned	 braces;	/* open in this statement's lists */
	unsigned	 broken_list;	/* left open by the last error */
	size_t		 since_error;	/* tokens since its line ended */
};

/* --- intern.c --- */

void	 words_init(struct words *, struct arena *);
struct word *word_get(struct words *, const char *, size_t);
const char *const *word_keywords(void);		/* NULL-terminated */

/* --- macro.c --- */

struct macro *macro_find(struct parser *, const char *name, size_t len);
enum ast_result macro_define(struct parser *, const struct place *statement,
	    const struct place *name_at, const char *name, struct ast *values);
/* pfctl forgets all macros at the end of each top-level file. */
void	 macro_forget(struct parser *);
/* NULL-terminated, in the order of definition. */
const char *const *macro_names(struct parser *);

/* --- parse.c --- */

struct place place_default(const struct place *rhs, unsigned n);
struct place place_join(const struct place *, const struct place *);
void	*parser_stack_alloc(struct parser *, size_t);
void	 parser_statement_end(struct parser *);
void	 parser_statement_done(struct parser *);
void	 parser_count_token(struct parser *, int token);
enum ast_result parser_recovered(struct parser *, const struct place *);
enum ast_result parser_include(struct parser *, const struct place *,
	    const struct place *word_at, const char *path);
enum ast_result parser_anchor_open(struct parser *, const struct place *);
void	 parser_body_begin(struct parser *);
struct ast *parser_anchor_close(struct parser *, const struct place *);
struct diag *parser_error_at(struct parser *, const struct place *,
	    const char *code, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));
struct diag *parser_warn(struct parser *, struct span, const char *code,
	    const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));

/* --- syntax.c --- */

enum found { FOUND_KEYWORD, FOUND_WORD, FOUND_NUMBER, FOUND_MARK,
    FOUND_LINE_END, FOUND_FILE_END, FOUND_BAD };

#define EXPECTED_MAX	160

/* Where the grammar could not go on. */
struct dead_end {
	struct place	 place;
	enum found	 found;
	const char	*text;		/* of what was found, as written */
	const char	*expected[EXPECTED_MAX]; /* keywords and marks */
	size_t		 nexpected;
	bool		 expects_word, expects_number, expects_line_end;
};

void	 syntax_error(struct parser *, const struct dead_end *);

/* --- ast.c --- */

/* Parts of a rule; of an anchor `action` is its name. */
struct rule_parts {
	struct ast	*action, *log_quick, *interfaces, *protos, *from_to;
	struct ast	*opts;
	int64_t		 dir, af;
};

/* A node without children; the listener's word on a node. */
struct ast *ast_new(struct parser *, const struct place *, enum ast_kind);
struct ast *ast_tell(struct parser *, struct ast *);

struct ast *ast_word(struct parser *, const struct place *, const char *);
struct ast *ast_number(struct parser *, const struct place *, int64_t);
struct ast *ast_list(struct parser *, const struct place *, struct ast *);
struct ast *ast_append(struct ast *list, struct ast *item);
struct ast *ast_splice(struct ast *list, struct ast *more);
const char *ast_decimal(struct parser *, int64_t);
/* The words of a list of WORD and NUM, with one blank between. */
const char *ast_joined(struct parser *, const struct ast *list);

/*
 * Each makes a node of the kind and tells the listener; p->verdict is what
 * it says.  _of: the children of a list (or NULL) become those of the node.
 */
struct ast *ast_num(struct parser *, const struct place *, enum ast_kind,
	    int64_t);
struct ast *ast_num2(struct parser *, const struct place *, enum ast_kind,
	    int64_t, int64_t);
struct ast *ast_str(struct parser *, const struct place *, enum ast_kind,
	    const char *);
struct ast *ast_str2(struct parser *, const struct place *, enum ast_kind,
	    const char *, const char *);
struct ast *ast_str_num(struct parser *, const struct place *, enum ast_kind,
	    const char *, int64_t);
struct ast *ast_kid(struct parser *, const struct place *, enum ast_kind,
	    struct ast *);
struct ast *ast_kid_num(struct parser *, const struct place *, enum ast_kind,
	    struct ast *, int64_t);
struct ast *ast_kid_str(struct parser *, const struct place *, enum ast_kind,
	    struct ast *, const char *);
struct ast *ast_kids(struct parser *, const struct place *, enum ast_kind,
	    struct ast *, struct ast *, struct ast *);
struct ast *ast_of(struct parser *, const struct place *, enum ast_kind,
	    struct ast *list);
struct ast *ast_of_num(struct parser *, const struct place *, enum ast_kind,
	    struct ast *list, int64_t);
enum ast_result ast_event(struct parser *, const struct place *,
	    enum ast_kind);
enum ast_result ast_event_num(struct parser *, const struct place *,
	    enum ast_kind, int64_t);

struct ast *ast_queue(struct parser *, const struct place *,
	    const char *name, struct ast *interfaces, struct ast *opts);
struct ast *ast_burst(struct parser *, const struct place *,
	    struct ast *bandwidth, struct ast *burst, const char *time);
enum ast_result ast_weight(struct parser *, const struct place *, int64_t);
struct ast *ast_antispoof(struct parser *, const struct place *,
	    struct ast *log_quick, struct ast *interfaces, int64_t af,
	    struct ast *opts);
struct ast *ast_in_parens(struct ast *, const struct place *);
struct ast *ast_negate(struct ast *, int64_t, const struct place *);
struct ast *ast_rule(struct parser *, const struct place *,
	    const struct rule_parts *);
struct ast *ast_anchor(struct parser *, const struct place *,
	    const struct rule_parts *, struct ast *body);
struct ast *ast_block(struct parser *, const struct place *, enum ast_block,
	    int64_t ttl, struct ast *icmp, struct ast *icmp6);
struct ast *ast_log(struct parser *, const struct place *, struct ast *opts,
	    bool quick);
struct ast *ast_peer_parts(struct parser *, const struct place *,
	    struct ast *hosts, struct ast *ports);
struct ast *ast_peer(struct parser *, const struct place *, struct ast *,
	    int64_t to);
struct ast *ast_hosts(struct ast *, struct ast *);
struct ast *ast_xhost(struct parser *, const struct place *, int64_t neg,
	    struct ast *host);
struct ast *ast_xhost_kind(struct parser *, const struct place *,
	    const struct place *host_at, int64_t neg, enum ast_kind);
struct ast *ast_host_bits(struct parser *, const struct place *,
	    const char *, int64_t bits);
struct ast *ast_host_number(struct parser *, const struct place *, int64_t,
	    int64_t bits);
struct ast *ast_binary(struct parser *, const struct place *, enum ast_kind,
	    struct ast *, int64_t op, struct ast *);
struct ast *ast_tagged(struct parser *, const struct place *, int64_t neg,
	    const char *);
struct ast *ast_received_on(struct parser *, const struct place *,
	    int64_t neg, struct ast *interface);
struct ast *ast_af_to(struct parser *, const struct place *, int64_t af,
	    struct ast *from, struct ast *to);
struct ast *ast_icmp(struct parser *, const struct place *, enum pfk_af,
	    struct ast *type, struct ast *code);
struct ast *ast_icmp_one(struct parser *, const struct place *, enum pfk_af,
	    struct ast *item);
struct ast *ast_pool(struct parser *, const struct place *, enum ast_kind,
	    struct ast *hosts, struct ast *port, struct ast *opts);
struct ast *ast_pool_host(struct parser *, const struct place *,
	    struct ast *host, int64_t weight, int64_t position);
struct ast *ast_pool_list(struct parser *, const struct place *,
	    struct ast *host, int64_t weight);
struct ast *ast_pool_more(struct parser *, struct ast *list, struct ast *host,
	    int64_t weight);

#endif
