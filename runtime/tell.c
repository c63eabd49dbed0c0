/*
 * What the sink is told of a decision: verdict, reason and rule as they are
 * shown, and what has changed about the packet.
 */
#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/state.h"
#include "runtime/translate.h"

static bool
flow_differs(const struct pfk_flow *a, const struct pfk_flow *b)
{
	return a->src.port != b->src.port || a->dst.port != b->dst.port ||
	    memcmp(a->src.addr, b->src.addr, 16) != 0 ||
	    memcmp(a->dst.addr, b->dst.addr, 16) != 0;
}

static void
report_changes(struct pkt *p, struct pfk_decision *d)
{
	const struct pkt_view *b = &p->before;
	struct pkt_view a;

	pkt_view(p, &a);
	d->after = a.flow;
	d->before = p->before_known ? b->flow : a.flow;
	d->ttl = a.ttl;
	d->tos = a.tos;
	d->df = a.df;
	d->mss = a.mss;
	if (!p->before_known)
		return;
	d->changed |= flow_differs(&a.flow, &b->flow) ? PFK_CHANGED_FLOW : 0;
	if (a.has_quote && (!b->has_quote ||
	    flow_differs(&a.quote, &b->quote))) {
		d->changed |= PFK_CHANGED_QUOTE;
		d->quote = a.quote;
	}
	if (a.flow.af != b->flow.af) {
		d->changed |= PFK_CHANGED_AF | PFK_CHANGED_FLOW;
		return;
	}
	d->changed |= (a.ttl != b->ttl ? PFK_CHANGED_TTL : 0u) |
	    (a.tos != b->tos ? PFK_CHANGED_TOS : 0u) |
	    (a.df != b->df ? PFK_CHANGED_DF : 0u) |
	    (a.mss != b->mss ? PFK_CHANGED_MSS : 0u);
}

/* The reason that is shown: where pf says none, what else it counted. */
static enum pfk_reason
shown_reason(const struct pkt *p)
{
	return p->reason == PFK_REASON_MATCH ? p->counted : p->reason;
}

static enum pfk_verdict
shown_verdict(const struct pkt *p, enum outcome out, const struct verdict *v)
{
	if (out == PKT_HOLD)
		return PFK_HOLD;
	if (out == PKT_PASS || out == PKT_AFTO)
		return PFK_PASS;
	return v->rule != p->e->default_rule && shown_reason(p) ==
	    PFK_REASON_MATCH && v->state == 0 ? PFK_BLOCK : PFK_DROP;
}

static void
decision_init(const struct pkt *p, struct pfk_decision *d)
{
	memset(d, 0, sizeof(*d));
	d->number = p->frame->number;
	d->time = p->frame->time;
	d->second = p->second;
	d->dir = p->dir;
	d->ifid = p->ifid;
	d->rule = PFK_RULE_NONE;
}

void
tell_sink(struct pkt *p, enum outcome out, const struct verdict *v)
{
	const struct pfk_sink *sink = &p->e->sink;
	struct pfk_decision d;

	if (sink->decision == NULL)
		return;
	decision_init(p, &d);
	d.verdict = shown_verdict(p, out, v);
	d.ip = p->ip;
	d.iplen = p->len;
	if (out != PKT_HOLD) {
		d.reason = d.verdict == PFK_PASS ? PFK_REASON_MATCH :
		    shown_reason(p);
		d.rule = v->rule == p->e->default_rule ? PFK_RULE_DEFAULT :
		    v->rule;
		d.state = v->state == 0 ? PFK_STATE_NONE : v->created ?
		    PFK_STATE_NEW : PFK_STATE_MATCH;
		if (v->state != 0)
			d.state_id = state_get(p->e, v->state)->id;
		report_changes(p, &d);
		d.nreplies = replies_get(p->e, &d.replies);
	}
	sink->decision(sink->ctx, &d);
}

void
tell_other(struct pkt *p, enum pfk_verdict verdict)
{
	const struct pfk_sink *sink = &p->e->sink;
	struct pfk_decision d;

	if (sink->decision == NULL)
		return;
	decision_init(p, &d);
	d.verdict = verdict;
	if (verdict == PFK_SKIP) {
		d.ip = p->ip;
		d.iplen = p->len;
		pfk_flow_decode(p->ip, p->len, &d.before);
		d.after = d.before;
	}
	sink->decision(sink->ctx, &d);
}
