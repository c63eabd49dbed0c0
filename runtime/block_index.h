/*
 * Asking an index (block_index.c), step by step, so that steps for several
 * values can take turns while memory is on its way.
 */
#ifndef RUNTIME_BLOCK_INDEX_H
#define RUNTIME_BLOCK_INDEX_H

#include "runtime/block_int.h"
#include "runtime/lane.h"

#define INDEX_LEAF	7u	/* values to be compared in the end */

/*
 * Two cells stand before a node's own: where values below and above lead.
 */
struct index_node {
	struct value	low, high;	/* of the first and the last piece */
	uint32_t	first, end;	/* pieces */
	uint32_t	cells;
	uint32_t	mask;
	uint8_t		word, shift;
	bool		skips;		/* bits above, that may differ */
};
enum { INDEX_ABOVE = 1, INDEX_BELOW };

static inline uint32_t
node_cell(const struct index_node *node, const struct value *v)
{
	return (uint32_t)(v->w[node->word] >> node->shift) & node->mask;
}

/* IPv4, and ports, are in the first word. */
static ALWAYS_INLINE uint32_t
index_cell(const struct index_node *node, const struct value *v, bool six)
{
	uint32_t cell = node->cells + node_cell(node, v);

	if (six && !node->skips)
		return cell;
	cell = v->w[0] > node->high.w[0] || (six &&
	    value_less(&node->high, v)) ? node->cells - INDEX_ABOVE : cell;
	return v->w[0] < node->low.w[0] || (six &&
	    value_less(v, &node->low)) ? node->cells - INDEX_BELOW : cell;
}

/*
 * From a cell (at first that at 0) to the next one; a cell that leads to a
 * piece is the last.  Values of one kind take all ways, so that there are few
 * branches: of the first node no more is asked than that it can be read.
 */
static ALWAYS_INLINE uint32_t
index_step(const struct block_index *x, const struct value *v, uint32_t cell,
    bool six)
{
	uint32_t at = x->cells[cell], inner = 0u - (at >> 31);
	const struct index_node *node = &x->nodes[at & inner & ~INDEX_INNER];

	static_assert(INDEX_INNER == 1u << 31, "the upper bit");
	return (index_cell(node, v, six) & inner) | (cell & ~inner);
}

/* Of the value's piece and up to INDEX_LEAF before it, the first is `at'. */
static inline const struct known *
index_known4(const struct block_index *x, uint32_t v, uint32_t at)
{
	const struct piece4 *p = &x->v4[at];

	p += (size_t)(p[4].at <= v) * 4;
	p += (size_t)(p[2].at <= v) * 2;
	p += (size_t)(p[1].at <= v);
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

	p += (size_t)piece6_reached(p + 4, v) * 4;
	p += (size_t)piece6_reached(p + 2, v) * 2;
	p += (size_t)piece6_reached(p + 1, v);
	return &p->k;
}

#endif
