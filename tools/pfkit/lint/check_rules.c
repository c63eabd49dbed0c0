/*
 * Rules that decide nothing, or nothing that another would not.
 *
 * Each rule has three sets (pfkit/exact.h): the packets that fit it, those that
 * fit and reach it, those that it decides.  All of this is found in them.
 *
 * Of TCP only packets that begin a connection count, unless the rule is about
 * others: a rule that is left with strays alone decides nothing that matters.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

#define MAX_NOTES	5
#define MAX_REDUNDANT	500	/* rules that are looked at one by one */

static void
note_example(struct lint *l, struct finding *f, pfk_set set)
{
	struct pfk_exact_packet p;
	char text[256];

	if (!pfk_exact_example(l->exact, set, &p))
		return;
	pfk_exact_packet_text(&p, text, sizeof(text));
	finding_note(f, LINT_NO_RULE, "for example: %s", text);
}

/*
 * Names the (quick) rules first .. last - 1 that decide packets of the set;
 * whether there are any.
 */
static bool
note_deciders(struct lint *l, struct finding *f, pfk_set set, uint32_t first,
    uint32_t last, bool quick, const char *what)
{
	struct pfk_rule_info info;
	unsigned n = 0;

	for (uint32_t i = first; i < last; i++) {
		pfk_set d = pfk_verdicts_decides(l->verdicts, i);

		pfk_image_rule(l->image, i, &info);
		if ((quick && strstr(info.text, " quick") == NULL) ||
		    !pfk_set_meets(l->exact, d, set))
			continue;
		if (n++ == MAX_NOTES) {
			finding_note(f, LINT_NO_RULE, "and others");
			break;
		}
		finding_note(f, i, "%s", what);
	}
	return n > 0;
}

/*
 * If the rule is one of a list's, the element is what is wrong: usually an
 * exception to the list stands elsewhere, which is worth no more than a note.
 */
static void
point_at_element(struct lint *l, struct finding *f)
{
	struct pfk_origins all;
	struct pfk_origin o;
	const struct pfk_element *only = NULL;

	pfk_image_origins(l->image, f->rule, &all);
	if (!pfk_image_next_origin(&all, &o))
		return;
	for (size_t i = 0; i < o.nelements; i++)
		if (o.element[i].listed) {
			if (only != NULL)
				return;
			only = &o.element[i];
		}
	if (only == NULL)
		return;
	f->at = *only;
	if (f->id != LINT_PASS_OVERRULED)
		f->severity = SEVERITY_NOTE;
}

/* ---- never reached ---- */

/* A quick rule that alone hides another one which would decide otherwise. */
static void
hides(struct lint *l, uint32_t rule, pfk_set fits,
    const struct pfk_rule_info *info)
{
	struct pfk_rule_info other;
	struct finding *f;

	for (uint32_t i = 0; i < rule; i++) {
		pfk_image_rule(l->image, i, &other);
		if (strncmp(info->text, other.text, 4) == 0 ||
		    strstr(other.text, " quick") == NULL ||
		    !pfk_set_within(l->exact, fits,
		    pfk_verdicts_decides(l->verdicts, i)))
			continue;
		f = finding_rule(l, LINT_HIDES, i,
		    "this quick rule hides one that decides otherwise");
		finding_note(f, rule, "hidden:");
		return;
	}
}

static void
unreachable(struct lint *l, uint32_t rule, pfk_set fits,
    const struct pfk_rule_info *info)
{
	struct finding *f = finding_rule(l, LINT_UNREACHABLE, rule,
	    "no packet that fits is left when this rule is asked");

	point_at_element(l, f);
	if (!note_deciders(l, f, fits, 0, rule, true, "taken by"))
		finding_note(f, LINT_NO_RULE, "the rules before it translate "
		    "or tag such packets, so that they do not fit any more");
	note_example(l, f, fits);
	hides(l, rule, fits, info);
}

/* Whether the best example is on an interface that the host does not have. */
static void
missing_interface(struct lint *l, uint32_t rule, pfk_set fits)
{
	struct pfk_exact_packet p;

	if (l->o->ruleset.host.nfiles == 0 ||
	    !pfk_exact_example(l->exact, fits, &p) || p.other_if ||
	    pfk_host_interface(l->host, p.ifname) != NULL)
		return;
	finding_part(l, finding_rule(l, LINT_IMPOSSIBLE, rule,
	    "the firewall has no interface %s", p.ifname),
	    PFK_PART_INTERFACE);
}

/* ---- overruled ---- */

static void
overruled(struct lint *l, uint32_t rule, pfk_set matches, bool pass)
{
	bool lost = pass && !pfk_set_meets(l->exact, matches,
	    pfk_verdicts_passed(l->verdicts));
	struct finding *f = finding_rule(l, lost ? LINT_PASS_OVERRULED :
	    LINT_OVERRULED, rule, lost ?
	    "nothing passes by this rule: later rules block all of it" :
	    "later rules decide about every packet of this rule");

	point_at_element(l, f);
	(void)note_deciders(l, f, matches, rule + 1,
	    (uint32_t)pfk_image_rules(l->image), false, "overruled by");
	note_example(l, f, matches);
}

