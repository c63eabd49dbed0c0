/*
 * What packets become, and what is sent back, by sets and by the engine: for
 * packets all over each region what the engine makes of one must be among
 * what the set becomes, and the packet among those that may become that.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include <pfkit/exact.h>

#include "../../tools/pfkit/trace/trace.h"
#include "tests/unit/engine_kit.h"

const char program_name[] = "test_onward";

#define TRIES	300		/* packets of a ruleset */

struct subject {
	struct kit	 k;
	struct pfk_exact *x;
	struct pfk_verdicts *v;
	uint64_t	 seed;
	unsigned	 moved, answered;
};

static uint32_t
draw(struct subject *s, uint32_t n)
{
	s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((s->seed >> 33) % n);
}

static void
narrow(struct subject *s, pfk_set *set, pfk_set by)
{
	pfk_set both = pfk_set_and(s->x, *set, by);

	pfk_set_free(s->x, by);
	pfk_set_free(s->x, *set);
	*set = both;
}

/* If there is any in it. */
static void
prefer(struct subject *s, pfk_set *set, pfk_set by)
{
	if (pfk_set_meets(s->x, *set, by))
		narrow(s, set, by);
	else
		pfk_set_free(s->x, by);
}

/* Some packet of a region. */
static bool
some_packet(struct subject *s, pfk_set region, struct pfk_exact_packet *p)
{
	static const uint8_t protocols[] = { 6, 17, 1, 58, 47 };
	pfk_set set = pfk_set_plain(s->x);
	uint8_t addr[16];
	bool found;

	narrow(s, &set, pfk_set_copy(s->x, region));
	prefer(s, &set, pfk_set_protocol(s->x, protocols[draw(s, 5)]));
	for (unsigned n = 0; n < 8; n++) {
		unsigned side = draw(s, 2), af = draw(s, 2) ? 4 : 6;

		for (unsigned i = 0; i < 16; i++)
			addr[i] = (uint8_t)draw(s, 256);
		prefer(s, &set, pfk_set_network(s->x, side, af, addr,
		    1 + draw(s, af == 4 ? 32 : 128)));
	}
	for (unsigned n = 0; n < 8; n++) {
		uint16_t port = (uint16_t)draw(s, 65536);

		prefer(s, &set, pfk_set_ports(s->x, draw(s, 2), port,
		    (uint16_t)(port | draw(s, 65536))));
	}
	found = pfk_exact_example(s->x, set, p);
	pfk_set_free(s->x, set);
	return found;
}

/* All packets that differ from it in nothing that translation looks at. */
static pfk_set
only(struct subject *s, const struct pfk_exact_packet *p)
{
	pfk_set set = pfk_set_direction(s->x, p->dir);

	narrow(s, &set, pfk_set_interface(s->x, 0, p->ifname));
	narrow(s, &set, pfk_set_protocol(s->x, p->proto));
	narrow(s, &set, pfk_set_network(s->x, 0, p->af, p->src,
	    p->af == 6 ? 128 : 32));
	narrow(s, &set, pfk_set_network(s->x, 1, p->af, p->dst,
	    p->af == 6 ? 128 : 32));
	if (p->proto != 6 && p->proto != 17)
		return set;
	narrow(s, &set, pfk_set_ports(s->x, 0, p->sport, p->sport));
	narrow(s, &set, pfk_set_ports(s->x, 1, p->dport, p->dport));
	return set;
}

static void
run(struct subject *s, const struct pfk_exact_packet *p)
{
	uint8_t bytes[PACKET_SIZE];
	struct pfk_packet k = { .data = bytes, .linktype = 101,
	    .dir = p->dir };
	struct packet words;

	memset(&words, 0, sizeof(words));
	words.af = p->af;
	words.proto = p->proto;
	memcpy(words.src.addr, p->src, 16);
	memcpy(words.dst.addr, p->dst, 16);
	words.src.port = htons(p->proto == 1 || p->proto == 58 ? 1 :
	    p->sport);
	words.dst.port = htons(p->dport);
	words.tcp_flags = p->flags;
	words.icmp_type = p->icmp_type;
	words.icmp_code = p->icmp_code;
	words.tos = p->tos;
	words.ttl = 64;
	k.caplen = k.wirelen = packet_build(&words, bytes);
	k.ifid = (uint16_t)pfk_engine_interface(s->k.e, p->ifname);
	k.time = KIT_START + ++s->k.now * 1000000000u;
	pfk_engine_run(s->k.e, &k, 1);
}

