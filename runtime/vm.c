/*
 * The machine that runs the rules.
 *
 * One switch in one loop: an instruction tests the packet and either goes on
 * or jumps, always forward.  The image has been verified, so nothing is
 * checked here but what only the packet decides.
 *
 * Addresses and ports that the tests see are the packet's as far as match
 * rules have translated it.  With af-to the source is compared in the new
 * family and the destination in the old, which is what pf does.
 */
#include <assert.h>
#include <string.h>

#include "runtime/block.h"
#include "runtime/bytecode.h"
#include "runtime/calls.h"
#include "runtime/explain.h"
#include "runtime/strip.h"

#define ND_NEIGHBOR_ADVERT 136

struct vm {
	struct pfk_engine *e;
	struct filter	*f;
	struct pkt	*p;
	const struct pfk_addr *addr[2];
	uint16_t	 port[2];	/* host order */
	uint8_t		 af[2];
	bool		 alike;		/* nobody asks rule by rule */
	struct calls	*calls;
	const uint32_t	*pc;
	struct rt_rule	*rule;
	uint32_t	 refused;	/* strip that could not answer */
};

/* VM_RUN: at vm->pc. */
enum end { VM_RUN, VM_DONE, VM_FAIL };

/* What the tests look at, anew after a translation. */
static void
take_view(struct vm *vm)
{
	const struct pkt *p = vm->p;
	bool other = p->naf != p->af;

	for (unsigned i = 0; i < 2; i++) {
		vm->addr[i] = other ? &p->naddr[i] : &p->addr[i];
		vm->port[i] = port_host(other ? p->nport[i] : p->port[i]);
	}
	vm->af[SRC] = p->naf;
	vm->af[DST] = p->af;
	vm->alike = p->vproto != VPROTO_FRAGMENT && !other &&
	    vm->e->explain == NULL &&
	    (vm->f->actions.log & IMG_LOG_MATCHES) == 0;
}

/* --- tests --- */

/* a, b: of the rule, as they stand in the code */
static bool
addr_under_mask(const struct vm *vm, unsigned side, const uint32_t *w,
    unsigned words)
{
	unsigned n = vm->af[side] == PFK_AF_INET ? 1 : words;
	uint32_t v[4];

	memcpy(v, vm->addr[side], sizeof(v));
	for (unsigned i = 0; i < n; i++)
		if (((v[i] ^ w[i]) & w[words + i]) != 0)
			return false;
	return true;
}

static bool
addr_in_range(const struct vm *vm, unsigned side, const uint32_t *w,
    unsigned words)
{
	enum pfk_af af = (enum pfk_af)vm->af[side];
	struct pfk_addr first, last;

	if (words == 1 && af == PFK_AF_INET6)
		return false;
	memset(&first, 0, sizeof(first));
	memset(&last, 0, sizeof(last));
	memcpy(&first, w, words * 4);
	memcpy(&last, w + words, words * 4);
	return addr_cmp(&first, vm->addr[side], af) <= 0 &&
	    addr_cmp(vm->addr[side], &last, af) <= 0;
}

static const struct img_addr *
rule_addr(const struct rt_rule *rr, unsigned side)
{
	return side == SRC ? &rr->r->src : &rr->r->dst;
}

static bool
in_table(const struct vm *vm, unsigned side)
{
	const struct rt_rule *rr = vm->rule;

	return table_match(vm->e, side == SRC ? rr->src_table : rr->dst_table,
	    vm->af[side], vm->addr[side]);
}

static bool
is_ifaddr(const struct vm *vm, unsigned side)
{
	const struct rt_rule *rr = vm->rule;

	return iface_addr_match(vm->e, side == SRC ? rr->src_if : rr->dst_if,
	    rule_addr(rr, side), vm->af[side], vm->addr[side]);
}

static unsigned
rtable(const struct vm *vm)
{
	return vm->f->actions.rtable >= 0 ? (unsigned)vm->f->actions.rtable :
	    vm->p->rdomain;
}

/* `no-route', `urpf-failed', `route'. */
static bool
asks_routes(const struct vm *vm, enum op op, unsigned side)
{
	return route_asked(vm->e, op, side, vm->af[side], vm->addr[side],
	    vm->p->ifid, rtable(vm), vm->rule);
}

static bool
has_ports(const struct vm *vm)
{
	return vm->p->vproto == PROTO_TCP || vm->p->vproto == PROTO_UDP;
}

static bool
port_fits(const struct vm *vm, unsigned op, unsigned side, uint32_t ports)
{
	return !has_ports(vm) || img_compare(op, ports & 0xffff, ports >> 16,
	    vm->port[side]);
}

static bool
flags_fit(const struct vm *vm, unsigned flags, unsigned set)
{
	const struct pkt *p = vm->p;

	if (p->vproto == VPROTO_FRAGMENT)
		return p->proto != PROTO_TCP || set == 0;
	return p->vproto != PROTO_TCP || (p->tcp_flags & set) == flags;
}

