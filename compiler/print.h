/*
 * Printing: pfctl's text for everything that a ruleset holds.
 *
 * Printed text compiles to what was printed (a property test checks it).
 */
#ifndef COMPILER_PRINT_H
#define COMPILER_PRINT_H

#include "base/strbuf.h"
#include "compiler/compile.h"
#include "compiler/resolve.h"

enum print_flags {
	PRINT_NR = 1,		/* "@0 " before each rule; sizes of tables and
				   dynamic addresses (-vv, -g)		*/
	PRINT_PORT_NAMES = 2,	/* -P: services by name			*/
	PRINT_FLAT = 4		/* no indentation in anchors (-vv)	*/
};

/* The flags that pfctl's options ask for. */
unsigned print_flags_of(const struct pfk_compile_options *);

/* One rule without newline and indentation. */
void	 print_rule(struct strbuf *, const struct pfk_host *,
	    const struct rule *, unsigned flags);

/*
 * "table <x> const persist { ... }\n" as pfctl -v echoes a definition: the
 * parts between its braces, and its files, in the order of the text.
 */
struct table_init {
	const char	*file;		/* NULL: hosts are meant */
	const struct host_item *hosts;	/* chained; NULL-ended */
	struct table_init *next;
};
void	 print_table(struct strbuf *, const struct table *,
	    const struct table_init *);
void	 print_queue(struct strbuf *, const struct queue *);
/* af: of the rule that holds the address. */
void	 print_addr(struct strbuf *, const struct rule_addr *, uint8_t af,
	    unsigned flags);

#endif
