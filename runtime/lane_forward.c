/*
 * Packets that are forwarded: what the lane has decided where they came in
 * leaves by another interface, where it is decided again (engine.c).
 *
 * If nobody is told, its bytes do not matter: all that the second decision
 * needs is the key that the packet would have.  If somebody is, or that
 * decision is not usual, the packet goes on by the ordinary path.
 */
#include <string.h>

#include "runtime/lane.h"
#include "runtime/rules_int.h"
#include "runtime/translate.h"

/* Its key beyond the state: source, destination of a packet that came in. */
static struct state_key
key_beyond(const struct pfk_engine *e, const struct lane_packet *l)
{
	return state_key(e, l->ref / 2, l->out ? KEY_WIRE : KEY_STACK);
}

/* As its state does. */
void
lane_translate(const struct pfk_engine *e, const struct lane_packet *l,
    struct pkt *p)
{
	struct state_key key;
	const struct state_key *k = &key;
	bool changed;

	if (!l->state->translated)
		return;
	key = key_beyond(e, l);
	p->rtable = k->rdomain;
	(void)rewrite_flow(p, &k->addr[l->out], k->port[l->out],
	    &k->addr[!l->out], k->port[!l->out], &changed);
}

void
lane_make_pkt(struct pfk_engine *e, const struct pfk_packet *f,
    const struct lane_packet *l, struct pkt *p)
{
	const struct state_key key = key_beyond(e, l), *k = &key;
	const uint8_t *ip = lane_ip(l);
	uint32_t have = f->caplen - (uint32_t)(ip - f->data);

	pkt_start(e, f, p);
	p->ip = (uint8_t *)(uintptr_t)ip;	/* copied when it changes */
	p->len = l->len;
	p->have = have < l->len ? have : l->len;
	p->hdrlen = (uint32_t)(l->hdr - ip);
	p->plen = p->len - p->hdrlen;
	p->af = p->naf = k->af;
	p->proto = k->proto;
	p->vproto = k->proto;
	p->ttl = l->v6 ? ip[7] : ip[8];
	p->before_known = true;
	if (p->have < p->len)
		pkt_writable(p);
	lane_translate(e, l, p);
}

bool
lane_leaves(const struct pfk_engine *e, const struct lane_packet *l,
    uint16_t *ifid)
{
	const struct state_key key = key_beyond(e, l), *k = &key;
	struct route_entry route;

	if (pfk_engine_is_local(e, k->af, k->addr[1].b) ||
	    !route_lookup(e, k->af, &k->addr[1], k->rdomain, &route) ||
	    route.reject)
		return false;
	*ifid = route.ifid;
	return true;
}

bool
lane_turn_around(const struct pfk_engine *e, const struct lane_packet *l,
    uint16_t ifid, struct lane_packet *o)
{
	const struct state_key key = key_beyond(e, l), *k = &key;
	struct state_key out;

	if (ifid >= e->nif_counters || iface_skipped(e, ifid) ||
	    k->port[1] == 0)
		return false;
	state_key_set(&out, k->af, k->proto, rtable_rdomain(e, k->rdomain), 1,
	    k->addr, k->port);
	*o = *l;
	o->out = true;
	o->hash = state_hash(e, &out);
	memcpy(o->key, &out, sizeof(o->key));
	if (!l->v6) {
		memcpy(&o->key[0], out.addr[0].b, 4);
		memcpy((uint8_t *)&o->key[0] + 4, out.addr[1].b, 4);
		memcpy(&o->key[1], out.port, 8);
	}
	return true;
}
