/*
 * The syntax tree of pf.conf, and how the parser hands it over.
 *
 * pfctl checks a ruleset while it parses it: a wrong host name ends the
 * statement at that very token, and what is left of the line is skipped.  To
 * say what pfctl says, in its order and at its lines, the tree is handed over
 * node by node: each time the grammar has built one, the listener is called.
 * It may refuse the node (having queued its diagnostic), and the parser goes
 * into the error recovery that pfctl would be in.  So the grammar stays free
 * of checks, the checks free of grammar, and both agree on what happens when.
 *
 * A node is complete when its event comes, and its children have had theirs
 * before it (but an INTERFACE learns only afterwards whether `!` or ( ) stood
 * around it).  WORD, NUM and LIST have no events.  `sem` belongs to the
 * listener: what it made of the node (resolved addresses, a number ...).
 *
 * Nodes live until the end of the statement of which they are part, then
 * their room is used again; those of SET_STATE_DEFAULTS stay.  So the
 * listener keeps no other node beyond the event of the whole statement (an
 * ANCHOR with a body is one statement, each line of the body another).  All
 * text (str, str2) and expansions live as long as the arena, and equal words
 * are mostly one string.
 *
 * One node type serves all kinds; ast.def says which fields a kind uses.
 */
#ifndef PARSER_AST_H
#define PARSER_AST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/source.h"

enum ast_kind {
#define AST(kind, doc)	AST_##kind,
#include "parser/ast.def"
#undef AST
	AST_NKINDS
};

/* kid[] of RULE and ANCHOR */
enum ast_rule_kid {
	AST_K_ACTION,		/* ACTION; of ANCHOR: ANCHOR_NAME or NULL */
	AST_K_LOGQUICK,		/* LOGQUICK (never NULL) */
	AST_K_INTERFACE,	/* LIST of INTERFACE or NULL */
	AST_K_PROTO,		/* LIST of PROTO or NULL */
	AST_K_FROMTO,		/* FROMTO (never NULL) */
	AST_K_OPTS,		/* LIST of OPT_* (never NULL, maybe empty) */
	AST_NKIDS
};

enum ast_action { AST_PASS, AST_BLOCK, AST_MATCH };
enum ast_dir { AST_INOUT, AST_IN, AST_OUT };
enum ast_block {
	AST_BLOCK_DEFAULT,	/* nothing written: block-policy decides */
	AST_BLOCK_DROP, AST_BLOCK_RETURN, AST_BLOCK_RETURN_RST,
	AST_BLOCK_RETURN_ICMP, AST_BLOCK_RETURN_ICMP6
};
enum ast_log { AST_LOG = 1, AST_LOG_ALL = 2, AST_LOG_MATCHES = 4,
    AST_LOG_USER = 8 };
/* the operators of ports, users and groups; pf.conf(5) spelling beside */
enum ast_op { AST_OP_NONE, AST_OP_IRG /* >< */, AST_OP_XRG /* <> */,
    AST_OP_EQ, AST_OP_NE, AST_OP_LT, AST_OP_LE, AST_OP_GT, AST_OP_GE,
    AST_OP_RRG /* : */ };
enum ast_state { AST_STATE_NO, AST_STATE_KEEP, AST_STATE_MODULATE,
    AST_STATE_SYNPROXY };
enum ast_route { AST_ROUTE_TO = 1, AST_REPLY_TO, AST_DUP_TO };
enum ast_portform { AST_PORT_PLAIN = 0, AST_PORT_RANGE_OK = 1,
    AST_PORT_STAR_OK = 2 };

struct ast {
	enum ast_kind	 kind;
	bool		 neg;
	struct span	 span;
	const struct expansion *via;	/* macros it came out of */
	struct span	 inner;		/* if only a part did (`! $if'): that,
					   else inner_via is NULL */
	const struct expansion *inner_via;
	const char	*str, *str2;
	int64_t		 num, num2;
	struct ast	*kid[AST_NKIDS];
	struct ast	*first, *last;	/* children in order */
	struct ast	*next;
	void		*sem;
	const void	*origin;	/* the listener's as well: what rules
					   keep of the node (expand_origin.c) */
};

enum ast_result {
	AST_OK,
	AST_REFUSED,	/* wrong; recover at the end of the line */
	AST_ABORT	/* stop parsing altogether (pfctl would exit) */
};

struct parser;		/* parse.c */

struct ast_listener {
	void	*ctx;
	enum ast_result (*event)(void *ctx, struct parser *, struct ast *);
};

/* "SET_TIMEOUT" and the like, for dumps. */
const char *ast_kind_name(enum ast_kind);

/*
 * Where pfctl is: the file and line that it would name in a message now.
 * (The line of the token read last, which is not always the wrong one.)
 */
const char *parser_plain_file(const struct parser *);
uint32_t parser_plain_line(const struct parser *);

/*
 * An error about the node, as pfctl would print it now: PLAIN_AT with
 * the plain file and line filled in, span and via of the node (NULL: of the
 * last token).  Counts as an error of the current file.
 */
struct diag *parser_error(struct parser *, const struct ast *,
	    const char *code, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 4, 5)));

/*
 * Parsing.  One parser serves one compilation: the main file with its
 * includes and, later, the files of `load anchor`.  Like pfctl, the parser
 * forgets all macros, those of -D too, when a top-level file has been read.
 */
struct parse_options {
	struct arena		*arena;
	struct source_map	*sources;
	struct diag_queue	*diags;
	struct ast_listener	 listener;
	/*
	 * Reads a whole file into the arena.  Returns 0 or an errno value.
	 * `path` is as written; "-" is standard input.
	 */
	int	(*read_file)(void *ctx, struct arena *, const char *path,
		    const char **text, size_t *len);
	void	*read_ctx;
	unsigned max_include_depth;	/* 0: 64 */
	size_t	 max_macro_bytes;	/* 0: 1 MB expanded text in one line */
};

struct parser *parser_new(const struct parse_options *);
/* -D name=value; false (diagnostic queued) if it has no '='. */
bool	 parser_define(struct parser *, const char *definition);
/*
 * Parses one top-level file.  `name` is what pfctl calls it ("stdin" for
 * "-"), text its content.  Returns the number of errors of it and its
 * includes, as pfctl counts them.
 */
unsigned parser_parse(struct parser *, const char *name, const char *text,
	    size_t len, struct span included_at);
/*
 * Macros of the file parsed last that were never used, in the order of
 * definition (for -vv and warnings).
 */
struct macro_use {
	const char	*name;
	struct span	 def;
	bool		 command_line;
	bool		 misspelt;	/* an undefined macro has nearly its
					   name, and that has been told */
};
size_t	 parser_unused_macros(struct parser *, struct macro_use **);

#endif
