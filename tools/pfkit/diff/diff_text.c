/*
 * Differences for people.
 */
#include <inttypes.h>

#include "../pfkit.h"
#include "diff.h"

static void
put_line(void *ctx, const char *line)
{
	struct diff *d = ctx;

	out_printf(d->out, "    %s\n", line);
}

static void
put_rule(struct diff *d, unsigned which, uint32_t rule, const char *how)
{
	struct pfk_rule_info info;

	out_printf(d->out, "      %s %s ", which == OLD ? "old" : "new", how);
	if (rule == PFK_EXACT_DEFAULT) {
		out_str(d->out, "no rule: it passes\n");
		return;
	}
	pfk_image_rule(d->image[which], rule, &info);
	out_char(d->out, '@');
	if (*info.anchor != '\0')
		out_printf(d->out, "%s:", info.anchor);
	out_printf(d->out, "%" PRIu32 " %s:%" PRIu32 ": %s\n", info.nr,
	    info.file, info.line, info.text);
}

static void
put_outcome(struct diff *d, const struct difference *x, unsigned which)
{
	const struct pfk_outcome *o = x->outcome[which];

	if (o == NULL)
		return;
	for (size_t i = 0; i < o->nmatches; i++)
		put_rule(d, which, o->matches[i], "matches");
	put_rule(d, which, o->rule, "decides");
}

static void
put_question(void *ctx, const char *name)
{
	struct diff *d = ctx;

	out_printf(d->out, "    rests on %s\n", name);
}

void
diff_text(struct diff *d, const struct difference *x)
{
	char packet[256];
	bool more;

	out_printf(d->out, "- %s\n+ %s\n", x->effects[OLD], x->effects[NEW]);
	pfk_set_describe(d->exact, x->set, d->scope, d->o->lines, put_line, d, &more);
	if (more)
		out_str(d->out, "    ... and more (--lines)\n");
	pfk_set_questions(d->exact, x->set, put_question, d);
	pfk_exact_packet_text(&x->example, packet, sizeof(packet));
	out_printf(d->out, "    for example: %s\n", packet);
	put_outcome(d, x, OLD);
	put_outcome(d, x, NEW);
	out_char(d->out, '\n');
}
