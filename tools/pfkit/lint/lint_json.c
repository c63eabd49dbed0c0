/*
 * Findings for programs: an object a line.
 */
#include <inttypes.h>

#include "../pfkit.h"
#include "lint.h"

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
		json_notes(l, f);
		out_printf(l->out, ",\"allowed\":%s}\n",
		    f->silenced ? "true" : "false");
	}
}
