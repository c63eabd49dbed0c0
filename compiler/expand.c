/*
 * Expansion: from a statement with its lists to flat rules.
 *
 * Every combination of the lists' elements is tried, the last list running
 * fastest.  Combinations that cannot be (addresses of two families, a
 * link-local address on another interface) are left out without a word; in
 * what is wrong otherwise, pfctl reports each combination for itself.  An
 * error found here, unlike one found by check.c, also spoils all combinations
 * of the statement that follow.
 *
 *	list	 if  proto  icmp  src  dst  sport  dport  os  user  group
 *	place	 2    0      1     0    3     0      0    0    0     0
 *		 ------------------------------------------------------>
 *						counts up from the right
 *
 * binat-to makes two rules: the one that was written goes out, and behind it
 * comes its mirror, which goes in.  pfctl makes the mirror by expanding a
 * second time, from the combination at hand to the ends of all lists; that
 * makes more rules than one would think, and so do we.
 *
 * Limit: options.max_rules combinations in all statements together.
 */
#include <inttypes.h>
#include <string.h>

#include "compiler/combination.h"
#include "compiler/osfp.h"

#define MAX_COMBINATIONS	4000000	/* of max_rules 0: 2 GB of flat rules */

enum list { LIST_IF, LIST_PROTO, LIST_ICMP, LIST_SRC, LIST_DST,
    LIST_SRC_PORT, LIST_DST_PORT, LIST_OS, LIST_UID, LIST_GID, LISTS };

struct elements { const void *const *v; size_t n; };

/* A statement, or the mirror of a binat-to, being expanded. */
struct expansion_of {
	struct sema	*s;
	const struct statement *st;
	struct elements	 list[LISTS];
	uint32_t	 listed;	/* 1 << enum pfk_part: more than one */
	size_t		 at[LISTS];	/* the combination at hand */
	const struct stmt_pool *pool[POOL_USES];
	struct rule	 rule;		/* what is given, and the last one */
	uint8_t		 af;		/* given ... */
	uint8_t		 direction, keep_state, flags, flagset;
	const char	*label, *tag, *match_tag;
	struct rule_pool made[POOL_USES];
	bool		 failed;
	size_t		 added;
};

/* The element of a list that is not there. */
static const struct stmt_if no_if = { .rdomain = -1 };
static const struct stmt_proto no_proto;
static const struct stmt_icmp no_icmp;
static const struct host_item no_host;
static const struct stmt_port no_port;
static const struct stmt_os no_os;
static const struct stmt_id no_id;

struct diag *
combination_error(struct sema *s, const struct ast *n, const char *code,
    const char *fmt, ...)
{
	const char *text;
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(&s->rs->arena, fmt, ap);
	va_end(ap);
	d = parser_error(s->parser, n, code, "%s", text);
	for (unsigned i = 0; i < s->ntold; i++)
		if (strcmp(s->told[i], text) == 0) {
			d->cascade = true;
			return d;
		}
	if (s->ntold < sizeof(s->told) / sizeof(*s->told))
		s->told[s->ntold++] = text;
	return d;
}

/* --- lists --- */

/* The elements of a chain, whose `next` is that far into each. */
static struct elements
chain_elements(struct arena *a, const void *first, size_t next,
    const void *none)
{
	const void **v, *e;
	size_t n = 0;

	for (e = first; e != NULL; n++)
		memcpy(&e, (const char *)e + next, sizeof(e));
	v = arena_alloc(a, (n != 0 ? n : 1) * sizeof(*v));
	v[0] = none;
	n = 0;
	for (e = first; e != NULL; n++) {
		v[n] = e;
		memcpy(&e, (const char *)e + next, sizeof(e));
	}
	return (struct elements){ v, n != 0 ? n : 1 };
}

#define ELEMENTS(a, type, chain, none)					\
	chain_elements((a), (chain), offsetof(struct type, next), &(none))

static const struct host_item *
first_host(const struct host_list *l)
{
	return l != NULL ? l->first : NULL;
}

/* Whether all hosts of the list were written as one. */
static bool
is_one_name(enum list l, const struct elements *e)
{
	const struct host_item *first = e->v[0], *last = e->v[e->n - 1];

	return (l == LIST_SRC || l == LIST_DST) && first->node == last->node;
}

