/*
 * Translation: which addresses and ports packets get, there and back, and
 * that every checksum is right afterwards.
 */
#include "tests/unit/firewall.h"

#include "runtime/pool.h"

#define ck_flow(f, text) ck_assert_str_eq(firewall_flow(f), text)

START_TEST(nat_there_and_back)
{
	struct firewall *f = firewall_new(
	    "pass out on em0 inet nat-to 192.0.2.1 static-port\n");
	struct packet p;

	packet_udp(&p, "10.0.0.9", 4000, "198.51.100.7", 53, 100);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p), PFK_PASS);
	ck_flow(f, "192.0.2.1 4000 > 198.51.100.7 53");
	ck_assert(cksums_right(f->ip, f->last.iplen));
	ck_assert_int_eq(f->last.changed, PFK_CHANGED_FLOW);
	packet_udp(&p, "198.51.100.7", 53, "192.0.2.1", 4000, 33);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_PASS);
	ck_flow(f, "198.51.100.7 53 > 10.0.0.9 4000");
	ck_assert(cksums_right(f->ip, f->last.iplen));
	firewall_free(f);
}
END_TEST

START_TEST(nat_ports_differ)
{
	struct firewall *f = firewall_new(
	    "pass out on em0 inet nat-to 192.0.2.1 port 2000:2003\n");
	struct packet p;
	bool seen[4] = { false };

	for (unsigned i = 0; i < 4; i++) {
		unsigned port;

		packet_udp(&p, "10.0.0.9", 4000 + i, "198.51.100.7", 53, 0);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p),
		    PFK_PASS);
		port = get16(f->ip + 20);
		ck_assert(port >= 2000 && port < 2004 && !seen[port - 2000]);
		seen[port - 2000] = true;
	}
	packet_udp(&p, "10.0.0.9", 5000, "198.51.100.7", 53, 0);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p), PFK_DROP);
	ck_assert_int_eq(f->last.reason, PFK_REASON_TRANSLATE);
	/* another peer: all are free again */
	packet_udp(&p, "10.0.0.9", 5000, "198.51.100.8", 53, 0);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p), PFK_PASS);
	firewall_free(f);
}
END_TEST

START_TEST(echo_gets_an_id)
{
	struct firewall *f = firewall_new(
	    "pass out on em0 inet nat-to 192.0.2.1\n");
	struct packet p;
	unsigned id;

	packet_icmp(&p, "10.0.0.9", "198.51.100.7", 8, 0, 77, 56);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p), PFK_PASS);
	ck_assert(cksums_right(f->ip, f->last.iplen));
	id = get16(f->ip + 24);
	packet_icmp(&p, "198.51.100.7", "192.0.2.1", 0, 0, id, 56);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_PASS);
	ck_assert_uint_eq(get16(f->ip + 24), 77);
	ck_assert(cksums_right(f->ip, f->last.iplen));
	firewall_free(f);
}
END_TEST

/* The pool's addresses for sources 10.0.0.1, 10.0.0.2, ... */
static void
check_pool(const char *rule, const char *const *want)
{
	struct firewall *f = firewall_new(rule);
	struct packet p;
	char src[32], flow[200];

	for (unsigned i = 0; want[i] != NULL; i++) {
		snprintf(src, sizeof(src), "10.0.0.%u", i + 1);
		packet_udp(&p, src, 4000 + i, "198.51.100.7", 53, 5);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p),
		    PFK_PASS);
		snprintf(flow, sizeof(flow), "%s %u > 198.51.100.7 53",
		    want[i], 4000 + i);
		ck_flow(f, flow);
	}
	firewall_free(f);
}

