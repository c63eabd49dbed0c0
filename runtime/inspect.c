/*
 * States as programs see them; ending states from outside.
 */
#include <string.h>

#include "runtime/explain.h"
#include "runtime/rules_int.h"
#include "runtime/state.h"

static void
export_key(const struct state_key *k, struct pfk_key *out)
{
	out->af = k->af;
	out->rdomain = k->rdomain;
	for (int i = 0; i < 2; i++) {
		memcpy(out->addr[i].addr, k->addr[i].b, 16);
		out->addr[i].port = k->port[i];
	}
}

static void
export_peer(const struct state_peer *p, struct pfk_peer *out)
{
	out->state = p->state;
	out->wscale = p->wscale;
	out->max_win = p->max_win;
	out->seqlo = p->seqlo;
	out->seqhi = p->seqhi;
	out->seqdiff = p->seqdiff;
}

static uint32_t
export_rule(const struct pfk_engine *e, uint32_t rule)
{
	if (rule == IMG_NONE)
		return PFK_RULE_NONE;
	return rule == e->default_rule ? PFK_RULE_DEFAULT : rule;
}

static void
export_actions(const struct pfk_engine *e, uint32_t i, struct pfk_state *out)
{
	const struct state *s = state_get(e, i);
	const struct state_cold *c = state_cold(e, i);
	const struct state_extra *x = state_extra(e, i);
	const struct actions *a = &c->actions;
	int to = s->direction == PFK_IN ? 1 : 0;

	out->rtable[to] = (uint32_t)a->rtable;
	out->rtable[!to] = UINT32_MAX;	/* answers are routed as usual */
	out->set_tos = a->set_tos;
	out->min_ttl = a->min_ttl;
	out->max_mss = a->max_mss;
	memcpy(out->set_prio, a->set_prio, sizeof(out->set_prio));
	out->rt = c->rt;
	memcpy(out->rt_addr.addr, state_route(e, i)->b, 16);
	for (int n = 0; x != NULL && n < 4; n++)
		if (x->nodes[n] != 0)
			out->src_node = true;
}

void
state_export(const struct pfk_engine *e, uint32_t i, struct pfk_state *out)
{
	const struct state *s = state_get(e, i);
	const struct state_cold *c = state_cold(e, i);
	uint32_t expires = state_expires(e, i);
	struct state_key key;

	memset(out, 0, sizeof(*out));
	out->id = s->id;
	out->creatorid = e->opts.hostid;
	out->ifname = s->ifid == IF_NONE ? "all" : iface_name(e, s->ifid);
	out->proto = s->key.proto;
	out->dir = s->direction;
	key = state_key(e, i, KEY_WIRE);
	export_key(&key, &out->wire);
	key = state_key(e, i, KEY_STACK);
	export_key(&key, &out->stack);
	export_peer(&s->src, &out->src);
	export_peer(&s->dst, &out->dst);
	out->src.mss = c->mss;
	out->age = e->uptime - c->created;
	out->expires = expires > e->uptime ? expires - e->uptime : 0;
	memcpy(out->packets, s->packets, sizeof(out->packets));
	memcpy(out->bytes, s->bytes, sizeof(out->bytes));
	out->rule = export_rule(e, s->rule);
	out->anchor = export_rule(e, c->anchor);
	out->timeout = s->timeout;
	out->flags = s->flags & (unsigned)~STATE_ANCHORED;
	export_actions(e, i, out);
}

void
pfk_engine_states(const struct pfk_engine *e,
    bool (*fn)(void *, const struct pfk_state *), void *ctx)
{
	struct pfk_state out;

	for (uint32_t i = state_first(e); i != 0; i = state_next(e, i)) {
		if (state_get(e, i)->timeout == TIMEOUT_UNLINKED)
			continue;
		state_export(e, i, &out);
		if (!fn(ctx, &out))
			return;
	}
}

size_t
pfk_engine_nstates(const struct pfk_engine *e)
{
	return states_count(e);
}

/* ---- pfctl -k ---- */

static bool
in_net(const struct pfk_net *n, uint8_t af, const struct pfk_addr *a)
{
	struct pfk_addr net, mask;

	if (n == NULL || n->af == 0)
		return true;
	if (n->af != af)
		return false;
	memcpy(&net, n->addr, sizeof(net));
	addr_prefix_mask(&mask, n->bits);
	return addr_match_mask(&net, &mask, a, (enum pfk_af)af);
}

struct kill {
	const struct pfk_net *src, *dst;
	const char	*ifname, *label;
};

/* Its source is who opened it, as the wire side knows it. */
static bool
is_meant(const struct pfk_engine *e, uint32_t i, const struct kill *k)
{
	const struct state *s = state_get(e, i);
	const struct rt_rule *r = &e->rules[s->rule];
	bool out = s->direction == PFK_OUT;

	if (s->timeout == TIMEOUT_UNLINKED)
		return false;
	if (k->ifname != NULL && strcmp(k->ifname, s->ifid == IF_NONE ?
	    "all" : iface_name(e, s->ifid)) != 0)
		return false;
	if (k->label != NULL &&
	    strcmp(k->label, image_string(r->image, r->r->label)) != 0)
		return false;
	return in_net(k->src, s->key.af, &s->key.addr[out]) &&
	    in_net(k->dst, s->key.af, &s->key.addr[!out]);
}

size_t
pfk_engine_kill_states(struct pfk_engine *e, const struct pfk_net *src,
    const struct pfk_net *dst, const char *ifname, const char *label)
{
	struct kill k = { src, dst, ifname, label };
	size_t n = 0;

	for (uint32_t i = state_first(e); i != 0; i = state_next(e, i))
		if (is_meant(e, i, &k)) {
			state_unlink(e, i);
			n++;
		}
	return n;
}
