/*
 * A packet in pf.conf's words:
 *
 *	in on em0 proto tcp from 203.0.113.9 port 40000 to www port https
 *	    flags S
 *
 * Words may stand in any order where pf.conf would not care.  What is left
 * out is given a value that such a packet usually has.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "../replay/text.h"
#include "trace.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

struct words {
	char		**word;
	size_t		 n, at;
	const struct pfk_host *host;
	struct packet	*k;
	bool		 to;		/* the last address was the receiver */
};

static const char *
next(struct words *w, const char *after)
{
	if (w->at == w->n)
		usage_error(TRACE_COMMAND, "the packet ends after `%s'",
		    after);
	return w->word[w->at++];
}

static unsigned
number(const char *what, const char *word, unsigned max)
{
	return (unsigned)number_argument(TRACE_COMMAND, what, word, max);
}

/* ---- a word, and what follows it ---- */

static void
take_direction(struct words *w, const char *word)
{
	w->k->dir = word[0] == 'i' ? PFK_IN : PFK_OUT;
	w->k->given |= PACKET_DIR;
}

static void
take_interface(struct words *w, const char *word)
{
	const char *name = next(w, word);

	if (strlen(name) >= sizeof(w->k->ifname))
		usage_error(TRACE_COMMAND, "no interface: %s", name);
	strcpy(w->k->ifname, name);
	w->k->given |= PACKET_IF;
}

static void
set_family(struct words *w, uint8_t af, const char *word)
{
	if ((w->k->given & PACKET_AF) && w->k->af != af)
		usage_error(TRACE_COMMAND, "%s: of the other address family",
		    word);
	w->k->af = af;
	w->k->given |= PACKET_AF;
}

static void
take_family(struct words *w, const char *word)
{
	set_family(w, word[4] == '6' ? 6 : 4, word);
}

static void
take_protocol(struct words *w, const char *word)
{
	const char *name = next(w, word);
	int proto = pfk_host_protocol(w->host, name);

	if (proto < 0 && (name[0] < '0' || name[0] > '9'))
		usage_error(TRACE_COMMAND, "proto: there is no protocol %s",
		    name);
	w->k->proto = proto >= 0 ? (uint8_t)proto :
	    (uint8_t)number("proto", name, 255);
	w->k->given |= PACKET_PROTO;
}

static void
set_address(struct words *w, struct pfk_endpoint *e, const char *name)
{
	struct pfk_hostaddr found[16];
	size_t n;

	if (inet_pton(AF_INET, name, e->addr) == 1)
		set_family(w, 4, name);
	else if (inet_pton(AF_INET6, name, e->addr) == 1)
		set_family(w, 6, name);
	else {
		n = pfk_host_lookup(w->host, name, found, 16);
		for (size_t i = 0; i < n && i < 16; i++)
			if (!(w->k->given & PACKET_AF) ||
			    found[i].af == w->k->af) {
				set_family(w, found[i].af, name);
				memcpy(e->addr, found[i].addr, 16);
				return;
			}
		usage_error(TRACE_COMMAND, strchr(name, '/') != NULL ||
		    name[0] == '<' || name[0] == '{' ?
		    "a packet has one address: %s" : "no address: %s", name);
	}
}

static void
take_address(struct words *w, const char *word)
{
	const char *name = next(w, word);

	w->to = word[0] == 't';
	if (strcmp(name, "any") == 0)
		return;
	if (strcmp(name, "port") == 0) {
		w->at--;
		return;
	}
	set_address(w, w->to ? &w->k->dst : &w->k->src, name);
	w->k->given |= w->to ? PACKET_DST : PACKET_SRC;
}

static void
take_port(struct words *w, const char *word)
{
	const char *name = next(w, word);
	int port;

	if (strcmp(name, "=") == 0)
		name = next(w, name);
	port = pfk_host_service(w->host, name, w->k->proto == UDP ? "udp" :
	    "tcp");
	if (port < 0 && (name[0] < '0' || name[0] > '9'))
		usage_error(TRACE_COMMAND, "port: there is no service %s",
		    name);
	if (port < 0)
		port = (int)number("port", name, 65535);
	(w->to ? &w->k->dst : &w->k->src)->port = htons((uint16_t)port);
	w->k->given |= w->to ? PACKET_DPORT : PACKET_SPORT;
}

static const char flag_letters[] = "FSRPAUEW";

