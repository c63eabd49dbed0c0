/*
 * Taking turns over the addresses of a table, as pf's pools do.
 *
 * A turn remembers the place of a block (an entry of the family, counted in
 * order) and an address inside of it.  The address is given again as long as
 * it lies in that block; the caller moves it on.  Addresses that belong to a
 * longer prefix inside of the block are passed over, since that prefix has a
 * turn of its own.  After the last block comes the first.
 */
#include <string.h>

#include "runtime/table.h"

static unsigned
common_divisor(unsigned a, unsigned b)
{
	unsigned r;

	while (b != 0) {
		r = a % b;
		a = b;
		b = r;
	}
	return a;
}

static void
sum_up_weights(struct table *t)
{
	unsigned gcd = 0, most = 1;

	t->weighted = t->has_neg = false;
	for (uint32_t i = 0; i < t->n; i++) {
		unsigned weight = t->entries[i].weight;

		if (!t->entries[i].used)
			continue;
		t->weighted |= weight != 0;
		t->has_neg |= t->entries[i].neg;
		if (weight == 0)
			weight = 1;
		gcd = common_divisor(weight, gcd);
		if (weight > most)
			most = weight;
	}
	t->gcd = (uint16_t)gcd;
	t->most = (uint16_t)most;
	t->weights_known = true;
}

/* The entry of the family at a place; NULL: there are not as many.  Negated
 * ones have no place. */
static const struct table_entry *
entry_at(struct table *t, uint8_t af, uint32_t place)
{
	bool inet6 = af == PFK_AF_INET6;
	const uint32_t *order;

	if (t->order == NULL)		/* an empty table */
		return NULL;
	order = t->order + (inet6 ? t->naddrs[0] : 0);
	if (!t->weights_known)
		sum_up_weights(t);
	if (!t->has_neg)
		return place < t->naddrs[inet6] ?
		    &t->entries[order[place]] : NULL;
	for (uint32_t i = 0; i < t->naddrs[inet6]; i++)
		if (!t->entries[order[i]].neg && place-- == 0)
			return &t->entries[order[i]];
	return NULL;
}

static void
addr_next(struct pfk_addr *a, uint8_t af)
{
	for (unsigned i = addr_bits((enum pfk_af)af) / 8; i-- > 0;)
		if (++a->b[i] != 0)
			break;
}

/* The last address of the prefix around a. */
static void
addr_last(struct pfk_addr *a, unsigned bits, uint8_t af)
{
	struct pfk_addr mask;

	addr_prefix_mask(&mask, bits);
	for (unsigned i = 0; i < addr_bits((enum pfk_af)af) / 8; i++)
		a->b[i] |= (uint8_t)~mask.b[i];
}

static bool
in_block(const struct table_entry *b, const struct pfk_addr *a)
{
	struct pfk_addr mask;

	addr_prefix_mask(&mask, b->bits);
	return addr_match_mask(&b->addr, &mask, a, (enum pfk_af)b->af);
}

/*
 * Moves the address past longer prefixes inside of the block; false: to its
 * end.
 */
static bool
skip_nested(const struct table *t, const struct table_entry *block,
    struct pfk_addr *a)
{
	const struct prefix_tree *tree = &t->tree[block->af == PFK_AF_INET6];

	for (;;) {
		uint32_t i = prefix_match(tree, block->af, a);
		const struct table_entry *found;

		if (i == PREFIX_NONE || &t->entries[i >> 1] == block)
			return true;
		found = &t->entries[i >> 1];
		addr_last(a, found->bits, block->af);
		addr_next(a, block->af);
		if (!in_block(block, a))
			return false;
	}
}

int
table_next(struct pfk_engine *e, uint32_t table, uint8_t af,
    struct table_turn *turn, struct pfk_addr *addr, struct pfk_addr *mask)
{
	struct table *t = table_active(e, table);
	uint32_t place = turn->index, n;
	bool use_counter = turn->started;

	if (t == NULL || !table_sort(e, t))
		return -1;
	n = t->naddrs[af == PFK_AF_INET6];
	if (!turn->started || place >= t->naddrs[0] + t->naddrs[1]) {
		place = 0;
		use_counter = false;
	}
	/* each block once, and the one begun a second time from its start */
	for (uint32_t tries = 0; tries <= n; tries++, place++) {
		const struct table_entry *block = entry_at(t, af, place);
		struct pfk_addr a;

		if (block == NULL) {
			place = 0;
			if ((block = entry_at(t, af, 0)) == NULL)
				break;
		}
		a = block->addr;
		if (use_counter && !addr_is_zero(&turn->counter,
		    (enum pfk_af)af)) {
			use_counter = false;
			if (!in_block(block, &turn->counter))
				continue;
			a = turn->counter;
		}
		use_counter = false;
		if (!skip_nested(t, block, &a))
			continue;
		turn->index = place;
		turn->weight = block->weight != 0 ? block->weight : 1;
		turn->counter = a;
		turn->started = true;
		*addr = block->addr;
		addr_prefix_mask(mask, block->bits);
		t->asks[true]++;
		return 0;
	}
	t->asks[false]++;
	return -1;
}

bool
table_weights(struct pfk_engine *e, uint32_t table, unsigned *gcd,
    unsigned *most)
{
	struct table *t = table_active(e, table);

	if (t == NULL)
		return false;
	if (!t->weights_known)
		sum_up_weights(t);
	*gcd = t->gcd;
	*most = t->most;
	return t->weighted;
}
