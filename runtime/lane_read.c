/*
 * Frames, as the fast lane reads them: once, from the front, and no further
 * than the transport header.
 *
 * The checks are those of link.c, decode.c and normalize.c together, drawn
 * narrower wherever that is simpler: what fails one of them is looked at again
 * by those.
 */
#include <string.h>

#include "runtime/lane_head.h"
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
	l->least[0] = 8;
	l->least[1] = 20;
	l->tcp[1] = 0xffff;
	l->head = head_of_if(ifid, k.rdomain);
	/* its counters come with its first packet */
	l->odd = ifid >= e->nifaces || ifid >= e->nif_counters ||
	    iface_skipped(e, ifid) ? SIGN : 0;
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

/* Of UDP and TCP; 0: neither. */
static const uint8_t protos[256] = { [PROTO_UDP] = 1, [PROTO_TCP] = 2 };

/*
 * LANE_USUAL and its like: first UDP's, TCP's by flags but for ECE and CWR.
 */
#define KINDS_TCP	8
static const uint8_t kinds[KINDS_TCP + 64] = {
	[0] = LANE_USUAL | LANE_BARE,
	[KINDS_TCP + TCP_ACK] = LANE_USUAL | LANE_BARE,
	[KINDS_TCP + TCP_ACK + TCP_PUSH] = LANE_USUAL | LANE_BARE,
	[KINDS_TCP + TCP_SYN] = LANE_BARE,
	[KINDS_TCP + TCP_SYN + TCP_ACK] = LANE_TURNS | LANE_BARE,
	[KINDS_TCP + TCP_SYN + TCP_ACK + TCP_PUSH] = LANE_TURNS | LANE_BARE,
	[KINDS_TCP + TCP_FIN + TCP_ACK] = LANE_TURNS,
	[KINDS_TCP + TCP_FIN + TCP_ACK + TCP_PUSH] = LANE_TURNS
};

/* What follows is usual, as far as it goes, if the result is not negative. */

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

/* The frame's bytes: those that are there, and were on the wire; and where the
 * IP header begins. */
struct reach { uint32_t caplen, wirelen, ip; };

static ALWAYS_INLINE uint8_t
kind_of(uint8_t kind, uint32_t odd)
{
	return (odd & SIGN) != 0 ? 0 : kind;
}

/* What stands for key and hash while nobody needs them. */
static ALWAYS_INLINE void
put_off_key(struct lane_packet *l, uint64_t head)
{
	l->key[0] = head;
	l->hash = l->ref = 0;
}

static ALWAYS_INLINE void
set_key4(struct lane_packet *l, const uint8_t *ip, uint64_t tail)
{
	uint64_t both = words_at(ip + 12);
	uint32_t ports = word_at(ip + 20);

	l->key[0] = turn64(both, l->out);
	l->key[1] = join(turn32(ports, l->out), 0) | tail;
}

static ALWAYS_INLINE void
set_key6(struct lane_packet *l, const uint8_t *ip, uint64_t tail)
{
	uint32_t ports = word_at(ip + 40);

	memcpy(&l->key[l->out ? 2 : 0], ip + 8, 16);
	memcpy(&l->key[l->out ? 0 : 2], ip + 24, 16);
	l->key[4] = join(turn32(ports, l->out), 0) | tail;
}

/*
 * A whole IP packet with TCP or UDP; false: there is no key.  Which of the two
 * it is comes at random: both are read in the same way, without branches.  TCP
 * has the length of its header and flags at 12, and must not be urgent (18);
 * UDP has its length at 4.
 * => ip[0..19] is there; hlen, v6 and bare are constants.
 */
static ALWAYS_INLINE bool
read_ip(const uint8_t *ip, uint32_t hlen, uint32_t len, uint8_t proto,
    struct reach r, const struct lane_if *in, bool v6, bool bare,
    struct lane_packet *l)
{
	const uint8_t *hdr = ip + hlen;
	size_t which = protos[proto], tcp = which - 1;
	uint32_t cut = r.caplen - (r.ip + len), plen = len - hlen;
	uint32_t word, size, odd;

