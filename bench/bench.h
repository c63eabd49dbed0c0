/*
 * What the benchmarks share.
 *
 *	random.h	chance, seeded: the same figures are of the same work
 *	rules.c		rulesets of several shapes
 *	prefixes.c	addresses of tables
 *	packets.c	packets in memory, fed to an engine
 *	loop.c		libpcap's loop, beside which others are read
 *	between.c	how near two processors are to each other
 *	traffic.c	the same packets as a capture
 *	report.c	samples, the table for people, JSON
 *	run_*.c		the measurements
 *	engine.c	the program: which of them, how long
 *	direct.c	rules walked one after the other, without bytecode
 *	pcap.c		another program: captures, beside libpcap
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <pfkit/engine.h>

#include "bench/random.h"

#define MAX_REPEATS	15
#define MAX_LIMITS	32

/* How all figures of a group stand that have the same limit. */
struct standing {
	const char	*group, *unit;
	double		 limit;
	unsigned	 n, over, over_here;
	double		 figure, here;	/* of the worst one: */
	char		 name[64];
};

/* How much is measured, and where the figures go. */
struct bench {
	bool		 quick;
	const char	*only;		/* the group wanted, or NULL */
	unsigned	 repeats;
	double		 seconds;	/* of one repetition, about */
	size_t		 burst;		/* packets in a call */
	FILE		*json;		/* or NULL */
	const char	*capture;	/* for a reference, or NULL */
	double		 pcap_ns;	/* of pcap_next_ex just now, or 0 */
	const char	*group;		/* of the last row */
	unsigned	 rows, over, over_here;
	struct standing	 standings[MAX_LIMITS];
	unsigned	 nstandings;
};

_Noreturn void die(const char *, ...);
/*
 * Seconds: on the wall, and those that this program had a processor, which
 * is what is measured wherever it does all the work itself.
 */
double	 now(void);
double	 cpu_now(void);

/* loop.c: over so many packets of a capture at most; seconds. */
struct times { double wall, cpu; };
struct times capture_loop(const char *path, uint64_t most,
	    uint64_t *packets);

/* between.c: ns.  => There are two processors. */
double	 between_processors(void);

/*
 * report.c: a row.  Smallest and median of the samples, and the limit (0:
 * none) with ok or over, also as this machine's pcap_next_ex has it.  note may
 * be NULL.
 */
#define PCAP_NS		95.0	/* of pcap_next_ex where limits were set */
#define LINE_NS		160.0	/* of a line of memory, waited for; */
#define LINES_NS	12.0	/* of one of 32 fetched together */
struct samples { double v[MAX_REPEATS]; unsigned n; };
void	 samples_add(struct samples *, double);
void	 report(struct bench *, const char *group, const char *name,
	    const char *unit, const struct samples *, double limit,
	    const char *note);
/* A single figure. */
void	 report_one(struct bench *, const char *group, const char *name,
	    const char *unit, double value, double limit, const char *note);
void	 report_skipped(struct bench *, const char *group, const char *name,
	    const char *why);
void	 report_begin(struct bench *);
void	 report_end(struct bench *);

/* A text that grows. */
struct text { char *p; size_t len, size; };
void	 text_add(struct text *, const char *, ...);
void	 text_free(struct text *);

/* rules.c: a ruleset of n rules, all without state. */
enum shape { SHAPE_HOSTS, SHAPE_FIELDS, SHAPE_PORTS, SHAPE_HOSTS6, SHAPE_ACL,
    SHAPE_IPC, SHAPE_FW, SHAPE_CHAIN, SHAPE_ACL6, SHAPE_IPC6, SHAPE_FW6,
    SHAPE_REAL, NSHAPES };
extern const char *const shape_names[NSHAPES];
struct rule {			/* host order; prefixes have their bits */
	uint32_t	 addr[2];
	uint8_t		 bits[2];	/* source, destination */
	uint16_t	 port[2][2];	/* from, to */
	uint8_t		 proto;		/* 0: any */
};
struct ruleset { enum shape shape; struct rule *r; size_t n; };
struct ruleset *ruleset_new(enum shape, size_t n, uint64_t seed);
void	 ruleset_free(struct ruleset *);
void	 ruleset_text(const struct ruleset *, struct text *);

