/*
 * Exact answers against the engine: for random packets, drawn from the rules'
 * own addresses and ports, the region that a packet lies in must name the rule
 * and the verdict that an engine which has never seen a packet comes to; and it
 * must know of logs, states, translations and what is done with IP options.
 *
 *	test_exact				a short form
 *	test_exact N FILE [HOSTDIR]	N packets for the ruleset of a file
 */
#include <stdio.h>

#include <pfkit/exact.h>

#include "../../tools/pfkit/trace/trace.h"
#include "tests/unit/engine_kit.h"

const char program_name[] = "test_exact";

/* Also outside of a test. */
#define MUST(what)	do {						\
	if (!(what)) {							\
		fprintf(stderr, "line %d: %s\n", __LINE__, #what);	\
		abort();						\
	}								\
} while (0)

#define EXAMPLES	400
#define PACKETS_EACH	512	/* of an engine */

struct subject {
	const struct pfk_image *image;
	const struct pfk_interface *ifs;
	size_t	 nifs;
	const struct pfk_route *routes;
	size_t	 nroutes;
	struct pfk_exact *x;
	struct pfk_verdicts *v;
	struct pfk_decision d;
	bool	 decided, logged; /* the first crossing: route-to has others */
	struct pfk_engine *e;
	uint32_t nrules;
	uint32_t *first, *next;	/* regions by rule (the default one's last),
				   as lists; + 1 */
	pfk_set	*possible;	/* by region: with some answers */
	struct pfk_exact_packet examples[EXAMPLES];
	size_t	 nexamples;
	uint64_t seed;
	size_t	 asked, compared, different;
};

static uint32_t
draw(struct subject *s, uint32_t n)
{
	s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
	return n == 0 ? 0 : (uint32_t)((s->seed >> 33) % n);
}

static void
keep_decision(void *ctx, const struct pfk_decision *d)
{
	struct subject *s = ctx;

	if (!s->decided)
		s->d = *d;
	s->decided = true;
}

static void
keep_log(void *ctx, const struct pfk_log *l)
{
	struct subject *s = ctx;

	(void)l;
	s->logged |= !s->decided;
}

static struct pfk_engine *
new_engine(struct subject *s)
{
	struct pfk_sink sink = { .ctx = s, .decision = keep_decision,
	    .log = keep_log };
	struct pfk_engine_options o = { .image = s->image,
	    .interfaces = s->ifs, .ninterfaces = s->nifs, .routes = s->routes,
	    .nroutes = s->nroutes, .sink = &sink, .seed = 1, .debug = -1 };
	struct pfk_engine *e = NULL;

	MUST(pfk_engine_new(&o, &e) == PFK_OK);
	return e;
}

/* ---- packets ---- */

/* Of regions all over the ruleset. */
static void
collect_examples(struct subject *s)
{
	const struct pfk_region *r;
	size_t n, step;

	r = pfk_verdicts_regions(s->v, &n);
	step = n / EXAMPLES + 1;
	s->nexamples = 0;
	for (size_t i = 0; i < n; i += step)
		s->nexamples += pfk_exact_example(s->x, r[i].set,
		    &s->examples[s->nexamples]);
}

static const struct pfk_exact_packet *
some_example(struct subject *s)
{
	return &s->examples[draw(s, (uint32_t)s->nexamples)];
}

/* Another region's address, a neighbour of the corner, or anything. */
static void
vary_address(struct subject *s, uint8_t *addr, const uint8_t *other,
    unsigned len)
{
	switch (draw(s, 5)) {
	case 0:
		memcpy(addr, other, len);
		break;
	case 1:
		addr[draw(s, len)] ^= (uint8_t)(1u << draw(s, 8));
		break;
	case 2:
		addr[len - 1] = (uint8_t)(addr[len - 1] + draw(s, 3) - 1);
		break;
	case 3:
		for (unsigned i = draw(s, len); i < len; i++)
			addr[i] = (uint8_t)draw(s, 256);
		break;
	}
}

static uint16_t
vary_port(struct subject *s, uint16_t port, uint16_t other)
{
	switch (draw(s, 5)) {
	case 0:
		return other;
	case 1:
		return (uint16_t)(port + draw(s, 3) - 1);
	case 2:
		return (uint16_t)draw(s, 65536);
	default:
		return port;
	}
}

