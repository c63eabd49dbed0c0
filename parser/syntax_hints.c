/*
 * Mistakes that people make in pf.conf, recognised at a syntax error.
 */
#include <string.h>

#include "parser/syntax.h"
#include "grammar/pfconf.tab.h"

static const struct span nowhere = { 0, 0, 0 };

/* Token i of the statement, of `count` that are known from `first` on. */
struct history {
	struct parser	*p;
	size_t		 first, count;	/* without the wrong token */
};

static const struct recent *
token(const struct history *h, size_t i)
{
	return &h->p->recent[(h->first + i) % RECENT_MAX];
}

static struct history
history(struct parser *p)
{
	struct history h = { p, 0, p->nrecent - 1 };

	if (p->nrecent > RECENT_MAX) {
		h.first = p->nrecent - RECENT_MAX;
		h.count = RECENT_MAX - 1;
	}
	return h;
}

static bool
is_text(const struct recent *r, const char *text)
{
	return r->text != NULL && strcmp(r->text, text) == 0;
}

static bool
is_one_of(const char *text, const char *const *list)
{
	for (; text != NULL && *list != NULL; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

static bool
found(const struct dead_end *e, enum found kind, const char *text)
{
	return e->found == kind && strcmp(e->text, text) == 0;
}

static void
point_at(struct diag *d, const struct recent *r)
{
	d->span = r->place.span;
	d->via = r->place.via;
}

/* --- lines that end as they do on Windows --- */

static bool
carriage_return(struct history *h, const struct dead_end *e, struct diag *d)
{
	struct parser *p = h->p;
	const struct source *s = source_get(p->opt.sources,
	    e->place.span.file);

	if (e->found != FOUND_BAD || s == NULL ||
	    e->place.span.off >= s->len ||
	    s->text[e->place.span.off] != '\r')
		return false;
	d->cascade = p->carriage_returns;	/* once is enough */
	p->carriage_returns = true;
	d->code = "carriage-return";
	d->detail = "a carriage return: lines end in a line feed alone";
	diag_note(p->opt.diags, d, nowhere, "`tr -d '\\r'` takes them out of a "
	    "file that comes from Windows (CR LF)");
	return true;
}

/* --- a backslash before white space does not continue the line --- */

static bool
backslash(struct history *h, const struct dead_end *e, struct diag *d)
{
	struct parser *p = h->p;

	(void)e;
	if (p->bad_backslash_warning == NULL ||
	    p->plain_line - p->bad_backslash_line > 1)
		return false;
	p->bad_backslash_warning->cascade = true;
	p->bad_backslash_warning = NULL;
	d->code = "backslash-space";
	d->detail = "the statement is cut in two: white space follows the "
	    "backslash that was to continue the line";
	diag_note(p->opt.diags, d, p->bad_backslash,
	    "the backslash must be the last character of its line");
	return true;
}

/* --- statements of other times and other systems --- */

#define ONE_ANCHOR "`anchor` is for rules of all kinds (since OpenBSD 4.7)"

static const struct { const char *word, *advice; } old_statements[] = {
	{ "nat", "write `match out on ... nat-to ...` (since OpenBSD 4.7)" },
	{ "rdr", "write `pass in on ... rdr-to ...` (since OpenBSD 4.7)" },
	{ "binat", "write `pass on ... binat-to ...` (since OpenBSD 4.7)" },
	{ "scrub", "write `match in all scrub (...)` (since OpenBSD 4.6)" },
	{ "nat-anchor", ONE_ANCHOR }, { "rdr-anchor", ONE_ANCHOR },
	{ "binat-anchor", ONE_ANCHOR }, { "scrub-anchor", ONE_ANCHOR },
	{ "altq", "write `queue` statements (since OpenBSD 5.5)" },
	{ NULL, NULL }
};

static bool
old_statement(struct history *h, const struct dead_end *e, struct diag *d)
{
	const char *text = h->count > 0 ? token(h, 0)->text : e->text;

	if (h->count > 1 || text == NULL)
		return false;
	for (size_t i = 0; old_statements[i].advice != NULL; i++) {
		if (strcmp(old_statements[i].word, text) != 0)
			continue;
		if (h->count > 0)
			point_at(d, token(h, 0));
		d->code = "old-syntax";
		d->detail = arena_printf(h->p->opt.arena,
		    "there are no `%s` statements in this version of pf",
		    text);
		diag_note(h->p->opt.diags, d, nowhere, "%s",
		    old_statements[i].advice);
		return true;
	}
	return false;
}

/* --- a first word that is no statement was read as a macro's name --- */

static bool
unknown_statement(struct history *h, const struct dead_end *e,
    struct diag *d)
{
	const struct recent *first = token(h, 0);

	if (h->count != 1 || first->token != TOK_STRING ||
	    e->nexpected != 1 || !dead_end_expects(e, "="))
		return false;
	point_at(d, first);
	d->detail = arena_printf(h->p->opt.arena, "`%.80s` is no statement, "
	    "nor a definition (`%.80s = ...`)", first->text, first->text);
	d->suggestion = suggest(first->text, syntax_statements);
	return true;
}

/* Whether `=` follows in the source. */
static bool
is_definition(struct parser *p, struct span name)
{
	const struct source *s = source_get(p->opt.sources, name.file);
	uint32_t at = name.off + name.len;

	while (s != NULL && at < s->len && (s->text[at] == ' ' ||
	    s->text[at] == '\t'))
		at++;
	return s != NULL && at < s->len && s->text[at] == '=';
}

static bool
keyword_as_macro(struct history *h, const struct dead_end *e, struct diag *d)
{
	const struct recent *name = token(h, h->count == 1 ? 0 : h->count);

	if (h->count > 1 || name->text == NULL ||
	    name->token == TOK_STRING ||
	    !is_definition(h->p, name->place.span) ||
	    (h->count == 1 && !found(e, FOUND_MARK, "=")))
		return false;
	point_at(d, name);
	d->detail = arena_printf(h->p->opt.arena,
	    "`%s` is a keyword: a macro needs another name", name->text);
	return true;
}

/* --- the value of a macro is plain words, or stands in quotes --- */

static bool
unquoted_value(struct history *h, const struct dead_end *e, struct diag *d)
{
	if (h->count < 2 || token(h, 0)->token != TOK_STRING ||
	    token(h, 1)->token != '=' || h->first > 0 ||
	    (e->found != FOUND_MARK && e->found != FOUND_KEYWORD))
		return false;
	d->detail = arena_printf(h->p->opt.arena, "unexpected %s: a value "
	    "with more than plain words must stand in quotes",
	    dead_end_found(h->p, e));
	diag_note(h->p->opt.diags, d, nowhere, "write %.80s = \"...\"",
	    token(h, 0)->text);
	return true;
}

/* --- the parts of a rule have an order --- */

static const struct { const char *word; unsigned rank; const char *part; }
order[] = {
	{ "drop", 1, "how to block" }, { "return", 1, "how to block" },
	{ "in", 2, "the direction" }, { "out", 2, "the direction" },
	{ "log", 3, NULL }, { "quick", 3, NULL },
	{ "on", 4, "the interface" },
	{ "inet", 5, "the address family" },
	{ "inet6", 5, "the address family" },
	{ "proto", 6, "the protocol" },
	{ "all", 7, "the addresses" }, { "from", 7, "the addresses" },
	{ "os", 8, NULL }, { "to", 9, "the destination" },
};

#define RANK_OPTION	10

static unsigned
rank_of(const char *text, const char **part)
{
	*part = NULL;
	for (size_t i = 0; text != NULL &&
	    i < sizeof(order) / sizeof(*order); i++)
		if (strcmp(order[i].word, text) == 0) {
			*part = order[i].part;
			return order[i].rank;
		}
	return is_one_of(text, syntax_rule_options) ? RANK_OPTION : 0;
}

static int
nesting(const struct recent *r)
{
	return r->token == '{' || r->token == '(' ? 1 :
	    r->token == '}' || r->token == ')' ? -1 : 0;
}

/* The first token, outside of brackets, of at least that rank. */
static const struct recent *
find_rank(const struct history *h, unsigned rank, const char *text)
{
	const char *part;
	unsigned r;
	int depth = 0;

	for (size_t i = 1; i < h->count; i++) {
		depth += nesting(token(h, i));
		if (depth != 0 || token(h, i)->token == TOK_STRING)
			continue;
		r = rank_of(token(h, i)->text, &part);
		if (r > rank || (r == rank && (rank != 3 ||
		    is_text(token(h, i), text))))
			return token(h, i);
		if (r == RANK_OPTION)
			break;
	}
	return NULL;
}

static bool
wrong_order(struct history *h, const struct dead_end *e, struct diag *d)
{
	static const char *const rules[] = { "pass", "block", "match",
	    "anchor", NULL };
	const struct recent *later;
	const char *part, *later_part;
	unsigned rank, later_rank;
	struct parser *p = h->p;

	if (h->count == 0 || e->found != FOUND_KEYWORD ||
	    !is_one_of(token(h, 0)->text, rules) ||
	    (rank = rank_of(e->text, &part)) == 0 || rank == RANK_OPTION ||
	    (later = find_rank(h, rank, e->text)) == NULL)
		return false;
	later_rank = rank_of(later->text, &later_part);
	d->code = "order";
	if (later_rank == rank)
		d->detail = arena_printf(p->opt.arena, is_text(later, e->text) ?
		    "`%s` is given twice" : "`%s` cannot stand beside `%s`",
		    e->text, later->text);
	else
		d->detail = arena_printf(p->opt.arena,
		    "`%s` must stand before %s%s`%s`%s", e->text,
		    later_rank == RANK_OPTION ? "the option " :
		    later_part != NULL ? later_part : "",
		    later_rank != RANK_OPTION && later_part != NULL ?
		    " (" : "", later->text,
		    later_rank != RANK_OPTION && later_part != NULL ?
		    ")" : "");
	diag_note(p->opt.diags, d, later->place.span, "here is `%s`",
	    later->text);
	if (later_rank != rank)
		diag_note(p->opt.diags, d, nowhere, "the order is: pass in "
		    "log quick on IF inet proto P from A to B options");
	return true;
}

/* --- port needs from or to --- */

static bool
lone_port(struct history *h, const struct dead_end *e, struct diag *d)
{
	if (!found(e, FOUND_KEYWORD, "port") || !dead_end_expects(e, "to"))
		return false;
	d->detail = "a port belongs to `from` or `to`";
	d->suggestion = "to port";
	(void)h;
	return true;
}

/* --- a list that is not closed --- */

static const struct recent *
open_bracket(const struct history *h, int closing)
{
	int depth = 0, opening = closing == '}' ? '{' : '(';

	for (size_t i = h->count; i-- > 0; ) {
		depth += token(h, i)->token == opening;
		depth -= token(h, i)->token == closing;
		if (depth > 0)
			return token(h, i);
	}
	return NULL;
}

static bool
unclosed(struct history *h, const struct dead_end *e, struct diag *d)
{
	const char *closing = dead_end_expects(e, "}") ? "}" :
	    dead_end_expects(e, ")") ? ")" : NULL;
	const struct recent *open;

	if (closing == NULL || (e->found != FOUND_KEYWORD &&
	    e->found != FOUND_LINE_END && e->found != FOUND_FILE_END &&
	    e->found != FOUND_MARK) ||
	    (open = open_bracket(h, *closing)) == NULL)
		return false;
	d->detail = arena_printf(h->p->opt.arena, "unexpected %s in a list: "
	    "`%s` is missing before it", dead_end_found(h->p, e), closing);
	diag_note(h->p->opt.diags, d, open->place.span,
	    "the list begins here");
	return true;
}

static bool
lone_comma(struct history *h, const struct dead_end *e, struct diag *d)
{
	if (!found(e, FOUND_MARK, ",") || open_bracket(h, '}') != NULL ||
	    open_bracket(h, ')') != NULL)
		return false;
	d->detail = "unexpected `,`: a list must stand in braces, as in "
	    "{ a, b }";
	return true;
}

/* --- anchors --- */

static bool
end_in_anchor(struct history *h, const struct dead_end *e, struct diag *d)
{
	struct parser *p = h->p;

	if (p->opened.n == 0 || e->found != FOUND_FILE_END)
		return false;
	d->detail = "the file ends inside the braces of an anchor";
	diag_note(p->opt.diags, d, p->opened.v[p->opened.n - 1].span,
	    "the brace that is not closed");
	return true;
}

static bool
not_in_anchor(struct history *h, const struct dead_end *e, struct diag *d)
{
	bool definition = e->found == FOUND_WORD &&
	    is_definition(h->p, e->place.span);

	if (h->p->opened.n == 0 || h->count != 0 || (!definition &&
	    (e->found != FOUND_KEYWORD ||
	    !is_one_of(e->text, syntax_statements))))
		return false;
	d->detail = arena_printf(h->p->opt.arena, definition ?
	    "macro `%.80s` cannot be defined inside the braces of an anchor" :
	    "`%.80s` cannot stand inside the braces of an anchor", e->text);
	return true;
}

/* --- a macro whose value is more than one word --- */

static bool
split_value(struct history *h, const struct dead_end *e, struct diag *d)
{
	const struct recent *before;
	struct parser *p = h->p;
	const struct expansion *via = e->place.via;
	const struct macro *m;

	if (h->count == 0 || via == NULL || (e->found != FOUND_WORD &&
	    e->found != FOUND_NUMBER && e->found != FOUND_KEYWORD))
		return false;
	before = token(h, h->count - 1);
	if (before->place.via != via ||
	    (m = macro_find(p, via->macro, strlen(via->macro))) == NULL)
		return false;
	d->detail = arena_printf(p->opt.arena, "unexpected %s: the value of "
	    "$%s, \"%.80s\", is more than one word here",
	    dead_end_found(p, e), via->macro, m->text);
	return true;
}

typedef bool hint_fn(struct history *, const struct dead_end *,
    struct diag *);

bool
syntax_hint(struct parser *p, const struct dead_end *e, struct diag *d)
{
	static hint_fn *const hints[] = { carriage_return, backslash,
	    old_statement,
	    end_in_anchor, not_in_anchor, keyword_as_macro,
	    unknown_statement, unquoted_value, wrong_order, lone_port,
	    lone_comma, split_value, unclosed };
	struct history h = history(p);

	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (hints[i](&h, e, d))
			return true;
	return false;
}
