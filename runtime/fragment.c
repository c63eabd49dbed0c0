/*
 * Reassembly: fragments wait until their packet is whole.
 *
 *	flow (addresses, protocol)		counts generations
 *	  +- packet (id) - packet - ...		oldest ... newest by last use
 *		+- part - part - part		by offset, never overlapping
 *
 * A packet is whole when it has no holes: a part that touches nothing adds
 * one hole, each side on which it touches a neighbour or an end of the packet
 * takes one away.
 *
 * Overlaps in IPv4: what came first stays, except that a new part that begins
 * before an old one and runs into it is believed for the bytes both have.  In
 * IPv6 nothing may overlap (RFC 5722): all of the packet is thrown away.
 *
 * Limits.  `set limit frags` bounds the parts; when it is reached the packets
 * longest unused go until a tenth of all parts is gone.  So they do when the
 * bytes that wait exceed what that many network buffers would hold.  The 16
 * sixteenths of a packet may have 64 parts each.  A packet is stale when its
 * flow has begun 200 packets for each second of the timeout since.
 */
#include <string.h>

#include "runtime/fragment.h"

#define MAX_PACKET	65535
#define STALE_PER_SECOND 200
#define BUFFER_BYTES	2048
#define SPARE_BYTES	(64u << 20)
#define LARGEST_PART	(2 * 65536u)	/* headers, data */

int
frags_init(struct pfk_engine *e)
{
	e->frags = e_alloc(e, sizeof(*e->frags));
	return e->frags == NULL ? -1 : 0;
}

void
frags_free(struct pfk_engine *e)
{
	if (e->frags == NULL)
		return;
	while (e->frags->oldest != NULL)
		frag_packet_free(e, e->frags->oldest);
	e_free(e, e->frags, sizeof(*e->frags));
	e->frags = NULL;
}

/* ---- flows and packets ---- */

static uint32_t
flow_bucket(const struct pfk_engine *e, const struct frag_flow *flow)
{
	return (uint32_t)siphash13(&e->hash_key, flow, sizeof(*flow)) %
	    FRAG_BUCKETS;
}

static uint32_t
packet_bucket(const struct pfk_engine *e, const struct frag_flow *flow,
    uint32_t id)
{
	struct { struct frag_flow flow; uint32_t id; } key = { *flow, id };

	return (uint32_t)siphash13(&e->hash_key, &key, sizeof(key)) %
	    FRAG_BUCKETS;
}

static struct frag_node *
find_node(const struct pfk_engine *e, const struct frag_flow *flow)
{
	struct frag_node *n = e->frags->nodes[flow_bucket(e, flow)];

	while (n != NULL && memcmp(&n->flow, flow, sizeof(*flow)) != 0)
		n = n->next;
	return n;
}

void
frag_node_link(struct pfk_engine *e, struct frag_node *n)
{
	struct frag_node **at = &e->frags->nodes[flow_bucket(e, &n->flow)];

	n->next = *at;
	*at = n;
}

void
frag_packet_link(struct pfk_engine *e, struct frag_packet *k)
{
	struct frag_packet **at = &e->frags->packets[packet_bucket(e,
	    &k->node->flow, k->id)];

	k->next = *at;
	*at = k;
}

static void
unlink_node(struct pfk_engine *e, struct frag_node *n)
{
	struct frag_node **at = &e->frags->nodes[flow_bucket(e, &n->flow)];

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	e_free(e, n, sizeof(*n));
}

void
frag_age_remove(struct frag_cache *c, struct frag_packet *k)
{
	*(k->older != NULL ? &k->older->newer : &c->oldest) = k->newer;
	*(k->newer != NULL ? &k->newer->older : &c->newest) = k->older;
}

void
frag_age_append(struct frag_cache *c, struct frag_packet *k)
{
	k->newer = NULL;
	k->older = c->newest;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = k;
	c->newest = k;
}

static void
free_entry(struct pfk_engine *e, struct frag_entry *f)
{
	e->frags->bytes -= f->size;
	e->counters.fragments--;
	e_free(e, f, sizeof(*f) + f->size);
}

