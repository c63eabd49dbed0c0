/*
 * How the tools speak: "program: message" on standard error.  Each main.c
 * defines the program's name.
 */
#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

extern const char program_name[];

void	 warning(const char *, ...)
	    __attribute__((__format__(__printf__, 1, 2)));
/* Exits with status 1, or what the command has chosen. */
void	 fatal(const char *, ...)
	    __attribute__((__noreturn__, __format__(__printf__, 1, 2)));

void	 fatal_exits_with(int status);

/* Memory or the end of the program. */
void	*xcalloc(unsigned long n, unsigned long size);
void	*xrealloc(void *, unsigned long size);
char	*xstrdup(const char *);

#endif
