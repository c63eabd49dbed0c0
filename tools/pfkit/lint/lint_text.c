/*
 * Findings for people: in the form that compilers use, with the line.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

static void
colour(struct lint *l, const char *code)
{
	if (l->colour)
		out_str(l->out, code);
}

void
out_lint_rule(struct lint *l, uint32_t rule)
{
	struct pfk_rule_info info;

	pfk_image_rule(l->image, rule, &info);
	out_char(l->out, '@');
	if (*info.anchor != '\0')
		out_printf(l->out, "%s:", info.anchor);
	out_printf(l->out, "%" PRIu32, info.nr);
	if (info.file != NULL && *info.file != '\0')
		out_printf(l->out, " %s:%" PRIu32, info.file, info.line);
	out_printf(l->out, ": %s", info.text);
}

static void
show_head(struct lint *l, const struct finding *f)
{
	static const char *const colours[] = { "\033[36m", "\033[35m",
	    "\033[31m" };
	const struct lint_code *c = &lint_codes[f->id];
	struct pfk_source s;

	if (f->at.at.source != PFK_NO_SOURCE) {
		pfk_image_source(l->image, f->at.at.source, &s);
		out_printf(l->out, "%s:%" PRIu32 ":%" PRIu32 ": ", s.name,
		    f->at.at.line, f->at.at.column);
	} else
		out_printf(l->out, "%s: ", l->o->ruleset.compile.path);
	colour(l, colours[f->severity]);
	out_printf(l->out, "%s: ", lint_severity_name(f->severity));
	colour(l, "\033[0m");
	out_printf(l->out, "%s [%s %s]%s\n", f->text, c->code, c->name,
	    f->silenced ? " (allowed)" : "");
}

static void
put_quote(void *ctx, const char *text, size_t len)
{
	out_bytes(ctx, text, len);
}

static void
show_source(struct lint *l, const struct finding *f)
{
	const struct quote_sink sink = { put_quote, l->out, l->colour };

	if (f->at.at.source != PFK_NO_SOURCE)
		(void)quote_element(l->quotes, &sink, l->image, &f->at);
}

static void
show_notes(struct lint *l, const struct finding *f)
{
	for (size_t i = 0; i < f->nnotes; i++) {
		out_printf(l->out, "    %s", f->notes[i].text);
		if (f->notes[i].rule != LINT_NO_RULE) {
			out_char(l->out, ' ');
			out_lint_rule(l, f->notes[i].rule);
		}
		out_char(l->out, '\n');
	}
}

static void
show_number(struct lint *l, size_t n, enum severity s)
{
	out_printf(l->out, "%zu %s%s", n, lint_severity_name(s),
	    n == 1 ? "" : "s");
}

/* "1 error, 0 warnings (2 notes: --severity note)" */
static void
show_sum(struct lint *l, const size_t n[SEVERITY_ERROR + 1], size_t notes)
{
	for (int s = SEVERITY_ERROR; s >= (int)l->o->least; s--) {
		out_str(l->out, s < SEVERITY_ERROR ? ", " : "");
		show_number(l, n[s], (enum severity)s);
	}
	if (notes > 0) {
		out_str(l->out, " (");
		show_number(l, notes, SEVERITY_NOTE);
		out_str(l->out, ": --severity note)");
	}
	out_char(l->out, '\n');
}

/* Those that are not shown for being no more than notes. */
static size_t
hidden_notes(const struct lint *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->nfindings; i++)
		n += l->o->least > SEVERITY_NOTE && !l->findings[i].silenced &&
		    l->findings[i].severity == SEVERITY_NOTE;
	return n;
}

void
lint_text(struct lint *l)
{
	size_t n[SEVERITY_ERROR + 1] = { 0 };

	for (size_t i = 0; i < l->nfindings; i++) {
		const struct finding *f = &l->findings[i];

		if (!finding_wanted(l, f))
			continue;
		show_head(l, f);
		show_source(l, f);
		show_notes(l, f);
		n[f->severity]++;
	}
	if (n[SEVERITY_ERROR] + n[SEVERITY_WARNING] + n[SEVERITY_NOTE] > 0)
		show_sum(l, n, hidden_notes(l));
}
