/*
 * A bucket (prefix_bucket.c), asked: how many of its ends lie before a key.
 *
 *	 0	     8   9   10      12			     32, 64 or 128
 *	+-----------+---+---+---+---+-----------------------+
 *	| states    | n | k | s |   | n ends		    |
 *	+-----------+---+---+---+---+-----------------------+
 *
 * Ends of 19 bits are in eight parts, by their first three bits, and 16 bits
 * are written: a part's ends lie behind all those of the parts before it.  So
 * a network's hosts need no more room than its networks.
 *
 *	12		  20	22
 *	+-----------------+-----+-----------------------------+
 *	| a part's first  | n   | n ends, by part	      |
 *	+-----------------+-----+-----------------------------+
 *
 * All ends of a line are compared at once, without a loop: what lies before
 * them is compared, too, and shifted out; a bucket of half a line is looked at
 * with all of it.  As ends ascend, those before the key are the lowest bits of
 * what is left.
 *
 * Ends have their highest bit turned over, because processors compare many
 * numbers only as if these had a sign; those of 128 bits are as they are.
 */
#ifndef RUNTIME_PREFIX_BUCKET_H
#define RUNTIME_PREFIX_BUCKET_H

#include <string.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HAVE_WIDE_LINES	1
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/bits.h"
#include "runtime/lane.h"
#include "runtime/prefix_int.h"

#define BUCKET_LINE	64u

/* Bytes: see above. */
enum { BUCKET_N = 8, BUCKET_KIND, BUCKET_SIZE, BUCKET_PARTS = 12 };

#define PARTS_BITS	3		/* 8 parts */

/*
 * Ends of so many bits; LONG: in two lines.  Below PREFIX_UNIT0 all memory is
 * 0, so that what seems to be a bucket there is none.
 */
enum { KIND_NONE, KIND_16, KIND_19, KIND_32, KIND_64, KIND_128, KIND_LONG = 8,
    KINDS = KIND_LONG + KIND_128 + 1 };

static inline unsigned
kind_short(unsigned kind)
{
	return kind & ~(unsigned)KIND_LONG;
}

/* What is written of an end: bytes, as a power of two. */
static inline unsigned
kind_width(unsigned kind)
{
	return kind_short(kind) <= KIND_19 ? 1 : kind_short(kind) - 1;
}

/* Where ends begin. */
static inline unsigned
kind_head(unsigned kind)
{
	return kind_short(kind) == KIND_19 ? 22 : kind_width(kind) <= 2 ? 12 :
	    16;
}

/* ---- a line: a bit for each 16, 32 or 64 bits, whether they are less ---- */

typedef uint64_t line_less(const uint8_t *line, uint64_t key);

static inline uint64_t
less16_plain(const uint8_t *line, uint64_t key)
{
	int16_t v[BUCKET_LINE / 2], k;
	uint64_t m = 0;
	uint16_t first = (uint16_t)(key >> 48 ^ 0x8000);

	memcpy(v, line, sizeof(v));
	memcpy(&k, &first, sizeof(k));
	for (unsigned i = 0; i < BUCKET_LINE / 2; i++)
		m |= (uint64_t)(v[i] < k) << i;
	return m;
}

static inline uint64_t
less32_plain(const uint8_t *line, uint64_t key)
{
	int32_t v[BUCKET_LINE / 4], k;
	uint64_t m = 0;
	uint32_t first = (uint32_t)(key >> 32) ^ 0x80000000u;

	memcpy(v, line, sizeof(v));
	memcpy(&k, &first, sizeof(k));
	for (unsigned i = 0; i < BUCKET_LINE / 4; i++)
		m |= (uint64_t)(v[i] < k) << i;
	return m;
}

static inline uint64_t
less64_plain(const uint8_t *line, uint64_t key)
{
	int64_t v[BUCKET_LINE / 8], k;
	uint64_t m = 0;

	key ^= (uint64_t)1 << 63;
	memcpy(v, line, sizeof(v));
	memcpy(&k, &key, sizeof(k));
	for (unsigned i = 0; i < BUCKET_LINE / 8; i++)
		m |= (uint64_t)(v[i] < k) << i;
	return m;
}

#ifdef __SSE2__
static inline __m128i
line_part(const uint8_t *p)
{
	return _mm_load_si128((const __m128i *)(const void *)p);
}

static inline __m128i
sixteen_less(const uint8_t *p, __m128i k)	/* 16 x 16 bits: bytes */
{
	return _mm_packs_epi16(_mm_cmpgt_epi16(k, line_part(p)),
	    _mm_cmpgt_epi16(k, line_part(p + 16)));
}

