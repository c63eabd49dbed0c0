/*
 * Shares: which rule of a block gets which packets; see shares.c.
 */
#ifndef EXACT_SHARES_H
#define EXACT_SHARES_H

#include "compiler/exact/walk.h"

/* A tree over the rules of a block. */
struct share_node {
	dd		 all;		/* of the rules under it */
	dd		 taken;		/* that others do not get any more */
	dd		 passed;	/* of these, by a rule that passes */
	struct share_node *half[2], *up;
	struct entry	*e;		/* n of them */
	size_t		 n;
};
struct sharing {
	bool		 backwards;	/* the last rule is asked first */
	dd		 open;		/* what is shared out */
	struct share_node *root;
	struct share_node **leaf;	/* by entry */
};

/*
 * The entries' sets stay theirs, and the entries where they are.  `open'
 * becomes what is left; returned are the packets that pass.
 */
dd	 sharing_make(struct walk *, struct arena *, struct sharing *,
	    struct entry *, size_t n, bool backwards, dd *open);
void	 sharing_drop(struct sharing *);

/* To all of them; fn takes the set over. */
void	 share_all(const struct sharing *, void (*fn)(void *, struct entry *,
	    dd), void *ctx);
/* What the i-th entry gets; whether any of that is in the set. */
dd	 share_of(const struct sharing *, size_t i);
bool	 share_meets(const struct sharing *, size_t i, dd set);
/* Whether all of the set is. */
bool	 share_holds(const struct sharing *, size_t i, dd set);
/* Whether the packet is in it. */
bool	 share_has(struct pfk_exact *, const struct sharing *, size_t i,
	    const struct pfk_exact_packet *);

#endif
