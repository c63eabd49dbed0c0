/*
 * Frames, as the fast lane reads them: once, from the front, and no further
 * than the transport header.
 *
 * The checks are those of link.c, decode.c and normalize.c together, drawn
 * narrower wherever that is simpler: what fails one of them is looked at again
 * by those.
 */
#include <string.h>

#include "runtime/lane.h"
#include "runtime/rules_int.h"
#include "runtime/state_hash.h"

enum { LINKTYPE_ETHERNET = 1, TYPE_IP = 0x0800, TYPE_IP6 = 0x86dd };

#define SIGN	0x80000000u	/* of differences that must not be negative */

static inline uint16_t
half_at(const void *p)
{
	uint16_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint64_t
words_at(const void *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* Two halves as they lie in memory, without a way through it. */
static inline uint64_t
join(uint32_t first, uint32_t second)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (uint64_t)second << 32 | first;
#else
	uint32_t both[2] = { first, second };

	return words_at(both);
#endif
}

static void
interface_read(const struct pfk_engine *e, uint16_t ifid, struct lane_if *l)
{
	static const uint8_t af[2] = { PFK_AF_INET, PFK_AF_INET6 },
	    proto[2][3] = { { PROTO_UDP, PROTO_TCP, PROTO_ICMP },
	    { PROTO_UDP, PROTO_TCP, PROTO_ICMPV6 } };
	struct state_key k = {
	    .rdomain = (uint16_t)iface_rdomain(e, ifid) };

	l->ifid = ifid;
	l->rdomain = k.rdomain;
	/* its counters come with its first packet */
	l->unusable = ifid >= e->nifaces || ifid >= e->nif_counters ||
	    iface_skipped(e, ifid);
	/* who is told sees zeros for what was not captured */
	l->whole = e->sink.decision != NULL ? SIGN : 0;
	for (int v6 = 0; v6 < 2; v6++)
		for (int i = 0; i < 3; i++) {
			k.af = af[v6];
			k.proto = proto[v6][i];
			l->tail[v6][i] = words_at(k.port);
		}
}

/* By 0 or half of the bits, which comes at random: no branches. */
static inline uint64_t
turn64(uint64_t w, bool half)
{
	unsigned n = half * 32u;

	return w << n | w >> (-n & 63);
}

static inline uint32_t
turn32(uint32_t w, bool half)
{
	unsigned n = half * 16u;

	return w << n | w >> (-n & 31);
}

/* What follows is usual, as far as it goes, if the result is 0. */

/*
 * => The header is there.  Flags and lengths that nobody needs to mend.
 * Of SYN, with or without ACK, and FIN with ACK the result is lane_packet.odd
 * as told there, if nothing else is odd.
 */
static ALWAYS_INLINE uint32_t
tcp_odd(const uint8_t *th, uint32_t plen, uint32_t *datalen)
{
	uint32_t word = get16(th + 12), doff = word >> 10 & 0x3c;

	*datalen = plen - doff;
	return ((word & (0x0f00 | TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK |
	    TCP_URG)) ^ TCP_ACK) |
	    (((doff - 20) | (plen - doff) | (get16(th + 2) - 1u) |
	    (0u - half_at(th + 18))) & SIGN);
}

static ALWAYS_INLINE uint32_t
udp_odd(const uint8_t *uh, uint32_t plen)
{
	uint32_t len = get16(uh + 4);

	return ((len - 8) | (plen - len) | (get16(uh + 2) - 1u)) & SIGN;
}

/* What a host does not take in. */
static inline uint32_t
ip4_odd(const uint8_t *ip)
{
	return (uint32_t)(sum4_wrong(ip) | (ip[12] == 127) |
	    (ip[16] == 127)) << 31;
}

/* Multicast, link-local, ::1 and their like are asked about there. */
static inline uint32_t
ip6_odd(const uint8_t *ip)
{
	return (uint32_t)((ip[8] == 0) | (ip[8] >= 0xfe) | (ip[24] == 0) |
	    (ip[24] >= 0xfe)) << 31;
}

/* Bytes from the IP header on: those that are there, and were on the wire. */
struct reach { uint32_t caplen, wirelen; };

/* => The key is there, and v6, tcp, echo. */
static ALWAYS_INLINE void
finish(struct lane_packet *l, const uint8_t *hdr, uint32_t len, uint32_t odd)
{
	l->hdr = hdr;
	l->len = len;
	l->odd = odd;
	l->usual = odd == 0;
	l->turns = l->tcp & ((odd == LANE_SYNACK) | (odd == LANE_FINACK));
}

/* The transport header behind the IP header of hlen bytes is there. */
static ALWAYS_INLINE bool
reaches(struct reach r, uint32_t len, uint32_t hlen, uint8_t proto)
{
	uint32_t need = hlen + (proto == PROTO_TCP ? 20 : 8);

	return (proto == PROTO_TCP || proto == PROTO_UDP) && len >= need &&
	    r.caplen >= need && r.wirelen >= len;
}

/*
 * A whole IP packet; false: there is no key.  => 20 bytes of it are there.
 * Everything is read before anything is written: the compiler cannot know that
 * they are different places.
 */
static ALWAYS_INLINE bool
read_ip4(const uint8_t *ip, struct reach r, const struct lane_if *in,
    uint32_t odd, struct lane_packet *l)
{
	static const uint8_t fragment[2] = { 0xbf, 0xff };
	uint32_t len = get16(ip + 2), datalen = 0, ports;
	const uint8_t *hdr = ip + 20;
	bool out = l->out, tcp = ip[9] == PROTO_TCP;
	uint64_t both;

	/* without options, and but for DF nothing of fragments */
	if (ip[0] != 0x45 || (half_at(ip + 6) & half_at(fragment)) != 0 ||
	    !reaches(r, len, 20, ip[9]))
		return false;
	odd |= tcp ? tcp_odd(hdr, len - 20, &datalen) : udp_odd(hdr, len - 20);
	odd |= (ip4_odd(ip) & (out - 1u)) | ((r.caplen - len) & in->whole);
	both = words_at(ip + 12);
	ports = word_at(hdr);
	l->key[0] = turn64(both, out);
	l->key[1] = join(turn32(ports, out), 0) | in->tail[0][tcp];
	l->datalen = datalen;
	l->v6 = l->echo = l->answer = false;
	l->tcp = tcp;
	finish(l, hdr, len, odd);
	return true;
}

static ALWAYS_INLINE bool
read_ip6(const uint8_t *ip, struct reach r, const struct lane_if *in,
    uint32_t odd, struct lane_packet *l)
{
	uint32_t len = get16(ip + 4) + 40u, datalen = 0;
	const uint8_t *hdr = ip + 40;
	bool out = l->out, tcp = ip[6] == PROTO_TCP;

	if (r.caplen < 40 || ip[0] >> 4 != 6 ||
	    !reaches(r, len, 40, ip[6]))
		return false;
	odd |= tcp ? tcp_odd(hdr, len - 40, &datalen) : udp_odd(hdr, len - 40);
	odd |= (ip6_odd(ip) & (out - 1u)) | ((r.caplen - len) & in->whole);
	memcpy(&l->key[out ? 2 : 0], ip + 8, 16);
	memcpy(&l->key[out ? 0 : 2], ip + 24, 16);
	l->key[4] = join(turn32(word_at(hdr), out), 0) | in->tail[1][tcp];
	l->datalen = datalen;
	l->v6 = true;
	l->echo = l->answer = false;
	l->tcp = tcp;
	finish(l, hdr, len, odd);
	return true;
}

/*
 * Ports of an echo's key: the id, and the question's type, which an answer has
 * in the source's place.
 */
static inline uint32_t
echo_ports(const uint8_t *hdr, bool v6, bool answer)
{
	uint16_t port[2];

	port[answer] = half_at(hdr + 4);
	port[!answer] = port_net(v6 ? 128 : 8);
	return word_at(port);
}

/* An echo, or its answer: rarer than the others, and apart from their way. */
static NOINLINE bool
read_echo(const uint8_t *ip, bool v6, struct reach r, const struct lane_if *in,
    uint32_t odd, struct lane_packet *l)
{
	static const uint8_t fragment[2] = { 0xbf, 0xff };
	uint32_t hlen = v6 ? 40 : 20, ports;
	uint32_t len = v6 ? get16(ip + 4) + 40u : get16(ip + 2);
	uint8_t ask = v6 ? 128 : 8, answer = v6 ? 129 : 0;
	const uint8_t *hdr = ip + hlen;

	if (len < hlen + 8 || r.caplen < hlen + 8 || r.wirelen < len ||
	    (hdr[0] != ask && hdr[0] != answer) || (v6 ? ip[0] >> 4 != 6 :
	    ip[0] != 0x45 || (half_at(ip + 6) & half_at(fragment)) != 0))
		return false;
	odd |= ((v6 ? ip6_odd(ip) : ip4_odd(ip)) & (l->out - 1u)) |
	    ((r.caplen - len) & in->whole);
	l->answer = hdr[0] == answer;
	ports = turn32(echo_ports(hdr, v6, l->answer), l->out);
	if (v6) {
		memcpy(&l->key[l->out ? 2 : 0], ip + 8, 16);
		memcpy(&l->key[l->out ? 0 : 2], ip + 24, 16);
	} else
		l->key[0] = turn64(words_at(ip + 12), l->out);
	l->key[v6 ? 4 : 1] = join(ports, 0) | in->tail[v6][2];
	l->v6 = v6;
	l->tcp = false;
	l->echo = true;
	finish(l, hdr, len, odd);
	return true;
}

/* => 20 bytes are there. */
static ALWAYS_INLINE bool
read_v4(const uint8_t *ip, struct reach r, const struct lane_if *in,
    uint32_t odd, struct lane_packet *l)
{
	return read_ip4(ip, r, in, odd, l) ||
	    (ip[9] == PROTO_ICMP && read_echo(ip, false, r, in, odd, l));
}

static ALWAYS_INLINE bool
read_v6(const uint8_t *ip, struct reach r, const struct lane_if *in,
    uint32_t odd, struct lane_packet *l)
{
	return read_ip6(ip, r, in, odd, l) ||
	    (ip[6] == PROTO_ICMPV6 && read_echo(ip, true, r, in, odd, l));
}

/* Any link, any family. */
static NOINLINE bool
read_other(const struct pfk_packet *f, const struct lane_if *in, uint32_t odd,
    struct lane_packet *l)
{
	struct pfk_network net;
	struct reach r;

	if (!pfk_link_decode(f->linktype, f->data, f->caplen, f->wirelen,
	    &net) || net.caplen < 20)
		return false;
	r = (struct reach){ net.caplen, net.wirelen };
	return net.af == PFK_AF_INET6 ?
	    read_v6(f->data + net.off, r, in, odd, l) :
	    read_v4(f->data + net.off, r, in, odd, l);
}

/* Plain Ethernet without detour. */
static inline bool
read_one(const struct pfk_packet *f, const struct lane_if *in,
    struct lane_packet *l)
{
	const uint8_t *p = f->data;
	uint32_t odd = (uint32_t)in->unusable << 31, type;
	struct reach r = { f->caplen - 14, f->wirelen - 14 };

	l->out = f->dir == PFK_OUT;
	if (f->linktype != LINKTYPE_ETHERNET || f->caplen < 34)
		return read_other(f, in, odd, l);
	type = get16(p + 12);
	if (f->wirelen < f->caplen)
		r.wirelen = r.caplen;
	if (type == TYPE_IP)
		return read_v4(p + 14, r, in, odd, l);
	if (type == TYPE_IP6)
		return read_v6(p + 14, r, in, odd, l);
	return read_other(f, in, odd, l);
}

void
lane_read(const struct pfk_engine *e, const struct pfk_packet *f, size_t n,
    struct lane_if *in, struct lane_packet *l)
{
	if (in->unusable)	/* it may have changed */
		in->ifid = IF_NONE;
	for (size_t i = 0; i < n; i++) {
		if (in->ifid != f[i].ifid)
			interface_read(e, f[i].ifid, in);
		if (read_one(&f[i], in, &l[i]))
			continue;
		l[i].hdr = NULL;
		l[i].v6 = l[i].usual = l[i].turns = false;
		l[i].key[0] = l[i].key[1] = 0;
	}
}
