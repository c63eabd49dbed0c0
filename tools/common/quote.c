/*
 * Lines of pf.conf with carets.
 *
 * Nothing of a ruleset reaches the terminal that is not printable.  Of a long
 * line only the part around the marks is shown.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/engine.h>

#include "quote.h"
#include "report.h"

#define SHOWN_MAX	160	/* of a long line, so many bytes */
#define SHOWN_BEFORE	60	/* ... from so many before the mark */
#define LINES_MAX	12	/* of a statement; then only marked ones */
#define CARETS		"\033[1;32m"
#define PLAIN		"\033[0m"

struct mark { uint32_t off, end; };
#define MARKS_MAX	PFK_NPARTS

/* ---- texts ---- */

struct kept {
	const struct pfk_image *image;
	uint32_t	 source;
	char		*text;		/* NULL: it was not to be had */
	struct kept	*next;
};
struct quotes { struct kept *first; };

struct quotes *
quotes_new(void)
{
	return xcalloc(1, sizeof(struct quotes));
}

void
quotes_free(struct quotes *q)
{
	struct kept *k;

	while (q != NULL && (k = q->first) != NULL) {
		q->first = k->next;
		free(k->text);
		free(k);
	}
	free(q);
}

/* The file, if it is what was compiled. */
static char *
read_same(const struct pfk_source *s)
{
	char *text = NULL;
	FILE *f = fopen(s->name, "rb");

	if (f == NULL)
		return NULL;
	text = xcalloc(1, s->len + 1);
	if (fread(text, 1, s->len, f) != s->len || getc(f) != EOF ||
	    pfk_source_hash(text, s->len) != s->hash) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

const char *
quotes_text(struct quotes *q, const struct pfk_image *im, uint32_t source,
    size_t *len)
{
	struct pfk_source s;
	struct kept *k;

	*len = 0;
	if (source == PFK_NO_SOURCE)
		return NULL;
	pfk_image_source(im, source, &s);
	*len = s.len;
	if (s.text != NULL)
		return s.text;
	for (k = q->first; k != NULL; k = k->next)
		if (k->image == im && k->source == source)
			return k->text;
	k = xcalloc(1, sizeof(*k));
	*k = (struct kept){ im, source, read_same(&s), q->first };
	q->first = k;
	return k->text;
}

/* ---- a line ---- */

struct quoter {
	const struct quote_sink *sink;
	struct quotes	*quotes;
	const struct pfk_image *image;
};

static void
put(struct quoter *q, const char *text, size_t len)
{
	q->sink->put(q->sink->ctx, text, len);
}

static void put_fmt(struct quoter *, const char *, ...)
    __attribute__((__format__(__printf__, 2, 3)));

static void
put_fmt(struct quoter *q, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	put(q, buf, strlen(buf));
}

static void
paint(struct quoter *q, const char *code)
{
	if (q->sink->colour)
		put(q, code, strlen(code));
}

/* Control characters would do something to the terminal. */
static void
put_source(struct quoter *q, const char *text, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c >= ' ' || c == '\t') && c != 0x7f)
			continue;
		put(q, text + from, i - from);
		put(q, "?", 1);
		from = i + 1;
	}
	put(q, text + from, len - from);
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static const struct mark *
mark_at(const struct mark *m, size_t n, size_t off)
{
	for (size_t i = 0; i < n; i++)
		if (off >= m[i].off && off < m[i].end)
			return &m[i];
	return NULL;
}

/* Carets below text[from..to), as wide as that is on a terminal. */
static void
put_carets(struct quoter *q, const char *text, size_t from, size_t to,
    const struct mark *m, size_t n)
{
	put(q, "         | ", 11);
	paint(q, CARETS);
	while (to > from && mark_at(m, n, to - 1) == NULL)
		to--;
	for (size_t i = from; i < to; i++) {
		const struct mark *at = mark_at(m, n, i);

		if (is_continuation(text[i]))
			continue;
		if (at == NULL)
			put(q, text[i] == '\t' ? "\t" : " ", 1);
		else
			put(q, i == at->off || i == from ? "^" : "~", 1);
	}
	paint(q, PLAIN);
	put(q, "\n", 1);
}

