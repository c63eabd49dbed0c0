/*
 * Many addresses at once: an image's table.
 *
 * In the order of their addresses prefixes find most of their way through the
 * trie in the cache, and their nodes come to lie beside those near to them.
 * The index is made once, when all are there.
 */
#include "runtime/table.h"

#include <string.h>

#define FEW	64			/* these are not worth it */

struct item { uint64_t key; uint32_t index; };
struct items {
	const struct img_table_addr *from;
	struct item	*v, *spare;
	uint32_t	 n;
};

/* Prefixes that are the same stay in the order of the file. */
static bool
comes_after(const struct items *s, const struct item *x, const struct item *y)
{
	const struct img_table_addr *a = &s->from[x->index];
	const struct img_table_addr *b = &s->from[y->index];
	int c;

	if (x->key != y->key)
		return x->key > y->key;
	c = memcmp(&a->addr, &b->addr, sizeof(a->addr));
	return c != 0 ? c > 0 : a->bits > b->bits;
}

static void
merge(const struct items *s, uint32_t a, uint32_t b, uint32_t end)
{
	uint32_t x = a, y = b;

	for (uint32_t i = a; i < end; i++)
		s->spare[i] = y == end || (x < b &&
		    !comes_after(s, &s->v[x], &s->v[y])) ? s->v[x++] :
		    s->v[y++];
}

/* Merge sort: it is stable, and bounded for every input. */
static void
sort_items(struct items *s)
{
	for (uint64_t run = 1; run < s->n; run *= 2) {
		struct item *v = s->v;

		for (uint64_t a = 0; a < s->n; a += 2 * run) {
			uint64_t b = a + run < s->n ? a + run : s->n;
			uint64_t end = b + run < s->n ? b + run : s->n;

			merge(s, (uint32_t)a, (uint32_t)b, (uint32_t)end);
		}
		s->v = s->spare;
		s->spare = v;
	}
}

static uint64_t
first_word(const struct img_table_addr *a)
{
	uint64_t k = 0;

	for (unsigned i = 0; i < 8; i++)
		k = k << 8 | a->addr.b[i];
	return k;
}

static bool
put(struct pfk_engine *e, struct table *t, const struct img_table_addr *a)
{
	struct table_entry *entry = table_put(e, t, a->af, a->bits,
	    a->neg != 0, &a->addr);

	if (entry != NULL)
		entry->weight = a->weight;
	return entry != NULL;
}

static bool
put_in_order(struct pfk_engine *e, struct table *t,
    const struct img_table_addr *from, uint32_t n)
{
	struct items s = { from, NULL, NULL, n };
	size_t size = 2 * (size_t)n * sizeof(*s.v);
	struct item *both = e_alloc(e, size);
	bool ok = both != NULL && table_entries_reserve(e, t, t->n + n);

	if (ok) {
		s.v = both;
		s.spare = both + n;
		for (uint32_t i = 0; i < n; i++)
			s.v[i] = (struct item){ first_word(&from[i]), i };
		sort_items(&s);
	}
	for (uint32_t i = 0; ok && i < n; i++)
		ok = put(e, t, &from[s.v[i].index]);
	e_free(e, both, size);
	return ok;
}

bool
table_fill(struct pfk_engine *e, uint32_t table, const struct pfk_image *im,
    const struct img_table *from)
{
	const struct img_table_addr *v = &im->table_addrs[from->addr0];
	struct table *t = &e->tables[table];
	bool ok = true;

	if (from->naddrs < FEW || from->naddrs < t->n / 4) {
		for (uint32_t i = 0; ok && i < from->naddrs; i++)
			ok = put(e, t, &v[i]);
		return ok;
	}
	for (unsigned i = 0; i < 2; i++)
		t->tree[i].indexed = false;
	ok = put_in_order(e, t, v, from->naddrs);
	for (unsigned i = 0; i < 2; i++) {
		prefix_trim(e, &t->tree[i]);
		prefix_index_build(e, &t->tree[i]);
	}
	return ok;
}
