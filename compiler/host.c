/*
 * The host: its life, its loaders, reading interfaces, routes and names.
 *
 * A new host knows what pfkit ships (services, protocols, fingerprints,
 * localhost) and has no interfaces.  host_impl.h tells the rest.
 */
#include "compiler/host_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct pfk_host *
pfk_host_new(const struct pfk_allocator *alloc)
{
	struct pfk_host *h;

	if (alloc == NULL)
		alloc = &pfk_allocator_libc;
	if ((h = alloc->fn(alloc->ctx, NULL, 0, sizeof(*h))) == NULL)
		return NULL;
	memset(h, 0, sizeof(*h));
	h->alloc = *alloc;
	arena_init(&h->arena, &h->alloc, &h->oom);
	if (setjmp(h->oom) != 0) {
		pfk_host_free(h);
		return NULL;
	}
	host_set_defaults(h);
	return h;
}

void
pfk_host_free(struct pfk_host *h)
{
	struct pfk_allocator alloc;

	if (h == NULL)
		return;
	alloc = h->alloc;
	arena_free(&h->arena);
	if (h->scratch != NULL)
		(void)alloc.fn(alloc.ctx, h->scratch, h->scratch_size, 0);
	(void)alloc.fn(alloc.ctx, h, sizeof(*h), 0);
}

static int
no_memory(char *errbuf)
{
	(void)snprintf(errbuf, PFK_HOST_ERRLEN, "out of memory");
	return -1;
}

typedef int parse_fn(struct pfk_host *, struct lines *, char *);

/* Reads the file and has it parsed; running out of memory ends up here. */
static int
load(struct pfk_host *h, const char *path, parse_fn *parse, char *errbuf)
{
	struct lines l;

	if (host_lines(h, path, &l, errbuf) == -1)
		return -1;
	if (setjmp(h->oom) != 0)
		return no_memory(errbuf);
	return parse(h, &l, errbuf);
}

static int
keep_fingerprints(struct pfk_host *h, struct lines *l, char *errbuf)
{
	(void)errbuf;
	h->fingerprints = arena_strndup(&h->arena, l->p,
	    (size_t)(l->end - l->p));
	h->fingerprints_name = arena_strdup(&h->arena, l->path);
	return 0;
}

#define LOADER(what, parse)						\
int									\
pfk_host_load_##what(struct pfk_host *h, const char *path, char *errbuf) \
{									\
	return load(h, path, parse, errbuf);				\
}
LOADER(interfaces, host_parse_interfaces)
LOADER(routes, host_parse_routes)
LOADER(hosts, host_parse_hosts)
LOADER(services, host_parse_services)
LOADER(protocols, host_parse_protocols)
LOADER(passwd, host_parse_passwd)
LOADER(group, host_parse_group)
LOADER(fingerprints, keep_fingerprints)
#undef LOADER

/* The files of a folder of facts; interfaces first, others refer to them. */
static const struct { const char *name; parse_fn *parse; } dir_files[] = {
	{ "ifconfig",	host_parse_interfaces },
	{ "netstat-rn",	host_parse_routes },
	{ "hosts",	host_parse_hosts },
	{ "services",	host_parse_services },
	{ "protocols",	host_parse_protocols },
	{ "passwd",	host_parse_passwd },
	{ "group",	host_parse_group },
	{ "pf.os",	keep_fingerprints },
};

int
pfk_host_load_dir(struct pfk_host *h, const char *dir, char *errbuf)
{
	char path[4096];
	struct stat st;

	if (stat(dir, &st) == -1 || !S_ISDIR(st.st_mode)) {
		(void)snprintf(errbuf, PFK_HOST_ERRLEN, "%s: %s", dir,
		    strerror(errno != 0 ? errno : ENOTDIR));
		return -1;
	}
	for (size_t i = 0; i < sizeof(dir_files) / sizeof(*dir_files); i++) {
		int n = snprintf(path, sizeof(path), "%s/%s", dir,
		    dir_files[i].name);

		if (n < 0 || (size_t)n >= sizeof(path)) {
			(void)snprintf(errbuf, PFK_HOST_ERRLEN,
			    "%.200s...: %s", dir, strerror(ENAMETOOLONG));
			return -1;
		}
		if (stat(path, &st) == -1 && errno == ENOENT)
			continue;
		if (load(h, path, dir_files[i].parse, errbuf) == -1)
			return -1;
	}
	return 0;
}

