/*
 * `set' lines.  An image has what came of them, not where they stand; so they
 * are looked for in the texts.  This is a small reader, not pf.conf's grammar:
 * the texts have been compiled, and what it does not understand (words out of
 * macros) it leaves alone.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

/* One setting: "limit states", and where it stands. */
struct setting {
	char		 key[64];
	struct pfk_element at;		/* the whole line */
	bool		 ordered;	/* for the rules that come after it */
};

struct reader {
	struct lint	*l;
	uint32_t	 source;
	const char	*start, *p, *end;
	uint32_t	 line;
	const char	*line_start;
	struct setting	*v;
	size_t		 n;
	struct pfk_element at;		/* of the line that is read */
};

/* ---- words ---- */

static void
skip_comment(struct reader *r)
{
	while (r->p < r->end && *r->p != '\n')
		r->p++;
}

static void
new_line(struct reader *r)
{
	r->line++;
	r->line_start = ++r->p;
}

/* Blanks and continued lines; stops at the end of the statement. */
static void
skip_blanks(struct reader *r)
{
	while (r->p < r->end) {
		if (*r->p == '\\' && r->p + 1 < r->end && r->p[1] == '\n') {
			r->p++;
			new_line(r);
		} else if (*r->p == ' ' || *r->p == '\t' || *r->p == ',' ||
		    *r->p == '\r')
			r->p++;
		else
			break;
	}
}

static bool
at_end(const struct reader *r)
{
	return r->p == r->end || *r->p == '\n' || *r->p == '#';
}

/* The next word, brace or quoted text of the statement; false: it ends. */
static bool
next_word(struct reader *r, const char **word, size_t *len)
{
	skip_blanks(r);
	if (at_end(r))
		return false;
	*word = r->p++;
	if (**word == '"') {
		while (r->p < r->end && *r->p != '"')
			r->p++;
		r->p += r->p < r->end;
	} else if (**word != '{' && **word != '}')
		while (r->p < r->end && strchr(" \t\r\n,{}#\\\"", *r->p) == NULL)
			r->p++;
	*len = (size_t)(r->p - *word);
	return true;
}

static bool
is(const char *word, size_t len, const char *what)
{
	return strlen(what) == len && memcmp(word, what, len) == 0;
}

/* Inside of braces lines do not end. */
static bool
next_listed(struct reader *r, const char **word, size_t *len)
{
	while (!next_word(r, word, len)) {
		if (r->p < r->end && *r->p == '#')
			skip_comment(r);
		if (r->p == r->end)
			return false;
		new_line(r);
	}
	return !is(*word, *len, "}");
}

/* ---- settings ---- */

static void
add_setting(struct reader *r, const char *key, const char *of, size_t len,
    bool ordered)
{
	struct setting *s;

	if (len >= sizeof(s->key) - 16)
		return;
	r->v = xrealloc(r->v, (r->n + 1) * sizeof(*r->v));
	s = &r->v[r->n++];
	memset(s, 0, sizeof(*s));
	strncat(s->key, key, 15);
	if (len > 0) {
		strcat(s->key, " ");
		strncat(s->key, of, len);
	}
	s->at = r->at;
	s->ordered = ordered;
}

/* "states 100" or "{ states 100, frags 200 }" */
static void
read_pairs(struct reader *r, const char *key)
{
	const char *word, *value;
	size_t len, n;

	if (!next_word(r, &word, &len))
		return;
	if (!is(word, len, "{")) {
		add_setting(r, key, word, len, false);
		return;
	}
	while (next_listed(r, &word, &len)) {
		add_setting(r, key, word, len, false);
		if (!next_listed(r, &value, &n))
			break;
	}
}

/* Names after `skip on' and `loginterface'. */
static void
check_interface(struct reader *r, const char *what, const char *word,
    size_t len)
{
	struct pfk_element at = r->at;
	char name[32];

	if (*word == '"' && len >= 2) {
		word++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(name) || *word == '$' || *word == '!')
		return;
	memcpy(name, word, len);
	name[len] = '\0';
	at.at.off = (uint32_t)(word - r->start);
	at.at.len = (uint32_t)len;
	at.at.line = at.at.end_line = r->line;
	at.at.column = (uint32_t)(word - r->line_start) + 1;
	at.at.end_column = at.at.column + (uint32_t)len - 1;
	if (strcmp(name, "none") != 0 && !interface_known(r->l, name))
		finding_at(r->l, LINT_NO_INTERFACE, &at, "`set %s': the "
		    "firewall has no interface %s", what, name)->about =
		    ABOUT_ELEMENT;
}

