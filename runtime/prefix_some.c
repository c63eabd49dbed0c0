/*
 * Whether some addresses are in a tree of prefixes, in two steps.
 *
 * First each is followed through the index's arrays (prefix_index.c) to where
 * they lead, which begins to come.  Later the buckets that were found are
 * asked, those of a kind together: which kind is next, or whether there is a
 * bucket at all, comes at random, and a processor that guesses it wrongly
 * loses more time than asking takes.
 *
 * Most trees have an array at the top, which is asked without looking at what
 * it is like more than once.
 */
#include <string.h>

#include "base/prefetch.h"
#include "runtime/lane.h"
#include "runtime/prefix_bucket.h"
#include "runtime/prefix_slot.h"

static_assert(PREFIX_SOME == 16, "see same_kind()");

/* ---- finding ---- */

/* A slot that leads to no array: its state, and what it means if that is
   nothing. */
static inline uint32_t
slot_with(uint32_t slot, unsigned above)
{
	return (slot & STATE_MASK) != 0 ? slot : slot | above << STATE_SHIFT;
}

/* The top, as an array: what following it takes. */
struct top {
	const uint32_t	*slots;
	struct key	head, mask;	/* what keys must have in common */
	unsigned	from, bits;
};

/* false: it is none, or one that looks at the second word. */
static inline bool
top_array(const struct prefix_index *x, struct top *t)
{
	memset(t, 0, sizeof(*t));
	if (!(x->top & IS_ARRAY))
		return false;
	t->slots = array_slots(x, x->top);
	t->bits = array_bits(x->top);
	if (x->top & HAS_HEAD) {
		struct prefix_node head = array_head(x, x->top);

		t->from = head.bits;
		t->head = node_key(&head);
		t->mask.hi = top_bits(t->from);
	}
	return t->from + t->bits <= 64;
}

/*
 * Below the top; the result: those that lead to another array.
 * => Inlined: heads are rare with IPv4.
 */
static ALWAYS_INLINE uint32_t
follow_top(const struct prefix_index *x, const struct top *t,
    const struct key *k, unsigned n, struct prefix_some *s, bool head)
{
	unsigned at = t->from + t->bits, shift = 64 - t->bits;
	uint32_t more = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t hi = k[i].hi;
		uint32_t slot = t->slots[(head ? hi << t->from : hi) >> shift];

		if (head)	/* another head: no bucket, no state */
			slot = ((hi ^ t->head.hi) & t->mask.hi) == 0 ? slot : 0;
		s->slot[i] = slot;
		s->rest[i] = key_after(k[i], at).hi;
		more |= slot >> 31 << i;
		/* there is memory at any bucket's number */
		PREFETCH(prefix_mem_at(x, slot & UNIT_MASK));
	}
	memset(s->at, (int)at, sizeof(s->at));
	return more;
}

static uint32_t
follow_first(const struct prefix_index *x, const struct key *k, unsigned n,
    struct prefix_some *s)
{
	struct top t;

	if (top_array(x, &t))
		return t.from == 0 ? follow_top(x, &t, k, n, s, false) :
		    follow_top(x, &t, k, n, s, true);
	for (unsigned i = 0; i < n; i++) {
		s->slot[i] = x->top;
		s->rest[i] = k[i].hi;
	}
	memset(s->at, 0, sizeof(s->at));
	return x->top & IS_ARRAY ? (1u << n) - 1 : 0;
}

/* One array further; whether there is another one. */
static inline bool
follow_next(const struct prefix_index *x, struct key k, unsigned i,
    struct prefix_some *s)
{
	struct place p = { s->slot[i], s->at[i], s->slot[i] >> STATE_SHIFT &
	    3 };

	if (!descend(x, k, &p))
		p.ref = PREFIX_ABOVE;
	s->slot[i] = slot_with(p.ref, p.state);
	s->at[i] = (uint8_t)p.at;
	s->rest[i] = key_after(k, p.at).hi;
	PREFETCH(prefix_mem_at(x, p.ref & UNIT_MASK));
	return (p.ref & IS_ARRAY) != 0;
}

void
prefix_find_some(const struct prefix_tree *t, const struct key *k,
    unsigned n, struct prefix_some *s)
{
	const struct prefix_index *x = &t->index;
	uint32_t more = follow_first(x, k, n, s), next;

	for (; more != 0; more = next) {
		next = 0;
		for (uint32_t m = more; m != 0; m &= m - 1) {
			unsigned i = lowest_end(m);

			next |= (uint32_t)follow_next(x, k[i], i, s) << i;
		}
	}
}

/* ---- asking ---- */

struct asked {
	const struct prefix_tree *tree;
	const struct key *key;
	const struct prefix_some *some;
	uint8_t		 kind[PREFIX_SOME];	/* of buckets */
	uint32_t	 all;			/* a bit for each key */
};

/*
 * What a bucket says, or else the slot: a table of bits, whether they mean
 * that it is in.
 */
