/*
 * Data of coverage from hostile hands: it is refused, or taken; nothing else.
 *
 * The input is the text; "end" is put behind it, and an image that the lines
 * may speak of.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/host.h>

#include "tools/pfkit/cover/data_int.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

const char program_name[] = "fuzz_cover";

static const char ruleset[] =
	"web = \"{ 80 443 }\"\n"
	"table <t> { 10.0.0.0/8 !10.0.0.1 }\nblock from <t>\n"
	"pass in proto tcp from { 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 "
	"10.0.0.5 10.0.0.6 } to port $web\n"
	"anchor \"a\" {\npass\n}\n";

static struct pfk_image *image;

static int
read_text(void *ctx, const char *path, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	(void)ctx;
	(void)path;
	*len = sizeof(ruleset) - 1;
	*text = a->fn(a->ctx, NULL, 0, sizeof(ruleset));
	if (*text == NULL)
		return 12;
	memcpy(*text, ruleset, sizeof(ruleset));
	return 0;
}

static void
set_up(void)
{
	const struct pfk_files files = { read_text, NULL };
	struct pfk_host *host = pfk_host_new(NULL);
	struct pfk_compile_options o = { .files = &files, .path = "pf.conf",
	    .host = host, .optimize = PFK_OPT_BASIC };
	struct pfk_ruleset *rs;

	if (pfk_compile(&o, &rs) != PFK_OK ||
	    pfk_ruleset_image(rs, PFK_LOWER_AUTO, &image) != PFK_OK)
		abort();
	pfk_ruleset_free(rs);
	pfk_host_free(host);
	if (getenv("FUZZ_QUIET") != NULL &&	/* refusals */
	    freopen("/dev/null", "w", stderr) == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cover *c;
	const void *bytes;
	char head[64], *text;
	size_t len, n;

	if (image == NULL)
		set_up();
	bytes = pfk_image_bytes(image, &len);
	n = (size_t)snprintf(head, sizeof(head), "pfkit-cover 1\nimage %zu\n",
	    len);
	text = malloc(n + size + 5 + len + 1);
	if (text == NULL)
		return 0;
	memcpy(text, head, n);
	memcpy(text + n, data, size);
	n += size;
	if (text[n - 1] != '\n')
		text[n++] = '\n';
	memcpy(text + n, "end\n", 4);
	memcpy(text + n + 4, bytes, len);
	n += 4 + len;
	text[n] = '\0';
	c = cover_new("", "");
	(void)cover_parse(c, "data", text, n);
	cover_free(c);
	free(text);
	return 0;
}
