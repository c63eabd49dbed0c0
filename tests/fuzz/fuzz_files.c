/*
 * Any text as a file that a ruleset names: what a table is filled from, what
 * is included, what is loaded into an anchor, fingerprints.  The first byte
 * chooses which; an included text may include itself.  A ruleset that comes out
 * of it has an image, and an engine runs that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/engine.h>

#include "tests/fuzz/host.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *const rulesets[] = {
	"table <t> persist file \"it\"\nblock in from <t> to ! <t>\n",
	"table <t> const counters { 10.0.0.1 } file \"it\" file \"it\"\n"
	"pass in to <t> rdr-to <t> round-robin\n",
	"include \"it\"\npass\n",
	"anchor \"a\" {\ninclude \"it\"\n}\n",
	"anchor \"a/*\"\nanchor b\nload anchor \"a/c\" from \"it\"\n"
	"load anchor b from \"it\"\n",
	"set fingerprints \"it\"\npass in proto tcp os \"OpenBSD\"\n"
	"block in proto tcp os unknown\n"
};
#define NRULESETS	(sizeof(rulesets) / sizeof(rulesets[0]))

struct texts {
	const char	*rules;
	const uint8_t	*it;
	size_t		 len;
};

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	const struct texts *t = ctx;
	bool it = strcmp(path, "it") == 0;

	if (!it && strcmp(path, "pf.conf") != 0)
		return ENOENT;
	*len = it ? t->len : strlen(t->rules);
	*text = a->fn(a->ctx, NULL, 0, *len + 1);
	if (*text == NULL)
		return ENOMEM;
	if (*len != 0)
		memcpy(*text, it ? (const char *)t->it : t->rules, *len);
	(*text)[*len] = '\0';
	return 0;
}

/* A SYN with options, as fingerprints ask for. */
static void
run(const struct pfk_image *im)
{
	static const uint8_t syn[] = { 0x45, 0, 0, 44, 0, 1, 0x40, 0, 64, 6,
	    0x26, 0xc8, 10, 0, 0, 1, 10, 0, 0, 2, 4, 1, 0, 80, 0, 0, 0, 1,
	    0, 0, 0, 0, 0x60, 2, 0x40, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4 };
	struct pfk_engine_options o = { .image = im, .seed = 1, .debug = -1 };
	struct pfk_packet p = { .time = UINT64_C(1700000000000000000),
	    .data = syn, .caplen = sizeof(syn), .wirelen = sizeof(syn),
	    .linktype = 101, .dir = PFK_IN };
	struct pfk_engine *e;

	if (pfk_engine_new(&o, &e) != PFK_OK)
		return;
	p.ifid = (uint16_t)pfk_engine_interface(e, "em0");
	pfk_engine_run(e, &p, 1);
	pfk_engine_free(e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct texts t = { rulesets[size > 0 ? (uint8_t)(data[0] - '0') % NRULESETS :
	    0],
	    data + (size > 0), size > 0 ? size - 1 : 0 };
	struct pfk_files files = { read_text, &t };
	struct pfk_compile_options o = { .host = a_host(), .files = &files,
	    .path = "pf.conf", .verbose = 2, .max_memory = 256 << 20 };
	struct pfk_ruleset *rs = NULL;
	struct pfk_image *im;
	size_t len;

	(void)pfk_compile(&o, &rs);
	if (rs == NULL)
		return 0;
	(void)pfk_ruleset_text(rs, &len);
	(void)pfk_ruleset_diagnostics(rs, PFK_RENDER_RICH, &len);
	if (pfk_ruleset_image(rs, PFK_LOWER_FAST, &im) == PFK_OK) {
		run(im);
		pfk_image_free(im);
	}
	pfk_ruleset_free(rs);
	return 0;
}
