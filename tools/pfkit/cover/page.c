/*
 * The page: head, sums, filters, legend; page.h tells the rest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "page.h"

const struct page_status page_statuses[NSTATUS] = {
	[STATUS_DECIDED] = { "decided", "\xe2\x9c\x93", "decided" },
	[STATUS_PARTLY] = { "partly", "\xe2\x97\x90", "some decided" },
	[STATUS_OVERRULED] = { "overruled", "\xe2\x86\x93",
	    "matched, but overruled each time" },
	[STATUS_NEVER_MATCHED] = { "never-matched", "\xe2\x9c\x97",
	    "never matched" },
	[STATUS_NEVER_EVALUATED] = { "never-evaluated", "\xe2\x80\x93",
	    "never evaluated" },
	[STATUS_DROPPED] = { "dropped", "=",
	    "dropped by the optimiser: others cover it" },
};

/* ---- escaping ---- */

static const char *
entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return c < 0x20 && c != '\t' && c != '\n' ? "\xef\xbf\xbd" :
		    NULL;
	}
}

void
html_bytes(struct out *o, const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		unsigned char c = (unsigned char)s[i];
		const char *e = entity(c);

		n = 1;
		if (e != NULL)
			out_str(o, e);
		else if (c < 0x80)
			out_char(o, s[i]);
		else if ((n = utf8_length(s + i, len - i)) > 0)
			out_bytes(o, s + i, n);
		else {
			n = 1;
			out_str(o, "\xef\xbf\xbd");
		}
	}
}

void
html_text(struct out *o, const char *s)
{
	html_bytes(o, s, strlen(s));
}

/* ---- */

/* The text that pf.conf begins with: the first that has statements. */
static const char *
main_name(const struct model *m)
{
	return m->statements.n > 0 ?
	    m->sources[m->statements.v[0].source].name : "a ruleset";
}

static void
put_head(struct out *o, const struct model *m)
{
	out_str(o, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src 'none'; style-src 'unsafe-inline'; script-src "
	    "'unsafe-inline'\">\n<title>Coverage of ");
	html_text(o, main_name(m));
	out_str(o, "</title>\n<style>\n");
	out_str(o, page_style);
	out_str(o, "</style>\n</head>\n<body>\n<main>\n<h1>Coverage of "
	    "<code>");
	html_text(o, main_name(m));
	out_str(o, "</code></h1>\n");
}

static void
put_sum(struct out *o, const struct model *m, const char *name,
    const struct model_total *t)
{
	out_printf(o, "<div><dt>%s</dt><dd>%.1f&nbsp;%% <small>%" PRIu32
	    " of %" PRIu32, name, model_percent(t), t->covered, t->all);
	if (t->dropped > 0)
		out_printf(o, "; %" PRIu32 " dropped by the optimiser",
		    t->dropped);
	for (int by = COVER_BYS - 1; by >= 0 && m->both; by--)
		out_printf(o, "%s by %s %" PRIu32, by == COVER_TESTS ? ";" :
		    ",", cover_by_names[by], t->by[by]);
	out_printf(o, "</small><span class=\"bar\" aria-hidden=\"true\"><i "
	    "style=\"width:%.1f%%\"></i></span></dd></div>\n",
	    model_percent(t));
}

static void
put_sums(struct out *o, const struct model *m)
{
	out_str(o, "<dl class=\"sums\">\n");
	put_sum(o, m, "Lines", &m->lines);
	put_sum(o, m, "Elements of lists", &m->parts);
	put_sum(o, m, "Values of macros", &m->macros);
	if (m->tables.all > 0)
		put_sum(o, m, "Entries of tables", &m->tables);
	out_str(o, "</dl>\n");
}

