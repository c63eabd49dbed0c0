/*
 * Rules that do nothing, told as people wrote them.
 *
 * A statement is often many rules, and an element of a list several.  If none
 * of them does anything, that is one finding about the statement, or about the
 * element; an element that does nothing is usually an exception that stands
 * elsewhere, and worth no more than a note.  What is left is told together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

#define MAX_NOTES	4
#define MAX_LISTED	1000	/* rules of a statement whose elements are
				   looked at */

static const struct fate_text {
	enum lint_id	 id;
	const char	*all;		/* ... %s is who */
	const char	*connections;	/* if it is true of these only */
} texts[NFATES] = {
	[FATE_SKIPPED] = { LINT_SKIPPED,
	    "no packet gets to %s: its interface is under `set skip'", NULL },
	[FATE_FRAGMENTS] = { LINT_IMPOSSIBLE,
	    "no packet can fit %s: fragments are put together before rules "
	    "see them", NULL },
	[FATE_IMPOSSIBLE] = { LINT_IMPOSSIBLE,
	    "no packet can fit %s", NULL },
	[FATE_UNTAGGED] = { LINT_UNTAGGED,
	    "no packet that gets to %s has the tag that is asked for", NULL },
	[FATE_UNREACHABLE] = { LINT_UNREACHABLE,
	    "no packet that fits is left for %s",
	    "no packet that begins a connection is left for %s" },
	[FATE_UNTRANSLATED] = { LINT_NAT_BLOCKED,
	    "every packet that is translated by %s is blocked",
	    "every connection that is translated by %s is blocked" },
	[FATE_PASS_OVERRULED] = { LINT_PASS_OVERRULED,
	    "nothing passes by %s: later rules block all of it",
	    "no connection passes by %s: later rules block them all" },
	[FATE_OVERRULED] = { LINT_OVERRULED,
	    "other rules decide about every packet of %s",
	    "other rules decide about every connection of %s" },
};

/* Some rules of a statement, and what they are called. */
struct group {
	const uint32_t	*rule;
	uint32_t	 n;
	const char	*name;
	const struct pfk_element *element;	/* NULL: the statement */
	bool		 partly;	/* others of the statement act */
};

/* ---- notes ---- */

void
note_example(struct lint *l, struct finding *f, pfk_set set)
{
	struct pfk_exact_packet p;
	char text[256];

	if (!pfk_exact_example(l->exact, set, &p))
		return;
	pfk_exact_packet_text(&p, text, sizeof(text));
	finding_note(f, LINT_NO_RULE, "for example: %s", text);
}

static bool
is_quick(struct lint *l, uint32_t rule)
{
	struct pfk_rule_info info;

	pfk_image_rule(l->image, rule, &info);
	return strstr(info.text, " quick") != NULL;
}

/* Rules first .. last - 1 that decide packets of the set; quick ones only. */
struct deciders {
	pfk_set		 set;
	uint32_t	 first, last;
	bool		 quick;
	const char	*what;
};

static bool
is_decider(struct lint *l, const struct deciders *d, uint32_t rule)
{
	return (!d->quick || is_quick(l, rule)) &&
	    pfk_verdicts_decide_some(l->verdicts, rule, d->set);
}

/* That of the example, which is told below; LINT_NO_RULE: none. */
static uint32_t
decider_of_example(struct lint *l, const struct deciders *d)
{
	struct pfk_exact_packet p;
	uint32_t rule;

	if (!pfk_exact_example(l->exact, d->set, &p))
		return LINT_NO_RULE;
	rule = pfk_verdicts_decider(l->verdicts, &p);
	return rule >= d->first && rule < d->last && is_decider(l, d, rule) ?
	    rule : LINT_NO_RULE;
}

/* Names some of them, that of the example first; whether there are any. */
static bool
note_deciders(struct lint *l, struct finding *f, const struct deciders *d)
{
	uint32_t best = decider_of_example(l, d);
	unsigned n = 0;

	if (best != LINT_NO_RULE) {
		finding_note(f, best, "%s", d->what);
		n++;
	}
	for (uint32_t i = d->first; i < d->last; i++) {
		if (i == best || !is_decider(l, d, i))
			continue;
		if (n++ == MAX_NOTES) {
			finding_note(f, LINT_NO_RULE, "and others");
			break;
		}
		finding_note(f, i, "%s", d->what);
	}
	return n > 0;
}

