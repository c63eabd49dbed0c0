/*
 * Packets that rules decide about, without states.
 *
 * Each ruleset is run as plain bytecode, as fast bytecode, and walked over
 * record by record; packets are corners of the last rule, or of random ones.
 * Before it is measured, all three must name the same rule for packets drawn
 * alike.
 */
#include <stdlib.h>

#include "bench/bench.h"

struct drawn { const struct ruleset *rules; bool last; };

static void
fill_corners(struct feed *f, size_t n)
{
	const struct drawn *d = f->ctx;
	uint8_t a[2][16];
	struct header h;

	for (size_t i = 0; i < n; i++) {
		size_t rule = d->last ? d->rules->n - 1 :
		    random_below(&f->random, (uint32_t)d->rules->n);

		rule_corner(&d->rules->r[rule], &f->random, &h);
		if (shape_is_v6(d->rules->shape)) {
			addr_v6(h.addr[0], a[0]);
			addr_v6(h.addr[1], a[1]);
			frame_v6(f, i, PFK_IN, a[0], a[1], &h, NULL);
		} else
			frame_v4(f, i, PFK_IN, &h, NULL);
	}
}

/* What is allowed: rows of the table in README.md. */
static double
limit_of(enum shape shape, size_t n)
{
	static const double usual[] = { 45, 60, 90, 160, 300 };
	static const double fw[] = { 45, 60, 120, 250, 600 };
	unsigned i = n <= 10 ? 0 : n <= 100 ? 1 : n <= 1000 ? 2 :
	    n <= 10000 ? 3 : 4;

	return shape == SHAPE_CHAIN || shape == SHAPE_REAL ? 0 :
	    shape == SHAPE_FW || shape == SHAPE_FW6 ? fw[i] : usual[i];
}

static void
engine_samples(struct bench *b, const struct pfk_image *image,
    const struct drawn *d, struct samples *s)
{
	struct pfk_engine *e = engine_for(image, NULL, NULL);
	struct feed *f = feed_new(e, 7);

	f->ctx = d;
	f->fill = fill_corners;
	feed_for(f, b->seconds / 4, b->burst);
	for (unsigned i = 0; i < b->repeats; i++)
		samples_add(s, feed_for(f, b->seconds, b->burst));
	feed_free(f);
	pfk_engine_free(e);
}

static double
walk_for(struct walk *w, struct feed *f, double seconds)
{
	double ns = 0, start;
	volatile uint32_t rule;
	size_t n = 0;

	while (ns < seconds * 1e9) {
		size_t some = n < 256 ? n + 1 : 256;

		f->fill(f, some);
		start = cpu_now();
		for (size_t i = 0; i < some; i++)
			rule = walk_packet(w, &f->packets[i]);
		ns += (cpu_now() - start) * 1e9;
		n += some;
	}
	(void)rule;
	return ns / (double)n;
}

static void
walk_samples(struct bench *b, const struct pfk_image *image,
    const struct drawn *d, struct samples *s)
{
	struct pfk_engine *e = engine_for(image, NULL, NULL);
	struct feed *f = feed_new(e, 7);
	struct walk *w = walk_new(image);

	f->ctx = d;
	f->fill = fill_corners;
	for (unsigned i = 0; i < b->repeats; i++)
		samples_add(s, walk_for(w, f, b->seconds / 4));
	walk_free(w);
	feed_free(f);
	pfk_engine_free(e);
}

struct answers { uint32_t rule[BATCH]; };

static void
keep_rule(void *ctx, const struct pfk_decision *d)
{
	((struct answers *)ctx)->rule[d->number] = d->rule;
}

/* How many of n packets the image and the walk decide differently. */
static size_t
disagree(const struct pfk_image *image, const struct drawn *d, size_t n)
{
	struct answers *answers = calloc(1, sizeof(*answers));
	struct pfk_sink sink = { .ctx = answers, .decision = keep_rule };
	struct pfk_engine *e = engine_for(image, NULL, &sink);
	struct feed *f = feed_new(e, 11);
	struct walk *w = walk_new(image);
	size_t bad = 0;

	f->ctx = d;
	f->fill = fill_corners;
	f->fill(f, n);
	feed_batch(f, n, 64);
	for (size_t i = 0; i < n; i++)
		bad += answers->rule[i] != walk_packet(w, &f->packets[i]);
	walk_free(w);
	feed_free(f);
	pfk_engine_free(e);
	free(answers);
	return bad;
}

