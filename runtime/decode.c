/*
 * From a frame to a struct pkt.
 *
 * pkt_decode() does what a host's IP input does before pf sees a packet:
 * everything that it refuses never reaches pf.  pkt_decode_transport() is what
 * pf itself does first; what it refuses is dropped with a reason.
 *
 * A capture may hold less than was on the wire.  Such a packet is copied into
 * the engine's buffer at once and filled up with zeros, so that from here on
 * all p->len bytes are there.
 */
#include <string.h>

#include "runtime/engine_int.h"
#include "runtime/rules_int.h"
#include "runtime/walk.h"

/* 32 bits at a time; the order of bytes is set right at the end. */
uint32_t
cksum_add(uint32_t sum, const uint8_t *p, uint32_t n)
{
	uint64_t s = 0;
	uint32_t w;
	uint16_t words;

	for (; n >= 4; n -= 4, p += 4) {
		memcpy(&w, p, 4);
		s += w;
	}
	w = 0;
	memcpy(&w, p, n);
	s += w;
	s = (s & 0xffffffff) + (s >> 32);
	s = (s & 0xffff) + (s >> 16 & 0xffff) + (s >> 32);
	s = (s & 0xffff) + (s >> 16);
	words = (uint16_t)((s & 0xffff) + (s >> 16));
	s = (uint64_t)sum + port_host(words);
	return (uint32_t)((s & 0xffffffff) + (s >> 32));
}

uint16_t
cksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Into the engine's buffer, zeros for what is missing. */
void
pkt_copy(struct pkt *p)
{
	uint8_t *work = p->e->work;

	if (p->writable)
		return;
	if (p->have > p->len)
		p->have = p->len;
	memcpy(work, p->ip, p->have);
	memset(work + p->have, 0, p->len - p->have);
	p->ip = work;
	p->writable = true;
}

bool
pkt_writable(struct pkt *p)
{
	if (!p->before_known) {
		p->before_known = true;
		pkt_view(p, &p->before);
	}
	pkt_copy(p);
	p->modified = true;
	return true;
}

const uint8_t *
pkt_bytes(struct pkt *p, uint32_t off, uint32_t n)
{
	if (off > p->len || p->len - off < n)
		return NULL;
	return p->ip + off;
}

/* ---- before pf ---- */

/* IPv4: 127/8 belongs on loopback interfaces only. */
static bool
martian4(const uint8_t *ip)
{
	return ip[12] == 127 || ip[16] == 127;
}

