/*
 * What pf itself sends: TCP segments, and ICMP errors about a packet.
 *
 * A decision has room for MAX_REPLIES answers, which live until the next one
 * begins.  They are whole packets from the IP header on.  As the host's own
 * packets do they have a TTL of 64 (ICMP errors of IPv4: 255) and, in IPv4, a
 * random id.
 */
#include <string.h>

#include "runtime/rewrite.h"
#include "runtime/rules_int.h"

#define MAX_REPLIES	8
#define REPLY_SIZE	1280		/* what IPv6 carries everywhere */
#define QUOTE4_DATA	8		/* bytes of the quoted IPv4 packet's data */
#define TTL_DEFAULT	64
#define IPTOS_LOWDELAY	0x10
#define IP_DF		0x4000

struct replies {
	unsigned	 n;
	struct pfk_reply r[MAX_REPLIES];
	uint8_t		 bytes[MAX_REPLIES][REPLY_SIZE];
};

int
replies_init(struct pfk_engine *e)
{
	e->replies = e_alloc(e, sizeof(*e->replies));
	return e->replies == NULL ? -1 : 0;
}

void
replies_free(struct pfk_engine *e)
{
	if (e->replies != NULL)
		e_free(e, e->replies, sizeof(*e->replies));
	e->replies = NULL;
}

void
replies_reset(struct pfk_engine *e)
{
	e->replies->n = 0;
}

unsigned
replies_get(const struct pfk_engine *e, const struct pfk_reply **list)
{
	*list = e->replies->r;
	return e->replies->n;
}

/* The place for one more; NULL: there is none. */
static struct pfk_reply *
next_reply(struct pkt *p, enum pfk_reply_kind kind, uint8_t **bytes)
{
	struct replies *q = p->e->replies;
	struct pfk_reply *r;

	if (q->n == MAX_REPLIES)
		return NULL;
	*bytes = q->bytes[q->n];
	memset(*bytes, 0, REPLY_SIZE);
	r = &q->r[q->n++];
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->ifid = p->ifid;
	r->ip = *bytes;
	return r;
}

/* The IP header before plen bytes; returns its length. */
static uint32_t
ip_header(struct pfk_engine *e, uint8_t *ip, uint8_t af, uint8_t proto,
    uint32_t plen, const struct pfk_addr *src, const struct pfk_addr *dst,
    uint8_t ttl)
{
	if (af == PFK_AF_INET6) {
		ip[0] = 0x60;
		put16(ip + 4, (uint16_t)plen);
		ip[6] = proto;
		ip[7] = ttl;
		memcpy(ip + 8, src->b, 16);
		memcpy(ip + 24, dst->b, 16);
		return 40;
	}
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)(20 + plen));
	put16(ip + 4, (uint16_t)e_random(e));
	ip[8] = ttl;
	ip[9] = proto;
	memcpy(ip + 12, src->b, 4);
	memcpy(ip + 16, dst->b, 4);
	return 20;
}

static enum pfk_reply_kind
tcp_kind(uint8_t flags)
{
	if ((flags & TCP_RST) != 0)
		return PFK_REPLY_RST;
	if ((flags & TCP_SYN) == 0)
		return PFK_REPLY_ACK;
	return (flags & TCP_ACK) != 0 ? PFK_REPLY_SYNACK : PFK_REPLY_SYN;
}

/* The header with its options; returns its length. */
static uint32_t
tcp_header(uint8_t *th, const struct tcp_reply *t)
{
	uint32_t n = 20;

	memcpy(th, &t->sport, 2);
	memcpy(th + 2, &t->dport, 2);
	put32(th + 4, t->seq);
	put32(th + 8, t->ack);
	th[13] = t->flags;
	put16(th + 14, t->win);
	if (t->mss != 0) {
		th[n] = 2;
		th[n + 1] = 4;
		put16(th + n + 2, t->mss);
		n += 4;
	}
	if (t->wscale != WSCALE_NONE) {
		th[n] = 1;
		th[n + 1] = 3;
		th[n + 2] = 3;
		th[n + 3] = t->wscale;
		n += 4;
	}
	th[12] = (uint8_t)(n / 4 << 4);
	return n;
}

uint32_t
tcp_build(struct pfk_engine *e, uint8_t *ip, const struct tcp_reply *t)
{
	bool v6 = t->af == PFK_AF_INET6;
	uint32_t at = v6 ? 40 : 20;
	uint32_t n = tcp_header(ip + at, t);
	uint8_t ttl = t->ttl == 0 || v6 ? TTL_DEFAULT : t->ttl;

	(void)ip_header(e, ip, t->af, PROTO_TCP, n, &t->src, &t->dst, ttl);
	if (!v6) {
		ip[1] = IPTOS_LOWDELAY;
		put16(ip + 6, IP_DF);
		cksum_header(ip);
	}
	cksum_transport(ip, at + n, at, PROTO_TCP);
	return at + n;
}

void
reply_tcp(struct pkt *p, const struct tcp_reply *t)
{
	uint8_t *ip;
	struct pfk_reply *r = next_reply(p, tcp_kind(t->flags), &ip);

	if (r == NULL)
		return;
	r->iplen = tcp_build(p->e, ip, t);
	r->ttl = t->af == PFK_AF_INET6 ? ip[7] : ip[8];
}

