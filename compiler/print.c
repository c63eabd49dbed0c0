/*
 * A flat rule in pfctl's words.
 *
 * rule_fields.def lists the fields in the order in which they are printed, and
 * names the printer of each; print_rule() calls them one after the other.
 * Every printer writes its own leading space, or nothing at all where the
 * field is not set.  Fields whose text depends on others (ports on the
 * protocol, state options on each other) have one printer for the group.
 *
 *	print.c		the rule, its simple fields
 *	print_addr.c	addresses, ports, pools
 *	print_opts.c	parenthesised options: set, state, scrub
 *	print_def.c	definitions: tables, queues
 */
#include <netinet/in.h>

#include <string.h>

#include "compiler/names.h"
#include "compiler/print_int.h"

unsigned
print_flags_of(const struct pfk_compile_options *o)
{
	unsigned flags = 0;

	if (o->verbose > 1 || o->debug)
		flags |= PRINT_NR;
	if (o->verbose > 1)
		flags |= PRINT_FLAT;
	if (o->port_names)
		flags |= PRINT_PORT_NAMES;
	return flags;
}

const char *
u32_text(uint32_t n, char buf[U32_TEXT_SIZE])
{
	char *p = buf + U32_TEXT_SIZE - 1;

	*p = '\0';
	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	return p;
}

void
print_u32(struct strbuf *sb, uint32_t n)
{
	char buf[U32_TEXT_SIZE];

	strbuf_puts(sb, u32_text(n, buf));
}

void
list_item(struct list_printer *l)
{
	strbuf_puts(l->sb, l->n++ == 0 ? l->open : l->separator);
}

void
list_end(struct list_printer *l)
{
	if (l->n > 0)
		strbuf_putc(l->sb, ')');
}

/* " word", " ! word" */
static void
print_negated(struct strbuf *sb, const char *prefix, bool neg,
    const char *word)
{
	strbuf_puts(sb, prefix);
	strbuf_puts(sb, neg ? "! " : "");
	strbuf_puts(sb, word);
}

/* Anchors without a name of their own are called by number: "a/_2". */
static bool
is_unnamed(const char *call)
{
	const char *slash = strrchr(call, '/');

	return (slash != NULL ? slash[1] : call[0]) == '_';
}

static void
print_action(const struct printer *p)
{
	static const char *const words[] = { "pass", "block", "match" };
	const char *call = p->r->anchor.call;

	if (call == NULL) {
		strbuf_puts(p->sb, words[p->r->action]);
		return;
	}
	strbuf_puts(p->sb, "anchor");
	if (!is_unnamed(call))
		strbuf_printf(p->sb, " \"%s\"", call);
}

/* The code of a return-icmp by its name, or else as a number. */
static void
print_return_code(struct strbuf *sb, enum pfk_af af, uint16_t icmp)
{
	const char *name = icmp_code_name(af, icmp >> 8, icmp & 0xff);

	if (name != NULL)
		strbuf_puts(sb, name);
	else
		print_u32(sb, icmp & 0xff);
}

static void
print_return_icmp(const struct printer *p)
{
	const struct rule *r = p->r;

	strbuf_puts(p->sb, r->af == PFK_AF_INET6 ?
	    " return-icmp6(" : " return-icmp(");
	if (r->af != PFK_AF_INET6)
		print_return_code(p->sb, PFK_AF_INET, r->return_icmp);
	if (r->af == PFK_AF_UNSPEC)
		strbuf_puts(p->sb, ", ");
	if (r->af != PFK_AF_INET)
		print_return_code(p->sb, PFK_AF_INET6, r->return_icmp6);
	strbuf_putc(p->sb, ')');
}

