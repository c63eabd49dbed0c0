/*
 * The optimiser against a slow one.
 *
 * The reference below does what pfctl's documentation and behaviour say, in
 * the plainest way: all pairs compared, lists moved one step at a time.  Both
 * get the same random rules, drawn from few values so that much coincides,
 * and must print the same tables and the same rules in the same order.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "compiler/load.h"
#include "compiler/optimize.h"
#include "compiler/print.h"

/* A ruleset with an arena and a main anchor, and nothing else. */
struct fixture {
	struct pfk_ruleset rs;
	struct anchor root;
	struct pfk_host *host;
	struct pfk_compile_options opts;
};

static void
fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->rs.arena, NULL, &f->rs.oom);
	strbuf_init(&f->rs.echo, &f->rs.arena);
	diag_queue_init(&f->rs.diags, &f->rs.arena);
	f->host = pfk_host_new(NULL);
	f->opts.verbose = f->rs.verbose = 1;
	f->rs.opts = &f->opts;
	f->rs.host = f->host;
	f->root.path = f->root.name = "";
	f->root.rules_tail = &f->root.rules;
	f->root.tables_tail = &f->root.tables;
	f->rs.flat.root = &f->root;
	f->rs.flat.opts.optimize = OPTIMIZE_BASIC;
}

static void
fixture_free(struct fixture *f)
{
	pfk_host_free(f->host);
	arena_free(&f->rs.arena);
}

static void
fixture_add(struct fixture *f, const struct rule *r)
{
	struct rule *copy = arena_memdup(&f->rs.arena, r, sizeof(*r));

	copy->next = NULL;
	*f->root.rules_tail = copy;
	f->root.rules_tail = &copy->next;
	f->root.nrules++;
}

/* --- random rules --- */

static uint64_t seed;

static unsigned
pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void
pick_network(struct rule_addr *a, enum pfk_af af)
{
	static const unsigned lens4[] = { 8, 16, 24, 32, 32 };
	static const unsigned lens6[] = { 16, 48, 64, 128, 128 };

	a->kind = RULE_ADDR_MASK;
	a->af = (uint8_t)af;
	for (unsigned i = 0; i < (af == PFK_AF_INET ? 4u : 16u); i++)
		a->addr.b[i] = (uint8_t)pick(i < 3 ? 2 : 4);
	addr_prefix_mask(&a->mask, af == PFK_AF_INET ? lens4[pick(5)] :
	    lens6[pick(5)]);
	addr_and(&a->addr, &a->mask);
}

static void
pick_peer(struct rule_peer_addr *p, enum pfk_af af, unsigned spread)
{
	static const char *const names[] = { "t", "u" };
	unsigned k = pick(spread);

	p->neg = pick(8) == 0;
	if (k > 3 && af != PFK_AF_UNSPEC)
		pick_network(&p->addr, af);
	else if (k == 3) {
		p->addr.kind = RULE_ADDR_TABLE;
		p->addr.name = names[pick(2)];
	} else if (k == 2) {
		p->addr.kind = RULE_ADDR_DYNAMIC;
		p->addr.name = names[pick(2)];
		p->addr.ifmods = (uint8_t)pick(2);
		addr_prefix_mask(&p->addr.mask, pick(2) ? 128 : 24);
	} else
		p->neg = 0;
}

static void
pick_ports(struct rule_ports *p)
{
	if (pick(3) == 0)
		return;
	p->op = pick(4) ? RULE_OP_EQ : RULE_OP_RRG;
	p->port[0] = (uint16_t)(80 + pick(3));
	p->port[1] = p->op == RULE_OP_RRG ? 90 : 0;
}

static struct rule
pick_rule(unsigned spread)
{
	static const char *const ifnames[] = { "em0", "em1", "egress", NULL };
	static const uint8_t protos[] = { 0, 6, 17, 1 };
	static const uint8_t afs[] = { 0, PFK_AF_INET, PFK_AF_INET,
	    PFK_AF_INET, PFK_AF_INET6 };
	struct rule r;

	rule_init(&r);
	r.action = pick(40) == 0 ? RULE_BLOCK : RULE_PASS;
	r.keep_state = r.action == RULE_PASS;
	r.quick = pick(30) != 0;
	r.direction = (uint8_t)pick(3);
	r.ifname = ifnames[pick(20) == 0 ? 2 : pick(2) ? 3 : pick(2)];
	r.ifnot = r.ifname != NULL && pick(6) == 0;
	if (r.ifname == NULL && pick(6) == 0)
		r.onrdomain = (int32_t)pick(2);
	r.af = afs[pick(5)];
	r.proto = protos[pick(4)];
	pick_peer(&r.src, (enum pfk_af)r.af, spread);
	pick_peer(&r.dst, (enum pfk_af)r.af, spread);
	if (r.proto == 6 || r.proto == 17) {
		pick_ports(&r.src_port);
		pick_ports(&r.dst_port);
	}
	if (r.proto != 17 && pick(2))
		r.flags = 2, r.flagset = 18;
	r.match_tag = pick(10) == 0 ? "a" : NULL;
	r.label = pick(60) == 0 ? "b" : NULL;
	return r;
}

