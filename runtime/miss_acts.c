/*
 * A new state under match rules that were put off (miss.h): what they ask for
 * (scrub, set, tags) is in the state before anything else happens to it.
 *
 * It is match.c and filter.c for rules that neither translate nor log, when
 * the rule that decides asks for nothing itself.  What they would do beyond
 * that is left to those.
 */
#include "runtime/miss_int.h"
#include "runtime/rules.h"

bool
acts_suit(const struct pfk_engine *e, const struct act *acts, unsigned n,
    const struct lane_packet *l)
{
	for (unsigned i = 0; i < n; i++) {
		const struct rt_rule *rr = &e->rules[acts[i].rule];

		if ((l->tcp && rr->r->flags & IMG_R_REASSEMBLE_TCP) ||
		    rule_counts_tables(e, acts[i].rule))
			return false;
	}
	return true;
}

static bool
is_match(const struct pfk_engine *e, uint32_t rule)
{
	const struct img_rule *r = e->rules[rule].r;

	return r->action == IMG_MATCH && !(r->flags & IMG_R_ANCHOR);
}

bool
acts_list(struct pfk_engine *e, const struct act *acts, unsigned n,
    uint32_t *list)
{
	uint32_t item;

	*list = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!is_match(e, acts[i].rule))
			continue;
		if ((item = match_item_new(e, acts[i].rule, *list)) == 0) {
			match_items_free(e, *list);
			return false;
		}
		*list = item;
	}
	return true;
}

static void
act_on(struct pfk_engine *e, struct state_cold *c, uint32_t rule)
{
	const struct rt_rule *rr = &e->rules[rule];

	if (rr->tag != 0)
		c->tag = rr->tag;
	if (!is_match(e, rule))
		return;
	actions_of_rule(&c->actions, rr);
	e->rules[rule].n.states++;
}

void
acts_settle(struct pfk_engine *e, uint32_t state, const struct act *acts,
    unsigned n, uint32_t list)
{
	struct state *s = state_get(e, state);
	struct state_cold *c = state_cold(e, state);
	const struct actions *a = &c->actions;
	unsigned per = list != 0 ? PER_MATCH : 0;

	c->match_list = list;
	for (unsigned i = 0; i < n; i++)
		act_on(e, c, acts[i].rule);
	s->flags |= a->flags;
	if (a->flags != 0 || a->min_ttl != 0 || a->max_mss != 0 || c->tag != 0)
		per |= PER_ACTIONS;
	s->per_packet = (uint8_t)per;
	s->busy = per != 0;
	s->plain = state_is_plain(s);
}
