/*
 * Forged sources, by the firewall's interfaces and routes; and what must pass.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

#define MAX_NETWORKS	4	/* that are named */

/*
 * The rule that decides about an example of the set, with it: returned, or
 * LINT_NO_RULE.
 */
uint32_t
note_decision(struct lint *l, struct finding *f, pfk_set set)
{
	struct pfk_exact_packet p;
	char text[256];
	uint32_t rule;

	if (!pfk_exact_example(l->exact, set, &p))
		return LINT_NO_RULE;
	pfk_exact_packet_text(&p, text, sizeof(text));
	finding_note(f, LINT_NO_RULE, "for example: %s", text);
	rule = pfk_verdicts_decider(l->verdicts, &p);
	if (rule != PFK_EXACT_DEFAULT) {
		finding_note(f, rule, "decided by");
		return rule;
	}
	finding_note(f, LINT_NO_RULE, pfk_set_has(l->exact, l->skipped, &p) ?
	    "its interface is under `set skip': it passes" :
	    "no rule matches it: it passes");
	return LINT_NO_RULE;
}

/* ---- forged sources ---- */

static bool
has_default_route(struct lint *l, const char *ifname)
{
	size_t n;
	const struct pfk_route *r = routes_of_host(&l->assumed, l->host, &n);

	for (size_t i = 0; i < n; i++)
		if (r[i].prefixlen == 0 && r[i].ifname != NULL &&
		    strcmp(r[i].ifname, ifname) == 0)
			return true;
	return false;
}

static bool
is_network(const struct pfk_ifaddr *a)
{
	bool local = a->af == 6 && a->addr[0] == 0xfe &&
	    (a->addr[1] & 0xc0) == 0x80;

	return !local && a->prefixlen < (a->af == 6 ? 128 : 32);
}

/* Packets from the network that come in on the other interface, and pass. */
static pfk_set
hole_for(struct lint *l, const struct pfk_ifaddr *a, pfk_set passes_in)
{
	pfk_set from = pfk_set_network(l->exact, 0, a->af, a->addr,
	    a->prefixlen);
	pfk_set hole = pfk_set_and(l->exact, passes_in, from);
	pfk_set certain = pfk_set_certain(l->exact, hole);

	pfk_set_free(l->exact, from);
	pfk_set_free(l->exact, hole);
	return certain;
}

/* What the holes of an interface have in common. */
struct holes {
	const struct pfk_interface *outer;
	pfk_set		 passes_in;
	struct finding	*f;		/* made at the first one */
	unsigned	 n;
};

static void
note_network(struct finding *f, const char *ifname,
    const struct pfk_ifaddr *a)
{
	char text[INET6_ADDRSTRLEN];

	(void)inet_ntop(a->af == 4 ? AF_INET : AF_INET6, a->addr, text,
	    sizeof(text));
	finding_note(f, LINT_NO_RULE, "from the network of %s, which has %s/%u",
	    ifname, text, a->prefixlen);
}

static void
check_inner(struct lint *l, struct holes *h, const struct pfk_interface *inner)
{
	for (size_t i = 0; i < inner->naddrs; i++) {
		const struct pfk_ifaddr *a = &inner->addrs[i];
		pfk_set hole;

		if (!is_network(a) ||
		    (hole = hole_for(l, a, h->passes_in)) == PFK_SET_NONE)
			continue;
		if (h->n++ == 0) {
			h->f = finding_at(l, LINT_SPOOFING, NULL, "forged "
			    "packets pass in on %s: their source is in a "
			    "network behind another interface",
			    h->outer->name);
			finding_move(l, h->f, note_decision(l, h->f, hole));
			if (!has_default_route(l, h->outer->name))
				h->f->severity = SEVERITY_NOTE;
		}
		if (h->n <= MAX_NETWORKS)
			note_network(h->f, inner->name, a);
		pfk_set_free(l->exact, hole);
	}
}

/* Where packets from anywhere come in: whether they may come from inside. */
static void
check_outer(struct lint *l, const struct pfk_interface *ifs, size_t n,
    const struct pfk_interface *outer)
{
	struct holes h = { .outer = outer };
	pfk_set in = pfk_set_direction(l->exact, 1);
	pfk_set on = pfk_set_interface(l->exact, 0, outer->name);
	pfk_set here = pfk_set_and(l->exact, in, on);

	h.passes_in = pfk_set_and(l->exact, here,
	    pfk_verdicts_passed(l->verdicts));
	for (size_t i = 0; i < n; i++)
		if (&ifs[i] != outer &&
		    !(ifs[i].flags & PFK_IFF_LOOPBACK) &&
		    ifs[i].rdomain == outer->rdomain &&
		    !has_default_route(l, ifs[i].name))
			check_inner(l, &h, &ifs[i]);
	if (h.n > MAX_NETWORKS)
		finding_note(h.f, LINT_NO_RULE, "and from %u more",
		    h.n - MAX_NETWORKS);
	pfk_set_free(l->exact, in);
	pfk_set_free(l->exact, on);
	pfk_set_free(l->exact, here);
	pfk_set_free(l->exact, h.passes_in);
}