/* The packet as the engine left it. */
static void
became(const struct subject *s, const struct pfk_exact_packet *p,
    struct pfk_exact_packet *out)
{
	const struct pfk_flow *f = &s->k.d.after;

	*out = *p;
	out->af = f->af;
	out->proto = f->proto;
	out->tos = s->k.d.tos;
	memcpy(out->src, f->src.addr, 16);
	memcpy(out->dst, f->dst.addr, 16);
	if (f->proto == 6 || f->proto == 17) {
		out->sport = ntohs(f->src.port);
		out->dport = ntohs(f->dst.port);
	}
	if (f->af != p->af && (p->proto == 1 || p->proto == 58))
		out->icmp_type = f->af == 6 ? 128 : 8;
}

static void
tell(const struct pfk_exact_packet *p, const char *what)
{
	char text[256];

	pfk_exact_packet_text(p, text, sizeof(text));
	fprintf(stderr, "%s: %s\n", what, text);
}

static void
check_move(struct subject *s, size_t region, const struct pfk_exact_packet *p)
{
	struct pfk_exact_packet out;
	pfk_set one = only(s, p), after, before, from;

	became(s, p, &out);
	after = pfk_set_translated(s->v, region, one);
	from = only(s, &out);
	before = pfk_set_untranslated(s->v, region, from);
	if (!pfk_set_has(s->x, after, &out) ||
	    !pfk_set_has(s->x, before, p)) {
		tell(p, "in");
		tell(&out, "out");
		ck_abort_msg("the engine makes something else of it");
	}
	s->moved += (s->k.d.changed & PFK_CHANGED_FLOW) != 0;
	pfk_set_free(s->x, one);
	pfk_set_free(s->x, from);
	pfk_set_free(s->x, after);
	pfk_set_free(s->x, before);
}

static void
check_answer(struct subject *s, size_t region,
    const struct pfk_exact_packet *p)
{
	pfk_set rst = pfk_verdicts_answered(s->v, region, true);
	pfk_set icmp = pfk_verdicts_answered(s->v, region, false);
	bool any = s->k.d.nreplies > 0;
	bool is_rst = any && s->k.d.replies[0].kind == PFK_REPLY_RST;

	if (pfk_set_has(s->x, rst, p) != is_rst ||
	    pfk_set_has(s->x, icmp, p) != (any && !is_rst)) {
		tell(p, "in");
		ck_abort_msg("the engine answers otherwise");
	}
	s->answered += any;
	pfk_set_free(s->x, rst);
	pfk_set_free(s->x, icmp);
}

static void
try_region(struct subject *s, size_t i, const struct pfk_region *r)
{
	struct pfk_exact_packet p;
	static const struct pfk_net any;

	if (!some_packet(s, r->set, &p) || p.other_if)
		return;
	/* errors of ICMP are no first packets */
	if ((p.proto == 1 && p.icmp_type != 8) ||
	    (p.proto == 58 && p.icmp_type != 128))
		return;
	run(s, &p);
	if (s->k.d.rule != r->outcome.rule)
		return;		/* dropped before; test_exact has verdicts */
	if (s->k.d.verdict == PFK_PASS)
		check_move(s, i, &p);
	else if (s->k.d.verdict == PFK_BLOCK)
		check_answer(s, i, &p);
	(void)pfk_engine_kill_states(s->k.e, &any, &any, NULL, NULL);
}

