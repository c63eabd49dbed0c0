/*
 * Host facts: what a ruleset means depends on the machine it is for.
 *
 * A pfk_host holds all of it, filled from files copied off the firewall, in
 * the form in which that machine prints or keeps them, or from this machine.
 * It is immutable once filled and may be shared between compilations,
 * engines and threads.
 *
 * Order matters: interfaces and their addresses stay in the order of the
 * file, which is the order in which pfctl expands an interface name.
 */
#ifndef PFKIT_HOST_H
#define PFKIT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/alloc.h>

#define PFK_IFF_UP		0x0001
#define PFK_IFF_BROADCAST	0x0002
#define PFK_IFF_LOOPBACK	0x0008
#define PFK_IFF_POINTOPOINT	0x0010

struct pfk_ifaddr {
	uint8_t		 af;		/* 4 or 6 */
	uint8_t		 prefixlen;
	uint8_t		 has_broadcast, has_peer;
	uint8_t		 addr[16];	/* network order, IPv4 in the first 4 */
	uint8_t		 broadcast[16], peer[16];
	uint32_t	 scope_id;	/* of link-local IPv6 addresses */
};

struct pfk_interface {
	const char	*name;
	unsigned	 index;		/* as printed, or its place from 1 */
	unsigned	 flags;		/* PFK_IFF_* */
	unsigned	 rdomain;
	unsigned	 mtu;
	const char *const *groups;	/* NULL-terminated */
	const struct pfk_ifaddr *addrs;
	size_t		 naddrs;
};

struct pfk_route {
	uint8_t		 af;
	uint8_t		 prefixlen;
	uint8_t		 dst[16];
	uint8_t		 has_gateway;
	uint8_t		 gateway[16];
	const char	*ifname;
	const char	*label;		/* NULL: none */
	unsigned	 rtable;
	unsigned	 flags;		/* PFK_RTF_* */
};
#define PFK_RTF_BLACKHOLE	1
#define PFK_RTF_REJECT		2

struct pfk_host;			/* opaque owner */

/*
 * Each loader returns 0, or -1 with a message ("file:line: what is wrong", or
 * "file: No such file or directory") in errbuf.  A later load of the same kind
 * replaces the earlier.  path "-" is not special.
 */
#define PFK_HOST_ERRLEN	512
struct pfk_host *pfk_host_new(const struct pfk_allocator *);
void	 pfk_host_free(struct pfk_host *);	/* NULL is fine */
int	 pfk_host_load_dir(struct pfk_host *, const char *dir, char *errbuf);
int	 pfk_host_load_interfaces(struct pfk_host *, const char *path, char *errbuf);
int	 pfk_host_load_routes(struct pfk_host *, const char *path, char *errbuf);
int	 pfk_host_load_hosts(struct pfk_host *, const char *path, char *errbuf);
int	 pfk_host_load_services(struct pfk_host *, const char *path, char *errbuf);
int	 pfk_host_load_protocols(struct pfk_host *, const char *path, char *errbuf);
int	 pfk_host_load_passwd(struct pfk_host *, const char *path, char *errbuf);
int	 pfk_host_load_group(struct pfk_host *, const char *path, char *errbuf);
int	 pfk_host_load_fingerprints(struct pfk_host *, const char *path, char *errbuf);
/* Interfaces, addresses, users ... of this machine. */
int	 pfk_host_load_system(struct pfk_host *, char *errbuf);
/* Names not found in `hosts` may be asked of the system's resolver. */
void	 pfk_host_allow_dns(struct pfk_host *, bool);

/* Reading: arrays belong to the host. */
const struct pfk_interface *pfk_host_interfaces(const struct pfk_host *, size_t *n);
const struct pfk_interface *pfk_host_interface(const struct pfk_host *, const char *name);
bool	 pfk_host_is_group(const struct pfk_host *, const char *name);
bool	 pfk_host_in_group(const struct pfk_interface *, const char *group);
const struct pfk_route *pfk_host_routes(const struct pfk_host *, size_t *n);
/* Number of a protocol, or -1; name of a number, or NULL. */
int	 pfk_host_protocol(const struct pfk_host *, const char *name);
const char *pfk_host_protocol_name(const struct pfk_host *, int proto);
/* proto "tcp" or "udp"; port in host order, or -1; name or NULL. */
int	 pfk_host_service(const struct pfk_host *, const char *name, const char *proto);
const char *pfk_host_service_name(const struct pfk_host *, int port, const char *proto);
/* false if unknown */
bool	 pfk_host_user(const struct pfk_host *, const char *name, uint32_t *uid);
bool	 pfk_host_group(const struct pfk_host *, const char *name, uint32_t *gid);
/*
 * Addresses of a host name in the order the resolver gives them: at most max
 * are written; returns how many there are.
 */
struct pfk_hostaddr { uint8_t af; uint8_t addr[16]; uint32_t scope_id; };
size_t	 pfk_host_lookup(const struct pfk_host *, const char *name,
	    struct pfk_hostaddr *out, size_t max);
/*
 * Whether a routing table exists: 0 does, those do that interfaces are in or
 * that the routes tell of, and those that a program says exist.
 */
bool	 pfk_host_has_rtable(const struct pfk_host *, unsigned id);
void	 pfk_host_add_rtable(struct pfk_host *, unsigned id);	/* 0 to 255 */
/* The text of pf.os that is in force (NUL-terminated), and its name. */
const char *pfk_host_fingerprints(const struct pfk_host *, const char **name);
/* The shell script that gathers such files on a firewall. */
const char *pfk_host_snapshot(void);

#endif
