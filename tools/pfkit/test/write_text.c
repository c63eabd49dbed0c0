/*
 * For people: what does not hold, and a line that sums up.
 */
#include <stdlib.h>

#include "../pfkit.h"
#include "test.h"

#define GREEN	"\033[32m"
#define RED	"\033[31m"
#define YELLOW	"\033[33m"
#define PLAIN	"\033[0m"

static const struct { const char *word, *colour; } marks[] = {
	[TEST_WAITS] = { "WAITS", YELLOW },
	[TEST_HOLDS] = { "ok", GREEN },
	[TEST_FAILS] = { "FAILS", RED },
	[TEST_SKIPPED] = { "skipped", YELLOW },
	[TEST_WRONG] = { "ERROR", RED },
};

static bool
colours(struct out *out)
{
	const char *no = getenv("NO_COLOR");

	return out_is_terminal(out) && (no == NULL || *no == '\0');
}

static void
write_place(struct out *out, const struct test *t)
{
	uint32_t line = t->line, column = t->column;

	if (t->source == NULL) {
		out_printf(out, " %s", t->file);
		return;
	}
	if (t->status == TEST_WRONG)
		source_place(t->source, t->at, &line, &column);
	out_printf(out, " %s:%u", t->file, (unsigned)line);
	if (t->status == TEST_WRONG)
		out_printf(out, ":%u", (unsigned)column);
}

static void
write_test(struct out *out, const struct test *t, bool colour)
{
	struct textbuf story = { NULL, 0, 0 };
	char *name = test_name(t);

	out_printf(out, "%s%s%s", colour ? marks[t->status].colour : "",
	    marks[t->status].word, colour ? PLAIN : "");
	write_place(out, t);
	out_printf(out, ": %s\n", name);
	if (t->status == TEST_SKIPPED)
		out_printf(out, "    %s\n", t->why.text);
	else {
		test_story(t, &story, "    ");
		if (story.len > 0)
			out_str(out, story.text);
	}
	textbuf_free(&story);
	free(name);
}

void
write_text(struct out *out, const struct test_options *o,
    const struct tests *all, const struct summary *s)
{
	bool colour = colours(out);

	for (const struct test *t = all->first; t != NULL; t = t->next)
		if (t->status != TEST_HOLDS || o->verbose)
			write_test(out, t, colour);
	out_printf(out, "%zu test%s: %zu hold%s", s->all, s->all == 1 ? "" :
	    "s", s->of[TEST_HOLDS], s->of[TEST_HOLDS] == 1 ? "s" : "");
	if (s->of[TEST_FAILS] > 0)
		out_printf(out, ", %zu fail%s", s->of[TEST_FAILS],
		    s->of[TEST_FAILS] == 1 ? "s" : "");
	if (s->of[TEST_SKIPPED] > 0)
		out_printf(out, ", %zu skipped", s->of[TEST_SKIPPED]);
	if (s->of[TEST_WRONG] > 0)
		out_printf(out, ", %zu error%s", s->of[TEST_WRONG],
		    s->of[TEST_WRONG] == 1 ? "" : "s");
	out_char(out, '\n');
}
