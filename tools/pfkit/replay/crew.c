/*
 * Threads share the work, and each takes what there is:
 *
 *	read	captures into a batch of packets: inflating, parsing, where
 *		each packet was seen, and which lane it is for
 *	run	a lane's packets of a batch through its engine
 *	write	what the lanes wrote about a batch, in order
 *
 * One lane, where nothing else is allowed (lanes_forbidden()), is the
 * replay's own engine with its outputs: then batches are only run, by one
 * thread, and another one reads.  With more lanes each thread runs one, and
 * they read in turn: what crosses from one processor to another is dear, and so
 * only other lanes' packets do.  Whoever finds nothing to do sleeps.
 *
 *	done  <=  next[lane]  <=  filled	batches, counted from 0
 *
 * lie in a ring: `filled' have been read, the lane has run next[lane] of them,
 * and `done' are finished altogether.  A batch's bytes stay where the
 * captures' buffers have them: a full buffer is exchanged for a spare one, and
 * is spare again when the batch that was begun then is done, and so all
 * before it.
 *
 * A batch may be a step: no lane runs it before all others are done, the
 * clock has moved on, and there is room for as many states as it has packets,
 * and for its fragments.  Every full second of the captures' time begins with a
 * step.  Where there is no such room, and before packets of which nobody can
 * tell whose they are, the lanes are joined: from there on there is one.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../pfkit.h"
#include "crew.h"

#ifdef HAVE_THREADS

#include "crew_int.h"

static void
await(struct crew *c)
{
	if (c->told)
		pthread_cond_broadcast(&c->news);
	c->told = false;
	c->waiting++;
	pthread_cond_wait(&c->news, &c->lock);
	c->waiting--;
}

/* ---- a batch is done ---- */

static void
finish(struct crew *c, struct batch *b)
{
	c->replay->done += b->n;
	progress_show(&c->progress, b->position, c->replay->done);
	outputs_flush_terminals(c->replay);
}

/* Under the lock again. */
static void
batch_done(struct crew *c, struct batch *b)
{
	while (b->nlent > 0)
		c->spare[c->nspare++] = b->lent[--b->nlent];
	c->idle[c->nidle++] = b;
	c->done++;
	/* a reader that waits for room is not woken for a single batch */
	if (c->filled - c->done <= DEPTH / 2 || !c->whole)
		tell(c);
}

static bool
write_batch(struct crew *c)
{
	struct batch *b = batch_at(c, c->done);

	if (c->whole || c->writing || c->done == c->filled || b->left > 0)
		return false;
	c->writing = true;
	leave(c);
	lanes_write(c->lanes, b->text, b->step, b->next_id);
	finish(c, b);
	enter(c);
	c->writing = false;
	batch_done(c, b);
	return true;
}

/* ---- one engine ---- */

/* Packets that were dealt, in their order again. */
static void
run_joined(struct crew *c, const struct batch *b)
{
	struct pfk_packet packets[BURST];
	size_t at[PFK_SHARDS_MAX] = { 0 }, n = 0;

	for (size_t i = 0; i < b->n; i++) {
		unsigned least = c->n;

		for (unsigned k = 0; k < c->n; k++)
			if (at[k] < b->part[k].n && (least == c->n ||
			    b->part[k].packets[at[k]].number <
			    b->part[least].packets[at[least]].number))
				least = k;
		packets[n++] = b->part[least].packets[at[least]++];
		if (n == BURST || i + 1 == b->n) {
			replay_decide(c->replay, packets, n);
			n = 0;
		}
	}
}

static bool
run_whole(struct crew *c)
{
	struct batch *b = batch_at(c, c->done);

	if (!c->whole || c->busy[0] || c->done == c->filled)
		return false;
	c->busy[0] = true;
	leave(c);
	if (b->part[0].n == b->n)
		replay_decide(c->replay, b->part[0].packets, b->n);
	else
		run_joined(c, b);
	finish(c, b);
	enter(c);
	c->busy[0] = false;
	batch_done(c, b);
	return true;
}

/* ---- lanes ---- */

/* Why the batch needs one lane; NULL: it does not. */
static const char *
why_join(const struct crew *c, const struct batch *b)
{
	if (b->join != NULL)
		return b->join;
	if (lanes_room(c->lanes) < b->n)
		return "the table of states might become full";
	if (lanes_fragments(c->lanes) < b->fragments)
		return "too many fragments might wait";
	return NULL;
}