/* Of which parts there are several elements to choose from. */
static uint32_t
listed_parts(const struct elements list[LISTS])
{
	static const uint8_t part_of[LISTS] = {
		[LIST_IF] = PFK_PART_INTERFACE,
		[LIST_PROTO] = PFK_PART_PROTOCOL,
		[LIST_ICMP] = PFK_PART_ICMP,
		[LIST_SRC] = PFK_PART_SOURCE,
		[LIST_DST] = PFK_PART_DESTINATION,
		[LIST_SRC_PORT] = PFK_PART_SOURCE_PORT,
		[LIST_DST_PORT] = PFK_PART_DESTINATION_PORT,
		[LIST_OS] = PFK_PART_OS,
		[LIST_UID] = PFK_PART_USER,
		[LIST_GID] = PFK_PART_GROUP,
	};
	uint32_t parts = 0;

	for (int i = 0; i < LISTS; i++)
		if (list[i].n > 1 && !is_one_name((enum list)i, &list[i]))
			parts |= (uint32_t)1 << part_of[i];
	return parts;
}

static void
list_elements(struct expansion_of *x, const struct statement *st)
{
	struct arena *a = &x->s->rs->scratch;
	struct elements *l = x->list;

	l[LIST_IF] = ELEMENTS(a, stmt_if, st->ifs, no_if);
	l[LIST_PROTO] = ELEMENTS(a, stmt_proto, st->protos, no_proto);
	l[LIST_ICMP] = ELEMENTS(a, stmt_icmp, st->icmps, no_icmp);
	l[LIST_SRC] = ELEMENTS(a, host_item, first_host(st->src), no_host);
	l[LIST_DST] = ELEMENTS(a, host_item, first_host(st->dst), no_host);
	l[LIST_SRC_PORT] = ELEMENTS(a, stmt_port, st->src_ports, no_port);
	l[LIST_DST_PORT] = ELEMENTS(a, stmt_port, st->dst_ports, no_port);
	l[LIST_OS] = ELEMENTS(a, stmt_os, st->oses, no_os);
	l[LIST_UID] = ELEMENTS(a, stmt_id, st->uids, no_id);
	l[LIST_GID] = ELEMENTS(a, stmt_id, st->gids, no_id);
	x->listed = listed_parts(l) | st->listed;
}

static struct combination
combination_at(const struct expansion_of *x)
{
	const void *e[LISTS];

	for (int i = 0; i < LISTS; i++)
		e[i] = x->list[i].v[x->at[i]];
	return (struct combination){ x->st, e[LIST_IF], e[LIST_PROTO],
	    e[LIST_ICMP], e[LIST_SRC], e[LIST_DST], e[LIST_SRC_PORT],
	    e[LIST_DST_PORT], e[LIST_OS], e[LIST_UID], e[LIST_GID] };
}

/* To the next combination; false: that was the last. */
static bool
step(struct expansion_of *x)
{
	for (int i = LISTS; i-- > 0; x->at[i] = 0)
		if (++x->at[i] < x->list[i].n)
			return true;
	return false;
}

/* --- one combination --- */

static unsigned
index_of(struct sema *s, const char *ifname)
{
	const struct pfk_interface *i = resolve_ifname(s->rs, ifname);

	return i != NULL ? i->index : 0;
}

/* Whether a link-local address is of another interface than the rule. */
static bool
is_elsewhere(struct sema *s, const struct host_item *h,
    const struct stmt_if *i)
{
	return h->ifindex != 0 && i->name != NULL &&
	    h->ifindex != index_of(s, i->name);
}

static bool
af_differs(uint8_t a, uint8_t b)
{
	return a != PFK_AF_UNSPEC && b != PFK_AF_UNSPEC && a != b;
}

static bool
is_possible(struct sema *s, const struct combination *c, uint8_t af)
{
	return !af_differs(af, c->src->af) && !af_differs(af, c->dst->af) &&
	    !af_differs(c->src->af, c->dst->af) &&
	    (c->src->ifindex == 0 || c->dst->ifindex == 0 ||
	    c->src->ifindex == c->dst->ifindex) &&
	    !is_elsewhere(s, c->src, c->iface) &&
	    !is_elsewhere(s, c->dst, c->iface);
}

static void
take_interface(const struct combination *c, struct rule *r)
{
	r->ifname = c->iface->name;
	if (r->ifname == NULL)
		r->ifname = c->src->ifname;
	if (r->ifname == NULL)
		r->ifname = c->dst->ifname;
	r->ifnot = c->iface->neg;
	r->onrdomain = c->iface->rdomain;
}

/* A dynamic address of a rule for IPv4 has no more than 32 bits. */
static struct rule_addr
host_addr(const struct host_item *h, uint8_t af)
{
	struct rule_addr a = h->addr;

	if (a.kind == RULE_ADDR_DYNAMIC && af == PFK_AF_INET &&
	    addr_mask_bits(&a.mask) > 32)
		addr_prefix_mask(&a.mask, 32);
	return a;
}

