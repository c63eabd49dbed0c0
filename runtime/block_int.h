/*
 * Blocks, inside: block_build.c makes them, block.c asks them.
 */
#ifndef RUNTIME_BLOCK_INT_H
#define RUNTIME_BLOCK_INT_H

#include <string.h>

#include "runtime/block.h"

struct entry {			/* a rule */
	struct block_key key;	/* under its masks; ports: the first */
	uint16_t	last[2];	/* ports */
	uint8_t		bits[2];	/* of the prefixes */
	uint32_t	next;		/* of the bucket: entry + 1 */
};

struct tuple {
	uint8_t		bits[2];
	bool		ports[2];	/* are part of the key */
	uint32_t	*buckets;	/* entry + 1 */
	uint32_t	nbuckets, n;	/* nbuckets: a power of two */
	uint32_t	best;		/* entry: lowest or highest */
	uint64_t	*filter;	/* bits for the hashes of its keys */
	uint32_t	nfilter;	/* words, a power of two; 0: none */
};

struct block {
	uint32_t	first, n;	/* e->rules */
	const struct img_rule *r;	/* of the first */
	bool		quick;
	uint8_t		shared;		/* bits of image_block_shared() */
	struct entry	*entries;
	struct tuple	*tuples;
	uint32_t	ntuples;
	const uint32_t	**code;		/* of each rule */
	uint64_t	*through;	/* [i]: packets evaluated by i rules */
	bool		unsettled;
};

static inline uint64_t
mask_word(unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

static inline void
mask_addr(uint64_t a[2], unsigned bits)
{
	a[0] &= mask_word(bits);
	a[1] &= bits > 64 ? mask_word(bits - 64) : 0;
}

static inline uint64_t
get64(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

static inline void
addr_words(uint64_t w[2], const struct pfk_addr *a, uint8_t af)
{
	w[0] = af == PFK_AF_INET6 ? get64(a->b) : (uint64_t)get32(a->b) << 32;
	w[1] = af == PFK_AF_INET6 ? get64(a->b + 8) : 0;
}

static inline struct block_key
tuple_key(const struct tuple *t, const struct block_key *k)
{
	struct block_key m = *k;

	mask_addr(m.src, t->bits[0]);
	mask_addr(m.dst, t->bits[1]);
	if (!t->ports[0])
		m.port[0] = 0;
	if (!t->ports[1])
		m.port[1] = 0;
	return m;
}

/* Buckets need not resist an attacker: chains are of rules, not packets. */
static inline uint32_t
key_hash(const struct block_key *k)
{
	uint64_t h = k->src[0] * 0x9e3779b97f4a7c15u;

	h ^= h >> 32;
	h = (h ^ k->dst[0]) * 0xbf58476d1ce4e5b9u;
	h ^= h >> 29;
	h = (h ^ k->src[1] ^ (k->dst[1] << 1)) * 0x94d049bb133111ebu;
	h ^= h >> 32;
	h = (h ^ ((uint64_t)k->port[0] << 16 | k->port[1])) *
	    0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

static inline bool
entry_fits(const struct entry *x, const struct block_key *k)
{
	uint64_t s[2] = { k->src[0], k->src[1] };
	uint64_t d[2] = { k->dst[0], k->dst[1] };

	mask_addr(s, x->bits[0]);
	mask_addr(d, x->bits[1]);
	return s[0] == x->key.src[0] && d[0] == x->key.dst[0] &&
	    s[1] == x->key.src[1] && d[1] == x->key.dst[1] &&
	    k->port[0] >= x->key.port[0] && k->port[0] <= x->last[0] &&
	    k->port[1] >= x->key.port[1] && k->port[1] <= x->last[1];
}

/*
 * Large tables: most keys that are not there are known by a bit that is not
 * set, in a sixteenth of the room that buckets and rules take.
 */
static inline bool
filter_says_no(const struct tuple *t, uint32_t hash)
{
	uint32_t h = hash * 0x85ebca6bu;

	return t->nfilter != 0 &&
	    (t->filter[h >> 6 & (t->nfilter - 1)] >> (h & 63) & 1) == 0;
}

#endif
