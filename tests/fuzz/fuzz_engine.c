/*
 * Packets of every kind through an engine, under rulesets that use all of it.
 *
 * The first byte chooses the ruleset, the rest is read as steps.  A step is
 * a packet made of few addresses, ports and flags, so that states are found
 * again, fragments belong together and ICMP errors quote what was sent; or
 * it is raw bytes, whatever they are; or time that passes.
 */
#include <stdlib.h>
#include <string.h>

#include <pfkit/engine.h>

#include "tests/captures/mkpcap.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define NIFACES	3

static const char *const rulesets[] = {
	"pass\n",
	"block return log all\n"
	"pass proto tcp flags S/SA\n"
	"pass proto udp keep state (sloppy)\n"
	"pass inet proto icmp\npass inet6 proto icmp6\n",
	"set reassemble yes no-df\nset limit { states 8, frags 16 }\n"
	"set timeout { tcp.first 5, udp.single 2, frag 3 }\n"
	"match in scrub (no-df random-id min-ttl 9 max-mss 999 reassemble tcp)\n"
	"pass modulate state\n"
	"pass in proto tcp to port 80 synproxy state\n",
	"table <bad> persist counters\nblock quick from <bad>\n"
	"pass in inet proto tcp to port 80 rdr-to { 10.0.0.3 10.0.0.4 } "
	"round-robin sticky-address\n"
	"pass out inet from 10.0.0.0/24 nat-to 192.0.2.2\n"
	"pass inet proto udp from 10.0.0.2 binat-to 192.0.2.9\n"
	"pass in proto tcp to port 22 keep state (max 3, source-track rule, "
	"max-src-states 2, max-src-conn 1, max-src-conn-rate 2/9, "
	"overload <bad> flush global)\n",
	"pass in inet6 from any to 64:ff9b::/96 af-to inet from 192.0.2.2\n"
	"pass in on em1 inet route-to 192.0.2.1\n"
	"pass in on em2 inet reply-to 198.51.100.9\n"
	"pass in inet proto udp dup-to 10.0.0.9\n"
	"anchor \"a\" in proto tcp {\nmatch tag X\npass once tagged X\n}\n"
	"pass out probability 50% allow-opts max-pkt-rate 3/1\n",
	"set syncookies always\nset reassemble no\nset skip on em2\n"
	"block return-icmp in inet proto udp\npass out\n"
	"pass in proto tcp no state\n",
	/* pools of every kind */
	"table <t> { 192.0.2.8 192.0.2.16/30 !192.0.2.17 2001:db8::8 }\n"
	"table <empty> persist\n"
	"set syncookies adaptive (start 20%, end 10%)\nset limit states 50\n"
	"match out inet proto udp nat-to <t> least-states sticky-address\n"
	"match out inet proto tcp nat-to { 192.0.2.8 weight 3, 192.0.2.9 } "
	"port 2000:2004 round-robin\n"
	"match in inet proto tcp rdr-to <t> source-hash\n"
	"match in inet proto udp to port 53 rdr-to 10.0.0.0/29 port 9:* random\n"
	"match out inet6 nat-to (em0) static-port\n"
	"pass in inet proto icmp from 10.0.0.2 af-to inet6 from 2001:db8::2 "
	"to 2001:db8:9::/64\n"
	"pass in inet proto tcp from 10.0.0.3 to port 80 af-to inet6 from "
	"2001:db8::2\n"
	"pass in inet proto udp to port 9 route-to <t> random sticky-address\n"
	"pass in inet proto udp to port 7 route-to <empty> round-robin\n"
	"pass out\npass in proto icmp6\npass in proto tcp synproxy state\n"
};
#define NRULESETS	(sizeof(rulesets) / sizeof(rulesets[0]))

struct input {
	const uint8_t	*p;
	size_t		 left;
};

static struct pfk_host *host;
static struct pfk_image *images[NRULESETS];

void
die(const char *fmt, ...)
{
	(void)fmt;
	abort();			/* packet.c: never with what we make */
}

