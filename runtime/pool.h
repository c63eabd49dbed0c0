/*
 * Inside of the pools: pool.c (what a rule does), pool_addr.c (which
 * address), pool_port.c (which port), pool_afto.c (the other family).
 */
#ifndef RUNTIME_POOL_H
#define RUNTIME_POOL_H

#include "runtime/rules.h"
#include "runtime/translate.h"

/* States that a `least-states` pool has sent to an address. */
struct pool_load {
	struct pfk_addr	addr;
	uint64_t	states;
	uint8_t		af;
};

struct pool {
	const struct img_pool *p;
	uint32_t	name;		/* of a dynamic interface, or 0 */
	struct table_turn turn;		/* whose turn it is; the counter of
					   networks, too */
	uint32_t	loads_of;	/* pool whose loads[] count */
	struct pool_load *loads;
	uint32_t	nloads, loads_cap;
	/* weights: of the list, and the least that the turn accepts */
	unsigned	gcd, most;
	bool		weighted;
	int32_t		accepts;
};

/* An address wanted of a pool. */
struct choice {
	struct pfk_engine *e;
	struct filter	*f;		/* whose nodes */
	uint32_t	 rule;
	struct pool	*pool;
	enum node_type	 type;
	uint8_t		 af;
	const struct pfk_addr *src;	/* by which it is chosen */
	struct pfk_addr	 addr;		/* the result */
	/* for those that go through all addresses: the first one */
	bool		 rounds;	/* wants to know */
	bool		 begun;
	struct pfk_addr	 begin;
};

/* false: the pool has no address (or there is no memory, or a limit). */
bool	pool_choose(struct choice *);
/* One state less at the address. */
void	pool_unload(struct pfk_engine *, struct pool *, uint8_t af,
	    const struct pfk_addr *);
/* base's bits where the mask has ones, host's where it has zeros. */
void	pool_mix(struct pfk_addr *, const struct pfk_addr *base,
	    const struct pfk_addr *mask, const struct pfk_addr *host);

/*
 * An address and port of the pool for packets that differ from all states'.
 * dst, dport: of the packet; the port comes in network order.
 */
bool	pool_choose_port(struct choice *, uint16_t *port);

/* RFC 6052 as pf has it; false: no such prefix length, *to unchanged. */
bool	afto_extract(struct pfk_addr *to4, const struct pfk_addr *from6,
	    unsigned bits);
bool	afto_embed(struct pfk_addr *to6, const struct pfk_addr *from4,
	    const struct pfk_addr *prefix, unsigned bits);
/* af-to's translation of p (addresses, ports). */
bool	pool_translate_af(struct pfk_engine *, struct filter *, uint32_t rule);

static inline struct pool *
rule_pool(const struct pfk_engine *e, uint32_t pool)
{
	return pool == IMG_NONE ? NULL : &e->pools[pool];
}

#endif
