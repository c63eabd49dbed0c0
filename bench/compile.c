/*
 * From texts to engines; memory that is counted.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

struct texts { const struct text *rules, *table; };

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	const struct texts *texts = ctx;
	const struct text *t = strcmp(path, "table") == 0 ? texts->table :
	    texts->rules;

	if (t == NULL)
		return 2;
	*len = t->len;
	*text = a->fn(a->ctx, NULL, 0, t->len + 1);
	if (*text == NULL)
		return 12;
	memcpy(*text, t->p, t->len + 1);
	return 0;
}

static void *
count(void *ctx, void *ptr, size_t osize, size_t nsize)
{
	struct meter *m = ctx;

	m->now += nsize - osize;
	if (m->now > m->most)
		m->most = m->now;
	return pfk_allocator_libc.fn(pfk_allocator_libc.ctx, ptr, osize,
	    nsize);
}

void
meter_init(struct meter *m)
{
	*m = (struct meter){ .allocator = { count, m } };
}

void
compile_text(const struct text *rules, const struct text *table,
    enum pfk_lowering lowering, const struct pfk_allocator *a,
    struct compiled *out)
{
	struct texts texts = { rules, table };
	struct pfk_files files = { read_text, &texts };
	struct pfk_host *host = pfk_host_new(NULL);
	struct pfk_compile_options o = { .files = &files, .host = host,
	    .path = "pf.conf", .allocator = a, .optimize = PFK_OPT_NONE };
	struct pfk_ruleset *ruleset = NULL;
	double start = cpu_now();
	size_t len;
	int error;

	if (host == NULL)
		die("no memory");
	error = pfk_compile(&o, &ruleset);
	if (error == PFK_OK)
		error = pfk_ruleset_image(ruleset, lowering, &out->image);
	if (error != PFK_OK)
		die("%s: %s", pfk_strerror(error), ruleset == NULL ? "" :
		    pfk_ruleset_diagnostics(ruleset, PFK_RENDER_PLAIN, &len));
	pfk_ruleset_free(ruleset);
	out->seconds = cpu_now() - start;
	pfk_host_free(host);
	pfk_image_bytes(out->image, &out->bytes);
}

struct pfk_engine *
engine_for(const struct pfk_image *image, const struct pfk_allocator *a,
    const struct pfk_sink *sink)
{
	struct pfk_engine_options o = { .image = image, .allocator = a,
	    .sink = sink, .seed = 1, .debug = -1 };
	struct pfk_engine *e;

	if (pfk_engine_new(&o, &e) != PFK_OK)
		die("no memory for an engine");
	return e;
}
