/*
 * BuDDy behind dd.h.
 *
 * What does not fit in the bound of memory must end in a wrong answer that is
 * known to be one, not in the end of the program, which is what BuDDy does
 * unless its handler of errors is replaced.  The handler gets no context, so
 * that what is known of the one table lives on its own here.
 *
 * Left to itself BuDDy would go on after an error, and keep what comes of half
 * an operation.  So the operation is left at once, by longjmp(), from three
 * places where the table is in order: the handler of errors when no node is
 * left (before one is made), and the hook around the collection of garbage
 * (before and after it), which is where the caller's stop() and the bound are
 * looked at during long operations.  The next operation starts with an empty
 * stack of references, and so everything that was there before is still good.
 */
#include "compiler/exact/dd.h"

#ifdef HAVE_BDD
#include <bdd.h>
#include <setjmp.h>

#define NODE_BYTES	20	/* of BuDDy's table */
#define CACHE_BYTES	24	/* of an entry of its caches, of which it has 6 */
#define FIRST_NODES	100000	/* as far as the bound allows */
#define NODES_PER_VARIABLE 8
#define LEAST_NODES	1000
#define MOST_NODES	0x40000000
#define MAX_INCREASE	4000000
#define CACHE_RATIO	4	/* nodes to an entry of a cache */
#define LEAST_FREE	16	/* one in so many must be free of garbage */
#define STOP_EVERY	64	/* operations; a power of 2 */

static struct {
	bool	 open;
	enum dd_failure failed;
	int	 bound;		/* nodes, now */
	int	 most;		/* nodes, ever */
	bool	 (*stop)(void *);
	void	*stop_ctx;
	unsigned operations;
	bool	 inside;	/* of one that may be left by: */
	jmp_buf	 out;
} table;

static void
leave(enum dd_failure why)
{
	table.failed = why;
	if (table.inside)
		longjmp(table.out, 1);
}

static void
note_error(int code)
{
	leave(code == BDD_NODENUM ? DD_FULL : DD_BROKEN);
}

static bool
wants_stop(void)
{
	return table.stop != NULL && table.stop(table.stop_ctx);
}

/*
 * Near its bound the table would be cleaned again and again for a few nodes
 * each time; and what is alive may be more than a bound that was set later.
 */
