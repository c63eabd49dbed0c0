/*
 * Options that are legal and do nothing where they stand.
 *
 * An option stands once in a line, for all of its rules: what is asked is
 * about the packets of all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

/* A line: its rules, and all packets that fit some of them. */
struct line {
	struct lint	*l;
	uint32_t	 first, n;
	struct pfk_rule_info info;	/* of the first */
	pfk_set		 fits;
};

static bool
says(const struct line *k, const char *word)
{
	return strstr(k->info.text, word) != NULL;
}

static bool
is_action(const struct line *k, const char *word)
{
	return strncmp(k->info.text, word, strlen(word)) == 0;
}

static bool
meets(struct line *k, pfk_set set)
{
	bool does = pfk_set_meets(k->l->exact, k->fits, set);

	pfk_set_free(k->l->exact, set);
	return does;
}

static bool
has_protocol(struct line *k, unsigned proto)
{
	return meets(k, pfk_set_protocol(k->l->exact, proto));
}

static struct finding *
no_effect(struct line *k, enum pfk_part part, const char *text)
{
	struct finding *f = finding_rule(k->l, LINT_NO_EFFECT, k->first,
	    "%s", text);

	finding_part(k->l, f, part);
	return f;
}

/* ---- what is for one protocol ---- */

/* Whether the part, as it was written, begins with the word. */
static bool
was_written(struct line *k, enum pfk_part part, const char *word)
{
	struct pfk_element e;
	const char *text;
	size_t len, n = strlen(word);

	if (!rule_part(k->l, k->first, part, &e) ||
	    e.at.source == PFK_NO_SOURCE || e.at.len < n)
		return false;
	text = quotes_text(k->l->quotes, k->l->image, e.at.source, &len);
	return text != NULL && memcmp(text + e.at.off, word, n) == 0;
}

static const struct proto_option {
	enum pfk_part	 part;
	const char	*word;		/* in the rule's text ... */
	bool		 written;	/* ... or, as it was written */
	unsigned	 proto, other;	/* that it is for */
	const char	*text;
} proto_options[] = {
	{ PFK_PART_STATE, "modulate state", true, TCP, TCP,
	    "`modulate state' is for TCP, which no packet of this rule is" },
	{ PFK_PART_STATE, "synproxy state", true, TCP, TCP,
	    "`synproxy state' is for TCP, which no packet of this rule is" },
	{ PFK_PART_STATE, "max-src-conn", false, TCP, TCP,
	    "`max-src-conn' counts connections of TCP, which no packet of "
	    "this rule is" },
	{ PFK_PART_STATE, "tcp.", false, TCP, TCP,
	    "the timeouts are for TCP, which no packet of this rule is" },
	{ PFK_PART_STATE, "udp.", false, UDP, UDP,
	    "the timeouts are for UDP, which no packet of this rule is" },
	{ PFK_PART_STATE, "icmp.", false, ICMP, ICMP6,
	    "the timeouts are for ICMP, which no packet of this rule is" },
	{ PFK_PART_SCRUB, "max-mss", false, TCP, TCP,
	    "`max-mss' is for TCP, which no packet of this rule is" },
	{ PFK_PART_SCRUB, "reassemble tcp", false, TCP, TCP,
	    "`reassemble tcp' is for TCP, which no packet of this rule is" },
	{ PFK_PART_NAT, "static-port", false, TCP, UDP,
	    "`static-port' is for TCP and UDP, which no packet of this rule "
	    "is" },
};

