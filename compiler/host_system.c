/*
 * This machine's own facts: the one file here that differs by system.
 *
 * POSIX has no call for interface addresses; getifaddrs() is everywhere, but
 * how the link layer shows up in it differs (AF_LINK on BSD and macOS,
 * AF_PACKET on Linux), and only BSD has interface groups.
 */
#include "compiler/host_impl.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <grp.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#if defined(__OpenBSD__) || defined(__FreeBSD__)
#include <sys/ioctl.h>
#include <stdlib.h>
#include <unistd.h>
#endif

typedef VEC(struct pfk_interface) interface_vec;
typedef VEC(struct pfk_ifaddr) ifaddr_vec;

static unsigned
portable_flags(unsigned flags)
{
	return (flags & IFF_UP ? PFK_IFF_UP : 0) |
	    (flags & IFF_BROADCAST ? PFK_IFF_BROADCAST : 0) |
	    (flags & IFF_LOOPBACK ? PFK_IFF_LOOPBACK : 0) |
	    (flags & IFF_POINTOPOINT ? PFK_IFF_POINTOPOINT : 0);
}

/* The bytes of an IPv4 or IPv6 address; its family, or 0. */
static uint8_t
sockaddr_bytes(const struct sockaddr *sa, uint8_t bytes[16], uint32_t *scope)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (sa == NULL)
		return 0;
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		memcpy(bytes, &in.sin_addr, 4);
		return PFK_AF_INET;
	}
	if (sa->sa_family != AF_INET6)
		return 0;
	memcpy(&in6, sa, sizeof(in6));
	memcpy(bytes, &in6.sin6_addr, 16);
	*scope = in6.sin6_scope_id;
	if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) {
		if (*scope == 0)	/* KAME keeps it in the address */
			*scope = (uint32_t)(bytes[2] << 8 | bytes[3]);
		bytes[2] = bytes[3] = 0;
	}
	return PFK_AF_INET6;
}

