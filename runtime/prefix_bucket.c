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
 * How many ends lie before an address is its interval, which has two bits of
 * the states (prefix_bucket.h draws a bucket, and asks it).  Ends are as wide
 * as the longest prefix asks for; bits before `from' are the same in all and
 * left out.  So a line holds a dozen prefixes of IPv4 after 16 bits, and
 * nothing depends on the order in which they nest.
 */
#include "runtime/prefix_bucket.h"

#define MAX_RUNS	32		/* two bits each in a word */
#define MAX_NODES	64		/* looked at for one bucket */

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

/* Without the two lines that it may have. */
static unsigned
kind_of(unsigned bits)
{
	return bits <= 16 ? KIND_16 : bits <= 19 ? KIND_19 : bits <= 32 ?
	    KIND_32 : bits <= 64 ? KIND_64 : KIND_128;
}

static void
put_end(uint8_t *to, unsigned kind, struct key k)
{
	const uint64_t turn = (uint64_t)1 << 63;
	uint64_t v64 = (kind == KIND_19 ? k.hi << PARTS_BITS : k.hi) ^ turn;
	uint16_t v16 = (uint16_t)(v64 >> 48);
	uint32_t v32 = (uint32_t)(v64 >> 32);

	if (kind == KIND_16 || kind == KIND_19)
		memcpy(to, &v16, sizeof(v16));
	else if (kind == KIND_32)
		memcpy(to, &v32, sizeof(v32));
	else if (kind == KIND_64)
		memcpy(to, &v64, sizeof(v64));
	else
		memcpy(to, &k, sizeof(k));
}

/* Where each part of the ends begins, and at last, how many there are. */
static void
write_parts(const struct runs *r, uint8_t *b, unsigned from)
{
	unsigned parts = 1u << PARTS_BITS;
	uint8_t n = 0;

	for (unsigned part = 0; part < parts; part++) {
		b[BUCKET_PARTS + part] = n;
		while (n + 1u < r->n && key_bits(r->last[n], from,
		    PARTS_BITS) == part)
			n++;
	}
	b[BUCKET_PARTS + parts] = n;
}

static void
write_bucket(const struct runs *r, uint8_t *b, unsigned from, unsigned kind,
    unsigned size)
{
	unsigned width = kind_width(kind), head = kind_head(kind);
	unsigned ends = kind_short(kind);
	uint64_t states = 0;

	for (unsigned i = 0; i < r->n; i++)
		states |= (uint64_t)r->state[i] << (2 * i);
	memset(b, 0, head);
	memcpy(b, &states, sizeof(states));
	b[BUCKET_N] = (uint8_t)(r->n - 1);
	b[BUCKET_KIND] = (uint8_t)kind;
	b[BUCKET_SIZE] = (uint8_t)size;
	if (ends == KIND_19)
		write_parts(r, b, from);
	for (unsigned i = 0; i + 1 < r->n; i++)
		put_end(b + head + ((size_t)i << width), ends,
		    key_after(r->last[i], from));
}

enum bucket_result
prefix_bucket_new(const struct pfk_engine *e, struct prefix_tree *t,
    uint32_t node, unsigned from, uint32_t *result)
{
	struct runs r;
	struct key first = key_mask(node_key(&t->nodes[node]), from);
	unsigned kind, bytes, size;

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
	kind = kind_of(r.bits - from);
	bytes = kind_head(kind) + ((r.n - 1) << kind_width(kind));
	if (bytes > 2 * BUCKET_LINE)
		return BUCKET_LARGE;
	size = bytes <= BUCKET_LINE / 2 ? 0 : bytes <= BUCKET_LINE ? 1 : 2;
	*result = prefix_mem_small(e, &t->index, size);
	if (*result == 0)
		return BUCKET_NO_MEMORY;
	write_bucket(&r, prefix_mem_at(&t->index, *result), from,
	    size == 2 ? kind + KIND_LONG : kind, size);
	return BUCKET_MADE;
}

void
prefix_bucket_free(struct prefix_index *x, uint32_t unit)
{
	const uint8_t *b = prefix_mem_at(x, unit);

	prefix_mem_put(x, unit, b[BUCKET_SIZE]);
}

/* --- asking --- */

static unsigned
ask128(const uint8_t *b, struct key key)
{
	unsigned count = 0;
	struct key v;

	for (unsigned i = 0; i < b[BUCKET_N]; i++) {
		memcpy(&v, b + kind_head(KIND_128) + i * sizeof(v), sizeof(v));
		count += key_cmp(v, key) < 0;
	}
	return bucket_state(b, count);
}

/* What asks a bucket's line. */
struct lines { line_less *less16, *less32, *less64; };

static inline unsigned
state(const uint8_t *b, struct key k, const struct lines *l)
{
	switch (b[BUCKET_KIND]) {
	case KIND_16:
		return bucket_ask(b, KIND_16, l->less16, k.hi);
	case KIND_16 + KIND_LONG:
		return bucket_ask(b, KIND_16 + KIND_LONG, l->less16, k.hi);
	case KIND_19:
		return bucket_ask(b, KIND_19, l->less16, k.hi);
	case KIND_19 + KIND_LONG:
		return bucket_ask(b, KIND_19 + KIND_LONG, l->less16, k.hi);
	case KIND_32:
		return bucket_ask(b, KIND_32, l->less32, k.hi);
	case KIND_32 + KIND_LONG:
		return bucket_ask(b, KIND_32 + KIND_LONG, l->less32, k.hi);
	case KIND_64:
		return bucket_ask(b, KIND_64, l->less64, k.hi);
	case KIND_64 + KIND_LONG:
		return bucket_ask(b, KIND_64 + KIND_LONG, l->less64, k.hi);
	default:
		return ask128(b, k);
	}
}

unsigned
prefix_bucket_state(const struct prefix_index *x, uint32_t unit, struct key k,
    unsigned from)
{
	static const struct lines l = { less16_narrow, less32_narrow,
	    less64_narrow };

	return state(prefix_mem_at(x, unit), key_after(k, from), &l);
}

unsigned
prefix_bucket_state_portable(const struct prefix_index *x, uint32_t unit,
    struct key k, unsigned from)
{
	static const struct lines l = { less16_plain, less32_plain,
	    less64_plain };

	return state(prefix_mem_at(x, unit), key_after(k, from), &l);
}
