/*
 * Making blocks: the tables that block.c asks.
 */
#include <stdlib.h>

#include "runtime/block_int.h"
#include "runtime/bytecode.h"

#define MAX_SAME_KEY	8	/* rules of one key before lengths are exact */
#define MAX_TABLES	2048
#define FILTER_MIN	1024	/* rules that make a table large */

static bool
same_key(const struct block_key *a, const struct block_key *b)
{
	return memcmp(a->src, b->src, sizeof(a->src)) == 0 &&
	    memcmp(a->dst, b->dst, sizeof(a->dst)) == 0 &&
	    a->port[0] == b->port[0] && a->port[1] == b->port[1];
}

static void
make_entry(struct entry *x, const struct row *r)
{
	uint64_t *words[2] = { x->key.src, x->key.dst };

	memset(x, 0, sizeof(*x));
	x->af = r->af;
	x->check = r->check;
	for (unsigned i = 0; i < 2; i++) {
		const struct field *addr = &r->f[F_SRC + i];
		const struct field *port = &r->f[F_SPORT + i];

		x->last[i] = UINT16_MAX;
		if (addr->prefix && !addr->neg) {
			x->bits[i] = addr->bits;
			memcpy(words[i], addr->low.w, sizeof(addr->low.w));
		}
		if (port->kind == FIELD_INTERVAL && !port->neg) {
			x->key.port[i] = (uint16_t)(port->low.w[0] >> 48);
			x->last[i] = (uint16_t)(port->high.w[0] >> 48);
		}
	}
}

/* The table for the entry: of its lengths, or of rounded ones. */
static struct tuple
wanted_tuple(const struct entry *x, bool exact)
{
	struct tuple t;

	memset(&t, 0, sizeof(t));
	t.af = x->af;
	for (unsigned i = 0; i < 2; i++) {
		t.bits[i] = (uint8_t)(exact ? x->bits[i] : x->bits[i] / 8 * 8);
		t.ports[i] = x->key.port[i] == x->last[i];
	}
	return t;
}

