/*
 * The command line of `pfkit replay`.
 */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/engine.h>

#include "../ruleset.h"

/* Files that are written, in the order in which they are opened. */
enum output_kind { OUTPUT_VERDICTS, OUTPUT_JSON, OUTPUT_WRITE,
    OUTPUT_WRITE_BLOCKED, OUTPUT_WRITE_REPLIES, OUTPUT_COVER, OUTPUT_PFLOG, OUTPUT_STATES,
    OUTPUT_LABELS, OUTPUT_RULES, OUTPUT_INFO, OUTPUT_TABLES, OUTPUT_SOURCES,
    OUTPUT_STATE_OUT, NOUTPUTS };

#define MAX_JOBS	32u

/* A command before a packet: --at N:COMMAND. */
struct at_command {
	uint64_t	 packet;
	const char	*text;
	unsigned	 place;		/* on the command line */
};

struct replay_options {
	struct ruleset_options ruleset;
	const char	*interface;	/* -i, or NULL */
	uint8_t		 dir;		/* -d, or 0 */
	struct pfk_net	*local;		/* --local */
	size_t		 nlocal;
	bool		 have_local;
	const char	*directions;	/* --directions */
	const char	*outputs[NOUTPUTS];
	const char	*state_in;
	struct at_command *at;		/* by packet */
	size_t		 nat;
	unsigned	 bench;		/* loops; 0: a usual replay */
	unsigned	 jobs;		/* -j, or 0 */
	unsigned	 verbose;
	bool		 quiet;
	bool		 raw;		/* --write without link headers */
	int		 debug;		/* -x; -1: the ruleset's */
	char		**captures;	/* [IFACE[:dir]=]FILE ... */
	size_t		 ncaptures;
};

/* -1, or the exit status if there is nothing to do (--help). */
int	 replay_options_parse(struct replay_options *, int argc, char **argv);
void	 replay_options_free(struct replay_options *);

/* For other commands that take these options: --local, --at. */
void	 replay_add_local(struct replay_options *, const char *arg);
void	 replay_add_at(struct replay_options *, const char *arg);
void	 replay_sort_at(struct replay_options *);	/* when all are there */

/* "10.0.0.0/8"; false: is not such. */
bool	 parse_net(const char *, struct pfk_net *);
bool	 net_contains(const struct pfk_net *, uint8_t af, const uint8_t *addr);
/* "in", "out", "fwd"; 0: is not such. */
uint8_t	 parse_direction(const char *, size_t len);

#endif
