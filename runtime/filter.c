/*
 * A packet without a state: what the rules say, and what follows from it.
 *
 *	ruleset_run()	the rule that decides
 *	act_finally()	its own options, added to those of match rules
 *	blocked()	the answer of `block return`
 *	passed()	limits, a new state, translation
 *
 * While the rules run, p->addr and p->port are what translation so far makes
 * of the packet; what it came with is in p->oaddr and p->oport.  Afterwards
 * struct wanted has the new ones, and p is again what the bytes are.
 */
#include <string.h>

#include "runtime/icmp.h"
#include "runtime/normalize.h"
#include "runtime/rules_int.h"
#include "runtime/shard.h"
#include "runtime/translate.h"

struct wanted {
	struct pfk_addr	addr[2];
	uint16_t	port[2];
	uint8_t		af;
};

struct making {				/* of a state */
	struct filter	*f;
	const struct img_rule *r;
	struct wanted	 w;
	struct icmp_kind icmp;
	uint32_t	 state;
};

static enum outcome
drop(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return PKT_DROP;
}

static bool
is_icmp(const struct pkt *p)
{
	return p->vproto == PROTO_ICMP || p->vproto == PROTO_ICMPV6;
}

void
filter_begin(struct filter *f, struct pkt *p, struct icmp_kind *k)
{
	filter_start(f, p);
	if (!is_icmp(p))
		return;
	f->state_icmp = icmp_classify(p->af, p->ip + p->hdrlen, p->plen, k);
	f->icmp_type = p->icmp_type;
	f->icmp_code = p->icmp_code;
	f->icmp_dir = k->dir;
	icmp_ports(k, p->port);
	memcpy(p->oport, p->port, sizeof(p->oport));
}

/* p becomes what its bytes are; what the rules made of it is returned. */
static struct wanted
take_wanted(struct pkt *p)
{
	struct wanted w = { .af = p->naf };
	bool afto = p->naf != p->af;

	memcpy(w.addr, afto ? p->naddr : p->addr, sizeof(w.addr));
	memcpy(w.port, afto ? p->nport : p->port, sizeof(w.port));
	memcpy(p->addr, p->oaddr, sizeof(p->addr));
	memcpy(p->port, p->oport, sizeof(p->port));
	return w;
}

/* The deciding rule's options and translation. */
static bool
act_finally(struct filter *f)
{
	struct pkt *p = f->p;
	const struct rt_rule *rr = &p->e->rules[f->rule];

	if (f->rule == p->e->default_rule)
		return true;
	actions_of_rule(&f->actions, rr);
	if (rr->r->flags & IMG_R_AFTO)
		p->naf = rr->r->naf;
	return (rr->nat == IMG_NONE && rr->rdr == IMG_NONE) ||
	    pool_translate(p->e, f, f->rule);
}

static void
log_decision(struct filter *f)
{
	struct pkt *p = f->p;

	if (p->e->rules[f->rule].r->log != 0)
		log_packet(p, PFK_REASON_MATCH, f->rule, f->anchor);
	if (f->actions.log & IMG_LOG_MATCHES)
		log_matches(p, f->rule, f->anchor, f->match_list);
}

static enum outcome
blocked(struct pkt *p, const struct img_rule *r)
{
	if (p->vproto != VPROTO_FRAGMENT)
		reply_return(p, r);
	return PKT_DROP;
}

/* ---- keys ---- */

/*
 * The two keys: as the packet came, and as it goes on.  The first is the wire
 * side's of an incoming packet.
 */
static void
make_keys(struct pkt *p, const struct making *m, struct state_key *wire,
    struct state_key *stack)
{
	struct state_key *came = p->dir == PFK_IN ? wire : stack;
	struct state_key *goes = p->dir == PFK_IN ? stack : wire;
	struct pfk_addr addr[2];
	int first = p->dir == PFK_IN ? 0 : 1;
	bool icmp6 = p->vproto == PROTO_ICMPV6, afto = m->w.af != p->af;
	const uint8_t *hdr = p->ip + p->hdrlen;
	uint8_t proto = p->proto;
	uint16_t rdomain = p->rdomain;

	memcpy(addr, p->addr, sizeof(addr));
	if (icmp6)
		icmp_addrs(p->af, p->icmp_type, hdr, p->plen, false, addr);
	state_key_set(came, p->af, proto, p->rdomain, first, addr, p->port);
	if (m->f->actions.rtable >= 0)
		rdomain = rtable_rdomain(p->e,
		    (unsigned)m->f->actions.rtable);
	memcpy(addr, m->w.addr, sizeof(addr));
	if (!afto && memcmp(addr, p->addr, sizeof(addr)) == 0 &&
	    memcmp(m->w.port, p->port, sizeof(p->port)) == 0 &&
	    rdomain == p->rdomain) {
		*goes = *came;
		return;
	}
	if (icmp6)
		icmp_addrs(m->w.af, p->icmp_type, hdr, p->plen, false, addr);
	if (afto && (proto == PROTO_ICMP || proto == PROTO_ICMPV6))
		proto = icmp6 ? PROTO_ICMP : PROTO_ICMPV6;
	state_key_set(goes, m->w.af, proto, rdomain, afto ? !first : first,
	    addr, m->w.port);
}

