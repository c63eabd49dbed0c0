/*
 * Which address of a pool.
 *
 *	a network	its bits, and the rest from: the source (bitmask), a
 *			hash of it (source-hash), chance (random), or a counter
 *			that goes up (round-robin; random when nobody asks
 *			whether all have been tried)
 *	a list		(table or dynamic interface) entries in order; of an
 *			entry that is a network its addresses in order.  The
 *			turn says where, and an address
 *
 * source-hash takes SipHash-2-4 of the source under the pool's key, so that
 * the same key gives the same addresses anywhere; the hash is read as a
 * little-endian number.
 *
 * With sticky-address the source tracking entry remembers what a source was
 * given, as long as the pool still has it.
 */
#include <string.h>

#include "runtime/pool.h"

void
pool_mix(struct pfk_addr *to, const struct pfk_addr *base,
    const struct pfk_addr *mask, const struct pfk_addr *host)
{
	for (unsigned i = 0; i < sizeof(to->b); i++)
		to->b[i] = (uint8_t)((base->b[i] & mask->b[i]) |
		    (host->b[i] & ~mask->b[i]));
}

static void
addr_next(struct pfk_addr *a, uint8_t af)
{
	for (unsigned i = addr_bits((enum pfk_af)af) / 8; i-- > 0;)
		if (++a->b[i] != 0)
			break;
}

static bool
is_list(const struct pool *q)
{
	return q->p->addr.kind == IMG_ADDR_TABLE ||
	    q->p->addr.kind == IMG_ADDR_DYNAMIC;
}

static uint32_t
pool_table(const struct choice *c)
{
	return rule_table(c->e, &c->e->rules[c->rule], &c->pool->p->addr);
}

/* ---- lists ---- */

/* Entries of both families. */
static uint32_t
list_length(const struct choice *c)
{
	const struct pool *q = c->pool;

	if (q->p->addr.kind == IMG_ADDR_DYNAMIC)
		return iface_addr_count(c->e, q->name, &q->p->addr, 0);
	return (uint32_t)(table_count_addrs(c->e, pool_table(c), 4) +
	    table_count_addrs(c->e, pool_table(c), 6));
}

static bool
is_link_local(const struct pfk_addr *a, uint8_t af)
{
	return af == PFK_AF_INET6 && a->b[0] == 0xfe &&
	    (a->b[1] & 0xc0) == 0x80;
}

/*
 * The turn over the addresses of an interface: like table_next(), but its
 * networks do not lie in each other, and link-local addresses have no turn.
 */
static int
dynamic_next(const struct choice *c, struct pfk_addr *addr,
    struct pfk_addr *mask)
{
	struct pool *q = c->pool;
	struct table_turn *t = &q->turn;
	unsigned n = iface_addr_count(c->e, q->name, &q->p->addr, c->af);
	bool resume = t->started && !addr_is_zero(&t->counter,
	    (enum pfk_af)c->af);

	if (!t->started || t->index >= n)
		t->index = 0;
	for (unsigned tries = 0; tries <= n && n > 0; tries++, t->index++) {
		if (t->index >= n)
			t->index = 0;
		if (!iface_addr(c->e, q->name, &q->p->addr, c->af, t->index,
		    addr, mask))
			break;
		if (resume && !addr_match_mask(addr, mask, &t->counter,
		    (enum pfk_af)c->af)) {
			resume = false;
			continue;
		}
		if (!resume)
			t->counter = *addr;
		resume = false;
		if (is_link_local(&t->counter, c->af))
			continue;
		t->started = true;
		return 0;
	}
	return -1;
}

/*
 * With weights a round gives only addresses that have the weight it accepts:
 * less from round to round, then again the most.  pf takes the step whenever
 * it begins to look at the first entry.
 */
static void
begin_round(struct pool *q)
{
	if (!q->weighted || q->turn.index != 0)
		return;
	q->accepts -= (int32_t)q->gcd;
	if (q->accepts < 1)
		q->accepts = (int32_t)q->most;
}

