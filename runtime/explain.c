/*
 * Telling how a decision comes about (include/pfkit/explain.h).
 *
 * The rooms that a packet goes through call in here.  Of the rules, the
 * machine tells only of those that match and of anchors; what lies between
 * two of these, in the order of the records, did not match, and nothing that
 * rules test has changed in between: so it is told then, each rule with what
 * it failed in.
 */
#include <string.h>

#include "runtime/explain.h"
#include "runtime/state.h"

static void
init(const struct pkt *p, struct pfk_explain *x, enum pfk_explain_kind kind)
{
	memset(x, 0, sizeof(*x));
	x->kind = kind;
	x->number = p->frame->number;
	x->second = p->second;
	x->rule = x->caller = PFK_RULE_NONE;
}

static bool
wanted(const struct pfk_engine *e, enum pfk_explain_kind kind)
{
	return (e->explain->kinds >> kind & 1) != 0;
}

static void
tell(const struct pfk_engine *e, const struct pfk_explain *x)
{
	if (wanted(e, x->kind))
		e->explain->fn(e->explain->ctx, x);
}

/* ---- before the rules ---- */

/* As the rules see it, which match rules may have changed. */
static void
fill_flow(const struct pkt *p, struct pfk_flow *flow)
{
	bool other = p->naf != p->af;
	const struct pfk_addr *addr = other ? p->naddr : p->addr;
	const uint16_t *port = other ? p->nport : p->port;

	memset(flow, 0, sizeof(*flow));
	flow->af = p->naf;
	flow->proto = p->proto;
	flow->has_ports = p->vproto == PROTO_TCP || p->vproto == PROTO_UDP;
	memcpy(flow->src.addr, addr[SRC].b, 16);
	memcpy(flow->dst.addr, addr[DST].b, 16);
	flow->src.port = port[SRC];
	flow->dst.port = port[DST];
}

void
explain_headers(struct pkt *p, enum outcome out)
{
	struct pfk_explain x;

	init(p, &x, PFK_EXPLAIN_HEADERS);
	x.verdict = out == PKT_PASS ? PFK_PASS : out == PKT_HOLD ? PFK_HOLD :
	    PFK_DROP;
	x.reason = p->reason;
	x.reassembled = p->reassembled;
	x.fragment = p->vproto == VPROTO_FRAGMENT;
	x.ttl = p->ttl;
	x.tos = p->tos;
	x.tcp_flags = p->tcp_flags;
	x.icmp_type = p->icmp_type;
	x.icmp_code = p->icmp_code;
	x.len = p->len;
	fill_flow(p, &x.flow);
	tell(p->e, &x);
}

void
explain_state(struct pkt *p, const struct state_key *key, uint32_t state)
{
	struct pfk_explain x;
	struct pfk_state s;

	if (!wanted(p->e, PFK_EXPLAIN_STATE))
		return;
	init(p, &x, PFK_EXPLAIN_STATE);
	x.key.af = key->af;
	x.key.rdomain = key->rdomain;
	x.flow.proto = key->proto;
	for (int i = 0; i < 2; i++) {
		memcpy(x.key.addr[i].addr, key->addr[i].b, 16);
		x.key.addr[i].port = key->port[i];
	}
	if (state != 0) {
		state_export(p->e, state, &s);
		x.state = &s;
	}
	tell(p->e, &x);
}

void
explain_quote(struct pkt *p, const struct quote *q)
{
	struct pfk_explain x;

	init(p, &x, PFK_EXPLAIN_QUOTE);
	x.flow.af = q->af;
	x.flow.proto = q->proto;
	x.flow.has_ports = q->proto == PROTO_TCP || q->proto == PROTO_UDP;
	memcpy(x.flow.src.addr, q->addr[SRC].b, 16);
	memcpy(x.flow.dst.addr, q->addr[DST].b, 16);
	x.flow.src.port = q->port[SRC];
	x.flow.dst.port = q->port[DST];
	tell(p->e, &x);
}

void
explain_unfit(struct pkt *p, const char *why)
{
	struct pfk_explain x;

	init(p, &x, PFK_EXPLAIN_UNFIT);
	x.why = why;
	tell(p->e, &x);
}

void
explain_window(struct pkt *p, const struct pfk_segment *segment)
{
	struct pfk_explain x;

	init(p, &x, PFK_EXPLAIN_WINDOW);
	x.segment = *segment;
	tell(p->e, &x);
}

const char *
pfk_window_check_failed(enum pfk_window_check check)
{
	static const char *const words[] = {
	[PFK_WINDOW_END] = "it ends beyond what the other end offered to take",
	[PFK_WINDOW_START] = "it begins before the window: too old",
	[PFK_WINDOW_ACK_AHEAD] = "it acknowledges what was never sent",
	[PFK_WINDOW_ACK_BEHIND] = "it acknowledges what is far too old",
	[PFK_WINDOW_RESET] = "a RST must have exactly the expected number",
	};

	return words[check];
}

