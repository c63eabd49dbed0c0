/*
 * From rules to instructions: rule after rule, each with its
 * tests in pf's order, so that chance is asked and rates are counted exactly
 * when pf would.
 *
 * A test that fails jumps: on one of the nine fields that have skip steps to
 * the next rule that differs there, on any other to the next rule.  Jumps are
 * first noted and given their distance when all rules have their place.
 *
 * That is the plain lowering.  The fast one puts a BLOCK before the first of
 * many rules of one kind; the rules stay, for packets that need them.
 */
#include "compiler/image_write.h"

#include <string.h>

#include "runtime/bytecode.h"

enum { SRC, DST };			/* sides, as in `b` of a test */
/* Protocols whose headers rules ask about (IANA's numbers). */
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_ICMPV6 = 58 };

/* Rules that are worth a look-up; below that they are asked in turn. */
#define BLOCK_MIN	8

struct fixup { uint32_t insn, rule; };	/* code index; local rule, or n: END */

struct lower {
	struct image_writer *w;
	const struct img_rule *rules;	/* of the anchor */
	uint32_t	 rule0, n;	/* in IMG_RULES; how many */
	uint32_t	 here;		/* the rule, counted from rule0 */
	uint32_t	 block_end;	/* rules up to here are in a block */
	const struct skip_steps *skip;
	uint32_t	*place;		/* code index of each rule, and END */
	VEC(struct fixup) fixups;
};

static void
emit(struct lower *l, uint32_t word)
{
	vec_push(l->w->arena, &l->w->code, word);
}

/* The first two words of a test; `to` is a rule of the anchor. */
static void
emit_test(struct lower *l, enum op op, unsigned a, unsigned b, uint32_t to)
{
	const struct fixup f = { (uint32_t)l->w->code.n, to };

	vec_push(l->w->arena, &l->fixups, f);
	emit(l, insn(op, a, b));
	emit(l, 0);
}

/* A test that fails into the next rule. */
static void
emit_next(struct lower *l, enum op op, unsigned a, unsigned b)
{
	emit_test(l, op, a, b, l->here + 1);
}

static void
emit_skip(struct lower *l, enum op op, unsigned a, unsigned b, enum skip field)
{
	emit_test(l, op, a, b, l->skip[l->here].next[field]);
}

static void
emit_addr_words(struct lower *l, const struct pfk_addr *a, size_t words)
{
	uint32_t v[4];

	memcpy(v, a, sizeof(v));
	for (size_t i = 0; i < words; i++)
		emit(l, v[i]);
}

/* Words of an address that matter: 1 or 4. */
static size_t
addr_words(const struct img_rule *r, const struct img_addr *a)
{
	uint8_t af = r->af != 0 ? r->af : a->af;

	return af == PFK_AF_INET ? 1 : 4;
}

static void
lower_addr_pair(struct lower *l, const struct img_rule *r,
    const struct img_addr *a, unsigned side, enum skip field)
{
	size_t words = addr_words(r, a);
	enum op op = a->kind == IMG_ADDR_RANGE ?
	    (words == 1 ? OP_RANGE4 : OP_RANGE6) :
	    (words == 1 ? OP_ADDR4 : OP_ADDR6);

	emit_skip(l, op, a->neg, side, field);
	emit_addr_words(l, &a->addr, words);
	emit_addr_words(l, &a->mask, words);
}

static void
lower_addr(struct lower *l, const struct img_rule *r, unsigned side)
{
	static const struct pfk_addr zero;
	const struct img_addr *a = side == SRC ? &r->src : &r->dst;
	enum skip field = side == SRC ? SKIP_SRC : SKIP_DST;

	switch ((enum img_addrkind)a->kind) {
	case IMG_ADDR_ANY:
	case IMG_ADDR_NONE:
	case IMG_ADDR_MASK:
		/* all addresses: only `! any` is a test, which fits none */
		if (a->neg || memcmp(&a->mask, &zero, sizeof(zero)) != 0)
			lower_addr_pair(l, r, a, side, field);
		break;
	case IMG_ADDR_RANGE:
		lower_addr_pair(l, r, a, side, field);
		break;
	case IMG_ADDR_TABLE:
		emit_skip(l, OP_TABLE, a->neg, side, field);
		break;
	case IMG_ADDR_DYNAMIC:
		emit_skip(l, OP_IFADDR, a->neg, side, field);
		break;
	case IMG_ADDR_NO_ROUTE:
		emit_skip(l, OP_NOROUTE, a->neg, side, field);
		break;
	case IMG_ADDR_URPF_FAILED:
		emit_skip(l, OP_URPF, a->neg, side, field);
		break;
	case IMG_ADDR_ROUTE_LABEL:
		emit_skip(l, OP_RTLABEL, a->neg, side, field);
		break;
	}
}

/* The fields with skip steps that every packet has. */
static void
lower_head(struct lower *l, const struct img_rule *r)
{
	bool ifnot = (r->flags & IMG_R_IFNOT) != 0;

	if (r->ifname != 0)
		emit_skip(l, OP_IFACE, ifnot, 0, SKIP_IFACE);
	if (r->direction != IMG_INOUT)
		emit_skip(l, OP_DIR, r->direction, 0, SKIP_DIR);
	if (r->onrdomain >= 0) {
		emit_skip(l, OP_RDOMAIN, ifnot, 0, SKIP_RDOMAIN);
		emit(l, (uint32_t)r->onrdomain);
	}
	if (r->af != 0)
		emit_skip(l, OP_AF, r->af, 0, SKIP_AF);
	if (r->proto != 0)
		emit_skip(l, OP_PROTO, r->proto, 0, SKIP_PROTO);
	lower_addr(l, r, SRC);
	lower_addr(l, r, DST);
}

