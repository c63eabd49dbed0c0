/*
 * From text to a verified image: seconds, bytes, memory while at it.
 */
#include "bench/bench.h"

static void
compile(struct bench *b, enum shape shape, size_t n,
    enum pfk_lowering lowering, double seconds, double megabytes)
{
	struct ruleset *rules = ruleset_new(shape, n, n + shape);
	const char *how = lowering == PFK_LOWER_PLAIN ? "plain" : "fast";
	struct samples s = { .n = 0 };
	struct compiled c = { 0 };
	struct text t = { 0 };
	struct meter m;
	char name[80];

	ruleset_text(rules, &t);
	meter_init(&m);
	for (unsigned i = 0; i < (b->quick ? 1 : 3); i++) {
		pfk_image_free(c.image);
		compile_text(&t, NULL, lowering, &m.allocator, &c);
		samples_add(&s, c.seconds);
	}
	snprintf(name, sizeof(name), "%-5s %6zu rules, %-5s", shape_names
	    [shape], n, how);
	report(b, "compile", name, "s", &s, seconds, NULL);
	snprintf(name, sizeof(name), "%-5s %6zu rules, %-5s image", shape_names
	    [shape], n, how);
	report_one(b, "compile", name, "MB", (double)c.bytes / 1e6, megabytes,
	    NULL);
	snprintf(name, sizeof(name), "%-5s %6zu rules, %-5s at most", shape_names
	    [shape], n, how);
	report_one(b, "compile", name, "MB", (double)m.most / 1e6, 0, NULL);
	pfk_image_free(c.image);
	text_free(&t);
	ruleset_free(rules);
}

void
run_compile(struct bench *b)
{
	static const enum shape shapes[] = { SHAPE_HOSTS, SHAPE_FIELDS,
	    SHAPE_ACL, SHAPE_IPC, SHAPE_FW, SHAPE_ACL6 };

	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		for (size_t n = 10000; n <= 100000; n *= 10) {
			if (b->quick && n > 10000)
				continue;
			compile(b, shapes[i], n, PFK_LOWER_FAST,
			    n == 10000 ? 0.15 : 2, n == 10000 ? 0 : 60);
			if (shapes[i] == SHAPE_ACL || shapes[i] == SHAPE_FW)
				compile(b, shapes[i], n, PFK_LOWER_PLAIN, 0,
				    0);
		}
}
