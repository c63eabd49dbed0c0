/*
 * mkpcap CAPTURE: reads a description (standard input), writes the capture,
 * and, where the lines tell directions, CAPTURE.directions.
 *
 *	link ethernet|raw|null|loop|sll|sll2
 *	format pcap|pcap-ns|pcap-swapped|pcapng
 *	TIME [in|out|fwd IFACE] tcp ADDR:PORT > ADDR:PORT FLAGS [words]
 *	TIME [in|out|fwd IFACE] udp ADDR:PORT > ADDR:PORT [words]
 *	TIME [in|out|fwd IFACE] icmp|icmp6 ADDR > ADDR type N [code N] [words]
 *	TIME [in|out|fwd IFACE] ip ADDR > ADDR proto N [words]
 *	TIME [in|out|fwd IFACE] raw HEX [words]		from the IP header on
 *	TIME [in|out|fwd IFACE] frame HEX [words]	whole, for the link
 *	= NAME tcp|udp|icmp|icmp6|ip ...	not sent: to be quoted
 *
 * TIME is in seconds from the beginning.  An IPv6 endpoint is ADDR[PORT].
 * FLAGS are of "FSRPAUEW", or "-".  Words:
 *
 *	len N, data "TEXT", hex HEX		what the packet carries
 *	quote N|NAME [bytes N]			of ICMP errors: packet N, or a
 *						named one; its IP header and 8
 *						bytes, or so many
 *	seq N, ack N, win N, urg N		TCP; seq and id of ICMP
 *	mss N, wscale N, sackok, ts N,N, tcpopt HEX
 *	ttl N, tos N, ipid N, df, ipopt HEX, ext hop|dst|route
 *	part FROM-TO [more] [last]		these bytes of what IP carries,
 *						as a fragment
 *	badsum, badipsum, iplen N		lies
 *	vlan N (twice: QinQ), cut N, padding N	the frame
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mkpcap.h"

#define MAX_WORDS	128
#define MAX_KEPT	4096

static struct kept {			/* packets that may be quoted */
	char	 name[32];
	uint8_t	*ip;
	size_t	 len;
} kept[MAX_KEPT];
static size_t nkept;

static unsigned line_number, npackets;
static char *words[MAX_WORDS + 1];	/* of the line, NULL at the end */
static size_t at;			/* the next of them */

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "line %u: ", line_number);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

/* Words; "quoted text" is one. */
static void
split(char *line)
{
	size_t n = 0;
	char *end;

	at = 0;
	for (line += strspn(line, " \t"); *line != '\0' && *line != '#';
	    line += strspn(line, " \t")) {
		if (n == MAX_WORDS)
			die("too many words");
		end = *line == '"' ? strchr(line + 1, '"') :
		    line + strcspn(line, " \t");
		if (end == NULL)
			die("no end of the text");
		words[n++] = line + (*line == '"');
		line = end;
		if (*line != '\0')
			*line++ = '\0';
	}
	words[n] = NULL;
}

static char *
next(const char *what)
{
	if (words[at] == NULL)
		die("%s expected", what);
	return words[at++];
}

static bool
word_is(const char *word)
{
	if (words[at] == NULL || strcmp(words[at], word) != 0)
		return false;
	at++;
	return true;
}

static uint32_t
number(uint32_t max)
{
	char *end, *s = next("number");
	unsigned long n = strtoul(s, &end, 0);

	if (end == s || *end != '\0' || n > max)
		die("no number up to %u: %s", max, s);
	return (uint32_t)n;
}

static size_t
hex(uint8_t *out, size_t max)
{
	const char *s = next("hex digits");
	size_t n = 0;
	unsigned v;

	for (; s[0] != '\0' && s[1] != '\0'; s += 2) {
		if (n == max || sscanf(s, "%2x", &v) != 1)
			die("bad hex digits: %s", s);
		out[n++] = (uint8_t)v;
	}
	return n;
}

/* Seconds as "12.345678901". */
static uint64_t
time_of(const char *s)
{
	char *end, digits[10] = "000000000";
	uint64_t t = strtoull(s, &end, 10) * 1000000000;

	if (*end == '.') {
		size_t n = strspn(end + 1, "0123456789");

		memcpy(digits, end + 1, n < 9 ? n : 9);
		end += 1 + n;
	}
	if (*end != '\0')
		die("not a time: %s", s);
	return t + strtoull(digits, NULL, 10);
}

