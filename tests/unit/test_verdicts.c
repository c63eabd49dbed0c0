/*
 * Verdicts about many rules in a row: what is asked of one rule must be what is
 * found when the shares of all of them are made, before and after they are, and
 * also when memory ended in between.
 */
#include <stdio.h>

#include <pfkit/exact.h>

#include "tests/unit/engine_kit.h"

#define RULES		300	/* of each ruleset, in three rows */
#define RULESETS	8
#define QUESTIONS	400
#define TEXT_SIZE	32768

struct subject {
	struct pfk_image *image;
	struct pfk_exact *x;
	struct pfk_verdicts *all;	/* its regions are made first */
	struct pfk_verdicts *v;		/* asked question by question */
	uint64_t seed;
	char	 text[TEXT_SIZE];
	size_t	 len;
};

static uint32_t
draw(struct subject *s, uint32_t n)
{
	s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((s->seed >> 33) % n);
}

static void
put(struct subject *s, const char *text)
{
	s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len,
	    "%s", text);
}

static void
put_network(struct subject *s, const char *before)
{
	char text[64] = "any";

	if (draw(s, 4) != 0)
		snprintf(text, sizeof(text), "10.%u.%u.0/%u", draw(s, 3),
		    draw(s, 4), 8 + 4 * draw(s, 5));
	put(s, before);
	put(s, text);
}

static void
put_rule(struct subject *s)
{
	char port[32];

	put(s, draw(s, 2) ? "pass " : "block ");
	put(s, draw(s, 2) ? "in " : "out ");
	if (draw(s, 3) == 0)
		put(s, "quick ");
	put(s, draw(s, 3) ? "inet proto tcp " : "inet proto udp ");
	put_network(s, "from ");
	put_network(s, " to ");
	snprintf(port, sizeof(port), " port %u:%u", draw(s, 3),
	    3 + draw(s, 3));
	put(s, draw(s, 2) ? port : "");
	if (draw(s, 150) == 0)
		put(s, " tag A");
	else if (draw(s, 50) == 0)
		put(s, " tagged A");
	put(s, "\n");
}

static void
make_rules(struct subject *s)
{
	s->len = 0;
	for (unsigned i = 0; i < RULES; i++) {
		if (i == RULES / 3)
			put(s, s->seed & 1 << 20 ? "anchor in quick {\n" :
			    "anchor in {\n");
		put_rule(s);
		if (i == RULES * 2 / 3)
			put(s, "}\n");
	}
}

/* false: this build has no diagrams. */
static bool
setup(struct subject *s, uint64_t seed)
{
	struct pfk_exact_image im = { .interfaces = kit_ifs,
	    .ninterfaces = 3 };

	if (!pfk_exact_available())
		return false;
	memset(s, 0, sizeof(*s));
	s->seed = seed;
	make_rules(s);
	s->image = kit_image(s->text);
	im.image = s->image;
	ck_assert_int_eq(pfk_exact_new(&(struct pfk_exact_options){
	    .images = &im, .nimages = 1 }, &s->x), PFK_OK);
	ck_assert_int_eq(pfk_exact_decide(s->x, 0, &s->all), PFK_OK);
	ck_assert_int_eq(pfk_exact_decide(s->x, 0, &s->v), PFK_OK);
	return true;
}

static void
teardown(struct subject *s)
{
	ck_assert_int_eq(pfk_exact_error(s->x), PFK_OK);
	pfk_verdicts_free(s->all);
	pfk_verdicts_free(s->v);
	pfk_exact_free(s->x);
	pfk_image_free(s->image);
}

static uint32_t
nrules(const struct subject *s)
{
	return (uint32_t)pfk_image_rules(s->image);
}

/* Some packets: a rule's, those that pass, a port. */
static pfk_set
draw_set(struct subject *s)
{
	switch (draw(s, 4)) {
	case 0:
		return pfk_set_copy(s->x, pfk_verdicts_passed(s->all));
	case 1:
		return pfk_set_ports(s->x, 1, (uint16_t)draw(s, 6), 5);
	default:
		return pfk_set_rule(s->x, 0, draw(s, nrules(s)));
	}
}

/* Of what it decides it decides all; of other sets hardly ever. */
static void
ask_for_all(struct subject *s, uint32_t rule, pfk_set set)
{
	pfk_set all = pfk_verdicts_decides(s->all, rule);
	pfk_set part = pfk_set_and(s->x, all, set);

	ck_assert(pfk_verdicts_decide_all(s->v, rule, part));
	ck_assert_int_eq(pfk_verdicts_decide_all(s->v, rule, set),
	    part == set);
	pfk_set_free(s->x, part);
}

