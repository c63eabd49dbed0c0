/*
 * From options to a compiled ruleset.
 *
 * Random choices of the compiler (names of automatic tables, keys) are the
 * same in each run unless --seed says otherwise: an image made twice has the
 * same bytes, and a replay gives the same answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pfkit.h"
#include "ruleset.h"


void
ruleset_options_init(struct ruleset_options *o, const char *command, int argc)
{
	memset(o, 0, sizeof(*o));
	o->command = command;
	o->compile.optimize = PFK_OPT_FROM_FILE;
	o->defines = xcalloc((unsigned long)argc + 1, sizeof(*o->defines));
	o->compile.defines = o->defines;
	host_options_init(&o->host, argc);
}

void
ruleset_options_free(struct ruleset_options *o)
{
	host_options_free(&o->host);
	free(o->defines);
}

uint64_t
number_argument(const char *command, const char *what, const char *arg,
    uint64_t max)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end != '\0' || errno != 0 || n > max)
		usage_error(command, "%s: not a number from 0 to %" PRIu64
		    ": %s", what, max, arg);
	return n;
}

/* The place of a word in a list; ends the program if it is not there. */
static int
parse_word(const struct ruleset_options *o, const char *what, const char *arg,
    const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(arg, words[i]) == 0)
			return i;
	usage_error(o->command, "%s: not known: %s", what, arg);
}

bool
ruleset_options_take(struct ruleset_options *o, int option, const char *arg)
{
	static const char *const levels[] = { "none", "basic", "profile",
	    NULL };
	static const char *const lowerings[] = { "auto", "plain",
	    "fast", NULL };

	switch (option) {
	case 'f':
		o->compile.path = arg;
		return true;
	case 'a':
		o->compile.anchor = arg;
		return true;
	case 'D':
		if (strchr(arg, '=') == NULL)
			usage_error(o->command, "-D: not NAME=VALUE: %s", arg);
		o->defines[o->ndefines++] = arg;
		return true;
	case 'o':
		o->compile.optimize = (enum pfk_optimize)parse_word(o, "-o",
		    arg, levels);
		return true;
	case 'N':
		o->compile.numeric_hosts = true;
		return true;
	case OPT_DIAGNOSTICS:
		if (!diagnostics_parse(arg, &o->diagnostics))
			usage_error(o->command, "--diagnostics: not known: %s",
			    arg);
		return true;
	case OPT_LOWERING:
		o->lowering = (enum pfk_lowering)parse_word(o, "--lowering",
		    arg, lowerings);
		return true;
	case OPT_SEED:
		o->seed = number_argument(o->command, "--seed", arg,
		    UINT64_MAX);
		return true;
	default:
		return host_options_take(&o->host, option, arg);
	}
}

static void
show_diagnostics(struct pfk_ruleset *rs, enum diagnostics wanted)
{
	size_t len;
	const char *text = pfk_ruleset_diagnostics(rs,
	    diagnostics_form(wanted, DIAGNOSTICS_RICH), &len);

	fwrite(text, 1, len, stderr);
}

/* In pfctl's words for who asked for them. */
static void
show_unreadable(const struct ruleset_options *o, struct pfk_ruleset *rs)
{
	enum pfk_render form = diagnostics_form(o->diagnostics,
	    DIAGNOSTICS_RICH);
	FILE *f;

	if ((form != PFK_RENDER_RICH && form != PFK_RENDER_RICH_COLOR) ||
	    (f = fopen(o->compile.path, "rb")) != NULL) {
		show_diagnostics(rs, o->diagnostics);
		return;
	}
	warning("%s: %s", o->compile.path, strerror(errno));
}

static void
keep_warnings(const struct ruleset_options *o, struct pfk_ruleset *rs)
{
	size_t len;
	const char *text;

	if (o->warnings == NULL)
		return;
	text = pfk_ruleset_diagnostics(rs, PFK_RENDER_JSON, &len);
	free(*o->warnings);
	*o->warnings = xcalloc(1, len + 1);
	memcpy(*o->warnings, text, len);
}

struct pfk_ruleset *
ruleset_compile(struct ruleset_options *o, const struct pfk_host *host)
{
	struct pfk_ruleset *rs = NULL;
	int error;

	o->compile.host = host;
	o->compile.seed = o->seed;
	error = pfk_compile(&o->compile, &rs);
	if (rs != NULL && error == PFK_ERR_IO)
		show_unreadable(o, rs);
	else if (rs != NULL && !(o->no_warnings && error == PFK_OK))
		show_diagnostics(rs, o->diagnostics);
	else if (rs == NULL)
		warning("%s: %s", o->compile.path, pfk_strerror(error));
	if (error == PFK_OK) {
		keep_warnings(o, rs);
		return rs;
	}
	pfk_ruleset_free(rs);
	return NULL;
}

bool
is_image_file(const char *path)
{
	char start[sizeof(PFK_IMAGE_MAGIC) - 1];
	ssize_t n;
	int fd;

	if (strcmp(path, "-") == 0 || (fd = open(path, O_RDONLY)) == -1)
		return false;
	n = read(fd, start, sizeof(start));
	close(fd);
	return n == (ssize_t)sizeof(start) &&
	    memcmp(start, PFK_IMAGE_MAGIC, sizeof(start)) == 0;
}

static struct pfk_image *
open_image(const char *path)
{
	char error[PFK_IMAGE_ERRLEN];
	struct pfk_image *image = NULL;

	if (pfk_image_open(path, NULL, &image, error) == PFK_OK)
		return image;
	warning("%s: %s", path, error);
	return NULL;
}

struct pfk_image *
ruleset_image(struct ruleset_options *o, const struct pfk_host *host)
{
	struct pfk_image *image = NULL;
	struct pfk_ruleset *rs;
	int error;

	if (is_image_file(o->compile.path))
		return open_image(o->compile.path);
	o->compile.loaded = true;
	rs = ruleset_compile(o, host);
	if (rs == NULL)
		return NULL;
	error = pfk_ruleset_image(rs, o->lowering, &image);
	pfk_ruleset_free(rs);
	if (error == PFK_OK)
		return image;
	warning("%s: %s", o->compile.path, pfk_strerror(error));
	return NULL;
}
