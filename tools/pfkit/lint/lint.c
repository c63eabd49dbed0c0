/*
 * pfkit lint: the order of work.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../pfkit.h"
#include "lint.h"

static void
show(struct lint *l)
{
	switch (l->o->form) {
	case LINT_TEXT:
		lint_text(l);
		break;
	case LINT_JSON:
		lint_json(l);
		break;
	case LINT_SARIF:
		lint_sarif(l);
		break;
	}
}

static int
status(const struct lint *l)
{
	for (size_t i = 0; i < l->nfindings; i++)
		if (l->findings[i].severity >= l->o->least &&
		    !l->findings[i].silenced)
			return LINT_FOUND;
	return LINT_CLEAN;
}

static void
start_exact(struct lint *l)
{
	size_t n = l->o->nmust_pass + 1;
	struct pfk_exact_image *im = xcalloc(n, sizeof(*im));

	for (size_t i = 0; i < n; i++) {
		im[i].image = i == 0 ? l->image : l->wanted[i - 1];
		im[i].interfaces = pfk_host_interfaces(l->host,
		    &im[i].ninterfaces);
		im[i].routes = routes_of_host(l, &im[i].nroutes);
		im[i].tagged = true;
	}
	if (pfk_exact_new(&(struct pfk_exact_options){ .images = im,
	    .nimages = n }, &l->exact) != PFK_OK ||
	    pfk_exact_decide(l->exact, 0, &l->verdicts) != PFK_OK)
		fatal("the ruleset is too much for an exact analysis (1 GB)");
	free(im);
}

static void
check_exactly(struct lint *l)
{
	if (!pfk_exact_available()) {
		if (l->o->nmust_pass > 0)
			fatal("--must-pass: this pfkit was built without "
			    "libbdd");
		warning("built without libbdd: packets are not looked at");
		return;
	}
	start_exact(l);
	redundant_start(l);
	check_rules(l);
	redundant_end(l);
	check_lists(l);
	check_host(l);
	check_states(l);
	for (size_t i = 0; i < l->o->nmust_pass; i++)
		check_must_pass(l, i);
	if (pfk_exact_error(l->exact) != PFK_OK)
		fatal("the ruleset is too much for an exact analysis (1 GB)");
}

static int
run(struct lint *l)
{
	l->quotes = quotes_new();
	check_names(l);
	check_sets(l);
	check_exactly(l);
	findings_silence(l);
	findings_sort(l);
	l->out = out_open("-");
	l->colour = out_is_terminal(l->out) && getenv("NO_COLOR") == NULL;
	show(l);
	return out_close(l->out) != 0 ? LINT_ERROR : status(l);
}

static bool
read_wanted(struct lint *l)
{
	l->wanted = xcalloc(l->o->nmust_pass + 1, sizeof(*l->wanted));
	for (size_t i = 0; i < l->o->nmust_pass; i++)
		if ((l->wanted[i] = must_pass_image(l,
		    l->o->must_pass[i])) == NULL)
			return false;
	return true;
}

static int
lint(const struct lint_options *o)
{
	struct lint l = { .o = o };
	struct ruleset_options ruleset = o->ruleset;
	int result = LINT_ERROR;

	l.host = host_options_load(&o->ruleset.host);
	for (unsigned i = 1; i <= 3; i++)	/* every machine may have them */
		pfk_host_add_rtable(l.host, i);
	l.image = ruleset_image(&ruleset, l.host);
	if (l.image != NULL && read_wanted(&l))
		result = run(&l);
	pfk_verdicts_free(l.verdicts);
	pfk_exact_free(l.exact);
	quotes_free(l.quotes);
	findings_free(&l);
	free(l.judged);
	free(l.routes);
	for (size_t i = 0; l.wanted != NULL && i < o->nmust_pass; i++)
		pfk_image_free(l.wanted[i]);
	free(l.wanted);
	pfk_image_free(l.image);
	pfk_host_free(l.host);
	return result;
}

int
command_lint(int argc, char **argv)
{
	struct lint_options o;
	int result;

	fatal_exits_with(LINT_ERROR);
	result = lint_options_parse(&o, argc, argv);
	if (result == -1)
		result = lint(&o);
	lint_options_free(&o);
	return result;
}