static bool
is_icmp(const struct vm *vm)
{
	return vm->p->vproto == PROTO_ICMP || vm->p->vproto == PROTO_ICMPV6;
}

static bool
icmp_fits(const struct vm *vm, uint32_t want)
{
	return !is_icmp(vm) ||
	    icmp_wanted(want, vm->f->icmp_type, vm->f->icmp_code);
}

/* pf makes no state for the answer to a query it has not seen. */
static bool
may_begin(const struct vm *vm)
{
	const struct filter *f = vm->f;

	return !is_icmp(vm) || f->state_icmp || f->icmp_dir == PFK_IN ||
	    (vm->p->vproto == PROTO_ICMPV6 &&
	    f->icmp_type == ND_NEIGHBOR_ADVERT);
}

static bool
has_tag(const struct vm *vm)
{
	uint16_t tag = vm->f->tag != 0 ? vm->f->tag : vm->p->tag;

	return tag == vm->rule->match_tag;
}

static bool
came_in_on(const struct vm *vm)
{
	return vm->p->rcvif != IF_NONE &&
	    iface_is(vm->e, vm->p->rcvif, vm->rule->rcvif_index);
}

static bool
chance(const struct vm *vm, uint32_t prob)
{
	return prob > e_random_below(vm->e, UINT32_MAX - 1) + 1;
}

static bool
under_rate(const struct vm *vm)
{
	rate_add(&vm->rule->rate, vm->e->uptime);
	return !rate_over(&vm->rule->rate);
}

/* --- anchors --- */

static enum end
enter(struct vm *vm)
{
	struct calls *c = vm->calls;

	vm->f->here = c->here;
	if (vm->e->explain != NULL && c->depth > 0)
		explain_enter(vm->e, vm->f, c->anchor, c->here);
	vm->pc = c->anchor->code;
	return VM_RUN;
}

static enum end
call(struct vm *vm, const uint32_t *after)
{
	uint32_t rule = (uint32_t)(vm->rule - vm->e->rules);

	switch (calls_enter(vm->e, vm->calls, rule, after)) {
	case CALL_ENTERED:
		return enter(vm);
	case CALL_PASSED:
		vm->pc = after;
		return VM_RUN;
	case CALL_BACK: case CALL_QUICK: case CALL_END: case CALL_TOO_MANY:
		break;
	}
	return VM_FAIL;
}

static enum end
leave(struct vm *vm)
{
	if (vm->e->explain != NULL)
		explain_leave(vm->e, vm->f);
	switch (calls_leave(vm->e, vm->calls, vm->f->anchor, &vm->pc)) {
	case CALL_ENTERED:
		return enter(vm);
	case CALL_BACK:
		vm->f->here = vm->calls->here;
		return VM_RUN;
	case CALL_QUICK: case CALL_END:
		return VM_DONE;
	case CALL_PASSED: case CALL_TOO_MANY:
		break;
	}
	return VM_FAIL;
}

/* --- the loop --- */

/* The rule's last instruction: it matches. */
static enum end
matched(struct vm *vm, const uint32_t *pc)
{
	enum op op = insn_op(*pc);

	if (rule_matches(vm->e, vm->f, (uint32_t)(vm->rule - vm->e->rules)) !=
	    PKT_PASS)
		return VM_FAIL;
	if (op == OP_CALL)
		return call(vm, pc + 1);
	if (op == OP_MATCH)
		take_view(vm);
	vm->pc = pc + 1;
	return insn_a(*pc) != 0 ? VM_DONE : VM_RUN;
}

