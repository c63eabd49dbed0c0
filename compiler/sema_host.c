/*
 * Hosts in rules, tables and pools: from what is written to addresses.
 *
 * Each HOST* node gets its list of items as soon as it is read; `!` and the
 * braces around it come later.  When a PEER is complete its elements' lists
 * are joined into one, which is what expansion walks over.
 */
#include <ctype.h>
#include <string.h>

#include "compiler/sema_int.h"

#define FULL_BITS	128	/* of an address whose family is not known */
#define MAX_PAIRS	64	/* elements of a list that are compared */

static struct host_list *
one_item(struct sema *s, struct ast *n, enum rule_addrkind kind)
{
	struct arena *a = &s->rs->scratch;
	struct host_list *l = arena_new(a, struct host_list);
	struct host_item *i = arena_new(a, struct host_item);

	i->addr.kind = (uint8_t)kind;
	i->addr.name = n->str;
	i->node = n;
	l->first = l->last = i;
	l->n = 1;
	n->sem = l;
	return l;
}

static enum ast_result
not_a_host(struct sema *s, const struct ast *n)
{
	/* What was wrong has been said: this is pfctl's second message. */
	parser_error(s->parser, n, "host",
	    "could not parse host specification")->cascade = true;
	return AST_REFUSED;
}

static enum ast_result
host(struct sema *s, struct ast *n)
{
	if ((n->sem = resolve_host(s->rs, n, n->str)) == NULL)
		return not_a_host(s, n);
	return AST_OK;
}

static bool
single_address(const struct host_list *l)
{
	const struct host_item *i = l->first;

	return i->next == NULL && i->addr.kind == RULE_ADDR_MASK &&
	    addr_mask_bits(&i->addr.mask) == addr_bits(i->addr.af);
}

static enum ast_result
host_range(struct sema *s, struct ast *n)
{
	struct host_list *low, *high;

	if ((low = resolve_host(s->rs, n, n->str)) == NULL ||
	    (high = resolve_host(s->rs, n, n->str2)) == NULL)
		return not_a_host(s, n);
	if (low->first->af != high->first->af || !single_address(low) ||
	    !single_address(high))
		return sema_error(s, n, "range", "invalid address range");
	low->first->addr.kind = RULE_ADDR_RANGE;
	low->first->addr.mask = high->first->addr.addr;
	n->sem = low;
	return AST_OK;
}

/* Cuts ":network" and the like off the name; false: one is unknown. */
static bool
cut_modifiers(char *name, uint8_t *mods)
{
	static const struct { const char *word; uint8_t bit; } words[] = {
		{ "network", RULE_IF_NETWORK }, { "peer", RULE_IF_PEER },
		{ "broadcast", RULE_IF_BROADCAST }, { "0", RULE_IF_NOALIAS },
	};
	char *colon;

	for (*mods = 0; (colon = strrchr(name, ':')) != NULL; *colon = '\0') {
		size_t i = 0;

		while (i < 4 && strcmp(colon + 1, words[i].word) != 0)
			i++;
		if (i == 4)
			return false;
		*mods |= words[i].bit;
	}
	return true;
}

/* More than one of network, broadcast, peer. */
static bool
contradictory(uint8_t mods)
{
	mods &= RULE_IF_NETWORK | RULE_IF_BROADCAST | RULE_IF_PEER;
	return (mods & (mods - 1)) != 0;
}

static enum ast_result
host_dynamic(struct sema *s, struct ast *n)
{
	char *name = arena_strdup(&s->rs->scratch, n->str);
	struct host_item *i;
	uint8_t mods;

	if (!isalpha((unsigned char)name[0]))
		return sema_error(s, n, "interface-name",
		    "invalid interface name '%s'", name);
	if (!cut_modifiers(name, &mods))
		return sema_error(s, n, "interface-modifier",
		    "interface %s has bad modifier", name);
	if (contradictory(mods))
		return sema_error(s, n, "interface-modifier",
		    "illegal combination of interface modifiers");
	if (strlen(name) >= RULE_IFNAMSIZ)
		return sema_error(s, n, "too-long", "interface name too long");
	i = one_item(s, n, RULE_ADDR_DYNAMIC)->first;
	if (mods != 0)
		i->addr.name = arena_strdup(&s->rs->arena, name);
	i->addr.ifmods = mods;
	addr_prefix_mask(&i->addr.mask, FULL_BITS);
	return AST_OK;
}

static enum ast_result
host_dynamic_bits(struct sema *s, struct ast *n)
{
	struct host_list *l = n->kid[0]->sem;

	if (n->num < 0 || n->num > FULL_BITS)
		return sema_error(s, n, "range", "bit number too big");
	addr_prefix_mask(&l->first->addr.mask, (unsigned)n->num);
	n->sem = l;
	return AST_OK;
}

static enum ast_result
host_table(struct sema *s, struct ast *n)
{
	if (strlen(n->str) >= RULE_TABLE_NAME_SIZE)
		return sema_error(s, n, "too-long",
		    "table name '%s' too long", n->str);
	(void)one_item(s, n, RULE_ADDR_TABLE);
	sema_use_table(s, n, n->str);
	return AST_OK;
}

static enum ast_result
host_route(struct sema *s, struct ast *n)
{
	if (strlen(n->str) >= RULE_RTLABEL_LEN)
		return sema_error(s, n, "too-long",
		    "route label too long, max %d chars",
		    RULE_RTLABEL_LEN - 1);
	(void)one_item(s, n, RULE_ADDR_ROUTE_LABEL);
	return AST_OK;
}

static enum ast_result
negate(struct ast *n)
{
	struct host_list *l = n->kid[0]->sem;

	n->sem = l;
	for (struct host_item *i = l ? l->first : NULL; i; i = i->next) {
		i->neg = n->neg;
		i->node = n;
	}
	return AST_OK;
}

