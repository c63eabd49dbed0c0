/*
 * Lists of negated addresses: each element is a rule, and what one leaves out
 * the next one lets in.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

/* The rule's element of that part, if it is one of a list and negated. */
static bool
negated_element(struct lint *l, uint32_t rule, enum pfk_part part,
    struct pfk_origin *o, struct pfk_element *e)
{
	struct pfk_origins all;
	struct pfk_source s;

	pfk_image_origins(l->image, rule, &all);
	if (!pfk_image_next_origin(&all, o))
		return false;
	for (size_t i = 0; i < o->nelements; i++) {
		if (o->element[i].part != part || !o->element[i].listed ||
		    o->element[i].at.source == PFK_NO_SOURCE)
			continue;
		*e = o->element[i];
		pfk_image_source(l->image, e->at.source, &s);
		return s.text != NULL && s.text[e->at.off] == '!';
	}
	return false;
}

static bool
same_place(const struct pfk_place *a, const struct pfk_place *b)
{
	return a->source == b->source && a->off == b->off;
}

/* Rules of one statement whose elements are all negated. */
static uint32_t
check_from(struct lint *l, uint32_t first, enum pfk_part part)
{
	unsigned side = part == PFK_PART_DESTINATION;
	struct pfk_origin o, other;
	struct pfk_element e, second;
	pfk_set all, any, one, sum;
	uint32_t i;
	bool two = false;

	if (!negated_element(l, first, part, &o, &e))
		return first + 1;
	all = pfk_set_rule(l->exact, 0, first);
	for (i = first + 1; i < pfk_image_rules(l->image) &&
	    negated_element(l, i, part, &other, &second) &&
	    same_place(&o.statement.at, &other.statement.at); i++) {
		two |= !same_place(&e.at, &second.at);
		one = pfk_set_rule(l->exact, 0, i);
		sum = pfk_set_or(l->exact, all, one);
		pfk_set_free(l->exact, one);
		pfk_set_free(l->exact, all);
		all = sum;
	}
	any = pfk_set_any_address(l->exact, all, side);
	if (two && all != PFK_SET_NONE && pfk_set_within(l->exact, any, all))
		finding_at(l, LINT_NEGATED_LIST, &e, "this list of negated "
		    "addresses matches every address")->about = ABOUT_ELEMENT;
	pfk_set_free(l->exact, all);
	pfk_set_free(l->exact, any);
	return i;
}

void
check_lists(struct lint *l)
{
	static const enum pfk_part parts[] = { PFK_PART_SOURCE,
	    PFK_PART_DESTINATION };

	for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
		for (uint32_t i = 0; i < pfk_image_rules(l->image);)
			i = check_from(l, i, parts[p]);
}
