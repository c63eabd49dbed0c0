/*
 * pfkit compile: from a pf.conf to an image in a file.
 *
 * The image is written beside its place and then moved there, so that at no
 * time a half-written one is found under the name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pfkit.h"
#include "ruleset.h"
#include "shared.h"

static const char help[] =
    "usage: pfkit compile [option ...] -f pf.conf -O rules.pfi\n"
    "\n"
    "Turns a ruleset into an image, which `pfkit replay' and programs that\n"
    "use the library run without compiling it again.  The same rules and facts\n"
    "give the same bytes.\n"
    "\n"
    "  -f FILE          the rules (\"-\": standard input)\n"
    "  -O FILE, --output FILE\n"
    "                   the image (\"-\": standard output); `-o FILE.pfi' too\n"
    RULESET_OPTIONS_HELP
    "  -v               tell what keeps `replay -j' to one engine\n"
    "\n"
    HOST_OPTIONS_HELP;

static const struct option long_options[] = {
	RULESET_LONG_OPTIONS,
	{ "output", required_argument, NULL, 'O' },
	{ NULL, 0, NULL, 0 }
};

/* -o is a level (as pfctl's) or, as compilers have it, the output. */
static bool
is_level(const char *arg)
{
	return strcmp(arg, "none") == 0 || strcmp(arg, "basic") == 0 ||
	    strcmp(arg, "profile") == 0;
}

static int
parse(struct ruleset_options *o, const char **output, int argc, char **argv)
{
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":vO:" RULESET_SHORT_OPTIONS,
	    long_options, NULL)) != -1) {
		if (c == OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c == 'O' || (c == 'o' && !is_level(optarg)))
			*output = optarg;
		else if (c == 'v')
			o->compile.verbose++;
		else if (!ruleset_options_take(o, c, optarg))
			option_error("compile", c, argc, argv);
	}
	if (o->compile.path == NULL && optind < argc)
		o->compile.path = argv[optind++];
	if (o->compile.path == NULL || *output == NULL)
		usage_error("compile", "%s", o->compile.path == NULL ?
		    "which pf.conf? (-f)" : "where shall the image go? (-O)");
	if (optind < argc)
		usage_error("compile", "one file at a time: %s", argv[optind]);
	return -1;
}

static int
write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* What open(path, O_CREAT) would give: mkstemp() gives 0600. */
static int
usual_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask);
}

/* Whether the name is free or a plain file's: others are not replaced. */
static bool
replaceable(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

/* 0, or -1 with errno set; nothing stays behind on failure. */
static int
write_beside(const char *path, const void *bytes, size_t len)
{
	size_t size = strlen(path) + sizeof(".XXXXXX");
	char *name = xcalloc(1, size);
	int fd, error = 0;

	snprintf(name, size, "%s.XXXXXX", path);
	fd = mkstemp(name);
	if (fd == -1) {
		error = errno;
	} else {
		if (write_all(fd, bytes, len) != 0 || usual_mode(fd) != 0)
			error = errno;
		if (close(fd) != 0 && error == 0)
			error = errno;
		if (error == 0 && rename(name, path) != 0)
			error = errno;
		if (error != 0)
			unlink(name);
	}
	free(name);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* Into a device, a pipe: as it is. */
static int
write_into(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY), error;

	if (fd == -1)
		return -1;
	error = write_all(fd, bytes, len) != 0 ? errno : 0;
	if (close(fd) != 0 && error == 0)
		error = errno;
	errno = error;
	return error == 0 ? 0 : -1;
}

static int
write_image(const struct pfk_image *image, const char *path)
{
	size_t len;
	const void *bytes = pfk_image_bytes(image, &len);

	if (strcmp(path, "-") == 0)
		return write_all(STDOUT_FILENO, bytes, len);
	return replaceable(path) ? write_beside(path, bytes, len) :
	    write_into(path, bytes, len);
}

static void
tell_shared(const struct pfk_image *image)
{
	if (shared_show(stderr, "", image) == 0)
		fputs("several engines may share it (replay -j)\n", stderr);
}

static int
compile(struct ruleset_options *o, const char *output)
{
	struct pfk_host *host;
	struct pfk_image *image;
	int status = 1;

	if (is_image_file(o->compile.path))
		fatal("%s: is an image already", o->compile.path);
	host = host_options_load(&o->host);
	image = ruleset_image(o, host);
	if (image != NULL && o->compile.verbose > 0)
		tell_shared(image);
	if (image != NULL && write_image(image, output) != 0)
		warning("%s: %s", output, strerror(errno));
	else if (image != NULL)
		status = 0;
	pfk_image_free(image);
	pfk_host_free(host);
	return status;
}

int
command_compile(int argc, char **argv)
{
	struct ruleset_options o;
	const char *output = NULL;
	int status;

	ruleset_options_init(&o, "compile", argc);
	status = parse(&o, &output, argc, argv);
	if (status == -1)
		status = compile(&o, output);
	ruleset_options_free(&o);
	return status;
}
