/*
 * Whether diagrams have anything in common, without making what they have.
 *
 * A conjunction of large diagrams is larger yet, and most of the time there is
 * something in it: then one way through all of them is found in as many steps
 * as there are variables.  Ways that lead nowhere are remembered, as tuples of
 * nodes, in a cache that forgets.  Who has not come to an end after many steps
 * makes the conjunction after all, which remembers better and can be stopped.
 */
#include <stdint.h>
#include <string.h>

#include "compiler/exact/dd.h"

#define TUPLES		(1u << 11)	/* that are remembered; a power of 2 */
#define MAX_STEPS	(2 * TUPLES)

struct tuple { dd f[DD_TOGETHER]; };

/* One search at a time, as there is one table of diagrams. */
static struct {
	struct nowhere { struct tuple t; uint32_t search; } nowhere[TUPLES];
	uint32_t search, steps;
	unsigned in, n;			/* n diagrams: the first `in' are to
					   be true, the others false */
} now;

/* What is plain from constants, and from nodes that are the same. */
static enum what { NOTHING, SOMETHING, UNCLEAR }
plainly(const struct tuple *t)
{
	unsigned ask = 0;		/* not constant: there is a way to be
					   true, and one to be false */
	for (unsigned i = 0; i < now.n; i++) {
		bool in = i < now.in;

		if (t->f[i] == (in ? DD_FALSE : DD_TRUE))
			return NOTHING;
		ask += !dd_is_constant(t->f[i]);
		for (unsigned k = 0; !in && k < now.in; k++)
			if (t->f[k] == t->f[i])
				return NOTHING;
	}
	return ask <= 1 ? SOMETHING : UNCLEAR;
}

static struct nowhere *
place(const struct tuple *t)
{
	uint32_t h = 0;

	for (unsigned i = 0; i < now.n; i++)
		h = (h ^ (uint32_t)t->f[i]) * 0x9e3779b1u;
	return &now.nowhere[(h ^ h >> 15) & (TUPLES - 1)];
}

/* The first variable that is looked at, as every node's own is. */
static unsigned
first_var(const struct tuple *t, unsigned var[DD_TOGETHER])
{
	unsigned first = UINT32_MAX;

	for (unsigned i = 0; i < now.n; i++) {
		var[i] = dd_is_constant(t->f[i]) ? UINT32_MAX :
		    dd_node_var(t->f[i]);
		if (var[i] < first)
			first = var[i];
	}
	return first;
}

static bool
search(const struct tuple *t)
{
	enum what what = plainly(t);
	unsigned var[DD_TOGETHER], first;
	struct nowhere *p;
	struct tuple next = *t;

	if (what != UNCLEAR)
		return what == SOMETHING;
	p = place(t);
	if (p->search == now.search &&
	    memcmp(p->t.f, t->f, now.n * sizeof(dd)) == 0)
		return false;
	if (now.steps++ >= MAX_STEPS)
		return false;
	first = first_var(t, var);
	for (unsigned value = 0; value < 2; value++) {
		for (unsigned i = 0; i < now.n; i++)
			if (var[i] == first)
				next.f[i] = value == 0 ?
				    dd_node_low(t->f[i]) :
				    dd_node_high(t->f[i]);
		if (search(&next))
			return true;
	}
	p->t = *t;
	p->search = now.search;
	return false;
}

static bool
conjunction(const dd *f)
{
	dd all = dd_keep(f[0]);

	for (unsigned i = 1; i < now.n; i++)
		dd_to(&all, i < now.in ? dd_and(all, f[i]) :
		    dd_minus(all, f[i]));
	dd_drop(all);
	return all != DD_FALSE;
}

bool
dd_common(const dd *in, unsigned nin, const dd *out, unsigned nout)
{
	struct tuple t = { { 0 } };

	if (dd_failed() != DD_FINE)
		return false;
	memcpy(t.f, in, nin * sizeof(dd));
	if (nout > 0)
		memcpy(t.f + nin, out, nout * sizeof(dd));
	now.in = nin;
	now.n = nin + nout;
	now.steps = 0;
	if (++now.search == 0) {	/* all of them are of long ago */
		memset(now.nowhere, 0, sizeof(now.nowhere));
		now.search = 1;
	}
	if (search(&t))
		return true;
	return now.steps >= MAX_STEPS && conjunction(t.f);
}

bool
dd_meets(dd a, dd b)
{
	return dd_common((const dd[]){ a, b }, 2, NULL, 0);
}

bool
dd_within(dd a, dd b)
{
	return !dd_common(&a, 1, &b, 1);
}
