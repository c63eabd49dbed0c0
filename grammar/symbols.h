/*
 * The end of pfconf.y: what must know bison's own names of symbols.  Tokens
 * come in, and at a dead end the symbols become words for syntax.c.
 */

/* The words of symbols, for messages: keywords as they are written. */
static const char *
symbol_word(yysymbol_kind_t kind)
{
	static const char *const words[] = {
#define KEYWORD(word, token)	[YYSYMBOL_##token] = word,
#include "grammar/keywords.def"
#undef KEYWORD
	};

	return (size_t)kind < sizeof(words) / sizeof(*words) ?
	    words[kind] : NULL;
}

/* ... and of marks; bison names them '{' and so on. */
static const char *
symbol_mark(yysymbol_kind_t kind)
{
	static const char *const marks[] = { "{", "}", "(", ")", ",", "=",
	    "!", "<", ">", "/", "-" };
	const char *name = yysymbol_name(kind);

	switch (kind) {
	case YYSYMBOL_NE:
		return "!=";
	case YYSYMBOL_LE:
		return "<=";
	case YYSYMBOL_GE:
		return ">=";
	case YYSYMBOL_PORT_BINARY:
		return "><";
	default:
		for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
			if (name[0] == '\'' && name[1] == *marks[i])
				return marks[i];
		return NULL;
	}
}

static int
pfconf_lex(PFCONF_STYPE *val, PFCONF_LTYPE *loc, struct parser *p)
{
	struct recent *r = &p->recent[p->nrecent++ % RECENT_MAX];

	p->lexical = false;
	val->str = NULL;
	r->token = pfconf_scan(val, loc, p->scanner);
	r->text = r->token == TOK_NUMBER || r->token == TOK_PORT_BINARY ?
	    NULL : val->str;
	r->place = p->last = *loc;
	parser_count_token(p, r->token);
	return r->token;
}

/* Only when the parser's stack is full, which pfctl's would be as well. */
static void
pfconf_error(const PFCONF_LTYPE *loc, struct parser *p, const char *text)
{
	(void)text;
	(void)parser_error_at(p, loc, "limit", "yacc stack overflow");
}

static void
expect(struct dead_end *e, yysymbol_kind_t kind)
{
	const char *text = symbol_word(kind);

	switch (kind) {
	case YYSYMBOL_STRING:
		e->expects_word = true;
		return;
	case YYSYMBOL_NUMBER:
		e->expects_number = true;
		return;
	default:
		break;
	}
	if (text == NULL && (text = symbol_mark(kind)) == NULL)
		e->expects_line_end = e->expects_line_end ||
		    strcmp(yysymbol_name(kind), "'\\n'") == 0;
	else if (e->nexpected < EXPECTED_MAX)
		e->expected[e->nexpected++] = text;
}

static enum found
found_of(yysymbol_kind_t kind, const char **text)
{
	switch (kind) {
	case YYSYMBOL_YYEOF:
		return FOUND_FILE_END;
	case YYSYMBOL_STRING:
		return FOUND_WORD;
	case YYSYMBOL_NUMBER:
		return FOUND_NUMBER;
	default:
		break;
	}
	if ((*text = symbol_word(kind)) != NULL)
		return FOUND_KEYWORD;
	if ((*text = symbol_mark(kind)) != NULL)
		return FOUND_MARK;
	return strcmp(yysymbol_name(kind), "'\\n'") == 0 ? FOUND_LINE_END :
	    FOUND_BAD;
}

static int
yyreport_syntax_error(const yypcontext_t *ctx, struct parser *p)
{
	struct dead_end e = { .place = *yypcontext_location(ctx) };
	yysymbol_kind_t kinds[EXPECTED_MAX];
	int n = yypcontext_expected_tokens(ctx, kinds, EXPECTED_MAX);

	e.text = p->recent[(p->nrecent - 1) % RECENT_MAX].text;
	e.found = found_of(yypcontext_token(ctx), &e.text);
	for (int i = 0; i < n; i++)
		expect(&e, kinds[i]);
	syntax_error(p, &e);
	return 0;
}
