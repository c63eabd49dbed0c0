/*
 * Several engines that share one stream of packets, so that each can run in a
 * thread of its own, and decide as one engine would.
 *
 *	for each engine: pfk_engine_new() with the same options
 *	pfk_engine_shared() says that nothing keeps them from it
 *	pfk_shards_new(engines, n, &shards)
 *	in order of the packets:
 *		pfk_shards_deal() says which engines they are for
 *		a full second of the clock begins with it: all engines rest,
 *		and pfk_shards_advance() is called
 *	pfk_shards_merge()	engine 0 is now as if it had been alone
 *	pfk_shards_free()
 *
 * Packets are dealt by their two addresses: so both directions of a connection
 * meet, and what ICMP errors quote, and all fragments of a packet.  What
 * connections have in common is the number of states, and of fragments that
 * wait, which can be seen from the numbers before; and the sweeps over all of
 * them, which happen at full seconds: pfk_shards_advance().
 *
 * => Numbers of packets (pfk_packet.number) grow from packet to packet.
 * => The sinks of the engines tell ids of states that are provisional:
 *    pfk_shards_id().
 */
#ifndef PFKIT_SHARD_H
#define PFKIT_SHARD_H

#include <pfkit/engine.h>

#define PFK_SHARDS_MAX	32u

struct pfk_shards;

/*
 * What connections have in common by the ruleset, so that packets must be
 * decided in their order: a few words, or NULL when there is nothing more.
 * *next is 0 at first; *rule the rule, or PFK_RULE_NONE.
 */
const char *pfk_engine_shared(const struct pfk_engine *, size_t *next,
	    uint32_t *rule);
/* The same of a ruleset, for an engine that is new and has its options. */
const char *pfk_image_shared(const struct pfk_image *, size_t *next,
	    uint32_t *rule);

/* PFK_OK or PFK_ERR_NOMEM.  The engines are new, and stay the caller's. */
int	 pfk_shards_new(struct pfk_engine *const *, unsigned n,
	    struct pfk_shards **);
void	 pfk_shards_free(struct pfk_shards *);		/* NULL is fine */
/*
 * The engines for packets, into engine[], with PFK_SHARDS_FRAGMENT if it is a
 * fragment; how many: all, or those before one of which it cannot be told
 * (some fragments of ICMP), and before it comes all must be merged.  Any thread
 * may ask at any time.
 */
#define PFK_SHARDS_FRAGMENT	0x80u
size_t	 pfk_shards_deal(const struct pfk_shards *, const struct pfk_packet *,
	    size_t n, uint8_t *engine);
/*
 * => No engine is running.
 * Ids of states become final.  Then time passes, if it does.
 */
#define PFK_SHARDS_STAY	UINT64_MAX
void	 pfk_shards_advance(struct pfk_shards *, uint64_t time);
/* As of the last pfk_shards_advance(): how many more states there may be, and
 * how many more fragments may come. */
size_t	 pfk_shards_room(const struct pfk_shards *);
size_t	 pfk_shards_fragments(const struct pfk_shards *);
/*
 * Of decisions about states that were made since the last
 * pfk_shards_advance(), the ids are provisional: they grow in the order in
 * which states are made, beginning anew above all others at each
 * pfk_shards_advance().
 */
#define PFK_SHARDS_PROVISIONAL	(UINT64_C(1) << 63)
/* The final id of the first state that is made next, when no engine runs. */
uint64_t pfk_shards_next_id(const struct pfk_shards *);
/*
 * Provisional ids of the states that engine k has made since it was asked
 * last, at most max; how many.  => It is not running.
 */
size_t	 pfk_shards_made(struct pfk_shards *, unsigned k, uint64_t *ids,
	    size_t max);
/*
 * => No engine is running.
 * Everything into engine 0, which is then an engine as any other; the others
 * are of no use any more.  PFK_OK or PFK_ERR_NOMEM: then all is lost.
 */
int	 pfk_shards_merge(struct pfk_shards *);

#endif
