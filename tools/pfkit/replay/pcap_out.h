/*
 * Writing pcap files (little-endian, nanoseconds).
 */
#ifndef REPLAY_PCAP_OUT_H
#define REPLAY_PCAP_OUT_H

#include "out.h"

#define PCAP_SNAPLEN	262144

void	 pcap_header(struct out *, uint16_t linktype);
/* What stands before a packet's caplen bytes. */
void	 pcap_record(struct out *, uint64_t time, uint32_t caplen,
	    uint32_t wirelen);

void	 out_le16(struct out *, uint16_t);
void	 out_le32(struct out *, uint32_t);
void	 out_be32(struct out *, uint32_t);

#endif
