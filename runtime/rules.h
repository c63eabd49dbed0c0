/*
 * Rules at run time: anchors, and the images that their rules come from.
 */
#ifndef RUNTIME_RULES_H
#define RUNTIME_RULES_H

#include "runtime/rules_int.h"

/* An anchor as it is now. */
struct anchor_rt {
	char		*path;
	const uint32_t	*code;		/* of its rules */
	uint32_t	 base;		/* e->rules of the image's rule 0 */
	uint32_t	 rule0, nrules;	/* its rules in e->rules */
	uint32_t	 parent;	/* IMG_NONE: the main ruleset */
	uint32_t	*children;	/* sorted by path */
	uint32_t	 nchildren;
};

/* An image whose rules are in e->rules from base on. */
struct attached {
	const struct pfk_image *image;
	uint32_t	 base;
	uint32_t	*tables;	/* e->tables of each of its tables */
	uint32_t	*anchors;	/* e->anchors of each of its anchors */
};

/* The code of an anchor that has no rules. */
extern const uint32_t rules_no_code[1];

/* rules.c */
bool	 rules_append(struct pfk_engine *, const struct pfk_image *,
	    const uint32_t *anchors, const uint32_t *tables,
	    uint32_t *base);
/* anchors.c */
bool	 anchors_init(struct pfk_engine *);
void	 anchors_free(struct pfk_engine *);
/* Finds or makes the anchor and those above it; IMG_NONE: no memory. */
uint32_t anchor_make(struct pfk_engine *, const char *path);

/* match.c: what a rule does that the packet fits.  PKT_DROP: f->reason. */
enum outcome rule_matches(struct pfk_engine *, struct filter *, uint32_t rule);

#endif
