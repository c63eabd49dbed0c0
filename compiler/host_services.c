/*
 * services(5) and protocols(5):
 *
 *	http	80/tcp	www www-http	# WorldWideWeb HTTP
 *	icmp	1	ICMP		# internet control message protocol
 *
 * The formats are the same on every system.  The first row that fits wins.
 */
#include "compiler/host_impl.h"

#include <string.h>

#define MAX_FIELDS	64

/* Name and aliases (fields 0, 2, 3, ...) for one number. */
static void
add_names(struct arena *a, struct name_table *t, char **fields, size_t n,
    const char *kind, uint32_t number)
{
	name_table_add(a, t, arena_strdup(a, fields[0]), kind, number);
	for (size_t i = 2; i < n; i++)
		name_table_alias(a, t, arena_strdup(a, fields[i]), kind,
		    number);
}

int
host_parse_services(struct pfk_host *h, struct lines *l, char *errbuf)
{
	struct name_table t = { 0 };
	char *line, *fields[MAX_FIELDS];

	while ((line = next_line(l)) != NULL) {
		size_t n = split_fields(line, fields, MAX_FIELDS);
		uint32_t port;
		char *slash;

		if (n == 0)
			continue;
		if (n == 1 || (slash = strpbrk(fields[1], "/,")) == NULL)
			return line_error(l, errbuf, "expected port/protocol "
			    "after '%s'", fields[0]);
		*slash = '\0';
		if (!parse_number(fields[1], UINT16_MAX, &port))
			return line_error(l, errbuf, "'%s' is no port number",
			    fields[1]);
		add_names(&h->arena, &t, fields, n,
		    arena_strdup(&h->arena, slash + 1), port);
	}
	h->services = t;
	return 0;
}

int
host_parse_protocols(struct pfk_host *h, struct lines *l, char *errbuf)
{
	struct name_table t = { 0 };
	char *line, *fields[MAX_FIELDS];

	while ((line = next_line(l)) != NULL) {
		size_t n = split_fields(line, fields, MAX_FIELDS);
		uint32_t number;

		if (n == 0)
			continue;
		if (n == 1 || !parse_number(fields[1], UINT16_MAX, &number))
			return line_error(l, errbuf, "expected a protocol "
			    "number after '%s'", fields[0]);
		add_names(&h->arena, &t, fields, n, "", number);
	}
	h->protocols = t;
	return 0;
}
