/*
 * Flat rulesets made by hand or by chance, for tests of what comes after the
 * compiler.
 */
#ifndef TESTS_FLAT_RULES_H
#define TESTS_FLAT_RULES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/load.h"
#include "compiler/print.h"
#include "runtime/image.h"

struct flat {
	struct pfk_ruleset rs;
	struct anchor	 root;
	struct pfk_host	*host;
	struct pfk_compile_options opts;
	uint64_t	 seed;
};

static inline void
flat_init(struct flat *f, uint64_t seed)
{
	static struct pfk_host *host;

	memset(f, 0, sizeof(*f));
	arena_init(&f->rs.arena, NULL, &f->rs.oom);
	strbuf_init(&f->rs.echo, &f->rs.arena);
	diag_queue_init(&f->rs.diags, &f->rs.arena);
	source_map_init(&f->rs.sources, &f->rs.arena);
	if (host == NULL)		/* one for all, and never freed */
		host = pfk_host_new(NULL);
	f->host = host;
	f->rs.opts = &f->opts;
	f->rs.host = f->host;
	f->rs.valid = true;
	f->root.path = f->root.name = "";
	f->root.rules_tail = &f->root.rules;
	f->root.tables_tail = &f->root.tables;
	f->root.children_tail = &f->root.children;
	f->rs.flat.root = &f->root;
	f->rs.flat.opts.limit[LIMIT_STATES] = 1000;
	f->seed = seed;
}

static inline void
flat_free(struct flat *f)
{
	arena_free(&f->rs.arena);
}

static inline struct rule *
flat_add(struct flat *f, struct anchor *a, const struct rule *r)
{
	struct rule *copy = arena_memdup(&f->rs.arena, r, sizeof(*r));

	copy->next = NULL;
	copy->nr = a->nrules++;
	*a->rules_tail = copy;
	a->rules_tail = &copy->next;
	return copy;
}

static inline struct anchor *
flat_anchor(struct flat *f, struct anchor *parent, const char *name)
{
	struct anchor *a = arena_new(&f->rs.arena, struct anchor);

	a->name = arena_strdup(&f->rs.arena, name);
	a->path = parent == &f->root ? a->name : arena_printf(&f->rs.arena,
	    "%s/%s", parent->path, name);
	a->parent = parent;
	a->rules_tail = &a->rules;
	a->tables_tail = &a->tables;
	a->children_tail = &a->children;
	*parent->children_tail = a;
	parent->children_tail = &a->sibling;
	return a;
}

static inline struct table *
flat_table(struct flat *f, struct anchor *a, const char *name)
{
	struct table *t = arena_new(&f->rs.arena, struct table);

	t->name = arena_strdup(&f->rs.arena, name);
	t->anchor = a;
	t->has_init = true;
	*a->tables_tail = t;
	a->tables_tail = &t->next;
	return t;
}

static inline struct pfk_image *
flat_image_as(struct flat *f, enum pfk_lowering lowering)
{
	struct pfk_image *im = NULL;
	int error = pfk_ruleset_image(&f->rs, lowering, &im);

	if (error != PFK_OK) {
		fprintf(stderr, "no image: %d\n", error);
		abort();
	}
	return im;
}

static inline struct pfk_image *
flat_image(struct flat *f)
{
	return flat_image_as(f, PFK_LOWER_PLAIN);
}

/* --- by chance --- */

static inline unsigned
flat_pick(struct flat *f, unsigned n)
{
	f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(f->seed >> 33) % n;
}

/* Addresses have few values, so that rules and packets meet. */
static inline void
flat_pick_addr(struct flat *f, struct pfk_addr *a, uint8_t af)
{
	memset(a, 0, sizeof(*a));
	a->b[0] = af == PFK_AF_INET ? 10 : 0x20;
	a->b[af == PFK_AF_INET ? 2 : 14] = (uint8_t)flat_pick(f, 2);
	a->b[af == PFK_AF_INET ? 3 : 15] = (uint8_t)flat_pick(f, 6);
}

