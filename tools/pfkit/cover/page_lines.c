/*
 * The texts, line by line: a row for each, with the counts of the statement
 * that begins there, and marks around elements and values of macros.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "page.h"

/* Bytes that are marked, and the items that they stand for. */
struct mark {
	uint32_t	 off, len;
	uint32_t	 item;		/* number for the script */
	const struct model_item *it;
};

struct marks { struct mark *v; uint32_t n, room; };

/* Numbers of items for the script: in the order of page_data(). */
static uint32_t
number_of(const struct model *m, const struct model_item *it)
{
	if (it >= m->statements.v && it < m->statements.v + m->statements.n)
		return (uint32_t)(it - m->statements.v);
	if (it >= m->elements.v && it < m->elements.v + m->elements.n)
		return m->statements.n + (uint32_t)(it - m->elements.v);
	if (it >= m->values.v && it < m->values.v + m->values.n)
		return m->statements.n + m->elements.n +
		    (uint32_t)(it - m->values.v);
	return m->statements.n + m->elements.n + m->values.n +
	    (uint32_t)(it - m->entries.v);
}

static void
add_mark(struct marks *k, const struct model *m, const struct model_item *it,
    uint32_t off, uint32_t len)
{
	if (k->n == k->room) {
		k->room = k->room * 2 + 64;
		k->v = xrealloc(k->v, k->room * sizeof(*k->v));
	}
	k->v[k->n++] = (struct mark){ off, len, number_of(m, it), it };
}

static int
by_place(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	if (x->len != y->len)
		return x->len > y->len ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

static void
find_marks(struct marks *k, const struct model *m, uint32_t source)
{
	const struct model_item *it;

	memset(k, 0, sizeof(*k));
	for (uint32_t i = 0; i < m->elements.n; i++) {
		it = &m->elements.v[i];
		if (it->use_source == source)
			add_mark(k, m, it, it->use_off, it->use_len);
	}
	for (uint32_t i = 0; i < m->values.n; i++) {
		it = &m->values.v[i];
		if (it->source == source)
			add_mark(k, m, it, it->off, it->len);
	}
	for (uint32_t i = 0; i < m->entries.n; i++) {
		it = &m->entries.v[i];
		if (it->use_source == source)
			add_mark(k, m, it, it->use_off, it->use_len);
		if (it->macro != NULL && it->source == source)
			add_mark(k, m, it, it->off, it->len);
	}
	if (k->n > 0)
		qsort(k->v, k->n, sizeof(*k->v), by_place);
}

/* How many, from i on, are at the same place: a macro has several values. */
static uint32_t
group(const struct marks *k, uint32_t i)
{
	uint32_t n = 1;

	while (i + n < k->n && k->v[i + n].off == k->v[i].off &&
	    k->v[i + n].len == k->v[i].len)
		n++;
	return n;
}

static enum cover_status
status_of(const struct mark *v, uint32_t n)
{
	enum cover_status best = NSTATUS, worst = STATUS_DECIDED;

	for (uint32_t i = 0; i < n; i++) {
		enum cover_status s = v[i].it->status;

		best = s < best ? s : best;
		worst = s > worst ? s : worst;
	}
	return best == STATUS_DECIDED && worst != STATUS_DECIDED ?
	    STATUS_PARTLY : best;
}

/*
 * Of several values the sum; but what is an interface in one rule and a source
 * in another (of antispoof) is the same element.
 */
static uint64_t
hits_of(const struct mark *v, uint32_t n)
{
	uint64_t sum[PFK_NPARTS] = { 0 }, most = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t *s = &sum[v[i].it->part];

		*s += model_hits(v[i].it);
		most = *s > most ? *s : most;
	}
	return most;
}

#define TOLD	8	/* values of a macro, in a title */

static void
open_mark(struct out *o, const struct model *m, const struct mark *v,
    uint32_t n)
{
	out_printf(o, "<mark class=\"%s\" data-i=\"",
	    status_names[status_of(v, n)]);
	for (uint32_t i = 0; i < n; i++)
		out_printf(o, "%s%" PRIu32, i > 0 ? " " : "", v[i].item);
	out_printf(o, "\" data-n=\"%" PRIu64 "\" title=\"", hits_of(v, n));
	for (uint32_t i = 0; i < n && i < TOLD; i++) {
		const struct model_item *it = v[i].it;
		char *text = model_text(m, it);

		out_str(o, i > 0 ? "&#10;" : "");
		html_text(o, it->table != NULL ? "entry" :
		    pfk_part_name(it->part));
		out_char(o, ' ');
		html_text(o, text);
		out_printf(o, ": %s, %" PRIu64 " decided, %" PRIu64
		    " matched", page_statuses[it->status].text,
		    it->counts.all.n[COVER_DECIDED] +
		    it->counts.all.n[COVER_STATE],
		    it->counts.all.n[COVER_MATCHED]);
		if (m->both && *model_by(it) != '\0')
			out_printf(o, " (by %s)", model_by(it));
		free(text);
	}
	if (n > TOLD)
		out_printf(o, "&#10;and %" PRIu32 " more", n - TOLD);
	out_str(o, "\">");
}

