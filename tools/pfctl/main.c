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
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "../common/report.h"

const char program_name[] = "pfctl";

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
	    diagnostics_form(form, DIAGNOSTICS_PLAIN), &errlen);

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
	struct pfk_host *host = host_options_load(&o->host);
	int error;

	o->compile.host = host;
	o->compile.text_only = true;
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
