/*
 * --write, --write-blocked, --write-replies: packets as pcap files.
 *
 * A packet that passed is written as pf leaves it, behind the link header it
 * came with (after af-to that header's protocol is corrected); one that did
 * not, as it came.  A forwarded packet has two decisions, of which the
 * second takes back what was written for the first: so each packet stands
 * once in one of the two files, or in neither if pf never saw it.
 *
 * A pcap file has one link type, that of the first packet; if captures of
 * several are replayed, --raw leaves the link headers away.  pf's own answers
 * never have one.
 */
#include <inttypes.h>
#include <string.h>

#include "../pfkit.h"
#include "pcap_out.h"
#include "replay.h"

enum { LINKTYPE_NULL = 0, LINKTYPE_ETHERNET = 1, LINKTYPE_RAW = 101,
    LINKTYPE_LOOP = 108, LINKTYPE_LINUX_SLL = 113,
    LINKTYPE_LINUX_SLL2 = 276 };
#define MAX_LINK_HEADER	512

struct writer {
	struct output	 output;
	bool		 started;
	uint16_t	 linktype;
	uint64_t	 last;		/* number of the packet at the mark */
	bool		 told;		/* of several link types */
};

/* The file's header before the first packet; false: not of this file. */
static bool
start(struct writer *w, uint16_t linktype)
{
	if (!w->started) {
		w->started = true;
		w->linktype = linktype;
		pcap_header(w->output.out, linktype);
		out_mark(w->output.out);
	}
	if (linktype == w->linktype)
		return true;
	if (!w->told)
		warning("packets of link types %u and %u cannot be written to "
		    "one file: use --raw", w->linktype, linktype);
	w->told = true;
	w->output.replay->failed = true;
	return false;
}

static void
take_back(struct writer *w, const struct pfk_decision *d)
{
	if (d->second && w->last == d->number)
		out_rewind(w->output.out);
	w->last = 0;
}

/* What the link header says of the protocol, after af-to. */
static void
correct_family(uint16_t linktype, uint8_t *header, uint32_t len, uint8_t af)
{
	const uint8_t ether[2] = { af == 4 ? 0x08 : 0x86,
	    af == 4 ? 0x00 : 0xdd };
	uint8_t family = af == 4 ? 2 : 24;

	switch (linktype) {
	case LINKTYPE_ETHERNET: case LINKTYPE_LINUX_SLL:
		if (len >= 2)
			memcpy(header + len - 2, ether, sizeof(ether));
		break;
	case LINKTYPE_LINUX_SLL2:
		memcpy(header, ether, sizeof(ether));
		break;
	case LINKTYPE_NULL: case LINKTYPE_LOOP:
		/* in the byte order it was in */
		if (len >= 4)
			header[header[0] != 0 ? 0 : 3] = family;
		break;
	default:
		break;
	}
}

/* The packet as pf leaves it, behind the header of the frame it came in. */
static void
write_left(struct writer *w, const struct pfk_decision *d,
    const struct pfk_packet *p)
{
	struct pfk_network net;
	uint8_t header[MAX_LINK_HEADER];
	bool raw = w->output.replay->o->raw;
	uint32_t len = 0, caplen = d->iplen;

	if (!pfk_link_decode(p->linktype, p->data, p->caplen, p->wirelen,
	    &net) || net.off > sizeof(header) ||
	    !start(w, raw ? LINKTYPE_RAW : p->linktype))
		return;
	if (!raw) {
		len = net.off;
		memcpy(header, p->data, len);
		if ((d->changed & PFK_CHANGED_AF) != 0)
			correct_family(p->linktype, header, len,
			    d->ip[0] >> 4 == 4 ? 4 : 6);
	}
	/* zeros that stand for what was not captured stay away */
	if (net.caplen < net.wirelen && net.caplen < caplen)
		caplen = net.caplen;
	pcap_record(w->output.out, d->time, len + caplen, len + d->iplen);
	out_bytes(w->output.out, header, len);
	out_bytes(w->output.out, d->ip, caplen);
}

/* The frame as it came. */
static void
write_came(struct writer *w, const struct pfk_decision *d,
    const struct pfk_packet *p)
{
	struct pfk_network net = { .off = 0 };
	bool raw = w->output.replay->o->raw;

	if ((raw && !pfk_link_decode(p->linktype, p->data, p->caplen,
	    p->wirelen, &net)) || !start(w, raw ? LINKTYPE_RAW : p->linktype))
		return;
	pcap_record(w->output.out, d->time, p->caplen - net.off,
	    p->wirelen - net.off);
	out_bytes(w->output.out, p->data + net.off, p->caplen - net.off);
}

static void
passed(struct output *o, const struct pfk_decision *d)
{
	struct writer *w = (struct writer *)o;
	const struct pfk_packet *p = replay_packet(o->replay, d->number);

	take_back(w, d);
	out_mark(o->out);
	w->last = d->number;
	if (d->verdict == PFK_PASS && d->ip != NULL)
		write_left(w, d, p);
	else if (d->verdict == PFK_SKIP)
		write_came(w, d, p);
}

static void
blocked(struct output *o, const struct pfk_decision *d)
{
	if (d->verdict == PFK_BLOCK || d->verdict == PFK_DROP)
		write_came((struct writer *)o, d,
		    replay_packet(o->replay, d->number));
}

static void
replied(struct output *o, const struct pfk_decision *d)
{
	for (unsigned i = 0; i < d->nreplies; i++) {
		const struct pfk_reply *r = &d->replies[i];

		(void)start((struct writer *)o, LINKTYPE_RAW);
		pcap_record(o->out, d->time, r->iplen, r->iplen);
		out_bytes(o->out, r->ip, r->iplen);
	}
}

/* A file without packets is a capture, too. */
static void
end(struct output *o)
{
	(void)start((struct writer *)o, ((struct writer *)o)->started ?
	    ((struct writer *)o)->linktype : LINKTYPE_RAW);
}

static void
header(struct output *o, uint16_t linktype, bool write)
{
	struct writer *w = (struct writer *)o;

	if (o->replay->o->raw)
		linktype = LINKTYPE_RAW;
	if (write)
		(void)start(w, linktype);
	w->started = true;
	w->linktype = linktype;
}

static struct output *
writer_new(void (*decision)(struct output *, const struct pfk_decision *))
{
	struct writer *w = xcalloc(1, sizeof(*w));

	w->output.decision = decision;
	w->output.end = end;
	w->output.header = header;
	return &w->output;
}

struct output *
write_passed_new(void)
{
	return writer_new(passed);
}

struct output *
write_blocked_new(void)
{
	return writer_new(blocked);
}

struct output *
write_replies_new(void)
{
	return writer_new(replied);
}
