/*
 * A few prefixes as intervals.
 *
 * Where an array of the index ends, few prefixes are left.  Who asks only
 * whether an address is in wants to know nothing of them but where the answer
 * changes: the last addresses of intervals, in order, and a state for each.
 *
 *	10.0/16 in, 10.0.4/24 not in		    ends, after 16 bits
 *	|-- in --|-- out --|--------- in --------|  03ff 04ff
 *
 *	 0	     8   9   10  11  12			     32, 64 or 128
 *	+-----------+---+---+---+---+-----------------------+
 *	| states    | n | w | s |   | n ends of w bytes	    |
 *	+-----------+---+---+---+---+-----------------------+
 *
 * How many ends lie before an address is its interval, which has two bits of
 * the states.  Ends are as wide as the longest prefix asks for; bits before
 * `from' are the same in all and left out.  So a line holds a dozen prefixes
 * of IPv4 after 16 bits, and nothing depends on the order in which they nest.
 */
#include <string.h>

#include "runtime/prefix_int.h"

#define HEAD		12u
#define MAX_RUNS	32		/* two bits each in a word */
#define MAX_NODES	64		/* looked at for one bucket */
#define LARGEST		128u

/* Bytes: see above. */
enum { AT_N = 8, AT_WIDTH, AT_SIZE };

struct runs {
	const struct prefix_tree *tree;
	struct key	 pos;		/* first address not yet told */
	bool		 done;		/* pos would be past all addresses */
	bool		 full;
	unsigned	 n, nodes, bits;	/* bits of the longest prefix */
	struct key	 last[MAX_RUNS];
	uint8_t		 state[MAX_RUNS];
};

/* From pos to `last' the state is this. */
static void
add_run(struct runs *r, struct key last, unsigned state)
{
	if (r->n == 0 || r->state[r->n - 1] != state) {
		if (r->n == MAX_RUNS) {
			r->full = true;
			return;
		}
		r->state[r->n++] = (uint8_t)state;
	}
	r->last[r->n - 1] = last;
	r->pos = (struct key){ last.hi + (last.lo == UINT64_MAX),
	    last.lo + 1 };
	r->done = last.hi == UINT64_MAX && last.lo == UINT64_MAX;
}

static void
add_gap(struct runs *r, struct key first, unsigned state)
{
	if (key_cmp(r->pos, first) < 0)
		add_run(r, (struct key){ first.hi - (first.lo == 0),
		    first.lo - 1 }, state);
}

/* => The depth is bounded by MAX_NODES. */
static void
add_node(struct runs *r, uint32_t node, unsigned above)
{
	const struct prefix_node *n = &r->tree->nodes[node];
	struct key last = key_last(node_key(n), n->bits);
	unsigned state = above;

	if (++r->nodes > MAX_NODES)
		r->full = true;
	if (r->full)
		return;
	if (n->value != PREFIX_NONE) {
		state = value_state(r->tree, n->value);
		if (n->bits > r->bits)
			r->bits = n->bits;
	}
	add_gap(r, node_key(n), above);
	for (unsigned i = 0; i < 2; i++)
		if (n->child[i] != 0)
			add_node(r, n->child[i], state);
	if (!r->done && key_cmp(r->pos, last) <= 0)
		add_run(r, last, state);
}

/* Powers of two: 2 bytes are 1. */
static unsigned
width_of(unsigned bits)
{
	return bits <= 16 ? 1 : bits <= 32 ? 2 : bits <= 64 ? 3 : 4;
}

static void
put_end(uint8_t *to, unsigned width, struct key k)
{
	uint16_t v16 = (uint16_t)(k.hi >> 48);
	uint32_t v32 = (uint32_t)(k.hi >> 32);

	if (width == 1)
		memcpy(to, &v16, sizeof(v16));
	else if (width == 2)
		memcpy(to, &v32, sizeof(v32));
	else
		memcpy(to, &k.hi, sizeof(k.hi));
	if (width == 4)
		memcpy(to + 8, &k.lo, sizeof(k.lo));
}

