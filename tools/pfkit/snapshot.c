/*
 * pfkit snapshot: the script that gathers a firewall's facts for --host.
 */
#include <stdio.h>
#include <string.h>

#include <pfkit/host.h>

#include "pfkit.h"

static const char help[] =
    "usage: pfkit snapshot\n"
    "\n"
    "Prints a shell script.  Run on a firewall, it makes a folder with all\n"
    "that a ruleset's meaning depends on there; --host FOLDER then lets any\n"
    "machine read rules as that firewall would:\n"
    "\n"
    "  pfkit snapshot | ssh firewall sh -s -- facts\n"
    "  scp -r firewall:facts .\n"
    "  pfkit check --host facts -f pf.conf\n";

int
command_snapshot(int argc, char **argv)
{
	const char *text = argc > 1 ? help : pfk_host_snapshot();

	if (argc > 2 || (argc > 1 && strcmp(argv[1], "--help") != 0))
		usage_error("snapshot", "takes no arguments");
	if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
		fatal("standard output: cannot be written");
	return 0;
}
