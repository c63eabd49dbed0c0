/*
 * Tries of prefixes, inside: shared by prefix*.c.
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

/* The key without its first n bits, n at most 128. */
static inline struct key
key_after(struct key k, unsigned n)
{
	if (n == 0)
		return k;
	if (n >= 64)
		return (struct key){ n >= 128 ? 0 : k.lo << (n - 64), 0 };
	return (struct key){ k.hi << n | k.lo >> (64 - n), k.lo << n };
}

static inline int
key_cmp(struct key a, struct key b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo == b.lo ? 0 : a.lo < b.lo ? -1 : 1;
}

/* The last address that has the same first bits. */
static inline struct key
key_last(struct key k, unsigned bits)
{
	k.hi |= ~top_bits(bits);
	k.lo |= bits > 64 ? ~top_bits(bits - 64) : UINT64_MAX;
	return k;
}

static inline struct key
node_key(const struct prefix_node *n)
{
	return (struct key){ n->hi, n->lo };
}

/*
 * What is known of addresses: nothing by prefixes from here on, in, not in;
 * or that the trie has to be asked.
 */
enum { PREFIX_ABOVE, PREFIX_IN, PREFIX_OUT, PREFIX_WALK };

static inline unsigned
value_state(const struct prefix_tree *t, uint32_t value)
{
	return value & t->out ? PREFIX_OUT : PREFIX_IN;
}

/*
 * prefix_mem.c: an index's memory, in units of 32 bytes.  It may move when
 * more is wanted.  0: there is none.
 */
#define PREFIX_UNIT	32u
#define PREFIX_UNITS	(1u << 23)		/* not more */
#define PREFIX_UNIT0	4u			/* the first that is used */
uint32_t prefix_mem_new(const struct pfk_engine *, struct prefix_index *,
	    uint32_t units);
/* Small ones: 1, 2 or 4 units, none of which crosses a line for nothing. */
uint32_t prefix_mem_small(const struct pfk_engine *, struct prefix_index *,
	    unsigned size);			/* 0, 1, 2 */
void	 prefix_mem_put(struct prefix_index *, uint32_t unit, unsigned size);
/* Forgets what is in it; takes what is left over back, a part apart. */
void	 prefix_mem_empty(struct prefix_index *);
void	 prefix_mem_trim(const struct pfk_engine *, struct prefix_index *);
void	 prefix_mem_free(const struct pfk_engine *, struct prefix_index *);

static inline void *
prefix_mem_at(const struct prefix_index *x, uint32_t unit)
{
	return x->mem + (size_t)unit * PREFIX_UNIT;
}

/*
 * prefix_bucket.c: the addresses that have the first `from' bits of a node as
 * a few intervals, or as one state; or too much for that.
 */
enum bucket_result { BUCKET_MADE, BUCKET_UNIFORM, BUCKET_LARGE,
    BUCKET_NO_MEMORY };
enum bucket_result prefix_bucket_new(const struct pfk_engine *,
	    struct prefix_tree *, uint32_t node, unsigned from,
	    uint32_t *result);
void	 prefix_bucket_free(struct prefix_index *, uint32_t unit);
unsigned prefix_bucket_state(const struct prefix_index *, uint32_t unit,
	    struct key, unsigned from);
/* The same without the processor's help, where it has any. */
unsigned prefix_bucket_state_portable(const struct prefix_index *,
	    uint32_t unit, struct key, unsigned from);

/* prefix.c: the value of the longest prefix around the key. */
uint32_t prefix_match_key(const struct prefix_tree *, struct key);

/*
 * prefix_some.c: some keys at a time.  First where the index leads them, which
 * begins to come; then, if the tree has not changed since, whether they are
 * in, a bit for each.  Of keys of IPv4, the second word must be 0.
 */
#define PREFIX_SOME	16u			/* not more */
struct prefix_keys { uint64_t hi[PREFIX_SOME], lo[PREFIX_SOME]; };
struct prefix_found {
	uint64_t	rest[PREFIX_SOME];	/* the key behind `at' bits */
	uint32_t	slot[PREFIX_SOME];
	uint8_t		at[PREFIX_SOME];
};
void	 prefix_find_some(const struct prefix_tree *,
	    const struct prefix_keys *, unsigned n, bool v6,
	    struct prefix_found *);
uint32_t prefix_contain_some(const struct prefix_tree *,
	    const struct prefix_keys *, unsigned n,
	    const struct prefix_found *);
/* Whether the processor compares a line of cache by two instructions. */
bool	 prefix_wide(void);

/* prefix_index.c: the trie has changed at this prefix. */
void	 prefix_index_update(const struct pfk_engine *, struct prefix_tree *,
	    struct key, unsigned bits);
unsigned prefix_index_state(const struct prefix_index *, struct key);
unsigned prefix_index_state_portable(const struct prefix_index *, struct key);

#endif
