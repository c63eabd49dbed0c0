/*
 * pfkit trace: an engine that explains, and what is put into it.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "trace.h"

#define LAST_RTABLE	3	/* every machine is taken to have them */
#define LINKTYPE_RAW	101
#define START		UINT64_C(1000000000000000000)	/* some time */
#define SECOND		UINT64_C(1000000000)

static struct pfk_host *
load_host(const struct trace_options *o)
{
	struct pfk_host *host = host_options_load(&o->ruleset.host);

	for (unsigned i = 1; i <= LAST_RTABLE; i++)
		pfk_host_add_rtable(host, i);
	return host;
}

/* --through goes where routes lead: they may have to be assumed. */
const struct pfk_route *
trace_routes(struct trace *t, size_t *n)
{
	if (t->o->through)
		return routes_of_host(&t->assumed, t->host, n);
	return pfk_host_routes(t->host, n);
}

void
trace_engine(struct trace *t)
{
	struct pfk_sink sink;
	struct pfk_engine_options o = { .image = t->image, .debug = -1,
	    .seed = t->o->ruleset.seed, .sink = &sink };

	steps_sink(t, &sink);
	o.interfaces = pfk_host_interfaces(t->host, &o.ninterfaces);
	o.routes = trace_routes(t, &o.nroutes);
	if (pfk_engine_new(&o, &t->engine) != PFK_OK)
		fatal("out of memory");
}

void
trace_packet(struct trace *t, const struct packet *k, uint8_t dir,
    uint64_t number)
{
	uint8_t bytes[PACKET_SIZE];
	struct pfk_packet p = { .time = START + number * SECOND,
	    .data = bytes, .linktype = LINKTYPE_RAW, .dir = dir,
	    .number = number };
	int id = pfk_engine_interface(t->engine, k->ifname);

	if (id < 0)
		fatal("out of memory");
	p.ifid = (uint16_t)id;
	p.caplen = p.wirelen = packet_build(k, bytes);
	steps_start(t);
	pfk_engine_run(t->engine, &p, 1);
}

static void
show_packet(struct trace *t, const struct packet *k)
{
	const char *before = "         not given, and so chosen: ", *name;

	if (t->o->json)
		return;
	out_str(t->out, "packet   ");
	out_packet_words(t->out, k, t->host);
	out_char(t->out, '\n');
	for (size_t i = 0; (name = packet_chosen(k, &i)) != NULL; i++) {
		out_printf(t->out, "%s%s", before, name);
		before = ", ";
	}
	if (before[0] == ',')
		out_char(t->out, '\n');
}

static int
trace_words(struct trace *t)
{
	struct packet k;

	packet_parse(&k, t->o->words, t->o->nwords, t->host);
	if (pfk_host_interface(t->host, k.ifname) == NULL)
		warning("%s: the firewall has no such interface", k.ifname);
	t->asked = &k;
	show_packet(t, &k);
	if (t->o->through) {
		if (t->assumed.n > 0 && !t->o->json)
			out_str(t->out, "         routes are not known: those "
			    "to its networks, and one out, are assumed\n");
		return trace_through(t, &k);
	}
	trace_packet(t, &k, k.dir, 1);
	return 0;
}

/* 0, or 1: told. */
static int
write_cover(struct trace *t)
{
	int status = 0;

	if (t->cover != NULL) {
		cover_evaluations(t->cover, t->engine);
		status = cover_write(t->cover, t->o->cover_out);
		cover_free(t->cover);
	}
	return status;
}

static int
run(struct trace *t)
{
	int status;

	t->out = out_open("-");
	trace_engine(t);
	t->replay = (struct replay){ .o = &t->o->where, .host = t->host,
	    .image = t->image, .engine = t->engine };
	if (t->o->where.state_in != NULL)
		restore_state(&t->replay, t->o->where.state_in);
	if (t->o->cover_out != NULL) {
		t->cover = cover_new("trace", t->o->packet > 0 ?
		    t->o->words[0] : "a packet in words");
		cover_image(t->cover, t->image);
	}
	status = t->o->packet > 0 ? trace_capture(t) : trace_words(t);
	if (out_close(t->out) != 0 || write_cover(t) != 0)
		return TRACE_ERROR;
	if (t->contradictions > 0) {
		warning("the explanation and the decision contradict each "
		    "other: please report this");
		return TRACE_ERROR;
	}
	return status != 0 ? status : t->passed ? TRACE_PASS : TRACE_BLOCK;
}

static int
trace(struct trace_options *o)
{
	struct trace t = { .o = o, .passed = true, .quotes = quotes_new() };
	int status = TRACE_ERROR;

	for (size_t i = 0; i < o->where.nat; i++)
		at_run(NULL, o->where.at[i].text);
	t.host = load_host(o);
	t.image = ruleset_image(&o->ruleset, t.host);
	if (t.image != NULL)
		status = run(&t);
	steps_free(&t);
	quotes_free(t.quotes);
	pfk_engine_free(t.engine);
	for (size_t i = 0; i < t.replay.nloaded; i++)
		pfk_image_free(t.replay.loaded[i]);
	free(t.replay.loaded);
	pfk_image_free(t.image);
	pfk_host_free(t.host);
	free(t.assumed.v);
	return status;
}

int
command_trace(int argc, char **argv)
{
	struct trace_options o;
	int status;

	fatal_exits_with(TRACE_ERROR);
	status = trace_options_parse(&o, argc, argv);
	if (status == -1)
		status = trace(&o);
	trace_options_free(&o);
	return status;
}
