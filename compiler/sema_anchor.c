/*
 * anchor, load anchor, antispoof.
 *
 * The rules between an anchor's braces are read before it is known how the
 * anchor is called.  They go into an anchor "_N" (N counts the braces) that
 * hangs nowhere; when the statement is complete it becomes a child of the one
 * around it, under its own name or the given one, or its rules go to the
 * child of that name that is there already:
 *
 *	anchor "a" {	  stack: main, _1		here = _1
 *		anchor {  stack: main, _1, _2		here = _2
 *			pass
 *		}	  _2 hangs below _1		here = _1
 *	}		  _1 hangs below main, as "a"	here = main
 *
 * If a statement between the braces is wrong, pfctl gives up the whole anchor
 * but never leaves it: what follows is still put into the innermost one.
 * Such a ruleset is never loaded, but what is said of the rest depends on it.
 */
#include <string.h>

#include "compiler/sema_int.h"

struct sema_anchors {
	struct anchor	*stack[RULE_ANCHOR_DEPTH + 1]; /* [0]: the file's */
	unsigned	 depth, braces;
	struct anchor	*last;		/* whose '}' was read last */
	struct load_anchor *loads, **loads_tail;
};

static struct sema_anchors *
anchors_of(struct sema *s)
{
	if (s->anchors == NULL) {
		s->anchors = arena_new(&s->rs->arena, struct sema_anchors);
		s->anchors->loads_tail = &s->anchors->loads;
	}
	return s->anchors;
}

struct anchor *
anchor_new(struct arena *arena, const char *name, const char *path)
{
	struct anchor *a = arena_new(arena, struct anchor);

	a->name = name;
	a->path = path;
	a->rules_tail = &a->rules;
	a->tables_tail = &a->tables;
	a->children_tail = &a->children;
	return a;
}

void
sema_anchor_start(struct sema *s, struct anchor *root)
{
	struct sema_anchors *as = anchors_of(s);

	memset(as->stack, 0, sizeof(as->stack));
	as->depth = as->braces = 0;
	as->last = NULL;
	as->stack[0] = s->here = root;
}

const struct load_anchor *
sema_load_anchors(const struct sema *s)
{
	return s->anchors != NULL ? s->anchors->loads : NULL;
}

/* A message after which pfctl exits. */
static enum ast_result
fatal(struct sema *s, const struct ast *n, const char *text)
{
	(void)sema_message(s, n, "anchor", PLAIN_PFCTL, "%s", text);
	s->fatal = true;
	return AST_ABORT;
}

/* --- names --- */

static enum ast_result
anchor_name(struct sema *s, struct ast *n)
{
	if (n->str[0] == '\0')
		return sema_error(s, n, "anchor-name",
		    "anchor name must not be empty");
	if (strlen(s->here->path) + 1 + strlen(n->str) >= RULE_PATH_MAX)
		return sema_error(s, n, "anchor-name",
		    "anchor name is longer than %d", RULE_PATH_MAX - 1);
	if (n->str[0] == '_' || strstr(n->str, "/_") != NULL)
		return sema_error(s, n, "anchor-name", "anchor names "
		    "beginning with '_' are reserved for internal use");
	return AST_OK;
}

static const char *
child_path(struct arena *a, const struct anchor *parent, const char *name)
{
	if (parent->path[0] == '\0')
		return name;
	return arena_printf(a, "%s/%s", parent->path, name);
}

/* --- braces --- */

static enum ast_result
open_braces(struct sema *s, const struct ast *n)
{
	struct sema_anchors *as = anchors_of(s);
	const char *name;

	if (as->depth + 1 >= RULE_ANCHOR_DEPTH)
		return fatal(s, n, "pfa_anchor: anchors too deep");
	name = arena_printf(&s->rs->arena, "_%u", ++as->braces);
	as->stack[++as->depth] = s->here =
	    anchor_new(&s->rs->arena, name, name);
	return AST_OK;
}