static void
blocked_translation(struct lint *l, uint32_t rule, pfk_set matches)
{
	struct finding *f;

	if (pfk_set_meets(l->exact, matches, pfk_verdicts_passed(l->verdicts)))
		return;
	f = finding_rule(l, LINT_NAT_BLOCKED, rule,
	    "every packet that this rule translates is blocked");
	(void)note_deciders(l, f, matches, 0,
	    (uint32_t)pfk_image_rules(l->image), false, "blocked by");
	note_example(l, f, matches);
}

/* ---- redundant ---- */

static bool
same_effects(struct lint *l, struct pfk_verdicts *other, uint32_t rule)
{
	const struct pfk_region *a, *b;
	size_t na, nb;
	bool same = true;

	a = pfk_verdicts_regions(l->verdicts, &na);
	b = pfk_verdicts_regions(other, &nb);
	for (size_t i = 0; i < na && same; i++) {
		if (a[i].outcome.rule != rule)
			continue;
		for (size_t k = 0; k < nb && same; k++)
			same = strcmp(a[i].outcome.effects,
			    b[k].outcome.effects) == 0 ||
			    !pfk_set_meets(l->exact, a[i].set, b[k].set);
	}
	return same;
}

static void
redundant(struct lint *l, uint32_t rule)
{
	size_t n = pfk_image_rules(l->image);
	struct pfk_verdicts *without;
	bool *skip;

	if (l->o->least > SEVERITY_NOTE || n > MAX_REDUNDANT)
		return;
	skip = xcalloc(n + 1, sizeof(*skip));
	skip[rule] = true;
	if (pfk_exact_decide_without(l->exact, 0, skip, &without) == PFK_OK) {
		if (same_effects(l, without, rule))
			finding_rule(l, LINT_REDUNDANT, rule,
			    "without this rule the same would be done");
		pfk_verdicts_free(without);
	}
	free(skip);
}

/* ---- options ---- */

static void
tcp_options(struct lint *l, uint32_t rule, pfk_set fits,
    const struct pfk_rule_info *info)
{
	static const char *const words[] = { " modulate state",
	    " synproxy state" };
	pfk_set tcp = pfk_set_protocol(l->exact, 6);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(info->text, words[i]) != NULL &&
		    !pfk_set_meets(l->exact, fits, tcp))
			finding_part(l, finding_rule(l, LINT_NO_EFFECT, rule,
			    "`%s' is for TCP, which this rule does not fit",
			    words[i] + 1), PFK_PART_STATE);
	pfk_set_free(l->exact, tcp);
}

/* ---- each rule ---- */

static bool
begins(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* The rule's three sets, without what does not count. */
struct sets { pfk_set fits, matches, decides; };

static struct sets
sets_of(struct lint *l, uint32_t rule)
{
	struct pfk_exact *x = l->exact;
	pfk_set fits = pfk_set_rule(x, 0, rule);
	pfk_set scope = pfk_set_beginning(x);
	struct sets s;

	if (!pfk_set_meets(x, fits, scope)) {
		pfk_set_free(x, scope);
		scope = PFK_SET_ALL;
	}
	s.fits = pfk_set_and(x, fits, scope);
	s.matches = pfk_set_and(x, scope,
	    pfk_verdicts_matches(l->verdicts, rule));
	s.decides = pfk_set_and(x, scope,
	    pfk_verdicts_decides(l->verdicts, rule));
	pfk_set_free(x, fits);
	pfk_set_free(x, scope);
	return s;
}

static void
check_decision(struct lint *l, uint32_t rule, const struct sets *s,
    const struct pfk_rule_info *info)
{
	bool pass = begins(info->text, "pass");
	bool decides = pass || begins(info->text, "block");

	if (s->fits == PFK_SET_NONE && s->matches == PFK_SET_NONE &&
	    strstr(info->text, " tagged ") == NULL)
		finding_rule(l, LINT_IMPOSSIBLE, rule,
		    "no packet can fit this rule");
	else if (s->matches == PFK_SET_NONE)
		unreachable(l, rule, s->fits, info);
	else if (decides && s->decides == PFK_SET_NONE)
		overruled(l, rule, s->matches, pass);
	else if (decides)
		redundant(l, rule);
}

static bool
translates(const struct pfk_rule_info *info)
{
	return begins(info->text, "match") &&
	    (strstr(info->text, " nat-to ") != NULL ||
	    strstr(info->text, " rdr-to ") != NULL);
}

static void
check_rule(struct lint *l, uint32_t rule)
{
	struct sets s = sets_of(l, rule);
	struct pfk_rule_info info;

	pfk_image_rule(l->image, rule, &info);
	check_decision(l, rule, &s, &info);
	if (translates(&info) && s.matches != PFK_SET_NONE)
		blocked_translation(l, rule, s.matches);
	if (s.fits != PFK_SET_NONE) {
		missing_interface(l, rule, s.fits);
		tcp_options(l, rule, s.fits, &info);
	}
	pfk_set_free(l->exact, s.fits);
	pfk_set_free(l->exact, s.matches);
	pfk_set_free(l->exact, s.decides);
}

void
check_rules(struct lint *l)
{
	for (uint32_t i = 0; i < pfk_image_rules(l->image); i++)
		check_rule(l, i);
}
