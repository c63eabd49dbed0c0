/*
 * The hash of a state's key: SipHash-1-3 under the engine's key, as
 * base/hash.c's, but over whole words and open to the compiler.
 *
 * What of a key says something goes in: an IPv4 key has its addresses in 8 of
 * 32 bytes, so it is two words; an IPv6 key is five.  The last word of both
 * has ports, routing domain, family and protocol.  No hash is 0.
 */
#ifndef RUNTIME_STATE_HASH_H
#define RUNTIME_STATE_HASH_H

#include "base/hash.h"

struct sip { uint64_t a, b, c, d; };

static inline uint64_t
sip_rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void
sip_round(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = sip_rotl(s->b, 13) ^ s->a;
	s->d = sip_rotl(s->d, 16) ^ s->c;
	s->a = sip_rotl(s->a, 32) + s->d;
	s->c += s->b;
	s->d = sip_rotl(s->d, 21) ^ s->a;
	s->b = sip_rotl(s->b, 17) ^ s->c;
	s->c = sip_rotl(s->c, 32);
}

static inline uint32_t
state_hash_words(const struct siphash_key *key, const uint64_t *w, unsigned n)
{
	struct sip s = {
		key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u
	};

	uint32_t hash;

	for (unsigned i = 0; i <= n; i++) {
		uint64_t m = i < n ? w[i] : (uint64_t)n << 59;

		s.d ^= m;
		sip_round(&s);
		s.a ^= m;
	}
	s.c ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	hash = (uint32_t)(s.a ^ s.b ^ s.c ^ s.d);
	return hash + (hash == 0);
}

#endif
