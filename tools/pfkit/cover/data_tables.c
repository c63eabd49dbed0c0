/*
 * Entries of tables: which of them an address was found by.
 *
 * An entry is an element of a table's definition: an address, a name that
 * stands for several, a file.  The table is taken as the ruleset defines it;
 * what is put into it later was not written there and counts for nobody.  Per
 * table there is an array of its addresses, sorted by family, length of
 * prefix, address; an address is looked for with each length there is, the
 * longest first.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "data_int.h"

struct prefix {
	uint8_t		 af, bits, neg;
	uint8_t		 addr[16];
	uint32_t	 entry;
};

struct cover_table {
	struct prefix	*v;
	uint32_t	 n;
	/* the first of each length, and one behind, per family */
	uint32_t	 first[2][130];
};

/* Numbers entries as addresses come by. */
struct numbering {
	uint32_t	 n;		/* entries so far */
	struct pfk_place last;
	struct prefix	*v;		/* NULL: they are only counted */
	uint32_t	 nv;
};

static bool
number(void *ctx, const struct pfk_table_address *a)
{
	struct numbering *k = ctx;
	const struct pfk_place *p = &a->element.at;

	if (k->n == 0 || p->source != k->last.source ||
	    p->off != k->last.off)
		k->n++;
	k->last = *p;
	if (k->v != NULL) {
		struct prefix *to = &k->v[k->nv++];

		*to = (struct prefix){ .af = a->af, .bits = a->bits,
		    .neg = a->neg, .entry = k->n - 1 };
		memcpy(to->addr, a->addr, 16);
	}
	return true;
}

void
cover_number_entries(struct cover_ruleset *rs)
{
	size_t n = pfk_image_tables(rs->image);
	uint32_t total = 0;

	rs->ntables = (uint32_t)n;
	rs->entry0 = xcalloc(n + 1, sizeof(*rs->entry0));
	rs->tables = xcalloc(n + 1, sizeof(*rs->tables));
	for (uint32_t i = 0; i < n; i++) {
		struct numbering k = { .n = 0 };

		rs->entry0[i] = total;
		pfk_image_table_addresses(rs->image, i, number, &k);
		total += k.n;
	}
	rs->entry0[n] = total;
}

void
cover_tables_free(struct cover_ruleset *rs)
{
	for (uint32_t i = 0; i < rs->ntables; i++)
		if (rs->tables[i] != NULL) {
			free(rs->tables[i]->v);
			free(rs->tables[i]);
		}
	free(rs->tables);
	free(rs->entry0);
}

/* ---- looking up ---- */

static int
by_length(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;

	if (x->af != y->af)
		return x->af < y->af ? -1 : 1;
	if (x->bits != y->bits)
		return x->bits < y->bits ? -1 : 1;
	return memcmp(x->addr, y->addr, 16);
}

static struct cover_table *
make_table(const struct cover_ruleset *rs, uint32_t table)
{
	struct cover_table *t = xcalloc(1, sizeof(*t));
	struct pfk_table_origin info;
	struct numbering k = { .n = 0 };
	uint32_t i = 0;

	pfk_image_table(rs->image, table, &info);
	k.v = t->v = xcalloc(info.naddrs + 1, sizeof(*t->v));
	pfk_image_table_addresses(rs->image, table, number, &k);
	t->n = k.nv;
	qsort(t->v, t->n, sizeof(*t->v), by_length);
	for (int f = 0; f < 2; f++)
		for (unsigned bits = 0; bits < 130; bits++) {
			while (i < t->n && t->v[i].af == (f == 0 ? 4 : 6) &&
			    t->v[i].bits < bits)
				i++;
			t->first[f][bits] = i;
		}
	return t;
}

static void
mask(uint8_t addr[16], unsigned bits)
{
	for (unsigned i = 0; i < 16; i++, bits -= bits < 8 ? bits : 8)
		if (bits < 8)
			addr[i] &= (uint8_t)(0xff00 >> bits);
}

static const struct prefix *
find(const struct cover_table *t, uint8_t af, const uint8_t *addr)
{
	struct prefix key = { .af = af };
	const uint32_t *first = t->first[af == 4 ? 0 : 1];
	const struct prefix *p;

	for (unsigned bits = af == 4 ? 33 : 129; bits-- > 0; ) {
		if (first[bits] == first[bits + 1])
			continue;
		key.bits = (uint8_t)bits;
		memcpy(key.addr, addr, 16);
		mask(key.addr, bits);
		p = bsearch(&key, t->v + first[bits],
		    first[bits + 1] - first[bits], sizeof(key), by_length);
		if (p != NULL)
			return p;
	}
	return NULL;
}

static const struct prefix *
look_up(struct cover_ruleset *rs, uint32_t table, uint8_t af,
    const uint8_t *addr)
{
	if (rs->entry0[table] == rs->entry0[table + 1])
		return NULL;
	if (rs->tables[table] == NULL)
		rs->tables[table] = make_table(rs, table);
	return find(rs->tables[table], af, addr);
}

uint32_t
cover_entry(struct cover_ruleset *rs, uint32_t table, uint8_t af,
    const uint8_t *addr)
{
	const struct prefix *p = look_up(rs, table, af, addr);

	return p != NULL ? rs->entry0[table] + p->entry : COVER_NO_ENTRY;
}

uint32_t
cover_exception(struct cover_ruleset *rs, uint32_t table, uint8_t af,
    const uint8_t *addr)
{
	const struct prefix *p = look_up(rs, table, af, addr);

	return p != NULL && p->neg ? rs->entry0[table] + p->entry :
	    COVER_NO_ENTRY;
}

static bool
is_plain(void *ctx, const struct pfk_table_address *a)
{
	bool *exceptions = ctx;

	*exceptions |= a->neg;
	return !a->neg;
}

bool
cover_has_exceptions(const struct cover_ruleset *rs)
{
	bool any = false;

	for (uint32_t i = 0; i < rs->ntables && !any; i++)
		pfk_image_table_addresses(rs->image, i, is_plain, &any);
	return any;
}