/* --- the reference --- */

enum { MAX = 300 };

struct ref_table { unsigned number, n; bool made; const struct rule *m[MAX];
    bool dst; };
struct ref_rule { struct rule r; struct ref_table *src, *dst; };

static bool
same_str(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
is_net(const struct rule_addr *a)
{
	return a->kind == RULE_ADDR_ANY || a->kind == RULE_ADDR_MASK;
}

static bool
same_addr(const struct rule_addr *a, const struct rule_addr *b)
{
	if (is_net(a) != is_net(b) || (!is_net(a) && a->kind != b->kind))
		return false;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0 &&
	    memcmp(&a->mask, &b->mask, sizeof(a->mask)) == 0 &&
	    same_str(a->name, b->name) && a->ifmods == b->ifmods;
}

static bool
same_ports(const struct rule_ports *a, const struct rule_ports *b)
{
	return a->op == b->op && a->port[0] == b->port[0] &&
	    a->port[1] == b->port[1];
}

/* All that pick_rule() varies, but for addresses. */
static bool
same_but_addrs(const struct rule *a, const struct rule *b)
{
	return same_str(a->ifname, b->ifname) && a->ifnot == b->ifnot &&
	    a->direction == b->direction && a->af == b->af &&
	    a->proto == b->proto && a->flags == b->flags &&
	    a->flagset == b->flagset && a->onrdomain == b->onrdomain &&
	    same_ports(&a->src_port, &b->src_port) &&
	    same_ports(&a->dst_port, &b->dst_port) &&
	    a->src.neg == b->src.neg && a->dst.neg == b->dst.neg &&
	    same_str(a->match_tag, b->match_tag);
}

static void
widen_peer(const struct rule_peer_addr *super, struct rule_peer_addr *sub,
    bool same_af)
{
	struct pfk_addr cut = sub->addr.addr;

	if (!is_net(&super->addr))
		return;
	addr_and(&cut, &super->addr.mask);
	if (addr_is_zero(&super->addr.mask, PFK_AF_INET6) && !super->neg &&
	    !sub->neg)
		memset(&sub->addr, 0, sizeof(sub->addr));
	else if (is_net(&sub->addr) && super->neg == sub->neg && same_af &&
	    addr_mask_bits(&super->addr.mask) <
	    addr_mask_bits(&sub->addr.mask) &&
	    memcmp(&super->addr.addr, &cut, sizeof(cut)) == 0)
		sub->addr = super->addr;
}

static bool
covers(const struct rule *super, struct rule sub)
{
	if (super->ifname == NULL)
		sub.ifname = NULL;
	if (super->direction == 0)
		sub.direction = 0;
	if (super->flags == 0 && super->flagset == 0)
		sub.flags = sub.flagset = 0;
	if (super->proto == 0)
		sub.proto = 0;
	if (super->src_port.op == 0)
		memset(&sub.src_port, 0, sizeof(sub.src_port));
	if (super->dst_port.op == 0)
		memset(&sub.dst_port, 0, sizeof(sub.dst_port));
	widen_peer(&super->src, &sub.src, super->af == sub.af);
	widen_peer(&super->dst, &sub.dst, super->af == sub.af);
	if (super->af == 0)
		sub.af = 0;
	return same_but_addrs(super, &sub) &&
	    same_addr(&super->src.addr, &sub.src.addr) &&
	    same_addr(&super->dst.addr, &sub.dst.addr);
}

static size_t
ref_drop(struct ref_rule *v, size_t n, size_t i)
{
	memmove(v + i, v + i + 1, (n - i - 1) * sizeof(*v));
	return n - 1;
}

static size_t
ref_remove_covered(struct ref_rule *v, size_t n)
{
	bool self;

	for (size_t i = 0; i < n; i += !self) {
		self = false;
		for (size_t j = i + 1; j < n && !self; ) {
			if (covers(&v[i].r, v[j].r))
				n = ref_drop(v, n, j);
			else if (covers(&v[j].r, v[i].r)) {
				n = ref_drop(v, n, i);
				self = true;
			} else
				j++;
		}
	}
	return n;
}

static struct arena *ref_room;	/* of the fixture that is optimised */

static struct ref_table *
ref_join(struct ref_table *t, struct ref_rule *a, const struct ref_rule *b,
    bool dst, unsigned *number)
{
	if (t == NULL) {
		t = arena_new(ref_room, struct ref_table);
		t->number = (*number)++;
		t->dst = dst;
		t->m[t->n++] = arena_memdup(ref_room, &a->r, sizeof(a->r));
	}
	t->m[t->n++] = arena_memdup(ref_room, &b->r, sizeof(b->r));
	return t;
}

static size_t
ref_group(struct ref_rule *v, size_t n, unsigned *number)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; ) {
			struct ref_rule *a = &v[i], *b = &v[j];
			bool src = same_addr(&a->r.src.addr, &b->r.src.addr);
			bool dst = same_addr(&a->r.dst.addr, &b->r.dst.addr);
			struct ref_table *t = NULL;

			if (b->src != NULL || b->dst != NULL ||
			    !same_but_addrs(&a->r, &b->r))
				;
			else if (src && !dst && a->src == NULL &&
			    is_net(&a->r.dst.addr) && is_net(&b->r.dst.addr))
				t = b->dst = a->dst = ref_join(a->dst, a, b,
				    true, number);
			else if (!src && dst && a->dst == NULL &&
			    is_net(&a->r.src.addr) && is_net(&b->r.src.addr))
				t = b->src = a->src = ref_join(a->src, a, b,
				    false, number);
			if (t != NULL && t->n >= 6)
				n = ref_drop(v, n, j);
			else
				j++;
		}
	return n;
}

