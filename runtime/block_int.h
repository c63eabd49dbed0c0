/*
 * Blocks, inside.
 *
 *	block_read.c	what a rule's instructions ask
 *	block_build.c	makes blocks of:
 *	block_table.c	  the tables that name the rule which matches
 *	block_prune.c	  which of them may, by an address
 *	block_vectors.c	  the bit vectors that do so where rules are few
 *	block_spans.c	  which rules lead elsewhere than is usual
 *	block_index.c	  where an address or a port lies among all those
 *	block_class.c	how packets of one head usually go through a block
 *	block_look.c	looks packets up, several at a time
 *	block_places.c	  in an index, side by side
 *	block_and.c	  in vectors
 *	block.c		asks
 */
#ifndef RUNTIME_BLOCK_INT_H
#define RUNTIME_BLOCK_INT_H

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "runtime/block.h"
#include "runtime/bytecode.h"
#include "runtime/far.h"
#include "runtime/strip.h"

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
	uint8_t		flags, flagset;
	uint8_t		check;		/* enum block_check */
	bool		other;		/* more than heads, networks, ports,
					   flags, types of ICMP are asked for */
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

/* ---- block_table.c: which rule matches ---- */

/*
 * What tables are asked for: addresses, IPv4 as source << 32 | destination,
 * IPv6 as four words.
 */
struct block_key {
	uint64_t	w[4];
	uint32_t	ports;		/* source << 16 | destination */
};

/*
 * A rule in a table.  rank: the lower, the better; the rule's number or, where
 * the last one decides, counted from the end.
 */
struct fit {
	uint16_t	low[2], span[2]; /* ports: from low to low + span */
	uint32_t	rank;		/* rank << 2 | enum block_check */
	uint32_t	next;		/* entry: a worse one of this slot; 0:
					   none */
};
struct entry4 { uint64_t addr, mask; struct fit f; };
struct entry6 {			/* a line of memory */
	uint64_t	addr[4];
	struct fit	f;
	uint8_t		bits[4];	/* of each word */
	uint8_t		fill[12];
};
#define FIT_NONE	UINT32_MAX	/* in rank: the slot is empty */
#define BLOCK_RULES	0xfffffeu	/* a block has no more */

/* Entries from `first' on are its slots; those behind them are led to. */
struct tuple {
	uint64_t	mask[4];	/* as struct block_key */
	uint32_t	ports;		/* mask of both */
	uint32_t	best;		/* rank */
	uint32_t	first;		/* entry */
	uint8_t		shift;		/* of the hash: the slot is left */
	uint8_t		bits[2];
	uint32_t	n;		/* rules */
	uint32_t	nentries;	/* slots, and what they lead to */
	uint64_t	fill;		/* a line of memory */
};

enum { SET_QUICK, SET_LAST, SETS };	/* of quick rules, of the others */

/* block_prune.c: tables that may have an answer, by an address. */
#define PRUNE_TABLES	256	/* those behind them always may */
#define PRUNE_WORDS	(PRUNE_TABLES / 64)
#define PRUNE_MIN	3	/* fewer are not worth it */
struct table_set { uint64_t w[PRUNE_WORDS]; };
/* Tables, those with the best rule first. */
struct tuples {
	struct tuple	*v;
	uint32_t	n;
	struct table_set all;
	unsigned	words;		/* that places tell of those that may
					   be asked: 1, 2, 4; 0: they do not */
	unsigned	word;		/* the first of a place's */
};
struct table_sets {		/* different ones; the first: all */
	struct table_set *v;
	uint32_t	n, cap;
	unsigned	words;		/* that are used */
};
#define SETS_MOST	0x10000u

/* ---- block_index.c: where a value lies ---- */

/* Values from one on, up to the next piece: what is known of them. */
struct known {
	uint32_t	list;		/* of rules to be asked: in block.ids */
	uint16_t	set[SETS];	/* tables worth asking */
};

struct block_index {
	uint32_t	n;		/* pieces; 1: all values are alike */
	uint32_t	nplaces;	/* kinds of pieces */
	uint64_t	top, top_mask;	/* of values that begin at m[0] */
	unsigned	depth;		/* nodes before the leaves, at most */
	bool		listed;		/* the last word of places: in
					   block.ids */
	unsigned	stride;		/* words of each place */
	uint64_t	root;		/* m[0] */
	uint64_t	*m;		/* cells, places, leaves */
	size_t		size;
};

