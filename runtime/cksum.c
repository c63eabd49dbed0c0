/*
 * Checksums from scratch, for packets that we make ourselves.
 */
#include "runtime/rewrite.h"

void
cksum_header(uint8_t *ip)
{
	put16(ip + 10, 0);
	put16(ip + 10, cksum_fold(cksum_add(0, ip, (ip[0] & 15u) * 4)));
}

/* ICMP of IPv4 is the one that leaves the addresses out. */
static uint32_t
pseudo_header(const uint8_t *ip, uint32_t len, uint32_t proto)
{
	if (proto == PROTO_ICMP)
		return 0;
	if (ip[0] >> 4 == 6)
		return cksum_add(len + proto, ip + 8, 32);
	return cksum_add(len + proto, ip + 12, 8);
}

void
cksum_transport(uint8_t *ip, uint32_t len, uint32_t at, uint32_t proto)
{
	uint32_t place = cksum_place(proto), sum;
	uint8_t *field = ip + at + place;
	uint16_t v;

	if (place == 0 || at + place + 2 > len)
		return;
	put16(field, 0);
	sum = pseudo_header(ip, len - at, proto);
	v = cksum_fold(cksum_add(sum, ip + at, len - at));
	put16(field, proto == PROTO_UDP && v == 0 ? 0xffff : v);
}
