/*
 * States: their records, their list by age, their beginning and end.
 *
 * Records come from slabs, hot and cold ones apart, so that an index never
 * moves; a free list runs through `next`.  All that are in use stand in one
 * list by age, which the sweep and the outside walk.
 *
 * A state that ends is taken out of the table at once, but stays in the list,
 * and counts, until the sweep comes by: as in pf.
 */
#include <assert.h>
#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/save.h"
#include "runtime/state.h"
#include "runtime/state_table.h"
#include "runtime/translate.h"

static_assert(sizeof(struct state) == 128, "a hot record: two cache lines");

#define MIN_BUCKETS	64u

/* ---- memory ---- */

/* As e_alloc(), at the beginning of a cache line; *raw is to be freed. */
void *
state_alloc_aligned(const struct pfk_engine *e, size_t n, void **raw)
{
	if ((*raw = e_alloc(e, n + 63)) == NULL)
		return NULL;
	return (void *)(((uintptr_t)*raw + 63) & ~(uintptr_t)63);
}

void
state_free_aligned(const struct pfk_engine *e, void *raw, size_t n)
{
	if (raw != NULL)
		e_free(e, raw, n + 63);
}

static void
slab_free(const struct pfk_engine *e, struct state_slab *s)
{
	state_free_aligned(e, s->hot_raw, STATE_SLAB * sizeof(*s->hot));
	if (s->cold != NULL)
		e_free(e, s->cold, STATE_SLAB * sizeof(*s->cold));
}

int
states_init(struct pfk_engine *e)
{
	struct state_table *t;

	if ((t = e_alloc(e, sizeof(*t))) == NULL)
		return -1;
	e->states = t;
	t->nbuckets = MIN_BUCKETS;
	t->buckets = state_alloc_aligned(e, MIN_BUCKETS * sizeof(*t->buckets),
	    &t->buckets_raw);
	t->next_id = 1;
	return t->buckets == NULL ? -1 : 0;
}

void
states_free(struct pfk_engine *e)
{
	struct state_table *t = e->states;

	if (t == NULL)
		return;
	for (uint32_t i = 0; i < t->nslabs; i++)
		slab_free(e, &e->state_slabs[i]);
	e_free(e, e->state_slabs, t->slabs_room * sizeof(*e->state_slabs));
	state_free_aligned(e, t->buckets_raw,
	    t->nbuckets * sizeof(*t->buckets));
	e_free(e, t, sizeof(*t));
	e->states = NULL;
}

static bool
slab_add(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	struct state_slab *slabs, s;
	uint32_t room;

	if (t->nslabs == t->slabs_room) {
		room = t->slabs_room == 0 ? 4 : t->slabs_room * 2;
		slabs = e_realloc(e, e->state_slabs,
		    t->slabs_room * sizeof(*slabs), room * sizeof(*slabs));
		if (slabs == NULL)
			return false;
		e->state_slabs = slabs;
		t->slabs_room = room;
	}
	s.hot = state_alloc_aligned(e, STATE_SLAB * sizeof(*s.hot), &s.hot_raw);
	s.cold = e_alloc(e, STATE_SLAB * sizeof(*s.cold));
	if (s.hot == NULL || s.cold == NULL) {
		slab_free(e, &s);
		return false;
	}
	e->state_slabs[t->nslabs++] = s;
	return true;
}

/* An index that is not in use, or 0. */
static uint32_t
index_take(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint32_t i = t->free_list;

	if (i != 0) {
		t->free_list = state_cold(e, i)->next;
		return i;
	}
	if (t->fresh == 0)
		t->fresh = 1;
	if (t->fresh >= t->nslabs * STATE_SLAB && !slab_add(e))
		return 0;
	return t->fresh++;
}

uint32_t
state_alloc(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint32_t i;

	if (t->taken >= e->opts.limit[IMG_LIMIT_STATES] ||
	    (i = index_take(e)) == 0)
		return 0;
	t->taken++;
	memset(state_get(e, i), 0, sizeof(struct state));
	memset(state_cold(e, i), 0, sizeof(struct state_cold));
	state_get(e, i)->ifid = IF_NONE;
	return i;
}

void
state_free(struct pfk_engine *e, uint32_t i)
{
	struct state_table *t = e->states;

	state_cold(e, i)->next = t->free_list;
	t->free_list = i;
	t->taken--;
}

/* ---- the list by age ---- */

static void
list_append(struct pfk_engine *e, uint32_t i)
{
	struct state_table *t = e->states;
	struct state_cold *c = state_cold(e, i);

	c->next = 0;
	c->prev = t->newest;
	if (t->newest != 0)
		state_cold(e, t->newest)->next = i;
	else
		t->oldest = i;
	t->newest = i;
	t->listed++;
}

static void
list_remove(struct pfk_engine *e, uint32_t i)
{
	struct state_table *t = e->states;
	struct state_cold *c = state_cold(e, i);

	if (c->prev != 0)
		state_cold(e, c->prev)->next = c->next;
	else
		t->oldest = c->next;
	if (c->next != 0)
		state_cold(e, c->next)->prev = c->prev;
	else
		t->newest = c->prev;
	t->listed--;
}

uint32_t
state_first(const struct pfk_engine *e)
{
	return e->states->oldest;
}

