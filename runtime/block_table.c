/*
 * The tables of a block: tuple space search in the manner of TupleMerge (Daly
 * and Torng, 2017).
 *
 * Rules are spread over hash tables by how long their prefixes are, rounded
 * down to a few lengths, and by whether their ports are single ones.  Where
 * too many rules share a key, they go to a table of their exact lengths.
 *
 *	table	masks of addresses and ports
 *	bucket	entry, and some bits of the hash of its key, which tell most
 *		keys that are not there without a look at the entry
 *	entry	a rule; those of one bucket follow each other, best first
 *
 * Families have tables of their own, so that an IPv4 rule takes half a line of
 * the cache; rules for any family, which have no addresses, are in both.
 */
#include <stdlib.h>

#include "runtime/block_int.h"

#define MAX_SAME_KEY	8	/* rules of one key before lengths are exact */
#define EXACT_TABLES	2048	/* no exact lengths behind so many */

/* How many rules have a table's key, by its hash. */
struct crowd { uint64_t hash; uint32_t n; };

struct making {
	const struct pfk_engine *e;
	const struct box *boxes;
	struct block_family *f;
	bool		six, last;
	uint32_t	n;		/* rules of the block */
	uint32_t	*table;		/* of each rank, or NO_TABLE */
	struct crowd	*crowd;
	uint32_t	ncrowd;		/* a power of two */
};
#define NO_TABLE	UINT32_MAX

static uint64_t
word32(const uint64_t a[2][2], bool side)
{
	return a[side][0] >> 32;
}

static struct block_key
box_key(const struct box *x, bool six)
{
	struct block_key k = { .port = { x->low[0], x->low[1] } };

	if (six)
		memcpy(k.w, x->addr, sizeof(k.w));
	else
		k.w[0] = word32(x->addr, SRC) << 32 | word32(x->addr, DST);
	return k;
}

static uint64_t
mask4(const uint8_t bits[2])
{
	return (mask_word(bits[SRC]) >> 32 << 32) | mask_word(bits[DST]) >> 32;
}

static void
set_masks(uint64_t mask[4], const uint8_t bits[2], bool six)
{
	if (!six) {
		mask[0] = mask4(bits);
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		mask[2 * i] = mask_word(bits[i]);
		mask[2 * i + 1] = bits[i] > 64 ? mask_word(bits[i] - 64u) : 0;
	}
}

/* The table for the rule: of its lengths, or of rounded ones. */
static struct tuple
wanted_tuple(const struct box *x, bool exact, bool six)
{
	struct tuple t;

	memset(&t, 0, sizeof(t));
	for (unsigned i = 0; i < 2; i++) {
		t.bits[i] = (uint8_t)(exact ? x->bits[i] : x->bits[i] / 8 * 8);
		if (x->low[i] == x->high[i])
			t.ports |= i == 0 ? 0xffff0000u : 0xffffu;
	}
	set_masks(t.mask, t.bits, six);
	return t;
}

/* Its number, or NO_TABLE: no memory. */
static uint32_t
get_tuple(const struct pfk_engine *e, struct tuples *s,
    const struct tuple *want, uint32_t rank)
{
	struct tuple *v = s->v;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (memcmp(v[i].bits, want->bits, 2) == 0 &&
		    v[i].ports == want->ports)
			return i;
	v = e_realloc(e, s->v, i * sizeof(*v), (i + 1) * sizeof(*v));
	if (v == NULL)
		return NO_TABLE;
	s->v = v;
	s->n++;
	v[i] = *want;
	v[i].best = rank;
	return i;
}

static struct crowd *
crowd_of(struct making *m, uint32_t table, uint64_t hash)
{
	uint32_t at;

	hash = (hash ^ (uint64_t)(table + 1) * 0x9e3779b97f4a7c15u) | 1;
	for (at = (uint32_t)(hash >> 20) & (m->ncrowd - 1);
	    m->crowd[at].hash != 0 && m->crowd[at].hash != hash;
	    at = (at + 1) & (m->ncrowd - 1))
		;
	m->crowd[at].hash = hash;
	return &m->crowd[at];
}

