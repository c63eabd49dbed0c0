/*
 * Drives a fuzz target where libFuzzer is not to be had.
 *
 *	usage: fuzz_X [-t SECONDS] [-s SEED] [-m MAXLEN] [-x DICTIONARY]
 *		[-o FILE] [-r N] CORPUS ...
 *
 * Each file of the corpus (files and folders) goes through the target once;
 * then, until SECONDS of CPU time are used, mutations of them.  -r adds N
 * inputs of random bytes, for targets that can read anything.  There is no
 * feedback from coverage: this finds less than libFuzzer, but it runs
 * anywhere, and the same seed gives the same run.
 *
 * The input that ends the process, or takes longer than ten seconds, is
 * written to FILE ("crash-input").
 */
#define _XOPEN_SOURCE 700		/* nftw() */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLOW		10		/* seconds for one input */

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct input {
	uint8_t	*p;
	size_t	 len;
};

struct pile {				/* inputs, or words */
	struct input *v;
	size_t	 n;
};

static struct pile corpus, words;
static struct input now;		/* what the target is looking at */
static const char *crash_path = "crash-input";
static uint64_t random_state = 1;
static size_t max_len = 4096;

static void *
xrealloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (p == NULL)
		abort();
	return p;
}

/* splitmix64 */
static uint64_t
draw(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static size_t
below(size_t n)
{
	return n == 0 ? 0 : (size_t)(draw() % n);
}

static void
pile_add(struct pile *pile, const uint8_t *p, size_t len)
{
	struct input *in;

	pile->v = xrealloc(pile->v, (pile->n + 1) * sizeof(*pile->v));
	in = &pile->v[pile->n++];
	in->p = xrealloc(NULL, len + 1);
	memcpy(in->p, p, len);
	in->len = len;
}

static void
pile_free(struct pile *pile)
{
	for (size_t i = 0; i < pile->n; i++)
		free(pile->v[i].p);
	free(pile->v);
}

/* The end of the process is near: keep what caused it. */
static void
on_death(int sig)
{
	int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	static const char slow[] = "fuzz: an input takes too long\n";

	if (fd != -1) {
		if (write(fd, now.p, now.len) == -1)
			_exit(99);
		close(fd);
	}
	if (sig == SIGALRM && write(2, slow, sizeof(slow) - 1) == -1)
		_exit(99);
	signal(sig, SIG_DFL);
	if (sig == SIGALRM)
		_exit(99);
	raise(sig);
}

static void
try_now(void)
{
	uint8_t *exact = xrealloc(NULL, now.len + (now.len == 0));

	/* a block of its very size, so that one byte beyond is noticed */
	memcpy(exact, now.p, now.len);
	alarm(SLOW);
	LLVMFuzzerTestOneInput(exact, now.len);
	free(exact);
}

static int
read_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	uint8_t *p;
	FILE *f;

	(void)ftw;
	if (type != FTW_F || (f = fopen(path, "rb")) == NULL)
		return 0;
	p = xrealloc(NULL, (size_t)st->st_size + 1);
	pile_add(&corpus, p, fread(p, 1, (size_t)st->st_size, f));
	free(p);
	fclose(f);
	return 0;
}

/* Lines of the form "word", as libFuzzer reads them. */
static void
read_words(const char *path)
{
	char line[256], *end;
	FILE *f = fopen(path, "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (line[0] == '"' && (end = strrchr(line, '"')) != line)
			pile_add(&words, (uint8_t *)line + 1,
			    (size_t)(end - line) - 1);
	if (f != NULL)
		fclose(f);
}

static void
add_random(int n)
{
	uint8_t block[512];

	for (; n > 0; n--) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (uint8_t)draw();
		pile_add(&corpus, block, 1 + below(sizeof(block)));
	}
}

