/*
 * The tables of a block: tuple space search in the manner of TupleMerge (Daly
 * and Torng, 2017).
 *
 * Rules are spread over hash tables by how long their prefixes are, rounded
 * down to a few lengths, and by whether their ports are single ones.  Where
 * too many rules share a key, they go to a table of their exact lengths.
 *
 *	table	masks of addresses and ports
 *	slot	an entry, at the hash of its key
 *	entry	a rule, and where the next best one of the same slot is
 *
 * So what a table has to say is mostly found where it is looked for.  Families
 * have tables of their own: an IPv4 rule takes half a line of the cache, an
 * IPv6 rule one; rules for any family, which have no addresses, are in both.
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
	uint32_t	*ranks[SETS];	/* of the tables of both kinds */
	uint32_t	*tails;		/* entries: the last one of each slot */
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
	struct block_key k = { .ports = (uint32_t)x->low[0] << 16 | x->low[1] };

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
set_bits6(struct entry6 *x, const uint8_t bits[2])
{
	for (unsigned i = 0; i < 2; i++) {
		x->bits[2 * i] = bits[i] < 64 ? bits[i] : 64;
		x->bits[2 * i + 1] = bits[i] < 64 ? 0 : bits[i] - 64;
	}
}

static void
set_entry(struct making *m, uint32_t at, uint32_t rank)
{
	const struct box *x = &m->boxes[rule_of(m, rank)];
	struct block_key k = box_key(x, m->six);
	struct fit *f = fit_at(m, at);

	if (m->six) {
		memcpy(m->f->entries6[at].addr, k.w, sizeof(k.w));
		set_bits6(&m->f->entries6[at], x->bits);
	} else {
		m->f->entries4[at].addr = k.w[0];
		m->f->entries4[at].mask = mask4(x->bits);
	}
	for (unsigned i = 0; i < 2; i++) {
		f->low[i] = x->low[i];
		f->span[i] = (uint16_t)(x->high[i] - x->low[i]);
	}
	f->rank = rank << 2 | x->check;
	f->next = 0;
}

/* The rule's slot, from 0 on. */
static uint32_t
slot_of_rank(const struct making *m, const struct tuple *t, uint32_t rank)
{
	struct block_key k = box_key(&m->boxes[rule_of(m, rank)], m->six);

	return key_slot(t, &k, m->six) - t->first;
}

static uint32_t
nslots(const struct tuple *t)
{
	return 1u << (64 - t->shift);
}

/* Two or three slots for two rules: how many entries there are. */
static void
plan_table(struct making *m, struct tuple *t, const uint32_t *ranks)
{
	uint32_t used = 0, slot;

	for (t->shift = 63; nslots(t) < t->n + t->n / 4; t->shift--)
		;
	memset(m->tails, 0, nslots(t) * sizeof(*m->tails));
	for (uint32_t i = 0; i < t->n; i++) {
		slot = slot_of_rank(m, t, ranks[i]);
		used += m->tails[slot] == 0;
		m->tails[slot] = 1;
	}
	t->nentries = nslots(t) + t->n - used;
}

/* Ranks come best first. */
static void
fill_table(struct making *m, struct tuple *t, const uint32_t *ranks)
{
	uint32_t next = t->first + nslots(t), at;

	for (uint32_t i = 0; i < nslots(t); i++) {
		m->tails[i] = t->first + i;
		fit_at(m, t->first + i)->rank = FIT_NONE;
	}
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t *tail = &m->tails[slot_of_rank(m, t, ranks[i])];

		at = *tail;
		if (fit_at(m, at)->rank != FIT_NONE) {
			fit_at(m, at)->next = next;
			at = next++;
		}
		*tail = at;
		set_entry(m, at, ranks[i]);
	}
}

/* Ranks, table by table: those of the first one are the first. */
static bool
sort_ranks(struct making *m, struct tuples *s)
{
	uint32_t *from = e_alloc(m->e, ((size_t)s->n + 1) * sizeof(*from));
	uint32_t at = 0;

	if (from == NULL)
		return false;
	for (uint32_t t = 0; t < s->n; t++) {
		from[t] = at;
		at += s->v[t].n;
	}
	for (uint32_t i = 0; i < m->n; i++)
		if (m->table[i] != NO_TABLE)
			m->ranks[m->last][from[m->table[i]]++] = i;
	e_free(m->e, from, ((size_t)s->n + 1) * sizeof(*from));
	return true;
}

