/*
 * The packet quoted by an ICMP error: its addresses and ports.
 *
 * The error's checksum covers the quote, so that each change of it is one of
 * the error's transport.  Of checksums inside the quote those that are there
 * are kept right, too: the quote may end before them.
 */
#include <string.h>

#include "runtime/rewrite.h"

/* A checksum in the quote, corrected by the sum. */
static bool
correct_inside(struct pkt *p, uint32_t at, uint32_t sum, bool udp)
{
	uint8_t field[2];

	if (at + 2 > p->len)
		return true;
	memcpy(field, p->ip + at, 2);
	cksum_correct(field, sum, udp);
	return rewrite_transport(p, at, field, 2);
}

static bool
correct_quoted(struct pkt *p, const struct quote *q, uint32_t sum)
{
	uint32_t place = cksum_place(q->proto);

	return place == 0 || correct_inside(p, q->hdroff + place, sum,
	    q->proto == PROTO_UDP);
}

static bool
quoted_addr(struct pkt *p, struct quote *q, int side,
    const struct pfk_addr *addr)
{
	bool v6 = q->af == PFK_AF_INET6;
	uint32_t n = v6 ? 16 : 4, at = q->off + (v6 ? 8 : 12), sum;

	at += side == DST ? n : 0;
	sum = cksum_exchange(0, p->ip + at, addr->b, n, false);
	if (!rewrite_transport(p, at, addr->b, n))
		return false;
	q->addr[side] = *addr;
	if (!v6 && !correct_inside(p, q->off + 10, sum, false))
		return false;
	return q->proto == PROTO_ICMP || correct_quoted(p, q, sum);
}

static bool
quoted_port(struct pkt *p, struct quote *q, int side, uint16_t port)
{
	bool icmp = q->proto == PROTO_ICMP || q->proto == PROTO_ICMPV6;
	uint32_t at = q->hdroff + (icmp ? 4 : side == DST ? 2 : 0), sum;

	if (port == q->port[side])
		return true;
	sum = cksum_exchange(0, p->ip + at, (const uint8_t *)&port, 2, false);
	if (!rewrite_transport(p, at, &port, 2))
		return false;
	q->port[side] = port;
	return correct_quoted(p, q, sum);
}

bool
rewrite_quote(struct pkt *p, struct quote *q, int side,
    const struct pfk_addr *addr, uint16_t port)
{
	return quoted_addr(p, q, side, addr) && quoted_port(p, q, side, port);
}