/* Rules come best first. */
static bool
choose_table(struct making *m, struct tuples *s, uint32_t rule, uint32_t rank)
{
	const struct box *x = &m->boxes[rule];
	struct block_key k = box_key(x, m->six);
	struct tuple want = wanted_tuple(x, false, m->six);
	uint32_t t = get_tuple(m->e, s, &want, rank);
	struct crowd *c;

	if (t == NO_TABLE)
		return false;
	c = crowd_of(m, t, key_hash(&s->v[t], &k, m->six));
	if (c->n < MAX_SAME_KEY)
		c->n++;
	else if (s->n < EXACT_TABLES) {
		want = wanted_tuple(x, true, m->six);
		if ((t = get_tuple(m->e, s, &want, rank)) == NO_TABLE)
			return false;
	}
	m->table[rank] = t;
	s->v[t].n++;
	return true;
}

/* ---- entries ---- */

static uint32_t
rule_of(const struct making *m, uint32_t rank)
{
	return m->last ? m->n - 1 - rank : rank;
}

static struct fit *
fit_at(const struct making *m, uint32_t entry)
{
	return m->six ? &m->f->entries6[entry].f : &m->f->entries4[entry].f;
}

static void
set_entry(struct making *m, uint32_t at, uint32_t rank)
{
	const struct box *x = &m->boxes[rule_of(m, rank)];
	struct block_key k = box_key(x, m->six);
	struct fit *f = fit_at(m, at);

	if (m->six)
		memcpy(m->f->entries6[at].addr, k.w, sizeof(k.w));
	else {
		m->f->entries4[at].addr = k.w[0];
		m->f->entries4[at].mask = mask4(x->bits);
	}
	for (unsigned i = 0; i < 2; i++) {
		f->low[i] = x->low[i];
		f->span[i] = (uint16_t)(x->high[i] - x->low[i]);
		f->bits[i] = x->bits[i];
	}
	f->rank = rank;
	f->check = x->check;
	f->more = true;
}

static uint64_t
hash_of_rank(const struct making *m, const struct tuple *t, uint32_t rank)
{
	struct block_key k = box_key(&m->boxes[rule_of(m, rank)], m->six);

	return key_hash(t, &k, m->six);
}

/* Its place among the table's entries: buckets hold where the next goes. */
static void
place_entries(struct making *m, struct tuple *t, const uint32_t *ranks,
    uint32_t first)
{
	uint32_t mask = t->nbuckets - 1, at = first;

	for (uint32_t i = 0; i < t->n; i++)
		t->buckets[hash_of_rank(m, t, ranks[i]) & mask]++;
	for (uint32_t i = 0; i < t->nbuckets; i++) {
		uint32_t n = t->buckets[i];

		t->buckets[i] = at;
		at += n;
	}
	for (uint32_t i = 0; i < t->n; i++)
		set_entry(m, t->buckets[hash_of_rank(m, t, ranks[i]) &
		    mask]++, ranks[i]);
}

/* Buckets now hold where they end. */
static void
finish_buckets(struct making *m, struct tuple *t, uint32_t first)
{
	uint32_t from = first;

	for (uint32_t i = 0; i < t->nbuckets; i++) {
		uint32_t end = t->buckets[i], tag = 0;

		t->buckets[i] = 0;
		for (uint32_t x = from; x < end; x++) {
			uint32_t own = hash_tag(hash_of_rank(m, t,
			    fit_at(m, x)->rank));

			tag = x == from || tag == own ? own : 0;
		}
		if (from == end)
			continue;
		fit_at(m, end - 1)->more = false;
		t->buckets[i] = tag << BUCKET_TAG | (from + 1);
		from = end;
	}
}

static bool
fill_table(struct making *m, struct tuple *t, const uint32_t *ranks)
{
	uint32_t first = m->f->nentries;

	for (t->nbuckets = 4; t->nbuckets < 2 * t->n; t->nbuckets *= 2)
		;
	t->buckets = e_alloc(m->e, t->nbuckets * sizeof(*t->buckets));
	if (t->buckets == NULL)
		return false;
	place_entries(m, t, ranks, first);
	finish_buckets(m, t, first);
	m->f->nentries += t->n;
	return true;
}

