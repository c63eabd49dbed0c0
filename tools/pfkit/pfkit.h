/*
 * pfkit: one program, several commands.
 *
 *	main.c		which command
 *	ruleset.c	the options that say which ruleset, for all commands
 *	check.c, compile.c, disasm.c, snapshot.c
 *	diff/		what changed for packets
 *	lint/		what is legal and surely wrong
 *	replay/		captures through a ruleset
 *	test/		expectations that run
 *	trace/		one packet, and why
 *	cover/		what was exercised of a ruleset
 *
 * A command gets its own argv: argv[0] is its name.  It returns the exit
 * status: 0 done, 1 wrong (ruleset, file, system), 2 wrong command line.
 */
#ifndef PFKIT_PFKIT_H
#define PFKIT_PFKIT_H

#include "../common/report.h"

#define STATUS_USAGE	2

int	 command_check(int argc, char **argv);
int	 command_compile(int argc, char **argv);
int	 command_cover(int argc, char **argv);
int	 command_diff(int argc, char **argv);
int	 command_disasm(int argc, char **argv);
int	 command_lint(int argc, char **argv);
int	 command_replay(int argc, char **argv);
int	 command_snapshot(int argc, char **argv);
int	 command_test(int argc, char **argv);
int	 command_trace(int argc, char **argv);

/* Ends the program: "pfkit: message", and where to read more. */
void	 usage_error(const char *command, const char *, ...)
	    __attribute__((__noreturn__, __format__(__printf__, 2, 3)));
/* The same for what getopt_long() did not like (it returned c). */
void	 option_error(const char *command, int c, int argc, char **argv)
	    __attribute__((__noreturn__));

#endif
