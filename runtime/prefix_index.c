/*
 * Whether an address is in a tree of prefixes, in one to three reads.
 *
 * A walk down a trie of a million prefixes waits for memory some twenty times.
 * The index is for those who ask only whether the longest prefix says in or
 * not.  Arrays are indexed by the next bits of the address; where few prefixes
 * are left, a slot leads to a bucket, which has them as intervals
 * (prefix_bucket.c).
 *
 *	+---+---+---+---+- 2^k slots -+---+	slot: state, reference
 *	| * | 0 | * | 0 |	      | * |
 *	+-|-+---+-|-+---+-------------+-|-+
 *	  v	  v			v
 *	bucket	bucket		array of slots
 *
 * An array's k is such that buckets are of about a line: many prefixes in one
 * line cost less memory, thus fewer misses, than wide arrays (a million random
 * prefixes of IPv4: 2^16 slots).  An array may begin later than the one above
 * it ends, with a head that says which bits all prefixes below have in common.
 *
 * The trie stays what it is and says what is true; each change of it is
 * followed here.  A slot's own state is of prefixes between the array above
 * and this one only, and buckets say "as above" where they know nothing:
 * so a long prefix changes one bucket, and a short one states in one array.
 * A bucket that has become too large gives way to an array; a prefix outside
 * of what a head says makes the array anew.  When prefixes have doubled or are
 * down to a quarter, or much memory is lost, all is made anew.
 *
 * No memory for something: the slot says so, and the trie is asked.
 */
#include <string.h>

#include "runtime/prefix_slot.h"

#define MIN_BITS	3
#define MAX_BITS	20
#define SPARSE		16		/* slots for each that leads on */
#define HEAD_PAYS	4		/* bits in common */
#define FEW		64		/* prefixes; made anew above that */

/* --- asking --- */

typedef unsigned bucket_state(const struct prefix_index *, uint32_t,
    struct key, unsigned);

static inline unsigned
index_state(const struct prefix_index *x, struct key k, bucket_state *ask)
{
	struct place p = { x->top, 0, PREFIX_ABOVE };
	unsigned state;

	while (p.ref & IS_ARRAY)
		if (!descend(x, k, &p))
			return p.state;
	p.ref &= REF_MASK;
	state = p.ref < PREFIX_UNIT0 ? p.ref : ask(x, p.ref, k, p.at);
	return state != PREFIX_ABOVE ? state : p.state;
}

unsigned
prefix_index_state(const struct prefix_index *x, struct key k)
{
	return index_state(x, k, prefix_bucket_state);
}

unsigned
prefix_index_state_portable(const struct prefix_index *x, struct key k)
{
	return index_state(x, k, prefix_bucket_state_portable);
}

/* --- making --- */

/* Where slots are filled in: first <= slot < end. */
struct change { struct key key; unsigned bits; };
struct fill {
	const struct pfk_engine *e;
	struct prefix_tree *tree;
	uint32_t	 array;
	unsigned	 from, level;	/* its bits of an address */
	uint32_t	 first, end;
	const struct change *change;	/* NULL: a new array */
};

static uint32_t	 make(const struct pfk_engine *, struct prefix_tree *,
		    uint32_t, unsigned);
static uint32_t	 remake(const struct pfk_engine *, struct prefix_tree *,
		    uint32_t, uint32_t, unsigned, const struct change *);

/*
 * A new array's slot gets its node first, which makes room for what it leads
 * to when all have been told.  Else what is below stays, unless the change
 * lies there.
 */
static void
fill_slot(const struct fill *f, uint32_t i, unsigned state, uint32_t node)
{
	struct prefix_index *x = &f->tree->index;
	uint32_t ref = array_slots(x, f->array)[i];

	if (f->change == NULL)
		ref = node;
	else if (f->change->bits >= f->level)
		ref = remake(f->e, f->tree, ref, node, f->level, f->change);
	array_slots(x, f->array)[i] = (ref & ~STATE_MASK) |
	    state << STATE_SHIFT;
}

static uint32_t
node_slot(const struct fill *f, const struct prefix_node *n)
{
	return key_bits(node_key(n), f->from, f->level - f->from);
}

