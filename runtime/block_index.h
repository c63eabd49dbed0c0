/*
 * Asking an index (block_index.c), step by step, so that steps for several
 * values can take turns while memory is on its way.
 */
#ifndef RUNTIME_BLOCK_INDEX_H
#define RUNTIME_BLOCK_INDEX_H

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "runtime/block_int.h"
#include "runtime/lane.h"

/*
 * A cell leads on:
 *
 *	63		 48  47	45	44   43	 38  37	  32  31      0
 *	mask		     reached	word	     shift    at
 *
 * A word of the value, shifted to the right, under the mask counts what is
 * there from `at' on.  Cells of nodes lead to cells.  Others have no mask: they
 * lead to a leaf, which begins with the same cell once more, so that a step
 * that is not needed does no harm.
 *
 * Behind a leaf's cell stand as many 32 bit numbers as `reached' says, in
 * order, with which the value's word, shifted, is compared; and behind them
 * what each stretch between them leads to: a place, or, with INDEX_INNER, one
 * more cell.  If there are no numbers it is a place itself: words of sets of
 * tables, and a list.
 */
#define CELL_SHIFT	32
#define CELL_WORD	44
#define CELL_REACHED	45
#define CELL_MASK	48
#define INDEX_INNER	0x80000000u
#define INDEX_FIRST	32	/* of a place's last word: the list's first rule */
#define INDEX_LEAF	6u	/* numbers to be compared at most */
#define INDEX_SIGN	0x80000000u	/* they are kept for signed compares */

enum { INDEX_INSIDE, INDEX_OUTSIDE };	/* where to begin */
#define INDEX_PLACES	8u	/* places: each lies in one line if it fits */

static ALWAYS_INLINE bool
cell_is_node(uint64_t cell)
{
	return cell >> CELL_MASK != 0;
}

static ALWAYS_INLINE uint32_t
index_step(uint64_t cell, uint64_t w)
{
	return (uint32_t)cell + (uint32_t)((w >> (cell >> CELL_SHIFT & 63)) &
	    cell >> CELL_MASK);
}

static ALWAYS_INLINE uint32_t
index_begin(const struct block_index *x, uint64_t w0)
{
	uint32_t outside = 0u - ((w0 & x->top_mask) != x->top);
	uint32_t at = index_step(x->root, w0);

	return at ^ ((at ^ INDEX_OUTSIDE) & outside);
}

/* How many of the first k numbers are not above v; the others do not
 * matter.  => INDEX_LEAF + 1 numbers can be read. */
static ALWAYS_INLINE unsigned
index_reached(const void *numbers, unsigned k, uint32_t v)
{
#if defined(__SSE2__)
	const __m128i *p = numbers;
	__m128i x = _mm_set1_epi32((int)(v ^ INDEX_SIGN));
	__m128i above = _mm_packs_epi32(_mm_cmpgt_epi32(_mm_loadu_si128(p), x),
	    _mm_cmpgt_epi32(_mm_loadu_si128(p + 1), x));

	return lowest_bit((unsigned)_mm_movemask_epi8(_mm_packs_epi16(above,
	    above)) | 1u << k);
#else
	const unsigned char *p = numbers;
	unsigned n = 0;
	uint32_t at;

	for (unsigned i = 0; i < INDEX_LEAF; i++) {
		memcpy(&at, p + i * sizeof(at), sizeof(at));
		n += (i < k) & ((at ^ INDEX_SIGN) <= v);
	}
	return n;
#endif
}

/* => It is a leaf. */
static ALWAYS_INLINE uint32_t
index_leaf(const struct block_index *x, uint64_t cell, uint64_t w)
{
	unsigned k = cell >> CELL_REACHED & 7, n;
	uint32_t at = (uint32_t)cell, to, some = 0u - (k != 0);
	const unsigned char *p = (const unsigned char *)&x->m[at + 1];

	n = index_reached(p, k, (uint32_t)(w >> (cell >> CELL_SHIFT & 63)));
	memcpy(&to, p + (k + n) * sizeof(to), sizeof(to));
	return at ^ ((at ^ to) & some);
}

/* From a cell to the value's place. */
static inline uint32_t
index_place(const struct block_index *x, const uint64_t v[2], uint32_t at)
{
	for (;;) {
		uint64_t cell = x->m[at], w = v[cell >> CELL_WORD & 1];

		if (cell_is_node(cell)) {
			at = index_step(cell, w);
			continue;
		}
		at = index_leaf(x, cell, w);
		if (!(at & INDEX_INNER))
			return at;
		at &= ~INDEX_INNER;
	}
}

/* The last word of its place: a list, and the first of that. */
static inline uint64_t
index_word(const struct block_index *x, const uint64_t v[2])
{
	return x->m[index_place(x, v, index_begin(x, v[0])) + x->stride - 1];
}

static inline uint32_t
index_list(const struct block_index *x, const uint64_t v[2])
{
	return x->listed ? (uint32_t)index_word(x, v) : 0;
}

#endif
