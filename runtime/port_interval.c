/*
 * The ports that an instruction means, as an interval.
 */
#include "runtime/bytecode.h"
#include "runtime/rules_int.h"

bool
port_interval(const uint32_t *w, uint16_t *low, uint16_t *high)
{
	uint32_t a = w[2] & 0xffff, b = w[2] >> 16, from = 1, to = 0;
	unsigned op = insn_a(*w);

	switch ((int)op) {
	case IMG_OP_EQ: case IMG_OP_NE:
		from = to = a;
		break;
	case IMG_OP_RRG: case IMG_OP_XRG:
		from = a;
		to = b;
		break;
	case IMG_OP_IRG:
		if (b > 0) {
			from = a + 1;
			to = b - 1;
		}
		break;
	case IMG_OP_LT:
		if (a > 0) {
			from = 0;
			to = a - 1;
		}
		break;
	case IMG_OP_LE:
		from = 0;
		to = a;
		break;
	case IMG_OP_GT: case IMG_OP_GE:
		from = a + (op == IMG_OP_GT);
		to = UINT16_MAX;
		break;
	}
	if (from > to || from > UINT16_MAX)
		from = 1, to = 0;
	*low = (uint16_t)from;
	*high = (uint16_t)to;
	return op == IMG_OP_NE || op == IMG_OP_XRG;
}
