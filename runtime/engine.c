/*
 * The order of work.
 *
 * A frame becomes one decision, or two: out again after forwarding or
 * route-to.  For each decision decide() asks the rooms in pf's order and makes
 * a verdict; tell_sink() tells.
 *
 *	never reaches pf?	`ignore`
 *	set skip		`skip`
 *	headers			pkt_decode_transport()
 *	fragments		normalize_ip(), headers again if put together
 *	ICMP			icmp_packet()
 *	TCP			syncookies, normalize_tcp()
 *	a state			state_find(), track_packet()
 *	no state		filter_packet()
 *	what it sets		scrub, tags, prio; options; other family
 *	counters, log
 */
#include <stddef.h>
#include <string.h>

#include "runtime/explain.h"
#include "runtime/normalize.h"
#include "runtime/rules_int.h"
#include "runtime/state.h"
#include "runtime/translate.h"

#define MAX_ROUTES	3	/* times that a packet is sent elsewhere */

static enum outcome
drop(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return PKT_DROP;
}

static const struct img_rule *
rule_of(const struct pfk_engine *e, uint32_t rule)
{
	return e->rules[rule].r;
}

/* The view before any change, if the buffer is already the engine's own. */
static void
note_before(struct pkt *p)
{
	if (p->writable) {
		pkt_view(p, &p->before);
		p->before_known = true;
	}
}

/* Headers, and what fragments make of the packet. */
static enum outcome
prepare(struct pkt *p)
{
	enum outcome out;

	if ((out = pkt_decode_transport(p)) != PKT_PASS) {
		p->log |= LOG_FORCED;
		return out;
	}
	note_before(p);
	out = normalize_ip(p);
	if (out == PKT_PASS && p->reassembled && p->vproto == VPROTO_FRAGMENT)
		out = pkt_decode_transport(p);
	if (out == PKT_PASS && p->reassembled)
		note_before(p);
	if (out == PKT_DROP)
		p->log |= LOG_FORCED;
	return out;
}

/*
 * The rules, after the search for a state: pf keeps the reason for which that
 * gave up, and only counts another that the rules come to.
 */
static enum outcome
by_rules(struct pkt *p, struct verdict *v)
{
	enum pfk_reason before = p->reason;
	enum outcome out = filter_packet(p, v);

	if (out == PKT_DROP && before != PFK_REASON_MATCH) {
		pkt_reason(p, p->reason);
		p->counted = before;
		p->reason = PFK_REASON_MATCH;
	}
	return out;
}

/* A state was found, or not: v says; what comes of it. */
static enum outcome
by_state_or_rules(struct pkt *p, struct verdict *v, enum outcome out)
{
	const struct state *s;

	if (out == PKT_PASS || out == PKT_AFTO) {
		s = state_get(p->e, v->state);
		v->rule = s->rule;
		/* most states have neither, and their cold half rests */
		if (s->flags & STATE_ANCHORED)
			v->anchor = state_cold(p->e, v->state)->anchor;
		if (s->per_packet & PER_LOG)
			p->log |= state_cold(p->e, v->state)->actions.log;
	} else if (v->state == 0)
		out = by_rules(p, v);
	return out;
}

static uint32_t
find_state(struct pkt *p)
{
	struct state_key key;

	state_key_set(&key, p->af, p->proto, p->rdomain,
	    p->dir == PFK_IN ? 0 : 1, p->addr, p->port);
	return state_find(p, &key);
}

static enum outcome decide(struct pkt *, struct verdict *);

/*
 * The ACK that answers a SYN cookie: the SYN is filtered as if it came now,
 * and if it passes its state goes on as after the first half of synproxy.
 * PKT_DROP: it did not; the ACK is then a packet like any other.
 */
static enum outcome
redeem_cookie(struct pkt *p, struct pkt *syn, struct verdict *v)
{
	const uint8_t *th = p->ip + p->hdrlen;
	uint32_t seq = get32(th + 4), ack = get32(th + 8), state;
	uint8_t *kept = p->e->scratch + SCRATCH_KEPT;
	struct verdict first;
	struct state *s;
	enum outcome out;

	/* the SYN may need the buffer in which the ACK is */
	if (p->writable)
		memcpy(kept, p->ip, p->len);
	out = decide(syn, &first);
	if (p->writable)
		memcpy(p->ip, kept, p->len);
	if ((out != PKT_PASS && out != PKT_AFTO &&
	    out != PKT_SYNPROXY_DROP) || (state = find_state(p)) == 0)
		return PKT_DROP;
	v->state = state;
	s = state_get(p->e, state);
	s->src.seqhi = s->dst.seqhi = ack - 1;
	s->src.seqlo = seq - 1;
	state_set_peer(p->e, state, PEER_SRC, TCPS_PROXY_DST);
	return PKT_PASS;
}

