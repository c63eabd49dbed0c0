/*
 * The command line of pfctl: OpenBSD's options, and pfkit's long ones.
 */
#ifndef PFCTL_OPTIONS_H
#define PFCTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <pfkit/compile.h>

#include "../common/diagnostics.h"
#include "../common/host_options.h"

struct options {
	struct pfk_compile_options compile;	/* path NULL: no -f */
	enum diagnostics diagnostics;
	bool		 no_action;		/* -n */
	bool		 reverse_dns;		/* -r */
	/* an option that acts on a running filter; with -n only the first */
	bool		 needs_filter, needs_filter_unless_n;
	char		*anchor;		/* -a */
	const char	*table, *table_command;	/* -t, -T */
	bool		 modifies, shows;	/* what -a has to go with */
	struct host_options host;
	const char	**defines;		/* -D, NULL-ended */
	size_t		 ndefines;
};

/*
 * Fills *o from the command line; messages go to standard error.
 * => Exits if the options are wrong (1), or ask for help or version (0).
 *    *o points into argv; options_free() when done.
 */
void	 options_parse(struct options *, int argc, char **argv);
void	 options_free(struct options *);

#endif
