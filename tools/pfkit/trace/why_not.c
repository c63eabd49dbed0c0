/*
 * --why-not: of every rule that is meant (a line may be several), why it did
 * not decide.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/textbuf.h"
#include "../pfkit.h"
#include "../replay/text.h"
#include "trace.h"

enum why {
	WHY_DECIDED, WHY_STATE_DECIDED, WHY_FAILS, WHY_NEVER_DECIDES,
	WHY_OVERRULED, WHY_OTHER_STATE, WHY_SKIPPED, WHY_NO_RULES, WHY_QUICK,
	WHY_NOT_ENTERED, WHY_NOT_CALLED, WHY_NOT_ASKED, WHY_OTHER_PART
};

static const char *const texts[] = {
	[WHY_DECIDED] = "it did decide",
	[WHY_STATE_DECIDED] = "its state did decide",
	[WHY_FAILS] = "it fails in: ",
	[WHY_NEVER_DECIDES] = "it matches, but ",
	[WHY_OVERRULED] = "it matches, but a later rule overrules it: ",
	[WHY_OTHER_STATE] = "a state decided: no rules were asked",
	[WHY_SKIPPED] = "its interface is under `set skip': no rules were asked",
	[WHY_NO_RULES] = "pf decided before any rule was asked",
	[WHY_QUICK] = "it was not asked: a quick rule came before, ",
	[WHY_NOT_ENTERED] = "it was not asked: its anchor was not entered, ",
	[WHY_NOT_CALLED] = "it was not asked: no rule leads to its anchor",
	[WHY_NOT_ASKED] = "it was not asked; decided by ",
	[WHY_OTHER_PART] = "what decided of that is line ",
};
static const char *const codes[] = {
	[WHY_DECIDED] = "decided",
	[WHY_STATE_DECIDED] = "state-decided",
	[WHY_FAILS] = "fails",
	[WHY_NEVER_DECIDES] = "never-decides",
	[WHY_OVERRULED] = "overruled",
	[WHY_OTHER_STATE] = "other-state",
	[WHY_SKIPPED] = "skipped",
	[WHY_NO_RULES] = "no-rules",
	[WHY_QUICK] = "quick",
	[WHY_NOT_ENTERED] = "not-entered",
	[WHY_NOT_CALLED] = "not-called",
	[WHY_NOT_ASKED] = "not-asked",
	[WHY_OTHER_PART] = "other-part",
};

static bool
is_number(const char *s, uint32_t n)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	return *s >= '0' && *s <= '9' && *end == '\0' && v == n;
}

/* The name as it was given, or its last part. */
static bool
is_file(const char *name, size_t len, const struct pfk_rule_info *info)
{
	const char *last = info->file == NULL ? NULL :
	    strrchr(info->file, '/');

	return info->file != NULL && len > 0 &&
	    ((strlen(info->file) == len &&
	    strncmp(info->file, name, len) == 0) || (last != NULL &&
	    strlen(last + 1) == len && strncmp(last + 1, name, len) == 0));
}

/* Whether "12", or "rules/web.conf:12", is a line of the statement. */
static bool
stands_there(const struct pfk_image *im, const struct pfk_origin *o,
    const char *which)
{
	const char *colon = strrchr(which, ':');
	const char *number = colon != NULL ? colon + 1 : which;
	struct pfk_rule_info info = { .file = NULL };
	struct pfk_source s;
	struct pfk_place p;
	unsigned long line;
	char *end;

	line = strtoul(number, &end, 10);
	element_place(im, &o->statement, &p);
	if (*number < '0' || *number > '9' || *end != '\0' ||
	    p.source == PFK_NO_SOURCE || line < p.line || line > p.end_line)
		return false;
	pfk_image_source(im, p.source, &s);
	info.file = s.name;
	return colon == NULL || is_file(which, (size_t)(colon - which), &info);
}

/*
 * The rule's first statement with that line: the optimiser may have made one
 * rule of several, or dropped one that another covers.  false: none has it.
 */
static bool
origin_there(const struct trace *t, size_t rule, struct pfk_origin *o)
{
	struct pfk_origins all;
	const struct pfk_image *im;
	size_t index;

	im = pfk_engine_rule_image(t->engine, rule, &index);
	pfk_image_origins(im, index, &all);
	while (pfk_image_next_origin(&all, o))
		if (stands_there(im, o, t->o->why_not))
			return true;
	return false;
}