static inline void
flat_pick_peer(struct flat *f, struct rule_peer_addr *p, uint8_t af)
{
	static const char *const tables[] = { "t", "u" };
	static const char *const labels[] = { "wan", "lan" };
	unsigned kind = flat_pick(f, 12);
	struct rule_addr *a = &p->addr;

	p->neg = flat_pick(f, 6) == 0;
	if (kind < 5 && af != 0) {
		a->kind = RULE_ADDR_MASK;
		a->af = af;
		flat_pick_addr(f, &a->addr, af);
		addr_prefix_mask(&a->mask, addr_bits((enum pfk_af)af) -
		    (flat_pick(f, 2) ? 0 : flat_pick(f, 10)));
		addr_and(&a->addr, &a->mask);
	} else if (kind == 5 && af != 0) {
		a->kind = RULE_ADDR_RANGE;
		a->af = af;
		flat_pick_addr(f, &a->addr, af);
		flat_pick_addr(f, &a->mask, af);
	} else if (kind == 6) {
		a->kind = RULE_ADDR_TABLE;
		a->name = tables[flat_pick(f, 2)];
	} else if (kind == 7) {
		a->kind = RULE_ADDR_DYNAMIC;
		a->name = flat_pick(f, 2) ? "em0" : "wan";
		a->ifmods = flat_pick(f, 2) ? RULE_IF_NETWORK : 0;
		addr_prefix_mask(&a->mask, 128);
	} else if (kind == 8)
		a->kind = RULE_ADDR_NO_ROUTE;
	else if (kind == 9) {
		a->kind = RULE_ADDR_ROUTE_LABEL;
		a->name = labels[flat_pick(f, 2)];
	} else if (kind == 10)
		a->kind = RULE_ADDR_URPF_FAILED;
	else
		p->neg = 0;
}

static inline void
flat_pick_ports(struct flat *f, struct rule_ports *p)
{
	if (flat_pick(f, 3) != 0)
		return;
	p->op = (uint8_t)(1 + flat_pick(f, RULE_OP_RRG));
	p->port[0] = (uint16_t)(20 + flat_pick(f, 4));
	p->port[1] = (uint16_t)(22 + flat_pick(f, 4));
}

/* The fields that only some protocols have. */
static inline void
flat_pick_transport(struct flat *f, struct rule *r)
{
	if (r->proto == 6 || r->proto == 17) {
		flat_pick_ports(f, &r->src_port);
		flat_pick_ports(f, &r->dst_port);
		if (flat_pick(f, 8) == 0) {
			r->uid.op = (uint8_t)(1 + flat_pick(f, RULE_OP_RRG));
			r->uid.id[0] = flat_pick(f, 2) ? 0 : UINT32_MAX;
		}
	}
	if (r->proto == 6 || (r->proto == 0 && flat_pick(f, 2))) {
		r->flags = (uint8_t)(flat_pick(f, 2) ? 0x02 : 0);
		r->flagset = (uint8_t)(r->flags | (flat_pick(f, 2) ? 0x12 :
		    0));
	}
	if ((r->proto == 1 || r->proto == 58) && flat_pick(f, 2)) {
		r->icmp_type = (uint16_t)(1 + (r->proto == 1 ? 8 : 128));
		r->icmp_code = (uint16_t)flat_pick(f, 2);
	}
}

