/*
 * A rule's tests, out of the text that pfctl shows of it: "block drop in log
 * quick on em0 inet proto tcp from <bad> to (em0:network:1) port = 80 ...".
 *
 * A rule without an address family becomes two, one of each: addresses are
 * numbers of one family.  What the text says behind its tests is passed over.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "addresses.h"
#include "cells.h"
#include "icmp_names.h"

#define WORD_MAX	256

struct reader {
	struct tests_of	*of;
	struct rule_tests *t;
	const char	*p;
	char		 word[WORD_MAX];
	char		 next[WORD_MAX];	/* the one behind it */
	const char	*after;			/* ... and where that ends */
	struct addresses where;
	enum dim	 port;		/* `port' is of this side, ... */
	bool		 may_port;	/* ... if it follows at once */
};

/* One word: quoted, in parentheses, or up to a blank. */
static const char *
take_word(const char *p, char *word)
{
	size_t n = 0;
	char end = ' ';

	while (*p == ' ')
		p++;
	if (*p == '"' || *p == '(')
		end = *p == '"' ? '"' : ')';
	while (*p != '\0' && (*p != ' ' || end != ' ')) {
		bool last = n > 0 && *p == end;

		if (n < WORD_MAX - 1)
			word[n++] = *p;
		p++;
		if (last && end != ' ')
			end = ' ';	/* "(em0)/24" goes on */
	}
	word[n] = '\0';
	return p;
}

static bool
advance(struct reader *r)
{
	r->p = take_word(r->p, r->word);
	r->after = take_word(r->p, r->next);
	return r->word[0] != '\0';
}

static bool
is(const struct reader *r, const char *word)
{
	return strcmp(r->word, word) == 0;
}

/* ---- tests ---- */

/* `on egress', `on ! em0', `on rdomain 1' */
static void
take_interface(struct reader *r)
{
	bool *set = xcalloc(r->of->nifs + 1, sizeof(*set)), not = false;
	bool rdomain = false;

	advance(r);
	if ((not = is(r, "!")))
		advance(r);
	if ((rdomain = is(r, "rdomain")))
		advance(r);
	for (size_t i = 0; i < r->of->nifs; i++) {
		const struct pfk_interface *f = &r->of->ifs[i];
		bool in = rdomain ? f->rdomain == strtoul(r->word, NULL, 10) :
		    (strcmp(r->word, "any") == 0 &&
		    (f->flags & PFK_IFF_LOOPBACK) == 0) ||
		    strcmp(r->word, f->name) == 0 ||
		    pfk_host_in_group(f, r->word);

		set[i] = in != not;
	}
	r->t->ifaces = set;
}

static void
take_protocol(struct reader *r)
{
	int n;

	advance(r);
	n = pfk_host_protocol(r->of->host, r->word);
	if (n < 0)
		n = atoi(r->word);
	r->t->dim[DIM_PROTO].how = TEST_RANGES;
	ranges_add(&r->t->dim[DIM_PROTO].set, num_of((uint64_t)n),
	    num_of((uint64_t)n));
}

static void
take_address(struct reader *r, enum dim d)
{
	struct dim_test *t = &r->t->dim[d];
	char low[WORD_MAX];
	bool not = false;

	advance(r);
	if ((not = is(r, "!")))
		advance(r);
	strcpy(low, r->word);
	if (strcmp(r->next, "-") == 0) {
		advance(r);
		advance(r);
		addresses_span(&r->where, low, r->word, t);
	} else if (strcmp(low, "route") == 0) {
		advance(r);
		addresses_of_routes(&r->where, t);
	} else
		addresses_of(&r->where, low, t);
	if (t->how == TEST_RANGES) {
		ranges_sort(&t->set);
		if (not)
			ranges_invert(&t->set, num_max(d, r->where.af));
	}
	r->port = d == DIM_SRC ? DIM_SPORT : DIM_DPORT;
	r->may_port = true;
}

static void
set_ports(struct dim_test *t, unsigned from, unsigned to, bool not)
{
	t->how = TEST_RANGES;
	if (from <= to)
		ranges_add(&t->set, num_of(from), num_of(to));
	if (not)
		ranges_invert(&t->set, num_of(65535));
}

/* "port = 80", "port 80:90", "port 1 >< 5", "port > 1024" */
static void
take_ports(struct reader *r)
{
	struct dim_test *t = &r->t->dim[r->port];
	unsigned a, b;
	char op[3];

	advance(r);
	if (isdigit((unsigned char)r->word[0])) {
		a = (unsigned)strtoul(r->word, NULL, 10);
		if (strchr(r->word, ':') != NULL) {
			b = (unsigned)atoi(strchr(r->word, ':') + 1);
			set_ports(t, a, b, false);
			return;
		}
		advance(r);
		op[0] = r->word[0];
		advance(r);
		b = (unsigned)atoi(r->word);
		if (op[0] == '>')
			set_ports(t, a + 1, b > 0 ? b - 1 : 0, false);
		else
			set_ports(t, a, b, true);
		return;
	}
	op[0] = r->word[0];
	op[1] = op[0] != '\0' ? r->word[1] : '\0';
	op[2] = '\0';
	advance(r);
	a = (unsigned)atoi(r->word);
	if (strcmp(op, "=") == 0 || strcmp(op, "!=") == 0)
		set_ports(t, a, a, op[0] == '!');
	else if (op[0] == '<')
		set_ports(t, 0, op[1] == '=' ? a : a - 1, false);
	else
		set_ports(t, op[1] == '=' ? a : a + 1, 65535, false);
}

