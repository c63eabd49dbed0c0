/*
 * ICMP and the states it belongs to.
 *
 * A query or answer has a state of its own, found by its id.  An error belongs
 * to the state of the packet that it quotes, which went the other way; quoted
 * TCP must lie in its window.  Where the state translates, so must the quote,
 * and the error's own addresses follow it.
 *
 * If no state is found the rules are asked.  Some reasons have then been
 * counted already: pf counts where it gives up, and goes on.
 */
#include <string.h>

#include "runtime/explain.h"
#include "runtime/icmp.h"
#include "runtime/tcp_states.h"
#include "runtime/translate.h"
#include "runtime/walk.h"

/* No state for it: the rules decide, whatever has been counted. */
static enum outcome
no_state(struct pkt *p, struct verdict *v, enum pfk_reason reason)
{
	if (reason != PFK_REASON_MATCH)
		pkt_reason(p, reason);
	v->state = 0;
	return PKT_DROP;
}

static enum outcome
drop(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return PKT_DROP;
}

static void
unfit(struct pkt *p, const char *why)
{
	if (p->e->explain != NULL)
		explain_unfit(p, why);
}

/* A message with an id: the packet's own or the quoted one. */
struct message {
	const uint8_t	*hdr;
	uint32_t	 hdrlen;
	struct icmp_kind kind;
	bool		 inner;		/* quoted */
	int		 first;		/* index of its source in keys */
	const struct pfk_addr *addr;
};

static uint32_t
find_message(struct pkt *p, const struct message *m, bool multicast)
{
	struct pfk_addr addr[2] = { m->addr[SRC], m->addr[DST] };
	struct state_key key;
	uint16_t port[2];

	if (!icmp_addrs(p->af, m->kind.type, m->hdr, m->hdrlen, multicast,
	    addr))
		return 0;
	icmp_ports(&m->kind, port);
	state_key_set(&key, p->af, p->af == PFK_AF_INET6 ? PROTO_ICMPV6 :
	    PROTO_ICMP, p->rdomain, m->first, addr, port);
	return state_find(p, &key);
}

/* Queries go the state's way, answers the other; quoted ones the opposite. */
static bool
right_direction(const struct pkt *p, uint32_t state, const struct message *m)
{
	const struct state *s = state_get(p->e, state);
	uint8_t dir = s->direction;

	if (s->translated &&
	    state_key(p->e, state, KEY_STACK).af != s->key.af)
		dir = p->af == s->key.af ? PFK_IN : PFK_OUT;
	return ((dir == p->dir) != m->inner) == (m->kind.dir == PFK_IN);
}

static void
debug_direction(struct pkt *p, const struct message *m, uint32_t state)
{
	char text[STATE_TEXTLEN];

	if (e_debugging(p->e, DEBUG_NOTICE))
		e_debug(p->e, DEBUG_NOTICE,
		    "pf: icmp type %d in wrong direction (%d): %s",
		    port_host(m->kind.vtype), m->kind.dir,
		    state_text(p->e, state, text));
}

/*
 * The state of a message.  PKT_DROP: none (*state is 0: ask the rules), or one
 * that it does not fit, being a question where an answer belongs.
 */
static enum outcome
message_state(struct pkt *p, const struct message *m, uint32_t *state)
{
	bool twice = p->af == PFK_AF_INET6 && m->kind.dir == PFK_OUT;
	uint32_t found;

	*state = 0;
	for (int multicast = 0; multicast <= twice; multicast++) {
		if ((found = find_message(p, m, multicast)) == 0)
			continue;
		*state = found;
		if (state_get(p->e, found)->flags & PFK_STATE_F_SLOPPY ||
		    right_direction(p, found, m))
			return PKT_PASS;
		debug_direction(p, m, found);
		unfit(p, "a question where the state has answers, or the "
		    "other way round");
	}
	return PKT_DROP;
}

/* Index of the id in a key that has the message's source at `first`. */
static int
id_index(const struct message *m, int first)
{
	return m->kind.dir == PFK_IN ? first : !first;
}