static void
read_skip(struct reader *r)
{
	const char *word;
	size_t len;

	if (!next_word(r, &word, &len) || !is(word, len, "on") ||
	    !next_word(r, &word, &len))
		return;
	if (!is(word, len, "{"))
		check_interface(r, "skip on", word, len);
	else
		while (next_listed(r, &word, &len))
			check_interface(r, "skip on", word, len);
}

static void
read_log_interface(struct reader *r)
{
	const char *word;
	size_t len;

	add_setting(r, "loginterface", "", 0, false);
	if (next_word(r, &word, &len))
		check_interface(r, "loginterface", word, len);
}

static void
read_option(struct reader *r, const char *word, size_t len)
{
	static const char *const once[] = { "optimization",
	    "ruleset-optimization", "hostid", "fingerprints", "reassemble",
	    "syncookies", "debug" };
	static const char *const ordered[] = { "block-policy", "state-policy",
	    "state-defaults" };

	if (is(word, len, "skip"))
		read_skip(r);
	else if (is(word, len, "loginterface"))
		read_log_interface(r);
	else if (is(word, len, "limit"))
		read_pairs(r, "limit");
	else if (is(word, len, "timeout"))
		read_pairs(r, "timeout");
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		if (is(word, len, once[i]))
			add_setting(r, "", once[i], len, false);
	for (size_t i = 0; i < sizeof(ordered) / sizeof(ordered[0]); i++)
		if (is(word, len, ordered[i]))
			add_setting(r, "", ordered[i], len, true);
}

/* A statement that begins with `set'; its place is its first line. */
static void
read_set(struct reader *r, const char *set)
{
	const char *word, *eol;
	size_t len;

	eol = memchr(set, '\n', (size_t)(r->end - set));
	eol = eol != NULL ? eol : r->end;
	while (eol > set && strchr(" \t\r\\", eol[-1]) != NULL)
		eol--;
	memset(&r->at, 0, sizeof(r->at));
	r->at.macro = PFK_NO_MACRO;
	r->at.value.source = PFK_NO_SOURCE;
	r->at.at = (struct pfk_place){ .source = r->source,
	    .off = (uint32_t)(set - r->start), .len = (uint32_t)(eol - set),
	    .line = r->line, .end_line = r->line,
	    .column = (uint32_t)(set - r->line_start) + 1,
	    .end_column = (uint32_t)(eol - r->line_start) };
	if (next_word(r, &word, &len))
		read_option(r, word, len);
}

static void
read_source(struct reader *r)
{
	const char *word;
	size_t len;

	while (r->p < r->end) {
		if (next_word(r, &word, &len) && is(word, len, "set"))
			read_set(r, word);
		while (next_word(r, &word, &len))
			;
		if (r->p < r->end && *r->p == '#')
			skip_comment(r);
		if (r->p < r->end)
			new_line(r);
	}
}

/* ---- what is set twice ---- */

/* Whether a rule is written between the two. */
static bool
rules_between(struct lint *l, const struct pfk_place *a,
    const struct pfk_place *b)
{
	struct pfk_origins all;
	struct pfk_origin o;

	for (size_t i = 0; i < pfk_image_rules(l->image); i++) {
		pfk_image_origins(l->image, i, &all);
		if (!pfk_image_next_origin(&all, &o) ||
		    o.statement.at.source != a->source ||
		    (o.statement.at.off > a->off && o.statement.at.off <
		    b->off))
			return true;
	}
	return false;
}

static void
check_twice(struct lint *l, const struct reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = i + 1; k < r->n; k++) {
			const struct setting *a = &r->v[i], *b = &r->v[k];

			if (strcmp(a->key, b->key) != 0)
				continue;
			if (!a->ordered || !rules_between(l, &a->at.at,
			    &b->at.at))
				finding_at(l, LINT_OVERRIDDEN, &a->at,
				    "`%s' is set again in line %u",
				    a->key + (*a->key == ' '),
				    (unsigned)b->at.at.line);
			break;
		}
}

void
check_sets(struct lint *l)
{
	for (uint32_t i = 0; i < pfk_image_sources(l->image); i++) {
		struct reader r = { .l = l, .source = i, .line = 1 };
		size_t len;

		r.start = quotes_text(l->quotes, l->image, i, &len);
		if (r.start == NULL)
			continue;
		r.p = r.line_start = r.start;
		r.end = r.start + len;
		read_source(&r);
		check_twice(l, &r);
		free(r.v);
	}
}
