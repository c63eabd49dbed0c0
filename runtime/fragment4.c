/*
 * IPv4 fragments: the header of the first one becomes the packet's.
 */
#include <string.h>

#include "runtime/fragment.h"
#include "runtime/rewrite.h"

#define IP_MF		0x2000
#define IP_OFFSET	0x1fff

uint32_t
frag_read4(const struct pkt *p, struct frag_flow *flow, struct frag_part *part)
{
	uint16_t off = get16(p->ip + 6);

	flow->af = PFK_AF_INET;
	flow->proto = p->ip[9];
	memcpy(flow->src.b, p->ip + 12, 4);
	memcpy(flow->dst.b, p->ip + 16, 4);
	part->hdrlen = (p->ip[0] & 15u) * 4;
	part->extoff = 0;
	part->off = (off & IP_OFFSET) * 8u;
	part->len = p->len - part->hdrlen;
	part->more = (off & IP_MF) != 0;
	return get16(p->ip + 4);
}

uint32_t
frag_build4(struct pfk_engine *e, const struct frag_packet *k)
{
	const struct frag_entry *first = k->first;
	uint32_t hdrlen = first->part.hdrlen, len = hdrlen + frag_total(k);
	uint8_t *ip = e->work;

	if (len > 65535)
		return 0;
	memcpy(ip, first->data, hdrlen);
	(void)frag_join(k, ip + hdrlen);
	put16(ip + 2, (uint16_t)len);
	put16(ip + 6, get16(ip + 6) & (uint16_t)~(IP_MF | IP_OFFSET));
	cksum_header(ip);
	return len;
}