/* Slots [lo, lo + n): below them is the node, or none. */
static void
fill(const struct fill *f, uint32_t node, uint32_t lo, uint32_t n,
    unsigned state)
{
	const struct prefix_node *p = &f->tree->nodes[node];
	uint32_t end = lo + n, half;

	if (lo >= f->end || end <= f->first)
		return;
	if (node == 0 || p->bits >= f->level) {
		uint32_t at = node == 0 ? UINT32_MAX : node_slot(f, p);

		for (uint32_t i = lo < f->first ? f->first : lo;
		    i < end && i < f->end; i++)
			fill_slot(f, i, state, i == at ? node : 0);
		return;
	}
	half = (uint32_t)1 << (f->level - p->bits - 1);
	fill(f, 0, lo, node_slot(f, p) - lo, state);
	lo = node_slot(f, p);
	fill(f, 0, lo + 2 * half, end - lo - 2 * half, state);
	if (p->value != PREFIX_NONE)
		state = value_state(f->tree, p->value);
	fill(f, p->child[0], lo, half, state);
	fill(f, p->child[1], lo + half, half, state);
}

/*
 * What a subtree looks like: how many links cross each level, as differences
 * between levels, and how long its prefixes are.
 */
struct survey { int links[MAX_BITS + 2]; unsigned lengths[129], n; };

static void
survey(const struct prefix_tree *t, uint32_t node, unsigned above,
    unsigned from, struct survey *s)
{
	const struct prefix_node *n = &t->nodes[node];

	if (node == 0)
		return;
	if (above < from + MAX_BITS) {
		s->links[above + 1 - from]++;
		if (n->bits < from + MAX_BITS)
			s->links[n->bits + 1u - from]--;
	}
	if (n->value != PREFIX_NONE) {
		s->lengths[n->bits]++;
		s->n++;
	}
	survey(t, n->child[0], n->bits, from, s);
	survey(t, n->child[1], n->bits, from, s);
}

/* As long as most prefixes. */
static unsigned
usual_length(const struct survey *s)
{
	unsigned n = 0, bits = 0;

	while (bits < 128 && (n += s->lengths[bits]) < s->n - s->n / 8)
		bits++;
	return bits;
}

/* How many prefixes, on average, make a bucket of about a line. */
static unsigned
comfortable(unsigned bits)
{
	return bits <= 19 ? 8 : bits <= 32 ? 3 : 2;
}

/* Whether one or two bits more would leave ends of half the width. */
static bool
nearly_narrower(unsigned bits)
{
	return bits == 20 || bits == 21 || bits == 33 || bits == 34;
}

static unsigned
choose_bits(const struct prefix_tree *t, uint32_t node, unsigned from)
{
	struct survey s;
	unsigned k, usual, left;
	uint64_t links = 0;

	memset(&s, 0, sizeof(s));
	survey(t, node, from, from, &s);
	usual = usual_length(&s);
	for (k = 1; k < MAX_BITS; k++) {
		links += (uint64_t)s.links[k];
		if (k < MIN_BITS)
			continue;
		left = usual > from + k ? usual - from - k : 0;
		if (s.n <= links * comfortable(left) && !nearly_narrower(left))
			break;
		if (from + k + 1 > 124 || (links + (uint64_t)s.links[k + 1]) *
		    SPARSE < (uint64_t)1 << (k + 1))
			break;
	}
	return k;
}

/* The bits that lead from this one to the slots, all without state. */
static uint32_t
new_array(const struct pfk_engine *e, struct prefix_tree *t, uint32_t node,
    unsigned *from)
{
	const struct prefix_node *n = &t->nodes[node];
	struct head h = { n->hi, n->lo, n->bits };
	uint32_t head = 0, units, first, ref;
	unsigned bits;

	if (n->bits >= *from + HEAD_PAYS) {
		head = HAS_HEAD;
		*from = n->bits;
	}
	bits = choose_bits(t, node, *from);
	units = (((uint32_t)4 << bits) + PREFIX_UNIT - 1) / PREFIX_UNIT;
	first = prefix_mem_new(e, &t->index, units + (head != 0));
	if (first == 0)
		return 0;
	ref = IS_ARRAY | head | bits << BITS_SHIFT | first;
	if (head != 0)
		memcpy(prefix_mem_at(&t->index, first), &h, sizeof(h));
	memset(array_slots(&t->index, ref), 0, (size_t)4 << bits);
	return ref;
}