static void
ask(struct subject *s)
{
	uint32_t rule = draw(s, nrules(s));
	pfk_set set = draw_set(s);

	ck_assert_int_eq(pfk_verdicts_match_some(s->v, rule, set),
	    pfk_set_meets(s->x, pfk_verdicts_matches(s->all, rule), set));
	ck_assert_int_eq(pfk_verdicts_decide_some(s->v, rule, set),
	    pfk_set_meets(s->x, pfk_verdicts_decides(s->all, rule), set));
	ask_for_all(s, rule, set);
	pfk_set_free(s->x, set);
}

static void
check_sets(struct subject *s)
{
	for (uint32_t i = 0; i < nrules(s); i++) {
		ck_assert_int_eq(pfk_verdicts_matches(s->v, i),
		    pfk_verdicts_matches(s->all, i));
		ck_assert_int_eq(pfk_verdicts_decides(s->v, i),
		    pfk_verdicts_decides(s->all, i));
	}
}

/* An example of each region is its rule's; those that pass are all that do. */
static void
check_regions(struct subject *s)
{
	const struct pfk_region *r;
	struct pfk_exact_packet p;
	pfk_set sum = PFK_SET_NONE, more;
	size_t n;

	r = pfk_verdicts_regions(s->all, &n);
	ck_assert_uint_gt(n, 20);
	for (size_t i = 0; i < n; i++) {
		ck_assert(pfk_exact_example(s->x, r[i].set, &p));
		ck_assert_uint_eq(pfk_verdicts_decider(s->v, &p),
		    r[i].outcome.rule);
		if (!r[i].outcome.pass)
			continue;
		more = pfk_set_or(s->x, sum, r[i].set);
		pfk_set_free(s->x, sum);
		sum = more;
	}
	ck_assert_int_eq(sum, pfk_verdicts_passed(s->v));
}

START_TEST(one_by_one)
{
	struct subject s;

	for (uint64_t seed = 1; seed <= RULESETS && setup(&s, seed); seed++) {
		check_regions(&s);
		for (unsigned i = 0; i < QUESTIONS; i++)
			ask(&s);
		check_sets(&s);
		for (unsigned i = 0; i < QUESTIONS / 4; i++)
			ask(&s);
		teardown(&s);
	}
}
END_TEST

/* The answer without diagrams is the answer with them. */
START_TEST(common)
{
	struct subject s;

	for (uint64_t seed = 1; seed <= RULESETS && setup(&s, seed); seed++) {
		for (unsigned i = 0; i < QUESTIONS; i++) {
			pfk_set a = draw_set(&s), b = draw_set(&s);
			pfk_set both = pfk_set_and(s.x, a, b);
			pfk_set rest = pfk_set_minus(s.x, a, b);

			ck_assert_int_eq(pfk_set_meets(s.x, a, b),
			    both != PFK_SET_NONE);
			ck_assert_int_eq(pfk_set_within(s.x, a, b),
			    rest == PFK_SET_NONE);
			pfk_set_free(s.x, a);
			pfk_set_free(s.x, b);
			pfk_set_free(s.x, both);
			pfk_set_free(s.x, rest);
		}
		teardown(&s);
	}
}
END_TEST

static bool	stopped;

static bool
stop(void *ctx)
{
	(void)ctx;
	return stopped;
}

/* What is asked while work is stopped is nothing, and is asked again. */
START_TEST(stopped_between)
{
	struct pfk_exact_image im = { .interfaces = kit_ifs,
	    .ninterfaces = 3 };
	struct subject s;
	size_t n;

	if (!setup(&s, 3))
		return;
	pfk_verdicts_free(s.all);
	pfk_verdicts_free(s.v);
	pfk_exact_free(s.x);
	im.image = s.image;
	ck_assert_int_eq(pfk_exact_new(&(struct pfk_exact_options){
	    .images = &im, .nimages = 1, .stop = stop }, &s.x), PFK_OK);
	ck_assert_int_eq(pfk_exact_decide(s.x, 0, &s.all), PFK_OK);
	ck_assert_int_eq(pfk_exact_decide(s.x, 0, &s.v), PFK_OK);
	(void)pfk_verdicts_regions(s.all, &n);
	stopped = true;
	for (uint32_t i = 0; i < nrules(&s); i++)
		(void)pfk_verdicts_decides(s.v, i);
	ck_assert_int_eq(pfk_exact_error(s.x), PFK_ERR_STOPPED);
	(void)pfk_verdicts_regions(s.v, &n);
	ck_assert_uint_eq(n, 0);
	stopped = false;
	pfk_exact_resume(s.x);
	check_regions(&s);
	check_sets(&s);
	teardown(&s);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { one_by_one, common, stopped_between };

	return kit_main("verdicts", tests, sizeof(tests) / sizeof(*tests));
}
