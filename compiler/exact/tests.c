/*
 * One rule's tests as a set of packets.
 *
 * A rule's instructions stand between its RULE and what it does; a test that
 * fails jumps to some later rule, which is the next one that could match, so
 * that a rule matches exactly if all its tests hold.  What a test means is
 * what vm.c does with it, on a packet; here it is a set.
 *
 * Addresses and ports are looked at as match rules before have left them (the
 * context's views).  What they have changed to is known if it is one address;
 * whether one out of several fits is a question, and of each rule another one:
 * the address that fits one need not fit the next.
 */
#include <stdio.h>
#include <string.h>

#include "compiler/exact/tests.h"

dd
ask(const struct tester *t, const char *what, const char *of)
{
	struct arena_mark mark = arena_mark(&t->x->arena);
	char *name = arena_printf(&t->x->arena, "%s `%s'", what, of);
	dd f;

	for (size_t i = 0; i < t->x->questions.n; i++)
		if (strcmp(t->x->questions.v[i].name, name) == 0) {
			f = dd_var(t->x->nvars + (unsigned)i, true);
			arena_release(&t->x->arena, mark);
			return f;
		}
	return question(t->x, name);
}

static const struct img_rule *
rule_of(const struct tester *t)
{
	return &t->xi->im->rules[t->rule];
}

const char *
rule_text(const struct tester *t, uint32_t rule)
{
	return image_string(t->xi->im, t->xi->im->rules[rule].text);
}

/* ---- addresses ---- */

static const struct img_addr *
side_addr(const struct tester *t, unsigned side)
{
	return side == SIDE_SRC ? &rule_of(t)->src : &rule_of(t)->dst;
}

static dd
under_mask(const struct tester *t, unsigned side, const uint32_t *w,
    unsigned words)
{
	uint8_t value[16], mask[16];
	enum field f = addr_field(side);
	dd v4, v6, r;

	memcpy(value, w, words * 4);
	memcpy(mask, w + words, words * 4);
	v4 = field_bits(t->x, f, value, mask, 4);
	if (words == 1)
		return v4;
	v6 = field_bits(t->x, f, value, mask, 16);
	r = dd_ite(t->x->v4, v4, v6);
	dd_drop(v4);
	dd_drop(v6);
	return r;
}

static dd
in_range(const struct tester *t, unsigned side, const uint32_t *w,
    unsigned words)
{
	uint8_t lo[16] = { 0 }, hi[16] = { 0 };
	enum field f = addr_field(side);
	dd v4, v6 = DD_FALSE, r;

	memcpy(lo, w, words * 4);
	memcpy(hi, w + words, words * 4);
	v4 = field_range(t->x, f, lo, hi, 4);
	if (words == 4)
		v6 = field_range(t->x, f, lo, hi, 16);
	r = dd_ite(t->x->v4, v4, v6);
	dd_drop(v4);
	dd_drop(v6);
	return r;
}

static int
rtable_of(const struct tester *t)
{
	return t->c != NULL ? t->c->rtable : -1;
}

/*
 * Tables that others fill while the rules run, overload or, if they are empty
 * and kept, pfctl and daemons: whether an address is in is a question, too.
 */
bool
contents_asked(const struct pfk_image *im, uint32_t table)
{
	const struct img_table *t;

	table = real_table(im, table);
	t = &im->tables[table];
	if ((t->flags & IMG_T_PERSIST) && t->naddrs == 0 &&
	    !(t->flags & IMG_T_CONST))
		return true;
	for (uint32_t i = 0; i < im->nrules; i++)
		if (im->rules[i].overload < im->ntables &&
		    real_table(im, im->rules[i].overload) == table)
			return true;
	return false;
}

static dd
test_table(const struct tester *t, uint32_t table, unsigned side)
{
	const struct pfk_image *im = t->xi->im;
	dd f = table_set(t->x, t->xi, table, side), more;

	if (table >= im->ntables || !contents_asked(im, table))
		return f;
	more = ask(t, side == SIDE_SRC ? "the source in the table" :
	    "the destination in the table",
	    image_string(im, im->tables[table].name));
	dd_or_to(&f, more);
	dd_drop(more);
	return f;
}

