/*
 * Reading the files that a ruleset is made of or names: pf.conf itself,
 * includes, `load anchor` files, table files, fingerprints.
 */
#include "compiler/compile.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIRST_READ	16384

/* A buffer from the ruleset's allocator while the file is open. */
struct buffer {
	const struct pfk_allocator *alloc;
	char		*p;
	size_t		 len, size;
};

static bool
buffer_grow(struct buffer *b)
{
	size_t size = b->size != 0 ? b->size * 2 : FIRST_READ;
	char *p = b->alloc->fn(b->alloc->ctx, b->p, b->size, size);

	if (p == NULL)
		return false;
	b->p = p;
	b->size = size;
	return true;
}

static void
buffer_free(struct buffer *b)
{
	if (b->p != NULL)
		(void)b->alloc->fn(b->alloc->ctx, b->p, b->size, 0);
}

static int
read_stream(FILE *f, struct buffer *b)
{
	size_t n;

	do {
		if (b->size - b->len < 2 && !buffer_grow(b))
			return ENOMEM;
		n = fread(b->p + b->len, 1, b->size - b->len - 1, f);
		b->len += n;
	} while (n > 0);
	return ferror(f) ? (errno != 0 ? errno : EIO) : 0;
}

/* A file of the file system, or standard input: 0 or errno. */
static int
read_path(const char *path, struct buffer *b)
{
	struct stat st;
	int error = 0;
	FILE *f;

	errno = 0;
	if (strcmp(path, "-") == 0)
		return read_stream(stdin, b);
	if ((f = fopen(path, "re")) == NULL)
		return errno;
	if (fstat(fileno(f), &st) == -1)
		error = errno;
	else if (S_ISDIR(st.st_mode))
		error = EISDIR;
	else
		error = read_stream(f, b);
	(void)fclose(f);
	return error;
}

/*
 * The buffer's text becomes the arena's.  Should the arena run out of memory
 * just then, the buffer is freed on the way out.
 */
static const char *
to_arena(struct arena *a, struct buffer *b)
{
	jmp_buf *outer = a->oom, oom;
	char *text;

	a->oom = &oom;
	if (setjmp(oom) != 0) {
		a->oom = outer;
		buffer_free(b);
		longjmp(*outer, 1);
	}
	text = arena_strndup(a, b->p != NULL ? b->p : "", b->len);
	a->oom = outer;
	buffer_free(b);
	return text;
}

int
compile_read_file(void *ctx, struct arena *a, const char *path,
    const char **text, size_t *len)
{
	struct pfk_ruleset *rs = ctx;
	const struct pfk_files *files = rs->opts->files;
	struct buffer b = { .alloc = a->alloc };
	int error;

	if (files != NULL && files->read != NULL) {
		error = files->read(files->ctx, path, b.alloc, &b.p, &b.len);
		b.size = b.len;
	} else
		error = read_path(path, &b);
	if (error != 0) {
		buffer_free(&b);
		if (error == ENOMEM)
			longjmp(*a->oom, 1);
		return error;
	}
	*len = b.len;
	*text = to_arena(a, &b);
	return 0;
}
