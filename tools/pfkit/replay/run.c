/*
 * The loop of a replay: packets are gathered until a burst is full, until
 * what the captures lent must move, or until a command is due; then the engine
 * decides about them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "progress.h"
#include "replay.h"
#include "where.h"

#define BURST	256

struct loop {
	struct replay	*replay;
	struct where	*where;
	struct progress	 progress;
	struct pfk_packet burst[BURST];
	size_t		 n;
	size_t		 next_at;	/* of replay->o->at */
	uint32_t	 unknown_link;	/* told; 0: none, else type + 1 */
};

const struct pfk_packet *
replay_packet(const struct replay *r, uint64_t number)
{
	return &r->burst[number - r->done - 1];
}

static void
decide(struct loop *l)
{
	struct replay *r = l->replay;

	if (l->n > 0)
		pfk_engine_run(r->engine, l->burst, l->n);
	r->done += l->n;
	l->n = 0;
	progress_show(&l->progress, r->inputs, r->done);
	outputs_flush_terminals(r);
}

static void
check_link(struct loop *l, const struct input *in, const struct record *rec,
    uint64_t number)
{
	if (pfk_link_known(rec->linktype) ||
	    l->unknown_link == rec->linktype + 1u)
		return;
	l->unknown_link = rec->linktype + 1u;
	warning("%s: packet %" PRIu64 ": link type %u is not read; such "
	    "packets are ignored", in->name, number, rec->linktype);
}

/* Commands for the packet, at its time. */
static void
run_commands(struct loop *l, const struct record *rec, uint64_t number)
{
	const struct replay_options *o = l->replay->o;

	if (l->next_at == o->nat || o->at[l->next_at].packet > number)
		return;
	decide(l);
	pfk_engine_advance(l->replay->engine, rec->time);
	while (l->next_at < o->nat && o->at[l->next_at].packet <= number)
		at_run(l->replay, o->at[l->next_at++].text);
}

static bool
take(struct loop *l, struct input *in, const struct record *rec)
{
	uint64_t number = l->replay->done + l->n + 1;
	struct pfk_packet *p;

	run_commands(l, rec, number);
	check_link(l, in, rec, number);
	p = &l->burst[l->n];
	*p = (struct pfk_packet){ .time = rec->time, .data = rec->data,
	    .caplen = rec->caplen, .wirelen = rec->wirelen,
	    .linktype = rec->linktype, .number = number };
	if (!where_find(l->where, in, rec, p))
		return false;
	if (++l->n == BURST)
		decide(l);
	return true;
}

/* 0 at the end, 1 if something went wrong. */
static int
loop(struct loop *l)
{
	struct record rec;
	struct input *in;

	for (;;) {
		switch (inputs_next(l->replay->inputs, &rec, &in)) {
		case CAPTURE_PACKET:
			if (!take(l, in, &rec)) {
				decide(l);
				return 1;
			}
			break;
		case CAPTURE_FULL:
			decide(l);
			inputs_refill(l->replay->inputs);
			break;
		case CAPTURE_END:
			decide(l);
			return 0;
		case CAPTURE_ERROR:
			decide(l);
			return 1;
		}
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

int
replay_run(struct replay *r)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	int status;

	l->replay = r;
	l->where = where_new(r->o, r->engine, r->host);
	r->burst = l->burst;
	progress_start(&l->progress, inputs_size(r->inputs));
	status = loop(l);
	progress_end(&l->progress);
	tell_left(l);
	where_free(l->where);
	r->burst = NULL;
	free(l);
	return status;
}
