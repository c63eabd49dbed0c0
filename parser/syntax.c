/*
 * What a syntax error says.
 */
#include "parser/parser_int.h"

void
syntax_error(struct parser *p, const struct dead_end *e)
{
	struct diag *d = parser_error_at(p, &e->place, "syntax",
	    "syntax error");

	d->cascade = p->lexical;
}
