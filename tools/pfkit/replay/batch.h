/*
 * Packets out of the captures, ready for the engine: numbered, and with the
 * place where they were seen.
 */
#ifndef REPLAY_BATCH_H
#define REPLAY_BATCH_H

#include "replay.h"
#include "where.h"

/* One thread at a time. */
struct reader {
	struct replay	*replay;
	struct where	*where;
	uint64_t	 number;	/* packets so far */
	bool		 full;		/* reader_refill() is due */
	bool		 ended;
	int		 status;	/* 1: something went wrong (told) */
	/* link types met last, + 1; the unknown one has been told */
	uint32_t	 known_link, unknown_link;
};

/*
 * The next packets, at most max.  0: a buffer is to be refilled first (full),
 * or there are no more (ended).
 */
size_t	 reader_burst(struct reader *, struct pfk_packet *, size_t max);
/*
 * Goes on after `full'.  What was lent is gone; with a spare buffer it stays,
 * in the buffer that is given back in its place.  false: no memory.
 */
bool	 reader_refill(struct reader *, struct buffer *spare);

#endif