/* ---- a new state ---- */

static void
start_protocol(struct pkt *p, struct making *m)
{
	struct state *s = state_get(p->e, m->state);

	switch (p->proto) {
	case PROTO_TCP:
		tcp_start(p->e, s, p->ip + p->hdrlen, p->tcp_flags,
		    tcp_datalen(p));
		if (m->r->keep_state == IMG_MODULATE_STATE)
			tcp_modulate(p, s);
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		s->timeout = IMG_TMO_ICMP_FIRST;
		break;
	default:
		s->src.state = SINGLE_FIRST;
		s->timeout = p->proto == PROTO_UDP ? IMG_TMO_UDP_FIRST :
		    IMG_TMO_OTHER_FIRST;
	}
}

uint16_t
rule_state_flags(const struct img_rule *r)
{
	return (uint16_t)((r->flags & IMG_R_ALLOW_OPTS ?
	    PFK_STATE_F_ALLOW_OPTS : 0) |
	    (r->flags & IMG_R_SLOPPY ? PFK_STATE_F_SLOPPY : 0) |
	    (r->flags & IMG_R_PFLOW ? PFK_STATE_F_PFLOW : 0) |
	    (r->flags & IMG_R_NOSYNC ? PFK_STATE_F_NOSYNC : 0));
}

bool
rule_counts_tables(const struct pfk_engine *e, uint32_t rule)
{
	const struct rt_rule *r = &e->rules[rule];

	return (r->src_table != IMG_NONE &&
	    table_has_counters(e, r->src_table)) ||
	    (r->dst_table != IMG_NONE && table_has_counters(e, r->dst_table));
}

/* What a hit must do besides the checks. */
static uint8_t
per_packet(const struct pfk_engine *e, uint32_t state)
{
	const struct state *s = state_get(e, state);
	const struct state_cold *c = state_cold(e, state);
	const struct state_extra *x = state_extra(e, state);
	const struct actions *a = &c->actions;
	unsigned per = 0;

	if (c->match_list != 0)
		per |= PER_MATCH;
	for (int i = 0; x != NULL && i < 4; i++)
		if (x->nodes[i] != 0)
			per |= PER_NODES;
	if (a->flags != 0 || a->min_ttl != 0 || a->max_mss != 0 ||
	    c->tag != 0 || a->rtable != s->key.rdomain)
		per |= PER_ACTIONS;
	if (rule_counts_tables(e, s->rule))
		per |= PER_TABLES;
	for (uint32_t m = c->match_list; m != 0; m = e->match_items[m].next)
		if (rule_counts_tables(e, e->match_items[m].rule))
			per |= PER_TABLES;
	if (c->rt != IMG_RT_NONE)
		per |= PER_ROUTE;
	if (c->tscrub != 0)
		per |= PER_TSCRUB;
	if (e->rules[s->rule].r->pktrate[0] != 0)
		per |= PER_RATE;
	if (a->log != 0)
		per |= PER_LOG;
	return (uint8_t)per;
}

static void
fill_state(struct pkt *p, struct making *m)
{
	struct filter *f = m->f;
	struct state *s = state_get(p->e, m->state);
	struct state_cold *c = state_cold(p->e, m->state);

	s->rule = f->rule;
	s->direction = p->dir;
	s->expire = c->created = p->e->uptime;
	s->flags = (uint16_t)(rule_state_flags(m->r) | f->actions.flags);
	s->key.proto = p->proto;
	c->anchor = f->anchor;
	if (f->anchor != IMG_NONE)
		s->flags |= STATE_ANCHORED;
	c->nat_rule = f->nat_rule;
	c->actions = f->actions;
	c->actions.log &= IMG_LOG_ALL;
	start_protocol(p, m);
}

/* `reassemble tcp`: the first packet's timestamp. */
static bool
start_scrub(struct pkt *p, uint32_t state)
{
	struct state *s = state_get(p->e, state);
	bool changed;

	if (p->proto != PROTO_TCP || !(s->flags & PFK_STATE_F_SCRUB_TCP))
		return true;
	if (!tscrub_start(p, state))
		return drop(p, PFK_REASON_MEMORY) == PKT_PASS;
	return tscrub_packet(p, state, PEER_SRC, &changed) == PKT_PASS;
}

