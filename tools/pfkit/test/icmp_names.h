/*
 * Names of ICMP's types.
 */
#ifndef TEST_ICMP_NAMES_H
#define TEST_ICMP_NAMES_H

#include <stdint.h>

/* Of a name or a number; -1: not known. */
int	 icmp_type_of(uint8_t af, const char *);

#endif
