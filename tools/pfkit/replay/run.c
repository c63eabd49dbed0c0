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
	/* link types met last, + 1; the unknown one has been told */
	uint32_t	 known_link, unknown_link;
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

/* => Of one capture; numbers are set. */
static void
check_links(struct loop *l, const struct input *in,
    const struct pfk_packet *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (l->known_link == p[i].linktype + 1u ||
		    l->unknown_link == p[i].linktype + 1u)
			continue;
		if (pfk_link_known(p[i].linktype)) {
			l->known_link = p[i].linktype + 1u;
			continue;
		}
		l->unknown_link = p[i].linktype + 1u;
		warning("%s: packet %" PRIu64 ": link type %u is not read; "
		    "such packets are ignored", in->name, p[i].number,
		    p[i].linktype);
	}
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

/* n packets of a capture have come behind the burst. */
static bool
take(struct loop *l, struct input *in, size_t n)
{
	struct pfk_packet *p = &l->burst[l->n];
	size_t known;

	for (size_t i = 0; i < n; i++)
		p[i].number = l->replay->done + l->n + i + 1;
	run_commands(l, p);
	p = &l->burst[l->n];
	check_links(l, in, p, n);
	known = where_burst(l->where, in, p, n);
	l->n += known;
	if (l->n == BURST)
		decide(l);
	return known == n;
}

/* 0 at the end, 1 if something went wrong. */
static int
loop(struct loop *l)
{
	struct inputs *inputs = l->replay->inputs;
	enum capture_result why;
	struct input *in;
	size_t n;

	for (;;) {
		n = inputs_burst(inputs, &l->burst[l->n], room(l), &in, &why);
		if (n > 0 && take(l, in, n))
			continue;
		decide(l);
		if (n > 0)
			return 1;
		if (why != CAPTURE_FULL)
			return why != CAPTURE_END;
		inputs_refill(inputs);
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
