/*
 * Builders of the parts that only one production makes.
 */
#include <string.h>

#include "parser/parser_int.h"

struct ast *
ast_queue(struct parser *p, const struct place *at, const char *name,
    struct ast *interfaces, struct ast *opts)
{
	struct ast *n = ast_new(p, at, AST_QUEUE);

	n->str = name;
	n->kid[0] = interfaces;
	n->kid[1] = opts;
	return ast_tell(p, n);
}

struct ast *
ast_burst(struct parser *p, const struct place *at, struct ast *bandwidth,
    struct ast *burst, const char *time)
{
	struct ast *n = ast_new(p, at, AST_SCSPEC);

	n->kid[0] = bandwidth;
	n->kid[1] = burst;
	n->str = time;
	return ast_tell(p, n);
}

enum ast_result
ast_weight(struct parser *p, const struct place *at, int64_t weight)
{
	return ast_event_num(p, at, AST_WEIGHT, weight);
}

struct ast *
ast_antispoof(struct parser *p, const struct place *at, struct ast *log_quick,
    struct ast *interfaces, int64_t af, struct ast *opts)
{
	struct ast *n = ast_new(p, at, AST_ANTISPOOF);

	n->kid[0] = log_quick;
	n->kid[1] = interfaces;
	n->kid[2] = opts;
	n->num = af;
	return ast_tell(p, n);
}

static void
stretch(struct ast *n, const struct place *at)
{
	n->span = at->span;
	n->via = at->via;
	n->inner = at->inner;
	n->inner_via = at->inner_via;
}

/* What stands around an interface is known only after its event. */
struct ast *
ast_in_parens(struct ast *interface, const struct place *at)
{
	interface->num2 = 1;
	stretch(interface, at);
	return interface;
}

struct ast *
ast_negate(struct ast *n, int64_t neg, const struct place *at)
{
	if (neg != 0) {
		n->neg = true;
		stretch(n, at);
	}
	return n;
}

static struct ast *
rule_node(struct parser *p, const struct place *at, enum ast_kind kind,
    const struct rule_parts *parts)
{
	struct ast *n = ast_new(p, at, kind);

	n->kid[AST_K_ACTION] = parts->action;
	n->kid[AST_K_LOGQUICK] = parts->log_quick;
	n->kid[AST_K_INTERFACE] = parts->interfaces;
	n->kid[AST_K_PROTO] = parts->protos;
	n->kid[AST_K_FROMTO] = parts->from_to;
	n->kid[AST_K_OPTS] = parts->opts;
	n->num = parts->dir;
	n->num2 = parts->af;
	return n;
}

struct ast *
ast_rule(struct parser *p, const struct place *at,
    const struct rule_parts *parts)
{
	return ast_tell(p, rule_node(p, at, AST_RULE, parts));
}

struct ast *
ast_anchor(struct parser *p, const struct place *at,
    const struct rule_parts *parts, struct ast *body)
{
	struct ast *n = rule_node(p, at, AST_ANCHOR, parts);

	n->str = body != NULL ? "{" : NULL;
	/* its lines are statements of their own: it ends with the brace */
	if (body != NULL && n->via == NULL && body->via == NULL &&
	    n->span.file == body->span.file && body->num2 > n->span.off)
		n->span.len = (uint32_t)body->num2 + 1 - n->span.off;
	return ast_tell(p, n);
}

struct ast *
ast_block(struct parser *p, const struct place *at, enum ast_block how,
    int64_t ttl, struct ast *icmp, struct ast *icmp6)
{
	struct ast *n = ast_new(p, at, AST_BLOCK_SPEC);

	n->num = how;
	n->num2 = ttl;
	n->kid[0] = icmp;
	n->kid[1] = icmp6;
	return ast_tell(p, n);
}

/*
 * `log` and `quick`: opts is the list of what stands in log's parentheses,
 * NULL without `log`.  Of several interfaces the last counts.
 */
struct ast *
ast_log(struct parser *p, const struct place *at, struct ast *opts,
    bool quick)
{
	struct ast *n = ast_new(p, at, AST_LOGQUICK);

	n->neg = quick;
	if (opts == NULL)
		return ast_tell(p, n);
	n->str = "log";
	n->num = AST_LOG;
	for (const struct ast *o = opts->first; o != NULL; o = o->next) {
		n->num |= o->num;
		if (o->num2 != 0)
			n->num2 = o->num2;
	}
	return ast_tell(p, n);
}

/* The event of a peer comes when it is known whether it is from or to. */
struct ast *
ast_peer_parts(struct parser *p, const struct place *at, struct ast *hosts,
    struct ast *ports)
{
	struct ast *n = ast_new(p, at, AST_PEER);

	n->kid[0] = hosts;
	n->kid[1] = ports;
	return n;
}

