/*
 * Messages and memory of programs: both end the program when they must.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static int fatal_status = 1;

static void
say(const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: ", program_name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void
warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(fatal_status);
}

void
fatal_exits_with(int status)
{
	fatal_status = status;
}

void *
xcalloc(unsigned long n, unsigned long size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		fatal("%s", strerror(ENOMEM));
	return p;
}

void *
xrealloc(void *p, unsigned long size)
{
	p = realloc(p, size);
	if (p == NULL)
		fatal("%s", strerror(ENOMEM));
	return p;
}

char *
xstrdup(const char *s)
{
	char *copy = strdup(s);

	if (copy == NULL)
		fatal("%s", strerror(ENOMEM));
	return copy;
}
