/*
 * A golden case in memory: the file's lines, and which of them make up which
 * section.  README tells the format.
 *
 * Texts are kept as read, so that writing a case back changes only what a run
 * is expected to give.  A program that runs tests may simply end when there
 * is no memory.
 */
#ifndef GOLDEN_CASE_H
#define GOLDEN_CASE_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char	*s;			/* NUL-terminated */
	size_t	 len;
};

enum section_kind { SECTION_FILE, SECTION_CAPTURE, SECTION_REPLAY,
    SECTION_RUN /* the last that is a step */, SECTION_STDOUT,
    SECTION_STDERR, SECTION_OUTPUT, SECTION_STATUS, SECTION_NOT_FIXED };

struct section {
	enum section_kind kind;
	char	*arg;			/* the rest of the heading, or "" */
	struct text body;
};

struct golden {
	const char *path;
	struct text about;		/* the lines before the first section */
	struct section *sections;
	size_t	 nsections;
};

/* What one run must give: sections after its heading up to the next run. */
struct expected {
	const struct section *out, *err;	/* NULL: empty */
	int	 status;
};

bool	 golden_read(struct golden *, const char *path);
bool	 golden_write(const struct golden *);
void	 golden_free(struct golden *);
/* The expectations of the run at index i. */
struct expected golden_expected(const struct golden *, size_t i);
/* The index of the next file, capture, replay or run after i. */
size_t	 golden_next_step(const struct golden *, size_t i);
void	 golden_insert(struct golden *, size_t at, enum section_kind,
	    const char *arg, struct text body);
void	 golden_remove(struct golden *, size_t at);
bool	 golden_has(const struct golden *, enum section_kind);

/* Whole files; read_file gives an empty text where there is none. */
struct text read_file(const char *path);
bool	 write_file(const char *path, const char *s, size_t len);
/* Whether actual is what pattern, with its %%, asks for. */
bool	 text_matches(const char *pattern, const char *actual);
void	*xrealloc(void *, size_t);
char	*xstrndup(const char *, size_t);

#endif
