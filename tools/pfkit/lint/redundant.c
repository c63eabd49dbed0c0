/*
 * Rules without which the same would be done.
 *
 * The packets that the rules have an effect on are run again without them; if
 * all of it has the same effects as before, they are redundant.  First an
 * example is looked at, which most rules that are not do not survive.
 *
 * Rules with limits, counters of their own or `once' are left out: what they
 * do depends on more than the packet.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

#define MAX_STEPS	3000000	/* rules asked, all in all */
#define MAX_NOTES	3

static bool
begins(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

static bool
is_left_out(const struct pfk_rule_info *info)
{
	static const char *const words[] = { " max-pkt-rate ", "(max ",
	    " max ", "max-src-", "source-track", "overload", " once" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(info->text, words[i]) != NULL)
			return true;
	return info->opens_anchor;
}

/* The packets on which the rule has an effect: that it does something to. */
static pfk_set
affected(struct lint *l, uint32_t rule, const struct pfk_rule_info *info)
{
	if (begins(info->text, "match") || strstr(info->text, " tag ") != NULL)
		return pfk_verdicts_matches(l->verdicts, rule);
	return pfk_verdicts_decides(l->verdicts, rule);
}

struct without {
	const uint32_t	*rule;		/* these are taken away */
	uint32_t	 n;
	pfk_set		 set;		/* what they have an effect on */
	bool		 plain;		/* they only pass or block */
	bool		*skip;
};

/* false: some of them must not be looked at. */
static bool
prepare(struct lint *l, struct without *w)
{
	struct pfk_rule_info info;
	pfk_set sum;

	w->set = PFK_SET_NONE;
	w->plain = true;
	for (uint32_t i = 0; i < w->n; i++) {
		pfk_image_rule(l->image, w->rule[i], &info);
		if (is_left_out(&info))
			return false;
		w->plain &= !begins(info.text, "match") &&
		    strstr(info.text, " tag ") == NULL;
		sum = pfk_set_or(l->exact, w->set, affected(l, w->rule[i],
		    &info));
		pfk_set_free(l->exact, w->set);
		w->set = sum;
	}
	return true;
}

/* ---- an example ---- */

/* Whether a rule that is still there passes or blocks the packet. */
static bool
acts_on(struct lint *l, uint32_t rule, const struct without *w,
    const struct pfk_exact_packet *p)
{
	l->steps++;
	return !w->skip[rule] && l->action[rule] != 'm' &&
	    pfk_set_has(l->exact, l->judged[rule].all, p);
}

static bool
is_pass(const struct lint *l, uint32_t rule)
{
	return l->action[rule] == 'p' || l->action[rule] == 'P';
}

static bool
ends(const struct lint *l, uint32_t rule)
{
	return l->action[rule] < 'a';	/* quick */
}

/*
 * The packet is decided by `rule', which is taken away: what decides then?
 * Behind a quick rule nobody has been asked yet; else nobody behind it matches,
 * and before it no quick one does.
 */
static bool
would_pass(struct lint *l, const struct without *w, uint32_t rule,
    const struct pfk_exact_packet *p)
{
	uint32_t last = UINT32_MAX;

	for (uint32_t i = rule + 1; i < l->nrules && ends(l, rule); i++)
		if (acts_on(l, i, w, p)) {
			last = i;
			if (ends(l, i))
				break;
		}
	for (uint32_t i = rule; i-- > 0 && last == UINT32_MAX;)
		if (acts_on(l, i, w, p))
			last = i;
	return last == UINT32_MAX || is_pass(l, last);
}

/* Whether some rule might make another packet of it. */
static bool
is_changed(struct lint *l, const struct pfk_exact_packet *p)
{
	for (uint32_t i = 0; i < l->nchanging; i++)
		if (pfk_set_has(l->exact, l->judged[l->changing[i]].all, p))
			return true;
	return false;
}

/*
 * Whether an example shows that they are not redundant.  Only where rules look
 * at packets as they come; else it is left to the exact way.
 */
static bool
example_differs(struct lint *l, const struct without *w)
{
	struct pfk_exact_packet p;

	if (!w->plain || l->anchors ||
	    !pfk_exact_example(l->exact, w->set, &p) || is_changed(l, &p))
		return false;
	for (uint32_t i = 0; i < w->n; i++)
		if (pfk_set_has(l->exact, pfk_verdicts_decides(l->verdicts,
		    w->rule[i]), &p))
			return is_pass(l, w->rule[i]) !=
			    would_pass(l, w, w->rule[i], &p);
	return false;
}

/* ---- all packets ---- */

/* What has the same effects is one set. */
struct effect { const char *text; pfk_set set; };
struct effects { struct effect *v; size_t n; };

static int
by_text(const void *a, const void *b)
{
	return strcmp(((const struct effect *)a)->text,
	    ((const struct effect *)b)->text);
}

static void
add_up(struct lint *l, struct effects *e)
{
	size_t kept = 0;
	pfk_set sum;

	if (e->n == 0)
		return;
	qsort(e->v, e->n, sizeof(*e->v), by_text);
	for (size_t i = 1; i < e->n; i++) {
		if (strcmp(e->v[kept].text, e->v[i].text) != 0) {
			e->v[++kept] = e->v[i];
			continue;
		}
		sum = pfk_set_or(l->exact, e->v[kept].set, e->v[i].set);
		pfk_set_free(l->exact, e->v[kept].set);
		pfk_set_free(l->exact, e->v[i].set);
		e->v[kept].set = sum;
	}
	e->n = kept + 1;
}

/*
 * The effects on packets of the set; of regions, only those of the rules with
 * only[] set can have some, if it is given.
 */
static struct effects
effects_on(struct lint *l, struct pfk_verdicts *v, pfk_set set,
    const bool *only)
{
	size_t n;
	const struct pfk_region *r = pfk_verdicts_regions(v, &n);
	struct effects e = { xcalloc(n + 1, sizeof(*e.v)), 0 };
	pfk_set part;

	for (size_t i = 0; i < n; i++) {
		uint32_t rule = r[i].outcome.rule;

		if (only != NULL && (rule == PFK_EXACT_DEFAULT || !only[rule]))
			continue;
		part = pfk_set_and(l->exact, r[i].set, set);
		if (part != PFK_SET_NONE)
			e.v[e.n++] = (struct effect){ r[i].outcome.effects,
			    part };
	}
	add_up(l, &e);
	return e;
}

static void
effects_free(struct lint *l, struct effects *e)
{
	for (size_t i = 0; i < e->n; i++)
		pfk_set_free(l->exact, e->v[i].set);
	free(e->v);
}

static bool
same_effects(struct lint *l, const struct without *w,
    struct pfk_verdicts *v)
{
	struct effects a = effects_on(l, l->verdicts, w->set,
	    w->plain ? w->skip : NULL);
	struct effects b = effects_on(l, v, w->set, NULL);
	bool same = a.n == b.n;

	for (size_t i = 0; i < a.n && same; i++)
		same = a.v[i].set == b.v[i].set &&
		    strcmp(a.v[i].text, b.v[i].text) == 0;
	effects_free(l, &a);
	effects_free(l, &b);
	return same;
}

static void
tell(struct lint *l, const struct without *w, const struct pfk_element *at,
    const char *name, struct pfk_verdicts *v)
{
	struct finding *f = finding_named(l, LINT_REDUNDANT, w->rule[0],
	    "without %s the same would be done", name);
	unsigned n = 0;

	if (at != NULL) {
		f->at = *at;
		f->about = ABOUT_ELEMENT;
	}
	for (uint32_t i = 0; i < pfk_image_rules(l->image) && n < MAX_NOTES &&
	    w->plain; i++)
		if (pfk_set_meets(l->exact, pfk_verdicts_decides(v, i),
		    w->set)) {
			finding_note(f, i, "by");
			n++;
		}
}

/* Whether they are; if so, that is told. */
static bool
try(struct lint *l, struct without *w, const struct pfk_element *at,
    const char *name)
{
	size_t n = pfk_image_rules(l->image);
	struct pfk_verdicts *v;
	bool is = false;

	w->skip = xcalloc(n + 1, sizeof(*w->skip));
	for (uint32_t i = 0; i < w->n; i++)
		w->skip[w->rule[i]] = true;
	if (prepare(l, w) && w->set != PFK_SET_NONE &&
	    !example_differs(l, w) && (l->steps += n) < MAX_STEPS &&
	    pfk_exact_decide_among(l->exact, 0, w->set, w->skip, &v) ==
	    PFK_OK) {
		is = same_effects(l, w, v);
		if (is)
			tell(l, w, at, name, v);
		pfk_verdicts_free(v);
	}
	pfk_set_free(l->exact, w->set);
	free(w->skip);
	return is;
}

static void
redundant_element(struct lint *l, struct element_rules *e, void *ctx)
{
	struct without w = { .rule = e->rule, .n = e->n };

	(void)ctx;
	for (uint32_t i = 0; i < e->n; i++)
		if (e->told[e->rule[i] - e->first])
			return;
	if (try(l, &w, &e->at, "this element"))
		element_told(e);
}

void
check_redundant(struct lint *l, uint32_t first, uint32_t n, bool *told)
{
	uint32_t *rule = xcalloc(n, sizeof(*rule));
	struct without w = { .rule = rule, .n = n };

	if (l->o->least <= SEVERITY_NOTE) {
		for (uint32_t i = 0; i < n; i++)
			rule[i] = first + i;
		if (!try(l, &w, NULL, n == 1 ? "this rule" : "this line"))
			each_element(l, first, n, told, redundant_element,
			    NULL);
	}
	free(rule);
}

/* ---- what would_pass() needs ---- */

/* Whether later rules see the packet otherwise than it came. */
static bool
changes_packets(const struct pfk_rule_info *info)
{
	return strstr(info->text, " tag ") != NULL ||
	    (begins(info->text, "match") &&
	    (strstr(info->text, "-to ") != NULL ||
	    strstr(info->text, " rtable ") != NULL));
}

void
redundant_start(struct lint *l)
{
	uint32_t n = (uint32_t)pfk_image_rules(l->image);
	struct pfk_rule_info info;

	l->action = xcalloc(n + 1, 1);
	l->changing = xcalloc(n + 1, sizeof(*l->changing));
	for (uint32_t i = 0; i < n; i++) {
		pfk_image_rule(l->image, i, &info);
		l->action[i] = info.text[0];
		if (strstr(info.text, " quick") != NULL)
			l->action[i] = (char)(l->action[i] - 'a' + 'A');
		l->anchors |= *info.anchor != '\0' || info.opens_anchor;
		if (changes_packets(&info))
			l->changing[l->nchanging++] = i;
	}
	l->nrules = n;
}

void
redundant_end(struct lint *l)
{
	if (l->steps >= MAX_STEPS)
		warning("there are too many rules to find all that are "
		    "redundant (L104)");
	free(l->action);
	free(l->changing);
}
