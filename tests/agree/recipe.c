/*
 * Rulesets by chance.
 *
 *	drawn		bench's shapes (ClassBench's acl, fw, ipc; chains of
 *			anchors; hosts, ports, fields; both families), told
 *			anew: with or without quick, blocking, keeping states,
 *			and now and then a rule of any kind between
 *	mixed		rules of any kind, anchors in anchors
 *	rows		many that do nothing before they decide, each much like
 *			the one before, with rare others
 *	lengths		prefixes of every length at both ends, nested in few
 *			addresses: more hash tables than a block keeps sets of
 *	tables		few rules, large tables
 *	scraps		very few rules
 *	firewall	match rules in front, then anchors with simple rules in
 *			them, empty ones, and simple rules between
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "tests/agree/agree.h"

static void
settings(struct author *a)
{
	static const char *const lines[] = {
	    "set limit states 40\n", "set reassemble no\n",
	    "set state-policy if-bound\n", "set skip on em2\n",
	    "set timeout { udp.first 5, udp.single 3, icmp.first 2 }\n",
	    "set block-policy return\n", "set syncookies always\n",
	    "set optimization aggressive\n", "set limit frags 3\n" };

	while (once_in(a->r, 3))
		text_add(a->t, "%s", lines[random_below(a->r, 9)]);
}

/* ---- drawn ---- */

struct style {			/* how rules are told; in percent */
	unsigned	 quick, block, state, other, inout, flags;
};

static void
retell(struct author *a, const struct style *y, const char *rule, size_t len)
{
	static const char head[] = "pass in quick", tail[] = " no state";
	static const char *const flags[] = { "any", "S/SA", "A/A", "F/F",
	    "/FR", "S/SAFR" };
	const char *rest = rule + sizeof(head) - 1;
	bool block = random_below(a->r, 100) < y->block;

	len -= sizeof(head) - 1 + sizeof(tail) - 1;
	text_add(a->t, "%s", block ? "block" : "pass");
	if (random_below(a->r, 100) >= y->inout)
		text_add(a->t, " in");
	if (random_below(a->r, 100) < y->quick)
		text_add(a->t, " quick");
	text_add(a->t, "%.*s", (int)len, rest);
	if ((strncmp(rest, " inet proto tcp", 15) == 0 ||
	    strncmp(rest, " inet6 proto tcp", 16) == 0) &&
	    random_below(a->r, 100) < y->flags)
		text_add(a->t, " flags %s", flags[random_below(a->r, 6)]);
	text_add(a->t, "%s\n", block || random_below(a->r, 100) < y->state ?
	    "" : tail);
}

static void
retell_all(struct author *a, const struct style *y, const struct text *t)
{
	const char *p = t->p, *end;

	for (; p < t->p + t->len; p = end + 1) {
		end = memchr(p, '\n', (size_t)(t->p + t->len - p));
		if (strncmp(p, "pass in quick", 13) != 0) {
			text_add(a->t, "%.*s\n", (int)(end - p), p);
			continue;
		}
		if (random_below(a->r, 1000) < y->other)
			rule_write(a);
		retell(a, y, p, (size_t)(end - p));
	}
}

static void
draw_style(struct random *r, struct style *y)
{
	static const uint8_t parts[] = { 0, 0, 5, 40, 100, 100 };

	y->quick = parts[random_below(r, 6)];
	y->block = parts[random_below(r, 5)];
	y->state = once_in(r, 3) ? parts[random_below(r, 6)] : 0;
	y->other = once_in(r, 2) ? 0 : random_below(r, 60);
	y->inout = parts[random_below(r, 5)];
	y->flags = parts[random_below(r, 5)];
}

static void
write_drawn(struct author *a)
{
	static const unsigned sizes[] = { 10, 40, 70, 130, 220, 250, 400, 900,
	    2500 };
	enum shape shape = (enum shape)random_below(a->r, NSHAPES);
	unsigned n = sizes[random_below(a->r, 9)];
	struct ruleset *rules;
	struct style style;
	struct text t = { 0 };

	if (once_in(a->r, 40))
		n = once_in(a->r, 3) ? 40000 : 12000;
	draw_style(a->r, &style);
	rules = ruleset_new(shape, n, random_u64(a->r));
	ruleset_text(rules, &t);
	tables_write(a, 10);
	a->stateless = style.state == 0;
	retell_all(a, &style, &t);
	ruleset_free(rules);
	text_free(&t);
}

/* ---- the others ---- */

static void
write_mixed(struct author *a)
{
	unsigned n = 5 + random_below(a->r, once_in(a->r, 5) ? 200 : 50);

	settings(a);
	tables_write(a, 8);
	a->stateless = once_in(a->r, 4);
	while (n-- > 0)
		rule_write(a);
}

