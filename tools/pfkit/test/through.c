/*
 * pass through IN OUT: in on the one side, out on the other, the answer back
 * in there and out here.
 *
 * What passes the first crossing is, region by region, what comes to the
 * second one: translated, with the tag that rules gave it, received where it
 * came in.  Of an address that a pool gives every one counts, and a packet
 * that may get one that does not pass breaks the expectation.  The answers
 * pass by the states: of each two regions that packets go through one packet
 * is tried, and its answer.
 *
 * `block through' holds for packets that one of the two crossings stops.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "exact.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

/* Packets between the crossings. */
struct way {
	struct decision *d;
	size_t		 first;		/* region of the first crossing */
	pfk_set		 before;	/* its packets that are meant */
	const char	*out;
	struct ruled	*ruled;		/* of the second one */
	pfk_set		 set;		/* what comes to it */
	struct wants	 want;		/* what is left to be wanted there */
};

/* ---- through the engine ---- */

static bool
leaves_by(const struct run *r, const struct outcome *o, const char *out)
{
	return strcmp(pfk_engine_ifname(r->engine, o->ifid), out) == 0;
}

/*
 * The engine's two crossings.  If it sends the packet on by itself, and there,
 * that is it; else what the first one left is given to it anew, which has
 * forgotten then what is not in its bytes.  false: that would matter, or there
 * is something that it was never told.
 */
static bool
cross(struct way *w, const struct packet *k, struct outcome *first,
    struct outcome *second)
{
	struct decision *d = w->d;
	struct run *r = d->run;
	bool there, told = !d->asks && (d->ruled == NULL ||
	    d->ruled->tag == NULL);

	*first = *probe(r, k, PFK_FWD);
	*second = r->second;
	there = r->sent_on && leaves_by(r, second, w->out);
	if (there || !outcome_passes(first))
		return told;
	probe_forget(r);
	*first = *probe(r, k, PFK_IN);
	if (r->sent_on || !outcome_passes(first))
		return false;
	*second = *probe_ip(r, first, w->out, PFK_OUT);
	return told && (d->e == NULL || !d->e->beyond);
}

/* What the other end sends back; false: nothing that is known here. */
static bool
answer(const struct outcome *out, const struct packet *k, struct packet *a)
{
	const struct pfk_flow *f = &out->after;

	*a = *k;
	a->dir = PFK_IN;
	a->af = f->af;
	a->proto = f->proto;
	a->src = f->dst;
	a->dst = f->src;
	a->seq = 5000;
	a->ack = out->seq + 1;
	a->tcp_flags = 0x12;
	if (k->proto == ICMP || k->proto == ICMP6) {
		a->icmp_type = a->proto == ICMP ? 0 : 129;
		a->src.port = out->icmp_id;
		return k->icmp_type == (k->proto == ICMP ? 8 : 128);
	}
	return k->proto == UDP || (k->proto == TCP && k->tcp_flags == 0x02);
}

static bool
fails(struct decision *d, const struct packet *k, const struct outcome *o,
    const char *where, const char *what)
{
	struct textbuf b = { NULL, 0, 0 };

	textbuf_printf(&b, "%s: %s", where, what);
	failure(d->run, d->test, k, o, b.text);
	textbuf_free(&b);
	return false;
}

static bool
answers_pass(struct way *w, const struct packet *k,
    const struct outcome *second)
{
	struct decision *d = w->d;
	struct packet a;
	struct outcome first;
	const struct outcome *o;

	if (!answer(second, k, &a))
		return true;
	strncpy(a.ifname, w->out, sizeof(a.ifname) - 1);
	o = probe(d->run, &a, PFK_IN);
	if (!outcome_passes(o))
		return fails(d, k, o, "the answer, coming in",
		    "it does not pass");
	first = *o;
	if (!d->run->sent_on)
		o = probe_ip(d->run, &first, k->ifname, PFK_OUT);
	else
		o = &d->run->second;
	if (!outcome_passes(o))
		return fails(d, k, o, "the answer, going out",
		    "it does not pass");
	return true;
}

