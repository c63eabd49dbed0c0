/*
 * Parts of decisions as text.
 */
#ifndef REPLAY_TEXT_H
#define REPLAY_TEXT_H

#include <pfkit/engine.h>

#include "out.h"

#define ADDR_TEXT	48
#define TIME_TEXT	40

/* "10.0.0.1", "2001:db8::1", in text (ADDR_TEXT bytes), which is returned. */
const char *addr_text(uint8_t af, const uint8_t *addr, char *text);
/* "addr:port", "addr[port]"; without port if it is 0. */
void	 out_addr(struct out *, uint8_t af, const uint8_t *addr);
void	 out_endpoint(struct out *, uint8_t af, const struct pfk_endpoint *,
	    bool port);
/* "src > dst" */
void	 out_flow(struct out *, const struct pfk_flow *);
/* The rule: "3", "a/b:3", "default", "-". */
void	 out_rule(struct out *, const struct pfk_engine *, uint32_t rule);
/* What pf changed: "src > dst ttl=N ..."; nothing: false. */
bool	 out_changes(struct out *, const struct pfk_decision *);
/* What pf sends: "rst ttl=9, icmp 3/1"; nothing: false. */
bool	 out_replies(struct out *, const struct pfk_decision *);
const char *state_use_name(enum pfk_state_use);
/* "2026-11-25T08:44:43.000001Z", in text (TIME_TEXT bytes). */
const char *time_text(uint64_t ns, char *text);
/* The text of a rule, with the numbers of its tables. */
void	 out_rule_text(struct out *, const struct pfk_engine *, uint32_t rule);

#endif