int
pfk_host_load_system(struct pfk_host *h, char *errbuf)
{
	if (setjmp(h->oom) != 0)
		return no_memory(errbuf);
	if (host_system_interfaces(h, errbuf) == -1)
		return -1;
	return host_system_users(h);
}

void
pfk_host_allow_dns(struct pfk_host *h, bool allow)
{
	h->allow_dns = allow;
}

/*
 * Interface groups: those that the file names, and "all", which every
 * interface of OpenBSD is in without being told.
 */
void
host_set_interfaces(struct pfk_host *h, struct pfk_interface *v, size_t n)
{
	struct arena *a = &h->arena;
	struct name_table names = { 0 }, groups = { 0 };
	uint32_t seen;

	name_table_add(a, &groups, "all", "", 0);
	for (size_t i = 0; i < n; i++) {
		pfk_host_add_rtable(h, v[i].rdomain);
		name_table_add(a, &names, v[i].name, "", (uint32_t)i);
		for (const char *const *g = v[i].groups; *g != NULL; g++)
			if (!name_table_number(&groups, *g, "", &seen))
				name_table_add(a, &groups, *g, "", 0);
	}
	h->interfaces = v;
	h->ninterfaces = n;
	h->ifnames = names;
	h->groups = groups;
}

bool
pfk_host_has_rtable(const struct pfk_host *h, unsigned id)
{
	return id == 0 || (id / 8 < sizeof(h->rtables) &&
	    (h->rtables[id / 8] & 1u << id % 8) != 0);
}

void
pfk_host_add_rtable(struct pfk_host *h, unsigned id)
{
	if (id / 8 < sizeof(h->rtables))
		h->rtables[id / 8] |= (uint8_t)(1u << id % 8);
}

const struct pfk_interface *
pfk_host_interfaces(const struct pfk_host *h, size_t *n)
{
	*n = h->ninterfaces;
	return h->interfaces;
}

const struct pfk_interface *
pfk_host_interface(const struct pfk_host *h, const char *name)
{
	uint32_t i;

	return name_table_number(&h->ifnames, name, "", &i) ?
	    &h->interfaces[i] : NULL;
}

bool
pfk_host_is_group(const struct pfk_host *h, const char *name)
{
	uint32_t ignored;

	return name_table_number(&h->groups, name, "", &ignored);
}

bool
pfk_host_in_group(const struct pfk_interface *iface, const char *group)
{
	if (strcmp(group, "all") == 0)
		return true;
	for (const char *const *g = iface->groups; *g != NULL; g++)
		if (strcmp(*g, group) == 0)
			return true;
	return false;
}

const struct pfk_route *
pfk_host_routes(const struct pfk_host *h, size_t *n)
{
	*n = h->nroutes;
	return h->routes;
}

int
pfk_host_protocol(const struct pfk_host *h, const char *name)
{
	uint32_t n;

	return name_table_number(&h->protocols, name, "", &n) ? (int)n : -1;
}

const char *
pfk_host_protocol_name(const struct pfk_host *h, int proto)
{
	return name_table_name(&h->protocols, (uint32_t)proto, "");
}

int
pfk_host_service(const struct pfk_host *h, const char *name, const char *proto)
{
	uint32_t n;

	return name_table_number(&h->services, name, proto, &n) ? (int)n : -1;
}

const char *
pfk_host_service_name(const struct pfk_host *h, int port, const char *proto)
{
	return name_table_name(&h->services, (uint32_t)port, proto);
}

bool
pfk_host_user(const struct pfk_host *h, const char *name, uint32_t *uid)
{
	return name_table_number(&h->users, name, "", uid);
}

bool
pfk_host_group(const struct pfk_host *h, const char *name, uint32_t *gid)
{
	return name_table_number(&h->user_groups, name, "", gid);
}

const char *
pfk_host_fingerprints(const struct pfk_host *h, const char **name)
{
	if (name != NULL)
		*name = h->fingerprints_name;
	return h->fingerprints;
}
