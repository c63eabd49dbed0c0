/*
 * Verifying an image: instructions.
 *
 * One pass over the code of an anchor, from its first word to its last.  An
 * instruction must be whole and its operands of the kinds that ops.def names.
 * A jump is remembered in a bitmap as a word that must turn out to begin a
 * RULE, a BLOCK or the END; since jumps lead forward, all of them are known
 * when their target is reached.  So code that passes runs to an END in at most as many
 * steps as it has instructions.
 *
 * Tests refer to "the rule" of the last RULE; it must have what they ask for.
 * After the rule has acted there is none, until the next RULE.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/bytecode.h"
#include "runtime/image.h"

struct code_verifier {
	const struct pfk_image *im;
	char		*errbuf;
	uint8_t		*targets;	/* a bit for each word of the code */
	uint32_t	 anchor;
	uint32_t	 pc;		/* of the instruction, in the section */
	uint32_t	 end;		/* of the anchor's code */
	const struct img_rule *rule;	/* or NULL */
};

static bool
refuse(struct code_verifier *v, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(v->errbuf, PFK_IMAGE_ERRLEN, "instruction at %u: ",
	    v->pc);
	if (n < 0 || n >= PFK_IMAGE_ERRLEN)
		return false;
	va_start(ap, fmt);
	(void)vsnprintf(v->errbuf + n, PFK_IMAGE_ERRLEN - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static bool
is_target(const struct code_verifier *v, uint32_t pc)
{
	return v->targets[pc / 8] >> (pc % 8) & 1;
}

/* The field `a` or `b` of the first word. */
static bool
check_small(struct code_verifier *v, char letter, unsigned value)
{
	bool good = false;

	switch (letter) {
	case '-':
		good = value == 0;
		break;
	case 'n':
	case 'q':
	case 's':
		good = value <= 1;
		break;
	case 'd':
		good = value == IMG_IN || value == IMG_OUT;
		break;
	case 'f':
		good = value == PFK_AF_INET || value == PFK_AF_INET6;
		break;
	case 'o':
		good = value > IMG_OP_NONE && value <= IMG_OP_RRG;
		break;
	case 'v':
		good = true;
		break;
	default:
		break;
	}
	return good || refuse(v, "an operand is %u", value);
}

static bool
check_jump(struct code_verifier *v, uint32_t distance)
{
	uint32_t target;

	if (distance == 0 || distance >= v->end - v->pc)
		return refuse(v, "the jump leads outside");
	target = v->pc + distance;
	v->targets[target / 8] = (uint8_t)(v->targets[target / 8] |
	    1u << (target % 8));
	return true;
}

static bool
check_word(struct code_verifier *v, char letter, uint32_t w)
{
	const struct img_anchor *a = &v->im->anchors[v->anchor];

	if (letter == 'J')
		return check_jump(v, w);
	if (letter == 'R' && (w < a->rule0 || w - a->rule0 >= a->nrules))
		return refuse(v, "rule %u is not the anchor's", w);
	return true;
}

static bool
check_operands(struct code_verifier *v, const uint32_t *w,
    const struct op_info *info)
{
	if (!check_small(v, info->operands[0], insn_a(w[0])) ||
	    !check_small(v, info->operands[1], insn_b(w[0])))
		return false;
	for (unsigned i = 1; i < info->length; i++)
		if (!check_word(v, info->operands[i + 1], w[i]))
			return false;
	return true;
}

/* Whether the rule has what the instruction asks it for. */
static bool
rule_has(const struct img_rule *r, enum op op, unsigned side)
{
	const struct img_addr *addr = side == 0 ? &r->src : &r->dst;
	bool anchor = (r->flags & IMG_R_ANCHOR) != 0;

	switch (op) {
	case OP_IFACE:
		return r->ifname != 0;
	case OP_TABLE:
		return addr->kind == IMG_ADDR_TABLE;
	case OP_IFADDR:
		return addr->kind == IMG_ADDR_DYNAMIC;
	case OP_RTLABEL:
		return addr->kind == IMG_ADDR_ROUTE_LABEL;
	case OP_OS:
		return r->os != 0;
	case OP_TAGGED:
		return r->match_tag != 0;
	case OP_RCVIF:
		return r->rcv_ifname != 0;
	case OP_RATE:
		return r->pktrate[0] != 0;
	case OP_DECIDE:
		return !anchor && r->action != IMG_MATCH;
	case OP_MATCH:
		return !anchor && r->action == IMG_MATCH;
	case OP_CALL:
		return anchor;
	case OP_END: case OP_RULE: case OP_DIR: case OP_RDOMAIN: case OP_AF:
	case OP_PROTO: case OP_ADDR4: case OP_ADDR6: case OP_RANGE4:
	case OP_RANGE6: case OP_NOROUTE: case OP_URPF: case OP_WHOLE:
	case OP_FLAGS: case OP_PORT: case OP_USER: case OP_GROUP:
	case OP_ICMP: case OP_QUERY: case OP_FRAGMENT: case OP_TOS:
	case OP_PROB: case OP_PRIO: case OP_BLOCK: case OP_COUNT:
		break;
	}
	return true;
}

static bool
block_fits(const struct code_verifier *v, uint32_t first, uint32_t n)
{
	const struct img_anchor *a = &v->im->anchors[v->anchor];

	return n > 0 && n <= a->nrules - (first - a->rule0);
}

static bool
check_instruction(struct code_verifier *v)
{
	const uint32_t *w = v->im->code + v->pc;
	enum op op = insn_op(w[0]);
	bool begins = op == OP_RULE || op == OP_END || op == OP_BLOCK;
	bool acts = op == OP_DECIDE || op == OP_MATCH || op == OP_CALL;

	if (op >= OP_COUNT)
		return refuse(v, "there is no such instruction");
	if (op_info[op].length > v->end - v->pc)
		return refuse(v, "it is cut off");
	if (is_target(v, v->pc) && !begins)
		return refuse(v, "a jump leads into the middle of a rule");
	if (!begins && v->rule == NULL)
		return refuse(v, "it belongs to no rule");
	if (!check_operands(v, w, &op_info[op]))
		return false;
	if (!begins && !rule_has(v->rule, op, insn_b(w[0])))
		return refuse(v, "the rule does not have what it asks for");
	if (op == OP_END && v->pc + 1 != v->end)
		return refuse(v, "the code ends too early");
	if (op == OP_BLOCK && !block_fits(v, w[2], w[3]))
		return refuse(v, "the block has other rules");
	if (op == OP_RULE)
		v->rule = &v->im->rules[w[2]];
	else if (acts || begins)
		v->rule = NULL;
	return true;
}

/* A target inside of an instruction would never be looked at otherwise. */
static bool
check_inside(struct code_verifier *v, uint32_t length)
{
	for (uint32_t i = 1; i < length; i++)
		if (is_target(v, v->pc + i))
			return refuse(v, "a jump leads into it");
	return true;
}

static bool
check_anchor_code(struct code_verifier *v)
{
	const struct img_anchor *a = &v->im->anchors[v->anchor];
	enum op last = OP_COUNT;

	v->pc = a->code;
	v->end = a->code + a->ncode;
	v->rule = NULL;
	while (v->pc < v->end) {
		if (!check_instruction(v))
			return false;
		last = insn_op(v->im->code[v->pc]);
		if (!check_inside(v, op_info[last].length))
			return false;
		v->pc += op_info[last].length;
	}
	return last == OP_END || refuse(v, "the code does not end");
}

bool
image_verify_code(const struct pfk_image *im, char errbuf[PFK_IMAGE_ERRLEN])
{
	struct code_verifier v = { .im = im, .errbuf = errbuf };
	size_t size = im->ncode / 8 + 1;
	bool good = true;

	v.targets = im->alloc.fn(im->alloc.ctx, NULL, 0, size);
	if (v.targets == NULL) {
		(void)snprintf(errbuf, PFK_IMAGE_ERRLEN, "out of memory");
		return false;
	}
	memset(v.targets, 0, size);
	for (v.anchor = 0; good && v.anchor < im->nanchors; v.anchor++)
		good = check_anchor_code(&v);
	(void)im->alloc.fn(im->alloc.ctx, v.targets, size, 0);
	return good;
}