/* Addresses to be, where the state leads to the other family. */
static enum outcome
other_family(struct pkt *p, const struct state_key *k)
{
	int first = p->dir == PFK_IN ? 1 : 0;

	if (!afto_icmp_possible(p->af, p->ip + p->hdrlen))
		return drop(p, PFK_REASON_MATCH);
	p->naf = k->af;
	p->naddr[SRC] = k->addr[first];
	p->naddr[DST] = k->addr[!first];
	return PKT_AFTO;
}

static enum outcome
translate_query(struct pkt *p, uint32_t state, const struct message *m)
{
	const struct state_key key = state_key_beyond(p, state), *k = &key;
	int first = m->first, id = id_index(m, first);

	p->rtable = k->rdomain;
	if (k->af != p->af) {
		p->nport[SRC] = p->nport[DST] = k->port[!id];
		return other_family(p, k);
	}
	if (!rewrite_addr(p, SRC, &k->addr[first]) ||
	    !rewrite_addr(p, DST, &k->addr[!first]) ||
	    !rewrite_icmp_id(p, k->port[id]))
		return drop(p, PFK_REASON_MEMORY);
	return PKT_PASS;
}

static enum outcome
query(struct pkt *p, struct verdict *v, struct message *m)
{
	struct state *s;

	m->first = p->dir == PFK_IN ? 0 : 1;
	m->addr = p->addr;
	if (message_state(p, m, &v->state) != PKT_PASS)
		return PKT_DROP;
	s = state_get(p->e, v->state);
	s->expire = p->e->uptime;
	s->timeout = IMG_TMO_ICMP_ERROR;
	return s->translated ? translate_query(p, v->state, m) : PKT_PASS;
}

/* ---- errors ---- */

/* The header behind the quoted IP header: n bytes of it, or NULL. */
static const uint8_t *
quoted(struct pkt *p, const struct quote *q, uint32_t n)
{
	return pkt_bytes(p, q->hdroff, n);
}

/* Finds the quoted packet; false: the reason is counted. */
static bool
quote_read(struct pkt *p, struct quote *q)
{
	struct walk w = { .p = p->ip, .limit = p->len };
	bool v6 = p->af == PFK_AF_INET6;
	uint32_t alen = v6 ? 16 : 4;
	const uint8_t *ip;

	memset(q, 0, sizeof(*q));
	q->off = w.off = p->hdrlen + 8;
	if ((ip = pkt_bytes(p, q->off, v6 ? 40 : 20)) == NULL) {
		pkt_reason(p, PFK_REASON_SHORT);
		return false;
	}
	if (!v6 && (get16(ip + 6) & 0x1fff) != 0) {
		pkt_reason(p, PFK_REASON_FRAG);
		return false;
	}
	if (!(v6 ? walk_ip6(&w) : walk_ip4(&w))) {
		pkt_reason(p, w.reason);
		return false;
	}
	q->hdroff = w.off;
	q->proto = w.proto;
	q->af = p->af;
	q->ttl = v6 ? ip[7] : ip[8];
	memcpy(&q->addr[SRC], ip + (v6 ? 8 : 12), alen);
	memcpy(&q->addr[DST], ip + (v6 ? 24 : 16), alen);
	return true;
}

static void
debug_error(struct pkt *p, const struct quote *q, uint32_t state,
    const char *what)
{
	char src[PFK_ADDRSTRLEN], dst[PFK_ADDRSTRLEN], qsrc[PFK_ADDRSTRLEN],
	    qdst[PFK_ADDRSTRLEN], text[STATE_TEXTLEN];

	if (!e_debugging(p->e, DEBUG_NOTICE))
		return;
	addr_format(&p->addr[SRC], p->af, src);
	addr_format(&p->addr[DST], p->af, dst);
	if (state != 0)
		e_debug(p->e, DEBUG_NOTICE,
		    "pf: %s ICMP %d:%d %s -> %s state: %s seq=%u", what,
		    p->icmp_type, p->icmp_code, src, dst,
		    state_text(p->e, state, text), q->seq);
	else
		e_debug(p->e, DEBUG_NOTICE,
		    "pf: %s ICMP %d:%d outer dst: %s -> %s inner src: "
		    "%s -> %s", what, p->icmp_type, p->icmp_code, src, dst,
		    addr_format(&q->addr[SRC], q->af, qsrc),
		    addr_format(&q->addr[DST], q->af, qdst));
}

