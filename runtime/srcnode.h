/*
 * Inside of source tracking: srcnode.c and srcnode_public.c.
 */
#ifndef RUNTIME_SRCNODE_H
#define RUNTIME_SRCNODE_H

#include "runtime/translate.h"

struct src_node {
	struct pfk_addr	addr, raddr;
	struct rate	rate;		/* of connections */
	uint32_t	rule;
	uint32_t	states, connections;
	uint32_t	created, expire; /* s since start */
	uint32_t	next;		/* of the bucket, or of the free list */
	uint64_t	packets[2], bytes[2];
	uint16_t	rifid;
	uint8_t		af, type;
	uint8_t		raf;		/* 0: no raddr */
	bool		used;
};

struct src_nodes {
	uint32_t	n, cap;		/* records once used, of e->nodes */
	uint32_t	free_list;
	uint32_t	*buckets;
	uint32_t	nbuckets;	/* a power of two */
};

/* Makes a record without looking for limits; 0: no memory. */
uint32_t node_insert(struct pfk_engine *, uint32_t rule, enum node_type,
	    uint8_t af, const struct pfk_addr *src);
void	 node_remove(struct pfk_engine *, uint32_t);

#endif