/* --- lists --- */

/* The list after what is in *all; a list alone stays as it is. */
static void
join(struct host_list **all, struct host_list *l)
{
	if (*all == NULL) {
		*all = l;
		return;
	}
	(*all)->last->next = l->first;
	(*all)->last = l->last;
	(*all)->n += l->n;
}

/* Joins all elements, also of lists in lists; false: `any` is among them. */
static bool
join_elements(const struct ast *list, struct host_list **all)
{
	bool listed = true;

	for (const struct ast *n = list->first; n != NULL; n = n->next)
		if (n->kind == AST_LIST)
			listed &= join_elements(n, all);
		else if (n->sem == NULL)
			listed = false;
		else
			join(all, n->sem);
	return listed;
}

struct host_list *
sema_join_hosts(const struct ast *list)
{
	struct host_list *all = NULL;

	if (list == NULL || !join_elements(list, &all))
		return NULL;
	return all;
}

static bool
covers(const struct rule_addr *a, const struct rule_addr *b)
{
	return addr_mask_bits(&a->mask) <= addr_mask_bits(&b->mask) &&
	    addr_match_mask(&a->addr, &a->mask, &b->addr, a->af);
}

/* Whether two elements, a rule each, match every address of the family. */
static bool
match_all(const struct host_item *a, const struct host_item *b)
{
	const struct rule_addr *p = &a->addr, *q = &b->addr;

	/* Link-local addresses make rules for their interface only. */
	if (p->kind != RULE_ADDR_MASK || q->kind != RULE_ADDR_MASK ||
	    p->af != q->af || p->af == PFK_AF_UNSPEC ||
	    a->ifindex != 0 || b->ifindex != 0)
		return false;
	if (a->neg && b->neg)
		return !covers(p, q) && !covers(q, p);
	if (a->neg != b->neg)
		return a->neg ? covers(q, p) : covers(p, q);
	return false;
}

static void
warn_matches_all(struct sema *s, const struct host_item *a,
    const struct host_item *b)
{
	const struct host_item *neg = b->neg ? b : a;
	const struct host_item *other = b->neg ? a : b;
	bool list = neg->node != other->node;
	struct diag *d;

	d = diag_add(&s->rs->diags, DIAG_WARNING, "negated-list", "%s",
	    list ? "this list matches every address" :
	    "this matches every address");
	d->plain = PLAIN_NONE;
	d->span = neg->node->span;
	d->via = neg->node->via;
	diag_note(&s->rs->diags, d, other->node->span, "%s", list ?
	    "each element becomes a rule of its own, and what this one does "
	    "not match the other does" :
	    "it stands for several addresses, each of which becomes a rule of "
	    "its own: what one does not match another does");
	diag_note(&s->rs->diags, d, (struct span){ 0, 0, 0 },
	    "a table takes exceptions: table <name> { 10/8, !10.1.2.3 }");
}

/* Elements are alternatives: negations among them rarely mean what they say. */
static void
check_negations(struct sema *s, const struct host_list *l)
{
	const struct host_item *a, *b;
	bool negated = false;

	if (l == NULL || l->n < 2 || l->n > MAX_PAIRS)
		return;
	for (a = l->first; a != NULL; a = a->next)
		negated |= a->neg != 0;
	for (a = negated ? l->first : NULL; a != NULL; a = a->next)
		for (b = a->next; b != NULL; b = b->next)
			if (match_all(a, b)) {
				warn_matches_all(s, a, b);
				return;
			}
}

static enum ast_result
peer(struct sema *s, struct ast *n)
{
	struct host_list *hosts = sema_join_hosts(n->kid[0]);
	const struct host_item *i;

	for (i = hosts ? hosts->first : NULL; n->num != 0 && i; i = i->next)
		if (i->addr.kind == RULE_ADDR_URPF_FAILED)
			return sema_error(s, i->node, "urpf-failed",
			    "\"urpf-failed\" is not permitted in a "
			    "destination address");
	check_negations(s, hosts);
	n->sem = hosts;
	return AST_OK;
}

static enum ast_result
os(struct sema *s, struct ast *n)
{
	struct stmt_os *item = arena_new(&s->rs->scratch, struct stmt_os);

	item->node = n;
	item->name = n->str;
	n->sem = item;
	return AST_OK;
}

static enum ast_result
weight(struct sema *s, struct ast *n)
{
	if (n->num < 1 || n->num > UINT16_MAX)
		return sema_error(s, n, "range", "weight out of range");
	return AST_OK;
}

enum ast_result
sema_host(struct sema *s, struct ast *n)
{
	static const struct {
		enum ast_kind kind;
		enum ast_result (*check)(struct sema *, struct ast *);
	} checks[] = {
		{ AST_HOST, host }, { AST_HOST_RANGE, host_range },
		{ AST_HOST_DYNAMIC, host_dynamic },
		{ AST_HOST_DYNAMIC_BITS, host_dynamic_bits },
		{ AST_HOST_TABLE, host_table }, { AST_HOST_ROUTE, host_route },
		{ AST_PEER, peer }, { AST_OS, os }, { AST_WEIGHT, weight },
	};

	if (n->kind == AST_XHOST)
		return negate(n);
	if (n->kind == AST_HOST_NO_ROUTE)
		(void)one_item(s, n, RULE_ADDR_NO_ROUTE);
	if (n->kind == AST_HOST_URPF_FAILED)
		(void)one_item(s, n, RULE_ADDR_URPF_FAILED);
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (checks[i].kind == n->kind)
			return checks[i].check(s, n);
	return AST_OK;		/* FROMTO, HOST_ANY */
}
