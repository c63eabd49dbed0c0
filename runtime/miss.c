/*
 * What becomes of a usual packet without a state (miss.h).
 *
 *	miss_count.c	those in front that are only counted, as most are
 *	plain.c		which packets, and a struct pkt if there is need of it
 *	ruleset_run()	the rules, counted as ever
 *	act()		what follows: filter.c, state.c and counters.c in one
 *
 * The ordinary path takes over where act() says no: nothing has been done by
 * then that it would do again.
 */
#include <stddef.h>
#include <string.h>

#include "runtime/icmp.h"
#include "runtime/miss_int.h"
#include "runtime/plain.h"
#include "runtime/rules.h"
#include "runtime/strip.h"
#include "runtime/shard.h"
#include "runtime/translate.h"
#include "runtime/way.h"

/* ---- rules ---- */

static bool
is_bare(const struct rt_rule *rr)
{
	const struct img_rule *r = rr->r;

	return r->log == 0 && rr->tag == 0 && rr->nat == IMG_NONE &&
	    rr->rdr == IMG_NONE && rr->qid == 0 && rr->pqid == 0 &&
	    r->rtable < 0 && r->min_ttl == 0 && r->max_mss == 0 &&
	    r->divert == IMG_DIVERT_NONE && (r->flags & (IMG_R_AFTO |
	    IMG_R_NODF | IMG_R_RANDOMID | IMG_R_SET_TOS | IMG_R_SET_DELAY |
	    IMG_R_REASSEMBLE_TCP | IMG_R_SET_PRIO | IMG_R_ONCE)) == 0;
}

static bool
makes_bare_states(const struct img_rule *r)
{
	return r->keep_state == IMG_KEEP_STATE &&
	    r->src_track == IMG_TRACK_NONE && r->max_states == 0 &&
	    r->rt == IMG_RT_NONE && r->pktrate[0] == 0;
}

/* Nothing that it does on the way is seen by the rules behind it. */
static bool
acts_later(const struct rt_rule *rr)
{
	const struct img_rule *r = rr->r;

	return (r->action == IMG_MATCH || rr->tag != 0) && r->log == 0 &&
	    rr->nat == IMG_NONE && rr->rdr == IMG_NONE && r->rtable < 0 &&
	    (r->flags & (IMG_R_AFTO | IMG_R_ONCE)) == 0;
}

uint8_t
rule_plain(const struct rt_rule *rr)
{
	const struct img_rule *r = rr->r;

	if (acts_later(rr))
		return PLAIN_LATER;
	if (!is_bare(rr))
		return PLAIN_NOT;
	if (r->action == IMG_BLOCK)
		return r->block == IMG_DROP ? PLAIN_BLOCK : PLAIN_NOT;
	if (r->action != IMG_PASS || r->rt != IMG_RT_NONE)
		return PLAIN_NOT;
	if (r->keep_state == IMG_NO_STATE)
		return PLAIN_PASS;
	return makes_bare_states(r) ? PLAIN_STATE : PLAIN_NOT;
}

/* ---- what follows ---- */

#define ACTS	16

/* A packet under way; p and f are only made if somebody wants them. */
struct miss {
	struct pfk_engine *e;
	struct lane_run *run;
	const struct pfk_packet *frame;
	struct lane_packet *l;
	struct verdict	 v;
	bool		 made, asked, lost;
	uint8_t		 nacts;		/* rules that are still to act */
	bool		 acted;		/* some have */
	struct act	 acts[ACTS];
	uint16_t	 rdomain;
	struct pkt	 p;
	struct filter	 f;
	struct way	 w;
	struct block_help h;
};

static NOINLINE struct pkt *
packet_of(struct miss *m)
{
	if (m->made)
		return &m->p;
	packet_make(m->e, m->frame, m->l, &m->p);
	replies_reset(m->e);
	m->made = true;
	return &m->p;
}

