/*
 * The instruction set as a table.
 */
#include "runtime/bytecode.h"

const struct op_info op_info[OP_COUNT] = {
	/* one word for `a` and `b`, one for each letter after theirs */
#define OP(id, name, operands, text) \
	{ name, operands, text, (uint8_t)(sizeof(operands) - 2) },
#include "runtime/ops.def"
#undef OP
};