static bool
may_redeem(const struct pkt *p, uint32_t state)
{
	const struct state *s;

	if (p->dir != PFK_IN || p->vproto != PROTO_TCP ||
	    (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_ACK)
		return false;
	if (state == 0)
		return true;
	s = state_get(p->e, state);
	return s->src.state >= TCPS_FIN_WAIT_2 &&
	    s->dst.state >= TCPS_FIN_WAIT_2;
}

static enum outcome
with_ports(struct pkt *p, struct verdict *v)
{
	enum outcome out = PKT_PASS;
	struct pkt syn;

	v->state = find_state(p);
	if (may_redeem(p, v->state) && syncookie_check(p, &syn))
		out = redeem_cookie(p, &syn, v);
	out = v->state != 0 && out == PKT_PASS ?
	    track_packet(p, &v->state) : PKT_DROP;
	return by_state_or_rules(p, v, out);
}

/* `max-mss` of the state, or else of the rule. */
static void
limit_mss(struct pkt *p, const struct verdict *v, enum outcome out)
{
	uint16_t mss;

	mss = v->state == 0 ? rule_of(p->e, v->rule)->max_mss :
	    state_get(p->e, v->state)->per_packet & PER_ACTIONS ?
	    state_cold(p->e, v->state)->actions.max_mss : 0;
	if (mss != 0 && (out == PKT_PASS || out == PKT_AFTO))
		scrub_mss(p, mss);
}

static enum outcome
tcp(struct pkt *p, struct verdict *v)
{
	enum outcome out;

	if (p->dir == PFK_IN && (p->tcp_flags & (TCP_SYN | TCP_ACK)) ==
	    TCP_SYN && syncookies_active(p)) {
		syncookie_send(p);
		return drop(p, PFK_REASON_MATCH);
	}
	if (normalize_tcp(p) == PKT_DROP)
		return PKT_DROP;
	out = with_ports(p, v);
	limit_mss(p, v, out);
	return out;
}

static enum outcome
icmp(struct pkt *p, struct verdict *v)
{
	if ((p->vproto == PROTO_ICMPV6) != (p->af == PFK_AF_INET6))
		return drop(p, PFK_REASON_NORM);
	return by_state_or_rules(p, v, icmp_packet(p, v));
}

static enum outcome
by_protocol(struct pkt *p, struct verdict *v)
{
	enum outcome out;

	switch (p->vproto) {
	case VPROTO_FRAGMENT:
		out = filter_packet(p, v);
		if (out != PKT_PASS)
			p->reason = PFK_REASON_FRAG;
		return out;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return icmp(p, v);
	case PROTO_TCP:
		return tcp(p, v);
	default:
		return with_ports(p, v);
	}
}

/* ---- what a packet that goes on is given ---- */

/* An ACK without data, or low delay wanted: the second queue and prio. */
static bool
urgent(const struct pkt *p)
{
	return (p->tos & 0x10) != 0 || (p->vproto == PROTO_TCP &&
	    p->tcp_flags & TCP_ACK && tcp_datalen(p) == 0);
}

/* Before the packet itself is changed: its own tos says what is urgent. */
static void
set_prio(struct pkt *p, const struct actions *a)
{
	if (a->flags & PFK_STATE_F_SETPRIO)
		p->prio = a->set_prio[urgent(p)];
}

static enum outcome
finish_state(struct pkt *p, uint32_t state, enum outcome out)
{
	const struct state *s = state_get(p->e, state);
	const struct state_cold *c;

	if (out == PKT_PASS && p->badopts &&
	    !(s->flags & PFK_STATE_F_ALLOW_OPTS)) {
		p->log |= LOG_FORCED;
		out = drop(p, PFK_REASON_IPOPTIONS);
	}
	if (!(s->per_packet & PER_ACTIONS))
		return out;
	c = state_cold(p->e, state);
	set_prio(p, &c->actions);
	if (!scrub_apply(p, &c->actions))
		return drop(p, PFK_REASON_MEMORY);
	if (c->tag != 0)
		p->tag = c->tag;
	/* answers are routed as usual */
	if (p->dir == s->direction && c->actions.rtable >= 0)
		p->rtable = c->actions.rtable;
	return out;
}

static enum outcome
finish_rule(struct pkt *p, uint32_t rule, enum outcome out)
{
	struct actions a;

	memset(&a, 0, sizeof(a));
	a.rtable = -1;
	actions_of_rule(&a, &p->e->rules[rule]);
	set_prio(p, &a);
	if (!scrub_apply(p, &a))
		return drop(p, PFK_REASON_MEMORY);
	return out;
}

static enum outcome
finish(struct pkt *p, const struct verdict *v, enum outcome out)
{
	return v->state != 0 ? finish_state(p, v->state, out) :
	    finish_rule(p, v->rule, out);
}

static enum outcome
change_family(struct pkt *p)
{
	return (p->icmp_error ? afto_error(p, &p->quote) :
	    afto_packet(p)) == PKT_DROP ? PKT_DROP : PKT_AFTO;
}

static void
log_verdict(struct pkt *p, const struct verdict *v)
{
	const struct pfk_engine *e = p->e;
	uint32_t m;

	if (p->log == 0)
		return;
	if (p->log & LOG_FORCED || rule_of(e, v->rule)->log & IMG_LOG_ALL)
		log_packet(p, p->reason, v->rule, v->anchor);
	if (v->state == 0)
		return;
	for (m = state_cold(e, v->state)->match_list; m != 0;
	    m = e->match_items[m].next)
		if (rule_of(e, e->match_items[m].rule)->log & IMG_LOG_ALL)
			log_packet(p, p->reason, e->match_items[m].rule,
			    v->anchor);
}

static void
verdict_start(const struct pfk_engine *e, struct verdict *v)
{
	*v = (struct verdict){ .rule = e->default_rule, .anchor = IMG_NONE };
}

/* State or rules have said what is to become of it. */
static enum outcome
conclude(struct pkt *p, struct verdict *v, enum outcome out)
{
	if (out != PKT_DROP)
		out = finish(p, v, out);
	if ((out == PKT_DROP || out == PKT_SYNPROXY_DROP) &&
	    p->reason != PFK_REASON_MATCH)
		pkt_reason(p, p->reason);
	log_verdict(p, v);
	/* divert-packet takes it away: for pf it did not pass */
	count_packet(p, out == PKT_PASS && rule_of(p->e, v->rule)->divert ==
	    IMG_DIVERT_PACKET ? PKT_HOLD : out, v);
	if (out == PKT_AFTO && !p->recreated)
		out = change_family(p);
	return out;
}

/* One decision.  => p is whole: decoded, with interface and direction. */
static enum outcome
decide(struct pkt *p, struct verdict *v)
{
	enum outcome out;

	verdict_start(p->e, v);
	p->reason = p->counted = PFK_REASON_MATCH;
	out = prepare(p);
	if (p->e->explain != NULL)
		explain_headers(p, out);
	if (out == PKT_HOLD)
		return out;
	if (out == PKT_PASS)
		out = by_protocol(p, v);
	return conclude(p, v, out);
}

/* ---- on its way ---- */

/* pf refuses to be the end of the way. */
static void
cannot_route(struct pkt *p, bool expired)
{
	bool v6 = p->af == PFK_AF_INET6;

	if (expired)
		reply_icmp(p, p->af, v6 ? 3 : 11, 0, 0);
	else
		reply_icmp(p, p->af, v6 ? 1 : 3, v6 ? 0 : 1, 0);
}

/*
 * route-to and reply-to take the packet away from the host's own routing;
 * *ifid is where it leaves, IF_NONE: nowhere.
 */
static bool
routed_by_state(struct pkt *p, const struct verdict *v, uint16_t *ifid)
{
	const struct state *s;
	const struct state_cold *c;
	struct route_entry route;

	if (v->state == 0 ||
	    !((s = state_get(p->e, v->state))->per_packet & PER_ROUTE))
		return false;
	c = state_cold(p->e, v->state);
	if (c->rt == IMG_DUP_TO ||
	    (c->rt == IMG_REPLY_TO) == (s->direction == p->dir))
		return false;
	*ifid = IF_NONE;
	if (p->routes++ >= MAX_ROUTES)
		return true;
	if (p->dir == PFK_IN && p->ttl <= 1)
		cannot_route(p, true);
	else if (!route_lookup(p->e, c->rt_af, state_route(p->e, v->state),
	    p->rtable < 0 ? 0 : (unsigned)p->rtable, &route) || route.reject)
		cannot_route(p, false);
	else
		*ifid = route.ifid;
	return true;
}

/* Where a forwarded packet leaves; false: it does not. */
static bool
routed_by_host(struct pkt *p, const struct verdict *v, uint16_t *ifid)
{
	const struct img_rule *r = rule_of(p->e, v->rule);
	struct route_entry route;

	if (p->frame->dir != PFK_FWD || p->second ||
	    r->divert != IMG_DIVERT_NONE ||
	    pfk_engine_is_local(p->e, p->af, p->addr[DST].b) ||
	    !route_lookup(p->e, p->af, &p->addr[DST],
	    p->rtable < 0 ? 0 : (unsigned)p->rtable, &route) || route.reject)
		return false;
	*ifid = route.ifid;
	return true;
}

/* The same packet, about to leave on the interface. */
static void
turn_around(struct pkt *p, uint16_t ifid)
{
	rewrite_ttl(p, (uint8_t)(p->ttl - 1));
	p->second = true;
	p->dir = PFK_OUT;
	p->ifid = ifid;
	p->rdomain = rtable_rdomain(p->e, p->rtable < 0 ? 0 :
	    (unsigned)p->rtable);
	p->log = 0;
	p->reassembled = p->modified = false;
	p->before_known = false;
}

static void decide_and_report(struct pkt *);

void
pkt_leave(struct pkt *p, uint16_t ifid)
{
	turn_around(p, ifid);
	decide_and_report(p);
}

/* Nothing is decided: `set skip`. */
static void
pass_by(struct pkt *p)
{
	struct verdict v;
	uint16_t ifid;

	verdict_start(p->e, &v);
	tell_other(p, PFK_SKIP);
	if (p->second || p->frame->dir != PFK_FWD)
		return;
	/* for the addresses: broken or not, it goes on */
	(void)pkt_decode_transport(p);
	if (routed_by_host(p, &v, &ifid))
		pkt_leave(p, ifid);
}

static void
after_decision(struct pkt *p, const struct verdict *v, enum outcome out)
{
	uint16_t ifid = IF_NONE;
	bool leaves;

	if (out == PKT_PASS && !routed_by_state(p, v, &ifid))
		routed_by_host(p, v, &ifid);
	leaves = out == PKT_PASS && p->dir == PFK_IN && ifid != IF_NONE;
	tell_sink(p, out, v);
	if (leaves)
		pkt_leave(p, ifid);
}

static void
decide_and_report(struct pkt *p)
{
	struct verdict v;

	replies_reset(p->e);
	if (iface_skipped(p->e, p->ifid))
		pass_by(p);
	else {
		enum outcome out = decide(p, &v);

		after_decision(p, &v, out);
	}
}

void
run_behind_rules(struct filter *f, enum outcome out)
{
	struct pkt *p = f->p;
	struct verdict v;

	verdict_start(p->e, &v);
	out = filter_run(f, &v, out);
	if (p->vproto == PROTO_TCP)
		limit_mss(p, &v, out);
	out = conclude(p, &v, out);
	after_decision(p, &v, out);
}

void
run_behind_state(struct pkt *p, uint32_t state, enum outcome out)
{
	struct verdict v;

	verdict_start(p->e, &v);
	v.state = state;
	out = by_state_or_rules(p, &v, out);
	if (p->vproto == PROTO_TCP)
		limit_mss(p, &v, out);
	out = conclude(p, &v, out);
	after_decision(p, &v, out);
}

/*
 * All but quote and before.  In pieces, which become plain stores: for the
 * whole, compilers take an instruction that is slow to begin.
 */
static inline void
pkt_clear(struct pkt *p)
{
	enum { END = offsetof(struct pkt, quote), PIECE = 64 };
	uint8_t *b = (uint8_t *)p;

	for (size_t i = 0; i < END / PIECE; i++)
		memset(b + i * PIECE, 0, PIECE);
	memset(b + END / PIECE * PIECE, 0, END % PIECE);
}

void
pkt_start(struct pfk_engine *e, const struct pfk_packet *frame,
    struct pkt *p)
{
	pkt_clear(p);
	p->e = e;
	p->frame = frame;
	p->dir = frame->dir == PFK_OUT ? PFK_OUT : PFK_IN;
	p->ifid = frame->ifid;
	p->rcvif = p->dir == PFK_IN ? frame->ifid : IF_NONE;
	if (frame->ifid < e->nifaces)
		p->rdomain = (uint16_t)iface_rdomain(e, frame->ifid);
	p->rtable = p->rdomain;
	p->prio = 3;
	p->now = e->now;
}

void
run_frame(struct pfk_engine *e, const struct pfk_packet *frame)
{
	struct pkt p;

	pkt_start(e, frame, &p);
	if (frame->ifid >= e->nifaces || !pkt_decode(&p))
		tell_other(&p, PFK_IGNORE);
	else
		decide_and_report(&p);
}

void
pfk_engine_advance(struct pfk_engine *e, uint64_t time)
{
	if (!e->started) {
		e->started = true;
		e->epoch = time;
	}
	if (time > e->epoch && time - e->epoch > e->now)
		e->now = time - e->epoch;
	if (e->now / 1000000000u != e->uptime)
		purge_until(e, e->now);
}
