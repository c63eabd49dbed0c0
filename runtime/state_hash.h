/*
 * The hash of a state's key, keyed: who chooses addresses and ports cannot
 * know which of them come together in the table.
 *
 * What of a key says something goes in: an IPv4 key has its addresses in 8 of
 * 32 bytes, so it is two words; an IPv6 key is five.  The last word of both
 * has ports, routing domain, family and protocol.  No hash is 0.
 *
 * Where the processor has AES, four of its rounds under round keys of the
 * engine's own mix each block of 16 bytes into the next one, as in the MAC of
 * Daemen and Rijmen (Pelican, 2005); elsewhere it is SipHash-1-3.  Nothing
 * that is seen depends on which.
 */
#ifndef RUNTIME_STATE_HASH_H
#define RUNTIME_STATE_HASH_H

#include <stdbool.h>

#include "base/hash.h"

struct lane_packet;

struct state_hasher {
	struct siphash_key sip;
	uint8_t	 round[5][16];
	bool	 aes;
};
/* aes: if there is any. */
void	 state_hasher_init(struct state_hasher *, const struct siphash_key *,
	    bool aes);
/* n: 2 or 5 words. */
uint32_t state_hash_words(const struct state_hasher *, const uint64_t *w,
	    unsigned n);
/* Sets the hashes of packets by their keys. */
void	 state_hash_packets(const struct state_hasher *, struct lane_packet *,
	    size_t n);

#endif
