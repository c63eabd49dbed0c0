/*
 * Tables as programs see them (`pfctl -t name -T ...`).
 */
#include <string.h>

#include "runtime/table.h"

size_t
pfk_engine_tables(const struct pfk_engine *e)
{
	return e->ntables;
}

void
pfk_engine_table(const struct pfk_engine *e, size_t i,
    struct pfk_table_info *info)
{
	const struct table *t = &e->tables[i];

	*info = (struct pfk_table_info){
		.name = t->name,
		.anchor = t->anchor,
		.is_const = (t->flags & IMG_T_CONST) != 0,
		.persist = (t->flags & IMG_T_PERSIST) != 0,
		.counters = (t->flags & IMG_T_COUNTERS) != 0,
		.active = (t->flags & IMG_T_DEFINED) != 0,
		.naddrs = (size_t)t->naddrs[0] + t->naddrs[1],
		.references = t->references,
		.match = t->asks[true],
		.nomatch = t->asks[false],
	};
	memcpy(info->packets, t->packets, sizeof(info->packets));
	memcpy(info->bytes, t->bytes, sizeof(info->bytes));
}

void
pfk_engine_table_entries(const struct pfk_engine *e, size_t table,
    bool (*fn)(void *, const struct pfk_table_entry *), void *ctx)
{
	struct table *t = &e->tables[table];

	if (!table_sort(e, t))
		return;
	for (uint32_t i = 0; i < t->norder; i++) {
		const struct table_entry *from = &t->entries[t->order[i]];
		struct pfk_table_entry to = { .af = from->af,
		    .bits = from->bits, .neg = from->neg,
		    .since = e->epoch + from->since };
		const struct table_entry_counters *c =
		    table_entry_counters(t, from);

		memcpy(to.addr, &from->addr, sizeof(to.addr));
		if (c != NULL) {
			memcpy(to.packets, c->packets, sizeof(to.packets));
			memcpy(to.bytes, c->bytes, sizeof(to.bytes));
		}
		if (!fn(ctx, &to))
			return;
	}
}

long
pfk_engine_find_table(struct pfk_engine *e, const char *anchor,
    const char *name, bool create)
{
	uint32_t i = table_find(e, anchor, name);

	if (i == IMG_NONE && create)
		i = table_make(e, anchor, name);
	if (i == IMG_NONE)
		return -1;
	if (create && !(e->tables[i].flags & IMG_T_DEFINED))
		e->tables[i].flags |= IMG_T_DEFINED | IMG_T_PERSIST;
	tables_changed(e);
	return (long)i;
}

static struct pfk_addr
entry_addr(const struct pfk_table_entry *entry)
{
	struct pfk_addr a;

	memcpy(&a, entry->addr, sizeof(a));
	return a;
}

int
pfk_engine_table_add(struct pfk_engine *e, size_t table,
    const struct pfk_table_entry *entry)
{
	struct pfk_addr a = entry_addr(entry);

	return table_add(e, (uint32_t)table, entry->af, entry->bits,
	    entry->neg, &a);
}

int
pfk_engine_table_delete(struct pfk_engine *e, size_t table,
    const struct pfk_table_entry *entry)
{
	struct pfk_addr a = entry_addr(entry);

	return table_remove(e, (uint32_t)table, entry->af, entry->bits, &a);
}

void
pfk_engine_table_flush(struct pfk_engine *e, size_t table)
{
	table_clear(e, &e->tables[table]);
}
