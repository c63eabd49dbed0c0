/*
 * Pools of flat rules: what a nat-to, rdr-to, af-to or route-to means in one
 * combination of a statement's lists.
 *
 * Of the addresses written those of the rule's family are taken.  One is put
 * into the rule; of more a constant table is made, for each rule anew.
 */
#include <errno.h>
#include <string.h>

#include "compiler/combination.h"
#include "compiler/print.h"

/* What nat-to draws source ports from, if it is told nothing. */
#define NAT_PORT_LOW	50001
#define NAT_PORT_HIGH	65535

static const char *const use_names[POOL_USES] = {
	"translation", "translation", "routing"
};

/* A pool whose addresses are being chosen. */
struct choice {
	struct sema	*s;
	struct rule	*r;
	const struct stmt_pool *p;
	enum pool_use	 use;
	uint8_t		 af;		/* for a rule that has none yet */
	size_t		 n;
	const struct host_item *first;
	struct table	*table;		/* NULL: one address so far */
	struct host_item *shown, **shown_tail;
};

#define refuse(c, code, ...)						\
	((void)combination_error((c)->s, (c)->p->node, (code),		\
	    __VA_ARGS__), false)

bool
is_multi_address(const struct rule_addr *a)
{
	const char *end;

	if (a->kind != RULE_ADDR_DYNAMIC)
		return false;
	if (!(a->ifmods & RULE_IF_NOALIAS) || a->name[0] == '\0')
		return true;
	end = a->name + strlen(a->name) - 1;
	return *end < '0' || *end > '9';
}

/* --- tables of several addresses --- */

static void
open_table(struct choice *c)
{
	struct pfk_ruleset *rs = c->s->rs;
	struct table *t = arena_new(&rs->arena, struct table);

	t->name = compile_automatic_name(rs, &rs->arena,
	    rs->next_automatic++);
	t->anchor = rs->flat.root;
	t->is_const = t->has_init = t->automatic = true;
	t->span = c->p->node->span;
	c->table = t;
	c->shown_tail = &c->shown;
}

static bool
add_to_table(struct choice *c, const struct host_item *h)
{
	struct table_addr a = { .addr = h->addr.addr, .af = h->af,
	    .weight = h->weight };
	unsigned bits = addr_mask_bits(&h->addr.mask);
	struct host_item *copy;

	if (c->table == NULL)
		open_table(c);
	if (h->af == PFK_AF_UNSPEC || bits > addr_bits(h->af)) {
		(void)sema_message(c->s, h->node, "pool", PLAIN_PFCTL,
		    "failed to add host: %s", strerror(EINVAL));
		return false;
	}
	a.bits = (uint8_t)bits;
	vec_push(&c->s->rs->arena, &c->table->addrs, a);
	table_note_element(c->s, c->table, h->node, c->table->addrs.n - 1);
	if (c->s->rs->verbose > 0) {
		copy = arena_new(&c->s->rs->scratch, struct host_item);
		copy->addr = h->addr;
		copy->af = h->af;
		*c->shown_tail = copy;
		c->shown_tail = &copy->next;
	}
	return true;
}

/* The table becomes the pool's address. */
static void
use_table(struct choice *c, struct rule_pool *pool)
{
	struct anchor *root = c->s->rs->flat.root;
	struct table_init init = { NULL, c->shown, NULL };

	if (c->s->rs->verbose > 0)
		print_table(&c->s->rs->echo, c->table, &init);
	*root->tables_tail = c->table;
	root->tables_tail = &c->table->next;
	memset(&pool->addr, 0, sizeof(pool->addr));
	pool->addr.kind = RULE_ADDR_TABLE;
	pool->addr.name = c->table->name;
}

/* --- choosing addresses --- */

static bool
is_network(const struct host_item *h)
{
	return h->addr.kind == RULE_ADDR_ANY ||
	    h->addr.kind == RULE_ADDR_MASK || h->addr.kind == RULE_ADDR_NONE;
}

