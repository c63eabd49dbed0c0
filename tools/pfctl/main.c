/*
 * pfctl without a packet filter: reads a pf.conf and says what it means, with
 * the text, the options and the exit status of OpenBSD's pfctl(8).
 *
 * Standard output gets what pfctl prints there, standard error the messages.
 * pfctl's output is buffered and its messages are not, so where both go to
 * the same pipe or file the messages come first; that order is kept.  On a
 * terminal the messages come last, where they are seen.
 *
 * With --diagnostics=json standard error is one JSON object, also when there
 * is nothing to say.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

static void
load_files(struct pfk_host *host, const struct options *o, bool folders)
{
	char error[PFK_HOST_ERRLEN];
	const struct host_file *f = o->host_files;

	for (size_t n = o->nhost_files; n > 0; n--, f++)
		if ((f->load == pfk_host_load_dir) == folders &&
		    f->load(host, f->path, error) != 0)
			fatal("%s", error);
}

/* This machine, unless a folder or files are named; files override folders. */
static struct pfk_host *
load_host(const struct options *o)
{
	char error[PFK_HOST_ERRLEN];
	struct pfk_host *host = pfk_host_new(NULL);

	if (host == NULL)
		fatal("%s", strerror(ENOMEM));
	if (o->nhost_files == 0 && pfk_host_load_system(host, error) != 0)
		fatal("%s", error);
	load_files(host, o, true);
	load_files(host, o, false);
	pfk_host_allow_dns(host, o->dns);
	return host;
}

static enum pfk_render
choose_rendering(enum diagnostics wanted)
{
	const char *no_color = getenv("NO_COLOR");
	bool terminal = isatty(STDERR_FILENO);

	switch (wanted) {
	case DIAGNOSTICS_PLAIN:
		return PFK_RENDER_PLAIN;
	case DIAGNOSTICS_JSON:
		return PFK_RENDER_JSON;
	case DIAGNOSTICS_AUTO:
		if (!terminal)
			return PFK_RENDER_PLAIN;
		break;
	case DIAGNOSTICS_RICH:
		break;
	}
	return terminal && (no_color == NULL || *no_color == '\0') ?
	    PFK_RENDER_RICH_COLOR : PFK_RENDER_RICH;
}

static void
write_all(FILE *f, const char *text, size_t len)
{
	if (fwrite(text, 1, len, f) != len || fflush(f) != 0)
		fatal("%s", strerror(errno));
}

static void
show(struct pfk_ruleset *rs, enum diagnostics form)
{
	size_t len, errlen;
	const char *text = pfk_ruleset_text(rs, &len);
	const char *messages = pfk_ruleset_diagnostics(rs,
	    choose_rendering(form), &errlen);

	if (isatty(STDOUT_FILENO)) {
		write_all(stdout, text, len);
		write_all(stderr, messages, errlen);
	} else {
		write_all(stderr, messages, errlen);
		write_all(stdout, text, len);
	}
}

static int
compile(struct options *o)
{
	struct pfk_ruleset *rs = NULL;
	struct pfk_host *host = load_host(o);
	int error;

	o->compile.host = host;
	error = pfk_compile(&o->compile, &rs);
	if (rs != NULL)
		show(rs, o->diagnostics);
	else
		warning("%s", pfk_strerror(error));
	pfk_ruleset_free(rs);
	pfk_host_free(host);
	return error == PFK_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct options o;
	int status = 0;

	options_parse(&o, argc, argv);
	if (o.needs_filter || !o.no_action)
		fatal("no running filter is connected%s",
		    o.no_action ? "" : " (-n reads rules without one)");
	if (o.compile.path != NULL)
		status = compile(&o);
	options_free(&o);
	return status;
}
