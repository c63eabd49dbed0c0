/*
 * Short ways into a trie of prefixes.
 *
 * A walk down a trie of a million prefixes waits for memory some twenty times.
 * Where the trie is dense an array replaces many steps: it is indexed by the
 * next bits of the address, and each slot says which node comes first below,
 * and what the longest prefix above that node gives.
 *
 *	+---+---+---+---+- 2^k slots -+---+	slot: | best | next |
 *	| 0 | * | 0 | * |	      | * |
 *	+---+-|-+---+-|-+-------------+-|-+	next: no node; the first node
 *	      v	      v			v	that has at least as many bits
 *	     node    array of slots    node	as the slots; or, where many
 *						lie below, another array
 *
 * An array may begin later than the one above it ends, with a head that says
 * which bits all prefixes below have in common.
 *
 * The trie stays what it is and says what is true; arrays are chosen when it
 * has doubled: as wide as one in FILL slots leads to a node.  Between, each
 * change of the trie is followed in the slots that it touches: those that the
 * changed prefix covers.  `best' is of prefixes between the array above and
 * this one only, so a change touches the arrays on its own way and no others.
 * A prefix outside of what a head says puts the node back in place of the
 * array; when much has been lost that way, all are chosen anew.
 *
 * No memory for an array: the walk is longer, the answers are the same.
 */
#include <string.h>

#include "runtime/prefix_int.h"

#define FILL		4
#define MIN_BITS	3
#define MAX_BITS	20
#define HEAVY		12		/* nodes below a slot: another array */
#define SMALL		64		/* nodes of a trie: none at all */

/*
 * next of a slot, and the tree's top:
 *
 *	 31 30 29     25 24		  0
 *	+--+------------------------------+
 *	|0 |		 node		  |
 *	|1 |head| bits  |   first slot	  |
 *	+--+------------------------------+
 *
 * A head takes HEAD slots before the others: the bits, and how many.
 */
#define IS_ARRAY	0x80000000u
#define HAS_HEAD	0x40000000u
#define MAX_SLOTS	(1u << 25)
#define HEAD		3

static unsigned
array_bits(uint32_t ref)
{
	return ref >> 25 & 31;
}

static uint32_t
array_first(uint32_t ref)
{
	return (ref & (MAX_SLOTS - 1)) + (ref & HAS_HEAD ? HEAD : 0);
}

static struct key
node_key(const struct prefix_node *n)
{
	return (struct key){ n->hi, n->lo };
}

/* The head as the node that it was made of, without children. */
static struct prefix_node
array_head(const struct prefix_tree *t, uint32_t ref)
{
	const struct prefix_slot *h = &t->slots[ref & (MAX_SLOTS - 1)];

	return (struct prefix_node){
	    .hi = (uint64_t)h[0].best << 32 | h[0].next,
	    .lo = (uint64_t)h[1].best << 32 | h[1].next,
	    .bits = (uint8_t)h[2].best };
}

static void
set_head(struct prefix_slot *h, const struct prefix_node *n)
{
	h[0] = (struct prefix_slot){ (uint32_t)(n->hi >> 32),
	    (uint32_t)n->hi };
	h[1] = (struct prefix_slot){ (uint32_t)(n->lo >> 32),
	    (uint32_t)n->lo };
	h[2] = (struct prefix_slot){ n->bits, 0 };
}

uint32_t
prefix_index_find(const struct prefix_tree *t, struct key k, uint32_t *best)
{
	uint32_t ref = t->top;
	unsigned at = 0;

	if (!(ref & IS_ARRAY))
		return t->root;
	while (ref & IS_ARRAY) {
		unsigned bits = array_bits(ref);
		const struct prefix_slot *s;

		if (ref & HAS_HEAD) {
			struct prefix_node head = array_head(t, ref);

			if (!node_covers(&head, k))
				return 0;
			at = head.bits;
		}
		s = &t->slots[array_first(ref) + key_bits(k, at, bits)];
		at += bits;
		if (s->best != PREFIX_NONE)
			*best = s->best;
		ref = s->next;
	}
	return ref;
}

