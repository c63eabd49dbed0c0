/*
 * Tables, asked ahead.
 *
 * A large table's index is not in the cache, and a packet that asks it waits
 * for memory once or twice.  The packets of a burst have their addresses long
 * before their rules are run: so all of their reads are begun together.  It is
 * a hint: whether a rule comes to ask, or the table is another one by then,
 * does not matter.
 */
#include <string.h>

#include "runtime/table.h"

#define LARGE	4096u		/* units of an index (128 KB): worth it */

static uint64_t
entries_of(const struct pfk_engine *e, uint32_t table)
{
	const struct table *t = &e->tables[table];

	return (uint64_t)t->naddrs[0] + t->naddrs[1];
}

/* A place for one more: if there is none, the smallest one's. */
static uint32_t
place_for(struct pfk_engine *e, uint32_t table)
{
	uint32_t least = 0;

	for (uint32_t i = 0; i < e->nasked; i++)
		if (e->asked[i].table == table)
			return i;
	if (e->nasked < TABLES_ASKED)
		return e->nasked++;
	for (uint32_t i = 1; i < e->nasked; i++)
		if (entries_of(e, e->asked[i].table) <
		    entries_of(e, e->asked[least].table))
			least = i;
	return entries_of(e, table) > entries_of(e, e->asked[least].table) ?
	    least : TABLES_ASKED;
}

void
table_is_asked(struct pfk_engine *e, uint32_t table, int side)
{
	uint32_t i;

	if (table == IMG_NONE || (i = place_for(e, table)) == TABLES_ASKED)
		return;
	if (e->asked[i].table != table)
		e->asked[i].sides = 0;
	e->asked[i].table = table;
	e->asked[i].sides |= (uint8_t)(1u << side);
}

static bool
fetch(const struct table *t, const struct asking *a, unsigned side, bool end)
{
	const struct prefix_tree *tree = &t->tree[a->v6];
	uint8_t af = a->v6 ? PFK_AF_INET6 : PFK_AF_INET;
	struct pfk_addr addr;

	if (tree->index.n < LARGE)
		return false;
	if (a->v6)
		memcpy(&addr, a->addr[side], 16);
	else
		memcpy(&addr, a->addr[side], 4);
	if (!end)
		return prefix_fetch(tree, af, &addr);
	prefix_fetch_end(tree, af, &addr);
	return false;
}

static void
look_ahead(const struct table *t, unsigned side, const struct asking *a,
    size_t n)
{
	const struct asking *more[ASKING];
	size_t nmore = 0;

	for (size_t i = 0; i < n; i++)
		if (fetch(t, &a[i], side, false))
			more[nmore++] = &a[i];
	for (size_t i = 0; i < nmore; i++)
		(void)fetch(t, more[i], side, true);
}

void
tables_look_ahead(const struct pfk_engine *e, const struct asking *a, size_t n)
{
	for (uint32_t i = 0; i < e->nasked; i++) {
		const struct table *t = table_active(e, e->asked[i].table);

		if (t == NULL || (t->tree[0].index.n < LARGE &&
		    t->tree[1].index.n < LARGE))
			continue;
		for (unsigned side = 0; side < 2; side++)
			if (e->asked[i].sides & 1u << side)
				look_ahead(t, side, a, n);
	}
}