static struct tuple *
get_tuple(const struct pfk_engine *e, struct tuples *s,
    const struct tuple *want)
{
	struct tuple *v = s->v;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (memcmp(v[i].bits, want->bits, 2) == 0 &&
		    v[i].af == want->af && v[i].ports[0] == want->ports[0] &&
		    v[i].ports[1] == want->ports[1])
			return &v[i];
	if (i == MAX_TABLES)
		return NULL;
	v = e_realloc(e, s->v, i * sizeof(*v), (i + 1) * sizeof(*v));
	if (v == NULL)
		return NULL;
	s->v = v;
	s->n++;
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
add_entry(const struct pfk_engine *e, struct block *b, struct tuples *s,
    uint32_t i)
{
	struct tuple want = wanted_tuple(&b->entries[i], false);
	struct tuple exact = wanted_tuple(&b->entries[i], true), *crowded;
	struct tuple *t = get_tuple(e, s, &want);

	if (t != NULL && is_crowded(b, t, &b->entries[i])) {
		crowded = t;
		if ((t = get_tuple(e, s, &exact)) == NULL &&
		    s->n == MAX_TABLES)
			t = crowded;
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
tuples_free(const struct pfk_engine *e, struct tuples *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct tuple *t = &s->v[i];

		e_free(e, t->buckets, t->nbuckets * sizeof(*t->buckets));
		e_free(e, t->filter, t->nfilter * sizeof(*t->filter));
	}
	e_free(e, s->v, s->n * sizeof(*s->v));
	for (unsigned i = 0; i < 4; i++)
		prune_free(e, &s->prune[i / 2][i % 2]);
}

static void
block_free(const struct pfk_engine *e, struct block *b)
{
	size_t n = b->n;

	block_classes_free(e, b);
	for (unsigned i = 0; i < SETS; i++)
		tuples_free(e, &b->sets[i]);
	for (unsigned i = 0; i < SPANS_COUNT; i++)
		spans_free(e, &b->spans[i]);
	e_free(e, b->entries, n * sizeof(*b->entries));
	e_free(e, b->code, (n + 1) * sizeof(*b->code));
	e_free(e, b->quick, bits_size(b->n));
	e_free(e, b->counts, bits_size(b->n));
	e_free(e, b->always, (n + 1) * sizeof(*b->always));
	e_free(e, b, sizeof(*b));
}

/* Best ones last, since a bucket gives the newest first. */
static bool
fill(const struct pfk_engine *e, struct block *b)
{
	for (uint32_t k = 0; k < 2 * b->n; k++) {
		bool quick = k < b->n;
		uint32_t i = quick ? b->n - 1 - k : k - b->n;

		/* a rule that counts questions is asked, not looked up */
		if (bit(b->quick, i) == quick && !bit(b->counts, i) &&
		    !add_entry(e, b, &b->sets[quick], i))
			return false;
	}
	for (unsigned set = 0; set < SETS; set++) {
		struct tuples *s = &b->sets[set];

		for (uint32_t i = 0; i < s->n; i++)
			if (!make_filter(e, b, &s->v[i]))
				return false;
		if (s->n != 0)
			qsort(s->v, s->n, sizeof(*s->v), set == SET_QUICK ?
			    compare_quick : compare_last);
		if (!prune_build(e, b, s))
			return false;
	}
	return true;
}

/* ---- rules that may lead elsewhere than is usual ---- */

static bool
may_stray(const struct row *r)
{
	for (unsigned f = 0; f < F_COUNT; f++)
		if (r->f[f].far)
			return true;
	return r->counts;
}

static unsigned
which_spans(const struct row *r, enum block_field field)
{
	bool six = r->af == PFK_AF_INET6;

	switch (field) {
	case F_SRC:
		return six ? SPANS_SRC6 : SPANS_SRC4;
	case F_DST:
		return six ? SPANS_DST6 : SPANS_DST4;
	case F_SPORT:
		return SPANS_SPORT;
	case F_DPORT:
	case F_COUNT:
		break;
	}
	return SPANS_DPORT;
}

static bool
add_outside(const struct pfk_engine *e, struct span_list *l,
    const struct field *f, uint32_t rule)
{
	static const struct value zero, most = { { UINT64_MAX, UINT64_MAX } };
	struct value below = f->low, above = f->high;

	if ((below.w[0] | below.w[1]) != 0) {
		below.w[0] -= below.w[1]-- == 0;
		if (!span_add(e, l, &zero, &below, rule))
			return false;
	}
	if ((above.w[0] & above.w[1]) == UINT64_MAX)
		return true;
	above.w[0] += ++above.w[1] == 0;
	return span_add(e, l, &above, &most, rule);
}

/* The packets of which the rule must be asked, because they may stray. */
static bool
add_spans(const struct pfk_engine *e, struct block *b, const struct row *r,
    uint32_t rule, struct span_list lists[SPANS_COUNT])
{
	for (enum block_field field = 0; field < F_COUNT; field++) {
		const struct field *f = &r->f[field];
		struct span_list *l = &lists[which_spans(r, field)];
		enum likely likely = row_likely(r, field);

		if (likely == LIKELY_UNKNOWN) {
			b->always[b->nalways++] = rule;
			return true;
		}
		if (f->kind == FIELD_ANY)
			continue;
		if (likely == LIKELY_MISFIT)
			return span_add(e, l, &f->low, &f->high, rule);
		if (f->neg ? !span_add(e, l, &f->low, &f->high, rule) :
		    !add_outside(e, l, f, rule))
			return false;
	}
	return true;
}

static void
read_into(struct block *b, const struct row *r, uint32_t i)
{
	make_entry(&b->entries[i], r);
	b->asks_iface |= r->iface;
	b->asks_rdomain |= r->rdomain;
	b->flagset |= r->flagset;
	if (r->flagset != 0)
		b->protos[0] |= (uint64_t)1 << PROTO_TCP;
	b->protos[r->proto / 64] |= (uint64_t)1 << (r->proto % 64);
	if (r->quick)
		set_bit(b->quick, i);
	if (r->counts)
		set_bit(b->counts, i);
}

/* false: no memory, or not such rules. */
static bool
read_rules(const struct pfk_engine *e, struct block *b)
{
	struct span_list lists[SPANS_COUNT] = { { NULL, 0, 0 } };
	bool good = true;
	struct row r;

	for (uint32_t i = 0; good && i < b->n; i++) {
		good = row_read(&r, b->code[i], b->code[i + 1]);
		if (!good)
			break;
		read_into(b, &r, i);
		if (may_stray(&r))
			good = add_spans(e, b, &r, i, lists);
	}
	b->always[b->nalways] = NO_RULE;
	for (unsigned i = 0; i < SPANS_COUNT; i++) {
		good = good && spans_build(e, &b->spans[i], &lists[i]);
		e_free(e, lists[i].v, lists[i].cap * sizeof(*lists[i].v));
	}
	return good;
}

/* Where the code of each rule begins; they follow the BLOCK at w. */
static void
find_code(struct block *b, const uint32_t *w)
{
	uint32_t i = 0;

	for (w += op_info[OP_BLOCK].length;; w += op_info[insn_op(*w)].length)
		switch ((int)insn_op(*w)) {
		case OP_RULE:
			if (i < b->n) {
				b->code[i++] = w;
				break;
			}
			/* FALLTHROUGH */
		case OP_BLOCK:
		case OP_END:
			if (i == b->n) {
				b->code[i] = w;
				return;
			}
			break;
		}
}

static struct block *
make_block(struct pfk_engine *e, uint32_t rule, uint32_t n, const uint32_t *w)
{
	struct block *b = e_alloc(e, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->first = rule;
	b->n = n;
	b->entries = e_alloc(e, n * sizeof(*b->entries));
	b->code = e_alloc(e, ((size_t)n + 1) * sizeof(*b->code));
	b->quick = e_alloc(e, bits_size(n));
	b->counts = e_alloc(e, bits_size(n));
	b->always = e_alloc(e, ((size_t)n + 1) * sizeof(*b->always));
	if (b->entries != NULL && b->code != NULL && b->quick != NULL &&
	    b->counts != NULL && b->always != NULL) {
		find_code(b, w);
		if (read_rules(e, b) && fill(e, b))
			return b;
	}
	block_free(e, b);
	return NULL;
}

/* Without a block the rules are asked one by one. */
static bool
add_block(struct pfk_engine *e, uint32_t rule, uint32_t n, const uint32_t *w)
{
	size_t size = sizeof(*e->blocks);
	struct block **v, *b = make_block(e, rule, n, w);

	if (b == NULL)
		return true;
	v = e_realloc(e, e->blocks, e->nblocks * size,
	    (e->nblocks + 1) * size);
	if (v == NULL) {
		block_free(e, b);
		return false;
	}
	e->blocks = v;
	v[e->nblocks] = b;
	e->rules[rule].block = ++e->nblocks;
	return true;
}

/* Whether the rules of the BLOCK stand behind it, each once, in order. */
static bool
in_order(const uint32_t *w, const uint32_t *end)
{
	uint32_t rule = w[2], n = w[3];

	for (w += op_info[OP_BLOCK].length; n > 0 && w < end;
	    w += op_info[insn_op(*w)].length) {
		if (insn_op(*w) == OP_BLOCK)
			return false;
		if (insn_op(*w) == OP_RULE) {
			if (w[2] != rule++)
				return false;
			n--;
		}
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
		    w[3] && !add_block(e, base + w[2], w[3], w))
			return false;
	return true;
}

void
blocks_free(struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->nblocks; i++)
		block_free(e, e->blocks[i]);
	e_free(e, e->blocks, e->nblocks * sizeof(*e->blocks));
	e->blocks = NULL;
	e->nblocks = 0;
}
