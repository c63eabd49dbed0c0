/*
 * Looking up the rule that decides in a block.
 *
 * Tuple space search in the manner of TupleMerge (Daly and Torng, 2017): the
 * rules are spread over hash tables by how long their prefixes are, rounded
 * down to a few lengths, and by whether their ports are single ones.  A packet
 * is looked up in each table under the table's masks.  Where too many rules
 * share a key, they go to a table of their exact lengths.
 *
 * This, and not a decision tree: rules with wildcards are never copied, so
 * memory is linear in the rules and building takes a fraction of a second for
 * 100,000; a tree is faster only as long as rules do not overlap.
 *
 *	table	src bits, dst bits, which ports are part of the key
 *	bucket	-> rule -> rule ...	in order: the first that fits is
 *					the table's answer
 *
 * Of quick rules the first that matches decides; tables are asked in the order
 * of their first rule and no further than the best answer so far.  Otherwise
 * it is the last, and the order is turned round.
 *
 * Evaluations: a packet that the n-th rule of a block lets go was evaluated by
 * all up to it, which is one number in `through`; rules_settle() adds them up.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/block.h"
#include "runtime/bytecode.h"

#define MAX_SAME_KEY	8	/* rules of one key before lengths are exact */
#define MAX_TABLES	512

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

/* --- keys --- */

