/*
 * pfkit replay --bench: what the engine costs a packet.
 *
 * All packets are read into memory first; then each loop runs them through an
 * engine that is as new as that of a replay, so that every loop is the same
 * work.  Only the engine is timed: no input, no output, nobody is told the
 * decisions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../pfkit.h"
#include "replay.h"
#include "where.h"

#define BURST	256

struct memory {
	struct pfk_packet *packets;
	size_t		 n, size;
	uint8_t		*data;
	size_t		 used, data_size;
};

static void *
grow(void *p, size_t *size, size_t need, size_t each)
{
	if (need <= *size)
		return p;
	*size = need + need / 2 + 1024;
	return xrealloc(p, *size * each);
}

/* Data moves while it grows: packets point to it only at the end. */
static void
keep(struct memory *m, const struct record *rec, const struct pfk_packet *p)
{
	m->packets = grow(m->packets, &m->size, m->n + 1, sizeof(*p));
	m->data = grow(m->data, &m->data_size, m->used + rec->caplen, 1);
	m->packets[m->n++] = *p;
	if (rec->caplen > 0)
		memcpy(m->data + m->used, rec->data, rec->caplen);
	m->used += rec->caplen;
}

static void
point(struct memory *m)
{
	size_t at = 0;

	for (size_t i = 0; i < m->n; i++) {
		m->packets[i].data = m->data + at;
		at += m->packets[i].caplen;
	}
}

/* 0, or 1 if something went wrong (told). */
static int
read_all(struct replay *r, struct where *where, struct memory *m)
{
	struct record rec;
	struct input *in;

	for (;;) {
		struct pfk_packet p = { .number = m->n + 1 };

		switch (inputs_next(r->inputs, &rec, &in)) {
		case CAPTURE_PACKET:
			p.data = rec.data;	/* until point() */
			p.time = rec.time;
			p.caplen = rec.caplen;
			p.wirelen = rec.wirelen;
			p.linktype = rec.linktype;
			if (!where_find(where, in, &rec, &p))
				return 1;
			keep(m, &rec, &p);
			break;
		case CAPTURE_FULL:
			inputs_refill(r->inputs);
			break;
		case CAPTURE_END:
			point(m);
			return 0;
		case CAPTURE_ERROR:
			return 1;
		}
	}
}

/* Of a processor: what else runs on the machine is not to be measured. */
static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
run(struct pfk_engine *e, const struct memory *m)
{
	double start = seconds();

	for (size_t i = 0; i < m->n; i += BURST)
		pfk_engine_run(e, m->packets + i,
		    m->n - i < BURST ? m->n - i : BURST);
	return seconds() - start;
}

/* Interfaces get the numbers that the packets have. */
static void
same_interfaces(struct pfk_engine *e, const struct pfk_engine *first)
{
	const char *name;

	for (unsigned i = 0; *(name = pfk_engine_ifname(first, i)) != '\0'; i++)
		if (pfk_engine_interface(e, name) != (int)i)
			fatal("%s", pfk_strerror(PFK_ERR_NOMEM));
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
tell(const struct replay *r, const struct memory *m, double *times,
    unsigned loops)
{
	struct pfk_counters c;
	double ns = 1e9 / (double)m->n;

	qsort(times, loops, sizeof(*times), compare);
	pfk_engine_counters(r->engine, &c);
	printf("%zu packets, %zu bytes, %u loops; at the end %" PRIu32
	    " states\n", m->n, m->used, loops, c.states);
	printf("ns a packet: %.1f at least, %.1f median, %.1f at most\n",
	    times[0] * ns, times[loops / 2] * ns, times[loops - 1] * ns);
	printf("packets a second: %.2f million\n",
	    (double)m->n / times[0] / 1e6);
}

/* The last engine stays in the replay; the others are gone. */
static void
run_loops(struct replay *r, const struct memory *m, unsigned loops)
{
	double *times = xcalloc(loops, sizeof(*times));
	struct pfk_engine *first = r->engine;

	for (unsigned i = 0; i < loops; i++) {
		r->engine = replay_engine(r, NULL);
		same_interfaces(r->engine, first);
		if (r->o->state_in != NULL)
			restore_state(r, r->o->state_in);
		times[i] = run(r->engine, m);
		pfk_engine_free(first);
		first = r->engine;
	}
	tell(r, m, times, loops);
	free(times);
}

int
replay_bench(struct replay *r)
{
	struct memory m = { .n = 0 };
	struct where *where = where_new(r->o, r->engine, r->host);
	int status = read_all(r, where, &m);

	if (status == 0 && m.n == 0) {
		warning("no packets");
		status = 1;
	}
	if (status == 0)
		run_loops(r, &m, r->o->bench);
	where_free(where);
	free(m.packets);
	free(m.data);
	return status;
}
