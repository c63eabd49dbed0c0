/*
 * `reassemble tcp`: what a connection's timestamps and TTLs tell.
 *
 * TTL: no packet of a peer goes on with a lower one than its highest so far.
 *
 * Timestamps (RFC 7323): each peer's values get a random offset, taken off
 * again where the other echoes them.  When both have sent values that were
 * echoed (PAWS), a segment is refused whose value
 *
 *	is older than what the other side has echoed		(0)
 *	is further ahead than time could have brought it	(1)
 *
 * or which echoes
 *
 *	more than the other side ever sent			(2)
 *	less than the first that it sent			(3)
 *
 * and data without a timestamp when the peer's first data had one.  After 24
 * days of silence, or 12 of connection, the numbers say nothing any more.
 */
#include <string.h>

#include "runtime/normalize.h"
#include "runtime/save.h"
#include "runtime/translate.h"

#define MAX_IDLE	(24u * 24 * 60 * 60)	/* s */
#define MAX_AGE		(12u * 24 * 60 * 60)
#define TICKS		1100			/* a second: 1 kHz and 10% */
#define OPT_TIMESTAMP	8
#define LEN_TIMESTAMP	10

/* tspeer.flags */
enum { TS_SEEN = 1,		/* its SYN had a timestamp */
    TS_PAWS = 2,		/* one of its values has been echoed */
    TS_IDLED = 4,		/* PAWS was given up */
    TS_DATA = 8, TS_DATA_NOT = 16 }; /* its first data had one, or not */

struct tspeer {
	uint64_t	last;		/* us since start, of the last value */
	uint32_t	offset;
	uint32_t	val0, val, ecr;	/* lowest and last value, last echo */
	uint8_t		ttl;
	uint8_t		flags;
	bool		known;
};

struct tscrub {
	struct tspeer	peer[2];	/* who opened the connection, other */
	uint32_t	next_free;
};

struct tscrub_pool {
	struct tscrub	*v;
	uint32_t	 n, cap, free_list;
};

/* A segment's timestamp option. */
struct stamp { uint32_t val, ecr; bool there; };

int
tscrubs_init(struct pfk_engine *e)
{
	e->tscrubs = e_alloc(e, sizeof(*e->tscrubs));
	if (e->tscrubs == NULL)
		return -1;
	e->tscrubs->n = 1;		/* 0: none */
	return 0;
}

void
tscrubs_free(struct pfk_engine *e)
{
	struct tscrub_pool *q = e->tscrubs;

	if (q == NULL)
		return;
	if (q->v != NULL)
		e_free(e, q->v, q->cap * sizeof(*q->v));
	e_free(e, q, sizeof(*q));
	e->tscrubs = NULL;
}

static uint32_t
take_record(struct pfk_engine *e)
{
	struct tscrub_pool *q = e->tscrubs;
	uint32_t i = q->free_list, cap;
	struct tscrub *v;

	if (i != 0) {
		q->free_list = q->v[i].next_free;
		return i;
	}
	if (q->n >= q->cap) {
		cap = q->cap == 0 ? 64 : q->cap * 2;
		v = e_realloc(e, q->v, q->cap * sizeof(*v), cap * sizeof(*v));
		if (v == NULL)
			return 0;
		q->v = v;
		q->cap = cap;
	}
	return q->n++;
}

void
tscrub_free(struct pfk_engine *e, uint32_t i)
{
	e->tscrubs->v[i].next_free = e->tscrubs->free_list;
	e->tscrubs->free_list = i;
}

static struct tspeer *
peer_of(struct pfk_engine *e, uint32_t state, int peer)
{
	struct tscrub *t = &e->tscrubs->v[state_cold(e, state)->tscrub];

	return &t->peer[peer == PEER_SRC ? 0 : 1];
}

static uint64_t
now_us(const struct pfk_engine *e)
{
	return e->now / 1000;
}

/* The next timestamp option from *at on, or NULL. */
static const uint8_t *
next_option(const struct pkt *p, uint32_t *at)
{
	const uint8_t *th = p->ip + p->hdrlen;
	uint32_t end = (th[12] >> 4) * 4u, i = *at;

	while (i + LEN_TIMESTAMP <= end) {
		const uint8_t *opt = th + i;

		if (opt[0] <= 1) {
			i++;
			continue;
		}
		i += opt[1] > 2 ? opt[1] : 2;
		if (opt[0] == OPT_TIMESTAMP && opt[1] >= LEN_TIMESTAMP) {
			*at = i;
			return opt;
		}
	}
	return NULL;
}

void
tscrub_first(struct pkt *p, uint32_t state, int peer)
{
	struct tspeer *t = peer_of(p->e, state, peer);
	const uint8_t *opt;
	uint32_t at = 20;

	if (t->known)
		return;
	memset(t, 0, sizeof(*t));
	t->known = true;
	t->ttl = p->ttl;
	if ((p->tcp_flags & TCP_SYN) == 0)
		return;
	while ((opt = next_option(p, &at)) != NULL) {
		t->flags |= TS_SEEN;
		t->offset = e_random(p->e);
		t->val0 = t->val = get32(opt + 2);
		t->ecr = get32(opt + 6);
		t->last = now_us(p->e);
	}
}

