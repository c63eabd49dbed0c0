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

enum { LINKTYPE_ETHERNET = 1, TYPE_IP = 0x0800, TYPE_VLAN = 0x8100,
    TYPE_IPV6 = 0x86dd };

static inline uint32_t
word_at(const void *p)
{
	uint32_t w;

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
	uint64_t w;

	memcpy(&w, both, sizeof(w));
	return w;
#endif
}

/* The last four bytes of struct state_key. */
static uint32_t
key_tail(const struct pfk_engine *e, uint16_t ifid, uint8_t af, uint8_t proto)
{
	struct state_key k = { .rdomain = (uint16_t)iface_rdomain(e, ifid),
	    .af = af, .proto = proto };

	return word_at((const uint8_t *)&k + sizeof(k) - 4);
}

static void
interface_read(const struct pfk_engine *e, uint16_t ifid, struct lane_if *l)
{
	static const uint8_t af[2] = { PFK_AF_INET, PFK_AF_INET6 },
	    proto[2] = { PROTO_UDP, PROTO_TCP };

	l->ifid = ifid;
	/* its counters come with its first packet */
	l->usable = ifid < e->nifaces && ifid < e->nif_counters &&
	    !iface_skipped(e, ifid);
	for (int v6 = 0; v6 < 2; v6++)
		for (int tcp = 0; tcp < 2; tcp++)
			l->tail[v6][tcp] = key_tail(e, ifid, af[v6],
			    proto[tcp]);
}

/* Where the IP packet is; plain Ethernet and one VLAN tag without detour. */
static bool
find_ip(const struct pfk_packet *f, struct pfk_network *net)
{
	const uint8_t *p = f->data;
	uint32_t off = 14;
	uint16_t type;

	if (f->linktype != LINKTYPE_ETHERNET || f->caplen < 18)
		return pfk_link_decode(f->linktype, p, f->caplen, f->wirelen,
		    net);
	type = get16(p + 12);
	if (type == TYPE_VLAN) {
		type = get16(p + 16);
		off = 18;
	}
	if (type != TYPE_IP && type != TYPE_IPV6)
		return pfk_link_decode(f->linktype, p, f->caplen, f->wirelen,
		    net);
	net->af = type == TYPE_IP ? PFK_AF_INET : PFK_AF_INET6;
	net->off = off;
	net->caplen = f->caplen - off;
	net->wirelen = f->wirelen > f->caplen ? f->wirelen - off :
	    net->caplen;
	return true;
}

static inline bool
sum4_right(const uint8_t *ip)
{
	uint64_t s = (uint64_t)word_at(ip) + word_at(ip + 4) +
	    word_at(ip + 8) + word_at(ip + 12) + word_at(ip + 16);

	s = (s & 0xffffffff) + (s >> 32);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (s & 0xffff) + (s >> 16) == 0xffff;
}

/* What a host refuses to take in, and perhaps some more. */
static inline bool
welcome(const struct lane_packet *l)
{
	if (!l->v6)
		return sum4_right(l->ip) & (l->ip[12] != 127) &
		    (l->ip[16] != 127);
	/* multicast, link-local, ::1 and their like are asked about there */
	return l->ip[8] != 0 && l->ip[8] < 0xfe &&
	    l->ip[24] != 0 && l->ip[24] < 0xfe;
}

/* The IP header; false: nothing that the lane knows. */
static inline bool
read_ip(struct lane_packet *l, const struct pfk_network *net)
{
	const uint8_t *ip = l->ip;
	uint8_t proto;

	if (net->caplen < 28)
		return false;
	if (!l->v6) {
		if (ip[0] != 0x45 || (get16(ip + 6) & 0xbfff) != 0)
			return false;
		proto = ip[9];
		l->len = get16(ip + 2);
		l->hdr = ip + 20;
	} else {
		if (ip[0] >> 4 != 6)
			return false;
		proto = ip[6];
		l->len = get16(ip + 4) + 40u;
		l->hdr = ip + 40;
	}
	l->tcp = proto == PROTO_TCP;
	return (l->tcp || proto == PROTO_UDP) && l->len <= net->wirelen;
}

/* => The header is there.  Flags and lengths that nobody needs to mend. */
static inline bool
tcp_usual(struct lane_packet *l, uint32_t plen)
{
	const uint8_t *th = l->hdr;
	uint32_t doff = (th[12] >> 4) * 4u;

	l->datalen = plen - doff;
	return doff >= 20 && doff <= plen &&
	    (get16(th + 12) & (0x0f00 | TCP_FIN | TCP_SYN | TCP_RST |
	    TCP_ACK | TCP_URG)) == TCP_ACK && get16(th + 18) == 0;
}

static inline bool
udp_usual(const struct lane_packet *l, uint32_t plen)
{
	uint16_t len = get16(l->hdr + 4);

	return len >= 8 && len <= plen;
}

/*
 * Addresses and ports in the order of the packet's direction, and hashed.
 * Packets of a connection often come together: then the hash is known.
 */
static inline void
make_key(const struct pfk_engine *e, struct lane_packet *l,
    const struct lane_packet *before, uint32_t tail)
{
	uint32_t ports = word_at(l->hdr), src, dst, swap;
	bool out = l->dir == PFK_OUT;
	const uint8_t *ip = l->ip;
	uint64_t w[2];

	/* directions come at random: no branches */
	swap = 0u - out;
	ports ^= (ports ^ (ports << 16 | ports >> 16)) & swap;
	l->key[4] = join(ports, tail);
	if (l->v6) {
		memcpy(&l->key[out ? 2 : 0], ip + 8, 16);
		memcpy(&l->key[out ? 0 : 2], ip + 24, 16);
		l->hash = state_hash_words(&e->hash_key, l->key, 5);
		return;
	}
	src = word_at(ip + 12);
	dst = word_at(ip + 16);
	swap &= src ^ dst;
	l->key[0] = join(src ^ swap, dst ^ swap);
	if (before != NULL && before->known && !before->v6 &&
	    before->key[0] == l->key[0] && before->key[4] == l->key[4]) {
		l->hash = before->hash;
		return;
	}
	w[0] = l->key[0];
	w[1] = l->key[4];
	l->hash = state_hash_words(&e->hash_key, w, 2);
}

void
lane_read(const struct pfk_engine *e, const struct pfk_packet *f,
    struct lane_if *i, const struct lane_packet *before,
    struct lane_packet *l)
{
	struct pfk_network net;
	uint32_t hlen, plen;

	l->known = l->usual = false;
	l->ref = 0;
	if (i->ifid != f->ifid)
		interface_read(e, f->ifid, i);
	if (!find_ip(f, &net))
		return;
	l->ip = f->data + net.off;
	l->v6 = net.af == PFK_AF_INET6;
	l->dir = f->dir == PFK_OUT ? PFK_OUT : PFK_IN;
	if (!read_ip(l, &net))
		return;
	hlen = l->v6 ? 40 : 20;
	plen = l->len - hlen;
	if (l->len < hlen + (l->tcp ? 20 : 8) ||
	    net.caplen < hlen + (l->tcp ? 20 : 8))
		return;
	make_key(e, l, before, i->tail[l->v6][l->tcp]);
	l->known = true;
	l->usual = i->usable && f->dir != PFK_FWD &&
	    get16(l->hdr + 2) != 0 &&
	    (l->tcp ? tcp_usual(l, plen) : udp_usual(l, plen)) &&
	    ((l->dir == PFK_OUT) | welcome(l)) &&
	    /* who is told sees zeros for what was not captured */
	    (net.caplen >= l->len || e->sink.decision == NULL);
}
