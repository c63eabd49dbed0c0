/*
 * Source-tracking entries seen from outside; saving and restoring them.
 */
#include <string.h>

#include "runtime/save.h"
#include "runtime/srcnode.h"

static uint32_t
seconds_left(const struct pfk_engine *e, const struct src_node *n)
{
	return n->expire > e->uptime ? n->expire - e->uptime : 0;
}

void
pfk_engine_src_nodes(const struct pfk_engine *e,
    bool (*fn)(void *, const struct pfk_src_node *), void *ctx)
{
	for (uint32_t i = 1; i < e->node_table->n; i++) {
		const struct src_node *n = &e->nodes[i];
		struct pfk_src_node out = { .af = n->af, .type = n->type,
		    .states = n->states, .connections = n->connections,
		    .rate_count = n->rate.count / 1000,
		    .rate_limit = n->rate.limit / 1000,
		    .rate_seconds = n->rate.seconds,
		    .age = e->uptime - n->created,
		    .expires = seconds_left(e, n), .rule = n->rule };

		if (!n->used)
			continue;
		memcpy(out.addr, n->addr.b, sizeof(out.addr));
		memcpy(out.raddr, n->raddr.b, sizeof(out.raddr));
		memcpy(out.packets, n->packets, sizeof(out.packets));
		memcpy(out.bytes, n->bytes, sizeof(out.bytes));
		if (out.rule == e->default_rule)
			out.rule = PFK_RULE_DEFAULT;
		if (!fn(ctx, &out))
			return;
	}
}

void
pfk_engine_flush_src_nodes(struct pfk_engine *e)
{
	struct state_extra *x;

	for (uint32_t s = state_first(e); s != 0; s = state_next(e, s))
		if ((x = state_extra(e, s)) != NULL)
			memset(x->nodes, 0, sizeof(x->nodes));
	for (uint32_t i = 1; i < e->node_table->n; i++)
		if (e->nodes[i].used)
			node_remove(e, i);
}

/* ---- saving: all records, so that indexes in states stay right ---- */

static void
save_node(struct saver *sv, const struct src_node *n)
{
	save_u8(sv, n->used);
	if (!n->used)
		return;
	save_u32(sv, n->rule);
	save_u8(sv, n->type);
	save_u8(sv, n->af);
	save_bytes(sv, n->addr.b, sizeof(n->addr.b));
	save_u8(sv, n->raf);
	save_u16(sv, n->rifid);
	save_bytes(sv, n->raddr.b, sizeof(n->raddr.b));
	save_u32(sv, n->rate.count);
	save_u32(sv, n->rate.last);
	save_u32(sv, n->states);
	save_u32(sv, n->connections);
	save_u32(sv, n->created);
	save_u32(sv, n->expire);
	for (int i = 0; i < 2; i++) {
		save_u64(sv, n->packets[i]);
		save_u64(sv, n->bytes[i]);
	}
}

bool
node_exists(const struct pfk_engine *e, uint32_t i)
{
	return i == 0 || (i < e->node_table->n && e->nodes[i].used);
}

void
nodes_save(const struct pfk_engine *e, struct saver *sv)
{
	const struct src_nodes *t = e->node_table;

	save_mark(sv, "srcn");
	save_u32(sv, t->n - 1);
	for (uint32_t i = 1; i < t->n; i++)
		save_node(sv, &e->nodes[i]);
}

static void
load_rest(struct saver *sv, struct src_node *n)
{
	n->raf = load_u8(sv);
	n->rifid = load_u16(sv);
	load_bytes(sv, n->raddr.b, sizeof(n->raddr.b));
	n->rate.count = load_u32(sv);
	n->rate.last = load_u32(sv);
	n->states = load_u32(sv);
	n->connections = load_u32(sv);
	n->created = load_u32(sv);
	n->expire = load_u32(sv);
	for (int i = 0; i < 2; i++) {
		n->packets[i] = load_u64(sv);
		n->bytes[i] = load_u64(sv);
	}
}

static bool
load_node(struct pfk_engine *e, struct saver *sv)
{
	struct pfk_addr addr;
	uint32_t rule = load_u32(sv), i;
	uint8_t type = load_u8(sv), af = load_u8(sv);
	struct src_node *n;

	load_bytes(sv, addr.b, sizeof(addr.b));
	if (sv->bad || rule > e->default_rule || type > NODE_ROUTE ||
	    (af != PFK_AF_INET && af != PFK_AF_INET6))
		return false;
	i = node_insert(e, rule, (enum node_type)type, af, &addr);
	if (i == 0)
		return false;
	n = &e->nodes[i];
	load_rest(sv, n);
	return n->raf == 0 || n->raf == PFK_AF_INET || n->raf == PFK_AF_INET6;
}

/* A record that was free keeps its place: the free list gets it. */
static bool
load_hole(struct pfk_engine *e)
{
	struct pfk_addr none = { { 0 } };
	uint32_t i = node_insert(e, e->default_rule, NODE_NONE, PFK_AF_INET,
	    &none);

	if (i == 0)
		return false;
	e->nodes[i].raf = 0xff;		/* to be freed below */
	return true;
}

bool
nodes_restore(struct pfk_engine *e, struct saver *sv)
{
	uint64_t removals = e->counters.src_removals;
	uint32_t n;

	pfk_engine_flush_src_nodes(e);
	e->counters.src_nodes = 0;
	e->node_table->n = 1;
	e->node_table->free_list = 0;
	memset(e->node_table->buckets, 0,
	    e->node_table->nbuckets * sizeof(*e->node_table->buckets));
	load_mark(sv, "srcn");
	n = load_u32(sv);
	for (uint32_t i = 0; i < n && !sv->bad; i++)
		if (!(load_u8(sv) ? load_node(e, sv) : load_hole(e)))
			sv->bad = true;
	for (uint32_t i = e->node_table->n; i-- > 1;)
		if (e->nodes[i].raf == 0xff)
			node_remove(e, i);
	e->counters.src_removals = removals;
	return !sv->bad;
}
