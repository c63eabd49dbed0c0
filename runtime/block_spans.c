/*
 * For each value of a field the rules that are to be asked about it.
 *
 * The ends of all intervals cut the field's values into pieces; each piece has
 * its list, which is found by halving.  Lists could become as long as there are
 * rules, so that there is a limit to all of them together.
 */
#include <stdlib.h>

#include "runtime/block_int.h"

#define IDS_MIN		4096u
#define IDS_EACH	32u	/* on average, for a rule */

static const uint32_t nothing[1] = { NO_RULE };

bool
span_add(const struct pfk_engine *e, struct span_list *l,
    const struct value *low, const struct value *high, uint32_t rule)
{
	if (value_less(high, low))
		return true;
	if (l->n == l->cap) {
		uint32_t cap = l->cap == 0 ? 16 : l->cap * 2;
		struct span *v = e_realloc(e, l->v, l->cap * sizeof(*v),
		    cap * sizeof(*v));

		if (v == NULL)
			return false;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct span){ *low, *high, rule };
	return true;
}

static int
compare_values(const void *a, const void *b)
{
	return value_less(b, a) - value_less(a, b);
}

static int
compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int order = compare_values(&x->low, &y->low);

	return order != 0 ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

/* Where the values begin to have another list. */
static void
cut(struct spans *s, const struct span_list *l)
{
	uint32_t n = 0, m = 0;

	s->at[n++] = (struct value){ { 0, 0 } };
	for (uint32_t i = 0; i < l->n; i++) {
		struct value v = l->v[i].high;

		s->at[n++] = l->v[i].low;
		if (++v.w[1] != 0 || ++v.w[0] != 0)
			s->at[n++] = v;
	}
	qsort(s->at, n, sizeof(*s->at), compare_values);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || value_less(&s->at[m - 1], &s->at[i]))
			s->at[m++] = s->at[i];
	s->n = m;
}

static bool
add_id(const struct pfk_engine *e, struct spans *s, uint32_t id)
{
	if (s->nids == s->capids) {
		uint32_t cap = s->capids == 0 ? 64 : s->capids * 2;
		uint32_t *v = e_realloc(e, s->ids, s->capids * sizeof(*v),
		    cap * sizeof(*v));

		if (v == NULL)
			return false;
		s->ids = v;
		s->capids = cap;
	}
	s->ids[s->nids++] = id;
	return true;
}

/* Rules that the piece at `at` has; active: in order of rules. */
static uint32_t
keep_active(const struct span_list *l, uint32_t *active, uint32_t n,
    const struct value *at)
{
	uint32_t m = 0;

	for (uint32_t i = 0; i < n; i++)
		if (!value_less(&l->v[active[i]].high, at))
			active[m++] = active[i];
	return m;
}

static void
insert_active(const struct span_list *l, uint32_t *active, uint32_t n,
    uint32_t x)
{
	while (n > 0 && l->v[active[n - 1]].rule > l->v[x].rule) {
		active[n] = active[n - 1];
		n--;
	}
	active[n] = x;
}

static bool
make_lists(const struct pfk_engine *e, struct spans *s,
    const struct span_list *l, uint32_t *active)
{
	uint32_t n = 0, next = 0;

	if (!add_id(e, s, NO_RULE))
		return false;
	for (uint32_t i = 0; i < s->n; i++) {
		n = keep_active(l, active, n, &s->at[i]);
		for (; next < l->n && !value_less(&s->at[i], &l->v[next].low);
		    next++)
			insert_active(l, active, n++, next);
		s->list[i] = n == 0 ? 0 : s->nids;
		if (s->nids + n > IDS_EACH * l->n + IDS_MIN)
			return false;	/* too long */
		for (uint32_t k = 0; k < n; k++)
			if (!add_id(e, s, l->v[active[k]].rule))
				return false;
		if (n != 0 && !add_id(e, s, NO_RULE))
			return false;
	}
	return true;
}

bool
spans_build(const struct pfk_engine *e, struct spans *s, struct span_list *l)
{
	size_t cap = 2 * (size_t)l->n + 1;
	uint32_t *active, *list;
	struct value *at;
	bool good;

	if (l->n == 0)
		return true;
	active = e_alloc(e, l->n * sizeof(*active));
	s->cap = (uint32_t)cap;
	s->at = at = e_alloc(e, cap * sizeof(*at));
	good = active != NULL && at != NULL;
	if (good) {
		cut(s, l);
		s->list = list = e_alloc(e, cap * sizeof(*list));
		good = list != NULL;
	}
	if (good) {
		qsort(l->v, l->n, sizeof(*l->v), compare_spans);
		good = make_lists(e, s, l, active);
	}
	e_free(e, active, l->n * sizeof(*active));
	return good;
}

void
spans_free(const struct pfk_engine *e, struct spans *s)
{
	e_free(e, s->at, s->cap * sizeof(*s->at));
	e_free(e, s->list, s->cap * sizeof(*s->list));
	e_free(e, s->ids, s->capids * sizeof(*s->ids));
}

const uint32_t *
spans_find(const struct spans *s, const struct value *v)
{
	uint32_t at = 0, n = s->n;

	if (n == 0)
		return nothing;
	while (n > 1) {
		uint32_t half = n / 2;

		at += value_less(v, &s->at[at + half]) ? 0 : half;
		n -= half;
	}
	return s->ids + s->list[at];
}
