/*
 * The packets of a difference, as few lines.
 *
 * A rule that keeps state does not match answers of ICMP, and so a difference
 * mostly is about all packets but those.  Nobody wants to read that: lines are
 * told as if answers did not matter, and then what would be wrong about them.
 */
#include "diff.h"

struct count { struct diff *d; void (*fn)(void *, const char *); void *ctx;
    size_t n; };

static void
counted(void *ctx, const char *line)
{
	struct count *c = ctx;

	c->n++;
	c->fn(c->ctx, line);
}

bool
diff_lines(struct diff *d, pfk_set set, void (*fn)(void *, const char *),
    void *ctx)
{
	struct pfk_exact *x = d->exact;
	struct count c = { d, fn, ctx, 0 };
	pfk_set answers = pfk_set_answers(x);
	pfk_set within = pfk_set_minus(x, d->scope, answers);
	pfk_set most = pfk_set_and(x, set, within);
	pfk_set said = pfk_set_said(x, most, within);
	pfk_set rest = pfk_set_minus(x, set, said);
	bool more, still = false;

	pfk_set_describe(x, most, within, d->o->lines, counted, &c, &more);
	if (rest != PFK_SET_NONE && !more)
		pfk_set_describe(x, rest, d->scope, d->o->lines - c.n, fn,
		    ctx, &still);
	pfk_set_free(x, answers);
	pfk_set_free(x, within);
	pfk_set_free(x, most);
	pfk_set_free(x, said);
	pfk_set_free(x, rest);
	return more || still;
}
