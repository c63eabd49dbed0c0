/*
 * Coverage for programs: one object.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../replay/out.h"
#include "model.h"

static void
counts(struct out *o, const struct cover_counts *k)
{
	out_printf(o, "\"decided\":%" PRIu64 ",\"matched\":%" PRIu64
	    ",\"by_states\":%" PRIu64, k->n[COVER_DECIDED],
	    k->n[COVER_MATCHED], k->n[COVER_STATE]);
}

/* Of an interface's counts that are the first; all of them. */
static bool
first_of(const struct model_item *it, uint32_t i, struct cover_counts *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint32_t k = 0; k < it->non; k++) {
		if (it->on[k].interface != it->on[i].interface)
			continue;
		if (k < i)
			return false;
		for (int w = 0; w <= COVER_STATE; w++)
			sum->n[w] += it->on[k].counts.n[w];
	}
	return true;
}

static void
interfaces(struct out *o, const struct model *m, const struct model_item *it)
{
	const char *between = "";

	out_str(o, ",\"interfaces\":{");
	for (uint32_t i = 0; i < it->non; i++) {
		struct cover_counts sum;

		if (!first_of(it, i, &sum))
			continue;
		out_str(o, between);
		out_json_string(o, m->cover->interfaces[it->on[i].interface]);
		out_str(o, ":{");
		counts(o, &sum);
		out_char(o, '}');
		between = ",";
	}
	out_str(o, "},\"by\":{");
	for (int by = 0; by < COVER_BYS; by++) {
		out_printf(o, "%s\"%s\":{", by > 0 ? "," : "",
		    cover_by_names[by]);
		counts(o, &it->counts.by[by]);
		out_char(o, '}');
	}
	out_char(o, '}');
}

/* Without the brace that ends it. */
static void
item(struct out *o, const struct model *m, const struct model_item *it)
{
	char *text = model_text(m, it);

	out_str(o, "{\"file\":");
	out_json_string(o, m->sources[it->source].name);
	out_printf(o, ",\"line\":%" PRIu32 ",\"column\":%" PRIu32
	    ",\"offset\":%" PRIu32 ",\"length\":%" PRIu32 ",\"text\":",
	    it->line, it->column, it->off, it->len);
	out_json_string(o, text);
	if (it->macro != NULL) {
		out_str(o, ",\"macro\":");
		out_json_string(o, it->macro);
	}
	out_printf(o, ",\"status\":\"%s\",\"rules\":%" PRIu32 ",",
	    status_names[it->status], it->nrules);
	counts(o, &it->counts.all);
	out_printf(o, ",\"evaluated\":%" PRIu64, it->counts.evaluations);
	interfaces(o, m, it);
	free(text);
}

static void
statement(struct out *o, const struct model *m, const struct model_item *it)
{
	item(o, m, it);
	out_printf(o, ",\"end_line\":%" PRIu32 ",\"anchor\":", it->end_line);
	out_json_string(o, it->anchor);
	out_str(o, ",\"elements\":[");
	for (uint32_t i = 0; i < it->nelements; i++) {
		const struct model_item *e = &m->elements.v[it->element0 + i];

		out_str(o, i > 0 ? "," : "");
		item(o, m, e);
		out_printf(o, ",\"part\":\"%s\",\"listed\":%s}",
		    pfk_part_name(e->part), e->listed ? "true" : "false");
	}
	out_str(o, "]}");
}

static void
total(struct out *o, const char *name, const struct model_total *t)
{
	out_printf(o, ",\"%s\":{\"covered\":%" PRIu32 ",\"all\":%" PRIu32
	    ",\"dropped\":%" PRIu32 ",\"percent\":%.2f", name, t->covered,
	    t->all, t->dropped, model_percent(t));
	for (int by = 0; by < COVER_BYS; by++)
		out_printf(o, ",\"by_%s\":%" PRIu32, cover_by_names[by],
		    t->by[by]);
	out_char(o, '}');
}

static void
run(struct out *o, const struct cover_run *r)
{
	out_str(o, "{\"kind\":");
	out_json_string(o, r->kind);
	out_str(o, ",\"name\":");
	out_json_string(o, r->name);
	out_printf(o, ",\"decisions\":%" PRIu64, r->packets);
	if (r->nstretches > 0)
		out_printf(o, ",\"start\":%" PRIu64 ",\"width\":%" PRIu64,
		    r->start, r->width);
	out_str(o, ",\"verdicts\":[");
	for (uint32_t i = 0; i < r->nstretches; i++)
		out_printf(o, "%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		    "]", i > 0 ? "," : "", r->stretch[i][COVER_PASS],
		    r->stretch[i][COVER_BLOCK], r->stretch[i][COVER_DROP],
		    r->stretch[i][COVER_OTHER]);
	out_str(o, "]}");
}

static void
anchors(struct out *o, const struct model *m)
{
	struct model_anchor *v;
	uint32_t n = model_anchors(m, &v);

	out_str(o, ",\"anchors\":[");
	for (uint32_t i = 0; i < n; i++) {
		out_str(o, i > 0 ? ",{\"anchor\":" : "{\"anchor\":");
		out_json_string(o, v[i].name);
		total(o, "lines", &v[i].lines);
		out_char(o, '}');
	}
	out_char(o, ']');
	free(v);
}

int
report_json(const struct model *m)
{
	struct out *o = out_open("-");

	out_str(o, "{\"format\":1");
	total(o, "lines", &m->lines);
	total(o, "elements", &m->parts);
	total(o, "macro_values", &m->macros);
	total(o, "table_entries", &m->tables);
	anchors(o, m);
	out_str(o, ",\"runs\":[");
	for (uint32_t i = 1; i < m->cover->nruns; i++) {
		out_str(o, i > 1 ? "," : "");
		run(o, &m->cover->runs[i]);
	}
	out_str(o, "],\"statements\":[");
	for (uint32_t i = 0; i < m->statements.n; i++) {
		out_str(o, i > 0 ? "," : "");
		statement(o, m, &m->statements.v[i]);
	}
	out_str(o, "],\"values\":[");
	for (uint32_t i = 0; i < m->values.n; i++) {
		out_str(o, i > 0 ? "," : "");
		item(o, m, &m->values.v[i]);
		out_char(o, '}');
	}
	out_str(o, "],\"entries\":[");
	for (uint32_t i = 0; i < m->entries.n; i++) {
		out_str(o, i > 0 ? "," : "");
		item(o, m, &m->entries.v[i]);
		out_str(o, ",\"table\":");
		out_json_string(o, m->entries.v[i].table);
		out_char(o, '}');
	}
	out_str(o, "]}\n");
	return out_close(o);
}
