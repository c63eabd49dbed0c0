/*
 * A tracefile as lcov(1) and genhtml(1) read it: a line for each statement
 * (the line that it begins in; statements in one line are summed up), and a
 * branch for each element of its lists.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "../pfkit.h"
#include "../replay/out.h"
#include "model.h"

struct found { uint32_t found, hit; };

static void
count(struct found *f, uint64_t hits)
{
	f->found++;
	f->hit += hits > 0;
}

/* Names are taken from where the program stands; tools want them whole. */
static void
put_name(struct out *o, const char *name)
{
	char *here;

	out_str(o, "SF:");
	if (name[0] != '/' && (here = realpath(".", NULL)) != NULL) {
		out_printf(o, "%s/", here);
		free(here);
	}
	out_printf(o, "%s\n", name);
}

static void
branches(struct out *o, const struct model *m, const struct model_item *s,
    uint32_t block, struct found *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nelements; i++) {
		const struct model_item *e = &m->elements.v[s->element0 + i];
		uint64_t hits = model_hits(e);

		if (!e->listed || e->status == STATUS_DROPPED)
			continue;
		out_printf(o, "BRDA:%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",",
		    s->line, block, n++);
		if (s->counts.evaluations == 0 && hits == 0)
			out_str(o, "-\n");
		else
			out_printf(o, "%" PRIu64 "\n", hits);
		count(f, hits);
	}
}

static bool
is_counted(const struct model_item *it, uint32_t source)
{
	return it->source == source && it->status != STATUS_DROPPED;
}

static void
put_source(struct out *o, const struct model *m, uint32_t source)
{
	const struct model_item *v = m->statements.v;
	struct found lines = { 0, 0 }, elements = { 0, 0 };
	uint32_t n = m->statements.n;

	put_name(o, m->sources[source].name);
	for (uint32_t i = 0; i < n; i++)
		if (is_counted(&v[i], source))
			branches(o, m, &v[i], i, &elements);
	out_printf(o, "BRF:%" PRIu32 "\nBRH:%" PRIu32 "\n", elements.found,
	    elements.hit);
	for (uint32_t i = 0, next; i < n; i = next) {
		uint64_t hits = 0;
		bool any = false;

		for (next = i; next < n && v[next].source == v[i].source &&
		    v[next].line == v[i].line; next++)
			if (is_counted(&v[next], source)) {
				hits += model_hits(&v[next]);
				any = true;
			}
		if (!any)
			continue;
		out_printf(o, "DA:%" PRIu32 ",%" PRIu64 "\n", v[i].line, hits);
		count(&lines, hits);
	}
	out_printf(o, "LF:%" PRIu32 "\nLH:%" PRIu32 "\nend_of_record\n",
	    lines.found, lines.hit);
}

int
report_lcov(const struct model *m, const char *path)
{
	struct out *o = out_open(path);

	out_str(o, "TN:pfkit\n");
	for (uint32_t i = 0; i < m->nsources; i++) {
		bool any = false;

		for (uint32_t k = 0; !any && k < m->statements.n; k++)
			any = is_counted(&m->statements.v[k], i);
		if (any)
			put_source(o, m, i);
	}
	return out_close(o);
}
