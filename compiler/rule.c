/*
 * Flat rules: how they begin, and what rule.h promises about its numbers.
 */
#include <string.h>

#include "compiler/rule.h"
#include "parser/ast.h"

/* Operators and flags come from the tree without being translated. */
_Static_assert((int)AST_OP_NONE == RULE_OP_NONE &&
    (int)AST_OP_IRG == RULE_OP_IRG && (int)AST_OP_XRG == RULE_OP_XRG &&
    (int)AST_OP_EQ == RULE_OP_EQ && (int)AST_OP_NE == RULE_OP_NE &&
    (int)AST_OP_LT == RULE_OP_LT && (int)AST_OP_LE == RULE_OP_LE &&
    (int)AST_OP_GT == RULE_OP_GT && (int)AST_OP_GE == RULE_OP_GE &&
    (int)AST_OP_RRG == RULE_OP_RRG, "operators of ast.h and rule.h differ");

const struct rule_pool rule_no_pool = { .addr.kind = RULE_ADDR_NONE };
const struct rule_timeouts rule_no_timeouts;

void
rule_init(struct rule *r)
{
	memset(r, 0, sizeof(*r));
	r->onrdomain = -1;
	r->rtable = -1;
	r->nat = r->rdr = r->route = &rule_no_pool;
	r->timeout = &rule_no_timeouts;
}

void
rule_stands_for(struct rule *r, const struct rule *other, uint8_t how)
{
	struct rule_origin *o = other->origin;

	if (r->origin == NULL || o == NULL)
		return;
	o->how = how;
	r->origin->last->next = o;
	r->origin->last = o->last;
}