static unsigned
take(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
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
compile(size_t i)
{
	struct pfk_files files = { read_text, NULL };
	struct pfk_compile_options o = {
		.host = host, .files = &files, .path = "pf.conf"
	};
	struct pfk_ruleset *rs = NULL;
	char text[2048];

	strcpy(text, rulesets[i]);
	files.ctx = text;
	if (pfk_compile(&o, &rs) != PFK_OK ||
	    pfk_ruleset_image(rs, i % 2 ? PFK_LOWER_FAST : PFK_LOWER_PLAIN,
	    &images[i]) != PFK_OK)
		abort();
	pfk_ruleset_free(rs);
}

static void
set_up(void)
{
	char error[PFK_HOST_ERRLEN];

	if (host != NULL)
		return;
	host = pfk_host_new(NULL);
	if (host == NULL || pfk_host_load_dir(host, "tests/golden/host",
	    error) != 0)
		abort();
	for (size_t i = 0; i < NRULESETS; i++)
		compile(i);
}

/* One of few addresses, of both sides of the firewall. */
static void
address(uint8_t af, unsigned n, uint8_t out[16])
{
	static const uint8_t v4[8][4] = { { 10, 0, 0, 2 }, { 10, 0, 0, 3 },
	    { 192, 0, 2, 2 }, { 192, 0, 2, 9 }, { 203, 0, 113, 1 },
	    { 203, 0, 113, 2 }, { 224, 0, 0, 1 }, { 127, 0, 0, 1 } };
	static const uint8_t v6[16] = { 0x20, 1, 0x0d, 0xb8 };
	static const uint8_t nat64[16] = { 0, 0x64, 0xff, 0x9b };

	if (af == 4)
		memcpy(out, v4[n % 8], 4);
	else {
		memcpy(out, n % 8 == 7 ? nat64 : v6, 16);
		out[15] = (uint8_t)(n % 8);
	}
}

static void
ports(struct input *in, struct packet_spec *s)
{
	static const uint16_t known[] = { 22, 53, 80, 1025, 1026, 50001 };
	unsigned v = take(in);

	s->sport = known[v % 6];
	s->dport = known[v / 6 % 6];
}

static void
tcp(struct input *in, struct packet_spec *s)
{
	static const uint8_t common[] = { 0x02, 0x12, 0x10, 0x18, 0x11, 0x04,
	    0x14, 0x00 };
	static const uint8_t options[] = { 2, 4, 5, 0xb4, 3, 3, 7, 1, 8, 10,
	    0, 0, 0, 1, 0, 0, 0, 0, 1, 1 };
	unsigned v = take(in);

	ports(in, s);
	s->flags = v & 8 ? (uint8_t)take(in) : common[v & 7];
	s->seq = 1000U * (v >> 4 & 3) + take(in);
	s->ack = 1000U * (v >> 6) + take(in);
	s->win = (uint16_t)(take(in) << 8);
	if (s->flags & 0x02) {
		memcpy(s->tcp_options.b, options, sizeof(options));
		s->tcp_options.len = sizeof(options) - 4 * (v & 4);
	}
}

static void
icmp(struct input *in, struct packet_spec *s, const struct bytes *last)
{
	unsigned v = take(in);

	s->type = (uint8_t)(v & 0x80 ? take(in) : s->af == 4 ?
	    (v & 1 ? 8 : 3) : (v & 1 ? 128 : 1));
	s->code = (uint8_t)(v >> 1 & 7);
	s->id = (uint16_t)(v >> 4 & 3);
	if (v & 1)
		return;
	put_bytes(&s->payload, last->b, last->len < 60 ? last->len : 60);
}

static void
details(struct input *in, struct packet_spec *s)
{
	unsigned v = take(in);

	s->ipid = (uint16_t)(v & 3);
	s->df = (v & 4) != 0;
	s->ttl = v & 8 ? 1 : 64;
	s->bad_sum = v == 0xf0;
	if (v & 0x10) {			/* a fragment */
		unsigned w = take(in);

		s->is_part = true;
		s->from = (w & 15) * 8;
		s->to = s->from + (w >> 4) * 8 + 8;
		s->more = (v & 0x80) != 0;
	}
	if (v & 0x20 && s->af == 4) {
		memcpy(s->ip_options.b, "\x94\x04\0\0", 4);
		s->ip_options.len = 4;
	}
	if (v & 0x20 && s->af == 6) {
		memcpy(s->extensions.b, "\0\0\1\4\0\0\0\0", 8);
		s->extensions.len = 8;
	}
	if (v & 0x40)
		s->ip_length = (long)take(in);
}

static void
make_packet(struct input *in, unsigned kind, struct bytes *ip)
{
	static struct packet_spec s;
	unsigned v = take(in);
	size_t filler;

	memset(&s, 0, offsetof(struct packet_spec, payload));
	s.payload.len = 0;
	s.ip_length = s.cut = -1;
	s.af = v & 0x40 ? 6 : 4;
	address(s.af, v, s.src);
	address(s.af, v >> 3, s.dst);
	details(in, &s);
	switch (kind) {
	case 0: case 1:
		s.kind = KIND_TCP, s.proto = 6;
		tcp(in, &s);
		break;
	case 2:
		s.kind = KIND_UDP, s.proto = 17;
		ports(in, &s);
		break;
	case 3:
		s.kind = s.af == 4 ? KIND_ICMP : KIND_ICMP6;
		s.proto = s.af == 4 ? 1 : 58;
		icmp(in, &s, ip);
		break;
	default:
		s.kind = KIND_OTHER;
		s.proto = (uint8_t)take(in);
		break;
	}
	filler = s.is_part ? 256 : take(in) & 15;
	for (size_t i = 0; i < filler; i++)
		put8(&s.payload, 'x');
	if (s.is_part && s.from > filler)
		s.from = 0;
	build_ip(&s, ip);
}

static void
make_raw(struct input *in, struct bytes *ip)
{
	size_t len = take(in);

	if (len > in->left)
		len = in->left;
	ip->len = 0;
	put_bytes(ip, in->p, len);
	in->p += len;
	in->left -= len;
}

static void
step(struct pfk_engine *e, struct input *in, struct pfk_packet *p)
{
	static const uint16_t links[] = { 1, 0, 108, 113, 276, 117, 228, 12 };
	static struct bytes ip;
	unsigned v = take(in);

	p->linktype = 101;
	p->dir = (uint8_t)(1 + (v >> 3) % 3);
	p->ifid = (uint16_t)((v >> 5) % NIFACES);
	if ((v & 7) == 7)
		p->time += (uint64_t)take(in) * 500000000;
	else if ((v & 7) == 6)
		make_raw(in, &ip);
	else if ((v & 7) == 5) {
		make_raw(in, &ip);
		p->linktype = links[take(in) % 8];
	} else
		make_packet(in, v & 7, &ip);
	p->time += 1000000;
	p->number++;
	/* an exact copy, so that a byte too far is noticed */
	uint8_t *copy = malloc(ip.len + (ip.len == 0));

	if (copy == NULL)
		abort();
	memcpy(copy, ip.b, ip.len);
	p->data = copy;
	p->caplen = p->wirelen = (uint32_t)ip.len;
	pfk_engine_run(e, p, 1);
	free(copy);
}

static bool
look(void *ctx, const struct pfk_state *s)
{
	*(uint64_t *)ctx += s->id;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[NIFACES] = { "em0", "em1", "em2" };
	struct input in = { data, size };
	struct pfk_engine_options o = { .debug = 7, .seed = 1 };
	struct pfk_packet p = { .time = UINT64_C(1700000000000000000) };
	struct pfk_engine *e = NULL;
	uint64_t sum = 0;

	set_up();
	o.image = images[take(&in) % NRULESETS];
	o.interfaces = pfk_host_interfaces(host, &o.ninterfaces);
	o.routes = pfk_host_routes(host, &o.nroutes);
	if (pfk_engine_new(&o, &e) != PFK_OK)
		abort();
	for (size_t i = 0; i < NIFACES; i++)
		(void)pfk_engine_interface(e, names[i]);
	while (in.left > 0)
		step(e, &in, &p);
	pfk_engine_states(e, look, &sum);
	pfk_engine_free(e);
	return 0;
}
