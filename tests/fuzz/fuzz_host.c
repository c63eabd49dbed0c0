/*
 * Any text as each of the files that tell host facts.  The loaders take
 * paths, so the text goes through a file; the first byte chooses the loader.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <pfkit/host.h>

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int	(*const loaders[])(struct pfk_host *, const char *, char *) = {
	pfk_host_load_interfaces, pfk_host_load_routes, pfk_host_load_hosts,
	pfk_host_load_services, pfk_host_load_protocols, pfk_host_load_passwd,
	pfk_host_load_group, pfk_host_load_fingerprints
};

static char path[] = "/tmp/fuzz-host.XXXXXX";

static void
remove_file(void)
{
	unlink(path);
}

static FILE *
a_file(void)
{
	static FILE *f;

	if (f == NULL) {
		f = fdopen(mkstemp(path), "r+");
		atexit(remove_file);
	}
	if (f == NULL)
		abort();
	rewind(f);
	return f;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[PFK_HOST_ERRLEN] = "";
	struct pfk_hostaddr addrs[4];
	struct pfk_host *host;
	size_t n;
	FILE *f = a_file();

	if (size == 0)
		return 0;
	if (fwrite(data + 1, 1, size - 1, f) != size - 1 || fflush(f) != 0 ||
	    ftruncate(fileno(f), (off_t)(size - 1)) != 0)
		return 0;
	host = pfk_host_new(NULL);
	if (host == NULL)
		return 0;
	if (loaders[data[0] % 8](host, path, error) != 0 && error[0] == '\0')
		abort();		/* an error without a message */
	for (const struct pfk_interface *i = pfk_host_interfaces(host, &n);
	    n > 0; n--, i++)
		if (pfk_host_interface(host, i->name) == NULL)
			abort();
	(void)pfk_host_routes(host, &n);
	(void)pfk_host_lookup(host, "localhost", addrs, 4);
	(void)pfk_host_service(host, "ssh", "tcp");
	pfk_host_free(host);
	return 0;
}