/* Index of the quoted packet's source in keys: it went the other way. */
static int
quote_first(const struct pkt *p)
{
	return p->dir == PFK_IN ? 1 : 0;
}

static uint32_t
quote_state(struct pkt *p, const struct quote *q)
{
	struct state_key key;

	if (p->e->explain != NULL)
		explain_quote(p, q);
	state_key_set(&key, q->af, q->proto, p->rdomain, quote_first(p),
	    q->addr, q->port);
	return state_find(p, &key);
}

/*
 * The quote as the other side knows it, and the error's addresses with it: its
 * destination is who sent the quoted packet.  port: what becomes of the
 * quoted ports (of ICMP: its id, in place of the source port).
 */
static enum outcome
translate_quote(struct pkt *p, uint32_t state, struct quote *q,
    const uint16_t port[2])
{
	const struct state_key key = state_key_beyond(p, state), *k = &key;
	int first = quote_first(p);
	bool ok = true;

	p->rtable = k->rdomain;
	for (int side = SRC; ok && side <= DST; side++) {
		const struct pfk_addr *to = &k->addr[side == SRC ? first :
		    !first];

		if (addr_equal(to, &q->addr[side], q->af) &&
		    port[side] == q->port[side])
			continue;
		ok = rewrite_quote(p, q, side, to, port[side]) &&
		    rewrite_addr(p, !side, to);
	}
	return ok ? PKT_PASS : drop(p, PFK_REASON_MEMORY);
}

/* Into the other family: the quote's new addresses and ports. */
static enum outcome
afto_quote(struct pkt *p, const struct state_key *k, const uint16_t port[2])
{
	const struct quote *q = &p->quote;
	int first = quote_first(p);

	if (!afto_icmp_possible(p->af, p->ip + p->hdrlen) ||
	    ((q->proto == PROTO_ICMP || q->proto == PROTO_ICMPV6) &&
	    !afto_icmp_possible(p->af, p->ip + q->hdroff)))
		return drop(p, PFK_REASON_MATCH);
	p->icmp_error = true;
	p->rtable = k->rdomain;
	p->naf = k->af;
	p->quote_growth = (k->af == PFK_AF_INET6 ? 40 : 20) -
	    (int32_t)(q->hdroff - q->off);
	/* the quote's source is where the error goes */
	p->naddr[DST] = k->addr[!first];
	p->naddr[SRC] = k->addr[first];
	p->nport[SRC] = port[SRC];
	p->nport[DST] = port[DST];
	return PKT_AFTO;
}

static enum outcome
translate_ports(struct pkt *p, uint32_t state, struct quote *q)
{
	const struct state_key key = state_key_beyond(p, state), *k = &key;
	int first = quote_first(p);
	uint16_t port[2];

	if (!state_get(p->e, state)->translated)
		return PKT_PASS;
	if (k->af != p->af)
		first = !first;
	port[SRC] = k->port[first];
	port[DST] = k->port[!first];
	if (k->af != p->af)
		return afto_quote(p, k, port);
	return translate_quote(p, state, q, port);
}

static bool
quote_in_window(const struct state_peer *src, const struct state_peer *dst,
    uint32_t seq)
{
	unsigned dws = src->wscale != 0 && dst->wscale != 0 ?
	    dst->wscale & WSCALE_MASK : 0;

	return (int32_t)(src->seqhi - seq) >= 0 && (int32_t)(seq -
	    (src->seqlo - ((uint32_t)dst->max_win << dws))) >= 0;
}