/* Both crossings as one: what was changed by either. */
static void
join(struct outcome *all, const struct outcome *first,
    const struct outcome *second)
{
	*all = *second;
	all->before = first->before;
	all->logged |= first->logged;
	if (first->state != PFK_STATE_NEW)
		all->state = first->state;
}

void
through_one(struct decision *d, const char *out, const struct packet *k)
{
	struct way w = { .d = d, .out = out };
	struct textbuf words = { NULL, 0, 0 };
	struct outcome first, second, all;
	const char *wrong, *where = "coming in";

	(void)cross(&w, k, &first, &second);
	if (!outcome_passes(&first)) {
		all = second = first;
	} else {
		where = d->test->kind == TEST_PASS ? "going out" :
		    "all the way";
		join(&all, &first, &second);
	}
	wrong = verdict_wrong(d->test, &second);
	if (wrong == NULL && (wrong = effects_missing(d->run, d->test, &all,
	    &words)) != NULL && outcome_passes(&first))
		where = "all the way";
	if (wrong != NULL)
		(void)fails(d, k, &second, where, wrong);
	else if (d->test->kind == TEST_PASS)
		(void)answers_pass(&w, k, &second);
	probe_forget(d->run);
	textbuf_free(&words);
}

/* ---- what breaks it ---- */

/* What goes out differs from what came in: to be told, if it matters. */
static void
tell_change(const struct pfk_exact_packet *in,
    const struct pfk_exact_packet *out, struct textbuf *b)
{
	bool any = false;

	for (int kind = NAT; kind <= RDR; kind++) {
		const uint8_t *a = kind == NAT ? in->src : in->dst;
		const uint8_t *z = kind == NAT ? out->src : out->dst;

		if (in->af == out->af && memcmp(a, z, 16) == 0)
			continue;
		textbuf_str(b, any ? ", and " : ", if ");
		any = true;
		becomes_words(out, kind, "becomes", b);
	}
}

/*
 * A packet that the analysis has found: what the engine does with it is told,
 * if the engine takes the same way; pools may give it another address.
 */
static void
tell_broken(struct way *w, const struct pfk_exact_packet *in, pfk_set bad,
    struct breaker *out, const char *where, const char *why)
{
	struct decision *d = w->d;
	struct outcome first, second, all;
	struct textbuf b = { NULL, 0, 0 }, words = { NULL, 0, 0 };
	const char *seen = NULL;
	struct packet k;
	bool known;

	packet_of_set(&k, in);
	known = cross(w, &k, &first, &second);
	probe_forget(d->run);
	join(&all, &first, &second);
	if (known && outcome_passes(&first) &&
	    (seen = verdict_wrong(d->test, &second)) == NULL)
		seen = effects_missing(d->run, d->test, &all, &words);
	if (seen == NULL) {
		textbuf_str(&b, why);
		tell_change(in, &out->p, &b);
		if (breaker_region(d, w->ruled, bad, out) < w->ruled->n)
			outcome_of(w->ruled, out->region, &second);
		seen = b.text;
	}
	(void)fails(d, &k, &second, where, seen);
	textbuf_free(&b);
	textbuf_free(&words);
}

/* What comes in and may be one of the set, with these addresses, there. */
static pfk_set
came_from(struct way *w, pfk_set set, const struct pfk_exact_packet *p)
{
	struct exact *e = w->d->e;
	unsigned bits = p->af == 6 ? 128 : 32;
	pfk_set back = pfk_set_copy(e->x, set), one;

	for (unsigned side = 0; side < 2; side++) {
		one = pfk_set_network(e->x, side, p->af, side == 0 ? p->src :
		    p->dst, bits);
		set_and(e, &back, one);
		pfk_set_free(e->x, one);
	}
	set_to(e, &back, pfk_set_unforwarded(e->x, back));
	set_to(e, &back, pfk_set_untranslated(w->d->ruled->v, w->first,
	    back));
	set_and(e, &back, w->before);
	set_to(e, &back, pfk_set_possible(e->x, back));
	return back;
}