void
frag_packet_free(struct pfk_engine *e, struct frag_packet *k)
{
	struct frag_packet **at;
	struct frag_entry *f, *next;

	at = &e->frags->packets[packet_bucket(e, &k->node->flow, k->id)];
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	frag_age_remove(e->frags, k);
	for (f = k->first; f != NULL; f = next) {
		next = f->next;
		e->counters.fragment_removals++;
		free_entry(e, f);
	}
	if (--k->node->npackets == 0)
		unlink_node(e, k->node);
	e_free(e, k, sizeof(*k));
}

/* Frees packets until a tenth of the parts is gone. */
static void
make_room(struct pfk_engine *e)
{
	uint32_t n = e->counters.fragments;
	uint32_t goal = (uint32_t)((uint64_t)n * 9 / 10);

	while (e->counters.fragments > goal && e->frags->oldest != NULL)
		frag_packet_free(e, e->frags->oldest);
}

static bool
is_stale(const struct pfk_engine *e, const struct frag_packet *k)
{
	uint64_t limit = (uint64_t)e->opts.timeout[IMG_TMO_FRAG] *
	    STALE_PER_SECOND;

	return k->node->generation - k->generation >= (uint32_t)limit;
}

static struct frag_packet *
find_packet(struct pfk_engine *e, const struct frag_flow *flow, uint32_t id)
{
	struct frag_packet *k = e->frags->packets[packet_bucket(e, flow, id)];

	e->counters.fragment_searches++;
	while (k != NULL && (k->id != id ||
	    memcmp(&k->node->flow, flow, sizeof(*flow)) != 0))
		k = k->next;
	if (k == NULL)
		return NULL;
	if (is_stale(e, k)) {
		frag_packet_free(e, k);
		return NULL;
	}
	frag_age_remove(e->frags, k);
	k->used = e->frags->number;
	frag_age_append(e->frags, k);
	return k;
}

/* Memory, if need be that of packets that wait. */
static void *
frag_alloc(struct pfk_engine *e, size_t n)
{
	void *p = e_alloc(e, n);

	if (p == NULL) {
		make_room(e);
		p = e_alloc(e, n);
	}
	return p;
}

