/*
 * What becomes of a usual packet (lane.h): its state moves on, everybody
 * counts, the sink is told.
 *
 * Each step says which room of the ordinary path does the same.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "runtime/lane.h"
#include "runtime/rules_int.h"
#include "runtime/tcp_states.h"

/* ---- which state (state_find.c) ---- */

bool
lane_suits(const struct pfk_engine *e, uint32_t i)
{
	const struct state *s = state_get(e, i);

	/* its rule may want the packet for somebody else */
	return (s->per_packet & ~(PER_MATCH | PER_ACTIONS)) == 0 &&
	    !(s->flags & PFK_STATE_F_SLOPPY) &&
	    state_key(e, i, KEY_STACK).af == s->key.af &&
	    e->rules[s->rule].r->divert == IMG_DIVERT_NONE;
}

void
state_settle(const struct pfk_engine *e, uint32_t i)
{
	struct state *s = state_get(e, i);

	s->busy = s->per_packet != 0;
	s->lane = s->timeout < TIMEOUT_PURGE && lane_suits(e, i);
	s->plain = state_is_plain(s);
}

/*
 * It asks for nothing that is rare.  If it translates, packets that come in
 * have its wire key, and an echo has another id.
 */
static inline bool
state_usual(const struct state *s, const struct pfk_packet *f,
    const struct lane_packet *l, uint16_t ifid)
{
	return s->plain || (s->lane && !(s->busy && f->dir == PFK_FWD) &&
	    (s->ifid == IF_NONE || s->ifid == ifid) &&
	    (!s->translated || ((l->ref & 1) == l->out && !l->echo &&
	    s->packed != l->v6)));
}

/* ---- what the packet does to it (tcp_track.c, state_track.c) ---- */

/* Both halves are open, and an ACK in the window leaves them so. */
static ALWAYS_INLINE bool
track_tcp(struct state *s, const struct lane_packet *l,
    struct state_peer *src, struct state_peer *dst)
{
	const uint8_t *th = l->hdr;
	uint32_t low = src->seqlo, ack = get32(th + 8), w = get16(th + 14);
	uint32_t seq, end, win, most;
	unsigned sws = src->wscale, dws = dst->wscale;

	if ((src->state ^ TCPS_ESTABLISHED) | (dst->state ^ TCPS_ESTABLISHED) |
	    src->seqdiff | dst->seqdiff || low == 0)
		return false;
	if (sws == 0 || dws == 0)
		sws = dws = 0;
	sws &= WSCALE_MASK;
	dws &= WSCALE_MASK;
	/* what is acknowledged is neither too new nor too old */
	most = MAX_ACK_WINDOW + ((uint32_t)MAX_ACK_WINDOW << sws);
	if (dst->seqlo - ack + MAX_ACK_WINDOW > most)
		return false;
	/* without data it may stand anywhere */
	seq = l->datalen == 0 ? low : get32(th + 4);
	end = seq + l->datalen;
	/* differences that must not be negative: its ends */
	if ((int32_t)((src->seqhi - end) |
	    (seq - low + ((uint32_t)dst->max_win << dws))) < 0)
		return false;
	win = w << sws;
	if (src->max_win < w)
		src->max_win = (uint16_t)w;
	src->seqlo = seq_geq(low, end) ? low : end;
	if (seq_geq(ack + win, dst->seqhi))
		dst->seqhi = ack + win + (win == 0);
	s->timeout = IMG_TMO_TCP_ESTABLISHED;
	return true;
}

static inline bool
track_udp(struct state *s, struct state_peer *src, struct state_peer *dst)
{
	if (src->state < SINGLE_FIRST)
		src->state = SINGLE_FIRST;
	if (dst->state == SINGLE_FIRST)
		dst->state = SINGLE_MULTIPLE;
	s->timeout = src->state == SINGLE_MULTIPLE &&
	    dst->state == SINGLE_MULTIPLE ? IMG_TMO_UDP_MULTIPLE :
	    IMG_TMO_UDP_SINGLE;
	return true;
}

/* Questions go the state's way, answers the other (icmp.c). */
static inline bool
track_echo(struct state *s, const struct lane_packet *l, bool back)
{
	if (l->answer != back)
		return false;
	s->timeout = IMG_TMO_ICMP_ERROR;
	return true;
}

static_assert(offsetof(struct state, dst) == offsetof(struct state, src) +
    sizeof(struct state_peer), "peers side by side");

static ALWAYS_INLINE bool
track_usual(struct state *s, const struct lane_packet *l, bool back)
{
	/* which one is which comes at random: no branches */
	size_t turn = back * sizeof(struct state_peer);
	struct state_peer *src = (void *)((char *)s +
	    offsetof(struct state, src) + turn);
	struct state_peer *dst = (void *)((char *)s +
	    offsetof(struct state, dst) - turn);

	return l->tcp ? track_tcp(s, l, src, dst) :
	    l->echo ? track_echo(s, l, back) : track_udp(s, src, dst);
}

