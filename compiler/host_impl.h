/*
 * Inside of a pfk_host: shared by the compiler/host_*.c files only.
 *
 *	host.c		the object; loading a folder; reading interfaces
 *	host_table.c	tables from names to numbers and back
 *	host_text.c	reading files, lines, fields, addresses
 *	host_ifconfig.c	`ifconfig -A`
 *	host_routes.c	`netstat -rn`
 *	host_services.c	services, protocols
 *	host_users.c	passwd, group
 *	host_names.c	hosts
 *	host_system.c	this machine: the one file that differs by system
 *	host_defaults.c	what is known without any file
 *
 * Life cycle: everything that is kept lives in `arena`, until the host is
 * freed; a second load of the same kind leaves the first as garbage there.
 * Each public loader prepares `oom` and runs its parser; the parsers just
 * allocate.  A file being parsed lies in `scratch`, which belongs to the host
 * too, so that running out of memory in mid-file loses nothing.
 */
#ifndef COMPILER_HOST_IMPL_H
#define COMPILER_HOST_IMPL_H

#include <setjmp.h>

#include <pfkit/host.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/vec.h"

/*
 * Names, each of a kind (the protocol of a service, "" elsewhere), with
 * numbers.  As in the C library's files the first row that fits wins.
 */
struct name_row {
	const char	*name, *kind;
	uint32_t	 number;
	uint32_t	 next_name, next_number;	/* row + 1; 0: end */
};

struct name_table {
	VEC(struct name_row) rows;
	uint32_t	*by_name, *by_number;	/* heads of chains: row + 1 */
	size_t		 buckets;		/* a power of two, or 0 */
};

/* => name and kind must live as long as the arena. */
void	 name_table_add(struct arena *, struct name_table *, const char *name,
	    const char *kind, uint32_t number);
/* As above, but the name is never given back for the number. */
void	 name_table_alias(struct arena *, struct name_table *,
	    const char *name, const char *kind, uint32_t number);
bool	 name_table_number(const struct name_table *, const char *name,
	    const char *kind, uint32_t *number);
const char *name_table_name(const struct name_table *, uint32_t number,
	    const char *kind);

/* One address of one name of the hosts file. */
struct host_name {
	const char	*name;
	struct pfk_hostaddr addr;
	uint32_t	 next;		/* of the same bucket: place + 1 */
};

struct host_names {
	VEC(struct host_name) v;
	uint32_t	*first, *last;	/* buckets: place + 1 */
	size_t		 buckets;
};

struct pfk_host {
	struct arena	 arena;
	jmp_buf		 oom;
	struct pfk_allocator alloc;
	char		*scratch;
	size_t		 scratch_size;

	const struct pfk_interface *interfaces;
	size_t		 ninterfaces;
	struct name_table ifnames;	/* name -> place */
	struct name_table groups;	/* interface groups; number unused */
	const struct pfk_route *routes;
	size_t		 nroutes;
	struct name_table services, protocols, users, user_groups;
	struct host_names names;
	uint8_t		 rtables[32];	/* one bit for each that exists */
	bool		 allow_dns;
	const char	*fingerprints, *fingerprints_name;
};

/* Lines of a text, cut in place. */
struct lines {
	const char	*path;
	char		*p, *end;
	unsigned	 number;	/* of the line given last */
};

/*
 * Reads a file into the host's scratch room.  0, or -1 with a message.
 * The text ends with a NUL that is not counted.
 */
int	 host_read(struct pfk_host *, const char *path, size_t *len,
	    char *errbuf);
int	 host_lines(struct pfk_host *, const char *path, struct lines *,
	    char *errbuf);
/* The next line, NUL-terminated, without its end; NULL at the end. */
char	*next_line(struct lines *);
/* Cuts a comment off and splits at white space; at most max fields. */
size_t	 split_fields(char *line, char **fields, size_t max);
/* "path:line: text" in errbuf; returns -1. */
int	 line_error(const struct lines *, char *errbuf, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));
/* A decimal (or 0x..) number up to max; false if it is none. */
bool	 parse_number(const char *, uint32_t max, uint32_t *);
/*
 * "addr", "addr%scope", of either family.  *scope (if not NULL) points to the
 * text after '%', or is NULL.  A scope that the kernel keeps inside of a
 * link-local address is taken out of it and added to *embedded.
 */
bool	 parse_address(const char *, uint8_t *af, uint8_t addr[16],
	    const char **scope, uint32_t *embedded);

/* The parsers; each fills one kind of fact. */
int	 host_parse_interfaces(struct pfk_host *, struct lines *, char *);
int	 host_parse_routes(struct pfk_host *, struct lines *, char *);
int	 host_parse_hosts(struct pfk_host *, struct lines *, char *);
int	 host_parse_services(struct pfk_host *, struct lines *, char *);
int	 host_parse_protocols(struct pfk_host *, struct lines *, char *);
int	 host_parse_passwd(struct pfk_host *, struct lines *, char *);
int	 host_parse_group(struct pfk_host *, struct lines *, char *);

/* Installs interfaces that a parser or the system gave; fills the tables. */
void	 host_set_interfaces(struct pfk_host *, struct pfk_interface *,
	    size_t);
void	 host_set_defaults(struct pfk_host *);
/* The fingerprints that pfkit ships. */
extern const char host_default_fingerprints[];

/* host_system.c */
int	 host_system_interfaces(struct pfk_host *, char *errbuf);
int	 host_system_users(struct pfk_host *);
size_t	 host_system_lookup(const char *name, struct pfk_hostaddr *,
	    size_t max);

#endif
