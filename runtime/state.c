/*
 * The state table.
 *
 * Records come from slabs of SLAB records each, hot and cold ones apart, so
 * that an index never moves; a free list runs through `next`.  All that are in
 * use stand in one list by age, which the sweep and the outside walk.
 *
 * The table maps keys to (record, side) by open addressing over buckets of a
 * cache line:
 *
 *	+-----------+-----------+ ... +-----------+---------+--------+
 *	| hash, ref | hash, ref |     | hash, ref | past    | unused |
 *	+-----------+-----------+ ... +-----------+---------+--------+
 *	 7 entries of 8 bytes			    4 bytes   4 bytes
 *
 * ref is index * 2 + side (0: empty).  `past` counts the entries that wanted
 * to be in this bucket or before it, and lie in a later one: while it is 0 a
 * search ends here.  A state whose keys are equal has one entry, with side
 * KEY_WIRE.  The hash is SipHash-1-3 under the engine's key; its 32 bits are
 * kept in the entry, so that growing does not touch the states.
 *
 * Equal keys are allowed, as in pf: states of different interfaces, or of
 * opposite directions.  Who is found first is settled in state_find().
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/save.h"
#include "runtime/state.h"
#include "runtime/state_table.h"
#include "runtime/translate.h"

static_assert(sizeof(struct state) == 128, "a hot record: two cache lines");
static_assert(sizeof(struct state_key) == 40 &&
    offsetof(struct state_key, port) == 32, "a key without padding");
static_assert(sizeof(struct bucket) == 64, "a bucket: one cache line");

#define MIN_BUCKETS	64u

/* ---- memory ---- */

/* As e_alloc(), at the beginning of a cache line; *raw is to be freed. */
static void *
alloc_aligned(const struct pfk_engine *e, size_t n, void **raw)
{
	if ((*raw = e_alloc(e, n + 63)) == NULL)
		return NULL;
	return (void *)(((uintptr_t)*raw + 63) & ~(uintptr_t)63);
}

static void
free_aligned(const struct pfk_engine *e, void *raw, size_t n)
{
	if (raw != NULL)
		e_free(e, raw, n + 63);
}

static void
slab_free(const struct pfk_engine *e, struct slab *s)
{
	free_aligned(e, s->hot_raw, SLAB * sizeof(*s->hot));
	if (s->cold != NULL)
		e_free(e, s->cold, SLAB * sizeof(*s->cold));
}