	if (which == 0 || (((r.caplen - (r.ip + hlen) - in->least[tcp]) |
	    (cut & (r.wirelen - (r.ip + len)))) & SIGN) != 0)
		return false;
	odd = in->odd | (cut & in->whole) | (half_at(hdr + 2) - 1u) |
	    ((v6 ? ip6_odd(ip) : ip4_odd(ip)) & (l->out - 1u));
	word = get16(hdr + 4 + 8 * tcp);
	if (bare)
		put_off_key(l, in->head | head_of_packet(word & in->tcp[tcp] &
		    0xff, proto, 0, false, v6 ? PFK_AF_INET6 : PFK_AF_INET,
		    l->out));
	else if (v6)
		set_key6(l, ip, in->tail[1][tcp]);
	else
		set_key4(l, ip, in->tail[0][tcp]);
	l->hdr = hdr;
	l->len = len;
	l->v6 = v6;
	l->echo = l->answer = false;
	l->tcp = which == 2;
	odd |= 0u - (((word & 0x0f00) | half_at(hdr + 2 + 16 * tcp)) &
	    in->tcp[tcp]);
	size = tcp ? word >> 10 & 0x3c : word;
	plen -= size;
	l->datalen = plen;
	odd |= (size - in->least[tcp]) | plen;
	l->kind = kind_of(kinds[KINDS_TCP * tcp + (word & in->tcp[tcp] & 63)],
	    odd);
	return true;
}

static ALWAYS_INLINE bool
read_ip4(const uint8_t *ip, struct reach r, const struct lane_if *in,
    bool bare, struct lane_packet *l)
{
	static const uint8_t fragment[4] = { 0, 0, 0xbf, 0xff };

	/* without options, and but for DF nothing of fragments */
	if (ip[0] != 0x45 || (word_at(ip + 4) & word_at(fragment)) != 0)
		return false;
	return read_ip(ip, 20, get16(ip + 2), ip[9], r, in, false,
	    bare, l);
}

