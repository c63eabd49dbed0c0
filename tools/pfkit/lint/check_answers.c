/*
 * Answers that do not match the states that wait for them: with `if-bound' a
 * state serves its own interface alone, and answers go where the routes lead.
 *
 * Of what comes in on an interface some always answers elsewhere (a forged
 * source, in an inner network).  So all of it must, unless the ruleset says
 * that the interface is another way to the world: it sends packets to a gateway
 * there (route-to, reply-to), or translates to its address what leaves by it.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

static bool
in_network(const struct pfk_ifaddr *a, uint8_t af, const uint8_t *addr)
{
	unsigned bytes = a->prefixlen / 8, left = a->prefixlen % 8;

	return a->af == af && memcmp(a->addr, addr, bytes) == 0 &&
	    (left == 0 || (a->addr[bytes] ^ addr[bytes]) >> (8 - left) == 0);
}

/* Whether the rule sends packets to a host in one of the networks. */
static bool
leads_to(const struct pfk_rule_info *info, const char *option,
    const struct pfk_interface *i)
{
	char word[64];
	uint8_t addr[16];
	const char *p = strstr(info->text, option);
	size_t len;

	if (p == NULL)
		return false;
	p += strlen(option);
	len = strcspn(p, " ");
	if (len >= sizeof(word))
		return false;
	memcpy(word, p, len);
	word[len] = '\0';
	for (size_t k = 0; k < i->naddrs; k++)
		if (inet_pton(i->addrs[k].af == 4 ? AF_INET : AF_INET6, word,
		    addr) == 1 && in_network(&i->addrs[k], i->addrs[k].af,
		    addr))
			return true;
	return false;
}

static bool
leaves_translated(const struct pfk_rule_info *info,
    const struct pfk_interface *i)
{
	char name[64];

	return strstr(info->text, " nat-to ") != NULL &&
	    strstr(info->text, " out ") != NULL &&
	    rule_word(info, " on ", name, sizeof(name)) &&
	    strcmp(name, i->name) == 0;
}

/* Another way to the world than the default route. */
static bool
is_uplink(struct lint *l, const struct pfk_interface *i)
{
	struct pfk_rule_info info;

	for (size_t r = 0; r < pfk_image_rules(l->image); r++) {
		pfk_image_rule(l->image, r, &info);
		if (leads_to(&info, " route-to ", i) ||
		    leads_to(&info, " reply-to ", i) ||
		    leaves_translated(&info, i))
			return true;
	}
	return false;
}

/* Packets of a region that come in on an interface. */
struct here {
	const struct pfk_interface *on;
	pfk_set		 all, lost;	/* answers leave elsewhere */
};

static void
find_here(struct lint *l, const struct pfk_region *r, struct here *h)
{
	pfk_set in = pfk_set_direction(l->exact, 1);
	pfk_set on = pfk_set_interface(l->exact, 0, h->on->name);
	pfk_set back = pfk_set_routed(l->exact, 0, 0, h->on->name);
	pfk_set both = pfk_set_and(l->exact, in, on);

	h->all = pfk_set_and(l->exact, both, r->set);
	h->lost = pfk_set_minus(l->exact, h->all, back);
	pfk_set_free(l->exact, in);
	pfk_set_free(l->exact, on);
	pfk_set_free(l->exact, back);
	pfk_set_free(l->exact, both);
}

static void
here_free(struct lint *l, struct here *h)
{
	pfk_set_free(l->exact, h->all);
	pfk_set_free(l->exact, h->lost);
}

static void
tell(struct lint *l, const struct pfk_region *r, const struct here *h,
    const char *fmt)
{
	struct finding *f = finding_named(l, LINT_ASYMMETRIC, r->outcome.rule,
	    fmt, h->on->name);

	(void)note_decision(l, f, h->lost);
}

/*
 * Whether the rule is about that interface: of a rule for all of them it is
 * not wrong that packets come in by one alone.  IPsec has ways of its own.
 */
static bool
is_about(struct lint *l, uint32_t rule, const struct pfk_interface *i)
{
	struct pfk_rule_info info;
	char name[64];

	pfk_image_rule(l->image, rule, &info);
	return rule_word(&info, " on ", name, sizeof(name)) &&
	    !pfk_host_in_group(i, "enc") && (strcmp(name, i->name) == 0 ||
	    pfk_host_in_group(i, name));
}

/*
 * Where none of its packets is answered on its interface, one finding; and one
 * for each other way to the world.
 */
static void
check_region(struct lint *l, const struct pfk_region *r,
    const struct pfk_interface *ifs, size_t n, const bool *uplink)
{
	bool answered = false;
	size_t lost = n;

	for (size_t k = 0; k < n; k++) {
		struct here h = { .on = &ifs[k] };

		find_here(l, r, &h);
		answered |= h.lost != h.all;
		if (h.lost == PFK_SET_NONE ||
		    !is_about(l, r->outcome.rule, &ifs[k])) {
			here_free(l, &h);
			continue;
		}
		lost = lost == n ? k : lost;
		if (h.lost != h.all && uplink[k])
			tell(l, r, &h, "states are bound to %s, and answers "
			    "to networks that are not behind it leave "
			    "elsewhere");
		here_free(l, &h);
	}
	if (!answered && lost < n) {
		struct here h = { .on = &ifs[lost] };

		find_here(l, r, &h);
		tell(l, r, &h, "states are bound to %s, and no answer leaves "
		    "there");
		here_free(l, &h);
	}
}

static bool
is_bound(const struct pfk_region *r)
{
	return strstr(r->outcome.effects, " if-bound") != NULL &&
	    strstr(r->outcome.effects, " reply-to ") == NULL &&
	    strstr(r->outcome.effects, " af-to ") == NULL;
}

/* Whether any state is: regions are a lot of work. */
static bool
some_are_bound(struct lint *l)
{
	struct pfk_rule_info info;

	for (size_t i = 0; i < pfk_image_rules(l->image); i++) {
		pfk_image_rule(l->image, i, &info);
		if (strstr(info.text, "if-bound") != NULL)
			return true;
	}
	return false;
}

void
check_states(struct lint *l)
{
	size_t n, nifs, nroutes;
	const struct pfk_region *r;
	const struct pfk_interface *ifs = pfk_host_interfaces(l->host, &nifs);
	bool *uplink;

	/* what is only assumed of routes says nothing about answers */
	(void)pfk_host_routes(l->host, &nroutes);
	if (nroutes == 0 || !some_are_bound(l))
		return;
	r = pfk_verdicts_regions(l->verdicts, &n);
	uplink = xcalloc(nifs + 1, sizeof(*uplink));
	for (size_t k = 0; k < nifs; k++)
		uplink[k] = is_uplink(l, &ifs[k]);
	for (size_t i = 0; i < n; i++)
		if (is_bound(&r[i]))
			check_region(l, &r[i], ifs, nifs, uplink);
	free(uplink);
}