static enum ast_result
close_braces(struct sema *s)
{
	struct sema_anchors *as = anchors_of(s);

	as->last = s->here;
	if (as->depth > 0)
		as->depth--;
	s->here = as->stack[as->depth];
	return AST_OK;
}

static struct anchor *
find_child(const struct anchor *parent, const char *name)
{
	struct anchor *a = parent->children;

	while (a != NULL && strcmp(a->name, name) != 0)
		a = a->sibling;
	return a;
}

static void
add_child(struct sema *s, struct anchor *parent, struct anchor *a,
    const char *name)
{
	a->name = name;
	a->path = child_path(&s->rs->arena, parent, name);
	a->parent = parent;
	*parent->children_tail = a;
	parent->children_tail = &a->sibling;
}

/* Rules, tables and anchors of one anchor go to the end of another. */
static void
move_all(struct anchor *from, struct anchor *to)
{
	*to->rules_tail = from->rules;
	if (from->rules != NULL)
		to->rules_tail = from->rules_tail;
	to->nrules += from->nrules;
	for (struct table *t = from->tables; t != NULL; t = t->next)
		t->anchor = to;
	*to->tables_tail = from->tables;
	if (from->tables != NULL)
		to->tables_tail = from->tables_tail;
	for (struct anchor *a = from->children; a != NULL; a = a->sibling)
		a->parent = to;
	*to->children_tail = from->children;
	if (from->children != NULL)
		to->children_tail = from->children_tail;
}

/* The anchor whose braces were just closed gets its place and name. */
static enum ast_result
place_inline(struct sema *s, const struct ast *n, const char *name,
    struct rule_anchor_ref *ref)
{
	struct sema_anchors *as = s->anchors;
	struct anchor *body = as->last, *parent = as->stack[as->depth];
	struct anchor *there;

	if (name == NULL)
		name = body->name;
	if (strlen(name) >= RULE_ANCHOR_NAME_SIZE)
		return fatal(s, n, "anchorrule: unable to create ruleset: "
		    "Undefined error: 0");
	there = find_child(parent, name);
	if (there == NULL)
		add_child(s, parent, body, name);
	else if (there->nrules > 0)
		return sema_error(s, n, "anchor-exists",
		    "inline anchor '%s' already exists", name);
	else {
		move_all(body, there);
		body = there;
	}
	as->last = body;
	*ref = (struct rule_anchor_ref){ .call = name, .body = body,
	    .inlined = true };
	return AST_OK;
}

/* --- anchor rules --- */

static bool
is_wildcard(const char *name)
{
	size_t n = strlen(name);

	return strcmp(name, "*") == 0 ||
	    (n >= 2 && strcmp(name + n - 2, "/*") == 0);
}

static enum ast_result
call_named(struct sema *s, const struct ast *n, const char *name,
    struct rule_anchor_ref *ref)
{
	const char *slash;

	if (name == NULL)
		return sema_error(s, n, "anchor-name",
		    "anchors without explicit rules must specify a name");
	slash = strrchr(name, '/');
	if (slash != NULL && slash[1] == '\0')
		return sema_error(s, n, "anchor-name",
		    "anchorrule: bad anchor name %s", name);
	if (strlen(slash != NULL ? slash : name) >= RULE_ANCHOR_NAME_SIZE)
		return fatal(s, n, "anchorrule: strlcpy");
	*ref = (struct rule_anchor_ref){ .call = name,
	    .wildcard = is_wildcard(name) };
	return AST_OK;
}

static enum ast_result
find_anchor(struct sema *s, const struct ast *n, struct rule_anchor_ref *ref)
{
	struct sema_anchors *as = anchors_of(s);
	const struct ast *node = n->kid[AST_K_ACTION];
	const char *name = node != NULL ? node->str : NULL;

	if (as->stack[as->depth + 1] == NULL)
		return call_named(s, n, name, ref);
	if (name != NULL && strchr(name, '/') != NULL)
		return sema_error(s, node, "anchor-name", "anchor paths "
		    "containing '/' cannot be used for inline anchors.");
	return place_inline(s, node != NULL ? node : n, name, ref);
}