/* The test of the packet's own address. */
dd
addr_test(const struct tester *t, const uint32_t *pc)
{
	unsigned side = insn_b(*pc);
	const struct img_addr *a = side_addr(t, side);

	switch ((unsigned)insn_op(*pc)) {
	case OP_ADDR4:
		return under_mask(t, side, pc + 2, 1);
	case OP_ADDR6:
		return under_mask(t, side, pc + 2, 4);
	case OP_RANGE4:
		return in_range(t, side, pc + 2, 1);
	case OP_RANGE6:
		return in_range(t, side, pc + 2, 4);
	case OP_TABLE:
		return test_table(t, a->ref, side);
	case OP_IFADDR:
		return ifaddr_set(t->x, t->xi, a, side);
	case OP_NOROUTE:
		return noroute_set(t->x, t->xi, side, rtable_of(t));
	case OP_URPF:
		return urpf_failed_set(t->x, t->xi, side, rtable_of(t));
	default:
		return rtlabel_set(t->x, t->xi, side,
		    image_string(t->xi->im, a->ref), rtable_of(t));
	}
}

bool
asks_routes(const uint32_t *pc)
{
	enum op op = insn_op(*pc);

	return op == OP_NOROUTE || op == OP_URPF || op == OP_RTLABEL;
}

static const struct view *
view_of(const struct tester *t, unsigned side)
{
	static const struct view packet;

	return t->c != NULL ? &t->c->view[side] : &packet;
}

/* Not one that the ruleset or its optimiser fixes. */
static bool
may_change(const struct pfk_image *im, uint32_t table)
{
	static const char made[] = "__auto";

	table = real_table(im, table);
	return table < im->ntables &&
	    !(im->tables[table].flags & IMG_T_CONST) &&
	    strncmp(image_string(im, im->tables[table].name), made,
	    sizeof(made) - 1) != 0;
}

static dd
test_addr(const struct tester *t, const uint32_t *pc)
{
	const struct view *v = view_of(t, insn_b(*pc));
	dd f;

	if (t->open && insn_op(*pc) == OP_TABLE &&
	    may_change(t->xi->im, side_addr(t, insn_b(*pc))->ref))
		return DD_TRUE;
	f = v->addr == VIEW_PACKET ? addr_test(t, pc) :
	    translated_addr(t, pc, v);

	if (insn_a(*pc) != 0)
		dd_to(&f, dd_not(f));
	return f;
}

/* ---- ports ---- */

static dd
without(const struct tester *t, enum field f, uint32_t lo, uint32_t hi)
{
	dd set = field_between(t->x, f, lo, hi);

	dd_to(&set, dd_not(set));
	return set;
}

static dd
ports(const struct tester *t, unsigned op, enum field f, uint32_t a,
    uint32_t b)
{
	switch ((enum img_op)op) {
	case IMG_OP_IRG:
		return b == 0 ? DD_FALSE : field_between(t->x, f, a + 1,
		    b - 1);
	case IMG_OP_XRG:
		return a > b ? DD_TRUE : without(t, f, a, b);
	case IMG_OP_RRG:
		return field_between(t->x, f, a, b);
	case IMG_OP_EQ:
		return field_is(t->x, f, a);
	case IMG_OP_NE:
		return without(t, f, a, a);
	case IMG_OP_LT:
		return a == 0 ? DD_FALSE : field_between(t->x, f, 0, a - 1);
	case IMG_OP_LE:
		return field_between(t->x, f, 0, a);
	case IMG_OP_GT:
		return field_between(t->x, f, a + 1, 0xffff);
	case IMG_OP_GE:
		return field_between(t->x, f, a, 0xffff);
	case IMG_OP_NONE:
		break;
	}
	return DD_FALSE;
}

/* TCP and UDP; other packets fit any port. */
static dd
or_portless(const struct tester *t, dd f)
{
	dd none = dd_not(t->x->ported);

	dd_or_to(&f, none);
	dd_drop(none);
	return f;
}

static dd
test_port(const struct tester *t, const uint32_t *pc)
{
	unsigned op = insn_a(*pc), side = insn_b(*pc);
	uint32_t a = pc[2] & 0xffff, b = pc[2] >> 16;
	const struct view *v = view_of(t, side);
	dd f;

	if (v->port == VIEW_PACKET)
		f = ports(t, op, port_field(side), a, b);
	else if (v->port == VIEW_FIXED)
		f = img_compare(op, a, b, v->fixed_port) ? DD_TRUE : DD_FALSE;
	else
		f = ask(t, side == SIDE_SRC ?
		    "the translated source port, for" :
		    "the translated destination port, for",
		    rule_text(t, t->rule));
	return or_portless(t, f);
}

/* ---- the rest ---- */

