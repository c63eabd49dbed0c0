/*
 * Prefixes to numbers: a binary trie without one-way branches.
 *
 * Why this one: it holds a million prefixes of either family in 32 bytes a
 * node (at most two nodes a prefix), is changed in place while it is in use,
 * and needs no more steps than prefixes that really lie around an address and
 * branch from its path.  Who only asks whether an address is in has a faster
 * way beside it: prefix_index.c.
 *
 *		   10/8 = a		a node: a prefix, perhaps a value;
 *		  /	 \		children agree with all its bits and
 *	   10.0/15	  10.128/9 = d	are chosen by the next one
 *	  /	\
 *  10.0/16 = b  10.1/16 = c
 *
 * Nodes refer to each other by index, so the array may move when it grows;
 * 0 is no node.  Addresses are kept as two big words, most significant first,
 * so that a prefix compares with two shifts.
 */
#include <string.h>

#include "runtime/prefix_int.h"

#define MAX_NODES	(1u << 28)	/* an index's slot has room for it */

/* Leading bits in which the node's prefix and the key agree, up to max. */
static unsigned
common_bits(const struct prefix_node *n, struct key k, unsigned max)
{
	struct key x = { n->hi ^ k.hi, n->lo ^ k.lo };
	unsigned i = 0;

	if (x.hi == 0)
		i = 64;
	while (i < max && key_bit(x, i) == 0)
		i++;
	return i < max ? i : max;
}

static bool
resize(const struct pfk_engine *e, struct prefix_tree *t, uint32_t cap)
{
	struct prefix_node *nodes = e_realloc(e, t->nodes,
	    t->cap * sizeof(*nodes), cap * sizeof(*nodes));

	if (nodes == NULL)
		return false;
	t->nodes = nodes;
	t->cap = cap;
	return true;
}

/* Room for two more nodes, which is all that one insertion takes. */
static bool
reserve(const struct pfk_engine *e, struct prefix_tree *t)
{
	uint32_t cap = t->cap < 8 ? 8 : t->cap + t->cap / 2;

	if (t->n + 2 < t->cap)
		return true;
	if (cap > MAX_NODES || !resize(e, t, cap))
		return false;
	if (t->n == 0) {
		memset(&t->nodes[0], 0, sizeof(t->nodes[0]));
		t->n = 1;
	}
	return true;
}

void
prefix_trim(const struct pfk_engine *e, struct prefix_tree *t)
{
	uint32_t cap = t->n + t->n / 32 + 8;

	if (t->cap > cap + cap / 8)
		(void)resize(e, t, cap);
}

static uint32_t
new_node(struct prefix_tree *t, struct key k, unsigned bits, uint32_t value)
{
	uint32_t i = t->free;
	struct prefix_node *n;

	if (i != 0)
		t->free = t->nodes[i].child[0];
	else
		i = t->n++;
	n = &t->nodes[i];
	k = key_mask(k, bits);
	*n = (struct prefix_node){ k.hi, k.lo, { 0, 0 }, value,
	    (uint8_t)bits };
	return i;
}

/*
 * Where the prefix belongs: the link to the first node on its path that does
 * not cover it, or is as long.
 */
static uint32_t *
find_link(struct prefix_tree *t, struct key k, unsigned bits)
{
	uint32_t *link = &t->root;

	while (*link != 0) {
		struct prefix_node *n = &t->nodes[*link];

		if (n->bits >= bits || !node_covers(n, k))
			break;
		link = &n->child[key_bit(k, n->bits)];
	}
	return link;
}

/* => There is room for two nodes. */
static void
insert(struct prefix_tree *t, struct key k, uint8_t bits, uint32_t value)
{
	uint32_t *link, old, node, fork;
	unsigned common;

	t->count++;
	link = find_link(t, k, bits);
	old = *link;
	if (old == 0) {
		*link = new_node(t, k, bits, value);
		return;
	}
	common = common_bits(&t->nodes[old], k,
	    t->nodes[old].bits < bits ? t->nodes[old].bits : bits);
	if (common == bits && t->nodes[old].bits == bits) {
		t->count -= t->nodes[old].value != PREFIX_NONE;
		t->nodes[old].value = value;
		return;
	}
	/* links point into the array, which does not move any more */
	node = new_node(t, k, bits, value);
	fork = common == bits ? node : new_node(t, k, common, PREFIX_NONE);
	t->nodes[fork].child[key_bit((struct key){ t->nodes[old].hi,
	    t->nodes[old].lo }, common)] = old;
	if (fork != node)
		t->nodes[fork].child[key_bit(k, common)] = node;
	*link = fork;
}