static void
check_protocols(struct line *k)
{
	for (size_t i = 0; i < sizeof(proto_options) / sizeof(proto_options[0]);
	    i++) {
		const struct proto_option *o = &proto_options[i];

		if (!(o->written ? was_written(k, o->part, o->word) :
		    says(k, o->word)) || has_protocol(k, o->proto) ||
		    has_protocol(k, o->other))
			continue;
		no_effect(k, o->part, o->text);
	}
	if ((says(k, "no-df") || says(k, "random-id")) &&
	    !meets(k, pfk_set_family(k->l->exact, 4)))
		no_effect(k, PFK_PART_SCRUB, "`no-df' and `random-id' are for "
		    "IPv4, which no packet of this rule is");
	if (was_written(k, PFK_PART_STATE, "synproxy state") &&
	    !meets(k, pfk_set_direction(k->l->exact, 1)))
		no_effect(k, PFK_PART_STATE, "`synproxy state' is for packets "
		    "that come in");
}

/* ---- what is for packets that go on ---- */

static void
check_blocked(struct line *k)
{
	static const struct { enum pfk_part part; const char *word, *text; }
	    options[] = {
		{ PFK_PART_SET, " set (",
		    "what is set on a packet that is dropped has no effect" },
		{ PFK_PART_RTABLE, " rtable ",
		    "the routing table of a packet that is dropped has no "
		    "effect" },
	};

	if (!is_action(k, "block drop"))
		return;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (says(k, options[i].word))
			no_effect(k, options[i].part, options[i].text);
	if (says(k, " quick") && says(k, " tag "))
		no_effect(k, PFK_PART_TAG,
		    "the tag of a packet that is dropped at once has no effect");
}

static void
check_chance(struct line *k)
{
	if (says(k, " probability 100%"))
		no_effect(k, PFK_PART_PROBABILITY,
		    "a probability of 100% changes nothing");
	else if (says(k, " probability 0%"))
		no_effect(k, PFK_PART_PROBABILITY,
		    "with a probability of 0% the rule never matches");
}

/* ---- translation to one address ---- */

static bool
is_host(const char *p, size_t len)
{
	bool dots = false;

	for (size_t i = 0; i < len; i++) {
		if (strchr("0123456789abcdef.:", p[i]) == NULL)
			return false;
		dots |= p[i] == '.' || p[i] == ':';
	}
	return dots;
}

static void
check_pool(struct line *k, const char *what, enum pfk_part part)
{
	static const char *const choices[] = { "sticky-address", "random",
	    "source-hash", "round-robin", "least-states" };
	const char *p = strstr(k->info.text, what);
	size_t len;

	if (p == NULL)
		return;
	p += strlen(what);
	len = strcspn(p, " ");
	if (!is_host(p, len) || p[len] == '\0')
		return;
	p += len + 1;
	if (strncmp(p, "port ", 5) == 0)
		return;			/* of several ports one is chosen */
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		if (strncmp(p, choices[i], strlen(choices[i])) == 0)
			no_effect(k, part, "there is one address alone, so "
			    "that nothing is left to choose");
}

/* ---- users ---- */

static void
add_to(struct lint *l, pfk_set *sum, pfk_set more)
{
	pfk_set all = pfk_set_or(l->exact, *sum, more);

	pfk_set_free(l->exact, *sum);
	pfk_set_free(l->exact, more);
	*sum = all;
}

/* The firewall's own addresses at one end, and those of many hosts. */
static pfk_set
own_end(struct lint *l, unsigned side)
{
	static const uint8_t many4[16] = { 224 }, many6[16] = { 255 };
	static const uint8_t all4[16] = { 255, 255, 255, 255 };
	size_t n;
	const struct pfk_interface *ifs = pfk_host_interfaces(l->host, &n);
	pfk_set sum = pfk_set_network(l->exact, side, 4, many4, 4);

	add_to(l, &sum, pfk_set_network(l->exact, side, 4, all4, 32));
	add_to(l, &sum, pfk_set_network(l->exact, side, 6, many6, 8));
	for (size_t i = 0; i < n; i++)
		for (size_t a = 0; a < ifs[i].naddrs; a++) {
			const struct pfk_ifaddr *ia = &ifs[i].addrs[a];

			add_to(l, &sum, pfk_set_network(l->exact, side, ia->af,
			    ia->addr, ifs[i].flags & PFK_IFF_LOOPBACK ?
			    ia->prefixlen : ia->af == 4 ? 32 : 128));
			if (ia->has_broadcast)
				add_to(l, &sum, pfk_set_network(l->exact, side,
				    4, ia->broadcast, 32));
		}
	return sum;
}

