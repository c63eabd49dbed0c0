/*
 * Translation: choosing addresses and ports, changing packets, and sources
 * that are tracked.
 *	pool.c		nat-to, rdr-to, route-to: which address, which port
 *	rewrite.c	changes with incremental checksums (RFC 1624)
 *	rewrite_icmp.c	quoted packets		afto.c	other address family
 *	srcnode.c	source tracking
 *	reply.c		what pf sends itself	syncookie.c
 */
#ifndef RUNTIME_TRANSLATE_H
#define RUNTIME_TRANSLATE_H

#include "runtime/engine_int.h"
#include "runtime/state.h"

/* ---- pool.c ---- */
int	pools_init(struct pfk_engine *);
void	pools_free(struct pfk_engine *);
/*
 * The pools of an image that is loaded into an anchor (pools_init() does the
 * engine's own): *base is the index in e->pools of its first.
 */
int	pools_add(struct pfk_engine *, const struct pfk_image *,
	    uint32_t *base);
/*
 * What a matching rule with nat-to, rdr-to or af-to does to the packet in
 * f->p: sets p->addr/port (nothing is written yet: later rules see the new
 * addresses, oaddr keeps the old; for af-to naddr/nport), f->nat_rule and
 * f->nodes.  false: no address or port left (reason TRANSLATE).
 */
bool	pool_translate(struct pfk_engine *, struct filter *, uint32_t rule);
/*
 * The next hop of a rule with route-to, reply-to or dup-to, kept in the new
 * state.  false: NOROUTE.
 */
bool	pool_route(struct pfk_engine *, struct filter *, uint32_t rule,
	    struct pfk_addr *addr, uint8_t *af, uint16_t *ifid);
/* States ended that a `least-states` pool had counted. */
void	pool_state_ended(struct pfk_engine *, uint32_t state);

/* ---- rewrite.c ----
 * All of them change the bytes, the checksums, and struct pkt's fields, and
 * need no check by the caller that the packet is writable.  false: no memory.
 */
bool	rewrite_addr(struct pkt *, int side, const struct pfk_addr *);
bool	rewrite_port(struct pkt *, int side, uint16_t port); /* TCP, UDP */
bool	rewrite_icmp_id(struct pkt *, uint16_t id);
/* n (even) bytes at an offset of the packet, counted by the checksum of the
 * transport header. */
bool	rewrite_transport(struct pkt *, uint32_t off, const void *, uint32_t n);
/* The same in the IP header (IPv4 header checksum follows). */
bool	rewrite_ip(struct pkt *, uint32_t off, const void *, uint32_t n);
bool	rewrite_ttl(struct pkt *, uint8_t);
bool	rewrite_tos(struct pkt *, uint8_t);
/* Source and destination, TCP's and UDP's ports, as the key asks (same
 * family; id of ICMP: rewrite_icmp_id()); *changed: whether anything was
 * different.  All compare with what the packet's bytes are. */
bool	rewrite_flow(struct pkt *, const struct pfk_addr *src, uint16_t sport,
	    const struct pfk_addr *dst, uint16_t dport, bool *changed);
/* The packet quoted by an ICMP error (struct quote): one address and port (of
 * ICMP echo: side SRC, the id), its checksums and that of the error around
 * it. */
bool	rewrite_quote(struct pkt *, struct quote *, int side,
	    const struct pfk_addr *, uint16_t port);

/* ---- afto.c: RFC 7915 as pf does it ----
 * The packet becomes one of p->naf with p->naddr and p->nport (of ICMP: its
 * id, in nport[SRC]).  PKT_DROP: cannot be (reason). */
enum outcome afto_packet(struct pkt *);
/*
 * An ICMP error with its quote.  p->naddr: the quoted packet's addresses to
 * be, the other way round (naddr[DST] is who sent it); p->nport: the quoted
 * ports to be (of ICMP: its id, in nport[SRC]).
 */
enum outcome afto_error(struct pkt *, struct quote *);
/* Whether a message (its 8 bytes) has an equivalent in the other family. */
bool	afto_icmp_possible(uint8_t from_af, const uint8_t *icmp);

/* ---- srcnode.c ---- */
int	nodes_init(struct pfk_engine *);
void	nodes_free(struct pfk_engine *);
enum node_type { NODE_NONE, NODE_NAT, NODE_RDR, NODE_ROUTE };
/*
 * Finds or makes the entry of the source for the rule (*node if that is not
 * 0), which counts one more state later; raddr (or NULL) is kept in a new one.
 * PKT_PASS with *node; PKT_DROP: a limit or no memory (pf: reason SRCLIMIT).
 */