static void
tell_join(const struct crew *c, const struct batch *b)
{
	uint64_t first = UINT64_MAX;

	for (unsigned k = 0; k < c->n; k++)
		if (b->part[k].n > 0 && b->part[k].packets[0].number < first)
			first = b->part[k].packets[0].number;
	if (c->replay->o->verbose > 0)
		warning("-j: from packet %" PRIu64 " on one engine decides: "
		    "%s", first, b->join);
}

static void
run_all_lanes(struct crew *c, struct batch *b)
{
	for (unsigned k = 0; k < c->n; k++)
		lane_run(c->lanes, k, b->part[k].packets, b->part[k].n,
		    b->text[k]);
}

/* Under the lock again. */
static void
all_lanes_done(struct crew *c, struct batch *b)
{
	for (unsigned k = 0; k < c->n; k++)
		c->next[k]++;
	b->left = 0;
}

/* All before it is done: the clock moves, and there is room, or one lane. */
static void
step(struct crew *c, struct batch *b)
{
	bool small = is_small(c, b);	/* here it is run, too */

	c->stepping = true;
	leave(c);
	lanes_advance(c->lanes, b->time);
	b->next_id = lanes_next_id(c->lanes);
	b->step = true;
	b->join = why_join(c, b);
	if (b->join != NULL) {
		tell_join(c, b);
		lanes_join(c->lanes);
	} else if (small)
		run_all_lanes(c, b);
	enter(c);
	c->stepping = false;
	small = small && b->join == NULL;
	if (small)
		all_lanes_done(c, b);
	c->whole = b->join != NULL;
	c->room = c->whole ? 0 : lanes_room(c->lanes) - b->n;
	c->fragments = c->whole ? 0 : lanes_fragments(c->lanes) - b->fragments;
	b->started = true;
	if (!small || c->filled > c->done + 1)
		tell(c);
}

/* Whether a lane may run the batch. */
static bool
may_start(struct crew *c, struct batch *b, uint64_t number)
{
	if (c->stepping)
		return false;
	if (b->started)
		return true;
	if (!b->step && b->n <= c->room && b->fragments <= c->fragments) {
		c->room -= b->n;
		c->fragments -= b->fragments;
		b->started = true;
		return true;
	}
	if (c->done < number)
		return false;
	step(c, b);
	return !c->whole;
}

static bool
run_lane(struct crew *c, unsigned lane)
{
	uint64_t number = c->next[lane];
	struct batch *b = batch_at(c, number);

	if (c->whole || c->busy[lane] || number == c->filled ||
	    !may_start(c, b, number) || c->busy[lane])
		return false;
	if (c->next[lane] != number)
		return true;
	c->busy[lane] = true;
	leave(c);
	lane_run(c->lanes, lane, b->part[lane].packets, b->part[lane].n,
	    b->text[lane]);
	enter(c);
	c->busy[lane] = false;
	c->next[lane]++;
	if (--b->left == 0)
		tell(c);
	return true;
}

/* Its own lane, which is warm, and those of threads that could not be had. */
static bool
run_lanes(struct crew *c, uint32_t thread)
{
	for (uint32_t lane = thread; lane < c->n; lane += c->threads)
		if (run_lane(c, lane))
			return true;
	return false;
}

/* That lanes have been joined is something, too: whoever did it may be the
 * one to go on. */
static bool
run(struct crew *c, uint32_t thread)
{
	if (c->whole)
		return run_whole(c);
	return write_batch(c) || run_lanes(c, thread) || c->whole;
}

/* Whether no lane has run more batches than the thread's. */
static bool
is_ahead(const struct crew *c, uint32_t thread)
{
	for (unsigned k = 0; k < c->n; k++)
		if (c->next[k] > c->next[thread])
			return false;
	return true;
}

/*
 * With lanes each thread reads in turn, so that what it reads for its own lane
 * is in its processor's cache: the one whose lane has the least to do, before
 * it has nothing.  Where reading may wait, what there is comes first.
 */
static bool
reads_first(const struct crew *c, uint32_t thread)
{
	return thread >= c->n || (c->filled - c->next[thread] <
	    (c->soon ? AHEAD : 1) && is_ahead(c, thread));
}

static bool
share(struct crew *c, uint32_t thread)
{
	return (reads_first(c, thread) && crew_read(c, thread)) ||
	    run(c, thread) || crew_read(c, thread);
}

/* One engine stays with one thread, and another one reads: whoever did the
 * other's work would wake it up in vain. */
static bool
take_turns(struct crew *c, uint32_t thread)
{
	return thread == 0 ? run_whole(c) : crew_read(c, thread);
}