static ALWAYS_INLINE bool
track(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l, bool back)
{
	return (!(l->kind & LANE_TURNS) && track_usual(l->state, l, back)) ||
	    (l->tcp && lane_turn(e, f, l, back));
}

/* ---- counting (counters.c) ---- */

void
lane_hand_in(struct pfk_engine *e, struct lane_tally *t)
{
	struct pfk_if_counters *c;

	if (t->ifid == IF_NONE)
		return;
	c = &e->if_counters[t->ifid];
	for (int i = 0; i < 8; i++) {
		if (t->packets[i] == 0)
			continue;
		e->counters.searches += t->packets[i];
		e->counters.packets += t->packets[i];
		e->counters.bytes += t->bytes[i];
		c->packets[i / 2 % 2][i / 4][i % 2] += t->packets[i];
		c->bytes[i / 2 % 2][i / 4][i % 2] += t->bytes[i];
	}
	e->counters.reasons[PFK_REASON_MATCH] += t->judged;
	memset(t, 0, sizeof(*t));
	t->ifid = IF_NONE;
}

void
lane_end(struct pfk_engine *e, struct lane_run *r)
{
	lane_hand_in(e, &r->tally);
	lane_hand_in(e, &r->onward);
}

/* But for what a busy state does. */
static inline void
count(const struct pfk_engine *e, struct lane_tally *t, struct state *s,
    const struct lane_packet *l, bool back)
{
	uint32_t anchor;

	lane_count(t, l, false);
	lane_count_rule(e, s->rule, l);
	if (!s->plain && s->flags & STATE_ANCHORED &&
	    (anchor = state_cold(e, l->ref / 2)->anchor) != IMG_NONE)
		lane_count_rule(e, anchor, l);
	s->packets[back]++;
	s->bytes[back] += l->len;
}

/* ---- telling (engine.c, view.c) ---- */

static void
tell_flow(struct pfk_flow *flow, const struct lane_packet *l,
    const uint8_t *ip)
{
	const uint8_t *hdr = ip + (l->hdr - lane_ip(l));

	flow->af = l->v6 ? PFK_AF_INET6 : PFK_AF_INET;
	flow->proto = lane_proto(l);
	flow->has_ports = !l->echo;
	if (l->v6) {
		memcpy(flow->src.addr, ip + 8, 16);
		memcpy(flow->dst.addr, ip + 24, 16);
	} else {
		memset(flow->src.addr + 4, 0, 12);
		memset(flow->dst.addr + 4, 0, 12);
		memcpy(flow->src.addr, ip + 12, 4);
		memcpy(flow->dst.addr, ip + 16, 4);
	}
	flow->src.port = flow->dst.port = 0;
	if (l->echo)
		return;
	memcpy(&flow->src.port, hdr, 2);
	memcpy(&flow->dst.port, hdr + 2, 2);
}

/* The packet as it goes on from a state that translates. */
static NOINLINE const uint8_t *
translate(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l)
{
	struct pkt p;

	lane_make_pkt(e, f, l, &p);
	return p.ip;
}

/* e->told is all zero but for what is set here. */
static NOINLINE void
tell(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l)
{
	const struct state *s = l->state;
	struct pfk_decision *d = &e->told;
	const uint8_t *ip = lane_ip(l);
	uint32_t rule = s->rule;

	if (s->busy) {
		lane_tell_busy(e, f, l);
		return;
	}
	d->number = f->number;
	d->time = f->time;
	d->dir = l->out ? PFK_OUT : PFK_IN;
	d->ifid = f->ifid;
	d->rule = rule == e->default_rule ? PFK_RULE_DEFAULT : rule;
	d->verdict = PFK_PASS;
	d->reason = PFK_REASON_MATCH;
	d->state = PFK_STATE_MATCH;
	d->state_id = s->id;
	tell_flow(&d->before, l, ip);
	d->changed = 0;
	if (s->translated && (ip = translate(e, f, l)) != lane_ip(l)) {
		tell_flow(&d->after, l, ip);
		d->changed = PFK_CHANGED_FLOW;
	} else
		d->after = d->before;
	d->ttl = l->v6 ? ip[7] : ip[8];
	d->tos = l->v6 ? (uint8_t)(get16(ip) >> 4) : ip[1];
	d->df = !l->v6 && (ip[6] & 0x40) != 0;
	d->mss = l->tcp ? view_mss(l->hdr, l->len -
	    (uint32_t)(l->hdr - ip)) : 0;
	d->ip = ip;
	d->iplen = l->len;
	e->sink.decision(e->sink.ctx, d);
}

