/*
 * Numbers for byte strings: an open hash table over strings that lie one
 * behind the other in one buffer.
 */
#include <string.h>

#include "base/hash.h"
#include "compiler/optimize_int.h"

#define INTERN_MIN	16	/* slots; a power of two */

void
intern_init(struct intern *t, struct arena *arena)
{
	memset(t, 0, sizeof(*t));
	t->arena = arena;
	strbuf_init(&t->bytes, arena);
}

/* Makes `size` slots usable and fills them anew. */
static void
intern_resize(struct intern *t, uint32_t size)
{
	uint32_t slot;

	if (size > t->cap) {
		t->slots = arena_alloc(t->arena, size * sizeof(*t->slots));
		t->cap = size;
	} else
		memset(t->slots, 0, size * sizeof(*t->slots));
	t->mask = size - 1;
	for (size_t i = 0; i < t->entries.n; i++) {
		slot = t->entries.v[i].hash & t->mask;
		while (t->slots[slot] != 0)
			slot = (slot + 1) & t->mask;
		t->slots[slot] = (uint32_t)i + 1;
	}
}

void
intern_reset(struct intern *t)
{
	t->entries.n = 0;
	t->bytes.len = 0;
	intern_resize(t, INTERN_MIN);
}

/* The slot that holds the string, or the free one where it belongs. */
static uint32_t
intern_slot(const struct intern *t, uint32_t hash, const void *key, size_t len)
{
	const struct intern_entry *e;
	uint32_t slot;

	for (slot = hash & t->mask; t->slots[slot] != 0;
	    slot = (slot + 1) & t->mask) {
		e = &t->entries.v[t->slots[slot] - 1];
		if (e->hash == hash && e->len == len &&
		    memcmp(t->bytes.s + e->off, key, len) == 0)
			break;
	}
	return slot;
}

uint32_t
intern_find(const struct intern *t, const void *key, size_t len)
{
	return t->slots[intern_slot(t, hash_fnv1a(key, len), key, len)];
}

uint32_t
intern_add(struct intern *t, const void *key, size_t len)
{
	uint32_t hash = hash_fnv1a(key, len);
	uint32_t slot = intern_slot(t, hash, key, len);
	struct intern_entry e;

	if (t->slots[slot] != 0)
		return t->slots[slot];
	e = (struct intern_entry){ hash, (uint32_t)t->bytes.len,
	    (uint32_t)len };
	strbuf_add(&t->bytes, key, len);
	vec_push(t->arena, &t->entries, e);
	t->slots[slot] = (uint32_t)t->entries.n;
	if (t->entries.n * 2 > t->mask)
		intern_resize(t, (t->mask + 1) * 2);
	return (uint32_t)t->entries.n;
}