uint32_t
state_next(const struct pfk_engine *e, uint32_t i)
{
	return state_cold(e, i)->next;
}

size_t
states_count(const struct pfk_engine *e)
{
	return e->states->listed;
}

static void
keys_put(struct pfk_engine *e, uint32_t i)
{
	const struct state *s = state_get(e, i);
	struct state_cold *c = state_cold(e, i);

	state_entry_put(e->states, state_hash(e, &s->key), i * 2 + KEY_WIRE);
	if (s->translated)
		state_entry_put(e->states, state_hash(e, &c->stack),
		    i * 2 + KEY_STACK);
	c->live = 1;
}

/* A saved state comes back: as it was, at the end of the list. */
bool
state_relist(struct pfk_engine *e, uint32_t i)
{
	struct state *s = state_get(e, i);

	if (!state_table_room(e))
		return false;
	s->translated = memcmp(&s->key, &state_cold(e, i)->stack,
	    sizeof(s->key)) != 0;
	if (s->timeout != TIMEOUT_UNLINKED)
		keys_put(e, i);
	list_append(e, i);
	return true;
}

bool
state_insert(struct pfk_engine *e, uint32_t i, const struct state_key *wire,
    const struct state_key *stack, uint16_t ifid)
{
	struct state_table *t = e->states;
	struct state *s = state_get(e, i);
	struct state_cold *c = state_cold(e, i);

	s->ifid = ifid;
	s->key = *wire;
	s->translated = memcmp(wire, stack, sizeof(*wire)) != 0;
	c->stack = *stack;
	if (!state_key_clear(e, i, wire) ||
	    (s->translated && !state_key_clear(e, i, stack)) ||
	    !state_table_room(e))
		return false;
	keys_put(e, i);
	c->id = t->next_id++;
	list_append(e, i);
	e->counters.inserts++;
	return true;
}

/* ---- the end of a state ---- */

/* All of them at once, and nothing counted: before saved ones come. */
void
states_flush(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint32_t i, next;

	for (i = t->oldest; i != 0; i = next) {
		next = state_next(e, i);
		match_items_free(e, state_cold(e, i)->match_list);
		state_free(e, i);
	}
	memset(t->buckets, 0, t->nbuckets * sizeof(*t->buckets));
	t->entries = 0;
	t->oldest = t->newest = t->listed = t->cursor = 0;
}

static void
table_remove(struct pfk_engine *e, uint32_t i)
{
	const struct state *s = state_get(e, i);
	struct state_cold *c = state_cold(e, i);

	state_entry_remove(e->states, state_hash(e, &s->key), i * 2 + KEY_WIRE);
	if (s->translated)
		state_entry_remove(e->states, state_hash(e, &c->stack),
		    i * 2 + KEY_STACK);
	c->live = 0;
}

static void
nodes_release(struct pfk_engine *e, uint32_t i)
{
	struct state_cold *c = state_cold(e, i);

	for (int n = 0; n < 4; n++) {
		if (c->nodes[n] != 0)
			node_state_removed(e, c->nodes[n],
			    state_get(e, i)->rule, c->tcp_est);
		c->nodes[n] = 0;
	}
	c->tcp_est = 0;
}

void
state_unlink(struct pfk_engine *e, uint32_t i)
{
	struct state *s = state_get(e, i);
	struct state_cold *c = state_cold(e, i);

	if (s->timeout == TIMEOUT_UNLINKED)
		return;
	pool_state_ended(e, i);
	if (c->stack.proto == PROTO_TCP)
		state_set_peer(e, i, PEER_BOTH, TCPS_CLOSED);
	s->timeout = TIMEOUT_UNLINKED;
	nodes_release(e, i);
	table_remove(e, i);
}

static void
counters_release(struct pfk_engine *e, uint32_t i)
{
	const struct state *s = state_get(e, i);
	struct state_cold *c = state_cold(e, i);

	e->rules[s->rule].n.states--;
	if (c->anchor != IMG_NONE)
		e->rules[c->anchor].n.states--;
	for (uint32_t m = c->match_list; m != 0; m = e->match_items[m].next)
		e->rules[e->match_items[m].rule].n.states--;
	match_items_free(e, c->match_list);
	c->match_list = 0;
}

void
state_remove(struct pfk_engine *e, uint32_t i)
{
	state_unlink(e, i);
	counters_release(e, i);
	if (state_cold(e, i)->tscrub != 0)
		tscrub_free(e, state_cold(e, i)->tscrub);
	list_remove(e, i);
	state_free(e, i);
	e->counters.removals++;
}

void
state_set_peer(struct pfk_engine *e, uint32_t i, int which, uint8_t to)
{
	struct state *s = state_get(e, i);
	uint8_t from = s->src.state;

	if (which & PEER_DST)
		s->dst.state = to;
	if (!(which & PEER_SRC) || from == to)
		return;
	/* half open: neither established nor (again) closed */
	if (s->key.proto == PROTO_TCP && from < TCPS_ESTABLISHED &&
	    from != TCPS_CLOSED &&
	    (to >= TCPS_ESTABLISHED || to == TCPS_CLOSED) &&
	    e->counters.halfopen > 0)
		e->counters.halfopen--;
	s->src.state = to;
}
