/*
 * pfctl's ruleset optimiser: superblocks, and the passes over each.
 *
 * What a packet meets must not change, so a rule may only move among rules
 * that would do the same to it.  rule_fields.def says for each field what
 * that means: BARRIER fields put a rule into a superblock of its own, BREAK
 * fields must be equal throughout a superblock.
 *
 * pfctl's `profile` sorts quick rules by the counters of the running
 * ruleset.  Where no filter is running there are none, and pfctl does what
 * `basic` does; so do we.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "compiler/optimize.h"
#include "compiler/optimize_int.h"

/* Only names that end in a digit are certainly not interface groups. */
static bool
may_be_group(const char *ifname)
{
	return ifname != NULL &&
	    !isdigit((unsigned char)ifname[strlen(ifname) - 1]);
}

/*
 * Members of a group may change at any time, so it is unknown whether two
 * different names, one of them a group's, mean the same interface.
 */
static bool
interfaces_mix(const struct rule *a, const struct rule *b)
{
	if (!may_be_group(a->ifname) && !may_be_group(b->ifname))
		return true;
	return a->ifname != NULL && b->ifname != NULL &&
	    strcasecmp(a->ifname, b->ifname) == 0;
}

/* => key: opt_break_key() of first. */
static bool
may_join(struct optimizer *o, const struct rule *first,
    const struct strbuf *key, const struct rule *r)
{
	if (opt_has_barrier(first) || opt_has_barrier(r) ||
	    !interfaces_mix(first, r))
		return false;
	opt_break_key(o, r);
	return o->key.len == key->len &&
	    memcmp(o->key.s, key->s, key->len) == 0;
}

/* How many of the rules (at least one) form the first superblock. */
static size_t
superblock_size(struct optimizer *o, struct rule *const *rules, size_t n)
{
	struct strbuf key;
	size_t i = 1;

	if (n == 1)
		return 1;
	opt_break_key(o, rules[0]);
	strbuf_init(&key, o->arena);
	strbuf_add(&key, o->key.s, o->key.len);
	while (i < n && may_join(o, rules[0], &key, rules[i]))
		i++;
	return i;
}

void
opt_squeeze(struct optimizer *o)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->n; i++)
		if (!o->rules[i].gone)
			o->rules[kept++] = o->rules[i];
	o->n = kept;
}

/* Replaces the rules by what is left of them; returns how many that is. */
static size_t
optimize_superblock(struct optimizer *o, struct rule *const *rules, size_t n,
    struct rule **out)
{
	if (n == 1) {
		out[0] = rules[0];
		return 1;
	}
	opt_prepare(o, rules, n);
	opt_remove_covered(o);
	opt_merge(o);
	opt_reorder(o);
	for (size_t i = 0; i < o->n; i++)
		out[i] = o->rules[i].rule;
	return o->n;
}

static struct rule **
list_rules(struct arena *arena, const struct anchor *a, size_t *n)
{
	struct rule **v;
	size_t i = 0;

	*n = 0;
	for (const struct rule *r = a->rules; r != NULL; r = r->next)
		(*n)++;
	v = arena_alloc(arena, *n * sizeof(struct rule *));
	for (struct rule *r = a->rules; r != NULL; r = r->next)
		v[i++] = r;
	return v;
}

static void
relink_rules(struct anchor *a, struct rule *const *v, size_t n)
{
	a->rules = NULL;
	a->rules_tail = &a->rules;
	a->nrules = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		*a->rules_tail = v[i];
		a->rules_tail = &v[i]->next;
		v[i]->next = NULL;
	}
}

static void
optimizer_init(struct optimizer *o, struct pfk_ruleset *rs)
{
	memset(o, 0, sizeof(*o));
	o->rs = rs;
	o->arena = &rs->arena;
	strbuf_init(&o->key, o->arena);
	intern_init(&o->names, o->arena);
	intern_init(&o->tuples, o->arena);
	intern_init(&o->shapes, o->arena);
}

/* Sizes of the superblocks, one after the other; returns the largest. */
static size_t
find_superblocks(struct optimizer *o, struct rule *const *rules, size_t n,
    size_t *sizes)
{
	size_t largest = 0, k = 0;

	for (size_t i = 0; i < n; i += sizes[k++]) {
		sizes[k] = superblock_size(o, rules + i, n - i);
		if (sizes[k] > largest)
			largest = sizes[k];
	}
	return largest;
}

void
optimize_anchor(struct pfk_ruleset *rs, struct anchor *a,
    enum optimize_level level)
{
	struct optimizer o;
	struct rule **rules;
	size_t n, kept = 0, largest, *sizes;

	if (level == OPTIMIZE_NONE || a->rules == NULL)
		return;
	optimizer_init(&o, rs);
	rules = list_rules(o.arena, a, &n);
	sizes = arena_alloc(o.arena, n * sizeof(size_t));
	largest = find_superblocks(&o, rules, n, sizes);
	if (largest > 1) {
		o.rules = arena_alloc(o.arena, largest * sizeof(*o.rules));
		o.order = order_new(o.arena, largest);
	}
	for (size_t i = 0, k = 0; i < n; i += sizes[k++])
		kept += optimize_superblock(&o, rules + i, sizes[k],
		    rules + kept);
	relink_rules(a, rules, kept);
}
