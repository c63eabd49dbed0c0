/*
 * The image: a compiled ruleset as one block of bytes, in memory or in a
 * .pfi file, mapped and run in place.
 *
 *	+--------------------------+ 0
 *	| struct img_header	   |  magic, version, size, CRC-32C, sections
 *	+--------------------------+
 *	| section IMG_RULES	   |  struct img_rule[], all anchors' rules
 *	| section IMG_ANCHORS	   |  struct img_anchor[]; 0 is the main ruleset
 *	| section IMG_CODE	   |  uint32_t[] instructions (bytecode.h)
 *	| section IMG_TABLES ...   |
 *	+--------------------------+
 *
 * All numbers are little-endian (an image is refused on a big-endian
 * machine: it says so, and the ruleset can be compiled there), all records
 * have a size that is a multiple of 8 and no hidden padding.  References
 * between records are indexes into a section; texts are offsets into
 * IMG_STRINGS, 0 being the empty string, "none".  Addresses are in network
 * order, everything else in host order, ports too.
 *
 * The same ruleset and host give the same bytes.
 *
 * An image is data from anywhere: image_verify() (verify.c) checks every
 * offset, index, enum value and instruction before anything runs; after it
 * the engine only asserts.
 */
#ifndef RUNTIME_IMAGE_H
#define RUNTIME_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pfkit/image.h>

#include "base/addr.h"

#define IMG_NONE	UINT32_MAX	/* "no such index" */

enum img_section {
	IMG_STRINGS,	/* bytes */
	IMG_CODE,	/* uint32_t */
	IMG_RULES,	/* struct img_rule */
	IMG_ANCHORS,	/* struct img_anchor */
	IMG_POOLS,	/* struct img_pool */
	IMG_TABLES,	/* struct img_table */
	IMG_TABLE_ADDRS, /* struct img_table_addr */
	IMG_QUEUES,	/* struct img_queue: names only, ids are indexes + 1 */
	IMG_OPTIONS,	/* one struct img_options */
	IMG_SOURCES,	/* struct img_source: pf.conf and what it includes */
	IMG_TEXTS,	/* bytes: of sources */
	IMG_LINES,	/* uint32_t: where the lines of sources begin */
	IMG_MACROS,	/* struct img_macro */
	IMG_ORIGINS,	/* bytes: see below */
	IMG_RULE_ORIGINS, /* uint32_t: where in IMG_ORIGINS each rule's begins,
			   and the last one's ends */
	IMG_TABLE_ORIGINS, /* the same for tables */
	IMG_TIMEOUTS,	/* struct img_timeouts: of rules that have their own */
	IMG_NSECTIONS
};

#define IMG_MAGIC	PFK_IMAGE_MAGIC	/* 8 bytes: no text file */
#define IMG_VERSION	3

struct img_extent { uint32_t off, len; };	/* bytes; off: a multiple of 8 */

struct img_header {
	uint8_t		magic[8];
	uint32_t	version;
	uint32_t	size;		/* of the whole image */
	uint32_t	crc;		/* CRC-32C of all after the header */
	uint32_t	nsections;
	struct img_extent section[IMG_NSECTIONS];
};

/* Enums below have pf.conf's meaning; compiler/rule.h uses equal numbers. */
enum img_action { IMG_PASS, IMG_BLOCK, IMG_MATCH };
enum img_block { IMG_DROP, IMG_RETURN, IMG_RETURN_RST, IMG_RETURN_ICMP };
enum img_dir { IMG_INOUT, IMG_IN, IMG_OUT };
enum img_log { IMG_LOG = 1, IMG_LOG_ALL = 2, IMG_LOG_MATCHES = 4,
    IMG_LOG_USER = 8 };
enum img_state { IMG_NO_STATE, IMG_KEEP_STATE, IMG_MODULATE_STATE,
    IMG_SYNPROXY_STATE };
