/*
 * mkpcap: captures from a description in text, for tests.
 *
 *	text.c		lines -> struct packet_spec
 *	packet.c	struct packet_spec -> bytes from the IP header on
 *	file.c		bytes -> frames of a link type -> capture file
 *
 * It is small and for tests only: it ends at the first wrong line.
 */
#ifndef MKPCAP_H
#define MKPCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_PACKET	66000
#define MAX_OPTIONS	64

struct bytes {
	uint8_t	 b[MAX_PACKET];
	size_t	 len;
};

enum packet_kind { KIND_TCP, KIND_UDP, KIND_ICMP, KIND_ICMP6, KIND_OTHER,
    KIND_RAW /* bytes from the IP header on */,
    KIND_FRAME /* bytes from the link header on */ };

enum direction { DIR_NONE, DIR_IN, DIR_OUT, DIR_FWD };

struct small { uint8_t b[MAX_OPTIONS]; size_t len; };

struct packet_spec {
	enum packet_kind kind;
	uint64_t time;			/* ns from the beginning */
	enum direction dir;
	char	 ifname[16];
	uint8_t	 af, proto;
	uint8_t	 src[16], dst[16];
	uint16_t sport, dport;
	/* TCP, ICMP */
	uint8_t	 flags, type, code;
	uint32_t seq, ack;
	uint16_t win, urg, id;
	struct small tcp_options;
	/* IP */
	uint8_t	 ttl, tos;
	uint16_t ipid;
	bool	 df;
	struct small ip_options;
	struct small extensions;	/* IPv6 headers, type by type */
	/* a part of the IP payload: a fragment */
	bool	 is_part, more, last;
	size_t	 from, to;
	/* lies */
	bool	 bad_ip_sum, bad_sum;
	long	 ip_length;		/* -1: the truth */
	/* frame */
	uint16_t vlan[2];
	size_t	 nvlan;
	long	 cut;			/* bytes captured; -1: all */
	size_t	 padding;		/* bytes behind the IP packet */
	struct bytes payload;		/* also: raw bytes, the quote */
};

enum link_type { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW = 101,
    LINK_LOOP = 108, LINK_SLL = 113, LINK_SLL2 = 276 };
enum file_format { FORMAT_PCAP, FORMAT_PCAP_NS, FORMAT_PCAP_SWAPPED,
    FORMAT_PCAPNG };

struct capture {
	enum link_type link;
	enum file_format format;
};

/* packet.c */
void	 build_ip(const struct packet_spec *, struct bytes *);
void	 put_bytes(struct bytes *, const void *, size_t);
void	 put8(struct bytes *, unsigned);
void	 put16(struct bytes *, unsigned);
void	 put32(struct bytes *, uint32_t);

/* file.c */
void	 file_begin(const struct capture *, const char *path);
void	 file_packet(const struct capture *, const struct packet_spec *,
	    const struct bytes *ip);
void	 file_end(const struct capture *);

/* text.c: ends the program with the line's number and why. */
void	 die(const char *fmt, ...)
	    __attribute__((__noreturn__, __format__(__printf__, 1, 2)));

#endif