START_TEST(pool_round_robin)
{
	static const char *const list[] = { "192.0.2.8", "192.0.2.9",
	    "192.0.2.20", "192.0.2.8", "192.0.2.9", "192.0.2.20", NULL };
	static const char *const net[] = { "192.0.2.8", "192.0.2.9",
	    "192.0.2.10", "192.0.2.11", "192.0.2.8", NULL };

	check_pool("pass out inet nat-to { 192.0.2.8/31 192.0.2.20 } "
	    "round-robin static-port\n", list);
	check_pool("table <t> { 192.0.2.8 192.0.2.9 !192.0.2.10 192.0.2.20 }\n"
	    "pass out inet nat-to <t> round-robin static-port\n", list);
	check_pool("pass out inet nat-to 192.0.2.8/30 round-robin "
	    "static-port\n", net);
}
END_TEST

/* The weighted rounds of pf: first the heavy ones. */
START_TEST(pool_weights)
{
	static const char *const want[] = { "192.0.2.8", "192.0.2.8",
	    "192.0.2.20", "192.0.2.8", "192.0.2.20", NULL };

	check_pool("pass out inet nat-to { 192.0.2.8 weight 2, 192.0.2.20 "
	    "weight 1 } round-robin static-port\n", want);
}
END_TEST

/* A taken address is passed over, and there is an end to it. */
static void
check_exhausted(const char *rules, unsigned addresses)
{
	struct firewall *f = firewall_new(rules);
	struct packet p;
	char src[32];

	for (unsigned i = 0; i <= addresses; i++) {
		snprintf(src, sizeof(src), "10.0.0.%u", i + 1);
		packet_udp(&p, src, 4000, "198.51.100.7", 53, 5);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p),
		    i < addresses ? PFK_PASS : PFK_DROP);
	}
	ck_assert_int_eq(f->last.reason, PFK_REASON_TRANSLATE);
	firewall_free(f);
}

START_TEST(pool_exhausted)
{
	check_exhausted("pass out inet nat-to 192.0.2.8/30 round-robin "
	    "static-port\n", 4);
	check_exhausted("pass out inet nat-to 192.0.2.8/30 random "
	    "static-port\n", 4);
	check_exhausted("pass out inet nat-to { 192.0.2.8 192.0.2.9 } random "
	    "static-port\n", 2);
	check_exhausted("table <t> { 192.0.2.8/31 192.0.2.11 }\n"
	    "pass out inet nat-to <t> round-robin static-port\n", 3);
	check_exhausted("pass out inet nat-to 192.0.2.8 static-port\n", 1);
	check_exhausted("pass out inet nat-to 192.0.2.8 round-robin "
	    "static-port\n", 1);
}
END_TEST

/* Addresses of an interface take turns, link-local ones do not. */
START_TEST(pool_interface)
{
	struct firewall *f = firewall_new(
	    "pass out on em0 inet6 nat-to (em0) static-port\n"
	    "pass out on em0 inet nat-to (em1) static-port\n");
	struct packet p;

	for (unsigned i = 0; i < 2; i++) {
		packet_udp(&p, "2001:db8:1::9", 40 + i, "2001:db8:9::7", 53,
		    5);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p),
		    PFK_PASS);
		ck_flow(f, i == 0 ? "2001:db8::2 40 > 2001:db8:9::7 53" :
		    "2001:db8::2 41 > 2001:db8:9::7 53");
	}
	packet_udp(&p, "10.0.0.9", 40, "198.51.100.7", 53, 5);
	firewall_send(f, "em0", PFK_OUT, &p);
	ck_flow(f, "10.0.0.1 40 > 198.51.100.7 53");
	packet_udp(&p, "10.0.0.9", 41, "198.51.100.7", 53, 5);
	firewall_send(f, "em0", PFK_OUT, &p);
	ck_flow(f, "10.0.1.1 41 > 198.51.100.7 53");
	firewall_free(f);
}
END_TEST

