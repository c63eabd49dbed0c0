/*
 * Loading: from rules as they were read to rules as they are in force.
 *
 * An anchor's rules are optimised when the walk comes to it, so the tables
 * made are echoed after the line that calls the anchor and before its first
 * rule.  An anchor that is called more than once is loaded, and its body
 * printed, by the first call only.
 */
#include <stdio.h>
#include <string.h>

#include "compiler/load.h"
#include "compiler/optimize.h"
#include "compiler/print.h"

struct loader {
	struct pfk_ruleset *rs;
	unsigned	 flags;		/* enum print_flags */
	bool		 failed;
};

static void
echo(struct loader *l, const char *text)
{
	if (l->rs->verbose > 0)
		strbuf_puts(&l->rs->echo, text);
}

static void
indent(struct loader *l, unsigned depth)
{
	while (depth-- > 0)
		echo(l, "  ");
}

/* The text with every "$nr" replaced, which pfctl refuses to let grow. */
static const char *
expand_nr(struct loader *l, const char *text, uint32_t nr, size_t size)
{
	struct strbuf sb;
	const char *p;

	if (text == NULL || strstr(text, "$nr") == NULL)
		return text;
	strbuf_init(&sb, &l->rs->arena);
	while ((p = strstr(text, "$nr")) != NULL) {
		strbuf_add(&sb, text, (size_t)(p - text));
		strbuf_printf(&sb, "%u", nr);
		text = p + 3;
	}
	strbuf_puts(&sb, text);
	if (sb.len >= size)
		l->failed = true;
	return strbuf_str(&sb);
}

static void
number_rule(struct loader *l, struct rule *r, uint32_t nr)
{
	struct diag *d;

	r->label = expand_nr(l, r->label, nr, RULE_LABEL_SIZE);
	r->tag = expand_nr(l, r->tag, nr, RULE_TAG_NAME_SIZE);
	r->match_tag = expand_nr(l, r->match_tag, nr, RULE_TAG_NAME_SIZE);
	if (!l->failed)
		return;
	d = diag_add(&l->rs->diags, DIAG_ERROR, "label-too-long",
	    "expand_label: label too long");
	d->plain = PLAIN_PFCTL;
	d->span = r->span;
	d->via = r->via;
}

static void load_anchor(struct loader *, struct anchor *, unsigned);

static void
load_body(struct loader *l, struct rule *r, unsigned depth)
{
	struct anchor *body = r->anchor.inlined ? r->anchor.body : NULL;

	if (body == NULL || body->rules == NULL || body->shown_by != NULL) {
		echo(l, "\n");
		return;
	}
	body->shown_by = r;
	echo(l, " {\n");
	load_anchor(l, body, depth + 1);
	if (l->failed)
		return;
	indent(l, depth);
	echo(l, "}\n");
}

static void
load_rule(struct loader *l, struct rule *r, unsigned depth)
{
	if (l->rs->verbose > 0) {
		if (!(l->flags & PRINT_FLAT))
			indent(l, depth);
		print_rule(&l->rs->echo, l->rs->host, r, l->flags);
	}
	if (r->anchor.call != NULL)
		load_body(l, r, depth);
	else
		echo(l, "\n");
}

static void
load_anchor(struct loader *l, struct anchor *a, unsigned depth)
{
	enum optimize_level level =
	    (enum optimize_level)l->rs->flat.opts.optimize;
	uint32_t nr = 0;

	if (level != OPTIMIZE_NONE)
		optimize_anchor(l->rs, a, level);
	for (struct rule *r = a->rules; r != NULL; r = r->next) {
		r->nr = nr;
		number_rule(l, r, nr++);
		if (l->failed)
			return;
		load_rule(l, r, depth);
		if (l->failed)
			return;
	}
}

bool
load_rules(struct pfk_ruleset *rs, struct anchor *a)
{
	struct loader l = { rs, print_flags_of(rs->opts), false };

	load_anchor(&l, a, 0);
	return !l.failed;
}
