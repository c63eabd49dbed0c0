/*
 * States: their list by age, their beginning and end.
 *
 * Records (state_mem.c) that are in use stand in one list by age, which the
 * sweep and the outside walk.
 *
 * A state that ends is taken out of the table at once, but stays in the list,
 * and counts, until the sweep comes by: as in pf.
 */
#include <stddef.h>
#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/save.h"
#include "runtime/state.h"
#include "runtime/state_table.h"
#include "runtime/translate.h"

#define MIN_BUCKETS	64u

/* ---- the table ---- */

int
states_init(struct pfk_engine *e)
{
	struct state_table *t;

	if ((t = e_alloc(e, sizeof(*t))) == NULL)
		return -1;
	e->states = t;
	t->nbuckets = MIN_BUCKETS;
	t->buckets = state_buckets_new(e, MIN_BUCKETS, &t->buckets_raw);
	t->next_id = 1;
	return t->buckets == NULL ? -1 : 0;
}

void
states_free(struct pfk_engine *e)
{
	struct state_table *t = e->states;

	if (t == NULL)
		return;
	state_mem_free(e);
	state_free_aligned(e, t->buckets_raw,
	    t->nbuckets * sizeof(*t->buckets));
	e_free(e, t, sizeof(*t));
	e->states = NULL;
}

/* ---- the list by age ---- */

static inline void
list_append(struct pfk_engine *e, uint32_t i, struct state_cold *c)
{
	struct state_table *t = e->states;

	c->next = 0;
	c->prev = t->newest;
	if (t->newest != 0)
		state_cold(e, t->newest)->next = i;
	else
		t->oldest = i;
	t->newest = i;
	t->listed++;
}

void
state_list_append(struct pfk_engine *e, uint32_t i)
{
	list_append(e, i, state_cold(e, i));
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
	struct state_key k = state_key(e, i, KEY_WIRE);

	state_entry_put(e->states, state_hash(e, &k), i * 2 + KEY_WIRE);
	if (state_get(e, i)->translated) {
		k = state_key(e, i, KEY_STACK);
		state_entry_put(e->states, state_hash(e, &k), i * 2 +
		    KEY_STACK);
	}
	state_cold(e, i)->live = 1;
}

/* Of a key as it lies there: both addresses of IPv4, ports and the rest. */
struct place { size_t addr[2], port; };
static const struct place own = { { 0, sizeof(struct pfk_addr) },
    offsetof(struct state_key, port) };
static const struct place packed = { { PACKED_ADDR, PACKED_ADDR + 4 },
    PACKED_PORT };

static void
key_copy(struct state_key *to, const struct place *there,
    const struct state_key *from, const struct place *here)
{
	uint8_t *a = (uint8_t *)to;
	const uint8_t *b = (const uint8_t *)from;

	memcpy(a + there->addr[0], b + here->addr[0], 4);
	memcpy(a + there->addr[1], b + here->addr[1], 4);
	memcpy(a + there->port, b + here->port, 8);
}

struct state_key
state_unpack(const struct state_key *key, int side)
{
	struct state_key k;

	memset(&k, 0, sizeof(k));
	key_copy(&k, &own, key, side == KEY_STACK ? &packed : &own);
	return k;
}

/* The keys, where records have them; false: no memory. */
static bool
keys_set(struct pfk_engine *e, uint32_t i, const struct state_key *wire,
    const struct state_key *stack)
{
	struct state *s = state_get(e, i);
	struct state_extra *x;

	s->key = *wire;
	s->translated = s->packed = false;
	if (memcmp(wire, stack, sizeof(*wire)) == 0)
		return true;
	if (wire->af == PFK_AF_INET && stack->af == PFK_AF_INET) {
		key_copy(&s->key, &packed, stack, &own);
		s->translated = s->packed = true;
		return true;
	}
	if ((x = state_extra_need(e, i)) == NULL)
		return false;
	x->stack = *stack;
	s->translated = true;
	return true;
}

/* A saved state comes back: as it was, at the end of the list. */
bool
state_relist(struct pfk_engine *e, uint32_t i, const struct state_key *wire,
    const struct state_key *stack)
{
	struct state *s = state_get(e, i);

	if (!state_table_room(e) || !keys_set(e, i, wire, stack))
		return false;
	if (s->timeout != TIMEOUT_UNLINKED)
		keys_put(e, i);
	state_list_append(e, i);
	return true;
}

bool
state_insert(struct pfk_engine *e, uint32_t i, const struct state_key *wire,
    const struct state_key *stack, uint16_t ifid)
{
	struct state_table *t = e->states;
	struct state *s = state_get(e, i);

	s->ifid = ifid;
	if (!keys_set(e, i, wire, stack) || !state_key_clear(e, i, wire) ||
	    (s->translated && !state_key_clear(e, i, stack)) ||
	    !state_table_room(e))
		return false;
	keys_put(e, i);
	s->id = t->next_id++;
	state_list_append(e, i);
	e->counters.inserts++;
	return true;
}

void
state_insert_new(struct pfk_engine *e, uint32_t i, uint32_t hash)
{
	struct state_cold *c = state_cold(e, i);

	state_entry_put_alone(e->states, hash, i * 2 + KEY_WIRE);
	c->live = 1;
	state_get(e, i)->id = e->states->next_id++;
	list_append(e, i, c);
	e->counters.inserts++;
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
	struct state_key k = state_key(e, i, KEY_WIRE);

	state_entry_remove(e->states, state_hash(e, &k), i * 2 + KEY_WIRE);
	if (state_get(e, i)->translated) {
		k = state_key(e, i, KEY_STACK);
		state_entry_remove(e->states, state_hash(e, &k), i * 2 +
		    KEY_STACK);
	}
	state_cold(e, i)->live = 0;
}

static void
nodes_release(struct pfk_engine *e, uint32_t i)
{
	struct state_cold *c = state_cold(e, i);
	struct state_extra *x = state_extra(e, i);

	for (int n = 0; x != NULL && n < 4; n++) {
		if (x->nodes[n] != 0)
			node_state_removed(e, x->nodes[n],
			    state_get(e, i)->rule, c->tcp_est);
		x->nodes[n] = 0;
	}
	c->tcp_est = 0;
}

void
state_unlink(struct pfk_engine *e, uint32_t i)
{
	struct state *s = state_get(e, i);

	if (s->timeout == TIMEOUT_UNLINKED)
		return;
	pool_state_ended(e, i);
	if (s->key.proto == PROTO_TCP)
		state_set_peer(e, i, PEER_BOTH, TCPS_CLOSED);
	state_over(s, TIMEOUT_UNLINKED);
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
