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

static inline struct key
key_of_some(const struct prefix_keys *k, unsigned i)
{
	return (struct key){ k->hi[i], k->lo[i] };
}

/* ---- finding ---- */

/* A slot's own state, or that of what lies above it. */
static inline uint32_t
slot_with(uint32_t slot, uint32_t above)
{
	return (slot & STATE_MASK) != 0 ? slot : slot | (above & STATE_MASK);
}

/* Those that lead to an array. */
static inline uint32_t
arrays_of(const struct prefix_found *f)
{
	uint32_t m = 0;

#ifdef __SSE2__
	for (unsigned i = 0; i < PREFIX_SOME; i += 4)
		m |= (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(
		    _mm_loadu_si128((const __m128i *)(const void *)
		    &f->slot[i]))) << i;
#else
	for (unsigned i = 0; i < PREFIX_SOME; i++)
		m |= f->slot[i] >> 31 << i;
#endif
	return m;
}

/* The top, as an array: what following it takes. */
struct top {
	const uint32_t	*slots;
	uint64_t	head, mask;	/* what keys must have in common */
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
		t->head = head.hi;
		t->mask = top_bits(t->from);
	}
	return t->from + t->bits < 64;
}

/* => Inlined: heads are rare with IPv4, and there is no second word. */
static ALWAYS_INLINE void
follow_top(const struct prefix_index *x, const struct top *t,
    const struct prefix_keys *k, unsigned n, struct prefix_found *f, bool head,
    bool v6)
{
	unsigned at = t->from + t->bits, shift = 64 - t->bits;

	for (unsigned i = 0; i < n; i++) {
		uint64_t hi = k->hi[i];
		uint32_t slot = t->slots[(head ? hi << t->from : hi) >> shift];

		if (head)	/* another head: no bucket, no state */
			slot = ((hi ^ t->head) & t->mask) == 0 ? slot : 0;
		f->slot[i] = slot;
		f->rest[i] = hi << at | (v6 ? k->lo[i] >> (64 - at) : 0);
		/* there is memory at any bucket's number */
		PREFETCH(prefix_mem_at(x, slot & UNIT_MASK));
	}
	memset(f->at, (int)at, sizeof(f->at));
}

static void
follow_first(const struct prefix_index *x, const struct prefix_keys *k,
    unsigned n, bool v6, struct prefix_found *f)
{
	struct top t;

	if (!top_array(x, &t)) {
		for (unsigned i = 0; i < n; i++) {
			f->slot[i] = x->top;
			f->rest[i] = k->hi[i];
		}
		memset(f->at, 0, sizeof(f->at));
	} else if (v6)
		follow_top(x, &t, k, n, f, true, true);
	else if (t.from != 0)
		follow_top(x, &t, k, n, f, true, false);
	else
		follow_top(x, &t, k, n, f, false, false);
}

/* One array further. */
static inline void
follow_next(const struct prefix_index *x, const struct prefix_keys *k,
    unsigned i, struct prefix_found *f)
{
	uint32_t array = f->slot[i], slot = PREFIX_ABOVE;
	unsigned bits = array_bits(array), at = f->at[i];
	struct place p = { array, at, PREFIX_ABOVE };

	if (!(array & HAS_HEAD)) {
		slot = array_slots(x, array)[f->rest[i] >> (64 - bits)];
		at += bits;
	} else if (descend(x, key_of_some(k, i), &p)) {
		slot = p.ref;
		at = p.at;
	}
	f->slot[i] = slot_with(slot, array);
	f->at[i] = (uint8_t)at;
	f->rest[i] = key_after(key_of_some(k, i), at).hi;
	PREFETCH(prefix_mem_at(x, slot & UNIT_MASK));
}

void
prefix_find_some(const struct prefix_tree *t, const struct prefix_keys *k,
    unsigned n, bool v6, struct prefix_found *f)
{
	uint32_t more;

	follow_first(&t->index, k, n, v6, f);
	while ((more = arrays_of(f) & ((1u << n) - 1)) != 0)
		for (; more != 0; more &= more - 1)
			follow_next(&t->index, k, lowest_bit(more), f);
}

/* ---- asking ---- */

struct asked {
	const struct prefix_tree *tree;
	const struct prefix_keys *key;
	const struct prefix_found *found;
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
	return prefix_mem_at(&a->tree->index, a->found->slot[i] & UNIT_MASK);
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
		unsigned i = lowest_bit(m);

		in |= is_in(a->found->slot[i], bucket_ask(bucket_at(a, i), kind,
		    less, a->found->rest[i])) << i;
	}
	return in;
}

static inline uint32_t
ask128(const struct asked *a, unsigned kind)
{
	uint32_t in = 0;

	for (uint32_t m = same_kind(a, kind); m != 0; m &= m - 1) {
		unsigned i = lowest_bit(m);

		in |= is_in(a->found->slot[i], prefix_bucket_state(
		    &a->tree->index, a->found->slot[i] & UNIT_MASK,
		    key_of_some(a->key, i), a->found->at[i])) << i;
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
		unsigned i = lowest_bit(m);
		uint32_t slot = a->found->slot[i], state = slot & UNIT_MASK;

		in |= is_in(slot, state) << i;
		walk |= (uint32_t)(state == PREFIX_WALK) << i;
	}
	for (; walk != 0; walk &= walk - 1) {
		unsigned i = lowest_bit(walk);

		in |= (uint32_t)ask_trie(a->tree, key_of_some(a->key, i)) << i;
	}
	return in;
}

static ALWAYS_INLINE uint32_t
ask(const struct asked *a, line_less *less16, line_less *less32,
    line_less *less64)
{
	return ask_slots(a) | ask_kind(a, KIND_16, less16) |
	    ask_kind(a, KIND_16 + KIND_LONG, less16) |
	    ask_kind(a, KIND_19, less16) |
	    ask_kind(a, KIND_19 + KIND_LONG, less16) |
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
prefix_contain_some(const struct prefix_tree *t, const struct prefix_keys *k,
    unsigned n, const struct prefix_found *f)
{
	struct asked a = { .tree = t, .key = k, .found = f,
	    .all = (1u << n) - 1 };
	uint32_t in = 0;

	if (!t->indexed || t->index.mem == NULL) {
		for (unsigned i = 0; i < n; i++)
			in |= (uint32_t)ask_trie(t, key_of_some(k, i)) << i;
		return in;
	}
	for (unsigned i = 0; i < n; i++)
		a.kind[i] = bucket_at(&a, i)[BUCKET_KIND];
	return (t->index.wide ? ask_wide : ask_narrow)(&a);
}
