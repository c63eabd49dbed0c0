/*
 * Changes to a packet: bytes, checksums and the fields of struct pkt at once.
 *
 * Checksums are not computed anew but corrected (RFC 1624, equation 3), so
 * that one that was wrong stays wrong.  A field changes two of them at most:
 *
 *	address		IPv4 header, and the transport's (pseudo header)
 *	IP field	IPv4 header
 *	transport	the transport's
 *
 * UDP: 0 means "none" and is left alone, and a result of 0 is written 0xffff.
 * A fragment that goes through the rules alone has no transport header that
 * could be meant, and no checksum to correct.
 */
#include <string.h>

#include "runtime/rewrite.h"

/* What exchanging n bytes adds; odd: the first is the second of its word. */
uint32_t
cksum_exchange(uint32_t sum, const uint8_t *was, const uint8_t *now, uint32_t n,
    bool odd)
{
	for (uint32_t i = 0; i < n; i++, odd = !odd) {
		unsigned shift = odd ? 0 : 8;

		sum += (uint16_t)~(was[i] << shift);
		sum += (uint32_t)now[i] << shift;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

void
cksum_correct(uint8_t *field, uint32_t sum, bool udp)
{
	uint16_t now;

	if (udp && get16(field) == 0)
		return;
	sum += (uint16_t)~get16(field);
	now = cksum_fold(sum);
	put16(field, udp && now == 0 ? 0xffff : now);
}

/*
 * In ones' complement there are two zeros.  Of nothing but zero bytes (an echo
 * reply of IPv4, without pseudo header) the checksum is the other one.
 */
void
cksum_zeros(uint8_t *hdr, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (hdr[i] != 0)
			return;
	put16(hdr + 2, 0xffff);
}

/* Where the transport header of a protocol has its checksum; 0: nowhere. */
uint32_t
cksum_place(uint32_t proto)
{
	switch (proto) {
	case PROTO_TCP:
		return 16;
	case PROTO_UDP:
		return 6;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

static void
correct_transport(struct pkt *p, uint32_t sum)
{
	uint32_t at = cksum_place(p->vproto);

	if (at == 0 || at + 2 > p->plen)
		return;
	cksum_correct(p->ip + p->hdrlen + at, sum, p->vproto == PROTO_UDP);
	if (p->vproto == PROTO_ICMP)
		cksum_zeros(p->ip + p->hdrlen, p->plen);
}

bool
rewrite_ip(struct pkt *p, uint32_t off, const void *data, uint32_t n)
{
	uint32_t sum;

	if (memcmp(p->ip + off, data, n) == 0)
		return true;
	if (!pkt_writable(p))
		return false;
	if (p->af == PFK_AF_INET) {
		sum = cksum_exchange(0, p->ip + off, data, n, off & 1);
		cksum_correct(p->ip + 10, sum, false);
	}
	memcpy(p->ip + off, data, n);
	return true;
}

/* TCP's flags and the type of ICMP have a copy in struct pkt. */
static void
reread_transport(struct pkt *p)
{
	const uint8_t *hdr = p->ip + p->hdrlen;

	if (p->vproto == PROTO_TCP)
		p->tcp_flags = hdr[13];
	else if (p->vproto == PROTO_ICMP || p->vproto == PROTO_ICMPV6) {
		p->icmp_type = hdr[0];
		p->icmp_code = hdr[1];
	}
}

bool
rewrite_transport(struct pkt *p, uint32_t off, const void *data, uint32_t n)
{
	uint32_t sum;

	if (memcmp(p->ip + off, data, n) == 0)
		return true;
	if (!pkt_writable(p))
		return false;
	sum = cksum_exchange(0, p->ip + off, data, n, (off - p->hdrlen) & 1);
	memcpy(p->ip + off, data, n);
	correct_transport(p, sum);
	reread_transport(p);
	return true;
}

static bool
has_pseudo_header(uint32_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP ||
	    proto == PROTO_ICMPV6;
}

bool
rewrite_addr(struct pkt *p, int side, const struct pfk_addr *addr)
{
	bool v6 = p->af == PFK_AF_INET6;
	uint32_t n = v6 ? 16 : 4, off = v6 ? 8 : 12;
	uint32_t sum;

	off += side == DST ? n : 0;
	p->addr[side] = *addr;
	if (memcmp(p->ip + off, addr->b, n) == 0)
		return true;
	sum = cksum_exchange(0, p->ip + off, addr->b, n, false);
	if (!rewrite_ip(p, off, addr->b, n))
		return false;
	if (has_pseudo_header(p->vproto))
		correct_transport(p, sum);
	return true;
}

bool
rewrite_port(struct pkt *p, int side, uint16_t port)
{
	p->port[side] = port;
	return rewrite_transport(p, p->hdrlen + (side == DST ? 2 : 0), &port, 2);
}

bool
rewrite_icmp_id(struct pkt *p, uint16_t id)
{
	return rewrite_transport(p, p->hdrlen + 4, &id, 2);
}

bool
rewrite_ttl(struct pkt *p, uint8_t ttl)
{
	p->ttl = ttl;
	return rewrite_ip(p, p->af == PFK_AF_INET6 ? 7 : 8, &ttl, 1);
}

/* pf's way: the value is put over what is there of the ECN bits. */
bool
rewrite_tos(struct pkt *p, uint8_t tos)
{
	uint16_t word = get16(p->ip);
	uint8_t two[2];

	if (p->af == PFK_AF_INET6)
		word = (uint16_t)((word & 0xf03f) | tos << 4);
	else
		word = (uint16_t)((word & 0xff03) | tos);
	put16(two, word);
	p->tos = tos & 0xfc;
	return rewrite_ip(p, 0, two, 2);
}

static bool
differs(const struct pkt *p, uint32_t off, const void *data, uint32_t n)
{
	return memcmp(p->ip + off, data, n) != 0;
}

bool
rewrite_flow(struct pkt *p, const struct pfk_addr *src, uint16_t sport,
    const struct pfk_addr *dst, uint16_t dport, bool *changed)
{
	bool v6 = p->af == PFK_AF_INET6;
	bool ports = p->vproto == PROTO_TCP || p->vproto == PROTO_UDP;
	uint32_t n = v6 ? 16 : 4, off = v6 ? 8 : 12;

	*changed = differs(p, off, src->b, n) || differs(p, off + n, dst->b, n);
	if (ports) {
		*changed |= differs(p, p->hdrlen, &sport, 2) ||
		    differs(p, p->hdrlen + 2, &dport, 2);
		if (!rewrite_port(p, SRC, sport) ||
		    !rewrite_port(p, DST, dport))
			return false;
	}
	return rewrite_addr(p, SRC, src) && rewrite_addr(p, DST, dst);
}
