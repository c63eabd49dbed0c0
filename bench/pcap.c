/*
 * Captures: what `pfkit replay' takes for one, beside libpcap's own loop
 * over the same file that does nothing with the packets.
 *
 *	usage: pcap [-q] [-r repeats] [-p packets] [-c CAPTURE] [--json FILE]
 *	    PFKIT [FOLDER]
 *	       pcap -w FILE [-p packets]
 *
 * The capture is made anew (capture.c) in FOLDER (/tmp) and taken away at
 * the end, if there is none that -w has written (-c); it comes from the page
 * cache.  Loop and replay take turns.  -w writes it and does nothing else.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/capture.h"

#define FLOWS	200000

static double
seconds_of(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void
run_child(char *const *argv)
{
	int null = open("/dev/null", O_WRONLY);

	if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
		die("/dev/null");
	execv(argv[0], argv);
	die("%s cannot be run", argv[0]);
}

/* jobs: "-j1", "-j2", or NULL: as it comes */
static struct times
replay(const char *pfkit, const char *rules, const char *path,
    const char *jobs)
{
	char *argv[] = { (char *)pfkit, "replay", "-q", "-f", (char *)rules,
	    "-i", "em0", "--local", CAPTURE_SERVERS, (char *)path,
	    (char *)jobs, NULL };
	double start = now();
	struct rusage u;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0)
		run_child(argv);
	if (wait4(pid, &status, 0, &u) != pid)
		die("wait4");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die("%s replay failed", pfkit);
	return (struct times){ now() - start,
	    seconds_of(&u.ru_utime) + seconds_of(&u.ru_stime) };
}

static void
write_rules(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		die("%s: cannot be written", path);
	fputs("set limit states 1000000\nblock\n"
	    "pass in on em0 inet proto tcp to port { 80 443 }\n"
	    "pass in on em0 inet proto udp to port 53\n"
	    "pass in on em0 inet proto icmp icmp-type echoreq\n", f);
	if (fclose(f) != 0)
		die("%s: cannot be written", path);
}

/* libpcap's loop and the usual replay; then each number of threads. */
static void
measure(struct bench *b, const char *pfkit, const char *rules,
    const char *path)
{
	struct samples nothing = { .n = 0 }, all = { .n = 0 };
	struct samples ratio = { .n = 0 }, cpu = { .n = 0 };
	struct samples one = { .n = 0 }, two = { .n = 0 }, gain = { .n = 0 };
	struct samples line = { .n = 0 };
	bool several = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	uint64_t packets;
	double n;

	capture_loop(path, UINT64_MAX, &packets);	/* into the cache */
	n = (double)packets;
	for (unsigned i = 0; i < b->repeats; i++) {
		struct times l = capture_loop(path, UINT64_MAX, &packets);
		struct times r = replay(pfkit, rules, path, NULL);
		struct times j1 = replay(pfkit, rules, path, "-j1");
		struct times j2 = replay(pfkit, rules, path, "-j2");

		samples_add(&nothing, l.cpu * 1e9 / n);
		samples_add(&all, r.wall * 1e9 / n);
		samples_add(&cpu, r.cpu * 1e9 / n);
		samples_add(&ratio, r.wall / l.wall);
		samples_add(&one, j1.wall * 1e9 / n);
		samples_add(&two, j2.wall * 1e9 / n);
		samples_add(&gain, j2.wall / j1.wall);
		if (several)
			samples_add(&line, between_processors());
	}
	report(b, "capture", "pcap_next_ex, nothing done", "ns", &nothing, 0,
	    NULL);
	report(b, "capture", "pfkit replay, processor", "ns", &cpu, 0, NULL);
	report(b, "capture", "pfkit replay, wall", "ns", &all, 0, NULL);
	report(b, "capture", "pfkit replay / pcap_next_ex, wall", "times",
	    &ratio, 1, NULL);
	report(b, "capture", "pfkit replay -j 1, wall", "ns", &one, 0, NULL);
	report(b, "capture", "pfkit replay -j 2, wall", "ns", &two, 0, NULL);
	if (!several) {
		report_skipped(b, "capture", "-j 2 / -j 1, wall",
		    "one processor");
		return;
	}
	report(b, "capture", "-j 2 / -j 1, wall", "times", &gain, 1 / 1.7,
	    NULL);
	report(b, "capture", "a line to the other processor and back", "ns",
	    &line, 0, NULL);
}

