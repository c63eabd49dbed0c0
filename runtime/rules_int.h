/*
 * What rules ask about the world: tables, interfaces, routes, fingerprints.
 * table.c, iface.c, route.c, osfp_match.c implement it; vm.c, match.c, pool.c
 * and normalize.c ask.
 */
#ifndef RUNTIME_RULES_INT_H
#define RUNTIME_RULES_INT_H

#include "runtime/engine_int.h"

/* ---- table.c: longest prefix wins, negated entries say no ---- */
int	 tables_init(struct pfk_engine *);	/* 0, -1: no memory */
void	 tables_free(struct pfk_engine *);
/*
 * Whether the address is in the table.  A table without entries in an anchor
 * falls back to the main ruleset's of that name, as pf's does.
 */
bool	 table_match(struct pfk_engine *, uint32_t table, uint8_t af,
	    const struct pfk_addr *);
/* The same, and nothing is counted. */
bool	 table_contains(struct pfk_engine *, uint32_t table, uint8_t af,
	    const struct pfk_addr *);
/*
 * Counts a packet for the table and (`counters`) the entry that decides.
 * notrule: the rule asks for addresses that are not in the table.
 */
void	 table_count(struct pfk_engine *, uint32_t table, uint8_t af,
	    const struct pfk_addr *, uint64_t bytes, bool out,
	    enum img_action, bool notrule);
/*
 * table_count() for both tables of a rule that has just been found to fit;
 * false: entries count, which have to be found, and nothing was done.
 */
bool	 tables_count_fit(struct pfk_engine *, const struct rt_rule *,
	    uint64_t bytes, bool out);
bool	 table_has_counters(const struct pfk_engine *, uint32_t table);
/* Adds one address (overload): 1 new, 0 there already, -1 no memory. */
int	 table_add(struct pfk_engine *, uint32_t table, uint8_t af, uint8_t bits,
	    bool neg, const struct pfk_addr *);
/*
 * The turn of round robin over a table or dynamic interface: the next address
 * after the last one given, as pf walks; -1: none left, 0 found.
 */
struct table_turn { uint32_t index; struct pfk_addr counter; bool started;
    uint16_t weight; };
int	 table_next(struct pfk_engine *, uint32_t table, uint8_t af,
	    struct table_turn *, struct pfk_addr *addr, struct pfk_addr *mask);
/*
 * Whether entries have weights: the greatest common divisor of all, and the
 * greatest; those without one have 1.
 */
bool	 table_weights(struct pfk_engine *, uint32_t table, unsigned *gcd,
	    unsigned *most);
/*
 * table_ahead.c: a rule asks the table about the side (SRC, DST) of packets;
 * so does a strip, which can be told the answer.
 */
void	 table_is_asked(struct pfk_engine *, uint32_t table, int side);
void	 table_is_asked_by_strip(struct pfk_engine *, uint32_t table);
/* What has been found in tables does not hold any more. */
static inline void
tables_changed(struct pfk_engine *e)
{
	e->tables_known = 0;
	e->tables_changes++;
}
size_t	 table_count_addrs(const struct pfk_engine *, uint32_t table,
	    uint8_t af);

/* Entries as they are now, with their counters (save.c asks). */
struct saver;
void	 tables_save(const struct pfk_engine *, struct saver *);
bool	 tables_restore(struct pfk_engine *, struct saver *);

/* ---- iface.c ---- */
int	 ifaces_init(struct pfk_engine *, const struct pfk_interface *, size_t);
void	 ifaces_free(struct pfk_engine *);
/* A name in a rule: interface or group, known or not: its id + 1. */
int	 iface_intern(struct pfk_engine *, const char *name);
/* The same without adding one: 0 if there is none such. */
uint32_t iface_find(const struct pfk_engine *, const char *name);
/* Whether the interface is that one or in that group (`any` is not asked). */
bool	 iface_is(const struct pfk_engine *, uint16_t ifid, uint32_t name_id);
const char *iface_name(const struct pfk_engine *, uint16_t ifid);
bool	 iface_skipped(const struct pfk_engine *, uint16_t ifid);
bool	 iface_loopback(const struct pfk_engine *, uint16_t ifid);
unsigned iface_rdomain(const struct pfk_engine *, uint16_t ifid);
/*
 * Addresses of `(name:mods)/bits`, an img_addr of kind DYNAMIC, whose name is
 * interned as name_id: the one of that place in pf's order (by address), from
 * 0 on, with its mask.  false: there are not as many.  NULL instead of the
 * img_addr: the interface's own addresses in the order of its listing.
 */
bool	 iface_addr(const struct pfk_engine *, uint32_t name_id,
	    const struct img_addr *, uint8_t af, unsigned place,
	    struct pfk_addr *addr, struct pfk_addr *mask);
bool	 iface_addr_match(const struct pfk_engine *, uint32_t name_id,
	    const struct img_addr *, uint8_t af, const struct pfk_addr *);
/* How many there are; af 0: of both families. */
unsigned iface_addr_count(const struct pfk_engine *, uint32_t name_id,
	    const struct img_addr *, uint8_t af);

/* ---- route.c: longest prefix; tables 1 to 3 are copies of 0 ---- */
int	 routes_init(struct pfk_engine *, const struct pfk_route *, size_t);
void	 routes_free(struct pfk_engine *);
struct route_entry { uint16_t ifid; bool has_gateway, reject; uint8_t af;
    struct pfk_addr gateway; const char *label; };
