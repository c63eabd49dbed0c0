/*
 * Addresses of tables: hosts of a few networks, or prefixes of both
 * families in lengths as the Internet's routes have them.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

struct share { uint8_t bits; unsigned percent; };

static const struct share lengths4[] = { { 24, 50 }, { 23, 9 }, { 22, 12 },
    { 21, 5 }, { 20, 5 }, { 19, 3 }, { 18, 2 }, { 17, 1 }, { 16, 3 },
    { 32, 10 } };
static const struct share lengths6[] = { { 48, 46 }, { 44, 9 }, { 40, 9 },
    { 36, 5 }, { 32, 13 }, { 29, 3 }, { 56, 5 }, { 64, 10 } };

static uint8_t
pick(const struct share *s, struct random *r)
{
	unsigned at = random_below(r, 100);

	while (at >= s->percent) {
		at -= s->percent;
		s++;
	}
	return s->bits;
}

static void
address(struct pfk_table_entry *e, struct random *r)
{
	unsigned bytes = e->af == 4 ? 4 : 16;
	uint64_t x = random_u64(r), y = random_u64(r);

	memset(e->addr, 0, sizeof(e->addr));
	memcpy(e->addr, &x, 8);
	memcpy(e->addr + 8, &y, 8);
	if (e->af == 4) {
		memset(e->addr + 4, 0, 12);
		e->addr[0] = (uint8_t)(1 + e->addr[0] % 223);
	} else {		/* 2000::/3, few of its largest parts */
		e->addr[0] = (uint8_t)(0x20 | (e->addr[0] & 0x0b));
		e->addr[1] &= 0x0f;
	}
	for (unsigned i = 0; i < bytes; i++) {
		unsigned left = i * 8 >= e->bits ? 0 : e->bits - i * 8u;

		if (left < 8)
			e->addr[i] &= (uint8_t)(0xff00 >> left);
	}
}

static uint64_t
hash(const struct pfk_table_entry *e)
{
	uint64_t x, y;

	memcpy(&x, e->addr, 8);
	memcpy(&y, e->addr + 8, 8);
	return mix64(x ^ mix64(y ^ (uint64_t)e->bits << 8 ^ e->af));
}

/* Fills in entry i with one that is not there before it. */
static void
another(struct pfk_table_entry *all, uint32_t *seen, size_t mask, size_t i,
    bool hosts, struct random *r)
{
	struct pfk_table_entry *e = &all[i];
	size_t at;

	for (;;) {
		e->af = hosts || random_below(r, 2) == 0 ? 4 : 6;
		e->bits = hosts ? 32 : pick(e->af == 4 ? lengths4 : lengths6,
		    r);
		address(e, r);
		for (at = hash(e) & mask; seen[at] != 0; at = (at + 1) & mask)
			if (memcmp(&all[seen[at] - 1], e, sizeof(*e)) == 0)
				break;
		if (seen[at] == 0)
			break;
	}
	seen[at] = (uint32_t)i + 1;
}

struct pfk_table_entry *
prefixes_new(size_t n, bool hosts, uint64_t seed)
{
	struct pfk_table_entry *all = calloc(n, sizeof(*all));
	size_t size = 1;
	uint32_t *seen;
	struct random r;

	random_seed(&r, seed);
	while (size < 2 * n)
		size *= 2;
	seen = calloc(size, sizeof(*seen));
	if (all == NULL || seen == NULL)
		die("no memory");
	for (size_t i = 0; i < n; i++)
		another(all, seen, size - 1, i, hosts, &r);
	free(seen);
	return all;
}

void
prefixes_text(const struct pfk_table_entry *e, size_t n, struct text *t)
{
	for (; n > 0; n--, e++) {
		if (e->af == 4) {
			text_add(t, "%u.%u.%u.%u/%u\n", e->addr[0], e->addr[1],
			    e->addr[2], e->addr[3], e->bits);
			continue;
		}
		for (unsigned i = 0; i < 8; i += 2)
			text_add(t, "%x:", e->addr[i] << 8 | e->addr[i + 1]);
		text_add(t, ":/%u\n", e->bits);
	}
}
