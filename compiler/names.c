/*
 * Words that pf.conf has for numbers, independent of the host.
 *
 * Each vocabulary is one table, searched from the front in both directions:
 * the first word with a number is the one printed.  The tables are short (at
 * most 57 rows) and looked at once for each word of a ruleset, so a linear
 * search is fast enough.
 */
#include "compiler/names.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "compiler/rule.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

struct icmp_type { uint8_t family, type; const char *name; };
struct icmp_code { uint8_t family, type, code; const char *name; };

static const struct icmp_type icmp_types[] = {
#define ICMP_TYPE(family, name, type)		{ family, type, name },
#define ICMP_CODE(family, type, name, code)
#include "compiler/icmp.def"
#undef ICMP_TYPE
#undef ICMP_CODE
};

static const struct icmp_code icmp_codes[] = {
#define ICMP_TYPE(family, name, type)
#define ICMP_CODE(family, type, name, code)	{ family, type, code, name },
#include "compiler/icmp.def"
#undef ICMP_TYPE
#undef ICMP_CODE
};

/* The two families' words in lists of their own, for suggestions. */
#define ICMP_CODE(family, type, name, code)
#define WORD_4(name, family)	WORD_4_##family(name)
#define WORD_6(name, family)	WORD_6_##family(name)
#define WORD_4_4(name)		name,
#define WORD_4_6(name)
#define WORD_6_4(name)
#define WORD_6_6(name)		name,

static const char *const icmp4_words[] = {
#define ICMP_TYPE(family, name, type)	WORD_4(name, family)
#include "compiler/icmp.def"
#undef ICMP_TYPE
	NULL
};

static const char *const icmp6_words[] = {
#define ICMP_TYPE(family, name, type)	WORD_6(name, family)
#include "compiler/icmp.def"
#undef ICMP_TYPE
	NULL
};

/* Anything that is not IPv6 is taken for IPv4, as pfctl does. */
static uint8_t
icmp_family(enum pfk_af af)
{
	return af == PFK_AF_INET6 ? 6 : 4;
}

int
icmp_type_number(enum pfk_af af, const char *name)
{
	for (size_t i = 0; i < COUNT(icmp_types); i++)
		if (icmp_types[i].family == icmp_family(af) &&
		    strcmp(icmp_types[i].name, name) == 0)
			return icmp_types[i].type;
	return -1;
}

const char *
icmp_type_name(enum pfk_af af, unsigned type)
{
	for (size_t i = 0; i < COUNT(icmp_types); i++)
		if (icmp_types[i].family == icmp_family(af) &&
		    icmp_types[i].type == type)
			return icmp_types[i].name;
	return NULL;
}

int
icmp_code_number(enum pfk_af af, unsigned type, const char *name)
{
	for (size_t i = 0; i < COUNT(icmp_codes); i++)
		if (icmp_codes[i].family == icmp_family(af) &&
		    icmp_codes[i].type == type &&
		    strcmp(icmp_codes[i].name, name) == 0)
			return icmp_codes[i].code;
	return -1;
}

const char *
icmp_code_name(enum pfk_af af, unsigned type, unsigned code)
{
	for (size_t i = 0; i < COUNT(icmp_codes); i++)
		if (icmp_codes[i].family == icmp_family(af) &&
		    icmp_codes[i].type == type && icmp_codes[i].code == code)
			return icmp_codes[i].name;
	return NULL;
}

const char *const *
icmp_type_names(enum pfk_af af)
{
	return af == PFK_AF_INET6 ? icmp6_words : icmp4_words;
}

/*
 * Type of service: DiffServ code points (RFC 2474, 2597, 3246) and the older
 * precedence and service bits (RFC 791).
 */
struct word { const char *name; int number; };