/* The address whose turn it is, in the turn's counter. */
static bool
list_get(struct choice *c, struct pfk_addr *addr, struct pfk_addr *mask)
{
	struct pool *q = c->pool;

	begin_round(q);
	if (q->p->addr.kind == IMG_ADDR_DYNAMIC)
		return dynamic_next(c, addr, mask) == 0;
	return table_next(c->e, pool_table(c), c->af, &q->turn, addr,
	    mask) == 0;
}

/* The same; if the counter's address has left the list, from its start. */
static bool
list_get_again(struct choice *c, struct pfk_addr *addr, struct pfk_addr *mask)
{
	if (list_get(c, addr, mask))
		return true;
	memset(&c->pool->turn.counter, 0, sizeof(c->pool->turn.counter));
	return list_get(c, addr, mask);
}

/* The first address of an entry by its number. */
static bool
list_pick(struct choice *c, uint32_t place)
{
	struct pfk_addr addr, mask;

	memset(&c->pool->turn, 0, sizeof(c->pool->turn));
	c->pool->turn.index = place;
	c->pool->turn.started = true;
	if (!list_get(c, &addr, &mask))
		return false;
	c->addr = c->pool->turn.counter;
	return true;
}

/* ---- the kinds ---- */

/* Base and mask of a pool that is no list, or of an interface's first. */
static bool
network(const struct choice *c, struct pfk_addr *base, struct pfk_addr *mask)
{
	const struct pool *q = c->pool;

	if (q->p->addr.kind == IMG_ADDR_TABLE)
		return false;
	if (q->p->addr.kind == IMG_ADDR_DYNAMIC)
		return iface_addr(c->e, q->name, &q->p->addr, c->af, 0, base,
		    mask);
	*base = q->p->addr.addr;
	*mask = q->p->addr.mask;
	return true;
}

static bool
choose_fixed(struct choice *c)
{
	struct pfk_addr base, mask;

	if (!network(c, &base, &mask))
		return false;
	if (c->pool->p->type == IMG_POOL_BITMASK)
		pool_mix(&c->addr, &base, &mask, c->src);
	else
		c->addr = base;
	return true;
}

/* Random bits for one of the address's words, as far as they may differ. */
static void
random_word(struct choice *c, const struct pfk_addr *mask, unsigned word)
{
	uint32_t range = ~get32(mask->b + 4 * word) + 1;

	put32(c->pool->turn.counter.b + 4 * word, range == 0 ?
	    e_random(c->e) : e_random_below(c->e, range));
}

static void
remember_begin(struct choice *c, const struct pfk_addr *addr)
{
	if (!c->rounds || c->begun)
		return;
	c->begun = true;
	c->begin = *addr;
}

static bool
choose_random(struct choice *c)
{
	struct pfk_addr base, mask;
	struct pool *q = c->pool;
	uint32_t n;

	if (is_list(q)) {
		n = list_length(c);
		return list_pick(c, n == 0 ? 0 : e_random_below(c->e, n));
	}
	(void)network(c, &base, &mask);
	if (c->rounds && !c->begun) {
		for (unsigned word = c->af == PFK_AF_INET6 ? 4 : 1;
		    word-- > 0 && get32(mask.b + 4 * word) != 0xffffffff;)
			random_word(c, &mask, word);
	} else
		addr_next(&q->turn.counter, c->af);
	pool_mix(&c->addr, &base, &mask, &q->turn.counter);
	remember_begin(c, &c->addr);
	return true;
}

/* The address's hash; *all: the number. */
static void
source_hash(const struct choice *c, struct pfk_addr *hash, uint64_t *all)
{
	const uint32_t *key = c->pool->p->key;
	struct siphash_key k = { (uint64_t)key[1] << 32 | key[0],
	    (uint64_t)key[3] << 32 | key[2] };

	*all = siphash24(&k, c->src->b, c->af == PFK_AF_INET6 ? 16 : 4);
	for (int i = 0; i < 8; i++)
		hash->b[i] = (uint8_t)(*all >> 8 * i);
	/* 64 bits only: the other half is its complement, words swapped */
	for (int i = 0; i < 4; i++) {
		hash->b[8 + i] = (uint8_t)~hash->b[4 + i];
		hash->b[12 + i] = (uint8_t)~hash->b[i];
	}
	/* keys compare whole: nothing behind an address of IPv4 */
	if (c->af == PFK_AF_INET)
		memset(hash->b + 4, 0, sizeof(hash->b) - 4);
}

