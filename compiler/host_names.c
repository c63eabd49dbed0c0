/*
 * Host names: hosts(5), and the system's resolver where that is allowed.
 *
 *	127.0.0.1	localhost
 *	2001:db8::5	gate gate.example.org
 *
 * A name has the addresses of all its lines, in their order.  Names compare
 * without regard to case.  "localhost" and names below it are the loopback
 * addresses everywhere (RFC 6761), unless the file says something else.
 */
#include "compiler/host_impl.h"

#include <string.h>
#include <strings.h>

#include "base/hash.h"

#define MAX_FIELDS	64
#define MAX_NAME	256

static size_t
name_bucket(const struct host_names *t, const char *name)
{
	char lower[MAX_NAME];
	size_t n;

	for (n = 0; name[n] != '\0' && n < sizeof(lower); n++)
		lower[n] = name[n] >= 'A' && name[n] <= 'Z' ?
		    (char)(name[n] - 'A' + 'a') : name[n];
	return hash_fnv1a(lower, n) & (t->buckets - 1);
}

/* Chains every name, in the order of the file. */
static void
index_names(struct arena *a, struct host_names *t)
{
	for (t->buckets = 64; t->buckets < t->v.n; t->buckets *= 2)
		;
	t->first = arena_alloc(a, t->buckets * sizeof(uint32_t));
	t->last = arena_alloc(a, t->buckets * sizeof(uint32_t));
	for (uint32_t i = 1; i <= t->v.n; i++) {
		size_t b = name_bucket(t, t->v.v[i - 1].name);

		if (t->first[b] == 0)
			t->first[b] = i;
		else
			t->v.v[t->last[b] - 1].next = i;
		t->last[b] = i;
	}
}

int
host_parse_hosts(struct pfk_host *h, struct lines *l, char *errbuf)
{
	struct host_names t = { 0 };
	char *line, *fields[MAX_FIELDS];

	while ((line = next_line(l)) != NULL) {
		size_t n = split_fields(line, fields, MAX_FIELDS);
		struct host_name entry;
		const char *scope;
		uint32_t embedded;

		if (n == 0)
			continue;
		memset(&entry, 0, sizeof(entry));
		if (!parse_address(fields[0], &entry.addr.af, entry.addr.addr,
		    &scope, &embedded))
			return line_error(l, errbuf, "'%s' is no address",
			    fields[0]);
		if (scope != NULL && !parse_number(scope, UINT32_MAX,
		    &entry.addr.scope_id) && !name_table_number(&h->ifnames,
		    scope, "", &entry.addr.scope_id))
			entry.addr.scope_id = 0;
		for (size_t i = 1; i < n; i++) {
			entry.name = arena_strdup(&h->arena, fields[i]);
			vec_push(&h->arena, &t.v, entry);
		}
	}
	index_names(&h->arena, &t);
	h->names = t;
	return 0;
}

static size_t
lookup_file(const struct host_names *t, const char *name,
    struct pfk_hostaddr *out, size_t max)
{
	size_t n = 0;

	if (t->buckets == 0)
		return 0;
	for (uint32_t i = t->first[name_bucket(t, name)]; i != 0;
	    i = t->v.v[i - 1].next)
		if (strcasecmp(t->v.v[i - 1].name, name) == 0) {
			if (n < max)
				out[n] = t->v.v[i - 1].addr;
			n++;
		}
	return n;
}

static bool
is_localhost(const char *name)
{
	static const char local[] = "localhost";
	size_t n = strlen(name), len = sizeof(local) - 1;

	if (n > 0 && name[n - 1] == '.')
		n--;
	return n >= len && strncasecmp(name + n - len, local, len) == 0 &&
	    (n == len || name[n - len - 1] == '.');
}

static size_t
lookup_localhost(struct pfk_hostaddr *out, size_t max)
{
	static const struct pfk_hostaddr loopback[] = {
		{ PFK_AF_INET, { 127, 0, 0, 1 }, 0 },
		{ PFK_AF_INET6, { [15] = 1 }, 0 },
	};

	for (size_t i = 0; i < 2 && i < max; i++)
		out[i] = loopback[i];
	return 2;
}

size_t
pfk_host_lookup(const struct pfk_host *h, const char *name,
    struct pfk_hostaddr *out, size_t max)
{
	size_t n;

	if ((n = lookup_file(&h->names, name, out, max)) > 0)
		return n;
	if (is_localhost(name))
		return lookup_localhost(out, max);
	return h->allow_dns ? host_system_lookup(name, out, max) : 0;
}