static void
vary_head(struct subject *s, struct pfk_exact_packet *p)
{
	static const uint8_t protos[] = { 6, 17, 1, 47, 6, 17, 50, 89 };
	const struct pfk_exact_packet *o = some_example(s);

	if (draw(s, 4) == 0)
		p->proto = draw(s, 2) ? o->proto : protos[draw(s, 8)];
	if (draw(s, 4) == 0)
		p->ifname = s->nifs > 0 && draw(s, 2) ?
		    s->ifs[draw(s, (uint32_t)s->nifs)].name : o->ifname;
	if (draw(s, 4) == 0)
		p->dir = (uint8_t)(1 + draw(s, 2));
	if (draw(s, 16) == 0)
		p->tos = (uint8_t)draw(s, 256);
	if (p->af == 6 && p->proto == 1)
		p->proto = 58;
	if (p->af == 4 && p->proto == 58)
		p->proto = 1;
}

/* What the protocol does not have is 0. */
static void
clear_fields(struct pfk_exact_packet *p)
{
	bool icmp = p->proto == 1 || p->proto == 58;

	if (p->proto != 6)
		p->flags = 0;
	if (!icmp)
		p->icmp_type = p->icmp_code = 0;
	if (p->proto != 6 && p->proto != 17)
		p->sport = p->dport = 0;
	p->received_on = p->dir == 1 ? p->ifname : NULL;
	p->tos &= p->af == 4 ? 0xff : 0xfc;
	p->prio = 3;			/* the engine knows no other one */
	if (!p->fragment)
		return;
	p->sport = p->dport = 0;
	p->flags = p->icmp_type = p->icmp_code = 0;
	if (p->af == 6)			/* rules are told no more of it */
		p->proto = 44;
}

/* A packet between the corners of regions, or somewhere. */
static bool
draw_packet(struct subject *s, struct pfk_exact_packet *p)
{
	static const uint8_t flags[] = { 2, 2, 2, 16, 18, 20, 4, 24 };
	const struct pfk_exact_packet *o;

	if (s->nexamples == 0)
		return false;
	*p = *some_example(s);
	o = some_example(s);
	vary_head(s, p);
	vary_address(s, p->src, o->af == p->af ? o->src : p->dst,
	    p->af == 6 ? 16 : 4);
	vary_address(s, p->dst, o->af == p->af ? o->dst : p->src,
	    p->af == 6 ? 16 : 4);
	p->sport = vary_port(s, p->sport, o->sport);
	p->dport = vary_port(s, p->dport, o->dport);
	if (draw(s, 3) == 0)
		p->flags = flags[draw(s, 8)];
	if (draw(s, 3) == 0)
		p->icmp_type = draw(s, 2) ? o->icmp_type :
		    p->af == 6 ? 128 : 8;
	p->fragment = draw(s, 12) == 0;
	p->options = draw(s, 12) == 0;
	clear_fields(p);
	return true;
}

/* ---- engine and regions ---- */

static bool
refused_for_options(const struct subject *s)
{
	return s->d.verdict == PFK_DROP && s->d.rule != PFK_RULE_DEFAULT &&
	    s->d.reason == PFK_REASON_IPOPTIONS;
}

static bool
is_as_told(const struct subject *s, const struct pfk_outcome *o)
{
	if (refused_for_options(s))
		return o->pass && strstr(o->effects, " allow-opts") == NULL;
	return o->pass == (s->d.verdict == PFK_PASS) && o->log == s->logged &&
	    (s->d.state != PFK_STATE_NEW || o->state) &&
	    ((s->d.changed & PFK_CHANGED_FLOW) == 0 || o->translated);
}

/*
 * A region with that verdict in which the packet is, or may be where what it
 * does not decide goes that way.  (That regions are disjoint has been seen.)
 */
static bool
is_so(struct subject *s, const struct pfk_exact_packet *p)
{
	const struct pfk_region *r;
	uint32_t at;
	size_t n;

	r = pfk_verdicts_regions(s->v, &n);
	at = s->d.rule < s->nrules ? s->d.rule : s->nrules;
	for (at = s->first[at]; at != 0; at = s->next[at - 1])
		if (is_as_told(s, &r[at - 1].outcome) &&
		    pfk_set_has(s->x, s->possible[at - 1], p))
			return true;
	return false;
}