static void
write_rows(struct author *a)
{
	unsigned n = 20 + random_below(a->r, 800);
	bool all = once_in(a->r, 2);

	if (once_in(a->r, 4))
		settings(a);
	tables_write(a, 8);
	a->stateless = once_in(a->r, 2);
	for (unsigned i = 0; i < n; i++) {
		a->simple = all || !once_in(a->r, 60);
		rule_write(a);
	}
}

static void
put_prefix(struct author *a, bool six)
{
	unsigned all = six ? 128 : 32, bits = random_below(a->r, all + 1);
	uint32_t w[4] = { six ? 0x20010db8 : 0x0a010203, 1, 2, 3 };

	if (once_in(a->r, 3))		/* beside the usual address */
		w[random_below(a->r, all) / 32] ^= (uint32_t)1 <<
		    random_below(a->r, 32);
	for (unsigned i = 0; i < 4; i++) {
		unsigned n = bits > 32 * i ? bits - 32 * i : 0;

		w[i] &= n == 0 ? 0 : n >= 32 ? UINT32_MAX :
		    ~(UINT32_MAX >> n);
	}
	if (!six)
		text_add(a->t, "%u.%u.%u.%u/%u", w[0] >> 24, w[0] >> 16 & 255,
		    w[0] >> 8 & 255, w[0] & 255, bits);
	else
		text_add(a->t, "%x:%x:%x:%x:%x:%x:%x:%x/%u", w[0] >> 16,
		    w[0] & 0xffff, w[1] >> 16, w[1] & 0xffff, w[2] >> 16,
		    w[2] & 0xffff, w[3] >> 16, w[3] & 0xffff, bits);
}

static void
put_port(struct author *a)
{
	unsigned port = 1 + random_below(a->r, 12);

	if (once_in(a->r, 2))
		text_add(a->t, " port %u", port);
	else if (once_in(a->r, 3))
		text_add(a->t, " port %u:%u", port, port + random_below(a->r,
		    9));
}

static void
write_lengths(struct author *a)
{
	unsigned n = 300 + random_below(a->r, 1500),
	    quick = random_below(a->r, 3), sixes = random_below(a->r, 3);

	for (unsigned i = 0; i < n; i++) {
		bool six = random_below(a->r, 2) < sixes;
		bool block = once_in(a->r, 2);

		text_add(a->t, "%s in%s %s proto %s from ", block ? "block" :
		    "pass", random_below(a->r, 2) < quick ? " quick" : "",
		    six ? "inet6" : "inet", once_in(a->r, 2) ? "udp" : "tcp");
		put_prefix(a, six);
		put_port(a);
		text_add(a->t, " to ");
		put_prefix(a, six);
		put_port(a);
		text_add(a->t, "%s\n", block ? "" : " no state");
	}
}

static void
write_tables(struct author *a)
{
	unsigned n = 3 + random_below(a->r, 20);

	tables_write(a, once_in(a->r, 3) ? 3000 : 200);
	a->stateless = once_in(a->r, 2);
	for (unsigned i = 0; i < n; i++) {
		text_add(a->t, "%s quick from %s<t%u>%s\n", once_in(a->r, 2) ?
		    "block" : "pass in", once_in(a->r, 4) ? "! " : "",
		    random_below(a->r, 3), once_in(a->r, 2) ?
		    " to <t0>" : "");
		rule_write(a);
	}
}

static void
write_scraps(struct author *a)
{
	settings(a);
	tables_write(a, 3);
	for (unsigned n = random_below(a->r, 8); n > 0; n--)
		rule_write(a);
}

static void
write_firewall(struct author *a)
{
	unsigned n = 5 + random_below(a->r, once_in(a->r, 4) ? 200 : 60);

	if (once_in(a->r, 4))
		settings(a);
	tables_write(a, 8);
	a->stateless = once_in(a->r, 2);
	for (unsigned i = random_below(a->r, 5); i > 0; i--)
		match_write(a);
	a->simple = true;
	while (n-- > 0)
		firewall_write(a);
}

const char *
recipe_write(struct text *t, unsigned which, struct random *r)
{
	static const struct {
		const char *name;
		void	(*write)(struct author *);
	} all[] = { { "drawn", write_drawn }, { "mixed", write_mixed },
	    { "rows", write_rows }, { "drawn", write_drawn },
	    { "mixed", write_mixed }, { "tables", write_tables },
	    { "rows", write_rows }, { "scraps", write_scraps },
	    { "lengths", write_lengths },
	    { "firewall", write_firewall }, { "firewall", write_firewall } };
	struct author a = { .t = t, .r = r };
	size_t n = sizeof(all) / sizeof(all[0]);

	all[which % n].write(&a);
	return all[which % n].name;
}