/* The same capture compressed, if that can be done here. */
static void
measure_compressed(struct bench *b, const char *pfkit, const char *rules,
    const char *path, const char *folder, const char *program,
    const char *ending)
{
	struct samples one = { .n = 0 }, all = { .n = 0 };
	char command[9000], packed[4200], name[100];
	uint64_t packets;

	capture_loop(path, UINT64_MAX, &packets);
	snprintf(packed, sizeof(packed), "%s/bench.%ld.pcap.%s", folder,
	    (long)getpid(), ending);
	snprintf(command, sizeof(command), "%s -1 -c <%s >%s 2>/dev/null",
	    program, path, packed);
	snprintf(name, sizeof(name), "%s: pfkit replay -j 1, wall", program);
	if (system(command) != 0) {
		report_skipped(b, "capture", name, "it cannot be run");
		unlink(packed);
		return;
	}
	for (unsigned i = 0; i < b->repeats; i++) {
		struct times j1 = replay(pfkit, rules, packed, "-j1");
		struct times r = replay(pfkit, rules, packed, NULL);

		samples_add(&one, j1.wall * 1e9 / (double)packets);
		samples_add(&all, r.wall * 1e9 / (double)packets);
	}
	unlink(packed);
	report(b, "capture", name, "ns", &one, 0, NULL);
	snprintf(name, sizeof(name), "%s: pfkit replay, wall", program);
	report(b, "capture", name, "ns", &all, 0, NULL);
}

static void
usage(void)
{
	die("usage: pcap [-q] [-r repeats] [-p packets] [-c capture] "
	    "[--json file] pfkit [folder]\n       pcap -w file [-p packets]");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	struct bench b = { .quick = false };
	const char *out = NULL, *given = NULL, *folder = "/tmp";
	char path[4096], rules[4096];
	uint32_t packets = 0;
	int c;

	while ((c = getopt_long(argc, argv, "qr:p:w:c:", options, NULL)) != -1)
		switch (c) {
		case 'q': b.quick = true; break;
		case 'r': b.repeats = (unsigned)atoi(optarg); break;
		case 'p': packets = (uint32_t)atol(optarg); break;
		case 'w': out = optarg; break;
		case 'c': given = optarg; break;
		case 'j':
			b.json = fopen(optarg, "w");
			if (b.json == NULL)
				die("%s: cannot be written", optarg);
			break;
		default: usage();
		}
	if (b.repeats == 0 || b.repeats > MAX_REPEATS)
		b.repeats = b.quick ? 3 : 5;
	if (packets == 0)
		packets = b.quick ? 400000 : 3000000;
	if (out != NULL) {
		capture_write(out, b.quick ? FLOWS / 5 : FLOWS, packets);
		return 0;
	}
	if (optind >= argc)
		usage();
	if (optind + 1 < argc)
		folder = argv[optind + 1];
	snprintf(path, sizeof(path), "%s/bench.%ld.pcap", folder,
	    (long)getpid());
	snprintf(rules, sizeof(rules), "%s/bench.%ld.conf", folder,
	    (long)getpid());
	if (given == NULL)
		capture_write(path, b.quick ? FLOWS / 5 : FLOWS, packets);
	write_rules(rules);
	report_begin(&b);
	if (given == NULL)
		given = path;
	measure(&b, argv[optind], rules, given);
	measure_compressed(&b, argv[optind], rules, given, folder, "gzip",
	    "gz");
	measure_compressed(&b, argv[optind], rules, given, folder, "zstd",
	    "zst");
	report_end(&b);
	if (given == path)
		unlink(path);
	unlink(rules);
	return 0;
}
