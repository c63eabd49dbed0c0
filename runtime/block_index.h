/*
 * Asking an index (block_index.c), step by step, so that steps for several
 * values can take turns while memory is on its way.
 */
#ifndef RUNTIME_BLOCK_INDEX_H
#define RUNTIME_BLOCK_INDEX_H

#include "runtime/block_int.h"

#define INDEX_LEAF	7u	/* values to be compared in the end */

struct index_node {
	struct value	low, high;	/* of the first and the last piece */
	uint32_t	first, end;	/* pieces */
	uint32_t	cells;
	uint32_t	mask;
	uint8_t		word, shift;
	bool		skips;		/* bits above, that may differ */
};

static inline uint32_t
node_cell(const struct index_node *node, const struct value *v)
{
	return (uint32_t)(v->w[node->word] >> node->shift) & node->mask;
}

static inline bool
index_is_outside(const struct index_node *node, const struct value *v,
    uint32_t *at)
{
	bool below = value_less(v, &node->low);

	if (below || value_less(&node->high, v))
		*at = below ? node->first - 1 : node->end - 1;
	return below || value_less(&node->high, v);
}

/* => The place is a node.  NULL: the value is outside, and *at the piece. */
static inline const uint32_t *
index_step(const struct block_index *x, const struct value *v, uint32_t *at)
{
	const struct index_node *node = &x->nodes[*at & ~INDEX_INNER];

	if (!node->skips || !index_is_outside(node, v, at))
		return &x->cells[node->cells + node_cell(node, v)];
	return NULL;
}

/* Of the value's piece and up to INDEX_LEAF before it, the first is `at'. */
static inline const struct known *
index_known4(const struct block_index *x, uint32_t v, uint32_t at)
{
	const struct piece4 *p = &x->v4[at];

	p += p[4].at <= v ? 4 : 0;
	p += p[2].at <= v ? 2 : 0;
	p += p[1].at <= v ? 1 : 0;
	return &p->k;
}

static inline bool
piece6_reached(const struct piece6 *p, const struct value *v)
{
	return (p->at[0] < v->w[0]) |
	    ((p->at[0] == v->w[0]) & (p->at[1] <= v->w[1]));
}

static inline const struct known *
index_known6(const struct block_index *x, const struct value *v, uint32_t at)
{
	const struct piece6 *p = &x->v6[at];

	p += piece6_reached(p + 4, v) ? 4 : 0;
	p += piece6_reached(p + 2, v) ? 2 : 0;
	p += piece6_reached(p + 1, v) ? 1 : 0;
	return &p->k;
}

#endif