static const struct pfk_region *
region_of(struct subject *s, const struct pfk_exact_packet *p)
{
	const struct pfk_region *r;
	size_t n;

	r = pfk_verdicts_regions(s->v, &n);
	for (size_t i = 0; i < n; i++)
		if (pfk_set_has(s->x, r[i].set, p))
			return &r[i];
	return NULL;
}

static void
tell(struct subject *s, const struct pfk_exact_packet *p,
    const struct pfk_region *r)
{
	char text[256];

	if (s->different++ > 3)
		return;
	pfk_exact_packet_text(p, text, sizeof(text));
	printf("%s\n  engine: rule %u %s; exact: rule %u %s\n", text,
	    s->d.rule, pfk_verdict_name(s->d.verdict),
	    r != NULL ? r->outcome.rule : 0, r != NULL ?
	    r->outcome.effects : "nowhere");
}

static void
ask_engine(struct subject *s, struct pfk_engine *e,
    const struct pfk_exact_packet *p)
{
	int id = pfk_engine_interface(e, p->ifname);
	uint8_t bytes[PACKET_SIZE];
	struct pfk_packet k = { .time = 1000000000000u, .data = bytes,
	    .linktype = 101, .dir = p->dir, .ifid = (uint16_t)id };
	struct packet words;

	packet_of_set(&words, p);
	s->decided = s->logged = false;
	k.caplen = k.wirelen = packet_build(&words, bytes);
	pfk_engine_run(e, &k, 1);
}

/* Not for a rule's sake: a translation failed, a cookie was sent. */
static bool
is_decided(const struct subject *s)
{
	return s->d.verdict != PFK_SKIP && (s->d.verdict != PFK_DROP ||
	    refused_for_options(s)) && s->d.rule != PFK_RULE_NONE;
}

/*
 * An engine that has seen packets before may have a state, a source's entry,
 * a `once' rule less: what differs is asked of a new one.
 */
static void
compare(struct subject *s, const struct pfk_exact_packet *p)
{
	struct pfk_engine *e;

	if (!pfk_set_has(s->x, pfk_exact_universe(s->x), p))
		return;
	if (s->asked++ % PACKETS_EACH == 0) {
		pfk_engine_free(s->e);
		s->e = new_engine(s);
	}
	ask_engine(s, s->e, p);
	if (is_decided(s) && is_so(s, p)) {
		s->compared++;
		return;
	}
	e = new_engine(s);
	ask_engine(s, e, p);
	pfk_engine_free(e);
	if (!is_decided(s))
		return;
	s->compared++;
	if (!is_so(s, p))
		tell(s, p, region_of(s, p));
}

/* Regions are disjoint, and together everything. */
static void
check_partition(struct subject *s)
{
	const struct pfk_region *r;
	pfk_set all, rest;
	size_t n;

	r = pfk_verdicts_regions(s->v, &n);
	all = pfk_set_copy(s->x, pfk_verdicts_dropped(s->v));
	for (size_t i = 0; i < n; i++) {
		MUST(!pfk_set_meets(s->x, all, r[i].set));
		rest = pfk_set_or(s->x, all, r[i].set);
		pfk_set_free(s->x, all);
		all = rest;
	}
	MUST(all == pfk_exact_universe(s->x));
	pfk_set_free(s->x, all);
}

struct expected { const struct pfk_region *r; struct pfk_exact *x; };

static void
is_treated_so(void *ctx, const char *effects, pfk_set set)
{
	struct expected *e = ctx;

	MUST(strcmp(effects, e->r->outcome.effects) == 0);
	MUST(set == e->r->set);
}

/* Treatments are the regions without their rules. */
static void
check_treatments(struct subject *s)
{
	struct pfk_treatments *t, *again;
	const struct pfk_region *r;
	size_t n;

	MUST(pfk_exact_treat(s->x, 0, PFK_SET_ALL, &t) == PFK_OK);
	MUST(pfk_exact_treat(s->x, 0, PFK_SET_ALL, &again) == PFK_OK);
	MUST(pfk_treatments_differ(t, again) == PFK_SET_NONE);
	r = pfk_verdicts_regions(s->v, &n);
	for (size_t i = 0; i < n; i++)
		pfk_treatments_each(t, r[i].set, is_treated_so,
		    &(struct expected){ &r[i], s->x });
	pfk_treatments_free(t);
	pfk_treatments_free(again);
}

