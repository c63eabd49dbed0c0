/*
 * The usual packet of a known connection: hit.c.
 */
#ifndef RUNTIME_HIT_H
#define RUNTIME_HIT_H

#include "runtime/engine_int.h"

/* What has been found out about a packet of a burst. */
struct hit {
	uint64_t	 key[2];	/* words of its state's key */
	uint32_t	 hash;
	uint32_t	 len;		/* of the IP packet */
	uint32_t	 state;		/* that may be meant; 0: none */
	bool		 usual;		/* the rest is there */
};

/* Nothing is decided yet; what will be needed is on its way to the cache. */
void	 hits_prepare(const struct pfk_engine *, const struct pfk_packet *,
	    size_t n, struct hit *);
/* After states came or went: the state is looked for once more. */
void	 hit_find_again(const struct pfk_engine *, struct hit *);
/* false: nothing has been done, run_frame() decides. */
bool	 hit_packet(struct pfk_engine *, const struct pfk_packet *,
	    const struct hit *);

#endif
