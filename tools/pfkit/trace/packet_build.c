/*
 * The bytes of a packet that was told in words: headers, right checksums, no
 * data.
 */
#include <string.h>

#include "trace.h"

#define OFFSET		1480	/* of a fragment */
#define MORE_FRAGMENTS	0x2000
#define FRAGMENT_HEADER	44

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t
sum(uint32_t s, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i + 1 < n; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	return s;
}

static unsigned
fold(uint32_t s)
{
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

static uint32_t
build_tcp(const struct packet *k, uint8_t *p)
{
	memcpy(p, &k->src.port, 2);
	memcpy(p + 2, &k->dst.port, 2);
	put32(p + 4, k->seq);
	put32(p + 8, k->ack);
	p[12] = 5 << 4;
	p[13] = k->tcp_flags;
	put16(p + 14, 65535);
	return 20;
}

static uint32_t
build_udp(const struct packet *k, uint8_t *p)
{
	memcpy(p, &k->src.port, 2);
	memcpy(p + 2, &k->dst.port, 2);
	put16(p + 4, 8);
	return 8;
}

static uint32_t
build_icmp(const struct packet *k, uint8_t *p)
{
	p[0] = k->icmp_type;
	p[1] = k->icmp_code;
	memcpy(p + 4, &k->src.port, 2);
	/* neighbours and listeners are asked about an address, here :: */
	return k->proto == ICMP6 && k->icmp_type >= 130 &&
	    k->icmp_type <= 137 ? 24 : 8;
}

static uint32_t
build_ip(const struct packet *k, uint8_t *p, uint32_t plen)
{
	if (k->af == 4) {
		p[0] = 0x45;
		p[1] = k->tos;
		put16(p + 2, 20 + plen);
		if (k->fragment)
			put16(p + 6, MORE_FRAGMENTS | OFFSET / 8);
		p[8] = k->ttl;
		p[9] = k->proto;
		memcpy(p + 12, k->src.addr, 4);
		memcpy(p + 16, k->dst.addr, 4);
		put16(p + 10, fold(sum(0, p, 20)));
		return 20;
	}
	if (k->fragment) {
		p[40] = k->proto;
		put16(p + 42, OFFSET | 1);	/* more follow */
		put32(p + 44, 1);		/* of which packet */
		plen += 8;
	}
	put32(p, 6u << 28 | (uint32_t)k->tos << 20);
	put16(p + 4, plen);
	p[6] = k->fragment ? FRAGMENT_HEADER : k->proto;
	p[7] = k->ttl;
	memcpy(p + 8, k->src.addr, 16);
	memcpy(p + 24, k->dst.addr, 16);
	return k->fragment ? 48 : 40;
}

/* Where the transport header has its checksum; 0: it has none. */
static uint32_t
checksum_at(uint8_t proto)
{
	return proto == TCP ? 16 : proto == UDP ? 6 :
	    proto == ICMP || proto == ICMP6 ? 2 : 0;
}

static void
put_checksum(const struct packet *k, uint8_t *ip, uint32_t hlen,
    uint32_t plen)
{
	uint32_t at = checksum_at(k->proto), addrs = k->af == 4 ? 8 : 32, s;

	if (at == 0)
		return;
	s = k->proto == ICMP ? 0 : sum(k->proto + plen, ip + hlen - addrs,
	    addrs);
	put16(ip + hlen + at, fold(sum(s, ip + hlen, plen)));
}

uint32_t
packet_build(const struct packet *k, uint8_t bytes[PACKET_SIZE])
{
	uint32_t hlen = k->af == 4 ? 20 : 40, plen;
	uint8_t *th = bytes + hlen;

	memset(bytes, 0, PACKET_SIZE);
	if (k->fragment)		/* eight bytes of somewhere inside */
		return build_ip(k, bytes, 8) + 8;
	plen = k->proto == TCP ? build_tcp(k, th) : k->proto == UDP ?
	    build_udp(k, th) : k->proto == ICMP || k->proto == ICMP6 ?
	    build_icmp(k, th) : 8;
	(void)build_ip(k, bytes, plen);
	put_checksum(k, bytes, hlen, plen);
	return hlen + plen;
}
