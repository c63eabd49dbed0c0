/*
 * pass through IN OUT: in on the one side, out on the other, the answer back
 * in there and out here.
 *
 * A cell that passes the first crossing is cut anew by the rules of the second
 * one.  What the first one translated is one value there; everything else is
 * what it was.  The answers pass by the states; of each cell one is tried.
 *
 * `block through' holds for packets that one of the two crossings stops.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "decide.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

bool
through_start(struct decision *d)
{
	struct run *r = d->run;
	uint32_t line = d->test->line;
	bool any = false;

	d->out = xcalloc(r->rules.nifs + 1, sizeof(bool));
	for (uint32_t i = r->first[TEXT_SECOND][line]; i != 0;
	    i = r->next[i - 1]) {
		const struct rule_tests *w = r->wants.rules[i - 1];

		for (size_t k = 0; k < r->rules.nifs && !w->never; k++)
			if (w->ifaces == NULL || w->ifaces[k])
				any = d->out[k] = true;
	}
	if (!any)
		test_wrong(d->test, d->test->out_if.off,
		    "this could not fail: the host has no such interface");
	return any;
}

/* ---- the second crossing ---- */

static void
fix(struct cell *c, enum dim dim, struct num n)
{
	c->set |= (uint8_t)(1u << dim);
	c->fixed[dim] = n;
}

/* What the first crossing has changed is the same for all packets. */
static void
fix_translated(struct cell *c, const struct outcome *o)
{
	const struct pfk_flow *a = &o->before, *b = &o->after;

	if (memcmp(a->src.addr, b->src.addr, 16) != 0)
		fix(c, DIM_SRC, num_address(b->af, b->src.addr));
	if (memcmp(a->dst.addr, b->dst.addr, 16) != 0)
		fix(c, DIM_DST, num_address(b->af, b->dst.addr));
	if (!a->has_ports)
		return;
	if (a->src.port != b->src.port)
		fix(c, DIM_SPORT, num_of(ntohs(b->src.port)));
	if (a->dst.port != b->dst.port)
		fix(c, DIM_DPORT, num_of(ntohs(b->dst.port)));
}

/* What the other end sends back; false: nothing that is known here. */
static bool
answer(const struct outcome *out, const struct packet *k, struct packet *a)
{
	const struct pfk_flow *f = &out->after;

	*a = *k;
	a->dir = PFK_IN;
	a->af = f->af;
	a->src = f->dst;
	a->dst = f->src;
	a->seq = 5000;
	a->ack = k->seq + 1;
	a->tcp_flags = 0x12;
	if (k->proto == ICMP || k->proto == ICMP6) {
		a->icmp_type = k->icmp_type == 8 ? 0 : 129;
		a->src.port = out->icmp_id;
		return k->icmp_type == (k->proto == ICMP ? 8 : 128);
	}
	return k->proto == UDP || (k->proto == TCP && k->tcp_flags == 0x02);
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
answers_pass(struct decision *d, const struct packet *k,
    const struct outcome *second)
{
	struct packet a;
	struct outcome first;
	const struct outcome *o;

	if (!answer(second, k, &a))
		return true;
	strncpy(a.ifname, pfk_engine_ifname(d->run->engine, second->ifid),
	    sizeof(a.ifname) - 1);
	o = probe(d->run, &a, PFK_IN);
	if (!outcome_passes(o))
		return fails(d, k, o, "the answer, coming in",
		    "it does not pass");
	first = *o;
	o = probe_ip(d->run, &first, k->ifname, PFK_OUT);
	if (!outcome_passes(o))
		return fails(d, k, o, "the answer, going out",
		    "it does not pass");
	return true;
}

static bool
both(struct decision *d, const struct packet *k, const struct cell *c)
{
	struct textbuf words = { NULL, 0, 0 };
	struct outcome first, second, all;
	const char *wrong;
	bool good;

	first = *probe(d->run, k, PFK_IN);
	second = *probe_ip(d->run, &first, d->run->rules.ifs[c->iface].name,
	    PFK_OUT);
	wrong = verdict_wrong(d->test, &second);
	if (wrong != NULL)
		return fails(d, k, &second, d->test->kind == TEST_PASS ?
		    "going out" : "all the way", wrong);
	join(&all, &first, &second);
	wrong = effects_missing(d->run, d->test, &all, &words);
	good = wrong == NULL;
	if (!good)
		(void)fails(d, k, &second, "all the way", wrong);
	else if (d->test->kind == TEST_PASS)
		good = answers_pass(d, k, &second);
	textbuf_free(&words);
	return good;
}

static bool
visit_second(void *ctx, const struct cell *c)
{
	struct decision *d = ctx;
	struct packet k;
	bool good;

	cell_packet(&d->run->rules, c, &k);
	k.dir = PFK_IN;
	strcpy(k.ifname, d->in_if);
	good = both(d, &k, c);
	probe_forget(d->run);
	return good;
}

bool
through(struct decision *d, const struct cell *c, const struct packet *k)
{
	const struct outcome o = d->run->outcome;
	struct textbuf words = { NULL, 0, 0 };
	struct cell next = *c;
	const char *wrong;

	if (!outcome_passes(&o)) {
		wrong = verdict_wrong(d->test, &o);
		if (wrong == NULL)
			wrong = effects_missing(d->run, d->test, &o, &words);
		if (wrong != NULL)
			(void)fails(d, k, &o, "coming in", wrong);
		textbuf_free(&words);
		return wrong == NULL;
	}
	if (o.after.af != c->af)
		return fails(d, k, &o, "all the way",
		    "not decided: af-to makes it one of the other family");
	d->in_if = k->ifname;
	next.dir = PFK_OUT;
	next.second = true;
	fix_translated(&next, &o);
	for (size_t i = 0; i < d->run->rules.nifs; i++) {
		next.iface = (uint16_t)i;
		if (d->out[i] && !decide_cells(d, &next, visit_second))
			return false;
	}
	return true;
}
