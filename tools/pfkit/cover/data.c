/*
 * Counting.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "data_int.h"

#define FIRST_WIDTH	UINT64_C(1000000)	/* a millisecond */

const char *const cover_by_names[COVER_BYS] = {
	[COVER_TRAFFIC] = "traffic",
	[COVER_TESTS] = "tests",
};

enum cover_by
cover_by_kind(const char *kind)
{
	return strcmp(kind, "replay") == 0 ? COVER_TRAFFIC : COVER_TESTS;
}

struct cover *
cover_new(const char *kind, const char *name)
{
	struct cover *c = xcalloc(1, sizeof(*c));

	c->runs = xcalloc(1, sizeof(*c->runs));
	c->nruns = 1;
	c->runs->kind = xstrdup(kind);
	c->runs->name = xstrdup(name);
	c->by = cover_by_kind(kind);
	return c;
}

void
cover_free(struct cover *c)
{
	if (c == NULL)
		return;
	for (uint32_t i = 0; i < c->nrulesets; i++) {
		free(c->rulesets[i].first);
		free(c->rulesets[i].evaluations);
		free(c->rulesets[i].rule_tables);
		cover_tables_free(&c->rulesets[i]);
		pfk_image_free(c->rulesets[i].owned);
	}
	for (uint32_t i = 0; i < c->nruns; i++) {
		free(c->runs[i].kind);
		free(c->runs[i].name);
	}
	for (uint32_t i = 0; i < c->ninterfaces; i++)
		free(c->interfaces[i]);
	free(c->rulesets);
	free(c->runs);
	free(c->interfaces);
	free(c->slots);
	free(c->matched);
	free(c->due);
	free(c);
}

/* ---- what there is to count ---- */

static void
number_origins(struct cover_ruleset *rs)
{
	struct pfk_origins all;
	struct pfk_origin o;
	uint32_t n = 0;

	for (uint32_t i = 0; i < rs->nrules; i++) {
		rs->first[i] = n;
		pfk_image_rule_tables(rs->image, i, rs->rule_tables[i]);
		pfk_image_origins(rs->image, i, &all);
		while (pfk_image_next_origin(&all, &o))
			n++;
	}
	rs->first[rs->nrules] = n;
}

uint32_t
cover_ruleset(struct cover *c, const struct pfk_image *im)
{
	struct cover_ruleset *rs;
	size_t n = pfk_image_rules(im);

	for (uint32_t i = 0; i < c->nrulesets; i++)
		if (c->rulesets[i].image == im)
			return i;
	c->rulesets = xrealloc(c->rulesets,
	    (c->nrulesets + 1) * sizeof(*c->rulesets));
	rs = &c->rulesets[c->nrulesets];
	*rs = (struct cover_ruleset){ .image = im, .nrules = (uint32_t)n,
	    .first = xcalloc(n + 1, sizeof(*rs->first)),
	    .evaluations = xcalloc(n + 1, sizeof(*rs->evaluations)),
	    .rule_tables = xcalloc(n + 1, sizeof(*rs->rule_tables)) };
	number_origins(rs);
	cover_number_entries(rs);
	return c->nrulesets++;
}

void
cover_image(struct cover *c, const struct pfk_image *im)
{
	(void)cover_ruleset(c, im);
}

uint32_t
cover_interface(struct cover *c, const char *name)
{
	for (uint32_t i = 0; i < c->ninterfaces; i++)
		if (strcmp(c->interfaces[i], name) == 0)
			return i;
	c->interfaces = xrealloc(c->interfaces,
	    (c->ninterfaces + 1) * sizeof(*c->interfaces));
	c->interfaces[c->ninterfaces] = xstrdup(name);
	return c->ninterfaces++;
}

/* ---- slots ---- */

static uint32_t
hash(uint32_t image, uint32_t origin, uint32_t interface, enum cover_by by)
{
	uint64_t h = ((uint64_t)image << 48 ^ (uint64_t)interface << 33 ^
	    (uint64_t)by << 32 ^ origin) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 32);
}

