/*
 * A packet in pf.conf's words:
 *
 *	in on em0 proto tcp from 203.0.113.9 port 40000 to www port https
 *	    flags S
 *
 * Words may stand in any order where pf.conf would not care, and in one
 * argument or several.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/textbuf.h"
#include "../pfkit.h"
#include "packet_int.h"

#define BLANKS	" \t\n"

/* Characters of UTF-8. */
static size_t
columns(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void
wrong_word(const struct words *w, size_t at, const char *fmt, ...)
{
	struct textbuf b = { NULL, 0, 0 };
	size_t caret = 0, len = 0;
	va_list ap;

	va_start(ap, fmt);
	textbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	textbuf_str(&b, "\n    ");
	for (size_t i = 0; i < w->n; i++) {
		if (i == at)
			caret = len;
		textbuf_printf(&b, "%s%s", i > 0 ? " " : "", w->word[i]);
		len += columns(w->word[i]) + 1;
	}
	if (at >= w->n)
		caret = len;
	textbuf_printf(&b, "\n    %*s^", (int)caret, "");
	for (size_t i = 1; at < w->n && i < columns(w->word[at]); i++)
		textbuf_str(&b, "~");
	usage_error(TRACE_COMMAND, "%s", b.text);
}

static const char *
next(struct words *w, const char *after)
{
	if (w->at == w->n)
		wrong_word(w, w->n, "the packet ends after `%s'", after);
	return w->word[w->at++];
}

static unsigned
number(const struct words *w, const char *what, const char *word, unsigned max)
{
	char *end;
	unsigned long v = strtoul(word, &end, 0);

	if (word[0] < '0' || word[0] > '9' || *end != '\0' || v > max)
		wrong_word(w, w->at - 1, "%s: not a number from 0 to %u: %s",
		    what, max, word);
	return (unsigned)v;
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
		wrong_word(w, w->at - 1, "no interface: %s", name);
	strcpy(w->k->ifname, name);
	w->k->given |= PACKET_IF;
}

static void
set_family(struct words *w, uint8_t af, const char *word)
{
	if ((w->k->given & PACKET_AF) && w->k->af != af)
		wrong_word(w, w->at - 1, "%s: of the other address family",
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
		wrong_word(w, w->at - 1, "proto: there is no protocol %s",
		    name);
	w->k->proto = proto >= 0 ? (uint8_t)proto :
	    (uint8_t)number(w, "proto", name, 255);
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
		wrong_word(w, w->at - 1, strchr(name, '/') != NULL ||
		    name[0] == '<' || name[0] == '{' || name[0] == '!' ||
		    strchr(name, ':') != NULL ?
		    "a packet has one address: %s" : "no address: %s", name);
	}
}

/* "(em0)", "em0:0": one address is all that a packet can have. */
static bool
set_named(struct words *w, const char *name)
{
	char *bare = xstrdup(name[0] == '(' ? name + 1 : name);

	bare[strcspn(bare, ")")] = '\0';
	if (strlen(bare) > 2 && strcmp(bare + strlen(bare) - 2, ":0") == 0)
		bare[strlen(bare) - 2] = '\0';
	if (!names_interface(w->host, bare)) {
		free(bare);
		return false;
	}
	free(w->name[w->last]);
	w->name[w->last] = bare;
	w->name_at[w->last] = w->at - 1;
	return true;
}

static void
take_address(struct words *w, const char *word)
{
	const char *name = next(w, word);

	w->last = word[0] == 't' ? DESTINATION : SOURCE;
	if (strcmp(name, "any") == 0)
		return;
	if (strcmp(name, "port") == 0) {
		w->at--;
		return;
	}
	if (!set_named(w, name))
		set_address(w, w->last == DESTINATION ? &w->k->dst :
		    &w->k->src, name);
	w->k->given |= w->last == DESTINATION ? PACKET_DST : PACKET_SRC;
}

static void
take_port(struct words *w, const char *word)
{
	const char *name;
	int port;

	w->port_at = w->at - 1;
	if (w->last == NO_END)
		wrong_word(w, w->at - 1, "port: of whom? `to port', or "
		    "`from port'");
	name = next(w, word);
	if (strcmp(name, "=") == 0)
		name = next(w, name);
	port = pfk_host_service(w->host, name, w->k->proto == UDP ? "udp" :
	    "tcp");
	if (port < 0 && (name[0] < '0' || name[0] > '9'))
		wrong_word(w, w->at - 1, "port: there is no service %s", name);
	if (port < 0)
		port = (int)number(w, "port", name, 65535);
	(w->last == DESTINATION ? &w->k->dst : &w->k->src)->port =
	    htons((uint16_t)port);
	w->k->given |= w->last == DESTINATION ? PACKET_DPORT : PACKET_SPORT;
}

static const char flag_letters[] = "FSRPAUEW";

static void
take_flags(struct words *w, const char *word)
{
	const char *flags = next(w, word), *at;

	w->flags_at = w->at - 2;
	for (const char *p = flags; *p != '\0' && *p != '/'; p++) {
		at = strchr(flag_letters, *p);
		if (at == NULL)
			wrong_word(w, w->at - 1, "flags: not known: %s",
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

	w->icmp_at = w->at - 2;
	w->k->given |= PACKET_ICMP;
	for (size_t i = 0; i < sizeof(icmp_words) / sizeof(icmp_words[0]); i++)
		if (strcmp(name, icmp_words[i].name) == 0) {
			w->k->icmp_type = word[4] == '6' ? icmp_words[i].v6 :
			    icmp_words[i].v4;
			return;
		}
	w->k->icmp_type = (uint8_t)number(w, word, name, 255);
}

static void
take_code(struct words *w, const char *word)
{
	w->k->icmp_code = (uint8_t)number(w, word, next(w, word), 255);
}

static const struct tos_word { const char *name; uint8_t tos; } tos_words[] = {
	{ "lowdelay", 0x10 }, { "throughput", 0x08 }, { "reliability", 0x04 },
	{ "critical", 0xa0 }, { "inetcontrol", 0xc0 }, { "netcontrol", 0xe0 },
	{ "ef", 0xb8 }, { "va", 0xb0 },
};

/* "af21", "cs5": classes of DiffServ; or -1. */
static int
service_class(const char *s)
{
	if (strncmp(s, "cs", 2) == 0 && s[2] >= '0' && s[2] <= '7' &&
	    s[3] == '\0')
		return (s[2] - '0') << 5;
	if (strncmp(s, "af", 2) == 0 && s[2] >= '1' && s[2] <= '4' &&
	    s[3] >= '1' && s[3] <= '3' && s[4] == '\0')
		return (s[2] - '0') << 5 | (s[3] - '0') << 3;
	return -1;
}

static void
take_tos(struct words *w, const char *word)
{
	const char *name = next(w, word);
	int class = service_class(name);

	for (size_t i = 0; i < sizeof(tos_words) / sizeof(tos_words[0]); i++)
		if (strcmp(name, tos_words[i].name) == 0)
			class = tos_words[i].tos;
	w->k->tos = class >= 0 ? (uint8_t)class :
	    (uint8_t)number(w, word, name, 255);
}

static void
take_ttl(struct words *w, const char *word)
{
	w->k->ttl = (uint8_t)number(w, word, next(w, word), 255);
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
	size_t at = w->at - 1;

	if (before != NULL)
		wrong_word(w, at, "a packet has no `%s': is `%s %s' meant?",
		    word, before, word);
	if (strcmp(word, "prio") == 0)
		wrong_word(w, at, "prio: it comes out of a VLAN tag, as "
		    "captures have it (--packet)");
	if (strcmp(word, "received-on") == 0)
		wrong_word(w, at, "received-on: let the packet come in there, "
		    "and follow it with --through");
	if (strcmp(word, "pass") == 0 || strcmp(word, "block") == 0)
		wrong_word(w, at, "%s: that is what the rules say", word);
	wrong_word(w, at, "a packet has no `%s'", word);
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

/* ---- all of it ---- */

static void
split(struct words *w, char **args, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *rest = xstrdup(args[i]), *word;

		for (word = strtok(rest, BLANKS); word != NULL;
		    word = strtok(NULL, BLANKS)) {
			w->word = xrealloc(w->word,
			    (w->n + 1) * sizeof(*w->word));
			w->word[w->n++] = xstrdup(word);
		}
		free(rest);
	}
}

static void
check(const struct words *w)
{
	const struct packet *k = w->k;
	bool icmp = k->proto == ICMP || k->proto == ICMP6;

	if ((k->proto == ICMP && k->af == 6) || (k->proto == ICMP6 &&
	    k->af == 4))
		usage_error(TRACE_COMMAND,
		    "the protocol is of the other address family");
	if (k->proto == 0)
		return;
	if ((k->given & (PACKET_SPORT | PACKET_DPORT)) && k->proto != TCP &&
	    k->proto != UDP)
		wrong_word(w, w->port_at, "the protocol has no ports");
	if ((k->given & PACKET_FLAGS) && k->proto != TCP)
		wrong_word(w, w->flags_at, "the protocol has no flags");
	if ((k->given & PACKET_ICMP) && !icmp)
		wrong_word(w, w->icmp_at, "the protocol has no ICMP types");
}

void
packet_parse(struct packet *k, char **args, size_t n,
    const struct pfk_host *host)
{
	struct words w = { .host = host, .k = k, .last = NO_END };

	memset(k, 0, sizeof(*k));
	k->ttl = PACKET_TTL;
	k->seq = 1000;
	split(&w, args, n);
	while (w.at < w.n)
		take_word(&w);
	check(&w);
	packet_fill(&w);
	for (size_t i = 0; i < w.n; i++)
		free(w.word[i]);
	free(w.word);
	free(w.name[SOURCE]);
	free(w.name[DESTINATION]);
}
