/*
 * The checks: from events of the parser to the room that knows their kind.
 *
 * ast.def lists the kinds by subject, so a room's kinds are a few ranges of
 * numbers.  A kind in no range needs no check.
 */
#include <string.h>

#include "compiler/sema.h"

#define SCRATCH_ROOM	((size_t)32 << 10)

typedef enum ast_result room_fn(struct sema *, struct ast *);

static enum ast_result
macro(struct sema *s, struct ast *n)
{
	if (s->rs->verbose > 0)
		strbuf_printf(&s->rs->echo, "%s = \"%s\"\n", n->str, n->str2);
	return AST_OK;
}

static enum ast_result
recovered(struct sema *s, struct ast *n)
{
	(void)sema_queue(s, n);
	return sema_anchor(s, n);
}

static const struct room {
	enum ast_kind	 first, last;
	room_fn		*check;
} rooms[] = {
	{ AST_MACRO,		AST_MACRO,		macro },
	{ AST_SET_REASSEMBLE,	AST_SET_SYNCOOKIES,	sema_set },
	{ AST_TABLE,		AST_TABLE,		sema_table },
	{ AST_QUEUE,		AST_QUEUE,		sema_queue },
	{ AST_ANTISPOOF,	AST_LOAD_ANCHOR,	sema_anchor },
	{ AST_RULE,		AST_RULE,		sema_rule },
	{ AST_ANCHOR,		AST_ANCHOR_CLOSE,	sema_anchor },
	{ AST_ERROR,		AST_ERROR,		recovered },
	{ AST_YESNO,		AST_SYNCOOKIE_OPT,	sema_set },
	{ AST_TABLE_FLAG,	AST_TABLE_FILE,		sema_table },
	{ AST_QUEUE_BANDWIDTH,	AST_BANDWIDTH,		sema_queue },
	{ AST_ANCHOR_NAME,	AST_ANCHOR_NAME,	sema_anchor },
	{ AST_ACTION,		AST_PROTO,		sema_head },
	{ AST_FROMTO,		AST_WEIGHT,		sema_host },
	{ AST_PORT_EQ,		AST_PORT_RANGE,		sema_head },
	{ AST_FILTER_OPTS_BEGIN, AST_SCRUB_RANDOM_ID,	sema_option },
	{ AST_STATE_OPT_MAX,	AST_STATE_OPT_TIMEOUT,	sema_state },
	{ AST_POOL,		AST_POOL_STICKY,	sema_pool },
};

#define NROOMS	(sizeof(rooms) / sizeof(*rooms))

/* room_of[]: number of the room and one, so that 0 is none. */
static void
assign_rooms(struct sema *s)
{
	for (size_t i = 0; i < NROOMS; i++)
		for (int k = (int)rooms[i].first; k <= (int)rooms[i].last;
		    k++)
			s->room_of[k] = (uint8_t)(i + 1);
}

static enum ast_result
check(struct sema *s, struct ast *n)
{
	uint8_t room = s->room_of[n->kind];

	return room != 0 ? rooms[room - 1].check(s, n) : AST_OK;
}

/*
 * Scratch room: nothing of a statement is needed once it has been checked.
 * The lines between an anchor's braces are statements while the anchor's own
 * has not ended.
 */
static void
open_anchor(struct sema *s)
{
	if (s->open_anchors <= RULE_ANCHOR_DEPTH)
		s->marks[++s->open_anchors] = arena_mark(&s->rs->scratch);
}

static void
statement_ends(struct sema *s, const struct ast *n)
{
	if (n->kind == AST_ANCHOR && n->str != NULL && s->open_anchors > 0)
		s->open_anchors--;
	if (n->kind == AST_ERROR)	/* all anchors are given up */
		s->open_anchors = 0;
	arena_release(&s->rs->scratch, s->marks[s->open_anchors]);
}

enum ast_result
sema_event(void *sema, struct parser *parser, struct ast *n)
{
	struct sema *s = sema;
	enum ast_result r;

	s->parser = parser;
	r = check(s, n);
	if (n->kind == AST_ANCHOR_OPEN)
		open_anchor(s);
	if (n->kind == AST_ERROR || (r == AST_OK &&
	    n->kind >= AST_SET_REASSEMBLE && n->kind <= AST_ANCHOR))
		statement_ends(s, n);
	return s->fatal ? AST_ABORT : r;
}

/* A chunk stays, with room for any usual statement. */
static void
start_scratch(struct sema *s)
{
	struct arena *scratch = &s->rs->scratch;
	char *room;

	arena_init(scratch, s->rs->arena.alloc, s->rs->arena.oom);
	scratch->limit = s->rs->arena.limit;
	room = arena_alloc(scratch, SCRATCH_ROOM);
	s->marks[0] = arena_mark(scratch);
	s->marks[0].cur = room;
	arena_release(scratch, s->marks[0]);
}

struct sema *
sema_new(struct pfk_ruleset *rs)
{
	struct sema *s = arena_new(&rs->arena, struct sema);

	s->rs = rs;
	s->parser = rs->parser;
	s->here = rs->flat.root;
	s->block_policy = RULE_DROP;
	assign_rooms(s);
	start_scratch(s);
	sema_set_init(s);
	return s;
}

enum ast_result
sema_error(struct sema *s, const struct ast *n, const char *code,
    const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(&s->rs->arena, fmt, ap);
	va_end(ap);
	(void)parser_error(s->parser, n, code, "%s", text);
	return AST_REFUSED;
}

/* Words that macros put there are not found; the span stays as it is then. */
void
sema_blame(struct sema *s, struct diag *d, const char *word,
    const char *instead)
{
	const struct source *src = source_get(&s->rs->sources, d->span.file);
	uint32_t len = (uint32_t)strlen(word), at;

	d->suggestion = instead;
	if (src == NULL || len == 0 || len > d->span.len)
		return;
	for (at = d->span.off + d->span.len - len; ; at--) {
		if (memcmp(src->text + at, word, len) == 0)
			break;
		if (at == d->span.off)
			return;
	}
	d->span.off = at;
	d->span.len = len;
}

struct diag *
sema_message(struct sema *s, const struct ast *n, const char *code,
    enum plain_form plain, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = diag_vadd(&s->rs->diags, DIAG_ERROR, code, fmt, ap);
	va_end(ap);
	d->plain = plain;
	d->plain_file = parser_plain_file(s->parser);
	d->plain_line = parser_plain_line(s->parser);
	if (n != NULL) {
		d->span = n->span;
		d->via = n->via;
	}
	return d;
}
