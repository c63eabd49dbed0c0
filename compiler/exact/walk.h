/*
 * A walk of all packets of a set through all rules; see walk.c.
 *
 *	walk.c		the rules in their order, anchors
 *	worlds.c	what match rules make of packets
 *	blocks.c	rules between those that do something on the way
 *	verdicts.c	what comes of it, rule by rule
 *	shares.c	which rule of a block gets which packets
 *	treatments.c	what comes of it, whichever rule does it
 *	unlike.c	where two images can differ at all
 */
#ifndef EXACT_WALK_H
#define EXACT_WALK_H

#include "compiler/exact/exact_int.h"

/*
 * Packets, and what becomes of each of them.  A relation of packets and
 * numbers of treatments is needed only if there are several.
 */
struct part {
	dd		 dom;		/* the packets */
	dd		 rel;		/* of kind SEVERAL: and the numbers */
	uint32_t	 kind;		/* the one number, or SEVERAL */
};
#define SEVERAL	UINT32_MAX

/* A rule of a block, and its packets. */
struct entry {
	uint32_t	 rule;
	dd		 set;
	bool		 quick;
};
/* Rules that are not quick, in order: the last one that fits counts. */
struct claim {
	struct part	 part;		/* all of them, by treatment; or */
	struct entry	*entries;	/* each for itself */
	size_t		 n;
};

struct world {
	struct context	 context;
	dd		 set;
};

struct walk {
	struct pfk_exact *x;
	struct ximage	*xi;
	struct arena	*arena;
	struct pfk_verdicts *v;		/* NULL: by treatment */
	struct part	 total;		/* by treatment: of quick rules */
	dd		 dropped, skipped; /* the latter by `set skip' */
	const bool	*skip;
	uint32_t	 tag;		/* that all packets come with: a string */
	dd		 everything;	/* the walk is about, but skipped */
	dd		 scope;		/* only packets of it are under way:
					   all, or those of the anchor */
	dd		 left, kept;	/* kept: by `anchor quick' */
	dd		 touched;	/* not in the first world */
	dd		 own, any;	/* claims since the anchor was entered:
					   the last one its own; some */
	VEC(struct entry) block;	/* rules not settled yet */
	VEC(struct world) worlds;
	VEC(struct claim) claims;
	VEC(struct match_item) items;
	VEC(uint32_t)	 doer;		/* by number of treatment: some rule */
	unsigned	 depth, calls;
};

/* walk.c: nothing has happened to a packet. */
void	 begin_context(struct context *);
/* Everything of `within', up to the claims, which are left over. */
void	 walk_begin(struct walk *, dd within);
void	 walk_run(struct walk *);
void	 walk_end(struct walk *);

/* worlds.c */
void	 add_world(struct walk *, const struct context *, dd set);
/* Packets that go out with a tag from where they came in. */
void	 begin_all_tagged(struct walk *, struct context *);
/* All of them have the walk's tag. */
void	 begin_with_tag(struct walk *, struct context *);
bool	 changes_context(const struct img_rule *);
/* The packets of `set' change their worlds as the rule says. */
void	 move(struct walk *, uint32_t rule, dd set);

/* blocks.c */
void	 block_add(struct walk *, uint32_t rule, dd set);
/* Settles the rules that have been added. */
void	 block_flush(struct walk *);

/* verdicts.c: the rule matches these when it is asked; a block's rules do. */
void	 verdicts_matched(struct walk *, uint32_t rule, dd set);
void	 verdicts_block(struct walk *, struct entry *, size_t n);

/* treatments.c */
#define RULE_DROPPED	(PFK_EXACT_DEFAULT - 1)	/* as rules: anchors without */
#define RULE_SKIPPED	(PFK_EXACT_DEFAULT - 2)	/* end, `set skip' */
/* The number of what the rule does where no match rule does anything. */
uint32_t rule_effect(struct pfk_exact *, struct ximage *, uint32_t rule);
struct part treatment_part(struct walk *, uint32_t rule, dd set);
void	 part_drop(struct part *);
/* What a takes and, of the rest, what b takes; both are used up. */
struct part part_first(struct walk *, struct part a, struct part b);
/* Only the packets of `set' are left in it. */
void	 part_narrow(struct part *, dd set);

#endif
