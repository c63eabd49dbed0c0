/*
 * Tokens: what they are worth and where they stand.
 *
 * Lines are counted as pfctl counts them, since its messages name them: the
 * line of a message is that of the token read last (parser.plain_line), noted
 * where the token begins, and set back by one where a line is continued.
 * Spans do not need lines.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parser/lexer.h"

#define QUOTED_MAX	8094	/* longest quoted string or macro name */

struct frame *
lexer_file(const struct parser *p)
{
	return p->top->macro != NULL ? p->top->below : p->top;
}

void
lexer_push(struct parser *p, struct frame *f)
{
	f->below = p->top;
	p->top = f;
	lexer_read(p, f);
}

/* --- windows --- */

#define WINDOW	((size_t)1 << 15)

/*
 * How much of the text to take next: whole lines, about a window full, not
 * ending in a continued line.
 */
static size_t
whole_lines(const char *text, size_t len)
{
	const char *end;

	if (len <= WINDOW)
		return len;
	for (size_t n = WINDOW; n > 1; n--)
		if (text[n - 1] == '\n' && text[n - 2] != '\\')
			return n;
	for (end = text; (end = memchr(end, '\n',
	    len - (size_t)(end - text))) != NULL; end++)
		if (end > text && end[-1] != '\\')
			return (size_t)(end - text) + 1;
	return len;
}

/* Makes the next window of a file what is read; false at its end. */
bool
lexer_fill(struct parser *p, struct frame *f)
{
	size_t len, skew = f->skew;

	if (f->ended)
		return false;
	f->window = f->next;
	len = whole_lines(f->text + f->next, f->text_len - f->next);
	f->next += (uint32_t)len;
	f->ended = f->next == f->text_len;
	if (f->room < skew + len + 3) {
		f->room = skew + len + 3 + (f->ended ? 0 : WINDOW / 2);
		f->base = arena_alloc(p->opt.arena, f->room);
	}
	memset(f->base, '\n', skew);
	memcpy(f->base + skew, f->text + f->window, len);
	f->len = (uint32_t)(skew + len);
	if (f->ended)
		f->base[f->len++] = '\n';
	f->base[f->len] = f->base[f->len + 1] = '\0';
	return true;
}

/* At the end of what is read: false where a file or all of it ends. */
bool
lexer_next_window(struct parser *p)
{
	struct frame *f = p->top;

	f->skew = 0;
	if (f->macro != NULL || !lexer_fill(p, f))
		return false;
	lexer_reread(p, f);
	return true;
}

/* --- places --- */

/* The chain of a piece that itself came out of macros, used here. */
static const struct expansion *
chain(struct parser *p, const struct expansion *e,
    const struct expansion *outer)
{
	struct expansion *copy;

	if (e == NULL)
		return outer;
	copy = arena_new(p->opt.arena, struct expansion);
	*copy = *e;
	copy->outer = chain(p, e->outer, outer);
	return copy;
}

static void
find_piece(struct parser *p, struct frame *f, uint32_t at)
{
	const struct macro *m = f->macro;
	size_t i = f->piece != NULL && f->piece->at <= at ?
	    (size_t)(f->piece - m->pieces.v) : 0;

	while (i + 1 < m->pieces.n && m->pieces.v[i + 1].at <= at)
		i++;
	if (f->piece == &m->pieces.v[i])
		return;
	f->piece = &m->pieces.v[i];
	f->piece_via = chain(p, f->piece->via, f->via);
}

static struct place
macro_place(struct parser *p, struct frame *f, uint32_t at, uint32_t len)
{
	struct place place = { .via = f->via };

	if (f->macro->pieces.n == 0) {
		place.span = f->macro->def;
		return place;
	}
	find_piece(p, f, at);
	place.via = f->piece_via;
	place.span = f->piece->span;
	if (f->piece->linear && at - f->piece->at + len <= f->piece->len) {
		place.span.off = f->piece->text + (at - f->piece->at);
		place.span.len = len;
	}
	return place;
}

