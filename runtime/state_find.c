/*
 * Finding states by key.
 *
 * Equal keys are allowed, as in pf: states of different interfaces, or of
 * opposite directions.  Which of them a packet means, and which are in the way
 * of a new one, is settled here.
 */
#include <string.h>

#include "runtime/explain.h"
#include "runtime/state_table.h"

static bool
key_equal(const struct state_key *a, const struct state_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool
state_reversed(const struct pfk_engine *e, uint32_t i, uint8_t af)
{
	const struct state *s = state_get(e, i);

	return s->translated && !s->packed && s->key.af != af &&
	    state_extra(e, i)->stack.af == af;
}

static bool
is_afto(const struct pfk_engine *e, uint32_t i)
{
	const struct state *s = state_get(e, i);

	return s->translated && !s->packed &&
	    state_extra(e, i)->stack.af != s->key.af;
}

/*
 * Calls fn for every (state, side) with the key, in no order; stops at the
 * first true.
 */
struct search {
	const struct state_key *key;
	uint32_t hash;
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
	uint32_t hash = f->hash, b = hash & (t->nbuckets - 1), ref, i, m;
	struct state_key k;

	for (;; b = (b + 1) & (t->nbuckets - 1)) {
		const struct bucket *bu = &t->buckets[b];

		for (m = bucket_match(bu, hash); m != 0; m &= m - 1) {
			ref = bu->ref[lowest_bit(m)];
			i = ref / 2;
			k = state_key(e, i, (int)(ref & 1));
			if (key_equal(&k, f->key) &&
			    f->fn(e, i, (int)(ref & 1), f))
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
		id = s->id;
		f->best_id = state_get(e, f->best)->id;
		if (bound != f->bound ? !bound :
		    bound ? id < f->best_id : id > f->best_id)
			return false;
	}
	f->best = i;
	f->bound = bound;
	return false;
}

static uint32_t
look_up(struct pkt *p, const struct state_key *key)
{
	struct pfk_engine *e = p->e;
	struct search f = { .key = key, .fn = find_best, .dir = p->dir,
	    .ifid = p->ifid, .hash = state_hash(e, key) };
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

uint32_t
state_find(struct pkt *p, const struct state_key *key)
{
	uint32_t found = look_up(p, key);

	if (p->e->explain != NULL)
		explain_state(p, key, found);
	return found;
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
	struct search f = { .key = key, .fn = find_any, .dir = dir,
	    .hash = state_hash(e, key) };

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
	uint8_t stack_af = state_key(e, i, KEY_STACK).af;

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
bool
state_key_clear(struct pfk_engine *e, uint32_t i, const struct state_key *key)
{
	struct search f = { .key = key, .fn = find_conflict,
	    .s = state_get(e, i), .hash = state_hash(e, key) };
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
