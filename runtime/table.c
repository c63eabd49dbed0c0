/*
 * Tables of addresses.
 *
 * A table has an entry for each prefix and a trie for each family from the
 * prefix to the entry (prefix.c says why a trie).  The longest prefix around
 * an address decides; if that entry is negated the address is not in the
 * table.
 *
 * A table that a rule of an anchor refers to, but that nobody defined there,
 * is not "active", and the main ruleset's table of that name answers for it.
 *
 * pf's pools walk a table in the order of its addresses, longer prefixes
 * first.  That order is made when somebody asks, and thrown away by the next
 * change.
 *
 * Limits: `set limit table-entries` over all tables together.  Without
 * memory an address is not added, and the table is as it was.
 */
#include "runtime/table.h"

#include <string.h>

/*
 * Tries know an entry by its index and whether it is negated, so that a
 * question is answered without the entry.
 */
static uint32_t
trie_value(uint32_t index, bool neg)
{
	return index << 1 | neg;
}

static unsigned
family_index(uint8_t af)
{
	return af == PFK_AF_INET6;
}

uint32_t
table_find(const struct pfk_engine *e, const char *anchor, const char *name)
{
	for (uint32_t i = 0; i < e->ntables; i++)
		if (strcmp(e->tables[i].name, name) == 0 &&
		    strcmp(e->tables[i].anchor, anchor) == 0)
			return i;
	return IMG_NONE;
}

static bool
reserve_tables(struct pfk_engine *e)
{
	uint32_t n = e->ntables, cap = n == 0 ? 8 : n * 2;
	struct table *v;

	if (n != 0 && (n < 8 || (n & (n - 1)) != 0))
		return true;
	v = e_realloc(e, e->tables, n * sizeof(*v), cap * sizeof(*v));
	if (v == NULL)
		return false;
	e->tables = v;
	return true;
}

static char *
copy_string(const struct pfk_engine *e, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = e_alloc(e, size);

	if (copy != NULL)
		memcpy(copy, s, size);
	return copy;
}

/* A new table, whether there is one of that name or not. */
static uint32_t
append_table(struct pfk_engine *e, const char *anchor, const char *name)
{
	struct table *t;

	if (!reserve_tables(e))
		return IMG_NONE;
	t = &e->tables[e->ntables];
	memset(t, 0, sizeof(*t));
	t->root = IMG_NONE;
	for (unsigned i = 0; i < 2; i++) {
		t->tree[i].out = 1;		/* trie_value() */
		t->tree[i].indexed = true;
	}
	t->name = copy_string(e, name);
	t->anchor = copy_string(e, anchor);
	if (t->name == NULL || t->anchor == NULL) {
		e_free(e, t->name, strlen(name) + 1);
		e_free(e, t->anchor, strlen(anchor) + 1);
		return IMG_NONE;
	}
	return e->ntables++;
}

uint32_t
table_make(struct pfk_engine *e, const char *anchor, const char *name)
{
	uint32_t i = table_find(e, anchor, name), root = IMG_NONE;

	if (i != IMG_NONE)
		return i;
	if (*anchor != '\0' && (root = table_make(e, "", name)) == IMG_NONE)
		return IMG_NONE;
	i = append_table(e, anchor, name);
	if (i != IMG_NONE)
		e->tables[i].root = root;
	return i;
}

struct table *
table_active(const struct pfk_engine *e, uint32_t index)
{
	struct table *t = &e->tables[index];

	if (!(t->flags & IMG_T_DEFINED) && t->root != IMG_NONE)
		t = &e->tables[t->root];
	return t->flags & IMG_T_DEFINED ? t : NULL;
}

/* --- entries --- */

/* What was made or found out of its entries. */
static void
forget(struct pfk_engine *e, struct table *t)
{
	tables_changed(e);
	e_free(e, t->order, t->norder * sizeof(*t->order));
	t->order = NULL;
	t->norder = 0;
	t->weights_known = false;
	t->asked_af = 0;
}