static bool
takes_many(uint8_t pooltype)
{
	return pooltype != RULE_POOL_NONE && pooltype != RULE_POOL_BITMASK;
}

/* An address besides those chosen before. */
static bool
choose_further(struct choice *c, const struct host_item *h)
{
	if (c->p->type != RULE_POOL_NONE && !takes_many(c->p->type))
		return refuse(c, "pool-type", "pool type is not valid for "
		    "multiple translation or routing addresses");
	if (c->table == NULL && !is_network(c->first) && !is_network(h))
		return refuse(c, "pool", "multiple tables or dynamic "
		    "interfaces not supported for translation or routing");
	if (c->table == NULL && !add_to_table(c, c->first))
		return false;
	return add_to_table(c, h);
}

/* What the family of a rule must be so that af-to gives the target's. */
static uint8_t
family_before(uint8_t target, uint8_t pool_af)
{
	if (target == PFK_AF_INET6)
		return PFK_AF_INET;
	return target == PFK_AF_INET ? PFK_AF_INET6 : pool_af;
}

enum verdict { SKIP, TAKE, REFUSE };

/* Whether the address's family fits the rule and the other addresses. */
static enum verdict
judge_family(struct choice *c, const struct host_item *h)
{
	struct rule *r = c->r;

	if (c->p->af != PFK_AF_UNSPEC && r->af == PFK_AF_UNSPEC &&
	    c->af == PFK_AF_UNSPEC)
		c->af = family_before(r->naf, c->p->af);
	if (h->af == PFK_AF_UNSPEC)
		return TAKE;
	if (r->naf != PFK_AF_UNSPEC) {
		if (c->p->af == PFK_AF_UNSPEC || c->p->af == h->af)
			return TAKE;
		(void)refuse(c, "af", "%s spec contains addresses that don't "
		    "match target address family", use_names[c->use]);
		return REFUSE;
	}
	if (r->af != PFK_AF_UNSPEC)
		return r->af == h->af ? TAKE : SKIP;
	if (c->af == PFK_AF_UNSPEC || c->af == h->af)
		return TAKE;
	(void)refuse(c, "af", "%s spec contains addresses with different "
	    "address families", use_names[c->use]);
	return REFUSE;
}

static bool
choose(struct choice *c, const struct host_item *h, struct rule_pool *pool)
{
	if (c->use == POOL_ROUTE && h->addr.kind == RULE_ADDR_DYNAMIC &&
	    h->addr.ifmods != RULE_IF_PEER)
		return refuse(c, "route", "route spec requires :peer with "
		    "dynamic interface addresses");
	switch (judge_family(c, h)) {
	case SKIP:
		return true;
	case REFUSE:
		return false;
	case TAKE:
		break;
	}
	if (c->r->af == PFK_AF_UNSPEC && c->af == PFK_AF_UNSPEC)
		c->af = h->af;
	if (c->n++ > 0)
		return choose_further(c, h);
	c->first = h;
	pool->addr = h->addr;
	return true;
}

bool
pool_chosen(struct sema *s, struct rule *r, const struct stmt_pool *p,
    enum pool_use use, struct rule_pool *pool)
{
	struct choice c = { .s = s, .r = r, .p = p, .use = use };

	if (p == NULL || p->hosts == NULL) {
		pool->addr.kind = RULE_ADDR_NONE;
		return true;
	}
	if (r->af_to)
		r->naf = p->af;
	for (const struct host_item *h = p->hosts->first; h; h = h->next)
		if (!choose(&c, h, pool))
			return false;
	if (r->af == PFK_AF_UNSPEC)
		r->af = c.af;
	if (c.n == 0)
		return refuse(&c, "af", "af mismatch in %s spec",
		    use_names[use]);
	if (c.table != NULL)
		use_table(&c, pool);
	return true;
}