bool
tscrub_start(struct pkt *p, uint32_t state)
{
	uint32_t i = take_record(p->e);

	if (i == 0)
		return false;
	memset(&p->e->tscrubs->v[i], 0, sizeof(struct tscrub));
	state_cold(p->e, state)->tscrub = i;
	tscrub_first(p, state, PEER_SRC);
	return true;
}

static enum outcome
refuse(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return PKT_DROP;
}

static void
say(struct pkt *p, uint32_t state, const char *what)
{
	char text[STATE_TEXTLEN];

	if (e_debugging(p->e, DEBUG_NOTICE))
		e_debug(p->e, DEBUG_NOTICE, "pf: %s%s", what,
		    state_text(p->e, state, text));
}

static bool
put_stamp(struct pkt *p, uint32_t off, uint32_t v)
{
	uint8_t four[4];

	put32(four, v);
	return rewrite_transport(p, off, four, 4);
}

/* Takes the value, with the other peer's offset off its echo, and replaces
 * both in the packet. */
static enum outcome
modulate(struct pkt *p, const struct tspeer *src, const struct tspeer *dst,
    struct stamp *ts)
{
	const uint8_t *opt;
	uint32_t at = 20, off;

	while ((opt = next_option(p, &at)) != NULL) {
		if (ts->there)
			return refuse(p, PFK_REASON_TS);
		off = (uint32_t)(opt - p->ip);
		ts->there = true;
		ts->val = get32(opt + 2);
		ts->ecr = get32(opt + 6);
		if (ts->val != 0 && (src->flags & TS_SEEN) != 0 &&
		    !put_stamp(p, off + 2, ts->val + src->offset))
			return refuse(p, PFK_REASON_MEMORY);
		if (ts->ecr == 0 || (dst->flags & TS_SEEN) == 0)
			continue;
		ts->ecr -= dst->offset;
		if (!put_stamp(p, off + 6, ts->ecr))
			return refuse(p, PFK_REASON_MEMORY);
	}
	return PKT_PASS;
}

