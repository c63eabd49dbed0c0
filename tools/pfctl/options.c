/*
 * Reading the command line.
 *
 * The short options are pfctl(8)'s, with its abbreviations ("-s ru" is
 * "-s rules") and its messages; all of them are understood, so that scripts
 * written for the firewall run here too, and those that would touch a
 * running filter are remembered as such.  The long options are pfkit's own.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/version.h>

#include "options.h"
#include "../common/report.h"

#define SHORT_OPTIONS	"+:a:dD:eqf:F:ghi:k:K:L:Nno:Pp:R:rS:s:t:T:vV:x:z"
#define MAX_RDOMAIN	255

static const char *const flush_modifiers[] = {
	"rules", "Sources", "states", "info", "Tables", "osfp", "Reset",
	"all", NULL
};
static const char *const show_modifiers[] = {
	"queue", "rules", "Anchors", "Sources", "states", "info",
	"Interfaces", "labels", "timeouts", "memory", "Tables", "osfp",
	"all", NULL
};
static const char *const table_commands[] = {
	"kill", "flush", "add", "delete", "replace", "show",
	"test", "zero", "expire", NULL
};
static const char *const debug_levels[] = {
	"debug", "info", "notice", "warning",
	"error", "crit", "alert", "emerg", NULL
};
static const char *const optimizations[] = {
	"none", "basic", "profile", NULL
};

enum long_option { OPT_DIAGNOSTICS = OPT_OWN, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
	HOST_LONG_OPTIONS,
	{ "diagnostics",	required_argument, NULL, OPT_DIAGNOSTICS },
	{ "help",		no_argument,	   NULL, OPT_HELP },
	{ "version",		no_argument,	   NULL, OPT_VERSION },
	{ NULL,			0,		   NULL, 0 }
};

static const char usage_text[] =
    "usage: pfctl [-deghNnPqrvz] [-a anchor] [-D macro=value] [-F modifier]"
    " [-f file]\n"
    "\t[-i interface] [-K key] [-k key] [-L statefile] [-o level]\n"
    "\t[-p device] [-S statefile] [-s modifier [-R id]]\n"
    "\t[-t table -T command [address ...]] [-V rdomain] [-x level]\n";

static const char help_text[] =
    "\n"
    "Reads a pf.conf and shows what it means, on any machine (-n is needed:\n"
    "no running filter is connected).\n"
    "\n"
    "  -n -f FILE       check FILE (\"-\": standard input)\n"
    "  -v, -vv          show the rules; with numbers\n"
    "  -o LEVEL         optimise: none, basic (the default), profile\n"
    "  -D NAME=VALUE    define a macro\n"
    "  -a ANCHOR        load the rules into ANCHOR\n"
    "  -P               show services by name\n"
    "  -N               do not resolve host names\n"
    "\n"
    HOST_OPTIONS_HELP
    "\n"
    "  --diagnostics=plain|rich|json\n"
    "                   how messages look on standard error: as pfctl's,\n"
    "                   with the line and carets (the default on a\n"
    "                   terminal), or for programs\n"
    "  --help, --version\n";

static void __attribute__((__noreturn__))
usage(void)
{
	fputs(usage_text, stderr);
	exit(1);
}

/* The word of the list that the argument abbreviates. */
static const char *
lookup_word(const char *arg, const char *const *list, const char *what)
{
	const char *found = NULL;
	size_t len = strlen(arg);

	for (; len > 0 && *list != NULL; list++) {
		if (strncmp(arg, *list, len) != 0)
			continue;
		if (found != NULL)
			fatal("%s is ambigious", arg);
		found = *list;
	}
	if (found == NULL) {
		warning("Unknown %s '%s'", what, arg);
		usage();
	}
	return found;
}

/* As strtonum(3) would judge it; NULL if it is a number in range. */
static const char *
number_error(const char *arg, long min, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 10);
	if (end == arg || *end != '\0')
		return "invalid";
	if (n < min || (errno == ERANGE && n == LONG_MIN))
		return "too small";
	if (n > max || errno == ERANGE)
		return "too large";
	return NULL;
}

static void
check_number(const char *arg, long min, long max, const char *what)
{
	const char *error = number_error(arg, min, max);

	if (error == NULL)
		return;
	warning("%s: %s", what, error);
	usage();
}

static void
add_define(struct options *o, const char *arg)
{
	if (strchr(arg, '=') == NULL)
		warning("could not parse macro definition %s", arg);
	else
		o->defines[o->ndefines++] = arg;
}

static enum pfk_optimize
parse_optimization(const char *arg)
{
	switch (*lookup_word(arg, optimizations, "optimization")) {
	case 'n':
		return PFK_OPT_NONE;
	case 'b':
		return PFK_OPT_BASIC;
	default:
		return PFK_OPT_PROFILE;
	}
}

/* At most two -k, at most two -K. */
static void
count_killer(struct options *o, unsigned *n, char option)
{
	if (++*n > 2) {
		warning("can only specify -%c twice", option);
		usage();
	}
	o->needs_filter = o->modifies = true;
}

static void __attribute__((__noreturn__))
wrong_option(int kind, int argc, char **argv)
{
	const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";

	if (optopt == 0 || optopt >= OPT_HOST)
		warning("%s -- %s", kind == ':' ?
		    "option requires an argument" : "unknown option", word);
	else
		warning("%s -- %c", kind == ':' ?
		    "option requires an argument" : "unknown option", optopt);
	usage();
}

