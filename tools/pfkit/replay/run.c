/*
 * The loop of a replay by one thread: packets are gathered until a burst is
 * full, until what the captures lent must move, or until a command is due;
 * then the engine decides about them.  crew.c is the same by several threads.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../pfkit.h"
#include "batch.h"
#include "crew.h"
#include "progress.h"

#define BURST	256

struct loop {
	struct replay	*replay;
	struct reader	 reader;
	struct progress	 progress;
	struct pfk_packet burst[BURST];
	size_t		 n;
	size_t		 next_at;	/* of replay->o->at */
};

const struct pfk_packet *
replay_packet(struct replay *r, uint64_t number)
{
	while (r->burst[r->current].number != number)
		r->current++;
	return &r->burst[r->current];
}

void
replay_decide(struct replay *r, const struct pfk_packet *p, size_t n)
{
	r->burst = p;
	r->current = 0;
	if (n > 0)
		pfk_engine_run(r->engine, p, n);
}

static void
decide(struct loop *l)
{
	struct replay *r = l->replay;

	replay_decide(r, l->burst, l->n);
	r->done += l->n;
	l->n = 0;
	progress_show(&l->progress, inputs_position(r->inputs), r->done);
	outputs_flush_terminals(r);
}

/* How many packets may come before the next command. */
static size_t
room(const struct loop *l)
{
	const struct replay_options *o = l->replay->o;
	uint64_t number = l->replay->done + l->n + 1, before;
	size_t n = BURST - l->n;

	if (l->next_at == o->nat)
		return n;
	before = o->at[l->next_at].packet > number ?
	    o->at[l->next_at].packet - number : 1;
	return before < n ? (size_t)before : n;
}

/* Commands for the packet, at its time; it becomes the burst's first. */
static void
run_commands(struct loop *l, const struct pfk_packet *p)
{
	const struct replay_options *o = l->replay->o;
	struct pfk_packet first = *p;

	if (l->next_at == o->nat || o->at[l->next_at].packet > first.number)
		return;
	decide(l);
	pfk_engine_advance(l->replay->engine, first.time);
	while (l->next_at < o->nat &&
	    o->at[l->next_at].packet <= first.number)
		at_run(l->replay, o->at[l->next_at++].text);
	l->burst[0] = first;
}

static void
loop(struct loop *l)
{
	struct reader *rd = &l->reader;
	size_t n;

	while (!rd->ended) {
		n = reader_burst(rd, &l->burst[l->n], room(l));
		if (n > 0) {
			run_commands(l, &l->burst[l->n]);
			l->n += n;
		}
		if (l->n == BURST || rd->full || rd->ended)
			decide(l);
		(void)reader_refill(rd, NULL);
	}
}

/* Commands for packets that never came. */
static void
tell_left(const struct loop *l)
{
	const struct replay_options *o = l->replay->o;

	for (size_t i = l->next_at; i < o->nat; i++)
		warning("--at %" PRIu64 ":%s: there are only %" PRIu64
		    " packets", o->at[i].packet, o->at[i].text,
		    l->replay->done);
}

static int
run_alone(struct replay *r)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	int status;

	l->replay = r;
	l->reader.replay = r;
	l->reader.where = where_new(r->o, r->engine, r->host);
	progress_start(&l->progress, inputs_size(r->inputs));
	loop(l);
	status = l->reader.status;
	progress_end(&l->progress);
	tell_left(l);
	where_free(l->reader.where);
	free(l);
	return status;
}

int
replay_run(struct replay *r)
{
	unsigned threads = crew_size(r);
	int status = threads > 1 ? crew_run(r, threads) : run_alone(r);

	r->burst = NULL;
	return status;
}
