/*
 * What tools/pfkit/main.c has, for targets that are linked without it: mistakes
 * of a command line.  None of those is a file's.
 */
#include <stdlib.h>

#include "tools/pfkit/pfkit.h"

void
usage_error(const char *command, const char *fmt, ...)
{
	(void)command;
	(void)fmt;
	abort();
}

void
option_error(const char *command, int c, int argc, char **argv)
{
	(void)command;
	(void)c;
	(void)argc;
	(void)argv;
	abort();
}