static struct cover_slot *
find_slot(struct cover *c, uint32_t image, uint32_t origin, uint32_t interface,
    enum cover_by by)
{
	uint32_t i = hash(image, origin, interface, by) & (c->nslots - 1);
	struct cover_slot *s;

	for (;; i = (i + 1) & (c->nslots - 1)) {
		s = &c->slots[i];
		if (s->interface == 0 || (s->image == image &&
		    s->origin == origin && s->interface == interface + 1 &&
		    s->by == by))
			return s;
	}
}

static void
grow(struct cover *c)
{
	struct cover_slot *old = c->slots;
	uint32_t n = c->nslots;

	c->nslots = n == 0 ? 256 : n * 2;
	c->slots = xcalloc(c->nslots, sizeof(*c->slots));
	for (uint32_t i = 0; i < n; i++)
		if (old[i].interface != 0)
			*find_slot(c, old[i].image, old[i].origin,
			    old[i].interface - 1, old[i].by) = old[i];
	free(old);
}

struct cover_counts *
cover_slot(struct cover *c, uint32_t image, uint32_t origin,
    uint32_t interface)
{
	struct cover_slot *s;

	if (c->used * 2 >= c->nslots)
		grow(c);
	s = find_slot(c, image, origin, interface, c->by);
	if (s->interface == 0) {
		*s = (struct cover_slot){ image, origin, interface + 1,
		    c->by, { { 0, 0, 0 } } };
		c->used++;
	}
	return &s->counts;
}

/* ---- hits ---- */

static bool
has_address(const struct pfk_origin *o, const struct pfk_flow *f)
{
	const uint8_t *a = o->how == PFK_ORIGIN_SOURCE ? f->src.addr :
	    f->dst.addr;
	unsigned bytes = o->bits / 8, left = o->bits % 8;

	return o->af == f->af && memcmp(a, o->addr, bytes) == 0 &&
	    (left == 0 || (a[bytes] ^ o->addr[bytes]) >> (8 - left) == 0);
}

/* The answers of a state have the addresses the other way round. */
static uint32_t
find_origin(const struct cover_ruleset *rs, uint32_t rule,
    const struct pfk_flow *flow)
{
	uint32_t first = rs->first[rule], i;
	struct pfk_flow back = *flow;
	struct pfk_origins all;
	struct pfk_origin o;

	back.src = flow->dst;
	back.dst = flow->src;
	for (int turn = 0; turn < 2; turn++) {
		pfk_image_origins(rs->image, rule, &all);
		for (i = 0; pfk_image_next_origin(&all, &o); i++)
			if (o.how >= PFK_ORIGIN_SOURCE &&
			    has_address(&o, turn == 0 ? flow : &back))
				return first + i;
	}
	return first;
}

static struct cover_due *
remembered(struct cover *c, uint32_t rule, const struct pfk_flow *flow)
{
	uint32_t h = rule;

	if (c->due == NULL)
		c->due = xcalloc(COVER_REMEMBERED, sizeof(*c->due));
	for (int i = 0; i < 16; i++)
		h = (h ^ flow->src.addr[i] ^ (uint32_t)flow->dst.addr[i] << 8)
		    * 16777619u;
	return &c->due[(h >> 16 ^ h) % COVER_REMEMBERED];
}

/* Which of the rule's origins the packet is due to. */
static uint32_t
which_origin(struct cover *c, const struct cover_ruleset *rs, uint32_t rule,
    const struct pfk_flow *flow)
{
	struct cover_due *d;

	if (rs->first[rule + 1] - rs->first[rule] <= 1 || flow == NULL)
		return rs->first[rule];
	d = remembered(c, rule, flow);
	if (d->image == rs->image && d->rule == rule && d->af == flow->af &&
	    memcmp(d->src, flow->src.addr, 16) == 0 &&
	    memcmp(d->dst, flow->dst.addr, 16) == 0)
		return d->origin;
	d->image = rs->image;
	d->rule = rule;
	d->af = flow->af;
	memcpy(d->src, flow->src.addr, 16);
	memcpy(d->dst, flow->dst.addr, 16);
	d->origin = find_origin(rs, rule, flow);
	return d->origin;
}