/* Whether tables of that kind and family are about the rule. */
static bool
is_of(const struct making *m, const struct block *b, uint32_t rule)
{
	const struct box *x = &m->boxes[rule];

	return !x->never && bit(b->quick, rule) != m->last &&
	    (x->af == 0 || (x->af == PFK_AF_INET6) == m->six);
}

/* Which tables there are, and which rules they have. */
static bool
plan_set(struct making *m, const struct block *b, struct tuples *s)
{
	const uint32_t *ranks = m->ranks[m->last];

	memset(m->crowd, 0, m->ncrowd * sizeof(*m->crowd));
	for (uint32_t rank = 0; rank < m->n; rank++) {
		m->table[rank] = NO_TABLE;
		if (is_of(m, b, rule_of(m, rank)) &&
		    !choose_table(m, s, rule_of(m, rank), rank))
			return false;
	}
	if (!sort_ranks(m, s))
		return false;
	for (uint32_t t = 0; t < s->n; ranks += s->v[t++].n) {
		s->v[t].first = m->f->nentries;
		plan_table(m, &s->v[t], ranks);
		m->f->nentries += s->v[t].nentries;
	}
	return true;
}

static void
fill_set(struct making *m, struct tuples *s)
{
	const uint32_t *ranks = m->ranks[m->last];

	for (uint32_t t = 0; t < s->n; ranks += s->v[t++].n)
		fill_table(m, &s->v[t], ranks);
}

/* An entry for IPv6 is one line of memory. */
static bool
alloc_entries(struct making *m)
{
	struct block_family *f = m->f;
	void *v;

	static_assert(sizeof(struct entry6) == 64, "a line");
	f->size = ((size_t)f->nentries + 1) * (m->six ?
	    sizeof(struct entry6) : sizeof(struct entry4));
	v = far_alloc(m->e, f->size);
	f->entries4 = m->six ? NULL : v;
	f->entries6 = m->six ? v : NULL;
	return v != NULL;
}

static bool
make_tables(struct making *m, const struct block *b)
{
	struct tuples *s = m->f->sets;

	for (unsigned set = 0; set < SETS; set++) {
		m->last = set == SET_LAST;
		if (!plan_set(m, b, &s[set]))
			return false;
	}
	if (!alloc_entries(m))
		return false;
	for (unsigned set = 0; set < SETS; set++) {
		m->last = set == SET_LAST;
		fill_set(m, &s[set]);
	}
	return true;
}

static uint32_t
count_rules(const struct block *b, const struct box *boxes, bool six)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n; i++)
		n += !boxes[i].never && (boxes[i].af == 0 ||
		    (boxes[i].af == PFK_AF_INET6) == six);
	return n;
}

/* => A table's best rule comes first: they are in the order of their best. */
bool
block_tables_make(const struct pfk_engine *e, struct block *b,
    const struct box *boxes, bool six)
{
	struct block_family *f = &b->family[six];
	uint32_t n = f->nrules = count_rules(b, boxes, six);
	struct making m = { .e = e, .boxes = boxes, .f = f, .six = six,
	    .n = b->n, .ncrowd = 16 };
	size_t size = b->n * sizeof(uint32_t);
	bool good;

	if (n == 0)
		return true;
	while (m.ncrowd < 2 * n)
		m.ncrowd *= 2;
	m.table = e_alloc(e, size);
	m.ranks[0] = e_alloc(e, size);
	m.ranks[1] = e_alloc(e, size);
	m.tails = e_alloc(e, 2 * m.ncrowd * sizeof(*m.tails));
	m.crowd = e_alloc(e, m.ncrowd * sizeof(*m.crowd));
	good = m.table != NULL && m.ranks[0] != NULL && m.ranks[1] != NULL &&
	    m.tails != NULL && m.crowd != NULL && make_tables(&m, b);
	e_free(e, m.table, size);
	e_free(e, m.ranks[0], size);
	e_free(e, m.ranks[1], size);
	e_free(e, m.tails, 2 * m.ncrowd * sizeof(*m.tails));
	e_free(e, m.crowd, m.ncrowd * sizeof(*m.crowd));
	return good;
}

void
block_tables_free(const struct pfk_engine *e, struct block_family *f)
{
	for (unsigned set = 0; set < SETS; set++)
		e_free(e, f->sets[set].v, f->sets[set].n *
		    sizeof(*f->sets[set].v));
	far_free(e, f->entries4, f->size);
	far_free(e, f->entries6, f->size);
}
