/*
 * Threads share two kinds of work, and each takes what there is:
 *
 *	read	captures into a batch of packets: inflating, parsing, and
 *		where each packet was seen
 *	run	a batch through the engine, and what it says to the outputs
 *
 * Batches lie in a ring, are read and run in order, and at any time one
 * thread reads and one runs.  A batch's bytes stay where the captures' buffers
 * have them: a full buffer is exchanged for a spare one, and is spare again
 * when the batch that was begun then is done with, and so all before it.
 *
 *	filled   batches read so far		ring[filled % DEPTH] is read
 *	done     batches run so far		ring[done % DEPTH] is run
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../pfkit.h"
#include "batch.h"
#include "crew.h"
#include "progress.h"

#ifdef HAVE_THREADS

#include <pthread.h>

#define DEPTH		6
#define PACKETS		4096		/* of a batch, at most */
#define MAX_LENT	4

struct batch {
	struct pfk_packet *packets;
	size_t		 n;
	struct buffer	 lent[MAX_LENT]; /* spare, when it is done */
	unsigned	 nlent;
	uint64_t	 position;	/* bytes of the captures up to here */
};

struct crew {
	struct replay	*replay;
	struct reader	 reader;
	struct progress	 progress;
	pthread_mutex_t	 lock;		/* for all below */
	pthread_cond_t	 news;
	struct batch	 ring[DEPTH];
	uint64_t	 filled, done;
	bool		 reading, running, ended;
	unsigned	 waiting;
	struct buffer	 spare[DEPTH * MAX_LENT];
	unsigned	 nspare;
};

static void
tell(struct crew *c)
{
	if (c->waiting > 0)
		pthread_cond_broadcast(&c->news);
}

static void
await(struct crew *c)
{
	c->waiting++;
	pthread_cond_wait(&c->news, &c->lock);
	c->waiting--;
}

/* ---- reading ---- */

static void
refill(struct crew *c, struct batch *b)
{
	struct buffer spare = { NULL, 0 };

	pthread_mutex_lock(&c->lock);
	if (c->nspare > 0)
		spare = c->spare[--c->nspare];
	pthread_mutex_unlock(&c->lock);
	if (!reader_refill(&c->reader, &spare))
		fatal("no memory");
	if (spare.bytes != NULL)
		b->lent[b->nlent++] = spare;
}

/* => Not under the lock. */
static void
fill(struct crew *c, struct batch *b)
{
	struct reader *rd = &c->reader;

	b->n = 0;
	b->nlent = 0;
	while (!rd->ended && b->n < PACKETS && b->nlent < MAX_LENT) {
		if (rd->full && b->n > 0)
			break;		/* what there is need not wait */
		if (rd->full)
			refill(c, b);
		b->n += reader_burst(rd, b->packets + b->n, PACKETS - b->n);
	}
	b->position = inputs_position(c->replay->inputs);
}

static bool
read_batch(struct crew *c)
{
	if (c->reading || c->ended || c->filled - c->done == DEPTH)
		return false;
	c->reading = true;
	pthread_mutex_unlock(&c->lock);
	fill(c, &c->ring[c->filled % DEPTH]);
	pthread_mutex_lock(&c->lock);
	c->reading = false;
	c->ended = c->reader.ended;
	c->filled++;
	tell(c);
	return true;
}

/* ---- running ---- */

static void
run(struct crew *c, const struct batch *b)
{
	struct replay *r = c->replay;

	replay_decide(r, b->packets, b->n);
	r->done += b->n;
	progress_show(&c->progress, b->position, r->done);
	outputs_flush_terminals(r);
}

static bool
run_batch(struct crew *c)
{
	struct batch *b = &c->ring[c->done % DEPTH];

	if (c->running || c->done == c->filled)
		return false;
	c->running = true;
	pthread_mutex_unlock(&c->lock);
	run(c, b);
	pthread_mutex_lock(&c->lock);
	while (b->nlent > 0)
		c->spare[c->nspare++] = b->lent[--b->nlent];
	c->running = false;
	c->done++;
	/* a reader that waits for room is not woken for a single batch */
	if (c->filled - c->done <= DEPTH / 2)
		tell(c);
	return true;
}

static void
work(struct crew *c)
{
	while (!c->ended || c->done < c->filled)
		if (!run_batch(c) && !read_batch(c))
			await(c);
	tell(c);
}

static void *
helper(void *arg)
{
	struct crew *c = arg;

	pthread_mutex_lock(&c->lock);
	work(c);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Before engines get to know an interface: none is running.  The reader asks. */
static void
quiet(void *arg)
{
	struct crew *c = arg;

	pthread_mutex_lock(&c->lock);
	while (c->running || c->done < c->filled)
		if (!run_batch(c))
			await(c);
	pthread_mutex_unlock(&c->lock);
}

/*
 * The first batch is read alone: if it is all, no thread is needed.  One that
 * cannot be had is done without.
 */
static void
run_all(struct crew *c, unsigned threads)
{
	pthread_t t[64];
	unsigned n = 0;

	pthread_mutex_lock(&c->lock);
	read_batch(c);
	while (!c->ended && n + 1 < threads && n < 64 &&
	    pthread_create(&t[n], NULL, helper, c) == 0)
		n++;
	work(c);
	pthread_mutex_unlock(&c->lock);
	while (n > 0)
		pthread_join(t[--n], NULL);
}

static struct crew *
crew_new(struct replay *r)
{
	struct crew *c = xcalloc(1, sizeof(*c));

	c->replay = r;
	c->reader.replay = r;
	c->reader.where = where_new(r->o, r->engine, r->host);
	where_share(c->reader.where, NULL, 0, quiet, c);
	for (unsigned i = 0; i < DEPTH; i++)
		c->ring[i].packets = xcalloc(PACKETS,
		    sizeof(*c->ring[i].packets));
	if (pthread_mutex_init(&c->lock, NULL) != 0 ||
	    pthread_cond_init(&c->news, NULL) != 0)
		fatal("no memory");
	return c;
}

static void
crew_free(struct crew *c)
{
	for (unsigned i = 0; i < DEPTH; i++)
		free(c->ring[i].packets);
	while (c->nspare > 0)
		free(c->spare[--c->nspare].bytes);
	where_free(c->reader.where);
	pthread_cond_destroy(&c->news);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

int
crew_run(struct replay *r, unsigned threads)
{
	struct crew *c = crew_new(r);
	int status;

	progress_start(&c->progress, inputs_size(r->inputs));
	run_all(c, threads);
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
