/*
 * What is marked in a text, as a table: for those who cannot point at a mark,
 * and on paper.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../pfkit.h"
#include "page.h"

#define MAX_ROWS	5000	/* of one text */

struct rows { struct out *o; const struct model *m; uint32_t n, left_out; };

static void
put_what(struct out *o, const struct model_item *it)
{
	out_str(o, it->table != NULL ? "entry of &lt;" :
	    pfk_part_name(it->part));
	if (it->table != NULL) {
		html_text(o, it->table);
		out_str(o, "&gt;");
	}
	if (it->macro != NULL) {
		out_str(o, ", from $");
		html_text(o, it->macro);
	}
}

static void
put_row(struct rows *r, const struct model_item *it, uint32_t line)
{
	const uint64_t *n = it->counts.all.n;
	char *text;

	if (r->n == MAX_ROWS) {
		r->left_out++;
		return;
	}
	text = model_text(r->m, it);
	out_printf(r->o, "<tr><td>%" PRIu32 "</td><td>", line);
	put_what(r->o, it);
	out_str(r->o, "</td><td><code>");
	html_text(r->o, text);
	out_printf(r->o, "</code></td><td>%" PRIu64 "</td><td>%" PRIu64
	    "</td><td>%" PRIu64 "</td><td>%s", n[COVER_DECIDED],
	    n[COVER_STATE], n[COVER_MATCHED], page_statuses[it->status].text);
	if (r->m->both && *model_by(it) != '\0')
		out_printf(r->o, ", by %s", model_by(it));
	out_str(r->o, "</td></tr>\n");
	free(text);
	r->n++;
}

/* A source's elements and entries, each where it is used. */
void
page_items(struct out *o, const struct model *m, uint32_t source)
{
	struct rows r = { o, m, 0, 0 };

	out_str(o, "<details><summary>Elements and entries as a table"
	    "</summary><table class=\"items\"><thead><tr>"
	    "<th scope=\"col\">line</th><th scope=\"col\">what</th>"
	    "<th scope=\"col\">text</th><th scope=\"col\">decided</th>"
	    "<th scope=\"col\">by states</th><th scope=\"col\">matched</th>"
	    "<th scope=\"col\">what came of it</th></tr></thead><tbody>\n");
	for (uint32_t i = 0; i < m->elements.n; i++) {
		const struct model_item *it = &m->elements.v[i];
		const struct model_item *s = &m->statements.v[it->statement];

		if (s->source == source)
			put_row(&r, it, s->line);
	}
	for (uint32_t i = 0; i < m->entries.n; i++)
		if (m->entries.v[i].source == source)
			put_row(&r, &m->entries.v[i], m->entries.v[i].line);
	out_str(o, "</tbody></table>");
	if (r.left_out > 0)
		out_printf(o, "<p>and %" PRIu32 " more</p>", r.left_out);
	out_str(o, "</details>\n");
}
