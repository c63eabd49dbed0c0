/*
 * The disassembly of an image.
 *
 *	; main ruleset: 2 rules, 17 words
 *	    0  rule      @0 -> 9		; block drop all
 *	    3  decide
 *
 * Numbers on the left and behind arrows are words from where the anchor's code
 * begins.  Operands are printed by their letter in ops.def; a few
 * instructions have a form of their own, because constants mean more to a
 * reader as addresses and ports.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/bytecode.h"
#include "runtime/image.h"

/* Text that grows; `bad` once memory is out. */
struct text {
	const struct pfk_image *im;
	char		*s;
	size_t		 len, cap;
	bool		 bad;
};

static bool
text_room(struct text *t, size_t n)
{
	size_t cap = t->cap == 0 ? 4096 : t->cap;
	char *s;

	if (t->bad || n < t->cap - t->len)
		return !t->bad;
	while (cap - t->len <= n)
		cap *= 2;
	s = t->im->alloc.fn(t->im->alloc.ctx, t->s, t->cap, cap);
	if (s == NULL) {
		t->bad = true;
		return false;
	}
	t->s = s;
	t->cap = cap;
	return true;
}

static void add(struct text *, const char *, ...)
    __attribute__((__format__(__printf__, 2, 3)));

static void
add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !text_room(t, (size_t)n + 1))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(t->s + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

static const char *
family_name(unsigned af)
{
	return af == PFK_AF_INET ? "inet" : "inet6";
}

static const char *const op_signs[] = { "", "><", "<>", "=", "!=", "<", "<=",
    ">", ">=", ":" };

static void
add_small(struct text *t, char letter, unsigned value)
{
	switch (letter) {
	case 'n':
		add(t, "%s", value ? " not" : "");
		break;
	case 'q':
		add(t, "%s", value ? " quick" : "");
		break;
	case 's':
		add(t, "%s", value ? " dst" : " src");
		break;
	case 'd':
		add(t, "%s", value == IMG_IN ? " in" : " out");
		break;
	case 'f':
		add(t, " %s", family_name(value));
		break;
	case 'o':
		add(t, " %s", op_signs[value]);
		break;
	case 'v':
		add(t, " %u", value);
		break;
	default:
		break;
	}
}

/* Two addresses from constants: address and mask, or the ends of a range. */
static void
add_addresses(struct text *t, enum op op, const uint32_t *w)
{
	enum pfk_af af = op == OP_ADDR4 || op == OP_RANGE4 ? PFK_AF_INET :
	    PFK_AF_INET6;
	bool range = op == OP_RANGE4 || op == OP_RANGE6;
	size_t words = af == PFK_AF_INET ? 1 : 4;
	char first[PFK_ADDRSTRLEN], second[PFK_ADDRSTRLEN];
	struct pfk_addr a, b;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memcpy(&a, w, words * 4);
	memcpy(&b, w + words, words * 4);
	(void)addr_format(&a, af, first);
	if (!range && addr_mask_contiguous(&b, af))
		add(t, " %s/%u", first, addr_mask_bits(&b));
	else
		add(t, " %s %c %s", first, range ? '-' : '&',
		    addr_format(&b, af, second));
}

/* What the instruction takes from its rule. */
static void
add_rule_operand(struct text *t, const struct img_rule *r, enum op op,
    unsigned side)
{
	const struct pfk_image *im = t->im;
	const struct img_addr *a = side == 0 ? &r->src : &r->dst;

	if (op == OP_IFACE)
		add(t, " %s", image_string(im, r->ifname));
	else if (op == OP_RCVIF)
		add(t, " %s", image_string(im, r->rcv_ifname));
	else if (op == OP_TABLE)
		add(t, " <%s>", image_string(im, im->tables[a->ref].name));
	else if (op == OP_IFADDR || op == OP_RTLABEL)
		add(t, " %s", image_string(im, a->ref));
	else if (op == OP_TAGGED)
		add(t, " %s", image_string(im, r->match_tag));
	else if (op == OP_OS)
		add(t, " \"%s\"", image_string(im, r->os));
	else if (op == OP_RATE)
		add(t, " %u/%u", r->pktrate[0], r->pktrate[1]);
	else if (op == OP_CALL)
		add(t, " %s%s", image_string(im, im->anchors[r->call].path),
		    r->flags & IMG_R_WILDCARD ? "/*" : "");
}

static void
add_words(struct text *t, const struct op_info *info, const uint32_t *w)
{
	for (unsigned i = 1; i < info->length; i++) {
		if (info->operands[i + 1] == 'p' && (w[i] >> 16) != 0)
			add(t, " %u %u", w[i] & 0xffff, w[i] >> 16);
		else if (info->operands[i + 1] == 'p')
			add(t, " %u", w[i] & 0xffff);
		else if (info->operands[i + 1] == 'R')
			add(t, " @%u", t->im->rules[w[i]].nr);
		else if (info->operands[i + 1] == 'x')
			add(t, " %u", w[i]);
	}
}

/* The instruction at pc of the anchor's code; returns its length. */
static uint32_t
add_instruction(struct text *t, const uint32_t *code, uint32_t pc,
    const struct img_rule **rule)
{
	const uint32_t *w = code + pc;
	enum op op = insn_op(w[0]);
	const struct op_info *info = &op_info[op];
	size_t start = t->len;

	if (op == OP_RULE)
		*rule = &t->im->rules[w[2]];
	add(t, "%6u  %-8s", pc, info->name);
	/* the side reads better before what is compared */
	if (info->operands[1] == 's')
		add_small(t, 's', insn_b(w[0]));
	add_small(t, info->operands[0], insn_a(w[0]));
	if (info->operands[1] != 's')
		add_small(t, info->operands[1], insn_b(w[0]));
	if (op >= OP_ADDR4 && op <= OP_RANGE6)
		add_addresses(t, op, w + 2);
	else
		add_words(t, info, w);
	if (*rule != NULL)
		add_rule_operand(t, *rule, op, insn_b(w[0]));
	while (t->len > start && t->s[t->len - 1] == ' ')
		t->len--;
	if (info->operands[2] == 'J')
		add(t, " -> %u", pc + w[1]);
	if (op == OP_RULE)
		add(t, "%*s; %s", t->len - start < 32 ?
		    (int)(32 - (t->len - start)) : 1, "",
		    image_string(t->im, (*rule)->text));
	add(t, "\n");
	return info->length;
}

static void
add_anchor(struct text *t, const struct img_anchor *a)
{
	const uint32_t *code = t->im->code + a->code;
	const struct img_rule *rule = NULL;

	if (a->path == 0)
		add(t, "; main ruleset: ");
	else
		add(t, "\n; anchor \"%s\": ", image_string(t->im, a->path));
	add(t, "%u rules, %u words\n", a->nrules, a->ncode);
	for (uint32_t pc = 0; pc < a->ncode;)
		pc += add_instruction(t, code, pc, &rule);
}

char *
pfk_image_disassemble(const struct pfk_image *im, size_t *len)
{
	struct text t = { .im = im };
	char *s;

	for (uint32_t i = 0; i < im->nanchors; i++)
		add_anchor(&t, &im->anchors[i]);
	/* pfk_image_free_text() finds the size again by the length */
	s = t.bad ? NULL : im->alloc.fn(im->alloc.ctx, t.s, t.cap, t.len + 1);
	if (s == NULL) {
		(void)im->alloc.fn(im->alloc.ctx, t.s, t.cap, 0);
		return NULL;
	}
	*len = t.len;
	return s;
}

void
pfk_image_free_text(const struct pfk_image *im, char *s)
{
	if (s != NULL)
		(void)im->alloc.fn(im->alloc.ctx, s, strlen(s) + 1, 0);
}