enum outcome node_get(struct pfk_engine *, uint32_t rule, enum node_type,
	    uint8_t af, const struct pfk_addr *src, const struct pfk_addr *raddr,
	    uint8_t raf, uint16_t rifid, uint32_t *node);
/* The entry if there is one (sticky-address), or 0. */
uint32_t node_find(struct pfk_engine *, uint32_t rule, enum node_type,
	    uint8_t af, const struct pfk_addr *src);
/* The address kept in it; false: none. */
bool	node_raddr(const struct pfk_engine *, uint32_t node,
	    struct pfk_addr *raddr, uint8_t *af, uint16_t *ifid);
void	node_state_added(struct pfk_engine *, uint32_t node);
/* rule: the state's, whose timeout src.track counts. */
void	node_state_removed(struct pfk_engine *, uint32_t node, uint32_t rule,
	    bool tcp_est);
/* A state could not be made: its nodes (0 is fine) go if nothing needs them. */
void	node_drop_unused(struct pfk_engine *, uint32_t node);
/* The entry goes, and states that have it forget it. */
void	node_forget(struct pfk_engine *, uint32_t node);
/* A packet of the state; out: its direction. */
void	nodes_count(struct pfk_engine *, uint32_t state, bool out,
	    uint32_t bytes);
#define FLUSH_GLOBAL	2	/* img_rule.flush: not only the rule's states */
/*
 * A TCP handshake finished: max-src-conn, max-src-conn-rate, overload with
 * flush.  false: over the limit (the packet is dropped, reason SRCLIMIT).
 */
bool	node_connected(struct pkt *, uint32_t state);
void	nodes_purge(struct pfk_engine *);	/* called by purge_until() */

/* ---- reply.c: what pf sends ---- */
int	replies_init(struct pfk_engine *);
void	replies_free(struct pfk_engine *);
void	replies_reset(struct pfk_engine *);	/* before each decision */
/* Those of this decision; how many there are. */
unsigned replies_get(const struct pfk_engine *, const struct pfk_reply **);
struct tcp_reply {
	uint8_t		af;
	struct pfk_addr	src, dst;
	uint16_t	sport, dport;	/* network order */
	uint32_t	seq, ack;
	uint8_t		flags, ttl;	/* ttl 0: 64 (IPv6: always) */
	uint16_t	win, mss;	/* mss 0: no option */
	uint8_t		wscale;		/* WSCALE_NONE: no option */
};
#define WSCALE_NONE	0xff
void	reply_tcp(struct pkt *, const struct tcp_reply *);
/* The packet itself, at ip (100 bytes are enough, all zero); its length. */
uint32_t tcp_build(struct pfk_engine *, uint8_t *ip, const struct tcp_reply *);
/* An error with pf's type and code about the packet as it is; param: MTU. */
void	reply_icmp(struct pkt *, uint8_t af, uint8_t type, uint8_t code,
	    uint32_t param);
/*
 * What the rule sends for this packet, if it is a block rule that returns
 * something.  p->reason becomes PROTCKSUM if its TCP checksum is wrong.
 */
void	reply_return(struct pkt *, const struct img_rule *);

/* ---- syncookie.c ---- */
int	syncookies_init(struct pfk_engine *);
void	syncookies_free(struct pfk_engine *);
/* Whether an incoming SYN (without ACK) is to be answered with a cookie. */
bool	syncookies_active(const struct pkt *);
/* No cookie will be sent, or is waited for. */
bool	syncookies_idle(const struct pfk_engine *);
void	syncookie_send(struct pkt *);
/*
 * Whether an incoming ACK without a live state answers a cookie.  If so *syn
 * is the SYN that it followed, to be decoded and filtered (its bytes are in
 * e->scratch); that one never asks for a cookie.
 */
bool	syncookie_check(struct pkt *ack, struct pkt *syn);
/* Each second: keys change, adaptive mode ends. */
void	syncookies_tick(struct pfk_engine *);

/* Whether there is an entry of that index (or it is 0): saved states. */
bool	node_exists(const struct pfk_engine *, uint32_t);
struct saver;
void	nodes_save(const struct pfk_engine *, struct saver *);
bool	nodes_restore(struct pfk_engine *, struct saver *);
void	pools_save(const struct pfk_engine *, struct saver *);
bool	pools_restore(struct pfk_engine *, struct saver *);
void	syncookies_save(const struct pfk_engine *, struct saver *);
bool	syncookies_restore(struct pfk_engine *, struct saver *);

#endif
