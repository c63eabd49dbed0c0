/*
 * States that match rules have to do with (state.busy): their counters move
 * with every packet, and what they ask for (scrub, set) is done to it.
 *
 * If nobody is told, its bytes do not matter, but for the chance that a random
 * id takes.  That comes after state_track.c, as in engine.c.
 */
#include "runtime/lane.h"
#include "runtime/normalize.h"
#include "runtime/plain.h"
#include "runtime/translate.h"

static void
take_chance(struct pfk_engine *e, const struct lane_packet *l,
    const struct actions *a)
{
	if ((a->flags & PFK_STATE_F_RANDOMID) != 0 && !l->v6)
		(void)scrub_random_id(e);
}

void
lane_busy(struct pfk_engine *e, const struct lane_packet *l, uint32_t state,
    bool back)
{
	const struct state_cold *c = state_cold(e, state);

	for (uint32_t m = c->match_list; m != 0; m = e->match_items[m].next) {
		struct pfk_rule_counters *n =
		    &e->rules[e->match_items[m].rule].n;

		n->packets[back]++;
		n->bytes[back] += l->len;
	}
	if (e->sink.decision == NULL)
		take_chance(e, l, &c->actions);
}

void
lane_scrub(struct pkt *p, const struct state_cold *c)
{
	if (p->vproto == PROTO_TCP && c->actions.max_mss != 0)
		(void)scrub_mss(p, c->actions.max_mss);
	(void)scrub_apply(p, &c->actions);
}

void
lane_tell_busy(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l)
{
	const struct state_cold *c = state_cold(e, l->ref / 2);
	const struct verdict v = { l->state->rule, c->anchor, l->ref / 2,
	    false };
	struct pkt p;

	replies_reset(e);
	packet_make(e, f, l, &p);
	lane_translate(e, l, &p);
	lane_scrub(&p, c);
	tell_sink(&p, PKT_PASS, &v);
}
