/*
 * A firewall for unit tests: an engine with a ruleset, packets made in
 * memory, and what was decided about the last one.
 */
#ifndef TESTS_FIREWALL_H
#define TESTS_FIREWALL_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/compile.h>
#include <pfkit/engine.h>

#include "runtime/rewrite.h"

#define FIREWALL_PACKET	70000

struct firewall {
	struct pfk_host	*host;
	struct pfk_image *image;
	struct pfk_engine *e;
	uint64_t	 now;		/* ns */
	/* the last packet's decisions */
	unsigned	 n;
	struct pfk_decision last;
	uint8_t		 ip[FIREWALL_PACKET];
	struct pfk_reply reply[8];
	uint8_t		 answer[8][1300];
};

/* A packet in the making. */
struct packet {
	uint8_t		 b[FIREWALL_PACKET];
	uint32_t	 len, at;	/* at: transport header */
	uint8_t		 af, proto;
};

static int
firewall_read(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	(void)path;
	*len = strlen(ctx);
	*text = a->fn(a->ctx, NULL, 0, *len + 1);
	if (*text == NULL)
		return 12;
	memcpy(*text, ctx, *len + 1);
	return 0;
}

static void
firewall_decision(void *ctx, const struct pfk_decision *d)
{
	struct firewall *f = ctx;

	f->n++;
	f->last = *d;
	if (d->iplen <= sizeof(f->ip) && d->ip != NULL)
		memcpy(f->ip, d->ip, d->iplen);
	for (unsigned i = 0; i < d->nreplies; i++) {
		f->reply[i] = d->replies[i];
		memcpy(f->answer[i], d->replies[i].ip, d->replies[i].iplen);
	}
}

static void
firewall_image(struct firewall *f, const char *rules)
{
	struct pfk_files files = { firewall_read, NULL };
	struct pfk_compile_options o = {
		.files = &files, .path = "pf.conf"
	};
	struct pfk_ruleset *rs = NULL;
	char error[PFK_HOST_ERRLEN], text[4096];
	size_t len;

	ck_assert_uint_lt(strlen(rules), sizeof(text));
	strcpy(text, rules);
	files.ctx = text;
	f->host = pfk_host_new(NULL);
	ck_assert_ptr_nonnull(f->host);
	ck_assert_int_eq(pfk_host_load_dir(f->host, "tests/golden/host",
	    error), 0);
	o.host = f->host;
	ck_assert_msg(pfk_compile(&o, &rs) == PFK_OK, "%s",
	    pfk_ruleset_diagnostics(rs, PFK_RENDER_PLAIN, &len));
	ck_assert_int_eq(pfk_ruleset_image(rs, PFK_LOWER_AUTO, &f->image),
	    PFK_OK);
	pfk_ruleset_free(rs);
}

static int
firewall_engine(struct firewall *f, const struct pfk_allocator *a)
{
	struct pfk_sink sink = { .ctx = f, .decision = firewall_decision };
	struct pfk_engine_options o = { .image = f->image, .allocator = a,
	    .sink = &sink, .debug = -1, .seed = 1 };

	o.interfaces = pfk_host_interfaces(f->host, &o.ninterfaces);
	o.routes = pfk_host_routes(f->host, &o.nroutes);
	return pfk_engine_new(&o, &f->e);
}

static struct firewall *
firewall_new(const char *rules)
{
	struct firewall *f = calloc(1, sizeof(*f));

	firewall_image(f, rules);
	ck_assert_int_eq(firewall_engine(f, NULL), PFK_OK);
	f->now = 1000000000u;
	return f;
}

static void
firewall_free(struct firewall *f)
{
	pfk_engine_free(f->e);
	pfk_image_free(f->image);
	pfk_host_free(f->host);
	free(f);
}

/* Sends the packet; the verdict of its last decision. */
static enum pfk_verdict
firewall_send(struct firewall *f, const char *ifname, enum pfk_dir dir,
    const struct packet *p)
{
	int ifid = pfk_engine_interface(f->e, ifname);
	struct pfk_packet in = { .time = f->now, .data = p->b,
	    .caplen = p->len, .wirelen = p->len, .linktype = 101,
	    .ifid = (uint16_t)ifid, .dir = (uint8_t)dir };

	f->n = 0;
	f->now += 1000000;
	pfk_engine_run(f->e, &in, 1);
	ck_assert_uint_ge(f->n, 1);
	return f->last.verdict;
}

/* ---- packets ---- */

static inline void
packet_seal(struct packet *p)
{
	if (p->af == 4) {
		put16(p->b + 2, (uint16_t)p->len);
		cksum_header(p->b);
	} else
		put16(p->b + 4, (uint16_t)(p->len - 40));
	cksum_transport(p->b, p->len, p->at, p->proto);
}

