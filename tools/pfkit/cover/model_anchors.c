/*
 * How much of each anchor is covered.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "model.h"

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct model_anchor *)a)->name,
	    ((const struct model_anchor *)b)->name);
}

static void
count(struct model_total *t, const struct model_item *it)
{
	t->dropped += it->status == STATUS_DROPPED;
	t->all += it->status != STATUS_DROPPED;
	t->covered += it->status == STATUS_DECIDED;
	for (int by = 0; by < COVER_BYS; by++)
		t->by[by] += it->status != STATUS_DROPPED &&
		    model_hits_by(it, (enum cover_by)by) > 0;
}

uint32_t
model_anchors(const struct model *m, struct model_anchor **out)
{
	struct model_anchor *v = xcalloc(m->statements.n + 1, sizeof(*v));
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->statements.n; i++) {
		v[i].name = m->statements.v[i].anchor;
		count(&v[i].lines, &m->statements.v[i]);
	}
	qsort(v, m->statements.n, sizeof(*v), by_name);
	for (uint32_t i = 0; i < m->statements.n; i++) {
		if (n == 0 || strcmp(v[n - 1].name, v[i].name) != 0) {
			v[n++] = v[i];
			continue;
		}
		v[n - 1].lines.covered += v[i].lines.covered;
		v[n - 1].lines.all += v[i].lines.all;
		v[n - 1].lines.dropped += v[i].lines.dropped;
		for (int by = 0; by < COVER_BYS; by++)
			v[n - 1].lines.by[by] += v[i].lines.by[by];
	}
	*out = v;
	return n;
}
