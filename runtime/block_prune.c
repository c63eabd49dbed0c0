/*
 * Which tables are worth asking about an address.
 *
 * A table can only answer if one of its rules has a prefix around the packet's
 * source, and one of them around its destination.  The prefixes of all rules
 * cut the addresses into pieces, each with a set of tables; of two hundred
 * tables a few are left (tuple pruning: Srinivasan, Suri and Varghese, 1999).
 * Many pieces have the same set, so that sets are kept once and have numbers.
 */
#include <stdlib.h>

#include "runtime/block_int.h"

struct network { struct value low, high; uint32_t table; };

/* Sets of one kind and side in the making. */
struct sweep {
	const struct pfk_engine *e;
	struct outline	*o;
	struct table_sets *sets;
	unsigned	kind;
	uint32_t	ntables;
	uint16_t	*slots;		/* numbers of sets, by their hash */
	uint32_t	nslots;		/* a power of two */
	bool		good;
};

/* Outer ones first. */
static int
compare_networks(const void *a, const void *b)
{
	const struct network *x = a, *y = b;
	int low = value_less(&y->low, &x->low) - value_less(&x->low, &y->low);

	return low != 0 ? low :
	    value_less(&x->high, &y->high) - value_less(&y->high, &x->high);
}

/*
 * What is narrower than half an IPv6 address and alone in there is as good as
 * all of that: packets to its neighbours ask a table in vain, all others are
 * spared to look at the other half.
 */
static void
widen(struct network *v, uint32_t n)
{
	for (uint32_t i = 0, end; i < n; i = end) {
		bool alone = is_within_half(&v[i].low, &v[i].high);

		for (end = i + 1; end < n && v[end].low.w[0] ==
		    v[i].low.w[0] && is_within_half(&v[end].low, &v[end].high);
		    end++)
			alone = alone && value_same(&v[i].low, &v[end].low) &&
			    value_same(&v[i].high, &v[end].high);
		for (uint32_t k = i; alone && k < end; k++) {
			v[k].low.w[1] = 0;
			v[k].high.w[1] = UINT64_MAX;
		}
	}
}

/* ---- sets ---- */

static void
add_table(struct table_set *s, uint32_t table)
{
	if (table < PRUNE_TABLES)
		s->w[table / 64] |= (uint64_t)1 << (table % 64);
}

