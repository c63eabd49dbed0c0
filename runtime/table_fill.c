/*
 * Many addresses at once: an image's table.
 *
 * In the order of their addresses prefixes find most of their way through the
 * trie in the cache, and their nodes come to lie beside those near to them.
 * The index is made once, when all are there.
 */
#include <string.h>

#include "base/prefetch.h"
#include "runtime/table.h"

#define FEW	64			/* these are not worth it */
#define AHEAD	16			/* addresses lie all over the image */

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

/*
 * By eight bits of the keys; false: they are all the same there.  As all that
 * follows it is stable.
 */
static bool
sort_by_byte(const struct items *s, unsigned shift)
{
	uint32_t at[256] = { 0 }, sum = 0, n;

	for (uint32_t i = 0; i < s->n; i++)
		at[s->v[i].key >> shift & 255]++;
	if (at[s->v[0].key >> shift & 255] == s->n)
		return false;
	for (unsigned i = 0; i < 256; i++) {
		n = at[i];
		at[i] = sum;
		sum += n;
	}
	for (uint32_t i = 0; i < s->n; i++)
		s->spare[at[s->v[i].key >> shift & 255]++] = s->v[i];
	return true;
}

/* [first, end) have the same key: merge sort, bounded for every input. */
static void
sort_same(const struct items *s, uint32_t first, uint32_t end)
{
	struct items part = *s;

	for (uint64_t run = 1; run < end - first; run *= 2) {
		for (uint64_t a = first; a < end; a += 2 * run) {
			uint64_t b = a + run < end ? a + run : end;
			uint64_t c = b + run < end ? b + run : end;

			merge(&part, (uint32_t)a, (uint32_t)b, (uint32_t)c);
		}
		part = (struct items){ s->from, part.spare, part.v, s->n };
	}
	if (part.v != s->v)
		memcpy(&s->v[first], &part.v[first],
		    (end - first) * sizeof(*s->v));
}

static void
sort_items(struct items *s)
{
	uint32_t end;

	for (unsigned shift = 0; shift < 64; shift += 8)
		if (sort_by_byte(s, shift)) {
			struct item *v = s->v;

			s->v = s->spare;
			s->spare = v;
		}
	for (uint32_t i = 0; i < s->n; i = end) {
		for (end = i + 1; end < s->n && s->v[end].key == s->v[i].key;)
			end++;
		if (end - i > 1)
			sort_same(s, i, end);
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
	struct item *both = e_realloc(e, NULL, 0, size);
	bool ok = both != NULL && table_entries_reserve(e, t, t->n + n);

	if (ok) {
		s.v = both;
		s.spare = both + n;
		for (uint32_t i = 0; i < n; i++)
			s.v[i] = (struct item){ first_word(&from[i]), i };
		sort_items(&s);
	}
	for (uint32_t i = 0; ok && i < n; i++) {
		if (n - i > AHEAD)
			PREFETCH(&from[s.v[i + AHEAD].index]);
		ok = put(e, t, &from[s.v[i].index]);
	}
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
	tables_changed(e);
	return ok;
}