static uint16_t
port_of(const char *s)
{
	return (uint16_t)strtoul(s, NULL, 10);
}

/* ADDR, ADDR:PORT (IPv4) or ADDR[PORT]. */
static void
endpoint(struct packet_spec *s, uint8_t addr[16], uint16_t *port)
{
	char *word = next("address"), *mark = strpbrk(word, "[");

	if (mark == NULL && strchr(word, '.') != NULL)
		mark = strchr(word, ':');
	if (mark != NULL) {
		*port = port_of(mark + 1);
		*mark = '\0';
	}
	if (inet_pton(AF_INET, word, addr) == 1)
		s->af = 4;
	else if (inet_pton(AF_INET6, word, addr) == 1)
		s->af = 6;
	else
		die("not an address: %s", word);
}

static uint8_t
tcp_flags(const char *s)
{
	static const char letters[] = "FSRPAUEW";
	uint8_t flags = 0;

	for (; *s != '\0' && *s != '-'; s++) {
		const char *l = strchr(letters, *s);

		if (l == NULL)
			die("no TCP flag: %c", *s);
		flags |= (uint8_t)(1U << (l - letters));
	}
	return flags;
}

static void
add_small(struct small *o, const uint8_t *p, size_t len)
{
	if (len > sizeof(o->b) - o->len)
		die("too many options");
	memcpy(o->b + o->len, p, len);
	o->len += len;
}

static void
tcp_option(struct packet_spec *s, uint8_t kind, uint8_t size, uint32_t v)
{
	uint8_t o[6] = { kind, (uint8_t)(size + 2) };

	for (uint8_t i = 0; i < size; i++)
		o[2 + i] = (uint8_t)(v >> 8 * (size - 1 - i));
	add_small(&s->tcp_options, o, 2U + size);
}

static void
timestamps(struct packet_spec *s)
{
	uint32_t v[2];
	uint8_t o[10] = { 8, 10 };

	if (sscanf(next("two numbers"), "%u,%u", &v[0], &v[1]) != 2)
		die("ts N,N");
	for (size_t i = 0; i < 8; i++)
		o[2 + i] = (uint8_t)(v[i / 4] >> 8 * (3 - i % 4));
	add_small(&s->tcp_options, o, sizeof(o));
}

static void
quote(struct packet_spec *s)
{
	const char *name = next("packet");
	const struct kept *k = kept;
	size_t len;

	while (k < kept + nkept && strcmp(k->name, name) != 0)
		k++;
	if (k == kept + nkept)
		die("no packet %s", name);
	len = (k->ip[0] >> 4 == 6 ? 40U : (k->ip[0] & 15U) * 4) + 8;
	if (word_is("bytes"))
		len = number(MAX_PACKET);
	put_bytes(&s->payload, k->ip, len < k->len ? len : k->len);
}

static void
extension(struct packet_spec *s)
{
	/* type, length in 8 bytes beyond the first, body */
	static const uint8_t hop[8] = { 0, 0, 1, 4 };
	static const uint8_t dst[8] = { 60, 0, 1, 4 };
	static const uint8_t route[8] = { 43, 0, 0, 0 };

	if (word_is("hop"))
		add_small(&s->extensions, hop, 8);
	else if (word_is("dst"))
		add_small(&s->extensions, dst, 8);
	else if (word_is("route"))
		add_small(&s->extensions, route, 8);
	else
		die("ext hop|dst|route");
}

static void
part(struct packet_spec *s)
{
	if (sscanf(next("bytes"), "%zu-%zu", &s->from, &s->to) != 2)
		die("part FROM-TO");
	s->is_part = true;
	s->more = word_is("more");
	s->last = word_is("last");
}

static void
filler(struct packet_spec *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put8(&s->payload, 'a' + (unsigned)(i % 26));
}

