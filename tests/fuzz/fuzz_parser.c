/*
 * The parser alone: any text, and a listener that accepts everything or, as
 * the first byte says, refuses or aborts at pseudo-random nodes, so that
 * recovery is entered wherever it can be.  Files that are included exist: the
 * text itself, so that inclusion recurses until its limit.
 *
 * After parsing, the diagnostics are rendered in every form, since carets and
 * chains come from spans that must lie inside their texts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "parser/ast.h"
#include "parser/render.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct run {
	const uint8_t	*data;
	size_t		 size;
	struct source_map sources;
	uint32_t	 random;
	unsigned	 refuse_one_in;	/* 0: never */
	unsigned	 included;
};

static uint32_t
next_random(struct run *r)
{
	r->random = r->random * 1664525u + 1013904223u;
	return r->random >> 8;
}

static void
check_span(struct run *r, struct span span)
{
	const struct source *s = source_get(&r->sources, span.file);

	if (span.file != 0 && (s == NULL || span.off > s->len ||
	    span.len > s->len - span.off))
		abort();
}

static enum ast_result
event(void *ctx, struct parser *p, struct ast *n)
{
	struct run *r = ctx;
	uint32_t dice;

	check_span(r, n->span);
	for (const struct expansion *e = n->via; e != NULL; e = e->outer) {
		check_span(r, e->use);
		check_span(r, e->def);
	}
	if (r->refuse_one_in == 0)
		return AST_OK;
	dice = next_random(r);
	if (dice % r->refuse_one_in != 0)
		return AST_OK;
	(void)parser_error(p, n, "fuzz", "no %s", ast_kind_name(n->kind));
	return dice % 64 == 0 ? AST_ABORT : AST_REFUSED;
}

static int
read_file(void *ctx, struct arena *arena, const char *path, const char **text,
    size_t *len)
{
	struct run *r = ctx;

	if (*path == 'n' || r->included++ > 20)
		return ENOENT;
	*text = arena_memdup(arena, r->data, r->size + 1);
	*len = r->size;
	return 0;
}

static void
parse(struct run *r, struct arena *arena)
{
	struct diag_queue diags;
	struct parse_options o = { .arena = arena, .sources = &r->sources,
	    .diags = &diags, .listener = { r, event }, .read_file = read_file,
	    .read_ctx = r, .max_include_depth = 8,
	    .max_macro_bytes = 10000 };
	struct span nowhere = { 0, 0, 0 };
	struct macro_use *unused;
	struct strbuf out;
	struct parser *p;

	source_map_init(&r->sources, arena);
	diag_queue_init(&diags, arena);
	p = parser_new(&o);
	(void)parser_define(p, "cmd={ a, \"b c\" }");
	(void)parser_define(p, "nothing");
	(void)parser_parse(p, "pf.conf", (const char *)r->data, r->size,
	    nowhere);
	(void)parser_unused_macros(p, &unused);
	strbuf_init(&out, arena);
	render_plain(&diags, &out);
	render_rich(&diags, &r->sources, true, &out);
	render_json(&diags, &r->sources, false, &out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned odds[] = { 0, 0, 3, 10, 50, 200 };
	struct arena arena;
	struct run r = { .size = size };
	uint8_t *copy;
	jmp_buf oom;

	if ((copy = calloc(1, size + 1)) == NULL)
		return 0;
	memcpy(copy, data, size);
	r.data = copy;
	if (size > 0) {
		r.refuse_one_in = odds[data[0] % 6];
		r.random = data[0] * 2654435761u + (uint32_t)size;
	}
	if (setjmp(oom) == 0) {
		arena_init(&arena, NULL, &oom);
		arena.limit = (size_t)256 << 20;
		parse(&r, &arena);
	}
	arena_free(&arena);
	free(copy);
	return 0;
}
