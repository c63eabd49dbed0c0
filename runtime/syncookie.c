/*
 * SYN cookies: under a flood of SYNs pf keeps nothing of them, but answers
 * with a sequence number that says what it needs to know again.
 *
 *	 31                          8  7     5  4      2   1      0
 *	+------------------------------+--------+--------+------+---------+
 *	| MAC of addresses, ports, seq |  MSS   | wscale | SACK | odd/even|
 *	+------------------------------+--------+--------+------+---------+
 *				       `--- xored with bits 31..24 ---'
 *
 * The low byte (the cookie) has indexes into tables of usual values and says
 * which of two keys made the MAC.  A new key every 15 seconds makes the old
 * one the other one; cookies of keys older than that are worth nothing.  How
 * many cookies of a key are out is counted: more cannot come back.
 *
 * Adaptive mode begins when more than `start` percent of the states limit are
 * half-open, and ends at a change of keys when half-open ones and cookies out
 * are fewer than `end` percent.
 */
#include <string.h>

#include "runtime/save.h"
#include "runtime/translate.h"

#define KEY_LIFETIME	15		/* s */
#define MSS_DEFAULT	512
#define SYN_SIZE	100

static const uint16_t mss_values[8] = { 216, 536, 1200, 1360, 1400, 1440,
    1452, 1460 };
static const uint8_t wscale_values[8] = { 0, 0, 1, 2, 4, 6, 7, 8 };

struct syncookies {
	bool		 active;
	uint8_t		 current;	/* of the keys */
	uint32_t	 rotate_at;	/* s since start; 0: no keys */
	uint32_t	 inflight[2];
	struct siphash_key key[2];
};

static uint64_t
random64(struct pfk_engine *e)
{
	uint64_t high = e_random(e);

	return high << 32 | e_random(e);
}

static void
new_key(struct pfk_engine *e, uint32_t now)
{
	struct syncookies *s = e->syncookies;

	s->current ^= 1;
	s->inflight[s->current] = 0;
	s->key[s->current].k0 = random64(e);
	s->key[s->current].k1 = random64(e);
	s->rotate_at = now + KEY_LIFETIME;
}

int
syncookies_init(struct pfk_engine *e)
{
	e->syncookies = e_alloc(e, sizeof(*e->syncookies));
	if (e->syncookies == NULL)
		return -1;
	if (e->opts.syncookies == IMG_SYNCOOKIES_ALWAYS) {
		new_key(e, 0);
		e->syncookies->active = true;
	}
	return 0;
}

void
syncookies_free(struct pfk_engine *e)
{
	if (e->syncookies != NULL)
		e_free(e, e->syncookies, sizeof(*e->syncookies));
	e->syncookies = NULL;
}

/* Percent of the states limit. */
static uint64_t
water(const struct pfk_engine *e, uint8_t percent)
{
	return (uint64_t)e->opts.limit[IMG_LIMIT_STATES] * percent / 100;
}

static bool
flood_over(const struct pfk_engine *e)
{
	const struct syncookies *s = e->syncookies;

	return e->opts.syncookies == IMG_SYNCOOKIES_ADAPTIVE &&
	    e->counters.halfopen + s->inflight[0] + s->inflight[1] <
	    water(e, e->opts.syncookies_lo);
}

/* A long silence, with nothing out: keys that nobody saw need not be made. */
static void
skip_silence(struct pfk_engine *e)
{
	struct syncookies *s = e->syncookies;
	uint32_t behind = e->uptime > s->rotate_at ?
	    e->uptime - s->rotate_at : 0;

	if (behind > 4 * KEY_LIFETIME && s->inflight[0] == 0 &&
	    s->inflight[1] == 0)
		s->rotate_at += (behind / (2 * KEY_LIFETIME) - 1) *
		    2 * KEY_LIFETIME;
}

void
syncookies_tick(struct pfk_engine *e)
{
	struct syncookies *s = e->syncookies;

	while (s->rotate_at != 0 && e->uptime >= s->rotate_at) {
		if (s->active && flood_over(e)) {
			s->active = false;
			e_debug(e, 4, "pf: syncookies disabled");
		}
		if (s->active || s->inflight[0] != 0 || s->inflight[1] != 0) {
			new_key(e, s->rotate_at);
			skip_silence(e);
			continue;
		}
		memset(s->key, 0, sizeof(s->key));
		s->rotate_at = 0;
	}
}

bool
syncookies_active(const struct pkt *p)
{
	struct pfk_engine *e = p->e;

	if (p->recreated || e->opts.syncookies == IMG_SYNCOOKIES_NEVER)
		return false;
	syncookies_tick(e);
	if (!e->syncookies->active &&
	    e->counters.halfopen > water(e, e->opts.syncookies_hi)) {
		new_key(e, e->uptime);
		e->syncookies->active = true;
		e->counters.limits[LIMIT_COUNTER_SYNFLOODS]++;
		e_debug(e, 4, "pf: synflood detected, enabling syncookies");
	}
	return e->syncookies->active;
}

bool
syncookies_idle(const struct pfk_engine *e)
{
	const struct syncookies *s = e->syncookies;

	return e->opts.syncookies == IMG_SYNCOOKIES_NEVER &&
	    s->rotate_at == 0 && s->inflight[0] == 0 && s->inflight[1] == 0;
}

/* ---- cookies ---- */

