/*
 * Merging: the inputs that still have packets stand in a heap by the time of
 * their next one; of equal times the one named first wins.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../pfkit.h"
#include "inputs.h"
#include "options.h"

struct inputs {
	struct input	*all;
	size_t		 n;
	struct input	**heap;
	size_t		 nheap;
	bool		 started, failed;
	bool		 alone_full;	/* the one capture may move */
	struct input	*owing;		/* its head is to be read */
};

/* "em0:in=FILE": the file, and what stands before it.  A path with a = in a
   folder's name is no such thing. */
static const char *
split(struct input *in, const char *word)
{
	size_t len = strcspn(word, "=/"), name;

	if (word[len] != '=' || len == 0)
		return word;
	name = strcspn(word, ":=");
	if (word[name] == ':') {
		in->dir = parse_direction(word + name + 1, len - name - 1);
		if (in->dir == 0)
			usage_error("replay", "%s: in, out or fwd", word);
	}
	in->ifname = xcalloc(1, name + 1);
	memcpy(in->ifname, word, name);
	return word + len + 1;
}

static void
open_input(struct input *in, const char *word)
{
	char error[CAPTURE_ERRLEN];
	struct stream *s;

	in->name = split(in, word);
	s = stream_open(in->name, error);
	if (s != NULL)
		in->capture = capture_open(s, error);
	if (in->capture == NULL)
		fatal("%s: %s", in->name, error);
	if (strcmp(in->name, "-") == 0)
		in->name = "standard input";
}

struct inputs *
inputs_open(char **words, size_t n)
{
	struct inputs *s = xcalloc(1, sizeof(*s));

	s->all = xcalloc(n, sizeof(*s->all));
	s->heap = xcalloc(n, sizeof(struct input *));
	s->n = n;
	for (size_t i = 0; i < n; i++)
		open_input(&s->all[i], words[i]);
	return s;
}

void
inputs_close(struct inputs *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++) {
		capture_close(s->all[i].capture);
		free(s->all[i].ifname);
		free(s->all[i].ifids);
	}
	free(s->all);
	free(s->heap);
	free(s);
}

static bool
before(const struct input *a, const struct input *b)
{
	if (a->head.time != b->head.time)
		return a->head.time < b->head.time;
	return a < b;
}

static void
sift_down(struct inputs *s, size_t i)
{
	struct input *moved = s->heap[i];
	size_t child;

	for (; (child = 2 * i + 1) < s->nheap; i = child) {
		if (child + 1 < s->nheap &&
		    before(s->heap[child + 1], s->heap[child]))
			child++;
		if (!before(s->heap[child], moved))
			break;
		s->heap[i] = s->heap[child];
	}
	s->heap[i] = moved;
}

static void
sift_up(struct inputs *s, size_t i)
{
	struct input *moved = s->heap[i];

	for (; i > 0 && before(moved, s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = moved;
}

static void
tell_error(struct inputs *s, const struct input *in)
{
	s->failed = true;
	warning("%s: packet %" PRIu64 ": %s", in->name,
	    capture_packets(in->capture) + 1, capture_error(in->capture));
}

/*
 * Reads the head of the input at the top of the heap; the input leaves the
 * heap when it has ended.
 */
static enum capture_result
advance_top(struct inputs *s, bool may_move)
{
	struct input *in = s->heap[0];
	enum capture_result r = capture_next(in->capture, may_move, &in->head);

	if (r == CAPTURE_ERROR)
		tell_error(s, in);
	if (r == CAPTURE_END || r == CAPTURE_ERROR)
		s->heap[0] = s->heap[--s->nheap];
	if (r != CAPTURE_FULL && s->nheap > 1)
		sift_down(s, 0);
	return r;
}

static bool
start(struct inputs *s)
{
	s->started = true;
	for (size_t i = 0; i < s->n && !s->failed; i++) {
		struct input *in = &s->all[i];
		enum capture_result r = capture_next(in->capture, true,
		    &in->head);

		if (r == CAPTURE_ERROR)
			tell_error(s, in);
		if (r != CAPTURE_PACKET)
			continue;
		s->heap[s->nheap++] = in;
		sift_up(s, s->nheap - 1);
	}
	return !s->failed;
}

enum capture_result
inputs_next(struct inputs *s, struct record *r, struct input **from)
{
	if (!s->started && !start(s))
		return CAPTURE_ERROR;
	if (s->owing != NULL) {
		s->owing = NULL;
		if (advance_top(s, false) == CAPTURE_FULL) {
			s->owing = s->heap[0];
			return CAPTURE_FULL;
		}
	}
	if (s->failed)
		return CAPTURE_ERROR;
	if (s->nheap == 0)
		return CAPTURE_END;
	*from = s->owing = s->heap[0];
	*r = (*from)->head;
	return CAPTURE_PACKET;
}

/* One capture alone: nothing is merged, and no head is read in advance. */
static size_t
burst_of_one(struct inputs *s, struct pfk_packet *p, size_t max,
    struct input **from, enum capture_result *r)
{
	bool may_move = s->alone_full;
	size_t n;

	*from = &s->all[0];
	s->alone_full = false;
	n = capture_burst(s->all[0].capture, may_move, p, max, r);
	if (n == 0 && *r == CAPTURE_ERROR && !s->failed)
		tell_error(s, &s->all[0]);
	return n;
}

size_t
inputs_burst(struct inputs *s, struct pfk_packet *p, size_t max,
    struct input **from, enum capture_result *r)
{
	struct record rec;

	if (s->n == 1)
		return burst_of_one(s, p, max, from, r);
	*r = inputs_next(s, &rec, from);
	if (*r != CAPTURE_PACKET)
		return 0;
	capture_packet(&rec, p);
	return 1;
}

void
inputs_refill(struct inputs *s)
{
	s->alone_full = s->n == 1;
	if (s->owing == NULL)
		return;
	s->owing = NULL;
	(void)advance_top(s, true);
}

bool
inputs_swap(struct inputs *s, struct buffer *fresh)
{
	struct input *in = s->n == 1 ? &s->all[0] : s->owing;

	return in == NULL || capture_swap(in->capture, fresh);
}

uint64_t
inputs_position(const struct inputs *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += stream_position(capture_stream(s->all[i].capture));
	return sum;
}

uint64_t
inputs_size(const struct inputs *s)
{
	uint64_t sum = 0, size;

	for (size_t i = 0; i < s->n; i++) {
		size = stream_size(capture_stream(s->all[i].capture));
		if (size == 0)
			return 0;
		sum += size;
	}
	return sum;
}

bool
inputs_have(const struct inputs *s, const char *path)
{
	struct stat a, b;

	if (stat(path, &a) != 0 || !S_ISREG(a.st_mode))
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (stat(s->all[i].name, &b) == 0 && a.st_dev == b.st_dev &&
		    a.st_ino == b.st_ino)
			return true;
	return false;
}