static void
parse_long(struct options *o, int option, const char *arg)
{
	switch (option) {
	case OPT_DIAGNOSTICS:
		if (diagnostics_parse(arg, &o->diagnostics))
			break;
		warning("Unknown form of diagnostics '%s'", arg);
		usage();
	case OPT_HELP:
		printf("%s%s", usage_text, help_text);
		exit(0);
	case OPT_VERSION:
		printf("pfctl (pfkit) %s\n", PFK_VERSION);
		exit(0);
	default:
		(void)host_options_take(&o->host, option, arg);
		break;
	}
}

/* Options that act on the kernel's filter; nothing to do here but check. */
static void
parse_filter_option(struct options *o, int option, const char *arg,
    unsigned killers[2])
{
	switch (option) {
	case 'F':
		(void)lookup_word(arg, flush_modifiers, "flush modifier");
		o->needs_filter_unless_n = o->modifies = true;
		break;
	case 'k':
		count_killer(o, &killers[0], 'k');
		break;
	case 'K':
		count_killer(o, &killers[1], 'K');
		break;
	case 's':
		(void)lookup_word(arg, show_modifiers, "show modifier");
		o->needs_filter_unless_n = o->shows = true;
		break;
	case 'T':
		o->table_command = lookup_word(arg, table_commands,
		    "table command");
		o->needs_filter = o->shows = true;
		break;
	case 'x':
		(void)lookup_word(arg, debug_levels, "debug level");
		o->needs_filter_unless_n = o->modifies = true;
		break;
	case 'd': case 'e':
		o->needs_filter_unless_n = o->modifies = true;
		break;
	case 'L': case 'z':
		o->needs_filter = o->modifies = true;
		break;
	case 'S':
		o->needs_filter = true;
		break;
	default:
		break;
	}
}

static void
parse_short(struct options *o, int option, char *arg,
    unsigned killers[2])
{
	switch (option) {
	case 'a':
		o->anchor = arg;
		break;
	case 'D':
		add_define(o, arg);
		break;
	case 'f':
		o->compile.path = arg;
		o->modifies = true;
		break;
	case 'g':
		o->compile.debug = true;
		break;
	case 'N':
		o->compile.numeric_hosts = true;
		break;
	case 'n':
		o->no_action = true;
		break;
	case 'o':
		o->compile.optimize = parse_optimization(arg);
		break;
	case 'P':
		o->compile.port_names = true;
		break;
	case 'r':
		o->reverse_dns = true;
		break;
	case 'R':
		check_number(arg, -1, LONG_MAX, "invalid rule id");
		break;
	case 't':
		o->table = arg;
		break;
	case 'v':
		o->compile.verbose++;
		break;
	case 'V':
		check_number(arg, 0, MAX_RDOMAIN, "Invalid rdomain");
		break;
	case 'h':
		usage();
	default:
		parse_filter_option(o, option, arg, killers);
		break;
	}
}

/* "a/b", without the wildcard that means "and all below". */
static void
check_anchor(struct options *o)
{
	char *name = o->anchor;
	size_t len;

	if (name == NULL)
		return;
	len = strlen(name);
	if (len == 0)
		fatal("anchor name must not be empty");
	if (!o->modifies && !o->shows) {
		warning("anchors apply to -f, -F, -s, and -T only");
		usage();
	}
	if (o->modifies && o->table_command == NULL &&
	    (name[0] == '_' || strstr(name, "/_") != NULL))
		fatal("anchor names beginning with '_' cannot "
		    "be modified from the command line");
	if (name[len - 1] == '*')
		name[len - (len >= 2 && name[len - 2] == '/' ? 2 : 1)] = '\0';
	if (strlen(name) >= PATH_MAX)
		fatal("anchor name '%s' too long", name);
	o->compile.anchor = name;
}

static void
check_combination(struct options *o, int argc, char **argv)
{
	if (o->compile.numeric_hosts && o->reverse_dns)
		fatal("-N and -r are mutually exclusive");
	if ((o->table == NULL) != (o->table_command == NULL))
		usage();
	if (o->table_command == NULL && optind != argc) {
		warning("unknown command line argument: %s ...", argv[optind]);
		usage();
	}
	check_anchor(o);
}

void
options_parse(struct options *o, int argc, char **argv)
{
	unsigned killers[2] = { 0, 0 };
	int c;

	memset(o, 0, sizeof(*o));
	o->compile.optimize = PFK_OPT_FROM_FILE;
	o->compile.random = true;
	o->defines = xcalloc((unsigned long)argc + 1, sizeof(*o->defines));
	host_options_init(&o->host, argc);
	if (argc < 2)
		usage();
	opterr = 0;
	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, long_options,
	    NULL)) != -1) {
		if (c == '?' || c == ':')
			wrong_option(c, argc, argv);
		if (c >= OPT_HOST)
			parse_long(o, c, optarg);
		else
			parse_short(o, c, optarg, killers);
	}
	o->compile.defines = o->defines;
	check_combination(o, argc, argv);
}

void
options_free(struct options *o)
{
	free(o->defines);
	host_options_free(&o->host);
}
