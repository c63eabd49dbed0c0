/*
 * Which anchors and tables the image has.
 *
 * Anchors: those of the tree, those that came from `load anchor`, those that
 * a rule calls, and all that lie above them.  They are sorted by depth, then
 * by path: so the main ruleset is first, parents stand before their children,
 * and the children of one anchor stand together in pf's order, which is that
 * of a wildcard call.
 *
 * Tables belong to an anchor.  A rule means the table of its own anchor; if
 * that is only referred to, pf asks the main ruleset's of the same name, so
 * that one is made, too.
 */
#include "compiler/image_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static uint32_t
path_depth(const char *path)
{
	uint32_t depth = *path != '\0';

	for (; *path != '\0'; path++)
		depth += *path == '/';
	return depth;
}

static void
add_anchor(struct image_writer *w, const char *path, const struct anchor *body)
{
	const struct low_anchor a = { path, body, path_depth(path) };
	const char *slash = strrchr(path, '/');

	vec_push(w->arena, &w->tree, a);
	if (slash != NULL)
		add_anchor(w, arena_strndup(w->arena, path,
		    (size_t)(slash - path)), NULL);
}

/* The path that an anchor rule's call means (without a wildcard's end). */
static const char *
called_path(struct arena *arena, const struct rule *r, const char *from)
{
	const char *call = r->anchor.call;
	size_t up = strlen(from), len;

	if (r->anchor.body != NULL)
		return r->anchor.body->path;
	if (*call == '/') {
		from = "";
		up = 0;
		call++;
	}
	while (strncmp(call, "../", 3) == 0) {
		while (up > 0 && from[--up] != '/')
			;
		call += 3;
	}
	len = strlen(call);
	if (r->anchor.wildcard && len >= 2)
		len -= 2;
	return arena_printf(arena, "%.*s%s%.*s", (int)up, from,
	    up > 0 ? "/" : "", (int)len, call);
}

static void
add_called(struct image_writer *w, const struct anchor *a)
{
	for (const struct rule *r = a->rules; r != NULL; r = r->next)
		if (r->anchor.call != NULL)
			add_anchor(w, called_path(w->arena, r, a->path),
			    r->anchor.body);
}

static void
add_tree(struct image_writer *w, const struct anchor *a)
{
	add_anchor(w, a->path, a);
	add_called(w, a);
	for (const struct anchor *c = a->children; c != NULL; c = c->sibling)
		add_tree(w, c);
}

static int
compare_paths(const struct low_anchor *x, const struct low_anchor *y)
{
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Of several of one path the one with rules comes first. */
static int
compare_anchors(const void *a, const void *b)
{
	const struct low_anchor *x = a, *y = b;
	int c = compare_paths(x, y);
	int xr = x->body == NULL ? 0 : 1 + (x->body->rules != NULL);
	int yr = y->body == NULL ? 0 : 1 + (y->body->rules != NULL);

	return c != 0 ? c : yr - xr;
}

uint32_t
lower_find_anchor(const struct image_writer *w, const char *path)
{
	const struct low_anchor key = { path, NULL, path_depth(path) };
	size_t low = 0, high = w->tree.n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (compare_paths(&key, &w->tree.v[middle]) < 0)
			high = middle;
		else
			low = middle;
	}
	return (uint32_t)low;
}

uint32_t
lower_called(const struct image_writer *w, const struct rule *r, uint32_t from)
{
	return lower_find_anchor(w,
	    called_path(w->arena, r, w->tree.v[from].path));
}

static void
make_records(struct image_writer *w)
{
	for (uint32_t i = 0; i < w->tree.n; i++) {
		const char *path = w->tree.v[i].path;
		const char *slash = strrchr(path, '/');
		struct img_anchor *a = vec_add(w->arena, &w->anchors);

		memset(a, 0, sizeof(*a));
		a->path = write_string(w, path);
		a->parent = i == 0 ? IMG_NONE : slash == NULL ? 0 :
		    lower_find_anchor(w, arena_strndup(w->arena, path,
		    (size_t)(slash - path)));
		if (i == 0)
			continue;
		a = &w->anchors.v[a->parent];
		if (a->nchildren++ == 0)
			a->child0 = i;
	}
}

