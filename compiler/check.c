/*
 * Consistency of a flat rule: conditions that pfctl makes on the whole, each
 * with its message.  They are a table, tried in pfctl's order.  And, before a
 * binat-to becomes two rules, what it asks of its two addresses.
 */
#include <string.h>

#include "compiler/combination.h"
#include "compiler/sema_int.h"

typedef bool rule_predicate(const struct rule *);

static bool
is_tcp_or_udp(const struct rule *r)
{
	return r->proto == SEMA_TCP || r->proto == 17;
}

static bool
has_ports(const struct rule *r)
{
	return r->src_port.op != RULE_OP_NONE ||
	    r->dst_port.op != RULE_OP_NONE;
}

static bool
has_icmp(const struct rule *r)
{
	return r->icmp_type != 0 || r->icmp_code != 0;
}

static bool
translates(const struct rule *r)
{
	return r->nat->addr.kind != RULE_ADDR_NONE ||
	    r->rdr->addr.kind != RULE_ADDR_NONE;
}

/* --- what is wrong --- */

static bool
os_without_tcp(const struct rule *r)
{
	return r->proto != SEMA_TCP && r->os != NULL;
}

static bool
port_without_tcp_udp(const struct rule *r)
{
	return !is_tcp_or_udp(r) && has_ports(r);
}

static bool
user_without_tcp_udp(const struct rule *r)
{
	return !is_tcp_or_udp(r) && r->uid.op != RULE_OP_NONE;
}

static bool
group_without_tcp_udp(const struct rule *r)
{
	return !is_tcp_or_udp(r) && r->gid.op != RULE_OP_NONE;
}

static bool
icmp_type_without_icmp(const struct rule *r)
{
	return r->proto != SEMA_ICMP && r->proto != SEMA_ICMP6 && has_icmp(r);
}

static bool
icmp_type_without_af(const struct rule *r)
{
	return r->af == PFK_AF_UNSPEC && has_icmp(r);
}

static bool
af_to_same_family(const struct rule *r)
{
	return r->af_to && r->af == r->naf;
}

static bool
overload_without_limit(const struct rule *r)
{
	return r->overload != NULL && r->max_src_conn == 0 &&
	    r->max_src_conn_rate.seconds == 0;
}

static bool
icmp_of_ipv6(const struct rule *r)
{
	return r->proto == SEMA_ICMP && r->af == PFK_AF_INET6;
}

static bool
icmp6_of_ipv4(const struct rule *r)
{
	return r->proto == SEMA_ICMP6 && r->af == PFK_AF_INET;
}

static bool
allow_opts_without_pass(const struct rule *r)
{
	return r->allow_opts && r->action != RULE_PASS;
}

static bool
fragment_of_more_than_ip(const struct rule *r)
{
	return r->fragment && (has_ports(r) || r->flagset != 0 || has_icmp(r));
}

static bool
rst_without_tcp(const struct rule *r)
{
	return r->action == RULE_BLOCK && r->block == RULE_RETURN_RST &&
	    r->proto != SEMA_TCP;
}

static bool
state_without_pass(const struct rule *r)
{
	return r->action != RULE_PASS && r->keep_state != RULE_NO_STATE;
}

static bool
route_without_state(const struct rule *r)
{
	return r->rt != RULE_RT_NONE && r->keep_state == RULE_NO_STATE;
}

static bool
sloppy_with_strict_state(const struct rule *r)
{
	return r->sloppy && (r->keep_state == RULE_MODULATE_STATE ||
	    r->keep_state == RULE_SYNPROXY_STATE);
}

static bool
synproxy_not_inbound(const struct rule *r)
{
	return r->keep_state == RULE_SYNPROXY_STATE &&
	    r->direction != RULE_IN;
}

static bool
translation_without_state(const struct rule *r)
{
	return translates(r) && r->action != RULE_MATCH &&
	    r->keep_state == RULE_NO_STATE;
}

static bool
translation_without_direction(const struct rule *r)
{
	return r->direction == RULE_INOUT && translates(r);
}

static bool
scrub_of_ipv4_for_ipv6(const struct rule *r)
{
	return r->af == PFK_AF_INET6 && (r->no_df || r->random_id);
}

static bool
match_with_divert(const struct rule *r)
{
	return r->action == RULE_MATCH && r->divert.type != RULE_DIVERT_NONE;
}

static bool
match_with_route(const struct rule *r)
{
	return r->action == RULE_MATCH && r->rt != RULE_RT_NONE;
}

static bool
match_with_af_to(const struct rule *r)
{
	return r->action == RULE_MATCH && r->af_to;
}

static bool
block_with_route(const struct rule *r)
{
	return r->action == RULE_BLOCK && r->rt != RULE_RT_NONE;
}

