/*
 * What a host knows before any file is read.
 */
#include "compiler/host_impl.h"

#include <string.h>

enum { TCP = 1, UDP = 2, BOTH = TCP | UDP };

static const struct service {
	uint16_t	 port;
	uint8_t		 protocols;
	const char	*name, *aliases;
} services[] = {
#define SERVICE(port, protocols, name, aliases)				\
	{ port, protocols, name, aliases },
#include "compiler/services.def"
#undef SERVICE
};

static const struct protocol {
	uint16_t	 number;
	const char	*name, *aliases;
} protocols[] = {
#define PROTOCOL(number, name, aliases)	{ number, name, aliases },
#include "compiler/protocols.def"
#undef PROTOCOL
};

/* The name and each word of aliases. */
static void
add_names(struct arena *a, struct name_table *t, const char *name,
    const char *aliases, const char *kind, uint32_t number)
{
	size_t n;

	name_table_add(a, t, name, kind, number);
	for (; *aliases != '\0'; aliases += n + (aliases[n] == ' ')) {
		n = strcspn(aliases, " ");
		name_table_alias(a, t, arena_strndup(a, aliases, n), kind,
		    number);
	}
}

void
host_set_defaults(struct pfk_host *h)
{
	struct arena *a = &h->arena;

	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++) {
		const struct service *s = &services[i];

		if (s->protocols & TCP)
			add_names(a, &h->services, s->name, s->aliases, "tcp",
			    s->port);
		if (s->protocols & UDP)
			add_names(a, &h->services, s->name, s->aliases, "udp",
			    s->port);
	}
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
		add_names(a, &h->protocols, protocols[i].name,
		    protocols[i].aliases, "", protocols[i].number);
	/* root is 0 and "all" holds every interface, on any machine. */
	name_table_add(a, &h->users, "root", "", 0);
	name_table_add(a, &h->user_groups, "wheel", "", 0);
	name_table_add(a, &h->groups, "all", "", 0);
	h->fingerprints = host_default_fingerprints;
	h->fingerprints_name = "pf.os";
}
