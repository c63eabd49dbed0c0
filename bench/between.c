/*
 * What it takes for a line of memory to go from one processor to another one
 * and back: two threads that take turns writing to it.  Where the processors
 * share a cache it is some 90 ns, else several times as much; packets that one
 * thread reads and another decides about cost accordingly.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench/bench.h"

#define ROUNDS	20000u

static void *
answer(void *arg)
{
	_Atomic unsigned *line = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		while (atomic_load(line) != 2 * i + 1)
			continue;
		atomic_store(line, 2 * i + 2);
	}
	return NULL;
}

double
between_processors(void)
{
	_Atomic unsigned *line = aligned_alloc(128, 128);
	pthread_t other;
	double start, s;

	if (line == NULL)
		die("no memory");
	atomic_init(line, 0);
	if (pthread_create(&other, NULL, answer, (void *)line) != 0)
		die("no thread");
	start = now();
	for (unsigned i = 0; i < ROUNDS; i++) {
		atomic_store(line, 2 * i + 1);
		while (atomic_load(line) != 2 * i + 2)
			continue;
	}
	s = now() - start;
	pthread_join(other, NULL);
	free((void *)line);
	return s * 1e9 / ROUNDS;
}