static void
work(struct crew *c, uint32_t thread)
{
	while (!c->ended || c->done < c->filled)
		if (!(c->whole && c->threads > 1 ? take_turns(c, thread) :
		    share(c, thread)))
			await(c);
	tell(c);
}

/* ---- threads ---- */

struct helper { struct crew *crew; pthread_t id; uint32_t number; };

static void *
help(void *arg)
{
	struct helper *h = arg;

	enter(h->crew);
	work(h->crew, h->number);
	leave(h->crew);
	return NULL;
}

/* Before engines get to know an interface: none is running.  The reader asks. */
static void
quiet(void *arg)
{
	struct crew *c = arg;

	enter(c);
	tell(c);	/* of what there is, be it ever so little */
	while (c->done < c->filled)
		if (!run(c, c->reading))
			await(c);
	leave(c);
}

/*
 * The first batch is read alone: if it is all, no thread is needed.  One that
 * cannot be had is done without, if others can do its work.
 */
static void
run_all(struct crew *c, unsigned threads)
{
	struct helper *h = xcalloc(threads, sizeof(*h));
	unsigned n = 1;

	c->threads = threads;
	c->bursts = xcalloc(threads, BURST * sizeof(*c->bursts));
	enter(c);
	crew_read(c, 0);
	while (!c->ended && n < threads) {
		h[n] = (struct helper){ .crew = c, .number = n };
		if (pthread_create(&h[n].id, NULL, help, &h[n]) != 0)
			break;
		n++;
	}
	c->threads = n;
	work(c, 0);
	leave(c);
	while (--n > 0)
		pthread_join(h[n].id, NULL);
	free(h);
}

static void
ring_new(struct crew *c)
{
	for (unsigned i = 0; i < DEPTH; i++) {
		struct batch *b = &c->batches[i];

		for (unsigned k = 0; k < c->n; k++) {
			b->part[k].packets = xcalloc(PACKETS,
			    sizeof(struct pfk_packet));
			if (c->lanes != NULL)
				b->text[k] = lane_text_new();
		}
		b->thread = NOBODY;
		c->idle[c->nidle++] = b;
	}
}

static struct crew *
crew_new(struct replay *r, unsigned lanes)
{
	struct crew *c = xcalloc(1, sizeof(*c));
	struct pfk_engine *const *others = NULL;

	c->replay = r;
	c->n = lanes;
	c->whole = lanes == 1;
	c->reading = NOBODY;
	c->soon = inputs_size(r->inputs) > 0;
	if (!c->whole) {
		c->lanes = lanes_new(r, lanes);
		others = lanes_engines(c->lanes) + 1;
	}
	c->reader.replay = r;
	c->reader.where = where_new(r->o, r->engine, r->host);
	where_share(c->reader.where, others, lanes - 1, quiet, c);
	ring_new(c);
	if (pthread_mutex_init(&c->lock, NULL) != 0 ||
	    pthread_cond_init(&c->news, NULL) != 0)
		fatal("no memory");
	return c;
}

static void
crew_free(struct crew *c)
{
	for (unsigned i = 0; i < DEPTH; i++)
		for (unsigned k = 0; k < c->n; k++) {
			free(c->batches[i].part[k].packets);
			lane_text_free(c->batches[i].text[k]);
		}
	while (c->nspare > 0)
		free(c->spare[--c->nspare].buffer.bytes);
	free(c->bursts);
	lanes_free(c->lanes);
	where_free(c->reader.where);
	pthread_cond_destroy(&c->news);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

int
crew_run(struct replay *r, unsigned threads)
{
	unsigned lanes = r->o->jobs < 2 || lanes_forbidden(r) ? 1 :
	    r->o->jobs;
	struct crew *c = crew_new(r, lanes);
	int status;

	progress_start(&c->progress, inputs_size(r->inputs));
	run_all(c, lanes > 1 || threads < 2 ? threads : 2);
	/* who shows nothing at the end need not know */
	if (!c->whole && r->noutputs > 0)
		lanes_join(c->lanes);
	progress_end(&c->progress);
	status = c->reader.status;
	crew_free(c);
	return status;
}

unsigned
crew_size(const struct replay *r)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (r->o->nat > 0)
		return 1;	/* commands act between two packets */
	if (r->o->jobs > 0)
		return r->o->jobs;
	return n > 1 ? 2 : 1;
}

#else

int
crew_run(struct replay *r, unsigned threads)
{
	(void)threads;
	return replay_run(r);
}

unsigned
crew_size(const struct replay *r)
{
	(void)r;
	return 1;
}

#endif
