/*
 * Coverage for people.
 *
 *	pf.conf: 7 of 9 lines (77.8%), 12 of 20 elements (60.0%) ...
 *
 *	overruled: matched, but another rule decided each time
 *	   pf.conf:12  pass in on em1
 *	never matched
 *	   pf.conf:7  destination port 8080, from $web
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "model.h"

static const char *const headings[NSTATUS] = {
	[STATUS_OVERRULED] =
	    "overruled: matched, but another rule decided each time",
	[STATUS_NEVER_MATCHED] = "never matched",
	[STATUS_NEVER_EVALUATED] = "never evaluated",
	[STATUS_DROPPED] =
	    "not counted: dropped by the optimiser, others cover it",
};

static void
total(const char *between, const char *what, const struct model_total *t)
{
	printf("%s%" PRIu32 " of %" PRIu32 " %s (%.1f%%)", between, t->covered,
	    t->all, what, model_percent(t));
}

/* In one line, and nothing in it that a terminal would obey. */
static void
put_text(const char *s)
{
	bool blank = false;

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r' ||
		    (c == '\\' && s[1] == '\n'))
			blank = true;
		else {
			if (blank)
				putchar(' ');
			blank = false;
			putchar(c < ' ' || c == 0x7f ? '?' : c);
		}
	}
}

static void
put_place(const struct model *m, const struct model_item *it)
{
	printf("%s:%" PRIu32, m->sources[it->source].name, it->line);
}

static void
put_item(const struct model *m, const struct model_item *it)
{
	char *text = model_text(m, it);

	put_place(m, it);
	printf(": ");
	put_text(text);
	free(text);
}

static void
put_element(const struct model *m, const struct model_item *it)
{
	const struct model_item *s = &m->statements.v[it->statement];
	char *text = model_text(m, it);

	put_place(m, s);
	printf(": %s ", pfk_part_name(it->part));
	put_text(text);
	if (it->macro != NULL)
		printf(", from $%s", it->macro);
	free(text);
}

static void
put_value(const struct model *m, const struct model_item *it)
{
	char *text = model_text(m, it);

	put_place(m, it);
	printf(": ");
	put_text(text);
	printf(" of $%s", it->macro);
	free(text);
}

static void
put_entry(const struct model *m, const struct model_item *it)
{
	char *text = model_text(m, it);

	put_place(m, it);
	printf(": ");
	put_text(text);
	printf(" of <%s>", it->table);
	free(text);
}

typedef void put_fn(const struct model *, const struct model_item *);

/* Elements of a statement that did nothing are not told one by one. */
static bool
is_told(const struct model *m, const struct model_item *it, put_fn *put)
{
	return put != put_element || (it->listed &&
	    m->statements.v[it->statement].status != it->status);
}

static void
list(const struct model *m, const struct model_items *items, put_fn *put,
    const char *what)
{
	for (int s = STATUS_OVERRULED; s < NSTATUS; s++) {
		bool any = false;

		for (uint32_t i = 0; i < items->n; i++) {
			if (items->v[i].status != (enum cover_status)s ||
			    !is_told(m, &items->v[i], put))
				continue;
			if (!any)
				printf("\n%s%s\n", what, headings[s]);
			any = true;
			printf("  ");
			put(m, &items->v[i]);
			putchar('\n');
		}
	}
}

/* What one of the two has covered, and the other has not. */
static void
list_by(const struct model *m, const struct model_items *items, put_fn *put,
    const char *what, enum cover_by by)
{
	enum cover_by other = by == COVER_TESTS ? COVER_TRAFFIC : COVER_TESTS;
	bool any = false;

	for (uint32_t i = 0; i < items->n; i++) {
		const struct model_item *it = &items->v[i];

		if (model_hits_by(it, by) == 0 ||
		    model_hits_by(it, other) > 0 || it->status ==
		    STATUS_DROPPED || (put == put_element && (!it->listed ||
		    model_hits_by(&m->statements.v[it->statement],
		    other) == 0)))
			continue;
		if (!any)
			printf("\n%s by %s, not by %s\n", what,
			    cover_by_names[by], cover_by_names[other]);
		any = true;
		printf("  ");
		put(m, it);
		putchar('\n');
	}
}