/* ---- the rules ---- */

static void
init_rule(const struct pfk_engine *e, const struct filter *f, uint32_t rule,
    struct pfk_explain *x, enum pfk_explain_kind kind)
{
	static const char *const actions[] = { [IMG_PASS] = "pass",
	    [IMG_BLOCK] = "block", [IMG_MATCH] = "match" };
	const struct img_rule *r = e->rules[rule].r;

	init(f->p, x, kind);
	x->rule = rule;
	x->depth = e->explain->depth - 1;
	if (f->here != IMG_NONE)
		x->caller = f->here;
	x->quick = (r->flags & IMG_R_QUICK) != 0;
	x->action = r->flags & IMG_R_ANCHOR ? "anchor" : actions[r->action];
}

/* What nothing but chance can have stopped. */
static unsigned
by_chance(const struct img_rule *r)
{
	if (r->prob != 0)
		return 1u << PFK_TEST_PROBABILITY;
	return r->pktrate[0] != 0 ? 1u << PFK_TEST_RATE : 0;
}

static void
tell_failed(struct pfk_engine *e, struct filter *f, uint32_t rule)
{
	struct pfk_explain x;

	if (e->rules[rule].replaced)
		return;
	init_rule(e, f, rule, &x, PFK_EXPLAIN_FAILS);
	x.failed = explain_failures(e, f, rule);
	if (x.failed == 0)
		x.failed = by_chance(e->rules[rule].r);
	x.contradiction = x.failed == 0;
	tell(e, &x);
}

static struct explain_frame *
top(const struct pfk_engine *e)
{
	struct explain *x = e->explain;

	return x->depth > 0 ? &x->stack[x->depth - 1] : NULL;
}

/* The rules of this anchor up to one, which is not told. */
static void
tell_until(struct pfk_engine *e, struct filter *f, uint32_t rule)
{
	struct explain_frame *t = top(e);

	if (t == NULL || !wanted(e, PFK_EXPLAIN_FAILS))
		return;
	while (t->next < rule)
		tell_failed(e, f, t->next++);
}

static void
push(struct pfk_engine *e, uint32_t anchor, uint32_t caller)
{
	struct explain *x = e->explain;

	if (x->depth < EXPLAIN_DEPTH)
		x->stack[x->depth++] = (struct explain_frame){ anchor,
		    e->anchors[anchor].rule0, caller };
}

void
explain_rules(struct pfk_engine *e, struct filter *f)
{
	struct pfk_explain x;

	init(f->p, &x, PFK_EXPLAIN_RULES);
	fill_flow(f->p, &x.flow);
	tell(e, &x);
	e->explain->depth = 0;
	push(e, 0, IMG_NONE);
}

void
explain_enter(struct pfk_engine *e, struct filter *f,
    const struct anchor_rt *a, uint32_t caller)
{
	struct pfk_explain x;

	init_rule(e, f, caller, &x, PFK_EXPLAIN_ENTER);
	x.anchor = a->path;
	tell(e, &x);
	push(e, (uint32_t)(a - e->anchors), caller);
}

void
explain_leave(struct pfk_engine *e, struct filter *f)
{
	const struct explain_frame *t = top(e);
	const struct anchor_rt *a;
	struct pfk_explain x;

	if (t == NULL)
		return;
	a = &e->anchors[t->anchor];
	tell_until(e, f, a->rule0 + a->nrules);
	e->explain->depth--;
	if (e->explain->depth == 0)
		return;
	init_rule(e, f, t->caller, &x, PFK_EXPLAIN_LEAVE);
	x.anchor = a->path;
	tell(e, &x);
}

void
explain_match(struct pfk_engine *e, struct filter *f, uint32_t rule)
{
	struct explain_frame *t = top(e);
	struct pfk_explain x;

	tell_until(e, f, rule);
	init_rule(e, f, rule, &x, PFK_EXPLAIN_MATCHES);
	if (wanted(e, PFK_EXPLAIN_FAILS))
		x.failed = explain_failures(e, f, rule);
	x.contradiction = x.failed != 0;
	fill_flow(f->p, &x.flow);
	tell(e, &x);
	if (t != NULL)
		t->next = rule + 1;
}

/* ---- from outside ---- */

int
pfk_explain_start(struct pfk_engine *e, pfk_explain_fn fn, void *ctx)
{
	struct explain *x = e->explain;

	if (x == NULL && (x = e_alloc(e, sizeof(*x))) == NULL)
		return PFK_ERR_NOMEM;
	x->fn = fn;
	x->ctx = ctx;
	x->kinds = ~0u;
	e->explain = x;
	return PFK_OK;
}

void
pfk_explain_only(struct pfk_engine *e, unsigned kinds)
{
	e->explain->kinds = kinds;
}

void
pfk_explain_stop(struct pfk_engine *e)
{
	e_free(e, e->explain, sizeof(*e->explain));
	e->explain = NULL;
}
