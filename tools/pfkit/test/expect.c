/*
 * A line that expects: a rule of pf.conf, and what the line adds to it.
 *
 *	pass|block [in|out|through IN OUT] ... by label "x" by line N
 *	    log  no log  no state  keep state
 *	    sends rst|icmp|nothing  nat-to ADDR  rdr-to ADDR [port N]
 *
 * What is added is taken out of the text that is compiled (replaced by
 * blanks, so that all else stays where it is).  Words of pf.conf that do
 * something and are not checked here are refused: they would look like
 * expectations, and hold always.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "test.h"

/* The words are not the rule's. */
static void
blank(struct test *t, const struct words *w, size_t from, size_t to)
{
	t->blanks = xrealloc(t->blanks, (t->nblanks + 1) * sizeof(*t->blanks));
	t->blanks[t->nblanks++] = (struct span){ w->word[from].off,
	    w->word[to - 1].off + w->word[to - 1].len };
}

static bool
is_value(const struct word *w)
{
	return w->kind == WORD_PLAIN || w->kind == WORD_STRING;
}

/* The word behind, or a mistake. */
static const struct word *
value(struct test *t, struct words *w, const char *what)
{
	const struct word *v = &w->word[w->at + 1];

	if (is_value(v)) {
		w->at += 2;
		return v;
	}
	test_wrong(t, v->off, "%s", what);
	w->at = w->n;
	return NULL;
}

/* What can be said once is said again; of opposites one would never hold. */
static void
once(struct test *t, const struct word *v, bool said, const char *what)
{
	if (said)
		test_wrong(t, v->off, "%s was said already", what);
}

static struct span
span_of(const struct word *w)
{
	return (struct span){ w->off, w->off + w->len };
}

static void
take_through(struct test *t, struct words *w)
{
	size_t from = w->at;
	const struct word *in, *out = NULL;

	in = value(t, w, "`through' wants two interfaces: IN and OUT");
	if (in != NULL) {
		w->at--;
		out = value(t, w,
		    "`through' wants two interfaces: IN and OUT");
	}
	if (out == NULL)
		return;
	t->through = true;
	t->in_if = span_of(in);
	t->out_if = span_of(out);
	t->through_at = (struct span){ w->word[from].off, t->out_if.end };
	blank(t, w, from, w->at);
}

/* "12", "anchors/web.conf:12" */
static void
take_line(struct test *t, const struct word *v)
{
	const char *colon = strrchr(v->text, ':');
	const char *number = colon != NULL ? colon + 1 : v->text;
	char *end;
	unsigned long n = strtoul(number, &end, 10);

	if (*number < '1' || *number > '9' || *end != '\0' || n > UINT32_MAX) {
		test_wrong(t, v->off, "`by line' wants the number of a line");
		return;
	}
	if (t->want.line != 0) {
		test_wrong(t, v->off, "one `by line' is enough");
		return;
	}
	t->want.line = (uint32_t)n;
	if (colon == NULL)
		return;
	t->want.line_file = xstrdup(v->text);
	t->want.line_file[colon - v->text] = '\0';
}

static void
take_by(struct test *t, struct words *w)
{
	const char *what = "it is `by label NAME' or `by line N'";
	const struct word *kind = &w->word[w->at + 1], *v;
	size_t from = w->at;

	if (!word_is(kind, "label") && !word_is(kind, "line")) {
		test_wrong(t, kind->off, "%s", what);
		w->at = w->n;
		return;
	}
	w->at++;
	v = value(t, w, what);
	if (v == NULL)
		return;
	blank(t, w, from, w->at);
	if (word_is(kind, "line"))
		take_line(t, v);
	else if (t->want.label == NULL)
		t->want.label = xstrdup(v->text);
	else
		once(t, v, true, "by which label");
	if (v->text[0] == '$')
		test_wrong(t, v->off, "macros are not known here");
}

static void
take_sends(struct test *t, struct words *w)
{
	static const struct { const char *word; enum sends sends; } kinds[] = {
		{ "nothing", SENDS_NOTHING },	{ "rst", SENDS_RST },
		{ "icmp", SENDS_ICMP },		{ "icmp6", SENDS_ICMP },
	};
	const char *what = "`sends' rst, icmp or nothing";
	size_t from = w->at;
	const struct word *v = value(t, w, what);

	if (v == NULL)
		return;
	blank(t, w, from, w->at);
	once(t, &w->word[from], t->want.sends != SENDS_UNSAID,
	    "what is sent");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (word_is(v, kinds[i].word))
			t->want.sends = kinds[i].sends;
	if (t->want.sends == SENDS_UNSAID)
		test_wrong(t, v->off, "%s", what);
	else if (t->kind == TEST_PASS)
		test_wrong(t, w->word[from].off,
		    "what passes is not answered");
}

static void
take_log(struct test *t, struct words *w)
{
	once(t, &w->word[w->at], t->want.log != UNSAID, "whether it is logged");
	t->want.log = YES;
	w->at++;
	if (word_is(&w->word[w->at], "("))
		test_wrong(t, w->word[w->at].off, "`log' stands alone here");
	else
		blank(t, w, w->at - 1, w->at);
}

