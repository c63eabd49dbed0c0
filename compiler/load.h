/*
 * Loading: what pfctl does with the rules of a file once it has read it all.
 */
#ifndef COMPILER_LOAD_H
#define COMPILER_LOAD_H

#include "compiler/compile.h"

/*
 * Anchor by anchor, in the order in which they are called: optimises the
 * rules as opts.optimize says, numbers them, replaces `$nr` in labels and
 * tags, and with -v appends to rs->echo what pfctl prints.  The main file and
 * each `load anchor` file are loaded by a call of their own, as soon as they
 * are read.
 * => false: a message that ends pfctl has been queued; rs->echo holds what
 *    was printed before it.
 */
bool	 load_rules(struct pfk_ruleset *, struct anchor *);

#endif
