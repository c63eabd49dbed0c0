/*
 * Annotations of GitHub's workflows: a line for each test that does not hold,
 * at its place, and where a rule decided, at the rule.
 */
#include <stdlib.h>

#include "../pfkit.h"
#include "test.h"

static void
write_escaped(struct out *out, const char *s, bool property)
{
	for (; *s != '\0'; s++)
		if (*s == '%')
			out_str(out, "%25");
		else if (*s == '\n')
			out_str(out, "%0A");
		else if (*s == '\r')
			out_str(out, "%0D");
		else if (property && *s == ':')
			out_str(out, "%3A");
		else if (property && *s == ',')
			out_str(out, "%2C");
		else
			out_char(out, *s);
}

static void
write_head(struct out *out, const char *level, const char *file, uint32_t line,
    const char *title)
{
	out_printf(out, "::%s file=", level);
	write_escaped(out, file, true);
	if (line > 0)
		out_printf(out, ",line=%u", (unsigned)line);
	out_str(out, ",title=");
	write_escaped(out, title, true);
	out_str(out, "::");
}

static void
write_test(struct out *out, const struct test *t)
{
	struct textbuf story = { NULL, 0, 0 };
	char *name = test_name(t);

	textbuf_printf(&story, "%s\n", name);
	test_story(t, &story, "");
	write_head(out, "error", t->file, t->line, t->status == TEST_WRONG ?
	    "error in a test file" : "expectation fails");
	write_escaped(out, story.text, false);
	out_char(out, '\n');
	if (t->rule_file.len > 0) {
		write_head(out, "notice", t->rule_file.text, t->rule_line,
		    "decides against an expectation");
		write_escaped(out, name, false);
		out_char(out, '\n');
	}
	textbuf_free(&story);
	free(name);
}

static void
write_skipped(struct out *out, const struct test *t)
{
	write_head(out, "notice", t->file, t->line, "test skipped");
	write_escaped(out, t->text, false);
	out_str(out, "%0A");
	write_escaped(out, t->why.text, false);
	out_char(out, '\n');
}

void
write_github(struct out *out, const struct test_options *o,
    const struct tests *all, const struct summary *s)
{
	(void)o;
	for (const struct test *t = all->first; t != NULL; t = t->next)
		if (t->status == TEST_SKIPPED)
			write_skipped(out, t);
		else if (t->status != TEST_HOLDS)
			write_test(out, t);
	out_printf(out, "%zu tests: %zu hold, %zu fail, %zu skipped, "
	    "%zu errors\n", s->all, s->of[TEST_HOLDS], s->of[TEST_FAILS],
	    s->of[TEST_SKIPPED], s->of[TEST_WRONG]);
}
