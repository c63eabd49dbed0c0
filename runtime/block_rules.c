/*
 * Which rules may be looked up as one block.
 *
 * Those that do nothing on the way: pass and block rules that only count when
 * they decide.  Chance, rates, `once` and tags that are set by rules which
 * may not be the last to match happen when the rules are walked over, and end
 * a block; so do anchors and match rules.
 */
#include "runtime/image.h"

#define NOT_SIMPLE (IMG_R_ONCE | IMG_R_ANCHOR)

static bool
simple_rule(const struct img_rule *r)
{
	return r->action != IMG_MATCH && (r->flags & NOT_SIMPLE) == 0 &&
	    r->prob == 0 && r->pktrate[0] == 0 &&
	    (r->tag == 0 || (r->flags & IMG_R_QUICK) != 0);
}

uint32_t
image_block_length(const struct img_rule *r, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && simple_rule(&r[i]))
		i++;
	return i > 1 ? i : 1;
}
