/*
 * The command line of `pfkit trace`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "trace.h"

enum { OPT_PACKET = OPT_COMMAND, OPT_ALL, OPT_JSON, OPT_THROUGH, OPT_WHY_NOT,
    OPT_LOCAL, OPT_DIRECTIONS, OPT_AT, OPT_STATE_IN,
    OPT_COVER_OUT };

static const struct option long_options[] = {
	RULESET_LONG_OPTIONS,
	{ "packet",	required_argument, NULL, OPT_PACKET },
	{ "all",	no_argument,	   NULL, OPT_ALL },
	{ "json",	no_argument,	   NULL, OPT_JSON },
	{ "through",	no_argument,	   NULL, OPT_THROUGH },
	{ "why-not",	required_argument, NULL, OPT_WHY_NOT },
	{ "local",	required_argument, NULL, OPT_LOCAL },
	{ "directions",	required_argument, NULL, OPT_DIRECTIONS },
	{ "at",		required_argument, NULL, OPT_AT },
	{ "state-in",	required_argument, NULL, OPT_STATE_IN },
	{ "cover-out",	required_argument, NULL, OPT_COVER_OUT },
	{ NULL, 0, NULL, 0 }
};

static const char help[] =
    "usage: pfkit trace -f FILE [option ...] PACKET\n"
    "       pfkit trace -f FILE [option ...] --packet N [IFACE[:DIR]=]CAPTURE "
    "...\n"
    "\n"
    "Says which rule decides about a packet, and why.  The packet is told in\n"
    "pf.conf's words, and what is left out gets a usual value:\n"
    "\n"
    "  in on em0 proto tcp from 203.0.113.9 port 40000 to 192.0.2.10 port 443\n"
    "\n"
    "further: inet, inet6, flags, icmp-type, icmp6-type, code, tos, ttl, fragment.\n"
    "An address may be the name of an interface, a group, or self.\n"
    "\n"
    "  -f FILE          the rules: a pf.conf, or an image\n"
    "  --packet N       packet N of the captures, with the state that those\n"
    "                   before it have made; `all': every packet\n"
    "  --all            every rule, with the first test that it failed in\n"
    "                   (else: those that match or fail in one test only)\n"
    "  --why-not WHICH  why a rule did not decide: a line of FILE, FILE:LINE,\n"
    "                   a label, or @N\n"
    "  --through        follow the connection: in, out on the other side, and\n"
    "                   the answer back through both\n"
    "  --json           for programs: an object a decision\n"
    "  --cover-out FILE what was exercised of the rules, for `pfkit cover'\n"
    "\n"
    "As for replay: where packets of captures were seen, what is done before\n"
    "one, and the state that a replay has left:\n"
    "  -i IFACE, -d in|out|fwd, --local NET,..., --directions FILE\n"
    "  --at N:COMMAND, --state-in FILE\n"
    "\n"
    RULESET_OPTIONS_HELP
    "\n"
    HOST_OPTIONS_HELP
    "\n"
    "Exit status: 0 the packet passes, 1 it does not, 2 the command line or\n"
    "what it names is wrong.\n";

static void
take_packet(struct trace_options *o, const char *arg)
{
	o->every = strcmp(arg, "all") == 0;
	o->packet = o->every ? 1 : number_argument(TRACE_COMMAND, "--packet",
	    arg, UINT64_MAX);
	if (o->packet == 0)
		usage_error(TRACE_COMMAND, "--packet: packets count from 1");
}

static void
take(struct trace_options *o, int c, const char *arg, int argc, char **argv)
{
	switch (c) {
	case 'i':
		o->where.interface = arg;
		break;
	case 'd':
		o->where.dir = parse_direction(arg, strlen(arg));
		if (o->where.dir == 0)
			usage_error(TRACE_COMMAND,
			    "-d: in, out or fwd, not %s", arg);
		break;
	case OPT_PACKET:
		take_packet(o, arg);
		break;
	case OPT_ALL:
		o->all = true;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_THROUGH:
		o->through = true;
		break;
	case OPT_WHY_NOT:
		o->why_not = arg;
		break;
	case OPT_LOCAL:
		replay_add_local(&o->where, arg);
		break;
	case OPT_DIRECTIONS:
		o->where.directions = arg;
		break;
	case OPT_AT:
		replay_add_at(&o->where, arg);
		break;
	case OPT_STATE_IN:
		o->where.state_in = arg;
		break;
	case OPT_COVER_OUT:
		o->cover_out = arg;
		break;
	default:
		if (!ruleset_options_take(&o->ruleset, c, arg))
			option_error(TRACE_COMMAND, c, argc, argv);
	}
}

static void
check(const struct trace_options *o)
{
	if (o->ruleset.compile.path == NULL)
		usage_error(TRACE_COMMAND, "which rules? (-f)");
	if (o->nwords == 0)
		usage_error(TRACE_COMMAND, o->packet > 0 ? "which capture?" :
		    "which packet?");
	if (o->through && o->packet > 0)
		usage_error(TRACE_COMMAND,
		    "--through goes with a packet in words");
	if (o->where.nat > 0 && o->packet == 0)
		usage_error(TRACE_COMMAND, "--at goes with --packet");
}

int
trace_options_parse(struct trace_options *o, int argc, char **argv)
{
	int c;

	memset(o, 0, sizeof(*o));
	ruleset_options_init(&o->ruleset, TRACE_COMMAND, argc);
	o->where.ruleset.command = TRACE_COMMAND;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":i:d:" RULESET_SHORT_OPTIONS,
	    long_options, NULL)) != -1) {
		if (c == OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		take(o, c, optarg, argc, argv);
	}
	o->words = argv + optind;
	o->nwords = (size_t)(argc - optind);
	check(o);
	o->where.ruleset = o->ruleset;		/* lent */
	replay_sort_at(&o->where);
	return -1;
}

void
trace_options_free(struct trace_options *o)
{
	ruleset_options_free(&o->ruleset);
	free(o->where.local);
	free(o->where.at);
}
