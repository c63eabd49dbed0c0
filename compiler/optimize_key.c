/*
 * From rules to numbers.
 *
 * Each field type has a function that appends the field's value to a key in
 * a form in which equal values are equal bytes; rule_fields.def says which
 * fields go into which key.  Fields of the class NEVER go into none: pfctl
 * does not look at them, and neither may we if the result is to be the same.
 */
#include <string.h>

#include "compiler/optimize_int.h"

#define key_add(k, value)	strbuf_add((k), (const char *)&(value),	\
				    sizeof(value))

static void
key_u8(struct strbuf *k, const uint8_t *v)
{
	strbuf_putc(k, (char)*v);
}

static void
key_u16(struct strbuf *k, const uint16_t *v)
{
	key_add(k, *v);
}

static void
key_i32(struct strbuf *k, const int32_t *v)
{
	key_add(k, *v);
}

static void
key_str(struct strbuf *k, const char *const *v)
{
	if (*v != NULL)
		strbuf_puts(k, *v);
	strbuf_putc(k, '\0');
}

static void
key_rate(struct strbuf *k, const struct rule_rate *v)
{
	key_add(k, v->limit);
	key_add(k, v->seconds);
}

static void
key_prio_pair(struct strbuf *k, const struct rule_prio_pair *v)
{
	key_add(k, v->prio);
}

static void
key_ports(struct strbuf *k, const struct rule_ports *v)
{
	strbuf_putc(k, (char)v->op);
	key_add(k, v->port);
}

static void
key_ids(struct strbuf *k, const struct rule_ids *v)
{
	strbuf_putc(k, (char)v->op);
	key_add(k, v->id);
}

static void
key_timeouts(struct strbuf *k, const struct rule_timeouts *const *v)
{
	key_add(k, (*v)->v);
}

/* `any` is the network of length 0; the family is the rule's, not its own. */
static void
key_addr(struct strbuf *k, const struct rule_addr *v)
{
	static const struct pfk_addr zero;
	bool any = v->kind == RULE_ADDR_ANY;

	strbuf_putc(k, (char)(any ? RULE_ADDR_MASK : v->kind));
	switch ((enum rule_addrkind)v->kind) {
	case RULE_ADDR_ANY:
	case RULE_ADDR_MASK:
	case RULE_ADDR_RANGE:
		key_add(k, *(any ? &zero : &v->addr));
		key_add(k, *(any ? &zero : &v->mask));
		break;
	case RULE_ADDR_DYNAMIC:
		strbuf_putc(k, (char)v->ifmods);
		key_add(k, v->mask);
		key_str(k, &v->name);
		break;
	case RULE_ADDR_TABLE:
	case RULE_ADDR_ROUTE_LABEL:
		key_str(k, &v->name);
		break;
	case RULE_ADDR_NO_ROUTE:
	case RULE_ADDR_URPF_FAILED:
	case RULE_ADDR_NONE:
		break;
	}
}

static void
key_pool(struct strbuf *k, const struct rule_pool *const *pool)
{
	const struct rule_pool *v = *pool;

	key_addr(k, &v->addr);
	if (v->addr.kind == RULE_ADDR_NONE && v->ifname == NULL)
		return;
	strbuf_putc(k, (char)v->type);
	strbuf_putc(k, (char)v->sticky);
	strbuf_putc(k, (char)v->static_port);
	strbuf_putc(k, (char)v->port_op);
	key_add(k, v->port);
	key_add(k, v->weight);
	key_add(k, v->key);
	key_str(k, &v->ifname);
}

static void
key_divert(struct strbuf *k, const struct rule_divert_spec *v)
{
	strbuf_putc(k, (char)v->type);
	if (v->type == RULE_DIVERT_NONE)
		return;
	key_add(k, v->addr);
	key_add(k, v->port);
}

#define set_u32(v)		(*(v) != 0)
#define set_str(v)		(*(v) != NULL)
#define set_rate(v)		((v)->limit != 0 || (v)->seconds != 0)
#define set_anchor_ref(v)	((v)->call != NULL)

/* Tracking sources per rule is one more, inside a field that is not. */
bool
opt_has_barrier(const struct rule *r)
{
#define IS_BARRIER(type, name)	set_##type(&r->name) ||
#define IS_BREAK(type, name)
#define IS_NOMERGE(type, name)
#define IS_COMBINED(type, name)
#define IS_DONTCARE(type, name)
#define IS_NEVER(type, name)
	return
#define FIELD(type, name, print, opt)	IS_##opt(type, name)
#include "compiler/rule_fields.def"
#undef FIELD
	    r->src_track == RULE_TRACK_RULE;
#undef IS_BARRIER
#undef IS_BREAK
#undef IS_NOMERGE
}

