/*
 * See shared.h.
 */
#include <inttypes.h>

#include <pfkit/image.h>

#include "shared.h"

size_t
shared_show(FILE *f, const char *prefix, const struct pfk_image *image)
{
	struct pfk_rule_info info;
	size_t next = 0, n;
	const char *what;
	uint32_t rule;

	for (n = 0; (what = pfk_image_shared(image, &next, &rule)) != NULL;
	    n++) {
		fputs(prefix, f);
		if (rule == PFK_RULE_NONE) {
			fprintf(f, "one engine (replay -j): %s\n", what);
			continue;
		}
		pfk_image_rule(image, rule, &info);
		fprintf(f, "%s:%" PRIu32 ": one engine (replay -j): %s: %s\n",
		    info.file, info.line, what, info.text);
	}
	return n;
}
