/*
 * Where a packet was seen: its interface and direction.
 */
#ifndef REPLAY_WHERE_H
#define REPLAY_WHERE_H

#include <pfkit/engine.h>

#include "inputs.h"
#include "options.h"

struct where;

/* Ends the program if --directions cannot be opened. */
struct where *where_new(const struct replay_options *, struct pfk_engine *,
	    const struct pfk_host *);
void	 where_free(struct where *);		/* NULL is fine */
/*
 * For engines that other threads run: before an interface is made known to
 * them, quiet() is called and sees to it that none is running.  The interface
 * gets the same number in all of them.
 */
void	 where_share(struct where *, struct pfk_engine *const *others, size_t n,
	    void (*quiet)(void *), void *arg);
/*
 * Fills in ifid and dir of the packet that was made of the record; false: it
 * cannot be known, and why has been told.
 */
bool	 where_find(struct where *, struct input *, const struct record *,
	    struct pfk_packet *);

/*
 * The same for packets that inputs_burst() gave, whose ifid and dir are those
 * of the capture; numbers are set.  How many of them it is known of.
 */
size_t	 where_burst(struct where *, struct input *, struct pfk_packet *,
	    size_t n);

#endif
