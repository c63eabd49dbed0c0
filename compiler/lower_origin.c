/*
 * Lowering: sources, uses of macros, and where rules and tables come from, in
 * the form that runtime/image.h tells.
 */
#include <string.h>

#include <pfkit/origin.h>

#include "base/hash.h"
#include "compiler/image_write.h"

#define MAX_CHAIN	64	/* macros in macros that are told one by one */

/* ---- sources ---- */

/* Of a span; files count from 1, 0 is none. */
static struct img_span
lower_place(struct span s)
{
	if (s.file == 0)
		return (struct img_span){ IMG_NONE, 0, 0 };
	return (struct img_span){ s.file - 1, s.off, s.len };
}

static void
add_bytes(struct image_writer *w, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		vec_push(w->arena, &w->texts, p[i]);
}

static void
add_source(struct image_writer *w, uint32_t file)
{
	const struct source *s = source_get(&w->rs->sources, file);
	struct img_source *to = vec_add(w->arena, &w->sources);
	uint64_t hash = pfk_source_hash(s->text, s->len);

	(void)source_position(&w->rs->sources, file, 0);
	memset(to, 0, sizeof(*to));
	to->name = write_string(w, s->name);
	to->len = s->len;
	to->hash[0] = (uint32_t)hash;
	to->hash[1] = (uint32_t)(hash >> 32);
	to->included_at = lower_place(s->included_at);
	to->line0 = (uint32_t)w->lines.n;
	to->nlines = (uint32_t)s->lines.n;
	for (size_t i = 0; i < s->lines.n; i++)
		vec_push(w->arena, &w->lines, s->lines.v[i]);
	to->text = IMG_NONE;
	if (s->len <= IMG_TEXT_MAX) {
		to->text = (uint32_t)w->texts.n;
		add_bytes(w, s->text, s->len);
	}
}

void
lower_sources(struct image_writer *w)
{
	for (uint32_t i = 1; i < w->rs->sources.files.n; i++)
		add_source(w, i);
}

/* ---- macros ---- */

static void
index_macros(struct image_writer *w)
{
	struct interner *t = &w->macro_index;

	t->nslots = t->nslots == 0 ? 64 : t->nslots * 2;
	t->slots = arena_alloc(w->arena, t->nslots * sizeof(*t->slots));
	for (uint32_t i = 0; i < w->macros.n; i++) {
		uint32_t hash = hash_fnv1a(&w->macros.v[i],
		    sizeof(w->macros.v[i]));
		size_t j = hash & (t->nslots - 1);

		while (t->slots[j].value != 0)
			j = (j + 1) & (t->nslots - 1);
		t->slots[j] = (struct intern_slot){ hash, i + 1 };
	}
}

/* The index of the record; equal ones are one. */
static uint32_t
intern_macro(struct image_writer *w, const struct img_macro *m)
{
	struct interner *t = &w->macro_index;
	uint32_t hash = hash_fnv1a(m, sizeof(*m));
	size_t i;

	if (w->macros.n * 2 >= t->nslots)
		index_macros(w);
	for (i = hash & (t->nslots - 1); t->slots[i].value != 0;
	    i = (i + 1) & (t->nslots - 1))
		if (t->slots[i].hash == hash && memcmp(m,
		    &w->macros.v[t->slots[i].value - 1], sizeof(*m)) == 0)
			return t->slots[i].value - 1;
	vec_push(w->arena, &w->macros, *m);
	t->slots[i] = (struct intern_slot){ hash, (uint32_t)w->macros.n };
	return (uint32_t)w->macros.n - 1;
}

static uint32_t
lower_macro(struct image_writer *w, const struct expansion *e, unsigned depth)
{
	const struct expansion *outer = e->outer;
	struct img_macro m;

	memset(&m, 0, sizeof(m));
	while (depth >= MAX_CHAIN && outer != NULL && outer->outer != NULL)
		outer = outer->outer;
	m.outer = outer != NULL ? lower_macro(w, outer, depth + 1) : IMG_NONE;
	m.name = write_string(w, e->macro);
	m.use = lower_place(e->use);
	m.def = lower_place(e->def);
	return intern_macro(w, &m);
}

/* Elements next to each other often come out of one use. */
static uint32_t
macro_of(struct image_writer *w, const struct expansion *e)
{
	if (e != w->last_via) {
		w->last_via = e;
		w->last_macro = lower_macro(w, e, 0);
	}
	return w->last_macro;
}

/* ---- origins ---- */

static void
put_byte(struct image_writer *w, unsigned b)
{
	vec_push(w->arena, &w->origins, (uint8_t)b);
}

static void
put_number(struct image_writer *w, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		put_byte(w, (v & 0x7f) | 0x80);
	put_byte(w, v);
}

/*
 * => statement NULL: it is one.
 */
static void
put_element(struct image_writer *w, const struct rule_element *e,
    unsigned part, const struct rule_element *statement)
{
	bool own = statement == NULL ? e->span.file != 0 :
	    e->span.file != statement->span.file;
	uint32_t from = statement != NULL ? statement->span.off : 0;

	put_byte(w, part | (e->listed ? IMG_O_LISTED : 0) |
	    (own ? IMG_O_SOURCE : 0) | (e->via != NULL ? IMG_O_MACRO : 0));
	if (own) {
		put_number(w, lower_place(e->span).source);
		put_number(w, e->span.off);
	} else if (statement == NULL)
		put_number(w, e->span.off);
	else if (e->span.off >= from)
		put_number(w, (e->span.off - from) << 1);
	else
		put_number(w, (from - e->span.off) << 1 | 1);
	put_number(w, e->span.len);
	if (e->via == NULL)
		return;
	put_number(w, macro_of(w, e->via) << 1 | (e->value != NULL));
	if (e->value != NULL) {
		put_number(w, lower_place(*e->value).source);
		put_number(w, e->value->off);
		put_number(w, e->value->len);
	}
}

static void
put_origin(struct image_writer *w, const struct rule_origin *o)
{
	unsigned n = 0, k = 0;

	for (uint32_t parts = o->parts; parts != 0; parts &= parts - 1)
		n++;
	put_byte(w, o->how | n << 2);
	put_element(w, o->statement, 0, NULL);
	for (unsigned i = 0; i < PFK_NPARTS; i++)
		if (o->parts >> i & 1)
			put_element(w, o->element[k++], i, o->statement);
}

void
lower_origin(struct image_writer *w, const struct rule *r)
{
	vec_push(w->arena, &w->rule_origins, (uint32_t)w->origins.n);
	for (const struct rule_origin *o = r->origin; o != NULL; o = o->next)
		put_origin(w, o);
}

static void
put_table(struct image_writer *w, const struct table *t)
{
	struct rule_element statement = { .span = t->span, .via = t->via };

	put_element(w, &statement, 0, NULL);
	for (size_t i = 0; i < t->runs.n; i++) {
		put_number(w, t->runs.v[i].n);
		put_element(w, &t->runs.v[i].element, 0, &statement);
	}
}

void
lower_origins_end(struct image_writer *w)
{
	vec_push(w->arena, &w->rule_origins, (uint32_t)w->origins.n);
	for (size_t i = 0; i < w->tables.n; i++) {
		vec_push(w->arena, &w->table_origins, (uint32_t)w->origins.n);
		if (w->table_from.v[i] != NULL)
			put_table(w, w->table_from.v[i]);
	}
	vec_push(w->arena, &w->table_origins, (uint32_t)w->origins.n);
}
