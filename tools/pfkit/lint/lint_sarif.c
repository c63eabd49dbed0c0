/*
 * Findings as SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format):
 * one run of one tool, its rules, and the results with their places.  Findings
 * that a comment allows are there with a suppression.
 */
#include <inttypes.h>
#include <string.h>

#include <pfkit/version.h>

#include "../pfkit.h"
#include "lint.h"

#define SCHEMA	"https://json.schemastore.org/sarif-2.1.0.json"

static void
sarif_rules(struct lint *l)
{
	out_str(l->out, "\"rules\":[");
	for (size_t i = 0; i < NLINTS; i++) {
		const struct lint_code *c = &lint_codes[i];

		out_printf(l->out, "%s{\"id\":\"%s\",\"name\":\"%s\","
		    "\"shortDescription\":{\"text\":", i > 0 ? "," : "",
		    c->code, c->name);
		out_json_string(l->out, c->summary);
		out_str(l->out, "},\"fullDescription\":{\"text\":");
		out_json_string(l->out, c->explanation);
		out_printf(l->out, "},\"defaultConfiguration\":{\"level\":"
		    "\"%s\"}}", lint_severity_name(c->severity));
	}
	out_char(l->out, ']');
}

/* A path as a URI reference (RFC 3986): what is not safe becomes %XX. */
static void
sarif_uri(struct out *o, const char *path)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~/";

	out_char(o, '"');
	for (; *path != '\0'; path++)
		if (strchr(safe, *path) != NULL)
			out_char(o, *path);
		else
			out_printf(o, "%%%02X", (unsigned char)*path);
	out_char(o, '"');
}

/* The column of a byte, in characters of UTF-8, from 1. */
static uint32_t
column_of(const char *text, size_t off)
{
	uint32_t n = 1;

	for (; off > 0 && text[off - 1] != '\n'; off--)
		n += ((unsigned char)text[off - 1] & 0xc0) != 0x80;
	return n;
}

/* "{"physicalLocation":{...}", without the last brace. */
static void
sarif_place(struct lint *l, const struct pfk_place *p)
{
	uint32_t from = p->column, to = p->end_column + 1;
	struct pfk_source s;
	const char *text;
	size_t len;

	out_str(l->out, "{\"physicalLocation\":{\"artifactLocation\":{"
	    "\"uri\":");
	if (p->source == PFK_NO_SOURCE) {
		sarif_uri(l->out, l->o->ruleset.compile.path);
		out_str(l->out, "}}");
		return;
	}
	pfk_image_source(l->image, p->source, &s);
	text = quotes_text(l->quotes, l->image, p->source, &len);
	if (text != NULL && p->off + p->len <= len) {
		from = column_of(text, p->off);
		to = column_of(text, p->off + p->len);
	}
	sarif_uri(l->out, s.name);
	out_printf(l->out, "},\"region\":{\"startLine\":%" PRIu32
	    ",\"startColumn\":%" PRIu32 ",\"endLine\":%" PRIu32
	    ",\"endColumn\":%" PRIu32 "}}", p->line, from, p->end_line, to);
}

static void
sarif_location(struct lint *l, const struct pfk_place *p)
{
	sarif_place(l, p);
	out_char(l->out, '}');
}

/* A related place; `between' is what stands before the next one. */
static void
sarif_related(struct lint *l, const struct pfk_place *p, const char *what,
    const char *name, const char **between)
{
	out_str(l->out, *between);
	sarif_place(l, p);
	out_str(l->out, ",\"message\":{\"text\":\"");
	out_json_text(l->out, what);
	if (name != NULL) {
		out_str(l->out, " $");
		out_json_text(l->out, name);
	}
	out_str(l->out, "\"}}");
	*between = ",";
}

/* Where the macros were used that it came out of, and the rules of notes. */
static void
sarif_all_related(struct lint *l, const struct finding *f)
{
	const char *between = ",\"relatedLocations\":[";
	struct pfk_origins all;
	struct pfk_origin o;
	struct pfk_macro m;

	for (uint32_t i = f->at.macro; i != PFK_NO_MACRO; i = m.outer) {
		pfk_image_macro(l->image, i, &m);
		sarif_related(l, &m.use, "used as", m.name, &between);
	}
	for (size_t i = 0; i < f->nnotes; i++) {
		if (f->notes[i].rule == LINT_NO_RULE)
			continue;
		pfk_image_origins(l->image, f->notes[i].rule, &all);
		if (pfk_image_next_origin(&all, &o))
			sarif_related(l, &o.statement.at, f->notes[i].text,
			    NULL, &between);
	}
	if (between[1] == '\0')
		out_char(l->out, ']');
}

static void
sarif_message(struct lint *l, const struct finding *f)
{
	struct pfk_rule_info info;

	out_str(l->out, "\"message\":{\"text\":\"");
	out_json_text(l->out, f->text);
	for (size_t i = 0; i < f->nnotes; i++) {
		out_str(l->out, "\\n");
		out_json_text(l->out, f->notes[i].text);
		if (f->notes[i].rule != LINT_NO_RULE) {
			pfk_image_rule(l->image, f->notes[i].rule, &info);
			out_char(l->out, ' ');
			out_json_text(l->out, info.text);
		}
	}
	out_str(l->out, "\"}");
}

static void
sarif_result(struct lint *l, const struct finding *f)
{
	out_printf(l->out, "{\"ruleId\":\"%s\",\"ruleIndex\":%u,"
	    "\"level\":\"%s\",", lint_codes[f->id].code, f->id,
	    lint_severity_name(f->severity));
	sarif_message(l, f);
	out_str(l->out, ",\"locations\":[");
	sarif_location(l, &f->at.at);
	out_char(l->out, ']');
	sarif_all_related(l, f);
	if (f->silenced)
		out_str(l->out, ",\"suppressions\":[{\"kind\":\"inSource\"}]");
	out_char(l->out, '}');
}

void
lint_sarif(struct lint *l)
{
	const char *between = "";

	out_str(l->out, "{\"$schema\":\"" SCHEMA "\",\"version\":\"2.1.0\","
	    "\"runs\":[{\"tool\":{\"driver\":{\"name\":\"pfkit lint\","
	    "\"version\":\"" PFK_VERSION "\",");
	sarif_rules(l);
	out_str(l->out, "}},\"columnKind\":\"unicodeCodePoints\","
	    "\"results\":[");
	for (size_t i = 0; i < l->nfindings; i++) {
		const struct finding *f = &l->findings[i];

		if (f->severity < l->o->least)
			continue;
		out_str(l->out, between);
		sarif_result(l, f);
		between = ",";
	}
	out_str(l->out, "]}]}\n");
}
