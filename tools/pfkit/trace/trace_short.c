/*
 * An explanation in few lines, for what shows many packets: the rules that do
 * something to the packet, and what comes of it.
 */
#include <string.h>

#include "../pfkit.h"
#include "../replay/text.h"
#include "trace.h"

/* Rules that match and neither act nor decide have done nothing. */
static bool
does_something(const struct trace *t, const struct step *s,
    const struct pfk_decision *d)
{
	if (s->x.kind != PFK_EXPLAIN_MATCHES)
		return false;
	return s->x.action[0] == 'm' || s->x.action[0] == 'a' ||
	    (s->x.rule == d->rule && s->x.rule == steps_decided(t));
}

static void
show_step(struct trace *t, const struct step *s)
{
	out_printf(t->out, "%*s%-6s ", (int)s->x.depth * 2, "", s->x.action);
	out_rule_place(t->out, t->engine, s->x.rule);
	out_char(t->out, '\n');
}

static void
show_logs(struct trace *t)
{
	for (unsigned i = 0; i < t->nlogged; i++)
		out_printf(t->out, ", log to pflog%u", t->logged[i].logif);
}

static void
show_result(struct trace *t, const struct pfk_decision *d)
{
	out_printf(t->out, "=> %s", pfk_verdict_name(d->verdict));
	if (d->verdict == PFK_DROP || (d->verdict == PFK_BLOCK &&
	    d->reason != PFK_REASON_MATCH))
		out_printf(t->out, " (%s)", pfk_reason_name(d->reason));
	if (d->verdict == PFK_SKIP)
		out_str(t->out, " (the interface is under `set skip')");
	if (d->state == PFK_STATE_NEW)
		out_str(t->out, ", a new state");
	if (d->verdict == PFK_PASS && d->changed != 0) {
		out_str(t->out, ", changed ");
		(void)out_changes(t->out, d);
	}
	show_logs(t);
	if (d->nreplies > 0) {
		out_str(t->out, ", answers ");
		(void)out_replies(t->out, d);
	}
	out_char(t->out, '\n');
}

void
trace_short(struct trace *t, const struct pfk_decision *d)
{
	if (d->second)
		out_printf(t->out, "and then %s on %s\n",
		    d->dir == PFK_OUT ? "out" : "in",
		    pfk_engine_ifname(t->engine, d->ifid));
	for (size_t i = 0; i < t->nsteps; i++)
		if (does_something(t, &t->steps[i], d))
			show_step(t, &t->steps[i]);
	if (d->rule == PFK_RULE_DEFAULT && steps_asked(t)) {
		out_rule_place(t->out, t->engine, d->rule);
		out_char(t->out, '\n');
	}
	show_result(t, d);
}