/* --- */

/*
 * What a message points at: an element of the combination, or the option of
 * that kind (an AST_OPT_*).
 */
enum { AT_OS = AST_NKINDS, AT_PORT, AT_USER, AT_GROUP, AT_ICMP, AT_PROTO,
    AT_RULE };

static const struct condition {
	rule_predicate	*is_broken;
	int		 at;
	enum severity	 severity;
	const char	*code, *text;
} conditions[] = {
#define ERROR(fn, at, code, text)	{ fn, at, DIAG_ERROR, code, text }
#define WARNING(fn, at, code, text)	{ fn, at, DIAG_WARNING, code, text }
	ERROR(os_without_tcp, AT_OS, "tcp-only", "os only applies to tcp"),
	ERROR(port_without_tcp_udp, AT_PORT, "tcp-udp-only",
	    "port only applies to tcp/udp"),
	ERROR(user_without_tcp_udp, AT_USER, "tcp-udp-only",
	    "user only applies to tcp/udp"),
	ERROR(group_without_tcp_udp, AT_GROUP, "tcp-udp-only",
	    "group only applies to tcp/udp"),
	ERROR(icmp_type_without_icmp, AT_ICMP, "icmp-type",
	    "icmp-type/code only applies to icmp"),
	ERROR(icmp_type_without_af, AT_ICMP, "icmp-type",
	    "must indicate address family with icmp-type/code"),
	ERROR(af_to_same_family, AST_OPT_AF_TO, "af-to",
	    "must indicate different address family with af-to"),
	ERROR(overload_without_limit, AST_OPT_STATE, "overload",
	    "'overload' requires 'max-src-conn' or 'max-src-conn-rate'"),
	ERROR(icmp_of_ipv6, AT_PROTO, "af",
	    "proto icmp doesn't match address family inet6"),
	ERROR(icmp6_of_ipv4, AT_PROTO, "af",
	    "proto icmp6 doesn't match address family inet"),
	ERROR(allow_opts_without_pass, AST_OPT_ALLOW_OPTS, "pass-only",
	    "allow-opts can only be specified for pass rules"),
	ERROR(fragment_of_more_than_ip, AST_OPT_FRAGMENT, "fragment",
	    "fragments can be filtered only on IP header fields"),
	ERROR(rst_without_tcp, AT_RULE, "tcp-only",
	    "return-rst can only be applied to TCP rules"),
	ERROR(state_without_pass, AST_OPT_STATE, "pass-only",
	    "keep state is great, but only for pass rules"),
	ERROR(route_without_state, AST_OPT_ROUTE, "route",
	    "route-to, reply-to and dup-to require keep state"),
	ERROR(sloppy_with_strict_state, AST_OPT_STATE, "state-option",
	    "sloppy state matching cannot be used with synproxy state or "
	    "modulate state"),
	WARNING(synproxy_not_inbound, AST_OPT_STATE, "synproxy",
	    "warning: synproxy used for inbound rules only, ignored for "
	    "outbound"),
	ERROR(translation_without_state, AT_RULE, "translation",
	    "nat-to and rdr-to require keep state"),
	ERROR(translation_without_direction, AT_RULE, "translation",
	    "nat-to and rdr-to require a direction"),
	ERROR(scrub_of_ipv4_for_ipv6, AST_OPT_SCRUB, "scrub",
	    "address family inet6 does not support scrub options no-df, "
	    "random-id"),
	ERROR(match_with_divert, AT_RULE, "divert",
	    "divert is not supported on match rules"),
	ERROR(match_with_route, AST_OPT_ROUTE, "route",
	    "route-to, reply-to and dup-to are not supported on match rules"),
	ERROR(match_with_af_to, AST_OPT_AF_TO, "af-to",
	    "af-to is not supported on match rules"),
	ERROR(block_with_route, AST_OPT_ROUTE, "route",
	    "route-to, reply-to and dup-to are not supported on block rules"),
#undef ERROR
#undef WARNING
};

/* The option of that kind, or the whole statement. */
static const struct ast *
option_node(const struct statement *st, int kind)
{
	const struct ast *opts = st->node->kid[AST_K_OPTS], *o;

	for (o = opts != NULL ? opts->first : NULL; o != NULL; o = o->next)
		if ((int)o->kind == kind)
			return o;
	return st->node;
}

