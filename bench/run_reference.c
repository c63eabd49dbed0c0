/*
 * What the machine itself can do just now: figures that the others are read
 * beside.
 */
#include <stdlib.h>

#include "bench/bench.h"

#define LINE	64
#define AHEAD	32

/* A ring through all lines, in random order. */
static void
link_lines(uint8_t *memory, uint32_t n)
{
	uint32_t *order = malloc(n * sizeof(*order));
	struct random r;

	if (order == NULL)
		die("no memory");
	random_seed(&r, 5);
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t j = random_below(&r, i + 1), x = order[i];

		order[i] = order[j];
		order[j] = x;
	}
	for (uint32_t i = 0; i < n; i++)
		*(uint32_t *)(void *)(memory + (size_t)order[i] * LINE) =
		    order[(i + 1) % n];
	free(order);
}

static double
waited(const uint8_t *memory, uint32_t n, uint32_t reads)
{
	volatile uint32_t end;
	double start = cpu_now();
	uint32_t at = 0;

	for (uint32_t i = 0; i < reads; i++)
		at = *(const uint32_t *)(const void *)(memory +
		    (size_t)(at % n) * LINE);
	end = at;
	(void)end;
	return (cpu_now() - start) * 1e9 / reads;
}

static double
prefetched(const uint8_t *memory, uint32_t n, uint32_t reads)
{
	uint32_t at[AHEAD], found = 0;
	volatile uint32_t end;
	double start = cpu_now();
	struct random r;

	random_seed(&r, 6);
	for (uint32_t i = 0; i < reads; i += AHEAD) {
		for (unsigned k = 0; k < AHEAD; k++) {
			at[k] = random_below(&r, n);
			__builtin_prefetch(memory + (size_t)at[k] * LINE);
		}
		for (unsigned k = 0; k < AHEAD; k++)
			found += memory[(size_t)at[k] * LINE];
	}
	end = found;
	(void)end;
	return (cpu_now() - start) * 1e9 / reads;
}

#define LOOPED	500000u			/* packets */

void
reference_now(struct bench *b)
{
	uint64_t n;

	b->pcap_ns = 0;
	for (unsigned i = 0; b->capture != NULL && i < 3; i++) {
		double ns = capture_loop(b->capture, LOOPED, &n).cpu * 1e9 /
		    (double)n;

		if (i == 0 || ns < b->pcap_ns)
			b->pcap_ns = ns;
	}
}

static void
run_loop(struct bench *b)
{
	struct samples s = { .n = 0 };
	uint64_t n;

	for (unsigned i = 0; i < b->repeats; i++)
		samples_add(&s, capture_loop(b->capture, LOOPED, &n).cpu *
		    1e9 / (double)n);
	report(b, "reference", "pcap_next_ex, nothing done", "ns", &s, 0,
	    NULL);
	report_one(b, "reference", "this machine / the limits': pcap_next_ex",
	    "times", s.v[0] / PCAP_NS, 0, NULL);
}

void
run_reference(struct bench *b)
{
	uint32_t n = (b->quick ? 128u << 20 : 512u << 20) / LINE;
	uint32_t reads = b->quick ? 1u << 20 : 1u << 22;
	uint8_t *memory = aligned_alloc(LINE, (size_t)n * LINE);
	struct samples s = { .n = 0 }, p = { .n = 0 };

	if (memory == NULL)
		die("no memory");
	link_lines(memory, n);
	for (unsigned i = 0; i < b->repeats; i++) {
		samples_add(&s, waited(memory, n, reads));
		samples_add(&p, prefetched(memory, n, reads));
	}
	report(b, "reference", "a line of memory, waited for", "ns", &s, 0,
	    NULL);
	report(b, "reference", "the same, 32 prefetched together", "ns", &p, 0,
	    NULL);
	if (b->capture != NULL)
		run_loop(b);
	report_one(b, "reference", "this machine / the limits': a line waited "
	    "for", "times", s.v[0] / LINE_NS, 0, NULL);
	report_one(b, "reference", "this machine / the limits': prefetched "
	    "lines", "times", p.v[0] / LINES_NS, 0, NULL);
	free(memory);
}
