/*
 * What was written: the lines of pf.conf that a rule came from, the elements
 * of its lists that it was made of, and the macros that those came out of.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "trace.h"

/* Which part of a statement a test asks about; PFK_NPARTS: none. */
static const uint8_t part_of_test[] = {
	[PFK_TEST_ONCE] = PFK_PART_ONCE,
	[PFK_TEST_INTERFACE] = PFK_PART_INTERFACE,
	[PFK_TEST_DIRECTION] = PFK_NPARTS,
	[PFK_TEST_RDOMAIN] = PFK_PART_INTERFACE,
	[PFK_TEST_FAMILY] = PFK_NPARTS,
	[PFK_TEST_PROTOCOL] = PFK_PART_PROTOCOL,
	[PFK_TEST_SOURCE] = PFK_PART_SOURCE,
	[PFK_TEST_DESTINATION] = PFK_PART_DESTINATION,
	[PFK_TEST_WHOLE] = PFK_NPARTS,
	[PFK_TEST_FLAGS] = PFK_PART_FLAGS,
	[PFK_TEST_OS] = PFK_PART_OS,
	[PFK_TEST_SOURCE_PORT] = PFK_PART_SOURCE_PORT,
	[PFK_TEST_DESTINATION_PORT] = PFK_PART_DESTINATION_PORT,
	[PFK_TEST_USER] = PFK_PART_USER,
	[PFK_TEST_GROUP] = PFK_PART_GROUP,
	[PFK_TEST_ICMP] = PFK_PART_ICMP,
	[PFK_TEST_QUERY] = PFK_NPARTS,
	[PFK_TEST_FRAGMENT] = PFK_PART_FRAGMENT,
	[PFK_TEST_TOS] = PFK_PART_TOS,
	[PFK_TEST_PROBABILITY] = PFK_PART_PROBABILITY,
	[PFK_TEST_TAG] = PFK_PART_TAGGED,
	[PFK_TEST_RECEIVED_ON] = PFK_PART_RECEIVED_ON,
	[PFK_TEST_PRIO] = PFK_PART_PRIO,
	[PFK_TEST_RATE] = PFK_PART_RATE,
};
_Static_assert(sizeof(part_of_test) == PFK_NTESTS, "a test is missing");

/* The image that knows the rule, and what the packet owes it to. */
static const struct pfk_image *
find(struct trace *t, uint32_t rule, const struct pfk_flow *flow,
    struct pfk_origin *o)
{
	const struct pfk_image *im;
	size_t index;

	if (rule == PFK_RULE_DEFAULT || rule == PFK_RULE_NONE)
		return NULL;
	im = pfk_engine_rule_image(t->engine, rule, &index);
	return origin_of_packet(im, index, flow, o) ? im : NULL;
}

static void
put(void *ctx, const char *text, size_t len)
{
	out_bytes(ctx, text, len);
}

/* Of how many the optimiser made the rule; 0: it did not. */
static unsigned
merged(const struct trace *t, uint32_t rule, const struct pfk_origin *o)
{
	const struct pfk_image *im;
	struct pfk_origins all;
	struct pfk_origin other;
	size_t index;
	unsigned n = 0;

	if (o->how < PFK_ORIGIN_SOURCE)
		return 0;
	im = pfk_engine_rule_image(t->engine, rule, &index);
	pfk_image_origins(im, index, &all);
	while (pfk_image_next_origin(&all, &other))
		n += other.how == o->how;
	return n;
}

static void
say_merged(struct trace *t, uint32_t rule, const struct pfk_origin *o)
{
	unsigned n = merged(t, rule, o);

	if (n == 0)
		return;
	out_printf(t->out, "         | (the optimiser made one rule with a "
	    "table of %u)\n", n);
}

void
written_quote(struct trace *t, uint32_t rule, const struct pfk_flow *flow)
{
	const struct quote_sink sink = { put, t->out, t->colour };
	struct pfk_origin o;
	const struct pfk_image *im = find(t, rule, flow, &o);

	if (im == NULL || !quote_origin(t->quotes, &sink, im, &o,
	    QUOTE_LISTED))
		return;
	say_merged(t, rule, &o);
}

/* ---- one element ---- */

/* Its text, in memory of its own; NULL: not to be had. */
static char *
text_of(struct trace *t, const struct pfk_image *im, const struct pfk_place *p)
{
	size_t len;
	const char *text = quotes_text(t->quotes, im, p->source, &len);
	char *copy;

	if (text == NULL)
		return NULL;
	copy = xcalloc(1, p->len + 1);
	memcpy(copy, text + p->off, p->len);
	return copy;
}

static const struct pfk_element *
element_of_test(const struct pfk_origin *o, enum pfk_explain_test test)
{
	return part_of_test[test] == PFK_NPARTS ? NULL :
	    origin_element_of(o, (enum pfk_part)part_of_test[test]);
}

