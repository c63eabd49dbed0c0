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

static const struct step *
step_of(const struct trace *t, uint32_t rule)
{
	const struct step *found = NULL;

	for (size_t i = 0; i < t->nsteps; i++)
		if (t->steps[i].x.rule == rule &&
		    (t->steps[i].x.kind == PFK_EXPLAIN_FAILS ||
		    t->steps[i].x.kind == PFK_EXPLAIN_MATCHES))
			found = &t->steps[i];
	return found;
}

static void
say_failed(struct trace *t, unsigned failed)
{
	const char *between = "it fails in: ";

	for (unsigned i = 0; i < PFK_NTESTS; i++)
		if (failed & 1u << i) {
			out_printf(t->out, "%s%s", between,
			    pfk_explain_test_name((enum pfk_explain_test)i));
			between = ", ";
		}
}

static void
say_not_asked(struct trace *t, const struct pfk_decision *d)
{
	if (d->state == PFK_STATE_MATCH)
		out_str(t->out, "a state decided: no rules were asked");
	else if (!steps_asked(t))
		out_str(t->out, "no rules were asked");
	else {
		out_str(t->out, "it was not asked: a quick rule came before, "
		    "or its anchor was not entered; decided by ");
		out_rule_place(t->out, t->engine, d->rule);
	}
}

static void
say_why(struct trace *t, const struct pfk_decision *d, uint32_t rule)
{
	const struct step *s = step_of(t, rule);

	if (rule == d->rule && (s != NULL || d->state == PFK_STATE_MATCH))
		out_str(t->out, d->state == PFK_STATE_MATCH ?
		    "its state did decide" : "it did decide");
	else if (s == NULL)
		say_not_asked(t, d);
	else if (s->x.kind == PFK_EXPLAIN_FAILS)
		say_failed(t, s->x.failed);
	else if (!step_decides(s))
		out_printf(t->out, "it matches, but %s rules never decide",
		    s->x.action);
	else {
		out_str(t->out, "it matches, but a later rule overrules it: ");
		out_rule_place(t->out, t->engine, d->rule);
	}
}

void
trace_why_not(struct trace *t, const struct pfk_decision *d)
{
	size_t n = pfk_engine_rules(t->engine);
	struct pfk_rule_info info;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		pfk_engine_rule(t->engine, i, &info);
		if (!is_meant(t->o->why_not, &info))
			continue;
		any = true;
		out_str(t->out, "why not  ");
		out_rule_place(t->out, t->engine, (uint32_t)i);
		out_str(t->out, "\n         ");
		say_why(t, d, (uint32_t)i);
		out_char(t->out, '\n');
	}
	if (!any)
		fatal("--why-not %s: there is no such rule", t->o->why_not);
}
