/*
 * From counts of flat rules to those of what is written.
 *
 * Each origin of each rule is looked at once: its statement, and the elements
 * that are one of several or came out of macros.  What was seen before is
 * found by its place in a hash table.  Then everything is put in the order of
 * the text, and told apart by what it did.
 */
#include <stdlib.h>
#include <string.h>

#include "../../common/quote.h"
#include "../pfkit.h"
#include "model.h"

const char *const status_names[NSTATUS] = {
	[STATUS_DECIDED] = "decided",
	[STATUS_PARTLY] = "partly",
	[STATUS_OVERRULED] = "overruled",
	[STATUS_NEVER_MATCHED] = "never-matched",
	[STATUS_NEVER_EVALUATED] = "never-evaluated",
	[STATUS_DROPPED] = "dropped",
};

/* What an item is known by: statement (or none), part, places. */
struct key { uint32_t statement, part, source, off, use_source, use_off; };
#define NO_STATEMENT	UINT32_MAX

struct slot { struct key key; uint32_t item; };	/* item + 1; 0: free */
struct table { struct slot *v; uint32_t n, used; };

struct building {
	struct model	*m;
	struct table	 statements, elements, values, entries;
	const struct pfk_image *image;
	uint32_t	 ruleset;
	uint32_t	*source;	/* of the image -> of the model */
	struct cover_slot *slots;	/* by image and origin */
	uint32_t	 nslots, next;
};

/* ---- places ---- */

static uint32_t
hash(const struct key *k)
{
	const uint32_t v[] = { k->statement, k->part, k->source, k->off,
	    k->use_source, k->use_off };
	uint64_t h = 0;

	for (int i = 0; i < 6; i++)
		h = (h ^ v[i]) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
	return (uint32_t)(h >> 32);
}

static struct slot *
find(const struct table *t, const struct key *k)
{
	uint32_t i = hash(k) & (t->n - 1);

	while (t->v[i].item != 0 && memcmp(&t->v[i].key, k, sizeof(*k)) != 0)
		i = (i + 1) & (t->n - 1);
	return &t->v[i];
}

static void
grow(struct table *t)
{
	struct table old = *t;

	t->n = old.n == 0 ? 256 : old.n * 2;
	t->v = xcalloc(t->n, sizeof(*t->v));
	for (uint32_t i = 0; i < old.n; i++)
		if (old.v[i].item != 0)
			*find(t, &old.v[i].key) = old.v[i];
	free(old.v);
}

/* The item of that key, made of `fresh' if it is new. */
static struct model_item *
item(struct table *t, struct model_items *items, const struct key *k,
    const struct model_item *fresh)
{
	struct slot *s;

	if (t->used * 2 >= t->n)
		grow(t);
	s = find(t, k);
	if (s->item != 0)
		return &items->v[s->item - 1];
	if (items->n == items->room) {
		items->room = items->room * 2 + 64;
		items->v = xrealloc(items->v, items->room * sizeof(*items->v));
	}
	items->v[items->n++] = *fresh;
	*s = (struct slot){ *k, items->n };
	t->used++;
	return &items->v[items->n - 1];
}

/* ---- sources ---- */

/*
 * pfkit test reads a ruleset with the tables of the test file included at its
 * end: that line is no part of the ruleset.
 */
static size_t
own_length(const char *text, size_t len)
{
	static const char tail[] = COVER_TEST_TABLES "\"\n";
	size_t n = sizeof(tail) - 1, at = len;

	if (len < n || memcmp(text + len - n, tail, n) != 0)
		return len;
	for (at = len - 1; at > 0 && text[at - 1] != '\n'; at--)
		;
	return strncmp(text + at, "include ", 8) == 0 && at > 0 ? at - 1 : len;
}

