/*
 * Engines that shared one stream of packets become one again.
 *
 * Engine 0 takes the others' states over, at their places in the list by age,
 * and fragments (fragment_shared.c), and adds their counters to its own.
 * There is nothing else: nodes, timestamps of TCP and tables that change do not
 * occur where packets are shared (shard_rules.c).
 */
#include <string.h>

#include "runtime/normalize.h"
#include "runtime/rules_int.h"
#include "runtime/shard.h"
#include "runtime/table.h"

/* Adds up arrays of 64 bits. */
static void
add(uint64_t *to, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += from[i];
}

/* ---- counters ---- */

static void
add_counters(struct pfk_counters *to, const struct pfk_counters *from)
{
	to->packets += from->packets;
	to->bytes += from->bytes;
	add(to->reasons, from->reasons, PFK_NREASONS);
	add(to->limits, from->limits, sizeof(to->limits) / sizeof(uint64_t));
	to->searches += from->searches;
	to->inserts += from->inserts;
	to->removals += from->removals;
	to->halfopen += from->halfopen;
	to->fragments += from->fragments;
	to->fragment_searches += from->fragment_searches;
	to->fragment_inserts += from->fragment_inserts;
	to->fragment_removals += from->fragment_removals;
}

static void
add_rules(struct pfk_engine *to, const struct pfk_engine *from)
{
	rules_settle(to);
	rules_settle(from);
	for (uint32_t i = 0; i <= to->nrules; i++) {
		struct pfk_rule_counters *a = &to->rules[i].n;
		const struct pfk_rule_counters *b = &from->rules[i].n;

		a->evaluations += b->evaluations;
		add(a->packets, b->packets, 2);
		add(a->bytes, b->bytes, 2);
		a->states_total += b->states_total;
		a->states += b->states;
	}
}

static void
add_tables(struct pfk_engine *to, const struct pfk_engine *from)
{
	for (uint32_t i = 0; i < to->ntables; i++) {
		struct table *a = &to->tables[i];
		const struct table *b = &from->tables[i];

		a->asks[true] += b->asks[true];
		a->asks[false] += b->asks[false];
		add(a->packets[0], b->packets[0], 8);
		add(a->bytes[0], b->bytes[0], 8);
	}
}

static bool
add_interfaces(struct pfk_engine *to, const struct pfk_engine *from)
{
	struct pfk_if_counters *c;

	if (from->nif_counters > to->nif_counters) {
		c = e_realloc(to, to->if_counters,
		    to->nif_counters * sizeof(*c),
		    from->nif_counters * sizeof(*c));
		if (c == NULL)
			return false;
		memset(c + to->nif_counters, 0,
		    (from->nif_counters - to->nif_counters) * sizeof(*c));
		to->if_counters = c;
		to->nif_counters = from->nif_counters;
	}
	for (uint32_t i = 0; i < from->nif_counters; i++) {
		add(to->if_counters[i].packets[0][0],
		    from->if_counters[i].packets[0][0], 8);
		add(to->if_counters[i].bytes[0][0],
		    from->if_counters[i].bytes[0][0], 8);
	}
	return true;
}

/* ---- states ---- */

static bool
copy_matches(struct pfk_engine *to, const struct pfk_engine *from,
    uint32_t list, uint32_t *out)
{
	uint32_t first = 0, last = 0, item;

	for (; list != 0; list = from->match_items[list].next) {
		item = match_item_new(to, from->match_items[list].rule, 0);
		if (item == 0) {
			match_items_free(to, first);
			return false;
		}
		if (last == 0)
			first = item;
		else
			to->match_items[last].next = item;
		last = item;
	}
	*out = first;
	return true;
}

/* The state again, in engine `to`, at the end of its list; 0: no memory. */
static uint32_t
take_over(struct pfk_engine *to, const struct state_ref *r)
{
	const struct state_key wire = state_key(r->e, r->i, KEY_WIRE);
	const struct state_key stack = state_key(r->e, r->i, KEY_STACK);
	const struct state_cold *from = state_cold(r->e, r->i);
	const struct state_extra *x = state_extra(r->e, r->i);
	uint32_t i = state_alloc(to);

	if (i == 0)
		return 0;
	*state_get(to, i) = *state_get(r->e, r->i);
	*state_cold(to, i) = *from;
	state_cold(to, i)->extra = 0;
	if (!copy_matches(to, r->e, from->match_list,
	    &state_cold(to, i)->match_list))
		return 0;
	if (x != NULL && x->route != 0 &&
	    !state_set_route(to, i, state_route(r->e, r->i)))
		return 0;
	return state_relist(to, i, &wire, &stack) ? i : 0;
}

/* All states in their order; NULL: no memory. */
static struct state_ref *
all_states(struct pfk_shards *s)
{
	struct state_ref *all = e_alloc(s->e[0],
	    (s->states + 1) * sizeof(*all));
	struct state_walk w;
	size_t n = 0;

	if (all == NULL)
		return NULL;
	for (state_walk_start(&w, s->e[0]); !state_walk_ended(&w);) {
		all[n++] = state_walk_here(&w);
		(void)state_walk_next(&w);
	}
	return all;
}

/* Where the sweep goes on; i 0: at the oldest. */
static struct state_ref
sweep_goes_on(struct pfk_shards *s)
{
	struct state_walk w;
	struct state_ref none = { NULL, 0 };

	state_walk_start(&w, s->e[0]);
	memcpy(w.at, s->cursor, sizeof(w.at));
	state_walk_pick(&w);
	return state_walk_ended(&w) ? none : state_walk_here(&w);
}

static bool
merge_states(struct pfk_shards *s)
{
	struct pfk_engine *e = s->e[0];
	struct state_table *t = e->states;
	struct state_ref *all = all_states(s), cursor = sweep_goes_on(s);
	bool ok = all != NULL;

	t->oldest = t->newest = t->listed = t->cursor = 0;
	for (uint32_t n = 0; ok && n < s->states; n++) {
		uint32_t i = all[n].i;

		if (all[n].e == e)
			state_list_append(e, i);
		else if ((i = take_over(e, &all[n])) == 0)
			ok = false;
		if (all[n].e == cursor.e && all[n].i == cursor.i)
			t->cursor = i;
	}
	t->next_id = s->next_id;
	e_free(e, all, (s->states + 1) * sizeof(*all));
	return ok;
}

int
pfk_shards_merge(struct pfk_shards *s)
{
	bool ok;

	pfk_shards_advance(s, PFK_SHARDS_STAY);
	ok = merge_states(s);
	frags_merge(s->e, s->n);
	for (unsigned i = 1; i < s->n; i++) {
		add_counters(&s->e[0]->counters, &s->e[i]->counters);
		add_rules(s->e[0], s->e[i]);
		add_tables(s->e[0], s->e[i]);
		ok = ok && add_interfaces(s->e[0], s->e[i]);
	}
	for (unsigned i = 0; i < s->n; i++)
		s->e[i]->shards = NULL;
	return ok ? PFK_OK : PFK_ERR_NOMEM;
}
