/*
 * The checks of packets, one after the other, as far as time and memory go.
 *
 * What a check has found is only believed if it came to its end: the sets that
 * it asked for are empty from the moment when there was too much (exact.h).
 * Otherwise it is dropped, and the check is named as left out.
 */
#include <stdlib.h>

#include "../pfkit.h"
#include "lint.h"

static void
check_rules_all(struct lint *l)
{
	redundant_start(l);
	check_rules(l);
	redundant_end(l);
}

static void
check_must_passes(struct lint *l)
{
	for (size_t i = 0; i < l->o->nmust_pass; i++)
		check_must_pass(l, i);
}

/* What somebody waits for goes first; all of them need the first one. */
static const struct stage {
	const char	*what;
	void		(*check)(struct lint *);
} stages[] = {
	{ "rules and options without effect, translations that no packet "
	    "reaches (L101 to L109, L201, L503, L601, L602)",
	    check_rules_all },
	{ "--must-pass (L502)", check_must_passes },
	{ "lists (L107)", check_lists },
	{ "forged addresses (L501)", check_host },
	{ "answers of states (L301)", check_states },
};
#define NSTAGES	(sizeof(stages) / sizeof(stages[0]))

static bool
out_of_time(void *ctx)
{
	const struct lint *l = ctx;

	return l->o->seconds != 0 && clock() >= l->deadline;
}

static void
leave_out(struct lint *l, const char *what)
{
	l->left_out[l->nleft_out++] = what;
	l->blind |= l->o->nmust_pass > 0 && what == stages[1].what;
}

/* No error but a limit can be gone on from. */
static bool
went_well(struct lint *l)
{
	int error = pfk_exact_error(l->exact);

	if (error != PFK_OK && error != PFK_ERR_LIMIT &&
	    error != PFK_ERR_STOPPED)
		fatal("%s", pfk_strerror(error));
	pfk_exact_resume(l->exact);
	return error == PFK_OK;
}

static void
run_stage(struct lint *l, const struct stage *s)
{
	size_t before = l->nfindings;

	s->check(l);
	if (went_well(l))
		return;
	findings_drop(l, before);
	leave_out(l, s->what);
}

/* false: not even what the rules do with packets can be known. */
static bool
start_exact(struct lint *l)
{
	size_t n = l->o->nmust_pass + 1;
	struct pfk_exact_image *im = xcalloc(n, sizeof(*im));
	struct pfk_exact_options o = { .images = im, .nimages = n,
	    .max_memory = l->o->memory, .stop = out_of_time, .stop_ctx = l };
	int error;

	for (size_t i = 0; i < n; i++) {
		im[i].image = i == 0 ? l->image : l->wanted[i - 1];
		im[i].interfaces = pfk_host_interfaces(l->host,
		    &im[i].ninterfaces);
		im[i].routes = routes_of_host(&l->assumed, l->host,
		    &im[i].nroutes);
		im[i].tagged = true;
	}
	l->deadline = clock() + (clock_t)l->o->seconds * CLOCKS_PER_SEC;
	if ((error = pfk_exact_new(&o, &l->exact)) == PFK_OK)
		error = pfk_exact_decide(l->exact, 0, &l->verdicts);
	free(im);
	if (error != PFK_OK && error != PFK_ERR_LIMIT &&
	    error != PFK_ERR_STOPPED)
		fatal("%s", pfk_strerror(error));
	return error == PFK_OK;
}

void
check_exactly(struct lint *l)
{
	bool known;

	if (!pfk_exact_available()) {
		if (l->o->nmust_pass > 0)
			fatal("--must-pass: this pfkit was built without "
			    "libbdd");
		warning("built without libbdd: packets are not looked at");
		return;
	}
	known = start_exact(l);
	for (size_t i = 0; i < NSTAGES; i++)
		if (i == 1 && l->o->nmust_pass == 0)
			continue;
		else if (known)
			run_stage(l, &stages[i]);
		else
			leave_out(l, stages[i].what);
}