/* Addresses as tables are asked about them: all zero but for these bytes. */
static NOINLINE void
count_tables_apart(struct miss *m)
{
	const struct lane_packet *l = m->l;
	size_t size = l->v6 ? 16 : 4;
	struct pfk_addr addr[2] = { { { 0 } }, { { 0 } } };

	/* what fits may be another address, which a rule has made of it */
	if (!m->acted && tables_count_fit(m->e, &m->e->rules[m->v.rule],
	    l->len, l->out))
		return;
	memcpy(addr[SRC].b, lane_addr(l, SRC), size);
	memcpy(addr[DST].b, lane_addr(l, DST), size);
	count_rule_tables(m->e, m->v.rule, l->v6 ? PFK_AF_INET6 : PFK_AF_INET,
	    &addr[SRC], &addr[DST], l->len, l->out);
}

static inline void
count(struct miss *m, bool blocked)
{
	struct pfk_engine *e = m->e;
	const struct rt_rule *rr = &e->rules[m->v.rule];
	struct state *s;

	lane_tally_for(e, &m->run->tally, m->frame->ifid);
	lane_count(&m->run->tally, m->l, blocked);
	m->run->tally.judged++;
	lane_count_rule(e, m->v.rule, m->l);
	if (m->v.anchor != IMG_NONE)
		lane_count_rule(e, m->v.anchor, m->l);
	if (m->v.state == 0) {
		if ((rr->src_table & rr->dst_table) != IMG_NONE)
			count_tables_apart(m);
		return;
	}
	s = state_get(e, m->v.state);
	s->packets[0]++;
	s->bytes[0] += m->l->len;
	if (s->busy)
		lane_busy(e, m->l, m->v.state, false);
}

static inline void
count_new_state(struct pfk_engine *e, const struct verdict *v)
{
	e->rules[v->rule].n.states++;
	e->rules[v->rule].n.states_total++;
	if (v->anchor != IMG_NONE) {
		e->rules[v->anchor].n.states++;
		e->rules[v->anchor].n.states_total++;
	}
}

/* => The record is all zero. */
static inline void
set_key(struct state_key *k, const struct lane_packet *l)
{
	if (l->v6) {
		memcpy(k, l->key, sizeof(*k));
		return;
	}
	memcpy(&k->addr[0], &l->key[0], 4);
	memcpy(&k->addr[1], (const uint8_t *)&l->key[0] + 4, 4);
	memcpy(k->port, &l->key[1], 8);	/* and all behind them */
}

static inline void
start_protocol(struct miss *m, struct state *s)
{
	const struct lane_packet *l = m->l;
	const uint8_t *th = l->hdr;

	if (l->echo) {
		s->timeout = IMG_TMO_ICMP_FIRST;
		return;
	}
	if (!l->tcp) {
		s->src.state = SINGLE_FIRST;
		s->timeout = IMG_TMO_UDP_FIRST;
		return;
	}
	if (!lane_tcp_whole(m->frame, l))
		th = packet_of(m)->ip + packet_of(m)->hdrlen;
	tcp_start(m->e, s, th, th[13],
	    l->len - (l->v6 ? 40 : 20) - (th[12] >> 4) * 4u);
}

/* A state that asks for nothing; false: it is for the ordinary path to say
 * that there is no room. */
static ALWAYS_INLINE bool
make_state(struct miss *m)
{
	struct pfk_engine *e = m->e;
	const struct rt_rule *rr = &e->rules[m->v.rule];
	struct state_cold *c;
	struct state *s;

	if (!state_table_room(e) || (m->v.state = state_alloc(e)) == 0)
		return false;
	s = state_get(e, m->v.state);
	c = state_cold(e, m->v.state);
	lane_know(e, m->l);
	set_key(&s->key, m->l);
	s->rule = m->v.rule;
	s->direction = m->l->out ? PFK_OUT : PFK_IN;
	s->expire = c->created = e->uptime;
	s->flags = rr->state_flags;
	if (rr->r->flags & IMG_R_IFBOUND)
		s->ifid = m->frame->ifid;
	c->anchor = m->v.anchor;
	if (m->v.anchor != IMG_NONE)
		s->flags |= STATE_ANCHORED;
	c->nat_rule = IMG_NONE;
	c->actions.rtable = m->rdomain;
	start_protocol(m, s);
	s->lane = !(s->flags & PFK_STATE_F_SLOPPY);	/* lane_suits() */
	s->plain = state_is_plain(s);
	if (e->shards != NULL)
		shard_new_id(e, m->frame);
	state_insert_new(e, m->v.state, m->l->hash);
	m->v.created = true;
	count_new_state(e, &m->v);
	return true;
}

