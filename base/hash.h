/*
 * SipHash-2-4 and -1-3 (Aumasson, Bernstein, 2012), keyed; FNV-1a for
 * the compiler's own symbol tables; CRC-32C for image checksums.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key { uint64_t k0, k1; };

uint64_t siphash24(const struct siphash_key *, const void *, size_t);
uint64_t siphash13(const struct siphash_key *, const void *, size_t);
uint32_t hash_fnv1a(const void *, size_t);
uint32_t crc32c(uint32_t crc, const void *, size_t);

#endif
