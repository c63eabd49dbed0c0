/*
 * --states: the state table as pfctl -vvss prints it.
 *
 * The first line names the addresses from the inside out: the packet's own
 * ones as seen on the wire's side, in parentheses what they are on the other
 * side of a translation, in braces a gateway.  Which of a state's two keys is
 * which depends on its direction; ICMP's port that is a type, not an id, is
 * the same on both sides.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "replay.h"
#include "text.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };
enum { TCP_TIME_WAIT = 10, PROXY_SRC = 11, PROXY_DST = 12 };
#define WSCALE_MASK	0x0f

static const char *const tcp_names[] = { "CLOSED", "LISTEN", "SYN_SENT",
    "SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "CLOSING",
    "LAST_ACK", "FIN_WAIT_2", "TIME_WAIT" };
static const char *const other_names[] = { "NO_TRAFFIC", "SINGLE",
    "MULTIPLE" };

static void
out_host(struct out *out, const struct pfk_key *k, int i)
{
	if (k->rdomain != 0)
		out_printf(out, "(%u) ", k->rdomain);
	out_endpoint(out, k->af, &k->addr[i], k->addr[i].port != 0);
}

static bool
same_end(const struct pfk_key *a, const struct pfk_key *b, int i)
{
	return a->af == b->af && a->rdomain == b->rdomain &&
	    a->addr[i].port == b->addr[i].port &&
	    memcmp(a->addr[i].addr, b->addr[i].addr, a->af == 4 ? 4 : 16) == 0;
}

/* An end of the new key, and of the old one if that differs. */
static void
out_end(struct out *out, const struct pfk_key *new, const struct pfk_key *old,
    int i)
{
	int other = new->af == old->af ? i : 1 - i;

	out_host(out, new, i);
	if (same_end(new, old, i))
		return;
	out_str(out, " (");
	out_host(out, old, other);
	out_char(out, ')');
}

static void
out_gateway(struct out *out, const struct pfk_state *s, uint8_t af)
{
	if (s->rt == 0)
		return;
	out_str(out, " {");
	out_addr(out, af, s->rt_addr.addr);
	out_char(out, '}');
}

static void
out_ends(struct out *out, const struct pfk_state *s)
{
	bool outgoing = s->dir == PFK_OUT;
	struct pfk_key old = outgoing ? s->stack : s->wire;
	const struct pfk_key *new = outgoing ? &s->wire : &s->stack;
	int type = outgoing ? 0 : 1;

	if (s->proto == PROTO_ICMP || s->proto == PROTO_ICMP6)
		old.addr[type].port = new->addr[type].port;
	out_end(out, new, &old, 1);
	if (!outgoing)
		out_gateway(out, s, new->af);
	out_str(out, outgoing || new->af != old.af ? " -> " : " <- ");
	out_end(out, new, &old, 0);
	if (outgoing)
		out_gateway(out, s, new->af);
}

static void
out_levels(struct out *out, const struct pfk_state *s,
    const struct pfk_peer *a, const struct pfk_peer *b)
{
	bool icmp = s->proto == PROTO_ICMP || s->proto == PROTO_ICMP6;

	out_str(out, "       ");
	if (s->proto == PROTO_TCP && a->state <= TCP_TIME_WAIT &&
	    b->state <= TCP_TIME_WAIT)
		out_printf(out, "%s:%s\n", tcp_names[a->state],
		    tcp_names[b->state]);
	else if (s->proto == PROTO_TCP &&
	    (a->state == PROXY_SRC || b->state == PROXY_SRC))
		out_str(out, "PROXY:SRC\n");
	else if (s->proto == PROTO_TCP &&
	    (a->state == PROXY_DST || b->state == PROXY_DST))
		out_str(out, "PROXY:DST\n");
	else if (s->proto == PROTO_TCP)
		out_printf(out, "<BAD STATE LEVELS %u:%u>\n", a->state,
		    b->state);
	else if (!icmp && a->state < 3 && b->state < 3)
		out_printf(out, "%s:%s\n", other_names[a->state],
		    other_names[b->state]);
	else
		out_printf(out, "%u:%u\n", a->state, b->state);
}

static void
out_window(struct out *out, const struct pfk_peer *p, bool scaled)
{
	out_printf(out, "[%" PRIu32 " + %" PRIu32 "]", p->seqlo,
	    p->seqhi - p->seqlo);
	if (p->seqdiff != 0)
		out_printf(out, "(+%" PRIu32 ")", p->seqdiff);
	if (scaled)
		out_printf(out, " wscale %u", p->wscale & WSCALE_MASK);
}

static void
out_windows(struct out *out, const struct pfk_peer *a,
    const struct pfk_peer *b)
{
	bool scaled = a->wscale != 0 && b->wscale != 0;

	out_str(out, "   ");
	out_window(out, a, scaled);
	out_str(out, "  ");
	out_window(out, b, scaled);
	out_char(out, '\n');
}

static void
out_clock(struct out *out, uint32_t s)
{
	out_printf(out, "%.2" PRIu32 ":%.2" PRIu32 ":%.2" PRIu32, s / 3600,
	    s / 60 % 60, s % 60);
}

static void
out_number_of(struct out *out, const struct pfk_engine *e, const char *what,
    uint32_t rule)
{
	struct pfk_rule_info info;

	if (rule == PFK_RULE_NONE || rule == PFK_RULE_DEFAULT)
		return;
	pfk_engine_rule(e, rule, &info);
	out_printf(out, ", %s %" PRIu32, what, info.nr);
}

static void
out_history(struct out *out, const struct pfk_engine *e,
    const struct pfk_state *s)
{
	out_str(out, "   age ");
	out_clock(out, s->age);
	out_str(out, ", expires in ");
	out_clock(out, s->expires);
	out_printf(out, ", %" PRIu64 ":%" PRIu64 " pkts, %" PRIu64 ":%" PRIu64
	    " bytes", s->packets[0], s->packets[1], s->bytes[0], s->bytes[1]);
	out_number_of(out, e, "anchor", s->anchor);
	out_number_of(out, e, "rule", s->rule);
	if ((s->flags & PFK_STATE_F_SLOPPY) != 0)
		out_str(out, ", sloppy");
	if ((s->flags & PFK_STATE_F_PFLOW) != 0)
		out_str(out, ", pflow");
	if (s->src_node)
		out_str(out, ", source-track");
	out_char(out, '\n');
}

static bool
show_state(void *arg, const struct pfk_state *s)
{
	struct output *o = arg;
	struct out *out = o->out;
	bool outgoing = s->dir == PFK_OUT;
	const struct pfk_peer *a = outgoing ? &s->src : &s->dst;
	const struct pfk_peer *b = outgoing ? &s->dst : &s->src;
	const char *proto = pfk_host_protocol_name(o->replay->host, s->proto);

	out_printf(out, "%s ", s->ifname);
	if (proto != NULL)
		out_printf(out, "%s ", proto);
	else
		out_printf(out, "%u ", s->proto);
	out_ends(out, s);
	out_levels(out, s, a, b);
	if (s->proto == PROTO_TCP)
		out_windows(out, a, b);
	out_history(out, o->replay->engine, s);
	out_printf(out, "   id: %016" PRIx64 " creatorid: %08" PRIx32 "\n",
	    s->id, s->creatorid);
	return true;
}

void
show_states(struct output *o)
{
	pfk_engine_states(o->replay->engine, show_state, o);
}
