/*
 * SipHash as its paper gives it, FNV-1a, and a bytewise CRC-32C.
 */
#include <string.h>

#include "base/hash.h"

struct sip { uint64_t v0, v1, v2, v3; };

static uint64_t
rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32) + s->v3;
	s->v2 += s->v1;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static void
sip_rounds(struct sip *s, int n)
{
	while (n-- > 0)
		sip_round(s);
}

/* Up to 8 bytes as a little-endian number. */
static uint64_t
le64(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static uint64_t
siphash(const struct siphash_key *key, const void *data, size_t len,
    int c, int d)
{
	const unsigned char *p = data;
	struct sip s = {
		key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u
	};
	uint64_t m;
	size_t left;

	for (left = len; left >= 8; left -= 8, p += 8) {
		m = le64(p, 8);
		s.v3 ^= m;
		sip_rounds(&s, c);
		s.v0 ^= m;
	}
	m = le64(p, left) | (uint64_t)len << 56;
	s.v3 ^= m;
	sip_rounds(&s, c);
	s.v0 ^= m;
	s.v2 ^= 0xff;
	sip_rounds(&s, d);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t
siphash24(const struct siphash_key *key, const void *data, size_t len)
{
	return siphash(key, data, len, 2, 4);
}

uint64_t
siphash13(const struct siphash_key *key, const void *data, size_t len)
{
	return siphash(key, data, len, 1, 3);
}

uint32_t
hash_fnv1a(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t h = 2166136261u;

	while (len-- > 0)
		h = (h ^ *p++) * 16777619u;
	return h;
}

/* The reflected Castagnoli polynomial, four bits at a time. */
static uint32_t
crc_bytes(uint32_t crc, const unsigned char *p, size_t len)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75
	};

	while (len-- > 0) {
		crc ^= *p++;
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return crc;
}

/*
 * Eight bytes at a time ("slicing"): t[k][b] is what the byte b does to the
 * remainder k bytes later.  The tables are made for each long text anew, which
 * is nothing beside it.
 */
#define CRC_LONG	4096

static void
crc_tables(uint32_t t[8][256])
{
	for (unsigned b = 0; b < 256; b++) {
		const unsigned char byte = (unsigned char)b;

		t[0][b] = crc_bytes(0, &byte, 1);
	}
	for (unsigned k = 1; k < 8; k++)
		for (unsigned b = 0; b < 256; b++)
			t[k][b] = t[k - 1][b] >> 8 ^
			    t[0][t[k - 1][b] & 0xff];
}

static uint32_t
crc_long(uint32_t crc, const unsigned char *p, size_t len)
{
	uint32_t t[8][256];

	crc_tables(t);
	for (; len >= 8; len -= 8, p += 8) {
		uint64_t v = le64(p, 8) ^ crc;

		crc = t[7][v & 0xff] ^ t[6][v >> 8 & 0xff] ^
		    t[5][v >> 16 & 0xff] ^ t[4][v >> 24 & 0xff] ^
		    t[3][v >> 32 & 0xff] ^ t[2][v >> 40 & 0xff] ^
		    t[1][v >> 48 & 0xff] ^ t[0][v >> 56];
	}
	return crc_bytes(crc, p, len);
}

uint32_t
crc32c(uint32_t crc, const void *data, size_t len)
{
	return ~(len >= CRC_LONG ? crc_long(~crc, data, len) :
	    crc_bytes(~crc, data, len));
}