static dd
test_flags(const struct tester *t, unsigned flags, unsigned set)
{
	uint8_t value = (uint8_t)flags, mask = (uint8_t)set;
	dd fits, other, fragment, f;

	if ((flags & ~set) != 0)
		fits = DD_FALSE;
	else
		fits = field_bits(t->x, F_FLAGS, &value, &mask, 1);
	/* fragments of TCP have none to look at */
	fragment = field_is(t->x, F_PROTO, PROTO_TCP);
	dd_minus_to(&fragment, t->x->tcp);
	other = dd_not(t->x->tcp);
	if (set != 0)
		dd_minus_to(&other, fragment);
	f = dd_and(fits, t->x->tcp);
	dd_or_to(&f, other);
	dd_drop(fits);
	dd_drop(other);
	dd_drop(fragment);
	return f;
}

static dd
icmp_whole(const struct pfk_exact *x)
{
	dd f = dd_or(x->icmp, x->icmp6), whole;

	whole = field_is(x, F_FRAGMENT, 0);
	dd_and_to(&f, whole);
	dd_drop(whole);
	return f;
}

static dd
test_icmp(const struct tester *t, uint32_t want)
{
	uint32_t type = want & 0xffff, code = want >> 16;
	dd icmp = icmp_whole(t->x), f = DD_TRUE, part;

	if (type != 0) {
		part = field_is(t->x, F_TYPE, type - 1);
		dd_and_to(&f, part);
		dd_drop(part);
	}
	if (code != 0) {
		part = field_is(t->x, F_CODE, code - 1);
		dd_and_to(&f, part);
		dd_drop(part);
	}
	part = dd_not(icmp);
	dd_or_to(&f, part);
	dd_drop(part);
	dd_drop(icmp);
	return f;
}

/* Answers are told from queries as the engine does (icmp_map.c). */
dd
no_answer_set(const struct pfk_exact *x)
{
	static const uint8_t answers4[] = { 0, 14, 16, 18, 34, 36, 9 };
	static const uint8_t answers6[] = { 129, 140, 200 };
	dd bad = DD_FALSE, one, icmp = icmp_whole(x);

	for (size_t i = 0; i < sizeof(answers4) + sizeof(answers6); i++) {
		bool six = i >= sizeof(answers4);

		one = field_is(x, F_TYPE, six ?
		    answers6[i - sizeof(answers4)] : answers4[i]);
		dd_and_to(&one, six ? x->icmp6 : x->icmp);
		dd_or_to(&bad, one);
		dd_drop(one);
	}
	dd_and_to(&bad, icmp);
	dd_drop(icmp);
	dd_to(&bad, dd_not(bad));
	return bad;
}

static dd
test_rdomain(const struct tester *t, uint32_t id)
{
	dd f = DD_FALSE, one;

	for (size_t i = 0; i <= t->x->ifaces.n; i++) {
		const struct pfk_interface *ifp = t->xi->ifs[i];

		if ((ifp != NULL ? ifp->rdomain : 0) != id)
			continue;
		one = field_is(t->x, F_IF, (uint32_t)i);
		dd_or_to(&f, one);
		dd_drop(one);
	}
	return f;
}

/* Nobody knows the socket: of `=' and `!=' one holds. */
static dd
test_owner(const struct tester *t, const char *what, const uint32_t *pc)
{
	char name[64];
	unsigned op = insn_a(*pc);
	dd f;

	snprintf(name, sizeof(name), "%u %u %u", op == IMG_OP_NE ? IMG_OP_EQ :
	    op, pc[2], pc[3]);
	f = ask(t, what, name);
	if (op == IMG_OP_NE)
		dd_to(&f, dd_not(f));
	return or_portless(t, f);
}

/* A SYN of that system; other protocols fit. */
static dd
test_os(const struct tester *t)
{
	static const uint8_t syn = TCP_SYN, both = TCP_SYN | TCP_ACK;
	dd f = ask(t, "the operating system",
	    image_string(t->xi->im, rule_of(t)->os));
	dd first = field_bits(t->x, F_FLAGS, &syn, &both, 1);
	dd other = dd_not(t->x->tcp);

	dd_and_to(&f, first);
	dd_or_to(&f, other);
	dd_drop(first);
	dd_drop(other);
	return f;
}

static dd
test_tagged(const struct tester *t)
{
	const struct img_rule *r = rule_of(t);
	uint32_t tag = t->c != NULL ? t->c->tag : 0;

	return (tag == r->match_tag) !=
	    ((r->flags & IMG_R_MATCH_TAG_NOT) != 0) ? DD_TRUE : DD_FALSE;
}

