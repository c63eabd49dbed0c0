/*
 * --through: a connection's first packet all the way, and the answer back.
 *
 *	1  in on the one side	2  out on the other
 *	4  out on the one side	3  in on the other: the answer
 *
 * The engine forwards by its routes, so a crossing more or less is what it
 * says: a packet for the firewall itself ends after the first, its answer
 * begins there.
 */
#include <arpa/inet.h>
#include <string.h>

#include "../pfkit.h"
#include "trace.h"

enum { ICMP = 1, TCP = 6, ICMP6 = 58 };

/* Types that an echo request is answered with. */
static uint8_t
answer_type(const struct packet *k)
{
	if (k->proto == ICMP)
		return k->icmp_type == 8 ? 0 : k->icmp_type;
	return k->icmp_type == 128 ? 129 : k->icmp_type;
}

/* What the other end sends back to what reached it. */
static void
answer(const struct trace *t, const struct packet *first, struct packet *k)
{
	const struct pfk_flow *f = &t->after;

	*k = *first;
	k->af = f->af;
	k->proto = f->proto;
	k->src = f->dst;
	k->dst = f->src;
	k->seq = 5000;
	k->ack = first->seq + 1;
	k->tcp_flags = 0x12;
	if (k->proto == ICMP || k->proto == ICMP6) {
		k->icmp_type = answer_type(first);
		k->src.port = t->icmp_id;
	}
	strncpy(k->ifname, pfk_engine_ifname(t->engine, t->ifid),
	    sizeof(k->ifname) - 1);
}

static void
say(struct trace *t, const char *what)
{
	if (!t->o->json)
		out_printf(t->out, "%s\n", what);
}

/* Where the crossing failed that was decided last. */
static int
failed(struct trace *t, const char *way)
{
	if (!t->o->json)
		out_printf(t->out, "\nthe connection fails: %s, %s on %s\n",
		    way, t->dir == PFK_OUT ? "out" : "in",
		    pfk_engine_ifname(t->engine, t->ifid));
	return 0;
}

int
trace_through(struct trace *t, struct packet *k)
{
	struct packet back;
	bool own;

	own = k->dir == PFK_OUT;
	trace_packet(t, k, own ? PFK_OUT : PFK_FWD, 1);
	if (!t->passed)
		return failed(t, "the first packet");
	if (!own && !t->forwarded && !pfk_engine_is_local(t->engine,
	    t->after.af, t->after.dst.addr)) {
		say(t, "\nthe connection fails: no way leads on");
		t->passed = false;
		return 0;
	}
	answer(t, k, &back);
	say(t, "\nthe answer");
	trace_packet(t, &back, own ? PFK_IN : t->forwarded ? PFK_FWD :
	    PFK_OUT, 2);
	if (!t->passed)
		return failed(t, "the answer");
	say(t, "\nthe connection stands: every crossing passes");
	return 0;
}
