/*
 * Why no packet can fit a rule: the usual reasons.
 *
 * What is found here explains; that no packet fits is known exactly before.
 */
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

/* The word after `what' in the rule's text; false: it is not there. */
bool
rule_word(const struct pfk_rule_info *info, const char *what, char *word,
    size_t size)
{
	const char *p = strstr(info->text, what);
	size_t len;

	if (p == NULL)
		return false;
	p += strlen(what);
	len = strcspn(p, " :)/,");
	if (len == 0 || len >= size)
		return false;
	memcpy(word, p, len);
	word[len] = '\0';
	return true;
}

bool
interface_known(struct lint *l, const char *name)
{
	return l->o->ruleset.host.nfiles == 0 || strcmp(name, "any") == 0 ||
	    strcmp(name, "rdomain") == 0 ||
	    pfk_host_interface(l->host, name) != NULL ||
	    pfk_host_is_group(l->host, name);
}

/* "from (em9)": an interface that is not there, or has no such address. */
static bool
note_dynamic(struct lint *l, struct finding *f,
    const struct pfk_rule_info *info)
{
	static const char *const ends[] = { " from (", " to (" };
	char name[64];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (!rule_word(info, ends[i], name, sizeof(name)))
			continue;
		if (!interface_known(l, name))
			finding_note(f, LINT_NO_RULE, "there is no interface "
			    "or group %s that could have an address", name);
		else
			finding_note(f, LINT_NO_RULE, "%s has no address that "
			    "would fit now", name);
		return true;
	}
	return false;
}

void
note_impossible(struct lint *l, struct finding *f, uint32_t rule)
{
	struct pfk_rule_info info;
	struct pfk_element e;

	pfk_image_rule(l->image, rule, &info);
	if (rule_part(l, rule, PFK_PART_ICMP, &e)) {
		finding_note(f, LINT_NO_RULE, "a rule that keeps state never "
		    "matches an answer to a query: the query's state lets it "
		    "pass");
		f->severity = SEVERITY_NOTE;
	} else if (strstr(info.text, " no-route") != NULL) {
		finding_note(f, LINT_NO_RULE, "the firewall has a route to "
		    "every address");
		f->severity = SEVERITY_NOTE;
	} else if (!note_dynamic(l, f, &info) &&
	    rule_part(l, rule, PFK_PART_FLAGS, &e)) {
		finding_note(f, LINT_NO_RULE, "pf drops TCP packets with such "
		    "flags before any rule sees them");
		f->severity = SEVERITY_NOTE;
	}
}