/* What pf.conf leaves to pfctl, out of the rule's text: flags S/SA. */
static void
wanted_by_text(struct trace *t, uint32_t rule, enum pfk_explain_test test)
{
	struct pfk_rule_info info;
	const char *p = NULL;

	pfk_engine_rule(t->engine, rule, &info);
	if (test == PFK_TEST_FLAGS && (p = strstr(info.text, " flags ")) !=
	    NULL)
		out_printf(t->out, " (wants %.*s)",
		    (int)strcspn(p + 7, " "), p + 7);
	if (test == PFK_TEST_DIRECTION)
		out_printf(t->out, " (wants %s)",
		    strstr(info.text, " out") != NULL ? "out" : "in");
	if (test == PFK_TEST_FAMILY)
		out_printf(t->out, " (wants %s)",
		    strstr(info.text, " inet6") != NULL ? "inet6" : "inet");
}

void
written_test(struct trace *t, uint32_t rule, enum pfk_explain_test test,
    const struct pfk_flow *flow)
{
	struct pfk_origin o;
	const struct pfk_image *im = find(t, rule, flow, &o);
	const struct pfk_element *e;
	struct pfk_macro m;
	char *text;

	if (im == NULL || (e = element_of_test(&o, test)) == NULL ||
	    (text = text_of(t, im, &e->at)) == NULL) {
		wanted_by_text(t, rule, test);
		return;
	}
	if (test == (o.how == PFK_ORIGIN_SOURCE ? PFK_TEST_SOURCE :
	    PFK_TEST_DESTINATION) && merged(t, rule, &o) > 1) {
		out_printf(t->out, " (wants one of %u)", merged(t, rule, &o));
		free(text);
		return;
	}
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	out_printf(t->out, " (wants %s", text);
	if (e->macro != PFK_NO_MACRO) {
		pfk_image_macro(im, e->macro, &m);
		out_printf(t->out, ", from $%s", m.name);
	}
	out_char(t->out, ')');
	free(text);
}

/* ---- for programs ---- */

/* "file":...,"line":...,"column":...,"length":... */
static void
json_place(struct out *out, const struct pfk_image *im,
    const struct pfk_place *p)
{
	struct pfk_source s;

	if (p->source == PFK_NO_SOURCE) {
		out_str(out, "\"file\":null");
		return;
	}
	pfk_image_source(im, p->source, &s);
	out_str(out, "\"file\":");
	out_json_string(out, s.name);
	out_printf(out, ",\"line\":%" PRIu32 ",\"column\":%" PRIu32
	    ",\"end_line\":%" PRIu32 ",\"end_column\":%" PRIu32
	    ",\"offset\":%" PRIu32 ",\"length\":%" PRIu32, p->line, p->column,
	    p->end_line, p->end_column, p->off, p->len);
}

/* The macros that it came out of, the innermost first. */
static void
json_macros(struct out *out, const struct pfk_image *im, uint32_t macro)
{
	const char *between = "";
	struct pfk_macro m;

	out_str(out, ",\"macros\":[");
	for (uint32_t i = macro; i != PFK_NO_MACRO; i = m.outer) {
		pfk_image_macro(im, i, &m);
		out_printf(out, "%s{\"name\":", between);
		out_json_string(out, m.name);
		out_str(out, ",\"used\":{");
		json_place(out, im, &m.use);
		out_str(out, "},\"defined\":{");
		json_place(out, im, &m.def);
		out_str(out, "}}");
		between = ",";
	}
	out_char(out, ']');
}

static void
json_element(struct trace *t, const struct pfk_image *im,
    const struct pfk_element *e)
{
	char *text = text_of(t, im, &e->at);

	json_place(t->out, im, &e->at);
	if (text != NULL) {
		out_str(t->out, ",\"text\":");
		out_json_string(t->out, text);
	}
	if (e->macro != PFK_NO_MACRO)
		json_macros(t->out, im, e->macro);
	if (e->value.source != PFK_NO_SOURCE) {
		out_str(t->out, ",\"value\":{");
		json_place(t->out, im, &e->value);
		out_char(t->out, '}');
	}
	free(text);
}

static void
json_part(struct trace *t, const struct pfk_image *im,
    const struct pfk_element *e)
{
	out_printf(t->out, "{\"part\":\"%s\",\"listed\":%s,",
	    pfk_part_name(e->part), e->listed ? "true" : "false");
	json_element(t, im, e);
	out_char(t->out, '}');
}

void
written_json(struct trace *t, uint32_t rule, const struct pfk_flow *flow)
{
	static const char *const how[] = { "own", "covered", "merged source",
	    "merged destination" };
	struct pfk_origin o;
	const struct pfk_image *im = find(t, rule, flow, &o);

	if (im == NULL)
		return;
	out_printf(t->out, ",\"origin\":{\"how\":\"%s\",\"statement\":{",
	    how[o.how]);
	json_element(t, im, &o.statement);
	out_str(t->out, "},\"elements\":[");
	for (size_t i = 0; i < o.nelements; i++) {
		out_str(t->out, i > 0 ? "," : "");
		json_part(t, im, &o.element[i]);
	}
	out_str(t->out, "]}");
}

void
written_json_test(struct trace *t, uint32_t rule, enum pfk_explain_test test,
    const struct pfk_flow *flow)
{
	struct pfk_origin o;
	const struct pfk_image *im = find(t, rule, flow, &o);
	const struct pfk_element *e;

	if (im == NULL || (e = element_of_test(&o, test)) == NULL)
		return;
	out_str(t->out, ",\"element\":");
	json_part(t, im, e);
}
