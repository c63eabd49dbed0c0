/*
 * Loading rules into an anchor of an engine that runs: what decides then, what
 * the tables hold, and what is shown of rules that were replaced.
 */
#include <check.h>

#include <pfkit/engine.h>

#include "flat_rules.h"
#include "runtime/rules_int.h"

static struct rule
rule(uint8_t action, uint16_t port)
{
	struct rule r;

	rule_init(&r);
	r.action = action;
	if (port != 0) {
		r.proto = PROTO_UDP;
		r.dst_port = (struct rule_ports){ RULE_OP_EQ, { port, 0 } };
	}
	return r;
}

static void
from_table(struct rule *r, const char *name)
{
	r->src.addr.kind = RULE_ADDR_TABLE;
	r->src.addr.name = name;
}

/* block; anchor "a" (empty at first); anchor "a/..." for all its children */
static struct pfk_image *
main_image(struct flat *f)
{
	struct rule r = rule(RULE_BLOCK, 0);

	flat_init(f, 1);
	(void)flat_add(f, &f->root, &r);
	r = rule(RULE_PASS, 0);
	r.anchor.call = "a";
	r.anchor.body = flat_anchor(f, &f->root, "a");
	(void)flat_add(f, &f->root, &r);
	r.anchor.call = "a/*";
	r.anchor.wildcard = 1;
	(void)flat_add(f, &f->root, &r);
	return flat_image(f);
}

/* pass udp port 1 from <t>; with a child: pass udp port 2 */
static struct pfk_image *
anchor_image(struct flat *f, uint16_t port, const char *child)
{
	struct rule r = rule(RULE_PASS, port);
	struct table *t;
	struct table_addr ta = { .af = PFK_AF_INET, .bits = 8,
	    .addr = { { 10 } } };

	flat_init(f, 1);
	from_table(&r, "t");
	(void)flat_add(f, &f->root, &r);
	t = flat_table(f, &f->root, "t");
	vec_push(&f->rs.arena, &t->addrs, ta);
	if (child != NULL) {
		r = rule(RULE_PASS, 2);
		r.label = "child";
		(void)flat_add(f, flat_anchor(f, &f->root, child), &r);
	}
	return flat_image(f);
}

/* The text of the rule that decides about UDP to that port from 10.0.0.1. */
static const char *
decides(struct pfk_engine *e, uint16_t port)
{
	struct pfk_rule_info info;
	struct filter f;
	struct pkt p;

	memset(&p, 0, sizeof(p));
	memset(&f, 0, sizeof(f));
	p.e = e;
	p.af = p.naf = PFK_AF_INET;
	p.dir = PFK_IN;
	p.proto = PROTO_UDP;
	p.vproto = PROTO_UDP;
	p.addr[SRC].b[0] = 10;
	p.addr[SRC].b[3] = 1;
	p.port[DST] = port_net(port);
	p.rcvif = IF_NONE;
	f.p = &p;
	f.rule = e->default_rule;
	f.anchor = f.here = f.nat_rule = IMG_NONE;
	ck_assert_int_eq(ruleset_run(e, &f), PKT_PASS);
	if (f.rule == e->default_rule)
		return "default";
	pfk_engine_rule(e, f.rule, &info);
	return info.text;
}

START_TEST(load)
{
	struct flat fm, fa, fb;
	struct pfk_image *im = main_image(&fm);
	struct pfk_image *a = anchor_image(&fa, 1, "kid");
	struct pfk_image *b = anchor_image(&fb, 3, NULL);
	struct pfk_engine_options o = { .image = im };
	struct pfk_rule_info info;
	struct pfk_engine *e;
	char text[100];
	long t;

	ck_assert_int_eq(pfk_engine_new(&o, &e), PFK_OK);
	ck_assert_str_eq(decides(e, 1), "block drop all");
	ck_assert_int_eq(pfk_engine_load_anchor(e, "a", a), PFK_OK);
	ck_assert_uint_eq(pfk_engine_rules(e), 5);
	ck_assert_str_eq(decides(e, 1),
	    "pass proto udp from <t> to any port = 1 no state");
	ck_assert_str_eq(decides(e, 2), "pass proto udp from any to any "
	    "port = 2 no state label \"child\"");
	ck_assert_str_eq(decides(e, 3), "block drop all");
	t = pfk_engine_find_table(e, "a", "t", false);
	ck_assert_int_ge(t, 0);
	pfk_engine_rule(e, 3, &info);
	ck_assert_str_eq(info.anchor, "a");
	(void)pfk_engine_rule_text(e, 3, text, sizeof(text));
	ck_assert_str_eq(text,
	    "pass proto udp from <t:1> to any port = 1 no state");
	/* other rules: the child stays */
	ck_assert_int_eq(pfk_engine_load_anchor(e, "a", b), PFK_OK);
	ck_assert_str_eq(decides(e, 1), "block drop all");
	ck_assert_str_eq(decides(e, 3),
	    "pass proto udp from <t> to any port = 3 no state");
	ck_assert_str_eq(decides(e, 2), "pass proto udp from any to any "
	    "port = 2 no state label \"child\"");
	pfk_engine_rule(e, 3, &info);
	ck_assert_ptr_null(info.anchor);	/* replaced */
	pfk_engine_table_flush(e, (size_t)t);
	ck_assert_str_eq(decides(e, 3), "block drop all");
	/* an anchor that nobody calls */
	ck_assert_int_eq(pfk_engine_load_anchor(e, "x/y/z", a), PFK_OK);
	ck_assert_str_eq(decides(e, 1), "block drop all");
	pfk_engine_free(e);
	pfk_image_free(im);
	pfk_image_free(a);
	pfk_image_free(b);
	flat_free(&fm);
	flat_free(&fa);
	flat_free(&fb);
}
END_TEST

/* Calls that never end, and calls that would take for ever. */
START_TEST(deep)
{
	struct pfk_engine_options o = { 0 };
	struct rule r = rule(RULE_PASS, 0);
	struct pfk_engine *e;
	struct anchor *level[62];
	struct filter f = { 0 };
	struct pkt p = { .af = PFK_AF_INET, .naf = PFK_AF_INET,
	    .dir = PFK_IN, .rcvif = IF_NONE };
	struct pfk_image *im;
	struct flat fl;
	char name[8];

	flat_init(&fl, 1);
	for (unsigned i = 0; i < 62; i++) {
		(void)snprintf(name, sizeof(name), "l%u", i);
		level[i] = flat_anchor(&fl, &fl.root, arena_strdup(
		    &fl.rs.arena, name));
	}
	for (unsigned i = 0; i < 62; i++) {
		r.anchor.call = level[i]->name;
		r.anchor.body = level[i];
		for (unsigned k = 0; k < 2; k++)
			(void)flat_add(&fl, i == 0 ? &fl.root :
			    level[i - 1], &r);
	}
	if (_i != 0) {			/* the last one calls the first */
		r.anchor.call = level[0]->name;
		r.anchor.body = level[0];
		(void)flat_add(&fl, level[61], &r);
	}
	im = flat_image(&fl);
	o.image = im;
	ck_assert_int_eq(pfk_engine_new(&o, &e), PFK_OK);
	p.e = e;
	f.p = &p;
	f.rule = e->default_rule;
	f.anchor = f.here = f.nat_rule = IMG_NONE;
	ck_assert_int_eq(ruleset_run(e, &f), PKT_DROP);
	pfk_engine_free(e);
	pfk_image_free(im);
	flat_free(&fl);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("anchor_load");
	TCase *tc = tcase_create("anchor_load");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, load);
	tcase_add_loop_test(tc, deep, 0, 2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
