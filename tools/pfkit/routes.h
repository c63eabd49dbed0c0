/*
 * The firewall's routes, or what is assumed where they are not known.
 */
#ifndef PFKIT_ROUTES_H
#define PFKIT_ROUTES_H

#include <pfkit/host.h>

/* Routes that were assumed; zeroed at first, and `v' is freed at the end. */
struct routes { struct pfk_route *v; size_t n; };

/* => The answer stays until the host or `v' goes. */
const struct pfk_route *routes_of_host(struct routes *, const struct pfk_host *,
	    size_t *n);

#endif
