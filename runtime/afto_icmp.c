/*
 * af-to: messages of ICMP in the other family's types, codes, MTUs and
 * pointers, as pf maps them (near RFC 7915).
 */
#include "runtime/afto.h"

#define ANY	0xff
#define SAME	0xff

enum extra { NOTHING, MTU, POINTER, POINTER_NEXT };

struct map {
	uint8_t	type, code;		/* from; code ANY */
	uint8_t	to_type, to_code;	/* code SAME */
	uint8_t	extra;
};

static const struct map to_icmp6[] = {
	{ 8, ANY, 128, SAME, NOTHING },		/* echo request, reply */
	{ 0, ANY, 129, SAME, NOTHING },
	{ 3, 0, 1, 0, NOTHING },		/* net, host: no route */
	{ 3, 1, 1, 0, NOTHING },
	{ 3, 6, 1, 0, NOTHING },
	{ 3, 7, 1, 0, NOTHING },
	{ 3, 8, 1, 0, NOTHING },
	{ 3, 11, 1, 0, NOTHING },
	{ 3, 12, 1, 0, NOTHING },
	{ 3, 3, 1, 4, NOTHING },		/* port */
	{ 3, 9, 1, 1, NOTHING },		/* prohibited */
	{ 3, 10, 1, 1, NOTHING },
	{ 3, 13, 1, 1, NOTHING },
	{ 3, 15, 1, 1, NOTHING },
	{ 3, 2, 4, 1, POINTER_NEXT },		/* protocol */
	{ 3, 4, 2, 0, MTU },			/* too big */
	{ 11, ANY, 3, SAME, NOTHING },		/* time exceeded */
	{ 12, 0, 4, 0, POINTER },		/* parameter problem */
	{ 12, 2, 4, 0, POINTER },
};
static const struct map to_icmp4[] = {
	{ 128, ANY, 8, SAME, NOTHING },
	{ 129, ANY, 0, SAME, NOTHING },
	{ 1, 0, 3, 1, NOTHING },
	{ 1, 2, 3, 1, NOTHING },
	{ 1, 3, 3, 1, NOTHING },
	{ 1, 1, 3, 10, NOTHING },
	{ 1, 4, 3, 3, NOTHING },
	{ 2, ANY, 3, 4, MTU },
	{ 3, ANY, 11, SAME, NOTHING },
	{ 4, 0, 12, 0, POINTER },
	{ 4, 1, 3, 2, NOTHING },
};

/* Bytes of one header that a pointer may mean, and which of the other's. */
struct range { uint8_t first, last, to; };
static const struct range pointer6[] = {	/* IPv4's to IPv6's */
	{ 0, 0, 0 }, { 1, 1, 1 }, { 2, 3, 4 }, { 8, 8, 7 }, { 9, 9, 6 },
	{ 12, 15, 8 }, { 16, 19, 24 },
};
static const struct range pointer4[] = {
	{ 0, 0, 0 }, { 1, 1, 1 }, { 4, 5, 2 }, { 6, 6, 9 }, { 7, 7, 8 },
	{ 8, 23, 12 }, { 24, 39, 16 },
};

#define LENGTH(a)	(sizeof(a) / sizeof((a)[0]))

static int
map_pointer(const struct range *r, size_t n, uint32_t pointer)
{
	for (; n > 0; n--, r++)
		if (pointer >= r->first && pointer <= r->last)
			return r->to;
	return -1;
}

static const struct map *
find_map(uint8_t from_af, uint8_t type, uint8_t code)
{
	bool v6 = from_af == PFK_AF_INET6;
	const struct map *m = v6 ? to_icmp4 : to_icmp6;
	size_t n = v6 ? LENGTH(to_icmp4) : LENGTH(to_icmp6);

	for (; n > 0; n--, m++)
		if (m->type == type && (m->code == ANY || m->code == code))
			return m;
	return NULL;
}

/* The second word of an IPv6 message: MTU or pointer of IPv4's. */
static bool
second_word4(const struct map *m, uint8_t *icmp)
{
	int pointer;

	switch (m->extra) {
	case MTU:
		put32(icmp + 4, get32(icmp + 4) - 20);
		return true;
	case POINTER:
		pointer = map_pointer(pointer4, LENGTH(pointer4),
		    get32(icmp + 4));
		if (pointer < 0)
			return false;
		put32(icmp + 4, (uint32_t)pointer << 24);
		return true;
	default:
		return true;
	}
}

static bool
second_word6(const struct map *m, uint8_t *icmp)
{
	int pointer;

	switch (m->extra) {
	case MTU:
		put16(icmp + 6, (uint16_t)(get16(icmp + 6) + 20));
		return true;
	case POINTER_NEXT:
		put32(icmp + 4, 6);
		return true;
	case POINTER:
		pointer = map_pointer(pointer6, LENGTH(pointer6), icmp[4]);
		if (pointer < 0)
			return false;
		put32(icmp + 4, (uint32_t)pointer);
		return true;
	default:
		return true;
	}
}

bool
afto_icmp(uint8_t from_af, uint8_t *icmp)
{
	const struct map *m = find_map(from_af, icmp[0], icmp[1]);

	if (m == NULL || !(from_af == PFK_AF_INET6 ? second_word4(m, icmp) :
	    second_word6(m, icmp)))
		return false;
	icmp[0] = m->to_type;
	if (m->to_code != SAME)
		icmp[1] = m->to_code;
	return true;
}

bool
afto_icmp_possible(uint8_t from_af, const uint8_t *icmp)
{
	uint8_t copy[8];

	for (int i = 0; i < 8; i++)
		copy[i] = icmp[i];
	return afto_icmp(from_af, copy);
}
