/*
 * States in a saved engine: by age, so that ages and the sweep go on as they
 * were.  A list of match rules is written out; source nodes and timestamps are
 * named by their index, which their rooms keep.
 */
#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/save.h"
#include "runtime/state_table.h"
#include "runtime/translate.h"

/* ---- writing ---- */

static void
save_key(struct saver *sv, const struct state_key *k)
{
	save_u8(sv, k->af);
	save_u8(sv, k->proto);
	save_u16(sv, k->rdomain);
	for (int i = 0; i < 2; i++) {
		save_bytes(sv, k->addr[i].b, 16);
		save_u16(sv, port_host(k->port[i]));
	}
}

static void
save_peer(struct saver *sv, const struct state_peer *p, uint16_t mss)
{
	save_u32(sv, p->seqlo);
	save_u32(sv, p->seqhi);
	save_u32(sv, p->seqdiff);
	save_u16(sv, p->max_win);
	save_u16(sv, mss);
	save_u8(sv, p->state);
	save_u8(sv, p->wscale);
}

static void
save_actions(struct saver *sv, const struct actions *a)
{
	save_u32(sv, (uint32_t)a->rtable);
	save_u16(sv, a->qid);
	save_u16(sv, a->pqid);
	save_u16(sv, a->max_mss);
	save_u16(sv, a->delay);
	save_u8(sv, a->log);
	save_u8(sv, a->set_tos);
	save_u8(sv, a->min_ttl);
	save_u8(sv, a->set_prio[0]);
	save_u8(sv, a->set_prio[1]);
	save_u16(sv, a->flags);
}

static void
save_matches(const struct pfk_engine *e, struct saver *sv, uint32_t list)
{
	for (; list != 0; list = e->match_items[list].next)
		save_u32(sv, e->match_items[list].rule);
	save_u32(sv, IMG_NONE);
}

static void
save_hot(struct saver *sv, const struct state *s, uint16_t mss)
{
	save_peer(sv, &s->src, mss);
	save_peer(sv, &s->dst, 0);
	for (int i = 0; i < 2; i++) {
		save_u64(sv, s->packets[i]);
		save_u64(sv, s->bytes[i]);
	}
	save_u32(sv, s->expire);
	save_u32(sv, s->rule);
	save_u16(sv, s->ifid);
	save_u16(sv, s->flags);
	save_u8(sv, s->timeout);
	save_u8(sv, s->direction);
}

static void
save_state(const struct pfk_engine *e, struct saver *sv, uint32_t i)
{
	static const struct state_extra none;
	const struct state_key wire = state_key(e, i, KEY_WIRE);
	const struct state_key stack = state_key(e, i, KEY_STACK);
	const struct state_cold *c = state_cold(e, i);
	const struct state_extra *x = c->extra != 0 ? state_extra(e, i) :
	    &none;

	save_key(sv, &wire);
	save_hot(sv, state_get(e, i), c->mss);
	save_key(sv, &stack);
	save_u64(sv, state_get(e, i)->id);
	save_u32(sv, c->created);
	save_u32(sv, c->anchor);
	save_u32(sv, c->nat_rule);
	save_matches(e, sv, c->match_list);
	for (int n = 0; n < 4; n++)
		save_u32(sv, x->nodes[n]);
	save_u32(sv, c->tscrub);
	save_actions(sv, &c->actions);
	save_bytes(sv, state_route(e, i)->b, 16);
	save_u16(sv, c->rt_ifid);
	save_u8(sv, c->rt);
	save_u8(sv, c->rt_af);
	save_bytes(sv, c->tag != 0 ? e->tags[c->tag] : "",
	    c->tag != 0 ? strlen(e->tags[c->tag]) : 0);
	save_u8(sv, 0);
	save_u8(sv, c->tcp_est);
	save_u8(sv, state_get(e, i)->per_packet);
}

void
states_save(const struct pfk_engine *e, struct saver *sv)
{
	const struct state_table *t = e->states;
	uint32_t i, cursor = 0, n = 0;

	for (i = state_first(e); i != 0; i = state_next(e, i), n++)
		if (i == t->cursor)
			cursor = n + 1;
	save_mark(sv, "stat");
	save_u64(sv, t->next_id);
	save_u32(sv, n);
	save_u32(sv, cursor);
	for (i = state_first(e); i != 0; i = state_next(e, i))
		save_state(e, sv, i);
}

/* ---- reading ---- */

static bool
load_key(struct saver *sv, struct state_key *k)
{
	memset(k, 0, sizeof(*k));
	k->af = load_u8(sv);
	k->proto = load_u8(sv);
	k->rdomain = load_u16(sv);
	for (int i = 0; i < 2; i++) {
		load_bytes(sv, k->addr[i].b, 16);
		k->port[i] = port_net(load_u16(sv));
	}
	return k->af == PFK_AF_INET || k->af == PFK_AF_INET6;
}

static bool
load_peer(struct saver *sv, struct state_peer *p, uint16_t *mss)
{
	p->seqlo = load_u32(sv);
	p->seqhi = load_u32(sv);
	p->seqdiff = load_u32(sv);
	p->max_win = load_u16(sv);
	*mss = load_u16(sv);
	p->state = load_u8(sv);
	p->wscale = load_u8(sv);
	return p->state <= TCPS_PROXY_DST && (p->wscale & WSCALE_MASK) <= 14;
}

