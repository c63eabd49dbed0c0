/*
 * pfkit check: is the ruleset right?
 */
#include <stdio.h>
#include <string.h>

#include "pfkit.h"
#include "ruleset.h"

static const char help[] =
    "usage: pfkit check [option ...] [-f] FILE\n"
    "\n"
    "Reads a pf.conf (\"-\": standard input) and says what is wrong with it,\n"
    "and what is legal but surely not meant.  Exit status 1 if it is wrong.\n"
    "\n"
    RULESET_OPTIONS_HELP
    "  -v               show the rules as pfctl does; -vv with numbers\n"
    "\n"
    HOST_OPTIONS_HELP;

static const struct option long_options[] = {
	RULESET_LONG_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

/* Leaves with -1 if there is something to do, else with the exit status. */
static int
parse(struct ruleset_options *o, int argc, char **argv)
{
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":v" RULESET_SHORT_OPTIONS,
	    long_options, NULL)) != -1) {
		if (c == OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == 'v')
			o->compile.verbose++;
		else if (!ruleset_options_take(o, c, optarg))
			option_error("check", c, argc, argv);
	}
	if (o->compile.path == NULL && optind < argc)
		o->compile.path = argv[optind++];
	if (o->compile.path == NULL)
		usage_error("check", "which file?");
	if (optind < argc)
		usage_error("check", "one file at a time: %s", argv[optind]);
	return -1;
}

static int
check(struct ruleset_options *o)
{
	struct pfk_host *host = host_options_load(&o->host);
	struct pfk_ruleset *rs = ruleset_compile(o, host);
	int status = rs == NULL;
	const char *text;
	size_t len;

	if (rs != NULL && o->compile.verbose > 0) {
		text = pfk_ruleset_text(rs, &len);
		if (fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0)
			fatal("standard output: cannot be written");
	}
	pfk_ruleset_free(rs);
	pfk_host_free(host);
	return status;
}

int
command_check(int argc, char **argv)
{
	struct ruleset_options o;
	int status;

	ruleset_options_init(&o, "check", argc);
	status = parse(&o, argc, argv);
	if (status == -1)
		status = check(&o);
	ruleset_options_free(&o);
	return status;
}