static const struct word tos_words[] = {
	{ "af11", 0x28 }, { "af12", 0x30 }, { "af13", 0x38 },
	{ "af21", 0x48 }, { "af22", 0x50 }, { "af23", 0x58 },
	{ "af31", 0x68 }, { "af32", 0x70 }, { "af33", 0x78 },
	{ "af41", 0x88 }, { "af42", 0x90 }, { "af43", 0x98 },
	{ "cs0", 0x00 }, { "cs1", 0x20 }, { "cs2", 0x40 }, { "cs3", 0x60 },
	{ "cs4", 0x80 }, { "cs5", 0xa0 }, { "cs6", 0xc0 }, { "cs7", 0xe0 },
	{ "ef", 0xb8 },
	{ "critical", 0xa0 }, { "inetcontrol", 0xc0 }, { "netcontrol", 0xe0 },
	{ "lowdelay", 0x10 }, { "throughput", 0x08 }, { "reliability", 0x04 }
};

/* syslog(3)'s levels; the first word for a number is the one printed. */
static const struct word debug_words[] = {
	{ "alert", 1 }, { "crit", 2 }, { "debug", 7 }, { "emerg", 0 },
	{ "err", 3 }, { "error", 3 }, { "info", 6 }, { "notice", 5 },
	{ "panic", 0 }, { "warn", 4 }, { "warning", 4 }
};
#define DEBUG_MAX	7

static int
word_number(const struct word *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(words[i].name, name) == 0)
			return words[i].number;
	return -1;
}

int
tos_number(const char *name)
{
	return word_number(tos_words, COUNT(tos_words), name);
}

/* A word, or a number that strtonum(3) would take for 0 to 7. */
int
debug_level(const char *name)
{
	int level = 0;

	if (*name < '0' || *name > '9')
		return word_number(debug_words, COUNT(debug_words), name);
	for (; *name >= '0' && *name <= '9'; name++)
		if ((level = level * 10 + (*name - '0')) > DEBUG_MAX)
			return -1;
	return *name == '\0' ? level : -1;
}

const char *
debug_name(int level)
{
	for (size_t i = 0; i < COUNT(debug_words); i++)
		if (debug_words[i].number == level)
			return debug_words[i].name;
	return "unknown";
}

/* TCP flags: the letter at place n stands for bit n. */
static const char tcp_flag_letters[] = "FSRPAUEW";

int
tcp_flags_parse(const char *s)
{
	int flags = 0;

	for (; *s != '\0'; s++) {
		const char *p = strchr(tcp_flag_letters, *s);

		if (p == NULL)
			return -1;
		flags |= 1 << (p - tcp_flag_letters);
	}
	return flags != 0 ? flags : 0xff;
}

const char *
tcp_flags_format(uint8_t flags, char *buf)
{
	char *p = buf;

	for (unsigned i = 0; tcp_flag_letters[i] != '\0'; i++)
		if (flags & (1u << i))
			*p++ = tcp_flag_letters[i];
	*p = '\0';
	return buf;
}

static const char *const timeout_words[] = {
#define TIMEOUT(id, name, dflt)	name,
#include "base/timeouts.def"
#undef TIMEOUT
	NULL
};

static const uint32_t timeout_defaults[] = {
#define TIMEOUT(id, name, dflt)	dflt,
#include "base/timeouts.def"
#undef TIMEOUT
};
_Static_assert(COUNT(timeout_defaults) == TMO_COUNT, "a default for each");

/* In the order of enum limit_id. */
static const char *const limit_words[] = {
	"states", "src-nodes", "frags", "tables", "table-entries",
	"pktdelay-pkts", "anchors", NULL
};
_Static_assert(COUNT(limit_words) == LIMIT_COUNT + 1, "a name for each");

static int
list_number(const char *const *words, const char *name)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcasecmp(words[i], name) == 0)
			return i;
	return -1;
}

int
timeout_number(const char *name)
{
	return list_number(timeout_words, name);
}

const char *
timeout_name(unsigned n)
{
	return n < TMO_COUNT ? timeout_words[n] : NULL;
}

uint32_t
timeout_default(unsigned n)
{
	return n < TMO_COUNT ? timeout_defaults[n] : 0;
}

const char *const *
timeout_names(void)
{
	return timeout_words;
}

int
limit_number(const char *name)
{
	return list_number(limit_words, name);
}

const char *
limit_name(unsigned n)
{
	return n < LIMIT_COUNT ? limit_words[n] : NULL;
}

const char *const *
limit_names(void)
{
	return limit_words;
}
