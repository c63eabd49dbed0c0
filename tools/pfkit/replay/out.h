/*
 * Files that are written: buffered, and no error is forgotten.
 *
 * The first error (a full disk, a pipe that is closed) is kept, what follows
 * is thrown away, and out_close() says so.  out_mark() and out_rewind() take
 * back what was written last.
 */
#ifndef REPLAY_OUT_H
#define REPLAY_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out;

/* "-" is standard output.  Ends the program if it cannot be opened. */
struct out *out_open(const char *path);
/* 0, or 1 and the error was told.  NULL is fine. */
int	 out_close(struct out *);
void	 out_flush(struct out *);
/* Whether someone reads along. */
bool	 out_is_terminal(const struct out *);

void	 out_bytes(struct out *, const void *, size_t);
void	 out_str(struct out *, const char *);
void	 out_char(struct out *, char);
void	 out_number(struct out *, uint64_t);
void	 out_printf(struct out *, const char *, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
/* JSON: with its quotes; and without, so that a string can be put together. */
void	 out_json_string(struct out *, const char *);
void	 out_json_text(struct out *, const char *);

/*
 * Bytes of the UTF-8 character there that is not ASCII, or 0 if it is none: a
 * ruleset may be in any encoding, what programs read may not.
 */
size_t	 utf8_length(const char *, size_t left);

/*
 * One that goes nowhere: what is written stays in memory until it is taken
 * from there, as text or in pieces.
 */
struct out *out_memory(void);
const char *out_collected(struct out *, size_t *len);
size_t	 out_length(const struct out *);
void	 out_copy(struct out *to, const struct out *memory, size_t from,
	    size_t len);
void	 out_empty(struct out *);
/*
 * The id of a state, 16 digits.  One that is provisional (pfkit/shard.h) is
 * replaced when out_mend() asks fn for the final one.
 */
void	 out_state_id(struct out *, uint64_t id);
void	 out_mend(struct out *, uint64_t (*fn)(void *, uint64_t), void *);

/*
 * => What was written since the mark must be less than OUT_MARK bytes, and
 *    nothing may be flushed between.
 */
#define OUT_MARK	(1 << 18)
void	 out_mark(struct out *);
void	 out_rewind(struct out *);

#endif
