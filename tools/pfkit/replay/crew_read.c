/*
 * Reading of a replay by several threads: packets into batches, and to which
 * lane (crew.c).
 */
#include "../pfkit.h"
#include "crew.h"

#ifdef HAVE_THREADS

#include "crew_int.h"

/* A spare buffer, the reading thread's own if it can be; or none: it will be
 * made. */
static struct buffer
spare_buffer(struct crew *c)
{
	struct buffer spare;
	unsigned i = c->nspare;

	while (i > 0 && c->spare[i - 1].thread != c->reading)
		i--;
	if (i == 0 && c->nbuffers < MAX_BUFFERS) {
		c->nbuffers++;
		return (struct buffer){ NULL, 0 };
	}
	i = i > 0 ? i - 1 : c->nspare - 1;
	spare = c->spare[i].buffer;
	c->spare[i] = c->spare[--c->nspare];
	return spare;
}

static void
refill(struct crew *c, struct batch *b)
{
	struct lent *l = &b->lent[b->nlent];

	enter(c);
	l->buffer = spare_buffer(c);
	leave(c);
	if (!reader_refill(&c->reader, &l->buffer))
		fatal("no memory");
	l->thread = c->buffer_thread;
	c->buffer_thread = c->reading;
	if (l->buffer.bytes != NULL)
		b->nlent++;
	else
		c->nbuffers--;
}

/* All packets for one engine. */
static void
fill_whole(struct crew *c, struct batch *b)
{
	struct part *p = &b->part[0];
	size_t n = reader_burst(&c->reader, p->packets + p->n,
	    PACKETS - p->n);

	p->n += n;
	b->n += n;
}

/* The first packet of all; with it, as with others, a second begins. */
static void
begin(struct crew *c, const struct pfk_packet *p)
{
	struct dealer *d = &c->dealer;

	d->begun = true;
	d->epoch = d->next_second = p->time;
	lanes_begin(c->lanes, p);
}

static void
begin_step(struct crew *c, struct batch *b, uint64_t time)
{
	struct dealer *d = &c->dealer;

	b->step = true;
	if (time < d->next_second)
		return;
	b->time = time;
	d->next_second = d->epoch +
	    ((time - d->epoch) / SECOND + 1) * SECOND;
}

/* Lanes for what there is, as far as that can be told. */
static void
ask_lanes(struct crew *c)
{
	struct dealer *d = &c->dealer;

	d->known = d->at + lanes_deal(c->lanes, d->packets + d->at,
	    d->n - d->at, d->lane + d->at);
}

/* How many packets every lane has room for. */
static size_t
batch_room(const struct crew *c, const struct batch *b)
{
	size_t most = 0;

	for (unsigned i = 0; i < c->n; i++)
		if (b->part[i].n > most)
			most = b->part[i].n;
	return PACKETS - most;
}

/* Packets with a lane, up to one with which a second begins. */
static void
hand_out(struct crew *c, struct batch *b)
{
	struct dealer *d = &c->dealer;
	size_t room = batch_room(c, b), at = d->at;
	size_t end = d->known - at < room ? d->known : at + room;
	struct pfk_packet *to[PFK_SHARDS_MAX];

	for (unsigned i = 0; i < c->n; i++)
		to[i] = b->part[i].packets + b->part[i].n;
	for (; at < end && d->packets[at].time < d->next_second; at++) {
		b->fragments += d->lane[at] / PFK_SHARDS_FRAGMENT;
		*to[d->lane[at] % PFK_SHARDS_FRAGMENT]++ = d->packets[at];
	}
	for (unsigned i = 0; i < c->n; i++)
		b->part[i].n = (size_t)(to[i] - b->part[i].packets);
	b->n += at - d->at;
	d->at = at;
}

/* A packet before which lanes must be joined. */
static void
hand_out_join(struct crew *c, struct batch *b)
{
	struct dealer *d = &c->dealer;

	b->join = lanes_why(c->lanes, &d->packets[d->at]);
	b->part[0].packets[b->part[0].n++] = d->packets[d->at++];
	b->n++;
	ask_lanes(c);
}

/* Packets of the dealer for the batch; false: it ends here. */
static bool
deal(struct crew *c, struct batch *b)
{
	struct dealer *d = &c->dealer;

	while (d->at < d->n) {
		const struct pfk_packet *p = &d->packets[d->at];
		bool join = d->at == d->known;

		if (join || p->time >= d->next_second) {
			if (b->n > 0)
				return false;
			begin_step(c, b, p->time);
		}
		if (join) {
			hand_out_join(c, b);
			return false;
		}
		hand_out(c, b);
		if (batch_room(c, b) == 0 || b->fragments >= FRAGMENTS)
			return false;
	}
	d->n = d->at = 0;
	return true;
}

static bool
fill_dealt(struct crew *c, struct batch *b)
{
	struct dealer *d = &c->dealer;

	if (d->at == d->n) {
		d->at = 0;
		d->packets = c->bursts + c->reading * BURST;
		d->n = reader_burst(&c->reader, d->packets, BURST);
		if (d->n > 0 && !d->begun)
			begin(c, d->packets);
		ask_lanes(c);
	}
	return deal(c, b);
}

/* => Not under the lock. */
static void
fill(struct crew *c, struct batch *b, bool whole)
{
	struct reader *rd = &c->reader;
	const struct dealer *d = &c->dealer;

	while (b->nlent < MAX_LENT && (!rd->ended || d->at < d->n)) {
		if (rd->full && d->at == d->n) {
			if (b->n > 0 && (whole || !c->soon))
				break;	/* what there is need not wait */
			refill(c, b);
		}
		if (whole && d->at == d->n) {
			fill_whole(c, b);
			if (b->part[0].n == PACKETS)
				break;
		} else if (!fill_dealt(c, b))
			break;
	}
	b->position = inputs_position(c->replay->inputs);
}

static void
batch_clear(struct crew *c, struct batch *b)
{
	for (unsigned i = 0; i < c->n; i++)
		b->part[i].n = 0;
	b->n = b->fragments = 0;
	b->step = b->started = false;
	b->join = NULL;
	b->time = PFK_SHARDS_STAY;
	b->left = c->n;
	b->nlent = 0;
}

static struct batch *
next_batch(struct crew *c, uint32_t thread)
{
	unsigned i = c->nidle - 1;
	struct batch *b;

	while (i > 0 && c->idle[i]->thread != thread)
		i--;
	b = c->idle[i];
	c->idle[i] = c->idle[--c->nidle];
	b->thread = thread;
	return c->ring[c->filled % DEPTH] = b;
}

bool
crew_read(struct crew *c, uint32_t thread)
{
	bool whole = c->whole;
	struct batch *b;

	if (c->reading != NOBODY || c->ended || c->nidle == 0)
		return false;
	c->reading = thread;
	b = next_batch(c, thread);
	leave(c);
	batch_clear(c, b);
	fill(c, b, whole);
	enter(c);
	c->reading = NOBODY;
	c->ended = c->reader.ended && c->dealer.at == c->dealer.n;
	c->filled++;
	/* an engine that is alone is woken for some batches together, if
	   the next ones are sure to come soon */
	if ((!c->whole && !is_small(c, b)) || !c->soon || c->ended ||
	    c->filled - c->done >= DEPTH / 2)
		tell(c);
	return true;
}

#endif