static const struct ast *
node_at(const struct combination *c, int at)
{
	const struct ast *n = NULL;

	switch (at) {
	case AT_OS:
		n = c->os->node;
		break;
	case AT_PORT:
		n = c->dst_port->node != NULL ? c->dst_port->node :
		    c->src_port->node;
		break;
	case AT_USER:
		n = c->uid->node;
		break;
	case AT_GROUP:
		n = c->gid->node;
		break;
	case AT_ICMP:
		n = c->icmp->node;
		break;
	case AT_PROTO:
		n = c->proto->node;
		break;
	default:
		return option_node(c->st, at);
	}
	return n != NULL ? n : c->st->node;
}

/* Which protocol it was, or that none was given. */
static void
note_protocol(struct sema *s, const struct combination *c, struct diag *d,
    int at)
{
	if (d->cascade || (at != AT_PORT && at != AT_USER && at != AT_GROUP &&
	    at != AT_OS))
		return;
	if (c->proto->node == NULL)
		diag_note(&s->rs->diags, d, (struct span){ 0, 0, 0 },
		    at == AT_OS ? "the rule needs `proto tcp`" :
		    "the rule needs `proto tcp` or `proto udp`");
	else
		diag_note(&s->rs->diags, d, c->proto->node->span,
		    "for this protocol");
}

static void
warn(struct sema *s, const struct ast *n, const struct condition *w)
{
	struct diag *d;

	d = diag_add(&s->rs->diags, DIAG_WARNING, w->code, "%s", w->text);
	d->plain = PLAIN_AT;
	d->plain_file = parser_plain_file(s->parser);
	d->plain_line = parser_plain_line(s->parser);
	d->span = n->span;
	d->via = n->via;
}

unsigned
check_rule(struct sema *s, const struct rule *r, const struct combination *c)
{
	const size_t n = sizeof(conditions) / sizeof(*conditions);
	unsigned broken = 0;
	struct diag *d;

	for (const struct condition *k = conditions; k < conditions + n; k++) {
		if (!k->is_broken(r))
			continue;
		if (k->severity == DIAG_WARNING) {
			warn(s, node_at(c, k->at), k);
			continue;
		}
		d = combination_error(s, node_at(c, k->at), k->code, "%s",
		    k->text);
		note_protocol(s, c, d, k->at);
		broken++;
	}
	return broken;
}

/* --- binat-to --- */

#define NAME_BEFORE_MASK	16

/*
 * Whether the mask is all zeros as pfctl sees it: never without a family, and
 * it keeps names in the same room, where a long one reaches into the mask.
 */
static bool
is_zero_mask(const struct rule_addr *a, uint8_t af)
{
	if (af == PFK_AF_UNSPEC)
		return false;
	if (a->kind == RULE_ADDR_TABLE || a->kind == RULE_ADDR_ROUTE_LABEL)
		return strlen(a->name) <= NAME_BEFORE_MASK;
	return addr_is_zero(&a->mask, (enum pfk_af)af);
}

static bool
is_binat_addr(const struct rule_addr *a)
{
	return a->kind == RULE_ADDR_ANY || a->kind == RULE_ADDR_MASK ||
	    a->kind == RULE_ADDR_DYNAMIC;
}

#define binat_error(s, n, ...)						\
	((void)combination_error((s), (n), "binat", __VA_ARGS__), false)

static bool
check_binat_source(struct sema *s, const struct combination *c,
    const struct rule_addr *src, const struct rule_addr *nat)
{
	if (src->kind == RULE_ADDR_TABLE)
		return binat_error(s, c->src->node, "invalid use of table "
		    "<%s> as the source address of a binat-to rule",
		    src->name);
	if (is_multi_address(src))
		return binat_error(s, c->src->node, "invalid use of interface "
		    "(%s) as the source address of a binat-to rule",
		    src->name);
	if (!is_binat_addr(src) || !is_binat_addr(nat))
		return binat_error(s, c->st->nat->node, "binat-to requires a "
		    "specified source and redirect address");
	return true;
}

bool
check_binat(struct sema *s, const struct combination *c,
    const struct rule *r, uint8_t af, const struct rule_addr *nat)
{
	const struct rule_addr *src = &r->src.addr;
	const struct ast *pool = c->st->nat->node;
	bool good = check_binat_source(s, c, src, nat);

	if (is_multi_address(src) || is_multi_address(nat))
		good = binat_error(s, pool, "dynamic interfaces must be used "
		    "with :0 in a binat-to rule");
	if (is_zero_mask(src, af) || is_zero_mask(nat, af))
		good = binat_error(s, pool, "source and redir addresess must "
		    "have a matching network mask in binat-rule");
	if (nat->kind == RULE_ADDR_TABLE)
		good = binat_error(s, pool, "tables cannot be used as the "
		    "redirect address of a binat-to rule");
	if (r->direction != RULE_INOUT)
		good = binat_error(s, pool, "binat-to cannot be specified "
		    "with a direction");
	return good;
}