static bool
over_limit(const struct pfk_engine *e)
{
	uint32_t limit = e->opts.limit[IMG_LIMIT_TABLE_ENTRIES];
	uint64_t total = 0;

	for (uint32_t i = 0; i < e->ntables; i++)
		total += (uint64_t)e->tables[i].naddrs[0] +
		    e->tables[i].naddrs[1];
	return limit != 0 && total >= limit;
}

struct table_entry *
table_put(struct pfk_engine *e, struct table *t, uint8_t af, uint8_t bits,
    bool neg, const struct pfk_addr *addr)
{
	struct prefix_tree *tree = &t->tree[family_index(af)];
	struct table_entry *entry;
	struct pfk_addr mask;
	uint32_t i = prefix_get(tree, af, addr, bits);

	if (i != PREFIX_NONE)		/* the first one said wins */
		return &t->entries[i >> 1];
	if ((i = table_entry_new(e, t)) == IMG_NONE)
		return NULL;
	entry = &t->entries[i];
	if (!prefix_set(e, tree, af, addr, bits, trie_value(i, neg))) {
		table_entry_free(t, i);
		return NULL;
	}
	addr_prefix_mask(&mask, bits);
	memcpy(&entry->addr, addr, addr_bits((enum pfk_af)af) / 8);
	addr_and(&entry->addr, &mask);
	entry->since = e->now;
	entry->af = af == PFK_AF_INET6 ? PFK_AF_INET6 : PFK_AF_INET;
	entry->bits = bits;
	entry->neg = neg;
	t->naddrs[family_index(af)]++;
	forget(e, t);
	return entry;
}

int
table_add(struct pfk_engine *e, uint32_t table, uint8_t af, uint8_t bits,
    bool neg, const struct pfk_addr *addr)
{
	struct table *t = &e->tables[table];
	uint32_t i = prefix_get(&t->tree[family_index(af)], af, addr, bits);

	if (i != PREFIX_NONE)
		return 0;
	if (over_limit(e) || table_put(e, t, af, bits, neg, addr) == NULL)
		return -1;
	return 1;
}

int
table_remove(struct pfk_engine *e, uint32_t table, uint8_t af, uint8_t bits,
    const struct pfk_addr *addr)
{
	struct table *t = &e->tables[table];
	struct prefix_tree *tree = &t->tree[family_index(af)];
	uint32_t i = prefix_get(tree, af, addr, bits);

	if (i == PREFIX_NONE)
		return 0;
	prefix_remove(e, tree, af, addr, bits);
	table_entry_free(t, i >> 1);
	t->naddrs[family_index(af)]--;
	forget(e, t);
	return 1;
}

void
table_clear(struct pfk_engine *e, struct table *t)
{
	table_entries_free(e, t);
	prefix_free(e, &t->tree[0]);
	prefix_free(e, &t->tree[1]);
	forget(e, t);
	t->naddrs[0] = t->naddrs[1] = 0;
}

int
tables_init(struct pfk_engine *e)
{
	const struct pfk_image *im = e->image;

	/* indexes of the image stay what they are */
	for (uint32_t i = 0; i < im->ntables; i++) {
		const struct img_table *from = &im->tables[i];

		if (append_table(e, image_string(im,
		    im->anchors[from->anchor].path),
		    image_string(im, from->name)) == IMG_NONE)
			return -1;
		e->tables[i].flags = from->flags;
		if (!table_fill(e, i, im, from))
			return -1;
	}
	for (uint32_t i = 0; i < im->ntables; i++) {
		uint32_t root;

		if (im->tables[i].anchor == 0)
			continue;
		root = table_make(e, "", image_string(im,
		    im->tables[i].name));
		if (root == IMG_NONE)
			return -1;
		e->tables[i].root = root;
	}
	return 0;
}

void
tables_free(struct pfk_engine *e)
{
	uint32_t cap = 8;

	for (uint32_t i = 0; i < e->ntables; i++) {
		struct table *t = &e->tables[i];

		table_clear(e, t);
		e_free(e, t->name, strlen(t->name) + 1);
		e_free(e, t->anchor, strlen(t->anchor) + 1);
	}
	while (cap < e->ntables)
		cap *= 2;
	if (e->tables != NULL)
		e_free(e, e->tables, cap * sizeof(*e->tables));
	e->tables = NULL;
	e->ntables = 0;
}