/* The same under match rules that have been put off. */
static NOINLINE bool
make_busy_state(struct miss *m)
{
	uint32_t list;

	if (!acts_suit(m->e, m->acts, m->nacts, m->l) ||
	    !acts_list(m->e, m->acts, m->nacts, &list))
		return false;
	if (!make_state(m)) {
		match_items_free(m->e, list);
		return false;
	}
	acts_settle(m->e, m->v.state, m->acts, m->nacts, list);
	return true;
}

static NOINLINE void
tell(struct miss *m, bool blocked)
{
	struct pkt *p = packet_of(m);

	if (m->v.state != 0 && state_get(m->e, m->v.state)->busy)
		lane_scrub(p, state_cold(m->e, m->v.state));
	tell_sink(p, blocked ? PKT_DROP : PKT_PASS, &m->v);
}

/* false: nothing was done. */
static inline bool
act(struct miss *m)
{
	const struct rt_rule *rr = &m->e->rules[m->v.rule];
	bool blocked = rr->plain == PLAIN_BLOCK;

	if (rr->plain <= PLAIN_LATER)
		return false;
	if (rr->plain == PLAIN_STATE &&
	    (((rr->src_table & rr->dst_table) != IMG_NONE &&
	    rule_counts_tables(m->e, m->v.rule)) ||
	    !(m->nacts == 0 ? make_state(m) : make_busy_state(m))))
		return false;
	count(m, blocked);
	if (m->e->sink.decision != NULL)
		tell(m, blocked);
	return true;
}

/* ---- the rules ---- */

/* Rules that have been put off: only memory can fail them. */
static NOINLINE void
act_now(struct miss *m)
{
	for (unsigned i = 0; i < m->nacts && !m->lost; i++) {
		m->f.here = m->acts[i].here;
		m->lost = rule_matches(m->e, &m->f, m->acts[i].rule) !=
		    PKT_PASS;
		m->acted = true;
	}
	m->nacts = 0;
}

/* Without what has been put off, which only tags are asked about. */
static NOINLINE struct filter *
filter_begun(struct miss *m)
{
	struct icmp_kind icmp;

	if (!m->asked) {
		filter_begin(&m->f, packet_of(m), &icmp);
		m->f.reason = PFK_REASON_MATCH;
	}
	m->asked = true;
	return &m->f;
}

/* As the rules have left it so far. */
static NOINLINE struct filter *
filter_of(struct miss *m)
{
	(void)filter_begun(m);
	if (m->nacts != 0)
		act_now(m);
	return &m->f;
}

/* A block asks about one of its rules that is not a usual one. */
static const uint32_t *
rule_misfit(void *ctx, uint32_t rule, const uint32_t *pc)
{
	struct miss *m = ctx;

	return ruleset_misfit(m->e, m->e->rules[rule].match_tag != 0 ?
	    filter_of(m) : filter_begun(m), rule, pc);
}

/* What rules are asked from now on: the packet as they have made it. */
static void
look_anew(struct miss *m)
{
	struct strip_ask *q = m->w.q;
	const struct pkt *p = m->f.p;

	m->h.found = NULL;
	q->known = 0;
	q->rtable = (unsigned)m->f.actions.rtable;
	for (unsigned i = 0; i < 2; i++) {
		q->addr[i] = p->addr[i].b;
		q->port[i] = port_host(p->port[i]);
	}
}

/* A rule on the way. */
static bool
rule_acts(void *ctx, uint32_t rule)
{
	struct miss *m = ctx;
	const struct rt_rule *rr = &m->e->rules[rule];
	struct filter *f;

	if (rr->plain == PLAIN_LATER && m->nacts < ACTS) {
		m->acts[m->nacts].rule = rule;
		m->acts[m->nacts++].here = m->w.calls.here;
		return true;
	}
	f = filter_of(m);
	f->here = m->w.calls.here;
	m->acted = true;
	if (m->lost || rule_matches(m->e, f, rule) != PKT_PASS)
		return false;
	if (rr->plain != PLAIN_LATER)
		look_anew(m);
	return true;
}