static uint64_t
mask_word(unsigned bits)
{
	return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

static void
mask_addr(uint64_t a[2], unsigned bits)
{
	a[0] &= mask_word(bits);
	a[1] &= bits > 64 ? mask_word(bits - 64) : 0;
}

static uint64_t
get64(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

static void
addr_words(uint64_t w[2], const struct pfk_addr *a, uint8_t af)
{
	w[0] = af == PFK_AF_INET6 ? get64(a->b) : (uint64_t)get32(a->b) << 32;
	w[1] = af == PFK_AF_INET6 ? get64(a->b + 8) : 0;
}

static struct block_key
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
static uint32_t
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

static bool
same_key(const struct block_key *a, const struct block_key *b)
{
	return memcmp(a->src, b->src, sizeof(a->src)) == 0 &&
	    memcmp(a->dst, b->dst, sizeof(a->dst)) == 0 &&
	    a->port[0] == b->port[0] && a->port[1] == b->port[1];
}

static bool
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

/* --- building --- */

/* The interval that an operator means; first > last: no port. */
static void
interval(uint8_t op, const uint16_t p[2], uint16_t *first, uint16_t *last)
{
	*first = 0;
	*last = UINT16_MAX;
	switch ((enum img_op)op) {
	case IMG_OP_EQ:
		*first = *last = p[0];
		break;
	case IMG_OP_RRG:
		*first = p[0];
		*last = p[1];
		break;
	case IMG_OP_IRG:
		*first = (uint16_t)(p[0] + 1);
		*last = (uint16_t)(p[1] - 1);
		if (p[0] == UINT16_MAX || p[1] == 0)
			*first = 1, *last = 0;
		break;
	case IMG_OP_LT:
		*last = (uint16_t)(p[0] - 1);
		if (p[0] == 0)
			*first = 1, *last = 0;
		break;
	case IMG_OP_LE:
		*last = p[0];
		break;
	case IMG_OP_GT:
		*first = (uint16_t)(p[0] + 1);
		if (p[0] == UINT16_MAX)
			*first = 1, *last = 0;
		break;
	case IMG_OP_GE:
		*first = p[0];
		break;
	case IMG_OP_NONE:
	case IMG_OP_NE:
	case IMG_OP_XRG:
		break;
	}
}

static void
make_entry(struct entry *x, const struct img_rule *r)
{
	const struct img_addr *addrs[2] = { &r->src, &r->dst };
	uint64_t *words[2] = { x->key.src, x->key.dst };
	unsigned all = r->af == PFK_AF_INET6 ? 128 : 32;

	memset(x, 0, sizeof(*x));
	for (unsigned i = 0; i < 2; i++) {
		unsigned bits = addrs[i]->kind == IMG_ADDR_ANY ? 0 :
		    addr_mask_bits(&addrs[i]->mask);

		x->bits[i] = (uint8_t)(bits > all ? all : bits);
		if (bits != 0)
			addr_words(words[i], &addrs[i]->addr, r->af);
		mask_addr(words[i], x->bits[i]);
	}
	interval(r->src_port_op, r->src_port, &x->key.port[0], &x->last[0]);
	interval(r->dst_port_op, r->dst_port, &x->key.port[1], &x->last[1]);
}

/* The table for the entry: of its lengths, or of rounded ones. */
static struct tuple
wanted_tuple(const struct entry *x, bool exact)
{
	struct tuple t;

	memset(&t, 0, sizeof(t));
	for (unsigned i = 0; i < 2; i++) {
		t.bits[i] = (uint8_t)(exact ? x->bits[i] : x->bits[i] / 8 * 8);
		t.ports[i] = x->key.port[i] == x->last[i];
	}
	return t;
}

static struct tuple *
get_tuple(const struct pfk_engine *e, struct block *b, const struct tuple *want)
{
	struct tuple *v;
	uint32_t i;

	for (i = 0; i < b->ntuples; i++)
		if (memcmp(b->tuples[i].bits, want->bits, 2) == 0 &&
		    b->tuples[i].ports[0] == want->ports[0] &&
		    b->tuples[i].ports[1] == want->ports[1])
			return &b->tuples[i];
	if (i == MAX_TABLES)
		return NULL;
	v = e_realloc(e, b->tuples, i * sizeof(*v), (i + 1) * sizeof(*v));
	if (v == NULL)
		return NULL;
	b->tuples = v;
	b->ntuples++;
	v[i] = *want;
	return &v[i];
}

static void
link_entry(struct block *b, struct tuple *t, uint32_t i)
{
	struct block_key k = tuple_key(t, &b->entries[i].key);
	uint32_t *bucket = &t->buckets[key_hash(&k) & (t->nbuckets - 1)];

	b->entries[i].next = *bucket;
	*bucket = i + 1;
}

/* Twice the buckets; entries keep their order within each. */
static bool
grow(const struct pfk_engine *e, struct block *b, struct tuple *t)
{
	uint32_t old = t->nbuckets, n = old == 0 ? 8 : old * 2;
	uint32_t *from = t->buckets, *v = e_alloc(e, n * sizeof(*v));

	if (v == NULL)
		return false;
	t->buckets = v;
	t->nbuckets = n;
	for (uint32_t i = 0; i < old; i++) {
		uint32_t turned = 0, x, next;

		for (x = from[i]; x != 0; x = next) {
			next = b->entries[x - 1].next;
			b->entries[x - 1].next = turned;
			turned = x;
		}
		for (x = turned; x != 0; x = next) {
			next = b->entries[x - 1].next;
			link_entry(b, t, x - 1);
		}
	}
	e_free(e, from, old * sizeof(*from));
	return true;
}

/* Whether the table holds many entries of that key already. */
static bool
is_crowded(const struct block *b, const struct tuple *t, const struct entry *x)
{
	struct block_key k, other;
	unsigned n = 0;

	if (t->nbuckets == 0)
		return false;
	k = tuple_key(t, &x->key);
	for (uint32_t i = t->buckets[key_hash(&k) & (t->nbuckets - 1)]; i != 0;
	    i = b->entries[i - 1].next) {
		other = tuple_key(t, &b->entries[i - 1].key);
		n += same_key(&k, &other);
	}
	return n >= MAX_SAME_KEY;
}

static bool
add_entry(const struct pfk_engine *e, struct block *b, uint32_t i)
{
	struct tuple want = wanted_tuple(&b->entries[i], false);
	struct tuple *t = get_tuple(e, b, &want);

	if (t != NULL && is_crowded(b, t, &b->entries[i])) {
		want = wanted_tuple(&b->entries[i], true);
		t = get_tuple(e, b, &want);
	}
	if (t == NULL || (t->n >= t->nbuckets && !grow(e, b, t)))
		return false;
	link_entry(b, t, i);
	t->n++;
	t->best = i;		/* entries come in order: the last is best */
	return true;
}

static int
compare_quick(const void *a, const void *b)
{
	const struct tuple *x = a, *y = b;

	return (x->best > y->best) - (x->best < y->best);
}

static int
compare_last(const void *a, const void *b)
{
	return compare_quick(b, a);
}

static void
block_free(const struct pfk_engine *e, struct block *b)
{
	for (uint32_t i = 0; i < b->ntuples; i++)
		e_free(e, b->tuples[i].buckets, b->tuples[i].nbuckets *
		    sizeof(*b->tuples[i].buckets));
	e_free(e, b->tuples, b->ntuples * sizeof(*b->tuples));
	e_free(e, b->entries, b->n * sizeof(*b->entries));
	e_free(e, b->code, b->n * sizeof(*b->code));
	e_free(e, b->through, ((size_t)b->n + 1) * sizeof(*b->through));
}

/* Best ones last, since a bucket gives the newest first. */
static bool
fill(const struct pfk_engine *e, struct block *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		make_entry(&b->entries[i], &b->r[i]);
	for (uint32_t i = 0; i < b->n; i++)
		if (!add_entry(e, b, b->quick ? b->n - 1 - i : i))
			return false;
	qsort(b->tuples, b->ntuples, sizeof(*b->tuples),
	    b->quick ? compare_quick : compare_last);
	return true;
}

/* Where the code of each rule begins; they follow the BLOCK at w. */
static void
find_code(struct block *b, const uint32_t *w)
{
	for (uint32_t i = 0; i < b->n; w += op_info[insn_op(*w)].length)
		if (insn_op(*w) == OP_RULE)
			b->code[i++] = w;
}

static bool
make_block(struct pfk_engine *e, uint32_t rule, uint32_t n, const uint32_t *w)
{
	size_t size = sizeof(*e->blocks);
	struct block *v, *b;

	v = e_realloc(e, e->blocks, e->nblocks * size,
	    (e->nblocks + 1) * size);
	if (v == NULL)
		return false;
	e->blocks = v;
	b = &v[e->nblocks];
	*b = (struct block){ .first = rule, .n = n, .r = e->rules[rule].r };
	b->quick = (b->r->flags & IMG_R_QUICK) != 0;
	b->shared = (uint8_t)image_block_shared(&b->r[0], &b->r[1]);
	b->entries = e_alloc(e, n * sizeof(*b->entries));
	b->through = e_alloc(e, ((size_t)n + 1) * sizeof(*b->through));
	b->code = e_alloc(e, n * sizeof(*b->code));
	if (b->entries == NULL || b->through == NULL || b->code == NULL ||
	    !fill(e, b)) {
		block_free(e, b);
		return false;
	}
	find_code(b, w);
	e->rules[rule].block = ++e->nblocks;
	return true;
}

/* Whether the rules of the BLOCK stand behind it, each once, in order. */
static bool
in_order(const uint32_t *w, const uint32_t *end)
{
	uint32_t rule = w[2], n = w[3];

	for (; n > 0 && w < end; w += op_info[insn_op(*w)].length)
		if (insn_op(*w) == OP_RULE) {
			if (w[2] != rule++)
				return false;
			n--;
		}
	return n == 0;
}

/*
 * A block whose rules are not what a block is about is none: then its rules
 * are asked one by one.  false: no memory.
 */
bool
blocks_add(struct pfk_engine *e, const uint32_t *code, uint32_t ncode,
    uint32_t base)
{
	const uint32_t *w, *end = code + ncode;

	for (w = code; w < end; w += op_info[insn_op(*w)].length)
		if (insn_op(*w) == OP_BLOCK && w[3] > 1 &&
		    e->rules[base + w[2]].block == 0 && in_order(w, end) &&
		    image_block_length(e->rules[base + w[2]].r, w[3]) ==
		    w[3] && !make_block(e, base + w[2], w[3], w))
			return false;
	return true;
}

void
blocks_free(struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->nblocks; i++)
		block_free(e, &e->blocks[i]);
	e_free(e, e->blocks, e->nblocks * sizeof(*e->blocks));
	e->blocks = NULL;
	e->nblocks = 0;
}

/* --- asking --- */

static bool
head_fits(const struct pfk_engine *e, const struct block *b,
    const struct pkt *p)
{
	const struct img_rule *r = b->r;
	bool ifnot = (r->flags & IMG_R_IFNOT) != 0;

	return (r->direction == IMG_INOUT || r->direction == p->dir) &&
	    (r->af == 0 || r->af == p->af) &&
	    (r->proto == 0 || r->proto == p->proto) &&
	    (r->ifname == 0 || iface_is(e, p->ifid,
	    e->rules[b->first].if_index) != ifnot) &&
	    (r->onrdomain < 0 || (r->onrdomain == p->rdomain) != ifnot);
}

static bool
flags_fit(const struct img_rule *r, const struct pkt *p)
{
	return p->vproto != PROTO_TCP ||
	    (p->tcp_flags & r->tcp_flagset) == r->tcp_flags;
}

enum { SHARED_SRC, SHARED_DST, SHARED_SPORT, SHARED_DPORT, SHARED_NONE };

/* Whether the packet's address or port fits the entry in that field. */
static bool
field_fits(const struct entry *x, const struct block_key *k, unsigned field)
{
	const uint64_t *have = field == SHARED_SRC ? k->src : k->dst;
	const uint64_t *want = field == SHARED_SRC ? x->key.src : x->key.dst;
	unsigned i = field - SHARED_SPORT;
	uint64_t v[2];

	if (field >= SHARED_SPORT)
		return k->port[i] >= x->key.port[i] &&
		    k->port[i] <= x->last[i];
	memcpy(v, have, sizeof(v));
	mask_addr(v, x->bits[field]);
	return memcmp(v, want, sizeof(v)) == 0;
}

static bool
is_shared(const struct block *b, unsigned field)
{
	return b->shared >> field & 1;
}

/* Of the fields that all rules share the first that does not fit. */
static unsigned
misfit(const struct block *b, const struct block_key *k)
{
	unsigned field;

	for (field = 0; field < SHARED_NONE; field++)
		if (is_shared(b, field) &&
		    !field_fits(&b->entries[0], k, field))
			break;
	return field;
}

/*
 * The first or last rule that matches, or b->n.  What the tables are sorted
 * for is found without looking at all of them.
 */
static uint32_t
look_up(const struct block *b, const struct block_key *k, bool first)
{
	uint32_t best = b->n;

	for (uint32_t i = 0; i < b->ntuples; i++) {
		const struct tuple *t = &b->tuples[i];
		struct block_key m;
		uint32_t x;

		if (best != b->n && first == b->quick &&
		    (first ? t->best > best : t->best < best))
			break;
		m = tuple_key(t, k);
		x = t->buckets[key_hash(&m) & (t->nbuckets - 1)];
		for (; x != 0; x = b->entries[x - 1].next) {
			if (!entry_fits(&b->entries[x - 1], k))
				continue;
			if (best == b->n || (first ? x - 1 < best :
			    x - 1 > best))
				best = x - 1;
			if (first == b->quick)
				break;
		}
	}
	return best;
}

/*
 * The packet does not fit in a field that all rules share.  The first rule
 * that it gets to that field with sends it out of the block; that is the first
 * that fits in the fields before.  Only if the rules differ in no field after
 * it can it be looked up: as if the packet did fit.
 */
static enum block_answer
ask_way_out(struct block *b, const struct block_key *k, unsigned field,
    bool flags, struct block_result *result)
{
	const struct entry *x = &b->entries[0];
	struct block_key pretend = *k;
	uint32_t found;

	if (field == SHARED_SRC)	/* the first rule leads out */
		return BLOCK_UNKNOWN;
	if (field == SHARED_DST)
		memcpy(pretend.dst, x->key.dst, sizeof(pretend.dst));
	for (unsigned i = field == SHARED_DPORT; i < 2; i++) {
		/* nothing fits in an interval that is empty */
		if (!is_shared(b, i + SHARED_SPORT) ||
		    x->key.port[i] > x->last[i])
			return BLOCK_UNKNOWN;
		pretend.port[i] = x->key.port[i];
	}
	/* flags are looked at after addresses and before ports */
	flags = flags || field == SHARED_DST;
	found = flags ? look_up(b, &pretend, true) : b->n;
	b->unsettled = true;
	b->through[found]++;
	if (found == b->n)
		return BLOCK_NONE;
	result->go = b->code[found];
	return BLOCK_GO;
}

enum block_answer
block_ask(const struct pfk_engine *e, uint32_t block, const struct pkt *p,
    const struct pfk_addr *src, const struct pfk_addr *dst,
    const uint16_t port[2], struct block_result *result)
{
	struct block *b = &e->blocks[block - 1];
	struct block_key k = { .port = { port[0], port[1] } };
	uint32_t found = b->n;
	unsigned field;
	bool flags;

	if (!head_fits(e, b, p))
		return BLOCK_UNKNOWN;
	addr_words(k.src, src, p->af);
	addr_words(k.dst, dst, p->af);
	flags = flags_fit(b->r, p);
	if ((field = misfit(b, &k)) != SHARED_NONE)
		return ask_way_out(b, &k, field, flags, result);
	if (flags)
		found = look_up(b, &k, b->quick);
	b->unsettled = true;
	b->through[b->quick && found < b->n ? found + 1 : b->n]++;
	result->rule = b->first + found;
	return found < b->n ? BLOCK_RULE : BLOCK_NONE;
}

void
rules_settle(const struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->nblocks; i++) {
		struct block *b = &e->blocks[i];
		uint64_t sum = 0;

		if (!b->unsettled)
			continue;
		for (uint32_t k = b->n; k > 0; k--) {
			sum += b->through[k];
			e->rules[b->first + k - 1].n.evaluations += sum;
			b->through[k] = 0;
		}
		b->unsettled = false;
	}
}
