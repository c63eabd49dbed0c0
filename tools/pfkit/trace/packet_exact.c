/*
 * A packet of a set (pfkit/exact.h) in the form in which one that was told in
 * words is built.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <pfkit/exact.h>

#include "trace.h"

#define HOPS	64

enum { ICMP = 1, IGMP = 2, ICMP6 = 58 };

/* Neighbours are asked from here only, and all hosts of a network at once. */
static uint8_t
hop_limit(const struct pfk_exact_packet *p)
{
	if (p->proto == ICMP6 && p->icmp_type >= 130 && p->icmp_type <= 137)
		return 255;
	return p->af == 4 && p->proto == IGMP ? 1 : HOPS;
}

void
packet_of_set(struct packet *k, const struct pfk_exact_packet *p)
{
	bool icmp = p->proto == ICMP || p->proto == ICMP6;

	memset(k, 0, sizeof(*k));
	k->dir = p->dir;
	snprintf(k->ifname, sizeof(k->ifname), "%s", p->ifname);
	k->af = p->af;
	k->proto = p->proto;
	memcpy(k->src.addr, p->src, sizeof(k->src.addr));
	memcpy(k->dst.addr, p->dst, sizeof(k->dst.addr));
	k->src.port = htons(icmp ? 1 : p->sport);	/* the id */
	k->dst.port = htons(p->dport);
	k->tcp_flags = p->flags;
	k->icmp_type = p->icmp_type;
	k->icmp_code = p->icmp_code;
	k->ttl = hop_limit(p);
	k->tos = p->tos;
	k->seq = 1000;
	k->fragment = p->fragment;
	k->options = p->options;
}
