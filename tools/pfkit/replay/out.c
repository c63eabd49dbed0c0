/*
 * See out.h.  The buffer holds what was written since the last write(2); a
 * mark is a place in it, so making one flushes when little room is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pfkit/shard.h>

#include "../../common/report.h"
#include "out.h"

#define OUT_BUFFER	(1 << 19)

struct out {
	const char	*path;
	int		 fd;
	bool		 terminal;
	int		 error;		/* errno of the first */
	size_t		 len, mark;
	char		*buf;
	size_t		 size;
	bool		 memory;
	/* of memory: where provisional ids stand */
	struct place	{ size_t at; uint64_t id; } *places;
	size_t		 nplaces, places_size;
};

static struct out *
out_new(size_t size)
{
	struct out *o = xcalloc(1, sizeof(*o));

	o->buf = xcalloc(1, size);
	o->size = size;
	return o;
}

struct out *
out_open(const char *path)
{
	struct out *o = out_new(OUT_BUFFER);

	o->path = path;
	o->fd = STDOUT_FILENO;
	if (strcmp(path, "-") == 0)
		o->path = "standard output";
	else
		o->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (o->fd == -1)
		fatal("%s: %s", path, strerror(errno));
	o->terminal = isatty(o->fd);
	return o;
}

void
out_flush(struct out *o)
{
	const char *p = o->buf;
	ssize_t n;

	if (o->memory)
		return;
	while (o->error == 0 && o->len > 0) {
		n = write(o->fd, p, o->len);
		if (n == -1 && errno != EINTR)
			o->error = errno;
		if (n > 0) {
			p += n;
			o->len -= (size_t)n;
		}
	}
	o->len = o->mark = 0;
}

int
out_close(struct out *o)
{
	int error;

	if (o == NULL)
		return 0;
	out_flush(o);
	if (o->fd > STDOUT_FILENO && close(o->fd) != 0 && o->error == 0)
		o->error = errno;
	error = o->error;
	if (error != 0)
		warning("%s: %s", o->path, strerror(error));
	free(o->places);
	free(o->buf);
	free(o);
	return error != 0;
}

bool
out_is_terminal(const struct out *o)
{
	return o->terminal;
}

/* Memory grows instead of being written. */
static void
need(struct out *o, size_t len)
{
	if (len <= o->size - o->len)
		return;
	while (len > o->size - o->len)
		o->size *= 2;
	o->buf = xrealloc(o->buf, o->size);
}

void
out_bytes(struct out *o, const void *data, size_t len)
{
	const char *p = data;

	if (o->memory)
		need(o, len);
	while (len > o->size - o->len) {
		size_t n = o->size - o->len;

		memcpy(o->buf + o->len, p, n);
		o->len += n;
		p += n;
		len -= n;
		out_flush(o);
	}
	memcpy(o->buf + o->len, p, len);
	o->len += len;
}

void
out_str(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

void
out_char(struct out *o, char c)
{
	if (o->memory)
		need(o, 1);
	else if (o->len == o->size)
		out_flush(o);
	o->buf[o->len++] = c;
}

void
out_number(struct out *o, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	out_bytes(o, digits + i, sizeof(digits) - i);
}

void
out_printf(struct out *o, const char *fmt, ...)
{
	char small[256], *text = small;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(small)) {
		text = xcalloc(1, (size_t)n + 1);
		va_start(ap, fmt);
		vsnprintf(text, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	out_bytes(o, text, (size_t)n);
	if (text != small)
		free(text);
}

void
out_mark(struct out *o)
{
	if (!o->memory && o->size - o->len < OUT_MARK)
		out_flush(o);
	o->mark = o->len;
}

void
out_rewind(struct out *o)
{
	o->len = o->mark;
}

/* ---- memory ---- */

struct out *
out_memory(void)
{
	struct out *o = out_new(1 << 12);

	o->path = "memory";
	o->fd = -1;
	o->memory = true;
	return o;
}

const char *
out_collected(struct out *o, size_t *len)
{
	need(o, 1);
	o->buf[o->len] = '\0';
	*len = o->len;
	return o->buf;
}

size_t
out_length(const struct out *o)
{
	return o->len;
}

void
out_copy(struct out *to, const struct out *memory, size_t from, size_t len)
{
	out_bytes(to, memory->buf + from, len);
}

void
out_empty(struct out *o)
{
	o->len = o->mark = o->nplaces = 0;
}

static void
format_id(char text[17], uint64_t id)
{
	for (int i = 16; i-- > 0; id >>= 4)
		text[i] = "0123456789abcdef"[id & 15];
	text[16] = '\0';
}

void
out_state_id(struct out *o, uint64_t id)
{
	char text[17];

	if (o->memory && (id & PFK_SHARDS_PROVISIONAL) != 0) {
		if (o->nplaces == o->places_size) {
			o->places_size = o->places_size * 2 + 64;
			o->places = xrealloc(o->places,
			    o->places_size * sizeof(*o->places));
		}
		o->places[o->nplaces++] = (struct place){ o->len, id };
	}
	format_id(text, id);
	out_str(o, text);
}

void
out_mend(struct out *o, uint64_t (*fn)(void *, uint64_t), void *arg)
{
	char text[17];

	for (size_t i = 0; i < o->nplaces; i++) {
		format_id(text, fn(arg, o->places[i].id));
		memcpy(o->buf + o->places[i].at, text, 16);
	}
	o->nplaces = 0;
}