/* A packet that a state decided may be an answer: no entry is due to it. */
static void
hit_entries(struct cover *c, uint32_t ruleset, size_t rule,
    const struct pfk_flow *flow, uint32_t interface, enum cover_what what,
    uint64_t n)
{
	struct cover_ruleset *rs = &c->rulesets[ruleset];

	if (flow == NULL || what == COVER_STATE)
		return;
	for (int side = 0; side < 2; side++) {
		long table = rs->rule_tables[rule][side];
		uint32_t entry;

		if (table < 0)
			continue;
		entry = cover_entry(rs, (uint32_t)table, flow->af,
		    side == 0 ? flow->src.addr : flow->dst.addr);
		if (entry != COVER_NO_ENTRY)
			cover_slot(c, ruleset, COVER_ENTRY + entry,
			    interface)->n[what] += n;
	}
}

void
cover_hit(struct cover *c, const struct pfk_image *im, size_t rule,
    const struct pfk_flow *flow, const char *ifname, enum cover_what what,
    uint64_t n)
{
	uint32_t i = cover_ruleset(c, im);
	const struct cover_ruleset *rs = &c->rulesets[i];
	uint32_t origin, interface;

	if (rs->first[rule] == rs->first[rule + 1])
		return;
	origin = which_origin(c, rs, (uint32_t)rule, flow);
	interface = cover_interface(c, ifname != NULL ? ifname : "");
	cover_slot(c, i, origin, interface)->n[what] += n;
	hit_entries(c, i, rule, flow, interface, what, n);
}

void
cover_evaluated(struct cover *c, const struct pfk_image *im, size_t rule,
    uint64_t n)
{
	uint32_t i = cover_ruleset(c, im);

	c->rulesets[i].evaluations[rule] += n;
}

/* ---- an engine ---- */

/*
 * What matches; and, if a table has entries that keep addresses out, what does
 * not match, which is told for every rule.
 */
void
cover_attach(struct cover *c, struct pfk_engine *e)
{
	unsigned kinds = 1u << PFK_EXPLAIN_MATCHES;

	if (pfk_explain_start(e, cover_explained, c) != PFK_OK)
		fatal("out of memory");
	for (uint32_t i = 0; i < c->nrulesets; i++)
		if (cover_has_exceptions(&c->rulesets[i]))
			kinds |= 1u << PFK_EXPLAIN_RULES |
			    1u << PFK_EXPLAIN_FAILS;
	pfk_explain_only(e, kinds);
}

static void
keep(struct cover *c, uint32_t rule, enum cover_why why)
{
	struct cover_matched *m;

	if (c->nmatched == c->room) {
		c->room = c->room * 2 + 64;
		c->matched = xrealloc(c->matched,
		    c->room * sizeof(*c->matched));
	}
	m = &c->matched[c->nmatched++];
	m->rule = rule;
	m->flow = c->seen;
	m->why = why;
}

/* A rule that fits up to its address, which may have been kept out. */
static void
failed(struct cover *c, const struct pfk_explain *x)
{
	unsigned address = 1u << PFK_TEST_SOURCE | 1u << PFK_TEST_DESTINATION;

	if ((x->failed & ((1u << PFK_TEST_SOURCE) - 1)) != 0 ||
	    (x->failed & address) == 0)
		return;
	keep(c, x->rule, x->failed & 1u << PFK_TEST_SOURCE ? NOT_SOURCE :
	    NOT_DESTINATION);
}

/* Kept until the decision says which of them was the last word. */
void
cover_explained(void *ctx, const struct pfk_explain *x)
{
	struct cover *c = ctx;

	if (x->kind == PFK_EXPLAIN_RULES || x->kind == PFK_EXPLAIN_MATCHES)
		c->seen = x->flow;
	if (x->kind == PFK_EXPLAIN_MATCHES)
		keep(c, x->rule, RULE_MATCHED);
	else if (x->kind == PFK_EXPLAIN_FAILS)
		failed(c, x);
}

