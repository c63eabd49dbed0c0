/*
 * Any bytes as a capture file, compressed or not.  What is lent is read to its
 * last byte, in bursts, as a replay does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/pfkit/replay/capture.h"

#define BURST		16
#define MAX_PACKETS	100000		/* a file may unpack to very many */

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
extern const char program_name[];

const char program_name[] = "fuzz_pcap";

struct burst {
	struct record	 r[BURST];
	size_t		 n;
	unsigned	 sum;
};

static void
use(const struct capture *c, struct burst *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct record *r = &b->r[i];
		const char *name = capture_ifname(c, r->interface);

		if (r->caplen > r->wirelen || r->dir > 2)
			abort();
		for (uint32_t k = 0; k < r->caplen; k++)
			b->sum += r->data[k];
		b->sum += name != NULL ? (unsigned)strlen(name) : 0;
	}
	b->n = 0;
}

static void
read_all(struct capture *c, struct burst *b)
{
	enum capture_result result = CAPTURE_PACKET;
	bool may_move = false;
	size_t total = 0;

	while (total < MAX_PACKETS && (result == CAPTURE_PACKET ||
	    result == CAPTURE_FULL)) {
		result = capture_next(c, may_move, &b->r[b->n]);
		may_move = result == CAPTURE_FULL;
		b->n += result == CAPTURE_PACKET;
		total += result == CAPTURE_PACKET;
		if (result != CAPTURE_PACKET || b->n == BURST)
			use(c, b);
	}
	if (result == CAPTURE_ERROR && capture_error(c)[0] == '\0')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[CAPTURE_ERRLEN];
	struct stream *s = stream_memory(data, size, error);
	struct capture *c = s == NULL ? NULL : capture_open(s, error);
	struct burst b = { .n = 0 };

	if (c != NULL)
		read_all(c, &b);
	capture_close(c);
	return 0;
}
