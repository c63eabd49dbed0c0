/*
 * The clock of engines that share one stream of packets.
 *
 * Between two steps of the clock each engine makes states, in the order of
 * its packets, with ids that contain their numbers; and no state leaves a
 * list.  So the states made since are the ends of the engines' lists, and
 * merging these by id gives the order in which one engine would have made
 * them, and with it their final ids.
 */
#include <string.h>

#include "base/prefetch.h"
#include "runtime/fragment.h"
#include "runtime/shard.h"

void
state_walk_pick(struct state_walk *w)
{
	uint64_t id, least = UINT64_MAX;

	w->k = w->n;
	for (unsigned i = 0; i < w->n; i++) {
		if (w->at[i] == 0)
			continue;
		if (w->n == 1) {
			w->k = 0;
			return;
		}
		id = state_get(w->e[i], w->at[i])->id;
		if (id < least) {
			least = id;
			w->k = i;
		}
	}
}

static void
walk_engines(struct state_walk *w, struct pfk_engine *e)
{
	w->alone = e;
	w->e = e->shards != NULL ? e->shards->e : &w->alone;
	w->n = e->shards != NULL ? e->shards->n : 1;
}

void
state_walk_start(struct state_walk *w, struct pfk_engine *e)
{
	walk_engines(w, e);
	for (unsigned i = 0; i < w->n; i++)
		w->at[i] = state_first(w->e[i]);
	state_walk_pick(w);
}

int
pfk_shards_new(struct pfk_engine *const *e, unsigned n,
    struct pfk_shards **out)
{
	const struct pfk_allocator *a = &e[0]->alloc;
	struct pfk_shards *s = a->fn(a->ctx, NULL, 0, sizeof(*s));

	if (s == NULL)
		return PFK_ERR_NOMEM;
	memset(s, 0, sizeof(*s));
	s->alloc = *a;
	s->n = n;
	memcpy(s->e, e, n * sizeof(struct pfk_engine *));
	(void)shard_nets_init(&s->nets, e[0]->image);
	s->next_id = 1;
	for (unsigned i = 0; i < n; i++)
		e[i]->shards = s;
	*out = s;
	return PFK_OK;
}

void
pfk_shards_free(struct pfk_shards *s)
{
	struct pfk_allocator a;

	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n; i++)
		s->e[i]->shards = NULL;
	a = s->alloc;
	a.fn(a.ctx, s, sizeof(*s), 0);
}

static bool
sweep_is_under_way(const struct pfk_shards *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->cursor[i] != 0)
			return true;
	return false;
}

/*
 * States that an engine has made since the last step, in order: the next few,
 * whose records are on their way from the other processor's cache.
 */
#define MADE	32
struct made { uint32_t next, i[MADE]; unsigned n, at; };

static void
made_fetch(const struct pfk_engine *e, struct made *m)
{
	m->n = m->at = 0;
	for (; m->next != 0 && m->n < MADE; m->next = state_next(e, m->next)) {
		PREFETCH(&state_get(e, m->next)->id);
		m->i[m->n++] = m->next;
	}
}

/* The engine with the oldest one; s->n: there is none. */
static unsigned
made_pick(const struct pfk_shards *s, const struct made *m)
{
	uint64_t id, least = UINT64_MAX;
	unsigned best = s->n;

	for (unsigned k = 0; k < s->n; k++) {
		if (m[k].n == 0)
			continue;
		id = state_get(s->e[k], m[k].i[m[k].at])->id;
		if (id < least) {
			least = id;
			best = k;
		}
	}
	return best;
}

/* Final ids for the states made since the last step. */
static void
settle(struct pfk_shards *s)
{
	bool under_way = sweep_is_under_way(s);
	struct made made[PFK_SHARDS_MAX], *m;
	unsigned k;

	for (k = 0; k < s->n; k++) {
		m = &made[k];
		m->next = s->newest[k] == 0 ? state_first(s->e[k]) :
		    state_next(s->e[k], s->newest[k]);
		/* the sweep was behind all that this engine had */
		if (under_way && s->cursor[k] == 0)
			s->cursor[k] = m->next;
		made_fetch(s->e[k], m);
	}
	while ((k = made_pick(s, made)) < s->n) {
		m = &made[k];
		state_get(s->e[k], m->i[m->at])->id = s->next_id++;
		if (++m->at == m->n)
			made_fetch(s->e[k], m);
	}
}

static void
count(struct pfk_shards *s)
{
	s->states = 0;
	s->parts = s->part_bytes = 0;
	for (unsigned i = 0; i < s->n; i++) {
		s->states += (uint32_t)states_count(s->e[i]);
		s->parts += s->e[i]->counters.fragments;
		s->part_bytes += s->e[i]->frags->bytes;
		s->newest[i] = s->told[i] = s->e[i]->states->newest;
	}
}

/* One clock: the latest of all; engine 0 does what is due on it. */
static void
advance(struct pfk_shards *s, uint64_t time)
{
	struct pfk_engine *first = s->e[0], *e;

	for (unsigned i = 1; i < s->n; i++)
		if (s->e[i]->now > first->now)
			first->now = s->e[i]->now;
	if (time != PFK_SHARDS_STAY)
		pfk_engine_advance(first, time);
	for (unsigned i = 1; i < s->n; i++) {
		e = s->e[i];
		e->started = first->started;
		e->epoch = first->epoch;
		e->now = first->now;
		e->uptime = first->uptime;
		e->swept = first->swept;
		e->next_chores = first->next_chores;
	}
}

void
pfk_shards_advance(struct pfk_shards *s, uint64_t time)
{
	settle(s);
	count(s);
	advance(s, time);
	count(s);
}

size_t
pfk_shards_room(const struct pfk_shards *s)
{
	uint32_t limit = s->e[0]->opts.limit[IMG_LIMIT_STATES];

	return s->states < limit ? limit - s->states : 0;
}

size_t
pfk_shards_fragments(const struct pfk_shards *s)
{
	return frags_room(s->e[0]->opts.limit[IMG_LIMIT_FRAGS], s->parts,
	    s->part_bytes);
}

uint64_t
pfk_shards_next_id(const struct pfk_shards *s)
{
	return s->next_id;
}

size_t
pfk_shards_made(struct pfk_shards *s, unsigned k, uint64_t *ids, size_t max)
{
	const struct pfk_engine *e = s->e[k];
	uint32_t i = s->told[k] == 0 ? state_first(e) :
	    state_next(e, s->told[k]);
	size_t n;

	for (n = 0; i != 0 && n < max; i = state_next(e, i)) {
		ids[n++] = state_get(e, i)->id;
		s->told[k] = i;
	}
	return n;
}