enum img_srctrack { IMG_TRACK_NONE, IMG_TRACK_GLOBAL, IMG_TRACK_RULE };
enum img_route { IMG_RT_NONE, IMG_ROUTE_TO, IMG_REPLY_TO, IMG_DUP_TO };
enum img_divert { IMG_DIVERT_NONE, IMG_DIVERT_TO, IMG_DIVERT_REPLY,
    IMG_DIVERT_PACKET };
enum img_pooltype { IMG_POOL_NONE, IMG_POOL_BITMASK, IMG_POOL_RANDOM,
    IMG_POOL_SOURCE_HASH, IMG_POOL_ROUND_ROBIN, IMG_POOL_LEAST_STATES };
enum img_op { IMG_OP_NONE, IMG_OP_IRG, IMG_OP_XRG, IMG_OP_EQ, IMG_OP_NE,
    IMG_OP_LT, IMG_OP_LE, IMG_OP_GT, IMG_OP_GE, IMG_OP_RRG };
/* Whether the value compares so with a (and b). */
static inline bool
img_compare(unsigned op, uint32_t a, uint32_t b, uint32_t v)
{
	switch ((enum img_op)op) {
	case IMG_OP_IRG:
		return v > a && v < b;
	case IMG_OP_XRG:
		return v < a || v > b;
	case IMG_OP_RRG:
		return v >= a && v <= b;
	case IMG_OP_EQ:
		return v == a;
	case IMG_OP_NE:
		return v != a;
	case IMG_OP_LT:
		return v < a;
	case IMG_OP_LE:
		return v <= a;
	case IMG_OP_GT:
		return v > a;
	case IMG_OP_GE:
		return v >= a;
	case IMG_OP_NONE:
		break;
	}
	return false;
}

enum img_addrkind { IMG_ADDR_ANY, IMG_ADDR_MASK, IMG_ADDR_RANGE,
    IMG_ADDR_DYNAMIC, IMG_ADDR_TABLE, IMG_ADDR_NO_ROUTE,
    IMG_ADDR_URPF_FAILED, IMG_ADDR_ROUTE_LABEL, IMG_ADDR_NONE };
enum img_ifmod { IMG_IF_NETWORK = 1, IMG_IF_BROADCAST = 2, IMG_IF_PEER = 4,
    IMG_IF_NOALIAS = 8 };
enum img_timeout {
#define TIMEOUT(id, name, dflt)	IMG_TMO_##id,
#include "base/timeouts.def"
#undef TIMEOUT
	IMG_TMO_COUNT
};
enum img_limit { IMG_LIMIT_STATES, IMG_LIMIT_SRC_NODES, IMG_LIMIT_FRAGS,
    IMG_LIMIT_TABLES, IMG_LIMIT_TABLE_ENTRIES, IMG_LIMIT_PKTDELAY_PKTS,
    IMG_LIMIT_ANCHORS, IMG_LIMIT_COUNT };
enum img_syncookies { IMG_SYNCOOKIES_NEVER, IMG_SYNCOOKIES_ALWAYS,
    IMG_SYNCOOKIES_ADAPTIVE };

struct img_addr {
	uint8_t		kind;		/* enum img_addrkind */
	uint8_t		af;		/* of MASK, RANGE; 0 both */
	uint8_t		neg;
	uint8_t		ifmods;		/* of DYNAMIC */
	uint32_t	ref;		/* TABLE: index; DYNAMIC, ROUTE_LABEL:
					   string */
	struct pfk_addr	addr, mask;	/* RANGE: both ends; DYNAMIC: mask */
};

struct img_pool {			/* nat-to, rdr-to, route-to ... */
	struct img_addr	addr;
	uint32_t	key[4];		/* of source-hash */
	uint32_t	ifname;		/* string, or 0 */
	uint16_t	weight;
	uint16_t	port[2];
	uint8_t		port_op;	/* enum img_op */
	uint8_t		type;		/* enum img_pooltype */
	uint8_t		sticky;
	uint8_t		static_port;
	uint8_t		reserved[2];
};

