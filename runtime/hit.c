/*
 * The short way: a packet of a connection that is known and at ease.
 *
 * Most packets are of one kind: IPv4 in Ethernet, whole, without options; UDP,
 * or TCP that only acknowledges or carries data; of a state that asks for
 * nothing but its windows to be looked at.  For them all that engine.c does
 * comes down to what stands here, and neither struct pkt nor the rules nor
 * the cold half of the state are needed.
 *
 * The rule of this file: whatever is not plainly of that kind is left to
 * run_frame() as if nobody had looked at it, so nothing may be changed or
 * counted before everything has been checked.  What is done must be what the
 * long way does to the last counter: decode.c, normalize.c, tcp_track.c and
 * counters.c say why.
 *
 * A burst is prepared together: headers, keys, and what the states need from
 * memory; then each packet has its turn.
 */
#include <string.h>

#include "runtime/hit.h"
#include "runtime/rules_int.h"
#include "runtime/state_table.h"

#define ETHER		14
#define ETHER_LINK	1
#define IP_HEADER	20
#define MAX_ACK_WINDOW	(0xffff + 1500)		/* as tcp_track.c */

static uint32_t
load32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Of a header without options. */
static bool
header_sum_ok(const uint8_t *ip)
{
	uint64_t s = load64(ip);

	s = (s & 0xffffffff) + (s >> 32) + load32(ip + 8) + load32(ip + 12) +
	    load32(ip + 16);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return s == 0xffff;
}

/* Acknowledges, and nothing that normalize_tcp() would change. */
static bool
usual_tcp(const uint8_t *th, uint32_t plen)
{
	return plen >= 20 && (th[12] & 0x0f) == 0 && th[12] >= 0x50 &&
	    (th[12] >> 4) * 4u <= plen && th[18] == 0 && th[19] == 0 &&
	    (th[13] & ~(TCP_PUSH | TCP_ECE | TCP_CWR)) == TCP_ACK;
}

static bool
usual_udp(const uint8_t *uh, uint32_t plen)
{
	return plen >= 8 && get16(uh + 4) >= 8 && get16(uh + 4) <= plen;
}

static bool
usual_frame(const struct pfk_engine *e, const struct pfk_packet *f)
{
	return f->linktype == ETHER_LINK && f->caplen >= ETHER + IP_HEADER +
	    8 && f->caplen <= f->wirelen && f->ifid < e->nifaces &&
	    f->ifid < e->nif_counters &&
	    (f->dir == PFK_IN || f->dir == PFK_OUT) && f->data[12] == 0x08 &&
	    f->data[13] == 0x00;
}

static bool
usual_ip(const uint8_t *ip, uint32_t len, uint32_t caplen, bool in)
{
	if (ip[0] != 0x45 || (get16(ip + 6) & 0xbfff) != 0 ||
	    len > caplen || len < IP_HEADER + 8)
		return false;
	return !in || (ip[12] != 127 && ip[16] != 127 && header_sum_ok(ip));
}

/* The key's words as state_hash() has them. */
static void
set_words(struct hit *h, const uint8_t *ip, unsigned rdomain, bool in)
{
	uint8_t w[16];
	uint16_t domain = (uint16_t)rdomain;

	memcpy(w, ip + (in ? 12 : 16), 4);
	memcpy(w + 4, ip + (in ? 16 : 12), 4);
	memcpy(w + 8, ip + IP_HEADER + (in ? 0 : 2), 2);
	memcpy(w + 10, ip + IP_HEADER + (in ? 2 : 0), 2);
	memcpy(w + 12, &domain, 2);
	w[14] = PFK_AF_INET;
	w[15] = ip[9];
	memcpy(h->key, w, sizeof(w));
}