bool
prefix_set(const struct pfk_engine *e, struct prefix_tree *t, uint8_t af,
    const struct pfk_addr *addr, uint8_t bits, uint32_t value)
{
	struct key k = key_mask(key_of(af, addr), bits);

	if (!reserve(e, t))
		return false;
	insert(t, k, bits, value);
	prefix_index_update(e, t, k, bits);
	return true;
}

uint32_t
prefix_get(const struct prefix_tree *t, uint8_t af,
    const struct pfk_addr *addr, uint8_t bits)
{
	struct key k = key_mask(key_of(af, addr), bits);
	uint32_t i = t->root;

	while (i != 0) {
		const struct prefix_node *n = &t->nodes[i];

		if (n->bits > bits || !node_covers(n, k))
			break;
		if (n->bits == bits)
			return n->value;
		i = n->child[key_bit(k, n->bits)];
	}
	return PREFIX_NONE;
}

/* A node of all bits has no children. */
uint32_t
prefix_match_key(const struct prefix_tree *t, struct key k)
{
	uint32_t best = PREFIX_NONE, i = t->root;

	while (i != 0) {
		const struct prefix_node *n = &t->nodes[i];

		if (!node_covers(n, k))
			break;
		if (n->value != PREFIX_NONE)
			best = n->value;
		i = n->child[key_bit(k, n->bits)];
	}
	return best;
}

uint32_t
prefix_match(const struct prefix_tree *t, uint8_t af,
    const struct pfk_addr *addr)
{
	return prefix_match_key(t, key_of(af, addr));
}

bool
prefix_contains(const struct prefix_tree *t, uint8_t af,
    const struct pfk_addr *addr)
{
	unsigned state = t->indexed ? prefix_index_state(&t->index,
	    key_of(af, addr)) : PREFIX_WALK;
	uint32_t value;

	if (state != PREFIX_WALK)
		return state == PREFIX_IN;
	value = prefix_match(t, af, addr);
	return value != PREFIX_NONE && value_state(t, value) == PREFIX_IN;
}

/* Takes the node out if it has no value and less than two children. */
static void
tidy(struct prefix_tree *t, uint32_t *link)
{
	uint32_t i = *link;
	struct prefix_node *n = &t->nodes[i];

	if (i == 0 || n->value != PREFIX_NONE ||
	    (n->child[0] != 0 && n->child[1] != 0))
		return;
	*link = n->child[0] != 0 ? n->child[0] : n->child[1];
	n->child[0] = t->free;
	t->free = i;
}

void
prefix_remove(const struct pfk_engine *e, struct prefix_tree *t, uint8_t af,
    const struct pfk_addr *addr, uint8_t bits)
{
	struct key k = key_mask(key_of(af, addr), bits);
	uint32_t *link = &t->root, *above = NULL;

	while (*link != 0) {
		struct prefix_node *n = &t->nodes[*link];

		if (n->bits > bits || !node_covers(n, k))
			return;
		if (n->bits == bits)
			break;
		above = link;
		link = &n->child[key_bit(k, n->bits)];
	}
	if (*link == 0 || t->nodes[*link].value == PREFIX_NONE)
		return;
	t->count--;
	t->nodes[*link].value = PREFIX_NONE;
	tidy(t, link);
	if (above != NULL)
		tidy(t, above);
	prefix_index_update(e, t, k, bits);
}

void
prefix_free(const struct pfk_engine *e, struct prefix_tree *t)
{
	e_free(e, t->nodes, t->cap * sizeof(*t->nodes));
	prefix_mem_free(e, &t->index);
	*t = (struct prefix_tree){ .indexed = t->indexed, .out = t->out };
}
