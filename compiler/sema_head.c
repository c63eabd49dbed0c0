/*
 * What stands before the options of a rule: action, logging, interfaces,
 * protocols, ports; and how all of it gets into a statement.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/names.h"
#include "compiler/sema_int.h"

#define MAX_RDOMAIN	255
#define MAX_PFLOG	255
#define ICMP_CODE_MAX	255

struct sema_rules *
sema_rules(struct sema *s)
{
	if (s->rules == NULL)
		s->rules = arena_new(&s->rs->arena, struct sema_rules);
	return s->rules;
}

/* --- block --- */

/* A number as C writes it; false if the text is something else. */
static bool
c_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return *text != '\0' && *end == '\0' && errno != ERANGE;
}

/* num2 becomes the code, of ICMP's "unreachable". */
static enum ast_result
return_icmp(struct sema *s, struct ast *n)
{
	enum pfk_af af = n->kind == AST_RETURN_ICMP6 ? PFK_AF_INET6 :
	    PFK_AF_INET;
	const struct ast *word = n->kid[0];
	uint64_t value;
	int code;

	if (word->kind == AST_NUM) {
		n->num2 = word->num;
		if (word->num < 0 || word->num > ICMP_CODE_MAX)
			return sema_error(s, n, "range",
			    "invalid icmp code %" PRId64, word->num);
		return AST_OK;
	}
	if (!c_number(word->str, &value)) {
		code = icmp_code_number(af, SEMA_UNREACH(af), word->str);
		if (code == -1)
			return sema_error(s, n, "icmp", "unknown icmp code %s",
			    word->str);
		value = (uint64_t)code;
	}
	if (value > ICMP_CODE_MAX)
		return sema_error(s, n, "range", "invalid icmp code %" PRIu64,
		    value);
	n->num2 = (int64_t)value;
	return AST_OK;
}

static enum ast_result
block_spec(struct sema *s, struct ast *n)
{
	if (n->num == AST_BLOCK_RETURN_RST && n->num2 != -1 &&
	    (n->num2 < 0 || n->num2 > UINT8_MAX))
		return sema_error(s, n, "range", "illegal ttl value %" PRId64,
		    n->num2);
	return AST_OK;
}

/* --- log --- */

/* What strtonum(3) says of the text as a number up to max, or NULL. */
static const char *
number_problem(const char *text, long long max, long long *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	if (end == text || *end != '\0')
		return "invalid";
	if (*value < 0)
		return "too small";
	if (*value > max)
		return "too large";
	return NULL;
}

/* log (to pflogN): num2 becomes N. */
static enum ast_result
log_to(struct sema *s, struct ast *n)
{
	const char *problem;
	long long unit;

	if (strncmp(n->str, "pflog", 5) != 0)
		return sema_error(s, n, "log",
		    "%s: should be a pflog interface", n->str);
	if ((problem = number_problem(n->str + 5, MAX_PFLOG, &unit)) != NULL)
		return sema_error(s, n, "log", "%s: %s", n->str, problem);
	n->num2 = unit;
	return AST_OK;
}

/* --- interfaces, protocols --- */

static enum ast_result
interface(struct sema *s, struct ast *n)
{
	struct stmt_if *i;

	if (n->str != NULL && strlen(n->str) >= RULE_IFNAMSIZ)
		return sema_error(s, n, "too-long", "interface name too long");
	if (n->str == NULL && (n->num < 0 || n->num > MAX_RDOMAIN))
		(void)sema_error(s, n, "range", "rdomain %" PRId64
		    " outside range", n->num);
	n->sem = i = arena_new(&s->rs->scratch, struct stmt_if);
	i->node = n;
	i->name = n->str;
	i->rdomain = n->str == NULL ? (int32_t)n->num : -1;
	return AST_OK;
}

static enum ast_result
unknown_protocol(struct sema *s, const struct ast *n, const char *word)
{
	static const char *const usual[] = { "tcp", "udp", "icmp", "icmp6",
	    "esp", "ah", "gre", "ipencap", "ipv6", "igmp", "ospf", "carp",
	    "pfsync", "sctp", "etherip", "vrrp", NULL };

	parser_error(s->parser, n, "unknown-protocol", "unknown protocol %s",
	    word)->suggestion = suggest(word, usual);
	return AST_REFUSED;
}

static enum ast_result
protocol(struct sema *s, struct ast *n)
{
	const struct ast *word = n->kid[0];
	struct stmt_proto *p;
	int64_t number = word->num;

