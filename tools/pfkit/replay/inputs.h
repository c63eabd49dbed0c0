/*
 * The captures of a replay, merged by time.
 */
#ifndef REPLAY_INPUTS_H
#define REPLAY_INPUTS_H

#include "capture.h"

struct input {
	const char	*name;		/* of the file, for messages */
	struct capture	*capture;
	char		*ifname;	/* IFACE=, or NULL */
	uint8_t		 dir;		/* IFACE:dir=, or 0 */
	int		*ifids;		/* where.c's memory */
	uint32_t	 nifids;
	struct record	 head;		/* the next packet */
};

struct inputs;

/* Opens [IFACE[:DIR]=]FILE ...; ends the program if it cannot. */
struct inputs *inputs_open(char **words, size_t n);
void	 inputs_close(struct inputs *);		/* NULL is fine */
/*
 * The next packet of all and where it is from.  CAPTURE_FULL: what was lent
 * so far must be used, then inputs_refill() called.  CAPTURE_ERROR has been
 * told.
 */
enum capture_result inputs_next(struct inputs *, struct record *,
	    struct input **);
void	 inputs_refill(struct inputs *);
/*
 * Up to max packets that follow each other and are of one capture; 0: *r
 * says why.  What is filled of them: capture_burst().
 */
size_t	 inputs_burst(struct inputs *, struct pfk_packet *, size_t max,
	    struct input **, enum capture_result *r);
/* Before it, so that what was lent stays: capture_swap() of that capture. */
bool	 inputs_swap(struct inputs *, struct buffer *);
/* Bytes read so far, and all of them (0: not known). */
uint64_t inputs_position(const struct inputs *);
uint64_t inputs_size(const struct inputs *);
/* Whether the path is one of the captures. */
bool	 inputs_have(const struct inputs *, const char *path);

#endif
