/*
 * Any text as a ruleset, compiled, printed and complained about in every
 * form; a good one also as an image.  Files that it includes or loads do not
 * exist; nothing of the machine is asked.  The first byte chooses how it is
 * compiled.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/image.h>

#include "tests/fuzz/host.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct text {
	const uint8_t	*p;
	size_t		 len;
};

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	const struct text *t = ctx;

	if (strcmp(path, "pf.conf") != 0)
		return ENOENT;
	*text = a->fn(a->ctx, NULL, 0, t->len + 1);
	if (*text == NULL)
		return ENOMEM;
	memcpy(*text, t->p, t->len);
	(*text)[t->len] = '\0';
	*len = t->len;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text t = { data, size };
	struct pfk_files files = { read_text, &t };
	struct pfk_compile_options o = {
		.host = a_host(), .files = &files, .path = "pf.conf",
		.verbose = 2, .max_memory = 256 << 20
	};
	struct pfk_ruleset *rs = NULL;
	struct pfk_image *im = NULL;
	size_t len;

	if (size > 0) {
		o.optimize = data[0] & 1 ? PFK_OPT_BASIC : PFK_OPT_NONE;
		o.port_names = (data[0] & 2) != 0;
		o.anchor = data[0] == '#' ? "a/b" : NULL;
	}
	(void)pfk_compile(&o, &rs);
	if (rs == NULL)
		return 0;
	(void)pfk_ruleset_text(rs, &len);
	(void)pfk_ruleset_diagnostics(rs, PFK_RENDER_PLAIN, &len);
	(void)pfk_ruleset_diagnostics(rs, PFK_RENDER_RICH, &len);
	(void)pfk_ruleset_diagnostics(rs, PFK_RENDER_JSON, &len);
	if (pfk_ruleset_image(rs, size % 2 ? PFK_LOWER_FAST : PFK_LOWER_PLAIN,
	    &im) == PFK_OK)
		pfk_image_free_text(im, pfk_image_disassemble(im, &len));
	pfk_image_free(im);
	pfk_ruleset_free(rs);
	return 0;
}