static inline uint32_t
is_in(uint32_t slot, unsigned state)
{
	const uint32_t in = 1u << PREFIX_IN | 1u << (4 + PREFIX_IN) |
	    1u << (8 + PREFIX_IN) | 1u << (12 + PREFIX_IN) |
	    1u << (4 * PREFIX_IN + PREFIX_ABOVE);

	return in >> ((slot >> STATE_SHIFT & 3) << 2 | state) & 1;
}

static inline const uint8_t *
bucket_at(const struct asked *a, unsigned i)
{
	return prefix_mem_at(&a->tree->index, a->some->slot[i] & UNIT_MASK);
}

/* Those whose buckets are of that kind. */
static inline uint32_t
same_kind(const struct asked *a, unsigned kind)
{
	uint32_t m = 0;

#ifdef __SSE2__
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)a->kind);

	m = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v,
	    _mm_set1_epi8((char)kind)));
#else
	for (unsigned i = 0; i < PREFIX_SOME; i++)
		m |= (uint32_t)(a->kind[i] == kind) << i;
#endif
	return m & a->all;
}

/* => Inlined, with a kind and a function that are known. */
static ALWAYS_INLINE uint32_t
ask_kind(const struct asked *a, unsigned kind, line_less *less)
{
	uint32_t in = 0;

	for (uint32_t m = same_kind(a, kind); m != 0; m &= m - 1) {
		unsigned i = lowest_end(m);

		in |= is_in(a->some->slot[i], bucket_ask(bucket_at(a, i), kind,
		    less, a->some->rest[i])) << i;
	}
	return in;
}

static inline uint32_t
ask128(const struct asked *a, unsigned kind)
{
	uint32_t in = 0;

	for (uint32_t m = same_kind(a, kind); m != 0; m &= m - 1) {
		unsigned i = lowest_end(m);

		in |= is_in(a->some->slot[i], prefix_bucket_state(
		    &a->tree->index, a->some->slot[i] & UNIT_MASK, a->key[i],
		    a->some->at[i])) << i;
	}
	return in;
}

static bool
ask_trie(const struct prefix_tree *t, struct key k)
{
	uint32_t value = prefix_match_key(t, k);

	return value != PREFIX_NONE && value_state(t, value) == PREFIX_IN;
}

/* No bucket: the slot knows it, or that the trie has to be asked. */
static inline uint32_t
ask_slots(const struct asked *a)
{
	uint32_t in = 0, walk = 0;

	for (uint32_t m = same_kind(a, KIND_NONE); m != 0; m &= m - 1) {
		unsigned i = lowest_end(m);
		uint32_t slot = a->some->slot[i], state = slot & UNIT_MASK;

		in |= is_in(slot, state) << i;
		walk |= (uint32_t)(state == PREFIX_WALK) << i;
	}
	for (; walk != 0; walk &= walk - 1) {
		unsigned i = lowest_end(walk);

		in |= (uint32_t)ask_trie(a->tree, a->key[i]) << i;
	}
	return in;
}

static ALWAYS_INLINE uint32_t
ask(const struct asked *a, line_less *less16, line_less *less32,
    line_less *less64)
{
	return ask_slots(a) | ask_kind(a, KIND_16, less16) |
	    ask_kind(a, KIND_16 + KIND_LONG, less16) |
	    ask_kind(a, KIND_32, less32) |
	    ask_kind(a, KIND_32 + KIND_LONG, less32) |
	    ask_kind(a, KIND_64, less64) |
	    ask_kind(a, KIND_64 + KIND_LONG, less64) |
	    ask128(a, KIND_128) | ask128(a, KIND_128 + KIND_LONG);
}

static uint32_t
ask_narrow(const struct asked *a)
{
	return ask(a, less16_narrow, less32_narrow, less64_narrow);
}

#ifdef HAVE_WIDE_LINES
bool
prefix_wide(void)
{
	return __builtin_cpu_supports("avx2") != 0 &&
	    __builtin_cpu_supports("bmi") != 0 &&
	    __builtin_cpu_supports("bmi2") != 0;
}

WIDE_LINES static uint32_t
ask_wide(const struct asked *a)
{
	return ask(a, less16_wide, less32_wide, less64_wide);
}
#else
bool
prefix_wide(void)
{
	return false;
}

#define ask_wide	ask_narrow
#endif

uint32_t
prefix_contain_some(const struct prefix_tree *t, const struct key *k,
    unsigned n, const struct prefix_some *s)
{
	struct asked a = { .tree = t, .key = k, .some = s,
	    .all = (1u << n) - 1 };
	uint32_t in = 0;

	if (!t->indexed || t->index.mem == NULL) {
		for (unsigned i = 0; i < n; i++)
			in |= (uint32_t)ask_trie(t, k[i]) << i;
		return in;
	}
	for (unsigned i = 0; i < n; i++)
		a.kind[i] = bucket_at(&a, i)[BUCKET_KIND];
	return (t->index.wide ? ask_wide : ask_narrow)(&a);
}