	if (word->kind != AST_NUM) {
		number = resolve_protocol(s->rs, word->str);
		if (number == -1)
			return unknown_protocol(s, n, word->str);
	} else if (number < 0 || number > UINT8_MAX)
		return sema_error(s, n, "range", "protocol outside range");
	if ((uint8_t)number == 0)
		return sema_error(s, n, "range", "proto 0 cannot be used");
	n->sem = p = arena_new(&s->rs->scratch, struct stmt_proto);
	p->node = n;
	p->proto = (uint8_t)number;
	return AST_OK;
}

/* --- ports --- */

static enum ast_result
port_range(struct sema *s, struct ast *n)
{
	struct port_range *r = arena_new(&s->rs->scratch, struct port_range);

	if (!resolve_port(s->rs, n, n->kid[0]->str, (unsigned)n->num, r))
		return AST_REFUSED;
	n->sem = r;
	return AST_OK;
}

bool
sema_port_range_empty(uint8_t op, uint16_t a, uint16_t b)
{
	return ((op == RULE_OP_RRG || op == RULE_OP_XRG) && a > b) ||
	    (op == RULE_OP_IRG && a >= b);
}

static enum ast_result
port_item(struct sema *s, struct ast *n)
{
	const struct port_range *a = n->kid[0]->sem;
	const struct port_range *b = n->kid[1] ? n->kid[1]->sem : NULL;
	struct rule_ports ports = { (uint8_t)n->num, { a->a, a->b } };
	struct stmt_port *p;

	if (n->kind == AST_PORT_EQ)
		ports.op = a->type ? RULE_OP_RRG : RULE_OP_EQ;
	else if (a->type != 0 || (b != NULL && b->type != 0))
		return sema_error(s, n, "port-operator",
		    "':' cannot be used with an other port operator");
	if (b != NULL)
		ports.port[1] = b->a;
	if (sema_port_range_empty(ports.op, ports.port[0], ports.port[1]))
		return sema_error(s, n, "port-range", "invalid port range");
	n->sem = p = arena_new(&s->rs->scratch, struct stmt_port);
	p->node = n;
	p->ports = ports;
	return AST_OK;
}

enum ast_result
sema_head(struct sema *s, struct ast *n)
{
	if (n->kind == AST_BLOCK_SPEC)
		return block_spec(s, n);
	if (n->kind == AST_RETURN_ICMP || n->kind == AST_RETURN_ICMP6)
		return return_icmp(s, n);
	if (n->kind == AST_LOGQUICK)	/* antispoof's options begin here */
		memset(&sema_rules(s)->given, 0, sizeof(s->rules->given));
	if (n->kind == AST_LOG_OPT && n->str != NULL)
		return log_to(s, n);
	if (n->kind == AST_INTERFACE)
		return interface(s, n);
	if (n->kind == AST_PROTO)
		return protocol(s, n);
	if (n->kind == AST_PORT_RANGE)
		return port_range(s, n);
	if (n->kind == AST_PORT_EQ || n->kind == AST_PORT_UNARY ||
	    n->kind == AST_PORT_BINARY)
		return port_item(s, n);
	return AST_OK;
}

/* --- into a statement --- */

static void
take_peer(const struct ast *n, const struct host_list **hosts,
    const struct stmt_port **ports)
{
	*hosts = n ? n->sem : NULL;
	SEMA_CHAIN(struct stmt_port, n ? n->kid[1] : NULL, *ports);
}

void
sema_head_to_statement(const struct ast *n, struct statement *st)
{
	const struct ast *log = n->kid[AST_K_LOGQUICK];
	const struct ast *fromto = n->kid[AST_K_FROMTO];
	const struct ast *ifs = n->kid[AST_K_INTERFACE], *i;

	st->node = n;
	st->rule.span = n->span;
	st->rule.via = n->via;
	st->rule.direction = (uint8_t)n->num;
	st->rule.af = (uint8_t)n->num2;
	st->rule.log = (uint8_t)log->num;
	st->rule.logif = (uint8_t)log->num2;
	st->rule.quick = log->neg;
	/* The `!` of an interface is read before the interface itself. */
	for (i = ifs ? ifs->first : NULL; i != NULL; i = i->next)
		((struct stmt_if *)i->sem)->neg = i->neg;
	SEMA_CHAIN(struct stmt_if, ifs, st->ifs);
	SEMA_CHAIN(struct stmt_proto, n->kid[AST_K_PROTO], st->protos);
	take_peer(fromto->kid[0], &st->src, &st->src_ports);
	take_peer(fromto->kid[2], &st->dst, &st->dst_ports);
	SEMA_CHAIN(struct stmt_os, fromto->kid[1], st->oses);
}
