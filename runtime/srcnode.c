/*
 * Source tracking: an entry for each source address of a rule (and of what it
 * is tracked for), which counts states and connections, and remembers the
 * address that a sticky pool has given.
 *
 * Entries stand in an array that grows up to `set limit src-nodes`, found
 * through a keyed hash; index 0 is "none".  An entry lives while it has
 * states and for the timeout src.track afterwards; the chores of each
 * interval look for those whose time is up.
 */
#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/srcnode.h"

#define FIRST_BUCKETS	256

int
nodes_init(struct pfk_engine *e)
{
	struct src_nodes *t = e_alloc(e, sizeof(*t));

	if (t == NULL)
		return -1;
	t->buckets = e_alloc(e, FIRST_BUCKETS * sizeof(*t->buckets));
	if (t->buckets == NULL) {
		e_free(e, t, sizeof(*t));
		return -1;
	}
	t->nbuckets = FIRST_BUCKETS;
	t->n = 1;			/* index 0: none */
	e->node_table = t;
	return 0;
}

void
nodes_free(struct pfk_engine *e)
{
	struct src_nodes *t = e->node_table;

	if (t == NULL)
		return;
	if (e->nodes != NULL)
		e_free(e, e->nodes, t->cap * sizeof(*e->nodes));
	e_free(e, t->buckets, t->nbuckets * sizeof(*t->buckets));
	e_free(e, t, sizeof(*t));
	e->nodes = NULL;
	e->node_table = NULL;
}

static uint32_t
node_hash(const struct pfk_engine *e, uint32_t rule, uint8_t type, uint8_t af,
    const struct pfk_addr *src)
{
	struct { struct pfk_addr addr; uint32_t rule; uint8_t v[4]; } key;

	memset(&key, 0, sizeof(key));
	memcpy(key.addr.b, src->b, af == PFK_AF_INET6 ? 16 : 4);
	key.rule = rule;
	key.v[0] = type;
	key.v[1] = af;
	return (uint32_t)siphash13(&e->hash_key, &key, sizeof(key));
}

static uint32_t *
bucket_of(const struct pfk_engine *e, const struct src_node *n)
{
	const struct src_nodes *t = e->node_table;

	return &t->buckets[node_hash(e, n->rule, n->type, n->af, &n->addr) &
	    (t->nbuckets - 1)];
}

static uint32_t
lookup(const struct pfk_engine *e, uint32_t rule, enum node_type type,
    uint8_t af, const struct pfk_addr *src)
{
	const struct src_nodes *t = e->node_table;
	uint32_t i = t->buckets[node_hash(e, rule, (uint8_t)type, af, src) &
	    (t->nbuckets - 1)];

	for (; i != 0; i = e->nodes[i].next) {
		const struct src_node *n = &e->nodes[i];

		if (n->rule == rule && n->type == type && n->af == af &&
		    addr_equal(&n->addr, src, (enum pfk_af)af))
			break;
	}
	return i;
}

uint32_t
node_find(struct pfk_engine *e, uint32_t rule, enum node_type type,
    uint8_t af, const struct pfk_addr *src)
{
	e->counters.src_searches++;
	return lookup(e, rule, type, af, src);
}

/* ---- records ---- */

/* Twice as many buckets; without memory for them chains grow longer. */
static void
grow_buckets(struct pfk_engine *e)
{
	struct src_nodes *t = e->node_table;
	uint32_t n = t->nbuckets * 2, *v = e_alloc(e, n * sizeof(*v)), *b;

	if (v == NULL)
		return;
	e_free(e, t->buckets, t->nbuckets * sizeof(*v));
	t->buckets = v;
	t->nbuckets = n;
	for (uint32_t i = 1; i < t->n; i++)
		if (e->nodes[i].used) {
			b = bucket_of(e, &e->nodes[i]);
			e->nodes[i].next = *b;
			*b = i;
		}
}

static uint32_t
take_record(struct pfk_engine *e)
{
	struct src_nodes *t = e->node_table;
	uint32_t i = t->free_list, cap;
	struct src_node *v;

	if (i != 0) {
		t->free_list = e->nodes[i].next;
		return i;
	}
	if (t->n >= t->cap) {
		cap = t->cap == 0 ? 64 : t->cap * 2;
		v = e_realloc(e, e->nodes, t->cap * sizeof(*v),
		    cap * sizeof(*v));
		if (v == NULL)
			return 0;
		e->nodes = v;
		t->cap = cap;
	}
	return t->n++;
}