static inline void
flat_pick_rule(struct flat *f, struct rule *r)
{
	static const uint8_t protos[] = { 0, 0, 6, 6, 17, 1, 58 };
	static const uint8_t families[] = { 0, PFK_AF_INET, PFK_AF_INET,
	    PFK_AF_INET6 };
	static const char *const names[] = { NULL, NULL, "em0", "em1", "wan",
	    "any", "nowhere" };
	static const char *const tags[] = { NULL, NULL, NULL, NULL, "a", "b" };

	rule_init(r);
	r->action = (uint8_t)flat_pick(f, 3);
	r->direction = (uint8_t)flat_pick(f, 3);
	r->ifname = names[flat_pick(f, 7)];
	r->ifnot = r->ifname != NULL && flat_pick(f, 4) == 0;
	r->onrdomain = flat_pick(f, 12) == 0 ? (int)flat_pick(f, 2) : -1;
	r->quick = flat_pick(f, 12) == 0;
	r->af = families[flat_pick(f, 4)];
	r->proto = protos[flat_pick(f, 7)];
	flat_pick_peer(f, &r->src, r->af);
	flat_pick_peer(f, &r->dst, r->af);
	flat_pick_transport(f, r);
	r->tag = tags[flat_pick(f, 6)];
	r->match_tag = flat_pick(f, 3) == 0 ? tags[flat_pick(f, 6)] : NULL;
	r->match_tag_not = r->match_tag != NULL && flat_pick(f, 2);
	r->rcv_ifname = flat_pick(f, 8) == 0 ? "em1" : NULL;
	r->rcvifnot = r->rcv_ifname != NULL && flat_pick(f, 2);
	r->tos = (uint8_t)(flat_pick(f, 10) == 0 ? 0x10 : 0);
	r->prio = (uint8_t)(flat_pick(f, 12) == 0 ? 3 : 0);
	r->fragment = flat_pick(f, 16) == 0;
	r->keep_state = (uint8_t)(r->action == RULE_PASS && flat_pick(f, 2));
	r->once = flat_pick(f, 20) == 0;
	if (flat_pick(f, 20) == 0)
		r->pktrate = (struct rule_rate){ 1 + flat_pick(f, 3), 1 };
}

/* Rules with anchors in them; called: an anchor made before, or NULL. */
static inline void
flat_pick_rules(struct flat *f, struct anchor *a, unsigned n, unsigned depth)
{
	struct rule r;
	char name[8];

	for (unsigned i = 0; i < n; i++) {
		flat_pick_rule(f, &r);
		if (depth > 0 && flat_pick(f, 6) == 0) {
			struct anchor *sub;

			(void)snprintf(name, sizeof(name), "s%u",
			    9 - i % 10);
			sub = flat_anchor(f, a, arena_printf(&f->rs.arena,
			    "%s%u", name, i));
			flat_pick_rules(f, sub, 1 + flat_pick(f, 5),
			    depth - 1);
			r.action = RULE_PASS;
			r.once = 0;
			r.keep_state = 0;
			r.anchor.body = sub;
			if (flat_pick(f, 3) == 0 && a != &f->root) {
				r.anchor.body = a;
				r.anchor.wildcard = 1;
				r.quick = 0;
			}
			r.anchor.call = r.anchor.body->name;
		}
		(void)flat_add(f, a, &r);
	}
}

/* A prefix that is not that of step i - 1, or sometimes `any`. */
static inline void
flat_step_peer(struct flat *f, struct rule_peer_addr *p, uint8_t af,
    unsigned i)
{
	unsigned all = addr_bits((enum pfk_af)af);

	memset(p, 0, sizeof(*p));
	if (i % 5 == 4)
		return;
	p->addr.kind = RULE_ADDR_MASK;
	p->addr.af = af;
	flat_pick_addr(f, &p->addr.addr, af);
	addr_prefix_mask(&p->addr.mask, all - (i % 2 ? 0 : 1 +
	    flat_pick(f, 12)));
	addr_and(&p->addr.addr, &p->addr.mask);
}

/*
 * Runs of rules that differ in addresses and ports only, with now and then
 * one that does not belong.
 */
