/*
 * The bytes of a packet that was told in words: headers, right checksums, no
 * data.
 */
#include <string.h>

#include "trace.h"

#define TCP_HEADER	20
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
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
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

/* Of the IP header and what stands between it and the transport's. */
static uint32_t
header_length(const struct packet *k)
{
	if (k->af == 4)
		return k->options ? 24 : 20;
	return 40u + (k->options ? 8u : 0u) + (k->fragment ? 8u : 0u);
}

/* Options: a router alert (RFC 2113), which is the one that is seen most. */
static void
build_ip4(const struct packet *k, uint8_t *p, uint32_t plen)
{
	static const uint8_t alert[4] = { 0x94, 4, 0, 0 };
	uint32_t hlen = header_length(k);

	p[0] = (uint8_t)(4 << 4 | hlen / 4);
	p[1] = k->tos;
	put16(p + 2, hlen + plen);
	if (k->fragment)
		put16(p + 6, MORE_FRAGMENTS | OFFSET / 8);
	p[8] = k->ttl;
	p[9] = k->proto;
	memcpy(p + 12, k->src.addr, 4);
	memcpy(p + 16, k->dst.addr, 4);
	if (k->options)
		memcpy(p + 20, alert, sizeof(alert));
	put16(p + 10, fold(sum(0, p, hlen)));
}

/* Options: a hop-by-hop header with a router alert (RFC 2711). */
static void
build_ip6(const struct packet *k, uint8_t *p, uint32_t plen)
{
	static const uint8_t alert[6] = { 5, 2, 0, 0, 1, 0 };
	uint8_t *next = p + 6, *at = p + 40;

	put32(p, 6u << 28 | (uint32_t)k->tos << 20);
	put16(p + 4, header_length(k) - 40 + plen);
	p[7] = k->ttl;
	memcpy(p + 8, k->src.addr, 16);
	memcpy(p + 24, k->dst.addr, 16);
	if (k->options) {
		*next = 0;
		memcpy(at + 2, alert, sizeof(alert));
		next = at;
		at += 8;
	}
	if (k->fragment) {
		*next = FRAGMENT_HEADER;
		put16(at + 2, OFFSET | 1);	/* more follow */
		put32(at + 4, 1);		/* of which packet */
		next = at;
	}
	*next = k->proto;
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
	uint32_t at = checksum_at(k->proto), s;

	if (at == 0 || k->fragment)
		return;
	s = k->proto == ICMP ? 0 : sum(k->proto + plen, ip + (k->af == 4 ?
	    12 : 8), k->af == 4 ? 8 : 32);
	put16(ip + hlen + at, fold(sum(s, ip + hlen, plen)));
}

uint32_t
packet_build(const struct packet *k, uint8_t bytes[PACKET_SIZE])
{
	uint32_t hlen = header_length(k), plen;
	uint8_t *th = bytes + hlen;

	memset(bytes, 0, PACKET_SIZE);
	if (k->fragment)		/* eight bytes of somewhere inside */
		plen = 8;
	else
		plen = k->proto == TCP ? build_tcp(k, th) : k->proto == UDP ?
		    build_udp(k, th) : k->proto == ICMP || k->proto == ICMP6 ?
		    build_icmp(k, th) : 8;
	if (k->af == 4)
		build_ip4(k, bytes, plen);
	else
		build_ip6(k, bytes, plen);
	put_checksum(k, bytes, hlen, plen);
	return hlen + plen;
}

/* Where TCP begins, behind options; 0: it is something else. */
static uint32_t
tcp_at(const uint8_t *ip, uint32_t len)
{
	uint32_t at;
	uint8_t proto;

	if (len < 20 || (ip[0] >> 4 == 6 && len < 48))
		return 0;
	if (ip[0] >> 4 == 4) {
		at = (ip[0] & 15u) * 4;
		proto = ip[9];
	} else {
		proto = ip[6];
		at = proto == 0 ? 48 : 40;
		if (proto == 0)
			proto = ip[40];
	}
	return proto == TCP && len >= at + TCP_HEADER ? at : 0;
}

struct segment
packet_segment(const uint8_t *ip, uint32_t len)
{
	struct segment g = { 0 };
	uint32_t at = tcp_at(ip, len), n;

	if (at == 0)
		return g;
	g.af = ip[0] >> 4;
	n = g.af == 4 ? 4 : 16;
	memcpy(g.src.addr, ip + (g.af == 4 ? 12 : 8), n);
	memcpy(g.dst.addr, ip + (g.af == 4 ? 16 : 24), n);
	memcpy(&g.src.port, ip + at, 2);
	memcpy(&g.dst.port, ip + at + 2, 2);
	g.seq = get32(ip + at + 4);
	g.ack = get32(ip + at + 8);
	g.flags = ip[at + 13];
	return g;
}