static inline uint64_t
less16_narrow(const uint8_t *line, uint64_t key)
{
	__m128i k = _mm_set1_epi16((int16_t)(key >> 48 ^ 0x8000));

	return (uint64_t)(unsigned)_mm_movemask_epi8(sixteen_less(line, k)) |
	    (uint64_t)(unsigned)_mm_movemask_epi8(sixteen_less(line + 32,
	    k)) << 16;
}

static inline __m128i
eight_less(const uint8_t *p, __m128i k)		/* 8 x 32 bits: 16 bits */
{
	return _mm_packs_epi32(_mm_cmpgt_epi32(k, line_part(p)),
	    _mm_cmpgt_epi32(k, line_part(p + 16)));
}

static inline uint64_t
less32_narrow(const uint8_t *line, uint64_t key)
{
	__m128i k = _mm_set1_epi32((int32_t)((uint32_t)(key >> 32) ^
	    0x80000000u));

	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(
	    eight_less(line, k), eight_less(line + 32, k)));
}
#else
#define less16_narrow	less16_plain
#define less32_narrow	less32_plain
#endif
#define less64_narrow	less64_plain

#ifdef HAVE_WIDE_LINES
#define WIDE_LINES	__attribute__((__target__("avx2,bmi,bmi2")))

WIDE_LINES static inline __m256i
half_line(const uint8_t *p)
{
	return _mm256_load_si256((const __m256i *)(const void *)p);
}

/* Packing works on halves of a word by themselves: they are put in order. */
WIDE_LINES static inline uint64_t
less16_wide(const uint8_t *line, uint64_t key)
{
	__m256i k = _mm256_set1_epi16((int16_t)(key >> 48 ^ 0x8000));
	__m256i both = _mm256_packs_epi16(_mm256_cmpgt_epi16(k,
	    half_line(line)), _mm256_cmpgt_epi16(k, half_line(line + 32)));

	return (unsigned)_mm256_movemask_epi8(_mm256_permute4x64_epi64(both,
	    0xd8));
}

WIDE_LINES static inline uint64_t
bits32_wide(__m256i v)
{
	return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(v));
}

WIDE_LINES static inline uint64_t
less32_wide(const uint8_t *line, uint64_t key)
{
	__m256i k = _mm256_set1_epi32((int32_t)((uint32_t)(key >> 32) ^
	    0x80000000u));

	return bits32_wide(_mm256_cmpgt_epi32(k, half_line(line))) |
	    bits32_wide(_mm256_cmpgt_epi32(k, half_line(line + 32))) << 8;
}

WIDE_LINES static inline uint64_t
bits64_wide(__m256i v)
{
	return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(v));
}

WIDE_LINES static inline uint64_t
less64_wide(const uint8_t *line, uint64_t key)
{
	__m256i k = _mm256_set1_epi64x((int64_t)(key ^ (uint64_t)1 << 63));

	return bits64_wide(_mm256_cmpgt_epi64(k, half_line(line))) |
	    bits64_wide(_mm256_cmpgt_epi64(k, half_line(line + 32))) << 4;
}
#endif

/* ---- a bucket ---- */

static inline unsigned
bucket_state(const uint8_t *b, unsigned interval)
{
	uint64_t states;

	memcpy(&states, b, sizeof(states));
	return states >> (2 * interval) & 3;
}

/*
 * Of any kind but of 128 bits; the key: without the bits before `from'.
 * => Inlined, with a kind and a function that are known.
 */
static ALWAYS_INLINE unsigned
bucket_ask(const uint8_t *b, unsigned kind, line_less *less, uint64_t key)
{
	unsigned width = kind_width(kind), half = (unsigned)((uintptr_t)b &
	    (BUCKET_LINE / 2)), first = 0, n = b[BUCKET_N];
	uint64_t before;

	if (kind_short(kind) == KIND_19) {
		const uint8_t *part = b + BUCKET_PARTS +
		    (key >> (64 - PARTS_BITS));

		first = part[0];
		n = part[1] - first;
		key <<= PARTS_BITS;
	}
	before = less(b - half, key);
	if (kind & KIND_LONG)
		before |= less(b + BUCKET_LINE, key) << (BUCKET_LINE >> width);
	before >>= ((half + kind_head(kind)) >> width) + first;
	return bucket_state(b, first + lowest_bit(~before |
	    (uint64_t)1 << n));
}

#endif
