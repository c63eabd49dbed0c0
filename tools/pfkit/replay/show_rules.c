/*
 * --rules: as pfctl -vvsr -a '*'; --labels: as pfctl -sl.
 *
 * With -a '*' an anchor's rules stand in braces below the rule that calls it.
 * The call of a wildcard shows the anchors it finds, each as an anchor
 * without number and counters.  Labels are those of the main ruleset
 * alone.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "replay.h"
#include "text.h"

#define MAX_DEPTH	64		/* as pf's, and to end loops */

static void show_ruleset(struct output *, const char *, unsigned);

static void
show_counters(struct out *out, const struct pfk_rule_counters *c)
{
	out_printf(out, "  [ Evaluations: %-8" PRIu64 "  Packets: %-8" PRIu64
	    "  Bytes: %-10" PRIu64 "  States: %-6" PRIu32 "]\n",
	    c->evaluations, c->packets[0] + c->packets[1],
	    c->bytes[0] + c->bytes[1], c->states);
	out_printf(out, "  [ Inserted: uid 0 pid 0 State Creations: %-6" PRIu64
	    "]\n", c->states_total);
}

/* The name of the anchor right below `under' that the path leads through. */
static const char *
child_of(const char *path, const char *under, size_t *len)
{
	size_t n = strlen(under);

	if (strncmp(path, under, n) != 0)
		return NULL;
	if (n > 0 && path[n] != '/')
		return NULL;
	path += n > 0 ? n + 1 : 0;
	*len = strcspn(path, "/");
	return *len > 0 ? path : NULL;
}

static bool
is_less(const char *a, size_t alen, const char *b, size_t blen)
{
	int order = memcmp(a, b, alen < blen ? alen : blen);

	return order < 0 || (order == 0 && alen < blen);
}

/* The first anchor below `under' after `after' (NULL: of all); NULL: none. */
static const char *
next_child(const struct pfk_engine *e, const char *under, const char *after,
    size_t afterlen, size_t *len)
{
	size_t n = pfk_engine_rules(e), l;
	const char *best = NULL;

	for (size_t i = 0; i < n; i++) {
		struct pfk_rule_info info;
		const char *child;

		pfk_engine_rule(e, i, &info);
		child = info.anchor == NULL ? NULL :
		    child_of(info.anchor, under, &l);
		if (child == NULL || (after != NULL &&
		    !is_less(after, afterlen, child, l)) ||
		    (best != NULL && !is_less(child, l, best, *len)))
			continue;
		best = child;
		*len = l;
	}
	return best;
}

static void
show_children(struct output *o, const char *under, unsigned depth)
{
	const char *child = NULL;
	size_t len = 0, n = strlen(under);

	while ((child = next_child(o->replay->engine, under, child, len,
	    &len)) != NULL) {
		char *path = xcalloc(1, n + len + 2);

		memcpy(path, under, n);
		if (n > 0)
			path[n++] = '/';
		memcpy(path + n, child, len);
		out_printf(o->out, "anchor \"%.*s\" all {\n", (int)len, child);
		show_ruleset(o, path, depth);
		out_str(o->out, "}\n");
		n = strlen(under);
		free(path);
	}
}

/* Whether the anchor's name in the rule ends with a wildcard. */
static bool
is_wildcard(const char *text)
{
	const char *quote = strchr(text, '"'), *end;

	if (quote == NULL || (end = strchr(quote + 1, '"')) == NULL)
		return false;
	return end[-1] == '*' && (end - quote == 2 || end[-2] == '/');
}

static void
show_body(struct output *o, const struct pfk_rule_info *info, unsigned depth)
{
	if (depth < MAX_DEPTH && is_wildcard(info->text))
		show_children(o, info->body, depth + 1);
	else if (depth < MAX_DEPTH)
		show_ruleset(o, info->body, depth + 1);
	out_str(o->out, "}\n");
}

static void
show_rule(struct output *o, uint32_t rule, const struct pfk_rule_info *info,
    unsigned depth)
{
	struct pfk_rule_counters c;

	pfk_engine_rule_counters(o->replay->engine, rule, &c);
	out_printf(o->out, "@%" PRIu32 " ", info->nr);
	out_rule_text(o->out, o->replay->engine, rule);
	if (c.expired)
		out_str(o->out, " # expired");
	out_str(o->out, info->opens_anchor ? " {\n" : "\n");
	show_counters(o->out, &c);
	if (info->opens_anchor)
		show_body(o, info, depth);
}

static void
show_ruleset(struct output *o, const char *anchor, unsigned depth)
{
	size_t n = pfk_engine_rules(o->replay->engine);

	for (size_t i = 0; i < n; i++) {
		struct pfk_rule_info info;

		pfk_engine_rule(o->replay->engine, i, &info);
		if (info.anchor != NULL && strcmp(info.anchor, anchor) == 0)
			show_rule(o, (uint32_t)i, &info, depth);
	}
}

void
show_rules(struct output *o)
{
	show_ruleset(o, "", 0);
}

static void
show_label(struct output *o, const char *label, uint32_t rule)
{
	struct pfk_rule_counters c;

	pfk_engine_rule_counters(o->replay->engine, rule, &c);
	out_printf(o->out, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	    " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", label,
	    c.evaluations, c.packets[0] + c.packets[1],
	    c.bytes[0] + c.bytes[1], c.packets[0], c.bytes[0], c.packets[1],
	    c.bytes[1], c.states_total);
}

void
show_labels(struct output *o)
{
	size_t n = pfk_engine_rules(o->replay->engine);

	for (size_t i = 0; i < n; i++) {
		struct pfk_rule_info info;

		pfk_engine_rule(o->replay->engine, i, &info);
		if (info.anchor != NULL && *info.anchor == '\0' &&
		    info.label != NULL)
			show_label(o, info.label, (uint32_t)i);
	}
}
