/*
 * What a line adds to its rule, held against the regions: labels, lines,
 * answers, logs, states, and translation.
 *
 * All but the last are the same for a whole region, or a part of it that is
 * known as a set.  Of a translation it is what the packets become that counts,
 * by every address that a pool may give.
 */
#include <arpa/inet.h>
#include <string.h>

#include "../pfkit.h"
#include "../replay/text.h"
#include "exact.h"

#define SAME_MAX	8	/* packets that keep their addresses */

/* ---- by regions ---- */

/* Those of the set that are not in the sum, or are (`not'). */
static pfk_set
outside(struct decision *d, struct ruled *u, pfk_set set, enum sum_kind kind,
    const struct wants *want, bool not)
{
	pfk_set sum = exact_sum(d->run, u, kind, want);

	return not ? pfk_set_and(d->e->x, set, sum) :
	    pfk_set_minus(d->e->x, set, sum);
}

static pfk_set
answers_broken(struct decision *d, struct ruled *u, pfk_set set,
    const struct wants *want, const char **why)
{
	pfk_set one, other;

	*why = want->sends == SENDS_RST ? "it is not answered with a RST" :
	    want->sends == SENDS_ICMP ?
	    "it is not answered with an ICMP error" : "it is answered";
	if (want->sends != SENDS_NOTHING)
		return outside(d, u, set, want->sends == SENDS_RST ? SUM_RST :
		    SUM_ICMP, want, false);
	one = outside(d, u, set, SUM_RST, want, true);
	other = outside(d, u, set, SUM_ICMP, want, true);
	set_or(d->e, &one, other);
	pfk_set_free(d->e->x, other);
	return one;
}

/* Takes a set without packets back, and says that there are none. */
static bool
is_none(struct decision *d, pfk_set *set)
{
	set_to(d->e, set, exact_as_filled(d->run, *set));
	return *set == PFK_SET_NONE;
}

pfk_set
wanted_broken(struct decision *d, struct ruled *u, pfk_set set,
    const struct wants *want, const char **why)
{
	pfk_set bad = PFK_SET_NONE;

	*why = "a rule without that label decides";
	if (want->label != NULL)
		bad = outside(d, u, set, SUM_LABEL, want, false);
	if (!is_none(d, &bad))
		return bad;
	*why = "a rule of another line decides";
	if (want->line != 0)
		bad = outside(d, u, set, SUM_LINE, want, false);
	if (!is_none(d, &bad))
		return bad;
	if (want->sends != SENDS_UNSAID)
		bad = answers_broken(d, u, set, want, why);
	if (!is_none(d, &bad))
		return bad;
	*why = want->log == YES ? "it is not logged" : "it is logged";
	if (want->log != UNSAID)
		bad = outside(d, u, set, SUM_LOG, want, want->log == NO);
	if (!is_none(d, &bad))
		return bad;
	*why = want->state == YES ? "it makes no state" : "it makes a state";
	if (want->state != UNSAID)
		bad = outside(d, u, set, SUM_STATE, want, want->state == NO);
	(void)is_none(d, &bad);
	return bad;
}

/* ---- translation ---- */

pfk_set
wanted_addresses(struct decision *d, int kind)
{
	const struct translation *x = &d->test->want.translation[kind];
	const struct run *r = d->run;
	pfk_set all = PFK_SET_NONE, one;

	for (uint32_t i = r->first[TEXT_NAT + kind][d->test->line]; i != 0;
	    i = r->next[i - 1]) {
		one = pfk_set_rule(d->e->x, WANTED, i - 1);
		set_or(d->e, &all, one);
		pfk_set_free(d->e->x, one);
	}
	if (x->port[0] != 0) {
		one = pfk_set_ports(d->e->x, (unsigned)kind, x->port[0],
		    x->port[1]);
		set_and(d->e, &all, one);
		pfk_set_free(d->e->x, one);
	}
	return all;
}

void
becomes_words(const struct pfk_exact_packet *p, int kind, const char *verb,
    struct textbuf *b)
{
	char text[ADDR_TEXT];