/* Packets in that direction whose end there is the firewall. */
static pfk_set
own_packets(struct lint *l, unsigned dir, unsigned side)
{
	pfk_set end = own_end(l, side);
	pfk_set way = pfk_set_direction(l->exact, dir);
	pfk_set both = pfk_set_and(l->exact, end, way);

	pfk_set_free(l->exact, end);
	pfk_set_free(l->exact, way);
	return both;
}

/* Whether a match rule might translate some of its packets before. */
static bool
may_be_translated(struct line *k)
{
	struct lint *l = k->l;

	for (uint32_t i = 0; i < l->nchanging; i++)
		if (l->changing[i] < k->first && pfk_set_meets(l->exact,
		    k->fits, l->judged[l->changing[i]].all))
			return true;
	return false;
}

static void
check_users(struct line *k)
{
	bool user = says(k, " user = "), group = says(k, " group = ");

	if ((!user && !group) || may_be_translated(k) ||
	    meets(k, own_packets(k->l, 1, 1)) ||
	    meets(k, own_packets(k->l, 2, 0)))
		return;
	no_effect(k, user ? PFK_PART_USER : PFK_PART_GROUP, "packets that the "
	    "firewall only forwards have no user, so that the rule never "
	    "matches");
}

/* ---- logs ---- */

static void
check_logs(struct line *k)
{
	char name[32];

	if (rule_word(&k->info, "to pflog", name, sizeof(name))) {
		char full[48] = "pflog";

		strncat(full, name, sizeof(full) - 6);
		if (!interface_known(k->l, full))
			finding_rule(k->l, LINT_LOG_NOWHERE, k->first,
			    "the firewall has no interface %s to log to", full);
	}
	if (says(k, " log (all") && !is_action(k, "match") &&
	    (is_action(k, "block") || says(k, " no state")))
		finding_rule(k->l, LINT_NO_EFFECT, k->first, "`log (all)' is "
		    "for rules that keep state: without, every packet is "
		    "logged anyway");
}

/* ---- urpf-failed ---- */

static void
check_urpf(struct line *k)
{
	pfk_set out = pfk_set_direction(k->l->exact, 2);
	pfk_set leave;
	struct finding *f;

	if (says(k, " urpf-failed") && !says(k, "! urpf-failed")) {
		leave = pfk_set_and(k->l->exact, k->fits, out);
		if (leave != PFK_SET_NONE) {
			f = finding_rule(k->l, LINT_URPF_OUT, k->first,
			    "urpf-failed also matches packets that are "
			    "forwarded and go out");
			note_example(k->l, f, leave);
		}
		pfk_set_free(k->l->exact, leave);
	}
	pfk_set_free(k->l->exact, out);
}

/* ---- a line ---- */

static pfk_set
all_that_fit(struct lint *l, uint32_t first, uint32_t n)
{
	pfk_set sum = PFK_SET_NONE;

	for (uint32_t i = 0; i < n; i++)
		add_to(l, &sum, pfk_set_copy(l->exact,
		    l->judged[first + i].all));
	return sum;
}

void
check_options(struct lint *l, uint32_t first, uint32_t n)
{
	struct line k = { .l = l, .first = first, .n = n };

	k.fits = all_that_fit(l, first, n);
	pfk_image_rule(l->image, first, &k.info);
	if (k.fits != PFK_SET_NONE) {
		check_protocols(&k);
		check_users(&k);
		check_urpf(&k);
	}
	check_blocked(&k);
	check_chance(&k);
	check_logs(&k);
	check_pool(&k, " nat-to ", PFK_PART_NAT);
	check_pool(&k, " rdr-to ", PFK_PART_RDR);
	pfk_set_free(l->exact, k.fits);
}
