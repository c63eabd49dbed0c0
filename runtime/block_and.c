/*
 * Asking the bit vectors of a block (block_vectors.h): what those of a packet's
 * addresses and ports have in common with the rules that its class fits.
 *
 * All words are looked at, whichever rule it is: to stop early costs more, as
 * the processor cannot guess where.
 */
#include "base/prefetch.h"
#include "runtime/block_index.h"
#include "runtime/block_looking.h"
#include "runtime/block_vectors.h"
#include "runtime/lane.h"
#include "runtime/strip_columns.h"

struct common { uint64_t w[VECTOR_WORDS + VECTOR_STEP]; };

/* ---- pieces ---- */

static ALWAYS_INLINE void
take_piece(const struct block_vectors *x, struct look *l, unsigned i,
    uint64_t piece)
{
	uint32_t first = (uint32_t)(piece >> PIECE_FIRST);

	l->r->list[i] = (uint32_t)piece;
	l->r->asked = first < l->r->asked ? first : l->r->asked;
	l->v[i] = piece_vector(x, piece);
	PREFETCH(l->v[i]);
	if (i <= V_DST)		/* those of ports are few */
		PREFETCH(l->v[i] + 8);
}

/* The lists, too, of rules about which the packet may stray. */
static ALWAYS_INLINE void
find_vectors(const struct looking *g, struct look *l)
{
	const struct block_vectors *x = g->b->vectors;
	const struct block_index *a = g->f->index;
	const struct block_class *c = l->r->class;
	uint32_t ports = l->k.ports;

	l->r->asked = *g->b->always;
	take_piece(x, l, V_SRC, a[SRC].m[l->at[SRC] + 1]);
	take_piece(x, l, V_DST, a[DST].m[l->at[DST] + 1]);
	take_piece(x, l, V_SPORT, port_piece(&x->ports[SRC],
	    (uint16_t)(ports >> 16)));
	take_piece(x, l, V_DPORT, port_piece(&x->ports[DST],
	    (uint16_t)ports));
	l->v[V_CLASS] = c == NULL ? x->v + VECTOR_NONE * x->words : c->fits;
}

/* ---- what they have in common ---- */

/* A bit for each word that is zero. */
static ALWAYS_INLINE uint64_t
and_plain(const struct look *l, struct common *c, unsigned words,
    const uint64_t *kind)
{
	uint64_t zeros = 0;

	for (unsigned i = 0; i < words; i++) {
		uint64_t w = l->v[V_SRC][i] & l->v[V_DST][i] &
		    l->v[V_SPORT][i] & l->v[V_DPORT][i] & l->v[V_CLASS][i];

		if (kind != NULL)
			w &= kind[i];
		c->w[i] = w;
		zeros |= (uint64_t)(w == 0) << i;
	}
	return zeros;
}

#ifdef HAVE_WIDE
/* Of four words: zero ones. */
WIDE static ALWAYS_INLINE unsigned
and_four(const uint64_t *const v[V_COUNT], uint64_t *to, const uint64_t *kind,
    unsigned i)
{
	__m256i w = _mm256_and_si256(wide_load(v[V_SRC] + i),
	    wide_load(v[V_DST] + i));

	w = _mm256_and_si256(w, wide_load(v[V_SPORT] + i));
	w = _mm256_and_si256(w, wide_load(v[V_DPORT] + i));
	w = _mm256_and_si256(w, wide_load(v[V_CLASS] + i));
	if (kind != NULL)
		w = _mm256_and_si256(w, wide_load(kind + i));
	_mm256_storeu_si256((__m256i *)(void *)(to + i), w);
	return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(
	    _mm256_cmpeq_epi64(w, _mm256_setzero_si256())));
}

WIDE static ALWAYS_INLINE uint64_t
and_wide(const struct look *l, struct common *c, unsigned words,
    const uint64_t *kind)
{
	const uint64_t *const v[V_COUNT] = { l->v[V_SRC], l->v[V_DST],
	    l->v[V_SPORT], l->v[V_DPORT], l->v[V_CLASS] };
	uint64_t zeros = 0;

	for (unsigned i = 0; i < words; i += VECTOR_STEP)
		zeros |= (uint64_t)(and_four(v, c->w, kind, i) |
		    and_four(v, c->w, kind, i + 4) << 4) << i;
	return zeros;
}
#endif

