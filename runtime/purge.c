/*
 * The clock: what is due when time passes.
 *
 * Each full second after the start a sweep looks at a part of the states, the
 * oldest first, and goes on where it stopped: (states / interval) of them, but
 * at least 64.  Those that are over are gathered, at most 64 at a time, and
 * then removed together; so a sweep sees the number of states before the
 * removal, as adaptive timeouts are computed from it.  Fragments and source
 * nodes are looked at after one second, and then each `interval` seconds.
 *
 * A capture may sleep for months.  While no state can end, whole rounds
 * through the list are skipped: they would change nothing.
 */
#include "runtime/normalize.h"
#include "runtime/state_table.h"
#include "runtime/translate.h"

#define SWEEP_MIN	64u		/* states looked at in each sweep */
#define SWEEP_BATCH	64u		/* removed together */
#define NEVER		UINT32_MAX

static uint32_t
timeout_of(const struct pfk_engine *e, const struct rt_rule *r, unsigned which)
{
	uint32_t t = r->r != NULL ? r->r->timeout[which] : 0;

	return t != 0 ? t : e->opts.timeout[which];
}

uint32_t
state_expires(const struct pfk_engine *e, uint32_t i)
{
	const struct state *s = state_get(e, i);
	const struct rt_rule *r = &e->rules[s->rule];
	uint64_t timeout, expires;
	uint32_t start, end, states;

	if (s->timeout >= TIMEOUT_PURGE)
		return 0;
	timeout = timeout_of(e, r, s->timeout);
	start = r->r != NULL ? r->r->timeout[IMG_TMO_ADAPTIVE_START] : 0;
	if (start != 0) {
		end = r->r->timeout[IMG_TMO_ADAPTIVE_END];
		states = r->n.states;
	} else {
		start = e->opts.timeout[IMG_TMO_ADAPTIVE_START];
		end = e->opts.timeout[IMG_TMO_ADAPTIVE_END];
		states = (uint32_t)states_count(e);
	}
	if (end != 0 && states > start && start < end) {
		if (states >= end)
			return 0;
		timeout = timeout * (end - states) / (end - start);
	}
	expires = s->expire + timeout;
	return expires < NEVER ? (uint32_t)expires : NEVER - 1;
}

static uint32_t
interval(const struct pfk_engine *e)
{
	uint32_t n = e->opts.timeout[IMG_TMO_INTERVAL];

	return n > 1 ? n : 1;
}

/* States that a sweep looks at. */
static uint32_t
sweep_size(const struct pfk_engine *e)
{
	uint32_t n = (uint32_t)states_count(e) / interval(e);

	return n > SWEEP_MIN ? n : SWEEP_MIN;
}

/* At most `limit` states from the cursor on; false: the list's end is there. */
static bool
sweep_batch(struct pfk_engine *e, uint32_t *limit)
{
	struct state_table *t = e->states;
	uint32_t over[SWEEP_BATCH], n = 0, cur = t->cursor;

	if (cur == 0)
		cur = t->oldest;
	while (cur != 0 && *limit > 0 && n < SWEEP_BATCH) {
		(*limit)--;
		if (state_expires(e, cur) <= e->uptime)
			over[n++] = cur;
		cur = state_next(e, cur);
	}
	t->cursor = cur;
	while (n > 0)
		state_remove(e, over[--n]);
	return cur != 0;
}

static void
sweep_states(struct pfk_engine *e)
{
	uint32_t limit;

	if (states_count(e) == 0)
		return;
	limit = sweep_size(e);
	while (sweep_batch(e, &limit) && limit > 0)
		;
}

/* The earliest second in which the sweep can have work. */
static uint32_t
next_end(const struct pfk_engine *e)
{
	uint32_t first = NEVER, t;

	for (uint32_t i = state_first(e); i != 0; i = state_next(e, i))
		if ((t = state_expires(e, i)) < first)
			first = t;
	return first;
}

/*
 * Seconds that may be skipped before `end`: none in the middle of a round;
 * else whole rounds.  Chores do not depend on states: they are made up for.
 */
static uint32_t
seconds_to_skip(const struct pfk_engine *e, uint32_t end)
{
	const struct state_table *t = e->states;
	uint32_t n = (uint32_t)states_count(e), size, round, until;

	if (end - e->uptime < 8 || t->cursor != 0)
		return 0;
	if (n == 0)
		return end - e->uptime - 1;
	size = sweep_size(e);
	round = (n + size - 1) / size;
	until = next_end(e);
	if (until > end)
		until = end;
	if (until <= e->uptime + 1)
		return 0;
	return (until - e->uptime - 1) / round * round;
}

static void
chores(struct pfk_engine *e)
{
	if (e->uptime < e->next_chores)
		return;
	nodes_purge(e);
	frags_purge(e);
	e->next_chores += interval(e);
}

/* Of the chores that fall into skipped seconds the last one does it all. */
static void
skip_to(struct pfk_engine *e, uint32_t second)
{
	uint32_t n = interval(e);

	if (e->next_chores <= second) {
		e->next_chores += (second - e->next_chores) / n * n;
		e->uptime = e->next_chores;
		chores(e);
	}
	e->swept = e->uptime = second;
}

#define NS	1000000000u

void
purge_until(struct pfk_engine *e, uint64_t now)
{
	uint64_t seconds = now / NS;
	uint32_t end = seconds < NEVER / 2 ? (uint32_t)seconds : NEVER / 2;
	uint32_t skip;

	while (e->swept < end) {
		e->uptime = e->swept;
		if ((skip = seconds_to_skip(e, end)) > 0) {
			skip_to(e, e->swept + skip);
			continue;
		}
		e->uptime = ++e->swept;
		sweep_states(e);
		chores(e);
	}
	e->uptime = end;
}
