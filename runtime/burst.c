/*
 * Bursts.  Packets are decided one after the other, each at its time; but
 * what they will need from memory is fetched ahead, so that much of it is
 * under way at any time.  A burst is cut into groups, which go through three
 * steps, each one step behind the group before it:
 *
 *	read		headers, keys, hashes; buckets are on their way
 *	look up		buckets tell which states; they are on their way;
 *			what tables of rules need for packets without one
 *	fetch keys	of the stack side, where states translate IPv6
 *	decide		tables say which addresses they have;
 *			work that is due at its time, then the fast lane, the
 *			short ways to a state that changes (hit.h) or without
 *			one (miss.h), or the ordinary path
 *
 *	group		1	2	3	4 ...
 *	read 1
 *	look up 1	read 2
 *	decide 1	look up 2	read 3
 *			decide 2	look up 3	read 4
 *
 * What was looked up may be wrong by the time that a packet is decided: if the
 * table has changed since, it is asked again; of a state that was found, only
 * if it may have gone, or is not alone any more.
 */
#include <string.h>

#include "base/prefetch.h"
#include "runtime/block.h"
#include "runtime/hit.h"
#include "runtime/miss.h"
#include "runtime/table_ahead.h"

#define GROUP_KNOWN	8u	/* packets; at most LANE_GROUP */

struct group {
	const struct pfk_packet *f;
	size_t		 n;
	struct lane_seen seen;		/* at look-up */
	bool		 bare;		/* keys have been put off */
	bool		 stack;		/* some are IPv6 and have the key of
					   this side */
	struct lane_packet l[LANE_GROUP];
	struct block_ahead ahead[LANE_GROUP];
	struct tables_ahead tables;
};

/*
 * Buckets are on their way.
 * => Prefetches stand in functions that do more than that: one that does
 *    nothing else has no effect in gcc's eyes, and is not called.
 */
static void
hash_group(const struct pfk_engine *e, struct group *g)
{
	const struct state_table *t = e->states;

	state_hash_packets(&e->hasher, g->l, g->n);
	for (size_t i = 0; i < g->n; i++)
		PREFETCH(&t->buckets[g->l[i].hash & (t->nbuckets - 1)]);
}

/* While there is no state, nobody asks for keys. */
static void
read_group(const struct pfk_engine *e, struct lane_run *run, struct group *g)
{
	g->bare = e->states->entries == 0;
	if (g->bare)
		lane_read_bare(e, g->f, g->n, &run->in, g->l);
	else {
		lane_read(e, g->f, g->n, &run->in, g->l);
		hash_group(e, g);
	}
}

static void
know_group(const struct pfk_engine *e, struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->l[i].hdr != NULL)
			lane_know(e, &g->l[i]);
	g->bare = false;
}

static void
look_up_states(struct pfk_engine *e, struct group *g)
{
	const struct state_table t = *e->states;
	struct lane_packet *l = g->l;
	uint32_t sides = 0;
	const char *s;

	e->groups_known = true;
	for (size_t i = 0; i < g->n; i++) {
		lane_refer(&l[i], lane_look_up(&t, l[i].hash));
		if (l[i].ref == 0) {
			e->groups_known = false;
			continue;
		}
		l[i].state = state_get(e, l[i].ref / 2);
		l[i].at = &l[i].state->key;
		s = (const char *)l[i].state;
		PREFETCH(s);
		PREFETCH(s + 64);
		sides |= l[i].v6 ? l[i].ref : 0;
	}
	g->stack = sides & KEY_STACK;
	for (size_t i = 0; g->stack && i < g->n; i++)
		if (l[i].v6 && l[i].ref & KEY_STACK) /* leads to its key */
			PREFETCH(&state_cold(e, l[i].ref / 2)->extra);
}

static void
look_up_group(struct pfk_engine *e, const struct lane_run *run,
    struct group *g)
{
	const struct state_table *t = e->states;

	g->seen = (struct lane_seen){ t->changes, t->losses };
	if (g->bare && t->entries != 0)
		know_group(e, g);
	if (!g->bare)
		look_up_states(e, g);
	else
		e->groups_known = false;
	if (e->nasked != 0)
		tables_look_ahead(e, &g->tables, g->l, g->n);
	if (e->ahead != 0)
		block_look_ahead(e, e->ahead, &run->in, g->f, g->l, g->ahead,
		    g->n);
}