/* ---- the rule ---- */

static ALWAYS_INLINE bool
holds(const struct looking *g, const struct look *l, uint32_t rule)
{
	return !bit(g->b->vectors->checks, rule) || look_is_match(g, l, rule,
	    g->b->usual[rule].check);
}

/* Of those in common that are looked at more closely; n: none. */
static NOINLINE uint32_t
first_that_holds(const struct looking *g, const struct look *l,
    const uint64_t *all, uint32_t rule)
{
	for (; rule < g->b->n; rule++)
		if (bit(all, rule) && holds(g, l, rule))
			break;
	return rule;
}

static NOINLINE uint32_t
last_that_holds(const struct looking *g, const struct look *l,
    const uint64_t *all, uint32_t rule)
{
	for (;; rule--) {
		if (bit(all, rule) && holds(g, l, rule))
			return rule;
		if (rule == 0)
			return g->b->n;
	}
}

/* Without a branch that depends on the packet, but for one that is rare. */
static ALWAYS_INLINE uint32_t
first_of(const struct looking *g, const struct look *l, struct common *c,
    uint64_t zeros, unsigned words, uint32_t n, const uint64_t *checks)
{
	unsigned i = lowest_bit(~zeros);
	uint32_t rule;

	c->w[words] = 1;
	rule = i * 64 + lowest_bit(c->w[i]);
	rule = rule < n ? rule : n;
	if (rule < n && bit(checks, rule))
		rule = first_that_holds(g, l, c->w, rule);
	return rule;
}

static ALWAYS_INLINE uint32_t
last_of(const struct looking *g, const struct look *l, struct common *c,
    uint64_t zeros, unsigned words, uint32_t n, const uint64_t *checks)
{
	uint64_t some = ~zeros & (((uint64_t)1 << words) - 1);
	uint32_t rule;
	unsigned i;

	if (some == 0)
		return n;
	i = highest_bit(some);
	rule = i * 64 + highest_bit(c->w[i]);
	if (bit(checks, rule))
		rule = last_that_holds(g, l, c->w, rule);
	return rule == n ? n : n - 1 - rule;
}

/* ---- all packets ---- */

/* Rules of one kind; AND is and_wide or and_plain. */
#define ASK(IF, ANSWER, OF, AND, KIND) do {				\
	const uint64_t *kind = KIND, *checks = g->b->vectors->checks;	\
	unsigned words = g->b->vectors->words;				\
	uint32_t n = g->b->n;						\
	size_t some = g->n;						\
									\
	for (size_t i = 0; i < some; i++) {				\
		struct look *l = &g->v[i];				\
									\
		if (IF)							\
			l->r->ANSWER = OF(g, l, &c, AND(l, &c, words,	\
			    kind), words, n, checks);			\
	}								\
} while (0)

#define ASK_ALL(AND) do {						\
	const struct block_vectors *x = g->b->vectors;			\
	struct common c;						\
									\
	for (size_t i = 0; i < g->n; i++)				\
		find_vectors(g, &g->v[i]);				\
	if (!x->last)							\
		ASK(true, quick, first_of, AND, NULL);			\
	else if (x->quick)						\
		ASK(true, quick, first_of, AND, g->b->quick);		\
	if (x->last)							\
		ASK(l->r->quick == n, last, last_of, AND, x->others);	\
} while (0)

#ifdef HAVE_WIDE
WIDE static void
ask_wide(const struct looking *g)
{
	ASK_ALL(and_wide);
}
#endif

static void
ask_plain(const struct looking *g)
{
	ASK_ALL(and_plain);
}

void
vectors_ask(const struct looking *g)
{
#ifdef HAVE_WIDE
	if (g->b->wide) {
		ask_wide(g);
		return;
	}
#endif
	ask_plain(g);
}