/* A route label longer than this reaches into what pfctl takes for a mask. */
#define LABEL_BEFORE_MASK	20

static bool
check_netmask(struct expansion_of *x, const struct host_item *h,
    const struct rule_addr *a, uint8_t af)
{
	static const uint8_t none[12];
	unsigned bits = addr_mask_bits(&a->mask);
	bool bad = memcmp(a->mask.b + 4, none, sizeof(none)) != 0;

	if (af != PFK_AF_INET || a->kind == RULE_ADDR_TABLE)
		return true;
	if (a->kind == RULE_ADDR_ROUTE_LABEL) {
		bad = strlen(a->name) > LABEL_BEFORE_MASK;
		bits = 0;
	}
	if (bad)
		(void)sema_message(x->s, h->node, "netmask", PLAIN_BARE,
		    "netmask %u invalid for IPv4 address", bits);
	return !bad;
}

static void
take_hosts(struct expansion_of *x, const struct combination *c)
{
	struct rule *r = &x->rule;

	r->src.addr = host_addr(c->src, r->af);
	r->dst.addr = host_addr(c->dst, r->af);
	r->src.neg = c->src->neg;
	r->dst.neg = c->dst->neg;
	if (!check_netmask(x, c->src, &r->src.addr, r->af))
		x->failed = true;
	if (!check_netmask(x, c->dst, &r->dst.addr, r->af))
		x->failed = true;
}

/* What only TCP can have, other protocols lose. */
static void
take_protocol(struct expansion_of *x, const struct combination *c)
{
	struct rule *r = &x->rule;
	bool tcp = c->proto->proto == 0 || c->proto->proto == 6;

	r->proto = c->proto->proto;
	r->keep_state = x->keep_state;
	if (!tcp && r->keep_state != RULE_NO_STATE)
		r->keep_state = RULE_KEEP_STATE;
	r->flags = tcp ? x->flags : 0;
	r->flagset = tcp ? x->flagset : 0;
	r->icmp_type = c->icmp->type;
	r->icmp_code = c->icmp->code;
	if (c->icmp->proto != 0 && c->icmp->proto != r->proto) {
		(void)combination_error(x->s, c->icmp->node, "icmp-type",
		    "icmp-type mismatch");
		x->failed = true;
	}
}

static void
warn_os(struct sema *s, const struct stmt_os *os)
{
	struct diag *d;

	d = diag_add(&s->rs->diags, DIAG_WARNING, "unknown-os",
	    "warning: unknown '%s' OS fingerprint", os->name);
	d->plain = s->rs->verbose > 1 ? PLAIN_BARE : PLAIN_NONE;
	if (os->node != NULL) {
		d->span = os->node->span;
		d->via = os->node->via;
	}
	d->suggestion = suggest(os->name, osfp_classes(s->rs));
}

static void
take_os(struct sema *s, const struct stmt_os *os, struct rule *r)
{
	r->os = NULL;
	if (os->name == NULL)
		return;
	r->os = osfp_lookup(s->rs, os->name);
	if (r->os != NULL)
		return;
	r->os = OSFP_NOMATCH;
	warn_os(s, os);
}

static void
take_labels(struct expansion_of *x, const struct combination *c)
{
	struct rule *r = &x->rule;

	r->label = label_expand(x->s, c, r, x->label, RULE_LABEL_SIZE);
	if (!x->s->fatal)
		r->tag = label_expand(x->s, c, r, x->tag, RULE_TAG_NAME_SIZE);
	if (!x->s->fatal)
		r->match_tag = label_expand(x->s, c, r, x->match_tag,
		    RULE_TAG_NAME_SIZE);
}

static void
take_rest(struct expansion_of *x, const struct combination *c)
{
	const struct stmt_if *rcv = x->st->received_on;
	struct rule *r = &x->rule;

	r->src_port = c->src_port->ports;
	r->dst_port = c->dst_port->ports;
	r->uid = c->uid->ids;
	r->gid = c->gid->ids;
	if (rcv != NULL) {
		r->rcv_ifname = rcv->name;
		r->rcvifnot = rcv->neg;
	}
}

/* --- binat-to --- */

static void expand(struct expansion_of *);

static struct elements
rest_of(const struct expansion_of *x, enum list l)
{
	return (struct elements){ x->list[l].v + x->at[l],
	    x->list[l].n - x->at[l] };
}

static struct elements
only(struct expansion_of *x, const struct host_item *h)
{
	struct arena *a = &x->s->rs->scratch;
	const void **v = arena_alloc(a, sizeof(*v));
	struct host_item *copy = arena_memdup(a, h, sizeof(*h));

	copy->next = NULL;
	v[0] = copy;
	return (struct elements){ v, 1 };
}