static bool
choose_hashed(struct choice *c)
{
	struct pfk_addr base, mask, hash;
	uint64_t all;
	uint32_t n;

	source_hash(c, &hash, &all);
	if (is_list(c->pool)) {
		n = list_length(c);
		return list_pick(c, n == 0 ? 0 : (uint32_t)(all % n));
	}
	if (!network(c, &base, &mask))
		return false;
	pool_mix(&c->addr, &base, &mask, &hash);
	return true;
}

/* Goes on to an address that has enough weight. */
static bool
skip_light(struct choice *c, struct pfk_addr *base, struct pfk_addr *mask)
{
	struct pool *q = c->pool;

	for (;;) {
		if (!list_get(c, base, mask))
			return false;
		if (q->turn.weight >= q->accepts)
			return true;
		addr_next(&q->turn.counter, c->af);
	}
}

static bool
choose_in_turn(struct choice *c)
{
	struct pool *q = c->pool;
	struct pfk_addr base, mask;

	if (is_list(q)) {
		if (!list_get_again(c, &base, &mask) ||
		    (q->weighted && !skip_light(c, &base, &mask)))
			return false;
	} else {
		(void)network(c, &base, &mask);
		if (addr_mask_bits(&mask) >= addr_bits((enum pfk_af)c->af) &&
		    addr_is_zero(&q->turn.counter, (enum pfk_af)c->af)) {
			c->addr = base;
			return true;
		}
	}
	pool_mix(&c->addr, &base, &mask, &q->turn.counter);
	/* in a network pf does not notice when it has been everywhere */
	if (is_list(q))
		remember_begin(c, &c->addr);
	addr_next(&q->turn.counter, c->af);
	return true;
}

/* ---- least-states ---- */

static struct pool_load *
find_load(const struct pfk_engine *e, const struct pool *q, uint8_t af,
    const struct pfk_addr *addr)
{
	const struct pool *of = &e->pools[q->loads_of];

	for (uint32_t i = 0; i < of->nloads; i++)
		if (of->loads[i].af == af && addr_equal(&of->loads[i].addr,
		    addr, (enum pfk_af)af))
			return &of->loads[i];
	return NULL;
}

/* States at the turn's address, by its weight. */
static uint64_t
load_of(const struct choice *c)
{
	const struct pool *q = c->pool;
	const struct pool_load *l = find_load(c->e, q, c->af,
	    &q->turn.counter);
	uint64_t states = l == NULL ? 0 : l->states;

	return q->weighted ? states * UINT16_MAX / q->turn.weight : states;
}

static bool
add_load(struct choice *c, const struct pfk_addr *addr)
{
	struct pool *of = &c->e->pools[c->pool->loads_of];
	struct pool_load *l = find_load(c->e, c->pool, c->af, addr), *v;
	uint32_t cap;

	if (l == NULL && of->nloads == of->loads_cap) {
		cap = of->loads_cap == 0 ? 8 : of->loads_cap * 2;
		v = e_realloc(c->e, of->loads, of->loads_cap * sizeof(*v),
		    cap * sizeof(*v));
		if (v == NULL)
			return false;
		of->loads = v;
		of->loads_cap = cap;
	}
	if (l == NULL) {
		l = &of->loads[of->nloads++];
		memset(l, 0, sizeof(*l));
		l->addr = *addr;
		l->af = c->af;
	}
	l->states++;
	return true;
}

void
pool_unload(struct pfk_engine *e, struct pool *q, uint8_t af,
    const struct pfk_addr *addr)
{
	struct pool_load *l;

	if (q->p->type != IMG_POOL_LEAST_STATES || !is_list(q))
		return;
	l = find_load(e, q, af, addr);
	if (l != NULL && l->states > 0)
		l->states--;
}

static bool
is_host(const struct choice *c, const struct pfk_addr *mask)
{
	return addr_mask_bits(mask) >= addr_bits((enum pfk_af)c->af);
}

