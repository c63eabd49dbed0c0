/*
 * Which ruleset, for which firewall: the options that commands share, and
 * what they lead to.
 */
#ifndef PFKIT_RULESET_H
#define PFKIT_RULESET_H

#include <stdbool.h>

#include <pfkit/compile.h>
#include <pfkit/image.h>

#include "../common/diagnostics.h"
#include "../common/host_options.h"

#define RULESET_SHORT_OPTIONS	"f:a:D:o:N"
enum ruleset_option { OPT_DIAGNOSTICS = OPT_OWN, OPT_SEED, OPT_LOWERING,
    OPT_HELP, OPT_COMMAND /* a command's own begin here */ };
#define RULESET_LONG_OPTIONS						\
	HOST_LONG_OPTIONS,						\
	{ "diagnostics",	required_argument, NULL, OPT_DIAGNOSTICS }, \
	{ "seed",		required_argument, NULL, OPT_SEED },	\
	{ "lowering",		required_argument, NULL, OPT_LOWERING }, \
	{ "help",		no_argument,	   NULL, OPT_HELP }

#define RULESET_OPTIONS_HELP						\
    "  -a ANCHOR        the rules are those of this anchor\n"		\
    "  -D NAME=VALUE    define a macro\n"				\
    "  -o LEVEL         optimise as pfctl does: none, basic (the default),\n" \
    "                   profile\n"					\
    "  -N               do not look up host names\n"			\
    "  --lowering WHICH auto (the default), plain (rule after rule), fast\n" \
    "  --seed N         random names, keys and choices follow from N\n"	\
    "  --diagnostics FORM\n"						\
    "                   plain (as pfctl), rich (with the line and carets),\n" \
    "                   json\n"

struct ruleset_options {
	const char	*command;		/* for messages */
	struct pfk_compile_options compile;
	struct host_options host;
	enum diagnostics diagnostics;
	bool		 no_warnings;		/* the command has its own; ... */
	char		**warnings;		/* ... and wants these as JSON, to
						   be freed; or NULL */
	enum pfk_lowering lowering;
	uint64_t	 seed;
	const char	**defines;
	unsigned	 ndefines;
};

void	 ruleset_options_init(struct ruleset_options *, const char *command,
	    int argc);
void	 ruleset_options_free(struct ruleset_options *);
/*
 * Takes the option if it is one of these; wrong arguments end the program.
 * -f is the command's: it sets compile.path.
 */
bool	 ruleset_options_take(struct ruleset_options *, int option,
	    const char *arg);
/* A number without sign; ends the program otherwise. */
uint64_t number_argument(const char *command, const char *what, const char *arg,
	    uint64_t max);

/*
 * Compiles compile.path for the host; diagnostics go to standard error.
 * => NULL: the ruleset is wrong, and that has been said.
 */
struct pfk_ruleset *ruleset_compile(struct ruleset_options *,
	    const struct pfk_host *);
/* Whether the file begins as an image does. */
bool	 is_image_file(const char *path);
/* The same for path: a pf.conf, or an image.  NULL: that has been said. */
struct pfk_image *ruleset_image(struct ruleset_options *,
	    const struct pfk_host *);

#endif
