/*
 * pfkit replay: puts the parts together, and takes them apart.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "replay.h"

/* Routing tables that every machine is taken to have. */
#define LAST_RTABLE	3

static struct pfk_host *
load_host(const struct replay_options *o)
{
	struct pfk_host *host = host_options_load(&o->ruleset.host);

	for (unsigned i = 1; i <= LAST_RTABLE; i++)
		pfk_host_add_rtable(host, i);
	return host;
}

static void
tell_not_enforced(const struct replay *r)
{
	const char *const *what;
	size_t n = pfk_image_not_enforced(r->image, &what);

	for (size_t i = 0; i < n; i++)
		warning("not enforced yet: %s", what[i]);
}

struct pfk_engine *
replay_engine(struct replay *r, const struct pfk_sink *sink)
{
	struct pfk_engine_options o = { .image = r->image,
	    .seed = r->o->ruleset.seed, .debug = r->o->debug, .sink = sink };
	struct pfk_engine *engine = NULL;
	int error;

	o.interfaces = pfk_host_interfaces(r->host, &o.ninterfaces);
	o.routes = pfk_host_routes(r->host, &o.nroutes);
	error = pfk_engine_new(&o, &engine);
	if (error != PFK_OK)
		fatal("%s", pfk_strerror(error));
	return engine;
}

static void
free_all(struct replay *r)
{
	inputs_close(r->inputs);
	pfk_engine_free(r->engine);
	for (size_t i = 0; i < r->nloaded; i++)
		pfk_image_free(r->loaded[i]);
	free(r->loaded);
	pfk_image_free(r->image);
	pfk_host_free(r->host);
}

/* Packets decided, outputs written; status. */
static int
run(struct replay *r)
{
	struct pfk_sink sink;
	int status;

	outputs_sink(r, &sink);
	r->engine = replay_engine(r, &sink);
	if (r->o->state_in != NULL)
		restore_state(r, r->o->state_in);
	if (r->o->bench > 0)
		return replay_bench(r);
	outputs_open(r);
	status = replay_run(r);
	status |= outputs_close(r);
	return status | r->failed;
}

static int
replay(struct replay_options *o)
{
	struct replay r = { .o = o };
	int status = 1;

	for (size_t i = 0; i < o->nat; i++)
		at_run(NULL, o->at[i].text);
	r.host = load_host(o);
	r.image = ruleset_image(&o->ruleset, r.host);
	if (r.image != NULL) {
		tell_not_enforced(&r);
		r.inputs = inputs_open(o->captures, o->ncaptures);
		status = run(&r);
	}
	free_all(&r);
	return status;
}

int
command_replay(int argc, char **argv)
{
	struct replay_options o;
	int status = replay_options_parse(&o, argc, argv);

	if (status == -1) {
		/* a closed pipe is an error like others */
		signal(SIGPIPE, SIG_IGN);
		status = replay(&o);
	}
	replay_options_free(&o);
	return status;
}
