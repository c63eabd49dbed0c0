/*
 * BuDDy behind dd.h.
 *
 * What does not fit in the bound of memory must end in a wrong answer that is
 * known to be one, not in the end of the program, which is what BuDDy does
 * unless its handler of errors is replaced.  The handler gets no context, so
 * that what is known of the one table lives on its own here.
 * After an error BuDDy's table is not asked for anything more: it would go on
 * with half of an answer.
 */
#include "compiler/exact/dd.h"

#ifdef HAVE_BDD
#include <bdd.h>

#define NODE_BYTES	20	/* of BuDDy's table */
#define CACHE_BYTES	24	/* of an entry of its caches, of which it has 6 */
#define FIRST_NODES	100000	/* as far as the bound allows */
#define NODES_PER_VARIABLE 8
#define LEAST_NODES	1000
#define MOST_NODES	0x40000000
#define MAX_INCREASE	4000000
#define CACHE_RATIO	4	/* nodes to an entry of a cache */

static struct {
	bool	 open, failed;
	int	 bound;		/* nodes */
} table;

static void
note_error(int code)
{
	(void)code;
	table.failed = true;
}

bool
dd_available(void)
{
	return true;
}

static bool
is_prime(size_t n)
{
	for (size_t i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return true;
}

/*
 * How large the table may become: a prime, as its sizes are.  At a bound that
 * is none, BuDDy (2.4) would take the prime below it, see room up to the bound
 * again, grow by nothing, and write behind the end.
 */
static int
table_bound(size_t max_bytes)
{
	size_t n = max_bytes / (NODE_BYTES + 6 * CACHE_BYTES / CACHE_RATIO);

	if (n < LEAST_NODES)
		n = LEAST_NODES;
	if (n > MOST_NODES)
		n = MOST_NODES;
	while (!is_prime(n))
		n--;
	return (int)n;
}

bool
dd_open(size_t max_bytes)
{
	if (table.open || bdd_isrunning())
		return false;
	table.open = true;
	table.failed = false;
	table.bound = table_bound(max_bytes);
	return true;
}

void
dd_close(void)
{
	if (bdd_isrunning())
		bdd_done();
	table.open = false;
}

bool
dd_failed(void)
{
	return table.failed;
}

/* => there is room for all nodes without collecting garbage */
static void
fill_references(unsigned n)
{
	dd all = DD_TRUE, v;

	while (n-- > 0) {
		v = dd_var(n, true);
		dd_and_to(&all, v);
		dd_drop(v);
	}
	dd_drop(dd_not(all));
	dd_drop(all);
}

/*
 * BuDDy's stack of references, which it marks when it collects garbage, has
 * room for two nodes at each variable, and a compiler may let it make room
 * before it knows what to put there: Debian's has.  What the memory had in it
 * is then taken for nodes.  So every place is written once, by the negation of
 * the conjunction of all variables, before any garbage can be.  All variables
 * are made at once, since the stack is a new one afterwards.
 */
bool
dd_variables(unsigned n)
{
	int need = n < MOST_NODES / NODES_PER_VARIABLE ?
	    (int)n * NODES_PER_VARIABLE : MOST_NODES;
	int first = need > FIRST_NODES ? need : FIRST_NODES;

	if (bdd_isrunning() || need > table.bound) {
		table.failed = true;
		return false;
	}
	if (first > table.bound)
		first = table.bound;
	if (bdd_init(first, first / CACHE_RATIO) < 0) {
		table.failed = true;
		return false;
	}
	bdd_error_hook(note_error);
	bdd_gbc_hook(NULL);
	bdd_resize_hook(NULL);
	bdd_disable_reorder();
	bdd_setmaxnodenum(table.bound);
	bdd_setmaxincrease(MAX_INCREASE);
	bdd_setcacheratio(CACHE_RATIO);
	table.failed = bdd_setvarnum((int)n) < 0;
	if (!table.failed)
		fill_references(n);
	return !table.failed;
}

/* A result is not what it seems if anything has failed. */
static dd
result(BDD f)
{
	if (table.failed || f < 0) {
		table.failed = true;
		bdd_clear_error();
		return DD_FALSE;
	}
	return bdd_addref(f);
}

dd
dd_var(unsigned i, bool value)
{
	return table.failed ? DD_FALSE : result(value ? bdd_ithvar((int)i) :
	    bdd_nithvar((int)i));
}

dd
dd_keep(dd f)
{
	return table.failed ? DD_FALSE : bdd_addref(f);
}

void
dd_drop(dd f)
{
	if (!table.failed)
		bdd_delref(f);
}

dd
dd_and(dd a, dd b)
{
	return table.failed ? DD_FALSE : result(bdd_and(a, b));
}

dd
dd_or(dd a, dd b)
{
	return table.failed ? DD_FALSE : result(bdd_or(a, b));
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
	return table.failed ? DD_FALSE : result(bdd_not(f));
}

dd
dd_ite(dd a, dd b, dd c)
{
	return table.failed ? DD_FALSE : result(bdd_ite(a, b, c));
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
	return table.failed ? DD_FALSE : result(bdd_simplify(f, care));
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
	dd vars = variables_of(first, n);
	dd r = table.failed ? DD_FALSE : result(bdd_exist(f, vars));

	dd_drop(vars);
	return r;
}

dd
dd_all(dd f, unsigned first, unsigned n)
{
	dd vars = variables_of(first, n);
	dd r = table.failed ? DD_FALSE : result(bdd_forall(f, vars));

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
