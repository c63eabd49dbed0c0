/*
 * Pools: the addresses after nat-to, rdr-to, af-to, route-to and the like,
 * their ports and options.
 *
 * A POOL or ROUTESPEC becomes a struct stmt_pool.  Whether its addresses fit
 * the rule is seen in each combination, by expand.c.
 */
#include <stdio.h>
#include <string.h>

#include "compiler/md5.h"
#include "compiler/sema_int.h"

#define HEX_KEY_LEN	34		/* "0x" and 128 bits */

/* An option's place in pool_given[]. */
static bool *
given(struct sema *s, enum ast_kind kind)
{
	return &sema_rules(s)->pool_given[kind - AST_POOL];
}

static enum ast_result
pool_host(struct sema *s, struct ast *n)
{
	struct host_list *l = n->kid[0]->sem;

	if (n->num2 == 1 && l->first->addr.kind != RULE_ADDR_MASK)
		return sema_error(s, n, "pool", "only addresses can be listed "
		    "for redirection pools ");
	for (struct host_item *i = l->first; i != NULL; i = i->next)
		i->weight = (uint16_t)n->num;
	n->sem = l;
	return AST_OK;
}

/* --- options --- */

static void
random_key(struct sema *s, uint32_t key[4])
{
	for (int i = 0; i < 4; i++)
		key[i] = compile_random(s->rs);
}

/* A word's key is its MD5 digest. */
static void
word_key(const char *word, uint32_t key[4])
{
	uint8_t digest[16];

	md5(word, strlen(word), digest);
	for (int i = 0; i < 4; i++) {
		const uint8_t *p = digest + 4 * i;

		key[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		    (uint32_t)p[2] << 8 | p[3];
	}
}

static enum ast_result
source_hash(struct sema *s, struct ast *n)
{
	uint32_t *key = arena_alloc(&s->rs->scratch, 4 * sizeof(*key));

	n->sem = key;
	if (n->str == NULL)
		random_key(s, key);
	else if (strncmp(n->str, "0x", 2) != 0)
		word_key(n->str, key);
	else if (strlen(n->str) != HEX_KEY_LEN)
		return sema_error(s, n, "hash-key", "hex key must be 128 bits "
		    "(32 hex digits) long");
	else if (sscanf(n->str, "0x%8x%8x%8x%8x", &key[0], &key[1], &key[2],
	    &key[3]) != 4)
		return sema_error(s, n, "hash-key", "invalid hex key");
	return AST_OK;
}

/* The option's pool type; NONE: it is something else. */
static enum rule_pooltype
pool_type(enum ast_kind kind)
{
	static const uint8_t types[] = {
		[AST_POOL_BITMASK - AST_POOL] = RULE_POOL_BITMASK,
		[AST_POOL_RANDOM - AST_POOL] = RULE_POOL_RANDOM,
		[AST_POOL_SOURCE_HASH - AST_POOL] = RULE_POOL_SOURCE_HASH,
		[AST_POOL_ROUND_ROBIN - AST_POOL] = RULE_POOL_ROUND_ROBIN,
		[AST_POOL_LEAST_STATES - AST_POOL] = RULE_POOL_LEAST_STATES,
		[AST_POOL_STICKY - AST_POOL] = RULE_POOL_NONE,
	};

	return (enum rule_pooltype)types[kind - AST_POOL];
}

static enum ast_result
redefined(struct sema *s, const struct ast *n, const char *what)
{
	return sema_error(s, n, "redefined", "%s cannot be redefined", what);
}

static enum ast_result
pool_option(struct sema *s, struct ast *n)
{
	if (n->kind == AST_POOL_SOURCE_HASH && source_hash(s, n) != AST_OK)
		return AST_REFUSED;
	if (pool_type(n->kind) != RULE_POOL_NONE) {
		/* Any type stands for all of them. */
		if (*given(s, AST_POOL_BITMASK))
			return redefined(s, n, "pool type");
		*given(s, AST_POOL_BITMASK) = true;
		return AST_OK;
	}
	if (*given(s, n->kind))
		return redefined(s, n, n->kind == AST_POOL_STICKY ?
		    "sticky-address" : "static-port");
	*given(s, n->kind) = true;
	return AST_OK;
}

/* --- the whole --- */

static void
take_option(struct stmt_pool *p, const struct ast *n)
{
	if (n->kind == AST_POOL_STICKY)
		p->sticky = true;
	else if (n->kind == AST_POOL_STATIC_PORT)
		p->static_port = true;
	else
		p->type = (uint8_t)pool_type(n->kind);
	if (n->kind == AST_POOL_SOURCE_HASH)
		memcpy(p->key, n->sem, sizeof(p->key));
}

static enum ast_result
pool(struct sema *s, struct ast *n)
{
	struct stmt_pool *p = arena_new(&s->rs->scratch, struct stmt_pool);
	const struct ast *o;

	if (n->kind == AST_ROUTESPEC &&
	    rule_opt(&sema_rules(s)->given, AST_OPT_ROUTE) != NULL)
		return sema_error(s, n, "redefined",
		    "cannot respecify route-to/reply-to/dup-to");
	p->node = n;
	p->hosts = sema_join_hosts(n->kid[0]);
	if (n->kind == AST_POOL && n->kid[1] != NULL)
		p->ports = *(const struct port_range *)n->kid[1]->sem;
	for (o = n->kid[2] ? n->kid[2]->first : NULL; o; o = o->next)
		take_option(p, o);
	n->sem = p;
	return AST_OK;
}

enum ast_result
sema_pool(struct sema *s, struct ast *n)
{
	if (n->kind == AST_POOL || n->kind == AST_ROUTESPEC)
		return pool(s, n);
	if (n->kind == AST_POOL_HOST)
		return pool_host(s, n);
	if (n->kind == AST_POOL_BEGIN) {
		memset(sema_rules(s)->pool_given, 0,
		    sizeof(s->rules->pool_given));
		return AST_OK;
	}
	return pool_option(s, n);
}