static void
take_flags(struct words *w, const char *word)
{
	const char *flags = next(w, word), *at;

	for (const char *p = flags; *p != '\0' && *p != '/'; p++) {
		at = strchr(flag_letters, *p);
		if (at == NULL)
			usage_error(TRACE_COMMAND, "flags: not known: %s",
			    flags);
		w->k->tcp_flags |= (uint8_t)(1u << (at - flag_letters));
	}
	w->k->given |= PACKET_FLAGS;
}

static const struct icmp_word { const char *name; uint8_t v4, v6; }
    icmp_words[] = {
	{ "echoreq", 8, 128 }, { "echorep", 0, 129 }, { "unreach", 3, 1 },
	{ "timex", 11, 3 }, { "redir", 5, 137 },
};

static void
take_icmp_type(struct words *w, const char *word)
{
	const char *name = next(w, word);

	w->k->given |= PACKET_ICMP;
	for (size_t i = 0; i < sizeof(icmp_words) / sizeof(icmp_words[0]); i++)
		if (strcmp(name, icmp_words[i].name) == 0) {
			w->k->icmp_type = word[4] == '6' ? icmp_words[i].v6 :
			    icmp_words[i].v4;
			return;
		}
	w->k->icmp_type = (uint8_t)number(word, name, 255);
}

static void
take_code(struct words *w, const char *word)
{
	w->k->icmp_code = (uint8_t)number(word, next(w, word), 255);
}

static void
take_tos(struct words *w, const char *word)
{
	w->k->tos = (uint8_t)number(word, next(w, word), 255);
}

static void
take_ttl(struct words *w, const char *word)
{
	w->k->ttl = (uint8_t)number(word, next(w, word), 255);
}

static void
take_fragment(struct words *w, const char *word)
{
	(void)word;
	w->k->fragment = true;
}

static const struct verb {
	const char	*word;
	void		(*take)(struct words *, const char *);
} verbs[] = {
	{ "in", take_direction },	{ "out", take_direction },
	{ "on", take_interface },	{ "inet", take_family },
	{ "inet6", take_family },	{ "proto", take_protocol },
	{ "from", take_address },	{ "to", take_address },
	{ "port", take_port },		{ "flags", take_flags },
	{ "icmp-type", take_icmp_type }, { "icmp6-type", take_icmp_type },
	{ "code", take_code },		{ "tos", take_tos },
	{ "ttl", take_ttl },		{ "fragment", take_fragment },
};

/* What is missing before a word that stands alone. */
static const char *
hint(const struct words *w, const char *word)
{
	uint8_t addr[16];

	if (pfk_host_interface(w->host, word) != NULL)
		return "on";
	if (pfk_host_protocol(w->host, word) >= 0)
		return "proto";
	if (inet_pton(AF_INET, word, addr) == 1 ||
	    inet_pton(AF_INET6, word, addr) == 1)
		return w->k->given & PACKET_SRC ? "to" : "from";
	return NULL;
}

/* Ends the program. */
static void
not_known(const struct words *w, const char *word)
{
	const char *before = hint(w, word);

	if (before != NULL)
		usage_error(TRACE_COMMAND, "a packet has no `%s': is `%s %s' "
		    "meant?", word, before, word);
	if (strcmp(word, "prio") == 0)
		usage_error(TRACE_COMMAND, "prio: it comes out of a VLAN tag, "
		    "as captures have it (--packet)");
	if (strcmp(word, "received-on") == 0)
		usage_error(TRACE_COMMAND, "received-on: let the packet come "
		    "in there, and follow it with --through");
	usage_error(TRACE_COMMAND, "a packet has no `%s'", word);
}

static void
take_word(struct words *w)
{
	const char *word = w->word[w->at++];

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(word, verbs[i].word) == 0) {
			verbs[i].take(w, word);
			return;
		}
	not_known(w, word);
}

/* ---- what was left out ---- */

static const struct pfk_interface *
some_interface(const struct pfk_host *host)
{
	size_t n;
	const struct pfk_interface *ifs = pfk_host_interfaces(host, &n);

	for (size_t i = 0; i < n; i++)
		if ((ifs[i].flags & PFK_IFF_LOOPBACK) == 0 &&
		    ifs[i].naddrs > 0)
			return &ifs[i];
	return n > 0 ? &ifs[0] : NULL;
}

/* An address of the interface, as the end of this machine. */
static bool
own_address(const struct words *w, struct pfk_endpoint *e)
{
	const struct pfk_interface *i = pfk_host_interface(w->host,
	    w->k->ifname);

	for (size_t n = 0; i != NULL && n < i->naddrs; n++)
		if (i->addrs[n].af == w->k->af && (w->k->af == 4 ||
		    i->addrs[n].addr[0] != 0xfe)) {
			memcpy(e->addr, i->addrs[n].addr, 16);
			return true;
		}
	return false;
}

