/*
 * A packet under way through the filter: where its headers are, what it is
 * about, and what has been decided.
 *
 * Bytes: `ip` points at the IP header.  At first that is the caller's
 * buffer, which must not be written; whoever changes the packet calls
 * pkt_writable() first (a copy into the engine's buffer, once), and every
 * change of an address, port or header field goes through the functions of
 * rewrite.h, which keep checksums right and the fields below in step.
 *
 *	ip                 hdr                       ip + len
 *	|<---- hdrlen ---->|<--------- plen --------->|
 *	 IP header, options, transport header, data
 *	 extension headers
 *
 * If the capture is shorter than the packet, pkt_writable() fills up with
 * zeros; `have` says how much is real.  Headers that are looked at are
 * always there: decode.c sees to it.
 *
 * Ports and addresses are in network order.
 */
#ifndef RUNTIME_PKT_H
#define RUNTIME_PKT_H

#include <stdbool.h>
#include <stdint.h>

#include <pfkit/engine.h>

#include "base/addr.h"

struct pfk_engine;
struct state;

/* Protocol numbers (IANA); headers of systems differ, so here they are. */
enum { PROTO_HOPOPTS = 0, PROTO_ICMP = 1, PROTO_IGMP = 2, PROTO_TCP = 6,
    PROTO_UDP = 17, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_ESP = 50,
    PROTO_AH = 51, PROTO_ICMPV6 = 58, PROTO_NONE = 59, PROTO_DSTOPTS = 60 };
/* pkt.vproto: of a fragment that goes through the rules alone */
#define VPROTO_FRAGMENT	256

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PUSH = 0x08,
    TCP_ACK = 0x10, TCP_URG = 0x20, TCP_ECE = 0x40, TCP_CWR = 0x80 };

/* Sides of a packet: pkt.addr[SRC] */
enum { SRC, DST };

/* What a step says about the packet. */
enum outcome { PKT_PASS, PKT_DROP, PKT_HOLD, PKT_SYNPROXY_DROP, PKT_AFTO };

/* Kinds of pf's per-rule "actions" that add up over match rules. */
struct actions {
	int32_t		rtable;		/* -1: unchanged */
	uint16_t	qid, pqid;
	uint16_t	max_mss, delay;
	uint8_t		log;
	uint8_t		set_tos, min_ttl;
	uint8_t		set_prio[2];
	uint16_t	flags;		/* PFK_STATE_F_* of scrub and set */
};

/* What a decision tells of a packet: to see what has changed. */
struct pkt_view {
	struct pfk_flow	 flow, quote;
	bool		 has_quote;
	uint8_t		 ttl, tos;
	bool		 df;
	uint16_t	 mss;
};

/* The packet quoted by an ICMP error. */
struct quote {
	uint32_t	off;		/* of the quoted IP header */
	uint32_t	hdroff;		/* of its transport header */
	uint8_t		af, proto;
	struct pfk_addr	addr[2];
	uint16_t	port[2];	/* ICMP: SRC is the id if rules may
					   translate it (echo), else 0 */
	uint8_t		icmp_type;
	uint32_t	seq;		/* of TCP */
	uint8_t		ttl;
};

struct pkt {
	struct pfk_engine *e;
	const struct pfk_packet *frame;	/* what came in */

	uint8_t		*ip;		/* see above */
	uint32_t	 len;		/* of the packet, by its IP header */
	uint32_t	 have;		/* bytes of it that are real */
	uint32_t	 hdrlen;	/* offset of the transport header */
	uint32_t	 plen;		/* len - hdrlen */
	bool		 writable;	/* ip points into the engine's buffer;
					   then all of len is there */
	bool		 reassembled;
	bool		 badopts;	/* IP options or like extension headers */
	bool		 modified;	/* something was rewritten */

	uint8_t		 af, naf;	/* enum pfk_af; naf: what af-to wants */
	uint8_t		 dir;		/* PFK_IN, PFK_OUT */
	uint8_t		 proto;		/* of the transport header */
	uint16_t	 vproto;	/* proto, or VPROTO_FRAGMENT */
	uint8_t		 ttl, tos;
	uint16_t	 fragoff;	/* IPv6: offset of the fragment header,
					   0: not a fragment */
	uint32_t	 extoff;	/* IPv6: last extension header before
					   the fragment header, or 0 */
	uint8_t		 tcp_flags;	/* as they are now (after normalise) */
	uint8_t		 icmp_type, icmp_code;
	bool		 icmp_error;	/* an error whose state is af-to: see
					   afto_error() */

