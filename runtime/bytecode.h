/*
 * Instructions: how they lie in IMG_CODE.
 *
 * Code is an array of 32-bit words; each anchor has a stretch of its own,
 * which begins at img_anchor.code.  An instruction is one word and as many
 * operand words as ops.def says.
 *
 *	 31            16 15     8 7      0
 *	+----------------+--------+--------+
 *	|       b        |   a    |   op   |	always
 *	+----------------+--------+--------+
 *	|        distance of the jump      |	tests: from this instruction on,
 *	+----------------------------------+	in words, never 0: forward only
 *	|        constants ...             |
 *	+----------------------------------+
 *
 * A rule is RULE, its tests in the order in which pf makes them, and what it
 * does:
 *
 *	rule    @12    -> L2		pass in quick on em0 inet proto tcp
 *	iface          -> L7		    from 10.0.0.0/8 to any port 22
 *	dir     in     -> L3		(L7, L3 ... are where pf's skip steps
 *	af      inet   -> L3		 lead: the next rule that differs in
 *	proto   6      -> L3		 this field)
 *	addr4   src 10.0.0.0/8 -> L2
 *	port    dst = 22 -> L2
 *	decide  quick
 *	L2: rule @13 ...
 *
 * A BLOCK stands before the first of many rules that do nothing before they
 * decide, which follow it
 * as they would without it; an engine makes a classifier of them (block.c).
 *
 * Jumps lead to RULE, BLOCK or END only, so that every test has its rule.
 * What a test needs beyond constants (the number of an interface, of a table,
 * of a tag) is known only to an engine, which keeps it with the rule.
 */
#ifndef RUNTIME_BYTECODE_H
#define RUNTIME_BYTECODE_H

#include <stdint.h>

enum op {
#define OP(id, name, operands, text)	OP_##id,
#include "runtime/ops.def"
#undef OP
	OP_COUNT
};

struct op_info {
	const char	*name;
	const char	*operands;	/* letters of ops.def */
	const char	*text;
	uint8_t		 length;	/* in words */
};
extern const struct op_info op_info[OP_COUNT];

/* Calls of anchors inside of each other, as pf: one more drops the packet. */
#define CALL_DEPTH	63

static inline uint32_t
insn(enum op op, unsigned a, unsigned b)
{
	return (uint32_t)op | (uint32_t)(a & 0xff) << 8 |
	    (uint32_t)(b & 0xffff) << 16;
}

static inline enum op
insn_op(uint32_t w)
{
	return (enum op)(w & 0xff);
}

static inline uint8_t
insn_a(uint32_t w)
{
	return (uint8_t)(w >> 8);
}

static inline uint16_t
insn_b(uint32_t w)
{
	return (uint16_t)(w >> 16);
}

#endif