static void
put_option(struct out *o, const char *value, const char *text)
{
	out_str(o, "<option value=\"");
	html_text(o, value);
	out_str(o, "\">");
	html_text(o, text);
	out_str(o, "</option>");
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
put_anchors(struct out *o, const struct model *m)
{
	const char **v = xcalloc(m->statements.n + 1, sizeof(*v));

	for (uint32_t i = 0; i < m->statements.n; i++)
		v[i] = m->statements.v[i].anchor;
	qsort(v, m->statements.n, sizeof(*v), by_name);
	for (uint32_t i = 0; i < m->statements.n; i++)
		if (i == 0 || strcmp(v[i], v[i - 1]) != 0)
			put_option(o, v[i], *v[i] != '\0' ? v[i] :
			    "main ruleset");
	free(v);
}

static void
put_filters(struct out *o, const struct model *m)
{
	char number[16];

	out_str(o, "<form onsubmit=\"return false\"><label>Interface "
	    "<select id=\"on\" autocomplete=\"off\">"
	    "<option value=\"-1\">all</option>");
	for (uint32_t i = 0; i < m->cover->ninterfaces; i++) {
		(void)snprintf(number, sizeof(number), "%" PRIu32, i);
		put_option(o, number, m->cover->interfaces[i][0] != '\0' ?
		    m->cover->interfaces[i] : "(none)");
	}
	out_str(o, "</select></label> <label>Anchor <select id=\"anchor\" "
	    "autocomplete=\"off\"><option value=\"*\">all</option>");
	put_anchors(o, m);
	out_str(o, "</select></label> ");
	if (m->both)
		out_str(o, "<label>Exercised by <select id=\"by\" "
		    "autocomplete=\"off\"><option value=\"-1\">tests and "
		    "traffic</option><option value=\"1\">tests</option>"
		    "<option value=\"0\">traffic</option></select></label> ");
	out_str(o, "<output id=\"say\" role=\"status\">"
	    "</output></form>\n");
}

static void
put_legend(struct out *o)
{
	out_str(o, "<ul class=\"legend\" aria-label=\"Signs and colours\">");
	for (int i = 0; i < NSTATUS; i++)
		out_printf(o, "<li><b class=\"%s\" aria-hidden=\"true\">%s</b>"
		    "%s</li>", status_names[i], page_statuses[i].sign,
		    page_statuses[i].text);
	out_str(o, "</ul>\n<p>Elements of lists, values of macros and entries "
	    "of tables are marked one by one.</p>\n<p class=\"choose\"><label>"
	    "<input type=\"checkbox\" id=\"counts\" autocomplete=\"off\"> "
	    "counts at the marks</label> <label><input type=\"checkbox\" "
	    "id=\"gaps\" autocomplete=\"off\"> only lines with something that "
	    "did not decide</label></p>\n");
}

/* Whether there is anything to say about the text. */
static bool
is_shown(const struct model *m, uint32_t source)
{
	for (uint32_t i = 0; i < m->statements.n; i++)
		if (m->statements.v[i].source == source)
			return true;
	for (uint32_t i = 0; i < m->values.n; i++)
		if (m->values.v[i].source == source)
			return true;
	for (uint32_t i = 0; i < m->entries.n; i++)
		if (m->entries.v[i].source == source)
			return true;
	return false;
}

static void
put_source(struct out *o, const struct model *m, uint32_t source)
{
	const struct model_source *s = &m->sources[source];

	out_str(o, "<h2><code>");
	html_text(o, s->name);
	out_str(o, "</code></h2>\n");
	if (s->text == NULL) {
		out_str(o, "<p>The text is too long to be kept in the data, "
		    "and the file is not what it was.</p>\n");
		return;
	}
	out_str(o, "<div class=\"wrap\" tabindex=\"0\" role=\"region\" "
	    "aria-label=\"");
	html_text(o, s->name);
	out_str(o, "\"><table class=\"lines\">\n<thead><tr><th scope=\"col\">line</th>"
	    "<th scope=\"col\">decided</th><th scope=\"col\">by states</th>"
	    "<th scope=\"col\">matched</th><th scope=\"col\">evaluated</th>"
	    "<th scope=\"col\"><span class=\"vh\">what came of it</span></th>");
	out_str(o, m->both ? "<th scope=\"col\">by</th>" : "");
	out_str(o, "<th scope=\"col\">text</th></tr></thead>\n<tbody>\n");
	page_lines(o, m, source);
	out_str(o, "</tbody></table></div>\n");
	page_items(o, m, source);
}

int
report_page(const struct model *m, const char *path)
{
	struct out *o = out_open(path);

	put_head(o, m);
	put_sums(o, m);
	page_charts(o, m);
	put_filters(o, m);
	put_legend(o);
	for (uint32_t i = 0; i < m->nsources; i++)
		if (is_shown(m, i))
			put_source(o, m, i);
	out_str(o, "</main>\n");
	page_data(o, m);
	out_str(o, "<script>\n");
	out_str(o, page_script);
	out_str(o, "</script>\n</body>\n</html>\n");
	return out_close(o);
}