static bool
has_no_forbidden(struct sema *s, const struct rule_opts *o)
{
	const struct ast *state = rule_opt(o, AST_OPT_STATE);
	const struct ast *route = rule_opt(o, AST_OPT_ROUTE);

	if (state != NULL && state->num != AST_STATE_NO) {
		(void)sema_error(s, state, "anchor-option",
		    "cannot specify state handling on anchors");
		return false;
	}
	if (route != NULL) {
		(void)sema_error(s, route, "anchor-option",
		    "cannot specify route handling on anchors");
		return false;
	}
	return true;
}

static enum ast_result
anchor_rule(struct sema *s, struct ast *n)
{
	struct statement st = { .node = n };
	struct rule_opts o;
	enum ast_result r;

	rule_init(&st.rule);
	if ((r = find_anchor(s, n, &st.rule.anchor)) != AST_OK)
		return r;
	sema_head_to_statement(n, &st);
	sema_collect_opts(n->kid[AST_K_OPTS], &o);
	if (!sema_check_tcp_only(s, &o, &st,
	    "OS fingerprinting only applies to tcp") ||
	    !sema_opts_to_statement(s, n->kid[AST_K_OPTS], &o, &st) ||
	    !has_no_forbidden(s, &o))
		return AST_REFUSED;
	sema_decide_af(st.src, &st.rule.af);
	sema_decide_af(st.dst, &st.rule.af);
	sema_option_parts(&o, &st);
	(void)expand_statement(s, &st);
	s->anchors->stack[s->anchors->depth + 1] = NULL;
	return AST_OK;
}

/*
 * pfctl prints the name of an inline anchor that has rules, else its path,
 * in which anchors around it are still called by number.
 */
static void
name_calls(const struct anchor *a)
{
	for (struct rule *r = a->rules; r != NULL; r = r->next) {
		const struct anchor *body = r->anchor.body;

		if (r->anchor.inlined)
			r->anchor.call = body->nrules > 0 ? body->name :
			    body->path;
	}
	for (const struct anchor *c = a->children; c != NULL; c = c->sibling)
		name_calls(c);
}

/* From here on paths are as the kernel would know them. */
static void
mend_paths(struct arena *arena, struct anchor *a)
{
	for (struct anchor *c = a->children; c != NULL; c = c->sibling) {
		c->path = child_path(arena, a, c->name);
		mend_paths(arena, c);
	}
}

void
sema_anchor_finish(struct sema *s, struct anchor *root)
{
	name_calls(root);
	mend_paths(&s->rs->arena, root);
}

/* --- load anchor --- */

static enum ast_result
load_anchor(struct sema *s, struct ast *n)
{
	struct sema_anchors *as = anchors_of(s);
	struct load_anchor *l;

	if (n->kid[0] == NULL)
		return sema_error(s, n, "anchor-name",
		    "anchor name is missing");
	l = arena_new(&s->rs->arena, struct load_anchor);
	l->name = child_path(&s->rs->arena, s->here, n->kid[0]->str);
	l->file = n->str;
	l->span = n->span;
	*as->loads_tail = l;
	as->loads_tail = &l->next;
	return AST_OK;
}

/* --- antispoof --- */

/* What the rules of one antispoof have in common. */
struct spoof {
	struct sema	*s;
	struct ast	*node;
	struct rule	 rule;
	const struct ast *label, *rtable;
};

static bool
is_loopback(struct sema *s, const char *name)
{
	const struct pfk_interface *i;

	if (resolve_is_group(s->rs, name))
		return false;
	i = resolve_ifname(s->rs, name);
	return i != NULL && (i->flags & PFK_IFF_LOOPBACK) != 0;
}

