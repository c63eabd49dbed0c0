/*
 * Inside of af-to: afto.c, afto_icmp.c.
 */
#ifndef RUNTIME_AFTO_H
#define RUNTIME_AFTO_H

#include "runtime/translate.h"

/*
 * Changes the 8 bytes of a message's header to the other family's; false: it
 * has nothing like it, and nothing was changed but the second word.
 * The checksum is the caller's.
 */
bool	afto_icmp(uint8_t from_af, uint8_t *icmp);

#endif
