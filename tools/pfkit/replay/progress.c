/*
 * See progress.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define SECOND	UINT64_C(1000000000)
#define WIDTH	30

static uint64_t
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		return 0;
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

void
progress_start(struct progress *p, uint64_t size)
{
	p->wanted = isatty(STDERR_FILENO);
	p->shown = false;
	p->size = size;
	if (p->wanted)
		p->started = now();
	p->next = p->started + SECOND;
}

static void
show_bar(const struct progress *p, uint64_t position, uint64_t spent)
{
	char bar[WIDTH + 1];
	double part = (double)position / (double)p->size;
	double left = part > 0 ? (double)spent / SECOND * (1 - part) / part : 0;
	size_t n = (size_t)(part * WIDTH);

	if (n > WIDTH)
		n = WIDTH;
	memset(bar, '#', n);
	memset(bar + n, '.', WIDTH - n);
	bar[WIDTH] = '\0';
	fprintf(stderr, "[%s] %3.0f%%, %.0f s left, ", bar, part * 100, left);
}

void
progress_show(struct progress *p, uint64_t position, uint64_t packets)
{
	uint64_t t, spent;

	if (!p->wanted || (t = now()) < p->next)
		return;
	p->next = t + SECOND / 5;
	p->shown = true;
	spent = t - p->started;
	fputc('\r', stderr);
	if (p->size > 0)
		show_bar(p, position, spent);
	fprintf(stderr, "%.1f MB, %" PRIu64 " packets, %.0f packets/s\033[K",
	    (double)position / 1e6, packets,
	    (double)packets * SECOND / (double)spent);
}

void
progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
}
