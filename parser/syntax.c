/*
 * What a syntax error says to people: pfctl says "syntax error".
 *
 * First the hints, in order: each looks for one mistake that people make and,
 * if that is it, tells it in its own words.  Otherwise what was found is
 * named, and what could have stood there; long lists of keywords that belong
 * together are named by what they are (struct category).
 *
 * The tokens of the statement so far are in parser.recent.
 */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "parser/parser_int.h"
#include "parser/syntax.h"

#define LISTED_MAX	16	/* longer lists of words end in "..." */

/* --- words --- */

bool
dead_end_expects(const struct dead_end *e, const char *text)
{
	for (size_t i = 0; i < e->nexpected; i++)
		if (strcmp(e->expected[i], text) == 0)
			return true;
	return false;
}

static bool
is_member(const char *text, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

/*
 * If `probe` may stand here, so may the others; they are then named
 * together, and a word or number here is one of them.  Without a name they
 * are listed, in this order.
 */
struct category {
	const char	*name, *probe;
	bool		 takes_word, takes_number;
	const char	*const *members;
};

#define WORDS(...)	(const char *const []){ __VA_ARGS__, NULL }

const char *const syntax_statements[] = { "pass", "block", "match", "anchor",
    "antispoof", "include", "load", "queue", "set", "table", NULL };
const char *const syntax_rule_options[] = { "af-to", "allow-opts", "binat-to",
    "divert-packet", "divert-reply", "divert-to", "dup-to", "flags",
    "fragment", "group", "icmp-type", "icmp6-type", "keep", "label",
    "max-pkt-rate", "modulate", "nat-to", "no", "once", "prio",
    "probability", "queue", "rdr-to", "received-on", "reply-to", "route-to",
    "rtable", "scrub", "set", "synproxy", "tag", "tagged", "tos", "user",
    "!", "{", NULL };

static const struct category categories[] = {
	{ NULL, "to", false, false,
	    WORDS("in", "out", "log", "quick", "on", "inet", "inet6",
	    "proto", "all", "from", "os", "to") },
	{ "a statement", "antispoof", true, false, syntax_statements },
	{ "an option of the rule", "max-pkt-rate", false, false,
	    syntax_rule_options },
	{ "the name of a setting", "ruleset-optimization", false, false,
	    WORDS("reassemble", "optimization", "ruleset-optimization",
	    "timeout", "limit", "loginterface", "hostid", "block-policy",
	    "fingerprints", "state-policy", "debug", "skip",
	    "state-defaults", "syncookies") },
	{ "an address", "route", true, true,
	    WORDS("any", "no-route", "urpf-failed", "route", "(", "<") },
	{ "an option of the pool", "round-robin", false, false,
	    WORDS("bitmask", "random", "source-hash", "round-robin",
	    "least-states", "static-port", "sticky-address") },
	{ "an option of the state", "sloppy", true, false,
	    WORDS("max", "no-sync", "max-src-states", "max-src-conn",
	    "max-src-conn-rate", "max-src-nodes", "overload", "source-track",
	    "if-bound", "floating", "sloppy", "pflow") },
	{ "an operator", ">=", false, false,
	    WORDS("=", "!=", "<", "<=", ">", ">=", "><") },
	{ "how to block", "return-icmp6", false, false,
	    WORDS("drop", "return", "return-rst", "return-icmp",
	    "return-icmp6") },
};
#define NCATEGORIES	(sizeof(categories) / sizeof(*categories))

/* --- "expected A, B or C" --- */

struct phrase {
	const char	*items[LISTED_MAX + 1];
	size_t		 n;
	bool		 more;
};

static void
add(struct phrase *ph, const char *item)
{
	if (ph->n < LISTED_MAX)
		ph->items[ph->n++] = item;
	else
		ph->more = true;
}

static void
add_keyword(struct parser *p, struct phrase *ph, const char *text)
{
	/* Commas may stand or be left out everywhere. */
	if (strcmp(text, ",") != 0)
		add(ph, arena_printf(p->opt.arena, "`%s`", text));
}

static const struct category *
category_of(const struct dead_end *e, const char *text)
{
	for (size_t i = 0; i < NCATEGORIES; i++)
		if (dead_end_expects(e, categories[i].probe) &&
		    is_member(text, categories[i].members))
			return &categories[i];
	return NULL;
}

static void
add_category(struct parser *p, const struct dead_end *e, struct phrase *ph,
    const struct category *c)
{
	if (c->name != NULL) {
		add(ph, c->name);
		return;
	}
	for (const char *const *m = c->members; *m != NULL; m++)
		if (dead_end_expects(e, *m))
			add_keyword(p, ph, *m);
}

static void
list_expected(struct parser *p, const struct dead_end *e, struct phrase *ph)
{
	bool word = e->expects_word, number = e->expects_number;

	for (const struct category *c = categories;
	    c < categories + NCATEGORIES; c++) {
		if (!dead_end_expects(e, c->probe))
			continue;
		add_category(p, e, ph, c);
		word = word && !c->takes_word;
		number = number && !c->takes_number;
	}
	if (word && number)
		add(ph, "a word or number");
	else if (word)
		add(ph, "a word");
	else if (number)
		add(ph, "a number");
	for (size_t i = 0; i < e->nexpected; i++)
		if (category_of(e, e->expected[i]) == NULL)
			add_keyword(p, ph, e->expected[i]);
	if (e->expects_line_end)
		add(ph, "the end of the line");
}

static const char *
expected_text(struct parser *p, const struct dead_end *e)
{
	struct phrase ph = { .n = 0 };
	struct strbuf s;

	list_expected(p, e, &ph);
	strbuf_init(&s, p->opt.arena);
	for (size_t i = 0; i < ph.n; i++)
		strbuf_printf(&s, "%s%s", i == 0 ? "expected " :
		    i + 1 == ph.n && !ph.more ? " or " : ", ", ph.items[i]);
	if (ph.more)
		strbuf_puts(&s, ", ...");
	return strbuf_str(&s);
}

/* --- "unexpected ..." --- */

/* A byte that is no token: as it is, or its number. */
static const char *
bad_text(struct parser *p, const struct dead_end *e)
{
	const struct source *s = source_get(p->opt.sources,
	    e->place.span.file);
	unsigned char c;

	if (s == NULL || e->place.span.off >= s->len)
		return "character";
	c = (unsigned char)s->text[e->place.span.off];
	return arena_printf(p->opt.arena, isgraph(c) ? "character `%c`" :
	    "byte 0x%02x", c);
}

static const char *
number_text(struct parser *p, const struct dead_end *e)
{
	const struct source *s = source_get(p->opt.sources,
	    e->place.span.file);
	struct span at = e->place.span;

	if (s == NULL || at.off > s->len || at.len > s->len - at.off)
		return "number";
	return arena_printf(p->opt.arena, "number `%.*s`", (int)at.len,
	    s->text + at.off);
}

const char *
dead_end_found(struct parser *p, const struct dead_end *e)
{
	switch (e->found) {
	case FOUND_KEYWORD:
	case FOUND_MARK:
		return arena_printf(p->opt.arena, "`%s`", e->text);
	case FOUND_WORD:
		return arena_printf(p->opt.arena, "word `%.80s`", e->text);
	case FOUND_NUMBER:
		return number_text(p, e);
	case FOUND_LINE_END:
		return "end of line";
	case FOUND_FILE_END:
		return "end of file";
	case FOUND_BAD:
		break;
	}
	return bad_text(p, e);
}

/* --- the error --- */

/* The brace of an anchor that was given up at an earlier error. */
static bool
is_stray_brace(struct parser *p, const struct dead_end *e)
{
	if (p->stray_braces == 0 || e->found != FOUND_MARK ||
	    strcmp(e->text, "}") != 0)
		return false;
	p->stray_braces--;
	return true;
}

/*
 * pfctl says nothing of an error that comes before two tokens after the line
 * of another have been taken.
 */
static bool
is_silent(const struct parser *p)
{
	return p->since_error <= 2;
}

static bool
is_in_broken_list(struct parser *p, const struct dead_end *e)
{
	if (p->broken_list == 0)
		return false;
	if (e->found == FOUND_MARK && strcmp(e->text, "}") == 0)
		p->broken_list--;
	return true;
}

static void
explain(struct parser *p, const struct dead_end *e, struct diag *d)
{
	const char *expected = expected_text(p, e);

	d->detail = arena_printf(p->opt.arena,
	    "syntax error: unexpected %s%s%s", dead_end_found(p, e),
	    *expected != '\0' ? "; " : "", expected);
	if (e->found == FOUND_WORD) {
		const char *words[EXPECTED_MAX + 1];

		memcpy(words, e->expected, e->nexpected * sizeof(*words));
		words[e->nexpected] = NULL;
		d->suggestion = suggest(e->text, words);
	}
	if (e->found == FOUND_KEYWORD && e->expects_word)
		diag_note(p->opt.diags, d, (struct span){ 0, 0, 0 },
		    "`%s` is a keyword: as a name it must stand in quotes",
		    e->text);
}

void
syntax_error(struct parser *p, const struct dead_end *e)
{
	struct diag *d = parser_error_at(p, &e->place, "syntax",
	    "syntax error");

	if (is_silent(p))
		d->plain = PLAIN_NONE;
	if (p->lexical || is_in_broken_list(p, e) || is_stray_brace(p, e))
		d->cascade = true;
	else if (p->errors <= ERRORS_EXPLAINED && !syntax_hint(p, e, d))
		explain(p, e, d);
}
