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

static ALWAYS_INLINE void
move(struct lane_clock *c, const struct pfk_packet *f)
{
	c->last = f->time > c->last ? f->time : c->last;
}

static inline size_t
easy_ones(const struct lane_clock *c, const struct queue *q)
{
	size_t i = 0;

	while (i < q->n && is_easy(&q->f[i], &q->l[i], c->end))
		i++;
	return i;
}

/* Those of the first n whose rules are known together. */
static inline size_t
count_known(struct pfk_engine *e, struct lane_run *run, struct lane_clock *c,
    struct queue *q, size_t n)
{
	struct strip_look look[LANE_GROUP];

	n = strips_look(e, run, q->f, q->l, n, look);
	for (size_t i = 0; i < n; i++) {
		++*look[i].count;
		move(c, &q->f[i]);
		count(e, &run->tally, &q->f[i], &q->l[i], look[i].rule);
	}
	queue_pass(q, n);
	return n;
}

/* The first one by itself; false: it is not only counted. */
static inline bool
count_one(struct pfk_engine *e, struct lane_run *run, struct lane_clock *c,
    struct queue *q, struct start *s)
{
	struct strip_ask ask;
	struct rt_rule *rr;

	move(c, q->f);
	lane_question(&ask, e, run, q->f, q->l);
	ask.known = e->tables_known;
	ask.in = q->l->tables;
	s->rule = e->default_rule;
	s->from = strips_short(e, &ask, &s->rule);
	rr = &e->rules[s->rule];
	if (s->from != NULL || !only_counts(e, rr, q->l))
		return false;
	count(e, &run->tally, q->f, q->l, rr);
	queue_pass(q, 1);
	return true;
}

static bool
count_by_strips(struct pfk_engine *e, struct lane_run *run,
    struct lane_clock *c, struct queue *q, struct start *s)
{
	size_t n = easy_ones(c, q), some = n;

	for (; n > 0; n--) {
		if (some > 0)	/* else it is not worth the trouble */
			n -= some = count_known(e, run, c, q, n);
		if (n == 0)
			break;
		if (!count_one(e, run, c, q, s))
			return true;
	}
	return false;
}

static bool
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
		move(c, &q->f[i]);
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
