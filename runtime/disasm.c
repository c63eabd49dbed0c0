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
 *
 * Where an engine looks rules up, or compares them side by side, instead of
 * asking one by one, a comment says how, and how much memory that takes.  For
 * that an engine is made, which knows no interfaces.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/bytecode.h"
#include "runtime/engine_int.h"
#include "runtime/strip.h"
#include "runtime/structures.h"

/* Text that grows; `bad` once memory is out. */
struct text {
	const struct pfk_image *im;
	const struct pfk_engine *e;
	char		*s;
	size_t		 len, cap;
	size_t		 made;		/* bytes of structures so far */
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

/* ---- what an engine makes of it ---- */

static void
add_structure(void *ctx, const struct structure *s)
{
	struct text *t = ctx;

	add(t, ";   %-28s %6u %-14s %10zu bytes\n", s->name, s->n, s->of,
	    s->bytes);
}

static void
add_sum(struct text *t, size_t bytes, size_t class)
{
	add(t, ";   %-50s %10zu bytes\n", "all of it", bytes);
	add(t, ";   %-50s %10zu bytes\n", "and for each kind of packet",
	    class);
	t->made += bytes;
}

/* In front of a BLOCK. */
static void
add_block(struct text *t, uint32_t rule, uint32_t n)
{
	const struct rt_rule *rr = &t->e->rules[rule];
	const struct block *b;

	if (rr->strip != 0)
		return;			/* it is told in front of the rule */
	if (rr->block == 0) {
		add(t, "; %u rules, asked one by one\n", n);
		return;
	}
	b = t->e->blocks[rr->block - 1];
	add(t, "; block of %u rules, looked up:\n", block_rules(b));
	add_sum(t, block_structures(b, add_structure, t),
	    block_class_size(b));
}

/* In front of a rule. */
static void
add_strip(struct text *t, uint32_t rule, const uint32_t *pc)
{
	const struct rt_rule *rr = &t->e->rules[rule];
	const struct strip *s;

	if (rr->strip == 0)
		return;
	s = t->e->strips[rr->strip - 1];
	if (s->first != rule || !strip_stands(s, 0, pc))
		return;
	add(t, "; strip of %u rules, compared side by side:\n", s->n);
	add_sum(t, strip_structures(s, add_structure, t),
	    strip_class_size());
}

static void
add_made(struct text *t, const uint32_t *w)
{
	if (insn_op(*w) == OP_BLOCK)
		add_block(t, w[2], w[3]);
	else if (insn_op(*w) == OP_RULE)
		add_strip(t, w[2], w);
}

/* ---- the code ---- */

/* The instruction at pc of the anchor's code; returns its length. */
static uint32_t
add_instruction(struct text *t, const uint32_t *code, uint32_t pc,
    const struct img_rule **rule)
{
	const uint32_t *w = code + pc;
	enum op op = insn_op(w[0]);
	const struct op_info *info = &op_info[op];
	size_t start;

	add_made(t, w);
	start = t->len;
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

static void
add_all(struct text *t)
{
	for (uint32_t i = 0; i < t->im->nanchors; i++)
		add_anchor(t, &t->im->anchors[i]);
	if (t->made != 0)
		add(t, "\n; blocks and strips: %zu bytes\n", t->made);
}

char *
pfk_image_disassemble(const struct pfk_image *im, size_t *len)
{
	struct pfk_engine_options o = { .image = im, .allocator = &im->alloc,
	    .debug = -1 };
	struct text t = { .im = im };
	struct pfk_engine *e;
	char *s;

	if (pfk_engine_new(&o, &e) != PFK_OK)
		return NULL;
	t.e = e;
	add_all(&t);
	pfk_engine_free(e);
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