/* What the image says of a text, without what is not the ruleset's. */
static struct model_source
source_of(struct model *m, const struct pfk_image *im, uint32_t i)
{
	struct model_source is;
	struct pfk_source s;
	size_t len;

	pfk_image_source(im, i, &s);
	is = (struct model_source){ s.name, quotes_text(m->quotes, im, i,
	    &len), s.len, s.hash };
	if (is.text == NULL)
		return is;
	is.len = own_length(is.text, s.len);
	if (is.len < s.len)
		is.hash = pfk_source_hash(is.text, is.len);
	return is;
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* A file is called otherwise from another folder: its text tells. */
static bool
same_source(const struct model_source *a, const struct model_source *b)
{
	return a->hash == b->hash && a->len == b->len &&
	    strcmp(last_part(a->name), last_part(b->name)) == 0;
}

static bool
is_taken(const struct building *b, uint32_t i, uint32_t k)
{
	while (i-- > 0)
		if (b->source[i] == k)
			return true;
	return false;
}

/* Of the same name, or else the first that no other file of the image is. */
static uint32_t
model_source(struct building *b, uint32_t i)
{
	struct model *m = b->m;
	struct model_source s = source_of(m, b->image, i);

	for (int exact = 1; exact >= 0; exact--)
		for (uint32_t k = 0; k < m->nsources; k++)
			if (same_source(&m->sources[k], &s) && (exact ?
			    strcmp(m->sources[k].name, s.name) == 0 :
			    !is_taken(b, i, k)))
				return k;
	m->sources = xrealloc(m->sources,
	    (m->nsources + 1) * sizeof(*m->sources));
	m->sources[m->nsources] = s;
	return m->nsources++;
}

static void
map_sources(struct building *b)
{
	size_t n = pfk_image_sources(b->image);

	b->source = xrealloc(b->source, (n + 1) * sizeof(*b->source));
	for (uint32_t i = 0; i < n; i++)
		b->source[i] = model_source(b, i);
}

/* ---- items ---- */

static struct model_item
item_at(const struct building *b, const struct pfk_element *e)
{
	struct model_item it = { .source = b->source[e->at.source],
	    .off = e->at.off, .len = e->at.len, .line = e->at.line,
	    .column = e->at.column, .end_line = e->at.end_line,
	    .dropped = true, .part = e->part, .listed = e->listed };
	struct pfk_macro macro;
	struct pfk_place use;

	element_place(b->image, e, &use);
	if (use.source != PFK_NO_SOURCE) {
		it.use_source = b->source[use.source];
		it.use_off = use.off;
		it.use_len = use.len;
	}
	if (e->macro != PFK_NO_MACRO) {
		pfk_image_macro(b->image, e->macro, &macro);
		it.macro = macro.name;
	}
	return it;
}

/* The value of a macro that the element is, or has in it. */
static struct model_item
value_at(const struct building *b, const struct pfk_element *e,
    const struct model_item *element)
{
	const struct pfk_place *p = element_value(e);
	struct model_item it = *element;

	it.source = b->source[p->source];
	it.off = p->off;
	it.len = p->len;
	it.line = p->line;
	it.column = p->column;
	it.end_line = p->end_line;
	return it;
}

/* Adds what one origin has done; evaluations are the rule's. */
static void
add(struct model_item *it, const struct cover_slot *slots, uint32_t n,
    uint64_t evaluations)
{
	it->counts.evaluations += evaluations;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t interface = slots[i].interface - 1, k = 0;

		while (k < it->non && (it->on[k].interface != interface ||
		    it->on[k].by != slots[i].by))
			k++;
		if (k == it->non) {
			it->on = xrealloc(it->on,
			    (k + 1) * sizeof(*it->on));
			memset(&it->on[k], 0, sizeof(*it->on));
			it->on[k].interface = interface;
			it->on[k].by = slots[i].by;
			it->non++;
		}
		for (int w = 0; w <= COVER_STATE; w++) {
			it->on[k].counts.n[w] += slots[i].counts.n[w];
			it->counts.all.n[w] += slots[i].counts.n[w];
			it->counts.by[slots[i].by].n[w] +=
			    slots[i].counts.n[w];
		}
	}
}

static bool
acts(const struct pfk_rule_info *r)
{
	return r->opens_anchor || strncmp(r->text, "match", 5) == 0;
}

/* Everything that a rule's origin says. */
struct seen {
	const struct pfk_rule_info *rule;
	const struct pfk_origin *origin;
	const struct cover_slot *slots;
	uint32_t	 nslots;
	uint64_t	 evaluations;
};

static uint32_t
add_statement(struct building *b, const struct seen *s)
{
	const struct pfk_element *e = &s->origin->statement;
	struct model_item fresh = item_at(b, e), *it;
	struct key k = { NO_STATEMENT, 0, fresh.source, fresh.off,
	    fresh.use_source, fresh.use_off };

	fresh.anchor = s->rule->anchor;
	it = item(&b->statements, &b->m->statements, &k, &fresh);
	it->acts = acts(s->rule);
	it->nrules++;
	it->dropped &= s->origin->how == PFK_ORIGIN_COVERED;
	add(it, s->slots, s->nslots, s->evaluations);
	return (uint32_t)(it - b->m->statements.v);
}