static bool
may_be(const struct img_rule *r, uint8_t proto)
{
	return r->proto == 0 || r->proto == proto;
}

static void
lower_ports(struct lower *l, const struct img_rule *r)
{
	if (r->src_port_op != IMG_OP_NONE) {
		emit_skip(l, OP_PORT, r->src_port_op, SRC, SKIP_SRC_PORT);
		emit(l, r->src_port[0] | (uint32_t)r->src_port[1] << 16);
	}
	if (r->dst_port_op != IMG_OP_NONE) {
		emit_skip(l, OP_PORT, r->dst_port_op, DST, SKIP_DST_PORT);
		emit(l, r->dst_port[0] | (uint32_t)r->dst_port[1] << 16);
	}
}

static void
lower_owner(struct lower *l, enum op op, uint8_t rule_op,
    const uint32_t ids[2])
{
	if (rule_op == IMG_OP_NONE)
		return;
	emit_next(l, op, rule_op, 0);
	emit(l, ids[0]);
	emit(l, ids[1]);
}

/* What depends on the protocol's own header. */
static void
lower_transport(struct lower *l, const struct img_rule *r)
{
	bool sloppy = (r->flags & IMG_R_SLOPPY) != 0;

	if (r->src_port_op != 0 || r->dst_port_op != 0 || r->icmp_type != 0 ||
	    r->icmp_code != 0 || r->uid_op != 0 || r->gid_op != 0)
		emit_next(l, OP_WHOLE, 0, 0);
	if ((r->tcp_flagset != 0 || r->tcp_flags != 0) &&
	    may_be(r, PROTO_TCP))
		emit_next(l, OP_FLAGS, r->tcp_flags, r->tcp_flagset);
	if (r->os != 0 && may_be(r, PROTO_TCP))
		emit_next(l, OP_OS, 0, 0);
	lower_ports(l, r);
	lower_owner(l, OP_USER, r->uid_op, r->uid);
	lower_owner(l, OP_GROUP, r->gid_op, r->gid);
	if (r->icmp_type != 0 || r->icmp_code != 0) {
		emit_next(l, OP_ICMP, 0, 0);
		emit(l, r->icmp_type | (uint32_t)r->icmp_code << 16);
	}
	if (r->keep_state != IMG_NO_STATE && !sloppy &&
	    (may_be(r, PROTO_ICMP) || may_be(r, PROTO_ICMPV6)))
		emit_next(l, OP_QUERY, 0, 0);
}

static void
lower_rest(struct lower *l, const struct img_rule *r)
{
	if (r->flags & IMG_R_FRAGMENT)
		emit_next(l, OP_FRAGMENT, 0, 0);
	if (r->tos != 0)
		emit_next(l, OP_TOS, r->tos, 0);
	if (r->prob != 0) {
		emit_next(l, OP_PROB, 0, 0);
		emit(l, r->prob);
	}
	if (r->match_tag != 0)
		emit_next(l, OP_TAGGED,
		    (r->flags & IMG_R_MATCH_TAG_NOT) != 0, 0);
	if (r->rcv_ifname != 0)
		emit_next(l, OP_RCVIF, (r->flags & IMG_R_RCVIFNOT) != 0, 0);
	if (r->prio != 0)
		emit_next(l, OP_PRIO, r->prio == RULE_PRIO_ZERO ? 0 : r->prio,
		    0);
	if (r->pktrate[0] != 0)
		emit_next(l, OP_RATE, 0, 0);
}

/* A block begins with the rule, if enough follow that are of its kind. */
static void
lower_block(struct lower *l)
{
	uint32_t n = image_block_length(&l->rules[l->here], l->n - l->here);

	l->block_end = l->here + n;
	if (n < BLOCK_MIN)
		return;
	emit_test(l, OP_BLOCK, 0, 0, l->block_end);
	emit(l, l->rule0 + l->here);
	emit(l, n);
}

static void
lower_rule(struct lower *l)
{
	const struct img_rule *r = &l->rules[l->here];
	enum op op = r->flags & IMG_R_ANCHOR ? OP_CALL :
	    r->action == IMG_MATCH ? OP_MATCH : OP_DECIDE;

	l->place[l->here] = (uint32_t)l->w->code.n;
	if (l->w->blocks && l->here >= l->block_end)
		lower_block(l);
	emit_next(l, OP_RULE, 0, 0);
	emit(l, l->rule0 + l->here);
	lower_head(l, r);
	lower_transport(l, r);
	lower_rest(l, r);
	emit(l, insn(op, (r->flags & IMG_R_QUICK) != 0, 0));
}

void
lower_code(struct image_writer *w, uint32_t anchor)
{
	struct img_anchor *a = &w->anchors.v[anchor];
	struct lower l = { .w = w, .rule0 = a->rule0, .n = a->nrules };

	l.rules = l.n != 0 ? w->rules.v + a->rule0 : NULL;
	l.skip = skip_steps(w->arena, l.rules, l.n);
	l.place = arena_alloc(w->arena, ((size_t)l.n + 1) * sizeof(*l.place));
	a->code = (uint32_t)w->code.n;
	for (l.here = 0; l.here < l.n; l.here++)
		lower_rule(&l);
	l.place[l.n] = (uint32_t)w->code.n;
	emit(&l, insn(OP_END, 0, 0));
	a->ncode = (uint32_t)w->code.n - a->code;
	for (size_t i = 0; i < l.fixups.n; i++) {
		const struct fixup *f = &l.fixups.v[i];

		w->code.v[f->insn + 1] = l.place[f->rule] - f->insn;
	}
}
