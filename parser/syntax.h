/*
 * Syntax errors in words: what syntax.c and syntax_hints.c share.
 */
#ifndef PARSER_SYNTAX_H
#define PARSER_SYNTAX_H

#include "parser/parser_int.h"

extern const char *const syntax_statements[], *const syntax_rule_options[];

bool	 dead_end_expects(const struct dead_end *, const char *text);
/* "`on`", "word `foo`", "end of line" */
const char *dead_end_found(struct parser *, const struct dead_end *);
/* Whether it was a mistake that is known; then it has been told. */
bool	 syntax_hint(struct parser *, const struct dead_end *, struct diag *);

#endif
