/*
 * --state-out, --state-in: what the filter remembers, in a file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "replay.h"

void
save_state(struct output *o)
{
	const struct pfk_engine *e = o->replay->engine;
	void *data;
	size_t len;

	if (pfk_engine_save(e, &data, &len) != PFK_OK) {
		warning("--state-out: %s", strerror(ENOMEM));
		o->replay->failed = true;
		return;
	}
	out_bytes(o->out, data, len);
	pfk_engine_free_data(e, data, len);
}

/* All of a file; ends the program if it cannot be read. */
static char *
read_all(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	size_t size = 1 << 16, n;
	char *data = xrealloc(NULL, size);

	if (f == NULL)
		fatal("%s: %s", path, strerror(errno));
	*len = 0;
	while ((n = fread(data + *len, 1, size - *len, f)) > 0) {
		*len += n;
		if (*len == size)
			data = xrealloc(data, size *= 2);
	}
	if (ferror(f))
		fatal("%s: %s", path, strerror(errno));
	fclose(f);
	return data;
}

void
restore_state(struct replay *r, const char *path)
{
	char error[PFK_IMAGE_ERRLEN];
	size_t len;
	char *data = read_all(path, &len);
	int result = pfk_engine_restore(r->engine, data, len, error);

	if (result == PFK_ERR_IMAGE)
		fatal("%s: %s", path, error);
	if (result != PFK_OK)
		fatal("%s: %s", path, pfk_strerror(result));
	free(data);
}
