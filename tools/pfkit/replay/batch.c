/*
 * See batch.h.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../pfkit.h"
#include "batch.h"

/* Tells once if such frames cannot be read. */
static void
check_link(struct reader *rd, const struct input *in,
    const struct pfk_packet *p)
{
	if (rd->unknown_link == p->linktype + 1u)
		return;
	if (pfk_link_known(p->linktype)) {
		rd->known_link = p->linktype + 1u;
		return;
	}
	rd->unknown_link = p->linktype + 1u;
	warning("%s: packet %" PRIu64 ": link type %u is not read; "
	    "such packets are ignored", in->name, p->number, p->linktype);
}

/* n packets have come; of how many it is known where they were seen. */
static size_t
take(struct reader *rd, struct input *in, struct pfk_packet *p,
    size_t n)
{
	uint64_t number = rd->number;
	size_t known;

	for (size_t i = 0; i < n; i++) {
		p[i].number = ++number;
		if (rd->known_link != p[i].linktype + 1u)
			check_link(rd, in, &p[i]);
	}
	rd->number = number;
	known = where_burst(rd->where, in, p, n);
	if (known < n) {
		rd->number -= n - known;
		rd->status = 1;
		rd->ended = true;
	}
	return known;
}

bool
reader_refill(struct reader *rd, struct buffer *spare)
{
	if (!rd->full)
		return true;
	if (spare != NULL && !inputs_swap(rd->replay->inputs, spare))
		return false;
	inputs_refill(rd->replay->inputs);
	rd->full = false;
	return true;
}

size_t
reader_burst(struct reader *rd, struct pfk_packet *p, size_t max)
{
	enum capture_result why;
	struct input *in;
	size_t n;

	if (rd->ended || rd->full)
		return 0;
	n = inputs_burst(rd->replay->inputs, p, max, &in, &why);
	if (n > 0)
		return take(rd, in, p, n);
	rd->full = why == CAPTURE_FULL;
	rd->ended = !rd->full;
	rd->status |= why == CAPTURE_ERROR;
	return 0;
}