/* Of rules that are but a part of the statement: which. */
static void
note_rules(struct finding *f, const struct group *g)
{
	if (!g->partly || g->element != NULL)
		return;
	for (uint32_t i = 0; i < g->n && i < MAX_NOTES; i++)
		finding_note(f, g->rule[i], "it is");
	if (g->n > MAX_NOTES)
		finding_note(f, LINT_NO_RULE, "and others");
}

/* The rule that alone decides about all of the set, or LINT_NO_RULE. */
static uint32_t
only_decider(struct lint *l, pfk_set set)
{
	struct pfk_exact_packet p;
	uint32_t rule = LINT_NO_RULE;

	if (pfk_exact_example(l->exact, set, &p))
		rule = pfk_verdicts_decider(l->verdicts, &p);
	return rule != PFK_EXACT_DEFAULT && pfk_verdicts_decide_all(
	    l->verdicts, rule, set) ? rule : LINT_NO_RULE;
}

/* A quick rule that alone hides another one which would decide otherwise. */
static void
hides(struct lint *l, uint32_t rule)
{
	struct pfk_rule_info info, other;
	struct finding *f;
	pfk_set fits = judged_fits(l, rule);
	uint32_t by = only_decider(l, fits);

	pfk_set_free(l->exact, fits);
	if (by >= rule)			/* none, too */
		return;
	pfk_image_rule(l->image, rule, &info);
	pfk_image_rule(l->image, by, &other);
	if (strncmp(info.text, other.text, 4) == 0 || !is_quick(l, by))
		return;
	f = finding_rule(l, LINT_HIDES, by,
	    "this quick rule hides one that decides otherwise");
	finding_note(f, rule, "hidden:");
}

/* Whether the rule's anchor lets none of the packets in; that is told. */
static bool
note_anchor(struct lint *l, struct finding *f, uint32_t rule, pfk_set set)
{
	struct pfk_rule_info info, caller;
	uint32_t last = LINT_NO_RULE;

	pfk_image_rule(l->image, rule, &info);
	if (*info.anchor == '\0')
		return false;
	for (uint32_t i = 0; i < pfk_image_rules(l->image); i++) {
		pfk_image_rule(l->image, i, &caller);
		if (!caller.opens_anchor || strcmp(caller.body, info.anchor) !=
		    0)
			continue;
		if (pfk_verdicts_match_some(l->verdicts, i, set))
			return false;
		last = i;
	}
	if (last != LINT_NO_RULE)
		finding_note(f, last, "its anchor lets no such packet in:");
	return last != LINT_NO_RULE;
}

/* Where the tag is set, if anywhere. */
static void
note_tags(struct lint *l, struct finding *f, uint32_t rule)
{
	struct pfk_rule_info info, other;
	char tag[80], set[80];
	bool any = false, near = false;

	pfk_image_rule(l->image, rule, &info);
	if (!rule_word(&info, " tagged ", tag, sizeof(tag)))
		return;
	for (uint32_t i = 0; i < pfk_image_rules(l->image) && !any; i++) {
		pfk_image_rule(l->image, i, &other);
		if (!rule_word(&other, " tag ", set, sizeof(set)))
			continue;
		any = strcmp(tag, set) == 0;
		if (any)
			finding_note(f, i, "%s is set by", tag);
		else if (letters_apart(tag, set) <= 2 && !near) {
			finding_note(f, i, "is %s meant, which is set by",
			    set);
			near = true;
		}
	}
	if (any || near)
		return;
	finding_note(f, LINT_NO_RULE, "no rule sets %s; iked and bridges may",
	    tag);
	f->severity = SEVERITY_NOTE;
}

static void
note_why(struct lint *l, struct finding *f, const struct group *g,
    enum fate fate, pfk_set set)
{
	uint32_t n = (uint32_t)pfk_image_rules(l->image), first = g->rule[0];

	switch (fate) {
	case FATE_UNREACHABLE:
		if (!note_anchor(l, f, first, set) && !note_deciders(l, f,
		    &(struct deciders){ set, 0, first, true, "taken by" }))
			finding_note(f, LINT_NO_RULE, "the rules before it "
			    "translate or tag such packets, so that they do "
			    "not fit any more");
		break;
	case FATE_OVERRULED: case FATE_PASS_OVERRULED:
		(void)note_deciders(l, f, &(struct deciders){ set, 0, n, false,
		    "overruled by" });
		break;
	case FATE_UNTRANSLATED:
		(void)note_deciders(l, f, &(struct deciders){ set, 0, n, false,
		    "blocked by" });
		break;
	case FATE_IMPOSSIBLE:
		note_impossible(l, f, first);
		return;
	case FATE_UNTAGGED:
		note_tags(l, f, first);
		return;
	case FATE_ACTS: case FATE_TOLD: case FATE_SKIPPED:
	case FATE_FRAGMENTS: case NFATES:
		return;
	}
	note_example(l, f, set);
}

