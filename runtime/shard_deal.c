/*
 * Which engine a packet is for: a number made of its two addresses, the same
 * in both directions, and whatever is translated (shard_nets.c).
 *
 *	an ICMP error	of the packet that it quotes, whose state it is about
 *	ICMPv6		engine 0: queries and answers of neighbours have other
 *			addresses; so have errors that quote such
 *	a fragment	so that those of a packet meet, where the packet will be
 *			dealt to when it is whole.  Of ICMP errors, and of
 *			ICMPv6, nobody can tell from all of its fragments
 *
 * What is cut off or broken belongs to no state: any engine will do.
 */
#include <string.h>

#include "runtime/shard.h"

#define LINKTYPE_ETHERNET 1
#define NOBODY		(-1)
#define FRAGMENT	((int)PFK_SHARDS_FRAGMENT)
#define MAX_HEADERS	16	/* IPv6: more is not looked at */

/* By the upper bits, on which all lower ones bear. */
static inline int
deal(const struct pfk_shards *s, uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b) * UINT64_C(0x9e3779b97f4a7c15) +
	    (a + b) * UINT64_C(0xc2b2ae3d27d4eb4f);

	return (int)((h >> 32) * s->n >> 32);
}

static int
deal4(const struct pfk_shards *s, const uint8_t *ip)
{
	uint32_t a, b;

	memcpy(&a, ip + 12, sizeof(a));
	memcpy(&b, ip + 16, sizeof(b));
	return deal(s, shard_nets_ask(&s->nets, PFK_AF_INET, ip + 12, a),
	    shard_nets_ask(&s->nets, PFK_AF_INET, ip + 16, b));
}

static int
deal6(const struct pfk_shards *s, const uint8_t *ip)
{
	const struct shard_nets *nets = &s->nets;
	uint64_t a[2], b[2];

	memcpy(a, ip + 8, sizeof(a));
	memcpy(b, ip + 24, sizeof(b));
	return deal(s,
	    shard_nets_ask(nets, PFK_AF_INET6, ip + 8, a[0] + a[1] * 31),
	    shard_nets_ask(nets, PFK_AF_INET6, ip + 24, b[0] + b[1] * 31));
}

static bool
quotes4(uint8_t type)
{
	return type == 3 || type == 4 || type == 5 || type == 11 ||
	    type == 12;
}

/* The whole packet's type is in the first fragment. */
static int
which_fragment4(const struct pfk_shards *s, const uint8_t *ip, uint32_t len)
{
	uint32_t hdrlen = (ip[0] & 0xfu) * 4;

	if (ip[9] == PROTO_ICMP && (get16(ip + 6) & 0x1fff) == 0 &&
	    (len <= hdrlen || quotes4(ip[hdrlen])))
		return NOBODY;
	return deal4(s, ip) | FRAGMENT;
}

static int
which4(const struct pfk_shards *s, const uint8_t *ip, uint32_t len)
{
	uint32_t hdrlen;

	if (len < 20)
		return 0;
	if ((get16(ip + 6) & 0x3fff) != 0)
		return which_fragment4(s, ip, len);
	if (ip[9] != PROTO_ICMP)
		return deal4(s, ip);
	hdrlen = (ip[0] & 0xfu) * 4;
	if (len <= hdrlen || !quotes4(ip[hdrlen]))
		return deal4(s, ip);
	return len < hdrlen + 28 ? 0 : deal4(s, ip + hdrlen + 8);
}

static bool
is_extension(uint8_t proto)
{
	return proto == PROTO_HOPOPTS || proto == PROTO_ROUTING ||
	    proto == PROTO_DSTOPTS || proto == PROTO_AH ||
	    proto == PROTO_FRAGMENT;
}

/*
 * The protocol behind extension headers, and where it begins; whether there is
 * a fragment's among them.  NOBODY: it is cut off, in another fragment, or
 * there are too many.
 */
static int
proto6(const uint8_t *ip, uint32_t len, uint32_t *off, bool *fragment)
{
	uint8_t proto = ip[6];
	bool rest = false;
	uint32_t size;

	*off = 40;
	*fragment = false;
	for (int i = 0; i < MAX_HEADERS; i++) {
		if (!is_extension(proto))
			return proto;
		*fragment |= proto == PROTO_FRAGMENT;
		if (rest || len < *off + 8)
			return NOBODY;
		size = proto == PROTO_FRAGMENT ? 8 : proto == PROTO_AH ?
		    (ip[*off + 1] + 2u) * 4 : (ip[*off + 1] + 1u) * 8;
		rest = proto == PROTO_FRAGMENT &&
		    (get16(ip + *off + 2) & 0xfff8) != 0;
		proto = ip[*off];
		*off += size;
	}
	return NOBODY;
}

static int
which6(const struct pfk_shards *s, const uint8_t *ip, uint32_t len)
{
	uint32_t off, inner;
	bool fragment;
	int proto;

	if (len < 40)
		return 0;
	proto = proto6(ip, len, &off, &fragment);
	if (proto == NOBODY || (fragment && proto == PROTO_ICMPV6))
		return NOBODY;
	if (proto != PROTO_ICMPV6)
		return deal6(s, ip) | (fragment ? FRAGMENT : 0);
	if (len <= off || ip[off] >= 128 || len < off + 48)
		return 0;
	ip += off + 8;
	proto = proto6(ip, len - off - 8, &inner, &fragment);
	return proto == NOBODY || proto == PROTO_ICMPV6 ? 0 : deal6(s, ip);
}

static int
which(const struct pfk_shards *s, const struct pfk_packet *p)
{
	struct pfk_network net;

	if (!pfk_link_decode(p->linktype, p->data, p->caplen, p->wirelen,
	    &net))
		return 0;
	return net.af == PFK_AF_INET ?
	    which4(s, p->data + net.off, net.caplen) :
	    which6(s, p->data + net.off, net.caplen);
}

#define USUAL_HEADER	34	/* of Ethernet and IPv4 */

/* The usual one: TCP or UDP over IPv4, in Ethernet, in one piece. */
static inline bool
is_usual(const struct pfk_packet *p)
{
	static const uint8_t fragment[2] = { 0x3f, 0xff }, ip[2] = { 8, 0 };
	const uint8_t *b = p->data;
	uint16_t type, off, w, mask;

	if (p->linktype != LINKTYPE_ETHERNET || p->caplen < USUAL_HEADER)
		return false;
	memcpy(&type, b + 12, sizeof(type));
	memcpy(&off, b + 20, sizeof(off));
	memcpy(&w, ip, sizeof(w));
	memcpy(&mask, fragment, sizeof(mask));
	return ((type ^ w) | (off & mask)) == 0 && b[23] != PROTO_ICMP;
}

/* Where nothing is translated. */
static inline int
deal_usual(const struct pfk_shards *s, const uint8_t *b)
{
	uint32_t src, dst;

	memcpy(&src, b + 26, sizeof(src));
	memcpy(&dst, b + 30, sizeof(dst));
	return deal(s, src, dst);
}

size_t
pfk_shards_deal(const struct pfk_shards *s, const struct pfk_packet *p,
    size_t n, uint8_t *engine)
{
	const bool plain = s->nets.n == 0;

	for (size_t i = 0; i < n; i++) {
		int k = plain && is_usual(&p[i]) ?
		    deal_usual(s, p[i].data) : which(s, &p[i]);

		if (k == NOBODY)
			return i;
		engine[i] = (uint8_t)k;
	}
	return n;
}