/* The way back: to the address outside, redirected to the one inside. */
static void
expand_mirror(struct expansion_of *x, const struct combination *c)
{
	struct host_item inside = *c->src, outside = no_host, dst = *c->dst;
	struct host_list hosts = { &inside, &inside, 1 };
	struct stmt_pool pool = *x->pool[POOL_NAT];
	struct expansion_of m = *x;

	inside.addr = x->rule.src.addr;
	inside.next = NULL;
	outside.addr = x->made[POOL_NAT].addr;
	dst.addr = x->rule.dst.addr;
	pool.hosts = &hosts;
	pool.static_port = pool.binat = false;
	m.pool[POOL_NAT] = m.pool[POOL_ROUTE] = NULL;
	m.pool[POOL_RDR] = &pool;
	for (int i = 0; i < LISTS; i++)
		m.list[i] = rest_of(x, (enum list)i);
	m.list[LIST_SRC] = dst.addr.kind == RULE_ADDR_DYNAMIC ?
	    only(x, &dst) : rest_of(x, LIST_DST);
	m.list[LIST_DST] = only(x, &outside);
	m.list[LIST_SRC_PORT] = rest_of(x, LIST_DST_PORT);
	m.list[LIST_DST_PORT] = rest_of(x, LIST_SRC_PORT);
	m.rule.direction = RULE_IN;
	expand(&m);
}

/* --- flat rules --- */

/* Of the pool just made a copy that stays; equal ones are shared. */
static const struct rule_pool *
keep_pool(struct expansion_of *x, const struct rule_pool *p,
    const struct rule_pool *last)
{
	if (p->addr.kind == RULE_ADDR_NONE)
		return &rule_no_pool;
	if (memcmp(p, last, sizeof(*p)) == 0)
		return last;
	return arena_memdup(&x->s->rs->arena, p, sizeof(*p));
}

static void
add_rule(struct expansion_of *x, const struct combination *c)
{
	struct anchor *here = x->s->here;
	struct rule *r = &x->rule, *copy;

	r->nat = keep_pool(x, &x->made[POOL_NAT], r->nat);
	r->rdr = keep_pool(x, &x->made[POOL_RDR], r->rdr);
	r->route = keep_pool(x, &x->made[POOL_ROUTE], r->route);
	copy = arena_memdup(&x->s->rs->arena, r, sizeof(*r));
	copy->next = NULL;
	copy->origin = x->s->rs->opts->text_only ? NULL :
	    combination_origin(x->s, c, x->listed);
	*here->rules_tail = copy;
	here->rules_tail = &copy->next;
	here->nrules++;
	x->added++;
}

/* The rule as check.c looks at it: the pools are those just made. */
static bool
is_consistent(struct expansion_of *x, const struct combination *c)
{
	struct rule r = x->rule;

	r.nat = &x->made[POOL_NAT];
	r.rdr = &x->made[POOL_RDR];
	r.route = &x->made[POOL_ROUTE];
	return check_rule(x->s, &r, c) == 0;
}

static void
choose_pools(struct expansion_of *x)
{
	static const uint8_t order[] = { POOL_RDR, POOL_NAT, POOL_ROUTE };

	for (size_t i = 0; i < sizeof(order); i++)
		if (!pool_chosen(x->s, &x->rule, x->pool[order[i]],
		    (enum pool_use)order[i], &x->made[order[i]]))
			x->failed = true;
}

static void
apply_pools(struct expansion_of *x, const struct combination *c)
{
	for (int i = 0; i < POOL_USES; i++)
		if (!pool_apply(x->s, c, x->pool[i], (enum pool_use)i,
		    &x->made[i]))
			x->failed = true;
}

static bool
is_binat(const struct expansion_of *x)
{
	return x->pool[POOL_NAT] != NULL && x->pool[POOL_NAT]->binat;
}

static void
skip_rule(struct expansion_of *x)
{
	struct diag *d;

	d = parser_error(x->s->parser, x->st->node, "skipped",
	    "skipping rule due to errors");
	d->cascade = true;
}

/* Everything in which the combination differs from others. */
static void
take_combination(struct expansion_of *x, const struct combination *c)
{
	struct rule *r = &x->rule;

	if (r->af == PFK_AF_UNSPEC)
		r->af = c->src->af != PFK_AF_UNSPEC ? c->src->af : c->dst->af;
	take_interface(c, r);
	take_labels(x, c);
	if (x->s->fatal)
		return;
	take_hosts(x, c);
	take_rest(x, c);
	take_protocol(x, c);
	take_os(x->s, c->os, r);
}

