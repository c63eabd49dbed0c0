/*
 * The command line of `pfkit test`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "test.h"

enum { OPT_RUN = OPT_COMMAND, OPT_LIST, OPT_FAIL_FAST, OPT_FORMAT, OPT_JSON,
    OPT_COVER_OUT };

static const struct option long_options[] = {
	RULESET_LONG_OPTIONS,
	{ "run",	required_argument, NULL, OPT_RUN },
	{ "list",	no_argument,	   NULL, OPT_LIST },
	{ "fail-fast",	no_argument,	   NULL, OPT_FAIL_FAST },
	{ "format",	required_argument, NULL, OPT_FORMAT },
	{ "json",	no_argument,	   NULL, OPT_JSON },
	{ "cover-out",	required_argument, NULL, OPT_COVER_OUT },
	{ NULL, 0, NULL, 0 }
};

static const char help[] =
    "usage: pfkit test [option ...] FILE ...\n"
    "\n"
    "Runs the expectations in the files, one a line, such as\n"
    "\n"
    "  ruleset pf.conf\n"
    "  host fw\n"
    "  pass in on em0 proto tcp from any to 192.0.2.10 port { 80 443 }\n"
    "  block in on em0 from <bad> to any by label \"bad\"\n"
    "  pass through em1 em0 proto udp from 10.0.0.0/24 to any port 53 \\\n"
    "      nat-to 203.0.113.5\n"
    "  replay trace.pcap expect passed >= 100 blocked 0\n"
    "\n"
    "Each is about every packet that it describes.\n"
    "\n"
    "  --run REGEX      only tests whose `group: text' it matches\n"
    "  --list           show the tests, run none\n"
    "  --fail-fast      stop at the first that does not hold\n"
    "  -v               show those that hold, too, and what answers rest on\n"
    "  --format FORMAT[:FILE]\n"
    "                   text (the default), tap, junit, github, json; may be\n"
    "                   given several times\n"
    "  --json           the same as --format json\n"
    "  --cover-out FILE what of the rules was exercised, for pfkit cover\n"
    "\n"
    "What the files do not say, or what is to hold instead of what they say:\n"
    "  -f FILE          the ruleset: a pf.conf, or an image\n"
    RULESET_OPTIONS_HELP
    "\n"
    HOST_OPTIONS_HELP
    "\n"
    "Exit status: 0 all hold, 1 some do not, 2 the command line, a test file or\n"
    "what it names is wrong.\n";

static void
take_format(struct test_options *o, const char *arg)
{
	static const char *const names[] = { "text", "tap", "junit", "github",
	    "json" };
	size_t len = strcspn(arg, ":");

	for (int i = 0; i < NFORMATS; i++)
		if (strlen(names[i]) == len &&
		    strncmp(names[i], arg, len) == 0) {
			o->formats[i] = arg[len] == ':' ? arg + len + 1 : "-";
			return;
		}
	usage_error(TEST_COMMAND, "--format: not known: %s", arg);
}

static void
take_fact(struct test_options *o, int option, const char *arg)
{
	char *value = xstrdup(arg);

	o->facts = xrealloc(o->facts, (o->nfacts + 1) * sizeof(*o->facts));
	o->facts[o->nfacts++] = (struct header){ option, value };
}

static void
take(struct test_options *o, int c, const char *arg, int argc, char **argv)
{
	switch (c) {
	case 'v':
		o->verbose = true;
		break;
	case OPT_RUN:
		o->run = arg;
		break;
	case OPT_LIST:
		o->list = true;
		break;
	case OPT_FAIL_FAST:
		o->fail_fast = true;
		break;
	case OPT_FORMAT:
		take_format(o, arg);
		break;
	case OPT_JSON:
		o->formats[FORMAT_JSON] = "-";
		break;
	case OPT_COVER_OUT:
		o->cover_out = arg;
		break;
	default:
		if (c >= OPT_HOST && c < OPT_DNS)
			take_fact(o, c, arg);
		else if (!ruleset_options_take(&o->ruleset, c, arg))
			option_error(TEST_COMMAND, c, argc, argv);
	}
}

static void
check(struct test_options *o)
{
	unsigned standard = 0, any = 0;

	for (int i = 0; i < NFORMATS; i++)
		if (o->formats[i] != NULL) {
			any++;
			standard += strcmp(o->formats[i], "-") == 0;
		}
	if (standard > 1)
		usage_error(TEST_COMMAND,
		    "only one format can go to standard output");
	if (any == 0)
		o->formats[FORMAT_TEXT] = "-";
	for (size_t i = 0; i < o->nfiles; i++)
		if (o->ruleset.compile.path != NULL &&
		    strcmp(o->ruleset.compile.path, "-") == 0 &&
		    strcmp(o->files[i], "-") == 0)
			usage_error(TEST_COMMAND, "only one file can be the "
			    "standard input");
	if (o->nfiles == 0)
		usage_error(TEST_COMMAND, "which test files?");
}

int
test_options_parse(struct test_options *o, int argc, char **argv)
{
	int c;

	memset(o, 0, sizeof(*o));
	ruleset_options_init(&o->ruleset, TEST_COMMAND, argc);
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":v" RULESET_SHORT_OPTIONS,
	    long_options, NULL)) != -1) {
		if (c == OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		take(o, c, optarg, argc, argv);
	}
	o->files = argv + optind;
	o->nfiles = (size_t)(argc - optind);
	check(o);
	return -1;
}

void
test_options_free(struct test_options *o)
{
	for (size_t i = 0; i < o->nfacts; i++)
		free(o->facts[i].value);
	free(o->facts);
	ruleset_options_free(&o->ruleset);
}
