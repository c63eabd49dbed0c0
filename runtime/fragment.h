/*
 * Inside of reassembly: fragment.c keeps what waits, fragment4.c and
 * fragment6.c know the headers, fragment_save.c saves.
 */
#ifndef RUNTIME_FRAGMENT_H
#define RUNTIME_FRAGMENT_H

#include "runtime/normalize.h"

/* A fragment by itself. */
struct frag_part {
	uint32_t	hdrlen;		/* all before its data; kept at offset 0
					   only */
	uint32_t	extoff;		/* IPv6: extension header before it */
	uint32_t	off, len;	/* in the packet's data */
	bool		more;
};

/* Packets between the same ends. */
struct frag_flow {
	struct pfk_addr	src, dst;
	uint8_t		af, proto;	/* proto 0: IPv6 */
	uint8_t		reserved[2];
};

struct frag_entry {			/* a fragment that waits */
	struct frag_entry *prev, *next;	/* by offset */
	struct frag_part part;
	uint32_t	size;		/* bytes at data, as allocated */
	uint32_t	skip;		/* of them: cut off since, or header */
	uint8_t		data[];
};

#define FRAG_PLACES	16		/* parts of the data counted alone */
#define FRAG_PER_PLACE	64

struct frag_node {			/* a flow with packets that wait */
	struct frag_node *next;		/* of its bucket */
	struct frag_flow flow;
	uint32_t	generation;
	uint32_t	npackets;
};

struct frag_packet {			/* a packet that is being put together */
	struct frag_packet *next;	/* of its bucket */
	struct frag_packet *older, *newer; /* by last use */
	struct frag_node *node;
	uint32_t	id;
	uint32_t	since;		/* s since start */
	uint64_t	used;		/* last, by the frame of this number */
	uint32_t	generation;
	int32_t		holes;
	struct frag_entry *first, *last;
	uint8_t		places[FRAG_PLACES];
};

#define FRAG_BUCKETS	1024

struct frag_cache {
	struct frag_node *nodes[FRAG_BUCKETS];
	struct frag_packet *packets[FRAG_BUCKETS];
	struct frag_packet *oldest, *newest;
	uint64_t	bytes;		/* of data that waits */
	uint64_t	number;		/* of the frame at hand */
};

/* What frag_put() did. */
enum frag_put { FRAG_WAITS, FRAG_WHOLE, FRAG_BAD, FRAG_DOUBLE, FRAG_NOMEM };

/*
 * Adds a fragment whose bytes (header and data) are at `bytes`.  FRAG_WHOLE:
 * *packet has all its parts: the caller takes it and frees it.
 */
enum frag_put frag_put(struct pfk_engine *, const struct frag_flow *,
	    uint32_t id, const struct frag_part *, const uint8_t *bytes,
	    struct frag_packet **packet);
void	frag_packet_free(struct pfk_engine *, struct frag_packet *);
/* Into the cache of another engine: where the flow, the packet is found. */
void	frag_node_link(struct pfk_engine *, struct frag_node *);
void	frag_packet_link(struct pfk_engine *, struct frag_packet *);
/* The list by last use; not in it yet, or not any more. */
void	frag_age_append(struct frag_cache *, struct frag_packet *);
void	frag_age_remove(struct frag_cache *, struct frag_packet *);
/* Copies the data of all parts one behind the other; returns the end. */
uint8_t	*frag_join(const struct frag_packet *, uint8_t *to);
/* Bytes of data of a whole packet. */
uint32_t frag_total(const struct frag_packet *);

/* What a packet's fragment is, by its headers; its id. */
uint32_t frag_read4(const struct pkt *, struct frag_flow *,
	    struct frag_part *);
uint32_t frag_read6(const struct pkt *, struct frag_flow *,
	    struct frag_part *);
/* Puts the headers of the whole packet before its data, in e->work; returns
 * the packet's length, 0: it is too long. */
uint32_t frag_build4(struct pfk_engine *, const struct frag_packet *);
uint32_t frag_build6(struct pfk_engine *, const struct frag_packet *);

/* A fragment of a packet (IPv4 or IPv6) that is to be put together. */
enum outcome frag_reassemble(struct pkt *);

#endif
