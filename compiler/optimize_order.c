/*
 * Reordering a superblock for the kernel's skip steps.
 *
 * When a rule does not match in, say, its protocol, the kernel skips all
 * rules behind it with the same protocol.  So like rules should stand
 * together.  pfctl's greedy way, for each of the nine fields with skip steps:
 *
 *   - Rules with the same value form a list.  A value that says nothing (no
 *     protocol) is in no list.  A field in which all rules agree, or none do,
 *     is of no use.
 *   - The longest list of all is taken out of the block (the first field wins
 *     ties, within a field the list in front); its rules leave all other
 *     lists.  Then again, until no list has two rules.
 *   - Lists of more than two rules become blocks of their own, ordered in the
 *     same way; they go before the rest, which is the pairs taken out and
 *     then the rules never taken.
 *
 * Within a field pfctl keeps its lists sorted by length, moving a list by
 * single steps when its length changes.  The effect of these steps: a list
 * that grows goes behind all others of its new length, one that shrinks goes
 * before them.  So lists of the same length form a row (struct row), and each
 * change takes constant time:
 *
 *	row 3   list <-> list
 *	row 2   list <-> list <-> list
 *	row 1   list
 *	             \ rule <-> rule ...  in the block's order
 *
 * Blocks split off are ordered later, off a stack.  In such a block the field
 * it was split by is useless, so no rule is looked at more than nine times.
 */
#include <string.h>

#include "compiler/optimize_int.h"

/* pf's order of skip steps; ties between fields are decided by it. */
enum skip_field { SKIP_IFNAME, SKIP_DIRECTION, SKIP_RDOMAIN, SKIP_AF,
    SKIP_PROTO, SKIP_SRC, SKIP_DST, SKIP_SRC_PORT, SKIP_DST_PORT,
    SKIP_COUNT };

struct list {			/* the rules with one value */
	uint32_t count;
	uint32_t head, tail;	/* rules: index + 1 */
	uint32_t prev, next;	/* lists in the row; 0: none */
};

struct row { uint32_t head, tail; };	/* the lists of one length */

struct field {
	uint32_t	*value;		/* of each rule; 0: says nothing */
	uint32_t	*prev, *next;	/* of each rule, in its list */
	struct list	*lists;		/* by value */
	struct row	*rows;		/* by length */
	uint32_t	 longest;	/* no row above has lists */
	bool		 useful;
};

struct segment { size_t off, len; };	/* a block that is to be ordered */

struct order {
	struct arena	*arena;
	struct field	 fields[SKIP_COUNT];
	uint32_t	*rules;		/* the order: indices in o->rules */
	uint32_t	*split, *own;	/* the new order of a block */
	size_t		 nsplit, nown;
	bool		*taken;
	struct opt_rule	*copy;
	VEC(struct segment) stack;
};

struct order *
order_new(struct arena *arena, size_t n)
{
	struct order *ord = arena_new(arena, struct order);
	struct field *f;

	ord->arena = arena;
	for (f = ord->fields; f < ord->fields + SKIP_COUNT; f++) {
		f->value = arena_alloc(arena, n * sizeof(uint32_t));
		f->prev = arena_alloc(arena, n * sizeof(uint32_t));
		f->next = arena_alloc(arena, n * sizeof(uint32_t));
		f->lists = arena_alloc(arena, (n + 1) * sizeof(struct list));
		f->rows = arena_alloc(arena, (n + 2) * sizeof(struct row));
	}
	ord->rules = arena_alloc(arena, n * sizeof(uint32_t));
	ord->split = arena_alloc(arena, n * sizeof(uint32_t));
	ord->own = arena_alloc(arena, n * sizeof(uint32_t));
	ord->taken = arena_alloc(arena, n * sizeof(bool));
	ord->copy = arena_alloc(arena, n * sizeof(struct opt_rule));
	return ord;
}