/* If one of the set (taken) comes to the second crossing, it fails. */
static bool
breaks(struct way *w, pfk_set bad, const char *where, const char *why)
{
	struct decision *d = w->d;
	struct exact *e = d->e;
	struct textbuf b = { NULL, 0, 0 };
	struct pfk_exact_packet in;
	struct breaker out;
	bool broken;
	pfk_set back;

	set_to(e, &bad, exact_as_filled(d->run, bad));
	broken = bad != PFK_SET_NONE && find_breaker(d, w->ruled, bad, &out);
	if (!broken) {
		pfk_set_free(e->x, bad);
		return false;
	}
	back = came_from(w, bad, &out.p);
	broken = pfk_exact_example(e->x, back, &in);
	pfk_set_free(e->x, back);
	if (broken && out.rests) {
		textbuf_printf(&b, "%s: ", where);
		fails_perhaps(d, w->ruled, bad, &out, &in, b.text);
	} else if (broken)
		tell_broken(w, &in, bad, &out, where, why);
	else
		lost_packets(d);
	pfk_set_free(e->x, bad);
	textbuf_free(&b);
	return true;
}

/* ---- the second crossing ---- */

/* Of the set those that the host routes there, if there are any. */
static pfk_set
routed_there(struct way *w, pfk_set set)
{
	struct exact *e = w->d->e;
	pfk_set there = pfk_set_routed(e->x, RULES, 1, w->out);

	set_and(e, &there, set);
	if (there == PFK_SET_NONE)
		set_to(e, &there, pfk_set_copy(e->x, set));
	return there;
}

/* Of the two regions one packet, and its answer. */
static bool
try_one(struct way *w, pfk_set all, size_t region)
{
	struct decision *d = w->d;
	struct pfk_exact_packet p;
	struct outcome first, second;
	struct packet k;
	pfk_set part = routed_there(w, all);
	pfk_set back = pfk_set_unforwarded(d->e->x, part);
	bool good = true, found;

	pfk_set_free(d->e->x, part);
	set_to(d->e, &back, pfk_set_untranslated(d->ruled->v, w->first, back));
	set_and(d->e, &back, w->before);
	found = pfk_exact_example(d->e->x, back, &p);
	pfk_set_free(d->e->x, back);
	if (!found)
		return true;
	packet_of_set(&k, &p);
	if (cross(w, &k, &first, &second) && outcome_passes(&first)) {
		if (!outcome_passes(&second) && second.verdict != PFK_DROP &&
		    w->ruled->region[region].outcome.rule == second.rule) {
			contradiction(d, &k, &second);
			good = false;
		} else if (outcome_passes(&second) &&
		    d->test->kind == TEST_PASS)
			good = answers_pass(w, &k, &second);
	}
	probe_forget(d->run);
	return good;
}

/* The whole way of one region's packets that pass here, and then there. */
static bool
translated_as_wanted(struct way *w, size_t region, pfk_set part)
{
	struct decision *d = w->d;
	struct exact *e = d->e;
	const struct pfk_outcome *a = &d->ruled->region[w->first].outcome;
	const struct pfk_outcome *b = &w->ruled->region[region].outcome;

	for (int kind = NAT; kind <= RDR; kind++) {
		enum yes_no wanted = d->test->want.translation[kind].wanted;
		bool changes = kind == NAT ? a->nat || b->nat :
		    a->rdr || b->rdr;
		struct textbuf words = { NULL, 0, 0 };
		struct pfk_exact_packet p;
		pfk_set bad, from;
		bool broken = false;

		if (wanted == UNSAID || (wanted == NO && !changes))
			continue;
		bad = pfk_set_translated(w->ruled->v, region, part);
		from = wanted == YES ? wanted_addresses(d, kind) :
		    PFK_SET_NONE;
		set_minus(e, &bad, from);
		pfk_set_free(e->x, from);
		from = pfk_set_untranslated(w->ruled->v, region, bad);
		set_and(e, &from, part);
		if (pfk_exact_example(e->x, bad, &p)) {
			becomes_words(&p, kind, "may become", &words);
			broken = breaks(w, pfk_set_copy(e->x, from),
			    "all the way", words.text);
		}
		textbuf_free(&words);
		pfk_set_free(e->x, bad);
		pfk_set_free(e->x, from);
		if (broken)
			return false;
	}
	return true;
}