static void
combine(struct expansion_of *x)
{
	const struct combination c = combination_at(x);
	struct rule *r = &x->rule;

	r->af = x->af;
	choose_pools(x);
	if (!is_possible(x->s, &c, r->af))
		return;
	take_combination(x, &c);
	if (x->s->fatal)
		return;
	if (is_binat(x)) {
		x->failed |= !check_binat(x->s, &c, r, x->af,
		    &x->made[POOL_NAT].addr);
		r->direction = RULE_OUT;
	}
	apply_pools(x, &c);
	if (!is_consistent(x, &c) || x->failed)
		skip_rule(x);
	else
		add_rule(x, &c);
	r->direction = x->direction;
	if (is_binat(x) && !x->failed)
		expand_mirror(x, &c);
}

/* What keeps the host from being in a rule with others. */
static void
note_host(struct expansion_of *x, struct diag *d, const struct host_item *h)
{
	const char *family = h->af == PFK_AF_INET6 ? "IPv6" : "IPv4";

	if (h->node == NULL || h->af == PFK_AF_UNSPEC)
		return;
	if (h->ifname != NULL)
		diag_note(&x->s->rs->diags, d, h->node->span,
		    "this is %s, on interface %s", family, h->ifname);
	else
		diag_note(&x->s->rs->diags, d, h->node->span,
		    "this is %s", family);
}

static void
no_combination(struct expansion_of *x)
{
	struct diag_queue *q = &x->s->rs->diags;
	const struct span nowhere = { 0, 0, 0 };
	struct diag *d;

	d = parser_error(x->s->parser, x->st->node, "no-combination",
	    "rule expands to no valid combination");
	d->cascade = x->s->ntold > 0;
	if (d->cascade)
		return;
	diag_note(q, d, nowhere, "no source and destination are of one "
	    "address family and on one interface");
	if (x->st->node->kind == AST_RULE && x->st->node->num2 != 0)
		diag_note(q, d, nowhere, "the rule is for %s",
		    x->af == PFK_AF_INET6 ? "inet6" : "inet");
	note_host(x, d, x->list[LIST_SRC].v[0]);
	note_host(x, d, x->list[LIST_DST].v[0]);
}

/* How many there are; UINT64_MAX stands for more than fit. */
static uint64_t
combinations(const struct expansion_of *x)
{
	uint64_t n = 1;

	for (int i = 0; i < LISTS; i++) {
		if (n > UINT64_MAX / x->list[i].n)
			return UINT64_MAX;
		n *= x->list[i].n;
	}
	return n;
}

/* Whether the limit still allows so many; they are counted then. */
static bool
count_combinations(struct expansion_of *x)
{
	unsigned given = x->s->rs->opts->max_rules;
	uint64_t limit = given != 0 ? given : MAX_COMBINATIONS;
	uint64_t n = combinations(x), before = x->s->combinations;

	if (n <= limit - before) {
		x->s->combinations += n;
		return true;
	}
	x->failed = true;
	(void)sema_error(x->s, x->st->node, "too-many-rules",
	    "rule expands to %" PRIu64 " rules, after %" PRIu64 " before it: "
	    "more than the limit (max_rules) of %" PRIu64, n, before, limit);
	return false;
}

/* => x->list, pool and rule are set. */
static void
expand(struct expansion_of *x)
{
	if (!count_combinations(x))
		return;
	x->af = x->rule.af;
	x->direction = x->rule.direction;
	x->keep_state = x->rule.keep_state;
	x->flags = x->rule.flags;
	x->flagset = x->rule.flagset;
	x->label = x->rule.label;
	x->tag = x->rule.tag;
	x->match_tag = x->rule.match_tag;
	x->added = 0;
	x->failed = false;
	memset(x->at, 0, sizeof(x->at));
	do
		combine(x);
	while (!x->s->fatal && step(x));
	if (x->added == 0 && !x->s->fatal)
		no_combination(x);
}

bool
expand_statement(struct sema *s, const struct statement *st)
{
	struct expansion_of x = { .s = s, .st = st, .rule = st->rule };

	s->ntold = 0;
	x.pool[POOL_NAT] = st->nat;
	x.pool[POOL_RDR] = st->rdr;
	x.pool[POOL_ROUTE] = st->route;
	x.rule.span = st->node->span;
	x.rule.via = st->node->via;
	for (int i = 0; i < POOL_USES; i++)
		x.made[i].addr.kind = RULE_ADDR_MASK;
	list_elements(&x, st);
	expand(&x);
	return x.added > 0 && !x.failed;
}