uint32_t
node_insert(struct pfk_engine *e, uint32_t rule, enum node_type type,
    uint8_t af, const struct pfk_addr *src)
{
	const struct img_rule *r = e->rules[rule].r;
	uint32_t i = take_record(e), *b;
	struct src_node *n;

	if (i == 0)
		return 0;
	n = &e->nodes[i];
	memset(n, 0, sizeof(*n));
	memcpy(n->addr.b, src->b, af == PFK_AF_INET6 ? 16 : 4);
	n->rule = rule;
	n->af = af;
	n->type = (uint8_t)type;
	n->rifid = IF_NONE;
	n->created = e->uptime;
	rate_init(&n->rate, r->max_src_conn_rate[0], r->max_src_conn_rate[1]);
	n->rate.last = e->uptime;
	e->rules[rule].n.source_nodes++;
	e->counters.src_nodes++;
	if (e->counters.src_nodes > e->node_table->nbuckets)
		grow_buckets(e);	/* does not see this one yet */
	n->used = true;
	b = bucket_of(e, n);
	n->next = *b;
	*b = i;
	return i;
}

void
node_remove(struct pfk_engine *e, uint32_t i)
{
	struct src_node *n = &e->nodes[i];
	uint32_t *at = bucket_of(e, n);

	while (*at != i)
		at = &e->nodes[*at].next;
	*at = n->next;
	e->rules[n->rule].n.source_nodes--;
	e->counters.src_nodes--;
	e->counters.src_removals++;
	n->used = false;
	n->next = e->node_table->free_list;
	e->node_table->free_list = i;
}

static bool
room_for_node(struct pfk_engine *e, const struct rt_rule *rr)
{
	if (rr->r->max_src_nodes != 0 &&
	    rr->n.source_nodes >= rr->r->max_src_nodes) {
		e->counters.limits[LIMIT_COUNTER_SRC_NODES]++;
		return false;
	}
	return e->counters.src_nodes < e->opts.limit[IMG_LIMIT_SRC_NODES];
}

static uint32_t
make_node(struct pfk_engine *e, uint32_t rule, enum node_type type, uint8_t af,
    const struct pfk_addr *src)
{
	uint32_t i;

	if (!room_for_node(e, &e->rules[rule]))
		return 0;
	i = node_insert(e, rule, type, af, src);
	if (i != 0)
		e->counters.src_inserts++;
	return i;
}

enum outcome
node_get(struct pfk_engine *e, uint32_t rule, enum node_type type, uint8_t af,
    const struct pfk_addr *src, const struct pfk_addr *raddr, uint8_t raf,
    uint16_t rifid, uint32_t *node)
{
	const struct img_rule *r = e->rules[rule].r;
	uint32_t i = *node != 0 ? *node : node_find(e, rule, type, af, src);

	if (i != 0) {
		if (r->max_src_states != 0 &&
		    e->nodes[i].states >= r->max_src_states) {
			e->counters.limits[LIMIT_COUNTER_SRC_STATES]++;
			return PKT_DROP;
		}
		*node = i;
		return PKT_PASS;
	}
	i = make_node(e, rule, type, af, src);
	if (i == 0)
		return PKT_DROP;
	if (raddr != NULL) {
		e->nodes[i].raddr = *raddr;
		e->nodes[i].raf = raf;
		e->nodes[i].rifid = rifid;
	}
	*node = i;
	return PKT_PASS;
}

bool
node_raddr(const struct pfk_engine *e, uint32_t node, struct pfk_addr *raddr,
    uint8_t *af, uint16_t *ifid)
{
	const struct src_node *n = &e->nodes[node];

	if (n->raf == 0)
		return false;
	*raddr = n->raddr;
	*af = n->raf;
	*ifid = n->rifid;
	return true;
}

/* ---- what happens to them ---- */

void
node_state_added(struct pfk_engine *e, uint32_t node)
{
	e->nodes[node].states++;
}

static uint32_t
rule_timeout(const struct pfk_engine *e, uint32_t rule)
{
	const struct rt_rule *rr = &e->rules[rule];
	uint32_t t = image_timeout(rr->image, rr->r, IMG_TMO_SRC_NODE);

	return t != 0 ? t : e->opts.timeout[IMG_TMO_SRC_NODE];
}

void
node_state_removed(struct pfk_engine *e, uint32_t node, uint32_t rule,
    bool tcp_est)
{
	struct src_node *n = &e->nodes[node];

	if (tcp_est && n->type == NODE_NONE && n->connections > 0)
		n->connections--;
	if (--n->states == 0)
		n->expire = e->uptime + rule_timeout(e, rule);
}