static void
ref_print_table(struct strbuf *sb, const struct ref_table *t)
{
	strbuf_printf(sb, "table <__automatic_%u> const {", t->number);
	for (unsigned i = 0; i < t->n; i++) {
		strbuf_putc(sb, ' ');
		print_addr(sb, t->dst ? &t->m[i]->dst.addr :
		    &t->m[i]->src.addr, t->m[i]->af, 0);
	}
	strbuf_puts(sb, " }\n");
}

static size_t
ref_tables(struct fixture *f, struct ref_rule *v, size_t n)
{
	for (size_t i = 0; i < n; ) {
		struct ref_table *t = v[i].src != NULL ? v[i].src : v[i].dst;
		struct rule_addr *a;

		if (t == NULL || t->n < 6) {
			i++;
			continue;
		}
		if (t->made) {
			n = ref_drop(v, n, i);
			continue;
		}
		t->made = true;
		ref_print_table(&f->rs.echo, t);
		a = t->dst ? &v[i].r.dst.addr : &v[i].r.src.addr;
		memset(a, 0, sizeof(*a));
		a->kind = RULE_ADDR_TABLE;
		a->name = arena_printf(&f->rs.arena, "__automatic_%u",
		    t->number);
		i++;
	}
	return n;
}

/* Lists as pfctl keeps them: an array sorted by length, moved by steps. */
struct ref_list { size_t n, m[MAX]; };
struct ref_field { size_t n; struct ref_list *l[MAX]; bool dead; };

static bool
skip_addr(const struct rule_peer_addr *a, const struct rule_peer_addr *b)
{
	if (a->neg != b->neg || !same_addr(&a->addr, &b->addr))
		return false;
	return !is_net(&a->addr) ||
	    !addr_is_zero(&a->addr.addr, PFK_AF_INET6);
}

static bool
skip_same(int f, const struct rule *a, const struct rule *b)
{
	switch (f) {
	case 0: return a->ifname != NULL && same_str(a->ifname, b->ifname) &&
	    a->ifnot == b->ifnot;
	case 1: return a->direction != 0 && a->direction == b->direction;
	case 2: return a->onrdomain >= 0 && a->onrdomain == b->onrdomain &&
	    a->ifnot == b->ifnot;
	case 3: return a->af != 0 && a->af == b->af;
	case 4: return a->proto != 0 && a->proto == b->proto;
	case 5: return skip_addr(&a->src, &b->src);
	case 6: return skip_addr(&a->dst, &b->dst);
	case 7: return a->src_port.op != 0 &&
	    same_ports(&a->src_port, &b->src_port);
	default: return a->dst_port.op != 0 &&
	    same_ports(&a->dst_port, &b->dst_port);
	}
}

static void
ref_swap(struct ref_field *f, size_t i)
{
	struct ref_list *l = f->l[i];

	f->l[i] = f->l[i + 1];
	f->l[i + 1] = l;
}

