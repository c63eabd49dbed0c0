/*
 * Blocks, inside.
 *
 *	block_read.c	what a rule's instructions ask
 *	block_build.c	makes blocks, and the tables that name the rule which
 *			matches
 *	block_spans.c	which rules lead elsewhere than is usual
 *	block_class.c	how packets of one head usually go through a block
 *	block.c		asks
 */
#ifndef RUNTIME_BLOCK_INT_H
#define RUNTIME_BLOCK_INT_H

#include <string.h>

#include "runtime/block.h"
#include "runtime/bytecode.h"

/* Fields whose misfits may skip rules, in pf's order; the head is before. */
enum block_field { F_SRC, F_DST, F_SPORT, F_DPORT, F_COUNT };

/* ---- block_read.c ---- */

/* A value of a field: an address as big words, a port on top of the first. */
struct value { uint64_t w[2]; };

enum field_kind {
	FIELD_ANY,		/* not asked */
	FIELD_INTERVAL,		/* low to high; negated: all but those */
	FIELD_OTHER		/* only the instruction knows */
};
struct field {
	uint8_t		kind;
	uint8_t		bits;		/* a prefix of such a length */
	bool		prefix, neg;
	struct value	low, high;	/* low > high: nothing */
	const uint32_t	*test;
	bool		far;		/* leads further than the next rule */
};

enum block_check {		/* whether tables know all that is asked */
	CHECK_NONE,
	CHECK_ICMP,		/* of ICMP they do not */
	CHECK_ALL
};

struct row {			/* a rule as its instructions have it */
	struct field	f[F_COUNT];
	uint8_t		af;		/* 0: any */
	uint8_t		proto;		/* 0: any */
	uint8_t		flagset;
	uint8_t		check;		/* enum block_check */
	bool		os;		/* asked before the ports */
	bool		iface, rdomain;
	bool		counts;		/* a table, which counts questions */
	bool		quick;
};

/*
 * false: its instructions are not such as a rule of a block has.
 * => next is where the next rule's begin.
 */
bool	row_read(struct row *, const uint32_t *rule, const uint32_t *next);
/*
 * What to expect of a packet that gets as far as to the field: most do not fit
 * in a network, but in all except one.
 */
enum likely { LIKELY_FIT, LIKELY_MISFIT, LIKELY_UNKNOWN };
enum likely row_likely(const struct row *, enum block_field);

/* ---- blocks ---- */

struct block_key {
	uint64_t	src[2], dst[2];
	uint16_t	port[2];
};

struct entry {			/* a rule */
	struct block_key key;	/* under its masks; ports: the first */
	uint16_t	last[2];	/* ports */
	uint8_t		bits[2];	/* of the prefixes */
	uint8_t		af;
	uint8_t		check;		/* enum block_check */
	uint32_t	next;		/* of the bucket: entry + 1 */
};

struct tuple {
	uint8_t		af;
	uint8_t		bits[2];
	bool		ports[2];	/* are part of the key */
	uint32_t	*buckets;	/* entry + 1 */
	uint32_t	nbuckets, n;	/* nbuckets: a power of two */
	uint32_t	best;		/* entry: lowest or highest */
	uint64_t	*filter;	/* bits for the hashes of its keys */
	uint32_t	nfilter;	/* words, a power of two; 0: none */
};

/* block_prune.c: tables that may have an answer, by an address. */
#define PRUNE_TABLES	256	/* those behind them always may */
#define PRUNE_MIN	8	/* fewer are not worth it */
#define PRUNE_TOP	0x10001u
struct table_set { uint64_t w[PRUNE_TABLES / 64]; };
struct prune {
	struct value	*at;		/* from here on: */
	struct table_set *set;
	uint32_t	n, cap;
	uint32_t	*top;		/* by the upper sixteen bits; NULL:
					   it is not there */
};

/* Tables, those with the best rule first. */
struct tuples {
	struct tuple	*v;
	uint32_t	n;
	struct prune	prune[2][2];	/* IPv4, IPv6; source, destination */
};
enum { SET_LAST, SET_QUICK, SETS };	/* of quick rules, of the others */