static void
note_possible(struct subject *s)
{
	const struct pfk_region *r;
	size_t n;

	r = pfk_verdicts_regions(s->v, &n);
	s->possible = calloc(n + 1, sizeof(*s->possible));
	MUST(s->possible != NULL);
	for (size_t i = 0; i < n; i++)
		s->possible[i] = pfk_set_possible(s->x, r[i].set);
}

static void
list_by_rule(struct subject *s)
{
	const struct pfk_region *r;
	uint32_t at;
	size_t n;

	r = pfk_verdicts_regions(s->v, &n);
	s->nrules = (uint32_t)pfk_image_rules(s->image);
	s->first = calloc(s->nrules + 1, sizeof(*s->first));
	s->next = calloc(n + 1, sizeof(*s->next));
	MUST(s->first != NULL && s->next != NULL);
	for (size_t i = n; i-- > 0;) {
		at = r[i].outcome.rule < s->nrules ? r[i].outcome.rule :
		    s->nrules;
		s->next[i] = s->first[at];
		s->first[at] = (uint32_t)i + 1;
	}
}

static void
run(struct subject *s, unsigned n)
{
	struct pfk_exact_image im = { .image = s->image,
	    .interfaces = s->ifs, .ninterfaces = s->nifs,
	    .routes = s->routes, .nroutes = s->nroutes };
	struct pfk_exact_packet p;

	MUST(pfk_exact_new(&(struct pfk_exact_options){
	    .images = &im, .nimages = 1 }, &s->x) == PFK_OK);
	MUST(pfk_exact_decide(s->x, 0, &s->v) == PFK_OK);
	check_partition(s);
	check_treatments(s);
	note_possible(s);
	list_by_rule(s);
	collect_examples(s);
	for (unsigned i = 0; i < n; i++)
		if (draw_packet(s, &p))
			compare(s, &p);
	MUST(pfk_exact_error(s->x) == PFK_OK);
	free(s->possible);
	free(s->first);
	free(s->next);
	pfk_engine_free(s->e);
	pfk_verdicts_free(s->v);
	pfk_exact_free(s->x);
}

static int
run_file(unsigned n, const char *path, const char *dir)
{
	struct pfk_host *host = pfk_host_new(NULL);
	struct pfk_compile_options o = { .host = host, .path = path,
	    .optimize = PFK_OPT_NONE };
	char error[PFK_HOST_ERRLEN];
	struct pfk_ruleset *rs = NULL;
	struct pfk_image *image = NULL;
	struct subject s = { .seed = 5 };

	if (!pfk_exact_available())
		return 77;
	if (dir != NULL && pfk_host_load_dir(host, dir, error) != 0)
		return 2;
	for (unsigned i = 1; i < 4; i++)
		pfk_host_add_rtable(host, i);
	if (pfk_compile(&o, &rs) != PFK_OK ||
	    pfk_ruleset_image(rs, PFK_LOWER_PLAIN, &image) != PFK_OK)
		return 2;
	s.image = image;
	s.ifs = pfk_host_interfaces(host, &s.nifs);
	s.routes = pfk_host_routes(host, &s.nroutes);
	run(&s, n);
	printf("%s: %zu of %zu differ\n", path, s.different, s.compared);
	pfk_image_free(image);
	pfk_ruleset_free(rs);
	pfk_host_free(host);
	return s.different != 0;
}

static void
agree(const char *rules)
{
	struct pfk_image *image = kit_image(rules);
	struct subject s = { .image = image, .ifs = kit_ifs, .nifs = 3,
	    .seed = 3 };

	if (!pfk_exact_available()) {
		pfk_image_free(image);
		return;
	}
	run(&s, 4000);
	pfk_image_free(image);
	ck_assert_uint_eq(s.different, 0);
}

START_TEST(plain_rules)
{
	agree("block\n"
	    "pass in quick on em0 proto tcp to port { 22 80 443 }\n"
	    "pass out on em1 proto udp from 10.0.0.0/24 to any port > 1023\n"
	    "block in on ! em0 from 10.0.0.0/8\n"
	    "pass inet proto icmp icmp-type echoreq\n");
}
END_TEST

