/*
 * Printing addresses: of peers with their ports, of pools, of divert-to.
 */
#include <netinet/in.h>

#include "compiler/print_int.h"

/* => af UNSPEC prints "?", as pfctl does. */
static void
print_bare_addr(struct strbuf *sb, const struct pfk_addr *a, uint8_t af)
{
	char buf[PFK_ADDRSTRLEN];

	if (af == PFK_AF_UNSPEC)
		strbuf_putc(sb, '?');
	else
		strbuf_puts(sb, addr_format(a, (enum pfk_af)af, buf));
}

/* Nothing for a host's own length; 128 is that of "no family known". */
static void
print_prefixlen(struct strbuf *sb, const struct pfk_addr *mask, uint8_t af)
{
	unsigned bits = addr_mask_bits(mask);

	if (bits < (af == PFK_AF_INET ? 32 : 128)) {
		strbuf_putc(sb, '/');
		print_u32(sb, bits);
	}
}

static bool
is_any(const struct rule_addr *a)
{
	return a->kind == RULE_ADDR_ANY || (a->kind == RULE_ADDR_MASK &&
	    addr_is_zero(&a->addr, PFK_AF_INET6) &&
	    addr_is_zero(&a->mask, PFK_AF_INET6));
}

static void
print_masked(struct strbuf *sb, const struct rule_addr *a, uint8_t af)
{
	if (is_any(a)) {
		strbuf_puts(sb, "any");
		return;
	}
	print_bare_addr(sb, &a->addr, af);
	print_prefixlen(sb, &a->mask, af);
}

/* "(em0:network:0/24)"; the number of its addresses is the kernel's: "*". */
static void
print_dynamic(struct strbuf *sb, const struct rule_addr *a, uint8_t af,
    unsigned flags)
{
	strbuf_putc(sb, '(');
	strbuf_puts(sb, a->name);
	strbuf_puts(sb, a->ifmods & RULE_IF_NETWORK ? ":network" : "");
	strbuf_puts(sb, a->ifmods & RULE_IF_BROADCAST ? ":broadcast" : "");
	strbuf_puts(sb, a->ifmods & RULE_IF_PEER ? ":peer" : "");
	strbuf_puts(sb, a->ifmods & RULE_IF_NOALIAS ? ":0" : "");
	strbuf_puts(sb, flags & PRINT_NR ? ":*)" : ")");
	print_prefixlen(sb, &a->mask, af);
}

void
print_addr(struct strbuf *sb, const struct rule_addr *a, uint8_t af,
    unsigned flags)
{
	switch ((enum rule_addrkind)a->kind) {
	case RULE_ADDR_ANY:
	case RULE_ADDR_MASK:
		print_masked(sb, a, af);
		break;
	case RULE_ADDR_RANGE:
		print_bare_addr(sb, &a->addr, af);
		strbuf_puts(sb, " - ");
		print_bare_addr(sb, &a->mask, af);
		break;
	case RULE_ADDR_DYNAMIC:
		print_dynamic(sb, a, af, flags);
		break;
	case RULE_ADDR_TABLE:
		strbuf_printf(sb, "<%s%s>", a->name,
		    flags & PRINT_NR ? ":0" : "");
		break;
	case RULE_ADDR_NO_ROUTE:
		strbuf_puts(sb, "no-route");
		break;
	case RULE_ADDR_URPF_FAILED:
		strbuf_puts(sb, "urpf-failed");
		break;
	case RULE_ADDR_ROUTE_LABEL:
		strbuf_printf(sb, "route \"%s\"", a->name);
		break;
	case RULE_ADDR_NONE:
		strbuf_putc(sb, '?');
		break;
	}
}