struct block;
bool	prune_build(const struct pfk_engine *, struct block *, struct tuples *);
void	prune_free(const struct pfk_engine *, struct prune *);
const struct table_set *prune_find(const struct prune *,
	    const uint64_t addr[2]);

/* Lists of rules for each value of a field. */
struct span { struct value low, high; uint32_t rule; };
struct span_list { struct span *v; uint32_t n, cap; };
struct spans {
	struct value	*at;		/* from here on: */
	uint32_t	*list;		/* place in ids */
	uint32_t	n;
	uint32_t	*ids;		/* lists, each ends with NO_RULE */
	uint32_t	nids, capids, cap;
};
#define NO_RULE		UINT32_MAX

/* block_spans.c; false: no memory.  The lists may be changed. */
bool	spans_build(const struct pfk_engine *, struct spans *,
	    struct span_list *);
bool	span_add(const struct pfk_engine *, struct span_list *,
	    const struct value *low, const struct value *high, uint32_t rule);
void	spans_free(const struct pfk_engine *, struct spans *);
const uint32_t *spans_find(const struct spans *, const struct value *);

/* Indexes of spans: fields, addresses by family. */
enum { SPANS_SRC4, SPANS_SRC6, SPANS_DST4, SPANS_DST6, SPANS_SPORT,
    SPANS_DPORT, SPANS_COUNT };

#define BLOCK_EXITS	16	/* usual ways out for packets of one head */
#define BLOCK_CLASSES	64	/* a power of two; kept at a time */
#define BLOCK_NODES	(4u << 20) /* nodes of all classes of a block */

struct node {			/* a rule, or a way out */
	uint32_t	up;		/* what comes next, usually */
	uint32_t	at, size;	/* nodes below it are numbered [at,
					   at + size) */
};
struct block_class {
	uint64_t	key;
	bool		odd;		/* to be asked one by one */
	uint32_t	nexits;
	const uint32_t	*exits[BLOCK_EXITS];
	struct node	*nodes;		/* rules, exits */
	int64_t		*steps;		/* of nodes; see block_class.c */
	uint64_t	*head, *fits;	/* bit of a rule: its head fits; flags,
					   too */
};

struct block {
	uint32_t	first, n;	/* e->rules */
	bool		asks_iface, asks_rdomain;
	uint8_t		flagset;
	uint64_t	protos[4];	/* bits of those that are asked for */
	struct entry	*entries;
	struct tuples	sets[SETS];
	struct spans	spans[SPANS_COUNT];
	uint32_t	*always;	/* rules that are always asked */
	uint32_t	nalways;
	uint64_t	*quick, *counts; /* bits of rules */
	const uint32_t	**code;		/* of each rule, and behind the last */
	struct block_class *classes[BLOCK_CLASSES], *last;
	uint32_t	nclasses;
	bool		unsettled;
};

static inline bool
bit(const uint64_t *v, uint32_t i)
{
	return v[i / 64] >> (i % 64) & 1;
}

static inline void
set_bit(uint64_t *v, uint32_t i)
{
	v[i / 64] |= (uint64_t)1 << (i % 64);
}

static inline size_t
bits_size(uint32_t n)
{
	return ((size_t)n + 63) / 64 * 8;
}

/* block_class.c; NULL: none can be had. */
struct block_class *block_class(struct pfk_engine *, struct block *,
	    const struct pkt *);
void	block_classes_free(const struct pfk_engine *, struct block *);
/* The rule of the block that begins there, or n. */
uint32_t block_rule_at(const struct block *, uint32_t guess,
	    const uint32_t *pc);
void	block_settle(const struct pfk_engine *, struct block *);

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

static inline struct value
port_value(uint16_t port)
{
	return (struct value){ { (uint64_t)port << 48, 0 } };
}

static inline bool
value_less(const struct value *a, const struct value *b)
{
	return a->w[0] < b->w[0] || (a->w[0] == b->w[0] && a->w[1] < b->w[1]);
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