/*
 * Goes round once, from whose turn it is, or until one has no state.  States
 * are counted for single addresses only: one of a network is none.
 */
static bool
least_of_list(struct choice *c)
{
	struct pool *q = c->pool;
	struct pfk_addr base, mask, first;
	uint64_t least, n;
	bool host;

	if (!list_get_again(c, &base, &mask))
		return false;
	first = c->addr = q->turn.counter;
	least = load_of(c);
	host = is_host(c, &mask);
	remember_begin(c, &c->addr);
	do {
		addr_next(&q->turn.counter, c->af);
		if (!list_get(c, &base, &mask))
			return false;
		n = load_of(c);
		if (n < least) {
			least = n;
			c->addr = q->turn.counter;
			host = is_host(c, &mask);
		}
	} while (!addr_match_mask(&first, &mask, &q->turn.counter,
	    (enum pfk_af)c->af) && least > 0);
	return host && add_load(c, &c->addr);
}

/* What pf gives for a network: the counter itself. */
static bool
choose_least(struct choice *c)
{
	struct pool *q = c->pool;

	if (is_list(q))
		return least_of_list(c);
	c->addr = q->turn.counter;
	remember_begin(c, &c->addr);
	addr_next(&q->turn.counter, c->af);
	return true;
}

/* ---- sticky addresses ---- */

/* Whether the pool still has the address. */
static bool
still_there(const struct choice *c, const struct pfk_addr *addr)
{
	const struct pool *q = c->pool;

	switch (q->p->addr.kind) {
	case IMG_ADDR_TABLE:
		return table_match(c->e, pool_table(c), c->af, addr);
	case IMG_ADDR_DYNAMIC:
		return iface_addr_match(c->e, q->name, &q->p->addr, c->af,
		    addr);
	case IMG_ADDR_NO_ROUTE:
		return false;
	default:
		return addr_match_mask(&q->p->addr.addr, &q->p->addr.mask,
		    addr, (enum pfk_af)c->af);
	}
}

/* What the source was given before. */
static bool
choose_known(struct choice *c)
{
	uint32_t node = node_find(c->e, c->rule, c->type, c->af, c->src);
	struct pfk_addr addr;
	uint16_t ifid;
	uint8_t af;

	if (node == 0)
		return false;
	c->f->nodes[c->type] = node;
	if (!node_raddr(c->e, node, &addr, &af, &ifid) ||
	    addr_is_zero(&addr, (enum pfk_af)c->af))
		return true;
	if (!still_there(c, &addr)) {
		node_forget(c->e, node);
		c->f->nodes[c->type] = 0;
		return false;
	}
	c->addr = addr;
	return c->pool->p->type != IMG_POOL_LEAST_STATES || add_load(c, &addr);
}

static bool
remember_source(struct choice *c)
{
	uint32_t *node = &c->f->nodes[c->type];

	if (*node != 0) {
		node_drop_unused(c->e, *node);
		*node = 0;
	}
	return node_get(c->e, c->rule, c->type, c->af, c->src, &c->addr,
	    c->af, IF_NONE, node) == PKT_PASS;
}

bool
pool_choose(struct choice *c)
{
	static bool (*const kinds[])(struct choice *) = {
		[IMG_POOL_NONE] = choose_fixed,
		[IMG_POOL_BITMASK] = choose_fixed,
		[IMG_POOL_RANDOM] = choose_random,
		[IMG_POOL_SOURCE_HASH] = choose_hashed,
		[IMG_POOL_ROUND_ROBIN] = choose_in_turn,
		[IMG_POOL_LEAST_STATES] = choose_least,
	};
	const struct img_pool *p = c->pool->p;

	c->pool->weighted = p->addr.kind == IMG_ADDR_TABLE &&
	    table_weights(c->e, pool_table(c), &c->pool->gcd, &c->pool->most);
	if (c->f->nodes[c->type] == 0 && p->sticky &&
	    p->type != IMG_POOL_NONE && choose_known(c))
		return true;
	if (p->addr.kind == IMG_ADDR_NO_ROUTE || !kinds[p->type](c))
		return false;
	return !p->sticky || remember_source(c);
}