/*
 * Who the error comes from: the address that the packet was for if it is the
 * host's, else one of the interface's.
 */
static struct pfk_addr
error_source(const struct pkt *p, uint8_t af)
{
	struct img_addr any = { .kind = IMG_ADDR_DYNAMIC };
	struct pfk_addr addr, mask;

	addr_prefix_mask(&any.mask, 128);
	if (!pfk_engine_is_local(p->e, af, p->oaddr[DST].b) &&
	    iface_addr(p->e, p->ifid + 1u, &any, af, 0, &addr, &mask))
		return addr;
	return p->oaddr[DST];
}

static uint32_t
quote_length(const struct pkt *p, uint8_t af, uint32_t room)
{
	uint32_t n = p->len;

	if (af == PFK_AF_INET && n > (p->ip[0] & 15u) * 4 + QUOTE4_DATA)
		n = (p->ip[0] & 15u) * 4 + QUOTE4_DATA;
	return n < room ? n : room;
}

void
reply_icmp(struct pkt *p, uint8_t af, uint8_t type, uint8_t code,
    uint32_t param)
{
	bool v6 = af == PFK_AF_INET6;
	uint32_t at = v6 ? 40 : 20, n;
	struct pfk_addr src = error_source(p, af);
	uint8_t *ip, *icmp;
	struct pfk_reply *r;

	r = next_reply(p, v6 ? PFK_REPLY_ICMP6 : PFK_REPLY_ICMP, &ip);
	if (r == NULL)
		return;
	icmp = ip + at;
	n = quote_length(p, af, REPLY_SIZE - at - 8);
	icmp[0] = r->icmp_type = type;
	icmp[1] = r->icmp_code = code;
	if (v6)
		put32(icmp + 4, param);
	else
		put16(icmp + 6, (uint16_t)param);
	memcpy(icmp + 8, p->ip, n < p->have || p->writable ? n : p->have);
	r->ttl = v6 ? TTL_DEFAULT : 255;
	(void)ip_header(p->e, ip, af, v6 ? PROTO_ICMPV6 : PROTO_ICMP, 8 + n,
	    &src, &p->oaddr[SRC], r->ttl);
	if (!v6)
		cksum_header(ip);
	r->iplen = at + 8 + n;
	cksum_transport(ip, r->iplen, at, v6 ? PROTO_ICMPV6 : PROTO_ICMP);
}

/* ---- block return ---- */

/* RST, for a segment that is not one and whose checksum is right. */
static void
return_rst(struct pkt *p, const struct img_rule *r)
{
	const uint8_t *th = p->ip + p->hdrlen;
	struct tcp_reply t = { .af = p->af, .src = p->oaddr[DST],
	    .dst = p->oaddr[SRC], .sport = p->oport[DST],
	    .dport = p->oport[SRC], .seq = get32(th + 8),
	    .flags = TCP_RST | TCP_ACK, .ttl = r->return_ttl,
	    .wscale = WSCALE_NONE };

	if (!pkt_cksum_ok(p)) {
		p->reason = PFK_REASON_PROTCKSUM;
		return;
	}
	t.ack = get32(th + 4) + tcp_datalen(p) +
	    ((p->tcp_flags & TCP_SYN) != 0) + ((p->tcp_flags & TCP_FIN) != 0);
	reply_tcp(p, &t);
}

/* ICMP errors are not answered by ICMP errors. */
static bool
may_answer_icmp(const struct pkt *p)
{
	switch (p->icmp_type) {
	case 0:			/* echo, its answer */
	case 8:
	case 9:			/* router advertisement, solicitation */
	case 10:
	case 13:		/* time stamp, information, mask */
	case 14:
	case 15:
	case 16:
	case 17:
	case 18:
		return true;
	default:
		return false;
	}
}

static bool
may_answer_icmp6(const struct pkt *p)
{
	return p->icmp_type >= 128 && p->icmp_type != 137;
}

void
reply_return(struct pkt *p, const struct img_rule *r)
{
	bool rst = r->block == IMG_RETURN || r->block == IMG_RETURN_RST;

	if (r->action != IMG_BLOCK || r->block == IMG_DROP ||
	    p->vproto == VPROTO_FRAGMENT)
		return;
	if (p->proto == PROTO_TCP && rst && (p->tcp_flags & TCP_RST) == 0)
		return_rst(p, r);
	else if (p->af == PFK_AF_INET && r->return_icmp != 0 &&
	    (p->proto != PROTO_ICMP || may_answer_icmp(p)))
		reply_icmp(p, p->af, (uint8_t)(r->return_icmp >> 8),
		    (uint8_t)r->return_icmp, 0);
	else if (p->af == PFK_AF_INET6 && r->return_icmp6 != 0 &&
	    (p->proto != PROTO_ICMPV6 || may_answer_icmp6(p)))
		reply_icmp(p, p->af, (uint8_t)(r->return_icmp6 >> 8),
		    (uint8_t)r->return_icmp6, 0);
}
