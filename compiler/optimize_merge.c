/*
 * Merging rules into tables.
 *
 * Rules that differ in their source network only, or in their destination
 * network only, can be one rule with a table.  pfctl goes through the rules
 * in order; each that is in no group yet opens one with the next later rule
 * it can be merged with, by source or by destination, whichever comes first,
 * and all further rules that fit the same way join.  Six make a table; a
 * smaller group stays as it was, but its rules are taken.
 *
 * So each rule stands in two lists: that of the rules with the same source
 * (and rest), that of the rules with the same destination.  Rules leave both
 * when they are taken, and lists are only walked forward.
 */
#include <string.h>

#include <pfkit/origin.h>

#include "compiler/optimize_int.h"
#include "compiler/print.h"

#define TABLE_THRESHOLD	6	/* rules that make a table worth it */

enum side { SIDE_SRC, SIDE_DST };	/* where the merged rules differ */

/* Rules with all in common but the address of one side. */
struct merge_list { uint32_t next; };	/* the first that may be left */

struct merge_group {
	unsigned	 number, count;
	enum side	 side;
	struct rule	*rule;		/* that stays, and its table */
	struct table	*table;
	struct host_item *first, **tail;
};

struct merger {
	struct optimizer *o;
	uint32_t	*list[2];	/* of each rule: number of its list */
	uint32_t	*next[2];	/* in that list: index + 1, 0: end */
	uint32_t	*head[2];	/* of each list */
	struct merge_group **group;	/* of each rule, or NULL */
};

static uint32_t *
numbers(struct merger *m, size_t n)
{
	return arena_alloc(m->o->arena, n * sizeof(uint32_t));
}

static const struct opt_addr *
side_addr(const struct opt_rule *p, enum side side)
{
	return side == SIDE_SRC ? &p->src : &p->dst;
}

/* The number of the list of rules that are like p but for one side. */
static uint32_t
list_of(struct optimizer *o, const struct opt_rule *p, enum side side)
{
	struct {
		uint32_t rest, ifname, src_port, dst_port, small, af;
		uint32_t other, side;
	} key = { p->rest, p->ifname, p->src_port, p->dst_port, p->small,
	    p->rule->af, side_addr(p, side == SIDE_SRC ? SIDE_DST :
	    SIDE_SRC)->id, side };

	return intern_add(&o->tuples, &key, sizeof(key));
}

/* Lists are built from the end, so that each is in the rules' order. */
static void
build_lists(struct merger *m, enum side side)
{
	struct optimizer *o = m->o;

	intern_reset(&o->tuples);
	m->list[side] = numbers(m, o->n);
	m->next[side] = numbers(m, o->n);
	m->head[side] = numbers(m, o->n + 1);
	for (size_t i = o->n; i-- > 0; ) {
		uint32_t l;

		if (!side_addr(&o->rules[i], side)->network)
			continue;
		l = list_of(o, &o->rules[i], side);
		m->list[side][i] = l;
		m->next[side][i] = m->head[side][l];
		m->head[side][l] = (uint32_t)i + 1;
	}
}

/* The first rule behind i in its list that is not taken: index + 1, or 0. */
static uint32_t
next_free(struct merger *m, enum side side, size_t i)
{
	uint32_t l = m->list[side][i], *head;

	if (l == 0)
		return 0;
	head = &m->head[side][l];
	while (*head != 0 && (*head <= i + 1 || m->group[*head - 1] != NULL))
		*head = m->next[side][*head - 1];
	return *head;
}

static void
join_group(struct merger *m, struct merge_group *g, size_t i)
{
	const struct rule *r = m->o->rules[i].rule;
	struct host_item *h;

	m->group[i] = g;
	g->count++;
	h = arena_new(m->o->arena, struct host_item);
	h->addr = g->side == SIDE_SRC ? r->src.addr : r->dst.addr;
	h->af = r->af;
	*g->tail = h;
	g->tail = &h->next;
}

static void
open_group(struct merger *m, enum side side, size_t i)
{
	struct merge_group *g = arena_new(m->o->arena, struct merge_group);
	uint32_t j;

	g->number = m->o->rs->next_automatic++;
	g->side = side;
	g->tail = &g->first;
	join_group(m, g, i);
	while ((j = next_free(m, side, i)) != 0)
		join_group(m, g, j - 1);
}

