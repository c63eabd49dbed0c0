/*
 * Words that pf.conf has for numbers, independent of the host: ICMP types and
 * codes, TOS and DSCP, TCP flags, timeouts, limits, debug levels.  Each table
 * serves both directions, reading and printing.
 */
#ifndef COMPILER_NAMES_H
#define COMPILER_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

/* ICMP types and codes (pf.conf(5), icmp(4), icmp6(4)); -1 or NULL: none. */
int	 icmp_type_number(enum pfk_af, const char *name);
const char *icmp_type_name(enum pfk_af, unsigned type);
int	 icmp_code_number(enum pfk_af, unsigned type, const char *name);
const char *icmp_code_name(enum pfk_af, unsigned type, unsigned code);

/* "lowdelay", "af11", "cs3", "ef", ...: the TOS byte, or -1. */
int	 tos_number(const char *name);

/* "FSRPAUEW" letters; -1 if another one is among them. */
int	 tcp_flags_parse(const char *);
/* Letters of the flags in pf's order, into buf[9]. */
const char *tcp_flags_format(uint8_t, char *buf);

/* Index in enum rule_timeout / limit_id, or -1; and back. */
int	 timeout_number(const char *name);
const char *timeout_name(unsigned);
uint32_t timeout_default(unsigned);
int	 limit_number(const char *name);
const char *limit_name(unsigned);

/* syslog levels of `set debug`; -1: unknown. */
int	 debug_level(const char *name);
const char *debug_name(int);

/* NULL-terminated lists of all names, for suggestions. */
const char *const *timeout_names(void);
const char *const *limit_names(void);
const char *const *icmp_type_names(enum pfk_af);

#endif
