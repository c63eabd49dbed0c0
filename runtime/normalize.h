/*
 * Normalisation: what pf does to a packet before and apart from the rules.
 *	normalize.c	header checks, scrub options
 *	fragment*.c	reassembly
 *	tscrub.c	`reassemble tcp`: timestamps and TTL over a connection
 */
#ifndef RUNTIME_NORMALIZE_H
#define RUNTIME_NORMALIZE_H

#include "runtime/engine_int.h"
#include "runtime/state.h"

/*
 * After pkt_decode(): pf's checks of the IP header and reassembly (IPv4 and
 * IPv6).  PKT_PASS: p is the packet to go on with (perhaps reassembled);
 * PKT_HOLD: kept as a fragment; PKT_DROP: p->reason.
 */
enum outcome normalize_ip(struct pkt *);
/* Flags that cannot be, reserved bits.  PKT_PASS or PKT_DROP. */
enum outcome normalize_tcp(struct pkt *);
/* no-df, min-ttl, random-id, set tos (from rules or state; prio is engine.c's);
 * and MSS. */
bool	scrub_apply(struct pkt *, const struct actions *);
bool	scrub_mss(struct pkt *, uint16_t max_mss);
/* `random-id': the next one, of chance. */
uint16_t scrub_random_id(struct pfk_engine *);

int	frags_init(struct pfk_engine *);
void	frags_free(struct pfk_engine *);
/* Throws away what has waited too long; called by purge_until(). */
void	frags_purge(struct pfk_engine *);
/* How many more may wait by the limit, where so many do already. */
size_t	frags_room(uint64_t limit, uint64_t parts, uint64_t bytes);
/* All of n engines that shared packets into the first one. */
void	frags_merge(struct pfk_engine *const *, unsigned n);

int	tscrubs_init(struct pfk_engine *);
void	tscrubs_free(struct pfk_engine *);
/* A record for a new state (kept in its cold->tscrub); false: no memory. */
bool	tscrub_start(struct pkt *, uint32_t state);
void	tscrub_free(struct pfk_engine *, uint32_t);
/* Before the checks of a peer's first segment (seqlo still 0). */
void	tscrub_first(struct pkt *, uint32_t state, int peer);
/*
 * A packet of a state with `reassemble tcp`: replaces its timestamps and
 * evens its TTL; peer is PEER_SRC or PEER_DST, who sent it.  PKT_DROP:
 * p->reason.  *writeback: the packet changed.
 */
enum outcome tscrub_packet(struct pkt *, uint32_t state, int peer,
	    bool *writeback);

/* Saved states (save.c asks). */
struct saver;
void	frags_save(const struct pfk_engine *, struct saver *);
bool	frags_restore(struct pfk_engine *, struct saver *);
void	tscrubs_save(const struct pfk_engine *, struct saver *);
bool	tscrubs_restore(struct pfk_engine *, struct saver *);
/* Whether a restored state's record can be. */
bool	tscrub_valid(const struct pfk_engine *, uint32_t);

#endif
