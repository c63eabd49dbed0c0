/*
 * See options.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pfkit.h"
#include "options.h"

#define COMMAND	"replay"

static const char help[] =
    "usage: pfkit replay [option ...] -f FILE CAPTURE ...\n"
    "\n"
    "Runs the packets of captures through a ruleset, as OpenBSD's pf would,\n"
    "and tells what became of them.  The clock is the packets' own.\n"
    "\n"
    "  -f FILE          a pf.conf, or an image made by `pfkit compile'\n"
    RULESET_OPTIONS_HELP
    "\n"
    "Captures: pcap or pcapng, plain, gzip or zstd; \"-\" is standard input;\n"
    "several are merged by time.  Where a packet was seen comes from the\n"
    "first of these that says so:\n"
    "  --directions FILE  a line for each packet: in em0, out em1, fwd em0\n"
    "  IFACE[:DIR]=CAPTURE  all of this capture; DIR is in, out or fwd\n"
    "  -i IFACE         the interface of every packet\n"
    "  -d DIR           the direction of every packet; fwd: it comes in, and\n"
    "                   goes out where the routes say\n"
    "  (the capture)    pcapng's interface names and flags, pflog's headers\n"
    "  --local ADDR[/LEN],...\n"
    "                   packets from these go out, all others come in (else:\n"
    "                   the addresses of the firewall's interfaces), on the\n"
    "                   first interface that is not a loopback\n"
    "\n"
    "What is written (\"-\": to standard output):\n"
    "  -v, -vv          a line for each decision; with the rule's text\n"
    "  -q               no summary at the end\n"
    "  --verdicts FILE  decisions, tab-separated\n"
    "  --json FILE      decisions, a JSON object a line\n"
    "  --states FILE    states at the end, as pfctl -vvss\n"
    "  --labels FILE    labels' counters, as pfctl -sl\n"
    "  --rules FILE     rules and counters, as pfctl -vvsr -a '*'\n"
    "  --info FILE      counters, as pfctl -vsi\n"
    "  --tables FILE    tables and addresses, as pfctl -vvsT and -vT show\n"
    "  --sources FILE   source tracking, as pfctl -vsS\n"
    "  --write FILE     packets that passed, as pf leaves them (pcap)\n"
    "  --write-blocked FILE  packets that did not, as they came\n"
    "  --write-replies FILE  packets that pf itself sends\n"
    "  --raw            without link headers\n"
    "  --pflog FILE     what pflog(4) would show (pcap)\n"
    "  --cover-out FILE what was exercised of the rules, for `pfkit cover'\n"
    "  -j N             N threads: an engine each if the rules allow it (-v\n"
    "                   tells why not); what is written is the same\n"
    "  -x LEVEL         pf's debug messages: emerg ... debug, to standard\n"
    "                   error\n"
    "\n"
    "  --state-out FILE   the filter's state at the end; --state-in FILE goes\n"
    "                   on from there (same ruleset)\n"
    "  --at N:COMMAND   before packet N: table NAME add|delete ADDR ...,\n"
    "                   table NAME flush, load ANCHOR FILE, kill [SRC [DST]],\n"
    "                   kill label LABEL, flush states|sources\n"
    "  --bench LOOPS    times the engine alone: packets from memory, so often\n"
    "                   from the beginning; nothing else is written\n"
    "\n"
    HOST_OPTIONS_HELP;

enum replay_option { OPT_LOCAL = OPT_COMMAND, OPT_DIRECTIONS, OPT_STATE_IN,
    OPT_AT, OPT_RAW, OPT_BENCH, OPT_OUTPUT /* + enum output_kind */ };

