/*
 * Choosing how diagnostics look.  NO_COLOR is respected.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diagnostics.h"

static const char *const words[] = { "auto", "plain", "rich", "json" };

bool
diagnostics_parse(const char *word, enum diagnostics *form)
{
	for (int i = 0; i < (int)(sizeof(words) / sizeof(words[0])); i++)
		if (strcmp(word, words[i]) == 0) {
			*form = (enum diagnostics)i;
			return true;
		}
	return false;
}

enum pfk_render
diagnostics_form(enum diagnostics wanted, enum diagnostics otherwise)
{
	const char *no_color = getenv("NO_COLOR");
	bool terminal = isatty(STDERR_FILENO);

	if (wanted == DIAGNOSTICS_AUTO)
		wanted = terminal ? DIAGNOSTICS_RICH : otherwise;
	if (wanted == DIAGNOSTICS_PLAIN)
		return PFK_RENDER_PLAIN;
	if (wanted == DIAGNOSTICS_JSON)
		return PFK_RENDER_JSON;
	return terminal && (no_color == NULL || *no_color == '\0') ?
	    PFK_RENDER_RICH_COLOR : PFK_RENDER_RICH;
}