/* What skip steps see of an address; negation makes it another. */
static uint32_t
addr_value(struct optimizer *o, const struct rule_peer_addr *peer, uint32_t id)
{
	switch ((enum rule_addrkind)peer->addr.kind) {
	case RULE_ADDR_MASK:
		if (addr_is_zero(&peer->addr.addr, PFK_AF_INET6))
			return 0;
		break;
	case RULE_ADDR_DYNAMIC:
	case RULE_ADDR_TABLE:
	case RULE_ADDR_NO_ROUTE:
	case RULE_ADDR_URPF_FAILED:
		break;
	case RULE_ADDR_ANY:
	case RULE_ADDR_RANGE:
	case RULE_ADDR_ROUTE_LABEL:
	case RULE_ADDR_NONE:
		return 0;
	}
	return opt_number(o, id, peer->neg);
}

static uint32_t
skip_value(struct optimizer *o, const struct opt_rule *p, enum skip_field f)
{
	const struct rule *r = p->rule;

	switch (f) {
	case SKIP_IFNAME:
		return p->ifname == 0 ? 0 :
		    opt_number(o, p->ifname, r->ifnot);
	case SKIP_DIRECTION:
		return r->direction;
	case SKIP_RDOMAIN:
		return r->onrdomain < 0 ? 0 :
		    opt_number(o, (uint32_t)r->onrdomain, r->ifnot);
	case SKIP_AF:
		return r->af;
	case SKIP_PROTO:
		return r->proto;
	case SKIP_SRC:
		return addr_value(o, &r->src, p->src.id);
	case SKIP_DST:
		return addr_value(o, &r->dst, p->dst.id);
	case SKIP_SRC_PORT:
		return p->src_port;
	case SKIP_DST_PORT:
		return p->dst_port;
	case SKIP_COUNT:
		break;
	}
	return 0;
}

/* Numbers the values of one field densely, so that they index its lists. */
static void
number_values(struct optimizer *o, enum skip_field f)
{
	uint32_t *value = o->order->fields[f].value, v;

	intern_reset(&o->tuples);
	for (size_t i = 0; i < o->n; i++) {
		v = skip_value(o, &o->rules[i], f);
		value[i] = v == 0 ? 0 : intern_add(&o->tuples, &v, sizeof(v));
	}
}

static void
row_remove(struct field *f, uint32_t l)
{
	struct list *list = &f->lists[l];
	struct row *row = &f->rows[list->count];

	*(list->prev != 0 ? &f->lists[list->prev].next : &row->head) =
	    list->next;
	*(list->next != 0 ? &f->lists[list->next].prev : &row->tail) =
	    list->prev;
}

static void
row_append(struct field *f, uint32_t l)
{
	struct list *list = &f->lists[l];
	struct row *row = &f->rows[list->count];

	list->next = 0;
	list->prev = row->tail;
	*(row->tail != 0 ? &f->lists[row->tail].next : &row->head) = l;
	row->tail = l;
}

static void
row_prepend(struct field *f, uint32_t l)
{
	struct list *list = &f->lists[l];
	struct row *row = &f->rows[list->count];

	list->prev = 0;
	list->next = row->head;
	*(row->head != 0 ? &f->lists[row->head].prev : &row->tail) = l;
	row->head = l;
}

static void
list_append(struct field *f, uint32_t rule)
{
	uint32_t l = f->value[rule];
	struct list *list = &f->lists[l];

	if (l == 0)
		return;
	if (list->count > 0)
		row_remove(f, l);
	f->next[rule] = 0;
	f->prev[rule] = list->tail;
	*(list->tail != 0 ? &f->next[list->tail - 1] : &list->head) = rule + 1;
	list->tail = rule + 1;
	list->count++;
	row_append(f, l);
	if (list->count > f->longest)
		f->longest = list->count;
}