static const struct option long_options[] = {
	RULESET_LONG_OPTIONS,
	{ "local",	   required_argument, NULL, OPT_LOCAL },
	{ "directions",	   required_argument, NULL, OPT_DIRECTIONS },
	{ "state-in",	   required_argument, NULL, OPT_STATE_IN },
	{ "at",		   required_argument, NULL, OPT_AT },
	{ "raw",	   no_argument,	      NULL, OPT_RAW },
	{ "bench",	   required_argument, NULL, OPT_BENCH },
	{ "verdicts",	   required_argument, NULL,
	    OPT_OUTPUT + OUTPUT_VERDICTS },
	{ "json",	   required_argument, NULL, OPT_OUTPUT + OUTPUT_JSON },
	{ "write",	   required_argument, NULL, OPT_OUTPUT + OUTPUT_WRITE },
	{ "write-blocked", required_argument, NULL,
	    OPT_OUTPUT + OUTPUT_WRITE_BLOCKED },
	{ "write-replies", required_argument, NULL,
	    OPT_OUTPUT + OUTPUT_WRITE_REPLIES },
	{ "pflog",	   required_argument, NULL, OPT_OUTPUT + OUTPUT_PFLOG },
	{ "cover-out",	   required_argument, NULL, OPT_OUTPUT + OUTPUT_COVER },
	{ "states",	   required_argument, NULL,
	    OPT_OUTPUT + OUTPUT_STATES },
	{ "labels",	   required_argument, NULL,
	    OPT_OUTPUT + OUTPUT_LABELS },
	{ "rules",	   required_argument, NULL, OPT_OUTPUT + OUTPUT_RULES },
	{ "info",	   required_argument, NULL, OPT_OUTPUT + OUTPUT_INFO },
	{ "tables",	   required_argument, NULL,
	    OPT_OUTPUT + OUTPUT_TABLES },
	{ "sources",	   required_argument, NULL,
	    OPT_OUTPUT + OUTPUT_SOURCES },
	{ "state-out",	   required_argument, NULL,
	    OPT_OUTPUT + OUTPUT_STATE_OUT },
	{ NULL, 0, NULL, 0 }
};

static const char *const debug_levels[] = { "emerg", "alert", "crit", "err",
    "warning", "notice", "info", "debug" };

bool
parse_net(const char *text, struct pfk_net *net)
{
	char addr[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	char *end;
	unsigned long bits;

	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	memset(net, 0, sizeof(*net));
	if (inet_pton(AF_INET, addr, net->addr) == 1)
		net->af = 4;
	else if (inet_pton(AF_INET6, addr, net->addr) == 1)
		net->af = 6;
	else
		return false;
	net->bits = net->af == 4 ? 32 : 128;
	if (text[len] == '\0')
		return true;
	bits = strtoul(text + len + 1, &end, 10);
	if (text[len + 1] < '0' || text[len + 1] > '9' || *end != '\0' ||
	    bits > net->bits)
		return false;
	net->bits = (uint8_t)bits;
	return true;
}

static uint32_t
word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

bool
net_contains(const struct pfk_net *net, uint8_t af, const uint8_t *addr)
{
	unsigned bytes = net->bits / 8, rest = net->bits % 8;

	if (net->af != af)
		return false;
	if (af == 4) {
		uint32_t d = word(net->addr) ^ word(addr);

		return net->bits == 0 || d >> (32 - net->bits) == 0;
	}
	if (memcmp(net->addr, addr, bytes) != 0)
		return false;
	return rest == 0 ||
	    (net->addr[bytes] ^ addr[bytes]) >> (8 - rest) == 0;
}

uint8_t
parse_direction(const char *s, size_t len)
{
	if (len == 2 && memcmp(s, "in", len) == 0)
		return PFK_IN;
	if (len == 3 && memcmp(s, "out", len) == 0)
		return PFK_OUT;
	if (len == 3 && memcmp(s, "fwd", len) == 0)
		return PFK_FWD;
	return 0;
}

void
replay_add_local(struct replay_options *o, const char *arg)
{
	char *copy = xstrdup(arg), *next = copy, *word;

	o->have_local = true;
	while ((word = next) != NULL) {
		next = strchr(word, ',');
		if (next != NULL)
			*next++ = '\0';
		o->local = xrealloc(o->local,
		    (o->nlocal + 1) * sizeof(*o->local));
		if (!parse_net(word, &o->local[o->nlocal++]))
			usage_error(COMMAND, "--local: not an address: %s",
			    word);
	}
	free(copy);
}

void
replay_add_at(struct replay_options *o, const char *arg)
{
	char *end;
	unsigned long long n = strtoull(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end != ':')
		usage_error(o->ruleset.command, "--at: not N:COMMAND: %s", arg);
	o->at = xrealloc(o->at, (o->nat + 1) * sizeof(*o->at));
	o->at[o->nat] = (struct at_command){ n, end + 1, (unsigned)o->nat };
	o->nat++;
}

static unsigned
parse_loops(const char *arg)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end != '\0' || n == 0 || n > 1000000)
		usage_error(COMMAND, "--bench: not from 1 to 1000000: %s",
		    arg);
	return (unsigned)n;
}

