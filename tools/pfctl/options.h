/*
 * The command line of pfctl: OpenBSD's options, and pfkit's long ones.
 */
#ifndef PFCTL_OPTIONS_H
#define PFCTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <pfkit/compile.h>
#include <pfkit/host.h>

/* How diagnostics are shown: --diagnostics, or what suits the terminal. */
enum diagnostics { DIAGNOSTICS_AUTO, DIAGNOSTICS_PLAIN, DIAGNOSTICS_RICH,
    DIAGNOSTICS_JSON };

/* A file or folder with host facts. */
struct host_file {
	int	(*load)(struct pfk_host *, const char *, char *);
	const char *path;
};

struct options {
	struct pfk_compile_options compile;	/* path NULL: no -f */
	enum diagnostics diagnostics;
	bool		 no_action;		/* -n */
	bool		 reverse_dns;		/* -r */
	bool		 dns;			/* --dns */
	/* an option that acts on a running filter; with -n only the first */
	bool		 needs_filter, needs_filter_unless_n;
	char		*anchor;		/* -a */
	const char	*table, *table_command;	/* -t, -T */
	bool		 modifies, shows;	/* what -a has to go with */
	struct host_file *host_files;
	size_t		 nhost_files;
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

/* pfctl's way to speak: "pfctl: message". */
void	 warning(const char *, ...)
	    __attribute__((__format__(__printf__, 1, 2)));
void	 fatal(const char *, ...)
	    __attribute__((__noreturn__, __format__(__printf__, 1, 2)));

#endif