static bool
add_set(struct sweep *w, const struct table_set *set)
{
	struct table_sets *s = w->sets;

	if (s->n == s->cap) {
		uint32_t cap = s->cap == 0 ? 16 : s->cap * 2;
		struct table_set *v = e_realloc(w->e, s->v,
		    s->cap * sizeof(*v), cap * sizeof(*v));

		if (v == NULL)
			return false;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = *set;
	return true;
}

static uint32_t
set_hash(const struct table_set *set)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < PRUNE_TABLES / 64; i++) {
		h = (h ^ set->w[i]) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

/* Its number; 0, which is all tables, where there are too many. */
static uint16_t
set_number(struct sweep *w, const struct table_set *set)
{
	uint32_t at = set_hash(set) & (w->nslots - 1), i;

	for (; (i = w->slots[at]) != 0; at = (at + 1) & (w->nslots - 1))
		if (memcmp(&w->sets->v[i], set, sizeof(*set)) == 0)
			return (uint16_t)i;
	if (w->sets->n == SETS_MOST)
		return 0;
	if (!add_set(w, set)) {
		w->good = false;
		return 0;
	}
	return w->slots[at] = (uint16_t)(w->sets->n - 1);
}

static struct table_set
all_tables(uint32_t n)
{
	struct table_set all = { { 0 } };

	for (uint32_t i = 0; i < n && i < PRUNE_TABLES; i++)
		add_table(&all, i);
	return all;
}

static bool
sets_begin(struct sweep *w, uint32_t n)
{
	struct table_set all = all_tables(w->ntables);

	for (w->nslots = 16; w->nslots < 4 * (uint64_t)n &&
	    w->nslots < 2 * SETS_MOST; w->nslots *= 2)
		;
	w->slots = e_alloc(w->e, w->nslots * sizeof(*w->slots));
	return w->slots != NULL && add_set(w, &all);
}

/* ---- pieces ---- */

static void
begin_at(struct sweep *w, const struct value *at, const struct table_set *set)
{
	struct known k = { .list = 0 };

	k.set[w->kind] = set_number(w, set);
	w->good = w->good && outline_add(w->e, w->o, at, &k);
}

/* Behind its last value goes on what was around it. */
static void
end_network(struct sweep *w, const struct value *high,
    const struct table_set *around)
{
	struct value v = *high;

	if (++v.w[1] != 0 || ++v.w[0] != 0)
		begin_at(w, &v, around);
}

/* Prefixes lie in each other or apart: a stack of at most 129. */
static void
sweep(struct sweep *w, const struct network *v, uint32_t n)
{
	struct { struct value high; struct table_set set; } stack[130];
	unsigned depth = 0;

	memset(&stack[0].set, 0, sizeof(stack[0].set));
	begin_at(w, &(struct value){ { 0, 0 } }, &stack[0].set);
	for (uint32_t i = 0; i < n && w->good; i++) {
		while (depth > 0 && value_less(&stack[depth].high, &v[i].low)) {
			end_network(w, &stack[depth].high,
			    &stack[depth - 1].set);
			depth--;
		}
		if (depth == 0 || value_less(&v[i].high, &stack[depth].high)) {
			stack[depth + 1].set = stack[depth].set;
			stack[++depth].high = v[i].high;
		}
		add_table(&stack[depth].set, v[i].table);
		/* of networks that begin here the last one has all of them */
		if (i + 1 == n || value_less(&v[i].low, &v[i + 1].low))
			begin_at(w, &v[i].low, &stack[depth].set);
	}
	for (; depth > 0; depth--)
		end_network(w, &stack[depth].high, &stack[depth - 1].set);
}

/* ---- networks ---- */

/* Of half a mask for IPv4. */
static unsigned
mask_bits(uint64_t mask, unsigned side)
{
	uint32_t m = ~(uint32_t)(side == SRC ? mask >> 32 : mask);

	return m == 0 ? 32 : 31 - highest_bit(m);
}

static unsigned
entry_address(const struct block_family *f, uint32_t entry, bool six,
    unsigned side, uint64_t a[2])
{
	if (six) {
		const struct entry6 *x = &f->entries6[entry];

		memcpy(a, &x->addr[2 * side], 2 * sizeof(*a));
		return x->bits[2 * side] + x->bits[2 * side + 1];
	}
	a[0] = f->entries4[entry].addr << 32 * side & ~(uint64_t)UINT32_MAX;
	a[1] = 0;
	return mask_bits(f->entries4[entry].mask, side);
}

static struct network
network_of(const struct block_family *f, uint32_t entry, bool six,
    unsigned side, uint32_t table)
{
	uint64_t a[2];
	unsigned bits = entry_address(f, entry, six, side, a);

	return (struct network){ { { a[0], a[1] } },
	    { { a[0] | ~mask_word(bits), a[1] | ~mask_word(bits > 64 ?
	    bits - 64 : 0) } }, table };
}

static bool
is_empty(const struct block_family *f, uint32_t entry, bool six)
{
	return (six ? f->entries6[entry].f.rank : f->entries4[entry].f.rank) ==
	    FIT_NONE;
}

static uint32_t
find_networks(const struct block_family *f, unsigned kind, bool six,
    unsigned side, struct network *v)
{
	const struct tuples *s = &f->sets[kind];
	uint32_t n = 0;

	for (uint32_t t = 0; t < s->n; t++)
		for (uint32_t i = 0; i < s->v[t].nentries; i++)
			if (!is_empty(f, s->v[t].first + i, six))
				v[n++] = network_of(f, s->v[t].first + i, six,
				    side, t);
	qsort(v, n, sizeof(*v), compare_networks);
	widen(v, n);
	return n;
}

static unsigned
words_for(uint32_t tables)
{
	return tables <= 64 ? 1 : tables <= 128 ? 2 : PRUNE_WORDS;
}

bool
prune_make(const struct pfk_engine *e, struct block_family *f, unsigned kind,
    bool six, unsigned side, struct outline *o, struct table_sets *sets)
{
	size_t size = f->nrules * sizeof(struct network);
	struct tuples *s = &f->sets[kind];
	struct sweep w = { .e = e, .o = o, .sets = sets, .kind = kind,
	    .ntables = s->n, .good = true };
	struct network *v;

	s->all = all_tables(s->n);
	if (s->n < PRUNE_MIN)
		return true;
	sets->words = s->words = words_for(s->n);
	v = e_alloc(e, size);
	w.good = v != NULL && sets_begin(&w, f->nrules);
	if (w.good)
		sweep(&w, v, find_networks(f, kind, six, side, v));
	e_free(e, v, size);
	e_free(e, w.slots, w.nslots * sizeof(*w.slots));
	return w.good;
}

void
table_sets_free(const struct pfk_engine *e, struct table_sets *s)
{
	e_free(e, s->v, s->cap * sizeof(*s->v));
	memset(s, 0, sizeof(*s));
}
