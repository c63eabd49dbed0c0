/*
 * A replay by several threads.
 */
#ifndef REPLAY_CREW_H
#define REPLAY_CREW_H

#include "replay.h"

/* How many threads are of use; 1: none but the caller's. */
unsigned crew_size(const struct replay *);
/* The whole replay; 0, or 1 if something went wrong (told). */
int	 crew_run(struct replay *, unsigned threads);

#endif