static void
list_both(const struct model *m)
{
	for (int i = COVER_BYS - 1; i >= 0; i--) {
		enum cover_by by = (enum cover_by)i;

		list_by(m, &m->statements, put_item, "lines covered", by);
		list_by(m, &m->elements, put_element, "elements covered", by);
		list_by(m, &m->values, put_value, "values covered", by);
		list_by(m, &m->entries, put_entry, "entries covered", by);
	}
}

static void
put_counts(const struct model *m, const struct model_item *it)
{
	const uint64_t *n = it->counts.all.n;

	printf("%10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64,
	    n[COVER_DECIDED], n[COVER_MATCHED], n[COVER_STATE],
	    it->counts.evaluations);
	if (m->both)
		printf("  %-7s", model_by(it));
}

static void
list_all(const struct model *m)
{
	printf("\n%10s %10s %10s %10s%s\n", "decided", "matched", "by states",
	    "evaluated", m->both ? "  by" : "");
	for (uint32_t i = 0; i < m->statements.n; i++) {
		const struct model_item *it = &m->statements.v[i];

		put_counts(m, it);
		printf("  ");
		put_item(m, it);
		putchar('\n');
		for (uint32_t k = 0; k < it->nelements; k++) {
			const struct model_item *e =
			    &m->elements.v[it->element0 + k];

			put_counts(m, e);
			printf("      ");
			put_element(m, e);
			putchar('\n');
		}
	}
}

/* Lines of each anchor, if there are several. */
static void
list_anchors(const struct model *m)
{
	struct model_anchor *v;
	uint32_t n = model_anchors(m, &v);

	for (uint32_t i = 0; i < n && n > 1; i++) {
		printf("%s", *v[i].name == '\0' ? "main ruleset" : "anchor ");
		if (*v[i].name != '\0')
			put_text(v[i].name);
		total(": ", "lines", &v[i].lines);
		putchar('\n');
	}
	free(v);
}

static void
total_by(const char *between, const char *what, const struct model_total *t,
    enum cover_by by)
{
	struct model_total part = *t;

	part.covered = t->by[by];
	total(between, what, &part);
}

static void
totals_by(const struct model *m)
{
	for (int i = COVER_BYS - 1; i >= 0; i--) {
		enum cover_by by = (enum cover_by)i;

		printf("by %s: ", cover_by_names[i]);
		total_by("", "lines", &m->lines, by);
		total_by(", ", "elements", &m->parts, by);
		total_by(", ", "values", &m->macros, by);
		if (m->tables.all > 0)
			total_by(", ", "entries", &m->tables, by);
		putchar('\n');
	}
}

void
report_text(const struct model *m, bool all)
{
	total("", "lines", &m->lines);
	total(", ", "elements of lists", &m->parts);
	total(", ", "values of macros", &m->macros);
	if (m->tables.all > 0)
		total(", ", "entries of tables", &m->tables);
	putchar('\n');
	if (m->both)
		totals_by(m);
	for (uint32_t i = 1; i < m->cover->nruns; i++) {
		const struct cover_run *r = &m->cover->runs[i];

		printf("%s ", r->kind);
		put_text(r->name);
		printf(": %" PRIu64 " decision%s\n", r->packets,
		    r->packets == 1 ? "" : "s");
	}
	list_anchors(m);
	if (all)
		list_all(m);
	list(m, &m->statements, put_item, "lines ");
	list(m, &m->elements, put_element, "elements ");
	list(m, &m->values, put_value, "values ");
	list(m, &m->entries, put_entry, "entries ");
	if (m->both)
		list_both(m);
}