/* Addresses as text; n bytes of data follow the transport header. */
static inline void
packet_ip(struct packet *p, const char *src, const char *dst, uint8_t proto,
    uint32_t hdrlen, uint32_t n)
{
	bool v6 = strchr(src, ':') != NULL;
	enum pfk_af af = v6 ? PFK_AF_INET6 : PFK_AF_INET;
	struct pfk_addr a, d;

	memset(p, 0, sizeof(*p));
	ck_assert(addr_parse(src, af, &a) && addr_parse(dst, af, &d));
	p->af = v6 ? 6 : 4;
	p->proto = proto;
	p->at = v6 ? 40 : 20;
	p->len = p->at + hdrlen + n;
	p->b[0] = v6 ? 0x60 : 0x45;
	p->b[v6 ? 6 : 9] = proto;
	p->b[v6 ? 7 : 8] = 64;
	memcpy(p->b + (v6 ? 8 : 12), a.b, v6 ? 16 : 4);
	memcpy(p->b + (v6 ? 24 : 16), d.b, v6 ? 16 : 4);
	for (uint32_t i = 0; i < n; i++)
		p->b[p->at + hdrlen + i] = (uint8_t)(i * 7 + 3);
}

static inline void
packet_udp(struct packet *p, const char *src, unsigned sport, const char *dst,
    unsigned dport, uint32_t n)
{
	packet_ip(p, src, dst, PROTO_UDP, 8, n);
	put16(p->b + p->at, (uint16_t)sport);
	put16(p->b + p->at + 2, (uint16_t)dport);
	put16(p->b + p->at + 4, (uint16_t)(8 + n));
	packet_seal(p);
}

static inline void
packet_tcp(struct packet *p, const char *src, unsigned sport, const char *dst,
    unsigned dport, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t n)
{
	packet_ip(p, src, dst, PROTO_TCP, 20, n);
	put16(p->b + p->at, (uint16_t)sport);
	put16(p->b + p->at + 2, (uint16_t)dport);
	put32(p->b + p->at + 4, seq);
	put32(p->b + p->at + 8, ack);
	p->b[p->at + 12] = 0x50;
	p->b[p->at + 13] = flags;
	put16(p->b + p->at + 14, 65535);
	packet_seal(p);
}

static inline void
packet_icmp(struct packet *p, const char *src, const char *dst, uint8_t type,
    uint8_t code, unsigned id, uint32_t n)
{
	bool v6 = strchr(src, ':') != NULL;

	packet_ip(p, src, dst, v6 ? PROTO_ICMPV6 : PROTO_ICMP, 8, n);
	p->b[p->at] = type;
	p->b[p->at + 1] = code;
	put16(p->b + p->at + 4, (uint16_t)id);
	packet_seal(p);
}

/* An error about the first n bytes of a packet. */
static inline void
packet_error(struct packet *p, const char *src, const char *dst, uint8_t type,
    uint8_t code, const uint8_t *quoted, uint32_t n)
{
	packet_icmp(p, src, dst, type, code, 0, n);
	memcpy(p->b + p->at + 8, quoted, n);
	packet_seal(p);
}

/* ---- what comes out ---- */

static inline uint32_t
cksum_pseudo(const uint8_t *ip, uint32_t plen, uint8_t proto)
{
	if (proto == PROTO_ICMP)
		return 0;
	return ip[0] >> 4 == 6 ? cksum_add(plen + proto, ip + 8, 32) :
	    cksum_add(plen + proto, ip + 12, 8);
}

/* Whether all checksums are right; of packets without extension headers. */
static inline bool
cksums_right(const uint8_t *ip, uint32_t len)
{
	bool v6 = ip[0] >> 4 == 6;
	uint32_t at = v6 ? 40 : (ip[0] & 15u) * 4;
	uint8_t proto = ip[v6 ? 6 : 9];

	if (!v6 && cksum_fold(cksum_add(0, ip, at)) != 0)
		return false;
	if (!v6 && (get16(ip + 6) & 0x3fff) != 0)
		return true;
	if (cksum_place(proto) == 0)
		return true;
	if (proto == PROTO_UDP && !v6 && get16(ip + at + 6) == 0)
		return true;
	return cksum_fold(cksum_add(cksum_pseudo(ip, len - at, proto),
	    ip + at, len - at)) == 0;
}

/* "192.0.2.1:80 > 10.0.0.1:1024" of the last decision's packet. */
static inline const char *
firewall_flow(const struct firewall *f)
{
	static char text[200];
	char a[PFK_ADDRSTRLEN], b[PFK_ADDRSTRLEN];
	struct pfk_addr src, dst;
	struct pfk_flow flow;

	ck_assert(pfk_flow_decode(f->ip, f->last.iplen, &flow));
	memcpy(src.b, flow.src.addr, 16);
	memcpy(dst.b, flow.dst.addr, 16);
	snprintf(text, sizeof(text), "%s %u > %s %u",
	    addr_format(&src, (enum pfk_af)flow.af, a),
	    port_host(flow.src.port),
	    addr_format(&dst, (enum pfk_af)flow.af, b),
	    port_host(flow.dst.port));
	return text;
}

#endif