static enum outcome
error_tcp(struct pkt *p, struct verdict *v, struct quote *q)
{
	const uint8_t *th = quoted(p, q, 8);
	const struct state_peer *src, *dst;
	struct state *s;
	uint8_t seq[4];
	bool opener;

	if (th == NULL)
		return no_state(p, v, PFK_REASON_SHORT);
	memcpy(&q->port[SRC], th, 2);
	memcpy(&q->port[DST], th + 2, 2);
	q->seq = get32(th + 4);
	if ((v->state = quote_state(p, q)) == 0)
		return PKT_DROP;
	s = state_get(p->e, v->state);
	opener = (p->dir != s->direction) !=
	    state_reversed(p->e, v->state, p->af);
	src = opener ? &s->src : &s->dst;
	dst = opener ? &s->dst : &s->src;
	if (src->seqdiff != 0) {
		q->seq -= src->seqdiff;
		put32(seq, q->seq);
		if (!rewrite_transport(p, q->hdroff + 4, seq, 4))
			return drop(p, PFK_REASON_MEMORY);
	}
	if (!(s->flags & PFK_STATE_F_SLOPPY) &&
	    !quote_in_window(src, dst, q->seq)) {
		debug_error(p, q, v->state, "BAD");
		unfit(p, "the quoted segment is not one that the state can "
		    "have seen");
		return drop(p, PFK_REASON_BADSTATE);
	}
	return translate_ports(p, v->state, q);
}

static enum outcome
error_udp(struct pkt *p, struct verdict *v, struct quote *q)
{
	const uint8_t *uh = quoted(p, q, 8);

	if (uh == NULL)
		return no_state(p, v, PFK_REASON_SHORT);
	memcpy(&q->port[SRC], uh, 2);
	memcpy(&q->port[DST], uh + 2, 2);
	if ((v->state = quote_state(p, q)) == 0)
		return PKT_DROP;
	return translate_ports(p, v->state, q);
}

static enum outcome
error_icmp(struct pkt *p, struct verdict *v, struct quote *q)
{
	struct message m = { .hdr = quoted(p, q, 8), .hdrlen = 8,
	    .inner = true, .first = quote_first(p), .addr = q->addr };
	struct state_key k;
	uint16_t port[2] = { 0, 0 };
	int id;

	if ((q->proto == PROTO_ICMPV6) != (q->af == PFK_AF_INET6))
		return no_state(p, v, PFK_REASON_NORM);
	if (m.hdr == NULL)
		return no_state(p, v, PFK_REASON_SHORT);
	icmp_classify(q->af, m.hdr, m.hdrlen, &m.kind);
	q->icmp_type = m.kind.type;
	if (m.kind.echo)
		q->port[SRC] = port[SRC] = m.kind.id;
	if (p->e->explain != NULL)
		explain_quote(p, q);
	if (message_state(p, &m, &v->state) != PKT_PASS)
		return PKT_DROP;
	if (!state_get(p->e, v->state)->translated)
		return PKT_PASS;
	k = state_key_beyond(p, v->state);
	id = id_index(&m, m.first);
	if (m.kind.echo)
		port[SRC] = k.port[k.af == p->af ? id : !id];
	return k.af == p->af ? translate_quote(p, v->state, q, port) :
	    afto_quote(p, &k, port);
}

static enum outcome
error_other(struct pkt *p, struct verdict *v, struct quote *q)
{
	static const uint16_t none[2];

	if ((v->state = quote_state(p, q)) == 0)
		return PKT_DROP;
	if (!state_get(p->e, v->state)->translated)
		return PKT_PASS;
	return translate_quote(p, v->state, q, none);
}

static enum outcome
error(struct pkt *p, struct verdict *v)
{
	struct quote *q = &p->quote;

	if (!quote_read(p, q)) {
		unfit(p, "what it quotes is no packet that can be read");
		return no_state(p, v, PFK_REASON_MATCH);
	}
	if (!addr_equal(&p->addr[DST], &q->addr[SRC], p->af)) {
		debug_error(p, q, 0, "BAD");
		unfit(p, "it is not for who sent the packet that it quotes");
		return no_state(p, v, PFK_REASON_BADSTATE);
	}
	switch (q->proto) {
	case PROTO_TCP:
		return error_tcp(p, v, q);
	case PROTO_UDP:
		return error_udp(p, v, q);
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return error_icmp(p, v, q);
	default:
		return error_other(p, v, q);
	}
}

enum outcome
icmp_packet(struct pkt *p, struct verdict *v)
{
	struct message m = { .hdr = p->ip + p->hdrlen, .hdrlen = p->plen };

	v->state = 0;
	if (icmp_classify(p->af, m.hdr, m.hdrlen, &m.kind))
		return error(p, v);
	return query(p, v, &m);
}
