/*
 * Reading files, compressed or not.
 *
 * What lies below is a file descriptor or a block of memory (for tests);
 * a decoder on top of it turns the file's bytes into the capture's.  Files of
 * several members or frames, one after the other, are one stream, as gzip(1)
 * and zstd(1) treat them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "stream.h"

#define INPUT_SIZE	(1 << 17)	/* compressed bytes at a time */

enum coding { CODING_NONE, CODING_GZIP, CODING_ZSTD };

struct stream {
	int		 fd;		/* -1: memory */
	uint64_t	 size, position;
	enum coding	 coding;
	const uint8_t	*in;		/* bytes not yet decoded */
	size_t		 left;
	bool		 ended;		/* there are no more behind them */
	bool		 inside;	/* of a member or frame */
	uint8_t		*buffer;	/* of a descriptor */
#ifdef HAVE_ZLIB
	z_stream	 z;
#endif
#ifdef HAVE_ZSTD
	ZSTD_DStream	*zstd;
#endif
};

static void
fail(char *error, const char *why)
{
	snprintf(error, STREAM_ERRLEN, "%s", why);
}

static ssize_t
read_fd(struct stream *s, void *to, size_t len, char *error)
{
	ssize_t n;

	do {
		n = read(s->fd, to, len);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		fail(error, strerror(errno));
	else
		s->position += (uint64_t)n;
	return n;
}

/* Fills `in` as far as that goes; false: error. */
static bool
fill(struct stream *s, char *error)
{
	ssize_t n;

	if (s->left > 0 || s->ended)
		return true;
	n = read_fd(s, s->buffer, INPUT_SIZE, error);
	if (n < 0)
		return false;
	s->in = s->buffer;
	s->left = (size_t)n;
	s->ended = n == 0;
	return true;
}

/* Enough of the beginning to tell what it is (a pipe gives it in pieces). */
static bool
fill_start(struct stream *s, char *error)
{
	ssize_t n;

	while (s->fd != -1 && s->left < 4) {
		n = read_fd(s, s->buffer + s->left, INPUT_SIZE - s->left,
		    error);
		if (n < 0)
			return false;
		s->in = s->buffer;
		s->left += (size_t)n;
		if (n == 0)
			break;
	}
	return true;
}

static bool
start_gzip(struct stream *s, char *error)
{
#ifdef HAVE_ZLIB
	s->coding = CODING_GZIP;
	if (inflateInit2(&s->z, 15 + 16) == Z_OK)
		return true;
	fail(error, strerror(ENOMEM));
#else
	fail(error, "is compressed with gzip, and this pfkit was built "
	    "without zlib");
#endif
	(void)s;
	return false;
}

static bool
start_zstd(struct stream *s, char *error)
{
#ifdef HAVE_ZSTD
	s->coding = CODING_ZSTD;
	s->zstd = ZSTD_createDStream();
	if (s->zstd != NULL)
		return true;
	fail(error, strerror(ENOMEM));
#else
	fail(error, "is compressed with zstd, and this pfkit was built "
	    "without libzstd");
#endif
	(void)s;
	return false;
}

static bool
detect(struct stream *s, char *error)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b };
	static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (!fill_start(s, error))
		return false;
	if (s->left >= sizeof(gzip) && memcmp(s->in, gzip, sizeof(gzip)) == 0)
		return start_gzip(s, error);
	if (s->left >= sizeof(zstd) && memcmp(s->in, zstd, sizeof(zstd)) == 0)
		return start_zstd(s, error);
	return true;
}

static struct stream *
start(struct stream *s, char *error)
{
	if (detect(s, error))
		return s;
	stream_close(s);
	return NULL;
}

struct stream *
stream_open(const char *path, char *error)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct stat st;

	if (s == NULL || (s->buffer = malloc(INPUT_SIZE)) == NULL) {
		free(s);
		fail(error, strerror(ENOMEM));
		return NULL;
	}
	s->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY);
	if (s->fd == -1) {
		fail(error, strerror(errno));
		stream_close(s);
		return NULL;
	}
	if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;
	return start(s, error);
}

