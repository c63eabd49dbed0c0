/*
 * What a rule does that the packet fits.
 *
 * A match rule acts at once: what it sets is added up, its translation is
 * seen by later rules, its log line is written.  A pass or block rule only
 * becomes the one that decides; filter.c lets it act when no later rule has
 * taken its place.
 */
#include "runtime/explain.h"
#include "runtime/rules.h"
#include "runtime/translate.h"

/* Which of a state's flags the rule's scrub and set options ask for. */
static uint16_t
scrub_flags(const struct img_rule *r)
{
	static const struct { uint32_t rule; uint16_t state; } flags[] = {
		{ IMG_R_NODF,		PFK_STATE_F_NODF },
		{ IMG_R_RANDOMID,	PFK_STATE_F_RANDOMID },
		{ IMG_R_SET_TOS,	PFK_STATE_F_SETTOS },
		{ IMG_R_REASSEMBLE_TCP,	PFK_STATE_F_SCRUB_TCP },
		{ IMG_R_SET_PRIO,	PFK_STATE_F_SETPRIO },
	};
	unsigned v = 0;

	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (r->flags & flags[i].rule)
			v |= flags[i].state;
	return (uint16_t)v;
}

void
actions_of_rule(struct actions *a, const struct rt_rule *rr)
{
	const struct img_rule *r = rr->r;

	if (rr->qid != 0)
		a->qid = rr->qid;
	if (rr->pqid != 0)
		a->pqid = rr->pqid;
	if (r->rtable >= 0)
		a->rtable = r->rtable;
	if (r->flags & IMG_R_SET_TOS)
		a->set_tos = r->set_tos;
	if (r->min_ttl != 0)
		a->min_ttl = r->min_ttl;
	if (r->max_mss != 0)
		a->max_mss = r->max_mss;
	if (r->flags & IMG_R_SET_PRIO) {
		a->set_prio[0] = r->set_prio[0];
		a->set_prio[1] = r->set_prio[1];
	}
	if (r->flags & IMG_R_SET_DELAY)
		a->delay = r->delay;
	a->log |= r->log;
	a->flags |= scrub_flags(r);
}

static enum outcome
fail(struct filter *f, enum pfk_reason reason)
{
	f->reason = reason;
	return PKT_DROP;
}

static enum outcome
act_at_once(struct pfk_engine *e, struct filter *f, uint32_t rule)
{
	const struct rt_rule *rr = &e->rules[rule];
	uint32_t item = match_item_new(e, rule, f->match_list);

	if (item == 0)
		return fail(f, PFK_REASON_MEMORY);
	f->match_list = item;
	actions_of_rule(&f->actions, rr);
	if (rr->r->flags & IMG_R_AFTO)
		f->p->naf = rr->r->naf;
	if ((rr->nat != IMG_NONE || rr->rdr != IMG_NONE) &&
	    !pool_translate(e, f, rule))
		return fail(f, PFK_REASON_TRANSLATE);
	if (rr->r->log != 0)
		log_packet(f->p, PFK_REASON_MATCH, rule, f->here);
	return PKT_PASS;
}

enum outcome
rule_matches(struct pfk_engine *e, struct filter *f, uint32_t rule)
{
	struct rt_rule *rr = &e->rules[rule];
	enum outcome outcome = PKT_PASS;

	if (e->explain != NULL)
		explain_match(e, f, rule);
	if (rr->tag != 0)
		f->tag = rr->tag;
	if (rr->r->flags & IMG_R_ANCHOR)
		return PKT_PASS;
	if (rr->r->flags & IMG_R_ONCE)
		rr->n.expired = true;
	if (rr->r->action == IMG_MATCH)
		outcome = act_at_once(e, f, rule);
	else {
		f->rule = rule;
		f->anchor = f->here;
	}
	if (outcome == PKT_PASS && (f->actions.log & IMG_LOG_MATCHES))
		log_matches(f->p, rule, f->here, f->match_list);
	return outcome;
}
