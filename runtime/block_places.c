/*
 * Asking an index (block_index.h) about some packets side by side, where the
 * processor can: what block_look.c does for one after the other.
 *
 * Cells of four packets are read by one instruction, and what they say is done
 * to all four.  Leaves are asked one by one, as each has its own numbers.  It
 * goes on until the last of them has come to its place: to go on costs those
 * that are there no more than to ask which they are.
 */
#include "runtime/block_index.h"
#include "runtime/block_looking.h"
#include "runtime/strip_columns.h"

#ifdef HAVE_WIDE
#define FOUR		4u

/* Packets on their way through an index. */
struct trek {
	const struct block_index *x;
	size_t		 n;		/* whole fours */
	uint64_t	 w[2][BLOCK_AHEAD];	/* words of their addresses */
	uint64_t	 at[BLOCK_AHEAD];
	/* of leaves: what is looked for; numbers, how many, 1 << that */
	uint64_t	 value[BLOCK_AHEAD], numbers[BLOCK_AHEAD];
	uint64_t	 many[BLOCK_AHEAD], end[BLOCK_AHEAD];
};

WIDE static ALWAYS_INLINE __m256i
wide_all(uint64_t v)
{
	return _mm256_set1_epi64x((long long)v);
}

WIDE static ALWAYS_INLINE void
wide_store(uint64_t *to, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)to, v);
}

/* Cells at places that four packets have come to. */
WIDE static ALWAYS_INLINE __m256i
four_cells(const struct block_index *x, __m256i at)
{
	return _mm256_i64gather_epi64((const long long *)(const void *)x->m,
	    at, 8);
}

/* The words that cells ask for, shifted. */
WIDE static ALWAYS_INLINE __m256i
four_words(const struct trek *t, size_t i, __m256i cell, bool six)
{
	__m256i w = wide_load(&t->w[0][i]);
	__m256i shift = _mm256_and_si256(_mm256_srli_epi64(cell, CELL_SHIFT),
	    wide_all(63));

	if (six)
		w = _mm256_castpd_si256(_mm256_blendv_pd(
		    _mm256_castsi256_pd(w),
		    _mm256_castsi256_pd(wide_load(&t->w[1][i])),
		    _mm256_castsi256_pd(_mm256_slli_epi64(cell,
		    63 - CELL_WORD))));
	return _mm256_srlv_epi64(w, shift);
}

/* index_step() */
WIDE static ALWAYS_INLINE __m256i
four_steps(const struct trek *t, size_t i, __m256i cell, bool six)
{
	return _mm256_add_epi64(_mm256_and_si256(cell, wide_all(UINT32_MAX)),
	    _mm256_and_si256(four_words(t, i, cell, six),
	    _mm256_srli_epi64(cell, CELL_MASK)));
}

/* index_begin() */
WIDE static ALWAYS_INLINE void
begin_all(struct trek *t, bool six)
{
	const struct block_index *x = t->x;

	for (size_t i = 0; i < t->n; i += FOUR) {
		__m256i at = four_steps(t, i, wide_all(x->root), six);
		__m256i inside = _mm256_cmpeq_epi64(_mm256_and_si256(
		    wide_load(&t->w[0][i]), wide_all(x->top_mask)),
		    wide_all(x->top));

		wide_store(&t->at[i], _mm256_blendv_epi8(
		    wide_all(INDEX_OUTSIDE), at, inside));
	}
}

/* A node further. */
WIDE static ALWAYS_INLINE void
step_all(struct trek *t, bool six)
{
	for (size_t i = 0; i < t->n; i += FOUR)
		wide_store(&t->at[i], four_steps(t, i, four_cells(t->x,
		    wide_load(&t->at[i])), six));
}

/*
 * What index_leaf() needs to know; whether there are nodes among them.  Of one
 * without numbers the cell itself says where it leads.
 */
