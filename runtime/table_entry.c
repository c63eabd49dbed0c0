/*
 * Entries of a table: where they lie, what is counted for them, their order.
 *
 * Entries are known by index and lie in one array, which moves when it grows.
 * Counters are made for entries that have something to count, in an array of
 * their own: most tables have none.  Both keep a list of those given back.
 */
#include "runtime/table.h"

#include <string.h>

/* Half as many again, or as many as are wanted. */
static uint32_t
larger(uint32_t cap, uint32_t n)
{
	uint32_t more = cap + cap / 2;

	return more < cap ? 0 : more > n ? more : n < 8 ? 8 : n;
}

bool
table_entries_reserve(const struct pfk_engine *e, struct table *t, uint32_t n)
{
	uint32_t cap = larger(t->cap, n);
	struct table_entry *v;

	if (n <= t->cap)
		return true;
	/* tries keep an index and a bit */
	if (cap == 0 || cap > UINT32_MAX / 2)
		return false;
	v = e_realloc(e, t->entries, t->cap * sizeof(*v), cap * sizeof(*v));
	if (v == NULL)
		return false;
	t->entries = v;
	t->cap = cap;
	return true;
}

uint32_t
table_entry_new(struct pfk_engine *e, struct table *t)
{
	uint32_t i = t->free;

	if (i != 0) {
		i--;
		t->free = t->entries[i].extra;
	} else {
		if (!table_entries_reserve(e, t, t->n + 1))
			return IMG_NONE;
		i = t->n++;
	}
	memset(&t->entries[i], 0, sizeof(t->entries[i]));
	t->entries[i].used = true;
	return i;
}

void
table_entry_free(struct table *t, uint32_t i)
{
	struct table_entry *entry = &t->entries[i];

	if (entry->extra != 0) {
		memcpy(&t->counters[entry->extra - 1], &t->counters_free,
		    sizeof(t->counters_free));
		t->counters_free = entry->extra;
	}
	memset(entry, 0, sizeof(*entry));
	entry->extra = t->free;
	t->free = i + 1;
}

void
table_entries_free(const struct pfk_engine *e, struct table *t)
{
	e_free(e, t->entries, t->cap * sizeof(*t->entries));
	e_free(e, t->counters, t->counters_cap * sizeof(*t->counters));
	t->entries = NULL;
	t->counters = NULL;
	t->n = t->cap = t->free = 0;
	t->ncounters = t->counters_cap = t->counters_free = 0;
}

struct table_entry_counters *
table_entry_counters(const struct table *t, const struct table_entry *entry)
{
	return entry->extra != 0 ? &t->counters[entry->extra - 1] : NULL;
}

static bool
counters_reserve(const struct pfk_engine *e, struct table *t)
{
	uint32_t cap = larger(t->counters_cap, t->ncounters + 1);
	struct table_entry_counters *v;

	if (t->ncounters < t->counters_cap)
		return true;
	v = cap == 0 ? NULL : e_realloc(e, t->counters,
	    t->counters_cap * sizeof(*v), cap * sizeof(*v));
	if (v == NULL)
		return false;
	t->counters = v;
	t->counters_cap = cap;
	return true;
}

struct table_entry_counters *
table_entry_count(const struct pfk_engine *e, struct table *t,
    struct table_entry *entry)
{
	uint32_t i = t->counters_free;

	if (entry->extra != 0)
		return &t->counters[entry->extra - 1];
	if (i != 0)
		memcpy(&t->counters_free, &t->counters[i - 1],
		    sizeof(t->counters_free));
	else if (!counters_reserve(e, t))
		return NULL;
	else
		i = ++t->ncounters;
	memset(&t->counters[i - 1], 0, sizeof(t->counters[i - 1]));
	entry->extra = i;
	return &t->counters[i - 1];
}

/* --- order --- */

static int
compare_entries(const struct table_entry *x, const struct table_entry *y)
{
	int c;

	if (x->af != y->af)
		return x->af < y->af ? -1 : 1;
	c = memcmp(&x->addr, &y->addr, sizeof(x->addr));
	return c != 0 ? c : (int)y->bits - (int)x->bits;
}

/* Heap sort: entries are known by index, and qsort() takes no context. */
static void
sift_down(const struct table *t, uint32_t i, uint32_t n)
{
	uint32_t *v = t->order, child, x = v[i];

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && compare_entries(&t->entries[v[child]],
		    &t->entries[v[child + 1]]) < 0)
			child++;
		if (compare_entries(&t->entries[x],
		    &t->entries[v[child]]) >= 0)
			break;
		v[i] = v[child];
		i = child;
	}
	v[i] = x;
}

bool
table_sort(const struct pfk_engine *e, struct table *t)
{
	uint32_t n = t->naddrs[0] + t->naddrs[1], k = 0;

	if (t->order != NULL || n == 0)
		return true;
	t->order = e_alloc(e, n * sizeof(*t->order));
	if (t->order == NULL)
		return false;
	t->norder = n;
	for (uint32_t i = 0; i < t->n; i++)
		if (t->entries[i].used)
			t->order[k++] = i;
	for (uint32_t i = n / 2; i-- > 0;)
		sift_down(t, i, n);
	for (uint32_t i = n; i-- > 1;) {
		uint32_t x = t->order[0];

		t->order[0] = t->order[i];
		t->order[i] = x;
		sift_down(t, 0, i);
	}
	return true;
}
