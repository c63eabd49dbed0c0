/*
 * Tables of names and numbers: two chained hashes over one array of rows.
 *
 * Rows of one chain stand in the order in which they came, so the first row
 * of a file that fits is the one found, as in getservbyname(3).
 */
#include "compiler/host_impl.h"

#include <string.h>

#include "base/hash.h"

#define NO_NUMBER	UINT32_MAX	/* next_number of an alias */

static size_t
name_hash(const char *name)
{
	return hash_fnv1a(name, strlen(name));
}

static size_t
number_hash(uint32_t number)
{
	return number * 2654435761u >> 7;
}

/* Appends row (place + 1) to the chain that starts at *head. */
static void
append(struct name_table *t, uint32_t *head, uint32_t row, bool by_name)
{
	while (*head != 0) {
		struct name_row *r = &t->rows.v[*head - 1];

		head = by_name ? &r->next_name : &r->next_number;
	}
	*head = row;
}

static void
link_row(struct name_table *t, uint32_t row)
{
	struct name_row *r = &t->rows.v[row - 1];
	size_t mask = t->buckets - 1;
	bool alias = r->next_number == NO_NUMBER;

	r->next_name = 0;
	append(t, &t->by_name[name_hash(r->name) & mask], row, true);
	if (alias)
		return;
	r->next_number = 0;
	append(t, &t->by_number[number_hash(r->number) & mask], row, false);
}

static void
grow(struct arena *a, struct name_table *t)
{
	t->buckets = t->buckets ? t->buckets * 4 : 64;
	t->by_name = arena_alloc(a, t->buckets * sizeof(uint32_t));
	t->by_number = arena_alloc(a, t->buckets * sizeof(uint32_t));
	for (uint32_t row = 1; row <= t->rows.n; row++)
		link_row(t, row);
}

static void
add_row(struct arena *a, struct name_table *t, struct name_row row)
{
	if (t->rows.n >= t->buckets)
		grow(a, t);
	vec_push(a, &t->rows, row);
	link_row(t, (uint32_t)t->rows.n);
}

void
name_table_add(struct arena *a, struct name_table *t, const char *name,
    const char *kind, uint32_t number)
{
	add_row(a, t, (struct name_row){ .name = name, .kind = kind,
	    .number = number });
}

void
name_table_alias(struct arena *a, struct name_table *t, const char *name,
    const char *kind, uint32_t number)
{
	add_row(a, t, (struct name_row){ .name = name, .kind = kind,
	    .number = number, .next_number = NO_NUMBER });
}

bool
name_table_number(const struct name_table *t, const char *name,
    const char *kind, uint32_t *number)
{
	uint32_t i;

	if (t->buckets == 0)
		return false;
	for (i = t->by_name[name_hash(name) & (t->buckets - 1)]; i != 0;
	    i = t->rows.v[i - 1].next_name) {
		const struct name_row *r = &t->rows.v[i - 1];

		if (strcmp(r->name, name) == 0 && strcmp(r->kind, kind) == 0) {
			*number = r->number;
			return true;
		}
	}
	return false;
}

const char *
name_table_name(const struct name_table *t, uint32_t number, const char *kind)
{
	uint32_t i;

	if (t->buckets == 0)
		return NULL;
	for (i = t->by_number[number_hash(number) & (t->buckets - 1)]; i != 0;
	    i = t->rows.v[i - 1].next_number) {
		const struct name_row *r = &t->rows.v[i - 1];

		if (r->number == number && strcmp(r->kind, kind) == 0)
			return r->name;
	}
	return NULL;
}
