/*
 * A packet in words, while it is read.
 */
#ifndef TRACE_PACKET_INT_H
#define TRACE_PACKET_INT_H

#include "trace.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };

enum packet_end { SOURCE, DESTINATION, NO_END };

struct words {
	char		**word;
	size_t		 n, at;		/* the next one */
	const struct pfk_host *host;
	struct packet	*k;
	enum packet_end	 last;		/* whose port is meant */
	/* "em0", "egress", "self": an address that is chosen when all is
	   read; NULL: none */
	char		*name[2];
	size_t		 name_at[2];
	size_t		 port_at, flags_at, icmp_at;
};

/* Tells it, and the words with a caret under this one.  Ends the program. */
void	 wrong_word(const struct words *, size_t at, const char *, ...)
	    __attribute__((__noreturn__, __format__(__printf__, 3, 4)));
/* packet_fill.c: gives what was left out a value that is usual. */
void	 packet_fill(struct words *);
/* Whether it is the name of an interface, or a group, or "self". */
bool	 names_interface(const struct pfk_host *, const char *name);

#endif