START_TEST(translations_and_tags)
{
	agree("match in on em0 proto tcp to 192.0.2.1 port 80 "
	    "rdr-to 10.0.0.5 port 8080 tag WEB\n"
	    "match out on em0 from 10.0.0.0/24 nat-to 192.0.2.1\n"
	    "block all\n"
	    "pass in proto tcp to 10.0.0.5 port 8080\n"
	    "pass in to 10.0.0.9\n"
	    "pass out tagged WEB\n"
	    "pass out from 192.0.2.1\n"
	    "block in quick proto udp ! tagged WEB\n");
}
END_TEST

START_TEST(anchors)
{
	agree("pass\n"
	    "anchor in on em0 {\n"
	    "  block proto tcp\n"
	    "  anchor proto tcp {\n"
	    "    pass proto tcp to port 80\n"
	    "  }\n"
	    "}\n"
	    "anchor out quick proto udp {\n"
	    "  block proto udp to port 53\n"
	    "  pass to 10.0.0.0/8\n"
	    "}\n"
	    "block proto udp\n");
}
END_TEST

START_TEST(tables)
{
	agree("table <t> const { 10/8 !10.1/16 10.1.2/24 2001:db8::/32 }\n"
	    "pass from <t>\n"
	    "block from ! <t> to <t>\n"
	    "pass to 192.0.2.10 - 192.0.2.77\n"
	    "block in from (em1:network)\n");
}
END_TEST

/* ---- when memory ends ---- */

static const char hard[] = "table <t> { 10/8 !10.1/16 10.1.2/24 }\n"
    "match in on em0 proto tcp to 192.0.2.1 port 80 rdr-to 10.0.0.5 tag W\n"
    "block from <t>\n"
    "pass in proto tcp from 10.3.0.0/16 to port { 80 443 1000:2000 }\n"
    "pass out on em1 tagged W probability 30%\n"
    "anchor in quick {\n  pass proto udp to 10.0.0.7\n}\n";