/* The slots of an array that are to be filled in: first <= slot < end. */
struct fill {
	struct prefix_tree *tree;
	uint32_t	 array;
	unsigned	 from, level;	/* its bits of an address */
	uint32_t	 first, end;
	struct key	 changed;
	unsigned	 changed_bits;
};

static uint32_t	 follow(struct prefix_tree *, uint32_t, unsigned,
		    struct key, unsigned, uint32_t);

/* An array below stays; it is changed in turn if the change lies there. */
static void
fill_slot(const struct fill *f, uint32_t i, uint32_t best, uint32_t node)
{
	struct prefix_slot *s = &f->tree->slots[array_first(f->array) + i];

	s->best = best;
	if (!(s->next & IS_ARRAY))
		s->next = node;
	else if (f->changed_bits >= f->level)
		s->next = follow(f->tree, s->next, f->level, f->changed,
		    f->changed_bits, node);
}

static uint32_t
node_slot(const struct fill *f, const struct prefix_node *n)
{
	return key_bits(node_key(n), f->from, f->level - f->from);
}

/* Slots [lo, lo + n): below them is the node, or none; best is from above. */
static void
fill(const struct fill *f, uint32_t node, uint32_t lo, uint32_t n,
    uint32_t best)
{
	const struct prefix_node *p = &f->tree->nodes[node];
	uint32_t end = lo + n, half;

	if (lo >= f->end || end <= f->first)
		return;
	if (node == 0 || p->bits >= f->level) {
		uint32_t at = node == 0 ? UINT32_MAX : node_slot(f, p);

		for (uint32_t i = lo < f->first ? f->first : lo;
		    i < end && i < f->end; i++)
			fill_slot(f, i, best, i == at ? node : 0);
		return;
	}
	half = (uint32_t)1 << (f->level - p->bits - 1);
	fill(f, 0, lo, node_slot(f, p) - lo, best);
	lo = node_slot(f, p);
	fill(f, 0, lo + 2 * half, end - lo - 2 * half, best);
	if (p->value != PREFIX_NONE)
		best = p->value;
	fill(f, p->child[0], lo, half, best);
	fill(f, p->child[1], lo + half, half, best);
}

/*
 * The trie below `node' has changed at the key: the array follows, or gives
 * way to the node.
 */
static uint32_t
follow(struct prefix_tree *t, uint32_t array, unsigned from, struct key k,
    unsigned bits, uint32_t node)
{
	const struct prefix_node *n = &t->nodes[node];
	uint32_t size = (uint32_t)1 << array_bits(array);
	struct fill f = { .tree = t, .array = array, .changed = k,
	    .changed_bits = bits };

	if (array & HAS_HEAD) {
		struct prefix_node head = array_head(t, array);

		if (node != 0 && (n->bits < head.bits ||
		    !node_covers(&head, node_key(n)))) {
			t->lost += size;
			return node;
		}
		from = head.bits;
	}
	f.from = from;
	f.level = from + array_bits(array);
	f.first = key_bits(k, from, array_bits(array));
	f.end = f.first + (bits >= f.level ? 1 : (uint32_t)1 <<
	    (f.level - bits));
	fill(&f, node, 0, size, PREFIX_NONE);
	return array;
}

void
prefix_index_update(struct prefix_tree *t, struct key k, unsigned bits)
{
	if (t->top & IS_ARRAY)
		t->top = follow(t, t->top, 0, k, bits, t->root);
}

bool
prefix_index_is_old(const struct prefix_tree *t)
{
	return t->n > t->rebuild || t->lost > t->n / 4;
}

/*
 * How many slots would lead to a node, for arrays of each number of bits:
 * links of the trie that cross the level, as differences between levels.
 */
