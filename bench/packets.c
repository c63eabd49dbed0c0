/*
 * Packets in memory, fed to an engine.
 *
 * A feed has one batch of frames.  They are filled in anew, which is not
 * measured, and run through the engine in bursts, which is: so any number of
 * different packets can be measured without reading them from memory that
 * the engine needs for itself.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

#define ETHER		14
#define START		1700000000000000000u

struct feed *
feed_new(struct pfk_engine *e, uint64_t seed)
{
	struct feed *f = calloc(1, sizeof(*f));
	int ifid = pfk_engine_interface(e, "em0");

	if (f == NULL || ifid < 0)
		die("no memory");
	f->engine = e;
	f->ifid = (uint16_t)ifid;
	f->time = START;
	f->step = 100;
	random_seed(&f->random, seed);
	return f;
}

void
feed_free(struct feed *f)
{
	free(f);
}

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

static uint32_t
sum(const uint8_t *p, size_t n)
{
	uint32_t s = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	return s;
}

static unsigned
fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

/* Transport header at th; addresses (naddr bytes) before it. */
static size_t
transport(uint8_t *th, size_t naddr, uint8_t proto, const uint16_t port[2],
    const struct tcp *tcp)
{
	static const struct tcp syn = { 1, 0, 0x02 };
	size_t len = proto == 6 ? 20 : 8;
	uint8_t *check = proto == 6 ? th + 16 : th + 6;

	memset(th, 0, len);
	if (proto == 6) {
		tcp = tcp != NULL ? tcp : &syn;
		put32(th + 4, tcp->seq);
		put32(th + 8, tcp->ack);
		th[12] = 0x50;
		th[13] = tcp->flags;
		put16(th + 14, 32768);
	} else if (proto == 17)
		put16(th + 4, 8);
	else if (proto == 58) {
		th[0] = 128;
		put16(th + 2, fold(sum(th - naddr, naddr + len) + proto +
		    (uint32_t)len));
		return len;
	} else {
		th[0] = 8;
		put16(th + 2, fold((uint32_t)th[0] << 8));
		return len;
	}
	put16(th, port[0]);
	put16(th + 2, port[1]);
	put16(check, fold(sum(th - naddr, naddr + len) + proto +
	    (uint32_t)len));
	return len;
}

static void
packet(struct feed *f, size_t i, uint8_t dir, size_t len)
{
	struct pfk_packet *p = &f->packets[i];

	f->time += f->step;
	p->time = f->time;
	p->data = f->frames[i];
	p->caplen = p->wirelen = (uint32_t)len;
	p->linktype = 1;
	p->ifid = f->ifid;
	p->dir = dir;
	p->number = i;
}

void
frame_v4(struct feed *f, size_t i, uint8_t dir, const struct header *h,
    const struct tcp *tcp)
{
	uint8_t *ether = f->frames[i], *ip = ether + ETHER;
	size_t len;

	memset(ether, 0x02, 12);
	put16(ether + 12, 0x0800);
	memset(ip, 0, 20);
	put32(ip + 12, h->addr[0]);
	put32(ip + 16, h->addr[1]);
	len = transport(ip + 20, 8, h->proto, h->port, tcp);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)len + 20);
	ip[8] = 64;
	ip[9] = h->proto;
	put16(ip + 10, fold(sum(ip, 20)));
	packet(f, i, dir, ETHER + 20 + len);
}

/* Nested prefixes stay so; only hosts have the last 64 bits. */
void
addr_v6(uint32_t a, uint8_t addr[16])
{
	uint64_t m = mix64(a);

	put32(addr, 0x20010db8);
	put32(addr + 4, a);
	put32(addr + 8, (uint32_t)(m >> 32));
	put32(addr + 12, (uint32_t)m);
}

void
frame_v6(struct feed *f, size_t i, uint8_t dir, const uint8_t src[16],
    const uint8_t dst[16], const struct header *h, const struct tcp *tcp)
{
	uint8_t proto = h->proto == 1 ? 58 : h->proto;
	uint8_t *ether = f->frames[i], *ip = ether + ETHER;
	size_t len;

	memset(ether, 0x02, 12);
	put16(ether + 12, 0x86dd);
	memset(ip, 0, 8);
	memcpy(ip + 8, src, 16);
	memcpy(ip + 24, dst, 16);
	len = transport(ip + 40, 32, proto, h->port, tcp);
	ip[0] = 0x60;
	put16(ip + 4, (unsigned)len);
	ip[6] = proto;
	ip[7] = 64;
	packet(f, i, dir, ETHER + 40 + len);
}

static void
run_bursts(struct feed *f, size_t n, size_t burst)
{
	for (size_t i = 0; i < n; i += burst)
		pfk_engine_run(f->engine, f->packets + i,
		    n - i < burst ? n - i : burst);
}

double
feed_batch(struct feed *f, size_t n, size_t burst)
{
	double start = cpu_now();

	run_bursts(f, n, burst);
	return (cpu_now() - start) * 1e9;
}

void
measured_batch(struct feed *f, size_t n, size_t burst)
{
	run_bursts(f, n, burst);
}

double
feed_packets(struct feed *f, size_t n, size_t burst)
{
	double ns = 0;

	for (size_t left = n, some; left > 0; left -= some) {
		some = left < BATCH ? left : BATCH;
		f->fill(f, some);
		ns += feed_batch(f, some, burst);
	}
	return ns / (double)n;
}

/* A batch is short at first: a packet may take a nanosecond or a second. */
double
feed_for(struct feed *f, double seconds, size_t burst)
{
	double ns = 0, left;
	size_t n = 0, some = 1;

	while ((left = seconds * 1e9 - ns) > 0) {
		f->fill(f, some);
		ns += feed_batch(f, some, burst);
		n += some;
		left = left * (double)n / ns;
		if (some < BATCH && (double)some * 2 <= left)
			some = some * 2;
		else if ((double)some > left)
			some = left < 1 ? 1 : (size_t)left;
	}
	return ns / (double)n;
}