/* The first mark that begins at or behind `off' and before `end'. */
static const struct mark *
next_mark(const struct mark *m, size_t n, size_t off, size_t end)
{
	const struct mark *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (m[i].end > off && m[i].off < end &&
		    (best == NULL || m[i].off < best->off))
			best = &m[i];
	return best;
}

/* One piece of the line from `from' on, with its carets; where it ends. */
static size_t
put_piece(struct quoter *q, const char *text, uint32_t number, size_t from,
    size_t end, const struct mark *m, size_t n)
{
	size_t to = end - from > SHOWN_MAX ? from + SHOWN_MAX : end;

	while (to < end && is_continuation(text[to]))
		to++;
	put_fmt(q, "%8" PRIu32 " | ", number);
	put_source(q, text + from, to - from);
	put(q, "\n", 1);
	if (next_mark(m, n, from, to) != NULL)
		put_carets(q, text, from, to, m, n);
	return to;
}

/* The line text[start..end): the pieces of it that have marks, or the first. */
static void
put_line(struct quoter *q, const char *text, uint32_t number, size_t start,
    size_t end, const struct mark *m, size_t n)
{
	const struct mark *next = next_mark(m, n, start, end);
	size_t from = start;

	do {
		if (next != NULL && end - from > SHOWN_MAX &&
		    next->off > from + SHOWN_BEFORE)
			from = next->off - SHOWN_BEFORE;
		while (from > start && is_continuation(text[from]))
			from--;
		from = put_piece(q, text, number, from, end, m, n);
		next = next_mark(m, n, from, end);
	} while (next != NULL && from < end);
}

/* The lines that the place touches: all, if it is short, or the marked. */
static bool
put_lines(struct quoter *q, const struct pfk_place *p, const struct mark *m,
    size_t n)
{
	size_t len, start, end;
	const char *text = quotes_text(q->quotes, q->image, p->source, &len);

	if (text == NULL)
		return false;
	start = p->off - (p->column - 1);
	for (uint32_t i = p->line; i <= p->end_line; i++, start = end + 1) {
		const char *nl = memchr(text + start, '\n', len - start);
		size_t stop;

		end = stop = nl != NULL ? (size_t)(nl - text) : len;
		if (stop > start && text[stop - 1] == '\r')
			stop--;
		if (i == p->line || p->end_line - p->line < LINES_MAX ||
		    next_mark(m, n, start, stop) != NULL)
			put_line(q, text, i, start, stop, m, n);
		if (nl == NULL)
			break;
	}
	return true;
}

/* ---- macros ---- */

const struct pfk_place *
element_value(const struct pfk_element *e)
{
	return e->value.source != PFK_NO_SOURCE ? &e->value : &e->at;
}

void
element_place(const struct pfk_image *im, const struct pfk_element *e,
    struct pfk_place *p)
{
	struct pfk_macro m;

	*p = e->at;
	if (e->value.source != PFK_NO_SOURCE)
		return;
	for (uint32_t i = e->macro; i != PFK_NO_MACRO; i = m.outer) {
		pfk_image_macro(im, i, &m);
		*p = m.use;
	}
}

static void
put_definition(struct quoter *q, const char *name, const struct pfk_place *at)
{
	const struct mark mark = { at->off, at->off + at->len };
	struct pfk_source s;
	size_t len;

	pfk_image_source(q->image, at->source, &s);
	if (quotes_text(q->quotes, q->image, at->source, &len) == NULL)
		return;
	put_fmt(q, "         | from $%s, defined in %s:\n", name, s.name);
	(void)put_lines(q, at, &mark, 1);
}

