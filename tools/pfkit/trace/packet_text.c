/*
 * A packet back into pf.conf's words.
 */
#include <arpa/inet.h>

#include "../pfkit.h"
#include "../replay/text.h"
#include "trace.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

static void
out_end_words(struct out *o, const char *word, uint8_t af,
    const struct pfk_endpoint *e, bool port)
{
	out_printf(o, " %s ", word);
	out_addr(o, af, e->addr);
	if (port)
		out_printf(o, " port %u", ntohs(e->port));
}

static void
out_head_words(struct out *o, uint8_t af, uint8_t proto,
    const struct pfk_host *host)
{
	const char *name = pfk_host_protocol_name(host, proto);

	out_str(o, af == 6 ? "inet6" : "inet");
	if (name != NULL)
		out_printf(o, " proto %s", name);
	else
		out_printf(o, " proto %u", proto);
}

void
out_flow_words(struct out *o, const struct pfk_flow *f,
    const struct pfk_host *host)
{
	out_head_words(o, f->af, f->proto, host);
	out_end_words(o, "from", f->af, &f->src, f->has_ports);
	out_end_words(o, "to", f->af, &f->dst, f->has_ports);
}

void
out_tcp_flags(struct out *o, uint8_t flags)
{
	static const char letters[] = "FSRPAUEW";

	for (unsigned i = 0; i < 8; i++)
		if (flags & 1u << i)
			out_char(o, letters[i]);
}

void
out_packet_words(struct out *o, const struct packet *k,
    const struct pfk_host *host)
{
	bool ports = (k->proto == TCP || k->proto == UDP) && !k->fragment;

	out_printf(o, "%s on %s ", k->dir == PFK_OUT ? "out" : "in",
	    k->ifname);
	out_head_words(o, k->af, k->proto, host);
	out_end_words(o, "from", k->af, &k->src, ports);
	out_end_words(o, "to", k->af, &k->dst, ports);
	if (k->fragment) {
		out_str(o, " fragment");
		return;
	}
	if (k->proto == ICMP || k->proto == ICMP6)
		out_printf(o, " icmp%s-type %u code %u", k->af == 6 ? "6" :
		    "", k->icmp_type, k->icmp_code);
	if (k->proto == TCP) {
		out_str(o, " flags ");
		out_tcp_flags(o, k->tcp_flags);
	}
	if (k->ttl != PACKET_TTL)
		out_printf(o, " ttl %u", k->ttl);
	if (k->tos != 0)
		out_printf(o, " tos 0x%02x", k->tos);
}