/* RFC 6052: where the four bytes stand in prefixes of all lengths. */
START_TEST(embedding)
{
	static const struct { unsigned bits; const char *text; } cases[] = {
		{ 32, "2001:db8:c000:221::" }, { 40, "2001:db8:1c0:2:21::" },
		{ 48, "2001:db8:122:c000:2:2100::" },
		{ 56, "2001:db8:122:3c0:0:221::" },
		{ 64, "2001:db8:122:344:c0:2:2100:0" },
		{ 96, "2001:db8:122:344::192.0.2.33" },
	};
	struct pfk_addr v4, v6, want, prefix, mask, back;

	ck_assert(addr_parse("192.0.2.33", PFK_AF_INET, &v4));
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert(addr_parse("2001:db8:122:344::", PFK_AF_INET6,
		    &prefix));
		addr_prefix_mask(&mask, cases[i].bits);
		addr_and(&prefix, &mask);
		ck_assert(addr_parse(cases[i].text, PFK_AF_INET6, &want));
		ck_assert(afto_embed(&v6, &v4, &prefix, cases[i].bits));
		ck_assert(addr_equal(&v6, &want, PFK_AF_INET6));
		memset(&back, 0, sizeof(back));
		ck_assert(afto_extract(&back, &v6, cases[i].bits));
		ck_assert(addr_equal(&back, &v4, PFK_AF_INET));
	}
	ck_assert(!afto_extract(&back, &v6, 72));
}
END_TEST

START_TEST(pool_bitmask)
{
	static const char *const want[] = { "192.0.2.1", "192.0.2.2",
	    "192.0.2.3", NULL };

	check_pool("pass out inet nat-to 192.0.2.0/24 bitmask static-port\n",
	    want);
}
END_TEST

START_TEST(pool_least_states)
{
	struct firewall *f = firewall_new("table <t> { 192.0.2.8 192.0.2.9 "
	    "192.0.2.10 }\n"
	    "pass in inet proto udp to port 53 rdr-to <t> least-states\n");
	struct packet p;
	unsigned count[3] = { 0 };

	for (unsigned i = 0; i < 9; i++) {
		packet_udp(&p, "198.51.100.7", 4000 + i, "203.0.113.1", 53, 1);
		ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p),
		    PFK_PASS);
		count[f->ip[19] - 8]++;
	}
	ck_assert(count[0] == 3 && count[1] == 3 && count[2] == 3);
	firewall_free(f);
}
END_TEST

START_TEST(pool_sticky)
{
	struct firewall *f = firewall_new("pass in inet proto udp rdr-to "
	    "{ 10.1.0.8 10.1.0.9 10.1.0.10 } round-robin sticky-address\n");
	struct packet p;
	uint8_t first;

	packet_udp(&p, "198.51.100.7", 4000, "203.0.113.1", 53, 1);
	firewall_send(f, "em0", PFK_IN, &p);
	first = f->ip[19];
	for (unsigned i = 1; i < 5; i++) {
		packet_udp(&p, "198.51.100.8", 4000 + i, "203.0.113.1", 53, 1);
		firewall_send(f, "em0", PFK_IN, &p);
		ck_assert_uint_ne(f->ip[19], first);
		packet_udp(&p, "198.51.100.7", 4000 + i, "203.0.113.1", 53, 1);
		firewall_send(f, "em0", PFK_IN, &p);
		ck_assert_uint_eq(f->ip[19], first);
	}
	firewall_free(f);
}
END_TEST

START_TEST(rdr_ports)
{
	struct firewall *f = firewall_new("pass in inet proto tcp to port "
	    "8000:8003 rdr-to 10.0.0.2 port 80:*\n"
	    "pass in inet proto udp to port 8000:8009 rdr-to 10.0.0.2 port "
	    "90:91\n");
	struct packet p;

	packet_tcp(&p, "198.51.100.7", 1, "192.0.2.1", 8002, TCP_SYN, 1, 0, 0);
	firewall_send(f, "em0", PFK_IN, &p);
	ck_flow(f, "198.51.100.7 1 > 10.0.0.2 82");
	packet_udp(&p, "198.51.100.7", 1, "192.0.2.1", 8003, 0);
	firewall_send(f, "em0", PFK_IN, &p);
	ck_flow(f, "198.51.100.7 1 > 10.0.0.2 91");
	firewall_free(f);
}
END_TEST

