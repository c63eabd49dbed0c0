/*
 * pfctl's ruleset optimiser (pf.conf(5), "set ruleset-optimization").
 */
#ifndef COMPILER_OPTIMIZE_H
#define COMPILER_OPTIMIZE_H

#include "compiler/compile.h"

/*
 * Optimises the rules of one anchor in place (its children are not touched):
 * duplicates and subsets go, adjacent rules that differ in one address are
 * merged into tables, rules inside a superblock are reordered.  Tables made
 * are appended to rs->flat.root and, with -v, echoed as pfctl does.
 */
void	 optimize_anchor(struct pfk_ruleset *, struct anchor *,
	    enum optimize_level);

#endif