struct place
lexer_place(struct parser *p, const char *at, uint32_t len)
{
	struct frame *f = p->top;
	uint32_t off = (uint32_t)(at - f->base);

	if (f->macro != NULL)
		return macro_place(p, f, off, len);
	off = off > f->skew ? f->window + off - f->skew : f->window;
	if (off >= f->text_len) {
		off = f->text_len;
		len = 0;
	}
	return (struct place){ .span = { f->file, off, len } };
}

/*
 * A token in pieces may begin in a macro and end in the file; then the use
 * of the macro grows by what follows it (`$if:network`).
 */
struct place
lexer_token_place(struct parser *p, const char *end)
{
	struct place here = lexer_place(p, end, 0), start = p->start;
	struct expansion *e;

	if (start.via == here.via)
		return place_join(&start, &here);
	if (start.via == NULL || (start.via->outer == NULL &&
	    here.span.off == start.via->use.off + start.via->use.len))
		return start;
	e = arena_memdup(p->opt.arena, start.via, sizeof(*e));
	if (e->outer == NULL)
		e->use = span_join(e->use, here.span);
	start.via = e;
	return start;
}

/* --- lines --- */

bool
lexer_made_up(const struct parser *p, const char *newline)
{
	const struct frame *f = p->top;

	return f->ended && newline == f->base + f->len - 1;
}

void
lexer_continue(struct parser *p, const char *newline)
{
	struct frame *f = lexer_file(p);

	(void)newline;
	p->plain_line = f->line++;
}

int
lexer_newline(struct parser *p)
{
	p->plain_line = lexer_file(p)->line++;
	return '\n';
}

/*
 * A comment goes on after a backslash.  If the next line looks like a rule
 * that is surely not what was meant.
 */
void
lexer_comment_continues(struct parser *p, const char *newline)
{
	struct place at = lexer_place(p, newline + 1, 0);
	const struct source *s = source_get(p->opt.sources, at.span.file);
	uint32_t end;

	lexer_continue(p, newline);
	if (at.via != NULL || s == NULL)
		return;
	while (at.span.off < s->len && (s->text[at.span.off] == ' ' ||
	    s->text[at.span.off] == '\t'))
		at.span.off++;
	for (end = at.span.off; end < s->len && s->text[end] != '\n'; end++)
		;
	if (end == at.span.off || s->text[at.span.off] == '#')
		return;
	at.span.len = end - at.span.off;
	(void)parser_warn(p, at.span, "comment-continues",
	    "this line is part of the comment above, which ends in a "
	    "backslash");
}

void
lexer_blank_after_backslash(struct parser *p, const char *backslash)
{
	struct place at = lexer_place(p, backslash, 1);

	if (at.via != NULL)
		return;
	p->bad_backslash = at.span;
	p->bad_backslash_line = lexer_file(p)->line;
	p->bad_backslash_warning = parser_warn(p, at.span,
	    "backslash-space", "white space after this backslash: "
	    "the line is not continued");
}

/* --- values --- */

static int
too_long(struct parser *p, const struct place *at)
{
	(void)parser_error_at(p, at, "limit", "string too long");
	p->lexical = true;
	return SKIP_LINE;
}

int
lexer_word(struct parser *p, const struct place *at, const char *text,
    size_t len, PFCONF_STYPE *val)
{
	const struct word *w;

	if (len > TOKEN_MAX)
		return too_long(p, at);
	if (isdigit((unsigned char)*text)) {
		/* Mostly an address: no keyword, and seldom met again. */
		val->str = arena_strndup(p->opt.arena, text, len);
		return TOK_STRING;
	}
	w = word_get(&p->words, text, len);
	val->str = w->text;
	return w->token != 0 ? w->token : TOK_STRING;
}

int
lexer_number(struct parser *p, const struct place *at, const char *text,
    size_t len, PFCONF_STYPE *val)
{
	char buf[TOKEN_MAX + 1];

	if (len > TOKEN_MAX)
		return too_long(p, at);
	memcpy(buf, text, len);
	buf[len] = '\0';
	errno = 0;
	val->num = strtoll(buf, NULL, 10);
	if (errno != ERANGE)
		return TOK_NUMBER;
	(void)parser_error_at(p, at, "number", "\"%s\" invalid number: %s",
	    buf, *buf == '-' ? "too small" : "too large");
	p->lexical = true;
	return SKIP_LINE;
}