static void
list_remove(struct field *f, uint32_t rule)
{
	uint32_t l = f->value[rule];
	uint32_t prev = f->prev[rule], next = f->next[rule];
	struct list *list = &f->lists[l];

	if (l == 0)
		return;
	row_remove(f, l);
	*(prev != 0 ? &f->next[prev - 1] : &list->head) = next;
	*(next != 0 ? &f->prev[next - 1] : &list->tail) = prev;
	list->count--;
	row_prepend(f, l);
}

/* Sorts the rules of a block into lists. */
static void
field_build(struct field *f, const uint32_t *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		memset(&f->lists[f->value[rules[i]]], 0, sizeof(struct list));
	memset(f->rows, 0, (n + 1) * sizeof(struct row));
	f->longest = 0;
	for (size_t i = 0; i < n; i++)
		list_append(f, rules[i]);
	f->useful = f->longest > 1 && f->longest < n;
}

/* The field with the longest list, or NULL if none has two rules. */
static struct field *
longest_list(struct order *ord)
{
	struct field *f, *best = NULL;

	for (f = ord->fields; f < ord->fields + SKIP_COUNT; f++) {
		if (!f->useful)
			continue;
		while (f->longest > 1 && f->rows[f->longest].head == 0)
			f->longest--;
		if (f->longest > (best != NULL ? best->longest : 1))
			best = f;
	}
	return best;
}

/* The rule has found its place; it counts in no other field's lists. */
static void
take_rule(struct order *ord, const struct field *by, uint32_t rule)
{
	struct field *f;

	ord->taken[rule] = true;
	for (f = ord->fields; f < ord->fields + SKIP_COUNT; f++)
		if (f != by && f->useful)
			list_remove(f, rule);
}

static void
take_list(struct order *ord, struct field *f, size_t off)
{
	uint32_t l = f->rows[f->longest].head, next;
	size_t count = f->lists[l].count;
	bool split = count > 2;

	row_remove(f, l);
	if (split) {
		struct segment s = { off + ord->nsplit, count };

		vec_push(ord->arena, &ord->stack, s);
	}
	for (uint32_t r = f->lists[l].head; r != 0; r = next) {
		next = f->next[r - 1];
		take_rule(ord, f, r - 1);
		if (split)
			ord->split[ord->nsplit++] = r - 1;
		else
			ord->own[ord->nown++] = r - 1;
	}
}

static void
order_block(struct order *ord, struct segment s)
{
	uint32_t *rules = ord->rules + s.off;
	struct field *f;

	for (f = ord->fields; f < ord->fields + SKIP_COUNT; f++)
		field_build(f, rules, s.len);
	for (size_t i = 0; i < s.len; i++)
		ord->taken[rules[i]] = false;
	ord->nsplit = ord->nown = 0;
	while ((f = longest_list(ord)) != NULL)
		take_list(ord, f, s.off);
	for (size_t i = 0; i < s.len; i++)
		if (!ord->taken[rules[i]])
			ord->own[ord->nown++] = rules[i];
	memcpy(rules, ord->split, ord->nsplit * sizeof(uint32_t));
	memcpy(rules + ord->nsplit, ord->own, ord->nown * sizeof(uint32_t));
}

void
opt_reorder(struct optimizer *o)
{
	struct order *ord = o->order;
	struct segment s = { 0, o->n };

	for (unsigned f = 0; f < SKIP_COUNT; f++)
		number_values(o, (enum skip_field)f);
	for (size_t i = 0; i < o->n; i++)
		ord->rules[i] = (uint32_t)i;
	ord->stack.n = 0;
	vec_push(ord->arena, &ord->stack, s);
	while (ord->stack.n > 0)
		order_block(ord, ord->stack.v[--ord->stack.n]);
	memcpy(ord->copy, o->rules, o->n * sizeof(*o->rules));
	for (size_t i = 0; i < o->n; i++)
		o->rules[i] = ord->copy[ord->rules[i]];
}
