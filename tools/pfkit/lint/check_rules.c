/*
 * What becomes of each rule.
 *
 * Each rule has three sets (pfkit/exact.h): the packets that fit it, those that
 * fit and reach it, those that it decides.  What is wrong with it is found in
 * them; statements.c tells it.
 *
 * Of TCP only packets that begin a connection count, unless the rule is about
 * others: a rule that is left with strays alone decides nothing that matters.
 * Packets of interfaces under `set skip' reach no rule.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

static bool
begins(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* ---- interfaces ---- */

/* Everything on interfaces under `set skip'. */
static pfk_set
skipped(struct lint *l)
{
	pfk_set all = PFK_SET_NONE, one, sum;
	const char *name;

	for (size_t i = 0; (name = pfk_image_skipped(l->image, i)) != NULL;
	    i++) {
		one = pfk_set_interface(l->exact, 0, name);
		sum = pfk_set_or(l->exact, all, one);
		pfk_set_free(l->exact, one);
		pfk_set_free(l->exact, all);
		all = sum;
	}
	return all;
}

/* Whether the rule is about an interface that the host does not have. */
static bool
is_missing(struct lint *l, const struct pfk_rule_info *info, char name[64])
{
	return rule_word(info, " on ", name, 64) && strcmp(name, "!") != 0 &&
	    !interface_known(l, name);
}

struct missing {
	char		*name;
	uint32_t	 rule, n;	/* the first, and how many */
};
struct missings { struct missing *v; size_t n; };

static void
add_missing(struct missings *m, const char *name, uint32_t rule)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].name, name) == 0) {
			m->v[i].n++;
			return;
		}
	m->v = xrealloc(m->v, (m->n + 1) * sizeof(*m->v));
	m->v[m->n++] = (struct missing){ xstrdup(name), rule, 1 };
}

static void
tell_missing(struct lint *l, struct missings *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct finding *f = finding_rule(l, LINT_IMPOSSIBLE,
		    m->v[i].rule, "the firewall has no interface %s",
		    m->v[i].name);

		finding_part(l, f, PFK_PART_INTERFACE);
		if (m->v[i].n > 1)
			finding_note(f, LINT_NO_RULE, "%u rules are about it",
			    (unsigned)m->v[i].n);
		free(m->v[i].name);
	}
	free(m->v);
}

/* ---- one rule ---- */

/* The packets that count, for a rule that all these fit. */
static struct scope *
scope_for(struct lint *l, pfk_set all)
{
	return &l->scope[!pfk_set_meets(l->exact, all, l->scope[0].all)];
}

static void
make_scope(struct lint *l, struct scope *s, pfk_set all)
{
	s->all = pfk_set_minus(l->exact, all, l->skipped);
	s->passed = pfk_set_and(l->exact, s->all,
	    pfk_verdicts_passed(l->verdicts));
}

static void
make_scopes(struct lint *l)
{
	pfk_set beginning = pfk_set_beginning(l->exact);

	make_scope(l, &l->scope[0], beginning);
	make_scope(l, &l->scope[1], PFK_SET_ALL);
	pfk_set_free(l->exact, beginning);
}

static void
find_sets(struct lint *l, uint32_t rule, struct judged *j)
{
	struct pfk_exact *x = l->exact;

	j->all = pfk_set_rule(x, 0, rule);
	j->scope = scope_for(l, j->all);
	j->skipped = j->all != PFK_SET_NONE &&
	    pfk_set_within(x, j->all, l->skipped);
	j->fits = pfk_set_meets(x, j->all, j->scope->all);
	j->matches = pfk_verdicts_match_some(l->verdicts, rule,
	    j->scope->all);
	j->decides = pfk_verdicts_decide_some(l->verdicts, rule,
	    j->scope->all);
}

pfk_set
judged_fits(struct lint *l, uint32_t rule)
{
	return pfk_set_and(l->exact, l->judged[rule].all,
	    l->judged[rule].scope->all);
}

pfk_set
judged_matches(struct lint *l, uint32_t rule)
{
	return pfk_set_and(l->exact, pfk_verdicts_matches(l->verdicts, rule),
	    l->judged[rule].scope->all);
}

/* Whether a table that it asks about has no addresses: told elsewhere. */
static bool
has_empty_table(struct lint *l, uint32_t rule)
{
	struct pfk_table_origin t;
	long table[2];

	pfk_image_rule_tables(l->image, rule, table);
	for (int i = 0; i < 2; i++)
		if (table[i] >= 0) {
			pfk_image_table(l->image, (size_t)table[i], &t);
			if (t.naddrs == 0)
				return true;
		}
	return false;
}

static bool
asks_for_fragments(struct lint *l, uint32_t rule)
{
	struct pfk_settings s;
	struct pfk_element e;

	pfk_image_settings(l->image, &s);
	return s.reassemble && rule_part(l, rule, PFK_PART_FRAGMENT, &e);
}

static bool
translates(const struct pfk_rule_info *info)
{
	return begins(info->text, "match") &&
	    (strstr(info->text, " nat-to ") != NULL ||
	    strstr(info->text, " rdr-to ") != NULL);
}

static enum fate
fate_of(struct lint *l, uint32_t rule, const struct judged *j,
    const struct pfk_rule_info *info)
{
	bool pass = begins(info->text, "pass");
	bool passes = pfk_verdicts_match_some(l->verdicts, rule,
	    j->scope->passed);

	if (asks_for_fragments(l, rule))
		return FATE_FRAGMENTS;
	if (j->skipped)
		return FATE_SKIPPED;
	if (!j->fits && !j->matches)
		return strstr(info->text, " tagged ") != NULL ? FATE_UNTAGGED :
		    has_empty_table(l, rule) || (l->assumed.v != NULL &&
		    strstr(info->text, " no-route") != NULL) ?
		    FATE_TOLD : FATE_IMPOSSIBLE;
	if (!j->matches)
		return FATE_UNREACHABLE;
	/* a tag has an effect even where another rule decides */
	if ((pass || begins(info->text, "block")) && !j->decides &&
	    strstr(info->text, " tag ") == NULL)
		return pass && !passes ? FATE_PASS_OVERRULED : FATE_OVERRULED;
	return translates(info) && !passes ? FATE_UNTRANSLATED : FATE_ACTS;
}

static void
judge(struct lint *l, uint32_t rule, struct missings *missing)
{
	struct judged *j = &l->judged[rule];
	struct pfk_rule_info info;
	char name[64];

	find_sets(l, rule, j);
	pfk_image_rule(l->image, rule, &info);
	if (*info.anchor != '\0' && !anchor_is_called(l, info.anchor))
		j->fate = FATE_TOLD;
	else if (is_missing(l, &info, name)) {
		j->fate = FATE_TOLD;
		add_missing(missing, name, rule);
	} else
		j->fate = fate_of(l, rule, j, &info);
}

void
check_rules(struct lint *l)
{
	uint32_t n = (uint32_t)pfk_image_rules(l->image);
	struct missings missing = { NULL, 0 };

	l->skipped = skipped(l);
	make_scopes(l);
	l->judged = xcalloc(n + 1, sizeof(*l->judged));
	for (uint32_t i = 0; i < n; i++)
		judge(l, i, &missing);
	tell_missing(l, &missing);
	check_statements(l);
}
