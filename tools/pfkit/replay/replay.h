/*
 * pfkit replay: captures through a ruleset.
 *
 *	options.c	the command line
 *	stream.c, capture.c, pcap.c, pcapng.c  from files to packets
 *	inputs.c	captures merged by time
 *	where.c		interface and direction of each packet
 *	bench.c		--bench: the engine alone, timed
 *	batch.c		packets out of the captures, numbered and placed
 *	run.c		the loop by one thread: bursts to the engine, --at
 *	crew.c		the same by several threads; what is read ahead
 *	lanes.c		several engines (-j), their outputs put together
 *	outputs.c	which outputs are wanted; answers to each of them
 *	verdicts.c, lines.c, json.c, write.c, pflog.c, summary.c
 *			outputs that follow the decisions
 *	show_*.c	what pfctl would show at the end
 *	text.c		addresses, changes and answers as text
 *	progress.c	how far it is
 */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include <pfkit/engine.h>

#include "inputs.h"
#include "options.h"
#include "out.h"

struct output;

struct replay {
	const struct replay_options *o;
	struct pfk_host	*host;
	struct pfk_image *image;
	struct pfk_engine *engine;
	struct inputs	*inputs;
	struct output	*outputs[NOUTPUTS + 2];
	unsigned	 noutputs;
	const struct pfk_packet *burst;	/* that is being decided */
	size_t		 current;	/* packet of it asked for last */
	uint64_t	 done;		/* packets before it */
	struct pfk_sink	 to;		/* lanes.c: in place of the outputs */
	bool		 failed;	/* something was told */
	struct pfk_image **loaded;	/* --at N:load ... */
	size_t		 nloaded;
};

/*
 * Something that follows the decisions.  Functions may be NULL.  start() is
 * called when `out' and `replay' are there, before the first packet; end() writes
 * what is left to write; then `out` is closed and the output freed.
 */
struct output {
	void	(*start)(struct output *);
	void	(*decision)(struct output *, const struct pfk_decision *);
	void	(*log)(struct output *, const struct pfk_log *);
	void	(*end)(struct output *);
	/* lanes.c: */
	struct output *(*make)(void);	/* another one; NULL: only end */
	/* before all decisions: the first packet of the replay */
	void	(*first)(struct output *, const struct pfk_packet *);
	/* the header of a file, if it is still to be written; or it is not to
	   be written at all, since another one does that */
	void	(*header)(struct output *, uint16_t linktype, bool write);
	/* what the other one counted is added */
	void	(*add)(struct output *, const struct output *);
	struct out	*out;
	struct replay	*replay;
};

/* The packet that a decision is about.  => It goes forward only. */
const struct pfk_packet *replay_packet(struct replay *, uint64_t number);

/* state_file.c: ends the program if it cannot. */
void	 restore_state(struct replay *, const char *path);

/* An engine for the ruleset; ends the program if there is no memory. */
struct pfk_engine *replay_engine(struct replay *, const struct pfk_sink *);

/* Packets to the engine, and what it says to the outputs. */
void	 replay_decide(struct replay *, const struct pfk_packet *, size_t n);
/* run.c, bench.c: 0, or 1 if something went wrong (told). */
int	 replay_run(struct replay *);
int	 replay_bench(struct replay *);

/*
 * at.c: what is to be done before a packet; ends the program if wrong.
 * Without a replay the command is only checked.
 */
void	 at_run(struct replay *, const char *command);

/* outputs.c */
void	 outputs_open(struct replay *);
void	 outputs_sink(struct replay *, struct pfk_sink *);
void	 outputs_flush_terminals(struct replay *);
int	 outputs_close(struct replay *);	/* 0, or 1 (told) */

/* The kinds; each returns a new output without `out` and `replay`. */
struct output *verdicts_new(void);
struct output *json_new(void);
struct output *lines_new(void);
struct output *write_passed_new(void);
struct output *write_blocked_new(void);
struct output *write_replies_new(void);
struct output *pflog_new(void);
struct output *summary_new(void);
struct output *cover_out_new(void);

/* What is shown at the end. */
void	 show_states(struct output *);
void	 show_labels(struct output *);
void	 show_rules(struct output *);
void	 show_info(struct output *);
void	 show_tables(struct output *);
void	 show_sources(struct output *);
void	 save_state(struct output *);

#endif
