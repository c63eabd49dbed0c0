/*
 * The pcap format:
 *
 *	magic:32 major:16 minor:16 zone:32 figures:32 snaplen:32 link:32
 *	then for each packet
 *	seconds:32 fraction:32 caplen:32 wirelen:32, caplen bytes
 *
 * The magic tells the byte order, what the fraction counts, and (of a variant
 * that Linux once had) that 8 more bytes stand before each packet.  The upper
 * bits of link tell of a check sequence (FCS) at the end of frames; pf cuts it
 * off with all that is behind the IP length.
 */
#include "capture_int.h"

#define HEADER_LEN	24
#define RECORD_LEN	16		/* c->record_len, at least */
#define MAGIC_US	0xa1b2c3d4u
#define MAGIC_NS	0xa1b23c4du
#define MAGIC_MORE	0xa1b2cd34u

static enum capture_result
pcap_next(struct capture *c, bool may_move, struct record *r)
{
	enum capture_result result;
	uint32_t caplen, fraction;
	const uint8_t *p = capture_need(c, c->record_len, may_move, &result);

	if (p == NULL)
		return result;
	caplen = get32(c, p + 8);
	if (caplen > MAX_RECORD)
		return capture_fail(c, "%u bytes cannot be", caplen);
	p = capture_need(c, c->record_len + (size_t)caplen, may_move, &result);
	if (p == NULL)
		return result;
	fraction = get32(c, p + 4);
	r->time = get32(c, p) * UINT64_C(1000000000) +
	    (c->nanoseconds ? fraction : fraction * UINT64_C(1000));
	r->data = p + c->record_len;
	r->caplen = caplen;
	r->wirelen = get32(c, p + 12);
	if (r->wirelen < caplen)
		r->wirelen = caplen;
	r->linktype = c->ifs[0].linktype;
	r->dir = 0;
	r->interface = 0;
	c->pos += c->record_len + (size_t)caplen;
	return CAPTURE_PACKET;
}

/* A record's header in this machine's byte order. */
struct head { uint32_t seconds, fraction, caplen, wirelen; };

static inline struct head
head_at(const uint8_t *p, bool swapped)
{
	struct head h;

	memcpy(&h, p, sizeof(h));
	if (swapped)
		h = (struct head){ turned32(h.seconds), turned32(h.fraction),
		    turned32(h.caplen), turned32(h.wirelen) };
	return h;
}

/* Records that lie in the buffer as a whole. */
static size_t
pcap_burst(struct capture *c, struct pfk_packet *out, size_t max)
{
	const uint64_t unit = c->nanoseconds ? 1 : 1000;
	const uint16_t linktype = c->ifs[0].linktype;
	const size_t len = c->record_len;
	const bool swapped = c->swapped;
	const uint8_t *p = c->buf + c->pos, *end = c->buf + c->len;
	size_t n;

	for (n = 0; n < max && (size_t)(end - p) >= len; n++) {
		struct head h = head_at(p, swapped);

		if (h.caplen > (size_t)(end - p) - len ||
		    h.caplen > MAX_RECORD)
			break;
		out[n] = (struct pfk_packet){
		    .time = h.seconds * UINT64_C(1000000000) +
		    h.fraction * unit, .data = p + len, .caplen = h.caplen,
		    .wirelen = h.wirelen < h.caplen ? h.caplen : h.wirelen,
		    .linktype = linktype };
		p += len + h.caplen;
	}
	c->pos = (size_t)(p - c->buf);
	return n;
}

static bool
is_magic(struct capture *c, const uint8_t *start)
{
	for (int swapped = 0; swapped < 2; swapped++) {
		uint32_t magic;

		c->swapped = swapped;
		magic = get32(c, start);
		c->nanoseconds = magic == MAGIC_NS;
		c->record_len = RECORD_LEN + (magic == MAGIC_MORE ? 8 : 0);
		if (magic == MAGIC_US || magic == MAGIC_NS ||
		    magic == MAGIC_MORE)
			return true;
	}
	return false;
}

bool
pcap_open(struct capture *c, const uint8_t *start)
{
	enum capture_result result;
	struct capture_if *i;

	if (!is_magic(c, start))
		return false;
	start = capture_need(c, HEADER_LEN, true, &result);
	if (start == NULL) {
		capture_fail(c, "ends within its header");
		return false;
	}
	i = capture_add_if(c);
	if (i == NULL)
		return false;
	i->snaplen = get32(c, start + 16);
	i->linktype = (uint16_t)get32(c, start + 20);
	c->next = pcap_next;
	c->burst = pcap_burst;
	c->pos += HEADER_LEN;
	return true;
}
