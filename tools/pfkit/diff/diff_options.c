/*
 * The command line of `pfkit diff`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "diff.h"

enum { OPT_JSON = OPT_COMMAND, OPT_MAP, OPT_NEW_HOST, OPT_OLD_OPTIMIZE,
    OPT_NEW_OPTIMIZE, OPT_LINES, OPT_EVERY, OPT_TRACE, OPT_LIMIT,
    OPT_MEMORY };

static const struct option long_options[] = {
	RULESET_LONG_OPTIONS,
	{ "json",	no_argument,	   NULL, OPT_JSON },
	{ "map",	required_argument, NULL, OPT_MAP },
	{ "new-host",	required_argument, NULL, OPT_NEW_HOST },
	{ "old-optimize", required_argument, NULL, OPT_OLD_OPTIMIZE },
	{ "new-optimize", required_argument, NULL, OPT_NEW_OPTIMIZE },
	{ "lines",	required_argument, NULL, OPT_LINES },
	{ "every-packet", no_argument,	   NULL, OPT_EVERY },
	{ "trace",	no_argument,	   NULL, OPT_TRACE },
	{ "limit",	required_argument, NULL, OPT_LIMIT },
	{ "memory",	required_argument, NULL, OPT_MEMORY },
	{ NULL, 0, NULL, 0 }
};

static const char help[] =
    "usage: pfkit diff [option ...] OLD NEW\n"
    "\n"
    "Tells which new connections the two rulesets treat differently: pass or\n"
    "block, translate, log, label, whatever comes of them.  Says nothing if\n"
    "they are equivalent, whatever their texts look like.\n"
    "\n"
    "  OLD, NEW         pf.conf files, or images\n"
    "  --map OLD=NEW    an interface of the old firewall is that one of the\n"
    "                   new one; may be given several times\n"
    "  --new-host DIR   facts about the new firewall (else: as the old one's)\n"
    "  --old-optimize LEVEL, --new-optimize LEVEL\n"
    "                   as -o, for one of them\n"
    "  --every-packet   packets too that no connection begins with\n"
    "  --lines N        lines for each difference, at most (10)\n"
    "  --trace          examples with every step and near miss, as pfkit trace\n"
    "  --limit SECONDS  of the processor (60; 0: none); what is not done by\n"
    "                   then is left out, and named\n"
    "  --memory MB      for sets of packets (1024); parts that do not fit are\n"
    "                   left out, and named\n"
    "  --json           for programs: an object a difference, or a part that\n"
    "                   was left out\n"
    "\n"
    RULESET_OPTIONS_HELP
    "\n"
    HOST_OPTIONS_HELP
    "\n"
    "Exit status: 0 equivalent, 1 different, 2 the command line or what it\n"
    "names is wrong, 3 no difference found, but a part left out.\n";

static int
parse_level(const char *what, const char *arg)
{
	static const char *const levels[] = { "none", "basic", "profile" };

	for (int i = 0; i < 3; i++)
		if (strcmp(arg, levels[i]) == 0)
			return i;
	usage_error(DIFF_COMMAND, "%s: none, basic or profile, not %s", what,
	    arg);
}

static void
take_map(struct diff_options *o, const char *arg)
{
	char *copy = xstrdup(arg), *to = strchr(copy, '=');

	if (to == NULL || to == copy || to[1] == '\0')
		usage_error(DIFF_COMMAND, "--map: not OLD=NEW: %s", arg);
	*to++ = '\0';
	o->map[o->nmap].from = copy;
	o->map[o->nmap++].to = to;
}

static int
take(struct diff_options *o, int c, const char *arg, int argc, char **argv)
{
	switch (c) {
	case OPT_HELP:
		fputs(help, stdout);
		return DIFF_SAME;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_MAP:
		take_map(o, arg);
		break;
	case OPT_NEW_HOST:
		o->new_host = arg;
		break;
	case OPT_OLD_OPTIMIZE:
		o->optimize[OLD] = parse_level("--old-optimize", arg);
		break;
	case OPT_NEW_OPTIMIZE:
		o->optimize[NEW] = parse_level("--new-optimize", arg);
		break;
	case OPT_LINES:
		o->lines = (size_t)number_argument(DIFF_COMMAND, "--lines",
		    arg, 1000000);
		break;
	case OPT_EVERY:
		o->every = true;
		break;
	case OPT_TRACE:
		o->trace = true;
		break;
	case OPT_LIMIT:
		o->seconds = (unsigned)number_argument(DIFF_COMMAND,
		    "--limit", arg, 1000000);
		break;
	case OPT_MEMORY:
		o->memory = (size_t)number_argument(DIFF_COMMAND, "--memory",
		    arg, 1 << 20) << 20;
		break;
	default:
		if (c == 'f' || !ruleset_options_take(&o->ruleset, c, arg))
			option_error(DIFF_COMMAND, c, argc, argv);
	}
	return -1;
}

int
diff_options_parse(struct diff_options *o, int argc, char **argv)
{
	int c, status;

	memset(o, 0, sizeof(*o));
	ruleset_options_init(&o->ruleset, DIFF_COMMAND, argc);
	o->ruleset.no_warnings = true;
	o->optimize[OLD] = o->optimize[NEW] = NOT_GIVEN;
	o->lines = 10;
	o->seconds = 60;
	o->memory = (size_t)1 << 30;
	o->map = xcalloc((unsigned long)argc + 1, sizeof(*o->map));
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":" RULESET_SHORT_OPTIONS,
	    long_options, NULL)) != -1)
		if ((status = take(o, c, optarg, argc, argv)) != -1)
			return status;
	if (argc - optind != 2)
		usage_error(DIFF_COMMAND, "which rulesets? OLD NEW");
	o->path[OLD] = argv[optind];
	o->path[NEW] = argv[optind + 1];
	if (strcmp(o->path[OLD], "-") == 0 && strcmp(o->path[NEW], "-") == 0)
		usage_error(DIFF_COMMAND, "only one of the rulesets can be the "
		    "standard input");
	return -1;
}

void
diff_options_free(struct diff_options *o)
{
	for (size_t i = 0; i < o->nmap; i++)
		free((char *)(uintptr_t)o->map[i].from);
	free(o->map);
	ruleset_options_free(&o->ruleset);
}
