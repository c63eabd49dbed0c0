/*
 * What pf counts for a packet that has been decided: the interface's counters
 * always; those of the rule, its anchor, the state, its match rules, source
 * nodes and tables if the packet passed, or if a block rule decided.
 */
#include <string.h>

#include "runtime/rules_int.h"
#include "runtime/translate.h"

/* pf has translated an error's quote when it counts, but not its header. */
static uint32_t
packet_size(const struct pkt *p)
{
	return p->len + (uint32_t)p->quote_growth;
}

/* Room for an interface that came later; false: no memory, not counted. */
static bool
if_counters_room(struct pfk_engine *e, uint16_t ifid)
{
	struct pfk_if_counters *c;
	uint32_t room = (ifid | 7u) + 1;

	if (ifid < e->nif_counters)
		return true;
	c = e_realloc(e, e->if_counters, e->nif_counters * sizeof(*c),
	    room * sizeof(*c));
	if (c == NULL)
		return false;
	memset(c + e->nif_counters, 0,
	    (room - e->nif_counters) * sizeof(*c));
	e->if_counters = c;
	e->nif_counters = room;
	return true;
}

static void
count_iface(struct pkt *p, bool blocked)
{
	struct pfk_engine *e = p->e;
	bool v6 = p->af == PFK_AF_INET6, out = p->dir == PFK_OUT;
	struct pfk_if_counters *c;

	e->counters.packets++;
	e->counters.bytes += packet_size(p);
	if (!if_counters_room(e, p->ifid))
		return;
	c = &e->if_counters[p->ifid];
	c->packets[out][blocked][v6]++;
	c->bytes[out][blocked][v6] += packet_size(p);
}

static void
count_rule(struct pkt *p, uint32_t rule, unsigned which)
{
	struct pfk_rule_counters *n = &p->e->rules[rule].n;

	n->packets[which]++;
	n->bytes[which] += packet_size(p);
}

void
count_rule_tables(struct pfk_engine *e, uint32_t rule, uint8_t af,
    const struct pfk_addr *src, const struct pfk_addr *dst, uint64_t bytes,
    bool out)
{
	const struct rt_rule *rr = &e->rules[rule];
	enum img_action action = (enum img_action)rr->r->action;

	if (rr->src_table != IMG_NONE)
		table_count(e, rr->src_table, af, src, bytes, out, action,
		    rr->r->src.neg);
	if (rr->dst_table != IMG_NONE)
		table_count(e, rr->dst_table, af, dst, bytes, out, action,
		    rr->r->dst.neg);
}

/* addr: the connection's. */
static void
count_tables_of(struct pkt *p, uint32_t rule, const struct pfk_addr *src,
    const struct pfk_addr *dst, uint8_t af)
{
	count_rule_tables(p->e, rule, af, src, dst, packet_size(p),
	    p->dir == PFK_OUT);
}

/* The connection's addresses as its rules saw them. */
static void
count_state_tables(struct pkt *p, uint32_t state)
{
	const struct pfk_engine *e = p->e;
	const struct state *s = state_get(e, state);
	bool in = s->direction == PFK_IN;
	const struct state_key key = state_key(e, state,
	    in ? KEY_STACK : KEY_WIRE), *k = &key;
	uint32_t m;

	for (m = state_cold(e, state)->match_list; m != 0;
	    m = e->match_items[m].next)
		count_tables_of(p, e->match_items[m].rule, &k->addr[!in],
		    &k->addr[in], k->af);
	count_tables_of(p, s->rule, &k->addr[!in], &k->addr[in], k->af);
}

static void
count_state(struct pkt *p, uint32_t state)
{
	const struct pfk_engine *e = p->e;
	struct state *s = state_get(e, state);
	unsigned back = p->dir != s->direction;
	uint32_t m;

	s->packets[back]++;
	s->bytes[back] += packet_size(p);
	if (s->per_packet & PER_NODES)
		nodes_count(p->e, state, p->dir == PFK_OUT, packet_size(p));
	if (s->per_packet & PER_MATCH)
		for (m = state_cold(e, state)->match_list; m != 0;
		    m = e->match_items[m].next)
			count_rule(p, e->match_items[m].rule, back);
	if (s->per_packet & PER_TABLES)
		count_state_tables(p, state);
}

void
count_tables(struct pkt *p, uint32_t rule)
{
	count_rule_tables(p->e, rule, p->af, &p->addr[SRC], &p->addr[DST],
	    packet_size(p), p->dir == PFK_OUT);
}

void
count_packet(struct pkt *p, enum outcome out, const struct verdict *v)
{
	bool pass = out == PKT_PASS || out == PKT_AFTO;

	count_iface(p, out != PKT_PASS);
	if (!pass && p->e->rules[v->rule].r->action != IMG_BLOCK)
		return;
	count_rule(p, v->rule, p->dir == PFK_OUT);
	if (v->anchor != IMG_NONE)
		count_rule(p, v->anchor, p->dir == PFK_OUT);
	if (v->state != 0)
		count_state(p, v->state);
	else
		count_tables(p, v->rule);
}

/* ---- names, and reading from outside ---- */

const char *
pfk_reason_name(enum pfk_reason r)
{
	static const char *const names[] = {
#define REASON(id, name)	name,
#include <pfkit/reasons.def>
#undef REASON
	};

	return (unsigned)r < PFK_NREASONS ? names[r] : "unknown";
}

const char *
pfk_verdict_name(enum pfk_verdict v)
{
	static const char *const names[] = { "pass", "block", "drop", "hold",
	    "skip", "ignore" };

	return (unsigned)v <= PFK_IGNORE ? names[v] : "unknown";
}

const char *
pfk_limit_counter_name(unsigned i)
{
	static const char *const names[] = { "max states per rule",
	    "max-src-states", "max-src-nodes", "max-src-conn",
	    "max-src-conn-rate", "overload table insertion",
	    "overload flush states", "synfloods detected",
	    "syncookies sent", "syncookies validated" };

	return i < sizeof(names) / sizeof(*names) ? names[i] : NULL;
}

void
pfk_engine_rule_counters(const struct pfk_engine *e, uint32_t rule,
    struct pfk_rule_counters *out)
{
	rules_settle(e);
	*out = e->rules[rule].n;
}

void
pfk_engine_counters(const struct pfk_engine *e, struct pfk_counters *out)
{
	*out = e->counters;
	out->states = (uint32_t)states_count(e);
	out->started = e->epoch;
	out->now = e->epoch + e->now;
}

void
pfk_engine_if_counters(const struct pfk_engine *e, unsigned ifid,
    struct pfk_if_counters *out)
{
	if (ifid < e->nif_counters)
		*out = e->if_counters[ifid];
	else
		memset(out, 0, sizeof(*out));
}
