/*
 * Compiling a pf.conf: from text to a ruleset that can be printed, optimised
 * and turned into an image.
 *
 * The library never prints and never exits.  What pfctl would have written
 * to standard output while it read the file (`-v`: macros, options, tables)
 * and to standard error (diagnostics) is kept in the result.
 *
 * Threads: a pfk_ruleset belongs to one thread at a time; different ones
 * are independent.  The pfk_host may be shared.
 */
#ifndef PFKIT_COMPILE_H
#define PFKIT_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/alloc.h>
#include <pfkit/host.h>

struct pfk_ruleset;			/* the result of a compilation */

enum pfk_error {
	PFK_OK = 0,
	PFK_ERR_NOMEM = -1,	/* allocator or options.max_memory exhausted */
	PFK_ERR_INVALID = -2,	/* the ruleset is wrong: see diagnostics */
	PFK_ERR_IO = -3,	/* the main file cannot be read: diagnostics */
	PFK_ERR_IMAGE = -4,	/* not an image, or a damaged one */
	PFK_ERR_LIMIT = -5,	/* exact.h: a limit of the analysis is reached */
	PFK_ERR_STOPPED = -6	/* exact.h: the caller's stop() said so */
};
const char *pfk_strerror(int);

enum pfk_optimize { PFK_OPT_FROM_FILE = -1, PFK_OPT_NONE, PFK_OPT_BASIC,
    PFK_OPT_PROFILE };

/* Where the texts come from; NULL functions mean the file system. */
struct pfk_files {
	/*
	 * Reads all of path into memory from alloc(); returns 0 or errno.
	 * "-" is standard input.
	 */
	int	(*read)(void *ctx, const char *path,
		    const struct pfk_allocator *, char **text, size_t *len);
	void	*ctx;
};

struct pfk_compile_options {
	const struct pfk_allocator *allocator;	/* NULL: libc */
	const struct pfk_host *host;		/* required */
	const struct pfk_files *files;		/* NULL: the file system */
	const char	*path;			/* of pf.conf; "-": stdin */
	const char	*anchor;		/* -a: path, or NULL */
	const char *const *defines;		/* -D name=value, NULL-ended */
	enum pfk_optimize optimize;		/* -o */
	unsigned	 verbose;		/* -v counted: 0, 1, 2 */
	bool		 debug;			/* -g */
	bool		 port_names;		/* -P: services by name */
	bool		 numeric_hosts;		/* -N: no host names at all */
	bool		 loaded;		/* names of automatic tables as
						   after loading, not as -n */
	bool		 text_only;		/* no image will be asked for, or
						   one without origins will do:
						   a quarter less memory */
	size_t		 max_memory;		/* 0: 4 GB */
	unsigned	 max_include_depth;	/* 0: 64 */
	unsigned	 max_rules;		/* combinations of list
						   elements; 0: 4000000 */
	uint64_t	 seed;			/* for random keys and names */
	bool		 random;		/* take the seed from the system */
};

/*
 * => *out is set also for a wrong ruleset: its diagnostics and the text read
 *    so far are in it.  With PFK_ERR_NOMEM it holds the message only (which
 *    limit, and where), and stays unset if there is no room even for that.
 */
int	 pfk_compile(const struct pfk_compile_options *,
	    struct pfk_ruleset **out);
void	 pfk_ruleset_free(struct pfk_ruleset *);	/* NULL is fine */

/* The text pfctl prints to standard output, in the order of printing. */
enum pfk_print_flags { PFK_PRINT_NUMBERS = 1 /* @N, as -vv */ ,
    PFK_PRINT_PORT_NAMES = 2 /* -P */ };
const char *pfk_ruleset_text(struct pfk_ruleset *, size_t *len);

/* Diagnostics. */
enum pfk_render { PFK_RENDER_PLAIN, PFK_RENDER_RICH, PFK_RENDER_RICH_COLOR,
    PFK_RENDER_JSON };
/* The whole report in one of the forms; never NULL ("" if there is none). */
const char *pfk_ruleset_diagnostics(struct pfk_ruleset *, enum pfk_render,
	    size_t *len);
unsigned pfk_ruleset_errors(const struct pfk_ruleset *);
unsigned pfk_ruleset_warnings(const struct pfk_ruleset *);

#endif
