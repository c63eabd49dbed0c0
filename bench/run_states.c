/*
 * Packets of connections that are known, and the first ones of new ones.
 *
 * A flow is a number; its addresses, ports and sequence numbers follow from
 * it.  Its connection is opened with three packets; then empty ACKs go to and
 * fro, which fit the windows however often they come.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"

#define STATE_BYTES	400		/* expected at most, for the guard */

struct flows { uint32_t n; bool translated; };
#define INSIDE	0xc6336407u		/* who gets what is redirected */

static const char ruleset[] =
    "set limit states 40000000\n"
    "block\n"
    "pass in on em0 inet proto tcp to port 443\n"
    "pass in on em0 inet proto tcp to port 444 rdr-to 198.51.100.7\n"
    "pass in on em0 inet proto udp to port 53\n";

static struct header
flow_header(uint32_t flow)
{
	uint64_t m = mix64(flow);

	return (struct header){ .addr = { 0x0a000000 | (flow & 0xffffff),
	    0xc6120000 | (uint32_t)(m & 0x1ffff) },
	    .port = { (uint16_t)(1024 + (m >> 20) % 60000), 443 },
	    .proto = 6 };
}

/* A packet of the flow, in (0) or out (1). */
static void
flow_frame(struct feed *f, size_t i, uint32_t flow, unsigned way,
    uint8_t flags)
{
	const struct flows *flows = f->ctx;
	struct header h = flow_header(flow), back;
	uint64_t m = mix64(flow + 77);
	struct tcp tcp = { (uint32_t)m, (uint32_t)(m >> 32), flags };
	struct tcp reply = { tcp.ack, tcp.seq, flags };

	h.port[1] += flows->translated;
	back = h;
	if (way == 0) {
		tcp.seq += (flags & 0x02) ? 0 : 1;
		tcp.ack = (flags & 0x02) ? 0 : tcp.ack + 1;
		frame_v4(f, i, PFK_IN, &h, &tcp);
		return;
	}
	reply.seq += (flags & 0x02) ? 0 : 1;
	reply.ack++;
	back.addr[0] = flows->translated ? INSIDE : h.addr[1];
	back.addr[1] = h.addr[0];
	back.port[0] = h.port[1];
	back.port[1] = h.port[0];
	frame_v4(f, i, PFK_OUT, &back, &reply);
}

/* f->next counts packets: SYN, SYN ACK, ACK of each flow. */
static void
fill_open(struct feed *f, size_t n)
{
	static const uint8_t flags[] = { 0x02, 0x12, 0x10 };

	for (size_t i = 0; i < n; i++, f->next++)
		flow_frame(f, i, (uint32_t)(f->next / 3), f->next % 3 == 1,
		    flags[f->next % 3]);
}

static void
fill_hits(struct feed *f, size_t n)
{
	const struct flows *flows = f->ctx;

	for (size_t i = 0; i < n; i++) {
		uint64_t r = random_u64(&f->random);

		flow_frame(f, i, (uint32_t)((r >> 32) * flows->n >> 32),
		    r & 1, 0x10);
	}
}

static void
fill_new_udp(struct feed *f, size_t n)
{
	for (size_t i = 0; i < n; i++, f->next++) {
		struct header h = flow_header((uint32_t)f->next);

		h.proto = 17;
		h.port[1] = 53;
		frame_v4(f, i, PFK_IN, &h, NULL);
	}
}

struct filter { struct compiled c; struct pfk_engine *e; struct feed *f; };

static void
filter_open(struct filter *w, const struct pfk_allocator *a)
{
	struct text t = { 0 };

	text_add(&t, "%s", ruleset);
	compile_text(&t, NULL, PFK_LOWER_AUTO, NULL, &w->c);
	text_free(&t);
	w->e = engine_for(w->c.image, a, NULL);
	w->f = feed_new(w->e, 1);
}

static void
filter_close(struct filter *w)
{
	feed_free(w->f);
	pfk_engine_free(w->e);
	pfk_image_free(w->c.image);
}

static void
open_flows(struct filter *w, struct flows *flows)
{
	struct pfk_counters c;

	w->f->ctx = flows;
	w->f->fill = fill_open;
	feed_packets(w->f, 3 * (size_t)flows->n, 64);
	pfk_engine_counters(w->e, &c);
	if (c.states != flows->n)
		die("%u states for %u flows", c.states, flows->n);
	w->f->fill = fill_hits;
}

/* Every packet must have found its state and passed. */
static void
check_hits(const struct filter *w, const struct pfk_counters *before)
{
	struct pfk_counters c;

	pfk_engine_counters(w->e, &c);
	if (c.states != before->states || c.inserts != before->inserts ||
	    c.reasons[PFK_REASON_MATCH] != before->reasons[PFK_REASON_MATCH])
		die("not every packet was a state hit");
}

