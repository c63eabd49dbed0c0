/*
 * What the token patterns (grammar/pfconf.l) do beyond matching: lexer.c, and
 * the few functions of the scanner itself that it needs.
 */
#ifndef PARSER_LEXER_H
#define PARSER_LEXER_H

#include "parser/parser_int.h"
#include "grammar/pfconf.tab.h"

#define SKIP_LINE	(-1)	/* an error, told; skip to the end of line */

/* pfconf.l */
int	 pfconf_scan(PFCONF_STYPE *, struct place *, void *scanner);
void	 lexer_start(struct parser *);
void	 lexer_reset(struct parser *);
void	 lexer_read(struct parser *, struct frame *);
void	 lexer_reread(struct parser *, struct frame *);
void	 lexer_leave(struct parser *);

/* lexer.c */
struct frame *lexer_file(const struct parser *);
struct place lexer_place(struct parser *, const char *at, uint32_t len);
/* From P->start to just before `end`. */
struct place lexer_token_place(struct parser *, const char *end);
/* Whether that is the newline which we put at the end of each file. */
bool	 lexer_made_up(const struct parser *, const char *newline);
void	 lexer_continue(struct parser *, const char *newline);
void	 lexer_comment_continues(struct parser *, const char *newline);
void	 lexer_blank_after_backslash(struct parser *, const char *backslash);
int	 lexer_newline(struct parser *);
bool	 lexer_macro(struct parser *, const struct place *, const char *,
	    size_t);

/* Finished tokens: the token's number, or SKIP_LINE. */
int	 lexer_word(struct parser *, const struct place *, const char *, size_t,
	    PFCONF_STYPE *);
int	 lexer_number(struct parser *, const struct place *, const char *,
	    size_t, PFCONF_STYPE *);
/* A word put together in P->token; `next` is the byte that ends it. */
int	 lexer_pieces(struct parser *, const struct place *, int next,
	    PFCONF_STYPE *);
int	 lexer_quoted(struct parser *, const struct place *, PFCONF_STYPE *);
/* The file ends inside a quoted string. */
int	 lexer_open_quote(struct parser *, const struct place *,
	    PFCONF_STYPE *);

void	 lexer_push(struct parser *, struct frame *);
bool	 lexer_fill(struct parser *, struct frame *);
bool	 lexer_next_window(struct parser *);

#endif
