/*
 * Making blocks: the tables that block.c asks.
 */
#include <stdlib.h>

#include "runtime/block_int.h"
#include "runtime/bytecode.h"

#define MAX_SAME_KEY	8	/* rules of one key before lengths are exact */
#define MAX_TABLES	512
#define FILTER_MIN	1024	/* rules that make a table large */

static bool
same_key(const struct block_key *a, const struct block_key *b)
{
	return memcmp(a->src, b->src, sizeof(a->src)) == 0 &&
	    memcmp(a->dst, b->dst, sizeof(a->dst)) == 0 &&
	    a->port[0] == b->port[0] && a->port[1] == b->port[1];
}

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

/* Sixteen bits for each rule; the entries are all there. */
static bool
make_filter(const struct pfk_engine *e, struct block *b, struct tuple *t)
{
	if (t->n < FILTER_MIN)
		return true;
	for (t->nfilter = 1; t->nfilter < t->n / 4; t->nfilter *= 2)
		;
	t->filter = e_alloc(e, t->nfilter * sizeof(*t->filter));
	if (t->filter == NULL)
		return false;
	for (uint32_t i = 0; i < t->nbuckets; i++)
		for (uint32_t x = t->buckets[i]; x != 0;
		    x = b->entries[x - 1].next) {
			struct block_key k = tuple_key(t,
			    &b->entries[x - 1].key);
			uint32_t h = key_hash(&k) * 0x85ebca6bu;

			t->filter[h >> 6 & (t->nfilter - 1)] |=
			    (uint64_t)1 << (h & 63);
		}
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
	for (uint32_t i = 0; i < b->ntuples; i++) {
		struct tuple *t = &b->tuples[i];

		e_free(e, t->buckets, t->nbuckets * sizeof(*t->buckets));
		if (t->filter != NULL)
			e_free(e, t->filter, t->nfilter * sizeof(*t->filter));
	}
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
	for (uint32_t i = 0; i < b->ntuples; i++)
		if (!make_filter(e, b, &b->tuples[i]))
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
