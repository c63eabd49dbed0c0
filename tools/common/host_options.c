/*
 * Host facts as the command line names them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_options.h"
#include "report.h"

/* Loaders in the order of enum host_option. */
static int	(*const loaders[])(struct pfk_host *, const char *, char *) = {
	pfk_host_load_dir, pfk_host_load_interfaces, pfk_host_load_routes,
	pfk_host_load_hosts, pfk_host_load_services, pfk_host_load_protocols,
	pfk_host_load_passwd, pfk_host_load_group, pfk_host_load_fingerprints
};
_Static_assert(sizeof(loaders) / sizeof(loaders[0]) == OPT_DNS - OPT_HOST,
    "a loader for each option");

void
host_options_init(struct host_options *o, int max)
{
	o->files = xcalloc((size_t)max + 1, sizeof(*o->files));
	o->nfiles = 0;
	o->dns = false;
}

void
host_options_free(struct host_options *o)
{
	free(o->files);
}

bool
host_options_take(struct host_options *o, int option, const char *arg)
{
	if (option < OPT_HOST || option > OPT_DNS)
		return false;
	if (option == OPT_DNS)
		o->dns = true;
	else
		o->files[o->nfiles++] =
		    (struct host_file){ loaders[option - OPT_HOST], arg };
	return true;
}

static bool
load_files(struct pfk_host *host, const struct host_options *o, bool folders,
    char *error)
{
	const struct host_file *f = o->files;

	for (size_t n = o->nfiles; n > 0; n--, f++)
		if ((f->load == pfk_host_load_dir) == folders &&
		    f->load(host, f->path, error) != 0)
			return false;
	return true;
}

/* This machine, unless a folder or files are named; files override folders. */
struct pfk_host *
host_options_try(const struct host_options *o, char *error)
{
	struct pfk_host *host = pfk_host_new(NULL);

	if (host == NULL)
		fatal("%s", strerror(ENOMEM));
	if ((o->nfiles == 0 && pfk_host_load_system(host, error) != 0) ||
	    !load_files(host, o, true, error) ||
	    !load_files(host, o, false, error)) {
		pfk_host_free(host);
		return NULL;
	}
	pfk_host_allow_dns(host, o->dns);
	return host;
}

struct pfk_host *
host_options_load(const struct host_options *o)
{
	char error[PFK_HOST_ERRLEN];
	struct pfk_host *host = host_options_try(o, error);

	if (host == NULL)
		fatal("%s", error);
	return host;
}
