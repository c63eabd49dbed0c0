/*
 * For each value of a field the rules that are to be asked about it.
 *
 * The ends of all intervals cut the field's values into pieces; each piece has
 * its list.  Lists could become as long as there are rules, so that there is a
 * limit to all of them together.
 */
#include <stdlib.h>

#include "runtime/block_int.h"

#define IDS_MIN		4096u
#define IDS_EACH	32u	/* on average, for a rule */

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

/*
 * As block_prune.c does it: rules of an interval that is alone within half an
 * address are asked about all of that.
 */
static void
widen(struct span *v, uint32_t n)
{
	for (uint32_t i = 0, end; i < n; i = end) {
		bool alone = is_within_half(&v[i].low, &v[i].high);

		for (end = i + 1; end < n && v[end].low.w[0] ==
		    v[i].low.w[0]; end++)
			alone = alone && value_same(&v[i].low, &v[end].low) &&
			    value_same(&v[i].high, &v[end].high);
		for (uint32_t k = i; alone && k < end; k++) {
			v[k].low.w[1] = 0;
			v[k].high.w[1] = UINT64_MAX;
		}
	}
}

/* Where the values begin to have another list; how many there are. */
static uint32_t
cut(struct value *at, const struct span_list *l)
{
	uint32_t n = 0, m = 0;

	at[n++] = (struct value){ { 0, 0 } };
	for (uint32_t i = 0; i < l->n; i++) {
		struct value v = l->v[i].high;

		at[n++] = l->v[i].low;
		if (++v.w[1] != 0 || ++v.w[0] != 0)
			at[n++] = v;
	}
	qsort(at, n, sizeof(*at), compare_values);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || value_less(&at[m - 1], &at[i]))
			at[m++] = at[i];
	return m;
}

static bool
add_id(const struct pfk_engine *e, struct block *b, uint32_t id)
{
	if (b->nids == b->capids) {
		uint32_t cap = b->capids == 0 ? 16 : b->capids * 2;
		uint32_t *v = e_realloc(e, b->ids, b->capids * sizeof(*v),
		    cap * sizeof(*v));

		if (v == NULL)
			return false;
		b->ids = v;
		b->capids = cap;
	}
	b->ids[b->nids++] = id;
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
add_list(const struct pfk_engine *e, struct block *b,
    const struct span_list *l, const uint32_t *active, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		if (!add_id(e, b, l->v[active[k]].rule))
			return false;
	return add_id(e, b, NO_RULE);
}

static bool
make_lists(const struct pfk_engine *e, struct block *b,
    const struct span_list *l, const struct value *at, uint32_t nat,
    uint32_t *active, struct outline *o)
{
	uint64_t most = b->nids + (uint64_t)IDS_EACH * l->n + IDS_MIN;
	uint32_t n = 0, next = 0;

	for (uint32_t i = 0; i < nat; i++) {
		struct known k = { .list = 0 };

		n = keep_active(l, active, n, &at[i]);
		for (; next < l->n && !value_less(&at[i], &l->v[next].low);
		    next++)
			insert_active(l, active, n++, next);
		if (b->nids + (uint64_t)n > most)
			return false;	/* too long */
		if (n != 0) {
			k.list = b->nids;
			if (!add_list(e, b, l, active, n))
				return false;
		}
		if (!outline_add(e, o, &at[i], &k))
			return false;
	}
	return true;
}

/* => The list of nothing is there. */
bool
spans_make(const struct pfk_engine *e, struct block *b, struct span_list *l,
    struct outline *o)
{
	size_t cap = 2 * (size_t)l->n + 1;
	struct value *at;
	uint32_t *active;
	bool good;

	if (l->n == 0)
		return true;
	active = e_alloc(e, l->n * sizeof(*active));
	at = e_alloc(e, cap * sizeof(*at));
	good = active != NULL && at != NULL;
	if (good) {
		uint32_t n;

		qsort(l->v, l->n, sizeof(*l->v), compare_spans);
		widen(l->v, l->n);
		n = cut(at, l);
		good = make_lists(e, b, l, at, n, active, o);
	}
	e_free(e, active, l->n * sizeof(*active));
	e_free(e, at, cap * sizeof(*at));
	return good;
}
