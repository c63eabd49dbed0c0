/*
 * Which tables are worth asking about an address.
 *
 * A table can only answer if one of its rules has a prefix around the packet's
 * source, and one of them around its destination.  The prefixes of all rules
 * cut the addresses into pieces, each with a set of tables; of two hundred
 * tables a few are left (tuple pruning: Srinivasan, Suri and Varghese, 1999).
 */
#include <stdlib.h>

#include "runtime/block_int.h"

struct piece { struct value low, high; uint32_t table; };

/* Outer ones first. */
static int
compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	int low = value_less(&y->low, &x->low) - value_less(&x->low, &y->low);

	return low != 0 ? low :
	    value_less(&x->high, &y->high) - value_less(&y->high, &x->high);
}

static void
add_table(struct table_set *s, uint32_t table)
{
	if (table < PRUNE_TABLES)
		s->w[table / 64] |= (uint64_t)1 << (table % 64);
}

static void
begin_at(struct prune *m, const struct value *at, const struct table_set *s)
{
	if (m->n != 0 && memcmp(&m->at[m->n - 1], at, sizeof(*at)) == 0)
		m->n--;
	m->at[m->n] = *at;
	m->set[m->n++] = *s;
}

/* Behind its last value goes on what was around it. */
static void
end_piece(struct prune *m, const struct value *high,
    const struct table_set *around)
{
	struct value v = *high;

	if (++v.w[1] != 0 || ++v.w[0] != 0)
		begin_at(m, &v, around);
}

/* Prefixes lie in each other or apart: a stack of at most 129. */
static void
sweep(struct prune *m, const struct piece *v, uint32_t n)
{
	struct { struct value high; struct table_set set; } stack[130];
	unsigned depth = 0;

	memset(&stack[0].set, 0, sizeof(stack[0].set));
	begin_at(m, &(struct value){ { 0, 0 } }, &stack[0].set);
	for (uint32_t i = 0; i < n; i++) {
		while (depth > 0 && value_less(&stack[depth].high, &v[i].low)) {
			end_piece(m, &stack[depth].high,
			    &stack[depth - 1].set);
			depth--;
		}
		if (depth == 0 || value_less(&v[i].high, &stack[depth].high)) {
			stack[depth + 1].set = stack[depth].set;
			stack[++depth].high = v[i].high;
		}
		add_table(&stack[depth].set, v[i].table);
		begin_at(m, &v[i].low, &stack[depth].set);
	}
	for (; depth > 0; depth--)
		end_piece(m, &stack[depth].high, &stack[depth - 1].set);
}

/* Where the values with those upper sixteen bits begin. */
static void
make_top(struct prune *m)
{
	uint32_t i = 0;

	for (uint32_t top = 0; top <= 0xffff; top++) {
		struct value v = { { (uint64_t)top << 48, 0 } };

		while (i + 1 < m->n && !value_less(&v, &m->at[i + 1]))
			i++;
		m->top[top] = i;
	}
	m->top[0x10000] = m->n - 1;
}

static bool
build(const struct pfk_engine *e, const struct block *b,
    const struct tuples *s, uint8_t af, unsigned side, struct prune *m)
{
	struct piece *v = e_alloc(e, (size_t)b->n * sizeof(*v));
	uint32_t n = 0;

	m->cap = 2 * b->n + 2;
	m->at = e_alloc(e, (size_t)m->cap * sizeof(*m->at));
	m->set = e_alloc(e, (size_t)m->cap * sizeof(*m->set));
	m->top = e_alloc(e, PRUNE_TOP * sizeof(*m->top));
	if (v == NULL || m->at == NULL || m->set == NULL || m->top == NULL) {
		e_free(e, v, (size_t)b->n * sizeof(*v));
		return false;
	}
	for (uint32_t t = 0; t < s->n; t++)
		for (uint32_t i = 0; i < s->v[t].nbuckets; i++)
			for (uint32_t x = s->v[t].buckets[i]; x != 0;
			    x = b->entries[x - 1].next) {
				const struct entry *r = &b->entries[x - 1];
				const uint64_t *a = side == SRC ? r->key.src :
				    r->key.dst;
				unsigned bits = r->bits[side];

				if (s->v[t].af != 0 && s->v[t].af != af)
					continue;
				v[n].low = (struct value){ { a[0], a[1] } };
				v[n].high = (struct value){ { a[0] |
				    ~mask_word(bits), a[1] | ~mask_word(
				    bits > 64 ? bits - 64 : 0) } };
				v[n++].table = t;
			}
	qsort(v, n, sizeof(*v), compare_pieces);
	sweep(m, v, n);
	make_top(m);
	e_free(e, v, (size_t)b->n * sizeof(*v));
	return true;
}

bool
prune_build(const struct pfk_engine *e, struct block *b, struct tuples *s)
{
	bool has[2] = { false, false };

	if (s->n < PRUNE_MIN)
		return true;
	for (uint32_t t = 0; t < s->n; t++)
		if (s->v[t].af != 0)
			has[s->v[t].af == PFK_AF_INET6] = true;
	for (unsigned six = 0; six < 2; six++)
		for (unsigned side = 0; has[six] && side < 2; side++)
			if (!build(e, b, s, six ? PFK_AF_INET6 : PFK_AF_INET,
			    side, &s->prune[six][side]))
				return false;
	return true;
}

void
prune_free(const struct pfk_engine *e, struct prune *m)
{
	e_free(e, m->at, (size_t)m->cap * sizeof(*m->at));
	e_free(e, m->set, (size_t)m->cap * sizeof(*m->set));
	e_free(e, m->top, PRUNE_TOP * sizeof(*m->top));
}

const struct table_set *
prune_find(const struct prune *m, const uint64_t addr[2])
{
	struct value v = { { addr[0], addr[1] } };
	uint32_t at = m->top[addr[0] >> 48];
	uint32_t n = m->top[(addr[0] >> 48) + 1] - at + 1;

	while (n > 1) {
		uint32_t half = n / 2;

		at += value_less(&v, &m->at[at + half]) ? 0 : half;
		n -= half;
	}
	return &m->set[at];
}