/* Pieces in the making: in order, where what is known changes. */
struct outline {
	struct { struct value at; struct known k; } *v;
	uint32_t	n, cap;
};
bool	outline_add(const struct pfk_engine *, struct outline *,
	    const struct value *at, const struct known *);
void	outline_free(const struct pfk_engine *, struct outline *);
/* It knows what the other one knows, too, of which nothing is left. */
bool	outline_join(const struct pfk_engine *, struct outline *,
	    struct outline *other);
/* sets: what numbers of sets mean; NULL: they are vectors (block_vectors.h).
 * ids: block.ids.  false: no memory. */
bool	index_build(const struct pfk_engine *, struct block_index *,
	    struct outline *, bool six, const struct table_sets *sets,
	    const uint32_t *ids);
void	index_free(const struct pfk_engine *, struct block_index *);

/* ---- blocks ---- */

struct block_family {
	struct tuples	sets[SETS];
	struct entry4	*entries4;	/* one of both */
	struct entry6	*entries6;
	uint32_t	nentries, nrules;
	size_t		size;		/* of the entries */
	struct block_index index[2];
};

/* Lists of rules for each value of a field. */
struct span { struct value low, high; uint32_t rule; };
struct span_list { struct span *v; uint32_t n, cap; };
#define NO_RULE		UINT32_MAX

/* Fields with lists: addresses by family, ports. */
enum { SPANS_SRC4, SPANS_DST4, SPANS_SRC6, SPANS_DST6, SPANS_SPORT,
    SPANS_DPORT, SPANS_COUNT };

struct block;
struct block_vectors;
struct box {			/* what tables can say of a rule */
	uint64_t	addr[2][2];	/* as struct value */
	uint16_t	low[2], high[2]; /* ports */
	uint8_t		bits[2];
	uint8_t		af;		/* 0: any */
	uint8_t		check;		/* enum block_check */
	bool		never;		/* is not for tables */
};
/* block_table.c, block_prune.c, block_spans.c; false: no memory. */
bool	block_tables_make(const struct pfk_engine *, struct block *,
	    const struct box *, bool six);
void	block_tables_free(const struct pfk_engine *, struct block_family *);
/* Tests of a rule's head, which classes are about. */
static inline bool
is_head(enum op op)
{
	return op == OP_IFACE || op == OP_DIR || op == OP_RDOMAIN ||
	    op == OP_AF || op == OP_PROTO;
}
/* Sides are SRC and DST; the sets are the caller's. */
bool	prune_make(const struct pfk_engine *, struct block_family *,
	    unsigned kind, bool six, unsigned side, struct outline *,
	    struct table_sets *);
void	table_sets_free(const struct pfk_engine *, struct table_sets *);
bool	spans_make(const struct pfk_engine *, struct block *,
	    struct span_list *, struct outline *);
bool	span_add(const struct pfk_engine *, struct span_list *,
	    const struct value *low, const struct value *high, uint32_t rule);

#define KINDS		16	/* heads that many rules have in common */
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
	void		*memory;	/* of all arrays */
	bool		odd;		/* to be asked one by one */
	uint32_t	nexits;
	const uint32_t	*exits[BLOCK_EXITS];
	const uint32_t	*out;		/* the usual one of rule 0 */
	struct node	*nodes;		/* rules, exits */
	/* see "evaluations" in block_class.c */
	int64_t		*steps;		/* of nodes */
	uint32_t	*ends;		/* of rules, and of none */
	uint64_t	*head, *fits;	/* bit of a rule: its head fits; flags,
					   too */
};

/* Where packets usually go on that its head fits: words from code[0] on. */
struct usual {
	uint32_t	to[2];		/* flags that do not fit; that do */
	uint8_t		flags, flagset;	/* TCP: those set, those looked at */
	uint8_t		head;		/* words up to the first other test */
	uint8_t		check;		/* enum block_check */
	uint8_t		kind;		/* of head: block.kinds, or KINDS */
	bool		plain;		/* block_misfit() can tell */
};

