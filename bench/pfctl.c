/*
 * How long pfctl takes for long rulesets, and how that grows.
 *
 *	usage: pfctl-bench PFCTL
 *
 * Rules of the kind
 *
 *	pass in quick on em0 inet proto tcp from 10.x.y.z/24 to 192.168.a.b
 *	    port N
 *
 * are written to a file; PFCTL reads it with `-n -v`, with its optimiser
 * (-o basic) and without, and prints into /dev/null.  For each run: seconds
 * of processor time, the largest resident size, and the limit that must hold.
 * Exit status 1 if one does not.
 */
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct run {
	const char *level;
	unsigned rules;
	double seconds;			/* limits; 0: none */
	long megabytes;
} runs[] = {
	{ "basic",   10000, 0.5,   0 },
	{ "basic",  100000, 5.0,   0 },
	{ "none",    10000, 0,     0 },
	{ "none",   100000, 0.6, 100 }
};

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static void
write_rules(const char *path, unsigned n)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		die(path);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "pass in quick on em0 inet proto tcp "
		    "from 10.%u.%u.0/24 to 192.168.%u.%u port %u\n",
		    i / 251 % 256, i % 251, i / 7 % 256, 1 + i % 253,
		    1 + i % 60000);
	if (fclose(f) != 0)
		die(path);
}

/* Whatever else the machine does, it is not measured. */
static double
seconds_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
	    (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static void
run_pfctl(const char *pfctl, const char *level, const char *path)
{
	int null = open("/dev/null", O_WRONLY);

	if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
		die("/dev/null");
	execl(pfctl, pfctl, "-o", level, "-nv", "-f", path, (char *)NULL);
	die(pfctl);
}

/* ru_maxrss is in kilobytes, but on macOS in bytes. */
static long
resident_megabytes(const struct rusage *u)
{
#ifdef __APPLE__
	return u->ru_maxrss >> 20;
#else
	return u->ru_maxrss >> 10;
#endif
}

/* Seconds that it took; the resident size in *megabytes. */
static double
measure(const char *pfctl, const char *level, const char *path,
    long *megabytes)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0)
		run_pfctl(pfctl, level, path);
	if (wait4(pid, &status, 0, &usage) != pid)
		die("wait4");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "%s failed on %s\n", pfctl, path);
		exit(2);
	}
	*megabytes = resident_megabytes(&usage);
	return seconds_of(&usage);
}

/* The best of three. */
static double
best(const char *pfctl, const struct run *r, const char *path, long *megabytes)
{
	double t, least = 0;

	for (int i = 0; i < 3; i++) {
		t = measure(pfctl, r->level, path, megabytes);
		if (i == 0 || t < least)
			least = t;
	}
	return least;
}

static int
report(const struct run *r, double seconds, long megabytes, double before)
{
	int bad = (r->seconds > 0 && seconds > r->seconds) ||
	    (r->megabytes > 0 && megabytes > r->megabytes);

	printf("-o %-6s %6u rules  %7.3f s  %4ld MB", r->level, r->rules,
	    seconds, megabytes);
	if (before > 0)
		printf("  %5.1f times as long for 10 times the rules",
		    seconds / before);
	if (r->seconds > 0)
		printf("  (limit %.1f s", r->seconds);
	if (r->megabytes > 0)
		printf(", %ld MB", r->megabytes);
	printf("%s%s\n", r->seconds > 0 ? ")" : "", bad ? "  TOO MUCH" : "");
	return bad;
}

int
main(int argc, char **argv)
{
	char path[] = "/tmp/pfctl-bench.XXXXXX";
	double seconds, before = 0;
	long megabytes = 0;
	int bad = 0, fd;

	if (argc != 2) {
		fprintf(stderr, "usage: %s PFCTL\n", argv[0]);
		return 2;
	}
	fd = mkstemp(path);
	if (fd < 0)
		die(path);
	close(fd);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		write_rules(path, runs[i].rules);
		seconds = best(argv[1], &runs[i], path, &megabytes);
		bad |= report(&runs[i], seconds, megabytes,
		    i % 2 == 1 ? before : 0);
		before = seconds;
	}
	unlink(path);
	return bad;
}
