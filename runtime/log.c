/*
 * Log lines: what pflog(4) would show of a packet.
 */
#include <string.h>

#include "runtime/rules_int.h"

static uint8_t
log_action(const struct img_rule *r)
{
	return r->action == IMG_BLOCK ? 1 : r->action == IMG_MATCH ? 2 : 0;
}

static void
log_to(struct pkt *p, enum pfk_reason reason, uint32_t rule, uint32_t anchor,
    uint8_t logif)
{
	struct pfk_engine *e = p->e;
	struct pfk_log l = { .time = p->frame->time,
	    .number = p->frame->number, .logif = logif,
	    .action = log_action(e->rules[rule].r),
	    .reason = (uint8_t)reason, .dir = p->dir, .af = p->af,
	    .rewritten = p->modified, .ifid = p->ifid,
	    .rule = rule == e->default_rule ? PFK_RULE_DEFAULT : rule,
	    .subrule = PFK_RULE_NONE, .ip = p->ip, .iplen = p->len };

	if (e->sink.log == NULL)
		return;
	/* in an anchor: the line names the call, and the rule below it */
	if (anchor != IMG_NONE) {
		l.subrule = l.rule;
		l.rule = anchor;
	}
	pfk_flow_decode(p->ip, p->len, &l.flow);
	e->sink.log(e->sink.ctx, &l);
}

void
log_packet(struct pkt *p, enum pfk_reason reason, uint32_t rule,
    uint32_t anchor)
{
	log_to(p, reason, rule, anchor, p->e->rules[rule].r->logif);
}

void
log_matches(struct pkt *p, uint32_t rule, uint32_t anchor,
    uint32_t match_list)
{
	const struct pfk_engine *e = p->e;
	const struct img_rule *r;

	/* it has been logged already */
	if (e->rules[rule].r->log & IMG_LOG_MATCHES)
		return;
	for (; match_list != 0; match_list = e->match_items[match_list].next) {
		r = e->rules[e->match_items[match_list].rule].r;
		if (r->log & IMG_LOG_MATCHES)
			log_to(p, PFK_REASON_MATCH, rule, anchor, r->logif);
	}
}
