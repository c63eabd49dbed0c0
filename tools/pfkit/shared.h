/*
 * What of a ruleset keeps several engines from sharing its packets.
 */
#ifndef PFKIT_SHARED_H
#define PFKIT_SHARED_H

#include <stdio.h>

#include <pfkit/shard.h>

/* A line for each reason, with its place, behind the prefix; how many. */
size_t	 shared_show(FILE *, const char *prefix, const struct pfk_image *);

#endif