static bool
scoped6(const uint8_t *a)
{
	return (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
	    (a[0] == 0xff && ((a[1] & 15) == 1 || (a[1] & 15) == 2));
}

/* ::, ::1, IPv4-mapped or IPv4-compatible. */
enum low6 { LOW6_NO, LOW6_ZERO, LOW6_LOOPBACK, LOW6_IPV4 };

static enum low6
low6(const uint8_t *a)
{
	uint32_t low = get32(a + 12);

	for (int i = 0; i < 10; i++)
		if (a[i] != 0)
			return LOW6_NO;
	if (a[10] == 0xff && a[11] == 0xff)
		return LOW6_IPV4;
	if (a[10] != 0 || a[11] != 0)
		return LOW6_NO;
	return low == 0 ? LOW6_ZERO : low == 1 ? LOW6_LOOPBACK : LOW6_IPV4;
}

static bool
martian6(const uint8_t *ip, bool loopback)
{
	const uint8_t *src = ip + 8, *dst = ip + 24;
	enum low6 s = low6(src), d = low6(dst);

	if (src[0] == 0xff || d == LOW6_ZERO || s == LOW6_IPV4 ||
	    d == LOW6_IPV4 || (dst[0] == 0xff && (dst[1] & 15) == 1))
		return true;
	if (loopback)
		return false;
	return s == LOW6_LOOPBACK || d == LOW6_LOOPBACK ||
	    (scoped6(src) && get16(src + 2) != 0) ||
	    (scoped6(dst) && get16(dst + 2) != 0);
}

static bool
input_ok(struct pkt *p)
{
	bool loopback;

	if (p->dir != PFK_IN)
		return true;
	loopback = iface_loopback(p->e, p->ifid);
	if (p->af == PFK_AF_INET6)
		return !martian6(p->ip, loopback);
	return cksum_fold(cksum_add(0, p->ip, (p->ip[0] & 15u) * 4)) == 0 &&
	    (loopback || !martian4(p->ip));
}

/* The length that the header gives; false: it cannot be. */
static bool
ip_length(struct pkt *p, uint32_t wire)
{
	const uint8_t *ip = p->ip;
	uint32_t hlen;

	if (p->af == PFK_AF_INET6) {
		if (ip[0] >> 4 != 6)
			return false;
		p->len = get16(ip + 4) + 40u;
		return p->len <= wire;
	}
	hlen = (ip[0] & 15u) * 4;
	if (ip[0] >> 4 != 4 || hlen < 20 || hlen > wire)
		return false;
	p->len = get16(ip + 2);
	return p->len >= hlen && p->len <= wire;
}

bool
pkt_decode(struct pkt *p)
{
	const struct pfk_packet *f = p->frame;
	struct pfk_network net;
	uint8_t head[40] = { 0 };
	uint32_t min;

	if (!pfk_link_decode(f->linktype, f->data, f->caplen, f->wirelen,
	    &net))
		return false;
	min = net.af == PFK_AF_INET6 ? 40 : 20;
	if (net.wirelen < min)
		return false;
	p->af = p->naf = net.af;
	/* never written through: pkt_writable() copies */
	p->ip = (uint8_t *)(uintptr_t)(f->data + net.off);
	if (net.caplen < min) {
		memcpy(head, p->ip, net.caplen);
		p->ip = head;
	}
	if (!ip_length(p, net.wirelen))
		return false;
	p->ip = (uint8_t *)(uintptr_t)(f->data + net.off);
	p->have = net.caplen < p->len ? net.caplen : p->len;
	if (p->have < p->len)
		pkt_copy(p);
	return input_ok(p);
}

/* ---- pf's own ---- */

static bool
drop(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return false;
}

static void
get_addr(struct pfk_addr *a, const uint8_t *p, uint8_t af)
{
	memset(a, 0, sizeof(*a));
	memcpy(a->b, p, af == PFK_AF_INET6 ? 16 : 4);
}

/* The fields of the IP header. */
static void
ip_fields(struct pkt *p)
{
	const uint8_t *ip = p->ip;
	bool v6 = p->af == PFK_AF_INET6;

	p->ttl = v6 ? ip[7] : ip[8];
	p->tos = (uint8_t)((v6 ? get16(ip) >> 4 : ip[1]) & 0xfc);
	get_addr(&p->addr[SRC], ip + (v6 ? 8 : 12), p->af);
	get_addr(&p->addr[DST], ip + (v6 ? 24 : 16), p->af);
}

static void
set_ports(struct pkt *p, const uint8_t *hdr)
{
	memcpy(&p->port[SRC], hdr, 2);
	memcpy(&p->port[DST], hdr + 2, 2);
}

static bool
decode_tcp(struct pkt *p)
{
	const uint8_t *th = pkt_bytes(p, p->hdrlen, 20);
	uint32_t doff;

	if (th == NULL)
		return drop(p, PFK_REASON_SHORT);
	doff = (th[12] >> 4) * 4u;
	if (get16(th + 2) == 0 || doff < 20 || doff > p->plen)
		return drop(p, PFK_REASON_SHORT);
	p->tcp_flags = th[13];
	set_ports(p, th);
	return true;
}

static bool
decode_udp(struct pkt *p)
{
	const uint8_t *uh = pkt_bytes(p, p->hdrlen, 8);
	uint16_t len;

	if (uh == NULL)
		return drop(p, PFK_REASON_SHORT);
	len = get16(uh + 4);
	if (get16(uh + 2) == 0 || len < 8 || len > p->plen)
		return drop(p, PFK_REASON_SHORT);
	set_ports(p, uh);
	return true;
}

static bool
decode_icmp(struct pkt *p)
{
	const uint8_t *h = pkt_bytes(p, p->hdrlen, 8);

	if (h == NULL)
		return drop(p, PFK_REASON_SHORT);
	p->icmp_type = h[0];
	p->icmp_code = h[1];
	return true;
}

/* Messages that pf looks into must be whole; ND must not be forwarded. */
static bool
decode_icmp6(struct pkt *p)
{
	uint32_t need = 8;

	if (!decode_icmp(p))
		return false;
	switch (p->icmp_type) {
	case 130:		/* MLD query, report */
	case 131:
		need = 24;
		break;
	case 135:		/* neighbour solicitation, advertisement */
	case 136:
		need = 24;
		/* FALLTHROUGH */
	case 133:		/* router solicitation, advertisement */
	case 134:
	case 137:		/* redirect */
		if (p->ttl != 255)
			return drop(p, PFK_REASON_NORM);
	}
	if (pkt_bytes(p, p->hdrlen, need) == NULL)
		return drop(p, PFK_REASON_SHORT);
	return true;
}

static bool
decode_header(struct pkt *p)
{
	switch (p->vproto) {
	case PROTO_TCP:
		return decode_tcp(p);
	case PROTO_UDP:
		return decode_udp(p);
	case PROTO_ICMP:
		return decode_icmp(p);
	case PROTO_ICMPV6:
		return decode_icmp6(p);
	default:
		return true;
	}
}

static bool
decode_chain(struct pkt *p)
{
	struct walk w = { .p = p->ip, .limit = p->len };
	bool v6 = p->af == PFK_AF_INET6, fragment;

	p->fragoff = 0;
	if (!(v6 ? walk_ip6(&w) : walk_ip4(&w)))
		return drop(p, w.reason);
	fragment = v6 ? w.fragoff != 0 : (get16(p->ip + 6) & 0x3fff) != 0;
	/* a chain may end behind the packet */
	p->hdrlen = w.off < p->len ? w.off : p->len;
	p->plen = p->len - p->hdrlen;
	p->proto = w.proto;
	p->vproto = fragment ? VPROTO_FRAGMENT : w.proto;
	p->badopts = w.opts != 0;
	p->fragoff = (uint16_t)w.fragoff;
	p->extoff = w.extoff;
	if (w.jumbo)
		return drop(p, PFK_REASON_NORM);
	return true;
}

enum outcome
pkt_decode_transport(struct pkt *p)
{
	p->naf = p->af;
	p->port[SRC] = p->port[DST] = 0;
	p->tcp_flags = p->icmp_type = p->icmp_code = 0;
	p->icmp_error = p->cksum_known = false;
	p->vproto = p->proto = 0;
	ip_fields(p);
	if (!decode_chain(p) || !decode_header(p)) {
		memcpy(p->oaddr, p->addr, sizeof(p->oaddr));
		return PKT_DROP;
	}
	memcpy(p->oaddr, p->addr, sizeof(p->oaddr));
	memcpy(p->oport, p->port, sizeof(p->oport));
	return PKT_PASS;
}

/* ---- what others ask ---- */

uint32_t
tcp_datalen(const struct pkt *p)
{
	return p->plen - (p->ip[p->hdrlen + 12] >> 4) * 4u;
}

const uint8_t *
tcp_option(const uint8_t *th, uint8_t kind, uint8_t min)
{
	const uint8_t *found = NULL;
	uint32_t end = (th[12] >> 4) * 4u, i = 20;

	while (i + min <= end) {
		if (th[i] <= 1) {	/* padding; also behind an "end" */
			i++;
			continue;
		}
		if (th[i] == kind && th[i + 1] >= min)
			found = th + i;
		i += th[i + 1] > 2 ? th[i + 1] : 2;
	}
	return found;
}

static uint32_t
pseudo_header(const struct pkt *p)
{
	uint32_t sum = p->proto + p->plen;

	if (p->af == PFK_AF_INET6)
		return cksum_add(sum, p->ip + 8, 32);
	return cksum_add(sum, p->ip + 12, 8);
}

static bool
cksum_right(const struct pkt *p)
{
	const uint8_t *hdr = p->ip + p->hdrlen;

	switch (p->vproto) {
	case PROTO_UDP:
		if (get16(hdr + 6) == 0 && p->af == PFK_AF_INET)
			return true;
		/* FALLTHROUGH */
	case PROTO_TCP:
	case PROTO_ICMPV6:
		return cksum_fold(cksum_add(pseudo_header(p), hdr,
		    p->plen)) == 0;
	case PROTO_ICMP:
		return cksum_fold(cksum_add(0, hdr, p->plen)) == 0;
	default:
		return true;
	}
}

bool
pkt_cksum_ok(struct pkt *p)
{
	if (!p->cksum_known) {
		p->cksum_known = true;
		p->cksum_bad = !cksum_right(p);
	}
	return !p->cksum_bad;
}
