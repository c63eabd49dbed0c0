/*
 * --verdicts: a line for each decision, nine columns, tab-separated: number,
 * direction, interface, verdict, reason, rule, state, changes, answers.
 */
#include "../pfkit.h"
#include "replay.h"
#include "text.h"

/* Whether pf had a reason: not where it never decided. */
static bool
has_reason(enum pfk_verdict v)
{
	return v == PFK_PASS || v == PFK_BLOCK || v == PFK_DROP;
}

static void
verdict_line(struct output *o, const struct pfk_decision *d)
{
	const struct pfk_engine *e = o->replay->engine;
	struct out *out = o->out;

	out_number(out, d->number);
	out_str(out, d->second ? "+\t" : "\t");
	out_str(out, d->dir == PFK_OUT ? "out\t" : "in\t");
	out_str(out, pfk_engine_ifname(e, d->ifid));
	out_char(out, '\t');
	out_str(out, pfk_verdict_name(d->verdict));
	out_char(out, '\t');
	out_str(out, has_reason(d->verdict) ? pfk_reason_name(d->reason) : "-");
	out_char(out, '\t');
	out_rule(out, e, d->rule);
	out_char(out, '\t');
	out_str(out, state_use_name(d->state));
	out_char(out, '\t');
	if (d->verdict != PFK_PASS || !out_changes(out, d))
		out_char(out, '-');
	out_char(out, '\t');
	if (!out_replies(out, d))
		out_char(out, '-');
	out_char(out, '\n');
}

struct output *
verdicts_new(void)
{
	struct output *o = xcalloc(1, sizeof(*o));

	o->decision = verdict_line;
	return o;
}