int
states_init(struct pfk_engine *e)
{
	struct state_table *t;

	if ((t = e_alloc(e, sizeof(*t))) == NULL)
		return -1;
	e->states = t;
	t->nbuckets = MIN_BUCKETS;
	t->buckets = alloc_aligned(e, MIN_BUCKETS * sizeof(*t->buckets),
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
		slab_free(e, &t->slabs[i]);
	e_free(e, t->slabs, t->slabs_room * sizeof(*t->slabs));
	free_aligned(e, t->buckets_raw, t->nbuckets * sizeof(*t->buckets));
	e_free(e, t, sizeof(*t));
	e->states = NULL;
}

static bool
slab_add(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	struct slab *slabs, s;
	uint32_t room;

	if (t->nslabs == t->slabs_room) {
		room = t->slabs_room == 0 ? 4 : t->slabs_room * 2;
		slabs = e_realloc(e, t->slabs, t->slabs_room * sizeof(*slabs),
		    room * sizeof(*slabs));
		if (slabs == NULL)
			return false;
		t->slabs = slabs;
		t->slabs_room = room;
	}
	s.hot = alloc_aligned(e, SLAB * sizeof(*s.hot), &s.hot_raw);
	s.cold = e_alloc(e, SLAB * sizeof(*s.cold));
	if (s.hot == NULL || s.cold == NULL) {
		slab_free(e, &s);
		return false;
	}
	t->slabs[t->nslabs++] = s;
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
	if (t->fresh >= t->nslabs * SLAB && !slab_add(e))
		return 0;
	return t->fresh++;
}

struct state *
state_get(const struct pfk_engine *e, uint32_t i)
{
	return &e->states->slabs[i / SLAB].hot[i % SLAB];
}

struct state_cold *
state_cold(const struct pfk_engine *e, uint32_t i)
{
	return &e->states->slabs[i / SLAB].cold[i % SLAB];
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

/* ---- keys ---- */

void
state_key_set(struct state_key *k, uint8_t af, uint8_t proto,
    uint16_t rdomain, int first, const struct pfk_addr addr[2],
    const uint16_t port[2])
{
	size_t alen = af == PFK_AF_INET6 ? 16 : 4;

	memset(k, 0, sizeof(*k));
	memcpy(&k->addr[first], &addr[SRC], alen);
	memcpy(&k->addr[!first], &addr[DST], alen);
	k->port[first] = port[SRC];
	k->port[!first] = port[DST];
	k->rdomain = rdomain;
	k->af = af;
	k->proto = proto;
}

static uint64_t
rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

struct sip { uint64_t a, b, c, d; };

static inline void
sip_round(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotl(s->b, 13) ^ s->a;
	s->d = rotl(s->d, 16) ^ s->c;
	s->a = rotl(s->a, 32) + s->d;
	s->c += s->b;
	s->d = rotl(s->d, 21) ^ s->a;
	s->b = rotl(s->b, 17) ^ s->c;
	s->c = rotl(s->c, 32);
}

/* SipHash-1-3 of n whole words: as base/hash.c's, but open to the compiler. */
static inline uint32_t
sip_words(const struct siphash_key *key, const uint64_t *w, unsigned n)
{
	struct sip s = {
		key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u
	};

	for (unsigned i = 0; i <= n; i++) {
		uint64_t m = i < n ? w[i] : (uint64_t)n << 59;

		s.d ^= m;
		sip_round(&s);
		s.a ^= m;
	}
	s.c ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return (uint32_t)(s.a ^ s.b ^ s.c ^ s.d);
}

uint32_t
state_hash(const struct pfk_engine *e, const struct state_key *k)
{
	uint64_t w[5];

	if (k->af == PFK_AF_INET6) {
		memcpy(w, k, sizeof(w));
		return sip_words(&e->hash_key, w, 5);
	}
	/* IPv4 has its addresses in 8 of 32 bytes */
	memcpy(&w[0], k->addr[0].b, 4);
	memcpy((uint8_t *)&w[0] + 4, k->addr[1].b, 4);
	memcpy(&w[1], k->port, 8);	/* ports, domain, family, protocol */
	return sip_words(&e->hash_key, w, 2);
}

static bool
key_equal(const struct state_key *a, const struct state_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool
state_reversed(const struct pfk_engine *e, uint32_t i, uint8_t af)
{
	const struct state *s = state_get(e, i);

	return s->translated && s->key.af != af &&
	    state_cold(e, i)->stack.af == af;
}

static bool
is_afto(const struct pfk_engine *e, uint32_t i)
{
	const struct state *s = state_get(e, i);

	return s->translated && state_cold(e, i)->stack.af != s->key.af;
}

/* ---- the table ---- */

static uint32_t
home(const struct state_table *t, uint32_t hash)
{
	return hash & (t->nbuckets - 1);
}

/* => There is an empty entry. */
static void
entry_put(struct state_table *t, uint32_t hash, uint32_t ref)
{
	uint32_t b = home(t, hash);

	for (;; b = (b + 1) & (t->nbuckets - 1)) {
		for (int i = 0; i < BUCKET; i++)
			if (t->buckets[b].entry[i].ref == 0) {
				t->buckets[b].entry[i].hash = hash;
				t->buckets[b].entry[i].ref = ref;
				t->entries++;
				return;
			}
		t->buckets[b].past++;
	}
}

/* Searches that hold no entry go past b only while `past` says so. */
static void
entry_remove(struct state_table *t, uint32_t hash, uint32_t ref)
{
	uint32_t b = home(t, hash);

	for (;; b = (b + 1) & (t->nbuckets - 1)) {
		for (int i = 0; i < BUCKET; i++)
			if (t->buckets[b].entry[i].ref == ref) {
				t->buckets[b].entry[i].ref = 0;
				t->entries--;
				return;
			}
		assert(t->buckets[b].past > 0);
		t->buckets[b].past--;
	}
}

static bool
table_grow(struct pfk_engine *e)
{
	struct state_table *t = e->states, old = *t;
	struct bucket *buckets;
	void *raw;

	if (t->nbuckets > UINT32_MAX / 4 || (buckets = alloc_aligned(e,
	    2 * (size_t)t->nbuckets * sizeof(*buckets), &raw)) == NULL)
		return false;
	t->buckets = buckets;
	t->buckets_raw = raw;
	t->nbuckets *= 2;
	t->entries = 0;
	for (uint32_t b = 0; b < old.nbuckets; b++)
		for (int i = 0; i < BUCKET; i++)
			if (old.buckets[b].entry[i].ref != 0)
				entry_put(t, old.buckets[b].entry[i].hash,
				    old.buckets[b].entry[i].ref);
	free_aligned(e, old.buckets_raw, old.nbuckets * sizeof(*buckets));
	return true;
}

/* Room for two more entries; without memory the table may fill up. */
static bool
table_room(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint64_t slots = (uint64_t)t->nbuckets * BUCKET;

	if ((t->entries + 2) * 4 <= slots * 3 || table_grow(e))
		return true;
	return t->entries + 2 < slots;
}

/*
 * Calls fn for every (state, side) with the key, in no order; stops at the
 * first true.
 */
struct search {
	const struct state_key *key;
	bool	(*fn)(struct pfk_engine *, uint32_t, int side, struct search *);
	/* what the functions use */
	int	 dir;
	uint16_t ifid;
	uint32_t best;
	uint64_t best_id;
	bool	 bound, reuse;
	const struct state *s;
};

static bool
search_table(struct pfk_engine *e, struct search *f)
{
	const struct state_table *t = e->states;
	uint32_t hash = state_hash(e, f->key), b = home(t, hash), ref, i;

	for (;; b = (b + 1) & (t->nbuckets - 1)) {
		const struct bucket *bu = &t->buckets[b];

		for (int n = 0; n < BUCKET; n++) {
			if (bu->entry[n].hash != hash ||
			    (ref = bu->entry[n].ref) == 0)
				continue;
			i = ref / 2;
			if (key_equal(state_key(e, i, (int)(ref & 1)),
			    f->key) && f->fn(e, i, (int)(ref & 1), f))
				return true;
		}
		if (bu->past == 0)
			return false;
	}
}

/* Whether an entry of that side serves a packet of the direction. */
static bool
side_serves(struct pfk_engine *e, uint32_t i, int side, int dir)
{
	if (!state_get(e, i)->translated)
		return true;
	if (is_afto(e, i))
		return dir == PFK_IN;
	return side == (dir == PFK_IN ? KEY_WIRE : KEY_STACK);
}

/*
 * pf keeps states of one key in a list: bound to an interface in front, the
 * newest first; floating ones behind, the oldest first.
 */
static bool
find_best(struct pfk_engine *e, uint32_t i, int side, struct search *f)
{
	const struct state *s = state_get(e, i);
	bool bound = s->ifid != IF_NONE;
	uint64_t id;

	if (s->timeout >= TIMEOUT_PURGE || (bound && s->ifid != f->ifid) ||
	    !side_serves(e, i, side, f->dir))
		return false;
	if (f->best != 0) {
		id = state_cold(e, i)->id;
		f->best_id = state_cold(e, f->best)->id;
		if (bound != f->bound ? !bound :
		    bound ? id < f->best_id : id > f->best_id)
			return false;
	}
	f->best = i;
	f->bound = bound;
	return false;
}

uint32_t
state_find(struct pkt *p, const struct state_key *key)
{
	struct search f = { .key = key, .fn = find_best, .dir = p->dir,
	    .ifid = p->ifid };
	struct pfk_engine *e = p->e;
	const struct state *s;
	struct rate *rate;

	e->counters.searches++;
	search_table(e, &f);
	if (f.best == 0)
		return 0;
	s = state_get(e, f.best);
	if (s->per_packet & PER_RATE && p->dir == s->direction) {
		rate = &e->rules[s->rule].rate;
		rate_add(rate, e->uptime);
		if (rate_over(rate))
			return 0;
	}
	return f.best;
}

static bool
find_any(struct pfk_engine *e, uint32_t i, int side, struct search *f)
{
	if (state_get(e, i)->translated && f->dir != 0 &&
	    side != (f->dir == PFK_IN ? KEY_WIRE : KEY_STACK))
		return false;
	f->best = i;
	return true;
}

uint32_t
state_find_any(struct pfk_engine *e, const struct state_key *key, int dir)
{
	struct search f = { .key = key, .fn = find_any, .dir = dir };

	e->counters.searches++;
	search_table(e, &f);
	return f.best;
}

/*
 * Whether a state is in the way of a new one (f->s) with the same key: one of
 * the same interface and direction; after af-to the stack key counts for the
 * opposite direction.  A TCP connection that is over gives way.
 */
static bool
find_conflict(struct pfk_engine *e, uint32_t i, int side, struct search *f)
{
	const struct state *s = state_get(e, i);
	uint8_t stack_af = s->translated ? state_cold(e, i)->stack.af :
	    s->key.af;

	(void)side;
	if (s == f->s || s->ifid != f->s->ifid)
		return false;
	if (!(s->key.af == f->key->af && s->direction == f->s->direction) &&
	    !(s->key.af != stack_af && f->key->af == stack_af &&
	    s->direction != f->s->direction))
		return false;
	f->reuse = f->key->proto == PROTO_TCP &&
	    s->src.state >= TCPS_FIN_WAIT_2 && s->dst.state >= TCPS_FIN_WAIT_2;
	f->best = i;
	return true;
}

/* Makes room for the key; false: another state has it. */
static bool
key_clear(struct pfk_engine *e, uint32_t i, const struct state_key *key)
{
	struct search f = { .key = key, .fn = find_conflict,
	    .s = state_get(e, i) };
	char text[STATE_TEXTLEN];

	while (search_table(e, &f)) {
		if (e_debugging(e, DEBUG_NOTICE))
			e_debug(e, DEBUG_NOTICE, "pf: key attach %s, "
			    "existing: %s", f.reuse ? "reuse" : "failed",
			    state_text(e, f.best, text));
		if (!f.reuse)
			return false;
		state_set_peer(e, f.best, PEER_BOTH, TCPS_CLOSED);
		state_unlink(e, f.best);
	}
	return true;
}

static void
keys_put(struct pfk_engine *e, uint32_t i)
{
	const struct state *s = state_get(e, i);
	struct state_cold *c = state_cold(e, i);

	entry_put(e->states, state_hash(e, &s->key), i * 2 + KEY_WIRE);
	if (s->translated)
		entry_put(e->states, state_hash(e, &c->stack),
		    i * 2 + KEY_STACK);
	c->live = 1;
}

/* A saved state comes back: as it was, at the end of the list. */
bool
state_relist(struct pfk_engine *e, uint32_t i)
{
	struct state *s = state_get(e, i);

	if (!table_room(e))
		return false;
	s->translated = !key_equal(&s->key, &state_cold(e, i)->stack);
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
	s->translated = !key_equal(wire, stack);
	c->stack = *stack;
	if (!key_clear(e, i, wire) ||
	    (s->translated && !key_clear(e, i, stack)) || !table_room(e))
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

	entry_remove(e->states, state_hash(e, &s->key), i * 2 + KEY_WIRE);
	if (s->translated)
		entry_remove(e->states, state_hash(e, &c->stack),
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
