/*
 * Figures: samples, a table for people, JSON.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"

void
die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static double
clock_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
now(void)
{
	return clock_now(CLOCK_MONOTONIC);
}

double
cpu_now(void)
{
	return clock_now(CLOCK_PROCESS_CPUTIME_ID);
}

void
samples_add(struct samples *s, double v)
{
	unsigned i = s->n;

	if (s->n == MAX_REPEATS)
		return;
	for (; i > 0 && s->v[i - 1] > v; i--)
		s->v[i] = s->v[i - 1];
	s->v[i] = v;
	s->n++;
}

static const char *
json_separator(struct bench *b)
{
	return b->rows == 1 ? "\n" : ",\n";
}

/* A row begins, and perhaps a group. */
static void
begin_row(struct bench *b, const char *group)
{
	b->rows++;
	if (b->group != NULL && strcmp(b->group, group) == 0)
		return;
	b->group = group;
	printf("\n%-50s %9s %9s", group, "least", "median");
	if (b->pcap_ns > 0)
		printf("     (pcap_next_ex just now: %.0f ns)", b->pcap_ns);
	putchar('\n');
}

/* Three digits that mean something, never 1e+06. */
static const char *
number(char *buf, size_t size, double v)
{
	snprintf(buf, size, "%.*f", v >= 100 ? 0 : v >= 10 ? 1 : 2, v);
	return buf;
}

/* A limit of time on this machine as it is just now; 0: not known. */
static double
limit_here(const struct bench *b, const char *unit, double limit)
{
	if (strcmp(unit, "ns") != 0 && strcmp(unit, "s") != 0)
		return 0;
	return limit * b->pcap_ns / PCAP_NS;
}

/*
 * What is held against the limit.  The least time is the undisturbed one; but
 * the least ratio is one whose other half was disturbed.
 */
static double
judged(const char *unit, double least, double median)
{
	return strcmp(unit, "times") == 0 ? median : least;
}

static struct standing *
standing_of(struct bench *b, const char *group, const char *unit,
    double limit)
{
	struct standing *t = b->standings;

	for (; t < b->standings + b->nstandings; t++)
		if (strcmp(t->group, group) == 0 && t->limit == limit &&
		    strcmp(t->unit, unit) == 0)
			return t;
	if (b->nstandings == MAX_LIMITS)
		die("too many limits");
	b->nstandings++;
	*t = (struct standing){ .group = group, .unit = unit,
	    .limit = limit };
	return t;
}

static void
judge(struct bench *b, const char *group, const char *name, const char *unit,
    double figure, double limit, double here)
{
	struct standing *t = standing_of(b, group, unit, limit);

	if (here <= 0)
		here = limit;
	t->over += figure > limit;
	t->over_here += figure > here;
	b->over += figure > limit;
	b->over_here += figure > here;
	if (t->n++ > 0 && figure / here <= t->figure / t->here)
		return;
	t->figure = figure;
	t->here = here;
	snprintf(t->name, sizeof(t->name), "%s", name);
}

/* One line for each limit: the figure that is the worst of those under it. */
static void
print_standings(const struct bench *b)
{
	char limit[32], here[32], figure[32];

	if (b->nstandings == 0)
		return;
	printf("\n%-11s %6s %6s        %7s %5s %9s   %s\n", "limits",
	    "limit", "here", "figures", "over", "over here", "the worst");
	for (const struct standing *t = b->standings;
	    t < b->standings + b->nstandings; t++)
		printf("  %-9s %6s %6s %-5s %8u %5u %9u   %s: %s\n", t->group,
		    number(limit, sizeof(limit), t->limit),
		    number(here, sizeof(here), t->here), t->unit, t->n,
		    t->over, t->over_here, number(figure, sizeof(figure),
		    t->figure), t->name);
}

void
report(struct bench *b, const char *group, const char *name, const char *unit,
    const struct samples *s, double limit, const char *note)
{
	double least = s->v[0], median = s->v[s->n / 2];
	double figure = judged(unit, least, median);
	double here = limit_here(b, unit, limit);
	char x[32], y[32], z[32];

	begin_row(b, group);
	printf("  %-48s %9s %9s %s", name, number(x, sizeof(x), least),
	    number(y, sizeof(y), median), unit);
	if (limit > 0) {
		printf("  (limit %s: %s", number(z, sizeof(z), limit),
		    figure <= limit ? "ok" : "over");
		if (here > 0)
			printf("; here %s: %s", number(z, sizeof(z), here),
			    figure <= here ? "ok" : "over");
		printf(")");
		judge(b, group, name, unit, figure, limit, here);
	}
	printf("%s%s\n", note != NULL ? "  " : "", note != NULL ? note : "");
	fflush(stdout);
	if (b->json == NULL)
		return;
	fprintf(b->json, "%s{\"group\": \"%s\", \"name\": \"%s\", "
	    "\"unit\": \"%s\", \"least\": %.4g, \"median\": %.4g, "
	    "\"samples\": %u", json_separator(b), group, name, unit, least,
	    median, s->n);
	if (limit > 0)
		fprintf(b->json, ", \"limit\": %g, \"ok\": %s", limit,
		    figure <= limit ? "true" : "false");
	if (here > 0)
		fprintf(b->json, ", \"limit_here\": %.4g, \"ok_here\": %s, "
		    "\"pcap_next_ex\": %.4g", here, figure <= here ? "true" :
		    "false", b->pcap_ns);
	if (note != NULL)
		fprintf(b->json, ", \"note\": \"%s\"", note);
	fputc('}', b->json);
}

void
report_one(struct bench *b, const char *group, const char *name,
    const char *unit, double value, double limit, const char *note)
{
	struct samples s = { .n = 1, .v = { value } };

	report(b, group, name, unit, &s, limit, note);
}

void
report_skipped(struct bench *b, const char *group, const char *name,
    const char *why)
{
	begin_row(b, group);
	printf("  %-48s %9s  %s\n", name, "-", why);
	if (b->json != NULL)
		fprintf(b->json, "%s{\"group\": \"%s\", \"name\": \"%s\", "
		    "\"skipped\": \"%s\"}", json_separator(b), group, name,
		    why);
}

void
report_begin(struct bench *b)
{
	if (b->json != NULL)
		fputc('[', b->json);
}

void
report_end(struct bench *b)
{
	print_standings(b);
	printf("\n%u figures, %u over their limit", b->rows, b->over);
	if (b->pcap_ns > 0)
		printf(", %u over what it is here", b->over_here);
	printf("\n");
	if (b->json != NULL && (fputs("\n]\n", b->json) == EOF ||
	    fclose(b->json) != 0))
		die("JSON cannot be written");
}

void
text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	for (;;) {
		va_start(ap, fmt);
		n = vsnprintf(t->p == NULL ? NULL : t->p + t->len,
		    t->size - t->len, fmt, ap);
		va_end(ap);
		if (n < 0)
			die("vsnprintf");
		if (t->len + (size_t)n < t->size)
			break;
		t->size = 2 * t->size + (size_t)n + 4096;
		t->p = realloc(t->p, t->size);
		if (t->p == NULL)
			die("no memory");
	}
	t->len += (size_t)n;
}

void
text_free(struct text *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}
