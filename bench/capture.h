/*
 * A capture as a firewall of many servers would write: IMIX sizes, flows of
 * TCP, UDP and ICMP that overlap in time.
 */
#ifndef BENCH_CAPTURE_H
#define BENCH_CAPTURE_H

#include <stdint.h>

#define CAPTURE_SERVERS	"198.18.0.0/15"		/* they go out */

/* Ends the program if it cannot. */
void	 capture_write(const char *path, uint32_t nflows, uint32_t npackets);

#endif
