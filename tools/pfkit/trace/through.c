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

enum { ICMP = 1, ICMP6 = 58 };
enum { FLAG_S = 0x02, FLAGS_A = 0x10, FLAGS_SA = 0x12 };
#define SERVER_SEQ	5000	/* what the other end begins with */

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
	k->seq = SERVER_SEQ;
	k->ack = t->segment.seq + 1;
	k->tcp_flags = FLAGS_SA;
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

static int
stands(struct trace *t, const char *why)
{
	if (t->o->json)
		out_str(t->out, "{\"connection\":\"stands\"}\n");
	else
		out_printf(t->out, "\nthe connection stands: %s\n", why);
	return 0;
}

/* Between the crossings. */
static int
ends(struct trace *t, const char *why)
{
	t->passed = false;
	if (t->o->json)
		out_printf(t->out, "{\"connection\":\"fails\",\"why\":"
		    "\"%s\"}\n", why);
	else
		out_printf(t->out, "\nthe connection fails: %s\n", why);
	return 0;
}

/* In the crossing that was decided last. */
static int
failed(struct trace *t, const char *way)
{
	const char *dir = t->dir == PFK_OUT ? "out" : "in";
	const char *ifname = pfk_engine_ifname(t->engine, t->ifid);

	if (!t->o->json) {
		out_printf(t->out, "\nthe connection fails: %s, %s on %s\n",
		    way, dir, ifname);
		return 0;
	}
	out_printf(t->out, "{\"connection\":\"fails\",\"crossing\":\"%s\","
	    "\"direction\":\"%s\",\"interface\":", way, dir);
	out_json_string(t->out, ifname);
	out_str(t->out, "}\n");
	return 0;
}

/* The interface that the best route to the address leads out by, or NULL. */
static const char *
way_to(struct trace *t, uint8_t af, const uint8_t *addr)
{
	size_t n;
	const struct pfk_route *r = trace_routes(t, &n);
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

static void
tell_made(struct trace *t, const char *way)
{
	if (!t->o->json) {
		out_printf(t->out, "\nand then out on %s, which no rule is "
		    "asked about: af-to has made it\n", way);
		return;
	}
	out_str(t->out, "{\"direction\":\"out\",\"interface\":");
	out_json_string(t->out, way);
	out_str(t->out, ",\"asked\":false}\n");
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

	if (way == NULL)
		return ends(t, "no route to where af-to leads");
	tell_made(t, way);
	answer(t, k, &back);
	back.ifname[0] = '\0';
	strncat(back.ifname, way, sizeof(back.ifname) - 1);
	say(t, "\nthe answer");
	trace_packet(t, &back, PFK_IN, 2);
	if (!t->passed)
		return failed(t, "the answer");
	return stands(t, "every crossing passes");
}

/* Who sent the first packet takes pf for the other end. */
static void
answer_client(struct trace *t, const struct packet *first)
{
	struct packet k = *first;

	say(t, "\npf itself answers, in the place of the other end; and that "
	    "is answered");
	k.seq = t->proxy.ack;
	k.ack = t->proxy.seq + 1;
	k.tcp_flags = FLAGS_A;
	trace_packet(t, &k, k.dir == PFK_OUT ? PFK_OUT : PFK_FWD, 2);
}

/* pf's first packet to the other end, which is on this machine. */
static void
answer_here(struct trace *t, const struct packet *first)
{
	struct packet k = *first;

	say(t, "\npf itself begins with the other end; and that answers");
	k.af = t->proxy.af;
	k.src = t->proxy.dst;
	k.dst = t->proxy.src;
	k.seq = SERVER_SEQ;
	k.ack = t->proxy.seq + 1;
	k.tcp_flags = FLAGS_SA;
	trace_packet(t, &k, PFK_OUT, 4);
}

/* One elsewhere gets it as any packet that goes out. */
static void
answer_there(struct trace *t, const struct packet *first, const char *way)
{
	struct packet k = *first, back;

	say(t, "\npf itself begins with the other end");
	k.af = t->proxy.af;
	k.src = t->proxy.src;
	k.dst = t->proxy.dst;
	k.seq = t->proxy.seq;
	k.tcp_flags = FLAG_S;
	k.ifname[0] = '\0';
	strncat(k.ifname, way, sizeof(k.ifname) - 1);
	trace_packet(t, &k, PFK_OUT, 3);
	if (!t->passed)
		return;
	answer(t, &k, &back);
	say(t, "\nthe answer");
	trace_packet(t, &back, PFK_FWD, 4);
}

/* synproxy, and SYN cookies: pf shakes hands with one side, then the other. */
static int
through_proxy(struct trace *t, const struct packet *k)
{
	const char *way;

	while (t->proxied && t->proxy.af != 0) {
		t->passed = true;
		way = way_to(t, t->proxy.af, t->proxy.dst.addr);
		if (t->proxy.flags != FLAG_S)
			answer_client(t, k);
		else if (pfk_engine_is_local(t->engine, t->proxy.af,
		    t->proxy.dst.addr))
			answer_here(t, k);
		else if (way != NULL)
			answer_there(t, k, way);
		else
			return ends(t, "no way leads on");
	}
	t->passed |= t->proxied;
	if (!t->passed)
		return failed(t, "the handshake");
	return stands(t, "pf has shaken hands with both ends");
}

int
trace_through(struct trace *t, struct packet *k)
{
	struct packet back;
	bool own;

	own = k->dir == PFK_OUT;
	trace_packet(t, k, own ? PFK_OUT : PFK_FWD, 1);
	if (t->proxied && t->proxy.af != 0)
		return through_proxy(t, k);
	if (!t->passed)
		return failed(t, "the first packet");
	if (t->after.af != k->af)
		return through_other_family(t, k);
	if (!own && !t->forwarded && !pfk_engine_is_local(t->engine,
	    t->after.af, t->after.dst.addr))
		return ends(t, "no way leads on");
	answer(t, k, &back);
	say(t, "\nthe answer");
	trace_packet(t, &back, own ? PFK_IN : t->forwarded ? PFK_FWD :
	    PFK_OUT, 2);
	if (!t->passed)
		return failed(t, "the answer");
	return stands(t, "every crossing passes");
}