static bool
choose_route(struct pkt *p, struct making *m)
{
	struct state_cold *c = state_cold(p->e, m->state);
	struct pfk_addr hop = { { 0 } };

	if (m->r->rt == IMG_RT_NONE)
		return true;
	if (!pool_route(p->e, m->f, m->f->rule, &hop, &c->rt_af,
	    &c->rt_ifid))
		return drop(p, PFK_REASON_NOROUTE) == PKT_PASS;
	if (!state_set_route(p->e, m->state, &hop))
		return drop(p, PFK_REASON_MEMORY) == PKT_PASS;
	c->rt = m->r->rt;
	return true;
}

static bool
attach_nodes(struct pkt *p, struct making *m)
{
	const uint32_t *nodes = m->f->nodes;
	struct state_extra *x;

	if ((nodes[0] | nodes[1] | nodes[2] | nodes[3]) == 0)
		return true;
	if ((x = state_extra_need(p->e, m->state)) == NULL)
		return drop(p, PFK_REASON_MEMORY) == PKT_PASS;
	for (int i = 0; i < 4; i++)
		if ((x->nodes[i] = nodes[i]) != 0)
			node_state_added(p->e, nodes[i]);
	return true;
}

static bool
insert_state(struct pkt *p, struct making *m)
{
	struct state_key wire, stack;

	make_keys(p, m, &wire, &stack);
	if (p->e->shards != NULL)
		shard_new_id(p->e, p->frame);
	if (!state_insert(p->e, m->state, &wire, &stack,
	    m->r->flags & IMG_R_IFBOUND ? p->ifid : IF_NONE))
		return drop(p, PFK_REASON_STATEINS) == PKT_PASS;
	return true;
}

/* Nodes that the rules made for a state that does not come are not kept. */
static enum outcome
no_state(struct pkt *p, const struct making *m)
{
	for (int i = 0; i < 4; i++)
		node_drop_unused(p->e, m->f->nodes[i]);
	return PKT_DROP;
}

/* The record is not in the table: undone. */
static enum outcome
give_up(struct pkt *p, struct making *m)
{
	struct pfk_engine *e = p->e;
	const struct state_extra *x = state_extra(e, m->state);

	if (p->proto == PROTO_TCP && e->counters.halfopen > 0)
		e->counters.halfopen--;
	if (state_cold(e, m->state)->tscrub != 0)
		tscrub_free(e, state_cold(e, m->state)->tscrub);
	for (int i = 0; x != NULL && i < 4; i++)
		if (x->nodes[i] != 0)
			node_state_removed(e, x->nodes[i], m->f->rule,
			    false);
	state_free(e, m->state);
	return no_state(p, m);
}

static void
count_new_state(struct pfk_engine *e, uint32_t state)
{
	const struct state *s = state_get(e, state);
	const struct state_cold *c = state_cold(e, state);

	e->rules[s->rule].n.states++;
	e->rules[s->rule].n.states_total++;
	if (c->anchor != IMG_NONE) {
		e->rules[c->anchor].n.states++;
		e->rules[c->anchor].n.states_total++;
	}
	for (uint32_t m = c->match_list; m != 0; m = e->match_items[m].next)
		e->rules[e->match_items[m].rule].n.states++;
}

