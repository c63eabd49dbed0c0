/*
 * A text through the parser: what it said, and the last node of each kind.
 */
#ifndef TESTS_PARSE_TEXT_H
#define TESTS_PARSE_TEXT_H

#include <check.h>
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "parser/ast.h"
#include "parser/render.h"

/* Files that the text may include. */
struct test_file { const char *name, *text; };

struct parsed {
	struct arena	 arena;
	jmp_buf		 oom;
	struct source_map sources;
	struct diag_queue diags;
	struct parser	*parser;
	const struct test_file *files;
	struct strbuf	 events;	/* "KIND@line " for each */
	bool		 quiet;
	enum ast_kind	 refuse;	/* AST_NKINDS: none */
	enum ast_kind	 want;		/* dump this kind ... */
	struct strbuf	 dump;		/* ... here */
	struct strbuf	 values;	/* of the last macro: "[word] 12" */
	unsigned	 errors;
};

static void
dump_node(struct strbuf *sb, const struct ast *n)
{
	strbuf_printf(sb, "(%s", ast_kind_name(n->kind));
	if (n->neg)
		strbuf_puts(sb, " !");
	if (n->str != NULL)
		strbuf_printf(sb, " \"%s\"", n->str);
	if (n->str2 != NULL)
		strbuf_printf(sb, " \"%s\"", n->str2);
	if (n->num != 0 || n->num2 != 0)
		strbuf_printf(sb, " %lld", (long long)n->num);
	if (n->num2 != 0)
		strbuf_printf(sb, " %lld", (long long)n->num2);
	for (int i = 0; i < AST_NKIDS; i++)
		if (n->kid[i] != NULL) {
			strbuf_printf(sb, " %d:", i);
			dump_node(sb, n->kid[i]);
		}
	for (const struct ast *c = n->first; c != NULL; c = c->next) {
		strbuf_putc(sb, ' ');
		dump_node(sb, c);
	}
	strbuf_putc(sb, ')');
}

static void
note_values(struct parsed *t, const struct ast *macro)
{
	const struct ast *n = macro->kid[0]->first;

	t->values.len = 0;
	for (; n != NULL; n = n->next) {
		strbuf_puts(&t->values, t->values.len > 0 ? " " : "");
		if (n->kind == AST_NUM)
			strbuf_printf(&t->values, "%lld", (long long)n->num);
		else
			strbuf_printf(&t->values, "[%s]", n->str);
	}
}

static enum ast_result
on_event(void *ctx, struct parser *p, struct ast *n)
{
	struct parsed *t = ctx;

	if (!t->quiet)
		strbuf_printf(&t->events, "%s@%u ", ast_kind_name(n->kind),
		    parser_plain_line(p));
	if (n->kind == AST_MACRO)
		note_values(t, n);
	if (n->kind == t->want) {
		if (t->dump.len > 0)
			strbuf_putc(&t->dump, '\n');
		dump_node(&t->dump, n);
	}
	if (n->kind != t->refuse)
		return AST_OK;
	(void)parser_error(p, n, "test", "refused");
	return AST_REFUSED;
}

static int
read_test_file(void *ctx, struct arena *arena, const char *path,
    const char **text, size_t *len)
{
	struct parsed *t = ctx;

	for (const struct test_file *f = t->files; f != NULL &&
	    f->name != NULL; f++)
		if (strcmp(f->name, path) == 0) {
			*len = strlen(f->text);
			*text = arena_strndup(arena, f->text, *len);
			return 0;
		}
	return ENOENT;
}

static void
parse_begin(struct parsed *t)
{
	struct parse_options o = { .arena = &t->arena,
	    .sources = &t->sources, .diags = &t->diags,
	    .listener = { t, on_event }, .read_file = read_test_file,
	    .read_ctx = t };

	memset(t, 0, sizeof(*t));
	t->refuse = t->want = AST_NKINDS;
	if (setjmp(t->oom) != 0)
		ck_abort_msg("out of memory");
	arena_init(&t->arena, NULL, &t->oom);
	source_map_init(&t->sources, &t->arena);
	diag_queue_init(&t->diags, &t->arena);
	strbuf_init(&t->events, &t->arena);
	strbuf_init(&t->dump, &t->arena);
	strbuf_init(&t->values, &t->arena);
	t->parser = parser_new(&o);
}

static void
parse_bytes(struct parsed *t, const char *text, size_t len)
{
	t->errors = parser_parse(t->parser, "pf.conf", text, len,
	    (struct span){ 0, 0, 0 });
}

static void
parse_text(struct parsed *t, const char *text)
{
	parse_bytes(t, text, strlen(text));
}

static inline const char *
plain_of(struct parsed *t)
{
	struct strbuf sb;

	strbuf_init(&sb, &t->arena);
	render_plain(&t->diags, &sb);
	return strbuf_str(&sb);
}

static inline const char *
rich_of(struct parsed *t)
{
	struct strbuf sb;

	strbuf_init(&sb, &t->arena);
	render_rich(&t->diags, &t->sources, false, &sb);
	return strbuf_str(&sb);
}

static inline void
parse_end(struct parsed *t)
{
	arena_free(&t->arena);
}

#endif
