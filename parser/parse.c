/*
 * The driver: files and statements, and what errors do.
 *
 * An included file is pushed on the stack of frames when its statement has
 * been recognised; the newline that ends the statement is then read as the
 * first of the new file, as line 0 of it, which is how pfctl counts.
 */
#include <errno.h>
#include <string.h>

#include "parser/lexer.h"

struct parser *
parser_new(const struct parse_options *opt)
{
	struct parser *p = arena_new(opt->arena, struct parser);

	p->opt = *opt;
	if (p->opt.max_include_depth == 0)
		p->opt.max_include_depth = INCLUDE_DEPTH_MAX;
	if (p->opt.max_macro_bytes == 0)
		p->opt.max_macro_bytes = MACRO_BYTES_MAX;
	words_init(&p->words, opt->arena);
	lexer_start(p);
	return p;
}

/* --- where we are --- */

const char *
parser_plain_file(const struct parser *p)
{
	return p->top != NULL ? lexer_file(p)->name : p->plain_file;
}

uint32_t
parser_plain_line(const struct parser *p)
{
	return p->plain_line;
}

/* Where the text of an expansion was used, seen from outside of macros. */
static struct place
outermost(const struct place *at)
{
	const struct expansion *e = at->via;

	if (e == NULL)
		return *at;
	while (e->outer != NULL)
		e = e->outer;
	return (struct place){ .span = e->use };
}

/* The whole that has the part knows what of it came out of a macro. */
static void
take_inner(struct place *whole, const struct place *part)
{
	if (whole->via != NULL || whole->inner_via != NULL)
		return;
	whole->inner = part->via != NULL ? part->span : part->inner;
	whole->inner_via = part->via != NULL ? part->via : part->inner_via;
}

/* From the start of a to the end of b. */
struct place
place_join(const struct place *a, const struct place *b)
{
	struct place from = *a, to = *b;

	if (from.via != to.via) {
		from = outermost(a);
		to = outermost(b);
	}
	from.span = span_join(from.span, to.span);
	take_inner(&from, a);
	take_inner(&from, b);
	return from;
}

/* Of a production: rhs[1] to rhs[n]; rhs[0] is what stands before it. */
struct place
place_default(const struct place *rhs, unsigned n)
{
	unsigned first = 1, last = n;
	struct place whole;

	while (first < last && rhs[first].span.len == 0)
		first++;
	while (last > first && rhs[last].span.len == 0)
		last--;
	if (n == 0)
		return (struct place){ .span = { rhs->span.file,
		    rhs->span.off + rhs->span.len, 0 }, .via = rhs->via };
	if (first == last)
		return rhs[first];
	whole = place_join(&rhs[first], &rhs[last]);
	for (unsigned i = first + 1; i < last; i++)
		take_inner(&whole, &rhs[i]);
	return whole;
}

/* --- errors --- */

static struct diag *
error_at(struct parser *p, const struct place *at, const char *code,
    const char *fmt, va_list ap)
{
	struct diag *d = diag_vadd(p->opt.diags, DIAG_ERROR, code, fmt, ap);

	p->errors++;
	d->plain = PLAIN_AT;
	d->plain_file = parser_plain_file(p);
	d->plain_line = p->plain_line;
	d->span = at->span;
	d->via = at->via;
	return d;
}

struct diag *
parser_error_at(struct parser *p, const struct place *at, const char *code,
    const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = error_at(p, at, code, fmt, ap);
	va_end(ap);
	return d;
}

struct diag *
parser_error(struct parser *p, const struct ast *n, const char *code,
    const char *fmt, ...)
{
	struct place at = n != NULL ? (struct place){ .span = n->span,
	    .via = n->via } :
	    p->last;
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = error_at(p, &at, code, fmt, ap);
	va_end(ap);
	return d;
}

struct diag *
parser_warn(struct parser *p, struct span span, const char *code,
    const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = diag_vadd(p->opt.diags, DIAG_WARNING, code, fmt, ap);
	va_end(ap);
	d->plain = PLAIN_NONE;
	d->span = span;
	return d;
}

/* --- statements --- */

void
parser_statement_end(struct parser *p)
{
	p->nodes.used = p->marks.n > 0 ? p->marks.v[p->marks.n - 1] :
	    p->nodes.kept;
	p->expanded = 0;
	p->nrecent = 0;
}

/* As above, after more than an empty line. */
void
parser_statement_done(struct parser *p)
{
	p->broken_list = 0;
	p->braces = 0;
	parser_statement_end(p);
}

/*
 * Where an error leaves a list open, what follows are lines of the list and
 * no statements; nothing that is said of them means anything.
 */
void
parser_count_token(struct parser *p, int token)
{
	p->since_error++;
	if (token == '{')
		p->braces++;
	else if (token == '}' && p->braces > 0)
		p->braces--;
}

