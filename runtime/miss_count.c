/*
 * Packets without a state that are only counted (miss_int.h): most of them,
 * where rules block them or pass them without one.
 *
 * Everything that is not so is left to miss.c, so that little is asked of a
 * packet here; and what its rules want is known before anything is done.
 */
#include "runtime/miss_int.h"

/* It has no state, is not forwarded, and nobody need look at it first. */
static ALWAYS_INLINE bool
is_easy(const struct pfk_packet *f, const struct lane_packet *l, uint64_t end)
{
	return f->time < end && l->ref == 0 && (l->kind & LANE_BARE) != 0 &&
	    f->dir != PFK_FWD;
}

static ALWAYS_INLINE void
count(struct pfk_engine *e, struct lane_tally *t, const struct pfk_packet *f,
    const struct lane_packet *l, struct rt_rule *rr)
{
	lane_tally_for(e, t, f->ifid);
	lane_count(t, l, rr->plain == PLAIN_BLOCK);
	t->judged++;
	rr->n.packets[l->out]++;
	rr->n.bytes[l->out] += l->len;
}

static NOINLINE bool
count_by_strips(struct pfk_engine *e, struct lane_run *run,
    struct lane_clock *c, struct queue *q, struct start *s)
{
	const struct pfk_packet *f = q->f, *end = f + q->n;
	struct lane_packet *l = q->l;
	bool asked = false;
	struct strip_ask ask;
	struct rt_rule *rr;

	for (; f < end && is_easy(f, l, c->end); f++, l++) {
		if (f->time > c->last)
			c->last = f->time;
		short_question(&ask, e, run, f, l);
		ask.known = e->tables_known;
		ask.in = l->tables;
		s->rule = e->default_rule;
		s->from = strips_short(e, &ask, &s->rule);
		rr = &e->rules[s->rule];
		if ((asked = s->from != NULL || !only_counts(e, rr, l)))
			break;
		count(e, &run->tally, f, l, rr);
	}
	queue_pass(q, (size_t)(f - q->f));
	return asked;
}

static NOINLINE bool
count_by_block(struct pfk_engine *e, struct lane_run *run,
    struct lane_clock *c, struct queue *q, struct start *s)
{
	bool asked = false;
	struct rt_rule *rr;
	size_t i;

	for (i = 0; i < q->n && is_easy(&q->f[i], &q->l[i], c->end); i++) {
		const struct block_found *found = &q->ahead[i].found;

		if (found->block == 0 || !block_decides(found))
			break;
		if (q->f[i].time > c->last)
			c->last = q->f[i].time;
		rr = &e->rules[found->rule];
		if ((asked = !only_counts(e, rr, &q->l[i]))) {
			*s = (struct start){ NULL, found->rule, true };
			break;
		}
		count(e, &run->tally, &q->f[i], &q->l[i], rr);
	}
	queue_pass(q, i);
	return asked;
}

bool
miss_count(struct pfk_engine *e, struct lane_run *run, struct lane_clock *c,
    struct queue *q, struct start *s)
{
	s->quick = false;
	if (q->ahead != NULL)
		return count_by_block(e, run, c, q, s);
	return e->front != NULL && count_by_strips(e, run, c, q, s);
}