START_TEST(errors_are_translated)
{
	struct firewall *f = firewall_new(
	    "pass out on em0 inet nat-to 192.0.2.1 static-port\n");
	struct packet p, sent;
	struct pfk_flow quote;

	packet_tcp(&p, "10.0.0.9", 4000, "198.51.100.7", 80, TCP_SYN, 5, 0, 0);
	firewall_send(f, "em0", PFK_OUT, &p);
	memcpy(sent.b, f->ip, f->last.iplen);
	packet_error(&p, "203.0.113.9", "192.0.2.1", 3, 1, sent.b,
	    f->last.iplen);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_PASS);
	ck_assert(cksums_right(f->ip, f->last.iplen));
	ck_assert(cksums_right(f->ip + 28, f->last.iplen - 28));
	ck_assert(pfk_flow_decode(f->ip + 28, f->last.iplen - 28, &quote));
	ck_assert_uint_eq(quote.src.addr[3], 9);
	ck_assert_uint_eq(quote.src.addr[0], 10);
	ck_assert_uint_eq(f->ip[16], 10);
	firewall_free(f);
}
END_TEST

/* ---- the other family ---- */

START_TEST(nat64_there_and_back)
{
	struct firewall *f = firewall_new("pass in on em1 inet6 to "
	    "64:ff9b::/96 af-to inet from 192.0.2.1 port 5555\n");
	struct packet p;

	packet_udp(&p, "2001:db8::9", 4000, "64:ff9b::c633:6407", 53, 99);
	ck_assert_int_eq(firewall_send(f, "em1", PFK_IN, &p), PFK_PASS);
	ck_flow(f, "192.0.2.1 5555 > 198.51.100.7 53");
	ck_assert(cksums_right(f->ip, f->last.iplen));
	ck_assert_uint_eq(f->last.iplen, 20 + 8 + 99);
	packet_udp(&p, "198.51.100.7", 53, "192.0.2.1", 5555, 41);
	put16(p.b + 26, 0);		/* without a checksum */
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_PASS);
	ck_flow(f, "64:ff9b::c633:6407 53 > 2001:db8::9 4000");
	ck_assert(cksums_right(f->ip, f->last.iplen));
	firewall_free(f);
}
END_TEST

START_TEST(nat64_echo_and_error)
{
	struct firewall *f = firewall_new("pass in on em1 inet6 to "
	    "64:ff9b::/96 af-to inet from 192.0.2.1\n");
	struct packet p, sent;

	packet_icmp(&p, "2001:db8::9", "64:ff9b::c633:6407", 128, 0, 7, 20);
	ck_assert_int_eq(firewall_send(f, "em1", PFK_IN, &p), PFK_PASS);
	ck_assert_uint_eq(f->ip[20], 8);
	ck_assert(cksums_right(f->ip, f->last.iplen));
	memcpy(sent.b, f->ip, f->last.iplen);
	packet_error(&p, "203.0.113.9", "192.0.2.1", 11, 0, sent.b,
	    f->last.iplen);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_IN, &p), PFK_PASS);
	ck_assert_uint_eq(f->ip[0] >> 4, 6);
	ck_assert_uint_eq(f->ip[40], 3);
	ck_assert_uint_eq(get16(f->ip + 40 + 8 + 40 + 4), 7);
	ck_assert(cksums_right(f->ip, f->last.iplen));
	ck_assert(cksums_right(f->ip + 48, f->last.iplen - 48));
	firewall_free(f);
}
END_TEST

/* ---- checksums, whatever happens ---- */

static uint64_t seed = 4711;