static dd
negated(dd f, bool neg)
{
	if (neg)
		dd_to(&f, dd_not(f));
	return f;
}

static dd
test_head(const struct tester *t, const uint32_t *pc)
{
	const struct pfk_image *im = t->xi->im;
	unsigned a = insn_a(*pc);

	switch ((unsigned)insn_op(*pc)) {
	case OP_IFACE:
		return negated(interface_set(t->x, t->xi, F_IF,
		    image_string(im, rule_of(t)->ifname)), a != 0);
	case OP_RCVIF:
		return negated(interface_set(t->x, t->xi, F_RECEIVED,
		    image_string(im, rule_of(t)->rcv_ifname)), a != 0);
	case OP_DIR:
		return field_is(t->x, F_DIR, a == IMG_OUT);
	case OP_RDOMAIN:
		return negated(test_rdomain(t, pc[2]), a != 0);
	case OP_AF:
		return negated(dd_keep(t->x->v4), a == PFK_AF_INET6);
	case OP_PROTO:
		return field_is(t->x, F_PROTO, a);
	case OP_TOS:
		return field_is(t->x, F_TOS, a);
	case OP_PRIO:
		return field_is(t->x, F_PRIO, a);
	case OP_WHOLE:
		return field_is(t->x, F_FRAGMENT, 0);
	default:
		return field_is(t->x, F_FRAGMENT, 1);
	}
}

static dd
test(const struct tester *t, const uint32_t *pc)
{
	switch (insn_op(*pc)) {
	case OP_IFACE: case OP_RCVIF: case OP_DIR: case OP_RDOMAIN: case OP_AF:
	case OP_PROTO: case OP_TOS: case OP_PRIO: case OP_WHOLE:
	case OP_FRAGMENT:
		return test_head(t, pc);
	case OP_ADDR4: case OP_ADDR6: case OP_RANGE4: case OP_RANGE6:
	case OP_TABLE: case OP_IFADDR: case OP_NOROUTE: case OP_URPF:
	case OP_RTLABEL:
		return test_addr(t, pc);
	case OP_PORT:
		return test_port(t, pc);
	case OP_FLAGS:
		return test_flags(t, insn_a(*pc), insn_b(*pc));
	case OP_ICMP:
		return test_icmp(t, pc[2]);
	case OP_QUERY:
		return no_answer_set(t->x);
	case OP_OS:
		return test_os(t);
	case OP_USER:
		return test_owner(t, "the user of the socket", pc);
	case OP_GROUP:
		return test_owner(t, "the group of the socket", pc);
	case OP_PROB:
		return ask(t, "the probability of", rule_text(t, t->rule));
	case OP_RATE:
		return negated(ask(t, "too high a rate of packets for",
		    rule_text(t, t->rule)), true);
	case OP_TAGGED:
		return test_tagged(t);
	case OP_END: case OP_RULE: case OP_BLOCK: case OP_DECIDE:
	case OP_MATCH: case OP_CALL: case OP_COUNT:
		break;
	}
	return DD_FALSE;
}

static bool
ends_rule(enum op op)
{
	return op == OP_DECIDE || op == OP_MATCH || op == OP_CALL ||
	    op == OP_END;
}

/* Tests whose answer a context can change. */
static bool
depends_on_context(enum op op)
{
	switch ((unsigned)op) {
	case OP_ADDR4: case OP_ADDR6: case OP_RANGE4: case OP_RANGE6:
	case OP_TABLE: case OP_IFADDR: case OP_NOROUTE: case OP_URPF:
	case OP_RTLABEL: case OP_PORT: case OP_TAGGED:
		return true;
	default:
		return false;
	}
}

dd
tests_of_rule(struct pfk_exact *x, struct ximage *xi, uint32_t rule,
    const struct context *c, bool open, bool contextual)
{
	const struct tester t = { x, xi, rule, c, open };
	const uint32_t *pc = xi->code[rule];
	dd set = DD_TRUE, one;

	if (pc == NULL)
		return DD_FALSE;
	for (;;) {
		pc += op_info[insn_op(*pc)].length;
		if (ends_rule(insn_op(*pc)))
			break;
		if (insn_op(*pc) == OP_BLOCK ||
		    depends_on_context(insn_op(*pc)) != contextual)
			continue;
		one = test(&t, pc);
		dd_and_to(&set, one);
		dd_drop(one);
	}
	return set;
}
