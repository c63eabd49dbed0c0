/*
 * JUnit XML, as continuous-integration servers read it: a suite for each
 * file, a case for each test.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "test.h"

/* What XML cannot say (control characters, no UTF-8) becomes `?'. */
static void
write_escaped(struct out *out, const char *s)
{
	size_t n;

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x80 && (n = utf8_length(s, strlen(s))) > 0) {
			out_bytes(out, s, n);
			s += n - 1;
		} else if (c == '<')
			out_str(out, "&lt;");
		else if (c == '>')
			out_str(out, "&gt;");
		else if (c == '&')
			out_str(out, "&amp;");
		else if (c == '"')
			out_str(out, "&quot;");
		else if (c == '\n')
			out_str(out, "&#10;");
		else if ((c < 0x20 && c != '\t') || c >= 0x80)
			out_char(out, '?');
		else
			out_char(out, *s);
	}
}

static void
write_story(struct out *out, const struct test *t, const char *element)
{
	struct textbuf story = { NULL, 0, 0 };

	test_story(t, &story, "");
	out_printf(out, "      <%s message=\"", element);
	write_escaped(out, t->why.len > 0 ? t->why.text : "");
	out_str(out, "\">");
	write_escaped(out, story.len > 0 ? story.text : "");
	out_printf(out, "</%s>\n", element);
	textbuf_free(&story);
}

static void
write_case(struct out *out, const struct test *t)
{
	out_str(out, "    <testcase classname=\"");
	write_escaped(out, t->group[0] != '\0' ? t->group : t->file);
	out_str(out, "\" name=\"");
	write_escaped(out, t->text);
	out_str(out, "\" file=\"");
	write_escaped(out, t->file);
	out_printf(out, "\" line=\"%u\"", (unsigned)t->line);
	if (t->status == TEST_HOLDS) {
		out_str(out, "/>\n");
		return;
	}
	out_str(out, ">\n");
	if (t->status == TEST_SKIPPED) {
		out_str(out, "      <skipped message=\"");
		write_escaped(out, t->why.text);
		out_str(out, "\"/>\n");
	} else
		write_story(out, t, t->status == TEST_WRONG ? "error" :
		    "failure");
	out_str(out, "    </testcase>\n");
}

static void
write_counts(struct out *out, const struct summary *s)
{
	out_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
	    "skipped=\"%zu\"", s->all, s->of[TEST_FAILS], s->of[TEST_WRONG],
	    s->of[TEST_SKIPPED]);
}

/* The tests that are of one file, which follow each other. */
static const struct test *
write_suite(struct out *out, const struct test *first)
{
	struct summary s = { .all = 0 };
	const struct test *t;

	for (t = first; t != NULL && strcmp(t->file, first->file) == 0;
	    t = t->next) {
		s.all++;
		s.of[t->status]++;
	}
	out_str(out, "  <testsuite name=\"");
	write_escaped(out, first->file);
	out_char(out, '"');
	write_counts(out, &s);
	out_str(out, ">\n");
	for (; first != t; first = first->next)
		write_case(out, first);
	out_str(out, "  </testsuite>\n");
	return t;
}

void
write_junit(struct out *out, const struct test_options *o,
    const struct tests *all, const struct summary *s)
{
	(void)o;
	out_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<testsuites");
	write_counts(out, s);
	out_printf(out, " time=\"%.3f\">\n", s->seconds);
	for (const struct test *t = all->first; t != NULL;)
		t = write_suite(out, t);
	out_str(out, "</testsuites>\n");
}
