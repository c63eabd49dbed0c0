/*
 * For programs: one object.
 */
#include <string.h>

#include "../pfkit.h"
#include "test.h"

static void
member(struct out *out, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	out_printf(out, ",\"%s\":", name);
	out_json_string(out, value);
}

static void
write_lines(struct out *out, const char *name, char *text)
{
	const char *between = "";

	if (text == NULL)
		return;
	out_printf(out, ",\"%s\":[", name);
	for (char *nl; (nl = strchr(text, '\n')) != NULL; text = nl + 1) {
		*nl = '\0';
		out_str(out, between);
		out_json_string(out, text);
		*nl = '\n';
		between = ",";
	}
	out_char(out, ']');
}

static void
write_test(struct out *out, const struct test *t)
{
	static const char *const kinds[] = { "pass", "block", "replay",
	    "file" };
	uint32_t line = t->line, column = t->column;

	if (t->status == TEST_WRONG && t->source != NULL)
		source_place(t->source, t->at, &line, &column);
	out_printf(out, "{\"status\":\"%s\",\"kind\":\"%s\",\"file\":",
	    t->status == TEST_WAITS && t->skip != NULL ? "skipped" :
	    test_status_name(t->status), kinds[t->kind]);
	out_json_string(out, t->file);
	out_printf(out, ",\"line\":%u,\"column\":%u", (unsigned)line,
	    (unsigned)column);
	member(out, "group", t->group);
	member(out, "text", t->text);
	member(out, "why", t->status == TEST_WAITS ? t->skip : t->why.text);
	member(out, "packet", t->packet.text);
	if (t->rule_file.len > 0) {
		out_str(out, ",\"rule\":{\"file\":");
		out_json_string(out, t->rule_file.text);
		out_printf(out, ",\"line\":%u", (unsigned)t->rule_line);
		member(out, "text", t->rule_text.text);
		out_char(out, '}');
	}
	write_lines(out, "detail", t->detail.text);
	write_lines(out, "rests_on", t->notes.text);
	member(out, "trace", t->trace.text);
	out_char(out, '}');
}

void
write_json(struct out *out, const struct test_options *o,
    const struct tests *all, const struct summary *s)
{
	const char *between = "";

	(void)o;
	out_str(out, "{\"tests\":[");
	for (const struct test *t = all->first; t != NULL; t = t->next) {
		out_printf(out, "%s\n", between);
		write_test(out, t);
		between = ",";
	}
	if (s == NULL) {			/* --list */
		out_str(out, "\n]}\n");
		return;
	}
	out_printf(out, "\n],\"summary\":{\"tests\":%zu,\"holds\":%zu,"
	    "\"fails\":%zu,\"skipped\":%zu,\"wrong\":%zu,\"seconds\":%.3f}}\n",
	    s->all, s->of[TEST_HOLDS], s->of[TEST_FAILS],
	    s->of[TEST_SKIPPED], s->of[TEST_WRONG], s->seconds);
}