static void
agree(struct subject *s, const char *rules)
{
	struct pfk_exact_image im = { .interfaces = kit_ifs,
	    .ninterfaces = 3 };
	const struct pfk_region *r;
	size_t n;

	memset(s, 0, sizeof(*s));
	s->seed = 3;
	if (!pfk_exact_available())
		return;
	kit_open(&s->k, rules);
	im.image = s->k.image;
	ck_assert_int_eq(pfk_exact_new(&(struct pfk_exact_options){
	    .images = &im, .nimages = 1 }, &s->x), PFK_OK);
	ck_assert_int_eq(pfk_exact_decide(s->x, 0, &s->v), PFK_OK);
	r = pfk_verdicts_regions(s->v, &n);
	for (unsigned k = 0; k < TRIES; k++) {
		size_t i = draw(s, (uint32_t)n);

		try_region(s, i, &r[i]);
	}
	ck_assert_int_eq(pfk_exact_error(s->x), PFK_OK);
	pfk_verdicts_free(s->v);
	pfk_exact_free(s->x);
	kit_close(&s->k);
}

static void
moves(const char *rules)
{
	struct subject s;

	agree(&s, rules);
	ck_assert(!pfk_exact_available() || s.moved > 20);
}

START_TEST(sources)
{
	moves("pass out on em0 inet from 10.0.0.0/8 nat-to 192.0.2.9\n");
	moves("pass out on em0 inet proto tcp nat-to 192.0.2.9 port 2000\n");
	moves("pass out on em0 inet from 10.0.0.0/24 nat-to 192.0.2.0/24 "
	    "bitmask\n");
	moves("pass out on em0 inet nat-to 192.0.2.0/25 source-hash\n");
	moves("pass out on em0 inet nat-to (em0)\n");
	moves("table <t> { 192.0.2.7 192.0.2.16/28 }\n"
	    "pass out on em0 inet nat-to <t> round-robin static-port\n");
	moves("match out on em0 inet from 10.0.0.0/8 nat-to 192.0.2.9\n"
	    "pass out\npass out proto tcp to port 80 set tos 0x10\n");
}
END_TEST

START_TEST(destinations)
{
	moves("pass in on em0 inet proto { tcp udp } to port 80 "
	    "rdr-to 10.0.0.5 port 8080\n");
	moves("pass in on em0 inet proto tcp to port 100:200 "
	    "rdr-to 10.0.0.5 port 5100:5200\n");
	moves("pass in on em0 inet proto tcp to port 100:200 "
	    "rdr-to 10.0.0.5 port 5000:5009\n");
	moves("pass in on em0 inet proto tcp rdr-to 10.0.0.5 port 1000:*\n");
	moves("pass in on em0 inet to 192.0.2.0/24 rdr-to 10.0.0.0/24 "
	    "bitmask\n");
	moves("match in inet proto tcp to port 80 rdr-to 10.0.0.5\n"
	    "pass in\npass in inet from 10.0.0.0/8 nat-to 192.0.2.3\n");
}
END_TEST

START_TEST(families)
{
	moves("pass in on em1 inet6 to 64:ff9b::/96 af-to inet "
	    "from 192.0.2.2\n");
	moves("pass in on em1 inet6 to 2001:db8::/32 af-to inet "
	    "from 192.0.2.2\n");
	moves("pass in on em1 inet6 to 2001:db8::/56 af-to inet "
	    "from 192.0.2.2\n");
	moves("pass in on em1 inet6 to 2001:db8::/64 af-to inet "
	    "from 192.0.2.2 to 10.0.0.0/24\n");
	moves("pass in on em0 inet af-to inet6 from 2001:db8::1 "
	    "to 2001:db8:5::/96\n");
	moves("pass in on em0 inet af-to inet6 from 2001:db8::/96\n");
	moves("pass in on em0 inet proto tcp af-to inet6 from 2001:db8::1 "
	    "to 2001:db8:5::/64\n");
	moves("pass in on em0 inet af-to inet6 from 2001:db8::1 "
	    "to 2001:db8:5::7\n");
}
END_TEST

START_TEST(answers)
{
	struct subject s;

	agree(&s, "block return\nblock drop in proto tcp to port 80\n"
	    "block return-rst in proto tcp to port 81\n"
	    "block return-icmp in proto udp to port 53\n");
	ck_assert(!pfk_exact_available() || s.answered > 20);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { sources, destinations, families,
	    answers };

	return kit_main("onward", tests, sizeof(tests) / sizeof(*tests));
}