	struct pfk_addr	 addr[2];	/* as the packet has them now */
	uint16_t	 port[2];	/* TCP, UDP; ICMP, once the rules are
					   asked: (id, type) of a query,
					   (type, id) of its answer, where
					   type is the query's */
	struct pfk_addr	 oaddr[2];	/* as it came */
	uint16_t	 oport[2];
	struct pfk_addr	 naddr[2];	/* af-to: addresses to be */
	uint16_t	 nport[2];

	uint16_t	 ifid;		/* where the decision is made */
	uint16_t	 rcvif;		/* where it came in, or IF_NONE */
	uint16_t	 rdomain;
	int32_t		 rtable;	/* of `rtable` rules */
	uint16_t	 tag;		/* number of a tag name, or 0 */
	uint8_t		 prio;
	uint8_t		 log;		/* a match rule wants it logged */
	bool		 second;	/* outgoing half of forwarding */
	bool		 routed;	/* route-to has been applied */
	int32_t		 quote_growth;	/* of an error that af-to translates */
	bool		 recreated;	/* a SYN built again from a cookie */
	bool		 cksum_bad, cksum_known; /* transport; cksum_ok() */
	uint8_t		 routes;	/* times it was sent elsewhere */
	bool		 before_known;

	uint64_t	 now;		/* ns since the engine started */
	enum pfk_reason	 reason;	/* why it is dropped, or held */
	enum pfk_reason	 counted;	/* last one that is not `match` */
	struct pfk_decision *dec;	/* being filled */
	struct quote	 quote;		/* of an ICMP error with a state */
	/* how it looked before the first change; kept by pkt_writable() */
	struct pkt_view	 before;
};
#define IF_NONE		UINT16_MAX

/*
 * decode.c.  pkt_decode() finds the IP packet in the frame; false: it never
 * reaches pf (not IP, broken header, on input an address that must not be on
 * the wire).  pkt_decode_transport() then fills all the rest (naf = af);
 * PKT_PASS, or PKT_DROP with p->reason.  It is called again for a packet that
 * has been put together of fragments, or that is looked at a second time.
 */
bool	pkt_decode(struct pkt *);
enum outcome pkt_decode_transport(struct pkt *);
/*
 * The bytes [off, off + n) of the packet, or NULL if it (by its own length)
 * does not have them; bytes that the capture cut off come out as zeros, so the
 * pointer may be into a scratch copy.
 */
const uint8_t *pkt_bytes(struct pkt *, uint32_t off, uint32_t n);
/* Makes ip writable and whole (in e->work).  Always true. */
bool	pkt_writable(struct pkt *);
/* The same for what the capture cut off; nothing is going to be changed. */
void	pkt_copy(struct pkt *);
/* Whether the transport checksum is right (computed once). */
bool	pkt_cksum_ok(struct pkt *);
/* The Internet checksum's running sum over bytes, and folding it. */
uint32_t cksum_add(uint32_t sum, const uint8_t *, uint32_t n);
uint16_t cksum_fold(uint32_t sum);
void	pkt_view(struct pkt *, struct pkt_view *);
/* The MSS that a TCP header tells, or 0; n: bytes from there on. */
uint16_t view_mss(const uint8_t *th, uint32_t n);
/* TCP: bytes of data; an option of a whole header, at least min bytes of it
 * with kind and length, or NULL (the last one counts). */
uint32_t tcp_datalen(const struct pkt *);
const uint8_t *tcp_option(const uint8_t *th, uint8_t kind, uint8_t min);

static inline uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static inline void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* Ports in struct pkt and state keys are network order: to and from host. */
static inline uint16_t
port_host(uint16_t net)
{
	const uint8_t *p = (const uint8_t *)&net;

	return get16(p);
}

static inline uint16_t
port_net(uint16_t host)
{
	uint16_t net;

	put16((uint8_t *)&net, host);
	return net;
}

#endif
