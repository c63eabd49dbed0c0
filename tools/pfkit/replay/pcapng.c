/*
 * The pcapng format: blocks
 *
 *	type:32 length:32, body, length:32
 *
 * of which these are looked at, and all others passed over:
 *
 *	section header (0x0a0d0d0a)  byte order; interfaces begin anew
 *	interface description (1)    link type, name, resolution of time
 *	enhanced packet (6)	     interface, time, lengths, frame, options:
 *				     of those the direction flags
 *	packet (2, obsolete)	     the same with a 16 bit interface
 *	simple packet (3)	     length and frame; no time: that of the
 *				     packet before
 *
 * Interfaces of all sections are kept, one after the other, so that their
 * numbers stay good for capture_ifname().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pfkit/engine.h>

#include "capture_int.h"

enum block { BLOCK_INTERFACE = 1, BLOCK_PACKET = 2, BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6 };
#define BLOCK_SECTION	0x0a0d0d0au
#define BYTE_ORDER_MARK	0x1a2b3c4du
#define HEAD		8		/* type and length */
#define FRAME		12		/* and the length behind */

/* Options of a block. */
enum { OPT_END = 0, OPT_IF_NAME = 2, OPT_EPB_FLAGS = 2, OPT_IF_TSRESOL = 9,
    OPT_IF_TSOFFSET = 14 };

#define MAX_INTERFACES	(1u << 16)

struct option { unsigned code, len; const uint8_t *value; };

/* The next of the options from *p to end; false: there is none. */
static bool
next_option(const struct capture *c, const uint8_t **p, const uint8_t *end,
    struct option *o)
{
	size_t padded;

	if (end - *p < 4)
		return false;
	o->code = get16(c, *p);
	o->len = get16(c, *p + 2);
	o->value = *p + 4;
	padded = 4 + ((size_t)o->len + 3) / 4 * 4;
	if (o->code == OPT_END || (size_t)(end - *p) < padded)
		return false;
	*p += padded;
	return true;
}

static uint64_t
get64(const struct capture *c, const uint8_t *p)
{
	uint64_t a = get32(c, p), b = get32(c, p + 4);
	bool little = (*(const uint8_t *)&(const uint16_t){ 1 } == 1) !=
	    c->swapped;

	return little ? b << 32 | a : a << 32 | b;
}

/* Names are shown in columns: what could break them becomes `_'. */
static char *
copy_name(const struct option *o)
{
	char *name = malloc((size_t)o->len + 1);

	if (name == NULL)
		return NULL;
	for (unsigned i = 0; i < o->len; i++)
		name[i] = o->value[i] > ' ' && o->value[i] < 0x7f ?
		    (char)o->value[i] : '_';
	name[o->len] = '\0';
	return name;
}

/* Packets after an interface's definition do not move it: names are kept. */
static bool
take_interface_option(struct capture *c, struct capture_if *i,
    const struct option *o)
{
	if (o->code == OPT_IF_NAME && o->len > 0 && i->name == NULL) {
		i->name = copy_name(o);
		if (i->name == NULL) {
			capture_fail(c, "%s", strerror(ENOMEM));
			return false;
		}
	} else if (o->code == OPT_IF_TSRESOL && o->len >= 1) {
		i->binary = o->value[0] & 0x80;
		i->resolution = o->value[0] & 0x7f;
	} else if (o->code == OPT_IF_TSOFFSET && o->len >= 8) {
		i->offset = (int64_t)get64(c, o->value);
	}
	return true;
}

static bool
take_interface(struct capture *c, const uint8_t *body, size_t len)
{
	const uint8_t *p = body + 8, *end = body + len;
	struct capture_if *i;
	struct option o;

	if (len < 8 || c->nifs >= MAX_INTERFACES) {
		capture_fail(c, len < 8 ? "an interface's block is too short" :
		    "there are too many interfaces");
		return false;
	}
	i = capture_add_if(c);
	if (i == NULL)
		return false;
	i->linktype = get16(c, body);
	i->snaplen = get32(c, body + 4);
	while (next_option(c, &p, end, &o))
		if (!take_interface_option(c, i, &o))
			return false;
	return true;
}

/* A section header tells the byte order of all up to the next. */
static bool
take_section(struct capture *c, const uint8_t *start)
{
	for (int swapped = 0; swapped < 2; swapped++) {
		c->swapped = swapped;
		if (get32(c, start + HEAD) == BYTE_ORDER_MARK) {
			c->first_if = c->nifs;
			return true;
		}
	}
	return false;
}