static void
load_actions(struct saver *sv, struct actions *a)
{
	a->rtable = (int32_t)load_u32(sv);
	a->qid = load_u16(sv);
	a->pqid = load_u16(sv);
	a->max_mss = load_u16(sv);
	a->delay = load_u16(sv);
	a->log = load_u8(sv);
	a->set_tos = load_u8(sv);
	a->min_ttl = load_u8(sv);
	a->set_prio[0] = load_u8(sv);
	a->set_prio[1] = load_u8(sv);
	a->flags = load_u16(sv);
}

static bool
load_matches(struct pfk_engine *e, struct saver *sv, uint32_t *list)
{
	uint32_t rule, item, *tail;

	*list = 0;
	while ((rule = load_u32(sv)) != IMG_NONE) {
		if (sv->bad || rule >= e->nrules ||
		    (item = match_item_new(e, rule, 0)) == 0)
			return false;
		/* looked for anew: the pool moves when it grows */
		for (tail = list; *tail != 0;
		    tail = &e->match_items[*tail].next)
			;
		*tail = item;
	}
	return true;
}

static bool
load_tag(struct pfk_engine *e, struct saver *sv, uint16_t *tag)
{
	char name[256];
	size_t n = 0;

	while (n < sizeof(name) && (name[n] = (char)load_u8(sv)) != '\0')
		n++;
	*tag = 0;
	if (n == sizeof(name))
		return false;
	return n == 0 || (*tag = tag_intern(e, name)) != 0;
}

static bool
load_hot(struct pfk_engine *e, struct saver *sv, struct state *s, uint16_t *mss)
{
	uint16_t unused;
	bool ok = load_key(sv, &s->key) && load_peer(sv, &s->src, mss) &&
	    load_peer(sv, &s->dst, &unused);

	for (int i = 0; i < 2; i++) {
		s->packets[i] = load_u64(sv);
		s->bytes[i] = load_u64(sv);
	}
	s->expire = load_u32(sv);
	s->rule = load_u32(sv);
	s->ifid = load_u16(sv);
	s->flags = load_u16(sv);
	s->timeout = load_u8(sv);
	s->direction = load_u8(sv);
	return ok && s->rule <= e->nrules &&
	    (s->ifid == IF_NONE || s->ifid < e->nifaces) &&
	    s->timeout <= TIMEOUT_UNLINKED &&
	    (s->direction == PFK_IN || s->direction == PFK_OUT);
}

static bool
rule_or_none(const struct pfk_engine *e, uint32_t rule)
{
	return rule == IMG_NONE || rule < e->nrules;
}

/* What goes into extra records, if they are needed. */
struct loaded {
	struct state_key stack;
	uint32_t	nodes[4];
	struct pfk_addr	hop;
};

static bool
put_extra(struct pfk_engine *e, uint32_t i, const struct loaded *x)
{
	struct state_extra *to;

	if ((x->nodes[0] | x->nodes[1] | x->nodes[2] | x->nodes[3]) != 0) {
		if ((to = state_extra_need(e, i)) == NULL)
			return false;
		memcpy(to->nodes, x->nodes, sizeof(to->nodes));
	}
	return state_cold(e, i)->rt == IMG_RT_NONE ||
	    state_set_route(e, i, &x->hop);
}

static bool
load_cold(struct pfk_engine *e, struct saver *sv, uint32_t i,
    struct loaded *x)
{
	struct state_cold *c = state_cold(e, i);
	bool ok = load_key(sv, &x->stack);

	state_get(e, i)->id = load_u64(sv);
	c->created = load_u32(sv);
	c->anchor = load_u32(sv);
	c->nat_rule = load_u32(sv);
	ok = load_matches(e, sv, &c->match_list) && ok;
	for (int n = 0; n < 4; n++) {
		x->nodes[n] = load_u32(sv);
		ok = ok && node_exists(e, x->nodes[n]);
	}
	c->tscrub = load_u32(sv);
	ok = ok && tscrub_valid(e, c->tscrub);
	load_actions(sv, &c->actions);
	load_bytes(sv, x->hop.b, 16);
	c->rt_ifid = load_u16(sv);
	c->rt = load_u8(sv);
	c->rt_af = load_u8(sv);
	ok = load_tag(e, sv, &c->tag) && ok;
	c->tcp_est = load_u8(sv);
	return ok && rule_or_none(e, c->anchor) &&
	    rule_or_none(e, c->nat_rule) && c->rt <= IMG_DUP_TO &&
	    state_get(e, i)->id != 0 && put_extra(e, i, x);
}

static bool
load_state(struct pfk_engine *e, struct saver *sv, uint32_t *index)
{
	uint32_t i = state_alloc(e);
	struct loaded x;
	struct state *s;
	struct state_cold *c;

	*index = i;
	if (i == 0)
		return false;
	s = state_get(e, i);
	c = state_cold(e, i);
	if (!load_hot(e, sv, s, &c->mss) || !load_cold(e, sv, i, &x) ||
	    sv->bad) {
		match_items_free(e, c->match_list);
		state_free(e, i);
		return false;
	}
	s->per_packet = load_u8(sv);
	if (!state_relist(e, i, &s->key, &x.stack)) {
		match_items_free(e, c->match_list);
		state_free(e, i);
		return false;
	}
	state_settle(e, i);
	return true;
}

bool
states_restore(struct pfk_engine *e, struct saver *sv)
{
	struct state_table *t = e->states;
	uint32_t n, cursor, i;

	load_mark(sv, "stat");
	t->next_id = load_u64(sv);
	n = load_u32(sv);
	cursor = load_u32(sv);
	t->cursor = 0;
	for (uint32_t k = 0; k < n; k++) {
		if (sv->bad || !load_state(e, sv, &i))
			return false;
		if (k + 1 == cursor)
			t->cursor = i;
	}
	return !sv->bad;
}
