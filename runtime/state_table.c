/*
 * The state table proper: keys, their hash, buckets.
 *
 * It maps keys to (record, side) by open addressing over buckets of a cache
 * line:
 *
 *	+------------------+------+-----------------+-------+
 *	| hash of 7 entries| past | ref of 7 entries| twins |
 *	+------------------+------+-----------------+-------+
 *	 28 bytes	    4	   28		     4
 *
 * ref is index * 2 + side; an empty entry has hash 0, which none has.  `past`
 * counts the entries that wanted to be in this bucket or before it, and lie in
 * a later one: while it is 0 a search ends here.  `twins` has a bit for each
 * entry that may not be the only one with its hash: who finds one without it
 * need not look on.  A state whose keys are equal has one entry, with side
 * KEY_WIRE.  The 32 bits of the hash are kept in the entry, so that growing
 * does not touch the states.  At most five eighths of the entries are used:
 * then hardly any lies in a second bucket.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

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
		return state_hash_words(&e->hasher, w, 5);
	}
	/* IPv4 has its addresses in 8 of 32 bytes */
	memcpy(&w[0], k->addr[0].b, 4);
	memcpy((uint8_t *)&w[0] + 4, k->addr[1].b, 4);
	memcpy(&w[1], k->port, 8);	/* ports, domain, family, protocol */
	return state_hash_words(&e->hasher, w, 2);
}

/* ---- buckets ---- */

static uint32_t
home(const struct state_table *t, uint32_t hash)
{
	return hash & (t->nbuckets - 1);
}

/* Hashes that are equal know of each other.  => There is an empty entry. */
void
state_entry_put(struct state_table *t, uint32_t hash, uint32_t ref)
{
	struct bucket *at = NULL;
	uint32_t same, empty, bit = 0, twin = 0;

	t->changes++;
	t->entries++;
	for (uint32_t b = home(t, hash);; b = (b + 1) & (t->nbuckets - 1)) {
		struct bucket *bu = &t->buckets[b];

		same = bucket_match(bu, hash);
		bu->twins |= same;
		twin |= same;
		if (at == NULL && (empty = bucket_match(bu, 0)) != 0) {
			at = bu;
			bit = empty & (0u - empty);
			bu->hash[lowest_bit(bit)] = hash;
			bu->ref[lowest_bit(bit)] = ref;
		} else if (at == NULL)
			bu->past++;
		if (at != NULL && bu->past == 0)
			break;
	}
	if (twin != 0) {
		at->twins |= bit;
		t->losses++;
	}
}

/* => There is an empty entry. */
void
state_entry_put_alone(struct state_table *t, uint32_t hash, uint32_t ref)
{
	struct bucket *bu;
	uint32_t empty;

	t->changes++;
	t->entries++;
	for (uint32_t b = home(t, hash);; b = (b + 1) & (t->nbuckets - 1)) {
		bu = &t->buckets[b];
		if ((empty = bucket_match(bu, 0)) != 0)
			break;
		bu->past++;
	}
	bu->hash[lowest_bit(empty)] = hash;
	bu->ref[lowest_bit(empty)] = ref;
}

static bool
bucket_remove(struct bucket *bu, uint32_t hash, uint32_t ref)
{
	for (uint32_t m = bucket_match(bu, hash); m != 0; m &= m - 1) {
		unsigned i = lowest_bit(m);

		if (bu->ref[i] != ref)
			continue;
		bu->hash[i] = bu->ref[i] = 0;
		bu->twins &= ~(1u << i);
		return true;
	}
	return false;
}

/* Searches that hold no entry go past b only while `past` says so. */
void
state_entry_remove(struct state_table *t, uint32_t hash, uint32_t ref)
{
	uint32_t b = home(t, hash);

	t->changes++;
	t->losses++;
	t->entries--;
	for (; !bucket_remove(&t->buckets[b], hash, ref);
	    b = (b + 1) & (t->nbuckets - 1)) {
		assert(t->buckets[b].past > 0);
		t->buckets[b].past--;
	}
}

struct bucket *
state_buckets_new(const struct pfk_engine *e, uint32_t n, void **raw)
{
	size_t size = n * sizeof(struct bucket);
	struct bucket *b = state_alloc_aligned(e, size, raw);

	if (b != NULL)
		memset(b, 0, size);
	return b;
}

static void
entries_move(struct state_table *t, const struct bucket *from)
{
	uint32_t m = ~bucket_match(from, 0) & BUCKET_ALL;

	for (; m != 0; m &= m - 1) {
		unsigned i = lowest_bit(m);

		if (from->twins >> i & 1)
			state_entry_put(t, from->hash[i], from->ref[i]);
		else
			state_entry_put_alone(t, from->hash[i], from->ref[i]);
	}
}

static bool
table_grow(struct pfk_engine *e)
{
	struct state_table *t = e->states, old = *t;
	struct bucket *buckets;
	void *raw;

	if (t->nbuckets > UINT32_MAX / 4 || (buckets = state_buckets_new(e,
	    2 * t->nbuckets, &raw)) == NULL)
		return false;
	t->buckets = buckets;
	t->buckets_raw = raw;
	t->nbuckets *= 2;
	t->entries = 0;
	for (uint32_t b = 0; b < old.nbuckets; b++)
		entries_move(t, &old.buckets[b]);
	state_free_aligned(e, old.buckets_raw, old.nbuckets * sizeof(*buckets));
	return true;
}

/* Five eighths are used: room for two more, or, without memory, until the
 * table is full. */
bool
state_table_grow(struct pfk_engine *e)
{
	struct state_table *t = e->states;

	return table_grow(e) ||
	    t->entries + 2 < (uint64_t)t->nbuckets * BUCKET;
}