void
print_op(struct strbuf *sb, uint8_t op, const char *a, const char *b)
{
	static const char *const words[] = {
		[RULE_OP_EQ] = " = ", [RULE_OP_NE] = " != ",
		[RULE_OP_LT] = " < ", [RULE_OP_LE] = " <= ",
		[RULE_OP_GT] = " > ", [RULE_OP_GE] = " >= ",
		[RULE_OP_IRG] = " >< ", [RULE_OP_XRG] = " <> ",
		[RULE_OP_RRG] = ":"
	};
	bool range = op == RULE_OP_IRG || op == RULE_OP_XRG ||
	    op == RULE_OP_RRG;

	if (op == RULE_OP_NONE)
		return;
	if (range) {
		strbuf_putc(sb, ' ');
		strbuf_puts(sb, a);
	}
	strbuf_puts(sb, words[op]);
	strbuf_puts(sb, range ? b : a);
}

static void
print_ports(const struct printer *p, const struct rule_ports *ports)
{
	char abuf[U32_TEXT_SIZE], bbuf[U32_TEXT_SIZE];
	const char *name = NULL;

	if (ports->op == RULE_OP_NONE)
		return;
	if ((p->flags & PRINT_PORT_NAMES) &&
	    (ports->op == RULE_OP_EQ || ports->op == RULE_OP_NE))
		name = pfk_host_service_name(p->host, ports->port[0],
		    p->r->proto == IPPROTO_TCP ? "tcp" : "udp");
	if (name == NULL)
		name = u32_text(ports->port[0], abuf);
	strbuf_puts(p->sb, " port");
	print_op(p->sb, ports->op, name, u32_text(ports->port[1], bbuf));
}

static void
print_peer(const struct printer *p, const struct rule_peer_addr *peer,
    const struct rule_ports *ports)
{
	strbuf_puts(p->sb, peer->neg ? "! " : "");
	print_addr(p->sb, &peer->addr, p->r->af, p->flags);
	print_ports(p, ports);
}

static bool
is_all(const struct rule *r)
{
	return is_any(&r->src.addr) && is_any(&r->dst.addr) &&
	    !r->src.neg && !r->dst.neg && r->src_port.op == RULE_OP_NONE &&
	    r->dst_port.op == RULE_OP_NONE && r->os == NULL;
}

void
print_fromto(const struct printer *p)
{
	const struct rule *r = p->r;

	if (is_all(r)) {
		strbuf_puts(p->sb, " all");
		return;
	}
	strbuf_puts(p->sb, " from ");
	print_peer(p, &r->src, &r->src_port);
	if (r->os != NULL)
		strbuf_printf(p->sb, " os \"%s\"", r->os);
	strbuf_puts(p->sb, " to ");
	print_peer(p, &r->dst, &r->dst_port);
}

void
print_divert(const struct printer *p)
{
	const struct rule_divert_spec *d = &p->r->divert;

	switch ((enum rule_divert)d->type) {
	case RULE_DIVERT_NONE:
		break;
	case RULE_DIVERT_TO:
		strbuf_puts(p->sb, " divert-to ");
		print_bare_addr(p->sb, &d->addr, p->r->af);
		strbuf_printf(p->sb, " port %u", d->port);
		break;
	case RULE_DIVERT_REPLY:
		strbuf_puts(p->sb, " divert-reply");
		break;
	case RULE_DIVERT_PACKET:
		strbuf_printf(p->sb, " divert-packet port %u", d->port);
		break;
	}
}

/* What nat-to uses if it is told nothing; then nothing is printed. */
#define NAT_PORT_LOW	50001
#define NAT_PORT_HIGH	65535

static void
print_nat_ports(struct strbuf *sb, const struct rule_pool *pool)
{
	uint16_t lo = pool->port[0], hi = pool->port[1];

	if ((lo == 0 && hi == 0) || (lo == NAT_PORT_LOW && hi == NAT_PORT_HIGH))
		return;
	strbuf_printf(sb, " port %u", lo);
	if (lo != hi)
		strbuf_printf(sb, ":%u", hi);
}