/* Replaces gone bytes at `at` by len bytes of p. */
static void
replace(size_t at, size_t gone, const uint8_t *p, size_t len)
{
	size_t tail = now.len - at - gone;

	if (now.len - gone + len > max_len)
		return;
	memmove(now.p + at + len, now.p + at + gone, tail);
	memcpy(now.p + at, p, len);
	now.len = now.len - gone + len;
}

static void
mutate_byte(void)
{
	static const uint8_t telling[] = { 0, 1, 0x7f, 0x80, 0xff, '\n', '"',
	    '{', '}', '$', '/', '9' };
	uint8_t *b = &now.p[below(now.len)];

	switch (below(4)) {
	case 0: *b ^= (uint8_t)(1U << below(8)); break;
	case 1: *b = (uint8_t)draw(); break;
	case 2: *b = (uint8_t)(*b + below(9) - 4); break;
	default: *b = telling[below(sizeof(telling))]; break;
	}
}

static void
mutate_block(void)
{
	uint8_t block[64];
	size_t from = below(now.len), len = 1 + below(sizeof(block));

	if (len > now.len - from)
		len = now.len - from;
	memcpy(block, now.p + from, len);
	switch (below(3)) {
	case 0: replace(from, len, block, 0); break;
	case 1: replace(below(now.len), 0, block, len); break;
	default: now.len = from + len; break;	/* cut off */
	}
}

static void
mutate_splice(void)
{
	const struct input *other = &corpus.v[below(corpus.n)];
	size_t from = below(other->len), len = below(other->len - from + 1);

	if (len > 256)
		len = 256;
	replace(below(now.len + 1), 0, other->p + from, len);
}

static void
mutate_word(void)
{
	const struct input *w = &words.v[below(words.n)];
	size_t at = below(now.len + 1);

	replace(at, 0, w->p, w->len);
	if (below(2))
		replace(at, 0, (const uint8_t *)" ", 1);
}

static void
mutate(void)
{
	for (size_t n = 1 + below(6); n > 0; n--) {
		size_t kind = below(8);

		if (kind == 7 && words.n > 0)
			mutate_word();
		else if (kind == 6)
			mutate_splice();
		else if (now.len > 0 && kind >= 4)
			mutate_block();
		else if (now.len > 0)
			mutate_byte();
	}
}

static void
take(const struct input *in)
{
	now.len = in->len < max_len ? in->len : max_len;
	memcpy(now.p, in->p, now.len);
}

static unsigned long
run(double seconds)
{
	unsigned long n;

	for (n = 0; n < corpus.n; n++) {
		take(&corpus.v[n]);
		try_now();
	}
	if (corpus.n == 0)
		pile_add(&corpus, (const uint8_t *)"", 0);
	for (; (double)clock() / CLOCKS_PER_SEC < seconds; n++) {
		take(&corpus.v[below(corpus.n)]);
		mutate();
		try_now();
	}
	alarm(0);
	return n;
}

int
main(int argc, char **argv)
{
	static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE,
	    SIGILL, SIGALRM };
	double seconds = 0;
	int c, nrandom = 0;

	while ((c = getopt(argc, argv, "m:o:r:s:t:x:")) != -1) {
		switch (c) {
		case 'm': max_len = (size_t)atol(optarg); break;
		case 'o': crash_path = optarg; break;
		case 'r': nrandom = atoi(optarg); break;
		case 's': random_state = (uint64_t)atoll(optarg); break;
		case 't': seconds = atof(optarg); break;
		case 'x': read_words(optarg); break;
		default:
			return 2;
		}
	}
	for (; optind < argc; optind++)
		if (nftw(argv[optind], read_one, 16, FTW_PHYS) == -1 &&
		    errno != ENOENT)
			perror(argv[optind]);
	add_random(nrandom);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		signal(deadly[i], on_death);
	now.p = xrealloc(NULL, max_len + 1);
	printf("%lu inputs\n", run(seconds));
	free(now.p);
	pile_free(&corpus);
	pile_free(&words);
	return 0;
}