struct stream *
stream_memory(const void *data, size_t len, char *error)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		fail(error, strerror(ENOMEM));
		return NULL;
	}
	s->fd = -1;
	s->in = data;
	s->left = len;
	s->size = s->position = len;
	s->ended = true;
	return start(s, error);
}

void
stream_close(struct stream *s)
{
	if (s == NULL)
		return;
#ifdef HAVE_ZLIB
	if (s->coding == CODING_GZIP)
		inflateEnd(&s->z);
#endif
#ifdef HAVE_ZSTD
	ZSTD_freeDStream(s->zstd);
#endif
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	free(s->buffer);
	free(s);
}

/* Straight from the file, after what detect() took. */
static ssize_t
read_plain(struct stream *s, void *to, size_t len, char *error)
{
	size_t n = s->left < len ? s->left : len;

	if (s->left == 0)
		return s->fd == -1 ? 0 : read_fd(s, to, len, error);
	memcpy(to, s->in, n);
	s->in += n;
	s->left -= n;
	return (ssize_t)n;
}

#ifdef HAVE_ZLIB
/* One call of inflate(): how many bytes came out, or -1. */
static ssize_t
inflate_some(struct stream *s, void *to, size_t len, char *error)
{
	int r;

	s->z.next_in = (Bytef *)(uintptr_t)s->in;
	s->z.avail_in = (uInt)(s->left < INPUT_SIZE ? s->left : INPUT_SIZE);
	s->z.next_out = to;
	s->z.avail_out = (uInt)(len < (1u << 30) ? len : 1u << 30);
	len = s->z.avail_out;
	r = inflate(&s->z, Z_NO_FLUSH);
	s->left -= (size_t)(s->z.next_in - s->in);
	s->in = s->z.next_in;
	s->inside = r != Z_STREAM_END;
	if (r == Z_STREAM_END)
		r = inflateReset(&s->z);
	if (r == Z_OK || r == Z_BUF_ERROR)
		return (ssize_t)(len - s->z.avail_out);
	fail(error, "the compressed data is damaged (gzip)");
	return -1;
}
#endif

#ifdef HAVE_ZSTD
static ssize_t
unzstd_some(struct stream *s, void *to, size_t len, char *error)
{
	ZSTD_inBuffer in = { s->in, s->left, 0 };
	ZSTD_outBuffer out = { to, len, 0 };
	size_t r = ZSTD_decompressStream(s->zstd, &out, &in);

	if (ZSTD_isError(r)) {
		fail(error, "the compressed data is damaged (zstd)");
		return -1;
	}
	s->in += in.pos;
	s->left -= in.pos;
	s->inside = r != 0;
	return (ssize_t)out.pos;
}
#endif

static ssize_t
decode_some(struct stream *s, void *to, size_t len, char *error)
{
	switch (s->coding) {
	case CODING_GZIP:
#ifdef HAVE_ZLIB
		return inflate_some(s, to, len, error);
#endif
	case CODING_ZSTD:
#ifdef HAVE_ZSTD
		return unzstd_some(s, to, len, error);
#endif
	case CODING_NONE:
		break;
	}
	return read_plain(s, to, len, error);
}

ssize_t
stream_read(struct stream *s, void *to, size_t len, char *error)
{
	ssize_t n;

	if (s->coding == CODING_NONE)
		return read_plain(s, to, len, error);
	for (;;) {
		if (!fill(s, error))
			return -1;
		if (s->left == 0 && !s->inside)
			return 0;
		n = decode_some(s, to, len, error);
		if (n != 0)
			return n;
		if (s->left == 0 && s->ended && s->inside) {
			fail(error, "the compressed data ends too early");
			return -1;
		}
	}
}

uint64_t
stream_position(const struct stream *s)
{
	return s->position - s->left;
}

uint64_t
stream_size(const struct stream *s)
{
	return s->size;
}