static void
at_garbage(int before, bddGbcStat *s)
{
	int alive = s->nodes - s->freenodes;

	if (!table.inside)
		return;
	if (before) {
		if (wants_stop())
			leave(DD_STOPPED);
	} else if (alive > table.bound - table.bound / LEAST_FREE)
		leave(DD_FULL);
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
dd_open(size_t max_bytes, bool (*stop)(void *), void *ctx)
{
	if (table.open || bdd_isrunning())
		return false;
	table.open = true;
	table.failed = DD_FINE;
	table.bound = table.most = table_bound(max_bytes);
	table.stop = stop;
	table.stop_ctx = ctx;
	table.operations = 0;
	table.inside = false;
	return true;
}

void
dd_close(void)
{
	if (bdd_isrunning())
		bdd_done();
	table.open = false;
}

enum dd_failure
dd_failed(void)
{
	return table.failed;
}

void
dd_resume(void)
{
	if (table.failed != DD_BROKEN)
		table.failed = DD_FINE;
}

void
dd_bound(size_t max_bytes)
{
	int n = max_bytes == 0 ? table.most : table_bound(max_bytes);

	table.bound = n < table.most ? n : table.most;
	if (bdd_isrunning() && table.bound > bdd_getallocnum())
		bdd_setmaxnodenum(table.bound);
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
	int room = table.bound - table.bound / 4;

	if (bdd_isrunning() || need > room) {
		table.failed = DD_FULL;
		return false;
	}
	if (first > room)	/* a bound must be above the size */
		first = room;
	if (bdd_init(first, first / CACHE_RATIO) < 0) {
		table.failed = DD_BROKEN;
		return false;
	}
	bdd_error_hook(note_error);
	bdd_gbc_hook(at_garbage);
	bdd_resize_hook(NULL);
	bdd_disable_reorder();
	bdd_setmaxnodenum(table.bound);
	bdd_setmaxincrease(MAX_INCREASE);
	bdd_setcacheratio(CACHE_RATIO);
	if (bdd_setvarnum((int)n) < 0)
		table.failed = DD_BROKEN;
	if (!table.failed)
		fill_references(n);
	return !table.failed;
}

/* A result is not what it seems if anything has failed. */
static dd
result(BDD f)
{
	if (table.failed == DD_FINE && f < 0)
		table.failed = DD_BROKEN;
	if (table.failed != DD_FINE) {
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
	if (table.failed != DD_BROKEN)
		bdd_delref(f);
}

/* An operation on up to three diagrams, which may be left on the way. */
struct operation {
	enum { AND, OR, NOT, ITE, SIMPLIFY, SOME, ALL, AND_SOME } what;
	dd	 a, b, c;
};

static BDD
perform(const struct operation *o)
{
	switch (o->what) {
	case AND:
		return bdd_and(o->a, o->b);
	case OR:
		return bdd_or(o->a, o->b);
	case NOT:
		return bdd_not(o->a);
	case ITE:
		return bdd_ite(o->a, o->b, o->c);
	case SIMPLIFY:
		return bdd_simplify(o->a, o->b);
	case SOME:
		return bdd_exist(o->a, o->b);
	case ALL:
		return bdd_forall(o->a, o->b);
	case AND_SOME:
		break;
	}
	return bdd_appex(o->a, o->b, bddop_and, o->c);
}

static dd
operate(const struct operation *o)
{
	dd f;

	if (table.failed == DD_FINE &&
	    (++table.operations & (STOP_EVERY - 1)) == 0 && wants_stop())
		table.failed = DD_STOPPED;
	if (table.failed != DD_FINE)
		return DD_FALSE;
	if (setjmp(table.out) != 0) {
		table.inside = false;
		return DD_FALSE;
	}
	table.inside = true;
	f = perform(o);
	table.inside = false;
	return result(f);
}

dd
dd_and(dd a, dd b)
{
	return operate(&(struct operation){ AND, a, b, 0 });
}

dd
dd_or(dd a, dd b)
{
	return operate(&(struct operation){ OR, a, b, 0 });
}

/*
 * BuDDy's own difference knows no short cut where b is false, and would walk
 * through all of a; this has one.
 */
dd
dd_minus(dd a, dd b)
{
	return operate(&(struct operation){ ITE, b, DD_FALSE, a });
}

dd
dd_not(dd f)
{
	return operate(&(struct operation){ NOT, f, 0, 0 });
}

dd
dd_ite(dd a, dd b, dd c)
{
	return operate(&(struct operation){ ITE, a, b, c });
}

dd
dd_simplify(dd f, dd care)
{
	return operate(&(struct operation){ SIMPLIFY, f, care, 0 });
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
	dd r = operate(&(struct operation){ SOME, f, vars, 0 });

	dd_drop(vars);
	return r;
}

dd
dd_all(dd f, unsigned first, unsigned n)
{
	dd vars = variables_of(first, n);
	dd r = operate(&(struct operation){ ALL, f, vars, 0 });

	dd_drop(vars);
	return r;
}

dd
dd_and_some(dd a, dd b, unsigned first, unsigned n)
{
	dd vars = variables_of(first, n);
	dd r = operate(&(struct operation){ AND_SOME, a, b, vars });

	dd_drop(vars);
	return r;
}

dd
dd_move(dd f, const unsigned *from, const unsigned *to, unsigned n)
{
	bddPair *pair;
	dd r;

	if (table.failed != DD_FINE)
		return DD_FALSE;
	if ((pair = bdd_newpair()) == NULL) {
		table.failed = DD_BROKEN;
		return DD_FALSE;
	}
	for (unsigned i = 0; i < n; i++)
		(void)bdd_setpair(pair, (int)from[i], (int)to[i]);
	r = result(bdd_replace(f, pair));
	bdd_freepair(pair);
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
bool dd_open(size_t max, bool (*stop)(void *), void *ctx)
    { (void)max; (void)stop; (void)ctx; return false; }
void dd_close(void) { }
enum dd_failure dd_failed(void) { return DD_BROKEN; }
void dd_resume(void) { }
void dd_bound(size_t max) { (void)max; }
bool dd_variables(unsigned n) { (void)n; return false; }
dd dd_var(unsigned i, bool v) { (void)i; (void)v; return DD_FALSE; }
dd dd_keep(dd f) { return f; }
void dd_drop(dd f) { (void)f; }
dd dd_and(dd a, dd b) { (void)a; (void)b; return DD_FALSE; }
dd dd_or(dd a, dd b) { (void)a; (void)b; return DD_FALSE; }
dd dd_minus(dd a, dd b) { (void)a; (void)b; return DD_FALSE; }
dd dd_not(dd f) { (void)f; return DD_FALSE; }
dd dd_ite(dd a, dd b, dd c) { (void)a; (void)b; (void)c; return DD_FALSE; }
dd dd_simplify(dd f, dd care) { (void)f; (void)care; return DD_FALSE; }
dd dd_some(dd f, unsigned a, unsigned n) { (void)a; (void)n; return f; }
dd dd_all(dd f, unsigned a, unsigned n) { (void)a; (void)n; return f; }
dd dd_and_some(dd a, dd b, unsigned c, unsigned n)
{ (void)a; (void)b; (void)c; (void)n; return DD_FALSE; }
dd dd_move(dd f, const unsigned *a, const unsigned *b, unsigned n)
{ (void)a; (void)b; (void)n; return f; }
unsigned dd_node_var(dd f) { (void)f; return 0; }
dd dd_node_low(dd f) { return f; }
dd dd_node_high(dd f) { return f; }
#endif