/* From the statement inwards: in each definition what is used of it. */
static void
put_macros(struct quoter *q, const struct pfk_element *e)
{
	uint32_t chain[64];
	struct pfk_macro m, inner;
	size_t n = 0;

	for (uint32_t i = e->macro; i != PFK_NO_MACRO && n < 64; i = m.outer) {
		chain[n++] = i;
		pfk_image_macro(q->image, i, &m);
	}
	while (n-- > 0) {
		pfk_image_macro(q->image, chain[n], &m);
		if (n > 0)
			pfk_image_macro(q->image, chain[n - 1], &inner);
		put_definition(q, m.name, n > 0 ? &inner.use :
		    element_value(e));
	}
}

/* ---- origins ---- */

static bool
is_marked(const struct pfk_element *e, uint32_t parts)
{
	if (parts == QUOTE_LISTED)
		return e->listed || e->macro != PFK_NO_MACRO;
	return (parts >> e->part & 1) != 0;
}

static bool
same_place(const struct pfk_element *a, const struct pfk_element *b)
{
	const struct pfk_place *x = element_value(a), *y = element_value(b);

	return x->source == y->source && x->off == y->off;
}

/* Whether an element before it led to the same definitions. */
static bool
is_told(const struct pfk_origin *o, size_t i, uint32_t parts)
{
	for (size_t k = 0; k < i; k++)
		if (is_marked(&o->element[k], parts) &&
		    same_place(&o->element[k], &o->element[i]))
			return true;
	return false;
}

bool
quote_origin(struct quotes *quotes, const struct quote_sink *sink,
    const struct pfk_image *im, const struct pfk_origin *o, uint32_t parts)
{
	struct quoter q = { sink, quotes, im };
	struct mark marks[MARKS_MAX];
	struct pfk_place whole, p;
	size_t n = 0;

	element_place(im, &o->statement, &whole);
	for (size_t i = 0; i < o->nelements; i++) {
		if (!is_marked(&o->element[i], parts))
			continue;
		element_place(im, &o->element[i], &p);
		if (p.source == whole.source)
			marks[n++] = (struct mark){ p.off, p.off + p.len };
	}
	if (!put_lines(&q, &whole, marks, n))
		return false;
	for (size_t i = 0; i < o->nelements; i++)
		if (is_marked(&o->element[i], parts) && !is_told(o, i, parts))
			put_macros(&q, &o->element[i]);
	return true;
}

bool
quote_element(struct quotes *quotes, const struct quote_sink *sink,
    const struct pfk_image *im, const struct pfk_element *e)
{
	struct quoter q = { sink, quotes, im };
	struct pfk_place p;
	struct mark mark;

	element_place(im, e, &p);
	mark = (struct mark){ p.off, p.off + p.len };
	if (!put_lines(&q, &p, &mark, 1))
		return false;
	put_macros(&q, e);
	return true;
}

static bool
has_address(const struct pfk_origin *o, const struct pfk_flow *f)
{
	const uint8_t *a = o->how == PFK_ORIGIN_SOURCE ? f->src.addr :
	    f->dst.addr;
	unsigned left = o->bits % 8;

	if (o->how == PFK_ORIGIN_OWN)
		return true;
	if (o->how == PFK_ORIGIN_COVERED ||
	    o->af != f->af || memcmp(a, o->addr, o->bits / 8) != 0)
		return false;
	return left == 0 || ((a[o->bits / 8] ^ o->addr[o->bits / 8]) >>
	    (8 - left)) == 0;
}

bool
origin_of_packet(const struct pfk_image *im, size_t rule,
    const struct pfk_flow *f, struct pfk_origin *o)
{
	struct pfk_origins all, again;
	struct pfk_origin first;

	pfk_image_origins(im, rule, &all);
	again = all;
	while (pfk_image_next_origin(&all, o))
		if (has_address(o, f))
			return true;
	if (!pfk_image_next_origin(&again, &first))
		return false;
	*o = first;
	return true;
}

const struct pfk_element *
origin_element_of(const struct pfk_origin *o, enum pfk_part part)
{
	for (size_t i = 0; i < o->nelements; i++)
		if (o->element[i].part == part)
			return &o->element[i];
	return NULL;
}