static bool
prepare(const struct pfk_engine *e, const struct pfk_packet *f, struct hit *h)
{
	const uint8_t *ip, *th;
	bool in = f->dir == PFK_IN;

	if (!usual_frame(e, f))
		return false;
	ip = f->data + ETHER;
	th = ip + IP_HEADER;
	h->len = get16(ip + 2);
	if (!usual_ip(ip, h->len, f->caplen - ETHER, in) ||
	    (th[2] == 0 && th[3] == 0) || iface_skipped(e, f->ifid))
		return false;
	if (ip[9] == PROTO_TCP ? !usual_tcp(th, h->len - IP_HEADER) :
	    ip[9] != PROTO_UDP || !usual_udp(th, h->len - IP_HEADER))
		return false;
	set_words(h, ip, iface_rdomain(e, f->ifid), in);
	h->hash = state_hash4(e, h->key);
	return true;
}

static bool
same_key(const struct state *s, const struct hit *h)
{
	const uint8_t *addrs = (const uint8_t *)&h->key[0];

	return load64(s->key.port) == h->key[1] &&
	    load32(s->key.addr[0].b) == load32(addrs) &&
	    load32(s->key.addr[1].b) == load32(addrs + 4);
}

/* The only state with that key; 0: none, or which one is a question. */
static uint32_t
find(const struct pfk_engine *e, const struct hit *h)
{
	const struct state_table *t = e->states;
	uint32_t b = h->hash & (t->nbuckets - 1), found = 0, ref;

	for (;; b = (b + 1) & (t->nbuckets - 1)) {
		const struct bucket *bu = &t->buckets[b];

		for (int i = 0; i < BUCKET; i++) {
			if (bu->entry[i].hash != h->hash ||
			    (ref = bu->entry[i].ref) == 0)
				continue;
			/* the other side of a translation, or another one */
			if ((ref & 1) != 0 || found != 0)
				return 0;
			found = ref / 2;
		}
		if (bu->past == 0)
			return found;
	}
}

#if defined(__GNUC__) || defined(__clang__)
#define PREFETCH(p)	__builtin_prefetch(p)
#else
#define PREFETCH(p)	((void)(p))
#endif

void
hits_prepare(const struct pfk_engine *e, const struct pfk_packet *f, size_t n,
    struct hit *h)
{
	const struct state *s;

	for (size_t i = 0; i < n; i++) {
		h[i].usual = prepare(e, &f[i], &h[i]);
		if (h[i].usual)
			state_prefetch_bucket(e, h[i].hash);
	}
	for (size_t i = 0; i < n; i++) {
		h[i].state = h[i].usual ? find(e, &h[i]) : 0;
		if (h[i].state == 0)
			continue;
		s = state_get(e, h[i].state);
		PREFETCH(s);
		PREFETCH((const char *)s + 64);
	}
}

void
hit_find_again(const struct pfk_engine *e, struct hit *h)
{
	h->state = h->usual ? find(e, h) : 0;
}

static bool
state_at_ease(const struct state *s, const struct pfk_packet *f)
{
	return s->per_packet == 0 && !s->translated &&
	    s->timeout < TIMEOUT_PURGE &&
	    (s->ifid == IF_NONE || s->ifid == f->ifid) &&
	    !(s->flags & (PFK_STATE_F_SLOPPY | STATE_ANCHORED));
}

/* In the window, both peers established: the windows move on. */
static bool
tcp_moves(struct state *s, bool forth, const uint8_t *th, uint32_t plen)
{
	struct state_peer *src = forth ? &s->src : &s->dst;
	struct state_peer *dst = forth ? &s->dst : &s->src;
	uint32_t seq = get32(th + 4), ack = get32(th + 8), end, room;
	bool scaled = src->wscale != 0 && dst->wscale != 0;
	unsigned sws = scaled ? src->wscale & WSCALE_MASK : 0;
	unsigned dws = scaled ? dst->wscale & WSCALE_MASK : 0;
	uint16_t win = get16(th + 14);
	int32_t skew = (int32_t)(dst->seqlo - ack);

	if (src->state != TCPS_ESTABLISHED || dst->state != TCPS_ESTABLISHED ||
	    src->seqlo == 0 || (src->seqdiff | dst->seqdiff) != 0)
		return false;
	end = seq + plen - (th[12] >> 4) * 4u;
	if (seq == end)
		seq = end = src->seqlo;
	if ((int32_t)(src->seqhi - end) < 0 || (int32_t)(seq - src->seqlo +
	    ((uint32_t)dst->max_win << dws)) < 0 || skew < -MAX_ACK_WINDOW ||
	    skew > MAX_ACK_WINDOW << sws)
		return false;
	room = (uint32_t)win << sws;
	if (src->max_win < win)
		src->max_win = win;
	if ((int32_t)(end - src->seqlo) > 0)
		src->seqlo = end;
	if ((int32_t)(ack + room - dst->seqhi) >= 0)
		dst->seqhi = ack + (room > 0 ? room : 1);
	s->timeout = IMG_TMO_TCP_ESTABLISHED;
	return true;
}

