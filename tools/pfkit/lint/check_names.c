/*
 * Tables, anchors, tags that are never used, or never filled; labels that say
 * two things.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

/* ---- tables ---- */

struct table {
	struct pfk_table_origin o;
	uint32_t	 user;		/* the first rule that names it */
	bool		 filled;	/* by an overload */
};

static int
compare_tables(const void *a, const void *b)
{
	const struct table *x = a, *y = b;
	int c = strcmp(x->o.name, y->o.name);

	return c != 0 ? c : strcmp(x->o.anchor, y->o.anchor);
}

/*
 * The table that a rule means: of its own anchor, if it is defined there, or
 * else of the main ruleset (pf.conf(5), TABLES).
 */
static struct table *
find_table(struct table *tables, size_t n, const char *name,
    const char *anchor)
{
	struct table key = { .o = { .name = name, .anchor = anchor } };
	struct table *own = bsearch(&key, tables, n, sizeof(*tables),
	    compare_tables);
	struct table *main;

	if (*anchor == '\0' || (own != NULL && own->o.defined))
		return own;
	main = find_table(tables, n, name, "");
	return main != NULL ? main : own;
}

/* Notes the tables that the rule's text names: <name>, <name:N>. */
static void
note_uses(struct table *tables, size_t n, uint32_t rule,
    const struct pfk_rule_info *info)
{
	static const char overload[] = "overload ";
	char name[64];
	struct table *t;
	size_t len;

	for (const char *p = info->text; (p = strchr(p, '<')) != NULL; p++) {
		len = strcspn(p + 1, ">:");
		if (len == 0 || len >= sizeof(name))
			continue;
		memcpy(name, p + 1, len);
		name[len] = '\0';
		t = find_table(tables, n, name, info->anchor);
		if (t == NULL)
			continue;
		if (t->user == LINT_NO_RULE)
			t->user = rule;
		t->filled |= p - info->text >= (ptrdiff_t)sizeof(overload) &&
		    strncmp(p - sizeof(overload) + 1, overload,
		    sizeof(overload) - 1) == 0;
	}
}

/* A defined table that no rule uses, and whose name is nearly the same. */
static const char *
meant(const struct table *tables, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (tables[i].o.defined && tables[i].user == LINT_NO_RULE &&
		    letters_apart(name, tables[i].o.name) <= 2)
			return tables[i].o.name;
	return NULL;
}

static void
tell_empty(struct lint *l, const struct table *tables, size_t n,
    const struct table *t)
{
	const char *other = t->o.defined ? NULL : meant(tables, n, t->o.name);
	struct finding *f = finding_rule(l, LINT_TABLE_EMPTY, t->user,
	    t->o.defined ? "table <%s> has no addresses, and nothing fills it" :
	    "table <%s> is not defined, and nothing fills it", t->o.name);

	if (t->o.defined)
		f->at = t->o.statement;
	if (other != NULL)
		finding_note(f, LINT_NO_RULE, "no rule uses table <%s>: is "
		    "that one meant?", other);
}

static void
check_table(struct lint *l, const struct table *tables, size_t n,
    const struct table *t)
{
	struct finding *f;

	if (t->user == LINT_NO_RULE && t->o.defined) {
		f = finding_at(l, LINT_TABLE_UNUSED, &t->o.statement,
		    "no rule uses table <%s>", t->o.name);
		if (t->o.persist)
			f->severity = SEVERITY_NOTE;
	} else if (t->user != LINT_NO_RULE && t->o.naddrs == 0 &&
	    !t->o.persist && !t->filled)
		tell_empty(l, tables, n, t);
}

static void
check_tables(struct lint *l)
{
	size_t n = pfk_image_tables(l->image);
	struct table *tables = xcalloc(n + 1, sizeof(*tables));
	struct pfk_rule_info info;

	for (size_t i = 0; i < n; i++) {
		pfk_image_table(l->image, i, &tables[i].o);
		tables[i].user = LINT_NO_RULE;
	}
	qsort(tables, n, sizeof(*tables), compare_tables);
	for (size_t i = 0; i < pfk_image_rules(l->image); i++) {
		pfk_image_rule(l->image, i, &info);
		note_uses(tables, n, (uint32_t)i, &info);
	}
	for (size_t i = 0; i < n; i++)
		check_table(l, tables, n, &tables[i]);
	free(tables);
}

