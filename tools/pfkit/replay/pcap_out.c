/*
 * See pcap_out.h.  The files are the same on every machine.
 */
#include "pcap_out.h"

#define MAGIC_NS	0xa1b23c4du

void
out_le16(struct out *o, uint16_t v)
{
	const uint8_t b[] = { (uint8_t)v, (uint8_t)(v >> 8) };

	out_bytes(o, b, sizeof(b));
}

void
out_le32(struct out *o, uint32_t v)
{
	out_le16(o, (uint16_t)v);
	out_le16(o, (uint16_t)(v >> 16));
}

void
out_be32(struct out *o, uint32_t v)
{
	const uint8_t b[] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
	    (uint8_t)(v >> 8), (uint8_t)v };

	out_bytes(o, b, sizeof(b));
}

void
pcap_header(struct out *o, uint16_t linktype)
{
	out_le32(o, MAGIC_NS);
	out_le16(o, 2);
	out_le16(o, 4);
	out_le32(o, 0);
	out_le32(o, 0);
	out_le32(o, PCAP_SNAPLEN);
	out_le32(o, linktype);
}

void
pcap_record(struct out *o, uint64_t time, uint32_t caplen, uint32_t wirelen)
{
	out_le32(o, (uint32_t)(time / UINT64_C(1000000000)));
	out_le32(o, (uint32_t)(time % UINT64_C(1000000000)));
	out_le32(o, caplen);
	out_le32(o, wirelen);
}
