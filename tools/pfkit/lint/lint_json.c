/*
 * Findings for programs: an object a line.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

static const char *const abouts[] = {
	[ABOUT_LINE] = "line", [ABOUT_ELEMENT] = "element",
	[ABOUT_RULES] = "rules", [ABOUT_RULESET] = "ruleset"
};

static void
json_place(struct lint *l, const struct pfk_place *p)
{
	struct pfk_source s;

	if (p->source == PFK_NO_SOURCE)
		return;
	pfk_image_source(l->image, p->source, &s);
	out_str(l->out, ",\"file\":");
	out_json_string(l->out, s.name);
	out_printf(l->out, ",\"line\":%" PRIu32 ",\"column\":%" PRIu32
	    ",\"end_line\":%" PRIu32 ",\"end_column\":%" PRIu32, p->line,
	    p->column, p->end_line, p->end_column);
}

/* The text itself, and the macros that it came out of, the innermost first. */
static void
json_element(struct lint *l, const struct pfk_element *e)
{
	const char *text, *between = "";
	struct pfk_macro m;
	size_t len;
	char *copy;

	if (e->at.source == PFK_NO_SOURCE)
		return;
	text = quotes_text(l->quotes, l->image, e->at.source, &len);
	if (text != NULL) {
		copy = xcalloc(1, (unsigned long)e->at.len + 1);
		memcpy(copy, text + e->at.off, e->at.len);
		out_str(l->out, ",\"text\":");
		out_json_string(l->out, copy);
		free(copy);
	}
	out_str(l->out, ",\"macros\":[");
	for (uint32_t i = e->macro; i != PFK_NO_MACRO; i = m.outer) {
		pfk_image_macro(l->image, i, &m);
		out_printf(l->out, "%s{\"name\":", between);
		out_json_string(l->out, m.name);
		out_printf(l->out, ",\"used\":{\"line\":%" PRIu32
		    ",\"column\":%" PRIu32 "}}", m.use.line, m.use.column);
		between = ",";
	}
	out_char(l->out, ']');
}

static void
json_rule(struct lint *l, uint32_t rule)
{
	struct pfk_rule_info info;

	if (rule == LINT_NO_RULE)
		return;
	pfk_image_rule(l->image, rule, &info);
	out_str(l->out, ",\"rule\":{\"anchor\":");
	out_json_string(l->out, info.anchor);
	out_printf(l->out, ",\"nr\":%" PRIu32 ",\"line\":%" PRIu32
	    ",\"text\":", info.nr, info.line);
	out_json_string(l->out, info.text);
	out_char(l->out, '}');
}

static void
json_notes(struct lint *l, const struct finding *f)
{
	out_str(l->out, ",\"notes\":[");
	for (size_t i = 0; i < f->nnotes; i++) {
		out_str(l->out, i > 0 ? ",{\"text\":" : "{\"text\":");
		out_json_string(l->out, f->notes[i].text);
		json_rule(l, f->notes[i].rule);
		out_char(l->out, '}');
	}
	out_char(l->out, ']');
}

void
lint_json(struct lint *l)
{
	for (size_t i = 0; i < l->nfindings; i++) {
		const struct finding *f = &l->findings[i];

		if (!finding_wanted(l, f))
			continue;
		out_printf(l->out, "{\"code\":\"%s\",\"name\":\"%s\","
		    "\"severity\":\"%s\",\"message\":",
		    lint_codes[f->id].code, lint_codes[f->id].name,
		    lint_severity_name(f->severity));
		out_json_string(l->out, f->text);
		json_place(l, &f->at.at);
		json_rule(l, f->rule);
		out_printf(l->out, ",\"about\":\"%s\"", abouts[f->about]);
		if (f->about == ABOUT_ELEMENT)
			json_element(l, &f->at);
		json_notes(l, f);
		out_printf(l->out, ",\"allowed\":%s}\n",
		    f->silenced ? "true" : "false");
	}
	for (size_t i = 0; i < l->nleft_out; i++) {
		out_str(l->out, "{\"left_out\":");
		out_json_string(l->out, l->left_out[i]);
		out_str(l->out, "}\n");
	}
}