/* An address that documents use, so that it is nobody's. */
static void
foreign_address(const struct packet *k, struct pfk_endpoint *e, unsigned last)
{
	static const uint8_t v4[4] = { 203, 0, 113 };
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0xff };

	memcpy(e->addr, k->af == 4 ? v4 : v6, k->af == 4 ? 4 : 16);
	e->addr[k->af == 4 ? 3 : 15] = (uint8_t)last;
}

static void
fill_addresses(struct words *w)
{
	struct packet *k = w->k;

	if (!(k->given & PACKET_SRC) && (k->dir == PFK_IN ||
	    !own_address(w, &k->src)))
		foreign_address(k, &k->src, 77);
	if (!(k->given & PACKET_DST) && (k->dir == PFK_OUT ||
	    !own_address(w, &k->dst)))
		foreign_address(k, &k->dst, 78);
}

static void
fill_in(struct words *w)
{
	struct packet *k = w->k;
	const struct pfk_interface *i;

	if (k->dir == 0)
		k->dir = PFK_IN;
	if (k->ifname[0] == '\0') {
		i = some_interface(w->host);
		strncpy(k->ifname, i != NULL ? i->name : "em0",
		    sizeof(k->ifname) - 1);
	}
	if (k->af == 0)
		k->af = k->proto == ICMP6 ? 6 : 4;
	if (!(k->given & PACKET_PROTO))
		k->proto = !(k->given & PACKET_ICMP) ? TCP : k->af == 4 ?
		    ICMP : ICMP6;
	fill_addresses(w);
	if (!(k->given & PACKET_SPORT))
		k->src.port = htons(k->proto == TCP || k->proto == UDP ?
		    49152 : 1);
	if (!(k->given & PACKET_DPORT))
		k->dst.port = htons(k->proto == UDP ? 53 : 80);
	if (!(k->given & PACKET_FLAGS))
		k->tcp_flags = 0x02;
	if (!(k->given & PACKET_ICMP))
		k->icmp_type = k->af == 4 ? 8 : 128;
}

void
packet_parse(struct packet *k, char **words, size_t n,
    const struct pfk_host *host)
{
	struct words w = { .word = words, .n = n, .host = host, .k = k };

	memset(k, 0, sizeof(*k));
	k->ttl = 64;
	k->seq = 1000;
	while (w.at < w.n)
		take_word(&w);
	if ((k->proto == ICMP && k->af == 6) || (k->proto == ICMP6 &&
	    k->af == 4))
		usage_error(TRACE_COMMAND,
		    "the protocol is of the other address family");
	fill_in(&w);
}

/* ---- back into words ---- */

static void
out_end_words(struct out *o, const char *word, uint8_t af,
    const struct pfk_endpoint *e, bool port)
{
	out_printf(o, " %s ", word);
	out_addr(o, af, e->addr);
	if (port)
		out_printf(o, " port %u", ntohs(e->port));
}

static void
out_head_words(struct out *o, uint8_t af, uint8_t proto,
    const struct pfk_host *host)
{
	const char *name = pfk_host_protocol_name(host, proto);

	out_str(o, af == 6 ? "inet6" : "inet");
	if (name != NULL)
		out_printf(o, " proto %s", name);
	else
		out_printf(o, " proto %u", proto);
}

void
out_flow_words(struct out *o, const struct pfk_flow *f,
    const struct pfk_host *host)
{
	out_head_words(o, f->af, f->proto, host);
	out_end_words(o, "from", f->af, &f->src, f->has_ports);
	out_end_words(o, "to", f->af, &f->dst, f->has_ports);
}

void
out_packet_words(struct out *o, const struct packet *k,
    const struct pfk_host *host)
{
	bool ports = (k->proto == TCP || k->proto == UDP) && !k->fragment;

	out_printf(o, "%s on %s ", k->dir == PFK_OUT ? "out" : "in",
	    k->ifname);
	out_head_words(o, k->af, k->proto, host);
	out_end_words(o, "from", k->af, &k->src, ports);
	out_end_words(o, "to", k->af, &k->dst, ports);
	if (k->fragment) {
		out_str(o, " fragment");
		return;
	}
	if (k->proto == ICMP || k->proto == ICMP6)
		out_printf(o, " icmp%s-type %u code %u", k->af == 6 ? "6" :
		    "", k->icmp_type, k->icmp_code);
	if (k->proto != TCP)
		return;
	out_str(o, " flags ");
	for (unsigned i = 0; i < 8; i++)
		if (k->tcp_flags & 1u << i)
			out_char(o, flag_letters[i]);
}
