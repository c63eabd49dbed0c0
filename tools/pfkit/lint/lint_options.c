/*
 * The command line of `pfkit lint`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "lint.h"

enum { OPT_JSON = OPT_COMMAND, OPT_SARIF, OPT_SEVERITY, OPT_MUST_PASS,
    OPT_EXPLAIN, OPT_SILENCED, OPT_LIST, OPT_LIMIT, OPT_MEMORY };

static const struct option long_options[] = {
	RULESET_LONG_OPTIONS,
	{ "json",	no_argument,	   NULL, OPT_JSON },
	{ "sarif",	no_argument,	   NULL, OPT_SARIF },
	{ "severity",	required_argument, NULL, OPT_SEVERITY },
	{ "must-pass",	required_argument, NULL, OPT_MUST_PASS },
	{ "explain",	required_argument, NULL, OPT_EXPLAIN },
	{ "silenced",	no_argument,	   NULL, OPT_SILENCED },
	{ "list",	no_argument,	   NULL, OPT_LIST },
	{ "limit",	required_argument, NULL, OPT_LIMIT },
	{ "memory",	required_argument, NULL, OPT_MEMORY },
	{ NULL, 0, NULL, 0 }
};

static const char help[] =
    "usage: pfkit lint [option ...] [-f] FILE\n"
    "       pfkit lint --explain CODE\n"
    "\n"
    "Finds what is legal and surely wrong in a ruleset: rules that can never\n"
    "decide, lists that match everything, tables that nothing fills, holes\n"
    "for forged addresses.  What it says about packets is exact.\n"
    "\n"
    "  -f FILE          the rules: a pf.conf, or an image\n"
    "  --must-pass 'in on em0 proto tcp from 198.51.100.0/24 to self port 22'\n"
    "                   an error if some of these packets do not pass; may be\n"
    "                   given several times\n"
    "  --severity WHAT  show note, warning (the default) or error and above\n"
    "  --silenced       show findings that a comment allows, too\n"
    "  --explain CODE   what a finding means, and what to do\n"
    "  --list           all codes\n"
    "  --limit SECONDS  of the processor, for packets (60; 0: any)\n"
    "  --memory MB      at most, for sets of packets (1024)\n"
    "  --json           for programs: an object a finding, or check left out\n"
    "  --sarif          for programs that collect findings: SARIF 2.1.0\n"
    "\n"
    "A comment allows findings on its line: # lint: allow L104 -- why\n"
    "\n"
    RULESET_OPTIONS_HELP
    "\n"
    HOST_OPTIONS_HELP
    "\n"
    "Exit status: 0 nothing found, 1 something shown, 2 the command line or\n"
    "what it names is wrong, or --must-pass could not be looked at; 3 nothing\n"
    "shown, but a check was too much and is left out.\n";

static enum severity
parse_severity(const char *arg)
{
	for (enum severity s = SEVERITY_NOTE; s <= SEVERITY_ERROR; s++)
		if (strcmp(arg, lint_severity_name(s)) == 0)
			return s;
	usage_error(LINT_COMMAND, "--severity: note, warning or error, not %s",
	    arg);
}

static int
explain(const char *arg)
{
	const struct lint_code *c = lint_code_find(arg, strlen(arg));

	if (c == NULL)
		usage_error(LINT_COMMAND, "--explain: no such code: %s", arg);
	printf("%s %s (%s): %s\n\n%s\n", c->code, c->name,
	    lint_severity_name(c->severity), c->summary, c->explanation);
	return LINT_CLEAN;
}

static int
list(void)
{
	for (size_t i = 0; i < NLINTS; i++)
		printf("%s  %-8s %-24s %s\n", lint_codes[i].code,
		    lint_severity_name(lint_codes[i].severity), lint_codes[i].name,
		    lint_codes[i].summary);
	return LINT_CLEAN;
}

/* -1: go on. */
static int
take(struct lint_options *o, int c, const char *arg, int argc, char **argv)
{
	switch (c) {
	case OPT_HELP:
		fputs(help, stdout);
		return LINT_CLEAN;
	case OPT_EXPLAIN:
		return explain(arg);
	case OPT_LIST:
		return list();
	case OPT_JSON:
		o->form = LINT_JSON;
		break;
	case OPT_SARIF:
		o->form = LINT_SARIF;
		break;
	case OPT_SILENCED:
		o->show_silenced = true;
		break;
	case OPT_SEVERITY:
		o->least = parse_severity(arg);
		break;
	case OPT_LIMIT:
		o->seconds = (unsigned)number_argument(LINT_COMMAND,
		    "--limit", arg, 1000000);
		break;
	case OPT_MEMORY:
		o->memory = (size_t)number_argument(LINT_COMMAND, "--memory",
		    arg, 1 << 20) << 20;
		break;
	case OPT_MUST_PASS:
		o->must_pass[o->nmust_pass++] = arg;
		break;
	default:
		if (!ruleset_options_take(&o->ruleset, c, arg))
			option_error(LINT_COMMAND, c, argc, argv);
	}
	return -1;
}

static void
take_file(struct lint_options *o, int argc, char **argv)
{
	if (o->ruleset.compile.path == NULL && optind < argc)
		o->ruleset.compile.path = argv[optind++];
	if (o->ruleset.compile.path == NULL)
		usage_error(LINT_COMMAND, "which rules? (-f)");
	if (optind < argc)
		usage_error(LINT_COMMAND, "one ruleset only: %s",
		    argv[optind]);
}

int
lint_options_parse(struct lint_options *o, int argc, char **argv)
{
	int c, status;

	memset(o, 0, sizeof(*o));
	ruleset_options_init(&o->ruleset, LINT_COMMAND, argc);
	/* As it is written: the optimiser would hide what is looked for. */
	o->ruleset.compile.optimize = PFK_OPT_NONE;
	o->ruleset.no_warnings = true;
	o->least = SEVERITY_WARNING;
	o->seconds = 60;
	o->memory = (size_t)1 << 30;
	o->must_pass = xcalloc((unsigned long)argc + 1, sizeof(char *));
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":" RULESET_SHORT_OPTIONS,
	    long_options, NULL)) != -1)
		if ((status = take(o, c, optarg, argc, argv)) != -1)
			return status;
	take_file(o, argc, argv);
	return -1;
}

void
lint_options_free(struct lint_options *o)
{
	ruleset_options_free(&o->ruleset);
	free(o->must_pass);
}
