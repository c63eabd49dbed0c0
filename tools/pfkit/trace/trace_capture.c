/*
 * Packet N of captures: those before it are decided silently, and make the
 * state that it meets.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../pfkit.h"
#include "../replay/where.h"
#include "trace.h"

/* --at: commands for the packet, at its time. */
static void
run_commands(struct trace *t, const struct record *rec, uint64_t number)
{
	const struct replay_options *o = &t->o->where;

	if (t->next_at == o->nat || o->at[t->next_at].packet > number)
		return;
	pfk_engine_advance(t->engine, rec->time);
	while (t->next_at < o->nat && o->at[t->next_at].packet <= number)
		at_run(&t->replay, o->at[t->next_at++].text);
}

/* false: that was the last one wanted, or its place is not known (told). */
static bool
one(struct trace *t, struct where *w, struct input *in,
    const struct record *rec, uint64_t number, int *status)
{
	struct pfk_packet p = { .time = rec->time, .data = rec->data,
	    .caplen = rec->caplen, .wirelen = rec->wirelen,
	    .linktype = rec->linktype, .number = number };

	run_commands(t, rec, number);
	if (!where_find(w, in, rec, &p)) {
		*status = TRACE_ERROR;
		return false;
	}
	if (number >= t->o->packet)
		steps_start(t);
	pfk_engine_run(t->engine, &p, 1);
	return number < t->o->packet || t->o->every;
}

static int
loop(struct trace *t, struct inputs *inputs, struct where *w)
{
	struct record rec;
	struct input *in;
	uint64_t number = 0;
	int status = 0;

	for (;;) {
		switch (inputs_next(inputs, &rec, &in)) {
		case CAPTURE_PACKET:
			if (!one(t, w, in, &rec, ++number, &status))
				return status;
			break;
		case CAPTURE_FULL:
			inputs_refill(inputs);
			break;
		case CAPTURE_END:
			if (number >= t->o->packet || t->o->every)
				return 0;
			warning("--packet %" PRIu64 ": there are only %" PRIu64
			    " packets", t->o->packet, number);
			return TRACE_ERROR;
		case CAPTURE_ERROR:
			return TRACE_ERROR;
		}
	}
}

int
trace_capture(struct trace *t)
{
	struct inputs *inputs = inputs_open(t->o->words, t->o->nwords);
	struct where *w = where_new(&t->o->where, t->engine, t->host);
	int status = loop(t, inputs, w);

	where_free(w);
	inputs_close(inputs);
	return status;
}
