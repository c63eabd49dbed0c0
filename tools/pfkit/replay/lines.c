/*
 * -v: a line for each decision, for people.
 *
 *	0.150000 #3 in on em0 tcp 10.0.0.1:1025 > 10.0.0.2:80: pass, rule 4,
 *	new state; now 10.0.0.1:1025 > 10.0.0.3:8080
 *
 * The time counts from the first packet.  -vv adds the rule's text below.
 */
#include <inttypes.h>

#include "../pfkit.h"
#include "replay.h"
#include "text.h"

struct lines {
	struct output	 output;
	bool		 started;
	uint64_t	 first;
};

static void
out_packet(struct out *out, const struct replay *r,
    const struct pfk_decision *d)
{
	const char *proto;

	if (d->before.af == 0)
		return;
	proto = pfk_host_protocol_name(r->host, d->before.proto);
	if (proto != NULL)
		out_printf(out, " %s ", proto);
	else
		out_printf(out, " protocol %u ", d->before.proto);
	out_flow(out, &d->before);
}

static const char *
why(const struct pfk_decision *d)
{
	switch (d->verdict) {
	case PFK_HOLD:
		return " (a fragment that waits for the rest)";
	case PFK_SKIP:
		return " (set skip)";
	case PFK_IGNORE:
		return " (never reaches pf)";
	case PFK_PASS: case PFK_BLOCK: case PFK_DROP:
		break;
	}
	return "";
}

static void
out_decision(struct out *out, const struct pfk_engine *e,
    const struct pfk_decision *d)
{
	out_printf(out, ": %s%s", pfk_verdict_name(d->verdict), why(d));
	if (d->verdict == PFK_DROP ||
	    (d->verdict == PFK_BLOCK && d->reason != PFK_REASON_MATCH))
		out_printf(out, " (%s)", pfk_reason_name(d->reason));
	if (d->rule != PFK_RULE_NONE) {
		out_str(out, ", rule ");
		out_rule(out, e, d->rule);
	}
	if (d->state == PFK_STATE_NEW)
		out_str(out, ", new state");
	else if (d->state == PFK_STATE_MATCH)
		out_str(out, ", by state");
}

static void
out_rest(struct out *out, const struct pfk_decision *d)
{
	if (d->verdict == PFK_PASS && d->changed != 0) {
		out_str(out, "; now ");
		(void)out_changes(out, d);
	}
	if (d->nreplies > 0) {
		out_str(out, "; answers ");
		(void)out_replies(out, d);
	}
	out_char(out, '\n');
}

static void
out_text_below(struct out *out, const struct pfk_engine *e, uint32_t rule)
{
	if (rule == PFK_RULE_NONE || rule == PFK_RULE_DEFAULT)
		return;
	out_str(out, "\t");
	out_rule_text(out, e, rule);
	out_char(out, '\n');
}

static void
line(struct output *o, const struct pfk_decision *d)
{
	struct lines *l = (struct lines *)o;
	const struct pfk_engine *e = o->replay->engine;
	uint64_t us;

	if (!l->started)
		l->first = d->time;
	l->started = true;
	us = d->time > l->first ? (d->time - l->first) / 1000 : 0;
	out_printf(o->out, "%" PRIu64 ".%06" PRIu64 " #%" PRIu64 "%s %s on %s",
	    us / 1000000, us % 1000000, d->number, d->second ? "+" : "",
	    d->dir == PFK_OUT ? "out" : "in", pfk_engine_ifname(e, d->ifid));
	out_packet(o->out, o->replay, d);
	out_decision(o->out, e, d);
	out_rest(o->out, d);
	if (o->replay->o->verbose > 1)
		out_text_below(o->out, e, d->rule);
}

static void
first(struct output *o, const struct pfk_packet *p)
{
	struct lines *l = (struct lines *)o;

	l->started = true;
	l->first = p->time;
}

struct output *
lines_new(void)
{
	struct lines *l = xcalloc(1, sizeof(*l));

	l->output.decision = line;
	l->output.first = first;
	return &l->output;
}