void
lower_tree(struct image_writer *w)
{
	struct flat_ruleset *flat = &w->rs->flat;
	size_t n = 0;

	add_anchor(w, "", NULL);	/* whatever the root's path is */
	add_tree(w, flat->root);
	for (const struct anchor *a = flat->loaded; a != NULL; a = a->sibling)
		add_tree(w, a);
	qsort(w->tree.v, w->tree.n, sizeof(*w->tree.v), compare_anchors);
	for (size_t i = 0; i < w->tree.n; i++)
		if (n == 0 || compare_paths(&w->tree.v[n - 1],
		    &w->tree.v[i]) != 0)
			w->tree.v[n++] = w->tree.v[i];
	w->tree.n = n;
	make_records(w);
}

/* --- tables --- */

static uint32_t
table_hash(uint32_t anchor, const char *name)
{
	return hash_fnv1a(name, strlen(name)) ^ anchor * 2654435761u;
}

static void
index_tables(struct image_writer *w)
{
	struct interner *t = &w->table_index;

	t->nslots = t->nslots == 0 ? 64 : t->nslots * 2;
	t->slots = arena_alloc(w->arena, t->nslots * sizeof(*t->slots));
	for (uint32_t i = 0; i < w->tables.n; i++) {
		uint32_t hash = table_hash(w->tables.v[i].anchor,
		    w->strings.v + w->tables.v[i].name);
		size_t j = hash & (t->nslots - 1);

		while (t->slots[j].value != 0)
			j = (j + 1) & (t->nslots - 1);
		t->slots[j] = (struct intern_slot){ hash, i + 1 };
	}
}

/* The slot of the table; its value is index + 1, or 0. */
static struct intern_slot *
table_slot(struct image_writer *w, uint32_t anchor, const char *name)
{
	struct interner *t = &w->table_index;
	uint32_t hash = table_hash(anchor, name);
	size_t i;

	if (w->tables.n * 2 >= t->nslots)
		index_tables(w);
	for (i = hash & (t->nslots - 1); t->slots[i].value != 0;
	    i = (i + 1) & (t->nslots - 1)) {
		const struct img_table *table =
		    &w->tables.v[t->slots[i].value - 1];

		if (table->anchor == anchor &&
		    strcmp(w->strings.v + table->name, name) == 0)
			break;
	}
	t->slots[i].hash = hash;
	return &t->slots[i];
}

uint32_t
lower_table(struct image_writer *w, uint32_t anchor, const char *name)
{
	struct intern_slot *slot = table_slot(w, anchor, name);
	struct img_table *t;
	uint32_t index;

	if (slot->value != 0)
		return slot->value - 1;
	index = (uint32_t)w->tables.n;
	slot->value = index + 1;
	t = vec_add(w->arena, &w->tables);
	memset(t, 0, sizeof(*t));
	t->name = write_string(w, name);
	t->anchor = anchor;
	vec_push(w->arena, &w->table_from, NULL);
	if (anchor != 0)
		(void)lower_table(w, 0, name);
	return index;
}

static void
add_table(struct image_writer *w, uint32_t anchor, const struct table *from)
{
	uint32_t index = lower_table(w, anchor, from->name);
	struct img_table *t = &w->tables.v[index];

	w->table_from.v[index] = from;
	t->flags = IMG_T_DEFINED | (from->is_const ? IMG_T_CONST : 0) |
	    (from->persist ? IMG_T_PERSIST : 0) |
	    (from->counters ? IMG_T_COUNTERS : 0);
	t->addr0 = (uint32_t)w->table_addrs.n;
	t->naddrs = (uint32_t)from->addrs.n;
	for (size_t i = 0; i < from->addrs.n; i++) {
		const struct table_addr *ta = &from->addrs.v[i];
		struct img_table_addr *a = vec_add(w->arena, &w->table_addrs);

		memset(a, 0, sizeof(*a));
		a->addr = ta->addr;
		a->af = ta->af;
		a->bits = ta->bits;
		a->neg = ta->neg != 0;
		a->weight = ta->weight;
	}
}

void
lower_tables(struct image_writer *w)
{
	for (uint32_t i = 0; i < w->tree.n; i++) {
		const struct anchor *a = w->tree.v[i].body;

		for (const struct table *t = a != NULL ? a->tables : NULL;
		    t != NULL; t = t->next)
			add_table(w, i, t);
	}
}