/* img_rule.flags */
#define IMG_R_QUICK		0x00000001
#define IMG_R_IFNOT		0x00000002
#define IMG_R_RCVIFNOT		0x00000004
#define IMG_R_NOSYNC		0x00000008
#define IMG_R_IFBOUND		0x00000010
#define IMG_R_SLOPPY		0x00000020
#define IMG_R_PFLOW		0x00000040
#define IMG_R_FRAGMENT		0x00000080
#define IMG_R_NODF		0x00000100
#define IMG_R_RANDOMID		0x00000200
#define IMG_R_REASSEMBLE_TCP	0x00000400
#define IMG_R_ALLOW_OPTS	0x00000800
#define IMG_R_ONCE		0x00001000
#define IMG_R_MATCH_TAG_NOT	0x00002000
#define IMG_R_SET_TOS		0x00004000
#define IMG_R_SET_PRIO		0x00008000
#define IMG_R_SET_DELAY		0x00010000
#define IMG_R_AFTO		0x00020000
#define IMG_R_ANCHOR		0x00040000	/* an anchor call */
#define IMG_R_WILDCARD		0x00080000	/* anchor "x/" followed by * */

/*
 * Where `pfctl -vvsr` shows how many addresses a table or (interface) has:
 * src, dst, nat, rdr, route.
 */
#define IMG_NCOUNTS		5

struct img_rule {
	/* what it matches: the bytecode tests these; kept for the direct
	 * evaluation, for explanations and for skip steps */
	struct img_addr	src, dst;
	uint16_t	src_port[2], dst_port[2];
	uint32_t	uid[2], gid[2];		/* UINT32_MAX: unknown */
	uint32_t	ifname;			/* string, 0: any interface */
	uint32_t	rcv_ifname;
	uint32_t	os;			/* string: fingerprint as in
						   pf.conf, 0: any */
	int32_t		onrdomain;		/* -1: any */
	uint32_t	match_tag, tag;		/* strings */
	uint32_t	prob;			/* 0: always */
	uint32_t	flags;			/* IMG_R_* */
	uint32_t	nr;			/* as pfctl numbers it */
	uint32_t	anchor;			/* IMG_ANCHORS: where it stands */
	uint32_t	call;			/* IMG_ANCHORS: of IMG_R_ANCHOR */
	/* what it does */
	uint32_t	label;			/* string */
	uint32_t	qname, pqname;		/* strings */
	uint32_t	overload;		/* IMG_TABLES, or IMG_NONE */
	uint32_t	nat, rdr, route;	/* IMG_POOLS, or IMG_NONE */
	int32_t		rtable;			/* -1: unchanged */
	uint32_t	max_states, max_src_nodes, max_src_states;
	uint32_t	max_src_conn;
	uint32_t	max_src_conn_rate[2];	/* limit, seconds */
	uint32_t	pktrate[2];		/* limit, seconds */
	uint32_t	timeouts;		/* IMG_TIMEOUTS + 1; 0: none */
	struct pfk_addr	divert_addr;
	uint16_t	divert_port;
	uint16_t	icmp_type, icmp_code;	/* value + 1, 0: any */
	uint16_t	return_icmp, return_icmp6; /* type << 8 | code */
	uint16_t	max_mss, delay;
	uint16_t	count_at[IMG_NCOUNTS];	/* places in text, 0: none */
	uint8_t		src_port_op, dst_port_op, uid_op, gid_op; /* img_op */
	uint8_t		action, block, direction, log, logif;
	uint8_t		af, proto, tcp_flags, tcp_flagset, tos, prio;
	uint8_t		set_tos, set_prio[2];
	uint8_t		keep_state, src_track, flush, min_ttl, return_ttl;
	uint8_t		naf, rt, divert, divert_af, reserved;
	/* where it came from, and how pfctl prints it (without "@N ") */
	uint32_t	text;			/* string */
	uint32_t	source, off, len;	/* IMG_SOURCES and bytes there */
	uint32_t	line;			/* of pf.conf, from 1 */
};
struct img_timeouts { uint32_t v[IMG_TMO_COUNT]; };	/* 0: the option's */

