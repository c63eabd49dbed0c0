/*
 * Ports and protocols: numbers, or the host's names for them.
 */
#include "compiler/resolve.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/host.h>

#define PORT_MAX	65535

/*
 * A number in any base that C writes.  False if the text is something else.
 * As with strtoul(3), "-1" is the largest number there is.
 */
static bool
parse_c_number(const char *s, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(s, &end, 0);
	return *s != '\0' && *end == '\0' &&
	    !(errno == ERANGE && *value == UINT64_MAX);
}

/* One port by number or name (of TCP, else of UDP); false: message queued. */
static bool
resolve_service(struct pfk_ruleset *rs, const struct ast *node,
    const char *name, uint16_t *port)
{
	uint64_t value;
	int n;

	if (parse_c_number(name, &value)) {
		if (value > PORT_MAX) {
			(void)parser_error(rs->parser, node, "port",
			    "illegal port value %" PRIu64, value);
			return false;
		}
		*port = (uint16_t)value;
		return true;
	}
	if ((n = pfk_host_service(rs->host, name, "tcp")) == -1 &&
	    (n = pfk_host_service(rs->host, name, "udp")) == -1) {
		(void)parser_error(rs->parser, node, "unknown-port",
		    "unknown port %s", name);
		return false;
	}
	*port = (uint16_t)n;
	return true;
}

bool
resolve_port(struct pfk_ruleset *rs, const struct ast *node, const char *text,
    unsigned form, struct port_range *range)
{
	char *low = arena_strdup(&rs->scratch, text);
	char *colon = strchr(low, ':'), *high;

	*range = (struct port_range){ 0, 0, 0 };
	if (colon == NULL)
		return resolve_service(rs, node, low, &range->a);
	high = colon + 1;
	if ((form & AST_PORT_STAR_OK) && strcmp(high, "*") == 0) {
		*colon = '\0';
		range->type = 2;
		return resolve_service(rs, node, low, &range->a);
	}
	if (!(form & AST_PORT_RANGE_OK)) {
		(void)parser_error(rs->parser, node, "port",
		    "port is invalid: %s", text);
		return false;
	}
	*colon = '\0';
	if (!resolve_service(rs, node, low, &range->a) ||
	    !resolve_service(rs, node, high, &range->b))
		return false;
	if (range->a == range->b)
		range->b = 0;
	else
		range->type = 1;
	return true;
}

int
resolve_protocol(struct pfk_ruleset *rs, const char *name)
{
	return pfk_host_protocol(rs->host, name);
}
