/*
 * queue ...: definitions, and the tree they make.
 *
 * While the file is read only each statement is checked by itself.  When all
 * is read, the tree is built: under each root come the queues that name it as
 * parent, on this interface or on any; a queue without an interface thus
 * appears under several roots, and one with the root's interface wins over
 * it.  The checks of the whole are made on the way, in pfctl's order, and end
 * the compilation as pfctl ends there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/print.h"
#include "compiler/resolve.h"
#include "compiler/sema.h"

#define MAX_QLIMIT	65535
#define MAX_FLOWS	32767
#define MAX_QUANTUM	65535
#define MAX_MATCHES	10000	/* more can only be a loop */

/* Options of a statement; each may stand there once. */
enum { SEEN_BANDWIDTH = 1, SEEN_PARENT = 2, SEEN_DEFAULT = 4, SEEN_QLIMIT = 8,
    SEEN_FLOWS = 16, SEEN_QUANTUM = 32 };

/* A queue as defined, or its place in the tree. */
struct queue_item {
	struct queue	 q;
	unsigned	 matches;	/* places it has in the tree */
	struct queue_item *next;
	struct queue_item *children, **children_tail;
};

struct sema_queues {
	struct queue_item *roots, **roots_tail;
	struct queue_item *others, **others_tail;
	unsigned	 seen;		/* options of the open statement */
};

static struct sema_queues *
queues_of(struct sema *s)
{
	struct sema_queues *qs = s->queues;

	if (qs == NULL) {
		s->queues = qs = arena_new(&s->rs->arena, struct sema_queues);
		qs->roots_tail = &qs->roots;
		qs->others_tail = &qs->others;
	}
	return qs;
}

/* Marks the option as seen; false if it was. */
static bool
first_time(struct sema *s, unsigned option)
{
	struct sema_queues *qs = queues_of(s);
	bool first = (qs->seen & option) == 0;

	qs->seen |= option;
	return first;
}

/* The factor of "K", "Mb", "Gbit" ...; 0 for "%", -1 for none of them. */
static double
unit_factor(const char *unit)
{
	static const char *const endings[] = { "Bit", "B", "bit", "b" };
	bool ending = unit[0] != '\0' && unit[1] == '\0';

	for (size_t i = 0; i < 4; i++)
		if (unit[0] != '\0' && strcmp(unit + 1, endings[i]) == 0)
			ending = true;
	if (!ending)
		return -1;
	switch (unit[0]) {
	case 'b':
		return 1;
	case 'K':
		return 1e3;
	case 'M':
		return 1e6;
	case 'G':
		return 1e9;
	case '%':
		return 0;
	default:
		return -1;
	}
}

/* The unit as pfctl complains about it: without "b", "bit" after a letter. */
static const char *
shown_unit(struct sema *s, const char *unit)
{
	static const char *const endings[] = { "Bit", "B", "bit", "b" };

	for (size_t i = 0; i < 4; i++)
		if (unit[0] != '\0' && strcmp(unit + 1, endings[i]) == 0)
			return arena_strndup(&s->rs->arena, unit, 1);
	return unit;
}

/* num becomes bits per second; num2 the percentage, if that is what it is. */
static enum ast_result
bandwidth(struct sema *s, struct ast *n)
{
	const struct ast *word = n->kid[0];
	double value, factor;
	char *unit;

	if (word->kind == AST_NUM) {
		if (word->num < 0)
			return sema_error(s, n, "range",
			    "bandwidth number too big");
		n->num = word->num;
		return AST_OK;
	}
	value = strtod(word->str, &unit);
	factor = unit_factor(unit);
	if (factor < 0)
		return sema_error(s, n, "unit", "unknown unit \"%s\"",
		    shown_unit(s, unit));
	if (factor == 0 && !(value >= 0 && value <= 100))
		return sema_error(s, n, "range", "bandwidth spec out of "
		    "range");
	n->num2 = factor == 0 ? (int64_t)value : 0;
	value *= factor;
	if (!(value >= 0 && value < (double)INT64_MAX))
		return sema_error(s, n, "range", "bandwidth number too big");
	n->num = (int64_t)value;
	return AST_OK;
}

