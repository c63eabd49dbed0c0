/*
 * BuDDy behind dd.h.
 *
 * What does not fit in the bound of memory must end in a wrong answer that is
 * known to be one, not in the end of the program, which is what BuDDy does
 * unless its handler of errors is replaced.  The handler gets no context, so
 * that the note it leaves is the one variable here that lives on its own.
 */
#include "compiler/exact/dd.h"

#ifdef HAVE_BDD
#include <bdd.h>

#define NODE_BYTES	20	/* of BuDDy's table */
#define CACHE_BYTES	24	/* of an entry of its caches, of which it has 6 */
#define FIRST_NODES	100000
#define MAX_INCREASE	4000000
#define CACHE_RATIO	4	/* nodes to an entry of a cache */

static bool failed;

static void
note_error(int code)
{
	(void)code;
	failed = true;
}

bool
dd_available(void)
{
	return true;
}

bool
dd_open(size_t max_bytes)
{
	size_t per_node = NODE_BYTES + 6 * CACHE_BYTES / CACHE_RATIO;
	size_t max = max_bytes / per_node;

	if (bdd_isrunning() ||
	    bdd_init(FIRST_NODES, FIRST_NODES / CACHE_RATIO) < 0)
		return false;
	failed = false;
	bdd_error_hook(note_error);
	bdd_gbc_hook(NULL);
	bdd_resize_hook(NULL);
	bdd_disable_reorder();
	bdd_setmaxnodenum(max > 0x40000000 ? 0x40000000 : (int)max);
	bdd_setmaxincrease(MAX_INCREASE);
	bdd_setcacheratio(CACHE_RATIO);
	return true;
}

void
dd_close(void)
{
	if (bdd_isrunning())
		bdd_done();
}

bool
dd_failed(void)
{
	return failed;
}

bool
dd_variables(unsigned n)
{
	if ((unsigned)bdd_varnum() < n && bdd_setvarnum((int)n) < 0)
		failed = true;
	return !failed;
}

/* A result is not what it seems if anything has failed. */
static dd
result(BDD f)
{
	if (failed || f < 0) {
		failed = true;
		bdd_clear_error();
		return DD_FALSE;
	}
	return bdd_addref(f);
}

dd
dd_var(unsigned i, bool value)
{
	return result(value ? bdd_ithvar((int)i) : bdd_nithvar((int)i));
}

dd
dd_keep(dd f)
{
	return bdd_addref(f);
}

void
dd_drop(dd f)
{
	bdd_delref(f);
}

dd
dd_and(dd a, dd b)
{
	return result(bdd_and(a, b));
}

dd
dd_or(dd a, dd b)
{
	return result(bdd_or(a, b));
}

/*
 * BuDDy's own difference knows no short cut where b is false, and would walk
 * through all of a; its conjunction has one.
 */
dd
dd_minus(dd a, dd b)
{
	dd rest = dd_not(b), f = dd_and(a, rest);

	dd_drop(rest);
	return f;
}

dd
dd_not(dd f)
{
	return result(bdd_not(f));
}

dd
dd_ite(dd a, dd b, dd c)
{
	return result(bdd_ite(a, b, c));
}

bool
dd_meets(dd a, dd b)
{
	dd both = dd_and(a, b);

	dd_drop(both);
	return both != DD_FALSE;
}

dd
dd_simplify(dd f, dd care)
{
	return result(bdd_simplify(f, care));
}

static dd
variables_of(unsigned first, unsigned n)
{
	dd set = DD_TRUE, v;

	while (n > first) {
		v = dd_var(--n, true);
		dd_and_to(&set, v);
		dd_drop(v);
	}
	return set;
}

dd
dd_some(dd f, unsigned first, unsigned n)
{
	dd vars = variables_of(first, n), r = result(bdd_exist(f, vars));

	dd_drop(vars);
	return r;
}

dd
dd_all(dd f, unsigned first, unsigned n)
{
	dd vars = variables_of(first, n), r = result(bdd_forall(f, vars));

	dd_drop(vars);
	return r;
}

unsigned
dd_node_var(dd f)
{
	return (unsigned)bdd_var(f);
}

dd
dd_node_low(dd f)
{
	return bdd_low(f);
}

dd
dd_node_high(dd f)
{
	return bdd_high(f);
}

#else	/* no diagrams: nothing can be asked */

bool dd_available(void) { return false; }
bool dd_open(size_t max) { (void)max; return false; }
void dd_close(void) { }
bool dd_failed(void) { return true; }
bool dd_variables(unsigned n) { (void)n; return false; }
dd dd_var(unsigned i, bool v) { (void)i; (void)v; return DD_FALSE; }
dd dd_keep(dd f) { return f; }
void dd_drop(dd f) { (void)f; }
dd dd_and(dd a, dd b) { (void)a; (void)b; return DD_FALSE; }
dd dd_or(dd a, dd b) { (void)a; (void)b; return DD_FALSE; }
dd dd_minus(dd a, dd b) { (void)a; (void)b; return DD_FALSE; }
dd dd_not(dd f) { (void)f; return DD_FALSE; }
dd dd_ite(dd a, dd b, dd c) { (void)a; (void)b; (void)c; return DD_FALSE; }
bool dd_meets(dd a, dd b) { (void)a; (void)b; return false; }
dd dd_simplify(dd f, dd care) { (void)f; (void)care; return DD_FALSE; }
dd dd_some(dd f, unsigned a, unsigned n) { (void)a; (void)n; return f; }
dd dd_all(dd f, unsigned a, unsigned n) { (void)a; (void)n; return f; }
unsigned dd_node_var(dd f) { (void)f; return 0; }
dd dd_node_low(dd f) { return f; }
dd dd_node_high(dd f) { return f; }
#endif
