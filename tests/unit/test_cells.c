/*
 * Cells are decided as wholes: for random rulesets and for those of files, all
 * packets are cut into cells, and random packets of each must be decided by
 * the same rule in the same way.
 *
 *	test_cells				a short form
 *	test_cells FILE [HOSTDIR]		the ruleset of a file
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/pfkit/pfkit.h"
#include "../../tools/pfkit/test/run.h"

const char program_name[] = "test_cells";

#define HOST		"tests/golden/host"
#define RULESETS	60
#define CELLS_MAX	3000	/* of one interface, direction, protocol */

struct subject {
	struct run	 r;
	const char	*text;
	uint64_t	 seed;
	size_t		 ncells, different;
};

static uint32_t
draw(struct subject *s, uint32_t n)
{
	s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((s->seed >> 33) % n);
}

/* ---- packets of a cell ---- */

static struct num
some(struct subject *s, const struct range *r)
{
	struct num n = r->from, width = r->to;

	width.lo -= r->from.lo;
	width.hi -= r->from.hi + (r->to.lo < r->from.lo);
	if (draw(s, 3) == 0)
		return r->to;
	if (width.hi > 0) {
		n.lo |= (uint64_t)draw(s, UINT32_MAX) << 32 |
		    draw(s, UINT32_MAX);
		return num_compare(n, r->to) > 0 ? r->to : n;
	}
	n.lo += width.lo == UINT64_MAX ? draw(s, UINT32_MAX) :
	    (((uint64_t)draw(s, UINT32_MAX) << 31) ^ draw(s, UINT32_MAX)) %
	    (width.lo + 1);
	n.hi += n.lo < r->from.lo;
	return n;
}

static void
some_packet(struct subject *s, const struct cell *c, struct packet *k)
{
	cell_packet(&s->r.rules, c, k);
	num_bytes(some(s, &c->dim[DIM_SRC]), c->af, k->src.addr);
	num_bytes(some(s, &c->dim[DIM_DST]), c->af, k->dst.addr);
	if (k->proto == 1 || k->proto == 58)
		k->icmp_type = (uint8_t)some(s, &c->dim[DIM_TYPE]).lo;
	if (k->proto == 6 || k->proto == 17) {
		k->src.port = htons((uint16_t)some(s, &c->dim[DIM_SPORT]).lo);
		k->dst.port = htons((uint16_t)some(s, &c->dim[DIM_DPORT]).lo);
	}
}

static void
tell(struct subject *s, const struct packet *k, const struct outcome *o)
{
	struct textbuf b = { NULL, 0, 0 };

	packet_words(&s->r, k, &b);
	fprintf(stderr, "%s: verdict %d, rule %u\n", b.text, (int)o->verdict,
	    o->rule);
	textbuf_free(&b);
}

static void
tell_cell(const struct cell *c)
{
	for (unsigned d = 0; d < NDIMS; d++)
		fprintf(stderr, "  %u: %llx %llx - %llx %llx\n", d,
		    (unsigned long long)c->dim[d].from.hi,
		    (unsigned long long)c->dim[d].from.lo,
		    (unsigned long long)c->dim[d].to.hi,
		    (unsigned long long)c->dim[d].to.lo);
}

static bool
is_decided(const struct outcome *o)
{
	return o->verdict == PFK_PASS || o->verdict == PFK_BLOCK ||
	    o->verdict == PFK_SKIP;
}

static bool
visit(void *ctx, const struct cell *c)
{
	struct subject *s = ctx;
	struct outcome first, o;
	struct packet k, one;

	s->ncells++;
	cell_packet(&s->r.rules, c, &one);
	first = *probe(&s->r, &one, one.dir);
	probe_forget(&s->r);
	for (int i = 0; i < 4; i++) {
		some_packet(s, c, &k);
		o = *probe(&s->r, &k, k.dir);
		probe_forget(&s->r);
		if (!is_decided(&o) || !is_decided(&first) ||
		    (o.verdict == first.verdict && o.rule == first.rule))
			continue;
		if (s->different++ == 0) {
			fprintf(stderr, "%s\n", s->text);
			tell(s, &one, &first);
			tell(s, &k, &o);
			tell_cell(c);
		}
	}
	return true;
}