/* bandwidth [burst bandwidth for N ms]; num becomes the milliseconds. */
static enum ast_result
curve(struct sema *s, struct ast *n)
{
	char *unit;

	if (n->kid[1] != NULL) {
		n->num = (uint32_t)strtoull(n->str, &unit, 10);
		if (strcmp(unit, "ms") != 0)
			return sema_error(s, n, "unit",
			    "time in scspec must be in ms");
	}
	if (n->kid[0]->num2 != 0 || (n->kid[1] != NULL &&
	    n->kid[1]->num2 != 0))
		return sema_error(s, n, "unit", "no bandwidth in %% yet");
	return AST_OK;
}

/* The options that are a number, and those that just may not come twice. */
static const struct option {
	enum ast_kind	 kind;
	unsigned	 seen;
	int64_t		 min, max;
	const char	*what;
} options[] = {
	{ AST_QUEUE_BANDWIDTH, SEEN_BANDWIDTH, 0, 0, "bandwidth" },
	{ AST_QUEUE_PARENT, SEEN_PARENT, 0, 0, "parent" },
	{ AST_QUEUE_DEFAULT, SEEN_DEFAULT, 0, 0, "default" },
	{ AST_QUEUE_QLIMIT, SEEN_QLIMIT, 0, MAX_QLIMIT, "qlimit" },
	{ AST_QUEUE_FLOWS, SEEN_FLOWS, 1, MAX_FLOWS, "number of flows" },
	{ AST_QUEUE_QUANTUM, SEEN_QUANTUM, 1, MAX_QUANTUM, "quantum" },
};

static enum ast_result
check_option(struct sema *s, const struct ast *n, const struct option *o)
{
	if (!first_time(s, o->seen))
		return sema_error(s, n, "redefined", "%s cannot be "
		    "respecified", o->what);
	if (o->max != 0 && (n->num < o->min || n->num > o->max))
		return sema_error(s, n, "range", "%s out of range: max %"
		    PRId64, o->what, o->max);
	return AST_OK;
}

static struct queue_curve
curve_of(const struct ast *n)
{
	struct queue_curve c = { 0, 0, 0 };

	if (n == NULL)
		return c;
	c.m2 = (uint64_t)n->kid[0]->num;
	if (n->kid[1] != NULL) {
		c.m1 = (uint64_t)n->kid[1]->num;
		c.d = (uint32_t)n->num;
	}
	return c;
}

/* One option of a statement that is complete. */
static void
take_option(struct queue *q, const struct ast *n)
{
	if (n->kind == AST_QUEUE_BANDWIDTH) {
		q->linkshare = curve_of(n->kid[0]);
		q->realtime = curve_of(n->kid[1]);
		q->upperlimit = curve_of(n->kid[2]);
	} else if (n->kind == AST_QUEUE_PARENT)
		q->parent = n->str;
	else if (n->kind == AST_QUEUE_DEFAULT)
		q->is_default = true;
	else if (n->kind == AST_QUEUE_QLIMIT)
		q->qlimit = (uint32_t)n->num;
	else if (n->kind == AST_QUEUE_FLOWS) {
		q->is_flowqueue = true;
		q->flows = (uint32_t)n->num;
	} else
		q->quantum = (uint32_t)n->num;
}