/* All of its rules are of IPv6. */
bool	 shape_is_v6(enum shape);

/* A packet's header, in host order. */
struct header {
	uint32_t	 addr[2];
	uint16_t	 port[2];
	uint8_t		 proto;
};
/* One of the rule's corners, or inside of it. */
void	 rule_corner(const struct rule *, struct random *, struct header *);

/* prefixes.c: entries for a table, sorted by nothing, none twice. */
struct pfk_table_entry *prefixes_new(size_t n, bool hosts, uint64_t seed);
void	 prefixes_text(const struct pfk_table_entry *, size_t n,
	    struct text *);

/* packets.c: frames that are filled in anew for each batch. */
#define BATCH	4096
#define FRAME	80
struct feed {
	struct pfk_packet packets[BATCH];
	uint8_t		 frames[BATCH][FRAME];
	struct random	 random;
	uint64_t	 time, step;	/* ns; from packet to packet */
	struct pfk_engine *engine;
	uint16_t	 ifid;
	/* fills n frames of a batch; not measured */
	void		(*fill)(struct feed *, size_t n);
	const void	*ctx;
	uint64_t	 next;		/* the filler's */
};
struct feed *feed_new(struct pfk_engine *, uint64_t seed);
void	 feed_free(struct feed *);
/* One frame: IPv4 with Ethernet header; TCP, UDP or anything. */
struct tcp { uint32_t seq, ack; uint8_t flags; };
void	 frame_v4(struct feed *, size_t i, uint8_t dir,
	    const struct header *, const struct tcp *);
void	 frame_v6(struct feed *, size_t i, uint8_t dir,
	    const uint8_t src[16], const uint8_t dst[16],
	    const struct header *, const struct tcp *);
/* The address of IPv6 that stands for one of IPv4. */
void	 addr_v6(uint32_t, uint8_t addr[16]);
/* The engine's time for the batch, in ns. */
double	 feed_batch(struct feed *, size_t n, size_t burst);
/* ns per packet, of about so many seconds, or exactly n packets. */
double	 feed_for(struct feed *, double seconds, size_t burst);
double	 feed_packets(struct feed *, size_t n, size_t burst);
/* Nothing is timed: for a profiler, which counts inside measured_batch(). */
void	 measured_packets(struct feed *, size_t n, size_t burst);
void	 measured_batch(struct feed *, size_t n, size_t burst);

/* traffic.c: n packets as a capture, to standard output. */
void	 traffic_write(struct feed *, size_t n);

/* compile.c */
struct meter {			/* an allocator that counts */
	struct pfk_allocator allocator;
	size_t		 now, most;
};
void	 meter_init(struct meter *);
struct compiled { struct pfk_image *image; double seconds; size_t bytes; };
/* From a text (and the file "table", if the text names it). */
void	 compile_text(const struct text *, const struct text *table,
	    enum pfk_lowering, const struct pfk_allocator *,
	    struct compiled *);
struct pfk_engine *engine_for(const struct pfk_image *,
	    const struct pfk_allocator *, const struct pfk_sink *);

/* direct.c: the rule of the image that decides, or IMG_NONE. */
struct walk;
struct walk *walk_new(const struct pfk_image *);
void	 walk_free(struct walk *);
uint32_t walk_packet(struct walk *, const struct pfk_packet *);

/* run_*.c */
/* Measures b->pcap_ns, again for each group. */
void	 reference_now(struct bench *);
void	 run_reference(struct bench *);
void	 run_states(struct bench *);
void	 run_rules(struct bench *);
void	 run_tables(struct bench *);
void	 run_compile(struct bench *);
/* For a profiler: so many packets of one kind of work, nothing printed. */
void	 states_alone(size_t nflows, bool translated, size_t npackets,
	    size_t burst);
void	 new_states_alone(size_t npackets, size_t burst);
void	 tables_alone(uint32_t n, uint8_t af, size_t npackets, size_t burst);
/* The packets of a ruleset's corners, as a capture. */
void	 rules_traffic(enum shape, size_t n, size_t npackets);
/* any: corners of all rules, not of the last one only. */
void	 rules_alone(enum shape, size_t n, enum pfk_lowering, bool any,
	    size_t npackets, size_t burst);

#endif