/* Whether the packet fits the test. */
static bool
fits(const struct vm *vm, const uint32_t *pc)
{
	const struct pkt *p = vm->p;
	unsigned a = insn_a(*pc), b = insn_b(*pc);
	const uint32_t *w = pc + 2;

	switch (insn_op(*pc)) {
	case OP_IFACE:
		return iface_is(vm->e, p->ifid, vm->rule->if_index) != a;
	case OP_DIR:
		return p->dir == a;
	case OP_AF:
		return p->af == a;
	case OP_PROTO:
		return p->proto == a;
	case OP_ADDR4:
		return addr_under_mask(vm, b, w, 1) != a;
	case OP_WHOLE:
		return p->vproto != VPROTO_FRAGMENT;
	case OP_FLAGS:
		return flags_fit(vm, a, b);
	case OP_PORT:
		return port_fits(vm, a, b, *w);
	case OP_RDOMAIN:
		return (p->rdomain == *w) != a;
	case OP_ADDR6:
		return addr_under_mask(vm, b, w, 4) != a;
	case OP_RANGE4:
		return addr_in_range(vm, b, w, 1) != a;
	case OP_RANGE6:
		return addr_in_range(vm, b, w, 4) != a;
	case OP_TABLE:
		return in_table(vm, b) != a;
	case OP_IFADDR:
		return is_ifaddr(vm, b) != a;
	case OP_NOROUTE: case OP_URPF: case OP_RTLABEL:
		return asks_routes(vm, insn_op(*pc), b) != a;
	case OP_OS:
		return p->vproto != PROTO_TCP ||
		    osfp_match(vm->p, vm->rule->os);
	case OP_USER:
	case OP_GROUP:
		return !has_ports(vm) || unknown_owner_fits(a, w);
	case OP_ICMP:
		return icmp_fits(vm, *w);
	case OP_QUERY:
		return may_begin(vm);
	case OP_FRAGMENT:
		return p->vproto == VPROTO_FRAGMENT;
	case OP_TOS:
		return p->tos == a;
	case OP_PROB:
		return chance(vm, *w);
	case OP_TAGGED:
		return has_tag(vm) != a;
	case OP_RCVIF:
		return came_in_on(vm) != a;
	case OP_PRIO:
		return p->prio == a;
	case OP_RATE:
		return under_rate(vm);
	case OP_END: case OP_RULE: case OP_DECIDE: case OP_MATCH:
	case OP_CALL: case OP_BLOCK: case OP_COUNT:
		break;
	}
	assert(false);			/* not a test */
	return false;
}

/* A block asks about one of its rules: struct block_help. */
static const uint32_t *
rule_misfit(void *ctx, uint32_t rule, const uint32_t *pc)
{
	struct vm *vm = ctx;

	vm->rule = &vm->e->rules[rule];
	for (pc += op_info[OP_RULE].length; insn_op(*pc) != OP_DECIDE;
	    pc += op_info[insn_op(*pc)].length)
		if (!fits(vm, pc))
			return pc + pc[1];
	return NULL;
}

/* What strips and blocks look at. */
static struct strip_ask
question(const struct vm *vm)
{
	const struct pkt *p = vm->p;

	return (struct strip_ask){ .head = { p->ifid, p->rdomain,
	    p->tcp_flags, p->proto, p->dir, p->af, is_icmp(vm) &&
	    may_begin(vm), vm->f->icmp_type, vm->f->icmp_code }, .addr = {
	    vm->addr[SRC]->b, vm->addr[DST]->b }, .port = { vm->port[SRC],
	    vm->port[DST] }, .rtable = rtable(vm) };
}

/*
 * A block of rules: where to go on.  *end says whether the decision has been
 * made.
 */
static const uint32_t *
run_block(struct vm *vm, const uint32_t *pc, enum end *end)
{
	const uint32_t *one_by_one = pc + op_info[OP_BLOCK].length, *to;
	uint32_t block = vm->e->rules[vm->calls->anchor->base + pc[2]].block;
	struct block_help h = { rule_misfit, NULL, vm, NULL };
	struct strip_ask q;

	*end = VM_RUN;
	/* `log (matches)' and who explains want to hear of every match */
	if (block == 0 || !vm->alike)
		return one_by_one;
	q = question(vm);
	to = block_run(vm->e, block, &q, &h);
	if (to == NULL)
		return one_by_one;
	if (q.rule != IMG_NONE &&
	    rule_matches(vm->e, vm->f, q.rule) != PKT_PASS)
		*end = VM_FAIL;
	else if (q.quick)
		*end = VM_DONE;
	return to;
}

/* Rules of a strip that the packet fits and that do not only decide. */
static void
act(struct vm *vm, const struct strip *s, const struct strip_ask *q,
    enum end *end)
{
	vm->calls->n += q->calls;
	if (q->stop != IMG_NONE)
		vm->rule = &vm->e->rules[q->stop];
	for (uint64_t rows = q->acts; rows != 0; rows &= rows - 1)
		if (rule_matches(vm->e, vm->f, s->first + lowest_bit(rows)) !=
		    PKT_PASS) {
			*end = VM_FAIL;
			return;
		}
}

/*
 * A strip of rules.  NULL: they are to be asked one by one.  *end says whether
 * the decision has been made.
 */
static const uint32_t *
run_strip(struct vm *vm, const struct rt_rule *rr, const uint32_t *here,
    enum end *end)
{
	struct strip *s = vm->e->strips[rr->strip - 1];
	struct strip_ask q = question(vm);
	const uint32_t *pc;

	q.row = (uint32_t)(rr - vm->e->rules) - s->first;
	*end = VM_RUN;
	if (!strip_stands(s, q.row, here) ||
	    !strip_may_count(s, vm->calls) ||
	    (pc = strip_run(vm->e, s, &q)) == NULL) {
		vm->refused = rr->strip;
		return NULL;
	}
	if (q.quick)
		*end = VM_DONE;
	if (s->busy)
		act(vm, s, &q, end);
	if (q.rule != IMG_NONE) {
		/* rule_matches() has no more to do */
		vm->f->rule = q.rule;
		vm->f->anchor = vm->f->here;
	}
	return pc;
}

