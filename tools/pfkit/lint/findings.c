/*
 * Findings: collected by the checks, sorted and thinned out when all are
 * there.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

#define NAME_MAX_LETTERS	63	/* that letters_apart() looks at */

const struct lint_code lint_codes[NLINTS] = {
#define LINT(id, code, name, severity, summary, explanation)		\
	[LINT_##id] = { code, name, summary, explanation,		\
	    SEVERITY_##severity },
#include "codes.def"
#undef LINT
};

const struct lint_code *
lint_code_find(const char *word, size_t len)
{
	for (size_t i = 0; i < NLINTS; i++) {
		const struct lint_code *c = &lint_codes[i];

		if ((strlen(c->code) == len && memcmp(c->code, word, len) ==
		    0) || (strlen(c->name) == len && memcmp(c->name, word,
		    len) == 0))
			return c;
	}
	return NULL;
}

const char *
lint_severity_name(enum severity s)
{
	static const char *const names[] = { "note", "warning", "error" };

	return names[s];
}

static char *format(const char *, va_list)
    __attribute__((__format__(__printf__, 1, 0)));

static char *
format(const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	s = xcalloc((unsigned long)n + 1, 1);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

static struct finding *
add(struct lint *l, enum lint_id id, uint32_t rule)
{
	struct finding *f;

	if ((l->nfindings & (l->nfindings - 1)) == 0)
		l->findings = xrealloc(l->findings, (l->nfindings == 0 ? 1 :
		    l->nfindings * 2) * sizeof(*l->findings));
	f = &l->findings[l->nfindings++];
	memset(f, 0, sizeof(*f));
	f->id = id;
	f->severity = lint_codes[id].severity;
	f->rule = rule;
	f->at.at.source = PFK_NO_SOURCE;
	f->at.macro = PFK_NO_MACRO;
	f->about = ABOUT_RULESET;
	return f;
}

static bool
own_origin(struct lint *l, uint32_t rule, struct pfk_origin *o)
{
	struct pfk_origins all;

	pfk_image_origins(l->image, rule, &all);
	return pfk_image_next_origin(&all, o);
}

struct finding *
finding_rule(struct lint *l, enum lint_id id, uint32_t rule, const char *fmt,
    ...)
{
	struct finding *f = add(l, id, rule);
	struct pfk_origin o;
	va_list ap;

	f->about = ABOUT_LINE;
	if (own_origin(l, rule, &o))
		f->at = o.statement;
	va_start(ap, fmt);
	f->text = format(fmt, ap);
	va_end(ap);
	return f;
}

struct finding *
finding_at(struct lint *l, enum lint_id id, const struct pfk_element *at,
    const char *fmt, ...)
{
	struct finding *f = add(l, id, LINT_NO_RULE);
	va_list ap;

	if (at != NULL) {
		f->at = *at;
		f->about = ABOUT_LINE;
	}
	va_start(ap, fmt);
	f->text = format(fmt, ap);
	va_end(ap);
	return f;
}

struct finding *
finding_named(struct lint *l, enum lint_id id, uint32_t rule, const char *fmt,
    const char *name)
{
	const char *at = strstr(fmt, "%s");

	return finding_rule(l, id, rule, "%.*s%s%s", (int)(at - fmt), fmt,
	    name, at + 2);
}

bool
rule_part(struct lint *l, uint32_t rule, enum pfk_part part,
    struct pfk_element *e)
{
	struct pfk_origin o;

	if (!own_origin(l, rule, &o))
		return false;
	for (size_t i = 0; i < o.nelements; i++)
		if (o.element[i].part == part) {
			*e = o.element[i];
			return true;
		}
	return false;
}

void
finding_move(struct lint *l, struct finding *f, uint32_t rule)
{
	struct pfk_origin o;

	if (rule == LINT_NO_RULE || !own_origin(l, rule, &o))
		return;
	f->rule = rule;
	f->at = o.statement;
	f->about = ABOUT_LINE;
}

void
finding_part(struct lint *l, struct finding *f, enum pfk_part part)
{
	if (rule_part(l, f->rule, part, &f->at))
		f->about = ABOUT_ELEMENT;
}

void
finding_note(struct finding *f, uint32_t rule, const char *fmt, ...)
{
	struct note *n;
	va_list ap;

	f->notes = xrealloc(f->notes, (f->nnotes + 1) * sizeof(*f->notes));
	n = &f->notes[f->nnotes++];
	n->rule = rule;
	va_start(ap, fmt);
	n->text = format(fmt, ap);
	va_end(ap);
}

static void
finding_clear(struct finding *f)
{
	for (size_t i = 0; i < f->nnotes; i++)
		free(f->notes[i].text);
	free(f->notes);
	free(f->text);
}

static int
compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int
compare(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int c;

	if ((c = compare_u32(x->at.at.source, y->at.at.source)) != 0 ||
	    (c = compare_u32(x->at.at.off, y->at.at.off)) != 0 ||
	    (c = compare_u32(x->id, y->id)) != 0)
		return c;
	return compare_u32(x->rule, y->rule);
}

/* Several rules of one list are often wrong in the same way. */
static bool
says_the_same(const struct finding *a, const struct finding *b)
{
	return a->id == b->id && a->at.at.source == b->at.at.source &&
	    a->at.at.source != PFK_NO_SOURCE &&
	    a->at.at.off == b->at.at.off && strcmp(a->text, b->text) == 0;
}

void
findings_sort(struct lint *l)
{
	size_t kept = 0;

	if (l->nfindings == 0)
		return;
	qsort(l->findings, l->nfindings, sizeof(*l->findings), compare);
	for (size_t i = 1; i < l->nfindings; i++)
		if (says_the_same(&l->findings[kept], &l->findings[i]))
			finding_clear(&l->findings[i]);
		else
			l->findings[++kept] = l->findings[i];
	l->nfindings = kept + 1;
}

void
findings_drop(struct lint *l, size_t n)
{
	while (l->nfindings > n)
		finding_clear(&l->findings[--l->nfindings]);
}

void
findings_free(struct lint *l)
{
	findings_drop(l, 0);
	free(l->findings);
}

unsigned
letters_apart(const char *a, const char *b)
{
	unsigned row[NAME_MAX_LETTERS + 1], left, above, n = 0;
	size_t len = strlen(b);

	if (len > NAME_MAX_LETTERS)
		return UINT_MAX;
	for (size_t k = 0; k <= len; k++)
		row[k] = (unsigned)k;
	for (; *a != '\0'; a++) {
		left = row[0];
		row[0] = ++n;
		for (size_t k = 1; k <= len; k++) {
			above = row[k];
			row[k] = left + (*a != b[k - 1]);
			if (above + 1 < row[k])
				row[k] = above + 1;
			if (row[k - 1] + 1 < row[k])
				row[k] = row[k - 1] + 1;
			left = above;
		}
	}
	return row[len];
}

bool
finding_wanted(const struct lint *l, const struct finding *f)
{
	return f->severity >= l->o->least &&
	    (!f->silenced || l->o->show_silenced);
}
