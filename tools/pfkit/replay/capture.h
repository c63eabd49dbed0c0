/*
 * Capture files: pcap (all byte orders and resolutions) and pcapng, read
 * without copying a packet.
 *
 *	stream.c	bytes, decompressed
 *	capture.c	the one large buffer, which format it is
 *	pcap.c, pcapng.c  the two formats
 *
 * They are read here and not by libpcap, because libpcap hands out packets
 * without pcapng's interface names and direction flags, refuses files with
 * several link types, cannot read from a decompressor everywhere, and lends
 * one packet at a time where a burst of them is wanted.
 *
 * A packet's bytes stay where they are in the buffer until capture_next()
 * is allowed to move them; so a burst is gathered with may_move false until
 * CAPTURE_FULL comes, is used, and then the next call moves.
 */
#ifndef REPLAY_CAPTURE_H
#define REPLAY_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/engine.h>

#include "stream.h"

#define CAPTURE_ERRLEN	256

struct record {
	uint64_t	 time;		/* ns since 1970 */
	const uint8_t	*data;
	uint32_t	 caplen, wirelen;
	uint16_t	 linktype;
	uint8_t		 dir;		/* PFK_IN, PFK_OUT; 0: not told */
	uint32_t	 interface;	/* capture_ifname() */
};

enum capture_result { CAPTURE_ERROR = -1, CAPTURE_END, CAPTURE_PACKET,
    CAPTURE_FULL };

struct capture;

/*
 * NULL: error (CAPTURE_ERRLEN) says why.  The stream is the capture's, also
 * then.
 */
struct capture *capture_open(struct stream *, char *error);
void	 capture_close(struct capture *);	/* NULL is fine */
/*
 * The next packet.  CAPTURE_FULL only without may_move; with it, what earlier
 * calls lent is gone.
 */
enum capture_result capture_next(struct capture *, bool may_move,
	    struct record *);
/*
 * Packets that follow each other, as many as there are in the buffer and at
 * most max: time, bytes, lengths, link type and dir of each, and in ifid the
 * number of its interface.  0: *r says why, as capture_next() would.
 */
size_t	 capture_burst(struct capture *, bool may_move, struct pfk_packet *,
	    size_t max, enum capture_result *r);
/*
 * After CAPTURE_FULL: what is unread moves to the fresh buffer, from which
 * reading goes on; what was lent stays in the old one, which the caller gets
 * in exchange.  false: no memory, and nothing has changed.
 */
struct buffer { uint8_t *bytes; size_t size; };	/* of malloc(); NULL, 0 */
bool	 capture_swap(struct capture *, struct buffer *);
/* A packet of a record, as capture_burst() gives it. */
void	 capture_packet(const struct record *, struct pfk_packet *);
/* After CAPTURE_ERROR: what is wrong, and in which packet (from 1). */
const char *capture_error(const struct capture *);
uint64_t capture_packets(const struct capture *);	/* read so far */
/* The name that the file gives to an interface, or NULL. */
const char *capture_ifname(const struct capture *, uint32_t interface);
const struct stream *capture_stream(const struct capture *);

#endif
