/*
 * pass, block, match: a complete rule becomes a statement, and that flat
 * rules.
 */
#include <string.h>

#include "compiler/sema_int.h"

_Static_assert((int)AST_PASS == RULE_PASS && (int)AST_BLOCK == RULE_BLOCK &&
    (int)AST_MATCH == RULE_MATCH && (int)AST_INOUT == RULE_INOUT &&
    (int)AST_IN == RULE_IN && (int)AST_OUT == RULE_OUT &&
    (int)AST_LOG == RULE_LOG && (int)AST_LOG_ALL == RULE_LOG_ALL &&
    (int)AST_LOG_MATCHES == RULE_LOG_MATCHES &&
    (int)AST_LOG_USER == RULE_LOG_USER &&
    (int)AST_ROUTE_TO == RULE_ROUTE_TO &&
    (int)AST_REPLY_TO == RULE_REPLY_TO &&
    (int)AST_DUP_TO == RULE_DUP_TO, "numbers of ast.h and rule.h differ");

/* "unreachable": the port, or no port, is what block answers by default. */
#define ICMP_BY_DEFAULT		(3 << 8 | 3)
#define ICMP6_BY_DEFAULT	(1 << 8 | 4)

static uint16_t
unreachable(enum pfk_af af, const struct ast *n)
{
	return (uint16_t)(SEMA_UNREACH(af) << 8 | (unsigned)n->num2);
}

/*
 * return-icmp (code): where only IPv4's code is written, pfctl puts IPv4's
 * default in the place of IPv6's as well.
 */
static void
take_return_icmp(const struct ast *spec, struct rule *r)
{
	const struct ast *code = spec->kid[0], *code6 = spec->kid[1];

	if (code != NULL) {
		r->return_icmp = unreachable(PFK_AF_INET, code);
		r->return_icmp6 = ICMP_BY_DEFAULT;
	}
	if (code6 != NULL)
		r->return_icmp6 = unreachable(PFK_AF_INET6, code6);
}

static uint8_t
block_kind(struct sema *s, const struct ast *spec)
{
	switch ((enum ast_block)spec->num) {
	case AST_BLOCK_DROP:
		return RULE_DROP;
	case AST_BLOCK_RETURN:
		return RULE_RETURN;
	case AST_BLOCK_RETURN_RST:
		return RULE_RETURN_RST;
	case AST_BLOCK_RETURN_ICMP:
	case AST_BLOCK_RETURN_ICMP6:
		return RULE_RETURN_ICMP;
	case AST_BLOCK_DEFAULT:
		break;
	}
	return s->block_policy;
}

static void
take_action(struct sema *s, const struct ast *action, struct rule *r)
{
	const struct ast *spec = action->kid[0];

	r->action = (uint8_t)action->num;
	if (action->num != AST_BLOCK || spec == NULL)
		return;
	r->block = block_kind(s, spec);
	if (r->block == RULE_RETURN || r->block == RULE_RETURN_ICMP) {
		r->return_icmp = ICMP_BY_DEFAULT;
		r->return_icmp6 = ICMP6_BY_DEFAULT;
	}
	if (r->block == RULE_RETURN_ICMP)
		take_return_icmp(spec, r);
	if (r->block == RULE_RETURN_RST && spec->num2 != -1)
		r->return_ttl = (uint8_t)spec->num2;
}

/* --- pools --- */

/* The pool of an option (NULL: none), which may say more about it. */
static struct stmt_pool *
pool_of(const struct ast *option, int kid)
{
	if (option == NULL || option->kid[kid] == NULL)
		return NULL;
	return option->kid[kid]->sem;
}

/* What stands behind a pool, apart from its ports. */
static void
copy_options(struct stmt_pool *to, const struct stmt_pool *from)
{
	to->type = from->type;
	to->sticky = from->sticky;
	to->static_port = from->static_port;
	memcpy(to->key, from->key, sizeof(to->key));
}

/*
 * af-to names two pools; without `to` the second is there, but empty.  pfctl
 * takes the second's options for the first's; the second then has none, or
 * those of a rdr-to in the same rule.
 */
static void
take_af_to(struct sema *s, const struct ast *n, const struct stmt_pool *rdr,
    struct statement *st)
{
	static const struct stmt_pool no_options;
	struct stmt_pool *from = pool_of(n, 0), *to = pool_of(n, 1);

