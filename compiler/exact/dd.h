/*
 * Decision diagrams: the few operations that we need, on top of BuDDy.
 *
 * Every function that returns a diagram returns a reference that the caller
 * drops (dd_drop()); arguments stay the caller's.  The _to forms replace their
 * first argument, whose reference they take.
 *
 * BuDDy has one table of nodes in a process, and so has this room: dd_open()
 * fails if it is open already.  When the table is full, or the caller's stop()
 * says so, an answer is lost: dd_failed() tells why from then on, and every
 * result is false, until dd_resume().  Diagrams from before stay as they are,
 * and are dropped as ever; of those that were made after the failure one must
 * know which they are.
 */
#ifndef EXACT_DD_H
#define EXACT_DD_H

#include <stdbool.h>
#include <stddef.h>

typedef int dd;
#define DD_FALSE	0
#define DD_TRUE		1

/* Whether the build has diagrams at all. */
bool	dd_available(void);
enum dd_failure {
	DD_FINE,
	DD_FULL,		/* the bound of memory */
	DD_STOPPED,		/* stop() was true */
	DD_BROKEN		/* the system has no memory left: for good */
};
/* stop() is asked now and then; it may be NULL. */
bool	dd_open(size_t max_bytes, bool (*stop)(void *), void *ctx);
void	dd_close(void);
enum dd_failure dd_failed(void);
void	dd_resume(void);
/* A lower bound from now on; 0: dd_open()'s. */
void	dd_bound(size_t max_bytes);

/* To be called once, first.  They are numbered by their place in the order. */
bool	dd_variables(unsigned n);

dd	dd_var(unsigned, bool value);
dd	dd_keep(dd);
void	dd_drop(dd);
dd	dd_and(dd, dd);
dd	dd_or(dd, dd);
dd	dd_minus(dd, dd);
dd	dd_not(dd);
dd	dd_ite(dd, dd, dd);
/*
 * dd_meets.c: whether something is in all of in[] and in none of out[]; nothing
 * is after a failure.  No diagram is made where that is easily seen.
 * => at least one is given, and DD_TOGETHER at most
 */
#define DD_TOGETHER	24
bool	dd_common(const dd *in, unsigned nin, const dd *out, unsigned nout);
bool	dd_meets(dd, dd);
bool	dd_within(dd a, dd b);		/* a is nowhere but in b */
/* A diagram that is f wherever care is true, and simple elsewhere. */
dd	dd_simplify(dd f, dd care);
/* With some, with all values of the variables first .. n - 1. */
dd	dd_some(dd, unsigned first, unsigned n);
dd	dd_all(dd, unsigned first, unsigned n);
/* dd_some() of the conjunction. */
dd	dd_and_some(dd, dd, unsigned first, unsigned n);
/*
 * The variables of from[] are those of to[] now.
 * => f does not depend on those of to[]
 */
dd	dd_move(dd f, const unsigned *from, const unsigned *to, unsigned n);

static inline void
dd_to(dd *to, dd with)
{
	dd_drop(*to);
	*to = with;
}

static inline void
dd_and_to(dd *to, dd with)
{
	dd_to(to, dd_and(*to, with));
}

static inline void
dd_or_to(dd *to, dd with)
{
	dd_to(to, dd_or(*to, with));
}

static inline void
dd_minus_to(dd *to, dd with)
{
	dd_to(to, dd_minus(*to, with));
}

/* Looking at nodes; of constants only that they are. */
static inline bool
dd_is_constant(dd f)
{
	return f == DD_FALSE || f == DD_TRUE;
}
unsigned dd_node_var(dd);
dd	dd_node_low(dd);	/* no new reference */
dd	dd_node_high(dd);

#endif
