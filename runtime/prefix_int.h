/*
 * Tries of prefixes, inside: shared by prefix.c and prefix_index.c.
 */
#ifndef RUNTIME_PREFIX_INT_H
#define RUNTIME_PREFIX_INT_H

#include "runtime/rules_int.h"


struct prefix_node {
	uint64_t	hi, lo;
	uint32_t	child[2];
	uint32_t	value;
	uint8_t		bits;
};

struct prefix_slot { uint32_t best, next; };	/* prefix_index.c */

struct key { uint64_t hi, lo; };

static inline uint64_t
get64(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

static inline struct key
key_of(uint8_t af, const struct pfk_addr *a)
{
	if (af == PFK_AF_INET)
		return (struct key){ (uint64_t)get32(a->b) << 32, 0 };
	return (struct key){ get64(a->b), get64(a->b + 8) };
}

/* The first `bits` bits of a 64-bit word. */
static inline uint64_t
top_bits(unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX :
	    ~(UINT64_MAX >> bits);
}

static inline struct key
key_mask(struct key k, unsigned bits)
{
	k.hi &= top_bits(bits);
	k.lo &= bits > 64 ? top_bits(bits - 64) : 0;
	return k;
}

static inline unsigned
key_bit(struct key k, unsigned i)
{
	return i < 64 ? k.hi >> (63 - i) & 1 :
	    i < 128 ? k.lo >> (127 - i) & 1 : 0;
}

static inline bool
node_covers(const struct prefix_node *n, struct key k)
{
	if (((n->hi ^ k.hi) & top_bits(n->bits)) != 0)
		return false;
	return n->bits <= 64 || ((n->lo ^ k.lo) & top_bits(n->bits - 64u)) == 0;
}

/* Bits [from, from + n) of the key; n at most 32. */
static inline uint32_t
key_bits(struct key k, unsigned from, unsigned n)
{
	uint64_t word = from >= 64 ? k.lo << (from - 64) :
	    from == 0 ? k.hi : k.hi << from | k.lo >> (64 - from);

	return (uint32_t)(word >> (64 - n));
}

/* prefix_index.c: the trie has changed at this prefix. */
void	 prefix_index_update(struct prefix_tree *, struct key,
	    unsigned bits);
/* Whether it should be built again, and doing so. */
bool	 prefix_index_is_old(const struct prefix_tree *);
void	 prefix_index_build(const struct pfk_engine *,
	    struct prefix_tree *);
/* The node to go on from, or 0; *best is set if a prefix above it has one. */
uint32_t prefix_index_find(const struct prefix_tree *, struct key,
	    uint32_t *best);

#endif