/* --- what rules and pools ask --- */

/* addr_equal() in a few instructions: it is asked for each packet. */
static inline bool
same_addr(const struct pfk_addr *a, const struct pfk_addr *b, uint8_t af)
{
	uint64_t x[2] = { 0, 0 }, y[2] = { 0, 0 };

	if (af == PFK_AF_INET6) {
		memcpy(x, a->b, 16);
		memcpy(y, b->b, 16);
	} else {
		memcpy(x, a->b, 4);
		memcpy(y, b->b, 4);
	}
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static bool
contains(struct table *t, uint8_t af, const struct pfk_addr *addr)
{
	if (t->asked_af == af && same_addr(&t->asked, addr, af))
		return t->answer;
	t->asked = *addr;
	t->asked_af = af;
	t->answer = prefix_contains(&t->tree[family_index(af)], af, addr);
	return t->answer;
}

bool
table_contains(struct pfk_engine *e, uint32_t table, uint8_t af,
    const struct pfk_addr *addr)
{
	struct table *t = table_active(e, table);

	return t != NULL && contains(t, af, addr);
}

bool
table_match(struct pfk_engine *e, uint32_t table, uint8_t af,
    const struct pfk_addr *addr)
{
	bool match = table_contains(e, table, af, addr);

	e->tables[table].asks[match]++;
	return match;
}

enum { COUNT_BLOCK, COUNT_MATCH, COUNT_PASS, COUNT_XPASS };
static const uint8_t columns[] = { [IMG_PASS] = COUNT_PASS,
    [IMG_BLOCK] = COUNT_BLOCK, [IMG_MATCH] = COUNT_MATCH };

static inline void
count_fit(struct table *t, unsigned column, uint64_t bytes, bool out)
{
	if (t == NULL)
		return;
	t->packets[out][column]++;
	t->bytes[out][column] += bytes;
}

bool
tables_count_fit(struct pfk_engine *e, const struct rt_rule *rr,
    uint64_t bytes, bool out)
{
	struct table *src = rr->src_table == IMG_NONE ? NULL :
	    table_active(e, rr->src_table);
	struct table *dst = rr->dst_table == IMG_NONE ? NULL :
	    table_active(e, rr->dst_table);
	unsigned column = columns[rr->r->action];

	if ((src != NULL && src->flags & IMG_T_COUNTERS) ||
	    (dst != NULL && dst->flags & IMG_T_COUNTERS))
		return false;
	count_fit(src, column, bytes, out);
	count_fit(dst, column, bytes, out);
	return true;
}

void
table_count(struct pfk_engine *e, uint32_t table, uint8_t af,
    const struct pfk_addr *addr, uint64_t bytes, bool out,
    enum img_action action, bool notrule)
{
	struct table *t = table_active(e, table);
	struct table_entry_counters *counters;
	unsigned column = columns[action];
	uint32_t value;

	if (t == NULL)
		return;
	/* a packet of a state may come from an address gone since then */
	if (contains(t, af, addr) == notrule)
		column = COUNT_XPASS;
	t->packets[out][column]++;
	t->bytes[out][column] += bytes;
	if (column == COUNT_XPASS || !(t->flags & IMG_T_COUNTERS))
		return;
	value = prefix_match(&t->tree[family_index(af)], af, addr);
	if (value == PREFIX_NONE)
		return;
	counters = table_entry_count(e, t, &t->entries[value >> 1]);
	if (counters != NULL) {
		counters->packets[out][column]++;
		counters->bytes[out][column] += bytes;
	}
}

bool
table_has_counters(const struct pfk_engine *e, uint32_t table)
{
	const struct table *t = table_active(e, table);

	return t != NULL && (t->flags & IMG_T_COUNTERS) != 0;
}

size_t
table_count_addrs(const struct pfk_engine *e, uint32_t table, uint8_t af)
{
	const struct table *t = table_active(e, table);

	if (t == NULL)
		return 0;
	if (af == PFK_AF_UNSPEC)
		return (size_t)t->naddrs[0] + t->naddrs[1];
	return t->naddrs[family_index(af)];
}