/* false: no route (blackhole and reject routes are found). */
bool	 route_lookup(const struct pfk_engine *, uint8_t af,
	    const struct pfk_addr *, unsigned rtable, struct route_entry *);
/* Whether a packet from the address may come in on the interface. */
bool	 route_urpf_ok(const struct pfk_engine *, uint8_t af,
	    const struct pfk_addr *, uint16_t ifid, unsigned rtable);
/* Whether NOROUTE, URPF or RTLABEL of a rule fit the address of that side. */
bool	 route_asked(const struct pfk_engine *, unsigned op, unsigned side,
	    uint8_t af, const struct pfk_addr *, uint16_t ifid,
	    unsigned rtable, const struct rt_rule *);

/* ---- osfp_match.c: passive fingerprints of SYN packets ---- */
int	 osfp_init(struct pfk_engine *, const char *fingerprints);
void	 osfp_free(struct pfk_engine *);
/* Number of an os name in a rule (0: none such, never matches). */
uint32_t osfp_name(struct pfk_engine *, const char *);
bool	 osfp_match(struct pkt *, uint32_t name);

/* One address of a rule against a packet's (af already equal or 0). */
bool	 rule_addr_match(struct pkt *, const struct rt_rule *,
	    const struct img_addr *, uint32_t table, int side);

/* The tag's name; 0 has none: NULL. */
const char *tag_name(const struct pfk_engine *, uint16_t);
/* A tag's number; the same name gives the same number.  0: no memory. */
uint16_t tag_intern(struct pfk_engine *, const char *name);

/*
 * ---- rules.c: set-up ----
 * After interfaces, tables, routes and fingerprints are there.
 */
int	 rules_init(struct pfk_engine *);
void	 rules_free(struct pfk_engine *);
/*
 * What an address or pool of a rule refers to: the index in e->tables of a
 * TABLE, the interned name of a DYNAMIC.  (Rules of a loaded anchor come from
 * an image with numbers of its own.)
 */
uint32_t rule_table(const struct pfk_engine *, const struct rt_rule *,
	    const struct img_addr *);

/* ---- prefix.c: longest prefix match ---- */
struct prefix_node;
struct prefix_index {			/* prefix_index.c, prefix_mem.c */
	uint8_t		*mem;
	void		*raw;		/* where it was allocated */
	size_t		 raw_size;
	uint32_t	 n, cap, free[3], lost;	/* in units */
	uint32_t	 top;
	uint32_t	 most, fewest;	/* prefixes: else it is made anew */
	uint32_t	 limit;		/* of units; 0: PREFIX_UNITS.  Tests set
					   it to come to the edge. */
	bool		 wide;		/* prefix_wide(), or as tests want it */
};
struct prefix_tree {
	struct prefix_node *nodes;	/* 0 is none */
	uint32_t	 n, cap, free, root;
	uint32_t	 count;		/* prefixes */
	bool		 indexed;	/* there are answers to `whether' */
	uint32_t	 out;		/* a bit of values: it is not in */
	struct prefix_index index;
};
#define PREFIX_NONE	UINT32_MAX
/* Sets the value of a prefix; false: no memory, and nothing changed. */
bool	 prefix_set(const struct pfk_engine *, struct prefix_tree *,
	    uint8_t af, const struct pfk_addr *, uint8_t bits, uint32_t value);
/* The value of exactly that prefix, of the longest one around the address. */
uint32_t prefix_get(const struct prefix_tree *, uint8_t af,
	    const struct pfk_addr *, uint8_t bits);
uint32_t prefix_match(const struct prefix_tree *, uint8_t af,
	    const struct pfk_addr *);
void	 prefix_remove(const struct pfk_engine *, struct prefix_tree *,
	    uint8_t af, const struct pfk_addr *, uint8_t bits);
/*
 * Whether the longest prefix around an address says that it is in.  A tree is
 * asked much faster once it is indexed, which is best done when most prefixes
 * are there; it then stays so.
 */
bool	 prefix_contains(const struct prefix_tree *, uint8_t af,
	    const struct pfk_addr *);
void	 prefix_index_build(const struct pfk_engine *, struct prefix_tree *);
/* Gives room for more back, most of it. */
void	 prefix_trim(const struct pfk_engine *, struct prefix_tree *);
void	 prefix_free(const struct pfk_engine *, struct prefix_tree *);

/* What an ICMP instruction asks: type and code, each plus one, 0 for any. */
static inline bool
icmp_wanted(uint32_t want, uint8_t type, uint8_t code)
{
	return ((want & 0xffff) == 0 || (want & 0xffff) == type + 1u) &&
	    (want >> 16 == 0 || want >> 16 == code + 1u);
}

/*
 * What USER and GROUP ask of TCP and UDP.  There are no sockets: every owner
 * is unknown, which is equal to itself.
 */
static inline bool
unknown_owner_fits(unsigned op, const uint32_t *ids)
{
	if (op != IMG_OP_EQ && op != IMG_OP_NE)
		return false;
	return img_compare(op, ids[0], ids[1], UINT32_MAX);
}

/*
 * port_interval.c: the ports that a PORT instruction means are those from *low
 * to *high, or, if the result is true, all but those; none if low > high.
 */
bool	 port_interval(const uint32_t *w, uint16_t *low, uint16_t *high);

#endif
