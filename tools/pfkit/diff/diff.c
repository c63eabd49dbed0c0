/*
 * pfkit diff: the order of work.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "diff.h"

#define COMPARING	3	/* of four parts of the time; the rest is for
				   telling */

static clock_t
ticks(const struct diff *d, unsigned parts)
{
	return (clock_t)d->o->seconds * CLOCKS_PER_SEC / 4 * (clock_t)parts;
}

static bool
out_of_time(void *ctx)
{
	struct diff *d = ctx;

	if (d->o->seconds == 0 || clock() < d->deadline)
		return false;
	if (!d->late)			/* only once: then it is told */
		d->deadline += ticks(d, 4 - COMPARING);
	d->late = true;
	return true;
}

static void
start_exact(struct diff *d)
{
	struct pfk_exact_image im[2] = { 0 };
	struct pfk_exact_options o = { .images = im, .nimages = 2,
	    .max_memory = d->o->memory, .stop = out_of_time, .stop_ctx = d };
	int error;

	for (unsigned i = OLD; i <= NEW; i++) {
		im[i].image = d->image[i];
		im[i].interfaces = pfk_host_interfaces(d->host[i],
		    &im[i].ninterfaces);
		im[i].routes = pfk_host_routes(d->host[i], &im[i].nroutes);
		im[i].tagged = true;
	}
	im[OLD].map = d->o->map;
	im[OLD].nmap = d->o->nmap;
	d->deadline = clock() + ticks(d, COMPARING);
	if ((error = pfk_exact_new(&o, &d->exact)) == PFK_ERR_LIMIT)
		fatal("--memory: not even the first step fits into it");
	if (error != PFK_OK)
		fatal("%s", pfk_strerror(error));
}

static void
tell(struct diff *d)
{
	if (!d->late) {
		d->late = true;
		d->deadline = clock() + ticks(d, 4 - COMPARING);
	}
	for (size_t i = 0; i < d->nfound; i++) {
		if (d->o->json)
			diff_json(d, &d->found[i]);
		else
			diff_text(d, &d->found[i]);
		pfk_exact_resume(d->exact);
	}
	for (size_t i = 0; i < d->nleft_out; i++)
		if (d->o->json)
			diff_json_left_out(d, &d->left_out[i]);
		else
			diff_text_left_out(d, &d->left_out[i]);
}

static int
run(struct diff *d)
{
	start_exact(d);
	d->scope = d->o->every ? pfk_set_copy(d->exact,
	    pfk_exact_universe(d->exact)) : pfk_set_beginning(d->exact);
	d->out = out_open("-");
	diff_compare(d);
	tell(d);
	if (pfk_exact_error(d->exact) == PFK_ERR_NOMEM)
		fatal("out of memory");
	if (out_close(d->out) != 0)
		return DIFF_ERROR;
	return d->nfound > 0 ? DIFF_DIFFERENT : d->nleft_out > 0 ?
	    DIFF_UNKNOWN : DIFF_SAME;
}

static struct pfk_host *
load_host(const struct diff_options *o, unsigned which)
{
	char error[PFK_HOST_ERRLEN];
	struct pfk_host *host;

	if (which == NEW && o->new_host != NULL) {
		if ((host = pfk_host_new(NULL)) == NULL)
			fatal("out of memory");
		if (pfk_host_load_dir(host, o->new_host, error) != 0)
			fatal("%s", error);
	} else
		host = host_options_load(&o->ruleset.host);
	for (unsigned i = 1; i <= 3; i++)	/* every machine may have them */
		pfk_host_add_rtable(host, i);
	return host;
}

static bool
compile(struct diff *d, unsigned which)
{
	struct ruleset_options o = d->o->ruleset;

	o.compile.path = d->o->path[which];
	if (d->o->optimize[which] != NOT_GIVEN)
		o.compile.optimize = (enum pfk_optimize)d->o->optimize[which];
	d->host[which] = load_host(d->o, which);
	d->image[which] = ruleset_image(&o, d->host[which]);
	return d->image[which] != NULL;
}

/* One that is not there may be meant: it comes and goes.  Or misspelt. */
static void
check_map(const struct diff *d)
{
	for (size_t i = 0; i < d->o->nmap; i++) {
		const char *from = d->o->map[i].from, *to = d->o->map[i].to;

		if (pfk_host_interface(d->host[OLD], from) == NULL)
			warning("--map %s=%s: the old firewall has no "
			    "interface %s", from, to, from);
		if (pfk_host_interface(d->host[NEW], to) == NULL)
			warning("--map %s=%s: the new firewall has no "
			    "interface %s%s", from, to, to,
			    d->o->new_host == NULL ? " (--new-host)" : "");
	}
}

static void
diff_free(struct diff *d)
{
	diff_suppose_nothing(d);
	pfk_exact_free(d->exact);
	for (unsigned i = OLD; i <= NEW; i++) {
		pfk_image_free(d->image[i]);
		pfk_host_free(d->host[i]);
	}
	for (size_t i = 0; i < d->nleft_out; i++)
		free(d->left_out[i].what);
	free(d->left_out);
	free(d->found);
}

static int
diff(const struct diff_options *o)
{
	struct diff d = { .o = o };
	int status = DIFF_ERROR;

	if (!pfk_exact_available())
		fatal("this pfkit was built without libbdd");
	if (compile(&d, OLD) && compile(&d, NEW)) {
		check_map(&d);
		status = run(&d);
	}
	diff_free(&d);
	return status;
}

int
command_diff(int argc, char **argv)
{
	struct diff_options o;
	int status;

	fatal_exits_with(DIFF_ERROR);
	status = diff_options_parse(&o, argc, argv);
	if (status == -1)
		status = diff(&o);
	diff_options_free(&o);
	return status;
}