static void
print_block(const struct printer *p)
{
	const struct rule *r = p->r;

	if (r->action != RULE_BLOCK)
		return;
	switch ((enum rule_block)r->block) {
	case RULE_DROP:
		strbuf_puts(p->sb, " drop");
		break;
	case RULE_RETURN:
		strbuf_puts(p->sb, " return");
		break;
	case RULE_RETURN_RST:
		strbuf_puts(p->sb, " return-rst");
		if (r->return_ttl != 0)
			strbuf_printf(p->sb, "(ttl %u)", r->return_ttl);
		break;
	case RULE_RETURN_ICMP:
		print_return_icmp(p);
		break;
	}
}

static void
print_direction(const struct printer *p)
{
	static const char *const words[] = { "", " in", " out" };

	strbuf_puts(p->sb, words[p->r->direction]);
}

static void
print_log(const struct printer *p)
{
	struct list_printer l = { p->sb, " (", ", ", 0 };
	const struct rule *r = p->r;

	if (r->log == 0)
		return;
	strbuf_puts(p->sb, " log");
	if (r->log & RULE_LOG_ALL) {
		list_item(&l);
		strbuf_puts(p->sb, "all");
	}
	if (r->log & RULE_LOG_MATCHES) {
		list_item(&l);
		strbuf_puts(p->sb, "matches");
	}
	if (r->log & RULE_LOG_USER) {
		list_item(&l);
		strbuf_puts(p->sb, "user");
	}
	if (r->logif != 0) {
		list_item(&l);
		strbuf_printf(p->sb, "to pflog%u", r->logif);
	}
	list_end(&l);
}

static void
print_quick(const struct printer *p)
{
	if (p->r->quick)
		strbuf_puts(p->sb, " quick");
}

static void
print_interface(const struct printer *p)
{
	if (p->r->ifname != NULL)
		print_negated(p->sb, " on ", p->r->ifnot, p->r->ifname);
}

static void
print_rdomain(const struct printer *p)
{
	if (p->r->onrdomain < 0)
		return;
	print_negated(p->sb, " on ", p->r->ifnot, "rdomain ");
	print_u32(p->sb, (uint32_t)p->r->onrdomain);
}

static void
print_af(const struct printer *p)
{
	if (p->r->af != PFK_AF_UNSPEC)
		strbuf_puts(p->sb,
		    p->r->af == PFK_AF_INET ? " inet" : " inet6");
}

static void
print_proto(const struct printer *p)
{
	const char *name;

	if (p->r->proto == 0)
		return;
	strbuf_puts(p->sb, " proto ");
	name = pfk_host_protocol_name(p->host, p->r->proto);
	if (name != NULL)
		strbuf_puts(p->sb, name);
	else
		print_u32(p->sb, p->r->proto);
}

static void
print_received_on(const struct printer *p)
{
	if (p->r->rcv_ifname != NULL)
		strbuf_printf(p->sb, " %sreceived-on %s",
		    p->r->rcvifnot ? "!" : "", p->r->rcv_ifname);
}

/* An id that nobody has is "unknown", where a single one is meant. */
static void
print_ids(struct strbuf *sb, const char *word, const struct rule_ids *ids)
{
	char abuf[U32_TEXT_SIZE], bbuf[U32_TEXT_SIZE];
	const char *a = u32_text(ids->id[0], abuf);
	const char *b = u32_text(ids->id[1], bbuf);

	if (ids->op == RULE_OP_NONE)
		return;
	strbuf_puts(sb, word);
	if (ids->id[0] == UINT32_MAX &&
	    (ids->op == RULE_OP_EQ || ids->op == RULE_OP_NE))
		print_op(sb, ids->op, "unknown", b);
	else
		print_op(sb, ids->op, a, b);
}

static void
print_user(const struct printer *p)
{
	print_ids(p->sb, " user", &p->r->uid);
}

static void
print_group(const struct printer *p)
{
	print_ids(p->sb, " group", &p->r->gid);
}

/*
 * pf adds "flags S/SA" to stateful TCP rules; one that has none must have
 * asked for it, and says so to compile to itself.
 */
static bool
is_flags_any(const struct rule *r)
{
	return r->action != RULE_BLOCK && r->keep_state != RULE_NO_STATE &&
	    (r->proto == 0 || r->proto == IPPROTO_TCP) && !r->fragment &&
	    r->anchor.call == NULL;
}