void
node_drop_unused(struct pfk_engine *e, uint32_t node)
{
	if (node != 0 && e->nodes[node].states == 0 &&
	    e->nodes[node].expire <= e->uptime)
		node_remove(e, node);
}

void
node_forget(struct pfk_engine *e, uint32_t node)
{
	uint8_t type = e->nodes[node].type;

	struct state_extra *x;

	for (uint32_t s = state_first(e); s != 0; s = state_next(e, s))
		if ((x = state_extra(e, s)) != NULL && x->nodes[type] == node)
			x->nodes[type] = 0;
	e->nodes[node].states = 0;
	node_remove(e, node);
}

void
nodes_purge(struct pfk_engine *e)
{
	for (uint32_t i = 1; i < e->node_table->n; i++)
		if (e->nodes[i].used)
			node_drop_unused(e, i);
}

void
nodes_count(struct pfk_engine *e, uint32_t state, bool out, uint32_t bytes)
{
	const struct state_extra *x = state_extra(e, state);

	for (int i = 0; x != NULL && i < 4; i++)
		if (x->nodes[i] != 0) {
			e->nodes[x->nodes[i]].packets[out]++;
			e->nodes[x->nodes[i]].bytes[out] += bytes;
		}
}

/* ---- limits of connections ---- */

static bool
too_many(struct pfk_engine *e, const struct src_node *n,
    const struct img_rule *r)
{
	bool bad = false;

	if (r->max_src_conn != 0 && r->max_src_conn < n->connections) {
		e->counters.limits[LIMIT_COUNTER_SRC_CONN]++;
		bad = true;
	}
	if (r->max_src_conn_rate[0] != 0 && rate_over(&n->rate)) {
		e->counters.limits[LIMIT_COUNTER_SRC_CONN_RATE]++;
		bad = true;
	}
	return bad;
}

static void
end_state(struct pfk_engine *e, uint32_t i)
{
	struct state *s = state_get(e, i);

	if (s->timeout != TIMEOUT_UNLINKED)
		state_over(s, TIMEOUT_PURGE);
	state_set_peer(e, i, PEER_BOTH, TCPS_CLOSED);
}

/* The states of the source, of this rule or of all; returns their number. */
static unsigned
flush_source(struct pfk_engine *e, const struct src_node *n,
    const struct state *mine, const struct img_rule *r)
{
	int side = mine->direction == PFK_OUT ? 1 : 0;
	unsigned killed = 0;

	e->counters.limits[LIMIT_COUNTER_FLUSH]++;
	for (uint32_t i = state_first(e); i != 0; i = state_next(e, i)) {
		const struct state *s = state_get(e, i);

		if (s->timeout == TIMEOUT_UNLINKED || s->key.af != n->af ||
		    !addr_equal(&s->key.addr[side], &n->addr,
		    (enum pfk_af)n->af))
			continue;
		if ((r->flush & FLUSH_GLOBAL) == 0 && s->rule != mine->rule)
			continue;
		end_state(e, i);
		killed++;
	}
	return killed;
}

static void
overload(struct pfk_engine *e, const struct src_node *n,
    const struct state *s)
{
	const struct rt_rule *rr = &e->rules[s->rule];
	char text[PFK_ADDRSTRLEN];
	unsigned killed = 0;

	e->counters.limits[LIMIT_COUNTER_OVERLOAD]++;
	(void)table_add(e, rr->overload, s->key.af,
	    (uint8_t)addr_bits((enum pfk_af)s->key.af), false, &n->addr);
	if (rr->r->flush != 0)
		killed = flush_source(e, n, s, rr->r);
	if (!e_debugging(e, 5))
		return;
	addr_format(&n->addr, (enum pfk_af)n->af, text);
	if (rr->r->flush != 0)
		e_debug(e, 5, "pf: pf_src_connlimit: blocking address %s, "
		    "%u states killed", text, killed);
	else
		e_debug(e, 5, "pf: pf_src_connlimit: blocking address %s",
		    text);
}

bool
node_connected(struct pkt *p, uint32_t state)
{
	struct pfk_engine *e = p->e;
	const struct state_extra *x = state_extra(e, state);
	const struct state *s = state_get(e, state);
	const struct rt_rule *rr = &e->rules[s->rule];
	struct src_node *n;

	if (x == NULL || x->nodes[NODE_NONE] == 0)
		return true;
	n = &e->nodes[x->nodes[NODE_NONE]];
	n->connections++;
	state_cold(e, state)->tcp_est = 1;
	rate_add(&n->rate, e->uptime);
	if (!too_many(e, n, rr->r))
		return true;
	if (rr->overload != IMG_NONE)
		overload(e, n, s);
	end_state(e, state);
	return false;
}