static bool
question(void *ctx, const struct rule_tests *t, const struct cell *c)
{
	(void)ctx;
	(void)t;
	(void)c;
	return false;		/* the cell is not one */
}

static void
depends(void *ctx, const struct rule_tests *t)
{
	(void)ctx;
	(void)t;
}

static bool
cut(void *ctx, const struct cell *c)
{
	struct subject *s = ctx;
	struct partition p = { .rules = &s->r.rules, .visit = visit,
	    .question = question, .depends = depends, .ctx = s,
	    .left = CELLS_MAX };

	(void)partition(&p, c);
	return true;
}

/* ---- rulesets ---- */

static void
run_text(struct subject *s, struct pfk_ruleset *rs, struct pfk_host *host)
{
	static const struct test_options options;
	struct rule_tests all = { .rule = 0 };
	struct run *r = &s->r;

	r->options = &options;
	r->host = host;
	if (pfk_ruleset_image(rs, PFK_LOWER_AUTO, &r->image) != PFK_OK)
		abort();
	r->rules = (struct tests_of){ .image = r->image, .host = host };
	r->rules.ifs = pfk_host_interfaces(host, &r->rules.nifs);
	r->rules.routes = pfk_host_routes(host, &r->rules.nroutes);
	tests_of_rules(&r->rules);
	probe_start(r);
	for (all.af = 4; all.af <= 6; all.af += 2)
		(void)cells_of_rule(&r->rules, &all, cut, s);
	probe_end(r);
	tests_of_free(&r->rules);
	pfk_image_free(r->image);
}

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	const char *s = ctx;

	(void)path;
	*len = strlen(s);
	*text = a->fn(a->ctx, NULL, 0, *len + 1);
	if (*text == NULL)
		return 12;
	memcpy(*text, s, *len + 1);
	return 0;
}

static struct pfk_host *
load_host(const char *dir)
{
	char error[PFK_HOST_ERRLEN];
	struct pfk_host *host = pfk_host_new(NULL);

	if (host == NULL || pfk_host_load_dir(host, dir, error) != 0) {
		fprintf(stderr, "%s\n", error);
		exit(2);
	}
	for (unsigned i = 1; i < 4; i++)
		pfk_host_add_rtable(host, i);
	return host;
}

/* One of the words. */
static const char *
pick(struct subject *s, const char *const *words)
{
	uint32_t n = 0;

	while (words[n] != NULL)
		n++;
	return words[draw(s, n)];
}

static const char *const actions[] = { "pass", "block", "pass", "block",
    "pass quick", "block quick", NULL };
static const char *const directions[] = { " in", " out", "", NULL };
static const char *const interfaces[] = { " on em0", " on em1", " on ! em0",
    " on egress", "", "", NULL };
static const char *const ends[] = { "any", "10.0.0.0/8", "10.1.0.0/16",
    "<t>", "! <t>", "! 10.1.2.0/24", "10.1.2.3", "2001:db8::/32", "(em0)",
    "192.0.2.0/24", "10.0.0.1 - 10.0.3.7", "<six>", "any", NULL };
static const char *const ports[] = { "", "", " port 80", " port 1:1023",
    " port > 1024", " port != 53", " port 79 >< 90", " port 80 <> 443",
    NULL };
static const char *const extras[] = { "", "", "", " flags any",
    " flags SA/SA", " no state", " tos 0x10", " tag A", " tagged A", NULL };

