/*
 * What a matching rule's pools do to a packet: nat-to, rdr-to, af-to; and
 * route-to's next hop.
 *
 * Nothing is written into the packet here.  p->addr and p->port become what
 * translation so far makes of it, for later rules to see.
 */
#include <string.h>

#include "runtime/pool.h"
#include "runtime/save.h"

/* ---- life ---- */

static bool
same_list(const struct pool *a, const struct pool *b)
{
	return a->p->addr.kind == b->p->addr.kind &&
	    (a->p->addr.kind == IMG_ADDR_TABLE ?
	    a->p->addr.ref == b->p->addr.ref : a->name == b->name);
}

/* Pools of the same list count the same states; base: of this image. */
static uint32_t
find_loads(const struct pfk_engine *e, uint32_t base, uint32_t pool)
{
	for (uint32_t i = base; i < pool; i++)
		if (same_list(&e->pools[i], &e->pools[pool]))
			return i;
	return pool;
}

static bool
init_pool(struct pfk_engine *e, const struct pfk_image *im,
    const struct img_pool *p, uint32_t base, uint32_t i)
{
	struct pool *q = &e->pools[i];
	int name;

	memset(q, 0, sizeof(*q));
	q->p = p;
	q->loads_of = i;
	if (p->addr.kind == IMG_ADDR_DYNAMIC) {
		name = iface_intern(e, image_string(im, p->addr.ref));
		if (name <= 0)
			return false;
		q->name = (uint32_t)name;
	}
	if (p->type == IMG_POOL_LEAST_STATES)
		q->loads_of = find_loads(e, base, i);
	return true;
}

int
pools_add(struct pfk_engine *e, const struct pfk_image *im, uint32_t *base)
{
	uint32_t old = e->npools, n = old + im->npools;
	struct pool *v;

	*base = old;
	if (im->npools == 0)
		return 0;
	v = e_realloc(e, e->pools, old * sizeof(*v), n * sizeof(*v));
	if (v == NULL)
		return -1;
	e->pools = v;
	/* all there are: pools_free() must know the size */
	memset(v + old, 0, im->npools * sizeof(*v));
	e->npools = n;
	for (uint32_t i = 0; i < im->npools; i++)
		if (!init_pool(e, im, &im->pools[i], old, old + i))
			return -1;
	return 0;
}

int
pools_init(struct pfk_engine *e)
{
	uint32_t base;

	return pools_add(e, e->image, &base);
}

void
pools_free(struct pfk_engine *e)
{
	for (uint32_t i = 0; i < e->npools; i++)
		if (e->pools[i].loads != NULL)
			e_free(e, e->pools[i].loads,
			    e->pools[i].loads_cap * sizeof(struct pool_load));
	if (e->pools != NULL)
		e_free(e, e->pools, e->npools * sizeof(*e->pools));
	e->pools = NULL;
	e->npools = 0;
}

/* ---- translation ---- */

static struct pool *
pool_of(struct pfk_engine *e, uint32_t rule, bool nat)
{
	if (rule == IMG_NONE)
		return NULL;
	return rule_pool(e, nat ? e->rules[rule].nat : e->rules[rule].rdr);
}

static bool
translate_source(struct pfk_engine *e, struct filter *f, uint32_t rule)
{
	struct pkt *p = f->p;
	struct choice c = { .e = e, .f = f, .rule = rule,
	    .pool = pool_of(e, rule, true), .type = NODE_NAT, .af = p->af,
	    .src = &p->addr[SRC] };
	uint16_t port;

	if (!pool_choose_port(&c, &port)) {
		e_debug(e, 5, "pf: NAT proxy port allocation (%u-%u) failed",
		    (unsigned)c.pool->p->port[0],
		    (unsigned)c.pool->p->port[1]);
		return false;
	}
	f->nat_rule = rule;
	p->addr[SRC] = c.addr;
	p->port[SRC] = port;
	return true;
}

/* The port of the pool that corresponds to the packet's of the rule. */
static uint16_t
mapped_port(const struct img_rule *r, const struct img_pool *q, uint16_t dport)
{
	int range = (uint16_t)(q->port[1] - q->port[0] + 1), n;

	if (q->port[1] == 0)
		return q->port[0] != 0 ? port_net(q->port[0]) : dport;
	if (range == 0)
		range = 1;
	n = (port_host(dport) - r->dst_port[0]) % range + q->port[0];
	if ((uint32_t)n > 65535)
		n -= 65535;
	return n != 0 ? port_net((uint16_t)n) : dport;
}

static bool
translate_destination(struct pfk_engine *e, struct filter *f, uint32_t rule)
{
	struct pkt *p = f->p;
	struct choice c = { .e = e, .f = f, .rule = rule,
	    .pool = pool_of(e, rule, false), .type = NODE_RDR, .af = p->af,
	    .src = &p->addr[SRC] };
	const struct img_pool *q = c.pool->p;

	if (!pool_choose(&c))
		return false;
	if (q->type == IMG_POOL_BITMASK)
		pool_mix(&c.addr, &c.addr, &q->addr.mask, &p->addr[DST]);
	f->nat_rule = rule;
	p->addr[DST] = c.addr;
	p->port[DST] = mapped_port(e->rules[rule].r, q, p->port[DST]);
	return true;
}

