/*
 * Packets that rules are measured with, as a capture: for other programs, or
 * for `pfkit replay --bench' with rules of one's own.
 */
#include "bench/bench.h"

static void
put(const void *p, size_t n)
{
	if (fwrite(p, 1, n, stdout) != n)
		die("the capture cannot be written");
}

static void
write_packet(const struct pfk_packet *p)
{
	uint32_t head[4] = { (uint32_t)(p->time / 1000000000),
	    (uint32_t)(p->time % 1000000000), p->caplen, p->wirelen };

	put(head, sizeof(head));
	put(p->data, p->caplen);
}

/* => The feed's frames are filled by f->fill; times are in nanoseconds. */
void
traffic_write(struct feed *f, size_t n)
{
	static const uint32_t head[6] = { 0xa1b23c4d, 2 | 4 << 16, 0, 0,
	    65535, 1 };

	put(head, sizeof(head));
	for (size_t some; n > 0; n -= some) {
		some = n < BATCH ? n : BATCH;
		f->fill(f, some);
		for (size_t i = 0; i < some; i++)
			write_packet(&f->packets[i]);
	}
	if (fflush(stdout) != 0)
		die("the capture cannot be written");
}