static bool
convert_address(const struct ifaddrs *ifa, struct pfk_ifaddr *a)
{
	struct pfk_addr mask;
	struct sockaddr_storage ss;
	uint32_t ignored;

	memset(a, 0, sizeof(*a));
	memset(&mask, 0, sizeof(mask));
	a->af = sockaddr_bytes(ifa->ifa_addr, a->addr, &a->scope_id);
	if (a->af == 0)
		return false;
	if (ifa->ifa_netmask != NULL) {
		/* BSD leaves the family of masks unset, and cuts them. */
		memset(&ss, 0, sizeof(ss));
		memcpy(&ss, ifa->ifa_netmask, a->af == PFK_AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		ss.ss_family = ifa->ifa_addr->sa_family;
		(void)sockaddr_bytes((const struct sockaddr *)&ss, mask.b,
		    &ignored);
		a->prefixlen = (uint8_t)addr_mask_bits(&mask);
	}
	if (ifa->ifa_flags & IFF_BROADCAST)
		a->has_broadcast = sockaddr_bytes(ifa->ifa_broadaddr,
		    a->broadcast, &ignored) == a->af;
	else if (ifa->ifa_flags & IFF_POINTOPOINT)
		a->has_peer = sockaddr_bytes(ifa->ifa_dstaddr, a->peer,
		    &ignored) == a->af;
	return true;
}

/* Groups the kernel tells; elsewhere none. */
static const char *const *
interface_groups(struct arena *a, const char *name)
{
	VEC(const char *) groups = { 0 };
#if defined(__OpenBSD__) || defined(__FreeBSD__)
	struct ifgroupreq req;
	struct ifg_req list[64];
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	memset(&req, 0, sizeof(req));
	(void)snprintf(req.ifgr_name, sizeof(req.ifgr_name), "%s", name);
	req.ifgr_len = sizeof(list);
	req.ifgr_groups = list;
	if (s == -1 || ioctl(s, SIOCGIFGROUP, &req) == -1)
		req.ifgr_len = 0;
	if (s != -1)
		(void)close(s);
	for (size_t i = 0; i < req.ifgr_len / sizeof(list[0]); i++)
		if (strcmp(list[i].ifgrq_group, "all") != 0)
			vec_push(a, &groups,
			    arena_strdup(a, list[i].ifgrq_group));
#else
	(void)name;
#endif
	vec_push(a, &groups, NULL);
	return groups.v;
}

/* The interface's place in the vector; appended if it is new. */
static size_t
interface_place(struct arena *a, interface_vec *all, const struct ifaddrs *ifa)
{
	struct pfk_interface i;

	for (size_t n = 0; n < all->n; n++)
		if (strcmp(all->v[n].name, ifa->ifa_name) == 0)
			return n;
	memset(&i, 0, sizeof(i));
	i.name = arena_strdup(a, ifa->ifa_name);
	i.index = if_nametoindex(ifa->ifa_name);
	i.flags = portable_flags(ifa->ifa_flags);
	i.groups = interface_groups(a, i.name);
	vec_push(a, all, i);
	return all->n - 1;
}

/* All addresses of one interface, in the order of the list. */
static void
collect_addresses(struct arena *a, const struct ifaddrs *list,
    struct pfk_interface *i)
{
	ifaddr_vec addrs = { 0 };
	struct pfk_ifaddr addr;

	for (; list != NULL; list = list->ifa_next)
		if (strcmp(list->ifa_name, i->name) == 0 &&
		    convert_address(list, &addr))
			vec_push(a, &addrs, addr);
	i->addrs = addrs.v;
	i->naddrs = addrs.n;
}

/*
 * The list of getifaddrs() must be freed even if memory runs out while it is
 * copied, so the way there leads through here.
 */
int
host_system_interfaces(struct pfk_host *h, char *errbuf)
{
	struct ifaddrs *list, *ifa;
	interface_vec all = { 0 };
	jmp_buf *outer = h->arena.oom, oom;

	if (getifaddrs(&list) == -1) {
		(void)snprintf(errbuf, PFK_HOST_ERRLEN, "getifaddrs: %s",
		    strerror(errno));
		return -1;
	}
	h->arena.oom = &oom;
	if (setjmp(oom) != 0) {
		h->arena.oom = outer;
		freeifaddrs(list);
		longjmp(*outer, 1);
	}
	for (ifa = list; ifa != NULL; ifa = ifa->ifa_next)
		(void)interface_place(&h->arena, &all, ifa);
	for (size_t i = 0; i < all.n; i++)
		collect_addresses(&h->arena, list, &all.v[i]);
	host_set_interfaces(h, all.v, all.n);
	h->arena.oom = outer;
	freeifaddrs(list);
	return 0;
}

/* All users and groups that the system enumerates. */
int
host_system_users(struct pfk_host *h)
{
	struct name_table users = { 0 }, groups = { 0 };
	struct arena *a = &h->arena;
	struct passwd *pw;
	struct group *gr;

	setpwent();
	while ((pw = getpwent()) != NULL)
		name_table_add(a, &users, arena_strdup(a, pw->pw_name), "",
		    pw->pw_uid);
	endpwent();
	setgrent();
	while ((gr = getgrent()) != NULL)
		name_table_add(a, &groups, arena_strdup(a, gr->gr_name), "",
		    gr->gr_gid);
	endgrent();
	h->users = users;
	h->user_groups = groups;
	return 0;
}

size_t
host_system_lookup(const char *name, struct pfk_hostaddr *out, size_t max)
{
	struct addrinfo hints, *list, *ai;
	struct pfk_hostaddr addr;
	size_t n = 0;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		return 0;
	for (ai = list; ai != NULL; ai = ai->ai_next) {
		memset(&addr, 0, sizeof(addr));
		addr.af = sockaddr_bytes(ai->ai_addr, addr.addr,
		    &addr.scope_id);
		if (addr.af == 0)
			continue;
		if (n < max)
			out[n] = addr;
		n++;
	}
	freeaddrinfo(list);
	return n;
}