/* What the first crossing has done already is not wanted any more. */
static void
wants_left(struct way *w)
{
	const struct pfk_outcome *o = &w->d->ruled->region[w->first].outcome;

	w->want = w->d->test->want;
	if (w->want.log == YES && o->log)
		w->want.log = UNSAID;
	if (w->want.state == NO && !o->state)
		w->want.state = UNSAID;
}

/* What the first one has done that was not wanted of both. */
static const char *
spoilt(const struct way *w)
{
	const struct pfk_outcome *o = &w->d->ruled->region[w->first].outcome;

	if (w->want.log == NO && o->log)
		return "it is logged";
	return w->want.state == YES && !o->state ? "it makes no state" : NULL;
}

static bool
each_region(struct way *w, pfk_set set)
{
	struct exact *e = w->d->e;
	bool good = true;

	for (size_t i = 0; i < w->ruled->n && good; i++) {
		pfk_set part = pfk_set_and(e->x, set, w->ruled->region[i].set);

		if (part != PFK_SET_NONE)
			good = translated_as_wanted(w, i, part) &&
			    try_one(w, part, i);
		pfk_set_free(e->x, part);
	}
	return good;
}

/* What comes to the second crossing, and what it does. */
static bool
second_crossing(struct way *w)
{
	struct exact *e = w->d->e;
	pfk_set passed = pfk_verdicts_passed(w->ruled->v);
	const char *why = NULL;
	pfk_set bad;
	bool pass = w->d->test->kind == TEST_PASS, good;

	if (pass ? breaks(w, pfk_set_minus(e->x, w->set, passed), "going out",
	    "this packet is blocked") : breaks(w, pfk_set_and(e->x, w->set,
	    passed), "all the way", "this packet passes"))
		return false;
	wants_left(w);
	if (pass && (why = spoilt(w)) != NULL)
		return !breaks(w, pfk_set_copy(e->x, w->set), "all the way",
		    why);
	bad = wanted_broken(w->d, w->ruled, w->set, &w->want, &why);
	if (breaks(w, bad, "all the way", why))
		return false;
	bad = pfk_set_copy(e->x, w->set);
	good = !pass || each_region(w, bad);
	pfk_set_free(e->x, bad);
	return good;
}

/* ---- the first crossing ---- */

static bool
goes_elsewhere(struct way *w, bool reply, const char *name)
{
	enum pfk_route_way way = pfk_verdicts_route(w->d->ruled->v, w->first,
	    reply, name);
	struct textbuf b = { NULL, 0, 0 };
	bool broken;

	if (way == PFK_ROUTE_HOST || way == PFK_ROUTE_THERE)
		return false;
	textbuf_printf(&b, "%s %s it%s out on another interface than %s",
	    reply ? "reply-to" : "route-to", way == PFK_ROUTE_SOMETIMES ?
	    "may send" : "sends", reply ? "s answer" : "", name);
	broken = broken_by(w->d, pfk_set_copy(w->d->e->x, w->before), b.text);
	textbuf_free(&b);
	return broken;
}

