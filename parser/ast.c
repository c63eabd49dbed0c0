/*
 * Builders: each makes one node and hands it to the listener.
 *
 * Nodes come from a pool that is set back at the end of each statement, so a
 * ruleset of any length needs the nodes of its longest statement only.
 */
#include <string.h>

#include "parser/parser_int.h"

const char *
ast_kind_name(enum ast_kind kind)
{
	static const char *const names[AST_NKINDS] = {
#define AST(kind, doc)	#kind,
#include "parser/ast.def"
#undef AST
	};

	return kind < AST_NKINDS ? names[kind] : "?";
}

static struct ast *
pool_take(struct parser *p)
{
	struct node_pool *pool = &p->nodes;
	struct ast *n;

	if (pool->used == pool->blocks.n * NODE_BLOCK)
		vec_push(p->opt.arena, &pool->blocks,
		    arena_alloc(p->opt.arena, NODE_BLOCK * sizeof(*n)));
	n = &pool->blocks.v[pool->used / NODE_BLOCK][pool->used % NODE_BLOCK];
	pool->used++;
	memset(n, 0, sizeof(*n));
	return n;
}

struct ast *
ast_new(struct parser *p, const struct place *at, enum ast_kind kind)
{
	struct ast *n = pool_take(p);

	n->kind = kind;
	if (kind == AST_SET_STATE_DEFAULTS)
		p->nodes.kept = p->nodes.used;
	n->span = at->span;
	n->via = at->via;
	n->inner = at->inner;
	n->inner_via = at->inner_via;
	p->verdict = AST_OK;
	return n;
}

struct ast *
ast_tell(struct parser *p, struct ast *n)
{
	p->verdict = p->opt.listener.event(p->opt.listener.ctx, p, n);
	return n;
}

/* --- words, numbers, lists --- */

struct ast *
ast_word(struct parser *p, const struct place *at, const char *str)
{
	struct ast *n = ast_new(p, at, AST_WORD);

	n->str = str;
	return n;
}

const char *
ast_decimal(struct parser *p, int64_t num)
{
	char buf[24], *s = buf + sizeof(buf);
	uint64_t rest = num < 0 ? 0 - (uint64_t)num : (uint64_t)num;

	do
		*--s = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (num < 0)
		*--s = '-';
	return arena_strndup(p->opt.arena, s,
	    (size_t)(buf + sizeof(buf) - s));
}

struct ast *
ast_number(struct parser *p, const struct place *at, int64_t num)
{
	struct ast *n = ast_new(p, at, AST_NUM);

	n->num = num;
	n->str = ast_decimal(p, num);
	return n;
}

struct ast *
ast_list(struct parser *p, const struct place *at, struct ast *item)
{
	struct ast *n = ast_new(p, at, AST_LIST);

	n->first = n->last = item;
	return n;
}

/* Its span grows as far as that is possible. */
static void
reach(struct ast *list, const struct ast *item)
{
	struct place a = { .span = list->span, .via = list->via };
	struct place b = { .span = item->span, .via = item->via };

	if (list->first == NULL)
		a = b;
	a = place_join(&a, &b);
	list->span = a.span;
	list->via = a.via;
}

struct ast *
ast_append(struct ast *list, struct ast *item)
{
	reach(list, item);
	if (list->last != NULL)
		list->last->next = item;
	else
		list->first = item;
	list->last = item;
	return list;
}

struct ast *
ast_splice(struct ast *list, struct ast *more)
{
	if (more->first == NULL)
		return list;
	reach(list, more);
	if (list->last != NULL)
		list->last->next = more->first;
	else
		list->first = more->first;
	list->last = more->last;
	return list;
}

const char *
ast_joined(struct parser *p, const struct ast *list)
{
	size_t len = 0, wordlen;
	char *s, *to;

	if (list->first == list->last)
		return list->first->str;
	for (const struct ast *n = list->first; n != NULL; n = n->next)
		len += strlen(n->str) + 1;
	to = s = arena_alloc(p->opt.arena, len);
	for (const struct ast *n = list->first; n != NULL; n = n->next) {
		wordlen = strlen(n->str);
		memcpy(to, n->str, wordlen);
		to += wordlen;
		*to++ = n->next != NULL ? ' ' : '\0';
	}
	return s;
}

/* --- nodes by their shape --- */

struct ast *
ast_num(struct parser *p, const struct place *at, enum ast_kind kind,
    int64_t num)
{
	return ast_num2(p, at, kind, num, 0);
}

struct ast *
ast_num2(struct parser *p, const struct place *at, enum ast_kind kind,
    int64_t num, int64_t num2)
{
	struct ast *n = ast_new(p, at, kind);

	n->num = num;
	n->num2 = num2;
	return ast_tell(p, n);
}

struct ast *
ast_str(struct parser *p, const struct place *at, enum ast_kind kind,
    const char *str)
{
	return ast_str2(p, at, kind, str, NULL);
}

struct ast *
ast_str2(struct parser *p, const struct place *at, enum ast_kind kind,
    const char *str, const char *str2)
{
	struct ast *n = ast_new(p, at, kind);

	n->str = str;
	n->str2 = str2;
	return ast_tell(p, n);
}

struct ast *
ast_str_num(struct parser *p, const struct place *at, enum ast_kind kind,
    const char *str, int64_t num)
{
	struct ast *n = ast_new(p, at, kind);

	n->str = str;
	n->num = num;
	return ast_tell(p, n);
}

struct ast *
ast_kid(struct parser *p, const struct place *at, enum ast_kind kind,
    struct ast *kid)
{
	return ast_kid_num(p, at, kind, kid, 0);
}

struct ast *
ast_kid_num(struct parser *p, const struct place *at, enum ast_kind kind,
    struct ast *kid, int64_t num)
{
	struct ast *n = ast_new(p, at, kind);

	n->kid[0] = kid;
	n->num = num;
	return ast_tell(p, n);
}

struct ast *
ast_kid_str(struct parser *p, const struct place *at, enum ast_kind kind,
    struct ast *kid, const char *str)
{
	struct ast *n = ast_new(p, at, kind);

	n->kid[0] = kid;
	n->str = str;
	return ast_tell(p, n);
}

struct ast *
ast_kids(struct parser *p, const struct place *at, enum ast_kind kind,
    struct ast *a, struct ast *b, struct ast *c)
{
	struct ast *n = ast_new(p, at, kind);

	n->kid[0] = a;
	n->kid[1] = b;
	n->kid[2] = c;
	return ast_tell(p, n);
}

struct ast *
ast_of(struct parser *p, const struct place *at, enum ast_kind kind,
    struct ast *list)
{
	return ast_of_num(p, at, kind, list, 0);
}

struct ast *
ast_of_num(struct parser *p, const struct place *at, enum ast_kind kind,
    struct ast *list, int64_t num)
{
	struct ast *n = ast_new(p, at, kind);

	if (list != NULL) {
		n->first = list->first;
		n->last = list->last;
	}
	n->num = num;
	return ast_tell(p, n);
}

enum ast_result
ast_event(struct parser *p, const struct place *at, enum ast_kind kind)
{
	return ast_event_num(p, at, kind, 0);
}

enum ast_result
ast_event_num(struct parser *p, const struct place *at, enum ast_kind kind,
    int64_t num)
{
	(void)ast_num(p, at, kind, num);
	return p->verdict;
}
