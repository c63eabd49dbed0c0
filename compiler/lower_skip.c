/*
 * pf's skip steps: for each rule and each of nine fields the next rule whose
 * field is different.  A rule that does not fit in a field sends the packet
 * there, and the rules between are not evaluated (nor counted).  What counts
 * as different is pf's business, not ours: interface and routing domain share
 * one negation, ports compare with their operator, tables and dynamic
 * addresses by what they refer to.
 */
#include "compiler/image_write.h"

#include <string.h>

static bool
addr_differs(const struct img_addr *a, const struct img_addr *b)
{
	static const struct pfk_addr zero;
	const struct img_addr *x[2] = { a, b };
	struct pfk_addr v[2][2];
	uint8_t kind[2];

	if (a->neg != b->neg)
		return true;
	for (unsigned i = 0; i < 2; i++) {	/* `any` is 0/0 to pf */
		bool any = x[i]->kind == IMG_ADDR_ANY;

		kind[i] = any ? IMG_ADDR_MASK : x[i]->kind;
		v[i][0] = any ? zero : x[i]->addr;
		v[i][1] = any ? zero : x[i]->mask;
	}
	if (kind[0] != kind[1])
		return true;
	switch ((enum img_addrkind)kind[0]) {
	case IMG_ADDR_MASK:
	case IMG_ADDR_RANGE:
		return memcmp(v[0], v[1], sizeof(v[0])) != 0;
	case IMG_ADDR_DYNAMIC:
		return a->ref != b->ref || a->ifmods != b->ifmods ||
		    memcmp(&a->mask, &b->mask, sizeof(a->mask)) != 0;
	case IMG_ADDR_TABLE:
	case IMG_ADDR_ROUTE_LABEL:
		return a->ref != b->ref;
	case IMG_ADDR_NO_ROUTE:
	case IMG_ADDR_URPF_FAILED:
	case IMG_ADDR_NONE:
	case IMG_ADDR_ANY:
		break;
	}
	return false;
}

static bool
differs(const struct img_rule *a, const struct img_rule *b, enum skip field)
{
	uint32_t flags = a->flags ^ b->flags;

	switch (field) {
	case SKIP_IFACE:
		return a->ifname != b->ifname || (flags & IMG_R_IFNOT) != 0;
	case SKIP_DIR:
		return a->direction != b->direction;
	case SKIP_RDOMAIN:
		return a->onrdomain != b->onrdomain ||
		    (flags & IMG_R_IFNOT) != 0;
	case SKIP_AF:
		return a->af != b->af;
	case SKIP_PROTO:
		return a->proto != b->proto;
	case SKIP_SRC:
		return addr_differs(&a->src, &b->src);
	case SKIP_DST:
		return addr_differs(&a->dst, &b->dst);
	case SKIP_SRC_PORT:
		return a->src_port[0] != b->src_port[0] ||
		    a->src_port[1] != b->src_port[1] ||
		    a->src_port_op != b->src_port_op;
	case SKIP_DST_PORT:
		return a->dst_port[0] != b->dst_port[0] ||
		    a->dst_port[1] != b->dst_port[1] ||
		    a->dst_port_op != b->dst_port_op;
	case SKIP_COUNT:
		break;
	}
	return true;
}

struct skip_steps *
skip_steps(struct arena *arena, const struct img_rule *rules, uint32_t n)
{
	struct skip_steps *s = arena_alloc(arena, ((size_t)n + 1) *
	    sizeof(*s));

	for (uint32_t i = n; i-- > 0;)
		for (enum skip f = 0; f < SKIP_COUNT; f++)
			s[i].next[f] = i + 1 == n ||
			    differs(&rules[i], &rules[i + 1], f) ? i + 1 :
			    s[i + 1].next[f];
	return s;
}
