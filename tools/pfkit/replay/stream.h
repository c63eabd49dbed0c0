/*
 * The bytes of a file, decompressed if it is gzip or zstd (by its first
 * bytes).  "-" is standard input.  error is a buffer of STREAM_ERRLEN.
 */
#ifndef REPLAY_STREAM_H
#define REPLAY_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STREAM_ERRLEN	128

struct stream;

/* NULL: why is in error. */
struct stream *stream_open(const char *path, char *error);
/* From memory, which stays the caller's. */
struct stream *stream_memory(const void *, size_t, char *error);
void	 stream_close(struct stream *);		/* NULL is fine */
/* How many were read; 0 at the end; -1: why is in error. */
ssize_t	 stream_read(struct stream *, void *, size_t,
	    char *error);
/* Bytes of the file read so far, and all of them (0: not known). */
uint64_t stream_position(const struct stream *);
uint64_t stream_size(const struct stream *);

#endif
