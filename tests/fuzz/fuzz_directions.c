/*
 * Any text as a file of directions ("in em0" for each packet of a capture).
 * The text goes through a file.  What is read is an interface and a direction,
 * or is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/usage.h"
#include "tools/pfkit/replay/where.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

const char program_name[] = "fuzz_directions";

#define PACKETS	40

static char path[] = "/tmp/fuzz-directions.XXXXXX";
static struct pfk_host *host;
static struct pfk_image *image;

static int
read_rules(void *ctx, const char *name, const struct pfk_allocator *a,
    char **text, size_t *len)
{
	(void)ctx;
	(void)name;
	*len = 5;
	*text = a->fn(a->ctx, NULL, 0, 6);
	if (*text != NULL)
		memcpy(*text, "pass\n", 6);
	return *text == NULL;
}

static void
remove_file(void)
{
	unlink(path);
}

static void
set_up(void)
{
	struct pfk_files files = { read_rules, NULL };
	struct pfk_compile_options o = { .files = &files, .path = "pf.conf" };
	struct pfk_ruleset *rs;

	o.host = host = pfk_host_new(NULL);
	if (mkstemp(path) == -1 || pfk_compile(&o, &rs) != PFK_OK ||
	    pfk_ruleset_image(rs, PFK_LOWER_AUTO, &image) != PFK_OK)
		abort();
	pfk_ruleset_free(rs);
	atexit(remove_file);
	if (getenv("FUZZ_QUIET") != NULL &&	/* refusals */
	    freopen("/dev/null", "w", stderr) == NULL)
		abort();
}

static void
write_text(const uint8_t *data, size_t size)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replay_options o = { .directions = path };
	struct pfk_engine_options eo = { .seed = 1, .debug = -1 };
	static const uint8_t ip[20] = { 0x45 };
	struct record r = { .data = ip, .caplen = 20, .wirelen = 20 };
	struct input in = { .name = "it" };
	struct pfk_engine *e;
	struct where *w;

	if (host == NULL)
		set_up();
	write_text(data, size);
	eo.image = image;
	if (pfk_engine_new(&eo, &e) != PFK_OK)
		abort();
	w = where_new(&o, e, host);
	for (uint64_t i = 1; i <= PACKETS; i++) {
		struct pfk_packet p = { .data = ip, .caplen = 20,
		    .wirelen = 20, .linktype = 101, .number = i };

		if (!where_find(w, &in, &r, &p))
			break;
		if (p.dir < PFK_IN || p.dir > PFK_FWD ||
		    pfk_engine_ifname(e, p.ifid) == NULL)
			abort();
		pfk_engine_run(e, &p, 1);
	}
	where_free(w);
	pfk_engine_free(e);
	return 0;
}
