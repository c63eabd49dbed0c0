/*
 * agree: whether all ways through a ruleset come to the same answers.
 *
 *	recipe.c	rulesets by chance, as text
 *	rule.c		a rule of any kind, by chance
 *	corners.c	packets out of a ruleset's corners
 *	frame.c		a packet as bytes
 *	trio.c		one ruleset in three engines, held against each other
 *	tell.c		where they differ, in words
 *	story.c		what happens to them: packets in bursts, changes of
 *			tables, saving and restoring ...
 *	agree.c		the program: rulesets, how many packets, the sum
 *
 * The engines are given the same packets.  One takes the slow way: plain
 * bytecode, rules asked one by one, packet by packet (somebody asks for
 * explanations, and is told nothing).  The others are as they usually are, with
 * plain and with fast bytecode, and get bursts of any size.  After every round
 * all that was told to sinks must be the same; now and then, and at the end,
 * all that engines keep: pfk_engine_save() writes it down, counters, states,
 * tables, chance and all.
 *
 * Chance is seeded: a run can be repeated, and a ruleset of it alone.
 */
#ifndef TESTS_AGREE_H
#define TESTS_AGREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/engine.h>

#include "bench/random.h"

_Noreturn void die(const char *, ...)
	    __attribute__((__format__(__printf__, 1, 2)));

struct text;
struct flock;

/* ---- recipe.c ---- */
/*
 * A ruleset: t is empty.  Its kind is chosen by `which` (any number), all else
 * by chance.  The name of the kind.
 */
const char *recipe_write(struct text *t, unsigned which, struct random *);

/* ---- rule.c ---- */
struct author {
	struct text	*t;
	struct random	*r;
	unsigned	 depth;		/* anchors it is inside of */
	unsigned	 names;		/* of anchors so far */
	bool		 simple;	/* nothing happens before it decides */
	bool		 stateless;	/* pass rules make no states */
};
/* A line; also an anchor with its body, if not simple. */
void	 rule_write(struct author *);
/* One as firewalls have them: many anchors, match rules that are usual ones. */
void	 firewall_write(struct author *);
void	 match_write(struct author *);
void	 tables_write(struct author *, unsigned entries);
/* A prefix of a small world, where many lie in each other. */
void	 network_write(struct author *, uint8_t af);
/* One in n. */
static inline bool
once_in(struct random *r, unsigned n)
{
	return random_below(r, n) == 0;
}

/* ---- frame.c ---- */
#define FRAME_MAX	400
#define QUOTE_MAX	64

/* A packet in short. */
struct brief {
	uint8_t		 af, proto, dir, link;
	uint16_t	 ifid;		/* in corners.ifnames */
	uint8_t		 src[16], dst[16];
	uint16_t	 port[2];	/* host order */
	uint8_t		 flags, type, code, tos, ttl;
	bool		 df, options, extension, wrong_sum;
	bool		 part, more;	/* a fragment, from .. to */
	uint16_t	 from, to;
	uint16_t	 ipid, id, mss, win;
	uint32_t	 seq, ack;
	uint16_t	 payload, cut;	/* bytes; cut off the end */
	uint8_t		 nquote, quote[QUOTE_MAX];
};
/* The frame's length; the type of its link is in the brief. */
size_t	 frame_build(const struct brief *, uint8_t frame[FRAME_MAX]);
uint16_t frame_linktype(const struct brief *);

/* ---- corners.c ---- */
#define RECENT		512
#define IFACES_MAX	32

struct corners {
	const struct pfk_image *im;
	const struct pfk_host *host;
	struct random	*r;
	const char	*ifnames[IFACES_MAX];	/* as the engines number them */
	unsigned	 nifaces;
	struct brief	 recent[RECENT];
	unsigned	 nrecent;
	uint32_t	 rule;		/* drawn last */
};
void	 corners_init(struct corners *, const struct pfk_image *,
	    const struct pfk_host *, struct random *);
void	 corners_draw(struct corners *, struct brief *);
/* An address near something that rules ask about; af: 4 or 6. */
void	 corners_addr(struct corners *, uint8_t af, uint8_t addr[16]);

/* ---- trio.c ---- */
enum way { WAY_SLOW, WAY_PLAIN, WAY_FAST, WAYS };
extern const char *const way_names[WAYS];

/* What a sink was told: a decision, a line of log or of debugging. */
enum said_what { SAID_DECISION, SAID_LOG, SAID_DEBUG };
struct said_flow { uint8_t af, proto, has_ports, addr[2][16];
    uint16_t port[2]; };
struct said {
	uint64_t	 number, time, state_id, bytes;
	uint32_t	 rule, subrule, changed, nreplies, len;
	struct said_flow before, after, quote;
	uint16_t	 ifid, mss;
	uint8_t		 what, second, dir, verdict, reason, state, ttl, tos,
			 df, logif, action;
};
/* What became of packets, so that it is seen that something did. */
struct tally {
	uint64_t	 decisions, passed, blocked, dropped, other, made, met,
			 translated, logs;
};
struct one {
	struct pfk_engine *e;
	struct said	*said;
	size_t		 nsaid, size;
};
struct trio {
	const struct pfk_image *plain, *fast;
	const struct pfk_host *host;
	const struct corners *c;	/* for the interfaces' names */
	uint64_t	 seed;
	int		 debug;
	bool		 long_way;	/* the fast one has no lane */
	struct one	 way[WAYS];
	struct tally	*tally;
};
void	 trio_init(struct trio *);
void	 trio_free(struct trio *);
/* Each engine is saved, and another one goes on from there. */
void	 trio_renew(struct trio *);
/* Whether what was said since the last time is the same; it is forgotten. */
bool	 trio_said_the_same(struct trio *);
/* Whether they keep the same. */
bool	 trio_keep_the_same(const struct trio *);

/* ---- tell.c: to standard error ---- */
void	 tell_said(const struct trio *, enum way, const struct said *a,
	    const struct said *b);
void	 tell_kept(const struct trio *, enum way);

/* ---- story.c ---- */
struct tale {
	const struct pfk_image *plain, *fast, *other;	/* other: for anchors,
							   or NULL */
	const struct pfk_image *other_fast;
	const struct pfk_host *host;
	uint64_t	 seed;
	uint64_t	 packets;
	struct tally	*tally;		/* added to */
};
/* false: they differ, and it has been told how. */
bool	 story_tell(const struct tale *);

#endif