struct img_anchor {
	uint32_t	path;			/* string: "" for the main one */
	uint32_t	parent;			/* IMG_ANCHORS, or IMG_NONE */
	uint32_t	rule0, nrules;		/* its rules, in order */
	uint32_t	code, ncode;		/* its instructions */
	uint32_t	child0, nchildren;	/* sorted by path as pf does */
};

struct img_table {
	uint32_t	name;			/* string */
	uint32_t	anchor;			/* IMG_ANCHORS where it belongs */
	uint32_t	flags;			/* IMG_T_* */
	uint32_t	addr0, naddrs;
	uint32_t	reserved;
};
#define IMG_T_CONST	1
#define IMG_T_PERSIST	2
#define IMG_T_COUNTERS	4
#define IMG_T_DEFINED	8	/* by a `table` line, not only referred to */

struct img_table_addr {
	struct pfk_addr	addr;
	uint16_t	weight;		/* in pools; 0: none was given */
	uint8_t		af, bits, neg, reserved[3];
};

struct img_queue { uint32_t name, reserved; };

struct img_span { uint32_t source, off, len; };	/* source: or IMG_NONE */
struct img_source {
	uint32_t	name;			/* string */
	uint32_t	text;			/* offset in IMG_TEXTS; IMG_NONE: it
						   is not kept */
	uint32_t	len;
	uint32_t	line0, nlines;		/* IMG_LINES */
	uint32_t	hash[2];		/* of the text: low, high half */
	struct img_span	included_at;
};
struct img_macro {			/* a use of one */
	uint32_t	name;			/* string */
	struct img_span	use, def;
	uint32_t	outer;			/* IMG_MACROS before it: whose value
						   the use stands in; IMG_NONE */
};

/*
 * Where rules and tables come from (include/pfkit/origin.h), as bytes, since
 * there is one for each rule and most numbers in it are small.  A number is
 * written seven bits at a time, the low ones first; the top bit of a byte says
 * that more follow.
 *
 *	rule	origin ...
 *	origin	byte: enum pfk_origin_how | number of elements << 2; the
 *		statement; the elements in order of their parts
 *	table	the statement; for addresses in a row that were written
 *		together their number and the element
 *	element	byte: enum pfk_part | IMG_O_*; [source]; place; length;
 *		[macro * 2, + 1 if the macro gave but a part: its source,
 *		offset, length]
 *
 * The place is an offset: of the statement from the start of its source, of
 * an element from the statement's (twice that, + 1 if it lies before it), or
 * from the start if it has a source of its own.
 */
#define IMG_TEXT_MAX	(1u << 20)	/* of a source that is kept */

#define IMG_O_PART	0x1f
#define IMG_O_LISTED	0x20
#define IMG_O_MACRO	0x40
#define IMG_O_SOURCE	0x80	/* a source of its own; of statements: any */

struct img_options {
	uint32_t	timeout[IMG_TMO_COUNT];
	uint32_t	limit[IMG_LIMIT_COUNT];
	uint32_t	hostid;
	int32_t		debug;			/* syslog level */
	uint32_t	loginterface;		/* string */
	uint32_t	skip, nskip;		/* `set skip on`: nskip names, one
						   after the other, from here in
						   IMG_STRINGS */
	uint8_t		reassemble, reassemble_no_df;
	uint8_t		syncookies, syncookies_hi, syncookies_lo;
	uint8_t		lowering;		/* 0 plain, 1 fast */
	uint8_t		reserved[6];
	uint32_t	fingerprints;		/* string: text of pf.os used */
	uint32_t	reserved2[2];
};

