/*
 * The fast lane against the ordinary path: two engines, one without the lane,
 * are given the same random traffic in the same bursts.  Decisions, debug
 * messages and everything that is saved must be the same.
 *
 * Traffic: a few connections of both families that open, send, lose, repeat,
 * probe, jump out of their windows, close and open again; UDP; pings; other
 * frames, damaged and cut off ones; and time, which sometimes jumps.
 */
#include <pfkit/compile.h>
#include "tests/unit/engine_kit.h"
#include "runtime/engine_int.h"
#include "runtime/state_table.h"

#define NFLOWS	24
#define MAX_BURST 70
#define FRAME	200

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64 };

/* ---- traffic ---- */

struct flow {
	uint8_t	 addr[2][16];
	uint16_t port[2];
	uint32_t next[2];		/* sequence number of each side */
	uint32_t edge[2];		/* of its window, by the other's ACK */
	bool	 v6, tcp, echo, scaled;
};

/* Rules, and what becomes of IPv4 addresses under them. */
struct scene {
	const char	*rules;
	uint8_t		 inside[4];	/* who answers, of rdr-to */
	uint8_t		 outside[4];	/* who is answered, of nat-to */
	unsigned	 opener;	/* side of flows that opens them */
	bool		 few;		/* hits */
	bool		 rare;		/* mostly there is no state at all */
	bool		 forwards;	/* most packets go through */
	bool		 roams;		/* flows use both interfaces */
};

struct traffic {
	const struct scene *scene;
	struct flow	 flows[NFLOWS];
	uint64_t	 random, time, number;
	uint16_t	 em0, em1;	/* where most of it goes through */
	struct pfk_packet packets[MAX_BURST];
	uint8_t		 frames[MAX_BURST][FRAME];
};

static uint32_t
chance(struct traffic *t, uint32_t n)
{
	t->random = t->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((t->random >> 33) % n);
}

static void
flow_new(struct traffic *t, struct flow *f, unsigned i)
{
	memset(f, 0, sizeof(*f));
	f->v6 = i % 3 == 0;
	f->tcp = i % 4 != 3;
	f->echo = i % 8 == 7;
	f->scaled = chance(t, 2);
	for (unsigned s = 0; s < 2; s++) {
		uint8_t *a = f->addr[s];

		if (f->v6) {
			a[0] = 0x20;
			a[1] = 0x01;
			a[15] = (uint8_t)(1 + s * 100 + i / 2);
		} else {
			a[0] = s == 0 ? 10 : 192;
			a[2] = s == 0 ? 0 : 2;
			a[3] = (uint8_t)(10 + i / 2);
		}
		f->port[s] = (uint16_t)(s == 0 ? 1024 + i : 80);
		f->next[s] = chance(t, 4) == 0 ? (uint32_t)-5000 :
		    chance(t, 1u << 30);
	}
}

static uint8_t
proto_of(const struct flow *f)
{
	return f->tcp ? 6 : !f->echo ? 17 : f->v6 ? 58 : 1;
}

