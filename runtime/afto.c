/*
 * A packet becomes one of the other family (pf's way of RFC 7915).
 *
 *	old header, options, extensions | transport | data
 *		new header		| transport | data
 *
 * The new header has the old TTL (IPv6: at most 64) and traffic class without
 * ECN; IPv4 gets a random id and DF.  An ICMP error's quote is translated
 * alike, into the opposite direction.
 *
 * Checksums: what they cover is summed up before and after, and the field
 * corrected by the difference, so that a wrong one stays wrong.  A UDP
 * datagram of IPv4 without a checksum gets one.
 */
#include <string.h>

#include "runtime/afto.h"
#include "runtime/rewrite.h"

#define TTL_MAX6	64
#define IP_DF		0x4000

/* A packet or a quoted one, as one half of the work sees it. */
struct half {
	uint8_t		*ip;
	uint32_t	 at;		/* of its transport header */
	uint32_t	 have;		/* bytes there are from it on */
	uint32_t	 plen;		/* bytes by its header */
	uint8_t		 af, proto;
};

struct header {
	const struct pfk_addr *src, *dst;
	uint8_t		 af, proto, tos, ttl;
	uint32_t	 plen;
};

static uint32_t
header_length(uint8_t af)
{
	return af == PFK_AF_INET6 ? 40 : 20;
}

static uint8_t
other_proto(uint8_t proto)
{
	switch (proto) {
	case PROTO_ICMP:
		return PROTO_ICMPV6;
	case PROTO_ICMPV6:
		return PROTO_ICMP;
	default:
		return proto;
	}
}

static void
put_header6(uint8_t *ip, const struct header *h)
{
	put16(ip, (uint16_t)(0x6000 | h->tos << 4));
	put16(ip + 4, (uint16_t)h->plen);
	ip[6] = h->proto;
	ip[7] = h->ttl == 0 || h->ttl > TTL_MAX6 ? TTL_MAX6 : h->ttl;
	memcpy(ip + 8, h->src->b, 16);
	memcpy(ip + 24, h->dst->b, 16);
}

static void
put_header(struct pfk_engine *e, uint8_t *ip, const struct header *h)
{
	memset(ip, 0, header_length(h->af));
	if (h->af == PFK_AF_INET6) {
		put_header6(ip, h);
		return;
	}
	ip[0] = 0x45;
	ip[1] = h->tos;
	put16(ip + 2, (uint16_t)(20 + h->plen));
	put16(ip + 4, (uint16_t)e_random(e));
	put16(ip + 6, IP_DF);
	ip[8] = h->ttl;
	ip[9] = h->proto;
	memcpy(ip + 12, h->src->b, 4);
	memcpy(ip + 16, h->dst->b, 4);
	cksum_header(ip);
}

/* What the transport checksum covers, its own field included. */
static uint32_t
covered(const struct half *h)
{
	uint32_t sum = 0;

	if (h->proto != PROTO_ICMP)
		sum = cksum_add(h->plen + h->proto, h->ip +
		    (h->af == PFK_AF_INET6 ? 8 : 12),
		    h->af == PFK_AF_INET6 ? 32 : 8);
	return cksum_add(sum, h->ip + h->at, h->have);
}

/* before: what covered() said when the checksum had its value. */
static void
correct(const struct half *h, uint32_t before)
{
	uint32_t place = cksum_place(h->proto);
	uint32_t sum = (uint32_t)cksum_fold(before) +
	    (uint16_t)~cksum_fold(covered(h));

	if (place != 0 && place + 2 <= h->have)
		cksum_correct(h->ip + h->at + place, sum,
		    h->proto == PROTO_UDP);
	if (h->proto == PROTO_ICMP)
		cksum_zeros(h->ip + h->at, h->have);
}

/* The transport header's ports, or type and id, in place. */
static bool
change_transport(struct half *h, const uint16_t port[2], uint8_t from_af)
{
	uint8_t *hdr = h->ip + h->at;

	switch (h->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
		memcpy(hdr, &port[SRC], 2);
		memcpy(hdr + 2, &port[DST], 2);
		return true;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		if (!afto_icmp(from_af, hdr))
			return false;
		if (hdr[0] == 0 || hdr[0] == 8 || hdr[0] == 128 ||
		    hdr[0] == 129)
			memcpy(hdr + 4, &port[SRC], 2);
		return true;
	default:
		return true;
	}
}

static enum outcome
drop(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return PKT_DROP;
}

/* p is of the other family now, its header hlen bytes long. */
static void
settle(struct pkt *p, uint32_t hlen, uint32_t plen)
{
	p->af = p->naf;
	p->ip = p->e->work;
	p->hdrlen = hlen;
	p->plen = plen;
	p->len = p->have = hlen + plen;
	p->fragoff = 0;
	p->extoff = 0;
	p->proto = other_proto(p->proto);
	p->vproto = p->proto;
	memcpy(p->addr, p->naddr, sizeof(p->addr));
	if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMPV6) {
		p->icmp_type = p->ip[hlen];
		p->icmp_code = p->ip[hlen + 1];
	} else
		memcpy(p->port, p->nport, sizeof(p->port));
}

