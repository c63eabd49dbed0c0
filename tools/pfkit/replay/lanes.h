/*
 * Several engines for one replay (pfkit/shard.h), each with outputs of its own
 * that write into memory.  What they wrote of a batch of packets is put into
 * the replay's outputs in the order of the packets.
 */
#ifndef REPLAY_LANES_H
#define REPLAY_LANES_H

#include <pfkit/shard.h>

#include "replay.h"

struct lanes;

/* What one lane wrote about its packets of a batch. */
struct lane_text;
struct lane_text *lane_text_new(void);
void	 lane_text_free(struct lane_text *);	/* NULL is fine */

/* Whether the replay needs one engine; with -v it is told why. */
bool	 lanes_forbidden(const struct replay *);

/*
 * n lanes; the replay's engine, which is new, is the first one's.  Ends the
 * program if there is no memory.
 */
struct lanes *lanes_new(struct replay *, unsigned n);
void	 lanes_free(struct lanes *);		/* NULL is fine */
struct pfk_engine *const *lanes_engines(const struct lanes *);

/* Before the first packet of all is dealt. */
void	 lanes_begin(struct lanes *, const struct pfk_packet *first);
/* Which lane each is for (pfk_shards_deal()); how many: lanes must be joined
 * before the next. */
size_t	 lanes_deal(const struct lanes *, const struct pfk_packet *, size_t n,
	    uint8_t *lane);
/* Why, about that one, in a few words. */
const char *lanes_why(const struct lanes *, const struct pfk_packet *);

/* One thread for each lane. */
void	 lane_run(struct lanes *, unsigned lane, const struct pfk_packet *,
	    size_t n, struct lane_text *);

/* ---- no lane runs ---- */

/* pfk_shards_advance(): time passes, ids become final. */
void	 lanes_advance(struct lanes *, uint64_t time);
size_t	 lanes_room(const struct lanes *);	/* for more states */
size_t	 lanes_fragments(const struct lanes *);	/* that may come */
uint64_t lanes_next_id(const struct lanes *);
/* From here on the replay's engine and outputs stand for all. */
void	 lanes_join(struct lanes *);

/*
 * Texts of a batch, one for each lane, into the replay's outputs.  => In the
 * order of batches.  fresh: lanes_advance() came before it, and then
 * lanes_next_id() was next_id.
 */
void	 lanes_write(struct lanes *, struct lane_text *const *, bool fresh,
	    uint64_t next_id);

#endif
