/*
 * Diagnostics for people:
 *
 *	pf.conf:7:12: error: unknown port www2
 *	    7 | pass in on $ext proto tcp to port $web
 *	      |                                   ^~~~
 *	note: expanded from $web, defined at pf.conf:2
 *	    2 | web = "{ www www2 }"
 *	      |              ^~~~
 *	help: did you mean `www`?
 *
 * The text of a ruleset is shown as it stands, but nothing in it reaches the
 * terminal that is not printable.
 */
#include <string.h>

#include "parser/render.h"

#define SHOWN_MAX	160	/* of a long line, so many bytes */
#define SHOWN_BEFORE	60	/* ... from so many before the span */

static const char *const severity_colors[] = {
	[DIAG_ERROR] = "\033[1;31m", [DIAG_WARNING] = "\033[1;35m",
	[DIAG_NOTE] = "\033[1;36m"
};

struct pen {
	struct strbuf	*out;
	struct source_map *map;
	bool		 color;
};

static void
paint(struct pen *pen, const char *code)
{
	if (pen->color)
		strbuf_puts(pen->out, code);
}

const char *
severity_name(enum severity s)
{
	static const char *const names[] = {
		[DIAG_ERROR] = "error", [DIAG_WARNING] = "warning",
		[DIAG_NOTE] = "note"
	};

	return names[s];
}

/* pfctl writes "warning: " into some texts itself. */
const char *
diag_message(const struct diag *d)
{
	const char *text = d->detail != NULL ? d->detail : d->text;

	if (d->severity == DIAG_WARNING &&
	    strncmp(text, "warning: ", 9) == 0)
		text += 9;
	return text;
}

struct span
diag_place(const struct diag *d)
{
	const struct expansion *e = d->via;

	if (e == NULL)
		return d->span;
	while (e->outer != NULL)
		e = e->outer;
	return e->use;
}

static bool
same_span(struct span a, struct span b)
{
	return a.file == b.file && a.off == b.off && a.len == b.len;
}

bool
diag_is_shown(struct shown *s, const struct diag *d)
{
	const size_t size = sizeof(s->recent) / sizeof(*s->recent);

	if (d->cascade)
		return false;
	for (size_t i = 0; i < s->n && i < size; i++)
		if (same_span(s->recent[i]->span, d->span) &&
		    same_span(diag_place(s->recent[i]), diag_place(d)) &&
		    strcmp(s->recent[i]->text, d->text) == 0)
			return false;
	s->recent[s->n++ % size] = d;
	return true;
}

/* --- notes --- */

static bool
within(struct span inner, struct span outer)
{
	return inner.file == outer.file && inner.off >= outer.off &&
	    inner.off + inner.len <= outer.off + outer.len;
}

void
diag_each_note(const struct diag *d, struct source_map *map,
    struct arena *arena, note_fn *fn, void *ctx)
{
	struct span at = d->span;
	const struct source *s;
	struct position pos;

	for (const struct expansion *e = d->via; e != NULL; e = e->outer) {
		pos = source_position(map, e->def.file, e->def.off);
		s = source_get(map, e->def.file);
		fn(ctx, within(at, e->def) ? at : e->def, arena_printf(arena,
		    "expanded from $%s, defined at %s:%u", e->macro,
		    s != NULL ? s->name : "?", pos.line));
		at = e->use;
	}
	s = source_get(map, diag_place(d).file);
	for (; s != NULL && s->included_at.file != 0;
	    s = source_get(map, s->included_at.file)) {
		const struct source *by =
		    source_get(map, s->included_at.file);

		pos = source_position(map, s->included_at.file,
		    s->included_at.off);
		fn(ctx, (struct span){ 0, 0, 0 }, arena_printf(arena,
		    "%s is included from %s:%u", s->name,
		    by != NULL ? by->name : "?", pos.line));
	}
	for (const struct diag_note *n = d->notes; n != NULL; n = n->next)
		fn(ctx, n->span, n->text);
}

/* --- the line with its carets --- */

static bool
is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Control characters would do something to the terminal. */
static void
put_source(struct pen *pen, const char *text, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		strbuf_putc(pen->out, (c < ' ' && c != '\t') || c == 0x7f ?
		    '?' : text[i]);
	}
}

/* As wide as the text is on a terminal: tabs stay, the rest is `fill`. */
static void
put_width(struct pen *pen, const char *text, uint32_t len, char fill)
{
	for (uint32_t i = 0; i < len; i++)
		if (!is_continuation((unsigned char)text[i]))
			strbuf_putc(pen->out, text[i] == '\t' && fill == ' ' ?
			    '\t' : fill);
}