/*
 * Puts the new header before plen bytes of transport at `from` (anywhere) and
 * settles the packet.  before: the old one's covered().
 */
static void
replace_header(struct pkt *p, const uint8_t *from, uint32_t plen,
    uint32_t before, bool no_cksum)
{
	struct header hdr = { .src = &p->naddr[SRC], .dst = &p->naddr[DST],
	    .af = p->naf, .proto = other_proto(p->proto), .tos = p->tos,
	    .ttl = p->ttl, .plen = plen };
	uint32_t hlen = header_length(p->naf);
	struct half h = { .ip = p->e->work, .at = hlen, .have = plen,
	    .plen = plen, .af = p->naf, .proto = hdr.proto };

	memmove(p->e->work + hlen, from, plen);
	put_header(p->e, p->e->work, &hdr);
	if (no_cksum)
		cksum_transport(h.ip, hlen + plen, hlen, h.proto);
	else
		correct(&h, before);
	settle(p, hlen, plen);
}

static struct half
whole(const struct pkt *p)
{
	return (struct half){ .ip = p->ip, .at = p->hdrlen, .have = p->plen,
	    .plen = p->plen, .af = p->af, .proto = p->proto };
}

enum outcome
afto_packet(struct pkt *p)
{
	struct half h;
	uint32_t before;
	bool none;

	if (p->plen + header_length(p->naf) > 65535u +
	    (p->naf == PFK_AF_INET6 ? 40 : 0))
		return drop(p, PFK_REASON_SHORT);
	if (!pkt_writable(p))
		return drop(p, PFK_REASON_MEMORY);
	h = whole(p);
	before = covered(&h);
	none = h.proto == PROTO_UDP && p->naf == PFK_AF_INET6 &&
	    get16(h.ip + h.at + 6) == 0;
	if (!change_transport(&h, p->nport, p->af))
		return drop(p, PFK_REASON_MATCH);
	replace_header(p, p->ip + p->hdrlen, p->plen, before, none);
	return PKT_PASS;
}

/* ---- errors ---- */

/* Length of the quoted packet's data, by its own header. */
static uint32_t
quoted_plen(const struct pkt *p, const struct quote *q)
{
	const uint8_t *ip = p->ip + q->off;
	uint32_t hlen = q->hdroff - q->off;
	uint32_t len = q->af == PFK_AF_INET6 ? get16(ip + 4) + 40u :
	    get16(ip + 2);

	return len > hlen ? len - hlen : 0;
}

/*
 * Writes the quote as the other family's; returns the bytes written, 0: it
 * cannot be.  Its source is whom the error is for.
 */
static uint32_t
write_quote(struct pkt *p, const struct quote *q, uint8_t *to)
{
	uint32_t hlen = header_length(p->naf), n = p->len - q->hdroff, before;
	struct half old = { .ip = p->ip + q->off, .at = q->hdroff - q->off,
	    .have = n, .plen = quoted_plen(p, q), .af = q->af,
	    .proto = q->proto };
	struct header hdr = { .src = &p->naddr[DST], .dst = &p->naddr[SRC],
	    .af = p->naf, .proto = other_proto(q->proto), .ttl = q->ttl,
	    .plen = old.plen };
	struct half new = { .ip = to, .at = hlen, .have = n, .plen = old.plen,
	    .af = p->naf, .proto = q->proto };

	before = covered(&old);
	memcpy(to + hlen, p->ip + q->hdroff, n);
	if (!change_transport(&new, p->nport, p->af))
		return 0;
	put_header(p->e, to, &hdr);
	new.proto = hdr.proto;
	correct(&new, before);
	return hlen + n;
}

enum outcome
afto_error(struct pkt *p, struct quote *q)
{
	uint8_t *new = p->e->scratch;
	struct half h;
	uint32_t before, n;

	if (!pkt_writable(p))
		return drop(p, PFK_REASON_MEMORY);
	h = whole(p);
	before = covered(&h);
	memcpy(new, p->ip + p->hdrlen, 8);
	n = afto_icmp(p->af, new) ? write_quote(p, q, new + 8) : 0;
	if (n == 0)
		return drop(p, PFK_REASON_MATCH);
	if (8 + n + header_length(p->naf) > 65535)
		return drop(p, PFK_REASON_SHORT);
	/* so that a router of IPv4 can be told from another */
	if (p->naf == PFK_AF_INET6)
		memcpy(p->naddr[SRC].b + 12, p->addr[SRC].b, 4);
	replace_header(p, new, 8 + n, before, false);
	return PKT_PASS;
}