/* The bytes of a line with their marks; *next is the first not yet over. */
static void
put_code(struct out *o, const struct model *m, const char *text,
    uint32_t start, uint32_t end, const struct marks *k, uint32_t *next)
{
	uint32_t at = start;

	for (uint32_t n; *next < k->n && k->v[*next].off < end; *next += n) {
		const struct mark *v = &k->v[*next];
		uint32_t from = v->off < at ? at : v->off;
		uint32_t to = v->off + v->len < end ? v->off + v->len : end;

		n = group(k, *next);
		if (from < to && v->off >= at) {
			html_bytes(o, text + at, from - at);
			open_mark(o, m, v, n);
			html_bytes(o, text + from, to - from);
			out_str(o, "</mark>");
			at = to;
		}
	}
	html_bytes(o, text + at, end - at);
}

/* ---- rows ---- */

/* Whether some element of the statement did not decide. */
static bool
has_gap(const struct model *m, const struct model_item *s)
{
	for (uint32_t i = 0; i < s->nelements; i++)
		if (m->elements.v[s->element0 + i].status != STATUS_DECIDED)
			return true;
	return false;
}

static void
begin_row(struct out *o, const struct model *m, const struct model_item *s,
    uint32_t source, uint32_t line)
{
	out_printf(o, "<tr id=\"f%" PRIu32 "l%" PRIu32 "\"", source, line);
	if (s != NULL) {
		out_printf(o, " class=\"%s\" data-i=\"%" PRIu32 "\"%s data-a=\"",
		    status_names[s->status], number_of(m, s),
		    has_gap(m, s) ? " data-gap" : "");
		html_text(o, s->anchor);
		out_char(o, '"');
	}
	out_printf(o, "><td><a href=\"#f%" PRIu32 "l%" PRIu32 "\">%" PRIu32
	    "</a></td>", source, line, line);
}

static void
put_counts(struct out *o, const struct model *m, const struct model_item *s,
    bool first)
{
	const struct page_status *st;

	if (s == NULL || !first) {
		out_str(o, "<td></td><td></td><td></td><td></td>"
		    "<td class=\"s\"></td>");
		out_str(o, m->both ? "<td></td>" : "");
		return;
	}
	st = &page_statuses[s->status];
	out_printf(o, "<td data-n=\"1\">%" PRIu64 "</td><td>%" PRIu64
	    "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td>",
	    s->counts.all.n[COVER_DECIDED], s->counts.all.n[COVER_STATE],
	    s->counts.all.n[COVER_MATCHED], s->counts.evaluations);
	out_printf(o, "<td class=\"s\" title=\"%s\"><span "
	    "aria-hidden=\"true\">%s</span><span class=\"vh\">%s</span></td>",
	    st->text, st->sign, st->text);
	if (m->both)
		out_printf(o, "<td>%s</td>", model_by(s));
}

/* The statement that the line belongs to; *i is the first not yet over. */
static const struct model_item *
statement_at(const struct model *m, uint32_t source, uint32_t line,
    uint32_t *i)
{
	const struct model_item *v = m->statements.v;

	while (*i < m->statements.n && (v[*i].source < source ||
	    (v[*i].source == source && v[*i].end_line < line)))
		++*i;
	if (*i < m->statements.n && v[*i].source == source &&
	    v[*i].line <= line)
		return &v[*i];
	return NULL;
}

void
page_lines(struct out *o, const struct model *m, uint32_t source)
{
	const struct model_source *s = &m->sources[source];
	uint32_t line = 1, statement = 0, next = 0, end;
	struct marks marks;

	find_marks(&marks, m, source);
	for (uint32_t at = 0; at < s->len; at = end + 1, line++) {
		const char *nl = memchr(s->text + at, '\n', s->len - at);
		const struct model_item *st = statement_at(m, source, line,
		    &statement);

		end = nl != NULL ? (uint32_t)(nl - s->text) :
		    (uint32_t)s->len;
		begin_row(o, m, st, source, line);
		put_counts(o, m, st, st != NULL && st->line == line);
		out_str(o, "<td class=\"t\">");
		put_code(o, m, s->text, at, end, &marks, &next);
		out_str(o, "</td></tr>\n");
	}
	free(marks.v);
}

/* ---- for the script ---- */

static void
put_item(struct out *o, const struct model_item *it)
{
	out_printf(o, "[%d,%d,[", it->acts, (int)it->status);
	for (uint32_t i = 0; i < it->non; i++) {
		const uint64_t *n = it->on[i].counts.n;

		out_printf(o, "%s[%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		    ",%d]", i > 0 ? "," : "", it->on[i].interface,
		    n[COVER_DECIDED], n[COVER_MATCHED], n[COVER_STATE],
		    (int)it->on[i].by);
	}
	out_printf(o, "],%d]", (int)it->part);
}

static void
put_items(struct out *o, const struct model_items *items, const char **between)
{
	for (uint32_t i = 0; i < items->n; i++) {
		out_str(o, *between);
		put_item(o, &items->v[i]);
		*between = ",\n";
	}
}

void
page_data(struct out *o, const struct model *m)
{
	const char *between = "";

	out_str(o, "<script type=\"application/json\" id=\"data\">"
	    "{\"status\":[");
	for (int i = 0; i < NSTATUS; i++)
		out_printf(o, "%s{\"name\":\"%s\",\"sign\":\"%s\","
		    "\"text\":\"%s\"}", i > 0 ? "," : "", status_names[i],
		    page_statuses[i].sign, page_statuses[i].text);
	out_str(o, "],\"items\":[\n");
	put_items(o, &m->statements, &between);
	put_items(o, &m->elements, &between);
	put_items(o, &m->values, &between);
	put_items(o, &m->entries, &between);
	out_str(o, "]}</script>\n");
}
