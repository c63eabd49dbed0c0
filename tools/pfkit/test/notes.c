/*
 * What an answer rests on besides the packet: the contents of tables that may
 * change, limits, chance.
 *
 * A rule is worth a note if it would matter: it keeps an expectation's packets
 * only as long as a limit is not reached, or leaves them alone only as long as
 * a table stays what it is.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "exact.h"

struct noted {
	uint32_t	 rule;
	bool		 block;
	pfk_set		 kept_away;	/* by the contents of tables */
	const char	*question;	/* of what it decides, or NULL */
	bool		 limits;
};

void
note(struct test *t, const char *fmt, ...)
{
	struct textbuf b = { NULL, 0, 0 };
	va_list ap;

	va_start(ap, fmt);
	textbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	textbuf_str(&b, "\n");
	if (t->notes.text == NULL || strstr(t->notes.text, b.text) == NULL)
		textbuf_str(&t->notes, b.text);
	textbuf_free(&b);
}

/* ---- rules that are worth one ---- */

static bool
has_limits(const char *text)
{
	return strstr(text, "(max ") != NULL ||
	    strstr(text, " max-src-") != NULL ||
	    strstr(text, "(max-src-") != NULL;
}

const char *
asked_for(const char *text)
{
	static const struct { const char *word, *what; } words[] = {
		{ " probability ", "its probability" },
		{ " max-pkt-rate ", "its rate of packets" },
		{ " os ", "the operating system of the sender" },
		{ " user ", "the user or group of a socket" },
		{ " group ", "the user or group of a socket" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(text, words[i].word) != NULL)
			return words[i].what;
	return NULL;
}

static bool
begins(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

static pfk_set
kept_away(struct exact *e, uint32_t rule, const char *text)
{
	pfk_set open, set;

	if (strchr(text, '<') == NULL)
		return PFK_SET_NONE;
	open = pfk_set_rule_open(e->x, RULES, rule);
	set = pfk_set_rule(e->x, RULES, rule);
	set_to(e, &set, pfk_set_unless(e->x, set, is_about_table, NULL));
	set_minus(e, &open, set);
	pfk_set_free(e->x, set);
	return open;
}

static void
note_rules(struct run *r)
{
	struct exact *e = r->exact;
	uint32_t n = (uint32_t)pfk_image_rules(r->image);
	struct pfk_rule_info info;

	e->noted_made = true;
	e->noted = xcalloc(n + 1, sizeof(*e->noted));
	for (uint32_t i = 0; i < n; i++) {
		struct noted *o = &e->noted[e->nnoted];

		pfk_image_rule(r->image, i, &info);
		if (!begins(info.text, "pass") && !begins(info.text, "block"))
			continue;
		*o = (struct noted){ .rule = i,
		    .block = begins(info.text, "block"),
		    .kept_away = kept_away(e, i, info.text),
		    .question = asked_for(info.text),
		    .limits = has_limits(info.text) };
		e->nnoted += o->kept_away != PFK_SET_NONE || o->limits ||
		    o->question != NULL;
	}
}

void
notes_end(struct exact *e)
{
	for (size_t i = 0; i < e->nnoted; i++)
		pfk_set_free(e->x, e->noted[i].kept_away);
	free(e->noted);
}

/* ---- of one expectation ---- */

static void
rule_place(const struct run *r, uint32_t rule, struct textbuf *b)
{
	struct pfk_rule_info info;

	pfk_image_rule(r->image, rule, &info);
	textbuf_free(b);
	textbuf_printf(b, "%s:%u", info.file, (unsigned)info.line);
}

static bool
is_quick(const struct pfk_rule_info *info)
{
	return strstr(info->text, " quick ") != NULL;
}

/* Whether the rule, if it matched, would have a word where the other decides. */
static bool
has_a_word(const struct run *r, uint32_t rule, uint32_t decides)
{
	struct pfk_rule_info a, b;

	if (decides == PFK_RULE_DEFAULT || decides == PFK_RULE_NONE)
		return true;
	pfk_image_rule(r->image, rule, &a);
	pfk_image_rule(r->image, decides, &b);
	if (a.anchor[0] != '\0' || b.anchor[0] != '\0')
		return true;		/* their order is not that of numbers */
	return rule < decides ? is_quick(&a) : !is_quick(&b);
}

static bool
matters(struct decision *d, pfk_set set, const struct noted *o)
{
	struct exact *e = d->e;
	pfk_set away = pfk_set_and(e->x, set, o->kept_away);
	bool does = false;

	for (size_t i = 0; i < d->ruled->n && !does; i++)
		does = has_a_word(d->run, o->rule,
		    d->ruled->region[i].outcome.rule) && pfk_set_meets(e->x,
		    away, d->ruled->region[i].set);
	pfk_set_free(e->x, away);
	return does;
}

/* " <bad>", " <bad> and <worse>": those that the rule asks. */
static void
table_names(const struct run *r, uint32_t rule, struct textbuf *b)
{
	static const char overload[] = "overload ";
	struct pfk_rule_info info;
	const char *between = " ", *end;

	pfk_image_rule(r->image, rule, &info);
	textbuf_free(b);
	for (const char *p = info.text; (p = strchr(p, '<')) != NULL; p = end) {
		end = p + strcspn(p, "> ");
		if (*end != '>' || (p - info.text >= 9 && strncmp(p - 9,
		    overload, 9) == 0))
			continue;
		textbuf_str(b, between);
		textbuf_bytes(b, p, (size_t)(end + 1 - p));
		between = " and ";
	}
}

/* Rules that would decide otherwise, if a table had other addresses. */
static void
note_tables(struct decision *d, pfk_set set)
{
	struct exact *e = d->e;
	struct textbuf b = { NULL, 0, 0 }, names = { NULL, 0, 0 };

	for (size_t i = 0; i < e->nnoted; i++) {
		const struct noted *o = &e->noted[i];

		if (o->block == (d->test->kind == TEST_BLOCK) ||
		    !pfk_set_meets(e->x, set, o->kept_away) ||
		    !matters(d, set, o))
			continue;
		rule_place(d->run, o->rule, &b);
		table_names(d->run, o->rule, &names);
		note(d->test, "the contents of%s, in %s", names.len > 0 ?
		    names.text : " a table", b.text);
	}
	textbuf_free(&b);
	textbuf_free(&names);
}

/* Rules that decide only as long as a limit, or chance, lets them. */
static void
note_chances(struct decision *d, pfk_set set)
{
	struct exact *e = d->e;
	struct textbuf b = { NULL, 0, 0 };

	for (size_t i = 0; i < e->nnoted; i++) {
		const struct noted *o = &e->noted[i];

		if ((o->question == NULL && !o->limits) || !pfk_set_meets(
		    e->x, set, pfk_verdicts_decides(d->ruled->v, o->rule)))
			continue;
		rule_place(d->run, o->rule, &b);
		if (o->question != NULL)
			note(d->test, "%s (%s)", b.text, o->question);
		if (o->limits)
			note(d->test, "the limits of the rule in %s", b.text);
	}
	textbuf_free(&b);
}

/* Nobody reads those of a test that holds, unless asked for. */
static bool
is_read(const struct decision *d)
{
	const struct test_options *o = d->run->options;

	return d->test->status == TEST_FAILS || (d->test->status ==
	    TEST_WAITS && (o->verbose || o->formats[FORMAT_JSON] != NULL));
}

void
note_all(struct decision *d)
{
	if (d->ruled == NULL || !is_read(d))
		return;
	if (!d->e->noted_made)
		note_rules(d->run);
	note_tables(d, d->set);
	if (d->test->status == TEST_WAITS)
		note_chances(d, d->set);
}