static void
add_element(struct building *b, const struct seen *s,
    const struct pfk_element *e, uint32_t statement)
{
	struct model_item fresh = item_at(b, e), *it;
	struct key k = { statement, e->part, fresh.source, fresh.off,
	    fresh.use_source, fresh.use_off };

	fresh.statement = statement;
	it = item(&b->elements, &b->m->elements, &k, &fresh);
	it->acts = acts(s->rule);
	it->nrules++;
	it->dropped &= s->origin->how == PFK_ORIGIN_COVERED;
	add(it, s->slots, s->nslots, s->evaluations);
	if (e->macro == PFK_NO_MACRO)
		return;
	fresh = value_at(b, e, &fresh);
	k = (struct key){ NO_STATEMENT, 0, fresh.source, fresh.off, 0, 0 };
	it = item(&b->values, &b->m->values, &k, &fresh);
	it->nrules++;
	it->acts |= acts(s->rule);
	it->dropped &= s->origin->how == PFK_ORIGIN_COVERED;
	add(it, s->slots, s->nslots, s->evaluations);
}

static void
add_origin(struct building *b, const struct seen *s)
{
	const struct pfk_origin *o = s->origin;
	uint32_t statement;

	if (o->statement.at.source == PFK_NO_SOURCE)
		return;
	statement = add_statement(b, s);
	for (size_t i = 0; i < o->nelements; i++) {
		const struct pfk_element *e = &o->element[i];

		if (e->at.source != PFK_NO_SOURCE &&
		    pfk_part_has_list(e->part) &&
		    (e->listed || e->macro != PFK_NO_MACRO))
			add_element(b, s, e, statement);
	}
}

/* ---- tables ---- */

/* The entries of a table, as they come by. */
struct entries {
	struct building	*b;
	struct pfk_place last;
	const char	*table;
	uint32_t	 next;		/* number of the next entry */
};

static void take_slots(struct building *, uint32_t, struct seen *);

/* Tables of a test file are no part of the ruleset. */
static bool
is_test_file(const struct building *b, uint32_t source)
{
	struct pfk_source s;
	size_t len, n = strlen(COVER_TEST_TABLES);

	pfk_image_source(b->image, source, &s);
	len = strlen(s.name);
	return len >= n && strcmp(s.name + len - n, COVER_TEST_TABLES) == 0;
}

static bool
add_entry(void *ctx, const struct pfk_table_address *a)
{
	struct entries *x = ctx;
	const struct pfk_place *p = &a->element.at;
	struct model_item fresh, *it;
	struct seen s = { .slots = NULL };
	struct key k;

	if (x->last.len != UINT32_MAX && p->source == x->last.source &&
	    p->off == x->last.off)
		return true;
	x->last = *p;
	take_slots(x->b, COVER_ENTRY + x->next++, &s);
	if (p->source == PFK_NO_SOURCE || is_test_file(x->b, p->source))
		return true;
	fresh = item_at(x->b, &a->element);
	fresh.table = x->table;
	fresh.acts = true;
	k = (struct key){ NO_STATEMENT, 1, fresh.source, fresh.off,
	    fresh.use_source, fresh.use_off };
	it = item(&x->b->entries, &x->b->m->entries, &k, &fresh);
	it->dropped = false;
	it->nrules++;
	add(it, s.slots, s.nslots, 0);
	return true;
}

/* Those that the optimiser and pools made are told as the rules' elements. */
static void
add_tables(struct building *b)
{
	struct pfk_table_origin info;
	const struct cover_ruleset *rs = &b->m->cover->rulesets[b->ruleset];

	for (uint32_t i = 0; i < rs->ntables; i++) {
		struct entries x = { .b = b, .next = rs->entry0[i],
		    .last.len = UINT32_MAX };

		pfk_image_table(rs->image, i, &info);
		x.table = info.name;
		if (strncmp(info.name, "__automatic_", 12) != 0)
			pfk_image_table_addresses(rs->image, i, add_entry,
			    &x);
	}
}

/* Counts of the origin, which come in order. */
static void
take_slots(struct building *b, uint32_t origin, struct seen *s)
{
	s->nslots = 0;
	while (b->next < b->nslots && b->slots[b->next].image == b->ruleset &&
	    b->slots[b->next].origin < origin)
		b->next++;
	s->slots = &b->slots[b->next];
	while (b->next < b->nslots && b->slots[b->next].image == b->ruleset &&
	    b->slots[b->next].origin == origin) {
		b->next++;
		s->nslots++;
	}
}

