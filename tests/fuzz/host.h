/*
 * A host for what is compiled: that of the golden cases.  It stays until the
 * end; nothing of the machine is asked.
 */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include <stdlib.h>

#include <pfkit/host.h>

static const struct pfk_host *
a_host(void)
{
	static struct pfk_host *host;
	char error[PFK_HOST_ERRLEN];

	if (host == NULL) {
		host = pfk_host_new(NULL);
		if (host == NULL || pfk_host_load_dir(host,
		    "tests/golden/host", error) != 0)
			abort();
	}
	return host;
}

#endif