static void
ref_insert(struct ref_field *f, int nr, const struct ref_rule *v, size_t rule)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (skip_same(nr, &v[rule].r, &v[f->l[i]->m[0]].r))
			break;
	if (i == f->n)
		f->l[f->n++] = calloc(1, sizeof(struct ref_list));
	f->l[i]->m[f->l[i]->n++] = rule;
	for (; i > 0 && f->l[i - 1]->n < f->l[i]->n; i--)
		ref_swap(f, i - 1);
}

static void
ref_extract(struct ref_field *f, size_t rule)
{
	for (size_t i = 0; i < f->n && f->l[0]->n > 1; i++)
		for (size_t j = 0; j < f->l[i]->n; j++) {
			if (f->l[i]->m[j] != rule)
				continue;
			memmove(f->l[i]->m + j, f->l[i]->m + j + 1,
			    (--f->l[i]->n - j) * sizeof(size_t));
			for (; i + 1 < f->n && f->l[i + 1]->n > f->l[i]->n;
			    i++)
				ref_swap(f, i);
			return;
		}
}

static void ref_reorder(const struct ref_rule *, const size_t *, size_t,
    size_t *, size_t *);

static void
ref_order_block(const struct ref_rule *v, struct ref_field *f,
    const size_t *in, size_t n, size_t *out, size_t *nout)
{
	size_t own[MAX], nown = 0, left = n;
	bool taken[MAX] = { false };

	while (left > 0) {
		int best = -1;
		struct ref_list *l;

		for (int i = 0; i < 9; i++)
			if (f[i].n > 0 && !f[i].dead && f[i].l[0]->n >
			    (best < 0 ? 1 : f[best].l[0]->n))
				best = i;
		if (best < 0)
			break;
		l = f[best].l[0];
		memmove(f[best].l, f[best].l + 1, --f[best].n * sizeof(l));
		for (size_t j = 0; j < l->n; j++) {
			taken[l->m[j]] = true;
			for (int i = 0; i < 9; i++)
				if (i != best && f[i].n > 0 && !f[i].dead)
					ref_extract(&f[i], l->m[j]);
		}
		left -= l->n;
		if (l->n > 2)
			ref_reorder(v, l->m, l->n, out, nout);
		else
			for (size_t j = 0; j < l->n; j++)
				own[nown++] = l->m[j];
		free(l);
	}
	for (size_t i = 0; i < n; i++)
		if (!taken[in[i]])
			own[nown++] = in[i];
	memcpy(out + *nout, own, nown * sizeof(*own));
	*nout += nown;
}

static void
ref_reorder(const struct ref_rule *v, const size_t *in, size_t n, size_t *out,
    size_t *nout)
{
	struct ref_field *f = calloc(9, sizeof(*f));

	for (int i = 0; i < 9; i++) {
		for (size_t j = 0; j < n; j++)
			ref_insert(&f[i], i, v, in[j]);
		f[i].dead = f[i].l[0]->n == n || f[i].l[0]->n == 1;
	}
	ref_order_block(v, f, in, n, out, nout);
	for (int i = 0; i < 9; i++)
		for (size_t j = 0; j < f[i].n; j++)
			free(f[i].l[j]);
	free(f);
}

static void
ref_superblock(struct fixture *f, struct ref_rule *v, size_t n)
{
	size_t in[MAX], out[MAX], nout = 0;

	if (n > 1) {
		n = ref_remove_covered(v, n);
		n = ref_group(v, n, &f->rs.next_automatic);
		n = ref_tables(f, v, n);
	}
	for (size_t i = 0; i < n; i++)
		in[i] = i;
	ref_reorder(v, in, n, out, &nout);
	ck_assert_uint_eq(n, nout);
	for (size_t i = 0; i < n; i++)
		fixture_add(f, &v[out[i]].r);
}

static bool
is_group(const char *name)
{
	return name != NULL && strpbrk(name + strlen(name) - 1,
	    "0123456789") == NULL;
}

static bool
ref_joins(const struct rule *a, const struct rule *b)
{
	if (a->label != NULL || b->label != NULL || a->action != b->action ||
	    a->quick != b->quick || a->keep_state != b->keep_state)
		return false;
	return !(is_group(a->ifname) || is_group(b->ifname)) ||
	    same_str(a->ifname, b->ifname);
}

static void
ref_optimize(struct fixture *f, const struct rule *rules, size_t n)
{
	struct ref_rule *v = calloc(n, sizeof(*v));

	ref_room = &f->rs.arena;
	for (size_t i = 0, k; i < n; i += k) {
		memset(v, 0, n * sizeof(*v));
		v[0].r = rules[i];
		for (k = 1; i + k < n && ref_joins(&rules[i], &rules[i + k]);
		    k++)
			v[k].r = rules[i + k];
		ref_superblock(f, v, k);
	}
	free(v);
}