static void
random_rule(struct subject *s, struct textbuf *b)
{
	static const char *const protocols[] = { " proto tcp", " proto udp",
	    " proto tcp", NULL };
	static const char *const others[] = { "", " proto icmp",
	    " proto 47", " inet proto icmp", NULL };
	bool with_ports = draw(s, 3) > 0;
	const char *action = pick(s, actions), *dir = pick(s, directions);

	textbuf_printf(b, "%.*s%s%s%s%s", (int)strcspn(action, " "), action,
	    dir, strchr(action, ' ') != NULL ? " quick" : "",
	    pick(s, interfaces), pick(s, with_ports ? protocols : others));
	textbuf_printf(b, " from %s%s", pick(s, ends), with_ports &&
	    draw(s, 3) == 0 ? pick(s, ports) : "");
	textbuf_printf(b, " to %s%s", pick(s, ends), with_ports ?
	    pick(s, ports) : "");
	textbuf_printf(b, "%s\n", with_ports ? pick(s, extras) : "");
}

static void
random_text(struct subject *s, struct textbuf *b)
{
	static const char *const matches[] = {
		"match out on em0 inet from 10.0.0.0/8 nat-to 192.0.2.77\n",
		"match in inet proto tcp to 192.0.2.9 port 80 rdr-to "
		    "10.1.2.3 port 8080\n",
		"match in tag A\n", "", "", NULL };

	textbuf_free(b);
	textbuf_str(b, "table <t> { 10.1.0.0/16 !10.1.2.0/24 10.1.2.3 }\n"
	    "table <six> { 2001:db8:1::/48 192.0.2.7 }\n");
	for (uint32_t n = 3 + draw(s, 8); n > 0; n--) {
		if (draw(s, 6) == 0)
			textbuf_str(b, pick(s, matches));
		if (draw(s, 6) == 0) {
			textbuf_printf(b, "anchor \"a%u\"%s {\n", n,
			    pick(s, directions));
			random_rule(s, b);
			random_rule(s, b);
			textbuf_str(b, "}\n");
		}
		random_rule(s, b);
	}
}

/* Random text need not be a ruleset; most is. */
static bool
run_random(struct subject *s, struct pfk_host *host, struct textbuf *b)
{
	struct pfk_files files = { read_text, NULL };
	struct pfk_compile_options o = { .host = host, .path = "pf.conf",
	    .files = &files, .optimize = draw(s, 2) ? PFK_OPT_BASIC :
	    PFK_OPT_NONE, .loaded = true };
	struct pfk_ruleset *rs = NULL;
	bool good;

	random_text(s, b);
	files.ctx = b->text;
	s->text = b->text;
	good = pfk_compile(&o, &rs) == PFK_OK;
	if (good)
		run_text(s, rs, host);
	pfk_ruleset_free(rs);
	return good;
}

START_TEST(random_rulesets)
{
	struct pfk_host *host = load_host(HOST);
	struct subject s = { .seed = 7 };
	struct textbuf b = { NULL, 0, 0 };
	int good = 0;

	for (int tries = 0; good < RULESETS && tries < RULESETS * 10; tries++)
		good += run_random(&s, host, &b);
	ck_assert_int_eq(good, RULESETS);
	ck_assert_uint_gt(s.ncells, 10000);
	ck_assert_uint_eq(s.different, 0);
	textbuf_free(&b);
	pfk_host_free(host);
}
END_TEST

static int
run_file(const char *path, const char *dir)
{
	struct pfk_host *host = load_host(dir);
	struct pfk_compile_options o = { .host = host, .path = path,
	    .optimize = PFK_OPT_FROM_FILE, .loaded = true };
	struct pfk_ruleset *rs = NULL;
	struct subject s = { .seed = 7, .text = path };

	if (pfk_compile(&o, &rs) == PFK_OK) {
		run_text(&s, rs, host);
		printf("%s: %zu cells, %zu differ\n", path, s.ncells,
		    s.different);
	}
	pfk_ruleset_free(rs);
	pfk_host_free(host);
	return s.different > 0;
}

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("cells");
	TCase *tc = tcase_create("cells");
	SRunner *runner;
	int failed;

	if (argc > 1)
		return run_file(argv[1], argc > 2 ? argv[2] : HOST);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, random_rulesets);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
