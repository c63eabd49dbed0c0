/*
 * An index of prefixes, inside: its slots and arrays, for prefix_index.c, which
 * makes them and says what they are, and prefix_some.c, which asks.
 *
 * A slot, and the tree's top:
 *
 *	 31 30 29 28 27    23 22		  0
 *	+--+-----+------------------------------------+
 *	|0 |state|  bucket's unit, or one of these:   |
 *	|1 |state|head| bits |  array's first unit    |
 *	+--+-----+------------------------------------+
 *
 * No bucket has a number below PREFIX_UNIT0: there, the number is the state
 * of all addresses of the slot.  A head takes the unit before the slots.
 */
#ifndef RUNTIME_PREFIX_SLOT_H
#define RUNTIME_PREFIX_SLOT_H

#include <assert.h>

#include "runtime/prefix_int.h"

#define IS_ARRAY	0x80000000u
#define STATE_SHIFT	29
#define STATE_MASK	(3u << STATE_SHIFT)
#define HAS_HEAD	0x10000000u
#define BITS_SHIFT	23
#define UNIT_MASK	(PREFIX_UNITS - 1)
#define REF_MASK	((HAS_HEAD << 1) - 1)

static_assert(PREFIX_WALK < PREFIX_UNIT0, "states and units differ");

struct head { uint64_t hi, lo; uint32_t bits; };

static inline unsigned
array_bits(uint32_t ref)
{
	return ref >> BITS_SHIFT & 31;
}

static inline uint32_t *
array_slots(const struct prefix_index *x, uint32_t ref)
{
	uint32_t unit = ref & UNIT_MASK;

	return prefix_mem_at(x, ref & HAS_HEAD ? unit + 1 : unit);
}

/* The head as the node that it was made of, without children. */
static inline struct prefix_node
array_head(const struct prefix_index *x, uint32_t ref)
{
	const struct head *h = prefix_mem_at(x, ref & UNIT_MASK);

	return (struct prefix_node){ .hi = h->hi, .lo = h->lo,
	    .bits = (uint8_t)h->bits };
}

/* From the top on: a reference, and how many bits have led to it. */
struct place { uint32_t ref; unsigned at, state; };

/* One array down; false: the address is not below the array's head. */
static inline bool
descend(const struct prefix_index *x, struct key k, struct place *p)
{
	unsigned bits = array_bits(p->ref), state;
	uint32_t slot;

	if (p->ref & HAS_HEAD) {
		struct prefix_node head = array_head(x, p->ref);

		if (!node_covers(&head, k))
			return false;
		p->at = head.bits;
	}
	slot = array_slots(x, p->ref)[key_bits(k, p->at, bits)];
	p->at += bits;
	p->ref = slot;
	state = slot >> STATE_SHIFT & 3;
	p->state = state != PREFIX_ABOVE ? state : p->state;
	return true;
}

#endif
