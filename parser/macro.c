/*
 * Macros.
 *
 * A value is text: the definition's tokens with one blank between them, read
 * again wherever the macro is used.  While a value is read no macro is
 * expanded, so they cannot recurse; but a definition may use macros defined
 * before it, so that values can double line by line.  A value is therefore
 * no longer than max_macro_bytes, and neither is what one statement may
 * expand.
 *
 * Of each value's tokens it is remembered where they stand in the source.
 */
#include <ctype.h>
#include <string.h>

#include "parser/parser_int.h"

struct macro *
macro_find(struct parser *p, const char *name, size_t len)
{
	return word_get(&p->words, name, len)->macro;
}

static void
unlink_macro(struct parser *p, struct macro *m)
{
	m->word->macro = NULL;
	*(m->prev != NULL ? &m->prev->next : &p->macros.first) = m->next;
	*(m->next != NULL ? &m->next->prev : &p->macros.last) = m->prev;
}

static void
link_macro(struct parser *p, struct macro *m)
{
	m->word->macro = m;
	m->prev = p->macros.last;
	*(m->prev != NULL ? &m->prev->next : &p->macros.first) = m;
	p->macros.last = m;
}

/* A new definition takes the place of an old one, but not of -D. */
static struct macro *
macro_new(struct parser *p, const char *name, const char *value, size_t len,
    struct span def)
{
	struct word *word = word_get(&p->words, name, strlen(name));
	struct macro *m = word->macro;

	if (m != NULL && m->command_line)
		return NULL;
	if (m != NULL)
		unlink_macro(p, m);
	m = arena_new(p->opt.arena, struct macro);
	m->word = word;
	m->name = word->text;
	m->text = value;
	m->len = (uint32_t)len;
	m->value = arena_alloc(p->opt.arena, len + 2);
	memcpy(m->value, value, len);
	m->def = def;
	link_macro(p, m);
	return m;
}

/* --- where the pieces of a value stand --- */

/* Whether the word stands in the source as it is, after its quote if any. */
static bool
find_text(struct parser *p, const struct ast *n, size_t len, uint32_t *text)
{
	const struct source *s = source_get(p->opt.sources, n->span.file);

	if (s == NULL)
		return false;
	for (uint32_t skip = 0; skip < 2; skip++) {
		*text = n->span.off + skip;
		if (*text <= s->len && len <= s->len - *text &&
		    memcmp(s->text + *text, n->str, len) == 0)
			return true;
	}
	return false;
}

static void
add_pieces(struct parser *p, struct macro *m, const struct ast *values)
{
	uint32_t at = 0;

	for (const struct ast *n = values->first; n != NULL; n = n->next) {
		struct piece piece = { .at = at, .span = n->span,
		    .via = n->via };

		piece.len = (uint32_t)strlen(n->str);
		piece.linear = find_text(p, n, piece.len, &piece.text);
		vec_push(p->opt.arena, &m->pieces, piece);
		at += piece.len + 1;
	}
}

/* --- definitions --- */

static bool
has_white_space(const char *name)
{
	/* The first byte may be a blank: pfctl does not look at it. */
	for (name += *name != '\0'; *name != '\0'; name++)
		if (isspace((unsigned char)*name))
			return true;
	return false;
}

static enum ast_result
too_large(struct parser *p, const struct place *at, const char *name)
{
	struct diag *d = parser_error_at(p, at, "limit",
	    "macro '%s' too large", name);

	diag_note(p->opt.diags, d, (struct span){ 0, 0, 0 },
	    "the limit is %zu bytes", p->opt.max_macro_bytes);
	return AST_ABORT;
}

enum ast_result
macro_define(struct parser *p, const struct place *at,
    const struct place *name_at, const char *name, struct ast *values)
{
	const char *value = ast_joined(p, values);
	struct ast *n = ast_new(p, at, AST_MACRO);
	size_t len = strlen(value);
	struct macro *m;

	n->str = name;
	n->str2 = value;
	n->kid[0] = values;
	(void)ast_tell(p, n);
	if (p->verdict != AST_OK)
		return p->verdict;
	if (has_white_space(name)) {
		(void)parser_error_at(p, name_at, "macro-name",
		    "macro name cannot contain whitespace");
		return AST_REFUSED;
	}
	if (len > p->opt.max_macro_bytes)
		return too_large(p, at, name);
	m = macro_new(p, name, value, len, at->span);
	if (m != NULL)
		add_pieces(p, m, values);
	return AST_OK;
}

bool
parser_define(struct parser *p, const char *definition)
{
	const char *eq = strrchr(definition, '=');
	size_t len = strlen(definition), namelen;
	struct piece piece = { .linear = true };
	struct macro *m;

	if (eq == NULL) {
		struct diag *d = diag_add(p->opt.diags, DIAG_ERROR, "define",
		    "could not parse macro definition %s", definition);

		d->plain = PLAIN_PFCTL;
		return false;
	}
	namelen = (size_t)(eq - definition);
	piece.span.file = source_add(p->opt.sources, "command line",
	    arena_strdup(p->opt.arena, definition), (uint32_t)len,
	    (struct span){ 0, 0, 0 });
	piece.span.len = (uint32_t)len;
	piece.text = (uint32_t)namelen + 1;
	piece.len = (uint32_t)(len - namelen - 1);
	m = macro_new(p, arena_strndup(p->opt.arena, definition, namelen),
	    arena_strdup(p->opt.arena, eq + 1), piece.len, piece.span);
	if (m != NULL) {
		m->command_line = true;
		vec_push(p->opt.arena, &m->pieces, piece);
	}
	return true;
}

/* --- the end of a file --- */

void
macro_forget(struct parser *p)
{
	struct macro *m;

	while ((m = p->macros.first) != NULL) {
		struct macro_use use = { m->name, m->def, m->command_line,
		    m->misspelt };

		if (!m->used)
			vec_push(p->opt.arena, &p->unused, use);
		unlink_macro(p, m);
	}
	p->broken_macros.n = 0;
}

size_t
parser_unused_macros(struct parser *p, struct macro_use **list)
{
	*list = p->unused.v;
	return p->unused.n;
}

const char *const *
macro_names(struct parser *p)
{
	VEC(const char *) names = { NULL, 0, 0 };

	for (const struct macro *m = p->macros.first; m != NULL; m = m->next)
		vec_push(p->opt.arena, &names, m->name);
	vec_push(p->opt.arena, &names, NULL);
	return names.v;
}