struct ast *
ast_peer(struct parser *p, const struct place *at, struct ast *n, int64_t to)
{
	n->num = to;
	n->span = at->span;
	n->via = at->via;
	return ast_tell(p, n);
}

/* `any` in a list makes all of it any. */
struct ast *
ast_hosts(struct ast *list, struct ast *more)
{
	if (list == NULL || more == NULL)
		return NULL;
	return ast_splice(list, more);
}

struct ast *
ast_xhost(struct parser *p, const struct place *at, int64_t neg,
    struct ast *host)
{
	struct ast *n = ast_new(p, at, AST_XHOST);

	n->neg = neg != 0;
	n->kid[0] = host;
	return ast_tell(p, n);
}

struct ast *
ast_xhost_kind(struct parser *p, const struct place *at,
    const struct place *host_at, int64_t neg, enum ast_kind kind)
{
	struct ast *host = ast_num(p, host_at, kind, 0);

	return p->verdict == AST_OK ? ast_xhost(p, at, neg, host) : NULL;
}

struct ast *
ast_host_bits(struct parser *p, const struct place *at, const char *address,
    int64_t bits)
{
	const char *digits = ast_decimal(p, bits);
	size_t len = strlen(address), more = strlen(digits);
	char *text = arena_alloc(p->opt.arena, len + more + 2);

	memcpy(text, address, len);
	text[len] = '/';
	memcpy(text + len + 1, digits, more);
	return ast_str(p, at, AST_HOST, text);
}

/* 10/8 */
struct ast *
ast_host_number(struct parser *p, const struct place *at, int64_t net,
    int64_t bits)
{
	return ast_host_bits(p, at, ast_decimal(p, net), bits);
}

struct ast *
ast_binary(struct parser *p, const struct place *at, enum ast_kind kind,
    struct ast *a, int64_t op, struct ast *b)
{
	struct ast *n = ast_new(p, at, kind);

	n->num = op;
	n->kid[0] = a;
	n->kid[1] = b;
	return ast_tell(p, n);
}

struct ast *
ast_tagged(struct parser *p, const struct place *at, int64_t neg,
    const char *tag)
{
	struct ast *n = ast_new(p, at, AST_OPT_TAGGED);

	n->neg = neg != 0;
	n->str = tag;
	return ast_tell(p, n);
}

struct ast *
ast_received_on(struct parser *p, const struct place *at, int64_t neg,
    struct ast *interface)
{
	struct ast *n = ast_new(p, at, AST_OPT_RECEIVED_ON);

	n->neg = interface->neg = neg != 0;
	n->kid[0] = interface;
	return ast_tell(p, n);
}

struct ast *
ast_af_to(struct parser *p, const struct place *at, int64_t af,
    struct ast *from, struct ast *to)
{
	struct ast *n = ast_new(p, at, AST_OPT_AF_TO);

	n->num = af;
	n->kid[0] = from;
	n->kid[1] = to;
	return ast_tell(p, n);
}

struct ast *
ast_icmp(struct parser *p, const struct place *at, enum pfk_af af,
    struct ast *type, struct ast *code)
{
	struct ast *n = ast_new(p, at, AST_ICMP_ITEM);

	n->num = af;
	n->kid[0] = type;
	n->kid[1] = code;
	return ast_tell(p, n);
}

struct ast *
ast_icmp_one(struct parser *p, const struct place *at, enum pfk_af af,
    struct ast *item)
{
	return ast_of_num(p, at, AST_OPT_ICMP, ast_list(p, at, item), af);
}

/* --- pools --- */

struct ast *
ast_pool(struct parser *p, const struct place *at, enum ast_kind kind,
    struct ast *hosts, struct ast *port, struct ast *opts)
{
	struct ast *n = ast_new(p, at, kind);

	n->kid[0] = hosts;
	n->kid[1] = port;
	n->kid[2] = opts;
	n->num = hosts->num;
	return ast_tell(p, n);
}

/* position: 0 alone, 1 the first of a list, 2 a later one */
struct ast *
ast_pool_host(struct parser *p, const struct place *at, struct ast *host,
    int64_t weight, int64_t position)
{
	struct ast *n = ast_new(p, at, AST_POOL_HOST);

	n->kid[0] = host;
	n->num = weight;
	n->num2 = position;
	return ast_tell(p, n);
}

/* A list written in braces; its num says so. */
struct ast *
ast_pool_list(struct parser *p, const struct place *at, struct ast *host,
    int64_t weight)
{
	struct ast *item = ast_pool_host(p, at, host, weight, 1), *list;
	enum ast_result verdict = p->verdict;

	list = ast_list(p, at, item);
	list->num = 1;
	p->verdict = verdict;
	return list;
}

struct ast *
ast_pool_more(struct parser *p, struct ast *list, struct ast *host,
    int64_t weight)
{
	struct place here = { .span = host->span, .via = host->via };

	return ast_append(list, ast_pool_host(p, &here, host, weight, 2));
}
