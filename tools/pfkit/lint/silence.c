/*
 * Comments that allow findings:
 *
 *	pass in quick all	# lint: allow L105, spoofing -- a honeypot
 *
 * allows them on the lines of its own statement; on a line of its own it is
 * about what is found of the whole ruleset.  Codes or names, or `all'; what
 * follows `--' is for people.  A comment that allows what is not there
 * is a finding, so that they do not outlive their reason.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

#define MARK	"lint:"
#define ALLOW	"allow"
#define BLANK	" \t"

/* Where the comment of a line begins; end: there is none. */
static const char *
find_comment(const char *p, const char *end)
{
	bool quoted = false;

	for (; p < end; p++)
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '#' && !quoted)
			break;
	return p;
}

/* The words after "lint: allow" in a comment, or NULL. */
static const char *
find_allowed(const char *p, const char *end)
{
	for (; (size_t)(end - p) >= sizeof(MARK) - 1; p++) {
		const char *q = p + sizeof(MARK) - 1;

		if (memcmp(p, MARK, sizeof(MARK) - 1) != 0)
			continue;
		while (q < end && strchr(BLANK, *q) != NULL)
			q++;
		if ((size_t)(end - q) >= sizeof(ALLOW) - 1 &&
		    memcmp(q, ALLOW, sizeof(ALLOW) - 1) == 0 &&
		    (q + sizeof(ALLOW) - 1 == end ||
		    strchr(BLANK "\r", q[sizeof(ALLOW) - 1]) != NULL))
			return q + sizeof(ALLOW) - 1;
	}
	return NULL;
}

/* Whether nothing but the comment stands in its line. */
static bool
is_alone(struct lint *l, const struct pfk_place *comment)
{
	struct pfk_source s;

	pfk_image_source(l->image, comment->source, &s);
	for (uint32_t i = comment->off; i > 0 && s.text[i - 1] != '\n'; i--)
		if (strchr(BLANK, s.text[i - 1]) == NULL)
			return false;
	return true;
}

/* Whether the finding stands where the comment does. */
static bool
is_here(const struct finding *f, const struct pfk_place *comment, bool alone)
{
	if (f->at.at.source == PFK_NO_SOURCE)
		return alone;
	return f->at.at.source == comment->source &&
	    comment->line >= f->at.at.line &&
	    comment->line <= f->at.at.end_line;
}

/* Silences what the word names there; whether there was any. */
static bool
allow(struct lint *l, const struct pfk_place *comment, const char *word,
    size_t len)
{
	bool alone = is_alone(l, comment);
	bool every = len == 3 && memcmp(word, "all", 3) == 0, any = false;
	const struct lint_code *c = lint_code_find(word, len);

	for (size_t i = 0; i < l->nfindings; i++) {
		struct finding *f = &l->findings[i];

		if (f->id == LINT_SILENCES_NOTHING ||
		    !is_here(f, comment, alone) || !(every || c == &lint_codes[f->id]))
			continue;
		f->silenced = any = true;
	}
	return any;
}

static void
tell_nothing(struct lint *l, const struct pfk_place *comment,
    const char *word, size_t len)
{
	const struct pfk_element at = { .at = *comment,
	    .macro = PFK_NO_MACRO };

	if (len == 0)
		finding_at(l, LINT_SILENCES_NOTHING, &at,
		    "`allow' wants a code, a name, or all");
	else if (len == 3 && memcmp(word, "all", 3) == 0)
		finding_at(l, LINT_SILENCES_NOTHING, &at,
		    "there is nothing on this line to allow");
	else
		finding_at(l, LINT_SILENCES_NOTHING, &at,
		    lint_code_find(word, len) != NULL ? "there is no %.*s on "
		    "this line to allow" : "%.*s is no code of lint's",
		    (int)len, word);
}

static void
allow_words(struct lint *l, const struct pfk_place *comment, const char *p,
    const char *end)
{
	bool any = false;

	while (p < end) {
		const char *word;

		while (p < end && strchr(BLANK ",", *p) != NULL)
			p++;
		word = p;
		while (p < end && strchr(BLANK ",\r\n", *p) == NULL)
			p++;
		if (p == word || (p - word >= 2 && memcmp(word, "--", 2) == 0))
			break;
		any = true;
		if (!allow(l, comment, word, (size_t)(p - word)))
			tell_nothing(l, comment, word, (size_t)(p - word));
	}
	if (!any)
		tell_nothing(l, comment, NULL, 0);
}

static void
read_line(struct lint *l, const struct pfk_source *s, uint32_t source,
    uint32_t line, const char *p, const char *end)
{
	const char *comment = find_comment(p, end);
	const char *words = find_allowed(comment, end);
	struct pfk_place at = { .source = source,
	    .off = (uint32_t)(comment - s->text),
	    .len = (uint32_t)(end - comment), .line = line, .end_line = line,
	    .column = (uint32_t)(comment - p) + 1,
	    .end_column = (uint32_t)(end - p) };

	if (words != NULL)
		allow_words(l, &at, words, end);
}

void
findings_silence(struct lint *l)
{
	for (size_t i = 0; i < pfk_image_sources(l->image); i++) {
		struct pfk_source s;
		const char *p, *end, *all;
		uint32_t line = 1;

		pfk_image_source(l->image, i, &s);
		if (s.text == NULL)
			continue;
		for (p = s.text, all = p + s.len; p < all; p = end + 1) {
			end = memchr(p, '\n', (size_t)(all - p));
			end = end != NULL ? end : all;
			read_line(l, &s, (uint32_t)i, line++, p, end);
		}
	}
}
