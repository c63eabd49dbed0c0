/*
 * What the makers of strips and of their classes share: how a rule's
 * instructions are read.
 */
#ifndef RUNTIME_STRIP_INT_H
#define RUNTIME_STRIP_INT_H

#include "runtime/bytecode.h"
#include "runtime/strip.h"

/* An instruction's place in a rule; each once, but for some. */
enum rank { RANK_HEAD, RANK_SRC, RANK_DST, RANK_TYPE, RANK_FLAGS, RANK_SPORT,
    RANK_DPORT, RANK_OWNER, RANK_ICMP, RANK_END, RANK_NONE };

static inline enum rank
rank(const uint32_t *w)
{
	bool dst = insn_b(*w) != 0;

	switch ((int)insn_op(*w)) {
	case OP_IFACE: case OP_DIR: case OP_RDOMAIN: case OP_AF: case OP_PROTO:
		return RANK_HEAD;
	case OP_ADDR4: case OP_ADDR6: case OP_TABLE: case OP_IFADDR:
	case OP_NOROUTE: case OP_URPF: case OP_RTLABEL:
		return dst ? RANK_DST : RANK_SRC;
	case OP_WHOLE:
		return RANK_TYPE;
	case OP_FLAGS:
		return RANK_FLAGS;
	case OP_PORT:
		return dst ? RANK_DPORT : RANK_SPORT;
	case OP_USER: case OP_GROUP:
		return RANK_OWNER;
	case OP_ICMP: case OP_QUERY:
		return RANK_ICMP;
	case OP_DECIDE: case OP_MATCH: case OP_CALL:
		return RANK_END;
	default:
		return RANK_NONE;
	}
}

static inline const uint32_t *
next_insn(const uint32_t *w)
{
	return w + op_info[insn_op(*w)].length;
}

/* The row that begins there, perhaps with a BLOCK before it. */
static inline uint8_t
row_at(const struct strip *s, uint32_t pc)
{
	uint32_t block = op_info[OP_BLOCK].length;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->row[i] == pc || (s->row[i] == pc + block &&
		    insn_op(s->pc[pc]) == OP_BLOCK))
			return (uint8_t)i;
	return STRIP_MAX;
}

#endif
