/*
 * The number of a word's lowest bit, and of its highest.  => There is one.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdint.h>

static inline unsigned
lowest_bit(uint64_t m)
{
#if defined(__GNUC__) || defined(__clang__)
	return (unsigned)__builtin_ctzll(m);
#else
	unsigned i = 0;

	while (!(m >> i & 1))
		i++;
	return i;
#endif
}

static inline unsigned
highest_bit(uint64_t m)
{
#if defined(__GNUC__) || defined(__clang__)
	return 63u - (unsigned)__builtin_clzll(m);
#else
	unsigned i = 63;

	while (!(m >> i & 1))
		i--;
	return i;
#endif
}

#endif
