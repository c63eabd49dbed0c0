/*
 * Runs golden cases (README tells their format).
 *
 *	usage: run [-puv] [-b BINDIR] [-j N] [-t SECONDS] [-x FOLDER]
 *		    [FILE|FOLDER ...]
 *		-p  instead: what pfctl printed must compile to itself
 *		-u  write what came out into the cases
 *		-v  name the cases that pass too
 *		-b  where programs are found, first (may be repeated; without
 *		    it: where the usual build leaves them)
 *		-j  that many cases at a time
 *		-x  run nothing; write rulesets and captures into the folder,
 *		    as inputs for the fuzzers that take them
 *
 * Each case gets a folder of its own, removed afterwards.  N workers take
 * every Nth case; what one has to say goes to a file of its own, so that the
 * report does not depend on who was faster.
 */
#define _XOPEN_SOURCE 700		/* nftw() */
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"

#define DEFAULT_RUN	"pfctl --host \"$host\" -o none -nv -f pf.conf"
#define REPLAY	"pfkit replay --host \"$host\" -f pf.conf -o none " \
    "--verdicts verdicts --states states --labels labels --rules rules "
#define PRINT_AGAIN	"pfctl --host \"$host\" -o none -nv -f -"
#define TIMED_OUT	(-1)

static struct settings {
	bool	 fixed_point, update, verbose;
	const char *seeds;		/* -x */
	int	 workers;
	unsigned seconds;
} set = { .workers = 2, .seconds = 60 };

static struct list {
	char	**v;
	size_t	 n;
} cases;

struct result {
	struct text out, err;
	int	 status;
};

struct counts { unsigned passed, failed; };

/* Finding the cases. */