static void
group_rules(struct merger *m)
{
	uint32_t src, dst;

	for (size_t i = 0; i < m->o->n; i++) {
		if (m->group[i] != NULL)
			continue;
		src = next_free(m, SIDE_SRC, i);
		dst = next_free(m, SIDE_DST, i);
		if (dst != 0 && (src == 0 || dst < src))
			open_group(m, SIDE_DST, i);
		else if (src != 0)
			open_group(m, SIDE_SRC, i);
	}
}

static void
add_table_addr(struct arena *arena, struct table *t, const struct host_item *h)
{
	struct table_addr a;

	memset(&a, 0, sizeof(a));
	a.addr = h->addr.addr;
	a.af = h->af;
	a.bits = (uint8_t)addr_mask_bits(&h->addr.mask);
	vec_push(arena, &t->addrs, a);
}

static struct table *
make_table(struct optimizer *o, const struct merge_group *g,
    const struct rule *r)
{
	struct anchor *root = o->rs->flat.root;
	struct table *t = arena_new(o->arena, struct table);
	struct table_init init = { NULL, g->first, NULL };

	t->name = compile_automatic_name(o->rs, o->arena, g->number);
	t->anchor = root;
	t->is_const = t->has_init = t->automatic = true;
	t->span = r->span;
	t->via = r->via;
	for (const struct host_item *h = g->first; h != NULL; h = h->next)
		add_table_addr(o->arena, t, h);
	*root->tables_tail = t;
	root->tables_tail = &t->next;
	if (o->rs->verbose > 0)
		print_table(&o->rs->echo, t, &init);
	return t;
}

/* What the rule has on the side that was merged; NULL: not known. */
static const struct rule_element *
merged_element(const struct rule *r, enum side side)
{
	uint32_t part = (uint32_t)1 << (side == SIDE_SRC ? PFK_PART_SOURCE :
	    PFK_PART_DESTINATION);
	unsigned before = 0;

	if (r->origin == NULL || (r->origin->parts & part) == 0)
		return NULL;
	for (uint32_t p = r->origin->parts & (part - 1); p != 0; p &= p - 1)
		before++;
	return r->origin->element[before];
}

/* The rule's address is the table's next one. */
static void
note_merged(struct optimizer *o, struct merge_group *g, const struct rule *r)
{
	uint8_t how = g->side == SIDE_SRC ? PFK_ORIGIN_SOURCE :
	    PFK_ORIGIN_DESTINATION;
	const struct rule_element *e = merged_element(r, g->side);
	struct table_run run = { .n = 1 };

	if (e != NULL)
		run.element = *e;
	vec_push(o->arena, &g->table->runs, run);
	if (r != g->rule)
		rule_stands_for(g->rule, r, how);
	else if (r->origin != NULL)
		r->origin->how = how;
}

/* The group's first rule gets the table; the others are gone. */
static void
apply_group(struct optimizer *o, struct opt_rule *p, struct merge_group *g)
{
	struct rule_peer_addr *peer;
	const char *name;

	p->gone = g->table != NULL;
	if (p->gone) {
		note_merged(o, g, p->rule);
		return;
	}
	g->rule = p->rule;
	g->table = make_table(o, g, p->rule);
	note_merged(o, g, p->rule);
	name = g->table->name;
	peer = g->side == SIDE_SRC ? &p->rule->src : &p->rule->dst;
	memset(&peer->addr, 0, sizeof(peer->addr));
	peer->addr.kind = RULE_ADDR_TABLE;
	peer->addr.name = name;
	*(g->side == SIDE_SRC ? &p->src : &p->dst) =
	    opt_number_addr(o, &peer->addr);
}

void
opt_merge(struct optimizer *o)
{
	struct merger m;

	memset(&m, 0, sizeof(m));
	m.o = o;
	m.group = arena_alloc(o->arena, o->n * sizeof(struct merge_group *));
	build_lists(&m, SIDE_SRC);
	build_lists(&m, SIDE_DST);
	group_rules(&m);
	for (size_t i = 0; i < o->n; i++)
		if (m.group[i] != NULL &&
		    m.group[i]->count >= TABLE_THRESHOLD)
			apply_group(o, &o->rules[i], m.group[i]);
	opt_squeeze(o);
}