static ALWAYS_INLINE bool
read_ip6(const uint8_t *ip, struct reach r, const struct lane_if *in,
    bool bare, struct lane_packet *l)
{
	if (ip[0] >> 4 != 6 || r.caplen < r.ip + 40)
		return false;
	return read_ip(ip, 40, get16(ip + 4) + 40u, ip[6], r, in,
	    true, bare, l);
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

static void
set_echo_key(struct lane_packet *l, uint64_t tail)
{
	uint32_t ports = turn32(echo_ports(l->hdr, l->v6, l->answer), l->out);

	if (l->v6)
		set_key6(l, lane_ip(l), 0);
	else
		set_key4(l, lane_ip(l), 0);
	l->key[l->v6 ? 4 : 1] = join(ports, 0) | tail;
}

/* An echo, or its answer. */
static bool
read_echo(const uint8_t *ip, bool v6, struct reach r, const struct lane_if *in,
    bool bare, struct lane_packet *l)
{
	static const uint8_t fragment[2] = { 0xbf, 0xff };
	uint32_t hlen = v6 ? 40 : 20;
	uint32_t len = v6 ? get16(ip + 4) + 40u : get16(ip + 2);
	uint8_t ask = v6 ? 128 : 8, answer = v6 ? 129 : 0;
	const uint8_t *hdr = ip + hlen;
	uint32_t odd;

	if (len < hlen + 8 || r.caplen < r.ip + hlen + 8 ||
	    (r.caplen < r.ip + len && r.wirelen < r.ip + len) ||
	    (hdr[0] != ask && hdr[0] != answer) || (v6 ? ip[0] >> 4 != 6 :
	    ip[0] != 0x45 || (half_at(ip + 6) & half_at(fragment)) != 0))
		return false;
	odd = in->odd | ((v6 ? ip6_odd(ip) : ip4_odd(ip)) & (l->out - 1u)) |
	    ((r.caplen - (r.ip + len)) & in->whole);
	l->hdr = hdr;
	l->len = len;
	l->v6 = v6;
	l->tcp = false;
	l->echo = true;
	l->answer = hdr[0] == answer;
	l->kind = kind_of(l->answer ? LANE_USUAL : LANE_USUAL | LANE_BARE,
	    odd);
	if (bare)
		put_off_key(l, in->head | lane_head(l));
	else
		set_echo_key(l, in->tail[v6][2]);
	return true;
}

/* Any link, any family. */
static NOINLINE bool
read_other(const struct pfk_packet *f, const struct lane_if *in, bool bare,
    struct lane_packet *l)
{
	struct pfk_network net;
	struct reach r;
	const uint8_t *ip;

	if (!pfk_link_decode(f->linktype, f->data, f->caplen, f->wirelen,
	    &net) || net.caplen < 20)
		return false;
	r = (struct reach){ net.caplen, net.wirelen, 0 };
	ip = f->data + net.off;
	if (net.af == PFK_AF_INET6)
		return read_ip6(ip, r, in, bare, l) ||
		    (ip[6] == PROTO_ICMPV6 &&
		    read_echo(ip, true, r, in, bare, l));
	return read_ip4(ip, r, in, bare, l) || (ip[9] == PROTO_ICMP &&
	    read_echo(ip, false, r, in, bare, l));
}

/* Rarer than the others, and apart from their way.  => 34 bytes are there. */
static NOINLINE bool
read_ether_echo(const struct pfk_packet *f, bool v6, const struct lane_if *in,
    bool bare, struct lane_packet *l)
{
	const uint8_t *ip = f->data + 14;
	struct reach r = { f->caplen, f->wirelen, 14 };

	return (v6 ? ip[6] == PROTO_ICMPV6 : ip[9] == PROTO_ICMP) &&
	    read_echo(ip, v6, r, in, bare, l);
}

/* Plain Ethernet without detour. */
static ALWAYS_INLINE bool
read_one(const struct pfk_packet *f, const struct lane_if *in, bool bare,
    struct lane_packet *l)
{
	const struct reach r = { f->caplen, f->wirelen, 14 };
	const uint8_t *p = f->data;
	uint32_t type;

	l->out = f->dir == PFK_OUT;
	if (f->linktype != LINKTYPE_ETHERNET || f->caplen < 34)
		return read_other(f, in, bare, l);
	type = half_at(p + 12);
	if (type == port_net(TYPE_IP))
		return read_ip4(p + 14, r, in, bare, l) ||
		    read_ether_echo(f, false, in, bare, l);
	if (type == port_net(TYPE_IP6))
		return read_ip6(p + 14, r, in, bare, l) ||
		    read_ether_echo(f, true, in, bare, l);
	return read_other(f, in, bare, l);
}

static ALWAYS_INLINE void
read_all(const struct pfk_engine *e, const struct pfk_packet *f, size_t n,
    struct lane_if *in, bool bare, struct lane_packet *l)
{
	if (in->odd != 0)	/* it may have changed */
		in->ifid = IF_NONE;
	for (size_t i = 0; i < n; i++) {
		if (in->ifid != f[i].ifid)
			interface_read(e, f[i].ifid, in);
		if (read_one(&f[i], in, bare, &l[i]))
			continue;
		l[i].hdr = NULL;
		l[i].v6 = false;
		l[i].kind = 0;
		l[i].key[0] = l[i].key[1] = 0;
		l[i].ref = 0;
	}
}

void
lane_read(const struct pfk_engine *e, const struct pfk_packet *f, size_t n,
    struct lane_if *in, struct lane_packet *l)
{
	read_all(e, f, n, in, false, l);
}

void
lane_read_bare(const struct pfk_engine *e, const struct pfk_packet *f,
    size_t n, struct lane_if *in, struct lane_packet *l)
{
	read_all(e, f, n, in, true, l);
}

void
lane_make_key(const struct pfk_engine *e, struct lane_packet *l)
{
	struct state_key k = {
		.rdomain = (uint16_t)(l->key[0] >> 32),
		.af = l->v6 ? PFK_AF_INET6 : PFK_AF_INET,
		.proto = lane_proto(l)
	};
	uint64_t tail = words_at(k.port);

	if (l->echo)
		set_echo_key(l, tail);
	else if (l->v6)
		set_key6(l, lane_ip(l), tail);
	else
		set_key4(l, lane_ip(l), tail);
	state_hash_packets(&e->hasher, l, 1);
}