static void
write_bucket(const struct runs *r, uint8_t *b, unsigned from, unsigned width,
    unsigned size)
{
	uint64_t states = 0;

	for (unsigned i = 0; i < r->n; i++)
		states |= (uint64_t)r->state[i] << (2 * i);
	memset(b, 0, HEAD);
	memcpy(b, &states, sizeof(states));
	b[AT_N] = (uint8_t)(r->n - 1);
	b[AT_WIDTH] = (uint8_t)width;
	b[AT_SIZE] = (uint8_t)size;
	for (unsigned i = 0; i + 1 < r->n; i++)
		put_end(b + HEAD + ((size_t)i << width), width,
		    key_after(r->last[i], from));
}

enum bucket_result
prefix_bucket_new(const struct pfk_engine *e, struct prefix_tree *t,
    uint32_t node, unsigned from, uint32_t *result)
{
	struct runs r;
	struct key first = key_mask(node_key(&t->nodes[node]), from);
	unsigned width, bytes;

	r.tree = t;
	r.pos = first;
	r.n = r.nodes = r.bits = 0;
	r.done = r.full = false;
	add_node(&r, node, PREFIX_ABOVE);
	if (!r.full && !r.done && key_cmp(r.pos, key_last(first, from)) <= 0)
		add_run(&r, key_last(first, from), PREFIX_ABOVE);
	if (r.full)
		return BUCKET_LARGE;
	if (r.n == 1) {
		*result = r.state[0];
		return BUCKET_UNIFORM;
	}
	width = width_of(r.bits - from);
	bytes = HEAD + ((r.n - 1) << width);
	if (bytes > LARGEST)
		return BUCKET_LARGE;
	bytes = bytes <= 32 ? 0 : bytes <= 64 ? 1 : 2;
	*result = prefix_mem_small(e, &t->index, bytes);
	if (*result == 0)
		return BUCKET_NO_MEMORY;
	write_bucket(&r, prefix_mem_at(&t->index, *result), from, width,
	    bytes);
	return BUCKET_MADE;
}

void
prefix_bucket_free(struct prefix_index *x, uint32_t unit)
{
	const uint8_t *b = prefix_mem_at(x, unit);

	prefix_mem_put(x, unit, b[AT_SIZE]);
}

/* --- asking: how many ends lie before the key --- */

static unsigned
before16(const uint8_t *ends, unsigned n, uint16_t key)
{
	unsigned count = 0;
	uint16_t v;

	for (unsigned i = 0; i < n; i++) {
		memcpy(&v, ends + i * sizeof(v), sizeof(v));
		count += v < key;
	}
	return count;
}

static unsigned
before32(const uint8_t *ends, unsigned n, uint32_t key)
{
	unsigned count = 0;
	uint32_t v;

	for (unsigned i = 0; i < n; i++) {
		memcpy(&v, ends + i * sizeof(v), sizeof(v));
		count += v < key;
	}
	return count;
}

static unsigned
before64(const uint8_t *ends, unsigned n, uint64_t key)
{
	unsigned count = 0;
	uint64_t v;

	for (unsigned i = 0; i < n; i++) {
		memcpy(&v, ends + i * sizeof(v), sizeof(v));
		count += v < key;
	}
	return count;
}

static unsigned
before128(const uint8_t *ends, unsigned n, struct key key)
{
	unsigned count = 0;
	struct key v;

	for (unsigned i = 0; i < n; i++) {
		memcpy(&v, ends + i * sizeof(v), sizeof(v));
		count += v.hi < key.hi || (v.hi == key.hi && v.lo < key.lo);
	}
	return count;
}

static unsigned
state_of(const uint8_t *b, unsigned interval)
{
	uint64_t states;

	memcpy(&states, b, sizeof(states));
	return states >> (2 * interval) & 3;
}

unsigned
prefix_bucket_state_portable(const struct prefix_index *x, uint32_t unit,
    struct key k, unsigned from)
{
	const uint8_t *b = prefix_mem_at(x, unit), *ends = b + HEAD;
	unsigned n = b[AT_N];