/* What is wrong with the queue by itself; NULL: nothing. */
static const char *
queue_problem(const struct queue *q, unsigned seen)
{
	if ((seen & (SEEN_BANDWIDTH | SEEN_FLOWS)) == 0)
		return "no bandwidth or flow specification";
	if (strlen(q->name) >= RULE_QNAME_SIZE)
		return "queuename too long";
	if (q->parent != NULL && strlen(q->parent) >= RULE_QNAME_SIZE)
		return "parent too long";
	if (q->ifname != NULL && strlen(q->ifname) >= RULE_IFNAMSIZ)
		return "interface too long";
	return NULL;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What pfctl says on standard output when it cannot take the queue. */
static bool
may_add(struct sema *s, const struct queue *q)
{
	const struct queue_item *r;

	if (s->here->path[0] != '\0') {
		strbuf_puts(&s->rs->echo,
		    "must not have queue definitions in an anchor\n");
		return false;
	}
	for (r = queues_of(s)->roots; q->parent == NULL && r != NULL;
	    r = r->next)
		if (same_text(r->q.ifname, q->ifname)) {
			strbuf_printf(&s->rs->echo, "A root queue is already "
			    "defined on %s\n", q->ifname ? q->ifname : "");
			return false;
		}
	return true;
}

static void
append_item(struct arena *a, const struct queue *q,
    struct queue_item ***tail)
{
	struct queue_item *item = arena_new(a, struct queue_item);

	item->q = *q;
	item->children_tail = &item->children;
	**tail = item;
	*tail = &item->next;
}

/* The queue on one interface; false: the message has been queued. */
static bool
add_queue(struct sema *s, const struct ast *n, const struct queue *q,
    unsigned seen)
{
	struct sema_queues *qs = queues_of(s);
	const char *problem = queue_problem(q, seen);

	if (problem == NULL && !may_add(s, q))
		problem = "cannot add queue";
	if (problem != NULL) {
		(void)sema_error(s, n, "queue", "%s", problem);
		return false;
	}
	append_item(&s->rs->arena, q, q->parent != NULL ? &qs->others_tail :
	    &qs->roots_tail);
	return true;
}

/*
 * A complete statement.  Once the header is in order pfctl goes on parsing
 * after any error.
 */
static enum ast_result
define_queue(struct sema *s, struct ast *n)
{
	const struct ast *i = n->kid[0] ? n->kid[0]->first : NULL, *o;
	struct queue q = { .name = n->str, .span = n->span };
	unsigned seen = queues_of(s)->seen;

	queues_of(s)->seen = 0;
	for (o = n->kid[1] ? n->kid[1]->first : NULL; o != NULL; o = o->next)
		take_option(&q, o);
	if (i == NULL && q.parent == NULL)
		return sema_error(s, n, "queue",
		    "root queue without interface");
	if (i != NULL && (i->str == NULL || resolve_is_group(s->rs, i->str) ||
	    resolve_ifname(s->rs, i->str) == NULL))
		return sema_error(s, i, "queue", "not an interface");
	q.is_root = q.parent == NULL && (seen & SEEN_BANDWIDTH) != 0;
	do {
		q.ifname = i != NULL ? i->str : NULL;
		if (!add_queue(s, n, &q, seen))
			break;
		i = i != NULL ? i->next : NULL;
	} while (i != NULL);
	return AST_OK;
}

enum ast_result
sema_queue(struct sema *s, struct ast *n)
{
	enum ast_result r = AST_OK;

	if (n->kind == AST_QUEUE)
		return define_queue(s, n);
	if (n->kind == AST_BANDWIDTH)
		r = bandwidth(s, n);
	else if (n->kind == AST_SCSPEC)
		r = curve(s, n);
	else if (n->kind == AST_ERROR)
		queues_of(s)->seen = 0;	/* the statement was given up */
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (options[i].kind == n->kind)
			r = check_option(s, n, &options[i]);
	return r;
}

/* Rules may name queues that have a parent; pfctl does not look at roots. */
bool
sema_queue_exists(const struct sema *s, const char *name)
{
	const struct queue_item *i = s->queues ? s->queues->others : NULL;

	for (; i != NULL; i = i->next)
		if (strcmp(i->q.name, name) == 0)
			return true;
	return false;
}

const char *const *
sema_queue_names(struct sema *s)
{
	const struct queue_item *i;
	VEC(const char *) names = { NULL, 0, 0 };

	for (i = queues_of(s)->others; i != NULL; i = i->next)
		vec_push(&s->rs->arena, &names, i->q.name);
	vec_push(&s->rs->arena, &names, NULL);
	return names.v;
}

/* --- when everything is read --- */

#define fatal(s, q, ...)						\
	((void)span_message((s), (q), __VA_ARGS__), false)

/* A message that ends pfctl, about the queue (NULL: none). */
static struct diag *
span_message(struct sema *s, const struct queue *q, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = diag_vadd(&s->rs->diags, DIAG_ERROR, "queue", fmt, ap);
	va_end(ap);
	d->plain = PLAIN_PFCTL;
	if (q != NULL)
		d->span = q->span;
	return d;
}

static struct queue_item *
find_child(struct queue_item *parent, const char *name)
{
	struct queue_item *c = parent->children;

	while (c != NULL && strcmp(c->q.name, name) != 0)
		c = c->next;
	return c;
}

/* Puts the definition under the parent; what it meets there may yield. */
static bool
add_child(struct sema *s, struct queue_item *parent, const struct queue *q)
{
	struct queue_item *c = find_child(parent, q->name);

	if (c == NULL) {
		append_item(&s->rs->arena, q, &parent->children_tail);
		return true;
	}
	if (c->q.ifname != NULL && q->ifname != NULL)
		return fatal(s, q, "queue %s on %s respecified", c->q.name,
		    c->q.ifname);
	if (c->q.ifname == NULL && q->ifname == NULL)
		return fatal(s, q, "queue %s respecified", c->q.name);
	if (c->q.ifname == NULL)
		c->q = *q;
	return true;
}

/* Builds the tree below; has_default: a default queue is in it. */
static bool
build_tree(struct sema *s, struct queue_item *parent, bool *has_default)
{
	struct queue_item *d, *c;

	*has_default |= parent->q.is_default;
	for (d = s->queues->others; d != NULL; d = d->next) {
		if (strcmp(d->q.parent, parent->q.name) != 0 ||
		    (d->q.ifname != NULL &&
		    !same_text(d->q.ifname, parent->q.ifname)))
			continue;
		if (++d->matches > MAX_MATCHES)
			return fatal(s, &d->q, "pfctl_find_childqs: "
			    "excessive matches, loop?");
		if (!add_child(s, parent, &d->q))
			return false;
	}
	for (c = parent->children; c != NULL; c = c->next)
		if (!build_tree(s, c, has_default))
			return false;
	if (parent->children != NULL && parent->q.is_default)
		return fatal(s, &parent->q, "default queue %s is not a leaf "
		    "queue", parent->q.name);
	if (parent->children != NULL && parent->q.is_flowqueue)
		return fatal(s, &parent->q, "flow queue %s is not a leaf "
		    "queue", parent->q.name);
	return true;
}

static bool
build_root(struct sema *s, struct queue_item *root)
{
	bool has_default = false;

	if (!build_tree(s, root, &has_default))
		return false;
	if (!root->q.is_root && root->children != NULL) {
		if (root->q.is_flowqueue)
			return fatal(s, &root->q, "root queue %s doesn't "
			    "support hierarchy", root->q.name);
		return fatal(s, &root->q, "no bandwidth was specified for "
		    "root queue %s", root->q.name);
	}
	if (root->q.is_root && !has_default)
		return fatal(s, &root->q, "no default queue specified");
	return true;
}

/* Whether packets may be assigned to the queue; said on standard output. */
static bool
is_leaf(struct sema *s, const char *name)
{
	const struct queue_item *r;

	for (r = s->queues->roots; name != NULL && r != NULL; r = r->next)
		if (strcmp(r->q.name, name) == 0 && r->children != NULL) {
			strbuf_printf(&s->rs->echo, "queue %s: packets must "
			    "be assigned to leaf queues only\n", name);
			return false;
		}
	return true;
}

/*
 * All assignments in an anchor's rules and in the anchors below.  Walking the
 * tree and not the calls ends even where anchors call each other.
 */
static bool
check_assignments(struct sema *s, const struct anchor *a)
{
	const struct anchor *child;
	bool good = true;

	for (const struct rule *r = a->rules; r != NULL; r = r->next)
		if (!is_leaf(s, r->qname) || !is_leaf(s, r->pqname))
			good = false;
	for (child = a->children; child != NULL; child = child->sibling)
		good &= check_assignments(s, child);
	return good;
}

static bool
check_definitions(struct sema *s)
{
	const struct queue_item *d;

	for (d = s->queues->others; d != NULL; d = d->next) {
		if (d->matches == 0)
			return fatal(s, &d->q, "queue %s: parent %s not "
			    "found", d->q.name, d->q.parent);
		if (d->q.linkshare.m1 == 0 && d->q.linkshare.m2 == 0)
			return fatal(s, &d->q, "queue %s: no bandwidth was "
			    "specified", d->q.name);
	}
	return true;
}

/* The tree in the order of printing, into the flat ruleset. */
static void
load_queue(struct sema *s, struct queue_item *item, struct queue ***tail)
{
	struct queue_item *c;

	if (s->rs->verbose > 0)
		print_queue(&s->rs->echo, &item->q);
	**tail = &item->q;
	*tail = &item->q.next;
	for (c = item->children; c != NULL; c = c->next) {
		c->q.ifname = item->q.ifname;
		load_queue(s, c, tail);
	}
}

bool
sema_queue_finish(struct sema *s)
{
	struct queue **tail = &s->rs->flat.queues;
	struct queue_item *r;

	for (r = queues_of(s)->roots; r != NULL; r = r->next)
		if (!build_root(s, r))
			return false;
	if (!check_assignments(s, s->rs->flat.root) || !check_definitions(s))
		return false;
	for (r = s->queues->roots; r != NULL; r = r->next)
		load_queue(s, r, &tail);
	return true;
}