static uint32_t
cookie_mac(const struct pkt *p, uint8_t cookie, uint32_t seq)
{
	uint32_t n = p->af == PFK_AF_INET6 ? 16 : 4, len = 0;
	uint8_t data[2 * 16 + 2 * 2 + 4 + 1];
	uint64_t h;

	memcpy(data, p->oaddr[SRC].b, n);
	memcpy(data + n, p->oaddr[DST].b, n);
	len = 2 * n;
	memcpy(data + len, &p->oport[SRC], 2);
	memcpy(data + len + 2, &p->oport[DST], 2);
	put32(data + len + 4, seq);
	data[len + 8] = cookie;
	h = siphash24(&p->e->syncookies->key[cookie & 1], data, len + 9);
	return (uint32_t)(h ^ h >> 32);
}

static uint16_t
offered_mss(const struct pkt *p)
{
	const uint8_t *opt = tcp_option(p->ip + p->hdrlen, 2, 4);

	return opt != NULL && get16(opt + 2) > MSS_DEFAULT ?
	    get16(opt + 2) : MSS_DEFAULT;
}

static uint8_t
mss_index(uint16_t mss)
{
	uint8_t i = 7;

	while (i > 0 && mss_values[i] > mss)
		i--;
	return i;
}

/* pf compares the shift with its mark "there is one" on it: the greatest. */
static uint8_t
wscale_index(const struct pkt *p)
{
	return tcp_option(p->ip + p->hdrlen, 3, 3) != NULL ? 7 : 0;
}

void
syncookie_send(struct pkt *p)
{
	struct syncookies *s = p->e->syncookies;
	uint32_t seq = get32(p->ip + p->hdrlen + 4), mac;
	uint16_t mss = offered_mss(p);
	uint8_t cookie = (uint8_t)(mss_index(mss) << 5 |
	    wscale_index(p) << 2 | s->current);
	struct tcp_reply t = { .af = p->af, .src = p->oaddr[DST],
	    .dst = p->oaddr[SRC], .sport = p->oport[DST],
	    .dport = p->oport[SRC], .ack = seq + 1,
	    .flags = TCP_SYN | TCP_ACK, .mss = mss,
	    .wscale = WSCALE_NONE };

	mac = cookie_mac(p, cookie, seq);
	t.seq = (mac & 0xffffff00u) | (cookie ^ mac >> 24);
	reply_tcp(p, &t);
	s->inflight[s->current]++;
	p->e->counters.limits[LIMIT_COUNTER_COOKIES_SENT]++;
}

/* The cookie that an ACK answers, if it is one of ours. */
static bool
cookie_valid(const struct pkt *p, uint8_t *cookie)
{
	struct syncookies *s = p->e->syncookies;
	uint32_t seq = get32(p->ip + p->hdrlen + 4) - 1;
	uint32_t ack = get32(p->ip + p->hdrlen + 8) - 1;

	*cookie = (uint8_t)(ack ^ ack >> 24);
	if (s->inflight[*cookie & 1] == 0)
		return false;
	if (((ack ^ cookie_mac(p, *cookie, seq)) & 0xffffff00u) != 0)
		return false;
	s->inflight[*cookie & 1]--;
	p->e->counters.limits[LIMIT_COUNTER_COOKIES_VALID]++;
	return true;
}

bool
syncookie_check(struct pkt *p, struct pkt *syn)
{
	struct tcp_reply t = { .af = p->af, .src = p->oaddr[SRC],
	    .dst = p->oaddr[DST], .sport = p->oport[SRC],
	    .dport = p->oport[DST], .flags = TCP_SYN, .ttl = p->ttl,
	    .wscale = WSCALE_NONE };
	uint8_t cookie;

	syncookies_tick(p->e);
	if (!cookie_valid(p, &cookie))
		return false;
	t.seq = get32(p->ip + p->hdrlen + 4) - 1;
	t.mss = mss_values[cookie >> 5];
	t.win = wscale_values[cookie >> 2 & 7];	/* so pf puts it */
	*syn = *p;
	syn->ip = p->e->scratch;
	memset(syn->ip, 0, SYN_SIZE);
	syn->len = syn->have = tcp_build(p->e, syn->ip, &t);
	syn->writable = syn->recreated = true;
	syn->before_known = syn->modified = syn->reassembled = false;
	return true;
}

/* ---- saving ---- */

void
syncookies_save(const struct pfk_engine *e, struct saver *sv)
{
	const struct syncookies *s = e->syncookies;

	save_mark(sv, "cook");
	save_u8(sv, s->active);
	save_u8(sv, s->current);
	save_u32(sv, s->rotate_at);
	for (int i = 0; i < 2; i++) {
		save_u32(sv, s->inflight[i]);
		save_u64(sv, s->key[i].k0);
		save_u64(sv, s->key[i].k1);
	}
}

bool
syncookies_restore(struct pfk_engine *e, struct saver *sv)
{
	struct syncookies *s = e->syncookies;

	load_mark(sv, "cook");
	s->active = load_u8(sv) != 0;
	s->current = load_u8(sv) & 1;
	s->rotate_at = load_u32(sv);
	for (int i = 0; i < 2; i++) {
		s->inflight[i] = load_u32(sv);
		s->key[i].k0 = load_u64(sv);
		s->key[i].k1 = load_u64(sv);
	}
	return !sv->bad;
}