static int
found(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;

	(void)st;
	if (type != FTW_F || name[0] == '.' || strchr(name, '~') != NULL)
		return 0;
	cases.v = xrealloc(cases.v, (cases.n + 1) * sizeof(*cases.v));
	cases.v[cases.n++] = xstrndup(path, strlen(path));
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A case's name on its own stands for the place of it, too. */
static void
find_cases(const char *path)
{
	if (nftw(path, found, 16, FTW_PHYS) == 0)
		return;
	fprintf(stderr, "golden: %s: %s\n", path, strerror(errno));
	exit(2);
}

static int
unlink_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* Running a command in the folder of the case. */

static void
child(const char *command, const char *input)
{
	int in = open(input == NULL ? "/dev/null" : input, O_RDONLY);
	int out = open(".out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int err = open(".err", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	setpgid(0, 0);
	if (in == -1 || out == -1 || err == -1 || dup2(in, 0) == -1 ||
	    dup2(out, 1) == -1 || dup2(err, 2) == -1)
		_exit(126);
	close(in), close(out), close(err);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static volatile sig_atomic_t alarmed;

static void
on_alarm(int sig)
{
	(void)sig;
	alarmed = 1;
}

static int
wait_for(pid_t pid)
{
	int status = 0;

	alarmed = 0;
	alarm(set.seconds);
	while (waitpid(pid, &status, 0) == -1 && !alarmed)
		;
	alarm(0);
	if (alarmed) {
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		return TIMED_OUT;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

static struct result
run_command(const char *command, const char *input)
{
	struct result r;
	pid_t pid = fork();

	if (pid == 0)
		child(command, input);
	r.status = pid == -1 ? 126 : wait_for(pid);
	r.out = read_file(".out");
	r.err = read_file(".err");
	return r;
}

static void
result_free(struct result *r)
{
	free(r->out.s);
	free(r->err.s);
}

/* Options alone mean: the usual command, with them. */
static char *
full_command(const struct section *section)
{
	const char *arg = section->arg;
	char *s = xrealloc(NULL, strlen(arg) + sizeof(DEFAULT_RUN) +
	    sizeof(REPLAY) + 128);

	if (section->kind == SECTION_REPLAY)
		sprintf(s, "%s %s %s trace.pcap >summary", REPLAY,
		    access("trace.pcap.directions", R_OK) == 0 ?
		    "--directions trace.pcap.directions" : "", arg);
	else if (*arg == '\0' || *arg == '-')
		sprintf(s, "%s %s", DEFAULT_RUN, arg);
	else
		strcpy(s, arg);
	return s;
}

/* Comparing. */

static void
show_difference(const char *what, const char *want, const char *have)
{
	char label[256];
	pid_t pid;

	if (!write_file(".want", want, strlen(want)) ||
	    !write_file(".have", have, strlen(have)))
		return;
	fflush(stdout);
	if ((pid = fork()) == 0) {
		snprintf(label, sizeof(label), "diff -u .want .have | "
		    "sed -e '1s/.*/--- expected %s/' "
		    "-e '2s/.*/+++ actual %s/'", what, what);
		execl("/bin/sh", "sh", "-c", label, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static bool
same(const char *what, const struct section *want, struct text have)
{
	const char *text = want == NULL ? "" : want->body.s;

	if (text_matches(text, have.s))
		return true;
	show_difference(what, text, have.s);
	return false;
}

static bool
same_outputs(const struct golden *g, size_t i)
{
	size_t end = golden_next_step(g, i);
	bool ok = true;

	for (i++; i < end; i++) {
		const struct section *s = &g->sections[i];
		struct text t;

		if (s->kind != SECTION_OUTPUT)
			continue;
		t = read_file(s->arg);
		ok = same("output", s, t) && ok;
		free(t.s);
	}
	return ok;
}

static bool
check_run(const struct golden *g, size_t i, const struct result *r)
{
	struct expected e = golden_expected(g, i);
	bool ok = true;

	ok = same("stdout", e.out, r->out) && ok;
	ok = same("stderr", e.err, r->err) && ok;
	ok = same_outputs(g, i) && ok;
	if (r->status == TIMED_OUT) {
		printf("no end within %u s\n", set.seconds);
		ok = false;
	} else if (e.status != r->status) {
		printf("exit status %d, expected %d\n", r->status, e.status);
		ok = false;
	}
	if (!ok)
		printf("... of: %s\n", g->sections[i].arg);
	return ok;
}

/* Writing what came out into the case. */

/* What is expected and fits, with its %%, stays. */
static void
put(struct golden *g, size_t *at, enum section_kind kind, const char *arg,
    const struct section *want, struct text have)
{
	struct text t;

	if (want != NULL && text_matches(want->body.s, have.s))
		have = want->body;
	t.s = xstrndup(have.s, have.len);
	t.len = have.len;
	if (t.len == 0 && kind != SECTION_STATUS && kind != SECTION_OUTPUT)
		free(t.s);
	else
		golden_insert(g, (*at)++, kind, arg, t);
}

static void
update_run(struct golden *g, size_t i, const struct result *r)
{
	struct expected e = golden_expected(g, i);
	struct text none = { xstrndup("", 0), 0 };
	size_t end = golden_next_step(g, i), at = end;
	char status[16];

	snprintf(status, sizeof(status), "%d", r->status);
	put(g, &at, SECTION_STDOUT, "", e.out, r->out);
	e = golden_expected(g, i);
	put(g, &at, SECTION_STDERR, "", e.err, r->err);
	for (size_t j = i + 1; j < end; j++) {
		struct section want = g->sections[j];
		struct text t;

		if (want.kind != SECTION_OUTPUT)
			continue;
		t = read_file(want.arg);
		put(g, &at, SECTION_OUTPUT, want.arg, &want, t);
		free(t.s);
	}
	if (r->status != 0)
		put(g, &at, SECTION_STATUS, status, NULL, none);
	free(none.s);
	for (; end > i + 1; end--)
		golden_remove(g, end - 1);
}

/* The steps of one case, in its folder. */

static bool
make_capture(const struct section *s)
{
	char *command = xrealloc(NULL, strlen(s->arg) + 64);
	struct result r;
	bool ok;

	ok = write_file(".capture", s->body.s, s->body.len);
	sprintf(command, "mkpcap '%s'", s->arg);
	r = run_command(command, ".capture");
	ok = ok && r.status == 0;
	if (!ok)
		printf("capture %s: %s", s->arg, r.err.s);
	result_free(&r);
	free(command);
	return ok;
}

static bool
do_run(struct golden *g, size_t i)
{
	char *command = full_command(&g->sections[i]);
	struct result r = run_command(command, NULL);
	bool ok = true;

	if (set.update)
		update_run(g, i, &r);
	else
		ok = check_run(g, i, &r);
	result_free(&r);
	free(command);
	return ok;
}

/* Only what the plain command prints: no numbers, no services by name. */
static bool
do_fixed_point(const struct golden *g, size_t i)
{
	const char *arg = g->sections[i].arg;
	struct result first, second;
	char *command;
	bool ok = true;

	if ((*arg != '\0' && *arg != '-') || strstr(arg, "-v") != NULL ||
	    strstr(arg, "-P") != NULL || golden_has(g, SECTION_NOT_FIXED))
		return true;
	command = full_command(&g->sections[i]);
	first = run_command(command, NULL);
	free(command);
	if (first.status == 0 && write_file(".first", first.out.s,
	    first.out.len)) {
		second = run_command(PRINT_AGAIN, ".first");
		if (second.status != 0 ||
		    strcmp(first.out.s, second.out.s) != 0) {
			printf("%s", second.err.s);
			show_difference("printed again", first.out.s,
			    second.out.s);
			ok = false;
		}
		result_free(&second);
	}
	result_free(&first);
	return ok;
}

static bool
do_step(struct golden *g, size_t i)
{
	struct section *s = &g->sections[i];

	switch (s->kind) {
	case SECTION_FILE:
		if (write_file(s->arg, s->body.s, s->body.len))
			return true;
		printf("%s: %s\n", s->arg, strerror(errno));
		return false;
	case SECTION_CAPTURE:
		return set.fixed_point || make_capture(s);
	case SECTION_REPLAY:
		return set.fixed_point || do_run(g, i);
	case SECTION_RUN:
		return set.fixed_point ? do_fixed_point(g, i) : do_run(g, i);
	case SECTION_STDOUT: case SECTION_STDERR: case SECTION_OUTPUT:
	case SECTION_STATUS: case SECTION_NOT_FIXED:
		break;
	}
	return true;
}

static bool
run_case(const char *path, int home)
{
	char folder[] = "/tmp/golden.XXXXXX";
	struct golden g;
	bool ok = golden_read(&g, path);

	if (ok && (mkdtemp(folder) == NULL || chdir(folder) == -1)) {
		perror(folder);
		ok = false;
	}
	/* Also after a failure: the rest may tell more. */
	for (size_t i = 0; g.nsections > 0 && i < g.nsections;
	    i = golden_next_step(&g, i))
		ok = do_step(&g, i) && ok;
	if (fchdir(home) == -1)
		exit(2);
	if (set.update && ok)
		ok = golden_write(&g);
	golden_free(&g);
	nftw(folder, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	return ok;
}

static void
work(int worker, FILE *report)
{
	struct counts n = { 0, 0 };
	int home = open(".", O_RDONLY);

	for (size_t i = (size_t)worker; i < cases.n;
	    i += (size_t)set.workers) {
		bool ok = run_case(cases.v[i], home);

		n.passed += ok;
		n.failed += !ok;
		if (!ok || set.verbose)
			printf("%s %s\n", ok ? "ok  " : "FAIL", cases.v[i]);
	}
	fflush(stdout);
	rewind(report);
	fwrite(&n, sizeof(n), 1, report);
	fflush(report);
}

/* Workers, and their reports. */

struct worker {
	pid_t	 pid;
	FILE	*said, *report;
};

static void
start_worker(struct worker *w, int i)
{
	w->said = tmpfile();
	w->report = tmpfile();
	if (w->said == NULL || w->report == NULL ||
	    (w->pid = fork()) == -1) {
		perror("golden");
		exit(2);
	}
	if (w->pid == 0) {
		dup2(fileno(w->said), 1);
		dup2(fileno(w->said), 2);
		work(i, w->report);
		exit(0);
	}
}

static void
finish_worker(struct worker *w, struct counts *total)
{
	struct counts n = { 0, 1 };	/* if it died */
	int c;

	waitpid(w->pid, NULL, 0);
	rewind(w->said);
	while ((c = getc(w->said)) != EOF)
		putchar(c);
	rewind(w->report);
	if (fread(&n, sizeof(n), 1, w->report) != 1)
		printf("a worker died\n");
	total->passed += n.passed;
	total->failed += n.failed;
	fclose(w->said);
	fclose(w->report);
}

static struct counts
run_all(void)
{
	struct worker *w = xrealloc(NULL, (size_t)set.workers * sizeof(*w));
	struct counts total = { 0, 0 };
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	for (int i = 0; i < set.workers; i++)
		start_worker(&w[i], i);
	for (int i = 0; i < set.workers; i++)
		finish_worker(&w[i], &total);
	free(w);
	return total;
}

/* Inputs for fuzzers: FOLDER/NAME of a fuzzer/NUMBER of a case. */

static void
write_seed(const char *fuzzer, size_t number, const struct text *t)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", set.seeds, fuzzer);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%zu", set.seeds, fuzzer, number);
	if (!write_file(path, t->s, t->len)) {
		perror(path);
		exit(2);
	}
}

static void
write_capture_seed(size_t number, const struct section *s)
{
	struct text made;
	struct result r;

	if (!write_file(".capture", s->body.s, s->body.len))
		return;
	r = run_command("mkpcap .made", ".capture");
	result_free(&r);
	made = read_file(".made");
	if (made.len > 0)
		write_seed("pcap", number, &made);
	free(made.s);
	remove(".capture"), remove(".out"), remove(".err");
	remove(".made"), remove(".made.directions");
}

static bool
ends_in(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && strcmp(s + n - m, tail) == 0;
}

/*
 * Rulesets, test files, and what rulesets name: that one behind a byte that
 * says what it is to be (fuzz_files.c).
 */
static void
write_file_seed(size_t number, size_t file, const struct section *s)
{
	struct text t;

	if (strcmp(s->arg, "pf.conf") == 0) {
		write_seed("parser", number, &s->body);
		write_seed("compiler", number, &s->body);
	} else if (ends_in(s->arg, ".test"))
		write_seed("test", number * 100 + file, &s->body);
	else if (s->body.len > 0) {
		t.len = s->body.len + 1;
		t.s = xrealloc(NULL, t.len);
		t.s[0] = (char)('0' + number % 6);
		memcpy(t.s + 1, s->body.s, s->body.len);
		write_seed("files", number * 100 + file, &t);
		free(t.s);
	}
}

static int
write_seeds(void)
{
	struct golden g;

	for (size_t n = 0; n < cases.n; n++) {
		if (!golden_read(&g, cases.v[n]))
			return 1;
		for (size_t i = 0; i < g.nsections; i++) {
			const struct section *s = &g.sections[i];

			if (s->kind == SECTION_CAPTURE)
				write_capture_seed(n, s);
			if (s->kind == SECTION_FILE)
				write_file_seed(n, i, s);
		}
		golden_free(&g);
	}
	return 0;
}

/* What the commands find in their environment. */

static void
prepend_path(const char *dir)
{
	const char *path = getenv("PATH");
	char real[PATH_MAX], *s;

	if (realpath(dir, real) == NULL) {
		perror(dir);
		exit(2);
	}
	s = xrealloc(NULL, strlen(real) + strlen(path) + 2);
	sprintf(s, "%s:%s", real, path);
	setenv("PATH", s, 1);
	free(s);
}

static void
set_environment(void)
{
	char host[PATH_MAX];

	if (realpath("tests/golden/host", host) == NULL) {
		fprintf(stderr, "golden: run me from the top folder\n");
		exit(2);
	}
	setenv("host", host, 1);
	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C", 1);
	setenv("NO_COLOR", "1", 1);
}

static void
parse_options(int argc, char **argv)
{
	static const char *const usual[] = { "build/examples",
	    "build/tests/captures", "build/bin" };
	bool found_told = false;
	int c;

	while ((c = getopt(argc, argv, "b:j:pt:uvx:")) != -1) {
		switch (c) {
		case 'b': prepend_path(optarg); found_told = true; break;
		case 'j': set.workers = atoi(optarg); break;
		case 'p': set.fixed_point = true; break;
		case 't': set.seconds = (unsigned)atoi(optarg); break;
		case 'u': set.update = true; break;
		case 'v': set.verbose = true; break;
		case 'x': set.seeds = optarg; break;
		default:
			exit(2);
		}
	}
	for (size_t i = 0; !found_told && i < 3; i++)
		prepend_path(usual[i]);
	if (set.workers < 1)
		set.workers = 1;
}

int
main(int argc, char **argv)
{
	struct counts total;

	set_environment();
	parse_options(argc, argv);
	if (optind == argc)
		find_cases("tests/golden/cases");
	for (; optind < argc; optind++)
		find_cases(argv[optind]);
	qsort(cases.v, cases.n, sizeof(*cases.v), by_name);
	if (set.seeds != NULL)
		return write_seeds();
	total = run_all();
	printf("%u passed, %u failed\n", total.passed, total.failed);
	for (size_t i = 0; i < cases.n; i++)
		free(cases.v[i]);
	free(cases.v);
	return total.failed != 0;
}