/*
 * Runs from vm->pc to the end of an anchor or the match of a rule.  The tests
 * that most rules have are made here, so that nothing is called for them.
 */
static enum end
run(struct vm *vm)
{
	const struct pkt *p = vm->p;
	struct rt_rule *rules = vm->e->rules + vm->calls->anchor->base, *rr = NULL;
	const uint32_t *pc = vm->pc, *next;
	const uint32_t name_id = p->ifid + 1u;
	enum end end;
	uint32_t v;
	bool yes;

	for (;;) {
		switch (insn_op(*pc)) {
		case OP_END:
			return leave(vm);
		case OP_RULE:
			rr = &rules[pc[2]];
			if (rr->strip != vm->refused && vm->alike &&
			    rr->strip != 0 &&
			    (next = run_strip(vm, rr, pc, &end)) != NULL) {
				if (end != VM_RUN)
					return end;
				pc = next;
				rr = vm->rule;
				continue;
			}
			yes = !rr->n.expired;
			rr->n.evaluations += yes;
			break;
		case OP_BLOCK:
			if (rules[pc[2]].strip != 0) {
				pc += op_info[OP_BLOCK].length;
				continue;
			}
			pc = run_block(vm, pc, &end);
			if (end != VM_RUN)
				return end;
			continue;
		case OP_IFACE:
			yes = (rr->if_index == name_id || iface_is(vm->e,
			    p->ifid, rr->if_index)) != insn_a(*pc);
			break;
		case OP_DIR:
			yes = p->dir == insn_a(*pc);
			break;
		case OP_AF:
			yes = p->af == insn_a(*pc);
			break;
		case OP_PROTO:
			yes = p->proto == insn_a(*pc);
			break;
		case OP_ADDR4:
			memcpy(&v, vm->addr[insn_b(*pc)], sizeof(v));
			yes = (((v ^ pc[2]) & pc[3]) == 0) != insn_a(*pc);
			break;
		case OP_WHOLE:
			yes = p->vproto != VPROTO_FRAGMENT;
			break;
		case OP_FLAGS:
			yes = flags_fit(vm, insn_a(*pc), insn_b(*pc));
			break;
		case OP_PORT:
			yes = port_fits(vm, insn_a(*pc), insn_b(*pc), pc[2]);
			break;
		case OP_DECIDE:
		case OP_MATCH:
		case OP_CALL:
			vm->rule = rr;
			return matched(vm, pc);
		case OP_RDOMAIN: case OP_ADDR6: case OP_RANGE4:
		case OP_RANGE6: case OP_TABLE: case OP_IFADDR:
		case OP_NOROUTE: case OP_URPF: case OP_RTLABEL: case OP_OS:
		case OP_USER: case OP_GROUP: case OP_ICMP: case OP_QUERY:
		case OP_FRAGMENT: case OP_TOS: case OP_PROB: case OP_TAGGED:
		case OP_RCVIF: case OP_PRIO: case OP_RATE: case OP_COUNT:
		default:
			vm->rule = rr;
			yes = fits(vm, pc);
			break;
		}
		pc += yes ? op_info[insn_op(*pc)].length : pc[1];
	}
}

static void
begin(struct vm *vm, struct pfk_engine *e, struct filter *f)
{
	vm->e = e;
	vm->f = f;
	vm->p = f->p;
	vm->rule = NULL;
	vm->refused = 0;
	f->reason = PFK_REASON_MATCH;
	take_view(vm);
}

const uint32_t *
ruleset_misfit(struct pfk_engine *e, struct filter *f, uint32_t rule,
    const uint32_t *pc)
{
	struct vm vm;

	begin(&vm, e, f);
	return rule_misfit(&vm, rule, pc);
}

static enum outcome
run_all(struct vm *vm)
{
	enum end end;

	while ((end = run(vm)) == VM_RUN)
		;
	return end == VM_DONE ? PKT_PASS : PKT_DROP;
}

enum outcome
ruleset_run(struct pfk_engine *e, struct filter *f)
{
	struct calls c;
	struct vm vm;

	begin(&vm, e, f);
	if (e->explain != NULL)
		explain_rules(e, f);
	calls_begin(&c, e);
	vm.calls = &c;
	(void)enter(&vm);
	return run_all(&vm);
}

enum outcome
ruleset_go_on(struct pfk_engine *e, struct filter *f, struct calls *c,
    const uint32_t *pc)
{
	struct vm vm;

	begin(&vm, e, f);
	vm.calls = c;
	vm.pc = pc;
	return run_all(&vm);
}