static unsigned
pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static const char everything[] =
    "set reassemble yes no-df\n"
    "match in all scrub (no-df random-id min-ttl 33 max-mss 600)\n"
    "match out on em0 inet proto tcp scrub (reassemble tcp) set tos 0x10\n"
    "pass in on em1 inet6 to 64:ff9b::/96 af-to inet from 192.0.2.1\n"
    "pass out on em0 inet from 10.0.0.0/24 nat-to 192.0.2.64/28 source-hash\n"
    "pass in on em0 inet proto { tcp udp } to 192.0.2.1 port 80 rdr-to "
    "{ 10.0.0.2 10.0.0.3 } port 8080\n"
    "pass out on em0 inet proto tcp from 10.1.0.0/24 nat-to 192.0.2.1 "
    "modulate state\n"
    "pass in on em1 inet6 proto tcp modulate state\n"
    "pass out on em1\n";

static const char *const inside4[] = { "10.0.0.9", "10.0.0.10", "10.1.0.7" };
static const char *const outside4[] = { "198.51.100.7", "203.0.113.9" };
static const char *const inside6[] = { "2001:db8::9", "2001:db8::a" };

/* Something from inside; dir and ifname as it comes. */
static const char *
random_packet(struct packet *p, enum pfk_dir *dir)
{
	bool v6 = pick(3) == 0;
	const char *src = v6 ? inside6[pick(2)] : inside4[pick(3)];
	const char *dst = v6 ? pick(2) ? "64:ff9b::c633:6407" :
	    "2001:db8:1::1" : outside4[pick(2)];

	*dir = v6 ? PFK_IN : PFK_OUT;
	switch (pick(4)) {
	case 0:
		packet_udp(p, src, 4000 + pick(3), dst, 53, pick(700));
		if (!v6 && pick(3) == 0)
			put16(p->b + 26, 0);
		break;
	case 1:
		packet_icmp(p, src, dst, v6 ? 128 : 8, 0, pick(3), pick(99));
		break;
	default:
		packet_tcp(p, src, 4000 + pick(5), dst, 80, (uint8_t)
		    (pick(2) ? TCP_SYN : TCP_ACK | pick(64)), pick(100), 0,
		    pick(300));
	}
	return v6 ? "em1" : "em0";
}

/* The answer to the packet as it left: the ends changed. */
static void
turn_round(const struct firewall *f, struct packet *p)
{
	bool v6 = f->ip[0] >> 4 == 6;
	uint32_t n = v6 ? 16 : 4, off = v6 ? 8 : 12;

	memset(p, 0, sizeof(*p));
	memcpy(p->b, f->ip, f->last.iplen);
	p->len = f->last.iplen;
	p->af = v6 ? 6 : 4;
	p->at = v6 ? 40 : 20;
	p->proto = p->b[v6 ? 6 : 9];
	memcpy(p->b + off, f->ip + off + n, n);
	memcpy(p->b + off + n, f->ip + off, n);
	if (p->proto == PROTO_TCP || p->proto == PROTO_UDP) {
		memcpy(p->b + p->at, f->ip + p->at + 2, 2);
		memcpy(p->b + p->at + 2, f->ip + p->at, 2);
	} else if (p->b[p->at] == 8 || p->b[p->at] == 128)
		p->b[p->at] = p->b[p->at] == 8 ? 0 : 129;
	if (p->proto == PROTO_TCP) {
		put32(p->b + p->at + 8, get32(f->ip + p->at + 4) + 1);
		p->b[p->at + 13] |= TCP_ACK;
	}
	packet_seal(p);
}

