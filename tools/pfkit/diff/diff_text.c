/*
 * Differences for people.
 */
#include <string.h>

#include "../pfkit.h"
#include "diff.h"

static void
put_line(void *ctx, const char *line)
{
	struct diff *d = ctx;

	out_printf(d->out, "    %s\n", line);
}

static void
put_question(void *ctx, const char *name)
{
	struct diff *d = ctx;

	out_printf(d->out, "    rests on %s\n", name);
}

/* Where a part of what is to be told was not to be found out. */
static bool
lost(struct diff *d)
{
	bool is = pfk_exact_error(d->exact) != PFK_OK;

	pfk_exact_resume(d->exact);
	return is;
}

static bool
asks_for_tag(void *ctx, const char *question)
{
	(void)ctx;
	return strncmp(question, "the tag ", 8) == 0;
}

/* Whether the packet is one of the set only with a tag; engines know none. */
static bool
needs_tag(struct diff *d, const struct difference *x,
    const struct pfk_exact_packet *p)
{
	pfk_set without = pfk_set_unless(d->exact, x->set, asks_for_tag, NULL);
	pfk_set possible = pfk_set_possible(d->exact, without);
	bool has = pfk_set_has(d->exact, possible, p);

	pfk_set_free(d->exact, without);
	pfk_set_free(d->exact, possible);
	return !has && !lost(d);
}

static void
put_example(struct diff *d, const struct difference *x)
{
	struct pfk_exact_packet p;
	char packet[256];

	if (!diff_example(d, x->set, &p))
		return;
	pfk_exact_packet_text(&p, packet, sizeof(packet));
	out_printf(d->out, "    for example: %s\n", packet);
	for (size_t i = 0; i < d->nsupposed; i++)
		out_printf(d->out, "      with its %s in the table `%s'\n",
		    d->supposed[i].side == 0 ? "source" : "destination",
		    d->supposed[i].name);
	if (needs_tag(d, x, &p))
		out_str(d->out, "      with that tag; shown without it, since "
		    "it comes from another crossing\n");
	diff_trace(d, OLD, &p);
	diff_trace(d, NEW, &p);
}

void
diff_text(struct diff *d, const struct difference *x)
{
	bool more;

	out_printf(d->out, "- %s\n+ %s\n", x->effects[OLD], x->effects[NEW]);
	more = diff_lines(d, x->set, put_line, d);
	if (lost(d))
		out_str(d->out, "    (too much to be told in lines)\n");
	else if (more)
		out_str(d->out, "    ... and more (--lines)\n");
	pfk_set_questions(d->exact, x->set, put_question, d);
	(void)lost(d);
	put_example(d, x);
	out_char(d->out, '\n');
}

void
diff_text_left_out(struct diff *d, const struct left_out *l)
{
	out_printf(d->out, "? not compared (%s): %s\n", l->why, l->what);
}