static void
no_line(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

/* Whether everything was answered; if not, it must have been said. */
static bool
ask_all(const struct pfk_image *image, const struct pfk_allocator *a,
    size_t max_memory)
{
	struct pfk_exact_image im = { .image = image, .interfaces = kit_ifs,
	    .ninterfaces = 3 };
	struct pfk_exact_options o = { .allocator = a, .images = &im,
	    .nimages = 1, .max_memory = max_memory };
	struct pfk_exact_packet p;
	struct pfk_verdicts *v = NULL;
	struct pfk_exact *x = NULL;
	bool more, good;

	if (pfk_exact_new(&o, &x) != PFK_OK)
		return false;
	if (pfk_exact_decide(x, 0, &v) == PFK_OK) {
		pfk_set_describe(x, pfk_verdicts_passed(v),
		    pfk_exact_universe(x), 1000, no_line,
		    NULL, &more);
		(void)pfk_exact_example(x, pfk_verdicts_passed(v), &p);
	}
	good = pfk_exact_error(x) == PFK_OK;
	ck_assert(v != NULL || !good);
	pfk_verdicts_free(v);
	pfk_exact_free(x);
	return good;
}

START_TEST(bound_of_memory)
{
	struct pfk_image *image = kit_image(hard);
	unsigned good = 0, bad = 0;

	for (size_t kb = 1; kb < 4096 && pfk_exact_available();
	    kb += kb / 4 + 1) {
		if (ask_all(image, NULL, kb << 10))
			good++;
		else {
			ck_assert_uint_eq(good, 0);
			bad++;
		}
	}
	ck_assert(!pfk_exact_available() || (good > 0 && bad > 0));
	pfk_image_free(image);
}
END_TEST

struct counted { size_t left, held; };

static void *
counted(void *ctx, void *p, size_t old, size_t size)
{
	struct counted *c = ctx;

	if (size > 0 && c->left-- == 0) {
		c->left = 0;
		return NULL;
	}
	c->held += size - old;
	return pfk_allocator_libc.fn(pfk_allocator_libc.ctx, p, old, size);
}

START_TEST(failing_allocations)
{
	struct pfk_image *image = kit_image(hard);
	struct counted c = { 0, 0 };
	struct pfk_allocator a = { .fn = counted, .ctx = &c };
	size_t n = 0;
	bool good = !pfk_exact_available();

	for (; !good && n < 1000; n++) {
		c.left = n;
		good = ask_all(image, &a, 0);
		ck_assert_uint_eq(c.held, 0);
	}
	ck_assert(good);
	pfk_image_free(image);
}
END_TEST

/* An anchor that calls itself twice: 2^63 calls, if all were followed. */
START_TEST(endless_anchors)
{
	struct pfk_image *image = kit_image("anchor x {\n"
	    "anchor \"/x\"\n anchor \"/x\"\n pass\n}\n");

	if (pfk_exact_available())
		(void)ask_all(image, NULL, 0);
	pfk_image_free(image);
}
END_TEST

/* A universe of one ruleset; NULL: this build has none. */
static struct pfk_exact *
universe_of(const struct pfk_image *image, bool tagged)
{
	struct pfk_exact_image im = { .image = image, .interfaces = kit_ifs,
	    .ninterfaces = 3, .tagged = tagged };
	struct pfk_exact *x = NULL;

	if (pfk_exact_available())
		MUST(pfk_exact_new(&(struct pfk_exact_options){ .images = &im,
		    .nimages = 1 }, &x) == PFK_OK);
	return x;
}

/* Without a rule, and among some packets: the regions are those of all. */
START_TEST(some_packets)
{
	struct pfk_image *image = kit_image("block\n"
	    "pass proto tcp to port 22\nblock in on em0\n");
	struct pfk_exact *x = universe_of(image, false);
	struct pfk_verdicts *all, *few;
	const struct pfk_region *r;
	bool skip[3] = { false, false, true };
	pfk_set ssh, sum = PFK_SET_NONE;
	size_t n;

	if (x == NULL)
		return;
	ssh = pfk_set_ports(x, 1, 22, 22);
	ck_assert_int_eq(pfk_exact_decide_without(x, 0, skip, &all), PFK_OK);
	ck_assert_int_eq(pfk_exact_decide_among(x, 0, ssh, skip, &few),
	    PFK_OK);
	r = pfk_verdicts_regions(few, &n);
	ck_assert_uint_gt(n, 1);
	for (size_t i = 0; i < n; i++) {
		ck_assert(pfk_set_within(x, r[i].set,
		    r[i].outcome.rule == PFK_EXACT_DEFAULT ? PFK_SET_NONE :
		    pfk_verdicts_decides(all, r[i].outcome.rule)));
		sum = pfk_set_or(x, sum, r[i].set);
	}
	ck_assert_int_eq(sum, pfk_set_and(x, ssh, pfk_exact_universe(x)));
	ck_assert_int_eq(pfk_verdicts_decides(few, 2), PFK_SET_NONE);
	pfk_verdicts_free(few);
	pfk_verdicts_free(all);
	pfk_exact_free(x);
	pfk_image_free(image);
}
END_TEST

static void
count(void *ctx, const char *name)
{
	unsigned *n = ctx;

	ck_assert_str_eq(name, "the tag A, from where it came in");
	++*n;
}

/* Packets that go out may have a tag, those that come in have none. */
START_TEST(tags_from_before)
{
	struct pfk_image *image = kit_image("pass in tag A\n"
	    "block out tagged A\nblock in on em1 tagged B\n");

	for (int tagged = 0; tagged < 2; tagged++) {
		struct pfk_exact *x = universe_of(image, tagged);
		struct pfk_verdicts *v;
		unsigned n = 0;

		if (x == NULL)
			continue;
		ck_assert_int_eq(pfk_exact_decide(x, 0, &v), PFK_OK);
		pfk_set_questions(x, pfk_verdicts_decides(v, 1), count, &n);
		ck_assert_uint_eq(n, (unsigned)tagged);
		ck_assert_int_eq(pfk_set_certain(x, pfk_verdicts_decides(v,
		    1)), PFK_SET_NONE);
		ck_assert_int_eq(pfk_verdicts_decides(v, 2), PFK_SET_NONE);
		pfk_verdicts_free(v);
		pfk_exact_free(x);
	}
	pfk_image_free(image);
}
END_TEST

int
main(int argc, char **argv)
{
	const TTest *const tests[] = { plain_rules, translations_and_tags,
	    anchors, tables, bound_of_memory, failing_allocations,
	    endless_anchors, some_packets, tags_from_before };

	if (argc > 2)
		return run_file((unsigned)atoi(argv[1]), argv[2], argv[3]);
	return kit_main("exact", tests, sizeof(tests) / sizeof(*tests));
}