static void
with_commas(char *buf, size_t size, size_t n)
{
	if (n >= 1000)
		snprintf(buf, size, "%zu,%03zu", n / 1000, n % 1000);
	else
		snprintf(buf, size, "%zu", n);
}

static void
one_image(struct bench *b, const struct pfk_image *image,
    const struct drawn *d, enum pfk_lowering lowering)
{
	static const char *const names[] = { "walk", "plain", "fast" };
	struct samples s = { .n = 0 };
	char name[80], count[32], note[40];
	size_t bad = 0;

	if (lowering == PFK_LOWER_AUTO)
		walk_samples(b, image, d, &s);
	else {
		bad = disagree(image, d, d->rules->n > 10000 ? 50 : 500);
		engine_samples(b, image, d, &s);
	}
	with_commas(count, sizeof(count), d->rules->n);
	snprintf(name, sizeof(name), "%-6s %7s rules, %-6s  %s",
	    shape_names[d->rules->shape], count, d->last ? "last" : "random",
	    names[lowering]);
	snprintf(note, sizeof(note), "%zu DECIDED WRONGLY", bad);
	report(b, "rules", name, "ns", &s, lowering == PFK_LOWER_FAST ?
	    limit_of(d->rules->shape, d->rules->n) : 0,
	    bad > 0 ? note : NULL);
}

/* Drawn rules overlap, so that the last one would seldom decide. */
static void
measure(struct bench *b, enum shape shape, size_t n)
{
	struct ruleset *rules = ruleset_new(shape, n, n + shape);
	struct text t = { 0 };
	struct compiled plain, fast;
	bool drawn = shape >= SHAPE_ACL;

	ruleset_text(rules, &t);
	compile_text(&t, NULL, PFK_LOWER_PLAIN, NULL, &plain);
	compile_text(&t, NULL, PFK_LOWER_FAST, NULL, &fast);
	for (int last = !drawn; last >= 0; last--) {
		struct drawn d = { rules, last };

		one_image(b, fast.image, &d, PFK_LOWER_FAST);
		one_image(b, plain.image, &d, PFK_LOWER_PLAIN);
		if (last || drawn)
			one_image(b, plain.image, &d, PFK_LOWER_AUTO);
	}
	pfk_image_free(plain.image);
	pfk_image_free(fast.image);
	text_free(&t);
	ruleset_free(rules);
}

void
run_rules(struct bench *b)
{
	static const size_t sizes[] = { 10, 100, 1000, 10000, 100000 };

	for (enum shape shape = 0; shape < NSHAPES; shape++)
		for (unsigned i = 0; i < 5; i++) {
			if (b->quick && (sizes[i] == 100 ||
			    sizes[i] == 100000))
				continue;
			measure(b, shape, sizes[i]);
		}
}

/* The ruleset's image, and packets of its corners: work for a profiler. */
struct alone {
	struct ruleset	*rules;
	struct drawn	 d;
	struct compiled	 c;
	struct feed	*f;
};

static void
alone_open(struct alone *a, enum shape shape, size_t n,
    enum pfk_lowering lowering)
{
	struct text t = { 0 };

	a->rules = ruleset_new(shape, n, n + shape);
	a->d = (struct drawn){ a->rules, shape < SHAPE_ACL };
	ruleset_text(a->rules, &t);
	compile_text(&t, NULL, lowering, NULL, &a->c);
	a->f = feed_new(engine_for(a->c.image, NULL, NULL), 7);
	a->f->ctx = &a->d;
	a->f->fill = fill_corners;
	text_free(&t);
}

static void
alone_close(struct alone *a)
{
	pfk_engine_free(a->f->engine);
	pfk_image_free(a->c.image);
	feed_free(a->f);
	ruleset_free(a->rules);
}

void
rules_alone(enum shape shape, size_t n, enum pfk_lowering lowering,
    bool any, size_t npackets, size_t burst)
{
	struct alone a;

	alone_open(&a, shape, n, lowering);
	a.d.last &= !any;
	measured_packets(a.f, npackets, burst);
	alone_close(&a);
}

void
rules_traffic(enum shape shape, size_t n, size_t npackets)
{
	struct alone a;

	alone_open(&a, shape, n, PFK_LOWER_PLAIN);
	a.d.last = false;
	traffic_write(a.f, npackets);
	alone_close(&a);
}
