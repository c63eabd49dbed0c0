/*
 * A look ahead over a burst: what the next packets will need from memory is on
 * its way into the cache while earlier ones are worked on.
 *
 * Usual packets of known connections go a way of their own (hit.c).  For
 * others that have it cheaply (no options, no fragment, TCP or UDP) the key of
 * their state is made from the frame; then its bucket is fetched, and when
 * that is there, the state.  A wrong guess costs time, nothing else.
 */
#include <string.h>

#include "runtime/hit.h"
#include "runtime/rules_int.h"
#include "runtime/state.h"

#define AHEAD	16		/* packets looked at together */

static bool
guess_key(const struct pfk_engine *e, const struct pfk_packet *f,
    struct state_key *k)
{
	struct pfk_network net;
	struct pfk_addr addr[2];
	uint16_t port[2];
	const uint8_t *ip;
	bool v6;

	if (f->ifid >= e->nifaces || !pfk_link_decode(f->linktype, f->data,
	    f->caplen, f->wirelen, &net) || net.caplen < 44)
		return false;
	ip = f->data + net.off;
	v6 = net.af == PFK_AF_INET6;
	if (v6 ? (ip[6] != PROTO_TCP && ip[6] != PROTO_UDP) :
	    ip[0] != 0x45 || (get16(ip + 6) & 0x3fff) != 0 ||
	    (ip[9] != PROTO_TCP && ip[9] != PROTO_UDP))
		return false;
	memcpy(&addr[SRC], ip + (v6 ? 8 : 12), v6 ? 16 : 4);
	memcpy(&addr[DST], ip + (v6 ? 24 : 16), v6 ? 16 : 4);
	memcpy(port, ip + (v6 ? 40 : 20), sizeof(port));
	state_key_set(k, net.af, v6 ? ip[6] : ip[9],
	    (uint16_t)iface_rdomain(e, f->ifid),
	    f->dir == PFK_OUT ? 1 : 0, addr, port);
	return true;
}

/* => e's table is not empty: else there is nothing to fetch. */
static void
look_ahead(const struct pfk_engine *e, const struct pfk_packet *f, size_t n,
    const struct hit *h)
{
	uint32_t hash[AHEAD];
	struct state_key key;
	size_t known = 0;

	for (size_t i = 0; i < n; i++)
		if (!h[i].usual && guess_key(e, &f[i], &key)) {
			hash[known] = state_hash(e, &key);
			state_prefetch_bucket(e, hash[known++]);
		}
	for (size_t i = 0; i < known; i++)
		state_prefetch_record(e, hash[i]);
}

/* Below this the table is in the cache anyway. */
#define WORTHWHILE	4096

static void
prepare(const struct pfk_engine *e, const struct pfk_packet *f, size_t n,
    struct hit *h)
{
	if (states_count(e) == 0) {
		for (size_t i = 0; i < n; i++) {
			h[i].usual = false;
			h[i].state = 0;
		}
		return;
	}
	hits_prepare(e, f, n, h);
	if (n > 1 && states_count(e) > WORTHWHILE)
		look_ahead(e, f, n, h);
}

/* => n <= AHEAD */
static void
run_some(struct pfk_engine *e, const struct pfk_packet *f, size_t n)
{
	struct hit hits[AHEAD];
	uint32_t second = e->uptime;
	bool changed = false;		/* states, since hits were prepared */

	prepare(e, f, n, hits);
	for (size_t i = 0; i < n; i++) {
		pfk_engine_advance(e, f[i].time);
		changed |= e->uptime != second;
		if (changed)
			hit_find_again(e, &hits[i]);
		if (hit_packet(e, &f[i], &hits[i]))
			continue;
		run_frame(e, &f[i]);
		changed = true;
	}
}

void
pfk_engine_run(struct pfk_engine *e, const struct pfk_packet *packets,
    size_t n)
{
	size_t some;

	for (; n > 0; n -= some, packets += some) {
		some = n < AHEAD ? n : AHEAD;
		run_some(e, packets, some);
	}
}