static void
print_flags(const struct printer *p)
{
	char flags[9], set[9];
	const struct rule *r = p->r;

	if (r->flags != 0 || r->flagset != 0) {
		strbuf_puts(p->sb, " flags ");
		strbuf_puts(p->sb, tcp_flags_format(r->flags, flags));
		strbuf_putc(p->sb, '/');
		strbuf_puts(p->sb, tcp_flags_format(r->flagset, set));
	} else if (is_flags_any(r))
		strbuf_puts(p->sb, " flags any");
}

static void
print_name_or_number(struct strbuf *sb, const char *name, unsigned number)
{
	if (name != NULL)
		strbuf_puts(sb, name);
	else
		print_u32(sb, number);
}

static void
print_icmp(const struct printer *p)
{
	const struct rule *r = p->r;
	enum pfk_af af;
	uint8_t type, code;

	if (r->icmp_type == 0)
		return;
	af = r->af == PFK_AF_INET6 ? PFK_AF_INET6 : PFK_AF_INET;
	type = (uint8_t)(r->icmp_type - 1);
	code = (uint8_t)(r->icmp_code - 1);
	strbuf_puts(p->sb, af == PFK_AF_INET6 ? " icmp6-type " : " icmp-type ");
	print_name_or_number(p->sb, icmp_type_name(af, type), type);
	if (r->icmp_code != 0) {
		strbuf_puts(p->sb, " code ");
		print_name_or_number(p->sb, icmp_code_name(af, type, code),
		    code);
	}
}

static void
print_tos(const struct printer *p)
{
	if (p->r->tos != 0)
		strbuf_printf(p->sb, " tos 0x%02x", p->r->tos);
}

static void
print_prio(const struct printer *p)
{
	if (p->r->prio != 0)
		strbuf_printf(p->sb, " prio %u",
		    p->r->prio == RULE_PRIO_ZERO ? 0 : p->r->prio);
}

static void
print_max_pkt_rate(const struct printer *p)
{
	if (p->r->pktrate.limit != 0)
		strbuf_printf(p->sb, " max-pkt-rate %u/%u",
		    p->r->pktrate.limit, p->r->pktrate.seconds);
}

static void
print_fragment(const struct printer *p)
{
	if (p->r->fragment)
		strbuf_puts(p->sb, " fragment");
}

static void
print_allow_opts(const struct printer *p)
{
	if (p->r->allow_opts)
		strbuf_puts(p->sb, " allow-opts");
}

static void
print_label(const struct printer *p)
{
	if (p->r->label != NULL)
		strbuf_printf(p->sb, " label \"%s\"", p->r->label);
}

static void
print_once(const struct printer *p)
{
	if (p->r->once)
		strbuf_puts(p->sb, " once");
}

static void
print_tag(const struct printer *p)
{
	if (p->r->tag != NULL)
		strbuf_printf(p->sb, " tag %s", p->r->tag);
}

static void
print_tagged(const struct printer *p)
{
	if (p->r->match_tag != NULL)
		strbuf_printf(p->sb, "%s tagged %s",
		    p->r->match_tag_not ? " !" : "", p->r->match_tag);
}

static void
print_rtable(const struct printer *p)
{
	if (p->r->rtable != -1)
		strbuf_printf(p->sb, " rtable %d", p->r->rtable);
}

/* Other fields' printers show these. */
static void
print_NOPRINT(const struct printer *p)
{
	(void)p;
}

void
print_rule(struct strbuf *sb, const struct pfk_host *host,
    const struct rule *r, unsigned flags)
{
	const struct printer p = { sb, host, r, flags };

	if (flags & PRINT_NR) {
		strbuf_putc(sb, '@');
		print_u32(sb, r->nr);
		strbuf_putc(sb, ' ');
	}
#define FIELD(type, name, print, opt)	print_##print(&p);
#include "compiler/rule_fields.def"
#undef FIELD
}
