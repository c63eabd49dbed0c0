/*
 * Packets from the IP header on, with right lengths and checksums unless the
 * description asks for wrong ones.
 */
#include <netinet/in.h>
#include <string.h>

#include "mkpcap.h"

#define IPV6_FRAGMENT	44

void
put_bytes(struct bytes *out, const void *p, size_t len)
{
	if (len > sizeof(out->b) - out->len)
		die("packet too long");
	if (len > 0)
		memcpy(out->b + out->len, p, len);
	out->len += len;
}

void
put8(struct bytes *out, unsigned v)
{
	uint8_t b = (uint8_t)v;

	put_bytes(out, &b, 1);
}

void
put16(struct bytes *out, unsigned v)
{
	put8(out, v >> 8);
	put8(out, v);
}

void
put32(struct bytes *out, uint32_t v)
{
	put16(out, v >> 16);
	put16(out, v & 0xffff);
}

static void
set16(struct bytes *out, size_t at, unsigned v)
{
	out->b[at] = (uint8_t)(v >> 8);
	out->b[at + 1] = (uint8_t)v;
}

static uint32_t
sum(uint32_t acc, const uint8_t *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		acc += (uint32_t)(p[0] << 8 | p[1]);
	return len == 0 ? acc : acc + (uint32_t)(p[0] << 8);
}

static unsigned
fold(uint32_t acc)
{
	while (acc >> 16 != 0)
		acc = (acc & 0xffff) + (acc >> 16);
	return ~acc & 0xffff;
}

/* The checksum of a transport header and its data, with the pseudo header. */
static unsigned
transport_sum(const struct packet_spec *s, const struct bytes *t)
{
	size_t n = s->af == 4 ? 4 : 16;
	uint32_t acc = sum(0, s->src, n);

	acc = sum(acc, s->dst, n);
	acc += s->proto + (uint32_t)t->len;
	return fold(sum(acc, t->b, t->len));
}

static void
build_tcp(const struct packet_spec *s, struct bytes *out)
{
	unsigned header = 20 + (unsigned)s->tcp_options.len;

	put16(out, s->sport);
	put16(out, s->dport);
	put32(out, s->seq);
	put32(out, s->ack);
	put16(out, header / 4 << 12 | s->flags);
	put16(out, s->win);
	put16(out, 0);
	put16(out, s->urg);
	put_bytes(out, s->tcp_options.b, s->tcp_options.len);
	put_bytes(out, s->payload.b, s->payload.len);
	set16(out, 16, transport_sum(s, out) ^ (s->bad_sum ? 0x5555 : 0));
}

static void
build_udp(const struct packet_spec *s, struct bytes *out)
{
	unsigned check;

	put16(out, s->sport);
	put16(out, s->dport);
	put16(out, 8 + (unsigned)s->payload.len);
	put16(out, 0);
	put_bytes(out, s->payload.b, s->payload.len);
	check = transport_sum(s, out) ^ (s->bad_sum ? 0x5555 : 0);
	set16(out, 6, check == 0 ? 0xffff : check);
}

static void
build_icmp(const struct packet_spec *s, struct bytes *out)
{
	unsigned check;

	put8(out, s->type);
	put8(out, s->code);
	put16(out, 0);
	put16(out, s->id);
	put16(out, s->seq & 0xffff);
	put_bytes(out, s->payload.b, s->payload.len);
	check = s->kind == KIND_ICMP6 ? transport_sum(s, out) :
	    fold(sum(0, out->b, out->len));
	set16(out, 2, check ^ (s->bad_sum ? 0x5555 : 0));
}

static void
build_transport(const struct packet_spec *s, struct bytes *out)
{
	out->len = 0;
	switch (s->kind) {
	case KIND_TCP:
		build_tcp(s, out);
		break;
	case KIND_UDP:
		build_udp(s, out);
		break;
	case KIND_ICMP: case KIND_ICMP6:
		build_icmp(s, out);
		break;
	case KIND_OTHER: case KIND_RAW: case KIND_FRAME:
		put_bytes(out, s->payload.b, s->payload.len);
		break;
	}
}

/* Keeps the bytes that the fragment has; whether more follow. */
static bool
take_part(const struct packet_spec *s, struct bytes *t)
{
	size_t to = s->to < t->len ? s->to : t->len;
	bool more = (to < t->len || s->more) && !s->last;

	if (s->from > to)
		die("part: no such bytes");
	memmove(t->b, t->b + s->from, to - s->from);
	t->len = to - s->from;
	return more;
}

static void
build_ip4(const struct packet_spec *s, const struct bytes *t, bool more,
    struct bytes *out)
{
	size_t header = 20 + s->ip_options.len;

	put8(out, 0x40 | (unsigned)(header / 4));
	put8(out, s->tos);
	put16(out, s->ip_length >= 0 ? (unsigned)s->ip_length :
	    (unsigned)(header + t->len));
	put16(out, s->ipid);
	put16(out, (s->df ? 0x4000U : 0) | (more ? 0x2000U : 0) |
	    (unsigned)(s->is_part ? s->from / 8 : 0));
	put8(out, s->ttl);
	put8(out, s->proto);
	put16(out, 0);
	put_bytes(out, s->src, 4);
	put_bytes(out, s->dst, 4);
	put_bytes(out, s->ip_options.b, s->ip_options.len);
	set16(out, 10, fold(sum(0, out->b, header)) ^
	    (s->bad_ip_sum ? 0x5555 : 0));
}

/*
 * IPv6 headers: each entry of `extensions` is a type and the header's body
 * behind its "next" byte, 7 bytes of it.
 */
static void
build_ip6(const struct packet_spec *s, const struct bytes *t, bool more,
    struct bytes *out)
{
	const uint8_t *ext = s->extensions.b;
	size_t n = s->extensions.len / 8;
	unsigned after = s->is_part ? IPV6_FRAGMENT : s->proto;

	put32(out, 0x60000000U | (uint32_t)s->tos << 20);
	put16(out, s->ip_length >= 0 ? (unsigned)s->ip_length :
	    (unsigned)(t->len + n * 8 + (s->is_part ? 8 : 0)));
	put8(out, n > 0 ? ext[0] : after);
	put8(out, s->ttl);
	put_bytes(out, s->src, 16);
	put_bytes(out, s->dst, 16);
	for (size_t i = 0; i < n; i++) {
		put8(out, i + 1 < n ? ext[8 * (i + 1)] : after);
		put_bytes(out, ext + 8 * i + 1, 7);
	}
	if (!s->is_part)
		return;
	put8(out, s->proto);
	put8(out, 0);
	put16(out, (unsigned)s->from | more);
	put32(out, s->ipid);
}

void
build_ip(const struct packet_spec *s, struct bytes *out)
{
	static struct bytes t;
	bool more = false;

	out->len = 0;
	build_transport(s, &t);
	if (s->kind != KIND_RAW && s->kind != KIND_FRAME) {
		if (s->is_part)
			more = take_part(s, &t);
		if (s->af == 4)
			build_ip4(s, &t, more, out);
		else
			build_ip6(s, &t, more, out);
	}
	put_bytes(out, t.b, t.len);
}