/* Answers go back to where the packet came in. */
static bool
answers_go_elsewhere(struct way *w)
{
	struct run *r = w->d->run;
	struct exact *e = w->d->e;
	bool broken = false;

	for (size_t i = 0; i < r->nifs && !broken; i++) {
		pfk_set on = pfk_set_interface(e->x, RULES, r->ifs[i].name);

		broken = pfk_set_meets(e->x, w->before, on) &&
		    goes_elsewhere(w, true, r->ifs[i].name);
		pfk_set_free(e->x, on);
	}
	return broken;
}

/* One region's packets, out on one interface. */
static bool
go_on(struct way *w)
{
	struct decision *d = w->d;
	struct exact *e = d->e;
	pfk_set after;
	bool good;

	if (d->test->kind == TEST_PASS && (goes_elsewhere(w, false, w->out) ||
	    answers_go_elsewhere(w)))
		return false;
	after = pfk_set_translated(d->ruled->v, w->first, w->before);
	w->set = pfk_set_forwarded(e->x, RULES, after, w->out);
	pfk_set_free(e->x, after);
	w->ruled = exact_ruled(d->run,
	    d->ruled->region[w->first].outcome.tag, w->set);
	good = w->ruled != NULL && second_crossing(w);
	pfk_set_free(e->x, w->set);
	return good;
}

static bool
each_interface(struct decision *d, size_t first, pfk_set before,
    const bool *out)
{
	struct way w = { .d = d, .first = first, .before = before };

	for (size_t i = 0; i < d->run->nifs; i++) {
		w.out = d->run->ifs[i].name;
		if (out[i] && !go_on(&w))
			return false;
	}
	return true;
}

/* Where it goes out, of the host's interfaces; whether there is any. */
static bool
find_out(struct decision *d, bool *out)
{
	struct run *r = d->run;
	struct exact *e = d->e;
	bool any = false;

	for (uint32_t i = r->first[TEXT_SECOND][d->test->line]; i != 0;
	    i = r->next[i - 1]) {
		const char *tag;
		pfk_set set = pfk_set_rule_tagged(e->x, WANTED, i - 1, &tag);
		pfk_set on;

		for (size_t k = 0; k < r->nifs; k++) {
			on = pfk_set_interface(e->x, RULES, r->ifs[k].name);
			out[k] |= pfk_set_meets(e->x, set, on);
			any |= out[k];
			pfk_set_free(e->x, on);
		}
		pfk_set_free(e->x, set);
	}
	if (!any)
		test_wrong(d->test, d->test->out_if.off,
		    "this could not fail: the host has no such interface");
	return any;
}

/* What the first crossing stops. */
static bool
stopped_as_wanted(struct decision *d)
{
	pfk_set passed = pfk_verdicts_passed(d->ruled->v);
	pfk_set stopped = pfk_set_minus(d->e->x, d->set, passed);
	const char *why;
	bool good = false;

	set_to(d->e, &stopped, exact_as_filled(d->run, stopped));
	if (d->test->kind == TEST_PASS)
		(void)broken_by(d, pfk_set_copy(d->e->x, stopped),
		    "this packet is blocked");
	else
		(void)broken_by(d, wanted_broken(d, d->ruled, stopped,
		    &d->test->want, &why), why);
	good = d->test->status == TEST_WAITS;
	pfk_set_free(d->e->x, stopped);
	return good;
}

static void
first_crossing(struct decision *d, const bool *out)
{
	struct exact *e = d->e;
	bool good = stopped_as_wanted(d);

	for (size_t i = 0; i < d->ruled->n && good; i++) {
		pfk_set part;

		if (!d->ruled->region[i].outcome.pass)
			continue;
		part = pfk_set_and(e->x, d->set, d->ruled->region[i].set);
		set_to(e, &part, exact_as_filled(d->run, part));
		if (part != PFK_SET_NONE)
			good = each_interface(d, i, part, out);
		pfk_set_free(e->x, part);
	}
}

void
through(struct decision *d)
{
	bool *out = xcalloc(d->run->nifs + 1, sizeof(*out));

	if (find_out(d, out))
		first_crossing(d, out);
	free(out);
}