	k = key_after(k, from);
	switch (b[AT_WIDTH]) {
	case 1:
		return state_of(b, before16(ends, n, (uint16_t)(k.hi >> 48)));
	case 2:
		return state_of(b, before32(ends, n, (uint32_t)(k.hi >> 32)));
	case 3:
		return state_of(b, before64(ends, n, k.hi));
	default:
		return state_of(b, before128(ends, n, k));
	}
}

#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>

/*
 * All of a bucket at once, without a loop: its head is compared, too, and
 * shifted out.  As ends ascend, those before the key are the lowest bits of
 * what is left.
 */
static unsigned
lowest_bits(uint64_t before, unsigned head, unsigned n)
{
	return (unsigned)__builtin_ctzll(~(before >> head) |
	    (uint64_t)1 << n);
}

/* 8 x 16 bits: all ones where less; unsigned, which SSE2 has no word for. */
static __m128i
less16(const uint8_t *p, __m128i key)
{
	__m128i v = _mm_load_si128((const __m128i *)(const void *)p);

	return _mm_cmpgt_epi16(key, _mm_xor_si128(v,
	    _mm_set1_epi16(INT16_MIN)));
}

static __m128i
less32(const uint8_t *p, __m128i key)
{
	__m128i v = _mm_load_si128((const __m128i *)(const void *)p);

	return _mm_cmpgt_epi32(key, _mm_xor_si128(v,
	    _mm_set1_epi32(INT32_MIN)));
}

static uint32_t
bits_of(__m128i a, __m128i b)		/* of 16 x 16 bits */
{
	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(a, b));
}

static uint64_t
line_less16(const uint8_t *p, __m128i k)		/* 64 bytes */
{
	return bits_of(less16(p, k), less16(p + 16, k)) |
	    (uint64_t)bits_of(less16(p + 32, k), less16(p + 48, k)) << 16;
}

static uint64_t
line_less32(const uint8_t *p, __m128i k)
{
	return bits_of(_mm_packs_epi32(less32(p, k), less32(p + 16, k)),
	    _mm_packs_epi32(less32(p + 32, k), less32(p + 48, k)));
}

/*
 * A bucket that is less than a line is looked at with all of its line: whether
 * it is comes at random, and a wrong guess costs more.
 */
static unsigned
all_before16(const uint8_t *b, unsigned n, unsigned key)
{
	__m128i k = _mm_set1_epi16((int16_t)(uint16_t)(key ^ 0x8000));
	unsigned half = (unsigned)((uintptr_t)b & 32);
	uint64_t m = line_less16(b - half, k);

	if (b[AT_SIZE] == 2)
		m |= line_less16(b + 64, k) << 32;
	return lowest_bits(m, (half + HEAD) / 2, n);
}

static unsigned
all_before32(const uint8_t *b, unsigned n, uint32_t key)
{
	__m128i k = _mm_set1_epi32((int32_t)(key ^ 0x80000000u));
	unsigned half = (unsigned)((uintptr_t)b & 32);
	uint64_t m = line_less32(b - half, k);

	if (b[AT_SIZE] == 2)
		m |= line_less32(b + 64, k) << 16;
	return lowest_bits(m, (half + HEAD) / 4, n);
}

unsigned
prefix_bucket_state(const struct prefix_index *x, uint32_t unit, struct key k,
    unsigned from)
{
	const uint8_t *b = prefix_mem_at(x, unit);
	uint64_t hi = key_after(k, from).hi;

	if (b[AT_WIDTH] == 1)
		return state_of(b, all_before16(b, b[AT_N],
		    (unsigned)(hi >> 48)));
	if (b[AT_WIDTH] == 2)
		return state_of(b, all_before32(b, b[AT_N],
		    (uint32_t)(hi >> 32)));
	return prefix_bucket_state_portable(x, unit, k, from);
}

#else

unsigned
prefix_bucket_state(const struct prefix_index *x, uint32_t unit, struct key k,
    unsigned from)
{
	return prefix_bucket_state_portable(x, unit, k, from);
}

#endif
