/*
 * Options and extension headers, as pf walks them.
 *
 * A header that does not fit ends in `short`; one that breaks a rule of the
 * protocol, or that pf forbids (routing header type 0, a second routing or
 * fragment header, hop-by-hop options elsewhere than first), in `ip-option` or
 * `fragment`.  Headers that are merely unusual are noted in opts, and a rule
 * must have allow-opts to pass them.
 *
 * A fragment may end in the middle of the chain: then the walk goes back to
 * the fragment header, and nothing behind it is looked at.
 */
#include "runtime/walk.h"

#define CHAIN_LIMIT	20		/* headers that are followed */

static bool
broken(struct walk *w, enum pfk_reason reason)
{
	w->reason = reason;
	return false;
}

/* The n bytes at off, or NULL. */
static const uint8_t *
peek(struct walk *w, uint32_t off, uint32_t n)
{
	if (off > w->limit || w->limit - off < n) {
		w->reason = PFK_REASON_SHORT;
		return NULL;
	}
	return w->p + off;
}

/* ---- IPv4 ---- */

enum { IPOPT_EOL = 0, IPOPT_NOP = 1, IPOPT_RA = 148 };

static bool
walk_options4(struct walk *w, uint32_t off, uint32_t end)
{
	const uint8_t *p = peek(w, off, end - off);
	uint32_t n = end - off, i = 0;

	if (p == NULL)
		return false;
	while (i < n && p[i] != IPOPT_EOL) {
		if (p[i] == IPOPT_NOP) {
			i++;
			continue;
		}
		if (n - i < 2 || p[i + 1] < 2 || p[i + 1] > n - i)
			return broken(w, PFK_REASON_IPOPTIONS);
		w->opts |= p[i] == IPOPT_RA ? OPT_ROUTER_ALERT : OPT_OTHER;
		i += p[i + 1];
	}
	/* nothing but padding is unusual, too */
	if (w->opts == 0)
		w->opts = OPT_OTHER;
	return true;
}

/* Authentication headers are the only ones that are followed. */
static bool
walk_ah4(struct walk *w, bool fragment)
{
	const uint8_t *p;

	for (int i = 0; i < CHAIN_LIMIT; i++) {
		if (w->proto != PROTO_AH ||
		    (fragment && w->end < w->off + 2))
			return true;
		if ((p = peek(w, w->off, 2)) == NULL)
			return false;
		w->off += (p[1] + 2u) * 4;
		w->proto = p[0];
	}
	return broken(w, PFK_REASON_IPOPTIONS);
}

bool
walk_ip4(struct walk *w)
{
	const uint8_t *ip = peek(w, w->off, 20);
	uint32_t hlen, len;

	if (ip == NULL)
		return false;
	hlen = (ip[0] & 15u) * 4;
	len = get16(ip + 2);
	w->opts = 0;
	w->fragoff = w->extoff = 0;
	w->jumbo = false;
	if (hlen < 20 || hlen > len)
		return broken(w, PFK_REASON_SHORT);
	if (hlen > 20 && !walk_options4(w, w->off + 20, w->off + hlen))
		return false;
	w->end = w->off + len;
	w->off += hlen;
	w->proto = ip[9];
	if (w->proto == PROTO_IGMP) {
		/* to all hosts with TTL 1 only; router alert is normal */
		if (ip[8] != 1 && get32(ip + 16) == 0xe0000001)
			return broken(w, PFK_REASON_IPOPTIONS);
		w->opts &= (uint8_t)~OPT_ROUTER_ALERT;
	}
	if ((get16(ip + 6) & 0x1fff) != 0)
		return true;
	return walk_ah4(w, (get16(ip + 6) & 0x2000) != 0);
}

/* ---- IPv6 ---- */

enum { IP6OPT_PAD1 = 0, IP6OPT_PADN = 1, IP6OPT_RA = 5, IP6OPT_JUMBO = 0xc2 };

static bool
jumbo_option(struct walk *w, const uint8_t *ip, uint32_t off)
{
	const uint8_t *p;

	w->opts |= OPT_JUMBO;
	if (w->jumbo || get16(ip + 4) != 0)
		return broken(w, PFK_REASON_IPOPTIONS);
	if ((p = peek(w, off, 6)) == NULL)
		return false;
	if (get32(p + 2) < 65535)
		return broken(w, PFK_REASON_IPOPTIONS);
	w->jumbo = true;
	return true;
}

static bool
walk_options6(struct walk *w, const uint8_t *ip, uint32_t off, uint32_t end)
{
	const uint8_t *p;

	while (off < end) {
		if ((p = peek(w, off, 1)) == NULL)
			return false;
		if (*p == IP6OPT_PAD1) {
			off++;
			continue;
		}
		if ((p = peek(w, off, 2)) == NULL)
			return false;
		if (off + 2 + p[1] > end)
			return broken(w, PFK_REASON_IPOPTIONS);
		switch (*p) {
		case IP6OPT_PADN:
			break;
		case IP6OPT_JUMBO:
			if (!jumbo_option(w, ip, off))
				return false;
			break;
		case IP6OPT_RA:
			w->opts |= OPT_ROUTER_ALERT;
			break;
		default:
			w->opts |= OPT_OTHER;
		}
		off += 2u + p[1];
	}
	return true;
}

