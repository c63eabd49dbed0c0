/*
 * Verdicts over time: bars, one upon the other; and the same as a table, for
 * those who do not see them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "page.h"

#define WIDTH	720
#define HEIGHT	170
#define LEFT	56
#define TOP	28
#define BOTTOM	22
#define KEY	8	/* above the bars */
#define PLOT_W	(WIDTH - LEFT - 8)
#define PLOT_H	(HEIGHT - TOP - BOTTOM)
#define SECOND	UINT64_C(1000000000)

static const char *const kinds[COVER_VERDICTS] = {
	[COVER_PASS] = "pass", [COVER_BLOCK] = "block", [COVER_DROP] = "drop",
	[COVER_OTHER] = "other"
};

/* Seconds with what the width of a stretch needs of their parts. */
static void
put_time(struct out *o, uint64_t ns)
{
	time_t seconds = (time_t)(ns / SECOND);
	char text[32] = "?";
	struct tm tm;

	if (gmtime_r(&seconds, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	out_printf(o, "%s.%03u", text, (unsigned)(ns % SECOND / 1000000));
}

static uint64_t
most(const struct cover_run *r)
{
	uint64_t max = 1;

	for (uint32_t i = 0; i < r->nstretches; i++) {
		uint64_t sum = 0;

		for (int k = 0; k < COVER_VERDICTS; k++)
			sum += r->stretch[i][k];
		max = sum > max ? sum : max;
	}
	return max;
}

static void
put_bars(struct out *o, const struct cover_run *r, uint64_t max)
{
	double wide = (double)PLOT_W / r->nstretches;

	for (uint32_t i = 0; i < r->nstretches; i++) {
		double y = TOP + PLOT_H;

		for (int k = 0; k < COVER_VERDICTS; k++) {
			double h = (double)r->stretch[i][k] / (double)max *
			    PLOT_H;

			if (r->stretch[i][k] == 0)
				continue;
			y -= h;
			out_printf(o, "<rect class=\"%s\" x=\"%.2f\" "
			    "y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>",
			    kinds[k], LEFT + wide * i, y,
			    wide > 2 ? wide - 0.5 : wide, h);
		}
	}
	out_char(o, '\n');
}

static void
put_axes(struct out *o, const struct cover_run *r, uint64_t max)
{
	out_printf(o, "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" "
	    "y2=\"%d\"/>", LEFT, TOP + PLOT_H, LEFT + PLOT_W, TOP + PLOT_H);
	out_printf(o, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%" PRIu64
	    "</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>",
	    LEFT - 6, TOP + 9, max, LEFT - 6, TOP + PLOT_H);
	out_printf(o, "<text x=\"%d\" y=\"%d\">", LEFT, HEIGHT - 7);
	put_time(o, r->start);
	out_printf(o, " UTC</text><text x=\"%d\" y=\"%d\" "
	    "text-anchor=\"end\">", LEFT + PLOT_W, HEIGHT - 7);
	put_time(o, r->start + r->width * r->nstretches);
	out_str(o, " UTC</text>\n");
}

static void
put_key(struct out *o)
{
	int x = LEFT + PLOT_W - 4 * 58;

	for (int k = 0; k < COVER_VERDICTS; k++, x += 58)
		out_printf(o, "<rect class=\"%s\" x=\"%d\" y=\"%d\" "
		    "width=\"10\" height=\"10\"/><text x=\"%d\" y=\"%d\">%s"
		    "</text>", kinds[k], x, KEY, x + 14, KEY + 9, kinds[k]);
}

static void
put_table(struct out *o, const struct cover_run *r)
{
	out_str(o, "<details><summary>The same as a table</summary><table>"
	    "<thead><tr><th scope=\"col\">from (UTC)</th>");
	for (int k = 0; k < COVER_VERDICTS; k++)
		out_printf(o, "<th scope=\"col\">%s</th>", kinds[k]);
	out_str(o, "</tr></thead><tbody>\n");
	for (uint32_t i = 0; i < r->nstretches; i++) {
		out_str(o, "<tr><td>");
		put_time(o, r->start + r->width * i);
		out_str(o, "</td>");
		for (int k = 0; k < COVER_VERDICTS; k++)
			out_printf(o, "<td>%" PRIu64 "</td>",
			    r->stretch[i][k]);
		out_str(o, "</tr>\n");
	}
	out_str(o, "</tbody></table></details>\n");
}

static void
put_chart(struct out *o, const struct cover_run *r)
{
	uint64_t max = most(r);

	out_str(o, "<figure><figcaption>");
	html_text(o, r->kind);
	out_char(o, ' ');
	html_text(o, r->name);
	out_printf(o, ": %" PRIu64 " decisions; a bar is %.3g s"
	    "</figcaption>\n", r->packets, (double)r->width / 1e9);
	out_printf(o, "<svg viewBox=\"0 0 %d %d\" role=\"img\" "
	    "aria-label=\"Verdicts over time: at most %" PRIu64 " in a bar; "
	    "the table below has the numbers\">\n", WIDTH, HEIGHT, max);
	put_bars(o, r, max);
	put_axes(o, r, max);
	put_key(o);
	out_str(o, "</svg>\n");
	put_table(o, r);
	out_str(o, "</figure>\n");
}

void
page_charts(struct out *o, const struct model *m)
{
	bool any = false;

	for (uint32_t i = 1; i < m->cover->nruns; i++) {
		/* the time of others is made up */
		if (m->cover->runs[i].nstretches == 0 ||
		    strcmp(m->cover->runs[i].kind, "replay") != 0)
			continue;
		if (!any)
			out_str(o, "<h2>Verdicts over time</h2>\n");
		any = true;
		put_chart(o, &m->cover->runs[i]);
	}
}