static uint8_t
flag_bits(const char *p)
{
	static const char letters[] = "FSRPAUEW";
	uint8_t bits = 0;
	const char *at;

	for (; *p != '\0' && *p != '/'; p++)
		if ((at = strchr(letters, *p)) != NULL)
			bits |= (uint8_t)(1u << (at - letters));
	return bits;
}

static void
take_flags(struct reader *r)
{
	const char *slash;

	advance(r);
	slash = strchr(r->word, '/');
	if (slash == NULL)
		return;
	r->t->flags = flag_bits(r->word);
	r->t->mask = flag_bits(slash + 1);
}

/* What the text calls by a name that is not known here may be any value. */
static void
take_value(struct reader *r, enum dim d, int n)
{
	struct dim_test *t = &r->t->dim[d];

	if (n >= 0) {
		t->how = TEST_RANGES;
		ranges_add(&t->set, num_of((uint64_t)n), num_of((uint64_t)n));
		return;
	}
	t->how = TEST_CUTS;
	for (unsigned i = 0; i < 256; i++)
		ranges_add(&t->set, num_of(i), num_of(i));
}

static void
take_icmp(struct reader *r)
{
	advance(r);
	take_value(r, DIM_TYPE, icmp_type_of(r->t->af, r->word));
}

static void
take_code(struct reader *r)
{
	advance(r);
	take_value(r, DIM_CODE, isdigit((unsigned char)r->word[0]) ?
	    atoi(r->word) : -1);
}

static void
take_tos(struct reader *r)
{
	advance(r);
	take_value(r, DIM_TOS, isdigit((unsigned char)r->word[0]) ?
	    (int)strtol(r->word, NULL, 0) : -1);
}

static void
take_match_translation(struct reader *r, bool source)
{
	if (!r->t->decides)
		r->t->translates[source ? 0 : 1] = true;
	r->t->keep = true;
}

/* ---- words ---- */

static void take_in(struct reader *r) { r->t->dir = PFK_IN; }
static void take_out(struct reader *r) { r->t->dir = PFK_OUT; }
static void take_quick(struct reader *r) { r->t->quick = true; }
static void take_log(struct reader *r) { r->t->log = true; }
static void take_from(struct reader *r) { take_address(r, DIM_SRC); }
static void take_to(struct reader *r) { take_address(r, DIM_DST); }
static void take_inet(struct reader *r) { r->t->never |= r->t->af != 4; }
static void take_inet6(struct reader *r) { r->t->never |= r->t->af != 6; }
static void take_fragment(struct reader *r) { r->t->never = true; }
static void take_keep(struct reader *r) { advance(r); r->t->keep = true; }
static void take_skip(struct reader *r) { advance(r); }
static void take_nat(struct reader *r) { take_match_translation(r, true); }
static void take_rdr(struct reader *r) { take_match_translation(r, false); }

static void
take_port(struct reader *r)
{
	if (r->may_port)
		take_ports(r);
}

static void
take_os(struct reader *r)
{
	advance(r);
	r->t->question = "the operating system of the sender";
}

static void
take_user(struct reader *r)
{
	r->t->question = "the user or group of a socket";
}

static void
take_probability(struct reader *r)
{
	advance(r);
	r->t->question = "its probability";
}

static void
take_rate(struct reader *r)
{
	advance(r);
	r->t->question = "its rate of packets";
}

static void
take_received(struct reader *r)
{
	advance(r);
	r->t->maybe = true;
}

static void
take_no(struct reader *r)
{
	if (strcmp(r->next, "state") == 0)
		r->t->no_state = true;
}

static const struct { const char *word; void (*take)(struct reader *); }
    verbs[] = {
	{ "in", take_in },		{ "out", take_out },
	{ "log", take_log },		{ "quick", take_quick },
	{ "on", take_interface },		{ "inet", take_inet },
	{ "inet6", take_inet6 },	{ "proto", take_protocol },
	{ "from", take_from },		{ "to", take_to },
	{ "port", take_port },		{ "flags", take_flags },
	{ "icmp-type", take_icmp },	{ "icmp6-type", take_icmp },
	{ "code", take_code },		{ "tos", take_tos },
	{ "fragment", take_fragment },	{ "os", take_os },
	{ "user", take_user },		{ "group", take_user },
	{ "probability", take_probability },
	{ "max-pkt-rate", take_rate },	{ "tag", take_keep },
	{ "tagged", take_received },	{ "received-on", take_received },
	{ "prio", take_received },	{ "label", take_skip },
	{ "queue", take_skip },		{ "rtable", take_skip },
	{ "set", take_skip },		{ "scrub", take_skip },
	{ "no", take_no },
	{ "nat-to", take_nat },		{ "rdr-to", take_rdr },
};