static enum outcome
create_state(struct pkt *p, struct making *m, struct verdict *v)
{
	struct filter *f = m->f;
	struct state_cold *c;

	if ((m->state = state_alloc(p->e)) == 0) {
		(void)drop(p, PFK_REASON_MEMORY);
		return no_state(p, m);
	}
	fill_state(p, m);
	if (!start_scrub(p, m->state) || !choose_route(p, m) ||
	    !attach_nodes(p, m) || !insert_state(p, m))
		return give_up(p, m);
	v->state = m->state;
	v->created = true;
	c = state_cold(p->e, m->state);
	c->match_list = f->match_list;
	f->match_list = 0;
	c->tag = f->tag;
	count_new_state(p->e, m->state);
	state_get(p->e, m->state)->per_packet = per_packet(p->e, m->state);
	state_settle(p->e, m->state);
	if (p->proto != PROTO_TCP || p->dir != PFK_IN ||
	    m->r->keep_state != IMG_SYNPROXY_STATE ||
	    (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return PKT_PASS;
	synproxy_start(p, m->state);
	return PKT_SYNPROXY_DROP;
}

/* ---- the packet that made it ---- */

/*
 * Whether pf has changed anything of the transport header: only then does it
 * change the family, and a first packet that keeps its ports passes as it is.
 */
static bool
transport_changed(const struct pkt *p, const struct making *m)
{
	const uint16_t *port = m->w.port;

	if (is_icmp(p))
		return afto_icmp_possible(p->af, p->ip + p->hdrlen);
	if (p->proto != PROTO_TCP && p->proto != PROTO_UDP)
		return false;
	if (port[SRC] != p->port[SRC] || port[DST] != p->port[DST])
		return true;
	return p->proto == PROTO_TCP &&
	    (state_get(p->e, m->state)->src.seqdiff != 0 ||
	    (state_cold(p->e, m->state)->tscrub != 0 &&
	    tcp_option(p->ip + p->hdrlen, 8, 10) != NULL));
}

static enum outcome
change_family(struct pkt *p, const struct making *m, uint16_t id)
{
	const struct wanted *w = &m->w;

	p->naf = p->af;
	if (!transport_changed(p, m))
		return PKT_PASS;
	p->naf = w->af;
	memcpy(p->naddr, w->addr, sizeof(p->naddr));
	memcpy(p->nport, w->port, sizeof(p->nport));
	if (is_icmp(p))
		p->nport[SRC] = p->nport[DST] = id;
	return PKT_AFTO;
}

static enum outcome
translate(struct pkt *p, const struct making *m)
{
	const struct wanted *w = &m->w;
	uint16_t id = m->icmp.dir == PFK_IN ? w->port[SRC] : w->port[DST];
	bool changed, ok;

	if (w->af != p->af)
		return change_family(p, m, id);
	if (is_icmp(p)) {
		ok = rewrite_addr(p, SRC, &w->addr[SRC]) &&
		    rewrite_addr(p, DST, &w->addr[DST]) &&
		    (!m->icmp.echo || rewrite_icmp_id(p, id));
	} else
		ok = rewrite_flow(p, &w->addr[SRC], w->port[SRC],
		    &w->addr[DST], w->port[DST], &changed);
	return ok ? PKT_PASS : drop(p, PFK_REASON_MEMORY);
}

/* Limits of the rule that a new state must keep. */
static enum outcome
check_limits(struct pkt *p, struct making *m)
{
	struct pfk_engine *e = p->e;
	const struct rt_rule *rr = &e->rules[m->f->rule];

	if (m->r->src_track != IMG_TRACK_NONE &&
	    node_get(e, m->f->rule, NODE_NONE, p->af, &p->addr[SRC], NULL,
	    0, IF_NONE, &m->f->nodes[NODE_NONE]) != PKT_PASS)
		return drop(p, PFK_REASON_SRCLIMIT);
	if (m->r->max_states != 0 && rr->n.states >= m->r->max_states) {
		e->counters.limits[LIMIT_COUNTER_STATES]++;
		return drop(p, PFK_REASON_MAXSTATES);
	}
	return PKT_PASS;
}

static enum outcome
passed(struct pkt *p, struct making *m, struct verdict *v)
{
	struct filter *f = m->f;
	enum outcome out;

	if (f->tag != 0)
		p->tag = f->tag;
	if (f->actions.rtable >= 0)
		p->rtable = f->actions.rtable;
	if (p->badopts && !(m->r->flags & IMG_R_ALLOW_OPTS)) {
		p->log |= LOG_FORCED;
		return drop(p, PFK_REASON_IPOPTIONS);
	}
	if (p->vproto == VPROTO_FRAGMENT || f->state_icmp ||
	    m->r->keep_state == IMG_NO_STATE)
		return PKT_PASS;
	if (check_limits(p, m) != PKT_PASS)
		return PKT_DROP;
	if ((out = create_state(p, m, v)) != PKT_PASS)
		return out;
	return state_get(p->e, m->state)->translated ? translate(p, m) :
	    PKT_PASS;
}

static enum outcome
judge(struct filter *f, struct making *m, struct verdict *v,
    enum outcome out)
{
	struct pkt *p = f->p;
	bool done = out == PKT_PASS && act_finally(f);

	m->w = take_wanted(p);
	v->rule = f->rule;
	v->anchor = f->anchor;
	if (!done)
		return drop(p, out == PKT_PASS ? PFK_REASON_TRANSLATE :
		    f->reason);
	m->r = p->e->rules[f->rule].r;
	pkt_reason(p, PFK_REASON_MATCH);
	log_decision(f);
	return m->r->action == IMG_BLOCK ? blocked(p, m->r) :
	    passed(p, m, v);
}

enum outcome
filter_packet(struct pkt *p, struct verdict *v)
{
	struct filter f;
	struct making m = { .f = &f };
	enum outcome out;

	filter_begin(&f, p, &m.icmp);
	out = judge(&f, &m, v, ruleset_run(p->e, &f));
	match_items_free(p->e, f.match_list);
	return out;
}

enum outcome
filter_run(struct filter *f, struct verdict *v, enum outcome out)
{
	struct making m = { .f = f };
	struct pkt *p = f->p;

	if (is_icmp(p))
		(void)icmp_classify(p->af, p->ip + p->hdrlen, p->plen,
		    &m.icmp);
	out = judge(f, &m, v, out);
	match_items_free(p->e, f->match_list);
	return out;
}