static inline void
flat_pick_blocks(struct flat *f, struct anchor *a, unsigned n)
{
	struct rule r, base, last;
	unsigned fields = 0, left = 0;
	bool first;

	rule_init(&base);
	last = base;
	for (unsigned i = 0; i < n; i++) {
		if ((first = left-- == 0)) {
			left = flat_pick(f, 60);
			fields = flat_pick(f, 16);
			rule_init(&base);
			base.action = (uint8_t)flat_pick(f, 2);
			base.quick = flat_pick(f, 3) == 0;
			base.direction = (uint8_t)flat_pick(f, 3);
			base.ifname = flat_pick(f, 3) ? NULL : "em0";
			base.ifnot = base.ifname != NULL &&
			    flat_pick(f, 3) == 0;
			base.af = flat_pick(f, 6) ? PFK_AF_INET : PFK_AF_INET6;
			base.proto = flat_pick(f, 3) ? 6 : 17;
			base.keep_state = base.action == RULE_PASS;
			if (base.proto == 6 && flat_pick(f, 2)) {
				base.flags = 2;
				base.flagset = 0x12;
			}
			flat_pick_ports(f, &base.src_port);
			flat_pick_ports(f, &base.dst_port);
			if (flat_pick(f, 3) == 0)
				flat_step_peer(f, &base.dst, base.af, 1);
		}
		r = base;
		if (fields & 1)
			flat_step_peer(f, &r.src, r.af, i);
		if (fields & 2)
			flat_step_peer(f, &r.dst, r.af, i + 1);
		if (fields & 4)
			r.src_port = (struct rule_ports){ RULE_OP_EQ,
			    { (uint16_t)(19 + i % 9), 0 } };
		if (fields & 8)
			r.dst_port = (struct rule_ports){ i % 2 ? RULE_OP_EQ :
			    RULE_OP_RRG, { (uint16_t)(19 + i % 7),
			    (uint16_t)(20 + i % 5) } };
		if (flat_pick(f, 30) == 0)
			flat_pick_peer(f, &r.src, r.af);
		/* a run may go on in one field only */
		if (first && last.af == r.af && flat_pick(f, 2))
			r.src = last.src;
		last = r;
		(void)flat_add(f, a, &r);
	}
}

/*
 * Rules of any shape that do nothing before they decide; now and then one
 * that does.  Each takes some fields from the one before, so that there is
 * something to skip.
 */
static inline void
flat_pick_mixed(struct flat *f, struct anchor *a, unsigned n)
{
	unsigned kin = 1 + flat_pick(f, 4), odd = 1 + flat_pick(f, 3) * 20;
	struct rule r, last;

	rule_init(&last);
	for (unsigned i = 0; i < n; i++) {
		flat_pick_rule(f, &r);
		if (odd == 1 || flat_pick(f, odd) != 0) {
			r.action = (uint8_t)flat_pick(f, 2);
			r.keep_state &= r.action == RULE_PASS;
			r.once = 0;
			r.pktrate.limit = 0;
			if (!r.quick)
				r.tag = NULL;
		}
		if (flat_pick(f, 4) < kin)
			r.direction = last.direction;
		if (flat_pick(f, 4) < kin) {
			r.ifname = last.ifname;
			r.ifnot = last.ifnot;
		}
		if (flat_pick(f, 6) != 0 && kin > 1) {
			r.af = last.af;
			r.src = last.src;
			r.dst = last.dst;
			if (flat_pick(f, 4) >= kin)
				flat_pick_peer(f, &r.src, r.af);
			if (flat_pick(f, 4) >= kin)
				flat_pick_peer(f, &r.dst, r.af);
		}
		if (flat_pick(f, 6) != 0 && kin > 1) {
			r.proto = last.proto;
			r.src_port = r.dst_port = (struct rule_ports){ 0 };
			r.uid.op = 0;
			r.icmp_type = r.icmp_code = 0;
			r.flags = r.flagset = 0;
			flat_pick_transport(f, &r);
			if (flat_pick(f, 4) < kin)
				r.src_port = last.src_port;
			if (flat_pick(f, 4) < kin)
				r.dst_port = last.dst_port;
		}
		last = r;
		(void)flat_add(f, a, &r);
	}
}

static inline void
flat_random(struct flat *f, unsigned rules)
{
	struct table *t = flat_table(f, &f->root, "t");

	for (unsigned i = 0; i < 6; i++) {
		struct table_addr ta = { .af = PFK_AF_INET };

		flat_pick_addr(f, &ta.addr, PFK_AF_INET);
		ta.bits = (uint8_t)(flat_pick(f, 2) ? 32 : 30);
		ta.neg = flat_pick(f, 4) == 0;
		vec_push(&f->rs.arena, &t->addrs, ta);
	}
	flat_pick_rules(f, &f->root, rules, 2);
}

#endif
