/*
 * --why-not: of every rule that is meant (a line may be several), why it did
 * not decide.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "../replay/text.h"
#include "trace.h"

enum why {
	WHY_DECIDED, WHY_STATE_DECIDED, WHY_FAILS, WHY_NEVER_DECIDES,
	WHY_OVERRULED, WHY_OTHER_STATE, WHY_NO_RULES, WHY_NOT_ASKED
};

static const char *const texts[] = {
	[WHY_DECIDED] = "it did decide",
	[WHY_STATE_DECIDED] = "its state did decide",
	[WHY_FAILS] = "it fails in: ",
	[WHY_NEVER_DECIDES] = "it matches, but ",
	[WHY_OVERRULED] = "it matches, but a later rule overrules it: ",
	[WHY_OTHER_STATE] = "a state decided: no rules were asked",
	[WHY_NO_RULES] = "no rules were asked",
	[WHY_NOT_ASKED] = ("it was not asked: a quick rule came before, or its "
	    "anchor was not entered; decided by "),
};
static const char *const codes[] = {
	[WHY_DECIDED] = "decided",
	[WHY_STATE_DECIDED] = "state-decided",
	[WHY_FAILS] = "fails",
	[WHY_NEVER_DECIDES] = "never-decides",
	[WHY_OVERRULED] = "overruled",
	[WHY_OTHER_STATE] = "other-state",
	[WHY_NO_RULES] = "no-rules",
	[WHY_NOT_ASKED] = "not-asked",
};

static bool
is_number(const char *s, uint32_t n)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	return *s >= '0' && *s <= '9' && *end == '\0' && v == n;
}

/* "12" a line, "@3" a rule of the main ruleset, "@a/b:3" of an anchor. */
static bool
is_meant(const char *which, const struct pfk_rule_info *info)
{
	const char *colon = strrchr(which, ':');
	size_t len;

	if (info->anchor == NULL)
		return false;
	if (which[0] != '@')
		return is_number(which, info->line) ||
		    (info->label != NULL && strcmp(which, info->label) == 0);
	if (colon == NULL)
		return *info->anchor == '\0' && is_number(which + 1, info->nr);
	len = (size_t)(colon - which - 1);
	return strlen(info->anchor) == len &&
	    strncmp(info->anchor, which + 1, len) == 0 &&
	    is_number(colon + 1, info->nr);
}

/* The next rule from *i on that is meant; false: there is none. */
static bool
next_meant(const struct trace *t, size_t *i)
{
	size_t n = pfk_engine_rules(t->engine);
	struct pfk_rule_info info;

	for (; *i < n; ++*i) {
		pfk_engine_rule(t->engine, *i, &info);
		if (is_meant(t->o->why_not, &info))
			return true;
	}
	return false;
}

/* The rule's last step, and the packet as the rule saw it. */
static const struct step *
step_of(const struct trace *t, uint32_t rule, const struct pfk_flow **flow)
{
	const struct pfk_flow *seen = NULL;
	const struct step *found = NULL;

	for (size_t i = 0; i < t->nsteps; i++) {
		const struct pfk_explain *x = &t->steps[i].x;

		if (x->kind == PFK_EXPLAIN_RULES ||
		    x->kind == PFK_EXPLAIN_MATCHES)
			seen = &x->flow;
		if (x->rule == rule && (x->kind == PFK_EXPLAIN_FAILS ||
		    x->kind == PFK_EXPLAIN_MATCHES)) {
			found = &t->steps[i];
			*flow = seen;
		}
	}
	return found;
}

static enum why
why(const struct trace *t, const struct pfk_decision *d, uint32_t rule,
    const struct step *s)
{
	if (rule == d->rule && (s != NULL || d->state == PFK_STATE_MATCH))
		return d->state == PFK_STATE_MATCH ? WHY_STATE_DECIDED :
		    WHY_DECIDED;
	if (s != NULL)
		return s->x.kind == PFK_EXPLAIN_FAILS ? WHY_FAILS :
		    step_decides(s) ? WHY_OVERRULED : WHY_NEVER_DECIDES;
	if (d->state == PFK_STATE_MATCH)
		return WHY_OTHER_STATE;
	return steps_asked(t) ? WHY_NOT_ASKED : WHY_NO_RULES;
}

/* Ends the program. */
static void
no_such_rule(const struct trace *t)
{
	const char *which = t->o->why_not;

	if (which[0] == '@')
		fatal("--why-not: there is no rule %s", which);
	if (which[strspn(which, "0123456789")] == '\0')
		fatal("--why-not: no rule is written in line %s", which);
	fatal("--why-not: no rule has the label %s", which);
}

/* ---- for people ---- */

static void
say_failed(struct trace *t, uint32_t rule, unsigned failed,
    const struct pfk_flow *flow)
{
	const char *between = "";

	for (unsigned i = 0; i < PFK_NTESTS; i++)
		if (failed & 1u << i) {
			out_printf(t->out, "%s%s", between,
			    pfk_explain_test_name((enum pfk_explain_test)i));
			written_test(t, rule, (enum pfk_explain_test)i, flow);
			between = ", ";
		}
}

static void
say_why(struct trace *t, const struct pfk_decision *d, uint32_t rule)
{
	const struct pfk_flow *flow = &d->before;
	const struct step *s = step_of(t, rule, &flow);
	enum why w = why(t, d, rule, s);

	out_str(t->out, texts[w]);
	if (w == WHY_NEVER_DECIDES)
		out_printf(t->out, "%s rules never decide", s->x.action);
	if (w == WHY_FAILS)
		say_failed(t, rule, s->x.failed, flow);
	if (w == WHY_OVERRULED || w == WHY_NOT_ASKED)
		out_rule_place(t->out, t->engine, d->rule);
}

void
trace_why_not(struct trace *t, const struct pfk_decision *d)
{
	bool any = false;

	for (size_t i = 0; next_meant(t, &i); i++) {
		any = true;
		out_str(t->out, "why not  ");
		out_rule_place(t->out, t->engine, (uint32_t)i);
		out_str(t->out, "\n         ");
		say_why(t, d, (uint32_t)i);
		out_char(t->out, '\n');
	}
	if (!any)
		no_such_rule(t);
}

/* ---- for programs ---- */

static void
json_why(struct trace *t, const struct pfk_decision *d, uint32_t rule)
{
	const struct pfk_flow *flow = &d->before;
	const struct step *s = step_of(t, rule, &flow);
	enum why w = why(t, d, rule, s);

	out_printf(t->out, "{\"why\":\"%s\"", codes[w]);
	json_rule(t, "rule", rule);
	if (w == WHY_FAILS)
		json_failed(t, rule, s->x.failed, flow);
	if (w == WHY_OVERRULED || w == WHY_NOT_ASKED)
		json_rule(t, "by", d->rule);
	out_char(t->out, '}');
}

void
trace_json_why_not(struct trace *t, const struct pfk_decision *d)
{
	const char *between = "";

	out_str(t->out, ",\"why_not\":[");
	for (size_t i = 0; next_meant(t, &i); i++) {
		out_str(t->out, between);
		json_why(t, d, (uint32_t)i);
		between = ",";
	}
	out_char(t->out, ']');
	if (*between == '\0')
		no_such_rule(t);
}