/* Keys of the stack side, where the cold records have come meanwhile. */
static void
fetch_keys(const struct pfk_engine *e, struct group *g)
{
	const struct state_extra *x;

	for (size_t i = 0; i < g->n; i++) {
		if (!g->l[i].v6 || !(g->l[i].ref & KEY_STACK))
			continue;
		/* none: the state has ended, and will be looked up again */
		if ((x = state_extra(e, g->l[i].ref / 2)) == NULL)
			continue;
		g->l[i].at = &x->stack;
		PREFETCH(x);
	}
}

/* What the lane and miss.c have left. */
static NOINLINE void
decide_one(struct pfk_engine *e, struct lane_run *run,
    const struct pfk_packet *f, struct lane_packet *l,
    const struct lane_seen *seen)
{
	engine_advance(e, f->time);
	if (l->hdr != NULL && lane_stale(e->states, l, seen))
		lane_look_again(e, l);
	if (l->hdr == NULL || l->ref == 0 || !hit_take(e, run, f, l))
		run_frame(e, f);
}

/* Either of the two leaves the other's packets to it. */
static void
decide_group(struct pfk_engine *e, struct lane_run *run, struct group *g)
{
	bool left;

	if (e->nasked != 0)
		tables_answer(e, &g->tables, g->l);
	for (size_t i = 0, some; i < g->n; i += some + left) {
		const struct pfk_packet *f = g->f + i;
		struct lane_packet *l = g->l + i;
		size_t n = g->n - i;

		if (l->ref == 0) {
			some = miss_take(e, run, f, l, n, &g->seen,
			    e->ahead != 0 ? &g->ahead[i] : NULL);
			left = some == 0 && l->ref == 0;
		} else {
			some = lane_take(e, run, f, l, n, &g->seen);
			left = some < n && l[some].ref != 0;
		}
		if (left)
			decide_one(e, run, f + some, l + some, &g->seen);
	}
	e->tables_known = 0;
}

/*
 * The next packets, at most so many; how many.  The headers of those behind
 * them are fetched, LANE_GROUP packets ahead however large groups are: another
 * processor may have read them in.  *fetched: up to that packet they have been.
 */
static size_t
fill_group(struct group *g, const struct pfk_packet *f, size_t n, size_t most,
    const struct pfk_packet **fetched)
{
	const struct pfk_packet *p, *end;

	g->f = f;
	g->n = n < most ? n : most;
	g->stack = false;
	p = *fetched > f + g->n ? *fetched : f + g->n;
	end = f + (n < g->n + LANE_GROUP ? n : g->n + LANE_GROUP);
	for (; p < end; p++) {
		PREFETCH(p->data);
		PREFETCH(p->data + 63);
	}
	*fetched = p;
	return g->n;
}

/*
 * Groups change places: the one that was decided is the next to be read.
 *
 * Rules are looked through for as many packets at once as there are; where all
 * have states it is three lines a packet, and of more than GROUP_KNOWN packets
 * they would be more than a processor has under way.
 */
static void
run_groups(struct pfk_engine *e, const struct pfk_packet *f, size_t n)
{
	struct group groups[3], *read = &groups[0], *look = &groups[1],
	    *decide = &groups[2], *done;
	const struct pfk_packet *fetched = f;
	struct lane_run run;
	size_t some;

	lane_begin(&run);
	look->n = decide->n = 0;
	look->stack = decide->stack = false;
	do {
		if (decide->stack)
			fetch_keys(e, decide);
		some = fill_group(read, f, n, e->groups_known ?
		    GROUP_KNOWN : LANE_GROUP, &fetched);
		if (some > 0)
			read_group(e, &run, read);
		if (look->n > 0)
			look_up_group(e, &run, look);
		if (decide->n > 0)
			decide_group(e, &run, decide);
		f += some;
		n -= some;
		done = decide;
		decide = look;
		look = read;
		read = done;
	} while (look->n + decide->n > 0);
	lane_end(e, &run);
}

static void
run_plain(struct pfk_engine *e, const struct pfk_packet *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		pfk_engine_advance(e, f[i].time);
		run_frame(e, &f[i]);
	}
}

void
pfk_engine_run(struct pfk_engine *e, const struct pfk_packet *packets,
    size_t n)
{
	if (e->no_lane || e->explain != NULL)
		run_plain(e, packets, n);
	else
		run_groups(e, packets, n);
}