/* ---- a finding ---- */

/* The packets that the group's rules with that fate fit, or match. */
static pfk_set
packets_of(struct lint *l, const struct group *g, enum fate fate)
{
	pfk_set all = PFK_SET_NONE, sum, one;

	for (uint32_t i = 0; i < g->n; i++) {
		if (l->judged[g->rule[i]].fate != fate)
			continue;
		one = fate == FATE_UNREACHABLE ? judged_fits(l, g->rule[i]) :
		    judged_matches(l, g->rule[i]);
		sum = pfk_set_or(l->exact, all, one);
		pfk_set_free(l->exact, one);
		pfk_set_free(l->exact, all);
		all = sum;
	}
	return all;
}

/* Whether strays are treated otherwise than the finding says. */
static bool
has_strays(struct lint *l, const struct group *g)
{
	struct pfk_verdicts *v = l->verdicts;

	for (uint32_t i = 0; i < g->n; i++) {
		uint32_t r = g->rule[i];
		bool has = l->judged[r].fate == FATE_UNREACHABLE ?
		    pfk_verdicts_match_some(v, r, PFK_SET_ALL) :
		    l->judged[r].fate == FATE_UNTRANSLATED ?
		    pfk_verdicts_match_some(v, r, pfk_verdicts_passed(v)) :
		    pfk_verdicts_decide_some(v, r, PFK_SET_ALL);

		if (has)
			return true;
	}
	return false;
}

static void
tell(struct lint *l, const struct group *g, enum fate fate)
{
	const struct fate_text *t = &texts[fate];
	pfk_set set = packets_of(l, g, fate);
	const char *text = t->connections != NULL && has_strays(l, g) ?
	    t->connections : t->all;
	struct finding *f = finding_named(l, t->id, g->rule[0], text, g->name);

	if (g->element != NULL) {
		f->at = *g->element;
		f->about = ABOUT_ELEMENT;
	} else if (g->partly)
		f->about = ABOUT_RULES;
	if (g->partly && fate != FATE_PASS_OVERRULED)
		f->severity = SEVERITY_NOTE;
	note_rules(f, g);
	note_why(l, f, g, fate, set);
	pfk_set_free(l->exact, set);
	if (fate == FATE_UNREACHABLE)
		hides(l, g->rule[0]);
}

/* What is true of all of them, if they are not alike. */
static enum fate
common_fate(struct lint *l, const struct group *g)
{
	enum fate f = FATE_ACTS;

	for (uint32_t i = 0; i < g->n; i++)
		if (l->judged[g->rule[i]].fate > f)
			f = l->judged[g->rule[i]].fate;
	return f;
}

static bool
all_dead(struct lint *l, const struct group *g)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (l->judged[g->rule[i]].fate == FATE_ACTS)
			return false;
	return true;
}

/* ---- elements ---- */

/* The listed elements of each rule of a statement. */
struct key { uint32_t source, off; };
struct keys { struct key part[PFK_PART_ICMP + 1]; };

static void
read_keys(struct lint *l, uint32_t rule, struct keys *k)
{
	struct pfk_origins all;
	struct pfk_origin o;

	for (int i = 0; i <= PFK_PART_ICMP; i++)
		k->part[i] = (struct key){ PFK_NO_SOURCE, 0 };
	pfk_image_origins(l->image, rule, &all);
	if (!pfk_image_next_origin(&all, &o))
		return;
	for (size_t i = 0; i < o.nelements; i++)
		if (o.element[i].listed && pfk_part_has_list(o.element[i].part))
			k->part[o.element[i].part] = (struct key){
			    o.element[i].at.source, o.element[i].at.off };
}

/* Of antispoof the element is the interface of one rule, the other's source. */
static bool
has_key(const struct keys *keys, struct key k)
{
	for (int i = 0; i <= PFK_PART_ICMP; i++)
		if (keys->part[i].source == k.source &&
		    keys->part[i].off == k.off)
			return true;
	return false;
}

/* The statement's rules that have the element, into rule[]; how many. */
static uint32_t
with_element(const struct keys *keys, uint32_t first, uint32_t n,
    struct key k, uint32_t *rule)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < n; i++)
		if (has_key(&keys[i], k))
			rule[found++] = first + i;
	return found;
}

