/*
 * IPv6 fragments.
 *
 *	IPv6 | extension headers | fragment header | data
 *	0		^extoff	 ^ p->fragoff	   ^ hdrlen
 *
 * The first one's headers become the packet's, without the fragment header;
 * whoever named that one (the header at extoff, or IPv6 itself) names what it
 * named.  The protocol of other fragments means nothing.
 */
#include <string.h>

#include "runtime/fragment.h"

#define FRAGHDR		8u

uint32_t
frag_read6(const struct pkt *p, struct frag_flow *flow, struct frag_part *part)
{
	const uint8_t *fh = p->ip + p->fragoff;

	flow->af = PFK_AF_INET6;
	memcpy(flow->src.b, p->ip + 8, 16);
	memcpy(flow->dst.b, p->ip + 24, 16);
	part->hdrlen = p->fragoff + FRAGHDR;
	part->extoff = p->extoff;
	part->off = get16(fh + 2) & 0xfff8u;
	part->len = p->len - part->hdrlen;
	part->more = (fh[3] & 1) != 0;
	return get32(fh + 4);
}

uint32_t
frag_build6(struct pfk_engine *e, const struct frag_packet *k)
{
	const struct frag_entry *first = k->first;
	uint32_t hdrlen = first->part.hdrlen - FRAGHDR;
	uint32_t plen = hdrlen - 40 + frag_total(k);
	uint8_t *ip = e->work;

	if (plen > 65535)
		return 0;
	memcpy(ip, first->data, hdrlen);
	(void)frag_join(k, ip + hdrlen);
	put16(ip + 4, (uint16_t)plen);
	ip[first->part.extoff != 0 ? first->part.extoff : 6] =
	    first->data[hdrlen];
	return 40 + plen;
}
