/*
 * Bursts.  Packets are decided one after the other, each at its time; but
 * what several of them will need from memory is fetched together:
 *
 *	read all	headers, keys, hashes; buckets are on their way
 *	look ahead	buckets tell which states; they are on their way;
 *			what tables of rules need for packets without one
 *	decide each	work that is due at its time, then the fast lane, or
 *			the ordinary path
 *
 * The looking ahead may be wrong by the time that a packet is decided: if the
 * table has changed since, it is asked again.
 */
#include "base/prefetch.h"
#include "runtime/lane.h"
#include "runtime/rules_int.h"

/* pfk_engine_advance(), when there is nothing else to do than to move on. */
static inline void
advance(struct pfk_engine *e, uint64_t time)
{
	if (!e->started || time > e->epoch + e->now)
		pfk_engine_advance(e, time);
}

/*
 * => Prefetches stand here and in no function of their own: a function that
 *    does nothing else has no effect in gcc's eyes, and is not called.
 */
static void
look_ahead(const struct pfk_engine *e, const struct pfk_packet *f, size_t n,
    struct lane_if *in, struct lane_packet *l)
{
	const struct state_table *t = e->states;
	const char *s;

	for (size_t i = 0; i < n; i++) {
		lane_read(e, &f[i], in, i > 0 ? &l[i - 1] : NULL, &l[i]);
		if (l[i].known)
			PREFETCH(&t->buckets[l[i].hash & (t->nbuckets - 1)]);
	}
	for (size_t i = 0; i < n; i++) {
		if (!l[i].known)
			continue;
		if (i > 0 && l[i - 1].known && l[i - 1].hash == l[i].hash) {
			l[i].ref = l[i - 1].ref;
			continue;
		}
		l[i].ref = lane_look_up(t, l[i].hash);
		if (l[i].ref == 0)
			continue;
		s = (const char *)state_get(e, l[i].ref / 2);
		PREFETCH(s);
		PREFETCH(s + 64);
	}
}

/* Packets without a state: their addresses, for the tables of rules. */
static void
look_ahead_tables(const struct pfk_engine *e, const struct lane_packet *l,
    size_t n)
{
	struct asking a[LANE_BURST];
	size_t k = 0;

	if (e->nasked == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *ip = l[i].ip;

		if (!l[i].known || l[i].ref != 0)
			continue;
		a[k++] = (struct asking){ { ip + (l[i].v6 ? 8 : 12),
		    ip + (l[i].v6 ? 24 : 16) }, l[i].v6 };
	}
	if (k > 1)
		tables_look_ahead(e, a, k);
}

static void
run_burst(struct pfk_engine *e, const struct pfk_packet *f, size_t n,
    struct lane_if *in)
{
	struct lane_packet l[LANE_BURST];
	uint64_t seen = e->states->changes;

	look_ahead(e, f, n, in, l);
	look_ahead_tables(e, l, n);
	for (size_t i = 0; i < n; i++) {
		advance(e, f[i].time);
		if (l[i].usual && e->states->changes != seen)
			l[i].ref = lane_look_up(e->states, l[i].hash);
		if (!lane_take(e, &f[i], &l[i]))
			run_frame(e, &f[i]);
	}
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
	struct lane_if in = { .ifid = IF_NONE };
	size_t some;

	if (e->no_lane || e->explain != NULL)
		run_plain(e, packets, n);
	else
		for (; n > 0; n -= some, packets += some) {
			some = n < LANE_BURST ? n : LANE_BURST;
			run_burst(e, packets, some, &in);
		}
}