void
opt_break_key(struct optimizer *o, const struct rule *r)
{
	o->key.len = 0;
#define IS_BARRIER(type, name)
#define IS_BREAK(type, name)	key_##type(&o->key, &r->name);
#define IS_NOMERGE(type, name)
#define FIELD(type, name, print, opt)	IS_##opt(type, name)
#include "compiler/rule_fields.def"
#undef FIELD
#undef IS_BREAK
#undef IS_NOMERGE
}

/*
 * The fields that must be equal wherever two rules are compared: those that
 * must not differ in merged rules, without those that have an order.
 */
static void
rest_key(struct strbuf *k, const struct rule *r)
{
	struct rule c = *r;

	c.ifname = NULL;
	c.direction = c.proto = c.af = c.flags = c.flagset = 0;
	memset(&c.src_port, 0, sizeof(c.src_port));
	memset(&c.dst_port, 0, sizeof(c.dst_port));
	k->len = 0;
	strbuf_putc(k, (char)r->src.neg);
	strbuf_putc(k, (char)r->dst.neg);
#define IS_BREAK(type, name)
#define IS_NOMERGE(type, name)	key_##type(k, &c.name);
#define FIELD(type, name, print, opt)	IS_##opt(type, name)
#include "compiler/rule_fields.def"
#undef FIELD
}

static uint32_t
number_key(struct optimizer *o)
{
	return intern_add(&o->names, o->key.s, o->key.len);
}

static void
begin_key(struct optimizer *o, char what)
{
	o->key.len = 0;
	strbuf_putc(&o->key, what);
}

struct opt_addr
opt_number_addr(struct optimizer *o, const struct rule_addr *a)
{
	struct opt_addr n = { 0, OPT_LEN_EXACT, false };

	begin_key(o, 'a');
	key_addr(&o->key, a);
	n.id = number_key(o);
	if (a->kind == RULE_ADDR_ANY || a->kind == RULE_ADDR_MASK) {
		n.network = true;
		n.len = (uint8_t)(a->kind == RULE_ADDR_ANY ? 0 :
		    addr_mask_bits(&a->mask));
	}
	return n;
}

uint32_t
opt_find_network(struct optimizer *o, const struct rule_addr *a, unsigned len)
{
	struct rule_addr shorter = *a;

	addr_prefix_mask(&shorter.mask, len);
	addr_and(&shorter.addr, &shorter.mask);
	begin_key(o, 'a');
	key_addr(&o->key, &shorter);
	return intern_find(&o->names, o->key.s, o->key.len);
}

static uint32_t
number_ports(struct optimizer *o, const struct rule_ports *p)
{
	if (p->op == RULE_OP_NONE)
		return 0;
	begin_key(o, 'p');
	key_ports(&o->key, p);
	return number_key(o);
}

static uint32_t
number_ifname(struct optimizer *o, const char *name)
{
	if (name == NULL)
		return 0;
	begin_key(o, 'i');
	key_str(&o->key, &name);
	return number_key(o);
}

/* The number of a pair of numbers. */
uint32_t
opt_number(struct optimizer *o, uint32_t a, uint32_t b)
{
	begin_key(o, '2');
	key_add(&o->key, a);
	key_add(&o->key, b);
	return number_key(o);
}

static void
prepare_rule(struct optimizer *o, struct opt_rule *p, struct rule *r)
{
	memset(p, 0, sizeof(*p));
	p->rule = r;
	p->src = opt_number_addr(o, &r->src.addr);
	p->dst = opt_number_addr(o, &r->dst.addr);
	p->src_port = number_ports(o, &r->src_port);
	p->dst_port = number_ports(o, &r->dst_port);
	p->ifname = number_ifname(o, r->ifname);
	p->small = (uint32_t)r->direction << 24 | (uint32_t)r->proto << 16 |
	    (uint32_t)r->flags << 8 | r->flagset;
	rest_key(&o->key, r);
	strbuf_putc(&o->key, 'r');
	p->rest = number_key(o);
}

void
opt_prepare(struct optimizer *o, struct rule *const *rules, size_t n)
{
	intern_reset(&o->names);
	for (size_t i = 0; i < n; i++)
		prepare_rule(o, &o->rules[i], rules[i]);
	o->n = n;
}