/* The interface's networks, or its addresses (ifmods 0); NULL: none. */
static const struct host_list *
spoof_hosts(struct sema *s, const struct ast *i, unsigned ifmods)
{
	struct host_list *l;
	struct host_item *h;

	if (i->num2 == 0) {
		l = resolve_interface(s->rs, i->str, ifmods);
		for (h = l != NULL ? l->first : NULL; h != NULL; h = h->next)
			h->node = i;
		return l;
	}
	h = arena_new(&s->rs->scratch, struct host_item);
	h->node = i;
	h->addr.kind = RULE_ADDR_DYNAMIC;
	h->addr.name = i->str;
	h->addr.ifmods = (uint8_t)ifmods;
	addr_prefix_mask(&h->addr.mask, 128);
	l = arena_new(&s->rs->scratch, struct host_list);
	*l = (struct host_list){ h, h, 1 };
	return l;
}

static void
block_from(struct spoof *sp, const struct stmt_if *on,
    const struct host_list *src)
{
	struct statement st = { .node = sp->node, .rule = sp->rule };

	if (src == NULL)
		return;
	st.ifs = on;
	st.src = src;
	st.part[PFK_PART_LABEL] = sp->label;
	st.part[PFK_PART_RTABLE] = sp->rtable;
	if (sp->node->kid[1]->first->next != NULL)
		st.listed = 1 << PFK_PART_INTERFACE | 1 << PFK_PART_SOURCE;
	(void)expand_statement(sp->s, &st);
}

static void
spoof_interface(struct spoof *sp, const struct ast *i)
{
	struct stmt_if on = { .node = i, .name = i->str, .rdomain = -1,
	    .neg = true };

	if (i->str == NULL)		/* rdomain: has no addresses */
		return;
	block_from(sp, &on, spoof_hosts(sp->s, i, RULE_IF_NETWORK));
	if (!is_loopback(sp->s, i->str) && !sp->s->fatal)
		block_from(sp, NULL, spoof_hosts(sp->s, i, 0));
}

/* label and rtable: false, message queued. */
static bool
spoof_options(struct spoof *sp)
{
	const struct ast *list = sp->node->kid[2], *o;

	for (o = list != NULL ? list->first : NULL; o != NULL; o = o->next) {
		if (o->kind == AST_OPT_RTABLE) {
			sp->rule.rtable = (int32_t)o->num;
			sp->rtable = o;
			continue;
		}
		if (!sema_label(sp->s, o, &sp->rule))
			return false;
		sp->label = o;
	}
	return true;
}

static enum ast_result
antispoof(struct sema *s, struct ast *n)
{
	const struct ast *log = n->kid[0], *i;
	struct spoof sp = { .s = s, .node = n };

	rule_init(&sp.rule);
	sp.rule.action = RULE_BLOCK;
	sp.rule.block = RULE_DROP;
	sp.rule.direction = RULE_IN;
	sp.rule.log = (uint8_t)log->num;
	sp.rule.logif = (uint8_t)log->num2;
	sp.rule.quick = log->neg;
	sp.rule.af = (uint8_t)n->num;
	if (!spoof_options(&sp))
		return AST_REFUSED;
	for (i = n->kid[1]->first; i != NULL && !s->fatal; i = i->next)
		spoof_interface(&sp, i);
	return AST_OK;
}

/* --- */

enum ast_result
sema_anchor(struct sema *s, struct ast *n)
{
	if (n->kind == AST_ANCHOR)
		return anchor_rule(s, n);
	if (n->kind == AST_ANCHOR_NAME)
		return anchor_name(s, n);
	if (n->kind == AST_ANCHOR_OPEN)
		return open_braces(s, n);
	if (n->kind == AST_ANCHOR_CLOSE)
		return close_braces(s);
	if (n->kind == AST_LOAD_ANCHOR)
		return load_anchor(s, n);
	if (n->kind == AST_ANTISPOOF)
		return antispoof(s, n);
	return AST_OK;		/* ERROR: we stay where we are */
}
