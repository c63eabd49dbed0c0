/*
 * The clock: what is due when time passes.
 *
 * Each full second after the start a sweep looks at a part of the states, the
 * oldest first, and goes on where it stopped.  It works in batches, as pf's:
 *
 *	left = states / interval
 *	do a batch of max(left, 64) states; it ends early behind the last
 *	state, or when it has found 64 that are over
 *	unless it saw `left` of them (the one that ended it apart),
 *	take what it saw from left, and do another
 *
 * States that are over are removed after the batch, so that adaptive timeouts
 * are computed from the number before it.  Fragments and source nodes are
 * looked at after one second, and then each `interval` seconds.
 *
 * A capture may sleep for months.  While no state can end, sweeps only move
 * the place where the next one goes on: that is computed.
 */
#include <string.h>

#include "runtime/normalize.h"
#include "runtime/shard.h"
#include "runtime/translate.h"

#define BATCH_MIN	64u		/* states looked at in a batch */
#define BATCH_OVER	64u		/* found and removed together */
#define NEVER		UINT32_MAX

static uint32_t
own_timeout(const struct rt_rule *r, unsigned which)
{
	return r->r != NULL ? image_timeout(r->image, r->r, which) : 0;
}

static uint32_t
timeout_of(const struct pfk_engine *e, const struct rt_rule *r, unsigned which)
{
	uint32_t t = own_timeout(r, which);

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
	start = own_timeout(r, IMG_TMO_ADAPTIVE_START);
	if (start != 0) {
		end = own_timeout(r, IMG_TMO_ADAPTIVE_END);
		states = r->n.states;
	} else {
		start = e->opts.timeout[IMG_TMO_ADAPTIVE_START];
		end = e->opts.timeout[IMG_TMO_ADAPTIVE_END];
		states = states_of_all(e);
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

/* ---- the cursor: where the next sweep goes on ---- */

static bool
cursor_is_set(const struct pfk_engine *e)
{
	if (e->shards == NULL)
		return e->states->cursor != 0;
	for (unsigned i = 0; i < e->shards->n; i++)
		if (e->shards->cursor[i] != 0)
			return true;
	return false;
}

/* From the cursor on; if it is not set, from the oldest. */
static void
walk_from_cursor(struct pfk_engine *e, struct state_walk *w)
{
	state_walk_start(w, e);
	if (!cursor_is_set(e))
		return;
	for (unsigned i = 0; i < w->n; i++)
		w->at[i] = e->shards != NULL ? e->shards->cursor[i] :
		    e->states->cursor;
	state_walk_pick(w);
}

static void
cursor_set(struct pfk_engine *e, const struct state_walk *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (e->shards != NULL)
			e->shards->cursor[i] = w->at[i];
		else
			e->states->cursor = w->at[i];
}

/* At most `limit` states from the cursor on; how many, the last one apart if
 * it ended the batch. */
static uint32_t
sweep_batch(struct pfk_engine *e, uint32_t limit)
{
	struct state_ref over[BATCH_OVER], here;
	struct state_walk w;
	uint32_t n = 0, seen = 0;

	walk_from_cursor(e, &w);
	while (seen < limit) {
		here = state_walk_here(&w);
		if (state_expires(here.e, here.i) <= e->uptime)
			over[n++] = here;
		if (!state_walk_next(&w) || n == BATCH_OVER)
			break;
		seen++;
	}
	cursor_set(e, &w);
	if (e->shards != NULL)
		e->shards->states -= n;
	while (n-- > 0)
		state_remove(over[n].e, over[n].i);
	return seen;
}

static void
sweep_states(struct pfk_engine *e)
{
	uint32_t left = states_of_all(e) / interval(e), seen;

	do {
		if (states_of_all(e) == 0)
			return;
		seen = sweep_batch(e, left > BATCH_MIN ? left : BATCH_MIN);
		/* pf itself would never come back from this */
		if (seen == 0 && states_of_all(e) <= 1)
			return;
	} while (seen < left && (left -= seen) > 0);
}

/* The earliest second in which the sweep can have work. */
static uint32_t
next_end(struct pfk_engine *e)
{
	uint32_t first = NEVER, t;
	struct state_walk w;
	struct state_ref r;

	for (state_walk_start(&w, e); !state_walk_ended(&w);) {
		r = state_walk_here(&w);
		if ((t = state_expires(r.e, r.i)) < first)
			first = t;
		(void)state_walk_next(&w);
	}
	return first;
}

/* The place (0: the oldest) where a sweep that removes nothing leaves off. */
static uint32_t
place_after(uint32_t place, uint32_t n, uint32_t left)
{
	uint32_t size, seen;

	do {
		size = left > BATCH_MIN ? left : BATCH_MIN;
		seen = size < n - place ? size : n - place - 1;
		place = size < n - place ? place + size : 0;
		if (seen == 0 && n <= 1)
			break;
	} while (seen < left && (left -= seen) > 0);
	return place;
}

/* The same after many sweeps.  Places repeat: whole rounds are left out. */
static uint32_t
place_after_many(uint32_t place, uint32_t n, uint32_t left, uint32_t sweeps)
{
	uint32_t mark = place, since = 0, span = 1;

	for (; sweeps > 0; sweeps--) {
		place = place_after(place, n, left);
		since++;
		if (place == mark)
			sweeps = (sweeps - 1) % since + 1;
		if (since == span || place == mark) {
			mark = place;
			since = 0;
			span *= 2;
		}
	}
	return place;
}

static void
cursor_to(struct pfk_engine *e, uint32_t place)
{
	struct state_walk w;

	state_walk_start(&w, e);
	if (place == 0)
		memset(w.at, 0, sizeof(w.at));
	for (; place > 0; place--)
		(void)state_walk_next(&w);
	cursor_set(e, &w);
}

static uint32_t
cursor_place(struct pfk_engine *e)
{
	struct state_walk w, cursor;
	struct state_ref r, c;
	uint32_t place = 0;

	if (!cursor_is_set(e))
		return 0;
	walk_from_cursor(e, &cursor);
	c = state_walk_here(&cursor);
	for (state_walk_start(&w, e);; place++) {
		r = state_walk_here(&w);
		if (r.e == c.e && r.i == c.i)
			return place;
		(void)state_walk_next(&w);
	}
}

/* Seconds before `end` in which no state can end: the sweeps are done. */
static uint32_t
sleep_until(struct pfk_engine *e, uint32_t end)
{
	uint32_t n = states_of_all(e), until, place, skip;

	if (end - e->uptime < 8)
		return 0;
	if (n == 0)
		return end - e->uptime - 1;
	until = next_end(e);
	if (until > end)
		until = end;
	if (until <= e->uptime + 2)
		return 0;
	skip = until - e->uptime - 1;
	place = cursor_place(e);
	place = place_after_many(place, n, n / interval(e), skip);
	cursor_to(e, place);
	return skip;
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
		if ((skip = sleep_until(e, end)) > 0) {
			skip_to(e, e->swept + skip);
			continue;
		}
		e->uptime = ++e->swept;
		sweep_states(e);
		chores(e);
	}
	e->uptime = end;
}