START_TEST(checksums_stay_right)
{
	struct firewall *f = firewall_new(everything);
	unsigned passed = 0, changed = 0;
	struct packet p, q;
	enum pfk_dir dir;

	for (unsigned i = 0; i < 20000; i++) {
		const char *ifname = random_packet(&p, &dir);

		if (firewall_send(f, ifname, dir, &p) != PFK_PASS)
			continue;
		passed++;
		changed += f->last.changed != 0;
		ck_assert_msg(cksums_right(f->ip, f->last.iplen), "%u", i);
		if (f->last.iplen > 1000 || pick(2))
			continue;
		if (pick(3)) {
			turn_round(f, &q);
			if (firewall_send(f, dir == PFK_IN && f->ip[0] >> 4 ==
			    6 ? "em1" : "em0", dir == PFK_IN && f->ip[0] >>
			    4 == 6 ? PFK_OUT : PFK_IN, &q) != PFK_PASS)
				continue;
		} else if (f->ip[0] >> 4 == 4) {
			char to[PFK_ADDRSTRLEN];
			struct pfk_addr a;

			memcpy(a.b, f->ip + 12, 4);
			packet_error(&q, "203.0.113.99", addr_format(&a,
			    PFK_AF_INET, to), 3, (uint8_t)pick(5), f->ip,
			    28 + pick(f->last.iplen - 28 + 1));
			if (firewall_send(f, "em0", PFK_IN, &q) != PFK_PASS)
				continue;
		}
		ck_assert_msg(cksums_right(f->ip, f->last.iplen), "%u", i);
	}
	ck_assert_uint_gt(passed, 5000);
	ck_assert_uint_gt(changed, 3000);
	firewall_free(f);
}
END_TEST

/* ---- memory that is there now and then ---- */

struct scarce { bool on; size_t out; };

static void *
scarce_fn(void *ctx, void *p, size_t osize, size_t nsize)
{
	struct scarce *m = ctx;
	void *v;

	if (m->on && nsize > (p == NULL ? 0 : osize) && pick(3) == 0)
		return NULL;
	v = pfk_allocator_libc.fn(NULL, p, osize, nsize);
	if (v != NULL || nsize == 0)
		m->out += nsize - (p == NULL ? 0 : osize);
	return v;
}

START_TEST(scarce_memory)
{
	static const char rules[] = "set timeout { frag 1, interval 1, "
	    "udp.first 1, udp.single 1, icmp.first 1, tcp.first 1 }\n";
	struct scarce m = { false, 0 };
	struct pfk_allocator a = { scarce_fn, &m };
	struct firewall *f = calloc(1, sizeof(*f));
	char text[2000];
	struct packet p;
	enum pfk_dir dir;

	snprintf(text, sizeof(text), "%s%s", rules, everything);
	firewall_image(f, text);
	ck_assert_int_eq(firewall_engine(f, &a), PFK_OK);
	f->now = 1000000000u;
	m.on = true;
	for (unsigned i = 0; i < 5000; i++) {
		const char *ifname = random_packet(&p, &dir);

		firewall_send(f, ifname, dir, &p);
		f->now += pick(40) * 10000000u;
		if (f->last.verdict == PFK_PASS)
			ck_assert(cksums_right(f->ip, f->last.iplen));
	}
	m.on = false;
	packet_udp(&p, "10.0.0.9", 999, "198.51.100.7", 999, 5);
	ck_assert_int_eq(firewall_send(f, "em0", PFK_OUT, &p), PFK_PASS);
	firewall_free(f);
	ck_assert_uint_eq(m.out, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("translate");
	TCase *t = tcase_create("translate");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, nat_there_and_back);
	tcase_add_test(t, nat_ports_differ);
	tcase_add_test(t, echo_gets_an_id);
	tcase_add_test(t, pool_round_robin);
	tcase_add_test(t, pool_weights);
	tcase_add_test(t, pool_exhausted);
	tcase_add_test(t, pool_interface);
	tcase_add_test(t, embedding);
	tcase_add_test(t, pool_bitmask);
	tcase_add_test(t, pool_least_states);
	tcase_add_test(t, pool_sticky);
	tcase_add_test(t, rdr_ports);
	tcase_add_test(t, errors_are_translated);
	tcase_add_test(t, nat64_there_and_back);
	tcase_add_test(t, nat64_echo_and_error);
	tcase_add_test(t, checksums_stay_right);
	tcase_add_test(t, scarce_memory);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