/* ---- all of it ---- */

static inline bool
goes_back(const struct lane_packet *l)
{
	return l->out != (l->state->direction == PFK_OUT);
}

void
lane_passed(struct pfk_engine *e, struct lane_run *run,
    const struct pfk_packet *f, const struct lane_packet *l)
{
	lane_tally_for(e, &run->tally, f->ifid);
	count(e, &run->tally, l->state, l, goes_back(l));
	if (l->state->busy)
		lane_busy(e, l, l->ref / 2, goes_back(l));
	if (e->sink.decision != NULL)
		tell(e, f, l);
}

static ALWAYS_INLINE bool
take_one(struct pfk_engine *e, const struct pfk_packet *f, uint16_t ifid,
    const struct lane_packet *l, struct lane_tally *t)
{
	struct state *s = l->state;
	bool back = goes_back(l);

	lane_tally_for(e, t, ifid);
	if (!lane_key_fits(l) || !state_usual(s, f, l, ifid) ||
	    !track(e, f, l, back))
		return false;
	s->expire = e->uptime;
	count(e, t, s, l, back);
	if (s->busy)
		lane_busy(e, l, l->ref / 2, back);
	return true;
}

/* The second decision, if there is one. */
static NOINLINE void
forward(struct pfk_engine *e, struct lane_run *run, const struct pfk_packet *f,
    const struct lane_packet *l)
{
	struct lane_packet o;
	struct pkt p;
	uint16_t ifid;

	if (!lane_leaves(e, l, &ifid))
		return;
	if (e->sink.decision == NULL && lane_turn_around(e, l, ifid, &o)) {
		lane_look_again(e, &o);
		if (o.ref != 0 && take_one(e, f, ifid, &o, &run->onward))
			return;
	}
	lane_make_pkt(e, f, l, &p);
	pkt_leave(&p, ifid);
}

/*
 * Packets from the first one on for which nothing is called: nobody is told,
 * no time is up or goes back, no state is busy, and none of them opens or
 * closes anything.  So all that they need stays in registers.
 */
static NOINLINE size_t
take_quiet(const struct pfk_engine *e, struct lane_tally *t,
    const struct pfk_packet *f, const struct lane_packet *first, size_t n,
    struct lane_clock *c)
{
	const struct lane_packet *l = first, *end = first + n;
	uint64_t last = c->last, time = last;

	for (; l < end && l->kind & LANE_USUAL && l->ref != 0; l++, f++) {
		struct state *s = l->state;
		bool back = goes_back(l);

		time = f->time;
		if (time < last || time >= c->end || f->ifid != t->ifid ||
		    f->dir == PFK_FWD || !lane_key_fits(l) ||
		    !(s->plain || (!s->busy &&
		    state_usual(s, f, l, f->ifid))) ||
		    !track_usual(s, l, back))
			break;
		last = time;
		s->expire = e->uptime;
		count(e, t, s, l, back);
	}
	c->last = last;
	return (size_t)(l - first);
}

size_t
lane_take(struct pfk_engine *e, struct lane_run *run,
    const struct pfk_packet *f, struct lane_packet *first, size_t n,
    const struct lane_seen *seen)
{
	const struct state_table *t = e->states;
	bool told = e->sink.decision != NULL, quiet = !told;
	struct lane_packet *l = first, *end = first + n;
	struct lane_clock c;
	size_t k;

	if (n == 0 || !(l->kind & (LANE_USUAL | LANE_TURNS)))
		return 0;
	if (l->ref == 0 && !lane_stale(t, l, seen))
		return 0;
	if (!e->started)
		pfk_engine_advance(e, f->time);
	lane_clock_read(&c, e);
	for (; l < end && l->kind & (LANE_USUAL | LANE_TURNS); l++, f++) {
		if (quiet && t->losses == seen->losses) {
			k = take_quiet(e, &run->tally, f, l, (size_t)(end - l),
			    &c);
			l += k;
			f += k;
			if (l == end || !(l->kind & (LANE_USUAL | LANE_TURNS)))
				break;
		}
		lane_clock_move(&c, e, f->time);
		if (lane_stale(t, l, seen))
			lane_look_again(e, l);
		if (l->ref == 0 || !take_one(e, f, f->ifid, l, &run->tally))
			break;
		if (told)
			tell(e, f, l);
		if (f->dir == PFK_FWD) {
			e->now = c.last - e->epoch;
			forward(e, run, f, l);
		}
		/* where one state is busy, many are */
		quiet = !told && !l->state->busy && f->dir != PFK_FWD;
	}
	e->now = c.last - e->epoch;
	return (size_t)(l - first);
}
