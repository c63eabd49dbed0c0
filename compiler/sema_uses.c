/*
 * Which tables are used, and which are there: what does not match is legal,
 * and most often a slip of the pen.  pfctl says nothing about it.
 *
 * Uses are noted as they are read, not looked for in the flat rules: the
 * optimiser may have dropped those.  A name counts as defined if any anchor
 * defines it, as rules in anchors also see the tables of the main ruleset.
 */
#include <string.h>

#include "base/hash.h"
#include "compiler/sema_int.h"

#define SLOTS	256
#define COMPARISONS_MAX	100000	/* of misspelt names with defined ones */

struct table_use {
	const char	*name;
	struct span	 span;			/* where it stands first */
	const struct expansion *via;
	bool		 defined;
	struct table_use *chain, *next;
};

struct sema_uses {
	struct table_use *slots[SLOTS], *first, **tail;
	VEC(const char *) names;	/* of tables that are defined */
	bool		 open_ended;	/* anchors may be filled later */
};

static struct sema_uses *
uses_of(struct sema *s)
{
	if (s->uses == NULL) {
		s->uses = arena_new(&s->rs->arena, struct sema_uses);
		s->uses->tail = &s->uses->first;
	}
	return s->uses;
}

/* Where the name's use is, or would go. */
static struct table_use **
find(struct sema_uses *u, const char *name)
{
	struct table_use **p;

	p = &u->slots[hash_fnv1a(name, strlen(name)) % SLOTS];
	while (*p != NULL && strcmp((*p)->name, name) != 0)
		p = &(*p)->chain;
	return p;
}

void
sema_use_table(struct sema *s, const struct ast *n, const char *name)
{
	struct sema_uses *u = uses_of(s);
	struct table_use **p = find(u, name), *use;

	if (*p != NULL)
		return;
	*p = use = arena_new(&s->rs->arena, struct table_use);
	use->name = name;
	use->span = n->span;
	use->via = n->via;
	*u->tail = use;
	u->tail = &use->next;
}

static void
warn_unused(struct sema *s, const struct table *t)
{
	struct diag *d;

	d = diag_add(&s->rs->diags, DIAG_WARNING, "unused-table",
	    "table <%s> is not used", t->name);
	d->plain = PLAIN_NONE;
	d->span = t->span;
}

/* Tables of the anchor and those below it. */
static void
check_definitions(struct sema *s, const struct anchor *a)
{
	struct sema_uses *u = s->uses;
	const struct anchor *child;

	for (const struct table *t = a->tables; t != NULL; t = t->next) {
		struct table_use *use = *find(u, t->name);

		if (t->automatic)
			continue;
		vec_push(&s->rs->arena, &u->names, t->name);
		if (use != NULL)
			use->defined = true;
		else if (!t->persist || !u->open_ended)
			warn_unused(s, t);
	}
	for (child = a->children; child != NULL; child = child->sibling)
		check_definitions(s, child);
}

/* Whether the rules call an anchor whose rules are not in the ruleset. */
static bool
calls_others(const struct anchor *a)
{
	const struct anchor *child;

	for (const struct rule *r = a->rules; r != NULL; r = r->next)
		if (r->anchor.call != NULL && !r->anchor.inlined)
			return true;
	for (child = a->children; child != NULL; child = child->sibling)
		if (calls_others(child))
			return true;
	return false;
}

static void
warn_undefined(struct sema *s, const struct table_use *use,
    const char *const *names)
{
	const char *near = names != NULL ? suggest(use->name, names) : NULL;
	struct diag *d;

	d = diag_add(&s->rs->diags, DIAG_WARNING, "undefined-table",
	    "table <%s> is never defined", use->name);
	d->plain = PLAIN_NONE;
	d->span = use->span;
	d->via = use->via;
	if (near != NULL)
		d->suggestion = arena_printf(&s->rs->arena, "<%s>", near);
	diag_note(&s->rs->diags, d, (struct span){ 0, 0, 0 },
	    "it is empty until something fills it");
}

void
sema_uses_finish(struct sema *s)
{
	struct sema_uses *u = uses_of(s);
	const struct anchor *a;
	size_t left = COMPARISONS_MAX, n;

	u->open_ended = calls_others(s->rs->flat.root);
	check_definitions(s, s->rs->flat.root);
	for (a = s->rs->flat.loaded; a != NULL; a = a->sibling)
		check_definitions(s, a);
	n = u->names.n;
	vec_push(&s->rs->arena, &u->names, NULL);
	for (const struct table_use *use = u->first; use; use = use->next)
		if (!use->defined) {
			warn_undefined(s, use, n <= left ? u->names.v : NULL);
			left -= n <= left ? n : 0;
		}
}
