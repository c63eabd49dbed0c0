/*
 * What comes out: every format that is wanted, and what they share.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "test.h"

const char *
test_status_name(enum test_status s)
{
	static const char *const names[] = { "waits", "holds", "fails",
	    "skipped", "wrong" };

	return names[s];
}

char *
test_name(const struct test *t)
{
	struct textbuf b = { NULL, 0, 0 };

	if (t->group[0] != '\0')
		textbuf_printf(&b, "%s: ", t->group);
	textbuf_str(&b, t->text);
	return b.text;
}

/* The line of the test file, with a caret. */
static void
quote_place(const struct test *t, struct textbuf *b, const char *indent)
{
	const char *text, *nl;
	uint32_t line, column;
	size_t len;

	if (t->source == NULL)
		return;
	source_place(t->source, t->at, &line, &column);
	text = t->source->text + t->source->lines[line - 1];
	nl = strchr(text, '\n');
	len = nl != NULL ? (size_t)(nl - text) : strlen(text);
	if (len == 0)
		return;
	textbuf_printf(b, "%s%8u | %.*s\n%s         | ", indent,
	    (unsigned)line, (int)len, text, indent);
	for (uint32_t i = 1; i < column; i++)
		if (((unsigned char)text[i - 1] & 0xc0) != 0x80)
			textbuf_str(b, text[i - 1] == '\t' ? "\t" : " ");
	textbuf_str(b, "^\n");
}

#define NOTES_SHOWN	4

/* The first ones; all of them are in JSON. */
static void
notes(const struct test *t, struct textbuf *b, const char *indent)
{
	const char *p = t->notes.text;
	unsigned n = 0;

	for (; p != NULL && *p != '\0'; p += strcspn(p, "\n") + 1)
		if (n++ < NOTES_SHOWN)
			textbuf_printf(b, "%srests on %.*s\n", indent,
			    (int)strcspn(p, "\n"), p);
	if (n > NOTES_SHOWN)
		textbuf_printf(b, "%srests on %u more (--json)\n", indent,
		    n - NOTES_SHOWN);
}

static void
lines(struct textbuf *b, const char *indent, const char *before,
    const char *text)
{
	for (const char *nl; text != NULL && *text != '\0'; text = nl + 1) {
		nl = strchr(text, '\n');
		if (nl == NULL)
			nl = text + strlen(text) - 1;
		textbuf_printf(b, "%s%s%.*s\n", indent, before,
		    (int)(nl - text + (*nl != '\n')), text);
	}
}

void
test_story(const struct test *t, struct textbuf *b, const char *indent)
{
	if (t->why.len > 0)
		lines(b, indent, "", t->why.text);
	if (t->status == TEST_WRONG)
		quote_place(t, b, indent);
	lines(b, indent, "", t->packet.text);
	lines(b, indent, "", t->detail.text);
	notes(t, b, indent);
	lines(b, indent, "", t->trace.text);
}

static void (*const writers[])(struct out *, const struct test_options *,
    const struct tests *, const struct summary *) = {
	[FORMAT_TEXT] = write_text,	[FORMAT_TAP] = write_tap,
	[FORMAT_JUNIT] = write_junit,	[FORMAT_GITHUB] = write_github,
	[FORMAT_JSON] = write_json,
};

void
write_tests(const struct test_options *o, const struct tests *all,
    const struct summary *s)
{
	for (int i = 0; i < NFORMATS; i++) {
		struct out *out;

		if (o->formats[i] == NULL)
			continue;
		out = out_open(o->formats[i]);
		writers[i](out, o, all, s);
		if (out_close(out) != 0)
			exit(TEST_ERROR);
	}
}
