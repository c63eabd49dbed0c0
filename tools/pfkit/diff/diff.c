/*
 * pfkit diff: the order of work.
 *
 * Regions that end alike are put together first (a class is a text of effects
 * and all of its packets); there are few classes, however many rules.  Then
 * every class of the old ruleset is held against those of the new one.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "diff.h"

struct class { const char *effects; pfk_set set; };
struct classes { struct class *v; size_t n; };

static struct class *
find_class(struct classes *c, const char *effects)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].effects, effects) == 0)
			return &c->v[i];
	c->v = xrealloc(c->v, (c->n + 1) * sizeof(*c->v));
	c->v[c->n] = (struct class){ effects, PFK_SET_NONE };
	return &c->v[c->n++];
}

static struct classes
classify(struct diff *d, unsigned which)
{
	struct classes c = { NULL, 0 };
	const struct pfk_region *r;
	size_t n;

	r = pfk_verdicts_regions(d->verdicts[which], &n);
	for (size_t i = 0; i < n; i++) {
		struct class *k = find_class(&c, r[i].outcome.effects);
		pfk_set part = pfk_set_and(d->exact, r[i].set, d->scope);
		pfk_set sum = pfk_set_or(d->exact, k->set, part);

		pfk_set_free(d->exact, part);
		pfk_set_free(d->exact, k->set);
		k->set = sum;
	}
	return c;
}

static void
classes_free(struct diff *d, struct classes *c)
{
	for (size_t i = 0; i < c->n; i++)
		pfk_set_free(d->exact, c->v[i].set);
	free(c->v);
}

static const struct pfk_outcome *
outcome_of(struct diff *d, unsigned which, const struct pfk_exact_packet *p)
{
	const struct pfk_region *r;
	size_t n;

	r = pfk_verdicts_regions(d->verdicts[which], &n);
	for (size_t i = 0; i < n; i++)
		if (pfk_set_has(d->exact, r[i].set, p))
			return &r[i].outcome;
	return NULL;		/* it rests on a question */
}

static void
tell(struct diff *d, struct difference *x)
{
	d->found++;
	(void)pfk_exact_example(d->exact, x->set, &x->example);
	for (unsigned i = OLD; i <= NEW; i++)
		x->outcome[i] = outcome_of(d, i, &x->example);
	if (d->o->json)
		diff_json(d, x);
	else
		diff_text(d, x);
}

static void
compare(struct diff *d, const struct classes *old, const struct classes *new)
{
	for (size_t i = 0; i < old->n; i++)
		for (size_t k = 0; k < new->n; k++) {
			struct difference x = { .effects = {
			    old->v[i].effects, new->v[k].effects } };

			if (strcmp(x.effects[OLD], x.effects[NEW]) == 0)
				continue;
			x.set = pfk_set_and(d->exact, old->v[i].set,
			    new->v[k].set);
			if (x.set != PFK_SET_NONE)
				tell(d, &x);
			pfk_set_free(d->exact, x.set);
		}
}

static void
too_much(void)
{
	fatal("the rulesets are too much for an exact analysis (1 GB)");
}

static void
start_exact(struct diff *d)
{
	struct pfk_exact_image im[2] = { 0 };

	for (unsigned i = OLD; i <= NEW; i++) {
		im[i].image = d->image[i];
		im[i].interfaces = pfk_host_interfaces(d->host[i],
		    &im[i].ninterfaces);
		im[i].routes = pfk_host_routes(d->host[i], &im[i].nroutes);
	}
	im[OLD].map = d->o->map;
	im[OLD].nmap = d->o->nmap;
	if (pfk_exact_new(&(struct pfk_exact_options){ .images = im,
	    .nimages = 2 }, &d->exact) != PFK_OK ||
	    pfk_exact_decide(d->exact, OLD, &d->verdicts[OLD]) != PFK_OK ||
	    pfk_exact_decide(d->exact, NEW, &d->verdicts[NEW]) != PFK_OK)
		too_much();
}

static int
run(struct diff *d)
{
	struct classes old, new;

	start_exact(d);
	d->scope = d->o->every ? PFK_SET_ALL : pfk_set_beginning(d->exact);
	old = classify(d, OLD);
	new = classify(d, NEW);
	d->out = out_open("-");
	compare(d, &old, &new);
	classes_free(d, &old);
	classes_free(d, &new);
	pfk_set_free(d->exact, d->scope);
	if (pfk_exact_error(d->exact) != PFK_OK)
		too_much();
	if (out_close(d->out) != 0)
		return DIFF_ERROR;
	return d->found > 0 ? DIFF_DIFFERENT : DIFF_SAME;
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

static int
diff(const struct diff_options *o)
{
	struct diff d = { .o = o };
	int status = DIFF_ERROR;

	if (!pfk_exact_available())
		fatal("this pfkit was built without libbdd");
	if (compile(&d, OLD) && compile(&d, NEW))
		status = run(&d);
	for (unsigned i = OLD; i <= NEW; i++)
		pfk_verdicts_free(d.verdicts[i]);
	pfk_exact_free(d.exact);
	for (unsigned i = OLD; i <= NEW; i++) {
		pfk_image_free(d.image[i]);
		pfk_host_free(d.host[i]);
	}
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