/* --- ports and options --- */

static bool
is_valid_range(const struct port_range *ports)
{
	return ports->type == 0 || (ports->type == 1 ?
	    ports->a <= ports->b : ports->a < ports->b);
}

/* "port 1024:*": as many ports as the rule's destination has. */
static bool
apply_rdr_ports(struct sema *s, const struct combination *c,
    const struct stmt_pool *p, struct rule_pool *pool)
{
	const uint16_t *dst = c->dst_port->ports.port;

	pool->port[0] = p->ports.a;
	if (p->ports.type != 0 && p->ports.b == 0) {
		pool->port[1] = (uint16_t)(p->ports.a + (dst[1] - dst[0]));
		return true;
	}
	if (!is_valid_range(&p->ports)) {
		(void)combination_error(s, p->node, "port",
		    "invalid rdr-to port range");
		return false;
	}
	pool->port_op = p->ports.type == 1 ? RULE_OP_RRG : p->ports.type == 2 ?
	    RULE_OP_IRG : RULE_OP_NONE;
	pool->port[1] = p->ports.b;
	return true;
}

static void
apply_nat_ports(const struct stmt_pool *p, struct rule_pool *pool)
{
	pool->port[0] = p->ports.a;
	pool->port[1] = p->ports.b;
	if (pool->port[0] == 0 && pool->port[1] == 0) {
		pool->port[0] = NAT_PORT_LOW;
		pool->port[1] = NAT_PORT_HIGH;
	} else if (pool->port[1] == 0)
		pool->port[1] = pool->port[0];
}

/* Pool types that count on one address, or one network. */
static bool
check_single(struct sema *s, const struct stmt_pool *p)
{
	const struct host_item *first = p->hosts ? p->hosts->first : NULL, *h;

	for (h = first; h != NULL; h = h->next)
		if (h->addr.kind == RULE_ADDR_TABLE) {
			(void)combination_error(s, p->node, "pool-type",
			    "tables are not supported by pool type");
			return false;
		}
	for (h = first; h != NULL; h = h->next)
		if (is_multi_address(&h->addr)) {
			(void)combination_error(s, p->node, "pool-type",
			    "interface (%s) is not supported by pool type",
			    h->addr.name);
			return false;
		}
	return true;
}

static bool
apply_static_port(struct sema *s, const struct stmt_pool *p,
    enum pool_use use, struct rule_pool *pool)
{
	if (use != POOL_NAT) {
		(void)combination_error(s, p->node, "static-port", "the "
		    "'static-port' option is only valid with nat rules");
		return false;
	}
	if (pool->port[0] != NAT_PORT_LOW && pool->port[1] != NAT_PORT_HIGH) {
		(void)combination_error(s, p->node, "static-port", "the "
		    "'static-port' option can't be used when specifying a "
		    "port range");
		return false;
	}
	pool->port[0] = pool->port[1] = 0;
	pool->static_port = true;
	return true;
}

bool
pool_apply(struct sema *s, const struct combination *c,
    const struct stmt_pool *p, enum pool_use use, struct rule_pool *pool)
{
	if (p == NULL)
		return true;
	if (use == POOL_NAT)
		apply_nat_ports(p, pool);
	else if (!apply_rdr_ports(s, c, p, pool))
		return false;
	pool->type = p->type;
	pool->sticky = false;
	if (pool->type == RULE_POOL_NONE &&
	    (pool->addr.kind == RULE_ADDR_TABLE ||
	    is_multi_address(&pool->addr)))
		pool->type = RULE_POOL_ROUND_ROBIN;
	if (!takes_many(pool->type) && !check_single(s, p))
		return false;
	if (p->type == RULE_POOL_SOURCE_HASH)
		memcpy(pool->key, p->key, sizeof(pool->key));
	pool->sticky = p->sticky;
	return !p->static_port || apply_static_port(s, p, use, pool);
}