/*
 * The elements of the statement's lists of which every rule is dead (or, with
 * `fn', for which that says so); told[] is set for their rules.
 */
void
each_element(struct lint *l, uint32_t first, uint32_t n, bool *told,
    void (*fn)(struct lint *, struct element_rules *, void *), void *ctx)
{
	struct keys *keys;
	struct element_rules e = { .first = first, .told = told };

	if (n > MAX_LISTED || n < 2)
		return;
	keys = xcalloc(n, sizeof(*keys));
	e.rule = xcalloc(n, sizeof(*e.rule));
	for (uint32_t i = 0; i < n; i++)
		read_keys(l, first + i, &keys[i]);
	for (uint32_t i = 0; i < n; i++)
		for (int p = 0; p <= PFK_PART_ICMP; p++) {
			struct key k = keys[i].part[p];

			if (told[i] || k.source == PFK_NO_SOURCE)
				continue;
			e.n = with_element(keys, first, n, k, e.rule);
			if (e.rule[0] == first + i && e.n < n &&
			    rule_part(l, e.rule[0], (enum pfk_part)p, &e.at))
				fn(l, &e, ctx);
		}
	free(e.rule);
	free(keys);
}

void
element_told(struct element_rules *e)
{
	for (uint32_t i = 0; i < e->n; i++)
		e->told[e->rule[i] - e->first] = true;
}

static void
dead_element(struct lint *l, struct element_rules *e, void *ctx)
{
	struct group g = { e->rule, e->n, "this element", &e->at, true };
	enum fate fate = common_fate(l, &g);

	(void)ctx;
	if (!all_dead(l, &g))
		return;
	element_told(e);
	if (fate != FATE_TOLD)
		tell(l, &g, fate);
}

/* ---- statements ---- */

/* The rules of that fate that no element was told for. */
static void
tell_rest(struct lint *l, uint32_t first, uint32_t n, const bool *told,
    enum fate fate)
{
	uint32_t *rule = xcalloc(n, sizeof(*rule));
	struct group g = { rule, 0, NULL, NULL, true };
	char name[64];

	for (uint32_t i = 0; i < n; i++)
		if (!told[i] && l->judged[first + i].fate == fate)
			rule[g.n++] = first + i;
	(void)snprintf(name, sizeof(name), "%u of this line's %u rules",
	    (unsigned)g.n, (unsigned)n);
	g.name = name;
	if (g.n > 0)
		tell(l, &g, fate);
	free(rule);
}

static void
tell_parts(struct lint *l, uint32_t first, uint32_t n, bool *told)
{
	each_element(l, first, n, told, dead_element, NULL);
	/* of what is more than one family or interface a part often cannot */
	for (enum fate f = FATE_UNREACHABLE; f < NFATES; f++)
		tell_rest(l, first, n, told, f);
}

static void
tell_whole(struct lint *l, const struct group *g)
{
	enum fate fate = common_fate(l, g);

	if (fate != FATE_TOLD)
		tell(l, g, fate);
}

static void
check_statement(struct lint *l, uint32_t first, uint32_t n)
{
	uint32_t *rule = xcalloc(n, sizeof(*rule));
	bool *told = xcalloc(n, sizeof(*told));
	char name[64] = "this rule";
	struct group g = { rule, n, name, NULL, false };

	for (uint32_t i = 0; i < n; i++)
		rule[i] = first + i;
	if (n > 1)
		(void)snprintf(name, sizeof(name), "this line's %u rules",
		    (unsigned)n);
	if (all_dead(l, &g))
		tell_whole(l, &g);
	else {
		tell_parts(l, first, n, told);
		check_redundant(l, first, n, told);
		check_options(l, first, n);
	}
	free(told);
	free(rule);
}

static bool
same_statement(struct lint *l, uint32_t a, uint32_t b)
{
	struct pfk_origins all;
	struct pfk_origin x, y;

	pfk_image_origins(l->image, a, &all);
	if (!pfk_image_next_origin(&all, &x))
		return false;
	pfk_image_origins(l->image, b, &all);
	return pfk_image_next_origin(&all, &y) &&
	    x.statement.at.source != PFK_NO_SOURCE &&
	    x.statement.at.source == y.statement.at.source &&
	    x.statement.at.off == y.statement.at.off;
}

void
check_statements(struct lint *l)
{
	uint32_t n = (uint32_t)pfk_image_rules(l->image), last;

	for (uint32_t i = 0; i < n; i = last) {
		for (last = i + 1; last < n && same_statement(l, i, last);)
			last++;
		check_statement(l, i, last - i);
	}
}