	textbuf_printf(b, "its %s %s %s", kind == NAT ? "source" :
	    "destination", verb, addr_text(p->af, kind == NAT ? p->src :
	    p->dst, text));
	if (kind == RDR && (p->proto == 6 || p->proto == 17))
		textbuf_printf(b, " port %u", p->dport);
}

/* A region's packets become others than those wanted. */
static bool
becomes_others(struct decision *d, size_t region, pfk_set part, pfk_set wanted,
    int kind)
{
	struct exact *e = d->e;
	pfk_set after = pfk_set_translated(d->ruled->v, region, part), from;
	struct textbuf words = { NULL, 0, 0 };
	struct pfk_exact_packet p;
	bool broken;

	set_minus(e, &after, wanted);
	from = pfk_set_untranslated(d->ruled->v, region, after);
	set_and(e, &from, part);
	set_to(e, &after, exact_as_filled(d->run, after));
	broken = pfk_exact_example(e->x, after, &p);
	if (broken && from == PFK_SET_NONE)
		lost_packets(d);
	if (broken)
		becomes_words(&p, kind, "may become", &words);
	pfk_set_free(e->x, after);
	if (broken)
		(void)broken_by(d, pfk_set_copy(e->x, from), words.text);
	pfk_set_free(e->x, from);
	textbuf_free(&words);
	return broken;
}

/*
 * A region that translates: its packets change, unless one has just the
 * address already.  Those are let out, one address after the other.
 */
static bool
changes(struct decision *d, pfk_set part, int kind)
{
	struct exact *e = d->e;
	pfk_set left = pfk_set_copy(e->x, part), same;
	struct textbuf words = { NULL, 0, 0 };
	bool broken = false, stays = true;
	struct breaker b;
	struct packet k;

	for (int n = 0; n < SAME_MAX && stays && find_breaker(d, d->ruled,
	    left, &b); n++) {
		packet_of_set(&k, &b.p);
		stays = effects_missing(d->run, d->test, probe(d->run, &k,
		    k.dir), &words) == NULL;
		probe_forget(d->run);
		textbuf_free(&words);
		same = pfk_set_network(e->x, (unsigned)kind, b.p.af,
		    kind == NAT ? b.p.src : b.p.dst, b.p.af == 6 ? 128 : 32);
		if (stays)
			set_minus(e, &left, same);
		pfk_set_free(e->x, same);
	}
	if (!stays)
		broken = broken_by(d, pfk_set_copy(e->x, left),
		    "it is translated");
	pfk_set_free(e->x, left);
	return broken;
}

static bool
translation_broken(struct decision *d, pfk_set set, int kind)
{
	enum yes_no wanted = d->test->want.translation[kind].wanted;
	struct exact *e = d->e;
	pfk_set addresses = PFK_SET_NONE;
	bool broken = false;

	if (wanted == YES)
		addresses = wanted_addresses(d, kind);
	for (size_t i = 0; i < d->ruled->n && !broken; i++) {
		const struct pfk_outcome *o = &d->ruled->region[i].outcome;
		pfk_set part = pfk_set_and(e->x, set, d->ruled->region[i].set);

		if (part != PFK_SET_NONE && wanted == YES)
			broken = becomes_others(d, i, part, addresses, kind);
		else if (part != PFK_SET_NONE && (kind == NAT ? o->nat :
		    o->rdr))
			broken = changes(d, part, kind);
		pfk_set_free(e->x, part);
	}
	pfk_set_free(e->x, addresses);
	return broken;
}

bool
wanted_hold(struct decision *d, pfk_set set)
{
	const char *why;
	pfk_set bad = wanted_broken(d, d->ruled, set, &d->test->want, &why);

	if (broken_by(d, bad, why))
		return false;
	for (int kind = NAT; kind <= RDR; kind++)
		if (d->test->want.translation[kind].wanted != UNSAID &&
		    translation_broken(d, set, kind))
			return false;
	return true;
}