static unsigned
parse_jobs(const char *arg)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end != '\0' || n == 0 ||
	    n > MAX_JOBS)
		usage_error(COMMAND, "-j: not from 1 to %u: %s", MAX_JOBS,
		    arg);
	return (unsigned)n;
}

static int
parse_debug(const char *arg)
{
	for (int i = 0; i < 8; i++)
		if (strcmp(arg, debug_levels[i]) == 0 ||
		    (arg[0] == '0' + i && arg[1] == '\0'))
			return i;
	if (strcmp(arg, "error") == 0)
		return 3;
	usage_error(COMMAND, "-x: no such level: %s", arg);
}

static void
take(struct replay_options *o, int c, const char *arg, int argc, char **argv)
{
	if (c >= OPT_OUTPUT) {
		o->outputs[c - OPT_OUTPUT] = arg;
		return;
	}
	switch (c) {
	case 'i':
		o->interface = arg;
		break;
	case 'd':
		o->dir = parse_direction(arg, strlen(arg));
		if (o->dir == 0)
			usage_error(COMMAND, "-d: in, out or fwd, not %s", arg);
		break;
	case 'j':
		o->jobs = parse_jobs(arg);
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'v':
		o->verbose++;
		break;
	case 'x':
		o->debug = parse_debug(arg);
		break;
	case OPT_LOCAL:
		replay_add_local(o, arg);
		break;
	case OPT_DIRECTIONS:
		o->directions = arg;
		break;
	case OPT_STATE_IN:
		o->state_in = arg;
		break;
	case OPT_AT:
		replay_add_at(o, arg);
		break;
	case OPT_BENCH:
		o->bench = parse_loops(arg);
		break;
	case OPT_RAW:
		o->raw = true;
		break;
	default:
		if (!ruleset_options_take(&o->ruleset, c, arg))
			option_error(COMMAND, c, argc, argv);
		break;
	}
}

static int
by_packet(const void *a, const void *b)
{
	const struct at_command *x = a, *y = b;

	if (x->packet != y->packet)
		return x->packet < y->packet ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

void
replay_sort_at(struct replay_options *o)
{
	if (o->nat > 0)
		qsort(o->at, o->nat, sizeof(*o->at), by_packet);
}

static void
check_bench(const struct replay_options *o)
{
	bool writes = o->verbose > 0;

	for (size_t i = 0; i < NOUTPUTS; i++)
		writes |= o->outputs[i] != NULL;
	if (writes || o->nat > 0)
		usage_error(COMMAND, "--bench goes with no output and no "
		    "--at");
}

/* At most one output may go to standard output. */
static void
check(struct replay_options *o)
{
	unsigned n = o->verbose > 0;

	if (o->ruleset.compile.path == NULL)
		usage_error(COMMAND, "which rules? (-f)");
	if (o->ncaptures == 0)
		usage_error(COMMAND, "which capture?");
	if (o->bench > 0)
		check_bench(o);
	for (size_t i = 0; i < NOUTPUTS; i++)
		n += o->outputs[i] != NULL && strcmp(o->outputs[i], "-") == 0;
	if (n > 1)
		usage_error(COMMAND, "only one thing can go to standard "
		    "output");
	if (n > 0 && o->verbose == 0)
		o->quiet = true;
	replay_sort_at(o);
}

int
replay_options_parse(struct replay_options *o, int argc, char **argv)
{
	int c;

	memset(o, 0, sizeof(*o));
	o->debug = -1;
	ruleset_options_init(&o->ruleset, COMMAND, argc);
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":i:d:j:qvx:" RULESET_SHORT_OPTIONS,
	    long_options, NULL)) != -1) {
		if (c == OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		take(o, c, optarg, argc, argv);
	}
	o->captures = argv + optind;
	o->ncaptures = (size_t)(argc - optind);
	check(o);
	return -1;
}

void
replay_options_free(struct replay_options *o)
{
	ruleset_options_free(&o->ruleset);
	free(o->local);
	free(o->at);
}