static struct frag_node *
make_node(struct pfk_engine *e, const struct frag_flow *flow)
{
	struct frag_node *n = frag_alloc(e, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->flow = *flow;
	frag_node_link(e, n);
	return n;
}

static struct frag_packet *
make_packet(struct pfk_engine *e, const struct frag_flow *flow, uint32_t id)
{
	struct frag_packet *k = frag_alloc(e, sizeof(*k));
	struct frag_node *n;

	if (k == NULL)
		return NULL;
	n = find_node(e, flow);
	if (n == NULL && (n = make_node(e, flow)) == NULL) {
		e_free(e, k, sizeof(*k));
		return NULL;
	}
	k->node = n;
	n->npackets++;
	k->id = id;
	k->since = e->uptime;
	k->generation = n->generation++;
	k->holes = 1;
	frag_packet_link(e, k);
	k->used = e->frags->number;
	frag_age_append(e->frags, k);
	return k;
}

/* ---- parts ---- */

static uint32_t
part_end(const struct frag_entry *f)
{
	return f->part.off + f->part.len;
}

static uint8_t *
place_of(struct frag_packet *k, const struct frag_entry *f)
{
	return &k->places[f->part.off / (0x10000 / FRAG_PLACES)];
}

/* By how many holes a packet grows with the part between its neighbours. */
static int
holes_of(const struct frag_entry *f)
{
	int holes = 1;

	if (f->prev == NULL ? f->part.off == 0 :
	    f->part.off == part_end(f->prev))
		holes--;
	if (f->next == NULL ? !f->part.more :
	    f->next->part.off == part_end(f))
		holes--;
	return holes;
}

static bool
insert_after(struct pfk_engine *e, struct frag_packet *k, struct frag_entry *f,
    struct frag_entry *prev)
{
	if (*place_of(k, f) >= FRAG_PER_PLACE)
		return false;
	(*place_of(k, f))++;
	f->prev = prev;
	f->next = prev == NULL ? k->first : prev->next;
	*(prev != NULL ? &prev->next : &k->first) = f;
	*(f->next != NULL ? &f->next->prev : &k->last) = f;
	e->counters.fragment_inserts++;
	k->holes += holes_of(f);
	return true;
}

static void
take_out(struct pfk_engine *e, struct frag_packet *k, struct frag_entry *f)
{
	k->holes -= holes_of(f);
	(*place_of(k, f))--;
	*(f->prev != NULL ? &f->prev->next : &k->first) = f->next;
	*(f->next != NULL ? &f->next->prev : &k->last) = f->prev;
	e->counters.fragment_removals++;
}

/* The last part that does not begin behind f; NULL: f comes first. */
static struct frag_entry *
before(const struct frag_packet *k, const struct frag_entry *f)
{
	struct frag_entry *p = k->last;

	while (p != NULL && p->part.off > f->part.off)
		p = p->prev;
	return p;
}

static void
cut_front(struct frag_entry *f, uint32_t n)
{
	f->part.off += n;
	f->part.len -= n;
	f->skip += n;
}

/* Whether the part contradicts where the packet's end is known to be. */
static bool
wrong_end(const struct frag_packet *k, const struct frag_entry *f)
{
	uint32_t total = part_end(k->last), end = part_end(f);

	if (!f->part.more && end < total)
		return true;
	if (k->last->part.more)
		return end == total && !f->part.more;
	return end > total || (end == total && f->part.more);
}

/*
 * Makes room for f behind prev, in parts that begin behind it.  false: a part
 * does not fit where it had to go, the packet is lost.
 */
static bool
trim_following(struct pfk_engine *e, struct frag_packet *k,
    const struct frag_entry *f, struct frag_entry *prev)
{
	struct frag_entry *after = prev == NULL ? k->first : prev->next, *next;

	for (; after != NULL && part_end(f) > after->part.off; after = next) {
		uint32_t cut = part_end(f) - after->part.off;

		next = after->next;
		take_out(e, k, after);
		if (cut >= after->part.len) {
			free_entry(e, after);
			continue;
		}
		cut_front(after, cut);
		if (insert_after(e, k, after, prev))
			return true;
		free_entry(e, after);
		return false;
	}
	return true;
}

static enum frag_put
add_overlapping4(struct pfk_engine *e, struct frag_packet *k,
    struct frag_entry *f, struct frag_entry *prev)
{
	if (prev != NULL && part_end(prev) > f->part.off) {
		uint32_t cut = part_end(prev) - f->part.off;

		if (cut >= f->part.len)
			return FRAG_DOUBLE;
		cut_front(f, cut);
	}
	if (trim_following(e, k, f, prev) && insert_after(e, k, f, prev))
		return FRAG_WAITS;
	frag_packet_free(e, k);
	return FRAG_BAD;
}

static enum frag_put
add_part(struct pfk_engine *e, struct frag_packet *k, struct frag_entry *f)
{
	bool v6 = k->node->flow.af == PFK_AF_INET6;
	struct frag_entry *prev, *after;

	if (k->last == NULL) {
		(void)insert_after(e, k, f, NULL);
		return FRAG_WAITS;
	}
	prev = before(k, f);
	after = prev == NULL ? k->first : prev->next;
	if (wrong_end(k, f)) {
		if (v6)
			frag_packet_free(e, k);
		return FRAG_BAD;
	}
	if (!v6)
		return add_overlapping4(e, k, f, prev);
	if ((prev == NULL || part_end(prev) <= f->part.off) &&
	    (after == NULL || part_end(f) <= after->part.off) &&
	    insert_after(e, k, f, prev))
		return FRAG_WAITS;
	frag_packet_free(e, k);
	return FRAG_BAD;
}

static uint64_t
most_bytes(uint64_t limit)
{
	return limit * BUFFER_BYTES + SPARE_BYTES;
}

static bool
too_much(const struct pfk_engine *e)
{
	uint64_t limit = e->opts.limit[IMG_LIMIT_FRAGS];

	return e->counters.fragments >= limit ||
	    e->frags->bytes > most_bytes(limit);
}

size_t
frags_room(uint64_t limit, uint64_t parts, uint64_t bytes)
{
	uint64_t most = most_bytes(limit);
	uint64_t n = parts < limit ? limit - parts : 0;
	uint64_t large = bytes < most ? (most - bytes) / LARGEST_PART : 0;

	return (size_t)(n < large ? n : large);
}

static struct frag_entry *
make_entry(struct pfk_engine *e, const struct frag_part *part,
    const uint8_t *bytes)
{
	uint32_t skip = part->off == 0 ? part->hdrlen : 0;
	uint32_t size = skip + part->len;
	struct frag_entry *f;

	if (too_much(e))
		make_room(e);
	if (too_much(e))
		return NULL;
	f = frag_alloc(e, sizeof(*f) + size);
	if (f == NULL)
		return NULL;
	f->part = *part;
	f->size = size;
	f->skip = skip;
	memcpy(f->data, bytes + part->hdrlen - skip, size);
	e->counters.fragments++;
	e->frags->bytes += size;
	return f;
}

static bool
possible(const struct frag_part *p)
{
	return p->len != 0 && (!p->more || (p->len & 7) == 0) &&
	    p->off + p->len <= MAX_PACKET;
}

enum frag_put
frag_put(struct pfk_engine *e, const struct frag_flow *flow, uint32_t id,
    const struct frag_part *part, const uint8_t *bytes,
    struct frag_packet **packet)
{
	struct frag_entry *f = make_entry(e, part, bytes);
	enum frag_put result = FRAG_BAD;
	struct frag_packet *k;

	if (f == NULL)
		return FRAG_NOMEM;
	if (!possible(part)) {
		free_entry(e, f);
		return FRAG_BAD;
	}
	k = find_packet(e, flow, id);
	if (k == NULL && (k = make_packet(e, flow, id)) == NULL)
		result = FRAG_NOMEM;
	else
		result = add_part(e, k, f);
	if (result != FRAG_WAITS) {
		free_entry(e, f);
		return result;
	}
	*packet = k;
	return k->holes == 0 ? FRAG_WHOLE : FRAG_WAITS;
}

/* ---- whole packets ---- */

uint32_t
frag_total(const struct frag_packet *k)
{
	return part_end(k->last);
}

uint8_t *
frag_join(const struct frag_packet *k, uint8_t *to)
{
	for (const struct frag_entry *f = k->first; f != NULL; f = f->next) {
		memcpy(to, f->data + f->skip, f->part.len);
		to += f->part.len;
	}
	return to;
}

static enum outcome
drop(struct pkt *p, enum pfk_reason reason)
{
	p->reason = reason;
	return PKT_DROP;
}

/* The packet takes the place of its last fragment. */
static enum outcome
whole(struct pkt *p, struct frag_packet *k)
{
	struct pfk_engine *e = p->e;
	uint32_t len;

	len = p->af == PFK_AF_INET6 ? frag_build6(e, k) : frag_build4(e, k);
	frag_packet_free(e, k);
	if (len == 0)
		return drop(p, PFK_REASON_SHORT);
	p->ip = e->work;
	p->len = p->have = len;
	p->writable = true;
	p->reassembled = true;
	p->modified = p->before_known = false;
	return PKT_PASS;
}

enum outcome
frag_reassemble(struct pkt *p)
{
	struct frag_packet *k = NULL;
	struct frag_part part;
	struct frag_flow flow;
	uint32_t id;

	p->e->frags->number = p->frame->number;
	memset(&flow, 0, sizeof(flow));
	id = p->af == PFK_AF_INET6 ? frag_read6(p, &flow, &part) :
	    frag_read4(p, &flow, &part);
	switch (frag_put(p->e, &flow, id, &part, p->ip, &k)) {
	case FRAG_WAITS:
		return PKT_HOLD;
	case FRAG_WHOLE:
		return whole(p, k);
	case FRAG_DOUBLE:
		return drop(p, PFK_REASON_MATCH);
	case FRAG_NOMEM:
		return drop(p, PFK_REASON_MEMORY);
	case FRAG_BAD:
	default:
		return drop(p, PFK_REASON_FRAG);
	}
}