/* ---- anchors ---- */

/* Whether path is the anchor, or lies inside of it. */
static bool
inside(const char *path, const char *anchor)
{
	size_t len = strlen(anchor);

	return strncmp(path, anchor, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

static bool
has_rules(struct lint *l, const char *anchor)
{
	struct pfk_rule_info info;

	for (size_t i = 0; i < pfk_image_rules(l->image); i++) {
		pfk_image_rule(l->image, i, &info);
		if (inside(info.anchor, anchor))
			return true;
	}
	return false;
}

bool
anchor_is_called(struct lint *l, const char *anchor)
{
	struct pfk_rule_info info;

	if (l->anchor != NULL && strcmp(l->anchor, anchor) == 0)
		return l->called;
	l->anchor = anchor;		/* the image's */
	l->called = true;
	for (size_t i = 0; i < pfk_image_rules(l->image); i++) {
		pfk_image_rule(l->image, i, &info);
		if (info.opens_anchor && inside(anchor, info.body))
			return true;
	}
	return l->called = false;
}

static void
check_anchor_rule(struct lint *l, uint32_t rule,
    const struct pfk_rule_info *info)
{
	if (info->opens_anchor && !has_rules(l, info->body))
		finding_rule(l, LINT_ANCHOR_EMPTY, rule, "anchor \"%s\" has no "
		    "rules here", info->body);
}

/* Says it once for each anchor: at its first rule. */
static void
check_anchor_called(struct lint *l, uint32_t rule,
    const struct pfk_rule_info *info)
{
	if (*info->anchor != '\0' && info->nr == 0 &&
	    !anchor_is_called(l, info->anchor))
		finding_rule(l, LINT_ANCHOR_UNUSED, rule, "no rule leads to "
		    "anchor \"%s\"", info->anchor);
}

/* ---- tags and labels ---- */

static bool
is_asked_for(struct lint *l, const char *tag)
{
	struct pfk_rule_info info;
	char asked[80];

	for (size_t i = 0; i < pfk_image_rules(l->image); i++) {
		pfk_image_rule(l->image, i, &info);
		if (rule_word(&info, " tagged ", asked, sizeof(asked)) &&
		    strcmp(asked, tag) == 0)
			return true;
	}
	return false;
}

static void
check_tag(struct lint *l, uint32_t rule, const struct pfk_rule_info *info)
{
	char tag[80];

	if (rule_word(info, " tag ", tag, sizeof(tag)) &&
	    !is_asked_for(l, tag))
		finding_part(l, finding_rule(l, LINT_TAG_UNUSED, rule,
		    "no rule asks for tag %s", tag), PFK_PART_TAG);
}

/* The first rule with the label, if it does the opposite. */
static void
check_label(struct lint *l, uint32_t rule, const struct pfk_rule_info *info)
{
	struct pfk_rule_info other;
	struct finding *f;

	if (info->label == NULL || info->text[0] == 'm')
		return;
	for (uint32_t i = 0; i < rule; i++) {
		pfk_image_rule(l->image, i, &other);
		if (other.label == NULL || other.text[0] == 'm' ||
		    strcmp(other.label, info->label) != 0)
			continue;
		if (other.text[0] != info->text[0]) {
			f = finding_rule(l, LINT_LABEL_SHARED, rule, "a rule "
			    "that does the opposite has label \"%s\", too",
			    info->label);
			finding_part(l, f, PFK_PART_LABEL);
			finding_note(f, i, "it is");
		}
		return;
	}
}

void
check_names(struct lint *l)
{
	struct pfk_rule_info info;

	check_tables(l);
	for (size_t i = 0; i < pfk_image_rules(l->image); i++) {
		pfk_image_rule(l->image, i, &info);
		check_anchor_rule(l, (uint32_t)i, &info);
		check_anchor_called(l, (uint32_t)i, &info);
		check_tag(l, (uint32_t)i, &info);
		check_label(l, (uint32_t)i, &info);
	}
}
