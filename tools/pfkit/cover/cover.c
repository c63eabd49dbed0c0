/*
 * pfkit cover: the command.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "../ruleset.h"
#include "model.h"

#define COMMAND		"cover"
#define BELOW		1	/* exit status */
#define WRONG		2

enum { OPT_ALL = OPT_COMMAND, OPT_JSON, OPT_LCOV, OPT_HTML, OPT_OUT,
    OPT_THRESHOLD };

static const struct option long_options[] = {
	{ "all",	no_argument,	   NULL, OPT_ALL },
	{ "json",	no_argument,	   NULL, OPT_JSON },
	{ "lcov",	required_argument, NULL, OPT_LCOV },
	{ "html",	required_argument, NULL, OPT_HTML },
	{ "cover-out",	required_argument, NULL, OPT_OUT },
	{ "threshold",	required_argument, NULL, OPT_THRESHOLD },
	{ "help",	no_argument,	   NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static const char help[] =
    "usage: pfkit cover [option ...] DATA ...\n"
    "\n"
    "Says what was exercised of a ruleset: which lines decided, which only\n"
    "matched, were only asked, were never asked; and the same of the elements\n"
    "of lists, the values of macros and the entries of tables.\n"
    "\n"
    "DATA are files that `--cover-out FILE' of replay, trace and test has\n"
    "written, of one and the same ruleset; they add up.  If there are tests\n"
    "(of test and trace) and traffic (of replay), it says what either covers.\n"
    "\n"
    "  --all            every line with its counts\n"
    "  --html FILE      a page: pf.conf with counts and colours, in one file\n"
    "  --lcov FILE      a tracefile for lcov and genhtml\n"
    "  --json           for programs, instead of the text\n"
    "  --cover-out FILE all of the data as one file\n"
    "  --threshold [lines:|elements:|macros:|tables:]N\n"
    "                   status 1 if fewer than N percent are covered (lines,\n"
    "                   if it does not say)\n"
    "\n"
    "A line, an element or a value is covered if a rule that it is part of\n"
    "decided about a packet, or a state of that rule did; match rules and\n"
    "anchors are if they matched, entries of tables if an address that a rule\n"
    "matched was found by them, or was kept out (`!').\n"
    "\n"
    "Exit status: 0 done, 1 below the threshold, 2 the command line is wrong,\n"
    "or a file.\n";

enum { LINES, ELEMENTS, MACROS, TABLES, TOTALS };
static const char *const totals[TOTALS] = { "lines", "elements", "macros",
    "tables" };

struct cover_options {
	bool		 all, json;
	const char	*lcov, *html, *out;
	double		 threshold[TOTALS];
};

static void
take_threshold(struct cover_options *o, const char *arg)
{
	const char *colon = strchr(arg, ':'), *number = arg;
	int which = LINES;
	char *end;
	double n;

	if (colon != NULL) {
		for (which = 0; which < TOTALS; which++)
			if (strlen(totals[which]) == (size_t)(colon - arg) &&
			    strncmp(totals[which], arg,
			    (size_t)(colon - arg)) == 0)
				break;
		number = colon + 1;
	}
	n = strtod(number, &end);
	if (which == TOTALS || *number < '0' || *number > '9' ||
	    *end != '\0' || !(n >= 0 && n <= 100))
		usage_error(COMMAND, "--threshold: not [lines:|elements:|"
		    "macros:|tables:] and a number from 0 to 100: %s", arg);
	o->threshold[which] = n;
}

/* -1, or the exit status if there is nothing to do. */
static int
parse(struct cover_options *o, int argc, char **argv)
{
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", long_options, NULL)) != -1)
		switch (c) {
		case OPT_HELP:
			fputs(help, stdout);
			return 0;
		case OPT_ALL:
			o->all = true;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_LCOV:
			o->lcov = optarg;
			break;
		case OPT_HTML:
			o->html = optarg;
			break;
		case OPT_OUT:
			o->out = optarg;
			break;
		case OPT_THRESHOLD:
			take_threshold(o, optarg);
			break;
		default:
			option_error(COMMAND, c, argc, argv);
		}
	if (optind == argc)
		usage_error(COMMAND, "which data? (--cover-out of replay, "
		    "trace, test)");
	return -1;
}

/* 0, or BELOW: told. */
static int
judge(const struct cover_options *o, const struct model *m)
{
	const struct model_total *const t[TOTALS] = { &m->lines, &m->parts,
	    &m->macros, &m->tables };
	int status = 0;

	for (int i = 0; i < TOTALS; i++)
		if (model_percent(t[i]) < o->threshold[i]) {
			warning("%s: %.1f%% are covered, %g%% are wanted",
			    totals[i], model_percent(t[i]), o->threshold[i]);
			status = BELOW;
		}
	return status;
}

static int
report(const struct cover_options *o, const struct model *m)
{
	int status = 0;

	if (o->json)
		status |= report_json(m);
	else
		report_text(m, o->all);
	if (o->lcov != NULL)
		status |= report_lcov(m, o->lcov);
	if (o->html != NULL)
		status |= report_page(m, o->html);
	if (o->out != NULL)
		status |= cover_write(m->cover, o->out);
	if (fflush(stdout) != 0) {
		warning("standard output: it cannot be written");
		status = 1;
	}
	return status != 0 ? WRONG : judge(o, m);
}

int
command_cover(int argc, char **argv)
{
	struct cover_options o = { .threshold = { 0 } };
	struct model *m;
	int status;

	fatal_exits_with(WRONG);
	status = parse(&o, argc, argv);
	if (status != -1)
		return status;
	m = model_new(argv + optind, (size_t)(argc - optind));
	status = m != NULL ? report(&o, m) : WRONG;
	model_free(m);
	return status;
}
