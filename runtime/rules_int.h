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
/* Adds one to the counters of the entry that decides (tables `counters`). */
void	 table_count(struct pfk_engine *, uint32_t table, uint8_t af,
	    const struct pfk_addr *, uint64_t bytes, bool out, bool pass,
	    bool notrule);
bool	 table_has_counters(const struct pfk_engine *, uint32_t table);
/* Adds one address (overload): 1 new, 0 there already, -1 no memory. */
int	 table_add(struct pfk_engine *, uint32_t table, uint8_t af, uint8_t bits,
	    bool neg, const struct pfk_addr *);
/*
 * The turn of round robin over a table or dynamic interface: the next address
 * after the last one given, as pf walks; -1: none left, 0 found.
 */
struct table_turn { uint32_t index; struct pfk_addr counter; bool started; };
int	 table_next(struct pfk_engine *, uint32_t table, uint8_t af,
	    struct table_turn *, struct pfk_addr *addr, struct pfk_addr *mask);
size_t	 table_count_addrs(const struct pfk_engine *, uint32_t table,
	    uint8_t af);

/* ---- iface.c ---- */
int	 ifaces_init(struct pfk_engine *, const struct pfk_interface *, size_t);
void	 ifaces_free(struct pfk_engine *);
/* A name in a rule: interface or group, known or not: its id + 1. */
int	 iface_intern(struct pfk_engine *, const char *name);
/* Whether the interface is that one or in that group (`any` is not asked). */
bool	 iface_is(const struct pfk_engine *, uint16_t ifid, uint32_t name_id);
const char *iface_name(const struct pfk_engine *, uint16_t ifid);
bool	 iface_skipped(const struct pfk_engine *, uint16_t ifid);
bool	 iface_loopback(const struct pfk_engine *, uint16_t ifid);
unsigned iface_rdomain(const struct pfk_engine *, uint16_t ifid);
/*
 * Addresses of `(name:mods)` or of the interface: from 0 on; false: no more.
 * The mask is of length `bits` or the modifier's.
 */
bool	 iface_addr(const struct pfk_engine *, uint32_t name_id, uint8_t mods,
	    uint8_t af, unsigned n, struct pfk_addr *addr,
	    struct pfk_addr *mask);
bool	 iface_addr_match(const struct pfk_engine *, uint32_t name_id,
	    uint8_t mods, uint8_t af, const struct pfk_addr *mask,
	    const struct pfk_addr *);

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

/* ---- osfp_match.c: passive fingerprints of SYN packets ---- */
int	 osfp_init(struct pfk_engine *, const char *fingerprints);
void	 osfp_free(struct pfk_engine *);
/* Number of an os name in a rule (0: none such, never matches). */
uint32_t osfp_name(struct pfk_engine *, const char *);
bool	 osfp_match(struct pkt *, uint32_t name);

/* One address of a rule against a packet's (af already equal or 0). */
bool	 rule_addr_match(struct pkt *, const struct rt_rule *,
	    const struct img_addr *, uint32_t table, int side);

/* A tag's number; the same name gives the same number.  0: no memory. */
uint16_t tag_intern(struct pfk_engine *, const char *name);

/* ---- vm.c, match.c: set-up ---- */
int	 rules_init(struct pfk_engine *);
void	 rules_free(struct pfk_engine *);

#endif
