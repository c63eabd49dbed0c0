/*
 * Columns of a strip (strip.h): many rows compared by one instruction, where
 * the processor has such.  Inline: strip_short.c asks them of each packet.
 */
#ifndef RUNTIME_STRIP_COLUMNS_H
#define RUNTIME_STRIP_COLUMNS_H

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HAVE_WIDE	1
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "runtime/strip.h"

static inline uint64_t
addrs_plain(const uint32_t *addr, const uint32_t *mask, uint32_t n,
    uint32_t a)
{
	uint64_t m = 0;

	for (uint32_t i = 0; i < n; i++)
		m |= (uint64_t)((a & mask[i]) == addr[i]) << i;
	return m;
}

static inline uint64_t
ports_plain(const uint16_t *low, const uint16_t *high, uint32_t n,
    uint16_t port)
{
	uint64_t m = 0;

	for (uint32_t i = 0; i < n; i++)
		m |= (uint64_t)((port >= low[i]) & (port <= high[i])) << i;
	return m;
}

#ifdef __SSE2__
static inline __m128i
load(const void *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

static inline __m128i
four_fit(const uint32_t *addr, const uint32_t *mask, __m128i a)
{
	return _mm_cmpeq_epi32(_mm_and_si128(a, load(mask)), load(addr));
}

static inline uint64_t
addrs_narrow(const uint32_t *addr, const uint32_t *mask, uint32_t n,
    uint32_t a)
{
	__m128i v = _mm_set1_epi32((int)a);
	uint64_t m = 0;

	for (uint32_t i = 0; i < n; i += 16) {
		__m128i low = _mm_packs_epi32(four_fit(addr + i, mask + i, v),
		    four_fit(addr + i + 4, mask + i + 4, v));
		__m128i high = _mm_packs_epi32(
		    four_fit(addr + i + 8, mask + i + 8, v),
		    four_fit(addr + i + 12, mask + i + 12, v));

		m |= (uint64_t)(unsigned)_mm_movemask_epi8(
		    _mm_packs_epi16(low, high)) << i;
	}
	return m;
}

static inline __m128i
eight_fit(const uint16_t *low, const uint16_t *high, __m128i port)
{
	return _mm_cmpeq_epi16(_mm_or_si128(_mm_subs_epu16(load(low), port),
	    _mm_subs_epu16(port, load(high))), _mm_setzero_si128());
}

static inline uint64_t
ports_narrow(const uint16_t *low, const uint16_t *high, uint32_t n,
    uint16_t port)
{
	__m128i v = _mm_set1_epi16((short)port);
	uint64_t m = 0;

	for (uint32_t i = 0; i < n; i += 16)
		m |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_packs_epi16(
		    eight_fit(low + i, high + i, v),
		    eight_fit(low + i + 8, high + i + 8, v))) << i;
	return m;
}
#else
static inline uint64_t
addrs_narrow(const uint32_t *addr, const uint32_t *mask, uint32_t n,
    uint32_t a)
{
	return addrs_plain(addr, mask, n, a);
}

static inline uint64_t
ports_narrow(const uint16_t *low, const uint16_t *high, uint32_t n,
    uint16_t port)
{
	return ports_plain(low, high, n, port);
}
#endif

#ifdef HAVE_WIDE
#define WIDE		__attribute__((__target__("avx2,bmi")))

WIDE static inline uint64_t
eight_addrs(const uint32_t *addr, const uint32_t *mask, __m256i a)
{
	__m256i m = _mm256_loadu_si256((const __m256i *)(const void *)mask);
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)addr);

	return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(
	    _mm256_cmpeq_epi32(_mm256_and_si256(a, m), v)));
}

WIDE static inline uint64_t
addrs_wide(const uint32_t *addr, const uint32_t *mask, uint32_t n,
    uint32_t a)
{
	__m256i v = _mm256_set1_epi32((int)a);
	uint64_t m = 0;

	for (uint32_t i = 0; i < n; i += 16)
		m |= (eight_addrs(addr + i, mask + i, v) |
		    eight_addrs(addr + i + 8, mask + i + 8, v) << 8) << i;
	return m;
}

WIDE static inline uint64_t
ports_wide(const uint16_t *low, const uint16_t *high, uint32_t n,
    uint16_t port)
{
	__m256i v = _mm256_set1_epi16((short)port);
	uint64_t m = 0;

	for (uint32_t i = 0; i < n; i += 16) {
		__m256i l = _mm256_loadu_si256((const void *)(low + i));
		__m256i h = _mm256_loadu_si256((const void *)(high + i));
		__m256i fit = _mm256_cmpeq_epi16(_mm256_or_si256(
		    _mm256_subs_epu16(l, v), _mm256_subs_epu16(v, h)),
		    _mm256_setzero_si256());

		m |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_packs_epi16(
		    _mm256_castsi256_si128(fit),
		    _mm256_extracti128_si256(fit, 1))) << i;
	}
	return m;
}
#endif

#endif