static void
take_words(struct reader *r)
{
	size_t i;

	while (advance(r)) {
		for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
			if (is(r, verbs[i].word))
				break;
		if (i == sizeof(verbs) / sizeof(verbs[0]))
			continue;
		verbs[i].take(r);
		/* `port' belongs to the address just before it */
		r->may_port = verbs[i].take == take_from ||
		    verbs[i].take == take_to;
	}
}

/* ---- rules ---- */

static void
read_rule(struct tests_of *of, struct rule_tests *t,
    const struct pfk_rule_info *info)
{
	struct reader r = { .of = of, .t = t, .p = info->text, .where =
	    { of, info->anchor, t->af } };

	advance(&r);
	t->block = is(&r, "block");
	t->decides = t->block || is(&r, "pass");
	if (is(&r, "anchor"))
		t->opens = true;
	if (t->opens && r.next[0] == '"')
		advance(&r);
	take_words(&r);
}

struct gatherer {
	struct tests_of	*of;
	bool		*seen;		/* of the image's rules */
	unsigned	 depth;
};
#define DEPTH_MAX	64

static struct rule_tests *
add_rule(struct gatherer *g, size_t rule, uint8_t af, struct rule_tests *in,
    struct pfk_rule_info *info)
{
	struct tests_of *of = g->of;
	struct rule_tests *t = xcalloc(1, sizeof(*t));

	of->rules = xrealloc(of->rules, (of->nrules + 1) *
	    sizeof(struct rule_tests *));
	of->rules[of->nrules++] = t;
	pfk_image_rule(of->image, rule, info);
	t->rule = (uint32_t)rule;
	t->af = af;
	t->in = in;
	g->seen[rule] = true;
	read_rule(of, t, info);
	return t;
}

/* Rules in the order in which they are asked, anchors' where they are called. */
static void
gather(struct gatherer *g, const char *anchor, uint8_t af,
    struct rule_tests *in)
{
	size_t n = pfk_image_rules(g->of->image);
	struct pfk_rule_info info;
	struct rule_tests *t;

	for (size_t i = 0; i < n; i++) {
		pfk_image_rule(g->of->image, i, &info);
		if (strcmp(info.anchor, anchor) != 0)
			continue;
		t = add_rule(g, i, af, in, &info);
		if (!t->opens || info.body == NULL || info.body[0] == '\0' ||
		    g->depth == DEPTH_MAX)
			continue;
		g->depth++;
		gather(g, info.body, af, t);
		g->depth--;
	}
}

/* Rules of anchors that are called by a pattern: anywhere. */
static void
gather_others(struct gatherer *g, uint8_t af)
{
	size_t n = pfk_image_rules(g->of->image);
	struct pfk_rule_info info;
	struct rule_tests *t;

	for (size_t i = 0; i < n; i++) {
		if (g->seen[i])
			continue;
		t = add_rule(g, i, af, NULL, &info);
		g->seen[i] = false;
		t->maybe = t->keep = true;
		t->quick = false;
	}
}

void
tests_of_rules(struct tests_of *of)
{
	struct gatherer g = { of, NULL, 0 };

	g.seen = xcalloc(pfk_image_rules(of->image) + 1, sizeof(bool));
	for (uint8_t af = 4; af <= 6; af += 2)
		gather(&g, "", af, NULL);
	for (uint8_t af = 4; af <= 6; af += 2)
		gather_others(&g, af);
	free(g.seen);
}

static bool
is_for(const struct rule_tests *t, const struct cell *c)
{
	return !t->never && t->af == c->af && (t->dir == 0 ||
	    t->dir == c->dir) && (t->ifaces == NULL || t->ifaces[c->iface]);
}

const struct rule_list *
rules_of(struct tests_of *of, const struct cell *c)
{
	struct rule_list *l;

	if (of->lists == NULL)
		of->lists = xcalloc(of->nifs + 1, 4 * sizeof(*of->lists));
	l = &of->lists[c->iface * 4u + (c->af == 6 ? 2u : 0u) +
	    (c->dir == PFK_OUT ? 1u : 0u)];
	if (l->made)
		return l;
	l->rule = xcalloc(of->nrules + 1, sizeof(struct rule_tests *));
	for (size_t i = 0; i < of->nrules; i++)
		if (is_for(of->rules[i], c))
			l->rule[l->n++] = of->rules[i];
	l->made = true;
	return l;
}

void
tests_of_free(struct tests_of *of)
{
	for (size_t i = 0; of->lists != NULL && i < of->nifs * 4; i++)
		free(of->lists[i].rule);
	free(of->lists);
	of->lists = NULL;
	for (size_t i = 0; i < of->nrules; i++) {
		for (unsigned d = 0; d < NDIMS; d++)
			ranges_free(&of->rules[i]->dim[d].set);
		free(of->rules[i]->ifaces);
		free(of->rules[i]);
	}
	free(of->rules);
	of->rules = NULL;
	of->nrules = 0;
}