static bool
seq_less(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static uint32_t
idle_seconds(const struct pfk_engine *e, const struct tspeer *t)
{
	return (uint32_t)(now_us(e) / 1000000 - t->last / 1000000);
}

/* Gives up PAWS where the numbers may have wrapped. */
static void
check_idle(struct pkt *p, uint32_t state, struct tspeer *t, bool sender)
{
	struct pfk_engine *e = p->e;

	if ((t->flags & TS_PAWS) == 0)
		return;
	if (idle_seconds(e, t) <= MAX_IDLE && !(sender &&
	    e->uptime - state_cold(e, state)->created > MAX_AGE))
		return;
	say(p, state, sender ? "src idled out of PAWS " :
	    "dst idled out of PAWS ");
	t->flags = (uint8_t)((t->flags & ~TS_PAWS) | TS_IDLED);
}

/* How far the clock may have come since the last value. */
static uint32_t
max_ticks(const struct pfk_engine *e, const struct tspeer *t, uint32_t rule)
{
	const struct rt_rule *rr = &e->rules[rule];
	uint32_t fudge = image_timeout(rr->image, rr->r, IMG_TMO_TS_DIFF);
	uint64_t us = now_us(e) - t->last;

	if (fudge == 0)
		fudge = e->opts.timeout[IMG_TMO_TS_DIFF];
	return (uint32_t)((us / 1000000 + fudge) * TICKS +
	    us % 1000000 / (1000000 / TICKS));
}

static bool
both_established(const struct state *s)
{
	return s->src.state >= TCPS_ESTABLISHED &&
	    s->dst.state >= TCPS_ESTABLISHED;
}

static enum outcome
check_stamp(struct pkt *p, uint32_t state, const struct tspeer *src,
    const struct tspeer *dst, const struct stamp *ts)
{
	const struct state *s = state_get(p->e, state);
	uint32_t ticks = max_ticks(p->e, src, s->rule);
	bool old = seq_less(ts->val, dst->ecr);
	bool ahead = seq_less(src->val + ticks, ts->val);
	bool echo_ahead = seq_less(dst->val, ts->ecr);
	bool echo_old = seq_less(ts->ecr, dst->val0);

	if (!both_established(s) ||
	    !(old || ahead || (ts->ecr != 0 && (echo_ahead || echo_old))))
		return PKT_PASS;
	if (e_debugging(p->e, DEBUG_NOTICE)) {
		e_debug(p->e, DEBUG_NOTICE, "pf: Timestamp failed %c%c%c%c",
		    old ? '0' : ' ', ahead ? '1' : ' ',
		    echo_ahead ? '2' : ' ', echo_old ? '3' : ' ');
		e_debug(p->e, DEBUG_NOTICE, "pf:  tsval: %u  tsecr: %u  "
		    "+ticks: %u", ts->val, ts->ecr, ticks);
		say(p, state, "");
	}
	return refuse(p, PFK_REASON_TS);
}

/* Segments that carry no timestamp though they could. */
static enum outcome
check_missing(struct pkt *p, uint32_t state, const struct tspeer *src)
{
	if ((p->tcp_flags & TCP_RST) != 0 || tcp_datalen(p) == 0 ||
	    (src->flags & TS_DATA) == 0)
		return PKT_PASS;
	say(p, state, "did not receive expected RFC1323 timestamp");
	return refuse(p, PFK_REASON_TS);
}

static void
note_data(struct pkt *p, uint32_t state, struct tspeer *src,
    const struct tspeer *dst, bool there)
{
	if (tcp_datalen(p) == 0 ||
	    (src->flags & (TS_SEEN | TS_DATA | TS_DATA_NOT)) != TS_SEEN)
		return;
	src->flags |= there ? TS_DATA : TS_DATA_NOT;
	if (!there && (dst->flags & TS_SEEN) != 0)
		say(p, state, "broken RFC1323 stack did not timestamp data "
		    "packet. Disabled PAWS security.");
}

static void
update(const struct pfk_engine *e, struct tspeer *src, const struct stamp *ts)
{
	bool paws = (src->flags & TS_PAWS) != 0;

	if (!ts->there || (src->flags & (TS_IDLED | TS_SEEN)) != TS_SEEN)
		return;
	src->last = now_us(e);
	if (!paws || !seq_less(ts->val, src->val))
		src->val = ts->val;
	if (ts->ecr == 0)
		return;
	if (!paws || !seq_less(ts->ecr, src->ecr))
		src->ecr = ts->ecr;
	if (!paws && (seq_less(ts->val, src->val0) || src->val0 == 0))
		src->val0 = ts->val;
	src->flags |= TS_PAWS;
}

enum outcome
tscrub_packet(struct pkt *p, uint32_t state, int peer, bool *writeback)
{
	struct tspeer *src = peer_of(p->e, state, peer);
	struct tspeer *dst = peer_of(p->e, state, peer ^ PEER_BOTH);
	struct stamp ts = { .there = false };
	enum outcome out = PKT_PASS;

	*writeback = p->modified;
	if (src->known) {
		if (p->ttl > src->ttl)
			src->ttl = p->ttl;
		if (!rewrite_ttl(p, src->ttl))
			return refuse(p, PFK_REASON_MEMORY);
	}
	if (((src->flags | dst->flags) & TS_SEEN) != 0)
		out = modulate(p, src, dst, &ts);
	if (out != PKT_PASS)
		return out;
	check_idle(p, state, src, true);
	check_idle(p, state, dst, false);
	if ((src->flags & dst->flags & TS_PAWS) != 0)
		out = ts.there ? check_stamp(p, state, src, dst, &ts) :
		    check_missing(p, state, src);
	if (out != PKT_PASS)
		return out;
	note_data(p, state, src, dst, ts.there);
	update(p->e, src, &ts);
	*writeback = p->modified;
	return PKT_PASS;
}

/* ---- saving: all records, so that indexes in states stay right ---- */

void
tscrubs_save(const struct pfk_engine *e, struct saver *sv)
{
	const struct tscrub_pool *q = e->tscrubs;

	save_mark(sv, "tscr");
	save_u32(sv, q->n);
	save_u32(sv, q->free_list);
	for (uint32_t i = 1; i < q->n; i++) {
		save_u32(sv, q->v[i].next_free);
		for (int j = 0; j < 2; j++) {
			const struct tspeer *t = &q->v[i].peer[j];

			save_u64(sv, t->last);
			save_u32(sv, t->offset);
			save_u32(sv, t->val0);
			save_u32(sv, t->val);
			save_u32(sv, t->ecr);
			save_u8(sv, t->ttl);
			save_u8(sv, t->flags);
			save_u8(sv, t->known);
		}
	}
}

static void
load_record(struct saver *sv, struct tscrub *r)
{
	r->next_free = load_u32(sv);
	for (int j = 0; j < 2; j++) {
		struct tspeer *t = &r->peer[j];

		t->last = load_u64(sv);
		t->offset = load_u32(sv);
		t->val0 = load_u32(sv);
		t->val = load_u32(sv);
		t->ecr = load_u32(sv);
		t->ttl = load_u8(sv);
		t->flags = load_u8(sv);
		t->known = load_u8(sv) != 0;
	}
}

bool
tscrubs_restore(struct pfk_engine *e, struct saver *sv)
{
	struct tscrub_pool *q = e->tscrubs;
	uint32_t n, free_list;

	q->n = 1;
	q->free_list = 0;
	load_mark(sv, "tscr");
	n = load_u32(sv);
	free_list = load_u32(sv);
	while (q->n < n && !sv->bad) {
		uint32_t i = take_record(e);

		if (i == 0)
			return false;
		load_record(sv, &q->v[i]);
		/* chains lead to lower or higher, never outside */
		if (q->v[i].next_free >= n)
			sv->bad = true;
	}
	q->free_list = free_list < q->n ? free_list : 0;
	return !sv->bad;
}

bool
tscrub_valid(const struct pfk_engine *e, uint32_t i)
{
	return i < e->tscrubs->n;
}