static void
add_ruleset(struct building *b, uint32_t ruleset)
{
	const struct cover_ruleset *rs = &b->m->cover->rulesets[ruleset];
	struct pfk_rule_info info;
	struct pfk_origins all;
	struct pfk_origin o;
	uint32_t origin = 0;

	b->ruleset = ruleset;
	b->image = rs->image;
	map_sources(b);
	for (uint32_t i = 0; i < rs->nrules; i++) {
		struct seen s = { &info, &o, NULL, 0, rs->evaluations[i] };

		pfk_image_rule(rs->image, i, &info);
		pfk_image_origins(rs->image, i, &all);
		for (; pfk_image_next_origin(&all, &o); origin++) {
			take_slots(b, origin, &s);
			add_origin(b, &s);
		}
	}
	add_tables(b);
}

static void
sort_slots(struct building *b)
{
	const struct cover *c = b->m->cover;

	b->slots = xcalloc(c->used + 1, sizeof(*b->slots));
	for (uint32_t i = 0; i < c->nslots; i++)
		if (c->slots[i].interface != 0)
			b->slots[b->nslots++] = c->slots[i];
	qsort(b->slots, b->nslots, sizeof(*b->slots), cover_slot_compare);
}

/* ---- order, status, sums ---- */

static int
by_place(const void *a, const void *b)
{
	const struct model_item *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x->len < y->len ? -1 : x->len > y->len;
}

/* Elements: `statement' is that of the sorted ones by now. */
static int
by_statement(const void *a, const void *b)
{
	const struct model_item *x = a, *y = b;

	if (x->statement != y->statement)
		return x->statement < y->statement ? -1 : 1;
	if (x->use_off != y->use_off)
		return x->use_off < y->use_off ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x->part < y->part ? -1 : x->part > y->part;
}

static void
sort(struct model *m)
{
	uint32_t n = m->statements.n;
	uint32_t *to = xcalloc(n + 1, sizeof(*to));

	/* each remembers, for a moment, where it was */
	for (uint32_t i = 0; i < n; i++)
		m->statements.v[i].statement = i;
	if (n > 0)
		qsort(m->statements.v, n, sizeof(*m->statements.v), by_place);
	for (uint32_t i = 0; i < n; i++)
		to[m->statements.v[i].statement] = i;
	for (uint32_t i = 0; i < m->elements.n; i++)
		m->elements.v[i].statement = to[m->elements.v[i].statement];
	if (m->elements.n > 0)
		qsort(m->elements.v, m->elements.n, sizeof(*m->elements.v),
		    by_statement);
	for (uint32_t i = m->elements.n; i-- > 0; ) {
		struct model_item *s =
		    &m->statements.v[m->elements.v[i].statement];

		s->element0 = i;
		s->nelements++;
	}
	if (m->values.n > 0)
		qsort(m->values.v, m->values.n, sizeof(*m->values.v),
		    by_place);
	if (m->entries.n > 0)
		qsort(m->entries.v, m->entries.n, sizeof(*m->entries.v),
		    by_place);
	free(to);
}

static uint64_t
hits(const struct model_item *it, const struct cover_counts *k)
{
	return k->n[COVER_DECIDED] + k->n[COVER_STATE] +
	    (it->acts ? k->n[COVER_MATCHED] : 0);
}

uint64_t
model_hits(const struct model_item *it)
{
	return hits(it, &it->counts.all);
}

uint64_t
model_hits_by(const struct model_item *it, enum cover_by by)
{
	return hits(it, &it->counts.by[by]);
}

const char *
model_by(const struct model_item *it)
{
	bool tests = model_hits_by(it, COVER_TESTS) > 0;
	bool traffic = model_hits_by(it, COVER_TRAFFIC) > 0;

	return tests && traffic ? "both" : tests ?
	    cover_by_names[COVER_TESTS] : traffic ?
	    cover_by_names[COVER_TRAFFIC] : "";
}

static enum cover_status
status_of(const struct model_item *it)
{
	if (model_hits(it) > 0)
		return STATUS_DECIDED;
	if (it->dropped)
		return STATUS_DROPPED;
	if (it->counts.all.n[COVER_MATCHED] > 0)
		return STATUS_OVERRULED;
	/* how often a table was asked is not known */
	return it->counts.evaluations > 0 || it->table != NULL ?
	    STATUS_NEVER_MATCHED : STATUS_NEVER_EVALUATED;
}

