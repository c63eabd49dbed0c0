/*
 * What the two formats share.
 */
#ifndef REPLAY_CAPTURE_INT_H
#define REPLAY_CAPTURE_INT_H

#include <string.h>

#include "capture.h"

#define MAX_RECORD	(1u << 24)	/* bytes of one packet or block */

/* An interface of a pcapng section; pcap has one. */
struct capture_if {
	uint16_t	 linktype;
	uint32_t	 snaplen;
	char		*name;		/* NULL: not told */
	/* time of a unit: 10^-n s, or 2^-n s */
	uint8_t		 resolution;
	bool		 binary;
	int64_t		 offset;	/* seconds added */
};

struct capture {
	struct stream	*stream;
	uint8_t		*buf;
	size_t		 size, pos, len; /* unread: buf[pos] to buf[len] */
	bool		 ended, failed;	/* nothing comes any more */
	enum capture_result (*next)(struct capture *, bool, struct record *);
	/* what of a burst needs no care; NULL: there is no such way */
	size_t	(*burst)(struct capture *, struct pfk_packet *, size_t max);
	bool		 swapped;
	bool		 nanoseconds;	/* pcap */
	size_t		 record_len;	/* pcap: bytes before a packet */
	struct capture_if *ifs;
	uint32_t	 nifs, ifs_size;
	uint32_t	 first_if;	/* of the section */
	uint64_t	 last_time;	/* of a packet before */
	uint64_t	 packets;
	char		 error[CAPTURE_ERRLEN];
};

/*
 * n unread bytes in one piece.  NULL: *r is CAPTURE_FULL, CAPTURE_ERROR, or
 * CAPTURE_END if not one byte is left.
 */
const uint8_t *capture_need(struct capture *, size_t n, bool may_move,
	    enum capture_result *r);
enum capture_result capture_fail(struct capture *, const char *, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
/* A new interface; NULL: no memory, and the error is set. */
struct capture_if *capture_add_if(struct capture *);

/* Numbers in the file's byte order. */
static inline uint32_t
turned32(uint32_t v)
{
	return v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24;
}

static inline uint16_t
get16(const struct capture *c, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return c->swapped ? (uint16_t)(v << 8 | v >> 8) : v;
}

static inline uint32_t
get32(const struct capture *c, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return c->swapped ? turned32(v) : v;
}

/* Whether the file begins so; then the format is set up. */
bool	 pcap_open(struct capture *, const uint8_t *start);
bool	 pcapng_open(struct capture *, const uint8_t *start);

#endif
