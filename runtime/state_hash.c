/*
 * The hash of a state's key, in two ways (state_hash.h).
 *
 * Packets of a burst are hashed one after the other in a loop of their own:
 * a processor has several of them under way at once.
 */
#include <string.h>

#include "runtime/lane.h"

/* ---- SipHash-1-3 over whole words ---- */

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
sip_words(const struct siphash_key *key, const uint64_t *w, unsigned n)
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

static void
sip_packets(const struct siphash_key *key, struct lane_packet *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		l[i].hash = sip_words(key, l[i].key, l[i].v6 ? 5 : 2);
}

/* ---- AES ---- */

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <wmmintrin.h>

#define HAVE_AES	(__builtin_cpu_supports("aes") != 0)
#define WITH_AES	__attribute__((__target__("aes")))

struct aes { __m128i k[5]; };

static inline WITH_AES struct aes
aes_keys(const struct state_hasher *h)
{
	struct aes a;

	for (int i = 0; i < 5; i++)
		a.k[i] = _mm_loadu_si128((const void *)h->round[i]);
	return a;
}

static inline WITH_AES __m128i
aes_mix(const struct aes *a, __m128i x)
{
	for (int i = 1; i < 5; i++)
		x = _mm_aesenc_si128(x, a->k[i]);
	return x;
}

static inline WITH_AES uint32_t
aes_end(__m128i x)
{
	uint32_t hash = (uint32_t)_mm_cvtsi128_si32(x);

	return hash + (hash == 0);
}

static inline WITH_AES uint32_t
aes_two(const struct aes *a, const uint64_t *w)
{
	__m128i x = _mm_loadu_si128((const void *)w);

	return aes_end(aes_mix(a, _mm_xor_si128(x, a->k[0])));
}

static inline WITH_AES uint32_t
aes_five(const struct aes *a, const uint64_t *w)
{
	__m128i x = a->k[0];

	for (int i = 0; i < 2; i++)
		x = aes_mix(a, _mm_xor_si128(x,
		    _mm_loadu_si128((const void *)(w + 2 * i))));
	return aes_end(aes_mix(a, _mm_xor_si128(x,
	    _mm_loadl_epi64((const void *)(w + 4)))));
}

static WITH_AES uint32_t
aes_words(const struct state_hasher *h, const uint64_t *w, unsigned n)
{
	struct aes a = aes_keys(h);

	return n == 2 ? aes_two(&a, w) : aes_five(&a, w);
}

static WITH_AES void
aes_packets(const struct state_hasher *h, struct lane_packet *l, size_t n)
{
	struct aes a = aes_keys(h);

	for (size_t i = 0; i < n; i++)
		l[i].hash = l[i].v6 ? aes_five(&a, l[i].key) :
		    aes_two(&a, l[i].key);
}

#else
#define HAVE_AES		false
#define aes_words(h, w, n)	0
#define aes_packets(h, l, n)	((void)0)
#endif

/* ---- either ---- */

void
state_hasher_init(struct state_hasher *h, const struct siphash_key *key,
    bool aes)
{
	uint64_t w[2];

	h->sip = *key;
	h->aes = aes && HAVE_AES;
	for (uint8_t i = 0; i < 5; i++)
		for (uint8_t half = 0; half < 2; half++) {
			w[half] = siphash24(key, (uint8_t[]){ i, half }, 2);
			memcpy(h->round[i] + half * 8, &w[half], 8);
		}
}

uint32_t
state_hash_words(const struct state_hasher *h, const uint64_t *w, unsigned n)
{
	return h->aes ? aes_words(h, w, n) : sip_words(&h->sip, w, n);
}

void
state_hash_packets(const struct state_hasher *h, struct lane_packet *l,
    size_t n)
{
	if (h->aes)
		aes_packets(h, l, n);
	else
		sip_packets(&h->sip, l, n);
}
