/*
 * The Test Anything Protocol, version 14.
 */
#include <stdlib.h>

#include "../pfkit.h"
#include "test.h"

/* `#' begins a directive, a backslash escapes. */
static void
write_name(struct out *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '#' || *s == '\\')
			out_char(out, '\\');
		out_char(out, *s == '\n' ? ' ' : *s);
	}
}

static void
write_story(struct out *out, const struct test *t)
{
	struct textbuf story = { NULL, 0, 0 };

	test_story(t, &story, "    ");
	out_printf(out, "  ---\n  file: ");
	out_json_string(out, t->file);
	out_printf(out, "\n  line: %u\n  message: |\n%s  ...\n",
	    (unsigned)t->line, story.len > 0 ? story.text : "");
	textbuf_free(&story);
}

void
write_tap(struct out *out, const struct test_options *o,
    const struct tests *all, const struct summary *s)
{
	size_t n = 0;

	(void)o;
	out_printf(out, "TAP version 14\n1..%zu\n", s->all);
	for (const struct test *t = all->first; t != NULL; t = t->next) {
		bool good = t->status == TEST_HOLDS ||
		    t->status == TEST_SKIPPED;
		char *name = test_name(t);

		out_printf(out, "%sok %zu - ", good ? "" : "not ", ++n);
		write_name(out, name);
		if (t->status == TEST_SKIPPED) {
			out_str(out, " # SKIP ");
			write_name(out, t->why.text);
		}
		out_char(out, '\n');
		if (!good)
			write_story(out, t);
		free(name);
	}
}
