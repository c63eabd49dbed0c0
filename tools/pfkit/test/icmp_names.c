/*
 * Types of ICMP by the names that pf.conf has for them.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "icmp_names.h"

struct type { const char *name; int number; };

static const struct type v4[] = {
	{ "echorep", 0 },	{ "unreach", 3 },	{ "squench", 4 },
	{ "redir", 5 },		{ "althost", 6 },	{ "echoreq", 8 },
	{ "routeradv", 9 },	{ "routersol", 10 },	{ "timex", 11 },
	{ "paramprob", 12 },	{ "timereq", 13 },	{ "timerep", 14 },
	{ "inforeq", 15 },	{ "inforep", 16 },	{ "maskreq", 17 },
	{ "maskrep", 18 },	{ NULL, 0 }
};
static const struct type v6[] = {
	{ "unreach", 1 },	{ "toobig", 2 },	{ "timex", 3 },
	{ "paramprob", 4 },	{ "echoreq", 128 },	{ "echorep", 129 },
	{ "routersol", 133 },	{ "routeradv", 134 },	{ "neighbrsol", 135 },
	{ "neighbradv", 136 },	{ "redir", 137 },	{ NULL, 0 }
};

enum icmp_kind
icmp_kind(uint8_t af, uint8_t type)
{
	static const uint8_t errors4[] = { 3, 4, 5, 11, 12 };
	static const uint8_t answers4[] = { 0, 9, 14, 16, 18, 34, 36 };
	static const uint8_t answers6[] = { 129, 140, 200 };

	if (af == 6) {
		if (type >= 1 && type <= 4)
			return ICMP_ERROR;
		if (memchr(answers6, type, sizeof(answers6)) != NULL)
			return ICMP_ANSWER;
		return (type >= 128 && type <= 140) || type == 201 ?
		    ICMP_KNOWN : ICMP_OTHER;
	}
	if (memchr(errors4, type, sizeof(errors4)) != NULL)
		return ICMP_ERROR;
	if (memchr(answers4, type, sizeof(answers4)) != NULL)
		return ICMP_ANSWER;
	return type <= 18 || (type >= 33 && type <= 36) ? ICMP_KNOWN :
	    ICMP_OTHER;
}

int
icmp_type_of(uint8_t af, const char *word)
{
	if (isdigit((unsigned char)*word))
		return atoi(word);
	for (const struct type *t = af == 6 ? v6 : v4; t->name != NULL; t++)
		if (strcmp(word, t->name) == 0)
			return t->number;
	return -1;
}