static uint64_t
power_of_ten(unsigned n)
{
	uint64_t v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

/* Nanoseconds of a count of the interface's units. */
static uint64_t
to_time(const struct capture_if *i, uint64_t units)
{
	const uint64_t second = UINT64_C(1000000000);
	unsigned n = i->resolution;
	uint64_t t;

	if (i->binary && n < 63) {
		uint64_t rest = units & ((UINT64_C(1) << n) - 1);

		t = (units >> n) * second;
		t += n <= 30 ? (rest * second) >> n :
		    ((rest >> (n - 30)) * second) >> 30;
	} else if (i->binary || n > 27) {
		t = 0;
	} else if (n <= 9) {
		t = units * power_of_ten(9 - n);
	} else {
		t = n - 9 > 18 ? 0 : units / power_of_ten(n - 9);
	}
	return t + (uint64_t)i->offset * second;
}

static uint8_t
direction_flags(const struct capture *c, const uint8_t *p, const uint8_t *end)
{
	struct option o;

	while (next_option(c, &p, end, &o))
		if (o.code == OPT_EPB_FLAGS && o.len == 4)
			switch (get32(c, o.value) & 3) {
			case 1:
				return PFK_IN;
			case 2:
				return PFK_OUT;
			default:
				return 0;
			}
	return 0;
}

/* The packet's interface; its number in the section becomes the file's. */
static bool
set_interface(struct capture *c, uint32_t number, struct record *r)
{
	if (number >= c->nifs - c->first_if) {
		capture_fail(c, "it is of interface %u, which is not described",
		    number);
		return false;
	}
	r->interface = c->first_if + number;
	r->linktype = c->ifs[r->interface].linktype;
	return true;
}

static bool
take_packet(struct capture *c, uint32_t type, const uint8_t *body, size_t len,
    struct record *r)
{
	const uint8_t *end = body + len;
	uint64_t units;
	uint32_t number;

	if (len < 20)
		goto too_short;
	number = type == BLOCK_PACKET ? get16(c, body) : get32(c, body);
	if (!set_interface(c, number, r))
		return false;
	units = (uint64_t)get32(c, body + 4) << 32 | get32(c, body + 8);
	r->time = to_time(&c->ifs[r->interface], units);
	c->last_time = r->time;
	r->caplen = get32(c, body + 12);
	r->wirelen = get32(c, body + 16);
	if (r->caplen > len - 20)
		goto too_short;
	r->data = body + 20;
	r->dir = 0;
	if (len - 20 >= ((size_t)r->caplen + 3) / 4 * 4)
		r->dir = direction_flags(c,
		    r->data + ((size_t)r->caplen + 3) / 4 * 4, end);
	return true;
too_short:
	capture_fail(c, "its block is too short for it");
	return false;
}

static bool
take_simple(struct capture *c, const uint8_t *body, size_t len,
    struct record *r)
{
	uint32_t snaplen;

	if (len < 4) {
		capture_fail(c, "its block is too short for it");
		return false;
	}
	if (!set_interface(c, 0, r))
		return false;
	snaplen = c->ifs[r->interface].snaplen;
	r->time = c->last_time;
	r->wirelen = get32(c, body);
	r->caplen = r->wirelen;
	if (snaplen != 0 && r->caplen > snaplen)
		r->caplen = snaplen;
	if (r->caplen > len - 4)
		r->caplen = (uint32_t)(len - 4);
	r->data = body + 4;
	r->dir = 0;
	return true;
}

/*
 * The next block in one piece, its type and length; the byte order may change
 * with it.
 */
static const uint8_t *
next_block(struct capture *c, bool may_move, uint32_t *type, uint32_t *len,
    enum capture_result *result)
{
	const uint8_t *p = capture_need(c, FRAME, may_move, result);

	if (p == NULL)
		return NULL;
	*type = get32(c, p);		/* a section's reads alike both ways */
	if (*type == BLOCK_SECTION && !take_section(c, p)) {
		*result = capture_fail(c, "a section has no byte order");
		return NULL;
	}
	*len = get32(c, p + 4);
	if (*len < FRAME || *len % 4 != 0 || *len > MAX_RECORD) {
		*result = capture_fail(c, "a block of %u bytes cannot be",
		    *len);
		return NULL;
	}
	return capture_need(c, *len, may_move, result);
}

/* Whether the block was a packet. */
static enum capture_result
take_block(struct capture *c, uint32_t type, const uint8_t *block,
    uint32_t len, struct record *r)
{
	const uint8_t *body = block + HEAD;
	bool ok = true, packet = false;

	len -= FRAME;
	if (type == BLOCK_INTERFACE) {
		ok = take_interface(c, body, len);
	} else if (type == BLOCK_ENHANCED || type == BLOCK_PACKET) {
		ok = packet = take_packet(c, type, body, len, r);
	} else if (type == BLOCK_SIMPLE) {
		ok = packet = take_simple(c, body, len, r);
	}
	if (!ok)
		return CAPTURE_ERROR;
	return packet ? CAPTURE_PACKET : CAPTURE_END;
}

static enum capture_result
pcapng_next(struct capture *c, bool may_move, struct record *r)
{
	enum capture_result result;
	const uint8_t *block;
	uint32_t type, len;

	for (;;) {
		block = next_block(c, may_move, &type, &len, &result);
		if (block == NULL)
			return result;
		c->pos += len;
		result = take_block(c, type, block, len, r);
		if (result != CAPTURE_END)
			break;
	}
	if (result == CAPTURE_PACKET && r->wirelen < r->caplen)
		r->wirelen = r->caplen;
	return result;
}

bool
pcapng_open(struct capture *c, const uint8_t *start)
{
	if (get32(c, start) != BLOCK_SECTION || !take_section(c, start))
		return false;
	c->next = pcapng_next;
	return true;
}