static void
udp_moves(struct state *s, bool forth)
{
	struct state_peer *src = forth ? &s->src : &s->dst;
	struct state_peer *dst = forth ? &s->dst : &s->src;

	if (src->state < SINGLE_FIRST)
		src->state = SINGLE_FIRST;
	if (dst->state == SINGLE_FIRST)
		dst->state = SINGLE_MULTIPLE;
	s->timeout = src->state == SINGLE_MULTIPLE &&
	    dst->state == SINGLE_MULTIPLE ? IMG_TMO_UDP_MULTIPLE :
	    IMG_TMO_UDP_SINGLE;
}

static void
count(struct pfk_engine *e, struct state *s, const struct pfk_packet *f,
    uint32_t len, bool forth)
{
	struct pfk_rule_counters *n = &e->rules[s->rule].n;
	struct pfk_if_counters *c = &e->if_counters[f->ifid];
	bool out = f->dir == PFK_OUT;

	e->counters.searches++;
	e->counters.packets++;
	e->counters.bytes += len;
	c->packets[out][0][0]++;
	c->bytes[out][0][0] += len;
	n->packets[out]++;
	n->bytes[out] += len;
	s->packets[!forth]++;
	s->bytes[!forth] += len;
}

static void
tell(struct pfk_engine *e, const struct pfk_packet *f, uint32_t state,
    uint32_t len)
{
	struct pkt p = { .ip = (uint8_t *)(uintptr_t)(f->data + ETHER),
	    .len = len };
	uint32_t rule = state_get(e, state)->rule;
	struct pkt_view v;
	struct pfk_decision d = { .number = f->number, .time = f->time,
	    .dir = f->dir, .ifid = f->ifid, .verdict = PFK_PASS,
	    .reason = PFK_REASON_MATCH, .state = PFK_STATE_MATCH,
	    .ip = p.ip, .iplen = len };

	pkt_view(&p, &v);
	d.rule = rule == e->default_rule ? PFK_RULE_DEFAULT : rule;
	d.state_id = state_cold(e, state)->id;
	d.before = d.after = v.flow;
	d.ttl = v.ttl;
	d.tos = v.tos;
	d.df = v.df;
	d.mss = v.mss;
	e->sink.decision(e->sink.ctx, &d);
}

bool
hit_packet(struct pfk_engine *e, const struct pfk_packet *f,
    const struct hit *h)
{
	const uint8_t *ip;
	uint32_t i = h->state;
	struct state *s;
	bool forth;

	if (i == 0)
		return false;
	ip = f->data + ETHER;
	s = state_get(e, i);
	forth = f->dir == s->direction;
	if (!same_key(s, h) || !state_at_ease(s, f) ||
	    e->rules[s->rule].r->divert == IMG_DIVERT_PACKET)
		return false;
	if (ip[9] == PROTO_UDP)
		udp_moves(s, forth);
	else if (!tcp_moves(s, forth, ip + IP_HEADER, h->len - IP_HEADER))
		return false;
	s->expire = e->uptime;
	count(e, s, f, h->len, forth);
	if (e->sink.decision != NULL)
		tell(e, f, i, h->len);
	return true;
}
