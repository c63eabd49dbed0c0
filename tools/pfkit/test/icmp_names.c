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
