/*
 * Macros in labels and tags: what a combination of list elements puts in
 * their place.  "$nr" waits until the rules are numbered (load.c).
 */
#include <string.h>

#include "compiler/combination.h"

#define ADDR_TEXT_MAX	63	/* longer names of addresses are cut */

typedef const char *value_fn(struct sema *, const struct combination *,
	    const struct rule *);

static const char *
interface_value(struct sema *s, const struct combination *c,
    const struct rule *r)
{
	(void)s;
	(void)c;
	return r->ifname != NULL ? r->ifname : "any";
}

static const char *
network_value(struct arena *a, const struct rule_addr *addr, uint8_t af)
{
	char buf[PFK_ADDRSTRLEN];
	unsigned bits = addr_mask_bits(&addr->mask);

	if (af == PFK_AF_UNSPEC || addr->kind == RULE_ADDR_ANY ||
	    (addr_is_zero(&addr->addr, (enum pfk_af)af) &&
	    addr_is_zero(&addr->mask, (enum pfk_af)af)))
		return "any";
	addr_format(&addr->addr, (enum pfk_af)af, buf);
	if (bits >= addr_bits((enum pfk_af)af))
		return arena_strdup(a, buf);
	return arena_printf(a, "%s/%u", buf, bits);
}

static const char *
address_value(struct arena *a, const struct rule_addr *addr, uint8_t af)
{
	switch ((enum rule_addrkind)addr->kind) {
	case RULE_ADDR_DYNAMIC:
		return arena_printf(a, "(%s)", addr->name);
	case RULE_ADDR_TABLE:
		return arena_printf(a, "<%s>", addr->name);
	case RULE_ADDR_NO_ROUTE:
		return "no-route";
	case RULE_ADDR_URPF_FAILED:
		return "urpf-failed";
	case RULE_ADDR_ANY:
	case RULE_ADDR_MASK:
		return network_value(a, addr, af);
	case RULE_ADDR_RANGE:
	case RULE_ADDR_ROUTE_LABEL:
	case RULE_ADDR_NONE:
		break;
	}
	return "?";
}

static const char *
host_value(struct sema *s, const struct host_item *h, const struct rule *r)
{
	return arena_printf(&s->rs->arena, "%s%.*s", h->neg ? "! " : "",
	    ADDR_TEXT_MAX, address_value(&s->rs->arena, &h->addr, r->af));
}

static const char *
src_value(struct sema *s, const struct combination *c, const struct rule *r)
{
	return host_value(s, c->src, r);
}

static const char *
dst_value(struct sema *s, const struct combination *c, const struct rule *r)
{
	return host_value(s, c->dst, r);
}

/* A range a:b has no text: pfctl knows none for it. */
static const char *
port_value(struct sema *s, const struct stmt_port *p)
{
	static const char *const ops[] = {
		[RULE_OP_IRG] = "><", [RULE_OP_XRG] = "<>", [RULE_OP_EQ] = "",
		[RULE_OP_NE] = "!=", [RULE_OP_LT] = "<", [RULE_OP_LE] = "<=",
		[RULE_OP_GT] = ">", [RULE_OP_GE] = ">=",
	};
	unsigned a = p->ports.port[0], b = p->ports.port[1];

	if (p->ports.op == RULE_OP_NONE || p->ports.op == RULE_OP_RRG)
		return "";
	if (p->ports.op == RULE_OP_IRG || p->ports.op == RULE_OP_XRG)
		return arena_printf(&s->rs->arena, "%u%s%u", a,
		    ops[p->ports.op], b);
	return arena_printf(&s->rs->arena, "%s%u", ops[p->ports.op], a);
}

static const char *
src_port_value(struct sema *s, const struct combination *c,
    const struct rule *r)
{
	(void)r;
	return port_value(s, c->src_port);
}

static const char *
dst_port_value(struct sema *s, const struct combination *c,
    const struct rule *r)
{
	(void)r;
	return port_value(s, c->dst_port);
}

static const char *
proto_value(struct sema *s, const struct combination *c, const struct rule *r)
{
	const char *name;

	(void)r;
	name = pfk_host_protocol_name(s->rs->host, c->proto->proto);
	return name != NULL ? name :
	    arena_printf(&s->rs->arena, "%u", c->proto->proto);
}

/* In the order in which pfctl replaces them. */
static const struct { const char *name; value_fn *value; } macros[] = {
	{ "$if",	interface_value },
	{ "$srcaddr",	src_value },
	{ "$dstaddr",	dst_value },
	{ "$srcport",	src_port_value },
	{ "$dstport",	dst_port_value },
	{ "$proto",	proto_value },
};

static const char *
replace(struct sema *s, const char *text, const char *name, const char *value)
{
	struct strbuf sb;
	const char *p;

	strbuf_init(&sb, &s->rs->arena);
	for (; (p = strstr(text, name)) != NULL; text = p + strlen(name)) {
		strbuf_add(&sb, text, (size_t)(p - text));
		strbuf_puts(&sb, value);
	}
	strbuf_puts(&sb, text);
	return strbuf_str(&sb);
}

const char *
label_expand(struct sema *s, const struct combination *c,
    const struct rule *r, const char *text, size_t size)
{
	if (text == NULL || strchr(text, '$') == NULL)
		return text;
	for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++) {
		if (strstr(text, macros[i].name) == NULL)
			continue;
		text = replace(s, text, macros[i].name,
		    macros[i].value(s, c, r));
		if (strlen(text) < size)
			continue;
		(void)sema_message(s, c->st->node, "label-too-long",
		    PLAIN_PFCTL, "expand_label: label too long");
		s->fatal = true;
		return NULL;
	}
	return *text != '\0' ? text : NULL;
}
