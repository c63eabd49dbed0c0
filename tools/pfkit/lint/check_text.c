/*
 * What the compiler warns of without being asked: text that is not read as it
 * looks, macros that nothing uses.  Its warnings come as JSON (docs/
 * DIAGNOSTICS.md), one member after the other, each on a line of its own but
 * the range; those that are about tables and lists are ours already.
 */
#include <stdlib.h>
#include <string.h>

#include "../../common/textbuf.h"
#include "../pfkit.h"
#include "lint.h"

static const struct { const char *code; enum lint_id id; } kinds[] = {
	{ "unused-macro", LINT_MACRO_UNUSED },
	{ "comment-continues", LINT_COMMENT_CONTINUES },
	{ "backslash-space", LINT_BACKSLASH_SPACE },
};
#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

/* The value of a member that comes next, before `end'; or NULL. */
static const char *
member(const char *p, const char *name, const char *end)
{
	struct textbuf key = { NULL, 0, 0 };
	const char *found;

	textbuf_printf(&key, "\"%s\": ", name);
	found = strstr(p, key.text);
	found = found != NULL && found < end ? found + key.len : NULL;
	textbuf_free(&key);
	return found;
}

/* A string's text; what is escaped as a number is left as it is. */
static void
string(const char *p, struct textbuf *b)
{
	textbuf_free(b);
	textbuf_str(b, "");
	for (p++; *p != '"' && *p != '\0'; p++) {
		char c = *p;

		if (c == '\\') {
			c = *++p;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		textbuf_bytes(b, &c, 1);
	}
}

static uint32_t
number(const char *p, const char *name, const char *end)
{
	p = member(p, name, end);
	return p != NULL ? (uint32_t)strtoul(p, NULL, 10) : 0;
}

static uint32_t
source_named(const struct lint *l, const char *name)
{
	struct pfk_source s;

	for (uint32_t i = 0; i < pfk_image_sources(l->image); i++) {
		pfk_image_source(l->image, i, &s);
		if (strcmp(s.name, name) == 0)
			return i;
	}
	return PFK_NO_SOURCE;
}

/* false: it is about no text that the image has. */
static bool
place(const struct lint *l, const char *p, const char *end,
    struct pfk_element *e)
{
	const char *file = member(p, "file", end), *last;
	struct textbuf name = { NULL, 0, 0 };
	const char *first = member(p, "start", end);

	memset(e, 0, sizeof(*e));
	e->macro = PFK_NO_MACRO;
	e->value.source = PFK_NO_SOURCE;
	if (file == NULL || *file != '"' || first == NULL ||
	    (last = member(first, "end", end)) == NULL)
		return false;
	string(file, &name);
	e->at.source = source_named(l, name.text);
	textbuf_free(&name);
	e->at.line = number(first, "line", end);
	e->at.column = number(first, "column", end);
	e->at.off = number(first, "byte", end);
	e->at.end_line = number(last, "line", end);
	e->at.end_column = number(last, "column", end) - 1;
	e->at.len = number(last, "byte", end) - e->at.off;
	return e->at.source != PFK_NO_SOURCE;
}

static void
check_warning(struct lint *l, const char *p, const char *end)
{
	const char *code = member(p, "code", end);
	const char *text = member(p, "message", end);
	struct textbuf message = { NULL, 0, 0 };
	struct pfk_element at;

	for (size_t i = 0; i < NKINDS && code != NULL && text != NULL; i++) {
		size_t n = strlen(kinds[i].code);

		if (strncmp(code + 1, kinds[i].code, n) != 0 ||
		    code[1 + n] != '"' || !place(l, p, end, &at))
			continue;
		string(text, &message);
		(void)finding_at(l, kinds[i].id, &at, "%s", message.text);
	}
	textbuf_free(&message);
}

void
check_text(struct lint *l)
{
	static const char begin[] = "{ \"severity\": \"warning\"";
	const char *p = l->warnings, *next;

	if (p == NULL)
		return;
	for (p = strstr(p, begin); p != NULL; p = next) {
		next = strstr(p + 1, begin);
		check_warning(l, p, next != NULL ? next : p + strlen(p));
	}
}
