/*
 * Tables in a saved engine: by name, with all their entries and counters.
 */
#include <string.h>

#include "runtime/save.h"
#include "runtime/table.h"

static void
save_text(struct saver *sv, const char *s)
{
	save_bytes(sv, s, strlen(s) + 1);
}

/* A text that was saved with its NUL, within what is left; NULL: damaged. */
static const char *
load_text(struct saver *sv)
{
	const uint8_t *p = sv->in;
	const uint8_t *end = sv->bad ? NULL : memchr(p, '\0', sv->left);
	size_t n;

	if (end == NULL) {
		sv->bad = true;
		return NULL;
	}
	n = (size_t)(end - p) + 1;
	sv->in += n;
	sv->left -= n;
	return (const char *)p;
}

static void
save_numbers(struct saver *sv, const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		save_u64(sv, v[i]);
}

static void
load_numbers(struct saver *sv, uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = load_u64(sv);
}

static void
save_entry(struct saver *sv, const struct table *t,
    const struct table_entry *en)
{
	const struct table_entry_counters *c = table_entry_counters(t, en);

	save_u8(sv, en->af);
	save_u8(sv, en->bits);
	save_u8(sv, en->neg);
	save_u16(sv, en->weight);
	save_bytes(sv, en->addr.b, 16);
	save_u64(sv, en->since);
	save_u8(sv, c != NULL);
	if (c != NULL) {
		save_numbers(sv, c->packets[0], 6);
		save_numbers(sv, c->bytes[0], 6);
	}
}

static void
save_table(struct saver *sv, const struct table *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		n += t->entries[i].used;
	save_text(sv, t->anchor);
	save_text(sv, t->name);
	save_u32(sv, t->flags);
	save_u64(sv, t->asks[true]);
	save_u64(sv, t->asks[false]);
	save_numbers(sv, t->packets[0], 8);
	save_numbers(sv, t->bytes[0], 8);
	save_u32(sv, n);
	for (uint32_t i = 0; i < t->n; i++)
		if (t->entries[i].used)
			save_entry(sv, t, &t->entries[i]);
}

void
tables_save(const struct pfk_engine *e, struct saver *sv)
{
	save_mark(sv, "tabl");
	save_u32(sv, e->ntables);
	for (uint32_t i = 0; i < e->ntables; i++)
		save_table(sv, &e->tables[i]);
}

static bool
load_entry(struct pfk_engine *e, struct saver *sv, uint32_t table)
{
	uint8_t af = load_u8(sv), bits = load_u8(sv), neg = load_u8(sv);
	uint16_t weight = load_u16(sv);
	struct table_entry_counters *c;
	struct table_entry *en;
	struct table *t;
	struct pfk_addr a;

	load_bytes(sv, a.b, 16);
	if (sv->bad || (af != PFK_AF_INET && af != PFK_AF_INET6) ||
	    bits > addr_bits((enum pfk_af)af) || neg > 1 ||
	    table_add(e, table, af, bits, neg != 0, &a) != 1)
		return false;
	t = &e->tables[table];
	en = &t->entries[t->n - 1];	/* none has been removed yet */
	en->weight = weight;
	en->since = load_u64(sv);
	if (!load_u8(sv))
		return !sv->bad;
	if ((c = table_entry_count(e, t, en)) == NULL)
		return false;
	load_numbers(sv, c->packets[0], 6);
	load_numbers(sv, c->bytes[0], 6);
	return !sv->bad;
}

static bool
load_table(struct pfk_engine *e, struct saver *sv)
{
	const char *anchor = load_text(sv), *name = load_text(sv);
	uint32_t i, n, flags = load_u32(sv);
	struct table *t;

	if (sv->bad || (i = table_make(e, anchor, name)) == IMG_NONE)
		return false;
	t = &e->tables[i];
	table_clear(e, t);
	t->flags = flags;
	t->asks[true] = load_u64(sv);
	t->asks[false] = load_u64(sv);
	load_numbers(sv, t->packets[0], 8);
	load_numbers(sv, t->bytes[0], 8);
	n = load_u32(sv);
	for (uint32_t k = 0; k < n; k++)
		if (!load_entry(e, sv, i))
			return false;
	/* adding may have marked it */
	e->tables[i].flags = flags;
	return true;
}

bool
tables_restore(struct pfk_engine *e, struct saver *sv)
{
	uint32_t n;

	load_mark(sv, "tabl");
	n = load_u32(sv);
	for (uint32_t i = 0; i < n; i++)
		if (sv->bad || !load_table(e, sv))
			return false;
	return !sv->bad;
}