struct block {
	uint32_t	first, n;	/* e->rules */
	bool		wide;		/* strip_wide() */
	bool		asks_iface, asks_rdomain;
	uint8_t		flagset;
	uint64_t	heads[2];	/* bits of strip_key() that rules look
					   at; of ICMP */
	uint64_t	protos[4];	/* bits of those that are asked for */
	struct block_family family[2];	/* IPv4, IPv6 */
	struct block_vectors *vectors;	/* or NULL: hash tables */
	struct block_index ports[2];
	uint32_t	*ids;		/* lists, each ends with NO_RULE; that
					   at 0 is empty */
	uint32_t	nids, capids;
	bool		listed;		/* some values have lists */
	bool		begins;		/* nothing of the main ruleset stands
					   before it */
	uint32_t	*always;	/* rules that are always asked */
	uint32_t	nalways;
	uint64_t	*quick, *counts; /* bits of rules */
	struct usual	*usual;		/* of each rule */
	uint32_t	kinds[KINDS];	/* a rule that has such a head */
	unsigned	nkinds;
	const uint32_t	**code;		/* the same, and behind the last */
	struct block_class *classes[BLOCK_CLASSES];
	uint32_t	nclasses;
	/* of heads whose class was asked for lately; a head is never 0 */
	struct { uint64_t head; struct block_class *c; } recent[BLOCK_CLASSES];
	uint32_t	unsettled;	/* packets */
	int64_t		nothing;	/* counts what is not counted */
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

/* Whole VECTOR_STEPs (block_vectors.h). */
static inline size_t
bits_size(uint32_t n)
{
	return ((size_t)n + 511) / 512 * 64;
}

/* block_class.c; NULL: none can be had, or it is to be asked one by one. */
struct block_class *block_find_class(struct pfk_engine *, struct block *,
	    uint64_t head, bool icmp);
static inline unsigned
class_slot(uint64_t key)
{
	return (unsigned)(key * 0x9e3779b97f4a7c15u >> 58);
}
static inline struct block_class *
block_class(struct pfk_engine *e, struct block *b, uint64_t head, bool icmp)
{
	unsigned at = class_slot(head);

	return b->recent[at].head == head ? b->recent[at].c :
	    block_find_class(e, b, head, icmp);
}
/* The usual way out from there. */
const uint32_t *way_out(const struct block *, const struct block_class *,
	    uint32_t from);
/* Whether the node lies on the usual path that begins at `from'. */
static inline bool
on_path(const struct block_class *c, uint32_t from, uint32_t node)
{
	return c->nodes[from].at - c->nodes[node].at < c->nodes[node].size;
}
void	block_classes_free(const struct pfk_engine *, struct block *);
/* The rule of the block that begins there, or n. */
static inline uint32_t
block_rule_at(const struct block *b, const uint32_t *pc)
{
	if (pc < b->code[0] || pc >= b->code[b->n] || insn_op(*pc) != OP_RULE)
		return b->n;
	return pc[2] - b->code[0][2];
}
void	block_settle(const struct pfk_engine *, struct block *);

static inline uint64_t
mask_word(unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
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

static inline bool
value_same(const struct value *a, const struct value *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

/* Whether an interval is told from others only by the second words. */
static inline bool
is_within_half(const struct value *low, const struct value *high)
{
	return low->w[0] == high->w[0] &&
	    (low->w[1] != 0 || high->w[1] != UINT64_MAX);
}

/* Tables need not resist an attacker: chains are of rules, not packets. */
static inline uint64_t
key_hash(const struct tuple *t, const struct block_key *k, bool six)
{
	uint64_t h = (k->w[0] & t->mask[0]) * 0x9e3779b97f4a7c15u;

	if (six) {
		h = (h ^ h >> 32 ^ (k->w[2] & t->mask[2])) *
		    0xbf58476d1ce4e5b9u;
		h ^= h >> 29 ^ (k->w[1] & t->mask[1]) ^
		    (k->w[3] & t->mask[3]) << 1;
	}
	h ^= (k->ports & t->ports) * 0x94d049bb133111ebu;
	return (h ^ h >> 32) * 0xbf58476d1ce4e5b9u;
}

static inline uint32_t
key_slot(const struct tuple *t, const struct block_key *k, bool six)
{
	return t->first + (uint32_t)(key_hash(t, k, six) >> t->shift);
}

#endif
