/*
 * What a decision tells of a packet: addresses and ports, TTL, and so on, read
 * from its bytes.  A view from before and one from after show what changed.
 */
#include <string.h>

#include "runtime/walk.h"

/* Addresses, protocol and ports of the IP packet at w->off. */
static bool
flow_at(struct walk *w, uint8_t af, struct pfk_flow *flow)
{
	const uint8_t *ip = w->p + w->off;
	uint32_t alen = af == PFK_AF_INET6 ? 16 : 4;
	bool fragment;

	memset(flow, 0, sizeof(*flow));
	if (w->limit < w->off || w->limit - w->off < (alen == 16 ? 40 : 20))
		return false;
	flow->af = af;
	memcpy(flow->src.addr, ip + (alen == 16 ? 8 : 12), alen);
	memcpy(flow->dst.addr, ip + (alen == 16 ? 24 : 16), alen);
	if (!(alen == 16 ? walk_ip6(w) : walk_ip4(w)))
		return false;
	flow->proto = w->proto;
	fragment = alen == 16 ? w->fragoff != 0 : (get16(ip + 6) & 0x1fff) != 0;
	if (fragment || (w->proto != PROTO_TCP && w->proto != PROTO_UDP) ||
	    w->limit < w->off || w->limit - w->off < 4)
		return true;
	flow->has_ports = true;
	memcpy(&flow->src.port, w->p + w->off, 2);
	memcpy(&flow->dst.port, w->p + w->off + 2, 2);
	return true;
}

bool
pfk_flow_decode(const uint8_t *ip, uint32_t len, struct pfk_flow *flow)
{
	struct walk w = { .p = ip, .limit = len };

	if (len < 20)
		return false;
	switch (ip[0] >> 4) {
	case 4:
		return flow_at(&w, PFK_AF_INET, flow);
	case 6:
		return flow_at(&w, PFK_AF_INET6, flow);
	default:
		return false;
	}
}

static bool
icmp_quotes(uint8_t proto, uint8_t type)
{
	if (proto == PROTO_ICMP)
		return type == 3 || type == 4 || type == 5 || type == 11 ||
		    type == 12;
	return proto == PROTO_ICMPV6 && type >= 1 && type <= 4;
}

/* The last MSS option of a TCP header of which n bytes are there; 0: none. */
uint16_t
view_mss(const uint8_t *th, uint32_t n)
{
	uint32_t end, i = 20;
	uint16_t mss = 0;

	if (n < 20)
		return 0;
	end = (th[12] >> 4) * 4u;
	if (end > n)
		end = n;
	while (i + 4 <= end) {
		if (th[i] <= 1) {
			i++;
			continue;
		}
		if (th[i] == 2 && th[i + 1] == 4)
			mss = get16(th + i + 2);
		i += th[i + 1] > 2 ? th[i + 1] : 2;
	}
	return mss;
}

void
pkt_view(struct pkt *p, struct pkt_view *v)
{
	const uint8_t *ip = p->ip;
	uint8_t af = ip[0] >> 4 == 6 ? PFK_AF_INET6 : PFK_AF_INET;
	struct walk w = { .p = ip, .limit = p->len };

	memset(v, 0, sizeof(*v));
	v->ttl = af == PFK_AF_INET6 ? ip[7] : ip[8];
	v->tos = af == PFK_AF_INET6 ? (uint8_t)(get16(ip) >> 4) : ip[1];
	v->df = af == PFK_AF_INET && (get16(ip + 6) & 0x4000) != 0;
	if (!flow_at(&w, af, &v->flow) || w.off >= p->len)
		return;
	if (w.proto == PROTO_TCP && v->flow.has_ports)
		v->mss = view_mss(ip + w.off, p->len - w.off);
	if (!icmp_quotes(w.proto, ip[w.off]))
		return;
	w.off += 8;
	v->has_quote = flow_at(&w, af, &v->quote);
}
