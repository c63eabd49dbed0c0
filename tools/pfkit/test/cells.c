/*
 * Numbers, sets of ranges, and a packet of a cell.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "cells.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

int
num_compare(struct num a, struct num b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo < b.lo ? -1 : a.lo > b.lo;
}

struct num
num_next(struct num a)
{
	a.lo++;
	a.hi += a.lo == 0;
	return a;
}

struct num
num_before(struct num a)
{
	a.hi -= a.lo == 0;
	a.lo--;
	return a;
}

struct num
num_of(uint64_t n)
{
	return (struct num){ 0, n };
}

struct num
num_address(uint8_t af, const uint8_t *p)
{
	struct num n = { 0, 0 };

	for (int i = 0; i < (af == 6 ? 16 : 4); i++) {
		n.hi = n.hi << 8 | n.lo >> 56;
		n.lo = n.lo << 8 | p[i];
	}
	return n;
}

void
num_bytes(struct num n, uint8_t af, uint8_t *p)
{
	for (int i = (af == 6 ? 16 : 4) - 1; i >= 0; i--) {
		p[i] = (uint8_t)n.lo;
		n.lo = n.lo >> 8 | n.hi << 56;
		n.hi >>= 8;
	}
}

struct num
num_max(enum dim d, uint8_t af)
{
	if (d == DIM_SRC || d == DIM_DST)
		return af == 6 ? (struct num){ UINT64_MAX, UINT64_MAX } :
		    num_of(UINT32_MAX);
	return num_of(d == DIM_SPORT || d == DIM_DPORT ? 65535 : 255);
}

/* ---- sets ---- */

void
ranges_add(struct ranges *s, struct num from, struct num to)
{
	s->r = xrealloc(s->r, (s->n + 1) * sizeof(*s->r));
	s->r[s->n++] = (struct range){ from, to };
}

static int
by_start(const void *a, const void *b)
{
	return num_compare(((const struct range *)a)->from,
	    ((const struct range *)b)->from);
}

void
ranges_sort(struct ranges *s)
{
	size_t n = 0;

	if (s->n == 0)
		return;
	qsort(s->r, s->n, sizeof(*s->r), by_start);
	for (size_t i = 1; i < s->n; i++) {
		struct range *last = &s->r[n], *r = &s->r[i];
		bool joins = num_compare(r->from, last->to) <= 0 ||
		    num_compare(r->from, num_next(last->to)) == 0;

		if (!joins)
			s->r[++n] = *r;
		else if (num_compare(r->to, last->to) > 0)
			last->to = r->to;
	}
	s->n = n + 1;
}

void
ranges_invert(struct ranges *s, struct num max)
{
	struct ranges out = { NULL, 0 };
	struct num from = { 0, 0 };
	bool end = false;

	ranges_sort(s);
	for (size_t i = 0; i < s->n; i++) {
		if (num_compare(s->r[i].from, from) > 0)
			ranges_add(&out, from, num_before(s->r[i].from));
		end = num_compare(s->r[i].to, max) >= 0;
		from = num_next(s->r[i].to);
	}
	if (!end)
		ranges_add(&out, from, max);
	free(s->r);
	*s = out;
}

void
ranges_free(struct ranges *s)
{
	free(s->r);
	memset(s, 0, sizeof(*s));
}

/* ---- packets ---- */

/* The wanted number, or the nearest of the range. */
static struct num
near(const struct range *r, struct num wanted)
{
	if (num_compare(wanted, r->from) < 0)
		return r->from;
	return num_compare(wanted, r->to) > 0 ? r->to : wanted;
}

/* An address that documents use, so that it is nobody's. */
static struct num
usual_address(const struct cell *c, enum dim d)
{
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0xff };
	static const uint8_t v4[4] = { 203, 0, 113 };
	struct num n = num_address(c->af, c->af == 6 ? v6 : v4);

	n.lo += d == DIM_SRC ? 77 : 78;
	return n;
}

struct num
cell_usual(const struct cell *c, enum dim d)
{
	switch (d) {
	case DIM_SRC:
	case DIM_DST:
		return usual_address(c, d);
	case DIM_SPORT:
		return num_of(49152);
	case DIM_DPORT:
		return num_of(c->dim[DIM_PROTO].from.lo == UDP ? 53 : 80);
	case DIM_TYPE:
		return num_of(c->af == 4 ? 8 : 128);
	case DIM_PROTO:
	case DIM_CODE:
	case DIM_TOS:
	case NDIMS:
		break;
	}
	return num_of(0);
}

/* If it is not the usual one: the second of the range. */
static void
some_address(const struct cell *c, enum dim d, uint8_t *addr)
{
	const struct num usual = usual_address(c, d);
	const struct range *r = &c->dim[d];
	struct num n = near(r, usual);

	if (num_compare(n, usual) != 0)
		n = near(r, num_next(r->from));
	num_bytes(n, c->af, addr);
}

static uint16_t
some_port(const struct cell *c, enum dim d)
{
	return htons((uint16_t)near(&c->dim[d], cell_usual(c, d)).lo);
}

/* A protocol that has nothing special about it, if there is one. */
static uint8_t
some_protocol(const struct cell *c)
{
	static const uint8_t usual[] = { 47, 50, 89, 132, 253 };
	const struct range *r = &c->dim[DIM_PROTO];

	for (size_t i = 0; i < sizeof(usual); i++)
		if (usual[i] >= r->from.lo && usual[i] <= r->to.lo)
			return usual[i];
	return (uint8_t)r->from.lo;
}

void
cell_packet(const struct tests_of *of, const struct cell *c, struct packet *k)
{
	memset(k, 0, sizeof(*k));
	k->dir = c->dir;
	strncpy(k->ifname, of->ifs[c->iface].name, sizeof(k->ifname) - 1);
	k->af = c->af;
	k->proto = some_protocol(c);
	k->ttl = 64;
	k->seq = 1000;
	some_address(c, DIM_SRC, k->src.addr);
	some_address(c, DIM_DST, k->dst.addr);
	k->tos = (uint8_t)c->dim[DIM_TOS].from.lo;
	if (k->proto == TCP || k->proto == UDP) {
		k->src.port = some_port(c, DIM_SPORT);
		k->dst.port = some_port(c, DIM_DPORT);
	} else
		k->src.port = htons(1);
	if (k->proto == TCP)
		k->tcp_flags = c->flags;
	k->icmp_type = (uint8_t)near(&c->dim[DIM_TYPE], cell_usual(c,
	    DIM_TYPE)).lo;
	if (k->proto == ICMP6 && k->icmp_type >= 130 && k->icmp_type <= 137)
		k->ttl = 255;		/* never forwarded */
	k->icmp_code = (uint8_t)c->dim[DIM_CODE].from.lo;
}
