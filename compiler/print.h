/*
 * Printing: pfctl's text for everything that a ruleset holds.
 *
 * Printed text compiles to what was printed (a property test checks it).
 */
#ifndef COMPILER_PRINT_H
#define COMPILER_PRINT_H

#include "base/strbuf.h"
#include "compiler/compile.h"

enum print_flags {
	PRINT_NR = 1,		/* "@0 " before each rule (-vv)		*/
	PRINT_PORT_NUMBERS = 2	/* -P: no service names			*/
};

/* One rule without newline and indentation. */
void	 print_rule(struct strbuf *, const struct pfk_host *,
	    const struct rule *, unsigned flags);
/* All rules of an anchor with their inline bodies, as pfctl -v shows them. */
void	 print_anchor(struct strbuf *, const struct pfk_host *,
	    const struct anchor *, unsigned flags);
/* "table <x> const persist { ... }\n" as pfctl -v echoes a definition. */
void	 print_table(struct strbuf *, const struct table *);
void	 print_queue(struct strbuf *, const struct queue *);
void	 print_addr(struct strbuf *, const struct rule_addr *, uint8_t af,
	    unsigned flags);

#endif
