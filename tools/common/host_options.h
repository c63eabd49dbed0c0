/*
 * Options that tell of the firewall a ruleset is for: --host DIR, and a file
 * each for one kind of fact.  With none of them it is this machine.
 */
#ifndef COMMON_HOST_OPTIONS_H
#define COMMON_HOST_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include <pfkit/host.h>

/* What getopt_long() returns for them; a program's own begin at OPT_OWN. */
enum host_option { OPT_HOST = 256, OPT_INTERFACES, OPT_ROUTES, OPT_HOSTS,
    OPT_SERVICES, OPT_PROTOCOLS, OPT_PASSWD, OPT_GROUP, OPT_FINGERPRINTS,
    OPT_DNS, OPT_OWN };

#define HOST_LONG_OPTIONS						\
	{ "host",		required_argument, NULL, OPT_HOST },	\
	{ "interfaces",		required_argument, NULL, OPT_INTERFACES }, \
	{ "routes",		required_argument, NULL, OPT_ROUTES },	\
	{ "hosts",		required_argument, NULL, OPT_HOSTS },	\
	{ "services",		required_argument, NULL, OPT_SERVICES }, \
	{ "protocols",		required_argument, NULL, OPT_PROTOCOLS }, \
	{ "passwd",		required_argument, NULL, OPT_PASSWD },	\
	{ "group",		required_argument, NULL, OPT_GROUP },	\
	{ "fingerprints",	required_argument, NULL, OPT_FINGERPRINTS }, \
	{ "dns",		no_argument,	   NULL, OPT_DNS }

#define HOST_OPTIONS_HELP						\
    "Facts about the firewall that the rules are for (else: this machine):\n" \
    "  --host DIR       a folder with any of: ifconfig, netstat-rn, hosts,\n" \
    "                   services, protocols, passwd, group, pf.os\n"	\
    "  --interfaces FILE, --routes FILE, --hosts FILE, --services FILE,\n" \
    "  --protocols FILE, --passwd FILE, --group FILE, --fingerprints FILE\n" \
    "                   one of them alone\n"				\
    "  --dns            ask the resolver for names that `hosts' lacks\n"

/* A file or folder with facts. */
struct host_file {
	int	(*load)(struct pfk_host *, const char *, char *);
	const char *path;
};

struct host_options {
	struct host_file *files;
	size_t		 nfiles;
	bool		 dns;
};

/* At most max options will be taken. */
void	 host_options_init(struct host_options *, int max);
void	 host_options_free(struct host_options *);
/* Takes the option if it is one of these. */
bool	 host_options_take(struct host_options *, int option, const char *arg);
/* The host they tell of; NULL: why not is in error[PFK_HOST_ERRLEN]. */
struct pfk_host *host_options_try(const struct host_options *, char *error);
/* The same; a file that cannot be read ends the program. */
struct pfk_host *host_options_load(const struct host_options *);

#endif