/* A header of which this fragment may have only a part. */
static bool
cut_off(struct walk *w, uint32_t need)
{
	if (w->fragoff == 0 || w->end >= w->off + need)
		return false;
	w->off = w->fragoff;
	w->proto = PROTO_FRAGMENT;
	return true;
}

/* MLD: hop limit 1, from a link-local address; router alert is normal. */
static bool
check_mld(struct walk *w, const uint8_t *ip, uint8_t type)
{
	if ((type < 130 || type > 132) && type != 143)
		return true;
	if (ip[7] != 1 || ip[8] != 0xfe || (ip[9] & 0xc0) != 0x80)
		return broken(w, PFK_REASON_IPOPTIONS);
	w->opts &= (uint8_t)~OPT_ROUTER_ALERT;
	return true;
}

/* What a header of the chain says; the walk goes on unless `stop` is set. */
struct chain { const uint8_t *ip; int n, fragments, routings; bool stop; };

static bool
chain_fragment(struct walk *w, struct chain *c)
{
	const uint8_t *p;
	uint16_t offlg;

	if (c->fragments++ > 0 || w->jumbo)
		return broken(w, PFK_REASON_FRAG);
	if ((p = peek(w, w->off, 8)) == NULL)
		return false;
	offlg = get16(p + 2);
	if ((offlg & 0xfff8) != 0) {
		w->fragoff = w->off;
		c->stop = true;
		return true;
	}
	if (offlg & 1)		/* an atomic one is no fragment */
		w->fragoff = w->off;
	w->off += 8;
	w->proto = p[0];
	return true;
}

static bool
chain_options(struct walk *w, struct chain *c)
{
	const uint8_t *p;

	if ((p = peek(w, w->off, 2)) == NULL ||
	    !walk_options6(w, c->ip, w->off + 2, w->off + (p[1] + 1u) * 8))
		return false;
	if (w->opts == 0)
		w->opts = OPT_OTHER;
	if (c->n > 0)
		return broken(w, PFK_REASON_IPOPTIONS);
	return true;
}

static bool
chain_routing(struct walk *w, struct chain *c)
{
	const uint8_t *p;

	if (c->routings++ > 0)
		return broken(w, PFK_REASON_IPOPTIONS);
	if (cut_off(w, 4)) {
		c->stop = true;
		return true;
	}
	if ((p = peek(w, w->off, 4)) == NULL)
		return false;
	if (p[2] == 0)
		return broken(w, PFK_REASON_IPOPTIONS);
	return true;
}

/* Over an extension header of the usual form. */
static bool
chain_skip(struct walk *w, struct chain *c)
{
	const uint8_t *p;
	bool ah = w->proto == PROTO_AH, hop = w->proto == PROTO_HOPOPTS;

	if (cut_off(w, 2)) {
		c->stop = true;
		return true;
	}
	if ((p = peek(w, w->off, 2)) == NULL)
		return false;
	if (w->fragoff == 0)
		w->extoff = w->off;
	if (hop && w->fragoff == 0 && w->jumbo)
		return broken(w, PFK_REASON_IPOPTIONS);
	w->off += ah ? (p[1] + 2u) * 4 : (p[1] + 1u) * 8;
	w->proto = p[0];
	return true;
}

static bool
chain_end(struct walk *w, struct chain *c)
{
	const uint8_t *p;

	c->stop = true;
	if (w->proto == PROTO_TCP)
		cut_off(w, 20);
	else if (w->proto == PROTO_UDP)
		cut_off(w, 8);
	else if (w->proto == PROTO_ICMPV6 && !cut_off(w, 8)) {
		if ((p = peek(w, w->off, 8)) == NULL)
			return false;
		return check_mld(w, c->ip, p[0]);
	}
	return true;
}

static bool
chain_step(struct walk *w, struct chain *c)
{
	switch (w->proto) {
	case PROTO_FRAGMENT:
		return chain_fragment(w, c);
	case PROTO_HOPOPTS:
		return chain_options(w, c) && chain_skip(w, c);
	case PROTO_ROUTING:
		w->opts |= OPT_OTHER;
		return chain_routing(w, c) && (c->stop || chain_skip(w, c));
	case PROTO_DSTOPTS:
		w->opts |= OPT_OTHER;
		return chain_skip(w, c);
	case PROTO_AH:
		return chain_skip(w, c);
	default:
		return chain_end(w, c);
	}
}

bool
walk_ip6(struct walk *w)
{
	struct chain c = { 0 };

	if ((c.ip = peek(w, w->off, 40)) == NULL)
		return false;
	w->opts = 0;
	w->fragoff = w->extoff = 0;
	w->jumbo = false;
	w->off += 40;
	w->end = w->off + get16(c.ip + 4);
	w->proto = c.ip[6];
	for (; c.n < CHAIN_LIMIT; c.n++) {
		if (!chain_step(w, &c))
			return false;
		if (c.stop)
			return true;
	}
	return broken(w, PFK_REASON_IPOPTIONS);
}