WIDE static ALWAYS_INLINE bool
read_leaves(struct trek *t, bool six)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i m = wide_all((uintptr_t)t->x->m), cells = zero;

	for (size_t i = 0; i < t->n; i += FOUR) {
		__m256i cell = four_cells(t->x, wide_load(&t->at[i]));
		__m256i many = _mm256_and_si256(_mm256_srli_epi64(cell,
		    CELL_REACHED), wide_all(7));
		__m256i behind = _mm256_andnot_si256(_mm256_cmpeq_epi64(many,
		    zero), wide_all(sizeof(*t->x->m)));
		__m256i at = _mm256_slli_epi64(_mm256_and_si256(cell,
		    wide_all(UINT32_MAX)), 3);

		cells = _mm256_or_si256(cells, cell);
		wide_store(&t->value[i], _mm256_xor_si256(four_words(t, i,
		    cell, six), wide_all(INDEX_SIGN)));
		wide_store(&t->numbers[i], _mm256_add_epi64(m,
		    _mm256_add_epi64(at, behind)));
		wide_store(&t->many[i], many);
		wide_store(&t->end[i], _mm256_sllv_epi64(wide_all(1), many));
	}
	cells = _mm256_srli_epi64(cells, CELL_MASK);
	return !_mm256_testz_si256(cells, cells);
}

/* From the leaf to where it leads.  => Eight numbers can be read. */
WIDE static ALWAYS_INLINE uint32_t
leave(struct trek *t, size_t i)
{
	const char *numbers = (const char *)(uintptr_t)t->numbers[i];
	uint64_t above = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(
	    _mm256_cmpgt_epi32(wide_load(numbers),
	    _mm256_set1_epi32((int)t->value[i]))));
	uint32_t to;

	memcpy(&to, numbers + (t->many[i] + lowest_bit(above | t->end[i])) *
	    sizeof(to), sizeof(to));
	t->at[i] = to & ~INDEX_INNER;
	return to;
}

/* Whether some go on to further cells. */
WIDE static ALWAYS_INLINE bool
leave_all(struct trek *t)
{
	uint32_t all = 0;

	for (size_t i = 0; i < t->n; i += FOUR)
		all |= leave(t, i) | leave(t, i + 1) | leave(t, i + 2) |
		    leave(t, i + 3);
	return (all & INDEX_INNER) != 0;
}

WIDE static ALWAYS_INLINE void
go(struct trek *t, bool six)
{
	begin_all(t, six);
	for (unsigned k = 1; k < t->x->depth; k++)
		step_all(t, six);
	do
		while (read_leaves(t, six))
			step_all(t, six);
	while (leave_all(t));
}

/* Those that make it whole fours are as the first. */
static ALWAYS_INLINE void
take_words(struct trek *t, const struct looking *g, unsigned side, bool six)
{
	t->n = (g->n + FOUR - 1) / FOUR * FOUR;
	for (size_t i = 0; i < g->n; i++) {
		const uint64_t *w = g->v[i].k.w;

		t->w[0][i] = six ? w[2 * side] : w[0] << 32 * side;
		if (six)
			t->w[1][i] = w[2 * side + 1];
	}
	for (size_t i = g->n; i < t->n; i++) {
		t->w[0][i] = t->w[0][0];
		t->w[1][i] = t->w[1][0];
	}
}

WIDE static ALWAYS_INLINE void
find_side(const struct looking *g, unsigned side, bool six)
{
	struct trek t;

	t.x = &g->f->index[side];
	t.w[1][0] = 0;
	take_words(&t, g, side, six);
	go(&t, six);
	for (size_t i = 0; i < g->n; i++)
		g->v[i].at[side] = (uint32_t)t.at[i];
}

WIDE static void
find_wide(const struct looking *g, bool six)
{
	static_assert(BLOCK_AHEAD % FOUR == 0, "whole fours");
	for (unsigned side = 0; side < 2; side++)
		if (six)
			find_side(g, side, true);
		else
			find_side(g, side, false);
}
#endif

bool
places_find(const struct looking *g, bool six)
{
#ifdef HAVE_WIDE
	if (g->b->wide && g->n > 1) {
		find_wide(g, six);
		return true;
	}
#else
	(void)g;
	(void)six;
#endif
	return false;
}