static bool
is_number(const char *text, size_t len)
{
	size_t i = *text == '-' ? 1 : 0;

	if (i == len)
		return false;
	while (i < len && isdigit((unsigned char)text[i]))
		i++;
	return i == len;
}

int
lexer_pieces(struct parser *p, const struct place *at, int next,
    PFCONF_STYPE *val)
{
	const char *text = strbuf_str(&p->token);
	size_t len = p->token.len;

	if (is_number(text, len) && (isspace(next) ||
	    (next != '\0' && strchr("),/}=", next) != NULL)))
		return lexer_number(p, at, text, len, val);
	if (*text == '-')
		return TOK_BAD;
	return lexer_word(p, at, text, len, val);
}

int
lexer_quoted(struct parser *p, const struct place *at, PFCONF_STYPE *val)
{
	if (p->token.len > QUOTED_MAX)
		return too_long(p, at);
	val->str = word_get(&p->words, strbuf_str(&p->token),
	    p->token.len)->text;
	p->quoted = true;
	return TOK_STRING;
}

int
lexer_open_quote(struct parser *p, const struct place *at, PFCONF_STYPE *val)
{
	(void)parser_error_at(p, at, "quote",
	    "reached end of file while parsing quoted string");
	p->lexical = true;
	if (p->top->below == NULL)
		return 0;
	lexer_leave(p);
	return lexer_quoted(p, at, val);
}

/* --- macros --- */

/* The name after '$', without continuations. */
static const char *
macro_name(struct parser *p, const char *text, size_t *len)
{
	p->token.len = 0;
	for (size_t i = 1; i < *len; i++) {
		if (text[i] != '\\')
			strbuf_putc(&p->token, text[i]);
		else
			lexer_continue(p, &text[++i]);
	}
	*len = p->token.len;
	return strbuf_str(&p->token);
}

/* Whether it was to be defined above, but that went wrong. */
static bool
is_broken(const struct parser *p, const char *name)
{
	for (size_t i = 0; i < p->broken_macros.n; i++)
		if (strcmp(p->broken_macros.v[i], name) == 0)
			return true;
	return false;
}

static void
undefined(struct parser *p, const struct place *at, const char *name)
{
	struct diag *d = parser_error_at(p, at, "unknown-macro",
	    "macro '%s' not defined", name);
	const char *nearest;

	p->lexical = true;
	d->cascade = is_broken(p, name);
	if (d->cascade || p->errors > ERRORS_EXPLAINED ||
	    (nearest = suggest(name, macro_names(p))) == NULL)
		return;
	d->suggestion = arena_printf(p->opt.arena, "$%s", nearest);
	macro_find(p, nearest, strlen(nearest))->misspelt = true;
}

static struct frame *
macro_frame(struct parser *p)
{
	struct frame *f = p->spare;

	if (f == NULL)
		return arena_new(p->opt.arena, struct frame);
	p->spare = f->below;
	memset(f, 0, sizeof(*f));
	return f;
}

static void
use(struct parser *p, struct macro *m, const struct place *at)
{
	struct expansion *e = arena_new(p->opt.arena, struct expansion);
	struct frame *f = macro_frame(p);

	e->macro = m->name;
	e->use = at->span;
	e->def = m->def;
	m->used = true;
	f->macro = m;
	f->via = e;
	f->base = m->value;
	f->len = m->len;
	lexer_push(p, f);
}

/* False: an error, told. */
bool
lexer_macro(struct parser *p, const struct place *at, const char *text,
    size_t len)
{
	const char *name = macro_name(p, text, &len);
	struct macro *m;

	if (len > QUOTED_MAX) {
		(void)too_long(p, at);
		return false;
	}
	if ((m = macro_find(p, name, len)) == NULL) {
		undefined(p, at, name);
		return false;
	}
	p->expanded += m->len;
	if (p->expanded <= p->opt.max_macro_bytes) {
		use(p, m, at);
		return true;
	}
	struct diag *d = parser_error_at(p, at, "limit",
	    "macros expand to too much text");

	diag_note(p->opt.diags, d, (struct span){ 0, 0, 0 },
	    "the limit for one statement is %zu bytes",
	    p->opt.max_macro_bytes);
	p->lexical = true;
	return false;
}
