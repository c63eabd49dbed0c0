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

/* The interface that the best route to the address leads out by, or NULL. */
static const char *
way_to(const struct trace *t, uint8_t af, const uint8_t *addr)
{
	size_t n;
	const struct pfk_route *r = pfk_host_routes(t->host, &n);
	const struct pfk_route *best = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned bytes = r[i].prefixlen / 8, left = r[i].prefixlen % 8;

		if (r[i].af != af || r[i].rtable != 0 || r[i].ifname == NULL ||
		    memcmp(r[i].dst, addr, bytes) != 0 || (left > 0 &&
		    (r[i].dst[bytes] ^ addr[bytes]) >> (8 - left) != 0))
			continue;
		if (best == NULL || r[i].prefixlen > best->prefixlen)
			best = &r[i];
	}
	return best != NULL ? best->ifname : NULL;
}

/*
 * af-to: pf sends on what it has made of the packet, and asks no rule about
 * it.  The answer comes back where that went.
 */
static int
through_other_family(struct trace *t, const struct packet *k)
{
	const char *way = way_to(t, t->after.af, t->after.dst.addr);
	struct packet back;

	if (way == NULL) {
		say(t, "\nthe connection fails: no route to where af-to leads");
		t->passed = false;
		return 0;
	}
	if (!t->o->json)
		out_printf(t->out, "\nand then out on %s, which no rule is "
		    "asked about: af-to has made it\n", way);
	answer(t, k, &back);
	back.ifname[0] = '\0';
	strncat(back.ifname, way, sizeof(back.ifname) - 1);
	say(t, "\nthe answer");
	trace_packet(t, &back, PFK_IN, 2);
	if (!t->passed)
		return failed(t, "the answer");
	say(t, "\nthe connection stands: every crossing passes");
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
	if (t->after.af != k->af)
		return through_other_family(t, k);
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