/* listed: only elements of lists are summed up; others are their line. */
static void
judge(struct model_items *items, struct model_total *t, bool listed)
{
	for (uint32_t i = 0; i < items->n; i++) {
		struct model_item *it = &items->v[i];

		it->status = status_of(it);
		if (listed && !it->listed)
			continue;
		t->dropped += it->status == STATUS_DROPPED;
		t->all += it->status != STATUS_DROPPED;
		t->covered += it->status == STATUS_DECIDED;
		for (int by = 0; by < COVER_BYS; by++)
			t->by[by] += it->status != STATUS_DROPPED &&
			    model_hits_by(it, (enum cover_by)by) > 0;
	}
}

static bool
has_both(const struct cover *c)
{
	bool has[COVER_BYS] = { false, false };

	for (uint32_t i = 0; i < c->nruns; i++)
		if (c->runs[i].kind[0] != '\0')	/* none: what reads */
			has[cover_by_kind(c->runs[i].kind)] = true;
	return has[COVER_TRAFFIC] && has[COVER_TESTS];
}

double
model_percent(const struct model_total *t)
{
	return t->all == 0 ? 100 : 100.0 * t->covered / t->all;
}

char *
model_text(const struct model *m, const struct model_item *it)
{
	const struct model_source *s = &m->sources[it->source];
	char *copy = xcalloc(1, it->len + 1);

	if (s->text != NULL)
		memcpy(copy, s->text + it->off, it->len);
	return copy;
}

/* ---- all of it ---- */

/*
 * Whether the image is of the rulesets that are there: it shares a text with
 * them, and none of the same name is another.
 */
static bool
belongs(struct model *m, const struct pfk_image *im, const char **other)
{
	bool shares = m->nsources == 0;

	*other = NULL;
	for (uint32_t i = 0; i < pfk_image_sources(im); i++) {
		struct model_source s = source_of(m, im, i);
		bool known = false, same = false;

		for (uint32_t k = 0; k < m->nsources; k++) {
			known |= strcmp(m->sources[k].name, s.name) == 0;
			same |= same_source(&m->sources[k], &s);
		}
		shares |= same;
		if (known && !same)
			*other = s.name;
	}
	return shares && *other == NULL;
}

static int
read_file(struct building *b, const char *path)
{
	struct cover *c = b->m->cover;
	uint32_t before = c->nrulesets;
	const char *other;

	if (cover_read(c, path) != 0)
		return 1;
	for (uint32_t i = before; i < c->nrulesets; i++) {
		if (i == before && !belongs(b->m, c->rulesets[i].image,
		    &other)) {
			if (other != NULL)
				warning("%s: of another ruleset: %s was not "
				    "the same", path, other);
			else
				warning("%s: of another ruleset", path);
			return 1;
		}
		b->image = c->rulesets[i].image;
		map_sources(b);
	}
	return 0;
}

struct model *
model_new(char **files, size_t n)
{
	struct model *m = xcalloc(1, sizeof(*m));
	struct building b = { .m = m };
	int status = 0;

	m->cover = cover_new("", "");
	m->quotes = quotes_new();
	for (size_t i = 0; i < n && status == 0; i++)
		status = read_file(&b, files[i]);
	if (status == 0) {
		sort_slots(&b);
		for (uint32_t i = 0; i < m->cover->nrulesets; i++)
			add_ruleset(&b, i);
		sort(m);
		judge(&m->statements, &m->lines, false);
		judge(&m->elements, &m->parts, true);
		judge(&m->values, &m->macros, false);
		judge(&m->entries, &m->tables, false);
		m->both = has_both(m->cover);
	}
	free(b.statements.v);
	free(b.elements.v);
	free(b.values.v);
	free(b.entries.v);
	free(b.source);
	free(b.slots);
	if (status == 0)
		return m;
	model_free(m);
	return NULL;
}

static void
free_items(struct model_items *items)
{
	for (uint32_t i = 0; i < items->n; i++)
		free(items->v[i].on);
	free(items->v);
}

void
model_free(struct model *m)
{
	if (m == NULL)
		return;
	free_items(&m->statements);
	free_items(&m->elements);
	free_items(&m->values);
	free_items(&m->entries);
	free(m->sources);
	quotes_free(m->quotes);
	cover_free(m->cover);
	free(m);
}
