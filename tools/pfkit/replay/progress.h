/*
 * How far a replay is: a line on standard error, if that is a terminal and the
 * work takes longer than a second.
 */
#ifndef REPLAY_PROGRESS_H
#define REPLAY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool		 wanted, shown;
	uint64_t	 size;		/* of the captures; 0: not known */
	uint64_t	 started, next;	/* ns */
};

void	 progress_start(struct progress *, uint64_t size);
/* position: bytes of the captures that were read. */
void	 progress_show(struct progress *, uint64_t position, uint64_t packets);
void	 progress_end(struct progress *);

#endif