/* --- tests --- */

static void
compare(const struct rule *rules, size_t n)
{
	struct fixture want, got;

	fixture_init(&want);
	fixture_init(&got);
	ref_optimize(&want, rules, n);
	want.rs.flat.opts.optimize = OPTIMIZE_NONE;
	ck_assert(load_rules(&want.rs, &want.root));
	for (size_t i = 0; i < n; i++)
		fixture_add(&got, &rules[i]);
	ck_assert(load_rules(&got.rs, &got.root));
	ck_assert_str_eq(strbuf_str(&want.rs.echo), strbuf_str(&got.rs.echo));
	ck_assert_uint_eq(want.root.nrules, got.root.nrules);
	fixture_free(&want);
	fixture_free(&got);
}

START_TEST(random_rulesets)
{
	struct rule rules[MAX];
	unsigned rounds = getenv("OPTIMIZE_ROUNDS") != NULL ?
	    (unsigned)atoi(getenv("OPTIMIZE_ROUNDS")) : 400;

	for (unsigned round = 0; round < rounds; round++) {
		unsigned spread, n;

		seed = 1000003u * (unsigned)_i + round;
		spread = 4 + pick(40);
		n = 1 + pick(round % 8 == 0 ? MAX - 1 : 40);
		for (unsigned i = 0; i < n; i++)
			rules[i] = pick_rule(spread);
		compare(rules, n);
	}
}
END_TEST

/* Like rules, so that merging and ordering have much to do. */
START_TEST(random_similar_rules)
{
	struct rule rules[MAX], base;

	for (unsigned round = 0; round < 200; round++) {
		unsigned n;

		seed = 7777777u * (unsigned)_i + round;
		n = 2 + pick(80);
		do
			base = pick_rule(60);
		while (base.af == 0 || base.label != NULL);
		for (unsigned i = 0; i < n; i++) {
			rules[i] = base;
			if (pick(3) != 0)
				pick_network(&rules[i].src.addr,
				    (enum pfk_af)base.af);
			if (pick(3) == 0)
				pick_network(&rules[i].dst.addr,
				    (enum pfk_af)base.af);
			if (pick(3) == 0)
				pick_ports(&rules[i].dst_port);
			if (pick(5) == 0)
				rules[i].direction = (uint8_t)pick(3);
		}
		compare(rules, n);
	}
}
END_TEST

/* A firewall's typical long list. */
static void
long_list(struct fixture *f, unsigned n)
{
	struct rule r;

	rule_init(&r);
	r.direction = RULE_IN;
	r.quick = 1;
	r.ifname = "em0";
	r.af = PFK_AF_INET;
	r.proto = 6;
	r.keep_state = RULE_KEEP_STATE;
	r.flags = 2;
	r.flagset = 18;
	r.src.addr.kind = r.dst.addr.kind = RULE_ADDR_MASK;
	addr_prefix_mask(&r.src.addr.mask, 24);
	addr_prefix_mask(&r.dst.addr.mask, 32);
	r.dst_port.op = RULE_OP_EQ;
	for (unsigned i = 0; i < n; i++) {
		r.src.addr.addr = (struct pfk_addr){ { 10,
		    (uint8_t)(i / 251 % 256), (uint8_t)(i % 251), 0 } };
		r.dst.addr.addr = (struct pfk_addr){ { 192, 168,
		    (uint8_t)(i / 7 % 256), (uint8_t)(1 + i % 253) } };
		r.dst_port.port[0] = (uint16_t)(1 + i % 60000);
		fixture_add(f, &r);
	}
}

static double
seconds_for(unsigned n)
{
	struct fixture f;
	clock_t start;
	double seconds;

	fixture_init(&f);
	long_list(&f, n);
	start = clock();
	ck_assert(load_rules(&f.rs, &f.root));
	seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	fixture_free(&f);
	return seconds;
}

/* Ten times the rules must not take anything like a hundred times as long. */
START_TEST(time_grows_with_size)
{
	double small = seconds_for(10000), large = seconds_for(100000);

	printf("optimize: 10000 rules %.3f s, 100000 rules %.3f s\n", small,
	    large);
	ck_assert(large < 40 * small + 0.5);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("optimize");
	TCase *tc = tcase_create("against the reference");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, random_rulesets, 0, 8);
	tcase_add_loop_test(tc, random_similar_rules, 0, 8);
	tcase_add_test(tc, time_grows_with_size);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