/* What strips and blocks are asked about it.  => It has a key. */
static void
ask_in_full(struct strip_ask *q, const struct pfk_packet *frame,
    const struct lane_packet *l, uint16_t rdomain)
{
	q->head = (struct strip_head){ frame->ifid, rdomain,
	    l->tcp ? l->hdr[13] : 0, lane_proto(l),
	    l->out ? PFK_OUT : PFK_IN, l->v6 ? PFK_AF_INET6 : PFK_AF_INET,
	    l->echo, l->echo ? l->hdr[0] : 0, l->echo ? l->hdr[1] : 0 };
	q->addr[SRC] = lane_addr(l, SRC);
	q->addr[DST] = lane_addr(l, DST);
	q->port[SRC] = get16(l->hdr);
	q->port[DST] = get16(l->hdr + 2);
	q->rtable = rdomain;
}

/* What its addresses' tables have said, as far as that is still true. */
static inline void
tell_tables(const struct pfk_engine *e, const struct lane_packet *l,
    struct strip_ask *q)
{
	q->known = e->tables_known;
	if (q->known != 0 && !l->told)
		q->known = 0;
	q->in = l->tables;
}

static inline struct start
ask_first(struct pfk_engine *e, const struct lane_run *run,
    const struct pfk_packet *f, const struct lane_packet *l,
    struct block_ahead *ahead)
{
	struct start s = { e->anchors[0].code, e->default_rule, false };
	struct strip_ask q;

	if (ahead == NULL || ahead->found.block == 0) {
		if (e->front == NULL)
			return s;
		lane_question(&q, e, run, f, l);
		tell_tables(e, l, &q);
		s.from = strips_short(e, &q, &s.rule);
		return s;
	}
	if ((s.quick = block_decides(&ahead->found))) {
		s.rule = ahead->found.rule;
		s.from = NULL;
	}
	return s;
}

/* From there on, as far as the short way goes. */
static inline enum way_end
ask_strips(struct miss *m, const struct start *s, struct block_ahead *ahead)
{
	struct strip_ask q;

	m->w.rule = s->rule;
	m->w.anchor = m->w.calls.here = IMG_NONE;
	m->h = (struct block_help){ rule_misfit, rule_acts, m, NULL };
	m->w.h = &m->h;
	if (s->from == NULL)
		return s->quick ? WAY_QUICK : WAY_DECIDED;
	if (ahead != NULL && ahead->found.block != 0)
		m->h.found = &ahead->found;
	ask_in_full(&q, m->frame, m->l, m->rdomain);
	m->w.q = &q;
	tell_tables(m->e, m->l, m->w.q);
	return way_run(m->e, &m->w, s->from);
}

/*
 * Whether what match rules have set comes to something that act() does not do:
 * without a state it comes to nothing, but for what they have done to the rules
 * behind them.
 */
static inline bool
needs_acts(const struct miss *m)
{
	const struct rt_rule *rr = &m->e->rules[m->v.rule];

	return !rule_counts(rr) && (rr->plain != PLAIN_STATE || m->acted);
}

/* Nothing comes of it: p is again what its bytes are. */
static void
forget_acts(struct miss *m)
{
	memcpy(m->p.addr, m->p.oaddr, sizeof(m->p.addr));
	memcpy(m->p.port, m->p.oport, sizeof(m->p.port));
	match_items_free(m->e, m->f.match_list);
}

/* The rest of it; false: it is for the ordinary path. */
static bool
ask_others(struct miss *m, enum way_end end, enum outcome *out)
{
	struct filter *f = filter_of(m);
	uint16_t tag = m->e->rules[m->w.rule].tag;

	f->rule = m->w.rule;
	f->anchor = m->w.anchor;
	f->here = m->w.calls.here;
	if (end == WAY_QUICK && tag != 0)
		f->tag = tag;
	*out = PKT_PASS;
	if (end == WAY_LOST || m->lost)
		*out = PKT_DROP;
	else if (end == WAY_STUCK)
		*out = ruleset_go_on(m->e, f, &m->w.calls, m->w.pc);
	m->v.rule = f->rule;
	m->v.anchor = f->anchor;
	m->acted = f->match_list != 0 || f->tag != 0;
	return *out == PKT_PASS && m->p.naf == m->p.af &&
	    (f->actions.log & IMG_LOG_MATCHES) == 0;
}