static void
count_links(const struct prefix_tree *t, uint32_t node, unsigned above,
    unsigned from, int *links)
{
	const struct prefix_node *n = &t->nodes[node];

	if (node == 0 || above >= from + MAX_BITS)
		return;
	links[above + 1 - from]++;
	if (n->bits >= from + MAX_BITS)
		return;
	links[n->bits + 1u - from]--;
	count_links(t, n->child[0], n->bits, from, links);
	count_links(t, n->child[1], n->bits, from, links);
}

/* 0: the trie is not dense here. */
static unsigned
choose_bits(const struct prefix_tree *t, uint32_t node, unsigned from)
{
	int links[MAX_BITS + 2] = { 0 }, n = 0;
	unsigned best = 0;

	count_links(t, node, from, from, links);
	for (unsigned k = 1; k <= MAX_BITS; k++) {
		n += links[k];
		if (k >= MIN_BITS && n * FILL >= 1 << k)
			best = k;
	}
	return best;
}

static bool
is_heavy(const struct prefix_tree *t, uint32_t node, unsigned *n)
{
	if (node == 0)
		return false;
	return ++*n >= HEAVY || is_heavy(t, t->nodes[node].child[0], n) ||
	    is_heavy(t, t->nodes[node].child[1], n);
}

static bool
reserve(const struct pfk_engine *e, struct prefix_tree *t, uint32_t n)
{
	uint32_t cap = t->slots_cap, need = t->nslots + n;
	struct prefix_slot *v;

	if (need > MAX_SLOTS)
		return false;
	while (cap < need)
		cap = cap == 0 ? SMALL : 2 * cap;
	if (cap == t->slots_cap)
		return true;
	v = e_realloc(e, t->slots, t->slots_cap * sizeof(*v),
	    cap * sizeof(*v));
	if (v == NULL)
		return false;
	t->slots = v;
	t->slots_cap = cap;
	return true;
}

/* An array for the bits after `from', empty; 0: the node is better. */
static uint32_t
new_array(const struct pfk_engine *e, struct prefix_tree *t, uint32_t node,
    unsigned *from)
{
	const struct prefix_node *n = &t->nodes[node];
	unsigned bits = choose_bits(t, node, *from);
	uint32_t size, first = t->nslots, head = 0;

	if (n->bits > *from && (bits == 0 || n->bits >= *from + bits)) {
		bits = choose_bits(t, node, n->bits);
		*from = n->bits;
		head = HAS_HEAD;
	}
	size = ((uint32_t)1 << bits) + (head != 0 ? HEAD : 0);
	if (bits == 0 || !reserve(e, t, size))
		return 0;
	memset(&t->slots[first], 0, size * sizeof(*t->slots));
	if (head != 0)
		set_head(&t->slots[first], n);
	t->nslots += size;
	return IS_ARRAY | head | bits << 25 | first;
}

/* What `next' becomes: an array, or the node as it was. */
static uint32_t
build(const struct pfk_engine *e, struct prefix_tree *t, uint32_t node,
    unsigned from)
{
	struct fill f = { .tree = t };
	uint32_t first, below;
	unsigned count;

	f.array = new_array(e, t, node, &from);
	if (f.array == 0)
		return node;
	f.from = from;
	f.level = from + array_bits(f.array);
	f.end = (uint32_t)1 << array_bits(f.array);
	first = array_first(f.array);
	fill(&f, node, 0, f.end, PREFIX_NONE);
	for (uint32_t i = 0; i < f.end; i++) {
		below = t->slots[first + i].next;
		count = 0;
		if (is_heavy(t, below, &count)) {
			below = build(e, t, below, f.level);
			t->slots[first + i].next = below;
		}
	}
	return f.array;
}

void
prefix_index_build(const struct pfk_engine *e, struct prefix_tree *t)
{
	t->nslots = t->lost = t->top = 0;
	t->rebuild = t->n < SMALL ? SMALL : t->n > UINT32_MAX / 2 ?
	    UINT32_MAX : 2 * t->n;
	if (t->n >= SMALL && t->root != 0)
		t->top = build(e, t, t->root, 0);
}
