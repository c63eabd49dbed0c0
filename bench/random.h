/*
 * Chance for the generators: xorshift128+, seeded with splitmix64.
 */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

struct random { uint64_t s[2]; };

/* A number that looks random and depends on x alone. */
static inline uint64_t
mix64(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static inline void
random_seed(struct random *r, uint64_t seed)
{
	r->s[0] = mix64(seed);
	r->s[1] = mix64(seed + 1) | 1;
}

static inline uint64_t
random_u64(struct random *r)
{
	uint64_t a = r->s[0], b = r->s[1];

	r->s[0] = b;
	a ^= a << 23;
	r->s[1] = a ^ b ^ a >> 18 ^ b >> 5;
	return r->s[1] + b;
}

/* 0 <= result < n */
static inline uint32_t
random_below(struct random *r, uint32_t n)
{
	return (uint32_t)((random_u64(r) >> 32) * n >> 32);
}

#endif
