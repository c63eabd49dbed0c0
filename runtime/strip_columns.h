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
#define WIDE		__attribute__((__target__("avx2,bmi,bmi2")))

WIDE static inline __m256i
wide_load(const void *p)
{
	return _mm256_loadu_si256(p);
}

WIDE static inline __m256i
eight_addrs(const uint32_t *addr, const uint32_t *mask, __m256i a)
{
	return _mm256_cmpeq_epi32(_mm256_and_si256(a, wide_load(mask)),
	    wide_load(addr));
}

WIDE static inline uint64_t
eight_bits(__m256i fit)
{
	return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(fit));
}

/* Packing works on halves of a word by themselves: they are put in order. */
WIDE static inline uint64_t
thirty_two_addrs(const uint32_t *addr, const uint32_t *mask, __m256i a)
{
	const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	__m256i low = _mm256_packs_epi32(eight_addrs(addr, mask, a),
	    eight_addrs(addr + 8, mask + 8, a));
	__m256i high = _mm256_packs_epi32(eight_addrs(addr + 16, mask + 16, a),
	    eight_addrs(addr + 24, mask + 24, a));

	return (unsigned)_mm256_movemask_epi8(_mm256_permutevar8x32_epi32(
	    _mm256_packs_epi16(low, high), order));
}

WIDE static inline uint64_t
addrs_wide(const uint32_t *addr, const uint32_t *mask, uint32_t n,
    uint32_t a)
{
	__m256i v = _mm256_set1_epi32((int)a);
	uint64_t m;

	if (n <= 16)
		return eight_bits(eight_addrs(addr, mask, v)) |
		    eight_bits(eight_addrs(addr + 8, mask + 8, v)) << 8;
	m = thirty_two_addrs(addr, mask, v);
	if (n > 32)
		m |= thirty_two_addrs(addr + 32, mask + 32, v) << 32;
	return m;
}

WIDE static inline __m256i
sixteen_ports(const uint16_t *low, const uint16_t *high, __m256i port)
{
	return _mm256_cmpeq_epi16(_mm256_or_si256(
	    _mm256_subs_epu16(wide_load(low), port),
	    _mm256_subs_epu16(port, wide_load(high))),
	    _mm256_setzero_si256());
}

WIDE static inline uint64_t
thirty_two_ports(const uint16_t *low, const uint16_t *high, __m256i port)
{
	return (unsigned)_mm256_movemask_epi8(_mm256_permute4x64_epi64(
	    _mm256_packs_epi16(sixteen_ports(low, high, port),
	    sixteen_ports(low + 16, high + 16, port)), 0xd8));
}

WIDE static inline uint64_t
ports_wide(const uint16_t *low, const uint16_t *high, uint32_t n,
    uint16_t port)
{
	__m256i v = _mm256_set1_epi16((short)port), fit;
	uint64_t m;

	if (n <= 16) {
		fit = sixteen_ports(low, high, v);
		return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(
		    _mm256_castsi256_si128(fit),
		    _mm256_extracti128_si256(fit, 1)));
	}
	m = thirty_two_ports(low, high, v);
	if (n > 32)
		m |= thirty_two_ports(low + 32, high + 32, v) << 32;
	return m;
}

/* ---- columns of sheets (strip_sheet.h): halves of words, lengths ---- */

WIDE static inline __m256i
sixteen_times(const uint8_t *half)
{
	return _mm256_set1_epi16((short)(half[0] | half[1] << 8));
}

WIDE static inline __m256i
sixteen_halves(const uint16_t *mask, const uint16_t *value, __m256i half)
{
	return _mm256_cmpeq_epi16(_mm256_and_si256(half, wide_load(mask)),
	    wide_load(value));
}

/* Ports from low on: not more than length behind it, modulo 2^16. */
WIDE static inline __m256i
sixteen_lengths(const uint16_t *low, const uint16_t *length, __m256i port)
{
	__m256i behind = _mm256_sub_epi16(port, wide_load(low));

	return _mm256_cmpeq_epi16(_mm256_min_epu16(behind, wide_load(length)),
	    behind);
}

/* Lanes in the order of strip_sheet_build.c: packing works on halves. */
WIDE static inline uint64_t
thirty_two_bits(__m256i low, __m256i high)
{
	return (unsigned)_mm256_movemask_epi8(_mm256_packs_epi16(low, high));
}

WIDE static inline bool
all_zero(__m256i v)
{
	return _mm256_testz_si256(v, v) != 0;
}
#endif

#endif
