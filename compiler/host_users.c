/*
 * Users and groups, from passwd(5) (also master.passwd) and group(5): name
 * and number are fields one and three of both.
 */
#include "compiler/host_impl.h"

#include <string.h>

/* macOS has users below zero: nobody is -2. */
static bool
parse_id(const char *s, uint32_t *id)
{
	if (*s != '-')
		return parse_number(s, UINT32_MAX, id);
	if (!parse_number(s + 1, INT32_MAX, id))
		return false;
	*id = 0u - *id;
	return true;
}

/* "name:x:number:..." into the table; lines that start with + or - are YP. */
static int
parse_ids(struct pfk_host *h, struct lines *l, struct name_table *out,
    const char *what, char *errbuf)
{
	struct name_table t = { 0 };
	char *line;

	while ((line = next_line(l)) != NULL) {
		char *second, *third = NULL;
		uint32_t id;

		if (*line == '\0' || *line == '#' || *line == '+' ||
		    *line == '-')
			continue;
		if ((second = strchr(line, ':')) != NULL &&
		    (third = strchr(second + 1, ':')) != NULL) {
			*second = '\0';
			third++;
			third[strcspn(third, ":")] = '\0';
		}
		if (third == NULL || !parse_id(third, &id))
			return line_error(l, errbuf, "expected name:*:%s",
			    what);
		name_table_add(&h->arena, &t, arena_strdup(&h->arena, line),
		    "", id);
	}
	*out = t;
	return 0;
}

int
host_parse_passwd(struct pfk_host *h, struct lines *l, char *errbuf)
{
	return parse_ids(h, l, &h->users, "uid:...", errbuf);
}

int
host_parse_group(struct pfk_host *h, struct lines *l, char *errbuf)
{
	return parse_ids(h, l, &h->user_groups, "gid:...", errbuf);
}