static void
note_broken_macro(struct parser *p)
{
	const struct recent *r = p->recent;

	if (p->broken_macros.n < ERRORS_EXPLAINED &&
	    p->nrecent >= 2 && p->nrecent <= RECENT_MAX &&
	    r[0].text != NULL && r[1].token == '=')
		vec_push(p->opt.arena, &p->broken_macros, r[0].text);
}

enum ast_result
parser_recovered(struct parser *p, const struct place *at)
{
	bool in_anchor = p->marks.n > 0;
	enum ast_result result;

	p->errors++;
	note_broken_macro(p);
	p->stray_braces += p->marks.n;
	p->broken_list += p->braces;
	p->braces = 0;
	p->since_error = 0;
	p->marks.n = p->opened.n = 0;
	result = ast_event_num(p, at, AST_ERROR, in_anchor);
	parser_statement_end(p);
	return result;
}

enum ast_result
parser_anchor_open(struct parser *p, const struct place *at)
{
	vec_push(p->opt.arena, &p->marks, p->nodes.used);
	vec_push(p->opt.arena, &p->opened, *at);
	p->braces--;
	return ast_event(p, at, AST_ANCHOR_OPEN);
}

/* The first line of the body: what stood before is the anchor's. */
void
parser_body_begin(struct parser *p)
{
	p->nrecent = 0;
}

struct ast *
parser_anchor_close(struct parser *p, const struct place *at)
{
	struct ast *n;

	p->marks.n--;
	p->opened.n--;
	n = ast_num(p, at, AST_ANCHOR_CLOSE, 0);
	n->num2 = p->opened.v[p->opened.n].span.off;
	return n;
}

/* --- files --- */

static void
push_file(struct parser *p, const char *name, const char *text, size_t len,
    struct span included_at)
{
	struct frame *f = arena_new(p->opt.arena, struct frame);

	f->name = arena_strdup(p->opt.arena, name);
	f->file = source_add(p->opt.sources, name, text, (uint32_t)len,
	    included_at);
	f->text = text;
	f->text_len = (uint32_t)len;
	f->skew = p->top == NULL ? 0 : 1;
	f->line = p->top == NULL ? 1 : 0;
	(void)lexer_fill(p, f);
	lexer_push(p, f);
}

static enum ast_result
cannot_include(struct parser *p, const struct place *at, const char *path,
    int error)
{
	struct span nowhere = { 0, 0, 0 };
	/* our limit; C libraries differ in what they call it */
	const char *why = error == EMFILE ? "Too many open files" :
	    strerror(error);
	struct diag *d;

	d = diag_add(p->opt.diags, DIAG_ERROR, "include", "pushfile: %s: %s",
	    path, why);
	d->plain = PLAIN_PFCTL;
	d->cascade = true;
	d = parser_error_at(p, at, "include", "failed to include file %s",
	    path);
	if (p->depth >= p->opt.max_include_depth)
		diag_note(p->opt.diags, d, nowhere,
		    "files are included %u deep, which is the limit",
		    p->opt.max_include_depth);
	else
		diag_note(p->opt.diags, d, nowhere, "%s", why);
	return AST_REFUSED;
}

static int
read_file(struct parser *p, const char *path, const char **text, size_t *len)
{
	int error;

	if (p->depth >= p->opt.max_include_depth)
		return EMFILE;
	if (p->opt.read_file == NULL)
		return ENOENT;
	error = p->opt.read_file(p->opt.read_ctx, p->opt.arena, path, text,
	    len);
	return error == 0 && *len > UINT32_MAX - 8 ? EFBIG : error;
}

enum ast_result
parser_include(struct parser *p, const struct place *at,
    const struct place *word_at, const char *path)
{
	const char *text;
	size_t len;
	int error;

	(void)ast_str(p, at, AST_INCLUDE, path);
	if (p->verdict != AST_OK)
		return p->verdict;
	if ((error = read_file(p, path, &text, &len)) != 0)
		return cannot_include(p, word_at, path, error);
	p->depth++;
	push_file(p, path, text, len, at->span);
	return AST_OK;
}

unsigned
parser_parse(struct parser *p, const char *name, const char *text, size_t len,
    struct span included_at)
{
	p->errors = 0;
	p->depth = 0;
	p->marks.n = p->opened.n = 0;
	p->stray_braces = 0;
	p->braces = p->broken_list = 0;
	p->since_error = SIZE_MAX / 2;
	p->nrecent = 0;
	p->expanded = 0;
	p->unused.n = 0;
	p->plain_line = 1;
	p->bad_backslash_warning = NULL;
	lexer_reset(p);
	push_file(p, name, text, len, included_at);
	p->last = (struct place){ .span = { p->top->file, 0, 0 } };
	(void)pfconf_parse(p);
	p->plain_file = parser_plain_file(p);
	while (p->top != NULL)
		lexer_leave(p);
	macro_forget(p);
	return p->errors;
}

/* The grammar's stacks, when they outgrow the C stack. */
void *
parser_stack_alloc(struct parser *p, size_t size)
{
	return arena_alloc(p->opt.arena, size);
}