static uint32_t
put_ip(uint8_t *p, const struct flow *f, unsigned from, uint32_t plen,
    struct traffic *t)
{
	if (f->v6) {
		memset(p, 0, 40);
		p[0] = 0x60;
		kit_put16(p + 4, (uint16_t)plen);
		p[6] = proto_of(f);
		p[7] = 64;
		memcpy(p + 8, f->addr[from], 16);
		memcpy(p + 24, f->addr[!from], 16);
		return 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	p[1] = chance(t, 8) == 0 ? 0x13 : 0;
	kit_put16(p + 2, (uint16_t)(chance(t, 60) == 0 ? chance(t, 50) :
	    20 + plen));
	p[6] = chance(t, 2) ? 0x40 : 0;
	if (chance(t, 60) == 0)
		p[6] = (uint8_t)(1u << (5 + chance(t, 3)));
	p[8] = 64;
	p[9] = proto_of(f);
	memcpy(p + 12, f->addr[from], 4);
	memcpy(p + 16, f->addr[!from], 4);
	if (from == 1 && t->scene->inside[0] != 0)
		memcpy(p + 12, t->scene->inside, 4);
	if (from == 0 && t->scene->outside[0] != 0)
		memcpy(p + 16, t->scene->outside, 4);
	kit_put16(p + 10, kit_sum(p, 20, 0));
	return 20;
}

static uint8_t
some_flags(struct traffic *t)
{
	static const uint8_t odd[] = { SYN, SYN | ACK, FIN | ACK, RST,
	    RST | ACK, ACK | URG, 0, SYN | FIN, ACK | ECE, ACK | 128 };

	return chance(t, 8) != 0 ? ACK | (chance(t, 2) ? PSH : 0) :
	    odd[chance(t, sizeof(odd))];
}

static const uint8_t syn_options[12] = { 2, 4, 5, 0xb4, 1, 3, 3, 7 };
static const uint8_t stamps[12] = { 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 9 };

/* The sender's numbers go on, unless the segment is lost or strays. */
static uint32_t
put_tcp(struct traffic *t, uint8_t *p, struct flow *f, unsigned from,
    uint8_t flags, uint32_t datalen)
{
	uint32_t seq = f->next[from], ack = f->next[!from];
	uint32_t doff = flags & SYN ? (f->scaled ? 32 : 20) :
	    chance(t, 2) ? 32 : 20;
	uint16_t win = (uint16_t)(chance(t, 9) == 0 ? 0 :
	    500 + chance(t, 60000));

	memset(p, 0, 32);
	switch (chance(t, 24)) {
	case 0:
		seq -= chance(t, 3000);		/* again */
		break;
	case 1:
		seq += chance(t, 200000);	/* far ahead */
		break;
	case 2:
		ack += chance(t, 2) ? 70000 : (uint32_t)-140000;
		break;
	case 3:
		seq--;				/* a probe */
		break;
	case 4:
		seq = f->edge[from] - datalen - 1 + chance(t, 3);
		break;
	default:
		f->next[from] += datalen + ((flags & (SYN | FIN)) != 0);
	}
	kit_put16(p, f->port[from]);
	kit_put16(p + 2, chance(t, 100) == 0 ? 0 : f->port[!from]);
	kit_put32(p + 4, seq);
	kit_put32(p + 8, flags & ACK ? ack : 0);
	p[12] = (uint8_t)(doff / 4 << 4 | (chance(t, 50) == 0));
	p[13] = flags;
	kit_put16(p + 14, win);
	f->edge[!from] = ack + ((uint32_t)win <<
	    (f->scaled && !(flags & SYN) ? 7 : 0));
	p[19] = flags & URG || chance(t, 50) == 0;
	if (doff == 32)
		memcpy(p + 20, flags & SYN ? syn_options : stamps, 12);
	return doff;
}

/* Who opens the flow asks, mostly; now and then it is another message. */
static void
put_echo(struct traffic *t, uint8_t *p, const struct flow *f, unsigned from)
{
	bool answers = (from != t->scene->opener) ^ (chance(t, 12) == 0);

	p[0] = f->v6 ? 128 + answers : answers ? 0 : 8;
	if (chance(t, 20) == 0)
		p[0] = (uint8_t)chance(t, f->v6 ? 140 : 20);
	p[1] = chance(t, 20) == 0;
	kit_put16(p + 4, f->port[0]);
}

static uint32_t
put_packet(struct traffic *t, uint8_t *p, struct flow *f, unsigned from,
    uint8_t flags)
{
	uint32_t datalen = chance(t, 2) ? 0 : 1 + chance(t, 60), hlen;
	uint8_t body[40];

	if (!f->tcp) {
		hlen = put_ip(p, f, from, 8 + datalen, t);
		memset(p + hlen, 0, 8 + datalen);
		if (f->echo) {
			put_echo(t, p + hlen, f, from);
			return hlen + 8 + datalen;
		}
		kit_put16(p + hlen, f->port[from]);
		kit_put16(p + hlen + 2, f->port[!from]);
		kit_put16(p + hlen + 4, (uint16_t)(8 + datalen -
		    (chance(t, 30) == 0 ? 9 : 0)));
		return hlen + 8 + datalen;
	}
	memset(body, 0, sizeof(body));
	uint32_t doff = put_tcp(t, body, f, from, flags, datalen);

	hlen = put_ip(p, f, from, doff + datalen, t);
	memcpy(p + hlen, body, doff);
	memset(p + hlen + doff, 0, datalen);
	return hlen + doff + datalen;
}

/* Ethernet with no, one or two tags, or nothing. */
static uint32_t
put_link(struct traffic *t, uint8_t *p, bool v6, uint16_t *linktype)
{
	uint32_t off = 12;

	*linktype = 101;
	if (chance(t, 3) == 0)
		return 0;
	*linktype = 1;
	memset(p, 2, 12);
	for (uint32_t tags = chance(t, 3) ? 0 : chance(t, 3); tags > 0;
	    tags--, off += 4) {
		kit_put16(p + off, chance(t, 4) ? 0x8100 : 0x88a8);
		kit_put16(p + off + 2, 7);
	}
	kit_put16(p + off, chance(t, 80) == 0 ? 0x0806 :
	    v6 ? 0x86dd : 0x0800);
	return off + 2;
}

/* From 0 on em0 to 1 on em1, and back. */
static void
forward(const struct traffic *t, struct pfk_packet *p, unsigned from)
{
	p->dir = PFK_FWD;
	p->ifid = from == 0 ? t->em0 : t->em1;
}

static void
next_packet(struct traffic *t, unsigned i)
{
	struct pfk_packet *p = &t->packets[i];
	struct flow *f = &t->flows[chance(t, NFLOWS)];
	uint8_t *b = t->frames[i], flags = some_flags(t);
	unsigned from = chance(t, 2);
	uint32_t off, len;

	if (chance(t, 200) == 0)
		flow_new(t, f, (unsigned)(f - t->flows));
	off = put_link(t, b, f->v6, &p->linktype);
	len = off + put_packet(t, b + off, f, from, flags);
	t->time += chance(t, 3) == 0 ? 0 : chance(t, 40000000);
	if (chance(t, 400) == 0)
		t->time += KIT_SECONDS(chance(t, 4) ? 20 : 90000);
	p->time = t->time - (chance(t, 20) == 0 ? 1000000 : 0);
	p->number = ++t->number;
	p->data = b;
	p->caplen = p->wirelen = len;
	p->dir = (uint8_t)(from == 0 ? PFK_IN : PFK_OUT);
	if (chance(t, 30) == 0)
		p->dir = (uint8_t)(1 + chance(t, 3));
	p->ifid = t->em0;
	if (t->scene->roams && chance(t, 2))
		p->ifid = t->em1;
	if (t->scene->forwards && chance(t, 20) != 0)
		forward(t, p, from);
	if (chance(t, 30) == 0)
		p->ifid = (uint16_t)chance(t, 5);
	switch (chance(t, 30)) {
	case 0:
		p->caplen = chance(t, len + 1);
		break;
	case 1:
		b[chance(t, len)] ^= (uint8_t)(1u << chance(t, 8));
		break;
	case 2:
		p->caplen = p->wirelen = chance(t, len + 1);
		break;
	case 3:
		p->caplen = p->wirelen = len + 20;	/* padding */
		break;
	case 4:
		p->wirelen = chance(t, len + 1);	/* less than is here */
	}
}

/*
 * A connection opens properly now and then, and closes: the rest is mostly
 * chance.  Lower bits are TCP's flags.
 */
#define ANSWER	0x100
static const unsigned opening[] = { SYN, SYN | ACK | ANSWER, ACK };
static const unsigned closing[] = { FIN | ACK, ACK | ANSWER,
    FIN | ACK | ANSWER, ACK, ACK };

static void
play(struct traffic *t, unsigned i, struct flow *f, const unsigned *steps,
    unsigned nsteps)
{
	for (unsigned n = 0; n < nsteps; n++) {
		struct pfk_packet *p = &t->packets[i + n];
		unsigned from = (steps[n] & ANSWER ? 1 : 0) ^
		    t->scene->opener;
		uint32_t len = put_packet(t, t->frames[i + n], f, from,
		    (uint8_t)steps[n]);

		*p = (struct pfk_packet){ .time = t->time, .linktype = 101,
		    .number = ++t->number, .data = t->frames[i + n],
		    .caplen = len, .wirelen = len, .ifid = t->em0,
		    .dir = from == 1 ? PFK_OUT : PFK_IN };
		if (chance(t, 8) == 0)
			p->caplen = f->v6 ? 60 : 40;	/* but for options */
		if (t->scene->forwards)
			forward(t, p, from);
	}
}

static unsigned
play_some(struct traffic *t, unsigned i)
{
	struct flow *f = &t->flows[chance(t, NFLOWS)];
	bool opens = chance(t, 2);
	unsigned n = opens ? 3 : 5;

	play(t, i, f, opens ? opening : closing, n);
	return n;
}

static size_t
next_burst(struct traffic *t)
{
	size_t n = chance(t, 4) == 0 ? 1 : 1 + chance(t, MAX_BURST);

	memset(t->frames, 0, sizeof(t->frames));
	for (unsigned i = 0; i < n; i++)
		if (i + 5 <= n && chance(t, 8) == 0)
			i += play_some(t, i) - 1;
		else
			next_packet(t, i);
	return n;
}

/* Where flows' sides are. */
static const struct pfk_route routes[] = {
	{ .af = 4, .prefixlen = 16, .dst = { 10, 0 }, .ifname = "em0" },
	{ .af = 4, .prefixlen = 16, .dst = { 192, 0 }, .ifname = "em1" },
	{ .af = 4, .prefixlen = 32, .dst = { 10, 0, 0, 99 },
	    .ifname = "em1" },
	{ .af = 6, .prefixlen = 122, .dst = { 0x20, 1 }, .ifname = "em0" },
	{ .af = 6, .prefixlen = 16, .dst = { 0x20, 1 }, .ifname = "em1" },
};

/* ---- what an engine says ---- */

struct says {
	struct pfk_engine *e;
	char	 text[800 * MAX_BURST];
	size_t	 len;
	unsigned hits, changed;
};

static void
add_bytes(struct says *s, const void *p, size_t n)
{
	ck_assert_uint_le(s->len + n, sizeof(s->text));
	memcpy(s->text + s->len, p, n);
	s->len += n;
}

static void
add_flow(struct says *s, const struct pfk_flow *f)
{
	uint8_t head[3] = { f->af, f->proto, f->has_ports };

	add_bytes(s, head, 3);
	add_bytes(s, &f->src, sizeof(f->src));
	add_bytes(s, &f->dst, sizeof(f->dst));
}

static void
says_decision(void *ctx, const struct pfk_decision *d)
{
	struct says *s = ctx;
	uint64_t num[] = { d->number, d->time, d->second, d->dir, d->ifid,
	    d->verdict, d->reason, d->rule, d->state, d->state_id, d->changed,
	    d->ttl, d->tos, d->df, d->mss, d->nreplies, d->iplen,
	    d->iplen != 0 ? kit_sum(d->ip, d->iplen, 0) : 0 };

	s->hits += d->state == PFK_STATE_MATCH;
	s->changed += d->state == PFK_STATE_MATCH &&
	    d->changed & PFK_CHANGED_FLOW;
	add_bytes(s, num, sizeof(num));
	add_flow(s, &d->before);
	add_flow(s, &d->after);
	if (d->changed & PFK_CHANGED_QUOTE)
		add_flow(s, &d->quote);
}

static uint64_t debug_sum;

static void
says_debug(void *ctx, int level, const char *text)
{
	struct says *s = ctx;

	(void)s;
	for (debug_sum += (unsigned)level; *text != '\0'; text++)
		debug_sum = debug_sum * 31 + (uint8_t)*text;
}

static void
says_open(struct says *s, const struct pfk_image *image, bool told,
    bool no_lane)
{
	struct pfk_sink sink = { s, told ? says_decision : NULL, NULL,
	    says_debug };
	struct pfk_engine_options o = { .image = image,
	    .interfaces = kit_ifs, .ninterfaces = 3, .sink = &sink,
	    .routes = routes, .nroutes = sizeof(routes) / sizeof(*routes),
	    .seed = 7, .debug = 7, .no_lane = no_lane };

	memset(s, 0, sizeof(*s));
	ck_assert_int_eq(pfk_engine_new(&o, &s->e), PFK_OK);
}

static uint64_t
says_run(struct says *s, const struct traffic *t, size_t n)
{
	debug_sum = 0;
	s->len = 0;
	pfk_engine_run(s->e, t->packets, n);
	return debug_sum;
}

static void
same_saved(const struct says *a, const struct says *b)
{
	void *x, *y;
	size_t nx, ny;

	ck_assert_int_eq(pfk_engine_save(a->e, &x, &nx), PFK_OK);
	ck_assert_int_eq(pfk_engine_save(b->e, &y, &ny), PFK_OK);
	ck_assert_uint_eq(nx, ny);
	ck_assert_mem_eq(x, y, nx);
	pfk_engine_free_data(a->e, x, nx);
	pfk_engine_free_data(b->e, y, ny);
}

/* Bursts that began without any state; those in which the first came. */
struct bare { unsigned began, came; };

static void
compare(const struct scene *scene, bool told, uint64_t seed, unsigned bursts)
{
	struct bare bare = { 0, 0 };
	static struct traffic t;
	static struct says with, without;
	struct pfk_image *image = kit_image(scene->rules);

	memset(&t, 0, sizeof(t));
	t.scene = scene;
	t.random = seed;
	t.time = KIT_START;
	for (unsigned i = 0; i < NFLOWS; i++)
		flow_new(&t, &t.flows[i], i);
	says_open(&with, image, told, false);
	if (seed % 2 != 0)
		state_hasher_init(&with.e->hasher, &with.e->hash_key, false);
	says_open(&without, image, told, true);
	t.em0 = (uint16_t)pfk_engine_interface(with.e, "em0");
	t.em1 = (uint16_t)pfk_engine_interface(with.e, "em1");
	for (unsigned i = 0; i < bursts; i++) {
		bool none = with.e->states->entries == 0;
		size_t n = next_burst(&t);
		uint64_t x = says_run(&with, &t, n);

		bare.began += none;
		bare.came += none && with.e->states->entries != 0;
		ck_assert_uint_eq(says_run(&without, &t, n), x);
		ck_assert_uint_eq(with.len, without.len);
		ck_assert_mem_eq(with.text, without.text, with.len);
		if (i % 16 == 0 || i + 1 == bursts)
			same_saved(&with, &without);
	}
	if (scene->rare) {
		ck_assert_uint_gt(bare.began, 2);
		ck_assert_uint_gt(bare.came, 0);
	}
	if (told && !scene->few)
		ck_assert_uint_gt(with.hits, bursts);
	if (told && (scene->inside[0] | scene->outside[0]) != 0)
		ck_assert_uint_gt(with.changed, bursts);
	pfk_engine_free(with.e);
	pfk_engine_free(without.e);
	pfk_image_free(image);
}

/* ---- tests ---- */

#define SHORT_LIVED							\
	"set timeout { udp.first 1, udp.single 1, udp.multiple 2, "	\
	"tcp.first 3, tcp.established 5, interval 1 }\n"

static const struct scene scenes[] = {
	{ .rules = "pass\n" },
	{ .rules = "block\npass on em0 keep state (if-bound)\n" },
	{ .rules = "set skip on lo0\nset debug debug\npass keep state (sloppy)\n" },
	{ .rules = "pass modulate state\n" },
	{ .rules = "pass proto tcp synproxy state\npass proto udp\n" },
	{ .rules = "match in scrub (no-df, min-ttl 70, max-mss 1000)\n"
	    "pass log (all)\n" },
	{ .rules = "match in scrub (reassemble tcp, random-id)\npass\n" },
	{ .rules = "table <a> counters { 10.0.0.0/24 }\npass from <a>\n"
	    "pass inet6 keep state (source-track rule)\n" },
	{ .rules = "match in on em0 set prio 3\nmatch inet tag X\n"
	    "anchor \"x\" {\n pass\n}\n" },
	{ .rules = "pass in on em0 inet rdr-to 10.0.0.99\n"
	    "pass out nat-to 10.0.0.1\npass inet6\n" },
	{ .rules = "pass max-pkt-rate 100/1\n" },
	{ .rules = "set timeout { tcp.established 30, udp.multiple 10, interval 1 }\n"
	    "set limit states 12\npass\n" },
	{ .rules = "pass in divert-packet port 700\npass out\n" },
	{ .rules = "pass in on em0 route-to 192.0.2.7\npass\n" },
	{ .rules = "pass flags any no state\npass proto udp keep state\n",
	    .few = true },
	{ .rules = "pass out\npass in inet proto tcp rdr-to 10.0.0.99\n"
	    "pass in inet proto udp rdr-to 10.0.0.99 port 80\n"
	    "pass in inet proto icmp rdr-to 10.0.0.99\n"
	    "pass in inet6\n",
	    .inside = { 10, 0, 0, 99 } },
	{ .rules = "pass\npass out on em0 inet nat-to 192.0.2.77 static-port\n",
	    .outside = { 192, 0, 2, 77 }, .opener = 1 },
	{ .rules = "pass\npass out on em0 inet6 nat-to 2001:db8::7\n"
	    "pass out on em0 inet nat-to 192.0.2.77 static-port "
	    "keep state (if-bound)\n", .outside = { 192, 0, 2, 77 },
	    .opener = 1 },
	/* match rules count, and change what they are told of */
	{ .rules = "match in inet scrub (random-id, no-df)\n"
	    "match out set tos 16\nmatch in proto udp set prio 5\npass\n" },
	{ .rules = "match scrub (max-mss 900, min-ttl 80)\n"
	    "match out on em0 inet nat-to 192.0.2.77 static-port\n"
	    "anchor \"x\" {\n match inet6 tag X\n pass\n}\n",
	    .outside = { 192, 0, 2, 77 }, .opener = 1 },
	{ .rules = "match in tag T\nmatch inet scrub (random-id)\n"
	    "pass in\nblock out on em1\npass out tagged T\n",
	    .forwards = true },
	/* ... and what they are told of when their state is made */
	{ .rules = SHORT_LIVED "table <c> counters { 10.0.0.0/29 }\n"
	    "match in from <c> scrub (no-df)\n"
	    "match scrub (reassemble tcp, random-id)\n"
	    "match in proto udp tag A set prio 2\n"
	    "match proto tcp scrub (max-mss 900)\npass tag B flags any\n"
	    "pass in tagged A keep state (if-bound)\n" },
	{ .rules = SHORT_LIVED "set limit states 14\n"
	    "match scrub (random-id, min-ttl 90)\nmatch set tos 8\n"
	    "match in inet set delay 5\nblock tag C\nmatch tagged C tag D\n"
	    "anchor \"x\" {\n match out tag E\n pass flags any\n}\n" },
	/* packets without a state: the short way of miss.c */
	{ .rules = "block\nblock return in proto tcp to port 80\n"
	    "pass out flags any\nblock log inet6 proto udp\n",
	    .few = true },
	{ .rules = "table <a> counters { 10.0.0.0/28 }\n"
	    "pass flags any no state\nblock in quick from 10.0.0.12\n"
	    "block in from <a>\npass proto udp from <a> keep state\n",
	    .few = true },
	{ .rules = SHORT_LIVED "set limit states 9\n"
	    "block\npass flags any keep state (if-bound)\n"
	    "anchor \"y\" {\n pass in proto udp\n}\n" },
	{ .rules = SHORT_LIVED
	    "set syncookies adaptive (start 10%, end 5%)\n"
	    "set limit states 30\nmatch inet proto udp tag Y\n"
	    "pass flags any keep state (max 6)\npass in tagged Y\n"
	    "pass out proto tcp flags any set tos 16\n", .few = true },
	{ .rules = SHORT_LIVED "set syncookies always\npass\n"
	    "pass out flags any\n", .few = true },
	{ .rules = SHORT_LIVED "pass flags any\n"
	    "pass in proto udp keep state (max-src-states 2, "
	    "source-track rule)\n"
	    "pass in inet proto tcp os \"Linux\" no state\n", .few = true },
	{ .rules = "block\npass inet proto icmp icmp-type echoreq\n"
	    "pass inet6 proto icmp6 icmp6-type { echoreq, 133 }\n"
	    "pass in proto { tcp udp }\npass inet proto icmp icmp-type "
	    "{ echorep, unreach code 3 } no state\n", .few = true },
	{ .rules = "pass no state\npass proto { icmp icmp6 }\n"
	    "block return in inet proto icmp icmp-type 8 code 1\n"
	    "match inet6 proto icmp6 tag Z\npass in inet proto icmp "
	    "rdr-to 10.0.0.99\n", .few = true },
	/* rules side by side (strip.h), which nobody is told of */
	{ .rules = "block\npass in quick inet proto tcp from 10.0.0.12 "
	    "flags any no state\n"
	    "pass in quick proto udp to port 80 no state\n"
	    "pass out inet6 flags any no state\n"
	    "block out inet6 to 2001::/64\n"
	    "block in quick inet from 10.0.0.16/29\n"
	    "pass quick inet proto tcp from any to 192.0.2.16/28 port 80 "
	    "flags any no state\npass in quick inet6 proto icmp6 no state\n",
	    .few = true },
	{ .rules = SHORT_LIVED "pass flags any no state\n"
	    "block in quick inet proto tcp from 10.0.0.12 to port 1000:2000\n"
	    "pass in inet6 proto udp from 2001::2 to port 80\n"
	    "pass in proto tcp to port 80 flags any no state\n"
	    "block quick proto tcp from port 1024:1027\n"
	    "pass out inet from 192.0.2.16/28 flags any no state\n",
	    .few = true },
	{ .rules = "block\npass in inet from 10.0.0.12 flags any no state\n"
	    "block in inet proto tcp from 10.0.0.12 port 1024:1032\n"
	    "block in inet proto udp from 10.0.0.12\n"
	    "pass in inet from 10.0.0.13 flags any no state\n"
	    "block in inet from 10.0.0.13 to 192.0.2.12\n"
	    "pass out inet flags any no state\n"
	    "block out inet proto tcp to 10.0.0.14\n"
	    "pass in inet6 flags any no state\n", .few = true },
	{ .rules = "pass flags any no state\nblock in quick inet proto udp\n"
	    "block in inet from 10.0.0.13\nblock out quick inet6\n"
	    "block in inet proto tcp from any to 192.0.2.12\n"
	    "pass in inet from 10.0.0.12 probability 50% flags any no state\n",
	    .few = true },
	/* states of the same key */
	{ .rules = "pass flags any keep state (if-bound)\n"
	    "pass in on em1 proto udp no state\n", .roams = true,
	    .few = true },
	/* states come to an empty table, and go again */
	{ .rules = SHORT_LIVED "pass flags any no state\n"
	    "pass in inet proto udp from 10.0.0.15\n"
	    "block out inet6 proto tcp to port 1024:1033\n",
	    .few = true, .rare = true },
	{ .rules = SHORT_LIVED "set timeout { icmp.first 1, icmp.error 1 }\n"
	    "table <a> { 10.0.0.0/28 }\nblock\npass from <a> no state\n"
	    "pass in proto { icmp icmp6 } keep state (if-bound)\n"
	    "pass inet6 flags any no state\n", .few = true, .rare = true },
	{ .rules = "pass\n", .forwards = true },
	{ .rules = "block\npass in on em0\npass out on em1\n",
	    .forwards = true },
	{ .rules = "pass keep state (if-bound)\n"
	    "pass out on em1 proto tcp keep state (if-bound, sloppy)\n",
	    .forwards = true },
	{ .rules = "pass\npass in on em0 inet rdr-to 10.0.0.99\n",
	    .inside = { 10, 0, 0, 99 }, .forwards = true },
	{ .rules = "pass\npass out on em0 inet nat-to 192.0.2.77 static-port\n",
	    .outside = { 192, 0, 2, 77 }, .opener = 1, .forwards = true },
	{ .rules = "set skip on em1\npass\n", .forwards = true },
};
#define NSCENES	(sizeof(scenes) / sizeof(*scenes))

START_TEST(test_told)
{
	for (size_t i = 0; i < NSCENES; i++)
		compare(&scenes[i], true, 77 + i, 60);
}
END_TEST

START_TEST(test_untold)
{
	for (size_t i = 0; i < NSCENES; i++)
		compare(&scenes[i], false, 977 + i, 60);
}
END_TEST

START_TEST(test_long)
{
	compare(&scenes[0], true, 4711, 600);
	compare(&scenes[1], false, 4712, 600);
	compare(&(struct scene){ .rules = "set state-policy if-bound\npass\n" },
	    false, 4714, 600);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { test_told, test_untold, test_long };

	return kit_main("lane", tests, sizeof(tests) / sizeof(*tests));
}