static bool
payload_word(struct packet_spec *s)
{
	if (word_is("len"))
		filler(s, number(65535));
	else if (word_is("data")) {
		const char *text = next("text");

		put_bytes(&s->payload, text, strlen(text));
	} else if (word_is("hex"))
		s->payload.len += hex(s->payload.b + s->payload.len,
		    sizeof(s->payload.b) - s->payload.len);
	else if (word_is("quote"))
		quote(s);
	else
		return false;
	return true;
}

static bool
tcp_word(struct packet_spec *s)
{
	if (word_is("seq")) s->seq = number(UINT32_MAX);
	else if (word_is("ack")) s->ack = number(UINT32_MAX);
	else if (word_is("win")) s->win = (uint16_t)number(UINT16_MAX);
	else if (word_is("urg")) s->urg = (uint16_t)number(UINT16_MAX);
	else if (word_is("type")) s->type = (uint8_t)number(UINT8_MAX);
	else if (word_is("code")) s->code = (uint8_t)number(UINT8_MAX);
	else if (word_is("id")) s->id = (uint16_t)number(UINT16_MAX);
	else if (word_is("mss")) tcp_option(s, 2, 2, number(UINT16_MAX));
	else if (word_is("wscale")) tcp_option(s, 3, 1, number(UINT8_MAX));
	else if (word_is("sackok")) tcp_option(s, 4, 0, 0);
	else if (word_is("ts")) timestamps(s);
	else if (word_is("tcpopt")) {
		uint8_t o[40];

		add_small(&s->tcp_options, o, hex(o, sizeof(o)));
	} else
		return false;
	return true;
}

static bool
ip_word(struct packet_spec *s)
{
	uint8_t o[40];

	if (word_is("ttl")) s->ttl = (uint8_t)number(UINT8_MAX);
	else if (word_is("tos")) s->tos = (uint8_t)number(UINT8_MAX);
	else if (word_is("ipid")) s->ipid = (uint16_t)number(UINT16_MAX);
	else if (word_is("proto")) s->proto = (uint8_t)number(UINT8_MAX);
	else if (word_is("df")) s->df = true;
	else if (word_is("part")) part(s);
	else if (word_is("ext")) extension(s);
	else if (word_is("ipopt"))
		add_small(&s->ip_options, o, hex(o, sizeof(o)));
	else
		return false;
	return true;
}

static bool
frame_word(struct packet_spec *s)
{
	if (word_is("badsum")) s->bad_sum = true;
	else if (word_is("badipsum")) s->bad_ip_sum = true;
	else if (word_is("iplen")) s->ip_length = (long)number(UINT16_MAX);
	else if (word_is("cut")) s->cut = (long)number(MAX_PACKET);
	else if (word_is("padding")) s->padding = number(1500);
	else if (word_is("vlan") && s->nvlan < 2)
		s->vlan[s->nvlan++] = (uint16_t)number(4095);
	else
		return false;
	return true;
}

/* Options fill whole words: TCP pads with NOP, IP with the end of the list. */
static void
pad(struct small *o, uint8_t with)
{
	while (o->len % 4 != 0)
		add_small(o, &with, 1);
}

static void
packet(struct packet_spec *s)
{
	static const struct {
		const char *word;
		enum packet_kind kind;
		uint8_t proto;
	} kinds[] = {
		{ "tcp", KIND_TCP, 6 }, { "udp", KIND_UDP, 17 },
		{ "icmp", KIND_ICMP, 1 }, { "icmp6", KIND_ICMP6, 58 },
		{ "ip", KIND_OTHER, 255 }, { "raw", KIND_RAW, 0 },
		{ "frame", KIND_FRAME, 0 }
	};
	size_t k = 0;

	while (k < sizeof(kinds) / sizeof(kinds[0]) &&
	    !word_is(kinds[k].word))
		k++;
	if (k == sizeof(kinds) / sizeof(kinds[0]))
		die("a kind of packet expected, not %s", next("kind"));
	s->kind = kinds[k].kind;
	s->proto = kinds[k].proto;
	if (s->kind == KIND_RAW || s->kind == KIND_FRAME)
		s->payload.len = hex(s->payload.b, sizeof(s->payload.b));
	else {
		endpoint(s, s->src, &s->sport);
		if (!word_is(">"))
			die("'>' expected");
		endpoint(s, s->dst, &s->dport);
	}
	if (s->kind == KIND_TCP)
		s->flags = tcp_flags(next("flags"));
	while (words[at] != NULL)
		if (!payload_word(s) && !tcp_word(s) && !ip_word(s) &&
		    !frame_word(s))
			die("unknown word %s", words[at]);
	pad(&s->tcp_options, 1);
	pad(&s->ip_options, 0);
}