/* `keep state' and `no state' stay in the rule: the one implies flags S/SA */
static void
take_state(struct test *t, struct words *w, enum yes_no wanted)
{
	once(t, &w->word[w->at], t->want.state != UNSAID,
	    "whether it makes a state");
	t->want.state = wanted;
	w->at += 2;
	if (t->kind == TEST_BLOCK)
		test_wrong(t, w->word[w->at - 2].off,
		    "what is blocked has no state");
}

static int
translation_kind(const struct word *w)
{
	return word_is(w, "nat-to") ? NAT : word_is(w, "rdr-to") ? RDR : -1;
}

/* nat-to { a, b } and so on: up to where the address ends. */
static void
skip_address(struct words *w)
{
	unsigned depth = w->word[w->at].depth;

	do
		w->at++;
	while (w->at < w->n && (w->word[w->at].depth > depth ||
	    word_is(&w->word[w->at], "}") || word_is(&w->word[w->at], ")")));
}

static void
take_target_port(struct test *t, struct words *w, struct translation *x)
{
	const struct word *v = value(t, w, "`port' wants a number");
	unsigned long n;
	char *end;

	if (v == NULL)
		return;
	n = strtoul(v->text, &end, 10);
	if (*end != '\0' || n == 0 || n > 65535)
		test_wrong(t, v->off, "`port' wants a number here");
	x->port[0] = x->port[1] = (uint16_t)n;
}

/*
 * Its address is a rule's destination, when it is compiled: so it may be
 * whatever such a one may be.
 */
static void
take_translation(struct test *t, struct words *w, int kind)
{
	struct translation *x = &t->want.translation[kind];
	size_t from = w->at++, address = w->at;

	once(t, &w->word[from], x->wanted != UNSAID, "what it becomes");
	x->wanted = YES;
	if (w->word[w->at].kind == WORD_END) {
		test_wrong(t, w->word[w->at].off, "`%s' wants an address",
		    w->word[from].text);
		return;
	}
	skip_address(w);
	x->off = w->word[address].off;
	x->end = w->word[w->at - 1].off + w->word[w->at - 1].len;
	if (word_is(&w->word[w->at], "port"))
		take_target_port(t, w, x);
	blank(t, w, from, w->at);
	if (t->kind == TEST_BLOCK)
		test_wrong(t, w->word[from].off,
		    "what is blocked goes nowhere");
}

static void
take_no(struct test *t, struct words *w)
{
	const struct word *what = &w->word[w->at + 1];

	if (word_is(what, "state")) {
		take_state(t, w, NO);
		return;
	}
	if (word_is(what, "log")) {
		once(t, what, t->want.log != UNSAID, "whether it is logged");
		t->want.log = NO;
	} else if (translation_kind(what) >= 0) {
		struct translation *x =
		    &t->want.translation[translation_kind(what)];

		once(t, what, x->wanted != UNSAID, "what it becomes");
		x->wanted = NO;
	} else
		test_wrong(t, what->off,
		    "it is `no log', `no state', `no nat-to' or `no rdr-to'");
	w->at += w->at + 1 < w->n ? 2 : 1;
	blank(t, w, w->at - 2, w->at);
}

static const char *const refused[] = {
	"quick", "tag", "label", "queue", "set", "rtable",
	"divert-to", "divert-packet", "divert-reply", "scrub", "route-to",
	"reply-to", "dup-to", "binat-to", "af-to", "probability", "once",
	"max-pkt-rate", "return", "return-rst",
	"return-icmp", "return-icmp6", "drop", "modulate", "synproxy",
	"fragment", "allow-opts", "prio",
};

static void
refuse(struct test *t, const struct word *v)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (word_is(v, refused[i]))
			test_wrong(t, v->off,
			    "`%s' is nothing that an expectation can say",
			    refused[i]);
}

/* Behind these comes a value, whatever it is called. */
static bool
wants_value(const struct word *w)
{
	static const char *const words[] = { "on", "from", "to", "port",
	    "proto", "flags", "tos", "icmp-type", "icmp6-type", "code", "os",
	    "user", "group", "tagged", "received-on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (word_is(w, words[i]))
			return true;
	return false;
}

static void
take_word(struct test *t, struct words *w)
{
	const struct word *v = &w->word[w->at];

	if (word_is(v, "!") && word_is(&w->word[w->at + 1], "tagged"))
		test_wrong(t, v->off, "`! tagged' says nothing here: packets "
		    "have no tag but the one that is told");
	if (v->depth > 0)
		w->at++;
	else if (wants_value(v))
		w->at += w->at + 1 < w->n ? 2 : 1;
	else if (word_is(v, "through"))
		take_through(t, w);
	else if (word_is(v, "by"))
		take_by(t, w);
	else if (word_is(v, "sends"))
		take_sends(t, w);
	else if (word_is(v, "log"))
		take_log(t, w);
	else if (word_is(v, "no"))
		take_no(t, w);
	else if (word_is(v, "keep"))
		take_state(t, w, YES);
	else if (translation_kind(v) >= 0)
		take_translation(t, w, translation_kind(v));
	else {
		refuse(t, v);
		w->at++;
	}
}

void
expect_line(struct test *t, struct words *w)
{
	const struct word *next = &w->word[w->at];

	while (w->at < w->n)
		take_word(t, w);
	if (t->through && (word_is(next, "in") || word_is(next, "out")))
		test_wrong(t, next->off,
		    "`through' says both directions already");
}