static inline bool
is_there(const struct state_table *t, uint32_t hash)
{
	for (uint32_t b = hash & (t->nbuckets - 1);;
	    b = (b + 1) & (t->nbuckets - 1)) {
		if (bucket_match(&t->buckets[b], hash) != 0)
			return true;
		if (t->buckets[b].past == 0)
			return false;
	}
}

/*
 * It has no state, and nobody need look at it first; what that takes of bare
 * ones has been seen.
 */
static inline bool
is_taken(const struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l, bool tcp)
{
	if (f->dir == PFK_FWD)
		return false;
	if ((l->kind & LANE_BARE) != 0 && (tcp | !l->tcp))
		return true;
	return packet_is_plain(e, f, l) &&
	    (e->states->entries == 0 || !is_there(e->states, l->hash));
}

/* What the rules have said is all that there is to do; false: it is not. */
static inline bool
done(struct miss *m)
{
	if (m->nacts != 0 || m->acted) {
		if (needs_acts(m))
			return false;
		if (m->acted)
			forget_acts(m);
	}
	return act(m);
}

static NOINLINE void
take_one(struct miss *m, const struct start *s, struct block_ahead *ahead)
{
	enum outcome out = PKT_PASS;
	enum way_end end;

	m->v = (struct verdict){ .anchor = IMG_NONE };
	m->made = m->asked = m->acted = m->lost = false;
	m->nacts = 0;
	end = ask_strips(m, s, ahead);
	m->v.rule = m->w.rule;
	m->v.anchor = m->w.anchor;
	if ((end <= WAY_QUICK || ask_others(m, end, &out)) && done(m))
		return;
	m->e->counters.searches++;
	if (end <= WAY_QUICK)
		(void)ask_others(m, end, &out);
	run_behind_rules(&m->f, out);
}

/* ---- one after the other ---- */

/* Whether the first packet has no state; if so its rules are asked. */
static bool
ask_one(struct pfk_engine *e, struct lane_run *run, struct lane_clock *c,
    const struct queue *q, const struct lane_seen *seen, bool tcp,
    struct start *s)
{
	if (q->l->hdr == NULL)
		return false;
	lane_clock_move(c, e, q->f->time);
	if (lane_stale(e->states, q->l, seen))
		lane_look_again(e, q->l);
	if (q->l->ref != 0 || !is_taken(e, q->f, q->l, tcp))
		return false;
	*s = ask_first(e, run, q->f, q->l, q->ahead);
	return true;
}

size_t
miss_take(struct pfk_engine *e, struct lane_run *run,
    const struct pfk_packet *f, struct lane_packet *l, size_t n,
    const struct lane_seen *seen, struct block_ahead *ahead)
{
	bool tcp = syncookies_idle(e);
	bool quiet = e->sink.decision == NULL && tcp;
	struct queue q = { f, l, ahead, n };
	struct lane_clock c;
	struct start s;
	struct miss m;

	if (!e->started)
		pfk_engine_advance(e, f->time);
	lane_clock_read(&c, e);
	for (; q.n > 0; queue_pass(&q, 1)) {
		bool asked = quiet && e->states->changes == seen->changes &&
		    miss_count(e, run, &c, &q, &s);

		if (q.n == 0 || (!asked && !ask_one(e, run, &c, &q, seen,
		    tcp, &s)))
			break;
		e->now = c.last - e->epoch;
		m.e = e;
		m.run = run;
		m.frame = q.f;
		m.l = q.l;
		m.rdomain = lane_rdomain(e, &run->in, q.f->ifid);
		take_one(&m, &s, q.ahead);
	}
	e->now = c.last - e->epoch;
	return n - q.n;
}
