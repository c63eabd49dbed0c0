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

#include "../../common/report.h"
#include "../../common/textbuf.h"
#include "out.h"

#define OUT_BUFFER	(1 << 19)

struct out {
	const char	*path;
	int		 fd;
	bool		 terminal;
	int		 error;		/* errno of the first */
	size_t		 len, mark;
	bool		 collects;	/* out_memory() */
	struct textbuf	 collected;
	char		 buf[OUT_BUFFER];
};

struct out *
out_open(const char *path)
{
	struct out *o = xcalloc(1, sizeof(*o));

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

struct out *
out_memory(void)
{
	struct out *o = xcalloc(1, sizeof(*o));

	o->path = "memory";
	o->fd = -1;
	o->collects = true;
	return o;
}

const char *
out_collected(struct out *o, size_t *len)
{
	out_flush(o);
	textbuf_str(&o->collected, "");
	*len = o->collected.len;
	return o->collected.text;
}

void
out_flush(struct out *o)
{
	const char *p = o->buf;
	ssize_t n;

	if (o->collects) {
		textbuf_bytes(&o->collected, o->buf, o->len);
		o->len = 0;
	}
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
	textbuf_free(&o->collected);
	if (o->fd != STDOUT_FILENO && !o->collects && close(o->fd) != 0 && o->error == 0)
		o->error = errno;
	error = o->error;
	if (error != 0)
		warning("%s: %s", o->path, strerror(error));
	free(o);
	return error != 0;
}

bool
out_is_terminal(const struct out *o)
{
	return o->terminal;
}

void
out_bytes(struct out *o, const void *data, size_t len)
{
	const char *p = data;

	while (len > OUT_BUFFER - o->len) {
		size_t n = OUT_BUFFER - o->len;

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
	if (o->len == OUT_BUFFER)
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
	if (OUT_BUFFER - o->len < OUT_MARK)
		out_flush(o);
	o->mark = o->len;
}

void
out_rewind(struct out *o)
{
	o->len = o->mark;
}
