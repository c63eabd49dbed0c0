/*
 * Fingerprints of operating systems, inside: osfp_parse.c reads pf.os,
 * osfp_match.c compares packets.
 */
#ifndef RUNTIME_OSFP_H
#define RUNTIME_OSFP_H

#include "runtime/rules_int.h"

/* How a number of a fingerprint is meant. */
enum osfp_how {
	OSFP_EXACT,
	OSFP_ANY,		/* "*" */
	OSFP_MODULO,		/* "%N": a multiple of N */
	OSFP_MSS,		/* "SN": window of N times the MSS */
	OSFP_MTU		/* "TN": the same with the MTU */
};
struct osfp_number { uint16_t value; uint8_t how; };

struct osfp_text { const char *s; size_t len; };	/* part of pf.os */

struct osfp_print {
	struct osfp_number window, size, mss, wscale;
	uint8_t		ttl;
	bool		df, ts0;	/* don't fragment; timestamp is 0 */
	bool		inet6;		/* the line's form for IPv6 */
	uint8_t		noptions;
	uint64_t	options;	/* three bits each */
	struct osfp_text name[3];	/* class, version, subtype */
};
enum { OSFP_NOP, OSFP_WSCALE, OSFP_MAXSEG, OSFP_SACK, OSFP_TS };

struct osfp_name { uint8_t *prints; bool unknown; };	/* bitmap */

struct osfp_db {
	struct osfp_print *v;
	uint32_t	 n, cap;
	struct osfp_name *names;	/* what rules ask for; from 1 */
	uint32_t	 nnames;
};

/* The fingerprint in the line; false: there is none, or it is wrong. */
bool	 osfp_parse(const char *line, size_t len, struct osfp_print *);
/* Whether the name of a rule ("Linux 2.6") means the fingerprint. */
bool	 osfp_is(const struct osfp_print *, const char *name);
/* Whether they have the same signature, so that pf keeps one of both. */
bool	 osfp_same(const struct osfp_print *, const struct osfp_print *);

#endif