bool
pool_translate(struct pfk_engine *e, struct filter *f, uint32_t rule)
{
	const struct rt_rule *rr = &e->rules[rule];

	if (f->p->naf != f->p->af)
		return pool_translate_af(e, f, rule);
	if (rr->nat != IMG_NONE && !translate_source(e, f, rule))
		return false;
	return rr->rdr == IMG_NONE || translate_destination(e, f, rule);
}

bool
pool_route(struct pfk_engine *e, struct filter *f, uint32_t rule,
    struct pfk_addr *addr, uint8_t *af, uint16_t *ifid)
{
	struct pkt *p = f->p;
	struct choice c = { .e = e, .f = f, .rule = rule,
	    .pool = rule_pool(e, e->rules[rule].route), .type = NODE_ROUTE,
	    .af = p->af, .src = &p->oaddr[SRC] };

	*ifid = IF_NONE;
	*af = p->af;
	if (c.pool == NULL || !pool_choose(&c))
		return false;
	*addr = c.addr;
	return true;
}

/* ---- the end of states ---- */

/* The pool that pf takes the state from: one only, whoever chose. */
static struct pool *
state_pool(struct pfk_engine *e, const struct rt_rule *rr)
{
	return rule_pool(e, rr->rdr != IMG_NONE ? rr->rdr :
	    rr->nat != IMG_NONE ? rr->nat : rr->route);
}

/*
 * pf looks for the second address of the stack side's key.  That is the one
 * chosen by rdr-to for an incoming state, and never that of nat-to: there the
 * count only grows.
 */
void
pool_state_ended(struct pfk_engine *e, uint32_t state)
{
	const struct state_cold *c = state_cold(e, state);
	struct state_key k;
	const struct rt_rule *rr;
	struct pool *q;

	if (c->nat_rule == IMG_NONE)
		return;
	rr = &e->rules[c->nat_rule];
	k = state_key(e, state, KEY_STACK);
	if ((q = state_pool(e, rr)) != NULL)
		pool_unload(e, q, k.af, rr->r->rt == IMG_ROUTE_TO ?
		    state_route(e, state) : &k.addr[1]);
}

/* ---- saving ---- */

void
pools_save(const struct pfk_engine *e, struct saver *sv)
{
	save_mark(sv, "pool");
	save_u32(sv, e->npools);
	for (uint32_t i = 0; i < e->npools; i++) {
		const struct pool *q = &e->pools[i];

		save_u32(sv, q->turn.index);
		save_u8(sv, q->turn.started);
		save_bytes(sv, q->turn.counter.b, sizeof(q->turn.counter.b));
		save_u32(sv, (uint32_t)q->accepts);
		save_u32(sv, q->nloads);
		for (uint32_t j = 0; j < q->nloads; j++) {
			save_u8(sv, q->loads[j].af);
			save_bytes(sv, q->loads[j].addr.b,
			    sizeof(q->loads[j].addr.b));
			save_u64(sv, q->loads[j].states);
		}
	}
}

static bool
load_loads(struct pfk_engine *e, struct saver *sv, struct pool *q)
{
	uint32_t n = load_u32(sv);
	struct pool_load *v;

	if (sv->bad || n > sv->left)
		return false;
	if (n > q->loads_cap) {
		v = e_realloc(e, q->loads, q->loads_cap * sizeof(*v),
		    n * sizeof(*v));
		if (v == NULL)
			return false;
		q->loads = v;
		q->loads_cap = n;
	}
	for (q->nloads = 0; q->nloads < n; q->nloads++) {
		v = &q->loads[q->nloads];
		v->af = load_u8(sv);
		load_bytes(sv, v->addr.b, sizeof(v->addr.b));
		v->states = load_u64(sv);
		if (v->af != PFK_AF_INET && v->af != PFK_AF_INET6)
			return false;
	}
	return true;
}

bool
pools_restore(struct pfk_engine *e, struct saver *sv)
{
	load_mark(sv, "pool");
	if (load_u32(sv) != e->npools)
		return false;
	for (uint32_t i = 0; i < e->npools && !sv->bad; i++) {
		struct pool *q = &e->pools[i];

		q->turn.index = load_u32(sv);
		q->turn.started = load_u8(sv) != 0;
		load_bytes(sv, q->turn.counter.b, sizeof(q->turn.counter.b));
		q->accepts = (int32_t)load_u32(sv);
		if (q->accepts < 0 || q->accepts > UINT16_MAX)
			return false;
		if (!load_loads(e, sv, q))
			return false;
	}
	return !sv->bad;
}