/* The part of a line that is shown, in bytes; the span starts at `col`. */
static void
window(uint32_t len, uint32_t col, uint32_t *from, uint32_t *to)
{
	*from = 0;
	*to = len;
	if (len <= SHOWN_MAX)
		return;
	if (col > SHOWN_BEFORE)
		*from = col - SHOWN_BEFORE;
	*to = *from + SHOWN_MAX < len ? *from + SHOWN_MAX : len;
}

static void
put_carets(struct pen *pen, const char *text, uint32_t from, uint32_t to,
    uint32_t col, uint32_t spanlen)
{
	uint32_t end = col + spanlen < to ? col + spanlen : to;

	strbuf_puts(pen->out, "      | ");
	put_width(pen, text + from, col - from, ' ');
	paint(pen, "\033[1;32m");
	strbuf_putc(pen->out, '^');
	if (end > col + 1) {
		uint32_t rest = col + 1;

		while (rest < end &&
		    is_continuation((unsigned char)text[rest]))
			rest++;
		put_width(pen, text + rest, end - rest, '~');
	}
	paint(pen, "\033[0m");
	strbuf_putc(pen->out, '\n');
}

static void
put_line(struct pen *pen, struct span span)
{
	struct position pos = source_position(pen->map, span.file, span.off);
	uint32_t len, from, to, col;
	const char *text = source_line(pen->map, span.file, pos.line, &len);

	if (pos.line == 0)
		return;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	col = pos.column - 1 < len ? pos.column - 1 : len;
	window(len, col, &from, &to);
	strbuf_printf(pen->out, "%5u | ", pos.line);
	put_source(pen, text + from, to - from);
	strbuf_putc(pen->out, '\n');
	put_carets(pen, text, from, to, col, span.len);
}

/* --- a diagnostic --- */

static void
put_note(void *ctx, struct span span, const char *text)
{
	struct pen *pen = ctx;

	paint(pen, severity_colors[DIAG_NOTE]);
	strbuf_puts(pen->out, "note: ");
	paint(pen, "\033[0m");
	strbuf_puts(pen->out, text);
	strbuf_putc(pen->out, '\n');
	if (span.file != 0)
		put_line(pen, span);
}

static void
put_location(struct pen *pen, const struct diag *d)
{
	struct span at = diag_place(d);
	const struct source *s = source_get(pen->map, at.file);
	struct position pos;

	paint(pen, "\033[1m");
	if (s != NULL) {
		pos = source_position(pen->map, at.file, at.off);
		strbuf_printf(pen->out, "%s:%u:%u: ", s->name, pos.line,
		    pos.column);
	} else if (d->plain == PLAIN_AT && d->plain_file != NULL)
		strbuf_printf(pen->out, "%s:%u: ", d->plain_file,
		    d->plain_line);
	else
		strbuf_puts(pen->out, "pfctl: ");
}

void
render_rich_one(const struct diag *d, struct source_map *map, bool color,
    struct strbuf *out)
{
	struct pen pen = { out, map, color };

	put_location(&pen, d);
	paint(&pen, severity_colors[d->severity]);
	strbuf_printf(out, "%s: ", severity_name(d->severity));
	paint(&pen, "\033[0m\033[1m");
	strbuf_puts(out, diag_message(d));
	paint(&pen, "\033[0m");
	strbuf_putc(out, '\n');
	if (diag_place(d).file != 0)
		put_line(&pen, diag_place(d));
	diag_each_note(d, map, out->arena, put_note, &pen);
	if (d->suggestion == NULL)
		return;
	paint(&pen, "\033[1;36m");
	strbuf_puts(out, "help: ");
	paint(&pen, "\033[0m");
	strbuf_printf(out, "did you mean `%s`?\n", d->suggestion);
}

static void
put_count(struct strbuf *out, unsigned n, const char *what)
{
	if (n > 0)
		strbuf_printf(out, "%s%u %s%s", out->s[out->len - 1] == '\n' ?
		    "" : ", ", n, what, n == 1 ? "" : "s");
}

void
render_rich(const struct diag_queue *q, struct source_map *map, bool color,
    struct strbuf *out)
{
	unsigned counts[3] = { 0, 0, 0 };
	struct shown shown = { .n = 0 };

	for (const struct diag *d = q->first; d != NULL; d = d->next) {
		if (!diag_is_shown(&shown, d))
			continue;
		if (shown.n > 1)
			strbuf_putc(out, '\n');
		render_rich_one(d, map, color, out);
		counts[d->severity]++;
	}
	if (counts[DIAG_ERROR] + counts[DIAG_WARNING] == 0)
		return;
	strbuf_putc(out, '\n');
	put_count(out, counts[DIAG_ERROR], "error");
	put_count(out, counts[DIAG_WARNING], "warning");
	strbuf_putc(out, '\n');
}