static enum cover_verdict
kind_of(enum pfk_verdict v)
{
	switch (v) {
	case PFK_PASS:
		return COVER_PASS;
	case PFK_BLOCK:
		return COVER_BLOCK;
	case PFK_DROP:
		return COVER_DROP;
	case PFK_HOLD:
	case PFK_SKIP:
	case PFK_IGNORE:
		break;
	}
	return COVER_OTHER;
}

/* Two stretches become one. */
static void
widen(struct cover_run *r)
{
	for (uint32_t i = 0; i < COVER_STRETCHES; i++)
		for (int v = 0; v < COVER_VERDICTS; v++) {
			uint64_t sum = i < COVER_STRETCHES / 2 ?
			    r->stretch[2 * i][v] + r->stretch[2 * i + 1][v] : 0;

			r->stretch[i][v] = sum;
		}
	r->width *= 2;
	r->nstretches = (r->nstretches + 1) / 2;
}

static void
count_verdict(struct cover_run *r, const struct pfk_decision *d)
{
	uint64_t at;

	if (r->packets++ == 0) {
		r->width = FIRST_WIDTH;
		r->start = d->time;
	}
	while ((at = d->time > r->start ? (d->time - r->start) / r->width :
	    0) >= COVER_STRETCHES)
		widen(r);
	if (at >= r->nstretches)
		r->nstretches = (uint32_t)at + 1;
	r->stretch[at][kind_of(d->verdict)]++;
}

static void
hit(struct cover *c, const struct pfk_engine *e, uint32_t rule,
    const struct pfk_flow *flow, unsigned ifid, enum cover_what what)
{
	const struct pfk_image *im;
	size_t index;

	if (rule == PFK_RULE_DEFAULT || rule == PFK_RULE_NONE)
		return;
	im = pfk_engine_rule_image(e, rule, &index);
	cover_hit(c, im, index, flow, pfk_engine_ifname(e, ifid), what, 1);
}

/* The entry that kept the address out, if one did. */
static void
kept_out(struct cover *c, const struct pfk_engine *e,
    const struct cover_matched *m, unsigned ifid)
{
	size_t index;
	const struct pfk_image *im = pfk_engine_rule_image(e, m->rule, &index);
	uint32_t i = cover_ruleset(c, im), entry;
	struct cover_ruleset *rs = &c->rulesets[i];
	long table = rs->rule_tables[index][m->why == NOT_DESTINATION];

	if (table < 0)
		return;
	entry = cover_exception(rs, (uint32_t)table, m->flow.af,
	    m->why == NOT_SOURCE ? m->flow.src.addr : m->flow.dst.addr);
	if (entry != COVER_NO_ENTRY)
		cover_slot(c, i, COVER_ENTRY + entry, cover_interface(c,
		    pfk_engine_ifname(e, ifid)))->n[COVER_MATCHED]++;
}

void
cover_decided(struct cover *c, const struct pfk_engine *e,
    const struct pfk_decision *d)
{
	bool by_state = d->state == PFK_STATE_MATCH;

	count_verdict(&c->runs[0], d);
	for (uint32_t i = 0; i < c->nmatched; i++) {
		const struct cover_matched *m = &c->matched[i];

		if (m->why != RULE_MATCHED)
			kept_out(c, e, m, d->ifid);
		else
			hit(c, e, m->rule, &m->flow, d->ifid,
			    m->rule == d->rule && !by_state ? COVER_DECIDED :
			    COVER_MATCHED);
	}
	if (by_state)
		hit(c, e, d->rule, &d->before, d->ifid, COVER_STATE);
	c->nmatched = 0;
}

void
cover_evaluations(struct cover *c, const struct pfk_engine *e)
{
	size_t n = pfk_engine_rules(e), index;
	struct pfk_rule_counters k;

	for (size_t i = 0; i < n; i++) {
		const struct pfk_image *im =
		    pfk_engine_rule_image(e, i, &index);

		pfk_engine_rule_counters(e, (uint32_t)i, &k);
		cover_evaluated(c, im, index, k.evaluations);
	}
}
