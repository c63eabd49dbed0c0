/*
 * What all rooms use: the engine's memory, chance, lists of match rules, debug
 * messages.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "runtime/rules_int.h"
#include "runtime/state.h"

#define HUGE_FROM	((size_t)2 << 20)
#define PAGE		((uintptr_t)4096)

/* ---- memory ---- */

/* The pages that are wholly inside; it may be refused. */
void
e_ask_huge_pages(void *p, size_t n)
{
#ifdef MADV_HUGEPAGE
	uintptr_t from = ((uintptr_t)p + PAGE - 1) & ~(PAGE - 1);
	uintptr_t to = ((uintptr_t)p + n) & ~(PAGE - 1);

	if (p != NULL && n >= HUGE_FROM)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
	(void)p;
	(void)n;
#endif
}

void *
e_realloc(const struct pfk_engine *e, void *p, size_t osize, size_t nsize)
{
	return e->alloc.fn(e->alloc.ctx, p, osize, nsize);
}

void *
e_alloc(const struct pfk_engine *e, size_t n)
{
	void *p = e->alloc.fn(e->alloc.ctx, NULL, 0, n);

	e_ask_huge_pages(p, n);
	if (p != NULL)
		memset(p, 0, n);
	return p;
}

void
e_free(const struct pfk_engine *e, void *p, size_t n)
{
	if (p != NULL)
		e->alloc.fn(e->alloc.ctx, p, n, 0);
}

/* ---- chance: xoshiro256**, seeded by splitmix64 ---- */

static uint64_t
splitmix64(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void
e_seed(struct pfk_engine *e, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		e->random[i] = splitmix64(&seed);
	e->hash_key.k0 = splitmix64(&seed);
	e->hash_key.k1 = splitmix64(&seed);
	state_hasher_init(&e->hasher, &e->hash_key, true);
}

static uint64_t
rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

uint32_t
e_random(struct pfk_engine *e)
{
	uint64_t *s = e->random, r = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return (uint32_t)(r >> 32);
}

uint32_t
e_random_below(struct pfk_engine *e, uint32_t n)
{
	uint32_t low = n < 2 ? 0 : -n % n, r;

	if (n < 2)
		return 0;
	while ((r = e_random(e)) < low)
		;
	return r % n;
}

/* ---- lists of match rules ---- */

static bool
match_pool_grow(struct pfk_engine *e)
{
	uint32_t n = e->nmatch_items, room = n == 0 ? 64 : n * 2;
	struct match_item *items;

	if (n >= UINT32_MAX / 2 || (items = e_realloc(e, e->match_items,
	    n * sizeof(*items), room * sizeof(*items))) == NULL)
		return false;
	e->match_items = items;
	e->nmatch_items = room;
	for (uint32_t i = room; i-- > (n == 0 ? 1 : n);) {
		items[i].next = e->match_free;
		e->match_free = i;
	}
	return true;
}

uint32_t
match_item_new(struct pfk_engine *e, uint32_t rule, uint32_t next)
{
	uint32_t i;

	if (e->match_free == 0 && !match_pool_grow(e))
		return 0;
	i = e->match_free;
	e->match_free = e->match_items[i].next;
	e->match_items[i].rule = rule;
	e->match_items[i].next = next;
	return i;
}

void
match_items_free(struct pfk_engine *e, uint32_t list)
{
	uint32_t next;

	for (; list != 0; list = next) {
		next = e->match_items[list].next;
		e->match_items[list].next = e->match_free;
		e->match_free = list;
	}
}

/* ---- routing domains ---- */

/* A table has a domain of its own if an interface is in it. */
uint16_t
rtable_rdomain(const struct pfk_engine *e, unsigned rtable)
{
	for (uint32_t i = 0; i < e->nifaces; i++)
		if (iface_rdomain(e, (uint16_t)i) == rtable)
			return (uint16_t)rtable;
	return 0;
}

/* ---- reasons, messages ---- */

void
pkt_reason(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	p->e->counters.reasons[reason]++;
	if (reason != PFK_REASON_MATCH)
		p->counted = reason;
}

bool
e_debugging(const struct pfk_engine *e, int level)
{
	return e->sink.debug != NULL && level <= e->debug;
}

void
e_debug(struct pfk_engine *e, int level, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	if (!e_debugging(e, level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e->sink.debug(e->sink.ctx, level, text);
}

/* An address as pf's messages print it: no port 0, ports of IPv6 in []. */
static size_t
host_text(char *buf, size_t n, const struct pfk_addr *a, uint16_t port,
    uint8_t af)
{
	char addr[PFK_ADDRSTRLEN];
	int len;

	addr_format(a, af, addr);
	if (port == 0)
		len = snprintf(buf, n, "%s", addr);
	else
		len = snprintf(buf, n, af == PFK_AF_INET6 ? "%s[%u]" : "%s:%u",
		    addr, port_host(port));
	return len < 0 || (size_t)len >= n ? 0 : (size_t)len;
}

static size_t
key_text(char *buf, size_t n, const struct state_key *k)
{
	size_t len = host_text(buf, n, &k->addr[0], k->port[0], k->af);

	buf[len++] = ' ';
	return len + host_text(buf + len, n - len, &k->addr[1], k->port[1],
	    k->af);
}

static int
peer_text(char *buf, size_t n, const struct state_peer *peer, bool scaled)
{
	int len = snprintf(buf, n, " [lo=%u high=%u win=%u modulator=%u",
	    peer->seqlo, peer->seqhi, peer->max_win, peer->seqdiff);

	if (scaled)
		len += snprintf(buf + len, n - (size_t)len, " wscale=%u",
		    peer->wscale & WSCALE_MASK);
	return len + snprintf(buf + len, n - (size_t)len, "]");
}

static const char *
proto_text(uint8_t proto, char buf[4])
{
	switch (proto) {
	case 4:
		return "IPv4";
	case 41:
		return "IPv6";
	case PROTO_TCP:
		return "TCP";
	case PROTO_UDP:
		return "UDP";
	case PROTO_ICMP:
		return "ICMP";
	case PROTO_ICMPV6:
		return "ICMPv6";
	default:
		snprintf(buf, 4, "%u", proto);
		return buf;
	}
}

/* => buf has STATE_TEXTLEN bytes: the longest text needs less. */
const char *
state_text(const struct pfk_engine *e, uint32_t i, char *buf)
{
	const struct state *s = state_get(e, i);
	const struct state_key stack = state_key(e, i, KEY_STACK);
	bool scaled = s->src.wscale != 0 && s->dst.wscale != 0;
	char num[4];
	size_t n = STATE_TEXTLEN, l;

	l = (size_t)snprintf(buf, n, "%s %s wire: (%u) ",
	    proto_text(s->key.proto, num),
	    s->direction == PFK_OUT ? "out" : "in", s->key.rdomain);
	l += key_text(buf + l, n - l, &s->key);
	l += (size_t)snprintf(buf + l, n - l, " stack: (%u) ",
	    stack.rdomain);
	if (s->translated)
		l += key_text(buf + l, n - l, &stack);
	else
		buf[l++] = '-';
	if (s->key.proto == PROTO_TCP) {
		l += (size_t)peer_text(buf + l, n - l, &s->src, scaled);
		l += (size_t)peer_text(buf + l, n - l, &s->dst, scaled);
	}
	snprintf(buf + l, n - l, " %u:%u @%d", s->src.state, s->dst.state,
	    s->rule == e->default_rule ? -1 : (int)e->rules[s->rule].r->nr);
	return buf;
}
