/*
 * Inside of a replay by several threads: crew.c says how it goes.
 */
#ifndef REPLAY_CREW_INT_H
#define REPLAY_CREW_INT_H

#include <pthread.h>

#include "batch.h"
#include "lanes.h"
#include "progress.h"

#define DEPTH		8
#define AHEAD		3		/* batches that a lane has to do */
#define PACKETS		4096		/* of a batch and lane, at most */
#define MAX_LENT	8
#define MAX_BUFFERS	(DEPTH * MAX_LENT)
#define FEW		512		/* packets: not worth a thread's sleep */
#define FRAGMENTS	512		/* of a batch: there must be room */
#define BURST		256
#define SECOND		UINT64_C(1000000000)
#define NOBODY		UINT32_MAX

struct part { struct pfk_packet *packets; size_t n; };
struct lent { struct buffer buffer; uint32_t thread; };

/*
 * Batches and buffers are filled by the thread that filled them before, if it
 * can be: its processor's cache has them.
 */
struct batch {
	uint32_t	 thread;
	struct part	 part[PFK_SHARDS_MAX];	/* by lane */
	struct lane_text *text[PFK_SHARDS_MAX];
	size_t		 n, fragments;	/* packets of all lanes */
	bool		 step;
	const char	*join;		/* why it needs one lane, or NULL */
	uint64_t	 time;		/* of a step */
	bool		 started;
	uint64_t	 next_id;	/* of a step: lanes_write() */
	unsigned	 left;		/* lanes that have not run it */
	struct lent	 lent[MAX_LENT]; /* spare, when it is done */
	unsigned	 nlent;
	uint64_t	 position;	/* bytes of the captures up to here */
};

/*
 * The reader's: packets that are still to be dealt, from at on, up to `known'
 * with their lanes; and the clock.
 */
struct dealer {
	struct pfk_packet *packets;	/* of the thread that filled it */
	uint8_t		 lane[BURST];
	size_t		 n, at, known;
	bool		 begun;
	uint64_t	 epoch, next_second;
};

struct crew {
	struct replay	*replay;
	struct reader	 reader;
	struct dealer	 dealer;
	struct pfk_packet *bursts;	/* BURST for each thread */
	struct progress	 progress;
	struct lanes	*lanes;		/* or NULL */
	unsigned	 n;		/* lanes */
	pthread_mutex_t	 lock;		/* for all below */
	pthread_cond_t	 news;
	struct batch	 batches[DEPTH], *ring[DEPTH];
	struct batch	*idle[DEPTH];
	unsigned	 nidle;
	uint64_t	 filled, done, next[PFK_SHARDS_MAX];
	bool		 busy[PFK_SHARDS_MAX];
	bool		 writing, stepping, ended;
	bool		 whole;		/* one engine: there are no lanes */
	bool		 soon;		/* captures are files: no waiting */
	uint32_t	 reading;	/* thread, or NOBODY */
	size_t		 room, fragments; /* for states, for them: at least */
	unsigned	 waiting;
	bool		 told;		/* they are to be woken */
	unsigned	 threads;
	struct lent	 spare[MAX_BUFFERS];
	unsigned	 nspare, nbuffers;	/* that were made */
	uint32_t	 buffer_thread;	/* of what is read from now */
};

static inline void
enter(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
}

/* Who is woken needs the lock: it is free by then. */
static inline void
leave(struct crew *c)
{
	bool told = c->told;

	c->told = false;
	pthread_mutex_unlock(&c->lock);
	if (told)
		pthread_cond_broadcast(&c->news);
}

/* Those who wait, when the lock is left. */
static inline void
tell(struct crew *c)
{
	c->told |= c->waiting > 0;
}

static inline struct batch *
batch_at(struct crew *c, uint64_t n)
{
	return c->ring[n % DEPTH];
}

/* A second with so few packets is not shared: whoever makes the step runs it. */
static inline bool
is_small(const struct crew *c, const struct batch *b)
{
	return c->soon && b->step && b->n < FEW;
}

/* crew_read.c: fills the next batch; false: another thread does, or there is
 * no room, or no more of them.  => Under the lock. */
bool	 crew_read(struct crew *, uint32_t thread);

#endif