static void
check_spoofing(struct lint *l)
{
	size_t n;
	const struct pfk_interface *ifs = pfk_host_interfaces(l->host, &n);

	/* from one inside to another it is a note: people are known there */
	for (size_t i = 0; i < n; i++)
		if (!(ifs[i].flags & PFK_IFF_LOOPBACK) && ifs[i].naddrs > 0 &&
		    (l->o->least <= SEVERITY_NOTE ||
		    has_default_route(l, ifs[i].name)))
			check_outer(l, ifs, n, &ifs[i]);
}

void
check_host(struct lint *l)
{
	check_spoofing(l);
}

/* ---- what must pass ---- */

static int
read_words(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	static const char before[] = "pass ";
	const char *words = ctx;

	(void)path;
	*len = sizeof(before) - 1 + strlen(words) + 1;
	*text = a->fn(a->ctx, NULL, 0, *len + 1);
	if (*text == NULL)
		return ENOMEM;
	memcpy(*text, before, sizeof(before) - 1);
	memcpy(*text + sizeof(before) - 1, words, strlen(words));
	(*text)[*len - 1] = '\n';
	(*text)[*len] = '\0';
	return 0;
}

/* A packet, in the words of a rule. */
struct pfk_image *
must_pass_image(struct lint *l, const char *words)
{
	char *copy = xstrdup(strncmp(words, "pass ", 5) == 0 ? words + 5 :
	    words);			/* said anyway */
	struct pfk_files files = { read_words, copy };
	struct pfk_compile_options o = l->o->ruleset.compile;
	struct pfk_ruleset *rs = NULL;
	struct pfk_image *image = NULL;

	o.host = l->host;
	o.files = &files;
	o.path = "--must-pass";
	o.optimize = PFK_OPT_NONE;
	if (pfk_compile(&o, &rs) != PFK_OK ||
	    pfk_ruleset_image(rs, PFK_LOWER_PLAIN, &image) != PFK_OK) {
		size_t len;

		if (rs != NULL)
			fputs(pfk_ruleset_diagnostics(rs, PFK_RENDER_RICH,
			    &len), stderr);
		warning("--must-pass: not the words of a rule: %s", words);
	}
	pfk_ruleset_free(rs);
	free(copy);
	return image;
}

/* What answers rest on that the packet does not tell. */
static void
note_question(void *ctx, const char *name)
{
	finding_note(ctx, LINT_NO_RULE, "that rests on: %s", name);
}

/* Of the packets that the rule describes, some do not pass, or may not. */
static void
lost_some(struct lint *l, size_t which, pfk_set lost)
{
	pfk_set certain = pfk_set_certain(l->exact, lost);
	bool sure = certain != PFK_SET_NONE;
	struct finding *f = finding_at(l, LINT_LOCKOUT, NULL, sure ?
	    "some of these packets do not pass: %s" :
	    "some of these packets may not pass: %s", l->o->must_pass[which]);

	if (sure)
		(void)note_decision(l, f, certain);
	else {
		f->severity = SEVERITY_NOTE;
		pfk_set_questions(l->exact, lost, note_question, f);
	}
	pfk_set_free(l->exact, certain);
}

void
check_must_pass(struct lint *l, size_t which)
{
	const struct pfk_image *im = l->wanted[which];
	pfk_set all = PFK_SET_NONE, one, sum, seen, lost;

	for (uint32_t i = 0; i < pfk_image_rules(im); i++) {
		one = pfk_set_rule(l->exact, which + 1, i);
		sum = pfk_set_or(l->exact, all, one);
		pfk_set_free(l->exact, one);
		pfk_set_free(l->exact, all);
		all = sum;
	}
	seen = pfk_set_minus(l->exact, all, l->skipped);
	lost = pfk_set_minus(l->exact, seen, pfk_verdicts_passed(l->verdicts));
	if (all == PFK_SET_NONE)
		(void)finding_at(l, LINT_LOCKOUT, NULL,
		    "there are no such packets: %s", l->o->must_pass[which]);
	else if (lost != PFK_SET_NONE)
		lost_some(l, which, lost);
	pfk_set_free(l->exact, all);
	pfk_set_free(l->exact, seen);
	pfk_set_free(l->exact, lost);
}
