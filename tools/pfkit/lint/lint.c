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
	if (l->blind)
		return LINT_ERROR;
	for (size_t i = 0; i < l->nfindings; i++)
		if (l->findings[i].severity >= l->o->least &&
		    !l->findings[i].silenced)
			return LINT_FOUND;
	return l->nleft_out > 0 ? LINT_LEFT_OUT : LINT_CLEAN;
}

static bool
no_colour(void)
{
	const char *v = getenv("NO_COLOR");

	return v != NULL && *v != '\0';
}

static int
run(struct lint *l)
{
	l->quotes = quotes_new();
	check_text(l);
	check_names(l);
	check_sets(l);
	check_exactly(l);
	findings_silence(l);
	findings_sort(l);
	l->out = out_open("-");
	l->colour = out_is_terminal(l->out) && !no_colour();
	show(l);
	for (size_t i = 0; l->o->form != LINT_JSON && i < l->nleft_out; i++)
		warning("left out, for --limit or --memory: %s",
		    l->left_out[i]);
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
	ruleset.warnings = &l.warnings;
	l.image = ruleset_image(&ruleset, l.host);
	if (l.image != NULL && read_wanted(&l))
		result = run(&l);
	pfk_verdicts_free(l.verdicts);
	pfk_exact_free(l.exact);
	quotes_free(l.quotes);
	findings_free(&l);
	free(l.judged);
	free(l.assumed.v);
	free(l.warnings);
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
