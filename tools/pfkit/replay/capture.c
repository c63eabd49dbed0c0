/*
 * The buffer of a capture, and which format it has.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture_int.h"

#define BUFFER_SIZE	(1u << 17)

enum capture_result
capture_fail(struct capture *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->error, sizeof(c->error), fmt, ap);
	va_end(ap);
	return CAPTURE_ERROR;
}

static bool
grow(struct capture *c, size_t n)
{
	uint8_t *buf;

	if (n <= c->size)
		return true;
	buf = realloc(c->buf, n);
	if (buf == NULL)
		return false;
	c->buf = buf;
	c->size = n;
	return true;
}

bool
capture_swap(struct capture *c, struct buffer *fresh)
{
	struct buffer old = { c->buf, c->size };
	uint8_t *bytes = fresh->bytes;
	size_t size = c->size > fresh->size ? c->size : fresh->size;

	if (fresh->size < size && (bytes = realloc(bytes, size)) == NULL)
		return false;
	c->len -= c->pos;
	memcpy(bytes, c->buf + c->pos, c->len);
	c->pos = 0;
	c->buf = bytes;
	c->size = size;
	*fresh = old;
	return true;
}

/* Moves what is unread to the front and reads behind it. */
static bool
refill(struct capture *c, size_t n)
{
	ssize_t got;

	c->len -= c->pos;
	memmove(c->buf, c->buf + c->pos, c->len);
	c->pos = 0;
	if (!grow(c, n)) {
		capture_fail(c, "%s", strerror(ENOMEM));
		return false;
	}
	while (c->len < n && !c->ended) {
		got = stream_read(c->stream, c->buf + c->len,
		    c->size - c->len, c->error);
		if (got < 0)
			return false;
		c->len += (size_t)got;
		c->ended = got == 0;
	}
	return true;
}

const uint8_t *
capture_need(struct capture *c, size_t n, bool may_move,
    enum capture_result *r)
{
	if (c->len - c->pos >= n)
		return c->buf + c->pos;
	if (!c->ended && !may_move) {
		*r = CAPTURE_FULL;
		return NULL;
	}
	if (!c->ended && !refill(c, n)) {
		*r = CAPTURE_ERROR;
		return NULL;
	}
	if (c->len - c->pos >= n)
		return c->buf + c->pos;
	*r = c->len == c->pos ? CAPTURE_END :
	    capture_fail(c, "the file ends within it");
	return NULL;
}

struct capture_if *
capture_add_if(struct capture *c)
{
	struct capture_if *i;

	if (c->nifs == c->ifs_size) {
		uint32_t size = c->ifs_size == 0 ? 4 : c->ifs_size * 2;

		i = realloc(c->ifs, size * sizeof(*i));
		if (i == NULL) {
			capture_fail(c, "%s", strerror(ENOMEM));
			return NULL;
		}
		c->ifs = i;
		c->ifs_size = size;
	}
	i = &c->ifs[c->nifs++];
	memset(i, 0, sizeof(*i));
	i->resolution = 6;
	return i;
}

/* What the first bytes say. */
static bool
recognize(struct capture *c)
{
	enum capture_result r;
	const uint8_t *start = capture_need(c, 12, true, &r);

	if (start == NULL) {
		if (r == CAPTURE_END)
			capture_fail(c, "is empty");
		else if (c->ended)
			capture_fail(c, "is not a capture file");
		return false;
	}
	if (pcap_open(c, start) || pcapng_open(c, start))
		return true;
	if (c->error[0] == '\0')
		capture_fail(c, "is not a capture file (neither pcap nor "
		    "pcapng)");
	return false;
}

struct capture *
capture_open(struct stream *s, char *error)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		stream_close(s);
		snprintf(error, CAPTURE_ERRLEN, "%s", strerror(ENOMEM));
		return NULL;
	}
	c->stream = s;
	if (!grow(c, BUFFER_SIZE))
		capture_fail(c, "%s", strerror(ENOMEM));
	else if (recognize(c))
		return c;
	memcpy(error, c->error, CAPTURE_ERRLEN);
	capture_close(c);
	return NULL;
}

void
capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	for (uint32_t i = 0; i < c->nifs; i++)
		free(c->ifs[i].name);
	free(c->ifs);
	free(c->buf);
	stream_close(c->stream);
	free(c);
}

enum capture_result
capture_next(struct capture *c, bool may_move, struct record *r)
{
	enum capture_result result;

	if (c->failed)
		return CAPTURE_ERROR;
	result = c->next(c, may_move, r);
	c->failed = result == CAPTURE_ERROR;
	c->packets += result == CAPTURE_PACKET;
	return result;
}

void
capture_packet(const struct record *r, struct pfk_packet *p)
{
	*p = (struct pfk_packet){ .time = r->time, .data = r->data,
	    .caplen = r->caplen, .wirelen = r->wirelen,
	    .linktype = r->linktype, .ifid = (uint16_t)r->interface,
	    .dir = r->dir };
}

size_t
capture_burst(struct capture *c, bool may_move, struct pfk_packet *p,
    size_t max, enum capture_result *why)
{
	struct record r;
	size_t n = 0, quick;

	while (n < max) {
		if (c->burst != NULL) {
			n += quick = c->burst(c, p + n, max - n);
			c->packets += quick;
			if (n == max)
				break;
		}
		/* one with care; what was lent so far stays where it is */
		*why = capture_next(c, may_move && n == 0, &r);
		if (*why != CAPTURE_PACKET)
			break;
		capture_packet(&r, &p[n++]);
	}
	return n;
}

const char *
capture_error(const struct capture *c)
{
	return c->error;
}

uint64_t
capture_packets(const struct capture *c)
{
	return c->packets;
}

const char *
capture_ifname(const struct capture *c, uint32_t interface)
{
	return interface < c->nifs ? c->ifs[interface].name : NULL;
}

const struct stream *
capture_stream(const struct capture *c)
{
	return c->stream;
}
