/*
 * Which packets the two rulesets treat differently.
 *
 * First those are found that the two can differ about at all: a rule that only
 * one of them has might fit them.  These are run through both, at once if that
 * is not too much for a share of the memory, else in pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "diff.h"

#define SHARE	4	/* of the memory, for parts that can be cut */

static void
leave_out(struct diff *d, const struct part *p, const char *why)
{
	d->left_out = xrealloc(d->left_out, (d->nleft_out + 1) *
	    sizeof(*d->left_out));
	d->left_out[d->nleft_out++] = (struct left_out){ part_name(p), why };
}

/* ---- one part ---- */

struct pairing {
	struct diff	*d;
	const struct pfk_treatments *new;
	const char	*old_effects;
	struct difference *v;		/* of this part */
	size_t		 n;
};

static void
add(struct difference **v, size_t *n, struct difference x)
{
	*v = xrealloc(*v, (*n + 1) * sizeof(**v));
	(*v)[(*n)++] = x;
}

static void
pair(void *ctx, const char *effects, pfk_set set)
{
	struct pairing *p = ctx;
	struct difference x = { { p->old_effects, effects },
	    pfk_set_copy(p->d->exact, set) };

	add(&p->v, &p->n, x);
}

static void
each_old(void *ctx, const char *effects, pfk_set set)
{
	struct pairing *p = ctx;

	p->old_effects = effects;
	pfk_treatments_each(p->new, set, pair, p);
}

static void
find_pairs(struct pairing *p, const struct pfk_treatments *old)
{
	pfk_set set = pfk_treatments_differ(old, p->new);

	if (set != PFK_SET_NONE)
		pfk_treatments_each(old, set, each_old, p);
	pfk_set_free(p->d->exact, set);
}

/* What was found in the part is found; texts of a universe are unique. */
static void
merge(struct diff *d, const struct difference *x)
{
	for (size_t i = 0; i < d->nfound; i++)
		if (d->found[i].effects[OLD] == x->effects[OLD] &&
		    d->found[i].effects[NEW] == x->effects[NEW]) {
			pfk_set sum = pfk_set_or(d->exact, d->found[i].set,
			    x->set);

			if (pfk_exact_error(d->exact) != PFK_OK)
				return;
			pfk_set_free(d->exact, d->found[i].set);
			d->found[i].set = sum;
			return;
		}
	add(&d->found, &d->nfound, (struct difference){ { x->effects[OLD],
	    x->effects[NEW] }, pfk_set_copy(d->exact, x->set) });
}

/* PFK_OK, or why not. */
static int
try(struct diff *d, pfk_set set)
{
	struct pfk_treatments *old = NULL, *new = NULL;
	struct pairing p = { .d = d };
	int error;

	if ((error = pfk_exact_treat(d->exact, OLD, set, &old)) == PFK_OK &&
	    (error = pfk_exact_treat(d->exact, NEW, set, &new)) == PFK_OK) {
		p.new = new;
		find_pairs(&p, old);
		error = pfk_exact_error(d->exact);
	}
	pfk_treatments_free(old);
	pfk_treatments_free(new);
	for (size_t i = 0; i < p.n; i++) {
		if (error == PFK_OK) {
			merge(d, &p.v[i]);
			error = pfk_exact_error(d->exact);
		}
		pfk_set_free(d->exact, p.v[i].set);
	}
	free(p.v);
	return error;
}

/* ---- part after part ---- */

static void compare_part(struct diff *, const struct part *);

/* Its pieces; if none of them gets done, it is the part that is named. */
static void
compare_pieces(struct diff *d, const struct part *p)
{
	size_t before = d->nleft_out, done = d->ndone;
	bool cut = part_cut(d, p, compare_part);

	if (cut && done < d->ndone)
		return;
	while (d->nleft_out > before)
		free(d->left_out[--d->nleft_out].what);
	leave_out(d, p, d->late ? "time" : "memory");
}

static void
compare_part(struct diff *d, const struct part *p)
{
	int error;

	if (d->late) {
		leave_out(d, p, "time");
		return;
	}
	pfk_exact_bound(d->exact, p->next < NCUTS ? d->o->memory / SHARE : 0);
	error = try(d, p->set);
	d->ndone += error == PFK_OK;
	if (error == PFK_OK)
		return;
	if (error == PFK_ERR_NOMEM)
		fatal("out of memory");
	pfk_exact_resume(d->exact);
	if (error == PFK_ERR_STOPPED)
		leave_out(d, p, "time");
	else
		compare_pieces(d, p);
}

void
diff_compare(struct diff *d)
{
	struct part all = { .set = PFK_SET_NONE };
	pfk_set unlike = pfk_exact_unlike(d->exact, OLD, NEW);

	if (pfk_exact_error(d->exact) == PFK_ERR_NOMEM)
		fatal("out of memory");
	if (pfk_exact_error(d->exact) != PFK_OK) {
		pfk_exact_resume(d->exact);
		unlike = pfk_set_copy(d->exact, d->scope);
	}
	all.set = pfk_set_and(d->exact, d->scope, unlike);
	pfk_set_free(d->exact, unlike);
	if (all.set != PFK_SET_NONE)
		compare_part(d, &all);
	pfk_set_free(d->exact, all.set);
	pfk_exact_bound(d->exact, 0);
}
