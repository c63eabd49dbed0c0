/*
 * See capture.h.
 *
 * Sizes are those of the simple IMIX, in IP bytes: 40 seven times, 576 four
 * times, 1500 once.  Each flow has the same number of packets, and the next
 * packet is of a random one of those that are open; a thousand are.  TCP is
 * opened and closed in order, its sequence numbers go on with the data, and
 * everything is acknowledged.  Frames have correct checksums.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/capture.h"

#define OPEN	20000
#define ETHER	14

struct flow {
	uint32_t	 number, sent;	/* packets so far */
	uint32_t	 seq[2];	/* next of client, server */
};
struct writer {
	FILE		*f;
	struct random	 random;
	uint64_t	 us;
	uint8_t		 frame[ETHER + 1500];
};

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* Of even n. */
static unsigned
checksum(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	while (s > 0xffff)
		s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

static void
write_record(struct writer *w, uint32_t len)
{
	uint32_t head[4] = { (uint32_t)(w->us / 1000000),
	    (uint32_t)(w->us % 1000000), len, len };

	w->us += 2;
	if (fwrite(head, sizeof(head), 1, w->f) != 1 ||
	    fwrite(w->frame, len, 1, w->f) != 1)
		die("the capture cannot be written");
}

static uint8_t
flow_proto(uint32_t number)
{
	unsigned kind = (unsigned)(mix64(number) % 100);

	return kind < 85 ? 6 : kind < 98 ? 17 : 1;
}

/* Addresses and IP header; way 1 is from the server. */
static uint8_t *
ip_header(struct writer *w, uint32_t number, unsigned way, unsigned len)
{
	uint8_t *ip = w->frame + ETHER;
	uint32_t client = 0x0a000000 | (number & 0xffffff);
	uint32_t server = 0xc6120000 | (uint32_t)(mix64(number + 9) & 0xfff);

	memset(w->frame, 0x02, 12);
	put16(w->frame + 12, 0x0800);
	memset(ip, 0, len);
	ip[0] = 0x45;
	put16(ip + 2, len);
	ip[8] = 64;
	ip[9] = flow_proto(number);
	put32(ip + 12, way == 0 ? client : server);
	put32(ip + 16, way == 0 ? server : client);
	put16(ip + 10, checksum(ip, 20, 0));
	return ip + 20;
}

static void
ports(uint8_t *th, uint32_t number, unsigned way, unsigned service)
{
	unsigned port = 1024 + (unsigned)(mix64(number + 3) % 60000);

	put16(th, way == 0 ? port : service);
	put16(th + 2, way == 0 ? service : port);
}

static void
tcp_packet(struct writer *w, struct flow *f, uint32_t last, unsigned payload)
{
	unsigned way = f->sent < 3 ? f->sent == 1 :
	    random_below(&w->random, 3) != 0, flags = 0x10;
	uint8_t *th;

	if (f->sent < 2)
		flags = f->sent == 0 ? 0x02 : 0x12;
	if (f->sent < 3)
		payload = 0;
	if (f->sent + 2 >= last) {	/* a FIN from either */
		way = f->sent + 1 == last;
		flags = 0x11;
		payload = 0;
	}
	th = ip_header(w, f->number, way, 40 + payload);
	ports(th, f->number, way, f->number % 3 == 0 ? 80 : 443);
	put32(th + 4, f->seq[way]);
	put32(th + 8, f->sent == 0 ? 0 : f->seq[!way]);
	th[12] = 0x50;
	th[13] = (uint8_t)flags;
	put16(th + 14, 65535);
	put16(th + 16, checksum(th - 8, 28 + payload, 6 + 20 + payload));
	f->seq[way] += payload + (flags & 0x03 ? 1 : 0);
	write_record(w, ETHER + 40 + payload);
}

static void
other_packet(struct writer *w, struct flow *f, unsigned payload)
{
	unsigned way = f->sent % 2, len = 8 + payload;
	uint8_t *th = ip_header(w, f->number, way, 20 + len);

	if (flow_proto(f->number) == 17) {
		ports(th, f->number, way, 53);
		put16(th + 4, len);
		put16(th + 6, checksum(th - 8, len + 8, 17 + len));
	} else {
		th[0] = way == 0 ? 8 : 0;
		put16(th + 4, (unsigned)(mix64(f->number) >> 40) & 0xffff);
		put16(th + 6, f->sent / 2);
		put16(th + 2, checksum(th, len, 0));
	}
	write_record(w, ETHER + 20 + len);
}

static void
packet(struct writer *w, struct flow *f, uint32_t last)
{
	unsigned size = random_below(&w->random, 12);
	unsigned payload = size < 7 ? 0 : size < 11 ? 536 : 1460;

	if (flow_proto(f->number) == 6)
		tcp_packet(w, f, last, payload);
	else
		other_packet(w, f, payload);
	f->sent++;
}

static void
begin(struct flow *f, uint32_t number)
{
	uint64_t m = mix64(number + 77);

	*f = (struct flow){ .number = number,
	    .seq = { (uint32_t)m, (uint32_t)(m >> 32) } };
}

static void
write_packets(struct writer *w, uint32_t nflows, uint32_t npackets)
{
	uint32_t open = nflows < OPEN ? nflows : OPEN, next = open;
	uint32_t last = npackets / nflows < 6 ? 6 : npackets / nflows;
	struct flow *flows = calloc(open, sizeof(*flows));

	if (flows == NULL)
		die("no memory");
	for (uint32_t i = 0; i < open; i++)
		begin(&flows[i], i);
	for (uint32_t i = 0; i < npackets && open > 0; i++) {
		struct flow *f = &flows[random_below(&w->random, open)];

		packet(w, f, last);
		if (f->sent < last)
			continue;
		if (next < nflows)
			begin(f, next++);
		else
			*f = flows[--open];
	}
	free(flows);
}

void
capture_write(const char *path, uint32_t nflows, uint32_t npackets)
{
	static const uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0,
	    65535, 1 };
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL || (w->f = fopen(path, "wb")) == NULL)
		die("%s: cannot be written", path);
	random_seed(&w->random, 2);
	w->us = 1700000000000000u;
	fwrite(head, sizeof(head), 1, w->f);
	write_packets(w, nflows, npackets);
	if (fclose(w->f) != 0)
		die("%s: cannot be written", path);
	free(w);
}
