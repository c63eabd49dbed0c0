/*
 * Diagnostics for programs; the form is told in render.h.
 */
#include <string.h>

#include "parser/render.h"

/* --- strings: JSON is UTF-8, a ruleset need not be --- */

/* Length of the valid UTF-8 character at s, or 0. */
static size_t
utf8_length(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *s < 0x80 ? 1 : *s >= 0xf0 && *s < 0xf8 ? 4 :
	    *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xc0 && *s < 0xe0 ? 2 : 0;
	uint32_t c;

	if (n < 2 || n > len)
		return n == 1 ? 1 : 0;
	c = *s & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ?
	    0 : n;
}

static void
put_escaped(struct strbuf *out, unsigned char c)
{
	static const char short_forms[][2] = {
		{ '"', '"' }, { '\\', '\\' }, { '\n', 'n' }, { '\t', 't' },
		{ '\r', 'r' }
	};

	for (size_t i = 0; i < sizeof(short_forms) / 2; i++)
		if ((unsigned char)short_forms[i][0] == c) {
			strbuf_putc(out, '\\');
			strbuf_putc(out, short_forms[i][1]);
			return;
		}
	strbuf_printf(out, "\\u%04x", c);
}

static void
put_string(struct strbuf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len, n;

	if (text == NULL) {
		strbuf_puts(out, "null");
		return;
	}
	strbuf_putc(out, '"');
	for (len = strlen(text); len > 0; s += n, len -= n) {
		n = utf8_length(s, len);
		if (n == 0) {
			strbuf_puts(out, "\\ufffd");
			n = 1;
		} else if (*s < ' ' || *s == '"' || *s == '\\' || *s == 0x7f)
			put_escaped(out, *s);
		else
			strbuf_add(out, (const char *)s, n);
	}
	strbuf_putc(out, '"');
}

/* --- places --- */

struct json {
	struct strbuf	*out;
	struct source_map *map;
	unsigned	 notes;
};

static void
put_position(struct json *j, const char *name, uint32_t file, uint32_t off)
{
	struct position pos = source_position(j->map, file, off);

	strbuf_printf(j->out, "\"%s\": { \"line\": %u, \"column\": %u, "
	    "\"byte\": %u }", name, pos.line, pos.column, off);
}

static void
put_place(struct json *j, struct span at)
{
	const struct source *s = source_get(j->map, at.file);

	strbuf_puts(j->out, "\"file\": ");
	put_string(j->out, s != NULL ? s->name : NULL);
	strbuf_puts(j->out, ", \"range\": ");
	if (s == NULL) {
		strbuf_puts(j->out, "null");
		return;
	}
	strbuf_puts(j->out, "{ ");
	put_position(j, "start", at.file, at.off);
	strbuf_puts(j->out, ", ");
	put_position(j, "end", at.file, at.off + at.len);
	strbuf_puts(j->out, " }");
}

static void
put_note(void *ctx, struct span span, const char *text)
{
	struct json *j = ctx;

	strbuf_puts(j->out, j->notes++ > 0 ? ",\n        " : "\n        ");
	strbuf_puts(j->out, "{ \"message\": ");
	put_string(j->out, text);
	strbuf_puts(j->out, ", ");
	put_place(j, span);
	strbuf_puts(j->out, " }");
}

/* --- diagnostics --- */

static void
put_diag(struct json *j, const struct diag *d)
{
	struct strbuf rendered;

	strbuf_init(&rendered, j->out->arena);
	render_rich_one(d, j->map, false, &rendered);
	strbuf_printf(j->out, "    { \"severity\": \"%s\",\n      \"code\": ",
	    severity_name(d->severity));
	put_string(j->out, d->code);
	strbuf_puts(j->out, ",\n      \"message\": ");
	put_string(j->out, diag_message(d));
	strbuf_puts(j->out, ",\n      ");
	put_place(j, diag_place(d));
	strbuf_puts(j->out, ",\n      \"notes\": [");
	j->notes = 0;
	diag_each_note(d, j->map, j->out->arena, put_note, j);
	strbuf_puts(j->out, j->notes > 0 ? " ],\n" : "],\n");
	strbuf_puts(j->out, "      \"suggestion\": ");
	put_string(j->out, d->suggestion);
	strbuf_puts(j->out, ",\n      \"rendered\": ");
	put_string(j->out, strbuf_str(&rendered));
	strbuf_puts(j->out, " }");
}

void
render_json(const struct diag_queue *q, struct source_map *map, bool valid,
    struct strbuf *out)
{
	unsigned counts[3] = { 0, 0, 0 };
	struct json j = { out, map, 0 };
	struct shown shown = { .n = 0 };
	const struct diag *d;

	for (d = q->first; d != NULL; d = d->next)
		if (diag_is_shown(&shown, d))
			counts[d->severity]++;
	strbuf_printf(out, "{ \"format_version\": 1,\n  \"valid\": %s,\n"
	    "  \"error_count\": %u,\n  \"warning_count\": %u,\n"
	    "  \"diagnostics\": [", valid ? "true" : "false",
	    counts[DIAG_ERROR], counts[DIAG_WARNING]);
	shown.n = 0;
	for (d = q->first; d != NULL; d = d->next)
		if (diag_is_shown(&shown, d)) {
			strbuf_puts(out, shown.n > 1 ? ",\n" : "\n");
			put_diag(&j, d);
		}
	strbuf_puts(out, shown.n > 0 ? " ]\n}\n" : "]\n}\n");
}