/*
 * "12" a line, "rules/web.conf:12" one of that file, "@3" a rule of the main
 * ruleset, "@a/b:3" of an anchor.
 */
static bool
is_meant(const char *which, const struct pfk_rule_info *info)
{
	const char *colon = strrchr(which, ':');
	size_t len;

	if (info->anchor == NULL)
		return false;
	if (which[0] != '@')
		return is_number(which, info->line) || (colon != NULL &&
		    is_file(which, (size_t)(colon - which), info) &&
		    is_number(colon + 1, info->line)) || (info->label != NULL && strcmp(which, info->label) == 0);
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

	struct pfk_origin o;

	for (; *i < n; ++*i) {
		pfk_engine_rule(t->engine, *i, &info);
		if (is_meant(t->o->why_not, &info) || (info.anchor != NULL &&
		    origin_there(t, *i, &o)))
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

/* The packet as the rules saw it before the step. */
static const struct pfk_flow *
flow_before(const struct trace *t, const struct step *s)
{
	const struct pfk_flow *seen = NULL;

	for (const struct step *i = t->steps; i < s; i++)
		if (i->x.kind == PFK_EXPLAIN_RULES ||
		    i->x.kind == PFK_EXPLAIN_MATCHES)
			seen = &i->x.flow;
	return seen;
}

/* ---- what the optimiser made of it ---- */

/* How the line is in the rule; OWN as well if no line was asked for. */
static enum pfk_origin_how
how_there(const struct trace *t, uint32_t rule)
{
	struct pfk_origin o;

	return origin_there(t, rule, &o) ? o.how : PFK_ORIGIN_OWN;
}

/* The line of what the packet matches of a merged rule; 0: it is that one. */
static uint32_t
other_part(const struct trace *t, uint32_t rule, const struct pfk_flow *flow)
{
	const struct pfk_image *im;
	struct pfk_origin o;
	struct pfk_place p;
	size_t index;

	im = pfk_engine_rule_image(t->engine, rule, &index);
	if (!origin_there(t, rule, &o) ||
	    !origin_of_packet(im, index, flow, &o) ||
	    o.how < PFK_ORIGIN_SOURCE || stands_there(im, &o, t->o->why_not))
		return 0;
	element_place(im, &o.statement, &p);
	return p.line;
}

static void
say_how(struct trace *t, uint32_t rule)
{
	enum pfk_origin_how how = how_there(t, rule);

	if (how == PFK_ORIGIN_COVERED)
		out_str(t->out, "         (which covers the line: the optimiser "
		    "has dropped that)\n");
	else if (how != PFK_ORIGIN_OWN)
		out_str(t->out, "         (which the optimiser has made of the "
		    "line and others)\n");
}

/* ---- rules that were not asked ---- */

/*
 * The anchor that a rule leads to, as a path; "a/" stands for all that are
 * below a.  false: it is no anchor rule.
 */
static bool
anchor_called(const struct pfk_rule_info *info, struct textbuf *path)
{
	const char *name = strchr(info->text, '"');
	size_t len;

	textbuf_free(path);
	if (info->opens_anchor) {
		textbuf_str(path, info->body);
		return true;
	}
	if (strncmp(info->text, "anchor \"", 8) != 0)
		return false;
	name++;
	len = strcspn(name, "\"");
	if (*name == '/') {
		name++;
		len--;
	} else if (*info->anchor != '\0')
		textbuf_printf(path, "%s/", info->anchor);
	textbuf_bytes(path, name, len);
	if (path->len > 0 && path->text[path->len - 1] == '*')
		path->text[--path->len] = '\0';
	return true;
}

/* Whether the rule leads to the anchor, or to one that is around it. */
static bool
leads_to(const struct trace *t, size_t rule, const char *anchor)
{
	struct pfk_rule_info info;
	struct textbuf path = { NULL, 0, 0 };
	bool leads = false;

	pfk_engine_rule(t->engine, rule, &info);
	if (info.anchor != NULL && anchor_called(&info, &path) &&
	    path.len > 0)
		leads = strncmp(anchor, path.text, path.len) == 0 &&
		    (path.text[path.len - 1] == '/' ||
		    anchor[path.len] == '\0' || anchor[path.len] == '/');
	textbuf_free(&path);
	return leads;
}

static bool
is_called(const struct trace *t, const char *anchor)
{
	size_t n = pfk_engine_rules(t->engine);

	for (size_t i = 0; i < n; i++)
		if (leads_to(t, i, anchor))
			return true;
	return false;
}

/*
 * *by: the step of the anchor rule that did not match, or of the quick rule
 * that did.
 */
static enum why
why_not_asked(const struct trace *t, uint32_t rule, const struct step **by)
{
	struct pfk_rule_info info;

	pfk_engine_rule(t->engine, rule, &info);
	if (*info.anchor != '\0' && !is_called(t, info.anchor))
		return WHY_NOT_CALLED;
	for (size_t i = t->nsteps; *info.anchor != '\0' && i > 0; i--) {
		*by = &t->steps[i - 1];
		if ((*by)->x.kind == PFK_EXPLAIN_FAILS &&
		    leads_to(t, (*by)->x.rule, info.anchor))
			return WHY_NOT_ENTERED;
	}
	for (size_t i = t->nsteps; i > 0; i--) {
		*by = &t->steps[i - 1];
		if ((*by)->x.kind == PFK_EXPLAIN_MATCHES && (*by)->x.quick)
			return WHY_QUICK;
	}
	return WHY_NOT_ASKED;
}

static enum why
why(const struct trace *t, const struct pfk_decision *d, uint32_t rule,
    const struct step *s, const struct step **by)
{
	*by = NULL;
	if (rule == d->rule && (s != NULL || d->state == PFK_STATE_MATCH) &&
	    other_part(t, rule, &d->before) != 0)
		return WHY_OTHER_PART;
	if (rule == d->rule && (s != NULL || d->state == PFK_STATE_MATCH))
		return d->state == PFK_STATE_MATCH ? WHY_STATE_DECIDED :
		    WHY_DECIDED;
	if (s != NULL)
		return s->x.kind == PFK_EXPLAIN_FAILS ? WHY_FAILS :
		    step_decides(s) ? WHY_OVERRULED : WHY_NEVER_DECIDES;
	if (d->state == PFK_STATE_MATCH)
		return WHY_OTHER_STATE;
	if (!steps_asked(t))
		return d->verdict == PFK_SKIP ? WHY_SKIPPED : WHY_NO_RULES;
	return why_not_asked(t, rule, by);
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
	const struct step *by;
	enum why w = why(t, d, rule, s, &by);

	out_str(t->out, texts[w]);
	if (w == WHY_NEVER_DECIDES)
		out_printf(t->out, "%s rules never decide", s->x.action);
	if (w == WHY_FAILS)
		say_failed(t, rule, s->x.failed, flow);
	if (w == WHY_OTHER_PART)
		out_number(t->out, other_part(t, rule, &d->before));
	if (w == WHY_OVERRULED || w == WHY_NOT_ASKED)
		out_rule_place(t->out, t->engine, d->rule);
	if (w == WHY_QUICK || w == WHY_NOT_ENTERED)
		out_rule_place(t->out, t->engine, by->x.rule);
	if (w == WHY_NOT_ENTERED) {
		out_str(t->out, "\n         which fails in: ");
		say_failed(t, by->x.rule, by->x.failed, flow_before(t, by));
	}
}

void
trace_why_not(struct trace *t, const struct pfk_decision *d)
{
	bool any = false;

	for (size_t i = 0; next_meant(t, &i); i++) {
		any = true;
		out_str(t->out, "why not  ");
		out_rule_place(t->out, t->engine, (uint32_t)i);
		out_char(t->out, '\n');
		say_how(t, (uint32_t)i);
		out_str(t->out, "         ");
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
	const struct step *by;
	enum why w = why(t, d, rule, s, &by);

	out_printf(t->out, "{\"why\":\"%s\"", codes[w]);
	json_rule(t, "rule", rule);
	if (how_there(t, rule) != PFK_ORIGIN_OWN)
		out_printf(t->out, ",\"optimiser\":\"%s\"",
		    how_there(t, rule) == PFK_ORIGIN_COVERED ? "covered" :
		    "merged");
	if (w == WHY_OTHER_PART)
		out_printf(t->out, ",\"line\":%" PRIu32, other_part(t, rule,
		    &d->before));
	if (w == WHY_FAILS)
		json_failed(t, rule, s->x.failed, flow);
	if (w == WHY_OVERRULED || w == WHY_NOT_ASKED)
		json_rule(t, "by", d->rule);
	if (w == WHY_QUICK || w == WHY_NOT_ENTERED)
		json_rule(t, "by", by->x.rule);
	if (w == WHY_NOT_ENTERED)
		json_failed(t, by->x.rule, by->x.failed, flow_before(t, by));
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