static uint32_t
make_array(const struct pfk_engine *e, struct prefix_tree *t, uint32_t node,
    unsigned from)
{
	struct fill f = { .e = e, .tree = t };

	f.array = new_array(e, t, node, &from);
	if (f.array == 0)
		return PREFIX_WALK;
	f.from = from;
	f.level = from + array_bits(f.array);
	f.end = (uint32_t)1 << array_bits(f.array);
	fill(&f, node, 0, f.end, PREFIX_ABOVE);
	for (uint32_t i = 0; i < f.end; i++) {
		uint32_t slot = array_slots(&t->index, f.array)[i];
		uint32_t ref = make(e, t, slot & REF_MASK, f.level);

		array_slots(&t->index, f.array)[i] = ref |
		    (slot & STATE_MASK);
	}
	return f.array;
}

/* What leads to the addresses below a node that have its first bits. */
static uint32_t
make(const struct pfk_engine *e, struct prefix_tree *t, uint32_t node,
    unsigned from)
{
	uint32_t ref;

	if (node == 0)
		return PREFIX_ABOVE;
	switch (prefix_bucket_new(e, t, node, from, &ref)) {
	case BUCKET_MADE:
	case BUCKET_UNIFORM:
		return ref;
	case BUCKET_LARGE:
		return make_array(e, t, node, from);
	case BUCKET_NO_MEMORY:
		break;
	}
	return PREFIX_WALK;
}

/* --- following changes --- */

static void
discard(struct prefix_index *x, uint32_t ref)
{
	uint32_t n = (uint32_t)1 << array_bits(ref);

	if (!(ref & IS_ARRAY)) {
		if ((ref & REF_MASK) >= PREFIX_UNIT0)
			prefix_bucket_free(x, ref & REF_MASK);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		discard(x, array_slots(x, ref)[i]);
	x->lost += n * 4 / PREFIX_UNIT;
}

/*
 * The trie below `node' has changed: the array follows, or is made anew if it
 * cannot have the node.
 */
static uint32_t
follow(const struct pfk_engine *e, struct prefix_tree *t, uint32_t array,
    uint32_t node, unsigned from, const struct change *c)
{
	const struct prefix_node *n = &t->nodes[node];
	uint32_t size = (uint32_t)1 << array_bits(array);
	struct fill f = { .e = e, .tree = t, .array = array, .change = c };

	if (array & HAS_HEAD) {
		struct prefix_node head = array_head(&t->index, array);

		if (node != 0 && (n->bits < head.bits ||
		    !node_covers(&head, node_key(n)))) {
			discard(&t->index, array);
			return make(e, t, node, from);
		}
		from = head.bits;
	}
	f.from = from;
	f.level = from + array_bits(array);
	f.first = key_bits(c->key, from, array_bits(array));
	f.end = f.first + (c->bits >= f.level ? 1 : (uint32_t)1 <<
	    (f.level - c->bits));
	fill(&f, node, 0, size, PREFIX_ABOVE);
	return array;
}

static uint32_t
remake(const struct pfk_engine *e, struct prefix_tree *t, uint32_t ref,
    uint32_t node, unsigned from, const struct change *c)
{
	if (ref & IS_ARRAY)
		return follow(e, t, ref, node, from, c);
	discard(&t->index, ref);
	return make(e, t, node, from);
}

static bool
is_old(const struct prefix_tree *t)
{
	const struct prefix_index *x = &t->index;

	return t->count > x->most || t->count < x->fewest ||
	    x->lost > 1024 + x->n / 4;
}

void
prefix_index_update(const struct pfk_engine *e, struct prefix_tree *t,
    struct key k, unsigned bits)
{
	struct change c = { k, bits };

	if (!t->indexed)
		return;
	if (is_old(t))
		prefix_index_build(e, t);
	else
		t->index.top = remake(e, t, t->index.top, t->root, 0, &c);
}

void
prefix_index_build(const struct pfk_engine *e, struct prefix_tree *t)
{
	struct prefix_index *x = &t->index;

	t->indexed = true;
	x->wide = prefix_wide();
	prefix_mem_empty(x);
	x->top = make(e, t, t->root, 0);
	prefix_mem_trim(e, x);
	x->most = t->count < FEW ? FEW : t->count > UINT32_MAX / 2 ?
	    UINT32_MAX : 2 * t->count;
	x->fewest = t->count <= FEW ? 0 : t->count / 4;
}
