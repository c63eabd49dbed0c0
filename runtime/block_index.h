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
 * A cell, as long as it takes to read it:
 *
 *	63	 48	47	45  44	 43	38  37	    32  31	   0
 *	node	 ...	reached	word right	left	    at
 *
 * A node looks at bits of a word of the value: those that are left when it is
 * shifted left, then right; they count cells from `at' on.  Else it is a leaf:
 * the value's word, shifted (left's bits) to the right, is compared with as
 * many 32 bit numbers as `reached' says; they stand at `at', in order, and
 * behind them what each stretch between them leads to: a place, or, with
 * INDEX_INNER, one more cell.  If there are none `at' is the place.
 */
#define CELL_SHIFT	32
#define CELL_RIGHT	38
#define CELL_WORD	44
#define CELL_REACHED	45
#define CELL_NODE	((uint64_t)1 << 48)
#define INDEX_INNER	0x80000000u
#define INDEX_LEAF	7u	/* numbers to be compared at most */
#define INDEX_SIGN	0x80000000u	/* they are kept for signed compares */

enum { INDEX_INSIDE, INDEX_OUTSIDE, INDEX_CELLS }; /* where to begin */

static ALWAYS_INLINE uint32_t
index_begin(const struct block_index *x, uint64_t w0)
{
	return (w0 & x->top_mask) != x->top;
}

static ALWAYS_INLINE uint32_t
index_node(uint64_t cell, uint64_t w)
{
	return (uint32_t)cell + (uint32_t)(w << (cell >> CELL_SHIFT & 63) >>
	    (cell >> CELL_RIGHT & 63));
}

/* How many of the first k numbers there are up to v, of which the rest does
 * not matter.  => INDEX_LEAF + 1 numbers can be read. */
static ALWAYS_INLINE unsigned
index_reached(const void *numbers, unsigned k, uint32_t v)
{
#if defined(__SSE2__)
	const __m128i *p = numbers;
	__m128i x = _mm_set1_epi32((int)(v ^ INDEX_SIGN));
	__m128i above = _mm_packs_epi32(_mm_cmpgt_epi32(_mm_loadu_si128(p), x),
	    _mm_cmpgt_epi32(_mm_loadu_si128(p + 1), x));

	return strip_lowest((unsigned)_mm_movemask_epi8(_mm_packs_epi16(above,
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
	unsigned k = cell >> CELL_REACHED & INDEX_LEAF, n;
	uint32_t at = (uint32_t)cell, to;
	const unsigned char *p = (const unsigned char *)&x->m[k != 0 ? at : 0];

	n = index_reached(p, k, (uint32_t)(w >> (cell >> CELL_SHIFT & 63)));
	memcpy(&to, p + (k + n) * sizeof(to), sizeof(to));
	return k != 0 ? to : at;
}

/* From a cell to the value's place. */
static inline uint32_t
index_place(const struct block_index *x, const uint64_t v[2], uint32_t at)
{
	for (;;) {
		uint64_t cell = x->m[at], w = v[cell >> CELL_WORD & 1];

		if (cell & CELL_NODE) {
			at = index_node(cell, w);
			continue;
		}
		at = index_leaf(x, cell, w);
		if (!(at & INDEX_INNER))
			return at;
		at &= ~INDEX_INNER;
	}
}

static inline uint32_t
index_list(const struct block_index *x, const uint64_t v[2])
{
	return x->lists == NULL ? 0 :
	    x->lists[index_place(x, v, index_begin(x, v[0]))];
}

#endif
