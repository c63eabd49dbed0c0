/*
 * The state table against a plain list: random inserts, searches and removals
 * of keys from a small world, with interfaces and directions.
 */
#include "engine_kit.h"

#include "runtime/lane.h"

#define MANY	4000

struct plain {			/* what the table should know */
	uint32_t	index;
	struct state_key wire, stack;
	uint16_t	ifid;
	uint8_t		dir;
	uint64_t	id;
};

static struct plain list[MANY];
static size_t nlist;

static uint64_t
next(uint64_t *x)
{
	*x = *x * 6364136223846793005u + 1442695040888963407u;
	return *x >> 33;
}

static struct state_key
random_key(uint64_t *x)
{
	struct pfk_addr a[2] = { { { 10, 0, 0, (uint8_t)(next(x) % 4) } },
	    { { 10, 0, 1, (uint8_t)(next(x) % 4) } } };
	uint16_t port[2] = { port_net((uint16_t)(next(x) % 16)),
	    port_net((uint16_t)(next(x) % 4)) };
	struct state_key k;

	state_key_set(&k, next(x) % 4 ? PFK_AF_INET : PFK_AF_INET6,
	    PROTO_UDP, 0, 0, a, port);
	return k;
}

static bool
same(const struct state_key *a, const struct state_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool
conflicts(const struct plain *a, const struct plain *b)
{
	return a->ifid == b->ifid && a->dir == b->dir &&
	    (same(&a->wire, &b->wire) || same(&a->wire, &b->stack) ||
	    same(&a->stack, &b->wire) || same(&a->stack, &b->stack));
}

static void
try_insert(struct pfk_engine *e, uint64_t *x)
{
	struct plain *p = &list[nlist];
	bool ok = true;

	p->wire = random_key(x);
	p->stack = next(x) % 3 ? p->wire : random_key(x);
	p->stack.af = p->wire.af;
	if (p->stack.af == PFK_AF_INET6 || p->wire.af == PFK_AF_INET6)
		p->stack = p->wire;
	p->ifid = next(x) % 2 ? IF_NONE : (uint16_t)(next(x) % 2);
	p->dir = next(x) % 2 ? PFK_IN : PFK_OUT;
	for (size_t i = 0; i < nlist; i++)
		ok = ok && !conflicts(p, &list[i]);
	p->index = state_alloc(e);
	ck_assert_uint_ne(p->index, 0);
	state_get(e, p->index)->direction = p->dir;
	state_get(e, p->index)->rule = 0;
	state_cold(e, p->index)->anchor = IMG_NONE;
	state_cold(e, p->index)->nat_rule = IMG_NONE;
	ck_assert_int_eq(state_insert(e, p->index, &p->wire, &p->stack,
	    p->ifid), ok);
	if (!ok) {
		state_free(e, p->index);
		return;
	}
	e->rules[0].n.states++;
	p->id = state_get(e, p->index)->id;
	nlist++;
}

/* Bound before floating; of bound ones the newest, else the oldest. */
static uint32_t
expected(const struct state_key *k, int dir, uint16_t ifid)
{
	const struct plain *best = NULL;

	for (size_t i = 0; i < nlist; i++) {
		const struct plain *p = &list[i];
		bool bound = p->ifid != IF_NONE;

		if ((bound && p->ifid != ifid) ||
		    !same(k, dir == PFK_IN ? &p->wire : &p->stack))
			continue;
		if (best == NULL || (bound && best->ifid == IF_NONE) ||
		    (bound == (best->ifid != IF_NONE) &&
		    (bound ? p->id > best->id : p->id < best->id)))
			best = p;
	}
	return best == NULL ? 0 : best->index;
}

static void
search(struct pfk_engine *e, uint64_t *x)
{
	struct state_key k = random_key(x);
	struct pkt p = { .e = e, .dir = next(x) % 2 ? PFK_IN : PFK_OUT,
	    .ifid = (uint16_t)(next(x) % 2) };

	ck_assert_uint_eq(state_find(&p, &k),
	    expected(&k, p.dir, p.ifid));
}

static void
remove_one(struct pfk_engine *e, uint64_t *x)
{
	size_t i;

	if (nlist == 0)
		return;
	i = next(x) % nlist;
	state_remove(e, list[i].index);
	list[i] = list[--nlist];
}

static void
compare_with_list(bool aes)
{
	uint64_t x = 42;
	struct kit k;

	kit_open(&k, "pass\n");
	state_hasher_init(&k.e->hasher, &k.e->hash_key, aes);
	for (int i = 0; i < 60000; i++) {
		unsigned what = (unsigned)(next(&x) % 8);

		if (what < 3 && nlist < MANY - 1)
			try_insert(k.e, &x);
		else if (what == 3)
			remove_one(k.e, &x);
		else
			search(k.e, &x);
	}
	ck_assert_uint_eq(states_count(k.e), nlist);
	while (nlist > 0)
		remove_one(k.e, &x);
	ck_assert_uint_eq(k.e->states->entries, 0);
	for (uint32_t b = 0; b < k.e->states->nbuckets; b++)
		ck_assert_uint_eq(k.e->states->buckets[b].past, 0);
	kit_close(&k);
}

static void
keep_both(struct pfk_engine *e, const struct state_key *wire,
    const struct state_key *stack, bool extra)
{
	uint32_t i = state_alloc(e);
	struct state_key k[2];

	state_get(e, i)->rule = 0;
	state_cold(e, i)->anchor = state_cold(e, i)->nat_rule = IMG_NONE;
	ck_assert(state_insert(e, i, wire, stack, IF_NONE));
	e->rules[0].n.states++;
	k[KEY_WIRE] = state_key(e, i, KEY_WIRE);
	k[KEY_STACK] = state_key(e, i, KEY_STACK);
	ck_assert(same(&k[KEY_WIRE], wire) && same(&k[KEY_STACK], stack));
	ck_assert_int_eq(state_extra(e, i) != NULL, extra);
	state_remove(e, i);
	ck_assert_uint_eq(e->states->entries, 0);
}

/* Two keys, wherever they are: those of IPv4 need no extra record. */
START_TEST(two_keys)
{
	struct pfk_addr a[4];
	struct state_key four, five, six, seven;
	uint16_t port[4] = { 1, 2, 3, 4 };
	struct kit k;

	for (unsigned i = 0; i < 64; i++)
		a[i / 16].b[i % 16] = (uint8_t)(i + 1);
	kit_open(&k, "pass\n");
	state_key_set(&four, PFK_AF_INET, PROTO_TCP, 5, 0, a, port);
	state_key_set(&five, PFK_AF_INET, PROTO_TCP, 6, 1, a + 2, port + 2);
	state_key_set(&six, PFK_AF_INET6, PROTO_TCP, 7, 0, a, port);
	state_key_set(&seven, PFK_AF_INET6, PROTO_TCP, 8, 1, a + 2, port + 2);
	keep_both(k.e, &four, &four, false);
	keep_both(k.e, &four, &five, false);
	keep_both(k.e, &six, &six, false);
	keep_both(k.e, &six, &seven, true);
	keep_both(k.e, &four, &seven, true);
	keep_both(k.e, &six, &five, true);
	kit_close(&k);
}
END_TEST

START_TEST(against_a_list)
{
	compare_with_list(true);
	compare_with_list(false);
}
END_TEST

/* What the processor compares at once, and one after the other. */
START_TEST(buckets)
{
	union { struct bucket b; uint64_t align[8]; } *u;
	void *raw = malloc(sizeof(*u) + 64);
	uint64_t x = 7;

	ck_assert_ptr_nonnull(raw);
	u = (void *)(((uintptr_t)raw + 63) & ~(uintptr_t)63);
	memset(u, 0, sizeof(*u));
	for (int n = 0; n < 20000; n++) {
		uint32_t hash = (uint32_t)next(&x) % 3;

		u->b.hash[next(&x) % BUCKET] = (uint32_t)next(&x) % 3;
		u->b.past = (uint32_t)next(&x) % 3;
		u->b.ref[0] = hash;
		ck_assert_uint_eq(bucket_match(&u->b, hash),
		    bucket_match_plain(&u->b, hash));
	}
	free(raw);
}
END_TEST

/*
 * Both hashes: of packets together as of one alone, different under another
 * key, never 0, and as even as chance would have it.
 */
static void
check_hash(bool aes)
{
	static struct lane_packet l[64];
	struct siphash_key key[2] = { { 1, 2 }, { 1, 3 } };
	struct state_hasher h[2];
	uint32_t in[256] = { 0 }, same = 0;
	uint64_t x = 99;

	for (int i = 0; i < 2; i++)
		state_hasher_init(&h[i], &key[i], aes);
	memset(l, 0, sizeof(l));
	for (uint64_t n = 0; n < 256 * 100; n++) {
		struct lane_packet *p = &l[n % 64];

		p->v6 = n % 3 == 0;
		p->key[n % 2] = n / 2;
		p->key[4] = next(&x) % 2;
		if (n % 64 != 63)
			continue;
		state_hash_packets(&h[0], l, 64);
		for (int i = 0; i < 64; i++) {
			unsigned words = l[i].v6 ? 5 : 2;

			ck_assert_uint_ne(l[i].hash, 0);
			ck_assert_uint_eq(l[i].hash,
			    state_hash_words(&h[0], l[i].key, words));
			same += l[i].hash == state_hash_words(&h[1],
			    l[i].key, words);
			in[l[i].hash % 256]++;
		}
	}
	ck_assert_uint_lt(same, 3);
	for (int i = 0; i < 256; i++) {
		ck_assert_uint_gt(in[i], 50);
		ck_assert_uint_lt(in[i], 160);
	}
}

START_TEST(hashes)
{
	check_hash(true);
	check_hash(false);
}
END_TEST

/* Growing keeps all; they come back in the order of their making. */
START_TEST(many)
{
	struct kit k;
	uint64_t last = 0;
	uint32_t i;

	kit_open(&k, "set limit states 200000\npass in proto udp\n");
	for (i = 0; i < 100000; i++)
		kit_run(&k, "em0", PFK_IN, kit_udp(0x0b000000 + i, 1,
		    0x0a000001, 53));
	ck_assert_uint_eq(pfk_engine_nstates(k.e), 100000);
	for (i = state_first(k.e); i != 0; i = state_next(k.e, i)) {
		ck_assert_uint_gt(state_get(k.e, i)->id, last);
		last = state_get(k.e, i)->id;
	}
	for (i = 0; i < 100000; i += 7) {
		kit_run(&k, "em0", PFK_IN, kit_udp(0x0b000000 + i, 1,
		    0x0a000001, 53));
		ck_assert_int_eq(k.d.state, PFK_STATE_MATCH);
	}
	kit_close(&k);
}
END_TEST

/* Hot, cold, and the table's entry where it has just grown. */
START_TEST(compact)
{
	ck_assert_uint_le(sizeof(struct state) + sizeof(struct state_cold) +
	    sizeof(struct bucket) * 16 / 5 / BUCKET, 256);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { two_keys, against_a_list, buckets,
	    hashes, many, compact };

	return kit_main("state", tests, sizeof(tests) / sizeof(*tests));
}
