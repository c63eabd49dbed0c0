/*
 * pfkit: which command is wanted, and help.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/version.h>

#include "pfkit.h"

const char program_name[] = "pfkit";

static int command_help(int, char **);

static const struct command {
	const char *name;
	int	(*run)(int, char **);
	const char *what;
} commands[] = {
	{ "check", command_check, "read a pf.conf and say what is wrong" },
	{ "compile", command_compile, "turn a pf.conf into an image (.pfi)" },
	{ "cover", command_cover, "say what was exercised of the rules" },
	{ "diff", command_diff, "say what two rulesets decide differently" },
	{ "disasm", command_disasm, "show the code of an image" },
	{ "lint", command_lint, "find what is legal and surely wrong" },
	{ "replay", command_replay, "run captures through a ruleset" },
	{ "snapshot", command_snapshot,
	    "print the script that gathers a firewall's facts" },
	{ "test", command_test, "check what a ruleset is expected to do" },
	{ "trace", command_trace, "say which rule decides, and why" },
	{ "help", command_help, "say how a command is used" },
};
#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void
print_usage(FILE *f)
{
	fputs("usage: pfkit COMMAND [option ...] [argument ...]\n\n", f);
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].what);
	fputs("\nHow a command is used: pfkit help COMMAND\n", f);
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static int
unknown_command(const char *name)
{
	warning("there is no command `%s'", name);
	print_usage(stderr);
	return STATUS_USAGE;
}

static int
command_help(int argc, char **argv)
{
	static char option[] = "--help";
	char *words[3] = { NULL, option, NULL };
	const struct command *c;

	if (argc < 2) {
		print_usage(stdout);
		return 0;
	}
	c = find_command(argv[1]);
	if (c == NULL)
		return unknown_command(argv[1]);
	if (c->run == command_help)
		return command_help(1, argv);
	words[0] = argv[1];
	return c->run(2, words);
}

void
usage_error(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s %s: ", program_name, command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nHow it is used: pfkit help %s\n", command);
	exit(STATUS_USAGE);
}

void
option_error(const char *command, int c, int argc, char **argv)
{
	const char *what = c == ':' ? "needs an argument" : "is not known";

	if (optopt > 0 && optopt < 256)
		usage_error(command, "option -%c %s", optopt, what);
	usage_error(command, "option %s %s",
	    optind > 0 && optind <= argc ? argv[optind - 1] : "", what);
}

int
main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("pfkit %s\n", PFK_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return command_help(1, argv);
	c = find_command(argv[1]);
	return c != NULL ? c->run(argc - 1, argv + 1) :
	    unknown_command(argv[1]);
}
