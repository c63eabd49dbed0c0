/*
 * ICMP's types, and their names.
 */
#ifndef TEST_ICMP_NAMES_H
#define TEST_ICMP_NAMES_H

#include <stdint.h>

/* What pf makes of a type; the known ones may each be treated differently. */
enum icmp_kind { ICMP_OTHER, ICMP_KNOWN, ICMP_ERROR, ICMP_ANSWER };
enum icmp_kind icmp_kind(uint8_t af, uint8_t type);
/* Of a name or a number; -1: not known. */
int	 icmp_type_of(uint8_t af, const char *);

#endif