/* Ranks, table by table. */
static bool
fill_tables(struct making *m, struct tuples *s)
{
	uint32_t *from = e_alloc(m->e, ((size_t)s->n + 1) * sizeof(*from));
	uint32_t *ranks = e_alloc(m->e, ((size_t)m->n + 1) * sizeof(*ranks));
	uint32_t at = 0;
	bool good = from != NULL && ranks != NULL;

	for (uint32_t t = 0; good && t < s->n; t++) {
		from[t] = at;
		at += s->v[t].n;
	}
	for (uint32_t i = 0; good && i < m->n; i++)
		if (m->table[i] != NO_TABLE)
			ranks[from[m->table[i]]++] = i;
	for (uint32_t t = 0; good && t < s->n; t++)
		good = fill_table(m, &s->v[t], ranks + from[t] - s->v[t].n);
	e_free(m->e, from, ((size_t)s->n + 1) * sizeof(*from));
	e_free(m->e, ranks, ((size_t)m->n + 1) * sizeof(*ranks));
	return good;
}

/* Whether tables of that kind and family are about the rule. */
static bool
is_of(const struct making *m, const struct block *b, uint32_t rule)
{
	const struct box *x = &m->boxes[rule];

	return !x->never && bit(b->quick, rule) != m->last &&
	    (x->af == 0 || (x->af == PFK_AF_INET6) == m->six);
}

static bool
make_set(struct making *m, const struct block *b, struct tuples *s)
{
	memset(m->crowd, 0, m->ncrowd * sizeof(*m->crowd));
	for (uint32_t rank = 0; rank < m->n; rank++) {
		m->table[rank] = NO_TABLE;
		if (is_of(m, b, rule_of(m, rank)) &&
		    !choose_table(m, s, rule_of(m, rank), rank))
			return false;
	}
	return fill_tables(m, s);
}

static uint32_t
count_entries(const struct block *b, const struct box *boxes, bool six)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n; i++)
		n += !boxes[i].never && (boxes[i].af == 0 ||
		    (boxes[i].af == PFK_AF_INET6) == six);
	return n;
}

static size_t
entries_size(uint32_t n, bool six)
{
	return n * (six ? sizeof(struct entry6) : sizeof(struct entry4));
}

/* => A table's best rule comes first: they are in the order of their best. */
bool
block_tables_make(const struct pfk_engine *e, struct block *b,
    const struct box *boxes, bool six)
{
	struct block_family *f = &b->family[six];
	uint32_t n = count_entries(b, boxes, six);
	struct making m = { .e = e, .boxes = boxes, .f = f, .six = six,
	    .n = b->n, .ncrowd = 16 };
	void *entries;
	bool good;

	if (n == 0)
		return true;
	while (m.ncrowd < 2 * n)
		m.ncrowd *= 2;
	m.table = e_alloc(e, b->n * sizeof(*m.table));
	m.crowd = e_alloc(e, m.ncrowd * sizeof(*m.crowd));
	entries = e_alloc(e, entries_size(n, six));
	good = m.table != NULL && m.crowd != NULL && entries != NULL;
	if (six)
		f->entries6 = entries;
	else
		f->entries4 = entries;
	f->capentries = n;
	for (unsigned set = 0; good && set < SETS; set++) {
		m.last = set == SET_LAST;
		good = make_set(&m, b, &f->sets[set]);
	}
	e_free(e, m.table, b->n * sizeof(*m.table));
	e_free(e, m.crowd, m.ncrowd * sizeof(*m.crowd));
	return good;
}

void
block_tables_free(const struct pfk_engine *e, struct block_family *f)
{
	for (unsigned set = 0; set < SETS; set++) {
		struct tuples *s = &f->sets[set];

		for (uint32_t i = 0; i < s->n; i++)
			e_free(e, s->v[i].buckets, s->v[i].nbuckets *
			    sizeof(*s->v[i].buckets));
		e_free(e, s->v, s->n * sizeof(*s->v));
	}
	e_free(e, f->entries4, entries_size(f->capentries, false));
	e_free(e, f->entries6, entries_size(f->capentries, true));
}