static void
print_rdr_ports(struct strbuf *sb, const struct rule_pool *pool)
{
	uint16_t lo = pool->port[0], hi = pool->port[1];

	if (lo == 0)
		return;
	strbuf_printf(sb, " port %u", lo);
	if (hi != 0 && hi != lo)
		strbuf_printf(sb, ":%u", hi);
}

static void
print_pool_type(struct strbuf *sb, const struct rule_pool *pool)
{
	static const char *const words[] = {
		[RULE_POOL_NONE] = "", [RULE_POOL_BITMASK] = " bitmask",
		[RULE_POOL_RANDOM] = " random",
		[RULE_POOL_SOURCE_HASH] = " source-hash 0x",
		[RULE_POOL_ROUND_ROBIN] = " round-robin",
		[RULE_POOL_LEAST_STATES] = " least-states"
	};

	strbuf_puts(sb, words[pool->type]);
	if (pool->type == RULE_POOL_SOURCE_HASH)
		strbuf_printf(sb, "%08x%08x%08x%08x", pool->key[0],
		    pool->key[1], pool->key[2], pool->key[3]);
	strbuf_puts(sb, pool->sticky ? " sticky-address" : "");
}

static bool
names_address(const struct rule_addr *a, enum pfk_af af)
{
	if (a->kind == RULE_ADDR_ANY || a->kind == RULE_ADDR_NONE)
		return false;
	return a->kind != RULE_ADDR_MASK || !addr_is_zero(&a->addr, af);
}

/* "10.0.0.1@em0", or the interface alone if no address was given. */
static void
print_pool_addr(const struct printer *p, const struct rule_pool *pool,
    uint8_t af)
{
	if (pool->ifname == NULL) {
		print_addr(p->sb, &pool->addr, af, p->flags);
		return;
	}
	if (names_address(&pool->addr, (enum pfk_af)af)) {
		print_addr(p->sb, &pool->addr, af, p->flags);
		strbuf_putc(p->sb, '@');
	}
	strbuf_puts(p->sb, pool->ifname);
}

static void
print_nat_pool(const struct printer *p, const char *words, uint8_t af)
{
	const struct rule_pool *pool = p->r->nat;

	strbuf_puts(p->sb, words);
	print_pool_addr(p, pool, af);
	print_nat_ports(p->sb, pool);
	print_pool_type(p->sb, pool);
	strbuf_puts(p->sb, pool->static_port ? " static-port" : "");
}

static void
print_rdr_pool(const struct printer *p, const char *words, uint8_t af)
{
	const struct rule_pool *pool = p->r->rdr;

	strbuf_puts(p->sb, words);
	print_pool_addr(p, pool, af);
	print_rdr_ports(p->sb, pool);
	print_pool_type(p->sb, pool);
}

static void
print_af_to(const struct printer *p, uint8_t af)
{
	print_nat_pool(p, p->r->naf == PFK_AF_INET ?
	    " af-to inet from " : " af-to inet6 from ", af);
	if (p->r->rdr->addr.kind != RULE_ADDR_NONE)
		print_rdr_pool(p, " to ", af);
}

void
print_translation(const struct printer *p)
{
	const struct rule *r = p->r;
	uint8_t af = r->naf != PFK_AF_UNSPEC ? r->naf : r->af;

	if (r->anchor.call != NULL)
		return;
	if (r->nat->addr.kind != RULE_ADDR_NONE && r->af_to)
		print_af_to(p, af);
	else if (r->nat->addr.kind != RULE_ADDR_NONE)
		print_nat_pool(p, " nat-to ", af);
	else if (r->rdr->addr.kind != RULE_ADDR_NONE)
		print_rdr_pool(p, " rdr-to ", r->af);
}

void
print_route(const struct printer *p)
{
	static const char *const words[] = {
		"", " route-to ", " reply-to ", " dup-to "
	};

	if (p->r->rt == RULE_RT_NONE)
		return;
	strbuf_puts(p->sb, words[p->r->rt]);
	print_pool_addr(p, p->r->route, p->r->af);
	print_pool_type(p->sb, p->r->route);
}
