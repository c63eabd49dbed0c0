/*
 * From a packet in short to its bytes.
 */
#include <string.h>

#include "tests/agree/agree.h"
#include "tests/captures/mkpcap.h"

#define ETHER	14
#define WHOLE	80		/* what parts are taken of, at least */

static void
set_tcp(const struct brief *b, struct packet_spec *s)
{
	s->kind = KIND_TCP;
	s->flags = b->flags;
	s->seq = b->seq;
	s->ack = b->ack;
	s->win = b->win;
	if (b->mss != 0) {
		s->tcp_options.b[0] = 2;
		s->tcp_options.b[1] = 4;
		s->tcp_options.b[2] = (uint8_t)(b->mss >> 8);
		s->tcp_options.b[3] = (uint8_t)b->mss;
		s->tcp_options.len = 4;
	}
}

static void
set_transport(const struct brief *b, struct packet_spec *s)
{
	unsigned payload;

	switch (b->proto) {
	case 6:
		set_tcp(b, s);
		break;
	case 17:
		s->kind = KIND_UDP;
		break;
	case 1:
	case 58:
		s->kind = b->proto == 1 ? KIND_ICMP : KIND_ICMP6;
		s->type = b->type;
		s->code = b->code;
		s->id = b->id;
		s->seq = b->seq;
		put_bytes(&s->payload, b->quote, b->nquote);
		break;
	default:
		s->kind = KIND_OTHER;
		break;
	}
	payload = b->part && b->payload < WHOLE ? WHOLE : b->payload;
	for (unsigned i = 0; i < payload; i++)
		put8(&s->payload, 'x');
}

static void
set_network(const struct brief *b, struct packet_spec *s)
{
	s->af = b->af;
	s->proto = b->proto;
	memcpy(s->src, b->src, 16);
	memcpy(s->dst, b->dst, 16);
	s->sport = b->port[0];
	s->dport = b->port[1];
	s->ttl = b->ttl;
	s->tos = b->tos;
	s->ipid = b->ipid;
	s->df = b->df;
	s->bad_sum = b->wrong_sum;
	if (b->part) {
		s->is_part = true;
		s->from = b->from;
		s->to = b->to;
		s->more = b->more;
	}
	if (b->options && b->af == 4) {
		memcpy(s->ip_options.b, "\x94\x04\0\0", 4);
		s->ip_options.len = 4;
	}
	if (b->extension && b->af == 6) {
		memcpy(s->extensions.b, "\0\0\1\4\0\0\0\0", 8);
		s->extensions.len = 8;
	}
}

uint16_t
frame_linktype(const struct brief *b)
{
	return b->link == 0 ? LINK_RAW : LINK_ETHERNET;
}

/* link: 0 bare IP, 1 Ethernet, 2 with a tag. */
static size_t
put_link(const struct brief *b, uint8_t *frame)
{
	size_t n = b->link == 0 ? 0 : b->link == 1 ? ETHER : ETHER + 4;

	if (n == 0)
		return 0;
	memset(frame, 2, 12);
	if (n > ETHER)
		memcpy(frame + 12, "\x81\0\0\7", 4);
	frame[n - 2] = b->af == 4 ? 0x08 : 0x86;
	frame[n - 1] = b->af == 4 ? 0x00 : 0xdd;
	return n;
}

size_t
frame_build(const struct brief *b, uint8_t frame[FRAME_MAX])
{
	static struct packet_spec s;
	static struct bytes ip;
	size_t n = put_link(b, frame), len;

	memset(&s, 0, offsetof(struct packet_spec, payload));
	s.payload.len = 0;
	s.ip_length = s.cut = -1;
	set_network(b, &s);
	set_transport(b, &s);
	build_ip(&s, &ip);
	len = ip.len < FRAME_MAX - n ? ip.len : FRAME_MAX - n;
	memcpy(frame + n, ip.b, len);
	return n + len - (b->cut < len ? b->cut : len);
}
