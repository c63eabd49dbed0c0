/*
 * What the engine costs a packet, decode included, packets in memory.
 *
 *	usage: engine [-q] [-r repeats] [-s seconds] [-b burst] [-g group]
 *	    [--capture FILE] [--json FILE]
 *	       engine -x WORK [-n packets] [-b burst]
 *	       engine -p SHAPE RULES
 *	       engine -t SHAPE RULES [-n packets] >CAPTURE
 *
 * The first prints the table that README.md explains.  -q takes less time;
 * -g wants one group only (reference, states, rules, tables, compile).  With
 * a capture pcap_next_ex is timed beside each group, and limits are also told
 * as what they come to on this machine.
 *
 * The second does one kind of work for a profiler and prints nothing: WORK is
 * hit:FLOWS, nat:FLOWS, new, table4:PREFIXES, table6:PREFIXES (0: no table),
 * plain:SHAPE:RULES, fast:SHAPE:RULES or any:SHAPE:RULES (fast, about any of
 * the rules: what branches cost).  The part that counts runs inside of
 * measured_batch().
 *
 * The third prints a ruleset, the fourth writes packets out of its rules'
 * corners as a capture.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

static const struct {
	const char *name;
	void	(*run)(struct bench *);
} groups[] = {
	{ "reference", run_reference },
	{ "states", run_states },
	{ "tables", run_tables },
	{ "compile", run_compile },
	{ "rules", run_rules }
};

static enum shape
shape_of(const char *name, size_t len)
{
	for (enum shape s = 0; s < NSHAPES; s++)
		if (strlen(shape_names[s]) == len &&
		    memcmp(shape_names[s], name, len) == 0)
			return s;
	die("no such shape: %s", name);
}

/* Here, and not with measured_batch(), which must stay a function. */
void
measured_packets(struct feed *f, size_t n, size_t burst)
{
	for (size_t left = n, some; left > 0; left -= some) {
		some = left < BATCH ? left : BATCH;
		f->fill(f, some);
		measured_batch(f, some, burst);
	}
}

static void
alone(const char *work, size_t n, size_t burst)
{
	enum pfk_lowering how = *work == 'p' ? PFK_LOWER_PLAIN :
	    PFK_LOWER_FAST;
	const char *shape, *count;

	if (strcmp(work, "new") == 0)
		new_states_alone(n, burst);
	else if (strncmp(work, "hit:", 4) == 0)
		states_alone(strtoul(work + 4, NULL, 10), false, n, burst);
	else if (strncmp(work, "nat:", 4) == 0)
		states_alone(strtoul(work + 4, NULL, 10), true, n, burst);
	else if (strncmp(work, "table4:", 7) == 0 ||
	    strncmp(work, "table6:", 7) == 0)
		tables_alone((uint32_t)strtoul(work + 7, NULL, 10),
		    work[5] == '4' ? 4 : 6, n, burst);
	else if ((shape = strchr(work, ':')) != NULL &&
	    (count = strchr(++shape, ':')) != NULL)
		rules_alone(shape_of(shape, (size_t)(count - shape)),
		    strtoul(count + 1, NULL, 10), how, *work == 'a', n, burst);
	else
		die("no such work: %s", work);
}

static void
print_ruleset(const char *shape, const char *count)
{
	size_t n = strtoul(count, NULL, 10);
	enum shape s = shape_of(shape, strlen(shape));
	struct ruleset *rules = ruleset_new(s, n, n + s);
	struct text t = { 0 };

	ruleset_text(rules, &t);
	fwrite(t.p, 1, t.len, stdout);
	text_free(&t);
	ruleset_free(rules);
}

static void
run_groups(struct bench *b)
{
	double start = now();

	report_begin(b);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (b->only == NULL || strcmp(b->only, groups[i].name) == 0) {
			reference_now(b);
			groups[i].run(b);
		}
	report_end(b);
	printf("(%.0f s)\n", now() - start);
}

static void
usage(void)
{
	die("usage: engine [-q] [-r repeats] [-s seconds] [-b burst] "
	    "[-g group] [--capture file] [--json file]\n"
	    "       engine -x work [-n packets] [-b burst]\n"
	    "       engine -p shape rules\n"
	    "       engine -t shape rules [-n packets] >capture");
}

static size_t
positive(const char *arg)
{
	size_t n = strtoul(arg, NULL, 10);

	if (n == 0)
		usage();
	return n;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "capture", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 }
	};
	struct bench b = { .burst = 64 };
	const char *work = NULL, *shape = NULL, *traffic = NULL;
	size_t packets = 100000;
	int c;

	while ((c = getopt_long(argc, argv, "qr:s:b:g:x:n:p:t:", options,
	    NULL)) != -1)
		switch (c) {
		case 'q': b.quick = true; break;
		case 'r': b.repeats = (unsigned)positive(optarg); break;
		case 's': b.seconds = atof(optarg); break;
		case 'b': b.burst = positive(optarg); break;
		case 'g': b.only = optarg; break;
		case 'x': work = optarg; break;
		case 'n': packets = positive(optarg); break;
		case 'p': shape = optarg; break;
		case 't': traffic = optarg; break;
		case 'c': b.capture = optarg; break;
		case 'j':
			b.json = fopen(optarg, "w");
			if (b.json == NULL)
				die("%s: cannot be written", optarg);
			break;
		default: usage();
		}
	if (b.repeats == 0)
		b.repeats = b.quick ? 3 : 5;
	if (b.repeats > MAX_REPEATS)
		b.repeats = MAX_REPEATS;
	if (b.seconds <= 0)
		b.seconds = b.quick ? 0.03 : 0.1;
	if (shape != NULL && optind < argc)
		print_ruleset(shape, argv[optind]);
	else if (traffic != NULL && optind < argc)
		rules_traffic(shape_of(traffic, strlen(traffic)),
		    positive(argv[optind]), packets);
	else if (work != NULL)
		alone(work, packets, b.burst);
	else
		run_groups(&b);
	return 0;
}
