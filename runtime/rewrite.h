/*
 * Checksums, for the rooms that change or make packets: rewrite*.c, afto.c,
 * reply.c, fragment.c.
 */
#ifndef RUNTIME_REWRITE_H
#define RUNTIME_REWRITE_H

#include "runtime/translate.h"

/*
 * Adds to a running sum what it means for a checksum that `was` becomes `now`;
 * odd: the first byte stands at an odd place of what the checksum covers.
 */
uint32_t cksum_exchange(uint32_t sum, const uint8_t *was, const uint8_t *now,
	    uint32_t n, bool odd);
/* Corrects the checksum by such a sum. */
void	 cksum_correct(uint8_t *field, uint32_t sum, bool udp);
/* The checksum of ICMP (n bytes at hdr) where all of it became zero. */
void	 cksum_zeros(uint8_t *hdr, uint32_t n);
/* Where a transport header has its checksum; 0: it has none. */
uint32_t cksum_place(uint32_t proto);
/*
 * The transport checksum of a whole packet, from scratch.  at: offset of the
 * transport header.
 */
void	 cksum_transport(uint8_t *ip, uint32_t len, uint32_t at, uint32_t proto);
/* That of an IPv4 header. */
void	 cksum_header(uint8_t *ip);

#endif
