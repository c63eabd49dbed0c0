/*
 * Reading the files that hold host facts: whole files, lines, fields.
 */
#include "compiler/host_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_READ	16384
#define MAX_FILE	(1u << 30)

/* Makes the scratch room bigger; false if there is no memory. */
static bool
scratch_grow(struct pfk_host *h)
{
	size_t size = h->scratch_size ? h->scratch_size * 2 : FIRST_READ;
	char *p;

	p = h->alloc.fn(h->alloc.ctx, h->scratch, h->scratch_size, size);
	if (p == NULL)
		return false;
	h->scratch = p;
	h->scratch_size = size;
	return true;
}

/* The rest of f into the scratch room: 0 or an errno value. */
static int
read_all(struct pfk_host *h, FILE *f, size_t *len)
{
	size_t n;

	*len = 0;
	do {
		if (h->scratch_size - *len < 2 && !scratch_grow(h))
			return ENOMEM;
		n = fread(h->scratch + *len, 1, h->scratch_size - *len - 1, f);
		*len += n;
		if (*len > MAX_FILE)
			return EFBIG;
	} while (n > 0);
	h->scratch[*len] = '\0';
	return ferror(f) ? (errno != 0 ? errno : EIO) : 0;
}

int
host_read(struct pfk_host *h, const char *path, size_t *len, char *errbuf)
{
	int error = 0;
	FILE *f;

	errno = 0;
	if ((f = fopen(path, "re")) == NULL)
		error = errno;
	else {
		error = read_all(h, f, len);
		(void)fclose(f);
	}
	if (error != 0) {
		(void)snprintf(errbuf, PFK_HOST_ERRLEN, "%s: %s", path,
		    strerror(error));
		return -1;
	}
	return 0;
}

int
host_lines(struct pfk_host *h, const char *path, struct lines *l, char *errbuf)
{
	size_t len;

	if (host_read(h, path, &len, errbuf) == -1)
		return -1;
	*l = (struct lines){ .path = path, .p = h->scratch,
	    .end = h->scratch + len };
	return 0;
}

char *
next_line(struct lines *l)
{
	char *line = l->p, *nl;

	if (line == l->end)
		return NULL;
	nl = memchr(line, '\n', (size_t)(l->end - line));
	if (nl == NULL)
		l->p = nl = l->end;
	else
		l->p = nl + 1;
	*nl = '\0';
	if (nl > line && nl[-1] == '\r')
		nl[-1] = '\0';
	l->number++;
	return line;
}

size_t
split_fields(char *line, char **fields, size_t max)
{
	static const char white[] = " \t";
	size_t n = 0;

	line[strcspn(line, "#")] = '\0';
	for (line += strspn(line, white); *line != '\0' && n < max;
	    line += strspn(line, white)) {
		fields[n++] = line;
		line += strcspn(line, white);
		if (*line != '\0')
			*line++ = '\0';
	}
	return n;
}

int
line_error(const struct lines *l, char *errbuf, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(errbuf, PFK_HOST_ERRLEN, "%s:%u: ", l->path, l->number);
	if (n > 0 && n < PFK_HOST_ERRLEN) {
		va_start(ap, fmt);
		(void)vsnprintf(errbuf + n, (size_t)(PFK_HOST_ERRLEN - n), fmt,
		    ap);
		va_end(ap);
	}
	return -1;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

bool
parse_number(const char *s, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;
	int base = 10;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (digit_value(*s) >= base)
			return false;
		value = value * (unsigned)base + (unsigned)digit_value(*s);
		if (value > max)
			return false;
	}
	*number = (uint32_t)value;
	return true;
}

static bool
is_link_local(const uint8_t a[16])
{
	return (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
	    (a[0] == 0xff && ((a[1] & 0x0f) == 1 || (a[1] & 0x0f) == 2));
}

bool
parse_address(const char *s, uint8_t *af, uint8_t addr[16],
    const char **scope, uint32_t *embedded)
{
	size_t n = strcspn(s, "%");
	struct pfk_addr a;
	char buf[64];

	if (n >= sizeof(buf))
		return false;
	memcpy(buf, s, n);
	buf[n] = '\0';
	if (s[n] == '\0' && addr_parse(buf, PFK_AF_INET, &a)) {
		*af = PFK_AF_INET;
		memset(a.b + 4, 0, 12);
	} else if (addr_parse(buf, PFK_AF_INET6, &a))
		*af = PFK_AF_INET6;
	else
		return false;
	if (*af == PFK_AF_INET6 && is_link_local(a.b)) {
		if (embedded != NULL)
			*embedded = (uint32_t)(a.b[2] << 8 | a.b[3]);
		a.b[2] = a.b[3] = 0;
	}
	memcpy(addr, a.b, 16);
	if (scope != NULL)
		*scope = s[n] == '%' ? s + n + 1 : NULL;
	return true;
}
