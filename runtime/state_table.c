/*
 * The state table proper: keys, their hash, buckets.
 *
 * It maps keys to (record, side) by open addressing over buckets of a cache
 * line:
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
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "runtime/state_hash.h"
#include "runtime/state_table.h"

static_assert(sizeof(struct state_key) == 40 &&
    offsetof(struct state_key, port) == 32, "a key without padding");
static_assert(sizeof(struct bucket) == 64, "a bucket: one cache line");

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

uint32_t
state_hash(const struct pfk_engine *e, const struct state_key *k)
{
	uint64_t w[5];

	if (k->af == PFK_AF_INET6) {
		memcpy(w, k, sizeof(w));
		return state_hash_words(&e->hash_key, w, 5);
	}
	/* IPv4 has its addresses in 8 of 32 bytes */
	memcpy(&w[0], k->addr[0].b, 4);
	memcpy((uint8_t *)&w[0] + 4, k->addr[1].b, 4);
	memcpy(&w[1], k->port, 8);	/* ports, domain, family, protocol */
	return state_hash_words(&e->hash_key, w, 2);
}

/* ---- buckets ---- */

static uint32_t
home(const struct state_table *t, uint32_t hash)
{
	return hash & (t->nbuckets - 1);
}

/* => There is an empty entry. */
void
state_entry_put(struct state_table *t, uint32_t hash, uint32_t ref)
{
	uint32_t b = home(t, hash);

	t->changes++;
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
void
state_entry_remove(struct state_table *t, uint32_t hash, uint32_t ref)
{
	uint32_t b = home(t, hash);

	t->changes++;
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

	if (t->nbuckets > UINT32_MAX / 4 || (buckets = state_alloc_aligned(e,
	    2 * (size_t)t->nbuckets * sizeof(*buckets), &raw)) == NULL)
		return false;
	t->buckets = buckets;
	t->buckets_raw = raw;
	t->nbuckets *= 2;
	t->entries = 0;
	for (uint32_t b = 0; b < old.nbuckets; b++)
		for (int i = 0; i < BUCKET; i++)
			if (old.buckets[b].entry[i].ref != 0)
				state_entry_put(t, old.buckets[b].entry[i].hash,
				    old.buckets[b].entry[i].ref);
	state_free_aligned(e, old.buckets_raw, old.nbuckets * sizeof(*buckets));
	return true;
}

/* Room for two more entries; without memory the table may fill up. */
bool
state_table_room(struct pfk_engine *e)
{
	struct state_table *t = e->states;
	uint64_t slots = (uint64_t)t->nbuckets * BUCKET;

	if ((t->entries + 2) * 4 <= slots * 3 || table_grow(e))
		return true;
	return t->entries + 2 < slots;
}