static void
keep(const char *name, const struct bytes *ip)
{
	struct kept *k = &kept[nkept];

	if (nkept == MAX_KEPT)
		return;
	snprintf(k->name, sizeof(k->name), "%s", name);
	k->ip = malloc(ip->len + 1);
	if (k->ip == NULL)
		die("no memory");
	memcpy(k->ip, ip->b, ip->len);
	k->len = ip->len;
	nkept++;
}

static void
direction(struct packet_spec *s)
{
	if (word_is("in"))
		s->dir = DIR_IN;
	else if (word_is("out"))
		s->dir = DIR_OUT;
	else if (word_is("fwd"))
		s->dir = DIR_FWD;
	else
		return;
	snprintf(s->ifname, sizeof(s->ifname), "%s", next("interface"));
}

static void
write_direction(const struct packet_spec *s, const char *path)
{
	static const char *const names[] = { "", "in", "out", "fwd" };
	static FILE *f;
	char name[4096];

	if (s->dir == DIR_NONE)
		return;
	snprintf(name, sizeof(name), "%s.directions", path);
	if (f == NULL && (f = fopen(name, "w")) == NULL)
		die("%s: cannot be written", name);
	fprintf(f, "%s %s\n", names[s->dir], s->ifname);
}

static bool
setting(struct capture *c)
{
	static const struct { const char *word; int value; } links[] = {
		{ "ethernet", LINK_ETHERNET }, { "raw", LINK_RAW },
		{ "null", LINK_NULL }, { "loop", LINK_LOOP },
		{ "sll", LINK_SLL }, { "sll2", LINK_SLL2 }
	}, formats[] = {
		{ "pcap", FORMAT_PCAP }, { "pcap-ns", FORMAT_PCAP_NS },
		{ "pcap-swapped", FORMAT_PCAP_SWAPPED },
		{ "pcapng", FORMAT_PCAPNG }
	};

	if (word_is("link")) {
		for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
			if (word_is(links[i].word)) {
				c->link = (enum link_type)links[i].value;
				return true;
			}
		die("unknown link type");
	}
	if (word_is("format")) {
		for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
			if (word_is(formats[i].word)) {
				c->format =
				    (enum file_format)formats[i].value;
				return true;
			}
		die("unknown format");
	}
	return false;
}

static void
line(struct capture *c, const char *path)
{
	static struct packet_spec s;
	static struct bytes ip;
	char name[32];

	if (words[0] == NULL || setting(c))
		return;
	memset(&s, 0, sizeof(s));
	s.ttl = 64;
	s.win = 16384;
	s.cut = s.ip_length = -1;
	if (word_is("=")) {
		snprintf(name, sizeof(name), "%s", next("name"));
		packet(&s);
		build_ip(&s, &ip);
		keep(name, &ip);
		return;
	}
	s.time = time_of(next("time"));
	direction(&s);
	packet(&s);
	build_ip(&s, &ip);
	if (npackets++ == 0)
		file_begin(c, path);
	snprintf(name, sizeof(name), "%u", npackets);
	keep(name, &ip);
	file_packet(c, &s, &ip);
	write_direction(&s, path);
}

int
main(int argc, char **argv)
{
	struct capture c = { LINK_ETHERNET, FORMAT_PCAP };
	static char text[2 * MAX_PACKET + 1024];

	if (argc != 2) {
		fprintf(stderr, "usage: mkpcap CAPTURE <DESCRIPTION\n");
		return 2;
	}
	while (fgets(text, sizeof(text), stdin) != NULL) {
		line_number++;
		text[strcspn(text, "\n")] = '\0';
		split(text);
		line(&c, argv[1]);
	}
	if (npackets == 0)
		file_begin(&c, argv[1]);
	file_end(&c);
	for (size_t i = 0; i < nkept; i++)
		free(kept[i].ip);
	return 0;
}
