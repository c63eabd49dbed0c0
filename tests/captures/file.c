/*
 * Frames, and the capture files around them: pcap of both byte orders and
 * resolutions, and pcapng with interface names and directions.
 */
#include <stdio.h>
#include <string.h>

#include "mkpcap.h"

#define BEGINNING	1700000000U	/* seconds: a whole number */
#define SNAPLEN		262144U
#define MAX_INTERFACES	16

static FILE *out;
static char interfaces[MAX_INTERFACES][16];
static uint32_t ninterfaces;

static void
word(const struct capture *c, uint32_t v, size_t size)
{
	uint8_t b[4];

	for (size_t i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> 8 * (c->format == FORMAT_PCAP_SWAPPED ?
		    size - 1 - i : i));
	fwrite(b, 1, size, out);
}

/* Link headers. */

static unsigned
ethertype(const struct bytes *ip)
{
	return ip->len > 0 && ip->b[0] >> 4 == 6 ? 0x86dd : 0x0800;
}

static void
ethernet_header(const struct packet_spec *s, unsigned type,
    struct bytes *frame)
{
	static const uint8_t macs[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

	put_bytes(frame, macs, sizeof(macs));
	for (size_t i = 0; i < s->nvlan; i++) {
		put16(frame, i + 1 < s->nvlan ? 0x88a8 : 0x8100);
		put16(frame, s->vlan[i]);
	}
	put16(frame, type);
}

static void
link_header(const struct capture *c, const struct packet_spec *s,
    const struct bytes *ip, struct bytes *frame)
{
	static const uint8_t address[] = { 2, 0, 0, 0, 0, 1, 0, 0 };
	unsigned type = ethertype(ip);
	unsigned from = s->dir == DIR_OUT ? 4 : 0;	/* of Linux cooked */

	switch (c->link) {
	case LINK_ETHERNET:
		ethernet_header(s, type, frame);
		break;
	case LINK_NULL: case LINK_LOOP:
		/* BSD's AF_INET and AF_INET6; LOOP is in network order */
		put32(frame, type == 0x0800 ? 2 : 24);
		if (c->link == LINK_NULL) {
			frame->b[0] = frame->b[3];
			frame->b[3] = 0;
		}
		break;
	case LINK_SLL:
		put16(frame, from);
		put16(frame, 1);
		put16(frame, 6);
		put_bytes(frame, address, 8);
		put16(frame, type);
		break;
	case LINK_SLL2:
		put16(frame, type);
		put16(frame, 0);
		put32(frame, 1);
		put16(frame, 1);
		put8(frame, from);
		put8(frame, 6);
		put_bytes(frame, address, 8);
		break;
	case LINK_RAW:
		break;
	}
}

/* pcapng */

static void
option(const struct capture *c, unsigned code, const char *text)
{
	static const char zeros[4];
	size_t len = strlen(text);

	word(c, code, 2);
	word(c, (uint32_t)len, 2);
	fwrite(text, 1, len, out);
	fwrite(zeros, 1, (4 - len % 4) % 4, out);
}

static uint32_t
interface_number(const struct capture *c, const char *name)
{
	uint32_t padded = (uint32_t)(strlen(name) + 3) / 4 * 4, length;

	for (uint32_t i = 0; i < ninterfaces; i++)
		if (strcmp(interfaces[i], name) == 0)
			return i;
	if (ninterfaces == MAX_INTERFACES)
		die("too many interfaces");
	length = 20 + (padded > 0 ? 4 + padded : 0) + 8 + 4;
	word(c, 1, 4);
	word(c, length, 4);
	word(c, (uint32_t)c->link, 2);
	word(c, 0, 2);
	word(c, SNAPLEN, 4);
	if (padded > 0)
		option(c, 2, name);
	word(c, 9, 2);			/* resolution: 10^-9 s */
	word(c, 1, 2);
	word(c, 9, 4);
	word(c, 0, 4);
	word(c, length, 4);
	strcpy(interfaces[ninterfaces], name);
	return ninterfaces++;
}

static void
enhanced_packet(const struct capture *c, const struct packet_spec *s,
    const uint8_t *p, uint32_t caplen, uint32_t wirelen)
{
	static const char zeros[4];
	uint32_t ifid = interface_number(c, s->ifname);
	uint32_t padded = (caplen + 3) / 4 * 4, length;
	uint64_t t = BEGINNING * UINT64_C(1000000000) + s->time;
	bool flags = s->dir == DIR_IN || s->dir == DIR_OUT;

	length = 32 + padded + (flags ? 12 : 0);
	word(c, 6, 4);
	word(c, length, 4);
	word(c, ifid, 4);
	word(c, (uint32_t)(t >> 32), 4);
	word(c, (uint32_t)t, 4);
	word(c, caplen, 4);
	word(c, wirelen, 4);
	fwrite(p, 1, caplen, out);
	fwrite(zeros, 1, padded - caplen, out);
	if (flags) {
		word(c, 2, 2);
		word(c, 4, 2);
		word(c, s->dir == DIR_IN ? 1 : 2, 4);
		word(c, 0, 4);
	}
	word(c, length, 4);
}

/* pcap */

static void
record(const struct capture *c, const struct packet_spec *s,
    const uint8_t *p, uint32_t caplen, uint32_t wirelen)
{
	uint32_t ns = (uint32_t)(s->time % 1000000000);

	word(c, BEGINNING + (uint32_t)(s->time / 1000000000), 4);
	word(c, c->format == FORMAT_PCAP_NS ? ns : ns / 1000, 4);
	word(c, caplen, 4);
	word(c, wirelen, 4);
	fwrite(p, 1, caplen, out);
}

void
file_begin(const struct capture *c, const char *path)
{
	out = fopen(path, "wb");
	if (out == NULL)
		die("%s: cannot be written", path);
	if (c->format == FORMAT_PCAPNG) {
		word(c, 0x0a0d0d0a, 4);
		word(c, 28, 4);
		word(c, 0x1a2b3c4d, 4);
		word(c, 1, 2);
		word(c, 0, 2);
		word(c, UINT32_MAX, 4);
		word(c, UINT32_MAX, 4);
		word(c, 28, 4);
		return;
	}
	word(c, c->format == FORMAT_PCAP_NS ? 0xa1b23c4d : 0xa1b2c3d4, 4);
	word(c, 2, 2);
	word(c, 4, 2);
	word(c, 0, 4);
	word(c, 0, 4);
	word(c, SNAPLEN, 4);
	word(c, (uint32_t)c->link, 4);
}

void
file_packet(const struct capture *c, const struct packet_spec *s,
    const struct bytes *ip)
{
	static struct bytes frame;
	uint32_t caplen, wirelen;

	frame.len = 0;
	if (s->kind != KIND_FRAME)
		link_header(c, s, ip, &frame);
	put_bytes(&frame, ip->b, ip->len);
	for (size_t i = 0; i < s->padding; i++)
		put8(&frame, 0xee);
	caplen = wirelen = (uint32_t)frame.len;
	if (s->cut >= 0 && (uint32_t)s->cut < caplen)
		caplen = (uint32_t)s->cut;
	if (c->format == FORMAT_PCAPNG)
		enhanced_packet(c, s, frame.b, caplen, wirelen);
	else
		record(c, s, frame.b, caplen, wirelen);
}

void
file_end(const struct capture *c)
{
	(void)c;
	if (fclose(out) != 0)
		die("the capture cannot be written");
}