static bool
enough_memory(size_t nflows)
{
	long pages = sysconf(_SC_AVPHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages <= 0 || size <= 0 || (double)nflows * STATE_BYTES <
	    0.8 * (double)pages * (double)size;
}

static void
hits(struct bench *b, uint32_t n, bool translated, const char *name,
    double limit)
{
	struct flows flows = { .n = n, .translated = translated };
	struct pfk_counters before;
	struct samples s = { .n = 0 };
	struct filter w;
	struct meter m;

	if (!enough_memory(n)) {
		report_skipped(b, "state hit", name, "too little memory");
		return;
	}
	meter_init(&m);
	filter_open(&w, &m.allocator);
	m.most = m.now;
	open_flows(&w, &flows);
	pfk_engine_counters(w.e, &before);
	feed_for(w.f, b->seconds / 4, b->burst);	/* warm */
	for (unsigned i = 0; i < b->repeats; i++)
		samples_add(&s, feed_for(w.f, b->seconds, b->burst));
	check_hits(&w, &before);
	report(b, "state hit", name, "ns", &s, limit, NULL);
	if (n >= 1000000)
		report_one(b, "state hit", "memory of each", "bytes",
		    (double)m.now / n, 256, NULL);
	filter_close(&w);
}

static void
one_by_one(struct bench *b)
{
	struct bench alone = *b;
	struct flows flows = { .n = 1 };
	struct samples s = { .n = 0 };
	struct filter w;

	filter_open(&w, NULL);
	open_flows(&w, &flows);
	for (unsigned i = 0; i < alone.repeats; i++)
		samples_add(&s, feed_for(w.f, b->seconds, 1));
	report(b, "state hit", "1 connection, one packet a call", "ns", &s, 0,
	    NULL);
	filter_close(&w);
}

static void
decisions(void *ctx, const struct pfk_decision *d)
{
	*(uint64_t *)ctx += d->verdict;
}

/* What it costs to be told each decision. */
static void
with_sink(struct bench *b)
{
	struct flows flows = { .n = 1 };
	struct samples s = { .n = 0 };
	uint64_t seen = 0;
	struct pfk_sink sink = { .ctx = &seen, .decision = decisions };
	struct filter w;

	filter_open(&w, NULL);
	pfk_engine_free(w.e);
	w.e = w.f->engine = engine_for(w.c.image, NULL, &sink);
	w.f->ifid = (uint16_t)pfk_engine_interface(w.e, "em0");
	open_flows(&w, &flows);
	for (unsigned i = 0; i < b->repeats; i++)
		samples_add(&s, feed_for(w.f, b->seconds, b->burst));
	report(b, "state hit", "1 connection, each decision told", "ns", &s, 0,
	    NULL);
	filter_close(&w);
}

static void
new_states(struct bench *b)
{
	size_t n = b->quick ? 100000 : 1000000;
	struct samples s = { .n = 0 };
	struct pfk_counters c;
	struct filter w;

	for (unsigned i = 0; i < b->repeats; i++) {
		filter_open(&w, NULL);
		w.f->fill = fill_new_udp;
		samples_add(&s, feed_packets(w.f, n, b->burst));
		pfk_engine_counters(w.e, &c);
		if (c.states != n)
			die("%u new states of %zu", c.states, n);
		filter_close(&w);
	}
	report(b, "new state", b->quick ? "UDP, 100,000 from an empty table" :
	    "UDP, 1,000,000 from an empty table", "ns", &s, 200, NULL);
}

void
run_states(struct bench *b)
{
	hits(b, 1, false, "1 connection", 30);
	one_by_one(b);
	with_sink(b);
	hits(b, 10000, false, "10,000 states, random order", 40);
	hits(b, 1000000, false, "1,000,000 states, random order", 70);
	if (b->quick)
		report_skipped(b, "state hit", "10,000,000 states, random "
		    "order", "quick");
	else
		hits(b, 10000000, false, "10,000,000 states, random order", 90);
	hits(b, 10000, true, "10,000 states of rdr-to, random order", 0);
	hits(b, 1000000, true, "1,000,000 states of rdr-to, random order", 0);
	new_states(b);
}

void
states_alone(size_t nflows, bool translated, size_t npackets, size_t burst)
{
	struct flows flows = { .n = (uint32_t)nflows,
	    .translated = translated };
	struct filter w;

	filter_open(&w, NULL);
	open_flows(&w, &flows);
	measured_packets(w.f, npackets, burst);
	filter_close(&w);
}

void
new_states_alone(size_t npackets, size_t burst)
{
	struct filter w;

	filter_open(&w, NULL);
	w.f->fill = fill_new_udp;
	measured_packets(w.f, npackets, burst);
	filter_close(&w);
}