	from->af = (uint8_t)n->num;
	st->nat = from;
	if (to == NULL) {
		to = arena_new(&s->rs->scratch, struct stmt_pool);
		to->node = n;
	} else {
		to->af = (uint8_t)n->num;
		copy_options(from, to);
		copy_options(to, rdr != NULL ? rdr : &no_options);
	}
	st->rdr = to;
}

static void
take_pools(struct sema *s, const struct rule_opts *o, struct statement *st)
{
	const struct ast *af_to = rule_opt(o, AST_OPT_AF_TO);
	struct stmt_pool *binat = pool_of(rule_opt(o, AST_OPT_BINAT_TO), 0);

	st->nat = pool_of(rule_opt(o, AST_OPT_NAT_TO), 0);
	st->rdr = pool_of(rule_opt(o, AST_OPT_RDR_TO), 0);
	st->route = pool_of(rule_opt(o, AST_OPT_ROUTE), 0);
	if (binat != NULL) {
		binat->binat = true;
		binat->static_port = true;
		st->nat = binat;
	}
	if (af_to != NULL)
		take_af_to(s, af_to, st->rdr, st);
}

static bool
take_route(struct sema *s, const struct ast *n, struct rule *r)
{
	if (n == NULL)
		return true;
	if (n->num != AST_DUP_TO && r->direction == RULE_INOUT) {
		(void)sema_error(s, n, "route", "direction must be explicit "
		    "with rules that specify routing");
		return false;
	}
	r->rt = (uint8_t)n->num;
	return true;
}

/* --- divert --- */

static const struct host_item *
first_of_af(const struct host_list *hosts, uint8_t af)
{
	const struct host_item *i = hosts->first;

	while (i != NULL && i->af != af)
		i = i->next;
	return i;
}

static bool
take_divert_to(struct sema *s, const struct ast *n, struct rule *r)
{
	const struct host_list *hosts = n->sem;
	const struct host_item *host = hosts->first;

	if (r->direction == RULE_OUT) {
		(void)sema_error(s, n, "divert",
		    "divert-to used with outgoing rule");
		return false;
	}
	if (r->af == PFK_AF_UNSPEC)
		r->af = host->af;
	else if ((host = first_of_af(hosts, r->af)) == NULL) {
		(void)sema_error(s, n, "divert",
		    "divert-to address family mismatch");
		return false;
	}
	r->divert.type = RULE_DIVERT_TO;
	r->divert.af = host->af;
	r->divert.addr = host->addr.addr;
	r->divert.port = ((const struct port_range *)n->kid[0]->sem)->a;
	return true;
}

static bool
take_divert(struct sema *s, const struct rule_opts *o, struct rule *r)
{
	const struct ast *to = rule_opt(o, AST_OPT_DIVERT_TO);
	const struct ast *reply = rule_opt(o, AST_OPT_DIVERT_REPLY);
	const struct ast *packet = rule_opt(o, AST_OPT_DIVERT_PACKET);

	if (to != NULL)
		return take_divert_to(s, to, r);
	if (reply != NULL && r->direction == RULE_IN) {
		(void)sema_error(s, reply, "divert",
		    "divert-reply used with incoming rule");
		return false;
	}
	if (reply != NULL)
		r->divert.type = RULE_DIVERT_REPLY;
	if (packet != NULL) {
		r->divert.type = RULE_DIVERT_PACKET;
		r->divert.port =
		    ((const struct port_range *)packet->kid[0]->sem)->a;
	}
	return true;
}

/* --- */

enum ast_result
sema_rule(struct sema *s, struct ast *n)
{
	struct statement st = { .node = n };
	struct rule_opts o;
	struct rule *r = &st.rule;

	rule_init(r);
	take_action(s, n->kid[AST_K_ACTION], r);
	sema_head_to_statement(n, &st);
	if (!sema_opts_to_statement(s, n->kid[AST_K_OPTS], &o, &st) ||
	    !sema_check_tcp_only(s, &o, &st,
	    "OS fingerprinting only apply to tcp") ||
	    !sema_keep_state(s, &o, &st))
		return AST_REFUSED;
	sema_decide_af(st.src, &r->af);
	sema_decide_af(st.dst, &r->af);
	if (!take_route(s, rule_opt(&o, AST_OPT_ROUTE), r) ||
	    !take_divert(s, &o, r))
		return AST_REFUSED;
	take_pools(s, &o, &st);
	sema_option_parts(&o, &st);
	/* pfctl goes on after whatever is wrong with a combination. */
	(void)expand_statement(s, &st);
	return AST_OK;
}
