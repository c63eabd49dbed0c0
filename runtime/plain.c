/*
 * Which packets are plain, and a struct pkt for one (plain.h).
 */
#include <string.h>

#include "runtime/plain.h"
#include "runtime/rules_int.h"
#include "runtime/translate.h"

/* Flags that no TCP should send are mended, or refused. */
static inline bool
flags_plain(uint8_t flags)
{
	if (flags & TCP_SYN)
		return (flags & (TCP_RST | TCP_FIN)) == 0 &&
		    ((flags & TCP_ACK) != 0 ||
		    (flags & (TCP_PUSH | TCP_URG)) == 0);
	return (flags & TCP_ACK) != 0 || ((flags & TCP_RST) != 0 &&
	    (flags & (TCP_FIN | TCP_PUSH | TCP_URG)) == 0);
}

static inline bool
tcp_plain(const struct pfk_engine *e, const uint8_t *th, uint32_t plen)
{
	uint32_t doff = (th[12] >> 4) * 4u;

	return doff >= 20 && doff <= plen && (th[12] & 0x0f) == 0 &&
	    flags_plain(th[13]) &&
	    ((th[13] & TCP_URG) != 0 || get16(th + 18) == 0) &&
	    syncookies_idle(e);
}

static inline bool
udp_plain(const uint8_t *uh, uint32_t plen)
{
	uint16_t len = get16(uh + 4);

	return len >= 8 && len <= plen;
}

/* A host takes it in; addresses that depend are asked about elsewhere. */
static inline bool
is_welcome(const struct lane_packet *l)
{
	const uint8_t *ip = lane_ip(l);

	if (!l->v6)
		return ip[12] != 127 && ip[16] != 127 && !sum4_wrong(ip);
	return ip[8] != 0 && ip[8] < 0xfe && ip[24] != 0 && ip[24] < 0xfe;
}

bool
packet_is_plain(const struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l)
{
	uint32_t hlen = l->v6 ? 40 : 20, plen = l->len - hlen;

	if (packet_is_usual(l))
		return !l->tcp || syncookies_idle(e);
	return !l->echo && l->len >= hlen && f->ifid < e->nifaces &&
	    f->ifid < e->nif_counters && !iface_skipped(e, f->ifid) &&
	    get16(l->hdr + 2) != 0 &&
	    (l->tcp ? tcp_plain(e, l->hdr, plen) : udp_plain(l->hdr, plen)) &&
	    (f->dir == PFK_OUT || is_welcome(l));
}

static inline void
set_addrs(struct pkt *p, const struct lane_packet *l)
{
	const uint8_t *ip = p->ip;

	if (l->v6) {
		memcpy(p->addr[SRC].b, ip + 8, 16);
		memcpy(p->addr[DST].b, ip + 24, 16);
	} else {
		memcpy(p->addr[SRC].b, ip + 12, 4);
		memcpy(p->addr[DST].b, ip + 16, 4);
	}
	memcpy(p->oaddr, p->addr, sizeof(p->oaddr));
}

static inline void
set_transport(struct pkt *p, const struct lane_packet *l)
{
	p->proto = lane_proto(l);
	p->vproto = p->proto;
	if (l->echo) {
		p->icmp_type = l->hdr[0];
		p->icmp_code = l->hdr[1];
		return;
	}
	p->tcp_flags = l->tcp ? l->hdr[13] : 0;
	memcpy(&p->port[SRC], l->hdr, 2);
	memcpy(&p->port[DST], l->hdr + 2, 2);
	memcpy(p->oport, p->port, sizeof(p->oport));
}

void
packet_make(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l, struct pkt *p)
{
	const uint8_t *ip = lane_ip(l);
	uint32_t have = f->caplen - (uint32_t)(ip - f->data);

	pkt_start(e, f, p);
	p->ip = (uint8_t *)(uintptr_t)ip;	/* never written through */
	p->len = l->len;
	p->have = have < l->len ? have : l->len;
	p->hdrlen = l->v6 ? 40 : 20;
	p->plen = l->len - p->hdrlen;
	p->af = p->naf = l->v6 ? PFK_AF_INET6 : PFK_AF_INET;
	p->ttl = l->v6 ? ip[7] : ip[8];
	p->tos = (uint8_t)((l->v6 ? get16(ip) >> 4 : ip[1]) & 0xfc);
	set_addrs(p, l);
	set_transport(p, l);
	if (p->have < p->len)
		pkt_copy(p);
}
