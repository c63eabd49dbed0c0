/*
 * What a line adds to its rule, held against what the engine did.
 */
#include <string.h>

#include "../pfkit.h"
#include "../replay/text.h"
#include "exact.h"

bool
rule_is_of_line(const struct run *r, uint32_t rule, const struct wants *want)
{
	struct pfk_rule_info info;
	struct pfk_origins all;
	size_t have, len;
	struct pfk_origin o;

	pfk_image_rule(r->image, rule, &info);
	have = strlen(info.file);
	if (want->line_file != NULL) {
		len = strlen(want->line_file);
		if (have < len || strcmp(info.file + have - len,
		    want->line_file) != 0 || (have > len &&
		    info.file[have - len - 1] != '/'))
			return false;
	}
	if (info.line == want->line)
		return true;
	pfk_image_origins(r->image, rule, &all);
	while (pfk_image_next_origin(&all, &o)) {
		struct pfk_place p;

		element_place(r->image, &o.statement, &p);
		if (want->line >= p.line && want->line <= p.end_line)
			return true;
	}
	return false;
}

static const char *
wrong_rule(const struct run *r, const struct wants *want, uint32_t rule)
{
	struct pfk_rule_info info;

	if (want->label == NULL && want->line == 0)
		return NULL;
	if (rule == PFK_RULE_DEFAULT || rule == PFK_RULE_NONE)
		return "no rule decides";
	pfk_image_rule(r->image, rule, &info);
	if (want->label != NULL && (info.label == NULL ||
	    strcmp(info.label, want->label) != 0))
		return "a rule without that label decides";
	if (want->line != 0 && !rule_is_of_line(r, rule, want))
		return "a rule of another line decides";
	return NULL;
}

static bool
sent(const struct outcome *o, enum sends what)
{
	for (unsigned i = 0; i < o->nreplies; i++)
		if ((o->replies[i] == PFK_REPLY_RST) == (what == SENDS_RST) &&
		    (what == SENDS_RST || o->replies[i] == PFK_REPLY_ICMP ||
		    o->replies[i] == PFK_REPLY_ICMP6))
			return true;
	return false;
}

static const char *
wrong_answer(const struct wants *want, const struct outcome *o)
{
	switch (want->sends) {
	case SENDS_NOTHING:
		return o->nreplies > 0 ? "it is answered" : NULL;
	case SENDS_RST:
		return sent(o, SENDS_RST) ? NULL :
		    "it is not answered with a RST";
	case SENDS_ICMP:
		return sent(o, SENDS_ICMP) ? NULL :
		    "it is not answered with an ICMP error";
	case SENDS_UNSAID:
		break;
	}
	return NULL;
}

/* ---- translation ---- */

/* Without sets: of single addresses. */
static bool
is_address(const struct run *r, const struct test *t, int kind, uint8_t af,
    const uint8_t *addr)
{
	uint8_t have[16], family;

	for (uint32_t i = r->first[TEXT_NAT + kind][t->line]; i != 0;
	    i = r->next[i - 1])
		if (pfk_rule_address(r->wanted, i - 1, (unsigned)kind, &family,
		    have) && family == af && memcmp(have, addr, af == 6 ? 16 :
		    4) == 0)
			return true;
	return false;
}

/* Whether the address is one of those that the line names. */
static bool
is_wanted_address(const struct run *r, const struct test *t, int kind,
    uint8_t af, const uint8_t *addr)
{
	struct pfk_exact_packet p = { .dir = PFK_IN, .af = af, .proto = 17,
	    .prio = 3 };
	bool in = false;
	pfk_set set;

	if (r->exact == NULL)
		return is_address(r, t, kind, af, addr);
	p.ifname = r->nifs > 0 ? r->ifs[0].name : NULL;
	memcpy(kind == NAT ? p.src : p.dst, addr, af == 6 ? 16 : 4);
	for (uint32_t i = r->first[TEXT_NAT + kind][t->line]; i != 0 && !in;
	    i = r->next[i - 1]) {
		set = pfk_set_rule(r->exact->x, WANTED, i - 1);
		in = pfk_set_has(r->exact->x, set, &p);
		pfk_set_free(r->exact->x, set);
	}
	return in;
}

static const char *
wrong_translation(const struct run *r, const struct test *t, int kind,
    const struct outcome *o, struct textbuf *words)
{
	const struct translation *x = &t->want.translation[kind];
	const struct pfk_endpoint *before = kind == NAT ? &o->before.src :
	    &o->before.dst, *after = kind == NAT ? &o->after.src :
	    &o->after.dst;
	char text[ADDR_TEXT];
	uint16_t port = (uint16_t)(after->port << 8 | after->port >> 8);
	bool same = memcmp(before, after, sizeof(*before)) == 0;

	if (x->wanted == UNSAID || (x->wanted == NO && same))
		return NULL;
	if (x->wanted == YES && is_wanted_address(r, t, kind, o->after.af,
	    after->addr) && (x->port[0] == 0 || (port >= x->port[0] &&
	    port <= x->port[1])))
		return NULL;
	textbuf_printf(words, "its %s %s %s", kind == NAT ? "source" :
	    "destination", same ? "stays" : "becomes", addr_text(o->after.af,
	    after->addr, text));
	if (o->after.has_ports && (kind == RDR || x->port[0] != 0))
		textbuf_printf(words, " port %u", port);
	return words->text;
}

const char *
effects_missing(const struct run *r, const struct test *t,
    const struct outcome *o, struct textbuf *words)
{
	const struct wants *want = &t->want;
	const char *wrong;

	if ((wrong = wrong_rule(r, want, o->rule)) != NULL ||
	    (wrong = wrong_answer(want, o)) != NULL)
		return wrong;
	if (want->log != UNSAID && o->logged != (want->log == YES))
		return o->logged ? "it is logged" : "it is not logged";
	if (want->state != UNSAID && (o->state == PFK_STATE_NEW) !=
	    (want->state == YES))
		return o->state == PFK_STATE_NEW ? "it makes a state" :
		    "it makes no state";
	for (int kind = NAT; kind <= RDR; kind++)
		if ((wrong = wrong_translation(r, t, kind, o, words)) != NULL)
			return wrong;
	return NULL;
}