/*
 * An image as the library has it: the block, and where its sections begin.
 * Everything here has been verified.
 */
struct pfk_image {
	struct pfk_allocator alloc;
	const uint8_t	*bytes;
	size_t		 size;
	size_t		 mapped;	/* length of the mapping; 0: allocated */

	const char	*strings;
	const uint32_t	*code;
	const struct img_rule *rules;
	const struct img_anchor *anchors;
	const struct img_pool *pools;
	const struct img_table *tables;
	const struct img_table_addr *table_addrs;
	const struct img_queue *queues;
	const struct img_source *sources;
	const struct img_options *options;
	const char	*texts;
	const uint32_t	*lines;
	const struct img_macro *macros;
	const uint8_t	*origins;
	const uint32_t	*rule_origins, *table_origins;
	const struct img_timeouts *timeouts;
	uint32_t	 nstrings, ncode, nrules, nanchors, npools, ntables,
			 ntable_addrs, nqueues, nsources, ntexts, nlines,
			 nmacros, norigins, nrule_origins, ntable_origins,
			 ntimeouts;

	const char	**not_enforced;	/* pfk_image_not_enforced() */
	size_t		 not_enforced_size, nnot_enforced;
};

/* image.c: strings of a verified image; offset 0 is "". */
static inline const char *
image_string(const struct pfk_image *image, uint32_t off)
{
	return image->strings + off;
}

/* A timeout of the rule's own, or 0. */
static inline uint32_t
image_timeout(const struct pfk_image *image, const struct img_rule *r,
    unsigned which)
{
	return r->timeouts == 0 ? 0 : image->timeouts[r->timeouts - 1].v[which];
}

/*
 * Takes over the block: verifies it, and frees it when the image is freed.
 * PFK_OK, or an error with a message; then the block is still the caller's.
 * => The block came from the allocator.
 */
int	 image_adopt(const struct pfk_allocator *, void *block, size_t,
	    struct pfk_image **, char *errbuf);

/*
 * verify.c: whether the block is an image that may be run.  The sections of
 * *image have been set by image_sections(); false: errbuf says where.
 */
bool	 image_sections(struct pfk_image *, char errbuf[PFK_IMAGE_ERRLEN]);
bool	 image_verify(const struct pfk_image *, char errbuf[PFK_IMAGE_ERRLEN]);
bool	 image_verify_code(const struct pfk_image *,
	    char errbuf[PFK_IMAGE_ERRLEN]);
/* verify_origins.c: sources, macros, origins. */
bool	 image_verify_origins(const struct pfk_image *,
	    char errbuf[PFK_IMAGE_ERRLEN]);

/*
 * origin.c: reading IMG_ORIGINS.  Elements are taken from bytes at `off' up to
 * `end'; what does not fit makes `bad'.
 */
struct origin_reader {
	const struct pfk_image *im;
	uint32_t	 off, end;
	bool		 bad;
};
struct origin_element {
	uint8_t		 part;		/* with IMG_O_* */
	struct img_span	 span;
	uint32_t	 macro;		/* or IMG_NONE */
	struct img_span	 value;		/* what it gave, if that is but a part;
					   source IMG_NONE: it is all */
};
uint32_t origin_number(struct origin_reader *);
uint8_t	 origin_byte(struct origin_reader *);
/* statement NULL: it is one. */
void	 origin_element(struct origin_reader *, const struct img_span *statement,
	    struct origin_element *);
/*
 * The table that an address of a rule means: the main ruleset's of that name,
 * if the rule's anchor has none of its own.  -1: it is no table.
 */
long	 image_table_meant(const struct pfk_image *, const struct img_addr *);

/*
 * block_rules.c: how many of the n rules, from the first one on, may be looked
 * up as one block.  1: it stands alone.
 */
uint32_t image_block_length(const struct img_rule *, uint32_t n);

#endif
